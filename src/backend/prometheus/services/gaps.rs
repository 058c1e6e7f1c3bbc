//! Determines which signals of a service are unknown: because a query failed or its answer is partial, or because the data
//! are too young.
//!
//! Only the services that the query is about are marked.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;

use super::{QueryPart, ReadingSet, ServiceAnswers, ServiceQuery, reading};
use crate::backend::packs::PackEntry;
use crate::backend::prometheus::ages::Ages;
use crate::backend::prometheus::call::QuestionRequests;
use crate::backend::prometheus::metric_discovery::MetricDiscovery;
use crate::model::duration;
use crate::model::health::Thresholds;
use crate::model::labels::Text;
use crate::model::service::{ScrapeTargets, ServiceReading, Signals};
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

impl ServiceQuery<'_> {
    /// The signals that the query provides for a service.
    fn signals(&self, service: &Text) -> &'static [Signal] {
        let Some((found, _)) = self.entry else { return &[Signal::Targets] };
        let has_outcome = !found.details.codes.is_empty()
            || matches!(&found.entry, PackEntry::Requests(requests) if requests.failed.is_some());
        let reports_failures = has_outcome && !found.details.without_outcome_label.contains(service);
        match self.part {
            QueryPart::All if reports_failures => &[Signal::Requests, Signal::Errors],
            QueryPart::All => &[Signal::Requests],
            QueryPart::Failed if reports_failures => &[Signal::Errors],
            QueryPart::Failed => &[],
            QueryPart::Quantile(_) => &[Signal::Latency],
            QueryPart::Apdex => &[Signal::Apdex],
            QueryPart::Parts => found.entry.signals(),
            QueryPart::Targets | QueryPart::Down => &[Signal::Targets],
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
        let mut about: HashSet<&Text> = HashSet::new();
        if let Some((_, group)) = job.entry {
            about.extend(&group.services);
        } else {
            // services that are found through a proxy have the scrape targets of the proxy
            let proxied = discovery.proxy_targets.iter().filter(|(_, proxy)| !proxy.targets.is_empty());
            about.extend(discovery.up_services.iter().chain(proxied.map(|(service, _)| service)));
        }
        // for a service that is newer than the last discovery, it is not known which queries are about it
        about.extend(readings.keys().filter(|service| !discovery.services.contains(*service)));
        for service in about {
            let known = readings.get(service);
            if known.is_none() && job.entry.is_some_and(|(found, _)| found.only_adds) {
                continue;
            }
            for &signal in job.signals(service) {
                if is_part || !has(known, signal) {
                    add(gaps, service, signal, &why);
                }
            }
        }
    }
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
        let services = job.entry.map_or(&discovery.up_services, |(_, group)| &group.services);
        let has_rate_expression = job.entry.is_some_and(
            |(found, _)| matches!(&found.entry, PackEntry::Requests(requests) if requests.all.is_some()),
        );
        let is_non_finite = |service: &Text| {
            let mut non_finite = reported.non_finite.iter();
            job.entry.is_some_and(|(_, group)| {
                non_finite.any(|sample| sample.labels.get(&group.label) == Some(service))
            })
        };
        let lacks = |service: &Text, signals: &Signals, targets: &ScrapeTargets| match job.part {
            QueryPart::All => !has_rate_expression && signals.request_rate.is_none(),
            QueryPart::Quantile(quantile) => {
                let goes_on = signals.request_rate.is_some_and(|rate| rate > 0.0);
                let is_p95 = (0.9..0.98).contains(&quantile);
                is_p95 && goes_on && signals.p95.is_none() && !is_non_finite(service)
            }
            QueryPart::Targets => targets.total == 0,
            QueryPart::Failed | QueryPart::Apdex | QueryPart::Parts | QueryPart::Down => false,
        };
        let about = services.iter().filter(|service| {
            readings.get(*service).is_some_and(|reading| lacks(service, &reading.signals, &reading.targets))
        });
        for service in about {
            let age = ages.young(service, None, discovery, now);
            let why = age.map_or_else(|| Text::from(NO_DATA), |age| young_reason(asked, age));
            for &signal in job.signals(service) {
                add(gaps, service, signal, &why);
            }
        }
    }
}
