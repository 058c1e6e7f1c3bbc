//! `burnwatch slos`: all SLOs with error budget and burn rates, the worst first; a grouped SLO has a row for each group.

pub(super) use crate::app::screens::slos::columns::why;
use crate::app::screens::slos::columns::{COLUMNS, SloItem};
use crate::model::slo::{SloState, SloStatus};

use super::needs;
use super::report::{Cell, Fact, ListLayout, ReportColumn, ReportDocument, ReportList};
use super::view::WorldView;

/// The SLOs, worst first.
pub(super) fn list(view: &WorldView<'_>) -> ReportList {
    let mut slos: Vec<&SloStatus> = view.world.slos().iter().collect();
    slos.sort_by(|a, b| a.by_urgency(b));
    ReportList {
        key: "slos",
        title: "SLOs".to_owned(),
        columns: ReportColumn::of(COLUMNS),
        rows: slos.into_iter().flat_map(|status| rows(view, status)).collect(),
        empty: "No SLOs found. Name files with definitions in [slo] files, or record SLOs with Sloth or Pyrra.",
        layout: ListLayout::Rows,
    }
}

pub(super) fn document(view: &WorldView<'_>) -> ReportDocument {
    view.document(Vec::new(), vec![list(view)], needs::SLOS)
}

/// How many SLOs are paging and exhausted, and how many there are; unknown, not zero, before a source has answered.
pub(super) fn counts(view: &WorldView<'_>) -> Vec<Fact> {
    let is_known = view.world.sources().any(|(_, cache)| cache.slos().at.is_some());
    let count = |states: &[SloState]| {
        let slos = view.world.slos().iter().filter(|status| states.contains(&status.state()));
        if is_known { Cell::count(slos.count()) } else { Cell::Nothing }
    };
    vec![
        Fact { key: "slos_paging", title: "SLOs paging", value: count(&[SloState::Page]) },
        Fact { key: "slos_exhausted", title: "SLOs exhausted", value: count(&[SloState::Exhausted]) },
        Fact { key: "slos_total", title: "SLOs in total", value: count(&SloState::ALL) },
    ]
}

fn rows(view: &WorldView<'_>, status: &SloStatus) -> Vec<Vec<Cell>> {
    let row = |group| ReportColumn::values(COLUMNS, &SloItem { status, group, world: view.world });
    if status.groups.is_empty() {
        return vec![row(None)];
    }
    status.groups.iter().map(|group| row(Some(group))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::fixtures::{am, prom, slo, world};
    use crate::cli::report::{json, table};
    use crate::model::slo::MeasuredRatio;

    #[test]
    fn the_worst_stands_first_with_the_pairs_that_hold() {
        let ratio = |error| MeasuredRatio::Ratio { error, events: None };
        let calm = slo("calm", ratio(0.0001), ratio(0.0));
        let burning = slo("burning", ratio(0.0005), ratio(0.03));
        let gone = slo("gone", MeasuredRatio::Absent, MeasuredRatio::Absent);
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
