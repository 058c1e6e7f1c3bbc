//! The survey: which packs' metrics a server has, which labels name the service in each, and how often it scrapes.
//!
//! It is made once and kept for a while; how many requests it takes depends on the packs, never on the services.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use super::call::Call;
use super::interval::Intervals;
use super::wire::Sample;
use crate::backend::packs::{Fill, Latency, Pack, Requests, Saturation, is_name};
use crate::config::settings::ServiceSettings;
use crate::model::labels::{Labels, Text};
use crate::model::promql::quoted;
use crate::model::signal::Signal;
use crate::model::source::SourceError;
use crate::model::warning::Warning;
use futures_util::future::join_all;

mod kept;
mod metrics;

pub(super) use kept::Gap;
use kept::Looked;
use metrics::{existing, is_too_much};

/// Rates are taken over this many scrapes, within these bounds; and over this where nobody tells how often it scrapes.
const SCRAPES: u32 = 4;
const SHORTEST: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(600);
const UNTOLD: Duration = Duration::from_secs(300);

/// Of a server's targets this many tell well enough whether another one scrapes the same.
const SOME: usize = 64;

/// What the survey needs of the configuration.
pub(super) struct Plan {
    pub(super) packs: Vec<Pack>,
    /// Labels that name a service, those that PromQL can take.
    pub(super) labels: Vec<String>,
    pub(super) describe_by: Vec<String>,
    pub(super) lookback: Option<Duration>,
    pub(super) apdex: Duration,
}

impl Plan {
    pub(super) fn new(services: &ServiceSettings, packs: Vec<Pack>) -> Self {
        let names = |list: &[String]| list.iter().filter(|name| is_name(name)).cloned().collect::<Vec<_>>();
        Self {
            packs,
            labels: names(&services.labels),
            describe_by: names(&services.describe_by),
            lookback: services.lookback.map(|span| span.0),
            apdex: services.apdex.0,
        }
    }
}

/// Series of one metric that name their service in the same label.
#[derive(Debug, Clone)]
pub(super) struct Lane {
    /// The label.
    pub(super) label: String,
    /// Matchers that choose exactly these series.
    pub(super) selector: String,
    /// The services that were there.
    pub(super) services: HashSet<Text>,
}

impl Lane {
    /// For a query that groups all services of the lane.
    pub(super) fn fill(&self, lookback: Duration) -> Fill<'_> {
        Fill { by: &self.label, selector: &self.selector, lookback }
    }

    /// Matchers for one service of the lane.
    pub(super) fn only(&self, service: &str) -> String {
        format!("{},{}={}", self.selector, self.label, quoted(service))
    }
}

/// An entry of a pack whose metrics exist.
#[derive(Debug, Clone)]
pub(super) struct Found<T> {
    pub(super) entry: T,
    pub(super) lanes: Vec<Lane>,
}

/// A counter of requests, and what tells its failures.
#[derive(Debug, Clone)]
pub(super) struct Counter {
    pub(super) requests: Requests,
    /// Those of its labels for the outcome that exist.
    pub(super) codes: Vec<String>,
    /// Services whose series have none of them: nobody knows their failures.
    pub(super) blind: HashSet<Text>,
}

/// A histogram, and its bounds for Apdex.
#[derive(Debug, Clone)]
pub(super) struct Histogram {
    pub(super) latency: Latency,
    pub(super) apdex: Option<Bounds>,
}

/// The bounds nearest to what satisfies and to four times that, in every spelling that occurs (`1`, `1.0`).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bounds {
    pub(super) satisfied: f64,
    pub(super) tolerated: f64,
    /// A regular expression of both and `+Inf`.
    pub(super) pattern: String,
}

/// Which targets are scraped, recognised by job and instance as another server would name them.
#[derive(Debug, Clone, Default)]
pub(super) struct Scraped {
    by_service: HashMap<Text, Arc<[u64]>>,
    /// A few of all, for services whose targets do not name them.
    some: Arc<[u64]>,
}

impl Scraped {
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
        Self { by_service: by_service.collect(), some: all.into_iter().take(SOME).collect() }
    }

    /// The targets behind what is known of a service.
    pub(super) fn behind(&self, service: &str) -> Arc<[u64]> {
        Arc::clone(self.by_service.get(service).unwrap_or(&self.some))
    }
}

/// What a server has.
#[derive(Debug, Default)]
pub(super) struct Survey {
    pub(super) counters: Vec<Found<Counter>>,
    pub(super) histograms: Vec<Found<Histogram>>,
    pub(super) saturations: Vec<Found<Saturation>>,
    /// Labels that name a service and that `up` has.
    pub(super) up_labels: Vec<String>,
    pub(super) packs: Vec<String>,
    pub(super) services: BTreeSet<Text>,
    /// Those of them that targets name.
    pub(super) up_services: HashSet<Text>,
    pub(super) scraped: Scraped,
    pub(super) intervals: Intervals,
    pub(super) lookback: Duration,
    /// What could not be looked for.
    pub(super) gaps: Vec<Gap>,
}

impl Survey {
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
        self.size() > 0
    }

    /// The labels that name services, in order of the first use.
    pub(super) fn labels(&self) -> Vec<&str> {
        let lanes = self.counters.iter().flat_map(|found| &found.lanes);
        let lanes = lanes.chain(self.histograms.iter().flat_map(|found| &found.lanes));
        let lanes = lanes.chain(self.saturations.iter().flat_map(|found| &found.lanes));
        let mut labels: Vec<&str> = Vec::new();
        for label in lanes.map(|lane| &lane.label).chain(&self.up_labels) {
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
        call: &Call<'_>,
        plan: &Plan,
        before: Option<&Self>,
    ) -> Result<Self, SourceError> {
        let taken = &plan.labels;
        let (metrics, targets) = tokio::join!(existing(call, plan), self::targets(call, taken));
        let metrics = metrics?;
        let mut survey = Self::default();
        survey.take_targets(call, targets, taken, before).await;
        for pack in &plan.packs {
            let labels = if pack.service_labels.is_empty() { taken } else { &pack.service_labels };
            let counters = pack.requests.iter().filter(|r| metrics.may_have(&r.metric));
            let counters = counters.map(async |r| (Counter::blank(r), counter(call, r, labels).await));
            let histograms = pack.latency.iter().filter(|latency| metrics.may_have(&latency.metric()));
            let histograms = histograms.map(async |latency| {
                let blank = Histogram { latency: latency.clone(), apdex: None };
                (blank, histogram(call, latency, labels, plan.apdex).await)
            });
            let saturations =
                pack.saturation.iter().filter(|s| s.metrics.iter().all(|m| metrics.may_have(m)));
            let saturations = saturations.map(async |s| (s.clone(), fullness(call, s, labels).await));
            let (counters, histograms, saturations) =
                tokio::join!(join_all(counters), join_all(histograms), join_all(saturations));
            let size = survey.size();
            let counters = survey.kept(call, counters, before.map(|before| before.counters.as_slice()));
            add_new(&mut survey.counters, counters);
            let histograms = survey.kept(call, histograms, before.map(|before| before.histograms.as_slice()));
            add_new(&mut survey.histograms, histograms);
            // several resources of one service are all wanted
            let full = survey.kept(call, saturations, before.map(|before| before.saturations.as_slice()));
            survey.saturations.extend(full.into_iter().filter(|found| !found.lanes.is_empty()));
            if survey.size() > size {
                survey.packs.push(pack.name.clone());
            }
        }
        let lanes = survey.counters.iter().flat_map(|found| &found.lanes);
        let lanes = lanes.chain(survey.histograms.iter().flat_map(|found| &found.lanes));
        let own = survey.saturations.iter().filter(|found| !found.entry.only_known);
        let lanes = lanes.chain(own.flat_map(|found| &found.lanes));
        let named: Vec<Text> = lanes.flat_map(|lane| lane.services.iter().cloned()).collect();
        survey.services.extend(named);
        survey.find_pace(call, plan, taken, before).await;
        Ok(survey)
    }

    /// Takes what the targets say.
    async fn take_targets(
        &mut self,
        call: &Call<'_>,
        targets: Result<Vec<Sample>, SourceError>,
        labels: &[String],
        before: Option<&Self>,
    ) {
        match (targets, before) {
            (Ok(targets), _) => {
                let up = lanes_of(&targets, labels);
                self.scraped = Scraped::of(&targets, labels);
                self.up_labels = up.iter().map(|lane| lane.label.clone()).collect();
                self.up_services = up.into_iter().flat_map(|lane| lane.services).collect();
                self.services.extend(self.up_services.iter().cloned());
                self.intervals = Intervals::of_targets(call, &targets).await;
            }
            (Err(error), before) => {
                call.warn(Warning::part(format!("targets (up) cannot be looked for: {}", error.trouble)));
                self.intervals = Intervals::of_targets(call, &[]).await;
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
    async fn find_pace(&mut self, call: &Call<'_>, plan: &Plan, labels: &[String], before: Option<&Self>) {
        if self.intervals.is_empty() {
            // no target tells: the samples of one service do
            let counter =
                self.counters.iter().find_map(|found| Some((&found.entry.requests, found.lanes.first()?)));
            if let Some((requests, lane)) = counter
                && let Some(service) = lane.services.iter().min()
            {
                let series = format!("{}{{{}}}", requests.metric, lane.only(service));
                self.intervals = Intervals::stored(call, &series).await;
            }
        }
        if let Some(before) = before.filter(|_| self.intervals.is_empty()) {
            self.intervals = before.intervals.clone();
        }
        let lanes = self.counters.iter().flat_map(|found| &found.lanes);
        let lanes: Vec<&Lane> = lanes.chain(self.histograms.iter().flat_map(|found| &found.lanes)).collect();
        let slowest = self.intervals.slowest(|target| {
            let service = first_label(target, labels);
            service.is_some_and(|(_, service)| lanes.iter().any(|lane| lane.services.contains(service)))
        });
        self.lookback = plan.lookback.unwrap_or_else(|| usual_lookback(self.scrape_interval(), slowest));
    }

    fn size(&self) -> usize {
        self.counters.len() + self.histograms.len() + self.saturations.len()
    }
}

/// Adds those entries that speak of a service that no earlier one speaks of.
fn add_new<T>(all: &mut Vec<Found<T>>, more: Vec<Found<T>>) {
    for found in more {
        let is_covered = |service: &Text| {
            all.iter().flat_map(|earlier| &earlier.lanes).any(|lane| lane.services.contains(service))
        };
        if !found.lanes.iter().flat_map(|lane| &lane.services).all(is_covered) {
            all.push(found);
        }
    }
}

/// Four scrapes, at least a minute, at most ten; and so long that what is scraped most slowly has a rate, too.
pub(super) fn usual_lookback(usual: Option<Duration>, slowest: Option<Duration>) -> Duration {
    let lookback = usual.map_or(UNTOLD, |usual| usual.saturating_mul(SCRAPES).clamp(SHORTEST, LONGEST));
    let least = slowest.map_or(Duration::ZERO, |slowest| slowest.saturating_mul(5) / 2);
    lookback.max(least.min(LONGEST))
}

/// All targets: whether they answer does not matter here.
async fn targets(call: &Call<'_>, labels: &[String]) -> Result<Vec<Sample>, SourceError> {
    let own = ["job", "instance"].into_iter().filter(|own| labels.iter().all(|label| label != own));
    let by: Vec<&str> = labels.iter().map(String::as_str).chain(own).collect();
    call.instant(&format!("count by ({}) ({{__name__=~\"up\"}})", by.join(",")), None).await
}

/// The lanes of a metric: each series goes by the first of the labels that it has.
async fn lanes(
    call: &Call<'_>,
    metric: &str,
    matchers: &str,
    labels: &[String],
) -> Result<Vec<Lane>, SourceError> {
    let selector =
        format!("{{__name__=~{}{}{matchers}}}", quoted(metric), if matchers.is_empty() { "" } else { "," });
    let by = labels;
    let query = format!("count by ({}) ({selector})", by.join(","));
    match call.instant(&query, None).await {
        Ok(samples) => return Ok(lanes_of(&samples, labels)),
        Err(error) if labels.len() < 2 || !is_too_much(&error) => return Err(error),
        Err(_) => {}
    }
    // the series of one label after the other
    let open = selector.trim_end_matches('}');
    let parts = by.iter().enumerate().map(|(at, label)| {
        let absent = by.iter().take(at).map(|earlier| format!(",{earlier}=\"\""));
        format!("count by ({label}) ({open}{},{label}!=\"\"}})", absent.collect::<String>())
    });
    let parts: Vec<String> = parts.collect();
    let told = join_all(parts.iter().map(|part| call.instant(part, None))).await;
    let samples: Vec<Vec<Sample>> = told.into_iter().collect::<Result<_, _>>()?;
    Ok(lanes_of(&samples.concat(), labels))
}

fn lanes_of(samples: &[Sample], labels: &[String]) -> Vec<Lane> {
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
            let absent = labels.iter().take(at).filter(exists).map(|earlier| format!("{earlier}=\"\""));
            let selector = absent.chain([format!("{label}!=\"\"")]).collect::<Vec<_>>().join(",");
            Some(Lane { label, selector, services })
        })
        .collect()
}

/// Which of the labels comes first, and its value.
pub(super) fn first_label<'a>(labels: &'a Labels, names: &[String]) -> Option<(usize, &'a Text)> {
    names.iter().enumerate().find_map(|(at, name)| Some((at, labels.get(name)?)))
}

impl Counter {
    fn blank(requests: &Requests) -> Self {
        Self { requests: requests.clone(), codes: Vec::new(), blind: HashSet::new() }
    }
}

async fn counter(call: &Call<'_>, requests: &Requests, labels: &[String]) -> Looked<Counter> {
    let lanes = lanes(call, &requests.metric, &requests.matchers, labels).await?;
    let mut counter = Counter::blank(requests);
    if !requests.code.is_empty() && !requests.tells_failures_itself() {
        let codes = requests.code.join(",");
        let query = format!("count by ({codes}) ({}{{{}}})", requests.metric, requests.matchers);
        let none = requests.code.iter().map(|code| format!("{code}=\"\"")).collect::<Vec<_>>().join(",");
        let blind = if requests.matchers.is_empty() { none } else { format!("{},{none}", requests.matchers) };
        let (codes_there, blind) =
            tokio::join!(call.instant(&query, None), self::lanes(call, &requests.metric, &blind, labels));
        let (codes_there, blind) = match (codes_there, blind) {
            (Ok(codes), Ok(blind)) => (codes, blind),
            (Err(error), _) | (_, Err(error)) => return Ok((Found { entry: counter, lanes }, Some(error))),
        };
        counter.codes = requests
            .code
            .iter()
            .filter(|code| codes_there.iter().any(|sample| sample.labels.get(code).is_some()))
            .cloned()
            .collect();
        counter.blind = blind.into_iter().flat_map(|lane| lane.services).collect();
    }
    Ok((Found { entry: counter, lanes }, None))
}

async fn histogram(
    call: &Call<'_>,
    latency: &Latency,
    labels: &[String],
    apdex: Duration,
) -> Looked<Histogram> {
    let metric = latency.metric();
    let lanes = lanes(call, &metric, &latency.matchers, labels);
    let bounds = async {
        if latency.native {
            return Ok(None);
        }
        let samples =
            call.instant(&format!("count by (le) ({metric}{{{}}})", latency.matchers), None).await?;
        let texts: Vec<&str> = samples.iter().map(|sample| sample.labels.value("le")).collect();
        Ok(bounds(&texts, apdex.as_secs_f64() / latency.unit.seconds()))
    };
    let (lanes, apdex) = tokio::join!(lanes, bounds);
    let (apdex, trouble) = match apdex {
        Ok(apdex) => (apdex, None),
        Err(error) => (None, Some(error)),
    };
    Ok((Found { entry: Histogram { latency: latency.clone(), apdex }, lanes: lanes? }, trouble))
}

async fn fullness(call: &Call<'_>, saturation: &Saturation, labels: &[String]) -> Looked<Saturation> {
    let metric = saturation.metrics.first().map_or("", |metric| metric);
    let lanes = lanes(call, metric, "", labels).await?;
    Ok((Found { entry: saturation.clone(), lanes }, None))
}

/// The bounds nearest to `satisfied` and to four times that; `None` if one is further off than by half.
pub(super) fn bounds(texts: &[&str], satisfied: f64) -> Option<Bounds> {
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
    // a backslash stands in a PromQL string, where it is doubled
    let pattern =
        spelt.map(|(_, text)| regex::escape(text).replace('\\', "\\\\")).collect::<Vec<_>>().join("|");
    (satisfied < tolerated).then_some(Bounds { satisfied, tolerated, pattern })
}

#[cfg(test)]
mod tests;
