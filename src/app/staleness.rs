//! Which sources cannot be believed fully now, and how that is said on every screen that uses them.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::shared::Shared;
use super::theme::Role;
use crate::model::ask::{AskKind, Topic};
use crate::model::duration;
use crate::model::remote::{AnswerState, age};
use crate::model::source::SourceId;
use crate::model::source_info::SourceInfo;
use crate::model::world::Watchdog;

/// A source that is behind, failing or silent, as a whole or in one of its answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaleSource {
    /// Which.
    pub source: SourceId,
    /// Which of its answers; `None`: all of them.
    pub what: Option<AskKind>,
    /// The others that are in doubt, too.
    pub also: Vec<AskKind>,
    /// It answers, but something is missing in what it says.
    pub is_partial: bool,
    /// How old what is shown of it is; `None`: nothing is shown of it.
    pub age: Option<Duration>,
    /// The comment: why, as far as it is known.
    pub reason: String,
    /// What the reader can do.
    pub advice: &'static str,
    /// When it is asked again.
    pub next_try: Option<Timestamp>,
}

impl StaleSource {
    /// One line, what matters most first, for its end may be cut off: how old, what happens next, why.
    pub fn sentence(&self, now: Timestamp) -> String {
        if self.is_partial {
            return format!("{}: partial answers; {}", self.source, self.cause());
        }
        let what = self.what.map_or("data", AskKind::word);
        let shown = self
            .age
            .map_or_else(|| format!("no {what} yet"), |age| format!("{what} {} old", duration::short(age)));
        let next = match self.next_try {
            Some(at) if at > now => format!(", next try in {}", duration::short(age(now, at))),
            Some(_) => ", trying now".to_owned(),
            None => String::new(),
        };
        format!("{}: {shown}{next}; {}", self.source, self.cause())
    }

    /// The comment: why, and what else is not as it should be.
    fn cause(&self) -> String {
        let also: Vec<&str> = self.also.iter().map(|kind| kind.word()).collect();
        let also = if also.is_empty() { String::new() } else { format!("; also {}", also.join(", ")) };
        format!("{}{also}", self.reason)
    }

    /// In a few words, where the source stands beside: which answers, and why.
    pub fn summary(&self) -> String {
        match (self.is_partial, self.what) {
            (true, _) => format!("partial: {}", self.reason),
            (false, Some(kind)) => format!("{}: {}", kind.word(), self.cause()),
            (false, None) => self.reason.clone(),
        }
    }
}

/// The doubts about the sources that answer questions of these kinds.
pub fn doubts(shared: &Shared, kinds: &[AskKind], now: Timestamp) -> Vec<StaleSource> {
    let used = shared.sources.iter().filter(|source| source.answers.iter().any(|kind| kinds.contains(kind)));
    used.filter_map(|source| doubt(shared, source, kinds, now)).collect()
}

/// The sources that are in doubt.
pub fn doubtful(shared: &Shared, kinds: &[AskKind], now: Timestamp) -> BTreeSet<SourceId> {
    doubts(shared, kinds, now).into_iter().map(|doubt| doubt.source).collect()
}

/// That there is none of something, said only as far as it is known: an empty answer that is old is no health.
pub fn none(shared: &Shared, kinds: &[AskKind], what: &str, now: Timestamp) -> (String, Role) {
    let doubts = doubts(shared, kinds, now);
    if doubts.is_empty() {
        (format!("No {what}."), Role::Healthy)
    } else if doubts.iter().all(|doubt| doubt.is_partial) {
        (format!("No {what} in partial answers. See Sources (9) for what is missing."), Role::Stale)
    } else {
        (format!("Last known: no {what}. See Sources (9) for what is wrong."), Role::Stale)
    }
}

/// The dead man's switch of a source of alerts; not known while the source is in doubt.
pub fn watchdog(shared: &Shared, source: &SourceInfo, now: Timestamp) -> Watchdog {
    match shared.world.watchdog(&source.id) {
        Watchdog::Present if doubt(shared, source, &[AskKind::Alerts], now).is_some() => Watchdog::Unknown,
        watchdog @ (Watchdog::Present | Watchdog::Absent | Watchdog::Unknown) => watchdog,
    }
}

/// One answer that the present screen asks for.
struct ShownAnswer<'a> {
    topic: &'a Topic,
    answer: AnswerState<'a>,
    is_doubtful: bool,
    /// For how long it has been waiting in vain.
    late: Option<Duration>,
}

/// The doubt about one source, looking at what it says of these kinds; `None` if all of it is fresh or on its first way.
///
/// What the whole source is in trouble with is said of the whole; else the oldest of the answers that are in doubt is named.
pub fn doubt(shared: &Shared, source: &SourceInfo, kinds: &[AskKind], now: Timestamp) -> Option<StaleSource> {
    let id = &source.id;
    let cache = shared.world.cache(id)?;
    let trouble = shared.scheduler.traffic(id).trouble().cloned();
    let looks: Vec<ShownAnswer<'_>> = shared
        .scheduler
        .wanted(id, now)
        .filter(|(topic, ..)| kinds.contains(&topic.kind()))
        .filter_map(|(topic, moment, late)| {
            let answer = cache.at(moment).state(topic)?;
            let freshness = shared.scheduler.freshness(id, topic, &answer, now);
            Some(ShownAnswer { topic, answer, is_doubtful: freshness.is_doubtful() || late.is_some(), late })
        })
        .collect();
    let mut doubtful: Vec<&ShownAnswer<'_>> = looks.iter().filter(|look| look.is_doubtful).collect();
    if doubtful.is_empty() && trouble.is_none() {
        return partial(id, &looks);
    }
    let is_silent = shared.scheduler.unanswered(id, &[], now);
    let is_whole =
        trouble.is_some() || is_silent.is_some() || doubtful.len() == looks.len() && looks.len() > 1;
    // what never came is worst, then what is oldest; the order of kinds is that of their weight
    doubtful.sort_by_key(|look| (look.answer.at, look.topic.kind()));
    let worst = doubtful.first();
    let error = trouble.as_ref().or_else(|| {
        let own = worst.and_then(|look| look.answer.trouble);
        own.or_else(|| doubtful.iter().filter(|_| is_whole).find_map(|look| look.answer.trouble))
    });
    let late = is_silent.filter(|_| is_whole).or_else(|| worst.and_then(|look| look.late));
    let reason = match (error, late) {
        (Some(error), _) => error.trouble.to_string(),
        (None, Some(waited)) => format!("no answer for {}", duration::short(waited)),
        (None, None) => "no newer data".to_owned(),
    };
    let mut also: Vec<AskKind> = Vec::new();
    for look in doubtful.iter().skip(1).filter(|_| !is_whole) {
        let kind = look.topic.kind();
        if !also.contains(&kind) && worst.is_none_or(|worst| worst.topic.kind() != kind) {
            also.push(kind);
        }
    }
    let is_meant = |topic: &Topic| {
        if is_whole { kinds.contains(&topic.kind()) } else { worst.is_some_and(|worst| worst.topic == topic) }
    };
    let oldest = doubtful.iter().filter_map(|look| look.answer.at).min();
    let at = if is_whole { oldest } else { worst.and_then(|look| look.answer.at) };
    Some(StaleSource {
        source: id.clone(),
        what: worst.filter(|_| !is_whole).map(|look| look.topic.kind()),
        also,
        is_partial: false,
        age: at.map(|at| age(at, now)),
        reason,
        advice: error
            .map_or("It may be overloaded or unreachable; burnwatch keeps trying.", |e| e.trouble.advice()),
        next_try: shared.scheduler.next_try(id, is_meant, now),
    })
}

/// That all answers are there, and something is missing in one of them.
fn partial(id: &SourceId, looks: &[ShownAnswer<'_>]) -> Option<StaleSource> {
    let (kind, missing) =
        looks.iter().find_map(|look| Some((look.topic.kind(), look.answer.missing().next()?)))?;
    Some(StaleSource {
        source: id.clone(),
        what: Some(kind),
        also: Vec::new(),
        is_partial: true,
        age: None,
        reason: missing.to_string(),
        advice: "What is built on its answers is incomplete: check the server's health.",
        next_try: None,
    })
}

#[cfg(test)]
mod tests;
