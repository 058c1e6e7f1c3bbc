//! Transformations of frames, as Grafana's `transformers` do them. A step that fails leaves the data as they are and says so.

use super::display::overrides::matches;
use super::transformation::{Transformation, TransformationStep};
use crate::model::frame::DataFrame;
use crate::model::labels::Text;

/// The frames after all steps, and what could not be done.
pub fn transform(frames: Vec<DataFrame>, steps: &[Transformation]) -> (Vec<DataFrame>, Vec<Text>) {
    let mut notes = Vec::new();
    let mut frames = frames;
    for one in steps {
        let (chosen, others) = match &one.only {
            None => (frames, Vec::new()),
            Some(only) => chosen_frames(frames, only),
        };
        frames = step(chosen, &one.step, &mut notes);
        frames.extend(others);
    }
    (frames, notes)
}

/// The frames that a filter of a step keeps, and the others.
fn chosen_frames(
    frames: Vec<DataFrame>,
    only: &super::field::FieldMatcher,
) -> (Vec<DataFrame>, Vec<DataFrame>) {
    let is_chosen: Vec<bool> = (0..frames.len()).map(|index| matches(only, &frames, index, 0)).collect();
    let mut flags = is_chosen.into_iter();
    frames.into_iter().partition(|_| flags.next().unwrap_or(false))
}

fn step(frames: Vec<DataFrame>, step: &TransformationStep, notes: &mut Vec<Text>) -> Vec<DataFrame> {
    if let TransformationStep::Unknown { id } = step {
        notes
            .push(format!("The transformation {id} is not supported; the data are shown without it.").into());
    }
    frames
}
