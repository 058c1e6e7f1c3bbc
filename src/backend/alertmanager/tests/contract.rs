//! The vendor's API description and recorded answers of real servers.

use super::*;

#[tokio::test]
async fn every_question_is_valid_by_the_vendors_description() {
    let Some(description) = Description::find("alertmanager") else { return };
    let double = Double::start(|asked| match asked.path.rsplit('/').next() {
        Some("status") => CannedResponse::json(r#"{"versionInfo": {"version": "0.28.0"}}"#),
        Some("groups") => CannedResponse::new(404, "text/plain", "404 page not found"),
        _ => CannedResponse::json("[]"),
    })
    .await;
    let source = connected(&double.source("alertmanager"), &Settings::default());
    for query in [Query::Probe, Query::Alerts, Query::Silences] {
        source.answer(&query.now(), None).await.unwrap();
    }
    let asked = double.asked();
    assert_eq!(asked.len(), 5);
    let failures: Vec<_> = asked.iter().filter_map(|asked| description.failure(asked)).collect();
    assert_eq!(failures, Vec::<String>::new());
}

#[tokio::test]
async fn recorded_answers_of_real_servers_are_understood() {
    let Some(shared) = shared() else { return };
    let recorded = |path: &str| std::fs::read_to_string(shared.join(path)).unwrap();
    let old = "specs/recorded/alertmanager-0.25";
    for path in [
        &format!("{old}/alerts-groups.json"),
        "corpus/alertmanager/api/0.27.0-alerts-groups.json",
        "corpus/alertmanager/api/0.31.0-alerts-groups.json",
    ] {
        let alerts = alerts(&recorded(path)).await;
        assert!(alerts.len() > 3, "{path}");
        for alert in &alerts {
            assert_eq!(alert.fingerprint, Fingerprint::of(&alert.labels), "{path}: {}", alert.labels);
            assert!(!alert.receivers.is_empty() && alert.starts_at > at("2020-01-01T00:00:00Z"), "{alert:?}");
        }
    }
    for path in [
        &format!("{old}/silences.json"),
        "corpus/alertmanager/api/0.27.0-silences.json",
        "corpus/alertmanager/api/0.31.0-silences.json",
    ] {
        for silence in silences(&recorded(path)).await {
            assert!(
                !silence.matchers.is_empty() && silence.ends_at > silence.starts_at,
                "{path}: {silence:?}"
            );
        }
    }
    assert!(!read(&recorded(&format!("{old}/alerts.json")), AlertListShape::Flat).is_empty());
}
