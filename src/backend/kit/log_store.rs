//! What all stores of logs share: a query is found for labels and cached, pages of lines are read, patterns are compared.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::log_labels::FoundLabels;
use super::skew::Skew;
use crate::backend::Clock;
use crate::model::ask::{Answer, Answered, Reply};
use crate::model::labels::{Labels, Text};
use crate::model::log::{
    Comparer, LARGEST_PAGE, LogComparison, LogDirection, LogHistogram, LogLine, LogLines, LogPage, LogQuery,
    LogSplit, ReadLines, SampledLines,
};
use crate::model::series::TimeGrid;
use crate::model::source::{ErrorKind, SourceError};
use crate::model::text::counted;
use crate::model::warning::Warning;

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

/// A system that stores log lines; [`lines`], [`histogram`] and [`patterns`] answer the questions about them.
pub(crate) trait LogStore: Sync {
    /// What is shared by its answers.
    fn kept(&self) -> &LogStoreState;

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
}

impl LogStoreState {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, skew: Skew::default(), found: Mutex::default() }
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
    page: &LogPage,
    warnings: &mut Vec<Warning>,
) -> Result<ReadLines, SourceError> {
    let mut page = *page;
    loop {
        match store.read(query, &page).await {
            Err(error) if matches!(error.kind, ErrorKind::TooLarge { .. }) && page.limit > FEWEST => {
                page.limit = (page.limit / 10).max(FEWEST);
            }
            Ok(read) => {
                if read.is_cut && read.lines.len() < FEWEST as usize * 10 && page.limit < 100 {
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

/// Answers the question for a page of lines.
pub(crate) async fn lines<S: LogStore>(store: &S, wanted: &LogQuery, page: &LogPage) -> Answered {
    let (query, notes) = chosen(store, wanted, (page.from, page.until)).await?;
    let mut warnings: Vec<Warning> = Vec::new();
    let is_live = store.kept().clock.now().duration_since(page.until) < LIVE;
    let end = if is_live { page.until.checked_add(FUTURE).unwrap_or(page.until) } else { page.until };
    let asked = LogPage { until: end, ..*page };
    let mut read = if query.is_empty() {
        ReadLines::default()
    } else {
        read(store, &query, &asked, &mut warnings).await?
    };
    read.lines.retain(|line| line.at < end);
    warnings.extend(store.kept().clock_warning());
    let link = store.link(&query, (page.from, page.until)).filter(|_| !query.is_empty());
    let answer = LogLines { link, ..LogLines::of_page(query, notes, page, read) };
    Ok(Reply { warnings, ..Reply::free(Answer::LogLines(answer)) })
}

/// Answers the question for the number of lines over time.
pub(crate) async fn histogram<S: LogStore>(store: &S, wanted: &LogQuery, window: TimeGrid) -> Answered {
    let (query, _) = chosen(store, wanted, (window.start(), window.end())).await?;
    if query.is_empty() {
        return Ok(Reply::free(Answer::LogCounts(LogHistogram::new(query, window))));
    }
    let (counts, warnings) = store.count(&query, window).await?;
    Ok(Reply { warnings, ..Reply::free(Answer::LogCounts(counts)) })
}

/// Answers the question for new patterns: the newest lines of both sides are read and compared.
pub(crate) async fn patterns<S: LogStore>(store: &S, wanted: &LogQuery, split: LogSplit) -> Answered {
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
