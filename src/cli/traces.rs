//! `burnwatch trace` and `burnwatch traces`: one trace, and the failed and the slowest traces of a service.

use std::sync::Arc;
use std::time::Duration;

use crate::app::columns::{ListColumn, Listed};
use crate::app::number::latency;
use crate::app::place::Place;
use crate::app::readiness;
use crate::app::screens::traces::columns::{COLUMNS, TraceItem};
use crate::app::subjects::trace as subject;
use crate::model::source::SourceId;
use crate::model::trace::{ServiceShare, SpanNode, Trace, TraceId, TraceSummary};

use super::args::{ListingArgs, TracesArgs};
use super::needs;
use super::printer::{ExitOutcome, print, print_error, print_gaps};
use super::report::{Cell, Fact, ReportDocument, ReportList};
use super::view::WorldView;
use super::{CliContext, VerbResult, formatted};

/// The most levels of a tree that a table shows by lines.
const LEVELS: usize = 24;

/// A service with its part of the critical path, 0 to 1.
enum ShareList {}

impl Listed for ShareList {
    type Item<'a> = (&'a ServiceShare, f64);
    type Widths = ();
}

const SHARE_COLUMNS: &[ListColumn<ShareList>] = &[
    ListColumn::text("service", "SERVICE", |(share, _)| Cell::words(share.service.to_string())),
    ListColumn::number("critical_ratio", "OF THE TIME", |(_, ratio)| Cell::Ratio(*ratio)),
    ListColumn::number("critical_seconds", "CRITICAL", |(share, _)| seconds(share.critical)),
    ListColumn::number("self_seconds", "OWN TIME", |(share, _)| seconds(share.self_time)),
    ListColumn::number("spans", "SPANS", |(share, _)| Cell::count(share.spans)),
    ListColumn::number("errors", "ERRORS", |(share, _)| Cell::count(share.errors)),
];

enum SpanList {}

impl Listed for SpanList {
    type Item<'a> = &'a SpanNode;
    type Widths = ();
}

type SpanColumn = ListColumn<SpanList>;

const SPAN_COLUMNS: &[SpanColumn] = &[
    SpanColumn::text("", "SPAN", |node| Cell::Text(format!("{}{}", branch(node.depth), node.span.operation))),
    SpanColumn::hidden("operation", |node| Cell::words(node.span.operation.to_string())),
    SpanColumn::text("service", "SERVICE", |node| Cell::words(node.span.service.to_string())),
    SpanColumn::number("offset_seconds", "AFTER", |node| nanoseconds(node.from)),
    SpanColumn::number("duration_seconds", "TOOK", |node| nanoseconds(node.length)),
    SpanColumn::number("self_seconds", "OWN TIME", |node| nanoseconds(node.self_time)),
    SpanColumn::number("critical_seconds", "CRITICAL", |node| nanoseconds(node.critical_time)),
    SpanColumn::text("status", "STATUS", |node| Cell::Text(node.span.status.word().to_owned())),
    SpanColumn::text("reason", "REASON", |node| {
        Cell::optional(node.span.reason().filter(|_| node.span.is_error()))
    }),
    SpanColumn::hidden("kind", |node| Cell::Text(node.span.kind.word().to_owned())),
    SpanColumn::hidden("span_id", |node| Cell::Text(node.span.id.to_string())),
    SpanColumn::hidden("parent_id", |node| Cell::optional(node.span.parent)),
    SpanColumn::hidden("depth", |node| Cell::count(node.depth)),
    SpanColumn::hidden("is_orphan", |node| Cell::Switch(node.is_orphan)),
    SpanColumn::hidden("attributes", |node| pairs(&node.span.attributes)),
    SpanColumn::hidden("resource", |node| pairs(&node.span.resource)),
    SpanColumn::hidden("events", |node| {
        let event = |event: &crate::model::trace::SpanEvent| {
            let mut fields =
                vec![("name", Cell::words(event.name.to_string())), ("at", Cell::Since(event.at))];
            fields.push(("attributes", pairs(&event.attributes)));
            fields
        };
        Cell::Objects(node.span.events.iter().map(event).collect())
    }),
];

/// Attributes as a list of `name` and `value`: a name can occur twice.
fn pairs(all: &[(Arc<str>, Arc<str>)]) -> Cell {
    let pair = |(name, value): &(Arc<str>, Arc<str>)| {
        vec![("name", Cell::Text(name.to_string())), ("value", Cell::Text(value.to_string()))]
    };
    Cell::Objects(all.iter().map(pair).collect())
}

fn nanoseconds(length: u64) -> Cell {
    seconds(Duration::from_nanos(length))
}

fn seconds(length: Duration) -> Cell {
    Cell::Seconds(length.as_secs_f64())
}

/// The lines of a tree before a span at this depth.
fn branch(depth: usize) -> String {
    match depth {
        0 => String::new(),
        1..=LEVELS => format!("{}└ ", "│ ".repeat(depth - 1)),
        _ => format!("{}… └ ", "│ ".repeat(LEVELS - 1)),
    }
}

/// Prints one trace.
pub(super) fn trace(cx: &CliContext<'_>, id: TraceId, listing: ListingArgs) -> VerbResult {
    let session = cx.session(true)?;
    session.require_source_of(&needs::TRACE.required_questions())?;
    let mut state = session.state_at(Place::Trace(id));
    session.look_on(&mut state, Place::Trace(id), &needs::TRACE.kinds())?;
    let gaps = readiness::screen_gaps(&state, &needs::TRACE.kinds(), session.active.clock.now());
    let Some((source, found)) = subject::found(&state.shared, id) else {
        if gaps.is_empty() {
            print_error(&format!(
                "no source has a trace {id}: it was not sampled, is too old, or has not arrived yet"
            ));
            return Ok(ExitOutcome::UsageError);
        }
        // a source that did not answer may have the trace
        return Ok(print_gaps(&gaps));
    };
    let document = trace_document(&session.view(&state), source, found, gaps);
    Ok(print(&formatted(&document, listing.output), outcome(&document)))
}

/// Prints the traces of a service.
pub(super) fn traces(cx: &CliContext<'_>, wanted: &TracesArgs) -> VerbResult {
    let session = cx.session(true)?;
    session.require_source_of(&needs::TRACES.required_questions())?;
    let service = wanted.service.as_str();
    let place = Place::Traces(service.into());
    let mut state = session.state_at(place.clone());
    state.shared.range.length = wanted.since;
    session.look_on(&mut state, place, &needs::TRACES.kinds())?;
    let gaps = readiness::screen_gaps(&state, &needs::TRACES.kinds(), session.active.clock.now());
    let mut all: Vec<(SourceId, Arc<TraceSummary>)> =
        subject::listed(&state.shared, service).into_values().collect();
    all.retain(|(_, trace)| trace.is_failed || !wanted.failed);
    let is_cut = subject::snapshots(&state.shared, service).any(|(_, snapshot)| snapshot.is_cut);
    let document = list_document(&session.view(&state), service, all, is_cut, gaps);
    Ok(print(&formatted(&document, wanted.listing.output), outcome(&document)))
}

fn outcome(document: &ReportDocument) -> ExitOutcome {
    if document.is_partial { ExitOutcome::Partial } else { ExitOutcome::Fine }
}

/// A trace with its services and spans. `gaps` are the missing answers.
pub(super) fn trace_document(
    view: &WorldView<'_>,
    source: &SourceId,
    trace: &Trace,
    gaps: Vec<String>,
) -> ReportDocument {
    let root = trace.root().map(|node| &node.span);
    let text =
        |of: fn(&crate::model::trace::Span) -> &str| root.map_or(Cell::Nothing, |span| Cell::words(of(span)));
    let origin = trace.error_origin.and_then(|at| trace.nodes.get(at)).map(|node| &node.span);
    let origin = origin.map(|span| {
        let why = span.reason().map(|why| format!(": {why}")).unwrap_or_default();
        format!("{} {}{why}", span.service, span.operation)
    });
    let facts = vec![
        Fact::new("trace_id", "Trace", Cell::Text(trace.id.to_string())),
        Fact::new("service", "Root service", text(|span| &span.service)),
        Fact::new("operation", "Operation", text(|span| &span.operation)),
        Fact::new("started_at", "Started", Cell::Moment(trace.starts_at)),
        Fact::new("duration_seconds", "Took", seconds(trace.duration)),
        Fact::new("span_count", "Spans", Cell::count(trace.nodes.len() + trace.omitted)),
        Fact::new("error_count", "Errors", Cell::count(trace.errors())),
        Fact::new("failed_first", "Failed first", Cell::optional(origin)),
        Fact::new("is_incomplete", "Incomplete", Cell::Switch(trace.partial.is_some() || trace.omitted > 0)),
        Fact::new("link", "Page", Cell::optional(trace.link.as_ref())),
        Fact::new("source", "Source", Cell::Text(source.to_string())),
    ];
    let whole: Duration = trace.services.iter().map(|share| share.critical).sum();
    let ratio = |part: Duration| part.as_secs_f64() / whole.as_secs_f64().max(f64::MIN_POSITIVE);
    let shares = trace.services.iter().map(|share| (share, ratio(share.critical)));
    let lists = vec![
        ReportList::of(("services", "Where the time goes", "No services."), SHARE_COLUMNS, shares),
        ReportList::of(("spans", "Spans", "No spans."), SPAN_COLUMNS, &trace.nodes),
    ];
    let mut document = base(view, facts, lists, gaps);
    document.is_partial |= trace.partial.is_some();
    document.notes.extend(trace.remarks());
    document
}

/// The traces of a service. `gaps` are the missing answers.
pub(super) fn list_document(
    view: &WorldView<'_>,
    service: &str,
    mut all: Vec<(SourceId, Arc<TraceSummary>)>,
    is_cut: bool,
    gaps: Vec<String>,
) -> ReportDocument {
    all.sort_by_cached_key(|(_, trace)| trace.rank());
    let longest = all.iter().map(|(_, trace)| trace.duration).max().unwrap_or_default();
    let items = all.iter().map(|(source, trace)| TraceItem { trace, source, longest });
    let list = ReportList::of(("traces", "Traces", "No traces found."), COLUMNS, items);
    let mut document = base(view, Vec::new(), vec![list], gaps);
    document.notes.extend(view.notices(&needs::TRACES.kinds()));
    if is_cut {
        let longest = latency(longest.as_secs_f64());
        document.notes.push(format!(
            "{service} has more traces than were read: there may be others that failed or took longer than {longest}; \
             a shorter --since or a higher max_traces of the source shows them"
        ));
    }
    document
}

fn base(view: &WorldView<'_>, facts: Vec<Fact>, lists: Vec<ReportList>, gaps: Vec<String>) -> ReportDocument {
    let is_partial = !gaps.is_empty();
    ReportDocument {
        context: view.context.to_owned(),
        as_of: view.now,
        facts,
        lists,
        notes: gaps,
        is_partial,
    }
}
