//! The built-in demo world: an online shop in two regions with a story, without network, the same for the same seed.
//!
//! Nothing is stored and nothing is random: every number is a function of the seed and of demo time, so that answers
//! agree with each other and any history is there at once. What there is and what happens stands in `assets/demo`. It is asked
//! by the same sources as the real systems, whose requests simulated servers answer in this process.

mod actions_done;
mod alertmanager;
mod alerts;
mod annotation;
mod catalog;
mod demo_slos;
mod exchange;
mod fixtures;
mod incidents;
mod noise;
mod pager;
mod paging;
mod payload;
mod prometheus;
mod promql;
mod rules;
mod runbooks;
mod scenario;
mod series;
mod slos;
mod timeline;
mod world;

use std::sync::Arc;

use jiff::Timestamp;

use crate::config::kind::KindSpec;
use crate::config::settings::{Settings, SourceSettings};
use crate::model::slo::Slo;
use crate::model::source::SourceId;

use self::fixtures::Region;
use self::timeline::DemoTimeline;
use super::{Clock, LocalServer, Source, SourceDeps, Transport, connect};

pub use self::world::DemoWorld;

/// When the demo began, if at `now` it has reached this minute of its story.
pub fn origin(now: Timestamp, minute: f64, speed: f64) -> Timestamp {
    DemoTimeline::new(now, speed).wall(-minute * 60.0)
}

/// The sources of the demo: `prom-eu`, `prom-us`, `alertmanager` and `pager`, all of one world.
///
/// At `origin` demo time is 0; it passes `speed` times as fast as `clock` (0.01 to 1000; anything senseless counts as 1).
pub fn sources(seed: u64, clock: Clock, origin: Timestamp, speed: f64) -> Vec<Arc<dyn Source>> {
    let world = Arc::new(DemoWorld::new(seed));
    let time = DemoTimeline::new(origin, speed);
    let mut sources: Vec<Arc<dyn Source>> = Vec::new();
    for region in Region::ALL {
        let server = prometheus::PrometheusServer::new(Arc::clone(&world), region, time, clock);
        let slos = world.slos_in(region);
        sources.push(source(
            region.source(),
            &crate::backend::prometheus::SPEC,
            "http",
            &slos,
            clock,
            Arc::new(server),
        ));
    }
    let server = alertmanager::AlertmanagerServer::new(Arc::clone(&world), time, clock);
    sources.push(source(
        "alertmanager",
        &crate::backend::alertmanager::SPEC,
        "http",
        &[],
        clock,
        Arc::new(server),
    ));
    // a key goes to PagerDuty, and nowhere without encryption
    let server = pager::PagerServer::new(world, time, clock);
    sources.push(source("pager", &crate::backend::pagerduty::SPEC, "https", &[], clock, Arc::new(server)));
    sources.push(Arc::new(runbooks::DemoRunbooks::new()));
    sources
}

/// A source of the demo, as one in a configuration would be connected.
fn source(
    name: &str,
    kind: &'static KindSpec,
    scheme: &str,
    slos: &[Arc<Slo>],
    clock: Clock,
    server: Arc<dyn LocalServer>,
) -> Arc<dyn Source> {
    let mut settings = Settings::default();
    settings.services.packs = ["http", "generic"].map(str::to_owned).to_vec();
    settings.services.describe_by.extend(["region", "version"].map(str::to_owned));
    let transport = Transport::Local(server);
    let deps = SourceDeps { slos, transport: &transport, ..SourceDeps::new(&settings, clock) };
    connect(&SourceId::new(name), &SourceSettings::new(kind, &format!("{scheme}://{name}.demo")), deps)
}

#[cfg(test)]
mod tests;
