//! Traces in the JSON of OpenTelemetry's protocol (OTLP), as Tempo and Jaeger answer them: ids in hexadecimal (as the OTLP
//! specification says) or in base64 (as Protocol Buffers write bytes), kinds and states as words or numbers.
//!
//! Source: `opentelemetry/proto/trace/v1/trace.proto`, and "JSON Protobuf Encoding" of the OTLP specification.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, general_purpose};
use serde::Deserialize;
use serde_json::Value;

use super::lenient::{Count, LenientList, LenientObject, LenientText, or_default, wire};
use super::time::Epoch;
use crate::model::labels::{Interner, Text};
use crate::model::trace::{Attributes, Span, SpanEvent, SpanId, SpanKind, SpanLink, SpanStatus, TraceId};

/// Nanoseconds after 1970.
type Nanoseconds = Epoch<1_000_000_000>;

/// The spans of one or more traces. Tempo's older API calls the list `batches`; a gateway of gRPC wraps it in `result`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(crate) struct TracesData<'a> {
    resource_spans: LenientList<ResourceSpans<'a>>,
    batches: LenientList<ResourceSpans<'a>>,
    result: LenientObject<Box<TracesData<'a>>>,
}

wire! {
    /// The spans of one process. `instrumentationLibrarySpans` is the name before OTLP 0.15.
    #[serde(rename_all = "camelCase")]
    struct ResourceSpans<'a> {
        #[serde(deserialize_with = "or_default")]
        resource: Resource<'a>,
        scope_spans: LenientList<ScopeSpans<'a>>,
        instrumentation_library_spans: LenientList<ScopeSpans<'a>>,
    }

    struct Resource<'a> {
        attributes: LenientList<KeyValue<'a>>,
    }

    /// The spans of one library.
    struct ScopeSpans<'a> {
        #[serde(deserialize_with = "or_default")]
        scope: InstrumentationScope<'a>,
        spans: LenientList<WireSpan<'a>>,
    }

    struct InstrumentationScope<'a> {
        name: LenientText<'a>,
    }

    #[serde(rename_all = "camelCase")]
    struct WireSpan<'a> {
        trace_id: LenientText<'a>,
        span_id: LenientText<'a>,
        parent_span_id: LenientText<'a>,
        name: LenientText<'a>,
        kind: LenientText<'a>,
        start_time_unix_nano: Nanoseconds,
        end_time_unix_nano: Nanoseconds,
        attributes: LenientList<KeyValue<'a>>,
        events: LenientList<WireEvent<'a>>,
        links: LenientList<WireLink<'a>>,
        #[serde(deserialize_with = "or_default")]
        status: WireStatus<'a>,
        dropped_attributes_count: Count,
        dropped_events_count: Count,
        dropped_links_count: Count,
    }

    #[serde(rename_all = "camelCase")]
    struct WireEvent<'a> {
        time_unix_nano: Nanoseconds,
        name: LenientText<'a>,
        attributes: LenientList<KeyValue<'a>>,
    }

    #[serde(rename_all = "camelCase")]
    struct WireLink<'a> {
        trace_id: LenientText<'a>,
        span_id: LenientText<'a>,
        attributes: LenientList<KeyValue<'a>>,
    }

    struct WireStatus<'a> {
        message: LenientText<'a>,
        code: LenientText<'a>,
    }
}

/// A name with a value of any type. `pub(crate)`: Tempo's searches use it, too.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(crate) struct KeyValue<'a> {
    pub(crate) key: LenientText<'a>,
    pub(crate) value: Value,
}

impl KeyValue<'_> {
    /// The value as text.
    pub(crate) fn text(&self) -> String {
        any_value(&self.value)
    }
}

/// The spans of an answer, by trace.
#[derive(Default)]
pub(crate) struct SpansRead {
    pub(crate) traces: BTreeMap<TraceId, Vec<Span>>,
    /// The number of spans and lists of spans that could not be read, or have no id or no start.
    pub(crate) lost: usize,
}

impl SpansRead {
    /// The spans of one trace, with the spans that name no trace.
    pub(crate) fn into_trace(mut self, id: TraceId) -> (Vec<Span>, usize) {
        let spans = self.traces.remove(&id).unwrap_or_default();
        (spans, self.lost + self.traces.values().map(Vec::len).sum::<usize>())
    }

    /// Adds the spans of an answer.
    pub(crate) fn add(&mut self, data: &TracesData<'_>) {
        let mut interner = Interner::default();
        self.lost += data.resource_spans.lost + data.batches.lost;
        for resource in data.resource_spans.all.iter().chain(&data.batches.all) {
            let attributes = attributes(&resource.resource.attributes, &mut interner);
            let name = attributes.iter().find(|(name, _)| &**name == "service.name");
            let service = name.map_or_else(|| Text::from(""), |(_, service)| service.clone());
            let of_process: Arc<[(Text, Text)]> = attributes.into();
            let lists = [&resource.scope_spans, &resource.instrumentation_library_spans];
            self.lost += lists.iter().map(|list| list.lost).sum::<usize>();
            for scope in lists.iter().flat_map(|list| &list.all) {
                self.lost += scope.spans.lost;
                let of_scope = Process {
                    service: service.clone(),
                    resource: Arc::clone(&of_process),
                    scope: interner.text(&scope.scope.name.0),
                };
                for span in &scope.spans.all {
                    match self::span(span, &of_scope, &mut interner) {
                        Some((trace, span)) => self.traces.entry(trace).or_default().push(span),
                        None => self.lost += 1,
                    }
                }
            }
        }
        if let Some(result) = &data.result.0 {
            self.add(result);
        }
    }
}

/// What the spans of one process and library share.
struct Process {
    service: Text,
    resource: Arc<[(Text, Text)]>,
    scope: Text,
}

fn span(wire: &WireSpan<'_>, process: &Process, interner: &mut Interner) -> Option<(TraceId, Span)> {
    let starts_at = wire.start_time_unix_nano.0?;
    let length = wire.end_time_unix_nano.0.map(|end| end.duration_since(starts_at));
    let dropped = [wire.dropped_attributes_count, wire.dropped_events_count, wire.dropped_links_count];
    let span = Span {
        id: span_id(&wire.span_id.0)?,
        parent: span_id(&wire.parent_span_id.0),
        service: process.service.clone(),
        operation: interner.text(&wire.name.0),
        kind: kind(&wire.kind.0),
        starts_at,
        // a span that ends before it begins has no length
        duration: length.and_then(|length| Duration::try_from(length).ok()).unwrap_or_default(),
        status: status(&wire.status.code.0),
        message: Text::from(&*wire.status.message.0),
        attributes: attributes(&wire.attributes, interner),
        resource: Arc::clone(&process.resource),
        scope: process.scope.clone(),
        events: wire.events.all.iter().map(|event| self::event(event, starts_at, interner)).collect(),
        links: wire.links.all.iter().filter_map(|link| self::link(link, interner)).collect(),
        dropped: dropped.into_iter().map(Count::saturating).fold(0, u32::saturating_add),
    };
    Some((trace_id(&wire.trace_id.0)?, span))
}

/// An event; one without a time counts as at the start of its span.
fn event(wire: &WireEvent<'_>, starts_at: jiff::Timestamp, interner: &mut Interner) -> SpanEvent {
    SpanEvent {
        at: wire.time_unix_nano.0.unwrap_or(starts_at),
        name: interner.text(&wire.name.0),
        attributes: attributes(&wire.attributes, interner),
    }
}

fn link(wire: &WireLink<'_>, interner: &mut Interner) -> Option<SpanLink> {
    let (trace, span) = (trace_id(&wire.trace_id.0)?, span_id(&wire.span_id.0)?);
    Some(SpanLink { trace, span, attributes: attributes(&wire.attributes, interner) })
}

fn attributes(wire: &LenientList<KeyValue<'_>>, interner: &mut Interner) -> Attributes {
    let pair = |pair: &KeyValue<'_>| (interner.text(&pair.key.0), Text::from(pair.text()));
    wire.all.iter().map(pair).collect()
}

/// `SPAN_KIND_SERVER`, `server`, `2`.
pub(crate) fn kind(word: &str) -> SpanKind {
    let word = word.strip_prefix("SPAN_KIND_").unwrap_or(word);
    match word.to_ascii_lowercase().as_str() {
        "internal" | "1" => SpanKind::Internal,
        "server" | "2" => SpanKind::Server,
        "client" | "3" => SpanKind::Client,
        "producer" | "4" => SpanKind::Producer,
        "consumer" | "5" => SpanKind::Consumer,
        _ => SpanKind::Unspecified,
    }
}

/// `STATUS_CODE_ERROR`, `error`, `2`.
pub(crate) fn status(word: &str) -> SpanStatus {
    let word = word.strip_prefix("STATUS_CODE_").unwrap_or(word);
    match word.to_ascii_lowercase().as_str() {
        "ok" | "1" => SpanStatus::Ok,
        "error" | "2" => SpanStatus::Error,
        _ => SpanStatus::Unset,
    }
}

/// A trace id in base64 or in hexadecimal digits.
pub(crate) fn trace_id(text: &str) -> Option<TraceId> {
    bytes(text, 32).map_or_else(|| TraceId::parse(text), |bytes| TraceId::of_bytes(&bytes))
}

/// A span id in base64 or in hexadecimal digits.
fn span_id(text: &str) -> Option<SpanId> {
    bytes(text, 16).map_or_else(|| SpanId::parse(text), |bytes| SpanId::of_bytes(&bytes))
}

/// The bytes of an id in base64, with the usual letters or those of URLs; `None` if it is one in hexadecimal digits.
fn bytes(text: &str, digits: usize) -> Option<Vec<u8>> {
    const LENIENT: GeneralPurposeConfig =
        general_purpose::PAD.with_decode_padding_mode(DecodePaddingMode::Indifferent);
    const STANDARD: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::STANDARD, LENIENT);
    const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::URL_SAFE, LENIENT);
    let is_hexadecimal = text.len() <= digits && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hexadecimal {
        return None;
    }
    STANDARD.decode(text).or_else(|_other_letters| URL_SAFE.decode(text)).ok()
}

/// A value of OTLP as text: `{"intValue": "503"}` is `503`, lists and maps are written as `[a, b]` and `{k: v}`.
pub(crate) fn any_value(value: &Value) -> String {
    let Value::Object(fields) = value else {
        return match value {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
        };
    };
    let Some((kind, value)) = fields.iter().next() else { return String::new() };
    let items = || value.get("values").and_then(Value::as_array).into_iter().flatten();
    match kind.as_str() {
        "arrayValue" => format!("[{}]", items().map(any_value).collect::<Vec<_>>().join(", ")),
        "kvlistValue" => {
            let pair = |pair: &Value| {
                let key = pair.get("key").map(any_value).unwrap_or_default();
                format!("{key}: {}", pair.get("value").map(any_value).unwrap_or_default())
            };
            format!("{{{}}}", items().map(pair).collect::<Vec<_>>().join(", "))
        }
        // stringValue, boolValue, intValue (a text), doubleValue, bytesValue (in base64), and what may come
        _ => any_value(value),
    }
}

#[cfg(test)]
mod tests;
