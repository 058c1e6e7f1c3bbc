//! The series of a chart as they are drawn: cut to the part of time that is shown, and stacked if the user wants that.

use std::borrow::Cow;

use super::{Chart, ChartLine, Stacking};
use crate::app::widgets::unit::ValueUnit;
use crate::model::series::TimeGrid;

pub(super) struct ShownSeries<'a> {
    pub(super) span: TimeGrid,
    pub(super) lines: Vec<ShownLine<'a>>,
    pub(super) unit: ValueUnit,
    pub(super) is_stacked: bool,
    /// Why the series are not stacked although the user wants that.
    pub(super) refusal: Option<&'static str>,
}

pub(super) struct ShownLine<'a> {
    pub(super) line: ChartLine<'a>,
    /// What the legend shows.
    pub(super) values: Cow<'a, [f64]>,
    /// Where the line is drawn: the values, on top of those of the series below if they are stacked.
    pub(super) heights: Cow<'a, [f64]>,
}

impl<'a> ShownSeries<'a> {
    pub(super) fn of(chart: &Chart<'a>) -> Self {
        let (span, points) = match chart.view.part {
            Some((from, to)) => chart.span.part(from, to),
            None => (chart.span, 0..chart.span.count()),
        };
        let is_whole = points.len() == chart.span.count();
        let cut = |line: &ChartLine<'a>| {
            if is_whole { line.values } else { line.values.get(points.clone()).unwrap_or_default() }
        };
        let mut shown = Self {
            span,
            lines: Vec::with_capacity(chart.lines.len()),
            unit: chart.unit,
            is_stacked: false,
            refusal: None,
        };
        if chart.view.stacking != Stacking::Off && chart.lines.len() > 1 {
            let parts: Vec<&[f64]> = chart.lines.iter().map(cut).collect();
            if !chart.adds_up {
                shown.refusal = Some("not stacked: no parts of a sum");
            } else if parts.iter().copied().flatten().any(|value| *value < 0.0) {
                shown.refusal = Some("not stacked: negative values");
            } else {
                shown.stack(chart.lines, &parts, chart.view.stacking == Stacking::Shares);
                return shown;
            }
        }
        shown.lines.extend(chart.lines.iter().map(|line| {
            let values = Cow::Borrowed(cut(line));
            ShownLine { line: *line, heights: values.clone(), values }
        }));
        shown
    }

    /// Puts each series on top of those before it. A point where one of them has a value counts as zero for those without.
    fn stack(&mut self, lines: &[ChartLine<'a>], parts: &[&'a [f64]], in_shares: bool) {
        let count = parts.iter().map(|values| values.len()).max().unwrap_or(0);
        let at = |values: &[f64], i: usize| values.get(i).copied().filter(|value| value.is_finite());
        let sums = (0..count).map(|i| parts.iter().filter_map(|values| at(values, i)).reduce(|a, b| a + b));
        // a sum beyond the largest number, and shares of nothing, cannot be drawn
        let sums: Vec<Option<f64>> =
            sums.map(|sum| sum.filter(|sum| sum.is_finite() && (*sum > 0.0 || !in_shares))).collect();
        let mut below = vec![0.0; count];
        for (line, values) in lines.iter().zip(parts) {
            let mut heights = Vec::with_capacity(count);
            for (i, (below, sum)) in below.iter_mut().zip(&sums).enumerate() {
                let Some(sum) = sum else {
                    heights.push(f64::NAN);
                    continue;
                };
                *below += at(values, i).unwrap_or(0.0);
                heights.push(if in_shares { *below / sum } else { *below });
            }
            let share = |(i, sum): (usize, &Option<f64>)| {
                at(values, i).zip(*sum).map_or(f64::NAN, |(v, sum)| v / sum)
            };
            let values = if in_shares {
                Cow::Owned(sums.iter().enumerate().map(share).collect())
            } else {
                Cow::Borrowed(*values)
            };
            self.lines.push(ShownLine { line: *line, values, heights: Cow::Owned(heights) });
        }
        self.is_stacked = true;
        if in_shares {
            self.unit = ValueUnit::Ratio;
        }
    }

    /// Whether the series are shown as shares of their sum.
    pub(super) fn are_shares(&self, chart: &Chart<'_>) -> bool {
        self.is_stacked && chart.view.stacking == Stacking::Shares
    }

    pub(super) fn finite(&self) -> impl Iterator<Item = f64> {
        self.lines.iter().flat_map(|line| line.heights.iter()).copied().filter(|value| value.is_finite())
    }
}
