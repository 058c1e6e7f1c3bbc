mod old;
mod published;
mod second;

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::model::dashboard::DashboardSection;
use crate::model::dashboard::field::{FieldMatcher, Reducer};
use crate::model::dashboard::panel::{LegendOptions, PanelKind};
use crate::model::dashboard::variable::{VariableKind, VariableSort, VariableVisibility};
use crate::model::tests::shared::shared;

/// All published dashboards, by path.
fn corpus() -> Vec<(String, String)> {
    let Some(shared) = shared() else { return Vec::new() };
    let root = shared.join("corpus/dashboards");
    let mut folders = vec![root.clone()];
    let mut files: Vec<PathBuf> = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.path().is_dir() { folders.push(entry.path()) } else { files.push(entry.path()) }
        }
    }
    files.sort();
    let read = |path: PathBuf| {
        (path.strip_prefix(&root).unwrap().display().to_string(), fs::read_to_string(&path).unwrap())
    };
    files.into_iter().map(read).collect()
}

/// The dashboard of a value, which is one.
pub(super) fn of(json: &Value) -> Dashboard {
    dashboard_of(json).unwrap()
}

/// The only panel of a dashboard with this panel.
pub(super) fn only(panel: &Value) -> Panel {
    let dashboard = of(&json!({ "title": "t", "schemaVersion": 39, "panels": [panel] }));
    (*dashboard.sections[0].panels[0]).clone()
}

fn kind_name(kind: &PanelKind) -> String {
    let text = format!("{kind:?}");
    text.split([' ', '{']).next().unwrap().to_owned()
}

fn legend_text(legend: &LegendOptions) -> String {
    if !legend.is_shown {
        return "hidden".to_owned();
    }
    let mut text = (if legend.is_table { "table" } else { "list" }).to_owned();
    text.push_str(if legend.is_right { "-right" } else { "" });
    legend.values.iter().fold(text, |text, reducer| text + ":" + id(*reducer))
}

fn id(reducer: Reducer) -> &'static str {
    let ids = ["lastNotNull", "last", "first", "min", "max", "mean", "sum", "count", "range", "delta"];
    ids.into_iter().find(|id| Reducer::from_id(id) == Some(reducer)).unwrap()
}

#[test]
fn every_published_dashboard_is_read_and_each_panel_has_a_kind_or_a_reason() {
    for (name, json) in corpus() {
        let dashboard = dashboard(&json).unwrap();
        let mut ids = Vec::new();
        for panel in dashboard.sections.iter().flat_map(|section| &section.panels) {
            ids.push(panel.id);
            match &panel.kind {
                PanelKind::Unknown { reason, plugin } => assert!(!reason.is_empty(), "{name} {plugin}"),
                PanelKind::Words { content, .. } => assert!(!content.is_empty(), "{name} {}", panel.id),
                PanelKind::AlertList { .. } | PanelKind::DashboardList => {}
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
                | PanelKind::Logs { .. } => {
                    let is_said = panel.notes.iter().any(|note| note.contains("no query"));
                    assert!(is_said == panel.queries.is_empty(), "{name} {}: no query", panel.id);
                }
            }
            for query in &panel.queries {
                let json: Value = serde_json::from_str(&query.json).unwrap();
                assert_eq!(json["refId"], *query.ref_id, "{name} {}", panel.id);
            }
        }
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count, "{name}: each panel has an id of its own");
        assert!(!dashboard.entry.title.is_empty());
    }
}

#[test]
fn panels_of_published_dashboards_are_read_as_their_json_says() {
    let corpus = corpus();
    if corpus.is_empty() {
        return;
    }
    let mut checked = 0;
    for line in published::PANELS.lines() {
        let [file, panel, kind, unit, legend, thresholds] =
            line.split('|').collect::<Vec<_>>().try_into().unwrap();
        let (_, json) = corpus.iter().find(|(name, _)| name == file).unwrap();
        let dashboard = dashboard(json).unwrap();
        let panels = dashboard.sections.iter().flat_map(|section| &section.panels);
        let panel = panels.into_iter().find(|one| one.id.to_string() == panel).unwrap();
        let what = format!("{file} {} {}", panel.id, panel.title);
        assert_eq!(kind_name(&panel.kind), kind, "{what}");
        assert_eq!(panel.options.unit.as_deref().unwrap_or(""), unit, "{what}");
        let shown = match &panel.kind {
            PanelKind::TimeSeries { legend } => legend_text(legend),
            PanelKind::Stat { reduce, .. }
            | PanelKind::Gauge { reduce }
            | PanelKind::BarGauge { reduce, .. } => format!(":{}", id(reduce.reducer)),
            _ => String::new(),
        };
        assert_eq!(shown, legend, "{what}");
        let steps = panel.options.thresholds.iter().flat_map(|thresholds| &thresholds.steps);
        let read: Vec<_> = steps.map(|step| (step.from, Some(step.colour))).collect();
        let wanted: Vec<_> = split_steps(thresholds)
            .into_iter()
            .map(|(from, colour)| (from.parse::<f64>().ok(), colours::colour(colour)))
            .collect();
        assert_eq!(read, wanted, "{what}");
        checked += 1;
    }
    assert!(checked >= 100, "{checked} panels");
}

/// `base=green 80=rgba(1, 2, 3, 0.9)` as pairs.
fn split_steps(text: &str) -> Vec<(&str, &str)> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((from, after)) = rest.split_once('=') {
        let end = if after.starts_with("rgb") {
            after.find(')').unwrap() + 1
        } else {
            after.find(' ').unwrap_or(after.len())
        };
        let (colour, behind) = after.split_at(end);
        out.push((from.trim(), colour));
        rest = behind.trim_start();
    }
    out
}

/// Replaces or removes the `n`th value inside a JSON value.
fn mutate(value: &mut Value, n: &mut usize, with: Option<&Value>) -> bool {
    match value {
        Value::Object(fields) => {
            let keys: Vec<String> = fields.keys().cloned().collect();
            for key in keys {
                if *n == 0 {
                    match with {
                        Some(with) => drop(fields.insert(key, with.clone())),
                        None => drop(fields.remove(&key)),
                    }
                    return true;
                }
                *n -= 1;
                if mutate(fields.get_mut(&key).unwrap(), n, with) {
                    return true;
                }
            }
            false
        }
        Value::Array(items) => items.iter_mut().any(|item| {
            if *n == 0 {
                *item = with.cloned().unwrap_or_default();
                return true;
            }
            *n -= 1;
            mutate(item, n, with)
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

#[test]
fn a_published_dashboard_with_any_value_removed_or_of_another_type_is_read_or_refused() {
    let others = [
        None,
        Some(Value::Null),
        Some(json!(-1e300)),
        Some(json!("x\u{1b}[2J")),
        Some(json!([])),
        Some(json!({})),
        Some(json!(true)),
    ];
    for (_, text) in corpus() {
        let original: Value = serde_json::from_str(&text).unwrap();
        // each place once would take minutes
        for (round, place) in (0..20).map(|i| i * i * 60 + i).enumerate() {
            let mut value = original.clone();
            mutate(&mut value, &mut place.clone(), others[round % others.len()].as_ref());
            drop(dashboard_of(&value));
        }
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let keys = "type|panels|rows|gridPos|targets|options|fieldConfig|defaults|overrides|matcher|properties|id|value|thresholds|steps|\
        templating|list|name|query|current|elements|layout|kind|spec|items|libraryPanel|repeat|transformations|legend|title|yaxes|mappings|\
        x|y|w|h|span|height|datasource|uid|expr|refId|panelId|custom|styles|valueMaps|dashboard|meta|__inputs|color|mode|content";
    let words = "row|graph|stat|timeseries|table|text|heatmap|singlestat|value|range|byName|query|custom|RowsLayout|TabsLayout|GridLayout|\
        -- Dashboard --|\\$\\{a\\}|#ff0000|rgba\\(1,2,3,0\\.1\\)|html|<b>x</b>|5,10|250px|organize|reduce|calculateField|1|-3";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        words.prop_map(Value::from),
    ];
    leaf.prop_recursive(7, 96, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map(keys, inner, 0..8).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_is_read_or_refused(panels in prop::collection::vec(any_json(), 0..4), other in any_json()) {
        drop(dashboard_of(&json!({ "panels": panels, "templating": other })));
        drop(dashboard_of(&json!({ "rows": [{ "panels": panels, "title": other, "collapse": true }] })));
        drop(dashboard_of(&json!({ "spec": { "elements": { "a": other }, "layout": { "kind": "RowsLayout", "spec": { "rows": panels } } } })));
        drop(dashboard_of(&other));
    }

    #[test]
    fn any_html_becomes_a_text(text in "(<[a-z/!\\-]{0,8}[ =\"'a-z]{0,9}>|&[a-z#0-9]{0,5};|[^<]{0,12}|<){0,20}") {
        drop(html::to_markdown(&text));
        drop(html::in_markdown(&text));
    }
}

#[test]
fn what_is_no_dashboard_says_why() {
    for (json, why) in [
        ("", "not JSON"),
        ("{\"panels\": [", "not JSON"),
        ("[]", "not a dashboard: the JSON is not an object"),
        ("{}", "not a dashboard: it has neither panels nor rows nor elements"),
        ("{\"kind\": \"Folder\", \"spec\": {\"title\": \"x\"}}", "neither panels"),
    ] {
        let error = dashboard(json).unwrap_err().to_string();
        assert!(error.contains(why), "{json}: {error}");
    }
}

#[test]
fn wrappers_give_uid_folder_url_and_star() {
    let inner = json!({ "title": "API", "uid": "abc", "panels": [], "tags": ["a"] });
    let meta = json!({ "folderTitle": "Team", "url": "/d/abc", "isStarred": true });
    let entry = of(&json!({ "dashboard": inner, "meta": meta })).entry;
    assert_eq!(
        (&*entry.uid, entry.folder.as_deref(), entry.url.as_deref()),
        ("abc", Some("Team"), Some("/d/abc"))
    );
    assert!(entry.is_starred);
    let wrapped = json!({ "kind": "Dashboard", "apiVersion": "dashboard.grafana.app/v1beta1",
        "metadata": { "name": "def", "annotations": { "grafana.app/folder": "f1" } }, "spec": { "title": "B", "panels": [] } });
    let entry = of(&wrapped).entry;
    assert_eq!((&*entry.uid, entry.folder.as_deref()), ("def", Some("f1")));
}

fn titles(sections: &[DashboardSection]) -> Vec<(Option<&str>, bool, Vec<&str>)> {
    sections
        .iter()
        .map(|section| {
            let panels = section.panels.iter().map(|panel| &*panel.title).collect();
            (section.title.as_deref(), section.is_collapsed, panels)
        })
        .collect()
}

#[test]
fn rows_take_the_panels_after_them_and_collapsed_rows_those_inside() {
    let panel = |title: &str, y: u32| json!({ "type": "stat", "title": title, "gridPos": { "x": 0, "y": y, "w": 6, "h": 4 } });
    let row = |title: &str, y: u32, collapsed: bool, inside: Vec<Value>| json!({ "type": "row", "title": title, "collapsed": collapsed, "gridPos": { "y": y }, "panels": inside, "repeat": "ns" });
    let dashboard = of(&json!({ "panels": [
        row("second", 20, true, vec![panel("c", 21), panel("d", 25)]), panel("b", 11), row("first", 10, false, vec![]), panel("a", 0),
    ]}));
    let expected = vec![
        (None, false, vec!["a"]),
        (Some("first"), false, vec!["b"]),
        (Some("second"), true, vec!["c", "d"]),
    ];
    assert_eq!(titles(&dashboard.sections), expected);
    assert_eq!(dashboard.sections[1].repeat.as_deref(), Some("ns"));
}

#[test]
fn panels_of_other_panels_get_their_queries_and_circles_are_said() {
    let source = json!({ "uid": "-- Dashboard --" });
    let shows = |id: u32, of: u32| json!({ "id": id, "type": "stat", "datasource": source, "targets": [{ "refId": "A", "panelId": of, "withTransforms": true }] });
    let first = json!({ "id": 1, "type": "table", "datasource": { "type": "prometheus", "uid": "p" },
        "targets": [{ "expr": "up", "refId": "Q" }], "transformations": [{ "id": "merge", "options": {} }] });
    let dashboard =
        of(&json!({ "panels": [first, shows(2, 1), shows(3, 2), shows(4, 5), shows(5, 4), shows(6, 99)] }));
    let panels = &dashboard.sections[0].panels;
    let expressions = |index: usize| panels[index].queries[0].expression.as_deref();
    assert_eq!((expressions(1), expressions(2)), (Some("up"), Some("up")));
    assert_eq!(panels[1].transformations.len(), 1);
    assert_eq!(panels[1].data_source.uid.as_deref(), Some("p"));
    for index in [3, 4, 5] {
        assert!(
            panels[index].notes.iter().any(|note| note.contains("which this dashboard does not have")),
            "{index}"
        );
    }
}

#[test]
fn data_sources_are_read_in_all_their_forms() {
    let inputs = Inputs::of(
        &json!({ "__inputs": [{ "name": "DS_PROM", "type": "datasource", "pluginId": "prometheus" }] }),
    );
    for (json, kind, uid) in [
        (json!(null), None, None),
        (json!("default"), None, None),
        (json!("Prometheus 1"), None, Some("Prometheus 1")),
        (json!("${DS_PROM}"), Some("prometheus"), None),
        (json!("$datasource"), None, Some("$datasource")),
        (json!({ "type": "loki", "uid": "${ds}" }), Some("loki"), Some("${ds}")),
        (json!({ "type": "prometheus", "uid": "${DS_PROM}" }), Some("prometheus"), None),
        (json!("-- Mixed --"), None, Some("-- Mixed --")),
        (json!({ "type": "datasource", "uid": "grafana" }), None, Some("-- Grafana --")),
        (json!({ "type": "__expr__", "uid": "-100" }), Some("__expr__"), Some("__expr__")),
        (json!(17), None, None),
        (json!([1]), None, None),
    ] {
        let read = queries::data_source(&json, &inputs);
        assert_eq!((read.kind.as_deref(), read.uid.as_deref()), (kind, uid), "{json}");
    }
}

#[test]
fn variables_are_read_with_their_values_and_constants_of_the_import() {
    let dashboard = of(
        &json!({ "panels": [], "__inputs": [{ "name": "VAR_X", "type": "constant", "value": "42" }], "templating": { "list": [
        { "name": "ns", "type": "query", "query": { "query": "label_values(up, ns)", "refId": "A" }, "regex": "/a.*/", "sort": 5, "refresh": 2,
          "multi": true, "includeAll": true, "allValue": ".*", "current": { "value": ["$__all"] }, "hide": 2 },
        { "name": "c", "type": "custom", "query": "one : 1, two\\,three, 4", "current": { "value": "1" } },
        { "name": "x", "type": "constant", "query": "${VAR_X}" },
        { "name": "i", "type": "interval", "query": "1m,'5m', 1h", "auto": true, "auto_count": 20 },
        { "name": "ds", "type": "datasource", "query": "prometheus", "current": { "value": "${DS_PROMETHEUS}" } },
        { "name": "f", "type": "adhoc", "filters": [{ "key": "job", "operator": "=~", "value": "a" }] },
        { "name": "g", "type": "groupby" },
        { "name": "ns", "type": "constant", "query": "again" },
    ] } }),
    );
    let find = |name: &str| dashboard.variables.iter().find(|variable| *variable.name == *name).unwrap();
    let ns = find("ns");
    let VariableKind::Query { query, regex, sort, follows_time, .. } = &ns.kind else { panic!() };
    assert_eq!((&**query, regex.as_deref(), *follows_time), ("label_values(up, ns)", Some("/a.*/"), true));
    assert_eq!(*sort, VariableSort::CaseInsensitive { is_descending: false });
    assert_eq!((ns.visibility, &*ns.current[0]), (VariableVisibility::Hidden, "$__all"));
    let pairs = |list: &[(&str, &str)]| {
        list.iter().map(|(a, b)| ((*a).into(), (*b).into())).collect::<Vec<(Text, Text)>>()
    };
    assert_eq!(
        find("c").kind,
        VariableKind::Custom { values: pairs(&[("one", "1"), ("two,three", "two,three"), ("4", "4")]) }
    );
    assert_eq!(&*find("x").current[0], "42");
    let VariableKind::Interval { values, auto_count: 20, has_auto: true, .. } = &find("i").kind else {
        panic!()
    };
    assert_eq!(values.iter().map(|value| &**value).collect::<Vec<_>>(), ["1m", "5m", "1h"]);
    assert!(find("ds").current.is_empty());
    assert!(matches!(&find("f").kind, VariableKind::AdHoc { filters, .. } if &*filters[0].op == "=~"));
    assert_eq!(find("g").kind, VariableKind::Other { kind: "groupby".into() });
    assert!(dashboard.notes[0].contains("defined twice"));
}

#[test]
fn a_dashboard_of_too_many_panels_says_so_and_shows_the_first() {
    let panels: Vec<Value> =
        (0..MAX_PANELS + 5).map(|id| json!({ "id": 1, "type": "stat", "title": id.to_string() })).collect();
    let dashboard = of(&json!({ "panels": panels }));
    assert_eq!(dashboard.panels(), MAX_PANELS);
    assert!(dashboard.notes[0].contains("first 2000"));
}

#[test]
fn overrides_are_read_with_all_matchers() {
    let property = json!([{ "id": "custom.hideFrom", "value": { "viz": true, "legend": true } }, { "id": "unit", "value": "s" }, { "id": "custom.thresholdsStyle.mode", "value": "area" }]);
    for (matcher, expected) in [
        (json!({ "id": "byName", "options": "A" }), FieldMatcher::Name("A".into())),
        (json!({ "id": "byRegexp", "options": "/.*x/" }), FieldMatcher::Pattern(".*x".into())),
        (json!({ "id": "byFrameRefID", "options": "B" }), FieldMatcher::RefId("B".into())),
        (
            json!({ "id": "byNames", "options": { "mode": "exclude", "names": ["a"] } }),
            FieldMatcher::Names { names: vec!["a".into()], is_excluded: true },
        ),
        (json!({ "id": "byWhim" }), FieldMatcher::Unknown("byWhim".into())),
    ] {
        let panel = only(
            &json!({ "type": "timeseries", "fieldConfig": { "overrides": [{ "matcher": matcher, "properties": property }] } }),
        );
        assert_eq!(panel.overrides[0].of, expected);
        assert_eq!(panel.overrides[0].options.unit.as_deref(), Some("s"));
        assert!(panel.overrides[0].options.hidden_from.unwrap().picture);
    }
}
