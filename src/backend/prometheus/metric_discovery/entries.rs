//! Looks up the entries of packs on a server: which ones exist, and which labels and targets name their services. Where that
//! fails, the previous result stays in use; without one, the signals of the entry count as unknown.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use futures_util::future::join_all;

use super::metrics::{KnownMetrics, is_too_much};
use super::{
    ApdexBounds, DiscoveredCapacity, DiscoveredEntry, DiscoveryRun, EntryDetails, MetricDiscovery,
    SelectorGroup,
};
use crate::backend::packs::{CapacityEntry, LatencySignal, Pack, PackEntry, Requests};
use crate::backend::prometheus::wire::Sample;
use crate::model::labels::{Labels, Text};
use crate::model::promql::{self, quoted};
use crate::model::signal::Signal;
use crate::model::source::SourceError;
use crate::model::warning::Warning;

/// A signal for which discovery failed, although some services may have it.
#[derive(Debug, Clone)]
pub(in crate::backend::prometheus) struct Gap {
    pub(in crate::backend::prometheus) signal: Signal,
    pub(in crate::backend::prometheus) why: Text,
    /// The services whose signal is unknown; `None`: every service without the signal.
    pub(in crate::backend::prometheus) services: Option<HashSet<Text>>,
}

/// How looking up an entry ended.
enum LookupResult {
    Found,
    /// The selector groups were found, but not the details.
    WithoutDetails(SourceError),
    Failed(SourceError),
}

/// The targets whose series name a service that no target names (targets of a proxy), and the service's descriptive labels.
#[derive(Debug, Clone, Default)]
pub(in crate::backend::prometheus) struct ProxyTarget {
    pub(in crate::backend::prometheus) label: Text,
    /// Job and instance of each target of the proxy; empty if there is no proxy.
    pub(in crate::backend::prometheus) targets: BTreeSet<(Text, Text)>,
    pub(in crate::backend::prometheus) labels: AgreedLabels,
}

/// Labels of several series; `None` for a label whose values differ.
#[derive(Debug, Clone, Default)]
pub(in crate::backend::prometheus) struct AgreedLabels(BTreeMap<Text, Option<Text>>);

impl AgreedLabels {
    pub(in crate::backend::prometheus) fn add(&mut self, name: &Text, value: &Text) {
        match self.0.get_mut(name) {
            Some(agreed) if agreed.as_ref() != Some(value) => *agreed = None,
            Some(_) => {}
            None => drop(self.0.insert(name.clone(), Some(value.clone()))),
        }
    }

    /// The labels whose values are the same in all series.
    pub(in crate::backend::prometheus) fn labels(&self) -> Labels {
        let agreed = self.0.iter().filter_map(|(name, value)| Some((name.clone(), value.clone()?)));
        Labels::new(agreed.collect())
    }
}

impl ProxyTarget {
    fn add(&mut self, reported: &Described) {
        self.label = reported.label.clone();
        self.targets.extend(reported.target.clone());
        reported.labels.iter().for_each(|(name, value)| self.labels.add(name, value));
    }
}

/// A service as one series describes it.
#[derive(Debug, Clone)]
pub(in crate::backend::prometheus) struct Described {
    service: Text,
    label: Text,
    target: Option<(Text, Text)>,
    labels: Labels,
}

struct EntryContext<'a> {
    run: DiscoveryRun<'a>,
    pack: &'a Pack,
    labels: &'a [String],
    /// Labels that describe the service, if no target does.
    described: Vec<&'a str>,
    /// Whether the pack's targets are those of a proxy.
    proxy: bool,
}

impl<'a> EntryContext<'a> {
    fn of(run: DiscoveryRun<'a>, pack: &'a Pack) -> Self {
        let services = &run.plan.services;
        let has_own = !pack.service_labels.is_empty();
        let labels = if has_own { &pack.service_labels } else { &services.labels };
        let is_own = has_own && !pack.only_known;
        let proxy = pack.proxy && is_own;
        let described = services.describe_by.iter().filter(|label| is_own && !labels.contains(label));
        let target =
            ["job", "instance"].into_iter().filter(|label| proxy && labels.iter().all(|l| l != label));
        let described = described.map(String::as_str).chain(target).collect();
        EntryContext { run, pack, labels, described, proxy }
    }

    /// The selector groups of a metric: each series belongs to the group of the first label that it has. Also returns
    /// descriptions.
    async fn selector_groups(
        &self,
        metric: &str,
        matchers: &str,
    ) -> Result<(Vec<SelectorGroup>, Vec<Described>), SourceError> {
        let selector = format!(
            "{{__name__=~{}{}{matchers}}}",
            quoted(metric),
            if matchers.is_empty() { "" } else { "," }
        );
        let by = self.labels.iter().map(String::as_str).chain(self.described.iter().copied());
        let by: Vec<_> = by.map(promql::label).collect();
        match self.run.call.instant(&format!("count by ({}) ({selector})", by.join(",")), None).await {
            Ok(samples) => return Ok((selector_groups_of(&samples, self.labels), self.describe(&samples))),
            Err(error) if by.len() < 2 || !is_too_much(&error) => return Err(error),
            Err(_) => {}
        }
        // too many series: query the labels one after the other, without descriptions
        let open = selector.trim_end_matches('}');
        let parts = by.iter().take(self.labels.len()).enumerate().map(|(at, label)| {
            let absent = by.iter().take(at).map(|earlier| format!(",{earlier}=\"\""));
            format!("count by ({label}) ({open}{},{label}!=\"\"}})", absent.collect::<String>())
        });
        let parts: Vec<String> = parts.collect();
        let reported = join_all(parts.iter().map(|part| self.run.call.instant(part, None))).await;
        let samples: Vec<Vec<Sample>> = reported.into_iter().collect::<Result<_, _>>()?;
        Ok((selector_groups_of(&samples.concat(), self.labels), Vec::new()))
    }

    /// The selector groups of a resource with a limit.
    async fn capacity_groups(&self, entry: &CapacityEntry) -> Result<Vec<SelectorGroup>, SourceError> {
        let labels = if entry.service_labels.is_empty() { self.labels } else { &entry.service_labels };
        let (run, pack, described, proxy) = (self.run, self.pack, Vec::new(), false);
        let context = EntryContext { run, pack, labels, described, proxy };
        Ok(context.selector_groups(entry.first(), "").await?.0)
    }

    fn describe(&self, samples: &[Sample]) -> Vec<Described> {
        let of = |sample: &Sample| {
            let (at, service) = first_label(&sample.labels, self.labels)?;
            let text = |name: &str| sample.labels.get(name).cloned().unwrap_or_default();
            let describes =
                |name: &str| self.described.contains(&name) && name != "instance" && name != "job";
            let labels = sample.labels.iter().filter(|(name, _)| describes(name));
            Some(Described {
                service: service.clone(),
                label: self.labels.get(at)?.as_str().into(),
                target: self.proxy.then(|| (text("job"), text("instance"))),
                labels: labels.map(|(name, value)| (name.clone(), value.clone())).collect(),
            })
        };
        if self.described.is_empty() { Vec::new() } else { samples.iter().filter_map(of).collect() }
    }

    /// Looks up an entry by the metric that names its services, and then its details.
    async fn look_up(&self, entry: PackEntry) -> (DiscoveredEntry, LookupResult) {
        let only_adds = self.pack.only_known && entry.labels().is_some();
        let mut found = DiscoveredEntry::new(entry, only_adds);
        let metric = found.entry.metrics().into_iter().next().unwrap_or_default();
        let matchers = match &found.entry {
            PackEntry::Requests(Requests { matchers, .. })
            | PackEntry::Latency(LatencySignal { matchers, .. }) => matchers.as_str(),
            PackEntry::Saturation(_) | PackEntry::Up(_) | PackEntry::Named(_) => "",
        };
        (found.selector_groups, found.described) = match self.selector_groups(&metric, matchers).await {
            Ok(groups_and_described) => groups_and_described,
            Err(error) => return (found, LookupResult::Failed(error)),
        };
        let details = match &found.entry {
            PackEntry::Requests(requests) => self.outcome_labels(requests).await,
            PackEntry::Latency(latency) => self.apdex_bounds(latency).await,
            PackEntry::Saturation(_) | PackEntry::Up(_) | PackEntry::Named(_) => Ok(EntryDetails::default()),
        };
        match details {
            Ok(details) => (DiscoveredEntry { details, ..found }, LookupResult::Found),
            Err(error) => (found, LookupResult::WithoutDetails(error)),
        }
    }

    async fn outcome_labels(&self, requests: &Requests) -> Result<EntryDetails, SourceError> {
        let Requests { metric, code, matchers, .. } = requests;
        if code.is_empty() || requests.failed.is_some() {
            return Ok(EntryDetails::default());
        }
        let query = format!("count by ({}) ({metric}{{{matchers}}})", code.join(","));
        let none = code.iter().map(|code| format!("{code}=\"\"")).collect::<Vec<_>>().join(",");
        let none = if matchers.is_empty() { none } else { format!("{matchers},{none}") };
        let (existing, without) =
            tokio::join!(self.run.call.instant(&query, None), self.selector_groups(metric, &none));
        let (existing, (without, _)) = (existing?, without?);
        let exists =
            |code: &&String| existing.iter().any(|sample: &Sample| sample.labels.get(code).is_some());
        Ok(EntryDetails {
            codes: code.iter().filter(exists).cloned().collect(),
            without_outcome_label: without.into_iter().flat_map(|group| group.services).collect(),
            apdex: None,
        })
    }

    async fn apdex_bounds(&self, latency: &LatencySignal) -> Result<EntryDetails, SourceError> {
        if latency.native {
            return Ok(EntryDetails::default());
        }
        let query = format!("count by (le) ({}{{{}}})", latency.metric(), latency.matchers);
        let samples = self.run.call.instant(&query, None).await?;
        let texts: Vec<&str> = samples.iter().map(|sample| sample.labels.value("le")).collect();
        let apdex = bounds(&texts, self.run.plan.services.apdex.0.as_secs_f64() / latency.unit.seconds());
        Ok(EntryDetails { apdex, ..EntryDetails::default() })
    }
}

impl MetricDiscovery {
    /// Looks up all entries of a pack and adds those that exist.
    pub(super) async fn add_pack(&mut self, run: DiscoveryRun<'_>, metrics: &KnownMetrics, pack: &Pack) {
        let context = EntryContext::of(run, pack);
        let entries = pack.entries().into_iter();
        let existing = entries.filter(|entry| entry.metrics().iter().all(|metric| metrics.may_have(metric)));
        let looked_up = join_all(existing.map(|entry| context.look_up(entry))).await;
        let size = self.entries.len();
        for found in self.with_previous(run, looked_up) {
            self.add(found);
        }
        let capacities = self.add_capacities(&context, metrics).await;
        if self.entries.len() > size || capacities > 0 {
            self.packs.push(pack.name.clone());
        }
    }

    /// Adds the resources of a pack that exist, and returns their number. An entry about the same metric as another one of the pack
    /// needs no query.
    async fn add_capacities(&mut self, context: &EntryContext<'_>, metrics: &KnownMetrics) -> usize {
        let is_there = |entry: &&CapacityEntry| entry.metrics.iter().all(|metric| metrics.may_have(metric));
        let existing: Vec<&CapacityEntry> = context.pack.capacity.iter().filter(is_there).collect();
        let known = &self.entries;
        let looked_up = join_all(existing.into_iter().map(async |entry| {
            let same = known.iter().find(|found| {
                let is_bare =
                    matches!(&found.entry, PackEntry::Saturation(_) | PackEntry::Up(_) | PackEntry::Named(_));
                is_bare
                    && entry.service_labels.is_empty()
                    && context.pack.entries().contains(&found.entry)
                    && found.entry.metrics().first().is_some_and(|metric| metric == entry.first())
            });
            let groups = match same {
                Some(found) => Ok(found.selector_groups.clone()),
                None => context.capacity_groups(entry).await,
            };
            (entry, groups)
        }));
        let looked_up = looked_up.await;
        let size = self.capacities.len();
        for (entry, groups) in looked_up {
            let before = context.run.before.into_iter().flat_map(|before| &before.capacities);
            let old = before.filter(|old| old.entry == *entry).map(|old| old.groups.clone()).next();
            let groups = match (groups, old) {
                (Ok(groups), _) => groups,
                (Err(error), old) => {
                    let words = format!("{} could not be discovered: {}", entry.resource, error.kind);
                    context.run.call.warn(Warning::notice(words));
                    old.unwrap_or_default()
                }
            };
            if !groups.is_empty() {
                let (entry, only_adds) = (entry.clone(), context.pack.only_known);
                self.capacities.push(DiscoveredCapacity { entry, only_adds, groups });
            }
        }
        self.capacities.len() - size
    }

    /// Combines new results with those of the previous discovery: a failed lookup is replaced by the previous result, or recorded
    /// as a gap.
    fn with_previous(
        &mut self,
        DiscoveryRun { call, before, .. }: DiscoveryRun<'_>,
        looked_up: Vec<(DiscoveredEntry, LookupResult)>,
    ) -> Vec<DiscoveredEntry> {
        let mut combined = Vec::new();
        for (mut found, result) in looked_up {
            let (error, has_groups) = match result {
                LookupResult::Found => {
                    combined.push(found);
                    continue;
                }
                LookupResult::WithoutDetails(error) => (error, true),
                LookupResult::Failed(error) => (error, false),
            };
            let (name, signals) = (found.entry.name(), found.entry.signals());
            let what = signals.first().map_or("", |signal| signal.word());
            call.warn(Warning::part(format!("{what} ({name}) could not be discovered: {}", error.kind)));
            let why: Text = error.kind.to_string().into();
            let old = before.and_then(|before| before.entries.iter().find(|old| old.entry == found.entry));
            match old {
                Some(old) if has_groups => {
                    found.details = old.details.clone();
                    combined.push(found);
                }
                Some(old) => combined.push(old.clone()),
                None if has_groups => {
                    let services: HashSet<Text> = found.services().cloned().collect();
                    let gap = |signal: &Signal| Gap { signal: *signal, why, services: Some(services) };
                    self.gaps.extend(signals.last().map(gap));
                    combined.push(found);
                }
                None => {
                    let gap = |signal: &Signal| Gap { signal: *signal, why: why.clone(), services: None };
                    // with a previous discovery, no server had this entry then
                    self.gaps.extend(signals.iter().filter(|_| before.is_none()).map(gap));
                }
            }
        }
        combined
    }

    /// Adds an entry, if it has a service that no earlier entry for the same signals has; several entries with parts are all
    /// used.
    pub(super) fn add(&mut self, found: DiscoveredEntry) {
        let alike = |earlier: &&DiscoveredEntry| {
            found.entry.labels().is_none() && earlier.entry.signals() == found.entry.signals()
        };
        let known: HashSet<&Text> =
            self.entries.iter().filter(alike).flat_map(DiscoveredEntry::services).collect();
        if !found.services().all(|service| known.contains(service)) {
            self.entries.push(found);
        }
    }

    /// Collects the proxies and descriptions of services that no target names.
    pub(super) fn collect_described(&mut self) {
        let mut proxy_targets: BTreeMap<Text, ProxyTarget> = BTreeMap::new();
        let described = self.entries.iter().flat_map(|found| &found.described);
        for one in described.filter(|one| !self.scraped.names(&one.service)) {
            proxy_targets.entry(one.service.clone()).or_default().add(one);
        }
        self.proxy_targets = proxy_targets;
    }
}

/// The selector groups of the series: each series belongs to the first label that it has.
pub(super) fn selector_groups_of(samples: &[Sample], labels: &[String]) -> Vec<SelectorGroup> {
    let mut by_label: BTreeMap<usize, HashSet<Text>> = BTreeMap::new();
    for sample in samples {
        if let Some((at, service)) = first_label(&sample.labels, labels) {
            by_label.entry(at).or_default().insert(service.clone());
        }
    }
    let exists = |label: &&String| samples.iter().any(|sample| sample.labels.get(label).is_some());
    by_label
        .into_iter()
        .filter_map(|(at, services)| {
            let label = labels.get(at)?.clone();
            let by = promql::label(&label).into_owned();
            let absent = labels.iter().take(at).filter(exists);
            let absent = absent.map(|earlier| format!("{}=\"\"", promql::label(earlier)));
            let selector = absent.chain([format!("{by}!=\"\"")]).collect::<Vec<_>>().join(",");
            Some(SelectorGroup { label, by, selector, services })
        })
        .collect()
}

/// The first of these labels that the series has: its index and its value.
pub(in crate::backend::prometheus) fn first_label<'a>(
    labels: &'a Labels,
    names: &[String],
) -> Option<(usize, &'a Text)> {
    names.iter().enumerate().find_map(|(at, name)| Some((at, labels.get(name)?)))
}

/// The bounds nearest to `satisfied` and to four times that; `None` if one of them differs by a factor of more than 1.5.
pub(super) fn bounds(texts: &[&str], satisfied: f64) -> Option<ApdexBounds> {
    let known: Vec<(f64, &str)> = texts.iter().filter_map(|text| Some((text.parse().ok()?, *text))).collect();
    let nearest = |wanted: f64| {
        let ratio = |bound: f64| (bound / wanted).ln().abs();
        let finite = known.iter().map(|(bound, _)| *bound).filter(|bound| bound.is_finite() && *bound > 0.0);
        finite.min_by(|a, b| ratio(*a).total_cmp(&ratio(*b))).filter(|bound| ratio(*bound) < 1.5_f64.ln())
    };
    let (satisfied, tolerated) = (nearest(satisfied)?, nearest(4.0 * satisfied)?);
    let wanted =
        |bound: f64| bound.to_bits() == satisfied.to_bits() || bound.to_bits() == tolerated.to_bits();
    let spelt = known.iter().filter(|(bound, _)| wanted(*bound) || *bound == f64::INFINITY);
    // in a PromQL string, a backslash is doubled
    let pattern =
        spelt.map(|(_, text)| regex::escape(text).replace('\\', "\\\\")).collect::<Vec<_>>().join("|");
    (satisfied < tolerated).then_some(ApdexBounds { satisfied, tolerated, pattern })
}
