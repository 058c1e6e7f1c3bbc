//! The second schema, library panels, and texts.

use serde_json::json;

use super::super::{html, library_panel};
use super::{kind_name, of, only, titles};
use crate::model::dashboard::panel::PanelKind;
use crate::model::dashboard::variable::{VariableKind, VariableSort, VariableVisibility};

#[test]
fn the_second_schema_is_read_with_its_layouts() {
    let element = |id: u32, title: &str| {
        json!({ "kind": "Panel", "spec": { "id": id, "title": title, "links": [],
            "data": { "kind": "QueryGroup", "spec": { "queries": [{ "kind": "PanelQuery", "spec": { "refId": "A", "hidden": false,
                "query": { "kind": "DataQuery", "group": "prometheus", "version": "v0", "datasource": { "name": "p1" }, "spec": { "expr": "up" } } } }],
                "transformations": [{ "kind": "limit", "spec": { "id": "limit", "options": { "limitField": 3 } } }],
                "queryOptions": { "maxDataPoints": 50 } } },
            "vizConfig": { "kind": "VizConfig", "group": "stat", "spec": { "options": {}, "fieldConfig": { "defaults": { "unit": "s" }, "overrides": [] } } } } })
    };
    let item = |name: &str| json!({ "kind": "GridLayoutItem", "spec": { "x": 0, "y": 0, "width": 8, "height": 5, "element": { "kind": "ElementReference", "name": name } } });
    let grid = |name: &str| json!({ "kind": "GridLayout", "spec": { "items": [item(name)] } });
    let rows = json!({ "kind": "RowsLayout", "spec": { "rows": [
        { "kind": "RowsLayoutRow", "spec": { "title": "Row 1", "collapse": true, "repeat": { "mode": "variable", "value": "ns" }, "layout": grid("b") } },
    ] } });
    let auto = json!({ "kind": "AutoGridLayout", "spec": { "maxColumnCount": 2, "items": [
        { "kind": "AutoGridLayoutItem", "spec": { "element": { "kind": "ElementReference", "name": "a" }, "repeat": { "mode": "variable", "value": "pod" } } },
        { "kind": "AutoGridLayoutItem", "spec": { "element": { "kind": "ElementReference", "name": "c" } } },
    ] } });
    let dashboard = of(
        &json!({ "apiVersion": "dashboard.grafana.app/v2beta1", "kind": "Dashboard", "metadata": { "name": "u2" }, "spec": {
        "title": "Second", "elements": { "a": element(1, "A"), "b": element(2, "B"), "c": element(3, "C"), "d": element(4, "D") },
        "layout": { "kind": "TabsLayout", "spec": { "tabs": [
            { "kind": "TabsLayoutTab", "spec": { "title": "Tab", "layout": rows } }, { "kind": "TabsLayoutTab", "spec": { "title": "Other", "layout": auto } },
        ] } },
        "timeSettings": { "from": "now-1h", "to": "now" },
        "variables": [{ "kind": "QueryVariable", "spec": { "name": "ns", "current": { "value": "a" }, "sort": "alphabeticalDesc", "hide": "hideLabel",
            "query": { "kind": "DataQuery", "group": "prometheus", "datasource": { "name": "p1" }, "spec": { "query": "label_values(ns)", "refId": "v" } } } }],
    } }),
    );
    assert_eq!((dashboard.schema_version, &*dashboard.from, &*dashboard.entry.uid), (None, "now-1h", "u2"));
    let expected = vec![(Some("Tab / Row 1"), true, vec!["B"]), (Some("Other"), false, vec!["A", "C", "D"])];
    assert_eq!(titles(&dashboard.sections), expected, "an element without a place is last");
    let a = &dashboard.sections[1].panels[0];
    assert_eq!((a.options.unit.as_deref(), a.place.width, a.max_points), (Some("s"), 12, Some(50)));
    assert_eq!(a.repeat.as_ref().map(|repeat| &*repeat.variable), Some("pod"));
    assert_eq!(
        (a.queries[0].data_source.uid.as_deref(), a.queries[0].expression.as_deref()),
        (Some("p1"), Some("up"))
    );
    assert_eq!(dashboard.sections[1].panels[1].place.x, 12);
    let variable = &dashboard.variables[0];
    assert!(
        matches!(&variable.kind, VariableKind::Query { query, sort: VariableSort::Alphabetical { is_descending: true }, .. } if &**query == "label_values(ns)")
    );
    assert_eq!(variable.visibility, VariableVisibility::WithoutLabel);
}

#[test]
fn library_panels_take_their_content_and_say_if_it_is_missing() {
    let reference = json!({ "id": 7, "gridPos": { "x": 3, "y": 0, "w": 9, "h": 4 }, "title": "", "libraryPanel": { "uid": "lib", "name": "Errors" } });
    let panel = only(&reference);
    let PanelKind::Unknown { reason, .. } = &panel.kind else { panic!() };
    assert!(reason.contains("Errors"), "{reason}");
    let model = json!({ "type": "gauge", "title": "Errors", "targets": [{ "expr": "x" }], "gridPos": { "w": 1, "h": 1 } });
    let filled = library_panel(&panel, &model);
    assert_eq!(
        (filled.id, filled.place.width, &*filled.title, kind_name(&filled.kind).as_str()),
        (7, 9, "Errors", "Gauge")
    );
    let with = of(&json!({ "panels": [reference], "__elements": { "lib": { "model": model } } }));
    assert_eq!(kind_name(&with.sections[0].panels[0].kind), "Gauge");
}

#[test]
fn html_becomes_markdown_without_programs() {
    for (html, markdown) in [
        (
            "<h2>On call</h2><p>See <a href=\"https://x.example/a b\">the <b>page</b></a>.</p>",
            "## On call\n\nSee [the **page**](https://x.example/a%20b).",
        ),
        ("<ul><li>one</li><li>two<ol><li>in</li></ol></li></ul>", "- one\n- two\n  1. in"),
        ("a<script>alert(1)</script>b<style>x{}</style>", "ab"),
        ("<a href='javascript:evil()'>text</a>", "text"),
        ("5 &lt; 6 &amp; &#65;&#x42; &nope; 2 * 3", "5 < 6 & AB &nope; 2 \\* 3"),
        ("<img src=x alt=\"logo\"> x < y", "logo x < y"),
        ("<!-- hidden --> shown", "shown"),
        ("<pre>a\n  b</pre>", "```\na\n  b\n```"),
    ] {
        assert_eq!(html::to_markdown(html), markdown, "{html}");
    }
    assert_eq!(html::in_markdown("# A\n\n- $x < 5"), "# A\n\n- $x < 5");
    assert_eq!(html::in_markdown("# A\n<center>**b**</center>"), "# A\n\n**b**");
}
