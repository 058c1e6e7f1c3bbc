//! Traces in a list.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::{Trace, TraceId};
use crate::model::labels::Text;

/// One trace of a service, as a search finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceSummary {
    pub id: TraceId,
    pub starts_at: Timestamp,
    /// From the first to the last span.
    pub duration: Duration,
    /// The service of the root span; empty if the source does not know it.
    pub service: Text,
    /// The operation of the root span; empty if the source does not know it.
    pub operation: Text,
    /// `None` if the source does not tell.
    pub spans: Option<usize>,
    /// Spans with an error, of any service; `None` if the source does not tell.
    pub errors: Option<usize>,
    /// Whether a span of the service that was asked about has an error.
    pub is_failed: bool,
    /// The names of its services, as far as the source tells.
    pub services: Vec<Text>,
    /// The page of the trace in the source's own user interface.
    pub link: Option<Text>,
}

impl TraceSummary {
    /// A whole trace as a row of the list of a service's traces.
    pub fn of(trace: &Trace, service: &str) -> Self {
        let root = trace.root().map(|node| &node.span);
        let is_failed = |share: &super::ServiceShare| &*share.service == service && share.errors > 0;
        Self {
            id: trace.id,
            starts_at: trace.starts_at,
            duration: trace.duration,
            service: root.map_or_else(|| "".into(), |span| span.service.clone()),
            operation: root.map_or_else(|| "".into(), |span| span.operation.clone()),
            spans: Some(trace.nodes.len() + trace.omitted),
            errors: Some(trace.errors()),
            is_failed: trace.services.iter().any(is_failed),
            services: trace.services.iter().map(|share| share.service.clone()).collect(),
            link: trace.link.clone(),
        }
    }

    /// The order of the list: failed ones, then the slowest.
    pub fn rank(&self) -> impl Ord + use<> {
        (Reverse(self.is_failed), Reverse(self.duration), self.id)
    }
}

/// The slowest and the failed traces of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceSnapshot {
    /// The start of the time range that was searched.
    pub from: Timestamp,
    /// Its end.
    pub until: Timestamp,
    /// In the order of [`TraceSummary::rank`].
    pub traces: Vec<Arc<TraceSummary>>,
    /// Whether there are more failed or more slow traces than these.
    pub is_cut: bool,
}
