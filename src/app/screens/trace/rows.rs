//! The rows of a trace: its spans, those below collapsed ones left out, or those that match the filter with their ancestors.

use std::collections::{BTreeSet, HashMap};

use crate::app::filter::FilterFields;
use crate::app::grouped::{Listing, listing};
use crate::app::prelude::*;
use crate::model::trace::{SpanId, SpanKind, SpanNode, SpanStatus, Trace};

/// A span of a trace: its id, and how many spans of the same id come before it.
pub(super) type SpanKey = (SpanId, usize);

#[derive(Debug, Default)]
pub(super) struct SpanRows {
    pub(super) list: List<SpanKey>,
    pub(super) found: ListFilter,
    order: SortOrder,
    folded: BTreeSet<SpanKey>,
    /// Whether the cursor was moved to where the failure began.
    has_begun: bool,
    trace: Option<Arc<Trace>>,
    /// The key of each node.
    keys: Vec<SpanKey>,
    /// The index of the node of each key.
    places: HashMap<SpanKey, usize>,
    /// The nodes that match the filter themselves; `None` without a filter.
    matches: Option<Vec<bool>>,
}

impl SpanRows {
    pub(super) fn trace(&self) -> Option<&Arc<Trace>> {
        self.trace.as_ref()
    }

    /// Expands everything and moves the cursor to where it begins.
    pub(super) fn reset(&mut self) {
        self.folded.clear();
        self.list.to_top();
        self.has_begun = false;
    }

    /// Sets the trace; the same one changes nothing.
    pub(super) fn set_trace(&mut self, trace: Option<&Arc<Trace>>) {
        let is_same = match (&self.trace, trace) {
            (Some(old), Some(new)) => Arc::ptr_eq(old, new),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if is_same {
            return;
        }
        self.trace = trace.cloned();
        let mut copies: HashMap<SpanId, usize> = HashMap::new();
        let mut key = |node: &SpanNode| {
            let copy = copies.entry(node.span.id).or_default();
            *copy += 1;
            (node.span.id, *copy - 1)
        };
        self.keys = self.nodes().iter().map(&mut key).collect();
        self.places = self.keys.iter().copied().zip(0..).collect();
    }

    fn nodes(&self) -> &[SpanNode] {
        self.trace.as_ref().map_or(&[], |trace| &trace.nodes)
    }

    /// The node of a row, with its index.
    pub(super) fn node(&self, key: &SpanKey) -> Option<(usize, &SpanNode)> {
        let place = *self.places.get(key)?;
        Some((place, self.nodes().get(place)?))
    }

    /// The span under the cursor.
    pub(super) fn current(&self) -> Option<(usize, &SpanNode)> {
        self.node(self.list.current()?)
    }

    pub(super) fn is_folded(&self, key: &SpanKey) -> bool {
        self.matches.is_none() && self.folded.contains(key)
    }

    /// Whether a span is shown only because one below it matches the filter.
    pub(super) fn is_only_an_ancestor(&self, place: usize) -> bool {
        self.matches.as_ref().is_some_and(|matches| !matches.get(place).copied().unwrap_or(false))
    }

    /// Rebuilds the rows. On a trace that was just opened, the cursor moves to the span in which the failure began.
    pub(super) fn arrange(&mut self, revision: u64, is_typing: bool) {
        let trace = self.trace.clone();
        let nodes = trace.as_ref().map_or(&[][..], |trace| &trace.nodes);
        self.matches = self.found.select(revision, is_typing, || haystack(nodes));
        let is_shown = self.matches.as_ref().map(|matches| with_ancestors(nodes, matches));
        let mut rows = Vec::new();
        let mut next = 0;
        while let (Some(node), Some(key)) = (nodes.get(next), self.keys.get(next)) {
            let is_collapsed = is_shown.is_none() && self.folded.contains(key);
            if is_shown.as_ref().is_none_or(|shown| shown.get(next).copied().unwrap_or(false)) {
                rows.push(*key);
            }
            next += if is_collapsed { node.below + 1 } else { 1 };
        }
        let origin = trace.as_ref().and_then(|trace| self.keys.get(trace.error_origin?));
        let begins_at = origin.and_then(|origin| rows.iter().position(|row| row == origin));
        self.list.set_rows(rows);
        if trace.is_some() && !self.has_begun {
            self.has_begun = true;
            if let Some(at) = begins_at {
                self.list.move_to(at);
            }
        }
    }

    /// The key of the parent of a span.
    fn parent(&self, key: &SpanKey) -> Option<SpanKey> {
        let (_, node) = self.node(key)?;
        self.keys.get(node.parent?).copied()
    }
}

/// The nodes that match, and their ancestors.
fn with_ancestors(nodes: &[SpanNode], matches: &[bool]) -> Vec<bool> {
    let mut shown = matches.to_vec();
    // children come after their parents
    for at in (0..nodes.len()).rev() {
        let parent = nodes.get(at).and_then(|node| node.parent).filter(|_| shown.get(at) == Some(&true));
        if let Some(parent) = parent.and_then(|parent| shown.get_mut(parent)) {
            *parent = true;
        }
    }
    shown
}

/// The texts and numbers of spans that a filter can use.
fn haystack(nodes: &[SpanNode]) -> Haystack {
    const FIELDS: FilterFields = FilterFields {
        words: &["service", "operation", "kind", "status"],
        numbers: &["duration", "self", "critical"],
        flags: &[],
    };
    let kinds = SpanKind::ALL.map(|kind| (kind, Text::from(kind.word())));
    let statuses = SpanStatus::ALL.map(|status| (status, Text::from(status.word())));
    let seconds = |nanoseconds: u64| Duration::from_nanos(nanoseconds).as_secs_f64();
    let labels: Vec<Labels> = nodes
        .iter()
        .map(|node| Labels::new(node.span.resource.iter().chain(&node.span.attributes).cloned().collect()))
        .collect();
    Haystack::with_fields(
        FIELDS,
        nodes.iter().zip(&labels).map(|(node, labels)| {
            let span = &node.span;
            let kind = kinds.iter().find(|(kind, _)| *kind == span.kind).map(|(_, word)| word.clone());
            let status = statuses.iter().find(|(status, _)| *status == span.status);
            let status = status.map(|(_, word)| word.clone());
            let words = [Some(span.service.clone()), Some(span.operation.clone()), kind, status];
            let numbers = [node.length, node.self_time, node.critical_time].map(seconds);
            let of_events = span.events.iter().flat_map(|event| {
                std::iter::once(&event.name).chain(event.attributes.iter().map(|(_, value)| value))
            });
            (labels, std::iter::once(&span.message).chain(of_events), words, numbers)
        }),
    )
}

impl Listing for SpanRows {
    listing!();

    /// Collapses the span under the cursor; one that has no spans below it, or is collapsed already, leads to its parent.
    fn fold(&mut self, fold: bool) -> bool {
        let Some(key) = self.list.current().copied() else { return true };
        let has_below = self.node(&key).is_some_and(|(_, node)| node.below > 0);
        if !fold {
            self.folded.remove(&key);
        } else if has_below && !self.folded.contains(&key) && self.matches.is_none() {
            self.list.move_by(0);
            self.folded.insert(key);
        } else if let Some(parent) = self.parent(&key) {
            let at = self.list.rows().iter().position(|row| *row == parent);
            if let Some(at) = at {
                self.list.move_to(at);
            }
        }
        true
    }
}
