//! `burnwatch slos`: all SLOs with error budget and burn rates, the worst first; a grouped SLO has a row for each group.

pub(super) use crate::app::screens::slos::columns::why;
use crate::app::screens::slos::columns::{COLUMNS, SloItem};
use crate::model::slo::{SloState, SloStatus};

use super::needs;
use super::report::{Fact, ReportDocument, ReportList};
use super::view::WorldView;

const EMPTY: &str =
    "No SLOs found. Name files with definitions in [slo] files, or record SLOs with Sloth or Pyrra.";

/// The SLOs, worst first.
pub(super) fn list(view: &WorldView<'_>) -> ReportList {
    let mut slos: Vec<&SloStatus> = view.world.slos().iter().collect();
    slos.sort_by(|a, b| a.by_urgency(b));
    let items = slos.into_iter().flat_map(|status| {
        let groups = status.groups.iter().map(Some).chain(status.groups.is_empty().then_some(None));
        groups.map(move |group| SloItem { status, group, world: view.world })
    });
    ReportList::of(("slos", "SLOs", EMPTY), COLUMNS, items)
}

pub(super) fn document(view: &WorldView<'_>) -> ReportDocument {
    view.document(Vec::new(), vec![list(view)], needs::SLOS)
}

/// How many SLOs are paging and exhausted, and how many there are; unknown, not zero, before a source has answered.
pub(super) fn counts(view: &WorldView<'_>) -> Vec<Fact> {
    let is_known = view.world.sources().any(|(_, cache)| cache.slos().at.is_some());
    let count = |states: &[SloState]| {
        view.world.slos().iter().filter(|status| states.contains(&status.state())).count()
    };
    vec![
        Fact::count("slos_paging", "SLOs paging", is_known, count(&[SloState::Page])),
        Fact::count("slos_exhausted", "SLOs exhausted", is_known, count(&[SloState::Exhausted])),
        Fact::count("slos_total", "SLOs in total", is_known, count(&SloState::ALL)),
    ]
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
