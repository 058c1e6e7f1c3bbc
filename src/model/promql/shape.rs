//! The selectors of a query, and whether it returns one series per group: to warn before the query is run.

use std::collections::BTreeSet;

use promql_parser::label::Matcher;
use promql_parser::parser::{Expr, LabelModifier, VectorSelector};

use super::super::labels::Text;
use super::{QueryParseError, bare, parse, quoted};

/// All selectors of a query, sorted.
///
/// # Errors
/// The errors of [`parse`].
pub fn selectors(expr: &str) -> Result<BTreeSet<String>, QueryParseError> {
    let mut found = BTreeSet::new();
    collect(&parse(expr)?, &mut found);
    Ok(found)
}

fn collect(expr: &Expr, found: &mut BTreeSet<String>) {
    match expr {
        Expr::VectorSelector(selector) => drop(found.insert(selector_text(selector))),
        Expr::MatrixSelector(matrix) => drop(found.insert(selector_text(&matrix.vs))),
        Expr::Paren(paren) => collect(&paren.expr, found),
        Expr::Unary(unary) => collect(&unary.expr, found),
        Expr::Subquery(sub) => collect(&sub.expr, found),
        Expr::Binary(binary) => {
            collect(&binary.lhs, found);
            collect(&binary.rhs, found);
        }
        Expr::Aggregate(sum) => {
            collect(&sum.expr, found);
            if let Some(param) = &sum.param {
                collect(param, found);
            }
        }
        Expr::Call(call) => call.args.args.iter().for_each(|inner| collect(inner, found)),
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => {}
    }
}

/// The selector as text, without range and offset.
fn selector_text(selector: &VectorSelector) -> String {
    let one = |matcher: &Matcher| format!("{}{}{}", matcher.name, matcher.op, quoted(&matcher.value));
    let all = |matchers: &[Matcher]| matchers.iter().map(one).collect::<Vec<_>>().join(",");
    let first = Some(all(&selector.matchers.matchers)).filter(|text| !text.is_empty());
    let others = selector.matchers.or_matchers.iter().map(|matchers| all(matchers));
    let inside: Vec<_> = first.into_iter().chain(others).collect();
    let name = selector.name.as_deref().unwrap_or_default();
    if inside.is_empty() { name.to_owned() } else { format!("{name}{{{}}}", inside.join(" or ")) }
}

/// Whether a query returns at most one series for each combination of the labels in `by`, as far as its text shows.
///
/// `None` if the query cannot be parsed. False for `rate(x[5m])`; true for `sum(rate(x[5m]))` and `1 - sum(a) / sum(b)`.
pub fn returns_one_series(expr: &str, by: &[Text]) -> Option<bool> {
    Some(is_one(&parse(expr).ok()?, by))
}

fn is_one(expr: &Expr, by: &[Text]) -> bool {
    match bare(expr) {
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) => true,
        Expr::Unary(unary) => is_one(&unary.expr, by),
        Expr::Subquery(sub) => is_one(&sub.expr, by),
        Expr::Aggregate(sum) => {
            let many = ["topk", "bottomk", "count_values", "limitk", "limit_ratio"];
            let is_kept = |labels: &[String]| labels.iter().all(|label| by.iter().any(|own| **own == *label));
            !many.contains(&sum.op.to_string().as_str())
                && match &sum.modifier {
                    None => true,
                    Some(LabelModifier::Include(labels)) => is_kept(&labels.labels),
                    Some(LabelModifier::Exclude(_)) => false,
                }
        }
        Expr::Binary(binary) => {
            // `and` and `unless` only remove series from the left side
            let is_less = ["and", "unless"].contains(&binary.op.to_string().as_str());
            is_one(&binary.lhs, by) && (is_less || is_one(&binary.rhs, by))
        }
        Expr::Call(call) => match call.func.name {
            "absent" | "absent_over_time" | "scalar" | "vector" | "time" | "pi" => true,
            // scalar arguments do not add series
            _ => call.args.args.iter().all(|inner| is_one(inner, by)),
        },
        Expr::VectorSelector(selector) => is_recorded(selector),
        Expr::MatrixSelector(matrix) => is_recorded(&matrix.vs),
        Expr::Paren(_) | Expr::Extension(_) => false,
    }
}

/// Whether the series come from a recording rule, as in `job:http_errors:rate5m`, and so are assumed to be aggregated.
fn is_recorded(selector: &VectorSelector) -> bool {
    selector.name.as_ref().is_some_and(|name| name.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_series_that_a_query_reads_are_told_without_window_and_offset() {
        let query = r#"sum(rate(a{x="1",y=~"b\"c"}[5m] offset 1d)) / on() (a or sum_over_time(b[1h:1m])) > 0 * {z!=""}"#;
        let found: Vec<_> = selectors(query).unwrap().into_iter().collect();
        assert_eq!(found, ["a", r#"a{x="1",y=~"b\"c"}"#, "b", r#"{z!=""}"#]);
        assert!(selectors("a{").is_err());
    }

    #[test]
    fn a_query_without_a_sum_may_give_several_series() {
        let by = ["region".into()];
        for (query, one) in [
            ("sum(rate(a[5m]))", true),
            ("1 - (sum(a) / sum(b))", true),
            ("sum by (region) (a) / sum by (region) (b)", true),
            ("max(a) or vector(0)", true),
            ("histogram_quantile(0.9, sum by (le) (rate(h[5m])))", false),
            ("histogram_fraction(0, 1, sum(rate(h[5m])))", true),
            ("avg_over_time(job:errors:ratio[5m])", true),
            ("rate(a[5m])", false),
            ("sum by (pod) (a)", false),
            ("sum without (pod) (a)", false),
            ("topk(1, a)", false),
            ("sum(a) / b", false),
            ("a", false),
        ] {
            assert_eq!(returns_one_series(query, &by), Some(one), "{query}");
        }
        assert_eq!(returns_one_series("a{", &by), None);
    }
}
