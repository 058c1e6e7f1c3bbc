//! The parts into which the requests of a service are divided: pods with their zones, versions and routes.

use super::fixtures::{Deploy, EffectScope, Region, ServiceFixture};
use super::noise::{mix, unit};
use super::scenario::Begin;
use crate::model::labels::Text;

/// The labels by which requests are divided, except the status code.
pub(super) const CELL_LABELS: [&str; 5] = ["method", "pod", "route", "version", "zone"];

/// The parts into which the requests of a service are divided.
#[derive(Debug, Clone, Default)]
pub(super) struct Breakdown {
    pub(super) pods: Vec<PodPlace>,
    pub(super) routes: Vec<ServiceRoute>,
    pub(super) versions: Vec<Text>,
    /// For each route of each pod.
    pub(super) cells: Vec<RequestCell>,
}

#[derive(Debug, Clone)]
pub(super) struct PodPlace {
    pub(super) name: Text,
    pub(super) zone: Text,
}

#[derive(Debug, Clone)]
pub(super) struct ServiceRoute {
    pub(super) method: Text,
    /// Empty for a service whose requests have no routes.
    pub(super) path: Text,
    calls: Vec<String>,
}

impl ServiceRoute {
    /// The dependencies that its requests call.
    pub(super) fn all_calls(&self) -> &[String] {
        &self.calls
    }

    pub(super) fn calls(&self, service: &str) -> bool {
        self.calls.iter().any(|called| called == service)
    }
}

/// The requests for one route at one pod.
#[derive(Debug, Clone, Copy)]
pub(super) struct RequestCell {
    pub(super) pod: usize,
    pub(super) route: usize,
    /// Its share of all requests.
    pub(super) share: f64,
}

impl Breakdown {
    /// The parts of a service with these pods and deployments; `key` distinguishes its numbers from those of others.
    pub(super) fn new(
        service: &ServiceFixture,
        region: Region,
        key: u64,
        pods: impl Iterator<Item = String>,
        deploys: &[(Begin, Deploy)],
    ) -> Self {
        let place = |(number, name): (usize, String)| {
            let letter = ["a", "b", "c"].get(number % 3).unwrap_or(&"a");
            PodPlace { name: name.into(), zone: format!("{}{letter}", region.name()).into() }
        };
        let pods: Vec<PodPlace> = pods.enumerate().map(place).collect();
        let mut routes: Vec<(ServiceRoute, f64)> = service
            .routes
            .iter()
            .map(|route| {
                let (method, path) = route.request.split_once(' ').unwrap_or(("", &route.request));
                (
                    ServiceRoute { method: method.into(), path: path.into(), calls: route.calls.clone() },
                    route.share,
                )
            })
            .collect();
        if routes.is_empty() {
            routes.push((ServiceRoute { method: "".into(), path: "".into(), calls: Vec::new() }, 1.0));
        }
        // pods do not get exactly the same number of requests
        let weights: Vec<f64> =
            (0..u64::from(service.pods)).map(|pod| 0.95 + 0.1 * unit(mix(key, 300 + pod))).collect();
        let all = weights.iter().sum::<f64>() * routes.iter().map(|(_, share)| share).sum::<f64>();
        let cells = weights.iter().enumerate().flat_map(|(pod, weight)| {
            let cell = move |(route, (_, share)): (usize, &(ServiceRoute, f64))| RequestCell {
                pod,
                route,
                share: weight * share / all,
            };
            routes.iter().enumerate().map(cell).collect::<Vec<_>>()
        });
        let deployed = deploys.iter().map(|(_, deploy)| &deploy.version);
        let versions = std::iter::once(&service.version).chain(deployed);
        let versions = versions.map(|version| version.as_str().into()).collect();
        Self {
            cells: cells.collect(),
            pods,
            versions,
            routes: routes.into_iter().map(|(route, _)| route).collect(),
        }
    }

    /// The value of one of [`CELL_LABELS`] for a cell and a version; `None` for another label.
    pub(super) fn label(&self, cell: &RequestCell, version: usize, name: &str) -> Option<&Text> {
        match name {
            "pod" => self.pods.get(cell.pod).map(|pod| &pod.name),
            "zone" => self.pods.get(cell.pod).map(|pod| &pod.zone),
            "version" => self.versions.get(version),
            "route" => self.routes.get(cell.route).map(|route| &route.path),
            "method" => self.routes.get(cell.route).map(|route| &route.method),
            _ => None,
        }
    }

    /// Whether requests have this label.
    pub(super) fn has(&self, name: &str) -> bool {
        let has_value = |cell: &RequestCell| self.label(cell, 0, name).is_some_and(|value| !value.is_empty());
        self.cells.first().is_some_and(has_value)
    }

    /// Whether an effect hits the requests of a cell.
    pub(super) fn is_hit(&self, scope: &EffectScope, cell: &RequestCell, version: usize) -> bool {
        let is = |wanted: &Option<String>, name: &str| {
            wanted
                .as_ref()
                .is_none_or(|wanted| self.label(cell, version, name).is_some_and(|value| **value == **wanted))
        };
        let calls = |needed: &String| {
            let route = self.routes.get(cell.route);
            route.is_some_and(|route| route.path.is_empty() || route.calls(needed))
        };
        is(&scope.version, "version")
            && is(&scope.route, "route")
            && is(&scope.zone, "zone")
            && scope.calls.as_ref().is_none_or(calls)
    }
}
