//! Which source answers for a data source that a dashboard names.

use crate::app::identity::DashboardKey;
use crate::app::shared::Shared;
use crate::model::ask::AskKind;
use crate::model::dashboard::DataSourceRef;
use crate::model::source::SourceId;

/// Grafana's name for a data source that stands for the result of another panel.
pub const OF_DASHBOARD: &str = "-- Dashboard --";
/// Grafana's own data source, and the placeholder for several.
const OWN: [&str; 3] = ["-- Grafana --", "grafana", "-- Mixed --"];
/// The plug-in and uid of server-side expressions.
pub const EXPRESSION: &str = "__expr__";

/// The source that answers questions of a data source: the dashboard's own, else the one with that name, else the first of the
/// kind.
///
/// # Errors
/// Why no source does, for the panel.
pub fn source_of(
    shared: &Shared,
    key: &DashboardKey,
    data_source: &DataSourceRef,
    kind: AskKind,
) -> Result<SourceId, String> {
    let can = || shared.answering(kind);
    if let Some(own) = can().find(|source| source.id == key.source) {
        return Ok(own.id.clone());
    }
    let (plugin, uid) = (data_source.kind.as_deref(), data_source.uid.as_deref());
    if let Some(own) = uid.filter(|uid| OWN.contains(uid) || *uid == OF_DASHBOARD || *uid == EXPRESSION) {
        return Err(format!("the data source {own} is in Grafana only"));
    }
    if let Some(named) = can().find(|source| Some(source.id.as_str()) == uid) {
        return Ok(named.id.clone());
    }
    let of_kind =
        |name: &str| can().find(|source| source.kind.name() == name).map(|source| source.id.clone());
    let found = match plugin {
        Some(plugin) => of_kind(plugin),
        // old dashboards have only a name, or nothing for the default data source
        None => uid.and_then(|uid| of_kind(&uid.to_lowercase())).or_else(|| of_kind("prometheus")),
    };
    found.ok_or_else(|| match (plugin, uid) {
        (Some(plugin), Some(uid)) => format!("no source for the data source {uid} ({plugin})"),
        (Some(one), None) | (None, Some(one)) => format!("no source for the data source {one}"),
        (None, None) => "no source answers queries of panels".to_owned(),
    })
}

/// The plug-in of a data source: as written, as the source knows it, else the kind of the source.
pub fn plugin_of(shared: &Shared, source: &SourceId, data_source: &DataSourceRef) -> String {
    if let Some(kind) = &data_source.kind {
        return kind.to_string();
    }
    let known = shared.world.cache(source).and_then(|cache| cache.data_sources().value());
    let found = known.and_then(|all| match &data_source.uid {
        Some(uid) => all.iter().find(|one| one.uid == *uid || one.name == *uid),
        None => all.iter().find(|one| one.is_default),
    });
    let kind = || {
        let info = shared.sources.iter().find(|info| info.id == *source);
        info.map_or("prometheus", |info| info.kind.name()).to_owned()
    };
    found.map_or_else(kind, |one| one.kind.to_string())
}
