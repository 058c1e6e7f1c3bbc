//! How the values of a field are shown: unit, decimals, mappings, thresholds and colour, as Grafana's `getDisplayProcessor` does.

pub mod colour;
pub mod decimals;
pub mod duration;
pub mod mapping;
pub mod moment;
pub mod naming;
pub mod number;
pub mod overrides;
#[cfg(test)]
mod tests;
pub mod units;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::field::{ColourThresholds, FieldColour, FieldKind, FieldOptions, GrafanaColour};
use crate::model::frame::{DataFrame, FieldValues, FrameCell};
use decimals::{UnitText, trimmed};
use mapping::Mappings;
use number::format_number;
use units::{MomentPattern, Unit};

/// A value as it is shown.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ShownValue {
    pub prefix: String,
    /// The number without its unit, or the whole text.
    pub text: String,
    pub suffix: String,
    /// `None` where the order of the series decides, or nothing is coloured.
    pub colour: Option<GrafanaColour>,
    /// The number behind it; `None` for texts and missing values.
    pub number: Option<f64>,
    /// The place in the range from `min` to `max`, 0 to 1 inside.
    pub share: Option<f64>,
}

impl ShownValue {
    /// Prefix, text and suffix.
    pub fn whole(&self) -> String {
        format!("{}{}{}", self.prefix, self.text, self.suffix)
    }
}

/// Shows the values of one field.
#[derive(Debug, Clone)]
pub struct FieldDisplay {
    unit: Option<String>,
    decimals: Option<u8>,
    kind: FieldKind,
    no_value: Option<String>,
    mappings: Mappings,
    thresholds: Option<ColourThresholds>,
    colour: Option<FieldColour>,
    /// The range of gauges, of thresholds in per cent and of gradients.
    min: f64,
    max: f64,
    now: Timestamp,
    zone: TimeZone,
}

impl FieldDisplay {
    /// For a field with these options (panel and overrides, see [`overrides::options_of`]). `data` are the least and greatest value
    /// of the panel, which stand in for a missing `min` or `max`; without them, 0 and 100.
    pub fn new(
        options: &FieldOptions,
        kind: FieldKind,
        data: Option<(f64, f64)>,
        now: Timestamp,
        zone: &TimeZone,
    ) -> Self {
        let (min, max) = data.unwrap_or((0.0, 100.0));
        Self {
            unit: options.unit.as_deref().filter(|unit| !unit.is_empty()).map(str::to_owned),
            decimals: options.decimals,
            kind,
            no_value: options.no_value.as_deref().map(str::to_owned),
            mappings: Mappings::new(&options.mappings),
            thresholds: options.thresholds.clone(),
            colour: options.colour.clone(),
            min: options.min.unwrap_or(min),
            max: options.max.unwrap_or(max),
            now,
            zone: zone.clone(),
        }
    }

    /// The range of the values: `min` and `max` of the options, or of the data.
    pub fn range(&self) -> (f64, f64) {
        (self.min, self.max)
    }

    /// A number as the field shows it.
    pub fn number(&self, value: f64) -> ShownValue {
        self.cell(&FrameCell::Number(value))
    }

    /// Any value as the field shows it. A missing value is the text for no value, without a number.
    pub fn cell(&self, cell: &FrameCell) -> ShownValue {
        let mapped = self.mappings.of(cell);
        let number = self.as_number(cell);
        let share = number.filter(|number| number.is_finite()).and_then(|number| self.share(number));
        let mut shown = ShownValue { number, share, ..ShownValue::default() };
        if let Some(text) = mapped.as_ref().and_then(|mapped| mapped.text.clone()) {
            shown.text = text;
        } else {
            match (number, cell) {
                (_, FrameCell::Bool(is)) => shown.text = self.truth(*is),
                (Some(number), _) => {
                    let UnitText { prefix, text, suffix } = self.unit_text(number, self.decimals);
                    (shown.prefix, shown.text, shown.suffix) = (prefix, text, suffix);
                }
                (None, _) => shown.text = cell.plain(),
            }
            if shown.text.is_empty() && *cell == FrameCell::Nothing {
                shown.text = self.no_value.clone().unwrap_or_default();
            }
        }
        let by_value = || {
            let value = number.filter(|number| !number.is_nan()).unwrap_or(f64::NEG_INFINITY);
            colour::colour_of(self.colour.as_ref(), self.thresholds.as_ref(), value, share)
        };
        shown.colour = mapped.and_then(|mapped| mapped.colour).or_else(by_value);
        shown
    }

    fn as_number(&self, cell: &FrameCell) -> Option<f64> {
        match cell {
            FrameCell::Text(_) if self.unit.as_deref().is_none_or(|unit| unit == "string") => None,
            FrameCell::Nothing
            | FrameCell::Time(_)
            | FrameCell::Number(_)
            | FrameCell::Text(_)
            | FrameCell::Bool(_) => cell.number(),
        }
    }

    /// The unit's text of a number; moments need the zone and the time.
    fn unit_text(&self, number: f64, decimals: Option<u8>) -> UnitText {
        let found = self.unit.as_deref().and_then(units::find);
        let how = match found {
            Some(Unit::Moment(how)) => Some(how),
            Some(_) | None if self.kind == FieldKind::Time => {
                Some(MomentPattern::Always("YYYY-MM-DD HH:mm:ss"))
            }
            Some(_) | None => None,
        };
        if let Some(how) = how {
            return UnitText::of(moment::moment(number, how, self.now, &self.zone), "");
        }
        let mut out = format_number(number, self.unit.as_deref(), decimals);
        let is_text = matches!(found, Some(Unit::Bool(..)));
        if decimals.is_none() && self.kind == FieldKind::Number && !is_text {
            out.text = trimmed(&out.text).into_owned();
        }
        out
    }

    fn truth(&self, is: bool) -> String {
        let (yes, no) = match self.unit.as_deref().and_then(units::find) {
            Some(Unit::Bool(yes, no)) => (yes, no),
            Some(_) | None => ("True", "False"),
        };
        (if is { yes } else { no }).to_owned()
    }

    fn share(&self, number: f64) -> Option<f64> {
        let share = (number - self.min) / (self.max - self.min);
        share.is_finite().then_some(share)
    }
}

/// The kind of a column.
pub fn kind_of(values: &FieldValues) -> FieldKind {
    match values {
        FieldValues::Times(_) => FieldKind::Time,
        FieldValues::Numbers(_) => FieldKind::Number,
        FieldValues::Texts(_) => FieldKind::Text,
        FieldValues::Bools(_) => FieldKind::Bool,
    }
}

/// The least and the greatest number of all fields; `None` without numbers.
pub fn data_range(frames: &[DataFrame]) -> Option<(f64, f64)> {
    let mut range: Option<(f64, f64)> = None;
    for field in frames.iter().flat_map(|frame| &frame.fields) {
        let FieldValues::Numbers(numbers) = &field.values else { continue };
        for number in numbers.iter().flatten().copied().filter(|number| number.is_finite()) {
            let (min, max) = range.unwrap_or((number, number));
            range = Some((min.min(number), max.max(number)));
        }
    }
    range
}
