//! Why a service is unhealthy: the question, and what a source finds out by comparing the bad time with the time before.
//!
//! `docs/why.md` documents the measure. [`causes`] joins what sources, changes and alerts say into one ranking.

use jiff::Timestamp;

use super::change::Change;
use super::labels::{Labels, Text};
use super::series::TimeGrid;
use super::slo::TimeRange;
use super::words::words;
pub use cause::{Cause, CauseContext, CauseKind, LOOKED_BACK, causes};
pub use measure::{Difference, Tally, WhyCell, labels_of, rank};
pub use sentence::{amount, headline, is_ratio, named, share};
pub use symptom::{
    CountedSeries, LevelKind, SignalShift, bound_shift, level_shift, ratio_shift, slower, traffic_shift,
};

mod cause;
mod measure;
mod onset;
mod sentence;
mod symptom;

words! {
    /// A signal of a service that may have changed, the worst first.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum WhySignal: word {
        /// Scrape targets that are down.
        Targets = "targets",
        Errors = "errors",
        Latency = "latency",
        Traffic = "traffic",
        /// Levels of resources: utilisation, queues, free space.
        Saturation = "saturation",
    }
}

impl WhySignal {
    /// The beginning of its bad time in words: "the errors began".
    pub const fn began(self) -> &'static str {
        match self {
            Self::Targets => "the targets went down",
            Self::Errors => "the errors began",
            Self::Latency => "the requests became slow",
            Self::Traffic => "the traffic changed",
            Self::Saturation => "the level changed",
        }
    }
}

/// The question why a service is unhealthy.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WhyQuery {
    pub service: Text,
    /// Only this signal; `None`: every signal that changed.
    pub signal: Option<WhySignal>,
    /// When the bad time began as far as alerts and incidents tell; the change is looked for around it.
    pub since: Option<Timestamp>,
    /// When the bad time ended; `None` if it lasts.
    pub until: Option<Timestamp>,
    /// Only requests with these labels.
    pub filters: Labels,
}

impl WhyQuery {
    /// The question about a service now, with all its requests and signals.
    pub fn of(service: impl Into<Text>) -> Self {
        Self { service: service.into(), signal: None, since: None, until: None, filters: Labels::default() }
    }

    /// The same question about those of the requests that also have these labels.
    #[must_use]
    pub fn within(&self, signal: WhySignal, labels: &Labels) -> Self {
        Self { signal: Some(signal), filters: self.filters.merged_with(labels), ..self.clone() }
    }
}

/// A set of requests that explains a part of a difference.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelFinding {
    /// One label with its value, or two.
    pub labels: Labels,
    /// Other labels that select the same requests.
    pub equivalent: Vec<Labels>,
    /// Its share of the excess, 0 to 1.
    pub explained: f64,
    /// Its share of the traffic in the bad time, 0 to 1.
    pub traffic: f64,
    /// Its share of the traffic in the good time, 0 to 1.
    pub traffic_before: f64,
    /// Youden's J: the share of the excess minus the share of everything else.
    pub score: f64,
    /// Whether it had no traffic in the good time, as a new version.
    pub is_new: bool,
    /// Its failed or slow requests in the bad time.
    pub failed: f64,
    /// Its requests in the bad time.
    pub requests: f64,
}

/// A signal that changed for the worse.
#[derive(Debug, Clone, PartialEq)]
pub struct Symptom {
    pub signal: WhySignal,
    /// What it was measured by: a metric, or the bucket bound of a latency.
    pub measured_by: Text,
    /// The resource, for [`WhySignal::Saturation`].
    pub resource: Option<Text>,
    /// In seconds: slower requests count as slow; for [`WhySignal::Latency`].
    pub bound: Option<f64>,
    pub onset: Timestamp,
    pub bad: TimeRange,
    /// `None`: there are no data from before.
    pub good: Option<TimeRange>,
    /// The level in the good time: a ratio, requests per second, or the value of the metric.
    pub before: Option<f64>,
    /// The level in the bad time.
    pub after: f64,
    /// How bad it is, 0 to 1.
    pub severity: f64,
    /// The signal over time, NaN where there are no data.
    pub span: TimeGrid,
    pub values: Vec<f64>,
    pub findings: Vec<LabelFinding>,
    /// The labels that were compared, sorted.
    pub labels: Vec<Text>,
}

/// What the state of a dependency was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DependencyMeasure {
    /// The calls of the service to it.
    Calls,
    /// All requests that it gets, also from others.
    Requests,
    /// Its scrape targets: how many are down.
    Targets,
}

/// The failures of another service that the service calls.
#[derive(Debug, Clone, PartialEq)]
pub struct DependencyState {
    pub name: Text,
    pub measured_by: DependencyMeasure,
    /// When it began to fail; `None` if it does not fail more than before.
    pub onset: Option<Timestamp>,
    /// Failed / all calls or requests, or the share of targets that are down: before and now.
    pub before: f64,
    pub after: f64,
}

/// A level of the service that changed, or a resource that is nearly full.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceState {
    /// `cpu`, `disk`, `queue`.
    pub name: Text,
    pub metric: Text,
    /// When it changed; `None` if it is full without a recent change.
    pub onset: Option<Timestamp>,
    pub before: Option<f64>,
    pub after: f64,
    /// Where, if it changed at one place.
    pub labels: Labels,
}

/// Another service whose requests fail more than before.
#[derive(Debug, Clone, PartialEq)]
pub struct OtherService {
    pub name: Text,
    pub onset: Timestamp,
    /// Failed / all requests.
    pub after: f64,
}

/// What one source finds out about a [`WhyQuery`].
#[derive(Debug, Clone, PartialEq)]
pub struct WhyAnalysis {
    /// Whether the source has any metric of the service.
    pub is_known: bool,
    /// The signals that were looked at, in their order.
    pub looked_at: Vec<WhySignal>,
    /// The signals that changed, the worst first.
    pub symptoms: Vec<Symptom>,
    /// The service's dependencies, those that fail most first.
    pub dependencies: Vec<DependencyState>,
    pub resources: Vec<ResourceState>,
    /// Other services that broke, the first first.
    pub others: Vec<OtherService>,
    /// The changes of the service that its own metrics show.
    pub changes: Vec<Change>,
    /// What was left out or could not be asked.
    pub notes: Vec<Text>,
    /// The number of requests that were sent.
    pub requests: u32,
}

impl WhyAnalysis {
    /// The labels that were compared, sorted.
    pub fn labels(&self) -> Vec<Text> {
        let mut labels: Vec<Text> = self.symptoms.iter().flat_map(|symptom| symptom.labels.clone()).collect();
        labels.sort();
        labels.dedup();
        labels
    }
}
