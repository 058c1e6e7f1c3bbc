//! Checks every write request against the vendor's API description.

use std::time::Duration;

use super::*;
use crate::backend::kit::tests::contract::Description;
use crate::model::action::{Action, ActionResult, ActionTarget, EntityRef, Operation};
use crate::model::incident::{IncidentStatus, Urgency};

fn whom(id: &str) -> EntityRef {
    EntityRef { id: id.into(), name: id.into() }
}

fn operations() -> Vec<Operation> {
    vec![
        Operation::Acknowledge,
        Operation::Resolve,
        Operation::Assign { to: whom("PKOFI") },
        Operation::Reroute { policy: whom("PE") },
        Operation::Escalate { level: 2 },
        Operation::Snooze { rest: Duration::from_secs(604_800) },
        Operation::Note { content: "two\nlines \u{202e}".into() },
        Operation::Priority { priority: Some(whom("P1ID")) },
        Operation::Merge { into: whom("Q2") },
        Operation::AddResponder { people: vec![whom("PKOFI"), whom("PNOOR")], message: "help".into() },
        Operation::StatusUpdate { message: "going down".into() },
        trigger("since 03:00"),
        trigger(""),
        Operation::TakeShift { person: whom("PANA"), start: now(), end: at("2026-08-20T18:00:00Z") },
    ]
}

fn trigger(details: &str) -> Operation {
    let (title, key) = ("Checkout is slow".into(), "k".into());
    Operation::Trigger { title, details: details.into(), urgency: Urgency::Low, key }
}

fn action(operation: Operation) -> Action {
    let target = ActionTarget { id: "Q1".into(), name: "#1".into(), seen: Some(IncidentStatus::Triggered) };
    Action { source: SourceId::new("pd"), target, operation }
}

/// A server that accepts every request.
fn willing(asked: &ReceivedRequest) -> CannedResponse {
    let id = json!({"id": "X1"});
    match (asked.method.as_str(), asked.path.rsplit('/').next().unwrap()) {
        ("GET", "Q1") => json(&json!({"incident": incident("Q1", "triggered")})),
        ("GET", _) => quiet(asked),
        (_, "notes") => json(&json!({"note": id})),
        (_, "status_updates") => json(&json!({"status_update": id})),
        (_, "responder_requests") => json(&json!({"responder_request": id})),
        (_, "overrides") => json(&json!([{"status": 201, "override": id}])),
        _ => json(&json!({"incident": id})),
    }
}

#[tokio::test]
async fn every_change_and_every_look_back_is_valid_by_the_vendors_description() {
    let Some(description) = Description::find("pagerduty") else { return };
    let double = Double::start(willing).await;
    let source = pagerduty(&double);
    for operation in operations() {
        let action = action(operation);
        assert!(matches!(source.execute(&action).await, Ok(ActionResult::Done { .. })), "{action:?}");
        source.verify(&action, now()).await.unwrap();
    }
    let asked = double.asked();
    assert_eq!(asked.iter().filter(|asked| asked.method != "GET").count(), operations().len());
    let failures: Vec<_> = asked.iter().filter_map(|asked| description.failure(asked)).collect();
    assert_eq!(failures, Vec::<String>::new());
}

#[test]
fn a_wrong_change_does_not_pass_the_description() {
    let Some(description) = Description::find("pagerduty") else { return };
    let asked = |method: &str, path: &str, from: bool, body: Value| ReceivedRequest {
        method: method.into(),
        path: path.into(),
        headers: from.then(|| ("from".into(), "ana@example.org".into())).into_iter().collect(),
        body: body.to_string().into_bytes(),
        ..ReceivedRequest::default()
    };
    let put = |body: Value| asked("PUT", "/incidents/Q1", true, json!({ "incident": body }));
    assert_eq!(description.failure(&put(json!({"type": "incident_reference", "status": "resolved"}))), None);
    for wrong in [
        asked("PUT", "/incidents/Q1", false, json!({"incident": {"type": "incident_reference"}})),
        put(json!({"status": "resolved"})),
        put(json!({"type": "incident_reference", "status": "done"})),
        put(json!({"type": "incident_reference", "escalation_level": "2"})),
        put(json!({"type": "incident_reference", "state": "resolved"})),
        put(json!({"type": "incident_reference", "priority": null})),
        put(json!({"type": "incident_reference", "assignments": [{"assignee": {"id": "PX"}}]})),
        asked("POST", "/incidents/Q1/snooze", true, json!({"duration": 604_801})),
        asked("POST", "/incidents/Q1/notes", true, json!({"content": "x"})),
        asked("POST", "/schedules/P1/overrides", false, json!({"overrides": [{"start": "now"}]})),
    ] {
        assert!(description.failure(&wrong).is_some(), "{wrong:?}");
    }
}
