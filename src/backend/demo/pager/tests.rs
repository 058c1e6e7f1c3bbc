mod silences;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use super::*;
use crate::backend::Source;
use crate::backend::demo::sources;
use crate::backend::demo::tests::wait;
use crate::model::action::{
    Action, ActionError, ActionResult, ActionTarget, EntityRef, Operation, SilenceDraft, Verification,
};
use crate::model::alert::{Alert, AlertState};
use crate::model::ask::{Answer, Ask, Query};
use crate::model::incident::{Incident, IncidentDetail, IncidentStatus, Urgency};
use crate::model::labels::Text;
use crate::model::matcher::parse;
use crate::model::oncall::OnCallSnapshot;
use crate::model::silence::{Silence, SilenceState};
use crate::model::source::ErrorKind;

/// A demo with a clock that the test moves.
struct Demo {
    sources: Vec<Arc<dyn Source>>,
    time: &'static AtomicI64,
    clock: Clock,
}

const START: i64 = 1_768_445_420;

impl Demo {
    /// At a time at which payments has paged and nobody has acknowledged it.
    fn new() -> Self {
        let time: &'static AtomicI64 = Box::leak(Box::new(AtomicI64::new((START + 100) * 1000)));
        let clock = Clock::set_by(time);
        Self { sources: sources(7, clock, Timestamp::from_second(START).unwrap(), 1.0), time, clock }
    }

    fn wait(&self, seconds: i64) {
        self.time.fetch_add(seconds * 1000, Ordering::Relaxed);
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn source(&self, name: &str) -> &dyn Source {
        &**self.sources.iter().find(|source| source.info().id.as_str() == name).unwrap()
    }

    fn ask(&self, name: &str, ask: &Ask) -> Answer {
        wait(self.source(name).answer(ask, None)).unwrap().answer
    }

    fn act(
        &self,
        name: &str,
        target: ActionTarget,
        operation: Operation,
    ) -> Result<ActionResult, ActionError> {
        let source = self.source(name);
        let action = Action { source: source.info().id.clone(), target, operation };
        let requests = source.requests(&action).len();
        let result = wait(source.execute(&action));
        let is_unfit = matches!(&result, Err(error) if matches!(error.error.kind, ErrorKind::Unfit { .. }));
        assert_eq!(requests, usize::from(!is_unfit), "{action:?}");
        result
    }

    fn incidents(&self) -> Vec<Incident> {
        match self.ask("pager", &Query::Incidents.now()) {
            Answer::Incidents(snapshot) => snapshot.incidents,
            other => panic!("{other:?}"),
        }
    }

    fn incident(&self, id: &str) -> Incident {
        self.incidents().into_iter().find(|incident| *incident.id == *id).unwrap()
    }

    fn detail(&self, id: &str) -> IncidentDetail {
        match self.ask("pager", &Query::Incident { id: id.into() }.now()) {
            Answer::Incident(detail) => detail,
            other => panic!("{other:?}"),
        }
    }

    fn on_call(&self) -> OnCallSnapshot {
        match self.ask("pager", &Query::OnCall.now()) {
            Answer::OnCall(snapshot) => snapshot,
            other => panic!("{other:?}"),
        }
    }

    fn alerts(&self) -> Vec<Arc<Alert>> {
        match self.ask("alertmanager", &Query::Alerts.now()) {
            Answer::Alerts(snapshot) => snapshot.alerts,
            other => panic!("{other:?}"),
        }
    }

    fn silences(&self) -> Vec<Arc<Silence>> {
        match self.ask("alertmanager", &Query::Silences.now()) {
            Answer::Silences(silences) => silences,
            other => panic!("{other:?}"),
        }
    }

    /// The incident of payments.
    fn page(&self) -> Incident {
        let all = self.incidents();
        all.into_iter().find(|incident| incident.status == IncidentStatus::Triggered).expect("a page")
    }

    fn on_page(&self, operation: Operation) -> Result<ActionResult, ActionError> {
        self.act("pager", target(&self.page()), operation)
    }
}

fn target(incident: &Incident) -> ActionTarget {
    ActionTarget { id: Text::clone(&incident.id), name: "".into(), seen: Some(incident.status) }
}

fn plain(id: &str) -> ActionTarget {
    ActionTarget { id: id.into(), name: id.into(), seen: None }
}

fn whom(id: &str, name: &str) -> EntityRef {
    EntityRef { id: id.into(), name: name.into() }
}

const DONE: Result<ActionResult, ActionError> = Ok(ActionResult::Done { id: None });

fn kinds(detail: &IncidentDetail) -> Vec<&str> {
    detail.steps.iter().map(|step| &*step.kind).collect()
}

#[test]
fn who_acknowledges_has_it_and_a_look_at_the_list_shows_it() {
    let demo = Demo::new();
    let page = demo.page();
    let before = wait(demo.source("pager").answer(&Query::Incidents.now(), None)).unwrap();
    assert_eq!(demo.on_page(Operation::Acknowledge), DONE);
    let known = before.digest;
    let after = wait(demo.source("pager").answer(&Query::Incidents.now(), known)).unwrap();
    assert!(!matches!(after.answer, Answer::Unchanged), "a poll within the same moment sees it");
    let taken = demo.incident(&page.id);
    assert_eq!(taken.status, IncidentStatus::Acknowledged);
    assert_eq!(&*taken.acknowledged[0].who.name, "Ana Lima");
    assert!(taken.pending.is_empty() && taken.assigned.iter().any(|stamp| &*stamp.who.id == "ana"));
    assert_eq!(kinds(&demo.detail(&page.id)), ["trigger", "notify", "acknowledge"]);
    let again = demo.act("pager", target(&page), Operation::Acknowledge);
    assert_eq!(again, Ok(ActionResult::Already { words: "acknowledged by Ana Lima at 02:52 UTC".into() }));
    // the scenario continues, and none of its people has acknowledged the incident first
    demo.wait(3600);
    let over = demo.incident(&page.id);
    assert_eq!((over.status, over.acknowledged.len()), (IncidentStatus::Resolved, 1));
    assert_eq!(kinds(&demo.detail(&page.id)), ["trigger", "notify", "acknowledge", "resolve"]);
    match demo.act("pager", target(&page), Operation::Resolve) {
        Ok(ActionResult::Conflict { words }) => {
            assert!(words.starts_with("resolved by payments at "), "{words}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_resolved_incident_stays_resolved_while_its_alert_fires() {
    let demo = Demo::new();
    let page = demo.page();
    assert_eq!(demo.on_page(Operation::Resolve), DONE);
    for wait in [0, 30, 3600] {
        demo.wait(wait);
        let over = demo.incident(&page.id);
        assert_eq!((over.status, over.resolved_at), (IncidentStatus::Resolved, Some(page_time())), "{wait}");
        assert_eq!(kinds(&demo.detail(&page.id)), ["trigger", "notify", "resolve"]);
    }
    let words = match demo.act("pager", target(&page), Operation::Acknowledge) {
        Ok(ActionResult::Conflict { words }) => words,
        other => panic!("{other:?}"),
    };
    assert_eq!(&*words, "resolved by Ana Lima at 02:52 UTC");
    let seen = ActionTarget { seen: Some(IncidentStatus::Resolved), ..target(&page) };
    assert!(matches!(demo.act("pager", seen, Operation::Resolve), Ok(ActionResult::Already { .. })));
}

fn page_time() -> Timestamp {
    Timestamp::from_second(START + 100).unwrap()
}

#[test]
fn a_snooze_ends_and_pages_again() {
    let demo = Demo::new();
    let page = demo.page();
    assert_eq!(demo.on_page(Operation::Snooze { rest: Duration::from_secs(60) }), DONE);
    let asleep = demo.incident(&page.id);
    assert_eq!((asleep.status, &*asleep.pending[0].what), (IncidentStatus::Acknowledged, "unacknowledge"));
    demo.wait(61);
    let awake = demo.incident(&page.id);
    assert_eq!((awake.status, &*awake.pending[0].what), (IncidentStatus::Triggered, "escalate"));
    assert_eq!(awake.changed_at, page_time() + jiff::Span::new().seconds(60));
    assert!(kinds(&demo.detail(&page.id)).ends_with(&["snooze", "unacknowledge"]));
}

#[test]
fn it_is_handed_to_a_person_a_policy_and_a_level() {
    let demo = Demo::new();
    let page = demo.page();
    let assigned = || -> Vec<Text> {
        demo.incident(&page.id).assigned.into_iter().map(|stamp| stamp.who.name).collect()
    };
    assert_eq!(demo.on_page(Operation::Assign { to: whom("fang", "王芳") }), DONE);
    assert_eq!(assigned(), ["王芳".into()]);
    assert_eq!(demo.on_page(Operation::Escalate { level: 3 }), DONE);
    assert_eq!(assigned(), ["Sam O'Neill".into()]);
    assert_eq!(demo.on_page(Operation::Reroute { policy: whom("platform", "Platform") }), DONE);
    let platform: Vec<Text> =
        demo.on_call().on_call("platform", 1, demo.now()).map(|shift| shift.person.name.clone()).collect();
    assert_eq!(assigned(), platform);
    assert_eq!(demo.incident(&page.id).escalation_policy.unwrap().id, "platform".into());
    assert_eq!(kinds(&demo.detail(&page.id)), ["trigger", "notify", "assign", "escalate", "assign"]);
}

#[test]
fn notes_rank_help_and_updates_stand_in_its_history() {
    let demo = Demo::new();
    let page = demo.page();
    let noted = demo.on_page(Operation::Note { content: "rolled back".into() });
    assert!(matches!(noted, Ok(ActionResult::Done { id: Some(_) })), "{noted:?}");
    assert_eq!(demo.on_page(Operation::Priority { priority: Some(whom("P2", "P2")) }), DONE);
    let people = vec![whom("kofi", "Kofi Mensah"), whom("noor", "Noor Haddad")];
    assert_eq!(demo.on_page(Operation::AddResponder { people, message: "help".into() }), DONE);
    assert_eq!(demo.on_page(Operation::StatusUpdate { message: "going down".into() }), DONE);
    let detail = demo.detail(&page.id);
    assert_eq!((&*detail.notes[0].content, &*detail.notes[0].who), ("rolled back", "Ana Lima"));
    let history = ["annotate", "priority_change", "responder_request", "responder_request", "status_update"];
    assert_eq!(kinds(&detail)[2..], history);
    let ranked = demo.incident(&page.id);
    assert_eq!(ranked.priority.and_then(|priority| priority.rank), Some(2));
    assert_eq!(ranked.status, IncidentStatus::Triggered);
    let long = demo.on_page(Operation::Note { content: "x".repeat(2001).into() }).unwrap_err();
    assert!(!long.is_unclear && long.to_string().contains("takes 2000 at most"), "{long}");
}

#[test]
fn the_calls_are_those_of_the_vendor_and_what_it_does_not_take_is_refused_here_too() {
    let demo = Demo::new();
    let page = demo.page();
    let pager = demo.source("pager");
    let action = |operation| Action { source: pager.info().id.clone(), target: target(&page), operation };
    let shown =
        |operation| pager.requests(&action(operation)).iter().map(ToString::to_string).collect::<Vec<_>>();
    let address = format!("{}/incidents/{}", pager.info().address, page.id);
    for (operation, call) in [
        (
            Operation::Acknowledge,
            format!(
                r#"PUT {address} {{"incident":{{"status":"acknowledged","type":"incident_reference"}}}}"#
            ),
        ),
        (
            Operation::Snooze { rest: Duration::from_secs(900) },
            format!(r#"POST {address}/snooze {{"duration":900}}"#),
        ),
        (
            Operation::Note { content: "rolled back".into() },
            format!(r#"POST {address}/notes {{"note":{{"content":"rolled back"}}}}"#),
        ),
    ] {
        assert_eq!(shown(operation), [call]);
    }
    let manager = demo.source("alertmanager");
    let expire =
        Action { source: manager.info().id.clone(), target: plain("s1"), operation: Operation::Expire };
    let calls: Vec<String> = manager.requests(&expire).iter().map(ToString::to_string).collect();
    assert_eq!(calls, [format!("DELETE {}/api/v2/silence/s1", manager.info().address)]);
    let none = Operation::Priority { priority: None };
    assert!(shown(none.clone()).is_empty());
    let refused = wait(pager.execute(&action(none))).unwrap_err();
    assert!(!refused.is_unclear && refused.to_string().contains("take a priority away"), "{refused}");
}

#[test]
fn an_incident_is_opened_once_and_merged_into_another() {
    let demo = Demo::new();
    let page = demo.page();
    let trigger = || Operation::Trigger {
        title: "Checkout is slow".into(),
        details: "since the release".into(),
        urgency: Urgency::Low,
        key: "k1".into(),
    };
    let Ok(ActionResult::Done { id: Some(id) }) = demo.act("pager", plain("payments"), trigger()) else {
        panic!("not opened")
    };
    let new = demo.incident(&id);
    assert_eq!((&*new.title, new.urgency, new.assigned.len()), ("Checkout is slow", Urgency::Low, 1));
    assert_eq!(kinds(&demo.detail(&id))[0], "trigger");
    let again = demo.act("pager", plain("payments"), trigger());
    assert_eq!(again, Ok(ActionResult::Already { words: format!("it is open as #{}", new.number).into() }));
    let merge = Operation::Merge { into: whom(&page.id, "#1") };
    assert_eq!(demo.act("pager", target(&new), merge.clone()), DONE);
    assert_eq!(demo.incident(&id).status, IncidentStatus::Resolved);
    assert_eq!(demo.incident(&page.id).alerts.all, 2);
    assert!(kinds(&demo.detail(&page.id)).contains(&"merge"));
    assert!(matches!(demo.act("pager", target(&new), merge), Ok(ActionResult::Conflict { .. })));
}

#[test]
fn a_shift_that_is_taken_is_on_call_and_woken_from_then_on() {
    let demo = Demo::new();
    let snapshot = demo.on_call();
    let shift = snapshot.on_call("shop", 2, demo.now()).next().unwrap();
    let (schedule, end) = (shift.schedule.clone().unwrap(), shift.end.unwrap());
    assert_ne!(&*shift.person.id, "fang");
    let operation = Operation::TakeShift { person: whom("fang", "王芳"), start: demo.now(), end };
    let taken = demo.act("pager", plain(&schedule.id), operation.clone());
    assert!(matches!(taken, Ok(ActionResult::Done { id: Some(_) })), "{taken:?}");
    let now: Vec<(Text, bool)> = demo
        .on_call()
        .on_call("shop", 2, demo.now())
        .map(|shift| (shift.person.id.clone(), shift.is_override))
        .collect();
    assert_eq!(now, [("fang".into(), true)]);
    let page = demo.page();
    assert_eq!(demo.on_page(Operation::Escalate { level: 2 }), DONE);
    assert_eq!(&*demo.incident(&page.id).assigned[0].who.id, "fang");
    assert!(demo.act("pager", plain("nothing"), operation).is_err());
}

#[test]
fn what_a_source_does_not_do_has_no_calls_and_is_refused() {
    let demo = Demo::new();
    let action = |name: &str, operation| Action {
        source: crate::model::source::SourceId::new(name),
        target: plain("x"),
        operation,
    };
    for (name, operation) in [
        ("prom-eu", Operation::Acknowledge),
        ("pager", Operation::Expire),
        ("alertmanager", Operation::Resolve),
    ] {
        let source = demo.source(name);
        let action = action(name, operation);
        assert!(source.requests(&action).is_empty());
        let error = wait(source.execute(&action)).unwrap_err();
        assert!(matches!(error.error.kind, ErrorKind::NotOffered { .. }) && !error.is_unclear);
    }
}

#[test]
fn what_was_done_is_found_when_it_is_read_back_and_nothing_else() {
    let demo = Demo::new();
    let found = |name: &str, target: &ActionTarget, operation: &Operation, sent_at: Timestamp| {
        let source = demo.source(name);
        let action =
            Action { source: source.info().id.clone(), target: target.clone(), operation: operation.clone() };
        wait(source.verify(&action, sent_at)).unwrap()
    };
    let (page, before) = (target(&demo.page()), demo.now());
    let note = Operation::Note { content: "looking".into() };
    assert_eq!(found("pager", &page, &note, before), Verification::NotDone);
    demo.act("pager", page.clone(), note.clone()).unwrap();
    assert_eq!(found("pager", &page, &note, before), Verification::Done { id: None });
    let other = Operation::Note { content: "something else".into() };
    assert_eq!(found("pager", &page, &other, before), Verification::NotDone);
    demo.wait(60);
    assert_eq!(found("pager", &page, &note, demo.now()), Verification::NotDone, "that was before");
    let draft = SilenceDraft {
        matchers: parse("service=\"payments\"").unwrap(),
        starts_at: None,
        ends_at: demo.now() + jiff::SignedDuration::from_hours(1),
        created_by: "ana".into(),
        comment: "known".into(),
    };
    let (silence, sent_at) = (Operation::Silence { draft }, demo.now());
    assert_eq!(found("alertmanager", &plain(""), &silence, sent_at), Verification::NotDone);
    let Ok(ActionResult::Done { id: Some(id) }) = demo.act("alertmanager", plain(""), silence.clone()) else {
        panic!("not made");
    };
    assert_eq!(
        found("alertmanager", &plain(""), &silence, sent_at),
        Verification::Done { id: Some(id.clone()) }
    );
    assert_eq!(found("alertmanager", &plain(&id), &Operation::Expire, sent_at), Verification::NotDone);
    demo.act("alertmanager", plain(&id), Operation::Expire).unwrap();
    assert_eq!(
        found("alertmanager", &plain(&id), &Operation::Expire, sent_at),
        Verification::Done { id: None }
    );
    assert!(matches!(found("pager", &page, &Operation::Expire, sent_at), Verification::Unknown { .. }));
}
