//! Recognises queries that are only the rate of one counter: `sum by (job) (rate(http_requests_total{code="500"}[{{.window}}]))`.

use std::time::Duration;

use promql_parser::parser::{Expr, LabelModifier};

use super::super::labels::Text;
use super::super::promql;
use super::selector::Selector;
use super::template::Template;

/// An unusual lookback that replaces the placeholder: a range of this length in the parsed query shows where the placeholder was.
const PROBE_LOOKBACK: Duration = Duration::from_secs(3607);

/// The selectors of the two counters, if both queries are the rate (or both the increase) of one counter, summed by the labels of
/// `grouping`; else `None`.
pub fn counters(part: &Template, total: &Template, grouping: &[Text]) -> Option<(Selector, Selector)> {
    let ((one, part), (two, total)) = (counter(part, grouping)?, counter(total, grouping)?);
    (one == two).then_some((part, total))
}

/// The function that the query applies to its counter, `rate` or `increase`, and the counter.
fn counter(query: &Template, grouping: &[Text]) -> Option<(&'static str, Selector)> {
    let parsed = promql::parse(&query.over(PROBE_LOOKBACK)).ok()?;
    let Expr::Aggregate(sum) = promql::bare(&parsed) else { return None };
    let mut by = match &sum.modifier {
        None => Vec::new(),
        Some(LabelModifier::Include(labels)) => labels.labels.clone(),
        Some(LabelModifier::Exclude(_)) => return None,
    };
    let mut grouping: Vec<&str> = grouping.iter().map(|label| &**label).collect();
    by.sort();
    grouping.sort_unstable();
    if sum.op.to_string() != "sum" || by != grouping {
        return None;
    }
    let Expr::Call(call) = promql::bare(&sum.expr) else { return None };
    let function = ["rate", "increase"].into_iter().find(|name| *name == call.func.name)?;
    let [argument] = call.args.args.as_slice() else { return None };
    let Expr::MatrixSelector(matrix) = promql::bare(argument) else { return None };
    (matrix.range == PROBE_LOOKBACK).then_some((function, Selector::of_vector(&matrix.vs).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split_pair(part: &str, total: &str, grouping: &[&str]) -> Option<(String, String)> {
        let grouping: Vec<Text> = grouping.iter().map(|label| (*label).into()).collect();
        let query = |text: &str| Template::parse(text).unwrap();
        let (part, total) = counters(&query(part), &query(total), &grouping)?;
        Some((part.to_string(), total.to_string()))
    }

    #[test]
    fn the_sum_of_a_rate_is_a_counter_and_all_else_is_not() {
        let total = "sum by (b, a) (rate(m{x=\"y\"}[{{.window}}]))";
        let both = Some((r#"m{x="y"}"#.to_owned(), r#"m{x="y"}"#.to_owned()));
        assert_eq!(split_pair(total, total, &["a", "b"]), both);
        let simple = "(sum(increase((m)[{{ .window }}])))";
        assert_eq!(
            split_pair("sum(increase(m[{{.window}}]))", "sum(increase(m[{{.window}}]))", &[]).unwrap().0,
            "m"
        );
        for (part, grouping) in [
            (total, &["a"][..]),
            ("sum(rate(m[5m]))", &[]),
            ("sum(rate(m[{{.window}}] offset 5m))", &[]),
            ("sum(increase(m[{{.window}}]))", &[]),
            ("sum(irate(m[{{.window}}]))", &[]),
            ("max(rate(m[{{.window}}]))", &[]),
            ("sum without (a) (rate(m[{{.window}}]))", &[]),
            ("sum(rate(m[{{.window}}])) + 1", &[]),
            ("m", &[]),
            (simple, &[]),
        ] {
            assert_eq!(split_pair(part, "sum(rate(m[{{.window}}]))", grouping), None, "{part}");
        }
    }
}
