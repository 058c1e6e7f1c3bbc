//! `burnwatch incidents`: the incidents that match a filter, the most urgent first.

use crate::app::screens::incidents::columns::{COLUMNS, IncidentItem};
use crate::app::subjects::incident::{described, haystack};
use crate::model::ask::AskKind;
use crate::model::incident::IncidentStatus;

use super::alerts::AlertFilter;
use super::needs;
use super::report::{Fact, ReportDocument, ReportList};
use super::view::WorldView;

/// Whether any source of the context has incidents.
pub(super) fn is_asked(view: &WorldView<'_>) -> bool {
    view.sources.iter().any(|source| source.answers.contains(&AskKind::Incidents))
}

/// The incidents that match the filter; resolved ones only with `--all`. The notes count the resolved incidents that are not
/// shown, and name an unknown field of the filter.
pub(super) fn list(view: &WorldView<'_>, filter: &AlertFilter) -> (ReportList, Vec<String>) {
    let all = view.world.incidents();
    let (mut incidents, unknown) = filter.matching(all, haystack(all, view.now), |known| {
        let labels = described(known);
        let title = known.incident.title.to_string();
        labels.iter().map(|(_, value)| value.to_string()).chain([title]).collect()
    });
    let found = incidents.len();
    incidents.retain(|known| filter.all || known.incident.is_open());
    let over = found - incidents.len();
    let left_out = (over > 0).then(|| format!("not shown: {over} resolved (--all shows them)"));
    let items = incidents.into_iter().map(|known| IncidentItem { known, now: view.now });
    let list = ReportList::of(("incidents", "Incidents", "No matching incidents found."), COLUMNS, items);
    (list, left_out.into_iter().chain(unknown).collect())
}

/// The list as a document with its notes.
pub(super) fn document(view: &WorldView<'_>, filter: &AlertFilter) -> ReportDocument {
    let (list, notes) = list(view, filter);
    let mut document = view.document(Vec::new(), vec![list], needs::INCIDENTS);
    document.notes.extend(notes);
    document
}

/// How many incidents have each status of an open incident.
pub(super) fn counts(view: &WorldView<'_>) -> impl Iterator<Item = Fact> {
    let is_known = view.world.has_incident_data();
    [IncidentStatus::Triggered, IncidentStatus::Acknowledged].into_iter().map(move |status| {
        let its = view.world.incidents().iter().filter(|known| known.incident.status == status);
        let word = status.word();
        Fact::count(format!("incidents_{word}"), format!("Incidents {word}"), is_known, its.count())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::fixtures::{am, incident, prom, world};
    use crate::cli::report::{Cell, json, table};

    #[test]
    fn open_ones_stand_with_who_has_them_and_the_others_are_counted() {
        let mut over = incident(3, "Disk full", IncidentStatus::Resolved, 50);
        over.resolved_at = Some(over.changed_at);
        let all = vec![
            incident(1, "Checkout burns", IncidentStatus::Acknowledged, 5 * 3600),
            incident(2, "Cart burns", IncidentStatus::Triggered, 60),
            over,
        ];
        let fixture = world().with_incidents(all).with_services(&prom(), Vec::new());
        let fixture = fixture.with_rules(&prom()).with_alerts(&am(), Vec::new());
        let text = table::render(&document(&fixture.view(), &AlertFilter::default()));
        let first: Vec<_> = text.lines().filter_map(|line| line.split_whitespace().next()).collect();
        assert_eq!(first, ["#", "2", "1", "!"], "{text}");
        assert!(text.contains("Ana Lima") && text.contains("not shown: 1 resolved"), "{text}");
        let filter =
            AlertFilter::new(&["status=acknowledged".to_owned(), "CHECK".to_owned()], false).unwrap();
        let json = json::render(&document(&fixture.view(), &filter));
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["incidents"].as_array().map(Vec::len), Some(1));
        assert_eq!(json["incidents"][0]["is_forgotten"], true);
        assert_eq!(json["incidents"][0]["who"][0], "Ana Lima");
    }

    #[test]
    fn without_a_source_of_incidents_nothing_is_missing_and_silence_proves_nothing() {
        let document = document(&world().view(), &AlertFilter::default());
        assert!(!document.is_partial);
        assert_eq!(document.notes, ["no source of this context has incidents"]);
        assert!(counts(&world().view()).all(|fact| fact.value == Cell::Nothing));
    }
}
