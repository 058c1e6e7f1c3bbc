//! Reducers: one value of many, as Grafana's panels, legends and transformations make it (`fieldReducer` of `grafana-data`).

use std::collections::HashSet;

use super::field::Reducer;
use crate::model::frame::{FieldValues, FrameCell};

impl Reducer {
    /// The reducer with this id of Grafana, also of old versions (`avg`, `current`, `total`); `None` if it is not known.
    pub fn from_id(id: &str) -> Option<Self> {
        Some(match id {
            "last" => Self::Last,
            "lastNotNull" | "current" => Self::LastNotNull,
            "first" => Self::First,
            "firstNotNull" => Self::FirstNotNull,
            "min" => Self::Min,
            "max" => Self::Max,
            "mean" | "avg" => Self::Mean,
            "median" => Self::Median,
            "sum" | "total" => Self::Sum,
            "count" => Self::Count,
            "range" => Self::Range,
            "delta" => Self::Delta,
            "step" => Self::Step,
            "diff" => Self::Diff,
            "diffperc" => Self::DiffPercent,
            "logmin" => Self::MinAboveZero,
            "stdDev" => Self::StandardDeviation,
            "variance" => Self::Variance,
            "allIsZero" => Self::AllIsZero,
            "allIsNull" => Self::AllIsNull,
            "changeCount" => Self::ChangeCount,
            "distinctCount" => Self::DistinctCount,
            _ => {
                return id
                    .strip_prefix('p')?
                    .parse()
                    .ok()
                    .filter(|n| (1..=99).contains(n))
                    .map(Self::Percentile);
            }
        })
    }

    /// How Grafana calls it in legends and tables.
    pub fn title(self) -> String {
        let word = match self {
            Self::Last => "Last",
            Self::LastNotNull => "Last *",
            Self::First => "First",
            Self::FirstNotNull => "First *",
            Self::Min => "Min",
            Self::Max => "Max",
            Self::Mean => "Mean",
            Self::Median => "Median",
            Self::Sum => "Total",
            Self::Count => "Count",
            Self::Range => "Range",
            Self::Delta => "Delta",
            Self::Step => "Step",
            Self::Diff => "Difference",
            Self::DiffPercent => "Difference percent",
            Self::MinAboveZero => "Min (above zero)",
            Self::StandardDeviation => "StdDev",
            Self::Variance => "Variance",
            Self::AllIsZero => "All zeros",
            Self::AllIsNull => "All nulls",
            Self::ChangeCount => "Change count",
            Self::DistinctCount => "Distinct count",
            Self::Percentile(n) => return format!("{n}{} %", ordinal(n)),
        };
        word.to_owned()
    }

    /// Whether its result has the unit of the values.
    pub fn keeps_unit(self) -> bool {
        !matches!(
            self,
            Self::Count
                | Self::ChangeCount
                | Self::DistinctCount
                | Self::AllIsNull
                | Self::AllIsZero
                | Self::DiffPercent
        )
    }
}

fn ordinal(n: u8) -> &'static str {
    match (n % 10, n / 10) {
        (_, 1) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    }
}

/// The reduced value of a column. First, last and the counts work for all columns, the others for numbers; a column of times or
/// texts has no mean.
#[expect(clippy::cast_possible_truncation, reason = "clamped to the range of the type")]
pub fn reduce(values: &FieldValues, reducer: Reducer) -> FrameCell {
    let cells = || values.cells().filter(|cell| *cell != FrameCell::Nothing);
    match reducer {
        Reducer::First => values.cell(0),
        Reducer::Last => values.cell(values.count().saturating_sub(1)),
        Reducer::FirstNotNull => cells().find(is_number_or_other).unwrap_or_default(),
        Reducer::LastNotNull => last_of(values),
        Reducer::Count => FrameCell::Number(cells().count() as f64),
        Reducer::AllIsNull => FrameCell::Bool(cells().next().is_none()),
        Reducer::ChangeCount => FrameCell::Number(changes(cells()) as f64),
        Reducer::DistinctCount => {
            FrameCell::Number(cells().map(|cell| cell.plain()).collect::<HashSet<_>>().len() as f64)
        }
        Reducer::AllIsZero => FrameCell::Bool(numbers(values).is_some_and(|all| {
            !all.is_empty() && all.iter().all(|value| value.is_some_and(|value| value == 0.0))
        })),
        Reducer::Min
        | Reducer::Max
        | Reducer::Mean
        | Reducer::Median
        | Reducer::Sum
        | Reducer::Range
        | Reducer::Delta
        | Reducer::Step
        | Reducer::Diff
        | Reducer::DiffPercent
        | Reducer::MinAboveZero
        | Reducer::StandardDeviation
        | Reducer::Variance
        | Reducer::Percentile(_) => numbers(values).and_then(|all| reduce_numbers(&all, reducer)).map_or(
            FrameCell::Nothing,
            |value| match values {
                FieldValues::Times(_) => {
                    FrameCell::Time(value.clamp(i64::MIN as f64, i64::MAX as f64) as i64)
                }
                FieldValues::Numbers(_) | FieldValues::Texts(_) | FieldValues::Bools(_) => {
                    FrameCell::Number(value)
                }
            },
        ),
    }
}

fn is_number_or_other(cell: &FrameCell) -> bool {
    !matches!(cell, FrameCell::Number(number) if number.is_nan())
}

fn last_of(values: &FieldValues) -> FrameCell {
    let mut rows = (0..values.count()).rev().map(|row| values.cell(row));
    rows.find(|cell| *cell != FrameCell::Nothing && is_number_or_other(cell)).unwrap_or_default()
}

fn numbers(values: &FieldValues) -> Option<Vec<Option<f64>>> {
    match values {
        FieldValues::Numbers(values) => Some(values.clone()),
        FieldValues::Bools(_) | FieldValues::Times(_) => {
            Some(values.cells().map(|cell| cell.number()).collect())
        }
        FieldValues::Texts(_) => None,
    }
}

fn changes(cells: impl Iterator<Item = FrameCell>) -> usize {
    let mut last = None;
    let mut count = 0;
    for cell in cells {
        count += usize::from(last.as_ref().is_some_and(|last| *last != cell));
        last = Some(cell);
    }
    count
}

/// The reduced value of numbers; missing values and NaN are left out. `None` if no value is left: absence is not zero.
pub fn reduce_numbers(values: &[Option<f64>], reducer: Reducer) -> Option<f64> {
    let known: Vec<f64> = values.iter().copied().flatten().filter(|value| !value.is_nan()).collect();
    let (first, last) = (known.first().copied(), known.last().copied());
    let extreme = |pick: fn(f64, f64) -> f64| known.iter().copied().reduce(pick);
    let mean = || (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64);
    let flag = |is: bool| Some(f64::from(u8::from(is)));
    match reducer {
        Reducer::Last => values.last().copied().flatten(),
        Reducer::First => values.first().copied().flatten(),
        Reducer::LastNotNull => last,
        Reducer::FirstNotNull => first,
        Reducer::Min => extreme(f64::min),
        Reducer::Max => extreme(f64::max),
        Reducer::Mean => mean(),
        Reducer::Median => percentile(known, 50.0),
        Reducer::Percentile(n) => percentile(known, f64::from(n)),
        Reducer::Sum => (!known.is_empty()).then(|| known.iter().sum()),
        Reducer::Count => Some(values.iter().flatten().count() as f64),
        Reducer::Range => Some(extreme(f64::max)? - extreme(f64::min)?),
        Reducer::Delta => delta(&known),
        Reducer::Step => {
            known.windows(2).filter_map(|pair| Some(pair.get(1)? - pair.first()?)).reduce(f64::min)
        }
        Reducer::Diff => Some(last? - first?),
        Reducer::DiffPercent => {
            let (first, last) = (first?, last?);
            Some((last - first) / first).filter(|share| share.is_finite())
        }
        Reducer::MinAboveZero => known.iter().copied().filter(|value| *value > 0.0).reduce(f64::min),
        Reducer::Variance => variance(&known),
        Reducer::StandardDeviation => variance(&known).map(f64::sqrt),
        Reducer::AllIsZero => flag(!values.is_empty() && values.iter().all(|value| *value == Some(0.0))),
        Reducer::AllIsNull => flag(values.iter().all(Option::is_none)),
        Reducer::ChangeCount => {
            Some(known.windows(2).filter(|pair| pair.first() != pair.get(1)).count() as f64)
        }
        Reducer::DistinctCount => {
            Some(known.iter().map(|value| value.to_bits()).collect::<HashSet<_>>().len() as f64)
        }
    }
}

/// The nearest-rank percentile, as Grafana takes it: the value at `round((n - 1) * p / 100)` of the sorted values.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place in the list; past its end is no value"
)]
fn percentile(mut known: Vec<f64>, p: f64) -> Option<f64> {
    known.sort_by(f64::total_cmp);
    let at = ((known.len().checked_sub(1)? as f64) * p / 100.0).round();
    known.get(at as usize).copied()
}

/// The population variance, which Grafana computes (it divides by the number of values).
fn variance(known: &[f64]) -> Option<f64> {
    if known.is_empty() {
        return None;
    }
    let mean = known.iter().sum::<f64>() / known.len() as f64;
    Some(known.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / known.len() as f64)
}

/// The increase of a counter: after a reset it counts from zero.
fn delta(known: &[f64]) -> Option<f64> {
    known.first()?;
    let increase = |pair: &[f64]| {
        let (before, after) = (pair.first()?, pair.get(1)?);
        Some(if after < before { *after } else { after - before })
    };
    Some(known.windows(2).filter_map(increase).sum())
}
