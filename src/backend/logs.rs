//! What all sources of log lines share: a query is found for labels and cached, pages of lines are read, patterns are compared.
//!
//! A new kind implements [`LogStore`] with its types of answers, its query language and four functions: find labels, make a query,
//! read a page, count lines.

pub(super) mod explore;
#[cfg(test)]
pub(super) mod fixtures;
pub(super) mod labels;
mod server;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::future::ready;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::handlers::Handler;
use super::kit::skew::Skew;
use super::{Clock, Source, SourceDeps};
use crate::model::ask::{Answer, Answered, Reply};
use crate::model::labels::{Interner, Labels, Text};
use crate::model::log::{
    Comparer, LARGEST_PAGE, LogComparison, LogDirection, LogHistogram, LogLine, LogLines, LogPage, LogQuery,
    LogSeverity, LogSplit, ReadLines, SampledLines,
};
use crate::model::series::TimeGrid;
use crate::model::source::{ErrorKind, SourceError};
use crate::model::text::counted;
use crate::model::warning::Warning;
pub(super) use explore::{NumberPoint, number_series};
use labels::FoundLabels;
pub(super) use server::LogServer;

/// How long a query that was found for labels is used.
const FOUND_FOR: SignedDuration = SignedDuration::from_mins(10);
/// How long it is remembered that none was found.
const NOT_FOUND_FOR: SignedDuration = SignedDuration::from_secs(30);
/// The most queries that are remembered.
const MAX_FOUND: usize = 64;
/// A page that ends this near to the present is live: ...
const LIVE: SignedDuration = SignedDuration::from_secs(60);
/// ... lines that are up to this far in the future belong to it, because clocks differ.
const FUTURE: SignedDuration = SignedDuration::from_hours(1);
/// The fewest lines that are asked for when lines are very long.
const FEWEST: u32 = 10;

/// A time range: from, until (exclusive).
pub(crate) type LogSpan = (Timestamp, Timestamp);

/// The handlers of a source of log lines.
pub(super) const fn handlers<S: LogStore + 'static>() -> [Handler<S>; 4] {
    [
        Handler::Probe(|source, _| Box::pin(source.probe())),
        Handler::LogLines(|source, _, wanted, page| Box::pin(lines(source, wanted, page))),
        Handler::LogCounts(|source, _, wanted, window| Box::pin(histogram(source, wanted, *window))),
        Handler::LogPatterns(|source, _, wanted, split| Box::pin(patterns(source, wanted, *split))),
    ]
}

/// A source of log lines; [`handlers`] answers the questions about them.
pub(crate) trait LogStore: Source {
    /// What is shared by its answers.
    fn kept(&self) -> &LogStoreState;

    /// Answers a probe.
    fn probe(&self) -> impl Future<Output = Answered> + Send;

    /// Loads what [`Self::query`] needs to know of the source, if it is not known yet.
    fn prepare(&self) -> impl Future<Output = Result<(), SourceError>> + Send {
        ready(Ok(()))
    }

    /// Finds the labels of the log lines that stand for these labels.
    fn find(
        &self,
        labels: &Labels,
        span: LogSpan,
    ) -> impl Future<Output = Result<FoundLabels, SourceError>> + Send;

    /// The query of lines with these labels (or the query that the user wrote) and a text.
    fn query(&self, selectors: &[(String, Text)], wanted: &LogQuery) -> String;

    /// Reads the lines of a page.
    fn read(
        &self,
        query: &str,
        page: &LogPage,
    ) -> impl Future<Output = Result<ReadLines, SourceError>> + Send;

    /// The address of a query in the user interface of the server, if it has one.
    fn link(&self, _query: &str, _span: LogSpan) -> Option<Text> {
        None
    }

    /// Counts lines in the steps of a grid, with warnings about the query.
    fn count(
        &self,
        query: &str,
        window: TimeGrid,
    ) -> impl Future<Output = Result<(LogHistogram, Vec<Warning>), SourceError>> + Send;
}

/// The state that a store keeps between answers.
pub(crate) struct LogStoreState {
    pub(crate) clock: Clock,
    pub(crate) skew: Skew,
    found: Mutex<BTreeMap<Labels, (Timestamp, FoundLabels)>>,
    interner: Mutex<Interner>,
}

impl LogStoreState {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, skew: Skew::default(), found: Mutex::default(), interner: Mutex::default() }
    }

    /// Runs `work` with the texts that the lines of the source share.
    pub(crate) fn interned<T>(&self, work: impl FnOnce(&mut Interner) -> T) -> T {
        // a panic cannot leave the set of texts in an invalid state
        work(&mut self.interner.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn known(&self, labels: &Labels) -> Option<FoundLabels> {
        let now = self.clock.now();
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let is_fresh = |(since, found): &&(Timestamp, FoundLabels)| {
            let lasts = if found.selectors.is_empty() { NOT_FOUND_FOR } else { FOUND_FOR };
            now.duration_since(*since) < lasts
        };
        found.get(labels).filter(is_fresh).map(|(_, found)| found.clone())
    }

    fn keep(&self, labels: &Labels, new: FoundLabels) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if found.len() >= MAX_FOUND
            && let Some(oldest) =
                found.iter().min_by_key(|(_, (since, _))| *since).map(|(labels, _)| labels.clone())
        {
            found.remove(&oldest);
        }
        found.insert(labels.clone(), (self.clock.now(), new));
    }

    /// The warning that the server's clock differs, if it does.
    fn clock_warning(&self) -> Option<Warning> {
        let ahead = self.skew.ahead().as_secs();
        let way = if ahead > 0 { "ahead of" } else { "behind" };
        let words =
            format!("its clock is {} s {way} this machine's: times of lines may differ by that", ahead.abs());
        (ahead != 0).then(|| Warning::notice(words))
    }
}

/// The query for the wanted lines, and how it was found.
async fn chosen<S: LogStore>(
    store: &S,
    wanted: &LogQuery,
    span: LogSpan,
) -> Result<(Text, Vec<Text>), SourceError> {
    store.prepare().await?;
    if wanted.written.is_some() {
        return Ok((store.query(&[], wanted).into(), Vec::new()));
    }
    let own = |(name, value): (&Text, &Text)| (name.to_string(), value.clone());
    if wanted.is_stream {
        let selectors: Vec<_> = wanted.labels.iter().map(own).collect();
        return Ok((store.query(&selectors, wanted).into(), Vec::new()));
    }
    let found = if let Some(found) = store.kept().known(&wanted.labels) {
        found
    } else {
        let found = store.find(&wanted.labels, span).await?;
        store.kept().keep(&wanted.labels, found.clone());
        found
    };
    let query =
        if found.selectors.is_empty() { String::new() } else { store.query(&found.selectors, wanted) };
    Ok((query.into(), found.notes))
}

/// Reads a page; if its lines are so long that the answer is too large, fewer of them.
async fn read<S: LogStore>(
    store: &S,
    query: &str,
    asked: &LogPage,
    warnings: &mut Vec<Warning>,
) -> Result<ReadLines, SourceError> {
    let mut page = *asked;
    loop {
        match store.read(query, &page).await {
            Err(error) if matches!(error.kind, ErrorKind::TooLarge { .. }) && page.limit > FEWEST => {
                page.limit = (page.limit / 10).max(FEWEST);
            }
            Ok(mut read) => {
                warnings.append(&mut read.warnings);
                if read.is_cut && page.limit < asked.limit {
                    let words = format!("its lines are very long: only {} at a time are loaded", page.limit);
                    warnings.push(Warning::notice(words));
                }
                if read.without_time > 0 {
                    let words =
                        format!("{} without a time: shown at that of the run", lines_of(read.without_time));
                    warnings.push(Warning::notice(words));
                }
                if read.unreadable > 0 {
                    let words = format!("{} that could not be read: left out", lines_of(read.unreadable));
                    warnings.push(Warning::missing(words));
                }
                return Ok(read);
            }
            Err(error) => return Err(error),
        }
    }
}

fn lines_of(count: u64) -> String {
    counted(usize::try_from(count).unwrap_or(usize::MAX), "line")
}

/// How long a server may work on a query: a little less than the client waits for it, because longer work is useless.
pub(crate) fn server_limit(deps: SourceDeps<'_>) -> Duration {
    deps.settings.limits.timeout.0.mul_f64(0.9).max(Duration::from_millis(500))
}

/// Marks a page as cut if it has as many lines as were asked for.
pub(crate) fn cut_at(limit: u32, read: ReadLines) -> ReadLines {
    let count = read.lines.len() + usize::try_from(read.unreadable).unwrap_or(usize::MAX);
    ReadLines { is_cut: count >= limit as usize, ..read }
}

/// A line of a source that stores lines as fields: without a message it is shown by its fields, and its severity is the one that the
/// first of `levels` names.
pub(crate) fn line_of_fields<'a>(
    at: Timestamp,
    labels: Labels,
    fields: Labels,
    message: &str,
    levels: impl IntoIterator<Item = &'a str>,
) -> LogLine {
    let named =
        |name: &str| fields.get(name).or_else(|| labels.get(name)).and_then(|name| LogSeverity::named(name));
    let severity = levels.into_iter().find_map(named);
    let shown = if message.is_empty() { fields_as_text(&fields) } else { message.to_owned() };
    let line = LogLine::new(at, labels, fields, shown.as_bytes());
    LogLine { severity: severity.unwrap_or(line.severity), ..line }
}

/// Fields as the text of a line that has none of its own.
pub(crate) fn fields_as_text(fields: &Labels) -> String {
    let each = fields.iter().map(|(name, value)| format!("{name}={value:?}"));
    each.collect::<Vec<_>>().join(" ")
}

/// Answers the question for a page of lines.
async fn lines<S: LogStore>(store: &S, wanted: &LogQuery, page: &LogPage) -> Answered {
    let (query, notes) = chosen(store, wanted, (page.from, page.until)).await?;
    let mut warnings: Vec<Warning> = Vec::new();
    let is_live = store.kept().clock.now().duration_since(page.until) < LIVE;
    let end = if is_live { page.until.checked_add(FUTURE).unwrap_or(page.until) } else { page.until };
    let asked = LogPage { until: end, ..*page };
    let mut read = if query.is_empty() {
        ReadLines::default()
    } else {
        let found = read(store, &query, &asked, &mut warnings).await?;
        // the lines after a page may be loaded already: they must not use it up
        let is_used_up = found.is_cut && found.lines.iter().any(|line| line.at >= page.until);
        if is_used_up && page.direction == LogDirection::Backward {
            warnings.clear();
            read(store, &query, page, &mut warnings).await?
        } else {
            found
        }
    };
    read.lines.retain(|line| line.at < end);
    warnings.extend(store.kept().clock_warning());
    let link = store.link(&query, (page.from, page.until)).filter(|_| !query.is_empty());
    let answer = LogLines { link, ..LogLines::of_page(query, notes, page, read) };
    Ok(Reply { warnings, ..Reply::free(Answer::LogLines(answer)) })
}

/// Answers the question for the number of lines over time.
async fn histogram<S: LogStore>(store: &S, wanted: &LogQuery, window: TimeGrid) -> Answered {
    let (query, _) = chosen(store, wanted, (window.start(), window.end())).await?;
    if query.is_empty() {
        return Ok(Reply::free(Answer::LogCounts(LogHistogram::new(query, window))));
    }
    let (counts, warnings) = store.count(&query, window).await?;
    Ok(Reply { warnings, ..Reply::free(Answer::LogCounts(counts)) })
}

/// Answers the question for new patterns: the newest lines of both sides are read and compared.
async fn patterns<S: LogStore>(store: &S, wanted: &LogQuery, split: LogSplit) -> Answered {
    let (query, _) = chosen(store, wanted, (split.from, split.until)).await?;
    let mut warnings: Vec<Warning> = Vec::new();
    let mut comparer = Comparer::default();
    let mut sides = Vec::new();
    for ((from, until), is_after) in [((split.from, split.at), false), ((split.at, split.until), true)] {
        let page = LogPage { from, until, direction: LogDirection::Backward, limit: LARGEST_PAGE };
        let read = if query.is_empty() || from >= until {
            ReadLines::default()
        } else {
            read(store, &query, &page, &mut warnings).await?
        };
        let is_cut = read.is_cut;
        let mut lines: Vec<Arc<LogLine>> =
            LogLines::of_page(Text::clone(&query), Vec::new(), &page, read).lines;
        lines.retain(|line| line.at < until);
        for line in &lines {
            comparer.add(line, is_after);
        }
        sides.push(SampledLines::of(lines.len(), lines.first().map(|line| line.at), (from, until), is_cut));
        // many lines were worked on at once: let others run
        tokio::task::yield_now().await;
    }
    let side = |at: usize| sides.get(at).copied().unwrap_or_default();
    let news: LogComparison = comparer.compare(query, split, side(0), side(1));
    Ok(Reply { warnings, ..Reply::free(Answer::LogPatterns(news)) })
}
