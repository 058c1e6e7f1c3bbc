//! PromQL for the history of one SLO: its burn rate over time, the errors of each time slot, and its firing alerts.

use std::time::Duration;

use super::super::duration;
use super::super::promql::quoted;
use super::definition::Slo;
use super::query::{RatioQuery, measure};
use super::reading::Evaluation;
use super::recorded::RecordedSeries;

/// One query for the error ratio over a lookback: of the recorded series if `evaluation` is recorded, else from the definition.
/// `None` if neither has such a query.
pub fn error_ratio(slo: &Slo, evaluation: Evaluation, lookback: Duration) -> Option<String> {
    let Some(recorded) = recorded(slo, evaluation) else {
        return measure(slo, lookback).map(|measure| measure.error_ratio());
    };
    let has_it = recorded.lookbacks.is_empty() || recorded.lookbacks.contains(&lookback);
    has_it.then(|| recorded.error_ratio(lookback))
}

/// One query for the error ratio over the whole window, which rules record separately from the lookbacks. A calendar window uses
/// its nominal length.
pub fn over_window(slo: &Slo, evaluation: Evaluation) -> Option<String> {
    let window = slo.window.nominal();
    recorded(slo, evaluation)
        .map_or_else(|| error_ratio(slo, evaluation, window), |recorded| Some(recorded.error_ratio(window)))
}

/// The recorded series, if the numbers come from them.
fn recorded(slo: &Slo, evaluation: Evaluation) -> Option<&RecordedSeries> {
    slo.recorded.as_ref().filter(|_| evaluation == Evaluation::Recorded)
}

/// The queries for the errors of each slot; their points are the ends of slots. With recorded series: the ratio over exactly the slot, else the mean of the longest
/// recorded ratio that is shorter (`None` if there is none). Without: from the definition.
pub fn slots(slo: &Slo, evaluation: Evaluation, slot: Duration) -> Option<RatioQuery> {
    let Some(recorded) = recorded(slo, evaluation) else {
        return match measure(slo, slot)? {
            counts @ RatioQuery::Counts { .. } => Some(counts),
            RatioQuery::Ratio(query) => Some(coarse(&query)),
        };
    };
    if let Some(query) = error_ratio(slo, evaluation, slot) {
        return Some(coarse(&query));
    }
    let shorter = recorded.lookbacks.iter().filter(|lookback| **lookback < slot).max()?;
    let (query, over) = (recorded.error_ratio(*shorter), duration::text(slot));
    Some(RatioQuery::Ratio(format!("avg_over_time(({query})[{over}:{}])", duration::text(*shorter))))
}

/// Puts the ratio in parentheses, so that its query text differs from that of the same ratio on the finer grid of a chart.
fn coarse(ratio: &str) -> RatioQuery {
    RatioQuery::Ratio(format!("({ratio})"))
}

/// The queries for the events of each slot, from the definition. `None` if the definition does not count events.
pub fn events(slo: &Slo, slot: Duration) -> Option<RatioQuery> {
    measure(slo, slot).filter(|measure| matches!(measure, RatioQuery::Counts { .. }))
}

/// How many alerts of each name fired in the slot that ends at each point: alerts of the SLO, and alerts of its service, which
/// may explain the errors.
pub fn firing(slo: &Slo, service: Option<&str>, slot: Duration) -> String {
    let identity = match &slo.recorded {
        Some(recorded) => (recorded.family.identity(), &*recorded.id),
        None => ("slo", &*slo.id),
    };
    let over = duration::text(slot);
    let fired = |(name, value): (&str, &str)| {
        format!(
            "count by (alertname) (max_over_time(ALERTS{{alertstate=\"firing\", {name}={}}}[{over}]))",
            quoted(value)
        )
    };
    let both = std::iter::once(identity).chain(service.map(|service| ("service", service)));
    both.map(fired).collect::<Vec<_>>().join("\nor\n")
}

#[cfg(test)]
mod tests {
    use super::super::super::fixtures;
    use super::super::super::labels::Labels;
    use super::super::{BudgetingMethod, Family, Objective, RecordedSeries, Sli, Template};
    use super::*;
    use crate::model::slo::EventSide;

    const HOUR: Duration = Duration::from_secs(3600);

    fn slo(sli: Option<Sli>, lookbacks: &[u64]) -> Slo {
        let lookbacks = lookbacks.iter().copied().map(Duration::from_secs).collect();
        let recorded = RecordedSeries {
            family: Family::Sloth,
            id: "shop\"a".into(),
            labels: Labels::default(),
            metric: "".into(),
            lookbacks,
            plugins: Vec::new(),
        };
        Slo {
            name: "a".into(),
            objective: Objective::percent("99").unwrap(),
            sli,
            pairs: Vec::new(),
            recorded: Some(recorded),
            ..fixtures::slo("shop-a")
        }
    }

    fn events_of(part: &str, total: &str) -> Sli {
        let template = |text: &str| Template::parse(text).unwrap();
        Sli::Events { side: EventSide::Bad, part: template(part), total: template(total) }
    }

    #[test]
    fn recorded_ratios_are_asked_for_where_they_are_and_averaged_where_only_shorter_ones_are() {
        let of = |lookbacks: &[u64]| slots(&slo(None, lookbacks), Evaluation::Recorded, HOUR);
        let recorded = r#"(slo:sli_error:ratio_rate1h{sloth_id="shop\"a"})"#;
        assert_eq!(of(&[]), Some(RatioQuery::Ratio(recorded.into())));
        assert_eq!(of(&[300, 3600]), Some(RatioQuery::Ratio(recorded.into())));
        let mean = r#"avg_over_time((slo:sli_error:ratio_rate5m{sloth_id="shop\"a"})[1h:5m])"#;
        assert_eq!(of(&[300, 7200]), Some(RatioQuery::Ratio(mean.into())));
        assert_eq!(of(&[7200]), None);
        let window = r#"slo:sli_error:ratio_rate30d{sloth_id="shop\"a"}"#;
        assert_eq!(over_window(&slo(None, &[300]), Evaluation::Recorded).as_deref(), Some(window));
    }

    #[test]
    fn a_live_slo_is_counted_by_its_definition() {
        let live = slo(Some(events_of("bad[{{.window}}]", "all[{{.window}}]")), &[300]);
        let counted =
            RatioQuery::Counts { side: EventSide::Bad, part: "bad[1h]".into(), total: "all[1h]".into() };
        assert_eq!(slots(&live, Evaluation::Live, HOUR), Some(counted));
        assert_eq!(slots(&slo(None, &[300]), Evaluation::Live, HOUR), None);
        let ratio = error_ratio(&live, Evaluation::Live, HOUR).unwrap();
        assert!(ratio.contains("bad[1h]") && ratio.contains("all[1h]"), "{ratio}");
    }

    #[test]
    fn slots_are_another_question_than_the_chart_of_the_same_lookback() {
        let template = |text: &str| Template::parse(text).unwrap();
        let ratio = Sli::Ratio { error: template("errors[{{.window}}]") };
        let slices = BudgetingMethod::Timeslices { slice: Duration::from_secs(300), least: 0.99 };
        for (sli, budgeting) in [
            (Some(ratio.clone()), BudgetingMethod::Occurrences),
            (Some(ratio), BudgetingMethod::RatioTimeslices { slice: HOUR }),
            (Some(events_of("bad[{{.window}}]", "all[{{.window}}]")), slices),
            (None, BudgetingMethod::Occurrences),
        ] {
            let evaluation = if sli.is_none() { Evaluation::Recorded } else { Evaluation::Live };
            let slo = Slo { budgeting, ..slo(sli, &[]) };
            let chart = error_ratio(&slo, evaluation, HOUR).unwrap();
            assert_ne!(slots(&slo, evaluation, HOUR), Some(RatioQuery::Ratio(chart)));
        }
    }

    #[test]
    fn what_fired_is_asked_for_by_the_slo_and_its_service() {
        let query = firing(&slo(None, &[]), Some("shop"), HOUR);
        assert_eq!(
            query,
            "count by (alertname) (max_over_time(ALERTS{alertstate=\"firing\", sloth_id=\"shop\\\"a\"}[1h]))\nor\n\
             count by (alertname) (max_over_time(ALERTS{alertstate=\"firing\", service=\"shop\"}[1h]))"
        );
    }
}
