//! Whether the data of the current screen have arrived. Used by `snapshot` and reports, which draw a screen only once.

use jiff::Timestamp;

use super::scheduler::Want;
use super::screens;
use super::selection::once;
use super::state::State;
use crate::model::ask::AskKind;
use crate::model::remote::AnswerState;

/// Whether each query of the current screen has an answer or an error, and none is in flight.
pub fn is_settled(state: &State, now: Timestamp) -> bool {
    are_settled(state, &screens::wants(state.screen(), &state.shared, now))
}

/// The same for the queries of these kinds that belong to the current screen only.
pub fn is_screen_settled(state: &State, kinds: &[AskKind], now: Timestamp) -> bool {
    are_settled(state, &own_wants(state, kinds, now))
}

fn own_wants(state: &State, kinds: &[AskKind], now: Timestamp) -> Vec<Want> {
    let mut wants = state.screen().wants(&state.shared, now);
    wants.retain(|want| kinds.contains(&want.ask.kind()));
    wants
}

fn are_settled(state: &State, wants: &[Want]) -> bool {
    wants.iter().all(|want| {
        // a failing source gets no further queries until it has recovered
        state.shared.scheduler.traffic(&want.source).failure().is_some()
            || answer(state, want).is_some_and(AnswerState::is_settled)
                && !state.shared.scheduler.is_waiting(&want.source, &want.ask.topic())
    })
}

/// Whether each query of these kinds of the current screen has an answer or an error.
pub fn has_settled(state: &State, kinds: &[AskKind], now: Timestamp) -> bool {
    let wants = state.screen().wants(&state.shared, now);
    wants.iter().filter(|want| kinds.contains(&want.ask.kind())).all(|want| {
        state.shared.scheduler.traffic(&want.source).failure().is_some()
            || answer(state, want).is_some_and(AnswerState::is_settled)
    })
}

/// The data that the current screen needs and does not have, or only in part: source and reason, without duplicates.
pub fn gaps(state: &State, now: Timestamp) -> Vec<String> {
    gaps_of(state, screens::wants(state.screen(), &state.shared, now))
}

/// The same for the queries of these kinds that belong to the current screen only.
pub fn screen_gaps(state: &State, kinds: &[AskKind], now: Timestamp) -> Vec<String> {
    gaps_of(state, own_wants(state, kinds, now))
}

fn gaps_of(state: &State, wants: Vec<Want>) -> Vec<String> {
    let mut gaps: Vec<String> = Vec::new();
    for want in wants {
        let (source, word) = (&want.source, want.ask.kind().word());
        let answer = answer(state, &want);
        let failure = state.shared.scheduler.traffic(source).failure().cloned();
        let failure = failure.or_else(|| answer.and_then(|answer| answer.failure().cloned()));
        let missing = answer.into_iter().flat_map(AnswerState::missing);
        gaps.extend(missing.map(|words| format!("{source}: {words}")));
        match (failure, answer) {
            (Some(error), _) => gaps.push(format!("{error} ({word}). {}", error.kind.advice())),
            (None, Some(answer)) if answer.is_settled() => {}
            (None, _) => gaps.push(format!("{source}: no answer about {word} in time")),
        }
    }
    once(gaps)
}

/// The state of the answer to a query, if its source is known.
fn answer<'s>(state: &'s State, want: &Want) -> Option<&'s AnswerState> {
    state.shared.world.cache(&want.source)?.answer_to(&want.ask)
}
