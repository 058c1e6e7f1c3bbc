//! Services and their golden signals: how much, how wrong, how slow, how full.

use std::time::Duration;

use jiff::Timestamp;

use super::fingerprint::Fingerprint;
use super::health::{Health, Reason};
use super::labels::{Labels, Text};
use super::series::Matrix;
use super::source::SourceId;

/// The golden signals of one service now. `None`: the source has no such data, which is not zero.
///
/// Source of the four: "Monitoring Distributed Systems" in the SRE book (traffic, errors, latency, saturation).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Signals {
    /// Requests per second.
    pub request_rate: Option<f64>,
    /// Failed requests / all requests, 0 to 1.
    pub error_ratio: Option<f64>,
    /// Median latency, in seconds.
    pub p50: Option<f64>,
    /// 95th percentile of latency, in seconds.
    pub p95: Option<f64>,
    /// 99th percentile of latency, in seconds.
    pub p99: Option<f64>,
    /// (satisfied + tolerating / 2) / all, 0 to 1 (apdex.org).
    pub apdex: Option<f64>,
    /// Use of the fullest resource, 0 to 1.
    pub saturation: Option<f64>,
}

/// A scrape target that does not answer its Prometheus.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DownTarget {
    /// `instance` of the target.
    pub instance: Text,
    /// `job` of the target.
    pub job: Text,
}

/// The scrape targets of one service.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Targets {
    /// How many answer.
    pub up: u32,
    /// How many there are.
    pub total: u32,
    /// Those that do not answer.
    pub down: Vec<DownTarget>,
}

/// What one source says of one service.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reading {
    /// The service's name.
    pub name: Text,
    /// Team, tier and the like, where all its targets agree.
    pub labels: Labels,
    /// Its signals.
    pub signals: Signals,
    /// Its targets.
    pub targets: Targets,
}

/// What one source says of all its services.
#[derive(Debug, Clone, Default)]
pub struct ServiceBoard {
    /// Each service once, in the order of their names.
    pub readings: Vec<Reading>,
    /// Over how long rates and ratios were taken.
    pub lookback: Duration,
    /// Signals that could not be had this time, in words.
    pub warnings: Vec<Text>,
}

/// Short histories of all services of one source; each line has the one label `service`.
#[derive(Debug, Clone)]
pub struct Trends {
    /// Requests per second.
    pub request_rate: Matrix,
    /// Failed / all requests.
    pub error_ratio: Matrix,
    /// 95th percentile of latency, in seconds.
    pub p95: Matrix,
}

impl Trends {
    /// Slides all three on to `window`; see [`Matrix::extend`].
    pub fn extend(&mut self, tail: Self, window: super::series::Span) {
        self.request_rate.extend(tail.request_rate, window);
        self.error_ratio.extend(tail.error_ratio, window);
        self.p95.extend(tail.p95, window);
    }
}

/// The golden signals of one service over time.
#[derive(Debug, Clone)]
pub struct Detail {
    /// Requests per second; one line without labels.
    pub request_rate: Matrix,
    /// Failed / all requests; one line without labels.
    pub error_ratio: Matrix,
    /// Seconds; one line for each `quantile` (0.5, 0.95, 0.99).
    pub latency: Matrix,
    /// 0 to 1; one line for each `resource`.
    pub saturation: Matrix,
    /// Requests per second in each latency bucket, not cumulative; one line for each `le`.
    pub buckets: Matrix,
}

impl Detail {
    /// Slides all charts on to `window`; see [`Matrix::extend`].
    pub fn extend(&mut self, tail: Self, window: super::series::Span) {
        self.request_rate.extend(tail.request_rate, window);
        self.error_ratio.extend(tail.error_ratio, window);
        self.latency.extend(tail.latency, window);
        self.saturation.extend(tail.saturation, window);
        self.buckets.extend(tail.buckets, window);
    }
}

/// One service as the screens show it, merged from all sources that know it.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// Its name.
    pub name: Text,
    /// Team, tier and the like.
    pub labels: Labels,
    /// Its signals.
    pub signals: Signals,
    /// Its targets.
    pub targets: Targets,
    /// The verdict.
    pub health: Health,
    /// Why, the gravest first; empty when healthy.
    pub reasons: Vec<Reason>,
    /// When the verdict became what it is; `None`: it was so when it was first looked at.
    pub since: Option<Timestamp>,
    /// Its alerts that are firing or pending, in order of their fingerprints.
    pub alerts: Vec<Fingerprint>,
    /// Who knows it.
    pub sources: Vec<SourceId>,
    /// When a source last said anything of it.
    pub seen_at: Timestamp,
}

/// One reading out of several of the same service.
///
/// Rates and targets add up; ratios and Apdex are weighted by the request rate; of latencies and saturation the worst is
/// taken, since quantiles cannot be added. A single reading comes out as it went in.
pub fn merge(readings: &[&Reading]) -> Reading {
    let [first, rest @ ..] = readings else { return Reading::default() };
    if rest.is_empty() {
        return (*first).clone();
    }
    let worst = |signal: fn(&Signals) -> Option<f64>| {
        readings.iter().filter_map(|r| signal(&r.signals)).max_by(f64::total_cmp)
    };
    let weighted = |signal: fn(&Signals) -> Option<f64>| {
        let known: Vec<_> =
            readings.iter().filter_map(|r| Some((r.signals.request_rate?, signal(&r.signals)?))).collect();
        let weight: f64 = known.iter().map(|(rate, _)| rate).sum();
        if weight > 0.0 {
            Some(known.iter().map(|(rate, value)| rate * value).sum::<f64>() / weight)
        } else {
            worst(signal)
        }
    };
    let rates: Vec<f64> = readings.iter().filter_map(|r| r.signals.request_rate).collect();
    Reading {
        name: first.name.clone(),
        labels: readings
            .iter()
            .flat_map(|r| r.labels.iter())
            .filter(|(name, value)| readings.iter().all(|r| r.labels.get(name).is_none_or(|v| v == *value)))
            .collect(),
        signals: Signals {
            request_rate: (!rates.is_empty()).then(|| rates.iter().sum()),
            error_ratio: weighted(|s| s.error_ratio),
            p50: worst(|s| s.p50),
            p95: worst(|s| s.p95),
            p99: worst(|s| s.p99),
            apdex: weighted(|s| s.apdex),
            saturation: worst(|s| s.saturation),
        },
        targets: Targets {
            up: readings.iter().map(|r| r.targets.up).sum(),
            total: readings.iter().map(|r| r.targets.total).sum(),
            down: readings.iter().flat_map(|r| r.targets.down.iter().cloned()).collect(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_regions_of_one_service_are_one_service() {
        let eu = Reading {
            name: "cart".into(),
            signals: Signals {
                request_rate: Some(90.0),
                error_ratio: Some(0.0),
                p95: Some(0.1),
                ..Signals::default()
            },
            targets: Targets { up: 2, total: 2, down: vec![] },
            ..Reading::default()
        };
        let us = Reading {
            signals: Signals {
                request_rate: Some(10.0),
                error_ratio: Some(0.5),
                p95: Some(0.4),
                ..Signals::default()
            },
            ..eu.clone()
        };
        let both = merge(&[&eu, &us]);
        assert_eq!(both.signals.request_rate, Some(100.0));
        assert!((both.signals.error_ratio.unwrap() - 0.05).abs() < 1e-12);
        assert_eq!(both.signals.p95, Some(0.4));
        assert_eq!(both.signals.apdex, None);
        assert_eq!(both.targets.total, 4);
        assert_eq!(merge(&[&eu]), eu);
    }
}
