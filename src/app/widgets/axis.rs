//! The axes of charts: round values at the left, round times in the displayed time zone below.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::text;
use super::unit::{DisplayUnit, ValueUnit, digits};
use crate::app::display_settings::{Charset, Cx};
use crate::app::theme::Role;
use crate::model::series::TimeGrid;

/// Cells of the value labels: equal for all charts, so that charts below each other share one time axis.
const LABELS: u16 = 7;

/// Larger values are clamped, so that differences and products cannot overflow.
const HUGE: f64 = 1e300;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ChartFrame {
    /// The row above the plot, for the legend; None if there is no room.
    pub(super) legend: Option<Rect>,
    /// The value labels, without the axis line; width 0 if there is no room.
    pub(super) labels: Rect,
    pub(super) plot: Rect,
    /// The line of the time axis; the time labels are in the row below.
    pub(super) line: Rect,
}

impl ChartFrame {
    /// Divides `area`, which must have at least four rows.
    pub(super) fn new(area: Rect) -> Self {
        let head = u16::from(area.height >= 6);
        let side = if area.width >= 24 { LABELS } else { 0 };
        let edge = if side > 0 { side + 1 } else { 0 };
        let plot = Rect {
            x: area.x + edge,
            y: area.y + head,
            width: area.width - edge,
            height: area.height.saturating_sub(head + 2),
        };
        Self {
            legend: (head > 0).then_some(Rect { height: 1, ..area }),
            labels: Rect { x: area.x, width: side, ..plot },
            plot,
            line: Rect { y: plot.bottom(), height: 1, ..plot },
        }
    }

    /// Draws the axes: value labels at these rows of the plot, time labels of `span`.
    pub(super) fn draw(&self, cx: &Cx<'_>, span: TimeGrid, labels: &[(u16, String)], buf: &mut Buffer) {
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
        for tick in times(span, cx.zone, plot.width) {
            text::put(buf, plot.x + tick.column, self.line.y, 1, cx.charset.pick("┬", "+"), style);
            let (x, width) = (plot.x + tick.label_at, plot.width - tick.label_at);
            text::put(buf, x, self.line.y + 1, width, &tick.label, cx.style(Role::Muted));
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct ValueScale {
    /// The value at the bottom of the plot.
    pub(super) low: f64,
    /// The value at the top; greater than `low`.
    pub(super) high: f64,
    /// Round values with their labels. Each label fits beside the axis, and no two are equal.
    pub(super) ticks: Vec<(f64, String)>,
    words: AxisLabels,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct AxisLabels {
    unit: ValueUnit,
    charset: Charset,
    /// The unit of all labels; None: values are written with exponents.
    measure: Option<DisplayUnit>,
    /// For large values close together: labels show the difference to this value.
    base: Option<f64>,
}

impl ValueScale {
    /// Round bounds and ticks around `low..=high` for a plot of `rows` rows; `fixed` bounds are not rounded.
    pub(super) fn new(
        low: f64,
        high: f64,
        fixed: bool,
        unit: ValueUnit,
        rows: u16,
        charset: Charset,
    ) -> Self {
        let (low, high) = (low.clamp(-HUGE, HUGE), high.clamp(-HUGE, HUGE));
        let (low, high) = if high - low > high.abs().max(low.abs()) * 1e-9 && high - low > 1e-290 {
            (low, high)
        } else {
            around(low, unit)
        };
        let crosses = u16::from(low < 0.0 && high > 0.0);
        let (least, most) = (1 + crosses, (rows / 2).clamp(1 + crosses, 4));
        // if labels do not fit: fewer and rounder ticks, then differences, then only the labels that fit
        let steps = || (least..=most).rev();
        let words = AxisLabels { unit, charset, measure: None, base: None };
        let whole = |intervals| Self::in_steps((low, high), fixed, words, intervals);
        let above = |intervals| Self::above_lowest((low, high), fixed, words, intervals);
        let found = steps().map(whole).chain(steps().map(above)).find(Self::is_legible);
        found.unwrap_or_else(|| {
            let mut scale = whole(least);
            scale.ticks.retain(|(_, label)| text::width(label) <= LABELS);
            scale.ticks.dedup_by(|a, b| a.1 == b.1);
            scale
        })
    }

    fn in_steps((low, high): (f64, f64), fixed: bool, words: AxisLabels, intervals: u16) -> Self {
        let by = |measure: Option<DisplayUnit>| measure.map_or(1.0, |measure| measure.by);
        let measure_of = |highest| words.unit.measure(highest, words.charset);
        let mut measure = measure_of(low.abs().max(high.abs()));
        let (mut from, mut to, mut step) = round(low * by(measure), high * by(measure), intervals);
        let highest = (from / by(measure)).abs().max((to / by(measure)).abs());
        let rounded = measure_of(highest);
        if rounded != measure {
            // rounding up has reached the next unit: 1s, not 1000ms
            measure = rounded;
            (from, to, step) = round(low * by(measure), high * by(measure), intervals);
        }
        let by = by(measure);
        let (low, high) = if fixed { (low, high) } else { (from / by, to / by) };
        let words = AxisLabels { measure, ..words };
        let all = (0..=intervals).map(|i| from + f64::from(i) * step);
        let ticks = all.map(|scaled| (scaled / by, words.tick(scaled, step)));
        Self { low, high, ticks: inside(low, high, ticks), words }
    }

    /// Ticks at round differences from the lowest value, for large values close together.
    fn above_lowest((low, high): (f64, f64), fixed: bool, words: AxisLabels, intervals: u16) -> Self {
        let measure = words.unit.measure(high - low, words.charset);
        let by = measure.map_or(1.0, |measure| measure.by);
        let (_, to, step) = round(0.0, (high - low) * by, intervals);
        let high = if fixed { high } else { low + to / by };
        let words = AxisLabels { measure, base: Some(low), ..words };
        let all = (0..=intervals).map(|i| f64::from(i) * step / by);
        let ticks = all.map(|more| (low + more, if more > 0.0 { words.more(more) } else { words.few(low) }));
        Self { low, high, ticks: inside(low, high, ticks), words }
    }

    /// Whether there are at least two labels, all fit, and no two neighbours are equal.
    fn is_legible(&self) -> bool {
        let labels = || self.ticks.iter().map(|(_, label)| label);
        let differ = labels().zip(labels().skip(1)).all(|(a, b)| a != b);
        self.ticks.len() > 1 && differ && labels().all(|label| (1..=LABELS).contains(&text::width(label)))
    }

    /// The label of any value, with at most three digits; empty if it does not fit.
    pub(super) fn label(&self, value: f64) -> String {
        let words = self.words;
        if let Some(base) = words.base {
            return words.more(value - base);
        }
        let is_near = |scaled: f64| scaled == 0.0 || (1e-3..1e4).contains(&scaled.abs());
        let scaled = words.measure.map(|measure| (measure, value * measure.by));
        let scaled = scaled.filter(|(_, scaled)| is_near(*scaled));
        let scaled = scaled.map(|(measure, scaled)| measure.text(&digits(scaled)));
        scaled.filter(|label| text::width(label) <= LABELS).unwrap_or_else(|| words.few(value))
    }

    /// The position of a value, from 0 at the bottom to 1 at the top; values outside are clamped.
    pub(super) fn share(&self, value: f64) -> f64 {
        ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }

    /// The row of a value in a plot of `rows` rows, counted from the top.
    pub(super) fn row(&self, value: f64, rows: u16) -> u16 {
        let last = rows.saturating_sub(1);
        cell(1.0 - self.share(value), last)
    }

    pub(super) fn holds(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }
}

impl AxisLabels {
    /// The label of a tick in the axis' unit, with as many decimals as the step needs.
    fn tick(self, scaled: f64, step: f64) -> String {
        let is_zero = scaled.abs() < step * 1e-6;
        match self.measure {
            None if is_zero => "0".to_owned(),
            None => format!("{scaled:.1e}"),
            Some(measure) if is_zero => measure.text("0"),
            Some(measure) => {
                let decimals = (0..12_u8).find(|d| is_whole(step * 10_f64.powi(i32::from(*d)))).unwrap_or(12);
                measure.text(&format!("{scaled:.decimals$}", decimals = usize::from(decimals)))
            }
        }
    }

    /// A value with as many digits as fit.
    fn few(self, value: f64) -> String {
        fitting([self.unit.short(value, self.charset), format!("{value:.1e}"), format!("{value:.0e}")])
    }

    /// A difference: `+0.25s`.
    fn more(self, more: f64) -> String {
        let sign = if more < 0.0 { "" } else { "+" };
        fitting([
            format!("{sign}{}", self.unit.short(more, self.charset)),
            format!("{sign}{more:.1e}"),
            format!("{sign}{more:.0e}"),
        ])
    }
}

/// The first label that fits beside the axis; empty if none does.
fn fitting(labels: impl IntoIterator<Item = String>) -> String {
    labels.into_iter().find(|label| text::width(label) <= LABELS).unwrap_or_default()
}

fn inside(low: f64, high: f64, ticks: impl Iterator<Item = (f64, String)>) -> Vec<(f64, String)> {
    let tolerance = (high - low) * 1e-6;
    ticks.filter(|(value, _)| *value >= low - tolerance && *value <= high + tolerance).collect()
}

/// Bounds around a constant line.
fn around(value: f64, unit: ValueUnit) -> (f64, f64) {
    if value.abs() < 1e-290 {
        return (0.0, if unit == ValueUnit::Ratio { 0.01 } else { 1.0 });
    }
    if value > 0.0 { (0.0, value) } else { (value, 0.0) }
}

fn cell(share: f64, last: u16) -> u16 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and `last`")]
    let cell = (share.clamp(0.0, 1.0) * f64::from(last)).round() as u16;
    cell
}

fn is_whole(value: f64) -> bool {
    value.round() >= 1.0 && (value - value.round()).abs() < 1e-6
}

/// Round bounds that enclose `low..=high` in at most `intervals` round steps; returns low, high, step.
fn round(low: f64, high: f64, intervals: u16) -> (f64, f64, f64) {
    let raw = (high - low) / f64::from(intervals);
    let mut base = 10_f64.powf(raw.log10().floor());
    for _ in 0..3 {
        for factor in [1.0, 2.0, 2.5, 5.0] {
            let step = base * factor;
            let (from, to) = ((low / step + 1e-9).floor() * step, (high / step - 1e-9).ceil() * step);
            if (to - from) / step < f64::from(intervals) + 0.5 {
                return (from, to, step);
            }
        }
        base *= 10.0;
    }
    (low, high, raw)
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TimeTick {
    pub(super) column: u16,
    pub(super) label_at: u16,
    /// The label: `02:15`, `02:15:30` or `Mar 14`.
    pub(super) label: String,
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

    fn ticks(low: f64, high: f64, unit: ValueUnit, rows: u16) -> Vec<String> {
        ValueScale::new(low, high, false, unit, rows, Charset::Unicode)
            .ticks
            .into_iter()
            .map(|(_, label)| label)
            .collect()
    }

    #[test]
    fn values_are_round_in_their_unit() {
        assert_eq!(ticks(0.0, 0.137, ValueUnit::Ratio, 8), ["0%", "5%", "10%", "15%"]);
        assert_eq!(ticks(0.0, 0.97, ValueUnit::Ratio, 4), ["0%", "50%", "100%"]);
        assert_eq!(ticks(0.0, 0.000_4, ValueUnit::Ratio, 8), ["0%", "0.01%", "0.02%", "0.03%", "0.04%"]);
        assert_eq!(ticks(0.0, 1234.0, ValueUnit::PerSecond, 8), ["0k/s", "0.5k/s", "1.0k/s", "1.5k/s"]);
        assert_eq!(ticks(0.0, 0.43, ValueUnit::Seconds, 4), ["0ms", "250ms", "500ms"]);
        assert_eq!(ticks(0.0, 260.0, ValueUnit::Seconds, 8), ["0m", "2m", "4m", "6m"]);
        assert_eq!(ticks(0.0, 0.94, ValueUnit::Seconds, 4), ["0s", "0.5s", "1.0s"]);
        assert_eq!(ticks(-3.0, 7.0, ValueUnit::Plain, 8), ["-5", "0", "5", "10"]);
        assert_eq!(ticks(0.0, 0.0, ValueUnit::Ratio, 4), ["0%", "0.5%", "1.0%"]);
        assert_eq!(ticks(0.0, 1e308, ValueUnit::Plain, 4), ["0", "5.0e299", "1.0e300"]);
    }

    #[test]
    fn values_of_any_size_are_written_in_words_of_their_own() {
        assert_eq!(ticks(0.0, 5e-9, ValueUnit::Plain, 8), ["0n", "2n", "4n", "6n"]);
        assert_eq!(ticks(0.0, 3e17, ValueUnit::Plain, 4), ["0P", "200P", "400P"]);
        assert_eq!(ticks(0.0, 4e-6, ValueUnit::Ratio, 4), ["0ppm", "2ppm", "4ppm"]);
        assert_eq!(ticks(0.0, 4e-8, ValueUnit::Seconds, 4), ["0ns", "20ns", "40ns"]);
        assert_eq!(ticks(-12_500.0, -2000.0, ValueUnit::PerSecond, 8), ["-15k/s", "-10k/s", "-5k/s", "0k/s"]);
        // close together, and far from zero
        assert_eq!(ticks(1.7e9, 1.7e9 + 4.0, ValueUnit::Plain, 4), ["1.7G", "+2", "+4"]);
        let scale = ValueScale::new(0.0, 6e9, false, ValueUnit::Plain, 8, Charset::Unicode);
        assert_eq!((scale.label(5.0).as_str(), scale.label(2.5e9).as_str()), ("5", "2.5G"));
        let scale = ValueScale::new(0.0, 10.0, false, ValueUnit::PerSecond, 8, Charset::Unicode);
        assert_eq!(scale.label(0.001_23), "1.2e-3");
    }

    #[test]
    fn fixed_bounds_stay() {
        let scale = ValueScale::new(0.0, 0.9, true, ValueUnit::Ratio, 8, Charset::Unicode);
        assert_eq!((scale.low, scale.high), (0.0, 0.9));
        assert_eq!((scale.row(5.0, 10), scale.row(-5.0, 10)), (0, 9));
    }

    proptest! {
        #[test]
        fn any_bounds_give_a_scale_that_holds_them(a in any::<f64>(), b in any::<f64>(), rows in 0..40_u16) {
            prop_assume!(!a.is_nan() && !b.is_nan());
            for unit in [ValueUnit::Ratio, ValueUnit::PerSecond, ValueUnit::Seconds, ValueUnit::Times, ValueUnit::Plain] {
                let (low, high) = (a.min(b), a.max(b));
                let scale = ValueScale::new(low, high, false, unit, rows, Charset::Ascii);
                prop_assert!(scale.low < scale.high && scale.low.is_finite() && scale.high.is_finite());
                prop_assert!(scale.ticks.len() <= 5);
                for value in [low, high, 0.0] {
                    prop_assert!((0.0..=1.0).contains(&scale.share(value)));
                }
            }
        }

        #[test]
        fn labels_of_values_have_room_and_differ(
            base in -1.0..1.0_f64, power in -12..19_i32, span in -9..2_i32, share in 0.1..1.0_f64, rows in 2..40_u16,
            fixed in any::<bool>(),
        ) {
            let low = base * 10_f64.powi(power);
            let high = low + 10_f64.powi(power + span) * share;
            for unit in [ValueUnit::Ratio, ValueUnit::PerSecond, ValueUnit::Seconds, ValueUnit::Times, ValueUnit::Plain] {
                let scale = ValueScale::new(low, high, fixed, unit, rows, Charset::Unicode);
                let labels: Vec<_> = scale.ticks.iter().map(|(_, label)| label.as_str()).collect();
                prop_assert!(fixed || labels.len() > 1, "{low}..{high} {unit:?}: {labels:?}");
                for label in &labels {
                    prop_assert!((1..=LABELS).contains(&text::width(label)), "{low}..{high} {unit:?}: {labels:?}");
                    prop_assert!(!(label.contains("e-") && label.ends_with(char::is_alphabetic)), "{labels:?}");
                }
                let mut different = labels.clone();
                different.sort_unstable();
                different.dedup();
                prop_assert_eq!(different.len(), labels.len(), "{}..{} {:?}: {:?}", low, high, unit, &labels);
                for value in [low, high, f64::midpoint(low, high), scale.low, scale.high] {
                    let label = scale.label(value);
                    prop_assert!((1..=LABELS).contains(&text::width(&label)), "{value} {unit:?}: {label:?}");
                }
            }
        }

        #[test]
        fn labels_never_touch(range in 1..100_000_000_u64, columns in 0..200_u16) {
            let zone = TimeZone::get("America/St_Johns").unwrap();
            for pair in times(span(range), &zone, columns).windows(2) {
                prop_assert!(pair[0].label_at + text::width(&pair[0].label) < pair[1].label_at);
            }
        }
    }
}
