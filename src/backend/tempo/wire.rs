//! Tempo's JSON shapes; they borrow from the bytes of the answer. Traces have the shape of OpenTelemetry's protocol.

use std::collections::BTreeMap;

use crate::backend::kit::lenient::{Count, LenientList, LenientObject, LenientText, or_default, wire};
use crate::backend::kit::otlp::TracesData;
use crate::backend::kit::time::Epoch;

wire! {
    struct TempoBuild<'a> {
        version: LenientText<'a>,
    }

    /// The answer of `api/v2/traces/ID`; `status` is `PARTIAL`, with a `message`, if spans are missing.
    struct TraceV2<'a> {
        #[serde(deserialize_with = "or_default")]
        trace: TracesData<'a>,
        status: LenientText<'a>,
        message: LenientText<'a>,
    }

    /// The answer of `api/search`.
    struct SearchResult<'a> {
        traces: LenientList<FoundTrace<'a>>,
    }

    /// One trace with the spans that match. A duration of less than a millisecond is left out.
    #[serde(rename_all = "camelCase")]
    struct FoundTrace<'a> {
        #[serde(rename = "traceID")]
        trace_id: LenientText<'a>,
        root_service_name: LenientText<'a>,
        root_trace_name: LenientText<'a>,
        start_time_unix_nano: Epoch<1_000_000_000>,
        duration_ms: Count,
        span_sets: LenientList<SpanSet>,
        #[serde(deserialize_with = "or_default")]
        span_set: SpanSet,
        #[serde(deserialize_with = "or_default")]
        service_stats: ServiceStats,
    }

    /// Some of the spans that match.
    struct SpanSet {
        spans: LenientList<FoundSpan>,
    }

    #[serde(rename_all = "camelCase")]
    struct FoundSpan {
        duration_nanos: Count,
    }

    #[serde(rename_all = "camelCase")]
    struct TagValues<'a> {
        tag_values: LenientList<TagValue<'a>>,
    }

    struct TagValue<'a> {
        value: LenientText<'a>,
    }
}

/// The spans of each service of a trace, all of them and those with an error.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(transparent)]
pub(super) struct ServiceStats(pub(super) BTreeMap<String, LenientObject<SpanCounts>>);

wire! {
    #[serde(rename_all = "camelCase")]
    struct SpanCounts {
        span_count: Count,
        error_count: Count,
    }
}
