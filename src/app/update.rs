//! The only function that changes [`State`].

use jiff::Timestamp;

use super::acted;
use super::commands::{Command, Scope};
use super::confirm;
use super::event::{Arrival, Effect, Event, Message, Tone};
use super::form;
use super::navigate;
use super::place::Place;
use super::screens;
use super::state::{Mode, State};
use super::want;
use crate::model::action::Progress;
use crate::model::ask::{Answer, AskKind};
use crate::model::guard::Guard;
use crate::model::source::SourceInfo;
use crate::model::world::World;
mod input;
mod run;

pub(super) use run::run;

/// Takes an event. It never waits and never fails.
pub fn update(state: &mut State, event: Event, now: Timestamp) -> Vec<Effect> {
    let is_news = matches!(event, Event::Answered(_) | Event::Recalled(_));
    let is_tick = matches!(event, Event::Tick);
    let has_ended = matches!(&event, Event::Acted { progress: Progress::Ended(_), .. });
    state.is_journal_ahead |= has_ended;
    let mut effects = match event {
        Event::Key(key) => input::press(state, key, now),
        Event::Pasted(text) => input::paste(state, &text),
        Event::Mouse { action, column, row } => input::mouse(state, action, column, row, now),
        Event::Resized { width, height } => {
            state.size = (width, height);
            state.version += 1;
            Vec::new()
        }
        Event::Tick => {
            state.version += u64::from(state.look.steps(now));
            Vec::new()
        }
        Event::Link(link) => {
            state.look.link = link;
            state.version += 1;
            Vec::new()
        }
        Event::Answered(arrival) => {
            let kind = arrival.question.ask.kind();
            let mut effects = answered(state, *arrival, now);
            effects.extend(look_again(state, now));
            if super::alarm::hears(kind) {
                effects.extend(super::alarm::ring(state, now));
            }
            effects
        }
        Event::Entered { context, sources, guard, production } => {
            enter(state, context, sources, (guard, production), now);
            super::alarm::ring(state, now)
        }
        Event::Rehearsed { plan, calls } => {
            confirm::rehearsed(state, plan, calls);
            state.version += 1;
            Vec::new()
        }
        Event::Read(wait) => {
            confirm::arm(state, wait);
            Vec::new()
        }
        Event::Acted { plan, index, progress } => {
            acted::progressed(state, plan, index, progress, now);
            look_again(state, now)
        }
        Event::Recalled(records) => {
            (state.records, state.is_journal_ahead) = (records, false);
            super::chronicle::recalled(state, now);
            Vec::new()
        }
        Event::Told(message) => {
            state.messages.tell(message, now);
            state.version += 1;
            Vec::new()
        }
    };
    if has_ended || is_tick && state.is_journal_ahead {
        effects.push(Effect::Recall);
    }
    state.world.show(state.range.moment(), now);
    settle(state);
    navigate::write(state, is_news, now);
    if state.paused.is_none() {
        let wants = screens::wants(state, now);
        state.world.forget(|source, moment, topic| {
            wants
                .iter()
                .any(|want| want.source == *source && want.ask.at == moment && want.ask.topic() == *topic)
        });
        let due = state.polls.due(wants, state.epoch, now);
        for effect in &due {
            if let Effect::Fetch(question) = effect {
                state.world.asked(question);
            }
        }
        effects.extend(due);
    }
    effects
}

/// Brings the lists of the present screen in order, if the world or the place changed, and the cursor into sight.
fn settle(state: &mut State) {
    let revision = screens::revision(state);
    if !state.ordered.as_ref().is_some_and(|(known, place)| *known == revision && place == state.place()) {
        screens::reorder(state);
        state.ordered = Some((revision, state.place().clone()));
    }
    screens::runbook::lay_out(state);
    navigate::follow(state);
}

/// What is being decided or filled in follows what the sources say.
fn look_again(state: &mut State, now: Timestamp) -> Vec<Effect> {
    refresh_form(state);
    confirm::watch(state, now)
}

fn refresh_form(state: &mut State) {
    match std::mem::take(&mut state.mode) {
        Mode::Form(mut open) => {
            form::silence::refresh(state, &mut open);
            state.mode = Mode::Form(open);
        }
        mode => state.mode = mode,
    }
}

fn answered(state: &mut State, arrival: Arrival, now: Timestamp) -> Vec<Effect> {
    // an answer for a context left behind
    if arrival.question.context != state.epoch {
        return Vec::new();
    }
    let Some(given_up) = state.polls.arrived(&arrival, now) else { return Vec::new() };
    if state.paused.is_some() {
        return given_up;
    }
    let source = &arrival.question.source;
    let was_well = state.world.held(source).is_none_or(|held| held.probe().trouble().is_none());
    let unchanged = matches!(&arrival.answered, Ok(reply) if matches!(reply.answer, Answer::Unchanged));
    let probe = arrival.question.ask.kind() == AskKind::Probe;
    if probe {
        match (&arrival.answered, was_well) {
            (Err(error), true) => {
                let text = format!("{error}. {}", error.trouble.advice());
                state.messages.tell(Message { tone: Tone::Trouble, text }, now);
            }
            (Ok(_), false) => state.messages.note(format!("{source}: answers again"), now),
            (Err(_), false) | (Ok(_), true) => {}
        }
    }
    let kind = arrival.question.ask.kind();
    state.world.apply(&arrival.question, arrival.answered, now);
    super::chronicle::write(state, kind, now);
    baseline(state, now);
    if !unchanged {
        state.version += 1;
    }
    given_up
}

/// Once all sources have answered for the first time: what comes later is new, also on a screen that was never opened.
fn baseline(state: &mut State, now: Timestamp) {
    let screens = [
        (Command::Alerts, AskKind::Alerts),
        (Command::Services, AskKind::Services),
        (Command::Incidents, AskKind::Incidents),
    ];
    for (screen, kind) in screens {
        let has_answered = |source: &SourceInfo| {
            let answer = state.world.held(&source.id).and_then(|held| held.board(kind));
            answer.is_some_and(|answer| answer.is_settled())
        };
        if !state.looked.contains_key(&screen) && want::sources(state, kind).all(has_answered) {
            state.looked.insert(screen, now);
        }
    }
}

fn enter(
    state: &mut State,
    context: crate::model::labels::Text,
    sources: Vec<SourceInfo>,
    (guard, production): (Guard, bool),
    now: Timestamp,
) {
    let world = World::new(sources.iter().map(|source| source.id.clone()), state.judgement.clone());
    state.world = world.after(&state.world);
    state.epoch += 1;
    state.polls = super::due::Polls::default();
    let sources: Vec<_> = sources.into_iter().filter(SourceInfo::is_watched).collect();
    state.source_list = screens::sources::Sources::of(&sources);
    (state.sources, state.guard, state.production) = (sources, guard, production);
    state.messages.note(format!("Context {context}"), now);
    state.context = context;
    state.places.retain(|stop| stop.place.is_top());
    if state.places.is_empty() {
        state.places.push(Place::Overview.into());
    }
    (state.ordered, state.paused, state.panel, state.scroll) = (None, None, 0, 0);
    state.looked.clear();
    state.alarm.forget();
    (state.chronicle, state.is_journal_ahead) = (super::chronicle::Chronicle::default(), true);
    state.mode = Mode::Browse;
    state.version += 1;
}

/// The scopes of commands that work at a place, the global ones first; for help and hints.
pub(super) fn scopes(place: &Place) -> impl Iterator<Item = Scope> {
    std::iter::once(Scope::Global).chain(place.scopes().iter().copied())
}
