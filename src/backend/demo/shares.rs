//! Divides the requests of a service by pod, zone, version, route, method and status code.
//!
//! Only shares are computed here: the sum over all labels is always the number of the simulation without labels. An event
//! fails and slows down the requests of its scope; what is more than these can be spreads to the others.

use super::breakdown::RequestCell;
use super::fixtures::{EffectScope, SignalEffect};
use super::noise::LatencyModel;
use super::rollout::VersionOf;
use super::sampling::{FAILED_CODES, SeriesPart, bounds};
use super::scenario::active_effects;
use super::world::{DemoWorld, RequestNumbers, ServiceInRegion};

/// How often each of [`FAILED_CODES`] is the code of a failure without an event.
const USUAL_FAILURES: [f64; 3] = [0.6, 0.3, 0.1];
/// The share of requests for one thing that is not found.
const NOT_FOUND: f64 = 0.02;
/// The greatest share of the requests of a pod and route that fails.
const MOST_FAILED: f64 = 0.99;

/// The requests of one part in each cell, by version and status code; any unit.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PartShares {
    versions: usize,
    codes: usize,
    of: Vec<f64>,
    sum: f64,
}

/// The requests of a service at a time.
struct RequestsAt<'a> {
    place: &'a ServiceInRegion,
    /// The version of each pod.
    versions: Vec<usize>,
    effects: Vec<(&'a SignalEffect, f64)>,
    errors: f64,
    latency: Option<LatencyModel>,
    /// As if no event slowed the service down.
    undisturbed: Option<LatencyModel>,
}

impl PartShares {
    /// Nothing yet.
    pub(super) fn none(place: &ServiceInRegion, part: SeriesPart) -> Self {
        let (versions, codes) = (place.breakdown.versions.len(), part.codes().len());
        let of = vec![0.0; place.breakdown.cells.len() * versions * codes];
        Self { versions, codes, of, sum: 0.0 }
    }

    fn add(&mut self, cell: usize, version: usize, code: usize, amount: f64) {
        if let Some(known) = self.of.get_mut((cell * self.versions + version) * self.codes + code) {
            *known += amount;
            self.sum += amount;
        }
    }

    /// Adds how the requests of a part are divided while nothing happens.
    pub(super) fn add_calm(&mut self, place: &ServiceInRegion, part: SeriesPart, weight: f64) {
        let moment = RequestsAt {
            place,
            versions: vec![0; place.breakdown.pods.len()],
            effects: Vec::new(),
            errors: place.service.errors.unwrap_or(0.0),
            latency: place.calm_latency(),
            undisturbed: place.calm_latency(),
        };
        moment.add(self, part, weight);
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
        self.requests_at(place, numbers, t).add(shares, part, weight);
    }

    /// The share of the requests of each cell that fails, 0 to 1.
    pub(super) fn failed_shares(
        &self,
        place: &ServiceInRegion,
        numbers: &RequestNumbers,
        t: f64,
    ) -> Vec<f64> {
        let failed = self.requests_at(place, numbers, t).failed();
        let cells = place.breakdown.cells.iter();
        cells.zip(failed).map(|(cell, failed)| failed.iter().sum::<f64>() / cell.share).collect()
    }

    fn requests_at<'a>(
        &'a self,
        place: &'a ServiceInRegion,
        numbers: &RequestNumbers,
        t: f64,
    ) -> RequestsAt<'a> {
        let pods = 0..place.service.pods;
        RequestsAt {
            place,
            versions: pods.map(|pod| self.version_number(place, VersionOf::Pod(pod), t)).collect(),
            effects: active_effects(&place.events, &self.schedule, t).collect(),
            errors: numbers.errors.unwrap_or(0.0),
            latency: numbers.latency,
            undisturbed: place.undisturbed_latency(t),
        }
    }
}

impl RequestsAt<'_> {
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

    fn version(&self, cell: &RequestCell) -> usize {
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
