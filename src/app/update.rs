//! The only function that changes [`State`], and what each command does.

use jiff::Timestamp;

use super::acted;
use super::aim::{self, Aim};
use super::commands::{Command, Scope};
use super::confirm;
use super::event::{Arrival, Effect, Event, Message, MouseAction, Tone};
use super::form;
use super::frame;
use super::key::{Code, Key, Named};
use super::line::Line;
use super::menu;
use super::menus;
use super::navigate;
use super::overlay;
use super::palette::{self, Palette, Target};
use super::place::{Paper, Place, SCREENS};
use super::range::Range;
use super::screens;
use super::screens::incidents::IncidentKey;
use super::state::{Mode, State};
use super::wish;
use crate::model::action::Progress;
use crate::model::ask::{Answer, AskKind};
use crate::model::guard::Guard;
use crate::model::world::World;

/// Takes an event. It never waits and never fails.
pub fn update(state: &mut State, event: Event, now: Timestamp) -> Vec<Effect> {
    let is_news = matches!(event, Event::Answered(_) | Event::Recalled(_));
    let is_tick = matches!(event, Event::Tick);
    let has_ended = matches!(&event, Event::Acted { progress: Progress::Ended(_), .. });
    state.is_journal_ahead |= has_ended;
    let mut effects = match event {
        Event::Key(key) => press(state, key, now),
        Event::Pasted(text) => paste(state, &text),
        Event::Mouse { action, column, row } => mouse(state, action, column, row, now),
        Event::Resized { width, height } => {
            state.size = (width, height);
            state.version += 1;
            Vec::new()
        }
        Event::Tick => {
            state.version += 1;
            Vec::new()
        }
        Event::Answered(arrival) => {
            answered(state, *arrival, now);
            let mut effects = look_again(state, now);
            effects.extend(super::alarm::ring(state, now));
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
    settle(state);
    screens::paper::write(state, is_news, now);
    if state.paused.is_none() {
        let wants = screens::wants(state, now);
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

fn press(state: &mut State, key: Key, now: Timestamp) -> Vec<Effect> {
    state.version += 1;
    match std::mem::take(&mut state.mode) {
        Mode::Browse => browse(state, key, now),
        _ if key == INTERRUPT => run(state, Command::Quit, now),
        Mode::Filter { line, before } => {
            type_filter(state, line, before, key);
            Vec::new()
        }
        Mode::Palette(mut open) => match open.take(key) {
            palette::Outcome::Open => {
                state.mode = Mode::Palette(open);
                Vec::new()
            }
            palette::Outcome::Closed => Vec::new(),
            palette::Outcome::Chosen(target) => go(state, target, now),
        },
        Mode::Menu(mut open) => match open.take(key) {
            menu::Outcome::Open => {
                menus::preview(state, open.current());
                state.mode = Mode::Menu(open);
                Vec::new()
            }
            menu::Outcome::Closed => {
                menus::preview(state, open.before());
                Vec::new()
            }
            menu::Outcome::Chosen(choice) => menus::choose(state, choice, now),
        },
        Mode::Confirm(open) => confirm::press(state, open, key, now),
        Mode::Form(open) => form::press(state, open, key, now),
        Mode::Results { back, top } => {
            acted::read(state, (back, top), key, now);
            Vec::new()
        }
        Mode::Help(top) => {
            let page = state.size.1.saturating_sub(6).max(1);
            state.mode = match state.keys.lookup(key, &[]) {
                Some(Command::Down) => Mode::Help(top.saturating_add(1)),
                Some(Command::Up) => Mode::Help(top.saturating_sub(1)),
                Some(Command::PageDown) => Mode::Help(top.saturating_add(page)),
                Some(Command::PageUp) => Mode::Help(top.saturating_sub(page)),
                Some(Command::Top) => Mode::Help(0),
                Some(Command::Bottom) => Mode::Help(u16::MAX),
                _ => Mode::Browse,
            };
            if let Mode::Help(top) = &state.mode {
                let top = *top;
                state.mode = Mode::Help(top.min(super::help::last_top(state)));
            }
            Vec::new()
        }
    }
}

/// Ends the program whatever the key map says.
const INTERRUPT: Key = Key { ctrl: true, ..Key::char('c') };

/// Does what the key is for, or says why it does nothing: a person in a hurry must not wonder.
fn browse(state: &mut State, key: Key, now: Timestamp) -> Vec<Effect> {
    if let Some(command) = state.keys.lookup(key, state.place().scopes()) {
        return run(state, command, now);
    }
    if key == INTERRUPT {
        return run(state, Command::Quit, now);
    }
    let said = match (state.keys.anywhere(key), key.typed()) {
        (Some(command), _) => {
            format!("{key} ({}) works {}, not here", command.name(), command.scope().place())
        }
        (None, Some(c)) if c.is_ascii_digit() => format!("There is no screen {c} yet"),
        (None, _) => {
            let help = state.keys.of(Command::Help).first().map(ToString::to_string).unwrap_or_default();
            format!("{key} does nothing here; {help} shows the keys that do")
        }
    };
    state.messages.note(said, now);
    Vec::new()
}

fn type_filter(state: &mut State, mut line: Line, before: String, key: Key) {
    match key.code {
        Code::Named(Named::Esc) => set_filter(state, &before),
        Code::Named(Named::Enter) => {}
        // the cursor of the list moves while the filter is being typed
        Code::Named(Named::Up) => {
            navigate::by_rows(state, -1);
            state.mode = Mode::Filter { line, before };
        }
        Code::Named(Named::Down) => {
            navigate::by_rows(state, 1);
            state.mode = Mode::Filter { line, before };
        }
        Code::Named(_) | Code::Char(_) => {
            line.take(key);
            set_filter(state, line.text());
            state.mode = Mode::Filter { line, before };
        }
    }
}

fn set_filter(state: &mut State, text: &str) {
    if let Some(found) = navigate::filter_mut(state) {
        found.set(text);
        state.ordered = None;
    }
}

fn paste(state: &mut State, text: &str) -> Vec<Effect> {
    state.version += 1;
    match &mut state.mode {
        Mode::Filter { line, .. } => {
            line.insert(text);
            let text = line.text().to_owned();
            set_filter(state, &text);
        }
        Mode::Palette(palette) => palette.paste(text),
        Mode::Form(form) => form.paste(text),
        Mode::Browse | Mode::Menu(_) | Mode::Help(_) | Mode::Confirm(_) | Mode::Results { .. } => {}
    }
    refresh_form(state);
    Vec::new()
}

fn mouse(state: &mut State, action: MouseAction, column: u16, row: u16, now: Timestamp) -> Vec<Effect> {
    state.version += 1;
    let wheel: i16 = match action {
        MouseAction::WheelUp => -3,
        MouseAction::WheelDown => 3,
        MouseAction::Click => return click(state, column, row, now),
    };
    match &mut state.mode {
        Mode::Browse | Mode::Filter { .. } => navigate::wheel(state, wheel.into(), column, row),
        Mode::Help(top) => {
            let top = top.saturating_add_signed(wheel);
            state.mode = Mode::Help(top.min(super::help::last_top(state)));
        }
        Mode::Confirm(_) | Mode::Form(_) | Mode::Results { .. } => {
            return press(state, acted::wheel_key(wheel), now);
        }
        Mode::Menu(menu) => {
            menu.take(Key::named(if wheel < 0 { Named::Up } else { Named::Down }));
        }
        Mode::Palette(palette) => {
            palette.take(Key::named(if wheel < 0 { Named::Up } else { Named::Down }));
        }
    }
    if let Mode::Menu(menu) = &state.mode {
        let shown = menu.current().cloned();
        menus::preview(state, shown.as_ref());
    }
    Vec::new()
}

/// A click chooses what is under it; beside a window it closes the window.
fn click(state: &mut State, column: u16, row: u16, now: Timestamp) -> Vec<Effect> {
    match std::mem::take(&mut state.mode) {
        // the filter stays as it is typed
        Mode::Browse | Mode::Filter { .. } => {
            if let Some(screen) = frame::tab_at(state, column, row) {
                return run(state, screen, now);
            }
            if navigate::click(state, column, row) { run(state, Command::Open, now) } else { Vec::new() }
        }
        Mode::Help(_) | Mode::Results { .. } => Vec::new(),
        // neither what is typed nor what is to be decided goes by a slip of the mouse
        open @ (Mode::Confirm(_) | Mode::Form(_)) => {
            state.mode = open;
            Vec::new()
        }
        Mode::Menu(menu) => {
            let at = overlay::menu_row_at(state.size, &menu, column, row);
            if let Some(menu::Outcome::Chosen(choice)) = at.map(|index| menu.choose(index)) {
                return menus::choose(state, choice, now);
            }
            menus::preview(state, menu.before());
            Vec::new()
        }
        Mode::Palette(palette) => {
            let at = overlay::palette_row_at(state.size, &palette, column, row);
            match at.map(|index| palette.choose(index)) {
                Some(palette::Outcome::Chosen(target)) => go(state, target, now),
                _ => Vec::new(),
            }
        }
    }
}

/// What is being decided or filled in follows what the sources say.
fn look_again(state: &mut State, now: Timestamp) -> Vec<Effect> {
    refresh_form(state);
    confirm::watch(state, now)
}

fn refresh_form(state: &mut State) {
    match std::mem::take(&mut state.mode) {
        Mode::Form(mut open) => {
            form::refresh(state, &mut open);
            state.mode = Mode::Form(open);
        }
        mode => state.mode = mode,
    }
}

fn answered(state: &mut State, arrival: Arrival, now: Timestamp) {
    // an answer for a context left behind, or one that nobody waits for any more
    if arrival.question.context != state.epoch || !state.polls.arrived(&arrival, now) {
        return;
    }
    if state.paused.is_some() {
        return;
    }
    let source = &arrival.question.source;
    let was_well = state.world.held(source).is_none_or(|held| held.probe.trouble().is_none());
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
}

/// Once all sources have answered for the first time: what comes later is new, also on a screen that was never opened.
fn baseline(state: &mut State, now: Timestamp) {
    let screens = [
        (Command::Alerts, AskKind::Alerts),
        (Command::Services, AskKind::Services),
        (Command::Incidents, AskKind::Incidents),
    ];
    for (screen, kind) in screens {
        let has_answered = |source: &&crate::model::source::SourceInfo| {
            state.world.held(&source.id).is_some_and(|held| match kind {
                AskKind::Alerts => held.alerts.at().is_some() || held.alerts.trouble().is_some(),
                AskKind::Incidents => held.incidents.at().is_some() || held.incidents.trouble().is_some(),
                _ => held.services.at().is_some() || held.services.trouble().is_some(),
            })
        };
        let mut asked = state.sources.iter().filter(|source| source.answers.contains(&kind));
        if !state.looked.contains_key(&screen) && asked.all(|source| has_answered(&source)) {
            state.looked.insert(screen, now);
        }
    }
}

fn enter(
    state: &mut State,
    context: crate::model::labels::Text,
    sources: Vec<crate::model::source::SourceInfo>,
    (guard, production): (Guard, bool),
    now: Timestamp,
) {
    let world = World::new(sources.iter().map(|source| source.id.clone()), state.judgement.clone());
    state.world = world.after(&state.world);
    state.epoch += 1;
    state.polls = super::due::Polls::default();
    let sources: Vec<_> = sources.into_iter().filter(crate::model::source::SourceInfo::is_watched).collect();
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

fn go(state: &mut State, target: Target, now: Timestamp) -> Vec<Effect> {
    match target {
        Target::Run(command) => run(state, command, now),
        Target::Go(place) => {
            navigate::go(state, place, now);
            Vec::new()
        }
        Target::Context(context) => vec![Effect::Enter(context)],
    }
}

/// Does what a command says. A new command must find its arm here to compile.
pub(super) fn run(state: &mut State, command: Command, now: Timestamp) -> Vec<Effect> {
    match command {
        Command::Timeline => screens::timeline::open(state, now),
        Command::Overview
        | Command::Services
        | Command::Slos
        | Command::Alerts
        | Command::Incidents
        | Command::OnCall
        | Command::Sources => {
            if let Some(screen) = SCREENS.into_iter().find(|screen| screen.command == command) {
                navigate::go(state, screen.place, now);
            }
        }
        Command::Messages => navigate::go(state, Place::Messages, now),
        Command::Silences => navigate::go(state, Place::Silences, now),
        Command::Results => state.mode = Mode::Results { back: 0, top: 0 },
        Command::Acknowledge
        | Command::Silence
        | Command::Note
        | Command::Escalate
        | Command::Snooze
        | Command::Resolve
        | Command::Act => return wish::run(state, command, now),
        Command::Open => {
            if !navigate::open(state, now) {
                state.messages.note("Nothing to open here", now);
            }
        }
        Command::Back => {
            if navigate::filter(state).is_some_and(|found| !found.text().is_empty()) {
                set_filter(state, "");
            } else {
                navigate::back(state, now);
            }
        }
        Command::Help => state.mode = Mode::Help(0),
        Command::Palette => {
            state.mode = Mode::Palette(Palette::new(
                &state.world,
                &state.keys,
                &state.contexts,
                state.place(),
                &state.guard,
            ));
        }
        Command::Up => navigate::by_rows(state, -1),
        Command::Down => navigate::by_rows(state, 1),
        Command::Left => navigate::sideways(state, -1),
        Command::Right => navigate::sideways(state, 1),
        Command::PageUp => navigate::by_pages(state, -1),
        Command::PageDown => navigate::by_pages(state, 1),
        Command::Top => navigate::to_top(state),
        Command::Bottom => navigate::to_bottom(state),
        Command::NextPanel => navigate::panel(state, 1),
        Command::PreviousPanel => navigate::panel(state, -1),
        Command::Filter => {
            let before = navigate::filter(state).map(|found| found.text().to_owned()).unwrap_or_default();
            state.mode = Mode::Filter { line: Line::of(&before), before };
            // what is looked in is prepared now, so that the first letter does not wait for it
            state.ordered = None;
        }
        Command::Mark => navigate::mark(state, false),
        Command::MarkAll => navigate::mark(state, true),
        Command::Sort => menus::sort(state, now),
        Command::Group => menus::group(state),
        Command::Fold => fold(state),
        Command::Basis => {
            let said = match screens::slo::next_basis(state).map(crate::model::duration::short) {
                Some(basis) => format!("The forecast goes by the burn over {basis}"),
                None => "No burn of this SLO is measured".to_owned(),
            };
            state.messages.note(said, now);
        }
        Command::Range => menus::range(state),
        Command::Earlier => menus::change_range(state, now, Range::earlier),
        Command::Later => menus::change_range(state, now, Range::later),
        Command::Live => menus::change_range(state, now, |range, _| range.end = None),
        Command::Links => menus::links(state, now),
        Command::Runbook => screens::runbook::open(state, now),
        Command::Copy if matches!(state.place(), Place::Runbook(_)) => {
            return screens::runbook::copy(state, now);
        }
        Command::Copy => match navigate::copied(state, now) {
            Some(text) => return menus::copy(state, text, now),
            None => state.messages.note("Nothing to copy here", now),
        },
        Command::HandOver | Command::Statistics | Command::Review => write(state, command, now),
        Command::Pause => {
            state.paused = if state.paused.is_some() { None } else { Some(now) };
            if state.paused.is_none() {
                state.polls.refresh(now);
            }
        }
        Command::Refresh => refresh(state, now),
        Command::Context => menus::context(state, now),
        Command::Theme => menus::theme(state),
        Command::Redraw => return vec![Effect::Redraw],
        Command::Suspend => return vec![Effect::Suspend],
        Command::Quit => return acted::leave(state, now),
    }
    Vec::new()
}

/// Shows what is quiet or over, or folds it away.
fn fold(state: &mut State) {
    match state.place() {
        Place::Incidents => state.incidents.show_resolved = !state.incidents.show_resolved,
        Place::Silences => state.silences.show_ended = !state.silences.show_ended,
        _ => state.alerts.show_quiet = !state.alerts.show_quiet,
    }
    state.ordered = None;
}

/// Goes to what others are to read.
fn write(state: &mut State, command: Command, now: Timestamp) {
    let of_an_incident = |state: &State| {
        let incident = match aim::aim(state) {
            Aim::Incidents(keys) => keys.into_iter().next(),
            Aim::Alerts(alerts) => {
                alerts.first().and_then(|alert| state.world.incident_of(*alert)).map(IncidentKey::of)
            }
            Aim::Nothing | Aim::Silences(_) | Aim::Level(_) | Aim::Policy { .. } => None,
        };
        incident.map(|IncidentKey { source, id }| Paper::Postmortem { source, id })
    };
    let paper = match command {
        Command::HandOver => Some(Paper::Handover(screens::paper::SHIFT)),
        Command::Statistics => Some(Paper::Statistics(screens::paper::WEEK)),
        _ => of_an_incident(state),
    };
    match paper {
        Some(paper) => navigate::go(state, Place::Paper(paper), now),
        None => state.messages.note("Reviews are of incidents; go to one first", now),
    }
}

/// Has everything asked again, unless all is held still.
fn refresh(state: &mut State, now: Timestamp) {
    if state.paused.is_some() {
        let key = state.keys.of(Command::Pause).first().map(ToString::to_string).unwrap_or_default();
        state.messages.note(format!("Everything is held still, so nothing is asked; {key} goes on"), now);
    } else {
        state.polls.refresh(now);
        state.messages.note("Asking everything again", now);
    }
}

/// The scopes of commands that work at a place, the global ones first; for help and hints.
pub(super) fn scopes(place: &Place) -> impl Iterator<Item = Scope> {
    std::iter::once(Scope::Global).chain(place.scopes().iter().copied())
}
