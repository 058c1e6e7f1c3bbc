//! The sorted alerts with their groups, independent of the filter, so that typing in the filter does not sort again.

use std::cmp::Ordering;

use indexmap::IndexSet;

use crate::app::columns::{OrderBy, ascending, compare, descending};
use crate::app::prelude::*;
use crate::app::subjects::alert::{AlertRank, alert_rank};

/// An alert with what it is compared by, which need not be looked up for each comparison.
pub(in crate::app::screens) struct Compared<'a> {
    alert_rank: AlertRank,
    alert: &'a Arc<Alert>,
    service: Option<&'a Text>,
    world: &'a World,
    /// Its place among all alerts of the world.
    at: usize,
}

type Compare = for<'a, 'b> fn(&Compared<'a>, &Compared<'b>) -> Ordering;

/// By what alerts can be ordered.
pub(in crate::app::screens) const ORDERS: [OrderBy<Compare>; 5] = [
    descending("severity, worst and newest first", "severity", |a, b| a.alert_rank.cmp(&b.alert_rank)),
    descending("newest first", "since", |a, b| b.alert.starts_at.cmp(&a.alert.starts_at)),
    ascending("name", "alert", |a, b| a.alert.name().cmp(b.alert.name())),
    ascending("service", "service", |a, b| a.service.cmp(&b.service)),
    descending("last change first", "since", |a, b| {
        let changed = |one: &Compared<'_>| one.world.changed_at(one.alert.fingerprint);
        changed(b).cmp(&changed(a))
    }),
];

/// The index of the sort order by service.
const BY_SERVICE: usize = 3;

/// Increases whenever the list may need to be sorted again.
pub(super) fn revision(order: SortOrder, world: &World) -> u64 {
    // the service of an alert depends on the known services
    if order.column == BY_SERVICE { world.revision() } else { world.alerts_revision() }
}

/// The inputs of a [`Ranking`].
#[derive(Debug, Clone, PartialEq, Eq)]
struct RankingInputs {
    revision: u64,
    order: SortOrder,
    grouping: Grouping,
}

/// A sorted alert: its index among all alerts of the world, and the number of its group.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ranked {
    pub(super) at: usize,
    pub(super) group: usize,
}

/// The alerts in the sort order.
#[derive(Debug, Default)]
pub(super) struct Ranking {
    inputs: Option<RankingInputs>,
    /// All alerts in the sort order.
    pub(super) alerts: Vec<Ranked>,
}

impl Ranking {
    /// Sorts again if the alerts, the order or the grouping have changed.
    /// Returns the new numbering of the groups, None if nothing has changed.
    pub(super) fn follow(
        &mut self,
        world: &World,
        order: SortOrder,
        grouping: &Grouping,
    ) -> Option<IndexSet<Labels>> {
        let inputs = RankingInputs { revision: revision(order, world), order, grouping: grouping.clone() };
        if self.inputs.as_ref() == Some(&inputs) {
            return None;
        }
        let all = world.alerts_with_services().enumerate();
        let mut ranked: Vec<Compared<'_>> = all
            .map(|(at, (alert, service))| Compared {
                alert_rank: alert_rank(alert),
                alert,
                service,
                world,
                at,
            })
            .collect();
        ranked.sort_unstable_by(|a, b| {
            compare(&ORDERS, order, |by| by(a, b)).then_with(|| a.alert_rank.cmp(&b.alert_rank))
        });
        let mut index = IndexSet::new();
        let mut number = |alert: &Alert| index.insert_full(group_of(alert, grouping)).0;
        let rank = |one: Compared<'_>| Ranked { at: one.at, group: number(one.alert) };
        *self = Self { inputs: Some(inputs), alerts: ranked.into_iter().map(rank).collect() };
        Some(index)
    }
}

/// The labels by which the group of an alert is one.
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
