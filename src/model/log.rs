//! Log lines, independent of the system that stores them: what is asked for, one line, and the pages of lines that are loaded.

use std::borrow::Cow;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::labels::{Labels, Text};
use super::warning::Warning;
pub use compare::{Comparer, LogComparison, LogPattern, LogSplit, SampledLines};
pub use histogram::LogHistogram;
pub use severity::LogSeverity;

pub mod compare;
pub mod fields;
pub mod histogram;
pub mod pattern;
pub mod severity;
pub mod time;

/// The longest text of one line that is kept, in bytes. A longer line is cut, and [`LogLine::length`] has its true length.
pub const MAX_LINE: usize = 2 * 1024 * 1024;
/// The most lines that are kept of one query.
pub const MAX_LINES: usize = 20_000;
/// The most bytes of text that are kept of one query.
const MAX_BYTES: usize = 64 * 1024 * 1024;
/// The lines of one page, if nothing else is wanted.
pub const PAGE: u32 = 1000;
/// The lines of the largest page: Loki's default limit.
pub const LARGEST_PAGE: u32 = 5000;
/// The last seconds are read again with each page of newer lines, because lines arrive late and servers' clocks differ.
pub const OVERLAP: SignedDuration = SignedDuration::from_secs(30);

/// The lines that are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct LogQuery {
    /// The labels of the service or alert; those of a stream if `is_stream`.
    pub labels: Labels,
    /// Whether the labels are those of a stream of lines, so that no labels have to be found for them.
    pub is_stream: bool,
    /// A query in the language of the source, which is used instead of the labels.
    pub written: Option<Text>,
    /// The text that a line must contain, as the source compares it.
    pub contains: Option<Text>,
}

/// One line of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// The time, to the nanosecond.
    pub at: Timestamp,
    /// The labels of its stream.
    pub labels: Labels,
    /// What the source reports about the line besides its text: structured metadata, fields.
    pub fields: Labels,
    /// The text as it came, at most [`MAX_LINE`] bytes of it.
    pub raw: Arc<[u8]>,
    /// The length of the whole text, in bytes.
    pub length: usize,
    pub severity: LogSeverity,
    /// Equal for lines with the same labels, fields and text.
    pub id: u64,
}

impl LogLine {
    /// A line; its severity is that of its labels, fields or text.
    pub fn new(at: Timestamp, labels: Labels, fields: Labels, text: &[u8]) -> Self {
        let mut hasher = DefaultHasher::new();
        (&labels, &fields, text).hash(&mut hasher);
        let raw: Arc<[u8]> = text.get(..MAX_LINE).unwrap_or(text).into();
        let severity = severity::of_line(&labels, &fields, &raw);
        Self { at, labels, fields, raw, length: text.len(), severity, id: hasher.finish() }
    }

    /// The text; bytes that are no UTF-8 are replaced.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.raw)
    }

    /// The bytes of the text that were not kept.
    pub fn cut_bytes(&self) -> usize {
        self.length - self.raw.len()
    }

    /// Identifies the line: lines of different sources are the same if they have the same time, labels, fields and text.
    pub fn key(&self) -> LogLineKey {
        (self.at, self.id)
    }
}

/// The time of a line and the hash of the rest.
pub type LogLineKey = (Timestamp, u64);

/// The end of a time range at which the lines of a page are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LogDirection {
    /// The newest lines of the range.
    Backward,
    /// The oldest lines of the range.
    Forward,
}

/// A part of the lines: those in `from..until` at one end, at most `limit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LogPage {
    pub from: Timestamp,
    /// Exclusive.
    pub until: Timestamp,
    pub direction: LogDirection,
    pub limit: u32,
}

/// What is wanted of the lines of a time range besides those that are loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogDemand {
    pub from: Timestamp,
    /// Exclusive.
    pub until: Timestamp,
    /// The moment to load lines around, at first.
    pub around: Option<Timestamp>,
    /// Whether lines older than the loaded ones are wanted.
    pub wants_older: bool,
    /// Whether lines newer than the loaded ones are wanted.
    pub wants_newer: bool,
}

/// The nanosecond after a moment.
pub fn just_after(at: Timestamp) -> Timestamp {
    at.checked_add(SignedDuration::from_nanos(1)).unwrap_or(at)
}

/// The loaded lines of one query, which have no gap within their range.
#[derive(Debug, Clone, PartialEq)]
pub struct LogLines {
    /// The query in the language of the source; empty if no stream of the source fits.
    pub query: Text,
    /// How the query was found, and what could not be used.
    pub notes: Vec<Text>,
    /// The address of the query in the source's own user interface, if it has one.
    pub link: Option<Text>,
    /// Oldest first; lines with the same time in the order of the source.
    pub lines: Vec<Arc<LogLine>>,
    /// All lines from here on ...
    pub from: Timestamp,
    /// ... to here (exclusive) are loaded.
    pub until: Timestamp,
    /// Whether the source has no older lines in the range that starts at this moment.
    pub complete_from: Option<Timestamp>,
    /// Whether more lines have come than one page could take, so that the newest are not loaded yet.
    pub is_behind: bool,
    /// Lines that the source sent and that could not be read.
    pub unreadable: u64,
    /// Lines that were loaded and dropped again because too many were loaded.
    pub trimmed: u64,
    /// Moments with more lines than the largest page takes: some of them are not loaded.
    pub crowded: Vec<Timestamp>,
    /// The size of the largest page that the source gives.
    pub page_limit: u32,
}

/// What a source has read for a page.
#[derive(Debug, Clone, Default)]
pub struct ReadLines {
    pub lines: Vec<LogLine>,
    pub unreadable: u64,
    /// Lines that tell no time, and have that at which they were read.
    pub without_time: u64,
    /// Whether the range may have more lines than the page.
    pub is_cut: bool,
    /// What the source tells about the page, besides its lines.
    pub warnings: Vec<Warning>,
}

impl LogLines {
    /// The answer to one page, with its lines sorted. Lines after its end are kept: clocks may differ.
    pub fn of_page(query: Text, notes: Vec<Text>, page: &LogPage, read: ReadLines) -> Self {
        let mut lines: Vec<Arc<LogLine>> = read.lines.into_iter().map(Arc::new).collect();
        lines.retain(|line| line.at >= page.from);
        sort(&mut lines);
        let (mut from, mut until) = (page.from, page.until);
        if read.is_cut {
            // at the border, some of the lines with the same time may be missing
            match page.direction {
                LogDirection::Backward => {
                    from = lines.first().map_or(until, |oldest| just_after(oldest.at).min(until));
                }
                LogDirection::Forward => {
                    until = lines.last().map_or(from, |newest| newest.at.clamp(from, until));
                }
            }
        }
        let is_forward = page.direction == LogDirection::Forward;
        Self {
            query,
            notes,
            link: None,
            lines,
            from,
            until,
            complete_from: (!read.is_cut || is_forward).then_some(page.from),
            is_behind: read.is_cut && is_forward,
            unreadable: read.unreadable,
            trimmed: 0,
            crowded: Vec::new(),
            page_limit: page.limit,
        }
    }

    /// Adds the answer to another page. A page that does not touch the loaded range, or one of another query, replaces all.
    pub fn extend(&mut self, newer: Self, page: &LogPage) {
        let touches = newer.from <= self.until && newer.until >= self.from && newer.query == self.query;
        if !touches {
            *self = newer;
            return;
        }
        let is_backward = page.direction == LogDirection::Backward;
        let no_progress = if is_backward { newer.from >= self.from } else { newer.until <= self.until };
        let is_cut = if is_backward { newer.complete_from.is_none() } else { newer.is_behind };
        let is_stuck = is_cut && no_progress;
        let border = if is_backward { newer.lines.first() } else { newer.lines.last() }.map(|line| line.at);
        let before = std::mem::take(&mut self.lines);
        let (first, second) = if is_backward { (newer.lines, before) } else { (before, newer.lines) };
        self.lines = first.into_iter().chain(second).collect();
        sort(&mut self.lines);
        self.from = self.from.min(newer.from);
        self.until = self.until.max(newer.until);
        if is_backward {
            self.complete_from = newer.complete_from;
        } else {
            self.is_behind = newer.is_behind;
        }
        self.unreadable += newer.unreadable;
        if is_stuck && page.limit < LARGEST_PAGE {
            self.page_limit = LARGEST_PAGE;
        } else {
            if let Some(at) = border.filter(|_| is_stuck) {
                // more lines at one moment than the largest page takes: go past it, and say so
                self.crowded.push(at);
                if is_backward {
                    self.from = at;
                } else {
                    self.until = just_after(at);
                }
            }
            self.page_limit = PAGE;
        }
        self.trim();
    }

    /// Drops the oldest lines if too many are loaded.
    fn trim(&mut self) {
        let mut bytes = 0;
        let kept = self.lines.iter().rev().take_while(|line| {
            bytes += line.raw.len();
            bytes <= MAX_BYTES
        });
        let surplus = self.lines.len() - kept.count().min(MAX_LINES);
        if surplus == 0 {
            return;
        }
        if let Some(last) = self.lines.drain(..surplus).next_back() {
            self.from = self.from.max(just_after(last.at));
        }
        self.complete_from = None;
        self.trimmed += surplus as u64;
    }

    /// Whether no older lines can be loaded because enough are.
    pub fn is_full(&self) -> bool {
        self.trimmed > 0
            || self.lines.len() >= MAX_LINES
            || self.lines.iter().map(|line| line.raw.len()).sum::<usize>() >= MAX_BYTES
    }

    /// Whether there may be older lines than the loaded ones in a range that starts at `from`.
    pub fn has_older(&self, from: Timestamp) -> bool {
        self.from > from && self.complete_from.is_none_or(|complete| complete > from)
    }
}

/// The next page to load, if one is needed.
pub fn next_page(loaded: Option<&LogLines>, demand: &LogDemand) -> Option<LogPage> {
    let LogDemand { from, until, around, wants_older, wants_newer } = *demand;
    let first = || {
        let until = around.map_or(until, |around| just_after(around).min(until));
        LogPage { from, until, direction: LogDirection::Backward, limit: PAGE }
    };
    let Some(loaded) = loaded.filter(|loaded| loaded.from < until && loaded.until > from) else {
        return Some(first());
    };
    if wants_older && !loaded.is_full() && loaded.has_older(from) {
        let direction = LogDirection::Backward;
        return Some(LogPage { from, until: loaded.from, direction, limit: loaded.page_limit });
    }
    // the other half of the lines around a moment
    let is_half = around.is_some_and(|around| loaded.until <= just_after(around));
    if (wants_newer || is_half) && loaded.until < until {
        let overlap = if loaded.is_behind || around.is_some() { SignedDuration::ZERO } else { OVERLAP };
        let start = loaded.until.checked_sub(overlap).unwrap_or(loaded.until).max(loaded.from.max(from));
        let direction = LogDirection::Forward;
        return Some(LogPage { from: start, until, direction, limit: loaded.page_limit.max(PAGE) });
    }
    None
}

/// Sorts lines by time and removes repeated ones; lines with the same time stay in their order, stream by stream.
fn sort(lines: &mut Vec<Arc<LogLine>>) {
    lines.sort_by(|one, other| one.at.cmp(&other.at).then_with(|| one.labels.cmp(&other.labels)));
    let mut at = None;
    let mut seen: HashSet<u64> = HashSet::new();
    lines.retain(|line| {
        if at.replace(line.at) != Some(line.at) {
            seen.clear();
        }
        seen.insert(line.id)
    });
}

/// The lines of several sources in the order of time, each once.
pub fn merged<'a>(all: impl IntoIterator<Item = &'a LogLines>) -> Vec<Arc<LogLine>> {
    let mut all = all.into_iter();
    let Some(first) = all.next() else { return Vec::new() };
    let mut lines = first.lines.clone();
    let before = lines.len();
    lines.extend(all.flat_map(|more| more.lines.iter().cloned()));
    if lines.len() > before {
        sort(&mut lines);
    }
    lines
}

#[cfg(test)]
mod tests;
