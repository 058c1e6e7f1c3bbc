//! The simulated Tempo, asked by the real source, and the traces that exemplars and log lines name.

use proptest::prelude::*;

use super::*;
use crate::backend::demo::requests::TraceKey;
use crate::model::log::{LogDirection, LogPage, LogQuery};
use crate::model::trace::{Trace, TraceId, TraceSnapshot};

fn named(name: &str, seconds: i64) -> Arc<dyn Source> {
    demo(0, seconds).into_iter().find(|source| &*source.info().id.to_string() == name).unwrap()
}

fn trace(id: TraceId, seconds: i64) -> Option<Arc<Trace>> {
    match ask(&*named("tempo", seconds), &Query::Trace { id }.now()) {
        Answer::Trace(search) => search.found,
        other => panic!("{other:?}"),
    }
}

fn traces(service: &str, (from, until): (i64, i64)) -> TraceSnapshot {
    let query = Query::Traces { service: service.into(), from: at(from), until: at(until) };
    match ask(&*named("tempo", until), &query.now()) {
        Answer::Traces(found) => found,
        other => panic!("{other:?}"),
    }
}

/// Where each chapter fails, and the service and the words of the span where it begins.
const CAUSES: [(u32, &str, &str, &str); 4] = [
    (0, "checkout", "payments", "payments handler"),
    (1, "search", "search-index", ""),
    (2, "auth", "auth", "GET"),
    (3, "inventory", "inventory", "SELECT inventory"),
];

#[test]
fn a_failed_trace_of_each_chapter_leads_to_the_span_where_it_began() {
    for (chapter, service, origin, operation) in CAUSES {
        let start = i64::from(chapter) * 600;
        let found = traces(service, (start + 60, start + 200));
        let failed: Vec<_> = found.traces.iter().filter(|trace| trace.is_failed).collect();
        assert!(failed.len() >= 5, "{service}: {}", failed.len());
        let mut origins: Vec<(String, String)> = Vec::new();
        for summary in failed {
            let trace = trace(summary.id, start + 200).expect("a found trace is there");
            let node = &trace.nodes[trace.error_origin.expect("it has an error")];
            origins.push((node.span.service.to_string(), node.span.operation.to_string()));
            assert!(node.span.reason().is_some());
            assert_eq!(trace.orphans, 0);
        }
        let right = origins.iter().filter(|(its, name)| *its == *origin && name.contains(operation)).count();
        assert!(2 * right > origins.len(), "{service}: {origins:?}");
    }
}

#[test]
fn a_slow_trace_spends_its_time_where_the_cause_is() {
    let found = traces("payments", (60, 200));
    let slowest = trace(found.traces.iter().max_by_key(|trace| trace.duration).unwrap().id, 200).unwrap();
    assert_eq!(
        slowest.services.first().map(|share| &*share.service),
        Some("payments"),
        "{:?}",
        slowest.services
    );
    for node in &slowest.nodes {
        let Some(parent) = node.parent.and_then(|at| slowest.nodes.get(at)) else { continue };
        assert!(node.from >= parent.from && node.to() <= parent.to() + 1000, "{}", node.span.operation);
    }
}

#[test]
fn the_trace_of_an_error_line_fails_as_the_line_says() {
    let query = LogQuery {
        labels: Labels::from_iter([("service", "payments"), ("region", "eu-west-1")]),
        ..LogQuery::default()
    };
    let page = LogPage { from: at(60), until: at(150), direction: LogDirection::Backward, limit: 400 };
    let Answer::LogLines(lines) =
        ask(&*named("loki", 150), &Query::LogLines { wanted: Arc::new(query), page }.now())
    else {
        panic!()
    };
    let with_error = lines.lines.iter().filter(|line| line.text().contains("nil amount")).take(10);
    let mut reasons = Vec::new();
    for line in with_error {
        let id = TraceId::parse(line.fields.get("trace_id").unwrap()).unwrap();
        let trace = trace(id, 150).unwrap();
        let node = &trace.nodes[trace.error_origin.unwrap()];
        assert_eq!(&*node.span.service, "payments");
        reasons.push(node.span.reason().unwrap().to_string());
    }
    assert_eq!(reasons.len(), 10);
    assert!(reasons.iter().filter(|reason| reason.contains("nil amount")).count() > 4, "{reasons:?}");
}

#[test]
fn an_unknown_id_and_one_of_the_future_have_no_trace() {
    assert!(trace(TraceId::new(0x1234_5678).unwrap(), 100).is_none());
    let world = DemoWorld::new(0, DemoTimeline::new(start(), 1.0));
    let place = world.place("payments", Region::Eu).unwrap();
    let key = TraceKey::at(place, world.time.second(500.0)).unwrap();
    let id = TraceId::new(key.id(place)).unwrap();
    assert!(trace(id, 100).is_none());
    assert!(trace(id, 600).is_some());
    // of another seed
    let other = DemoWorld::new(1, DemoTimeline::new(start(), 1.0));
    assert_eq!(other.trace_key(key.id(place)), None);
}

#[test]
fn a_quiet_service_has_traces_without_errors() {
    let found = traces("wishlist", (-600, -30));
    assert!(found.traces.len() > 50, "{}", found.traces.len());
    assert!(found.traces.iter().filter(|trace| trace.is_failed).count() < 5);
}

proptest! {
    #[test]
    fn an_id_gives_its_key_back(place in 0..60_usize, time in 0..(1_u64 << 40), has_failed: bool) {
        static WORLD: std::sync::LazyLock<DemoWorld> =
            std::sync::LazyLock::new(|| DemoWorld::new(7, DemoTimeline::new(start(), 1.0)));
        let key = TraceKey { place, time, has_failed };
        let id = key.id(&WORLD.places[place]);
        prop_assert_eq!(WORLD.trace_key(id), Some(key));
        prop_assert_eq!(WORLD.trace_key(id ^ 1), None);
        prop_assert_eq!(WORLD.trace_key(id ^ (1 << 100)), None);
    }
}
