//! The changes of all sources, merged.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::World;
use crate::model::change::{Change, folded, merged};
use crate::model::labels::Text;

/// The merged changes, and which of them belong to each service.
#[derive(Debug, Default)]
pub(super) struct MergedChanges {
    /// The newest first.
    pub(super) all: Vec<Arc<Change>>,
    /// Indexes into `all` by service, ascending.
    by_service: HashMap<Text, Vec<usize>>,
    /// A digest of the reports: most answers bring nothing new.
    digest: u64,
}

impl World {
    /// The changes that sources have reported so far, each once, newest first.
    pub fn changes(&self) -> &[Arc<Change>] {
        &self.changes.all
    }

    /// The changes of one service, newest first.
    pub fn changes_of(&self, service: &str) -> impl Iterator<Item = &Arc<Change>> {
        let places = self.changes.by_service.get(service);
        places.into_iter().flatten().filter_map(|at| self.changes.all.get(*at))
    }

    pub(super) fn merge_changes(&mut self) {
        let snapshots = self.cache.values().filter_map(|cache| cache.changes().value());
        let reports = snapshots.flat_map(|snapshot| &snapshot.changes);
        let mut hasher = DefaultHasher::new();
        reports.clone().for_each(|report| report.hash(&mut hasher));
        let digest = hasher.finish();
        if digest == self.changes.digest {
            return;
        }
        let all: Vec<Arc<Change>> = folded(merged(reports.cloned())).into_iter().map(Arc::new).collect();
        let mut by_service: HashMap<Text, Vec<usize>> = HashMap::new();
        for (at, change) in all.iter().enumerate() {
            if let Some(service) = &change.service {
                by_service.entry(Text::clone(service)).or_default().push(at);
            }
        }
        self.changes = MergedChanges { all, by_service, digest };
    }
}
