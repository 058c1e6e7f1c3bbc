//! Compares two SLOs field by field, whatever their format and file.

use std::time::Duration;

use crate::model::duration;
use crate::model::slo::query::open;
use crate::model::slo::{BudgetingMethod, BurnCondition, Selector, Sli, Slo, SloAlerting, Template};

/// How one field is compared and shown.
pub(super) struct FieldComparison {
    pub(super) name: &'static str,
    holds: fn(&Slo, &Slo) -> bool,
    /// The field's value as text.
    pub(super) shown: fn(&Slo) -> String,
}

impl FieldComparison {
    /// All fields except the origin.
    pub(super) const FIELDS: [Self; 13] = [
        Self { name: "id", holds: |a, b| a.id == b.id, shown: |slo| slo.id.to_string() },
        Self { name: "name", holds: |a, b| a.name == b.name, shown: |slo| slo.name.to_string() },
        Self {
            name: "service",
            holds: |a, b| a.service == b.service,
            shown: |slo| slo.service.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string),
        },
        Self {
            name: "description",
            holds: |a, b| a.description == b.description,
            shown: |slo| format!("{:?}", slo.description),
        },
        Self { name: "labels", holds: |a, b| a.labels == b.labels, shown: |slo| slo.labels.to_string() },
        Self {
            name: "objective",
            holds: |a, b| a.objective == b.objective,
            shown: |slo| format!("{} %", slo.objective.percent_text()),
        },
        Self { name: "window", holds: |a, b| a.window == b.window, shown: |slo| slo.window.to_string() },
        Self {
            name: "budgeting",
            holds: |a, b| same_budgeting(a.budgeting, b.budgeting),
            shown: |slo| budgeting(slo.budgeting),
        },
        Self {
            name: "sli",
            holds: |a, b| a.sli.as_ref().map(sorted) == b.sli.as_ref().map(sorted),
            shown: |slo| {
                let measured = open(slo);
                measured.map_or_else(|| "no query".to_owned(), |measure| measure.error_ratio())
            },
        },
        Self { name: "by", holds: |a, b| a.grouping == b.grouping, shown: |slo| slo.grouping.join(", ") },
        Self { name: "pairs", holds: |a, b| same_pairs(&a.pairs, &b.pairs), shown: |slo| pairs(&slo.pairs) },
        Self { name: "alert", holds: |a, b| a.alerting == b.alerting, shown: |slo| alerting(&slo.alerting) },
        Self {
            name: "recorded",
            holds: |a, b| match (&a.recorded, &b.recorded) {
                // the original needs no recorded series, so any are fine
                (None, _) => true,
                (Some(a), Some(b)) => {
                    (a.family, &a.id, &a.metric, &a.labels) == (b.family, &b.id, &b.metric, &b.labels)
                }
                (Some(_), None) => false,
            },
            shown: |slo| {
                let name = |recorded: &crate::model::slo::RecordedSeries| {
                    format!("by {} as {}", recorded.family.name(), recorded.id)
                };
                slo.recorded.as_ref().map_or_else(|| "not recorded".to_owned(), name)
            },
        },
    ];

    /// Whether the field is equal in both.
    pub(super) fn holds(&self, a: &Slo, b: &Slo) -> bool {
        (self.holds)(a, b)
    }
}

/// Equal within the rounding error of binary fractions.
fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
}

fn same_budgeting(a: BudgetingMethod, b: BudgetingMethod) -> bool {
    if let (
        BudgetingMethod::Timeslices { least: a, slice },
        BudgetingMethod::Timeslices { least: b, slice: other },
    ) = (a, b)
    {
        return slice == other && near(a, b);
    }
    a == b
}

pub(super) fn budgeting(budgeting: BudgetingMethod) -> String {
    match budgeting {
        BudgetingMethod::Occurrences => "every event counts".to_owned(),
        BudgetingMethod::Timeslices { slice, least } => {
            format!("slices of {} with at least {least} good", duration::text(slice))
        }
        BudgetingMethod::RatioTimeslices { slice } => {
            format!("the mean over slices of {}", duration::text(slice))
        }
    }
}

fn alerting(alerting: &SloAlerting) -> String {
    let is_on = |on: bool| if on { "on" } else { "off" };
    format!(
        "{}, page {}, ticket {}, absence {}, {} {}",
        alerting.name.as_deref().unwrap_or("no name"),
        is_on(alerting.page.is_some()),
        is_on(alerting.ticket.is_some()),
        is_on(alerting.on_absence),
        alerting.labels,
        alerting.annotations,
    )
}

/// Whether both have the same burn-rate conditions, in any order.
pub(super) fn same_pairs(a: &[BurnCondition], b: &[BurnCondition]) -> bool {
    let sorted = |pairs: &[BurnCondition]| {
        let rank = |pair: &BurnCondition| (pair.severity, pair.long, pair.short);
        let mut pairs = pairs.to_vec();
        pairs.sort_by(|x, y| rank(x).cmp(&rank(y)).then(x.factor.total_cmp(&y.factor)));
        pairs
    };
    let (a, b) = (sorted(a), sorted(b));
    let same = |(a, b): (&BurnCondition, &BurnCondition)| {
        near(a.factor, b.factor) && BurnCondition { factor: 0.0, ..*a } == BurnCondition { factor: 0.0, ..*b }
    };
    a.len() == b.len() && a.iter().zip(&b).all(same)
}

/// Burn-rate conditions as text, separated by commas.
pub(super) fn pairs(all: &[BurnCondition]) -> String {
    all.iter().map(pair).collect::<Vec<_>>().join(", ")
}

/// A burn-rate condition as text: `page 1h/5m > 14.4`.
fn pair(pair: &BurnCondition) -> String {
    let sign = if pair.at_least { ">=" } else { ">" };
    let (long, short) = (duration::text(pair.long), duration::text(pair.short));
    let text = format!("{} {long}/{short} {sign} {}", pair.severity.word(), pair.factor);
    if pair.hold.is_zero() { text } else { format!("{text} for {}", duration::text(pair.hold)) }
}

/// An unusual lookback, filled into queries before comparing them: `{{.window}}` and `{{ .window }}` are the same.
const PROBE_LOOKBACK: Duration = Duration::from_secs(3607);

/// The SLI with its label matchers sorted by name, and its queries filled in, for comparing.
fn sorted(sli: &Sli) -> Sli {
    sli.clone().map(filled, Selector::sorted)
}

fn filled(template: &Template) -> Template {
    Template::parse(&template.over(PROBE_LOOKBACK)).unwrap_or_else(|_| template.clone())
}
