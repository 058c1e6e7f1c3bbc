//! Overview: for the wall and the first glance. Services as tiles, worst first; beside them what fires and what is broken.

use crate::app::found::Found;
use crate::app::list::List;
use crate::app::screens::{Order, alerts, services};
use crate::app::state::State;
use crate::model::alert::AlertState;
use crate::model::fingerprint::Fingerprint;
use crate::model::labels::Text;

mod view;

pub(in crate::app) use view::grid;
pub use view::render;

/// The panel of services.
pub const SERVICES: usize = 0;
/// The panel of alerts.
pub const ALERTS: usize = 1;

/// The overview.
#[derive(Debug, Default)]
pub struct Overview {
    /// The tiles.
    pub services: List<Text>,
    /// What fires, worst first.
    pub alerts: List<Fingerprint>,
    /// The filter, for both panels.
    pub found: Found,
    found_alerts: Found,
}

/// Brings tiles and alerts into their order again.
pub fn reorder(state: &mut State) {
    let State { world, overview, .. } = state;
    let revision = world.revision();
    overview.found_alerts.set(overview.found.text());
    let passes = overview.found.select(revision, || services::haystack(world.services()));
    overview.services.set_rows(services::ordered(world.services(), passes.as_deref(), Order::default()));
    let passes = overview.found_alerts.select(revision, || alerts::haystack(world.alerts()));
    let mut firing: Vec<_> = world
        .alerts()
        .iter()
        .enumerate()
        .filter(|(i, _)| passes.as_ref().is_none_or(|passes| passes.get(*i).copied().unwrap_or(false)))
        .map(|(_, alert)| alert)
        .filter(|alert| matches!(alert.state, AlertState::Firing | AlertState::Pending))
        .collect();
    firing.sort_by(|a, b| alerts::by_badness(a, b));
    overview.alerts.set_rows(firing.into_iter().map(|alert| alert.fingerprint).collect());
}
