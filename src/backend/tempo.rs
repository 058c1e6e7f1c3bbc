//! Grafana Tempo: single traces, and the slowest and the failed traces of a service by `TraceQL`.

mod kind;
mod search;
mod wire;

use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;

use super::handlers::{Handler, answer_by, kinds};
use super::kit::http::{Body, Http, of_absence};
use super::kit::lenient::unreadable_warning;
use super::kit::otlp::SpansRead;
use super::kit::parts::AnswerParts;
use super::kit::probe;
use super::kit::traces::{
    FoundTraces, SlowestSearch, TraceSettings, object, trace, trace_reply, unknown_service,
};
use super::{Answering, Clock, Source, SourceDeps};
use crate::config::settings::SourceSettings;
use crate::model::ask::{Answer, Answered, Ask, AskKind, Reply, Weight};
use crate::model::labels::Text;
use crate::model::source::{SourceError, SourceId};
use crate::model::source_info::SourceInfo;
use crate::model::trace::{Trace, TraceId};
pub(super) use kind::SPEC;

/// One Tempo, or one tenant of it.
pub(super) struct Tempo {
    info: SourceInfo,
    http: Http,
    clock: Clock,
    settings: TraceSettings,
    /// The server has no API v2 (before 2.6): traces are read by the older one.
    is_old: AtomicBool,
}

const ANSWERS: &[AskKind] = &kinds::<_, { HANDLERS.len() }>(HANDLERS);

const HANDLERS: &[Handler<Tempo>] = &[
    Handler::Probe(|source, _| Box::pin(source.probe())),
    Handler::Trace(|source, _, id| Box::pin(source.trace(*id))),
    Handler::Traces(|source, _, service, from, until| Box::pin(source.traces(service, *from, *until))),
];

impl Source for Tempo {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn load(&self) -> Option<Text> {
        self.http.load()
    }

    fn answer<'a>(&'a self, ask: &'a Ask, known: Option<u64>) -> Answering<'a> {
        answer_by(self, HANDLERS, ask, known)
    }
}

impl Tempo {
    /// Checks the address; sends nothing.
    ///
    /// # Errors
    /// [`crate::model::source::ErrorKind::Unreachable`] if the address is invalid.
    pub(super) fn new(
        id: &SourceId,
        source: &SourceSettings,
        deps: SourceDeps<'_>,
    ) -> Result<Self, SourceError> {
        let http = Http::new(id, source, deps)?;
        Ok(Self {
            info: super::info(id, source, http.address()),
            http,
            clock: deps.clock,
            settings: super::own(id, source)?,
            is_old: AtomicBool::new(false),
        })
    }

    /// Answers a probe: version and clock offset. Versions without build information answer `echo`.
    async fn probe(&self) -> Answered {
        let (body, version) = match self.http.get("api/status/buildinfo", &[]).await {
            Ok(body) => {
                let version = object::<wire::TempoBuild<'_>>(&body)?.version.0.into_owned();
                (body, version)
            }
            Err(error) if error.kind.refused(404).is_some() => {
                let echo = self.http.get("api/echo", &[]).await.map_err(|error| self.explain_error(error))?;
                if !echo.bytes.trim_ascii().eq_ignore_ascii_case(b"echo") {
                    return Err(self.http.error(of_absence("Tempo API", "")));
                }
                (echo, String::new())
            }
            Err(error) => return Err(error),
        };
        let mut report = probe::probe_report("Tempo", version);
        report.fact("traces per search", self.settings.max_traces.to_string());
        report.clock(body.date, self.clock.now(), "one of the two clocks is wrong");
        Ok(Reply::free(Answer::Probe(report)))
    }

    /// Reads one trace, by the API v2 if the server has it.
    async fn trace(&self, id: TraceId) -> Answered {
        if !self.is_old.load(Ordering::Relaxed) {
            match self.http.get_as(Weight::Page, &format!("api/v2/traces/{id}"), &[]).await {
                Ok(body) => return self.of_v2(id, &body),
                Err(error) if error.kind.refused(404).is_some() => {}
                Err(error) => return Err(error),
            }
        }
        match self.http.get_as(Weight::Page, &format!("api/traces/{id}"), &[]).await {
            Ok(body) => {
                // the API v2 answers 200 also for a trace that it does not have
                self.is_old.store(true, Ordering::Relaxed);
                let mut read = SpansRead::default();
                read.add(&object(&body)?);
                Ok(self.reply(id, read, None))
            }
            // for a trace that it does not have, the older API answers with an empty 404
            Err(error) if error.kind.refused(404).is_some_and(is_missing_trace) => Ok(trace_reply(None, 0)),
            Err(error) => Err(self.explain_error(error)),
        }
    }

    fn of_v2(&self, id: TraceId, body: &Body) -> Answered {
        let wire: wire::TraceV2<'_> = object(body)?;
        let mut read = SpansRead::default();
        read.add(&wire.trace);
        let is_partial = wire.status.0.eq_ignore_ascii_case("PARTIAL") || wire.status.0 == "1";
        let partial = is_partial.then(|| Text::from(body.words(&wire.message.0)));
        Ok(self.reply(id, read, partial))
    }

    fn reply(&self, id: TraceId, read: SpansRead, partial: Option<Text>) -> Reply {
        let (spans, lost) = read.into_trace(id);
        let found = trace(id, spans, &self.settings);
        trace_reply(found.map(|trace| Trace { partial, ..trace }), lost)
    }

    /// The slowest and the failed traces of a service. `TraceQL` cannot sort by duration, so searches with rising minimum durations
    /// find the slowest.
    async fn traces(&self, service: &Text, from: Timestamp, until: Timestamp) -> Answered {
        let name = self.settings.service(service);
        let limit = usize::from(self.settings.max_traces);
        let mut search = SlowestSearch::new(limit);
        let mut lost = 0;
        while let Some(minimum) = search.next_minimum() {
            let found = self.search(&search::of_service(name, minimum), from, until).await?;
            lost += found.lost;
            search.take(found.traces);
        }
        let failed = self.search(&search::failed(name), from, until).await?;
        let is_cut = search.is_cut() || failed.traces.len() >= limit;
        let failed_traces = failed.traces.into_iter().map(search::as_failed).collect();
        search.add(failed_traces);
        let snapshot = search.finish(from, until, is_cut);
        let mut parts = AnswerParts::default();
        parts.warnings.extend(unreadable_warning(lost + failed.lost, "traces"));
        if snapshot.traces.is_empty() {
            parts.warnings.extend(unknown_service(name, &self.services().await.unwrap_or_default()));
        }
        Ok(parts.reply(Answer::Traces(snapshot)))
    }

    /// Runs one `TraceQL` search. Its times are in seconds; the part of a second at the end is included.
    async fn search(
        &self,
        query: &str,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<FoundTraces, SourceError> {
        let end = until.as_second().saturating_add(i64::from(until.subsec_nanosecond() > 0));
        let (start, end) = (from.as_second().max(0).to_string(), end.max(1).to_string());
        let limit = self.settings.max_traces.to_string();
        let parameters =
            [("q", query), ("start", &*start), ("end", &*end), ("limit", &*limit), ("spss", "1")];
        let body = self.http.get_as(Weight::Page, "api/search", &parameters).await;
        let body = body.map_err(|error| self.explain_error(error))?;
        Ok(search::found(&object::<wire::SearchResult<'_>>(&body)?, &self.settings))
    }

    /// The names of all services with traces.
    async fn services(&self) -> Result<Vec<String>, SourceError> {
        let path = "api/v2/search/tag/resource.service.name/values";
        let body = self.http.get_as(Weight::Page, path, &[]).await?;
        let values: wire::TagValues<'_> = object(&body)?;
        let mut names: Vec<String> =
            values.tag_values.all.into_iter().map(|value| value.value.0.into_owned()).collect();
        names.sort();
        Ok(names)
    }

    /// Explains a 404 that only says that the path does not exist as a wrong address.
    fn explain_error(&self, error: SourceError) -> SourceError {
        match error.kind.refused(404) {
            Some(said) => self.http.error(of_absence("Tempo API", said)),
            None => error,
        }
    }
}

/// Whether the message of a 404 says that there is no such trace, and not that there is no such path.
fn is_missing_trace(said: &str) -> bool {
    said.is_empty() || said.to_lowercase().contains("trace")
}

#[cfg(test)]
mod tests;
