//! The bounds of the values of an expression, as far as its text shows: a rate is never negative, `up` is 0 or 1.

use super::super::super::metric::MetricType;
use super::super::tree::{AggregationNode, BinaryNode, SyntaxKind, SyntaxTree};
use super::LintContext;

/// The lowest and the highest possible value; both may be infinite. NaN is not considered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ValueBounds {
    pub(super) low: f64,
    pub(super) high: f64,
}

const ANY: ValueBounds = ValueBounds { low: f64::NEG_INFINITY, high: f64::INFINITY };
const NOT_NEGATIVE: ValueBounds = ValueBounds { low: 0.0, high: f64::INFINITY };
const ZERO_OR_ONE: ValueBounds = ValueBounds { low: 0.0, high: 1.0 };
const AT_LEAST_ONE: ValueBounds = ValueBounds { low: 1.0, high: f64::INFINITY };

impl ValueBounds {
    const fn exactly(value: f64) -> Self {
        Self { low: value, high: value }
    }

    fn contains_zero(self) -> bool {
        self.low <= 0.0 && self.high >= 0.0
    }

    /// The bounds of a result of two bounds, from the results at their ends.
    fn at_ends(self, other: Self, result: impl Fn(f64, f64) -> f64) -> Self {
        let ends = [self.low, self.high].into_iter().flat_map(|a| [other.low, other.high].map(|b| (a, b)));
        let results: Vec<f64> = ends.map(|(a, b)| result(a, b)).collect();
        if results.iter().any(|value| value.is_nan()) {
            return ANY;
        }
        let low = results.iter().copied().fold(f64::INFINITY, f64::min);
        let high = results.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Self { low, high }
    }
}

/// The bounds of the values of a part.
pub(super) fn bounds(tree: &SyntaxTree<'_>, node: usize, cx: &LintContext<'_>) -> ValueBounds {
    if let Some(value) = tree.constant(node).filter(|value| !value.is_nan()) {
        return ValueBounds::exactly(value);
    }
    match tree.kind(node) {
        SyntaxKind::Number(_) | SyntaxKind::Text => ANY,
        SyntaxKind::Selector(selector) => match selector.name.as_deref() {
            Some("up" | "probe_success") => ZERO_OR_ONE,
            Some(name) if cx.kind(name) == Some(MetricType::Counter) => NOT_NEGATIVE,
            Some(_) | None => ANY,
        },
        SyntaxKind::Range { inner, .. } | SyntaxKind::Subquery { inner } | SyntaxKind::Paren(inner) => {
            bounds(tree, *inner, cx)
        }
        SyntaxKind::Signed { inner, is_minus } => {
            let inner = bounds(tree, *inner, cx);
            if *is_minus { ValueBounds { low: -inner.high, high: -inner.low } } else { inner }
        }
        SyntaxKind::Aggregation(aggregation) => of_aggregation(tree, aggregation, cx),
        SyntaxKind::Binary(binary) => of_binary(tree, binary, cx),
        SyntaxKind::Call { name, arguments } => of_call(tree, name, arguments, cx),
    }
}

fn of_aggregation(
    tree: &SyntaxTree<'_>,
    aggregation: &AggregationNode<'_>,
    cx: &LintContext<'_>,
) -> ValueBounds {
    let inner = aggregation.arguments.last().map_or(ANY, |last| bounds(tree, *last, cx));
    match &*aggregation.name.to_ascii_lowercase() {
        "count" | "count_values" => AT_LEAST_ONE,
        "group" => ValueBounds::exactly(1.0),
        "stddev" | "stdvar" => NOT_NEGATIVE,
        "sum" if inner.low >= 0.0 => ValueBounds { low: inner.low, high: f64::INFINITY },
        "sum" | "quantile" => ANY,
        // the others choose or average
        _ => inner,
    }
}

fn of_binary(tree: &SyntaxTree<'_>, binary: &BinaryNode<'_>, cx: &LintContext<'_>) -> ValueBounds {
    let (left, right) = (bounds(tree, binary.left, cx), bounds(tree, binary.right, cx));
    if binary.is_bool {
        return ZERO_OR_ONE;
    }
    match &*binary.operator.to_ascii_lowercase() {
        "+" => left.at_ends(right, |a, b| a + b),
        "-" => left.at_ends(right, |a, b| a - b),
        "*" => left.at_ends(right, |a, b| if a == 0.0 || b == 0.0 { 0.0 } else { a * b }),
        "/" if left.low >= 0.0 && right.low >= 0.0 => NOT_NEGATIVE,
        // what passes is the left side within the bounds of the right side
        ">" | ">=" => ValueBounds { low: left.low.max(right.low), ..left },
        "<" | "<=" => ValueBounds { high: left.high.min(right.high), ..left },
        "==" => ValueBounds { low: left.low.max(right.low), high: left.high.min(right.high) },
        "!=" | "and" | "unless" => left,
        "or" => ValueBounds { low: left.low.min(right.low), high: left.high.max(right.high) },
        _ => ANY,
    }
}

fn of_call(tree: &SyntaxTree<'_>, name: &str, arguments: &[usize], cx: &LintContext<'_>) -> ValueBounds {
    let of = |at: usize| arguments.get(at).map_or(ANY, |argument| bounds(tree, *argument, cx));
    match name {
        "rate" | "increase" | "irate" | "changes" | "resets" | "abs" | "sqrt" | "stddev_over_time"
        | "stdvar_over_time" | "mad_over_time" | "histogram_count" | "histogram_stddev"
        | "histogram_stdvar" => NOT_NEGATIVE,
        "count_over_time" => AT_LEAST_ONE,
        "absent" | "absent_over_time" | "present_over_time" => ValueBounds::exactly(1.0),
        "histogram_fraction" => ZERO_OR_ONE,
        "sgn" => ValueBounds { low: -1.0, high: 1.0 },
        "avg_over_time" | "max_over_time" | "min_over_time" | "last_over_time" | "first_over_time"
        | "quantile_over_time" | "sort" | "sort_desc" | "label_replace" | "label_join" | "vector"
        | "scalar" => arguments
            .iter()
            .find(|one| !tree.selectors(**one).is_empty())
            .map_or(of(0), |one| bounds(tree, *one, cx)),
        "clamp_min" => ValueBounds { low: of(0).low.max(of(1).low), ..of(0) },
        "clamp_max" => ValueBounds { high: of(0).high.min(of(1).high), ..of(0) },
        "clamp" => ValueBounds { low: of(0).low.max(of(1).low), high: of(0).high.min(of(2).high) },
        _ => ANY,
    }
}

/// Whether a comparison can never hold for values within these bounds.
pub(super) fn is_impossible(operator: &str, left: ValueBounds, right: ValueBounds) -> bool {
    match operator {
        ">" => left.high <= right.low,
        ">=" => left.high < right.low,
        "<" => left.low >= right.high,
        "<=" => left.low > right.high,
        "==" => left.high < right.low || left.low > right.high,
        _ => false,
    }
}

/// Whether a divisor with these bounds is known to become zero, such as a rate without traffic.
pub(super) fn can_be_zero(divisor: ValueBounds) -> bool {
    divisor.contains_zero() && divisor != ANY && divisor.low > f64::NEG_INFINITY
}
