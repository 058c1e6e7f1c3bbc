//! Distributed traces: spans with their services, the tree of a trace, and what its duration depends on. Times are kept to the
//! nanosecond.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::labels::Text;
use super::words::words;
pub use id::{SpanId, TraceId};
pub use path::{PathSegment, ServiceShare};
pub use summary::{TraceSnapshot, TraceSummary};
use tree::SpanLinks;

mod id;
mod path;
mod summary;
mod tree;

/// The most spans of a trace that are kept.
pub const MAX_SPANS: usize = 10_000;

words! {
    /// The role of a span in a call (OpenTelemetry's `SpanKind`).
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
    pub enum SpanKind: word {
        #[default]
        Unspecified = "unspecified",
        Internal = "internal",
        Server = "server",
        Client = "client",
        Producer = "producer",
        Consumer = "consumer",
    }
}

words! {
    /// The status of a span (OpenTelemetry's `StatusCode`).
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
    pub enum SpanStatus: word {
        #[default]
        Unset = "unset",
        Ok = "ok",
        Error = "error",
    }
}

/// Names and values in the order of the source; a value that is a list or a map is written as text.
pub type Attributes = Vec<(Text, Text)>;

/// Something that happened at one moment of a span, such as an exception or a log line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SpanEvent {
    pub at: Timestamp,
    pub name: Text,
    pub attributes: Attributes,
}

/// A span of another trace, or of the same one, that caused this span without being its parent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SpanLink {
    pub trace: TraceId,
    pub span: SpanId,
    pub attributes: Attributes,
}

/// One operation of one service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    pub id: SpanId,
    /// The span that called this one; the source may not have it.
    pub parent: Option<SpanId>,
    /// Empty if unknown.
    pub service: Text,
    pub operation: Text,
    pub kind: SpanKind,
    pub starts_at: Timestamp,
    pub duration: Duration,
    pub status: SpanStatus,
    /// The text of the status; usually of an error.
    pub message: Text,
    pub attributes: Attributes,
    /// Attributes of the process: pod, version, host. Shared by all its spans.
    pub resource: Arc<[(Text, Text)]>,
    /// The library that recorded the span; may be empty.
    pub scope: Text,
    pub events: Vec<SpanEvent>,
    pub links: Vec<SpanLink>,
    /// How many attributes, events and links were dropped before the span was sent.
    pub dropped: u32,
}

impl Span {
    pub fn is_error(&self) -> bool {
        self.status == SpanStatus::Error
    }

    /// The reason of an error: the status message, else the message or type of its first exception.
    pub fn reason(&self) -> Option<&Text> {
        let of_exception = |name: &str| {
            let exceptions = self.events.iter().filter(|event| &*event.name == "exception");
            let mut attributes = exceptions.flat_map(|event| &event.attributes);
            attributes.find(|(known, _)| &**known == name).map(|(_, value)| value)
        };
        Some(&self.message)
            .filter(|message| !message.trim().is_empty())
            .or_else(|| of_exception("exception.message"))
            .or_else(|| of_exception("exception.type"))
    }
}

/// A span at its place in the tree of its trace. Offsets and lengths are in nanoseconds; offsets begin at the start of the trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpanNode {
    pub span: Span,
    /// 0 for a root.
    pub depth: usize,
    /// The index of the parent among the nodes; `None` for a root.
    pub parent: Option<usize>,
    /// The number of spans below this one, which follow it directly.
    pub below: usize,
    /// The number of errors among the spans below.
    pub errors_below: usize,
    pub from: u64,
    pub length: u64,
    /// The part of its length in which none of its children ran.
    pub self_time: u64,
    /// The part of its length that the duration of the trace depends on.
    pub critical_time: u64,
    /// Whether it names a parent that the source does not have.
    pub is_orphan: bool,
    /// By how much it begins before its parent, usually because two clocks differ.
    pub early_by: u64,
}

impl SpanNode {
    /// The end, in nanoseconds after the start of the trace.
    pub fn to(&self) -> u64 {
        self.from.saturating_add(self.length)
    }
}

/// A trace as a tree of spans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    pub id: TraceId,
    /// The spans, each before those below it; siblings in the order of their starts.
    pub nodes: Vec<SpanNode>,
    /// The start of the earliest span.
    pub starts_at: Timestamp,
    /// From the start of the earliest span to the end of the latest one.
    pub duration: Duration,
    /// The spans that the duration of the longest root depends on, in the order of time.
    pub path: Vec<PathSegment>,
    /// Where the time goes: all services, those with the most time on the critical path first.
    pub services: Vec<ServiceShare>,
    /// The index of the deepest span with an error: where the failure began, as far as the spans show.
    pub error_origin: Option<usize>,
    /// Spans that name a parent that the source does not have.
    pub orphans: usize,
    /// Spans whose parents form a circle; the circle is cut at its earliest span.
    pub circles: usize,
    /// Spans that the source sent twice.
    pub repeated: usize,
    /// Spans beyond [`MAX_SPANS`], which are left out: the shortest ones without errors.
    pub omitted: usize,
    /// Why the source says that the trace is incomplete.
    pub partial: Option<Text>,
    /// The page of the trace in the source's own user interface.
    pub link: Option<Text>,
}

impl Trace {
    /// The tree of these spans, which may come in any order. `None` without spans.
    ///
    /// Accepts what real traces have: missing parents, several roots, span ids that client and server share or that occur twice,
    /// parents in a circle, and clocks that differ between services. Times are shown as reported.
    pub fn new(id: TraceId, mut spans: Vec<Span>) -> Option<Self> {
        let omitted = spans.len().saturating_sub(MAX_SPANS);
        if omitted > 0 {
            // errors and long spans explain most, and long spans are usually the ancestors of the others
            spans.select_nth_unstable_by_key(MAX_SPANS, |span| (!span.is_error(), Reverse(span.duration)));
            spans.truncate(MAX_SPANS);
        }
        spans.sort_by(|a, b| {
            let by_time = a.starts_at.cmp(&b.starts_at).then_with(|| b.duration.cmp(&a.duration));
            by_time.then_with(|| a.cmp(b))
        });
        let sent = spans.len();
        spans.dedup();
        let repeated = sent - spans.len();
        let starts_at = spans.first()?.starts_at;
        let SpanLinks { parents, is_orphan, circles } = tree::links(&spans);
        let orphans = is_orphan.iter().filter(|is_orphan| **is_orphan).count();
        let mut nodes = tree::nodes(spans, starts_at, &parents, &is_orphan);
        path::set_self_times(&mut nodes);
        let path = path::critical_path(&mut nodes);
        let end = nodes.iter().map(SpanNode::to).max().unwrap_or(0);
        Some(Self {
            id,
            starts_at,
            duration: Duration::from_nanos(end),
            path,
            services: path::shares(&nodes),
            error_origin: path::error_origin(&nodes),
            orphans,
            circles,
            repeated,
            omitted,
            partial: None,
            link: None,
            nodes,
        })
    }

    /// The longest root: what the trace is called by, and whose duration the critical path explains.
    pub fn root(&self) -> Option<&SpanNode> {
        path::main_root(&self.nodes).and_then(|at| self.nodes.get(at))
    }

    pub fn errors(&self) -> usize {
        self.nodes.iter().filter(|node| node.span.is_error()).count()
    }

    /// The span that begins the most before its parent; `None` if every span begins after its parent.
    pub fn most_skewed(&self) -> Option<&SpanNode> {
        self.nodes.iter().max_by_key(|node| node.early_by).filter(|node| node.early_by > 0)
    }

    /// The index of a service in [`Self::services`].
    pub fn service_index(&self, service: &str) -> Option<usize> {
        self.services.iter().position(|share| &*share.service == service)
    }

    /// Remarks on missing parts and on data that cannot be right, one sentence each.
    pub fn remarks(&self) -> Vec<String> {
        let spans = |count: usize, one: &str, many: &str| {
            (count > 0)
                .then(|| if count == 1 { format!("1 span {one}") } else { format!("{count} spans {many}") })
        };
        let partial = self.partial.as_ref().map(|why| {
            if why.is_empty() {
                "the source has only a part of this trace".to_owned()
            } else {
                format!("incomplete: {why}")
            }
        });
        let skew = self.most_skewed().map(|node| {
            let by = super::health::latency(Duration::from_nanos(node.early_by).as_secs_f64());
            format!(
                "{} {} begins {by} before its parent: clocks differ",
                node.span.service, node.span.operation
            )
        });
        let omitted = (self.omitted > 0)
            .then(|| format!("{} more spans left out: the shortest ones without errors", self.omitted));
        let orphans =
            spans(self.orphans, "names a parent that is missing here", "name parents that are missing here");
        let circles = spans(self.circles, "was its own ancestor", "were their own ancestors");
        let repeated = spans(self.repeated, "was sent twice", "were sent twice");
        [partial, omitted, orphans, skew, circles, repeated].into_iter().flatten().collect()
    }
}

/// The answer about one trace.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TraceSearch {
    /// `None`: the source has no trace with this id.
    pub found: Option<Arc<Trace>>,
}

#[cfg(test)]
mod tests;
