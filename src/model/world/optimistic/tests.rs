use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::model::action::{ActionResult, ActionTarget, SilenceDraft};
use crate::model::alert::AlertSnapshot;
use crate::model::ask::{Answer, Ask, Query, Reply};
use crate::model::fixtures;
use crate::model::incident::IncidentSnapshot;
use crate::model::labels::Labels;
use crate::model::matcher::parse;
use crate::model::source::{ErrorKind, SourceError};
use crate::model::world::HealthPolicy;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn id(source: &str) -> SourceId {
    SourceId::new(source)
}

fn incident(status: IncidentStatus) -> Incident {
    Incident { status, ..fixtures::incident(1, "cart is slow", at(10), "pd") }
}

fn question(source: &str, ask: Ask) -> Question {
    Question { context: 0, source: id(source), ask, known: None }
}

fn tell(world: &mut World, status: IncidentStatus, second: i64) {
    let snapshot = IncidentSnapshot { incidents: vec![incident(status)], ..IncidentSnapshot::default() };
    world.apply(
        &question("pd", Query::Incidents.now()),
        Ok(Reply::free(Answer::Incidents(snapshot))),
        at(second),
    );
}

fn operation(operation: Operation) -> Action {
    let target = ActionTarget { id: "P1".into(), name: "#1".into(), seen: Some(IncidentStatus::Triggered) };
    Action { source: id("pd"), target, operation }
}

fn acknowledging() -> World {
    let mut world = World::new(["am", "pd"].map(id), HealthPolicy::default());
    tell(&mut world, IncidentStatus::Triggered, 20);
    world.apply_optimistically((1, 0), operation(Operation::Acknowledge), at(21));
    world
}

fn status(world: &World) -> (IncidentStatus, Option<OptimisticStage>) {
    let known = world.incident(&id("pd"), "P1").unwrap();
    (known.incident.status, known.optimistic.map(|optimistic| optimistic.stage))
}

fn done() -> ActionProgress {
    ActionProgress::Ended(ActionResult::Done { id: None })
}

#[test]
fn what_was_asked_for_shows_at_once_and_is_told_apart() {
    let world = acknowledging();
    assert_eq!(status(&world), (IncidentStatus::Acknowledged, Some(OptimisticStage::Sending)));
    assert_eq!(&*world.incidents()[0].holders()[0].name, "you");
}

#[test]
fn what_fails_is_taken_back() {
    for ending in [
        ActionResult::Refused { words: "no".into() },
        ActionResult::Conflict { words: "no".into() },
        ActionResult::Held { words: "no".into() },
        ActionResult::Unknown { words: "no".into() },
    ] {
        let mut world = acknowledging();
        world.progressed((1, 0), &ActionProgress::Ended(ending), at(22));
        assert_eq!(status(&world), (IncidentStatus::Triggered, None));
        assert!(world.optimistic_changes().is_empty());
    }
}

#[test]
fn an_answer_that_was_asked_for_before_the_end_takes_nothing_back() {
    let mut world = acknowledging();
    world.asked(&question("pd", Query::Incidents.now()));
    world.progressed((1, 0), &done(), at(22));
    tell(&mut world, IncidentStatus::Triggered, 23);
    assert_eq!(status(&world), (IncidentStatus::Acknowledged, Some(OptimisticStage::Done)));
    let error = SourceError::new(id("pd"), ErrorKind::NotOffered { what: "x".into() });
    world.asked(&question("pd", Query::Incidents.now()));
    world.apply(&question("pd", Query::Incidents.now()), Err(error), at(24));
    assert_eq!(status(&world).0, IncidentStatus::Acknowledged);
}

#[test]
fn an_answer_that_was_asked_for_after_the_end_is_the_truth_whatever_it_says() {
    for reported in IncidentStatus::ALL {
        let mut world = acknowledging();
        world.progressed((1, 0), &done(), at(22));
        world.asked(&question("pd", Query::Incidents.now()));
        tell(&mut world, reported, 23);
        assert_eq!(status(&world), (reported, None));
    }
}

#[test]
fn an_answer_that_nothing_changed_is_believed_too() {
    let mut world = acknowledging();
    world.progressed((1, 0), &done(), at(22));
    world.asked(&question("pd", Query::Incidents.now()));
    world.apply(&question("pd", Query::Incidents.now()), Ok(Reply::free(Answer::Unchanged)), at(23));
    assert_eq!(status(&world), (IncidentStatus::Triggered, None));
}

#[test]
fn what_somebody_else_did_meanwhile_is_shown() {
    let mut world = acknowledging();
    tell(&mut world, IncidentStatus::Resolved, 22);
    assert_eq!(status(&world), (IncidentStatus::Resolved, Some(OptimisticStage::Sending)));
}

#[test]
fn what_waits_or_is_read_back_says_so() {
    let mut world = acknowledging();
    world.progressed((1, 0), &ActionProgress::Waiting { until: at(60) }, at(22));
    assert_eq!(status(&world).1, Some(OptimisticStage::Waiting(at(60))));
    world.progressed((1, 0), &ActionProgress::ReadingBack, at(61));
    assert_eq!(status(&world).1, Some(OptimisticStage::ReadingBack));
    world.progressed((7, 0), &done(), at(62));
    assert_eq!(status(&world).1, Some(OptimisticStage::ReadingBack));
}

fn alert(pod: &str) -> Arc<Alert> {
    let labels = Labels::from_iter([("alertname", "Slow"), ("pod", pod)]);
    let receivers = Arc::from(["pager".into()]);
    Arc::new(Alert { receivers, ..fixtures::alert(labels, at(5), "am") })
}

#[test]
fn silenced_alerts_look_silenced_and_loud_again_without_looking_new() {
    let mut world = World::new([id("am")], HealthPolicy::default());
    let snapshot = || AlertSnapshot { alerts: vec![alert("a"), alert("b")] };
    world.apply(&question("am", Query::Alerts.now()), Ok(Reply::free(Answer::Alerts(snapshot()))), at(10));
    let (a, b) = (alert("a").fingerprint, alert("b").fingerprint);
    let draft = SilenceDraft {
        matchers: parse(r#"pod="a""#).unwrap(),
        starts_at: None,
        ends_at: at(7200),
        created_by: "ana".into(),
        comment: "deploy".into(),
    };
    let target = ActionTarget { id: "".into(), name: "1 alert".into(), seen: None };
    let action = Action { source: id("am"), target, operation: Operation::Silence { draft } };
    world.apply_optimistically((1, 0), action.clone(), at(11));
    assert_eq!(world.alert(a).unwrap().state, AlertState::Silenced);
    assert_eq!((world.silencing(a), world.silencing(b)), (Some(OptimisticStage::Sending), None));
    assert_eq!(world.totals().in_state(AlertState::Firing), 1);
    world.progressed((1, 0), &ActionProgress::Ended(ActionResult::Refused { words: "no".into() }), at(12));
    assert_eq!((world.alert(a).unwrap().state, world.changed_at(a)), (AlertState::Firing, Some(at(5))));
    assert_eq!(world.silencing(a), None);
    // the same silence at another source has no effect here
    world.apply_optimistically((2, 0), Action { source: id("other"), ..action }, at(13));
    assert_eq!(world.alert(a).unwrap().state, AlertState::Firing);
}

#[test]
fn a_snooze_changes_no_status_but_shows_that_it_is_on_its_way() {
    let mut world = World::new([id("pd")], HealthPolicy::default());
    tell(&mut world, IncidentStatus::Triggered, 20);
    world.apply_optimistically(
        (1, 0),
        operation(Operation::Snooze { rest: Duration::from_secs(60) }),
        at(21),
    );
    assert_eq!(status(&world), (IncidentStatus::Triggered, Some(OptimisticStage::Sending)));
}
