//! How far back the data of an SLO reach, and since when there are none.

use std::time::Duration;

use super::leaf::Wrap;
use crate::model::slo::query::{self, Measure};
use crate::model::slo::{Budgeting, Slo};

/// A window is looked at so many times: 1 % of it goes unseen.
const LOOKS: u32 = 120;
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

/// The time between two looks at a window.
pub(super) fn step(window: Duration) -> Duration {
    let minutes = (window / LOOKS).as_secs() / MINUTE.as_secs();
    MINUTE * u32::try_from(minutes).unwrap_or(u32::MAX).max(1)
}

/// When there first were data in the window.
pub(super) fn first(window: Duration) -> Wrap {
    Wrap::First { within: window.max(MINUTE), step: step(window) }
}

/// When there last were: within a day to five minutes, else as close as the window is looked at.
pub(super) fn last(window: Duration) -> [Wrap; 2] {
    [Wrap::Last { within: DAY, step: 5 * MINUTE }, Wrap::Last { within: window.max(DAY), step: step(window) }]
}

/// A query that has a value whenever there are data: all events of the last time before it.
///
/// For a look at the whole window that time is an hour, since data need not come every few minutes, else five minutes.
pub(super) fn at_all(slo: &Slo, wrap: Wrap) -> Option<String> {
    let lookback = match wrap {
        Wrap::Last { within: DAY, .. } | Wrap::Value => 5 * MINUTE,
        Wrap::First { .. } | Wrap::Last { .. } => 60 * MINUTE,
    };
    let plain = Slo { budgeting: Budgeting::Occurrences, ..slo.clone() };
    match query::measure(&plain, lookback)? {
        Measure::Counts { total, .. } => Some(total),
        Measure::Ratio(ratio) => Some(ratio),
    }
}
