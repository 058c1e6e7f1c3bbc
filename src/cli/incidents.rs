//! `burnwatch incidents`: the incidents that match a filter, the most urgent first.

use crate::app::list_filter::passing;
use crate::app::screens::incidents::columns::{COLUMNS, IncidentItem};
use crate::app::subjects::incident::{described, haystack};
use crate::model::ask::AskKind;
use crate::model::incident::IncidentStatus;
use crate::model::world::IncidentView;

use super::alerts::AlertFilter;
use super::needs;
use super::report::{Cell, Fact, ListLayout, ReportColumn, ReportDocument, ReportList};
use super::view::WorldView;

/// Whether any source of the context has incidents.
pub(super) fn is_asked(view: &WorldView<'_>) -> bool {
    view.sources.iter().any(|source| source.answers.contains(&AskKind::Incidents))
}

/// The incidents that match the filter, in all states; and a message if the filter names an unknown field.
fn matching_incidents<'v>(
    view: &WorldView<'v>,
    filter: &AlertFilter,
) -> (Vec<&'v IncidentView>, Option<String>) {
    let (passes, unknown) = filter.select(haystack(view.world.incidents(), view.now));
    let named = |known: &&IncidentView| {
        let labels = described(known);
        filter.contains_all_words(labels.iter().map(|(_, value)| &**value).chain([&*known.incident.title]))
    };
    (passing(view.world.incidents(), Some(&passes)).filter(named).collect(), unknown)
}

fn list_of<'v>(view: &WorldView<'v>, incidents: impl Iterator<Item = &'v IncidentView>) -> ReportList {
    ReportList {
        key: "incidents",
        title: "Incidents".to_owned(),
        columns: ReportColumn::of(COLUMNS),
        rows: incidents
            .map(|known| ReportColumn::values(COLUMNS, &IncidentItem { known, now: view.now }))
            .collect(),
        empty: "No matching incidents found.",
        layout: ListLayout::Rows,
    }
}

/// The incidents that match the filter; resolved ones only with `--all`.
pub(super) fn list(view: &WorldView<'_>, filter: &AlertFilter) -> ReportList {
    let is_wanted = |known: &&IncidentView| filter.all || known.incident.is_open();
    list_of(view, matching_incidents(view, filter).0.into_iter().filter(is_wanted))
}

/// The list as a document; a note counts the resolved incidents that are not shown.
pub(super) fn document(view: &WorldView<'_>, filter: &AlertFilter) -> ReportDocument {
    let (mut incidents, unknown) = matching_incidents(view, filter);
    let all = incidents.len();
    incidents.retain(|known| filter.all || known.incident.is_open());
    let over = all - incidents.len();
    let mut document =
        view.document(Vec::new(), vec![list_of(view, incidents.into_iter())], needs::INCIDENTS);
    if over > 0 {
        document.notes.push(format!("not shown: {over} resolved (--all shows them)"));
    }
    document.notes.extend(unknown);
    document
}

/// How many incidents have each status; unknown, not zero, before a source has answered.
pub(super) fn counts(view: &WorldView<'_>) -> Vec<Fact> {
    let is_known = view.world.has_incident_data();
    let count = |status| {
        let its = view.world.incidents().iter().filter(|known| known.incident.status == status);
        if is_known { Cell::count(its.count()) } else { Cell::Nothing }
    };
    vec![
        Fact {
            key: "incidents_triggered",
            title: "Incidents triggered",
            value: count(IncidentStatus::Triggered),
        },
        Fact {
            key: "incidents_acknowledged",
            title: "Incidents acknowledged",
            value: count(IncidentStatus::Acknowledged),
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::fixtures::{am, incident, prom, world};
    use crate::cli::report::{json, table};

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
        assert!(counts(&world().view()).iter().all(|fact| fact.value == Cell::Nothing));
    }
}
