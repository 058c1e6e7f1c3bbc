//! Draws series over time with their legend, heat maps and states.

use super::Canvas;
use crate::app::prelude::*;
use crate::app::subjects::dashboard::picture::{ChartPicture, ChartSeries, HeatPicture, StatesPicture};
use crate::app::widgets::chart::{Chart, ChartLine, ChartView, Stacking};
use crate::app::widgets::heat::{Heat, HeatBucket};
use crate::app::widgets::states::StateRows;
use crate::model::series::TimeGrid;

/// From this width on, a legend can be at the right.
const WIDE: u16 = 76;
/// Cells of the labels of an axis at the right.
const RIGHT_AXIS: u16 = 8;
/// Cells of a number in a legend that is a table.
const NUMBER: u16 = 11;

impl Canvas<'_, '_> {
    /// The part of time that is shown, and the value cursor. A panel with a range of its own shares only the cursor.
    fn view(&self, span: TimeGrid) -> ChartView {
        let shared = self.cx.shared;
        let time = self.screen.charted(shared, self.cx.now);
        let length = age(span.start(), span.end());
        let is_own = length.abs_diff(shared.range.length) > 2 * span.step();
        match time.filter(|_| !is_own) {
            Some(time) => shared.charts.view(time),
            None => shared.charts.view_of_own_time(),
        }
    }

    pub(super) fn chart(&self, chart: &ChartPicture, area: Rect, buf: &mut Buffer) {
        let shown: Vec<&ChartSeries> = chart.series.iter().filter(|one| one.in_legend).collect();
        let has_legend = (chart.legend.is_shown || self.is_whole) && !shown.is_empty() && area.height >= 5;
        let chart_view = self.view(chart.span);
        if !has_legend {
            return self.plot(chart, chart_view, area, buf);
        }
        let is_table = chart.legend.is_table || self.is_whole;
        if chart.legend.is_right && area.width >= WIDE && !self.is_whole {
            let width = (area.width / 3).min(46);
            let plot = Rect { width: area.width - width - 1, ..area };
            let legend = Rect { x: plot.right() + 1, width, ..area };
            self.plot(chart, chart_view, plot, buf);
            return self.legend_table(chart, &shown, chart_view, legend, buf);
        }
        let count = u16::try_from(shown.len()).unwrap_or(u16::MAX);
        let rows = if is_table {
            let most = if self.is_whole { area.height / 2 } else { area.height / 3 };
            count.saturating_add(1).min(most.max(2))
        } else {
            list_rows(&shown, area.width).min((area.height / 4).max(1))
        };
        let plot = Rect { height: area.height - rows, ..area };
        let legend = Rect { y: plot.bottom(), height: rows, ..area };
        self.plot(chart, chart_view, plot, buf);
        if is_table {
            self.legend_table(chart, &shown, chart_view, legend, buf);
        } else {
            self.legend_list(chart, &shown, chart_view, legend, buf);
        }
    }

    fn plot(&self, chart: &ChartPicture, chart_view: ChartView, area: Rect, buf: &mut Buffer) {
        let cx = self.cx;
        let has_right = chart.series.iter().any(|one| one.is_right) && area.width > 40 && area.height >= 6;
        let scaled: Vec<Vec<f64>>;
        let mut limits = chart.limits;
        let mut right = None;
        let mut plot = area;
        if has_right {
            let left = bounds(chart, false);
            let own = bounds(chart, true);
            let scale = |value: f64| left.0 + (value - own.0) / (own.1 - own.0) * (left.1 - left.0);
            scaled = chart
                .series
                .iter()
                .map(|one| {
                    if one.is_right {
                        one.heights.iter().map(|v| scale(*v)).collect()
                    } else {
                        one.heights.clone()
                    }
                })
                .collect();
            (limits, right) = (Some(left), Some(own));
            plot = Rect { width: area.width - RIGHT_AXIS, ..area };
        } else {
            scaled = Vec::new();
        }
        let heights = |at: usize, one: &'_ ChartSeries| -> Vec<f64> {
            scaled.get(at).cloned().unwrap_or_else(|| one.heights.clone())
        };
        let heights: Vec<Vec<f64>> =
            chart.series.iter().enumerate().map(|(at, one)| heights(at, one)).collect();
        let lines: Vec<ChartLine<'_>> = chart
            .series
            .iter()
            .zip(&heights)
            .map(|(one, values)| ChartLine { values, role: one.role, label: &one.name })
            .collect();
        let styles: Vec<_> = chart.series.iter().map(|one| one.style).collect();
        let thresholds: Vec<(f64, &str)> =
            chart.thresholds.iter().map(|(value, label)| (*value, label.as_str())).collect();
        let stacking =
            if chart_view.stacking == Stacking::Off { chart.stacking } else { chart_view.stacking };
        let chart_view = ChartView {
            stacking,
            is_logarithmic: chart_view.is_logarithmic != chart.is_logarithmic,
            ..chart_view
        };
        let drawn = Chart {
            styles: &styles,
            thresholds: &thresholds,
            newest: false,
            has_legend: false,
            zero_based: chart.is_zero_based,
            limits,
            adds_up: true,
            view: chart_view,
            ..Chart::new(chart.span, &lines, chart.unit)
        };
        drawn.render(cx, plot, buf);
        if let Some((low, high)) = right {
            let rows = area.height.saturating_sub(2);
            for (share, value) in [(0.0, low), (0.5, low.midpoint(high)), (1.0, high)] {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a row of the plot"
                )]
                let row = ((1.0 - share) * f64::from(rows.saturating_sub(1))).round() as u16;
                let label = chart.right_unit.short(value, cx.charset);
                let x = plot.right();
                text::put(buf, x, area.y + row, 1, cx.charset.pick("├", "+"), cx.style(Role::Border));
                text::put(buf, x + 1, area.y + row, RIGHT_AXIS - 1, &label, cx.style(Role::Muted));
            }
        }
    }

    /// The sign of a series in the legend.
    fn sign(&self, one: &ChartSeries) -> &'static str {
        let is_coloured = self.cx.style(one.role).fg.is_some();
        if is_coloured { self.cx.charset.pick("─", one.role.ascii()) } else { one.role.ascii() }
    }

    /// The values of a series: at the cursor, else those of the legend.
    fn values(
        &self,
        one: &ChartSeries,
        chart: &ChartPicture,
        chart_view: ChartView,
    ) -> Vec<(String, String)> {
        let Some(at) = chart_view.cursor.and_then(|at| chart.span.nearest(at)) else {
            return one.reduced.clone();
        };
        let value = one.values.get(at).copied().filter(|value| !value.is_nan());
        let text = value.map_or_else(|| "-".to_owned(), |value| one.display.number(value).whole());
        let time = chart.span.at(at).to_zoned(self.cx.zone.clone()).strftime("%H:%M:%S").to_string();
        vec![(time, text)]
    }

    /// Names with their values one after the other.
    fn legend_list(
        &self,
        chart: &ChartPicture,
        shown: &[&ChartSeries],
        chart_view: ChartView,
        area: Rect,
        buf: &mut Buffer,
    ) {
        let (mut x, mut y) = (area.x, area.y);
        for (index, one) in shown.iter().enumerate() {
            let value = self
                .values(one, chart, chart_view)
                .into_iter()
                .map(|(_, text)| text)
                .next()
                .unwrap_or_default();
            let name = text::fit(&one.name, 40, self.cx.charset).into_owned();
            let runs = [
                StyledRun::new(format!("{} ", self.sign(one)), one.role),
                StyledRun::new(name, Role::Muted),
                StyledRun::new(format!(" {value}"), Role::Text),
            ];
            let width = text::runs_width(&runs);
            let is_last_row = y + 1 == area.bottom();
            let more = format!("+{} more", shown.len() - index);
            let reserved = if is_last_row && index + 1 < shown.len() { text::width(&more) + 1 } else { 0 };
            if x > area.x && x + width + reserved > area.right() {
                if is_last_row {
                    text::put(buf, x, y, area.right().saturating_sub(x), &more, self.cx.style(Role::Muted));
                    return;
                }
                (x, y) = (area.x, y + 1);
            }
            let place = Rect { x, y, width: area.right().saturating_sub(x), height: 1 };
            x += text::runs(self.cx, &runs, place, buf) + 3;
        }
    }

    /// A row for each series, a column for each value.
    fn legend_table(
        &self,
        chart: &ChartPicture,
        shown: &[&ChartSeries],
        chart_view: ChartView,
        area: Rect,
        buf: &mut Buffer,
    ) {
        let cx = self.cx;
        let mut rows: Vec<(&ChartSeries, Vec<(String, String)>)> =
            shown.iter().map(|one| (*one, self.values(one, chart, chart_view))).collect();
        sort(chart, &mut rows);
        let titles: Vec<String> = rows
            .first()
            .map(|(_, values)| values.iter().map(|(title, _)| title.clone()).collect())
            .unwrap_or_default();
        let least_name = 14.min(area.width / 2);
        let fitting = usize::from(area.width.saturating_sub(least_name + 2) / NUMBER).min(titles.len());
        let numbers = u16::try_from(fitting).unwrap_or(0) * NUMBER;
        let widest = rows.iter().map(|(one, _)| text::width(&one.name)).max().unwrap_or(0).max(4);
        let name = widest.min(area.width.saturating_sub(numbers + 3)).max(1);
        let first = area.x + 2 + name;
        let number = |at: usize, y: u16, words: &str, role: Role, buf: &mut Buffer| {
            let x = first + u16::try_from(at).unwrap_or(0) * NUMBER + 1;
            text::right(buf, x, y, NUMBER - 1, words, cx.style(role));
        };
        for (at, title) in titles.iter().take(fitting).enumerate() {
            let role = if chart_view.cursor.is_some() { Role::Accent } else { Role::Muted };
            number(at, area.y, &text::fit(title, NUMBER - 1, cx.charset), role, buf);
        }
        let room = usize::from(area.height.saturating_sub(1));
        let scroll = usize::from(self.scroll).min(rows.len().saturating_sub(room));
        for (y, (one, values)) in (area.y + 1..area.bottom()).zip(rows.iter().skip(scroll)) {
            text::put(buf, area.x, y, 1, self.sign(one), cx.style(one.role));
            text::put(
                buf,
                area.x + 2,
                y,
                name,
                &text::fit(&one.name, name, cx.charset),
                cx.style(Role::Text),
            );
            for (at, (_, value)) in values.iter().take(fitting).enumerate() {
                number(at, y, value, Role::Text, buf);
            }
        }
        self.more(rows.len().saturating_sub(scroll + room), area, buf);
    }

    pub(super) fn heat(&self, heat: &HeatPicture, area: Rect, buf: &mut Buffer) {
        let buckets: Vec<HeatBucket<'_>> =
            heat.buckets.iter().map(|values| HeatBucket { le: f64::NAN, values }).collect();
        let whole = (heat.highest > 0.0).then_some(heat.highest);
        let chart_view = self.view(heat.span);
        Heat { span: heat.span, buckets: &buckets, labels: &heat.labels, whole, view: chart_view }
            .render(self.cx, area, buf);
    }

    pub(super) fn states(&self, states: &StatesPicture, area: Rect, buf: &mut Buffer) {
        let widget = StateRows {
            span: states.span,
            states: &states.states,
            rows: &states.rows,
            is_separate: states.is_separate,
            view: self.view(states.span),
        };
        let hidden = widget.render(self.cx, usize::from(self.scroll), area, buf);
        if hidden > 0 && area.height >= 4 {
            // below the names, beside the time axis
            let style = self.cx.style(Role::Muted);
            text::put(buf, area.x, area.bottom() - 1, area.width / 3, &format!("+{hidden} more"), style);
        }
    }
}

/// The lines that names with their values take one after the other.
fn list_rows(shown: &[&ChartSeries], width: u16) -> u16 {
    let cells = |one: &&ChartSeries| {
        let value = one.reduced.first().map_or(0, |(_, text)| text::width(text));
        u32::from(text::width(&one.name).min(40) + value + 6)
    };
    let all: u32 = shown.iter().map(cells).sum();
    u16::try_from(all.div_ceil(u32::from(width.max(1)))).unwrap_or(u16::MAX).max(1)
}

/// Sorts the rows as the dashboard says.
fn sort(chart: &ChartPicture, rows: &mut [(&ChartSeries, Vec<(String, String)>)]) {
    let Some((reducer, direction)) = &chart.legend.sort else { return };
    let numbers = |one: &ChartSeries| {
        one.values.iter().map(|value| Some(*value).filter(|v| !v.is_nan())).collect::<Vec<_>>()
    };
    let value = |one: &ChartSeries| {
        crate::model::dashboard::reduce::reduce_numbers(&numbers(one), *reducer).unwrap_or(f64::NEG_INFINITY)
    };
    rows.sort_by(|(a, _), (b, _)| {
        let ordering = value(a).total_cmp(&value(b));
        match direction {
            crate::model::dashboard::panel::SortDirection::Ascending => ordering,
            crate::model::dashboard::panel::SortDirection::Descending => ordering.reverse(),
        }
    });
}

/// Round bounds of the series of one axis.
fn bounds(chart: &ChartPicture, is_right: bool) -> (f64, f64) {
    if let Some(limits) = chart.limits.filter(|_| !is_right) {
        return limits;
    }
    let of_axis = chart.series.iter().filter(|one| one.is_right == is_right);
    let finite = of_axis.flat_map(|one| one.heights.iter().copied()).filter(|value| value.is_finite());
    let (low, high) =
        finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    if low > high {
        return (0.0, 1.0);
    }
    let low = if low >= 0.0 && (chart.is_zero_based || low < 0.6 * high) { 0.0 } else { low };
    let high = if high > low { high } else { low + 1.0 };
    let size = crate::app::subjects::dashboard::picture::round_step((high - low) / 4.0);
    ((low / size).floor() * size, (high / size).ceil() * size)
}
