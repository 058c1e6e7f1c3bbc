use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::model::alert::{Alert, AlertSnapshot};
use crate::model::ask::{Answer, Ask, Query, Question, Reply};
use crate::model::fixtures;
use crate::model::service::ServiceSnapshot;
use crate::model::slo::{Family, MeasuredRatio, RecordedSeries, SloAlerting, SloSnapshot};
use crate::model::world::HealthPolicy;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn world() -> World {
    World::new([SourceId::new("am"), SourceId::new("one"), SourceId::new("two")], HealthPolicy::default())
}

fn tell(world: &mut World, source: &str, ask: Ask, answer: Answer) {
    let question = Question { context: 0, source: SourceId::new(source), ask, known: None };
    world.apply(&question, Ok(Reply::free(answer)), at(100));
}

fn slo(id: &str) -> Slo {
    let alerting = SloAlerting { name: Some("Burn".into()), ..SloAlerting::default() };
    Slo { name: "availability".into(), alerting, ..fixtures::slo(id) }
}

fn slos(world: &mut World, source: &str, slo: &Slo, window: MeasuredRatio) {
    let group = fixtures::group(window, vec![(Duration::from_secs(3600), window)]);
    let reading = fixtures::reading(slo.clone(), vec![group]);
    let snapshot = SloSnapshot { at: at(90), readings: vec![reading] };
    tell(world, source, Query::Slos.now(), Answer::Slos(snapshot));
}

fn services(world: &mut World, source: &str, scraped: &[u64]) {
    let readings =
        vec![ServiceReading { name: "cart".into(), scraped: scraped.into(), ..ServiceReading::default() }];
    let snapshot = ServiceSnapshot { readings, lookback: Duration::from_secs(60) };
    tell(world, source, Query::Services.now(), Answer::Services(snapshot));
}

fn alert(labels: &[(&str, &str)]) -> Arc<Alert> {
    Arc::new(fixtures::alert(labels.iter().copied().collect(), at(50), "am"))
}

const GOOD: MeasuredRatio = MeasuredRatio::Ratio { error: 0.0001, events: None };

#[test]
fn a_pair_tells_an_slo_once_and_two_clusters_twice() {
    let mut world = world();
    slos(&mut world, "one", &slo("a"), MeasuredRatio::Absent);
    slos(&mut world, "two", &slo("a"), GOOD);
    assert_eq!(world.slos().len(), 2);
    services(&mut world, "one", &[1, 2]);
    services(&mut world, "two", &[1, 2]);
    let sources: Vec<_> = world.slos().iter().map(|status| status.source.as_str()).collect();
    assert_eq!(sources, ["two"], "the one that has something to say");
    services(&mut world, "two", &[7, 8]);
    assert_eq!(world.slos().len(), 2);
}

#[test]
fn an_slo_finds_its_alerts_and_its_service() {
    let mut world = world();
    let recorded = RecordedSeries {
        family: Family::Sloth,
        id: "cart-availability".into(),
        labels: Labels::from_iter([("service", "cart")]),
        metric: "".into(),
        lookbacks: Vec::new(),
        plugins: Vec::new(),
    };
    slos(&mut world, "one", &Slo { recorded: Some(recorded), ..slo("cart-availability") }, GOOD);
    services(&mut world, "one", &[1]);
    let mine = alert(&[("alertname", "Burn"), ("sloth_id", "cart-availability")]);
    let others = alert(&[("alertname", "Burn"), ("sloth_id", "pay-availability")]);
    let alerts = vec![Arc::clone(&mine), Arc::clone(&others)];
    tell(&mut world, "am", Query::Alerts.now(), Answer::Alerts(AlertSnapshot { alerts }));
    let status = world.slo(&SourceId::new("one"), "cart-availability").unwrap();
    assert_eq!(status.alerts, [mine.fingerprint]);
    assert_eq!(status.service.as_deref(), Some("cart"));
    assert_eq!(world.slos_of("cart").len(), 1);
    assert_eq!(world.slo_of(&mine.labels).map(|status| &*status.slo.id), Some("cart-availability"));
    assert!(world.slo_of(&others.labels).is_none());
}

#[test]
fn an_answer_about_slos_leaves_the_services_alone() {
    let mut world = world();
    services(&mut world, "one", &[1]);
    let before = world.services().as_ptr();
    slos(&mut world, "one", &slo("a"), GOOD);
    assert_eq!(world.services().as_ptr(), before);
    let linked = world.slos().as_ptr();
    services(&mut world, "one", &[1]);
    assert_ne!(world.services().as_ptr(), before);
    assert_eq!(world.slos().as_ptr(), linked);
}

#[test]
fn an_slos_service_is_what_its_labels_say_whether_it_is_known_or_not() {
    let mut world = world();
    let labels = Labels::from_iter([("service", "shop"), ("app", "cart")]);
    slos(&mut world, "one", &Slo { labels, ..slo("a") }, GOOD);
    assert_eq!(world.slos()[0].service.as_deref(), Some("shop"));
    services(&mut world, "one", &[1]);
    assert_eq!(world.slos()[0].service.as_deref(), Some("shop"));
}

#[test]
fn what_is_looked_up_is_what_each_slo_takes_for_its_own() {
    let recorded = |family, id: &str| {
        let (id, metric) = (id.into(), "".into());
        Some(RecordedSeries {
            family,
            id,
            labels: Labels::default(),
            metric,
            lookbacks: Vec::new(),
            plugins: Vec::new(),
        })
    };
    let mut all = Vec::new();
    for (n, recorded) in
        [None, recorded(Family::Sloth, "x"), recorded(Family::Pyrra, "x"), recorded(Family::Grafana, "x")]
            .into_iter()
            .enumerate()
    {
        for service in [None, Some("cart".into()), Some("pay".into())] {
            let id = format!("{n}-{}", service.as_deref().unwrap_or("none"));
            all.push(Slo { recorded: recorded.clone(), service, ..slo(&id) });
        }
    }
    let choices = [
        ("alertname", ["", "Burn", "Other"]),
        ("sloth_id", ["", "x", "y"]),
        ("slo", ["", "x", "0-cart"]),
        ("grafana_slo_uuid", ["", "x", "y"]),
        ("service", ["", "cart", "pay"]),
    ];
    let alerts: Vec<_> = (0..3_usize.pow(5))
        .map(|mut number| {
            let labels = choices.map(|(label, values)| {
                let value = values[number % 3];
                number /= 3;
                (label, value)
            });
            let labels: Vec<_> = labels.into_iter().filter(|(_, value)| !value.is_empty()).collect();
            alert(&labels)
        })
        .collect();
    let known = SloAlertIndex::of(all.iter());
    let mut found = 0;
    for alert in &alerts {
        let own = all.iter().enumerate().filter(|(_, slo)| slo.is_about(&alert.labels)).map(|(at, _)| at);
        let own: Vec<_> = own.collect();
        assert_eq!(known.about(&alert.labels), own, "{:?}", alert.labels);
        found += own.len();
    }
    assert!(found > 100);
}
