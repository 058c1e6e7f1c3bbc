//! PromQL in a canonical form: expressions that differ only in notation are equal. For `#[path]`.

use std::fmt;

use burnwatch::testing::model::promql;
use promql_parser::label::Matchers;
use promql_parser::parser::{BinModifier, Expr, LabelModifier, VectorMatchCardinality, VectorSelector};

/// An expression without parentheses; parts without an order are sorted.
#[derive(Debug, Clone)]
pub(crate) enum Canon {
    Number(f64),
    Node(String, Vec<Canon>),
}

impl PartialEq for Canon {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => (a - b).abs() <= 1e-9 * a.abs().max(b.abs()),
            (Self::Node(a, inner), Self::Node(b, others)) => a == b && inner == others,
            _ => false,
        }
    }
}

impl fmt::Display for Canon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Node(name, inner) => {
                write!(f, "{name}")?;
                if inner.is_empty() {
                    return Ok(());
                }
                let inner: Vec<_> = inner.iter().map(ToString::to_string).collect();
                write!(f, "({})", inner.join(", "))
            }
        }
    }
}

/// The canonical form of an expression; panics if it is not valid PromQL.
pub(crate) fn canon(text: &str) -> Canon {
    of(&promql::parse(text).unwrap_or_else(|error| panic!("{error} in {text}")))
}

fn of(expr: &Expr) -> Canon {
    let node = |name: String, inner: Vec<&Expr>| Canon::Node(name, inner.into_iter().map(of).collect());
    match expr {
        Expr::Paren(paren) => of(&paren.expr),
        Expr::NumberLiteral(number) => Canon::Number(number.val),
        Expr::StringLiteral(text) => Canon::Node(format!("{:?}", text.val), Vec::new()),
        Expr::Unary(unary) => node("-".to_owned(), vec![&unary.expr]),
        Expr::Binary(binary) => {
            node(format!("{}{}", binary.op, joined(binary.modifier.as_ref())), vec![&binary.lhs, &binary.rhs])
        }
        Expr::Aggregate(sum) => {
            let inner = sum.param.iter().chain([&sum.expr]).map(|inner| &**inner).collect();
            node(format!("{}{}", sum.op, by(sum.modifier.as_ref())), inner)
        }
        Expr::Call(call) => {
            node(call.func.name.to_owned(), call.args.args.iter().map(|inner| &**inner).collect())
        }
        Expr::VectorSelector(selector) => Canon::Node(series(selector), Vec::new()),
        Expr::MatrixSelector(matrix) => {
            Canon::Node(format!("{}[{:?}]", series(&matrix.vs), matrix.range), Vec::new())
        }
        Expr::Subquery(sub) => {
            assert!(sub.offset.is_none() && sub.at.is_none());
            node(format!("[{:?}:{:?}]", sub.range, sub.step), vec![&sub.expr])
        }
        Expr::Extension(_) => panic!("an extension"),
    }
}

fn series(selector: &VectorSelector) -> String {
    assert!(selector.at.is_none());
    let Matchers { matchers, or_matchers } = &selector.matchers;
    assert!(or_matchers.is_empty());
    let mut all: Vec<_> =
        matchers.iter().map(|matcher| format!("{}{}{:?}", matcher.name, matcher.op, matcher.value)).collect();
    all.sort();
    let offset = selector.offset.as_ref().map(ToString::to_string).unwrap_or_default();
    format!("{}{{{}}}{offset}", selector.name.as_deref().unwrap_or_default(), all.join(","))
}

/// `by ()` is the same as no `by`.
fn by(modifier: Option<&LabelModifier>) -> String {
    let Some(modifier) = modifier else { return String::new() };
    let mut labels = modifier.labels().labels.clone();
    labels.sort();
    match modifier {
        LabelModifier::Include(_) if labels.is_empty() => String::new(),
        LabelModifier::Include(_) => format!(" by {labels:?}"),
        LabelModifier::Exclude(_) => format!(" without {labels:?}"),
    }
}

fn joined(modifier: Option<&BinModifier>) -> String {
    let Some(modifier) = modifier else { return String::new() };
    let group = |side: &str, labels: &[String]| {
        let mut labels = labels.to_vec();
        labels.sort();
        format!(" {side} {labels:?}")
    };
    let card = match &modifier.card {
        VectorMatchCardinality::ManyToOne(labels) => group("left", &labels.labels),
        VectorMatchCardinality::OneToMany(labels) => group("right", &labels.labels),
        VectorMatchCardinality::OneToOne | VectorMatchCardinality::ManyToMany => String::new(),
    };
    format!("{}{}{card}", if modifier.return_bool { " bool" } else { "" }, by(modifier.matching.as_ref()))
}
