//! The changes of the story, as the metrics and CI tell them.

use super::*;
use crate::model::change::{Change, ChangeKind, ChangeState};

/// A world with the changes of the last hours.
fn changes(seconds: i64, hours: i64) -> Vec<Arc<Change>> {
    let sources = demo(0, seconds);
    let mut world = World::new(sources.iter().map(|s| s.info().id.clone()), HealthPolicy::default());
    for source in sources.iter().filter(|source| source.info().answers.contains(&AskKind::Changes)) {
        let ask = Query::Changes { since: at(seconds - hours * 3600) }.now();
        let answered = answered(&**source, &ask);
        assert!(answered.as_ref().unwrap().warnings.is_empty(), "{answered:?}");
        let question = Question { context: 0, source: source.info().id.clone(), ask, known: None };
        world.apply(&question, answered, at(seconds));
    }
    world.changes().to_vec()
}

fn of<'a>(changes: &'a [Arc<Change>], service: &str) -> Vec<&'a Change> {
    changes.iter().map(|change| &**change).filter(|change| change.is_of(service)).collect()
}

#[test]
fn the_deployment_is_one_change_with_who_made_it_and_its_page() {
    let all = changes(120, 1);
    let payments = of(&all, "payments");
    let deploys: Vec<&&Change> = payments.iter().filter(|change| change.kind == ChangeKind::Deploy).collect();
    let [deploy] = deploys.as_slice() else { panic!("{payments:?}") };
    assert_eq!(&*deploy.title, "4.18.2 -> 4.19.0");
    assert_eq!((deploy.at, deploy.state), (at(15), ChangeState::Done));
    assert_eq!(deploy.who.as_deref(), Some("j.doe, GitLab !4812, Argo CD"));
    assert!(deploy.link.as_ref().unwrap().ends_with("/money/payments/-/merge_requests/4812"));
    assert_eq!(deploy.labels.get("region").map(|region| &**region), Some("eu-west-1"));
    let sources: BTreeSet<String> = deploy.sources.iter().map(ToString::to_string).collect();
    assert_eq!(sources, ["ci", "prom-eu"].map(str::to_owned).into());
    assert!(payments.iter().any(|change| change.kind == ChangeKind::Restart), "{payments:?}");
}

#[test]
fn the_rollback_a_flag_and_kills_for_want_of_memory_are_changes() {
    let all = changes(300, 1);
    let back =
        of(&all, "payments").into_iter().find(|change| change.kind == ChangeKind::Rollback).unwrap().clone();
    assert_eq!((back.from.as_deref(), back.to.as_deref()), (Some("4.19.0"), Some("4.18.2")));
    assert!(back.who.unwrap().starts_with("ana.lima"));
    let all = changes(1200 + 200, 1);
    let flag = of(&all, "auth").into_iter().find(|change| change.kind == ChangeKind::Flag).unwrap();
    assert_eq!((&*flag.title, flag.who.as_deref()), ("flag session_profiles on", Some("l.chen, Unleash")));
    assert_eq!(flag.sources.len(), 2, "the gauge and the system of flags");
    assert!(of(&all, "redis-sessions").iter().any(|change| change.kind == ChangeKind::OutOfMemory));
}

#[test]
fn a_day_of_changes_is_short_and_a_crash_loop_is_one_of_them() {
    let all = changes(30, 24);
    assert!((5..40).contains(&all.len()), "{}", all.len());
    let restarts = of(&all, "fraud-scoring");
    assert!(restarts.first().is_some_and(|change| change.times > 3), "{restarts:?}");
    let harmless = ["tax", "catalog", "promotions", "loyalty", "shipping"];
    for service in harmless {
        let its = of(&all, service);
        assert!(its.len() == 1 && its[0].who.is_some() && its[0].sources.len() == 2, "{service}: {its:?}");
    }
}
