use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::backend::demo::actions_done::ActionsDone;
use crate::backend::demo::timeline::DemoTimeline;
use crate::backend::demo::world::DemoWorld;
use crate::model::incident::{IncidentStatus, Urgency};
use crate::model::oncall::OnCallSnapshot;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// One night shift.
fn night() -> Timestamp {
    at("2026-01-15T02:52:00Z")
}

#[test]
fn somebody_is_on_call_for_the_shop_at_every_hour_of_a_year() {
    let paging = PagingFixture::open();
    let policy = paging.policy_of("Zürich");
    for hour in 0..8760 {
        let moment = at("2026-01-01T00:30:00Z") + hour.hours();
        let on = paging.shifts_on(policy, (&policy.levels[0], 1), (moment, moment + 1.second()), &[]);
        assert_eq!(on.iter().filter(|shift| shift.covers(moment)).count(), 1, "{moment}");
    }
}

#[test]
fn a_day_of_the_rota_is_as_long_as_the_zones_clock_says() {
    let paging = PagingFixture::open();
    let turns = paging.rotation("shop-primary").turns(at("2026-03-28T12:00:00Z"), at("2026-03-30T12:00:00Z"));
    let hours: Vec<i64> = turns.iter().map(|(start, end, _)| end.duration_since(*start).as_hours()).collect();
    assert_eq!(hours, [23, 24, 24], "Lisbon goes over to summer time on March 29");
}

#[test]
fn on_sundays_the_platform_has_a_gap_and_on_saturdays_somebody_stands_in() {
    let paging = PagingFixture::open();
    let world = DemoWorld::new(7, DemoTimeline::new(night(), 1.0));
    let until = night() + (7 * 24).hours();
    let snapshot = OnCallSnapshot {
        policies: paging.policies(&world.fixtures.services),
        shifts: paging.turns((night(), until), &[]),
        me: Some(paging.me()),
        from: night(),
        until,
    };
    assert_eq!(snapshot.on_call("platform", 1, at("2026-01-18T12:00:00Z")).count(), 0);
    assert_eq!(snapshot.on_call("platform", 2, at("2026-01-18T12:00:00Z")).count(), 1);
    let saturday: Vec<&Shift> = snapshot.on_call("shop", 1, at("2026-01-17T15:00:00Z")).collect();
    assert!(saturday.len() == 1 && saturday[0].is_override && &*saturday[0].person.id == "joerg");
    assert_eq!(snapshot.me.as_ref().map(|me| &*me.name), Some("Ana Lima"));
    let now: Vec<&str> = snapshot.on_call("shop", 1, night()).map(|shift| &*shift.person.id).collect();
    let others = snapshot.shifts.iter().filter(|shift| &*shift.policy == "shop" && shift.level == 1);
    let mut others = others.filter(|shift| !now.contains(&&*shift.person.id));
    assert!(others.any(|shift| shift.start.unwrap() > night()), "somebody else is next");
    assert!(snapshot.policies.iter().all(|policy| !policy.services.is_empty()));
}

#[test]
fn the_storys_page_is_an_incident_that_waits_for_somebody() {
    let clock = DemoTimeline::new(night() - 100.seconds(), 1.0);
    let (world, done) = (DemoWorld::new(7, clock), ActionsDone::default());
    let all = world.incidents(&done, night());
    let open: Vec<_> = all.iter().filter(|reported| reported.incident.is_open()).collect();
    let triggered: Vec<_> =
        open.iter().filter(|reported| reported.incident.status == IncidentStatus::Triggered).collect();
    assert_eq!(triggered.len(), 1);
    let payments = &triggered[0].incident;
    assert!(payments.title.starts_with("PaymentsErrorBudgetBurn: payments is failing users"), "{payments:?}");
    let sent = triggered[0].sent.as_ref().unwrap();
    assert_eq!(sent.labels, payments.firing[0]);
    assert!(sent.generator.contains("graph?g0.expr="));
    assert!(sent.annotations.get("runbook_url").is_some());
    assert_eq!((payments.urgency, payments.assigned.len()), (Urgency::High, 1));
    assert!(open.iter().any(|reported| reported.incident.status == IncidentStatus::Acknowledged));
    let resolved = all.iter().filter(|reported| !reported.incident.is_open()).count();
    assert!((2..60).contains(&resolved), "{resolved}");
    for reported in &all {
        assert!(!reported.steps.is_empty() && reported.sent.is_some());
        assert!(reported.steps.iter().all(|step| step.at <= night()), "{:#?}", reported.incident);
    }
}

/// The incidents at a time after the start, independent of the speed of the demo: name, number and id by demo time.
fn identities(seed: u64, minute: f64, speed: f64) -> BTreeMap<(Text, i64), (u64, Text)> {
    let origin = crate::backend::demo::origin(night(), minute, speed);
    let clock = DemoTimeline::new(origin, speed);
    let (world, done) = (DemoWorld::new(seed, clock), ActionsDone::default());
    let reported = world.incidents(&done, night()).into_iter().map(|reported| reported.incident);
    reported
        .map(|incident| {
            #[expect(clippy::cast_possible_truncation, reason = "a time of the story in seconds")]
            let began = clock.demo(incident.created_at).round() as i64;
            ((incident.key.unwrap(), began), (incident.number, incident.id))
        })
        .collect()
}

#[test]
fn an_incident_keeps_its_id_and_number_at_every_minute_of_the_story_and_at_any_speed() {
    for seed in [0, 7, 42] {
        let mut known: BTreeMap<(Text, i64), (u64, Text)> = BTreeMap::new();
        for (minute, speed) in [
            (0.5, 1.0),
            (0.93, 1.0),
            (1.0, 1.0),
            (1.5, 1.0),
            (1.5, 10.0),
            (2.0, 0.5),
            (3.0, 1.0),
            (5.0, 3.0),
            (62.0, 1.0),
            (600.0, 60.0),
        ] {
            let reported = identities(seed, minute, speed);
            let numbers: BTreeSet<u64> = reported.values().map(|(number, _)| *number).collect();
            assert!(
                numbers.len() == reported.len() || speed > 5.0,
                "each has a number of its own: {reported:#?}"
            );
            for (what, who) in reported {
                let before = known.entry(what.clone()).or_insert_with(|| who.clone());
                assert_eq!(*before, who, "{what:?} at minute {minute}, speed {speed}");
            }
        }
    }
}

#[test]
fn nothing_is_told_of_an_incident_before_it_happened() {
    let clock = DemoTimeline::new(night() - 100.seconds(), 1.0);
    let (world, done) = (DemoWorld::new(7, clock), ActionsDone::default());
    for second in (0..900).step_by(7) {
        let now = night() + second.seconds();
        for reported in world.incidents(&done, now) {
            let incident = reported.incident;
            let stamps = incident.assigned.iter().chain(&incident.acknowledged);
            assert!(stamps.map(|stamp| stamp.at).all(|at| at <= now), "{second}: {incident:#?}");
            assert!(incident.changed_at <= now && incident.resolved_at.is_none_or(|at| at <= now));
            let times =
                reported.steps.iter().map(|step| step.at).chain(reported.notes.iter().map(|note| note.at));
            assert!(times.into_iter().all(|at| at <= now), "{second}: {incident:#?}");
        }
    }
}
