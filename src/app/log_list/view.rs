//! Draws a list of log lines.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{LogList, head_width};
use crate::app::display_settings::Cx;
use crate::app::log_format::{self, time_of};
use crate::app::theme::Role;
use crate::app::widgets::text::{self, StyledRun};
use crate::model::log::{LogLine, LogSeverity};

/// Draws the lines in sight, the one under the cursor as selected if the list has the keyboard.
pub fn draw(list: &LogList, cx: &Cx<'_>, has_focus: bool, area: Rect, buf: &mut Buffer) {
    let today = cx.now.to_zoned(cx.zone.clone()).date();
    let head_cells = head_width(list.layout.width).min(area.width);
    let mut y = area.top();
    for (index, line) in list.shown(usize::from(area.height)) {
        let rows = log_format::rows(line, &list.filter, list.layout, head_cells, list.is_open(line));
        for (at, row) in rows.into_iter().enumerate() {
            if y >= area.bottom() {
                return;
            }
            let place = Rect { y, height: 1, ..area };
            if at == 0 {
                let head = head(cx, line, today, (head_cells, list.is_marked(line)));
                text::runs(cx, &head, Rect { width: head_cells, ..place }, buf);
            }
            let room = Rect { x: area.x + head_cells, width: area.width - head_cells, ..place };
            text::runs(cx, &row, room, buf);
            if index == super::Cursor::index(list) && has_focus {
                text::select(cx, place, buf);
            }
            y += 1;
        }
    }
}

/// The sign of a mark, the time, and the severity as a symbol and, with enough room, a word.
fn head(
    cx: &Cx<'_>,
    line: &LogLine,
    today: jiff::civil::Date,
    (cells, is_marked): (u16, bool),
) -> Vec<StyledRun<'static>> {
    let role = Role::of_log(line.severity);
    let mark = if is_marked { cx.symbol(Role::Marked) } else { " " };
    let time = time_of(line, today, cx.zone);
    let symbol = cx.symbol(role);
    if cells < 20 {
        let seconds: String = time.chars().take(8).collect();
        return vec![
            StyledRun::new(mark, Role::Marked),
            StyledRun::new(format!("{seconds} "), Role::Muted),
            StyledRun::new(symbol, role),
        ];
    }
    let word = if line.severity == LogSeverity::Unknown { "" } else { line.severity.word() };
    vec![
        StyledRun::new(mark, Role::Marked),
        StyledRun::new(format!("{time:<13} "), Role::Muted),
        StyledRun::new(format!("{symbol} "), role),
        StyledRun::new(format!("{word:<6}"), role),
    ]
}
