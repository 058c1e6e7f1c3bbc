//! Draws the window over the screen: help, palette, menu, confirm dialog, form or results.

use ratatui::buffer::Buffer;
use ratatui::layout::{Margin, Rect};

use super::display_settings::Cx;
use super::help::{self, Help};
use super::layout::below_heading;
use super::menu::PaletteEntry;
use super::menu::{Menu, MenuChoice};
use super::palette::Palette;
use super::state::{Mode, State};
use super::theme::Role;
use super::widgets::text::{self, StyledRun};
use super::window::{hidden_lines, on_border, place, window};

const BORDER: Margin = Margin::new(1, 1);
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
    let top = usize::from(top.min(cells(rows).saturating_sub(inner.height)));
    for (column, part) in (0_u16..).zip(help.lines.chunks(rows.max(1))) {
        let x = inner.x + column * width;
        let width = width.min(inner.right().saturating_sub(x));
        for (y, line) in (inner.top()..inner.bottom()).zip(part.iter().skip(top)) {
            text::runs(cx, line, Rect { x, y, width, height: 1 }, buf);
        }
    }
    on_border(cx, hidden_lines(cx, top, rows.saturating_sub(top + usize::from(inner.height))), inner, buf);
}

fn menu_size(menu: &Menu) -> (u16, u16) {
    let width = |(name, choice): &(String, MenuChoice)| text::width(&format!("{name}{}", reason(choice)));
    let widest = menu.items.iter().map(width).max().unwrap_or(0);
    let height = u16::try_from(menu.items.len()).unwrap_or(u16::MAX).saturating_add(2);
    (widest.max(text::width(&menu.title)).saturating_add(10), height)
}

/// The text behind an item that cannot be chosen: the reason.
fn reason(choice: &MenuChoice) -> String {
    if let MenuChoice::Cannot(why) = choice { format!("  - {why}") } else { String::new() }
}

fn menu(cx: &Cx<'_>, menu: &Menu, buf: &mut Buffer) {
    let inner = window(cx, &menu.title, menu_size(menu), buf);
    for (index, row) in rows(inner, menu.at) {
        let Some((name, choice)) = menu.items.get(index) else { break };
        let digit = if index < 9 { format!("{} ", index + 1) } else { "  ".to_owned() };
        let why = reason(choice);
        let runs = [
            StyledRun::new(digit, Role::Key),
            StyledRun::new(name.as_str(), if why.is_empty() { Role::Text } else { Role::Muted }),
            StyledRun::new(why, Role::Muted),
        ];
        line(cx, index == menu.at, &runs, row, buf);
    }
}

/// The visible rows of a list with the cursor at `at`, each with the index of its item.
fn rows(area: Rect, at: usize) -> impl Iterator<Item = (usize, Rect)> {
    let first = (at + 1).saturating_sub(usize::from(area.height.max(1)));
    (first..).zip(area.rows())
}

/// The index of the item at a cell of such a list with `len` items.
fn row_at(area: Rect, (at, len): (usize, usize), cell: (u16, u16)) -> Option<usize> {
    let found =
        rows(area, at).take_while(|(index, _)| *index < len).find(|(_, row)| row.contains(cell.into()));
    found.map(|(index, _)| index)
}

pub(super) fn menu_row_at((width, height): (u16, u16), menu: &Menu, cell: (u16, u16)) -> Option<usize> {
    let inner = place(Rect::new(0, 0, width, height), menu_size(menu)).inner(BORDER);
    row_at(inner, (menu.at, menu.items.len()), cell)
}

pub(super) fn palette_row_at((width, height): (u16, u16), open: &Palette, cell: (u16, u16)) -> Option<usize> {
    let inner = place(Rect::new(0, 0, width, height), PALETTE).inner(BORDER);
    row_at(below_heading(inner), (open.at, open.found().len()), cell)
}

fn palette(cx: &Cx<'_>, open: &Palette, buf: &mut Buffer) {
    let inner = window(cx, &open.title, PALETTE, buf);
    let mut typed = vec![StyledRun::new(": ", Role::Key)];
    typed.extend(open.line.runs(cx.charset));
    text::runs(cx, &typed, Rect { height: 1.min(inner.height), ..inner }, buf);
    let area = below_heading(inner);
    let found: Vec<&PaletteEntry> = open.found().collect();
    if found.is_empty() && area.height > 0 {
        text::say(cx, 0, "No matches", Role::Muted, area, buf);
    }
    for (index, row) in rows(area, open.at) {
        let Some(entry) = found.get(index) else { break };
        let runs = [
            StyledRun::new(format!("{:<8} ", entry.kind), Role::Muted),
            StyledRun::new(entry.name.as_str(), Role::Text),
        ];
        let hint = text::width(&entry.hint).min(row.width / 3);
        line(cx, index == open.at, &runs, Rect { width: row.width.saturating_sub(hint + 1), ..row }, buf);
        text::right(buf, row.right() - hint, row.y, hint, &entry.hint, cx.style(Role::Key));
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
