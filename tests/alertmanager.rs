//! Tests with a real Alertmanager at `BURNWATCH_TEST_ALERTMANAGER`: posted alerts come back in the model's types, and silenced
//! alerts are marked as silenced.
#![cfg(test)]

#[path = "alertmanager/proposals.rs"]
mod proposals;
#[path = "support/real.rs"]
mod real;
#[path = "alertmanager/silencing.rs"]
mod silencing;
#[path = "support/skip.rs"]
mod skip;

use std::sync::Arc;

use burnwatch::testing::backend::{Clock, Source, SourceDeps, connect, kind};
use burnwatch::testing::config::settings::{Settings, SourceSettings};
use burnwatch::testing::model::alert::{Alert, AlertState, Severity};
use burnwatch::testing::model::ask::{Answer, Query};
use burnwatch::testing::model::fingerprint::Fingerprint;
use burnwatch::testing::model::labels::Labels;
use burnwatch::testing::model::silence::{Silence, SilenceState};
use burnwatch::testing::model::source::SourceId;
use jiff::{Timestamp, ToSpan};
use real::real;
use serde_json::{Value, json};

#[expect(clippy::disallowed_methods, reason = "a real server has the real time")]
fn now() -> Timestamp {
    Timestamp::now()
}

fn connected(url: &str) -> Arc<dyn Source> {
    let settings = Settings::default();
    let source = SourceSettings::new(kind("alertmanager"), url);
    let deps = SourceDeps::new(&settings, Clock::real());
    connect(&SourceId::new("am"), &source, deps)
}

async fn post(url: &str, path: &str, body: &Value) {
    let request = reqwest::Client::new().post(format!("{url}/api/v2/{path}"));
    let response = request.header("Content-Type", "application/json").body(body.to_string()).send().await;
    let status = response.expect("the server answers").status();
    assert!(status.is_success(), "{path}: {status}");
}

async fn alerts(source: &dyn Source) -> (Vec<Arc<Alert>>, Option<u64>) {
    let reply = source.answer(&Query::Alerts.now(), None).await.expect("alerts");
    match reply.answer {
        Answer::Alerts(snapshot) => (snapshot.alerts, reply.digest),
        other => panic!("{other:?}"),
    }
}

async fn silences(source: &dyn Source) -> Vec<Arc<Silence>> {
    match source.answer(&Query::Silences.now(), None).await.expect("silences").answer {
        Answer::Silences(silences) => silences,
        other => panic!("{other:?}"),
    }
}

fn find(alerts: &[Arc<Alert>], labels: &Labels) -> Option<Arc<Alert>> {
    alerts.iter().find(|alert| alert.labels == *labels).cloned()
}

/// Waits until the server has grouped and silenced the alerts.
async fn settled(source: &dyn Source, loud: &Labels, quiet: &Labels) -> (Arc<Alert>, Arc<Alert>) {
    for _ in 0..100 {
        let (alerts, _) = alerts(source).await;
        if let (Some(loud), Some(quiet)) = (find(&alerts, loud), find(&alerts, quiet))
            && quiet.state == AlertState::Silenced
        {
            return (loud, quiet);
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("the alerts did not come or were not silenced within 10 s");
}

#[tokio::test]
async fn alerts_and_silences_come_back_from_a_real_server() {
    let Some(url) = real("BURNWATCH_TEST_ALERTMANAGER") else { return };
    // first, because a source installs the TLS provider that the plain clients below need, too
    let source = &*connected(&url);
    let Answer::Probe(offer) = source.answer(&Query::Probe.now(), None).await.expect("a probe").answer else {
        panic!("no offer")
    };
    assert!(!offer.version.is_empty() && offer.clock_ahead_seconds.is_some(), "{offer:?}");
    assert!(offer.facts.iter().any(|(name, value)| &**name == "receivers" && !value.is_empty()), "{offer:?}");

    let run = now().as_nanosecond().to_string();
    let labels = |name: &str| {
        Labels::from_iter([("alertname", name), ("severity", "page"), ("path", "C:\\ü \"x\""), ("run", &run)])
    };
    let (loud, quiet) = (labels("BurnwatchLoud"), labels("BurnwatchQuiet"));
    let wire = |labels: &Labels| {
        let labels: serde_json::Map<_, _> =
            labels.iter().map(|(name, value)| (name.to_string(), Value::from(&**value))).collect();
        json!({ "labels": labels, "annotations": { "summary": "two\nlines" }, "generatorURL": "http://prom.example/graph" })
    };
    let until = |minutes: i64| (now() + minutes.minutes()).to_string();
    let silence = json!({
        "matchers": [
            { "name": "alertname", "value": "Burnwatch(Quiet|Still)", "isRegex": true, "isEqual": true },
            { "name": "run", "value": run, "isRegex": false, "isEqual": true },
        ],
        "startsAt": now().to_string(), "endsAt": until(5), "createdBy": "burnwatch", "comment": "a test",
    });
    post(&url, "silences", &silence).await;
    post(&url, "alerts", &json!([wire(&loud), wire(&quiet)])).await;

    let (loud, quiet) = settled(source, &loud, &quiet).await;
    assert_eq!((loud.state, loud.severity), (AlertState::Firing, Severity::Critical));
    assert_eq!(loud.fingerprint, Fingerprint::of(&loud.labels));
    assert_eq!(loud.annotations.value("summary"), "two\nlines");
    assert!(!loud.receivers.is_empty() && loud.resolved_at.is_none());

    let silences = silences(source).await;
    let silence = silences.iter().find(|silence| silence.id == quiet.silenced_by[0]).expect("the silence");
    assert_eq!((silence.state, &*silence.created_by), (SilenceState::Active, "burnwatch"));
    assert!(silence.matches(&quiet.labels) && !silence.matches(&loud.labels));

    unchanged_when_nothing_happens(source).await;
    let gone = reqwest::Client::new().delete(format!("{url}/api/v2/silence/{}", silence.id)).send().await;
    assert!(gone.expect("the server answers").status().is_success());
    let mut over = wire(&loud.labels);
    over["endsAt"] = now().to_string().into();
    post(&url, "alerts", &json!([over])).await;
}

/// Other tests may post to the same server meanwhile, so a single unchanged answer is enough.
async fn unchanged_when_nothing_happens(source: &dyn Source) {
    for _ in 0..20 {
        let (_, known) = alerts(source).await;
        let again = source.answer(&Query::Alerts.now(), known).await.expect("alerts");
        if matches!(again.answer, Answer::Unchanged) {
            return;
        }
    }
    panic!("the digest never recognised the same alerts");
}
