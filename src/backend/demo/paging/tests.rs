use super::*;
use crate::backend::demo::clock::Clock;
use crate::backend::demo::doings::Done;
use crate::model::incident::{IncidentStatus, Urgency};
use crate::model::source::SourceId;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A night on call.
fn night() -> Timestamp {
    at("2026-01-15T02:52:00Z")
}

#[test]
fn somebody_is_on_call_for_the_shop_at_every_hour_of_a_year() {
    let paging = Paging::open();
    let policy = paging.policy_of("Zürich");
    for hour in 0..8760 {
        let moment = at("2026-01-01T00:30:00Z") + hour.hours();
        let on = paging.shifts(policy, (&policy.levels[0], 1), (moment, moment + 1.second()), &[]);
        assert_eq!(on.iter().filter(|shift| shift.covers(moment)).count(), 1, "{moment}");
    }
}

#[test]
fn a_day_of_the_rota_is_as_long_as_the_zones_clock_says() {
    let paging = Paging::open();
    let turns = paging.rotation("shop-primary").turns(at("2026-03-28T12:00:00Z"), at("2026-03-30T12:00:00Z"));
    let hours: Vec<i64> = turns.iter().map(|(start, end, _)| end.duration_since(*start).as_hours()).collect();
    assert_eq!(hours, [23, 24, 24], "Lisbon goes over to summer time on March 29");
}

#[test]
fn on_sundays_the_platform_has_a_gap_and_on_saturdays_somebody_stands_in() {
    let paging = Paging::open();
    let world = DemoWorld::new(7);
    let board = paging.on_call(&world, night(), &[]);
    assert_eq!(board.on_call("platform", 1, at("2026-01-18T12:00:00Z")).count(), 0);
    assert_eq!(board.on_call("platform", 2, at("2026-01-18T12:00:00Z")).count(), 1);
    let saturday: Vec<&Shift> = board.on_call("shop", 1, at("2026-01-17T15:00:00Z")).collect();
    assert!(saturday.len() == 1 && saturday[0].is_override && &*saturday[0].person.id == "joerg");
    assert_eq!(board.me.as_ref().map(|me| &*me.name), Some("Ana Lima"));
    let next = board.next("shop", 1, night()).unwrap();
    assert!(next.start.unwrap() > night());
    assert!(board.policies.iter().all(|policy| !policy.services.is_empty()));
}

#[test]
fn the_storys_page_is_an_incident_that_waits_for_somebody() {
    let (world, done) = (DemoWorld::new(7), Done::default());
    let source = SourceId::new("pager");
    let clock = Clock::new(night() - 100.seconds(), 1.0);
    let board = world.incidents(&done, night(), &clock, &source);
    let open: Vec<_> = board.incidents.iter().filter(|incident| incident.is_open()).collect();
    let triggered: Vec<_> = open.iter().filter(|i| i.status == IncidentStatus::Triggered).collect();
    assert_eq!(triggered.len(), 1, "{open:#?}");
    let payments = triggered[0];
    assert!(
        payments.title.starts_with("PaymentsErrorBudgetBurn: payments is failing users"),
        "{}",
        payments.title
    );
    assert_eq!((payments.urgency, payments.assigned.len()), (Urgency::High, 1));
    assert!(open.iter().any(|incident| incident.status == IncidentStatus::Acknowledged));
    let resolved = board.incidents.iter().filter(|incident| !incident.is_open()).count();
    assert!((2..60).contains(&resolved), "{resolved}");
    for incident in &board.incidents {
        let detail = world.incident_detail(&incident.id, &done, night(), &clock, &source).unwrap();
        assert!(!detail.steps.is_empty() && detail.alerts.len() == 1);
        assert!(detail.steps.iter().all(|step| step.at <= night()), "{incident:#?}");
    }
    assert!(world.incident_detail("nobody", &done, night(), &clock, &source).is_none());
}
