//! What the values of a query measure, as far as its text and the naming conventions of metrics show.

use super::lint::is_set;
use super::tree::{BinaryNode, SyntaxKind, SyntaxTree};

/// The dimension of the values of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimension {
    /// A part of a whole, usually 0 to 1.
    Ratio,
    /// Events per second.
    PerSecond,
    Seconds,
    /// Anything else.
    Plain,
}

/// The dimension of a query's values. Source of the suffixes: "Metric and label naming" of the Prometheus documentation.
pub fn dimension(query: &str) -> Dimension {
    super::syntax(query).map_or(Dimension::Plain, |tree| of(&tree, tree.root))
}

fn of(tree: &SyntaxTree<'_>, node: usize) -> Dimension {
    match tree.kind(node) {
        SyntaxKind::Number(_) | SyntaxKind::Text => Dimension::Plain,
        SyntaxKind::Selector(selector) => of_name(selector.name.as_deref().unwrap_or_default()),
        SyntaxKind::Range { inner, .. }
        | SyntaxKind::Subquery { inner }
        | SyntaxKind::Paren(inner)
        | SyntaxKind::Signed { inner, .. } => of(tree, *inner),
        SyntaxKind::Binary(binary) => of_binary(tree, binary),
        SyntaxKind::Aggregation(aggregation) => match &*aggregation.name.to_ascii_lowercase() {
            "count" | "count_values" | "group" => Dimension::Plain,
            _ => aggregation.arguments.last().map_or(Dimension::Plain, |last| of(tree, *last)),
        },
        SyntaxKind::Call { name, arguments } => {
            let inner = arguments.iter().find(|one| !tree.selectors(**one).is_empty());
            let inner = inner.map_or(Dimension::Plain, |inner| of(tree, *inner));
            match *name {
                // seconds per second are the share of a core, a thread or an interval
                "rate" | "irate" | "deriv" if inner == Dimension::Seconds => Dimension::Ratio,
                // bytes and other units per second are more than a number of events
                "rate" | "irate" if inner == Dimension::Plain && is_of_events(tree, node) => {
                    Dimension::PerSecond
                }
                "rate" | "irate" | "deriv" | "count_over_time" | "changes" | "resets" | "timestamp"
                | "absent" | "absent_over_time" | "present_over_time" | "day_of_month" | "hour" | "sgn"
                | "histogram_count" => Dimension::Plain,
                "histogram_fraction" => Dimension::Ratio,
                "histogram_quantile" | "histogram_avg" => of_first_name(tree, node),
                _ => inner,
            }
        }
    }
}

/// The dimension of the observations of the first histogram in a part.
fn of_first_name(tree: &SyntaxTree<'_>, node: usize) -> Dimension {
    let selectors = tree.selectors(node);
    let name = selectors.first().and_then(|selector| selector.name.as_deref()).unwrap_or_default();
    of_name(name.trim_end_matches("_bucket"))
}

fn of_name(name: &str) -> Dimension {
    let base = name.strip_suffix("_total").unwrap_or(name);
    if name.ends_with("_timestamp_seconds") {
        Dimension::Plain
    } else if base.ends_with("_seconds") || base.ends_with("_seconds_sum") {
        Dimension::Seconds
    } else if base.ends_with("_ratio") || name.contains(":ratio") {
        Dimension::Ratio
    } else {
        Dimension::Plain
    }
}

/// Whether the counters of a part count events and not bytes or other units.
fn is_of_events(tree: &SyntaxTree<'_>, node: usize) -> bool {
    let is_unit = |name: &str| ["bytes", "bits", "joules"].iter().any(|unit| name.contains(unit));
    tree.selectors(node).iter().all(|selector| selector.name.as_ref().is_none_or(|name| !is_unit(name)))
}

fn of_binary(tree: &SyntaxTree<'_>, binary: &BinaryNode<'_>) -> Dimension {
    let (left, right) = (of(tree, binary.left), of(tree, binary.right));
    let [left_is_number, right_is_number] =
        [binary.left, binary.right].map(|side| tree.constant(side).is_some());
    match binary.operator {
        _ if binary.is_bool => Dimension::Plain,
        "==" | "!=" | ">" | "<" | ">=" | "<=" => {
            if left_is_number {
                right
            } else {
                left
            }
        }
        "+" | "-" => match (left_is_number, right_is_number) {
            // 1 - ratio
            (true, _) => right,
            (_, true) => left,
            _ if left == right => left,
            _ => Dimension::Plain,
        },
        // a scaled ratio may be a percentage
        "/" if left_is_number || right_is_number => Dimension::Plain,
        "/" if is_mean(tree, binary) => of_first_name(tree, binary.left),
        "/" if left == right && has_same_unit(tree, binary) => Dimension::Ratio,
        operator if is_set(operator) => left,
        _ => Dimension::Plain,
    }
}

/// Whether this divides the sum of observations by their number.
fn is_mean(tree: &SyntaxTree<'_>, binary: &BinaryNode<'_>) -> bool {
    let ends = |side: usize, suffix: &str| {
        tree.selectors(side).iter().all(|one| one.name.as_ref().is_some_and(|name| name.ends_with(suffix)))
    };
    ends(binary.left, "_sum") && ends(binary.right, "_count")
}

/// Whether both sides have the unit of their metrics' names: bytes by bytes, events by events.
fn has_same_unit(tree: &SyntaxTree<'_>, binary: &BinaryNode<'_>) -> bool {
    is_of_events(tree, binary.left) == is_of_events(tree, binary.right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_query_measures_is_read_from_its_text() {
        for (query, expected) in [
            ("up", Dimension::Plain),
            ("sum by (a) (rate(http_requests_total[5m]))", Dimension::PerSecond),
            ("rate(node_network_receive_bytes_total[5m])", Dimension::Plain),
            ("rate(process_cpu_seconds_total[5m])", Dimension::Ratio),
            ("sum(rate(e_total[5m])) / sum(rate(a_total[5m]))", Dimension::Ratio),
            ("1 - sum(rate(e_total[5m])) / sum(rate(a_total[5m]))", Dimension::Ratio),
            ("100 * sum(rate(e_total[5m])) / sum(rate(a_total[5m]))", Dimension::Plain),
            ("node_memory_free_bytes / node_memory_total_bytes", Dimension::Ratio),
            ("histogram_quantile(0.9, sum by (le) (rate(x_seconds_bucket[5m])))", Dimension::Seconds),
            ("rate(x_seconds_sum[5m]) / rate(x_seconds_count[5m])", Dimension::Seconds),
            ("max(request_seconds) > 5", Dimension::Seconds),
            ("time() - start_timestamp_seconds", Dimension::Plain),
            ("count(x_seconds)", Dimension::Plain),
            ("service:errors:ratio_rate5m", Dimension::Ratio),
            ("sum(", Dimension::Plain),
        ] {
            assert_eq!(dimension(query), expected, "{query}");
        }
    }
}
