//! Links of panels and fields.

use serde_json::Value;

use super::json::{at, list, text};
use crate::model::dashboard::panel::PanelLink;

/// Links with an address; old ones name a dashboard.
pub(super) fn links(value: &Value) -> Vec<PanelLink> {
    let link = |link: &Value| {
        let slug = || text(at(link, "dashUri")).map(|uri| format!("/dashboard/{uri}").into());
        let url = text(at(link, "url")).or_else(slug)?;
        let title = text(at(link, "title")).or_else(|| text(at(link, "dashboard")));
        Some(PanelLink { title: title.unwrap_or_else(|| url.clone()), url })
    };
    list(value).iter().filter_map(link).collect()
}
