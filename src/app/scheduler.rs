//! Decides which queries to send: those that a screen needs, that are due, not in flight, and whose source is not failing.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::event::{Arrival, Effect};
use crate::model::ask::{Ask, AskKind, Moment, Question, Topic};
use crate::model::remote::{AnswerState, Freshness, age};
use crate::model::source::{ErrorKind, SourceError, SourceId};

/// Longest interval between two queries for the same topic, however expensive the answers are.
const MAX_INTERVAL: Duration = Duration::from_secs(60);
/// Longest delay that a source may request. A later due time is the result of a clock change.
const MAX_WAIT: SignedDuration = SignedDuration::from_mins(10);
/// If the clock goes back by more than this, it was set.
const CLOCK_SET_BACK: SignedDuration = SignedDuration::from_secs(2);
/// How long a query may be unanswered before the source counts as not answering.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(8);
/// The minimum of that time: a slow connection is no hanging source.
const MIN_ANSWER_TIMEOUT: Duration = Duration::from_secs(4);
/// A hanging source is reported at most this long after its last answer, if it is queried often enough; one second is reserved
/// for the tick.
const REPORTED_WITHIN: Duration = Duration::from_secs(14);
/// Average bytes per second that polling one topic may cost, after decompression; compressed it is a fourth to a tenth.
const BYTES_PER_SECOND: u64 = 1024 * 1024;
/// A source may spend 1/20 of its time on answering one topic.
const TIME_SHARE: u32 = 20;

/// The state of polling one topic of one source.
#[derive(Debug, Clone)]
struct PollState {
    in_flight: Option<Question>,
    /// Whether to send the query again as soon as the pending answer has arrived.
    again: bool,
    /// Whether the last answer was an error.
    failed: bool,
    /// Whether the current screen needs this topic.
    is_wanted: bool,
    at: Moment,
    asked_at: Timestamp,
    due_at: Timestamp,
    /// The interval while answers are cheap.
    base: Duration,
    /// The interval after the cost of the last answer.
    interval: Duration,
}

impl PollState {
    /// How long the query has been unanswered, if longer than [`answer_timeout`] allows.
    fn late(&self, now: Timestamp) -> Option<Duration> {
        self.in_flight.as_ref()?;
        Some(age(self.asked_at, now)).filter(|waited| *waited > answer_timeout(self.base, self.interval))
    }

    /// When the query is sent next; now, if it is in flight.
    fn next_try(&self, now: Timestamp) -> Timestamp {
        if self.in_flight.is_some() { now } else { self.due_at }
    }
}

/// How long a query may be unanswered. `base` is its interval, `interval` the one after cost. Short enough to report a hanging
/// source within [`REPORTED_WITHIN`] of its last answer if possible, but not for a source that is slow and steady.
fn answer_timeout(base: Duration, interval: Duration) -> Duration {
    let left = REPORTED_WITHIN.saturating_sub(base);
    if left < MIN_ANSWER_TIMEOUT || interval > base { ANSWER_TIMEOUT } else { left.min(ANSWER_TIMEOUT) }
}

#[derive(Debug, Clone, Default)]
pub struct SourceTraffic {
    pub requests: u64,
    pub bytes_in: u64,
    /// The duration of the last probe.
    pub round_trip: Option<Duration>,
    /// When the first query was sent.
    pub since: Option<Timestamp>,
    hold: Option<SourceError>,
}

impl SourceTraffic {
    /// The error that affects the whole source, if there is one.
    pub fn failure(&self) -> Option<&SourceError> {
        self.hold.as_ref()
    }
}

/// The polling state of all queries.
#[derive(Debug, Default)]
pub struct Scheduler {
    all: BTreeMap<(SourceId, Topic), PollState>,
    traffic: BTreeMap<SourceId, SourceTraffic>,
    last_look: Option<Timestamp>,
}

/// A query that a screen needs, with its interval.
#[derive(Debug, Clone)]
pub struct Want {
    pub source: SourceId,
    pub ask: Ask,
    /// The digest of the cached answer, so that the source can reply "unchanged".
    pub known: Option<u64>,
    /// The interval while answers are cheap.
    pub interval: Duration,
}

impl Scheduler {
    /// Sends those of the wanted queries that are due, and cancels queries in flight that no screen needs any more.
    pub fn due(&mut self, wants: Vec<Want>, epoch: u64, now: Timestamp) -> Vec<Effect> {
        if self.last_look.is_some_and(|last| last.duration_since(now) > CLOCK_SET_BACK) {
            self.refresh(now);
        }
        self.last_look = Some(now);
        let mut effects = self.cancelled_queries(&wants);
        for want in wants {
            let topic = want.ask.topic();
            let on_hold = self.traffic.get(&want.source).is_some_and(|traffic| traffic.hold.is_some());
            // while a source is failing, only the cheap probe is sent, to find out whether the source has recovered
            if on_hold && topic != Topic::Probe {
                continue;
            }
            let key = (want.source.clone(), topic);
            let before = self.all.get_mut(&key);
            let of_another_moment = before.filter(|poll| poll.at != want.ask.at);
            if let Some(poll) = of_another_moment {
                effects.extend(poll.in_flight.take().map(Effect::CancelFetch));
                poll.due_at = now;
            }
            if self.all.get(&key).is_some_and(|poll| poll.in_flight.is_some() || poll.due_at > now) {
                continue;
            }
            let at = want.ask.at;
            let question =
                Question { context: epoch, source: want.source.clone(), ask: want.ask, known: want.known };
            self.traffic.entry(want.source).or_default().since.get_or_insert(now);
            // the last answer's cost counts until the next one, so that a slow but steady source does not look stale
            let before = self.all.get(&key);
            let interval = before.map_or(want.interval, |poll| poll.interval.max(want.interval));
            let failed = before.is_some_and(|poll| poll.failed);
            let in_flight = Some(question.clone());
            let poll = PollState {
                in_flight,
                again: false,
                failed,
                is_wanted: true,
                at,
                asked_at: now,
                due_at: now,
                base: want.interval,
                interval,
            };
            self.all.insert(key, poll);
            effects.push(Effect::Fetch(question));
        }
        effects
    }

    /// Cancels the queries about one subject that no screen needs any more.
    fn cancelled_queries(&mut self, wants: &[Want]) -> Vec<Effect> {
        let wanted = |source: &SourceId, topic: &Topic| {
            wants.iter().any(|want| want.source == *source && want.ask.topic() == *topic)
        };
        let mut effects = Vec::new();
        self.all.retain(|(source, topic), poll| {
            poll.is_wanted = wanted(source, topic);
            // details of one subject are used only while its screen is open
            let keep = poll.is_wanted || !topic.kind().has_key();
            if !keep && let Some(question) = poll.in_flight.take() {
                effects.push(Effect::CancelFetch(question));
            }
            keep
        });
        effects
    }

    /// Records an answer. Returns the queries to cancel because of it;
    /// `None` if the answer is not expected: it was cancelled, is a duplicate, or a newer query was sent.
    pub fn arrived(&mut self, arrival: &Arrival, now: Timestamp) -> Option<Vec<Effect>> {
        let question = &arrival.question;
        let key = (question.source.clone(), question.ask.topic());
        let poll = self.all.get_mut(&key).filter(|poll| poll.in_flight.as_ref() == Some(question))?;
        poll.in_flight = None;
        let is_probe = question.ask.kind() == AskKind::Probe;
        let traffic = self.traffic.entry(question.source.clone()).or_default();
        let was_well = !std::mem::replace(&mut poll.failed, arrival.answered.is_err());
        let turned = is_probe && was_well == arrival.answered.is_err();
        let asked_at = poll.asked_at;
        let wait = match &arrival.answered {
            Ok(reply) => {
                traffic.requests += u64::from(reply.requests);
                traffic.bytes_in += reply.bytes_in;
                traffic.hold = None;
                if is_probe {
                    traffic.round_trip = Some(arrival.took);
                } else {
                    // the network round trip is no work for the source
                    let work = arrival.took.saturating_sub(traffic.round_trip.unwrap_or_default());
                    poll.interval = interval_after_cost(poll.base, work, reply.bytes_in);
                }
                poll.asked_at.checked_add(poll.interval).ok()
            }
            Err(error) => {
                traffic.requests += 1;
                // a time-out of one expensive query does not affect the other queries
                let is_heavy = matches!(error.kind, ErrorKind::TimedOut { .. }) && !is_probe;
                if error.kind.is_source_wide() && !is_heavy {
                    traffic.hold = Some(error.clone());
                }
                error.next_try
            }
        };
        let latest = now.checked_add(MAX_WAIT).unwrap_or(now);
        let due_at = wait.or_else(|| now.checked_add(poll.interval).ok());
        poll.due_at = if std::mem::take(&mut poll.again) { now } else { due_at.unwrap_or(now).min(latest) };
        let mut cancelled_queries = Vec::new();
        if turned {
            // the cached answers are out of date, or can be queried again
            let mine = self
                .all
                .iter_mut()
                .filter(|((id, topic), _)| *id == question.source && *topic != Topic::Probe);
            for (_, poll) in mine {
                poll.due_at = poll.due_at.min(now);
                if arrival.answered.is_ok() && poll.asked_at < asked_at {
                    // sent while the connection was broken: an answer may never come
                    cancelled_queries.extend(poll.in_flight.take().map(Effect::CancelFetch));
                }
            }
        }
        Some(cancelled_queries)
    }

    /// Makes all queries due now, also those of failing sources.
    pub fn refresh(&mut self, now: Timestamp) {
        for poll in self.all.values_mut() {
            poll.due_at = now;
            poll.asked_at = poll.asked_at.min(now);
        }
    }

    /// Makes some topics due now at every source; answers in flight are ignored.
    pub fn query_now(&mut self, is_meant: impl Fn(&Topic) -> bool, now: Timestamp) {
        for ((_, topic), poll) in &mut self.all {
            if is_meant(topic) {
                (poll.due_at, poll.in_flight) = (now, None);
            }
        }
    }

    /// Sends the queries of some topics of one source again: now, or after the answer in flight, which may be outdated.
    pub fn requery(&mut self, source: &SourceId, is_meant: impl Fn(&Topic) -> bool, now: Timestamp) {
        let its = self.all.iter_mut().filter(|((id, topic), _)| id == source && is_meant(topic));
        for (_, poll) in its {
            if poll.in_flight.is_some() {
                poll.again = true;
            } else {
                poll.due_at = poll.due_at.min(now);
            }
        }
    }

    pub fn traffic(&self, source: &SourceId) -> SourceTraffic {
        self.traffic.get(source).cloned().unwrap_or_default()
    }

    pub fn is_waiting(&self, source: &SourceId, topic: &Topic) -> bool {
        self.all.get(&(source.clone(), topic.clone())).is_some_and(|poll| poll.in_flight.is_some())
    }

    /// How long a probe or a query for one of these topics has been unanswered, if longer than [`answer_timeout`] allows.
    pub fn unanswered(&self, source: &SourceId, topics: &[Topic], now: Timestamp) -> Option<Duration> {
        let waiting = self
            .all
            .iter()
            .filter(|((id, topic), _)| id == source && (*topic == Topic::Probe || topics.contains(topic)));
        waiting.filter_map(|(_, poll)| poll.late(now)).max()
    }

    /// The topics that the current screen needs from a source, each with its moment. The duration is how long the query has been
    /// unanswered, if longer than [`answer_timeout`] allows.
    pub fn wanted(
        &self,
        source: &SourceId,
        now: Timestamp,
    ) -> impl Iterator<Item = (&Topic, Moment, Option<Duration>)> {
        let mine = self.all.iter().filter(move |((id, _), poll)| id == source && poll.is_wanted);
        mine.map(move |((_, topic), poll)| (topic, poll.at, poll.late(now)))
    }

    /// When a query for one of these topics is sent next; for a failing source, when the next probe is sent.
    pub fn next_try(
        &self,
        source: &SourceId,
        is_meant: impl Fn(&Topic) -> bool,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let on_hold = self.traffic.get(source).is_some_and(|traffic| traffic.hold.is_some());
        let mine = self.all.iter().filter(|((id, topic), _)| {
            id == source && if on_hold { *topic == Topic::Probe } else { is_meant(topic) }
        });
        mine.map(|(_, poll)| poll.next_try(now)).min()
    }

    /// The freshness of an answer: never fresh while the source is failing or does not answer.
    pub fn freshness(
        &self,
        source: &SourceId,
        topic: &Topic,
        answer: &AnswerState,
        now: Timestamp,
    ) -> Freshness {
        let interval =
            self.all.get(&(source.clone(), topic.clone())).map_or(MAX_INTERVAL, |poll| poll.interval);
        let is_stale = self.traffic.get(source).is_some_and(|t| t.hold.is_some())
            || self.unanswered(source, std::slice::from_ref(topic), now).is_some();
        let freshness = answer.freshness(now, 2 * interval);
        let is_held = self.traffic.get(source).is_some_and(|t| t.hold.is_some());
        match freshness {
            Freshness::Fresh if is_stale => {
                Freshness::Stale(answer.at.map(|at| age(at, now)).unwrap_or_default())
            }
            Freshness::Loading | Freshness::NotAsked if is_held => Freshness::Failed,
            Freshness::Fresh
            | Freshness::Loading
            | Freshness::NotAsked
            | Freshness::Stale(_)
            | Freshness::Failed => freshness,
        }
    }
}

/// The interval after the cost of an answer: longer if the answer took long or was large, in steps of 5 s, so that freshness does
/// not flicker.
fn interval_after_cost(interval: Duration, took: Duration, bytes_in: u64) -> Duration {
    let for_time = took * TIME_SHARE;
    let for_bytes = Duration::from_secs(bytes_in / BYTES_PER_SECOND);
    let cost = for_time.max(for_bytes);
    if cost <= interval {
        interval
    } else {
        Duration::from_secs(cost.as_secs().next_multiple_of(5)).min(MAX_INTERVAL.max(interval))
    }
}

#[cfg(test)]
mod tests;
