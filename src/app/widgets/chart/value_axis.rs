//! The value axis of a chart: which values it holds, and what has to be said about it.

use super::Chart;
use super::shown::ShownSeries;
use crate::app::display_settings::Charset;
use crate::app::widgets::scale::ValueScale;

/// Observations up to so many times the highest value of the lines belong to the value axis; higher ones would flatten the lines.
const POINTS_ABOVE: f64 = 3.0;

impl Chart<'_> {
    /// The values of the observations in the part of time that is shown, up to a value.
    fn points_within(&self, shown: &ShownSeries<'_>, most: f64) -> impl Iterator<Item = f64> {
        let (start, end) = (shown.span.start(), shown.span.end());
        let in_time = self.points.iter().filter(move |point| (start..=end).contains(&point.at));
        in_time.map(|point| point.value).filter(move |value| *value <= most)
    }

    /// The value axis, and what has to be said about it; `None` if there are no values. A distant threshold is left out, so that
    /// it does not flatten the lines.
    pub(super) fn scale(
        &self,
        shown: &ShownSeries<'_>,
        rows: u16,
        charset: Charset,
    ) -> Option<(ValueScale, Option<String>)> {
        let low = shown.finite().reduce(f64::min)?;
        let high = shown.finite().reduce(f64::max)?;
        let high = if shown.is_stacked {
            high
        } else {
            self.points_within(shown, high * POINTS_ABOVE).fold(high, f64::max)
        };
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
}
