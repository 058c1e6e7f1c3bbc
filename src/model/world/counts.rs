//! The numbers of alerts: computed once per change, because every frame shows them.

use std::sync::Arc;

use jiff::Timestamp;

use crate::model::alert::{Alert, AlertState, Severity};

/// The numbers of alerts by state and severity.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlertTotals {
    counts: [[usize; Severity::ALL.len()]; AlertState::ALL.len()],
    newest: Option<Timestamp>,
}

impl AlertTotals {
    /// Counts these alerts, each with the time of its last change.
    pub(super) fn of<'a>(alerts: impl Iterator<Item = (&'a Arc<Alert>, Timestamp)>) -> Self {
        let mut totals = Self::default();
        for (alert, changed_at) in alerts {
            let count = totals.counts.get_mut(alert.state as usize);
            if let Some(count) = count.and_then(|counts| counts.get_mut(alert.severity as usize)) {
                *count += 1;
            }
            if alert.is_firing() && alert.severity != Severity::None {
                totals.newest = totals.newest.max(Some(changed_at));
            }
        }
        totals
    }

    fn count(&self, state: AlertState, severity: Severity) -> usize {
        self.counts.get(state as usize).and_then(|counts| counts.get(severity as usize)).copied().unwrap_or(0)
    }

    /// How many alerts have this state.
    pub fn in_state(&self, state: AlertState) -> usize {
        Severity::ALL.into_iter().map(|severity| self.count(state, severity)).sum()
    }

    /// How many alerts of this severity are firing.
    pub fn firing(&self, severity: Severity) -> usize {
        self.count(AlertState::Firing, severity)
    }

    /// How many alerts with a severity are firing.
    pub fn firing_with_severity(&self) -> usize {
        self.in_state(AlertState::Firing) - self.firing(Severity::None)
    }

    /// The worst severity among the alerts that [`AlertTotals::firing_with_severity`] counts.
    pub fn worst(&self) -> Option<Severity> {
        let mut firing_with_severity =
            Severity::ALL.into_iter().filter(|severity| *severity != Severity::None);
        firing_with_severity.find(|severity| self.firing(*severity) > 0)
    }

    /// When the newest of the alerts that [`AlertTotals::firing_with_severity`] counts appeared or changed.
    pub fn newest(&self) -> Option<Timestamp> {
        self.newest
    }
}
