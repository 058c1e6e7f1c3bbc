//! What may be wrong with an SLO that can be read: conditions that never hold, windows that are too short, queries without a sum.

use std::path::PathBuf;
use std::time::Duration;

use crate::config::definitions::{Finding, Level};
use crate::model::duration::text;
use crate::model::promql::returns_one_series;
use crate::model::slo::{
    BurnCondition, DefinitionOrigin, EventSide, Form, Sli, Slo, Template, fewest_events, sloth, standard,
};

/// Everything that may be wrong with one SLO.
pub(super) fn lint(slo: &Slo) -> Vec<Finding> {
    let (path, line) = match &slo.origin {
        DefinitionOrigin::File { path, line, .. } => (path.clone(), Some(*line)),
        DefinitionOrigin::Series => (PathBuf::new(), None),
    };
    let mut found = Vec::new();
    let mut say = |level, message: String| {
        let message = format!("`{}`: {message}", slo.id);
        found.push(Finding { path: path.clone(), line, level, message });
    };
    let window = slo.window.nominal();
    for pair in &slo.pairs {
        let most = slo.objective.max_burn_rate();
        if pair.can_never_fire(slo.objective) {
            let percent = slo.objective.percent_text();
            say(
                Level::Warning,
                format!(
                    "{} can never fire: at {percent} % no burn rate is above {}",
                    condition_text(pair),
                    factor(most)
                ),
            );
        }
        if pair.factor < 1.0 && !is_default_condition(pair, window) {
            say(
                Level::Warning,
                format!(
                    "{} alerts below 1x, the pace at which the budget just lasts: also while the objective is kept",
                    condition_text(pair)
                ),
            );
        }
        if pair.long > window {
            say(
                Level::Warning,
                format!("{} looks back further than the window, {}", condition_text(pair), slo.window),
            );
        }
    }
    if slo.pairs.is_empty() {
        say(Level::Warning, "it has no condition under which it would alert".to_owned());
    }
    for (query, what) in queries(slo) {
        let is_openslo = matches!(slo.origin, DefinitionOrigin::File { form: Form::OpenSlo, .. });
        // the other forms say so when they are read
        // a value is compared at each moment: there is no lookback in it
        let is_value = matches!(slo.sli, Some(Sli::Threshold { .. }));
        if is_openslo && !is_value && !query.has_window() {
            say(
                Level::Warning,
                format!(
                    "{what} has no {{{{.window}}}} where the lookback goes: it is taken minute by minute"
                ),
            );
        }
        if returns_one_series(&query.over(Duration::from_secs(300)), &slo.grouping) == Some(false) {
            let by = if slo.grouping.is_empty() {
                "sum()".to_owned()
            } else {
                format!("sum by ({}) ()", slo.grouping.join(", "))
            };
            say(Level::Warning, format!("{what} may give several series; put {by} around it"));
        }
    }
    let first = slo.pairs.first();
    if let (Some(Sli::Ratio { .. } | Sli::Threshold { .. }), Some(pair)) = (&slo.sli, first)
        && !pair.can_never_fire(slo.objective)
        && let Some(fewest) = fewest_events(slo.objective, pair.factor)
    {
        say(
            Level::Note,
            format!(
                "how many events there are is not known: with fewer than {fewest} in {} one failure is enough for {}",
                text(pair.short),
                condition_text(pair)
            ),
        );
    }
    found
}

fn condition_text(pair: &BurnCondition) -> String {
    format!("{} {}/{} at {}x", pair.severity.word(), text(pair.long), text(pair.short), factor(pair.factor))
}

/// Whether it is one of those that Sloth and the SRE Workbook bring for this window: 0.93x over 3 days of 28 is one of them.
fn is_default_condition(pair: &BurnCondition, window: Duration) -> bool {
    let usual = standard(window).into_iter().chain(sloth(window).into_iter().flatten());
    usual.map(|usual| (usual.long, usual.short, usual.factor)).any(|(long, short, usual)| {
        (long, short) == (pair.long, pair.short) && (usual - pair.factor).abs() < 1e-6
    })
}

/// Without the dust of a division.
fn factor(factor: f64) -> f64 {
    (factor * 1e4).round() / 1e4
}

/// The queries that a person wrote.
fn queries(slo: &Slo) -> Vec<(&Template, &'static str)> {
    match &slo.sli {
        Some(Sli::Events { side: EventSide::Good, part, total }) => {
            vec![(part, "the query of good events"), (total, "the query of all events")]
        }
        Some(Sli::Events { side: EventSide::Bad, part, total }) => {
            vec![(part, "the query of bad events"), (total, "the query of all events")]
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
