//! The menus of orders, groupings, ranges, contexts, themes and links.

use jiff::Timestamp;

use crate::app::grouped::Listing;
use crate::app::menu::{Menu, MenuChoice};
use crate::app::range::lengths;
use crate::app::state::{Mode, State};
use crate::model::duration;
use crate::model::labels::Text;
use crate::model::text::address;

pub(super) fn sort(state: &mut State, now: Timestamp) {
    let orders = state.screen().orders();
    let Some(order) = state.screen().listing().map(Listing::order).filter(|_| !orders.is_empty()) else {
        let words =
            "This list cannot be sorted. Services, SLOs, alerts, incidents and resources can be sorted.";
        state.shared.messages.note(words, now);
        return;
    };
    let items =
        orders.iter().enumerate().map(|(i, order)| (order.name.to_owned(), MenuChoice::Sort(i))).collect();
    state.mode = Mode::Menu(Menu::new("Sort by (choose again to reverse)", items, order.column));
}

pub(super) fn group(state: &mut State) {
    let groupings = state.screen().groupings(&state.shared);
    let present = state.screen_mut().listing_mut().and_then(Listing::grouping_mut).cloned();
    let at = groupings.iter().position(|(_, grouping)| Some(grouping) == present.as_ref()).unwrap_or(0);
    let items = groupings.into_iter().map(|(name, grouping)| (name, MenuChoice::Group(grouping))).collect();
    state.mode = Mode::Menu(Menu::new("Group by", items, at));
}

pub(super) fn range(state: &mut State) {
    let items = lengths().map(|length| (duration::short(length), MenuChoice::Range(length))).to_vec();
    let at = lengths().iter().position(|length| *length == state.shared.range.length).unwrap_or(0);
    state.mode = Mode::Menu(Menu::new("Time range", items, at));
}

/// Opens the menu of contexts, if there is more than one.
pub(super) fn context(state: &mut State, now: Timestamp) {
    if state.shared.contexts.iter().all(|name| *name == state.shared.context) {
        let words = format!("{} is the only configured context", state.shared.context);
        state.shared.messages.note(words, now);
        return;
    }
    let items =
        state.shared.contexts.iter().map(|c| (c.to_string(), MenuChoice::Context(c.clone()))).collect();
    let at = state.shared.contexts.iter().position(|c| *c == state.shared.context).unwrap_or(0);
    state.mode = Mode::Menu(Menu::new("Context", items, at));
}

/// Opens the menu of themes; the theme under the cursor is previewed.
pub(super) fn theme(state: &mut State) {
    let themes = state.shared.look.themes.iter().enumerate();
    let items = themes.map(|(i, theme)| (theme.name().to_owned(), MenuChoice::Theme(i))).collect();
    state.mode = Mode::Menu(Menu::new("Theme (Esc cancels)", items, state.shared.look.theme));
}

pub(super) fn links(state: &mut State, now: Timestamp) {
    let links = state.screen().links(&state.shared).into_iter();
    let item = |(name, link): (String, Text)| {
        let link = address(&link);
        (format!("{name}  {link}"), MenuChoice::Link((&*link).into()))
    };
    let items: Vec<_> = links.map(item).collect();
    if items.is_empty() {
        let words = "No links here. Alerts, incidents and escalation policies have links.";
        state.shared.messages.note(words, now);
    } else {
        state.mode = Mode::Menu(Menu::new("Links (Enter copies)", items, 0));
    }
}

/// Previews the item under the cursor, if that can be undone (themes).
pub(super) fn preview(state: &mut State, choice: Option<&MenuChoice>) {
    if let Some(MenuChoice::Theme(theme)) = choice {
        state.shared.look.choose(*theme);
    }
}
