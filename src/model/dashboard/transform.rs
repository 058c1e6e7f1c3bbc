//! Transformations of frames, as Grafana's `transformers` do them. A step that fails leaves the data as they are and says so.

mod calculate;
mod columns;
mod fields;
mod join;
mod reshape;
mod rows;
#[cfg(test)]
mod tests;

use jiff::tz::TimeZone;

use super::display::overrides::matches;
use super::field::FieldMatcher;
use super::transformation::{Transformation, TransformationStep};
use crate::model::frame::DataFrame;
use crate::model::labels::Text;

/// The most rows that a step makes.
const MAX_ROWS: usize = 100_000;
/// The most fields that a step makes.
const MAX_FIELDS: usize = 5000;

/// The frames after all steps, and what could not be done. Moments are written in UTC.
pub fn transform(frames: Vec<DataFrame>, steps: &[Transformation]) -> (Vec<DataFrame>, Vec<Text>) {
    transform_in(frames, steps, &TimeZone::UTC)
}

/// As [`transform`], with moments written in this zone.
pub fn transform_in(
    frames: Vec<DataFrame>,
    steps: &[Transformation],
    zone: &TimeZone,
) -> (Vec<DataFrame>, Vec<Text>) {
    let mut notes = Vec::new();
    let mut frames = frames;
    for one in steps {
        let (chosen, others) = match &one.only {
            None => (frames, Vec::new()),
            Some(only) => chosen_frames(frames, only),
        };
        frames = step(chosen, &one.step, zone, &mut notes);
        frames.extend(others);
        limit(&mut frames, &mut notes);
    }
    (frames, notes)
}

/// The frames that a filter of a step keeps, and the others.
fn chosen_frames(frames: Vec<DataFrame>, only: &FieldMatcher) -> (Vec<DataFrame>, Vec<DataFrame>) {
    let is_chosen = |index: usize, frame: &DataFrame| match only {
        FieldMatcher::RefId(id) => columns::is_ref_id(id, frame),
        FieldMatcher::Name(_)
        | FieldMatcher::Names { .. }
        | FieldMatcher::Pattern(_)
        | FieldMatcher::Kind(_)
        | FieldMatcher::Value { .. }
        | FieldMatcher::First
        | FieldMatcher::FirstTime
        | FieldMatcher::Numeric
        | FieldMatcher::Unknown(_) => {
            (0..frame.fields.len()).any(|field| matches(only, &frames, index, field))
        }
    };
    let mut flags = frames
        .iter()
        .enumerate()
        .map(|(index, frame)| is_chosen(index, frame))
        .collect::<Vec<_>>()
        .into_iter();
    frames.into_iter().partition(|_| flags.next().unwrap_or(false))
}

/// Cuts what a step blew up.
fn limit(frames: &mut [DataFrame], notes: &mut Vec<Text>) {
    let mut is_cut = false;
    for frame in frames {
        is_cut |= frame.fields.len() > MAX_FIELDS || frame.rows() > MAX_ROWS;
        frame.fields.truncate(MAX_FIELDS);
        for field in &mut frame.fields {
            columns::truncate(&mut field.values, MAX_ROWS);
        }
    }
    if is_cut {
        notes.push(format!("Only {MAX_ROWS} rows and {MAX_FIELDS} fields are kept.").into());
    }
}

fn step(
    frames: Vec<DataFrame>,
    step: &TransformationStep,
    zone: &TimeZone,
    notes: &mut Vec<Text>,
) -> Vec<DataFrame> {
    match step {
        TransformationStep::Organise { renames, order, excluded, included } => {
            fields::organise(frames, renames, order, excluded, included)
        }
        TransformationStep::Rename { pattern, replacement } => {
            fields::rename(frames, pattern, replacement, notes)
        }
        TransformationStep::FilterFields { names, pattern, is_exclude } => {
            fields::filter(frames, names, pattern.as_deref(), *is_exclude, notes)
        }
        TransformationStep::FilterRefIds { ids, is_exclude } => {
            let is_named = |frame: &DataFrame| ids.iter().any(|id| columns::is_ref_id(id, frame));
            frames.into_iter().filter(|frame| is_named(frame) != *is_exclude).collect()
        }
        TransformationStep::Convert { fields } => fields::convert(frames, fields),
        TransformationStep::FormatTime { field, format } => fields::format_time(frames, field, format, zone),
        TransformationStep::Reduce { reducers, in_fields: true, .. } => {
            reshape::reduce_fields(&frames, reducers)
        }
        TransformationStep::Reduce { reducers, in_fields: false, labels_to_fields } => {
            reshape::reduce_to_rows(&frames, reducers, *labels_to_fields)
        }
        TransformationStep::LabelsToFields { keep, as_rows, value_label } => {
            reshape::labels_to_fields(frames, keep, *as_rows, value_label.as_deref())
        }
        TransformationStep::TimeSeriesTable { reducer } => reshape::time_series_table(&frames, *reducer),
        TransformationStep::Matrix { columns, rows, values } => {
            reshape::matrix(frames, columns, rows.as_deref(), values, notes)
        }
        TransformationStep::Histogram { size } => reshape::histogram(&frames, *size),
        TransformationStep::Join { by, is_inner } => join::join(frames, by.as_deref(), *is_inner, notes),
        TransformationStep::Merge => join::merge(frames),
        TransformationStep::Append => join::append(frames),
        TransformationStep::Concatenate => join::concatenate(frames),
        TransformationStep::FilterRows { conditions, needs_all, is_exclude } => {
            rows::filter(frames, conditions, *needs_all, *is_exclude)
        }
        TransformationStep::Sort { field, direction } => rows::sort(frames, field, *direction),
        TransformationStep::Limit { rows } => rows::limit(frames, *rows),
        TransformationStep::Group { fields } => rows::group(frames, fields),
        TransformationStep::Calculate { calculation, alias, replaces } => {
            calculate::calculate(frames, calculation, alias.as_ref(), *replaces, notes)
        }
        TransformationStep::Unknown { id } => {
            let note = format!("The transformation {id} is not supported; the data are shown without it.");
            notes.push(note.into());
            frames
        }
    }
}
