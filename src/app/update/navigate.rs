//! Navigation within a screen: cursor, panels, pages, marks.

use jiff::Timestamp;

use super::go::go;
use crate::app::grid::Grid;
use crate::app::list::{Cursor, wrapped};
use crate::app::page::scroll_to;
use crate::app::place::ScrollPosition;
use crate::app::screen::Opened;
use crate::app::state::State;

pub(super) use mouse::{click, wheel};

mod mouse;

/// The grid of the focused list or text.
fn grid(state: &State) -> Grid {
    state.screen().grid(&state.shared, state.body())
}

fn set_scroll(state: &mut State, scroll: u16) {
    let screen = state.screen_mut();
    screen.set_scroll_position(ScrollPosition { scroll, ..screen.scroll_position() });
}

fn set_panel(state: &mut State, panel: usize) {
    let screen = state.screen_mut();
    screen.set_scroll_position(ScrollPosition { panel, ..screen.scroll_position() });
}

/// Scrolls so that the cursor is visible.
pub(super) fn follow(state: &mut State) {
    let grid = grid(state);
    let (screen, shared) = state.split();
    let ScrollPosition { panel, scroll } = screen.scroll_position();
    if let Some(page) = screen.page(shared, grid.area.width) {
        let index = screen.list().map_or(0, Cursor::index);
        let line = page.line_of(panel, index);
        let scroll = line.map_or(scroll, |line| scroll_to(line, scroll, grid.area.height));
        screen.set_scroll_position(ScrollPosition {
            panel,
            scroll: scroll.min(page.last_scroll(grid.area.height)),
        });
    } else if let Some(list) = screen.list_mut() {
        list.follow(grid.room().max(1));
    } else {
        screen.set_scroll_position(ScrollPosition {
            panel,
            scroll: scroll.min(screen.last_scroll(shared, grid.area)),
        });
    }
}

/// Moves the cursor by rows, or scrolls a text without a list.
fn move_by(state: &mut State, rows: isize) {
    // a cursor that is not visible does not move
    let is_seen = grid(state).room() > 0;
    let screen = state.screen_mut();
    if let Some(list) = screen.list_mut() {
        if is_seen {
            list.move_by(rows);
        }
    } else {
        let step = i16::try_from(rows).unwrap_or(if rows < 0 { i16::MIN } else { i16::MAX });
        let scroll = state.screen().scroll_position().scroll.saturating_add_signed(step);
        set_scroll(state, scroll);
    }
    follow(state);
}

/// Fixes the cursor to its item from now on, as a cursor movement does: the user is about to open it or act on it.
pub(super) fn fix_cursor(state: &mut State) {
    move_by(state, 0);
}

pub(super) fn by_rows(state: &mut State, rows: isize) {
    let columns = isize::try_from(grid(state).columns).unwrap_or(1);
    move_by(state, rows * columns);
}

pub(super) fn by_pages(state: &mut State, pages: isize) {
    let page = isize::try_from(grid(state).height().max(1)).unwrap_or(isize::MAX);
    by_rows(state, pages * page);
}

/// Moves to the first row, or to the top of a page without rows.
pub(super) fn to_top(state: &mut State) {
    match state.screen_mut().list_mut() {
        Some(list) => list.to_top(),
        None => set_scroll(state, 0),
    }
}

pub(super) fn to_bottom(state: &mut State) {
    move_by(state, isize::MAX / 64);
}

/// Moves left or right: to the next tile; on screens without tiles to the next panel; else collapses or expands a group.
pub(super) fn move_sideways(state: &mut State, by: isize) {
    let columns = grid(state).columns;
    let screen = state.screen_mut();
    if let Some((at, rows)) = screen.list().filter(|_| columns > 1).map(|list| (list.index(), list.len())) {
        let at_edge = if by < 0 { at.is_multiple_of(columns) } else { (at + 1).is_multiple_of(columns) };
        let at_end = by > 0 && at + 1 >= rows;
        if at_edge || at_end { panel(state, by) } else { move_by(state, by) }
    } else if screen.has_panels_side_by_side() {
        panel(state, by);
    } else if screen.listing_mut().is_some_and(|listing| listing.fold(by < 0)) {
        state.ordered = None;
    }
}

/// Focuses the next or the previous panel; panels without content are skipped.
pub(super) fn panel(state: &mut State, by: isize) {
    let body = state.body();
    let (screen, shared) = state.split();
    let count = screen.panels();
    let mut panel = wrapped(screen.scroll_position().panel, by, count);
    for _ in 0..count {
        if screen.has_panel(shared, body, panel) {
            break;
        }
        panel = wrapped(panel, by, count);
    }
    set_panel(state, panel);
    let area = grid(state).area;
    let (screen, shared) = state.split();
    screen.show_panel(shared, area);
}

/// Marks or unmarks the current row, or all rows.
pub(super) fn mark(state: &mut State, all: bool) {
    if let Some(list) = state.screen_mut().list_mut() {
        if all { list.toggle_all() } else { list.toggle_mark() }
    }
}

/// Opens the row under the cursor; returns `false` if there is nothing to open.
pub(super) fn open(state: &mut State, now: Timestamp) -> bool {
    fix_cursor(state);
    let (screen, shared) = state.split();
    match screen.open(shared) {
        Opened::Nothing => return false,
        Opened::Folded => state.ordered = None,
        Opened::Place(place) => go(state, place, now),
        Opened::Search { place, filter, note } => {
            if let Some(note) = note {
                state.shared.messages.note(note, now);
            }
            state.go(place, now);
            let screen = state.screen_mut();
            if let Some(found) = screen.found_mut() {
                found.set(&filter);
            }
            screen.show_hidden(Some(true));
            state.ordered = None;
        }
    }
    true
}
