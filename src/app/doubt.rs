//! Which sources cannot be believed fully now, and how that is said on every screen that uses them.

use std::time::Duration;

use jiff::Timestamp;

use super::due::Topic;
use super::state::State;
use super::theme::Role;
use crate::model::ask::AskKind;
use crate::model::duration;
use crate::model::remote::age;
use crate::model::source::{SourceId, SourceInfo};
use crate::model::world::Watchdog;

/// A source that is behind, failing or silent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// Which.
    pub source: SourceId,
    /// It answers, but something is missing in what it says.
    pub is_partial: bool,
    /// How old what is shown of it is; `None`: nothing is shown of it.
    pub age: Option<Duration>,
    /// Why, as far as it is known.
    pub reason: String,
    /// What the reader can do.
    pub advice: &'static str,
    /// When it is asked again.
    pub next_try: Option<Timestamp>,
}

impl Doubt {
    /// One line, what matters most first, for its end may be cut off: how old, what happens next, why.
    pub fn sentence(&self, now: Timestamp) -> String {
        if self.is_partial {
            return format!("{}: partial answers; {}", self.source, self.reason);
        }
        let shown = self
            .age
            .map_or_else(|| "no data yet".to_owned(), |age| format!("data {} old", duration::short(age)));
        let next = match self.next_try {
            Some(at) if at > now => format!(", next try in {}", duration::short(age(now, at))),
            Some(_) => ", trying now".to_owned(),
            None => String::new(),
        };
        format!("{}: {shown}{next}; {}", self.source, self.reason)
    }
}

/// The doubts about the sources that answer questions of these kinds.
pub fn doubts(state: &State, kinds: &[AskKind], now: Timestamp) -> Vec<Doubt> {
    let used = state.sources.iter().filter(|source| source.answers.iter().any(|kind| kinds.contains(kind)));
    used.filter_map(|source| doubt(state, source, kinds, now)).collect()
}

/// That there is none of something, said only as far as it is known: an empty answer that is old is no health.
pub fn none(state: &State, kinds: &[AskKind], what: &str, now: Timestamp) -> (String, Role) {
    let doubts = doubts(state, kinds, now);
    if doubts.is_empty() {
        (format!("No {what}."), Role::Healthy)
    } else if doubts.iter().all(|doubt| doubt.is_partial) {
        (format!("No {what} in partial answers. See Sources (9) for what is missing."), Role::Stale)
    } else {
        (format!("Last known: no {what}. See Sources (9) for what is wrong."), Role::Stale)
    }
}

/// The dead man's switch of a source of alerts; not known while the source is in doubt.
pub fn watchdog(state: &State, source: &SourceInfo, now: Timestamp) -> Watchdog {
    match state.world.watchdog(&source.id) {
        Watchdog::Present if doubt(state, source, &[AskKind::Alerts], now).is_some() => Watchdog::Unknown,
        watchdog => watchdog,
    }
}

/// The doubt about one source, looking at what it says of these kinds; `None` if all of it is fresh or on its first way.
pub fn doubt(state: &State, source: &SourceInfo, kinds: &[AskKind], now: Timestamp) -> Option<Doubt> {
    let held = state.world.held(&source.id)?;
    let id = &source.id;
    let look = |kind: AskKind| {
        let answer = held.board(kind)?;
        Some((state.polls.freshness(id, &Topic::Of(kind), &answer, now), answer))
    };
    let asked = kinds.iter().filter(|kind| source.answers.contains(kind)).filter_map(|kind| look(*kind));
    let asked: Vec<_> = asked.collect();
    let doubtful: Vec<_> = asked.iter().filter(|(freshness, _)| freshness.is_doubtful()).collect();
    let topics: Vec<Topic> = kinds.iter().copied().map(Topic::Of).collect();
    let silent = state.polls.unanswered(id, &topics, now);
    if doubtful.is_empty() && silent.is_none() {
        let missing = asked.iter().find_map(|(_, answer)| answer.missing().next())?;
        return Some(Doubt {
            source: id.clone(),
            is_partial: true,
            age: None,
            reason: missing.to_string(),
            advice: "What is built on its answers lacks what they lack: look at its own health.",
            next_try: None,
        });
    }
    let traffic = state.polls.traffic(id);
    let error = traffic.trouble().or_else(|| doubtful.iter().find_map(|(_, answer)| answer.trouble));
    let reason = match (error, silent) {
        (Some(error), _) => error.trouble.to_string(),
        (None, Some(waited)) => format!("no answer for {}", duration::short(waited)),
        (None, None) => "newer data did not come".to_owned(),
    };
    Some(Doubt {
        source: id.clone(),
        is_partial: false,
        age: doubtful.iter().filter_map(|(_, answer)| answer.at).min().map(|at| age(at, now)),
        reason,
        advice: error.map_or("It may be overloaded or out of reach; burnwatch goes on trying.", |e| {
            e.trouble.advice()
        }),
        next_try: state.polls.next_try(id),
    })
}

#[cfg(test)]
mod tests;
