//! The value axis of charts: round bounds and labels in the unit of the values, linear or logarithmic.

use super::axis::{LABELS, cell};
use super::text;
use super::unit::{DisplayUnit, ValueUnit, digits};
use crate::app::display_settings::Charset;

/// Larger values are clamped, so that differences and products cannot overflow.
const HUGE: f64 = 1e300;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct ValueScale {
    /// The value at the bottom of the plot.
    pub(super) low: f64,
    /// The value at the top; greater than `low`.
    pub(super) high: f64,
    /// Round values with their labels. Each label fits beside the axis, and no two are equal.
    pub(super) ticks: Vec<(f64, String)>,
    words: AxisLabels,
    /// The logarithm of `low`, and of `high / low`; None: a linear scale.
    logarithm: Option<(f64, f64)>,
}

/// The steps of a logarithmic scale within a power of ten.
const LOG_STEPS: [f64; 3] = [1.0, 2.0, 5.0];
/// Powers of ten on a logarithmic scale; beyond are values that a computer cannot tell from 0 or from infinity.
const POWERS: (i32, i32) = (-300, 300);

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
        Self { low, high, ticks: inside(low, high, ticks), words, logarithm: None }
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
        Self { low, high, ticks: inside(low, high, ticks), words, logarithm: None }
    }

    /// A logarithmic scale around `low..=high`, both above 0: bounds of 1, 2 or 5 times a power of ten; labels at powers of ten,
    /// and between them where there is room.
    pub(super) fn logarithmic(low: f64, high: f64, unit: ValueUnit, rows: u16, charset: Charset) -> Self {
        let power = |value: f64| {
            #[expect(clippy::cast_possible_truncation, reason = "between the two powers")]
            let power = value.log10().floor().clamp(f64::from(POWERS.0), f64::from(POWERS.1)) as i32;
            power
        };
        let (first, last) = (power(low), power(high));
        let step = |power: i32, step: f64| step * 10_f64.powi(power);
        let of = |power: i32| LOG_STEPS.map(|factor| step(power, factor));
        let tolerance = 1.0 + 1e-9;
        let low = of(first).into_iter().rfind(|step| *step <= low * tolerance).unwrap_or(step(first, 1.0));
        let above = of(last).into_iter().chain([step(last + 1, 1.0)]);
        let high = above.into_iter().find(|step| *step * tolerance >= high).unwrap_or(step(last + 1, 1.0));
        let high = if high > low { high } else { low * 10.0 };
        let words = AxisLabels { unit, charset, measure: None, base: None };
        let most = usize::from((rows / 2).clamp(2, 6));
        let fine = (first..=last + 1).flat_map(of);
        let mut ticks: Vec<(f64, String)> = Vec::new();
        if last - first < 3 {
            ticks = inside(low, high, fine.map(|value| (value, words.few(value))));
        }
        if ticks.is_empty() || ticks.len() > most {
            let every = usize::try_from(last + 2 - first).unwrap_or(1).div_ceil(most).max(1);
            let powers = (first..=last + 1).step_by(every).map(|power| step(power, 1.0));
            ticks = inside(low, high, powers.map(|value| (value, words.few(value))));
        }
        ticks.dedup_by(|a, b| a.1 == b.1);
        let logarithm = Some((low.ln(), high.ln() - low.ln()));
        Self { low, high, ticks, words, logarithm }
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

    /// The position of a value, from 0 at the bottom to 1 at the top; values outside are clamped. On a logarithmic scale, zero
    /// and negative values are at the bottom.
    pub(super) fn share(&self, value: f64) -> f64 {
        let share = match self.logarithm {
            None => (value - self.low) / (self.high - self.low),
            Some(_) if value <= 0.0 => 0.0,
            Some((low, span)) => (value.ln() - low) / span,
        };
        share.clamp(0.0, 1.0)
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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

    #[test]
    fn logarithmic_scales_have_powers_of_ten_and_what_fits_between_them() {
        let ticks = |low, high, unit, rows| {
            let scale = ValueScale::logarithmic(low, high, unit, rows, Charset::Unicode);
            scale.ticks.into_iter().map(|(_, label)| label).collect::<Vec<_>>()
        };
        assert_eq!(ticks(0.003, 2.0, ValueUnit::Seconds, 10), ["10ms", "100ms", "1s"]);
        assert_eq!(ticks(3.0, 17.0, ValueUnit::Plain, 10), ["2", "5", "10", "20"]);
        assert_eq!(ticks(1.0, 1e6, ValueUnit::PerSecond, 10), ["1/s", "100/s", "10k/s", "1M/s"]);
        let scale = ValueScale::logarithmic(1.0, 1000.0, ValueUnit::Plain, 10, Charset::Unicode);
        assert_eq!(
            [0.0, -5.0, 1.0, 10.0, 1000.0].map(|v| (scale.share(v) * 3.0).round()),
            [0.0, 0.0, 0.0, 1.0, 3.0]
        );
    }

    proptest! {
        #[test]
        fn a_logarithmic_scale_holds_its_bounds_and_rises(
            a in -320.0..308.0_f64, b in -320.0..308.0_f64, more in any::<f64>(), rows in 0..40_u16,
        ) {
            let (low, high) = (10_f64.powf(a.min(b)).max(f64::MIN_POSITIVE), 10_f64.powf(a.max(b)).max(f64::MIN_POSITIVE));
            for unit in [ValueUnit::Ratio, ValueUnit::PerSecond, ValueUnit::Seconds, ValueUnit::Times, ValueUnit::Plain] {
                let scale = ValueScale::logarithmic(low, high, unit, rows, Charset::Unicode);
                prop_assert!(scale.low < scale.high && scale.high.is_finite(), "{low}..{high}: {scale:?}");
                prop_assert!(scale.ticks.len() <= 7 && scale.ticks.iter().all(|(_, label)| text::width(label) <= LABELS));
                prop_assert!(scale.share(low) <= scale.share(high));
                prop_assert!(more.is_nan() || (0.0..=1.0).contains(&scale.share(more)));
                prop_assert!(more.is_nan() || more >= low || scale.share(more) <= scale.share(low));
            }
        }

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
    }
}
