//! Rules with their alerts, and when an alert fired before.

use std::fmt::Write as _;

use super::*;
use crate::model::alert::{AlertState, Severity};

/// One group, evaluated at `second`; its alert is in `state`.
fn rules_of(second: u32, state: &str) -> Canned {
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
        if !asked.path.ends_with("rules") {
            return Canned::new(404, "text/plain", "");
        }
        // the first time it is asked who it is
        let second = second.fetch_add(1, Ordering::Relaxed);
        rules_of(second, if second < 3 { "pending" } else { "firing" })
    })
    .await;
    let source = source(&double);
    let reply = ask(&source, Ask::Rules).await;
    assert_eq!(reply.warnings, [Warning::notice("rule Burn fails to evaluate: many-to-many")]);
    let Answer::Rules(board) = reply.answer else { panic!() };
    let [burn, bare] = &board.rules[..] else { panic!("{:?}", board.rules) };
    assert_eq!((&*burn.name, &*burn.expr, burn.hold), ("Burn", "a > 1", Duration::from_secs(120)));
    assert_eq!(burn.annotations.value("summary"), "it\nburns \u{1b}[2J");
    assert_eq!(burn.error.as_deref(), Some("many-to-many"));
    assert_eq!(&*bare.name, "Bare");
    let [alert] = &board.alerts[..] else { panic!("{:?}", board.alerts) };
    assert_eq!(
        (alert.state, alert.severity, alert.value),
        (AlertState::Pending, Severity::Critical, Some(1.5))
    );
    assert_eq!(alert.starts_at.to_string(), "2026-03-01T11:59:00.5Z");
    let same = source.answer(&Ask::Rules, reply.digest).await.unwrap();
    assert!(matches!(same.answer, Answer::Unchanged));
    let firing = source.answer(&Ask::Rules, reply.digest).await.unwrap();
    assert!(matches!(firing.answer, Answer::Rules(board) if board.alerts[0].is_firing()));
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
            return Canned::new(404, "text/plain", "");
        }
        Canned::json(&json!({ "status": "success", "warnings": null, "infos": null, "isPartial": null,
            "data": { "groups": [{ "name": null, "rules": rules }, { "name": "none", "rules": null }, null] } }).to_string())
    })
    .await;
    let reply = source(&double).answer(&Ask::Rules, None).await.unwrap();
    assert_eq!(reply.warnings, [Warning::missing("rules and alerts that cannot be read are left out: 6")]);
    let Answer::Rules(board) = reply.answer else { panic!() };
    let holds: Vec<_> = board.rules.iter().map(|rule| (&*rule.name, rule.hold.as_secs())).collect();
    assert_eq!(holds, [("Odd", 120), ("Bare", 120)]);
    let of = |n: &str| board.alerts.iter().find(|alert| alert.labels.value("n") == n).unwrap();
    assert_eq!((of("3.5").value, of("3.5").starts_at.as_second()), (Some(3.5), 1_772_366_340));
    assert_eq!((of("null").value, of("\"1e3\"").value), (None, Some(1000.0)));
}

#[tokio::test]
async fn a_server_without_rules_says_so() {
    let double = Double::start(|_| Canned::new(404, "text/plain", "404 page not found")).await;
    let error = source(&double).answer(&Ask::Rules, None).await.unwrap_err();
    assert_eq!(error.to_string(), "prom: it does not offer alerting rules");
}

#[tokio::test]
async fn earlier_firings_are_those_of_the_same_alert_and_end_after_a_gap() {
    let double = Double::start(|asked| {
        if !asked.parameter("query").contains("ALERTS") {
            return shop(asked);
        }
        let start: f64 = asked.parameter("start").parse().unwrap();
        let points = |minutes: &[f64]| {
            let points: Vec<_> = minutes.iter().map(|minute| json!([start + minute * 60.0, "1"])).collect();
            json!(points)
        };
        let labels = |region: &str| json!({ "alertname": "Burn", "alertstate": "firing", "region": region });
        success(&json!({ "resultType": "matrix", "result": [
            { "metric": labels("eu"), "values": points(&[1.0, 2.0, 4.0, 7.0]) },
            { "metric": labels("us"), "values": points(&[9.0]) },
            { "metric": labels("eu"), "histograms": [] }] }))
    })
    .await;
    let labels = Labels::from_iter([
        ("alertname", "Burn"),
        ("region", "eu"),
        ("service", "a.b"),
        ("cluster", "added"),
    ]);
    let span = stretch().window;
    let firings =
        Ask::Firings { fingerprint: crate::model::fingerprint::Fingerprint::of(&labels), labels, span };
    let Answer::Firings(firings) = ask(&source(&double), firings).await.answer else { panic!() };
    let minutes = |at: Timestamp| (at.as_second() - span.start().as_second()) / 60;
    let found: Vec<_> = firings.iter().map(|firing| (minutes(firing.from), minutes(firing.to))).collect();
    assert_eq!(found, [(0, 4), (6, 7)]);
    let mut expected = String::new();
    write!(
        expected,
        "max_over_time(ALERTS{{alertname=\"Burn\",alertstate=\"firing\",service=~{:?}}}[1m])",
        r"|a\.b"
    )
    .unwrap();
    assert_eq!(double.asked().last().unwrap().parameter("query"), expected);
}
