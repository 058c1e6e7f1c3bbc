//! Alerts: grouped, worst and newest first; what is quiet is folded away but counted.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use crate::app::filter::Haystack;
use crate::app::folds::Folds;
use crate::app::found::Found;
use crate::app::list::List;
use crate::app::screens::Order;
use crate::app::state::State;
use crate::app::widgets::text;
use crate::model::alert::{Alert, AlertState, Severity};
use crate::model::fingerprint::Fingerprint;
use crate::model::labels::{Labels, Text};
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
    /// Its alerts.
    pub members: Vec<Fingerprint>,
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
    /// The revision of the world that they were measured in.
    measured: Option<u64>,
    /// How many quiet alerts are folded away, by state.
    pub hidden: BTreeMap<AlertState, usize>,
    folded: Folds<Labels>,
}

/// By what alerts can be ordered.
pub const ORDERS: [&str; 5] =
    ["severity, worst and newest first", "newest first", "name", "service", "last change first"];

/// The index of the order by service.
const BY_SERVICE: usize = 3;

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
        if let Some(group) = group {
            let head = Row::Group(group.clone());
            self.folded.fold(group, &head, fold, &mut self.list);
        }
    }

    /// Whether the current row is the head of a folded group.
    pub fn is_folded(&self) -> bool {
        matches!(self.list.current(), Some(Row::Group(labels)) if self.folded.contains(labels))
    }
}

/// By what alerts are ordered worst and newest first, so that no two are equal.
pub(super) type Badness = (AlertState, Severity, Reverse<Timestamp>, Fingerprint);

/// The worst and newest is the smallest.
pub(super) fn badness(alert: &Alert) -> Badness {
    (alert.state, alert.severity, Reverse(alert.starts_at), alert.fingerprint)
}

pub(super) fn group_of(alert: &Alert, grouping: &Grouping) -> Labels {
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
pub(super) fn haystack(alerts: &[Arc<Alert>]) -> Haystack {
    Haystack::new(alerts.iter().map(|alert| (&alert.labels, alert.receivers.iter().collect())))
}

/// Counts up whenever the rows may have to be brought into another order.
pub(super) fn revision(state: &State) -> u64 {
    // the service of an alert depends on which services there are
    let by_service = state.alerts.order.column == BY_SERVICE;
    if by_service { state.world.revision() } else { state.world.alerts_revision() }
}

/// An alert with what it is compared by most often, which need not be looked up then, and its service.
type Ranked<'a> = (Badness, &'a Arc<Alert>, Option<&'a Text>);

/// Brings groups and rows into their order again.
pub fn reorder(state: &mut State) {
    let is_typing = state.is_typing();
    let State { world, alerts: screen, .. } = state;
    let passes = screen.found.select(world.alerts_revision(), is_typing, || haystack(world.alerts()));
    let order = screen.order;
    let compare = |(badness, a, service): &Ranked<'_>, (other, b, others): &Ranked<'_>| {
        let ordering = match order.column {
            1 => b.starts_at.cmp(&a.starts_at),
            2 => a.name().cmp(b.name()),
            BY_SERVICE => service.cmp(others),
            4 => world.changed_at(b.fingerprint).cmp(&world.changed_at(a.fingerprint)),
            _ => badness.cmp(other),
        };
        order.apply(ordering).then_with(|| badness.cmp(other))
    };
    screen.hidden.clear();
    let mut shown: Vec<Ranked<'_>> = Vec::with_capacity(world.alerts().len());
    for (at, (alert, service)) in world.alerts_with_services().enumerate() {
        if passes.as_ref().is_some_and(|passes| !passes.get(at).copied().unwrap_or(false)) {
            continue;
        }
        let quiet = !matches!(alert.state, AlertState::Firing | AlertState::Pending);
        if quiet && !screen.show_quiet {
            *screen.hidden.entry(alert.state).or_default() += 1;
        } else {
            shown.push((badness(alert), alert, service));
        }
    }
    shown.sort_unstable_by(compare);
    // groups come in the order of their first alerts
    let mut places: HashMap<Labels, usize> = HashMap::new();
    let mut sorted: Vec<(Labels, Vec<&Alert>)> = Vec::new();
    for (_, alert, _) in &shown {
        let labels = group_of(alert, &screen.grouping);
        let place = *places.entry(labels).or_insert_with_key(|labels| {
            sorted.push((labels.clone(), Vec::new()));
            sorted.len() - 1
        });
        if let Some((_, members)) = sorted.get_mut(place) {
            members.push(alert);
        }
    }
    screen.groups.clear();
    let mut rows = Vec::with_capacity(shown.len() + sorted.len());
    for (labels, alerts) in sorted {
        let folded = screen.folded.contains(&labels);
        // the head of a group of one would only say twice what the alert says
        if screen.grouping != Grouping::None && (alerts.len() > 1 || folded) {
            rows.push(Row::Group(labels.clone()));
        }
        if !folded {
            rows.extend(alerts.iter().map(|alert| Row::Alert(alert.fingerprint)));
        }
        let members = alerts.iter().map(|alert| alert.fingerprint).collect();
        screen.groups.insert(labels, Group { count: alerts.len(), common: common(&alerts), folded, members });
    }
    screen.list.set_rows(rows);
    if screen.measured != Some(world.revision()) {
        screen.measured = Some(world.revision());
        screen.widest = world.alerts_with_services().fold((0, 0), |(name, widest), (alert, service)| {
            (
                name.max(text::width(alert.name())),
                widest.max(service.map_or(0, |service| text::width(service))),
            )
        });
    }
}

/// The labels that all of them have with the same value.
fn common(alerts: &[&Alert]) -> Labels {
    let Some((first, rest)) = alerts.split_first() else { return Labels::default() };
    rest.iter().fold(first.labels.clone(), |common, alert| {
        if common.is_within(&alert.labels) {
            common
        } else {
            common.without(|name| alert.labels.get(name) != common.get(name))
        }
    })
}

#[cfg(test)]
mod tests;
