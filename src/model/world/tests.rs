mod capacity;
mod moments;

use std::time::Duration;

use super::*;
use crate::model::alert::{AlertSnapshot, AlertState};
use crate::model::ask::{Ask, Query, Reply};
use crate::model::fixtures;
use crate::model::health::Health;
use crate::model::reason::Reason;
use crate::model::rule::RuleSnapshot;
use crate::model::service::{ScrapeTargets, ServiceReading, ServiceSnapshot, Signals};
use crate::model::signal::{Signal, UnknownSignal, UnknownSignals};
use crate::model::source::{ErrorKind, SourceError};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn world() -> World {
    World::new([SourceId::new("am"), SourceId::new("am2"), SourceId::new("prom")], HealthPolicy::default())
}

fn alert(name: &str, service: &str, state: AlertState) -> Arc<Alert> {
    let labels = Labels::from_iter([("alertname", name), ("service", service), ("severity", "page")]);
    let receivers = Arc::from([Text::from("team")]);
    Arc::new(Alert { state, receivers, ..fixtures::alert(labels, at(100), "am") })
}

fn question(source: &str, ask: Ask) -> Question {
    Question { context: 0, source: SourceId::new(source), ask, known: None }
}

fn alerts(world: &mut World, source: &str, alerts: Vec<Arc<Alert>>, now: i64) {
    let alerts = alerts
        .into_iter()
        .map(|a| Arc::new(Alert { sources: vec![SourceId::new(source)], ..(*a).clone() }))
        .collect();
    world.apply(
        &question(source, Query::Alerts.now()),
        Ok(Reply::free(Answer::Alerts(AlertSnapshot { alerts }))),
        at(now),
    );
}

fn services(world: &mut World, names: &[&str], now: i64) {
    let readings = names
        .iter()
        .map(|name| ServiceReading {
            name: (*name).into(),
            signals: Signals { request_rate: Some(10.0), error_ratio: Some(0.0), ..Signals::default() },
            targets: ScrapeTargets { up: 1, total: 1, down: vec![] },
            ..ServiceReading::default()
        })
        .collect();
    health_after(world, readings, now);
}

fn health_after(world: &mut World, readings: Vec<ServiceReading>, now: i64) {
    let snapshot = ServiceSnapshot { readings, lookback: Duration::from_secs(60) };
    world.apply(
        &question("prom", Query::Services.now()),
        Ok(Reply::free(Answer::Services(snapshot))),
        at(now),
    );
}

#[test]
fn the_same_alert_of_two_alertmanagers_is_one() {
    let mut world = world();
    alerts(&mut world, "am", vec![alert("Burn", "cart", AlertState::Firing)], 200);
    alerts(&mut world, "am2", vec![alert("Burn", "cart", AlertState::Firing)], 201);
    assert_eq!(world.alerts().len(), 1);
    assert_eq!(world.alerts()[0].sources, [SourceId::new("am"), SourceId::new("am2")]);
}

#[test]
fn the_alertmanagers_word_on_state_counts_more_than_the_rules() {
    let mut world = world();
    let pending = Arc::new(Alert {
        receivers: Arc::from([]),
        value: Some(0.2),
        updated_at: at(900),
        sources: vec![SourceId::new("prom")],
        ..(*alert("Burn", "cart", AlertState::Firing)).clone()
    });
    let snapshot = RuleSnapshot { alerts: vec![pending], ..RuleSnapshot::default() };
    world.apply(&question("prom", Query::Rules.now()), Ok(Reply::free(Answer::Rules(snapshot))), at(200));
    alerts(&mut world, "am", vec![alert("Burn", "cart", AlertState::Silenced)], 201);
    let merged = &world.alerts()[0];
    assert_eq!((merged.state, merged.value), (AlertState::Silenced, Some(0.2)));
}

#[test]
fn a_rules_alert_without_the_labels_added_on_the_way_is_the_same_and_does_not_seem_resolved() {
    let mut world = world();
    let routed = alert("Burn", "cart", AlertState::Firing);
    let labels = routed.labels.without(|name| name == "severity");
    let raised = Arc::new(Alert {
        fingerprint: Fingerprint::of(&labels),
        labels,
        receivers: Arc::from([]),
        value: Some(0.2),
        sources: vec![SourceId::new("prom")],
        ..(*routed).clone()
    });
    let snapshot = RuleSnapshot { alerts: vec![raised], ..RuleSnapshot::default() };
    world.apply(&question("prom", Query::Rules.now()), Ok(Reply::free(Answer::Rules(snapshot))), at(200));
    assert_eq!(world.alerts().len(), 1);
    alerts(&mut world, "am", vec![Arc::clone(&routed)], 201);
    assert_eq!(world.alerts().len(), 1);
    assert_eq!((world.alerts()[0].fingerprint, world.alerts()[0].value), (routed.fingerprint, Some(0.2)));
}

#[test]
fn an_alert_that_is_gone_is_resolved_for_a_while_then_forgotten() {
    let mut world = world();
    alerts(&mut world, "am", vec![alert("Burn", "cart", AlertState::Firing)], 200);
    alerts(&mut world, "am", vec![], 210);
    assert_eq!(world.alerts()[0].state, AlertState::Resolved);
    assert_eq!(world.alerts()[0].resolved_at, Some(at(210)));
    alerts(&mut world, "am", vec![], 210 + 899);
    assert_eq!(world.alerts().len(), 1);
    alerts(&mut world, "am", vec![], 210 + 901);
    assert!(world.alerts().is_empty());
}

#[test]
fn a_failed_source_resolves_nothing() {
    let mut world = world();
    alerts(&mut world, "am", vec![alert("Burn", "cart", AlertState::Firing)], 200);
    let error = SourceError::new(SourceId::new("am"), ErrorKind::Unauthorised { message: String::new() });
    world.apply(&question("am", Query::Alerts.now()), Err(error), at(210));
    alerts(&mut world, "am2", vec![], 211);
    assert_eq!(world.alerts()[0].state, AlertState::Firing);
}

#[test]
fn a_firing_page_makes_its_service_burn_and_says_why() {
    let mut world = world();
    services(&mut world, &["cart", "search"], 200);
    assert!(world.services().iter().all(|s| s.health == Health::Healthy));
    alerts(&mut world, "am", vec![alert("Burn", "cart", AlertState::Firing)], 205);
    let cart = world.service("cart").unwrap();
    assert_eq!((cart.health, cart.since), (Health::Critical, Some(at(205))));
    assert_eq!(cart.reasons[0].to_string(), "Burn firing");
    assert_eq!(world.service("search").unwrap().since, None);
    alerts(&mut world, "am", vec![alert("Burn", "cart", AlertState::Silenced)], 206);
    assert_eq!(world.service("cart").unwrap().health, Health::Healthy);
}

#[test]
fn a_service_that_vanishes_is_unknown_not_healthy() {
    let mut world = world();
    services(&mut world, &["cart"], 200);
    services(&mut world, &["search"], 300);
    let cart = world.service("cart").unwrap();
    assert_eq!(cart.health, Health::Unknown);
    assert_eq!(cart.reasons, [Reason::NoData { since: at(200) }]);
    services(&mut world, &["search"], 300 + 86_400);
    assert!(world.service("cart").is_none());
}

#[test]
fn a_service_that_vanishes_while_it_was_down_stays_down_for_a_while() {
    let mut world = world();
    let down = ScrapeTargets { up: 0, total: 2, down: vec![] };
    let readings = vec![
        ServiceReading { name: "cart".into(), targets: down, ..ServiceReading::default() },
        ServiceReading { name: "search".into(), ..ServiceReading::default() },
    ];
    health_after(&mut world, readings, 200);
    for (now, health, words) in [
        (300, Health::Down, "all 2 targets are down when last known, no data any more"),
        (200 + 3599, Health::Down, "all 2 targets are down when last known, no data any more"),
        (200 + 3600, Health::Unknown, "no data any more"),
        (200 + 7200, Health::Unknown, "no data any more"),
    ] {
        services(&mut world, &["search"], now);
        let cart = world.service("cart").unwrap();
        let reasons: Vec<_> = cart.reasons.iter().map(ToString::to_string).collect();
        assert_eq!((cart.health, reasons.join(", ").as_str()), (health, words), "{now}");
    }
    services(&mut world, &["cart", "search"], 200 + 7300);
    assert_eq!(world.service("cart").unwrap().health, Health::Healthy);
}

#[test]
fn a_service_that_ends_keeps_the_alerts_that_fire_for_it_and_stands_first() {
    let mut world = world();
    services(&mut world, &["cart", "search"], 200);
    alerts(&mut world, "am", vec![alert("AllPodsGone", "search", AlertState::Firing)], 205);
    services(&mut world, &["cart"], 217);
    let search = world.service("search").unwrap();
    let words: Vec<_> = search.reasons.iter().map(|reason| reason.words(at(230))).collect();
    assert_eq!(
        (search.health, words),
        (Health::Critical, vec!["AllPodsGone firing".into(), "no data for 30s".to_owned()])
    );
    assert_eq!(search.since, Some(at(205)), "it was bad before, and nothing became better");
    assert_eq!(search.alerts.len(), 1);
    services(&mut world, &["cart", "search"], 240);
    assert_eq!(world.service("search").unwrap().reasons.len(), 1);
}

#[test]
fn a_service_that_only_an_alert_names_is_listed_by_it_as_long_as_that_fires() {
    let mut world = world();
    let question = question("prom", Query::Services.now());
    world.asked(&question);
    let (firing_with_severity, pending) =
        (alert("AllPodsGone", "search", AlertState::Firing), alert("Slow", "mail", AlertState::Pending));
    alerts(&mut world, "am", vec![firing_with_severity, pending], 200);
    assert!(world.services().is_empty(), "its metrics are still on their way");
    services(&mut world, &["cart"], 201);
    let search = world.service("search").unwrap();
    assert_eq!((search.health, search.reasons.len()), (Health::Critical, 2));
    assert!(search.is_named_by_alerts_alone() && world.service("mail").is_none());
    alerts(&mut world, "am", vec![], 230);
    assert!(world.service("search").is_none());
}

fn said(world: &World) -> Vec<String> {
    let cache = world.cache(&SourceId::new("prom")).unwrap();
    cache.services().warnings.iter().map(|warning| format!("{:?}: {warning}", warning.kind)).collect()
}

#[test]
fn a_source_that_answers_and_knows_nothing_any_more_says_so_until_it_does_again() {
    let mut world = world();
    services(&mut world, &["cart", "mail", "search"], 0);
    assert_eq!(said(&world), [] as [&str; 0]);
    for now in [120, 130] {
        services(&mut world, &[], now);
        assert_eq!(said(&world), ["MissingPart: its answers lost 3 of 3 services at 00:02Z"]);
    }
    services(&mut world, &["cart", "mail", "search"], 140);
    assert_eq!(said(&world), [] as [&str; 0]);
}

#[test]
fn a_source_without_any_service_while_alerts_fire_is_not_fine() {
    let mut world = world();
    services(&mut world, &[], 100);
    assert_eq!(said(&world), [] as [&str; 0], "there may be none");
    alerts(&mut world, "am", vec![alert("AllPodsGone", "search", AlertState::Firing)], 110);
    assert_eq!(said(&world), ["MissingData: its answers contain no services while 1 alert fires"]);
}

#[test]
fn services_that_are_called_otherwise_now_are_told_once_and_not_each() {
    let mut world = world();
    services(&mut world, &["cart", "mail", "search"], 0);
    alerts(&mut world, "am", vec![alert("AllPodsGone", "mail", AlertState::Firing)], 30);
    services(&mut world, &["shop-cart", "shop-mail", "shop-search"], 60);
    let names: Vec<_> = world.services().iter().map(|service| &*service.name).collect();
    assert_eq!(names, ["mail", "shop-cart", "shop-mail", "shop-search"], "what an alert names stays");
    let words = "Notice: 3 services disappeared and 3 new ones appeared at 00:01Z: was a label renamed?";
    assert_eq!(said(&world), [words]);
}

#[test]
fn a_signal_that_was_refused_keeps_what_it_last_said_and_no_service_is_healthy_without_it() {
    let mut world = world();
    let health_after = |world: &mut World, error_ratio: Option<f64>, refused: bool, now: i64| {
        let unknown = refused.then(|| UnknownSignal { signal: Signal::Errors, why: "422".into() });
        let reading = ServiceReading {
            name: "cart".into(),
            signals: Signals { request_rate: Some(100.0), error_ratio, ..Signals::default() },
            unknown: UnknownSignals::new(unknown),
            ..ServiceReading::default()
        };
        let snapshot = ServiceSnapshot { readings: vec![reading], lookback: Duration::from_secs(60) };
        let reply = Reply::free(Answer::Services(snapshot));
        world.apply(&question("prom", Query::Services.now()), Ok(reply), at(now));
        world.service("cart").unwrap().health
    };
    assert_eq!(health_after(&mut world, Some(0.0), false, 200), Health::Healthy);
    assert_eq!(health_after(&mut world, None, true, 210), Health::Unknown);
    assert_eq!(health_after(&mut world, Some(0.3), false, 220), Health::Critical);
    assert_eq!(health_after(&mut world, None, true, 230), Health::Critical);
    assert_eq!(
        health_after(&mut world, None, true, 220 + 3600),
        Health::Unknown,
        "an hour later nobody knows"
    );
    assert_eq!(health_after(&mut world, Some(0.0), false, 5000), Health::Healthy);
}

#[test]
fn the_watchdog_is_a_switch_not_an_alert() {
    let mut world = world();
    let am = SourceId::new("am");
    assert_eq!(world.watchdog(&am), Watchdog::Unknown);
    alerts(&mut world, "am", vec![alert("Watchdog", "", AlertState::Firing)], 200);
    assert_eq!(world.watchdog(&am), Watchdog::Present);
    assert!(world.alerts().is_empty());
    alerts(&mut world, "am", vec![], 210);
    assert_eq!(world.watchdog(&am), Watchdog::Absent);
}

#[test]
fn an_answer_of_another_kind_is_trouble_not_a_crash() {
    let mut world = world();
    world.apply(&question("am", Query::Alerts.now()), Ok(Reply::free(Answer::Silences(vec![]))), at(1));
    let cache = world.cache(&SourceId::new("am")).unwrap();
    assert!(matches!(cache.alerts().failure().unwrap().kind, ErrorKind::Garbled { .. }));
}

#[test]
fn states_that_changed_since_are_told_from_those_that_were_there() {
    let mut world = world();
    let (old, new) = (alert("Old", "a", AlertState::Firing), alert("New", "b", AlertState::Firing));
    alerts(&mut world, "am", vec![Arc::clone(&old)], 200);
    alerts(&mut world, "am", vec![Arc::clone(&old), Arc::clone(&new)], 205);
    assert_eq!(world.changed_at(old.fingerprint), Some(at(100)));
    assert_eq!(world.changed_at(new.fingerprint), Some(at(205)));
}

#[test]
fn only_what_began_or_ended_is_news() {
    let mut world = world();
    let (old, new) = (alert("Old", "a", AlertState::Firing), alert("New", "b", AlertState::Firing));
    let names = |world: &World| world.news().map(|alert| alert.name().to_owned()).collect::<Vec<_>>();
    alerts(&mut world, "am", vec![Arc::clone(&old)], 200);
    assert_eq!(names(&world), ["Old"]);
    alerts(&mut world, "am", vec![Arc::clone(&old), new], 205);
    assert_eq!(names(&world), ["New"]);
    let reworded = Alert { annotations: Labels::from_iter([("summary", "other")]), ..(*old).clone() };
    alerts(&mut world, "am", vec![Arc::new(reworded)], 210);
    assert_eq!(names(&world), ["New"], "it is resolved; what is said of the other has only changed");
    assert!(world.alert(old.fingerprint).unwrap().summary().is_some());
}

#[test]
fn an_alert_finds_its_service_whichever_comes_first() {
    let mut world = world();
    alerts(&mut world, "am", vec![alert("Burn", "cart", AlertState::Firing)], 200);
    let of = |world: &World| world.alerts_with_services().map(|(_, of)| of.cloned()).collect::<Vec<_>>();
    assert_eq!(of(&world), [Some("cart".into())], "by its label alone");
    for names in [&["api", "cart"][..], &["cart"], &["cart", "web"]] {
        services(&mut world, names, 201);
        assert_eq!(world.service("cart").unwrap().alerts.len(), 1, "{names:?}");
        assert_eq!(of(&world), [Some("cart".into())]);
    }
}

#[test]
fn an_alerts_service_is_what_its_labels_say_in_their_order_whatever_else_is_known() {
    let labelled = |labels: &[(&str, &str)]| {
        let labels = labels.iter().copied().chain([("alertname", "Both")]).collect::<Labels>();
        let fingerprint = Fingerprint::of(&labels);
        Arc::new(Alert { fingerprint, labels, ..(*alert("Both", "", AlertState::Firing)).clone() })
    };
    let order = ["service", "app", "app_kubernetes_io_name", "job"];
    for (labels, named) in [
        (vec![("service", "shop"), ("job", "app")], Some("shop")),
        (vec![("job", "app"), ("app", "shop")], Some("shop")),
        (vec![("app_kubernetes_io_name", "shop"), ("job", "app")], Some("shop")),
        (vec![("service", ""), ("job", "app")], Some("app")),
        (vec![("team", "app")], None),
    ] {
        let alert = labelled(&labels);
        for is_prometheus_first in [true, false] {
            let mut world = world();
            if is_prometheus_first {
                services(&mut world, &["app", "web"], 100);
            }
            alerts(&mut world, "am", vec![Arc::clone(&alert)], 101);
            services(&mut world, &["app", "web"], 102);
            let health_after = world.alerts_with_services().next().unwrap().1.map(|name| &**name);
            assert_eq!(
                (health_after, world.service_of(&alert.labels).map(|name| &**name)),
                (named, named),
                "{labels:?}"
            );
            let app = world.service("app").unwrap();
            assert_eq!(app.alerts.is_empty(), named != Some("app"), "{labels:?}");
        }
    }
    assert_eq!(HealthPolicy::default().service_labels, order);
}

#[test]
fn a_pair_that_scrapes_the_same_is_not_added_up_and_the_dead_half_does_not_speak() {
    let mut world = World::new([SourceId::new("a"), SourceId::new("b")], HealthPolicy::default());
    let say = |world: &mut World, source: &str, error_ratio: f64, now: i64| {
        let signals =
            Signals { request_rate: Some(100.0), error_ratio: Some(error_ratio), ..Signals::default() };
        let reading = ServiceReading {
            name: "cart".into(),
            signals,
            targets: ScrapeTargets { up: 2, total: 2, down: vec![] },
            scraped: [1, 2].into(),
            ..ServiceReading::default()
        };
        let snapshot = ServiceSnapshot { readings: vec![reading], lookback: Duration::from_secs(60) };
        let reply = Reply::free(Answer::Services(snapshot));
        world.apply(&question(source, Query::Services.now()), Ok(reply), at(now));
    };
    say(&mut world, "a", 0.5, 100);
    say(&mut world, "b", 0.5, 101);
    let cart = world.service("cart").unwrap();
    assert_eq!((cart.signals.request_rate, cart.targets.total), (Some(100.0), 2));
    assert_eq!(cart.chart_sources, [SourceId::new("a")]);
    let error = SourceError::new(SourceId::new("a"), ErrorKind::Unreachable { reason: "refused".into() });
    world.apply(&question("a", Query::Probe.now()), Err(error), at(105));
    say(&mut world, "b", 0.0, 106);
    let cart = world.service("cart").unwrap();
    assert_eq!((cart.health, cart.sources.len()), (Health::Healthy, 2), "both know it");
    assert_eq!(cart.chart_sources, [SourceId::new("b")]);
}
