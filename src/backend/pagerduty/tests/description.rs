//! Checks against the vendor's API description, if it is on this machine: every request is valid, and every example in the
//! description and every recorded answer is read without loss.

use std::collections::BTreeSet;

use super::*;
use crate::backend::kit::tests::contract::{Description, recorded, without_loss};
use crate::model::ask::Query;

/// An account that answers with the examples of the description.
async fn examples(by_path: Vec<(&'static str, Value)>) -> Double {
    Double::start(move |asked| {
        let example = by_path.iter().find(|(path, _)| *path == asked.path);
        example.map_or_else(|| quiet(asked), |(_, value)| json(value))
    })
    .await
}

#[tokio::test]
async fn every_request_is_valid_by_the_vendors_description() {
    let Some(description) = Description::find("pagerduty") else { return };
    let turn = std::sync::Mutex::new(0);
    let double = Double::start(move |asked| match asked.path.as_str() {
        "/users/me" => refused(400),
        "/incidents" if is_about(asked, "triggered") => {
            // a different incident each time, so that the previous one is looked up
            let mut turn = turn.lock().unwrap();
            *turn += 1;
            let all: Vec<_> = (*turn..*turn + 150).map(|i| incident(&format!("Q{i}"), "triggered")).collect();
            page(asked, "incidents", &all)
        }
        "/escalation_policies" => {
            whole("escalation_policies", &[json!({"id": "PE1", "services": [{"id": "PS"}]})])
        }
        _ => quiet(asked),
    })
    .await;
    let plain = pagerduty(&double);
    let narrow = |source: &mut SourceSettings| {
        set("from", "ana@example.org")(source);
        set("teams", vec!["PT", "PU"])(source);
        set("services", vec!["PS"])(source);
    };
    let narrow = connected(&double, narrow, Clock::fixed(now()));
    for source in [&plain, &narrow] {
        for ask in [
            Query::Probe.now(),
            Query::Incidents.now(),
            Query::Incidents.now(),
            Query::Incident { id: "Q1".into() }.now(),
            Query::Steps { since: now() }.now(),
            Query::OnCall.now(),
        ] {
            source.answer(&ask, None).await.unwrap();
        }
    }
    let asked = double.asked();
    assert!(asked.len() > 25 && asked.iter().any(|asked| asked.path.starts_with("/incidents/Q")));
    assert!(asked.iter().any(|asked| asked.path == "/log_entries"));
    let failures: Vec<_> = asked.iter().filter_map(|asked| description.failure(asked)).collect();
    assert_eq!(failures, Vec::<String>::new());
}

#[test]
fn a_wrong_request_does_not_pass_the_description() {
    let Some(description) = Description::find("pagerduty") else { return };
    let asked = |path: &str, name: &str, value: &str| ReceivedRequest {
        method: "GET".into(),
        path: path.into(),
        parameters: vec![(name.into(), value.into())],
        ..ReceivedRequest::default()
    };
    for wrong in [
        asked("/incident", "limit", "1"),
        asked("/incidents", "limit", "many"),
        asked("/incidents", "statuses[]", "open"),
        asked("/incidents", "status", "triggered"),
        asked("/oncalls", "since", "2026-08-20T10:00:00"),
        asked("/incidents/Q1/past_incidents", "limit", "1000"),
        ReceivedRequest { method: "PATCH".into(), ..asked("/incidents", "limit", "1") },
    ] {
        assert!(description.failure(&wrong).is_some(), "{wrong:?}");
    }
    assert_eq!(description.failure(&asked("/incidents", "limit", "100")), None);
}

fn in_2015() -> Timestamp {
    at("2015-10-07T00:00:00Z")
}

#[tokio::test]
async fn every_example_of_an_incident_is_read_without_loss() {
    let Some(description) = Description::find("pagerduty") else { return };
    let mut all = description.examples("/incidents");
    all.extend(recorded("corpus/pagerduty/rest/get_incidents.json"));
    for example in all {
        let double = examples(vec![("/incidents", example.clone())]).await;
        let clock = if example.to_string().contains("2015-10-06") { in_2015() } else { now() };
        let snapshot = snapshot(
            connected(&double, |_| {}, Clock::fixed(clock)).answer(&Query::Incidents.now(), None).await,
        );
        assert_eq!(snapshot.incidents.len(), example["incidents"].as_array().unwrap().len());
        let incidents = example["incidents"].as_array().unwrap();
        for (incident, wire) in snapshot.incidents.iter().zip(incidents) {
            assert_eq!(wire["incident_number"], incident.number);
            assert_eq!(wire["status"], incident.status.word());
            assert_eq!(wire["urgency"], incident.urgency.word());
            assert_eq!(wire["alert_counts"]["all"], incident.alerts.all);
        }
        let keys = ["id", "title", "incident_key", "conference_url", "created_at", "at", "resolved_at"];
        for wire in incidents {
            let mut wire = wire.clone();
            for passed_over in [
                "first_trigger_log_entry",
                "last_status_change_by",
                "incidents_responders",
                "responder_requests",
            ] {
                wire.as_object_mut().unwrap().remove(passed_over);
            }
            without_loss(&wire, &keys, &format!("{snapshot:?}"));
        }
    }
}

#[tokio::test]
async fn every_example_of_a_detail_is_read_without_loss() {
    let Some(description) = Description::find("pagerduty") else { return };
    let parts = ["log_entries", "notes", "alerts", "past_incidents"];
    let mut all: Vec<(&str, Value)> = Vec::new();
    for part in parts {
        let examples = description.examples(&format!("/incidents/{{id}}/{part}"));
        all.extend(examples.into_iter().map(|example| (part, example)));
    }
    all.extend(
        recorded("corpus/pagerduty/rest/get_incidents_id_log_entries.json")
            .map(|entries| ("log_entries", entries)),
    );
    for (file, part) in [("alerts", "alerts"), ("notes", "notes")] {
        let recorded = recorded(&format!("corpus/pagerduty/srepd-{file}.json"));
        let by_incident =
            recorded.as_ref().and_then(Value::as_object).into_iter().flat_map(|all| all.values());
        all.extend(by_incident.map(|list| (part, json!({ part: list }))));
    }
    for (part, example) in all {
        let path = match part {
            "log_entries" => "/incidents/QX/log_entries",
            "notes" => "/incidents/QX/notes",
            "alerts" => "/incidents/QX/alerts",
            _ => "/incidents/QX/past_incidents",
        };
        let double = examples(vec![(path, example.clone())]).await;
        let detail =
            detail(pagerduty(&double).answer(&Query::Incident { id: "QX".into() }.now(), None).await);
        let count = detail.steps.len() + detail.notes.len() + detail.alerts.len() + detail.past.len();
        assert_eq!(count, example[part].as_array().unwrap().len(), "{part}");
        for wire in example[part].as_array().unwrap() {
            let mut wire = wire.clone();
            for passed_over in
                ["service", "incident", "teams", "integration", "contexts", "event_details", "id"]
            {
                if part != "past_incidents" {
                    wire.as_object_mut().unwrap().remove(passed_over);
                }
            }
            let keys = [
                "title",
                "content",
                "summary",
                "alert_key",
                "severity",
                "firing",
                "customKey",
                "customKey2",
                "link",
                "num_firing",
                "notes",
                "cluster_id",
            ];
            if let Some(user) = wire.get_mut("channel") {
                // not kept: in which system the note was written
                *user = json!({"type": user["type"]});
            }
            without_loss(&wire, &keys, &format!("{detail:?}"));
        }
        for alert in &detail.alerts {
            if alert.details.get("firing").is_some_and(|firing| firing.contains("alertname")) {
                assert!(alert.labels.get("alertname").is_some(), "{alert:?}");
                assert!(alert.labels.get("description").is_none(), "{alert:?}");
            }
        }
    }
}

#[tokio::test]
async fn every_example_of_policies_and_turns_is_read_without_loss() {
    let Some(description) = Description::find("pagerduty") else { return };
    let mut all = Vec::new();
    for path in ["/escalation_policies", "/oncalls", "/schedules"] {
        all.extend(description.examples(path).into_iter().map(|example| (path, example)));
    }
    for (path, file) in [
        ("/escalation_policies", "get_escalation_policies"),
        ("/oncalls", "get_oncalls"),
        ("/schedules", "get_schedules-Basic_Example"),
        ("/schedules", "get_schedules-With_Schedule_Layers"),
    ] {
        all.extend(recorded(&format!("corpus/pagerduty/rest/{file}.json")).map(|example| (path, example)));
    }
    for (path, example) in all {
        // a shift is displayed with its policy
        let mut policies = BTreeSet::new();
        if path == "/oncalls" {
            let turns = example["oncalls"].as_array().unwrap().iter();
            policies.extend(turns.filter_map(|turn| turn["escalation_policy"]["id"].as_str()));
        }
        let policies: Vec<_> = policies.into_iter().map(|id| json!({"id": id, "summary": id})).collect();
        let policies = ("/escalation_policies", json!({"escalation_policies": policies}));
        let double = examples(vec![(path, example.clone()), policies]).await;
        let snapshot = turns(pagerduty(&double).answer(&Query::OnCall.now(), None).await);
        assert!(snapshot.warnings.is_empty(), "{:?}", snapshot.warnings);
        match path {
            "/oncalls" => {
                assert_eq!(snapshot.shifts.len(), example["oncalls"].as_array().unwrap().len());
                without_loss(&example, &["id", "email", "name"], &format!("{snapshot:?}"));
            }
            "/escalation_policies" => {
                assert_eq!(snapshot.policies.len(), example["escalation_policies"].as_array().unwrap().len());
                without_loss(&example["escalation_policies"], &["name", "summary"], &format!("{snapshot:?}"));
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn examples_of_users_and_priorities_are_read() {
    let Some(description) = Description::find("pagerduty") else { return };
    let me = description.examples("/users/me").remove(0);
    let double = examples(vec![("/users/me", me.clone())]).await;
    let offer = offer(pagerduty(&double).answer(&Query::Probe.now(), None).await);
    assert!(format!("{offer:?}").contains(me["user"]["name"].as_str().unwrap()), "{offer:?}");
    let priorities = description.examples("/priorities").remove(0);
    let double = Double::start(move |asked| match asked.path.as_str() {
        "/priorities" => json(&priorities),
        "/incidents" => {
            let mut incident = incident("Q1", asked.parameter("statuses[]"));
            incident["priority"] = thing("priority", "PGE9YCZ", "P3");
            whole("incidents", &[incident])
        }
        _ => quiet(asked),
    })
    .await;
    let snapshot = snapshot(pagerduty(&double).answer(&Query::Incidents.now(), None).await);
    assert_eq!(one(&snapshot, "Q1").priority.as_ref().and_then(|p| p.rank), Some(3));
}

#[tokio::test]
async fn recorded_incidents_of_a_terminal_client_are_read() {
    let Some(recorded) = recorded("corpus/pagerduty/srepd-incidents.json") else { return };
    let all = recorded.as_array().unwrap().clone();
    let double = Double::start(move |asked| {
        let is_within = |incident: &Value| {
            let changed_at = incident["last_status_change_at"].as_str().unwrap();
            asked.parameter("since") <= changed_at && changed_at <= asked.parameter("until")
        };
        let is_asked = |incident: &&Value| {
            let status = incident["status"].as_str().unwrap();
            is_about(asked, status) && (status != "resolved" || is_within(incident))
        };
        let found: Vec<Value> = all.iter().filter(is_asked).cloned().collect();
        if asked.path == "/incidents" { whole("incidents", &found) } else { quiet(asked) }
    })
    .await;
    let mut read = std::collections::BTreeMap::new();
    // resolved incidents are read of the last seven days
    for now in
        ["2026-05-11T12:00:00Z", "2026-05-18T12:00:00Z", "2026-05-22T12:00:00Z", "2026-05-28T15:00:00Z"]
    {
        let source = connected(&double, |_| {}, Clock::fixed(at(now)));
        let snapshot = snapshot(source.answer(&Query::Incidents.now(), None).await);
        read.extend(snapshot.incidents.iter().map(|incident| (incident.id.clone(), format!("{incident:?}"))));
    }
    assert_eq!(read.len(), recorded.as_array().unwrap().len());
    without_loss(&recorded, &["id", "title", "summary"], &format!("{read:?}"));
}
