//! The queries of dashboards: data of panels and values of variables.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use serde_json::Value;

use super::Prometheus;
use super::call::QuestionRequests;
use super::explore::path_name;
use super::whole_results::{Names, WholeResult, histogram};
use super::wire::{Instant, Point, labels};
use crate::backend::kit::http::{Body, EvaluationRange};
use crate::backend::kit::lenient::{LenientList, LenientPairs, LenientText, unreadable_warning};
use crate::backend::panels::frames::{PanelSeries, SeriesNaming, of_series};
use crate::backend::panels::interpolation::RangeVariables;
use crate::backend::panels::shapes::shaped;
use crate::backend::panels::variables::{
    VariableSearch, metric_name, name_selector, plain_values, sample_text,
};
use crate::backend::panels::{
    MAX_POINTS, MAX_ROWS, MAX_SERIES, MAX_VALUES, PanelTarget, SCRAPE_INTERVAL, TargetFormat, failure_of,
};
use crate::model::ask::{Answer, Answered, AskKind};
use crate::model::dashboard::PanelQuery;
use crate::model::dashboard::variable::{VariableQuery, VariableValues};
use crate::model::evaluation::NativeHistogram;
use crate::model::frame::{DataFrame, PanelFrames, QueryFailure};
use crate::model::labels::{Labels, Text};
use crate::model::series::TimeGrid;
use crate::model::source::{ErrorKind, SourceError};

/// One request: an expression over a grid, or at the end of it.
type PanelRequest = (String, Option<(Timestamp, Timestamp, Duration)>);

/// What a request gave: the series, whether there were more, and what the server said.
#[derive(Debug, Clone, Default)]
struct PanelAnswer {
    series: Vec<PanelSeries>,
    is_cut: bool,
}

impl Prometheus {
    /// The data of a panel of a dashboard. The interval between samples comes from metric discovery, if a query needs it.
    pub(super) async fn panel(
        &self,
        wanted: &PanelQuery,
        window: TimeGrid,
        past: Option<Timestamp>,
    ) -> Answered {
        let call = self.call(AskKind::PanelData);
        self.identity(&call).await?;
        let scrape = if needs_scrape_interval(wanted) {
            let discovering = call.separate();
            self.discovery(&discovering).await.ok().and_then(|discovery| discovery.scrape_interval())
        } else {
            None
        };
        let frames = frames(&call, wanted, window, scrape, past).await?;
        Ok(call.reply(Answer::PanelData(Arc::new(frames))))
    }

    /// The values of a variable of a dashboard.
    pub(super) async fn variable(
        &self,
        wanted: &VariableQuery,
        window: TimeGrid,
        past: Option<Timestamp>,
    ) -> Answered {
        let call = self.call(AskKind::VariableValues);
        self.identity(&call).await?;
        let values = values(&call, &wanted.query, window, past).await?;
        Ok(call.reply(Answer::VariableValues(values)))
    }
}

/// The data of a panel. The same expression over the same grid is asked once, however many queries have it.
///
/// # Errors
/// An error that concerns the whole source; others are failures of their queries.
async fn frames(
    call: &QuestionRequests<'_>,
    wanted: &PanelQuery,
    window: TimeGrid,
    scrape: Option<Duration>,
    past: Option<Timestamp>,
) -> Result<PanelFrames, SourceError> {
    let mut panel = PanelFrames::default();
    let mut targets = Vec::new();
    for subquery in &wanted.queries {
        match PanelTarget::read(subquery) {
            Ok(target) if target.is_hidden => {}
            Ok(target) => targets.push(target),
            Err(reason) => {
                panel.failures.push(QueryFailure { ref_id: subquery.ref_id.clone(), message: reason.into() });
            }
        }
    }
    let planned: Vec<_> = targets
        .into_iter()
        .map(|target| {
            let (grid, variables) = target.grid(window, scrape.unwrap_or(SCRAPE_INTERVAL));
            (target.with(&variables), grid)
        })
        .collect();
    let mut requests: BTreeMap<PanelRequest, EvaluationRange> = BTreeMap::new();
    for (target, grid) in &planned {
        for (request, evaluation) in requests_of(target, *grid, window, past, call.server.now()) {
            requests.insert(request, evaluation);
        }
    }
    let sent = requests.into_iter().map(|(request, evaluation)| async move {
        let answer = series(call, &request.0, evaluation).await;
        (request, answer)
    });
    let answers: BTreeMap<PanelRequest, Result<PanelAnswer, SourceError>> =
        join_all(sent).await.into_iter().collect();
    let mut formats = Vec::new();
    let mut frames: Vec<DataFrame> = Vec::new();
    let mut points = 0;
    for (target, grid) in &planned {
        let mut has_answer = false;
        for (request, _) in requests_of(target, *grid, window, past, call.server.now()) {
            match answers.get(&request) {
                Some(Ok(answer)) => {
                    has_answer = true;
                    panel.is_cut |= answer.is_cut;
                    let step = request.1.map(|(_, _, step)| step);
                    for series in &answer.series {
                        points += series.points.len() + series.histograms.len();
                        if points > MAX_POINTS {
                            panel.is_cut = true;
                            break;
                        }
                        let step = step.filter(|_| target.format == TargetFormat::TimeSeries);
                        frames.push(of_series(target, SeriesNaming::Metric, series.clone(), step));
                    }
                }
                Some(Err(error)) => panel.failures.push(failure_of(&target.ref_id, error.clone())?),
                None => {}
            }
        }
        if has_answer {
            formats.push((target.ref_id.clone(), target.format));
        }
    }
    panel.frames = shaped(frames, &formats);
    Ok(panel)
}

/// The requests of a query: its range, then its moment.
fn requests_of(
    target: &PanelTarget,
    grid: TimeGrid,
    window: TimeGrid,
    past: Option<Timestamp>,
    now: Timestamp,
) -> impl Iterator<Item = (PanelRequest, EvaluationRange)> {
    let key = (grid.start(), grid.end(), grid.step());
    let range =
        (target.is_range).then(|| ((target.expression.clone(), Some(key)), EvaluationRange::Over(grid)));
    // the end of a live range was rounded down to its step
    let is_live =
        past.is_none() && (0..=length_of(window)).contains(&(now.as_second() - window.end().as_second()));
    let at = if is_live { EvaluationRange::Now } else { EvaluationRange::At(past.unwrap_or(window.end())) };
    let instant = target.is_instant.then(|| ((target.expression.clone(), None), at));
    range.into_iter().chain(instant)
}

/// The step of a grid, in seconds.
fn length_of(window: TimeGrid) -> i64 {
    i64::try_from(window.step().as_secs()).unwrap_or(i64::MAX)
}

/// The series of one request.
async fn series(
    call: &QuestionRequests<'_>,
    expression: &str,
    evaluation: EvaluationRange,
) -> Result<PanelAnswer, SourceError> {
    let most = match evaluation {
        EvaluationRange::Over(_) => MAX_SERIES,
        EvaluationRange::Now | EvaluationRange::At(_) => MAX_ROWS,
    };
    let body = call.send_limited(expression, evaluation, most + 1).await?;
    let (data, warnings) = call.read_or_empty::<WholeResult<'_>>(&body)?;
    // that the limit was reached is what `is_cut` says
    call.note(
        warnings.into_iter().filter(|warning| !warning.text.contains("truncated due to limit")).collect(),
    );
    call.note(unreadable_warning(data.lost(), "series and points").into_iter().collect());
    let mut answer = PanelAnswer { series: Vec::new(), is_cut: data.count() > most };
    call.server.reader.interner(|interner| match &data {
        WholeResult::Scalar(point) => {
            answer.series.extend(point_of(point).map(|point| PanelSeries {
                labels: Labels::default(),
                points: vec![point],
                histograms: Vec::new(),
            }));
        }
        WholeResult::String(_) => {}
        WholeResult::Vector(all) => answer.series.extend(all.all.iter().take(most).map(|one| PanelSeries {
            labels: labels(interner, &one.metric),
            points: one.value.as_ref().and_then(point_of).into_iter().collect(),
            histograms: one.histogram.as_ref().and_then(histogram_of).into_iter().collect(),
        })),
        WholeResult::Matrix(all) => answer.series.extend(all.all.iter().take(most).map(|one| PanelSeries {
            labels: labels(interner, &one.metric),
            points: one.values.all.iter().filter_map(point_of).collect(),
            histograms: one.histograms.iter().flatten().filter_map(histogram_of).collect(),
        })),
    });
    if matches!(data, WholeResult::String(_)) {
        let message = "the result is a text, which has no values to draw".to_owned();
        return Err(call.server.http.error(ErrorKind::BadQuery { message }));
    }
    Ok(answer)
}

fn point_of(point: &Point<'_>) -> Option<(i64, f64)> {
    Some((millis(point.0?)?, point.any_value()?))
}

fn histogram_of(point: &Value) -> Option<(i64, NativeHistogram)> {
    let (at, histogram) = histogram(point)?;
    Some((millis(at)?, histogram))
}

/// Milliseconds of a moment in seconds; `None` outside the years that can be shown.
fn millis(seconds: f64) -> Option<i64> {
    let millis = (seconds * 1000.0).round();
    #[expect(clippy::cast_possible_truncation, reason = "checked to be exact")]
    (millis.abs() < 9e15).then_some(millis as i64)
}

/// The values of a variable.
///
/// # Errors
/// As for any question; [`ErrorKind::BadQuery`] for a regular expression that cannot be read.
async fn values(
    call: &QuestionRequests<'_>,
    query: &str,
    window: TimeGrid,
    past: Option<Timestamp>,
) -> Result<VariableValues, SourceError> {
    let variables = RangeVariables {
        interval: window.step(),
        rate_interval: (window.step() + SCRAPE_INTERVAL).max(SCRAPE_INTERVAL * 4),
        from: window.start(),
        to: window.end(),
    };
    let query = variables.replace(query);
    match VariableSearch::read(&query) {
        VariableSearch::Nothing => Ok(VariableValues::default()),
        VariableSearch::LabelNames { metric } => {
            let selector = metric.map(|metric| name_selector(&metric));
            names(call, "api/v1/labels", selector.as_deref(), window).await.map(plain_values)
        }
        VariableSearch::LabelValues { label, selector } => {
            let path = format!("api/v1/label/{}/values", path_name(&label));
            names(call, &path, selector.as_deref(), window).await.map(plain_values)
        }
        VariableSearch::MetricNames { pattern } => {
            let pattern = regex::Regex::new(&pattern).map_err(|error| {
                let message = format!("metrics({pattern}): {error}");
                call.server.http.error(ErrorKind::BadQuery { message })
            })?;
            let all = names(call, "api/v1/label/__name__/values", None, window).await?;
            Ok(plain_values(all.into_iter().filter(|name| pattern.is_match(name))))
        }
        VariableSearch::QueryResult { expression } => {
            query_result(call, &expression, past.unwrap_or(window.end())).await
        }
        VariableSearch::Series { selector } => {
            let body = labelled(call, "api/v1/series", Some(&selector), window).await?;
            let (series, warnings) = call.read_or_empty::<LenientList<LenientPairs<'_>>>(&body)?;
            call.note(warnings);
            let series = call.server.reader.label_sets(&series.all);
            Ok(plain_values(series.iter().map(|labels| metric_name(labels).into())))
        }
    }
}

/// The answer of a path that takes a selector and a time range.
async fn labelled(
    call: &QuestionRequests<'_>,
    path: &str,
    selector: Option<&str>,
    window: TimeGrid,
) -> Result<Body, SourceError> {
    let (start, end) = (window.start().as_second().to_string(), window.end().as_second() + length_of(window));
    let end = end.to_string();
    let mut asked = vec![("start", &*start), ("end", &*end)];
    asked.extend(selector.map(|selector| ("match[]", selector)));
    call.get(path, &asked).await
}

async fn names(
    call: &QuestionRequests<'_>,
    path: &str,
    selector: Option<&str>,
    window: TimeGrid,
) -> Result<Vec<Text>, SourceError> {
    let body = labelled(call, path, selector, window).await?;
    let (names, warnings) = call.read_or_empty::<Names<'_>>(&body)?;
    call.note(warnings);
    let text = |name: &LenientText<'_>| call.server.reader.text(&name.0);
    Ok(names.0.iter().map(text).collect())
}

/// The series of an expression, each with its value and time, as texts that the variable's regular expression picks from.
async fn query_result(
    call: &QuestionRequests<'_>,
    expression: &str,
    at: Timestamp,
) -> Result<VariableValues, SourceError> {
    let answer = call.send_limited(expression, EvaluationRange::At(at), MAX_VALUES + 1);
    let body = answer.await?;
    let (data, warnings) = call.read_or_empty::<WholeResult<'_>>(&body)?;
    call.note(
        warnings.into_iter().filter(|warning| !warning.text.contains("truncated due to limit")).collect(),
    );
    let texts: Vec<Text> = call.server.reader.interner(|interner| match &data {
        WholeResult::Scalar(point) | WholeResult::String(point) => vec![(&*point.1.0).into()],
        WholeResult::Vector(all) => {
            let text = |one: &Instant<'_, Value>| {
                let point = one.value.as_ref()?;
                Some(sample_text(&labels(interner, &one.metric), &point.1.0, millis(point.0?)?).into())
            };
            all.all.iter().filter_map(text).collect()
        }
        WholeResult::Matrix(_) => Vec::new(),
    });
    if matches!(data, WholeResult::Matrix(_)) {
        let message =
            "query_result() needs a value for each series, not a range: remove the [range]".to_owned();
        return Err(call.server.http.error(ErrorKind::BadQuery { message }));
    }
    Ok(plain_values(texts))
}

/// Whether a panel needs the interval between samples.
fn needs_scrape_interval(wanted: &PanelQuery) -> bool {
    wanted
        .queries
        .iter()
        .filter_map(|query| PanelTarget::read(query).ok())
        .any(|one| one.needs_scrape_interval())
}
