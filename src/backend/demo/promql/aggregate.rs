//! Aggregation operators such as `sum by (...)`.

use std::collections::BTreeMap;

use promql_parser::parser::{AggregateExpr, Expr, LabelModifier};

use super::window::{quantile, reduce, written};
use super::{Eval, EvaluatedSeries, Summed, grouped, joined, modified, non_empty};
use crate::model::labels::Labels;
use crate::model::promql::bare;

impl Eval<'_> {
    /// Evaluates an aggregation.
    pub(super) fn aggregated(self, aggregate: &AggregateExpr) -> Result<Vec<EvaluatedSeries>, String> {
        let op = aggregate.op.to_string();
        let modifier = aggregate.modifier.as_ref();
        let summed = summed(&op, &aggregate.expr, modifier);
        let inner: Eval<'_> = self;
        let lines = Eval { summed, ..inner }.lines(&aggregate.expr)?;
        // the counts are added up
        let op = if summed.is_some_and(|summed| summed.counts) { "sum".to_owned() } else { op };
        let groups = grouped(&lines, |labels| modifier.map(|by| modified(labels, by)).unwrap_or_default());
        let param = || aggregate.param.as_deref().ok_or_else(|| format!("{op} takes a parameter"));
        match &*op {
            "topk" | "bottomk" => {
                let counts = self.scalars(param()?)?;
                let most = groups.into_values().flat_map(|group| chosen(&group, &counts, op == "topk"));
                Ok(non_empty(most))
            }
            "limitk" => {
                let counts = self.scalars(param()?)?;
                Ok(non_empty(groups.into_values().flat_map(|group| first(&group, &counts))))
            }
            "count_values" => {
                let label = self.text(param()?)?;
                joined(groups.into_iter().flat_map(|(labels, group)| counter_age(&labels, &group, &label)))
            }
            "quantile" => {
                let shares = self.scalars(param()?)?;
                Ok(reduced(groups, |at, values| quantile(shares.get(at).copied()?, values)))
            }
            _ => {
                let reduce = reduce(&op).ok_or_else(|| format!("{op} is not simulated"))?;
                Ok(reduced(groups, |_, values| Some(reduce(values))))
            }
        }
    }
}

/// How the store can add up the series of an aggregation's argument; `None` if the single series matter.
fn summed<'a>(op: &str, expr: &Expr, by: Option<&'a LabelModifier>) -> Option<Summed<'a>> {
    let can = match op {
        "sum" => is_linear(expr),
        "count" => matches!(bare(expr), Expr::VectorSelector(_)),
        "min" | "max" | "group" => is_about_times(expr),
        _ => false,
    };
    can.then_some(Summed { by, counts: op == "count" })
}

/// Whether the values of a sum of series are the sums of their values.
fn is_linear(expr: &Expr) -> bool {
    match bare(expr) {
        Expr::VectorSelector(_) => true,
        Expr::Call(call) => {
            let argument = call.args.args.first().map(|argument| bare(argument));
            matches!(call.func.name, "rate" | "increase" | "irate")
                && matches!(argument, Some(Expr::MatrixSelector(_)))
        }
        _ => false,
    }
}

/// Whether the values are the times of samples, and so the same for all series with samples at these times.
fn is_about_times(expr: &Expr) -> bool {
    let is_number = |expr: &Expr| matches!(bare(expr), Expr::NumberLiteral(_));
    match bare(expr) {
        Expr::Call(call) if call.func.name == "timestamp" => {
            call.args.args.first().is_some_and(|argument| matches!(bare(argument), Expr::VectorSelector(_)))
        }
        Expr::Call(call) if matches!(call.func.name, "min_over_time" | "max_over_time") => {
            call.args.args.first().is_some_and(|argument| is_about_times(argument))
        }
        Expr::Subquery(subquery) => is_about_times(&subquery.expr),
        Expr::Binary(binary) => {
            !binary.op.is_set_operator() && is_about_times(&binary.lhs) && is_number(&binary.rhs)
        }
        _ => false,
    }
}

/// Reduces each group to one line, from the values that exist at each time.
fn reduced(
    groups: BTreeMap<Labels, Vec<&EvaluatedSeries>>,
    reduce: impl Fn(usize, &[f64]) -> Option<f64>,
) -> Vec<EvaluatedSeries> {
    let mut values = Vec::new();
    let line = |(labels, group): (Labels, Vec<&EvaluatedSeries>)| {
        let moments = group.first().map_or(0, |line| line.values.len());
        let at = |at: usize| {
            values.clear();
            values.extend(group.iter().filter_map(|line| line.values.get(at).copied().flatten()));
            if values.is_empty() { None } else { reduce(at, &values) }
        };
        EvaluatedSeries { labels, values: (0..moments).map(at).collect() }
    };
    non_empty(groups.into_iter().map(line))
}

/// The largest or smallest values of a group at each time (`topk`, `bottomk`).
fn chosen(group: &[&EvaluatedSeries], counts: &[f64], is_greatest: bool) -> Vec<EvaluatedSeries> {
    let mut lines: Vec<EvaluatedSeries> = group
        .iter()
        .map(|line| EvaluatedSeries { labels: line.labels.clone(), values: vec![None; line.values.len()] })
        .collect();
    for (at, count) in counts.iter().enumerate() {
        let value = |line: &&EvaluatedSeries| line.values.get(at).copied().flatten();
        let mut order: Vec<(usize, f64)> =
            group.iter().enumerate().filter_map(|(i, line)| Some((i, value(line)?))).collect();
        order.sort_by(|a, b| if is_greatest { b.1.total_cmp(&a.1) } else { a.1.total_cmp(&b.1) });
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
        for (i, value) in order.into_iter().take(count.max(0.0) as usize) {
            if let Some(slot) = lines.get_mut(i).and_then(|line| line.values.get_mut(at)) {
                *slot = Some(value);
            }
        }
    }
    if counts.len() == 1 {
        let value = |line: &EvaluatedSeries| line.values.first().copied().flatten().unwrap_or(f64::NAN);
        lines.sort_by(|a, b| {
            let order = value(a).total_cmp(&value(b));
            if is_greatest { order.reverse() } else { order }
        });
    }
    lines
}

/// Some lines of a group at each time (`limitk`): the first ones by their labels.
fn first(group: &[&EvaluatedSeries], counts: &[f64]) -> Vec<EvaluatedSeries> {
    let mut lines: Vec<EvaluatedSeries> = group.iter().map(|line| (*line).clone()).collect();
    for (at, count) in counts.iter().enumerate() {
        let mut left = count.max(0.0);
        for slot in lines.iter_mut().filter_map(|line| line.values.get_mut(at)).filter(|slot| slot.is_some())
        {
            if left < 1.0 {
                *slot = None;
            }
            left -= 1.0;
        }
    }
    lines
}

/// The number of lines with each value (`count_values`).
fn counter_age(labels: &Labels, group: &[&EvaluatedSeries], label: &str) -> Vec<EvaluatedSeries> {
    let moments = group.first().map_or(0, |line| line.values.len());
    let mut by_value: BTreeMap<String, Vec<Option<f64>>> = BTreeMap::new();
    for line in group {
        for (at, value) in line.values.iter().enumerate() {
            let Some(value) = value else { continue };
            let counts = by_value.entry(written(*value)).or_insert_with(|| vec![None; moments]);
            if let Some(count) = counts.get_mut(at) {
                *count = Some(count.unwrap_or(0.0) + 1.0);
            }
        }
    }
    let line = |(value, values)| EvaluatedSeries { labels: labels.with_strs([(label, value)]), values };
    by_value.into_iter().map(line).collect()
}
