//! Rows of bars: bar charts, bar gauges, shares of a sum, histograms.

use super::fields::{self, ShownField};
use super::{BarRow, NamedValue, PaintedValue, PanelInput, PanelPicture, chart as series, painted};
use crate::model::dashboard::display::decimals::fixed;
use crate::model::frame::FieldValues;

/// Rows at most.
const MOST: usize = 1000;
/// Buckets of a histogram at most, and how many are aimed at.
const BUCKETS: (usize, f64) = (200, 20.0);

/// The length of a bar that shows a value among others: from zero to the highest.
fn length(value: Option<f64>, highest: f64) -> Option<f64> {
    let value = value.filter(|value| value.is_finite())?;
    Some(if highest > 0.0 { (value / highest).clamp(0.0, 1.0) } else { 0.0 })
}

fn highest(values: impl Iterator<Item = Option<f64>>) -> f64 {
    values.flatten().filter(|value| value.is_finite()).fold(0.0, f64::max)
}

/// Bars of each number column, over the first text column, else over the first column.
pub(super) fn chart(input: &PanelInput<'_>) -> Option<PanelPicture> {
    let all = fields::fields(input);
    let frame = all.iter().find(|field| field.is_number()).map(|field| field.frame)?;
    let of_frame: Vec<&ShownField<'_>> = all.iter().filter(|field| field.frame == frame).collect();
    let is_text = |field: &&&ShownField<'_>| matches!(field.field.values, FieldValues::Texts(_));
    let names = of_frame.iter().find(is_text).or_else(|| of_frame.iter().find(|field| field.is_time()));
    let numbers: Vec<&&ShownField<'_>> =
        of_frame.iter().filter(|field| field.is_number() && field.is_in_picture()).collect();
    let cells = numbers.iter().flat_map(|field| field.field.values.cells().map(|cell| cell.number()));
    let highest = highest(cells);
    let rows = input.frames.get(frame)?.rows();
    let mut bars = Vec::new();
    for row in 0..rows.min(MOST) {
        let group = names.map_or_else(
            || (row + 1).to_string(),
            |names| names.display.cell(&names.field.values.cell(row)).whole(),
        );
        for (place, field) in numbers.iter().enumerate() {
            let cell = field.field.values.cell(row);
            let mut value = painted(&field.display, &cell, series::role(field, place));
            if value.number.is_none() && value.text.is_empty() {
                "-".clone_into(&mut value.text);
            }
            let name = if numbers.len() > 1 { field.name.clone() } else { String::new() };
            let length = length(value.number, highest);
            let group = if place == 0 { group.clone() } else { String::new() };
            let value = NamedValue { name, value, history: Vec::new(), bounds: None };
            bars.push(BarRow { group, value, length, note: None });
        }
    }
    (!bars.is_empty()).then_some(PanelPicture::Bars(bars))
}

/// A bar for each value, from the least to the greatest value of its field.
pub(super) fn gauge(values: Vec<NamedValue>) -> Option<PanelPicture> {
    let row = |value: NamedValue| BarRow {
        group: String::new(),
        length: value.value.share.map(|share| share.clamp(0.0, 1.0)),
        note: None,
        value,
    };
    (!values.is_empty()).then(|| PanelPicture::Bars(values.into_iter().map(row).collect()))
}

/// The values as shares of their sum, the largest first.
pub(super) fn shares(mut values: Vec<NamedValue>) -> Option<PanelPicture> {
    let number = |value: &NamedValue| value.value.number.filter(|number| number.is_finite() && *number > 0.0);
    let sum: f64 = values.iter().filter_map(number).sum();
    values.sort_by(|a, b| number(b).unwrap_or(-1.0).total_cmp(&number(a).unwrap_or(-1.0)));
    let row = |value: NamedValue| {
        let share = value.value.number.filter(|_| sum > 0.0).map(|number| (number / sum).max(0.0));
        let note = share.map(|share| format!("{}%", fixed(share * 100.0, Some(1))));
        BarRow { group: String::new(), length: share.map(|share| share.min(1.0)), note, value }
    };
    (!values.is_empty()).then(|| PanelPicture::Bars(values.into_iter().map(row).collect()))
}

/// How many values are in each bucket.
pub(super) fn histogram(input: &PanelInput<'_>, size: Option<f64>) -> Option<PanelPicture> {
    let all = fields::fields(input);
    let numbers: Vec<&ShownField<'_>> =
        all.iter().filter(|field| field.is_number() && field.is_in_picture()).collect();
    let first = numbers.first()?;
    let values: Vec<f64> = numbers
        .iter()
        .flat_map(|field| fields::numbers(&field.field.values))
        .filter(|value| value.is_finite())
        .collect();
    let low = values.iter().copied().reduce(f64::min)?;
    let high = values.iter().copied().reduce(f64::max)?;
    let size = size.filter(|size| *size > 0.0 && (high - low) / size <= BUCKETS.0 as f64);
    let size = size.unwrap_or_else(|| round_size((high - low) / BUCKETS.1));
    let start = (low / size).floor();
    let mut counts: Vec<usize> = vec![0; bucket(high, size, start).min(BUCKETS.0) + 1];
    for value in &values {
        if let Some(count) = counts.get_mut(bucket(*value, size, start)) {
            *count += 1;
        }
    }
    let most = counts.iter().copied().max().unwrap_or(0) as f64;
    let row = |(index, count): (usize, &usize)| {
        let from = (start + index as f64) * size;
        let text = |value: f64| first.display.number(value).whole();
        let value = PaintedValue {
            text: count.to_string(),
            number: Some(*count as f64),
            share: None,
            role: series::role(first, 0),
        };
        let name = format!("{} - {}", text(from), text(from + size));
        BarRow {
            group: String::new(),
            value: NamedValue { name, value, history: Vec::new(), bounds: None },
            length: length(Some(*count as f64), most),
            note: None,
        }
    };
    Some(PanelPicture::Bars(counts.iter().enumerate().map(row).collect()))
}

/// The index of the bucket of a value.
fn bucket(value: f64, size: f64, start: f64) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative, and bounded by the caller"
    )]
    let index = ((value / size).floor() - start).max(0.0) as usize;
    index
}

/// A size of 1, 2 or 5 times a power of ten, at least the wanted one.
pub(super) fn round_size(wanted: f64) -> f64 {
    if !wanted.is_finite() || wanted <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(wanted.log10().floor());
    [1.0, 2.0, 5.0, 10.0].map(|step| step * power).into_iter().find(|size| *size >= wanted).unwrap_or(wanted)
}
