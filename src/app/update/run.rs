//! Runs commands.

use std::sync::Arc;

use jiff::Timestamp;

use super::{change_range, intent, menus, navigate, run_events};
use crate::app::commands::Command;
use crate::app::event::Effect;
use crate::app::identity::IncidentKey;
use crate::app::line_editor::LineEditor;
use crate::app::menu::{Menu, MenuChoice};
use crate::app::palette::Palette;
use crate::app::place::{Document, Place};
use crate::app::range::Range;
use crate::app::screens::document::{SHIFT, WEEK};
use crate::app::selection::Selection;
use crate::app::state::{Mode, State};
use crate::app::subjects::{change, runbook, why};
use crate::model::runbook::RunbookQuery;

/// Runs a command. The match is exhaustive, so that a new command without an arm does not compile.
pub(super) fn run(state: &mut State, command: Command, now: Timestamp) {
    let (screen, shared) = state.split();
    if screen.run(shared, command, now) {
        return;
    }
    match command {
        Command::Go(tab) => {
            let moment = state.screen().moment(&state.shared);
            state.go(tab.place(), now);
            if let Some(moment) = moment {
                let (screen, shared) = state.split();
                screen.seek(shared, moment, now);
                state.ordered = None;
            }
        }
        Command::Messages => state.go(Place::Messages, now),
        Command::Silences => state.go(Place::Silences, now),
        Command::Results => state.mode = Mode::Results { back: 0, top: 0 },
        Command::Acknowledge
        | Command::Resolve
        | Command::Note
        | Command::Escalate
        | Command::Snooze
        | Command::Silence
        | Command::NewSilence
        | Command::Act => intent::run(state, command, now),
        Command::Open => {
            if !navigate::open(state, now) {
                state.shared.messages.note("There is nothing to open here", now);
            }
        }
        Command::Back => {
            if state.screen().found().is_some_and(|found| !found.text().is_empty()) {
                state.set_filter("");
            } else {
                state.back(now);
            }
        }
        Command::Help => state.mode = Mode::Help(0),
        Command::Palette => palette(state),
        Command::Up => navigate::by_rows(state, -1),
        Command::Down => navigate::by_rows(state, 1),
        Command::Left => navigate::move_sideways(state, -1),
        Command::Right => navigate::move_sideways(state, 1),
        Command::PageUp => navigate::by_pages(state, -1),
        Command::PageDown => navigate::by_pages(state, 1),
        Command::Top => navigate::to_top(state),
        Command::Bottom => navigate::to_bottom(state),
        Command::NextPanel => navigate::panel(state, 1),
        Command::PreviousPanel => navigate::panel(state, -1),
        Command::Filter => {
            let found = state.screen().found();
            let before = found.map(|found| found.text().to_owned()).unwrap_or_default();
            state.mode = Mode::Filter { line: LineEditor::of(&before), before };
            // the haystack is built now, so that the first typed letter does not wait for it
            state.ordered = None;
        }
        Command::Mark => navigate::mark(state, false),
        Command::MarkAll => navigate::mark(state, true),
        Command::Sort => menus::sort(state, now),
        Command::Group => menus::group(state),
        Command::Fold => {
            state.screen_mut().show_hidden(None);
            state.ordered = None;
        }
        // only the SLO page runs this command, in `Screen::run`
        Command::Basis => {}
        Command::Range => menus::range(state),
        Command::Earlier => change_range(state, now, Range::earlier),
        Command::Later => change_range(state, now, Range::later),
        Command::Live => change_range(state, now, |range, _| range.end = None),
        Command::Links => menus::links(state, now),
        Command::Runbook => runbook(state, now),
        Command::Why => why(state, now),
        Command::Copy => match state.screen().copied(&state.shared, now) {
            Some(text) => state.shared.copy(text, now),
            None => state.shared.messages.note("There is nothing to copy here", now),
        },
        Command::Handoff => state.go(Place::Report(Document::Handoff(SHIFT)), now),
        Command::Statistics => state.go(Place::Report(Document::Statistics(WEEK)), now),
        Command::Changes => state.go(Place::Report(Document::Changes(change::LOOKBACK)), now),
        Command::Review => review(state, now),
        Command::Pause => {
            state.shared.paused = if state.shared.paused.is_some() { None } else { Some(now) };
            if state.shared.paused.is_none() {
                state.shared.scheduler.refresh(now);
            }
        }
        Command::Refresh => refresh(state, now),
        Command::Context => menus::context(state, now),
        Command::Theme => menus::theme(state),
        Command::Redraw => state.shared.effects.push(Effect::Redraw),
        Command::Suspend => state.shared.effects.push(Effect::Suspend),
        Command::Quit => run_events::leave(state, now),
    }
}

/// Opens the postmortem draft of the selected incident, or of the incident of the selected alert or service.
fn review(state: &mut State, now: Timestamp) {
    let world = &state.shared.world;
    let incident = match state.selection() {
        Selection::Incidents(keys) => keys.into_iter().next(),
        Selection::Alerts(alerts) => {
            alerts.first().and_then(|alert| world.incident_of(*alert)).map(IncidentKey::of)
        }
        Selection::Services(names) => {
            names.iter().find_map(|name| world.incidents_of(name).next()).map(IncidentKey::of)
        }
        Selection::Nothing | Selection::Silences(_) | Selection::Level(_) | Selection::Policy(_) => None,
    };
    match incident {
        Some(key) => state.go(Place::Report(Document::Postmortem(key)), now),
        None => state.shared.messages.note("A postmortem needs an incident. Select one first.", now),
    }
}

/// Opens the runbook of the selection, or a menu if there are several.
fn runbook(state: &mut State, now: Timestamp) {
    let mut all = runbook::once(state.screen().runbooks(&state.shared));
    if all.len() > 1 {
        let item = |wanted: Arc<RunbookQuery>| {
            let place = wanted.url.as_ref().map(|url| format!("  {url}")).unwrap_or_default();
            (format!("{}{place}", wanted.name), MenuChoice::Go(Place::Runbook(wanted)))
        };
        state.mode = Mode::Menu(Menu::new("Runbook", all.into_iter().map(item).collect(), 0));
    } else if let Some(wanted) = all.pop() {
        state.go(Place::Runbook(wanted), now);
    } else {
        let words = "No runbook here. Select an alert, an incident, an SLO or a service.";
        state.shared.messages.note(words, now);
    }
}

/// Opens the causes of what is selected.
fn why(state: &mut State, now: Timestamp) {
    let subject = state.screen().why(&state.shared);
    if let Some(target) = subject.and_then(|subject| why::target(&state.shared.world, subject, now)) {
        state.go(Place::Why(target), now);
    } else {
        let words = "Why needs a service. Select a service, an alert, an SLO or an incident of one.";
        state.shared.messages.note(words, now);
    }
}

fn refresh(state: &mut State, now: Timestamp) {
    if state.shared.paused.is_some() {
        let key = state.shared.key(Command::Pause);
        state.shared.messages.note(format!("Paused. Press {key} to resume."), now);
    } else {
        state.shared.scheduler.refresh(now);
        state.shared.messages.note("Refreshing all data", now);
    }
}

fn palette(state: &mut State) {
    let State { shared, .. } = &*state;
    let scopes = state.screen().scopes();
    let palette = Palette::new(&shared.world, &shared.keys, &shared.contexts, scopes, &shared.guard);
    state.mode = Mode::Palette(palette);
}
