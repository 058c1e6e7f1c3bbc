//! The reasons for the health of a service.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

use super::alert::Severity;
use super::duration;
use super::health::{Health, Thresholds, latency, percent};
use super::host::{MonitoredServers, NamedSignal, Saturated};
use super::labels::Text;
use super::remote::age;
use super::signal::Signal;

/// One reason why a service is not healthy.
#[derive(Debug, Clone, PartialEq)]
pub enum Reason {
    TargetsDown {
        down: u32,
        total: u32,
    },
    /// The share of failed requests, 0 to 1.
    Errors(f64),
    Firing {
        name: Text,
        severity: Severity,
        /// The number of other firing alerts of the same severity.
        more: usize,
    },
    /// The 95th percentile of the latency, in seconds.
    Slow(f64),
    /// An exporter reports that servers are down (`up` metrics of packs).
    ServersDown(MonitoredServers),
    /// A signal defined by a pack is above or below the pack's threshold.
    Signal {
        signal: NamedSignal,
        /// The number of other signals of the same name that are not listed.
        more: usize,
    },
    Saturated {
        full: Saturated,
        /// The number of other saturated resources that are not listed.
        more: usize,
    },
    /// A resource will be full.
    FillsUp {
        /// The resource: `disk`.
        what: Text,
        /// Where it is, as text: ` on web-17 /data`, or empty.
        place: Text,
        /// When, if its growth goes on.
        at: Timestamp,
        /// The number of other such resources that are not listed.
        more: usize,
    },
    /// A deadline is near, such as that of a certificate.
    Ends {
        what: Text,
        place: Text,
        at: Timestamp,
        more: usize,
    },
    /// No source has data of the service any more.
    NoData {
        since: Timestamp,
    },
    /// The service is known by name only; no signal was ever read.
    NeverHadData,
    /// Signals of the service could not be read.
    NotKnown {
        signals: Vec<Signal>,
        why: Text,
    },
    /// The last known reason of a signal that is unknown now.
    Last {
        reason: Box<Reason>,
        health: Health,
        at: Timestamp,
    },
}

impl Reason {
    /// The reason as text; for a last known reason with its age.
    pub fn words(&self, now: Timestamp) -> String {
        if let Self::NoData { since } = self {
            return format!("no data for {}", lasted(*since, now));
        }
        if let Self::Last { reason, at, .. } = self {
            return format!("{reason}, {} ago", lasted(*at, now));
        }
        if let Self::FillsUp { what, place, at, more } = self {
            return format!("{what} full in {}{place}{}", to_go(*at, now), and_more(*more));
        }
        if let Self::Ends { what, place, at, more } = self {
            let over = if *at <= now { "is over".to_owned() } else { format!("ends in {}", to_go(*at, now)) };
            return format!("{what} {over}{place}{}", and_more(*more));
        }
        self.to_string()
    }

    /// The signal of this reason, and its health.
    pub(super) fn signal(&self, thresholds: &Thresholds) -> Option<(Signal, Health)> {
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
            | Self::FillsUp { .. }
            | Self::Ends { .. }
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
            Self::FillsUp { what, place, more, .. } => write!(f, "{what} fills up{place}{}", and_more(*more)),
            Self::Ends { what, place, more, .. } => write!(f, "{what} ends soon{place}{}", and_more(*more)),
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

/// The time since then, in steps, so that a row does not change every second.
fn lasted(then: Timestamp, now: Timestamp) -> String {
    let seconds = age(then, now).as_secs();
    let step = if seconds < 60 { 5 } else { 60 };
    duration::short(Duration::from_secs(if seconds < 5 { seconds } else { seconds - seconds % step }))
}

/// The time until then in words, in steps, so that a row does not change every minute.
fn to_go(then: Timestamp, now: Timestamp) -> String {
    let seconds = age(now, then).as_secs();
    let step = if seconds < 3600 { 60 } else { 600 };
    duration::short(Duration::from_secs(seconds - seconds % step))
}

/// ` and 3 more`, or empty.
fn and_more(more: usize) -> String {
    if more == 0 { String::new() } else { format!(" and {more} more") }
}
