//! The comparison that makes an alerting expression fire: what is compared, with what, and what else counts.

use promql_parser::parser::{BinaryExpr, Expr};

use super::{bare, constant, parse};
use crate::model::words::words;

words! {
    /// How an alerting expression compares a value with its bound.
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
    /// Whether `value` is on the bad side of `bound`, that is: the alert's condition holds. Never for NaN but with `!=`.
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
        let all = [Self::Above, Self::AtLeast, Self::Below, Self::AtMost, Self::Equal, Self::NotEqual];
        all.into_iter().find(|comparison| comparison.sign() == expr.op.to_string())
    }

    /// Whether values on one side of a bound hold, and none on the other.
    const fn is_one_sided(self) -> bool {
        match self {
            Self::Above | Self::AtLeast | Self::Below | Self::AtMost => true,
            Self::Equal | Self::NotEqual => false,
        }
    }

    /// The same with its two sides swapped: `5 < a` is `a > 5`.
    const fn mirrored(self) -> Self {
        match self {
            Self::Above => Self::Below,
            Self::AtLeast => Self::AtMost,
            Self::Below => Self::Above,
            Self::AtMost => Self::AtLeast,
            Self::Equal => Self::Equal,
            Self::NotEqual => Self::NotEqual,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum Threshold {
    /// A number, always finite.
    Constant(f64),
    /// An expression of its own, to be drawn as a second line.
    Query(String),
}

#[derive(Debug, Clone, PartialEq)]
pub struct ThresholdCondition {
    /// What is compared: valid PromQL, worth a chart.
    pub query: String,
    pub operator: Comparison,
    pub bound: Threshold,
    pub others: OtherConditions,
}

/// Conditions beside the one that is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OtherConditions {
    /// Those that must hold as well: joined with `and`, or a second bound of the same value.
    pub and: usize,
    /// Those that must not hold: `unless`.
    pub unless: usize,
    /// Those that make it fire just as well: `or`.
    pub or: usize,
}

/// Finds the comparison that makes an alerting expression fire; the first one of several.
///
/// Shape: `a > 14.4 * 0.001 and b > 3` -> `a`, above, 0.0144, 1 more. A number on the left is mirrored, constant
/// arithmetic is folded. `None` if it has no comparison (`absent(up)`, `vector(1)`) or one that decides nothing
/// (`a > bool 5` has a result either way), if the bound is not finite or if the expression is not known: chart it as it
/// stands then.
pub fn condition(expr: &str) -> Option<ThresholdCondition> {
    let found = comparison(&parse(expr).ok()?)?;
    // the parser's printer is not ours: what it cannot read back is not sent to a server
    let reads_back = |query: &str| parse(query).is_ok();
    let whole = match &found.bound {
        Threshold::Constant(_) => reads_back(&found.query),
        Threshold::Query(bound) => reads_back(&found.query) && reads_back(bound),
    };
    whole.then_some(found)
}

/// Whether an expression asks `bool`: it gives 0 or 1, and an alert fires on either.
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
    let beside = right.as_ref().map_or(OtherConditions::default(), |right| right.others);
    // a side without a comparison counts for one condition, too: that it has a result
    let found = match chain.op.to_string().as_str() {
        "or" => {
            let others = 1 + if left.is_some() { beside.or } else { 0 };
            let mut found = left.or(right)?;
            found.others.or += others;
            found
        }
        "and" => {
            let others = 1 + if left.is_some() { beside.and } else { 0 };
            let mut found = left.or(right)?;
            found.others.and += others;
            found
        }
        // `a unless b > 5` fires where b is not above 5: a bound would say the opposite
        _ => {
            let mut found = left?;
            found.others.unless += 1;
            found
        }
    };
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

/// The comparison inside a comparison: `0 < a < 5` filters the same value twice, `(a > bool 5) == 1` only asks whether.
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
        // of two bounds on one side only the closer one counts: `(a > 0) > 90`
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

/// `(a > 5) * on (pod) group_left (node) kube_pod_info` only adds labels to `a`: an info metric's value is always 1.
fn of_join(join: &BinaryExpr) -> Option<ThresholdCondition> {
    if join.op.to_string() != "*" || !join.rhs.to_string().contains("_info") {
        return None;
    }
    let found = comparison(&join.lhs)?;
    let modifier = join.modifier.as_ref().map(ToString::to_string).unwrap_or_default();
    Some(ThresholdCondition { query: format!("({}) *{modifier} {}", found.query, join.rhs), ..found })
}
