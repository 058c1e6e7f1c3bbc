//! VictoriaLogs: log lines, their number over time, and what is new in them.

mod explore;
mod kind;
#[cfg(test)]
mod tests;
mod wire;

use std::collections::BTreeSet;

use jiff::Timestamp;
use reqwest::header::HeaderValue;
use url::form_urlencoded;

use super::SourceDeps;
use super::handlers::{Handler, kinds, reads};
use super::kit::http::Body;
use super::kit::probe::probe_report;
use super::logs::labels::{FoundLabels, LabelCandidate, identities};
use super::logs::{self, LogServer, LogSpan, LogStore, LogStoreState};
use crate::config::settings::SourceSettings;
use crate::model::ask::{Answer, Answered, AskKind, Reply, Weight};
use crate::model::labels::{Labels, Text};
use crate::model::log::{LogDirection, LogHistogram, LogPage, LogQuery, LogSeverity, ReadLines};
use crate::model::promql::{is_plain_name, literal, quoted};
use crate::model::query_language::QueryLanguage;
use crate::model::series::TimeGrid;
use crate::model::source::{ErrorKind, SourceError, SourceId};
use crate::model::warning::Warning;
pub(super) use kind::SPEC;
use kind::Settings;

/// The newest lines that are looked at to find the fields that stand for the labels of an alert.
const SAMPLED: &str = "200";
/// The most streams that are looked at for that.
const STREAMS: &str = "1000";
/// The most values of the severity that are counted apart.
const LEVELS: &str = "20";

/// What every server answers.
const ANSWERS: &[AskKind] = &kinds::<_, { HANDLERS.len() }>(HANDLERS);

const HANDLERS: &[Handler<VictoriaLogs>] = &{
    let [probe, lines, counts, patterns] = logs::handlers();
    let evaluation = Handler::Evaluation(|source, put, key, window| {
        Box::pin(explore::evaluate(source, key, *window, put.at.past()))
    });
    let labels = Handler::Labels(|source, _, wanted| Box::pin(explore::labels(source, wanted)));
    [probe, lines, counts, patterns, evaluation, labels]
};

/// One tenant of one server.
pub(super) struct VictoriaLogs {
    server: LogServer,
    settings: Settings,
    /// The headers that select the tenant.
    headers: Vec<(&'static str, HeaderValue)>,
    /// How long a query may take: longer evaluation is useless, because the client does not wait longer.
    timeout: String,
}

impl VictoriaLogs {
    /// Checks the address; sends nothing.
    ///
    /// # Errors
    /// [`crate::model::source::ErrorKind::Unreachable`] if the address is invalid.
    pub(super) fn new(
        id: &SourceId,
        source: &SourceSettings,
        deps: SourceDeps<'_>,
    ) -> Result<Self, SourceError> {
        let settings: Settings = super::own(id, source)?;
        let tenant = [("accountid", settings.account_id), ("projectid", settings.project_id)];
        let headers =
            tenant.into_iter().filter_map(|(name, id)| Some((name, HeaderValue::from(id?)))).collect();
        Ok(Self {
            server: LogServer::new(id, source, deps)?.speaking(QueryLanguage::LogsQl),
            settings,
            headers,
            timeout: format!("{:.1}s", logs::server_limit(deps).as_secs_f64()),
        })
    }

    async fn get(&self, weight: Weight, path: &str, query: &[(&str, &str)]) -> Result<Body, SourceError> {
        self.server.get(weight, path, query, &self.headers).await
    }

    /// A query about a time range, which always has an end and a time-out.
    async fn select(
        &self,
        weight: Weight,
        path: &str,
        query: &str,
        (from, until): LogSpan,
        more: &[(&str, &str)],
    ) -> Result<Body, SourceError> {
        let (from, until) = (from.to_string(), until.to_string());
        let mut asked =
            vec![("query", query), ("start", &*from), ("end", &*until), ("timeout", &*self.timeout)];
        asked.extend(more);
        self.get(weight, &format!("select/logsql/{path}"), &asked).await
    }

    /// The labels of the streams of a query, of up to [`STREAMS`] of them.
    async fn streams(&self, query: &str, span: LogSpan) -> Result<Vec<Labels>, SourceError> {
        let body = self.select(Weight::Page, "streams", query, span, &[("limit", STREAMS)]).await?;
        let list = body.json::<wire::ValueList<'_>>()?;
        Ok(list.values.all.iter().map(|one| wire::stream_labels(&one.value.0)).collect())
    }
}

/// The name of a field as a query has it.
fn field(name: &str) -> String {
    if is_plain_name(name) { name.to_owned() } else { quoted(name) }
}

/// Lines with any of the candidates.
fn any_of(candidates: &[LabelCandidate]) -> String {
    let each: Vec<String> =
        candidates.iter().map(|one| format!("{}:={}", field(&one.name), quoted(&one.value))).collect();
    each.join(" or ")
}

impl LogStore for VictoriaLogs {
    fn kept(&self) -> &LogStoreState {
        &self.server.state
    }

    async fn probe(&self) -> Answered {
        let now = self.server.state.clock.now();
        let body = match self.get(Weight::Vital, "health", &[]).await {
            Ok(body) => body,
            Err(error) if error.kind.is_source_wide() => return Err(error),
            // a gateway may hide the health check: a query that reads nothing tells the same
            Err(_) => self.select(Weight::Vital, "query", "*", (now, now), &[("limit", "1")]).await?,
        };
        let mut report = probe_report("VictoriaLogs", "");
        let tenant = self.settings.account_id.zip(self.settings.project_id);
        report.fact(
            "tenant",
            tenant.map_or(String::new(), |(account, project)| format!("{account}:{project}")),
        );
        self.server.report_clock(&mut report, body.date);
        Ok(Reply::free(Answer::Probe(report)))
    }

    async fn find(&self, labels: &Labels, span: LogSpan) -> Result<FoundLabels, SourceError> {
        // a candidate that no line has costs nothing here, so that all names can be tried at once
        let candidates = identities(labels, &self.settings.labels, |_| true);
        if candidates.is_empty() {
            return Ok(FoundLabels::nothing(&candidates, &BTreeSet::new()));
        }
        let query = any_of(&candidates);
        let mut known = self.streams(&query, span).await?;
        // fields that do not belong to the stream are known from the lines
        let page = LogPage { from: span.0, until: span.1, direction: LogDirection::Backward, limit: 0 };
        let more = [("limit", SAMPLED)];
        let body = self.select(Weight::Page, "query", &query, (page.from, page.until), &more).await?;
        let lines = self.lines(&body)?.lines;
        known.extend(lines.iter().map(|line| line.labels.merged_with(&line.fields)));
        let found = FoundLabels::choose(labels, &self.settings.labels, &candidates, &known);
        if let Some(found) = found {
            return Ok(found);
        }
        let body = self.select(Weight::Page, "field_names", "*", span, &[]).await?;
        let names = body.json::<wire::ValueList<'_>>()?;
        let names = names.values.all.iter().map(|one| one.value.0.to_string());
        let names = names.filter(|name| !name.starts_with('_')).collect();
        Ok(FoundLabels::nothing(&candidates, &names))
    }

    fn query(&self, selectors: &[(String, Text)], wanted: &LogQuery) -> String {
        let matchers = selectors.iter().map(|(name, value)| format!("{}:={}", field(name), quoted(value)));
        let base = match &wanted.written {
            Some(written) => written.to_string(),
            // labels of a stream select it by its index
            None if wanted.is_stream => {
                let labels: Vec<String> = selectors
                    .iter()
                    .map(|(name, value)| format!("{}={}", field(name), quoted(value)))
                    .collect();
                format!("{{{}}}", labels.join(","))
            }
            None => matchers.collect::<Vec<_>>().join(" "),
        };
        let Some(text) = &wanted.contains else { return base };
        // a regular expression finds a part of a word, a phrase only whole words
        let filter = format!("_msg:~{}", quoted(&literal(text)));
        match base.split_once('|') {
            Some((filters, pipes)) => format!("({}) {filter} | {}", filters.trim(), pipes.trim()),
            None if wanted.written.is_some() => format!("({base}) {filter}"),
            None => format!("{base} {filter}"),
        }
    }

    fn link(&self, query: &str, (from, until): LogSpan) -> Option<Text> {
        let range = until.as_second() - from.as_second();
        let asked = form_urlencoded::Serializer::new(String::new())
            .append_pair("query", query)
            .append_pair("g0.range_input", &format!("{range}s"))
            .append_pair("g0.end_input", &until.strftime("%Y-%m-%dT%H:%M:%S").to_string())
            .append_pair("g0.relative_time", "none")
            .finish();
        Some(format!("{}/select/vmui/?#/?{asked}", self.server.http.address()).into())
    }

    async fn read(&self, query: &str, page: &LogPage) -> Result<ReadLines, SourceError> {
        let limit = page.limit.to_string();
        // the argument `limit` gives the newest lines; for the oldest they are sorted there
        let oldest = format!("{query} | sort by (_time) limit {limit}");
        let (query, more) = match page.direction {
            LogDirection::Backward => (query, vec![("limit", limit.as_str())]),
            LogDirection::Forward => (oldest.as_str(), vec![("limit", limit.as_str())]),
        };
        let body = self.select(Weight::Page, "query", query, (page.from, page.until), &more).await?;
        Ok(logs::cut_at(page.limit, self.lines(&body)?))
    }

    async fn count(
        &self,
        query: &str,
        window: TimeGrid,
    ) -> Result<(LogHistogram, Vec<Warning>), SourceError> {
        let step = format!("{}s", window.step().as_secs());
        let end = window.end().checked_add(window.step()).unwrap_or(window.end());
        let more = [("step", step.as_str()), ("field", &self.settings.level_field), ("fields_limit", LEVELS)];
        let body = self.select(Weight::Chart, "hits", query, (window.start(), end), &more).await?;
        let answer = body.json::<wire::Hits<'_>>()?;
        let mut counts = LogHistogram::new(query.into(), window);
        for group in &answer.hits.all {
            // the rest beyond the limit of values comes without fields
            let level = group.fields.0.iter().find(|(name, _)| name.0 == self.settings.level_field);
            let severity = level.and_then(|(_, value)| LogSeverity::named(&value.0)).unwrap_or_default();
            for (at, lines) in group.timestamps.0.iter().zip(&group.values.0) {
                if let Ok(at) = at.0.parse::<Timestamp>() {
                    counts.add(severity, at.as_second() as f64, lines.0);
                }
            }
        }
        Ok((counts, Vec::new()))
    }
}

impl VictoriaLogs {
    /// The lines of an answer, a JSON object in each line.
    fn lines(&self, body: &Body) -> Result<ReadLines, SourceError> {
        let fields = (self.settings.message_field.as_str(), self.settings.level_field.as_str());
        let read = self.server.state.interned(|interner| wire::read(interner, &body.bytes, fields));
        read.map_err(|reason| self.server.http.error(ErrorKind::Garbled { reason: body.words(&reason) }))
    }
}

reads!(VictoriaLogs, server);
