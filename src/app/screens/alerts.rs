//! Alerts: grouped, worst and newest first; what is quiet is folded away but counted.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::app::filter::Haystack;
use crate::app::found::Found;
use crate::app::list::List;
use crate::app::screens::Order;
use crate::app::state::State;
use crate::app::widgets::text;
use crate::model::alert::{Alert, AlertState};
use crate::model::fingerprint::Fingerprint;
use crate::model::labels::Labels;
use crate::model::world::World;

mod view;

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

/// What the head of a group says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// How many alerts it has, as far as they pass the filter.
    pub count: usize,
    /// The labels that all of them have.
    pub common: Labels,
    /// Whether its alerts are folded away.
    pub folded: bool,
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
    /// The groups by their labels.
    pub groups: BTreeMap<Labels, Group>,
    /// Cells of the longest name, and of the longest service, whatever is shown at the moment.
    pub widest: (u16, u16),
    /// How many quiet alerts are folded away, by state.
    pub hidden: BTreeMap<AlertState, usize>,
    folded: BTreeSet<Labels>,
}

/// By what alerts can be ordered.
pub const ORDERS: [&str; 5] =
    ["severity, worst and newest first", "newest first", "name", "service", "last change first"];

impl Alerts {
    /// The group that the current row is of, if it has a head.
    pub fn group_at_cursor(&self, world: &World) -> Option<Labels> {
        let labels = match self.list.current()? {
            Row::Group(labels) => labels.clone(),
            Row::Alert(fingerprint) => group_of(world.alert(*fingerprint)?, &self.grouping),
        };
        self.list.rows().contains(&Row::Group(labels.clone())).then_some(labels)
    }

    /// Folds or unfolds a group; the cursor goes to the head of a folded one.
    pub fn fold(&mut self, group: Option<Labels>, fold: bool) {
        let Some(group) = group else { return };
        if !fold {
            self.folded.remove(&group);
            return;
        }
        let head = Row::Group(group.clone());
        if let Some(at) = self.list.rows().iter().position(|row| *row == head) {
            self.list.move_to(at);
        }
        self.folded.insert(group);
    }

    /// Whether the current row is the head of a folded group.
    pub fn is_folded(&self) -> bool {
        matches!(self.list.current(), Some(Row::Group(labels)) if self.folded.contains(labels))
    }
}

/// Worst and newest first.
pub(super) fn by_badness(a: &Alert, b: &Alert) -> Ordering {
    (a.state, a.severity)
        .cmp(&(b.state, b.severity))
        .then_with(|| b.starts_at.cmp(&a.starts_at))
        .then_with(|| a.fingerprint.cmp(&b.fingerprint))
}

pub(super) fn group_of(alert: &Alert, grouping: &Grouping) -> Labels {
    let by_name = |names: &mut dyn Iterator<Item = &str>| {
        names.filter_map(|name| alert.labels.get(name).map(|value| (name, value))).collect()
    };
    match grouping {
        Grouping::None => Labels::default(),
        Grouping::By(names) => by_name(&mut names.iter().map(String::as_str)),
        // what Alertmanager does not route yet, or ever, is grouped by its name
        Grouping::Received if alert.receivers.is_empty() => by_name(&mut ["alertname"].into_iter()),
        Grouping::Received => alert.group.clone(),
    }
}

/// What alerts can be found by.
pub(super) fn haystack(alerts: &[Arc<Alert>]) -> Haystack {
    Haystack::new(alerts.iter().map(|alert| (&alert.labels, alert.receivers.iter().collect())))
}

/// Brings groups and rows into their order again.
pub fn reorder(state: &mut State) {
    let State { world, alerts: screen, .. } = state;
    let passes = screen.found.select(world.revision(), || haystack(world.alerts()));
    let passing = world
        .alerts()
        .iter()
        .enumerate()
        .filter(|(i, _)| passes.as_ref().is_none_or(|passes| passes.get(*i).copied().unwrap_or(false)))
        .map(|(_, alert)| alert);
    let order = screen.order;
    let service = |alert: &Alert| world.service_of(&alert.labels).cloned();
    let compare = |a: &Alert, b: &Alert| {
        let ordering = match order.column {
            1 => b.starts_at.cmp(&a.starts_at),
            2 => a.name().cmp(b.name()),
            3 => service(a).cmp(&service(b)),
            4 => world.changed_at(b.fingerprint).cmp(&world.changed_at(a.fingerprint)),
            _ => by_badness(a, b),
        };
        order.apply(ordering).then_with(|| by_badness(a, b))
    };
    screen.hidden.clear();
    let mut groups: HashMap<Labels, Vec<&Arc<Alert>>> = HashMap::new();
    for alert in passing {
        let quiet = !matches!(alert.state, AlertState::Firing | AlertState::Pending);
        if quiet && !screen.show_quiet {
            *screen.hidden.entry(alert.state).or_default() += 1;
        } else {
            groups.entry(group_of(alert, &screen.grouping)).or_default().push(alert);
        }
    }
    let mut sorted: Vec<(Labels, Vec<&Arc<Alert>>)> = groups.into_iter().collect();
    for (_, alerts) in &mut sorted {
        alerts.sort_by(|a, b| compare(a, b));
    }
    sorted.sort_by(|(one, a), (other, b)| match (a.first(), b.first()) {
        (Some(a), Some(b)) => compare(a, b).then_with(|| one.cmp(other)),
        (a, b) => a.is_some().cmp(&b.is_some()),
    });
    screen.groups.clear();
    let mut rows = Vec::new();
    for (labels, alerts) in sorted {
        let folded = screen.folded.contains(&labels);
        // the head of a group of one would only say twice what the alert says
        if screen.grouping != Grouping::None && (alerts.len() > 1 || folded) {
            rows.push(Row::Group(labels.clone()));
        }
        if !folded {
            rows.extend(alerts.iter().map(|alert| Row::Alert(alert.fingerprint)));
        }
        screen.groups.insert(labels, Group { count: alerts.len(), common: common(&alerts), folded });
    }
    screen.list.set_rows(rows);
    screen.widest = world.alerts().iter().fold((0, 0), |(name, service), alert| {
        let about = world.service_of(&alert.labels).map_or(0, |about| text::width(about));
        (name.max(text::width(alert.name())), service.max(about))
    });
}

/// The labels that all of them have with the same value.
fn common(alerts: &[&Arc<Alert>]) -> Labels {
    let Some((first, rest)) = alerts.split_first() else { return Labels::default() };
    rest.iter().fold(first.labels.clone(), |common, alert| {
        if common.iter().all(|(name, value)| alert.labels.get(name) == Some(value)) {
            common
        } else {
            common.iter().filter(|(name, value)| alert.labels.get(name) == Some(*value)).collect()
        }
    })
}

#[cfg(test)]
mod tests;
