//! One value of each series or row: for stats, gauges, bar gauges and shares.

use std::sync::Arc;

use super::fields::{self, ShownField};
use super::{NamedValue, PaintedValue, PanelInput, chart, painted};
use crate::app::theme::Role;
use crate::model::dashboard::display::mapping::compiled;
use crate::model::dashboard::panel::ReduceOptions;
use crate::model::dashboard::reduce::reduce;
use crate::model::frame::{FieldValues, FrameCell};

/// Values that are shown at most: Grafana's own limit is 5000, no terminal has room for so many.
const MOST: usize = 500;

/// The values in the order of the fields.
pub(super) fn values(input: &PanelInput<'_>, options: &ReduceOptions) -> Vec<NamedValue> {
    let all = fields::fields(input);
    let chosen: Vec<&ShownField<'_>> =
        all.iter().filter(|field| field.is_in_picture() && is_chosen(field, options)).collect();
    if options.all_values { of_rows(&all, &chosen, options) } else { of_fields(input, &chosen, options) }
}

/// Whether the options name a field: by its name, or by a regular expression between `/`; without a name, all numbers.
fn is_chosen(field: &ShownField<'_>, options: &ReduceOptions) -> bool {
    let Some(wanted) = options.fields.as_deref().filter(|wanted| !wanted.is_empty()) else {
        return field.is_number();
    };
    if wanted.len() > 1 && wanted.starts_with('/') {
        return compiled(wanted).is_some_and(|pattern| pattern.is_match(&field.name));
    }
    field.name == wanted || *field.field.name == *wanted
}

fn of_fields(input: &PanelInput<'_>, chosen: &[&ShownField<'_>], options: &ReduceOptions) -> Vec<NamedValue> {
    let value = |(place, field): (usize, &&ShownField<'_>)| {
        let cell = reduce(&field.field.values, options.reducer);
        let value = if options.reducer.keeps_unit() {
            value_of(field, &cell, place)
        } else {
            PaintedValue { text: cell.plain(), ..value_of(field, &cell, place) }
        };
        let is_series = input.frames.get(field.frame).is_some_and(fields::has_time) && field.is_number();
        let history = if is_series { fields::numbers(&field.field.values) } else { Vec::new() };
        NamedValue { name: field.name.clone(), value, history, bounds: bounds(field) }
    };
    chosen.iter().enumerate().take(MOST).map(value).collect()
}

/// A value for each row, named by the row's first text.
fn of_rows(all: &[ShownField<'_>], chosen: &[&ShownField<'_>], options: &ReduceOptions) -> Vec<NamedValue> {
    let most = options.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(MOST).min(MOST);
    let mut values = Vec::new();
    for field in chosen {
        let mut of_frame = all.iter().filter(|other| other.frame == field.frame);
        let names = of_frame.find(|other| matches!(other.field.values, FieldValues::Texts(_)));
        let several = chosen.iter().filter(|other| other.frame == field.frame).count() > 1;
        for row in 0..field.field.values.count() {
            let name = match names.map(|names| names.field.values.cell(row).plain()) {
                Some(name) if several => format!("{name} {}", field.name),
                Some(name) => name,
                None => field.name.clone(),
            };
            let value = value_of(field, &field.field.values.cell(row), values.len());
            values.push(NamedValue { name, value, history: Vec::new(), bounds: bounds(field) });
            if values.len() >= most {
                return values;
            }
        }
    }
    values
}

/// A value in the role of its colour; without one, in that of its place among several.
fn value_of(field: &ShownField<'_>, cell: &FrameCell, place: usize) -> PaintedValue {
    let value = painted(&field.display, cell, chart::role(field, place));
    if *cell == FrameCell::Nothing && value.text.is_empty() {
        return PaintedValue { text: "No data".to_owned(), role: Role::Muted, ..value };
    }
    value
}

fn bounds(field: &ShownField<'_>) -> Option<(String, String)> {
    let (min, max) = Arc::clone(&field.display).range();
    (min < max).then(|| (field.display.number(min).whole(), field.display.number(max).whole()))
}
