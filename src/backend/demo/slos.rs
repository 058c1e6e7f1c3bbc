//! The SLOs of the demo: error ratios over any lookback, from the same simulated numbers as all other signals.

use std::sync::Arc;

use crate::model::slo::Slo;

use super::fixtures::{Region, SimulatedNumber, SloObjective};
use super::noise::LatencyModel;
use super::scenario::ChapterSchedule;
use super::world::{DemoWorld, ServiceInRegion};

/// Up to this lookback, in seconds, noise is sampled; longer lookbacks only contain the effects of the scenario.
const SHORT: f64 = 600.0;
/// The distance between samples of noise, in demo seconds.
const SAMPLE: f64 = 10.0;
/// The number of latency samples per event, because latency has no formula for its integral.
const LOOKS: u32 = 24;

impl DemoWorld {
    /// The SLOs of the services in a region.
    pub(super) fn slos_in(&self, region: Region) -> Vec<Arc<Slo>> {
        let here = self.demo_slos.iter().filter(|demo_slo| self.place(demo_slo.service(), region).is_some());
        here.map(|demo_slo| Arc::clone(&demo_slo.slo)).collect()
    }

    /// The mean share of bad requests over a demo time range; `None` if it is not measured.
    pub(super) fn bad_share(
        &self,
        bad_event: SloObjective,
        place: &ServiceInRegion,
        from: f64,
        to: f64,
    ) -> Option<f64> {
        if to - from <= SHORT {
            let looks = ((to - from) / SAMPLE).ceil().max(1.0);
            let each = (0..super::noise::floor(looks).0).map(|i| {
                let t = to - (i as f64 + 0.5) * (to - from) / looks;
                self.bad_at(bad_event, place, t)
            });
            return Some(each.sum::<Option<f64>>()? / looks);
        }
        match bad_event {
            SloObjective::Errors => {
                let base = place.service.errors?;
                let added: f64 = place
                    .events
                    .iter()
                    .filter(|act| act.effect.errors > 0.0)
                    .map(|act| {
                        let lasts = act.effect.fall[1].0;
                        let each = self.schedule.each(act.begin, from - lasts, to);
                        let areas = each
                            .map(|once| once.strength * act.effect.area(from - once.start, to - once.start));
                        act.effect.errors * areas.sum::<f64>()
                    })
                    .sum();
                Some((base + added / (to - from)).min(0.98))
            }
            SloObjective::Slower(seconds) => {
                let looks = self.latency_samples(place, from, to);
                slow_share(place, seconds, (from, to), &looks, |t| self.latency(place, t))
            }
        }
    }

    /// The times at which latency is sampled in a demo time range, with the seconds that each sample stands for; only while
    /// an event slows the service down.
    pub(super) fn latency_samples(&self, place: &ServiceInRegion, from: f64, to: f64) -> Vec<(f64, f64)> {
        let looks = slow_ranges(place, &self.schedule, from, to).into_iter().flat_map(|(from, to)| {
            let step = (to - from) / f64::from(LOOKS);
            (0..LOOKS).map(move |i| (from + (f64::from(i) + 0.5) * step, step))
        });
        looks.collect()
    }

    /// The share of bad requests at a time.
    fn bad_at(&self, bad_event: SloObjective, place: &ServiceInRegion, t: f64) -> Option<f64> {
        match bad_event {
            SloObjective::Errors => self.errors(place, t),
            SloObjective::Slower(seconds) => Some(1.0 - self.latency(place, t)?.below(seconds)),
        }
    }
}

/// The share of requests that took longer than `seconds` over a demo time range, from these samples.
pub(super) fn slow_share(
    place: &ServiceInRegion,
    seconds: f64,
    (from, to): (f64, f64),
    looks: &[(f64, f64)],
    latency: impl Fn(f64) -> Option<LatencyModel>,
) -> Option<f64> {
    let calm = 1.0 - place.calm_latency()?.below(seconds);
    let added = looks.iter().map(|(t, lasts)| Some((1.0 - latency(*t)?.below(seconds) - calm) * lasts));
    Some((calm + added.sum::<Option<f64>>()? / (to - from)).clamp(0.0, 1.0))
}

/// The time ranges in which events affect the latency of a service, merged where they overlap.
fn slow_ranges(place: &ServiceInRegion, schedule: &ChapterSchedule, from: f64, to: f64) -> Vec<(f64, f64)> {
    let begins = place.begins(&SimulatedNumber::P95).into_iter();
    let all: Vec<(f64, f64)> = begins
        .flat_map(|begin| {
            let (first, last) = place.effect_range(begin, &SimulatedNumber::P95);
            schedule.each(begin, from - last, to).map(move |once| (once.start + first, once.start + last))
        })
        .map(|(start, end)| (start.max(from), end.min(to)))
        .filter(|(start, end)| start < end)
        .collect();
    merged(all)
}

/// Time ranges merged where they overlap, sorted.
pub(super) fn merged(mut all: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut apart: Vec<(f64, f64)> = Vec::new();
    for (start, end) in all {
        match apart.last_mut() {
            Some(last) if start < last.1 => last.1 = last.1.max(end),
            _ => apart.push((start, end)),
        }
    }
    apart
}

#[cfg(test)]
mod tests;
