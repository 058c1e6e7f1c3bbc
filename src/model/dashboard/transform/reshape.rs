//! Steps that turn series into tables and back: reduce, labels to fields, matrix, histogram.

use std::collections::HashMap;

use super::columns::{column, find, is_series, key, like};
use super::{MAX_FIELDS, MAX_ROWS};
use crate::model::dashboard::display::naming::default_name;
use crate::model::dashboard::field::Reducer;
use crate::model::dashboard::reduce::reduce;
use crate::model::frame::{DataFrame, FieldValues, FrameCell, FrameField};
use crate::model::labels::{Labels, Text};

fn is_time(field: &FrameField) -> bool {
    matches!(field.values, FieldValues::Times(_))
}

fn one_frame(frames: &[DataFrame], fields: Vec<FrameField>) -> Vec<DataFrame> {
    let notices = frames.iter().flat_map(|frame| frame.notices.iter().cloned()).collect();
    let ref_id = frames.first().map_or_else(|| "".into(), |frame| frame.ref_id.clone());
    vec![DataFrame { ref_id, name: None, fields, notices }]
}

/// A row for each field that is not the time: its name, its labels if wanted, and its reduced values.
pub(super) fn reduce_to_rows(
    frames: &[DataFrame],
    reducers: &[Reducer],
    with_labels: bool,
) -> Vec<DataFrame> {
    let all = frames.iter().flat_map(|frame| frame.fields.iter().map(move |field| (frame, field)));
    let fields: Vec<(&DataFrame, &FrameField)> =
        all.filter(|(_, field)| !is_time(field)).take(MAX_ROWS).collect();
    let mut columns = Vec::new();
    let labels = if with_labels { label_names(fields.iter().map(|(_, field)| *field)) } else { Vec::new() };
    if labels.is_empty() {
        let names = fields.iter().map(|(frame, field)| Some(default_name(frames, frame, field).into()));
        columns.push(FrameField::named("Field", FieldValues::Texts(names.collect())));
    } else {
        let names = fields.iter().map(|(_, field)| Some(field.name.clone()));
        columns.push(FrameField::named("Field", FieldValues::Texts(names.collect())));
    }
    for label in labels {
        let values = fields.iter().map(|(_, field)| field.labels.get(&label).cloned()).collect();
        columns.push(FrameField::named(label, FieldValues::Texts(values)));
    }
    for reducer in reducers {
        let cells: Vec<FrameCell> = fields.iter().map(|(_, field)| reduce(&field.values, *reducer)).collect();
        columns.push(FrameField::named(reducer.title(), column(&cells)));
    }
    one_frame(frames, columns)
}

/// The names of all labels, each once, in the order in which they come.
fn label_names<'a>(fields: impl Iterator<Item = &'a FrameField>) -> Vec<Text> {
    let mut names: Vec<Text> = Vec::new();
    for (name, _) in fields.flat_map(|field| field.labels.iter()) {
        if !names.contains(name) && names.len() < MAX_FIELDS {
            names.push(name.clone());
        }
    }
    names
}

/// Each frame with one row of reduced values; with several reducers, the label `reducer` tells them apart.
pub(super) fn reduce_fields(frames: &[DataFrame], reducers: &[Reducer]) -> Vec<DataFrame> {
    let of_frame = |frame: &DataFrame| {
        let mut fields = Vec::new();
        for field in frame.fields.iter().filter(|field| !is_time(field)) {
            for reducer in reducers {
                let mut reduced = like(field, column(&[reduce(&field.values, *reducer)]));
                if reducers.len() > 1 {
                    reduced.labels = reduced.labels.with([("reducer", Text::from(reducer.title()))]);
                }
                fields.push(reduced);
            }
        }
        DataFrame { fields, ..frame.clone() }
    };
    frames.iter().map(of_frame).filter(|frame| !frame.fields.is_empty()).collect()
}

/// Labels as columns beside the values, or as rows of name and value.
pub(super) fn labels_to_fields(
    frames: Vec<DataFrame>,
    keep: &[Text],
    as_rows: bool,
    value_label: Option<&str>,
) -> Vec<DataFrame> {
    let is_kept = |name: &Text| keep.is_empty() || keep.contains(name);
    let mut out = Vec::new();
    for frame in frames {
        let rows = frame.rows();
        if as_rows {
            for field in frame.fields.iter().filter(|field| !field.labels.is_empty()) {
                let pairs: Vec<(&Text, &Text)> =
                    field.labels.iter().filter(|(name, _)| is_kept(name)).collect();
                let names = pairs.iter().map(|(name, _)| Some((*name).clone())).collect();
                let values = pairs.iter().map(|(_, value)| Some((*value).clone())).collect();
                let fields = vec![
                    FrameField::named("label", FieldValues::Texts(names)),
                    FrameField::named("value", FieldValues::Texts(values)),
                ];
                out.push(DataFrame { fields, ..frame.clone() });
            }
            continue;
        }
        // series over the same times that differ in their labels need rows of their own
        let labelled: Vec<&FrameField> =
            frame.fields.iter().filter(|field| !field.labels.is_empty()).collect();
        let is_wide =
            labelled.windows(2).any(|pair| pair.first().map(|f| &f.labels) != pair.get(1).map(|f| &f.labels));
        let groups: Vec<Labels> = if is_wide && value_label.is_none() {
            let mut groups: Vec<Labels> = Vec::new();
            for field in &labelled {
                if !groups.contains(&field.labels) {
                    groups.push(field.labels.clone());
                }
            }
            groups
        } else {
            vec![labelled.first().map(|field| field.labels.clone()).unwrap_or_default()]
        };
        for labels in groups {
            let own = frame.fields.iter().filter(|field| {
                field.labels.is_empty() || !is_wide || value_label.is_some() || field.labels == labels
            });
            let mut fields: Vec<FrameField> = own
                .map(|field| {
                    let named = value_label.and_then(|label| field.labels.get(label)).cloned();
                    let has_labels = !field.labels.is_empty();
                    FrameField {
                        name: named.unwrap_or_else(|| field.name.clone()),
                        labels: Labels::default(),
                        display_name: if has_labels { None } else { field.display_name.clone() },
                        ..field.clone()
                    }
                })
                .collect();
            for (name, value) in
                labels.iter().filter(|(name, _)| is_kept(name) && Some(&***name) != value_label)
            {
                fields.push(FrameField::named(
                    name.clone(),
                    FieldValues::Texts(vec![Some(value.clone()); rows]),
                ));
            }
            out.push(DataFrame { fields, ..frame.clone() });
        }
    }
    out
}

/// For each query a table with a row for each series: its labels and a reduced value (`Trend`).
pub(super) fn time_series_table(frames: &[DataFrame], reducer: Reducer) -> Vec<DataFrame> {
    let mut ids: Vec<Text> = Vec::new();
    for frame in frames.iter().filter(|frame| is_series(frame)) {
        if !ids.contains(&frame.ref_id) {
            ids.push(frame.ref_id.clone());
        }
    }
    let mut out: Vec<DataFrame> = frames.iter().filter(|frame| !is_series(frame)).cloned().collect();
    for id in ids {
        let of_query = frames.iter().filter(|frame| frame.ref_id == id && is_series(frame));
        let series: Vec<&FrameField> = of_query
            .flat_map(|frame| {
                frame.fields.iter().filter(|field| matches!(field.values, FieldValues::Numbers(_)))
            })
            .take(MAX_ROWS)
            .collect();
        let mut fields: Vec<FrameField> = label_names(series.iter().copied())
            .into_iter()
            .map(|label| {
                let values = series.iter().map(|field| field.labels.get(&label).cloned()).collect();
                FrameField::named(label, FieldValues::Texts(values))
            })
            .collect();
        let values: Vec<FrameCell> = series.iter().map(|field| reduce(&field.values, reducer)).collect();
        let name = if id.is_empty() { "Trend".to_owned() } else { format!("Trend #{id}") };
        fields.push(FrameField::named(name, column(&values)));
        out.push(DataFrame { ref_id: id, name: None, fields, notices: Vec::new() });
    }
    out
}

/// The values of one field as columns, those of another as rows; without rows, one row.
pub(super) fn matrix(
    frames: Vec<DataFrame>,
    columns: &str,
    rows: Option<&str>,
    values: &str,
    notes: &mut Vec<Text>,
) -> Vec<DataFrame> {
    let Some(first) = frames.first() else { return frames };
    let of = |name: &str, or: fn(&FrameField) -> bool| {
        let place =
            if name.is_empty() { first.fields.iter().position(or) } else { find(&frames, first, name) };
        place.and_then(|place| first.fields.get(place))
    };
    let by_column = of(columns, |field| matches!(field.values, FieldValues::Texts(_)));
    let of_values = of(values, |field| matches!(field.values, FieldValues::Numbers(_)));
    let by_row = rows.map(|rows| of(rows, is_time));
    let (Some(by_column), Some(of_values), None | Some(Some(_))) = (by_column, of_values, by_row) else {
        notes.push("A matrix names fields that the data do not have.".into());
        return frames;
    };
    let by_row = by_row.flatten();
    let mut heads: Vec<FrameCell> = Vec::new();
    let mut sides: Vec<FrameCell> = Vec::new();
    let (mut head_at, mut side_at) = (HashMap::new(), HashMap::new());
    let mut cells: HashMap<(usize, usize), FrameCell> = HashMap::new();
    for row in 0..first.rows() {
        let side = by_row.map(|field| field.values.cell(row)).unwrap_or_default();
        let at = |list: &mut Vec<FrameCell>, known: &mut HashMap<(u8, String), usize>, cell: FrameCell| {
            *known.entry(key(&cell)).or_insert_with(|| {
                list.push(cell);
                list.len() - 1
            })
        };
        let column = at(&mut heads, &mut head_at, by_column.values.cell(row));
        let side = at(&mut sides, &mut side_at, side);
        cells.insert((side, column), of_values.values.cell(row));
    }
    heads.truncate(MAX_FIELDS);
    let mut fields = Vec::new();
    if let Some(by_row) = by_row {
        let name = format!("{}\\{}", by_row.name, by_column.name);
        fields.push(FrameField::named(name, column(&sides)));
    }
    for (index, head) in heads.iter().enumerate() {
        let values: Vec<FrameCell> =
            (0..sides.len()).map(|side| cells.get(&(side, index)).cloned().unwrap_or_default()).collect();
        fields.push(FrameField {
            unit: of_values.unit.clone(),
            ..FrameField::named(head.plain(), column(&values))
        });
    }
    one_frame(&frames, fields)
}

/// How often values fall into each bucket: the bounds of the buckets, and a count for each field.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the number of buckets"
)]
pub(super) fn histogram(frames: &[DataFrame], size: Option<f64>) -> Vec<DataFrame> {
    let numbers: Vec<(String, Vec<f64>)> = frames
        .iter()
        .flat_map(|frame| frame.fields.iter().map(move |field| (frame, field)))
        .filter_map(|(frame, field)| {
            let FieldValues::Numbers(values) = &field.values else { return None };
            let values = values.iter().flatten().copied().filter(|value| value.is_finite()).collect();
            Some((default_name(frames, frame, field), values))
        })
        .collect();
    let all = || numbers.iter().flat_map(|(_, values)| values.iter().copied());
    let (Some(min), Some(max)) = (all().reduce(f64::min), all().reduce(f64::max)) else {
        return one_frame(frames, Vec::new());
    };
    let size = size.unwrap_or_else(|| nice((max - min) / 30.0));
    let bucket = |value: f64| (value / size).floor();
    let (first, last) = (bucket(min), bucket(max));
    let count = ((last - first).clamp(0.0, 10_000.0)) as usize + 1;
    let bound = |index: usize| (first + index as f64) * size;
    let mut fields = vec![
        FrameField::named("xMin", FieldValues::Numbers((0..count).map(|index| Some(bound(index))).collect())),
        FrameField::named(
            "xMax",
            FieldValues::Numbers((0..count).map(|index| Some(bound(index + 1))).collect()),
        ),
    ];
    for (name, values) in numbers {
        let mut counts = vec![0.0; count];
        for value in values {
            let at = ((bucket(value) - first).max(0.0) as usize).min(count - 1);
            if let Some(slot) = counts.get_mut(at) {
                *slot += 1.0;
            }
        }
        fields.push(FrameField::named(name, FieldValues::Numbers(counts.into_iter().map(Some).collect())));
    }
    one_frame(frames, fields)
}

/// The next larger of 1, 2, 2.5, 5 times a power of ten.
fn nice(size: f64) -> f64 {
    if !(size.is_finite() && size > 0.0) {
        return 1.0;
    }
    let power = 10_f64.powf(size.log10().floor());
    let factors = [1.0, 2.0, 2.5, 5.0, 10.0];
    factors.iter().map(|factor| factor * power).find(|nice| *nice >= size).unwrap_or(size)
}
