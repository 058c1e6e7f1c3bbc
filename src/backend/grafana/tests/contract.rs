//! The vendor's API description: every request is valid by it, and every example of it is read without loss.

use serde_json::Value;

use super::*;
use crate::backend::kit::double::ReceivedRequest;
use crate::backend::kit::tests::contract::{Description, without_loss};

/// Parameters of the rules that are newer than the description; older versions ignore them.
const NEWER: [&str; 7] =
    ["state", "health", "limit_alerts", "limit_rules", "group_limit", "rule_limit", "group_next_token"];
/// Paths that Grafana documents elsewhere.
const ELSEWHERE: [&str; 2] = ["/api/health", "/api/access-control/user/permissions"];

#[tokio::test]
async fn every_question_is_valid_by_the_vendors_description() {
    let Some(description) = Description::find("grafana") else { return };
    let rules = vec![RuleOf::new(1, &["Alerting"]), RuleOf::new(2, &["NoData"])];
    let double = GrafanaDouble::start(GrafanaState { rules, dashboards: 1, ..GrafanaState::default() }).await;
    double.state().fault = Some(("/api/datasources", CannedResponse::json("[]")));
    let source = double.source();
    let since = "2027-01-01T00:00:00Z".parse().unwrap();
    for query in [
        Query::Probe,
        Query::Rules,
        Query::Alerts,
        Query::Silences,
        Query::Changes { since },
        Query::DataSources,
        Query::Dashboards,
    ] {
        source.answer(&query.now(), None).await.unwrap();
    }
    let asked = double.double.asked();
    assert!(asked.len() >= 12, "{}", asked.len());
    let described = asked.iter().filter(|asked| !ELSEWHERE.contains(&&*asked.path)).map(|asked| {
        let parameters =
            asked.parameters.iter().filter(|(name, _)| !NEWER.contains(&&**name)).cloned().collect();
        ReceivedRequest { parameters, ..asked.clone() }
    });
    let failures: Vec<_> = described.filter_map(|asked| description.failure(&asked)).collect();
    assert_eq!(failures, Vec::<String>::new());
}

/// The examples of a path; Swagger 2 has them beside the schema.
fn examples(path: &str) -> Vec<Value> {
    let Some(spec) = crate::backend::kit::tests::contract::recorded("specs/grafana.json") else {
        return Vec::new();
    };
    let responses = spec["paths"][path]["get"]["responses"].as_object().unwrap().clone();
    let found = responses.values().map(|response| response["examples"]["application/json"].clone());
    found.filter(|example| !example.is_null()).collect()
}

#[tokio::test]
async fn every_example_of_the_description_is_read_without_loss() {
    let since = "2026-01-01T00:00:00Z".parse().unwrap();
    for (path, query, keys) in [
        ("/api/prometheus/grafana/api/v1/rules", Query::Rules, &["name", "service", "lastError"][..]),
        ("/api/alertmanager/grafana/api/v2/alerts", Query::Alerts, &["alertname", "summary", "name"]),
        (
            "/api/alertmanager/grafana/api/v2/silences",
            Query::Silences,
            &["id", "comment", "createdBy", "value"],
        ),
        ("/api/annotations", Query::Changes { since }, &["login"]),
        ("/api/datasources", Query::DataSources, &["uid", "name", "type"]),
        ("/api/search", Query::Dashboards, &["folderTitle"]),
    ] {
        for example in examples(path) {
            let double = GrafanaDouble::start(GrafanaState::default()).await;
            double.state().fault = Some((path, CannedResponse::json(&example.to_string())));
            let source = double.source();
            let reply = ask(&source, query.clone()).await;
            let mut example = example;
            if path.ends_with("rules") {
                // groups and rules that neither fire nor fail are not listed
                example["data"]["groups"].as_array_mut().unwrap().retain(|group| group["name"] == "checkout");
            }
            without_loss(&example, keys, &format!("{:?}", reply.answer));
        }
    }
}
