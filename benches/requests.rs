//! How many requests and bytes a refresh costs the sources, for different numbers of services. A fake Prometheus and a fake
//! Alertmanager, with ten alerts for each service, count them.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench")]

use std::env;
use std::sync::Arc;
use std::time::Duration;

use burnwatch::testing::backend::{self, Clock, Source, SourceDeps, connect};
use burnwatch::testing::config::settings::{Settings, SourceSettings};
use burnwatch::testing::model::ask::{Ask, Query, QueryRange};
use burnwatch::testing::model::series::TimeGrid;
use burnwatch::testing::model::source::SourceId;
use jiff::Timestamp;

use fleet::{NOW, serve};

#[path = "servers/fleet.rs"]
mod fleet;

/// The numbers of services.
const FLEETS: [usize; 3] = [10, 100, 1_000];

fn now() -> Timestamp {
    Timestamp::from_second(NOW).unwrap()
}

fn source(kind: &str, address: &str) -> Arc<dyn Source> {
    let settings = Settings::default();
    let source = SourceSettings::new(backend::kind(kind), address);
    let deps = SourceDeps::new(&settings, Clock::fixed(now()));
    connect(&SourceId::new(address), &source, deps)
}

fn main() {
    if env::args().any(|argument| argument == "--list" || argument == "--test") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let hour = Duration::from_secs(3600);
    let window = TimeGrid::ending(now() + hour, hour, 60, Duration::from_secs(60));
    let tail = window.tail_from(window.end());
    let services = Query::Services.now();
    let trends = |tail| Query::Trends { time_range: QueryRange { window, tail } }.now();
    let questions = [
        ("services, the first time", "prometheus", services.clone()),
        ("services, from then on", "prometheus", services),
        ("short histories, the first time", "prometheus", trends(window)),
        ("short histories, from then on", "prometheus", trends(tail)),
        ("rules", "prometheus", Query::Rules.now()),
        ("alerts, ten for each service", "alertmanager", Query::Alerts.now()),
        ("silences", "alertmanager", Query::Silences.now()),
    ];
    let fleets: Vec<Vec<String>> = FLEETS
        .iter()
        .map(|services| {
            let address = serve(*services);
            let prometheus = source("prometheus", &address);
            let alertmanager = source("alertmanager", &address);
            let cost = |(_, kind, ask): &(&str, &str, Ask)| {
                let source = if *kind == "prometheus" { &prometheus } else { &alertmanager };
                let reply = runtime.block_on(source.answer(ask, None)).unwrap();
                format!("{} | {:.1} kB", reply.requests, reply.bytes_in as f64 / 1000.0)
            };
            questions.iter().map(cost).collect()
        })
        .collect();
    println!("| requests and bytes of | 10 services | | 100 | | 1,000 | |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    for (at, (what, ..)) in questions.iter().enumerate() {
        let costs: Vec<&str> = fleets.iter().filter_map(|costs| Some(costs.get(at)?.as_str())).collect();
        println!("| {what} | {} |", costs.join(" | "));
    }
}
