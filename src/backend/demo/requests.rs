//! Single requests of the simulation: which pod, version and route, how long, whether it fails and why. Exemplars, traces and log
//! lines that name a trace are about the same requests.

use super::breakdown::RequestCell;
use super::fixtures::{LogLevel, SignalEffect};
use super::line_text::{LineText, message};
use super::noise::{mix, mix_text, unit};
use super::rollout::VersionOf;
use super::scenario::active_effects;
use super::world::{DemoWorld, RequestNumbers, ServiceInRegion};

/// What the rare failures without an event say.
const USUAL_FAILURES: [(&str, &str); 3] =
    [("500", "unexpected EOF"), ("503", "connection reset by peer"), ("504", "context deadline exceeded")];
/// Exemplars are this far apart, in tenths of a second.
const EXEMPLARS: u64 = 200;
/// Traces that searches find are this far apart, in tenths of a second.
pub(super) const TRACES: u64 = 100;

/// Identifies a request: the service that it is about, and its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TraceKey {
    /// The index of the service in the world.
    pub(super) place: usize,
    /// Tenths of a second since 1970.
    pub(super) time: u64,
    /// Whether it is one that fails, such as the request of an error line.
    pub(super) has_failed: bool,
}

/// The bits of a packed key that hold the time.
const TIME_BITS: u32 = 40;

impl TraceKey {
    /// The request of a service at a Unix time.
    pub(super) fn at(place: &ServiceInRegion, second: f64) -> Option<Self> {
        let time = u64::try_from(nanos(second) / 100_000_000).ok()?;
        Some(Self { place: place.number, time, has_failed: false })
    }

    fn packed(self) -> u64 {
        ((self.place as u64) << 1 | u64::from(self.has_failed)) << TIME_BITS
            | self.time & ((1 << TIME_BITS) - 1)
    }

    /// The id of its trace. It holds the key, so that a trace of any time is found without being stored; the lower half depends
    /// on the seed.
    pub(super) fn id(self, place: &ServiceInRegion) -> u128 {
        u128::from(scrambled(self.packed())) << 64 | u128::from(mix(place.key, self.packed()))
    }
}

/// A reversible permutation (a Feistel network of four rounds), so that ids do not look like counters.
fn scrambled(number: u64) -> u64 {
    let (left, right) =
        (0..4).fold(halves(number), |(left, right), round| (right, left ^ round_of(right, round)));
    u64::from(left) << 32 | u64::from(right)
}

/// The inverse of [`scrambled`].
fn unscrambled(number: u64) -> u64 {
    let (left, right) =
        (0..4).rev().fold(halves(number), |(left, right), round| (right ^ round_of(left, round), left));
    u64::from(left) << 32 | u64::from(right)
}

fn halves(number: u64) -> (u32, u32) {
    let half = |number: u64| u32::try_from(number & u64::from(u32::MAX)).unwrap_or(0);
    (half(number >> 32), half(number))
}

fn round_of(half: u32, round: u64) -> u32 {
    halves(mix(u64::from(half), round)).0
}

/// Why a request failed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RequestFailure {
    /// The status code of the answer.
    pub(super) code: String,
    /// The dependency whose call failed.
    pub(super) from: Option<String>,
    pub(super) said: String,
    /// Where in the code, if an exception tells.
    pub(super) stack: Vec<String>,
}

/// One request to a service.
#[derive(Debug, Clone)]
pub(super) struct DemoRequest<'a> {
    pub(super) place: &'a ServiceInRegion,
    pub(super) cell: &'a RequestCell,
    /// The version of its pod, as an index of the service's versions.
    pub(super) version: usize,
    pub(super) seconds: f64,
    /// The Unix time at which it ended.
    pub(super) ended: f64,
    /// The demo time that its numbers are about.
    pub(super) t: f64,
    pub(super) failure: Option<RequestFailure>,
    /// Pseudo-random numbers of the request derive from it.
    pub(super) key: u64,
    pub(super) id: u128,
}

impl DemoRequest<'_> {
    /// The id of the span of the service.
    pub(super) fn span_id(&self) -> u64 {
        mix(self.key, 6).max(1)
    }

    /// When it began, in Unix seconds.
    pub(super) fn started(&self) -> f64 {
        self.ended - self.seconds
    }
}

impl DemoWorld {
    /// The key of a trace id.
    pub(super) fn trace_key(&self, id: u128) -> Option<TraceKey> {
        let packed = unscrambled(u64::try_from(id >> 64).ok()?);
        let place = usize::try_from(packed >> (TIME_BITS + 1)).ok()?;
        let has_failed = packed >> TIME_BITS & 1 == 1;
        let key = TraceKey { place, time: packed & ((1 << TIME_BITS) - 1), has_failed };
        (key.id(self.places.get(place)?) == id).then_some(key)
    }

    /// The request of a key; `None` for a service without requests.
    pub(super) fn request(&self, key: TraceKey) -> Option<DemoRequest<'_>> {
        let place = self.places.get(key.place)?;
        let second = key.time as f64 / 10.0;
        let t = self.time.demo_second(second);
        let numbers = self.numbers(place, t);
        let id = key.id(place);
        let seed = mix(mix_text(place.key, "exemplar"), second.to_bits());
        let seed = if key.has_failed { mix(seed, 99) } else { seed };
        let failed = self.failed_shares(place, &numbers, t);
        let number = if key.has_failed { likeliest(place, &failed, seed) } else { None };
        let number = number
            .or_else(|| usize::try_from(mix(seed, 2)).ok()?.checked_rem(place.breakdown.cells.len()))?;
        let cell = place.breakdown.cells.get(number)?;
        let version = self.version_number(place, VersionOf::Pod(u32::try_from(cell.pod).ok()?), t);
        let is_failed = key.has_failed || failed.get(number).is_some_and(|share| unit(mix(seed, 7)) < *share);
        let seconds = self.duration(place, &numbers, (cell, version, t), unit(mix(seed, 1)))?;
        let spread = match key.time {
            time if time.is_multiple_of(EXEMPLARS) => EXEMPLARS,
            time if time.is_multiple_of(TRACES) => TRACES,
            _ => 0,
        };
        let ended = second - spread as f64 / 10.0 * unit(mix(seed, 5));
        let bare = DemoRequest { place, cell, version, seconds, ended, t, failure: None, key: seed, id };
        let failure = is_failed.then(|| self.failure(&bare));
        Some(DemoRequest { failure, ..bare })
    }

    /// How long a request takes that only this share of the requests does not exceed. Requests that no event hits are as fast as
    /// usual.
    pub(super) fn duration(
        &self,
        place: &ServiceInRegion,
        numbers: &RequestNumbers,
        (cell, version, t): (&RequestCell, usize, f64),
        share: f64,
    ) -> Option<f64> {
        let latency = numbers.latency?;
        let mut slowing = active_effects(&place.events, &self.schedule, t)
            .filter(|(effect, _)| effect.latency > 0.0 || effect.slow > 0.0)
            .peekable();
        let is_quiet = slowing.peek().is_none();
        let is_hit = slowing.any(|(effect, _)| place.breakdown.is_hit(&effect.only, cell, version));
        let model = if is_quiet || is_hit { latency } else { place.undisturbed_latency(t)? };
        Some(model.at_share(share.clamp(0.001, 0.999)))
    }

    /// Why a request fails.
    fn failure(&self, request: &DemoRequest<'_>) -> RequestFailure {
        let DemoRequest { place, cell, version, t, key, .. } = request;
        let effects = active_effects(&place.events, &self.schedule, *t);
        let hitting = effects.filter(|(effect, _)| {
            effect.errors > 0.0 && place.breakdown.is_hit(&effect.only, cell, *version)
        });
        let cause = hitting.max_by(|(one, a), (other, b)| (one.errors * a).total_cmp(&(other.errors * b)));
        if let Some((effect, _)) = cause {
            return self.failure_by(request, effect);
        }
        let usual = usize::try_from(mix(*key, 8) % 3).ok().and_then(|pick| USUAL_FAILURES.get(pick));
        let (code, said) = usual.copied().unwrap_or(("500", "unexpected EOF"));
        RequestFailure { code: code.to_owned(), from: None, said: said.to_owned(), stack: Vec::new() }
    }

    fn failure_by(&self, request: &DemoRequest<'_>, effect: &SignalEffect) -> RequestFailure {
        let DemoRequest { place, cell, version, t, key, .. } = request;
        let said = effect.logs.iter().find(|log| log.level >= LogLevel::Error);
        let template = said.map_or("internal error", |log| message(&log.text));
        let template = template.trim_start_matches("{method} {path}: ");
        let text = LineText { world: self, place, cell, version: *version, t: *t, key: *key };
        let stack = effect.logs.iter().map(|log| &log.stack).find(|stack| !stack.is_empty());
        RequestFailure {
            code: effect.code.clone().unwrap_or_else(|| "500".to_owned()),
            from: effect.from.clone(),
            said: text.filled(template),
            stack: stack.cloned().unwrap_or_default(),
        }
    }

    /// What a dependency itself says while something is wrong with it, such as a full database.
    pub(super) fn trouble_at(&self, place: &ServiceInRegion, request: &DemoRequest<'_>) -> Option<String> {
        let effects = active_effects(&place.events, &self.schedule, request.t);
        let logs = effects.flat_map(|(effect, _)| &effect.logs);
        let log = logs.filter(|log| log.every.is_some()).max_by_key(|log| log.level)?;
        let cell = place.breakdown.cells.first()?;
        let text = LineText { world: self, place, cell, version: 0, t: request.t, key: request.key };
        Some(text.filled(message(&log.text)))
    }
}

/// The index of a cell, chosen by how many requests it has, of which only these shares count.
pub(super) fn likeliest(place: &ServiceInRegion, counted: &[f64], key: u64) -> Option<usize> {
    let weights = || place.breakdown.cells.iter().zip(counted).map(|(cell, counted)| cell.share * counted);
    let all: f64 = weights().sum();
    let mut left = unit(mix(key, 2)) * all;
    let found = weights().position(|weight| {
        left -= weight;
        left < 0.0
    });
    found.filter(|_| all > 0.0)
}

/// Unix seconds in nanoseconds.
pub(super) fn nanos(second: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "saturates, and times are far from the ends")]
    let nanos = (second * 1e9).round() as i64;
    nanos
}
