//! Steps on rows: filter, sort, limit, group.

use std::collections::HashMap;

use regex::Regex;

use super::columns::{column, compare, find, key, like, taken, with_rows};
use crate::model::dashboard::display::mapping::compiled;
use crate::model::dashboard::display::naming::default_name;
use crate::model::dashboard::field::Reducer;
use crate::model::dashboard::panel::SortDirection;
use crate::model::dashboard::reduce::reduce;
use crate::model::dashboard::transformation::{GroupUse, RowCondition};
use crate::model::frame::{DataFrame, FrameCell};
use crate::model::labels::Text;

/// Keeps or drops the rows for which one or all conditions hold. A condition on a field that a frame does not have is left out.
pub(super) fn filter(
    frames: Vec<DataFrame>,
    conditions: &[RowCondition],
    needs_all: bool,
    is_exclude: bool,
) -> Vec<DataFrame> {
    let patterns: Vec<Option<Regex>> = conditions
        .iter()
        .map(|one| (&*one.op == "regex").then(|| compiled(one.operands.first()?)).flatten())
        .collect();
    let names = places(&frames, &conditions.iter().map(|one| &*one.field));
    let filtered = frames.into_iter().zip(names).map(|(frame, places)| {
        let known: Vec<_> = conditions.iter().zip(&patterns).zip(&places).collect();
        let known: Vec<_> =
            known.into_iter().filter_map(|((one, pattern), place)| Some((one, pattern, (*place)?))).collect();
        if known.is_empty() {
            return frame;
        }
        let holds = |row: usize| {
            let mut each = known.iter().map(|(one, pattern, place)| {
                let cell = frame.fields.get(*place).map(|field| field.values.cell(row)).unwrap_or_default();
                is_so(one, pattern.as_ref(), &cell)
            });
            if needs_all { each.all(|is| is) } else { each.any(|is| is) }
        };
        let rows: Vec<usize> = (0..frame.rows()).filter(|row| holds(*row) != is_exclude).collect();
        with_rows(frame, &rows)
    });
    filtered.collect()
}

/// For each frame, where these fields are.
fn places<'a>(
    frames: &[DataFrame],
    names: &(impl Iterator<Item = &'a str> + Clone),
) -> Vec<Vec<Option<usize>>> {
    frames.iter().map(|frame| names.clone().map(|name| find(frames, frame, name)).collect()).collect()
}

#[expect(clippy::float_cmp, reason = "Grafana compares exactly, too")]
fn is_so(one: &RowCondition, pattern: Option<&Regex>, cell: &FrameCell) -> bool {
    let first = one.operands.first().map_or("", |operand| operand);
    let number = |operand: Option<&Text>| operand.and_then(|operand| operand.trim().parse::<f64>().ok());
    let compared = |is: fn(f64, f64) -> bool| match (cell.number(), number(one.operands.first())) {
        (Some(value), Some(limit)) => is(value, limit),
        _ => false,
    };
    let is_equal = || match (cell.number(), first.trim().parse::<f64>().ok()) {
        (Some(value), Some(wanted)) => value == wanted,
        _ => cell.plain() == first,
    };
    let has_part = || cell.plain().to_lowercase().contains(&first.to_lowercase());
    match &*one.op {
        "isNull" => *cell == FrameCell::Nothing,
        "isNotNull" => *cell != FrameCell::Nothing,
        "greater" => compared(|value, limit| value > limit),
        "greaterOrEqual" => compared(|value, limit| value >= limit),
        "lower" => compared(|value, limit| value < limit),
        "lowerOrEqual" => compared(|value, limit| value <= limit),
        "notEqual" => !is_equal(),
        "substring" => has_part(),
        "notSubstring" => !has_part(),
        "regex" => pattern.is_some_and(|pattern| pattern.is_match(&cell.plain())),
        "range" | "between" => {
            match (cell.number(), number(one.operands.first()), number(one.operands.get(1))) {
                (Some(value), Some(from), Some(to)) => value > from && value < to,
                _ => false,
            }
        }
        _ => is_equal(),
    }
}

/// Sorts the rows of each frame; missing values are last.
pub(super) fn sort(frames: Vec<DataFrame>, field: &str, direction: SortDirection) -> Vec<DataFrame> {
    let places = places(&frames, &std::iter::once(field));
    let sorted = frames.into_iter().zip(places).map(|(frame, places)| {
        let Some(by) = places.first().copied().flatten().and_then(|place| frame.fields.get(place)) else {
            return frame;
        };
        let cells: Vec<FrameCell> = by.values.cells().collect();
        let cell = |row: &usize| cells.get(*row).cloned().unwrap_or_default();
        let mut rows: Vec<usize> = (0..frame.rows()).collect();
        rows.sort_by(|a, b| {
            let (a, b) = (cell(a), cell(b));
            let is_missing = a == FrameCell::Nothing || b == FrameCell::Nothing;
            match direction {
                SortDirection::Descending if !is_missing => compare(&b, &a),
                SortDirection::Ascending | SortDirection::Descending => compare(&a, &b),
            }
        });
        with_rows(frame, &rows)
    });
    sorted.collect()
}

pub(super) fn limit(frames: Vec<DataFrame>, rows: u32) -> Vec<DataFrame> {
    let limited = frames.into_iter().map(|frame| {
        let kept: Vec<usize> = (0..frame.rows().min(rows as usize)).collect();
        with_rows(frame, &kept)
    });
    limited.collect()
}

/// A row for each combination of the values of the key fields, with the reduced values of others as `name (reducer)`.
pub(super) fn group(frames: Vec<DataFrame>, uses: &[(Text, GroupUse)]) -> Vec<DataFrame> {
    let all = frames.clone();
    frames.into_iter().filter_map(|frame| grouped(&all, frame, uses)).collect()
}

fn grouped(frames: &[DataFrame], frame: DataFrame, uses: &[(Text, GroupUse)]) -> Option<DataFrame> {
    let used = |place: usize| {
        let field = frame.fields.get(place)?;
        let name = default_name(frames, &frame, field);
        let wanted = uses.iter().find(|(wanted, _)| **wanted == *name || *wanted == field.name);
        wanted.map(|(_, how)| (place, name, how))
    };
    let used: Vec<(usize, String, &GroupUse)> = (0..frame.fields.len()).filter_map(used).collect();
    let keys: Vec<usize> =
        used.iter().filter(|(_, _, how)| **how == GroupUse::Key).map(|(place, _, _)| *place).collect();
    if keys.is_empty() {
        return None;
    }
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut known: HashMap<Vec<(u8, String)>, usize> = HashMap::new();
    for row in 0..frame.rows() {
        let cells = keys
            .iter()
            .filter_map(|place| frame.fields.get(*place))
            .map(|field| key(&field.values.cell(row)));
        let next = groups.len();
        let at = *known.entry(cells.collect()).or_insert(next);
        if at == next {
            groups.push(Vec::new());
        }
        if let Some(group) = groups.get_mut(at) {
            group.push(row);
        }
    }
    let mut fields = Vec::new();
    for (place, name, how) in used {
        let Some(field) = frame.fields.get(place) else { continue };
        match how {
            GroupUse::Key => {
                let firsts: Vec<Option<usize>> = groups.iter().map(|rows| rows.first().copied()).collect();
                fields.push(like(field, taken(&field.values, &firsts)));
            }
            GroupUse::Values(reducers) => {
                for reducer in reducers {
                    let cells: Vec<FrameCell> = groups
                        .iter()
                        .map(|rows| {
                            let rows: Vec<Option<usize>> = rows.iter().copied().map(Some).collect();
                            reduce(&taken(&field.values, &rows), *reducer)
                        })
                        .collect();
                    let mut made = like(field, column(&cells));
                    made.name = format!("{name} ({})", id(*reducer)).into();
                    made.display_name = None;
                    made.labels = crate::model::labels::Labels::default();
                    fields.push(made);
                }
            }
        }
    }
    Some(DataFrame { fields, ..frame })
}

/// Grafana's id of a reducer, which names of grouped fields have.
fn id(reducer: Reducer) -> String {
    let id = match reducer {
        Reducer::Last => "last",
        Reducer::LastNotNull => "lastNotNull",
        Reducer::First => "first",
        Reducer::FirstNotNull => "firstNotNull",
        Reducer::Min => "min",
        Reducer::Max => "max",
        Reducer::Mean => "mean",
        Reducer::Median => "median",
        Reducer::Sum => "sum",
        Reducer::Count => "count",
        Reducer::Range => "range",
        Reducer::Delta => "delta",
        Reducer::Step => "step",
        Reducer::Diff => "diff",
        Reducer::DiffPercent => "diffperc",
        Reducer::MinAboveZero => "logmin",
        Reducer::StandardDeviation => "stdDev",
        Reducer::Variance => "variance",
        Reducer::AllIsZero => "allIsZero",
        Reducer::AllIsNull => "allIsNull",
        Reducer::ChangeCount => "changeCount",
        Reducer::DistinctCount => "distinctCount",
        Reducer::Percentile(n) => return format!("p{n}"),
    };
    id.to_owned()
}
