mod contract;
mod derived;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::backend::Source;
use crate::backend::alertmanager_api::alerts;
use crate::backend::kit::double::{CannedResponse, Double};
use crate::backend::kit::tests::contract::Description;
use crate::config::settings::Settings;
use crate::model::alert::{Alert, AlertState, Severity};
use crate::model::ask::{Ask, Query};
use crate::model::fingerprint::Fingerprint;
use crate::model::labels::{Labels, Text};
use crate::model::silence::{Silence, SilenceState};
use crate::model::tests::shared::shared;
use crate::model::warning::Warning;

const GROUPS: &str = include_str!("fixtures/groups.json");
const SILENCES: &str = include_str!("fixtures/silences.json");

fn alertmanager(double: &Double, prefix: &str) -> Alertmanager {
    let mut source = double.source("alertmanager");
    source.url.push_str(prefix);
    connected(&source, &Settings::default())
}

fn connected(source: &SourceSettings, settings: &Settings) -> Alertmanager {
    let clock = Clock::fixed(Timestamp::from_second(1_800_000_000).unwrap());
    Alertmanager::new(&SourceId::new("am"), source, SourceDeps::new(settings, clock)).unwrap()
}

/// The result of one question if every request gets this answer.
async fn ask(ask: Ask, body: &str) -> Answered {
    let canned = CannedResponse::json(body);
    let double = Double::start(move |_| canned.clone()).await;
    alertmanager(&double, "").answer(&ask, None).await
}

async fn alerts(body: &str) -> Vec<Arc<Alert>> {
    match ask(Query::Alerts.now(), body).await.unwrap().answer {
        Answer::Alerts(snapshot) => snapshot.alerts,
        other => panic!("{other:?}"),
    }
}

async fn silences(body: &str) -> Vec<Arc<Silence>> {
    match ask(Query::Silences.now(), body).await.unwrap().answer {
        Answer::Silences(silences) => silences,
        other => panic!("{other:?}"),
    }
}

async fn failure(canned: CannedResponse) -> ErrorKind {
    let double = Double::start(move |_| canned.clone()).await;
    alertmanager(&double, "").answer(&Query::Alerts.now(), None).await.unwrap_err().kind
}

fn read(body: &str, shape: AlertListShape) -> Vec<Arc<Alert>> {
    let (mut shared, severities, id) = (SharedTexts::default(), SeverityMap::default(), SourceId::new("am"));
    let read = AlertReader::new(&mut shared, &severities, &id).read(body.as_bytes(), shape, None).unwrap();
    let snapshot = read.snapshot;
    snapshot.unwrap().alerts
}

fn named<'a>(alerts: &'a [Arc<Alert>], name: &str) -> &'a Alert {
    alerts.iter().find(|alert| alert.name() == name).unwrap_or_else(|| panic!("no {name}"))
}

fn texts(list: &[Text]) -> Vec<&str> {
    list.iter().map(|text| &**text).collect()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[tokio::test]
async fn an_alert_that_two_receivers_take_is_one_alert_with_two_receivers() {
    let alerts = alerts(GROUPS).await;
    assert_eq!(alerts.len(), 5);
    let burn = named(&alerts, "CheckoutErrorBudgetBurn");
    assert_eq!(burn.fingerprint, Fingerprint::of(&burn.labels));
    assert_eq!(texts(&burn.receivers), ["chat", "pager"]);
    assert_eq!(burn.group, Labels::from_iter([("service", "checkout")]));
    assert_eq!((burn.state, burn.severity), (AlertState::Firing, Severity::Critical));
    assert_eq!(burn.starts_at, at("2026-11-20T22:14:05.000Z"));
    assert_eq!(burn.updated_at, at("2026-11-20T22:31:05.123Z"));
    assert_eq!(burn.resolved_at, None, "endsAt of an active alert is when it would time out");
    assert_eq!(burn.generator_url.as_deref(), Some("http://prom.example/graph?g0.expr=burn"));
    assert_eq!(burn.summary().map(|text| &**text), Some("Burning 14 times too fast\nsince the deploy"));
    assert_eq!(burn.sources, [SourceId::new("am")]);
}

#[tokio::test]
async fn silenced_muted_inhibited_and_unprocessed_are_told_apart() {
    let alerts = alerts(GROUPS).await;
    let states = ["PaymentsLatency", "Nightly", "CartSlow", "Fresh"].map(|name| named(&alerts, name).state);
    let expected = [AlertState::Silenced, AlertState::Silenced, AlertState::Inhibited, AlertState::Firing];
    assert_eq!(states, expected);
    let silenced = named(&alerts, "PaymentsLatency");
    assert_eq!(texts(&silenced.silenced_by), ["c0ffee00-0000-4000-8000-000000000001"]);
    assert_eq!(texts(&named(&alerts, "CartSlow").inhibited_by), ["00000000000000aa"]);
}

#[tokio::test]
async fn unknown_fields_states_and_missing_parts_do_not_hide_an_alert() {
    let alerts = alerts(
        r#"[{"new":{"x":[1]},"alerts":[
            {"labels":{"alertname":"Odd","count":3,"nothing":null,"list":["x"]},"status":{"state":"snoozed","why":1},"receivers":null},
            {"labels":{"alertname":"Timed"},"startsAt":"yesterday","updatedAt":"2026-11-20T22:31:05Z","fingerprint":"no hex"}
        ],"receiver":{"name":"pager","labels":{"team":"a"}}},{"alerts":null}]"#,
    )
    .await;
    assert_eq!(alerts.len(), 2);
    let odd = named(&alerts, "Odd");
    assert_eq!(odd.labels, Labels::from_iter([("alertname", "Odd"), ("count", "3")]));
    assert_eq!((odd.state, odd.fingerprint), (AlertState::Firing, Fingerprint::of(&odd.labels)));
    assert_eq!(texts(&odd.receivers), ["pager"]);
    assert_eq!(named(&alerts, "Timed").starts_at, at("2026-11-20T22:31:05Z"));
}

#[tokio::test]
async fn what_cannot_be_read_is_left_out_and_told_with_every_answer() {
    let double = Double::start(|asked| {
        CannedResponse::json(if asked.path.ends_with("silences") {
            r#"[null,7,{"id":"s1","status":null,"matchers":[{"name":"a","value":1,"isRegex":null,"isEqual":"true"}],"comment":null},
                {"id":"s2","status":{"state":"active"},"matchers":[null]}]"#
        } else {
            r#"[null,{"alerts":[{"labels":{"alertname":"A"},"status":null,"receivers":[null],"startsAt":1795213865},
                {"labels":null},"x",{"labels":{"alertname":"B"},"status":"firing","annotations":[1]}],"receiver":null},
                {"alerts":7},"group"]"#
        })
    })
    .await;
    let source = alertmanager(&double, "");
    let mut known = None;
    for _ in 0..2 {
        let reply = source.answer(&Query::Alerts.now(), known).await.unwrap();
        // this server does not report silenced alerts, so they are derived from the silences, some of which are unreadable
        let missing =
            ["5 alerts could not be read and are left out", "3 silences could not be read and are left out"];
        assert_eq!(reply.warnings, missing.map(Warning::missing));
        if let Answer::Alerts(snapshot) = reply.answer {
            let names: Vec<_> = snapshot.alerts.iter().map(|alert| alert.name().to_owned()).collect();
            assert_eq!(names.len(), 2, "{names:?}");
            assert_eq!(named(&snapshot.alerts, "A").starts_at.as_second(), 1_795_213_865);
        }
        known = reply.digest;
    }
    known = None;
    for _ in 0..2 {
        let reply = source.answer(&Query::Silences.now(), known).await.unwrap();
        assert_eq!(reply.warnings, [Warning::missing("3 silences could not be read and are left out")]);
        if let Answer::Silences(all) = reply.answer {
            assert_eq!((all.len(), all[0].matchers[0].to_string()), (1, r#"a="1""#.to_owned()));
        }
        known = reply.digest;
    }
    for (path, body) in
        [(Query::Silences.now(), "null"), (Query::Alerts.now(), "null"), (Query::Silences.now(), "[]")]
    {
        let double = Double::start(move |_| CannedResponse::json(body)).await;
        let reply = alertmanager(&double, "").answer(&path, None).await.unwrap();
        assert!(reply.warnings.is_empty(), "{body}: {:?}", reply.warnings);
    }
    for (path, body) in [
        (Query::Silences.now(), r#"{"a":1}"#),
        (Query::Alerts.now(), r#""text""#),
        (Query::Silences.now(), "7"),
    ] {
        let double = Double::start(move |_| CannedResponse::json(body)).await;
        let error = alertmanager(&double, "").answer(&path, None).await.unwrap_err();
        assert!(matches!(error.kind, ErrorKind::Garbled { .. }), "{body}: {error}");
    }
}

#[tokio::test]
async fn labels_and_annotations_come_in_as_they_are() {
    let long = "x".repeat(10_000);
    let body = format!(
        r#"[{{"labels":{{"e\u001b[2Jvil":"\u202eabc"}},"receiver":{{"name":"\u0007"}},"alerts":[
            {{"labels":{{"alertname":"\u001b]0;owned\u0007","long":"{long}"}},"annotations":{{"summary":"two\nlines\u001b[31m"}},
             "generatorURL":"http://x/\u001b[1m"}}]}}]"#
    );
    let alerts = alerts(&body).await;
    let alert = &alerts[0];
    assert_eq!(alert.name(), "\u{1b}]0;owned\u{7}");
    assert_eq!(alert.labels.value("long"), long);
    assert_eq!(alert.annotations.value("summary"), "two\nlines\u{1b}[31m");
    assert_eq!(alert.group, Labels::from_iter([("e\u{1b}[2Jvil", "\u{202e}abc")]));
    assert_eq!(texts(&alert.receivers), ["\u{7}"]);
    assert_eq!(alert.generator_url.as_deref(), Some("http://x/\u{1b}[1m"));
}

#[tokio::test]
async fn alerts_that_were_only_sent_again_are_unchanged_for_one_who_knows_them() {
    let groups = GROUPS.replace("unprocessed", "active");
    let again = groups.replace("\"updatedAt\":\"20", "\"updatedAt\":\"21");
    assert_ne!(again, groups);
    let turn = Mutex::new(vec![again.clone(), again, groups]);
    let double = Double::start(move |_| CannedResponse::json(&turn.lock().unwrap().pop().unwrap())).await;
    let alertmanager = alertmanager(&double, "");
    let known = alertmanager.answer(&Query::Alerts.now(), None).await.unwrap().digest;
    let reply = alertmanager.answer(&Query::Alerts.now(), known).await.unwrap();
    assert!(matches!(reply.answer, Answer::Unchanged) && reply.digest == known);
    // the first answer may have been lost
    let reply = alertmanager.answer(&Query::Alerts.now(), None).await.unwrap();
    assert!(matches!(reply.answer, Answer::Alerts(_)) && reply.digest != known);
}

#[tokio::test]
async fn the_same_alerts_are_unchanged_even_if_another_inhibitor_is_named() {
    // each alert names its silences and inhibitors
    let groups = GROUPS.replace("unprocessed", "active");
    let other = groups.replace("00000000000000aa", "00000000000000bb");
    let resolved = groups.replace("\"suppressed\"", "\"active\"");
    let turn = Mutex::new(vec![resolved, other, groups.clone(), groups]);
    let double = Double::start(move |_| CannedResponse::json(&turn.lock().unwrap().pop().unwrap())).await;
    let alertmanager = alertmanager(&double, "");
    let known = alertmanager.answer(&Query::Alerts.now(), None).await.unwrap().digest;
    assert!(known.is_some());
    for _ in 0..2 {
        let again = alertmanager.answer(&Query::Alerts.now(), known).await.unwrap();
        assert!(matches!(again.answer, Answer::Unchanged) && again.digest == known && again.bytes_in > 1000);
    }
    let changed = alertmanager.answer(&Query::Alerts.now(), known).await.unwrap();
    assert!(matches!(changed.answer, Answer::Alerts(_)) && changed.digest != known);
}

#[tokio::test]
async fn a_label_cannot_hide_a_change_from_the_digest() {
    let body = |rest: &str| format!(r#"[{{"labels":{{"a":"\"inhibitedBy\":[{rest}"}}}}]"#);
    assert_ne!(alerts::digest(body("1").as_bytes()), alerts::digest(body("2").as_bytes()));
    let list = |ids: &str| format!(r#"{{"inhibitedBy":[{ids}]}}"#);
    assert_ne!(alerts::digest(list("").as_bytes()), alerts::digest(list("\"a\"").as_bytes()));
    assert_eq!(alerts::digest(list("\"b\"").as_bytes()), alerts::digest(list("\"a\"").as_bytes()));
    assert_eq!(alerts::digest(br#""inhibitedBy":["#), alerts::digest(br#""inhibitedBy":["#));
}

#[tokio::test]
async fn without_groups_the_plain_list_is_asked_from_then_on() {
    let double = Double::start(|asked| match asked.path.as_str() {
        "/am/api/v2/alerts" => CannedResponse::json(
            r#"[{"labels":{"alertname":"A"},"receivers":[{"name":"r"}],"status":{"state":"active"}}]"#,
        ),
        _ => CannedResponse::new(404, "text/plain", "404 page not found"),
    })
    .await;
    let alertmanager = alertmanager(&double, "/am/");
    for requests in [2, 1] {
        let reply = alertmanager.answer(&Query::Alerts.now(), None).await.unwrap();
        let Answer::Alerts(snapshot) = reply.answer else { panic!("no alerts") };
        assert_eq!((reply.requests, texts(&snapshot.alerts[0].receivers)), (requests, vec!["r"]));
    }
    let paths: Vec<_> = double.asked().into_iter().map(|asked| asked.path).collect();
    assert_eq!(paths, ["/am/api/v2/alerts/groups", "/am/api/v2/alerts", "/am/api/v2/alerts"]);
}

#[tokio::test]
async fn what_is_no_alertmanager_is_named() {
    let garbled = async |canned| match failure(canned).await {
        ErrorKind::Garbled { reason } => reason,
        other => panic!("{other:?}"),
    };
    assert!(
        garbled(CannedResponse::new(404, "text/plain", "404 page not found"))
            .await
            .contains("no Alertmanager API v2")
    );
    assert!(garbled(CannedResponse::new(410, "application/json", "{}")).await.contains("API v1"));
    assert!(garbled(CannedResponse::new(200, "text/html", "<html>Sign in</html>")).await.contains("HTML"));
    assert!(garbled(CannedResponse::json(GROUPS.get(..900).unwrap())).await.contains("cut off"));
    assert!(
        garbled(CannedResponse::json(r#"{"status":"success","data":[]}"#))
            .await
            .contains("not an answer of an Alertmanager")
    );
    assert_eq!(
        failure(CannedResponse::new(401, "text/plain", "")).await,
        ErrorKind::Unauthorised { message: String::new() }
    );
    let error = ask(Query::Probe.now(), r#"{"status":"success"}"#).await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::Garbled { .. }), "{error}");
    let error = ask(Query::Rules.now(), "[]").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotOffered { what: "rules".into() });
}

#[tokio::test]
async fn silences_keep_their_four_kinds_of_matchers_and_expired_ones_are_told() {
    let silences = silences(SILENCES).await;
    let states: Vec<_> = silences.iter().map(|silence| silence.state).collect();
    assert_eq!(states, [SilenceState::Active, SilenceState::Pending, SilenceState::Expired]);
    let matchers: Vec<_> = silences[0].matchers.iter().map(ToString::to_string).collect();
    assert_eq!(
        matchers,
        [r#"service="payments""#, r#"region=~"eu-.*""#, r#"env!="dev""#, r#"pod!~"canary-.*""#]
    );
    assert_eq!((&*silences[0].created_by, &*silences[0].comment), ("ada", "Migration\nuntil noon"));
    assert_eq!(silences[0].ends_at, at("2026-11-21T12:00:00Z"));
    assert!(silences[0].matches(&Labels::from_iter([("service", "payments"), ("region", "eu-1")])));
    // octal notation, which only Go accepts
    assert!(silences[1].matches(&Labels::from_iter([("service", "cart")])));
    assert!(!silences[1].matches(&Labels::from_iter([("service", "dart")])));
}

#[tokio::test]
async fn a_probe_tells_version_cluster_receivers_and_clock() {
    let double = Double::start(|asked| {
        let body = match asked.path.as_str() {
            "/api/v2/status" => {
                r#"{"cluster":{"name":"01A","status":"settling","peers":[{"name":"01A","address":"10.0.0.1:9094"},{"name":"01B","address":"10.0.0.2:9094"}]},
                    "config":{"original":"secret"},"uptime":"2026-11-20T02:20:17.038Z","versionInfo":{"version":"0.28.1","branch":"HEAD"}}"#
            }
            _ => r#"[{"name":"pager"},{"name":"chat"}]"#,
        };
        CannedResponse::json(body).header("Date", "Fri, 15 Jan 2027 08:01:10 GMT")
    })
    .await;
    let reply = alertmanager(&double, "").answer(&Query::Probe.now(), None).await.unwrap();
    let Answer::Probe(offer) = reply.answer else { panic!("no offer") };
    assert_eq!((&*offer.flavour, &*offer.version, reply.requests), ("Alertmanager", "0.28.1", 2));
    let facts: Vec<_> = offer.facts.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    assert_eq!(
        facts,
        [
            "cluster: settling",
            "peers: 2: 10.0.0.1:9094, 10.0.0.2:9094",
            "up since: 2026-11-20T02:20:17.038Z",
            "receivers: pager, chat"
        ]
    );
    assert_eq!(offer.clock_ahead_seconds, Some(70));
    let warnings = offer.warnings.join("; ");
    assert!(warnings.contains("settling") && warnings.contains("70 s ahead"), "{warnings}");
}

#[tokio::test]
async fn an_older_server_without_receivers_is_still_well() {
    let double = Double::start(|asked| match asked.path.as_str() {
        "/api/v2/status" => CannedResponse::json(
            r#"{"versionInfo":{"version":"0.20.0"},"cluster":{"status":"ready","peers":null}}"#,
        ),
        _ => CannedResponse::new(500, "text/plain", "no"),
    })
    .await;
    let Answer::Probe(offer) =
        alertmanager(&double, "").answer(&Query::Probe.now(), None).await.unwrap().answer
    else {
        panic!("no offer")
    };
    assert_eq!(offer.clock_ahead_seconds, None);
    assert_eq!(offer.warnings.len(), 1, "{:?}", offer.warnings);
}

/// The memory of these alerts in bytes: each shared string once, with its reference counts and the allocator's overhead, and
/// the structs.
fn held(alerts: &[Arc<Alert>]) -> usize {
    const ARC: usize = 16 + 16;
    let mut strings = HashMap::new();
    let mut lists = HashMap::new();
    let mut bytes = 0;
    for alert in alerts {
        bytes += size_of::<Alert>() + ARC + size_of::<SourceId>() + 16;
        for set in [&alert.labels, &alert.annotations, &alert.group] {
            bytes += set.len() * size_of::<(Text, Text)>() + ARC;
            strings.extend(
                set.iter()
                    .flat_map(|(name, value)| [(name.as_ptr(), name.len()), (value.as_ptr(), value.len())]),
            );
        }
        for list in [&alert.receivers, &alert.silenced_by, &alert.inhibited_by] {
            lists.insert(list.as_ptr(), list.len());
        }
        strings.extend(alert.generator_url.iter().map(|url| (url.as_ptr(), url.len())));
    }
    // the interner's table can have room for twice as many texts as it contains
    let strings: usize = strings.values().map(|len| len + ARC + 2 * (size_of::<Text>() + 1)).sum();
    bytes + strings + lists.values().map(|len| len * size_of::<Text>() + ARC).sum::<usize>()
}

#[test]
fn ten_thousand_alerts_with_twenty_labels_stay_under_40_mb() {
    let mut body = String::from("[");
    for i in 0..10_000 {
        let comma = if i == 0 { "" } else { "," };
        write!(
            body,
            r#"{comma}{{"labels":{{"alertname":"Alert{}","pod":"pod-{i}","instance":"10.0.{}.{}:9100""#,
            i % 50,
            i / 250,
            i % 250
        )
        .unwrap();
        for label in 3..20 {
            write!(body, r#","label_number_{label}":"value {} of {label}""#, i % (label * 3)).unwrap();
        }
        write!(
            body,
            r#"}},"annotations":{{"summary":"Something is wrong with pod-{i}","description":"{i} {}","runbook_url":"https://runbooks.example/{}"}},
            "startsAt":"2026-11-20T22:14:05.000Z","updatedAt":"2026-11-20T22:14:05.000Z","fingerprint":"{i:016x}",
            "generatorURL":"http://prom.example/graph?g0.expr={}","receivers":[{{"name":"team-{}"}}],"status":{{"state":"active"}}}}"#,
            "lorem ipsum ".repeat(25), i % 50, i % 50, i % 8
        )
        .unwrap();
    }
    body.push(']');
    let alerts = read(&body, AlertListShape::Flat);
    assert_eq!((alerts.len(), alerts[0].labels.len()), (10_000, 20));
    let held = held(&alerts);
    assert!(held < 40_000_000, "{held} bytes held");
}

#[tokio::test]
async fn a_server_that_hangs_is_timed_out() {
    let double = Double::start(|_| CannedResponse::hang()).await;
    let mut settings = Settings::default();
    settings.limits.timeout.0 = Duration::from_millis(100);
    let source = connected(&double.source("alertmanager"), &settings);
    let error = source.answer(&Query::Alerts.now(), None).await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::TimedOut { .. }), "{error}");
}
