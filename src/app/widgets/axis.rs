//! The axes of charts: round values at the left, round times in the displayed time zone below.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::text;
use crate::app::display_settings::Cx;
use crate::app::theme::Role;
use crate::model::series::TimeGrid;

/// Cells of the value labels: equal for all charts, so that charts below each other share one time axis.
pub(super) const LABELS: u16 = 7;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ChartFrame {
    /// The rows above the plot, for the legend; None if there is no room.
    pub(super) legend: Option<Rect>,
    /// The value labels, without the axis line; width 0 if there is no room.
    pub(super) labels: Rect,
    pub(super) plot: Rect,
    /// The line of the time axis; the time labels are in the row below.
    pub(super) line: Rect,
}

impl ChartFrame {
    /// Divides `area`, which must have at least four rows, with this many rows for the legend.
    pub(super) fn new(area: Rect, legend: u16) -> Self {
        let head = legend.min(area.height.saturating_sub(4));
        let side = if area.width >= 24 { LABELS } else { 0 };
        let edge = if side > 0 { side + 1 } else { 0 };
        let plot = Rect {
            x: area.x + edge,
            y: area.y + head,
            width: area.width - edge,
            height: area.height.saturating_sub(head + 2),
        };
        Self {
            legend: (head > 0).then_some(Rect { height: head, ..area }),
            labels: Rect { x: area.x, width: side, ..plot },
            plot,
            line: Rect { y: plot.bottom(), height: 1, ..plot },
        }
    }

    /// Draws the axes: value labels at these rows of the plot, time labels of `span`, and the time of the value cursor in place
    /// of the labels that it would touch.
    pub(super) fn draw(
        &self,
        cx: &Cx<'_>,
        span: TimeGrid,
        labels: &[(u16, String)],
        cursor: Option<Timestamp>,
        buf: &mut Buffer,
    ) {
        let (plot, style) = (self.plot, cx.style(Role::Border));
        if self.labels.width > 0 {
            let x = plot.x - 1;
            for y in plot.top()..plot.bottom() {
                text::put(buf, x, y, 1, cx.charset.pick("│", "|"), style);
            }
            text::put(buf, x, self.line.y, 1, cx.charset.pick("└", "+"), style);
            for (row, label) in labels {
                let y = plot.y + row;
                text::right(buf, self.labels.x, y, self.labels.width, label, cx.style(Role::Muted));
                text::put(buf, x, y, 1, cx.charset.pick("┤", "+"), style);
            }
        }
        let across = cx.charset.pick("─", "-").repeat(usize::from(plot.width));
        text::put(buf, plot.x, self.line.y, plot.width, &across, style);
        let cursor = cursor.and_then(|at| cursor_label(span, at, cx.zone, plot.width));
        let touches = |tick: &TimeTick| {
            cursor.as_ref().is_some_and(|cursor| {
                tick.label_at <= cursor.label_at + text::width(&cursor.label)
                    && cursor.label_at <= tick.label_at + text::width(&tick.label)
            })
        };
        for tick in times(span, cx.zone, plot.width) {
            text::put(buf, plot.x + tick.column, self.line.y, 1, cx.charset.pick("┬", "+"), style);
            if !touches(&tick) {
                tick.put(plot, cx.style(Role::Muted), buf);
            }
        }
        if let Some(cursor) = cursor {
            cursor.put(plot, cx.style(Role::Accent), buf);
        }
    }

    /// The column of the value cursor in the plot, if it is in the span.
    pub(super) fn cursor(&self, span: TimeGrid, cursor: Option<Timestamp>) -> Option<u16> {
        let at = cursor.filter(|at| (span.start()..=span.end()).contains(at))?;
        (self.plot.width > 0).then(|| column(span, at, self.plot.width))
    }
}

/// The cell at a share, 0 to 1, of the cells from 0 to `last`.
pub(super) fn cell(share: f64, last: u16) -> u16 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and `last`")]
    let cell = (share.clamp(0.0, 1.0) * f64::from(last)).round() as u16;
    cell
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TimeTick {
    pub(super) column: u16,
    pub(super) label_at: u16,
    /// The label: `02:15`, `02:15:30` or `Mar 14`.
    pub(super) label: String,
}

impl TimeTick {
    /// Writes its label below the axis of a plot.
    fn put(&self, plot: Rect, style: Style, buf: &mut Buffer) {
        let (x, width) = (plot.x + self.label_at, plot.width - self.label_at);
        text::put(buf, x, plot.bottom() + 1, width, &self.label, style);
    }
}

/// The time of the value cursor, if it is in the span and has room: to the second, or with its day in spans of days.
fn cursor_label(span: TimeGrid, at: Timestamp, zone: &TimeZone, columns: u16) -> Option<TimeTick> {
    let range = span.end().as_second() - span.start().as_second();
    let label = cursor_time(range, at, zone);
    let last = columns.checked_sub(text::width(&label))?;
    let column = column(span, at, columns);
    let label_at = column.saturating_sub(text::width(&label) / 2).min(last);
    (span.start()..=span.end()).contains(&at).then_some(TimeTick { column, label_at, label })
}

/// A moment in a span of this many seconds, as text.
pub(super) fn cursor_time(range: i64, at: Timestamp, zone: &TimeZone) -> String {
    let format = if range >= DAY { "%b %d %H:%M" } else { "%H:%M:%S" };
    at.to_zoned(zone.clone()).strftime(format).to_string()
}

/// The column of a time in a plot of this width; times outside of the span are clamped.
pub(super) fn column(span: TimeGrid, at: Timestamp, columns: u16) -> u16 {
    let (start, end) = (span.start().as_second() as f64, span.end().as_second() as f64);
    let last = columns.saturating_sub(1);
    if end > start { cell((at.as_second() as f64 - start) / (end - start), last) } else { last }
}

const STEPS: [i64; 20] = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800,
    604_800,
];
const DAY: i64 = 86_400;

/// Round times in `zone`, as many as fit with at least two blanks between their labels.
fn times(span: TimeGrid, zone: &TimeZone, columns: u16) -> Vec<TimeTick> {
    let (start, end) = (span.start().as_second(), span.end().as_second());
    let range = end.saturating_sub(start);
    let label_cells = |step: i64| if step < 60 { 8.0 } else { 6.0 };
    let fits = |step: i64| {
        step as f64 * f64::from(columns.saturating_sub(1)) >= (label_cells(step) + 2.0) * range as f64
    };
    let doubled = || (3..40).map(|power| DAY << power);
    let Some(step) = STEPS.into_iter().chain(doubled()).find(|step| range > 0 && fits(*step)) else {
        return Vec::new();
    };
    let mut ticks: Vec<TimeTick> = Vec::new();
    let mut from = start;
    let mut free = 0;
    while let Some(at) = aligned(from, step, zone).filter(|at| *at <= end) {
        from = at.max(from) + 1;
        let Ok(moment) = Timestamp::from_second(at) else { break };
        let label = label(moment, step, range, zone);
        let cells = text::width(&label);
        let column = column(span, moment, columns);
        let Some(last) = columns.checked_sub(cells) else { continue };
        let label_at = column.saturating_sub(cells / 2).min(last);
        if label_at >= free {
            free = label_at + cells + 1;
            ticks.push(TimeTick { column, label_at, label });
        }
    }
    ticks
}

/// The first second at or after `from` that is a multiple of `step` in the local time of `zone`.
fn aligned(from: i64, step: i64, zone: &TimeZone) -> Option<i64> {
    let offset =
        |second: i64| Timestamp::from_second(second).ok().map(|at| i64::from(zone.to_offset(at).seconds()));
    let before = offset(from)?;
    let local = (from + before).div_euclid(step) * step;
    let local = if local < from + before { local + step } else { local };
    // daylight saving time may have changed in between
    let after = offset(local - before)?;
    Some((local - after).max(from))
}

fn label(at: Timestamp, step: i64, range: i64, zone: &TimeZone) -> String {
    let local = at.to_zoned(zone.clone());
    let is_midnight = local.hour() == 0 && local.minute() == 0;
    let format = match step {
        ..60 => "%H:%M:%S",
        DAY.. => "%b %d",
        _ if is_midnight && range >= DAY => "%b %d",
        _ => "%H:%M",
    };
    local.strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::app::widgets::probe::NOW;

    fn span(range: u64) -> TimeGrid {
        let end = Timestamp::from_second(NOW + 420).unwrap();
        TimeGrid::ending(end, Duration::from_secs(range), 240, Duration::from_secs(1))
    }

    fn labels(range: u64, zone: &TimeZone, columns: u16) -> Vec<String> {
        times(span(range), zone, columns).into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn times_are_round_on_the_clocks_of_the_reader() {
        let utc = &TimeZone::UTC;
        assert_eq!(labels(3600, utc, 60), ["01:10", "01:20", "01:30", "01:40", "01:50", "02:00"]);
        assert_eq!(labels(3600, utc, 20), ["01:30", "02:00"]);
        assert_eq!(labels(60, utc, 60), ["02:06:00", "02:06:15", "02:06:30", "02:06:45", "02:07:00"]);
        assert_eq!(labels(172_800, utc, 60), ["12:00", "Mar 13", "12:00", "Mar 14"]);
        assert_eq!(labels(7 * 86_400, utc, 40), ["Mar 08", "Mar 10", "Mar 12", "Mar 14"]);
        let kathmandu = TimeZone::get("Asia/Kathmandu").unwrap();
        assert_eq!(labels(3600, &kathmandu, 20), ["07:00", "07:30"]);
    }

    #[test]
    fn days_start_at_midnight_also_after_clocks_have_changed() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let end: Timestamp = "2026-03-31T12:00:00Z".parse().unwrap();
        let span = TimeGrid::ending(end, Duration::from_secs(4 * 86_400), 240, Duration::from_secs(1));
        let shown: Vec<_> = times(span, &berlin, 80).into_iter().map(|tick| tick.label).collect();
        assert_eq!(shown, ["Mar 28", "12:00", "Mar 29", "12:00", "Mar 30", "12:00", "Mar 31", "12:00"]);
    }

    proptest! {
        #[test]
        fn labels_never_touch(range in 1..100_000_000_u64, columns in 0..200_u16) {
            let zone = TimeZone::get("America/St_Johns").unwrap();
            for pair in times(span(range), &zone, columns).windows(2) {
                prop_assert!(pair[0].label_at + text::width(&pair[0].label) < pair[1].label_at);
            }
        }
    }
}
