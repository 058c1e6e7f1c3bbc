//! When the events of the scenario happen, and how they affect the signals of a service.

use super::fixtures::{
    Deploy, EffectScope, Fixtures, LogLevel, LoggedText, Region, Seconds, ServiceFixture, SignalEffect,
};
use super::noise::{floor, mix, unit};

/// The delay, in seconds, after which dependent services are affected.
const DELAY: f64 = 10.0;
/// The share of a dependency's errors that retries and fallbacks do not hide.
const PASSED_ERRORS: f64 = 0.3;
/// Before the start, only one of this many cycles has a chapter.
const BLOCK: i64 = 112;
/// The maximum number of past cycles that are searched.
const CYCLES_BACK: i64 = 20_000;
/// The maximum number of occurrences of one event that are used, the newest ones.
const OCCURRENCES: usize = 100;

/// When an event begins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Begin {
    /// In each cycle with this chapter.
    Chapter(usize),
    /// Repeatedly, at a fixed interval.
    Every {
        /// Demo time.
        start: f64,
        /// Seconds.
        every: f64,
    },
}

impl Begin {
    /// Distinguishes the events of one service.
    pub(super) fn key(self) -> u64 {
        match self {
            Self::Chapter(number) => number as u64,
            Self::Every { start, .. } => start.to_bits(),
        }
    }
}

/// An event that affects one service in a region.
#[derive(Debug, Clone)]
pub(super) struct ScenarioEvent {
    pub(super) begin: Begin,
    pub(super) effect: SignalEffect,
}

/// One occurrence of an event: its start and its strength.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Occurrence {
    pub(super) start: f64,
    pub(super) strength: f64,
}

/// Assigns chapters to cycles.
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

    /// The chapter of a cycle. From the start on, each cycle has one, different from the one before; the first cycle has the
    /// first chapter.
    fn chapter(&self, cycle: i64) -> Option<usize> {
        let count = i64::try_from(self.chapters).unwrap_or(1).max(1);
        let chapter = if cycle >= 0 {
            // iterates through the chapters in ascending or descending order
            let stride = if self.seed.is_multiple_of(2) { 1 } else { count - 1 };
            cycle.wrapping_mul(stride)
        } else {
            let block = cycle.div_euclid(BLOCK);
            let chosen = mix(self.seed, block.cast_unsigned()) % 19;
            // the last cycles before the start have no chapter
            (cycle.rem_euclid(BLOCK).cast_unsigned() == chosen).then_some(block)?
        };
        usize::try_from(chapter.rem_euclid(count)).ok()
    }

    /// The current chapter, and when it began.
    pub(super) fn now(&self, t: f64) -> (Option<usize>, f64) {
        let (cycle, _) = floor(t / self.cycle);
        (self.chapter(cycle), cycle as f64 * self.cycle)
    }

    /// The latest occurrence that began at or before `t`.
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

    /// The occurrences between two times, newest first; at most [`OCCURRENCES`].
    pub(super) fn between(&self, begin: Begin, from: f64, to: f64) -> Vec<Occurrence> {
        self.each(begin, from, to).take(OCCURRENCES).collect()
    }

    /// All occurrences between two times, newest first.
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
            // the first cycle appears in tests and screenshots, so it is always the same
            0 => 1.0,
            _ => 0.96 + 0.2 * unit(mix(self.seed ^ 0xa11, cycle.cast_unsigned())),
        };
        Occurrence { start: cycle as f64 * self.cycle, strength }
    }
}

/// The sum of all effects on one service at one time.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Impact {
    pub(super) errors: f64,
    pub(super) latency: f64,
    pub(super) slow: f64,
    pub(super) rate: f64,
    pub(super) down: u32,
}

/// The sum of all effects at a time.
pub(super) fn impact(events: &[ScenarioEvent], schedule: &ChapterSchedule, t: f64) -> Impact {
    active_effects(events, schedule, t).fold(Impact::default(), |sum, (effect, level)| Impact {
        errors: sum.errors + effect.errors * level,
        latency: sum.latency + effect.latency * level,
        slow: sum.slow + effect.slow * level,
        rate: sum.rate + effect.rate * level,
        down: sum.down + if level > 0.0 { effect.down } else { 0 },
    })
}

/// The active effects at a time with their level.
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

/// All deployments of the scenario to a service in a region.
pub(super) fn deploys(fixtures: &Fixtures, service: &ServiceFixture, region: Region) -> Vec<(Begin, Deploy)> {
    let chapters = fixtures.scenario.chapter.iter().zip(0..);
    let chapters =
        chapters.filter_map(|(chapter, number)| Some((Begin::Chapter(number), chapter.deploy.as_ref()?)));
    let routine = fixtures.scenario.routine.iter();
    let routine = routine
        .map(|routine| (Begin::Every { start: routine.start.0, every: routine.every.0 }, &routine.deploy));
    chapters
        .chain(routine)
        .filter(|(_, deploy)| deploy.service == service.name && deploy.region == region)
        .map(|(begin, deploy)| (begin, deploy.clone()))
        .collect()
}

/// All events that affect one service: its own effects, and those of its dependencies.
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

/// How an effect on another service affects this one: directly, or weaker through one other service.
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

/// What a service logs about calls of a dependency that fail or are slow.
fn upstream_logs(effect: &SignalEffect, weight: f64) -> Vec<LoggedText> {
    let (from, code) = (&effect.service, effect.code.as_deref().unwrap_or("500"));
    let line = |level, text: String, every: f64| {
        vec![LoggedText { level, text, every: Some(Seconds(every)), stack: Vec::new() }]
    };
    if effect.errors * weight > 0.0 {
        // more failures are logged more often
        let every = (0.05 / (effect.errors * weight)).clamp(0.5, 20.0);
        return line(
            LogLevel::Error,
            format!("{{method}} {{path}}: upstream {from}: {code} after 3 attempts"),
            every,
        );
    }
    line(LogLevel::Warn, format!("slow call of {from}, took {{ms}} ms"), 4.0)
}

/// The effect on a dependent service.
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
        crashes: Vec::new(),
        oom: false,
        only: EffectScope { calls: Some(effect.service.clone()), ..EffectScope::default() },
        code: Some("503".to_owned()),
        from: Some(effect.service.clone()),
        logs: upstream_logs(effect, weight),
        rise: effect.rise.map(later),
        fall: effect.fall.map(later),
    }
}
