//! Handles keys, mouse and pasted text, depending on the current mode.

use jiff::Timestamp;

use super::run::run;
use super::{confirm, form, menus, navigate, refresh_form, run_events};
use crate::app::commands::Command;
use crate::app::event::{Effect, MouseAction};
use crate::app::key::{Code, Key, NamedKey};
use crate::app::line_editor::LineEditor;
use crate::app::palette::PaletteTarget;
use crate::app::state::{Mode, State};
use crate::app::{frame, help, menu, overlay};

/// Handles a key in the current mode.
pub(super) fn press(state: &mut State, key: Key, now: Timestamp) -> Vec<Effect> {
    state.version += 1;
    let mode = std::mem::take(&mut state.mode);
    if key == INTERRUPT && !matches!(mode, Mode::Browse) {
        return run(state, Command::Quit, now);
    }
    match mode {
        Mode::Browse => browse(state, key, now),
        Mode::Filter { line, before } => {
            type_filter(state, line, before, key);
            Vec::new()
        }
        Mode::Palette(mut open) => match open.take(key) {
            menu::MenuOutcome::Open => {
                state.mode = Mode::Palette(open);
                Vec::new()
            }
            menu::MenuOutcome::Closed => Vec::new(),
            menu::MenuOutcome::Chosen(target) => go(state, target, now),
        },
        Mode::Menu(mut open) => match open.take(key) {
            menu::MenuOutcome::Open => {
                menus::preview(state, open.current());
                state.mode = Mode::Menu(open);
                Vec::new()
            }
            menu::MenuOutcome::Closed => {
                menus::preview(state, open.before());
                Vec::new()
            }
            menu::MenuOutcome::Chosen(choice) => menus::choose(state, choice, now),
        },
        Mode::Confirm(open) => confirm::press(state, open, key, now),
        Mode::Form(open) => {
            form::press(state, open, key, now);
            Vec::new()
        }
        Mode::Results { back, top } => {
            run_events::read(state, (back, top), key, now);
            Vec::new()
        }
        Mode::Help(top) => {
            let page = state.shared.size.1.saturating_sub(6).max(1);
            state.mode = match state.shared.keys.lookup(key, &[]) {
                Some(Command::Down) => Mode::Help(top.saturating_add(1)),
                Some(Command::Up) => Mode::Help(top.saturating_sub(1)),
                Some(Command::PageDown) => Mode::Help(top.saturating_add(page)),
                Some(Command::PageUp) => Mode::Help(top.saturating_sub(page)),
                Some(Command::Top) => Mode::Help(0),
                Some(Command::Bottom) => Mode::Help(u16::MAX),
                _ => Mode::Browse,
            };
            if let Mode::Help(top) = &state.mode {
                let top = *top;
                state.mode = Mode::Help(top.min(help::last_top(state)));
            }
            Vec::new()
        }
    }
}

/// Quits in every mode, whatever the key map says.
const INTERRUPT: Key = Key { ctrl: true, ..Key::char('c') };

/// Runs the command of a key, or logs a message about why the key does nothing.
fn browse(state: &mut State, key: Key, now: Timestamp) -> Vec<Effect> {
    if let Some(command) = state.shared.keys.lookup(key, state.screen().scopes()) {
        return run(state, command, now);
    }
    if key == INTERRUPT {
        return run(state, Command::Quit, now);
    }
    let said = match (state.shared.keys.anywhere(key), key.typed()) {
        (Some(command), _) => {
            format!("{key} ({}) works {}, not here", command.name(), command.scope().place())
        }
        (None, Some(c)) if c.is_ascii_digit() => format!("No screen has the number {c}"),
        (None, _) => {
            let help = state.shared.key(Command::Help);
            format!("{key} is not bound here. Press {help} for all keys.")
        }
    };
    state.shared.messages.note(said, now);
    Vec::new()
}

/// Handles a key while a filter is being typed.
fn type_filter(state: &mut State, mut line: LineEditor, before: String, key: Key) {
    match key.code {
        Code::Named(NamedKey::Esc) => state.set_filter(&before),
        Code::Named(NamedKey::Enter) => {}
        // Up and Down move the list's cursor while the filter is being typed
        Code::Named(NamedKey::Up) => {
            navigate::by_rows(state, -1);
            state.mode = Mode::Filter { line, before };
        }
        Code::Named(NamedKey::Down) => {
            navigate::by_rows(state, 1);
            state.mode = Mode::Filter { line, before };
        }
        Code::Named(_) | Code::Char(_) => {
            line.take(key);
            state.set_filter(line.text());
            state.mode = Mode::Filter { line, before };
        }
    }
}

pub(super) fn paste(state: &mut State, text: &str) -> Vec<Effect> {
    state.version += 1;
    match &mut state.mode {
        Mode::Filter { line, .. } => {
            line.insert(text);
            let text = line.text().to_owned();
            state.set_filter(&text);
        }
        Mode::Palette(palette) => palette.paste(text),
        Mode::Form(form) => form.paste(text),
        Mode::Browse | Mode::Menu(_) | Mode::Help(_) | Mode::Confirm(_) | Mode::Results { .. } => {}
    }
    refresh_form(state);
    Vec::new()
}

pub(super) fn mouse(
    state: &mut State,
    action: MouseAction,
    column: u16,
    row: u16,
    now: Timestamp,
) -> Vec<Effect> {
    state.version += 1;
    let wheel: i16 = match action {
        MouseAction::WheelUp => -3,
        MouseAction::WheelDown => 3,
        MouseAction::Click => return click(state, column, row, now),
    };
    match &mut state.mode {
        Mode::Browse | Mode::Filter { .. } => navigate::wheel(state, wheel.into(), column, row),
        Mode::Help(top) => {
            let top = top.saturating_add_signed(wheel);
            state.mode = Mode::Help(top.min(help::last_top(state)));
        }
        Mode::Confirm(_) | Mode::Form(_) | Mode::Results { .. } => {
            return press(state, run_events::wheel_key(wheel), now);
        }
        Mode::Menu(menu) => {
            menu.take(Key::named(if wheel < 0 { NamedKey::Up } else { NamedKey::Down }));
        }
        Mode::Palette(palette) => {
            palette.take(Key::named(if wheel < 0 { NamedKey::Up } else { NamedKey::Down }));
        }
    }
    if let Mode::Menu(menu) = &state.mode {
        let shown = menu.current().cloned();
        menus::preview(state, shown.as_ref());
    }
    Vec::new()
}

/// A click chooses the item at the cell; outside of a window it closes the window.
fn click(state: &mut State, column: u16, row: u16, now: Timestamp) -> Vec<Effect> {
    match std::mem::take(&mut state.mode) {
        // the filter keeps the text typed so far
        Mode::Browse | Mode::Filter { .. } => {
            if let Some(tab) = frame::tab_at(state, column, row) {
                return run(state, Command::Go(tab), now);
            }
            if navigate::click(state, column, row) { run(state, Command::Open, now) } else { Vec::new() }
        }
        Mode::Help(_) | Mode::Results { .. } => Vec::new(),
        // a stray click must not discard a form or a confirm dialog
        open @ (Mode::Confirm(_) | Mode::Form(_)) => {
            state.mode = open;
            Vec::new()
        }
        Mode::Menu(menu) => {
            let at = overlay::menu_row_at(state.shared.size, &menu, column, row);
            if let Some(menu::MenuOutcome::Chosen(choice)) = at.map(|index| menu.choose(index)) {
                return menus::choose(state, choice, now);
            }
            menus::preview(state, menu.before());
            Vec::new()
        }
        Mode::Palette(palette) => {
            let at = overlay::palette_row_at(state.shared.size, &palette, column, row);
            match at.map(|index| palette.choose(index)) {
                Some(menu::MenuOutcome::Chosen(target)) => go(state, target, now),
                Some(menu::MenuOutcome::Open | menu::MenuOutcome::Closed) | None => Vec::new(),
            }
        }
    }
}

/// Runs the entry that was chosen in the palette.
fn go(state: &mut State, target: PaletteTarget, now: Timestamp) -> Vec<Effect> {
    match target {
        PaletteTarget::Run(command) => run(state, command, now),
        PaletteTarget::Go(place) => {
            state.go(place, now);
            Vec::new()
        }
        PaletteTarget::Context(context) => vec![Effect::Enter(context)],
    }
}
