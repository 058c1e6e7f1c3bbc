//! Which sources have stale or incomplete data, and the text that every screen using them shows about that.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::selection::once;
use super::shared::Shared;
use super::theme::Role;
use crate::model::ask::{AskKind, Topic};
use crate::model::duration;
use crate::model::remote::{AnswerState, age};
use crate::model::source::SourceId;
use crate::model::source_info::SourceInfo;
use crate::model::world::Watchdog;

/// A source whose data are stale, failed, missing or incomplete, as a whole or for one kind of answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaleSource {
    pub source: SourceId,
    /// The kind of answer concerned; `None`: the whole source.
    pub what: Option<AskKind>,
    /// Further kinds of answers that are stale.
    pub also: Vec<AskKind>,
    /// Whether the source answers, but with incomplete data.
    pub is_partial: bool,
    /// The age of the shown data; `None`: no data are shown.
    pub age: Option<Duration>,
    /// The reason, as far as it is known.
    pub reason: String,
    /// What the user can do.
    pub advice: &'static str,
    /// When the next query is sent.
    pub next_try: Option<Timestamp>,
}

impl StaleSource {
    /// One line: age, next retry, reason. The important parts come first, because the end may be cut off.
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

    /// The reason, and the other kinds of answers concerned.
    fn cause(&self) -> String {
        let also: Vec<&str> = self.also.iter().map(|kind| kind.word()).collect();
        let also = if also.is_empty() { String::new() } else { format!("; also {}", also.join(", ")) };
        format!("{}{also}", self.reason)
    }

    /// A short text for a place that names the source already: the kind of answer and the reason.
    pub fn summary(&self) -> String {
        match (self.is_partial, self.what) {
            (true, _) => format!("partial: {}", self.reason),
            (false, Some(kind)) => format!("{}: {}", kind.word(), self.cause()),
            (false, None) => self.reason.clone(),
        }
    }
}

/// The stale sources among those that answer queries of these kinds.
pub fn stale_sources(shared: &Shared, kinds: &[AskKind], now: Timestamp) -> Vec<StaleSource> {
    let used = shared.sources.iter().filter(|source| source.answers.iter().any(|kind| kinds.contains(kind)));
    used.filter_map(|source| doubt(shared, source, kinds, now)).collect()
}

pub fn doubtful(shared: &Shared, kinds: &[AskKind], now: Timestamp) -> BTreeSet<SourceId> {
    stale_sources(shared, kinds, now).into_iter().map(|doubt| doubt.source).collect()
}

/// The message "No {what}.", in the role for healthy only if the data are fresh and complete. `what` is a plural noun.
pub fn none(shared: &Shared, kinds: &[AskKind], what: &str, now: Timestamp) -> (String, Role) {
    let stale_sources = stale_sources(shared, kinds, now);
    if stale_sources.is_empty() {
        (format!("No {what}."), Role::Healthy)
    } else if stale_sources.iter().all(|doubt| doubt.is_partial) {
        (format!("No {what} in partial answers. See Sources (9) for what is missing."), Role::Stale)
    } else {
        (format!("Last known: no {what}. See Sources (9) for the errors."), Role::Stale)
    }
}

/// The dead man's switch alert of an alert source; unknown while the source is stale.
pub fn watchdog(shared: &Shared, source: &SourceInfo, now: Timestamp) -> Watchdog {
    match shared.world.watchdog(&source.id) {
        Watchdog::Present if doubt(shared, source, &[AskKind::Alerts], now).is_some() => Watchdog::Unknown,
        watchdog @ (Watchdog::Present | Watchdog::Absent | Watchdog::Unknown) => watchdog,
    }
}

/// An answer that the current screen uses.
struct ShownAnswer<'a> {
    topic: &'a Topic,
    answer: &'a AnswerState,
    is_doubtful: bool,
    /// How long it has been waited for, if too long.
    late: Option<Duration>,
}

/// Why a source's answers of these kinds are stale; `None` if all are fresh or loading for the first time.
///
/// An error of the whole source is reported for the whole source; else the oldest stale answer is named.
pub fn doubt(shared: &Shared, source: &SourceInfo, kinds: &[AskKind], now: Timestamp) -> Option<StaleSource> {
    let id = &source.id;
    let cache = shared.world.cache(id)?;
    let failure = shared.scheduler.traffic(id).failure().cloned();
    let wanted = shared
        .scheduler
        .wanted(id, now)
        .filter(|(topic, ..)| kinds.contains(&topic.kind()) && !topic.kind().is_of_user());
    let looks = wanted.filter_map(|(topic, moment, late)| {
        let answer = cache.at(moment).state(topic)?;
        let freshness = shared.scheduler.freshness(id, topic, answer, now);
        Some(ShownAnswer { topic, answer, is_doubtful: freshness.is_doubtful() || late.is_some(), late })
    });
    let looks: Vec<ShownAnswer<'_>> = looks.collect();
    let mut doubtful: Vec<&ShownAnswer<'_>> = looks.iter().filter(|look| look.is_doubtful).collect();
    if doubtful.is_empty() && failure.is_none() {
        return partial(id, &looks);
    }
    let is_silent = shared.scheduler.unanswered(id, &[], now);
    let is_whole =
        failure.is_some() || is_silent.is_some() || doubtful.len() == looks.len() && looks.len() > 1;
    // answers that never came are the worst, then the oldest; kinds are ordered by importance
    doubtful.sort_by_key(|look| (look.answer.at, look.topic.kind()));
    let worst = doubtful.first();
    let error = failure.as_ref().or_else(|| {
        let own = worst.and_then(|look| look.answer.failure());
        own.or_else(|| doubtful.iter().filter(|_| is_whole).find_map(|look| look.answer.failure()))
    });
    let late = is_silent.filter(|_| is_whole).or_else(|| worst.and_then(|look| look.late));
    let reason = match (error, late) {
        (Some(error), _) => error.kind.to_string(),
        (None, Some(waited)) => format!("no answer for {}", duration::short(waited)),
        (None, None) => "no newer data".to_owned(),
    };
    let stale_kinds = once(doubtful.iter().map(|look| look.topic.kind()));
    let is_meant = |topic: &Topic| {
        if is_whole { kinds.contains(&topic.kind()) } else { worst.is_some_and(|worst| worst.topic == topic) }
    };
    let oldest = doubtful.iter().filter_map(|look| look.answer.at).min();
    let at = if is_whole { oldest } else { worst.and_then(|look| look.answer.at) };
    Some(StaleSource {
        source: id.clone(),
        what: worst.filter(|_| !is_whole).map(|look| look.topic.kind()),
        also: stale_kinds.into_iter().skip(1).filter(|_| !is_whole).collect(),
        is_partial: false,
        age: at.map(|at| age(at, now)),
        reason,
        advice: error.map_or("The source may be overloaded or unreachable. burnwatch keeps retrying.", |e| {
            e.kind.advice()
        }),
        next_try: shared.scheduler.next_try(id, is_meant, now),
    })
}

/// Reports incomplete data of a source whose answers are all fresh.
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
        advice: "Views that use these data are incomplete. Check the server's health.",
        next_try: None,
    })
}

#[cfg(test)]
mod tests;
