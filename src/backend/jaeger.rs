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

use super::handlers::{Handler, answer_by, kinds};
use super::kit::http::{Body, Http, is_plain_absence, of_absence};
use super::kit::lenient::{LenientObject, unreadable_warning};
use super::kit::otlp::{SpansRead, TracesData};
use super::kit::parts::AnswerParts;
use super::kit::probe;
use super::kit::traces::{
    FoundTraces, SlowestSearch, TraceSettings, object, trace, trace_reply, unknown_service,
};
use super::{Answering, Clock, Source, SourceDeps};
use crate::config::settings::SourceSettings;
use crate::model::ask::{Answer, Answered, Ask, AskKind, Reply, Weight};
use crate::model::labels::Text;
use crate::model::source::{ErrorKind, SourceError, SourceId};
use crate::model::source_info::SourceInfo;
use crate::model::trace::{Trace, TraceId, TraceSummary};
pub(super) use kind::SPEC;
use search::Api;

/// The most whole traces that one search reads, where the server has no summaries.
const WHOLE_TRACES: u16 = 20;

/// One Jaeger.
pub(super) struct Jaeger {
    info: SourceInfo,
    http: Http,
    clock: Clock,
    settings: TraceSettings,
    /// The newest API that the server has, as far as it is known: an [`Api`].
    api: AtomicU8,
}

const ANSWERS: &[AskKind] = &kinds::<_, { HANDLERS.len() }>(HANDLERS);

const HANDLERS: &[Handler<Jaeger>] = &[
    Handler::Probe(|source, _| Box::pin(source.probe())),
    Handler::Trace(|source, _, id| Box::pin(source.trace(*id))),
    Handler::Traces(|source, _, service, from, until| Box::pin(source.traces(service, *from, *until))),
];

impl Source for Jaeger {
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
        let http = Http::new(id, source, deps)?;
        let mut settings: TraceSettings = super::own(id, source)?;
        // Jaeger's user interface is below the address of its API
        settings.link.get_or_insert_with(|| format!("{}/trace/{{trace_id}}", http.address()));
        let info = super::info(id, source, http.address());
        Ok(Self { info, http, clock: deps.clock, settings, api: AtomicU8::new(Api::Summaries as u8) })
    }

    fn api(&self) -> Api {
        Api::of(self.api.load(Ordering::Relaxed))
    }

    /// Answers a probe: the number of services, which API the server has, and the clock offset. Jaeger does not report its version.
    async fn probe(&self) -> Answered {
        let (names, body) = self.services().await?;
        let mut report = probe::probe_report("Jaeger", "");
        report.fact("services", names.len().to_string());
        report.fact("API", self.api().word());
        report.clock(body.date, self.clock.now(), "one of the two clocks is wrong");
        Ok(Reply::free(Answer::Probe(report)))
    }

    /// The names of all services with traces.
    async fn services(&self) -> Result<(Vec<String>, Body), SourceError> {
        if self.api() != Api::Legacy {
            match self.http.get("api/v3/services", &[]).await {
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
        let body = self.http.get("api/services", &[]).await.map_err(|error| self.explain_error(error))?;
        let services: wire::LegacyServices = object(&body)?;
        Ok((services.data, body))
    }

    /// Remembers that the server has nothing newer than this API.
    fn step_down(&self, api: Api) {
        self.api.fetch_max(api as u8, Ordering::Relaxed);
    }

    async fn trace(&self, id: TraceId) -> Answered {
        if self.api() != Api::Legacy {
            match self.http.get_as(Weight::Page, &format!("api/v3/traces/{id}"), &[]).await {
                Ok(body) if !is_page(&body) => {
                    let read = spans(&body)?;
                    let (spans, lost) = read.into_trace(id);
                    return Ok(trace_reply(trace(id, spans, &self.settings), lost));
                }
                Ok(_) => self.step_down(Api::Legacy),
                Err(error) if is_no_path(&error) => self.step_down(Api::Legacy),
                Err(error) if is_no_trace(&error) => return Ok(trace_reply(None, 0)),
                Err(error) => return Err(error),
            }
        }
        match self.http.get_as(Weight::Page, &format!("api/traces/{id}"), &[]).await {
            Ok(body) => {
                let wire: wire::LegacyTraces<'_> = object(&body)?;
                let mut read = SpansRead::default();
                legacy::add(&wire, &mut read);
                let partial = wire.errors.all.first().map(|error| Text::from(body.words(&error.msg.0)));
                let (spans, lost) = read.into_trace(id);
                let found = trace(id, spans, &self.settings);
                Ok(trace_reply(found.map(|trace| Trace { partial, ..trace }), lost))
            }
            Err(error) if is_no_trace(&error) && !is_no_path(&error) => Ok(trace_reply(None, 0)),
            Err(error) => Err(self.explain_error(error)),
        }
    }

    /// The slowest and the failed traces of a service. Jaeger sorts by time only, so searches with rising minimum durations find the
    /// slowest.
    async fn traces(&self, service: &Text, from: Timestamp, until: Timestamp) -> Answered {
        let name = self.settings.service(service);
        let wanted =
            |minimum, is_failed| search::SearchInput { service: name, from, until, minimum, is_failed };
        let first = self.search(&wanted(Duration::ZERO, false)).await?;
        // now the API that the server has is known
        let limit = self.limit();
        let mut search = SlowestSearch::new(limit.into());
        let mut lost = first.lost;
        search.take(first.traces);
        while let Some(minimum) = search.next_minimum() {
            let found = self.search(&wanted(minimum, false)).await?;
            lost += found.lost;
            search.take(found.traces);
        }
        let failed = self.search(&wanted(Duration::ZERO, true)).await?;
        let is_cut = search.is_cut() || failed.traces.len() >= limit.into();
        search.add(failed.traces);
        let snapshot = search.finish(from, until, is_cut);
        let mut parts = AnswerParts::default();
        parts.warnings.extend(unreadable_warning(lost + failed.lost, "spans or traces"));
        if snapshot.traces.is_empty() {
            let known = self.services().await.map(|(names, _)| names).unwrap_or_default();
            parts.warnings.extend(unknown_service(name, &known));
        }
        Ok(parts.reply(Answer::Traces(snapshot)))
    }

    /// The most traces of one search: fewer, where the server sends all their spans.
    fn limit(&self) -> u16 {
        match self.api() {
            Api::Summaries => self.settings.max_traces,
            Api::V3 | Api::Legacy => self.settings.max_traces.min(WHOLE_TRACES),
        }
    }

    /// Runs one search by the newest API that the server has.
    async fn search(&self, wanted: &search::SearchInput<'_>) -> Result<FoundTraces, SourceError> {
        loop {
            let api = self.api();
            let parameters = wanted.parameters(api, self.limit());
            let parameters: Vec<(&str, &str)> =
                parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let older = match self.http.get_as(Weight::Page, api.path(), &parameters).await {
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
                return Err(self.http.error(ErrorKind::Garbled { reason }));
            };
            self.step_down(older);
        }
    }

    fn found(
        &self,
        api: Api,
        wanted: &search::SearchInput<'_>,
        body: &Body,
    ) -> Result<FoundTraces, SourceError> {
        let mut read = match api {
            Api::Summaries => return search::summaries(body, wanted, &self.settings),
            Api::V3 => spans(body)?,
            Api::Legacy => {
                let mut read = SpansRead::default();
                legacy::add(&object::<wire::LegacyTraces<'_>>(body)?, &mut read);
                read
            }
        };
        let summary = |(id, spans)| {
            let trace = trace(id, spans, &self.settings)?;
            Some(TraceSummary::of(&trace, wanted.service))
        };
        let traces = std::mem::take(&mut read.traces).into_iter().filter_map(summary);
        Ok(FoundTraces { traces: wanted.matching(traces), lost: read.lost })
    }

    /// Explains a 404 that only says that the path does not exist as a wrong address.
    fn explain_error(&self, error: SourceError) -> SourceError {
        match error.kind.refused(404) {
            Some(said) => self.http.error(of_absence("Jaeger API", said)),
            None => error,
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
