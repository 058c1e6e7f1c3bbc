//! Metric discovery: which metrics of the packs a server has, which labels name the services in them, and the scrape
//! interval.
//!
//! The result is cached. The number of requests depends on the packs, not on the number of services.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use super::call::QuestionRequests;
use super::interval::ScrapeIntervals;
use super::wire::Sample;
use crate::backend::packs::{LatencySignal, OwnSignal, Pack, QueryFill, Requests, Saturation, Up};
use crate::config::settings::ServiceSettings;
use crate::model::labels::Text;
use crate::model::promql::{self, is_plain_name, quoted};
use crate::model::signal::Signal;
use crate::model::source::{ErrorKind, SourceError};
use crate::model::warning::Warning;

mod cached;
mod entries;
mod metrics;

use cached::CachedEntry;
pub(super) use cached::Gap;
use entries::selector_groups_of;
pub(super) use entries::{Described, ProxyTarget, first_label};
use metrics::existing_metrics;

/// The lookback of rates, in scrape intervals, and its bounds; `DEFAULT_LOOKBACK` is used if the scrape interval is not
/// known.
const SCRAPES: u32 = 4;
const SHORTEST: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(600);
const DEFAULT_LOOKBACK: Duration = Duration::from_secs(300);

/// This many targets of a server are enough to check whether another server scrapes the same ones.
const TARGET_SAMPLE: usize = 64;

/// The configuration that discovery needs.
#[derive(Clone)]
pub(super) struct DiscoveryPlan {
    pub(super) packs: Vec<Pack>,
    /// Labels that name a service.
    pub(super) labels: Vec<String>,
    /// Labels of targets that describe a service.
    pub(super) describe_by: Vec<String>,
    /// The configured lookback of rates; `None`: from the scrape interval.
    pub(super) lookback: Option<Duration>,
    /// The latency that satisfies users, for Apdex.
    pub(super) apdex: Duration,
}

impl DiscoveryPlan {
    pub(super) fn new(services: &ServiceSettings, packs: Vec<Pack>) -> Self {
        Self {
            packs,
            labels: services.labels.clone(),
            describe_by: services.describe_by.clone(),
            lookback: services.lookback.map(|span| span.0),
            apdex: services.apdex.0,
        }
    }
}

/// The series of one metric whose service is named by the same label.
#[derive(Debug, Clone)]
pub(super) struct SelectorGroup {
    /// The label that names the service.
    pub(super) label: String,
    /// The label in PromQL notation, quoted if needed.
    pub(super) by: String,
    /// Matchers that select exactly these series.
    pub(super) selector: String,
    /// The services that were found.
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
pub(super) struct DiscoveredEntry<T> {
    pub(super) entry: T,
    pub(super) selector_groups: Vec<SelectorGroup>,
    /// Descriptions of services, if the pack has its own labels for services.
    pub(super) described: Vec<Described>,
}

/// Each entry with each of its lanes.
pub(super) fn selector_groups<T>(all: &[DiscoveredEntry<T>]) -> impl Iterator<Item = (&T, &SelectorGroup)> {
    all.iter().flat_map(|found| {
        found.selector_groups.iter().map(move |selector_group| (&found.entry, selector_group))
    })
}

/// A request counter, and how its failures are recognised.
#[derive(Debug, Clone)]
pub(super) struct RequestCounter {
    pub(super) requests: Requests,
    /// Those of the entry's `code` labels that exist.
    pub(super) codes: Vec<String>,
    /// Services whose series have none of these labels, so that their failures are not known.
    pub(super) without_outcome_label: HashSet<Text>,
}

/// A latency histogram with its bounds for Apdex.
#[derive(Debug, Clone)]
pub(super) struct LatencyHistogram {
    pub(super) latency: LatencySignal,
    pub(super) apdex: Option<ApdexBounds>,
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
            let mut hasher = DefaultHasher::new();
            (sample.labels.value("job"), &**instance).hash(&mut hasher);
            let target = hasher.finish();
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

/// The result of metric discovery on one server.
#[derive(Debug, Default)]
pub(super) struct MetricDiscovery {
    pub(super) counters: Vec<DiscoveredEntry<RequestCounter>>,
    pub(super) histograms: Vec<DiscoveredEntry<LatencyHistogram>>,
    pub(super) saturations: Vec<DiscoveredEntry<Saturation>>,
    pub(super) ups: Vec<DiscoveredEntry<Up>>,
    /// Custom signals.
    pub(super) named: Vec<DiscoveredEntry<OwnSignal>>,
    /// Services that no target names, with the targets whose series name them.
    pub(super) proxy_targets: BTreeMap<Text, ProxyTarget>,
    /// Labels that name a service and occur in `up`.
    pub(super) up_labels: Vec<String>,
    pub(super) packs: Vec<String>,
    /// The server does not support quoted label names, so only plain names are used.
    pub(super) is_strict: bool,
    pub(super) services: BTreeSet<Text>,
    /// The services that are named by targets.
    pub(super) up_services: HashSet<Text>,
    pub(super) scraped: ScrapedTargets,
    pub(super) intervals: ScrapeIntervals,
    pub(super) lookback: Duration,
    /// Signals for which discovery failed.
    pub(super) gaps: Vec<Gap>,
}

impl MetricDiscovery {
    /// Whether no service was found.
    pub(super) fn is_empty(&self) -> bool {
        self.services.is_empty()
    }

    /// The usual scrape interval, if known.
    pub(super) fn scrape_interval(&self) -> Option<Duration> {
        self.intervals.usual()
    }

    /// Whether there are request counters, but the scrape interval is not known.
    pub(super) fn lacks_interval(&self) -> bool {
        !self.counters.is_empty() && self.intervals.is_empty()
    }

    /// Whether any signal was found, not only targets.
    pub(super) fn has_signals(&self) -> bool {
        self.entries().next().is_some()
    }

    /// Entries of all kinds: their lanes, what describes their services, and whether they make services of their own.
    fn entries(&self) -> impl Iterator<Item = (&[SelectorGroup], &[Described], bool)> {
        fn of<T: CachedEntry>(
            all: &[DiscoveredEntry<T>],
        ) -> impl Iterator<Item = (&[SelectorGroup], &[Described], bool)> {
            all.iter().map(|found| (&*found.selector_groups, &*found.described, !found.entry.only_adds()))
        }
        let requests = of(&self.counters).chain(of(&self.histograms));
        requests.chain(of(&self.saturations)).chain(of(&self.ups)).chain(of(&self.named))
    }

    /// The labels that name services, in order of their first use.
    pub(super) fn labels(&self) -> Vec<&str> {
        let selector_groups = self.entries().flat_map(|(selector_groups, ..)| selector_groups);
        let mut labels: Vec<&str> = Vec::new();
        for label in selector_groups.map(|selector_group| &selector_group.label).chain(&self.up_labels) {
            if !labels.contains(&label.as_str()) {
                labels.push(label);
            }
        }
        labels
    }

    /// Runs discovery. For parts that fail, the result of the discovery `before` is used.
    ///
    /// # Errors
    /// If the names of the metrics cannot be read; later failures only lead to warnings.
    pub(super) async fn make(
        call: &QuestionRequests<'_>,
        plan: &DiscoveryPlan,
        before: Option<&Self>,
    ) -> Result<Self, SourceError> {
        let plain = plain(call, plan).await;
        let is_strict = plain.is_some();
        let plan = plain.as_ref().unwrap_or(plan);
        let taken = &plan.labels;
        let (metrics, targets) = tokio::join!(existing_metrics(call, plan), self::targets(call, taken));
        let metrics = metrics?;
        let mut discovery = Self { is_strict, ..Self::default() };
        discovery.read_targets(call, targets, taken, before).await;
        for pack in &plan.packs {
            discovery.add_pack(call, plan, &metrics, pack, before).await;
        }
        discovery.collect_described();
        let makers = discovery.entries().filter(|(.., makes_services)| *makes_services);
        let services = makers
            .flat_map(|(selector_groups, ..)| selector_groups)
            .flat_map(|selector_group| &selector_group.services);
        let services: Vec<Text> = services.cloned().collect();
        discovery.services.extend(services);
        discovery.find_intervals(call, plan, taken, before).await;
        Ok(discovery)
    }

    /// Adds the services and scrape intervals of the targets.
    async fn read_targets(
        &mut self,
        call: &QuestionRequests<'_>,
        targets: Result<Vec<Sample>, SourceError>,
        labels: &[String],
        before: Option<&Self>,
    ) {
        match (targets, before) {
            (Ok(targets), _) => {
                let up = selector_groups_of(&targets, labels);
                self.scraped = ScrapedTargets::of(&targets, labels);
                self.up_labels = up.iter().map(|selector_group| selector_group.label.clone()).collect();
                self.up_services =
                    up.into_iter().flat_map(|selector_group| selector_group.services).collect();
                self.services.extend(self.up_services.iter().cloned());
                self.intervals = ScrapeIntervals::of_targets(call, &targets).await;
            }
            (Err(error), before) => {
                call.warn(Warning::part(format!("targets (up) could not be read: {}", error.kind)));
                self.intervals = ScrapeIntervals::of_targets(call, &[]).await;
                let Some(before) = before else {
                    let why = error.kind.to_string().into();
                    self.gaps.push(Gap { signal: Signal::Targets, why, services: None });
                    return;
                };
                self.scraped = before.scraped.clone();
                self.up_labels.clone_from(&before.up_labels);
                self.up_services.clone_from(&before.up_services);
                self.services.extend(self.up_services.iter().cloned());
            }
        }
    }

    /// Determines the scrape interval, and with it the lookback of rates.
    async fn find_intervals(
        &mut self,
        call: &QuestionRequests<'_>,
        plan: &DiscoveryPlan,
        labels: &[String],
        before: Option<&Self>,
    ) {
        if self.intervals.is_empty() {
            // no intervals from the targets: use the stored samples of one service
            let counter = selector_groups(&self.counters).next();
            if let Some((counter, selector_group)) = counter
                && let Some(service) = selector_group.services.iter().min()
            {
                let series = format!("{}{{{}}}", counter.requests.metric, selector_group.only(service));
                self.intervals = ScrapeIntervals::stored(call, &series).await;
            }
        }
        if let Some(before) = before.filter(|_| self.intervals.is_empty()) {
            self.intervals = before.intervals.clone();
        }
        let counters = selector_groups(&self.counters).map(|(_, selector_group)| selector_group);
        let rated: Vec<&SelectorGroup> = counters
            .chain(selector_groups(&self.histograms).map(|(_, selector_group)| selector_group))
            .collect();
        let slowest = self.intervals.slowest(|target| {
            let service = first_label(target, labels);
            service.is_some_and(|(_, service)| {
                rated.iter().any(|selector_group| selector_group.services.contains(service))
            })
        });
        self.lookback = plan.lookback.unwrap_or_else(|| usual_lookback(self.scrape_interval(), slowest));
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
    let odd = plan.labels.iter().chain(&plan.describe_by).find(|label| !is_plain(label))?;
    let query = format!("count by ({}) (vector(1))", promql::label(odd));
    let Err(SourceError { kind: ErrorKind::BadQuery { .. }, .. }) = call.instant(&query, None).await else {
        // any other failure will be reported by the next query
        return None;
    };
    call.warn(Warning::notice(format!(
        "this server does not support the label name `{odd}` in a query (Prometheus 3 does): the label is ignored"
    )));
    let labels = plan.labels.iter().filter(is_plain).cloned().collect();
    let describe_by = plan.describe_by.iter().filter(is_plain).cloned().collect();
    Some(DiscoveryPlan { labels, describe_by, ..plan.clone() })
}

/// One sample per target, up or down, with `job`, `instance` and these labels.
async fn targets(call: &QuestionRequests<'_>, labels: &[String]) -> Result<Vec<Sample>, SourceError> {
    let own = ["job", "instance"].into_iter().filter(|own| labels.iter().all(|label| label != own));
    let by: Vec<_> = labels.iter().map(String::as_str).chain(own).map(promql::label).collect();
    call.instant(&format!("count by ({}) ({{__name__=~\"up\"}})", by.join(",")), None).await
}

#[cfg(test)]
mod tests;
