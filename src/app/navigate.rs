//! Moving about: cursors, panels, pages, places, and what the cursor is on.

use jiff::Timestamp;
use ratatui::layout::Rect;

use super::found::Found;
use super::frame;
use super::place::Place;
use super::screens::alerts::Row;
use super::screens::{self, overview};
use super::state::State;
use crate::model::labels::{Labels, Text};

/// How many places the way back remembers.
const REMEMBERED: usize = 32;

/// The list that has the keyboard, whatever its rows are.
macro_rules! with_list {
    ($state:expr, $list:ident => $do:expr, else $other:expr) => {
        match $state.place() {
            Place::Overview if $state.panel == overview::ALERTS => {
                let $list = &mut $state.overview.alerts;
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
            Place::Alerts => {
                let $list = &mut $state.alerts.list;
                $do
            }
            Place::Sources => {
                let $list = &mut $state.source_list.list;
                $do
            }
            Place::Service(_) | Place::Alert(_) | Place::Messages => $other,
        }
    };
}

/// Where the rows of the list with the keyboard stand, and how many tiles stand side by side there.
fn list_area(state: &State) -> (Rect, usize) {
    let body = frame::areas(state.size).body;
    match state.place() {
        Place::Overview => overview::list_area(body, state.panel),
        Place::Services | Place::Alerts => (frame::table_rows(body), 1),
        Place::Sources => (screens::sources::list_area(body, state.sources.len()), 1),
        Place::Service(_) | Place::Alert(_) | Place::Messages => (body, 1),
    }
}

fn page(state: &State) -> usize {
    usize::from(list_area(state).0.height).max(1)
}

/// Brings the cursor into sight.
pub(super) fn follow(state: &mut State) {
    let (area, columns) = list_area(state);
    let height = usize::from(area.height) * columns;
    with_list!(state, list => list.follow(height.max(1)), else {
        let last = screens::last_scroll(state, area);
        state.scroll = state.scroll.min(last);
    });
}

fn move_by(state: &mut State, rows: isize) {
    with_list!(state, list => list.move_by(rows), else {
        let step = i16::try_from(rows).unwrap_or(if rows < 0 { i16::MIN } else { i16::MAX });
        state.scroll = state.scroll.saturating_add_signed(step);
    });
    follow(state);
}

/// Up or down by rows.
pub(super) fn by_rows(state: &mut State, rows: isize) {
    let columns = isize::try_from(list_area(state).1).unwrap_or(1);
    move_by(state, rows * columns);
}

/// Up or down by pages.
pub(super) fn by_pages(state: &mut State, pages: isize) {
    let page = isize::try_from(page(state)).unwrap_or(isize::MAX);
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

/// The wheel: scrolls, the cursor follows.
pub(super) fn wheel(state: &mut State, rows: isize) {
    let (area, columns) = list_area(state);
    let height = usize::from(area.height) * columns;
    let step = rows * isize::try_from(columns).unwrap_or(1);
    with_list!(state, list => list.scroll(step, height.max(1)), else move_by(state, rows));
}

/// Left or right: to the neighbouring tile, else folding groups, else to the next panel.
pub(super) fn sideways(state: &mut State, by: isize) {
    match state.place() {
        Place::Overview if state.panel == overview::SERVICES && list_area(state).1 > 1 => {
            let columns = list_area(state).1;
            let at = state.overview.services.index();
            let at_edge = if by < 0 { at.is_multiple_of(columns) } else { (at + 1).is_multiple_of(columns) };
            let at_end = by > 0 && at + 1 >= state.overview.services.rows().len();
            if at_edge || at_end { panel(state, by) } else { move_by(state, by) }
        }
        Place::Overview | Place::Service(_) => panel(state, by),
        Place::Alerts => {
            state.alerts.fold(by < 0);
            state.ordered = None;
        }
        Place::Alert(_) | Place::Services | Place::Sources | Place::Messages => {}
    }
}

/// To the next panel, or the one before.
pub(super) fn panel(state: &mut State, by: isize) {
    let count = match state.place() {
        Place::Overview => 2,
        Place::Service(_) => screens::service::panels(),
        Place::Services | Place::Alerts | Place::Alert(_) | Place::Sources | Place::Messages => 1,
    };
    state.panel = (state.panel + count).saturating_add_signed(by) % count;
}

/// Goes to a place; the way back leads here.
pub(super) fn go(state: &mut State, place: Place, now: Timestamp) {
    if *state.place() == place {
        return;
    }
    leave(state, now);
    state.places.push(place);
    if state.places.len() > REMEMBERED {
        state.places.remove(0);
    }
}

/// Goes back to where one came from.
pub(super) fn back(state: &mut State, now: Timestamp) {
    if state.places.len() > 1 {
        leave(state, now);
        state.places.pop();
    }
}

/// What came until now counts as seen on the screen that is left.
fn leave(state: &mut State, now: Timestamp) {
    if let Some(screen) = state.place().screen() {
        state.looked.insert(screen, now);
    }
    (state.panel, state.scroll) = (0, 0);
}

/// Opens what the cursor is on.
pub(super) fn open(state: &mut State, now: Timestamp) {
    let target = match state.place() {
        Place::Overview if state.panel == overview::ALERTS => {
            state.overview.alerts.current().copied().map(Place::Alert)
        }
        Place::Overview => state.overview.services.current().cloned().map(Place::Service),
        Place::Services => state.services.list.current().cloned().map(Place::Service),
        Place::Alerts => match state.alerts.list.current() {
            Some(Row::Alert(fingerprint)) => Some(Place::Alert(*fingerprint)),
            Some(Row::Group(_)) => {
                let fold = !state.alerts.is_folded();
                state.alerts.fold(fold);
                state.ordered = None;
                None
            }
            None => None,
        },
        // the worst alert of a service explains it best
        Place::Service(name) => {
            screens::service::alerts(state, name).first().map(|alert| Place::Alert(alert.fingerprint))
        }
        Place::Alert(fingerprint) => {
            let alert = state.world.alert(*fingerprint);
            let service = alert.and_then(|alert| state.world.service_of(&alert.labels));
            service.filter(|name| state.world.service(name).is_some()).cloned().map(Place::Service)
        }
        Place::Sources | Place::Messages => None,
    };
    if let Some(target) = target {
        go(state, target, now);
    }
}

/// A click at a cell: moves the cursor there; `true` if it was there already, which opens.
pub(super) fn click(state: &mut State, column: u16, row: u16) -> bool {
    if *state.place() == Place::Overview {
        let body = frame::areas(state.size).body;
        let hit = |panel: usize| overview::list_area(body, panel).0.contains((column, row).into());
        state.panel = if hit(overview::ALERTS) { overview::ALERTS } else { overview::SERVICES };
    }
    let (area, columns) = list_area(state);
    if !area.contains((column, row).into()) {
        return false;
    }
    let width = (usize::from(area.width) / columns).max(1);
    let tile = (usize::from(column - area.x) / width).min(columns - 1);
    let line = usize::from(row - area.y) * columns + tile;
    let height = usize::from(area.height) * columns;
    with_list!(state, list => match list.row_at(line, height) {
        Some(index) => {
            let again = list.index() == index;
            list.move_to(index);
            again
        }
        None => false,
    }, else false)
}

/// The filter of the present screen.
pub(super) fn filter(state: &State) -> Option<&Found> {
    match state.place() {
        Place::Overview => Some(&state.overview.found),
        Place::Services => Some(&state.services.found),
        Place::Alerts => Some(&state.alerts.found),
        Place::Service(_) | Place::Alert(_) | Place::Sources | Place::Messages => None,
    }
}

/// The filter of the present screen, to be changed.
pub(super) fn filter_mut(state: &mut State) -> Option<&mut Found> {
    match state.place() {
        Place::Overview => Some(&mut state.overview.found),
        Place::Services => Some(&mut state.services.found),
        Place::Alerts => Some(&mut state.alerts.found),
        Place::Service(_) | Place::Alert(_) | Place::Sources | Place::Messages => None,
    }
}

/// Marks the current row or all rows, or takes the marks away.
pub(super) fn mark(state: &mut State, all: bool) {
    with_list!(state, list => if all { list.toggle_all() } else { list.toggle_mark() }, else ());
}

/// What copying takes: the marked things, else the current one.
pub(super) fn copied(state: &State) -> Option<String> {
    let alert = |fingerprint| state.world.alert(fingerprint).map(|alert| alert.labels.to_string());
    let names = |list: &super::list::List<Text>| {
        let marked: Vec<&str> = list.marks().iter().map(|name| &**name).collect();
        if marked.is_empty() {
            list.current().map(std::string::ToString::to_string)
        } else {
            Some(marked.join("\n"))
        }
    };
    match state.place() {
        Place::Overview if state.panel == overview::ALERTS => {
            state.overview.alerts.current().copied().and_then(alert)
        }
        Place::Overview => names(&state.overview.services),
        Place::Services => names(&state.services.list),
        Place::Service(name) => Some(name.to_string()),
        Place::Alerts => {
            let list = &state.alerts.list;
            let row = |row: &Row| match row {
                Row::Alert(fingerprint) => alert(*fingerprint),
                Row::Group(labels) => Some(labels.to_string()),
            };
            let marked: Vec<String> = list.marks().iter().filter_map(row).collect();
            if marked.is_empty() { list.current().and_then(row) } else { Some(marked.join("\n")) }
        }
        Place::Alert(fingerprint) => alert(*fingerprint),
        Place::Sources => state.source_list.list.current().map(ToString::to_string),
        Place::Messages => state.messages.all().next().map(|told| told.message.text.clone()),
    }
}

/// The links of what the cursor is on: name and address, only http(s).
pub(super) fn links(state: &State) -> Vec<(String, Text)> {
    let fingerprint = match state.place() {
        Place::Alert(fingerprint) => Some(*fingerprint),
        Place::Alerts => match state.alerts.list.current() {
            Some(Row::Alert(fingerprint)) => Some(*fingerprint),
            Some(Row::Group(_)) | None => None,
        },
        Place::Overview if state.panel == overview::ALERTS => state.overview.alerts.current().copied(),
        Place::Service(name) => screens::service::alerts(state, name).first().map(|alert| alert.fingerprint),
        Place::Overview | Place::Services | Place::Sources | Place::Messages => None,
    };
    let Some(alert) = fingerprint.and_then(|fingerprint| state.world.alert(fingerprint)) else {
        return Vec::new();
    };
    let of = |labels: &Labels| {
        let found = labels.iter().filter(|(_, value)| is_link(value));
        found.map(|(name, value)| (name.to_string(), value.clone())).collect::<Vec<_>>()
    };
    let mut links = of(&alert.annotations);
    links.sort_by_key(|(name, _)| !name.starts_with("runbook"));
    links.extend(of(&alert.labels));
    links.extend(
        alert.generator_url.iter().filter(|url| is_link(url)).map(|url| ("source".to_owned(), url.clone())),
    );
    links
}

/// Whether a text is an address that may be opened.
pub(super) fn is_link(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}
