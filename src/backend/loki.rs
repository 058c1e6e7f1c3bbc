//! Grafana Loki, and servers with its API: log lines, their number over time, and what is new in them.

mod explore;
mod kind;
mod panels;
#[cfg(test)]
mod tests;
mod wire;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use reqwest::header::HeaderValue;

use super::SourceDeps;
use super::handlers::{Handler, kinds, reads};
use super::kit::http::Body;
use super::kit::probe::probe_report;
use super::logs::labels::{FoundLabels, LabelCandidate, identities};
use super::logs::{self, LogServer, LogSpan, LogStore, LogStoreState};
use crate::config::settings::SourceSettings;
use crate::model::ask::{Answer, Answered, AskKind, Reply, Weight};
use crate::model::labels::{Labels, Text};
use crate::model::log::{
    LARGEST_PAGE, LogDirection, LogHistogram, LogPage, LogQuery, LogSeverity, ReadLines,
};
use crate::model::promql::quoted;
use crate::model::query_language::QueryLanguage;
use crate::model::series::TimeGrid;
use crate::model::source::{ErrorKind, SourceError, SourceId};
use crate::model::warning::Warning;
pub(super) use kind::SPEC;
use kind::Settings;

/// Structured metadata come apart from the labels of the stream, which otherwise would be another one for each trace.
const FLAGS: (&str, HeaderValue) =
    ("x-loki-response-encoding-flags", HeaderValue::from_static("categorize-labels"));
/// How long the names of labels are used before they are asked for again.
const NAMES_KEPT: SignedDuration = SignedDuration::from_mins(2);
/// How far back the probe looks for labels.
const PROBED: SignedDuration = SignedDuration::from_mins(10);
/// A query that reads more bytes than this deserves advice.
const WIDE: u64 = 1_000_000_000;

/// What every Loki answers.
const ANSWERS: &[AskKind] = &kinds::<_, { HANDLERS.len() }>(HANDLERS);

const HANDLERS: &[Handler<Loki>] = &{
    let [probe, lines, counts, patterns] = logs::handlers();
    let evaluation = Handler::Evaluation(|source, put, key, window| {
        Box::pin(explore::evaluate(source, key, *window, put.at.past()))
    });
    let labels = Handler::Labels(|source, _, wanted| Box::pin(explore::labels(source, wanted)));
    let panels = Handler::PanelData(|source, put, wanted, window| {
        Box::pin(panels::frames(source, wanted, *window, put.at.past()))
    });
    let variables = Handler::VariableValues(|source, _, wanted, window| {
        Box::pin(panels::values(source, &wanted.query, *window))
    });
    [probe, lines, counts, patterns, evaluation, labels, panels, variables]
};

/// One tenant of one server.
pub(super) struct Loki {
    server: LogServer,
    settings: Settings,
    names: Mutex<Option<(Timestamp, BTreeSet<String>)>>,
    /// The most lines that the server gives in one answer.
    most: AtomicU32,
    /// The index of the label by which lines can be counted, among those of the settings.
    level: AtomicUsize,
}

impl Loki {
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
        Ok(Self {
            server: LogServer::new(id, source, deps)?.speaking(QueryLanguage::LogQl),
            most: AtomicU32::new(settings.max_lines),
            settings,
            names: Mutex::default(),
            level: AtomicUsize::new(0),
        })
    }

    async fn get(&self, weight: Weight, path: &str, query: &[(&str, &str)]) -> Result<Body, SourceError> {
        self.server.get(weight, &format!("loki/api/v1/{path}"), query, &[FLAGS]).await
    }

    /// The names of the labels that streams have.
    async fn names(&self, (from, until): LogSpan) -> Result<BTreeSet<String>, SourceError> {
        let now = self.server.state.clock.now();
        let kept = self.names.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let is_fresh = |(since, names): &(Timestamp, BTreeSet<String>)| {
            now.duration_since(*since) < NAMES_KEPT && !names.is_empty()
        };
        if let Some((_, names)) = kept.filter(is_fresh) {
            return Ok(names);
        }
        let (from, until) = (nanos(from), nanos(until));
        let body = self.get(Weight::Page, "labels", &[("start", &from), ("end", &until)]).await?;
        let names: BTreeSet<String> =
            body.json::<wire::LabelNames<'_>>()?.data.0.into_iter().map(|name| name.0.into_owned()).collect();
        *self.names.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, names.clone()));
        Ok(names)
    }

    /// The labels of the streams that have any of the candidates.
    async fn streams(
        &self,
        candidates: &[LabelCandidate],
        (from, until): LogSpan,
    ) -> Result<Vec<Labels>, SourceError> {
        let (from, until) = (nanos(from), nanos(until));
        let matchers: Vec<String> =
            candidates.iter().map(|one| format!("{{{}={}}}", one.name, quoted(&one.value))).collect();
        let mut query: Vec<(&str, &str)> = vec![("start", &from), ("end", &until)];
        query.extend(matchers.iter().map(|matcher| ("match[]", matcher.as_str())));
        let body = self.get(Weight::Page, "series", &query).await?;
        let series = body.json::<wire::SeriesList<'_>>()?;
        let labels =
            |interner: &mut _| series.data.0.iter().map(|pairs| wire::labels(interner, pairs)).collect();
        Ok(self.server.state.interned(labels))
    }

    /// A warning if the query reads a lot.
    async fn advice(&self, query: &str, window: TimeGrid) -> Option<Warning> {
        // only a stream selector has statistics
        let selector = query.get(..=query.find('}')?)?;
        let (from, until) = (nanos(window.start()), nanos(window.end()));
        let asked = [("query", selector), ("start", &from), ("end", &until)];
        // the statistics are advice only: their failure is no failure of the answer
        let body = self.get(Weight::Chart, "index/stats", &asked).await.ok()?;
        let stats = body.json::<wire::IndexStats>().ok()?;
        let gigabytes = stats.bytes.0 as f64 / WIDE as f64;
        let words = format!(
            "this time range has about {gigabytes:.1} GB of lines in {} streams: a shorter range or more labels are faster",
            stats.streams.0
        );
        (stats.bytes.0 > WIDE).then(|| Warning::notice(words))
    }

    /// The answer about a page, and the number of lines that it has at most.
    async fn page(&self, query: &str, page: &LogPage) -> Result<(Body, u32), SourceError> {
        let (from, until) = (nanos(page.from), nanos(page.until));
        let direction = match page.direction {
            LogDirection::Backward => "backward",
            LogDirection::Forward => "forward",
        };
        loop {
            let limit = page.limit.min(self.most.load(Ordering::Relaxed));
            let limit_text = limit.to_string();
            let asked = [
                ("query", query),
                ("start", &from),
                ("end", &until),
                ("limit", &limit_text),
                ("direction", direction),
            ];
            match self.query_range(Weight::Page, &asked).await {
                Ok(body) => return Ok((body, limit)),
                Err(error) => match limit_in(error.kind.said()).filter(|most| *most < limit) {
                    Some(most) => self.most.store(most, Ordering::Relaxed),
                    None => return Err(error),
                },
            }
        }
    }

    async fn query_range(&self, weight: Weight, query: &[(&str, &str)]) -> Result<Body, SourceError> {
        self.get(weight, "query_range", query).await
    }
}

/// Integers are read as nanoseconds; fractions would be seconds.
fn nanos(at: Timestamp) -> String {
    at.as_nanosecond().max(0).to_string()
}

/// The limit that the server names in its refusal of a larger one.
fn limit_in(message: &str) -> Option<u32> {
    let (_, limit) = message.split_once("limit > max_entries_limit")?.1.rsplit_once("> ")?;
    limit.trim_end_matches([')', '.']).parse().ok().filter(|limit| *limit > 0)
}

impl LogStore for Loki {
    fn kept(&self) -> &LogStoreState {
        &self.server.state
    }

    async fn probe(&self) -> Answered {
        let now = self.server.state.clock.now();
        let from = now.checked_sub(PROBED).unwrap_or(now);
        // a gateway may hide the version, but a tenant that can read logs can list its labels
        let built = self.get(Weight::Vital, "status/buildinfo", &[]).await;
        let version = match &built {
            Ok(body) => body.json::<wire::LokiBuild>().unwrap_or_default().version.0,
            Err(error) if error.kind.is_source_wide() => return Err(error.clone()),
            Err(_) => String::new(),
        };
        let names = self.names((from, now)).await?;
        let mut report = probe_report("Loki", version);
        report.fact("labels", names.iter().take(12).cloned().collect::<Vec<_>>().join(", "));
        report.fact("most lines per answer", self.most.load(Ordering::Relaxed).to_string());
        let date = built.ok().and_then(|body| body.date);
        self.server.report_clock(&mut report, date);
        if names.is_empty() {
            report.warn("it has had no log lines in the last 10 minutes");
        }
        Ok(Reply::free(Answer::Probe(report)))
    }

    async fn find(&self, labels: &Labels, span: LogSpan) -> Result<FoundLabels, SourceError> {
        let names = self.names(span).await?;
        let candidates = identities(labels, &self.settings.labels, |name| names.contains(name));
        if candidates.is_empty() {
            return Ok(FoundLabels::nothing(&candidates, &names));
        }
        let streams = self.streams(&candidates, span).await?;
        let found = FoundLabels::choose(labels, &self.settings.labels, &candidates, &streams);
        Ok(found.unwrap_or_else(|| FoundLabels::nothing(&candidates, &names)))
    }

    fn query(&self, selectors: &[(String, Text)], wanted: &LogQuery) -> String {
        let matchers: Vec<String> =
            selectors.iter().map(|(name, value)| format!("{name}={}", quoted(value))).collect();
        let base =
            wanted.written.as_deref().map_or_else(|| format!("{{{}}}", matchers.join(", ")), str::to_owned);
        match &wanted.contains {
            Some(text) => format!("{base} |= {}", quoted(text)),
            None => base,
        }
    }

    async fn read(&self, query: &str, page: &LogPage) -> Result<ReadLines, SourceError> {
        let (body, limit) = self.page(query, page).await?;
        let answer = body.json::<wire::QueryAnswer<'_>>()?;
        let wire::QueryData::Streams(streams) = answer.data else {
            let reason = "this query gives numbers, not lines".to_owned();
            return Err(self.server.http.error(ErrorKind::BadQuery { message: reason }));
        };
        let read = self.server.state.interned(|interner| wire::read(interner, &streams, page.direction));
        Ok(logs::cut_at(limit, read))
    }

    async fn count(
        &self,
        query: &str,
        window: TimeGrid,
    ) -> Result<(LogHistogram, Vec<Warning>), SourceError> {
        let advice = self.advice(query, window).await;
        let step = window.step().as_secs();
        // a point counts the lines of the step before it, and a bar begins at its point
        let later = |at: Timestamp| at.checked_add(window.step()).unwrap_or(at);
        let (from, until) = (nanos(later(window.start())), nanos(later(window.end())));
        let levels = &self.settings.level_labels;
        let mut at = self.level.load(Ordering::Relaxed);
        loop {
            let level = levels.get(at).map_or("", String::as_str);
            let by = if level.is_empty() { String::new() } else { format!(" by ({level})") };
            let expression = format!("sum{by} (count_over_time({query} [{step}s]))");
            let step_text = format!("{step}s");
            let asked =
                [("query", expression.as_str()), ("start", &from), ("end", &until), ("step", &step_text)];
            let body = self.query_range(Weight::Chart, &asked).await?;
            let answer = body.json::<wire::QueryAnswer<'_>>()?;
            let mut counts = LogHistogram::new(query.into(), window);
            let mut has_level = false;
            if let wire::QueryData::Matrix(series) = &answer.data {
                for one in &series.all {
                    let named = one.metric.0.iter().find(|(name, _)| name.0 == level);
                    has_level |= named.is_some();
                    let severity = named.and_then(|(_, value)| LogSeverity::named(&value.0));
                    for (second, lines) in one.values.0.iter().filter_map(wire::count) {
                        counts.add(severity.unwrap_or_default(), second - window.step().as_secs_f64(), lines);
                    }
                }
            }
            // without this label at any line, the next one is tried; the one that works is kept
            if has_level || counts.lines() == 0 || at >= levels.len() {
                if has_level {
                    self.level.store(at, Ordering::Relaxed);
                }
                return Ok((counts, advice.into_iter().collect()));
            }
            at += 1;
        }
    }
}

reads!(Loki, server);

/// A page is never larger than what Loki gives unless it is configured otherwise.
const _: () = assert!(LARGEST_PAGE == 5000);
