mod deeds;
mod description;
mod details;
mod lists;
mod log;
mod turns;
mod whose;

use serde_json::{Value, json};

use super::*;
use crate::backend::Source;
use crate::backend::kit::double::{CannedResponse, Double, ReceivedRequest, SnapshotWithWarnings};
use crate::config::settings::Settings;
use crate::model::ask::{Answer, Answered, Ask};
use crate::model::incident::{Incident, IncidentDetail, IncidentSnapshot};
use crate::model::oncall::OnCallSnapshot;
use crate::model::source::{ErrorKind, ProbeReport};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    at("2026-08-20T10:20:00Z")
}

fn connected(double: &Double, change: impl FnOnce(&mut SourceSettings), clock: Clock) -> PagerDuty {
    let mut source = double.source("pagerduty");
    change(&mut source);
    let settings = Settings::default();
    PagerDuty::new(&SourceId::new("pd"), &source, SourceDeps::new(&settings, clock)).unwrap()
}

/// Sets an option of this kind of source.
fn set(key: &str, value: impl Into<toml::Value>) -> impl FnOnce(&mut SourceSettings) {
    move |source| drop(source.own.insert(key.to_owned(), value.into()))
}

fn pagerduty(double: &Double) -> PagerDuty {
    connected(double, |_| {}, Clock::fixed(now()))
}

fn json(value: &Value) -> CannedResponse {
    CannedResponse::json(&value.to_string())
}

fn refused(status: u16) -> CannedResponse {
    let body = json!({"error": {"message": "No", "code": 2100, "errors": ["not this time"]}});
    CannedResponse::new(status, "application/json", &body.to_string())
}

/// A list with a single page.
fn whole(key: &str, items: &[Value]) -> CannedResponse {
    json(&json!({ key: items, "limit": 100, "offset": 0, "more": false, "total": null }))
}

/// The requested page of a list.
fn page(asked: &ReceivedRequest, key: &str, items: &[Value]) -> CannedResponse {
    let number = |name: &str| asked.parameter(name).parse::<usize>().unwrap();
    let (limit, offset) = (number("limit"), number("offset"));
    assert!(limit <= 100 && offset + limit <= 10_000, "{asked:?}");
    let part: Vec<_> = items.iter().skip(offset).take(limit).collect();
    let more = offset + limit < items.len();
    json(&json!({ key: part, "limit": limit, "offset": offset, "more": more, "total": null }))
}

fn thing(kind: &str, id: &str, name: &str) -> Value {
    json!({"id": id, "type": format!("{kind}_reference"), "summary": name,
           "html_url": format!("https://example.pagerduty.com/{kind}s/{id}")})
}

fn incident(id: &str, status: &str) -> Value {
    let resolved_at = (status == "resolved").then_some("2026-08-20T09:50:00Z");
    json!({
        "id": id, "type": "incident", "incident_number": 4711, "title": "checkout-api: 7.3% of requests fail",
        "status": status, "urgency": "high", "created_at": "2026-08-20T09:33:10Z", "resolved_at": resolved_at,
        "last_status_change_at": "2026-08-20T09:40:00Z", "service": thing("service", "PSVC", "checkout-api"),
        "priority": thing("priority", "P2ID", "P2"),
    })
}

fn is_about(asked: &ReceivedRequest, status: &str) -> bool {
    asked.path == "/incidents" && asked.parameters.contains(&("statuses[]".into(), status.into()))
}

/// An account without incidents, with Ana's user key.
fn quiet(asked: &ReceivedRequest) -> CannedResponse {
    match asked.path.as_str() {
        "/users/me" => {
            json(&json!({"user": {"id": "PANA", "type": "user", "name": "Ana Pereira", "role": "user",
            "email": "ana@example.org", "time_zone": "Europe/Lisbon", "html_url": "https://example.pagerduty.com/users/PANA"}}))
        }
        "/priorities" => {
            whole("priorities", &[thing("priority", "P1ID", "P1"), thing("priority", "P2ID", "P2")])
        }
        "/abilities" => json(&json!({"abilities": ["teams"]})),
        "/oncalls" | "/incidents" | "/escalation_policies" | "/schedules" | "/users" => {
            whole(asked.path.trim_start_matches('/'), &[])
        }
        path => {
            let key = path.rsplit('/').next().unwrap();
            json(&json!({ key: [] }))
        }
    }
}

fn snapshot(answered: Answered) -> SnapshotWithWarnings<IncidentSnapshot> {
    let reply = answered.unwrap();
    match reply.answer {
        Answer::Incidents(snapshot) => SnapshotWithWarnings::new(snapshot, reply.warnings),
        other => panic!("{other:?}"),
    }
}

fn detail(answered: Answered) -> SnapshotWithWarnings<IncidentDetail> {
    let reply = answered.unwrap();
    match reply.answer {
        Answer::Incident(detail) => SnapshotWithWarnings::new(detail, reply.warnings),
        other => panic!("{other:?}"),
    }
}

fn turns(answered: Answered) -> SnapshotWithWarnings<OnCallSnapshot> {
    let reply = answered.unwrap();
    match reply.answer {
        Answer::OnCall(snapshot) => SnapshotWithWarnings::new(snapshot, reply.warnings),
        other => panic!("{other:?}"),
    }
}

fn offer(answered: Answered) -> ProbeReport {
    match answered.unwrap().answer {
        Answer::Probe(offer) => offer,
        other => panic!("{other:?}"),
    }
}

fn one<'a>(snapshot: &'a IncidentSnapshot, id: &str) -> &'a Incident {
    snapshot
        .incidents
        .iter()
        .find(|incident| &*incident.id == id)
        .unwrap_or_else(|| panic!("no {id}: {snapshot:?}"))
}

fn names<T: ToString>(texts: &[T]) -> String {
    texts.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
