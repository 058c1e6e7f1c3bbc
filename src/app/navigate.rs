//! Moving about on a screen: cursors, panels, pages, filters and marks.

use jiff::Timestamp;

use super::found::Found;
use super::frame;
use super::grid::Grid;
use super::place::Place;
use super::screens::{self, alert, incident, oncall, overview, runbook, service, slo, slos};
use super::state::State;
pub(super) use mouse::{click, wheel};
pub(super) use places::{back, go, open};
pub(super) use taken::{copied, is_link, links};

/// The list that has the keyboard, whatever its rows are.
macro_rules! with_list {
    ($state:expr, $list:ident => $do:expr, else $other:expr) => {
        match $state.place() {
            Place::Overview if $state.panel == overview::ALERTS => {
                let $list = &mut $state.overview.alerts;
                $do
            }
            Place::Overview if $state.panel == overview::SLOS => {
                let $list = &mut $state.overview.slos;
                $do
            }
            Place::Overview if $state.panel == overview::INCIDENTS => {
                let $list = &mut $state.overview.incidents;
                $do
            }
            Place::Overview => {
                let $list = &mut $state.overview.services;
                $do
            }
            Place::Services => {
                let $list = &mut $state.services.list;
                $do
            }
            Place::Service(_) if $state.panel == service::SLOS => {
                let $list = &mut $state.service_slos;
                $do
            }
            Place::Service(_) if $state.panel == service::INCIDENTS => {
                let $list = &mut $state.service_incidents;
                $do
            }
            Place::Service(_) if $state.panel == service::PARTS => {
                let $list = &mut $state.service_parts;
                $do
            }
            Place::Service(_) => {
                let $list = &mut $state.service_alerts;
                $do
            }
            Place::Slos => {
                let $list = &mut $state.slos.list;
                $do
            }
            Place::Slo { .. } if $state.panel == slo::GROUPS => {
                let $list = &mut $state.slo.groups;
                $do
            }
            Place::Slo { .. } if $state.panel == slo::ALERTS => {
                let $list = &mut $state.slo.alerts;
                $do
            }
            Place::Slo { .. } if $state.panel == slo::QUERIES => {
                let $list = &mut $state.slo.queries;
                $do
            }
            Place::Alerts => {
                let $list = &mut $state.alerts.list;
                $do
            }
            Place::Alert(_) if $state.panel == alert::RELATED => {
                let $list = &mut $state.related;
                $do
            }
            Place::Incidents => {
                let $list = &mut $state.incidents.list;
                $do
            }
            Place::Incident { .. } if $state.panel == incident::ALERTS => {
                let $list = &mut $state.incident;
                $do
            }
            Place::OnCall => {
                let $list = &mut $state.on_call.list;
                $do
            }
            Place::Timeline => {
                let $list = &mut $state.timeline.list;
                $do
            }
            Place::Silences => {
                let $list = &mut $state.silences.list;
                $do
            }
            Place::Sources => {
                let $list = &mut $state.source_list.list;
                $do
            }
            Place::Slo { .. }
            | Place::Alert(_)
            | Place::Incident { .. }
            | Place::Policy { .. }
            | Place::Paper(_)
            | Place::Runbook(_)
            | Place::Messages => $other,
        }
    };
}

mod mouse;
mod places;
mod taken;

/// Where the rows of the list with the keyboard stand.
fn grid(state: &State) -> Grid {
    let body = frame::areas(state.size).body;
    match state.place() {
        Place::Overview => overview::grid(state, body, state.panel),
        Place::Slos => Grid::list(slos::list_area(state, body)),
        Place::Services | Place::Alerts | Place::Incidents | Place::Silences | Place::Timeline => {
            Grid::list(frame::table_rows(body))
        }
        Place::Service(name) => Grid::list(service::list_area(state, name, state.panel, body)),
        Place::Slo { .. } => Grid::list(slo::text_area(state, body)),
        Place::Incident { .. } => Grid::list(incident::text_area(body)),
        Place::OnCall => Grid::list(oncall::list_area(state, body)),
        Place::Policy { .. } | Place::Paper(_) | Place::Runbook(_) => Grid::list(frame::below_heading(body)),
        Place::Sources => Grid::list(screens::sources::list_area(body, state.sources.len())),
        Place::Alert(_) => Grid::list(alert::text_area(body)),
        Place::Messages => Grid::list(body),
    }
}

/// Brings the cursor into sight.
pub(super) fn follow(state: &mut State) {
    let grid = grid(state);
    if let Place::Alert(fingerprint) = *state.place() {
        if matches!(state.panel, alert::RELATED | alert::SLO | alert::INCIDENT) {
            state.scroll = alert::scroll_to_cursor(state, fingerprint, grid.area);
        }
        state.scroll = state.scroll.min(screens::last_scroll(state, grid.area));
        return;
    }
    if let Place::Slo { source, id } = state.place() {
        let scroll = slo::scroll_to_cursor(state, source, id, grid.area);
        state.scroll = scroll.min(screens::last_scroll(state, grid.area));
        return;
    }
    if let Place::Incident { source, id } = state.place() {
        let scroll = incident::scroll_to_cursor(state, source, id, grid.area);
        state.scroll = scroll.min(screens::last_scroll(state, grid.area));
        return;
    }
    with_list!(state, list => list.follow(grid.room().max(1)), else {
        state.scroll = state.scroll.min(screens::last_scroll(state, grid.area));
    });
}

fn move_by(state: &mut State, rows: isize) {
    // a cursor that cannot be seen stays where it is
    let is_seen = grid(state).room() > 0;
    with_list!(state, list => if is_seen { list.move_by(rows) }, else {
        let step = i16::try_from(rows).unwrap_or(if rows < 0 { i16::MIN } else { i16::MAX });
        state.scroll = state.scroll.saturating_add_signed(step);
    });
    follow(state);
}

/// Lets the cursor stay on its thing from now on, as after a move: who opens it or acts on it means that one.
pub(super) fn stay(state: &mut State) {
    move_by(state, 0);
}

/// Up or down by rows.
pub(super) fn by_rows(state: &mut State, rows: isize) {
    let columns = isize::try_from(grid(state).columns).unwrap_or(1);
    move_by(state, rows * columns);
}

/// Up or down by pages.
pub(super) fn by_pages(state: &mut State, pages: isize) {
    let page = isize::try_from(grid(state).height().max(1)).unwrap_or(isize::MAX);
    by_rows(state, pages * page);
}

/// To the first row.
pub(super) fn to_top(state: &mut State) {
    with_list!(state, list => list.to_top(), else state.scroll = 0);
}

/// To the last row.
pub(super) fn to_bottom(state: &mut State) {
    move_by(state, isize::MAX / 64);
}

/// Writes the paper on the screen anew, if there is news; who reads its end stays there while it grows.
pub(super) fn write(state: &mut State, is_news: bool, now: Timestamp) {
    let is_paper = matches!(state.place(), Place::Paper(_));
    let is_at_end =
        is_paper && state.scroll > 0 && state.scroll == screens::last_scroll(state, grid(state).area);
    screens::paper::write(state, is_news, now);
    if is_paper {
        let last = screens::last_scroll(state, grid(state).area);
        state.scroll = if is_at_end { last } else { state.scroll.min(last) };
    }
}

/// Left or right: to the neighbouring tile, else folding groups, else to the next panel.
pub(super) fn sideways(state: &mut State, by: isize) {
    match state.place() {
        Place::Overview if state.panel == overview::SERVICES && grid(state).columns > 1 => {
            let columns = grid(state).columns;
            let at = state.overview.services.index();
            let at_edge = if by < 0 { at.is_multiple_of(columns) } else { (at + 1).is_multiple_of(columns) };
            let at_end = by > 0 && at + 1 >= state.overview.services.rows().len();
            if at_edge || at_end { panel(state, by) } else { move_by(state, by) }
        }
        Place::Overview | Place::Service(_) | Place::Slo { .. } | Place::Runbook(_) => panel(state, by),
        Place::Slos | Place::Alerts | Place::Incidents => fold(state, by < 0),
        Place::Alert(_)
        | Place::Services
        | Place::Incident { .. }
        | Place::OnCall
        | Place::Policy { .. }
        | Place::Paper(_)
        | Place::Silences
        | Place::Timeline
        | Place::Sources
        | Place::Messages => {}
    }
}

/// Folds or unfolds the group that the cursor is in, where there are groups.
fn fold(state: &mut State, fold: bool) {
    match state.place() {
        Place::Slos => state.slos.fold(&state.world, fold),
        Place::Alerts => state.alerts.fold(&state.world, fold),
        Place::Incidents => state.incidents.fold(&state.world, fold),
        _ => return,
    }
    state.ordered = None;
}

/// To the next panel, or the one before; those that have nothing in them are passed over.
pub(super) fn panel(state: &mut State, by: isize) {
    let body = frame::areas(state.size).body;
    let has_something = |panel: usize| match state.place() {
        Place::Overview => overview::has_panel(state, body, panel),
        Place::Service(name) => service::has_panel(state, name, body, panel),
        Place::Slo { .. } => slo::has_panel(state, panel),
        Place::Alert(_) if panel == alert::RELATED => !state.related.rows().is_empty(),
        Place::Alert(fingerprint) if panel == alert::INCIDENT => {
            state.world.incident_of(*fingerprint).is_some()
        }
        Place::Alert(fingerprint) => panel != alert::SLO || alert::slo(state, *fingerprint).is_some(),
        Place::Incident { .. } => panel != incident::ALERTS || !state.incident.rows().is_empty(),
        Place::Runbook(_) => panel > 0 || state.runbook.blocks() == 0,
        _ => panel == 0,
    };
    let count = match state.place() {
        Place::Overview => overview::PANELS,
        Place::Alert(_) => alert::PANELS,
        Place::Incident { .. } => incident::PANELS,
        Place::Service(_) => service::PANELS,
        Place::Slo { .. } => slo::PANELS,
        Place::Runbook(_) => state.runbook.blocks() + 1,
        _ => 1,
    };
    let next = |panel: usize| (panel + count).saturating_add_signed(by) % count;
    let mut panel = next(state.panel);
    for _ in 0..count {
        if has_something(panel) {
            break;
        }
        panel = next(panel);
    }
    state.panel = panel;
    if matches!(state.place(), Place::Runbook(_)) {
        state.scroll = runbook::scroll_to_block(state, grid(state).area.height);
    }
}

/// The filter of the present screen.
pub(super) fn filter(state: &State) -> Option<&Found> {
    match state.place() {
        Place::Overview => Some(&state.overview.found),
        Place::Services => Some(&state.services.found),
        Place::Slos => Some(&state.slos.found),
        Place::Alerts => Some(&state.alerts.found),
        Place::Incidents => Some(&state.incidents.found),
        Place::OnCall => Some(&state.on_call.found),
        Place::Silences => Some(&state.silences.found),
        Place::Timeline => Some(&state.timeline.found),
        Place::Service(_)
        | Place::Slo { .. }
        | Place::Alert(_)
        | Place::Incident { .. }
        | Place::Policy { .. }
        | Place::Paper(_)
        | Place::Runbook(_)
        | Place::Sources
        | Place::Messages => None,
    }
}

/// The filter of the present screen, to be changed.
pub(super) fn filter_mut(state: &mut State) -> Option<&mut Found> {
    match state.place() {
        Place::Overview => Some(&mut state.overview.found),
        Place::Services => Some(&mut state.services.found),
        Place::Slos => Some(&mut state.slos.found),
        Place::Alerts => Some(&mut state.alerts.found),
        Place::Incidents => Some(&mut state.incidents.found),
        Place::OnCall => Some(&mut state.on_call.found),
        Place::Silences => Some(&mut state.silences.found),
        Place::Timeline => Some(&mut state.timeline.found),
        Place::Service(_)
        | Place::Slo { .. }
        | Place::Alert(_)
        | Place::Incident { .. }
        | Place::Policy { .. }
        | Place::Paper(_)
        | Place::Runbook(_)
        | Place::Sources
        | Place::Messages => None,
    }
}

/// Marks the current row or all rows, or takes the marks away.
pub(super) fn mark(state: &mut State, all: bool) {
    with_list!(state, list => if all { list.toggle_all() } else { list.toggle_mark() }, else ());
}
