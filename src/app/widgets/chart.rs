//! A chart over time: lines with gaps for missing data and areas below them, thresholds, firing times, event marks, the values
//! at a cursor.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::axis::{self, ChartFrame};
use super::plot::{Dots, Plot};
use super::scale::ValueScale;
use super::spark::Sparkline;
use super::text;
use super::unit::ValueUnit;
use crate::app::display_settings::{Charset, ChartSymbols, Cx};
use crate::app::theme::{Role, SERIES};
use crate::model::series::TimeGrid;

use fill::AreaFill;
use legend::Legend;
use shown::{ShownLine, ShownSeries};
pub use view::{ChartView, Stacking};

mod fill;
mod legend;
mod shown;
mod view;

/// Marks with a vertical line at most; of more, only the symbols on the time axis are drawn.
const MARK_LINES: usize = 12;

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

impl ChartMark<'_> {
    /// The symbol of the mark with this index, counted from 0, for a list beside the chart that repeats it: 1 to 9, then letters.
    pub fn number(index: usize) -> &'static str {
        const NUMBERS: &str = "123456789abcdefghijklmnopqrstuvwxyz";
        NUMBERS.get(index..=index).unwrap_or("+")
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub struct Chart<'a> {
    pub span: TimeGrid,
    /// The series, most important first: it is drawn over the others, and alone if there is no room for a chart. Stacked, it is
    /// the lowest.
    pub lines: &'a [ChartLine<'a>],
    pub unit: ValueUnit,
    /// Threshold values with their labels, most important first.
    pub thresholds: &'a [(f64, &'a str)],
    /// The periods in which an alert fired, drawn as background.
    pub shade: &'a [(Timestamp, Timestamp)],
    /// The events, most important first: of two in one column, its symbol is in place.
    pub marks: &'a [ChartMark<'a>],
    /// Whether the legend shows the newest, lowest and highest value of each series; false: only the labels.
    pub newest: bool,
    /// Whether there is a legend, if there is room; false where a list beside the chart has its place.
    pub has_legend: bool,
    /// Whether the value axis always includes zero.
    pub zero_based: bool,
    /// A range of values, drawn as an area behind the lines.
    pub band: Option<ChartBand<'a>>,
    /// Fixed bounds of the value axis; values outside are drawn at the edge.
    pub limits: Option<(f64, f64)>,
    /// Whether the series may be parts of a whole, so that they can be stacked.
    pub adds_up: bool,
    /// The part of time that is shown, the value cursor, the kind of value axis, stacking.
    pub view: ChartView,
}

/// The character and the style in which a series is drawn.
type LineLook = (Style, char);

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
            has_legend: true,
            zero_based: true,
            band: None,
            limits: None,
            adds_up: unit.adds_up(),
            view: ChartView::default(),
        }
    }

    /// Draws the chart: with a legend from six rows on, without one from four rows on, else as a sparkline of the first series.
    pub fn render(&self, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        let shown = ShownSeries::of(self);
        let dots = self.dots(cx);
        let (span, cursor) = (shown.span, self.view.cursor);
        let mut legend = Legend::new(cx, &shown, cursor, self.newest, |line| {
            if dots == Dots::Signs { line.line.role.ascii() } else { cx.charset.pick("─", "-") }
        });
        if let Some(refusal) = shown.refusal {
            legend.note(refusal.to_owned(), Role::Muted);
        }
        if area.height < 4 {
            self.small(cx, (&shown, legend), area, buf);
            return;
        }
        let frame = ChartFrame::new(area, if self.has_legend { legend.rows(area) } else { 0 });
        let plot_area = frame.plot;
        let size = (plot_area.width, plot_area.height);
        let Some((scale, note)) = self.scale(&shown, plot_area.height, cx.charset) else {
            frame.draw(cx, span, &[], cursor, buf);
            self.shades(cx, span, &frame, buf);
            self.marks(cx, span, &frame, None, buf);
            self.no_data(cx, plot_area, buf);
            for own in self.thresholds {
                legend.note(threshold_note(cx, &threshold_label(cx, *own, None)), Role::Threshold);
            }
            if let Some(place) = frame.legend {
                legend.render(cx, area, place, buf);
            }
            return;
        };
        if let Some(note) = note {
            legend.note(note, Role::Muted);
        }
        let mut labels: Vec<(u16, String)> = Vec::with_capacity(scale.ticks.len());
        for (value, label) in &scale.ticks {
            let row = scale.row(*value, plot_area.height);
            if labels.iter().all(|(taken, _)| taken.abs_diff(row) > 0) {
                labels.push((row, label.clone()));
            }
        }
        frame.draw(cx, span, &labels, cursor, buf);
        let mut plot = Plot::new(size, dots, shown.lines.len());
        for (i, line) in shown.lines.iter().enumerate().rev() {
            plot.line(i, &line.heights, |value| scale.share(value));
        }
        self.shades(cx, span, &frame, buf);
        if let Some(band) = &self.band {
            band.render(cx, &scale, &plot, plot_area, buf);
        }
        let roles: Vec<Role> = shown.lines.iter().map(|line| line.line.role).collect();
        // below zero there is no amount to fill
        if let Some(areas) = AreaFill::of(cx, &roles, dots, shown.is_stacked).filter(|_| scale.low >= 0.0) {
            areas.draw(&plot, plot_area, buf);
        }
        self.marks(cx, span, &frame, Some(&plot), buf);
        let cursor_column = frame.cursor(span, cursor);
        if let Some(column) = cursor_column {
            cursor_line(cx, &plot, (plot_area, column), buf);
        }
        let mut taken = Vec::new();
        for own in self.thresholds {
            let row = scale.row(own.0, plot_area.height);
            // a row has room for only one threshold label
            let has_room = !taken.contains(&row);
            taken.push(row);
            if let Some(label) = Self::threshold(cx, *own, has_room, &scale, &plot, &frame, buf) {
                legend.note(threshold_note(cx, &label), Role::Threshold);
            }
        }
        let looks: Vec<LineLook> = roles.iter().map(|role| look(cx, *role)).collect();
        plot.render(&looks, plot_area, buf);
        if let (Some(column), Some(at)) = (cursor_column, cursor) {
            cursor_points(cx, &shown, (&scale, at), &looks, (plot_area, column), buf);
        }
        if let Some(place) = frame.legend {
            legend.render(cx, area, place, buf);
        }
    }

    /// The finest characters that the terminal has, unless colours cannot distinguish the series: then each has its own.
    fn dots(&self, cx: &Cx<'_>) -> Dots {
        let mut styles: Vec<Style> = Vec::with_capacity(SERIES);
        for style in self.lines.iter().map(|line| cx.style(line.role)) {
            if !styles.contains(&style) {
                styles.push(style);
            }
        }
        // there are eight roles of series: a ninth one shares one
        let is_told_apart = styles.len() >= self.lines.len().min(SERIES);
        match (cx.charset, cx.chart_symbols) {
            (Charset::Unicode, ChartSymbols::Octant) if is_told_apart => Dots::Octant,
            (Charset::Unicode, ChartSymbols::Braille) if is_told_apart => Dots::Braille,
            (Charset::Unicode, ChartSymbols::Half) if is_told_apart => Dots::Half,
            (Charset::Unicode | Charset::Ascii, _) => Dots::Signs,
        }
    }

    /// The value axis, and what has to be said about it; `None` if there are no values. A distant threshold is left out, so that
    /// it does not flatten the lines.
    fn scale(
        &self,
        shown: &ShownSeries<'_>,
        rows: u16,
        charset: Charset,
    ) -> Option<(ValueScale, Option<String>)> {
        let low = shown.finite().reduce(f64::min)?;
        let high = shown.finite().reduce(f64::max)?;
        let unit = shown.unit;
        if shown.are_shares(self) {
            return Some((ValueScale::new(0.0, 1.0, true, unit, rows, charset), None));
        }
        let mut thresholds: Vec<f64> = self.thresholds.iter().map(|(value, _)| *value).collect();
        thresholds.retain(|value| value.is_finite());
        // the nearest thresholds are included first
        thresholds.sort_by(f64::total_cmp);
        let mut note = None;
        if self.view.is_logarithmic {
            if let Some(lowest) = shown.finite().filter(|value| *value > 0.0).reduce(f64::min) {
                let is_near = |threshold: &f64| *threshold > lowest / 10.0 && *threshold < high * 10.0;
                thresholds.retain(is_near);
                let lowest = thresholds.first().map_or(lowest, |threshold| threshold.min(lowest));
                let highest = thresholds.last().map_or(high, |threshold| threshold.max(high));
                let outside = shown.finite().filter(|value| *value <= 0.0).count();
                let words = match outside {
                    0 => "log scale".to_owned(),
                    1 => "log scale, 1 value of 0 or less at the bottom".to_owned(),
                    count => format!("log scale, {count} values of 0 or less at the bottom"),
                };
                return Some((ValueScale::logarithmic(lowest, highest, unit, rows, charset), Some(words)));
            }
            note = Some("no value above 0, so no log scale".to_owned());
        }
        let limits = self.limits.filter(|(low, high)| low.is_finite() && high.is_finite() && low < high);
        if let Some((low, high)) = limits.filter(|_| !shown.is_stacked) {
            return Some((ValueScale::new(low, high, true, unit, rows, charset), note));
        }
        let is_zero_based = self.zero_based || shown.is_stacked;
        let (mut low, mut high) = if is_zero_based { (low.min(0.0), high.max(0.0)) } else { (low, high) };
        for threshold in thresholds {
            let (wide_low, wide_high) = (low.min(threshold), high.max(threshold));
            let is_flat = high <= low;
            if is_flat || wide_high / 5.0 - wide_low / 5.0 <= high - low {
                (low, high) = (wide_low, wide_high);
            }
        }
        Some((ValueScale::new(low, high, false, unit, rows, charset), note))
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
    fn shades(&self, cx: &Cx<'_>, span: TimeGrid, frame: &ChartFrame, buf: &mut Buffer) {
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
    fn marks(&self, cx: &Cx<'_>, span: TimeGrid, frame: &ChartFrame, plot: Option<&Plot>, buf: &mut Buffer) {
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

    fn no_data(&self, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
        let is_infinite = self.lines.iter().flat_map(|line| line.values).any(|value| value.is_infinite());
        let words = if is_infinite { "no finite values" } else { "no data" };
        text::centred(cx, words, Role::Muted, area, buf);
    }

    /// Draws a sparkline of the first series, with the legend above it if there are two rows.
    fn small(
        &self,
        cx: &Cx<'_>,
        (shown, mut legend): (&ShownSeries<'_>, Legend<'_>),
        area: Rect,
        buf: &mut Buffer,
    ) {
        let head = u16::from(area.height > 1);
        if head > 0 {
            for own in self.thresholds {
                legend.note(threshold_note(cx, &threshold_label(cx, *own, None)), Role::Threshold);
            }
            legend.render(cx, area, Rect { height: 1, ..area }, buf);
        }
        let Some(line) = shown.lines.first() else { return };
        let rest = Rect { y: area.y + head, height: area.height - head, ..area };
        let max = self.limits.map(|(_, high)| high);
        Sparkline { values: &line.values, max, role: line.line.role }.render(cx, rest, buf);
    }
}

/// The style and the character of a series.
fn look(cx: &Cx<'_>, role: Role) -> LineLook {
    (cx.style(role), role.ascii().chars().next().unwrap_or('*'))
}

fn mark_sign(cx: &Cx<'_>) -> &'static str {
    cx.charset.pick("┊", ":")
}

fn cursor_sign(cx: &Cx<'_>) -> &'static str {
    cx.charset.pick("│", "|")
}

/// Draws the line of the value cursor behind the series.
pub(super) fn cursor_line(cx: &Cx<'_>, plot: &Plot, (area, column): (Rect, u16), buf: &mut Buffer) {
    let style = cx.style(Role::Accent);
    for row in (0..area.height).filter(|row| plot.is_free(column, *row)) {
        text::put(buf, area.x + column, area.y + row, 1, cursor_sign(cx), style);
    }
}

/// Marks the value of each series at the cursor.
fn cursor_points(
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
fn threshold_label(cx: &Cx<'_>, (value, label): (f64, &str), scale: Option<&ValueScale>) -> String {
    let label = text::fit(label, 40, cx.charset);
    match scale {
        Some(scale) if value > scale.high => format!("{} {label}", cx.charset.pick("▲", "^")),
        Some(scale) if value < scale.low => format!("{} {label}", cx.charset.pick("▼", "v")),
        _ => label.into_owned(),
    }
}

/// A threshold in the legend.
fn threshold_note(cx: &Cx<'_>, label: &str) -> String {
    format!("{} {label}", cx.symbol(Role::Threshold))
}

mod band;
pub use band::ChartBand;

#[cfg(test)]
mod tests;
