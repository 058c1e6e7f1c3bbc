//! Handles the progress of confirmed plans: shows it, reports results, and queries the changed objects again.

use std::time::Duration;

use jiff::Timestamp;

use crate::app::commands::Command;
use crate::app::event::{Effect, Message, Tone};
use crate::app::identity::{IncidentKey, SilenceKey};
use crate::app::key::{Key, NamedKey};
use crate::app::results;
use crate::app::runs::{PlanRun, result_message, summary};
use crate::app::selection::Handled;
use crate::app::state::{Mode, State};
use crate::model::action::{Action, ActionProgress, ActionResult};
use crate::model::ask::Topic;
use crate::model::operation::TargetKind;
use crate::model::remote::age;

/// How long a second press of the quit key is accepted.
const MEANT: Duration = Duration::from_secs(10);

/// Records the progress of an action.
pub(super) fn progressed(
    state: &mut State,
    plan: u64,
    index: usize,
    progress: ActionProgress,
    now: Timestamp,
) {
    let Some(run) = state.shared.runs.progressed(plan, index, progress.clone()) else { return };
    let run = run.clone();
    state.version += 1;
    state.shared.world.progressed((plan, index), &progress, now);
    let (ActionProgress::Ended(ending), Some(action)) = (progress, run.plan.actions.get(index)) else {
        return;
    };
    // after the action, the next answer of the source replaces the optimistic state, whatever the result is
    let topics = topics(action);
    state.shared.scheduler.requery(&action.source, |topic| topics.contains(topic), now);
    tell(state, &run, action, &ending, now);
    if ending.is_done() {
        unmark(state, &run, action);
    }
}

/// Reports a failed action at once; successful actions of a plan are reported once, together.
fn tell(state: &mut State, run: &PlanRun, action: &Action, ending: &ActionResult, now: Timestamp) {
    let is_one = run.progress.len() == 1;
    if is_one || !ending.is_done() {
        state.shared.messages.tell(result_message(action, ending), now);
    }
    if !is_one && !run.is_running() {
        let key = state.shared.key(Command::Results);
        state.shared.messages.tell(summary(run, &key), now);
    }
}

/// The queries to send after an action.
fn topics(action: &Action) -> Vec<Topic> {
    match action.operation.kind().target() {
        TargetKind::Alerts | TargetKind::Silence => vec![Topic::Silences, Topic::Alerts],
        TargetKind::Schedule => vec![Topic::OnCall],
        TargetKind::Incident | TargetKind::Service => {
            vec![Topic::Incidents, Topic::Incident(action.target.id.clone())]
        }
    }
}

/// Removes the marks of the targets whose action succeeded; the other marks stay.
fn unmark(state: &mut State, run: &PlanRun, action: &Action) {
    let is_last = !run.is_running() && run.done() == run.progress.len();
    match action.operation.kind().target() {
        TargetKind::Alerts => {
            if is_last {
                state.screens.unmark(&Handled::Alerts(&run.covers));
            }
        }
        TargetKind::Silence => {
            let key = SilenceKey { id: action.target.id.clone(), source: action.source.clone() };
            state.screens.unmark(&Handled::Silence(&key));
        }
        TargetKind::Incident | TargetKind::Service | TargetKind::Schedule => {
            let known = state.shared.world.incident(&action.source, &action.target.id);
            if let Some(key) = known.map(IncidentKey::of) {
                state.screens.unmark(&Handled::Incident { key: &key, is_last });
            }
        }
    }
}

/// Quits; while an action is in progress only after a second press.
pub(super) fn leave(state: &mut State, now: Timestamp) -> Vec<Effect> {
    let running: usize = state.shared.runs.running().map(|run| run.progress.len() - run.over()).sum();
    let is_meant = state.leaving.is_some_and(|at| age(at, now) < MEANT);
    if running == 0 || is_meant {
        return vec![Effect::Quit];
    }
    state.leaving = Some(now);
    let (things, verb) = if running == 1 { ("1 action", "is") } else { ("actions", "are") };
    let count = if running == 1 { String::new() } else { format!("{running} ") };
    let key = state.shared.key(Command::Quit);
    let text = format!(
        "{count}{things} {verb} in progress: press {key} again to quit now; the journal records the progress"
    );
    state.shared.messages.tell(Message { tone: Tone::Trouble, text }, now);
    Vec::new()
}

/// Handles a key in the list of results.
pub(super) fn read(state: &mut State, (back, top): (usize, u16), key: Key, now: Timestamp) {
    let page = state.shared.size.1.saturating_sub(6).max(1);
    let oldest = state.shared.runs.all().len().saturating_sub(1);
    let (back, top) = match state.shared.keys.lookup(key, &[]) {
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
    let top = top.min(results::last_top(&state.shared, back, now));
    state.mode = Mode::Results { back, top };
}

/// Translates the mouse wheel to the arrow keys, in views that scroll with the arrow keys.
pub(super) fn wheel_key(wheel: i16) -> Key {
    Key::named(if wheel < 0 { NamedKey::Up } else { NamedKey::Down })
}
