//! The built-in demo: an online shop in two regions with scripted incidents. Needs no network, and is the same for the same
//! seed.
//!
//! Nothing is stored and nothing is random: every number is a function of the seed and of demo time, so that all answers
//! agree and any past time can be queried. The services and events are defined in `assets/demo`. The demo uses the same
//! sources as real systems; simulated servers in this process answer their requests.

mod actions_done;
mod alertmanager;
mod alerts;
mod annotation;
mod breakdown;
mod catalog;
mod dashboards;
mod demo_slos;
mod deploys;
mod exchange;
mod exemplars;
mod fact_list;
mod facts;
mod fixtures;
mod incidents;
mod line_text;
mod log_lines;
mod logql;
mod loki;
mod noise;
mod pager;
mod paging;
mod payload;
mod prometheus;
mod promql;
mod request_series;
mod requests;
mod rollout;
mod rules;
mod runbooks;
mod sampling;
mod scenario;
mod series;
mod shares;
mod slos;
mod spans;
mod tempo;
mod timeline;
mod world;

use std::sync::Arc;

use jiff::Timestamp;

use crate::config::settings::{Settings, SourceSettings};
use crate::model::slo::Slo;
use crate::model::source::SourceId;

use self::fixtures::Region;
use self::timeline::DemoTimeline;
use self::world::DemoWorld;
use super::packs::Pack;
use super::{Clock, LocalServer, Source, SourceDeps, Transport, connect};

/// The start time of a demo that has reached this minute of its scenario at `now`.
pub fn origin(now: Timestamp, minute: f64, speed: f64) -> Timestamp {
    DemoTimeline::new(now, speed).wall_time(-minute * 60.0)
}

/// The sources of the demo: `prom-eu`, `prom-us`, `alertmanager`, `pager`, `loki`, `tempo`, the reports of `ci`, `dashboards` and the runbooks, all of
/// the same demo world.
///
/// Demo time is 0 at `origin` and runs `speed` times as fast as `clock` (0.01 to 1000; an invalid speed counts as 1).
pub fn sources(seed: u64, clock: Clock, origin: Timestamp, speed: f64) -> Vec<Arc<dyn Source>> {
    let world = Arc::new(DemoWorld::new(seed, DemoTimeline::new(origin, speed)));
    let mut sources: Vec<Arc<dyn Source>> = Vec::new();
    let mut add = |name: &str, kind, address: &str, slos: &[Arc<Slo>], server: Arc<dyn LocalServer>| {
        sources.push(source(name, &SourceSettings::new(kind, address), slos, clock, server));
    };
    for region in Region::ALL {
        let server = prometheus::PrometheusServer::new(Arc::clone(&world), region, clock);
        let (name, slos) = (region.source(), world.slos_in(region));
        add(name, &super::prometheus::SPEC, &format!("http://{name}.demo"), &slos, Arc::new(server));
    }
    let server = alertmanager::AlertmanagerServer::new(Arc::clone(&world), clock);
    add("alertmanager", &super::alertmanager::SPEC, "http://alertmanager.demo", &[], Arc::new(server));
    // the PagerDuty source requires https, because it sends a key
    let server = pager::PagerServer::new(Arc::clone(&world), clock);
    add("pager", &super::pagerduty::SPEC, "https://pager.demo", &[], Arc::new(server));
    let server = loki::LokiServer::new(Arc::clone(&world), clock);
    add("loki", &super::loki::SPEC, "http://loki.demo", &[], Arc::new(server));
    let server = tempo::TempoServer::new(Arc::clone(&world), clock);
    add("tempo", &super::tempo::SPEC, "http://tempo.demo", &[], Arc::new(server));
    sources.push(Arc::new(deploys::DemoReports::new(world, clock)));
    sources.push(Arc::new(dashboards::DemoDashboards::new()));
    sources.push(Arc::new(runbooks::DemoRunbooks::new()));
    sources
}

/// Connects a source as if it came from a configuration, to a simulated server.
fn source(
    name: &str,
    source: &SourceSettings,
    slos: &[Arc<Slo>],
    clock: Clock,
    server: Arc<dyn LocalServer>,
) -> Arc<dyn Source> {
    let mut settings = Settings::default();
    settings.services.packs = ["http", "generic", "changes", "shop"].map(str::to_owned).to_vec();
    settings.services.describe_by.extend(["region", "version"].map(str::to_owned));
    let transport = Transport::Local(server);
    let packs =
        [Pack::parse(include_str!("../../assets/demo/pack.toml")).expect("the embedded pack is valid")];
    let deps = SourceDeps { slos, packs: &packs, transport: &transport, ..SourceDeps::new(&settings, clock) };
    connect(&SourceId::new(name), source, deps)
}

#[cfg(test)]
mod tests;
