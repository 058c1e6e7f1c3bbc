//! Dashboards: their lists, which source answers a question of a panel, and the dashboard that an alert is linked with.

pub mod data_source;
pub mod layout;
pub mod link;
pub mod picture;
pub mod queries;
pub mod repeat;
pub mod values;
pub mod variables;

use std::sync::Arc;

use crate::app::identity::DashboardKey;
use crate::app::scheduler::Want;
use crate::app::shared::Shared;
use crate::app::want;
use crate::model::ask::{AskKind, Query};
use crate::model::dashboard::{Dashboard, DashboardEntry};
use crate::model::labels::Text;
use crate::model::remote::Remote;
use crate::model::source::SourceId;
use crate::model::world::World;

/// A dashboard of a list, with its source.
#[derive(Debug, Clone)]
pub struct DashboardItem {
    pub source: SourceId,
    pub entry: Arc<DashboardEntry>,
}

/// The lists of all sources that have dashboards.
pub fn list_wants(shared: &Shared) -> Vec<Want> {
    let sources = shared.answering(AskKind::Dashboards);
    sources.map(|source| want::of(shared, &source.id, Query::Dashboards)).collect()
}

/// All dashboards that are known.
pub fn listed(world: &World) -> Vec<DashboardItem> {
    let lists = world.sources().filter_map(|(source, cache)| Some((source, cache.dashboards().value()?)));
    let items = lists.flat_map(|(source, list)| {
        let item =
            |entry: &Arc<DashboardEntry>| DashboardItem { source: source.clone(), entry: Arc::clone(entry) };
        list.entries.iter().map(item)
    });
    items.collect()
}

/// What the lists lack.
pub fn list_notes(world: &World) -> Vec<Text> {
    let lists = world.sources().filter_map(|(_, cache)| cache.dashboards().value());
    lists.flat_map(|list| list.notes.iter().cloned()).collect()
}

/// The question for the data sources of a dashboard's source: variables and old dashboards name them.
pub fn source_wants(shared: &Shared, key: &DashboardKey) -> Option<Want> {
    let can = shared.answering(AskKind::DataSources).any(|source| source.id == key.source);
    can.then(|| want::of(shared, &key.source, Query::DataSources))
}

/// The question for the content of a dashboard.
pub fn definition_want(shared: &Shared, key: &DashboardKey) -> Option<Want> {
    let can = shared.answering(AskKind::Dashboard).any(|source| source.id == key.source);
    can.then(|| want::of(shared, &key.source, Query::Dashboard { uid: key.uid.clone() }))
}

/// The content of a dashboard, as far as it has been read.
pub fn definition<'a>(shared: &'a Shared, key: &DashboardKey) -> Option<&'a Remote<Arc<Dashboard>>> {
    shared.world.cache(&key.source)?.dashboard_definitions().get(&key.uid)
}

/// The title of a dashboard, as far as it is known.
pub fn title(shared: &Shared, key: &DashboardKey) -> Option<Text> {
    let read = definition(shared, key).and_then(Remote::value).map(|dashboard| dashboard.entry.title.clone());
    read.or_else(|| key.entry(&shared.world).map(|entry| entry.title.clone()))
}
