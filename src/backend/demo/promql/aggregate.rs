//! Aggregation operators such as `sum by (...)`.

use std::collections::BTreeMap;

use promql_parser::parser::AggregateExpr;

use super::window::{quantile, reduce, written};
use super::{Eval, EvaluatedSeries, grouped, joined, modified, non_empty};
use crate::model::labels::Labels;

impl Eval<'_> {
    /// Evaluates an aggregation.
    pub(super) fn aggregated(self, aggregate: &AggregateExpr) -> Result<Vec<EvaluatedSeries>, String> {
        let op = aggregate.op.to_string();
        let lines = self.lines(&aggregate.expr)?;
        let modifier = aggregate.modifier.as_ref();
        let groups = grouped(&lines, |labels| modifier.map(|by| modified(labels, by)).unwrap_or_default());
        let param = || aggregate.param.as_deref().ok_or_else(|| format!("{op} takes a parameter"));
        match &*op {
            "topk" | "bottomk" => {
                let counts = self.scalars(param()?)?;
                let most = groups.into_values().flat_map(|group| chosen(&group, &counts, op == "topk"));
                Ok(non_empty(most))
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
