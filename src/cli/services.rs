//! `burnwatch services`: all services with their signals, worst first.

use std::cmp::Ordering;

use jiff::Timestamp;

use crate::model::host::{Host, NamedSignal, Saturated, Usage, fullest};
use crate::model::service::Service;
use crate::model::signal::Signal;

use super::needs;
use super::report::{Cell, Column, Document, Layout, List};
use super::view::View;

const COLUMNS: &[Column] = &[
    Column::text("name", "SERVICE"),
    Column::text("health", "HEALTH"),
    Column::number("request_rate", "RATE"),
    Column::number("error_ratio", "ERRORS"),
    Column::hidden("p50_seconds"),
    Column::number("p95_seconds", "P95"),
    Column::hidden("p99_seconds"),
    Column::number("apdex", "APDEX"),
    Column::number("saturation", "SAT"),
    Column::hidden("saturated"),
    Column::hidden("resources"),
    Column::hidden("signals"),
    Column::text("targets", "UP"),
    Column::hidden("targets_up"),
    Column::hidden("targets_total"),
    Column::number("alerts", "ALERTS"),
    Column::hidden("unknown"),
    Column::hidden("labels"),
    Column::apart("sources", "SOURCES"),
    Column::hidden("seen_at"),
    Column::text("reasons", "WHY"),
];

/// The worst first.
pub(super) fn by_badness(a: &Service, b: &Service) -> Ordering {
    let errors = |service: &Service| service.signals.error_ratio.unwrap_or(0.0);
    a.health.cmp(&b.health).then(errors(b).total_cmp(&errors(a))).then_with(|| a.name.cmp(&b.name))
}

pub(super) fn list(view: &View<'_>) -> List {
    let mut services: Vec<&Service> = view.world.services().iter().collect();
    services.sort_by(|a, b| by_badness(a, b));
    List {
        key: "services",
        title: "Services".to_owned(),
        columns: COLUMNS,
        rows: services.into_iter().map(|service| row(service, view.now)).collect(),
        empty: "No services are known.",
        layout: Layout::Rows,
    }
}

pub(super) fn document(view: &View<'_>) -> Document {
    view.document(Vec::new(), vec![list(view)], needs::SERVICES)
}

fn row(service: &Service, now: Timestamp) -> Vec<Cell> {
    let signals = &service.signals;
    let targets = &service.targets;
    let knows_targets = !service.unknown.contains(Signal::Targets);
    vec![
        Cell::Text(service.name.to_string()),
        Cell::Text(service.health.word().to_owned()),
        Cell::maybe(signals.request_rate, Cell::Rate),
        Cell::maybe(signals.error_ratio, Cell::Ratio),
        Cell::maybe(signals.p50, Cell::Seconds),
        Cell::maybe(signals.p95, Cell::Seconds),
        Cell::maybe(signals.p99, Cell::Seconds),
        Cell::maybe(signals.apdex, Cell::Number),
        Cell::maybe(signals.saturation, Cell::Ratio),
        Cell::words(saturated(service)),
        Cell::Objects(
            fullest(&service.hosts).into_iter().map(|(host, usage)| resource(host, usage)).collect(),
        ),
        Cell::Objects(service.named.iter().map(signal).collect()),
        Cell::words(service.up().unwrap_or_default()),
        if knows_targets { Cell::Count(targets.up.into()) } else { Cell::Nothing },
        if knows_targets || targets.total > 0 { Cell::Count(targets.total.into()) } else { Cell::Nothing },
        Cell::count(service.alerts.len()),
        Cell::Texts(service.unknown.iter().map(ToString::to_string).collect()),
        Cell::Labels(service.labels.clone()),
        Cell::Texts(service.sources.iter().map(ToString::to_string).collect()),
        Cell::Since(service.seen_at),
        Cell::Texts(service.reasons.iter().map(|reason| reason.words(now)).collect()),
    ]
}

/// `disk 97.9% on web-17 /var`
fn saturated(service: &Service) -> String {
    let named = service.fullest().filter(|(_, usage)| !usage.resource.is_empty());
    named.map_or_else(String::new, |(host, usage)| {
        Saturated { usage: usage.clone(), host: host.name.clone() }.to_string()
    })
}

fn resource(host: &Host, usage: &Usage) -> Vec<(&'static str, Cell)> {
    vec![
        ("resource", Cell::words(&*usage.resource)),
        ("host", Cell::words(&*host.name)),
        ("instance", Cell::words(&*host.instance)),
        ("part", Cell::words(&*usage.part)),
        ("ratio", Cell::Ratio(usage.ratio)),
    ]
}

fn signal(signal: &NamedSignal) -> Vec<(&'static str, Cell)> {
    vec![
        ("name", Cell::words(&*signal.name)),
        ("value", Cell::maybe(Some(signal.value), Cell::Number)),
        ("host", Cell::words(&*signal.host)),
        ("part", Cell::words(&*signal.part)),
        ("words", Cell::words(&*signal.words)),
        ("health", Cell::words(signal.health.map_or("", crate::model::health::Health::word))),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::fixtures::{Fixture, am, prom, reading, world};
    use crate::cli::report::{json, table};

    fn answering() -> Fixture {
        world().with_rules(&prom()).with_alerts(&am(), Vec::new())
    }

    #[test]
    fn the_worst_stands_first_with_its_reason() {
        let readings = vec![reading("a", 0.0), reading("b", 0.02), reading("c", 0.2)];
        let fixture = answering().with_services(&prom(), readings);
        let text = table::render(&document(&fixture.view()));
        let names: Vec<_> = text.lines().map(|line| line.split_whitespace().next().unwrap_or("")).collect();
        assert_eq!(names, ["SERVICE", "c", "b", "a"]);
        assert!(text.contains("20.0% of requests fail"), "{text}");
    }

    #[test]
    fn what_is_not_known_is_null_and_the_list_is_not_partial() {
        let fixture = answering().with_services(&prom(), vec![reading("a", 0.0)]);
        let json: serde_json::Value =
            serde_json::from_str(&json::render(&document(&fixture.view()))).unwrap();
        assert_eq!(json["services"][0]["p95_seconds"], serde_json::Value::Null);
        assert_eq!(json["is_partial"], false);
    }

    #[test]
    fn a_dead_source_makes_an_empty_list_partial() {
        let fixture = world().with_trouble(&prom());
        let document = document(&fixture.view());
        assert!(document.is_partial);
        assert!(
            document.notes[0].starts_with("prom: cannot connect (refused). Check"),
            "{:?}",
            document.notes
        );
    }

    #[test]
    fn no_answer_in_time_is_said() {
        let document = document(&world().view());
        assert!(document.is_partial);
        assert_eq!(document.notes[0], "prom: no answer about services in time");
    }
}
