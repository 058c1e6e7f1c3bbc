//! Tests of the account's log: who acknowledged incidents that were resolved before burnwatch saw them.

use std::sync::atomic::{AtomicI64, Ordering};

use super::*;
use crate::model::ask::Query;

fn entry(kind: &str, incident: &str, at: &str, who: &str) -> Value {
    json!({
        "id": format!("R{kind}{incident}{at}"), "type": format!("{kind}_log_entry"), "created_at": at,
        "summary": format!("{kind} by {who}"), "agent": thing("user", &format!("P{who}"), who),
        "channel": {"type": "mobile"}, "incident": thing("incident", incident, "checkout-api"),
    })
}

/// An account with one resolved incident and this log.
async fn with_log(log: impl Fn(&ReceivedRequest) -> CannedResponse + Send + Sync + 'static) -> Double {
    Double::start(move |asked| match asked.path.as_str() {
        "/incidents" if is_about(asked, "resolved") => {
            page(asked, "incidents", &[incident("Q1", "resolved")])
        }
        "/log_entries" => log(asked),
        _ => quiet(asked),
    })
    .await
}

fn logs(double: &Double) -> Vec<ReceivedRequest> {
    double.asked().into_iter().filter(|asked| asked.path == "/log_entries").collect()
}

#[tokio::test]
async fn who_acknowledged_what_was_resolved_before_the_start_is_known() {
    let double = with_log(|asked| {
        let mut assigned = entry("assign", "Q1", "2026-08-20T09:34:00Z", "Jo");
        assigned["assignees"] = json!([thing("user", "PJo", "Jo")]);
        let entries = [
            entry("resolve", "Q1", "2026-08-20T09:50:00Z", "Ana"),
            entry("acknowledge", "Q1", "2026-08-20T09:45:00Z", "Jo"),
            entry("acknowledge", "Q1", "2026-08-20T09:37:10Z", "Ana"),
            entry("acknowledge", "Q2", "2026-08-20T09:36:00Z", "Ana"),
            assigned,
        ];
        page(asked, "log_entries", &entries)
    })
    .await;
    let source = pagerduty(&double);
    let all = snapshot(source.answer(&Query::Incidents.now(), None).await);
    let known = one(&all, "Q1");
    assert_eq!(known.time_to_acknowledge(), Some(Duration::from_secs(240)));
    let who = |stamps: &[crate::model::incident::Attribution]| {
        stamps.iter().map(|stamp| stamp.who.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(
        (who(&known.acknowledged), who(&known.assigned)),
        (vec!["Ana".into(), "Jo".into()], vec!["Jo".into()])
    );
    assert!(all.warnings.is_empty(), "{:?}", all.warnings);
    let asked = logs(&double);
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].parameter("since"), "2026-08-20T09:33:10Z");
    assert_eq!(asked[0].parameter("until"), "2026-08-20T09:50:01Z");
    // the result is kept and not requested again
    let again = snapshot(source.answer(&Query::Incidents.now(), None).await);
    assert_eq!((one(&again, "Q1"), logs(&double).len()), (known, 1));
}

#[tokio::test]
async fn what_nobody_acknowledged_is_asked_for_once() {
    static TIME: AtomicI64 = AtomicI64::new(0);
    let double = with_log(|asked| page(asked, "log_entries", &[])).await;
    let source = connected(&double, |_| {}, Clock::set_by(&TIME));
    for minute in [0, 11, 22] {
        let now = now() + jiff::SignedDuration::from_mins(minute);
        TIME.store(now.as_millisecond(), Ordering::Relaxed);
        let all = snapshot(source.answer(&Query::Incidents.now(), None).await);
        assert_eq!((one(&all, "Q1").time_to_acknowledge(), all.warnings.len()), (None, 0));
    }
    assert_eq!(logs(&double).len(), 1);
}

#[tokio::test]
async fn a_log_that_cannot_be_had_is_a_warning_that_stands() {
    for status in [402, 403, 500] {
        let double = with_log(move |_| refused(status)).await;
        let source = pagerduty(&double);
        for _ in 0..2 {
            let all = snapshot(source.answer(&Query::Incidents.now(), None).await);
            let warnings = names(&all.warnings);
            assert!(
                warnings.starts_with("who acknowledged resolved incidents could not be read: "),
                "{warnings}"
            );
            assert_eq!(one(&all, "Q1").number, 4711);
        }
    }
}

#[tokio::test]
async fn a_log_without_end_is_cut_and_says_so() {
    let double = with_log(|asked| {
        let offset: usize = asked.parameter("offset").parse().unwrap();
        let at = |i: usize| {
            (at("2026-08-20T09:50:00Z") - jiff::SignedDuration::from_millis(i64::try_from(i * 100).unwrap()))
                .to_string()
        };
        let items: Vec<_> =
            (offset..offset + 100).map(|i| entry("acknowledge", &format!("QX{i}"), &at(i), "Jo")).collect();
        json(&json!({"log_entries": items, "limit": 100, "offset": offset, "more": true}))
    })
    .await;
    let all = snapshot(pagerduty(&double).answer(&Query::Incidents.now(), None).await);
    assert_eq!(logs(&double).len(), 20);
    let warnings = names(&all.warnings);
    assert_eq!(
        warnings,
        "who acknowledged incidents before 2026-08-20T09:46:41Z is not known: the log is too long"
    );
}

#[tokio::test]
async fn what_happened_to_all_incidents_comes_in_one_list() {
    let double = with_log(|asked| {
        let mut other = entry("notify", "Q2", "2026-08-20T10:01:00Z", "Jo");
        other["service"] = thing("service", "POTHER", "other");
        let entries = [
            other,
            entry("escalate", "Q1", "2026-08-20T10:02:00Z", "Ana"),
            entry("escalate", "Q1", "2026-08-20T10:02:00Z", "Ana"),
            entry("notify", "Q1", "2026-08-20T10:00:00Z", "Jo\u{1b}[2J"),
            entry("notify", "Q1", "whenever", "Jo"),
            json!({"type": "notify_log_entry", "created_at": "2026-08-20T10:00:00Z"}),
        ];
        page(asked, "log_entries", &entries)
    })
    .await;
    let steps = |answered: Answered| match answered.unwrap().answer {
        Answer::Steps(snapshot) => snapshot,
        other => panic!("{other:?}"),
    };
    let since = at("2026-08-20T09:20:00Z");
    let narrow = |source: &mut SourceSettings| {
        set("teams", vec!["PT"])(source);
        set("services", vec!["PSVC"])(source);
    };
    for (source, count) in [(pagerduty(&double), 3), (connected(&double, narrow, Clock::fixed(now())), 2)] {
        let snapshot = steps(source.answer(&Query::Steps { since }.now(), None).await);
        assert_eq!(
            (snapshot.steps.len(), snapshot.wanted, snapshot.since, snapshot.until),
            (count, since, since, now())
        );
        let first = &snapshot.steps[0];
        assert_eq!(
            (&*first.incident, &*first.step.kind, first.step.who.as_deref()),
            ("Q1", "notify", Some("Jo\u{1b}[2J"))
        );
    }
    let asked = logs(&double);
    assert_eq!((asked.len(), asked[1].parameter("team_ids[]")), (2, "PT"));
    assert_eq!(asked[0].parameter("since"), "2026-08-20T09:20:00Z");
}
