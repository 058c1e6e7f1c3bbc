//! Which log lines there are: the usual lines of each service, those of the scenario's events, of rollouts and of crashes.
//!
//! Time is divided into slots; each slot of a voice has one line at most, which is a function of the number of the slot. So any
//! time range is computed on its own, and costs as much as it has lines.

use std::ops::Range;

use jiff::Timestamp;

use super::fixtures::{Deploy, EffectScope, LogLevel, LoggedText, SignalEffect, VoiceFixture};
use super::line_text::{LineParts, LineText};
use super::noise::{floor, mix, unit};
use super::requests::{TraceKey, nanos};
use super::rollout::VersionOf;
use super::scenario::{Begin, Occurrence};
use super::world::{DemoWorld, ServiceInRegion};

/// The time between two lines of a service with one request per second, and the limits of that time, in seconds.
const USUAL: f64 = 12.0;
const LIMITS: (f64, f64) = (0.25, 8.0);
/// How many cells are tried for one that an event hits.
const TRIES: u64 = 12;
/// The number of lines of a pod that starts or stops.
const STOPPED: &str = "received SIGTERM, draining connections";
const STARTED: [&str; 2] = ["starting {service} {version}", "listening on :8080, ready"];

/// A line before its text is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct LogHead<'a> {
    /// Nanoseconds since 1970.
    pub(super) nanos: i64,
    pub(super) place: &'a ServiceInRegion,
    /// An index of the service's cells: pod and route.
    cell: usize,
    /// The version, if it is not that of the pod at this time.
    version: Option<usize>,
    pub(super) level: LogLevel,
    template: &'a str,
    stack: &'a [String],
    pub(super) key: u64,
}

/// Lines at regular slots.
struct Slots {
    every: f64,
    key: u64,
}

impl Slots {
    /// The slots of a range of Unix time: the time of their lines, and their keys.
    fn within(self, range: &Range<f64>) -> impl Iterator<Item = (f64, u64)> + use<> {
        let Self { every, key } = self;
        let range = range.clone();
        let (first, _) = floor(range.start / every);
        let (last, _) = floor(range.end / every);
        let slots = (first..=last).map(move |slot| {
            let key = mix(key, slot.cast_unsigned());
            ((slot as f64 + unit(mix(key, 1))) * every, key)
        });
        slots.filter(move |(second, _)| range.contains(second))
    }
}

impl VoiceFixture {
    fn pace(&self, place: &ServiceInRegion) -> f64 {
        let rate = place.service.rate.get(&place.region).copied().unwrap_or(1.0);
        self.every.map_or_else(|| (USUAL / rate.max(0.1).sqrt()).clamp(LIMITS.0, LIMITS.1), |every| every.0)
    }

    fn chosen(&self, share: f64) -> Option<(LogLevel, &str)> {
        let all: f64 = self.line.iter().map(|line| line.share).sum();
        let mut left = share * all;
        let found = self.line.iter().find(|line| {
            left -= line.share;
            left < 0.0
        });
        found.or(self.line.last()).map(|line| (line.level, &*line.text))
    }
}

impl DemoWorld {
    /// How a service logs.
    pub(super) fn voice(&self, place: &ServiceInRegion) -> Option<&VoiceFixture> {
        let own = |voice: &&VoiceFixture| voice.services.iter().any(|name| **name == *place.name);
        let voices = &self.fixtures.voices;
        voices.iter().find(own).or_else(|| voices.iter().find(|voice| voice.services.is_empty()))
    }

    /// About how many lines a service logs in so many seconds.
    pub(super) fn usual_lines(&self, place: &ServiceInRegion, seconds: f64) -> f64 {
        self.voice(place).map_or(0.0, |voice| seconds / voice.pace(place))
    }

    /// Passes all lines of a service in a range of Unix seconds, in no order.
    pub(super) fn each_line<'a>(
        &'a self,
        place: &'a ServiceInRegion,
        range: &Range<f64>,
        each: &mut dyn FnMut(LogHead<'a>),
    ) {
        let cells = place.breakdown.cells.len().max(1) as u64;
        if let Some(voice) = self.voice(place) {
            let slots = Slots { every: voice.pace(place), key: mix(place.key, 700) };
            for (second, key) in slots.within(range) {
                let Some((level, template)) = voice.chosen(unit(mix(key, 2))) else { continue };
                let cell = usize::try_from(mix(key, 3) % cells).unwrap_or(0);
                each(LogHead {
                    nanos: nanos(second),
                    place,
                    cell,
                    version: None,
                    level,
                    template,
                    stack: &[],
                    key,
                });
            }
        }
        for (number, act) in place.events.iter().enumerate() {
            for (log, salt) in act.effect.logs.iter().zip(0_u64..) {
                let key = mix(mix(place.key, 710 + number as u64), salt);
                let event = (act.begin, &act.effect);
                if let Some(every) = log.every {
                    self.repeated(place, event, (log, every.0, key), range, each);
                } else {
                    self.at_crashes(place, event, (log, key), range, each);
                }
            }
        }
        for (begin, deploy) in &place.deploys {
            self.rollout_lines(place, (*begin, deploy), range, each);
        }
    }

    /// The occurrences of an event that overlap a range of Unix time, which each lasts up to this many seconds after its start.
    fn occurrences(&self, begin: Begin, lasts: f64, range: &Range<f64>) -> Vec<Occurrence> {
        let (from, to) = (self.time.demo_second(range.start), self.time.demo_second(range.end));
        self.schedule.between(begin, from - lasts, to)
    }

    /// The lines that an event causes again and again: more, the stronger it is.
    fn repeated<'a>(
        &'a self,
        place: &'a ServiceInRegion,
        (begin, effect): (Begin, &'a SignalEffect),
        (log, every, key): (&'a LoggedText, f64, u64),
        range: &Range<f64>,
        each: &mut dyn FnMut(LogHead<'a>),
    ) {
        for once in self.occurrences(begin, effect.fall[1].0, range) {
            let (from, to) = (once.start + effect.rise[0].0, once.start + effect.fall[1].0);
            let part = self.time.second(from).max(range.start)..self.time.second(to).min(range.end);
            for (second, key) in (Slots { every, key }).within(&part) {
                let t = self.time.demo_second(second);
                if unit(mix(key, 2)) >= effect.level(t - once.start) * once.strength {
                    continue;
                }
                let Some(cell) = self.hit_cell(place, &effect.only, t, key) else { continue };
                let LoggedText { level, text, stack, .. } = log;
                let nanos = nanos(second);
                each(LogHead {
                    nanos,
                    place,
                    cell,
                    version: None,
                    level: *level,
                    template: text,
                    stack,
                    key,
                });
            }
        }
    }

    /// A cell that an event hits.
    fn hit_cell(&self, place: &ServiceInRegion, scope: &EffectScope, t: f64, key: u64) -> Option<usize> {
        let cells = &place.breakdown.cells;
        let tried =
            (0..TRIES).filter_map(|n| usize::try_from(mix(key, 30 + n)).ok()?.checked_rem(cells.len()));
        let is_hit = |number: &usize| {
            let Some(cell) = cells.get(*number) else { return false };
            let pod = u32::try_from(cell.pod).unwrap_or(0);
            place.breakdown.is_hit(scope, cell, self.version_number(place, VersionOf::Pod(pod), t))
        };
        tried.into_iter().find(is_hit)
    }

    /// The last words of the first pod, and those of its start afterwards.
    fn at_crashes<'a>(
        &'a self,
        place: &'a ServiceInRegion,
        (begin, effect): (Begin, &'a SignalEffect),
        (log, key): (&'a LoggedText, u64),
        range: &Range<f64>,
        each: &mut dyn FnMut(LogHead<'a>),
    ) {
        for crash in &effect.crashes {
            for once in self.occurrences(begin, crash.0 + 10.0, range) {
                let second = self.time.second(once.start + crash.0);
                let key = mix(key, second.to_bits());
                let line = |after: f64, level, template: &'a str, stack: &'a [String]| LogHead {
                    nanos: nanos(second + after),
                    place,
                    cell: 0,
                    version: None,
                    level,
                    template,
                    stack,
                    key,
                };
                let end = line(-0.02, log.level, &log.text, &log.stack);
                let starts = STARTED.iter().zip([1.1, 3.4]);
                let starts = starts.map(|(text, after)| line(after, LogLevel::Info, text, &[]));
                [end].into_iter().chain(starts).filter(|head| head.is_within(range)).for_each(&mut *each);
            }
        }
    }

    /// Pods that stop and start.
    fn rollout_lines<'a>(
        &'a self,
        place: &'a ServiceInRegion,
        (begin, deploy): (Begin, &'a Deploy),
        range: &Range<f64>,
        each: &mut dyn FnMut(LogHead<'a>),
    ) {
        let (pods, routes) = (place.service.pods, place.breakdown.routes.len());
        for once in self.occurrences(begin, deploy.back.0 + deploy.drain.0 + 10.0, range) {
            for pod in 0..pods {
                let (on, off) = deploy.of_pod(pod, pods);
                let cell = usize::try_from(pod).unwrap_or(0) * routes;
                for (second, salt) in [(once.start + on, 0), (once.start + off, 1)] {
                    let version = |t: f64| self.version_number(place, VersionOf::Pod(pod), t);
                    let (old, new) = (version(second - 0.01), version(second + 0.01));
                    let second = self.time.second(second);
                    let key = mix(mix(place.key, 720 + u64::from(pod) * 2 + salt), second.to_bits());
                    let lines = [(-2.0, old, STOPPED), (-1.2, new, STARTED[0]), (0.0, new, STARTED[1])];
                    for (after, version, template) in lines {
                        let head = LogHead {
                            nanos: nanos(second + after),
                            place,
                            cell,
                            version: Some(version),
                            level: LogLevel::Info,
                            template,
                            stack: &[],
                            key,
                        };
                        if head.is_within(range) {
                            each(head);
                        }
                    }
                }
            }
        }
    }
}

impl LogHead<'_> {
    fn is_within(&self, range: &Range<f64>) -> bool {
        (nanos(range.start)..nanos(range.end)).contains(&self.nanos)
    }

    /// The index of the pod among those of the service.
    pub(super) fn pod(&self) -> usize {
        self.place.breakdown.cells.get(self.cell).map_or(0, |cell| cell.pod)
    }

    /// The id of the trace, if the line is about a request.
    pub(super) fn trace(&self) -> Option<String> {
        if !self.template.contains("{method}") || self.place.service.latency.is_none() {
            return None;
        }
        let time = u64::try_from(self.nanos / 100_000_000).ok()?;
        // tenths that searches and exemplars use are other requests
        let time = time + u64::from(time.is_multiple_of(super::requests::TRACES));
        let key = TraceKey { place: self.place.number, time, has_failed: self.level >= LogLevel::Error };
        Some(format!("{:032x}", key.id(self.place)))
    }

    /// The text of the line; `trace` is [`Self::trace`].
    pub(super) fn text(&self, world: &DemoWorld, trace: Option<&str>) -> String {
        let (Some(cell), Some(voice)) = (self.place.breakdown.cells.get(self.cell), world.voice(self.place))
        else {
            return String::new();
        };
        let at = Timestamp::from_nanosecond(self.nanos.into()).unwrap_or_default();
        let t = world.time.demo(at);
        let pod = u32::try_from(cell.pod).unwrap_or(0);
        let version =
            self.version.unwrap_or_else(|| world.version_number(self.place, VersionOf::Pod(pod), t));
        let text = LineText { world, place: self.place, cell, version, t, key: self.key };
        let (level, template, stack) = (self.level, self.template, self.stack);
        text.written(&LineParts { at, level, template, stack, trace }, voice.format, &voice.class)
    }
}
