//! The state history as firings.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::model::fingerprint::Fingerprint;
use crate::model::firing::FiringSnapshot;
use crate::model::labels::Labels;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_799_990_000 + second).unwrap()
}

fn history(changes: &[(i64, &str, &str, &str)]) -> Value {
    let times: Vec<i64> = changes.iter().map(|(second, ..)| at(*second).as_millisecond()).collect();
    let lines = changes.iter().map(|(_, instance, before, after)| {
        json!({ "schemaVersion": 1, "previous": before, "current": after, "ruleUID": "r1",
                "labels": { "alertname": "Slow", "instance": instance } })
    });
    json!({ "schema": { "fields": [{ "name": "time" }, { "name": "line" }, { "name": "labels" }] },
            "data": { "values": [times, lines.collect::<Vec<_>>(), []] } })
}

async fn firings(answer: CannedResponse, labels: &[(&str, &str)]) -> Result<FiringSnapshot, String> {
    let double = GrafanaDouble::start(GrafanaState::default()).await;
    double.state().fault = Some(("/api/v1/rules/history", answer));
    let labels: Labels = labels.iter().copied().collect();
    let query =
        Query::Firings { fingerprint: Fingerprint::of(&labels), labels, from: at(0), until: at(1000) };
    let answered = double.source().answer(&query.now(), None).await;
    let asked = double.double.asked();
    assert_eq!(asked[0].parameter("from"), at(0).as_second().to_string());
    match answered.map_err(|error| error.to_string())?.answer {
        Answer::Firings(snapshot) => Ok(snapshot),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn changes_of_state_become_firings() {
    let changes = [
        (100, "a", "Pending", "Alerting"),
        (160, "a", "Alerting", "Recovering"),
        (200, "a", "Recovering", "Normal"),
        (300, "a", "Normal", "Alerting (Error)"),
        (50, "b", "Alerting", "Normal"),
        (60, "b", "Normal", "Pending"),
        (70, "b", "Pending", "Normal (NoData)"),
    ];
    let answer = || CannedResponse::json(&history(&changes).to_string());
    let own = [("alertname", "Slow"), ("instance", "a"), ("__alert_rule_uid__", "r1")];
    let snapshot = firings(answer(), &own).await.unwrap();
    let told: Vec<_> =
        snapshot.firings.iter().map(|one| (one.from, one.to, one.is_open, one.is_about)).collect();
    assert_eq!(told, [(at(100), at(200), false, false), (at(300), at(1000), true, false)]);
    assert!(snapshot.is_whole && snapshot.firings[0].labels == Labels::from_iter(own));
    let all = firings(answer(), &[]).await.unwrap();
    let of_b = all.firings.last().unwrap();
    assert_eq!((all.firings.len(), of_b.from, of_b.to, of_b.is_about), (3, at(0), at(50), true));
}

#[tokio::test]
async fn without_a_history_that_is_said() {
    let absent = CannedResponse::new(404, "application/json", r#"{"message":"not found"}"#);
    assert!(firings(absent, &[]).await.unwrap_err().contains("the state history is not enabled"));
    let empty = firings(CannedResponse::json("{}"), &[]).await.unwrap();
    assert!(empty.firings.is_empty());
}
