//! Draws the window over the screen: help, palette, menu, confirm dialog, form or results.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::display_settings::Cx;
use super::help::{self, Help};
use super::menu::{Menu, MenuChoice};
use super::palette::Palette;
use super::state::{Mode, State};
use super::theme::Role;
use super::widgets::text::{self, StyledRun};
use super::window::{hidden_lines, place, window};

/// Columns and rows of the palette.
const PALETTE: (u16, u16) = (76, 18);

/// Draws the window of the current mode, if the mode has one.
pub(super) fn render(state: &State, cx: &Cx<'_>, buf: &mut Buffer) {
    match &state.mode {
        Mode::Browse | Mode::Filter { .. } => {}
        Mode::Help(top) => {
            help(cx, &help::laid_out(state, buf.area.width), *top, buf);
        }
        Mode::Menu(menu) => self::menu(cx, menu, buf),
        Mode::Palette(open) => palette(cx, open, buf),
        Mode::Confirm(confirm) => super::confirm::render(&state.shared, cx, confirm, buf),
        Mode::Form(form) => super::form::render(&state.shared, cx, form, buf),
        Mode::Results { back, top } => super::results::render(&state.shared, cx, *back, *top, buf),
    }
}

/// Draws the help; the lower border shows how many lines are hidden above and below.
fn help(cx: &Cx<'_>, help: &Help, top: u16, buf: &mut Buffer) {
    let (columns, rows) = (help.columns, help.rows());
    let width = help.width.saturating_add(2);
    let cells = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
    let size = (cells(columns).saturating_mul(width).saturating_add(2), cells(rows).saturating_add(2));
    let inner = window(cx, "Keys and symbols (? or Esc closes)", size, buf);
    // if the terminal has grown, fewer lines need to be scrolled away
    let top = top.min(cells(rows).saturating_sub(inner.height));
    for (column, part) in (0_u16..).zip(help.lines.chunks(rows.max(1))) {
        let x = inner.x + column * width;
        let width = width.min(inner.right().saturating_sub(x));
        for (y, line) in (inner.top()..inner.bottom()).zip(part.iter().skip(usize::from(top))) {
            text::runs(cx, line, Rect { x, y, width, height: 1 }, buf);
        }
    }
    let below = rows.saturating_sub(usize::from(top) + usize::from(inner.height));
    if let Some(hidden) = hidden_lines(cx, usize::from(top), below) {
        let hidden = format!(" {hidden} (arrows) ");
        text::right(buf, inner.x, inner.bottom(), inner.width, &hidden, cx.style(Role::Key));
    }
}

fn menu_size(menu: &Menu) -> (u16, u16) {
    let widest = menu
        .items
        .iter()
        .map(|(name, choice)| text::width(&format!("{name}{}", reason(choice))))
        .max()
        .unwrap_or(0);
    let height = u16::try_from(menu.items.len()).unwrap_or(u16::MAX).saturating_add(2);
    (widest.max(text::width(&menu.title)).saturating_add(10), height)
}

/// The text behind an item that cannot be chosen: the reason.
fn reason(choice: &MenuChoice) -> String {
    match choice {
        MenuChoice::Cannot(why) => format!("  - {why}"),
        MenuChoice::Sort(_)
        | MenuChoice::Group(_)
        | MenuChoice::Range(_)
        | MenuChoice::Theme(_)
        | MenuChoice::Context(_)
        | MenuChoice::Link(_)
        | MenuChoice::Runbook(_)
        | MenuChoice::Intent(_) => String::new(),
    }
}

/// The index of the first item to show, so that the cursor is visible.
fn first_shown(at: usize, height: u16) -> usize {
    (at + 1).saturating_sub(usize::from(height.max(1)))
}

fn menu(cx: &Cx<'_>, menu: &Menu, buf: &mut Buffer) {
    let inner = window(cx, &menu.title, menu_size(menu), buf);
    let first = first_shown(menu.at, inner.height);
    for (y, (index, (name, choice))) in
        (inner.top()..inner.bottom()).zip(menu.items.iter().enumerate().skip(first))
    {
        let digit = if index < 9 { format!("{} ", index + 1) } else { "  ".to_owned() };
        line(
            cx,
            index == menu.at,
            &[
                StyledRun::new(digit, Role::Key),
                StyledRun::new(
                    name.as_str(),
                    if matches!(choice, MenuChoice::Cannot(_)) { Role::Muted } else { Role::Text },
                ),
                StyledRun::new(reason(choice), Role::Muted),
            ],
            Rect { y, height: 1, ..inner },
            buf,
        );
    }
}

/// The index of the menu item at a cell.
pub(super) fn menu_row_at(size: (u16, u16), menu: &Menu, column: u16, row: u16) -> Option<usize> {
    let inner = inside(place(whole(size), menu_size(menu)));
    let index = first_shown(menu.at, inner.height) + usize::from(row.checked_sub(inner.y)?);
    (inner.contains((column, row).into()) && index < menu.items.len()).then_some(index)
}

/// The index of the palette entry at a cell.
pub(super) fn palette_row_at(size: (u16, u16), open: &Palette, column: u16, row: u16) -> Option<usize> {
    let rows = below_line(inside(place(whole(size), PALETTE)));
    let index = first_shown(open.at, rows.height) + usize::from(row.checked_sub(rows.y)?);
    (rows.contains((column, row).into()) && index < open.found().len()).then_some(index)
}

fn whole((width, height): (u16, u16)) -> Rect {
    Rect { x: 0, y: 0, width, height }
}

/// The area inside a window's border.
fn inside(area: Rect) -> Rect {
    let (width, height) = (area.width.saturating_sub(2), area.height.saturating_sub(2));
    Rect { x: area.x + 1, y: area.y + 1, width, height }
}

fn below_line(area: Rect) -> Rect {
    let line = 1.min(area.height);
    Rect { y: area.y + line, height: area.height - line, ..area }
}

fn palette(cx: &Cx<'_>, open: &Palette, buf: &mut Buffer) {
    let inner = window(cx, "Command palette", PALETTE, buf);
    let typed = [
        StyledRun::new(": ", Role::Key),
        StyledRun::new(open.line.before_cursor(), Role::Text),
        StyledRun::new(cx.charset.pick("▏", "|"), Role::Accent),
        StyledRun::new(open.line.after_cursor(), Role::Text),
    ];
    text::runs(cx, &typed, Rect { height: 1.min(inner.height), ..inner }, buf);
    let rows = below_line(inner);
    let found = open.found();
    if found.len() == 0 && rows.height > 0 {
        text::say(cx, 0, "No matches", Role::Muted, rows, buf);
    }
    let first = first_shown(open.at, rows.height);
    for (y, (index, entry)) in (rows.top()..rows.bottom()).zip(found.enumerate().skip(first)) {
        let row = Rect { y, height: 1, ..rows };
        let runs = [
            StyledRun::new(format!("{:<8} ", entry.kind), Role::Muted),
            StyledRun::new(entry.name.as_str(), Role::Text),
        ];
        let hint = text::width(&entry.hint).min(row.width / 3);
        let left = Rect { width: row.width.saturating_sub(hint + 1), ..row };
        line(cx, index == open.at, &runs, left, buf);
        text::right(buf, row.right() - hint, y, hint, &entry.hint, cx.style(Role::Key));
    }
}

/// Draws an item of a list; the current one is highlighted.
fn line(cx: &Cx<'_>, is_current: bool, runs: &[StyledRun<'_>], row: Rect, buf: &mut Buffer) {
    let sign = if is_current { cx.symbol(Role::Selected) } else { " " };
    text::put(buf, row.x, row.y, row.width.min(1), sign, cx.style(Role::Accent));
    let rest = Rect { x: row.x + row.width.min(2), width: row.width.saturating_sub(2), ..row };
    text::runs(cx, runs, rest, buf);
    if is_current {
        buf.set_style(row, cx.style(Role::Selected));
    }
}
