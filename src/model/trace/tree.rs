//! The tree of a trace, out of spans that each name their parent.

use std::collections::HashMap;

use jiff::Timestamp;

use super::{Span, SpanId, SpanKind, SpanNode};

/// The parents of spans, by their indexes.
pub(super) struct SpanLinks {
    pub(super) parents: Vec<Option<usize>>,
    /// Whether a span names a parent that is not there.
    pub(super) is_orphan: Vec<bool>,
    /// The number of circles that were cut.
    pub(super) circles: usize,
}

/// Finds the parent of each span. The spans are sorted by their starts.
///
/// Where client and server share one id (Zipkin's B3 propagation), the server's span is below the client's, and children of the
/// id are below the server's. Of other spans with one id, the earliest has the children.
pub(super) fn links(spans: &[Span]) -> SpanLinks {
    let mut owners: HashMap<SpanId, usize> = HashMap::new();
    let mut pairs: HashMap<usize, usize> = HashMap::new();
    for (at, span) in spans.iter().enumerate() {
        let owner = *owners.entry(span.id).or_insert(at);
        let Some(other) = spans.get(owner).filter(|_| owner != at) else { continue };
        let kinds = (other.kind, span.kind);
        if kinds == (SpanKind::Client, SpanKind::Server) {
            pairs.insert(at, owner);
            owners.insert(span.id, at);
        } else if kinds == (SpanKind::Server, SpanKind::Client) && !pairs.contains_key(&owner) {
            pairs.insert(owner, at);
        }
    }
    let mut is_orphan = vec![false; spans.len()];
    let mut parents: Vec<Option<usize>> = spans
        .iter()
        .zip(&mut is_orphan)
        .enumerate()
        .map(|(at, (span, is_orphan))| {
            if let Some(client) = pairs.get(&at) {
                return Some(*client);
            }
            let parent = span.parent?;
            let owner = owners.get(&parent).copied();
            *is_orphan = owner.is_none();
            owner
        })
        .collect();
    let circles = cut_circles(&mut parents);
    SpanLinks { parents, is_orphan, circles }
}

/// Makes the earliest span of each circle a root. Returns the number of circles.
fn cut_circles(parents: &mut [Option<usize>]) -> usize {
    #[derive(Clone, Copy, PartialEq)]
    enum Visit {
        New,
        OnTheWay,
        Done,
    }
    let mut circles = 0;
    let mut visits = vec![Visit::New; parents.len()];
    for start in 0..parents.len() {
        let mut way = Vec::new();
        let mut next = Some(start);
        while let Some(at) = next {
            match visits.get(at) {
                Some(Visit::New) => {}
                Some(Visit::OnTheWay) => {
                    let circle = way.iter().copied().skip_while(|on_the_way| *on_the_way != at);
                    if let Some(parent) = circle.min().and_then(|earliest| parents.get_mut(earliest)) {
                        *parent = None;
                        circles += 1;
                    }
                    break;
                }
                Some(Visit::Done) | None => break,
            }
            if let Some(visit) = visits.get_mut(at) {
                *visit = Visit::OnTheWay;
            }
            way.push(at);
            next = parents.get(at).copied().flatten();
        }
        for at in way {
            if let Some(visit) = visits.get_mut(at) {
                *visit = Visit::Done;
            }
        }
    }
    circles
}

/// The spans in the order of the tree, with their offsets from the start of the trace.
pub(super) fn nodes(
    spans: Vec<Span>,
    starts_at: Timestamp,
    parents: &[Option<usize>],
    is_orphan: &[bool],
) -> Vec<SpanNode> {
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); spans.len()];
    let mut waiting: Vec<(usize, Option<usize>, usize)> = Vec::new();
    for (at, parent) in parents.iter().enumerate() {
        match parent.and_then(|parent| children.get_mut(parent)) {
            Some(siblings) => siblings.push(at),
            None => waiting.push((at, None, 0)),
        }
    }
    waiting.reverse();
    let mut spans: Vec<Option<Span>> = spans.into_iter().map(Some).collect();
    let mut nodes: Vec<SpanNode> = Vec::with_capacity(spans.len());
    while let Some((at, parent, depth)) = waiting.pop() {
        let Some(span) = spans.get_mut(at).and_then(Option::take) else { continue };
        let offset = span.starts_at.as_nanosecond() - starts_at.as_nanosecond();
        let from = u64::try_from(offset).unwrap_or(u64::MAX);
        let of_parent = parent.and_then(|parent: usize| nodes.get(parent)).map_or(from, |parent| parent.from);
        let place = nodes.len();
        nodes.push(SpanNode {
            depth,
            parent,
            below: 0,
            errors_below: 0,
            from,
            length: u64::try_from(span.duration.as_nanos()).unwrap_or(u64::MAX).min(u64::MAX - from),
            self_time: 0,
            critical_time: 0,
            is_orphan: is_orphan.get(at).copied().unwrap_or(false),
            early_by: of_parent.saturating_sub(from),
            span,
        });
        let below = children.get(at).into_iter().flatten().rev();
        waiting.extend(below.map(|child| (*child, Some(place), depth + 1)));
    }
    count_below(&mut nodes);
    nodes
}

/// Counts the spans and errors below each span: children come after their parents.
fn count_below(nodes: &mut [SpanNode]) {
    for at in (0..nodes.len()).rev() {
        let Some(node) = nodes.get(at) else { continue };
        let (below, errors) = (node.below + 1, node.errors_below + usize::from(node.span.is_error()));
        if let Some(parent) = node.parent.and_then(|parent| nodes.get_mut(parent)) {
            parent.below += below;
            parent.errors_below += errors;
        }
    }
}
