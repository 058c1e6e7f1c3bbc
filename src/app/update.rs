//! The only function that changes [`State`].

use jiff::Timestamp;

use super::alarm::can_contain_pages;
use super::event::{Arrival, Effect, Event};
use super::event_log::EventLog;
use super::form::silence;
use super::place::{Place, Tab};
use super::preview_pane;
use super::range::Range;
use super::scheduler::Scheduler;
use super::screen::Screen as _;
use super::screens;
use super::state::{Mode, State};
use crate::model::action::ActionProgress;
use crate::model::ask::{Answer, AskKind};
use crate::model::guard::Guard;
use crate::model::labels::Text;
use crate::model::remote::AnswerState;
use crate::model::source_info::SourceInfo;
use crate::model::world::World;

mod confirm;
mod form;
mod go;
mod input;
mod intent;
mod menus;
mod navigate;
mod run;
mod run_events;

/// Handles an event. Never waits and never fails.
pub fn update(state: &mut State, event: Event, now: Timestamp) -> Vec<Effect> {
    let is_news = matches!(event, Event::Answered(_) | Event::JournalRead(_));
    let is_tick = matches!(event, Event::Tick);
    let has_ended = matches!(&event, Event::ActionProgressed { progress: ActionProgress::Ended(_), .. });
    state.shared.is_journal_ahead |= has_ended;
    match event {
        Event::Key(key) => input::press(state, key, now),
        Event::Pasted(text) => input::paste(state, &text),
        Event::Mouse { action, column, row } => input::mouse(state, action, column, row, now),
        Event::Resized { width, height } => {
            state.shared.size = (width, height);
            state.version += 1;
        }
        Event::Tick => state.version += u64::from(state.shared.look.steps(now)),
        Event::Link(link) => {
            state.shared.look.link = link;
            state.version += 1;
        }
        Event::Answered(arrival) => {
            let kind = arrival.question.ask.kind();
            answered(state, *arrival, now);
            refresh_dialogs(state, now);
            if can_contain_pages(kind) {
                state.shared.notify(now);
            }
        }
        Event::Entered { context, sources, guard, production } => {
            enter(state, context, sources, (guard, production), now);
            state.shared.notify(now);
        }
        Event::Read(wait) => confirm::enable_keys(state, wait),
        Event::ActionProgressed { plan, index, progress } => {
            run_events::progressed(state, plan, index, progress, now);
            refresh_dialogs(state, now);
        }
        Event::Woken { move_number } => state.version += u64::from(state.shared.preview.rested(move_number)),
        Event::JournalRead(records) => state.shared.load_records(records, now),
        Event::QueriesRead(store) => {
            state.screens.explore.take_store(store);
            state.version += 1;
        }
        Event::MessageReceived(message) => {
            state.shared.messages.tell(message, now);
            state.version += 1;
        }
    }
    if has_ended || is_tick && state.shared.is_journal_ahead {
        state.shared.effects.push(Effect::ReadJournal);
    }
    if *state.place() == Place::Explore && std::mem::take(&mut state.shared.are_queries_unread) {
        state.shared.effects.push(Effect::ReadQueries);
    }
    state.shared.world.show(state.shared.range.moment(), now);
    settle(state, is_news, now);
    if state.shared.paused.is_none() {
        let wants = screens::wants(state.screen(), &state.shared, now);
        state.shared.world.forget(|source, moment, topic| {
            wants
                .iter()
                .any(|want| want.source == *source && want.ask.at == moment && want.ask.topic() == *topic)
        });
        let due = state.shared.scheduler.due(wants, state.shared.epoch, now);
        for effect in &due {
            if let Effect::Fetch(question) = effect {
                state.shared.world.asked(question);
            }
        }
        state.shared.effects.extend(due);
    }
    std::mem::take(&mut state.shared.effects)
}

/// Sorts the lists of the current screen again if the data or the place has changed, lays out its text, scrolls to the cursor.
fn settle(state: &mut State, is_news: bool, now: Timestamp) {
    let revision = state.screen().revision(&state.shared);
    let is_typing = state.is_typing();
    let is_ordered =
        state.ordered.as_ref().is_some_and(|(known, place)| *known == revision && place == state.place());
    if !is_ordered {
        let (screen, shared) = state.split();
        screen.reorder(shared, is_typing);
        state.ordered = Some((revision, state.place().clone()));
    }
    let (screen, shared) = state.split();
    if let Some(length) = screen.wanted_range(shared) {
        shared.change_range(now, |range, _| range.length = length);
    }
    screen.lay_out(shared, is_news, now);
    navigate::follow(state);
    let target = preview_pane::target(state.screen(), &state.shared);
    let wake = state.shared.preview.follow(target);
    state.shared.effects.extend(wake);
}

fn change_range(state: &mut State, now: Timestamp, change: impl Fn(&mut Range, Timestamp)) {
    if state.shared.change_range(now, change) {
        state.ordered = None;
    }
}

/// Updates an open confirm dialog or form with the newest data.
fn refresh_dialogs(state: &mut State, now: Timestamp) {
    refresh_form(state);
    confirm::watch(state, now);
}

/// Updates an open form with the newest data.
fn refresh_form(state: &mut State) {
    if let Mode::Form(open) = &mut state.mode {
        silence::refresh(&state.shared, open);
    }
}

/// Applies an answer to the state, unless it is outdated or updates are paused.
fn answered(state: &mut State, arrival: Arrival, now: Timestamp) {
    // an answer of the context that was left
    if arrival.question.context != state.shared.epoch {
        return;
    }
    let Some(cancelled_queries) = state.shared.scheduler.arrived(&arrival, now) else { return };
    state.shared.effects.extend(cancelled_queries);
    if state.shared.paused.is_some() {
        return;
    }
    let source = &arrival.question.source;
    let was_well = state.shared.world.cache(source).is_none_or(|cache| cache.probe().failure().is_none());
    let unchanged = matches!(&arrival.answered, Ok(reply) if matches!(reply.answer, Answer::Unchanged));
    let kind = arrival.question.ask.kind();
    match (&arrival.answered, was_well) {
        (Err(error), true) if kind == AskKind::Probe => {
            state.shared.messages.warn(format!("{error}. {}", error.kind.advice()), now);
        }
        (Ok(_), false) if kind == AskKind::Probe => {
            state.shared.messages.note(format!("{source}: recovered"), now);
        }
        (Err(_) | Ok(_), _) => {}
    }
    state.shared.world.apply(&arrival.question, arrival.answered, now);
    state.shared.update_event_log(kind, now);
    baseline(state, now);
    if !unchanged {
        state.version += 1;
    }
}

/// Marks a tab as seen when all its sources have answered for the first time: later items count as new.
fn baseline(state: &mut State, now: Timestamp) {
    for tab in Tab::ALL {
        let Some(kind) = state.screens.at(&tab.place()).baseline() else { continue };
        let shared = &mut state.shared;
        let has_answered = |source: &SourceInfo| {
            let answer = shared.world.cache(&source.id).and_then(|cache| cache.snapshot(kind));
            answer.is_some_and(AnswerState::is_settled)
        };
        if !shared.last_seen.contains_key(tab) && shared.answering(kind).all(has_answered) {
            shared.last_seen.insert(*tab, now);
        }
    }
}

/// Replaces the context: its sources, data and screens.
fn enter(
    state: &mut State,
    context: Text,
    sources: Vec<SourceInfo>,
    (guard, production): (Guard, bool),
    now: Timestamp,
) {
    let shared = &mut state.shared;
    let world =
        World::new(sources.iter().map(|source| source.id.clone()), shared.world.health_policy.clone());
    shared.world = world.after(&shared.world);
    shared.epoch += 1;
    shared.scheduler = Scheduler::default();
    shared.sources = sources.into_iter().filter(SourceInfo::is_watched).collect();
    (shared.guard, shared.production) = (guard, production);
    shared.messages.note(format!("Switched to context {context}"), now);
    shared.context = context;
    shared.paused = None;
    shared.last_seen.clear();
    shared.alarm.forget();
    (shared.event_log, shared.is_journal_ahead) = (EventLog::default(), true);
    state.change_context();
    state.mode = Mode::Browse;
    state.version += 1;
}
