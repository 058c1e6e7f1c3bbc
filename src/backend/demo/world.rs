//! The simulation: every number is a function of the seed, the service and the time, so that any past time can be computed.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Mutex;

use crate::model::labels::{Labels, Text};

use super::breakdown::Breakdown;
use super::demo_slos::{DemoSlo, demo_slos};
use super::fixtures::{Deploy, Fixtures, Region, ServiceFixture, SimulatedNumber};
use super::noise::{LatencyModel, P95, day, mix, mix_text, smooth_noise};
use super::paging::PagingFixture;
use super::rules::{DemoRule, expand};
use super::scenario::{
    Begin, ChapterSchedule, Impact, ScenarioEvent, active_effects, deploys, events, impact,
};
use super::timeline::DemoTimeline;

/// The demo world; another seed gives different numbers.
#[derive(Debug)]
pub(super) struct DemoWorld {
    pub(super) time: DemoTimeline,
    pub(super) fixtures: Fixtures,
    pub(super) schedule: ChapterSchedule,
    pub(super) places: Vec<ServiceInRegion>,
    pub(super) rules: Vec<DemoRule>,
    pub(super) demo_slos: Vec<DemoSlo>,
    pub(super) paging: PagingFixture,
    /// When conditions of rules hold, in demo time; cached.
    pub(super) conditions: Mutex<HashMap<ConditionKey, Option<Range<f64>>>>,
}

/// The numbers of the rule, the service and the pod, and the event with its start.
type ConditionKey = (usize, usize, u32, u64, u64);

#[derive(Debug, Clone)]
pub(super) struct ServiceInRegion {
    /// The index in `places`.
    pub(super) number: usize,
    pub(super) name: Text,
    pub(super) region: Region,
    pub(super) service: ServiceFixture,
    pub(super) events: Vec<ScenarioEvent>,
    /// `service`, `region`, `team` and `namespace`: the labels that the rules' expressions keep.
    pub(super) labels: Labels,
    /// All deployments of the scenario to the service.
    pub(super) deploys: Vec<(Begin, Deploy)>,
    pub(super) breakdown: Breakdown,
    rate: f64,
    pub(super) key: u64,
}

/// The request numbers of a service at a time.
#[derive(Debug, Clone, Copy)]
pub(super) struct RequestNumbers {
    /// Requests per second.
    pub(super) rate: f64,
    /// Failed / all requests.
    pub(super) errors: Option<f64>,
    pub(super) latency: Option<LatencyModel>,
}

impl DemoWorld {
    /// The world with this seed.
    pub(super) fn new(seed: u64, time: DemoTimeline) -> Self {
        let fixtures = Fixtures::open();
        let mut places: Vec<ServiceInRegion> = fixtures
            .services
            .iter()
            .flat_map(|service| service.rate.iter().map(move |(region, rate)| (service, *region, *rate)))
            .map(|(service, region, rate)| ServiceInRegion {
                number: 0,
                name: service.name.as_str().into(),
                region,
                events: events(&fixtures, service, region),
                deploys: deploys(&fixtures, service, region),
                breakdown: Breakdown::default(),
                labels: Labels::from_iter([
                    ("service", service.name.as_str()),
                    ("region", region.name()),
                    ("team", &service.team),
                    ("namespace", &service.namespace),
                ]),
                rate,
                key: mix_text(mix_text(seed, &service.name), region.name()),
                service: service.clone(),
            })
            .collect();
        places.sort_by(|a, b| (&a.name, a.region).cmp(&(&b.name, b.region)));
        for (number, place) in places.iter_mut().enumerate() {
            let pods: Vec<String> = (0..place.service.pods).map(|pod| place.pod(pod)).collect();
            let ServiceInRegion { service, region, key, deploys, .. } = &*place;
            place.breakdown = Breakdown::new(service, *region, *key, pods.into_iter(), deploys);
            place.number = number;
        }
        let schedule = ChapterSchedule::new(seed, &fixtures);
        let (rules, demo_slos) = (expand(&fixtures), demo_slos(&fixtures));
        Self {
            time,
            fixtures,
            schedule,
            places,
            rules,
            demo_slos,
            paging: PagingFixture::open(),
            conditions: Mutex::default(),
        }
    }

    /// The services of a region, sorted by name.
    pub(super) fn services_in(&self, region: Region) -> impl Iterator<Item = &ServiceInRegion> {
        self.places.iter().filter(move |place| place.region == region)
    }

    /// The service with this name in this region.
    pub(super) fn place(&self, service: &str, region: Region) -> Option<&ServiceInRegion> {
        self.services_in(region).find(|place| &*place.name == service)
    }

    /// The request numbers of a service.
    pub(super) fn numbers(&self, place: &ServiceInRegion, t: f64) -> RequestNumbers {
        let impact = self.impact(place, t);
        RequestNumbers {
            rate: rate_with(place, impact, t),
            errors: errors_with(place, impact, t),
            latency: latency_with(place, impact, t),
        }
    }

    /// Failed / all requests.
    pub(super) fn errors(&self, place: &ServiceInRegion, t: f64) -> Option<f64> {
        errors_with(place, self.impact(place, t), t)
    }

    /// The latency model.
    pub(super) fn latency(&self, place: &ServiceInRegion, t: f64) -> Option<LatencyModel> {
        latency_with(place, self.impact(place, t), t)
    }

    /// The utilisation of a resource.
    pub(super) fn resource(&self, place: &ServiceInRegion, name: &str, t: f64) -> Option<f64> {
        let base = place.service.resources.get(name)?;
        let key = mix_text(place.key, name);
        let added: f64 = active_effects(&place.events, &self.schedule, t)
            .filter_map(|(effect, level)| Some(effect.resources.get(name)? * level))
            .sum();
        // memory hardly follows the time of day, other resources a little
        let follows = if name == "memory" { 0.02 } else { 0.12 };
        let busy = 1.0 + follows * (day(t, behind(place.region)) - 1.0);
        Some((base * busy * (1.0 + 0.05 * smooth_noise(key, t)) + added).clamp(0.0, 0.995))
    }

    /// The value of another number of the service.
    fn gauge(&self, place: &ServiceInRegion, name: &str, t: f64) -> Option<f64> {
        let base = place.service.gauges.get(name)?;
        let added: f64 = active_effects(&place.events, &self.schedule, t)
            .filter_map(|(effect, level)| Some(effect.gauges.get(name)? * level))
            .sum();
        // days and hours pass evenly, other numbers have noise
        let shaky = if name.ends_with("_days") || name.ends_with("_hours") { 0.0 } else { 0.02 };
        Some((base + added) * (1.0 + shaky * smooth_noise(mix_text(place.key, name), t)))
    }

    /// The pods that are down.
    pub(super) fn down(&self, place: &ServiceInRegion, t: f64) -> Range<u32> {
        0..self.impact(place, t).down.min(place.service.pods)
    }

    /// The number that a rule's expression stands for; `pod` only matters for numbers per pod.
    pub(super) fn measure(
        &self,
        measure: &SimulatedNumber,
        place: &ServiceInRegion,
        pod: u32,
        t: f64,
    ) -> Option<f64> {
        match measure {
            SimulatedNumber::Errors => self.errors(place, t),
            SimulatedNumber::P95 => self.latency(place, t).map(|latency| latency.quantile(P95)),
            SimulatedNumber::Resource(name) => self.resource(place, name, t),
            SimulatedNumber::Gauge(name) => self.gauge(place, name, t),
            SimulatedNumber::Up => Some(if self.down(place, t).contains(&pod) { 0.0 } else { 1.0 }),
            SimulatedNumber::Always => Some(1.0),
        }
    }

    /// The deployment of the current chapter, once it has started, and when the chapter began.
    pub(super) fn deploy(&self, place: &ServiceInRegion, t: f64) -> Option<(&Deploy, f64)> {
        let (chapter, start) = self.schedule.now(t);
        let deploy = self.fixtures.scenario.chapter.get(chapter?)?.deploy.as_ref()?;
        let here = deploy.service == *place.name && deploy.region == place.region;
        (here && t >= start + deploy.at.0).then_some((deploy, start))
    }

    fn impact(&self, place: &ServiceInRegion, t: f64) -> Impact {
        impact(&place.events, &self.schedule, t)
    }
}

impl ServiceInRegion {
    /// The address of a pod's scrape target.
    pub(super) fn instance(&self, pod: u32) -> String {
        let net = match self.region {
            Region::Eu => 20,
            Region::Us => 40,
        };
        let host = mix(self.key, 100 + u64::from(pod));
        format!("10.{net}.{}.{}:8080", host % 200, host / 200 % 250 + 2)
    }

    /// The name of a pod, in the form that a replica set gives it. The pod that replaces another one gets its name.
    pub(super) fn pod(&self, pod: u32) -> String {
        format!("{}-{}", self.replica_set(0), word(mix(self.key, u64::from(pod)), 5))
    }

    /// The name of the replica set of a version, given by its number.
    pub(super) fn replica_set(&self, version: usize) -> String {
        let key = if version == 0 { self.key } else { mix(self.key, 500 + version as u64) };
        format!("{}-{}", self.name, word(key, 9))
    }

    /// The labels of a pod's scrape target while the pod runs this version.
    pub(super) fn pod_labels(&self, pod: u32, version: &str) -> Labels {
        let (instance, name) = (self.instance(pod), self.pod(pod));
        self.labels.with_strs([
            ("tier", &*self.service.tier),
            ("job", &self.name),
            ("instance", &instance),
            ("pod", &name),
            ("version", version),
        ])
    }

    /// A text with what stands for the service, a pod and its target filled in.
    pub(super) fn filled(&self, text: &str, pod: u32) -> String {
        let text = text.replace("%service%", &self.name).replace("%pod%", &self.pod(pod));
        text.replace("%instance%", &self.instance(pod))
    }

    /// The latency model at a time as if no event slowed the service down.
    pub(super) fn undisturbed_latency(&self, t: f64) -> Option<LatencyModel> {
        latency_with(self, Impact::default(), t)
    }

    /// The latency model without any events.
    pub(super) fn calm_latency(&self) -> Option<LatencyModel> {
        Some(LatencyModel { median: self.service.latency?, tail: self.service.tail, slow: 0.0 })
    }

    /// The events that affect this number.
    pub(super) fn begins(&self, measure: &SimulatedNumber) -> Vec<Begin> {
        let mut begins: Vec<Begin> = Vec::new();
        for act in self.events.iter().filter(|act| affects(act, measure)) {
            if !begins.contains(&act.begin) {
                begins.push(act.begin);
            }
        }
        begins
    }

    /// The time range after its beginning in which an event affects this number.
    pub(super) fn effect_range(&self, begin: Begin, measure: &SimulatedNumber) -> (f64, f64) {
        let events = self.events.iter().filter(|act| act.begin == begin && affects(act, measure));
        events.fold((f64::INFINITY, 0.0), |(from, to), act| {
            (f64::min(from, act.effect.rise[0].0), f64::max(to, act.effect.fall[1].0))
        })
    }
}

/// Letters as Kubernetes uses them in generated names.
fn word(number: u64, length: u32) -> String {
    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    (0..length)
        .filter_map(|i| LETTERS.get(usize::try_from(mix(number, u64::from(i)) % 27).ok()?))
        .map(|letter| char::from(*letter))
        .collect()
}

/// Whether an event affects this number.
fn affects(act: &ScenarioEvent, measure: &SimulatedNumber) -> bool {
    let effect = &act.effect;
    match measure {
        SimulatedNumber::Errors => effect.errors > 0.0,
        SimulatedNumber::P95 => effect.latency > 0.0 || effect.slow > 0.0,
        SimulatedNumber::Resource(name) => effect.resources.contains_key(name),
        SimulatedNumber::Gauge(name) => effect.gauges.contains_key(name),
        SimulatedNumber::Up => effect.down > 0,
        SimulatedNumber::Always => false,
    }
}

/// The time difference of a region to the first one, in hours.
fn behind(region: Region) -> f64 {
    match region {
        Region::Eu => 0.0,
        Region::Us => 6.0,
    }
}

fn rate_with(place: &ServiceInRegion, impact: Impact, t: f64) -> f64 {
    let shake = 1.0 + 0.07 * smooth_noise(mix(place.key, 0), t);
    (place.rate * day(t, behind(place.region)) * shake * (1.0 + impact.rate)).max(0.0)
}

fn errors_with(place: &ServiceInRegion, impact: Impact, t: f64) -> Option<f64> {
    let base = place.service.errors?;
    let shake = smooth_noise(mix(place.key, 1), t);
    Some((base * (1.0 + 0.45 * shake) + impact.errors * (1.0 + 0.05 * shake)).clamp(0.0, 0.98))
}

fn latency_with(place: &ServiceInRegion, impact: Impact, t: f64) -> Option<LatencyModel> {
    let median = place.service.latency?;
    let shake = |salt: u64| smooth_noise(mix(place.key, salt), t);
    Some(LatencyModel {
        median: median * (1.0 + 0.06 * shake(2)) * (1.0 + impact.latency),
        tail: place.service.tail * (1.0 + 0.04 * shake(3)),
        slow: impact.slow.clamp(0.0, 0.9),
    })
}
