//! What several screens share about incidents: their order, what they are found by, what is asked about one, their words
//! and links.

use std::cmp::Ordering;
use std::time::Duration;

use jiff::Timestamp;

use super::link::is_link;
use crate::app::columns::{OrderBy, ThingOrder, compare};
use crate::app::due::Want;
use crate::app::filter::{Fields, Haystack};
use crate::app::found::passing;
use crate::app::identity::IncidentKey;
use crate::app::list::Order;
use crate::app::shared::Shared;
use crate::app::want;
use crate::model::ask::{AskKind, Query};
use crate::model::incident::IncidentDetail;
use crate::model::labels::{Labels, Text};
use crate::model::remote::{Remote, age};
use crate::model::source::SourceId;
use crate::model::world::Linked;

pub mod words;

/// By what incidents can be grouped.
pub const GROUPINGS: [&str; 4] = ["service", "team", "urgency", "status"];

/// By what incidents can be ordered. The world has the most pressing first, so that the first order leaves them as they are.
pub const ORDERS: [ThingOrder<Linked>; 6] = [
    OrderBy {
        name: "pressure: priority, urgency, who has it, newest",
        column: "prio",
        is_descending: false,
        compare: |_, _| Ordering::Equal,
    },
    OrderBy {
        name: "newest first",
        column: "age",
        is_descending: false,
        compare: |a, b| b.incident.created_at.cmp(&a.incident.created_at),
    },
    OrderBy {
        name: "oldest first",
        column: "age",
        is_descending: true,
        compare: |a, b| a.incident.created_at.cmp(&b.incident.created_at),
    },
    OrderBy {
        name: "service",
        column: "service",
        is_descending: false,
        compare: |a, b| nobody_last(service(a)).cmp(&nobody_last(service(b))),
    },
    OrderBy {
        name: "who has it",
        column: "who has it",
        is_descending: false,
        compare: |a, b| {
            let who = |known: &Linked| known.holders().first().map(|person| person.name.clone());
            nobody_last(who(a)).cmp(&nobody_last(who(b)))
        },
    },
    OrderBy {
        name: "alerts, most first",
        column: "alerts",
        is_descending: true,
        compare: |a, b| b.incident.alerts.all.cmp(&a.incident.alerts.all),
    },
];

/// What is not there comes last.
fn nobody_last<T>(one: Option<T>) -> (bool, Option<T>) {
    (one.is_none(), one)
}

/// What an incident has of one of [`GROUPINGS`]; empty if nothing.
pub fn value_of(known: &Linked, by: &str) -> Text {
    let incident = &known.incident;
    match by {
        "service" => service(known).cloned().unwrap_or_default(),
        "team" => incident.teams.first().map(|team| team.name.clone()).unwrap_or_default(),
        "urgency" => incident.urgency.word().into(),
        _ => incident.status.word().into(),
    }
}

/// The service that an incident is about: the monitored one, else as the paging system calls it.
pub fn service(known: &Linked) -> Option<&Text> {
    known.service.as_ref().or_else(|| known.incident.service.as_ref().map(|service| &service.name))
}

/// What incidents can be found by: words look into all of it, matchers by name.
pub fn haystack(incidents: &[Linked], now: Timestamp) -> Haystack {
    let described: Vec<Labels> = incidents.iter().map(described).collect();
    Haystack::with_fields(
        FIELDS,
        incidents
            .iter()
            .zip(&described)
            .map(|(known, labels)| (labels, [&known.incident.title], [], numbers(known, now))),
    )
}

/// What incidents show beside what [`described`] says.
const FIELDS: Fields = Fields { words: &[], numbers: &["age", "alerts"], flags: &[] };

fn numbers(known: &Linked, now: Timestamp) -> [f64; 2] {
    let age = age(known.incident.created_at, now).as_secs_f64();
    [age, f64::from(known.incident.alerts.all)]
}

/// All that a matcher can ask for.
pub fn described(known: &Linked) -> Labels {
    let incident = &known.incident;
    let joined = |names: Vec<&str>| Text::from(names.join(", "));
    let pairs = [
        ("id", incident.id.clone()),
        ("number", incident.number.to_string().into()),
        ("status", incident.status.word().into()),
        ("state", incident.status.word().into()),
        ("urgency", incident.urgency.word().into()),
        ("priority", incident.priority.as_ref().map(|p| p.named.name.clone()).unwrap_or_default()),
        ("service", service(known).cloned().unwrap_or_default()),
        ("policy", incident.escalation_policy.as_ref().map(|p| p.name.clone()).unwrap_or_default()),
        ("team", joined(incident.teams.iter().map(|team| &*team.name).collect())),
        ("who", joined(known.holders().iter().map(|person| &*person.name).collect())),
        ("source", known.source().as_str().into()),
    ];
    Labels::new(pairs.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

/// The incidents that pass, in order; `all` has the most pressing first, and so have equals.
pub fn ordered<'a>(all: &'a [Linked], passes: Option<&[bool]>, order: Order) -> Vec<&'a Linked> {
    let mut shown: Vec<&Linked> = passing(all, passes).collect();
    if order.column == 0 && order.reversed {
        shown.reverse();
    }
    shown.sort_by(|a, b| compare(&ORDERS, order, |by| by(a, b)));
    shown
}

/// How often an open incident is asked for.
const OPEN: Duration = Duration::from_secs(10);

/// How many incidents are asked for because their alerts are not known: fewer than are kept, each costs several requests.
const MOST_UNREAD: usize = 6;

/// What is known of it beyond the list, and how far that is to be believed.
pub fn remote<'a>(shared: &'a Shared, known: &Linked) -> Option<&'a Remote<IncidentDetail>> {
    shared.world.held(&known.incident.source)?.incident_details().get(&known.incident.id)
}

/// What it asks for: all that is known of it.
pub fn wants(shared: &Shared, key: &IncidentKey) -> Vec<Want> {
    let Some(known) = key.incident(&shared.world) else { return Vec::new() };
    let speaker = &known.incident.source;
    if !shared.answering(AskKind::Incident).any(|source| source.id == *speaker) {
        return Vec::new();
    }
    let want = want::of(shared, speaker, Query::Incident { id: key.id.clone() });
    let interval = if known.incident.is_open() { OPEN } else { want.interval };
    vec![Want { interval, ..want }]
}

/// Asks once for the open incidents of a source whose alerts its list does not tell, the most pressing ones: what they are about
/// decides what is done to them, on every screen that shows them.
pub fn unread<'a>(shared: &'a Shared, source: &'a SourceId) -> impl Iterator<Item = Want> + 'a {
    let is_unread = |known: &&Linked| {
        known.incident.is_open() && known.incident.source == *source && shared.world.is_unread(known)
    };
    let unread = shared.world.incidents().iter().filter(is_unread).take(MOST_UNREAD);
    unread.map(|known| want::of(shared, source, Query::Incident { id: known.incident.id.clone() }))
}

/// Its pages: its own, where people talk about it, those of its service and policy, those that came with its alerts, and of
/// earlier ones.
pub fn links(shared: &Shared, known: &Linked) -> Vec<(String, Text)> {
    let incident = &known.incident;
    let detail = shared.world.incident_detail(known);
    let own = [("incident", &incident.url), ("conference", &incident.conference)];
    let mut links: Vec<(String, Text)> =
        own.into_iter().filter_map(|(name, url)| Some((name.to_owned(), url.clone()?))).collect();
    let told = detail.into_iter().flat_map(|detail| &detail.alerts);
    let told = told.flat_map(|alert| &alert.links);
    links.extend(told.map(|(name, url)| (name.to_string(), url.clone())));
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

/// What one says of an incident to others: number, title and address.
pub fn said(known: &Linked) -> String {
    let incident = &known.incident;
    let url = incident.url.as_ref().map(|url| format!(" {url}")).unwrap_or_default();
    format!("#{} {}{url}", incident.number, incident.title)
}

/// The pages of an incident that may be known.
pub fn links_of(shared: &Shared, key: Option<&IncidentKey>) -> Vec<(String, Text)> {
    let known = key.and_then(|key| key.incident(&shared.world));
    known.map(|known| links(shared, known)).unwrap_or_default()
}
