//! Searches for the traces of a service: the parameters of each API, and the summaries of the newest.

use std::time::Duration;

use serde_json::Deserializer;

use super::wire::{SummariesChunk, WireSummary};
use super::{microseconds, seconds};
use crate::backend::kit::http::Body;
use crate::backend::kit::lenient::LenientObject;
use crate::backend::kit::otlp;
use crate::backend::traces::{FoundTraces, TraceInput, TraceSettings, object};
use crate::model::labels::Text;
use crate::model::source::SourceError;
use crate::model::trace::TraceSummary;

/// An API of Jaeger, the newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Api {
    /// `api/v3/trace-summaries`: no spans are sent.
    Summaries = 0,
    /// `api/v3/traces`: with all spans.
    V3 = 1,
    /// `api/traces`, the one of the user interface.
    Legacy = 2,
}

impl Api {
    pub(super) const fn of(number: u8) -> Self {
        match number {
            0 => Self::Summaries,
            1 => Self::V3,
            _ => Self::Legacy,
        }
    }

    /// The next older one.
    pub(super) const fn older(self) -> Option<Self> {
        match self {
            Self::Summaries => Some(Self::V3),
            Self::V3 => Some(Self::Legacy),
            Self::Legacy => None,
        }
    }

    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Summaries => "api/v3/trace-summaries",
            Self::V3 => "api/v3/traces",
            Self::Legacy => "api/traces",
        }
    }

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Summaries | Self::V3 => "v3",
            Self::Legacy => "before v3",
        }
    }
}

/// The parameters of a search.
pub(super) fn parameters(wanted: &TraceInput<'_>, api: Api, limit: u16) -> Vec<(&'static str, String)> {
    let minimum = Some(wanted.minimum).filter(|minimum| !minimum.is_zero());
    match api {
        Api::Summaries | Api::V3 => {
            let mut all = vec![
                ("query.serviceName", wanted.service.to_owned()),
                ("query.startTimeMin", wanted.from.to_string()),
                ("query.startTimeMax", wanted.until.to_string()),
                ("query.searchDepth", limit.to_string()),
            ];
            all.extend(minimum.map(|minimum| ("query.durationMin", seconds(minimum))));
            // Jaeger writes the status of a span as the tag `error`
            let filter = r#"{"op":"eq","args":[{"attr":{"key":"error"}},{"scalar":{"value":"true"}}]}"#;
            all.extend(wanted.is_failed.then(|| ("query.filter", filter.to_owned())));
            all
        }
        Api::Legacy => {
            let mut all = vec![
                ("service", wanted.service.to_owned()),
                ("start", microseconds(wanted.from)),
                ("end", microseconds(wanted.until)),
                ("limit", limit.to_string()),
            ];
            all.extend(minimum.map(|minimum| ("minDuration", format!("{}us", minimum.as_micros()))));
            all.extend(wanted.is_failed.then(|| ("tags", r#"{"error":"true"}"#.to_owned())));
            all
        }
    }
}

/// Those that match: a server that does not know the filter for failures sends others, too.
pub(super) fn matching(
    wanted: &TraceInput<'_>,
    traces: impl Iterator<Item = TraceSummary>,
) -> Vec<TraceSummary> {
    traces.filter(|trace| trace.is_failed || !wanted.is_failed).collect()
}

/// Reads summaries: one or more objects, each alone or below `result`, as gRPC's gateway streams them.
pub(super) fn summaries(
    body: &Body,
    wanted: &TraceInput<'_>,
    settings: &TraceSettings,
) -> Result<FoundTraces, SourceError> {
    let mut found = FoundTraces::default();
    for chunk in Deserializer::from_slice(&body.bytes).into_iter::<LenientObject<SummariesChunk<'_>>>() {
        let Ok(LenientObject(Some(chunk))) = chunk else {
            // the error with what is wrong with the whole body
            object::<SummariesChunk<'_>>(body)?;
            break;
        };
        for list in [&chunk.summaries, &chunk.result.summaries] {
            let read = list.all.iter().filter_map(|one| summary(one, wanted.service, settings));
            let read: Vec<TraceSummary> = read.collect();
            found.lost += list.lost + list.all.len() - read.len();
            found.traces.extend(matching(wanted, read.into_iter()));
        }
    }
    Ok(found)
}

fn summary(wire: &WireSummary<'_>, service: &str, settings: &TraceSettings) -> Option<TraceSummary> {
    let id = otlp::trace_id(&wire.trace_id.0)?;
    let starts_at = wire.min_start_time_unix_nano.0?;
    let end = wire.max_end_time_unix_nano.0.unwrap_or(starts_at);
    let size = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    let services = &wire.services.all;
    let own = services.iter().find(|one| one.name.0 == service);
    let spans = if wire.span_count.0 > 0 {
        wire.span_count.0
    } else {
        services.iter().map(|one| one.span_count.0).fold(0, u64::saturating_add)
    };
    let errors = services.iter().map(|one| one.error_span_count.0).fold(0, u64::saturating_add);
    Some(TraceSummary {
        id,
        starts_at,
        duration: Duration::try_from(end.duration_since(starts_at)).unwrap_or_default(),
        service: Text::from(&*wire.root_service_name.0),
        operation: Text::from(&*wire.root_operation_name.0),
        spans: (spans > 0).then_some(size(spans)),
        errors: Some(size(errors.max(wire.error_span_count.0))),
        is_failed: own.is_some_and(|own| own.error_span_count.0 > 0),
        services: services.iter().map(|one| Text::from(&*one.name.0)).collect(),
        link: settings.link(id),
    })
}
