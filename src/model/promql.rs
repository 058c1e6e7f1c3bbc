//! PromQL: whether a Prometheus takes a query, what it compares and reads, and how queries are written.
//!
//! Not an evaluator. What is not known (`MetricsQL`, newer functions) goes to a server as it stands.

mod condition;
mod functions;
mod grammar;
mod plain;
pub mod quoting;
mod shape;
mod token;
mod value;

use promql_parser::parser::value::ValueType;
use promql_parser::parser::{self, Expr};

use super::labels::Labels;
use super::matcher::Operator;

pub use condition::{
    Comparison, OtherConditions, Threshold, ThresholdCondition, condition, returns_zero_or_one,
};
pub use grammar::is_bound;
pub use quoting::{is_plain_name, label, labels, literal, quoted};
pub use shape::{returns_one_series, selectors};

/// Most operators and brackets in an expression that is taken apart: each may be one more level of a tree whose reader
/// and printer recurse. Real expressions have some dozens.
const MAX_LEVELS: usize = 400;

/// What there is to say about a place in a query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: {message}")]
pub struct QueryRemark {
    /// The line of the query, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
    pub message: String,
}

impl QueryRemark {
    fn at(text: &str, at: usize, message: impl Into<String>) -> Self {
        let before = text.get(..at.min(text.len())).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Self { line, column, message: message.into() }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelTest {
    pub name: String,
    pub operator: Operator,
    pub value: String,
}

impl LabelTest {
    fn name(name: &str) -> Self {
        Self { name: "__name__".to_owned(), operator: Operator::Equal, value: name.to_owned() }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryParseError {
    #[error(transparent)]
    Refused(QueryRemark),
    /// It may be PromQL, and is none of burnwatch's business then: it goes to a server as it stands.
    #[error("{0}")]
    Unknown(String),
}

/// Checks a query as a Prometheus does before it takes a rule. What is valid and can still match nothing is told.
///
/// # Errors
/// [`QueryParseError::Refused`] with the place for what no Prometheus takes, [`QueryParseError::Unknown`] for functions that are not known.
pub fn check(expr: &str) -> Result<Vec<QueryRemark>, QueryParseError> {
    grammar::check(expr, true)
}

/// The conditions of a query that is one selector and nothing else, its name among them as `__name__`.
///
/// # Errors
/// What [`check`] says.
pub fn series(expr: &str) -> Result<Option<Vec<LabelTest>>, QueryParseError> {
    grammar::series(expr)
}

/// Reads an expression from outside.
///
/// # Errors
/// What [`check`] says; [`QueryParseError::Unknown`] also for valid PromQL that is too large or too new to be taken apart.
pub fn parse(expr: &str) -> Result<Expr, QueryParseError> {
    grammar::check(expr, false)?;
    let plain = plain::simplified(expr)?;
    // what the parser says is about its own limits: the query was found valid before
    let read = parser::parse(&plain).ok();
    read.ok_or_else(|| QueryParseError::Unknown("burnwatch does not take this form apart".to_owned()))
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
