//! A chart over time: lines with gaps for missing data, thresholds, firing times, event marks.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::axis::{self, ChartFrame, ValueScale};
use super::plot::{Dots, Plot};
use super::spark::Sparkline;
use super::text::{self, StyledRun};
use super::unit::ValueUnit;
use crate::app::display_settings::{Charset, Cx};
use crate::app::theme::Role;
use crate::model::series::TimeGrid;

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChartLine<'a> {
    /// One value per point of the span; NaN where there is none.
    pub values: &'a [f64],
    /// The role; see [`Role::of_line`].
    pub role: Role,
    pub label: &'a str,
}

impl<'a> ChartLine<'a> {
    /// Lines with their labels, each in the role of its place among them.
    pub fn each<V: AsRef<[f64]>>(named: &'a [(String, V)]) -> Vec<Self> {
        let line = |(i, (label, values)): (usize, &'a (String, V))| Self {
            values: values.as_ref(),
            role: Role::of_line(i),
            label,
        };
        named.iter().enumerate().map(line).collect()
    }
}

/// An event, drawn as a vertical line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChartMark<'a> {
    pub at: Timestamp,
    /// A symbol of one cell for the time axis.
    pub symbol: &'a str,
    pub role: Role,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chart<'a> {
    pub span: TimeGrid,
    /// The series, most important first: it is drawn over the others, and alone if there is no room for a chart.
    pub lines: &'a [ChartLine<'a>],
    pub unit: ValueUnit,
    /// Threshold values with their labels, most important first.
    pub thresholds: &'a [(f64, &'a str)],
    /// The periods in which an alert fired, drawn as background.
    pub shade: &'a [(Timestamp, Timestamp)],
    pub marks: &'a [ChartMark<'a>],
    /// Whether the legend shows the newest value of each series; false: only the labels.
    pub newest: bool,
    /// Whether the value axis always includes zero.
    pub zero_based: bool,
    /// A range of values, drawn as an area behind the lines.
    pub band: Option<ChartBand<'a>>,
    /// Fixed bounds of the value axis; values outside are drawn at the edge.
    pub limits: Option<(f64, f64)>,
}

impl<'a> Chart<'a> {
    /// A chart of these series without thresholds, background and marks.
    pub fn new(span: TimeGrid, lines: &'a [ChartLine<'a>], unit: ValueUnit) -> Self {
        Self {
            span,
            lines,
            unit,
            thresholds: &[],
            shade: &[],
            marks: &[],
            newest: true,
            zero_based: true,
            band: None,
            limits: None,
        }
    }

    /// Draws the chart: with a legend from six rows on, without one from four rows on, else as a sparkline of the first series.
    pub fn render(&self, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        if area.height < 4 {
            self.small(cx, area, buf);
            return;
        }
        let frame = ChartFrame::new(area);
        let plot_area = frame.plot;
        let Some(scale) = self.scale(plot_area.height, cx.charset) else {
            frame.draw(cx, self.span, &[], buf);
            self.shades(cx, &frame, buf);
            self.marks(cx, &frame, None, buf);
            self.no_data(cx, plot_area, buf);
            if let Some(place) = frame.legend {
                let named = self.thresholds.iter().map(|own| Self::threshold_label(cx, *own, None)).collect();
                text::runs(cx, &self.legend(cx, self.dots(cx), named, place.width), place, buf);
            }
            return;
        };
        let mut labels: Vec<(u16, String)> = Vec::new();
        for (value, label) in &scale.ticks {
            let row = scale.row(*value, plot_area.height);
            if labels.iter().all(|(taken, _)| taken.abs_diff(row) > 0) {
                labels.push((row, label.clone()));
            }
        }
        frame.draw(cx, self.span, &labels, buf);
        let dots = self.dots(cx);
        let mut plot = Plot::new(plot_area.width, plot_area.height, dots);
        for (i, line) in self.lines.iter().enumerate().rev() {
            plot.line(i, line.values, |value| scale.share(value));
        }
        self.shades(cx, &frame, buf);
        if let Some(band) = &self.band {
            band.render(cx, &scale, &plot, plot_area, buf);
        }
        self.marks(cx, &frame, Some(&plot), buf);
        let mut taken = Vec::new();
        let unplaced = self.thresholds.iter().filter_map(|own| {
            let row = scale.row(own.0, plot_area.height);
            // a row has room for only one threshold label
            let has_room = !taken.contains(&row);
            taken.push(row);
            Self::threshold(cx, *own, has_room, &scale, &plot, &frame, buf)
        });
        let unplaced = unplaced.collect();
        plot.render(|i| self.line_style(cx, i), plot_area, buf);
        if let Some(place) = frame.legend {
            text::runs(cx, &self.legend(cx, dots, unplaced, place.width), place, buf);
        }
    }

    /// Braille, unless colours cannot distinguish the series: then each has its own character.
    fn dots(&self, cx: &Cx<'_>) -> Dots {
        let mut styles: Vec<Style> = Vec::with_capacity(4);
        for style in self.lines.iter().map(|line| cx.style(line.role)) {
            if !styles.contains(&style) {
                styles.push(style);
            }
        }
        // there are four roles: a fifth series shares one
        let is_told_apart = styles.len() >= self.lines.len().min(4);
        if cx.charset == Charset::Unicode && is_told_apart { Dots::Braille } else { Dots::Signs }
    }

    fn line_style(&self, cx: &Cx<'_>, line: usize) -> (Style, &'static str) {
        let role = self.lines.get(line).map_or(Role::Text, |line| line.role);
        (cx.style(role), Role::of_line(line).ascii())
    }

    /// The value axis; `None` if there are no values. A distant threshold is left out, so that it does not flatten the lines.
    fn scale(&self, rows: u16, charset: Charset) -> Option<ValueScale> {
        let finite =
            || self.lines.iter().flat_map(|line| line.values).copied().filter(|value| value.is_finite());
        let low = finite().reduce(f64::min)?;
        let high = finite().reduce(f64::max)?;
        let limits = self.limits.filter(|(low, high)| low.is_finite() && high.is_finite() && low < high);
        if let Some((low, high)) = limits {
            return Some(ValueScale::new(low, high, true, self.unit, rows, charset));
        }
        let (mut low, mut high) = if self.zero_based { (low.min(0.0), high.max(0.0)) } else { (low, high) };
        let mut thresholds: Vec<f64> = self.thresholds.iter().map(|(value, _)| *value).collect();
        thresholds.retain(|value| value.is_finite());
        // the nearest thresholds are included first
        thresholds.sort_by(f64::total_cmp);
        for threshold in thresholds {
            let (wide_low, wide_high) = (low.min(threshold), high.max(threshold));
            let is_flat = high <= low;
            if is_flat || wide_high / 5.0 - wide_low / 5.0 <= high - low {
                (low, high) = (wide_low, wide_high);
            }
        }
        Some(ValueScale::new(low, high, false, self.unit, rows, charset))
    }

    /// Draws a threshold behind the lines, with its label if there is room; else returns the label for the legend.
    fn threshold(
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
        let label = Self::threshold_label(cx, own, Some(scale));
        let (area, style) = (frame.plot, cx.style(Role::Threshold));
        let row = scale.row(value, area.height);
        let y = area.y + row;
        if scale.holds(value) {
            // the line of an event crosses the threshold; the label below covers both
            let is_blank = |column: &u16| buf[(area.x + column, y)].symbol() == " ";
            for column in (0..area.width).filter(is_blank).collect::<Vec<_>>() {
                text::put(buf, area.x + column, y, 1, cx.symbol(Role::Threshold), style);
            }
            let tick = scale.label(value);
            if frame.labels.width > 0 {
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

    /// The label of a threshold, with an arrow if it is outside of the value axis.
    fn threshold_label(cx: &Cx<'_>, (value, label): (f64, &str), scale: Option<&ValueScale>) -> String {
        let label = text::fit(label, 40, cx.charset);
        match scale {
            Some(scale) if value > scale.high => format!("{} {label}", cx.charset.pick("▲", "^")),
            Some(scale) if value < scale.low => format!("{} {label}", cx.charset.pick("▼", "v")),
            _ => label.into_owned(),
        }
    }

    /// Draws the firing periods: a background of the plot, and a thick line on the time axis for terminals without colour.
    fn shades(&self, cx: &Cx<'_>, frame: &ChartFrame, buf: &mut Buffer) {
        let area = frame.plot;
        // the background only: without colours it would be reverse video, which makes the lines hard to read
        let shade = Style { bg: cx.style(Role::Shade).bg, ..Style::new() };
        for (from, to) in self.shade {
            let to = to.max(from);
            if area.width == 0 || *from > self.span.end() || *to < self.span.start() {
                continue;
            }
            let first = axis::column(self.span, *from, area.width);
            let last = axis::column(self.span, *to, area.width);
            for column in first..=last {
                let x = area.x + column;
                buf.set_style(Rect { x, width: 1, ..area }.intersection(buf.area), shade);
                let sign = cx.charset.pick("━", "=");
                text::put(buf, x, frame.line.y, 1, sign, cx.style(Role::Threshold));
            }
        }
    }

    /// Draws the events: a symbol on the time axis and a vertical line behind the series.
    fn marks(&self, cx: &Cx<'_>, frame: &ChartFrame, plot: Option<&Plot>, buf: &mut Buffer) {
        let area = frame.plot;
        for mark in self.marks {
            if area.width == 0 || mark.at < self.span.start() || mark.at > self.span.end() {
                continue;
            }
            let column = axis::column(self.span, mark.at, area.width);
            let (x, style) = (area.x + column, cx.style(mark.role));
            for row in (0..area.height).filter(|row| plot.is_none_or(|plot| plot.is_free(column, *row))) {
                text::put(buf, x, area.y + row, 1, cx.charset.pick("┊", ":"), style);
            }
            text::put(buf, x, frame.line.y, 1, mark.symbol, style);
        }
    }

    fn no_data(&self, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
        let is_infinite = self.lines.iter().flat_map(|line| line.values).any(|value| value.is_infinite());
        let words = if is_infinite { "no finite values" } else { "no data" };
        text::centred(cx, words, Role::Muted, area, buf);
    }

    /// Draws a sparkline of the first series, with the legend above it if there are two rows.
    fn small(&self, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
        let head = u16::from(area.height > 1);
        if head > 0 {
            let labels = self.thresholds.iter().map(|own| Self::threshold_label(cx, *own, None)).collect();
            text::runs(
                cx,
                &self.legend(cx, Dots::Braille, labels, area.width),
                Rect { height: 1, ..area },
                buf,
            );
        }
        let Some(line) = self.lines.first() else { return };
        let rest = Rect { y: area.y + head, height: area.height - head, ..area };
        let max = self.limits.map(|(_, high)| high);
        Sparkline { values: line.values, max, role: line.role }.render(cx, rest, buf);
    }

    /// The legend: `─ p95 124ms  ─ p50 12ms  ┄ objective`, with the thresholds that have no label in the plot.
    fn legend(&self, cx: &Cx<'_>, dots: Dots, thresholds: Vec<String>, width: u16) -> Vec<StyledRun<'a>> {
        let mut entries: Vec<Vec<StyledRun<'a>>> = Vec::new();
        for (i, line) in self.lines.iter().enumerate() {
            let (_, sign) = self.line_style(cx, i);
            let sign = if dots == Dots::Signs { sign } else { cx.charset.pick("─", "-") };
            let mut entry = vec![StyledRun::new(format!("{sign} "), line.role)];
            if !line.label.is_empty() {
                entry.push(StyledRun::new(format!("{} ", line.label), Role::Muted));
            }
            if self.newest {
                entry.push(self.newest(cx, line));
            }
            entries.push(entry);
        }
        for label in thresholds {
            let words = format!("{} {label}", cx.symbol(Role::Threshold));
            entries.push(vec![StyledRun::new(words, Role::Threshold)]);
        }
        fitting(entries, width)
    }

    /// The newest value of a series; if the last points are missing, since when.
    fn newest(&self, cx: &Cx<'_>, line: &ChartLine<'_>) -> StyledRun<'a> {
        let Some(at) = line.values.iter().rposition(|value| !value.is_nan()) else {
            return StyledRun::new("no data", Role::Muted);
        };
        if at + 3 < line.values.len() {
            let since = self.span.at(at).to_zoned(cx.zone.clone());
            return StyledRun::new(format!("no data since {}", since.strftime("%H:%M")), Role::Stale);
        }
        let value = line.values.get(at).copied().unwrap_or(f64::NAN);
        StyledRun::new(self.unit.text(value, cx.charset), Role::Text)
    }
}

/// The entries that fit whole, and the number of the others: a cut number would be read as another number.
fn fitting(entries: Vec<Vec<StyledRun<'_>>>, width: u16) -> Vec<StyledRun<'_>> {
    let count = entries.len();
    let mut used = 0;
    let mut runs = Vec::new();
    for (i, entry) in entries.into_iter().enumerate() {
        let gap = if i > 0 { "   " } else { "" };
        let more = format!("{gap}+{}", count - i);
        let rest = if i + 1 < count { text::width(&more).max(5) } else { 0 };
        let wanted = text::width(gap) + text::runs_width(&entry);
        if i > 0 && used + wanted + rest > width {
            runs.push(StyledRun::new(more, Role::Muted));
            break;
        }
        used += wanted;
        runs.push(StyledRun::new(gap, Role::Text));
        runs.extend(entry);
    }
    runs
}

mod band;
pub use band::ChartBand;

#[cfg(test)]
mod tests;
