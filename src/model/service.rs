//! Services and their golden signals: traffic, errors, latency and saturation.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::fingerprint::Fingerprint;
use super::health::Health;
use super::host::{Host, MonitoredServers, NamedSignal, Usage};
use super::labels::{Labels, Text};
use super::reason::Reason;
use super::signal::{Signal, UnknownSignals};
use super::source::SourceId;
pub use dependencies::Dependencies;
pub use history::{ServiceDetail, ServiceTrends, SignalQuery};
pub use merge::{SourcedReading, merge};

mod dependencies;
mod history;
mod merge;

/// The current golden signals of one service. `None` means that the source has no such data (not zero), or that the value is
/// unknown, in which case [`UnknownSignals`] has the reason.
///
/// Source: "Monitoring Distributed Systems" in the SRE book (traffic, errors, latency, saturation).
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
    /// The usage of the most used resource: 1 is full, above 1 if the demand exceeds the capacity.
    pub saturation: Option<f64>,
}

/// A scrape target that is down.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DownTarget {
    /// The label `instance` of the target.
    pub instance: Text,
    /// The label `job` of the target.
    pub job: Text,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScrapeTargets {
    pub up: u32,
    pub total: u32,
    pub down: Vec<DownTarget>,
}

/// The data of one source about one service.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ServiceReading {
    pub name: Text,
    /// Labels such as team and tier that all targets have in common.
    pub labels: Labels,
    pub signals: Signals,
    pub targets: ScrapeTargets,
    /// Signals that exist but could not be read.
    pub unknown: UnknownSignals,
    /// The label that names it, if a metric pack defines one, such as `proxy`. Alerts with that label belong to the service.
    pub named_by: Option<Text>,
    /// Its hosts, the highest usage first.
    pub hosts: Arc<[Host]>,
    /// Servers that are only monitored through an exporter.
    pub servers: Vec<MonitoredServers>,
    /// Named signals from metric packs.
    pub named: Vec<NamedSignal>,
    /// Hashes of the scrape targets that the data come from, ascending; empty if unknown.
    pub scraped: Arc<[u64]>,
}

impl ServiceReading {
    /// Whether both sources scrape the same targets, as the servers of a highly available pair do: at least half of the smaller
    /// set. Values of the same targets must not be added up.
    pub fn is_replica_of(&self, other: &Self) -> bool {
        let (a, b) = (&self.scraped, &other.scraped);
        let common = a.iter().filter(|target| b.binary_search(target).is_ok()).count();
        common > 0 && 2 * common >= a.len().min(b.len())
    }
}

/// The data of one source about all its services.
#[derive(Debug, Clone, Default)]
pub struct ServiceSnapshot {
    /// Each service once, sorted by name.
    pub readings: Vec<ServiceReading>,
    /// The lookback of the rates and ratios.
    pub lookback: Duration,
}

/// One service as displayed, merged from all sources that report it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Service {
    pub name: Text,
    /// Labels such as team and tier.
    pub labels: Labels,
    pub signals: Signals,
    pub targets: ScrapeTargets,
    /// Signals that exist but are unknown now.
    pub unknown: UnknownSignals,
    /// The label that names it, if a metric pack defines one.
    pub named_by: Option<Text>,
    /// Its hosts, the highest usage first.
    pub hosts: Arc<[Host]>,
    /// Named signals from metric packs.
    pub named: Vec<NamedSignal>,
    pub health: Health,
    /// The reasons for the health, the worst first; empty when healthy.
    pub reasons: Vec<Reason>,
    /// When the health last changed; `None`: not since it was first computed.
    pub since: Option<Timestamp>,
    /// Its firing and pending alerts, sorted by fingerprint.
    pub alerts: Vec<Fingerprint>,
    /// The services that it calls, as configured.
    pub depends_on: Vec<Text>,
    /// The sources that report it.
    pub sources: Vec<SourceId>,
    /// The sources whose histories are charted and added up: one of each group that scrapes the same targets, and all others.
    pub chart_sources: Vec<SourceId>,
    /// When a source last reported it.
    pub seen_at: Timestamp,
}

impl Service {
    /// The same service without any values.
    #[must_use]
    pub fn without_values(&self) -> Self {
        Self {
            name: self.name.clone(),
            labels: self.labels.clone(),
            named_by: self.named_by.clone(),
            depends_on: self.depends_on.clone(),
            sources: self.sources.clone(),
            chart_sources: self.chart_sources.clone(),
            seen_at: self.seen_at,
            ..Self::default()
        }
    }

    /// How many of its targets are up, `2/3`, with `?` for unknown numbers; `None` without targets.
    pub fn up(&self) -> Option<String> {
        let ScrapeTargets { up, total, .. } = self.targets;
        match (self.unknown.contains(Signal::Targets), total) {
            (false, 0) => None,
            (false, _) => Some(format!("{up}/{total}")),
            (true, 0) => Some("?".to_owned()),
            (true, _) => Some(format!("?/{total}")),
        }
    }

    /// The resource with the highest usage, with its host.
    pub fn highest_usage(&self) -> Option<(&Host, &Usage)> {
        let first = self.hosts.first()?;
        Some((first, first.highest_usage()?))
    }

    /// Whether no source of signals reported it: only alerts name it.
    pub fn is_named_by_alerts_alone(&self) -> bool {
        self.chart_sources.is_empty()
    }
}
