//! Columns of cells: made, taken apart, compared and found by name.

use std::cmp::Ordering;

use crate::model::dashboard::display::kind_of;
use crate::model::dashboard::display::mapping::compiled;
use crate::model::dashboard::display::naming::default_name;
use crate::model::dashboard::field::FieldKind;
use crate::model::frame::{DataFrame, FieldValues, FrameCell, FrameField};
use crate::model::labels::Text;

/// A column of these cells, of the type of the first that has a value; others of another type become that type, or texts.
pub(super) fn column(cells: &[FrameCell]) -> FieldValues {
    let kind = cells.iter().find_map(kind);
    let is_mixed = cells.iter().filter_map(self::kind).any(|other| Some(other) != kind);
    of_kind(cells, if is_mixed { FieldKind::Text } else { kind.unwrap_or(FieldKind::Number) })
}

fn kind(cell: &FrameCell) -> Option<FieldKind> {
    match cell {
        FrameCell::Nothing => None,
        FrameCell::Time(_) => Some(FieldKind::Time),
        FrameCell::Number(_) => Some(FieldKind::Number),
        FrameCell::Text(_) => Some(FieldKind::Text),
        FrameCell::Bool(_) => Some(FieldKind::Bool),
    }
}

/// A column of this type; what cannot be converted is missing.
pub(super) fn of_kind(cells: &[FrameCell], kind: FieldKind) -> FieldValues {
    match kind {
        FieldKind::Time => FieldValues::Times(cells.iter().map(time).collect()),
        FieldKind::Number => FieldValues::Numbers(cells.iter().map(FrameCell::number).collect()),
        FieldKind::Text => FieldValues::Texts(cells.iter().map(text).collect()),
        FieldKind::Bool => FieldValues::Bools(cells.iter().map(truth).collect()),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "less than 9e15")]
fn time(cell: &FrameCell) -> Option<i64> {
    match cell {
        FrameCell::Time(ms) => Some(*ms),
        FrameCell::Text(text) => {
            let at = text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond);
            at.or_else(|| text.trim().parse().ok())
        }
        FrameCell::Number(number) => (number.abs() < 9e15).then_some(*number as i64),
        FrameCell::Bool(_) | FrameCell::Nothing => None,
    }
}

fn text(cell: &FrameCell) -> Option<Text> {
    (*cell != FrameCell::Nothing).then(|| cell.plain().into())
}

fn truth(cell: &FrameCell) -> Option<bool> {
    match cell {
        FrameCell::Bool(is) => Some(*is),
        FrameCell::Number(number) => Some(*number != 0.0),
        FrameCell::Text(text) => Some(!matches!(&**text, "" | "0" | "false")),
        FrameCell::Time(_) | FrameCell::Nothing => None,
    }
}

/// These rows of a column; `None` makes a missing value.
pub(super) fn taken(values: &FieldValues, rows: &[Option<usize>]) -> FieldValues {
    fn take<T: Clone>(values: &[Option<T>], rows: &[Option<usize>]) -> Vec<Option<T>> {
        rows.iter().map(|row| values.get((*row)?).cloned().flatten()).collect()
    }
    match values {
        FieldValues::Times(values) => FieldValues::Times(take(values, rows)),
        FieldValues::Numbers(values) => FieldValues::Numbers(take(values, rows)),
        FieldValues::Texts(values) => FieldValues::Texts(take(values, rows)),
        FieldValues::Bools(values) => FieldValues::Bools(take(values, rows)),
    }
}

pub(super) fn truncate(values: &mut FieldValues, rows: usize) {
    match values {
        FieldValues::Times(values) => values.truncate(rows),
        FieldValues::Numbers(values) => values.truncate(rows),
        FieldValues::Texts(values) => values.truncate(rows),
        FieldValues::Bools(values) => values.truncate(rows),
    }
}

/// A frame with only these rows.
pub(super) fn with_rows(mut frame: DataFrame, rows: &[usize]) -> DataFrame {
    let rows: Vec<Option<usize>> = rows.iter().copied().map(Some).collect();
    for field in &mut frame.fields {
        field.values = taken(&field.values, &rows);
    }
    frame
}

/// Numbers and times before texts, missing values last.
pub(super) fn compare(a: &FrameCell, b: &FrameCell) -> Ordering {
    rank(a).cmp(&rank(b)).then_with(|| {
        if let (FrameCell::Text(a), FrameCell::Text(b)) = (a, b) {
            return a.cmp(b);
        }
        a.number().unwrap_or(f64::NAN).total_cmp(&b.number().unwrap_or(f64::NAN))
    })
}

fn rank(cell: &FrameCell) -> u8 {
    match cell {
        FrameCell::Time(_) | FrameCell::Number(_) | FrameCell::Bool(_) => 0,
        FrameCell::Text(_) => 1,
        FrameCell::Nothing => 2,
    }
}

/// A cell as the key of a map.
pub(super) fn key(cell: &FrameCell) -> (u8, String) {
    let kind = match cell {
        FrameCell::Nothing => 0,
        FrameCell::Time(_) | FrameCell::Number(_) => 1,
        FrameCell::Text(_) => 2,
        FrameCell::Bool(_) => 3,
    };
    (kind, cell.plain())
}

/// The index of the field that is shown under this name, else of the one that has this name.
pub(super) fn find(frames: &[DataFrame], frame: &DataFrame, name: &str) -> Option<usize> {
    let shown = frame.fields.iter().position(|field| default_name(frames, frame, field) == name);
    shown.or_else(|| frame.fields.iter().position(|field| *field.name == *name))
}

/// The first field of times.
pub(super) fn time_field(frame: &DataFrame) -> Option<usize> {
    frame.fields.iter().position(|field| kind_of(&field.values) == FieldKind::Time)
}

/// Whether a frame is one series, or several over the same times: times, and numbers.
pub(super) fn is_series(frame: &DataFrame) -> bool {
    let is = |kind: FieldKind| frame.fields.iter().filter(|field| kind_of(&field.values) == kind).count();
    is(FieldKind::Time) == 1 && is(FieldKind::Number) > 0 && is(FieldKind::Text) == 0
}

/// A field with the same name and other values.
pub(super) fn like(field: &FrameField, values: FieldValues) -> FrameField {
    FrameField { values, ..field.clone() }
}

/// Whether a frame answers this query: its id, or a regular expression between `/`.
pub(super) fn is_ref_id(id: &str, frame: &DataFrame) -> bool {
    if id.starts_with('/') {
        return compiled(id).is_some_and(|pattern| pattern.is_match(&frame.ref_id));
    }
    *frame.ref_id == *id
}
