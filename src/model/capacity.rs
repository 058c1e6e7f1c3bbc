//! Resources with a limit: how much of each is used, how its usage grows, and when it will be full.
//!
//! The definitions are in `docs/capacity.md`. Deadlines (certificates) and error budgets of SLOs are resources, too.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::duration::short as span;
use super::health::percent;
use super::host::{Host, place};
use super::labels::Text;
use super::quantity;
use super::series::TimeGrid;
use super::source::SourceId;
use super::words::words;
pub use forecast::{GrowthTrend, forecast};
pub use season::SeasonKind;

mod budget;
mod fit;
mod forecast;
mod points;
mod season;
#[cfg(test)]
mod tests;

words! {
    /// The unit of a usage and its limit.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
    pub enum CapacityUnit: word {
        /// A number of things, such as connections.
        #[default]
        Count = "count",
        Bytes = "bytes",
        /// A share, 1 is all.
        Ratio = "ratio",
    }
}

impl CapacityUnit {
    /// The amount as text: `390 GiB`, `152`, `97.9%`.
    pub fn text(self, amount: f64) -> String {
        match self {
            Self::Count => quantity::short(amount),
            Self::Bytes => quantity::bytes(amount),
            Self::Ratio => percent(amount),
        }
    }
}

/// The lookbacks with their steps, the longest first. A day has 24 points in a week, so that its season is seen; the shortest shows
/// what happens now.
pub const LOOKBACKS: [(Duration, Duration); 4] = [
    (Duration::from_secs(28 * 86_400), Duration::from_secs(6 * 3600)),
    (Duration::from_secs(7 * 86_400), Duration::from_secs(3600)),
    (Duration::from_secs(86_400), Duration::from_secs(900)),
    (Duration::from_secs(7200), Duration::from_secs(60)),
];

/// The points of a lookback that ends at `end`.
pub fn lookback_grid((length, step): (Duration, Duration), end: Timestamp) -> TimeGrid {
    TimeGrid::ending(end, length, u16::MAX, step)
}

/// The usage over one lookback.
#[derive(Debug, Clone, PartialEq)]
pub struct UsageLine {
    pub span: TimeGrid,
    /// One value for each point of the grid, NaN where there is none.
    pub values: Vec<f64>,
}

/// How much of a resource is used.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CapacityUse {
    /// `limit` is `None` if it is unknown, or if there is none.
    Amount { used: f64, limit: Option<f64> },
    /// The resource is time: it ends at this moment.
    Until(Timestamp),
}

/// Identifies a resource: two answers about the same resource have the same key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CapacityKey {
    pub source: SourceId,
    /// The service that it belongs to; empty if none is known.
    pub service: Text,
    /// What it is: `disk`.
    pub resource: Text,
    /// The host's `instance` label; empty for the service as a whole.
    pub instance: Text,
    /// The instance of the resource on the host: `/var`.
    pub part: Text,
}

/// A resource with its forecast, as one source reports it.
#[derive(Debug, Clone, PartialEq)]
pub struct CapacityReading {
    pub key: CapacityKey,
    /// The display name of the host.
    pub host: Text,
    pub unit: CapacityUnit,
    pub amount: CapacityUse,
    /// Whether the service is degraded when the resource will soon be full. Some resources are full on purpose.
    pub is_warned: bool,
    /// The usage in the past, the longest lookback first; empty for deadlines.
    pub history: Vec<UsageLine>,
    /// The limit over the longest lookback.
    pub limits: Option<UsageLine>,
    /// How the usage grows, if that is known.
    pub trend: Option<GrowthTrend>,
    pub outlook: Outlook,
    /// The expression of the usage, or of the deadline.
    pub query: Text,
    /// When it was evaluated.
    pub at: Timestamp,
}

/// When a resource will be full, in nine of ten cases if its growth goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FillTime {
    pub at: Timestamp,
    pub earliest: Timestamp,
    /// `None`: perhaps not at all.
    pub latest: Option<Timestamp>,
}

/// What is to be expected of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outlook {
    /// The usage is at its limit or above it.
    Full,
    Fills(FillTime),
    /// The resource is a deadline.
    Ends(Timestamp),
    /// The usage may grow, but its growth is not clear against its ups and downs.
    Unclear {
        earliest: Timestamp,
    },
    /// The usage grows, but does not reach the limit within this time, and nothing is said about later.
    NotWithin(Duration),
    /// The usage does not grow.
    Steady,
    Falling,
    /// There is too little history since the beginning, or since the last reset.
    NeedsHistory {
        has: Duration,
        needs: Duration,
    },
    /// The history could not be read.
    Unknown,
    /// No limit is known.
    WithoutLimit,
}

impl Outlook {
    /// When the resource will be full or over; now, if it is.
    pub fn end(&self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Full => Some(now),
            Self::Fills(FillTime { at, .. }) | Self::Ends(at) => Some(*at),
            Self::Unclear { .. }
            | Self::NotWithin(_)
            | Self::Steady
            | Self::Falling
            | Self::NeedsHistory { .. }
            | Self::Unknown
            | Self::WithoutLimit => None,
        }
    }

    /// The earliest and the latest time at which it is full; no latest one if it may never be.
    pub fn bounds(&self) -> Option<(Timestamp, Option<Timestamp>)> {
        match self {
            Self::Fills(FillTime { earliest, latest, .. }) => Some((*earliest, *latest)),
            Self::Unclear { earliest } => Some((*earliest, None)),
            Self::Full
            | Self::Ends(_)
            | Self::NotWithin(_)
            | Self::Steady
            | Self::Falling
            | Self::NeedsHistory { .. }
            | Self::Unknown
            | Self::WithoutLimit => None,
        }
    }

    /// The word for the state, for filters and JSON.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Fills(_) => "fills",
            Self::Ends(_) => "ends",
            Self::Unclear { .. } => "unclear",
            Self::NotWithin(_) => "later",
            Self::Steady => "steady",
            Self::Falling => "falling",
            Self::NeedsHistory { .. } => "needs history",
            Self::Unknown => "unknown",
            Self::WithoutLimit => "no limit",
        }
    }

    /// The state in words, for a cell: `3d4h (2d-6d)`.
    pub fn words(&self, now: Timestamp) -> String {
        match self {
            Self::Full => "full".to_owned(),
            // an error budget: past errors that leave the window put the exhaustion off
            Self::Fills(FillTime { at, earliest, latest: None }) if at == earliest => {
                format!("{} or later", span(left(*at, now)))
            }
            Self::Fills(FillTime { at, earliest, latest }) => {
                let latest = latest.map_or_else(|| "never".to_owned(), |latest| rough(left(latest, now)));
                format!("{} ({}-{latest})", span(left(*at, now)), rough(left(*earliest, now)))
            }
            Self::Ends(at) if *at <= now => format!("over for {}", span(left(now, *at))),
            Self::Ends(at) => span(left(*at, now)),
            Self::Unclear { earliest } => format!("unclear, {} at the earliest", rough(left(*earliest, now))),
            Self::NotWithin(time) => format!("not within {}", rough(*time)),
            Self::Steady => "does not grow".to_owned(),
            Self::Falling => "falls".to_owned(),
            Self::NeedsHistory { needs, .. } => format!("needs {} of history", span(*needs)),
            Self::Unknown => "history unknown".to_owned(),
            Self::WithoutLimit => "no limit known".to_owned(),
        }
    }
}

/// The time from `now` until then; zero if it is over.
pub fn left(then: Timestamp, now: Timestamp) -> Duration {
    then.duration_since(now).max(SignedDuration::ZERO).unsigned_abs()
}

/// A duration in one unit: a bound of a forecast is not known to the minute.
fn rough(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..5400 => format!("{}m", seconds.div_ceil(60)),
        5400..129_600 => format!("{}h", (seconds + 1800) / 3600),
        129_600..63_072_000 => format!("{}d", (seconds + 43_200) / 86_400),
        _ => format!("{}y", (seconds + 15_768_000) / 31_536_000),
    }
}

impl CapacityReading {
    /// The used share; `None` without a limit.
    pub fn ratio(&self) -> Option<f64> {
        match self.amount {
            CapacityUse::Amount { used, limit: Some(limit) } => Some(used / limit),
            CapacityUse::Amount { limit: None, .. } | CapacityUse::Until(_) => None,
        }
    }

    /// `disk on web-17 /data`
    pub fn title(&self) -> String {
        format!("{}{}", self.key.resource, place(&self.host, &self.key.part))
    }

    /// The display name of its host among the hosts of its service, if that is another one: the name that the host reports.
    pub(super) fn other_name(&self, hosts: &[Host]) -> Option<Text> {
        let its =
            hosts.iter().find(|host| !host.instance.is_empty() && host.instance == self.key.instance)?;
        (its.name != self.host).then(|| its.name.clone())
    }

    /// Used and limit as text: `390 GiB of 500 GiB`.
    pub fn amounts(&self) -> String {
        match self.amount {
            CapacityUse::Amount { used, limit: Some(limit) } => {
                format!("{} of {}", self.unit.text(used), self.unit.text(limit))
            }
            CapacityUse::Amount { used, limit: None } => self.unit.text(used),
            CapacityUse::Until(_) => String::new(),
        }
    }

    /// The growth per day as text: `+36.7 GiB`.
    pub fn growth(&self) -> Option<String> {
        let per_day = self.trend.as_ref()?.per_day;
        let sign = if per_day < 0.0 { "-" } else { "+" };
        Some(format!("{sign}{}", self.unit.text(per_day.abs())))
    }

    /// The end of the resource, if its service is to be warned now: within `full` for usages, within `ends` for deadlines. A usage
    /// counts only if its growth is certain.
    pub fn warned_end(&self, full: Duration, ends: Duration, now: Timestamp) -> Option<Timestamp> {
        let (at, within) = match self.outlook {
            Outlook::Fills(FillTime { at, latest: Some(_), .. }) => (at, full),
            Outlook::Ends(at) => (at, ends),
            Outlook::Fills(_)
            | Outlook::Full
            | Outlook::Unclear { .. }
            | Outlook::NotWithin(_)
            | Outlook::Steady
            | Outlook::Falling
            | Outlook::NeedsHistory { .. }
            | Outlook::Unknown
            | Outlook::WithoutLimit => return None,
        };
        (self.is_warned && left(at, now) <= within).then_some(at)
    }

    /// The order by urgency: full ones and those with the least time left first, then by used share.
    pub fn by_urgency(&self, other: &Self) -> Ordering {
        let share = |one: &Self| one.ratio().unwrap_or(f64::NEG_INFINITY);
        (self.rank().cmp(&other.rank()))
            .then_with(|| share(other).total_cmp(&share(self)))
            .then_with(|| self.key.cmp(&other.key))
    }

    /// The place in the order of urgency, and among equals the time that decides. What is full on purpose has no end to come. What may
    /// be full at the earliest in an hour stands where something stands that is full in four.
    fn rank(&self) -> (u8, Timestamp) {
        match self.outlook {
            Outlook::Full if self.is_warned => (0, Timestamp::MIN),
            Outlook::Fills(FillTime { at, .. }) | Outlook::Ends(at) => (0, at),
            Outlook::Full => (1, Timestamp::MIN),
            Outlook::Unclear { earliest } => {
                let about = self.at.checked_add(left(earliest, self.at).saturating_mul(4));
                (0, about.unwrap_or(Timestamp::MAX))
            }
            Outlook::NotWithin(_) => (3, Timestamp::MAX),
            Outlook::NeedsHistory { .. } | Outlook::Unknown => (4, Timestamp::MAX),
            Outlook::Steady => (5, Timestamp::MAX),
            Outlook::WithoutLimit => (6, Timestamp::MAX),
            Outlook::Falling => (7, Timestamp::MAX),
        }
    }
}

impl fmt::Display for CapacityReading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.title())
    }
}

/// The resources of one source.
#[derive(Debug, Clone, Default)]
pub struct CapacitySnapshot {
    /// The most urgent first.
    pub readings: Vec<Arc<CapacityReading>>,
}
