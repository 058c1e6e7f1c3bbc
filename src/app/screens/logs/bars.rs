//! The number of log lines over time as bars, the severe ones at the bottom.

use crate::app::number::plain;
use crate::app::prelude::*;
use crate::app::widgets::spark::Sparkline;
use crate::model::log::{LogHistogram, LogSeverity};

/// The severities that are drawn apart, the most severe at the bottom: role, sign, ASCII.
const LAYERS: [(&[LogSeverity], Role, &str, &str); 3] = [
    (&[LogSeverity::Fatal, LogSeverity::Error], Role::Critical, "█", "#"),
    (&[LogSeverity::Warn], Role::Warning, "▓", "+"),
    (
        &[LogSeverity::Info, LogSeverity::Debug, LogSeverity::Trace, LogSeverity::Unknown],
        Role::Muted,
        "░",
        ".",
    ),
];

/// Lines of the layers in each of `columns` columns.
fn columns(counts: &LogHistogram, columns: usize) -> Vec<[u64; 3]> {
    let bars = counts.span.count();
    let columns = columns.min(bars).max(1);
    let layer = |severities: &[LogSeverity], range: std::ops::Range<usize>| -> u64 {
        let its = severities.iter().filter_map(|severity| counts.counts.get(severity)?.get(range.clone()));
        its.flatten().sum()
    };
    (0..columns)
        .map(|column| {
            let range = column * bars / columns..(column + 1) * bars / columns;
            LAYERS.map(|(severities, ..)| layer(severities, range.clone()))
        })
        .collect()
}

/// The rows of each layer in a bar of at most `height` rows; a layer that has lines has a row, as far as there are enough.
fn stacked(bar: [u64; 3], highest: u64, height: u16) -> [u16; 3] {
    let all: u64 = bar.iter().sum();
    if all == 0 || height == 0 {
        return [0; 3];
    }
    let part = |lines: u64| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of the height")]
        let rows = (lines as f64 / highest.max(1) as f64 * f64::from(height)).round() as u16;
        if lines > 0 { rows.clamp(1, height) } else { 0 }
    };
    let whole = part(all);
    let mut left = whole;
    let mut rows = [0; 3];
    for (row, lines) in rows.iter_mut().zip(bar) {
        *row = part(lines).min(left);
        left -= *row;
    }
    // what rounding left over belongs to the usual lines
    let [_, _, usual] = &mut rows;
    *usual += left;
    rows
}

/// Where the bars are in an area, and how wide one of them is.
pub(super) struct BarPlace {
    area: Rect,
    bars: usize,
    /// Seconds of one column.
    step: f64,
    start: f64,
}

impl BarPlace {
    /// The column of a moment, if it is within the bars.
    fn column(&self, at: Timestamp) -> Option<u16> {
        let place = (at.as_second() as f64 - self.start) / self.step;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked to be within the bars"
        )]
        let column = (0.0..self.bars as f64).contains(&place).then_some(place as u16);
        column.map(|column| self.area.x + column)
    }
}

/// Draws the bars, and below them the times of the first and the last with the marks. A single row is a sparkline.
pub(super) fn draw(
    cx: &Cx<'_>,
    counts: &LogHistogram,
    marks: &[(Timestamp, &str, Role)],
    area: Rect,
    buf: &mut Buffer,
) {
    if area.is_empty() {
        return;
    }
    let columns = columns(counts, usize::from(area.width.saturating_sub(1)));
    let highest = columns.iter().map(|bar| bar.iter().sum()).max().unwrap_or(0);
    let seconds = counts.span.count() as f64 * counts.span.step().as_secs_f64();
    let place = BarPlace {
        area: Rect { x: area.x + 1, width: area.width.saturating_sub(1), ..area },
        bars: columns.len(),
        step: seconds / columns.len().max(1) as f64,
        start: counts.span.start().as_second() as f64,
    };
    let has_axis = area.height >= 3;
    let plot = Rect { height: area.height - u16::from(has_axis), ..place.area };
    if plot.height == 1 {
        // in one row, the severe lines are told apart by their colour and the legend
        let values: Vec<f64> = columns.iter().map(|bar| bar.iter().sum::<u64>() as f64).collect();
        let width = u16::try_from(values.len()).unwrap_or(plot.width).min(plot.width);
        Sparkline { values: &values, max: None, role: Role::Muted }.render(cx, Rect { width, ..plot }, buf);
        let bad = (plot.x..plot.right()).zip(&columns).filter(|(_, [errors, ..])| *errors > 0);
        for (x, _) in bad {
            buf.set_style(Rect { x, width: 1, ..plot }, cx.style(Role::Critical));
        }
    } else {
        for (x, bar) in (plot.x..plot.right()).zip(&columns) {
            let mut y = plot.bottom();
            for ((_, role, sign, ascii), rows) in LAYERS.iter().zip(stacked(*bar, highest, plot.height)) {
                for _ in 0..rows {
                    y = y.saturating_sub(1).max(plot.y);
                    text::put(buf, x, y, 1, cx.charset.pick(sign, ascii), cx.style(*role));
                }
            }
        }
    }
    for (at, sign, role) in marks {
        let Some(x) = place.column(*at) else { continue };
        for y in plot.top()..plot.bottom() {
            let is_free = buf.cell((x, y)).is_none_or(|cell| cell.symbol() == " ");
            if is_free {
                text::put(buf, x, y, 1, cx.charset.pick("┊", ":"), cx.style(*role));
            }
        }
        if has_axis {
            text::put(buf, x, area.bottom() - 1, 1, sign, cx.style(*role));
        }
    }
    if has_axis {
        axis(cx, counts, &place, marks, area, buf);
    }
}

/// The times of the first and the last bar, and the names of the marks where they fit.
fn axis(
    cx: &Cx<'_>,
    counts: &LogHistogram,
    place: &BarPlace,
    marks: &[(Timestamp, &str, Role)],
    area: Rect,
    buf: &mut Buffer,
) {
    let y = area.bottom() - 1;
    let first = moment(counts.span.start(), cx.now, cx.zone);
    let last = moment(counts.span.end(), cx.now, cx.zone);
    let end = place.area.x + u16::try_from(place.bars).unwrap_or(place.area.width);
    let taken = |x: u16, width: u16| {
        marks.iter().filter_map(|(at, ..)| place.column(*at)).any(|mark| (x..x + width).contains(&mark))
    };
    let width = text::width(&first);
    if !taken(place.area.x, width) && place.area.x + width < end {
        text::put(buf, place.area.x, y, width, &first, cx.style(Role::Muted));
    }
    let width = text::width(&last);
    let x = end.saturating_sub(width);
    if x > place.area.x + text::width(&first) + 1 && !taken(x, width) {
        text::put(buf, x, y, width, &last, cx.style(Role::Muted));
    }
}

/// The number of lines of each severity, the most severe first, with the signs of the bars.
pub(super) fn legend(cx: &Cx<'_>, counts: &LogHistogram, height: u16) -> Vec<StyledRun<'static>> {
    let mut runs = Vec::new();
    for severity in LogSeverity::ALL {
        let total = counts.total(severity);
        if total == 0 {
            continue;
        }
        let layer = LAYERS.iter().find(|(severities, ..)| severities.contains(&severity));
        let (sign, role) =
            layer.map_or((" ", Role::Muted), |(_, role, sign, ascii)| (cx.charset.pick(sign, ascii), *role));
        if height > 2 {
            runs.push(StyledRun::new(sign, role));
        }
        runs.push(StyledRun::new(format!(" {} {}  ", severity.word(), plain(total as f64)), role));
    }
    if runs.is_empty() {
        runs.push(StyledRun::new(" no lines in this time range", Role::Muted));
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_errors_are_seen_under_many_usual_lines() {
        assert_eq!(stacked([1, 0, 1000], 1001, 5), [1, 0, 4]);
        assert_eq!(stacked([0, 0, 0], 1001, 5), [0, 0, 0]);
        assert_eq!(stacked([1, 1, 1], 1000, 5), [1, 0, 0], "one row: the worst");
        assert_eq!(stacked([500, 0, 500], 1000, 4), [2, 0, 2]);
        assert_eq!(stacked([0, 3, 0], 3, 4), [0, 4, 0]);
    }
}
