//! Finds the comparison that makes an alerting expression fire: the value, the bound, and the number of other conditions.

use promql_parser::parser::{BinaryExpr, Expr};

use super::{bare, constant, parse};
use crate::model::words::words;

words! {
    /// The comparison of a value with a bound.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum Comparison: sign {
        Above = ">",
        AtLeast = ">=",
        Below = "<",
        AtMost = "<=",
        Equal = "==",
        NotEqual = "!=",
    }
}

impl Comparison {
    /// Whether the comparison is true, which means that the alert's condition holds. NaN only fulfils `!=`.
    pub fn holds(self, value: f64, bound: f64) -> bool {
        match self {
            Self::Above => value > bound,
            Self::AtLeast => value >= bound,
            Self::Below => value < bound,
            Self::AtMost => value <= bound,
            #[expect(clippy::float_cmp, reason = "PromQL compares exactly, too")]
            Self::Equal => value == bound,
            #[expect(clippy::float_cmp, reason = "PromQL compares exactly, too")]
            Self::NotEqual => value != bound,
        }
    }

    fn of(expr: &BinaryExpr) -> Option<Self> {
        Self::ALL.into_iter().find(|comparison| comparison.sign() == expr.op.to_string())
    }

    /// Whether only values on one side of the bound fulfil the comparison.
    const fn is_one_sided(self) -> bool {
        !matches!(self, Self::Equal | Self::NotEqual)
    }

    /// The comparison with swapped sides: `5 < a` becomes `a > 5`.
    const fn mirrored(self) -> Self {
        match self {
            Self::Above => Self::Below,
            Self::AtLeast => Self::AtMost,
            Self::Below => Self::Above,
            Self::AtMost => Self::AtLeast,
            Self::Equal | Self::NotEqual => self,
        }
    }
}

/// The bound that a value is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Threshold {
    /// A number, always finite.
    Constant(f64),
    /// Another expression, to be drawn as a second line.
    Query(String),
}

#[derive(Debug, Clone, PartialEq)]
pub struct ThresholdCondition {
    /// The compared value: a valid PromQL query for a chart.
    pub query: String,
    pub operator: Comparison,
    pub bound: Threshold,
    /// The numbers of further conditions.
    pub others: OtherConditions,
}

/// The numbers of conditions besides the charted one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OtherConditions {
    /// Conditions that must hold too: joined with `and`, or a second bound for the same value.
    pub and: usize,
    /// Conditions that must not hold, joined with `unless`.
    pub unless: usize,
    /// Conditions of which each also makes the alert fire, joined with `or`.
    pub or: usize,
}

/// Finds the comparison that makes an alerting expression fire; of several the first.
///
/// Example: `a > 14.4 * 0.001 and b > 3` gives `a`, above, 0.0144 and 1 further condition. Numbers on the left side are moved to
/// the right, and constant arithmetic is computed. `None` if there is no comparison (`absent(up)`, `vector(1)`) or one that does
/// not filter (`a > bool 5` always has a result), if the bound is not finite, or if the expression cannot be parsed: then chart
/// the whole expression.
pub fn condition(expr: &str) -> Option<ThresholdCondition> {
    let found = comparison(&parse(expr).ok()?)?;
    // the printer of the parser library may produce invalid queries, which are not sent to a server
    let reads_back = |query: &str| parse(query).is_ok();
    let whole = match &found.bound {
        Threshold::Constant(_) => reads_back(&found.query),
        Threshold::Query(bound) => reads_back(&found.query) && reads_back(bound),
    };
    whole.then_some(found)
}

/// Whether the expression is a comparison with `bool`: it returns 0 or 1, and an alert fires for both.
pub fn returns_zero_or_one(expr: &str) -> bool {
    let is_bool = |expr: &Expr| matches!(bare(expr), Expr::Binary(binary) if binary.return_bool());
    parse(expr).is_ok_and(|expr| is_bool(&expr))
}

fn comparison(expr: &Expr) -> Option<ThresholdCondition> {
    let Expr::Binary(binary) = bare(expr) else { return None };
    if binary.op.is_set_operator() {
        return of_chain(binary);
    }
    match Comparison::of(binary) {
        Some(_) if binary.return_bool() => None,
        Some(operator) => of_comparison(binary, operator),
        None => of_join(binary),
    }
}

fn of_chain(chain: &BinaryExpr) -> Option<ThresholdCondition> {
    let (left, right) = (comparison(&chain.lhs), comparison(&chain.rhs));
    let beside = right.as_ref().map(|right| right.others);
    // a side without a comparison counts as one condition: that it has a result
    let beside = beside.filter(|_| left.is_some()).unwrap_or_default();
    let mut found = match chain.op.to_string().as_str() {
        "or" | "and" => left.or(right)?,
        // `a unless b > 5` fires where b is not above 5: charting that bound would be misleading
        _ => left?,
    };
    match chain.op.to_string().as_str() {
        "or" => found.others.or += 1 + beside.or,
        "and" => found.others.and += 1 + beside.and,
        _ => found.others.unless += 1,
    }
    Some(found)
}

fn of_comparison(binary: &BinaryExpr, operator: Comparison) -> Option<ThresholdCondition> {
    let (left, right) = (constant(&binary.lhs), constant(&binary.rhs));
    let (query, operator, bound) = match (left, right) {
        (Some(_), Some(_)) => return None,
        (None, Some(bound)) => (&binary.lhs, operator, Threshold::Constant(bound)),
        (Some(bound), None) => (&binary.rhs, operator.mirrored(), Threshold::Constant(bound)),
        (None, None) => (&binary.lhs, operator, Threshold::Query(bare(&binary.rhs).to_string())),
    };
    if let Threshold::Constant(bound) = bound {
        if let Some(inner) = inside(query, operator, bound) {
            return Some(inner);
        }
        if !bound.is_finite() {
            return None;
        }
    }
    Some(ThresholdCondition {
        query: bare(query).to_string(),
        operator,
        bound,
        others: OtherConditions::default(),
    })
}

/// A comparison within a comparison: `0 < a < 5` filters the same value twice; `(a > bool 5) == 1` is the same as `a > 5`.
fn inside(query: &Expr, operator: Comparison, bound: f64) -> Option<ThresholdCondition> {
    let Expr::Binary(inner) = bare(query) else { return None };
    let inner_operator = Comparison::of(inner)?;
    if inner.return_bool() {
        let asks_whether = !operator.holds(0.0, bound) && operator.holds(1.0, bound);
        return if asks_whether { of_comparison(inner, inner_operator) } else { None };
    }
    let mut found = comparison(query)?;
    if !bound.is_finite() {
        return None;
    }
    match found.bound {
        // of two bounds on the same side only the stricter one counts: `(a > 0) > 90`
        Threshold::Constant(first) if found.operator == operator && operator.is_one_sided() => {
            if !operator.holds(first, bound) {
                found.bound = Threshold::Constant(bound);
            }
        }
        Threshold::Constant(_) | Threshold::Query(_) => {
            (found.operator, found.bound) = (operator, Threshold::Constant(bound));
            found.others.and += 1;
        }
    }
    Some(found)
}

/// A join that only adds labels, as in `(a > 5) * on (pod) group_left (node) kube_pod_info`: the value of an info metric is
/// always 1.
fn of_join(join: &BinaryExpr) -> Option<ThresholdCondition> {
    if join.op.to_string() != "*" || !join.rhs.to_string().contains("_info") {
        return None;
    }
    let found = comparison(&join.lhs)?;
    let modifier = join.modifier.as_ref().map(ToString::to_string).unwrap_or_default();
    Some(ThresholdCondition { query: format!("({}) *{modifier} {}", found.query, join.rhs), ..found })
}
