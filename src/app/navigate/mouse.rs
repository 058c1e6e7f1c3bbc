//! The mouse: which panel and which row lie under it.

use super::{grid, move_by};
use crate::app::frame;
use crate::app::place::Place;
use crate::app::screens::{alert, incident, overview, service, slo};
use crate::app::state::State;

/// The wheel over a cell: scrolls what is under it, the cursor follows.
pub(in crate::app) fn wheel(state: &mut State, rows: isize, column: u16, row: u16) {
    point_at_panel(state, column, row);
    if matches!(state.place(), Place::Alert(_) | Place::Incident { .. }) {
        state.panel = 0;
    }
    if matches!(state.place(), Place::Slo { .. }) && state.panel > slo::BURN {
        state.panel = slo::BUDGET;
    }
    let grid = grid(state);
    let height = grid.room();
    let step = rows * isize::try_from(grid.columns).unwrap_or(1);
    with_list!(state, list => if height > 0 { list.scroll(step, height) }, else move_by(state, rows));
}

/// A click at a cell: moves the cursor there; `true` if it was there already, which opens.
pub(in crate::app) fn click(state: &mut State, column: u16, row: u16) -> bool {
    let panel = state.panel;
    point_at_panel(state, column, row);
    let grid = grid(state);
    if let Place::Alert(fingerprint) = *state.place() {
        let Some(index) = alert::related_at(state, fingerprint, grid.area, column, row) else { return false };
        let again = state.panel == alert::RELATED && state.related.index() == index;
        state.panel = alert::RELATED;
        state.related.move_to(index);
        return again;
    }
    if let Place::Slo { source, id } = state.place() {
        let Some((panel, index)) = slo::row_at(state, source, id, grid.area, (column, row)) else {
            return false;
        };
        let is_same = state.panel == panel;
        state.panel = panel;
        return with_list!(state, list => {
            let again = is_same && list.index() == index;
            list.move_to(index);
            again
        }, else false);
    }
    if let Place::Incident { source, id } = state.place() {
        let Some(index) = incident::row_at(state, source, id, grid.area, (column, row)) else { return false };
        let again = state.panel == incident::ALERTS && state.incident.index() == index;
        state.panel = incident::ALERTS;
        state.incident.move_to(index);
        return again;
    }
    let Some(place) = grid.place_at(column, row) else { return false };
    let was_here = state.panel == panel;
    with_list!(state, list => match list.row_at(place, grid.room()) {
        Some(index) => {
            let again = was_here && list.index() == index;
            list.move_to(index);
            again
        }
        None => false,
    }, else false)
}

/// Gives the keyboard to the panel that covers a cell, if one does.
fn point_at_panel(state: &mut State, column: u16, row: u16) {
    let body = frame::areas(state.size).body;
    let panel = match state.place() {
        Place::Overview => [overview::SERVICES, overview::ALERTS, overview::SLOS, overview::INCIDENTS]
            .into_iter()
            .find(|panel| overview::grid(state, body, *panel).area.contains((column, row).into())),
        Place::Service(name) => service::panel_at(state, name, body, column, row),
        Place::Slo { .. } => slo::chart_at(state, body, column, row),
        _ => None,
    };
    state.panel = panel.unwrap_or(state.panel);
}
