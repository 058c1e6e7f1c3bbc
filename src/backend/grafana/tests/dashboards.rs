//! One dashboard, and the lists of dashboards and data sources.

use serde_json::{Value, json};

use super::*;
use crate::model::dashboard::panel::PanelKind;
use crate::model::dashboard::{Dashboard, DataSource};

async fn dashboard(source: &Grafana, uid: &str) -> Result<Arc<Dashboard>, String> {
    let reply = source.answer(&Query::Dashboard { uid: uid.into() }.now(), None).await;
    match reply.map_err(|error| error.to_string())?.answer {
        Answer::Dashboard(dashboard) => Ok(dashboard),
        other => panic!("{other:?}"),
    }
}

async fn serving(pages: &[(&str, Value)]) -> GrafanaDouble {
    let pages = pages.iter().map(|(path, page)| ((*path).to_owned(), page.clone())).collect();
    GrafanaDouble::start(GrafanaState { pages, ..GrafanaState::default() }).await
}

fn classic() -> Value {
    json!({ "meta": { "url": "/d/checkout/checkout-overview", "folderTitle": "Shop", "isStarred": true },
            "dashboard": { "uid": "checkout", "title": "Checkout", "schemaVersion": 39, "panels": [
        { "id": 1, "type": "timeseries", "title": "Errors", "gridPos": { "x": 0, "y": 0, "w": 12, "h": 8 },
          "targets": [{ "refId": "A", "expr": "up" }] },
        { "id": 2, "title": "Shared", "gridPos": { "x": 12, "y": 0, "w": 12, "h": 8 },
          "libraryPanel": { "uid": "lib-1", "name": "Shared" } },
        { "id": 3, "title": "Lost", "gridPos": { "x": 0, "y": 8, "w": 12, "h": 8 },
          "libraryPanel": { "uid": "lib-2", "name": "Lost" } },
    ] } })
}

#[tokio::test]
async fn a_dashboard_is_read_with_its_library_panels_and_what_is_missing_is_noted() {
    let model =
        json!({ "type": "stat", "title": "Shared", "targets": [{ "refId": "A", "expr": "sum(up)" }] });
    let double = serving(&[
        ("/api/dashboards/uid/checkout", classic()),
        ("/api/library-elements/lib-1", json!({ "result": { "uid": "lib-1", "model": model } })),
    ])
    .await;
    let read = dashboard(&double.source(), "checkout").await.unwrap();
    let entry = &read.entry;
    assert_eq!((&*entry.title, entry.folder.as_deref(), entry.is_starred), ("Checkout", Some("Shop"), true));
    assert_eq!(entry.url.as_deref(), Some(&*format!("{}/d/checkout/checkout-overview", double.double.url)));
    let panels: Vec<_> = read.sections.iter().flat_map(|section| &section.panels).collect();
    assert_eq!(panels.len(), 3);
    assert!(matches!(panels[0].kind, PanelKind::TimeSeries { .. }), "{:?}", panels[0]);
    assert_eq!(panels[1].queries[0].expression.as_deref(), Some("sum(up)"));
    assert!(
        read.notes.iter().any(|note| note.contains("library panel lib-2 could not be read: 404")),
        "{:?}",
        read.notes
    );
}

#[tokio::test]
async fn where_the_classic_api_has_no_dashboard_the_newer_one_is_asked() {
    let second = json!({ "metadata": { "name": "new", "annotations": {} }, "spec": { "title": "New", "elements": {}, "layout": {
        "kind": "GridLayout", "spec": { "items": [] } } } });
    let path = "/apis/dashboard.grafana.app/v2beta1/namespaces/stacks-7/dashboards/new";
    let double =
        serving(&[(path, second), ("/api/frontend/settings", json!({ "namespace": "stacks-7" }))]).await;
    let source = double.source();
    let read = dashboard(&source, "new").await.unwrap();
    assert_eq!((&*read.entry.title, &*read.entry.uid, read.schema_version), ("New", "new", None));
    let missing = dashboard(&source, "old").await.unwrap_err();
    assert!(missing.contains("404"), "{missing}");
}

#[tokio::test]
async fn a_dashboard_that_is_none_a_forbidden_one_and_a_strange_uid_are_told() {
    let double = serving(&[("/api/dashboards/uid/odd", json!({ "dashboard": [7] }))]).await;
    let source = double.source();
    assert!(dashboard(&source, "odd").await.unwrap_err().contains("not a dashboard"));
    dashboard(&source, "../../admin?x=1#y").await.unwrap_err();
    assert!(
        double
            .double
            .asked()
            .iter()
            .all(|asked| !asked.path.starts_with("/api/admin") && asked.query.is_empty())
    );
    let refused = CannedResponse::new(403, "application/json", r#"{"message":"Access denied"}"#);
    double.state().fault = Some(("/api/dashboards", refused));
    assert!(dashboard(&source, "checkout").await.unwrap_err().contains("dashboards:read"));
}

#[tokio::test]
async fn an_empty_list_of_dashboards_says_that_the_right_is_missing() {
    let double = GrafanaDouble::start(GrafanaState { dashboards: 3, ..GrafanaState::default() }).await;
    double.state().lacks.insert("dashboards:read");
    let Answer::Dashboards(list) = ask(&double.source(), Query::Dashboards).await.answer else { panic!() };
    assert!(list.entries.is_empty() && list.notes[0].contains("dashboards:read"), "{:?}", list.notes);
}

async fn data_sources(source: &Grafana) -> Vec<DataSource> {
    let Answer::DataSources(list) = ask(source, Query::DataSources).await.answer else { panic!() };
    list
}

#[tokio::test]
async fn data_sources_say_whether_they_may_be_queried_and_are_found_without_the_right_to_list_them() {
    let list = json!([
        { "uid": "p1", "name": "prom", "type": "prometheus", "isDefault": true, "jsonData": { "timeInterval": "15s" } },
        { "uid": "l1", "name": "loki", "type": "loki", "jsonData": 7 },
    ]);
    let rights =
        json!({ "datasources:query": ["datasources:uid:p1"], "datasources:read": ["datasources:*"] });
    let settings = json!({ "datasources": {
        "prom": { "uid": "p1", "name": "prom", "type": "prometheus", "isDefault": true, "jsonData": { "timeInterval": "15s" } },
        "-- Grafana --": { "uid": "grafana", "name": "-- Grafana --", "type": "datasource" },
        "-- Mixed --": { "uid": "-- Mixed --", "name": "-- Mixed --", "type": "datasource" }, "odd": 7 } });
    let double =
        serving(&[("/api/datasources", list), ("/api/access-control/user/permissions", rights)]).await;
    let found = data_sources(&double.source()).await;
    let told: Vec<_> =
        found.iter().map(|one| (&*one.uid, &*one.kind, one.is_default, one.may_query)).collect();
    assert_eq!(told, [("p1", "prometheus", true, Some(true)), ("l1", "loki", false, Some(false))]);
    assert_eq!(found[0].interval.as_deref(), Some("15s"));
    double.state().lacks.insert("datasources:read");
    double.state().pages.insert("/api/frontend/settings".into(), settings);
    let found = data_sources(&double.source()).await;
    assert_eq!(found.iter().map(|one| (&*one.uid, one.may_query)).collect::<Vec<_>>(), [("p1", Some(true))]);
}
