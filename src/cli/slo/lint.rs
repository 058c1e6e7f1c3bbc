//! Warnings for valid SLO definitions: alert conditions that can never fire, windows that are too short, queries without a sum.

use std::path::PathBuf;
use std::time::Duration;

use crate::config::definitions::{Finding, FindingLevel};
use crate::model::duration::text;
use crate::model::promql::returns_one_series;
use crate::model::slo::{
    BurnCondition, DefinitionOrigin, EventSide, Form, Sli, Slo, Template, fewest_events, sloth, standard,
};

/// The warnings and notes for one SLO.
pub(super) fn lint(slo: &Slo) -> Vec<Finding> {
    let (path, line) = match &slo.origin {
        DefinitionOrigin::File { path, line, .. } => (path.clone(), Some(*line)),
        DefinitionOrigin::Series => (PathBuf::new(), None),
    };
    let finding = |level, message: String| {
        let message = format!("`{}`: {message}", slo.id);
        Finding { path: path.clone(), line, level, message }
    };
    let mut found = Vec::new();
    let mut warn = |message| found.push(finding(FindingLevel::Warning, message));
    let window = slo.window.nominal();
    for pair in &slo.pairs {
        let (condition, most) = (condition_text(pair), factor(slo.objective.max_burn_rate()));
        if pair.can_never_fire(slo.objective) {
            let percent = slo.objective.percent_text();
            warn(format!(
                "{condition} can never fire: with an objective of {percent} % the burn rate is {most} at most"
            ));
        }
        if pair.factor < 1.0 && !is_default_condition(pair, window) {
            warn(format!(
                "{condition} alerts below a burn rate of 1x, that is, also while the objective is met"
            ));
        }
        if pair.long > window {
            warn(format!("{condition} has a longer lookback than the SLO's window, {}", slo.window));
        }
    }
    if slo.pairs.is_empty() {
        warn("it has no burn-rate conditions, so it never alerts".to_owned());
    }
    for (query, what) in queries(slo) {
        let is_openslo = matches!(slo.origin, DefinitionOrigin::File { form: Form::OpenSlo, .. });
        // the readers of the other formats report this themselves
        // a threshold compares the value at each moment and has no lookback
        let is_value = matches!(slo.sli, Some(Sli::Threshold { .. }));
        if is_openslo && !is_value && !query.has_window() {
            warn(format!("{what} has no {{{{.window}}}} for the lookback: it is evaluated for each minute"));
        }
        if returns_one_series(&query.over(Duration::from_secs(300)), &slo.grouping) == Some(false) {
            let by = if slo.grouping.is_empty() {
                "sum()".to_owned()
            } else {
                format!("sum by ({}) ()", slo.grouping.join(", "))
            };
            warn(format!("{what} may return several series; put {by} around it"));
        }
    }
    let first = slo.pairs.first();
    if let (Some(Sli::Ratio { .. } | Sli::Threshold { .. }), Some(pair)) = (&slo.sli, first)
        && !pair.can_never_fire(slo.objective)
        && let Some(fewest) = fewest_events(slo.objective, pair.factor)
    {
        let (short, condition) = (text(pair.short), condition_text(pair));
        found.push(finding(
            FindingLevel::Note,
            format!(
                "the number of events is unknown: with fewer than {fewest} in {short} a single failure triggers {condition}"
            ),
        ));
    }
    found
}

/// A condition as text: `page 1h/5m at 14.4x`.
fn condition_text(pair: &BurnCondition) -> String {
    format!("{} {}/{} at {}x", pair.severity.word(), text(pair.long), text(pair.short), factor(pair.factor))
}

/// Whether it is a default condition of Sloth or the SRE Workbook for this window, such as 0.93x over 3 of 28 days.
fn is_default_condition(pair: &BurnCondition, window: Duration) -> bool {
    let usual = standard(window).into_iter().chain(sloth(window).into_iter().flatten());
    usual.map(|usual| (usual.long, usual.short, usual.factor)).any(|(long, short, usual)| {
        (long, short) == (pair.long, pair.short) && (usual - pair.factor).abs() < 1e-6
    })
}

/// Rounded to four digits after the point.
fn factor(factor: f64) -> f64 {
    (factor * 1e4).round() / 1e4
}

/// The queries of the definition, each with its name for messages.
fn queries(slo: &Slo) -> Vec<(&Template, &'static str)> {
    match &slo.sli {
        Some(Sli::Events { side, part, total }) => {
            let part_name = match side {
                EventSide::Good => "the query of good events",
                EventSide::Bad => "the query of bad events",
            };
            vec![(part, part_name), (total, "the query of all events")]
        }
        Some(Sli::Ratio { error: query } | Sli::Threshold { value: query, .. }) => vec![(query, "the query")],
        Some(
            Sli::Counters { .. }
            | Sli::Latency { .. }
            | Sli::NativeLatency { .. }
            | Sli::Gauge { .. }
            | Sli::Apdex { .. },
        )
        | None => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
