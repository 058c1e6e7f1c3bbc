//! `TraceQL` for the traces of a service, and what a search finds.

use std::time::Duration;

use super::wire::{FoundTrace, SearchResult};
use crate::backend::kit::otlp;
use crate::backend::traces::{FoundTraces, TraceInput, TraceSettings};
use crate::model::labels::Text;
use crate::model::promql::quoted;
use crate::model::trace::TraceSummary;

/// The query. Strings are quoted as in PromQL; durations are those of Go.
pub(super) fn query(wanted: &TraceInput<'_>) -> String {
    let minimum = match wanted.minimum.as_nanos() {
        0 => String::new(),
        nanoseconds => format!(" && traceDuration >= {nanoseconds}ns"),
    };
    let failed = if wanted.is_failed { " && status = error" } else { "" };
    format!("{{ resource.service.name = {}{failed}{minimum} }}", quoted(wanted.service))
}

/// The traces that a search has found.
pub(super) fn found(
    wire: &SearchResult<'_>,
    wanted: &TraceInput<'_>,
    settings: &TraceSettings,
) -> FoundTraces {
    let all = &wire.traces;
    let of_search = |trace| TraceSummary { is_failed: wanted.is_failed, ..trace };
    let traces: Vec<TraceSummary> =
        all.all.iter().filter_map(|trace| summary(trace, settings)).map(of_search).collect();
    FoundTraces { lost: all.lost + all.all.len() - traces.len(), traces }
}

fn summary(wire: &FoundTrace<'_>, settings: &TraceSettings) -> Option<TraceSummary> {
    let id = otlp::trace_id(&wire.trace_id.0)?;
    let sets = wire.span_sets.all.iter().chain([&wire.span_set]);
    let longest = sets.flat_map(|set| &set.spans.all).map(|span| span.duration_nanos.0).max().unwrap_or(0);
    let stats = &wire.service_stats.0;
    let sum = |count: fn(&super::wire::SpanCounts) -> u64| {
        let sum =
            stats.values().filter_map(|counts| counts.0.as_ref()).map(count).fold(0, u64::saturating_add);
        (!stats.is_empty()).then(|| usize::try_from(sum).unwrap_or(usize::MAX))
    };
    // Tempo writes this while the root span has not arrived
    let is_known = |text: &&str| !text.is_empty() && *text != "<root span not yet received>";
    let text = |text: &str| Text::from(Some(text).filter(is_known).unwrap_or_default());
    Some(TraceSummary {
        id,
        starts_at: wire.start_time_unix_nano.0?,
        // milliseconds are rounded down; the longest span that matches may tell more
        duration: Duration::from_millis(wire.duration_ms.0).max(Duration::from_nanos(longest)),
        service: text(&wire.root_service_name.0),
        operation: text(&wire.root_trace_name.0),
        spans: sum(|counts| counts.span_count.0),
        errors: sum(|counts| counts.error_count.0),
        is_failed: false,
        services: stats.keys().map(|name| Text::from(name.as_str())).collect(),
        link: settings.link(id),
    })
}
