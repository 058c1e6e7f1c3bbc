//! The only function that changes [`State`], and what each command does.

use jiff::Timestamp;

use super::commands::{Command, Scope};
use super::due::Topic;
use super::event::{Arrival, Effect, Event, Message, MouseAction, Tone};
use super::frame;
use super::key::{Code, Key, Named};
use super::line::Line;
use super::menu::{self, Choice, Menu};
use super::navigate;
use super::palette::{self, Palette, Target};
use super::place::{Place, SCREENS};
use super::range::LENGTHS;
use super::screens::{self, alerts, services};
use super::state::{Mode, State};
use crate::model::ask::{Answer, AskKind};
use crate::model::duration;
use crate::model::world::World;

/// Takes an event. It never waits and never fails.
pub fn update(state: &mut State, event: Event, now: Timestamp) -> Vec<Effect> {
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
            Vec::new()
        }
        Event::Entered { context, sources, read_only, production } => {
            enter(state, context, sources, (read_only, production), now);
            Vec::new()
        }
        Event::Told(message) => {
            state.messages.tell(message, now);
            state.version += 1;
            Vec::new()
        }
    };
    settle(state);
    if state.paused.is_none() {
        let wants = screens::wants(state, now);
        let due = state.polls.due(wants, state.epoch, now);
        for effect in &due {
            if let Effect::Fetch(question) = effect {
                state.world.asked(question, now);
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
    navigate::follow(state);
}

fn press(state: &mut State, key: Key, now: Timestamp) -> Vec<Effect> {
    state.version += 1;
    let interrupt = Key { ctrl: true, ..Key::char('c') };
    match std::mem::take(&mut state.mode) {
        Mode::Browse => {
            if let Some(command) = state.keys.lookup(key, state.place().scopes()) {
                run(state, command, now)
            } else {
                if let Some(c) = key.typed().filter(char::is_ascii_digit) {
                    state.messages.note(format!("There is no screen {c} yet"), now);
                }
                Vec::new()
            }
        }
        _ if key == interrupt => run(state, Command::Quit, now),
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
                state.mode = Mode::Menu(open);
                Vec::new()
            }
            menu::Outcome::Closed => Vec::new(),
            menu::Outcome::Chosen(choice) => choose(state, choice, now),
        },
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
            if let Mode::Help(top) = &mut state.mode {
                *top = (*top).min(super::help::last_top(&state.keys, state.places.last(), state.size));
            }
            Vec::new()
        }
    }
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
        Mode::Browse | Mode::Menu(_) | Mode::Help(_) => {}
    }
    Vec::new()
}

fn mouse(state: &mut State, action: MouseAction, column: u16, row: u16, now: Timestamp) -> Vec<Effect> {
    state.version += 1;
    match (action, &mut state.mode) {
        (MouseAction::WheelUp | MouseAction::WheelDown, Mode::Browse | Mode::Filter { .. }) => {
            navigate::wheel(state, if action == MouseAction::WheelUp { -3 } else { 3 });
            Vec::new()
        }
        (MouseAction::WheelUp, Mode::Help(top)) => {
            *top = top.saturating_sub(3);
            Vec::new()
        }
        (MouseAction::WheelDown, Mode::Help(top)) => {
            *top = top.saturating_add(3).min(super::help::last_top(
                &state.keys,
                state.places.last(),
                state.size,
            ));
            Vec::new()
        }
        (MouseAction::Click, Mode::Browse) => {
            if let Some(screen) = frame::tab_at(state, column, row) {
                return run(state, screen, now);
            }
            if navigate::click(state, column, row) { run(state, Command::Open, now) } else { Vec::new() }
        }
        (MouseAction::Click, Mode::Help(_)) => {
            state.mode = Mode::Browse;
            Vec::new()
        }
        (MouseAction::Click, Mode::Menu(menu)) => {
            let outcome = frame::menu_row_at(state.size, menu, column, row).map(|index| menu.choose(index));
            if let Some(menu::Outcome::Chosen(choice)) = outcome {
                state.mode = Mode::Browse;
                return choose(state, choice, now);
            }
            Vec::new()
        }
        (MouseAction::WheelUp | MouseAction::WheelDown, Mode::Menu(_) | Mode::Palette(_))
        | (MouseAction::Click, Mode::Filter { .. } | Mode::Palette(_)) => Vec::new(),
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
    state.world.apply(&arrival.question, arrival.answered, now);
    if !unchanged {
        state.version += 1;
    }
}

fn enter(
    state: &mut State,
    context: crate::model::labels::Text,
    sources: Vec<crate::model::source::SourceInfo>,
    (read_only, production): (bool, bool),
    now: Timestamp,
) {
    let world = World::new(sources.iter().map(|source| source.id.clone()), state.judgement.clone());
    state.world = world.after(&state.world);
    state.epoch += 1;
    state.polls = super::due::Polls::default();
    state.source_list = screens::sources::Sources::of(&sources);
    (state.sources, state.read_only, state.production) = (sources, read_only, production);
    state.messages.note(format!("Context {context}"), now);
    state.context = context;
    state.places.retain(Place::is_top);
    if state.places.is_empty() {
        state.places.push(Place::Overview);
    }
    (state.ordered, state.paused, state.panel, state.scroll) = (None, None, 0, 0);
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

fn choose(state: &mut State, choice: Choice, now: Timestamp) -> Vec<Effect> {
    match choice {
        Choice::Sort(column) => {
            match state.place() {
                Place::Alerts => state.alerts.order.choose(column),
                _ => state.services.order.choose(column),
            }
            state.ordered = None;
        }
        Choice::Group(labels) => {
            state.alerts.grouping = match labels {
                None => alerts::Grouping::Received,
                Some(names) if names.is_empty() => alerts::Grouping::None,
                Some(names) => alerts::Grouping::By(names),
            };
            state.ordered = None;
        }
        Choice::Range(length) => state.range.length = length,
        Choice::Theme(theme) => {
            state.look.choose(theme);
            return vec![Effect::Redraw];
        }
        Choice::Context(context) => return vec![Effect::Enter(context)],
        Choice::Link(link) => return copy(state, link.to_string(), now),
    }
    Vec::new()
}

fn copy(state: &mut State, text: String, now: Timestamp) -> Vec<Effect> {
    state.messages.note(format!("Copied: {text}"), now);
    vec![Effect::Copy(text)]
}

/// Does what a command says. A new command must find its arm here to compile.
fn run(state: &mut State, command: Command, now: Timestamp) -> Vec<Effect> {
    match command {
        Command::Overview | Command::Services | Command::Alerts | Command::Sources => {
            if let Some(screen) = SCREENS.into_iter().find(|screen| screen.command == command) {
                navigate::go(state, screen.place, now);
            }
        }
        Command::Messages => navigate::go(state, Place::Messages, now),
        Command::Open => navigate::open(state, now),
        Command::Back => {
            if navigate::filter(state).is_some_and(|found| !found.text().is_empty()) {
                set_filter(state, "");
            } else {
                navigate::back(state, now);
            }
        }
        Command::Help => state.mode = Mode::Help(0),
        Command::Palette => {
            state.mode =
                Mode::Palette(Palette::new(&state.world, &state.keys, &state.contexts, state.place()));
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
        }
        Command::Mark => navigate::mark(state, false),
        Command::MarkAll => navigate::mark(state, true),
        Command::Sort => state.mode = sort_menu(state),
        Command::Group => state.mode = Mode::Menu(group_menu(state)),
        Command::Fold => {
            state.alerts.show_quiet = !state.alerts.show_quiet;
            state.ordered = None;
        }
        Command::Range => {
            let items = LENGTHS.map(|length| (duration::short(length), Choice::Range(length))).to_vec();
            let at = LENGTHS.iter().position(|length| *length == state.range.length).unwrap_or(0);
            state.mode = Mode::Menu(Menu { title: "Time range", items, at });
        }
        Command::Earlier => travel(state, now, super::range::Range::earlier),
        Command::Later => travel(state, now, super::range::Range::later),
        Command::Live => travel(state, now, |range, _| range.end = None),
        Command::Links => links(state, now),
        Command::Copy => {
            return match navigate::copied(state) {
                Some(text) => copy(state, text, now),
                None => Vec::new(),
            };
        }
        Command::Pause => {
            state.paused = if state.paused.is_some() { None } else { Some(now) };
            if state.paused.is_none() {
                state.polls.refresh(now);
            }
        }
        Command::Refresh => {
            state.polls.refresh(now);
            state.messages.note("Asking everything again", now);
        }
        Command::Context => {
            let items = state.contexts.iter().map(|c| (c.to_string(), Choice::Context(c.clone()))).collect();
            let at = state.contexts.iter().position(|c| *c == state.context).unwrap_or(0);
            state.mode = Mode::Menu(Menu { title: "Context", items, at });
        }
        Command::Theme => {
            let themes = state.look.themes.iter().enumerate();
            let items = themes.map(|(i, theme)| (theme.name().to_owned(), Choice::Theme(i))).collect();
            state.mode = Mode::Menu(Menu { title: "Theme", items, at: state.look.theme });
        }
        Command::Redraw => return vec![Effect::Redraw],
        Command::Suspend => return vec![Effect::Suspend],
        Command::Quit => return vec![Effect::Quit],
    }
    Vec::new()
}

/// Moves the range; what is shown of services belongs to another moment then, and is asked at once.
fn travel(state: &mut State, now: Timestamp, change: impl Fn(&mut super::range::Range, Timestamp)) {
    let before = state.range.end;
    change(&mut state.range, now);
    if state.range.end != before {
        state.polls.hurry(&Topic::Of(AskKind::Services), now);
        state.polls.hurry(&Topic::Of(AskKind::Trends), now);
    }
}

fn sort_menu(state: &State) -> Mode {
    let (names, order): (&[&str], _) = match state.place() {
        Place::Alerts => (&alerts::ORDERS, state.alerts.order),
        Place::Services => (&services::ORDERS, state.services.order),
        _ => return Mode::Browse,
    };
    let items = names.iter().enumerate().map(|(i, name)| ((*name).to_owned(), Choice::Sort(i))).collect();
    Mode::Menu(Menu { title: "Order by (again: reversed)", items, at: order.column })
}

fn group_menu(state: &State) -> Menu {
    let mut names: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    for (name, _) in state.world.alerts().iter().flat_map(|alert| alert.labels.iter()) {
        *names.entry(name).or_default() += 1;
    }
    let mut names: Vec<(&str, usize)> = names.into_iter().collect();
    names.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
    let mut items = vec![
        ("as the receiver groups them".to_owned(), Choice::Group(None)),
        ("not at all".to_owned(), Choice::Group(Some(Vec::new()))),
    ];
    items.extend(
        names.into_iter().map(|(name, _)| (name.to_owned(), Choice::Group(Some(vec![name.to_owned()])))),
    );
    Menu { title: "Group by", items, at: 0 }
}

fn links(state: &mut State, now: Timestamp) {
    let items: Vec<(String, Choice)> = navigate::links(state)
        .into_iter()
        .map(|(name, link)| (format!("{name}  {link}"), Choice::Link(link)))
        .collect();
    if items.is_empty() {
        state.messages.note("No links here", now);
    } else {
        state.mode = Mode::Menu(Menu { title: "Links (Enter copies)", items, at: 0 });
    }
}

/// The scopes of commands that work at a place, the global ones first; for help and hints.
pub(super) fn scopes(place: &Place) -> impl Iterator<Item = Scope> {
    std::iter::once(Scope::Global).chain(place.scopes().iter().copied())
}
