//! What is new in the logs: the patterns of the lines after a moment, compared with those before it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::severity::LogSeverity;
use super::{LogLine, fields, pattern};
use crate::model::labels::Text;
use crate::model::remote::age;

/// The most patterns that are told apart; the lines of others are counted together.
const MAX_PATTERNS: usize = 2000;
/// From this many times the rate before, a pattern counts as more frequent.
const MORE: f64 = 3.0;
/// The pattern of lines beyond [`MAX_PATTERNS`].
const OTHERS: &str = "(other patterns)";

/// The times whose lines are compared: `from..at` and `at..until`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LogSplit {
    pub from: Timestamp,
    /// The moment from which on patterns are new.
    pub at: Timestamp,
    pub until: Timestamp,
}

/// How many lines of one side were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SampledLines {
    pub lines: u64,
    /// The time that they cover.
    pub covered: Duration,
    /// Whether the side has more lines than were read.
    pub is_cut: bool,
}

/// How a pattern's rate has changed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PatternChange {
    /// It did not occur before.
    New,
    /// It is this many times as frequent.
    More(f64),
    /// About as frequent as before, or nothing to compare with.
    Same,
    /// It is less frequent than before.
    Less,
    /// It no longer occurs.
    Gone,
}

/// Lines that differ only in values.
#[derive(Debug, Clone, PartialEq)]
pub struct LogPattern {
    /// The text with masks in place of values.
    pub text: Text,
    /// The most severe of its lines.
    pub severity: LogSeverity,
    /// The lines before and after, of those that were read.
    pub before: u64,
    pub after: u64,
    pub first: Timestamp,
    pub last: Timestamp,
    /// The newest of its lines.
    pub example: Arc<LogLine>,
    pub change: PatternChange,
}

/// The patterns of two times.
#[derive(Debug, Clone, PartialEq)]
pub struct LogComparison {
    /// The query whose lines are compared; empty if no stream of the source fits.
    pub query: Text,
    pub split: LogSplit,
    pub before: SampledLines,
    pub after: SampledLines,
    /// The most remarkable first.
    pub patterns: Vec<LogPattern>,
}

/// Collects lines of both sides and compares their patterns.
#[derive(Debug, Default)]
pub struct Comparer {
    found: HashMap<(String, LogSeverity), Found>,
}

#[derive(Debug)]
struct Found {
    before: u64,
    after: u64,
    first: Timestamp,
    last: Timestamp,
    example: Arc<LogLine>,
}

impl Found {
    fn join(&mut self, other: Self) {
        self.before += other.before;
        self.after += other.after;
        self.first = self.first.min(other.first);
        if (other.last, other.example.id) > (self.last, self.example.id) {
            (self.last, self.example) = (other.last, other.example);
        }
    }
}

impl Comparer {
    /// Adds a line of one side.
    pub fn add(&mut self, line: &Arc<LogLine>, is_after: bool) {
        let text = String::from_utf8_lossy(line.raw.get(..fields::PARSED).unwrap_or(&line.raw));
        let text = fields::without_colours(&text);
        let mut pattern = pattern::masked(&fields::message(&text));
        let is_known = |pattern: &str| self.found.contains_key(&(pattern.to_owned(), line.severity));
        if self.found.len() >= MAX_PATTERNS && !is_known(&pattern) {
            OTHERS.clone_into(&mut pattern);
        }
        let found = Found {
            before: u64::from(!is_after),
            after: u64::from(is_after),
            first: line.at,
            last: line.at,
            example: Arc::clone(line),
        };
        join(&mut self.found, (pattern, line.severity), found);
    }

    /// The patterns, the most remarkable first.
    pub fn compare(
        self,
        query: Text,
        split: LogSplit,
        before: SampledLines,
        after: SampledLines,
    ) -> LogComparison {
        // all lines of a severity together: a pattern may occur with several
        let mut by_severity: BTreeMap<LogSeverity, Vec<(String, Found)>> = BTreeMap::new();
        for ((pattern, severity), found) in self.found {
            by_severity.entry(severity).or_default().push((pattern, found));
        }
        let mut patterns = Vec::new();
        for (severity, found) in by_severity {
            let became = pattern::joined(found.iter().map(|(pattern, _)| pattern.as_str()));
            let mut whole: HashMap<String, Found> = HashMap::new();
            for (pattern, found) in found {
                let pattern = became.get(&pattern).cloned().unwrap_or(pattern);
                join(&mut whole, pattern, found);
            }
            patterns.extend(whole.into_iter().map(|(text, found)| LogPattern {
                change: change(&found, before, after),
                text: text.into(),
                severity,
                before: found.before,
                after: found.after,
                first: found.first,
                last: found.last,
                example: found.example,
            }));
        }
        rank(&mut patterns, before, after);
        LogComparison { query, split, before, after, patterns }
    }
}

fn join<K: Eq + std::hash::Hash>(all: &mut HashMap<K, Found>, key: K, found: Found) {
    match all.entry(key) {
        std::collections::hash_map::Entry::Occupied(mut known) => known.get_mut().join(found),
        std::collections::hash_map::Entry::Vacant(free) => {
            free.insert(found);
        }
    }
}

/// Lines per second of a side; half a line is added, so that a rare pattern is not infinitely more frequent.
fn rate(lines: u64, side: SampledLines) -> f64 {
    (lines as f64 + 0.5) / side.covered.as_secs_f64().max(1.0)
}

/// How many times as frequent a pattern is as before.
fn lift(found_before: u64, found_after: u64, before: SampledLines, after: SampledLines) -> f64 {
    rate(found_after, after) / rate(found_before, before)
}

fn change(found: &Found, before: SampledLines, after: SampledLines) -> PatternChange {
    // without lines before, nothing can be called new
    if before.lines == 0 || after.lines == 0 {
        return PatternChange::Same;
    }
    let lift = lift(found.before, found.after, before, after);
    match (found.before, found.after) {
        (0, _) => PatternChange::New,
        (_, 0) if found.before >= 5 && lift < 1.0 / MORE => PatternChange::Gone,
        (_, after) if lift >= MORE && after >= 5 => PatternChange::More(lift),
        (before, _) if lift <= 1.0 / MORE && before >= 5 => PatternChange::Less,
        (_, _) => PatternChange::Same,
    }
}

/// Sorts patterns by `severity x rate x log2(lift)`: a new error that is frequent comes first, a pattern that is as frequent as
/// before last. Without a side to compare with, by severity and rate.
fn rank(patterns: &mut [LogPattern], before: SampledLines, after: SampledLines) {
    let is_compared = before.lines > 0 && after.lines > 0;
    let score = |pattern: &LogPattern| {
        let lift = lift(pattern.before, pattern.after, before, after).log2();
        let frequent = if pattern.after > 0 { rate(pattern.after, after) } else { 0.0 };
        let news = if is_compared { lift.max(0.0) } else { 1.0 };
        pattern.severity.weight() * frequent * news
    };
    // what is new comes before what is only more, and both before what stays
    let class = |pattern: &LogPattern| match pattern.change {
        PatternChange::New | PatternChange::More(_) => 0,
        PatternChange::Same => 1,
        PatternChange::Less | PatternChange::Gone => 2,
    };
    patterns.sort_by(|one, other| {
        let by_score = || score(other).total_cmp(&score(one));
        let by_count = || (other.after, other.before).cmp(&(one.after, one.before));
        let by_text = || (one.severity, &one.text).cmp(&(other.severity, &other.text));
        class(one).cmp(&class(other)).then_with(by_score).then_with(by_count).then_with(by_text)
    });
}

impl PatternChange {
    /// `(new)`, `(12x more)`; nothing for a pattern that is as frequent as before.
    pub fn words(self) -> String {
        match self {
            Self::New => "(new)".to_owned(),
            Self::More(times) if times < 10.0 => format!("({times:.1}x more)"),
            Self::More(times) => format!("({times:.0}x more)"),
            Self::Same => String::new(),
            Self::Less => "(less)".to_owned(),
            Self::Gone => "(gone)".to_owned(),
        }
    }

    /// The name in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::More(_) => "more",
            Self::Same => "same",
            Self::Less => "less",
            Self::Gone => "gone",
        }
    }

    /// Whether the pattern deserves a look.
    pub const fn is_remarkable(self) -> bool {
        match self {
            Self::New | Self::More(_) => true,
            Self::Same | Self::Less | Self::Gone => false,
        }
    }
}

impl SampledLines {
    /// The lines of a side that begins at `from` and ends at `until`; if they were cut, those from `oldest` on.
    pub fn of(
        lines: usize,
        oldest: Option<Timestamp>,
        (from, until): (Timestamp, Timestamp),
        is_cut: bool,
    ) -> Self {
        let since = oldest.filter(|_| is_cut).unwrap_or(from);
        Self { lines: lines as u64, covered: age(since, until), is_cut }
    }
}

impl LogComparison {
    /// The patterns that are new or more frequent.
    pub fn remarkable(&self) -> impl Iterator<Item = &LogPattern> {
        self.patterns.iter().filter(|pattern| pattern.change.is_remarkable())
    }
}
