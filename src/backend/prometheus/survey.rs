//! The survey: which packs' metrics a server has, which labels name the service in each, and how often it scrapes.
//!
//! It is made once and kept for a while; how many requests it takes depends on the packs, never on the services.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde::Deserialize;

use super::call::Call;
use super::wire::{Piece, Sample};
use crate::backend::packs::{Fill, Latency, Pack, Requests, Saturation, is_name};
use crate::config::settings::ServiceSettings;
use crate::model::duration;
use crate::model::labels::{Labels, Text};
use crate::model::promql::quoted;
use crate::model::source::SourceError;
use crate::model::warning::Warning;

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
#[derive(Debug, Default)]
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
    pub(super) scraped: Scraped,
    pub(super) scrape_interval: Option<Duration>,
    pub(super) lookback: Duration,
}

impl Survey {
    /// Whether there is anything to ask for.
    pub(super) fn is_empty(&self) -> bool {
        self.services.is_empty()
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

    /// Makes the survey.
    ///
    /// # Errors
    /// If not even the names of metrics can be had; what is missing after that is left out.
    pub(super) async fn make(call: &Call<'_>, plan: &Plan) -> Result<Self, SourceError> {
        let (metrics, targets, scrape_interval) =
            tokio::join!(existing(call, plan), self::targets(call, &plan.labels), interval(call));
        let (metrics, targets) = (metrics?, targets?);
        let up = lanes_of(&targets, &plan.labels);
        let mut survey = Self {
            scraped: Scraped::of(&targets, &plan.labels),
            up_labels: up.iter().map(|lane| lane.label.clone()).collect(),
            services: up.into_iter().flat_map(|lane| lane.services).collect(),
            scrape_interval,
            lookback: plan.lookback.unwrap_or_else(|| usual_lookback(scrape_interval)),
            ..Self::default()
        };
        let has = |name: &str| metrics.contains(name);
        for pack in &plan.packs {
            let labels = if pack.service_labels.is_empty() { &plan.labels } else { &pack.service_labels };
            let counters = pack.requests.iter().filter(|r| has(&r.metric)).map(|r| counter(call, r, labels));
            let histograms = pack
                .latency
                .iter()
                .filter(|latency| has(&latency.metric()))
                .map(|latency| histogram(call, latency, labels, plan.apdex));
            let saturations = pack
                .saturation
                .iter()
                .filter_map(|saturation| present(saturation, &metrics))
                .map(|saturation| fullness(call, saturation, labels));
            let (counters, histograms, saturations) =
                tokio::join!(join_all(counters), join_all(histograms), join_all(saturations));
            let before = survey.size();
            add_new(&mut survey.counters, call.kept(counters));
            add_new(&mut survey.histograms, call.kept(histograms));
            // several resources of one service are all wanted
            let full = call.kept(saturations).into_iter().filter(|found| !found.lanes.is_empty());
            survey.saturations.extend(full);
            if survey.size() > before {
                survey.packs.push(pack.name.clone());
            }
        }
        let lanes = survey.counters.iter().flat_map(|found| &found.lanes);
        let lanes = lanes.chain(survey.histograms.iter().flat_map(|found| &found.lanes));
        let own = survey.saturations.iter().filter(|found| !found.entry.only_known);
        let lanes = lanes.chain(own.flat_map(|found| &found.lanes));
        let named: Vec<Text> = lanes.flat_map(|lane| lane.services.iter().cloned()).collect();
        survey.services.extend(named);
        Ok(survey)
    }

    fn size(&self) -> usize {
        self.counters.len() + self.histograms.len() + self.saturations.len()
    }
}

impl Call<'_> {
    /// What could be surveyed; for the rest a warning.
    fn kept<T>(&self, results: Vec<Result<T, SourceError>>) -> Vec<T> {
        let keep = |result: Result<T, SourceError>| match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.warn(Warning::missing(format!("a pack cannot be used: {}", error.trouble)));
                None
            }
        };
        results.into_iter().filter_map(keep).collect()
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

/// Four scrapes, at least a minute, at most ten.
pub(super) fn usual_lookback(scrape_interval: Option<Duration>) -> Duration {
    scrape_interval.map_or(UNTOLD, |interval| interval.saturating_mul(SCRAPES).clamp(SHORTEST, LONGEST))
}

/// Which of the packs' metrics there are.
async fn existing(call: &Call<'_>, plan: &Plan) -> Result<HashSet<Text>, SourceError> {
    let names: BTreeSet<String> = plan
        .packs
        .iter()
        .flat_map(|pack| {
            let requests = pack.requests.iter().map(|requests| requests.metric.clone());
            let latency = pack.latency.iter().map(Latency::metric);
            requests.chain(latency).chain(pack.saturation.iter().flat_map(|s| s.metrics.clone()))
        })
        .collect();
    let pattern = names.into_iter().collect::<Vec<_>>().join("|");
    let query = format!("count by (__name__) ({{__name__=~{}}})", quoted(&pattern));
    let samples = call.instant(&query, None).await?;
    Ok(samples.iter().filter_map(|sample| sample.labels.get("__name__").cloned()).collect())
}

/// The entry if all its metrics exist; of a pattern, with the pattern.
fn present<'a>(saturation: &'a Saturation, metrics: &HashSet<Text>) -> Option<&'a Saturation> {
    let exists = |metric: &String| {
        if is_name(metric) {
            return metrics.contains(metric.as_str());
        }
        let pattern = regex::Regex::new(&format!("^(?:{metric})$"));
        pattern.is_ok_and(|pattern| metrics.iter().any(|name| pattern.is_match(name)))
    };
    saturation.metrics.iter().all(exists).then_some(saturation)
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
    let query = format!("count by ({}) ({selector})", labels.join(","));
    Ok(lanes_of(&call.instant(&query, None).await?, labels))
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

async fn counter(
    call: &Call<'_>,
    requests: &Requests,
    labels: &[String],
) -> Result<Found<Counter>, SourceError> {
    let lanes = lanes(call, &requests.metric, &requests.matchers, labels).await?;
    let mut counter = Counter { requests: requests.clone(), codes: Vec::new(), blind: HashSet::new() };
    if !requests.code.is_empty() && !requests.tells_failures_itself() {
        let codes = requests.code.join(",");
        let query = format!("count by ({codes}) ({}{{{}}})", requests.metric, requests.matchers);
        let none = requests.code.iter().map(|code| format!("{code}=\"\"")).collect::<Vec<_>>().join(",");
        let blind = if requests.matchers.is_empty() { none } else { format!("{},{none}", requests.matchers) };
        let (codes_there, blind) =
            tokio::join!(call.instant(&query, None), self::lanes(call, &requests.metric, &blind, labels));
        let codes_there = codes_there?;
        counter.codes = requests
            .code
            .iter()
            .filter(|code| codes_there.iter().any(|sample| sample.labels.get(code).is_some()))
            .cloned()
            .collect();
        counter.blind = blind?.into_iter().flat_map(|lane| lane.services).collect();
    }
    Ok(Found { entry: counter, lanes })
}

async fn histogram(
    call: &Call<'_>,
    latency: &Latency,
    labels: &[String],
    apdex: Duration,
) -> Result<Found<Histogram>, SourceError> {
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
    Ok(Found { entry: Histogram { latency: latency.clone(), apdex: apdex? }, lanes: lanes? })
}

async fn fullness(
    call: &Call<'_>,
    saturation: &Saturation,
    labels: &[String],
) -> Result<Found<Saturation>, SourceError> {
    let metric = saturation.metrics.first().map_or("", |metric| metric);
    let lanes = lanes(call, metric, "", labels).await?;
    Ok(Found { entry: saturation.clone(), lanes })
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

/// How often most targets are scraped, by the list of targets, or else by how often `up` was written.
async fn interval(call: &Call<'_>) -> Option<Duration> {
    if let Some(told) = told_interval(call).await {
        return Some(told);
    }
    let samples = call.instant("quantile(0.5, 300 / count_over_time(up[5m]))", None).await.ok()?;
    Duration::try_from_secs_f64(samples.first()?.value.round()).ok().filter(|interval| !interval.is_zero())
}

async fn told_interval(call: &Call<'_>) -> Option<Duration> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Targets<'a> {
        #[serde(borrow)]
        active_targets: Vec<Target<'a>>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Target<'a> {
        #[serde(borrow, default)]
        scrape_interval: Piece<'a>,
    }
    let body = call.get("api/v1/targets", &[("state", "active")]).await.ok()?;
    let targets: Targets<'_> = call.open(&body).ok()?;
    let told = targets.active_targets.iter().filter_map(|t| duration::parse(&t.scrape_interval.0).ok());
    let mut told: Vec<Duration> = told.collect();
    told.sort();
    told.get(told.len() / 2).copied()
}

#[cfg(test)]
mod tests;
