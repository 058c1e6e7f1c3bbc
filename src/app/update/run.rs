//! Runs commands.

use std::sync::Arc;

use jiff::Timestamp;

use super::go::go;
use super::{change_range, intent, menus, navigate, run_events};
use crate::app::commands::Command;
use crate::app::event::Effect;
use crate::app::explore_choice::{ChartQuery, ExploreChoice};
use crate::app::identity::ReviewSubject;
use crate::app::line_editor::LineEditor;
use crate::app::log_subject::LogSubject;
use crate::app::menu::{Menu, MenuChoice};
use crate::app::palette::Palette;
use crate::app::place::{Document, Place};
use crate::app::postmortem;
use crate::app::preview_pane::MIN_WIDTH;
use crate::app::range::Range;
use crate::app::screens::document::{SHIFT, WEEK};
use crate::app::selection::Selection;
use crate::app::shared::Shared;
use crate::app::state::{Mode, State};
use crate::app::subjects::service::charts::POINTS;
use crate::app::subjects::{self, change, runbook, why};
use crate::app::zoomed_grid::ZoomedGrid;
use crate::config::kind;
use crate::model::ask::AskKind;
use crate::model::runbook::RunbookQuery;

/// Runs a command. The match is exhaustive, so that a new command without an arm does not compile.
#[expect(clippy::too_many_lines, reason = "an arm for each command")]
pub(super) fn run(state: &mut State, command: Command, now: Timestamp) {
    let (screen, shared) = state.split();
    if screen.run(shared, command, now) {
        return;
    }
    if let Some(menu) = screen.menu(shared, command, now) {
        state.mode = Mode::Menu(menu);
        return;
    }
    let command = with_cursor(state, command, now);
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
        Command::Capacity => state.go(Place::Capacity, now),
        Command::Dashboards => dashboards(state, now),
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
        Command::Back => back(state, now),
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
        // only their screen runs these commands, in `Screen::run` and `Screen::menu`
        Command::Basis
        | Command::FollowLogs
        | Command::Severity
        | Command::Wrap
        | Command::Pager
        | Command::ShowAs
        | Command::Instant
        | Command::Views
        | Command::Hide
        | Command::Alone
        | Command::Exemplars
        | Command::QuerySource
        | Command::Variables => {}
        Command::Explore => explore(state, now),
        Command::Range => menus::range(state),
        Command::Preview => preview(state, now),
        Command::Earlier => move_range(state, true, now),
        Command::Later => move_range(state, false, now),
        Command::Live => {
            state.shared.charts.follow_end();
            change_range(state, now, |range, _| range.end = None);
        }
        Command::CursorBack
        | Command::CursorForward
        | Command::CursorFarBack
        | Command::CursorFarForward
        | Command::ZoomIn
        | Command::ZoomOut
        | Command::WholeRange
        | Command::LogScale
        | Command::Stack => chart(state, command, now),
        Command::Links => menus::links(state, now),
        Command::Runbook => runbook(state, now),
        Command::Why => why(state, now),
        Command::Copy => match state.screen().copied(&state.shared, now) {
            Some(text) => state.shared.copy(text, now),
            None => state.shared.messages.note("There is nothing to copy here", now),
        },
        Command::Logs => logs(state, now),
        Command::FilterServer | Command::Surroundings => lead(state, command, now),
        Command::Handoff => state.go(Place::Report(Document::Handoff(SHIFT)), now),
        Command::Statistics => state.go(Place::Report(Document::Statistics(WEEK)), now),
        Command::Changes => state.go(Place::Report(Document::Changes(change::LOOKBACK)), now),
        Command::Review => review(state, now),
        Command::Traces => traces(state, now),
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

/// Switches the preview beside lists on or off.
fn preview(state: &mut State, now: Timestamp) {
    let (screen, shared) = state.split();
    shared.preview.is_on = !shared.preview.is_on;
    shared.preview.clear();
    let refusal = if !screen.has_preview() {
        "There is no preview on this screen: it works on services, SLOs, alerts and incidents"
    } else if shared.preview.is_on && shared.size.0 < MIN_WIDTH {
        "The preview needs a terminal of 120 columns"
    } else {
        return;
    };
    shared.preview.is_on = false;
    shared.messages.note(refusal, now);
}

/// Opens the traces of the selected service, or of the service of the selected alert or incident.
fn traces(state: &mut State, now: Timestamp) {
    let world = &state.shared.world;
    let service = match state.selection() {
        Selection::Services(names) => names.into_iter().next(),
        Selection::Alerts(alerts) => {
            let alert = alerts.first().and_then(|alert| world.alert(*alert));
            alert.and_then(|alert| world.service_of(&alert.labels)).cloned()
        }
        Selection::Incidents(keys) => {
            keys.first().and_then(|key| key.incident(world)).and_then(|known| known.service.clone())
        }
        Selection::Nothing | Selection::Silences(_) | Selection::Level(_) | Selection::Policy(_) => None,
    };
    match service {
        Some(service) => state.go(Place::Traces(service), now),
        None => state
            .shared
            .messages
            .note("Traces need a service. Select one, or an alert or incident of one.", now),
    }
}

/// Opens the dashboard or panel that the selected alert is linked with, else the list of dashboards.
fn dashboards(state: &mut State, now: Timestamp) {
    let alerts = match state.selection() {
        Selection::Alerts(alerts) => alerts,
        Selection::Nothing
        | Selection::Incidents(_)
        | Selection::Services(_)
        | Selection::Silences(_)
        | Selection::Level(_)
        | Selection::Policy(_) => Vec::new(),
    };
    let shared = &state.shared;
    let alert = alerts.first().and_then(|alert| shared.world.alert(*alert));
    let linked = alert.and_then(|alert| subjects::dashboard::link::of_alert(shared, alert));
    state.go(linked.map_or(Place::Dashboards, Place::Dashboard), now);
}

/// Opens the query of a chart of this screen in Explore, or a menu if there are several.
fn explore(state: &mut State, now: Timestamp) {
    let mut all = state.screen().chart_queries(&state.shared, now);
    if all.len() > 1 {
        let item = |chart: ChartQuery| {
            (chart.title.clone(), MenuChoice::Explore(Box::new(ExploreChoice::Query(chart))))
        };
        state.mode = Mode::Menu(Menu::new("Explore", all.into_iter().map(item).collect(), 0));
    } else if let Some(chart) = all.pop() {
        choose_in_explore(state, ExploreChoice::Query(chart), now);
    } else {
        let words = "No chart and no logs here. Open a service, an alert or an SLO first, or go to Explore.";
        state.shared.messages.note(words, now);
    }
}

/// Does what an item of a menu of Explore is for, there.
pub(super) fn choose_in_explore(state: &mut State, choice: ExploreChoice, now: Timestamp) {
    state.go(Place::Explore, now);
    let (screen, shared) = state.split();
    screen.choose(shared, choice, now);
    state.ordered = None;
}

/// The command that a key means while a value cursor is shown: Left and Right move it.
fn with_cursor(state: &State, command: Command, now: Timestamp) -> Command {
    let moved = if command == Command::Left {
        Command::CursorBack
    } else if command == Command::Right {
        Command::CursorForward
    } else {
        return command;
    };
    let has_charts = || state.screen().charted(&state.shared, now).is_some();
    if state.shared.charts.has_cursor() && has_charts() { moved } else { command }
}

/// Runs a command of charts.
fn chart(state: &mut State, command: Command, now: Timestamp) {
    let (screen, shared) = state.split();
    let words = match screen.charted(shared, now) {
        Some(time) => {
            let zoomed = |shared: &Shared| ZoomedGrid::of(shared, time, POINTS, now);
            let before = zoomed(shared);
            let words = shared.charts.run(command, time, shared.interval);
            if zoomed(shared) != before {
                // the history of a service has one answer, of the range or of a part of it
                shared.scheduler.query_now(|topic| topic.kind() == AskKind::Detail, now);
            }
            words
        }
        None => Some("The charts have no data yet"),
    };
    if let Some(words) = words {
        shared.messages.note(words, now);
    }
}

/// Moves what zoomed charts show, or the range itself.
fn move_range(state: &mut State, is_back: bool, now: Timestamp) {
    let (screen, shared) = state.split();
    if screen.charted(shared, now).is_none_or(|time| !shared.charts.pan(time, is_back)) {
        change_range(state, now, if is_back { Range::earlier } else { Range::later });
    }
}

/// Removes the value cursor of charts, else clears the filter, else goes back.
fn back(state: &mut State, now: Timestamp) {
    if state.shared.charts.has_cursor() {
        state.shared.charts.remove_cursor();
    } else if state.screen().found().is_some_and(|found| !found.text().is_empty()) {
        state.set_filter("");
    } else {
        state.back(now);
    }
}

/// Opens the postmortem draft of the selected incident, alert or service.
fn review(state: &mut State, now: Timestamp) {
    let world = &state.shared.world;
    let subject = match state.selection() {
        Selection::Incidents(keys) => keys.into_iter().next().map(ReviewSubject::Incident),
        Selection::Alerts(alerts) => {
            alerts.first().and_then(|alert| postmortem::subject_of_alert(world, *alert))
        }
        Selection::Services(names) => {
            names.iter().find_map(|name| postmortem::subject_of_service(world, name))
        }
        Selection::Nothing | Selection::Silences(_) | Selection::Level(_) | Selection::Policy(_) => None,
    };
    let Some(subject) = subject else {
        let advice =
            "A postmortem needs an incident, an alert, or a service whose alerts fire. Select one first.";
        state.shared.messages.note(advice, now);
        return;
    };
    state.go(Place::Report(Document::Postmortem(subject)), now);
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

/// Goes where a command of the screen leads.
fn lead(state: &mut State, command: Command, now: Timestamp) {
    if let Some(place) = state.screen().leads_to(command) {
        state.go(place, now);
    } else if command == Command::Surroundings {
        state.shared.messages.note("There is no line here", now);
    } else {
        let key = state.shared.key(Command::Filter);
        state.shared.messages.note(format!("Type a text with {key} first"), now);
    }
}

/// Opens the logs of the selection, or a menu if it is about several services; without a selection, a menu of all services.
fn logs(state: &mut State, now: Timestamp) {
    if matches!(state.place(), Place::Logs(_)) {
        return;
    }
    let own = state.screen().shown_logs(&state.shared);
    let mut all = own.map_or_else(
        || subjects::logs::of_selection(&state.screen().runbooks(&state.shared), &state.shared),
        |subject| vec![subject],
    );
    let is_chosen = !all.is_empty();
    if !is_chosen {
        all = subjects::logs::of_services(&state.shared);
    }
    if state.shared.answering(AskKind::LogLines).next().is_none() {
        let sources = kind::sources_to_add(state.shared.kinds, &[AskKind::LogLines]);
        state.shared.messages.note(format!("No source of logs is configured: add {sources}"), now);
    } else if all.len() > 1 {
        let item =
            |subject: LogSubject| (subject.title.to_string(), MenuChoice::Go(Place::Logs(Arc::new(subject))));
        let title = if is_chosen { "Logs" } else { "Logs of which service?" };
        state.mode = Mode::Menu(Menu::new(title, all.into_iter().map(item).collect(), 0));
    } else if let Some(subject) = all.pop() {
        go(state, Place::Logs(Arc::new(subject)), now);
    } else {
        state.shared.messages.note("No service is known whose logs could be read", now);
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
    state.mode = Mode::Palette(Box::new(palette));
}
