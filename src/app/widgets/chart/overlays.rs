//! What is drawn over and behind the series of a chart: thresholds, firing periods, events, single observations, the value cursor.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::shown::{ShownLine, ShownSeries};
use super::{Chart, ChartMark, LineLook};
use crate::app::display_settings::Cx;
use crate::app::theme::Role;
use crate::app::widgets::axis::{self, ChartFrame};
use crate::app::widgets::plot::Plot;
use crate::app::widgets::scale::ValueScale;
use crate::app::widgets::text;
use crate::model::series::TimeGrid;

/// Marks with a vertical line at most; of more, only the symbols on the time axis are drawn.
const MARK_LINES: usize = 12;

/// A single observation, drawn at its value: an exemplar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChartPoint {
    pub at: Timestamp,
    pub value: f64,
    /// Whether it is the one at the value cursor.
    pub is_chosen: bool,
}

impl Chart<'_> {
    /// Draws a threshold behind the lines, with its label if there is room; else returns the label for the legend.
    pub(super) fn threshold(
        cx: &Cx<'_>,
        own: (f64, &str),
        has_room: bool,
        scale: &ValueScale,
        plot: &Plot,
        frame: &ChartFrame,
        buf: &mut Buffer,
    ) -> Option<String> {
        let value = own.0;
        if value.is_nan() {
            return None;
        }
        let label = threshold_label(cx, own, Some(scale));
        let (area, style) = (frame.plot, cx.style(Role::Threshold));
        let row = scale.row(value, area.height);
        let y = area.y + row;
        if scale.holds(value) {
            // the lines of events and of the cursor cross the threshold; the label below covers all
            let crossing = [mark_sign(cx), cursor_sign(cx)];
            for column in (0..area.width).filter(|column| plot.is_free(*column, row)) {
                if let Some(cell) = buf.cell_mut((area.x + column, y))
                    && !crossing.contains(&cell.symbol())
                {
                    cell.set_symbol(cx.symbol(Role::Threshold)).set_style(style);
                }
            }
            let tick = scale.label(value);
            // in few rows, the threshold may share the lowest one with zero, which says more about the lines in it
            let is_lowest = value > scale.low && row + 1 == area.height;
            if frame.labels.width > 0 && !is_lowest {
                let blank = " ".repeat(usize::from(frame.labels.width));
                text::put(buf, frame.labels.x, y, frame.labels.width, &blank, style);
                text::right(buf, frame.labels.x, y, frame.labels.width, &tick, style);
            }
        }
        let cells = text::width(&label).saturating_add(2);
        let mut run = 0;
        for column in (0..area.width).filter(|_| has_room) {
            run = if plot.is_free(column, row) { run + 1 } else { 0 };
            if run == cells.saturating_add(1) {
                text::put(buf, area.x + column + 1 - cells, y, cells, &format!(" {label} "), style);
                return None;
            }
        }
        Some(label)
    }

    /// Draws the firing periods: a background of the plot, and a thick line on the time axis for terminals without colour.
    pub(super) fn shades(&self, cx: &Cx<'_>, span: TimeGrid, frame: &ChartFrame, buf: &mut Buffer) {
        let area = frame.plot;
        // the background only: without colours it would be reverse video, which makes the lines hard to read
        let shade = Style { bg: cx.style(Role::Shade).bg, ..Style::new() };
        for (from, to) in self.shade {
            let to = to.max(from);
            if area.width == 0 || *from > span.end() || *to < span.start() {
                continue;
            }
            let first = axis::column(span, *from, area.width);
            let last = axis::column(span, *to, area.width);
            let columns = Rect { x: area.x + first, width: last - first + 1, ..area };
            buf.set_style(columns.intersection(buf.area), shade);
            for x in columns.left()..columns.right() {
                let sign = cx.charset.pick("━", "=");
                text::put(buf, x, frame.line.y, 1, sign, cx.style(Role::Threshold));
            }
        }
    }

    /// Draws the events: a symbol on the time axis and a vertical line behind the series. Symbols of one column are beside each
    /// other.
    pub(super) fn marks(
        &self,
        cx: &Cx<'_>,
        span: TimeGrid,
        frame: &ChartFrame,
        plot: Option<&Plot>,
        buf: &mut Buffer,
    ) {
        let area = frame.plot;
        let is_shown = |mark: &&ChartMark<'_>| (span.start()..=span.end()).contains(&mark.at);
        let has_lines = self.marks.iter().filter(is_shown).count() <= MARK_LINES;
        let mut taken: Vec<u16> = Vec::new();
        for mark in self.marks.iter().filter(is_shown).filter(|_| area.width > 0) {
            let column = axis::column(span, mark.at, area.width);
            let style = cx.style(mark.role);
            let free = |row: &u16| plot.is_none_or(|plot| plot.is_free(column, *row));
            for row in (0..area.height).filter(|_| has_lines).filter(free) {
                text::put(buf, area.x + column, area.y + row, 1, mark_sign(cx), style);
            }
            let beside = [Some(column), column.checked_add(1), column.checked_sub(1)];
            let mut beside = beside.into_iter().flatten().filter(|column| *column < area.width);
            if let Some(place) = beside.find(|column| !taken.contains(column)) {
                taken.push(place);
                text::put(buf, area.x + place, frame.line.y, 1, mark.symbol, style);
            }
        }
    }

    /// Draws the observations at their values; those beyond the value axis at its edge, with an arrow.
    pub(super) fn draw_points(
        &self,
        cx: &Cx<'_>,
        (span, scale, plot): (TimeGrid, &ValueScale, &Plot),
        area: Rect,
        buf: &mut Buffer,
    ) {
        let is_shown = |point: &&ChartPoint| {
            (span.start()..=span.end()).contains(&point.at) && !point.value.is_nan() && !area.is_empty()
        };
        // the chosen one is drawn over the others
        let mut shown: Vec<&ChartPoint> = self.points.iter().filter(is_shown).collect();
        shown.sort_by_key(|point| point.is_chosen);
        for point in shown {
            let (x, y) = (axis::column(span, point.at, area.width), scale.row(point.value, area.height));
            // lines and labels stay legible where there are many observations
            let symbol = buf.cell((area.x + x, area.y + y)).map_or("", |cell| cell.symbol());
            let is_label = symbol.chars().any(char::is_alphanumeric);
            if !point.is_chosen && (is_label || !plot.is_free(x, y)) {
                continue;
            }
            let sign = if point.value > scale.high {
                cx.charset.pick("▲", "^")
            } else if point.value < scale.low {
                cx.charset.pick("▼", "v")
            } else if point.is_chosen {
                cx.charset.pick("◆", "$")
            } else {
                cx.charset.pick("◇", "~")
            };
            let style = if point.is_chosen {
                cx.style(Role::Accent).add_modifier(Modifier::BOLD)
            } else {
                cx.style(Role::Info)
            };
            text::put(buf, area.x + x, area.y + y, 1, sign, style);
        }
    }
}

fn mark_sign(cx: &Cx<'_>) -> &'static str {
    cx.charset.pick("┊", ":")
}

fn cursor_sign(cx: &Cx<'_>) -> &'static str {
    cx.charset.pick("│", "|")
}

/// Draws the line of the value cursor behind the series.
pub(in crate::app::widgets) fn cursor_line(
    cx: &Cx<'_>,
    plot: &Plot,
    (area, column): (Rect, u16),
    buf: &mut Buffer,
) {
    let style = cx.style(Role::Accent);
    for row in (0..area.height).filter(|row| plot.is_free(column, *row)) {
        text::put(buf, area.x + column, area.y + row, 1, cursor_sign(cx), style);
    }
}

/// Marks the value of each series at the cursor.
pub(super) fn cursor_points(
    cx: &Cx<'_>,
    shown: &ShownSeries<'_>,
    (scale, at): (&ValueScale, Timestamp),
    looks: &[LineLook],
    (area, column): (Rect, u16),
    buf: &mut Buffer,
) {
    let Some(point) = shown.span.nearest(at) else { return };
    let points = |line: &ShownLine<'_>| line.heights.get(point).copied().filter(|value| !value.is_nan());
    for (line, (style, _)) in shown.lines.iter().zip(looks).rev() {
        let Some(value) = points(line) else { continue };
        let y = area.y + scale.row(value, area.height);
        text::put(buf, area.x + column, y, 1, cx.charset.pick("●", "O"), style.add_modifier(Modifier::BOLD));
    }
}

/// The label of a threshold, with an arrow if it is outside of the value axis.
pub(super) fn threshold_label(
    cx: &Cx<'_>,
    (value, label): (f64, &str),
    scale: Option<&ValueScale>,
) -> String {
    let label = text::fit(label, 40, cx.charset);
    match scale {
        Some(scale) if value > scale.high => format!("{} {label}", cx.charset.pick("▲", "^")),
        Some(scale) if value < scale.low => format!("{} {label}", cx.charset.pick("▼", "v")),
        _ => label.into_owned(),
    }
}

/// A threshold in the legend.
pub(super) fn threshold_note(cx: &Cx<'_>, label: &str) -> String {
    format!("{} {label}", cx.symbol(Role::Threshold))
}
