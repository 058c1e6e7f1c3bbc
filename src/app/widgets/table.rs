//! A table with columns of different priority: columns that do not fit are left out, least important first.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::bar::Gauge;
use super::spark::Sparkline;
use super::text::{self, StyledRun};
use crate::app::display_settings::Cx;
use crate::app::theme::Role;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Align {
    /// For texts: cut with an ellipsis if they do not fit.
    Left,
    /// For numbers: shown whole, or as `###`.
    Right,
}

/// How wide a column is, and when it gives way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Minimum width; with fewer cells the column is left out.
    min: u16,
    max: u16,
    /// The column with the highest number is left out first; among equals, the last one.
    priority: u8,
    align: Align,
}

impl Size {
    /// In place of a size that depends on the rows.
    pub const BY_ROWS: Self = Self::words(0, 0, 0);

    /// Words, in `min` to `max` cells.
    pub const fn words(min: u16, max: u16, priority: u8) -> Self {
        let max = if max < min { min } else { max };
        Self { min, max, priority, align: Align::Left }
    }

    /// Numbers, in exactly so many cells.
    pub const fn numbers(width: u16, priority: u8) -> Self {
        Self { min: width, max: width, priority, align: Align::Right }
    }
}

/// One column: its title and its size.
pub type Column<'a> = (&'a str, Size);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColumnSlot {
    pub column: usize,
    /// The first cell, from the table's left edge.
    pub x: u16,
    pub width: u16,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Cell<'a> {
    Empty,
    Text(StyledRun<'a>),
    /// A text in several roles, aligned left.
    Runs(Vec<StyledRun<'a>>),
    Spark(Sparkline<'a>),
    Gauge(Gauge),
}

impl<'a> Cell<'a> {
    /// A cell with one text in the colour of a role.
    pub fn text(text: impl Into<Cow<'a, str>>, role: Role) -> Self {
        Self::Text(StyledRun::new(text, role))
    }

    pub fn symbol(cx: &Cx<'_>, role: Role) -> Self {
        Self::Text(StyledRun::new(cx.symbol(role), role))
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum Content<'a> {
    /// One cell per column.
    Cells(Vec<Cell<'a>>),
    /// A text over the whole width: a group header.
    Heading(Vec<StyledRun<'a>>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Row<'a> {
    pub content: Content<'a>,
    /// Whether the user has marked the row.
    pub marked: bool,
    /// Whether the row is new or has changed since the user last looked.
    pub new: bool,
    /// A role applied to all cells, such as [`Role::Stale`] for stale data.
    pub over: Option<Role>,
}

impl<'a> Row<'a> {
    /// A row that is neither marked nor new.
    pub fn new(cells: Vec<Cell<'a>>) -> Self {
        Self { content: Content::Cells(cells), marked: false, new: false, over: None }
    }

    pub fn heading(runs: Vec<StyledRun<'a>>) -> Self {
        Self { content: Content::Heading(runs), marked: false, new: false, over: None }
    }
}

/// The column by which the rows are sorted, and the direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    pub column: usize,
    /// Whether the highest value is first.
    pub descending: bool,
}

#[derive(Debug, Clone, Copy)]
pub struct Table<'a> {
    /// The columns from left to right.
    pub columns: &'a [Column<'a>],
    /// Shown as an arrow in the header.
    pub sort: Option<Sort>,
    /// The index of the current row among the visible rows.
    pub selected: Option<usize>,
    /// Whether the table has the focus; without it the current row is only marked faintly.
    pub focused: bool,
}

/// Cells at the left for the cursor, mark and new symbols.
fn gutter(width: u16) -> u16 {
    if width < 20 { width.min(1) } else { 3 }
}

/// The area of the rows: below the header, if there is room for a header.
pub fn body(area: Rect) -> Rect {
    let header = u16::from(area.height >= 2);
    Rect { y: area.y.saturating_add(header), height: area.height - header, ..area }
}

/// The columns that fit into `width` cells, with their positions. Columns that can grow share the remaining width.
///
/// The most important column is always shown, even narrower than its minimum.
pub fn layout(columns: &[Column<'_>], width: u16) -> Vec<ColumnSlot> {
    let edge = gutter(width);
    let room = width - edge;
    let mut kept: Vec<usize> = (0..columns.len()).collect();
    let wanted = |kept: &[usize], gap: u16| {
        let cells =
            kept.iter().filter_map(|i| columns.get(*i)).map(|(_, size)| u32::from(size.min)).sum::<u32>();
        cells + u32::from(gap) * u32::try_from(kept.len().saturating_sub(1)).unwrap_or(u32::MAX)
    };
    let gap = if wanted(&kept, 2) <= u32::from(room) { 2 } else { 1 };
    while kept.len() > 1 && wanted(&kept, gap) > u32::from(room) {
        let least =
            kept.iter().enumerate().max_by_key(|(_, i)| columns.get(**i).map(|(_, size)| size.priority));
        let Some((at, _)) = least else { break };
        kept.remove(at);
    }
    let left = u32::from(room).saturating_sub(wanted(&kept, gap));
    let bounds: Vec<(u16, u16)> =
        kept.iter().filter_map(|i| columns.get(*i)).map(|(_, size)| (size.min, size.max)).collect();
    let widths = grow(&bounds, u16::try_from(left).unwrap_or(0));
    let mut x = edge;
    let mut slots = Vec::with_capacity(kept.len());
    for (column, cells) in kept.into_iter().zip(widths) {
        let cells = cells.min(width - x);
        if cells > 0 {
            slots.push(ColumnSlot { column, x, width: cells });
        }
        x = x.saturating_add(cells).saturating_add(gap).min(width);
    }
    slots
}

/// Distributes `left` cells evenly among the columns that can grow; the first columns get the odd cells.
fn grow(bounds: &[(u16, u16)], mut left: u16) -> Vec<u16> {
    let mut widths: Vec<u16> = bounds.iter().map(|(min, _)| *min).collect();
    loop {
        let hungry = widths.iter().zip(bounds).filter(|(width, (_, max))| *width < max).count();
        let Ok(hungry @ 1..) = u16::try_from(hungry) else { return widths };
        let share = (left / hungry).max(1);
        for (width, (_, max)) in widths.iter_mut().zip(bounds) {
            let more = share.min(max.saturating_sub(*width)).min(left);
            *width += more;
            left -= more;
        }
        if left == 0 {
            return widths;
        }
    }
}

/// Draws the header and as many of `rows` as fit; the first row must be the first visible one.
pub fn render<'a>(
    table: &Table<'_>,
    rows: impl IntoIterator<Item = Row<'a>>,
    cx: &Cx<'_>,
    area: Rect,
    buf: &mut Buffer,
) {
    let area = area.intersection(buf.area);
    if area.is_empty() {
        return;
    }
    let slots = layout(table.columns, area.width);
    let body = body(area);
    if body.height < area.height {
        header(table, &slots, cx, Rect { height: 1, ..area }, buf);
    }
    for (i, (y, row)) in (body.top()..body.bottom()).zip(rows).enumerate() {
        let line = Rect { y, height: 1, ..area };
        let is_selected = table.selected == Some(i);
        self::row(&row, &slots, table, cx, line, buf);
        if let Some(over) = row.over {
            buf.set_style(line, cx.style(over));
        }
        signs(&row, is_selected && table.focused, cx, line, buf);
        if is_selected && table.focused {
            buf.set_style(line, cx.style(Role::Selected));
        } else if is_selected {
            text::put(buf, line.x, y, 1, cx.charset.pick("▏", "|"), cx.style(Role::Muted));
        }
    }
}

fn header(table: &Table<'_>, slots: &[ColumnSlot], cx: &Cx<'_>, line: Rect, buf: &mut Buffer) {
    for slot in slots {
        let Some((title, size)) = table.columns.get(slot.column) else { continue };
        let sort = table.sort.filter(|sort| sort.column == slot.column);
        let arrow = match sort {
            Some(Sort { descending: true, .. }) => cx.charset.pick("▼", "v"),
            Some(_) => cx.charset.pick("▲", "^"),
            None => "",
        };
        let title = text::fit(title, slot.width.saturating_sub(text::width(arrow)), cx.charset);
        let shown = format!("{title}{arrow}");
        let style = cx.style(if sort.is_some() { Role::Accent } else { Role::Title });
        let x = line.x.saturating_add(slot.x);
        match size.align {
            Align::Left => text::put(buf, x, line.y, slot.width, &shown, style),
            Align::Right => text::right(buf, x, line.y, slot.width, &shown, style),
        };
    }
}

/// Draws the symbols at the left; if there is only one cell, the cursor has priority over the mark.
fn signs(row: &Row<'_>, is_current: bool, cx: &Cx<'_>, line: Rect, buf: &mut Buffer) {
    let mut found = [(is_current, Role::Selected), (row.marked, Role::Marked), (row.new, Role::New)]
        .into_iter()
        .filter_map(|(holds, role)| holds.then_some(role));
    let edge = gutter(line.width);
    if edge < 3 {
        if let Some(role) = found.next() {
            text::put(buf, line.x, line.y, edge, cx.symbol(role), cx.style(role));
        }
        return;
    }
    for role in found {
        let x = if role == Role::Selected { line.x } else { line.x + 1 };
        // a marked row that is new shows both symbols
        let x = if role == Role::New && row.marked { line.x + 2 } else { x };
        text::put(buf, x, line.y, 1, cx.symbol(role), cx.style(role));
    }
}

fn row(row: &Row<'_>, slots: &[ColumnSlot], table: &Table<'_>, cx: &Cx<'_>, line: Rect, buf: &mut Buffer) {
    match &row.content {
        Content::Heading(runs) => {
            let edge = gutter(line.width);
            let place = Rect { x: line.x + edge, width: line.width - edge, ..line };
            text::runs(cx, runs, place, buf);
        }
        Content::Cells(cells) => {
            for slot in slots {
                let Some(cell) = cells.get(slot.column) else { continue };
                let align = table.columns.get(slot.column).map_or(Align::Left, |(_, size)| size.align);
                let place = Rect { x: line.x.saturating_add(slot.x), width: slot.width, ..line };
                self::cell(cell, align, cx, place, buf);
            }
        }
    }
}

fn cell(cell: &Cell<'_>, align: Align, cx: &Cx<'_>, place: Rect, buf: &mut Buffer) {
    match cell {
        Cell::Empty => {}
        Cell::Text(run) => {
            let style = cx.style(run.role);
            match align {
                Align::Left => {
                    let shown = text::fit(&run.text, place.width, cx.charset);
                    text::put(buf, place.x, place.y, place.width, &shown, style)
                }
                Align::Right => text::right(buf, place.x, place.y, place.width, &run.text, style),
            };
        }
        Cell::Runs(runs) => {
            text::runs(cx, runs, place, buf);
        }
        Cell::Spark(spark) => spark.render(cx, place, buf),
        Cell::Gauge(gauge) => gauge.render(cx, place, buf),
    }
}

#[cfg(test)]
mod tests;
