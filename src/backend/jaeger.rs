//! Jaeger: single traces, and the slowest and the failed traces of a service. By the API v3 (OpenTelemetry's JSON), and where the
//! server does not have it, by the older API of its user interface (`/api/traces`, in microseconds).

mod kind;
mod legacy;
mod search;
mod wire;

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Deserializer;

use super::SourceDeps;
use super::handlers::{Handler, kinds, reads};
use super::kit::http::{Body, is_plain_absence};
use super::kit::lenient::LenientObject;
use super::kit::otlp::{SpansRead, TracesData};
use super::kit::probe;
use super::traces::{self, FoundTraces, TraceInput, TraceServer, TraceStore, object, trace, trace_reply};
use crate::config::settings::SourceSettings;
use crate::model::ask::{Answered, AskKind, Weight};
use crate::model::labels::Text;
use crate::model::source::{ErrorKind, SourceError, SourceId};
use crate::model::trace::{Trace, TraceId, TraceSummary};
pub(super) use kind::SPEC;
use search::Api;

/// The most whole traces that one search reads, where the server has no summaries.
const WHOLE_TRACES: u16 = 20;

/// One Jaeger.
pub(super) struct Jaeger {
    server: TraceServer,
    /// The newest API that the server has, as far as it is known: an [`Api`].
    api: AtomicU8,
}

const ANSWERS: &[AskKind] = &kinds::<_, { HANDLERS.len() }>(HANDLERS);

const HANDLERS: &[Handler<Jaeger>] = &traces::handlers();

reads!(Jaeger, server);

impl Jaeger {
    /// Checks the address; sends nothing.
    ///
    /// # Errors
    /// [`ErrorKind::Unreachable`] if the address is invalid.
    pub(super) fn new(
        id: &SourceId,
        source: &SourceSettings,
        deps: SourceDeps<'_>,
    ) -> Result<Self, SourceError> {
        let mut server = TraceServer::new(id, source, deps)?;
        // Jaeger's user interface is below the address of its API
        let usual = format!("{}/trace/{{trace_id}}", server.http.address());
        server.settings.link.get_or_insert(usual);
        Ok(Self { server, api: AtomicU8::new(Api::Summaries as u8) })
    }

    fn api(&self) -> Api {
        Api::of(self.api.load(Ordering::Relaxed))
    }

    /// The names of all services with traces.
    async fn known_services(&self) -> Result<(Vec<String>, Body), SourceError> {
        if self.api() != Api::Legacy {
            match self.server.http.get("api/v3/services", &[]).await {
                // some versions answer an unknown path with the page of their user interface
                Ok(body) if !is_page(&body) => {
                    let services: wire::JaegerServices = object(&body)?;
                    return Ok((services.services, body));
                }
                Ok(_) => self.step_down(Api::Legacy),
                Err(error) if is_no_path(&error) => self.step_down(Api::Legacy),
                Err(error) => return Err(error),
            }
        }
        let body =
            self.server.http.get("api/services", &[]).await.map_err(|error| self.explain_error(error))?;
        let services: wire::LegacyServices = object(&body)?;
        Ok((services.data, body))
    }

    /// Remembers that the server has nothing newer than this API.
    fn step_down(&self, api: Api) {
        self.api.fetch_max(api as u8, Ordering::Relaxed);
    }

    fn found(&self, api: Api, wanted: &TraceInput<'_>, body: &Body) -> Result<FoundTraces, SourceError> {
        let mut read = match api {
            Api::Summaries => return search::summaries(body, wanted, &self.server.settings),
            Api::V3 => spans(body)?,
            Api::Legacy => {
                let mut read = SpansRead::default();
                legacy::add(&object::<wire::LegacyTraces<'_>>(body)?, &mut read);
                read
            }
        };
        let summary = |(id, spans)| {
            let trace = trace(id, spans, &self.server.settings)?;
            Some(TraceSummary::of(&trace, wanted.service))
        };
        let traces = std::mem::take(&mut read.traces).into_iter().filter_map(summary);
        Ok(FoundTraces { traces: search::matching(wanted, traces), lost: read.lost })
    }

    fn explain_error(&self, error: SourceError) -> SourceError {
        self.server.http.explain_absence("Jaeger API", error)
    }
}

impl TraceStore for Jaeger {
    const LOST: &'static str = "spans or traces";

    fn server(&self) -> &TraceServer {
        &self.server
    }

    /// Answers a probe: the number of services, which API the server has, and the clock offset. Jaeger does not report its version.
    async fn probe(&self) -> Answered {
        let (names, body) = self.known_services().await?;
        let mut report = probe::probe_report("Jaeger", "");
        report.fact("services", names.len().to_string());
        report.fact("API", self.api().word());
        Ok(self.server.report(report, body.date))
    }

    async fn trace(&self, id: TraceId) -> Answered {
        if self.api() != Api::Legacy {
            match self.server.http.get_as(Weight::Page, &format!("api/v3/traces/{id}"), &[]).await {
                Ok(body) if !is_page(&body) => {
                    let read = spans(&body)?;
                    let (spans, lost) = read.into_trace(id);
                    return Ok(trace_reply(trace(id, spans, &self.server.settings), lost));
                }
                Ok(_) => self.step_down(Api::Legacy),
                Err(error) if is_no_path(&error) => self.step_down(Api::Legacy),
                Err(error) if is_no_trace(&error) => return Ok(trace_reply(None, 0)),
                Err(error) => return Err(error),
            }
        }
        match self.server.http.get_as(Weight::Page, &format!("api/traces/{id}"), &[]).await {
            Ok(body) => {
                let wire: wire::LegacyTraces<'_> = object(&body)?;
                let mut read = SpansRead::default();
                legacy::add(&wire, &mut read);
                let partial = wire.errors.all.first().map(|error| Text::from(body.words(&error.msg.0)));
                let (spans, lost) = read.into_trace(id);
                let found = trace(id, spans, &self.server.settings);
                Ok(trace_reply(found.map(|trace| Trace { partial, ..trace }), lost))
            }
            Err(error) if is_no_trace(&error) && !is_no_path(&error) => Ok(trace_reply(None, 0)),
            Err(error) => Err(self.explain_error(error)),
        }
    }

    /// Runs one search by the newest API that the server has.
    async fn search(&self, wanted: &TraceInput<'_>) -> Result<FoundTraces, SourceError> {
        loop {
            let api = self.api();
            let parameters = search::parameters(wanted, api, self.limit());
            let parameters: Vec<(&str, &str)> =
                parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let older = match self.server.http.get_as(Weight::Page, api.path(), &parameters).await {
                Ok(body) if is_page(&body) => api.older(),
                Ok(body) => return self.found(api, wanted, &body),
                Err(error) if is_no_path(&error) => match api.older() {
                    Some(older) => Some(older),
                    None => return Err(self.explain_error(error)),
                },
                // the API v3 answers 404 for a search that finds nothing
                Err(error) if is_no_trace(&error) => return Ok(FoundTraces::default()),
                Err(error) => return Err(error),
            };
            let Some(older) = older else {
                let reason = "a web page instead of Jaeger's API".to_owned();
                return Err(self.server.http.error(ErrorKind::Garbled { reason }));
            };
            self.step_down(older);
        }
    }

    async fn services(&self) -> Result<Vec<String>, SourceError> {
        self.known_services().await.map(|(names, _)| names)
    }

    /// The most traces of one search: fewer, where the server sends all their spans.
    fn limit(&self) -> u16 {
        match self.api() {
            Api::Summaries => self.server.settings.max_traces,
            Api::V3 | Api::Legacy => self.server.settings.max_traces.min(WHOLE_TRACES),
        }
    }
}

/// The spans of an answer of the API v3: one or more objects, as gRPC's gateway streams them.
fn spans(body: &Body) -> Result<SpansRead, SourceError> {
    let mut read = SpansRead::default();
    for chunk in Deserializer::from_slice(&body.bytes).into_iter::<LenientObject<TracesData<'_>>>() {
        let Ok(LenientObject(Some(chunk))) = chunk else {
            // the error with what is wrong with the whole body
            object::<TracesData<'_>>(body)?;
            break;
        };
        read.add(&chunk);
    }
    Ok(read)
}

/// Whether an answer is a web page: the user interface answers every unknown path with its page.
fn is_page(body: &Body) -> bool {
    body.bytes.trim_ascii_start().starts_with(b"<")
}

/// Whether an error says that the server does not have this path.
fn is_no_path(error: &SourceError) -> bool {
    error.kind.refused(404).is_some_and(is_plain_absence)
        || error.kind.refused(405).is_some()
        || error.kind.refused(501).is_some()
}

/// Whether an error says that there is no such trace.
fn is_no_trace(error: &SourceError) -> bool {
    error.kind.refused(404).is_some()
}

/// Microseconds after 1970, as the older API has them.
fn microseconds(at: Timestamp) -> String {
    at.as_microsecond().max(0).to_string()
}

/// A duration as the API v3 writes it: seconds with up to nine decimal places and `s`.
fn seconds(duration: Duration) -> String {
    format!("{}.{:09}s", duration.as_secs(), duration.subsec_nanos())
}

#[cfg(test)]
mod tests;
