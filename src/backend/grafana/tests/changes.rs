//! Annotations as changes.

use serde_json::{Value, json};

use super::*;
use crate::model::change::{ChangeKind, ChangeSnapshot, ChangeState};

fn annotation(id: usize, time: i64) -> Value {
    json!({ "id": id, "alertId": 0, "alertName": "", "dashboardUID": "checkout", "panelId": 0, "userId": 2, "newState": "",
            "prevState": "", "time": time, "timeEnd": time, "text": "<b>Deploy</b> checkout-api 4.12.0",
            "tags": ["deploy", "checkout-api"], "login": "deployer", "data": {} })
}

async fn changes(double: &GrafanaDouble, since: &str) -> (ChangeSnapshot, Vec<String>) {
    let reply = ask(&double.source(), Query::Changes { since: since.parse().unwrap() }).await;
    let warnings = reply.warnings.iter().map(|warning| warning.text.to_string()).collect();
    match reply.answer {
        Answer::Changes(snapshot) => (snapshot, warnings),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn annotations_are_changes_and_those_of_alerts_are_not() {
    let at = 1_799_990_000_000;
    let mut of_alert = annotation(2, at + 1);
    of_alert["alertId"] = 31.into();
    of_alert["newState"] = "Alerting".into();
    let mut region = annotation(3, at + 2000);
    region["timeEnd"] = (at + 3_600_000_000_i64).into();
    let state =
        GrafanaState { annotations: vec![annotation(1, at), of_alert, region], ..GrafanaState::default() };
    let double = GrafanaDouble::start(state).await;
    let (snapshot, warnings) = changes(&double, "2027-01-14T00:00:00Z").await;
    assert_eq!((snapshot.changes.len(), warnings.len()), (2, 0));
    let deploy = &snapshot.changes[0];
    assert_eq!(
        (deploy.kind, &*deploy.title, deploy.state),
        (ChangeKind::Deploy, "Deploy checkout-api 4.12.0", ChangeState::Done)
    );
    assert_eq!((deploy.service.as_deref(), deploy.who.as_deref()), (Some("checkout-api"), Some("deployer")));
    assert_eq!(deploy.at.as_millisecond(), at);
    assert_eq!(deploy.link.as_deref(), Some(&*format!("{}/d/checkout", double.double.url)));
    assert_eq!(snapshot.changes[1].state, ChangeState::Running);
    assert!(!snapshot.changes[1].labels.value("until").is_empty());
    let asked = double.double.asked();
    let asked = asked.iter().find(|asked| asked.path == "/api/annotations").unwrap();
    assert_eq!((asked.parameter("type"), asked.parameter("from")), ("annotation", "1799884800000"));
}

#[tokio::test]
async fn older_annotations_are_read_page_by_page_and_what_is_not_read_is_said() {
    for (count, expected, is_cut) in [(1200, 1200, false), (5000, 1997, true)] {
        let all = (0..count).map(|id| annotation(id, 1_799_990_000_000 - i64::try_from(id).unwrap() * 1000));
        let double =
            GrafanaDouble::start(GrafanaState { annotations: all.collect(), ..GrafanaState::default() })
                .await;
        let (snapshot, warnings) = changes(&double, "2026-12-01T00:00:00Z").await;
        assert_eq!((snapshot.changes.len(), !warnings.is_empty()), (expected, is_cut), "{warnings:?}");
        assert_eq!(snapshot.since > snapshot.wanted, is_cut);
    }
    // so many at one moment that there is no older page
    let all = (0..700).map(|id| annotation(id, 1_799_990_000_000)).collect();
    let double = GrafanaDouble::start(GrafanaState { annotations: all, ..GrafanaState::default() }).await;
    let (snapshot, _) = changes(&double, "2026-12-01T00:00:00Z").await;
    assert!(snapshot.since > snapshot.wanted);
    assert!(double.double.asked().len() <= 5);
}
