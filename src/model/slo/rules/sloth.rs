//! Rules as Sloth writes them: `slo:sli_error:ratio_rate5m`, `slo:objective:ratio`, and two alerts of two conditions each.

use std::time::Duration;

use super::super::super::labels::{Labels, Text};
use super::super::super::promql::quoted;
use super::super::burn_condition::{BurnCondition, BurnSeverity, lookbacks};
use super::super::definition::{BudgetingMethod, Slo};
use super::super::query::measure;
use super::super::recorded::written;
use super::{GeneratedRule, RuleGroup, RuleOutput};

pub(super) fn groups(slo: &Slo) -> Vec<RuleGroup> {
    let names = SlothNames::of(slo);
    let group = |part: &str, rules| RuleGroup {
        name: format!("sloth-slo-{part}-{}", names.id),
        interval: None,
        rules,
    };
    let mut groups = vec![
        group("sli-recordings", sli_recordings(slo, &names)),
        group("meta-recordings", meta_recordings(slo, &names)),
    ];
    let alerts: Vec<GeneratedRule> = [BurnSeverity::Page, BurnSeverity::Ticket]
        .into_iter()
        .filter_map(|s| alert(slo, &names, s))
        .collect();
    if !alerts.is_empty() {
        groups.push(group("alerts", alerts));
    }
    groups
}

/// The id, labels and selector that the series of an SLO have at Sloth.
struct SlothNames {
    id: Text,
    /// `sloth_id`, `sloth_service`, `sloth_slo`, and the SLO's own labels.
    labels: Labels,
    /// The first three labels as matchers.
    selector: String,
}

impl SlothNames {
    fn of(slo: &Slo) -> Self {
        let id = slo.recorded.as_ref().map_or(&slo.id, |recorded| &recorded.id).clone();
        let service = slo.service.as_ref().unwrap_or(&slo.name);
        let identity = [("sloth_id", &id), ("sloth_service", service), ("sloth_slo", &slo.name)];
        let selector: Vec<_> =
            identity.iter().map(|(name, value)| format!("{name}={}", quoted(value))).collect();
        let labels = slo.labels.merged_with(&Labels::from_iter(identity));
        Self { id, labels, selector: selector.join(", ") }
    }

    fn error_ratio(&self, lookback: Duration) -> String {
        format!("slo:sli_error:ratio_rate{}{{{}}}", written(lookback), self.selector)
    }
}

fn sli_recordings(slo: &Slo, names: &SlothNames) -> Vec<GeneratedRule> {
    let record = |lookback: Duration, expr: String| {
        let window = Labels::from_iter([("sloth_window", written(lookback))]);
        let name = format!("slo:sli_error:ratio_rate{}", written(lookback));
        GeneratedRule::record(name, expr, names.labels.merged_with(&window))
    };
    let period = slo.window.nominal();
    let live = |lookback| measure(slo, lookback).map(|measure| measure.plain_ratio()).unwrap_or_default();
    let mut rules: Vec<GeneratedRule> = lookbacks(&slo.pairs)
        .into_iter()
        .filter(|lookback| *lookback != period)
        .map(|l| record(l, live(l)))
        .collect();
    let shortest = slo.pairs.iter().map(|pair| pair.short).min();
    let whole = match (slo.budgeting, shortest) {
        // the mean of the shortest ratios is weighted by time instead of events, but reads a thousandth of the samples
        (BudgetingMethod::Occurrences | BudgetingMethod::RatioTimeslices { .. }, Some(shortest)) => {
            let (series, over) = (names.error_ratio(shortest), written(period));
            format!(
                "sum_over_time({series}[{over}])\n/ ignoring (sloth_window)\ncount_over_time({series}[{over}])"
            )
        }
        (BudgetingMethod::Timeslices { .. }, _) | (_, None) => live(period),
    };
    rules.push(record(period, whole));
    rules
}

fn meta_recordings(slo: &Slo, names: &SlothNames) -> Vec<GeneratedRule> {
    let record =
        |name: &str, expr: String| GeneratedRule::record(name.to_owned(), expr, names.labels.clone());
    let objective = slo.objective.ratio_text();
    let selector = &names.selector;
    let days = slo.window.nominal().as_secs_f64() / 86_400.0;
    let burn = |lookback| {
        format!(
            "{}\n/ on(sloth_id, sloth_slo, sloth_service) group_left\nslo:error_budget:ratio{{{selector}}}",
            names.error_ratio(lookback)
        )
    };
    let shortest = slo.pairs.iter().map(|pair| pair.short).min();
    let info = Labels::from_iter([
        ("sloth_mode", "burnwatch"),
        ("sloth_objective", &slo.objective.percent_text()),
        ("sloth_spec", "prometheus/v1"),
        ("sloth_version", concat!("burnwatch-", env!("CARGO_PKG_VERSION"))),
    ]);
    let mut rules = vec![
        record("slo:objective:ratio", format!("vector({objective})")),
        record("slo:error_budget:ratio", format!("vector(1-{objective})")),
        record("slo:time_period:days", format!("vector({days})")),
    ];
    rules.extend(shortest.map(|shortest| record("slo:current_burn_rate:ratio", burn(shortest))));
    rules.extend([
        record("slo:period_burn_rate:ratio", burn(slo.window.nominal())),
        record(
            "slo:period_error_budget_remaining:ratio",
            format!("1 - slo:period_burn_rate:ratio{{{selector}}}"),
        ),
        GeneratedRule::record(
            "sloth_slo_info".to_owned(),
            "vector(1)".to_owned(),
            names.labels.merged_with(&info),
        ),
    ]);
    rules
}

fn alert(slo: &Slo, names: &SlothNames, severity: BurnSeverity) -> Option<GeneratedRule> {
    let notice = slo.alerting.notice(severity)?;
    let pairs: Vec<String> = slo
        .pairs
        .iter()
        .filter(|pair| pair.severity == severity)
        .map(|pair| condition(slo, names, pair))
        .collect();
    if pairs.is_empty() {
        return None;
    }
    let word = severity.word();
    let own = Labels::from_iter([("sloth_severity", word)]);
    let title = format!(
        "({word}) {{{{$labels.sloth_service}}}} {{{{$labels.sloth_slo}}}} SLO error budget burn rate is too fast."
    );
    let summary =
        "{{$labels.sloth_service}} {{$labels.sloth_slo}} SLO error budget burn rate is over expected.";
    let usual = Labels::from_iter([("title", title.as_str()), ("summary", summary)]);
    let holds = slo.pairs.iter().filter(|pair| pair.severity == severity).map(|pair| pair.hold);
    let name = slo.alerting.name.clone().unwrap_or_else(|| format!("{}ErrorBudgetBurn", names.id).into());
    Some(GeneratedRule {
        output: RuleOutput::Alert(name),
        expr: pairs.join("\nor\n"),
        hold: holds.min().unwrap_or_default(),
        labels: slo.alerting.labels.merged_with(&notice.labels).merged_with(&own),
        annotations: usual.merged_with(&slo.alerting.annotations).merged_with(&notice.annotations),
    })
}

fn condition(slo: &Slo, names: &SlothNames, pair: &BurnCondition) -> String {
    let sign = if pair.at_least { ">=" } else { ">" };
    let budget = slo.objective.budget();
    let above = |lookback| {
        format!(
            "    max({} {sign} ({} * {budget})) without (sloth_window)",
            names.error_ratio(lookback),
            pair.factor
        )
    };
    format!("(\n{}\n    and\n{}\n)", above(pair.short), above(pair.long))
}
