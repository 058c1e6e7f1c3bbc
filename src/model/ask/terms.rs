//! The types used in the rows of the table of questions.

use std::time::Duration;

use jiff::Timestamp;

use crate::model::labels::Text;
use crate::model::series::TimeGrid;

/// The longest interval between health checks of a source, whatever they cost: a failure is noticed within 15
/// seconds.
pub const HEARTBEAT: Duration = Duration::from_secs(5);
/// Slow enough for PagerDuty's request limit, and fast enough to report a hanging source within 15 seconds.
pub(super) const FREQUENT_INTERVAL: Duration = Duration::from_secs(10);
/// How often new log lines are asked for while they are followed.
pub(super) const FOLLOW_INTERVAL: Duration = Duration::from_secs(2);
/// The longest interval between updates of a chart, unless a longer one is configured.
const CHART_MAX_INTERVAL: Duration = Duration::from_secs(60);

/// The time range of a chart, and the part of it that is fetched now.
///
/// `tail` is the end of `window` on the same grid; in the first request it is all of `window`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QueryRange {
    /// The whole displayed range.
    pub window: TimeGrid,
    /// The part to fetch.
    pub tail: TimeGrid,
}

/// Identifies the data of a chart: the same expression over an hour and over a week are different data.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SeriesKey {
    pub query: Text,
    /// The length of the time range.
    pub range: Duration,
    /// The time between two points.
    pub step: Duration,
}

impl SeriesKey {
    /// The key of an expression over this time grid.
    pub fn over(query: Text, window: TimeGrid) -> Self {
        let points = u32::try_from(window.count().saturating_sub(1)).unwrap_or(u32::MAX);
        Self { query, range: window.step().saturating_mul(points), step: window.step() }
    }
}

/// The moment that a question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Moment {
    /// The time of the answer.
    #[default]
    Now,
    /// A time in the past.
    At(Timestamp),
}

impl Moment {
    /// The time in the past; `None` for now.
    pub const fn past(self) -> Option<Timestamp> {
        match self {
            Self::Now => None,
            Self::At(at) => Some(at),
        }
    }
}

impl From<Option<Timestamp>> for Moment {
    fn from(past: Option<Timestamp>) -> Self {
        past.map_or(Self::Now, Self::At)
    }
}

/// How often a question is asked if its answers are cheap; `configured` is `limits.interval`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refresh {
    /// At the configured interval.
    AsConfigured,
    /// At the configured interval, but at least this often.
    AtLeastEvery(Duration),
    /// At the configured interval, but at most this often.
    AtMostEvery(Duration),
    /// At this interval, whatever is configured.
    Every(Duration),
    /// Once per step of a chart, but not more often than configured, and at least once a minute.
    EachPoint(Duration),
}

impl Refresh {
    /// The time between two questions.
    pub fn interval(self, configured: Duration) -> Duration {
        match self {
            Self::AsConfigured => configured,
            Self::AtLeastEvery(most) => configured.min(most),
            Self::AtMostEvery(least) => configured.max(least),
            Self::Every(interval) => interval,
            Self::EachPoint(step) => step.clamp(configured, CHART_MAX_INTERVAL.max(configured)),
        }
    }
}

/// The priority of a request, the most important first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Source health, alerts, incidents and on-call.
    Vital,
    /// SLOs and their burn rates.
    Slos,
    /// Services and their health.
    Services,
    /// Details on an open page.
    Page,
    /// Histories and charts.
    Chart,
}

/// How a question depends on the displayed time range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeUse {
    /// It does not: the question is always about now.
    Now,
    /// It is about now, and includes events within the range.
    Since,
    /// It is about the end of the range.
    Moment,
    /// It is about the whole range.
    Range,
}

/// The parts of the merged state that an answer updates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merges {
    /// Nothing: the answer is only stored.
    Nothing,
    /// Nothing is computed, but lists show the answer directly.
    AsIs,
    /// Alerts, and the services, SLOs and incidents that depend on them.
    Alerts,
    /// Services, and the SLOs and incidents that depend on them.
    Services,
    Slos,
    Incidents,
    /// The links from incidents to alerts and services.
    IncidentLinks,
    Changes,
    /// Resources with their forecasts.
    Capacity,
}
