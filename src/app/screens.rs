//! The screens: each module has its state, its order and its drawing; here is what they share.

pub mod alert;
pub mod alerts;
pub mod incident;
pub mod incidents;
pub mod messages;
pub mod oncall;
pub mod overview;
mod page;
pub mod paper;
pub mod policy;
pub mod runbook;
pub mod service;
pub mod services;
pub mod silences;
pub mod slo;
pub mod slos;
pub mod sources;
pub mod timeline;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::due::Want;
use super::place::Place;
use super::state::State;
use super::want;
use crate::model::ask::AskKind;

/// A column that a list can be ordered by, and which way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Order {
    /// Index into the screen's table of orders; 0 is worst first.
    pub column: usize,
    /// Against the column's own direction.
    pub reversed: bool,
}

impl Order {
    /// Another column, or the same the other way round.
    pub fn choose(&mut self, column: usize) {
        let reversed = self.column == column && !self.reversed;
        *self = Self { column, reversed };
    }

    /// Turns a comparison round if need be.
    pub fn apply(self, ordering: std::cmp::Ordering) -> std::cmp::Ordering {
        if self.reversed { ordering.reverse() } else { ordering }
    }
}

/// Brings the lists of the present screen into their order again.
pub fn reorder(state: &mut State) {
    match state.place().clone() {
        Place::Overview => overview::reorder(state),
        Place::Services => services::reorder(state),
        Place::Service(name) => service::reorder(state, &name),
        Place::Slos => slos::reorder(state),
        Place::Slo { source, id } => slo::reorder(state, &source, &id),
        Place::Alerts => alerts::reorder(state),
        Place::Alert(fingerprint) => alert::reorder(state, fingerprint),
        Place::Incidents => incidents::reorder(state),
        Place::Incident { source, id } => incident::reorder(state, &source, &id),
        Place::OnCall => oncall::reorder(state),
        Place::Silences => silences::reorder(state),
        Place::Timeline => timeline::reorder(state),
        Place::Policy { .. } | Place::Paper(_) | Place::Runbook(_) | Place::Sources | Place::Messages => {}
    }
}

/// Counts up whenever the lists of the present screen may have to be brought into another order.
pub fn revision(state: &State) -> u64 {
    match state.place() {
        Place::Alerts => alerts::revision(state),
        Place::Timeline => state.chronicle.revision(),
        Place::Alert(_) => state.world.alerts_revision(),
        Place::Overview
        | Place::Services
        | Place::Service(_)
        | Place::Slos
        | Place::Slo { .. }
        | Place::Incidents
        | Place::Incident { .. }
        | Place::OnCall
        | Place::Policy { .. }
        | Place::Paper(_)
        | Place::Runbook(_)
        | Place::Silences
        | Place::Sources
        | Place::Messages => state.world.revision(),
    }
}

/// What the present screen wants to know, and what is vital on every screen.
pub fn wants(state: &State, now: Timestamp) -> Vec<Want> {
    let mut wants: Vec<Want> = want::vital(state).collect();
    match state.place() {
        Place::Overview | Place::Services => wants.extend(services::wants(state, now)),
        Place::Service(name) => wants.extend(service::wants(state, name, now)),
        Place::Alert(fingerprint) => wants.extend(alert::wants(state, *fingerprint, now)),
        Place::Slo { source, id } => wants.extend(slo::wants(state, source, id, now)),
        Place::Incident { source, id } => wants.extend(incident::wants(state, source, id)),
        Place::Paper(paper) => wants.extend(paper::wants(state, paper, now)),
        Place::Runbook(wanted) => wants.extend(runbook::wants(state, wanted)),
        Place::Timeline => wants.extend(timeline::wants(state, now)),
        Place::Slos
        | Place::Alerts
        | Place::Incidents
        | Place::OnCall
        | Place::Policy { .. }
        | Place::Silences
        | Place::Sources
        | Place::Messages => {}
    }
    // after those of the screen, which may ask for one of them more often
    let telling = want::sources(state, AskKind::Incident);
    wants.extend(telling.flat_map(|source| incident::unread(state, &source.id)));
    wants
}

/// Draws the present screen into the body of the frame.
pub fn render(state: &State, now: Timestamp, area: Rect, buf: &mut Buffer) {
    match state.place() {
        Place::Overview => overview::render(state, now, area, buf),
        Place::Services => services::render(state, now, area, buf),
        Place::Service(name) => service::render(state, name, now, area, buf),
        Place::Slos => slos::render(state, now, area, buf),
        Place::Slo { source, id } => slo::render(state, source, id, now, area, buf),
        Place::Alerts => alerts::render(state, now, area, buf),
        Place::Alert(fingerprint) => alert::render(state, *fingerprint, now, area, buf),
        Place::Incidents => incidents::render(state, now, area, buf),
        Place::Incident { source, id } => incident::render(state, source, id, now, area, buf),
        Place::OnCall => oncall::render(state, now, area, buf),
        Place::Policy { source, id } => policy::render(state, source, id, now, area, buf),
        Place::Runbook(wanted) => runbook::render(state, wanted, now, area, buf),
        Place::Silences => silences::render(state, now, area, buf),
        Place::Timeline => timeline::render(state, now, area, buf),
        Place::Sources => sources::render(state, now, area, buf),
        Place::Paper(paper) => paper::render(state, paper, now, area, buf),
        Place::Messages => messages::render(state, now, area, buf),
    }
}

/// How far the text of the present screen can be scrolled that stands in this area, if the screen is not a list.
pub fn last_scroll(state: &State, area: Rect) -> u16 {
    match state.place() {
        Place::Alert(fingerprint) => alert::last_scroll(state, *fingerprint, area),
        Place::Paper(_) => paper::last_scroll(state, area),
        Place::Messages => messages::last_scroll(state),
        Place::Slo { source, id } => slo::last_scroll(state, source, id, area),
        Place::Incident { source, id } => incident::last_scroll(state, source, id, area),
        Place::Policy { source, id } => policy::last_scroll(state, source, id, area),
        Place::Runbook(_) => runbook::last_scroll(state, area),
        Place::Overview
        | Place::Services
        | Place::Service(_)
        | Place::Slos
        | Place::Alerts
        | Place::Incidents
        | Place::OnCall
        | Place::Timeline
        | Place::Silences
        | Place::Sources => 0,
    }
}
