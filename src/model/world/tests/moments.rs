//! Tests: answers are stored by source, question and moment, with limits on their number.

use std::time::Duration;

use super::super::cache::{MOMENTS_KEPT, OTHERS_KEPT};
use super::super::*;
use crate::model::ask::{Ask, Query, QueryRange, Reply, SeriesKey};
use crate::model::health::Health;
use crate::model::series::{Matrix, TimeGrid};
use crate::model::service::{ServiceReading, ServiceSnapshot, Signals};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn prom() -> SourceId {
    SourceId::new("prom")
}

fn world() -> World {
    World::new([prom(), SourceId::new("other")], HealthPolicy::default())
}

fn tell(world: &mut World, source: &str, ask: Ask, answer: Answer, now: i64) {
    let question = Question { context: 0, source: SourceId::new(source), ask, known: None };
    world.asked(&question);
    world.apply(&question, Ok(Reply::free(answer)), at(now));
}

fn services(world: &mut World, source: &str, moment: Moment, names: &[&str], now: i64) {
    let signals = Signals { request_rate: Some(10.0), error_ratio: Some(0.0), ..Signals::default() };
    let reading = |name: &&str| ServiceReading { name: (*name).into(), signals, ..ServiceReading::default() };
    let snapshot =
        ServiceSnapshot { readings: names.iter().map(reading).collect(), lookback: Duration::from_secs(60) };
    tell(world, source, Query::Services.at(moment), Answer::Services(snapshot), now);
}

fn names(world: &World) -> Vec<&str> {
    world.services().iter().map(|service| &*service.name).collect()
}

#[test]
fn a_moment_of_the_past_is_shown_by_answers_of_that_moment_alone() {
    let mut world = world();
    let past = Moment::At(at(500));
    services(&mut world, "prom", Moment::Now, &["cart", "new"], 1000);
    services(&mut world, "other", Moment::Now, &["mail"], 1000);
    world.show(past, at(1001));
    assert_eq!(names(&world), ["cart", "mail", "new"]);
    let is_known = |world: &World, name: &str| {
        let service = world.service(name).unwrap();
        assert_eq!(service.signals.request_rate.is_some(), service.health == Health::Healthy);
        service.signals.request_rate.is_some()
    };
    assert!(
        world.services().iter().all(|service| !is_known(&world, &service.name)),
        "not known of that moment yet"
    );
    services(&mut world, "prom", past, &["cart"], 1002);
    assert!(is_known(&world, "cart") && !is_known(&world, "mail") && !is_known(&world, "new"));
    // a late answer about now is stored, but does not mix with the past moment
    services(&mut world, "other", Moment::Now, &["mail", "mailer"], 1003);
    assert!(!is_known(&world, "mail") && world.service("mailer").is_none());
    services(&mut world, "other", past, &["post"], 1004);
    assert!(is_known(&world, "cart") && is_known(&world, "post") && !is_known(&world, "mail"));
    world.show(Moment::Now, at(1005));
    assert_eq!(names(&world), ["cart", "mail", "mailer", "new"]);
    assert!(world.services().iter().all(|service| is_known(&world, &service.name)));
    let cache = world.cache(&prom()).unwrap();
    assert_eq!(cache.services().at, Some(at(1000)), "it is as old as it is");
    assert_eq!(cache.at(past).services.at, Some(at(1002)));
}

#[test]
fn a_service_that_went_is_still_known_as_lost_after_a_look_into_the_past() {
    let mut world = world();
    services(&mut world, "prom", Moment::Now, &["cart", "gone"], 1000);
    services(&mut world, "prom", Moment::Now, &["cart"], 1010);
    assert_eq!(names(&world), ["cart", "gone"]);
    world.show(Moment::At(at(500)), at(1011));
    services(&mut world, "prom", Moment::At(at(500)), &["old"], 1012);
    world.show(Moment::Now, at(1013));
    assert_eq!(names(&world), ["cart", "gone"]);
}

#[test]
fn what_has_no_past_is_told_of_now_whatever_moment_is_shown() {
    let mut world = world();
    tell(&mut world, "prom", Query::Silences.now(), Answer::Silences(Vec::new()), 1000);
    world.show(Moment::At(at(500)), at(1001));
    let cache = world.cache(&prom()).unwrap();
    assert!(cache.silences().value().is_some());
    assert_eq!(cache.snapshot(AskKind::Silences).unwrap().at, Some(at(1000)));
    assert_eq!(cache.snapshot(AskKind::Services).unwrap().at, None);
    let reported: Vec<_> =
        cache.answers().filter(|(_, state)| state.at.is_some()).map(|(kind, _)| kind).collect();
    assert_eq!(reported, [AskKind::Silences]);
    assert_eq!(cache.answers().filter(|(kind, _)| *kind == AskKind::Services).count(), 1);
}

/// A query for one hour of an expression.
fn chart(query: &str) -> (Query, Matrix) {
    let window = TimeGrid::ending(at(10_000), Duration::from_secs(3600), 60, Duration::from_secs(15));
    let series = SeriesKey::over(query.into(), window);
    (Query::Series { series, time_range: QueryRange { window, tail: window } }, Matrix::empty(window))
}

#[test]
fn charts_are_kept_as_many_as_the_screen_wants_and_a_few_more_those_that_came_last() {
    let mut world = world();
    for number in 0..60 {
        let (query, matrix) = chart(&format!("query{number}"));
        tell(&mut world, "prom", query.now(), Answer::Series(matrix), number);
    }
    let wanted: Vec<Topic> = (0..20).map(|number| chart(&format!("query{number}")).0.topic()).collect();
    world
        .forget(|source, moment, topic| *source == prom() && moment == Moment::Now && wanted.contains(topic));
    let cache = world.cache(&prom()).unwrap();
    assert_eq!(cache.series().len(), 20 + OTHERS_KEPT);
    let is_kept = |number: i64| cache.answer_to(&chart(&format!("query{number}")).0.now()).is_some();
    assert!((0..20).all(is_kept) && (48..60).all(is_kept) && !is_kept(47));
    assert!(chart("a").0.topic() != chart("b").0.topic());
}

#[test]
fn the_same_expression_over_another_time_is_another_chart() {
    let mut world = world();
    let week = TimeGrid::ending(at(10_000), Duration::from_secs(7 * 86_400), 60, Duration::from_secs(15));
    let (hour, matrix) = chart("up");
    tell(&mut world, "prom", hour.now(), Answer::Series(matrix), 1);
    let series = SeriesKey::over("up".into(), week);
    let query = Query::Series { series, time_range: QueryRange { window: week, tail: week } };
    tell(&mut world, "prom", query.now(), Answer::Series(Matrix::empty(week)), 2);
    let cache = world.cache(&prom()).unwrap();
    let ranges: Vec<u64> = cache.series().keys().map(|key| key.range.as_secs()).collect();
    assert_eq!(ranges, [3600, 7 * 86_400]);
}

#[test]
fn of_moments_that_are_left_only_the_latest_are_kept() {
    let mut world = world();
    for second in 0..20 {
        let moment = Moment::At(at(second));
        world.show(moment, at(1000 + second));
        services(&mut world, "prom", moment, &["cart"], 1000 + second);
        world.forget(|_, _, _| false);
    }
    let cache = world.cache(&prom()).unwrap();
    let kept = (0..20).filter(|second| cache.at(Moment::At(at(*second))).services.at.is_some());
    let expected: Vec<i64> = (20 - i64::try_from(MOMENTS_KEPT).unwrap() - 1..20).collect();
    assert_eq!(kept.collect::<Vec<_>>(), expected);
}
