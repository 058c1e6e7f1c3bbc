//! What the real server of the other tests does not do: Grafana, old and new versions, faults.

use std::sync::Mutex;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::*;
use crate::backend::kit::double::{CannedResponse, Double, ReceivedRequest};
use crate::backend::{Clock, Source, SourceDeps};
use crate::config::settings::{AuthSettings, ConfigDuration, SecretRef, Settings, SourceSettings};
use crate::model::action::{Action, ActionTarget, Operation, SilenceDraft, Verification};
use crate::model::ask::{Answer, Query};
use crate::model::matcher::parse;
use crate::model::source::{ErrorKind, SourceId};

fn now() -> Timestamp {
    "2027-01-15T08:00:00.5Z".parse().unwrap()
}

fn connected(source: &SourceSettings) -> Alertmanager {
    let mut settings = Settings::default();
    settings.limits.timeout = ConfigDuration(Duration::from_millis(400));
    let deps = SourceDeps::new(&settings, Clock::fixed(now()));
    Alertmanager::new(&SourceId::new("am"), source, deps).unwrap()
}

fn alertmanager(double: &Double) -> Alertmanager {
    connected(&double.source("alertmanager"))
}

fn action(id: &str, operation: Operation) -> Action {
    let target = ActionTarget { id: id.into(), name: "".into(), seen: None };
    Action { source: SourceId::new("am"), target, operation }
}

fn silence() -> Action {
    let draft = SilenceDraft {
        matchers: parse(r#"b!~"x|y",a="1",a!="",c=~"é""#).unwrap(),
        starts_at: None,
        ends_at: "2027-01-15T09:00:00Z".parse().unwrap(),
        created_by: "ana".into(),
        comment: "deploy".into(),
    };
    action("", Operation::Silence { draft })
}

fn stored(id: &str, state: &str, starts_at: &str) -> Value {
    json!({
        "id": id, "status": {"state": state}, "updatedAt": "2027-01-15T08:00:00.000Z", "comment": "deploy",
        "createdBy": "ana", "startsAt": starts_at, "endsAt": "2027-01-15T09:00:00.000Z",
        "matchers": [
            {"name": "a", "value": "1", "isRegex": false},
            {"name": "a", "value": "", "isRegex": false, "isEqual": false},
            {"name": "b", "value": "x|y", "isRegex": true, "isEqual": false},
            {"name": "c", "value": "é", "isRegex": true, "isEqual": true},
        ],
    })
}

fn json_of(value: &Value) -> CannedResponse {
    CannedResponse::json(&value.to_string())
}

#[tokio::test]
async fn what_is_shown_is_what_is_sent() {
    let double = Double::start(|_| CannedResponse::json(r#"{"silenceID":"s1"}"#)).await;
    let source = alertmanager(&double);
    let [call] = source.requests(&silence()).try_into().unwrap();
    assert_eq!(source.execute(&silence()).await, Ok(ActionResult::Done { id: Some("s1".into()) }));
    let asked = double.asked();
    assert_eq!(&*call.address, format!("{}{}", double.url, asked[0].path));
    assert_eq!(call.body.as_deref(), Some(&*asked[0].json().to_string()));
    assert_eq!(
        asked[0].json(),
        json!({
            "matchers": [
                {"name": "b", "value": "x|y", "isRegex": true, "isEqual": false},
                {"name": "a", "value": "1", "isRegex": false, "isEqual": true},
                {"name": "a", "value": "", "isRegex": false, "isEqual": false},
                {"name": "c", "value": "é", "isRegex": true, "isEqual": true},
            ],
            "startsAt": "2027-01-15T08:00:00.500Z", "endsAt": "2027-01-15T09:00:00.000Z",
            "createdBy": "ana", "comment": "deploy",
        })
    );
    let extend = source.requests(&action("s/1", Operation::Extend { until: now() }));
    assert!(extend[0].body.as_ref().unwrap().contains(r#""startsAt":"<unchanged>""#), "{extend:?}");
    let expire = source.requests(&action("s/1", Operation::Expire));
    assert_eq!(expire[0].to_string(), format!("DELETE {}/api/v2/silence/s%2F1", double.url));
    assert!(source.requests(&action("s1", Operation::Acknowledge)).is_empty());
}

#[tokio::test]
async fn a_silence_begins_and_ends_by_the_clock_of_its_server() {
    let double = Double::start(|asked| match asked.path.as_str() {
        "/api/v2/status" => CannedResponse::json(r#"{"versionInfo":{"version":"0.28.1"}}"#)
            .header("Date", "Fri, 15 Jan 2027 07:59:20 GMT"),
        "/api/v2/receivers" => CannedResponse::json("[]"),
        _ => CannedResponse::json(r#"{"silenceID":"s1"}"#),
    })
    .await;
    let source = alertmanager(&double);
    source.answer(&Query::Probe.now(), None).await.unwrap();
    source.execute(&silence()).await.unwrap();
    let sent = double.asked().last().unwrap().json();
    assert_eq!(
        (&sent["startsAt"], &sent["endsAt"]),
        (&json!("2027-01-15T07:59:20.500Z"), &json!("2027-01-15T08:59:20.000Z"))
    );
}

/// A server whose clock is an hour ahead and that keeps one silence.
async fn ahead(state: &'static str) -> (Double, Alertmanager) {
    let double = Double::start(move |asked| {
        let canned = match (&*asked.method, asked.path.as_str()) {
            (_, "/api/v2/status") => CannedResponse::json(r#"{"versionInfo":{"version":"0.28.1"}}"#),
            (_, "/api/v2/receivers") => CannedResponse::json("[]"),
            ("GET", "/api/v2/silences") => json_of(&json!([stored("s1", state, "2027-01-15T08:30:00Z")])),
            ("GET", _) => json_of(&stored("s1", state, "2027-01-15T08:30:00Z")),
            _ => CannedResponse::json(r#"{"silenceID":"s1"}"#),
        };
        canned.header("Date", "Fri, 15 Jan 2027 09:00:00 GMT")
    })
    .await;
    let source = alertmanager(&double);
    source.answer(&Query::Probe.now(), None).await.unwrap();
    (double, source)
}

#[tokio::test]
async fn what_a_server_with_another_clock_tells_is_told_by_ours() {
    let (double, source) = ahead("active").await;
    let Answer::Silences(all) = source.answer(&Query::Silences.now(), None).await.unwrap().answer else {
        panic!()
    };
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    // in half a second less than an hour, there and here
    assert_eq!((all[0].starts_at, all[0].ends_at), (at("2027-01-15T07:30:00Z"), at("2027-01-15T08:00:00Z")));
    let until = at("2027-01-15T10:00:00Z");
    source.execute(&action("s1", Operation::Extend { until })).await.unwrap();
    assert_eq!(double.asked().last().unwrap().json()["endsAt"], "2027-01-15T11:00:00.000Z");
    let same = action("s1", Operation::Extend { until: all[0].ends_at });
    assert!(matches!(source.execute(&same).await, Ok(ActionResult::Already { .. })));
}

fn edited(seen: &str) -> Action {
    let Operation::Silence { draft } = silence().operation else { panic!() };
    let draft = SilenceDraft { comment: "longer".into(), ..draft };
    action("s1", Operation::Edit { draft, seen: Some(seen.parse().unwrap()) })
}

#[tokio::test]
async fn a_silence_is_edited_under_its_id_unless_somebody_was_faster() {
    let (double, source) = ahead("active").await;
    let seen = "2027-01-15T08:00:00Z";
    let [call] = source.requests(&edited(seen)).try_into().unwrap();
    assert!(call.body.as_ref().unwrap().contains(r#""startsAt":"<unchanged>""#), "{call}");
    assert_eq!(source.execute(&edited(seen)).await, Ok(ActionResult::Done { id: Some("s1".into()) }));
    let sent = double.asked().last().unwrap().json();
    let fields = ["id", "startsAt", "endsAt", "comment"].map(|name| sent[name].as_str().unwrap().to_owned());
    assert_eq!(fields, ["s1", "2027-01-15T08:30:00Z", "2027-01-15T10:00:00.000Z", "longer"]);
    assert_eq!(sent["matchers"].as_array().unwrap().len(), 4);
    let posts = |double: &Double| double.asked().iter().filter(|asked| &*asked.method == "POST").count();
    match source.execute(&edited("2027-01-15T07:59:59Z")).await {
        Ok(ActionResult::Conflict { words }) => assert!(words.contains("changed at 07:00:00 UTC"), "{words}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(posts(&double), 1);
    let (double, source) = ahead("expired").await;
    match source.execute(&edited(seen)).await {
        Ok(ActionResult::Conflict { words }) => assert!(words.contains("expired at"), "{words}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(posts(&double), 0);
}

#[tokio::test]
async fn that_a_silence_has_several_sets_of_matchers_is_said() {
    let double = Double::start(|_| {
        CannedResponse::new(500, "application/json", r#""silence s1 has multiple matcher sets""#)
    })
    .await;
    let error = alertmanager(&double).answer(&Query::Silences.now(), None).await.unwrap_err();
    assert!(error.to_string().contains("several sets of matchers"), "{error}");
}

#[tokio::test]
async fn a_silence_is_extended_as_it_is_stored_and_takes_the_id_that_comes() {
    let double = Double::start(|asked| match &*asked.method {
        "GET" => json_of(&stored("s1", "active", "2027-01-15T07:00:00.123Z")),
        _ => CannedResponse::json(r#"{"silenceID":"s2"}"#),
    })
    .await;
    let extend = action("s1", Operation::Extend { until: "2027-01-15T12:00:00Z".parse().unwrap() });
    let outcome = alertmanager(&double).execute(&extend).await;
    assert_eq!(outcome, Ok(ActionResult::Done { id: Some("s2".into()) }));
    let sent = double.asked().last().unwrap().json();
    assert_eq!((&sent["id"], &sent["startsAt"]), (&json!("s1"), &json!("2027-01-15T07:00:00.123Z")));
    assert_eq!(sent["endsAt"], "2027-01-15T12:00:00.000Z");
    assert_eq!(sent["matchers"][0]["isEqual"], true, "a missing one is said");
    assert!(sent.get("status").is_none() && sent.get("updatedAt").is_none(), "{sent}");
}

#[tokio::test]
async fn what_an_old_server_says_of_an_unknown_silence_is_understood() {
    for gone in [
        CannedResponse::new(404, "text/plain", ""),
        CannedResponse::new(500, "application/json", r#""silence not found""#),
    ] {
        let first = Mutex::new(true);
        let double = Double::start(move |asked| {
            // it is deleted between the look and the call
            let was_first = std::mem::take(&mut *first.lock().unwrap());
            if asked.method == "GET" && was_first {
                return json_of(&stored("s1", "active", "2027-01-15T07:00:00.123Z"));
            }
            gone.clone()
        })
        .await;
        let outcome = alertmanager(&double).execute(&action("s1", Operation::Expire)).await;
        assert_eq!(outcome, Ok(ActionResult::Conflict { words: "the silence no longer exists".into() }));
    }
}

#[tokio::test]
async fn an_answer_that_never_comes_is_read_back() {
    let taken = Mutex::new(false);
    let double = Double::start(move |asked| {
        let mut taken = taken.lock().unwrap();
        if asked.method == "POST" {
            *taken = true;
            return CannedResponse::hang();
        }
        let older = stored("s0", "active", "2027-01-15T07:59:00.000Z");
        let new = stored("s1", "active", "2027-01-15T08:00:00.600Z");
        json_of(&if *taken { json!([older, new]) } else { json!([older]) })
    })
    .await;
    let source = alertmanager(&double);
    assert_eq!(source.verify(&silence(), now()).await, Ok(Verification::NotDone));
    let error = source.execute(&silence()).await.unwrap_err();
    assert!(error.is_unclear && matches!(error.error.kind, ErrorKind::TimedOut { .. }), "{error}");
    let found = source.verify(&silence(), now()).await;
    assert_eq!(found, Ok(Verification::Done { id: Some("s1".into()) }));
    let posts = double.asked().iter().filter(|asked| asked.method == "POST").count();
    assert_eq!(posts, 1);
}

#[tokio::test]
async fn an_answer_without_an_id_is_unclear() {
    for body in ["", "<html></html>", "{}", r#"{"silenceID":""}"#] {
        let double = Double::start(move |_| CannedResponse::json(body)).await;
        let error = alertmanager(&double).execute(&silence()).await.unwrap_err();
        assert!(error.is_unclear, "{body}");
    }
}

fn grafana(asked: &ReceivedRequest) -> CannedResponse {
    if asked.header("authorization") != Some("Bearer glsa_1") {
        return CannedResponse::new(401, "application/json", r#"{"message":"Unauthorized"}"#);
    }
    let base = "/sub/api/alertmanager/grafana/api/v2";
    match (&*asked.method, asked.path.strip_prefix(base)) {
        ("GET", Some("/silences")) => json_of(&json!([stored("g1", "active", "2027-01-15T08:00:00.000Z")])),
        ("GET", Some("/silence/g1")) => json_of(&stored("g1", "active", "2027-01-15T08:00:00.000Z")),
        ("POST", Some("/silences")) if asked.json()["comment"] == "mine" => CannedResponse::new(
            403,
            "application/json",
            r#"{"message":"You'll need additional permissions to perform this action. Permissions needed: alert.silences:create"}"#,
        ),
        ("POST", Some("/silences")) => CannedResponse::new(
            202,
            "application/json",
            r#"{"id":"g1","silenceID":"g1","message":"silence created"}"#,
        ),
        ("DELETE", Some("/silence/g1")) => {
            CannedResponse::new(200, "application/json", r#"{"message":"silence deleted"}"#)
        }
        _ => CannedResponse::new(404, "text/plain", "page not found"),
    }
}

#[tokio::test]
async fn grafanas_own_alertmanager_is_read_and_written_at_its_path() {
    let token = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(token.path(), "glsa_1").unwrap();
    let double = Double::start(grafana).await;
    let mut settings = double.source("alertmanager");
    settings.url.push_str("/sub/api/alertmanager/grafana");
    settings.auth = Some(AuthSettings::Bearer(SecretRef::File(token.path().display().to_string())));
    let source = connected(&settings);
    source.answer(&Query::Silences.now(), None).await.unwrap();
    assert_eq!(source.execute(&silence()).await, Ok(ActionResult::Done { id: Some("g1".into()) }));
    let extend = action("g1", Operation::Extend { until: "2027-01-15T12:00:00Z".parse().unwrap() });
    assert_eq!(source.execute(&extend).await, Ok(ActionResult::Done { id: Some("g1".into()) }));
    assert_eq!(source.execute(&action("g1", Operation::Expire)).await, Ok(ActionResult::Done { id: None }));
    let Operation::Silence { draft } = silence().operation else { panic!("a silence") };
    let mine = action("", Operation::Silence { draft: SilenceDraft { comment: "mine".into(), ..draft } });
    let error = source.execute(&mine).await.unwrap_err();
    assert!(!error.is_unclear && error.to_string().contains("`__alert_rule_uid__="), "{error}");
}
