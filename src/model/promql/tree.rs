//! The syntax tree of a query, with the place of each part in the text: for hints about the text and changes to it.
//!
//! The nodes are stored in one list; a child has a smaller index than its parent.

use std::ops::Range;
use std::time::Duration;

use super::super::labels::Text;
use super::LabelMatch;

/// One part of a query.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SyntaxNode<'t> {
    pub(super) kind: SyntaxKind<'t>,
    /// The byte range in the text, with offset and `@`.
    pub(super) span: Range<usize>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum SyntaxKind<'t> {
    Number(f64),
    Text,
    Selector(SelectorNode),
    /// `x[5m]`; without a window if it is a calculation.
    Range {
        inner: usize,
        window: Option<Duration>,
    },
    /// `x[1h:1m]`
    Subquery {
        inner: usize,
    },
    Paren(usize),
    /// An expression with a sign.
    Signed {
        inner: usize,
        is_minus: bool,
    },
    Binary(BinaryNode<'t>),
    Aggregation(AggregationNode<'t>),
    Call {
        name: &'t str,
        arguments: Vec<usize>,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct SelectorNode {
    /// The metric name, before the braces or in them.
    pub(super) name: Option<Text>,
    /// All matchers, with the one for a name before the braces.
    pub(super) matchers: Vec<PlacedMatcher>,
    /// The byte range of the braces.
    pub(super) braces: Option<Range<usize>>,
    /// The byte offset of the end of the name or of the braces.
    pub(super) end: usize,
}

/// A label matcher with the byte offset of its start.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PlacedMatcher {
    pub(super) condition: LabelMatch,
    pub(super) at: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct BinaryNode<'t> {
    /// As written.
    pub(super) operator: &'t str,
    pub(super) operator_at: usize,
    pub(super) left: usize,
    pub(super) right: usize,
    pub(super) is_bool: bool,
    /// `on (...)` or `ignoring (...)`
    pub(super) matching: Option<LabelClause>,
    /// The labels of `group_left (...)` or `group_right (...)`.
    pub(super) included: Option<LabelClause>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct AggregationNode<'t> {
    /// In lower case as written or not: compare without case.
    pub(super) name: &'t str,
    pub(super) grouping: Option<LabelClause>,
    pub(super) arguments: Vec<usize>,
}

/// A keyword with a list of labels: `by (a, b)`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LabelClause {
    /// Whether it names the labels that count (`by`, `on`, `group_left`), not those that do not (`without`, `ignoring`,
    /// `group_right`).
    pub(super) is_positive: bool,
    pub(super) labels: Vec<String>,
    /// The byte offset of the keyword.
    pub(super) at: usize,
    /// The byte range of the parentheses; empty if there are none.
    pub(super) list: Range<usize>,
}

/// A parsed query.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SyntaxTree<'t> {
    pub(super) text: &'t str,
    pub(super) nodes: Vec<SyntaxNode<'t>>,
    pub(super) root: usize,
}

impl<'t> SyntaxTree<'t> {
    pub(super) fn kind(&self, node: usize) -> &SyntaxKind<'t> {
        // a child that does not exist would be an error of the parser; a number has no further parts
        self.nodes.get(node).map_or(&SyntaxKind::Text, |node| &node.kind)
    }

    pub(super) fn span(&self, node: usize) -> Range<usize> {
        self.nodes.get(node).map_or(0..0, |node| node.span.clone())
    }

    /// The text of a part.
    pub(super) fn part(&self, node: usize) -> &'t str {
        self.text.get(self.span(node)).unwrap_or_default()
    }

    /// The expression without enclosing parentheses.
    pub(super) fn bare(&self, mut node: usize) -> usize {
        while let SyntaxKind::Paren(inner) = self.kind(node) {
            node = *inner;
        }
        node
    }

    /// The direct parts of a part, from left to right.
    pub(super) fn children(&self, node: usize) -> Vec<usize> {
        match self.kind(node) {
            SyntaxKind::Number(_) | SyntaxKind::Text | SyntaxKind::Selector(_) => Vec::new(),
            SyntaxKind::Range { inner, .. }
            | SyntaxKind::Subquery { inner }
            | SyntaxKind::Paren(inner)
            | SyntaxKind::Signed { inner, .. } => vec![*inner],
            SyntaxKind::Binary(binary) => vec![binary.left, binary.right],
            SyntaxKind::Aggregation(AggregationNode { arguments, .. })
            | SyntaxKind::Call { arguments, .. } => arguments.clone(),
        }
    }

    /// The selectors in a part, from left to right.
    pub(super) fn selectors(&self, node: usize) -> Vec<&SelectorNode> {
        if let SyntaxKind::Selector(selector) = self.kind(node) {
            return vec![selector];
        }
        self.children(node).into_iter().flat_map(|child| self.selectors(child)).collect()
    }

    /// The value of a part that contains only numbers.
    pub(super) fn constant(&self, node: usize) -> Option<f64> {
        match self.kind(node) {
            SyntaxKind::Number(value) => Some(*value),
            SyntaxKind::Paren(inner) => self.constant(*inner),
            SyntaxKind::Signed { inner, is_minus } => {
                self.constant(*inner).map(|value| if *is_minus { -value } else { value })
            }
            SyntaxKind::Binary(binary) => {
                let (left, right) = (self.constant(binary.left)?, self.constant(binary.right)?);
                super::calculated(binary.operator, left, right)
            }
            SyntaxKind::Text
            | SyntaxKind::Selector(_)
            | SyntaxKind::Range { .. }
            | SyntaxKind::Subquery { .. }
            | SyntaxKind::Aggregation(_)
            | SyntaxKind::Call { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::syntax;
    use super::*;

    #[test]
    fn each_part_has_its_place_in_the_text() {
        let text = r#"sum by (a) (rate(x{j="1"}[5m] offset 1d)) / on (a) group_left (b) (-y > bool 2)"#;
        let tree = syntax(text).unwrap();
        let parts: Vec<&str> = (0..tree.nodes.len()).map(|node| tree.part(node)).collect();
        assert_eq!(
            parts,
            [
                r#"x{j="1"}"#,
                r#"x{j="1"}[5m] offset 1d"#,
                r#"rate(x{j="1"}[5m] offset 1d)"#,
                r#"sum by (a) (rate(x{j="1"}[5m] offset 1d))"#,
                "y",
                "-y",
                "2",
                "-y > bool 2",
                "(-y > bool 2)",
                text
            ]
        );
        let SyntaxKind::Binary(binary) = tree.kind(tree.root) else { panic!("a division") };
        assert_eq!((binary.operator, binary.is_bool), ("/", false));
        let matching = binary.matching.as_ref().unwrap();
        assert_eq!(text.get(matching.list.clone()), Some("(a)"));
        assert_eq!(binary.included.as_ref().unwrap().labels, ["b"]);
        let SyntaxKind::Selector(selector) = tree.kind(0) else { panic!("a selector") };
        assert_eq!(text.get(selector.braces.clone().unwrap()), Some(r#"{j="1"}"#));
        let matcher = text.get(selector.matchers[1].at..).unwrap();
        assert!(matcher.starts_with(r#"j="1""#), "{matcher}");
    }

    #[test]
    fn functions_that_are_not_known_have_a_tree_and_errors_have_none() {
        let tree = syntax("rollup_rate(x[5m]) keep").err();
        assert!(tree.is_some());
        let tree = syntax("median_over_time(x[5m])").unwrap();
        assert_eq!(tree.selectors(tree.root).len(), 1);
        let tree = syntax("2 * (3 - -1) ^ 2").unwrap();
        assert_eq!(tree.constant(tree.root), Some(32.0));
    }
}
