//! The fields of a panel's frames, with their names and the way their values are shown.

use std::sync::Arc;

use super::PanelInput;
use crate::model::dashboard::display::naming::display_name;
use crate::model::dashboard::display::overrides::options_of;
use crate::model::dashboard::display::{FieldDisplay, data_range, kind_of};
use crate::model::dashboard::field::FieldOptions;
use crate::model::frame::{DataFrame, FieldValues, FrameCell, FrameField};
use crate::model::labels::Labels;
use crate::model::log::LogLine;
use crate::model::series::TimeGrid;

/// A field as the panel shows it.
pub struct ShownField<'a> {
    /// The index of its frame.
    pub frame: usize,
    pub field: &'a FrameField,
    pub name: String,
    pub options: FieldOptions,
    pub display: Arc<FieldDisplay>,
}

/// All fields of a panel, in their order.
pub fn fields<'a>(input: &PanelInput<'a>) -> Vec<ShownField<'a>> {
    let range = data_range(input.frames);
    let mut all = Vec::new();
    for (frame, of) in input.frames.iter().enumerate() {
        for (index, field) in of.fields.iter().enumerate() {
            let options = options_of(input.panel, input.frames, frame, index);
            let name = display_name(input.frames, frame, index, &options);
            let display = FieldDisplay::new(&options, kind_of(&field.values), range, input.now, input.zone);
            all.push(ShownField { frame, field, name, options, display: Arc::new(display) });
        }
    }
    all
}

impl ShownField<'_> {
    pub fn is_number(&self) -> bool {
        matches!(self.field.values, FieldValues::Numbers(_) | FieldValues::Bools(_))
    }

    pub fn is_time(&self) -> bool {
        matches!(self.field.values, FieldValues::Times(_))
    }

    pub fn is_in_picture(&self) -> bool {
        !self.options.hidden_from.is_some_and(|hidden| hidden.picture)
    }
}

pub fn has_time(frame: &DataFrame) -> bool {
    frame.fields.iter().any(|field| matches!(field.values, FieldValues::Times(_)))
}

/// The times of a frame, in milliseconds.
pub fn times(frame: &DataFrame) -> Option<&[Option<i64>]> {
    frame.fields.iter().find_map(|field| match &field.values {
        FieldValues::Times(times) => Some(times.as_slice()),
        FieldValues::Numbers(_) | FieldValues::Texts(_) | FieldValues::Bools(_) => None,
    })
}

/// The rows of a frame by the points of a grid: of several at one point the last one.
pub fn rows_on_grid(times: &[Option<i64>], grid: TimeGrid) -> Vec<Option<usize>> {
    let mut rows = vec![None; grid.count()];
    let half = grid.step().as_secs_f64() / 2.0;
    for (row, time) in times.iter().enumerate() {
        let point = time.and_then(|ms| grid.index(ms as f64 / 1000.0 + half));
        if let Some(cell) = point.and_then(|point| rows.get_mut(point)) {
            *cell = Some(row);
        }
    }
    rows
}

/// The numbers of a field by the points of a grid; NaN where there is none.
pub fn on_grid(values: &FieldValues, rows: &[Option<usize>]) -> Vec<f64> {
    let number = |row: &Option<usize>| row.and_then(|row| values.cell(row).number()).unwrap_or(f64::NAN);
    rows.iter().map(number).collect()
}

/// All numbers of a field, for a sparkline.
pub fn numbers(values: &FieldValues) -> Vec<f64> {
    values.cells().map(|cell| cell.number().unwrap_or(f64::NAN)).collect()
}

/// Log lines of frames, where the source has none in a form of its own: the first texts with their times.
pub fn log_lines(frames: &[DataFrame]) -> Vec<Arc<LogLine>> {
    let mut lines = Vec::new();
    for frame in frames {
        let Some(times) = times(frame) else { continue };
        let texts = frame.fields.iter().find(|field| matches!(field.values, FieldValues::Texts(_)));
        let Some(texts) = texts else { continue };
        for (row, time) in times.iter().enumerate() {
            let (Some(ms), FrameCell::Text(text)) = (time, texts.values.cell(row)) else { continue };
            let at = jiff::Timestamp::from_millisecond(*ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
            lines.push(Arc::new(LogLine::new(at, texts.labels.clone(), Labels::default(), text.as_bytes())));
        }
    }
    lines.sort_by_key(|line| line.at);
    lines
}
