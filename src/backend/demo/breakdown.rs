//! Divides the requests of a service by pod, zone, version, route, method and status code.
//!
//! Only shares are computed here: the sum over all labels is always the number of the simulation without labels. An event
//! fails and slows down the requests of its scope; what is more than these can be spreads to the others.

use super::catalog::{SeriesPart, bounds};
use super::fixtures::{EffectScope, SignalEffect};
use super::noise::{LatencyModel, mix, unit};
use super::rollout::VersionOf;
use super::scenario::active_effects;
use super::world::{DemoWorld, RequestNumbers, ServiceInRegion};
use crate::model::labels::Text;

/// The labels by which requests are divided, except the status code.
pub(super) const CELL_LABELS: [&str; 5] = ["method", "pod", "route", "version", "zone"];
/// The status codes of requests that do not fail.
const WELL_CODES: [&str; 2] = ["200", "404"];
/// The status codes of requests that fail.
const FAILED_CODES: [&str; 3] = ["500", "503", "504"];
/// How often each of [`FAILED_CODES`] is the code of a failure without an event.
const USUAL_FAILURES: [f64; 3] = [0.6, 0.3, 0.1];
/// The share of requests for one thing that is not found.
const NOT_FOUND: f64 = 0.02;
/// The greatest share of the requests of a pod and route that fails.
const MOST_FAILED: f64 = 0.99;

/// The parts into which the requests of a service are divided.
#[derive(Debug, Clone, Default)]
pub(super) struct Breakdown {
    pub(super) pods: Vec<PodPlace>,
    pub(super) routes: Vec<Route>,
    pub(super) versions: Vec<Text>,
    /// For each route of each pod.
    pub(super) cells: Vec<Cell>,
}

#[derive(Debug, Clone)]
pub(super) struct PodPlace {
    pub(super) name: Text,
    pub(super) zone: Text,
}

#[derive(Debug, Clone)]
pub(super) struct Route {
    pub(super) method: Text,
    /// Empty for a service whose requests have no routes.
    pub(super) path: Text,
    calls: Vec<String>,
}

/// The requests for one route at one pod.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell {
    pub(super) pod: usize,
    pub(super) route: usize,
    /// Its share of all requests.
    share: f64,
}

/// The requests of one part in each cell, by version and status code; any unit.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PartShares {
    versions: usize,
    codes: usize,
    of: Vec<f64>,
    sum: f64,
}

/// The requests of a service at a time.
struct Moment<'a> {
    place: &'a ServiceInRegion,
    /// The version of each pod.
    versions: Vec<usize>,
    effects: Vec<(&'a SignalEffect, f64)>,
    errors: f64,
    latency: Option<LatencyModel>,
    /// As if no event slowed the service down.
    undisturbed: Option<LatencyModel>,
}

/// The status codes of a part; a single empty one if it is not divided by code.
pub(super) fn codes(part: SeriesPart) -> &'static [&'static str] {
    match part {
        SeriesPart::Well => &WELL_CODES,
        SeriesPart::Failed => &FAILED_CODES,
        SeriesPart::All | SeriesPart::Within(_) | SeriesPart::Seconds => &[""],
    }
}

impl Breakdown {
    pub(super) fn of(place: &ServiceInRegion) -> Self {
        let pods: Vec<PodPlace> = (0..place.service.pods)
            .map(|pod| PodPlace {
                name: place.pod(pod).into(),
                zone: format!(
                    "{}{}",
                    place.region.name(),
                    ["a", "b", "c"].get(pod as usize % 3).unwrap_or(&"a")
                )
                .into(),
            })
            .collect();
        let mut routes: Vec<(Route, f64)> = place
            .service
            .routes
            .iter()
            .map(|route| {
                let (method, path) = route.request.split_once(' ').unwrap_or(("", &route.request));
                (Route { method: method.into(), path: path.into(), calls: route.calls.clone() }, route.share)
            })
            .collect();
        if routes.is_empty() {
            routes.push((Route { method: "".into(), path: "".into(), calls: Vec::new() }, 1.0));
        }
        // pods do not get exactly the same number of requests
        let weights: Vec<f64> = (0..u64::from(place.service.pods))
            .map(|pod| 0.95 + 0.1 * unit(mix(place.key, 300 + pod)))
            .collect();
        let all = weights.iter().sum::<f64>() * routes.iter().map(|(_, share)| share).sum::<f64>();
        let cells = weights.iter().enumerate().flat_map(|(pod, weight)| {
            let cell = move |(route, (_, share)): (usize, &(Route, f64))| Cell {
                pod,
                route,
                share: weight * share / all,
            };
            routes.iter().enumerate().map(cell).collect::<Vec<_>>()
        });
        let deployed = place.deploys.iter().map(|(_, deploy)| &deploy.version);
        let versions = std::iter::once(&place.service.version).chain(deployed);
        let versions = versions.map(|version| version.as_str().into()).collect();
        Self {
            cells: cells.collect(),
            pods,
            versions,
            routes: routes.into_iter().map(|(route, _)| route).collect(),
        }
    }

    /// The value of one of [`CELL_LABELS`] for a cell and a version; `None` for another label.
    pub(super) fn label(&self, cell: &Cell, version: usize, name: &str) -> Option<&Text> {
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
        let has_value = |cell: &Cell| self.label(cell, 0, name).is_some_and(|value| !value.is_empty());
        self.cells.first().is_some_and(has_value)
    }

    /// Whether an effect hits the requests of a cell.
    fn is_hit(&self, scope: &EffectScope, cell: &Cell, version: usize) -> bool {
        let is = |wanted: &Option<String>, name: &str| {
            wanted
                .as_ref()
                .is_none_or(|wanted| self.label(cell, version, name).is_some_and(|value| **value == **wanted))
        };
        let calls = |needed: &String| {
            let route = self.routes.get(cell.route);
            route.is_some_and(|route| route.path.is_empty() || route.calls.contains(needed))
        };
        is(&scope.version, "version")
            && is(&scope.route, "route")
            && is(&scope.zone, "zone")
            && scope.calls.as_ref().is_none_or(calls)
    }
}

impl PartShares {
    /// Nothing yet.
    pub(super) fn none(place: &ServiceInRegion, part: SeriesPart) -> Self {
        let (versions, codes) = (place.breakdown.versions.len(), codes(part).len());
        let of = vec![0.0; place.breakdown.cells.len() * versions * codes];
        Self { versions, codes, of, sum: 0.0 }
    }

    fn add(&mut self, cell: usize, version: usize, code: usize, amount: f64) {
        if let Some(known) = self.of.get_mut((cell * self.versions + version) * self.codes + code) {
            *known += amount;
            self.sum += amount;
        }
    }

    /// The share of the requests with this cell, version and code, 0 to 1.
    pub(super) fn share(&self, cell: usize, version: usize, code: usize) -> f64 {
        let own = self.of.get((cell * self.versions + version) * self.codes + code);
        own.map_or(0.0, |own| if self.sum > 0.0 { own / self.sum } else { 0.0 })
    }
}

impl DemoWorld {
    /// Adds how the requests of a part are divided at a time; `weight` stands for their number.
    pub(super) fn add_shares(
        &self,
        shares: &mut PartShares,
        (place, part): (&ServiceInRegion, SeriesPart),
        (numbers, t): (&RequestNumbers, f64),
        weight: f64,
    ) {
        let pods = 0..place.service.pods;
        let moment = Moment {
            place,
            versions: pods.map(|pod| self.version_number(place, VersionOf::Pod(pod), t)).collect(),
            effects: active_effects(&place.events, &self.schedule, t).collect(),
            errors: numbers.errors.unwrap_or(0.0),
            latency: numbers.latency,
            undisturbed: self.undisturbed_latency(place, t),
        };
        moment.add(shares, part, weight);
    }

    /// Adds how the requests of a part are divided while nothing happens.
    pub(super) fn add_calm_shares(
        &self,
        shares: &mut PartShares,
        (place, part): (&ServiceInRegion, SeriesPart),
        weight: f64,
    ) {
        let moment = Moment {
            place,
            versions: vec![0; place.breakdown.pods.len()],
            effects: Vec::new(),
            errors: place.service.errors.unwrap_or(0.0),
            latency: place.calm_latency(),
            undisturbed: place.calm_latency(),
        };
        moment.add(shares, part, weight);
    }
}

impl Moment<'_> {
    fn add(&self, shares: &mut PartShares, part: SeriesPart, weight: f64) {
        let cells = || self.place.breakdown.cells.iter().enumerate();
        match part {
            SeriesPart::All => {
                for (number, cell) in cells() {
                    shares.add(number, self.version(cell), 0, weight * cell.share);
                }
            }
            SeriesPart::Failed => {
                for ((number, cell), failed) in cells().zip(self.failed()) {
                    for (code, failed) in failed.into_iter().enumerate() {
                        shares.add(number, self.version(cell), code, weight * failed);
                    }
                }
            }
            SeriesPart::Well => {
                for ((number, cell), failed) in cells().zip(self.failed()) {
                    let well = cell.share - failed.iter().sum::<f64>();
                    let route = self.place.breakdown.routes.get(cell.route);
                    let missing =
                        route.is_some_and(|route| &*route.method == "GET" && route.path.contains('{'));
                    let missing = if missing { NOT_FOUND } else { 0.0 };
                    shares.add(number, self.version(cell), 0, weight * well * (1.0 - missing));
                    shares.add(number, self.version(cell), 1, weight * well * missing);
                }
            }
            SeriesPart::Within(bound) => {
                let split = self.slow();
                let (hit, others) = split.within(bound);
                for ((number, cell), is_hit) in cells().zip(&split.hit) {
                    let within = if *is_hit { hit } else { others };
                    shares.add(number, self.version(cell), 0, weight * cell.share * within);
                }
            }
            SeriesPart::Seconds => {
                let split = self.slow();
                let (hit, others) = split.means();
                let mean = self.latency.map_or(0.0, |latency| latency.mean());
                let estimate = split.share * hit + (1.0 - split.share) * others;
                for ((number, cell), is_hit) in cells().zip(&split.hit) {
                    let seconds = if *is_hit { hit } else { others } * mean / estimate.max(f64::MIN_POSITIVE);
                    shares.add(number, self.version(cell), 0, weight * cell.share * seconds);
                }
            }
        }
    }

    fn version(&self, cell: &Cell) -> usize {
        self.versions.get(cell.pod).copied().unwrap_or(0)
    }

    /// Which cells an effect hits, and their share of all requests; all of them if it would hit none.
    fn hit(&self, scope: &EffectScope) -> (Vec<bool>, f64) {
        let breakdown = &self.place.breakdown;
        let hit: Vec<bool> =
            breakdown.cells.iter().map(|cell| breakdown.is_hit(scope, cell, self.version(cell))).collect();
        let share =
            breakdown.cells.iter().zip(&hit).filter(|(_, hit)| **hit).map(|(cell, _)| cell.share).sum();
        if share > 0.0 { (hit, share) } else { (vec![true; hit.len()], 1.0) }
    }

    /// The failed requests of each cell by [`FAILED_CODES`], as shares of all requests.
    fn failed(&self) -> Vec<[f64; 3]> {
        let cells = &self.place.breakdown.cells;
        let base = self.place.service.errors.unwrap_or(0.0);
        let effects = || self.effects.iter().filter(|(effect, _)| effect.errors > 0.0);
        let all = base + effects().map(|(effect, level)| effect.errors * level).sum::<f64>();
        if all <= 0.0 {
            return vec![[0.0; 3]; cells.len()];
        }
        let unit = self.errors / all;
        let mut failed: Vec<[f64; 3]> =
            cells.iter().map(|cell| USUAL_FAILURES.map(|usual| usual * base * unit * cell.share)).collect();
        for (effect, level) in effects() {
            let (hit, share) = self.hit(&effect.only);
            let code =
                effect.code.as_deref().and_then(|code| FAILED_CODES.iter().position(|known| *known == code));
            for ((cell, hit), failed) in cells.iter().zip(hit).zip(&mut failed) {
                if let Some(failed) = failed.get_mut(code.unwrap_or(0)).filter(|_| hit) {
                    *failed += effect.errors * level * unit * cell.share / share;
                }
            }
        }
        // what is more than all requests of a cell fails elsewhere
        let (mut excess, mut room) = (0.0, 0.0);
        for (cell, failed) in cells.iter().zip(&mut failed) {
            let (own, most) = (failed.iter().sum::<f64>(), MOST_FAILED * cell.share);
            if own > most {
                excess += own - most;
                *failed = failed.map(|code| code * most / own);
            } else {
                room += most - own;
            }
        }
        if excess > 0.0 && room > 0.0 {
            for (cell, failed) in cells.iter().zip(&mut failed) {
                let free = MOST_FAILED * cell.share - failed.iter().sum::<f64>();
                failed[0] += excess * free.max(0.0) / room;
            }
        }
        failed
    }

    /// How the latencies of the requests that are hit differ from those of the others.
    fn slow(&self) -> LatencySplit {
        let cells = self.place.breakdown.cells.len();
        let (Some(latency), Some(undisturbed)) = (self.latency, self.undisturbed) else {
            return LatencySplit { hit: vec![true; cells], share: 1.0, all: Vec::new(), others: Vec::new() };
        };
        let all: Vec<f64> = bounds().map(|bound| latency.below(bound)).collect();
        let mut slowing = self.effects.iter().filter(|(effect, _)| effect.latency > 0.0 || effect.slow > 0.0);
        let Some((first, _)) = slowing.next() else {
            return LatencySplit { hit: vec![true; cells], share: 1.0, others: all.clone(), all };
        };
        let mut hit = self.hit(&first.only).0;
        for (effect, _) in slowing {
            hit = hit.iter().zip(self.hit(&effect.only).0).map(|(one, other)| *one || other).collect();
        }
        let hit_cells = self.place.breakdown.cells.iter().zip(&hit).filter(|(_, hit)| **hit);
        let share = hit_cells.map(|(cell, _)| cell.share).sum::<f64>().min(1.0);
        // the others are as fast as if nothing happened, as far as there are so many fast requests
        let (mut others, mut sum, mut missing) = (Vec::new(), 0.0, 0.0);
        let (mut below, mut usually_below) = (0.0, 0.0);
        for (bound, all) in bounds().zip(&all) {
            let usual = if bound.is_infinite() { 1.0 } else { undisturbed.below(bound) };
            let all = if bound.is_infinite() { 1.0 } else { *all };
            let wanted = (1.0 - share) * (usual - usually_below) + missing;
            let got = wanted.clamp(0.0, (all - below).max(0.0));
            missing = wanted - got;
            sum += got;
            others.push(sum);
            (below, usually_below) = (all, usual);
        }
        LatencySplit { hit, share, all, others }
    }
}

/// The latencies of the requests that are hit by events and of the others.
struct LatencySplit {
    /// For each cell.
    hit: Vec<bool>,
    /// The share of the requests that are hit.
    share: f64,
    /// The share of all requests within each bound of the buckets.
    all: Vec<f64>,
    /// The requests that are not hit within each bound, as shares of all requests.
    others: Vec<f64>,
}

impl LatencySplit {
    /// The number of requests within each bound, for one request that is hit and one that is not.
    fn each(&self) -> impl Iterator<Item = (f64, (f64, f64))> {
        let rest = 1.0 - self.share;
        bounds().zip(self.all.iter().zip(&self.others)).map(move |(bound, (all, others))| {
            let all = if bound.is_infinite() { 1.0 } else { *all };
            if rest <= 1e-9 {
                return (bound, (all, all));
            }
            (bound, (((all - others) / self.share).max(0.0), others / rest))
        })
    }

    /// The share of the requests that are hit, and of the others, that take at most this many seconds.
    fn within(&self, bound: f64) -> (f64, f64) {
        let mut each = self.each();
        each.find(|(known, _)| known.total_cmp(&bound).is_eq()).map_or((1.0, 1.0), |(_, within)| within)
    }

    /// The mean latencies in seconds, estimated from the buckets.
    fn means(&self) -> (f64, f64) {
        let (mut means, mut before, mut lower) = ((0.0, 0.0), (0.0, 0.0), 0.0);
        for (bound, within) in self.each() {
            let middle = if bound.is_infinite() { lower } else { f64::midpoint(lower, bound) };
            means.0 += (within.0 - before.0) * middle;
            means.1 += (within.1 - before.1) * middle;
            (before, lower) = (within, bound);
        }
        means
    }
}
