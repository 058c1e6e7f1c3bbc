//! The colour of a value: thresholds, fixed colours and gradients.

use crate::model::dashboard::field::{ColourThresholds, FieldColour, GrafanaColour};

impl GrafanaColour {
    /// Red, green and blue, as Grafana's dark theme has them; `None` for the text's colour and for none.
    pub fn rgb(self) -> Option<(u8, u8, u8)> {
        Some(match self {
            Self::Red => (0xf2, 0x49, 0x5c),
            Self::Orange => (0xff, 0x98, 0x30),
            Self::Yellow => (0xfa, 0xde, 0x2a),
            Self::Green => (0x73, 0xbf, 0x69),
            Self::Blue => (0x57, 0x94, 0xf2),
            Self::Purple => (0xb8, 0x77, 0xd9),
            Self::Rgb(red, green, blue) => (red, green, blue),
            Self::Plain | Self::Transparent => return None,
        })
    }
}

impl ColourThresholds {
    /// The colour of a value; `percent` is its place in the range of the field, 0 to 1. The base for no value and for NaN.
    pub fn colour(&self, value: f64, percent: Option<f64>) -> Option<GrafanaColour> {
        let value =
            if self.is_percent { percent.map_or(f64::NEG_INFINITY, |share| share * 100.0) } else { value };
        let reached = |from: Option<f64>| from.is_none_or(|from| value >= from);
        let step = self.steps.iter().rev().find(|step| reached(step.from)).or(self.steps.first());
        step.map(|step| step.colour)
    }
}

/// A colour between the stops, at 0 to 1.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place among the stops, and between two bytes"
)]
pub(super) fn between(stops: &[GrafanaColour], at: f64) -> Option<GrafanaColour> {
    let stops: Vec<(u8, u8, u8)> = stops.iter().filter_map(|colour| colour.rgb()).collect();
    let last = stops.len().checked_sub(1)?;
    let place = at.clamp(0.0, 1.0) * last as f64;
    let index = (place.floor() as usize).min(last);
    let (from, to) = (*stops.get(index)?, *stops.get((index + 1).min(last))?);
    let share = place - index as f64;
    let mix = |from: u8, to: u8| (f64::from(from) + (f64::from(to) - f64::from(from)) * share).round() as u8;
    Some(GrafanaColour::Rgb(mix(from.0, to.0), mix(from.1, to.1), mix(from.2, to.2)))
}

/// The colour of a value by the mode of its field; `None` where the order or name of the series decides.
pub(super) fn colour_of(
    mode: Option<&FieldColour>,
    thresholds: Option<&ColourThresholds>,
    value: f64,
    percent: Option<f64>,
) -> Option<GrafanaColour> {
    match mode {
        Some(FieldColour::Fixed(colour)) => Some(*colour),
        Some(FieldColour::Gradient(stops)) => between(stops, percent.unwrap_or(0.0)),
        Some(FieldColour::PaletteByOrder | FieldColour::PaletteByName) => None,
        Some(FieldColour::Thresholds) | None => thresholds.and_then(|all| all.colour(value, percent)),
    }
}
