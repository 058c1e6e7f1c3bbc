//! `burnwatch incidents`: incidents that match, the most pressing first.

use crate::app::found::passing;
use crate::app::subjects::incident::{described, haystack};
use crate::model::ask::AskKind;
use crate::model::incident::{IncidentStatus, Named};
use crate::model::labels::Text;
use crate::model::source::SourceId;
use crate::model::world::Linked;

use super::alerts::Filter;
use super::needs;
use super::report::{Cell, Column, Document, Fact, Layout, List};
use super::view::View;

const COLUMNS: &[Column] = &[
    Column::number("number", "#"),
    Column::text("status", "STATUS"),
    Column::text("urgency", "URGENCY"),
    Column::text("priority", "PRIO"),
    Column::text("created_at", "FOR"),
    Column::text("service", "SERVICE"),
    Column::hidden("services"),
    Column::text("who", "WHO"),
    Column::number("alerts", "ALERTS"),
    Column::hidden("alerts_open"),
    Column::hidden("id"),
    Column::hidden("url"),
    Column::hidden("changed_at"),
    Column::hidden("resolved_at"),
    Column::hidden("acknowledged_at"),
    Column::hidden("is_forgotten"),
    Column::hidden("paging_service"),
    Column::hidden("policy"),
    Column::hidden("teams"),
    Column::hidden("fingerprints"),
    Column::hidden("pending"),
    Column::apart("sources", "SOURCES"),
    Column::text("title", "TITLE"),
];

/// Whether a source can tell incidents at all.
pub(super) fn is_asked(view: &View<'_>) -> bool {
    view.sources.iter().any(|source| source.answers.contains(&AskKind::Incidents))
}

/// The incidents that the filter takes whatever their status, and what it asks for in vain.
fn found<'v>(view: &View<'v>, filter: &Filter) -> (Vec<&'v Linked>, Option<String>) {
    let (passes, unknown) = filter.select(haystack(view.world.incidents(), view.now));
    let named = |known: &&Linked| {
        let labels = described(known);
        filter.names(labels.iter().map(|(_, value)| &**value).chain([&*known.incident.title]))
    };
    (passing(view.world.incidents(), Some(&passes)).filter(named).collect(), unknown)
}

fn list_of<'v>(view: &View<'v>, incidents: impl Iterator<Item = &'v Linked>) -> List {
    List {
        key: "incidents",
        title: "Incidents".to_owned(),
        columns: COLUMNS,
        rows: incidents.map(|known| row(view, known)).collect(),
        empty: "No such incident is known.",
        layout: Layout::Rows,
    }
}

pub(super) fn list(view: &View<'_>, filter: &Filter) -> List {
    let is_wanted = |known: &&Linked| filter.all || known.incident.is_open();
    list_of(view, found(view, filter).0.into_iter().filter(is_wanted))
}

/// The list as a document, with a count of those that are over.
pub(super) fn document(view: &View<'_>, filter: &Filter) -> Document {
    let (mut incidents, unknown) = found(view, filter);
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

/// How many incidents are in which status; before any answer that is not zero, but unknown.
pub(super) fn counts(view: &View<'_>) -> Vec<Fact> {
    let is_known = view.world.knows_incidents();
    let count = |status| {
        let its = view.world.incidents().iter().filter(|known| known.incident.status == status);
        if is_known { Cell::count(its.count()) } else { Cell::Nothing }
    };
    vec![
        Fact {
            key: "incidents_triggered",
            title: "Incidents waiting",
            value: count(IncidentStatus::Triggered),
        },
        Fact {
            key: "incidents_acknowledged",
            title: "Incidents taken",
            value: count(IncidentStatus::Acknowledged),
        },
    ]
}

fn row(view: &View<'_>, known: &Linked) -> Vec<Cell> {
    let incident = &known.incident;
    let text = |text: Option<&Text>| text.map_or(Cell::Nothing, |text| Cell::words(text.to_string()));
    let name = |named: Option<&Named>| text(named.map(|named| &named.name));
    let since = |at: Option<jiff::Timestamp>| at.map_or(Cell::Nothing, Cell::Since);
    let who = known.holders().iter().map(|person| person.name.to_string()).collect();
    let pending = incident.pending.iter().map(|pending| format!("{} at {}", pending.what, pending.at));
    vec![
        Cell::Count(incident.number),
        Cell::Text(incident.status.word().to_owned()),
        Cell::Text(incident.urgency.word().to_owned()),
        name(incident.priority.as_ref().map(|priority| &priority.named)),
        Cell::Since(incident.created_at),
        text(known.service.as_ref().or_else(|| incident.service.as_ref().map(|service| &service.name))),
        Cell::Texts(known.services.iter().map(ToString::to_string).collect()),
        Cell::Texts(who),
        Cell::Count(incident.alerts.all.into()),
        Cell::Count(incident.alerts.triggered.into()),
        Cell::Text(incident.id.to_string()),
        text(incident.url.as_ref()),
        Cell::Since(incident.changed_at),
        since(incident.resolved_at),
        since(known.acknowledged_at()),
        Cell::Switch(known.is_forgotten(view.now)),
        name(incident.service.as_ref()),
        name(incident.escalation_policy.as_ref()),
        Cell::Texts(incident.teams.iter().map(|team| team.name.to_string()).collect()),
        Cell::Texts(known.alerts.iter().map(ToString::to_string).collect()),
        Cell::Texts(pending.collect()),
        Cell::Texts(known.sources.iter().map(SourceId::to_string).collect()),
        Cell::Text(incident.title.to_string()),
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
        let text = table::render(&document(&fixture.view(), &Filter::default()));
        let first: Vec<_> = text.lines().filter_map(|line| line.split_whitespace().next()).collect();
        assert_eq!(first, ["#", "2", "1", "!"], "{text}");
        assert!(text.contains("Ana Lima") && text.contains("not shown: 1 resolved"), "{text}");
        let filter = Filter::new(&["status=acknowledged".to_owned(), "CHECK".to_owned()], false).unwrap();
        let json = json::render(&document(&fixture.view(), &filter));
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["incidents"].as_array().map(Vec::len), Some(1));
        assert_eq!(json["incidents"][0]["is_forgotten"], true);
        assert_eq!(json["incidents"][0]["who"][0], "Ana Lima");
    }

    #[test]
    fn without_a_source_of_incidents_nothing_is_missing_and_silence_proves_nothing() {
        let document = document(&world().view(), &Filter::default());
        assert!(!document.is_partial);
        assert_eq!(document.notes, ["none of the sources of this context can tell incidents"]);
        assert!(counts(&world().view()).iter().all(|fact| fact.value == Cell::Nothing));
    }
}
