//! Tables: drawn as columns if no word has to be broken for that, else with one line per field.

use super::MarkdownLine;
use super::flow::{flow, longest_word};
use crate::app::display_settings::Charset;
use crate::app::theme::Role;
use crate::app::widgets::text::{StyledRun, runs_width};

const GAP: u16 = 3;

/// The lines of a table; the first row is its header.
pub(super) fn lines(rows: &[Vec<MarkdownLine>], room: u16, charset: Charset) -> Vec<MarkdownLine> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widest = |column: usize, of: fn(&[StyledRun<'_>]) -> u16| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| of(cell)).max().unwrap_or(0).max(1)
    };
    let least: Vec<u16> = (0..columns).map(|column| widest(column, longest_word)).collect();
    let most: Vec<u16> = (0..columns).map(|column| widest(column, runs_width)).collect();
    match widths(&least, &most, room) {
        Some(widths) => side_by_side(rows, &widths, charset),
        None => one_line_per_field(rows, room, charset),
    }
}

/// The width of each column; None if the table does not fit. Spare width goes to the columns that need most.
fn widths(least: &[u16], most: &[u16], room: u16) -> Option<Vec<u16>> {
    let gaps = u32::from(GAP) * u32::try_from(least.len().saturating_sub(1)).ok()?;
    let needed = least.iter().map(|width| u32::from(*width)).sum::<u32>() + gaps;
    let mut left = u32::from(room).checked_sub(needed)?;
    let mut widths = least.to_vec();
    loop {
        let hungry = widths.iter_mut().zip(most).filter(|(width, most)| **width < **most);
        let Some((width, most)) = hungry.max_by_key(|(width, most)| **most - **width) else {
            return Some(widths);
        };
        if left == 0 {
            return Some(widths);
        }
        let more = (*most - *width).min(u16::try_from((left / 2).max(1)).unwrap_or(u16::MAX));
        *width += more;
        left -= u32::from(more);
    }
}

/// Draws the table as columns, with a line below the header.
fn side_by_side(rows: &[Vec<MarkdownLine>], widths: &[u16], charset: Charset) -> Vec<MarkdownLine> {
    let bar = charset.pick(" │ ", " | ");
    let mut lines = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let empty = Vec::new();
        let cells: Vec<Vec<MarkdownLine>> = widths
            .iter()
            .enumerate()
            .map(|(column, width)| flow(row.get(column).unwrap_or(&empty), *width))
            .collect();
        let height = cells.iter().map(Vec::len).max().unwrap_or(0);
        for at in 0..height {
            let mut line = MarkdownLine::new();
            for (column, (cell, room)) in cells.iter().zip(widths).enumerate() {
                if column > 0 {
                    line.push(StyledRun::new(bar, Role::Border));
                }
                let part = cell.get(at).cloned().unwrap_or_default();
                let missing = room.saturating_sub(runs_width(&part));
                line.extend(part);
                if column + 1 < widths.len() {
                    line.push(StyledRun::new(" ".repeat(usize::from(missing)), Role::Text));
                }
            }
            lines.push(line);
        }
        if index == 0 {
            let dash = charset.pick("─", "-");
            let rule: Vec<String> = widths.iter().map(|width| dash.repeat(usize::from(*width))).collect();
            lines.push(vec![StyledRun::new(rule.join(charset.pick("─┼─", "-+-")), Role::Border)]);
        }
    }
    lines
}

/// Draws each row as lines of the form "header: cell".
fn one_line_per_field(rows: &[Vec<MarkdownLine>], room: u16, charset: Charset) -> Vec<MarkdownLine> {
    let Some((head, body)) = rows.split_first() else { return Vec::new() };
    if body.is_empty() {
        return head.iter().flat_map(|cell| flow(cell, room)).collect();
    }
    let mut lines = Vec::new();
    for row in body {
        lines.push(vec![StyledRun::new(
            charset.pick("─", "-").repeat(usize::from(room.min(20))),
            Role::Border,
        )]);
        for (column, cell) in row.iter().enumerate() {
            let mut runs: Vec<StyledRun<'static>> = head.get(column).cloned().unwrap_or_default();
            if !runs.is_empty() {
                runs.push(StyledRun::new(": ", Role::Muted));
            }
            runs.extend(cell.iter().cloned());
            lines.extend(flow(&runs, room));
        }
    }
    lines
}
