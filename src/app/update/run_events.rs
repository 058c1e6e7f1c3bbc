//! Handles the progress of confirmed plans: shows it, reports results, and queries the changed objects again.

use std::time::Duration;

use jiff::Timestamp;

use crate::app::commands::Command;
use crate::app::event::Effect;
use crate::app::identity::{IncidentKey, SilenceKey};
use crate::app::number::plural;
use crate::app::runs::{PlanRun, result_message, summary};
use crate::app::selection::Handled;
use crate::app::state::State;
use crate::model::action::{Action, ActionProgress, ActionResult};
use crate::model::ask::Topic;
use crate::model::operation::TargetKind;
use crate::model::remote::age;

/// How long a second press of the quit key is accepted.
const MEANT: Duration = Duration::from_secs(10);

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
pub(super) fn leave(state: &mut State, now: Timestamp) {
    let running: usize = state.shared.runs.running().map(|run| run.progress.len() - run.over()).sum();
    let is_meant = state.leaving.is_some_and(|at| age(at, now) < MEANT);
    if running == 0 || is_meant {
        state.shared.effects.push(Effect::Quit);
        return;
    }
    state.leaving = Some(now);
    let (actions, verb) = (plural(running, "action"), if running == 1 { "is" } else { "are" });
    let key = state.shared.key(Command::Quit);
    let text = format!(
        "{actions} {verb} in progress: press {key} again to quit now; the journal records the progress"
    );
    state.shared.messages.warn(text, now);
}
