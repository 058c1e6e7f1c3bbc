//! `burnwatch slos`: all SLOs with their budgets and burns, worst first; grouped ones with a row for each group.

use std::sync::Arc;
use std::time::Duration;

use crate::model::alert::Alert;
use crate::model::duration;
use crate::model::slo::{Doubt, Evaluation, Exhaustion, SloState, SloStatus, Standing, show};

use super::needs;
use super::report::{Cell, Column, Document, Fact, Layout, List};
use super::view::View;

const COLUMNS: &[Column] = &[
    Column::text("id", "SLO"),
    Column::apart("source", "SOURCE"),
    Column::text("group", "GROUP"),
    Column::text("state", "STATE"),
    Column::number("objective", "OBJECTIVE"),
    Column::text("window", "WINDOW"),
    Column::number("sli", "SLI"),
    Column::number("budget_left", "LEFT"),
    Column::number("burn_5m", "5M"),
    Column::hidden("burn_30m"),
    Column::number("burn_1h", "1H"),
    Column::number("burn_6h", "6H"),
    Column::number("burn_3d", "3D"),
    Column::number("exhausted_in_seconds", "GONE IN"),
    Column::number("alerts", "ALERTS"),
    Column::hidden("service"),
    Column::hidden("labels"),
    Column::hidden("covered"),
    Column::hidden("is_time_weighted"),
    Column::hidden("is_evaluated_live"),
    Column::hidden("measured_at"),
    Column::text("why", "WHY"),
];

pub(super) fn list(view: &View<'_>) -> List {
    let mut slos: Vec<&SloStatus> = view.world.slos().iter().collect();
    slos.sort_by(|a, b| a.by_urgency(b));
    List {
        key: "slos",
        title: "SLOs".to_owned(),
        columns: COLUMNS,
        rows: slos.into_iter().flat_map(|status| rows(view, status)).collect(),
        empty: "No SLO is known. Name files with definitions under [slo] files, or record them by Sloth or Pyrra.",
        layout: Layout::Rows,
    }
}

pub(super) fn document(view: &View<'_>) -> Document {
    view.document(Vec::new(), vec![list(view)], needs::SLOS)
}

pub(super) fn counts(view: &View<'_>) -> Vec<Fact> {
    let is_known = view.world.sources().any(|(_, held)| held.slos().at().is_some());
    let count = |states: &[SloState]| {
        let slos = view.world.slos().iter().filter(|status| states.contains(&status.state()));
        if is_known { Cell::count(slos.count()) } else { Cell::Nothing }
    };
    vec![
        Fact { key: "slos_paging", title: "SLOs paging", value: count(&[SloState::Page]) },
        Fact { key: "slos_exhausted", title: "SLOs exhausted", value: count(&[SloState::Exhausted]) },
        Fact { key: "slos_total", title: "SLOs in all", value: count(&SloState::ALL) },
    ]
}

fn rows(view: &View<'_>, status: &SloStatus) -> Vec<Vec<Cell>> {
    if status.groups.is_empty() {
        return vec![row(view, status, None)];
    }
    status.groups.iter().map(|group| row(view, status, Some(group))).collect()
}

fn row(view: &View<'_>, status: &SloStatus, group: Option<&Standing>) -> Vec<Cell> {
    let slo = &status.slo;
    let burn = |seconds| {
        let rate = group.and_then(|group| group.burn(Duration::from_secs(seconds)));
        told(rate, show::burn)
    };
    let error = group.and_then(|group| group.window.error());
    let is_its = |alert: &&Arc<Alert>| group.is_none_or(|group| status.is_about(group, &alert.labels));
    let alerts = status.alerts.iter().filter_map(|alert| view.world.alert(*alert)).filter(is_its).count();
    vec![
        Cell::Text(slo.id.to_string()),
        Cell::Text(status.source.to_string()),
        group
            .filter(|group| !group.labels.is_empty())
            .map_or(Cell::Nothing, |g| Cell::Labels(g.labels.clone())),
        Cell::Text(group.map_or(SloState::NoData, |group| group.state).word().to_owned()),
        Cell::Told(slo.objective.as_ratio(), format!("{}%", slo.objective.percent_text())),
        Cell::Text(slo.window.to_string()),
        told(error.map(|error| 1.0 - error), |sli| show::sli(sli, slo.objective)),
        told(group.and_then(Standing::left), show::left),
        burn(300),
        burn(1800),
        burn(3600),
        burn(6 * 3600),
        burn(3 * 86_400),
        gone_in(status, group.and_then(|group| group.exhaustion)),
        Cell::count(alerts),
        status.service.as_ref().map_or(Cell::Nothing, |name| Cell::Text(name.to_string())),
        Cell::Labels(slo.labels.clone()),
        Cell::maybe(group.and_then(|group| group.covered), Cell::Ratio),
        Cell::Switch(group.is_some_and(|group| group.is_time_weighted)),
        Cell::Switch(status.evaluation == Evaluation::Live),
        Cell::Since(status.at),
        Cell::words(why(status, group)),
    ]
}

fn told(value: Option<f64>, text: impl Fn(f64) -> String) -> Cell {
    value.filter(|value| value.is_finite()).map_or(Cell::Nothing, |value| Cell::Told(value, text(value)))
}

/// Seconds; zero if nothing is left, none if it will not be so.
fn gone_in(status: &SloStatus, exhaustion: Option<Exhaustion>) -> Cell {
    let seconds = match exhaustion {
        Some(Exhaustion::Exhausted) => 0.0,
        Some(Exhaustion::In(left)) => left.as_secs_f64(),
        Some(Exhaustion::NotWithinWindow(_) | Exhaustion::NotBeforeReset(_) | Exhaustion::Never) | None => {
            return Cell::Nothing;
        }
    };
    Cell::Told(seconds, show::gone_in(exhaustion, status.slo.window.length(status.at)))
}

/// What a person must know beside the numbers, in words.
pub(super) fn why(status: &SloStatus, group: Option<&Standing>) -> String {
    let pairs = group.into_iter().flat_map(|group| &group.pairs).filter(|now| now.holds == Some(true));
    let mut all: Vec<String> = pairs
        .map(|now| {
            let (long, short) = (duration::text(now.pair.long), duration::text(now.pair.short));
            format!("{long} and {short} above {}", show::factor(now.pair.factor))
        })
        .collect();
    match group.and_then(|group| group.doubt.as_ref()) {
        Some(doubt) => all.push(self::doubt(status, doubt)),
        None if group.is_none() => {
            all.push(status.trouble.as_ref().map_or("no series".to_owned(), ToString::to_string));
        }
        None => {}
    }
    if let Some((covered, group)) = group.and_then(|group| Some((group.covered?, group))) {
        all.push(show::covered(covered, group.covered_at_most, status.slo.window.elapsed(status.at)));
    }
    let is_told = group.is_some_and(|group| matches!(group.doubt, Some(Doubt::Because(_))));
    all.extend(status.remark.iter().filter(|_| !is_told).map(ToString::to_string));
    all.join("; ")
}

fn doubt(status: &SloStatus, doubt: &Doubt) -> String {
    match doubt {
        Doubt::Unknown => "not measured".to_owned(),
        Doubt::NeverHadData => "never had data".to_owned(),
        Doubt::NoDataSince(since) => format!("no data since {since:.0}"),
        Doubt::Odd(odd, over) => odd.told(*over, status.evaluation),
        Doubt::Missing(over) => format!("{} is missing", status.evaluation.ratio(*over)),
        Doubt::Because(why) => why.to_string(),
        Doubt::Refused(said) => said.to_string(),
        Doubt::NoQuery => "its definition has no query for this source".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::fixtures::{am, prom, slo, world};
    use crate::cli::report::{json, table};
    use crate::model::slo::Measured;

    #[test]
    fn the_worst_stands_first_with_the_pairs_that_hold() {
        let ratio = |error| Measured::Ratio { error, events: None };
        let calm = slo("calm", ratio(0.0001), ratio(0.0));
        let burning = slo("burning", ratio(0.0005), ratio(0.03));
        let gone = slo("gone", Measured::Absent, Measured::Absent);
        let fixture = world().with_slos(&prom(), vec![burning, calm, gone]);
        let fixture = fixture.with_rules(&prom()).with_alerts(&am(), Vec::new());
        let text = table::render(&document(&fixture.view()));
        let names: Vec<_> = text.lines().map(|line| line.split_whitespace().next().unwrap_or("")).collect();
        assert_eq!(names, ["SLO", "burning", "gone", "calm"]);
        for part in ["1h and 5m above 14.4x", "never had data", "99.9%", "50%"] {
            assert!(text.contains(part), "{part:?} in\n{text}");
        }
        let json: serde_json::Value =
            serde_json::from_str(&json::render(&document(&fixture.view()))).unwrap();
        assert_eq!(json["slos"][0]["objective"], 0.999);
        assert_eq!(json["slos"][1]["sli"], serde_json::Value::Null);
        assert_eq!(json["slos"][1]["state"], "no data");
    }

    #[test]
    fn a_source_that_does_not_tell_makes_the_list_partial() {
        let document = document(&world().view());
        assert!(document.is_partial);
        assert_eq!(document.notes[0], "prom: no answer about SLOs in time");
    }
}
