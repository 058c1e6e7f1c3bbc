//! Derives the groups and the unit of a definition from its own queries.

use std::time::Duration;

use promql_parser::parser::{Expr, LabelModifier};

use crate::model::labels::Text;
use crate::model::promql::{self, bare};
use crate::model::slo::query::{self, RatioQuery};
use crate::model::slo::{BudgetingMethod, Slo};

/// The unit of a total.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum TotalUnit {
    /// Events per second over this lookback.
    Rate(Duration),
    /// As [`TotalUnit::Rate`], over the elapsed part of a calendar window.
    RateOfCalendar,
    Events,
    /// Not known.
    Unknown,
}

impl TotalUnit {
    /// Derives the unit from the functions in the query.
    pub(super) fn of(total: &str, lookback: Duration) -> Self {
        let Ok(expr) = promql::parse(total) else { return Self::Unknown };
        let (mut rates, mut counts) = (false, false);
        each(&expr, &mut |expr| {
            if let Expr::Call(call) = expr {
                rates |= matches!(call.func.name, "rate" | "irate");
                counts |= matches!(call.func.name, "increase" | "sum_over_time" | "count_over_time");
            }
        });
        match (rates, counts) {
            (true, false) => Self::Rate(lookback),
            (false, true) => Self::Events,
            _ => Self::Unknown,
        }
    }

    /// The same unit for a calendar window.
    pub(super) fn over_calendar(self) -> Self {
        match self {
            Self::Rate(_) => Self::RateOfCalendar,
            other @ (Self::RateOfCalendar | Self::Events | Self::Unknown) => other,
        }
    }

    /// The factor that turns the total into a number of events; `None` if it is not known.
    pub(super) fn per_event(self, elapsed: Duration) -> Option<f64> {
        match self {
            Self::Rate(lookback) => Some(lookback.as_secs_f64()),
            Self::RateOfCalendar => Some(elapsed.as_secs_f64()),
            Self::Events => Some(1.0),
            Self::Unknown => None,
        }
    }
}

/// The labels that split the SLO: those in the definition, else those in the `by` clause of its query.
pub(super) fn grouping(slo: &Slo) -> Vec<Text> {
    if !slo.grouping.is_empty() {
        return slo.grouping.clone();
    }
    let expr = events(slo, Duration::from_secs(300)).and_then(|query| promql::parse(&query).ok());
    expr.map_or_else(Vec::new, |expr| by(&expr))
}

/// A query for all events over a lookback, or for the ratio if events are not counted.
pub(super) fn events(slo: &Slo, lookback: Duration) -> Option<String> {
    let plain = Slo { budgeting: BudgetingMethod::Occurrences, ..slo.clone() };
    match query::measure(&plain, lookback)? {
        RatioQuery::Counts { total: query, .. } | RatioQuery::Ratio(query) => Some(query),
    }
}

/// The labels in the `by` clause of an expression.
fn by(expr: &Expr) -> Vec<Text> {
    match bare(expr) {
        Expr::Aggregate(aggregate) => match &aggregate.modifier {
            Some(LabelModifier::Include(labels)) => {
                labels.labels.iter().map(|name| name.as_str().into()).collect()
            }
            _ => Vec::new(),
        },
        Expr::Binary(binary) => {
            let left = by(&binary.lhs);
            if left.is_empty() { by(&binary.rhs) } else { left }
        }
        Expr::Unary(unary) => by(&unary.expr),
        Expr::Subquery(subquery) => by(&subquery.expr),
        Expr::Call(call) => {
            call.args.args.iter().map(|argument| by(argument)).find(|by| !by.is_empty()).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

/// Visits an expression and every expression inside.
fn each(expr: &Expr, see: &mut impl FnMut(&Expr)) {
    see(expr);
    match expr {
        Expr::Aggregate(aggregate) => each(&aggregate.expr, see),
        Expr::Unary(unary) => each(&unary.expr, see),
        Expr::Binary(binary) => {
            each(&binary.lhs, see);
            each(&binary.rhs, see);
        }
        Expr::Paren(paren) => each(&paren.expr, see),
        Expr::Subquery(subquery) => each(&subquery.expr, see),
        Expr::Call(call) => call.args.args.iter().for_each(|argument| each(argument, see)),
        Expr::NumberLiteral(_)
        | Expr::StringLiteral(_)
        | Expr::VectorSelector(_)
        | Expr::MatrixSelector(_)
        | Expr::Extension(_) => {}
    }
}
