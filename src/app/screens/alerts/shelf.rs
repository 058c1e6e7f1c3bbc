//! All alerts in their order, each with its group, whatever the filter: what a letter of one need not work out again.

use std::cmp::{Ordering, Reverse};
use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::Grouping;
use crate::app::screens::Order;
use crate::model::alert::{Alert, AlertState, Severity};
use crate::model::fingerprint::Fingerprint;
use crate::model::labels::{Labels, Text};
use crate::model::world::World;

/// By what alerts are ordered worst and newest first, so that no two are equal.
type Badness = (AlertState, Severity, Reverse<Timestamp>, Fingerprint);

/// The worst and newest is the smallest.
pub(in crate::app::screens) fn badness(alert: &Alert) -> Badness {
    (alert.state, alert.severity, Reverse(alert.starts_at), alert.fingerprint)
}

/// The index of the order by service.
const BY_SERVICE: usize = 3;

/// Counts up whenever the rows may have to be brought into another order.
pub(super) fn revision(order: Order, world: &World) -> u64 {
    // the service of an alert depends on which services there are
    if order.column == BY_SERVICE { world.revision() } else { world.alerts_revision() }
}

/// From what a [`Shelf`] was made.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Made {
    revision: u64,
    order: Order,
    grouping: Grouping,
}

/// Where an alert stands: its place among all alerts of the world, and the number of its group.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stand {
    pub(super) at: usize,
    pub(super) group: usize,
}

/// The alerts in their order.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    made: Option<Made>,
    /// All alerts in their order.
    pub(super) stands: Vec<Stand>,
    /// The labels of the groups, by number.
    pub(super) groups: Vec<Labels>,
    numbers: HashMap<Labels, usize>,
}

impl Shelf {
    /// Follows the world, the order and the grouping, if one of them is another than before.
    pub(super) fn follow(&mut self, world: &World, order: Order, grouping: &Grouping) {
        let made = Made { revision: revision(order, world), order, grouping: grouping.clone() };
        if self.made.as_ref() != Some(&made) {
            *self = Self::made(made, world);
        }
    }

    /// The number of the group with these labels.
    pub(super) fn number(&self, labels: &Labels) -> Option<usize> {
        self.numbers.get(labels).copied()
    }

    fn made(made: Made, world: &World) -> Self {
        let all = world.alerts_with_services().enumerate();
        let mut ranked: Vec<Ranked<'_>> =
            all.map(|(at, (alert, service))| (badness(alert), alert, service, at)).collect();
        ranked.sort_unstable_by(|a, b| compare(made.order, world, a, b));
        let mut shelf = Self { made: None, stands: Vec::with_capacity(ranked.len()), ..Self::default() };
        for (_, alert, _, at) in ranked {
            let labels = super::group_of(alert, &made.grouping);
            let group = *shelf.numbers.entry(labels).or_insert_with_key(|labels| {
                shelf.groups.push(labels.clone());
                shelf.groups.len() - 1
            });
            shelf.stands.push(Stand { at, group });
        }
        Self { made: Some(made), ..shelf }
    }
}

/// An alert with what it is compared by most often, which need not be looked up then, its service and its place.
type Ranked<'a> = (Badness, &'a Arc<Alert>, Option<&'a Text>, usize);

fn compare(order: Order, world: &World, one: &Ranked<'_>, other: &Ranked<'_>) -> Ordering {
    let ((badness, a, service, _), (others, b, its, _)) = (one, other);
    let ordering = match order.column {
        1 => b.starts_at.cmp(&a.starts_at),
        2 => a.name().cmp(b.name()),
        BY_SERVICE => service.cmp(its),
        4 => world.changed_at(b.fingerprint).cmp(&world.changed_at(a.fingerprint)),
        _ => badness.cmp(others),
    };
    order.apply(ordering).then_with(|| badness.cmp(others))
}
