//! The simulation: every number is a function of the seed, the place and the moment, so any history is there at once.

use std::collections::HashMap;
use std::sync::Mutex;

use crate::model::labels::{Labels, Text};

use super::book::{Book, Deploy, Measure, Region, Service};
use super::noise::{Latency, P95, day, mix, mix_text, wobble};
use super::paging::Paging;
use super::pledges::{Pledge, pledges};
use super::rules::{Bout, Cause, Rule, expand};
use super::story::{Act, Begin, Impact, Schedule, acts, felt, impact};

/// The whole demo world; a seed makes another one.
#[derive(Debug)]
pub struct DemoWorld {
    pub(super) book: Book,
    pub(super) schedule: Schedule,
    pub(super) places: Vec<Place>,
    pub(super) rules: Vec<Rule>,
    pub(super) pledges: Vec<Pledge>,
    pub(super) paging: Paging,
    /// When conditions of rules held, as far as that was worked out.
    pub(super) bouts: Mutex<HashMap<Cause, Option<Bout>>>,
}

#[derive(Debug, Clone)]
pub(super) struct Place {
    /// Its place among all of them.
    pub(super) number: usize,
    pub(super) name: Text,
    pub(super) region: Region,
    pub(super) service: Service,
    pub(super) acts: Vec<Act>,
    /// `service`, `region`, `team`, `namespace`: what the rules' expressions keep.
    pub(super) labels: Labels,
    rate: f64,
    key: u64,
}

/// What requests to a place are like at a moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Numbers {
    /// Per second.
    pub(super) rate: f64,
    /// Failed / all requests.
    pub(super) errors: Option<f64>,
    pub(super) latency: Option<Latency>,
}

impl DemoWorld {
    /// The world of this seed.
    pub fn new(seed: u64) -> Self {
        let book = Book::open();
        let mut places: Vec<Place> = book
            .services
            .iter()
            .flat_map(|service| service.rate.iter().map(move |(region, rate)| (service, *region, *rate)))
            .map(|(service, region, rate)| Place {
                number: 0,
                name: service.name.as_str().into(),
                region,
                acts: acts(&book, service, region),
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
        places.iter_mut().zip(0..).for_each(|(place, number)| place.number = number);
        let schedule = Schedule::new(seed, &book);
        let (rules, pledges) = (expand(&book), pledges(&book));
        Self { book, schedule, places, rules, pledges, paging: Paging::open(), bouts: Mutex::default() }
    }

    /// The places that a source watches, in the order of the services' names.
    pub(super) fn watched(&self, region: Region) -> impl Iterator<Item = &Place> {
        self.places.iter().filter(move |place| place.region == region)
    }

    /// The place of this service in this region.
    pub(super) fn place(&self, service: &str, region: Region) -> Option<&Place> {
        self.watched(region).find(|place| &*place.name == service)
    }

    /// The numbers of requests at a place.
    pub(super) fn numbers(&self, place: &Place, t: f64) -> Numbers {
        let impact = self.impact(place, t);
        Numbers {
            rate: rate_with(place, impact, t),
            errors: errors_with(place, impact, t),
            latency: latency_with(place, impact, t),
        }
    }

    /// Failed / all requests.
    pub(super) fn errors(&self, place: &Place, t: f64) -> Option<f64> {
        errors_with(place, self.impact(place, t), t)
    }

    /// How long requests take.
    pub(super) fn latency(&self, place: &Place, t: f64) -> Option<Latency> {
        latency_with(place, self.impact(place, t), t)
    }

    /// Use of one resource.
    pub(super) fn resource(&self, place: &Place, name: &str, t: f64) -> Option<f64> {
        let base = place.service.resources.get(name)?;
        let key = mix_text(place.key, name);
        let added: f64 = felt(&place.acts, &self.schedule, t)
            .filter_map(|(effect, level)| Some(effect.resources.get(name)? * level))
            .sum();
        // memory hardly follows the day, everything else does a little
        let follows = if name == "memory" { 0.02 } else { 0.12 };
        let busy = 1.0 + follows * (day(t, behind(place.region)) - 1.0);
        Some((base * busy * (1.0 + 0.05 * wobble(key, t)) + added).clamp(0.0, 0.995))
    }

    fn gauge(&self, place: &Place, name: &str, t: f64) -> Option<f64> {
        let base = place.service.gauges.get(name)?;
        let added: f64 = felt(&place.acts, &self.schedule, t)
            .filter_map(|(effect, level)| Some(effect.gauges.get(name)? * level))
            .sum();
        // days and hours pass evenly, the rest is measured
        let shaky = if name.ends_with("_days") || name.ends_with("_hours") { 0.0 } else { 0.02 };
        Some((base + added) * (1.0 + shaky * wobble(mix_text(place.key, name), t)))
    }

    /// The pods that do not answer.
    pub(super) fn down(&self, place: &Place, t: f64) -> std::ops::Range<u32> {
        0..self.impact(place, t).down.min(place.service.pods)
    }

    /// The number that a rule's expression stands for; `pod` for what is measured by pod.
    pub(super) fn measure(&self, measure: &Measure, place: &Place, pod: u32, t: f64) -> Option<f64> {
        match measure {
            Measure::Errors => self.errors(place, t),
            Measure::P95 => self.latency(place, t).map(|latency| latency.quantile(P95)),
            Measure::Resource(name) => self.resource(place, name, t),
            Measure::Gauge(name) => self.gauge(place, name, t),
            Measure::Up => Some(if self.down(place, t).contains(&pod) { 0.0 } else { 1.0 }),
            Measure::Always => Some(1.0),
        }
    }

    /// What the chapter of this moment rolls out at a place, and when the chapter began.
    pub(super) fn deploy(&self, place: &Place, t: f64) -> Option<(&Deploy, f64)> {
        let (chapter, start) = self.schedule.now(t);
        let deploy = self.book.story.chapter.get(chapter?)?.deploy.as_ref()?;
        let here = deploy.service == *place.name && deploy.region == place.region;
        (here && t >= start + deploy.at.0).then_some((deploy, start))
    }

    /// The version that runs at a place.
    pub(super) fn version<'a>(&'a self, place: &'a Place, t: f64) -> &'a str {
        match self.deploy(place, t) {
            Some((deploy, start)) if t < start + deploy.back.0 => &deploy.version,
            _ => &place.service.version,
        }
    }

    /// The versions that the story knows at a place, the usual one first.
    pub(super) fn versions<'a>(&'a self, place: &'a Place) -> Vec<&'a str> {
        let mut versions = vec![&*place.service.version];
        versions.extend(self.deploys(place).map(|(_, deploy)| &*deploy.version));
        versions
    }

    fn deploys<'a>(&'a self, place: &'a Place) -> impl Iterator<Item = (Begin, &'a Deploy)> {
        let told = self.book.story.chapter.iter().zip(0..);
        let all =
            told.filter_map(|(chapter, number)| Some((Begin::Chapter(number), chapter.deploy.as_ref()?)));
        all.filter(|(_, deploy)| deploy.service == *place.name && deploy.region == place.region)
    }

    /// When a version ran at a place, as far as that touches a span.
    pub(super) fn version_ran(
        &self,
        place: &Place,
        version: &str,
        (from, to): (f64, f64),
    ) -> Vec<(f64, f64)> {
        let mut others: Vec<(f64, f64, &str)> = Vec::new();
        for (begin, deploy) in self.deploys(place) {
            let times = self.schedule.each(begin, from - deploy.back.0, to);
            others.extend(
                times.map(|once| (once.start + deploy.at.0, once.start + deploy.back.0, &*deploy.version)),
            );
        }
        others.sort_by(|a, b| a.0.total_cmp(&b.0));
        if *place.service.version != *version {
            let own = others.into_iter().filter(|(_, _, ran)| *ran == version);
            return own
                .map(|(begin, end, _)| (begin, end))
                .filter(|(begin, end)| *begin <= to && *end > from)
                .collect();
        }
        let mut ran = Vec::new();
        let mut since = from;
        for (begin, end, _) in others {
            if begin > since {
                ran.push((since, begin));
            }
            since = since.max(end);
        }
        if since <= to {
            ran.push((since, to + 1.0));
        }
        ran
    }

    fn impact(&self, place: &Place, t: f64) -> Impact {
        impact(&place.acts, &self.schedule, t)
    }
}

impl Place {
    /// The address of a pod's target.
    pub(super) fn instance(&self, pod: u32) -> String {
        let net = match self.region {
            Region::Eu => 20,
            Region::Us => 40,
        };
        let host = mix(self.key, 100 + u64::from(pod));
        format!("10.{net}.{}.{}:8080", host % 200, host / 200 % 250 + 2)
    }

    /// The name of a pod, as a replica set gives it.
    pub(super) fn pod(&self, pod: u32) -> String {
        const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
        let word = |number: u64, length: u32| -> String {
            (0..length)
                .filter_map(|i| LETTERS.get(usize::try_from(mix(number, u64::from(i)) % 27).ok()?))
                .map(|letter| char::from(*letter))
                .collect()
        };
        format!("{}-{}-{}", self.name, word(self.key, 9), word(mix(self.key, u64::from(pod)), 5))
    }

    /// A text with what stands for the service, a pod and its target filled in.
    pub(super) fn filled(&self, text: &str, pod: u32) -> String {
        let text = text.replace("%service%", &self.name).replace("%pod%", &self.pod(pod));
        text.replace("%instance%", &self.instance(pod))
    }

    /// How long requests take while nothing happens.
    pub(super) fn calm_latency(&self) -> Option<Latency> {
        Some(Latency { median: self.service.latency?, tail: self.service.tail, slow: 0.0 })
    }

    /// Whether something of the story reaches this number of the place, and when.
    pub(super) fn begins(&self, measure: &Measure) -> Vec<Begin> {
        let mut begins: Vec<Begin> = Vec::new();
        for act in self.acts.iter().filter(|act| reaches(act, measure)) {
            if !begins.contains(&act.begin) {
                begins.push(act.begin);
            }
        }
        begins
    }

    /// From when to when after its beginning something reaches this number.
    pub(super) fn reach(&self, begin: Begin, measure: &Measure) -> (f64, f64) {
        let acts = self.acts.iter().filter(|act| act.begin == begin && reaches(act, measure));
        acts.fold((f64::INFINITY, 0.0), |(from, to), act| {
            (f64::min(from, act.effect.rise[0].0), f64::max(to, act.effect.fall[1].0))
        })
    }
}

fn reaches(act: &Act, measure: &Measure) -> bool {
    let effect = &act.effect;
    match measure {
        Measure::Errors => effect.errors > 0.0,
        Measure::P95 => effect.latency > 0.0 || effect.slow > 0.0,
        Measure::Resource(name) => effect.resources.contains_key(name),
        Measure::Gauge(name) => effect.gauges.contains_key(name),
        Measure::Up => effect.down > 0,
        Measure::Always => false,
    }
}

/// How many hours a region's day is behind that of the first.
fn behind(region: Region) -> f64 {
    match region {
        Region::Eu => 0.0,
        Region::Us => 6.0,
    }
}

fn rate_with(place: &Place, impact: Impact, t: f64) -> f64 {
    let shake = 1.0 + 0.07 * wobble(mix(place.key, 0), t);
    (place.rate * day(t, behind(place.region)) * shake * (1.0 + impact.rate)).max(0.0)
}

fn errors_with(place: &Place, impact: Impact, t: f64) -> Option<f64> {
    let base = place.service.errors?;
    let shake = wobble(mix(place.key, 1), t);
    Some((base * (1.0 + 0.45 * shake) + impact.errors * (1.0 + 0.05 * shake)).clamp(0.0, 0.98))
}

fn latency_with(place: &Place, impact: Impact, t: f64) -> Option<Latency> {
    let median = place.service.latency?;
    let shake = |salt: u64| wobble(mix(place.key, salt), t);
    Some(Latency {
        median: median * (1.0 + 0.06 * shake(2)) * (1.0 + impact.latency),
        tail: place.service.tail * (1.0 + 0.04 * shake(3)),
        slow: impact.slow.clamp(0.0, 0.9),
    })
}
