//! When which part of the story happens, and what it adds to the signals of a place.

use super::fixtures::{Fixtures, Region, Seconds, ServiceFixture, SignalEffect};
use super::noise::{floor, mix, unit};

/// How much later the services that need a service feel its trouble.
const DELAY: f64 = 10.0;
/// Which share of a needed service's errors gets through retries and fallbacks.
const PASSED_ERRORS: f64 = 0.3;
/// Past cycles come in blocks of this many, one of which had a chapter.
const BLOCK: i64 = 112;
/// How many cycles are looked through at most for earlier firings.
const CYCLES_BACK: i64 = 20_000;
/// How many times of the same thing are looked at at most, the newest.
const OCCURRENCES: usize = 100;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Begin {
    /// In each cycle that tells this chapter.
    Chapter(usize),
    /// At a moment, and again after each of these times.
    Every {
        /// Demo time.
        start: f64,
        /// Seconds.
        every: f64,
    },
}

impl Begin {
    /// Tells it from others of the same place.
    pub(super) fn key(self) -> u64 {
        match self {
            Self::Chapter(number) => number as u64,
            Self::Every { start, .. } => start.to_bits(),
        }
    }
}

/// Something that happens at one place.
#[derive(Debug, Clone)]
pub(super) struct ScenarioEvent {
    pub(super) begin: Begin,
    pub(super) effect: SignalEffect,
}

/// One time that something happens: when it began and how strong it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Occurrence {
    pub(super) start: f64,
    pub(super) strength: f64,
}

/// Which cycle tells which chapter.
#[derive(Debug, Clone)]
pub(super) struct ChapterSchedule {
    seed: u64,
    cycle: f64,
    chapters: usize,
}

impl ChapterSchedule {
    pub(super) fn new(seed: u64, fixtures: &Fixtures) -> Self {
        Self { seed, cycle: fixtures.scenario.cycle.0, chapters: fixtures.scenario.chapter.len() }
    }

    /// The chapter of a cycle. From the start on each has one, never the same twice in a row; the first tells the first.
    fn chapter(&self, cycle: i64) -> Option<usize> {
        let count = i64::try_from(self.chapters).unwrap_or(1).max(1);
        let chapter = if cycle >= 0 {
            // backwards or forwards through the book
            let stride = if self.seed.is_multiple_of(2) { 1 } else { count - 1 };
            cycle.wrapping_mul(stride)
        } else {
            let block = cycle.div_euclid(BLOCK);
            let chosen = mix(self.seed, block.cast_unsigned()) % 19;
            // the last hour and a half before the start were calm
            (cycle.rem_euclid(BLOCK).cast_unsigned() == chosen).then_some(block)?
        };
        usize::try_from(chapter.rem_euclid(count)).ok()
    }

    /// The chapter that is told at a moment, and when it began.
    pub(super) fn now(&self, t: f64) -> (Option<usize>, f64) {
        let (cycle, _) = floor(t / self.cycle);
        (self.chapter(cycle), cycle as f64 * self.cycle)
    }

    /// The latest time at or before `t` that this began.
    pub(super) fn latest(&self, begin: Begin, t: f64) -> Option<Occurrence> {
        match begin {
            Begin::Chapter(chapter) => {
                let (cycle, _) = floor(t / self.cycle);
                (self.chapter(cycle) == Some(chapter)).then(|| self.occurrence(cycle))
            }
            Begin::Every { start, every } => {
                let (times, _) = floor((t - start) / every);
                Some(Occurrence { start: start + times as f64 * every, strength: 1.0 })
            }
        }
    }

    /// The times that this began between two moments, the newest first; at most [`OCCURRENCES`].
    pub(super) fn between(&self, begin: Begin, from: f64, to: f64) -> Vec<Occurrence> {
        self.each(begin, from, to).take(OCCURRENCES).collect()
    }

    /// All times that this began between two moments, the newest first.
    pub(super) fn each(&self, begin: Begin, from: f64, to: f64) -> impl Iterator<Item = Occurrence> {
        let (zero, every) = match begin {
            Begin::Chapter(_) => (0.0, self.cycle),
            Begin::Every { start, every } => (start, every),
        };
        let (first, _) = floor((from - zero) / every);
        let (last, _) = floor((to - zero) / every);
        (first.max(last.saturating_sub(CYCLES_BACK))..=last).rev().filter_map(move |times| match begin {
            Begin::Chapter(chapter) => (self.chapter(times) == Some(chapter)).then(|| self.occurrence(times)),
            Begin::Every { .. } => Some(Occurrence { start: zero + times as f64 * every, strength: 1.0 }),
        })
    }

    fn occurrence(&self, cycle: i64) -> Occurrence {
        let strength = match cycle {
            // the first cycle is in tests and pictures: always the same
            0 => 1.0,
            _ => 0.96 + 0.2 * unit(mix(self.seed ^ 0xa11, cycle.cast_unsigned())),
        };
        Occurrence { start: cycle as f64 * self.cycle, strength }
    }
}

/// All that the story adds at one place and moment.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Impact {
    pub(super) errors: f64,
    pub(super) latency: f64,
    pub(super) slow: f64,
    pub(super) rate: f64,
    pub(super) down: u32,
}

/// What the story adds to a place at a moment.
pub(super) fn impact(events: &[ScenarioEvent], schedule: &ChapterSchedule, t: f64) -> Impact {
    active_effects(events, schedule, t).fold(Impact::default(), |sum, (effect, level)| Impact {
        errors: sum.errors + effect.errors * level,
        latency: sum.latency + effect.latency * level,
        slow: sum.slow + effect.slow * level,
        rate: sum.rate + effect.rate * level,
        down: sum.down + if level > 0.0 { effect.down } else { 0 },
    })
}

/// What acts at a moment, and how much of it.
pub(super) fn active_effects<'a>(
    events: &'a [ScenarioEvent],
    schedule: &'a ChapterSchedule,
    t: f64,
) -> impl Iterator<Item = (&'a SignalEffect, f64)> {
    events.iter().filter_map(move |act| {
        let occurrence = schedule.latest(act.begin, t)?;
        let level = act.effect.level(t - occurrence.start) * occurrence.strength;
        (level > 0.0).then_some((&act.effect, level))
    })
}

/// Everything that happens at one place: its own effects, and what it feels of the services that it needs.
pub(super) fn events(fixtures: &Fixtures, service: &ServiceFixture, region: Region) -> Vec<ScenarioEvent> {
    let chapters = fixtures.scenario.chapter.iter().enumerate().flat_map(|(number, chapter)| {
        chapter.effect.iter().map(move |effect| (Begin::Chapter(number), effect))
    });
    let standing = fixtures.scenario.standing.iter().map(|standing| {
        (Begin::Every { start: standing.start.0, every: standing.every.0 }, &standing.effect)
    });
    chapters
        .chain(standing)
        .filter(|(_, effect)| effect.region == region)
        .flat_map(|(begin, effect)| {
            let own = (effect.service == service.name).then(|| effect.clone());
            own.into_iter()
                .chain(effects_of_dependency(fixtures, service, effect))
                .map(move |effect| ScenarioEvent { begin, effect })
        })
        .collect()
}

/// What a service feels of another one's trouble: over one step, and weaker over two.
fn effects_of_dependency(
    fixtures: &Fixtures,
    service: &ServiceFixture,
    effect: &SignalEffect,
) -> Vec<SignalEffect> {
    let steps = service.needs.iter().flat_map(|(needed, weight)| {
        let direct = (*needed == effect.service).then(|| passed_effect(effect, service, *weight));
        let between = fixtures.services.iter().find(|other| other.name == *needed);
        let indirect = between.and_then(|between| {
            let passed = passed_effect(effect, between, *between.needs.get(&effect.service)?);
            Some(passed_effect(&passed, service, *weight))
        });
        [direct, indirect].into_iter().flatten()
    });
    steps.filter(|effect| effect.errors > 0.0 || effect.latency > 0.0 || effect.slow > 0.0).collect()
}

fn passed_effect(effect: &SignalEffect, to: &ServiceFixture, weight: f64) -> SignalEffect {
    let later = |at: Seconds| Seconds(at.0 + DELAY);
    SignalEffect {
        service: to.name.clone(),
        region: effect.region,
        errors: effect.errors * weight * PASSED_ERRORS,
        latency: effect.latency * weight,
        slow: effect.slow * weight * PASSED_ERRORS,
        rate: 0.0,
        resources: std::collections::BTreeMap::new(),
        gauges: std::collections::BTreeMap::new(),
        down: 0,
        rise: effect.rise.map(later),
        fall: effect.fall.map(later),
    }
}
