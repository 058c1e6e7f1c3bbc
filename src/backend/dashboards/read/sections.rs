//! Rows and the panels in them: the rows of old dashboards, row panels, collapsed rows.

use std::sync::Arc;

use serde_json::{Value, json};

use super::json::{at, flag, list, number, text, whole, word};
use super::queries::DASHBOARD;
use super::{DashboardReading, panels};
use crate::model::dashboard::panel::{GridPlace, Panel};
use crate::model::dashboard::{DashboardSection, GRID_COLUMNS};
use crate::model::labels::Text;

/// The pixels of a row of the grid, with its gap.
const ROW_PIXELS: f64 = 38.0;

/// The sections of a dashboard, from the top.
pub(super) fn sections(body: &Value, reading: &mut DashboardReading) -> Vec<DashboardSection> {
    let mut builder = SectionBuilder { done: Vec::new(), next_id: highest_id(body) + 1, sources: Vec::new() };
    let panels = list(at(body, "panels"));
    if panels.is_empty() && !list(at(body, "rows")).is_empty() {
        builder.rows(list(at(body, "rows")), reading);
    } else {
        builder.panels(panels, reading);
    }
    let mut sections = builder.done;
    share_data(&mut sections, &builder.sources);
    sections.retain(|section| section.title.is_some() || !section.panels.is_empty());
    sections
}

struct SectionBuilder {
    done: Vec<DashboardSection>,
    /// The id of the next panel that has none, or one that is taken.
    next_id: u32,
    /// Panels that show the data of others: their ids, whose data, and whether with its transformations.
    sources: Vec<(u32, u32, bool)>,
}

impl SectionBuilder {
    fn panels(&mut self, panels: &[Value], reading: &mut DashboardReading) {
        // panels are ordered by their place; a row takes all panels after it
        let mut ordered: Vec<&Value> =
            panels.iter().filter(|panel| panel.is_object() && !is_clone(panel, panels)).collect();
        let place = |panel: &Value, key: &str| number(at(at(panel, "gridPos"), key)).unwrap_or(0.0);
        ordered.sort_by(|a, b| {
            place(a, "y").total_cmp(&place(b, "y")).then(place(a, "x").total_cmp(&place(b, "x")))
        });
        for panel in ordered {
            if word(at(panel, "type")) == "row" {
                self.done.push(DashboardSection {
                    title: Some(text(at(panel, "title")).unwrap_or_else(|| "Row".into())),
                    is_collapsed: flag(at(panel, "collapsed")).unwrap_or(false),
                    repeat: text(at(panel, "repeat")),
                    panels: Vec::new(),
                });
                let inside = list(at(panel, "panels"));
                for nested in inside.iter().filter(|nested| nested.is_object() && !is_clone(nested, inside)) {
                    self.add(nested, None, reading);
                }
            } else {
                self.add(panel, None, reading);
            }
        }
    }

    /// Rows of schema versions below 16: panels have a width of 12 columns and flow.
    fn rows(&mut self, rows: &[Value], reading: &mut DashboardReading) {
        let is_row = |row: &&Value| row.is_object() && at(row, "repeatRowId").is_null();
        let has_title = |row: &Value| {
            let is = |key: &str| flag(at(row, key)).unwrap_or(false);
            is("showTitle") || is("collapse") || text(at(row, "repeat")).is_some()
        };
        let are_shown = rows.iter().filter(is_row).any(has_title);
        let mut top = 0;
        for row in rows.iter().filter(is_row) {
            if are_shown || self.done.is_empty() {
                self.done.push(DashboardSection {
                    title: are_shown.then(|| text(at(row, "title")).unwrap_or_else(|| "Row".into())),
                    is_collapsed: flag(at(row, "collapse")).unwrap_or(false),
                    repeat: text(at(row, "repeat")),
                    panels: Vec::new(),
                });
                top += u16::from(are_shown);
            }
            top = self.flow(row, top, reading);
        }
    }

    /// Places the panels of an old row beside each other, and returns where the next row begins.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to the range of the type"
    )]
    fn flow(&mut self, row: &Value, top: u16, reading: &mut DashboardReading) -> u16 {
        let row_height = grid_height(at(row, "height")).unwrap_or(7);
        let (mut x, mut y, mut tallest) = (0, top, 0);
        for panel in list(at(row, "panels")).iter().filter(|panel| panel.is_object()) {
            let span = number(at(panel, "span")).unwrap_or(4.0).clamp(1.0, 12.0);
            let width = ((span * 2.0).floor() as u16).clamp(1, GRID_COLUMNS);
            let height = grid_height(at(panel, "height")).unwrap_or(row_height);
            if x + width > GRID_COLUMNS {
                (x, y, tallest) = (0, y.saturating_add(tallest), 0);
            }
            self.add(panel, Some(GridPlace { x, y, width, height }), reading);
            (x, tallest) = (x + width, tallest.max(height));
        }
        y.saturating_add(tallest.max(u16::from(x != 0)))
    }

    fn add(&mut self, json: &Value, place: Option<GridPlace>, reading: &mut DashboardReading) {
        if reading.left == 0 {
            return;
        }
        reading.left -= 1;
        let mut panel = panels::panel(json, reading);
        if let Some(place) = place {
            panel.place = place;
        }
        let is_taken =
            |id: u32| self.done.iter().flat_map(|section| &section.panels).any(|panel| panel.id == id);
        if panel.id == 0 || is_taken(panel.id) {
            panel.id = self.next_id;
            self.next_id = self.next_id.saturating_add(1);
        }
        if panel.data_source.uid.as_deref() == Some(DASHBOARD) {
            let target = list(at(json, "targets")).first().unwrap_or(&Value::Null);
            if let Some(from) = whole(at(target, "panelId")) {
                let with_steps = flag(at(target, "withTransforms")).unwrap_or(false);
                self.sources.push((panel.id, from, with_steps));
            }
        }
        if self.done.is_empty() {
            self.done.push(DashboardSection::default());
        }
        if let Some(section) = self.done.last_mut() {
            section.panels.push(Arc::new(panel));
        }
    }
}

/// Whether this is a copy that a repeat made when the dashboard was saved; Grafana makes them anew.
fn is_clone(panel: &Value, among: &[Value]) -> bool {
    let Some(original) = whole::<u32>(at(panel, "repeatPanelId")) else { return false };
    let own = whole::<u32>(at(panel, "id"));
    own != Some(original) && among.iter().any(|other| whole::<u32>(at(other, "id")) == Some(original))
}

/// Pixels (`250px`, 250) as rows of the grid.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the range of the type"
)]
fn grid_height(value: &Value) -> Option<u16> {
    let pixels = match value {
        Value::String(text) => text.trim().trim_end_matches("px").trim().parse().ok(),
        Value::Number(_) => number(value),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    let pixels = pixels.filter(|pixels: &f64| pixels.is_finite() && *pixels > 0.0)?;
    Some((pixels / ROW_PIXELS).ceil().clamp(3.0, 200.0) as u16)
}

fn highest_id(body: &Value) -> u32 {
    let rows = list(at(body, "rows")).iter().flat_map(|row| list(at(row, "panels")));
    let panels = list(at(body, "panels")).iter();
    let inside = panels.clone().flat_map(|panel| list(at(panel, "panels")));
    let ids = panels.chain(inside).chain(rows).filter_map(|panel| whole::<u32>(at(panel, "id")));
    ids.max().unwrap_or(0).min(u32::MAX - 1)
}

/// Gives panels that show the data of another panel its queries.
fn share_data(sections: &mut [DashboardSection], sources: &[(u32, u32, bool)]) {
    for (id, from, with_steps) in sources {
        let origin = origin(sections, sources, *id, *from);
        let panels = sections.iter_mut().flat_map(|section| &mut section.panels);
        let Some(panel) = panels.into_iter().find(|panel| panel.id == *id) else { continue };
        let panel = Arc::make_mut(panel);
        match origin {
            Some(origin) => take_data(panel, &origin, *with_steps),
            None => panel.notes.push(no_origin(*from)),
        }
    }
}

fn no_origin(from: u32) -> Text {
    format!("It shows the data of panel {from}, which this dashboard does not have.").into()
}

/// The panel whose data it finally are; `None` if there is none, or in a circle.
fn origin(
    sections: &[DashboardSection],
    sources: &[(u32, u32, bool)],
    id: u32,
    from: u32,
) -> Option<Arc<Panel>> {
    let mut seen = vec![id];
    let mut current = from;
    loop {
        if seen.contains(&current) {
            return None;
        }
        seen.push(current);
        let Some((_, next, _)) = sources.iter().find(|(id, _, _)| *id == current) else {
            let panels = sections.iter().flat_map(|section| &section.panels);
            return panels.into_iter().find(|panel| panel.id == current).map(Arc::clone);
        };
        current = *next;
    }
}

fn take_data(panel: &mut Panel, origin: &Panel, with_steps: bool) {
    panel.queries.clone_from(&origin.queries);
    panel.data_source = origin.data_source.clone();
    panel.notes.retain(|note| !note.contains("has no query") || origin.queries.is_empty());
    if with_steps {
        panel.transformations =
            [origin.transformations.as_slice(), panel.transformations.as_slice()].concat();
    }
}

/// A row panel of the classic schema.
pub(super) fn row(title: &str, is_collapsed: bool, repeat: &Value, panels: &[Value]) -> Value {
    json!({ "type": "row", "title": title, "collapsed": is_collapsed, "repeat": repeat, "panels": panels })
}
