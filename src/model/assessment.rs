//! Computes the health of a service, with its reasons.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::alert::{Alert, Severity};
use super::capacity::CapacityReading;
use super::health::{Health, Thresholds};
use super::reason::Reason;
use super::service::{ServiceReading, Signals};
use super::signal::Signal;
use reasons::{named, saturated, soon_full};

mod reasons;

/// The input of an assessment, besides the reading.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The lookback of rates and ratios.
    pub lookback: Duration,
    pub alerts: &'a [&'a Alert],
    /// Its resources that will soon be full or over, the most urgent first.
    pub soon_full: &'a [&'a CapacityReading],
    /// The thresholds of unhealthy signals.
    pub thresholds: &'a Thresholds,
    /// The previous reasons and their time: a reason stays valid for a while if its signal is unknown now.
    pub before: Option<(&'a [Reason], Timestamp)>,
    pub now: Timestamp,
}

/// How long a last known reason counts while its signal is unknown.
pub(super) const LAST_COUNTS: SignedDuration = SignedDuration::from_hours(1);

impl<'a> Case<'a> {
    /// The recent reasons that come from a signal, each with its health and its time.
    fn lasts(self) -> impl Iterator<Item = (&'a Reason, Health, Timestamp)> {
        let Self { thresholds, now, .. } = self;
        let (reasons, at) = self.before.unwrap_or((&[], now));
        let last = move |reason: &'a Reason| {
            if let Reason::Last { reason, health, at } = reason {
                return Some((&**reason, *health, *at));
            }
            Some((reason, reason.signal(thresholds)?.1, at))
        };
        reasons.iter().filter_map(last).filter(move |(.., at)| now.duration_since(*at) < LAST_COUNTS)
    }
}

/// The health of a service from its signals, targets and firing alerts, and the reasons, the most serious first.
///
/// Silenced, inhibited and pending alerts do not count. A service with an unknown signal is never healthy: the last known reason
/// of that signal counts for an hour, otherwise the service is `Unknown`.
pub fn assess(reading: &ServiceReading, case: Case<'_>) -> (Health, Vec<Reason>) {
    let Case { lookback, alerts, thresholds, .. } = case;
    let (signals, unknown) = (&reading.signals, &reading.unknown);
    let mut found: Vec<(Health, Reason)> = Vec::new();
    let knows_targets = !unknown.contains(Signal::Targets);
    let down = reading.targets.total.saturating_sub(reading.targets.up);
    if knows_targets && down > 0 {
        let health = if reading.targets.up == 0 { Health::Down } else { Health::Degraded };
        found.push((health, Reason::TargetsDown { down, total: reading.targets.total }));
    } else if !knows_targets && !reading.targets.down.is_empty() {
        let down = u32::try_from(reading.targets.down.len()).unwrap_or(u32::MAX);
        found.push((Health::Degraded, Reason::TargetsDown { down, total: 0 }));
    }
    if let Some(ratio) = signals.error_ratio {
        let failed = signals.request_rate.map_or(f64::INFINITY, |rate| rate * ratio * lookback.as_secs_f64());
        if ratio >= thresholds.error_ratio_degraded && failed >= thresholds.few_errors {
            let is_critical = ratio >= thresholds.error_ratio_critical;
            found
                .push((if is_critical { Health::Critical } else { Health::Degraded }, Reason::Errors(ratio)));
        }
    }
    found.extend(firing(alerts));
    if let Some(seconds) = signals.p95.filter(|p95| *p95 >= thresholds.p95_degraded.0.as_secs_f64()) {
        found.push((Health::Degraded, Reason::Slow(seconds)));
    }
    let dead = reading.servers.iter().filter_map(|servers| Some((servers.health()?, servers.clone())));
    found.extend(dead.map(|(health, servers)| (health, Reason::ServersDown(servers))));
    found.extend(named(&reading.named));
    let full = saturated(reading, thresholds.saturation_degraded);
    found.extend(full.into_iter().map(|reason| (Health::Degraded, reason)));
    let soon = soon_full(case.soon_full, &reading.hosts);
    found.extend(soon.into_iter().map(|reason| (Health::Degraded, reason)));
    for (reason, health, at) in case.lasts() {
        let is_missed = reason.signal(thresholds).is_some_and(|(signal, _)| unknown.contains(signal));
        let is_known = found.iter().any(|(_, known)| known.signal(thresholds) == reason.signal(thresholds));
        if is_missed && !is_known {
            found.push((health, Reason::Last { reason: Box::new(reason.clone()), health, at }));
        }
    }
    for (why, signals) in unknown.by_reason() {
        found.push((Health::Unknown, Reason::NotKnown { signals, why: why.clone() }));
    }
    let is_silent = *signals == Signals::default()
        && reading.servers.is_empty()
        && reading.named.is_empty()
        && reading.hosts.is_empty();
    if found.is_empty() && reading.targets.total == 0 && is_silent {
        found.push((Health::Unknown, Reason::NeverHadData));
    }
    verdict(found)
}

/// The health of a service that no source reports any more, or that only alerts name: from its firing alerts and its last known
/// reasons.
pub fn assess_without_data(case: Case<'_>) -> (Health, Vec<Reason>) {
    let missing = case.before.map_or(Reason::NeverHadData, |(_, since)| Reason::NoData { since });
    let last = case
        .lasts()
        .map(|(reason, health, at)| (health, Reason::Last { reason: Box::new(reason.clone()), health, at }));
    verdict(firing(case.alerts).chain(last).chain([(Health::Unknown, missing)]).collect())
}

/// The newest firing alert of each severity that affects health.
fn firing(alerts: &[&Alert]) -> impl Iterator<Item = (Health, Reason)> {
    let severities = [(Severity::Critical, Health::Critical), (Severity::Warning, Health::Degraded)];
    severities.into_iter().filter_map(|(severity, health)| {
        let firing = alerts.iter().filter(|alert| alert.is_firing() && alert.severity == severity);
        let newest = firing.clone().max_by_key(|alert| alert.starts_at)?;
        let more = firing.count() - 1;
        Some((health, Reason::Firing { name: newest.name().into(), severity, more }))
    })
}

fn verdict(mut found: Vec<(Health, Reason)>) -> (Health, Vec<Reason>) {
    found.sort_by_key(|(health, _)| *health);
    let health = found.first().map_or(Health::Healthy, |(health, _)| *health);
    (health, found.into_iter().map(|(_, reason)| reason).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::service::{ScrapeTargets, Signals};
    use crate::model::signal::{UnknownSignal, UnknownSignals};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn case(before: Option<(&[Reason], Timestamp)>) -> Case<'_> {
        static THRESHOLDS: std::sync::LazyLock<Thresholds> = std::sync::LazyLock::new(Thresholds::default);
        let lookback = Duration::from_secs(60);
        Case { lookback, alerts: &[], soon_full: &[], thresholds: &THRESHOLDS, before, now: at(600) }
    }

    fn without(reading: ServiceReading, signals: &[Signal]) -> ServiceReading {
        let unknown = signals.iter().map(|signal| UnknownSignal { signal: *signal, why: "422".into() });
        ServiceReading { unknown: UnknownSignals::new(unknown), ..reading }
    }

    fn reading(rate: f64, errors: f64) -> ServiceReading {
        ServiceReading {
            name: "cart".into(),
            signals: Signals {
                request_rate: Some(rate),
                error_ratio: Some(errors),
                p95: Some(0.1),
                ..Signals::default()
            },
            targets: ScrapeTargets { up: 3, total: 3, down: vec![] },
            ..ServiceReading::default()
        }
    }

    fn verdict(reading: &ServiceReading) -> (Health, String) {
        let (health, reasons) = assess(reading, case(None));
        (health, reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    }

    #[test]
    fn errors_latency_saturation_and_targets_each_give_their_reason() {
        assert_eq!(verdict(&reading(100.0, 0.0)), (Health::Healthy, String::new()));
        assert_eq!(verdict(&reading(100.0, 0.02)), (Health::Degraded, "2.00% of requests fail".into()));
        assert_eq!(verdict(&reading(100.0, 0.213)), (Health::Critical, "21.3% of requests fail".into()));
        let mut slow = reading(100.0, 0.0);
        slow.signals.p95 = Some(1.5);
        slow.signals.saturation = Some(0.95);
        assert_eq!(verdict(&slow), (Health::Degraded, "slow: p95 1.50s; saturated: 95.0%".into()));
        let mut down = reading(100.0, 0.3);
        down.targets.up = 0;
        assert_eq!(verdict(&down), (Health::Down, "all 3 targets are down; 30.0% of requests fail".into()));
    }

    #[test]
    fn one_failure_in_a_quiet_minute_is_not_a_fire() {
        assert_eq!(verdict(&reading(0.03, 0.5)).0, Health::Healthy);
    }

    #[test]
    fn absence_is_not_health() {
        let nothing = ServiceReading { name: "ghost".into(), ..ServiceReading::default() };
        assert_eq!(verdict(&nothing), (Health::Unknown, "no signals".into()));
    }

    #[test]
    fn what_is_left_of_the_signals_makes_nobody_healthy_and_the_worse_state_stands() {
        for signal in [Signal::Targets, Signal::Requests, Signal::Errors, Signal::Latency, Signal::Saturation]
        {
            let (health, why) = verdict(&without(reading(100.0, 0.0), &[signal]));
            assert_eq!((health, why), (Health::Unknown, format!("{} not known: 422", signal.word())));
        }
        let mut slow = without(reading(100.0, 0.0), &[Signal::Errors]);
        slow.signals.p95 = Some(2.0);
        assert_eq!(verdict(&slow).0, Health::Degraded);
        // "all targets are up" is no reason that can be kept
        let mut up = without(reading(100.0, 0.0), &[Signal::Targets]);
        up.targets.up = 0;
        assert_eq!(verdict(&up).0, Health::Unknown);
    }

    #[test]
    fn what_was_bad_before_it_was_refused_stays_bad_for_an_hour_with_its_age() {
        let before = [Reason::Errors(0.2), Reason::Slow(3.0)];
        let refused = without(reading(100.0, 0.0), &[Signal::Errors]);
        let (health, reasons) = assess(&refused, case(Some((&before, at(570)))));
        let words: Vec<_> = reasons.iter().map(|reason| reason.words(at(600))).collect();
        assert_eq!(
            (health, words),
            (
                Health::Critical,
                vec!["20.0% of requests fail, 30s ago".into(), "errors not known: 422".into()]
            )
        );
        // the time of the last known value stays
        let (_, again) = assess(&refused, case(Some((&reasons, at(590)))));
        assert_eq!(again[0].words(at(600)), "20.0% of requests fail, 30s ago");
        let old = assess(&refused, case(Some((&before, at(600 - 3600)))));
        assert_eq!(old.0, Health::Unknown);
    }
}
