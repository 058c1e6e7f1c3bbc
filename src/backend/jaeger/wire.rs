//! Jaeger's JSON shapes. Those of the API v3 have their spans in the shape of OpenTelemetry's protocol; those of the older API are
//! Jaeger's own.

use std::collections::HashMap;

use serde::Deserialize;

use crate::backend::kit::lenient::{Count, LenientList, LenientObject, LenientText, or_default, texts, wire};
use crate::backend::kit::time::Epoch;

wire! {
    struct JaegerServices {
        #[serde(deserialize_with = "texts")]
        services: Vec<String>,
    }

    /// The older API wraps all answers in `data`.
    struct LegacyServices {
        #[serde(deserialize_with = "texts")]
        data: Vec<String>,
    }

    /// One object of an answer with summaries; `result` if it is streamed.
    struct SummariesChunk<'a> {
        summaries: LenientList<WireSummary<'a>>,
        #[serde(deserialize_with = "or_default")]
        result: SummariesResult<'a>,
    }

    struct SummariesResult<'a> {
        summaries: LenientList<WireSummary<'a>>,
    }

    #[serde(rename_all = "camelCase")]
    struct WireSummary<'a> {
        trace_id: LenientText<'a>,
        root_service_name: LenientText<'a>,
        root_operation_name: LenientText<'a>,
        min_start_time_unix_nano: Epoch<1_000_000_000>,
        max_end_time_unix_nano: Epoch<1_000_000_000>,
        span_count: Count,
        error_span_count: Count,
        services: LenientList<WireServiceSummary<'a>>,
    }

    #[serde(rename_all = "camelCase")]
    struct WireServiceSummary<'a> {
        name: LenientText<'a>,
        span_count: Count,
        error_span_count: Count,
    }

    /// Traces of the older API, and what is wrong with them.
    struct LegacyTraces<'a> {
        data: LenientList<LegacyTrace<'a>>,
        errors: LenientList<LegacyError<'a>>,
    }

    struct LegacyError<'a> {
        msg: LenientText<'a>,
    }

    struct LegacyTrace<'a> {
        spans: LenientList<LegacySpan<'a>>,
        #[serde(deserialize_with = "or_default")]
        processes: LegacyProcesses<'a>,
    }

    #[serde(rename_all = "camelCase")]
    struct LegacyProcess<'a> {
        service_name: LenientText<'a>,
        tags: LenientList<LegacyTag<'a>>,
    }

    /// A span; its times are in microseconds.
    #[serde(rename_all = "camelCase")]
    struct LegacySpan<'a> {
        #[serde(rename = "traceID")]
        trace_id: LenientText<'a>,
        #[serde(rename = "spanID")]
        span_id: LenientText<'a>,
        /// Instead of `references`, in old versions.
        #[serde(rename = "parentSpanID")]
        parent_span_id: LenientText<'a>,
        operation_name: LenientText<'a>,
        references: LenientList<LegacyReference<'a>>,
        start_time: Epoch<1_000_000>,
        duration: Count,
        tags: LenientList<LegacyTag<'a>>,
        logs: LenientList<LegacyLog<'a>>,
        #[serde(rename = "processID")]
        process_id: LenientText<'a>,
        #[serde(deserialize_with = "texts")]
        warnings: Vec<String>,
    }

    /// `refType` is `CHILD_OF` or `FOLLOWS_FROM`.
    #[serde(rename_all = "camelCase")]
    struct LegacyReference<'a> {
        ref_type: LenientText<'a>,
        #[serde(rename = "traceID")]
        trace_id: LenientText<'a>,
        #[serde(rename = "spanID")]
        span_id: LenientText<'a>,
    }

    struct LegacyTag<'a> {
        key: LenientText<'a>,
        value: LenientText<'a>,
    }

    struct LegacyLog<'a> {
        timestamp: Epoch<1_000_000>,
        fields: LenientList<LegacyTag<'a>>,
    }
}

/// The processes of a trace by their ids.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent, bound(deserialize = "'de: 'a"))]
pub(super) struct LegacyProcesses<'a>(pub(super) HashMap<String, LenientObject<LegacyProcess<'a>>>);
