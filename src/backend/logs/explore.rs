//! What the queries share that a user writes for stores of logs: which lines are read, and numbers as results.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::LogServer;
use crate::backend::kit::http::Body;
use crate::backend::kit::lenient::{
    LenientItems, LenientList, LenientPair, LenientPairs, Number, unreadable_warning, wire,
};
use crate::backend::panels::frames::PanelSeries;
use crate::model::ask::{Answer, Reply};
use crate::model::evaluation::{
    EvaluatedQuery, MAX_MATRIX, MAX_VECTOR, QueryResult, SampleValue, VectorSample,
};
use crate::model::labels::{Interner, Labels};
use crate::model::log::{LogDirection, LogLines, LogPage, PAGE, ReadLines};
use crate::model::series::{Matrix, Series, TimeGrid};
use crate::model::source::{ErrorKind, SourceError};
use crate::model::warning::Warning;

/// How far back lines are read at one moment.
const AT_ONCE: SignedDuration = SignedDuration::from_hours(1);
/// How far back labels and their values are looked for.
const LABELS: SignedDuration = SignedDuration::from_hours(6);

/// `[seconds, "number"]`: Unix seconds and a number, as far as they can be read.
pub(crate) type NumberPoint = LenientPair<Number, Number>;

wire! {
    struct NumbersAnswer<'a> {
        #[serde(borrow)]
        data: NumbersData<'a>,
    }

    struct NumberSeries<'a> {
        #[serde(borrow)]
        metric: LenientPairs<'a>,
        value: NumberPoint,
        values: LenientItems<NumberPoint>,
    }
}

/// `{resultType, result}` of the Prometheus API, or that the result is lines.
#[derive(Debug, Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
pub(super) enum NumbersData<'a> {
    #[serde(borrow)]
    Vector(LenientList<NumberSeries<'a>>),
    Matrix(LenientList<NumberSeries<'a>>),
    Scalar(NumberPoint),
    Streams(IgnoredAny),
}

impl Default for NumbersData<'_> {
    fn default() -> Self {
        Self::Vector(LenientList::default())
    }
}

/// The page of lines that a query over a grid, or at one moment, shows: the newest.
pub(crate) fn page(window: Option<TimeGrid>, at: Option<Timestamp>, now: Timestamp) -> LogPage {
    let (from, until) = if let Some(window) = window {
        // the last step is not over yet: its lines belong to the range
        let end = window.end().checked_add(window.step()).unwrap_or(window.end());
        (window.start(), if end > now { now.max(window.end()) } else { window.end() })
    } else {
        let until = at.unwrap_or(now);
        (until.checked_sub(AT_ONCE).unwrap_or(until), until)
    };
    LogPage { from, until, direction: LogDirection::Backward, limit: PAGE }
}

/// The time range in which labels are looked for.
pub(crate) fn labels_span(now: Timestamp) -> (Timestamp, Timestamp) {
    (now.checked_sub(LABELS).unwrap_or(now), now)
}

/// The reply with the lines of a page.
pub(crate) fn lines_reply(read: ReadLines, page: &LogPage, raw: &[u8]) -> Reply {
    let (is_cut, unreadable, without_time) = (read.is_cut, read.unreadable, read.without_time);
    let lines = LogLines::of_page("".into(), Vec::new(), page, read).lines;
    let mut warnings: Vec<Warning> =
        unreadable_warning(usize::try_from(unreadable).unwrap_or(usize::MAX), "lines").into_iter().collect();
    if is_cut {
        warnings.push(Warning::notice(format!("only the newest {} lines of the range", lines.len())));
    }
    if without_time > 0 {
        warnings
            .push(Warning::notice("rows without a time: they are shown at the end of the range".to_owned()));
    }
    let evaluation = EvaluatedQuery::new(QueryResult::Lines { lines }, raw);
    Reply { warnings, ..Reply::free(Answer::Evaluation(Arc::new(evaluation))) }
}

/// The reply with the numbers of an answer.
///
/// # Errors
/// [`ErrorKind::Unfit`] if there are too many series, [`ErrorKind::BadQuery`] if the result is lines.
pub(crate) fn numbers_reply(
    server: &LogServer,
    body: &Body,
    window: Option<TimeGrid>,
) -> Result<Reply, SourceError> {
    let data = &body.json::<NumbersAnswer<'_>>()?.data;
    let (count, most) = match data {
        NumbersData::Vector(all) => (all.all.len(), MAX_VECTOR),
        NumbersData::Matrix(all) => (all.all.len(), MAX_MATRIX),
        NumbersData::Scalar(_) => (1, MAX_VECTOR),
        NumbersData::Streams(_) => {
            let message = "this query gives lines, not numbers".to_owned();
            return Err(server.http.error(ErrorKind::BadQuery { message }));
        }
    };
    if count > most {
        let reason = format!("the result has more than {most} series; group by fewer labels");
        return Err(server.http.error(ErrorKind::Unfit { reason }));
    }
    let (result, lost) = server.state.interned(|interner| numbers(interner, data, window));
    let warnings = unreadable_warning(lost, "values that are no numbers").into_iter().collect();
    let evaluation = EvaluatedQuery::new(result, &body.bytes);
    Ok(Reply { warnings, ..Reply::free(Answer::Evaluation(Arc::new(evaluation))) })
}

/// The series of an answer with numbers, for panels of dashboards.
///
/// # Errors
/// [`ErrorKind::BadQuery`] if the result is lines.
pub(crate) fn number_series(server: &LogServer, body: &Body) -> Result<Vec<PanelSeries>, SourceError> {
    let data = &body.json::<NumbersAnswer<'_>>()?.data;
    let point = |point: &NumberPoint| {
        let millis = (point.0.0? * 1000.0).round();
        #[expect(clippy::cast_possible_truncation, reason = "checked to be exact")]
        let at = (millis.abs() < 9e15).then_some(millis as i64);
        Some((at?, point.1.0?))
    };
    let series = |labels, points| PanelSeries { labels, points, histograms: Vec::new() };
    server.state.interned(|interner| match data {
        NumbersData::Scalar(one) => Ok(vec![series(Labels::default(), point(one).into_iter().collect())]),
        NumbersData::Vector(all) => Ok(all
            .all
            .iter()
            .map(|one| series(labels(interner, &one.metric), point(&one.value).into_iter().collect()))
            .collect()),
        NumbersData::Matrix(all) => Ok(all
            .all
            .iter()
            .map(|one| series(labels(interner, &one.metric), one.values.0.iter().filter_map(point).collect()))
            .collect()),
        NumbersData::Streams(_) => {
            let message = "this query gives lines, not numbers".to_owned();
            Err(server.http.error(ErrorKind::BadQuery { message }))
        }
    })
}

fn labels(interner: &mut Interner, pairs: &LenientPairs<'_>) -> Labels {
    let pairs = pairs.0.iter().map(|(name, value)| (interner.text(&name.0), interner.text(&value.0)));
    Labels::new(pairs.collect())
}

/// The values, and how many could not be read.
fn numbers(
    interner: &mut Interner,
    data: &NumbersData<'_>,
    window: Option<TimeGrid>,
) -> (QueryResult, usize) {
    match data {
        NumbersData::Scalar(point) => (QueryResult::Scalar(point.1.0.unwrap_or(f64::NAN)), 0),
        NumbersData::Streams(_) => (QueryResult::Vector(Vec::new()), 0),
        NumbersData::Vector(all) => {
            let sample = |one: &NumberSeries<'_>| {
                let value = SampleValue::Number(one.value.1.0?);
                let since = one.value.0.0.and_then(|seconds| SignedDuration::try_from_secs_f64(seconds).ok());
                let at = since.and_then(|since| Timestamp::UNIX_EPOCH.checked_add(since).ok());
                Some(VectorSample { labels: labels(interner, &one.metric), value, at })
            };
            let samples: Vec<VectorSample> = all.all.iter().filter_map(sample).collect();
            let lost = all.lost + all.all.len() - samples.len();
            (QueryResult::Vector(samples), lost)
        }
        NumbersData::Matrix(all) => {
            // an answer over a range to a question about one moment has no grid
            let Some(span) = window else { return (QueryResult::Vector(Vec::new()), all.all.len()) };
            let mut matrix = Matrix::empty(span);
            let mut lost = all.lost;
            for one in &all.all {
                let mut values = vec![f64::NAN; span.count()];
                for point in &one.values.0 {
                    let cell = point.0.0.and_then(|at| span.index(at)).and_then(|at| values.get_mut(at));
                    match (cell, point.1.0) {
                        (Some(cell), Some(value)) => *cell = value,
                        (Some(_), None) => lost += 1,
                        // a step that begins before or ends after the range
                        (None, _) => {}
                    }
                }
                matrix.lines.push(Series { labels: labels(interner, &one.metric), values });
            }
            matrix.lines.sort_by(|a, b| a.labels.cmp(&b.labels));
            (QueryResult::Matrix { matrix, histograms: Vec::new() }, lost)
        }
    }
}
