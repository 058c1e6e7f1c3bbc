//! Handles keys, mouse and pasted text, depending on the current mode.

use jiff::Timestamp;

use super::go::go;
use super::run::{choose_in_explore, run};
use super::{change_range, confirm, form, intent, menus, navigate, refresh_form};
use crate::app::commands::Command;
use crate::app::event::{Effect, MouseAction};
use crate::app::grouped::Listing;
use crate::app::key::{Code, Key, NamedKey};
use crate::app::line_editor::LineEditor;
use crate::app::menu::{MenuChoice, MenuOutcome};
use crate::app::palette::Palette;
use crate::app::state::{Mode, State};
use crate::app::{frame, help, overlay, results};

/// Handles a key in the current mode.
pub(super) fn press(state: &mut State, key: Key, now: Timestamp) {
    state.version += 1;
    let mode = std::mem::take(&mut state.mode);
    if key == INTERRUPT && !matches!(mode, Mode::Browse) {
        return run(state, Command::Quit, now);
    }
    match mode {
        Mode::Browse if state.screen().is_editing() && key != INTERRUPT => {
            let (screen, shared) = state.split();
            screen.edit(shared, key, now);
        }
        Mode::Browse => browse(state, key, now),
        Mode::Filter { line, before } => type_filter(state, line, before, key),
        Mode::Palette(mut open) => match open.take(key) {
            MenuOutcome::Open => state.mode = Mode::Palette(open),
            MenuOutcome::Closed => {}
            MenuOutcome::Chosen(choice) => {
                choose(state, choice, now);
                // one more value can be chosen
                if let Mode::Palette(next) = &mut state.mode {
                    next.continue_from((open.line.text(), open.at));
                }
            }
        },
        Mode::Menu(mut open) => match open.take(key) {
            MenuOutcome::Open => {
                menus::preview(state, open.current());
                state.mode = Mode::Menu(open);
            }
            MenuOutcome::Closed => menus::preview(state, open.before()),
            MenuOutcome::Chosen(choice) => choose(state, choice, now),
        },
        Mode::Confirm(open) => confirm::press(state, open, key, now),
        Mode::Form(open) => form::press(state, open, key, now),
        Mode::Results { back, top } => {
            let oldest = state.shared.runs.all().len().saturating_sub(1);
            let (back, top) = match state.shared.keys.lookup(key, &[]) {
                Some(Command::Left) => ((back + 1).min(oldest), 0),
                Some(Command::Right) => (back.saturating_sub(1), 0),
                command => match scrolled(state, top, command) {
                    Some(top) => (back, top),
                    None => return,
                },
            };
            let top = top.min(results::last_top(&state.shared, back, now));
            state.mode = Mode::Results { back, top };
        }
        Mode::Help(top) => {
            if let Some(top) = scrolled(state, top, state.shared.keys.lookup(key, &[])) {
                state.mode = Mode::Help(top.min(help::last_top(state)));
            }
        }
    }
}

/// The scroll position of a window of text after a command, before it is limited to the text. `None`: the window closes.
fn scrolled(state: &State, top: u16, command: Option<Command>) -> Option<u16> {
    let page = state.shared.size.1.saturating_sub(6).max(1);
    match command {
        Some(Command::Down) => Some(top.saturating_add(1)),
        Some(Command::Up) => Some(top.saturating_sub(1)),
        Some(Command::PageDown) => Some(top.saturating_add(page)),
        Some(Command::PageUp) => Some(top.saturating_sub(page)),
        Some(Command::Top) => Some(0),
        Some(Command::Bottom) => Some(u16::MAX),
        _ => None,
    }
}

/// Quits in every mode, whatever the key map says.
const INTERRUPT: Key = Key { ctrl: true, ..Key::char('c') };

/// Runs the command of a key, or logs a message about why the key does nothing.
fn browse(state: &mut State, key: Key, now: Timestamp) {
    if let Some(command) = state.shared.keys.lookup(key, state.screen().scopes()) {
        return run(state, command, now);
    }
    if key == INTERRUPT {
        return run(state, Command::Quit, now);
    }
    let reason = match (state.shared.keys.anywhere(key), key.typed()) {
        (Some(command), _) => {
            format!("{key} ({}) works {}, not here", command.name(), command.scope().place())
        }
        (None, Some(c)) if c.is_ascii_digit() => format!("No screen has the number {c}"),
        (None, _) => {
            let help = state.shared.key(Command::Help);
            format!("{key} is not bound here. Press {help} for all keys.")
        }
    };
    state.shared.messages.note(reason, now);
}

/// Handles a key while a filter is being typed.
fn type_filter(state: &mut State, mut line: LineEditor, before: String, key: Key) {
    match key.code {
        Code::Named(NamedKey::Esc) => return state.set_filter(&before),
        Code::Named(NamedKey::Enter) => return,
        // Up and Down move the list's cursor while the filter is being typed
        Code::Named(NamedKey::Up) => navigate::by_rows(state, -1),
        Code::Named(NamedKey::Down) => navigate::by_rows(state, 1),
        Code::Named(_) | Code::Char(_) => {
            line.take(key);
            state.set_filter(line.text());
        }
    }
    state.mode = Mode::Filter { line, before };
}

pub(super) fn paste(state: &mut State, text: &str) {
    state.version += 1;
    let is_editing = state.screen().is_editing();
    match &mut state.mode {
        Mode::Filter { line, .. } => {
            line.insert(text);
            let text = line.text().to_owned();
            state.set_filter(&text);
        }
        Mode::Palette(palette) => palette.paste(text),
        Mode::Form(form) => form.paste(text),
        Mode::Browse if is_editing => {
            let (screen, shared) = state.split();
            screen.paste(shared, text);
        }
        Mode::Browse | Mode::Menu(_) | Mode::Help(_) | Mode::Confirm(_) | Mode::Results { .. } => {}
    }
    refresh_form(state);
}

pub(super) fn mouse(state: &mut State, action: MouseAction, column: u16, row: u16, now: Timestamp) {
    state.version += 1;
    let wheel: i16 = match action {
        MouseAction::WheelUp => -3,
        MouseAction::WheelDown => 3,
        MouseAction::Click => return click(state, column, row, now),
    };
    let arrow = Key::named(if wheel < 0 { NamedKey::Up } else { NamedKey::Down });
    match &mut state.mode {
        Mode::Browse | Mode::Filter { .. } => navigate::wheel(state, wheel.into(), column, row),
        Mode::Help(top) => {
            let top = top.saturating_add_signed(wheel);
            state.mode = Mode::Help(top.min(help::last_top(state)));
        }
        Mode::Confirm(_) | Mode::Form(_) | Mode::Results { .. } | Mode::Menu(_) | Mode::Palette(_) => {
            press(state, arrow, now);
        }
    }
}

/// A click chooses the item at the cell; outside of a window it closes the window.
fn click(state: &mut State, column: u16, row: u16, now: Timestamp) {
    match std::mem::take(&mut state.mode) {
        // the filter keeps the text typed so far
        Mode::Browse | Mode::Filter { .. } => {
            if let Some(tab) = frame::tab_at(state, column, row) {
                run(state, Command::Go(tab), now);
            } else if navigate::click(state, column, row) {
                run(state, Command::Open, now);
            }
        }
        Mode::Help(_) | Mode::Results { .. } => {}
        // a stray click must not discard a form or a confirm dialog
        open @ (Mode::Confirm(_) | Mode::Form(_)) => state.mode = open,
        Mode::Menu(menu) => {
            let at = overlay::menu_row_at(state.shared.size, &menu, (column, row));
            match at.map(|index| menu.choose(index)) {
                Some(MenuOutcome::Chosen(choice)) => choose(state, choice, now),
                Some(MenuOutcome::Open | MenuOutcome::Closed) | None => menus::preview(state, menu.before()),
            }
        }
        Mode::Palette(palette) => {
            let at = overlay::palette_row_at(state.shared.size, &palette, (column, row));
            if let Some(MenuOutcome::Chosen(choice)) = at.map(|index| palette.choose(index)) {
                choose(state, choice, now);
            }
        }
    }
}

/// Does what the item of a menu or of the palette is for.
fn choose(state: &mut State, choice: MenuChoice, now: Timestamp) {
    match choice {
        MenuChoice::Sort(column) => {
            if let Some(listing) = state.screen_mut().listing_mut() {
                listing.order_mut().choose(column);
            }
            state.ordered = None;
        }
        MenuChoice::Group(grouping) => {
            if let Some(present) = state.screen_mut().listing_mut().and_then(Listing::grouping_mut) {
                *present = grouping;
            }
            state.ordered = None;
        }
        MenuChoice::Range(length) => change_range(state, now, |range, _| range.length = length),
        MenuChoice::Theme(theme) => {
            state.shared.look.choose(theme);
            state.shared.effects.push(Effect::Redraw);
        }
        MenuChoice::Context(context) => state.shared.effects.push(Effect::Enter(context)),
        MenuChoice::Go(place) => go(state, place, now),
        MenuChoice::Link(link) => state.shared.copy(link.to_string(), now),
        MenuChoice::Run(command) => run(state, command, now),
        MenuChoice::Explore(choice) => choose_in_explore(state, *choice, now),
        MenuChoice::Variable(choice) => {
            let (screen, shared) = state.split();
            if let Some(values) = screen.choose_variable(shared, *choice, now) {
                state.mode = Mode::Palette(Box::new(Palette::choosing(values)));
            }
        }
        MenuChoice::Intent(intent) => intent::choose(state, *intent, now),
        MenuChoice::Cannot(why) => state.shared.messages.note(format!("Not available: {why}"), now),
    }
}
