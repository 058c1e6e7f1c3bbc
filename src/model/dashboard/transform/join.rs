//! Steps that make one frame of several: join, merge, append, concatenate.

use std::collections::HashMap;

use super::columns::{column, compare, find, is_series, key, taken, time_field};
use super::{MAX_FIELDS, MAX_ROWS};
use crate::model::dashboard::display::naming::{VALUE_FIELD, default_name};
use crate::model::frame::{DataFrame, FieldValues, FrameCell, FrameField};
use crate::model::labels::Text;

/// The cell that rows are joined by, as a key of a map.
type CellKey = (u8, String);

/// Joins frames by a field, or by time; frames without it are left out, with a note.
pub(super) fn join(
    frames: Vec<DataFrame>,
    by: Option<&str>,
    is_inner: bool,
    notes: &mut Vec<Text>,
) -> Vec<DataFrame> {
    if frames.len() < 2 {
        return frames;
    }
    let place = |frame: &DataFrame| match by {
        Some(name) => find(&frames, frame, name),
        None => time_field(frame),
    };
    let places: Vec<Option<usize>> = frames.iter().map(place).collect();
    if places.iter().all(Option::is_none) {
        notes.push(format!("No frame has the field {} to join by.", by.unwrap_or("of times")).into());
        return frames;
    }
    let parts: Vec<(&DataFrame, &FrameField, usize)> = frames
        .iter()
        .zip(&places)
        .filter_map(|(frame, place)| Some((frame, frame.fields.get((*place)?)?, (*place)?)))
        .collect();
    let (keys, rows) = if is_inner { inner_rows(&parts) } else { outer_rows(&parts) };
    let mut fields = Vec::new();
    if let Some((_, first, _)) = parts.first() {
        fields.push(FrameField { values: column(&keys), ..(*first).clone() });
    }
    for (part, (frame, _, place)) in parts.iter().enumerate() {
        let of_part: Vec<Option<usize>> = rows.iter().map(|row| row.get(part).copied().flatten()).collect();
        let others = frame.fields.iter().enumerate().filter(|(index, _)| index != place);
        for (_, field) in others.take(MAX_FIELDS.saturating_sub(fields.len())) {
            let mut joined = FrameField { values: taken(&field.values, &of_part), ..field.clone() };
            // a value takes the name of its series
            if let Some(name) = frame.name.as_ref().filter(|_| *joined.name == *VALUE_FIELD) {
                joined.name = name.clone();
            }
            fields.push(joined);
        }
    }
    let ref_id = parts.first().map_or_else(|| "".into(), |(frame, _, _)| frame.ref_id.clone());
    let notices = frames.iter().flat_map(|frame| frame.notices.iter().cloned()).collect();
    vec![DataFrame { ref_id, name: None, fields, notices }]
}

/// The rows of all parts with equal keys as one row; a row of a part for each key.
type JoinedRows = (Vec<FrameCell>, Vec<Vec<Option<usize>>>);

fn outer_rows(parts: &[(&DataFrame, &FrameField, usize)]) -> JoinedRows {
    let mut at: HashMap<CellKey, usize> = HashMap::new();
    let mut joined: Vec<(FrameCell, Vec<Option<usize>>)> = Vec::new();
    for (part, (_, field, _)) in parts.iter().enumerate() {
        for (row, cell) in field.values.cells().enumerate().take(MAX_ROWS) {
            let next = joined.len();
            let index = *at.entry(key(&cell)).or_insert(next);
            if index == next {
                joined.push((cell, vec![None; parts.len()]));
            }
            if let Some(slot) = joined.get_mut(index).and_then(|(_, rows)| rows.get_mut(part)) {
                *slot = Some(row);
            }
        }
    }
    // texts keep the order in which they come
    if joined.iter().all(|(cell, _)| !matches!(cell, FrameCell::Text(_))) {
        joined.sort_by(|a, b| compare(&a.0, &b.0));
    }
    joined.into_iter().unzip()
}

fn inner_rows(parts: &[(&DataFrame, &FrameField, usize)]) -> JoinedRows {
    let Some((first, others)) = parts.split_first() else { return (Vec::new(), Vec::new()) };
    let mut joined: Vec<(FrameCell, Vec<Option<usize>>)> =
        first.1.values.cells().enumerate().map(|(row, cell)| (cell, vec![Some(row)])).collect();
    for (_, field, _) in others {
        let mut rows: HashMap<CellKey, Vec<usize>> = HashMap::new();
        for (row, cell) in field.values.cells().enumerate() {
            rows.entry(key(&cell)).or_default().push(row);
        }
        let mut next = Vec::new();
        for (cell, before) in joined {
            for row in rows.get(&key(&cell)).into_iter().flatten() {
                if next.len() <= MAX_ROWS {
                    next.push((cell.clone(), [before.as_slice(), &[Some(*row)]].concat()));
                }
            }
        }
        joined = next;
    }
    joined.into_iter().unzip()
}

/// All frames as one table. Fields that every frame has are keys: rows with equal keys whose other values do not contradict each
/// other become one.
pub(super) fn merge(frames: Vec<DataFrame>) -> Vec<DataFrame> {
    let frames: Vec<DataFrame> = frames.into_iter().filter(|frame| !frame.fields.is_empty()).collect();
    if frames.len() < 2 {
        return frames;
    }
    let first = frames.get(..1).unwrap_or_default();
    let names: Vec<Vec<String>> = frames
        .iter()
        .map(|frame| frame.fields.iter().map(|field| default_name(first, frame, field)).collect())
        .collect();
    let mut columns: Vec<(String, FrameField)> = Vec::new();
    for (frame, names) in frames.iter().zip(&names) {
        for (field, name) in frame.fields.iter().zip(names) {
            if columns.iter().all(|(known, _)| known != name) && columns.len() < MAX_FIELDS {
                columns.push((name.clone(), field.clone()));
            }
        }
    }
    let is_key: Vec<bool> =
        columns.iter().map(|(name, _)| names.iter().all(|names| names.contains(name))).collect();
    let mut rows: Vec<Vec<FrameCell>> = Vec::new();
    let mut by_key: HashMap<Vec<CellKey>, Vec<usize>> = HashMap::new();
    for (frame, names) in frames.iter().zip(&names) {
        let places: Vec<Option<usize>> =
            columns.iter().map(|(column, _)| names.iter().position(|name| name == column)).collect();
        for row in 0..frame.rows() {
            let cell = |place: &Option<usize>| {
                place
                    .and_then(|place| frame.fields.get(place))
                    .map(|field| field.values.cell(row))
                    .unwrap_or_default()
            };
            let cells: Vec<FrameCell> = places.iter().map(cell).collect();
            let keys = cells.iter().zip(&is_key).filter(|(_, is)| **is).map(|(cell, _)| key(cell)).collect();
            let known = by_key.entry(keys).or_default();
            let mut is_merged = false;
            for index in known.iter() {
                if let Some(before) = rows.get_mut(*index)
                    && agrees(before, &cells)
                {
                    fill(before, &cells);
                    is_merged = true;
                }
            }
            if !is_merged && rows.len() < MAX_ROWS {
                known.push(rows.len());
                rows.push(cells);
            }
        }
    }
    let fields = columns.into_iter().enumerate().map(|(index, (_, field))| {
        let cells: Vec<FrameCell> =
            rows.iter().map(|row| row.get(index).cloned().unwrap_or_default()).collect();
        FrameField { values: column(&cells), ..field }
    });
    let ref_id = frames.first().map_or_else(|| "".into(), |frame| frame.ref_id.clone());
    let notices = frames.iter().flat_map(|frame| frame.notices.iter().cloned()).collect();
    vec![DataFrame { ref_id, name: None, fields: fields.collect(), notices }]
}

fn agrees(a: &[FrameCell], b: &[FrameCell]) -> bool {
    a.iter().zip(b).all(|(a, b)| *a == FrameCell::Nothing || *b == FrameCell::Nothing || a == b)
}

fn fill(into: &mut [FrameCell], from: &[FrameCell]) {
    for (into, from) in into.iter_mut().zip(from) {
        if *into == FrameCell::Nothing {
            into.clone_from(from);
        }
    }
}

/// The rows of all frames below each other: of series time, name and value, newest first; of tables the fields of equal names.
pub(super) fn append(frames: Vec<DataFrame>) -> Vec<DataFrame> {
    if !frames.iter().all(is_series) {
        return if frames.len() < 2 { frames } else { stacked(&frames) };
    }
    let mut rows: Vec<(FrameCell, Text, FrameCell)> = Vec::new();
    for frame in &frames {
        let Some(times) = time_field(frame).and_then(|place| frame.fields.get(place)) else { continue };
        for field in frame.fields.iter().filter(|field| matches!(field.values, FieldValues::Numbers(_))) {
            let name: Text = default_name(&frames, frame, field).into();
            for (time, value) in times.values.cells().zip(field.values.cells()) {
                if rows.len() < MAX_ROWS {
                    rows.push((time, name.clone(), value));
                }
            }
        }
    }
    rows.sort_by(|a, b| compare(&b.0, &a.0));
    let times: Vec<FrameCell> = rows.iter().map(|(time, _, _)| time.clone()).collect();
    let names = rows.iter().map(|(_, name, _)| Some(name.clone())).collect();
    let values: Vec<FrameCell> = rows.iter().map(|(_, _, value)| value.clone()).collect();
    let Some(first) = frames.first() else { return frames };
    let fields = vec![
        FrameField::named("Time", column(&times)),
        FrameField::named("Metric", FieldValues::Texts(names)),
        FrameField::named("Value", column(&values)),
    ];
    vec![DataFrame { fields, name: None, ..first.clone() }]
}

fn stacked(frames: &[DataFrame]) -> Vec<DataFrame> {
    let mut columns: Vec<(FrameField, Vec<FrameCell>)> = Vec::new();
    let mut rows = 0;
    for frame in frames {
        let count = frame.rows().min(MAX_ROWS.saturating_sub(rows));
        for field in &frame.fields {
            let known = columns.iter().position(|(known, _)| known.name == field.name);
            let at = known.unwrap_or_else(|| {
                columns.push((field.clone(), Vec::new()));
                columns.len() - 1
            });
            if let Some((_, cells)) = columns.get_mut(at) {
                cells.resize(rows, FrameCell::Nothing);
                cells.extend(field.values.cells().take(count));
            }
        }
        rows += count;
    }
    let fields = columns.into_iter().map(|(field, mut cells)| {
        cells.resize(rows, FrameCell::Nothing);
        FrameField { values: column(&cells), ..field }
    });
    let fields = fields.collect();
    frames.first().map(|first| DataFrame { fields, name: None, ..first.clone() }).into_iter().collect()
}

/// The fields of all frames beside each other; short ones are filled with missing values.
pub(super) fn concatenate(frames: Vec<DataFrame>) -> Vec<DataFrame> {
    if frames.len() < 2 {
        return frames;
    }
    let rows = frames.iter().map(DataFrame::rows).max().unwrap_or(0);
    let all: Vec<Option<usize>> = (0..rows).map(Some).collect();
    let padded = |field: &FrameField| FrameField { values: taken(&field.values, &all), ..field.clone() };
    let fields = frames.iter().flat_map(|frame| frame.fields.iter().map(padded)).collect();
    frames.first().map(|first| DataFrame { fields, name: None, ..first.clone() }).into_iter().collect()
}
