//! Goes to a place that was chosen, and shows the time that it is about.

use std::time::Duration;

use jiff::Timestamp;

use super::change_range;
use crate::app::place::Place;
use crate::app::range::lengths;
use crate::app::state::State;
use crate::model::remote::age;

/// The logs begin this long before the first alert ...
const LOGS_BEFORE: Duration = Duration::from_secs(15 * 60);
/// ... unless the range would be longer than this.
const LONGEST_LOGS: Duration = Duration::from_secs(24 * 3600);

/// Goes to a place. For logs the time range is extended so that it begins some minutes before the first alert.
pub(super) fn go(state: &mut State, place: Place, now: Timestamp) {
    let was_there = matches!(state.place(), Place::Logs(_));
    if let Place::Logs(subject) = &place
        && !was_there
        && let Some(since) = subject.since.filter(|_| state.shared.range.end.is_none())
    {
        let needed = age(since, now).saturating_add(LOGS_BEFORE);
        let length = lengths().into_iter().find(|length| *length >= needed && *length <= LONGEST_LOGS);
        if let Some(length) = length.filter(|length| *length > state.shared.range.length) {
            change_range(state, now, |range, _| range.length = length);
        }
    }
    state.go(place, now);
}
