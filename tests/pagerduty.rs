//! Tests with a fake paging system that implements PagerDuty's API and keeps its state.
#![cfg(test)]

#[path = "support/pager.rs"]
mod pager;

use std::sync::Arc;
use std::time::Duration;

use burnwatch::testing::backend::{Clock, Source, SourceDeps, connect, kind};
use burnwatch::testing::config::settings::{ConfigDuration, Settings, SourceSettings};
use burnwatch::testing::model::action::{
    Action, ActionError, ActionResult, ActionTarget, EntityRef, Operation, OperationKind, Verification,
};
use burnwatch::testing::model::ask::{Answer, AskKind, Query};
use burnwatch::testing::model::incident::{Incident, IncidentStatus, Urgency};
use burnwatch::testing::model::labels::Text;
use burnwatch::testing::model::source::{ErrorKind, ProbeReport, SourceId};
use jiff::{SignedDuration, Timestamp};
use pager::{Account, Fault, Pager};

fn now() -> Timestamp {
    Timestamp::from_second(1_787_221_200).expect("a moment")
}

fn connected(pager: &Pager, from: Option<&str>) -> Arc<dyn Source> {
    patient(pager, from, Duration::from_secs(20))
}

fn patient(pager: &Pager, from: Option<&str>, timeout: Duration) -> Arc<dyn Source> {
    let mut settings = Settings::default();
    settings.limits.timeout = ConfigDuration(timeout);
    let mut source = SourceSettings::new(kind("pagerduty"), &pager.url);
    source.own.extend(from.map(|from| ("from".to_owned(), from.into())));
    let deps = SourceDeps::new(&settings, Clock::fixed(now()));
    connect(&SourceId::new("pd"), &source, deps)
}

fn started(incidents: &[&str]) -> (Pager, Arc<dyn Source>) {
    let pager = Pager::start(Account::new(now(), incidents));
    let source = connected(&pager, None);
    (pager, source)
}

fn whom(id: &str, name: &str) -> EntityRef {
    EntityRef { id: id.into(), name: name.into() }
}

fn action(id: &str, operation: Operation) -> Action {
    let seen = Some(IncidentStatus::Triggered);
    Action {
        source: SourceId::new("pd"),
        target: ActionTarget { id: id.into(), name: id.into(), seen },
        operation,
    }
}

fn note(content: &str) -> Operation {
    Operation::Note { content: content.into() }
}

fn add_responder(id: &str, name: &str) -> Operation {
    Operation::AddResponder { people: vec![whom(id, name)], message: "please help".into() }
}

fn trigger() -> Operation {
    let (title, details) = ("Checkout is slow".into(), "since 03:00".into());
    Operation::Trigger { title, details, urgency: Urgency::High, key: "made-once".into() }
}

fn take_shift(id: &str, name: &str) -> Operation {
    Operation::TakeShift { person: whom(id, name), start: now(), end: now() + SignedDuration::from_hours(8) }
}

/// One operation of each kind on the incident `Q1`; `Q2` is a second incident.
fn all_operations() -> Vec<Action> {
    let operations = [
        Operation::Acknowledge,
        Operation::Resolve,
        Operation::Assign { to: whom("PKOFI", "Kofi Mensah") },
        Operation::Reroute { policy: whom("PE2", "Data") },
        Operation::Escalate { level: 2 },
        Operation::Snooze { rest: Duration::from_secs(3600) },
        note("rolling back"),
        Operation::Priority { priority: Some(whom("P2ID", "P2")) },
        Operation::Merge { into: whom("Q2", "#102") },
        add_responder("PNOOR", "Noor Haddad"),
        Operation::StatusUpdate { message: "going down".into() },
    ];
    let mut all: Vec<Action> = operations.into_iter().map(|operation| action("Q1", operation)).collect();
    all.push(action("PSVC", trigger()));
    all.push(action("PSCHED", take_shift("PANA", "Ana Lima")));
    all
}

async fn act(source: &dyn Source, id: &str, operation: Operation) -> Result<ActionResult, ActionError> {
    source.execute(&action(id, operation)).await
}

fn done(outcome: &Result<ActionResult, ActionError>) -> bool {
    matches!(outcome, Ok(ActionResult::Done { .. }))
}

fn overtaken(outcome: Result<ActionResult, ActionError>) -> Text {
    match outcome {
        Ok(ActionResult::Conflict { words }) => words,
        other => panic!("{other:?}"),
    }
}

async fn listed(source: &dyn Source, id: &str) -> Incident {
    match source.answer(&Query::Incidents.now(), None).await.expect("incidents").answer {
        Answer::Incidents(snapshot) => {
            snapshot.incidents.into_iter().find(|incident| *incident.id == *id).expect("it is listed")
        }
        other => panic!("{other:?}"),
    }
}

async fn offer(source: &dyn Source) -> ProbeReport {
    match source.answer(&Query::Probe.now(), None).await.expect("a probe").answer {
        Answer::Probe(offer) => offer,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_deed_is_one_write_for_the_person_and_is_shown_before() {
    for action in all_operations() {
        let (pager, source) = started(&["Q1", "Q2"]);
        drop(offer(&*source).await);
        let calls = source.requests(&action);
        assert!(pager.writes().is_empty(), "what is shown is not sent: {action:?}");
        let outcome = source.execute(&action).await;
        assert!(done(&outcome), "{action:?}: {outcome:?}");
        let writes = pager.writes();
        assert_eq!((writes.len(), calls.len()), (1, 1), "{action:?}");
        assert_eq!(&*calls[0].method, writes[0].method);
        assert_eq!(&*calls[0].address, format!("{}{}", pager.url, writes[0].path));
        assert_eq!(calls[0].body.as_deref(), Some(&*writes[0].body.to_string()));
        let names_somebody =
            !matches!(action.operation.kind(), OperationKind::AddResponder | OperationKind::TakeShift);
        assert_eq!(writes[0].header("from"), names_somebody.then_some("ana@example.org"), "{action:?}");
        assert!(source.info().writes.kinds.contains(&action.operation.kind()));
    }
    assert_eq!(all_operations().len(), started(&[]).1.info().writes.kinds.len(), "each kind once");
}

#[tokio::test]
async fn an_acknowledgement_is_in_the_list_and_in_what_happened() {
    let (_pager, source) = started(&["Q1"]);
    assert!(done(&act(&*source, "Q1", Operation::Acknowledge).await));
    let incident = listed(&*source, "Q1").await;
    assert_eq!(incident.status, IncidentStatus::Acknowledged);
    assert_eq!(&*incident.acknowledged[0].who.name, "Ana Lima");
    let again = act(&*source, "Q1", Operation::Acknowledge).await;
    assert_eq!(again, Ok(ActionResult::Already { words: "acknowledged by Ana Lima at 10:20 UTC".into() }));
    let Answer::Incident(detail) =
        source.answer(&Query::Incident { id: "Q1".into() }.now(), None).await.expect("it").answer
    else {
        panic!("no detail")
    };
    let kinds: Vec<&str> = detail.steps.iter().map(|step| &*step.kind).collect();
    assert_eq!(kinds, ["trigger", "acknowledge"]);
    assert!(
        done(&act(&*source, "Q1", Operation::Resolve).await),
        "what one has acknowledged oneself is no conflict"
    );
    assert_eq!(listed(&*source, "Q1").await.status, IncidentStatus::Resolved);
}

#[tokio::test]
async fn what_somebody_else_did_meanwhile_is_told_and_not_overwritten() {
    let on_state: Vec<Action> = all_operations()
        .into_iter()
        .filter(|action| {
            use OperationKind::{Acknowledge, Assign, Escalate, Merge, Reroute, Resolve, Snooze};
            [Acknowledge, Resolve, Assign, Reroute, Escalate, Snooze, Merge]
                .contains(&action.operation.kind())
        })
        .collect();
    assert_eq!(on_state.len(), 7);
    for action in on_state {
        let (pager, source) = started(&["Q1", "Q2"]);
        for (status, words) in [
            ("acknowledged", "acknowledged by Kofi Mensah at 10:20 UTC"),
            ("resolved", "resolved by Kofi Mensah at 10:20 UTC"),
        ] {
            pager.account().by_another("Q1", status);
            assert_eq!(&*overtaken(source.execute(&action).await), words, "{action:?}");
        }
        assert!(pager.writes().is_empty(), "{action:?}");
        // between the check and the request
        let (pager, source) = started(&["Q1", "Q2"]);
        pager.faults(&[Fault::Conflict]);
        let words = overtaken(source.execute(&action).await);
        assert_eq!(&*words, "resolved by Kofi Mensah at 10:20 UTC", "{action:?}");
        assert_eq!(pager.writes().len(), 1);
    }
    let (pager, source) = started(&["Q1"]);
    pager.account().by_another("Q1", "resolved");
    let mut seen = action("Q1", Operation::Resolve);
    seen.target.seen = Some(IncidentStatus::Resolved);
    assert!(matches!(source.execute(&seen).await, Ok(ActionResult::Already { .. })));
    assert!(done(&act(&*source, "Q1", note("what it was")).await), "what is over can still be noted");
}

#[tokio::test]
async fn what_was_taken_without_an_answer_is_found_and_what_was_lost_is_not() {
    for action in all_operations() {
        for (fault, is_done) in [
            (Fault::TakenAndGone, true),
            (Fault::TakenAndGarbled, true),
            (Fault::TakenAndSilent, true),
            (Fault::Lost, false),
            (Fault::Gateway, false),
        ] {
            let pager = Pager::start(Account::new(now(), &["Q1", "Q2"]));
            let is_silent = fault == Fault::TakenAndSilent;
            let source = patient(&pager, None, Duration::from_millis(if is_silent { 700 } else { 20_000 }));
            pager.faults(&[fault]);
            let error = source.execute(&action).await.expect_err("no sure answer");
            assert!(error.is_unclear, "{fault:?} {action:?}: {error}");
            assert_eq!(pager.writes().len(), 1, "never sent again");
            let found = source.verify(&action, now()).await.expect("it can be read");
            let what = format!("{fault:?} {action:?}: {found:?}");
            match action.operation.kind() {
                // these leave no trace that reading back could find
                OperationKind::Merge if is_done => {
                    assert!(matches!(found, Verification::Unknown { .. }), "{what}");
                }
                OperationKind::StatusUpdate if !is_done => {
                    assert!(matches!(found, Verification::Unknown { .. }), "{what}");
                }
                _ if is_done => assert!(matches!(found, Verification::Done { .. }), "{what}"),
                _ => assert_eq!(found, Verification::NotDone, "{what}"),
            }
            assert_eq!(pager.writes().len(), 1, "looking back changes nothing");
        }
    }
}

#[tokio::test]
async fn what_others_did_or_what_was_done_before_does_not_count_as_found() {
    let (pager, source) = started(&["Q1"]);
    assert!(done(&act(&*source, "Q1", note("rolling back")).await));
    assert!(done(&act(&*source, "Q1", add_responder("PNOOR", "Noor Haddad")).await));
    let later = now() + SignedDuration::from_mins(10);
    for operation in [note("rolling back"), add_responder("PNOOR", "Noor Haddad")] {
        assert_eq!(source.verify(&action("Q1", operation), later).await, Ok(Verification::NotDone));
    }
    pager.account().by_another("Q1", "acknowledged");
    assert_eq!(source.verify(&action("Q1", Operation::Acknowledge), now()).await, Ok(Verification::NotDone));
}

#[tokio::test]
async fn too_many_requests_say_until_when_and_nothing_was_done() {
    let (pager, source) = started(&["Q1"]);
    pager.faults(&[Fault::Busy(17)]);
    let error = act(&*source, "Q1", note("x")).await.expect_err("it is busy");
    assert_eq!(
        (error.is_unclear, error.error.kind),
        (false, ErrorKind::RateLimited { message: "Rate Limit Exceeded".into() })
    );
    assert_eq!(error.error.retry_after, Some(Duration::from_secs(17)));
    assert!(pager.account().notes.is_empty());
    assert!(done(&act(&*source, "Q1", note("x")).await));
}

async fn refused(pager: &Pager, source: &dyn Source, id: &str, operation: Operation, words: &[&str]) {
    let before = pager.writes().len();
    let error = act(source, id, operation).await.expect_err("it is refused");
    assert!(!error.is_unclear, "{error}");
    for word in words {
        assert!(error.to_string().contains(word), "{word:?} is not in {error}");
    }
    assert!(pager.writes().len() <= before + 1);
}

#[tokio::test]
async fn who_or_what_was_deleted_is_said() {
    let (pager, source) = started(&["Q1", "Q2"]);
    let source = &*source;
    let gone = whom("PGONE", "Jo Doe");
    refused(&pager, source, "QGONE", note("x"), &["404", "no longer exists"]).await;
    refused(&pager, source, "QGONE", Operation::Resolve, &["404", "no longer exists"]).await;
    refused(
        &pager,
        source,
        "Q1",
        Operation::Assign { to: gone.clone() },
        &["person Jo Doe may have been deleted"],
    )
    .await;
    refused(&pager, source, "Q1", Operation::Reroute { policy: gone.clone() }, &["policy Jo Doe"]).await;
    refused(&pager, source, "Q1", add_responder("PGONE", "Jo Doe"), &["Jo Doe", "deleted"]).await;
    refused(&pager, source, "Q1", Operation::Priority { priority: Some(gone) }, &["priority Jo Doe"]).await;
    refused(&pager, source, "Q1", Operation::Escalate { level: 9 }, &["level 9"]).await;
    refused(&pager, source, "PGONE", trigger(), &["404", "service may have been deleted"]).await;
    refused(&pager, source, "PSCHED", take_shift("PGONE", "Jo Doe"), &["400: User must exist"]).await;
    refused(&pager, source, "PGONE", take_shift("PANA", "Ana Lima"), &["404", "or the schedule"]).await;
    pager.account().by_another("Q2", "resolved");
    refused(&pager, source, "Q1", Operation::Merge { into: whom("Q2", "#102") }, &["#102 may be over"]).await;
}

#[tokio::test]
async fn what_cannot_work_is_refused_before_anything_is_sent() {
    let (pager, source) = started(&["Q1"]);
    let long = "ü".repeat(2001);
    for (operation, word) in [
        (note(&long), "2001 characters"),
        (note(" "), "empty"),
        (Operation::Snooze { rest: Duration::ZERO }, "7 days"),
        (Operation::Snooze { rest: Duration::from_secs(604_801) }, "7 days"),
        (Operation::Priority { priority: None }, "take a priority away"),
        (Operation::AddResponder { people: Vec::new(), message: "x".into() }, "nobody"),
        (Operation::StatusUpdate { message: "".into() }, "empty"),
        (Operation::Expire, "to expire"),
    ] {
        refused(&pager, &*source, "Q1", operation, &[word]).await;
    }
    assert!(pager.requests().is_empty());
    assert!(done(&act(&*source, "Q1", note(&"ü".repeat(2000))).await));
}

#[tokio::test]
async fn the_same_incident_is_not_opened_twice() {
    let (pager, source) = started(&[]);
    let Ok(ActionResult::Done { id: Some(id) }) = act(&*source, "PSVC", trigger()).await else {
        panic!("not opened")
    };
    assert_eq!(&*listed(&*source, &id).await.title, "Checkout is slow");
    let again = act(&*source, "PSVC", trigger()).await;
    assert_eq!(again, Ok(ActionResult::Already { words: "it is open as #101".into() }));
    assert_eq!(pager.account().incidents.len(), 1);
    // an older, resolved incident with the same key is not the new one
    pager.account().by_another(&id, "resolved");
    let later = now() + SignedDuration::from_mins(10);
    assert_eq!(source.verify(&action("PSVC", trigger()), later).await, Ok(Verification::NotDone));
}

#[tokio::test]
async fn nobody_acts_for_somebody_else() {
    let mut account = Account::new(now(), &["Q1"]);
    account.key_of = None;
    let pager = Pager::start(account);
    let nobody = connected(&pager, None);
    assert!(offer(&*nobody).await.refuses.is_some_and(|why| why.contains("`from`")));
    let why = "put your e-mail address at PagerDuty into `from` of [sources.pd]";
    refused(&pager, &*nobody, "Q1", Operation::Acknowledge, &[why]).await;
    let stranger = connected(&pager, Some("jo@example.org"));
    assert!(offer(&*stranger).await.refuses.is_some_and(|why| why.contains("jo@example.org")));
    refused(&pager, &*stranger, "Q1", Operation::Acknowledge, &["no PagerDuty user has the address"]).await;
    assert!(pager.writes().is_empty());
    let noor = connected(&pager, Some("noor@example.org"));
    assert_eq!(offer(&*noor).await.refuses, None);
    assert!(done(&act(&*noor, "Q1", add_responder("PKOFI", "Kofi Mensah")).await));
    assert_eq!(pager.writes()[0].body["requester_id"], "PNOOR");
    assert!(done(&act(&*noor, "Q1", Operation::Acknowledge).await));
    assert_eq!(pager.writes()[1].header("from"), Some("noor@example.org"));
}

#[tokio::test]
async fn a_reader_is_told_before_and_refused_in_words() {
    let mut account = Account::new(now(), &["Q1"]);
    account.users[0]["role"] = "read_only_user".into();
    account.is_read_only = true;
    let pager = Pager::start(account);
    let source = connected(&pager, None);
    assert!(offer(&*source).await.refuses.is_some_and(|why| why.contains("Ana Lima may only read")));
    refused(&pager, &*source, "Q1", note("x"), &["403: Access Denied", "has no write permission here"]).await;
}

#[tokio::test]
async fn a_long_list_is_read_to_its_end_and_not_beyond_what_is_allowed() {
    let ids: Vec<String> = (0..734).map(|i| format!("Q{i}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let (pager, source) = started(&ids);
    let reply = source.answer(&Query::Incidents.now(), None).await.expect("incidents");
    let Answer::Incidents(snapshot) = reply.answer else { panic!("no list") };
    assert_eq!((snapshot.incidents.len(), reply.warnings), (734, Vec::new()));
    let reach = |request: &pager::Request| {
        let number = |name: &str| request.parameters(name).next().and_then(|text| text.parse::<usize>().ok());
        number("limit").unwrap_or(0) + number("offset").unwrap_or(0)
    };
    assert!(pager.requests().iter().all(|request| reach(request) <= 10_000));
}

#[tokio::test]
async fn a_key_is_never_sent_for_all_to_read() {
    let settings = Settings::default();
    let deps = SourceDeps::new(&settings, Clock::fixed(now()));
    let plain = SourceSettings::new(kind("pagerduty"), "http://api.pagerduty.com");
    let source = connect(&SourceId::new("pd"), &plain, deps);
    assert!(source.info().answers.contains(&AskKind::Incidents) && source.info().writes.kinds.is_empty());
    let error = source.answer(&Query::Incidents.now(), None).await.expect_err("it is refused");
    assert!(error.to_string().contains("https://"), "{error}");
}
