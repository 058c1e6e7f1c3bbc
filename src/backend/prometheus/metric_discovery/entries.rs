//! Looks up the entries of packs on a server: which ones exist, and which labels and targets name their services.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

use futures_util::future::join_all;

use super::cached::LookupResult;
use super::metrics::{KnownMetrics, is_too_much};
use super::{
    ApdexBounds, DiscoveredEntry, DiscoveryPlan, LatencyHistogram, MetricDiscovery, RequestCounter,
    SelectorGroup,
};
use crate::backend::packs::{LatencySignal, Pack, Requests};
use crate::backend::prometheus::call::QuestionRequests;
use crate::backend::prometheus::wire::Sample;
use crate::model::labels::{Labels, Text};
use crate::model::promql::{self, quoted};
use crate::model::source::SourceError;

/// The targets whose series name a service that no target names (targets of a proxy), and the service's descriptive labels.
#[derive(Debug, Clone, Default)]
pub(in crate::backend::prometheus) struct ProxyTarget {
    /// The label that names the service.
    pub(in crate::backend::prometheus) label: Text,
    /// Job and instance of each target of the proxy; empty if there is no proxy.
    pub(in crate::backend::prometheus) targets: BTreeSet<(Text, Text)>,
    /// The descriptive labels; `None` for a label whose values differ between series.
    labels: BTreeMap<Text, Option<Text>>,
}

impl ProxyTarget {
    /// Adds the description of one series.
    fn add(&mut self, reported: &Described) {
        self.label = reported.label.clone();
        self.targets.extend(reported.target.clone());
        for (name, value) in reported.labels.iter() {
            let agreed = self.labels.entry(name.clone()).or_insert_with(|| Some(value.clone()));
            if agreed.as_ref() != Some(value) {
                *agreed = None;
            }
        }
    }

    /// The labels whose values are the same in all series.
    pub(in crate::backend::prometheus) fn labels(&self) -> Labels {
        let agreed = self.labels.iter().filter_map(|(name, value)| Some((name.clone(), value.clone()?)));
        Labels::new(agreed.collect())
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

/// The context for looking up the entries of one pack.
struct EntryContext<'a> {
    call: &'a QuestionRequests<'a>,
    /// Labels that name the service.
    labels: &'a [String],
    /// Labels that describe the service, if no target does.
    described: Vec<&'a str>,
    /// Whether the pack's targets are those of a proxy.
    proxy: bool,
}

impl<'a> EntryContext<'a> {
    fn of(call: &'a QuestionRequests<'a>, plan: &'a DiscoveryPlan, pack: &'a Pack) -> Self {
        let labels = if pack.service_labels.is_empty() { &plan.labels } else { &pack.service_labels };
        let is_own = !pack.service_labels.is_empty() && !pack.only_known();
        let proxy = pack.proxy && is_own;
        let described = plan.describe_by.iter().filter(|label| is_own && !labels.contains(label));
        let target =
            ["job", "instance"].into_iter().filter(|label| proxy && labels.iter().all(|l| l != label));
        EntryContext { call, labels, described: described.map(String::as_str).chain(target).collect(), proxy }
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
        match self.call.instant(&format!("count by ({}) ({selector})", by.join(",")), None).await {
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
        let reported = join_all(parts.iter().map(|part| self.call.instant(part, None))).await;
        let samples: Vec<Vec<Sample>> = reported.into_iter().collect::<Result<_, _>>()?;
        Ok((selector_groups_of(&samples.concat(), self.labels), Vec::new()))
    }

    /// The descriptions of services in these series.
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

    /// Looks up an entry by the metric that names its services.
    async fn entry<T: Clone>(&self, entry: &T, metric: Option<&String>) -> (T, LookupResult<T>) {
        let looked = self.selector_groups(metric.map_or("", |metric| metric), "").await;
        let found = looked.map(|(selector_groups, described)| {
            (DiscoveredEntry { entry: entry.clone(), selector_groups, described }, None)
        });
        (entry.clone(), found)
    }

    /// Looks up a request counter, and the labels that mark failures.
    async fn counter(&self, requests: &Requests) -> LookupResult<RequestCounter> {
        let call = self.call;
        let (selector_groups, described) = self.selector_groups(&requests.metric, &requests.matchers).await?;
        let mut counter = RequestCounter::blank(requests);
        if !requests.code.is_empty() && !requests.has_failure_expression() {
            let codes = requests.code.join(",");
            let query = format!("count by ({codes}) ({}{{{}}})", requests.metric, requests.matchers);
            let none = requests.code.iter().map(|code| format!("{code}=\"\"")).collect::<Vec<_>>().join(",");
            let without_outcome_label =
                if requests.matchers.is_empty() { none } else { format!("{},{none}", requests.matchers) };
            let (codes_there, without_outcome_label) = tokio::join!(
                call.instant(&query, None),
                self.selector_groups(&requests.metric, &without_outcome_label)
            );
            let (codes_there, without_outcome_label) = match (codes_there, without_outcome_label) {
                (Ok(codes), Ok((without_outcome_label, _))) => (codes, without_outcome_label),
                (Err(error), _) | (_, Err(error)) => {
                    return Ok((DiscoveredEntry { entry: counter, selector_groups, described }, Some(error)));
                }
            };
            counter.codes = requests
                .code
                .iter()
                .filter(|code| codes_there.iter().any(|sample| sample.labels.get(code).is_some()))
                .cloned()
                .collect();
            counter.without_outcome_label = without_outcome_label
                .into_iter()
                .flat_map(|selector_group| selector_group.services)
                .collect();
        }
        Ok((DiscoveredEntry { entry: counter, selector_groups, described }, None))
    }

    /// Looks up a histogram, and its bounds for Apdex.
    async fn histogram(&self, latency: &LatencySignal, apdex: Duration) -> LookupResult<LatencyHistogram> {
        let call = self.call;
        let metric = latency.metric();
        let selector_groups = self.selector_groups(&metric, &latency.matchers);
        let bounds = async {
            if latency.native {
                return Ok(None);
            }
            let samples =
                call.instant(&format!("count by (le) ({metric}{{{}}})", latency.matchers), None).await?;
            let texts: Vec<&str> = samples.iter().map(|sample| sample.labels.value("le")).collect();
            Ok(bounds(&texts, apdex.as_secs_f64() / latency.unit.seconds()))
        };
        let (selector_groups, apdex) = tokio::join!(selector_groups, bounds);
        let (apdex, failure) = match apdex {
            Ok(apdex) => (apdex, None),
            Err(error) => (None, Some(error)),
        };
        let (selector_groups, described) = selector_groups?;
        Ok((
            DiscoveredEntry {
                entry: LatencyHistogram { latency: latency.clone(), apdex },
                selector_groups,
                described,
            },
            failure,
        ))
    }
}

impl RequestCounter {
    /// The counter before its outcome labels are looked up.
    fn blank(requests: &Requests) -> Self {
        Self { requests: requests.clone(), codes: Vec::new(), without_outcome_label: HashSet::new() }
    }
}

impl MetricDiscovery {
    /// Looks up all entries of a pack and adds those that exist.
    pub(super) async fn add_pack(
        &mut self,
        call: &QuestionRequests<'_>,
        plan: &DiscoveryPlan,
        metrics: &KnownMetrics,
        pack: &Pack,
        before: Option<&Self>,
    ) {
        let ground = EntryContext::of(call, plan, pack);
        let has = |metric: &String| metrics.may_have(metric);
        let counters = pack.requests.iter().filter(|r| r.metrics().all(has));
        let counters = counters.map(async |r| (RequestCounter::blank(r), ground.counter(r).await));
        let histograms = pack.latency.iter().filter(|latency| metrics.may_have(&latency.metric()));
        let histograms = histograms.map(async |latency| {
            let blank = LatencyHistogram { latency: latency.clone(), apdex: None };
            (blank, ground.histogram(latency, plan.apdex).await)
        });
        let saturations = pack.saturation.iter().filter(|s| s.metrics.iter().all(has));
        let saturations = saturations.map(|s| ground.entry(s, s.metrics.first()));
        let ups = pack.up.iter().filter(|up| up.metrics().all(has));
        let ups = ups.map(|up| ground.entry(up, Some(&up.metric)));
        let named = pack.signal.iter().filter(|signal| signal.metrics.iter().all(has));
        let named = named.map(|signal| ground.entry(signal, signal.metrics.first()));
        let (counters, histograms, saturations, ups, named) = tokio::join!(
            join_all(counters),
            join_all(histograms),
            join_all(saturations),
            join_all(ups),
            join_all(named)
        );
        let size = self.entries().count();
        let counters = self.kept(call, counters, before.map(|before| before.counters.as_slice()));
        add_new(&mut self.counters, counters);
        let histograms = self.kept(call, histograms, before.map(|before| before.histograms.as_slice()));
        add_new(&mut self.histograms, histograms);
        // several entries of one service are all used
        let full = self.kept(call, saturations, before.map(|before| before.saturations.as_slice()));
        self.saturations.extend(full.into_iter().filter(|found| !found.selector_groups.is_empty()));
        let ups = self.kept(call, ups, before.map(|before| before.ups.as_slice()));
        self.ups.extend(ups.into_iter().filter(|found| !found.selector_groups.is_empty()));
        let named = self.kept(call, named, before.map(|before| before.named.as_slice()));
        self.named.extend(named.into_iter().filter(|found| !found.selector_groups.is_empty()));
        if self.entries().count() > size {
            self.packs.push(pack.name.clone());
        }
    }

    /// Collects the proxies and descriptions of services that no target names.
    pub(super) fn collect_described(&mut self) {
        let mut proxy_targets: BTreeMap<Text, ProxyTarget> = BTreeMap::new();
        let described = self.entries().flat_map(|(_, described, _)| described);
        for one in described.filter(|one| !self.scraped.names(&one.service)) {
            proxy_targets.entry(one.service.clone()).or_default().add(one);
        }
        self.proxy_targets = proxy_targets;
    }
}

/// Adds the entries with at least one service that no earlier entry has.
pub(super) fn add_new<T>(all: &mut Vec<DiscoveredEntry<T>>, more: Vec<DiscoveredEntry<T>>) {
    for found in more {
        let is_covered = |service: &Text| {
            all.iter()
                .flat_map(|earlier| &earlier.selector_groups)
                .any(|selector_group| selector_group.services.contains(service))
        };
        if !found.selector_groups.iter().flat_map(|selector_group| &selector_group.services).all(is_covered) {
            all.push(found);
        }
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
