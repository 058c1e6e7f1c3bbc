//! Silences created, previewed, extended and expired at a real Alertmanager.

use std::collections::{BTreeMap, BTreeSet};

use burnwatch::testing::model::action::{
    Action, ActionResult, ActionTarget, Operation, SilenceDraft, Verification,
};
use burnwatch::testing::model::labels::Text;
use burnwatch::testing::model::matcher::{Matcher, Operator, parse};

use super::*;

fn action(id: &str, operation: Operation) -> Action {
    let target = ActionTarget { id: id.into(), name: "".into(), seen: None };
    Action { source: SourceId::new("am"), target, operation }
}

pub(crate) fn draft(matchers: Vec<Matcher>, comment: &str) -> SilenceDraft {
    SilenceDraft {
        matchers,
        starts_at: None,
        ends_at: now() + 5.minutes(),
        created_by: "ana".into(),
        comment: comment.into(),
    }
}

/// A label value that no other test uses at this server.
pub(crate) fn a_run() -> String {
    now().as_nanosecond().to_string()
}

pub(crate) fn of_run(run: &str) -> Matcher {
    Matcher::new("run", Operator::Equal, run).expect("no expression")
}

async fn done(source: &dyn Source, id: &str, operation: Operation) -> Option<Text> {
    match source.execute(&action(id, operation)).await {
        Ok(ActionResult::Done { id }) => id,
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn make(source: &dyn Source, draft: SilenceDraft) -> Text {
    done(source, "", Operation::Silence { draft }).await.expect("a new silence has an id")
}

pub(crate) async fn expire(source: &dyn Source, id: &str) {
    assert_eq!(done(source, id, Operation::Expire).await, None);
}

/// Posts an alert with each of these sets of labels and the label of the run.
pub(crate) async fn fire(url: &str, run: &str, all: &[Vec<(&str, String)>], until: Timestamp) {
    let wire = all.iter().map(|labels| {
        let mut labels: serde_json::Map<_, _> =
            labels.iter().map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str()))).collect();
        labels.insert("run".into(), run.into());
        json!({ "labels": labels, "endsAt": until.to_string() })
    });
    post(url, "alerts", &Value::Array(wire.collect())).await;
}

async fn of_this_run(source: &dyn Source, run: &str, count: usize) -> Vec<Arc<Alert>> {
    for _ in 0..100 {
        let (mut alerts, _) = alerts(source).await;
        alerts.retain(|alert| alert.labels.value("run") == run);
        if alerts.len() == count {
            return alerts;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("{count} alerts did not come within 10 s");
}

async fn stored(source: &dyn Source, id: &str) -> Option<Arc<Silence>> {
    silences(source).await.into_iter().find(|silence| &*silence.id == id)
}

pub(crate) const VALUES: [&str; 14] = [
    "cart",
    "Cart",
    "cart-api",
    "checkout",
    "größe",
    "日本語",
    "a b",
    "a,b={c}",
    "say \"hi\"",
    "C:\\tmp",
    "a[b",
    "&",
    "x.y+z*",
    "٣",
];

const EXPRESSIONS: [&str; 36] = [
    "cart",
    "cart.*",
    "(?i)cart",
    "cart|checkout",
    "(cart|check)(out|-api)?",
    ".+",
    ".*",
    "",
    "c[a-z]{3}",
    r"\w+",
    r"\W+",
    r"\w+-\w+",
    r"\d",
    r"\D+",
    r"\S+",
    r".*\s.*",
    r".*\bb\b.*",
    r".*\B.*",
    r"[^\w]+",
    r"[\w-]+",
    "[a[b]{3}",
    "[a&&b]",
    "[[:alpha:]]+",
    r"\pL+",
    r"\p{Han}+",
    "gr..e",
    r"C:\\tmp",
    r".*\\.*",
    r#"say "hi""#,
    r"\Qx.y+z*\E",
    r"x\.y\+z\*",
    "a,b={c}",
    "[]a-c]+.*",
    "c{,2}art",
    r"\x63art",
    "(?s).*",
];

#[tokio::test]
async fn the_preview_of_a_silence_is_what_the_server_then_keeps_quiet() {
    let Some(url) = real("BURNWATCH_TEST_ALERTMANAGER") else { return };
    let source = &*connected(&url);
    drop(source.answer(&Query::Probe.now(), None).await.expect("a probe"));
    let run = a_run();
    // the last alert has none of the tested labels
    let mut labels: Vec<Vec<(&str, String)>> = VALUES
        .iter()
        .enumerate()
        .map(|(i, value)| vec![("value", (*value).to_owned()), ("zone", format!("eu-{}", i % 3))])
        .collect();
    labels.push(vec![("other", "x".into())]);
    fire(&url, &run, &labels, now() + 5.minutes()).await;

    let mut sets: Vec<Vec<Matcher>> = Vec::new();
    for value in VALUES.iter().chain(&[""]) {
        for operator in [Operator::Equal, Operator::NotEqual] {
            sets.push(vec![Matcher::new("value", operator, *value).expect("no expression")]);
        }
    }
    for expression in EXPRESSIONS {
        for operator in [Operator::Matches, Operator::MatchesNot] {
            sets.push(vec![Matcher::new("value", operator, expression).expect("an expression")]);
        }
    }
    for text in [
        r#"zone="eu-1",value=~"c.*""#,
        r#"zone!="eu-1",value!~"c.*""#,
        r#"zone=~"eu-(0|2)",value!="""#,
        r#"zone="",value="""#,
        r#"nowhere="""#,
        r#"nowhere!="""#,
        r#"nowhere=~".+""#,
        r#"other="x""#,
    ] {
        sets.push(parse(text).expect("matchers"));
    }
    assert!(sets.len() > 100);
    let mut made: BTreeMap<Text, Vec<Matcher>> = BTreeMap::new();
    for mut matchers in sets {
        matchers.push(of_run(&run));
        made.insert(make(source, draft(matchers.clone(), "a preview")).await, matchers);
    }
    let alerts = of_this_run(source, &run, labels.len()).await;
    let shown = silences(source).await;
    for (id, matchers) in &made {
        let texts: Vec<_> = matchers.iter().map(ToString::to_string).collect();
        let values = |is_quiet: &dyn Fn(&Alert) -> bool| -> BTreeSet<String> {
            alerts.iter().filter(|alert| is_quiet(alert)).map(|alert| format!("{:?}", alert.labels)).collect()
        };
        let previewed = values(&|alert| matchers.iter().all(|matcher| matcher.matches(&alert.labels)));
        let quiet = values(&|alert| alert.silenced_by.contains(id));
        assert_eq!(previewed, quiet, "{texts:?}");
        let silence = shown.iter().find(|silence| silence.id == *id).expect("it is listed");
        assert_eq!(values(&|alert| silence.matches(&alert.labels)), quiet, "as it is read back: {texts:?}");
    }
    for id in made.keys() {
        expire(source, id).await;
    }
    fire(&url, &run, &labels, now()).await;
}

#[tokio::test]
async fn what_is_shown_cleaned_is_silenced_as_it_is() {
    let Some(url) = real("BURNWATCH_TEST_ALERTMANAGER") else { return };
    let source = &*connected(&url);
    drop(source.answer(&Query::Probe.now(), None).await.expect("a probe"));
    let run = a_run();
    let values = ["\u{1b}[31mred", "a\tb", "a b", "right\u{202e}left", "plain"];
    let labels: Vec<_> = values.iter().map(|value| vec![("odd", (*value).to_owned())]).collect();
    fire(&url, &run, &labels, now() + 5.minutes()).await;
    let alerts = of_this_run(source, &run, values.len()).await;
    let mut made = Vec::new();
    for alert in &alerts {
        let shown = alert.labels.value("odd");
        for (operator, value) in [
            (Operator::Equal, shown),
            (Operator::NotEqual, shown),
            (Operator::Matches, &format!("{}|nothing", regex::escape(shown))),
            (Operator::MatchesNot, &format!("{}|nothing", regex::escape(shown))),
        ] {
            let matchers = vec![of_run(&run), Matcher::new("odd", operator, value).expect("an expression")];
            made.push((make(source, draft(matchers.clone(), "odd")).await, matchers));
        }
    }
    let alerts = of_this_run(source, &run, values.len()).await;
    for (id, matchers) in &made {
        for alert in &alerts {
            let is_previewed = matchers.iter().all(|matcher| matcher.matches(&alert.labels));
            assert_eq!(alert.silenced_by.contains(id), is_previewed, "{matchers:?} on {:?}", alert.labels);
        }
        expire(source, id).await;
    }
    fire(&url, &run, &labels, now()).await;
}

#[tokio::test]
async fn five_hundred_alerts_are_silenced_with_one_silence() {
    let Some(url) = real("BURNWATCH_TEST_ALERTMANAGER") else { return };
    let source = &*connected(&url);
    drop(source.answer(&Query::Probe.now(), None).await.expect("a probe"));
    let run = a_run();
    let labels = |range: std::ops::Range<usize>| -> Vec<Vec<(&str, String)>> {
        range.map(|i| vec![("alertname", format!("Disk{i}.full")), ("pod", format!("pod-{i}"))]).collect()
    };
    fire(&url, &run, &labels(0..510), now() + 5.minutes()).await;
    let names: Vec<_> = (0..500).map(|i| format!(r"Disk{i}\.full")).collect();
    let some = Matcher::new("alertname", Operator::Matches, names.join("|")).expect("an expression");
    let wanted = draft(vec![of_run(&run), some], "five hundred");
    let before = of_this_run(source, &run, 510).await;
    let previewed = before.iter().filter(|alert| wanted.matchers.iter().all(|m| m.matches(&alert.labels)));
    assert_eq!(previewed.count(), 500);
    let id = make(source, wanted).await;
    let after = of_this_run(source, &run, 510).await;
    let quiet = after.iter().filter(|alert| alert.silenced_by.contains(&id));
    assert_eq!(quiet.filter(|alert| alert.state == AlertState::Silenced).count(), 500);
    expire(source, &id).await;
    fire(&url, &run, &labels(0..510), now()).await;
}

#[tokio::test]
async fn a_silence_is_found_again_extended_and_expired_once() {
    let Some(url) = real("BURNWATCH_TEST_ALERTMANAGER") else { return };
    let source = &*connected(&url);
    drop(source.answer(&Query::Probe.now(), None).await.expect("a probe"));
    let run = a_run();
    let odd = Matcher::new("path", Operator::NotEqual, "\"\\ ü\n").expect("no expression");
    let wanted = draft(vec![of_run(&run), odd], "two\nlines");
    let (sent_at, silence) = (now(), action("", Operation::Silence { draft: wanted.clone() }));
    assert_eq!(source.verify(&silence, sent_at).await, Ok(Verification::NotDone));
    let id = make(source, wanted.clone()).await;
    assert_eq!(source.verify(&silence, sent_at).await, Ok(Verification::Done { id: Some(id.clone()) }));
    assert_eq!(source.verify(&silence, now() + 1.minutes()).await, Ok(Verification::NotDone), "it is older");
    let first = stored(source, &id).await.expect("it is there");
    assert_eq!((first.state, &*first.created_by), (SilenceState::Active, "ana"));

    let until = now() + 90.minutes();
    let extend = action(&id, Operation::Extend { until });
    assert_eq!(source.verify(&extend, now()).await, Ok(Verification::NotDone));
    assert_eq!(
        source.execute(&extend).await,
        Ok(ActionResult::Done { id: Some(id.clone()) }),
        "the id stays"
    );
    assert_eq!(source.verify(&extend, now()).await, Ok(Verification::Done { id: None }));
    assert!(matches!(source.execute(&extend).await, Ok(ActionResult::Already { .. })));
    let second = stored(source, &id).await.expect("it is there");
    assert_eq!((second.starts_at, &second.matchers), (first.starts_at, &first.matchers));
    assert_eq!(second.ends_at.as_millisecond(), until.as_millisecond());

    let expiry = action(&id, Operation::Expire);
    assert_eq!(source.verify(&expiry, now()).await, Ok(Verification::NotDone));
    expire(source, &id).await;
    assert_eq!(source.verify(&expiry, now()).await, Ok(Verification::Done { id: None }));
    match source.execute(&expiry).await {
        Ok(ActionResult::Already { words }) => assert!(words.starts_with("it expired at "), "{words}"),
        other => panic!("{other:?}"),
    }
    match source.execute(&extend).await {
        Ok(ActionResult::Conflict { words }) => assert!(words.starts_with("it expired at "), "{words}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_is_not_there_or_makes_no_sense_is_said_in_words() {
    let Some(url) = real("BURNWATCH_TEST_ALERTMANAGER") else { return };
    let source = &*connected(&url);
    let unknown = "00000000-0000-4000-8000-000000000000";
    for operation in [Operation::Expire, Operation::Extend { until: now() + 5.minutes() }] {
        match source.execute(&action(unknown, operation)).await {
            Ok(ActionResult::Conflict { words }) => assert_eq!(&*words, "the silence no longer exists"),
            other => panic!("{other:?}"),
        }
    }
    let all = Matcher::new("x", Operator::Matches, ".*").expect("an expression");
    let late = SilenceDraft { ends_at: now() - 5.minutes(), ..draft(vec![of_run("x")], "late") };
    for (draft, why) in
        [(draft(vec![all], "all"), "at least one matcher"), (late, "start time must be before end time")]
    {
        let error =
            source.execute(&action("", Operation::Silence { draft })).await.expect_err("it is refused");
        assert!(!error.is_unclear && error.to_string().contains(why), "{error}");
    }
}
