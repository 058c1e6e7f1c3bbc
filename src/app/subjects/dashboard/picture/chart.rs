//! Series over time: values on one grid, stacked or negative as the dashboard says, with the values of the legend.

use std::collections::BTreeMap;

use super::axis_unit::axis_unit;
use super::fields::{self, ShownField};
use super::{ChartPicture, ChartSeries, PanelInput, PanelPicture, colours};
use crate::app::theme::Role;
use crate::app::widgets::chart::{LineStyle, Stacking};
use crate::app::widgets::unit::ValueUnit;
use crate::model::dashboard::display::FieldDisplay;
use crate::model::dashboard::field::{
    DrawStyle, FieldColour, FieldOptions, Reducer, SeriesStacking, ThresholdStyle,
};
use crate::model::dashboard::panel::LegendOptions;
use crate::model::dashboard::reduce::reduce;
use crate::model::frame::{FieldValues, FrameCell};
use crate::model::labels::Text;

/// Series that are drawn at most.
const MOST: usize = 500;

/// A chart of all numbers that have times.
pub(super) fn picture(input: &PanelInput<'_>, legend: &LegendOptions) -> Option<PanelPicture> {
    let all = fields::fields(input);
    let grids: Vec<Option<Vec<Option<usize>>>> = input
        .frames
        .iter()
        .map(|frame| fields::times(frame).map(|times| fields::rows_on_grid(times, input.window)))
        .collect();
    let shown: Vec<(&ShownField<'_>, &Vec<Option<usize>>)> = all
        .iter()
        .filter(|field| field.is_number() && field.is_in_picture())
        .filter_map(|field| Some((field, grids.get(field.frame)?.as_ref()?)))
        .take(MOST)
        .collect();
    let (first, _) = shown.first()?;
    let left = shown.iter().find(|(field, _)| field.options.draw.is_right != Some(true));
    let right = shown.iter().find(|(field, _)| field.options.draw.is_right == Some(true));
    // where all are at the right, that is the only axis
    let has_both = left.is_some() && right.is_some();
    let unit_of = |field: Option<&(&ShownField<'_>, _)>| {
        axis_unit(field.and_then(|(field, _)| field.options.unit.as_deref()))
    };
    let (unit, factor) = unit_of(left.or(right));
    let (right_unit, right_factor) = unit_of(right);
    let mut series: Vec<ChartSeries> = shown
        .iter()
        .enumerate()
        .map(|(place, (field, rows))| {
            let is_right = has_both && field.options.draw.is_right == Some(true);
            let by = if is_right { right_factor } else { factor };
            one(field, rows, (place, by), is_right, legend)
        })
        .collect();
    let stacks: Vec<Option<(&Text, bool)>> =
        shown.iter().map(|(field, _)| stack_of(&field.options)).collect();
    let stacking = stacked(&mut series, &stacks);
    let options = &first.options;
    let is_bars = series.iter().any(|one| one.style == LineStyle::Bars);
    let is_stacked = stacks.iter().any(Option::is_some);
    let scaled = |value: Option<f64>| value.map(|value| value * factor);
    let (min, max) = (scaled(options.min), scaled(options.max));
    Some(PanelPicture::Chart(Box::new(ChartPicture {
        span: input.window,
        unit,
        right_unit: if has_both { right_unit } else { ValueUnit::Plain },
        thresholds: thresholds(options, &first.display, factor),
        limits: limits(min, max, &series),
        is_zero_based: is_bars
            || is_stacked
            || min.or(scaled(options.draw.soft_min)).is_some_and(|min| min == 0.0)
            || starts_near_zero(&series),
        is_logarithmic: options.draw.log_base.is_some_and(|base| base > 1.0),
        stacking,
        legend: legend.clone(),
        series,
    })))
}

fn one(
    field: &ShownField<'_>,
    rows: &[Option<usize>],
    (place, by): (usize, f64),
    is_right: bool,
    legend: &LegendOptions,
) -> ChartSeries {
    let draw = &field.options.draw;
    let values = fields::on_grid(&field.field.values, rows);
    let sign = if draw.is_negative == Some(true) { -1.0 } else { 1.0 };
    let mut heights: Vec<f64> = values.iter().map(|value| value * by * sign).collect();
    if draw.spans_nulls == Some(true) {
        bridge(&mut heights);
    }
    let style = match draw.style {
        Some(DrawStyle::Bars) => LineStyle::Bars,
        Some(DrawStyle::Points) => LineStyle::Points,
        Some(DrawStyle::Line) | None => LineStyle::Line,
    };
    ChartSeries {
        name: field.name.clone(),
        role: role(field, place),
        heights,
        style,
        is_right,
        in_legend: !field.options.hidden_from.is_some_and(|hidden| hidden.legend),
        reduced: reduced(&field.field.values, &field.display, &legend.values),
        display: std::sync::Arc::clone(&field.display),
        values,
    }
}

/// The role of a series: of its own colour, of its last value's threshold, or of its place.
pub(super) fn role(field: &ShownField<'_>, place: usize) -> Role {
    match &field.options.colour {
        Some(FieldColour::Fixed(colour)) => colours::series_role_of(*colour),
        Some(FieldColour::Thresholds | FieldColour::Gradient(_)) => {
            let last = reduce(&field.field.values, Reducer::LastNotNull);
            field.display.cell(&last).colour.map_or(Role::of_line(place), colours::series_role_of)
        }
        Some(FieldColour::PaletteByOrder | FieldColour::PaletteByName) | None => Role::of_line(place),
    }
}

/// The values of the legend; without any, the last one.
fn reduced(values: &FieldValues, display: &FieldDisplay, reducers: &[Reducer]) -> Vec<(String, String)> {
    let last = [Reducer::LastNotNull];
    let reducers = if reducers.is_empty() { &last } else { reducers };
    let text = |reducer: &Reducer| {
        let cell = reduce(values, *reducer);
        let text = match (&cell, reducer.keeps_unit()) {
            (FrameCell::Nothing, _) => "-".to_owned(),
            (_, true) => display.cell(&cell).whole(),
            (_, false) => cell.plain(),
        };
        (reducer.title(), text)
    };
    reducers.iter().map(text).collect()
}

/// Fills gaps between two values by a straight line.
fn bridge(heights: &mut [f64]) {
    let mut last: Option<(usize, f64)> = None;
    for at in 0..heights.len() {
        let Some(value) = heights.get(at).copied().filter(|value| !value.is_nan()) else { continue };
        if let Some((from, before)) = last.filter(|(from, _)| at - from > 1) {
            for gap in from + 1..at {
                let share = (gap - from) as f64 / (at - from) as f64;
                if let Some(cell) = heights.get_mut(gap) {
                    *cell = before + (value - before) * share;
                }
            }
        }
        last = Some((at, value));
    }
}

/// The group in which a series is stacked, and whether in per cent of the sum.
fn stack_of(options: &FieldOptions) -> Option<(&Text, bool)> {
    match options.draw.stacking.as_ref()? {
        SeriesStacking::None => None,
        SeriesStacking::Normal { group } => Some((group, false)),
        SeriesStacking::Percent { group } => Some((group, true)),
    }
}

/// Stacks series. If all are in one group of positive values, the chart does that; otherwise their heights are changed here.
fn stacked(series: &mut [ChartSeries], stacks: &[Option<(&Text, bool)>]) -> Stacking {
    let Some(first) = stacks.iter().flatten().next() else { return Stacking::Off };
    let is_plain = stacks.iter().all(|stack| stack.as_ref() == Some(first))
        && series
            .iter()
            .all(|one| !one.is_right && one.heights.iter().all(|value| value.is_nan() || *value >= 0.0));
    if is_plain && series.len() > 1 {
        return if first.1 { Stacking::Shares } else { Stacking::Sums };
    }
    // a group has a stack above zero and one below
    let count = series.iter().map(|one| one.heights.len()).max().unwrap_or(0);
    let mut sums: BTreeMap<(&Text, bool), Vec<f64>> = BTreeMap::new();
    for (one, stack) in series.iter_mut().zip(stacks) {
        let Some((group, _)) = stack else { continue };
        let is_negative = one.heights.iter().any(|value| *value < 0.0);
        let sum = sums.entry((*group, is_negative)).or_insert_with(|| vec![0.0; count]);
        for (height, sum) in one.heights.iter_mut().zip(sum) {
            if !height.is_nan() {
                *sum += *height;
                *height = *sum;
            }
        }
    }
    for (one, stack) in series.iter_mut().zip(stacks) {
        let Some((group, true)) = stack else { continue };
        let is_negative = one.heights.iter().any(|value| *value < 0.0);
        let Some(sum) = sums.get(&(*group, is_negative)) else { continue };
        for (height, sum) in one.heights.iter_mut().zip(sum) {
            *height = if *sum == 0.0 { f64::NAN } else { *height / sum.abs() };
        }
    }
    Stacking::Off
}

/// The thresholds that are drawn in the chart, the highest first.
fn thresholds(options: &FieldOptions, display: &FieldDisplay, factor: f64) -> Vec<(f64, String)> {
    let is_drawn = match options.draw.threshold_style {
        Some(ThresholdStyle::Line | ThresholdStyle::Area | ThresholdStyle::LineAndArea) => true,
        Some(ThresholdStyle::Off) | None => false,
    };
    let Some(thresholds) = options.thresholds.as_ref().filter(|_| is_drawn) else { return Vec::new() };
    let (min, max) = display.range();
    let value = |from: f64| if thresholds.is_percent { min + (max - min) * from / 100.0 } else { from };
    let steps = thresholds.steps.iter().rev().filter_map(|step| step.from).map(value);
    steps.map(|value| (value * factor, display.number(value).whole())).collect()
}

/// Fixed bounds of the axis: both given, or the greatest one given and the least of the data.
fn limits(min: Option<f64>, max: Option<f64>, series: &[ChartSeries]) -> Option<(f64, f64)> {
    let heights = || series.iter().filter(|one| !one.is_right).flat_map(|one| one.heights.iter().copied());
    let low = || heights().filter(|value| value.is_finite()).reduce(f64::min);
    let bounds = (min.or_else(|| Some(low()?.min(0.0)))?, max?);
    (bounds.0 < bounds.1).then_some(bounds)
}

/// Whether the lowest value is so near to zero that an axis from zero does not flatten the lines.
fn starts_near_zero(series: &[ChartSeries]) -> bool {
    let heights =
        || series.iter().flat_map(|one| one.heights.iter().copied()).filter(|value| value.is_finite());
    let (Some(low), Some(high)) = (heights().reduce(f64::min), heights().reduce(f64::max)) else {
        return true;
    };
    low >= 0.0 && low <= 0.6 * high
}
