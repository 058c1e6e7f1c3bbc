//! What becomes of what was confirmed: shown while it is on its way, told when it is over, looked after by asking again.

use std::time::Duration;

use jiff::Timestamp;

use super::commands::Command;
use super::doings::{Doing, summary, told};
use super::event::{Effect, Message, Tone};
use super::key::{Key, Named};
use super::screens::alerts::Row as AlertLine;
use super::screens::incidents::{IncidentKey, Row as IncidentLine};
use super::state::{Mode, State};
use crate::model::action::{Action, DeedKind, Ending, Progress};
use crate::model::ask::Topic;
use crate::model::remote::age;

/// For how long wanting to leave once more means it.
const MEANT: Duration = Duration::from_secs(10);

/// Takes note of how far an action is.
pub(super) fn progressed(state: &mut State, plan: u64, index: usize, progress: Progress, now: Timestamp) {
    let Some(doing) = state.doings.progressed(plan, index, progress.clone()) else { return };
    let doing = doing.clone();
    state.version += 1;
    state.world.progressed((plan, index), &progress, now);
    let (Progress::Ended(ending), Some(action)) = (progress, doing.plan.actions.get(index)) else { return };
    // whatever came of it: what the source tells from now on is what counts
    let topics = topics(action);
    state.polls.ask_again(&action.source, |topic| topics.contains(topic), now);
    tell(state, &doing, action, &ending, now);
    if ending.is_done() {
        unmark(state, &doing, action);
    }
}

/// Every ending that is not what was wanted is told by itself; of many that are, only the sum.
fn tell(state: &mut State, doing: &Doing, action: &Action, ending: &Ending, now: Timestamp) {
    let is_one = doing.progress.len() == 1;
    if is_one || !ending.is_done() {
        state.messages.tell(told(action, ending), now);
    }
    if !is_one && !doing.is_running() {
        let key = state.keys.of(Command::Results).first().map(ToString::to_string).unwrap_or_default();
        state.messages.tell(summary(doing, &key), now);
    }
}

/// What a source has to be asked after an action.
fn topics(action: &Action) -> Vec<Topic> {
    match action.deed.kind() {
        DeedKind::Silence | DeedKind::Edit | DeedKind::Extend | DeedKind::Expire => {
            vec![Topic::Silences, Topic::Alerts]
        }
        DeedKind::TakeShift => vec![Topic::OnCall],
        _ => vec![Topic::Incidents, Topic::Incident(action.target.id.clone())],
    }
}

/// Takes the marks of what was done away; what was not done keeps its mark.
fn unmark(state: &mut State, doing: &Doing, action: &Action) {
    let is_over = !doing.is_running() && doing.done() == doing.progress.len();
    match action.deed.kind() {
        DeedKind::Silence => {
            if is_over {
                let covers = &doing.covers;
                state.alerts.list.unmark(|row| match row {
                    AlertLine::Alert(fingerprint) => covers.contains(fingerprint),
                    AlertLine::Group(_) => true,
                });
                for list in [&mut state.overview.alerts, &mut state.service_alerts, &mut state.related] {
                    list.unmark(|fingerprint| covers.contains(fingerprint));
                }
            }
        }
        DeedKind::Edit | DeedKind::Extend | DeedKind::Expire => {
            state.silences.list.unmark(|key| key.id == action.target.id && key.source == action.source);
        }
        _ => {
            let Some(key) = state.world.incident(&action.source, &action.target.id).map(IncidentKey::of)
            else {
                return;
            };
            state.incidents.list.unmark(|row| match row {
                IncidentLine::Incident(one) => *one == key,
                IncidentLine::Group(_) => is_over,
            });
            for list in [&mut state.overview.incidents, &mut state.service_incidents] {
                list.unmark(|one| *one == key);
            }
        }
    }
}

/// Leaves; while something is on its way only when that is asked for twice.
pub(super) fn leave(state: &mut State, now: Timestamp) -> Vec<Effect> {
    let running: usize = state.doings.running().map(|doing| doing.progress.len() - doing.over()).sum();
    let is_meant = state.leaving.is_some_and(|at| age(at, now) < MEANT);
    if running == 0 || is_meant {
        return vec![Effect::Quit];
    }
    state.leaving = Some(now);
    let (things, verb) = if running == 1 { ("1 action", "is") } else { ("actions", "are") };
    let count = if running == 1 { String::new() } else { format!("{running} ") };
    let key = state.keys.of(Command::Quit).first().map(ToString::to_string).unwrap_or_default();
    let text = format!(
        "{count}{things} {verb} on the way: {key} once more leaves now, and the journal keeps how far it came"
    );
    state.messages.tell(Message { tone: Tone::Trouble, text }, now);
    Vec::new()
}

/// Takes a key while results are read.
pub(super) fn read(state: &mut State, (back, top): (usize, u16), key: Key, now: Timestamp) {
    let page = state.size.1.saturating_sub(6).max(1);
    let oldest = state.doings.all().len().saturating_sub(1);
    let (back, top) = match state.keys.lookup(key, &[]) {
        Some(Command::Down) => (back, top.saturating_add(1)),
        Some(Command::Up) => (back, top.saturating_sub(1)),
        Some(Command::PageDown) => (back, top.saturating_add(page)),
        Some(Command::PageUp) => (back, top.saturating_sub(page)),
        Some(Command::Top) => (back, 0),
        Some(Command::Bottom) => (back, u16::MAX),
        Some(Command::Left) => ((back + 1).min(oldest), 0),
        Some(Command::Right) => (back.saturating_sub(1), 0),
        _ => return,
    };
    let top = top.min(super::doings::last_top(state, back, now));
    state.mode = Mode::Results { back, top };
}

/// The wheel as a key: what scrolls by arrows scrolls by it.
pub(super) fn wheel_key(wheel: i16) -> Key {
    Key::named(if wheel < 0 { Named::Up } else { Named::Down })
}
