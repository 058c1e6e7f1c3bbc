//! Incidents: who was woken for what, and who has it; open ones first, the resolved ones folded away.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::app::filter::{Fields, Haystack};
use crate::app::folds::{Folds, grouped};
use crate::app::found::{Found, passing};
use crate::app::list::List;
use crate::app::place::Place;
use crate::app::screens::Order;
use crate::app::state::State;
use crate::app::widgets::text;
use crate::model::incident::IncidentStatus;
use crate::model::labels::{Labels, Text};
use crate::model::remote::age;
use crate::model::source::SourceId;
use crate::model::world::{Linked, World};

mod view;
pub(in crate::app) mod words;

pub use view::render;

/// What tells one incident from all others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct IncidentKey {
    /// What the paging system calls it.
    pub id: Text,
    /// The first source that knows it.
    pub source: SourceId,
}

impl IncidentKey {
    /// Of an incident.
    pub fn of(known: &Linked) -> Self {
        Self { id: known.incident.id.clone(), source: known.source().clone() }
    }

    /// The incident, if it is still there.
    pub fn incident<'a>(&self, world: &'a World) -> Option<&'a Linked> {
        world.incident(&self.source, &self.id)
    }

    /// Its screen.
    pub fn place(&self) -> Place {
        Place::Incident { source: self.source.clone(), id: self.id.clone() }
    }
}

/// A row: the head of a group, or an incident.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Row {
    /// The head of the incidents that have this in common; empty: that have nothing there.
    Group(Text),
    /// An incident.
    Incident(IncidentKey),
}

/// By what incidents can be grouped.
pub const GROUPINGS: [&str; 4] = ["service", "team", "urgency", "status"];

/// By what incidents can be ordered.
pub const ORDERS: [&str; 6] = [
    "pressure: priority, urgency, who has it, newest",
    "newest first",
    "oldest first",
    "service",
    "who has it",
    "alerts, most first",
];

/// What the head of a group says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// How many of its incidents are in which status, as far as they pass the filter.
    pub statuses: BTreeMap<IncidentStatus, usize>,
    /// Whether they are folded away.
    pub folded: bool,
    /// Its incidents.
    pub members: Vec<IncidentKey>,
}

/// The list of incidents.
#[derive(Debug, Default)]
pub struct Incidents {
    /// The rows.
    pub list: List<Row>,
    /// The filter.
    pub found: Found,
    /// The order.
    pub order: Order,
    /// One of [`GROUPINGS`] by which they are grouped.
    pub grouping: Option<String>,
    /// The groups by what they have in common.
    pub groups: BTreeMap<Text, Group>,
    /// Whether resolved ones are shown, too.
    pub show_resolved: bool,
    /// How many resolved ones pass the filter but are folded away.
    pub hidden: usize,
    /// How many are shown, folded groups included.
    pub passing: usize,
    /// Cells of the longest service and of the longest names of people.
    pub widest: (u16, u16),
    folded: Folds<Text>,
}

impl Incidents {
    /// The group that the current row is of, if they are grouped.
    fn group_at_cursor(&self, world: &World) -> Option<Text> {
        let by = self.grouping.as_deref()?;
        match self.list.current()? {
            Row::Group(value) => Some(value.clone()),
            Row::Incident(key) => Some(value_of(key.incident(world)?, by)),
        }
    }

    /// Folds or unfolds the group that the current row is of; the cursor goes to the head of a folded one.
    pub fn fold(&mut self, world: &World, fold: bool) {
        if let Some(group) = self.group_at_cursor(world) {
            let head = Row::Group(group.clone());
            self.folded.fold(group, &head, fold, &mut self.list);
        }
    }

    /// Whether the current row is the head of a folded group.
    pub fn is_folded(&self) -> bool {
        matches!(self.list.current(), Some(Row::Group(value)) if self.folded.contains(value))
    }
}

/// The service that an incident is about: the monitored one, else as the paging system calls it.
pub(in crate::app) fn service(known: &Linked) -> Option<&Text> {
    known.service.as_ref().or_else(|| known.incident.service.as_ref().map(|service| &service.name))
}

/// What an incident has of one of [`GROUPINGS`]; empty if nothing.
fn value_of(known: &Linked, by: &str) -> Text {
    let incident = &known.incident;
    match by {
        "service" => service(known).cloned().unwrap_or_default(),
        "team" => incident.teams.first().map(|team| team.name.clone()).unwrap_or_default(),
        "urgency" => incident.urgency.word().into(),
        _ => incident.status.word().into(),
    }
}

/// What incidents can be found by: words look into all of it, matchers by name.
pub(crate) fn haystack(incidents: &[Linked], now: Timestamp) -> Haystack {
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
pub(crate) fn described(known: &Linked) -> Labels {
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

fn compare(a: &Linked, b: &Linked, column: usize) -> Ordering {
    let who = |known: &Linked| known.holders().first().map(|person| person.name.clone());
    let behind = |one: Option<Text>| (one.is_none(), one);
    match column {
        1 => b.incident.created_at.cmp(&a.incident.created_at),
        2 => a.incident.created_at.cmp(&b.incident.created_at),
        3 => behind(service(a).cloned()).cmp(&behind(service(b).cloned())),
        4 => behind(who(a)).cmp(&behind(who(b))),
        5 => Reverse(a.incident.alerts.all).cmp(&Reverse(b.incident.alerts.all)),
        _ => Ordering::Equal,
    }
}

/// The incidents that pass, in order; `all` has the most pressing first, and so have equals.
pub(super) fn ordered<'a>(all: &'a [Linked], passes: Option<&[bool]>, order: Order) -> Vec<&'a Linked> {
    let mut shown: Vec<&Linked> = passing(all, passes).collect();
    if order.column == 0 && order.reversed {
        shown.reverse();
    }
    shown.sort_by(|a, b| order.apply(compare(a, b, order.column)));
    shown
}

/// Brings groups and rows into their order again.
pub fn reorder(state: &mut State) {
    let is_typing = state.is_typing();
    let State { world, incidents: screen, chronicle, .. } = state;
    let revision = screen.found.revision(world.revision(), chronicle.revision());
    let passes = screen.found.select(revision, is_typing, || haystack(world.incidents(), chronicle.now()));
    let mut shown = ordered(world.incidents(), passes.as_deref(), screen.order);
    let all = shown.len();
    if !screen.show_resolved {
        shown.retain(|known| known.is_shown_open());
    }
    (screen.hidden, screen.passing) = (all - shown.len(), shown.len());
    screen.widest = shown.iter().fold((0, 0), |(services, people), known| {
        let its = service(known).map_or(0, |name| text::width(name));
        (services.max(its), people.max(known.holders().first().map_or(0, |who| text::width(&who.name))))
    });
    screen.groups.clear();
    let row = |known: &Linked| Row::Incident(IncidentKey::of(known));
    let mut rows = Vec::with_capacity(shown.len());
    match &screen.grouping {
        None => rows.extend(shown.into_iter().map(row)),
        Some(by) => {
            for (value, members) in grouped(shown, |known| value_of(known, by)) {
                let folded = screen.folded.contains(&value);
                let own = members.iter().map(|known| IncidentKey::of(known)).collect();
                let mut group = Group { folded, members: own, ..Group::default() };
                for known in &members {
                    *group.statuses.entry(known.incident.status).or_default() += 1;
                }
                rows.push(Row::Group(value.clone()));
                if !folded {
                    rows.extend(members.into_iter().map(row));
                }
                screen.groups.insert(value, group);
            }
        }
    }
    let first = rows.iter().position(|row| matches!(row, Row::Incident(_)));
    screen.list.set_rows_from(rows, first.unwrap_or(0));
}
