//! The survey: which packs' metrics a server has, which labels name the service in each, and how often it scrapes.
//!
//! It is made once and kept for a while; how many requests it takes depends on the packs, never on the services.

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

/// Rates are taken over this many scrapes, within these bounds; and over this where nobody tells how often it scrapes.
const SCRAPES: u32 = 4;
const SHORTEST: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(600);
const DEFAULT_LOOKBACK: Duration = Duration::from_secs(300);

/// Of a server's targets this many tell well enough whether another one scrapes the same.
const TARGET_SAMPLE: usize = 64;

/// What the survey needs of the configuration.
#[derive(Clone)]
pub(super) struct DiscoveryPlan {
    pub(super) packs: Vec<Pack>,
    /// Labels that name a service.
    pub(super) labels: Vec<String>,
    pub(super) describe_by: Vec<String>,
    pub(super) lookback: Option<Duration>,
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

/// Series of one metric that name their service in the same label.
#[derive(Debug, Clone)]
pub(super) struct SelectorGroup {
    pub(super) label: String,
    /// The same as it stands in a query.
    pub(super) by: String,
    /// Matchers that choose exactly these series.
    pub(super) selector: String,
    /// The services that were there.
    pub(super) services: HashSet<Text>,
}

impl SelectorGroup {
    /// For a query that groups all services of the lane.
    pub(super) fn fill(&self, lookback: Duration) -> QueryFill<'_> {
        QueryFill { by: &self.by, selector: &self.selector, lookback }
    }

    /// Matchers for one service of the lane.
    pub(super) fn only(&self, service: &str) -> String {
        format!("{},{}={}", self.selector, self.by, quoted(service))
    }

    /// The samples that name a service, each with that service.
    pub(super) fn told<'a>(&self, samples: &'a [Sample]) -> impl Iterator<Item = (&'a Text, &'a Sample)> {
        samples.iter().filter_map(|sample| Some((sample.labels.get(&self.label)?, sample)))
    }
}

/// An entry of a pack whose metrics exist.
#[derive(Debug, Clone)]
pub(super) struct DiscoveredEntry<T> {
    pub(super) entry: T,
    pub(super) selector_groups: Vec<SelectorGroup>,
    /// What its series say of their services, where a pack has labels of its own for these.
    pub(super) described: Vec<Described>,
}

/// Each entry with each of its lanes.
pub(super) fn selector_groups<T>(all: &[DiscoveredEntry<T>]) -> impl Iterator<Item = (&T, &SelectorGroup)> {
    all.iter().flat_map(|found| {
        found.selector_groups.iter().map(move |selector_group| (&found.entry, selector_group))
    })
}

/// A counter of requests, and what tells its failures.
#[derive(Debug, Clone)]
pub(super) struct RequestCounter {
    pub(super) requests: Requests,
    /// Those of its labels for the outcome that exist.
    pub(super) codes: Vec<String>,
    /// Services whose series have none of them: nobody knows their failures.
    pub(super) without_outcome_label: HashSet<Text>,
}

/// A histogram, and its bounds for Apdex.
#[derive(Debug, Clone)]
pub(super) struct LatencyHistogram {
    pub(super) latency: LatencySignal,
    pub(super) apdex: Option<ApdexBounds>,
}

/// The bounds nearest to what satisfies and to four times that, in every spelling that occurs (`1`, `1.0`).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ApdexBounds {
    pub(super) satisfied: f64,
    pub(super) tolerated: f64,
    /// A regular expression of both and `+Inf`.
    pub(super) pattern: String,
}

/// Which targets are scraped, recognised by job and instance as another server would name them.
#[derive(Debug, Clone, Default)]
pub(super) struct ScrapedTargets {
    by_service: HashMap<Text, Arc<[u64]>>,
    /// A few of all, for services whose targets do not name them.
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

    /// The targets behind what is known of a service.
    pub(super) fn behind(&self, service: &str) -> Arc<[u64]> {
        Arc::clone(self.by_service.get(service).unwrap_or(&self.some))
    }
}

#[derive(Debug, Default)]
pub(super) struct MetricDiscovery {
    pub(super) counters: Vec<DiscoveredEntry<RequestCounter>>,
    pub(super) histograms: Vec<DiscoveredEntry<LatencyHistogram>>,
    pub(super) saturations: Vec<DiscoveredEntry<Saturation>>,
    pub(super) ups: Vec<DiscoveredEntry<Up>>,
    /// Signals with words of their own.
    pub(super) named: Vec<DiscoveredEntry<OwnSignal>>,
    /// Services that no target names, with the targets that speak of them.
    pub(super) proxy_targets: BTreeMap<Text, ProxyTarget>,
    /// Labels that name a service and that `up` has.
    pub(super) up_labels: Vec<String>,
    pub(super) packs: Vec<String>,
    /// The server takes only plain names of labels in a query.
    pub(super) is_strict: bool,
    pub(super) services: BTreeSet<Text>,
    /// Those of them that targets name.
    pub(super) up_services: HashSet<Text>,
    pub(super) scraped: ScrapedTargets,
    pub(super) intervals: ScrapeIntervals,
    pub(super) lookback: Duration,
    /// What could not be looked for.
    pub(super) gaps: Vec<Gap>,
}

impl MetricDiscovery {
    /// Whether there is anything to ask for.
    pub(super) fn is_empty(&self) -> bool {
        self.services.is_empty()
    }

    /// How often most targets are scraped, as far as it is known.
    pub(super) fn scrape_interval(&self) -> Option<Duration> {
        self.intervals.usual()
    }

    /// Whether rates are taken without knowing how often samples come.
    pub(super) fn lacks_interval(&self) -> bool {
        !self.counters.is_empty() && self.intervals.is_empty()
    }

    /// Whether there is more than targets.
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

    /// The labels that name services, in order of the first use.
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

    /// Makes the survey. What cannot be looked for is taken over from the one `before`.
    ///
    /// # Errors
    /// If not even the names of metrics can be had; what is missing after that is told.
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

    /// Takes what the targets say.
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
                call.warn(Warning::part(format!("targets (up) cannot be looked for: {}", error.trouble)));
                self.intervals = ScrapeIntervals::of_targets(call, &[]).await;
                let Some(before) = before else {
                    let why = error.trouble.to_string().into();
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

    /// How often samples come, and over how long rates are therefore taken.
    async fn find_intervals(
        &mut self,
        call: &QuestionRequests<'_>,
        plan: &DiscoveryPlan,
        labels: &[String],
        before: Option<&Self>,
    ) {
        if self.intervals.is_empty() {
            // no target tells: the samples of one service do
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

/// Four scrapes, at least a minute, at most ten; and so long that what is scraped most slowly has a rate, too.
pub(super) fn usual_lookback(usual: Option<Duration>, slowest: Option<Duration>) -> Duration {
    let lookback =
        usual.map_or(DEFAULT_LOOKBACK, |usual| usual.saturating_mul(SCRAPES).clamp(SHORTEST, LONGEST));
    let least = slowest.map_or(Duration::ZERO, |slowest| slowest.saturating_mul(5) / 2);
    lookback.max(least.min(LONGEST))
}

/// The plan with plain names of labels alone, if others are in it and the server does not take them in a query: quoted ones are
/// new in Prometheus 3.
async fn plain(call: &QuestionRequests<'_>, plan: &DiscoveryPlan) -> Option<DiscoveryPlan> {
    let is_plain = |label: &&String| is_plain_name(label);
    let odd = plan.labels.iter().chain(&plan.describe_by).find(|label| !is_plain(label))?;
    let query = format!("count by ({}) (vector(1))", promql::label(odd));
    let Err(SourceError { trouble: ErrorKind::BadQuery { .. }, .. }) = call.instant(&query, None).await
    else {
        // whatever else is wrong, the next query will say so
        return None;
    };
    call.warn(Warning::notice(format!(
        "this server takes no label called `{odd}` in a query (Prometheus 3 does): it is left out here"
    )));
    let labels = plan.labels.iter().filter(is_plain).cloned().collect();
    let describe_by = plan.describe_by.iter().filter(is_plain).cloned().collect();
    Some(DiscoveryPlan { labels, describe_by, ..plan.clone() })
}

/// All targets: whether they answer does not matter here.
async fn targets(call: &QuestionRequests<'_>, labels: &[String]) -> Result<Vec<Sample>, SourceError> {
    let own = ["job", "instance"].into_iter().filter(|own| labels.iter().all(|label| label != own));
    let by: Vec<_> = labels.iter().map(String::as_str).chain(own).map(promql::label).collect();
    call.instant(&format!("count by ({}) ({{__name__=~\"up\"}})", by.join(",")), None).await
}

#[cfg(test)]
mod tests;
