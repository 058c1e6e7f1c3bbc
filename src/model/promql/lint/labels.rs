//! Which labels the series of an expression can have, as far as its text shows.

use std::collections::BTreeSet;

use super::super::tree::{AggregationNode, BinaryNode, SyntaxKind, SyntaxTree};

/// The labels that the series of a part can have; `None` if the text does not limit them.
pub(super) fn possible(tree: &SyntaxTree<'_>, node: usize) -> Option<BTreeSet<String>> {
    match tree.kind(node) {
        SyntaxKind::Number(_) | SyntaxKind::Text => Some(BTreeSet::new()),
        SyntaxKind::Selector(_) => None,
        SyntaxKind::Range { inner, .. }
        | SyntaxKind::Subquery { inner }
        | SyntaxKind::Paren(inner)
        | SyntaxKind::Signed { inner, .. } => possible(tree, *inner),
        SyntaxKind::Aggregation(aggregation) => of_aggregation(tree, aggregation),
        SyntaxKind::Binary(binary) => of_binary(tree, binary),
        SyntaxKind::Call { name, arguments } => of_call(tree, name, arguments),
    }
}

/// The aggregations that keep the labels of their series.
pub(in crate::model::promql) fn keeps_series(aggregation: &str) -> bool {
    ["topk", "bottomk", "limitk", "limit_ratio"].iter().any(|name| name.eq_ignore_ascii_case(aggregation))
}

fn of_aggregation(tree: &SyntaxTree<'_>, aggregation: &AggregationNode<'_>) -> Option<BTreeSet<String>> {
    let inner =
        aggregation.arguments.last().map_or_else(|| Some(BTreeSet::new()), |last| possible(tree, *last));
    if keeps_series(aggregation.name) || aggregation.name.eq_ignore_ascii_case("count_values") {
        // count_values adds a label whose name is a string
        return inner.filter(|_| keeps_series(aggregation.name));
    }
    match &aggregation.grouping {
        None => Some(BTreeSet::new()),
        Some(by) if by.is_positive => {
            let labels = by.labels.iter().cloned();
            Some(match inner {
                Some(inner) => labels.filter(|label| inner.contains(label)).collect(),
                None => labels.collect(),
            })
        }
        Some(without) => inner.map(|mut inner| {
            inner.retain(|label| !without.labels.contains(label));
            inner
        }),
    }
}

fn of_binary(tree: &SyntaxTree<'_>, binary: &BinaryNode<'_>) -> Option<BTreeSet<String>> {
    if tree.constant(binary.left).is_some() {
        return possible(tree, binary.right);
    }
    let left = possible(tree, binary.left);
    if tree.constant(binary.right).is_some() || is_set(binary.operator) {
        let is_or = binary.operator.eq_ignore_ascii_case("or");
        return if is_or { left.zip(possible(tree, binary.right)).map(|(a, b)| &a | &b) } else { left };
    }
    match (&binary.matching, &binary.included) {
        (Some(on), None) if on.is_positive => Some(on.labels.iter().cloned().collect()),
        (_, Some(included)) if !included.is_positive => {
            possible(tree, binary.right).map(|right| &right | &included.labels.iter().cloned().collect())
        }
        (_, Some(included)) => left.map(|left| &left | &included.labels.iter().cloned().collect()),
        (_, None) => left,
    }
}

/// Whether an operator combines sets of series and calculates nothing.
pub(in crate::model::promql) fn is_set(operator: &str) -> bool {
    ["and", "or", "unless"].iter().any(|set| set.eq_ignore_ascii_case(operator))
}

fn of_call(tree: &SyntaxTree<'_>, name: &str, arguments: &[usize]) -> Option<BTreeSet<String>> {
    match name {
        "time" | "vector" | "scalar" | "pi" => Some(BTreeSet::new()),
        // they have the labels of the selector's matchers, or new labels
        "absent" | "absent_over_time" | "label_replace" | "label_join" | "info" => None,
        "histogram_quantile" | "histogram_fraction" => {
            let mut inner = possible(tree, *arguments.last()?)?;
            inner.remove("le");
            Some(inner)
        }
        // the only argument with series has their labels
        _ => {
            let with_series = arguments.iter().find(|one| !tree.selectors(**one).is_empty())?;
            possible(tree, *with_series)
        }
    }
}
