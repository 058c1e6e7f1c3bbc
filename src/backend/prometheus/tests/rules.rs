//! Tests of rules with their alerts, and of failing rules.

use super::*;
use crate::model::alert::{AlertState, Severity};

/// One group, evaluated at `second`, with an alert in `state`.
fn rules_of(second: u32, state: &str) -> CannedResponse {
    let rule = json!({ "type": "alerting", "name": "Burn", "query": "a > 1", "duration": 120, "labels": { "severity": "page" },
        "annotations": { "summary": "it\nburns \u{1b}[2J" }, "health": "err", "lastError": "many-to-many",
        "evaluationTime": f64::from(second) / 1000.0, "lastEvaluation": format!("2026-03-01T12:00:{second:02}Z"),
        "alerts": [{ "labels": { "alertname": "Burn", "severity": "page", "service": "cart" }, "annotations": {},
            "state": state, "activeAt": "2026-03-01T11:59:00.5Z", "value": "1.5e+00" }] });
    let bare = json!({ "name": "Bare", "query": "b", "labels": null, "alerts": null });
    success(&json!({ "groups": [{ "name": "g", "file": "f", "interval": 30, "rules": [rule, rule, bare,
        { "type": "recording", "name": "r", "query": "q" }] }] }))
}

#[tokio::test]
async fn rules_come_once_with_their_alerts_and_are_recognised_whenever_they_were_evaluated() {
    let second = std::sync::atomic::AtomicU32::new(0);
    let double = Double::start(move |asked| {
        if !asked.path.ends_with("rules") || asked.parameter("type") != "alert" {
            return CannedResponse::new(404, "text/plain", "");
        }
        // the first question also asks for the identity of the server
        let second = second.fetch_add(1, Ordering::Relaxed);
        rules_of(second, if second < 3 { "pending" } else { "firing" })
    })
    .await;
    let source = source(&double);
    let reply = ask(&source, Query::Rules.now()).await;
    // a failing rule contains its own error: every reader of rules reports it
    assert_eq!(reply.warnings, []);
    let Answer::Rules(snapshot) = reply.answer else { panic!() };
    let [burn, bare] = &snapshot.rules[..] else { panic!("{:?}", snapshot.rules) };
    assert_eq!((&*burn.name, &*burn.expr, burn.hold), ("Burn", "a > 1", Duration::from_secs(120)));
    assert_eq!(burn.annotations.value("summary"), "it\nburns \u{1b}[2J");
    assert_eq!(burn.error.as_deref(), Some("many-to-many"));
    assert_eq!(&*bare.name, "Bare");
    let [alert] = &snapshot.alerts[..] else { panic!("{:?}", snapshot.alerts) };
    assert_eq!(
        (alert.state, alert.severity, alert.value),
        (AlertState::Pending, Severity::Critical, Some(1.5))
    );
    assert_eq!(alert.starts_at.to_string(), "2026-03-01T11:59:00.5Z");
    let same = source.answer(&Query::Rules.now(), reply.digest).await.unwrap();
    assert!(matches!(same.answer, Answer::Unchanged));
    let firing = source.answer(&Query::Rules.now(), reply.digest).await.unwrap();
    let Answer::Rules(snapshot) = firing.answer else { panic!() };
    assert!(snapshot.alerts[0].is_firing());
    // two minutes after its condition became true, as the rule's `for` requires
    assert_eq!(snapshot.alerts[0].starts_at.to_string(), "2026-03-01T12:01:00.5Z");
}

#[tokio::test]
async fn odd_fields_of_rules_cost_themselves_and_odd_elements_are_told() {
    let alert = |value: serde_json::Value, since: serde_json::Value| json!({ "labels": { "n": value.to_string() }, "state": "firing", "activeAt": since, "value": value });
    let alerts = json!([
        alert(json!(3.5), json!(1_772_366_340)),
        alert(json!(null), json!(null)),
        alert(json!("1e3"), json!("2026-03-01T11:59:00Z")),
        null,
        "x"
    ]);
    let rules = json!([{ "name": "Odd", "query": null, "duration": "2m", "labels": null, "annotations": [], "lastError": null, "health": 7, "alerts": alerts },
        { "name": "Bare", "duration": "120", "alerts": null }, null, { "name": null }, 7]);
    let double = Double::start(move |asked| {
        if !asked.path.ends_with("rules") {
            return CannedResponse::new(404, "text/plain", "");
        }
        CannedResponse::json(&json!({ "status": "success", "warnings": null, "infos": null, "isPartial": null,
            "data": { "groups": [{ "name": null, "rules": rules }, { "name": "none", "rules": null }, null] } }).to_string())
    })
    .await;
    let reply = source(&double).answer(&Query::Rules.now(), None).await.unwrap();
    assert_eq!(reply.warnings, [Warning::missing("6 rules and alerts could not be read and are left out")]);
    let Answer::Rules(snapshot) = reply.answer else { panic!() };
    let holds: Vec<_> = snapshot.rules.iter().map(|rule| (&*rule.name, rule.hold.as_secs())).collect();
    assert_eq!(holds, [("Odd", 120), ("Bare", 120)]);
    let of = |n: &str| snapshot.alerts.iter().find(|alert| alert.labels.value("n") == n).unwrap();
    // the alert fires since the rule's `for` had passed
    assert_eq!((of("3.5").value, of("3.5").starts_at.as_second()), (Some(3.5), 1_772_366_340 + 120));
    assert_eq!((of("null").value, of("\"1e3\"").value), (None, Some(1000.0)));
}

#[tokio::test]
async fn a_server_without_rules_says_so() {
    let double = Double::start(|_| CannedResponse::new(404, "text/plain", "404 page not found")).await;
    let error = source(&double).answer(&Query::Rules.now(), None).await.unwrap_err();
    assert_eq!(error.to_string(), "prom: it does not offer alerting rules");
}

#[tokio::test]
async fn rules_that_fail_are_told_with_the_servers_words_recording_ones_too() {
    let double = Double::start(|asked| {
        let rule = |kind: &str, name: &str, health: &str, error: &str| {
            json!({ "type": kind, "name": name, "query": "a", "labels": { "service": "store" }, "health": health,
                    "lastError": error, "duration": 0, "alerts": [] })
        };
        let all = [
            rule("alerting", "Fine", "ok", ""),
            rule("alerting", "Unpaired", "err", "many-to-many matching"),
            rule("alerting", "Mute", "err", ""),
            rule("recording", "job:fine", "ok", ""),
            rule("recording", "job:broken", "err", "duplicate series"),
            rule("recording", "job:new", "unknown", ""),
        ];
        // some servers ignore the `type` parameter
        let wanted = all.into_iter().filter(|rule| asked.parameter("type") != "alert" || rule["type"] == "alerting");
        match asked.path.as_str() {
            "/api/v1/rules" => success(&json!({ "groups": [{ "name": "disks", "rules": wanted.collect::<Vec<_>>() }] })),
            _ => CannedResponse::new(404, "text/plain", ""),
        }
    })
    .await;
    let source = source(&double);
    let Answer::Rules(snapshot) = ask(&source, Query::Rules.now()).await.answer else { panic!() };
    let reported: Vec<String> =
        snapshot.broken.iter().map(crate::model::rule::BrokenRule::sentence).collect();
    assert_eq!(
        reported,
        [
            "alerting rule Mute (group disks) fails: the server gives no reason",
            "alerting rule Unpaired (group disks) fails: many-to-many matching",
            "recording rule job:broken (group disks) fails: duplicate series",
        ]
    );
    // there may be thousands of recording rules, so they are not read in each round
    ask(&source, Query::Rules.now()).await;
    let recordings = double.asked().iter().filter(|asked| asked.parameter("type") == "record").count();
    assert_eq!(recordings, 1);
}
