//! A panel: its place, kind, queries and options.

use serde_json::Value;

use super::json::{at, number, text, whole, word};
use super::links::links;
use super::{DashboardReading, fields, kinds, old, queries, steps};
use crate::model::dashboard::GRID_COLUMNS;
use crate::model::dashboard::panel::{GridPlace, LibraryPanel, Panel, PanelKind, PanelRepeat};
use crate::model::dashboard::transformation::TransformationStep;

/// The most rows that a panel is high.
const MAX_HEIGHT: u16 = 500;

/// Reads a panel of the classic schema.
pub(super) fn panel(json: &Value, reading: &mut DashboardReading) -> Panel {
    let library = library_reference(json);
    let is_empty = word(at(json, "type")).is_empty() || word(at(json, "type")) == "library-panel-ref";
    if let (Some(library), true) = (&library, is_empty) {
        let named = reading.elements.get(&*library.uid).map(|element| at(element, "model").clone());
        if let Some(model) = named.filter(Value::is_object) {
            let shell = read(json, None, reading);
            return with_library(&Panel { library: Some(library.clone()), ..shell }, &model, reading);
        }
    }
    read(json, library, reading)
}

/// The content of a library panel in the place of the panel that refers to it.
pub(super) fn with_library(shell: &Panel, model: &Value, reading: &mut DashboardReading) -> Panel {
    let mut content = read(model, shell.library.clone(), reading);
    content.id = shell.id;
    content.place = shell.place;
    content.repeat.clone_from(&shell.repeat);
    if !shell.title.is_empty() {
        content.title = shell.title.clone();
    }
    content
}

fn library_reference(json: &Value) -> Option<LibraryPanel> {
    let reference = at(json, "libraryPanel");
    let uid = text(at(reference, "uid"))?;
    let name = text(at(reference, "name")).unwrap_or_else(|| uid.clone());
    Some(LibraryPanel { uid, name })
}

fn read(json: &Value, library: Option<LibraryPanel>, reading: &mut DashboardReading) -> Panel {
    let plugin = word(at(json, "type"));
    let data_source = queries::data_source(at(json, "datasource"), &reading.inputs);
    let queries = queries::queries(json, &data_source, reading);
    let config = at(json, "fieldConfig");
    let mut panel = Panel {
        id: whole(at(json, "id")).unwrap_or(0),
        title: text(at(json, "title")).unwrap_or_else(|| "".into()),
        description: text(at(json, "description")),
        place: place(at(json, "gridPos")),
        kind: PanelKind::Unknown { plugin: plugin.into(), reason: "".into() },
        data_source,
        queries,
        max_points: whole(at(json, "maxDataPoints")).filter(|points| *points > 0),
        min_interval: text(at(json, "interval")),
        relative_from: text(at(json, "timeFrom")),
        time_shift: text(at(json, "timeShift")),
        transformations: steps::transformations(at(json, "transformations")),
        options: fields::options(at(config, "defaults")),
        overrides: fields::overrides(at(config, "overrides")),
        repeat: repeat(json),
        links: links(at(json, "links")),
        library,
        notes: Vec::new(),
    };
    set_kind(&mut panel, plugin, json);
    for step in &panel.transformations {
        if let TransformationStep::Unknown { id } = &step.step {
            panel.notes.push(format!("The transformation {id} is not supported.").into());
        }
    }
    if panel.queries.is_empty() && asks_data(&panel.kind) {
        panel.notes.push("The panel has no query.".into());
    }
    panel
}

/// Whether a panel of this kind shows the answers of queries.
fn asks_data(kind: &PanelKind) -> bool {
    match kind {
        PanelKind::Words { .. }
        | PanelKind::AlertList { .. }
        | PanelKind::DashboardList
        | PanelKind::Unknown { .. } => false,
        PanelKind::TimeSeries { .. }
        | PanelKind::BarChart { .. }
        | PanelKind::Stat { .. }
        | PanelKind::Gauge { .. }
        | PanelKind::BarGauge { .. }
        | PanelKind::PieChart { .. }
        | PanelKind::Table { .. }
        | PanelKind::Heatmap { .. }
        | PanelKind::Histogram { .. }
        | PanelKind::StateTimeline { .. }
        | PanelKind::StatusHistory { .. }
        | PanelKind::Logs { .. } => true,
    }
}

/// Sets the kind, and what old plug-ins keep outside of `fieldConfig`.
fn set_kind(panel: &mut Panel, plugin: &str, json: &Value) {
    if let (Some(library), true) = (&panel.library, plugin.is_empty() || plugin == "library-panel-ref") {
        let reason =
            format!("The content of the library panel {} is not part of this dashboard.", library.name);
        panel.kind = PanelKind::Unknown { plugin: "library panel".into(), reason: reason.into() };
        return;
    }
    let has_styles = at(json, "styles").is_array() || at(json, "columns").is_array();
    let is_old_table =
        plugin == "table-old" || plugin == "table" && has_styles && !at(json, "fieldConfig").is_object();
    match plugin {
        "graph" | "graph2" => old::graph::migrate(panel, json),
        "singlestat" | "grafana-singlestat-panel" => old::single_stat::migrate(panel, json),
        "table" | "table-old" if is_old_table => old::table::migrate(panel, json),
        "heatmap" | "heatmap-new"
            if !at(json, "options").is_object() || at(json, "dataFormat").is_string() =>
        {
            old::heatmap::migrate(panel, json);
        }
        "text2" | "text" => (panel.kind, _) = kinds::kind("text", json),
        "table2" => (panel.kind, _) = kinds::kind("table", json),
        _ => {
            old::six::options(panel, json);
            let (kind, note) = kinds::kind(plugin, json);
            panel.kind = kind;
            panel.notes.extend(note);
        }
    }
    if plugin.starts_with("heatmap") && panel.options.unit.is_none() {
        let axis = at(at(json, "options"), "yAxis");
        panel.options.unit = text(at(axis, "unit"));
        panel.options.decimals = panel.options.decimals.or_else(|| fields::decimals(at(axis, "decimals")));
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the range of the type"
)]
fn place(position: &Value) -> GridPlace {
    let read = |key: &str, default: f64, max: f64| {
        number(at(position, key)).unwrap_or(default).clamp(0.0, max).round() as u16
    };
    let x = read("x", 0.0, f64::from(GRID_COLUMNS - 1));
    let width = read("w", 12.0, f64::from(GRID_COLUMNS)).max(1);
    GridPlace {
        x,
        y: read("y", 0.0, f64::from(u16::MAX)),
        width: width.min(GRID_COLUMNS - x),
        height: read("h", 8.0, f64::from(MAX_HEIGHT)).max(1),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the range of the type"
)]
fn repeat(json: &Value) -> Option<PanelRepeat> {
    let variable = text(at(json, "repeat"))?;
    // `minSpan` is of versions below 28: the least width in 12 columns
    let by_span = || number(at(json, "minSpan")).filter(|span| *span >= 1.0).map(|span| (12.0 / span) as u16);
    let per_row = whole(at(json, "maxPerRow")).or_else(by_span).unwrap_or(4).clamp(1, GRID_COLUMNS);
    Some(PanelRepeat { variable, is_vertical: word(at(json, "repeatDirection")) == "v", per_row })
}
