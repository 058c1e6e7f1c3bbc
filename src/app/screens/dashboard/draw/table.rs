//! Draws a table: its columns as wide as their cells, the last ones left out where there is no room.

use super::Canvas;
use crate::app::prelude::*;
use crate::app::subjects::dashboard::picture::{PaintedValue, TableColumn, TablePicture};
use crate::app::widgets::bar::Gauge;
use crate::model::dashboard::field::{CellKind, ColumnAlign};
use ratatui::style::{Modifier, Style};

/// Rows whose widths are measured.
const MEASURED: usize = 200;
/// Cells of a column: at least, and at most while others need room.
const WIDTH: (u16, u16) = (4, 40);
/// Cells of a gauge in a cell.
const GAUGE: u16 = 12;

impl Canvas<'_, '_> {
    pub(super) fn table(&self, table: &TablePicture, area: Rect, buf: &mut Buffer) {
        let cx = self.cx;
        let widths = widths(table, area.width);
        let lost = table.columns.len() - widths.len();
        let mut y = area.y;
        if table.has_header && area.height >= 2 {
            let mut x = area.x;
            for (at, (column, width)) in table.columns.iter().zip(&widths).enumerate() {
                let arrow = match table.sort {
                    Some((sorted, is_descending)) if sorted == at => {
                        if is_descending {
                            cx.charset.pick(" ▼", " v")
                        } else {
                            cx.charset.pick(" ▲", " ^")
                        }
                    }
                    Some(_) | None => "",
                };
                let title = format!("{}{arrow}", column.name);
                let title = text::fit(&title, *width, cx.charset).into_owned();
                let style = cx.style(Role::Muted).add_modifier(Modifier::BOLD);
                aligned(buf, (x, y, *width), column.align, &title, style);
                x += width + 1;
            }
            y += 1;
        }
        let has_footer = table.footer.iter().any(|text| !text.is_empty()) && area.height >= 4;
        let bottom = area.bottom() - u16::from(has_footer);
        let room = usize::from(bottom.saturating_sub(y));
        let scroll = usize::from(self.scroll).min(table.rows.len().saturating_sub(room));
        for (y, row) in (y..bottom).zip(table.rows.iter().skip(scroll)) {
            let mut x = area.x;
            for ((cell, column), width) in row.iter().zip(&table.columns).zip(&widths) {
                self.cell(cell, column, Rect { x, y, width: *width, height: 1 }, buf);
                x += width + 1;
            }
        }
        if has_footer {
            let mut x = area.x;
            for ((words, column), width) in table.footer.iter().zip(&table.columns).zip(&widths) {
                let words = text::fit(words, *width, cx.charset).into_owned();
                aligned(buf, (x, bottom, *width), column.align, &words, cx.style(Role::Title));
                x += width + 1;
            }
        }
        let below = table.total.saturating_sub(scroll + room);
        let mut notes: Vec<String> = table.note.iter().cloned().collect();
        if below > 0 {
            notes.push(format!("+{below} more"));
        }
        if lost > 0 {
            notes.push(format!("{lost} columns do not fit"));
        }
        if !notes.is_empty() && area.height > 1 {
            let words = format!(" {} ", notes.join(", "));
            let width = text::width(&words).min(area.width);
            text::right(buf, area.right() - width, area.bottom() - 1, width, &words, cx.style(Role::Muted));
        }
    }

    fn cell(&self, cell: &PaintedValue, column: &TableColumn, area: Rect, buf: &mut Buffer) {
        let cx = self.cx;
        let style = cx.style(cell.role);
        let words = &cell.text;
        match column.cell {
            CellKind::Gauge if area.width > GAUGE / 2 + text::width(words) => {
                let width = area.width - text::width(words) - 1;
                let share = cell.share.unwrap_or(f64::NAN);
                Gauge { share: share.clamp(0.0, 1.0), role: cell.role }.render(
                    cx,
                    Rect { width, ..area },
                    buf,
                );
                text::put(buf, area.x + width + 1, area.y, area.width - width - 1, words, style);
            }
            CellKind::ColouredBackground => {
                let tint = cx.theme.tint(cell.role, Role::Text, 0.4).filter(|_| cell.role != Role::Text);
                if let Some(tint) = tint {
                    buf.set_style(area.intersection(buf.area), Style::new().bg(tint));
                    let plain = Style { bg: Some(tint), ..cx.style(Role::Text) };
                    return self.cell_words(cell, column.align, area, plain, buf);
                }
                self.cell_words(cell, column.align, area, style, buf);
            }
            CellKind::Automatic
            | CellKind::ColouredText
            | CellKind::Gauge
            | CellKind::Sparkline
            | CellKind::Json
            | CellKind::Other => self.cell_words(cell, column.align, area, style, buf),
        }
    }

    fn cell_words(
        &self,
        cell: &PaintedValue,
        align: ColumnAlign,
        area: Rect,
        style: Style,
        buf: &mut Buffer,
    ) {
        let is_cut_number = cell.number.is_some() && text::width(&cell.text) > area.width;
        if is_cut_number {
            text::right(buf, area.x, area.y, area.width, &cell.text, style);
            return;
        }
        let words = text::fit(&cell.text, area.width, self.cx.charset).into_owned();
        aligned(buf, (area.x, area.y, area.width), align, &words, style);
    }
}

fn aligned(buf: &mut Buffer, (x, y, width): (u16, u16, u16), align: ColumnAlign, words: &str, style: Style) {
    let rest = width.saturating_sub(text::width(words));
    let x = match align {
        ColumnAlign::Left => x,
        ColumnAlign::Centre => x + rest / 2,
        ColumnAlign::Right => x + rest,
    };
    text::put(buf, x, y, width, words, style);
}

/// The widths of the columns that have room, from the left.
fn widths(table: &TablePicture, width: u16) -> Vec<u16> {
    let natural = |(at, column): (usize, &TableColumn)| {
        let cells = table.rows.iter().take(MEASURED).filter_map(|row| row.get(at));
        let widest = cells.map(|cell| text::width(&cell.text)).max().unwrap_or(0);
        let gauge = if column.cell == CellKind::Gauge { GAUGE } else { 0 };
        let footer = table.footer.get(at).map_or(0, |words| text::width(words));
        let sort = if table.sort.is_some_and(|(sorted, _)| sorted == at) { 2 } else { 0 };
        (widest + gauge).max(footer).max(text::width(&column.name) + sort).max(WIDTH.0)
    };
    let natural: Vec<u16> = table.columns.iter().enumerate().map(natural).collect();
    // long texts give way first
    let mut widths: Vec<u16> = natural.iter().map(|wanted| (*wanted).min(WIDTH.1)).collect();
    let used = |widths: &[u16]| -> u32 { widths.iter().map(|width| u32::from(*width) + 1).sum() };
    let is_text = |at: usize| {
        table.rows.iter().take(MEASURED).filter_map(|row| row.get(at)).any(|cell| cell.number.is_none())
    };
    while used(&widths) > u32::from(width) + 1 {
        let texts = widths.iter().enumerate().filter(|(at, width)| **width > 12 && is_text(*at));
        match texts.max_by_key(|(_, width)| **width).map(|(at, _)| at) {
            Some(at) => {
                if let Some(own) = widths.get_mut(at) {
                    *own -= 1;
                }
            }
            None if widths.len() > 1 => {
                widths.pop();
            }
            None => {
                if let Some(own) = widths.first_mut() {
                    *own = width;
                }
                break;
            }
        }
    }
    // what is left goes to columns that were cut, then to the gaps
    let mut left = u32::from(width + 1).saturating_sub(used(&widths));
    for (own, wanted) in widths.iter_mut().zip(&natural) {
        let more = u32::from(wanted.saturating_sub(*own)).min(left);
        *own += u16::try_from(more).unwrap_or(0);
        left -= more;
    }
    let share = u16::try_from(left).unwrap_or(0) / u16::try_from(widths.len().max(1)).unwrap_or(1);
    for own in &mut widths {
        *own += share.min(12);
    }
    widths
}
