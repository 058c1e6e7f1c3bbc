//! What actions apply to: the marked rows of the focused list, else the row under the cursor.

use std::collections::BTreeSet;

use super::identity::{IncidentKey, LevelKey, PolicyKey, SilenceKey, SloKey};
use crate::model::fingerprint::Fingerprint;
use crate::model::labels::Text;
use crate::model::world::World;

/// Items of one kind, without duplicates.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Selection {
    /// Nothing that an action could apply to.
    #[default]
    Nothing,
    Incidents(Vec<IncidentKey>),
    Alerts(Vec<Fingerprint>),
    /// Services: actions apply to their alerts and open incidents.
    Services(Vec<Text>),
    Silences(Vec<SilenceKey>),
    Level(LevelKey),
    Policy(PolicyKey),
}

impl Selection {
    /// The alerts of these SLOs, to which actions on SLOs apply.
    pub fn of_slos<'a>(world: &World, keys: impl IntoIterator<Item = &'a SloKey>) -> Self {
        let statuses = keys.into_iter().filter_map(|key| key.status(world));
        Self::Alerts(once(statuses.flat_map(|status| status.alerts.iter().copied())))
    }

    /// The same; an empty list becomes [`Selection::Nothing`].
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

/// Removes duplicates; the first occurrence stays.
pub fn once<K: Clone + Ord>(all: impl IntoIterator<Item = K>) -> Vec<K> {
    let mut seen = BTreeSet::new();
    all.into_iter().filter(|one| seen.insert(one.clone())).collect()
}

/// What an action has handled, so that it can be unmarked.
#[derive(Debug, Clone, Copy)]
pub enum Handled<'a> {
    /// These alerts were silenced.
    Alerts(&'a BTreeSet<Fingerprint>),
    Silence(&'a SilenceKey),
    /// An action on this incident is finished.
    Incident {
        key: &'a IncidentKey,
        /// Whether all actions confirmed together with this one are finished.
        is_last: bool,
    },
}
