//! Determines which signals of a service are unknown: because a query failed or its answer is partial, or because the data
//! are too young.
//!
//! Only the services that the query is about are marked.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;

use super::{QueryScope, ReadingSet, ServiceAnswers, reading};
use crate::backend::prometheus::ages::Ages;
use crate::backend::prometheus::call::QuestionRequests;
use crate::backend::prometheus::metric_discovery::{MetricDiscovery, RequestCounter};
use crate::model::duration;
use crate::model::health::Thresholds;
use crate::model::labels::Text;
use crate::model::service::ServiceReading;
use crate::model::signal::{Signal, UnknownSignal, UnknownSignals};
use crate::model::warning::Warning;

/// The queries with their answers, evaluation time and window.
pub(super) struct AskedQuery<'a> {
    pub(super) discovery: &'a MetricDiscovery,
    pub(super) answers: &'a ServiceAnswers<'a>,
    pub(super) ages: &'a Ages,
    /// `None`: the data are too young for any rate.
    pub(super) window: Option<std::time::Duration>,
    pub(super) now: Timestamp,
}

/// The unknown signals by service.
type Gaps = BTreeMap<Text, Vec<UnknownSignal>>;

/// Marks the unknown signals in each reading; adds services without any data. Gaps that did not come from a failed query also
/// get a warning here, because nothing else reports them.
pub(super) fn note(call: &QuestionRequests<'_>, asked: &AskedQuery<'_>, readings: &mut ReadingSet) {
    let mut gaps = Gaps::new();
    missed(asked, readings, &mut gaps);
    not_found(asked, readings, &mut gaps);
    let mut silent = Gaps::new();
    absent(asked, readings, &mut silent);
    young(asked, readings, &mut silent);
    call.note(warnings(&silent));
    for (service, unknown) in silent {
        gaps.entry(service).or_default().extend(unknown);
    }
    for (service, unknown) in gaps {
        reading(readings, &service).unknown = UnknownSignals::new(unknown);
    }
}

/// Adds an unknown signal of a service.
fn add(gaps: &mut Gaps, service: &Text, signal: Signal, why: &Text) {
    gaps.entry(service.clone()).or_default().push(UnknownSignal { signal, why: why.clone() });
}

/// The reason for a signal whose data have stopped.
const NO_DATA: &str = "no data";

/// Warnings with the number of services by signal and reason. Only stopped data count as missing data; young data do not.
fn warnings(gaps: &Gaps) -> Vec<Warning> {
    let mut counts: BTreeMap<(Signal, bool), (usize, &Text)> = BTreeMap::new();
    for unknown in gaps.values().flatten() {
        let key = (unknown.signal, *unknown.why == *NO_DATA);
        counts.entry(key).or_insert((0, &unknown.why)).0 += 1;
    }
    let reported = counts.into_iter().map(|((signal, is_silent), (count, why))| {
        let whose = if count == 1 { "1 service".to_owned() } else { format!("{count} services") };
        let text = format!("{} of {whose} not known: {why}", signal.word());
        if is_silent { Warning::part(text) } else { Warning::notice(text) }
    });
    reported.collect()
}

/// Whether a signal of a service is known although a query for it failed, because another query provided it.
fn has(reading: Option<&ServiceReading>, signal: Signal) -> bool {
    let Some(ServiceReading { signals, .. }) = reading else { return false };
    match signal {
        Signal::Requests => signals.request_rate.is_some(),
        Signal::Errors => signals.error_ratio.is_some(),
        Signal::Latency => signals.p95.is_some() && signals.p50.is_some() && signals.p99.is_some(),
        Signal::Apdex => signals.apdex.is_some(),
        // these signals consist of several parts, all of which are needed
        Signal::Targets | Signal::Saturation | Signal::Servers | Signal::Named => false,
    }
}

impl QueryScope<'_> {
    /// The signals that the query provides for a service.
    fn signals(self, service: &Text) -> &'static [Signal] {
        let tells_failures = |counter: &RequestCounter| {
            let can_tell = !counter.codes.is_empty() || counter.requests.has_failure_expression();
            can_tell && !counter.without_outcome_label.contains(service)
        };
        match self {
            Self::All(counter, _) if tells_failures(counter) => &[Signal::Requests, Signal::Errors],
            Self::All(..) => &[Signal::Requests],
            Self::Failed(counter, _) if tells_failures(counter) => &[Signal::Errors],
            Self::Failed(..) => &[],
            Self::Quantile(..) => &[Signal::Latency],
            Self::Apdex(..) => &[Signal::Apdex],
            Self::Full(..) => &[Signal::Saturation],
            Self::Up(..) => &[Signal::Servers],
            Self::Named(..) => &[Signal::Named],
            Self::Targets | Self::Down => &[Signal::Targets],
        }
    }
}

/// Queries that failed, or whose answer is partial.
fn missed(asked: &AskedQuery<'_>, readings: &ReadingSet, gaps: &mut Gaps) {
    let discovery = asked.discovery;
    for (job, result) in asked.answers {
        let (why, is_part): (Text, bool) = match result {
            Err(error) => (error.kind.to_string().into(), false),
            Ok(reported) => match &reported.partial {
                Some(why) => (why.clone(), true),
                None => continue,
            },
        };
        let mut about: HashSet<&Text> = match job.part.selector_group() {
            Some(selector_group) => selector_group.services.iter().collect(),
            None => discovery.up_services.iter().chain(proxied(discovery)).collect(),
        };
        // for a service that is newer than the last discovery, it is not known which queries are about it
        about.extend(readings.keys().filter(|service| !discovery.services.contains(*service)));
        for service in about {
            let known = readings.get(service);
            if job.part.only_adds() && known.is_none() {
                continue;
            }
            for &signal in job.part.signals(service) {
                if is_part || !has(known, signal) {
                    add(gaps, service, signal, &why);
                }
            }
        }
    }
}

/// The services that are found through a proxy, whose scrape targets are those of the proxy.
fn proxied(discovery: &MetricDiscovery) -> impl Iterator<Item = &Text> {
    discovery
        .proxy_targets
        .iter()
        .filter(|(_, reported)| !reported.targets.is_empty())
        .map(|(service, _)| service)
}

/// Signals for which metric discovery failed: a service without the signal may have it.
fn not_found(asked: &AskedQuery<'_>, readings: &ReadingSet, gaps: &mut Gaps) {
    for gap in &asked.discovery.gaps {
        let about = readings.iter().filter(|(service, reading)| {
            let is_meant = gap.services.as_ref().is_none_or(|services| services.contains(*service));
            let has = match gap.signal {
                Signal::Saturation => reading.signals.saturation.is_some(),
                Signal::Latency => reading.signals.p95.is_some(),
                Signal::Targets => reading.targets.total > 0,
                Signal::Servers => !reading.servers.is_empty(),
                Signal::Named => !reading.named.is_empty(),
                signal @ (Signal::Requests | Signal::Errors | Signal::Apdex) => has(Some(reading), signal),
            };
            is_meant && !has
        });
        for (service, _) in about {
            add(gaps, service, gap.signal, &gap.why);
        }
    }
}

/// Rates over windows that the data do not fill, because the data began too late or ended too early.
fn young(asked: &AskedQuery<'_>, readings: &mut ReadingSet, gaps: &mut Gaps) {
    let AskedQuery { discovery, ages, window, now, .. } = *asked;
    let few = Thresholds::default().few_errors;
    for (service, reading) in
        readings.iter_mut().filter(|(_, reading)| reading.signals.request_rate.is_some())
    {
        let whole = window.unwrap_or(discovery.lookback);
        let young = ages.young(service, window, discovery, now).map(|age| young_reason(asked, age));
        let late = || ages.late(service, whole, discovery, now);
        let why = young.or_else(|| {
            Some(format!("the data of this service ended {} ago", duration::short(late()?)).into())
        });
        let Some(why) = why else { continue };
        let counted = reading.signals.request_rate.take().unwrap_or(0.0);
        add(gaps, service, Signal::Requests, &why);
        // the ratio is correct for young data too, but not meaningful for only a few errors
        let window = whole.as_secs_f64();
        if reading.signals.error_ratio.is_some_and(|ratio| ratio * counted * window < few) {
            reading.signals.error_ratio = None;
            add(gaps, service, Signal::Errors, &why);
        }
    }
}

/// The reason for a rate that is unknown because of young data.
fn young_reason(asked: &AskedQuery<'_>, age: std::time::Duration) -> Text {
    let whose = if asked.ages.store_age(asked.now).is_some() { "server" } else { "service" };
    format!("the {whose} has data for only {}", duration::short(age)).into()
}

/// Signals that existed at the last discovery and are missing in a complete answer, although other signals of the service
/// continue.
fn absent(asked: &AskedQuery<'_>, readings: &ReadingSet, gaps: &mut Gaps) {
    let AskedQuery { discovery, ages, now, .. } = *asked;
    for (job, result) in asked.answers {
        let Ok(reported) = result else { continue };
        if reported.partial.is_some() {
            continue;
        }
        let about: Vec<&Text> = match job.part {
            QueryScope::All(counter, selector_group) if !counter.requests.has_rate_expression() => {
                let lacks = |service: &&Text| {
                    readings.get(*service).is_some_and(|r| r.signals.request_rate.is_none())
                };
                selector_group.services.iter().filter(lacks).collect()
            }
            QueryScope::Quantile(_, selector_group, quantile) if (0.9..0.98).contains(&quantile) => {
                let was_told = |service: &Text| {
                    selector_group
                        .samples_by_service(&reported.non_finite)
                        .any(|(non_finite, _)| non_finite == service)
                };
                let lacks = |service: &&Text| {
                    let reading = readings.get(*service);
                    let goes_on =
                        reading.is_some_and(|r| r.signals.request_rate.is_some_and(|rate| rate > 0.0));
                    goes_on && reading.is_some_and(|r| r.signals.p95.is_none()) && !was_told(service)
                };
                selector_group.services.iter().filter(lacks).collect()
            }
            QueryScope::Targets => {
                let lacks = |service: &&Text| readings.get(*service).is_some_and(|r| r.targets.total == 0);
                discovery.up_services.iter().filter(lacks).collect()
            }
            QueryScope::All(..)
            | QueryScope::Failed(..)
            | QueryScope::Quantile(..)
            | QueryScope::Apdex(..)
            | QueryScope::Full(..)
            | QueryScope::Up(..)
            | QueryScope::Named(..)
            | QueryScope::Down => continue,
        };
        for service in about {
            let age = ages.young(service, None, discovery, now);
            let why = age.map_or_else(|| Text::from(NO_DATA), |age| young_reason(asked, age));
            for &signal in job.part.signals(service) {
                add(gaps, service, signal, &why);
            }
        }
    }
}
