//! All alerts in their order, each with its group, whatever the filter: what a letter of one need not work out again.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::app::grouped::GroupIndex;
use crate::app::list::{Grouping, Order};
use crate::app::subjects::alert::{Badness, badness};
use crate::model::alert::Alert;
use crate::model::labels::{Labels, Text};
use crate::model::world::World;

/// The index of the order by service.
const BY_SERVICE: usize = 3;

/// Counts up whenever the rows may have to be brought into another order.
pub(super) fn revision(order: Order, world: &World) -> u64 {
    // the service of an alert depends on which services there are
    if order.column == BY_SERVICE { world.revision() } else { world.alerts_revision() }
}

/// From what a [`Ranking`] was made.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Made {
    revision: u64,
    order: Order,
    grouping: Grouping,
}

/// An alert in its order: its place among all alerts of the world, and the number of its group.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ranked {
    pub(super) at: usize,
    pub(super) group: usize,
}

/// The alerts in their order.
#[derive(Debug, Default)]
pub(super) struct Ranking {
    made: Option<Made>,
    /// All alerts in their order.
    pub(super) alerts: Vec<Ranked>,
}

impl Ranking {
    /// Follows the world, the order and the grouping. If one of them is another than before, the groups have other numbers.
    pub(super) fn follow(
        &mut self,
        world: &World,
        order: Order,
        grouping: &Grouping,
    ) -> Option<GroupIndex<Labels>> {
        let made = Made { revision: revision(order, world), order, grouping: grouping.clone() };
        if self.made.as_ref() == Some(&made) {
            return None;
        }
        let all = world.alerts_with_services().enumerate();
        let mut ranked: Vec<Compared<'_>> =
            all.map(|(at, (alert, service))| (badness(alert), alert, service, at)).collect();
        ranked.sort_unstable_by(|a, b| compare(order, world, a, b));
        let mut index = GroupIndex::default();
        let rank = |(_, alert, _, at): Compared<'_>| Ranked {
            at,
            group: index.number(super::group_of(alert, grouping)),
        };
        *self = Self { made: Some(made), alerts: ranked.into_iter().map(rank).collect() };
        Some(index)
    }
}

/// An alert with what it is compared by most often, which need not be looked up then, its service and its place.
type Compared<'a> = (Badness, &'a Arc<Alert>, Option<&'a Text>, usize);

fn compare(order: Order, world: &World, one: &Compared<'_>, other: &Compared<'_>) -> Ordering {
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
