//! PromQL: checks whether Prometheus accepts a query, finds its comparison and selectors, and writes queries.
//!
//! Not an evaluator. Queries that it does not know (`MetricsQL`, newer functions) are sent to the server unchanged.

pub mod complete;
mod condition;
mod dimension;
mod functions;
mod grammar;
pub mod lint;
mod plain;
pub mod quoting;
mod rewrite;
mod shape;
mod token;
mod tree;

use promql_parser::parser::value::ValueType;
use promql_parser::parser::{self, Expr};

use super::labels::{Labels, Text};
use super::matcher::Operator;
use super::text::place;
use tree::SyntaxTree;

pub use condition::{
    Comparison, OtherConditions, Threshold, ThresholdCondition, condition, returns_zero_or_one,
};
pub use dimension::{Dimension, dimension};
pub use grammar::{is_bound, series};
pub use quoting::{by, is_plain_name, label, labels, literal, quoted};
pub use rewrite::{Unsplittable, only, split_by};
pub use shape::{returns_one_series, selectors};

/// The limit for operators and brackets in a query that is parsed into a tree: each can add a level, and the functions that read
/// and print the tree are recursive. Real queries have a few dozen.
const MAX_LEVELS: usize = 400;

/// A message about a position in a query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: {message}")]
pub struct QueryRemark {
    /// The line of the query, from 1.
    pub line: usize,
    /// The character within the line, from 1.
    pub column: usize,
    /// What is wrong or unusual there.
    pub message: String,
}

impl QueryRemark {
    /// The line of the query that it is about, and a caret below its place. Tabs become blanks.
    pub fn excerpt(&self, query: &str) -> String {
        let line = query.lines().nth(self.line.saturating_sub(1)).unwrap_or_default().replace('\t', " ");
        // wide characters take two cells, and the caret must be below them
        let head: String = line.chars().take(self.column.saturating_sub(1)).collect();
        let clean = super::text::clean(&line);
        let indent = unicode_width::UnicodeWidthStr::width(&*super::text::clean(&head));
        format!("  {clean}\n  {}^", " ".repeat(indent))
    }

    fn at(text: &str, at: usize, message: impl Into<String>) -> Self {
        let (line, column) = place(text, at);
        Self { line, column, message: message.into() }
    }
}

/// One label matcher of a selector.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LabelMatch {
    pub name: Text,
    pub operator: Operator,
    /// The value or pattern to compare with.
    pub value: Text,
}

impl LabelMatch {
    /// The matcher for a metric name.
    fn metric(name: &str) -> Self {
        Self { name: "__name__".into(), operator: Operator::Equal, value: name.into() }
    }
}

/// Why a query cannot be parsed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryParseError {
    /// Not valid PromQL: Prometheus rejects it.
    #[error(transparent)]
    Refused(QueryRemark),
    /// Possibly valid, but not supported by burnwatch's parser: the query is sent to the server unchanged.
    #[error("{0}")]
    Unknown(String),
}

/// Checks a query as Prometheus does before it accepts a rule. The result has remarks about valid parts that can never match.
///
/// # Errors
/// [`QueryParseError::Refused`] with the position if Prometheus rejects the query, [`QueryParseError::Unknown`] for unknown
/// functions.
pub fn check(expr: &str) -> Result<Vec<QueryRemark>, QueryParseError> {
    grammar::check(expr, true)
}

/// The syntax tree of a query, with the places of its parts. Functions that are not known are accepted.
fn syntax(expr: &str) -> Result<SyntaxTree<'_>, QueryParseError> {
    grammar::tree(expr)
}

/// Parses an expression.
///
/// # Errors
/// The errors of [`check`]; [`QueryParseError::Unknown`] also for valid PromQL that is too large or too new for the parser.
pub fn parse(expr: &str) -> Result<Expr, QueryParseError> {
    grammar::check(expr, false)?;
    let plain = plain::simplified(expr)?;
    // the query is valid, so an error here is a limitation of the parser
    let read = parser::parse(&plain).ok();
    read.ok_or_else(|| QueryParseError::Unknown("burnwatch cannot analyse this query".to_owned()))
}

/// An expression without enclosing parentheses.
pub fn bare(mut expr: &Expr) -> &Expr {
    while let Expr::Paren(paren) = expr {
        expr = &paren.expr;
    }
    expr
}

/// The value of an expression that contains only numbers: `14.4 * (1 - 0.999)`; `None` for any other.
pub fn constant(expr: &Expr) -> Option<f64> {
    match expr {
        Expr::NumberLiteral(number) => Some(number.val),
        Expr::Paren(paren) => constant(&paren.expr),
        Expr::Unary(unary) => constant(&unary.expr).map(|value| -value),
        Expr::Binary(binary) => {
            calculated(&binary.op.to_string(), constant(&binary.lhs)?, constant(&binary.rhs)?)
        }
        _ => None,
    }
}

/// The result of an arithmetic operator; `None` for any other operator.
fn calculated(operator: &str, left: f64, right: f64) -> Option<f64> {
    match operator {
        "+" => Some(left + right),
        "-" => Some(left - right),
        "*" => Some(left * right),
        "/" => Some(left / right),
        "%" => Some(left % right),
        "^" => Some(left.powf(right)),
        _ => None,
    }
}

/// A query with the result of `query`, restricted to the series with these labels.
///
/// The query is wrapped, not changed, because a label may first appear in its last aggregation. Labels whose names need quotes,
/// which only newer servers support, are ignored. The query is returned unchanged if there are no labels, or if its result is a
/// scalar, which has no labels.
pub fn narrowed<'a>(query: &str, labels: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let labels: Vec<_> = labels.filter(|(name, _)| is_plain_name(name)).collect();
    let is_series = |query| parse(query).map_or(true, |parsed| parsed.value_type() == ValueType::Vector);
    if labels.is_empty() || !is_series(query) {
        return query.to_owned();
    }
    let names: Vec<_> = labels.iter().map(|(name, _)| *name).collect();
    let only = labels.iter().fold("vector(1)".to_owned(), |inner, (name, value)| {
        // `$1` would refer to a group of the regular expression
        format!(r#"label_replace({inner}, "{name}", {}, "", "")"#, quoted(&value.replace('$', "$$")))
    });
    // the line break ends a comment at the end of the query
    let end = if query.contains('#') { "\n" } else { "" };
    format!("({query}{end}) and on ({}) {only}", names.join(", "))
}

/// The labels of an alert that its series have too: without `alertname` and the labels that the rule adds.
///
/// Pass the alert as the Prometheus with the rule reports it: an Alertmanager's copy also has `external_labels`, which
/// the series do not have.
pub fn series_labels(alert: &Labels, rule: &Labels) -> Labels {
    alert.without(|name| name == "alertname" || rule.get(name).is_some())
}

#[cfg(test)]
mod tests;
