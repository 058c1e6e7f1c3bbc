//! What the metrics show of each chapter's cause, and that labels add up to the numbers without labels.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::backend::demo::promql::Evaluated;
use crate::backend::demo::sampling::SeriesPart;
use crate::model::promql::parse;

/// A demo world with the series of one region.
struct Shop {
    world: DemoWorld,
    catalog: Catalog,
}

impl Shop {
    fn new(seed: u64, region: Region) -> Self {
        let world = DemoWorld::new(seed, DemoTimeline::new(start(), 1.0));
        let catalog = Catalog::of(&world, region);
        Self { world, catalog }
    }

    /// The values of a query at a demo time, by the labels of its series.
    fn query(&self, query: &str, t: f64) -> Vec<(Labels, f64)> {
        let series = RegionSeries::new(&self.world, &self.catalog);
        let Evaluated::Lines(lines) =
            instant(&series, &parse(query).expect(query), self.world.time.second(t)).expect(query)
        else {
            panic!("{query}")
        };
        lines.into_iter().filter_map(|line| Some((line.labels, line.values[0]?))).collect()
    }

    /// The only value of a query; 0 if there is none.
    fn number(&self, query: &str, t: f64) -> f64 {
        let values = self.query(query, t);
        assert!(values.len() <= 1, "{query}: {values:?}");
        values.first().map_or(0.0, |(_, value)| *value)
    }
}

/// The second of seed 0 at which the first cycle with this chapter begins.
fn chapter(number: u32) -> f64 {
    f64::from(number) * 600.0
}

static EU: LazyLock<Shop> = LazyLock::new(|| Shop::new(0, Region::Eu));
static US: LazyLock<Shop> = LazyLock::new(|| Shop::new(0, Region::Us));

fn shop(region: Region) -> &'static Shop {
    match region {
        Region::Eu => &EU,
        Region::Us => &US,
    }
}

/// What causes the trouble of a service.
enum Trouble {
    /// This label value has at least this share of the failed requests, and of the slow ones.
    Label { label: &'static str, value: &'static str, failed: f64, slow: f64 },
    /// Calls of this service fail.
    Calls(&'static str),
}

/// The region, the service, the chapter with the beginning and the end of the bad time, what causes it, and a query with more
/// than nothing where a change shows.
type KnownCause = (Region, &'static str, (u32, f64, f64), Trouble, &'static str);

/// All troubles of the chapters and of the background.
const CAUSES: [KnownCause; 11] = [
    (
        Region::Eu,
        "payments",
        (0, 30.0, 240.0),
        Trouble::Label { label: "version", value: "4.19.0", failed: 0.95, slow: 0.85 },
        r#"count(count by (version) (last_over_time(service_build_info{service="payments"}[4m]))) > 1"#,
    ),
    (
        Region::Eu,
        "payments",
        (0, 30.0, 90.0),
        Trouble::Label { label: "version", value: "4.19.0", failed: 0.95, slow: 0.85 },
        r#"increase(kube_pod_container_status_restarts_total{service="payments"}[1m]) > 0.5"#,
    ),
    (
        Region::Eu,
        "checkout",
        (0, 60.0, 240.0),
        Trouble::Calls("payments"),
        r#"count(kube_replicaset_created{replicaset=~"payments-.*"} > time() - 300)"#,
    ),
    (
        Region::Eu,
        "checkout",
        (0, 60.0, 240.0),
        Trouble::Label { label: "route", value: "/checkout", failed: 0.95, slow: 0.42 },
        r#"changes(kube_deployment_metadata_generation{deployment="payments"}[4m])"#,
    ),
    (
        Region::Us,
        "search-index",
        (1, 40.0, 240.0),
        Trouble::Label { label: "version", value: "8.15.1", failed: 0.5, slow: 0.9 },
        r#"count(count by (image) (last_over_time(kube_pod_container_info{container="search-index"}[4m]))) > 1"#,
    ),
    (
        Region::Us,
        "search",
        (1, 60.0, 240.0),
        Trouble::Calls("search-index"),
        r#"count(kube_replicaset_created{replicaset=~"search-index-.*"} > time() - 300)"#,
    ),
    (
        Region::Us,
        "auth",
        (2, 60.0, 220.0),
        Trouble::Calls("redis-sessions"),
        r#"changes(feature_flag_enabled{service="auth",flag="session_profiles"}[10m])"#,
    ),
    (
        Region::Us,
        "auth",
        (2, 60.0, 220.0),
        Trouble::Calls("redis-sessions"),
        r#"kube_pod_container_status_last_terminated_reason{container="redis-sessions",reason="OOMKilled"}"#,
    ),
    (
        Region::Eu,
        "inventory",
        (3, 50.0, 225.0),
        Trouble::Label { label: "version", value: "3.4.0", failed: 0.95, slow: 0.9 },
        r#"count(count by (version) (last_over_time(service_build_info{service="inventory"}[4m]))) > 1"#,
    ),
    (
        Region::Eu,
        "inventory",
        (3, 50.0, 225.0),
        Trouble::Calls("postgres-inventory"),
        r#"pg_stat_activity_count{service="postgres-inventory"} / pg_settings_max_connections > 0.85"#,
    ),
    (
        Region::Eu,
        "carrier-bridge",
        (0, -1200.0, 0.0),
        Trouble::Label { label: "route", value: "/labels/parcelo", failed: 0.8, slow: 0.3 },
        "vector(1)",
    ),
];

#[test]
fn the_cause_of_each_chapter_can_be_seen_in_the_metrics() {
    for (region, service, (number, from, to), trouble, change) in &CAUSES {
        let (shop, begin) = (shop(*region), chapter(*number));
        let (bad, length) = (begin + to, to - from);
        let count = |selector: &str| shop.number(&format!("sum(increase({selector}}}[{length}s]))"), bad);
        match trouble {
            Trouble::Label { label, value, failed, slow } => {
                let only = format!(",{label}=\"{value}\"");
                let failed_requests = format!("http_requests_total{{code=~\"5..\",service=\"{service}\"");
                let failures = count(&format!("{failed_requests}{only}")) / count(&failed_requests);
                assert!(failures >= *failed, "{service}: {failures} of the failures are of {label}={value}");
                let bound = if *service == "search-index" { "0.1" } else { "0.8" };
                let slow_of = |matchers: &str| {
                    let name = "http_request_duration_seconds_bucket";
                    let within =
                        |le: &str| count(&format!("{name}{{service=\"{service}\",le=\"{le}\"{matchers}"));
                    within("+Inf") - within(bound)
                };
                let slowness = slow_of(&only) / slow_of("");
                assert!(
                    slowness >= *slow,
                    "{service}: {slowness} of the slow requests are of {label}={value}"
                );
            }
            Trouble::Calls(server) => {
                let edge = format!("client=\"{service}\",server=\"{server}\"");
                let of = |name: &str, t: f64| {
                    shop.number(&format!("sum(increase({name}{{{edge}}}[{length}s]))"), t)
                };
                let ratio = |t: f64| {
                    of("traces_service_graph_request_failed_total", t)
                        / of("traces_service_graph_request_total", t)
                };
                assert!(
                    ratio(bad) > 0.02 && ratio(bad) > 10.0 * ratio(begin),
                    "{service} -> {server}: {}",
                    ratio(bad)
                );
                let others = shop.query(
                    &format!("rate(traces_service_graph_request_failed_total{{client=\"{service}\",server!=\"{server}\"}}[1m]) / ignoring(__name__) rate(traces_service_graph_request_total[1m]) > 0.01"),
                    bad,
                );
                assert!(others.is_empty(), "{service}: {others:?}");
            }
        }
        let changed = shop.query(change, bad);
        assert!(changed.iter().any(|(_, value)| *value > 0.0), "{service}: {change}");
    }
}

#[test]
fn no_label_of_a_healthy_service_stands_out() {
    for (region, service) in
        [(Region::Eu, "cart"), (Region::Us, "payments"), (Region::Us, "gateway"), (Region::Eu, "tax")]
    {
        let shop = shop(region);
        for label in ["version", "pod", "zone", "route", "method"] {
            let by = |code: &str| {
                let selector = format!("http_requests_total{{service=\"{service}\",code=~\"{code}\"}}");
                shop.query(&format!("sum by ({label}) (increase({selector}[200s]))"), 200.0)
            };
            let (all, failed) = (by(".+"), by("5.."));
            let sum = |of: &[(Labels, f64)]| of.iter().map(|(_, value)| value).sum::<f64>();
            let usual = sum(&failed) / sum(&all);
            for (labels, failed) in &failed {
                let (_, all) = all.iter().find(|(of_all, _)| of_all == labels).unwrap();
                assert!((failed / all / usual - 1.0).abs() < 0.05, "{service} {labels}: {}", failed / all);
            }
        }
    }
}

#[test]
fn a_harmless_deployment_is_seen_and_hurts_nobody() {
    let versions = |t: f64| {
        let found = EU.query(r#"count by (version) (service_build_info{service="tax"})"#, t);
        found.iter().map(|(labels, count)| format!("{} {count}", labels.value("version"))).collect::<Vec<_>>()
    };
    assert_eq!(versions(-130.0), ["2.2.1 3"]);
    assert_eq!(versions(-106.0).len(), 2);
    assert_eq!(versions(0.0), ["2.2.2 3"]);
    let ratio = r#"sum(rate(http_requests_total{service="tax",code=~"5.."}[1m])) / sum(rate(http_requests_total{service="tax"}[1m]))"#;
    assert!([-130.0, -106.0, -90.0, 0.0].iter().all(|t| EU.number(ratio, *t) < 0.001));
}

#[test]
fn the_counters_of_new_pods_begin_at_zero() {
    let query = r#"sum by (version) (http_requests_total{service="payments",code="200"} + 0)"#;
    let value = |version: &str, t: f64| {
        let found = EU.query(query, t);
        found.iter().find(|(labels, _)| labels.value("version") == version).map(|(_, value)| *value)
    };
    assert_eq!(value("4.19.0", 15.0), None);
    // the first of nine pods has answered for two seconds
    let first = value("4.19.0", 20.0).unwrap();
    assert!((10.0..200.0).contains(&first), "{first}");
    assert!(value("4.19.0", 60.0).unwrap() > 10.0 * first);
    // the pods of the old version are gone, and come back with new counters
    assert_eq!(value("4.18.2", 100.0), None);
    assert!(value("4.18.2", 0.0).unwrap() > 1e8);
    assert!(value("4.18.2", 290.0).unwrap() < 1e5);
}

const PARTS: [(SeriesPart, &str); 5] = [
    (SeriesPart::Well, r#"http_requests_total{code!~"5..",service="#),
    (SeriesPart::Failed, r#"http_requests_total{code=~"5..",service="#),
    (SeriesPart::All, "http_request_duration_seconds_count{service="),
    (SeriesPart::Seconds, "http_request_duration_seconds_sum{service="),
    (SeriesPart::Within(0.25), r#"http_request_duration_seconds_bucket{le="0.25",service="#),
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]
    #[test]
    fn the_sum_over_all_labels_is_the_number_without_labels(
        place in 0..39_usize,
        part in 0..PARTS.len(),
        t in prop_oneof![3 => 0.0..2400.0_f64, 1 => -600_000.0..600_000.0_f64],
        length in prop_oneof![Just(60.0), Just(210.0), Just(3600.0), Just(86_400.0), Just(2_592_000.0)],
        by in 0..4_usize,
        region in prop_oneof![Just(Region::Eu), Just(Region::Us)],
    ) {
        let shop = shop(region);
        let places: Vec<_> = shop.world.services_in(region).filter(|place| place.service.latency.is_some()).collect();
        let place = places[place % places.len()];
        let (part, selector) = PARTS[part];
        let by = ["version", "zone, code", "route, pod", "pod, zone, version, route, method, code"][by];
        let series = RegionSeries::new(&shop.world, &shop.catalog);
        let second = shop.world.time.second(t);
        let whole = series.requests_increase(place, part, (second - length, second)).unwrap();
        let name = &*place.name;
        let divided = shop.query(&format!("sum by ({by}) (increase({selector}{name:?}}}[{length}s]))"), t);
        prop_assert!(divided.iter().all(|(_, value)| value.is_finite() && *value >= 0.0), "{divided:?}");
        let sum: f64 = divided.iter().map(|(_, value)| value).sum();
        prop_assert!((sum - whole).abs() <= 1e-9 * whole.max(1.0), "{name} by {by}: {sum} instead of {whole}");
        // added up by the store or one by one
        let all = shop.query(&format!("sum(increase({selector}{name:?}}}[{length}s]) + 0)"), t);
        prop_assert!((all[0].1 - whole).abs() <= 1e-9 * whole.max(1.0));
    }

    #[test]
    fn the_buckets_of_each_series_grow_with_their_bounds(t in 0.0..2400.0_f64, long in any::<bool>()) {
        for (region, service) in [(Region::Eu, "payments"), (Region::Us, "auth"), (Region::Eu, "carrier-bridge")] {
            let length = if long { 300 } else { 60 };
            let query = format!("increase(http_request_duration_seconds_bucket{{service=\"{service}\"}}[{length}s])");
            let mut series: std::collections::BTreeMap<Labels, Vec<(f64, f64)>> = std::collections::BTreeMap::new();
            for (labels, value) in shop(region).query(&query, t) {
                let bound = labels.value("le").parse().unwrap();
                series.entry(labels.without(|name| name == "le")).or_default().push((bound, value));
            }
            for (labels, mut buckets) in series {
                buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
                let grows = buckets.windows(2).all(|pair| pair[0].1 <= pair[1].1 * (1.0 + 1e-9) + 1e-9);
                prop_assert!(grows, "{labels}: {buckets:?}");
            }
        }
    }
}

#[test]
fn aggregations_that_the_store_does_give_what_single_series_give() {
    for (summed, single) in [
        (
            r#"sum by (zone) (rate(http_requests_total{service="payments"}[1m]))"#,
            r#"sum by (zone) (rate(http_requests_total{service="payments"}[1m]) * 1)"#,
        ),
        (
            r#"sum without (pod, route, method) (increase(http_requests_total{service="payments"}[5m]))"#,
            r#"sum without (pod, route, method) (increase(http_requests_total{service="payments"}[5m]) * 1)"#,
        ),
        (
            r#"count by (version) (http_requests_total{service="payments"})"#,
            r#"sum by (version) (http_requests_total{service="payments"} * 0 + 1)"#,
        ),
        (
            r#"max by (version) (timestamp(http_requests_total{service="payments"}))"#,
            r#"max by (version) (timestamp(http_requests_total{service="payments"}) * 1)"#,
        ),
        (
            r#"min by (version) (min_over_time((timestamp(http_requests_total{service="payments"}) >= 5)[2m:5s]))"#,
            r#"min by (version) (min_over_time((timestamp(http_requests_total{service="payments"}) * 1 >= 5)[2m:5s]))"#,
        ),
    ] {
        for t in [10.0, 30.0, 120.0, 240.0] {
            let [summed, single] = [summed, single].map(|query| EU.query(query, t));
            assert_eq!(summed.len(), single.len());
            for ((labels, one), (other_labels, other)) in summed.iter().zip(&single) {
                assert_eq!(labels, other_labels);
                assert!((one - other).abs() <= 1e-9 * other.abs(), "{labels} at {t}: {one}, {other}");
            }
        }
    }
}

#[test]
fn the_names_of_facts_are_those_of_their_series() {
    let names: Vec<String> = US.catalog.facts(&US.world).keys().map(ToString::to_string).collect();
    assert_eq!(names, crate::backend::demo::facts::FACT_NAMES);
}
