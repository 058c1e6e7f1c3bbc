//! Reads SLO parameters from alerting rules: the burn conditions, and the objective if nothing else has it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use promql_parser::parser::Expr;

use super::names;
use crate::model::duration;
use crate::model::labels::Text;
use crate::model::promql::{self, bare, constant};
use crate::model::rule::Rule;
use crate::model::slo::{AlertMetadata, BurnCondition, BurnSeverity, Family, Objective, SloAlerting};

/// Equal numbers differ by less than this because of rounding; see SLO.md section 1 on `1 - 0.999`.
const SAME: f64 = 1e-9;

/// The conditions in the alerting rules of one SLO.
#[derive(Debug, Default, Clone)]
pub(super) struct RuleConditions {
    /// The conditions, the most severe first.
    pub(super) conditions: Vec<RuleCondition>,
    pub(super) alerting: SloAlerting,
    /// The window: the time for which the budget lasts at burn rate 1.
    pub(super) window: Option<Duration>,
}

/// One burn condition, as far as the rule states it.
#[derive(Debug, Clone)]
pub(super) struct RuleCondition {
    severity: BurnSeverity,
    long: Duration,
    short: Duration,
    bound: RatioBound,
    hold: Duration,
}

/// The threshold of both error ratios: factor * budget.
#[derive(Debug, Clone, Copy)]
struct RatioBound {
    error: f64,
    /// The factors, if the threshold is written as a product.
    factors: Option<(f64, f64)>,
}

impl RuleConditions {
    /// The burn conditions for an objective; `None` if a rule does not match the objective.
    pub(super) fn pairs(&self, objective: Objective) -> Option<Vec<BurnCondition>> {
        let budget = objective.budget();
        let pair = |condition: &RuleCondition| {
            let factor = condition.bound.factor(budget)?;
            let RuleCondition { severity, long, short, hold, .. } = *condition;
            Some(BurnCondition { severity, long, short, factor, hold, at_least: false })
        };
        let mut pairs: Vec<BurnCondition> = self.conditions.iter().map(pair).collect::<Option<_>>()?;
        pairs.sort_by_key(|pair| (pair.severity, pair.long));
        (!pairs.is_empty()).then_some(pairs)
    }

    /// The objective, if all conditions contain the same budget.
    pub(super) fn objective(&self) -> Option<Objective> {
        let mut all = self.conditions.iter().map(|condition| {
            let (_, budget) = condition.bound.factors?;
            Objective::from_ratio(1.0 - budget).ok()
        });
        let first = all.next()??;
        all.all(|other| other == Some(first)).then_some(first)
    }
}

impl RatioBound {
    /// The burn rate of the threshold: the factor next to the budget if it is written as a product, else threshold / budget.
    fn factor(self, budget: f64) -> Option<f64> {
        let is_budget = |number: f64| (number - budget).abs() <= budget * SAME.max(1e-6);
        let written = self.factors.into_iter().find(|(_, rest)| is_budget(*rest)).map(|(factor, _)| factor);
        written.or(Some(self.error / budget)).filter(|factor| factor.is_finite() && *factor > 0.0)
    }
}

/// The conditions of all rules, by rule family and SLO id.
pub(super) fn rule_conditions(rules: &[Arc<Rule>]) -> HashMap<(Family, Text), RuleConditions> {
    let mut all: HashMap<(Family, Text), RuleConditions> = HashMap::new();
    for rule in rules {
        let Ok(expr) = promql::parse(&rule.expr) else { continue };
        let mut found = Vec::new();
        conditions(&expr, &mut found);
        for (family, id, long, short, bound) in found {
            let rule_conditions = all.entry((family, id)).or_default();
            let severity = severity(family, rule, bound);
            rule_conditions.conditions.push(RuleCondition { severity, long, short, bound, hold: rule.hold });
            rule_conditions.alerting.name = Some(rule.name.clone());
            let notice = AlertMetadata { labels: rule.labels.clone(), annotations: rule.annotations.clone() };
            match severity {
                BurnSeverity::Page => rule_conditions.alerting.page.get_or_insert(notice),
                BurnSeverity::Ticket => rule_conditions.alerting.ticket.get_or_insert(notice),
            };
            if let (Family::Pyrra, Some(lasts)) = (family, rule.labels.get("exhaustion")) {
                rule_conditions.window = rule_conditions.window.max(window(lasts, bound));
            }
        }
        if let (Some(id), true) = (rule.labels.get("slo"), rule.expr.contains("absent(")) {
            let rule_conditions = all.entry((Family::Pyrra, id.clone())).or_default();
            rule_conditions.alerting.absent_name = Some(rule.name.clone());
            rule_conditions.alerting.on_absence = true;
        }
    }
    all
}

/// The window, if this is Pyrra's condition with factor 1, whose `exhaustion` label equals the window.
fn window(lasts: &str, bound: RatioBound) -> Option<Duration> {
    let (factor, _) = bound.factors?;
    let lasts = duration::parse(lasts).ok()?;
    ((factor - 1.0).abs() < SAME).then_some(lasts)
}

fn severity(family: Family, rule: &Rule, bound: RatioBound) -> BurnSeverity {
    let word = match family {
        Family::Sloth => rule.labels.value("sloth_severity"),
        Family::Pyrra | Family::Grafana => rule.labels.value("severity"),
    };
    match word.to_ascii_lowercase().as_str() {
        "page" | "critical" => BurnSeverity::Page,
        "ticket" | "warning" | "info" => BurnSeverity::Ticket,
        // common sets of burn rates page above these factors: 6 and 14.4, or 7 and 14
        _ if bound.factors.is_some_and(|(factor, _)| factor > 5.0) => BurnSeverity::Page,
        _ => BurnSeverity::Ticket,
    }
}

type Pairing = (Family, Text, Duration, Duration, RatioBound);

/// Collects each `a > x and b > x` over two lookbacks of one SLO.
fn conditions(expr: &Expr, found: &mut Vec<Pairing>) {
    let Expr::Binary(binary) = bare(expr) else { return };
    match binary.op.to_string().as_str() {
        "or" => {
            conditions(&binary.lhs, found);
            conditions(&binary.rhs, found);
        }
        "and" => {
            let (Some(left), Some(right)) = (comparison(&binary.lhs), comparison(&binary.rhs)) else {
                return;
            };
            if (left.0, &left.1) == (right.0, &right.1) {
                let (long, short) = (left.2.max(right.2), left.2.min(right.2));
                found.push((left.0, left.1, long, short, left.3));
            }
        }
        _ => {}
    }
}

/// Reads `max(series > bound) without (...)` or `series > bound`.
fn comparison(expr: &Expr) -> Option<(Family, Text, Duration, RatioBound)> {
    let expr = match bare(expr) {
        Expr::Aggregate(aggregate) => bare(&aggregate.expr),
        other => other,
    };
    let Expr::Binary(binary) = expr else { return None };
    let Expr::VectorSelector(selector) = bare(&binary.lhs) else { return None };
    if binary.op.to_string() != ">" {
        return None;
    }
    let (family, lookback) = names::lookback(selector.name.as_deref()?)?;
    let id = selector.matchers.matchers.iter().find(|matcher| matcher.name == family.identity())?;
    let error = constant(&binary.rhs)?;
    let factors = match bare(&binary.rhs) {
        Expr::Binary(product) if product.op.to_string() == "*" => {
            constant(&product.lhs).zip(constant(&product.rhs))
        }
        _ => None,
    };
    Some((family, id.value.as_str().into(), lookback, RatioBound { error, factors }))
}
