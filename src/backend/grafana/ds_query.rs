//! Panels' queries to any data source through `POST /api/ds/query`.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Grafana;
use super::frame_wire::{QueryResults, WireFrame};
use super::log_frames::log_lines;
use super::resolution::ResolvedDataSource;
use crate::backend::kit::http::Body;
use crate::backend::panels::frames::VALUE;
use crate::backend::panels::interpolation::RangeVariables;
use crate::backend::panels::shapes::shaped;
use crate::backend::panels::{
    MAX_POINTS, MAX_SERIES, PanelTarget, SCRAPE_INTERVAL, TargetFormat, failure_words,
};
use crate::model::ask::{Answer, Answered, Reply, Weight};
use crate::model::dashboard::{PanelQuery, PanelSubquery};
use crate::model::frame::{DataFrame, PanelFrames, QueryFailure};
use crate::model::labels::Text;
use crate::model::series::TimeGrid;
use crate::model::source::{ErrorKind, SourceError};

/// The most frames of one query that are kept.
const MAX_FRAMES: usize = MAX_SERIES * 2;

/// One query with its data source.
#[derive(Debug, Clone)]
pub(super) struct GrafanaQuery {
    pub(super) ref_id: Text,
    pub(super) data_source: ResolvedDataSource,
    pub(super) json: Value,
    /// Whether it is only used by others.
    pub(super) is_hidden: bool,
}

/// What one query gave.
#[derive(Debug, Default)]
pub(super) struct GrafanaAnswer {
    pub(super) frames: Vec<DataFrame>,
    pub(super) lines: Vec<Arc<crate::model::log::LogLine>>,
    /// The server's words, if it failed.
    pub(super) failure: Option<String>,
    pub(super) is_cut: bool,
}

/// A range of time, and how finely it is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct GrafanaRange {
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    pub(super) step: Duration,
    pub(super) points: usize,
}

impl GrafanaRange {
    /// The range of a grid; the end of a live one was rounded down to its step, so that it is `now`.
    pub(super) fn of(window: TimeGrid, past: Option<Timestamp>, now: Timestamp) -> Self {
        let age = now.duration_since(window.end());
        let is_live = past.is_none() && !age.is_negative() && age.unsigned_abs() <= window.step();
        let to = if is_live { now } else { window.end() };
        Self { from: window.start(), to, step: window.step(), points: window.count() }
    }

    pub(super) fn variables(self) -> RangeVariables {
        let rate = (self.step + SCRAPE_INTERVAL).max(SCRAPE_INTERVAL * 4);
        RangeVariables { interval: self.step, rate_interval: rate, from: self.from, to: self.to }
    }
}

impl GrafanaQuery {
    /// The query as Grafana's page would send it.
    fn sent(&self, range: GrafanaRange) -> Value {
        let mut json = self.json.clone();
        // the servers of these two replace the variables of the range themselves, with the step that they choose
        if !self.data_source.is_prometheus() && !self.data_source.is_of("loki") {
            range.variables().replace_all(&mut json);
        }
        let mut object = match json {
            Value::Object(object) => object,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                serde_json::Map::new()
            }
        };
        let mut data_source = json!({"uid": &*self.data_source.uid});
        if let (Some(kind), Some(object)) = (&self.data_source.kind, data_source.as_object_mut()) {
            object.insert("type".to_owned(), (**kind).into());
        }
        object.insert("refId".to_owned(), (*self.ref_id).into());
        object.insert("datasource".to_owned(), data_source);
        object.remove("datasourceId");
        let interval = u64::try_from(range.step.as_millis()).unwrap_or(u64::MAX);
        object.entry("intervalMs").or_insert_with(|| interval.into());
        object.entry("maxDataPoints").or_insert_with(|| range.points.into());
        Value::Object(object)
    }
}

impl Grafana {
    /// Answers the question for the data of a panel: one request for each data source, or one for all if there are expressions.
    pub(super) async fn panel(
        &self,
        wanted: &PanelQuery,
        window: TimeGrid,
        past: Option<Timestamp>,
    ) -> Answered {
        let mut panel = PanelFrames::default();
        let mut queries = Vec::new();
        for subquery in &wanted.queries {
            match self.query_of(subquery).await {
                Ok(query) => queries.push(query),
                Err(reason) => panel
                    .failures
                    .push(QueryFailure { ref_id: subquery.ref_id.clone(), message: reason.into() }),
            }
        }
        let has_expressions = queries.iter().any(|query| query.data_source.is_expression());
        queries.retain(|query| has_expressions || !query.is_hidden);
        let range = GrafanaRange::of(window, past, self.clock.now());
        let answers = self.asked(&queries, range).await?;
        let mut points = 0;
        let (mut frames, mut formats) = (Vec::new(), Vec::new());
        for (query, answer) in queries.iter().zip(answers) {
            if let Some(message) = answer.failure {
                panel.failures.push(QueryFailure { ref_id: query.ref_id.clone(), message: message.into() });
            } else if !query.is_hidden {
                formats.push((query.ref_id.clone(), format_of(query)));
            }
            if query.is_hidden {
                continue;
            }
            panel.is_cut |= answer.is_cut;
            panel.lines.extend(answer.lines);
            for frame in answer.frames {
                points += frame.rows().saturating_mul(frame.fields.len());
                if points > MAX_POINTS * 2 {
                    panel.is_cut = true;
                    break;
                }
                frames.push(frame);
            }
        }
        panel.lines.sort_by_key(|line| line.at);
        panel.frames = shaped(frames, &formats);
        Ok(Reply::free(Answer::PanelData(Arc::new(panel))))
    }

    async fn query_of(&self, subquery: &PanelSubquery) -> Result<GrafanaQuery, String> {
        let json: Value =
            serde_json::from_str(&subquery.json).map_err(|error| format!("the query is no JSON: {error}"))?;
        if !json.is_object() {
            return Err("the query is no object".to_owned());
        }
        let is_hidden = json.get("hide").and_then(Value::as_bool).unwrap_or(false);
        let data_source = self.resolved(&subquery.data_source).await?;
        Ok(GrafanaQuery { ref_id: subquery.ref_id.clone(), data_source, json, is_hidden })
    }

    /// The answers to queries, in their order.
    ///
    /// # Errors
    /// An error that concerns all of Grafana, if nothing was answered; any other is the failure of its queries.
    pub(super) async fn asked(
        &self,
        queries: &[GrafanaQuery],
        range: GrafanaRange,
    ) -> Result<Vec<GrafanaAnswer>, SourceError> {
        let has_expressions = queries.iter().any(|query| query.data_source.is_expression());
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for (at, query) in queries.iter().enumerate() {
            let is_same = |group: &&mut Vec<usize>| {
                let first = group.first().and_then(|first| queries.get(*first));
                has_expressions || first.is_some_and(|first| first.data_source.uid == query.data_source.uid)
            };
            match groups.iter_mut().find(is_same) {
                Some(group) => group.push(at),
                None => groups.push(vec![at]),
            }
        }
        let sent = groups.iter().map(|group| self.sent(queries, group, range));
        let mut answers: Vec<GrafanaAnswer> = queries.iter().map(|_| GrafanaAnswer::default()).collect();
        let mut whole = None;
        let mut has_answer = false;
        for (group, answer) in groups.iter().zip(join_all(sent).await) {
            let read = answer.and_then(|body| {
                let results = body.json::<QueryResults<'_>>()?;
                let part = |at: &usize| Some((*at, answer_of(queries.get(*at)?, &results, &body)));
                Ok(group.iter().filter_map(part).collect::<Vec<_>>())
            });
            match read {
                Ok(parts) => {
                    has_answer = true;
                    for (at, part) in parts {
                        if let Some(answer) = answers.get_mut(at) {
                            *answer = part;
                        }
                    }
                }
                Err(error) => {
                    let name =
                        group.first().and_then(|at| queries.get(*at)).map(|query| &query.data_source.name);
                    let words = refusal_words(&error.kind, name.map_or("", |name| name));
                    for at in group {
                        if let Some(answer) = answers.get_mut(*at) {
                            answer.failure = Some(words.clone());
                        }
                    }
                    if concerns_all(&error.kind) {
                        whole.get_or_insert(error);
                    }
                }
            }
        }
        match whole {
            Some(error) if !has_answer => Err(error),
            Some(_) | None => Ok(answers),
        }
    }

    async fn sent(
        &self,
        queries: &[GrafanaQuery],
        group: &[usize],
        range: GrafanaRange,
    ) -> Result<Body, SourceError> {
        let sent: Vec<Value> =
            group.iter().filter_map(|at| queries.get(*at)).map(|query| query.sent(range)).collect();
        let body = json!({
            "queries": sent,
            "from": range.from.as_millisecond().to_string(),
            "to": range.to.as_millisecond().to_string(),
        });
        let answer = self.http.post_grafana_query(Weight::Chart, &[], &body).await?;
        self.skew.follow(answer.date, self.clock.now());
        Ok(answer)
    }
}

/// The form in which Grafana's page shows the frames of a query: those of Prometheus are made into tables and heat maps there.
fn format_of(query: &GrafanaQuery) -> TargetFormat {
    if !query.data_source.is_prometheus() {
        return TargetFormat::TimeSeries;
    }
    let subquery = PanelSubquery {
        ref_id: query.ref_id.clone(),
        data_source: crate::model::dashboard::DataSourceRef::default(),
        json: query.json.to_string().into(),
    };
    PanelTarget::read(&subquery).map_or(TargetFormat::TimeSeries, |target| target.format)
}

/// The part of an answer that is about one query.
fn answer_of(query: &GrafanaQuery, results: &QueryResults<'_>, body: &Body) -> GrafanaAnswer {
    let Some(found) = results.results.get(&*query.ref_id) else {
        let failure = "Grafana gave no result for this query".to_owned();
        return GrafanaAnswer { failure: Some(failure), ..GrafanaAnswer::default() };
    };
    let mut answer = GrafanaAnswer::default();
    let status = found.status.0;
    if !found.error.0.is_empty() || status >= 400 {
        let said = body.words(&found.error.0);
        let said = if said.is_empty() { format!("status {status} without a message") } else { said };
        answer.failure = Some(with_reason(&said));
    }
    if found.frames.lost > 0 {
        let notice: Text = format!("{} frames could not be read", found.frames.lost).into();
        answer.frames.push(DataFrame {
            ref_id: query.ref_id.clone(),
            notices: vec![notice],
            ..DataFrame::default()
        });
    }
    let mut size = 0_usize;
    for frame in &found.frames.all {
        size = size.saturating_add(frame.size());
        if size > MAX_POINTS * 2 || answer.frames.len() >= MAX_FRAMES {
            answer.is_cut = true;
            break;
        }
        if frame.is_of_logs() {
            answer.lines.extend(log_lines(frame, &query.ref_id));
        } else {
            answer.frames.push(read_frame(query, frame));
        }
    }
    // Grafana sends an empty frame for a query without any series
    answer.frames.retain(|frame| !frame.fields.is_empty() || !frame.notices.is_empty());
    answer
}

fn read_frame(query: &GrafanaQuery, frame: &WireFrame<'_>) -> DataFrame {
    let mut frame = frame.read(&query.ref_id);
    if query.data_source.is_prometheus() {
        for field in &mut frame.fields {
            // the name of the metric, which the display name has anyway
            if field.labels.get("__name__").is_some_and(|name| *name == field.name) {
                field.name = VALUE.into();
            }
        }
    }
    frame
}

/// Whether an error has the same cause for all data sources.
fn concerns_all(kind: &ErrorKind) -> bool {
    match kind {
        ErrorKind::Unreachable { .. }
        | ErrorKind::Certificate { .. }
        | ErrorKind::Unauthorised { .. }
        | ErrorKind::Redirected { .. }
        | ErrorKind::RateLimited { .. }
        | ErrorKind::NoSecret { .. }
        | ErrorKind::Garbled { .. }
        | ErrorKind::Internal { .. } => true,
        ErrorKind::TimedOut { .. }
        | ErrorKind::Forbidden { .. }
        | ErrorKind::Refused { .. }
        | ErrorKind::TooLarge { .. }
        | ErrorKind::BadQuery { .. }
        | ErrorKind::NotOffered { .. }
        | ErrorKind::Unfit { .. }
        | ErrorKind::Local { .. } => false,
    }
}

/// What a refusal of all queries to a data source means.
pub(super) fn refusal_words(kind: &ErrorKind, name: &str) -> String {
    match kind {
        ErrorKind::Forbidden { .. } => {
            format!("the token may not query the data source {name} (right datasources:query): {kind}")
        }
        ErrorKind::Refused { status: 404, message } if is_absent(message) => {
            format!(
                "Grafana has no data source {name}: it was deleted or renamed, or the token may not see it ({kind})"
            )
        }
        ErrorKind::Unreachable { .. }
        | ErrorKind::Certificate { .. }
        | ErrorKind::TimedOut { .. }
        | ErrorKind::Unauthorised { .. }
        | ErrorKind::Redirected { .. }
        | ErrorKind::RateLimited { .. }
        | ErrorKind::Refused { .. }
        | ErrorKind::Garbled { .. }
        | ErrorKind::TooLarge { .. }
        | ErrorKind::BadQuery { .. }
        | ErrorKind::NotOffered { .. }
        | ErrorKind::Unfit { .. }
        | ErrorKind::NoSecret { .. }
        | ErrorKind::Local { .. }
        | ErrorKind::Internal { .. } => with_reason(&failure_words(kind)),
    }
}

fn is_absent(message: &str) -> bool {
    message.to_lowercase().contains("data source")
}

/// A message with what it means, for data sources that are only a page in the browser.
fn with_reason(message: &str) -> String {
    const WITHOUT_BACKEND: [&str; 5] = [
        "plugin unavailable",
        "plugin.unavailable",
        "plugin not registered",
        "plugin.notregistered",
        "not implemented",
    ];
    let lower = message.to_lowercase();
    if WITHOUT_BACKEND.iter().any(|words| lower.contains(words)) {
        format!("{message}: the plug-in of this data source is not running or answers only in a browser")
    } else {
        message.to_owned()
    }
}

#[cfg(test)]
mod tests;
