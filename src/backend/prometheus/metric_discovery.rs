//! Metric discovery: which metrics of the packs a server has, which labels name the services in them, and the scrape
//! interval.
//!
//! The result is cached. The number of requests depends on the packs, not on the number of services.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::call::QuestionRequests;
use super::interval::ScrapeIntervals;
use super::wire::Sample;
use crate::backend::kit::cost::digest;
use crate::backend::packs::{
    CapacityEntry, ChangeEntry, LatencySignal, Pack, PackEntry, QueryFill, Requests, Saturation,
};
use crate::config::settings::ServiceSettings;
use crate::model::labels::Text;
use crate::model::promql::{self, is_plain_name, quoted};
use crate::model::signal::Signal;
use crate::model::source::{ErrorKind, SourceError};
use crate::model::warning::Warning;

mod entries;
mod metrics;

use entries::selector_groups_of;
pub(super) use entries::{AgreedLabels, Described, Gap, ProxyTarget, first_label};
use metrics::{KnownMetrics, existing_metrics};

/// The lookback of rates, in scrape intervals, and its bounds; `DEFAULT_LOOKBACK` is used if the scrape interval is not
/// known.
const SCRAPES: u32 = 4;
const SHORTEST: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(600);
const DEFAULT_LOOKBACK: Duration = Duration::from_secs(300);

/// This many targets of a server are enough to check whether another server scrapes the same ones.
const TARGET_SAMPLE: usize = 64;

#[derive(Clone)]
pub(super) struct DiscoveryPlan {
    pub(super) packs: Vec<Pack>,
    pub(super) services: ServiceSettings,
}

/// One run of discovery.
#[derive(Clone, Copy)]
struct DiscoveryRun<'a> {
    call: &'a QuestionRequests<'a>,
    plan: &'a DiscoveryPlan,
    /// The result of the previous run, which is used for parts that fail.
    before: Option<&'a MetricDiscovery>,
}

/// The series of one metric whose service is named by the same label.
#[derive(Debug, Clone)]
pub(super) struct SelectorGroup {
    pub(super) label: String,
    /// The label in PromQL notation, quoted if needed.
    pub(super) by: String,
    /// Matchers that select exactly these series.
    pub(super) selector: String,
    pub(super) services: HashSet<Text>,
}

impl SelectorGroup {
    /// The placeholder values for a query that groups by all services of the group.
    pub(super) fn fill(&self, lookback: Duration) -> QueryFill<'_> {
        QueryFill { by: &self.by, selector: &self.selector, lookback }
    }

    /// Matchers for one service of the group.
    pub(super) fn only(&self, service: &str) -> String {
        format!("{},{}={}", self.selector, self.by, quoted(service))
    }

    /// The samples that name a service, each with that service.
    pub(super) fn samples_by_service<'a>(
        &self,
        samples: &'a [Sample],
    ) -> impl Iterator<Item = (&'a Text, &'a Sample)> {
        samples.iter().filter_map(|sample| Some((sample.labels.get(&self.label)?, sample)))
    }
}

/// An entry of a pack whose metrics exist on the server.
#[derive(Debug, Clone)]
pub(super) struct DiscoveredEntry {
    pub(super) entry: PackEntry,
    /// Whether the entry only adds data to services that other entries find.
    pub(super) only_adds: bool,
    pub(super) selector_groups: Vec<SelectorGroup>,
    /// Descriptions of services, if the pack has its own labels for services.
    pub(super) described: Vec<Described>,
    pub(super) details: EntryDetails,
}

/// What the last signal of an entry needs besides the metrics.
#[derive(Debug, Clone, Default)]
pub(super) struct EntryDetails {
    /// Those of the `code` labels of a request counter that exist.
    pub(super) codes: Vec<String>,
    /// Services whose series have none of these labels, so that their failures are not known.
    pub(super) without_outcome_label: HashSet<Text>,
    /// The bounds of a latency histogram for Apdex.
    pub(super) apdex: Option<ApdexBounds>,
}

impl DiscoveredEntry {
    pub(super) fn new(entry: PackEntry, only_adds: bool) -> Self {
        let details = EntryDetails::default();
        Self { entry, only_adds, selector_groups: Vec::new(), described: Vec::new(), details }
    }

    fn services(&self) -> impl Iterator<Item = &Text> {
        self.selector_groups.iter().flat_map(|group| &group.services)
    }
}

/// A resource with a limit, or a deadline, whose metrics exist on the server.
#[derive(Debug, Clone)]
pub(super) struct DiscoveredCapacity {
    pub(super) entry: CapacityEntry,
    /// Whether only resources of services count that other entries find.
    pub(super) only_adds: bool,
    pub(super) groups: Vec<SelectorGroup>,
}

/// The bucket bounds nearest to the satisfying latency and to four times that latency, in every spelling that occurs (`1`,
/// `1.0`).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ApdexBounds {
    pub(super) satisfied: f64,
    pub(super) tolerated: f64,
    /// A regular expression that matches both bounds and `+Inf`.
    pub(super) pattern: String,
}

/// The scraped targets, as hashes of job and instance, so that two servers that scrape the same targets are recognised.
#[derive(Debug, Clone, Default)]
pub(super) struct ScrapedTargets {
    by_service: HashMap<Text, Arc<[u64]>>,
    /// A sample of all targets, for services that no target names.
    some: Arc<[u64]>,
}

impl ScrapedTargets {
    fn of(samples: &[Sample], labels: &[String]) -> Self {
        let mut by_service: HashMap<Text, BTreeSet<u64>> = HashMap::new();
        let mut all = BTreeSet::new();
        for sample in samples {
            let Some((_, service)) = first_label(&sample.labels, labels) else { continue };
            let Some(instance) = sample.labels.get("instance") else { continue };
            let target = digest(&(sample.labels.value("job"), &**instance));
            all.insert(target);
            by_service.entry(service.clone()).or_default().insert(target);
        }
        let by_service = by_service.into_iter().map(|(service, set)| (service, set.into_iter().collect()));
        Self { by_service: by_service.collect(), some: all.into_iter().take(TARGET_SAMPLE).collect() }
    }

    /// Whether a target names this service.
    pub(super) fn names(&self, service: &str) -> bool {
        self.by_service.contains_key(service)
    }

    /// The targets of a service; the sample of all targets if no target names it.
    pub(super) fn behind(&self, service: &str) -> Arc<[u64]> {
        Arc::clone(self.by_service.get(service).unwrap_or(&self.some))
    }
}

#[derive(Debug, Default)]
pub(super) struct MetricDiscovery {
    /// In the order of [`PackEntry`].
    pub(super) entries: Vec<DiscoveredEntry>,
    pub(super) capacities: Vec<DiscoveredCapacity>,
    /// Services that no target names, with the targets whose series name them.
    pub(super) proxy_targets: BTreeMap<Text, ProxyTarget>,
    /// Labels that name a service and occur in `up`.
    pub(super) up_labels: Vec<String>,
    pub(super) packs: Vec<String>,
    /// Labels of targets that describe a service, if the server supports their names.
    pub(super) describe_by: Vec<String>,
    pub(super) services: BTreeSet<Text>,
    /// The services that are named by targets.
    pub(super) up_services: HashSet<Text>,
    pub(super) scraped: ScrapedTargets,
    pub(super) intervals: ScrapeIntervals,
    pub(super) lookback: Duration,
    pub(super) gaps: Vec<Gap>,
    /// The metrics in which changes can be seen.
    pub(super) changes: Vec<DiscoveredChange>,
}

/// An entry of a pack about changes whose metrics exist on the server.
#[derive(Debug, Clone)]
pub(super) struct DiscoveredChange {
    pub(super) entry: ChangeEntry,
    /// The names of its metric.
    pub(super) names: Vec<Text>,
    /// Whether the metric with the reasons exists.
    pub(super) has_reason: bool,
}

impl MetricDiscovery {
    pub(super) fn is_empty(&self) -> bool {
        self.services.is_empty()
    }

    pub(super) fn scrape_interval(&self) -> Option<Duration> {
        self.intervals.usual()
    }

    /// Whether there are request counters, but the scrape interval is not known.
    pub(super) fn lacks_interval(&self) -> bool {
        self.counters().next().is_some() && self.intervals.is_empty()
    }

    /// Whether any signal was found, not only targets.
    pub(super) fn has_signals(&self) -> bool {
        !self.entries.is_empty()
    }

    /// Each entry with each of its selector groups.
    pub(super) fn groups(&self) -> impl Iterator<Item = (&DiscoveredEntry, &SelectorGroup)> {
        self.entries.iter().flat_map(|found| found.selector_groups.iter().map(move |group| (found, group)))
    }

    /// The request counters among [`Self::groups`].
    pub(super) fn counters(&self) -> impl Iterator<Item = ((&Requests, &EntryDetails), &SelectorGroup)> {
        self.groups().filter_map(|(found, group)| {
            let PackEntry::Requests(requests) = &found.entry else { return None };
            Some(((requests, &found.details), group))
        })
    }

    /// The latency histograms among [`Self::groups`].
    pub(super) fn histograms(&self) -> impl Iterator<Item = (&LatencySignal, &SelectorGroup)> {
        self.groups().filter_map(|(found, group)| {
            let PackEntry::Latency(latency) = &found.entry else { return None };
            Some((latency, group))
        })
    }

    /// The saturations among [`Self::groups`].
    pub(super) fn saturations(&self) -> impl Iterator<Item = (&Saturation, &SelectorGroup)> {
        self.groups().filter_map(|(found, group)| {
            let PackEntry::Saturation(saturation) = &found.entry else { return None };
            Some((saturation, group))
        })
    }

    /// The labels that name services, in order of their first use.
    pub(super) fn labels(&self) -> Vec<&str> {
        let mut labels: Vec<&str> = Vec::new();
        for label in self.groups().map(|(_, group)| &group.label).chain(&self.up_labels) {
            if !labels.contains(&label.as_str()) {
                labels.push(label);
            }
        }
        labels
    }

    /// Runs discovery, after the discovery `before`.
    ///
    /// # Errors
    /// If the names of the metrics cannot be read; later failures only lead to warnings.
    pub(super) async fn make(
        call: &QuestionRequests<'_>,
        plan: &DiscoveryPlan,
        before: Option<&Self>,
    ) -> Result<Self, SourceError> {
        let plain = plain(call, plan).await;
        let plan = plain.as_ref().unwrap_or(plan);
        let run = DiscoveryRun { call, plan, before };
        let (metrics, targets) = tokio::join!(existing_metrics(call, plan), self::targets(run));
        let metrics = metrics?;
        let mut discovery = Self { describe_by: plan.services.describe_by.clone(), ..Self::default() };
        discovery.read_targets(run, targets).await;
        for pack in &plan.packs {
            discovery.add_pack(run, &metrics, pack).await;
        }
        discovery.entries.sort_by_key(|found| found.entry.signals().first());
        discovery.collect_described();
        discovery.changes = changes(plan, &metrics);
        let makers = discovery.entries.iter().filter(|found| !found.only_adds);
        discovery.services.extend(makers.flat_map(DiscoveredEntry::services).cloned());
        discovery.find_intervals(run).await;
        Ok(discovery)
    }

    /// Adds the services and scrape intervals of the targets.
    async fn read_targets(&mut self, run: DiscoveryRun<'_>, targets: Result<Vec<Sample>, SourceError>) {
        let DiscoveryRun { call, plan, before } = run;
        let labels = &plan.services.labels;
        match targets {
            Ok(targets) => {
                let up = selector_groups_of(&targets, labels);
                self.scraped = ScrapedTargets::of(&targets, labels);
                self.up_labels = up.iter().map(|group| group.label.clone()).collect();
                self.up_services = up.into_iter().flat_map(|group| group.services).collect();
                self.intervals = ScrapeIntervals::of_targets(call, &targets).await;
            }
            Err(error) => {
                call.warn(Warning::part(format!("targets (up) could not be read: {}", error.kind)));
                self.intervals = ScrapeIntervals::of_targets(call, &[]).await;
                if let Some(before) = before {
                    self.scraped = before.scraped.clone();
                    self.up_labels.clone_from(&before.up_labels);
                    self.up_services.clone_from(&before.up_services);
                } else {
                    let why = error.kind.to_string().into();
                    self.gaps.push(Gap { signal: Signal::Targets, why, services: None });
                }
            }
        }
        self.services.extend(self.up_services.iter().cloned());
    }

    /// Determines the scrape interval, and with it the lookback of rates.
    async fn find_intervals(&mut self, run: DiscoveryRun<'_>) {
        let DiscoveryRun { call, plan, before } = run;
        if self.intervals.is_empty() {
            // no intervals from the targets: use the stored samples of one service
            let counter = self.counters().next();
            if let Some(((requests, _), group)) = counter
                && let Some(service) = group.services.iter().min()
            {
                let series = format!("{}{{{}}}", requests.metric, group.only(service));
                self.intervals = ScrapeIntervals::stored(call, &series).await;
            }
        }
        if let Some(before) = before.filter(|_| self.intervals.is_empty()) {
            self.intervals = before.intervals.clone();
        }
        let counted = self.counters().map(|(_, group)| group);
        let rated: Vec<_> = counted.chain(self.histograms().map(|(_, group)| group)).collect();
        let slowest = self.intervals.slowest(|target| {
            first_label(target, &plan.services.labels)
                .is_some_and(|(_, service)| rated.iter().any(|group| group.services.contains(service)))
        });
        let configured = plan.services.lookback.map(|lookback| lookback.0);
        self.lookback = configured.unwrap_or_else(|| usual_lookback(self.scrape_interval(), slowest));
    }
}

/// The default lookback: four scrape intervals, from one to ten minutes, and long enough (2.5 intervals) for the slowest
/// targets.
pub(super) fn usual_lookback(usual: Option<Duration>, slowest: Option<Duration>) -> Duration {
    let lookback =
        usual.map_or(DEFAULT_LOOKBACK, |usual| usual.saturating_mul(SCRAPES).clamp(SHORTEST, LONGEST));
    let least = slowest.map_or(Duration::ZERO, |slowest| slowest.saturating_mul(5) / 2);
    lookback.max(least.min(LONGEST))
}

/// The plan without label names that need quotes, if there are such names and the server does not support them; quoted names
/// are new in Prometheus 3. `None` if the plan can stay as it is.
async fn plain(call: &QuestionRequests<'_>, plan: &DiscoveryPlan) -> Option<DiscoveryPlan> {
    let is_plain = |label: &&String| is_plain_name(label);
    let ServiceSettings { labels, describe_by, .. } = &plan.services;
    let unexpected = labels.iter().chain(describe_by).find(|label| !is_plain(label))?;
    let query = format!("count by ({}) (vector(1))", promql::label(unexpected));
    let Err(SourceError { kind: ErrorKind::BadQuery { .. }, .. }) = call.instant(&query, None).await else {
        // any other failure will be reported by the next query
        return None;
    };
    call.warn(Warning::notice(format!(
        "this server does not support the label name `{unexpected}` in a query (Prometheus 3 does): the label is ignored"
    )));
    let [labels, describe_by] =
        [labels, describe_by].map(|names| names.iter().filter(is_plain).cloned().collect());
    let services = ServiceSettings { labels, describe_by, ..plan.services.clone() };
    Some(DiscoveryPlan { services, packs: plan.packs.clone() })
}

/// The entries about changes whose metrics exist.
fn changes(plan: &DiscoveryPlan, metrics: &KnownMetrics) -> Vec<DiscoveredChange> {
    let entries = plan.packs.iter().flat_map(|pack| &pack.change);
    let entries = entries.filter(|entry| entry.metrics.iter().all(|metric| metrics.may_have(metric)));
    let found = entries.map(|entry| DiscoveredChange {
        entry: entry.clone(),
        names: metrics.names_of(entry.first()),
        has_reason: entry.reason.as_ref().is_some_and(|reason| metrics.may_have(reason)),
    });
    found.filter(|found| !found.names.is_empty()).collect()
}

/// One sample per target, up or down, with `job`, `instance` and the labels that name services.
async fn targets(run: DiscoveryRun<'_>) -> Result<Vec<Sample>, SourceError> {
    let labels = &run.plan.services.labels;
    let own = ["job", "instance"].into_iter().filter(|own| labels.iter().all(|label| label != own));
    let by: Vec<_> = labels.iter().map(String::as_str).chain(own).map(promql::label).collect();
    run.call.instant(&format!("count by ({}) ({{__name__=~\"up\"}})", by.join(",")), None).await
}

#[cfg(test)]
mod tests;
