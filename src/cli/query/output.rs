//! The results of an expression as a document: a row for each series of each source.

use std::sync::Arc;

use jiff::Timestamp;

use crate::app::columns::{ListColumn, Listed};
use crate::cli::logs::line_list;
use crate::cli::report::{Cell, Fact, ReportDocument, ReportList};
use crate::cli::session::Session;
use crate::model::ask::{Answer, Answered};
use crate::model::evaluation::{NativeHistogram, QueryResult, SampleValue};
use crate::model::labels::Labels;
use crate::model::log::LogLine;
use crate::model::series::TimeGrid;
use crate::model::source::SourceId;

/// One series of a result.
#[derive(Debug, Clone, PartialEq)]
struct SeriesValues {
    source: String,
    labels: Labels,
    /// The only value, or the newest one.
    value: Option<f64>,
    /// A text, or a native histogram in words.
    words: Option<String>,
    histogram: Option<NativeHistogram>,
    points: Vec<(Timestamp, f64)>,
}

enum SeriesList {}

impl Listed for SeriesList {
    type Item<'a> = SeriesValues;
    type Widths = ();
}

type Column = ListColumn<SeriesList>;

/// A number as Prometheus writes it, such as `NaN` and `+Inf`; in JSON it is `null` then, with the text beside it.
fn exact(value: f64) -> Cell {
    Cell::Formatted(value, written(value))
}

fn written(value: f64) -> String {
    if value.is_infinite() { if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned() } else { value.to_string() }
}

fn of_points(item: &SeriesValues, choose: fn(f64, f64) -> f64) -> Cell {
    let finite = item.points.iter().map(|(_, value)| *value).filter(|value| !value.is_nan());
    finite.reduce(choose).map_or(Cell::Nothing, exact)
}

const SOURCE: Column = Column::distinguishing("source", "SOURCE", |item| Cell::Text(item.source.clone()));
const LABELS: Column = Column::text("labels", "SERIES", |item| Cell::Labels(item.labels.clone()));
const TEXT: Column = Column::hidden("text", |item| match (&item.words, item.value) {
    (Some(words), _) => Cell::Text(words.clone()),
    (None, Some(value)) => Cell::Text(written(value)),
    (None, None) => Cell::Nothing,
});
const HISTOGRAM: Column = Column::hidden("histogram", |item| {
    let Some(histogram) = &item.histogram else { return Cell::Nothing };
    let bucket = |(low, high, count): &(f64, f64, f64)| {
        vec![("from", exact(*low)), ("to", exact(*high)), ("count", exact(*count))]
    };
    Cell::Objects(vec![vec![
        ("count", exact(histogram.count)),
        ("sum", exact(histogram.sum)),
        ("buckets", Cell::Objects(histogram.buckets.iter().map(bucket).collect())),
    ]])
});

/// The columns of a result at one moment.
const AT_ONCE: &[Column] = &[
    SOURCE,
    LABELS,
    Column::number("value", "VALUE", |item| match (&item.words, item.value) {
        (Some(words), Some(value)) => Cell::Formatted(value, words.clone()),
        (Some(words), None) => Cell::Text(words.clone()),
        (None, Some(value)) => exact(value),
        (None, None) => Cell::Nothing,
    }),
    TEXT,
    HISTOGRAM,
];

/// The columns of a result over a range.
const OVER_RANGE: &[Column] = &[
    SOURCE,
    LABELS,
    Column::number("last", "LAST", |item| item.value.map_or(Cell::Nothing, exact)),
    Column::number("min", "MIN", |item| of_points(item, f64::min)),
    Column::number("max", "MAX", |item| of_points(item, f64::max)),
    Column::number("count", "POINTS", |item| Cell::count(item.points.len())),
    Column::hidden("points", |item| {
        let point = |(at, value): &(Timestamp, f64)| vec![("at", Cell::Since(*at)), ("value", exact(*value))];
        Cell::Objects(item.points.iter().map(point).collect())
    }),
    TEXT,
    HISTOGRAM,
];

fn empty(source: &SourceId, labels: &Labels) -> SeriesValues {
    let (source, labels) = (source.to_string(), labels.clone());
    SeriesValues { source, labels, value: None, words: None, histogram: None, points: Vec::new() }
}

fn of_histogram(source: &SourceId, labels: &Labels, histogram: &NativeHistogram) -> SeriesValues {
    let words = format!("histogram: count {}, sum {}", histogram.count, histogram.sum);
    SeriesValues { words: Some(words), histogram: Some(histogram.clone()), ..empty(source, labels) }
}

fn of_samples(source: &SourceId, labels: &Labels, points: Vec<(Timestamp, f64)>) -> SeriesValues {
    SeriesValues { value: points.last().map(|(_, value)| *value), points, ..empty(source, labels) }
}

/// The series of a result, in the order of the server.
fn items(source: &SourceId, result: &QueryResult) -> Vec<SeriesValues> {
    let none = Labels::default();
    match result {
        QueryResult::Scalar(value) => vec![SeriesValues { value: Some(*value), ..empty(source, &none) }],
        QueryResult::Lines { .. } => Vec::new(),
        QueryResult::Text(text) => {
            vec![SeriesValues { words: Some(text.to_string()), ..empty(source, &none) }]
        }
        QueryResult::Vector(all) => {
            let item = |one: &crate::model::evaluation::VectorSample| match &one.value {
                SampleValue::Number(value) => {
                    SeriesValues { value: Some(*value), ..empty(source, &one.labels) }
                }
                SampleValue::Histogram(histogram) => of_histogram(source, &one.labels, histogram),
            };
            all.iter().map(item).collect()
        }
        QueryResult::Matrix { matrix, histograms } => {
            let lines = matrix.lines.iter().map(|line| {
                let points = line.values.iter().enumerate().filter(|(_, value)| !value.is_nan());
                of_samples(
                    source,
                    &line.labels,
                    points.map(|(at, value)| (matrix.span.at(at), *value)).collect(),
                )
            });
            let histograms = histograms
                .iter()
                .filter_map(|series| Some(of_histogram(source, &series.labels, &series.points.last()?.1)));
            lines.chain(histograms).collect()
        }
        QueryResult::Samples(all) => {
            let item = |series: &crate::model::evaluation::StoredSamples| {
                let points = series.points.iter();
                let points = points.filter_map(|(seconds, value)| Some((moment(*seconds)?, *value)));
                of_samples(source, &series.labels, points.collect())
            };
            all.iter().map(item).collect()
        }
    }
}

fn moment(seconds: f64) -> Option<Timestamp> {
    #[expect(clippy::cast_possible_truncation, reason = "what is out of range is no moment")]
    let milliseconds = (seconds * 1000.0).round() as i64;
    Timestamp::from_millisecond(milliseconds).ok()
}

/// The results of all sources. A source that failed or did not answer is a note, and the document is partial then.
pub(super) fn document(
    session: &Session,
    expr: &str,
    (end, window): (Timestamp, Option<TimeGrid>),
    asked: &[SourceId],
    answers: &[(SourceId, Answered)],
) -> ReportDocument {
    let (mut notes, mut rows, mut kinds) = (Vec::new(), Vec::new(), Vec::new());
    let mut lines: Option<Vec<Arc<LogLine>>> = None;
    let mut is_partial = false;
    for id in asked {
        let Some((_, answered)) = answers.iter().find(|(source, _)| source == id) else {
            notes.push(format!("{id}: no answer within {} s", session.deadline().as_secs()));
            is_partial = true;
            continue;
        };
        let reply = match answered {
            Ok(reply) => reply,
            Err(error) => {
                notes.push(format!("{error}. {}", error.kind.advice()));
                is_partial = true;
                continue;
            }
        };
        is_partial |= reply.warnings.iter().any(crate::model::warning::Warning::is_missing_data);
        notes.extend(reply.warnings.iter().map(|warning| format!("{id}: {warning}")));
        if let Answer::Evaluation(evaluation) = &reply.answer {
            kinds.push(evaluation.result.word());
            rows.extend(items(id, &evaluation.result));
            if let Some(own) = evaluation.result.lines() {
                lines.get_or_insert_default().extend(own.iter().cloned());
            }
        }
    }
    let has_samples = rows.iter().any(|row: &SeriesValues| !row.points.is_empty());
    let columns = if window.is_some() || has_samples { OVER_RANGE } else { AT_ONCE };
    let hidden = |key: &str, value: Cell| Fact::new(key, key.replace('_', " "), value);
    let mut facts = vec![
        hidden("query", Cell::Text(expr.to_owned())),
        hidden("result_type", kinds.first().map_or(Cell::Nothing, |kind| Cell::Text((*kind).to_owned()))),
    ];
    match window {
        Some(window) => facts.extend([
            hidden("start", Cell::Text(window.start().to_string())),
            hidden("end", Cell::Text(window.end().to_string())),
            hidden("step_seconds", Cell::Number(window.step().as_secs_f64())),
        ]),
        None => facts.push(hidden("time", Cell::Text(format!("{end:.0}")))),
    }
    let empty = if kinds.is_empty() { "No source has answered." } else { "No series match." };
    let list = match &mut lines {
        Some(lines) => {
            lines.sort_by_key(|line| line.at);
            line_list(lines)
        }
        None => ReportList::of(("series", "Series", empty), columns, rows),
    };
    let context = session.active.context.clone();
    ReportDocument { context, as_of: session.active.clock.now(), facts, lists: vec![list], notes, is_partial }
}
