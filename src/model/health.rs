//! The verdict on a service, with the reason for it in words.

use std::fmt;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::alert::{Alert, Severity};
use super::duration;
use super::host::{MonitoredServers, NamedSignal, Saturated};
use super::labels::Text;
use super::remote::age;
use super::service::Reading;
use super::signal::Signal;

/// How a service is. Ordered: the worst is the smallest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Health {
    /// No target answers.
    Down,
    /// Users are being failed fast: someone should look now.
    Critical,
    /// Something is wrong that can wait a little.
    Degraded,
    /// There are no data to judge by.
    Unknown,
    /// All that is known is well.
    Healthy,
}

impl Health {
    /// From the worst to the best.
    pub const ALL: [Self; 5] = [Self::Down, Self::Critical, Self::Degraded, Self::Unknown, Self::Healthy];

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Critical => "critical",
            Self::Degraded => "degraded",
            Self::Unknown => "unknown",
            Self::Healthy => "healthy",
        }
    }
}

/// Above what a signal counts as bad.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// Error ratio from which a service is degraded.
    pub error_ratio_degraded: f64,
    /// Error ratio from which a service is critical.
    pub error_ratio_critical: f64,
    /// Failed requests within the lookback below which an error ratio says nothing.
    pub few_errors: f64,
    /// 95th percentile of latency, in seconds, from which a service is degraded.
    pub p95_degraded: f64,
    /// Saturation, 0 to 1, from which a service is degraded.
    pub saturation_degraded: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            error_ratio_degraded: 0.01,
            error_ratio_critical: 0.05,
            few_errors: 3.0,
            p95_degraded: 1.0,
            saturation_degraded: 0.9,
        }
    }
}

/// One thing that is wrong with a service.
#[derive(Debug, Clone, PartialEq)]
pub enum Reason {
    /// This many of its targets do not answer.
    TargetsDown {
        /// Those that do not answer.
        down: u32,
        /// All of them.
        total: u32,
    },
    /// The share of failed requests, 0 to 1.
    Errors(f64),
    /// An alert is firing.
    Firing {
        /// The alert's name.
        name: Text,
        /// How loud it is.
        severity: Severity,
        /// How many more of the same severity are firing.
        more: usize,
    },
    /// The 95th percentile of latency, in seconds.
    Slow(f64),
    /// Servers do not answer the exporter that speaks of them.
    ServersDown(MonitoredServers),
    /// A signal with words of its own is beyond what its pack says is well.
    Signal {
        /// The signal.
        signal: NamedSignal,
        /// How many more of the same name are as bad or less, and not named.
        more: usize,
    },
    /// A resource is full.
    Saturated {
        /// Which, where, and how full.
        full: Saturated,
        /// How many more are full, and not named.
        more: usize,
    },
    /// It was known, but no source has data of it any more.
    NoData {
        /// When it was last seen.
        since: Timestamp,
    },
    /// It is known by name, but has none of the signals.
    NeverHadData,
    /// Signals that it has could not be had.
    NotKnown {
        /// Which.
        signals: Vec<Signal>,
        /// Why.
        why: Text,
    },
    /// What was last known of a signal that is not known now.
    Last {
        /// What was wrong.
        reason: Box<Reason>,
        /// How bad that was.
        health: Health,
        /// When it was last known.
        at: Timestamp,
    },
}

impl Reason {
    /// In words, with how long ago that was where it is no longer so.
    pub fn words(&self, now: Timestamp) -> String {
        match self {
            Self::NoData { since } => format!("no data for {}", lasted(*since, now)),
            Self::Last { reason, at, .. } => format!("{reason}, {} ago", lasted(*at, now)),
            Self::TargetsDown { .. }
            | Self::Errors(_)
            | Self::Firing { .. }
            | Self::Slow(_)
            | Self::ServersDown(_)
            | Self::Signal { .. }
            | Self::Saturated { .. }
            | Self::NeverHadData
            | Self::NotKnown { .. } => self.to_string(),
        }
    }

    /// The signal that it was read from, and how bad it is.
    fn signal(&self, thresholds: &Thresholds) -> Option<(Signal, Health)> {
        match self {
            Self::TargetsDown { down, total } => {
                Some((Signal::Targets, if down == total { Health::Down } else { Health::Degraded }))
            }
            Self::Errors(ratio) if *ratio >= thresholds.error_ratio_critical => {
                Some((Signal::Errors, Health::Critical))
            }
            Self::Errors(_) => Some((Signal::Errors, Health::Degraded)),
            Self::Slow(_) => Some((Signal::Latency, Health::Degraded)),
            Self::ServersDown(servers) => Some((Signal::Servers, servers.health()?)),
            Self::Signal { signal, .. } => Some((Signal::Named, signal.health?)),
            Self::Saturated { .. } => Some((Signal::Saturation, Health::Degraded)),
            Self::Firing { .. }
            | Self::NoData { .. }
            | Self::NeverHadData
            | Self::NotKnown { .. }
            | Self::Last { .. } => None,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TargetsDown { down: 1, total: 0 } => f.write_str("1 target down"),
            Self::TargetsDown { down, total: 0 } => write!(f, "{down} targets down"),
            Self::TargetsDown { down, total } if down == total => {
                write!(
                    f,
                    "{} down",
                    if *total == 1 { "its target is".into() } else { format!("all {total} targets are") }
                )
            }
            Self::TargetsDown { down, total } => write!(f, "{down} of {total} targets down"),
            Self::Errors(ratio) => write!(f, "{} of requests fail", percent(*ratio)),
            Self::Firing { name, more: 0, .. } => write!(f, "{name} firing"),
            Self::Firing { name, more, .. } => write!(f, "{name} firing and {more} more"),
            Self::Slow(seconds) => write!(f, "slow: p95 {}", latency(*seconds)),
            Self::ServersDown(servers) => servers.fmt(f),
            Self::Signal { signal, more } => write!(f, "{signal}{}", and_more(*more)),
            Self::Saturated { full, more } => write!(f, "{full}{}", and_more(*more)),
            Self::NoData { .. } => f.write_str("no data any more"),
            Self::NeverHadData => f.write_str("no signals"),
            Self::NotKnown { signals, why } => {
                let words: Vec<&str> = signals.iter().map(|signal| signal.word()).collect();
                write!(f, "{} not known: {why}", words.join(", "))
            }
            Self::Last { reason, .. } => write!(f, "{reason} when last known"),
        }
    }
}

/// How long since then, in steps that do not make a row change every second.
fn lasted(then: Timestamp, now: Timestamp) -> String {
    let seconds = age(then, now).as_secs();
    let step = if seconds < 60 { 5 } else { 60 };
    duration::short(Duration::from_secs(if seconds < 5 { seconds } else { seconds - seconds % step }))
}

/// ` and 3 more`, or nothing.
fn and_more(more: usize) -> String {
    if more == 0 { String::new() } else { format!(" and {more} more") }
}

/// A ratio as per cent with three significant digits: `12.3%`, `0.04%`.
pub fn percent(ratio: f64) -> String {
    let value = ratio * 100.0;
    match value.abs() {
        v if !v.is_finite() => "-".into(),
        v if v >= 99.95 || v == 0.0 => format!("{value:.0}%"),
        v if v >= 9.995 => format!("{value:.1}%"),
        v if v >= 0.0095 => format!("{value:.2}%"),
        _ => "<0.01%".into(),
    }
}

/// Seconds as a latency: `640µs`, `12ms`, `1.24s`; what is longer or shorter than any latency in units of its own.
pub fn latency(seconds: f64) -> String {
    match seconds {
        s if !s.is_finite() => "-".into(),
        s if s < 0.0 => format!("-{}", latency(-s)),
        s if s > 0.0 && s < 0.5e-9 => "<1ns".into(),
        s if s > 0.0 && s < 0.999_5e-6 => format!("{:.0}ns", s * 1e9),
        s if s < 0.000_999_5 => format!("{:.0}µs", s * 1e6),
        s if s < 0.009_995 => format!("{:.1}ms", s * 1e3),
        s if s < 0.999_5 => format!("{:.0}ms", s * 1e3),
        s if s < 9.995 => format!("{s:.2}s"),
        s if s < 120.0 => format!("{s:.1}s"),
        s if s < 7200.0 => format!("{:.0}m", s / 60.0),
        s if s < 172_800.0 => format!("{:.1}h", s / 3600.0),
        s => format!("{:.0}d", s / 86_400.0),
    }
}

/// What a verdict is reached by, beside what was read.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// Over how long ratios were taken.
    pub lookback: Duration,
    /// The service's alerts.
    pub alerts: &'a [&'a Alert],
    /// Above what a signal counts as bad.
    pub thresholds: &'a Thresholds,
    /// What was wrong before, and when that was known: what is not known any more may still be so.
    pub before: Option<(&'a [Reason], Timestamp)>,
    /// Now.
    pub now: Timestamp,
}

/// For so long what was bad counts as bad although it is not known any more.
const LAST_COUNTS: SignedDuration = SignedDuration::from_hours(1);

impl<'a> Case<'a> {
    /// What was wrong lately by a signal, how bad that was, and when it was known.
    fn lasts(self) -> impl Iterator<Item = (&'a Reason, Health, Timestamp)> {
        let Self { thresholds, now, .. } = self;
        let (reasons, at) = self.before.unwrap_or((&[], now));
        let last = move |reason: &'a Reason| match reason {
            Reason::Last { reason, health, at } => Some((&**reason, *health, *at)),
            reason => Some((reason, reason.signal(thresholds)?.1, at)),
        };
        reasons.iter().filter_map(last).filter(move |(.., at)| now.duration_since(*at) < LAST_COUNTS)
    }
}

/// The verdict on one service out of its signals, targets and loud alerts; the gravest reason first.
///
/// Alerts that are silenced, inhibited or pending do not count: somebody knows, or nobody was told yet. A service of which a
/// signal is not known is never healthy: it is as bad as what is known, or as that signal last was, or else unknown.
pub fn assess(reading: &Reading, case: Case<'_>) -> (Health, Vec<Reason>) {
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
            found.push((if is_critical { Health::Critical } else { Health::Degraded }, Reason::Errors(ratio)));
        }
    }
    found.extend(firing(alerts));
    if let Some(seconds) = signals.p95.filter(|p95| *p95 >= thresholds.p95_degraded) {
        found.push((Health::Degraded, Reason::Slow(seconds)));
    }
    let dead = reading.servers.iter().filter_map(|servers| Some((servers.health()?, servers.clone())));
    found.extend(dead.map(|(health, servers)| (health, Reason::ServersDown(servers))));
    found.extend(named(&reading.named));
    let full = saturated(reading, thresholds.saturation_degraded);
    found.extend(full.into_iter().map(|reason| (Health::Degraded, reason)));
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
    let is_silent = *signals == super::service::Signals::default()
        && reading.servers.is_empty()
        && reading.named.is_empty()
        && reading.hosts.is_empty();
    if found.is_empty() && reading.targets.total == 0 && is_silent {
        found.push((Health::Unknown, Reason::NeverHadData));
    }
    verdict(found)
}

/// The verdict on a service that no source tells of any more, or of which only alerts tell: it is as bad as they are, or as it was
/// when it was last told of.
pub fn assess_lost(case: Case<'_>) -> (Health, Vec<Reason>) {
    let missing = case.before.map_or(Reason::NeverHadData, |(_, since)| Reason::NoData { since });
    let last = case
        .lasts()
        .map(|(reason, health, at)| (health, Reason::Last { reason: Box::new(reason.clone()), health, at }));
    verdict(firing(case.alerts).chain(last).chain([(Health::Unknown, missing)]).collect())
}

/// The loud alerts of each severity that counts.
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

mod reasons;
use reasons::{named, saturated};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::service::{Signals, Targets};
    use crate::model::signal::{Unknown, Unknowns};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn case(before: Option<(&[Reason], Timestamp)>) -> Case<'_> {
        static THRESHOLDS: std::sync::LazyLock<Thresholds> = std::sync::LazyLock::new(Thresholds::default);
        let lookback = Duration::from_secs(60);
        Case { lookback, alerts: &[], thresholds: &THRESHOLDS, before, now: at(600) }
    }

    fn without(reading: Reading, signals: &[Signal]) -> Reading {
        let unknown = signals.iter().map(|signal| Unknown { signal: *signal, why: "422".into() });
        Reading { unknown: Unknowns::new(unknown), ..reading }
    }

    fn reading(rate: f64, errors: f64) -> Reading {
        Reading {
            name: "cart".into(),
            signals: Signals {
                request_rate: Some(rate),
                error_ratio: Some(errors),
                p95: Some(0.1),
                ..Signals::default()
            },
            targets: Targets { up: 3, total: 3, down: vec![] },
            ..Reading::default()
        }
    }

    fn verdict(reading: &Reading) -> (Health, String) {
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
        let nothing = Reading { name: "ghost".into(), ..Reading::default() };
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
        // "all up" is nothing that is known
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
            (Health::Critical, vec!["20.0% of requests fail, 30s ago".into(), "errors not known: 422".into()])
        );
        // the time stays that of the last knowledge
        let (_, again) = assess(&refused, case(Some((&reasons, at(590)))));
        assert_eq!(again[0].words(at(600)), "20.0% of requests fail, 30s ago");
        let old = assess(&refused, case(Some((&before, at(600 - 3600)))));
        assert_eq!(old.0, Health::Unknown);
    }

    #[test]
    fn numbers_are_short_and_never_nan() {
        for (ratio, text) in [
            (0.0, "0%"),
            (0.000_004, "<0.01%"),
            (0.0123, "1.23%"),
            (0.5, "50.0%"),
            (1.0, "100%"),
            (f64::NAN, "-"),
        ] {
            assert_eq!(percent(ratio), text);
        }
        for (seconds, text) in
            [(0.0004, "400µs"), (0.0042, "4.2ms"), (0.123, "123ms"), (1.239, "1.24s"), (240.0, "4m")]
        {
            assert_eq!(latency(seconds), text);
        }
    }
}
