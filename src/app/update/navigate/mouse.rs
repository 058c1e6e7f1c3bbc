//! The mouse: which panel and which row are at a cell.

use super::{grid, move_by, set_panel};
use crate::app::state::State;

/// The wheel at a cell: scrolls the panel there; the cursor follows.
pub(in crate::app::update) fn wheel(state: &mut State, rows: isize, column: u16, row: u16) {
    point_at_panel(state, (column, row));
    let panel = state.screen().wheel_panel();
    set_panel(state, panel);
    let grid = grid(state);
    let height = grid.room();
    let step = rows * isize::try_from(grid.columns).unwrap_or(1);
    match state.screen_mut().list_mut() {
        Some(list) if height > 0 => list.scroll(step, height),
        Some(_) => {}
        None => move_by(state, rows),
    }
}

/// A click at a cell: moves the cursor there. Returns `true` if the cursor was there already, so that the click opens the row.
pub(in crate::app::update) fn click(state: &mut State, column: u16, row: u16) -> bool {
    let before = state.panel();
    point_at_panel(state, (column, row));
    let grid = grid(state);
    let (screen, shared) = state.split();
    let index = if let Some(page) = screen.page(shared, grid.area.width) {
        if !grid.area.contains((column, row).into()) {
            return false;
        }
        let line = usize::from(screen.scroll_position().scroll + (row - grid.area.y));
        let Some(found) = page.row_on(line) else { return false };
        set_panel(state, found.panel);
        Some(found.index)
    } else {
        let place = grid.place_at(column, row);
        place.and_then(|place| screen.list().and_then(|list| list.row_at(place, grid.room())))
    };
    let was_here = state.panel() == before;
    let Some(index) = index else { return false };
    let Some(list) = state.screen_mut().list_mut() else { return was_here };
    let again = was_here && list.index() == index;
    list.move_to(index);
    again
}

/// Focuses the panel at a cell, if there is one.
fn point_at_panel(state: &mut State, cell: (u16, u16)) {
    let body = state.body();
    if let Some(panel) = state.screen().panel_at(&state.shared, body, cell) {
        set_panel(state, panel);
    }
}
