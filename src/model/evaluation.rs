//! Queries that a user writes, their results, and what is asked while they are written: labels, their values, exemplars.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::labels::{Labels, Text};
use super::log::LogLine;
use super::series::{Matrix, TimeGrid};

/// The most series of a result at one moment; a query with more is refused.
pub const MAX_VECTOR: usize = 10_000;
/// The most series of a result over a range; a query with more is refused.
pub const MAX_MATRIX: usize = 2_000;
/// The most series whose labels are counted.
pub const MAX_COUNTED: usize = 2_000;
/// The most names or values of labels that are read for completion.
pub const MAX_LABELS: usize = 1_000;
/// The most exemplars that are kept, the newest first.
pub const MAX_EXEMPLARS: usize = 500;
/// The time between two evaluations at the present moment.
const LIVE_INTERVAL: Duration = Duration::from_secs(15);

/// An expression, and whether it is evaluated once or over a range: results of different ranges and steps are different data.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EvaluationKey {
    pub query: Text,
    /// The length of the range and the time between two points; `None`: at one moment.
    pub over: Option<(Duration, Duration)>,
}

impl EvaluationKey {
    /// The key of an expression at one moment, or over this grid.
    pub fn new(query: Text, window: Option<TimeGrid>) -> Self {
        let over = window.map(|window| {
            let points = u32::try_from(window.count().saturating_sub(1)).unwrap_or(u32::MAX);
            (window.step().saturating_mul(points), window.step())
        });
        Self { query, over }
    }

    /// The time after which there can be a new point.
    pub fn step(&self) -> Duration {
        self.over.map_or(LIVE_INTERVAL, |(_, step)| step)
    }
}

/// The result of an expression.
#[derive(Debug, Clone)]
pub struct EvaluatedQuery {
    pub result: QueryResult,
    /// The server's answer as it was received: JSON.
    pub raw: Text,
}

/// The values of a result, by the types of the Prometheus API.
#[derive(Debug, Clone)]
pub enum QueryResult {
    Scalar(f64),
    Text(Text),
    /// Series with one value each, in the order of the server.
    Vector(Vec<VectorSample>),
    /// Series over a range, and those whose values are native histograms.
    Matrix {
        matrix: Matrix,
        histograms: Vec<HistogramSeries>,
    },
    /// The stored samples of a range selector (`up[5m]`).
    Samples(Vec<StoredSamples>),
    /// Log lines, oldest first: the newest of the range.
    Lines {
        lines: Vec<Arc<LogLine>>,
    },
}

/// One series of an instant vector.
#[derive(Debug, Clone, PartialEq)]
pub struct VectorSample {
    pub labels: Labels,
    pub value: SampleValue,
    /// When it was evaluated.
    pub at: Option<Timestamp>,
}

/// The value of a sample.
#[derive(Debug, Clone, PartialEq)]
pub enum SampleValue {
    Number(f64),
    Histogram(NativeHistogram),
}

/// A native histogram.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NativeHistogram {
    /// The number of observations.
    pub count: f64,
    /// The sum of the observed values.
    pub sum: f64,
    /// The lower and upper bound of each bucket that is not empty, and its number of observations.
    pub buckets: Vec<(f64, f64, f64)>,
}

impl NativeHistogram {
    /// The mean of the observations; `None` without any.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0.0).then(|| self.sum / self.count)
    }
}

/// A series whose values are native histograms: times in Unix seconds.
#[derive(Debug, Clone, PartialEq)]
pub struct HistogramSeries {
    pub labels: Labels,
    pub points: Vec<(f64, NativeHistogram)>,
}

/// Stored samples of one series: times in Unix seconds and values, the oldest first.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredSamples {
    pub labels: Labels,
    pub points: Vec<(f64, f64)>,
}

impl QueryResult {
    /// The name of its type in the Prometheus API.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Scalar(_) => "scalar",
            Self::Text(_) => "string",
            Self::Vector(_) => "vector",
            Self::Matrix { .. } | Self::Samples(_) => "matrix",
            Self::Lines { .. } => "streams",
        }
    }

    /// The log lines, if these are the result.
    pub fn lines(&self) -> Option<&[Arc<LogLine>]> {
        match self {
            Self::Lines { lines, .. } => Some(lines),
            Self::Scalar(_) | Self::Text(_) | Self::Vector(_) | Self::Matrix { .. } | Self::Samples(_) => {
                None
            }
        }
    }

    /// The number of series, or of log lines.
    pub fn series(&self) -> usize {
        match self {
            Self::Scalar(_) | Self::Text(_) => 1,
            Self::Vector(all) => all.len(),
            Self::Matrix { matrix, histograms } => matrix.lines.len() + histograms.len(),
            Self::Samples(all) => all.len(),
            Self::Lines { lines, .. } => lines.len(),
        }
    }
}

/// Which label names or values are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LabelSearch {
    /// Only of series that this selector matches; `None`: of all series.
    pub selector: Option<Text>,
    /// The label whose values are wanted; `None`: the names of labels.
    pub name: Option<Text>,
    /// Whether the values of each label are counted, which costs more. Only with a selector and without a name.
    pub is_counted: bool,
}

impl LabelSearch {
    /// The names of the labels that the series of a selector have.
    pub fn names(selector: Option<Text>) -> Self {
        Self { selector, name: None, is_counted: false }
    }

    /// The values of a label at the series of a selector.
    pub fn values(name: Text, selector: Option<Text>) -> Self {
        Self { selector, name: Some(name), is_counted: false }
    }

    /// The names of the labels that the series of a selector have, each with the number of its values.
    pub fn counts(selector: Text) -> Self {
        Self { selector: Some(selector), name: None, is_counted: true }
    }
}

/// Label names or values, sorted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LabelList {
    pub all: Vec<Text>,
    /// Whether there are more than [`MAX_LABELS`].
    pub is_cut: bool,
    /// The number of different values of each label, if they were counted: at least so many.
    pub counts: BTreeMap<Text, usize>,
}

impl LabelList {
    /// Sorted and bounded names or values.
    pub fn of(mut all: Vec<Text>) -> Self {
        all.sort();
        all.dedup();
        let is_cut = all.len() > MAX_LABELS;
        all.truncate(MAX_LABELS);
        Self { all, is_cut, counts: BTreeMap::new() }
    }

    /// The names of the labels of some series, each with the number of its values.
    pub fn counted<'l>(series: impl IntoIterator<Item = &'l Labels>) -> Self {
        let mut values: BTreeMap<&Text, BTreeSet<&Text>> = BTreeMap::new();
        for labels in series {
            for (name, value) in labels.iter() {
                values.entry(name).or_default().insert(value);
            }
        }
        let counts = values.iter().map(|(name, values)| ((*name).clone(), values.len())).collect();
        Self { counts, ..Self::of(values.into_keys().cloned().collect()) }
    }
}

/// One observation of a metric with the trace that it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Exemplar {
    /// The labels of its series.
    pub series: Labels,
    /// Its own labels, such as `trace_id`.
    pub labels: Labels,
    pub value: f64,
    pub at: Timestamp,
}

impl Exemplar {
    /// The id of its trace, if it has one; by the names of the OpenTelemetry and Jaeger libraries.
    pub fn trace(&self) -> Option<&Text> {
        ["trace_id", "traceID", "traceId", "trace"].iter().find_map(|name| self.labels.get(name))
    }
}

impl EvaluatedQuery {
    /// A result with the server's answer.
    pub fn new(result: QueryResult, raw: &[u8]) -> Self {
        Self { result, raw: String::from_utf8_lossy(raw).into() }
    }
}

/// A server's message about a position in the query: `1:14: parse error: unexpected ...`. Line and column, from 1, and the
/// message without them.
pub fn server_position(said: &str) -> Option<(usize, usize, &str)> {
    let (head, message) = said.split_once(": parse error: ")?;
    let place = head.rsplit(|c: char| c.is_whitespace() || c == '"').next()?;
    let (line, column) = place.split_once(':')?;
    Some((line.parse().ok()?, column.parse().ok()?, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_names_the_place_of_an_error() {
        for (said, expected) in [
            (
                "invalid parameter \"query\": 1:14: parse error: unexpected end of input",
                Some((1, 14, "unexpected end of input")),
            ),
            ("2:3: parse error: x", Some((2, 3, "x"))),
            ("query processing would load too many samples into memory", None),
            ("a: parse error: b", None),
        ] {
            assert_eq!(server_position(said), expected);
        }
    }

    #[test]
    fn the_same_expression_over_another_step_is_another_question() {
        let end = Timestamp::from_second(1_000_000).unwrap();
        let grid =
            |seconds| TimeGrid::ending(end, Duration::from_secs(3600), 60, Duration::from_secs(seconds));
        let [fine, coarse] = [60, 300].map(|step| EvaluationKey::new("up".into(), Some(grid(step))));
        assert_ne!(fine, coarse);
        assert_eq!(fine.over, Some((Duration::from_secs(3600), Duration::from_secs(60))));
        assert_eq!(EvaluationKey::new("up".into(), None).over, None);
    }
}
