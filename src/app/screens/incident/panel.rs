//! The names of the panels of an incident's page, and what their drawing is given.

use super::OpenIncident;
use crate::app::prelude::*;

/// The panels, in the order in which Tab goes through them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CockpitPanel {
    /// The text that scrolls.
    Page,
    /// The alerts in the text.
    Alerts,
    /// The chart of the signal that is wrong.
    Chart,
    /// The charts of the other signals; never focused.
    Signals,
    Why,
    Changes,
    Logs,
    People,
    Slo,
    Dependencies,
    Similar,
    Runbook,
}

impl CockpitPanel {
    const ALL: [Self; 12] = [
        Self::Page,
        Self::Alerts,
        Self::Chart,
        Self::Signals,
        Self::Why,
        Self::Changes,
        Self::Logs,
        Self::People,
        Self::Slo,
        Self::Dependencies,
        Self::Similar,
        Self::Runbook,
    ];

    /// Its number among the panels of the page.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The panel with this number.
    pub fn at(index: usize) -> Self {
        Self::ALL.get(index).copied().unwrap_or(Self::Page)
    }
}

/// What the drawing of a panel is given.
pub(super) struct Cockpit<'a> {
    pub(super) screen: &'a OpenIncident,
    pub(super) cx: &'a ScreenCx<'a>,
    pub(super) view: &'a IncidentView,
}
