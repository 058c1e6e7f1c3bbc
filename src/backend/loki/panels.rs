//! The queries of dashboards: numbers and log lines of panels, and values of variables.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;

use super::{Loki, nanos, wire};
use crate::backend::kit::http::Body;
use crate::backend::logs::explore::{labels_span, page};
use crate::backend::logs::{cut_at, number_series};
use crate::backend::panels::frames::{PanelSeries, SeriesNaming, of_series};
use crate::backend::panels::interpolation::RangeVariables;
use crate::backend::panels::shapes::shaped;
use crate::backend::panels::variables::{VariableSearch, plain_values};
use crate::backend::panels::{
    MAX_POINTS, MAX_ROWS, MAX_SERIES, PanelTarget, SCRAPE_INTERVAL, TargetFormat, failure_of,
};
use crate::model::ask::{Answer, Answered, Reply, Weight};
use crate::model::dashboard::PanelQuery;
use crate::model::frame::{DataFrame, PanelFrames, QueryFailure};
use crate::model::labels::Text;
use crate::model::log::{LogDirection, LogLine, LogLines, LogPage, PAGE};
use crate::model::promql::is_plain_name;
use crate::model::query_language::QueryLanguage;
use crate::model::series::TimeGrid;
use crate::model::source::{ErrorKind, SourceError};

/// What one query gave.
enum LokiPanelAnswer {
    /// Frames with the number of their rows.
    Frames(Vec<(usize, DataFrame)>),
    Lines(Vec<Arc<LogLine>>),
}

/// The data of a panel.
pub(super) async fn frames(
    loki: &Loki,
    wanted: &PanelQuery,
    window: TimeGrid,
    past: Option<Timestamp>,
) -> Answered {
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
    let answers = join_all(targets.iter().map(|target| answer(loki, target, window, past))).await;
    let (mut frames, mut formats) = (Vec::new(), Vec::new());
    let mut points = 0;
    for (target, answer) in targets.iter().zip(answers) {
        let (answer, is_cut) = match answer {
            Ok(answer) => answer,
            Err(error) => {
                panel.failures.push(failure_of(&target.ref_id, error)?);
                continue;
            }
        };
        panel.is_cut |= is_cut;
        match answer {
            LokiPanelAnswer::Lines(mut lines) => panel.lines.append(&mut lines),
            LokiPanelAnswer::Frames(of_query) => {
                formats.push((target.ref_id.clone(), target.format));
                for (rows, frame) in of_query {
                    points += rows;
                    if points > MAX_POINTS {
                        panel.is_cut = true;
                        break;
                    }
                    frames.push(frame);
                }
            }
        }
    }
    panel.lines.sort_by_key(|line| line.at);
    panel.frames = shaped(frames, &formats);
    Ok(Reply::free(Answer::PanelData(Arc::new(panel))))
}

/// What a query gave, and whether there is more.
async fn answer(
    loki: &Loki,
    target: &PanelTarget,
    window: TimeGrid,
    past: Option<Timestamp>,
) -> Result<(LokiPanelAnswer, bool), SourceError> {
    let (grid, variables) = target.grid(window, SCRAPE_INTERVAL);
    let target = &target.clone().with(&variables);
    if QueryLanguage::LogQl.gives_lines(&target.expression) {
        return lines(loki, target, window, past).await;
    }
    let mut frames = Vec::new();
    let mut is_cut = false;
    if target.is_range {
        let (start, end) = (nanos(grid.start()), nanos(grid.end()));
        let step = format!("{}s", grid.step().as_secs());
        let asked = [("query", &*target.expression), ("start", &start), ("end", &end), ("step", &step)];
        let body = loki.query_range(Weight::Chart, &asked).await?;
        is_cut |= take(loki, target, &body, MAX_SERIES, Some(grid.step()), &mut frames)?;
    }
    if target.is_instant {
        let now = loki.server.state.clock.now();
        let is_live = now.duration_since(window.end()).unsigned_abs() <= window.step();
        let at = past.unwrap_or(if is_live { now } else { window.end() });
        let time = nanos(at);
        let asked = [("query", &*target.expression), ("time", &time)];
        let body = loki.get(Weight::Chart, "query", &asked).await?;
        is_cut |= take(loki, target, &body, MAX_ROWS, None, &mut frames)?;
    }
    Ok((LokiPanelAnswer::Frames(frames), is_cut))
}

/// Adds the frames of an answer; whether there were more.
fn take(
    loki: &Loki,
    target: &PanelTarget,
    body: &Body,
    most: usize,
    step: Option<Duration>,
    frames: &mut Vec<(usize, DataFrame)>,
) -> Result<bool, SourceError> {
    let mut series = number_series(&loki.server, body)?;
    let is_cut = series.len() > most;
    series.truncate(most);
    let step = step.filter(|_| target.format == TargetFormat::TimeSeries);
    let framed = |one: PanelSeries| (one.points.len(), of_series(target, SeriesNaming::Labels, one, step));
    frames.extend(series.into_iter().map(framed));
    Ok(is_cut)
}

/// The newest lines of a query, or the oldest if it asks for those.
async fn lines(
    loki: &Loki,
    target: &PanelTarget,
    window: TimeGrid,
    past: Option<Timestamp>,
) -> Result<(LokiPanelAnswer, bool), SourceError> {
    let most = target.max_lines.unwrap_or(PAGE).clamp(1, PAGE);
    let direction = if target.is_forward { LogDirection::Forward } else { LogDirection::Backward };
    let page = LogPage { direction, limit: most, ..page(Some(window), past, loki.server.state.clock.now()) };
    let (body, limit) = loki.page(&target.expression, &page).await?;
    let answer = body.json::<wire::QueryAnswer<'_>>()?;
    let wire::QueryData::Streams(streams) = answer.data else {
        let message = "this query gives numbers, not lines".to_owned();
        return Err(loki.server.http.error(ErrorKind::BadQuery { message }));
    };
    let read = loki.server.state.interned(|interner| wire::read(interner, &streams, page.direction));
    let read = cut_at(limit, read);
    let is_cut = read.is_cut;
    Ok((LokiPanelAnswer::Lines(LogLines::of_page("".into(), Vec::new(), &page, read).lines), is_cut))
}

/// The values of a variable.
pub(super) async fn values(loki: &Loki, query: &str, window: TimeGrid) -> Answered {
    let variables = RangeVariables {
        interval: window.step(),
        rate_interval: window.step().max(SCRAPE_INTERVAL * 4),
        from: window.start(),
        to: window.end(),
    };
    let query = variables.replace(query);
    let (path, selector) = match VariableSearch::read(&query) {
        VariableSearch::LabelNames { .. } => ("labels".to_owned(), None),
        VariableSearch::LabelValues { label, selector } if is_plain_name(&label) => {
            (format!("label/{label}/values"), selector)
        }
        // no label of Loki has such a name
        VariableSearch::Nothing | VariableSearch::LabelValues { .. } => return Ok(reply(Vec::new())),
        VariableSearch::MetricNames { .. }
        | VariableSearch::QueryResult { .. }
        | VariableSearch::Series { .. } => {
            let message = format!(
                "{query}: Loki has label_names(), label_values(label) and label_values(selector, label)"
            );
            return Err(loki.server.http.error(ErrorKind::BadQuery { message }));
        }
    };
    // a short range would not have the values of streams that are silent just now
    let (earliest, _) = labels_span(window.end());
    let (from, until) = (nanos(window.start().min(earliest)), nanos(window.end()));
    let mut asked = vec![("start", &*from), ("end", &*until)];
    asked.extend(selector.as_deref().map(|selector| ("query", selector)));
    let body = loki.get(Weight::Page, &path, &asked).await?;
    let names = body.json::<wire::LabelNames<'_>>()?;
    Ok(reply(names.data.0.iter().map(|name| Text::from(&*name.0)).collect()))
}

fn reply(values: Vec<Text>) -> Reply {
    Reply::free(Answer::VariableValues(plain_values(values)))
}
