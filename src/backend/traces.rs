//! What all sources of traces share: their options, links, and the search for the slowest and the failed traces of a service.
//!
//! A new kind implements [`TraceStore`] with its types of answers and four functions: probe, one trace, a search, the names of services.

#[cfg(test)]
pub(super) mod fixtures;
mod slowest;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::handlers::Handler;
use super::kit::http::{Body, Http};
use super::kit::lenient::{LenientObject, unreadable_warning};
use super::kit::parts::AnswerParts;
use super::{Clock, Source, SourceDeps};
use crate::config::kind::OwnSettings;
use crate::config::settings::SourceSettings;
use crate::model::ask::{Answer, Answered, Reply};
use crate::model::labels::Text;
use crate::model::source::{ProbeReport, SourceError, SourceId};
use crate::model::source_info::SourceInfo;
use crate::model::trace::{Span, Trace, TraceId, TraceSearch, TraceSummary};
use crate::model::warning::Warning;
use slowest::SlowestSearch;

/// The placeholder of a link for the id of a trace.
const PLACEHOLDER: &str = "{trace_id}";
/// The names of known services in a message.
const NAMED: usize = 8;

/// The options of a source of traces.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TraceSettings {
    /// The page of a trace in the source's user interface, with `{trace_id}` in place of the id.
    pub(crate) link: Option<String>,
    /// Services that have another name in traces: their names in burnwatch, and those in traces.
    pub(crate) services: BTreeMap<String, String>,
    /// The most traces that one search reads.
    pub(crate) max_traces: u16,
}

impl Default for TraceSettings {
    fn default() -> Self {
        Self { link: None, services: BTreeMap::new(), max_traces: 100 }
    }
}

impl OwnSettings for TraceSettings {
    fn failures(&self) -> Vec<(&'static str, String)> {
        let link = self.link.as_ref().filter(|link| {
            !link.contains(PLACEHOLDER) || !(link.starts_with("https://") || link.starts_with("http://"))
        });
        let words = format!(
            "must be an address with {PLACEHOLDER}, such as \"https://traces.example.net/{PLACEHOLDER}\""
        );
        let link = link.map(|_| ("link", words));
        let max = (self.max_traces == 0).then(|| ("max_traces", "must be at least 1".to_owned()));
        link.into_iter().chain(max).collect()
    }
}

impl TraceSettings {
    /// The name in traces of a service.
    pub(crate) fn service<'a>(&'a self, name: &'a str) -> &'a str {
        self.services.get(name).map_or(name, String::as_str)
    }

    /// The page of a trace.
    pub(crate) fn link(&self, id: TraceId) -> Option<Text> {
        self.link.as_ref().map(|link| link.replace(PLACEHOLDER, &id.to_string()).into())
    }
}

/// The address of a server, the HTTP client and the options.
pub(crate) struct TraceServer {
    pub(crate) info: SourceInfo,
    pub(crate) http: Http,
    pub(crate) settings: TraceSettings,
    clock: Clock,
}

impl TraceServer {
    /// Checks the address; sends nothing.
    ///
    /// # Errors
    /// [`crate::model::source::ErrorKind::Unreachable`] if the address is invalid.
    pub(crate) fn new(
        id: &SourceId,
        source: &SourceSettings,
        deps: SourceDeps<'_>,
    ) -> Result<Self, SourceError> {
        let http = Http::new(id, source, deps)?;
        let info = super::info(id, source, http.address());
        Ok(Self { info, http, settings: super::own(id, source)?, clock: deps.clock })
    }

    /// The reply to a probe, with the offset of the server's clock.
    pub(crate) fn report(&self, mut report: ProbeReport, date: Option<Timestamp>) -> Reply {
        report.clock(date, self.clock.now(), "one of the two clocks is wrong");
        Reply::free(Answer::Probe(report))
    }
}

/// What a search looks for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TraceInput<'a> {
    /// The name of the service in traces.
    pub(crate) service: &'a str,
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
    /// Zero: traces of any duration.
    pub(crate) minimum: Duration,
    /// Only traces in which a span of the service failed.
    pub(crate) is_failed: bool,
}

/// A source of traces; [`handlers`] answers the questions about them.
pub(crate) trait TraceStore: Source {
    /// What a search can lose, for a warning.
    const LOST: &'static str;

    fn server(&self) -> &TraceServer;

    /// Answers a probe.
    fn probe(&self) -> impl Future<Output = Answered> + Send;

    /// Reads one trace; see [`trace_reply`].
    fn trace(&self, id: TraceId) -> impl Future<Output = Answered> + Send;

    /// Any traces that match, at most [`Self::limit`].
    fn search(
        &self,
        wanted: &TraceInput<'_>,
    ) -> impl Future<Output = Result<FoundTraces, SourceError>> + Send;

    /// The names of all services with traces.
    fn services(&self) -> impl Future<Output = Result<Vec<String>, SourceError>> + Send;

    /// The most traces of one search; a source may know it only after the first one.
    fn limit(&self) -> u16 {
        self.server().settings.max_traces
    }
}

/// The handlers of a source of traces.
pub(super) const fn handlers<S: TraceStore + 'static>() -> [Handler<S>; 3] {
    [
        Handler::Probe(|source, _| Box::pin(source.probe())),
        Handler::Trace(|source, _, id| Box::pin(source.trace(*id))),
        Handler::Traces(|source, _, service, from, until| Box::pin(traces(source, service, (*from, *until)))),
    ]
}

/// The slowest and the failed traces of a service. Servers cannot sort by duration, so searches with rising minimum durations find
/// the slowest.
async fn traces<S: TraceStore>(
    source: &S,
    service: &Text,
    (from, until): (Timestamp, Timestamp),
) -> Answered {
    let name = source.server().settings.service(service);
    let all = TraceInput { service: name, from, until, minimum: Duration::ZERO, is_failed: false };
    let first = source.search(&all).await?;
    let limit = usize::from(source.limit());
    let mut search = SlowestSearch::new(limit);
    let mut lost = first.lost;
    search.take(first.traces);
    while let Some(minimum) = search.next_minimum() {
        let found = source.search(&TraceInput { minimum, ..all }).await?;
        lost += found.lost;
        search.take(found.traces);
    }
    let failed = source.search(&TraceInput { is_failed: true, ..all }).await?;
    let is_cut = search.is_cut() || failed.traces.len() >= limit;
    search.add(failed.traces);
    let snapshot = search.finish(from, until, is_cut);
    let mut parts = AnswerParts::default();
    parts.warnings.extend(unreadable_warning(lost + failed.lost, S::LOST));
    if snapshot.traces.is_empty() {
        parts.warnings.extend(unknown_service(name, &source.services().await.unwrap_or_default()));
    }
    Ok(parts.reply(Answer::Traces(snapshot)))
}

/// Decodes a body that must be a JSON object.
pub(crate) fn object<'b, T: Deserialize<'b>>(body: &'b Body) -> Result<T, SourceError> {
    match body.json::<LenientObject<T>>()?.0 {
        Some(read) => Ok(read),
        None => Err(body.json::<Map<String, Value>>().expect_err("it is no object")),
    }
}

/// The reply about one trace. `lost` is the number of spans that could not be read; `None`: there is no such trace.
pub(crate) fn trace_reply(found: Option<Trace>, lost: usize) -> Reply {
    let mut parts = AnswerParts::default();
    parts.warnings.extend(unreadable_warning(lost, "spans"));
    if let Some(why) = found.as_ref().and_then(|trace| trace.partial.as_ref()) {
        let colon = if why.is_empty() { "" } else { ": " };
        parts.warnings.push(Warning::part(format!("the trace is incomplete{colon}{why}")));
    }
    parts.reply(Answer::Trace(TraceSearch { found: found.map(Arc::new) }))
}

/// A trace of these spans, with its link.
pub(crate) fn trace(id: TraceId, spans: Vec<Span>, settings: &TraceSettings) -> Option<Trace> {
    let trace = Trace::new(id, spans)?;
    Some(Trace { link: settings.link(id), ..trace })
}

/// What one search has found.
#[derive(Default)]
pub(crate) struct FoundTraces {
    pub(crate) traces: Vec<TraceSummary>,
    /// The number of traces, or of their spans, that could not be read.
    pub(crate) lost: usize,
}

/// A notice about a service of which no trace was found, if the source does not know it: its name there may be another one.
fn unknown_service(name: &str, known: &[String]) -> Option<Warning> {
    if known.is_empty() || known.iter().any(|one| one == name) {
        return None;
    }
    let more = known.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let some = known.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    Some(Warning::notice(format!(
        "no service is called {name} in these traces; they have {some}{more}. If it has another name there, set the source's services"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_has_the_id_and_a_wrong_template_is_refused() {
        let of = |link: &str| TraceSettings { link: Some(link.into()), ..TraceSettings::default() };
        let id = TraceId::parse("abc").unwrap();
        let link = of("https://t.example.net/trace/{trace_id}?x=1").link(id).unwrap();
        assert_eq!(&*link, "https://t.example.net/trace/00000000000000000000000000000abc?x=1");
        for wrong in ["https://t.example.net/", "javascript:{trace_id}", "t/{trace_id}"] {
            assert_eq!(of(wrong).failures().first().map(|(key, _)| *key), Some("link"), "{wrong}");
        }
        assert_eq!(TraceSettings { max_traces: 0, ..TraceSettings::default() }.failures().len(), 1);
    }

    #[test]
    fn a_service_that_traces_do_not_know_is_named_with_those_that_they_know() {
        let known = ["cart".to_owned(), "shop".to_owned()];
        assert_eq!(unknown_service("cart", &known), None);
        assert!(unknown_service("mail", &known).unwrap().text.contains("cart, shop"));
        assert_eq!(unknown_service("mail", &[]), None);
    }
}
