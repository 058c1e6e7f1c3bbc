//! Reads a dashboard's JSON into [`Dashboard`]: the classic schema of all versions, the second schema (`elements` and `layout`), and
//! both in the forms in which Grafana exports and returns them. What cannot be drawn is kept with a reason; what has a wrong type is
//! left out. Nothing fails but a text that is no dashboard.

mod fields;
mod html;
mod json;
mod kinds;
mod mappings;
mod old;
mod panels;
mod queries;
mod second;
mod sections;
mod steps;
#[cfg(test)]
mod tests;
mod variables;

use serde_json::{Map, Value};

use crate::model::dashboard::panel::Panel;
use crate::model::dashboard::{Dashboard, DashboardEntry};
use crate::model::labels::Text;
use json::{at, flag, list, text, whole};
use queries::Inputs;

/// The most panels that are read; a dashboard of more says so.
const MAX_PANELS: usize = 2000;

/// Why a text is not a dashboard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::backend) enum DashboardError {
    /// Not JSON at all.
    #[error("not JSON: {0}")]
    Json(String),
    /// JSON without panels, rows or elements.
    #[error("not a dashboard: {0}")]
    NotADashboard(&'static str),
}

/// What all parts of a dashboard need while it is read.
pub(super) struct Reading {
    inputs: Inputs,
    /// Library panels that the dashboard brings along (`__elements`).
    elements: Map<String, Value>,
    notes: Vec<Text>,
    /// Panels that may still be read.
    left: usize,
}

impl Reading {
    fn new(root: &Value) -> Self {
        let elements = at(root, "__elements").as_object().cloned().unwrap_or_default();
        Self { inputs: Inputs::of(root), elements, notes: Vec::new(), left: MAX_PANELS }
    }
}

/// Reads the text of a dashboard.
///
/// # Errors
/// If it is not JSON, or JSON of something else.
pub(in crate::backend) fn dashboard(json: &str) -> Result<Dashboard, DashboardError> {
    let json = json.strip_prefix('\u{feff}').unwrap_or(json);
    let value = serde_json::from_str(json).map_err(|error| DashboardError::Json(error.to_string()))?;
    dashboard_of(&value)
}

/// As [`dashboard`], of parsed JSON.
///
/// # Errors
/// If it is something else than a dashboard.
pub(in crate::backend) fn dashboard_of(value: &Value) -> Result<Dashboard, DashboardError> {
    if !value.is_object() {
        return Err(DashboardError::NotADashboard("the JSON is not an object"));
    }
    let wrapped = Wrapped::of(value);
    let is_second = at(wrapped.body, "elements").is_object() && at(wrapped.body, "layout").is_object();
    let converted = is_second.then(|| second::to_classic(wrapped.body));
    let body = converted.as_ref().unwrap_or(wrapped.body);
    let parts = ["panels", "rows", "templating"];
    if !parts.iter().any(|key| at(body, key).is_array() || at(body, key).is_object()) {
        return Err(DashboardError::NotADashboard("it has neither panels nor rows nor elements"));
    }
    Ok(classic(&wrapped, body, is_second))
}

/// The content of a library panel in the place of a panel that refers to it; the panel keeps its id, place, repeat and title.
#[expect(dead_code, reason = "the source `grafana` fills in library panels with it")]
pub(in crate::backend) fn library_panel(panel: &Panel, model: &Value) -> Panel {
    let mut reading = Reading::new(&Value::Null);
    panels::with_library(panel, model, &mut reading)
}

/// A dashboard inside its wrappers, and what they say about it.
struct Wrapped<'a> {
    body: &'a Value,
    uid: Option<Text>,
    folder: Option<Text>,
    url: Option<Text>,
    is_starred: bool,
}

impl<'a> Wrapped<'a> {
    /// Unwraps `{dashboard, meta}`, `{spec, metadata}` (also in each other).
    fn of(value: &'a Value) -> Self {
        let mut out = Self { body: value, uid: None, folder: None, url: None, is_starred: false };
        for _ in 0..4 {
            let body = out.body;
            let meta = if at(body, "meta").is_object() { at(body, "meta") } else { at(body, "metadata") };
            out.uid = text(at(meta, "name")).or_else(|| text(at(meta, "uid"))).or(out.uid);
            let annotated = at(at(meta, "annotations"), "grafana.app/folder");
            out.folder = text(at(meta, "folderTitle")).or_else(|| text(annotated)).or(out.folder);
            out.url = text(at(meta, "url")).or(out.url);
            out.is_starred |= flag(at(meta, "isStarred")).unwrap_or(false);
            let inner = ["dashboard", "spec", "model"].into_iter().map(|key| at(body, key));
            let Some(inner) = inner.into_iter().find(|inner| inner.is_object()) else { break };
            out.body = inner;
        }
        out
    }
}

fn classic(wrapped: &Wrapped<'_>, body: &Value, is_second: bool) -> Dashboard {
    let mut reading = Reading::new(body);
    let sections = sections::sections(body, &mut reading);
    let variables = variables::variables(body, &mut reading);
    if reading.left == 0 {
        reading.notes.push(format!("Only the first {MAX_PANELS} panels are shown.").into());
    }
    let title = text(at(body, "title")).unwrap_or_else(|| "Untitled dashboard".into());
    let uid = text(at(body, "uid")).or_else(|| wrapped.uid.clone()).unwrap_or_else(|| title.clone());
    let tags = list(at(body, "tags")).iter().filter_map(text).collect();
    let time = at(body, "time");
    let moment = |key: &str, default: &str| text(at(time, key)).unwrap_or_else(|| default.into());
    Dashboard {
        entry: DashboardEntry {
            uid,
            title,
            folder: wrapped.folder.clone().filter(|folder| **folder != *"General"),
            tags,
            url: wrapped.url.clone(),
            is_starred: wrapped.is_starred,
        },
        description: text(at(body, "description")),
        schema_version: if is_second { None } else { whole(at(body, "schemaVersion")).or(Some(0)) },
        from: moment("from", "now-6h"),
        to: moment("to", "now"),
        variables,
        sections,
        notes: reading.notes,
    }
}
