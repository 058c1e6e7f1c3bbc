//! Handles the confirmation dialog: opens it, handles its keys, and updates it when answers arrive.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::app::confirm::{Confirm, Outcome, compute_silence_effect, last_scroll};
use crate::app::event::{Effect, Plan, TerminalLink, Wait};
use crate::app::form::ActionForm;
use crate::app::key::Key;
use crate::app::planner::{ActionProposal, Planner};
use crate::app::state::{Mode, State};
use crate::model::action::Action;
use crate::model::fingerprint::Fingerprint;
use crate::model::labels::Text;
use crate::model::operation::TargetKind;
use crate::model::silence::SilenceState;
use crate::model::world::World;

/// Shows a message with the reason why nothing is done.
pub(super) fn refuse(state: &mut State, why: &str, now: Timestamp) {
    state.shared.messages.warn(format!("Nothing was done: {why}"), now);
}

/// Opens the confirmation dialog for a plan, or shows a message with the reason why there is none.
pub(super) fn open(
    state: &mut State,
    planned: Result<ActionProposal, Text>,
    covers: BTreeSet<Fingerprint>,
    now: Timestamp,
) {
    state.mode = Mode::Browse;
    let ActionProposal { actions, left_out } = match planned {
        Ok(planned) => planned,
        Err(why) => return refuse(state, &why, now),
    };
    let plan = Plan { id: state.shared.runs.number(), context: state.shared.context.clone(), actions };
    let mut confirm = Confirm {
        requests: Planner::of(&state.shared).requests(&plan.actions, now),
        plan,
        left_out,
        covers,
        name: None,
        share: None,
        hides: Vec::new(),
        is_armed: false,
        early_keys: 0,
        hint: None,
        form: None,
        scroll: 0,
    };
    compute_silence_effect(&state.shared, &mut confirm);
    state.mode = Mode::Confirm(Box::new(confirm));
}

/// The wait is over: the dialog was visible long enough, and the next key counts.
pub(super) fn enable_keys(state: &mut State, wait: Wait) {
    if let Mode::Confirm(confirm) = &mut state.mode
        && confirm.wait() == wait
    {
        confirm.is_armed = true;
        state.version += 1;
    }
}

/// Remembers the form that opened the dialog.
pub(super) fn comes_from(state: &mut State, form: Box<ActionForm>) {
    if let Mode::Confirm(confirm) = &mut state.mode {
        confirm.form = Some(form);
    }
}

pub(super) fn press(state: &mut State, mut confirm: Box<Confirm>, key: Key, now: Timestamp) {
    match confirm.take(key, &state.shared.context) {
        Outcome::Open => {
            confirm.hint = None;
            confirm.scroll = confirm.scroll.min(last_scroll(&state.shared, &confirm, now));
            state.mode = Mode::Confirm(confirm);
        }
        Outcome::Stray(why) => {
            confirm.hint = Some(why);
            (confirm.is_armed, confirm.early_keys) = (false, confirm.early_keys.saturating_add(1));
            state.mode = Mode::Confirm(confirm);
        }
        Outcome::Typed => {
            state.shared.messages.note("This key has no function here. Nothing was sent.", now);
            if let Some(form) = confirm.form {
                state.mode = Mode::Form(form);
            }
        }
        Outcome::Left => state.shared.messages.note("Cancelled. Nothing was sent.", now),
        // a user who cannot see the dialog cannot confirm it
        Outcome::Do if state.shared.look.link == TerminalLink::Stalled => {
            let text = "Not sent: the dialog was not visible when it was confirmed";
            state.shared.messages.warn(text, now);
            state.mode = Mode::Confirm(confirm);
        }
        Outcome::Do => begin(state, *confirm, now),
    }
}

fn begin(state: &mut State, Confirm { plan, covers, .. }: Confirm, now: Timestamp) {
    if let Some(why) = state.shared.guard.refusal(&plan.actions) {
        return refuse(state, &why, now);
    }
    // a dry run must not mark the targets as changed
    if !state.shared.guard.dry_run {
        for (index, action) in plan.actions.iter().enumerate() {
            state.shared.world.apply_optimistically((plan.id, index), action.clone(), now);
        }
    }
    state.shared.runs.begin(plan.clone(), covers, now);
    state.shared.effects.push(Effect::Act(plan));
}

/// Checks that the targets are still in the state that the user saw. Changed ones are left out; if none remains, the dialog
/// closes.
pub(super) fn watch(state: &mut State, now: Timestamp) {
    let mode = std::mem::take(&mut state.mode);
    let Mode::Confirm(mut confirm) = mode else {
        state.mode = mode;
        return;
    };
    let mut words: Vec<Text> = Vec::new();
    confirm.plan.actions.retain(|action| {
        let why = moved(&state.shared.world, action);
        words.extend(why.clone());
        why.is_none()
    });
    if confirm.plan.actions.is_empty() {
        return refuse(state, &words.join("; "), now);
    }
    if !words.is_empty() {
        confirm.left_out.extend(words);
        // the plan changed, so an answer to the previous plan must not count
        (confirm.plan.id, confirm.is_armed) = (state.shared.runs.number(), false);
        confirm.requests = Planner::of(&state.shared).requests(&confirm.plan.actions, now);
    }
    compute_silence_effect(&state.shared, &mut confirm);
    state.mode = Mode::Confirm(confirm);
}

/// The current state of an action's target, if it differs from the one that the user saw.
fn moved(world: &World, action: &Action) -> Option<Text> {
    let target = &action.target;
    if let Some(seen) = target.seen {
        return match world.incident(&action.source, &target.id) {
            None => Some(format!("{} is no longer listed by {}", target.name, action.source).into()),
            Some(known) if known.incident.status != seen => {
                let who: Vec<&str> = known.holders().iter().map(|person| &*person.name).collect();
                let by = if who.is_empty() { String::new() } else { format!(" ({})", who.join(", ")) };
                Some(format!("{} is already {}{by}", target.name, known.incident.status.word()).into())
            }
            Some(_) => None,
        };
    }
    if action.operation.kind().target() == TargetKind::Silence {
        let silence =
            world.silences().find(|silence| silence.source == action.source && silence.id == target.id);
        let is_over = silence.is_none_or(|silence| silence.state == SilenceState::Expired);
        return is_over.then(|| format!("{} has ended by now", target.name).into());
    }
    None
}
