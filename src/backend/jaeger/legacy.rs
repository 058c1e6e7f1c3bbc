//! Maps traces of Jaeger's older API. What OpenTelemetry has in fields of its own is there in tags: `span.kind`, `error`,
//! `otel.status_code`, `otel.status_description`, `otel.library.name`.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::wire::{LegacyLog, LegacySpan, LegacyTag, LegacyTraces};
use crate::backend::kit::lenient::LenientList;
use crate::backend::kit::otlp::{self, SpansRead};
use crate::model::labels::{Interner, Text};
use crate::model::trace::{Attributes, Span, SpanEvent, SpanId, SpanKind, SpanLink, SpanStatus, TraceId};

/// A process as its spans share it: its service and its tags.
type SharedProcess = (Text, Arc<[(Text, Text)]>);

/// Adds the spans of an answer.
pub(super) fn add(wire: &LegacyTraces<'_>, read: &mut SpansRead) {
    let mut interner = Interner::default();
    read.lost += wire.data.lost;
    for trace in &wire.data.all {
        let processes = trace.processes.0.iter().filter_map(|(id, process)| {
            let process = process.0.as_ref()?;
            let service = interner.text(&process.service_name.0);
            Some((id.as_str(), (service, attributes(&process.tags, &mut interner).into())))
        });
        let processes: HashMap<&str, SharedProcess> = processes.collect();
        read.lost += trace.spans.lost;
        for span in &trace.spans.all {
            let process = processes.get(&*span.process_id.0);
            match self::span(span, process, &mut interner) {
                Some((trace, span)) => read.traces.entry(trace).or_default().push(span),
                None => read.lost += 1,
            }
        }
    }
}

fn span(
    wire: &LegacySpan<'_>,
    process: Option<&SharedProcess>,
    interner: &mut Interner,
) -> Option<(TraceId, Span)> {
    let trace = TraceId::parse(&wire.trace_id.0)?;
    let starts_at = wire.start_time.0?;
    let mut tags = attributes(&wire.tags, interner);
    let mut take = |name: &str| {
        let at = tags.iter().position(|(known, _)| &**known == name)?;
        Some(tags.remove(at).1)
    };
    let kind = take("span.kind").map_or(SpanKind::Unspecified, |kind| otlp::kind(&kind));
    let status = take("otel.status_code").map_or(SpanStatus::Unset, |status| otlp::status(&status));
    let message = take("otel.status_description").unwrap_or_else(|| Text::from(""));
    let scope =
        take("otel.library.name").or_else(|| take("otel.scope.name")).unwrap_or_else(|| Text::from(""));
    let is_failed = tags.iter().any(|(name, value)| &**name == "error" && &**value == "true");
    let references = || {
        let all = wire.references.all.iter();
        all.filter_map(|reference| {
            let ids = (TraceId::parse(&reference.trace_id.0)?, SpanId::parse(&reference.span_id.0)?);
            Some((reference.ref_type.0 != "FOLLOWS_FROM", ids))
        })
    };
    // a span that only follows from another one of the trace still has it as its parent
    let of_trace = || references().filter(|(_, (other, _))| *other == trace);
    let parent = of_trace().find(|(is_child, _)| *is_child).or_else(|| of_trace().next());
    let parent = parent.map(|(_, (_, span))| span);
    let links = references().filter(|(_, (other, span))| *other != trace || Some(*span) != parent);
    let links = links.map(|(_, (trace, span))| SpanLink { trace, span, attributes: Vec::new() }).collect();
    for warning in &wire.warnings {
        tags.push((interner.text("warning"), warning.as_str().into()));
    }
    let nobody = || (Text::from(""), Arc::from([]));
    let (service, resource) = process.cloned().unwrap_or_else(nobody);
    let span = Span {
        id: SpanId::parse(&wire.span_id.0)?,
        parent: parent.or_else(|| SpanId::parse(&wire.parent_span_id.0)),
        service,
        operation: interner.text(&wire.operation_name.0),
        kind,
        starts_at,
        duration: Duration::from_micros(wire.duration.0),
        status: if is_failed { SpanStatus::Error } else { status },
        message,
        attributes: tags,
        resource,
        scope,
        events: wire.logs.all.iter().map(|log| event(log, starts_at, interner)).collect(),
        links,
        dropped: 0,
    };
    Some((trace, span))
}

/// A log of a span: its field `event` is the name, or else `message`.
fn event(wire: &LegacyLog<'_>, starts_at: jiff::Timestamp, interner: &mut Interner) -> SpanEvent {
    let mut fields = attributes(&wire.fields, interner);
    let at = fields.iter().position(|(name, _)| &**name == "event");
    let at = at.or_else(|| fields.iter().position(|(name, _)| &**name == "message"));
    let name = at.map_or_else(|| Text::from("log"), |at| fields.remove(at).1);
    SpanEvent { at: wire.timestamp.0.unwrap_or(starts_at), name, attributes: fields }
}

fn attributes(tags: &LenientList<LegacyTag<'_>>, interner: &mut Interner) -> Attributes {
    tags.all.iter().map(|tag| (interner.text(&tag.key.0), Text::from(&*tag.value.0))).collect()
}
