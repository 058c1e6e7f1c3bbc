//! What a chart of an alerting expression needs: its left side, the bound that it is compared with, one alert's series.
//!
//! Not an evaluator. What the parser does not know (`MetricsQL`, newer functions) is charted as it stands, without a bound.

mod shape;

use std::fmt::Write as _;

use promql_parser::parser::value::ValueType;
use promql_parser::parser::{self, BinaryExpr, Expr};

use super::labels::Labels;

pub use shape::{gives_one, selectors};

/// How an alerting expression compares a value with its bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
}

impl Comparison {
    /// As it is written.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Above => ">",
            Self::AtLeast => ">=",
            Self::Below => "<",
            Self::AtMost => "<=",
            Self::Equal => "==",
            Self::NotEqual => "!=",
        }
    }

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

/// What a value is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Bound {
    /// A number, always finite.
    Constant(f64),
    /// An expression of its own, to be drawn as a second line.
    Query(String),
}

/// The comparison in an alerting expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// What is compared: valid PromQL, worth a chart.
    pub query: String,
    /// How.
    pub operator: Comparison,
    /// With what.
    pub bound: Bound,
    /// How many more comparisons the expression joins with `and`, `or`, `unless`, or on the same value.
    pub others: usize,
}

/// Most operators and brackets in an expression that is taken apart: each may be one more level of a tree whose reader
/// and printer recurse. Real expressions have some dozens.
const MOST_LEVELS: usize = 400;

/// Reads an expression from outside.
///
/// # Errors
/// What the parser says, in a line; also for expressions on which it would panic or run out of stack.
pub fn parse(expr: &str) -> Result<Expr, String> {
    let bare = without_strings(expr);
    if levels(&bare) > MOST_LEVELS {
        return Err(format!("it has more than {MOST_LEVELS} operators and brackets"));
    }
    if !has_harmless_numbers(&bare) {
        return Err("it has a number that is no duration".to_owned());
    }
    parser::parse(expr)
}

/// Finds the comparison that makes an alerting expression fire; the first one of several.
///
/// Shape: `a > 14.4 * 0.001 and b > 3` -> `a`, above, 0.0144, 1 other. A number on the left is mirrored, constant
/// arithmetic is folded. `None` if it has no comparison (`absent(up)`, `vector(1)`), if the bound is not finite or if the
/// parser does not know the expression: chart it as it stands then.
pub fn condition(expr: &str) -> Option<Condition> {
    let found = comparison(&parse(expr).ok()?)?;
    // the parser's printer is not ours: what it cannot read back is not sent to a server
    let reads_back = |query: &str| parser::parse(query).is_ok();
    let whole = match &found.bound {
        Bound::Constant(_) => reads_back(&found.query),
        Bound::Query(bound) => reads_back(&found.query) && reads_back(bound),
    };
    whole.then_some(found)
}

/// The expression with nothing in its strings and without its comments: what stands there, `le="+Inf"`, is not counted.
fn without_strings(expr: &str) -> String {
    let mut bare = String::with_capacity(expr.len());
    let mut chars = expr.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' | '\'' | '`' => {
                // the parser takes a backslash for one also between backticks
                while let Some(inner) = chars.next().filter(|inner| *inner != c) {
                    if inner == '\\' {
                        chars.next();
                    }
                }
                bare.extend([c, c]);
            }
            '#' => bare.extend(chars.by_ref().find(|c| *c == '\n')),
            _ => bare.push(c),
        }
    }
    bare
}

fn levels(expr: &str) -> usize {
    let signs = expr.bytes().filter(|byte| b"([{+-*/%^<>=!".contains(byte)).count();
    let words = expr.split(|c: char| !c.is_ascii_alphanumeric());
    signs
        + words
            .filter(|word| ["and", "or", "unless", "atan2"].iter().any(|w| word.eq_ignore_ascii_case(w)))
            .count()
}

/// The parser panics on a number as a duration that no `Duration` can hold: `offset Inf`, `[1e99]`.
fn has_harmless_numbers(expr: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | ':');
    let harmless = |word: &str| {
        let is_cut = word.starts_with(|c: char| c.is_ascii_digit() || c == '.') && word.ends_with(['e', 'E']);
        !is_cut && word.parse::<f64>().ok().is_none_or(|number| number < 1e18)
    };
    // with a minus the exponent can only make it small
    expr.replace("e-", "e_").replace("E-", "e_").split(|c| !is_part(c)).all(harmless)
}

fn comparison(expr: &Expr) -> Option<Condition> {
    let Expr::Binary(binary) = bare(expr) else { return None };
    if binary.op.is_set_operator() {
        return of_chain(binary);
    }
    match Comparison::of(binary) {
        Some(operator) => of_comparison(binary, operator),
        None => of_join(binary),
    }
}

fn of_chain(chain: &BinaryExpr) -> Option<Condition> {
    let left = comparison(&chain.lhs);
    let others = count(&chain.rhs);
    if let Some(left) = left {
        return Some(Condition { others: left.others + others, ..left });
    }
    // `a unless b > 5` fires where b is not above 5: a bound would say the opposite
    if chain.op.to_string() == "unless" { None } else { comparison(&chain.rhs) }
}

fn of_comparison(binary: &BinaryExpr, operator: Comparison) -> Option<Condition> {
    let (left, right) = (constant(&binary.lhs), constant(&binary.rhs));
    let (query, operator, bound) = match (left, right) {
        (Some(_), Some(_)) => return None,
        (None, Some(bound)) => (&binary.lhs, operator, Bound::Constant(bound)),
        (Some(bound), None) => (&binary.rhs, operator.mirrored(), Bound::Constant(bound)),
        (None, None) => (&binary.lhs, operator, Bound::Query(bare(&binary.rhs).to_string())),
    };
    if let Bound::Constant(bound) = bound {
        if let Some(inner) = inside(query, operator, bound) {
            return Some(inner);
        }
        if !bound.is_finite() {
            return None;
        }
    }
    Some(Condition { query: bare(query).to_string(), operator, bound, others: 0 })
}

/// The comparison inside a comparison: `0 < a < 5` filters the same value twice, `(a > bool 5) == 1` only asks whether.
fn inside(query: &Expr, operator: Comparison, bound: f64) -> Option<Condition> {
    let Expr::Binary(inner) = bare(query) else { return None };
    Comparison::of(inner)?;
    if !inner.return_bool() {
        let found = comparison(query)?;
        return Some(Condition { others: found.others + 1, ..found });
    }
    let asks_whether = !operator.holds(0.0, bound) && operator.holds(1.0, bound);
    if asks_whether { comparison(query) } else { None }
}

/// `(a > 5) * on (pod) group_left (node) kube_pod_info` only adds labels to `a`: an info metric's value is always 1.
fn of_join(join: &BinaryExpr) -> Option<Condition> {
    if join.op.to_string() != "*" || !join.rhs.to_string().contains("_info") {
        return None;
    }
    let found = comparison(&join.lhs)?;
    let modifier = join.modifier.as_ref().map(ToString::to_string).unwrap_or_default();
    Some(Condition { query: format!("({}) *{modifier} {}", found.query, join.rhs), ..found })
}

/// How many comparisons a chain has.
fn count(expr: &Expr) -> usize {
    match bare(expr) {
        Expr::Binary(binary) if binary.op.is_set_operator() => count(&binary.lhs) + count(&binary.rhs),
        other => comparison(other).map_or(0, |found| found.others + 1),
    }
}

/// An expression without the brackets around it.
pub fn bare(mut expr: &Expr) -> &Expr {
    while let Expr::Paren(paren) = expr {
        expr = &paren.expr;
    }
    expr
}

/// The value of an expression that is made of numbers only: `14.4 * (1 - 0.999)`.
pub fn constant(expr: &Expr) -> Option<f64> {
    match expr {
        Expr::NumberLiteral(number) => Some(number.val),
        Expr::Paren(paren) => constant(&paren.expr),
        Expr::Unary(unary) => constant(&unary.expr).map(|value| -value),
        Expr::Binary(binary) => {
            let (left, right) = (constant(&binary.lhs)?, constant(&binary.rhs)?);
            match binary.op.to_string().as_str() {
                "+" => Some(left + right),
                "-" => Some(left - right),
                "*" => Some(left * right),
                "/" => Some(left / right),
                "%" => Some(left % right),
                "^" => Some(left.powf(right)),
                _ => None,
            }
        }
        _ => None,
    }
}

/// A text as a regular expression that it alone matches. Nothing is escaped that need not be: a list of plain words a
/// server looks up in its index, others it must try on every value that a label has.
#[must_use]
pub fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 4);
    for c in text.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A text as a PromQL string.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            // Prometheus takes it for broken text, and refuses the query
            '\u{fffd}' => out.push_str("\\ufffd"),
            // it means the same, and a shell that a copy is pasted into would obey it as it is
            c if c.is_control() => write!(out, "\\u{:04x}", u32::from(c)).expect("a String takes everything"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// The query whose result is that of `query`, but only the series that have these labels.
///
/// The query's inside is left alone, because a label need not exist before its last aggregation. Labels whose names only
/// newer servers could take in a query are left out. Without labels the query comes back unchanged, and so does one whose
/// result is no series: a number has no labels.
pub fn narrowed<'a>(query: &str, labels: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let labels: Vec<_> = labels.filter(|(name, _)| is_plain_name(name)).collect();
    let is_series = |query| parse(query).map_or(true, |parsed| parsed.value_type() == ValueType::Vector);
    if labels.is_empty() || !is_series(query) {
        return query.to_owned();
    }
    let names: Vec<_> = labels.iter().map(|(name, _)| *name).collect();
    let only = labels.iter().fold("vector(1)".to_owned(), |inner, (name, value)| {
        format!(r#"label_replace({inner}, "{name}", "{}", "", "")"#, replacement(value))
    });
    // a comment at the end of the query must not swallow the bracket
    let end = if query.contains('#') { "\n" } else { "" };
    format!("({query}{end}) and on ({}) {only}", names.join(", "))
}

/// A PromQL string's inside that `label_replace` puts in as it is: `$1` would be a group of its regular expression.
fn replacement(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            '$' => out.push_str("$$"),
            '\u{fffd}' => out.push_str("\\ufffd"),
            c => out.push(c),
        }
    }
    out
}

/// Whether every server takes this as a label's name in a query.
pub fn is_plain_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The labels of an alert that its series has as well: without `alertname` and without what the rule adds.
///
/// Take the alert as the Prometheus of the rule shows it: on the way to an Alertmanager it gains `external_labels`, which
/// no series has.
#[must_use]
pub fn series_labels(alert: &Labels, rule: &Labels) -> Labels {
    alert.without(|name| name == "alertname" || rule.get(name).is_some())
}

#[cfg(test)]
mod tests;
