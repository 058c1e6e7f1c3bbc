//! What the screen of logs has of its sources: loaded lines, counts, patterns; and what it wants of them.

use jiff::SignedDuration;

use super::OpenLogs;
use crate::app::log_subject::LogSubject;
use crate::app::prelude::*;
use crate::app::subjects::logs;
use crate::model::log::{LogComparison, LogDemand, LogHistogram, LogLine, LogLines, LogQuery};

/// The range in which lines around a line are looked for.
const AROUND: SignedDuration = SignedDuration::from_hours(1);

/// The time range of the screen; until when is `None` while it is live.
pub(super) fn range(shared: &Shared, subject: &LogSubject, now: Timestamp) -> (Timestamp, Timestamp) {
    if let Some((around, _)) = subject.around {
        let early = around.checked_sub(AROUND).unwrap_or(around);
        return (early, around.checked_add(AROUND).unwrap_or(around).min(now));
    }
    let end = shared.range.end.unwrap_or(now);
    (end.checked_sub(shared.range.length).unwrap_or(Timestamp::MIN), end)
}

impl OpenLogs {
    /// The loaded lines of each source that answers.
    pub(super) fn loaded<'a>(
        &'a self,
        shared: &'a Shared,
    ) -> impl Iterator<Item = (&'a SourceId, &'a Remote<LogLines>)> {
        let query = self.subject.as_ref().map(|subject| &subject.query);
        shared.answering(AskKind::LogLines).filter_map(move |source| {
            let cache = shared.world.cache(&source.id)?;
            Some((&source.id, cache.log_lines().get(query?)?))
        })
    }

    /// Which lines are wanted of a source.
    pub(super) fn demand(
        &self,
        shared: &Shared,
        subject: &LogSubject,
        loaded: Option<&LogLines>,
        now: Timestamp,
    ) -> LogDemand {
        let (from, until) = range(shared, subject, now);
        let has_enough = loaded.is_none_or(|loaded| loaded.lines.len() >= subject.enough);
        let is_live = shared.range.end.is_none() && subject.around.is_none();
        // what came while nothing followed is not loaded by itself
        let wants_newer = is_live && !self.is_follow_off;
        let around = subject.around.map(|(at, _)| at);
        LogDemand { from, until, around, wants_older: self.wants_older || !has_enough, wants_newer }
    }

    /// Starts or stops to follow new lines.
    pub fn set_following(&mut self, is_following: bool) {
        self.is_follow_off = !is_following;
    }

    /// Whether as many lines are loaded as the subject asks for, or all that there are.
    pub fn has_enough(&self, shared: &Shared, now: Timestamp) -> bool {
        let Some(subject) = &self.subject else { return true };
        let (from, _) = range(shared, subject, now);
        self.loaded(shared).all(|(_, remote)| {
            let is_done = |lines: &LogLines| {
                lines.lines.len() >= subject.enough || !lines.has_older(from) || lines.is_full()
            };
            remote.failure().is_some() || remote.value().is_some_and(is_done)
        })
    }

    /// The histogram over all sources; `None` before the first answer.
    pub fn histogram(&self, shared: &Shared) -> Option<LogHistogram> {
        let query = &self.subject.as_ref()?.query;
        let mut all: Option<LogHistogram> = None;
        for source in shared.answering(AskKind::LogCounts) {
            let counts =
                shared.world.cache(&source.id).and_then(|cache| cache.log_counts().get(query)?.value());
            match (&mut all, counts) {
                (Some(all), Some(counts)) => all.join(counts),
                (None, Some(counts)) => all = Some(counts.clone()),
                (_, None) => {}
            }
        }
        all
    }

    /// What the sources say about patterns.
    pub(super) fn comparisons<'a>(&'a self, shared: &'a Shared) -> Vec<&'a LogComparison> {
        let query = self.subject.as_ref().map(|subject| &*subject.query);
        let answers = query.into_iter().flat_map(|query| logs::pattern_answers(shared, query));
        answers.filter_map(|(_, remote)| remote.value()).collect()
    }

    /// The same lines, restricted by the source to those with a text.
    pub(super) fn containing(&self, text: &str) -> Option<Place> {
        let subject = self.subject.as_ref()?;
        let query = LogQuery { contains: Some(text.into()), ..(*subject.query).clone() };
        let query = if text.is_empty() { LogQuery { contains: None, ..query } } else { query };
        let around = None;
        Some(Place::Logs(Arc::new(LogSubject { query: Arc::new(query), around, ..(**subject).clone() })))
    }

    /// The lines before and after a line, of its own stream.
    pub(super) fn surroundings(&self) -> Option<Place> {
        let (subject, line) = (self.subject.as_ref()?, self.list.current()?);
        let query = LogQuery { labels: line.labels.clone(), is_stream: true, ..LogQuery::default() };
        let around = Some(line.key());
        let subject = LogSubject { query: Arc::new(query), around, ..(**subject).clone() };
        Some(Place::Logs(Arc::new(subject)))
    }

    /// The raw text of all listed lines in the order of time, a line break after each.
    pub(super) fn raw(&self) -> Vec<u8> {
        let lines = self.list.lines();
        let mut bytes = Vec::with_capacity(lines.iter().map(|line| line.raw.len() + 1).sum());
        let mut add = |line: &Arc<LogLine>| {
            bytes.extend_from_slice(&line.raw);
            bytes.push(b'\n');
        };
        if self.list.is_newest_first {
            lines.iter().rev().for_each(&mut add);
        } else {
            lines.iter().for_each(&mut add);
        }
        bytes
    }

    /// Asks for more lines at once, instead of with the next poll.
    pub(super) fn ask_now(&self, shared: &mut Shared, now: Timestamp) {
        let Some(query) = self.subject.as_ref().map(|subject| Arc::clone(&subject.query)) else { return };
        let is_loading = shared.sources.iter().any(|source| {
            let topic = Topic::LogLines(Arc::clone(&query));
            shared.scheduler.is_waiting(&source.id, &topic)
        });
        if !is_loading {
            shared.scheduler.query_now(|topic| *topic == Topic::LogLines(Arc::clone(&query)), now);
        }
    }

    /// Follows new lines, or stops.
    pub(super) fn follow(&mut self, shared: &mut Shared, now: Timestamp) {
        self.is_follow_off = !self.is_follow_off;
        if !self.is_follow_off {
            self.list.follow_newest();
            shared.change_range(now, |range, _| range.end = None);
            self.ask_now(shared, now);
        }
    }

    /// Whether some source may have older lines than the loaded ones.
    pub(super) fn has_older(&self, shared: &Shared, now: Timestamp) -> bool {
        let Some(subject) = &self.subject else { return false };
        let (from, _) = range(shared, subject, now);
        self.loaded(shared)
            .filter_map(|(_, remote)| remote.value())
            .any(|lines| lines.has_older(from) && !lines.is_full())
    }

    /// Whether the whole query is one that the user wrote.
    pub(super) fn is_written(&self) -> bool {
        self.subject.as_ref().is_some_and(|subject| subject.query.written.is_some())
    }
}
