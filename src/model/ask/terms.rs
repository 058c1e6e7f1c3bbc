//! What the rows of the table of questions are put together from.

use std::time::Duration;

use jiff::Timestamp;

use crate::model::labels::Text;
use crate::model::series::TimeGrid;

/// How often a source is asked whether it is well, at the least and whatever that costs: it is known within 15 seconds that one
/// is not.
pub const HEARTBEAT: Duration = Duration::from_secs(5);
/// As often as PagerDuty's limit of requests bears well, and often enough that what hangs is named within 15 s.
pub(super) const FREQUENT_INTERVAL: Duration = Duration::from_secs(10);
/// Charts are brought up to date at least this often, unless the configuration asks for less.
const CHART_MAX_INTERVAL: Duration = Duration::from_secs(60);

/// The time that a chart wants, and the part of it that is asked for now.
///
/// `tail` is the end of `window` on the same grid; the first time it is the whole of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QueryRange {
    /// All that is wanted on the screen.
    pub window: TimeGrid,
    /// What is to be fetched.
    pub tail: TimeGrid,
}

/// What tells one series of charts from another: the same expression over an hour and over a week are two.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SeriesKey {
    pub query: Text,
    /// How much time the chart shows.
    pub range: Duration,
    pub step: Duration,
}

impl SeriesKey {
    pub fn over(query: Text, window: TimeGrid) -> Self {
        let points = u32::try_from(window.count().saturating_sub(1)).unwrap_or(u32::MAX);
        Self { query, range: window.step().saturating_mul(points), step: window.step() }
    }
}

/// The moment that a question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Moment {
    /// Whenever it is answered.
    #[default]
    Now,
    At(Timestamp),
}

impl Moment {
    /// The moment of the past; `None` for now.
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

/// How often a question is asked while its answers are cheap; `configured` is `limits.interval`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refresh {
    AsConfigured,
    /// As often as configured, but no more seldom than this.
    AtLeastEvery(Duration),
    /// As often as configured, but no more often than this.
    AtMostEvery(Duration),
    Every(Duration),
    /// With each new point of a chart with this step, within what is configured and a minute.
    EachPoint(Duration),
}

impl Refresh {
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

/// What a request is for, the most important first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Whether it is well, who is to be woken and why.
    Vital,
    Slos,
    Services,
    Page,
    Chart,
}

/// What the time range of the screen changes in a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeUse {
    /// Nothing: it is always about now.
    Now,
    /// It is about now, and tells what was within the range.
    Since,
    /// It is about the moment at which the range ends.
    Moment,
    /// It is about the whole range.
    Range,
}

/// What of the world is worked out anew after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merges {
    /// Nothing: the answer is only kept.
    Nothing,
    /// Nothing, but lists are made from the answer itself.
    AsIs,
    /// Alerts, and what hangs on them.
    Alerts,
    /// Services, and what hangs on them.
    Services,
    Slos,
    Incidents,
    IncidentLinks,
}
