//! What to ask next: on screen or vital, no longer fresh, not in flight, and the source not on hold.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::event::{Arrival, Effect};
use crate::model::ask::{Ask, AskKind, Moment, Question, Topic};
use crate::model::remote::{AnswerState, Freshness, age};
use crate::model::source::{ErrorKind, SourceError, SourceId};

/// Longest time between two questions about the same thing, however costly.
const MAX_INTERVAL: Duration = Duration::from_secs(60);
/// The most that a source can make us wait; what is due later is so by a clock that was set wrong.
const MAX_WAIT: SignedDuration = SignedDuration::from_mins(10);
/// A clock that goes back by more than this was set.
const CLOCK_SET_BACK: SignedDuration = SignedDuration::from_secs(2);
/// How long a question may go without an answer before it counts as not answered.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(8);
/// The least of that: a slow line is not a source that hangs.
const MIN_ANSWER_TIMEOUT: Duration = Duration::from_secs(4);
/// What hangs is named this soon after its last answer, if it is asked often enough for that; a second is left for the tick.
const REPORTED_WITHIN: Duration = Duration::from_secs(14);
/// Bytes a second that polling one thing may cost: inflated, of which a compressing server sends a fourth to a tenth.
const BYTES_PER_SECOND: u64 = 1024 * 1024;
/// Share of its time that a source may spend on answering one thing: one part in this many.
const TIME_SHARE: u32 = 20;

/// What is known about asking for one thing.
#[derive(Debug, Clone)]
struct PollState {
    in_flight: Option<Question>,
    /// Whether it is to be asked again as soon as the answer that is on its way has come.
    again: bool,
    /// Whether the last answer was none.
    failed: bool,
    /// Whether the present screen asks for it.
    is_wanted: bool,
    /// The moment that was asked about last.
    at: Moment,
    asked_at: Timestamp,
    due_at: Timestamp,
    /// As long as answers are cheap.
    base: Duration,
    /// With what the last answer cost.
    interval: Duration,
}

impl PollState {
    /// For how long it has been waiting, if for longer than anybody should.
    fn late(&self, now: Timestamp) -> Option<Duration> {
        self.in_flight.as_ref()?;
        Some(age(self.asked_at, now)).filter(|waited| *waited > answer_timeout(self.base, self.interval))
    }

    fn next_try(&self, now: Timestamp) -> Timestamp {
        if self.in_flight.is_some() { now } else { self.due_at }
    }
}

/// How long a question may go without an answer that is asked every `base`, and that its cost makes go out every `interval`:
/// so that it is named in time after its last answer, where that can be, and a slow but steady source is not.
fn answer_timeout(base: Duration, interval: Duration) -> Duration {
    let left = REPORTED_WITHIN.saturating_sub(base);
    if left < MIN_ANSWER_TIMEOUT || interval > base { ANSWER_TIMEOUT } else { left.min(ANSWER_TIMEOUT) }
}

/// What a source has cost so far, and how it is doing.
#[derive(Debug, Clone, Default)]
pub struct SourceTraffic {
    /// Requests made.
    pub requests: u64,
    /// Bytes received.
    pub bytes_in: u64,
    /// How long the last probe took.
    pub round_trip: Option<Duration>,
    /// When the first question went out.
    pub since: Option<Timestamp>,
    hold: Option<SourceError>,
}

impl SourceTraffic {
    /// The trouble with the source as a whole, if there is any.
    pub fn trouble(&self) -> Option<&SourceError> {
        self.hold.as_ref()
    }
}

/// All questions: when they were asked, when they are due again.
#[derive(Debug, Default)]
pub struct Scheduler {
    all: BTreeMap<(SourceId, Topic), PollState>,
    traffic: BTreeMap<SourceId, SourceTraffic>,
    last_look: Option<Timestamp>,
}

/// A thing that a screen wants to know from a source, and how old it may get.
#[derive(Debug, Clone)]
pub struct Want {
    /// From whom.
    pub source: SourceId,
    pub ask: Ask,
    /// The digest of what is known already.
    pub known: Option<u64>,
    /// How often, as long as answers are cheap.
    pub interval: Duration,
}

impl Scheduler {
    /// The questions that are due among what is wanted; they count as asked from now on. What is in flight for a screen that
    /// was left is given up.
    pub fn due(&mut self, wants: Vec<Want>, epoch: u64, now: Timestamp) -> Vec<Effect> {
        if self.last_look.is_some_and(|last| last.duration_since(now) > CLOCK_SET_BACK) {
            self.refresh(now);
        }
        self.last_look = Some(now);
        let mut effects = self.cancelled_queries(&wants);
        for want in wants {
            let topic = want.ask.topic();
            let on_hold = self.traffic.get(&want.source).is_some_and(|traffic| traffic.hold.is_some());
            // while a source is in trouble one cheap question finds out whether it is back
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
            // the last answer's cost stands until the next one, so that a slow but steady source does not look stale
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

    fn cancelled_queries(&mut self, wants: &[Want]) -> Vec<Effect> {
        let wanted = |source: &SourceId, topic: &Topic| {
            wants.iter().any(|want| want.source == *source && want.ask.topic() == *topic)
        };
        let mut effects = Vec::new();
        self.all.retain(|(source, topic), poll| {
            poll.is_wanted = wanted(source, topic);
            // what is about one thing is of use only while its screen is open
            let keep = poll.is_wanted || !topic.kind().has_key();
            if !keep && let Some(question) = poll.in_flight.take() {
                effects.push(Effect::CancelFetch(question));
            }
            keep
        });
        effects
    }

    /// Notes that an answer came, and says what else is not waited for any more because of it; `None` if nobody waits for this
    /// one: it was given up, came twice, or a newer one came before it.
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
                    // a long way there and back is no work for the source
                    let work = arrival.took.saturating_sub(traffic.round_trip.unwrap_or_default());
                    poll.interval = interval_after_cost(poll.base, work, reply.bytes_in);
                }
                poll.asked_at.checked_add(poll.interval).ok()
            }
            Err(error) => {
                traffic.requests += 1;
                // one heavy question that takes too long says nothing about the others
                let is_heavy = matches!(error.trouble, ErrorKind::TimedOut { .. }) && !is_probe;
                if error.trouble.is_source_wide() && !is_heavy {
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
            // what the others say is out of date, or is to be had again
            let mine = self
                .all
                .iter_mut()
                .filter(|((id, topic), _)| *id == question.source && *topic != Topic::Probe);
            for (_, poll) in mine {
                poll.due_at = poll.due_at.min(now);
                if arrival.answered.is_ok() && poll.asked_at < asked_at {
                    // put while the way was broken: it may wait for an answer that never comes
                    cancelled_queries.extend(poll.in_flight.take().map(Effect::CancelFetch));
                }
            }
        }
        Some(cancelled_queries)
    }

    /// Makes everything due now, also what waits for a source in trouble.
    pub fn refresh(&mut self, now: Timestamp) {
        for poll in self.all.values_mut() {
            poll.due_at = now;
            poll.asked_at = poll.asked_at.min(now);
        }
    }

    /// Makes some things due now at every source; answers that are still on their way are not waited for any more.
    pub fn query_now(&mut self, is_meant: impl Fn(&Topic) -> bool, now: Timestamp) {
        for ((_, topic), poll) in &mut self.all {
            if is_meant(topic) {
                (poll.due_at, poll.in_flight) = (now, None);
            }
        }
    }

    /// Has some things asked again of one source: now, or as soon as the answer that is on its way has come, since that one
    /// may tell of a moment that is past.
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

    /// What a source has cost and how it is doing.
    pub fn traffic(&self, source: &SourceId) -> SourceTraffic {
        self.traffic.get(source).cloned().unwrap_or_default()
    }

    /// Whether a question about this is on its way to the source.
    pub fn is_waiting(&self, source: &SourceId, topic: &Topic) -> bool {
        self.all.get(&(source.clone(), topic.clone())).is_some_and(|poll| poll.in_flight.is_some())
    }

    /// For how long a question about one of these things, or whether it is well, has been waiting for this source, if for
    /// longer than anybody should.
    pub fn unanswered(&self, source: &SourceId, topics: &[Topic], now: Timestamp) -> Option<Duration> {
        let waiting = self
            .all
            .iter()
            .filter(|((id, topic), _)| id == source && (*topic == Topic::Probe || topics.contains(topic)));
        waiting.filter_map(|(_, poll)| poll.late(now)).max()
    }

    /// What the present screen asks this source, of which moment, and how long it has been waiting, if for longer than anybody
    /// should.
    pub fn wanted(
        &self,
        source: &SourceId,
        now: Timestamp,
    ) -> impl Iterator<Item = (&Topic, Moment, Option<Duration>)> {
        let mine = self.all.iter().filter(move |((id, _), poll)| id == source && poll.is_wanted);
        mine.map(move |((_, topic), poll)| (topic, poll.at, poll.late(now)))
    }

    /// When this source is asked about one of these things again; while it is in trouble, whether it is back.
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

    /// How far to believe what a source said: never fresh while the source as a whole is in trouble or does not answer.
    pub fn freshness(
        &self,
        source: &SourceId,
        topic: &Topic,
        answer: &AnswerState<'_>,
        now: Timestamp,
    ) -> Freshness {
        let interval =
            self.all.get(&(source.clone(), topic.clone())).map_or(MAX_INTERVAL, |poll| poll.interval);
        let in_doubt = self.traffic.get(source).is_some_and(|t| t.hold.is_some())
            || self.unanswered(source, std::slice::from_ref(topic), now).is_some();
        let freshness = answer.freshness(now, 2 * interval);
        let is_held = self.traffic.get(source).is_some_and(|t| t.hold.is_some());
        match freshness {
            Freshness::Fresh if in_doubt => {
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

/// How long to wait before asking again: longer where the answer took long or was large, by steps so that the screen's idea
/// of freshness does not flicker.
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
