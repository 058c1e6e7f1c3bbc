//! A field that is calculated from others (`calculateField`).

use super::columns::{find, is_series};
use super::join::join;
use crate::model::dashboard::display::naming::default_name;
use crate::model::dashboard::field::Reducer;
use crate::model::dashboard::reduce::reduce_numbers;
use crate::model::dashboard::transformation::Calculation;
use crate::model::frame::{DataFrame, FieldValues, FrameField};
use crate::model::labels::Text;

/// Series of several frames are joined by time before.
pub(super) fn calculate(
    mut frames: Vec<DataFrame>,
    calculation: &Calculation,
    alias: Option<&Text>,
    replaces: bool,
    notes: &mut Vec<Text>,
) -> Vec<DataFrame> {
    if frames.len() > 1 && frames.iter().all(is_series) {
        frames = join(frames, None, false, notes);
    }
    let made: Vec<Option<(String, Vec<Option<f64>>)>> =
        frames.iter().map(|frame| result(&frames, frame, calculation)).collect();
    if made.iter().all(Option::is_none) && !frames.is_empty() {
        notes.push("A calculation names fields that the data do not have.".into());
    }
    for (frame, made) in frames.iter_mut().zip(made) {
        let Some((name, values)) = made else { continue };
        let name = alias.cloned().unwrap_or_else(|| name.into());
        if replaces {
            frame.fields.retain(|field| matches!(field.values, FieldValues::Times(_)));
        }
        frame.fields.push(FrameField::named(name, FieldValues::Numbers(values)));
    }
    frames
}

fn result(
    frames: &[DataFrame],
    frame: &DataFrame,
    calculation: &Calculation,
) -> Option<(String, Vec<Option<f64>>)> {
    let rows = frame.rows();
    match calculation {
        Calculation::Index => Some(("Row".to_owned(), (0..rows).map(|row| Some(row as f64)).collect())),
        Calculation::Unary { op, field } => {
            let of = operand(frames, frame, field)?;
            Some((format!("{op}({field})"), (0..rows).map(|row| unary(op, of.at(row)?)).collect()))
        }
        Calculation::Binary { left, op, right } => {
            let (of_left, of_right) = (operand(frames, frame, left)?, operand(frames, frame, right)?);
            let values = (0..rows).map(|row| binary(op, of_left.at(row)?, of_right.at(row)?));
            Some((format!("{left} {op} {right}"), values.collect()))
        }
        Calculation::RowReduce { fields, reducer } => {
            let used = numbers(frames, frame, fields);
            if used.is_empty() {
                return None;
            }
            let value = |row: usize| {
                let of_row: Vec<Option<f64>> =
                    used.iter().map(|field| field.values.cell(row).number()).collect();
                reduce_numbers(&of_row, *reducer)
            };
            Some((title(*reducer), (0..rows).map(value).collect()))
        }
    }
}

fn title(reducer: Reducer) -> String {
    reducer.title()
}

/// The fields of these names; all numbers if none is named.
fn numbers<'a>(frames: &[DataFrame], frame: &'a DataFrame, names: &[Text]) -> Vec<&'a FrameField> {
    let is_number = |field: &&FrameField| matches!(field.values, FieldValues::Numbers(_));
    let is_named = |field: &&FrameField| {
        names.is_empty() || {
            let shown = default_name(frames, frame, field);
            names.iter().any(|name| **name == *shown || *name == field.name)
        }
    };
    frame.fields.iter().filter(is_number).filter(is_named).collect()
}

enum CalculationOperand<'a> {
    Field(&'a FrameField),
    Number(f64),
}

impl CalculationOperand<'_> {
    fn at(&self, row: usize) -> Option<f64> {
        match self {
            Self::Field(field) => field.values.cell(row).number(),
            Self::Number(number) => Some(*number),
        }
    }
}

fn operand<'a>(frames: &[DataFrame], frame: &'a DataFrame, name: &str) -> Option<CalculationOperand<'a>> {
    let field = find(frames, frame, name).and_then(|place| frame.fields.get(place));
    field
        .map(CalculationOperand::Field)
        .or_else(|| Some(CalculationOperand::Number(name.trim().parse().ok()?)))
}

/// A division by zero has no value.
#[expect(clippy::float_cmp, reason = "Grafana compares exactly, too")]
fn binary(op: &str, left: f64, right: f64) -> Option<f64> {
    let value = match op {
        "+" => left + right,
        "-" => left - right,
        "*" => left * right,
        "/" => left / right,
        "%" => left % right,
        "**" | "^" => left.powf(right),
        ">" => flag(left > right),
        ">=" => flag(left >= right),
        "<" => flag(left < right),
        "<=" => flag(left <= right),
        "=" | "==" => flag(left == right),
        "!=" => flag(left != right),
        _ => return None,
    };
    value.is_finite().then_some(value)
}

fn flag(is: bool) -> f64 {
    f64::from(u8::from(is))
}

fn unary(op: &str, value: f64) -> Option<f64> {
    let value = match op {
        "abs" => value.abs(),
        "exp" => value.exp(),
        "ln" => value.ln(),
        "log2" => value.log2(),
        "log10" => value.log10(),
        "floor" => value.floor(),
        "ceil" => value.ceil(),
        "round" => value.round(),
        "sqrt" => value.sqrt(),
        "sign" => {
            if value == 0.0 {
                0.0
            } else {
                value.signum()
            }
        }
        _ => return None,
    };
    value.is_finite().then_some(value)
}
