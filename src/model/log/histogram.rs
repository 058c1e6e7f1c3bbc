//! The number of lines over time, by severity.

use std::collections::BTreeMap;

use super::severity::LogSeverity;
use crate::model::labels::Text;
use crate::model::series::TimeGrid;

/// The number of lines in each step of a time grid, counted by the source.
#[derive(Debug, Clone, PartialEq)]
pub struct LogHistogram {
    /// The query whose lines are counted; empty if no stream of the source fits.
    pub query: Text,
    /// A bar begins at each point of the grid and is one step long.
    pub span: TimeGrid,
    /// For each severity that occurs, the lines in each bar.
    pub counts: BTreeMap<LogSeverity, Vec<u64>>,
}

impl LogHistogram {
    /// A histogram without lines.
    pub fn new(query: Text, span: TimeGrid) -> Self {
        Self { query, span, counts: BTreeMap::new() }
    }

    /// Adds lines to the bar that begins at `second`; those outside of the grid are left out.
    pub fn add(&mut self, severity: LogSeverity, second: f64, lines: u64) {
        let (Some(at), count) = (self.span.index(second), self.span.count()) else { return };
        let bars = self.counts.entry(severity).or_insert_with(|| vec![0; count]);
        if let Some(bar) = bars.get_mut(at) {
            *bar += lines;
        }
    }

    /// All lines of a severity.
    pub fn total(&self, severity: LogSeverity) -> u64 {
        self.counts.get(&severity).map_or(0, |bars| bars.iter().sum())
    }

    /// All lines.
    pub fn lines(&self) -> u64 {
        self.counts.values().flatten().sum()
    }

    /// Adds the counts of another source on the same grid.
    pub fn join(&mut self, other: &Self) {
        for (severity, bars) in &other.counts {
            for (at, lines) in bars.iter().enumerate().filter(|(_, lines)| **lines > 0) {
                #[expect(clippy::cast_precision_loss, reason = "seconds since 1970")]
                self.add(*severity, other.span.at(at).as_second() as f64, *lines);
            }
        }
    }
}
