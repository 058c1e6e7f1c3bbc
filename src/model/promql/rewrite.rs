//! Changes the text of a query: splits its result by a label, or restricts it to series with certain labels. All other text,
//! such as line breaks and comments, stays as it is.

use std::ops::Range;

use super::super::labels::Labels;
use super::lint::keeps_series;
use super::tree::{AggregationNode, BinaryNode, LabelClause, SelectorNode, SyntaxKind, SyntaxTree};
use super::{QueryParseError, label, quoted};

/// Why a query cannot be split by a label.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsplittable {
    #[error(transparent)]
    Wrong(#[from] QueryParseError),
    #[error("{0} has no labels")]
    NoLabels(String),
    #[error("the query is split by {0} already")]
    SplitAlready(String),
}

/// Replacements of byte ranges, and insertions, which have an empty range.
#[derive(Default)]
struct Edits(Vec<(Range<usize>, String)>);

impl Edits {
    fn insert(&mut self, at: usize, text: String) {
        self.0.push((at..at, text));
    }

    fn applied(mut self, text: &str) -> String {
        self.0.sort_by_key(|(range, _)| range.start);
        let mut out = String::with_capacity(text.len() + 32);
        let mut at = 0;
        for (range, new) in self.0 {
            out.push_str(text.get(at..range.start).unwrap_or_default());
            out.push_str(&new);
            at = range.end;
        }
        out.push_str(text.get(at..).unwrap_or_default());
        out
    }
}

/// The query with one series for each value of a label.
///
/// An aggregation keeps the label in addition to its other labels; the vectors on both sides of an operator are split, so that a
/// ratio is one of the same value; a quantile is split below its function, and keeps the bounds of its buckets. Series that are
/// not aggregated are added up.
///
/// # Errors
/// [`Unsplittable`] if the query is not valid, has no labels, or has the label already.
pub fn split_by(query: &str, by: &str) -> Result<String, Unsplittable> {
    let tree = super::syntax(query)?;
    let mut edits = Edits::default();
    split(&tree, tree.root, by, &mut edits)?;
    if edits.0.is_empty() {
        return Err(Unsplittable::SplitAlready(by.to_owned()));
    }
    Ok(edits.applied(query))
}

fn split(tree: &SyntaxTree<'_>, node: usize, by: &str, edits: &mut Edits) -> Result<(), Unsplittable> {
    match tree.kind(node) {
        SyntaxKind::Number(_) | SyntaxKind::Text => Err(Unsplittable::NoLabels(tree.part(node).to_owned())),
        SyntaxKind::Selector(_) => {
            wrap(tree, node, &[by], edits);
            Ok(())
        }
        // a range belongs to a function, which is aggregated
        SyntaxKind::Range { .. } => Ok(()),
        SyntaxKind::Subquery { inner } | SyntaxKind::Paren(inner) | SyntaxKind::Signed { inner, .. } => {
            split(tree, *inner, by, edits)
        }
        SyntaxKind::Binary(binary) => split_binary(tree, binary, by, edits),
        SyntaxKind::Aggregation(aggregation) => split_aggregation(tree, node, aggregation, by, edits),
        SyntaxKind::Call { name, arguments } => split_call(tree, node, (name, arguments), by, edits),
    }
}

/// `sum by (label) (part)`
fn wrap(tree: &SyntaxTree<'_>, node: usize, by: &[&str], edits: &mut Edits) {
    let span = tree.span(node);
    edits.insert(span.start, format!("sum by ({}) (", super::labels(by)));
    edits.insert(span.end, ")".to_owned());
}

fn add_label(clause: &LabelClause, by: &str, edits: &mut Edits) {
    if clause.labels.iter().any(|own| own == by) {
        return;
    }
    let comma = if clause.labels.is_empty() { "" } else { ", " };
    edits.insert(clause.list.end.saturating_sub(1), format!("{comma}{}", label(by)));
}

fn split_aggregation(
    tree: &SyntaxTree<'_>,
    node: usize,
    aggregation: &AggregationNode<'_>,
    by: &str,
    edits: &mut Edits,
) -> Result<(), Unsplittable> {
    if keeps_series(aggregation.name) {
        let inner = aggregation.arguments.last().copied();
        return inner.map_or(Ok(()), |inner| split(tree, inner, by, edits));
    }
    // an inner grouping without the label would leave the outer one nothing to keep
    if let Some(inner) = aggregation.arguments.last()
        && matches!(
            tree.kind(tree.bare(*inner)),
            SyntaxKind::Aggregation(_) | SyntaxKind::Call { .. } | SyntaxKind::Binary(_)
        )
    {
        keep_inside(tree, *inner, by, edits);
    }
    match &aggregation.grouping {
        Some(clause) if clause.is_positive => add_label(clause, by, edits),
        Some(clause) if clause.labels.iter().any(|own| own == by) => {
            let left: Vec<&String> = clause.labels.iter().filter(|own| *own != by).collect();
            edits.0.push((clause.list.clone(), format!("({})", super::labels(&left))));
        }
        Some(_) => {}
        None => {
            let at = tree.span(node).start + aggregation.name.len();
            let is_apart = tree.text.get(at..).is_some_and(|rest| rest.starts_with(char::is_whitespace));
            edits.insert(at, format!(" by ({}){}", label(by), if is_apart { "" } else { " " }));
        }
    }
    Ok(())
}

/// Has the aggregations within an aggregation keep the label; series that are not aggregated have it anyway.
fn keep_inside(tree: &SyntaxTree<'_>, node: usize, by: &str, edits: &mut Edits) {
    match tree.kind(node) {
        SyntaxKind::Aggregation(aggregation) => {
            // numbers and texts within an aggregation have no labels, which is fine
            drop(split_aggregation(tree, node, aggregation, by, edits));
        }
        SyntaxKind::Binary(binary) => {
            for side in [binary.left, binary.right] {
                keep_inside(tree, side, by, edits);
            }
            match_by(binary, by, edits);
        }
        SyntaxKind::Number(_)
        | SyntaxKind::Text
        | SyntaxKind::Selector(_)
        | SyntaxKind::Range { .. }
        | SyntaxKind::Subquery { .. }
        | SyntaxKind::Paren(_)
        | SyntaxKind::Signed { .. }
        | SyntaxKind::Call { .. } => {
            for child in tree.children(node) {
                keep_inside(tree, child, by, edits);
            }
        }
    }
}

/// Has `on` match by the label, too, and `ignoring` no longer ignore it.
fn match_by(binary: &BinaryNode<'_>, by: &str, edits: &mut Edits) {
    match &binary.matching {
        Some(on) if on.is_positive => add_label(on, by, edits),
        Some(ignoring) if ignoring.labels.iter().any(|own| own == by) => {
            let left: Vec<&String> = ignoring.labels.iter().filter(|own| *own != by).collect();
            edits.0.push((ignoring.list.clone(), format!("({})", super::labels(&left))));
        }
        Some(_) | None => {}
    }
}

fn split_binary(
    tree: &SyntaxTree<'_>,
    binary: &BinaryNode<'_>,
    by: &str,
    edits: &mut Edits,
) -> Result<(), Unsplittable> {
    let has_series = |side: usize| !tree.selectors(side).is_empty();
    let sides: Vec<usize> =
        [binary.left, binary.right].into_iter().filter(|side| has_series(*side)).collect();
    if sides.is_empty() {
        return Err(Unsplittable::NoLabels("the expression".to_owned()));
    }
    for side in &sides {
        // a scalar has no labels and applies to each series
        let is_scalar = matches!(
            tree.kind(tree.bare(*side)),
            SyntaxKind::Call { name, .. } if matches!(*name, "scalar" | "time")
        );
        if !is_scalar || sides.len() == 1 {
            split(tree, *side, by, edits)?;
        }
    }
    if sides.len() == 2 {
        match_by(binary, by, edits);
    }
    Ok(())
}

fn split_call(
    tree: &SyntaxTree<'_>,
    node: usize,
    (name, arguments): (&str, &[usize]),
    by: &str,
    edits: &mut Edits,
) -> Result<(), Unsplittable> {
    let Some(inner) = arguments.iter().copied().find(|one| !tree.selectors(*one).is_empty()) else {
        return Err(Unsplittable::NoLabels(format!("{name}()")));
    };
    if matches!(name, "absent" | "absent_over_time" | "scalar" | "vector") {
        return Err(Unsplittable::NoLabels(format!("{name}()")));
    }
    if matches!(name, "histogram_quantile" | "histogram_fraction") && !has_aggregation(tree, inner) {
        let is_classic =
            |selector: &&SelectorNode| selector.name.as_ref().is_some_and(|name| name.ends_with("_bucket"));
        let is_classic = tree.selectors(inner).iter().any(is_classic);
        let kept: &[&str] = &["le", by];
        wrap(tree, inner, kept.get(usize::from(!is_classic)..).unwrap_or_default(), edits);
        return Ok(());
    }
    if has_aggregation(tree, inner) || !matches!(tree.kind(inner), SyntaxKind::Range { .. }) {
        return split(tree, inner, by, edits);
    }
    wrap(tree, node, &[by], edits);
    Ok(())
}

fn has_aggregation(tree: &SyntaxTree<'_>, node: usize) -> bool {
    matches!(tree.kind(node), SyntaxKind::Aggregation(_))
        || tree.children(node).into_iter().any(|child| has_aggregation(tree, child))
}

/// The query with each selector restricted to series with these labels. Labels that it names already, and those that name the
/// metric or a bucket, are left out.
///
/// # Errors
/// [`QueryParseError`] if the query is not valid.
pub fn only(query: &str, labels: &Labels) -> Result<String, QueryParseError> {
    let tree = super::syntax(query)?;
    let mut edits = Edits::default();
    for selector in tree.selectors(tree.root) {
        let is_new = |name: &str| {
            let is_own = |value: &str| {
                selector
                    .matchers
                    .iter()
                    .any(|own| *own.condition.name == *name && *own.condition.value == *value)
            };
            !["__name__", "le", "quantile"].contains(&name) && !is_own(labels.value(name))
        };
        let added: Vec<String> = labels
            .iter()
            .filter(|(name, _)| is_new(name))
            .map(|(name, value)| format!("{}={}", label(name), quoted(value)))
            .collect();
        if added.is_empty() {
            continue;
        }
        let added = added.join(", ");
        match &selector.braces {
            Some(braces) => {
                let inside = query.get(braces.start + 1..braces.end.saturating_sub(1)).unwrap_or_default();
                let comma = match inside.trim_end() {
                    inside if inside.is_empty() || inside.ends_with(',') => "",
                    _ => ", ",
                };
                edits.insert(braces.end.saturating_sub(1), format!("{comma}{added}"));
            }
            None => edits.insert(selector.end, format!("{{{added}}}")),
        }
    }
    Ok(edits.applied(query))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_split_where_its_labels_are_aggregated_away() {
        for (query, split) in [
            ("up", "sum by (zone) (up)"),
            ("sum(up)", "sum by (zone) (up)"),
            ("sum by (job) (up)", "sum by (job, zone) (up)"),
            ("sum(up) by (job)", "sum(up) by (job, zone)"),
            ("SUM(up)", "SUM by (zone) (up)"),
            ("max without (pod, zone) (up)", "max without (pod) (up)"),
            (r#"rate(x{a="b"}[5m])"#, r#"sum by (zone) (rate(x{a="b"}[5m]))"#),
            ("rate(x[5m] offset 1d)", "sum by (zone) (rate(x[5m] offset 1d))"),
            (
                "sum(rate(e[5m])) / sum(rate(a[5m]))",
                "sum by (zone) (rate(e[5m])) / sum by (zone) (rate(a[5m]))",
            ),
            ("rate(e[5m]) / rate(a[5m])", "sum by (zone) (rate(e[5m])) / sum by (zone) (rate(a[5m]))"),
            ("1 - sum(e) / sum(a)", "1 - sum by (zone) (e) / sum by (zone) (a)"),
            ("100 * (sum(e) > 5)", "100 * (sum by (zone) (e) > 5)"),
            (
                "sum by (a) (x) / on (a) sum by (a) (y)",
                "sum by (a, zone) (x) / on (a, zone) sum by (a, zone) (y)",
            ),
            (
                "histogram_quantile(0.9, sum by (le) (rate(h_bucket[5m])))",
                "histogram_quantile(0.9, sum by (le, zone) (rate(h_bucket[5m])))",
            ),
            (
                "histogram_quantile(0.9, rate(h_bucket[5m]))",
                "histogram_quantile(0.9, sum by (le, zone) (rate(h_bucket[5m])))",
            ),
            ("histogram_quantile(0.9, rate(h[5m]))", "histogram_quantile(0.9, sum by (zone) (rate(h[5m])))"),
            ("topk(3, sum by (a) (x))", "topk(3, sum by (a, zone) (x))"),
            ("max(sum by (a) (x))", "max by (zone) (sum by (a, zone) (x))"),
            ("abs(x)", "abs(sum by (zone) (x))"),
            ("max_over_time(sum(rate(x[5m]))[1h:])", "max_over_time(sum by (zone) (rate(x[5m]))[1h:])"),
            ("sum(x) # all\n", "sum by (zone) (x) # all\n"),
            ("clamp_max(sum(x), 1) * scalar(y)", "clamp_max(sum by (zone) (x), 1) * scalar(y)"),
        ] {
            assert_eq!(split_by(query, "zone").as_deref(), Ok(split), "{query}");
            assert_eq!(super::super::check(split).err(), None, "{split}");
            assert_eq!(split_by(split, "zone"), Err(Unsplittable::SplitAlready("zone".into())), "{split}");
        }
    }

    #[test]
    fn what_has_no_labels_says_so() {
        for (query, why) in [
            ("1 + 2", "the expression has no labels"),
            ("time()", "time() has no labels"),
            ("absent(up)", "absent() has no labels"),
            ("sum by (zone) (up)", "the query is split by zone already"),
            ("sum(", "1:5: unexpected the end of the query, expected an expression"),
        ] {
            assert_eq!(split_by(query, "zone").unwrap_err().to_string(), why);
        }
        assert_eq!(split_by("sum(up)", "a.b").as_deref(), Ok("sum by (\"a.b\") (up)"));
    }

    #[test]
    fn a_query_is_restricted_in_each_of_its_selectors() {
        let labels = Labels::from_iter([("zone", "a\"b"), ("le", "5"), ("job", "api")]);
        for (query, expected) in [
            ("up", r#"up{job="api", zone="a\"b"}"#),
            (
                r#"sum(rate(x{job="api"}[5m])) / y{}"#,
                r#"sum(rate(x{job="api", zone="a\"b"}[5m])) / y{job="api", zone="a\"b"}"#,
            ),
            (r#"x{a="1",}"#, r#"x{a="1",job="api", zone="a\"b"}"#),
            (r#"{"x.y"}"#, r#"{"x.y", job="api", zone="a\"b"}"#),
        ] {
            assert_eq!(only(query, &labels).as_deref(), Ok(expected));
            assert_eq!(super::super::check(expected).err(), None, "{expected}");
        }
    }
}
