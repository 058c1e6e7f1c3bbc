//! Alerts: grouped, worst and newest first; what is quiet is folded away but counted.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::app::filter::{Fields, Haystack};
use crate::app::folds::Folds;
use crate::app::found::Found;
use crate::app::list::List;
use crate::app::screens::Order;
use crate::app::state::State;
use crate::app::widest::Widest;
use crate::app::widgets::text;
use crate::model::alert::{Alert, AlertState, Severity};
use crate::model::fingerprint::Fingerprint;
use crate::model::labels::{Labels, Text};
use crate::model::remote::age;
use crate::model::world::World;

mod shelf;
mod view;

use shelf::Shelf;
pub(super) use shelf::badness;
pub use view::render;

/// A row: the head of a group, or an alert. Heads are known by the labels that the group has in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Row {
    /// The head of a group.
    Group(Labels),
    /// An alert.
    Alert(Fingerprint),
}

/// By what alerts are grouped.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Grouping {
    /// By the labels by which the receiver groups them.
    #[default]
    Received,
    /// By these labels.
    By(Vec<String>),
    /// Not at all.
    None,
}

/// Alerts that stand below one head, as far as they pass the filter.
#[derive(Debug, Default)]
pub struct Group {
    /// Whether they are folded away.
    pub folded: bool,
    /// They.
    pub members: Vec<Fingerprint>,
    common: OnceCell<Labels>,
}

impl Group {
    /// The labels that all of them have; worked out when it is asked for first.
    fn common(&self, world: &World) -> &Labels {
        self.common.get_or_init(|| {
            let mut labels =
                self.members.iter().filter_map(|alert| world.alert(*alert)).map(|alert| &alert.labels);
            let first = labels.next().cloned().unwrap_or_default();
            labels.fold(first, |common, labels| {
                if common.is_within(labels) {
                    common
                } else {
                    common.without(|name| labels.get(name) != common.get(name))
                }
            })
        })
    }
}

/// The list of alerts.
#[derive(Debug, Default)]
pub struct Alerts {
    /// The rows.
    pub list: List<Row>,
    /// The filter.
    pub found: Found,
    /// The order.
    pub order: Order,
    /// By what they are grouped.
    pub grouping: Grouping,
    /// Whether quiet alerts are shown, too.
    pub show_quiet: bool,
    shelf: Shelf,
    /// The groups by their numbers; without a member where none passes the filter.
    groups: Vec<Group>,
    /// Cells of the longest name, and of the longest service.
    pub widest: Widest<(u16, u16)>,
    /// How many quiet alerts are folded away, by state.
    pub hidden: BTreeMap<AlertState, usize>,
    folded: Folds<Labels>,
}

/// By what alerts can be ordered.
pub const ORDERS: [&str; 5] =
    ["severity, worst and newest first", "newest first", "name", "service", "last change first"];

impl Alerts {
    /// The group with these labels, if it is shown.
    pub fn group(&self, labels: &Labels) -> Option<&Group> {
        let group = self.groups.get(self.shelf.number(labels)?)?;
        (!group.members.is_empty()).then_some(group)
    }

    /// The group that the current row is of, if it has a head.
    fn group_at_cursor(&self, world: &World) -> Option<Labels> {
        let labels = match self.list.current()? {
            Row::Group(labels) => labels.clone(),
            Row::Alert(fingerprint) => group_of(world.alert(*fingerprint)?, &self.grouping),
        };
        self.list.rows().contains(&Row::Group(labels.clone())).then_some(labels)
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
        matches!(self.list.current(), Some(Row::Group(labels)) if self.folded.contains(labels))
    }
}

fn group_of(alert: &Alert, grouping: &Grouping) -> Labels {
    match grouping {
        Grouping::None => Labels::default(),
        Grouping::By(names) => alert.labels.without(|label| names.iter().all(|name| name != label)),
        // what Alertmanager does not route yet, or ever, is grouped by its name
        Grouping::Received if alert.receivers.is_empty() => {
            alert.labels.without(|label| label != "alertname")
        }
        Grouping::Received => alert.group.clone(),
    }
}

/// What alerts can be found by.
pub(super) fn haystack(world: &World, now: Timestamp) -> Haystack {
    found_by(world.alerts_with_services(), now)
}

/// The same of alerts with their services, wherever they come from.
pub(crate) fn found_by<'a>(
    alerts: impl Iterator<Item = (&'a Arc<Alert>, Option<&'a Text>)>,
    now: Timestamp,
) -> Haystack {
    const FIELDS: Fields = Fields {
        words: &["state", "severity", "service"],
        numbers: &["age", "for", "value"],
        flags: &["silenced", "inhibited"],
    };
    // one text for each word, whatever the number of alerts
    let states = AlertState::ALL.map(|state| (state, Text::from(state.word())));
    let severities = Severity::ALL.map(|severity| (severity, Text::from(severity.word())));
    let row = |(alert, service): (&'a Arc<Alert>, Option<&'a Text>)| {
        let state = states.iter().find(|(state, _)| *state == alert.state).map(|(_, word)| word.clone());
        let severity = severities.iter().find(|(severity, _)| *severity == alert.severity);
        let words = [state, severity.map(|(_, word)| word.clone()), service.cloned()];
        let age = age(alert.starts_at, now).as_secs_f64();
        (&alert.labels, alert.receivers.iter(), words, [age, age, alert.value.unwrap_or(f64::NAN)])
    };
    Haystack::with_fields(FIELDS, alerts.map(row))
}

/// Counts up whenever the rows may have to be brought into another order.
pub(super) fn revision(state: &State) -> u64 {
    let revision = shelf::revision(state.alerts.order, &state.world);
    state.alerts.found.revision(revision, state.chronicle.revision())
}

/// Brings groups and rows into their order again.
pub fn reorder(state: &mut State) {
    let is_typing = state.is_typing();
    let State { world, alerts: screen, chronicle, .. } = state;
    let Alerts { shelf, found, folded, .. } = screen;
    let revision = found.revision(world.alerts_revision(), chronicle.revision());
    let passes = found.select(revision, is_typing, || haystack(world, chronicle.now()));
    shelf.follow(world, screen.order, &screen.grouping);
    screen.hidden.clear();
    let mut groups: Vec<Group> = shelf.groups.iter().map(|_| Group::default()).collect();
    // groups come in the order of their first alerts
    let mut sorted = Vec::new();
    for stand in &shelf.stands {
        let Some(alert) = world.alerts().get(stand.at) else { continue };
        if passes.as_ref().is_some_and(|passes| !passes.get(stand.at).copied().unwrap_or(false)) {
            continue;
        }
        if !alert.is_told() && !screen.show_quiet {
            *screen.hidden.entry(alert.state).or_default() += 1;
        } else if let Some(group) = groups.get_mut(stand.group) {
            if group.members.is_empty() {
                sorted.push(stand.group);
            }
            group.members.push(alert.fingerprint);
        }
    }
    let mut rows = Vec::new();
    for number in sorted {
        let (Some(labels), Some(group)) = (shelf.groups.get(number), groups.get_mut(number)) else {
            continue;
        };
        group.folded = folded.contains(labels);
        // the head of a group of one would only say twice what the alert says
        if screen.grouping != Grouping::None && (group.members.len() > 1 || group.folded) {
            rows.push(Row::Group(labels.clone()));
        }
        if !group.folded {
            rows.extend(group.members.iter().copied().map(Row::Alert));
        }
    }
    screen.groups = groups;
    let first = rows.iter().position(|row| matches!(row, Row::Alert(_)));
    screen.list.set_rows_from(rows, first.unwrap_or(0));
    screen.widest.follow(world.revision(), || {
        world.alerts_with_services().fold((0, 0), |(names, services), (alert, service)| {
            let its = service.map_or(0, |service| text::width(service));
            (names.max(text::width(alert.name())), services.max(its))
        })
    });
}
