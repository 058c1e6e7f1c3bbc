//! Alerts whose server does not report whether they are silenced.

use std::sync::Mutex;

use serde_json::{Value, json};

use super::*;

const NOW: &str = "2027-01-15T08:00:00Z";

fn silence(id: &str, state: &str, ends_at: &str, matchers: &Value) -> Value {
    json!({ "id": id, "status": { "state": state }, "startsAt": "2027-01-15T07:00:00Z", "endsAt": ends_at,
            "createdBy": "ana", "comment": "why", "matchers": matchers })
}

fn matcher(name: &str, value: &str, is_regex: bool, is_equal: bool) -> Value {
    json!({ "name": name, "value": value, "isRegex": is_regex, "isEqual": is_equal })
}

fn alert(name: &str, service: &str, status: &Value) -> Value {
    json!({ "labels": { "alertname": name, "service": service }, "startsAt": "2027-01-15T07:30:00Z",
            "updatedAt": "2027-01-15T07:59:00Z", "receivers": [{ "name": "pager" }], "status": status })
}

fn untold() -> Value {
    json!({ "state": "unprocessed", "silencedBy": [], "inhibitedBy": [], "mutedBy": [] })
}

/// A server whose two lists can be changed; with `None` it refuses to list the silences.
struct Server {
    double: Double,
    lists: Arc<Mutex<(Value, Option<Value>)>>,
}

impl Server {
    async fn start(alerts: Value, silences: Option<Value>) -> Self {
        let lists = Arc::new(Mutex::new((alerts, silences)));
        let reported = Arc::clone(&lists);
        let double = Double::start(move |asked| {
            let (alerts, silences) = &*reported.lock().unwrap();
            match (asked.path.ends_with("silences"), silences) {
                (true, Some(silences)) => CannedResponse::json(&silences.to_string()),
                (true, None) => CannedResponse::new(503, "text/plain", "not now"),
                (false, _) if asked.path.ends_with("groups") => CannedResponse::json(
                    &json!([{ "labels": {}, "receiver": { "name": "pager" }, "alerts": alerts }]).to_string(),
                ),
                (false, _) => CannedResponse::json(&alerts.to_string()),
            }
        })
        .await;
        Self { double, lists }
    }

    fn source(&self) -> Alertmanager {
        let settings = Settings::default();
        let deps = SourceDeps::new(&settings, Clock::fixed(NOW.parse().unwrap()));
        Alertmanager::new(&SourceId::new("am"), &self.double.source("alertmanager"), deps).unwrap()
    }
}

async fn ask(source: &Alertmanager, known: Option<u64>) -> Reply {
    source.answer(&Query::Alerts.now(), known).await.unwrap()
}

fn states(reply: &Reply) -> Vec<(String, AlertState, Vec<String>)> {
    let Answer::Alerts(snapshot) = &reply.answer else { panic!("{reply:?}") };
    let mut states: Vec<_> = snapshot
        .alerts
        .iter()
        .map(|alert| {
            let by = alert.silenced_by.iter().map(ToString::to_string).collect();
            (alert.name().to_owned(), alert.state, by)
        })
        .collect();
    states.sort();
    states
}

#[tokio::test]
async fn what_a_silence_in_force_matches_is_silenced_where_the_server_does_not_say_so() {
    let late = "2027-01-15T09:00:00Z";
    for (matchers, state, ends_at, hides) in [
        (json!([matcher("service", "store", false, true)]), "active", late, true),
        (json!([matcher("service", "sto.*", true, true)]), "active", late, true),
        // regular expressions are anchored
        (json!([matcher("service", "tor", true, true)]), "active", late, false),
        // a missing label has the empty value
        (json!([matcher("pod", "", false, true)]), "active", late, true),
        (json!([matcher("pod", ".+", true, false)]), "active", late, true),
        (json!([matcher("service", "store", false, false)]), "active", late, false),
        (json!([matcher("service", "index", false, false)]), "active", late, true),
        (
            json!([matcher("service", "store", false, true), matcher("alertname", "Other", false, true)]),
            "active",
            late,
            false,
        ),
        (json!([{ "name": "service", "value": "store" }]), "active", late, true),
        (json!([matcher("service", "store", false, true)]), "pending", late, false),
        (json!([matcher("service", "store", false, true)]), "expired", late, false),
        (json!([matcher("service", "store", false, true)]), "active", NOW, false),
        (json!([]), "active", late, false),
    ] {
        for status in [untold(), json!({ "state": "unprocessed" }), json!(null), json!({})] {
            let silences = json!([silence("s1", state, ends_at, &matchers)]);
            let mut alert = alert("Full", "store", &status);
            if status.is_null() {
                alert.as_object_mut().unwrap().remove("status");
            }
            let server = Server::start(json!([alert]), Some(silences)).await;
            let reply = ask(&server.source(), None).await;
            let expected = if hides {
                (AlertState::Silenced, vec!["s1".to_owned()])
            } else {
                (AlertState::Firing, vec![])
            };
            assert_eq!(
                states(&reply),
                [("Full".to_owned(), expected.0, expected.1)],
                "{matchers} {state} {status}"
            );
            let Answer::Alerts(snapshot) = reply.answer else { panic!() };
            assert!(snapshot.alerts[0].is_derived);
        }
    }
}

#[tokio::test]
async fn the_word_of_a_server_that_tells_holds_and_its_silences_are_not_asked_for() {
    let active = json!({ "state": "active", "silencedBy": [], "inhibitedBy": [] });
    let reported = json!({ "state": "unprocessed", "silencedBy": ["s9"] });
    let silences = json!([silence(
        "s1",
        "active",
        "2027-01-15T09:00:00Z",
        &json!([matcher("service", "store", false, true)])
    )]);
    let alerts = json!([alert("Full", "store", &active), alert("Slow", "store", &reported)]);
    let server = Server::start(alerts, Some(silences)).await;
    let reply = ask(&server.source(), None).await;
    let expected = [
        ("Full".to_owned(), AlertState::Firing, vec![]),
        ("Slow".to_owned(), AlertState::Silenced, vec!["s9".to_owned()]),
    ];
    assert_eq!((states(&reply), reply.requests), (expected.to_vec(), 1));
    assert!(server.double.asked().iter().all(|asked| !asked.path.ends_with("silences")));
}

#[tokio::test]
async fn when_a_silence_ends_its_alert_fires_with_the_next_answer_though_the_list_of_alerts_is_the_same() {
    let alerts = json!([alert("Full", "store", &untold())]);
    let made = |state: &str| {
        json!([silence(
            "s1",
            state,
            "2027-01-15T09:00:00Z",
            &json!([matcher("service", "store", false, true)])
        )])
    };
    let server = Server::start(alerts, Some(made("active"))).await;
    let source = server.source();
    let first = ask(&source, None).await;
    assert_eq!(states(&first)[0].1, AlertState::Silenced);
    assert!(matches!(ask(&source, first.digest).await.answer, Answer::Unchanged));
    server.lists.lock().unwrap().1 = Some(made("expired"));
    assert_eq!(states(&ask(&source, first.digest).await)[0].1, AlertState::Firing);
}

#[tokio::test]
async fn where_silences_cannot_be_read_nothing_is_derived_and_that_is_said() {
    let server = Server::start(json!([alert("Full", "store", &untold())]), None).await;
    let reply = ask(&server.source(), None).await;
    assert_eq!(states(&reply)[0].1, AlertState::Firing);
    let said =
        |warning: &Warning| warning.is_missing_data() && warning.text.contains("silences could not be read");
    assert!(reply.warnings.iter().any(said), "{:?}", reply.warnings);
}
