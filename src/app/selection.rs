//! What the person points at: the marked things of the list with the keyboard, else the one under the cursor.

use std::collections::BTreeSet;

use super::identity::{IncidentKey, LevelKey, PolicyKey, SilenceKey, SloKey};
use crate::model::fingerprint::Fingerprint;
use crate::model::labels::Text;
use crate::model::world::World;

/// Things of one kind, by their identity, each once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Selection {
    /// Nothing that anything could be done to.
    #[default]
    Nothing,
    Incidents(Vec<IncidentKey>),
    Alerts(Vec<Fingerprint>),
    /// Services: what is done to them is done to their alerts and open incidents.
    Services(Vec<Text>),
    Silences(Vec<SilenceKey>),
    /// A level of an escalation policy.
    Level(LevelKey),
    /// A whole escalation policy.
    Policy(PolicyKey),
}

impl Selection {
    /// What is done to SLOs is done to their alerts.
    pub fn of_slos<'a>(world: &World, keys: impl IntoIterator<Item = &'a SloKey>) -> Self {
        let statuses = keys.into_iter().filter_map(|key| key.status(world));
        Self::Alerts(once(statuses.flat_map(|status| status.alerts.iter().copied())))
    }

    /// The same, where things of no number are nothing.
    #[must_use]
    pub fn or_nothing(self) -> Self {
        let is_empty = match &self {
            Self::Incidents(all) => all.is_empty(),
            Self::Alerts(all) => all.is_empty(),
            Self::Silences(all) => all.is_empty(),
            Self::Services(all) => all.is_empty(),
            Self::Nothing | Self::Level(_) | Self::Policy(_) => false,
        };
        if is_empty { Self::Nothing } else { self }
    }
}

/// Each once, where it came first.
pub fn once<K: Clone + Ord>(all: impl IntoIterator<Item = K>) -> Vec<K> {
    let mut seen = BTreeSet::new();
    all.into_iter().filter(|one| seen.insert(one.clone())).collect()
}

/// What was done, so that it need not be marked any longer.
#[derive(Debug, Clone, Copy)]
pub enum Handled<'a> {
    /// These alerts were silenced.
    Alerts(&'a BTreeSet<Fingerprint>),
    /// This silence was changed.
    Silence(&'a SilenceKey),
    /// Something was done to this incident; whether it was the last of those that were marked.
    Incident {
        key: &'a IncidentKey,
        /// Whether nothing is left to be done of what was confirmed with it.
        is_last: bool,
    },
}
