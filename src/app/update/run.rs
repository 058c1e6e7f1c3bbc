//! What each command does.

use jiff::Timestamp;

use super::super::aim::{self, Aim};
use super::super::commands::Command;
use super::super::event::Effect;
use super::super::line::Line;
use super::super::palette::Palette;
use super::super::place::{Paper, Place, SCREENS};
use super::super::range::Range;
use super::super::screens::incidents::IncidentKey;
use super::super::state::{Mode, State};
use super::super::{acted, menus, navigate, screens, wish};
use super::input::set_filter;

/// Does what a command says. A new command must find its arm here to compile.
pub(in crate::app) fn run(state: &mut State, command: Command, now: Timestamp) -> Vec<Effect> {
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
        | Command::NewSilence
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
        Command::Palette => palette(state),
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
            Aim::Services(names) => {
                names.iter().find_map(|name| state.world.incidents_of(name).next()).map(IncidentKey::of)
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

fn palette(state: &mut State) {
    state.mode =
        Mode::Palette(Palette::new(&state.world, &state.keys, &state.contexts, state.place(), &state.guard));
}
