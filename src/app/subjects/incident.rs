//! Incidents, for all screens: sort order, grouping, filter fields, queries, texts, links.

use std::cmp::Ordering;

use super::link::is_link;
use super::runbook;
use crate::app::columns::{ThingOrder, ascending, compare, descending};
use crate::app::filter::FilterFields;
use crate::app::identity::WhySubject;
use crate::app::prelude::*;
use crate::model::incident::IncidentDetail;

pub mod earlier;
pub mod words;

/// The properties by which incidents can be grouped.
pub const GROUPINGS: [&str; 4] = ["service", "team", "urgency", "status"];

/// The sort orders. The world's incidents are already in the first order (most urgent first).
pub const ORDERS: [ThingOrder<IncidentView>; 6] = [
    ascending("most urgent: priority, urgency, status, newest", "prio", |_, _| Ordering::Equal),
    ascending("newest first", "age", |a, b| b.incident.created_at.cmp(&a.incident.created_at)),
    descending("oldest first", "age", |a, b| a.incident.created_at.cmp(&b.incident.created_at)),
    ascending("service", "service", |a, b| none_last(service(a)).cmp(&none_last(service(b)))),
    ascending("assigned to", "assigned to", |a, b| {
        let who = |known: &IncidentView| known.holders().first().map(|person| person.name.clone());
        none_last(who(a)).cmp(&none_last(who(b)))
    }),
    descending("alerts, most first", "alerts", |a, b| b.incident.alerts.all.cmp(&a.incident.alerts.all)),
];

/// A sort key that puts `None` last.
fn none_last<T>(one: Option<T>) -> (bool, Option<T>) {
    (one.is_none(), one)
}

/// The value of one of [`GROUPINGS`] for an incident; empty if it has none.
pub fn value_of(view: &IncidentView, by: &str) -> Text {
    let incident = &view.incident;
    match by {
        "service" => service(view).cloned().unwrap_or_default(),
        "team" => incident.teams.first().map(|team| team.name.clone()).unwrap_or_default(),
        "urgency" => incident.urgency.word().into(),
        _ => incident.status.word().into(),
    }
}

/// The service of an incident: the monitored service, else the paging system's.
pub fn service(view: &IncidentView) -> Option<&Text> {
    view.service.as_ref().or_else(|| view.incident.service.as_ref().map(|service| &service.name))
}

/// The haystack of these incidents. Words search all fields, matchers one.
pub fn haystack(incidents: &[IncidentView], now: Timestamp) -> Haystack {
    let described: Vec<Labels> = incidents.iter().map(described).collect();
    Haystack::with_fields(
        FIELDS,
        incidents
            .iter()
            .zip(&described)
            .map(|(known, labels)| (labels, [&known.incident.title], [], numbers(known, now))),
    )
}

/// The numeric filter fields of incidents, besides the fields of [`described`].
const FIELDS: FilterFields = FilterFields { words: &[], numbers: &["age", "alerts"], flags: &[] };

fn numbers(known: &IncidentView, now: Timestamp) -> [f64; 2] {
    let age = age(known.incident.created_at, now).as_secs_f64();
    [age, f64::from(known.incident.alerts.all)]
}

/// The text fields that a filter can use.
pub fn described(view: &IncidentView) -> Labels {
    let incident = &view.incident;
    let joined = |names: Vec<&str>| Text::from(names.join(", "));
    let pairs = [
        ("id", incident.id.clone()),
        ("number", incident.number.to_string().into()),
        ("status", incident.status.word().into()),
        ("state", incident.status.word().into()),
        ("urgency", incident.urgency.word().into()),
        ("priority", incident.priority.as_ref().map(|p| p.named.name.clone()).unwrap_or_default()),
        ("service", service(view).cloned().unwrap_or_default()),
        ("policy", incident.escalation_policy.as_ref().map(|p| p.name.clone()).unwrap_or_default()),
        ("team", joined(incident.teams.iter().map(|team| &*team.name).collect())),
        ("who", joined(view.holders().iter().map(|person| &*person.name).collect())),
        ("source", view.source().as_str().into()),
    ];
    Labels::default().with(pairs)
}

/// The incidents that pass the filter, in the sort order. `all` is sorted by urgency, which stays the order of equal ones.
pub fn ordered<'a>(
    all: &'a [IncidentView],
    passes: Option<&[bool]>,
    order: SortOrder,
) -> Vec<&'a IncidentView> {
    let mut shown: Vec<&IncidentView> = passing(all, passes).collect();
    if order.column == 0 && order.reversed {
        shown.reverse();
    }
    shown.sort_by(|a, b| compare(&ORDERS, order, |by| by(a, b)));
    shown
}

/// How often the details of an open incident are queried.
const OPEN_INCIDENT_INTERVAL: Duration = Duration::from_secs(10);

/// Most incidents whose alerts are queried in the background: each costs several requests.
const MAX_DETAIL_QUERIES: usize = 6;

/// The cached details of an incident.
pub fn remote<'a>(shared: &'a Shared, view: &IncidentView) -> Option<&'a Remote<IncidentDetail>> {
    shared.world.cache(&view.incident.source)?.incident_details().get(&view.incident.id)
}

/// The query for the details of an incident.
pub fn wants(shared: &Shared, key: &IncidentKey) -> Vec<Want> {
    let Some(known) = key.incident(&shared.world) else { return Vec::new() };
    let speaker = &known.incident.source;
    if !shared.answering(AskKind::Incident).any(|source| source.id == *speaker) {
        return Vec::new();
    }
    let want = want::of(shared, speaker, Query::Incident { id: key.id.clone() });
    let interval = if known.incident.is_open() { OPEN_INCIDENT_INTERVAL } else { want.interval };
    vec![Want { interval, ..want }]
}

/// Queries, once, the most urgent open incidents of a source whose list does not contain their alerts. Actions on any screen need
/// to know these alerts.
pub fn unread<'a>(shared: &'a Shared, source: &'a SourceId) -> impl Iterator<Item = Want> + 'a {
    let has_unknown_alerts = |known: &&IncidentView| {
        known.incident.is_open() && known.incident.source == *source && shared.world.has_unknown_alerts(known)
    };
    let unread = shared.world.incidents().iter().filter(has_unknown_alerts).take(MAX_DETAIL_QUERIES);
    unread.map(|known| want::of(shared, source, Query::Incident { id: known.incident.id.clone() }))
}

/// The links of an incident: its page, the conference, those of its alerts, of its service and escalation policy, and of similar
/// past incidents.
pub fn links(shared: &Shared, view: &IncidentView) -> Vec<(String, Text)> {
    let incident = &view.incident;
    let detail = shared.world.incident_detail(view);
    let own = [("incident", &incident.url), ("conference", &incident.conference)];
    let mut links: Vec<(String, Text)> =
        own.into_iter().filter_map(|(name, url)| Some((name.to_owned(), url.clone()?))).collect();
    let reported = detail.into_iter().flat_map(|detail| &detail.alerts);
    let reported = reported.flat_map(|alert| &alert.links);
    links.extend(reported.map(|(name, url)| (name.to_string(), url.clone())));
    for (what, named) in [("service", &incident.service), ("policy", &incident.escalation_policy)] {
        links.extend(
            named.iter().filter_map(|named| Some((format!("{what} {}", named.name), named.url.clone()?))),
        );
    }
    let past = detail.into_iter().flat_map(|detail| &detail.past);
    links.extend(past.filter_map(|past| Some((format!("earlier: {}", past.title), past.url.clone()?))));
    links.retain(|(_, url)| is_link(url));
    links.dedup_by(|a, b| a.1 == b.1);
    links
}

/// An incident for the clipboard: number, title, address.
pub fn said(view: &IncidentView) -> String {
    let incident = &view.incident;
    let url = incident.url.as_ref().map(|url| format!(" {url}")).unwrap_or_default();
    format!("#{} {}{url}", incident.number, incident.title)
}

impl Item for IncidentKey {
    fn place(&self, _shared: &Shared) -> Option<Place> {
        Some(Place::Incident(self.clone()))
    }

    fn selection(_shared: &Shared, chosen: Vec<Self>) -> Selection {
        Selection::Incidents(chosen)
    }

    fn copied(&self, shared: &Shared, _now: Timestamp) -> Option<String> {
        self.incident(&shared.world).map(said)
    }

    fn links(&self, shared: &Shared) -> Vec<(String, Text)> {
        self.incident(&shared.world).map_or_else(Vec::new, |known| links(shared, known))
    }

    fn runbooks(&self, shared: &Shared) -> Vec<RunbookQuery> {
        self.incident(&shared.world).map_or_else(Vec::new, |known| runbook::of_incident(shared, known))
    }

    fn is_handled(&self, handled: &Handled<'_>) -> bool {
        match handled {
            Handled::Incident { key, .. } => self == *key,
            Handled::Alerts(_) | Handled::Silence(_) => false,
        }
    }

    fn is_group_handled(handled: &Handled<'_>) -> bool {
        matches!(handled, Handled::Incident { is_last: true, .. })
    }

    fn why(&self) -> Option<WhySubject> {
        Some(WhySubject::Incident(self.clone()))
    }
}
