//! Tests of the merged resources, and of the services that they degrade.

use super::*;
use crate::model::capacity::{
    CapacityKey, CapacityReading, CapacitySnapshot, CapacityUnit, CapacityUse, FillTime, Outlook,
};
use crate::model::host::{Host, Usage};
use crate::model::slo::{MeasuredRatio, SloSnapshot};

/// A disk of a service that is full at this second, as a source reports it.
fn disk(source: &str, service: &str, full: i64) -> CapacityReading {
    let fills = FillTime { at: at(full), earliest: at(full - 10), latest: Some(at(full + 10)) };
    CapacityReading {
        key: CapacityKey {
            source: SourceId::new(source),
            service: service.into(),
            resource: "disk".into(),
            instance: "10.0.0.1:9100".into(),
            part: "/data".into(),
        },
        host: "10.0.0.1".into(),
        unit: CapacityUnit::Bytes,
        amount: CapacityUse::Amount { used: 400.0, limit: Some(500.0) },
        is_warned: true,
        history: Vec::new(),
        limits: None,
        trend: None,
        outlook: Outlook::Fills(fills),
        query: "usage".into(),
        at: at(1000),
    }
}

fn answered(world: &mut World, source: &str, is_filling: bool, readings: Vec<CapacityReading>, now: i64) {
    let snapshot = CapacitySnapshot { readings: readings.into_iter().map(Arc::new).collect() };
    let (query, answer) = if is_filling {
        (Query::Filling, Answer::Filling(snapshot))
    } else {
        (Query::Capacity, Answer::Capacity(snapshot))
    };
    world.apply(&question(source, query.now()), Ok(Reply::free(answer)), at(now));
}

fn reasons(world: &World, now: i64) -> Vec<String> {
    world.services()[0].reasons.iter().map(|reason| reason.words(at(now))).collect()
}

#[test]
fn a_resource_that_two_servers_report_is_listed_once_and_budgets_stand_beside_it() {
    let mut world = world();
    assert!(world.capacity().is_empty());
    let group = fixtures::group(MeasuredRatio::Ratio { error: 0.0005, events: None }, Vec::new());
    let readings = vec![fixtures::reading(fixtures::slo("cart-availability"), vec![group])];
    let slos = Answer::Slos(SloSnapshot { at: at(1000), readings });
    world.apply(&question("prom", Query::Slos.now()), Ok(Reply::free(slos)), at(1000));
    assert!(
        world.capacity().is_empty(),
        "before a source of resources has answered, the list is not asked for"
    );
    answered(&mut world, "prom", false, vec![disk("prom", "cart", 90_000)], 1000);
    answered(&mut world, "am", false, vec![disk("am", "cart", 90_000), disk("am", "mail", 50_000)], 1001);
    let all: Vec<_> = world.capacity().iter().map(|one| (&*one.key.resource, &*one.key.service)).collect();
    assert_eq!(all.len(), 3, "{all:?}");
    assert_eq!(all[..2], [("disk", "mail"), ("disk", "cart")], "the least time left stands first");
    assert_eq!((all[2].0, &*world.capacity()[2].key.part), ("error budget", "cart-availability"));
    assert_eq!(world.capacity()[2].ratio(), Some(0.5));
}

#[test]
fn the_same_name_in_two_regions_is_two_resources() {
    let mut world = world();
    answered(&mut world, "prom", false, vec![disk("prom", "cart", 90_000)], 1000);
    let elsewhere = |used| CapacityReading {
        amount: CapacityUse::Amount { used, limit: Some(500.0) },
        ..disk("am", "cart", 50_000)
    };
    answered(&mut world, "am", false, vec![elsewhere(403.0)], 1001);
    let count = |world: &World| world.capacity().iter().filter(|one| &*one.key.resource == "disk").count();
    assert_eq!(count(&world), 1, "nearly the same usage: a highly available pair");
    answered(&mut world, "am", false, vec![elsewhere(240.0)], 1001);
    assert_eq!(count(&world), 2, "another usage");
    answered(&mut world, "am", false, vec![elsewhere(403.0)], 1001);
    let reading = |targets: &[u64]| ServiceReading {
        name: "cart".into(),
        scraped: targets.into(),
        ..ServiceReading::default()
    };
    let services = |world: &mut World, source: &str, targets: &[u64]| {
        let snapshot =
            ServiceSnapshot { readings: vec![reading(targets)], lookback: Duration::from_secs(60) };
        world.apply(
            &question(source, Query::Services.now()),
            Ok(Reply::free(Answer::Services(snapshot))),
            at(1002),
        );
    };
    services(&mut world, "prom", &[1, 2]);
    services(&mut world, "am", &[3, 4]);
    assert_eq!(count(&world), 2);
    services(&mut world, "am", &[1, 2]);
    assert_eq!(count(&world), 1, "a highly available pair");
}

#[test]
fn what_is_soon_full_degrades_its_service_until_the_answer_is_an_hour_old() {
    let mut world = world();
    services(&mut world, &["cart"], 1000);
    assert_eq!(world.services()[0].health, Health::Healthy);
    answered(&mut world, "prom", true, vec![disk("prom", "cart", 1000 + 76 * 3600)], 1000);
    assert_eq!(world.services()[0].health, Health::Degraded);
    assert_eq!(reasons(&world, 1000), ["disk full in 3d4h on 10.0.0.1 /data"]);
    // the words follow the time, and the host is called as the service calls it
    let usage = Usage { resource: "disk".into(), part: "/data".into(), ratio: 0.8 };
    let host = Host { instance: "10.0.0.1:9100".into(), name: "db-1".into(), usages: vec![usage] };
    let named = ServiceReading { name: "cart".into(), hosts: Arc::from([host]), ..ServiceReading::default() };
    health_after(&mut world, vec![named], 1000 + 1800);
    assert_eq!(reasons(&world, 1000 + 4 * 3600), ["disk full in 3d on db-1 /data"]);
    services(&mut world, &["cart"], 1000 + 3601);
    assert_eq!(world.services()[0].health, Health::Healthy);
}

#[test]
fn several_resources_are_listed_up_to_two_and_a_deadline_says_that_it_ends() {
    let mut world = world();
    services(&mut world, &["cart"], 1000);
    let named = |part: &str, hours: i64| {
        let disk = disk("prom", "cart", 1000 + 3600 * hours);
        CapacityReading { key: CapacityKey { part: part.into(), ..disk.key.clone() }, ..disk }
    };
    let ends = at(1000 + 6 * 86_400);
    let certificate = CapacityReading {
        key: CapacityKey { resource: "certificate".into(), ..named("", 0).key },
        amount: CapacityUse::Until(ends),
        outlook: Outlook::Ends(ends),
        ..named("", 0)
    };
    let all = vec![named("/a", 30), named("/b", 20), certificate.clone()];
    answered(&mut world, "prom", true, all, 1000);
    assert_eq!(
        reasons(&world, 1000),
        ["disk full in 20h on 10.0.0.1 /b", "disk full in 1d6h on 10.0.0.1 /a and 1 more"]
    );
    answered(&mut world, "prom", true, vec![certificate], 1000);
    assert_eq!(reasons(&world, 1000), ["certificate ends in 6d on 10.0.0.1"]);
    assert_eq!(reasons(&world, 1000 + 7 * 86_400), ["certificate is over on 10.0.0.1"]);
}
