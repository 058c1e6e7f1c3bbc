//! The second schema (`v2alpha1` to `v2`: `elements` apart from `layout`) as the classic one.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::json::{at, below, flag, list, number, text, word};
use super::sections::row;

/// How deep layouts are followed.
const MAX_DEPTH: u8 = 8;
/// The most panels of all layouts; an element may stand in several places.
const MAX_ITEMS: usize = 5000;

/// The classic form of a dashboard of the second schema.
pub(super) fn to_classic(spec: &Value) -> Value {
    let time = at(spec, "timeSettings");
    let variables: Vec<Value> = list(at(spec, "variables")).iter().map(variable).collect();
    json!({
        "title": at(spec, "title"),
        "description": at(spec, "description"),
        "tags": at(spec, "tags"),
        "time": { "from": at(time, "from"), "to": at(time, "to") },
        "templating": { "list": variables },
        "panels": Layouts::new(spec).panels(),
    })
}

/// The number that the classic schema has for a sort order.
pub(super) fn sort_number(name: &str) -> Option<u8> {
    let order = [
        "disabled",
        "alphabeticalAsc",
        "alphabeticalDesc",
        "numericalAsc",
        "numericalDesc",
        "alphabeticalCaseInsensitiveAsc",
        "alphabeticalCaseInsensitiveDesc",
        "naturalAsc",
        "naturalDesc",
    ];
    order.iter().position(|known| *known == name).and_then(|at| u8::try_from(at).ok())
}

struct Layouts<'a> {
    elements: &'a Value,
    /// Where the next section begins.
    top: u64,
    panels: Vec<Value>,
    used: HashSet<&'a str>,
    count: usize,
    layout: &'a Value,
}

impl<'a> Layouts<'a> {
    fn new(spec: &'a Value) -> Self {
        let (elements, layout) = (at(spec, "elements"), at(spec, "layout"));
        Self { elements, top: 0, panels: Vec::new(), used: HashSet::new(), count: 0, layout }
    }

    fn panels(mut self) -> Vec<Value> {
        self.layout(self.layout, "", 0);
        // an element that no layout places is still a panel
        let placed = std::mem::take(&mut self.used);
        let missing = self
            .elements
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(name, _)| !placed.contains(name.as_str()));
        for (index, (_, element)) in missing.enumerate() {
            let y = self.top + (index as u64) * 8;
            self.panels.push(panel(element, json!({ "x": 0, "y": y, "w": 24, "h": 8 }), &Value::Null));
        }
        self.panels
    }

    /// Panels of grids go to the end of the list, those of rows and tabs into a row.
    fn layout(&mut self, layout: &'a Value, title: &str, depth: u8) {
        if depth > MAX_DEPTH {
            return;
        }
        let spec = at(layout, "spec");
        match word(at(layout, "kind")) {
            "RowsLayout" => self.groups(list(at(spec, "rows")), title, depth),
            "TabsLayout" => self.groups(list(at(spec, "tabs")), title, depth),
            "AutoGridLayout" | "ResponsiveGridLayout" => {
                let items = self.auto_grid(spec);
                self.panels.extend(items);
            }
            _ => {
                let items = self.grid(list(at(spec, "items")));
                self.panels.extend(items);
            }
        }
    }

    fn groups(&mut self, groups: &'a [Value], outer: &str, depth: u8) {
        for group in groups {
            let spec = at(group, "spec");
            let own = word(at(spec, "title"));
            let title = match (outer.is_empty(), own.is_empty()) {
                (true, _) => own.to_owned(),
                (false, true) => outer.to_owned(),
                (false, false) => format!("{outer} / {own}"),
            };
            let layout = at(spec, "layout");
            let is_nested = matches!(word(at(layout, "kind")), "RowsLayout" | "TabsLayout");
            let repeat = below(spec, &["repeat", "value"]);
            let is_collapsed = flag(at(spec, "collapse")).unwrap_or(false);
            if is_nested {
                self.layout(layout, &title, depth + 1);
                continue;
            }
            let before = std::mem::take(&mut self.panels);
            self.layout(layout, &title, depth + 1);
            let inside = std::mem::replace(&mut self.panels, before);
            let mut row = row(&title, is_collapsed, repeat, &inside);
            // rows are in the order of the list
            self.top += 1;
            if let Value::Object(fields) = &mut row {
                fields.insert("gridPos".to_owned(), json!({ "x": 0, "y": self.top, "w": 24, "h": 1 }));
            }
            self.panels.push(row);
        }
    }

    fn element(&mut self, item: &'a Value) -> Option<&'a Value> {
        let name = below(item, &["spec", "element", "name"]).as_str()?;
        self.count += 1;
        if self.count > MAX_ITEMS {
            return None;
        }
        self.used.insert(name);
        self.elements.get(name)
    }

    fn grid(&mut self, items: &'a [Value]) -> Vec<Value> {
        let mut out = Vec::new();
        for item in items {
            let spec = at(item, "spec");
            if word(at(item, "kind")) == "GridLayoutRow" {
                let inside = self.grid(list(at(spec, "elements")));
                let mut made = row(
                    word(at(spec, "title")),
                    flag(at(spec, "collapsed")).unwrap_or(false),
                    below(spec, &["repeat", "value"]),
                    &inside,
                );
                if let Value::Object(fields) = &mut made {
                    fields
                        .insert("gridPos".to_owned(), json!({ "x": 0, "y": at(spec, "y"), "w": 24, "h": 1 }));
                }
                out.push(made);
                continue;
            }
            let place = json!({ "x": at(spec, "x"), "y": at(spec, "y"), "w": at(spec, "width"), "h": at(spec, "height") });
            if let Some(element) = self.element(item) {
                out.push(panel(element, place, at(spec, "repeat")));
            }
        }
        out
    }

    /// As many columns as the grid allows, three if it does not say.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to the range of the type"
    )]
    fn auto_grid(&mut self, spec: &'a Value) -> Vec<Value> {
        let columns = number(at(spec, "maxColumnCount")).unwrap_or(3.0).clamp(1.0, 24.0) as u64;
        let height = match word(at(spec, "rowHeightMode")) {
            "short" => 5,
            "tall" => 14,
            _ => 9,
        };
        let width = 24 / columns;
        let mut out = Vec::new();
        for item in list(at(spec, "items")) {
            let index = out.len() as u64;
            let place = json!({ "x": index % columns * width, "y": index / columns * height, "w": width, "h": height });
            if let Some(element) = self.element(item) {
                out.push(panel(element, place, below(item, &["spec", "repeat"])));
            }
        }
        out
    }
}

/// An element as a panel at this place.
fn panel(element: &Value, place: Value, repeat: &Value) -> Value {
    let spec = at(element, "spec");
    let mut out = Map::new();
    let mut set = |key: &str, value: Value| {
        if !value.is_null() {
            out.insert(key.to_owned(), value);
        }
    };
    for key in ["id", "title", "description", "links", "libraryPanel"] {
        set(key, at(spec, key).clone());
    }
    set("gridPos", place);
    set("repeat", at(repeat, "value").clone());
    set("maxPerRow", at(repeat, "maxPerRow").clone());
    set("repeatDirection", at(repeat, "direction").clone());
    match word(at(element, "kind")) {
        "Panel" => {
            let viz = at(spec, "vizConfig");
            let group = text(at(viz, "group"))
                .or_else(|| text(at(viz, "kind")).filter(|kind| **kind != *"VizConfig"));
            set("type", json!(group.as_deref().unwrap_or("")));
            set("options", below(viz, &["spec", "options"]).clone());
            set("fieldConfig", below(viz, &["spec", "fieldConfig"]).clone());
            let data = below(spec, &["data", "spec"]);
            let queries: Vec<Value> = list(at(data, "queries")).iter().map(query).collect();
            let named = queries.iter().map(|query| at(query, "datasource")).collect::<Vec<_>>();
            let is_one = named.windows(2).all(|pair| pair.first() == pair.get(1));
            let of_panel = match named.first() {
                Some(first) if is_one => (*first).clone(),
                Some(_) => json!({ "uid": super::queries::MIXED }),
                None => Value::Null,
            };
            set("datasource", of_panel);
            set("targets", Value::Array(queries));
            set(
                "transformations",
                Value::Array(list(at(data, "transformations")).iter().map(transformation).collect()),
            );
            let options = at(data, "queryOptions");
            for key in ["maxDataPoints", "interval", "timeFrom", "timeShift"] {
                set(key, at(options, key).clone());
            }
        }
        "LibraryPanel" => set("type", json!("library-panel-ref")),
        _ => set("type", json!("")),
    }
    Value::Object(out)
}

fn query(panel_query: &Value) -> Value {
    let spec = at(panel_query, "spec");
    let query = at(spec, "query");
    let mut out = at(query, "spec").as_object().cloned().unwrap_or_default();
    out.insert("refId".to_owned(), at(spec, "refId").clone());
    out.insert("hide".to_owned(), at(spec, "hidden").clone());
    out.insert("datasource".to_owned(), source(query, at(spec, "datasource")));
    Value::Object(out)
}

/// The data source: `group` and `datasource.name` since `v2beta1`, `kind` and `datasource` before.
fn source(query: &Value, outer: &Value) -> Value {
    let kind =
        text(at(query, "group")).or_else(|| text(at(query, "kind")).filter(|kind| **kind != *"DataQuery"));
    let named = at(query, "datasource");
    let uid =
        [at(named, "name"), at(named, "uid"), at(outer, "uid"), at(outer, "name")].into_iter().find_map(text);
    let kind = text(at(outer, "type")).or(kind);
    json!({ "type": kind.as_deref(), "uid": uid.as_deref() })
}

fn transformation(step: &Value) -> Value {
    let spec = at(step, "spec");
    let id = text(at(spec, "id")).or_else(|| text(at(step, "group"))).or_else(|| text(at(step, "kind")));
    json!({
        "id": id.as_deref(),
        "disabled": at(spec, "disabled"),
        "filter": at(spec, "filter"),
        "topic": at(spec, "topic"),
        "options": at(spec, "options"),
    })
}

fn variable(json: &Value) -> Value {
    let spec = at(json, "spec");
    let mut out = spec.as_object().cloned().unwrap_or_default();
    let kind = match word(at(json, "kind")) {
        "QueryVariable" => "query",
        "CustomVariable" => "custom",
        "DatasourceVariable" => "datasource",
        "IntervalVariable" => "interval",
        "ConstantVariable" => "constant",
        "TextVariable" => "textbox",
        "AdhocVariable" => "adhoc",
        "GroupByVariable" => "groupby",
        "SwitchVariable" => "switch",
        other => other,
    };
    out.insert("type".to_owned(), json!(kind));
    match kind {
        "query" => {
            let query = at(spec, "query");
            out.insert("datasource".to_owned(), source(query, at(spec, "datasource")));
            let inner = at(query, "spec");
            // a text that an older version had is kept in `__legacyStringValue`
            let text =
                at(inner, "__legacyStringValue").as_str().map_or_else(|| inner.clone(), |text| json!(text));
            out.insert("query".to_owned(), text);
        }
        "datasource" => {
            out.insert("query".to_owned(), at(spec, "pluginId").clone());
        }
        "adhoc" => {
            let named = at(spec, "datasource");
            let outer = if named.is_object() { named } else { at(json, "datasource") };
            out.insert("datasource".to_owned(), source(json, outer));
        }
        _ => {}
    }
    Value::Object(out)
}
