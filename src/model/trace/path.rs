//! What the duration of a trace depends on: the critical path, the time that each service spends itself, and where a failure
//! began.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::time::Duration;

use super::{SpanKind, SpanNode};
use crate::model::labels::Text;

/// A stretch of the critical path, in nanoseconds after the start of the trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathSegment {
    /// The index of the span that ran itself at that time.
    pub node: usize,
    pub from: u64,
    pub to: u64,
}

/// The part of a service in a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceShare {
    pub service: Text,
    pub spans: usize,
    pub errors: usize,
    /// The sum of the time in which its spans ran without a running child; spans that run at the same time each count.
    pub self_time: Duration,
    /// Its time on the critical path; over all services the duration of the longest root.
    pub critical: Duration,
}

/// The indexes of the children of a span, in the order of their starts.
fn children(nodes: &[SpanNode], parent: usize) -> impl Iterator<Item = usize> + '_ {
    let end = parent + 1 + nodes.get(parent).map_or(0, |node| node.below);
    let mut next = parent + 1;
    std::iter::from_fn(move || {
        let child = next;
        next += 1 + nodes.get(child)?.below;
        (child < end).then_some(child)
    })
}

/// Sets the time of each span in which none of its children ran. Children count only within their parent's time.
pub(super) fn set_self_times(nodes: &mut [SpanNode]) {
    for at in 0..nodes.len() {
        let Some((from, to)) = nodes.get(at).map(|node| (node.from, node.to())) else { continue };
        let mut self_time = 0;
        let mut covered_to = from;
        for child in children(nodes, at).filter_map(|child| nodes.get(child)) {
            let child_from = child.from.clamp(from, to);
            self_time += child_from.saturating_sub(covered_to);
            covered_to = covered_to.max(child.to().min(to));
        }
        self_time += to.saturating_sub(covered_to);
        if let Some(node) = nodes.get_mut(at) {
            node.self_time = self_time;
        }
    }
}

/// The index of the longest root, the earliest of several.
pub(super) fn main_root(nodes: &[SpanNode]) -> Option<usize> {
    let roots = nodes.iter().enumerate().filter(|(_, node)| node.parent.is_none());
    roots.max_by_key(|(at, node)| (node.length, Reverse(*at))).map(|(at, _)| at)
}

/// A span whose part of the path is being followed backwards.
struct PathFrame {
    node: usize,
    low: u64,
    high: u64,
    /// The path is known from here to `high`.
    at: u64,
    /// The children, those that end last at the end.
    children: Vec<usize>,
}

impl PathFrame {
    fn new(nodes: &[SpanNode], node: usize, low: u64, high: u64) -> Self {
        // a consumer of a message that outlives its producer is not waited for
        let is_waited_for = |child: &SpanNode| child.span.kind != SpanKind::Consumer || child.to() <= high;
        let mut children: Vec<usize> =
            children(nodes, node).filter(|child| nodes.get(*child).is_some_and(is_waited_for)).collect();
        let order =
            |child: &usize| nodes.get(*child).map(|child| (child.to().min(high), Reverse(child.from)));
        children.sort_by_key(order);
        Self { node, low, high, at: high, children }
    }

    /// The child that ended last before the known part of the path, with its time within this span.
    fn next(&mut self, nodes: &[SpanNode]) -> Option<(usize, u64, u64)> {
        while let Some(child) = self.children.pop() {
            let Some(node) = nodes.get(child) else { continue };
            let (from, to) = (node.from.max(self.low), node.to().min(self.high));
            if from < to && to <= self.at {
                return Some((child, from, to));
            }
        }
        None
    }
}

/// The critical path of the longest root, and the part of each span in it.
///
/// Goes backwards from the end of the root: what ran last is the child that ended last, before its start the child that ended last
/// before that, and so on, in each child likewise; the time in between is the span's own. A child that was still running when the
/// next one on the path began was not waited for. Children count only within their parent's time. As the critical path of Jaeger's
/// user interface, and CRISP (Zhang et al., USENIX ATC 2022). The segments cover the root's duration exactly once.
pub(super) fn critical_path(nodes: &mut [SpanNode]) -> Vec<PathSegment> {
    let mut path = Vec::new();
    let Some((root, node)) = main_root(nodes).and_then(|root| Some((root, nodes.get(root)?))) else {
        return path;
    };
    let mut frames = vec![PathFrame::new(nodes, root, node.from, node.to())];
    while let Some(frame) = frames.last_mut() {
        let node = frame.node;
        let mut add = |from: u64, to: u64| {
            if from < to {
                path.push(PathSegment { node, from, to });
            }
        };
        if let Some((child, from, to)) = frame.next(nodes) {
            add(to, frame.at);
            frame.at = from;
            frames.push(PathFrame::new(nodes, child, from, to));
        } else {
            add(frame.low, frame.at);
            frames.pop();
        }
    }
    path.reverse();
    for segment in &path {
        if let Some(node) = nodes.get_mut(segment.node) {
            node.critical_time += segment.to - segment.from;
        }
    }
    path
}

/// The services, those with the most time on the critical path first, then by their own time and their name.
pub(super) fn shares(nodes: &[SpanNode]) -> Vec<ServiceShare> {
    let mut shares: Vec<ServiceShare> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for node in nodes {
        let place = *places.entry(&*node.span.service).or_insert(shares.len());
        if place == shares.len() {
            let (service, none) = (node.span.service.clone(), Duration::ZERO);
            shares.push(ServiceShare { service, spans: 0, errors: 0, self_time: none, critical: none });
        }
        let Some(share) = shares.get_mut(place) else { continue };
        share.spans += 1;
        share.errors += usize::from(node.span.is_error());
        share.self_time = share.self_time.saturating_add(Duration::from_nanos(node.self_time));
        share.critical = share.critical.saturating_add(Duration::from_nanos(node.critical_time));
    }
    shares.sort_by(|a, b| {
        b.critical
            .cmp(&a.critical)
            .then_with(|| b.self_time.cmp(&a.self_time))
            .then_with(|| a.service.cmp(&b.service))
    });
    shares
}

/// The index of the deepest span with an error: where a failure began.
///
/// Errors that reach a root through failed spans only come first: an error below a span that succeeded was handled there, for
/// example by a retry. Among equally deep ones the earliest counts.
pub(super) fn error_origin(nodes: &[SpanNode]) -> Option<usize> {
    // parents come before their children
    let mut reaches_root = vec![false; nodes.len()];
    for (at, node) in nodes.iter().enumerate() {
        let is_above = node.parent.is_none_or(|parent| reaches_root.get(parent).copied().unwrap_or(false));
        if let Some(reaches) = reaches_root.get_mut(at) {
            *reaches = is_above && node.span.is_error();
        }
    }
    let failed = nodes.iter().zip(reaches_root).enumerate().filter(|(_, (node, _))| node.span.is_error());
    let rank = |(at, (node, reaches)): &(usize, (&SpanNode, bool))| {
        (*reaches, node.depth, Reverse(node.from), Reverse(*at))
    };
    failed.max_by_key(rank).map(|(at, _)| at)
}
