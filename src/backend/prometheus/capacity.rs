//! Resources with a limit and deadlines, with the history of their usage and the forecast.
//!
//! An entry of a pack costs seven queries for all its resources: usage and limit now, the usage over each lookback, and the limit
//! over the longest one. The words on services need fewer: one instant query per entry, which returns only what may soon be full,
//! and the histories of the services of those.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;

use super::call::QuestionRequests;
use super::metric_discovery::{DiscoveredCapacity, MetricDiscovery, SelectorGroup};
use super::services::hosts::{host_names, instance, part};
use super::wire::Sample;
use crate::backend::packs::{CapacityQueries, QueryFill};
use crate::model::capacity::{
    CapacityKey, CapacityReading, CapacitySnapshot, CapacityUse, LOOKBACKS, Outlook, UsageLine, forecast,
    lookback_grid,
};
use crate::model::health::Thresholds;
use crate::model::labels::{Labels, Text};
use crate::model::promql::quoted;
use crate::model::series::Matrix;
use crate::model::source::SourceError;
use crate::model::warning::Warning;

/// If more services than this have a resource that may soon be full, the histories of all services are read.
const MOST_NAMED: usize = 100;
/// The candidates are chosen within so many times the time within which services are warned: their forecast may come earlier.
const AHEAD: u32 = 2;

/// So many forecasts are made at a time.
const AT_A_TIME: usize = 64;

/// Which resources are read.
#[derive(Clone, Copy)]
enum Reach<'a> {
    All,
    /// Those of these services.
    Of(&'a HashSet<Text>),
}

impl Reach<'_> {
    /// The matchers that select the series of a group.
    fn selector(self, group: &SelectorGroup) -> String {
        match self {
            Self::Of(services) if services.len() <= MOST_NAMED => {
                let names: BTreeSet<String> = services.iter().map(|name| regex::escape(name)).collect();
                let names = names.into_iter().collect::<Vec<_>>().join("|");
                format!("{},{}=~{}", group.selector, group.by, quoted(&names))
            }
            Self::All | Self::Of(_) => group.selector.clone(),
        }
    }
}

/// An entry with one of its groups.
#[derive(Clone, Copy)]
struct CapacityGroup<'a> {
    found: &'a DiscoveredCapacity,
    group: &'a SelectorGroup,
    lookback: Duration,
}

impl CapacityGroup<'_> {
    fn queries(&self, reach: Reach<'_>) -> Option<CapacityQueries> {
        let selector = reach.selector(self.group);
        self.found.entry.queries(QueryFill {
            by: &self.group.by,
            selector: &selector,
            lookback: self.lookback,
        })
    }

    fn name(&self) -> &str {
        &self.found.entry.resource
    }
}

fn groups(discovery: &MetricDiscovery) -> Vec<CapacityGroup<'_>> {
    let all = discovery.capacities.iter();
    let lookback = discovery.lookback;
    all.flat_map(|found| found.groups.iter().map(move |group| CapacityGroup { found, group, lookback }))
        .collect()
}

/// All resources.
///
/// # Errors
/// The first error, if no query succeeds.
pub(super) async fn snapshot(
    call: &QuestionRequests<'_>,
    discovery: &MetricDiscovery,
) -> Result<CapacitySnapshot, SourceError> {
    let groups = groups(discovery);
    let read = groups.iter().map(|group| readings(call, discovery, *group, Reach::All));
    whole(call, &groups, join_all(read).await)
}

/// The resources that may be full or over within the time in which services are warned, without their history.
///
/// # Errors
/// The first error, if no query succeeds.
pub(super) async fn soon(
    call: &QuestionRequests<'_>,
    discovery: &MetricDiscovery,
    thresholds: &Thresholds,
) -> Result<CapacitySnapshot, SourceError> {
    // a service of which nothing is said is not incomplete: what is missing is only remarked
    let (reply, call) = (call, &call.separate());
    let mut groups = groups(discovery);
    groups.retain(|group| group.found.entry.warn);
    let (full, ends) = (thresholds.full_within.0.saturating_mul(AHEAD), thresholds.expires_within.0);
    let read = groups.iter().map(async |group| {
        let candidates = group.queries(Reach::All).and_then(|queries| queries.candidates(full, ends));
        let Some(candidates) = candidates else { return Ok(Vec::new()) };
        let samples = call.instant(&candidates, None).await?;
        let services: HashSet<Text> =
            group.group.samples_by_service(&samples).map(|(service, _)| service.clone()).collect();
        if services.is_empty() {
            return Ok(Vec::new());
        }
        Box::pin(readings(call, discovery, *group, Reach::Of(&services))).await
    });
    let mut snapshot = whole(call, &groups, join_all(read).await)?;
    call.warnings().into_iter().for_each(|warning| reply.warn(Warning::notice(warning.text)));
    let now = call.server.now();
    snapshot.readings.retain(|reading| {
        reading.warned_end(thresholds.full_within.0, thresholds.expires_within.0, now).is_some()
    });
    for reading in &mut snapshot.readings {
        let reading = Arc::make_mut(reading);
        (reading.history, reading.limits) = (Vec::new(), None);
    }
    Ok(snapshot)
}

/// All readings that could be read, the most urgent first; a failed entry is a warning.
fn whole(
    call: &QuestionRequests<'_>,
    groups: &[CapacityGroup<'_>],
    read: Vec<Result<Vec<CapacityReading>, SourceError>>,
) -> Result<CapacitySnapshot, SourceError> {
    let mut readings = Vec::new();
    let (mut failure, mut any) = (None, read.is_empty());
    for (group, read) in groups.iter().zip(read) {
        match read {
            Ok(read) => {
                any = true;
                readings.extend(read);
            }
            Err(error) => {
                call.warn(Warning::part(format!("{}: {}", group.name(), error.kind)));
                failure.get_or_insert(error);
            }
        }
    }
    if let Some(error) = failure.filter(|_| !any) {
        return Err(error);
    }
    readings.sort_by(CapacityReading::by_urgency);
    // two packs may have the same resource, such as a disk that two exporters report
    let mut seen = HashSet::new();
    readings.retain(|reading| seen.insert(reading.key.clone()));
    Ok(CapacitySnapshot { readings: readings.into_iter().map(Arc::new).collect() })
}

async fn readings(
    call: &QuestionRequests<'_>,
    discovery: &MetricDiscovery,
    group: CapacityGroup<'_>,
    reach: Reach<'_>,
) -> Result<Vec<CapacityReading>, SourceError> {
    let now = call.server.now();
    let context = |samples: &[Sample]| ReadingContext::of(call, discovery, group, samples, now);
    match group.queries(reach) {
        None => Ok(Vec::new()),
        Some(CapacityQueries::Deadline(ends)) => {
            let samples = call.instant(&ends, None).await?;
            Ok(context(&samples).deadlines(&samples, &ends))
        }
        Some(CapacityQueries::Usage { used, limit }) => {
            let long = LOOKBACKS.first().map(|lookback| lookback_grid(*lookback, now));
            let (now_used, now_limit, limits, histories) = tokio::join!(
                call.instant(&used, None),
                async { Some(call.instant(limit.as_ref()?, None).await) },
                async { Some(call.range(limit.as_ref()?, long?).await) },
                join_all(LOOKBACKS.map(|lookback| call.range(&used, lookback_grid(lookback, now)))),
            );
            let samples = now_used?;
            let numbers = UsageNumbers {
                limits_now: now_limit.transpose()?.unwrap_or_default(),
                // without its past, the limit of now counts
                limits: limits.and_then(Result::ok),
                histories: histories.into_iter().collect(),
            };
            if let Err(error) = &numbers.histories {
                call.warn(Warning::part(format!("history of {}: {}", group.name(), error.kind)));
            }
            Ok(context(&samples).usages(&samples, &numbers, &used).await)
        }
    }
}

/// What is read beside the present usage.
struct UsageNumbers {
    limits_now: Vec<Sample>,
    limits: Option<Matrix>,
    histories: Result<Vec<Matrix>, SourceError>,
}

/// What the readings of one entry have in common.
struct ReadingContext<'a> {
    call: &'a QuestionRequests<'a>,
    discovery: &'a MetricDiscovery,
    group: CapacityGroup<'a>,
    /// The display names of the hosts of each service.
    hosts: BTreeMap<Text, HashMap<Text, Text>>,
    now: Timestamp,
}

impl<'a> ReadingContext<'a> {
    fn of(
        call: &'a QuestionRequests<'a>,
        discovery: &'a MetricDiscovery,
        group: CapacityGroup<'a>,
        samples: &[Sample],
        now: Timestamp,
    ) -> Self {
        let mut instances: BTreeMap<Text, BTreeSet<Text>> = BTreeMap::new();
        for (service, sample) in group.group.samples_by_service(samples) {
            let its = instances.entry(service.clone()).or_default();
            its.insert(instance(sample, &group.found.entry.labels));
        }
        let names = |its: &BTreeSet<Text>| host_names(&its.iter().collect(), &[]);
        let hosts = instances.iter().map(|(service, its)| (service.clone(), names(its))).collect();
        Self { call, discovery, group, hosts, now }
    }

    /// The readings without their numbers, each with its sample. Services that other entries must know are left out if none does.
    fn bare<'s>(
        &'s self,
        samples: &'s [Sample],
        query: &'s str,
    ) -> impl Iterator<Item = (CapacityReading, &'s Sample)> {
        let DiscoveredCapacity { entry, only_adds, .. } = self.group.found;
        let is_known = move |service: &Text| !only_adds || self.discovery.services.contains(service);
        let named = self.group.group.samples_by_service(samples);
        named.filter(move |(service, _)| is_known(service)).map(move |(service, sample)| {
            let instance = instance(sample, &entry.labels);
            let host =
                self.hosts.get(service).and_then(|names| names.get(&instance)).unwrap_or(&instance).clone();
            let reading = CapacityReading {
                key: CapacityKey {
                    source: self.call.server.id.clone(),
                    service: service.clone(),
                    resource: entry.resource.as_str().into(),
                    instance,
                    part: part(sample, &entry.labels, &[]),
                },
                host,
                unit: entry.unit(),
                amount: CapacityUse::Amount { used: sample.value, limit: None },
                is_warned: entry.warn,
                history: Vec::new(),
                limits: None,
                trend: None,
                outlook: Outlook::Unknown,
                query: query.into(),
                at: self.now,
            };
            (reading, sample)
        })
    }

    fn deadlines(&self, samples: &[Sample], query: &str) -> Vec<CapacityReading> {
        let ends = |(reading, sample): (CapacityReading, &Sample)| {
            #[expect(clippy::cast_possible_truncation, reason = "out of range values are no timestamps")]
            let at = Timestamp::from_second(sample.value as i64).ok().filter(|_| sample.value > 0.0)?;
            Some(CapacityReading { amount: CapacityUse::Until(at), outlook: Outlook::Ends(at), ..reading })
        };
        self.bare(samples, query).filter_map(ends).collect()
    }

    /// The forecasts of thousands of resources take a while: other answers get their turn in between.
    async fn usages(&self, samples: &[Sample], numbers: &UsageNumbers, query: &str) -> Vec<CapacityReading> {
        let limits: HashMap<&Labels, f64> =
            numbers.limits_now.iter().map(|sample| (&sample.labels, sample.value)).collect();
        let line = |matrix: &Matrix, labels: &Labels| {
            matrix.line(labels).map(|series| UsageLine { span: matrix.span, values: series.values.clone() })
        };
        let usage = |(reading, sample): (CapacityReading, &Sample)| {
            let limit = limits.get(&sample.labels).copied().filter(|limit| *limit > 0.0);
            let amount = CapacityUse::Amount { used: sample.value, limit };
            let limits = numbers.limits.as_ref().and_then(|limits| line(limits, &sample.labels));
            let Ok(histories) = &numbers.histories else {
                return CapacityReading { amount, limits, ..reading };
            };
            let history: Vec<UsageLine> =
                histories.iter().filter_map(|matrix| line(matrix, &sample.labels)).collect();
            let (trend, outlook) = forecast(&history, sample.value, limit, self.now);
            CapacityReading { amount, history, limits, trend, outlook, ..reading }
        };
        let mut readings = Vec::new();
        for bare in self.bare(samples, query) {
            readings.push(usage(bare));
            if readings.len() % AT_A_TIME == 0 {
                tokio::task::yield_now().await;
            }
        }
        readings
    }
}
