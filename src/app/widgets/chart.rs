//! A chart over time: lines with gaps for missing data and areas below them, thresholds, firing times, event marks, the values
//! at a cursor.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::axis::ChartFrame;
use super::plot::{Dots, Plot};
use super::spark::Sparkline;
use super::text;
use super::unit::ValueUnit;
use crate::app::display_settings::{Charset, ChartSymbols, Cx};
use crate::app::theme::{Role, SERIES};
use crate::model::series::TimeGrid;

pub use band::ChartBand;
use fill::AreaFill;
use legend::Legend;
pub use overlays::ChartPoint;
pub(super) use overlays::cursor_line;
use overlays::{cursor_points, threshold_label, threshold_note};
use shown::ShownSeries;
pub use view::{ChartView, Stacking};

mod band;
mod fill;
mod legend;
mod overlays;
mod shown;
mod value_axis;
mod view;

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

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LineStyle {
    #[default]
    Line,
    /// A bar from zero at each point.
    Bars,
    /// A dot at each point.
    Points,
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
    /// How each of them is drawn; those beyond its end as lines.
    pub styles: &'a [LineStyle],
    pub unit: ValueUnit,
    /// Threshold values with their labels, most important first.
    pub thresholds: &'a [(f64, &'a str)],
    /// The periods in which an alert fired, drawn as background.
    pub shade: &'a [(Timestamp, Timestamp)],
    /// The events, most important first: of two in one column, its symbol is in place.
    pub marks: &'a [ChartMark<'a>],
    /// Single observations, drawn at their values.
    pub points: &'a [ChartPoint],
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
            styles: &[],
            unit,
            thresholds: &[],
            shade: &[],
            marks: &[],
            points: &[],
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
            for own in self.bounds_of(&shown) {
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
            let share = |value| scale.share(value);
            match self.styles.get(i).copied().unwrap_or_default() {
                LineStyle::Line => plot.line(i, &line.heights, share),
                LineStyle::Bars => plot.bars(i, &line.heights, share),
                LineStyle::Points => plot.points(i, &line.heights, share),
            }
        }
        self.shades(cx, span, &frame, buf);
        if let Some(band) = &self.band {
            band.render(cx, &scale, &plot, plot_area, buf);
        }
        let roles: Vec<Role> = shown.lines.iter().map(|line| line.line.role).collect();
        // below zero there is no amount to fill, and bars are areas already
        let is_filled = scale.low >= 0.0 && self.styles.iter().all(|style| *style == LineStyle::Line);
        if let Some(areas) = AreaFill::of(cx, &roles, dots, shown.is_stacked).filter(|_| is_filled) {
            areas.draw(&plot, plot_area, buf);
        }
        self.marks(cx, span, &frame, Some(&plot), buf);
        let cursor_column = frame.cursor(span, cursor);
        if let Some(column) = cursor_column {
            cursor_line(cx, &plot, (plot_area, column), buf);
        }
        let mut taken = Vec::new();
        for own in self.bounds_of(&shown) {
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
        // an observation is no part of a sum
        if !shown.is_stacked {
            self.draw_points(cx, (span, &scale, &plot), plot_area, buf);
        }
        if let (Some(column), Some(at)) = (cursor_column, cursor) {
            cursor_points(cx, &shown, (&scale, at), &looks, (plot_area, column), buf);
        }
        if let Some(place) = frame.legend {
            legend.render(cx, area, place, buf);
        }
    }

    /// The thresholds that belong to the value axis: in shares of a sum, none does.
    fn bounds_of(&self, shown: &ShownSeries<'_>) -> &[(f64, &'a str)] {
        if shown.are_shares(self) { &[] } else { self.thresholds }
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
            for own in self.bounds_of(shown) {
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

#[cfg(test)]
mod tests;
