//! Grafana Tempo: single traces, and the slowest and the failed traces of a service by `TraceQL`.

mod kind;
mod search;
mod wire;

use std::sync::atomic::{AtomicBool, Ordering};

use super::SourceDeps;
use super::handlers::{Handler, kinds, reads};
use super::kit::http::{Body, of_absence};
use super::kit::otlp::SpansRead;
use super::kit::probe;
use super::traces::{self, FoundTraces, TraceInput, TraceServer, TraceStore, object, trace, trace_reply};
use crate::config::settings::SourceSettings;
use crate::model::ask::{Answered, AskKind, Reply, Weight};
use crate::model::labels::Text;
use crate::model::source::{SourceError, SourceId};
use crate::model::trace::{Trace, TraceId};
pub(super) use kind::SPEC;

/// One Tempo, or one tenant of it.
pub(super) struct Tempo {
    server: TraceServer,
    /// The server has no API v2 (before 2.6): traces are read by the older one.
    is_old: AtomicBool,
}

const ANSWERS: &[AskKind] = &kinds::<_, { HANDLERS.len() }>(HANDLERS);

const HANDLERS: &[Handler<Tempo>] = &traces::handlers();

reads!(Tempo, server);

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
        Ok(Self { server: TraceServer::new(id, source, deps)?, is_old: AtomicBool::new(false) })
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
        let found = trace(id, spans, &self.server.settings);
        trace_reply(found.map(|trace| Trace { partial, ..trace }), lost)
    }

    fn explain_error(&self, error: SourceError) -> SourceError {
        self.server.http.explain_absence("Tempo API", error)
    }
}

impl TraceStore for Tempo {
    const LOST: &'static str = "traces";

    fn server(&self) -> &TraceServer {
        &self.server
    }

    /// Answers a probe: version and clock offset. Versions without build information answer `echo`.
    async fn probe(&self) -> Answered {
        let (body, version) = match self.server.http.get("api/status/buildinfo", &[]).await {
            Ok(body) => {
                let version = object::<wire::TempoBuild<'_>>(&body)?.version.0.into_owned();
                (body, version)
            }
            Err(error) if error.kind.refused(404).is_some() => {
                let echo =
                    self.server.http.get("api/echo", &[]).await.map_err(|error| self.explain_error(error))?;
                if !echo.bytes.trim_ascii().eq_ignore_ascii_case(b"echo") {
                    return Err(self.server.http.error(of_absence("Tempo API", "")));
                }
                (echo, String::new())
            }
            Err(error) => return Err(error),
        };
        let mut report = probe::probe_report("Tempo", version);
        report.fact("traces per search", self.server.settings.max_traces.to_string());
        Ok(self.server.report(report, body.date))
    }

    /// Reads one trace, by the API v2 if the server has it.
    async fn trace(&self, id: TraceId) -> Answered {
        if !self.is_old.load(Ordering::Relaxed) {
            match self.server.http.get_as(Weight::Page, &format!("api/v2/traces/{id}"), &[]).await {
                Ok(body) => return self.of_v2(id, &body),
                Err(error) if error.kind.refused(404).is_some() => {}
                Err(error) => return Err(error),
            }
        }
        match self.server.http.get_as(Weight::Page, &format!("api/traces/{id}"), &[]).await {
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

    /// Runs one `TraceQL` search. Its times are in seconds; the part of a second at the end is included.
    async fn search(&self, wanted: &TraceInput<'_>) -> Result<FoundTraces, SourceError> {
        let TraceInput { from, until, .. } = *wanted;
        let query = search::query(wanted);
        let end = until.as_second().saturating_add(i64::from(until.subsec_nanosecond() > 0));
        let (start, end) = (from.as_second().max(0).to_string(), end.max(1).to_string());
        let limit = self.server.settings.max_traces.to_string();
        let parameters =
            [("q", query.as_str()), ("start", &*start), ("end", &*end), ("limit", &*limit), ("spss", "1")];
        let body = self.server.http.get_as(Weight::Page, "api/search", &parameters).await;
        let body = body.map_err(|error| self.explain_error(error))?;
        Ok(search::found(&object::<wire::SearchResult<'_>>(&body)?, wanted, &self.server.settings))
    }

    /// The names of all services with traces.
    async fn services(&self) -> Result<Vec<String>, SourceError> {
        let path = "api/v2/search/tag/resource.service.name/values";
        let body = self.server.http.get_as(Weight::Page, path, &[]).await?;
        let values: wire::TagValues<'_> = object(&body)?;
        let mut names: Vec<String> =
            values.tag_values.all.into_iter().map(|value| value.value.0.into_owned()).collect();
        names.sort();
        Ok(names)
    }
}

/// Whether the message of a 404 says that there is no such trace, and not that there is no such path.
fn is_missing_trace(said: &str) -> bool {
    said.is_empty() || said.to_lowercase().contains("trace")
}

#[cfg(test)]
mod tests;
