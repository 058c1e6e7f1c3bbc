//! States over time: of texts, booleans and numbers, each with its text and colour.

use super::fields;
use super::{PanelInput, PanelPicture, StatesPicture, painted};
use crate::app::theme::Role;
use crate::model::frame::{FieldValues, FrameCell};

/// Rows and states at most.
const MOST: (usize, usize) = (300, 1000);

/// A row for each field that has times. Grafana keeps a state until the next value.
pub(super) fn picture(input: &PanelInput<'_>, is_separate: bool) -> Option<PanelPicture> {
    let mut states: Vec<(String, Role)> = Vec::new();
    let mut rows = Vec::new();
    for field in fields::fields(input).iter().filter(|field| !field.is_time() && field.is_in_picture()) {
        let Some(times) = input.frames.get(field.frame).and_then(fields::times) else { continue };
        let grid = fields::rows_on_grid(times, input.window);
        let mut last = None;
        let mut row = Vec::with_capacity(grid.len());
        for at in grid {
            let cell = at.map(|at| field.field.values.cell(at));
            let cell = match cell {
                // changes only are stored: a state lasts until the next one
                None if !is_separate && is_sparse(&field.field.values, times.len(), input.window.count()) => {
                    row.push(last);
                    continue;
                }
                None | Some(FrameCell::Nothing) => None,
                Some(cell) => Some(cell),
            };
            last = cell.and_then(|cell| {
                let place = states.len();
                let value = painted(&field.display, &cell, Role::of_line(place));
                if value.text.is_empty() {
                    return None;
                }
                let known = states.iter().position(|(text, _)| *text == value.text);
                let index = known.unwrap_or_else(|| {
                    states.push((value.text, value.role));
                    place
                });
                u16::try_from(index).ok().filter(|_| index < MOST.1)
            });
            row.push(last);
        }
        rows.push((field.name.clone(), row));
        if rows.len() >= MOST.0 {
            break;
        }
    }
    let has_states = rows.iter().any(|(_, row)| row.iter().any(Option::is_some));
    has_states.then_some(PanelPicture::States(StatesPicture {
        span: input.window,
        states,
        rows,
        is_separate,
    }))
}

/// Whether there are so few values that they must be changes of a state, and no samples.
fn is_sparse(values: &FieldValues, rows: usize, points: usize) -> bool {
    matches!(values, FieldValues::Texts(_) | FieldValues::Bools(_)) || rows * 4 < points
}
