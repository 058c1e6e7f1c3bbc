use std::time::Duration;

use super::*;
use crate::model::alert::AlertSnapshot;
use crate::model::ask::{Answer, Ask, Query, Question, Reply};
use crate::model::fixtures::{self, pager_ref};
use crate::model::incident::{AlertCounts, Attribution, IncidentSnapshot, Priority};
use crate::model::labels::Labels;
use crate::model::service::{ServiceReading, ServiceSnapshot};
use crate::model::world::HealthPolicy;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn id(source: &str) -> SourceId {
    SourceId::new(source)
}

fn tell(world: &mut World, source: &str, ask: Ask, answer: Answer) {
    let question = Question { context: 0, source: id(source), ask, known: None };
    world.apply(&question, Ok(Reply::free(answer)), at(100));
}

fn incident(number: u64, title: &str, service: &str) -> Incident {
    Incident {
        service: Some(pager_ref(service)),
        alerts: AlertCounts { all: 1, triggered: 1 },
        created_at: at(60 + i64::try_from(number).unwrap()),
        ..fixtures::incident(number, title, at(70), "pd")
    }
}

fn alert(labels: &[(&str, &str)]) -> Arc<Alert> {
    Arc::new(fixtures::alert(labels.iter().copied().collect(), at(50), "am"))
}

fn world(incidents: Vec<Incident>, alerts: &[Arc<Alert>]) -> World {
    let mut world = World::new(["am", "pd", "pd2", "prom"].map(id), HealthPolicy::default());
    let readings =
        ["cart", "checkout"].map(|name| ServiceReading { name: name.into(), ..ServiceReading::default() });
    let snapshot = ServiceSnapshot { readings: readings.to_vec(), lookback: Duration::from_secs(60) };
    tell(&mut world, "prom", Query::Services.now(), Answer::Services(snapshot));
    tell(&mut world, "am", Query::Alerts.now(), Answer::Alerts(AlertSnapshot { alerts: alerts.to_vec() }));
    incidents_of(&mut world, "pd", incidents);
    world
}

fn incidents_of(world: &mut World, source: &str, mut incidents: Vec<Incident>) {
    for incident in &mut incidents {
        incident.source = id(source);
    }
    let snapshot = IncidentSnapshot { incidents, ..IncidentSnapshot::default() };
    tell(world, source, Query::Incidents.now(), Answer::Incidents(snapshot));
}

fn numbers(world: &World) -> Vec<u64> {
    world.incidents().iter().map(|known| known.incident.number).collect()
}

#[test]
fn open_ones_come_first_by_priority_urgency_who_has_them_and_age() {
    let priority = |rank| Some(Priority { named: pager_ref("P"), rank: Some(rank) });
    let incidents = vec![
        Incident { status: IncidentStatus::Resolved, resolved_at: Some(at(90)), ..incident(1, "a", "x") },
        Incident { urgency: Urgency::Low, ..incident(2, "b", "x") },
        Incident { status: IncidentStatus::Acknowledged, ..incident(3, "c", "x") },
        incident(4, "d", "x"),
        incident(5, "e", "x"),
        Incident { priority: priority(2), urgency: Urgency::Low, ..incident(6, "f", "x") },
        Incident { priority: priority(1), ..incident(7, "g", "x") },
        Incident { status: IncidentStatus::Resolved, resolved_at: Some(at(95)), ..incident(8, "h", "x") },
    ];
    assert_eq!(numbers(&world(incidents, &[])), [7, 6, 5, 4, 3, 2, 8, 1]);
}

#[test]
fn one_account_asked_twice_tells_an_incident_once_and_two_servers_with_equal_ids_two() {
    let mut world = world(vec![incident(1, "a", "x")], &[]);
    let acknowledged =
        Incident { status: IncidentStatus::Acknowledged, changed_at: at(80), ..incident(1, "a", "x") };
    incidents_of(&mut world, "pd2", vec![acknowledged]);
    let [only] = world.incidents() else { panic!("{:?}", world.incidents()) };
    assert_eq!(only.incident.status, IncidentStatus::Acknowledged, "the later word counts");
    assert_eq!((only.source().as_str(), only.incident.source.as_str()), ("pd", "pd2"));
    for source in ["pd", "pd2"] {
        assert!(world.incident(&id(source), "P1").is_some(), "{source}");
    }
    assert!(world.incident(&id("am"), "P1").is_none());
    incidents_of(&mut world, "pd2", vec![Incident { created_at: at(7), ..incident(1, "another", "x") }]);
    assert_eq!(world.incidents().len(), 2);
}

#[test]
fn the_title_and_the_service_tell_what_an_incident_is_about() {
    let burn = alert(&[("alertname", "Burn"), ("service", "checkout")]);
    let other = alert(&[("alertname", "Burn"), ("service", "cart")]);
    let spaced = alert(&[("alertname", "High error rate"), ("service", "cart")]);
    let alerts = [Arc::clone(&burn), Arc::clone(&other), Arc::clone(&spaced)];
    let incidents = vec![
        incident(1, "[FIRING:1] Burn (page)", "Checkout Service"),
        incident(2, "[FIRING:2] Burn cart", "Everything"),
        incident(3, "Burning people", "Everything"),
        incident(4, "High error rate", "cart"),
        Incident {
            status: IncidentStatus::Resolved,
            resolved_at: Some(at(20)),
            ..incident(5, "Burn", "cart")
        },
    ];
    let world = world(incidents, &alerts);
    let about = |number: u64| {
        let known = world.incidents().iter().find(|known| known.incident.number == number).unwrap();
        (known.service.as_deref(), known.alerts.clone())
    };
    assert_eq!(about(1), (Some("checkout"), vec![burn.fingerprint]));
    assert_eq!(about(2), (Some("cart"), vec![other.fingerprint]));
    assert_eq!(about(3), (None, Vec::new()));
    assert_eq!(about(4), (Some("cart"), vec![spaced.fingerprint]));
    assert_eq!(about(5), (Some("cart"), Vec::new()), "what fires now is not what was over before");
    assert_eq!(world.incident_of(burn.fingerprint).map(|known| known.incident.number), Some(1));
    let of_cart: Vec<_> = world.incidents_of("cart").map(|known| known.incident.number).collect();
    assert_eq!(of_cart, [4, 2, 5]);
}

#[test]
fn labels_that_came_along_count_more_than_words() {
    let mine = alert(&[("alertname", "Burn"), ("service", "cart"), ("pod", "a"), ("cluster", "eu")]);
    let other = alert(&[("alertname", "Burn"), ("service", "cart"), ("pod", "b"), ("cluster", "eu")]);
    let mut world = world(vec![incident(1, "Burn cart", "cart")], &[Arc::clone(&mine), Arc::clone(&other)]);
    assert_eq!(world.incidents()[0].alerts.len(), 2, "the words do not tell pods apart");
    let before = world.revision();
    let reported = |labels: Labels, key: Option<&str>| IncidentAlert {
        id: "A".into(),
        is_resolved: false,
        summary: "Burn".into(),
        severity: None,
        created_at: at(60),
        key: key.map(Into::into),
        labels,
        firing: Vec::new(),
        generator: None,
        details: Labels::default(),
        links: Vec::new(),
    };
    // `cluster` is added on the way to the Alertmanager
    let labels = Labels::from_iter([("alertname", "Burn"), ("service", "cart"), ("pod", "a")]);
    let detail = IncidentDetail { alerts: vec![reported(labels, None)], ..IncidentDetail::default() };
    tell(&mut world, "pd", Query::Incident { id: "P1".into() }.now(), Answer::Incident(detail));
    assert_eq!(world.incidents()[0].alerts, [mine.fingerprint]);
    assert!(world.revision() > before, "what is shown changed");
    assert_eq!(
        world.alert_of(&reported(Labels::default(), Some(&other.fingerprint.to_string()))),
        Some(other.fingerprint)
    );
    assert_eq!(
        world.alert_of(&reported(Labels::from_iter([("alertname", "Burn")]), None)),
        None,
        "either of two"
    );
}

#[test]
fn an_acknowledgement_of_long_ago_is_forgotten_and_its_people_are_told_once() {
    let person = |name: &str| Person { id: name.into(), name: name.into(), email: None, zone: None };
    let stamp = |name: &str, second| Attribution { who: person(name), at: at(second) };
    let taken = Incident {
        status: IncidentStatus::Acknowledged,
        assigned: vec![stamp("Kofi", 50)],
        acknowledged: vec![stamp("Ana", 60), stamp("Ana", 90)],
        ..incident(1, "a", "x")
    };
    let world =
        world(vec![taken, Incident { assigned: vec![stamp("Kofi", 50)], ..incident(2, "b", "x") }], &[]);
    let known = world.incident(&id("pd"), "P1").unwrap();
    let names =
        |known: &IncidentView| known.holders().iter().map(|who| who.name.to_string()).collect::<Vec<_>>();
    assert_eq!(names(known), ["Ana"]);
    assert_eq!(names(world.incident(&id("pd"), "P2").unwrap()), ["Kofi"]);
    let hours = |hours: i64| at(90 + hours * 3600);
    assert!(
        !known.is_acknowledgement_old(hours(4))
            && known.is_acknowledgement_old(hours(4) + Duration::from_secs(1))
    );
    assert!(
        !world.incident(&id("pd"), "P2").unwrap().is_acknowledgement_old(hours(9)),
        "nobody said so at all"
    );
}

fn about(world: &World) -> (Vec<&str>, BTreeSet<Fingerprint>) {
    let known = &world.incidents()[0];
    (known.services.iter().map(|name| &**name).collect(), known.alerts.iter().copied().collect())
}

#[test]
fn an_incident_is_about_the_alerts_whose_labels_came_with_the_page_however_many_and_whatever_its_title_says()
{
    let numbered = |n: usize| {
        let service = if n.is_multiple_of(3) { "cart" } else { "checkout" };
        let pod = n.to_string();
        alert(&[("alertname", "Burn"), ("service", service), ("pod", &pod), ("odd", "a = b: \"c\"\nd")])
    };
    let stranger = alert(&[("alertname", "Burn"), ("service", "search"), ("pod", "0")]);
    for count in [1, 3, 30] {
        let alerts: Vec<_> = (1..=count).map(numbered).collect();
        let firing = alerts.iter().map(|alert| alert.labels.clone()).collect();
        let title = "[FIRING:30] production (eu page)";
        let all: Vec<_> = alerts.iter().cloned().chain([Arc::clone(&stranger)]).collect();
        let world = world(vec![Incident { firing, ..incident(1, title, "Production") }], &all);
        let services = if count == 1 { vec!["checkout"] } else { vec!["checkout", "cart"] };
        let found = alerts.iter().map(|alert| alert.fingerprint).collect();
        assert_eq!(about(&world), (services, found), "{count}");
        for service in ["checkout", "cart"] {
            assert_eq!(world.incidents_of(service).count(), usize::from(count > 1 || service == "checkout"));
        }
        assert_eq!(world.incidents_of("search").count(), 0);
    }
}

#[test]
fn labels_that_a_group_shares_tie_all_of_it_and_neither_another_service_nor_what_came_later() {
    let a = alert(&[("alertname", "Burn"), ("service", "cart"), ("pod", "a")]);
    let b = alert(&[("alertname", "Slow"), ("service", "cart"), ("pod", "b")]);
    let other = alert(&[("alertname", "Burn"), ("service", "checkout"), ("pod", "c")]);
    let mut late = Alert::clone(&alert(&[("alertname", "Late"), ("service", "cart"), ("pod", "d")]));
    late.starts_at = at(5000);
    let alerts = [Arc::clone(&a), Arc::clone(&b), other, Arc::new(late)];
    let shared = |labels: &[(&str, &str)]| vec![labels.iter().copied().collect::<Labels>()];
    for (firing, found) in [
        (shared(&[("service", "cart"), ("pod", "a")]), vec![&a]),
        (shared(&[("alertname", "Slow"), ("service", "cart"), ("cut", "he")]), vec![]),
        (shared(&[("alertname", "Burn"), ("service", "cart")]), vec![&a]),
    ] {
        let world = world(vec![Incident { firing, ..incident(1, "page", "Production") }], &alerts);
        let found = found.iter().map(|alert| alert.fingerprint).collect();
        assert_eq!(about(&world), (vec!["cart"], found));
    }
}

#[test]
fn a_title_that_names_several_services_is_about_none_of_them() {
    let one = world(vec![incident(1, "checkout is slow", "Production")], &[]);
    assert_eq!(about(&one).0, ["checkout"]);
    let two = world(vec![incident(1, "checkout waits for cart", "Production")], &[]);
    assert!(about(&two).0.is_empty());
}

#[test]
fn the_words_of_a_groups_title_are_not_taken_for_a_service_before_its_alerts_are_read() {
    for (title, before) in [
        ("[FIRING:2] checkout (bench shop page)", vec![]),
        ("[RESOLVED] checkout", vec![]),
        ("checkout is slow", vec!["checkout"]),
    ] {
        let mut world = world(vec![incident(1, title, "Production")], &[]);
        assert!(world.has_unknown_alerts(&world.incidents()[0]));
        assert_eq!(about(&world).0, before, "{title}");
        let detail = Answer::Incident(IncidentDetail::default());
        tell(&mut world, "pd", Query::Incident { id: "P1".into() }.now(), detail);
        assert!(!world.has_unknown_alerts(&world.incidents()[0]));
        assert_eq!(about(&world).0, ["checkout"], "{title}");
    }
}

#[test]
fn the_page_of_an_expression_or_a_runbook_ties_where_no_label_came_along() {
    let mut burn = Alert::clone(&alert(&[("alertname", "Burn"), ("service", "cart")]));
    burn.generator_url = Some("http://prom/graph?g0.expr=x".into());
    let mut slow = Alert::clone(&alert(&[("alertname", "Slow"), ("service", "cart")]));
    slow.annotations = [("runbook_url", "https://books/slow")].into_iter().collect();
    let (burn, slow) = (Arc::new(burn), Arc::new(slow));
    let reported = IncidentAlert {
        id: "A".into(),
        is_resolved: false,
        summary: "x".into(),
        severity: None,
        created_at: at(60),
        key: None,
        labels: Labels::default(),
        firing: Vec::new(),
        generator: burn.generator_url.clone(),
        details: Labels::default(),
        links: vec![("runbook".into(), "https://books/slow".into())],
    };
    let mut world = world(vec![incident(1, "page", "cart")], &[Arc::clone(&burn), Arc::clone(&slow)]);
    assert!(about(&world).1.is_empty());
    let detail = IncidentDetail { alerts: vec![reported], ..IncidentDetail::default() };
    tell(&mut world, "pd", Query::Incident { id: "P1".into() }.now(), Answer::Incident(detail));
    assert_eq!(about(&world), (vec!["cart"], [burn.fingerprint, slow.fingerprint].into()));
}

#[test]
fn the_mark_of_alertmanagers_titles_is_no_part_of_what_an_incident_is_about() {
    for (title, subject) in [
        ("[FIRING:2] checkout (bench page)", "checkout (bench page)"),
        ("[FIRING:30]  Burn", " Burn"),
        ("[FIRING:1] ", "[FIRING:1] "),
        ("[FIRING:x] Burn", "[FIRING:x] Burn"),
        ("[FIRING:] Burn", "[FIRING:] Burn"),
        ("checkout [FIRING:1] is slow", "checkout [FIRING:1] is slow"),
    ] {
        assert_eq!(incident(1, title, "checkout").subject(), subject);
    }
}
