//! The alerting rules of the demo; a pattern becomes one rule per service.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::model::labels::Labels;
use crate::model::rule;

use super::fixtures::{self, Fixtures, Region, RuleComparison, SimulatedNumber};

/// One alerting rule.
#[derive(Debug, Clone)]
pub(super) struct DemoRule {
    /// The index of the rule.
    pub(super) number: usize,
    pub(super) shown: Arc<rule::Rule>,
    /// The region of the rule; also one of its labels, so that alerts of the two regions differ.
    pub(super) region: Region,
    /// The services of the rule; empty: all services with the measured number.
    pub(super) services: Vec<String>,
    pub(super) measure: SimulatedNumber,
    pub(super) op: Option<RuleComparison>,
    pub(super) threshold: f64,
    /// The rule's `for`, in seconds.
    pub(super) hold: f64,
    /// Additional labels of the series, with `%...%` placeholders.
    pub(super) line: BTreeMap<String, String>,
}

impl DemoRule {
    /// Whether the condition holds for this value.
    pub(super) fn holds(&self, value: f64) -> bool {
        self.op.is_none_or(|op| op.holds(value, self.threshold))
    }

    pub(super) fn concerns(&self, service: &str) -> bool {
        self.services.is_empty() || self.services.iter().any(|name| name == service)
    }
}

/// All rules of the fixtures, for each region.
pub(super) fn expand(fixtures: &Fixtures) -> Vec<DemoRule> {
    let each_region = Region::ALL.into_iter();
    let mut rules: Vec<DemoRule> = each_region
        .flat_map(|region| {
            fixtures.rules.rule.iter().flat_map(move |pattern| of_pattern(fixtures, pattern, region))
        })
        .collect();
    rules.iter_mut().zip(0..).for_each(|(rule, number)| rule.number = number);
    rules
}

/// The rules of a pattern in one region.
fn of_pattern(fixtures: &Fixtures, pattern: &fixtures::RuleFixture, region: Region) -> Vec<DemoRule> {
    if pattern.name.contains('%') {
        let each = pattern.services.iter();
        each.map(|service| one(fixtures, pattern, region, service, vec![service.clone()])).collect()
    } else {
        vec![one(fixtures, pattern, region, "", pattern.services.clone())]
    }
}

/// One rule, with the service filled in.
fn one(
    fixtures: &Fixtures,
    pattern: &fixtures::RuleFixture,
    region: Region,
    service: &str,
    services: Vec<String>,
) -> DemoRule {
    let fill = |text: &str| text.replace("%service%", service).replace("%Service%", &capitalised(service));
    let (name, left) = (fill(&pattern.name), fill(&pattern.left));
    let expr = match pattern.op {
        Some(op) => format!("{left} {} {}", op.sign(), pattern.threshold),
        None => left.clone(),
    };
    let annotations = Labels::from_iter([
        ("summary", pattern.summary.clone()),
        ("description", pattern.description.clone()),
        ("runbook_url", fixtures.rules.runbook.replace("%name%", &name)),
        ("dashboard_url", fixtures.rules.dashboard.clone()),
    ]);
    DemoRule {
        number: 0,
        shown: Arc::new(rule::Rule {
            name: name.into(),
            group: pattern.group.as_str().into(),
            expr: expr.into(),
            hold: Duration::try_from_secs_f64(pattern.hold.0).unwrap_or_default(),
            interval: None,
            labels: Labels::from_iter([("severity", &*pattern.severity), ("region", region.name())]),
            annotations,
            error: None,
        }),
        region,
        services,
        measure: pattern.measure.clone(),
        op: pattern.op,
        threshold: pattern.threshold,
        hold: pattern.hold.0,
        line: pattern.line.clone(),
    }
}

/// Turns `fraud-scoring` into `FraudScoring`.
pub(super) fn capitalised(name: &str) -> String {
    name.split('-')
        .flat_map(|word| {
            let mut letters = word.chars();
            letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect::<Vec<_>>()
        })
        .collect()
}
