//! The search for the slowest traces at a server that cannot sort them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::model::trace::{TraceId, TraceSnapshot, TraceSummary};

/// The most rounds of a search.
const ROUNDS: usize = 4;

/// A search for the slowest traces at a server that cannot sort: if a search finds as many traces as it may, there are more, and
/// the next one asks for traces that are slower than most of those found.
pub(crate) struct SlowestSearch {
    /// The most traces that the server returns at once.
    limit: usize,
    minimum: Option<Duration>,
    rounds: usize,
    is_done: bool,
    found: BTreeMap<TraceId, TraceSummary>,
}

impl SlowestSearch {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, minimum: None, rounds: 0, is_done: false, found: BTreeMap::new() }
    }

    /// The minimum duration of the next search, if another one is needed; zero: any duration.
    pub(crate) fn next_minimum(&self) -> Option<Duration> {
        (!self.is_done && self.rounds < ROUNDS).then(|| self.minimum.unwrap_or_default())
    }

    /// Takes what a search has found.
    pub(crate) fn take(&mut self, batch: Vec<TraceSummary>) {
        self.rounds += 1;
        let mut durations: Vec<Duration> = batch.iter().map(|trace| trace.duration).collect();
        durations.sort_unstable();
        // nine tenths of what was found are faster
        let next = durations.get(durations.len() * 9 / 10).copied().unwrap_or_default();
        let above = self.minimum.map_or(next, |minimum| next.max(minimum + Duration::from_nanos(1)));
        self.is_done = batch.len() < self.limit;
        self.minimum = Some(above);
        self.add(batch);
    }

    /// Adds traces of another search.
    pub(crate) fn add(&mut self, batch: Vec<TraceSummary>) {
        for trace in batch {
            let is_failed = trace.is_failed;
            let known = self.found.entry(trace.id).or_insert(trace);
            known.is_failed |= is_failed;
        }
    }

    /// Whether slower traces than those found may exist.
    pub(crate) fn is_cut(&self) -> bool {
        !self.is_done
    }

    /// The traces, in the order of the list.
    pub(crate) fn finish(self, from: Timestamp, until: Timestamp, is_cut: bool) -> TraceSnapshot {
        let mut traces: Vec<Arc<TraceSummary>> = self.found.into_values().map(Arc::new).collect();
        traces.sort_by_cached_key(|trace| trace.rank());
        TraceSnapshot { from, until, traces, is_cut }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn summary(number: u128, millis: u64) -> TraceSummary {
        TraceSummary {
            id: TraceId::new(number + 1).unwrap(),
            starts_at: Timestamp::UNIX_EPOCH,
            duration: Duration::from_millis(millis),
            service: "checkout".into(),
            operation: "POST /order".into(),
            spans: None,
            errors: None,
            is_failed: false,
            services: Vec::new(),
            link: None,
        }
    }

    /// Searches among these durations as a server does that returns any traces that match, here the first ones.
    fn search(millis: &[u64], limit: usize) -> (TraceSnapshot, usize, bool) {
        let mut search = SlowestSearch::new(limit);
        let mut rounds = 0;
        while let Some(minimum) = search.next_minimum() {
            rounds += 1;
            let all = millis.iter().zip(0..).map(|(millis, number)| summary(number, *millis));
            let slow = all.filter(|trace| trace.duration >= minimum);
            search.take(slow.take(limit).collect());
        }
        let is_cut = search.is_cut();
        (search.finish(Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH, is_cut), rounds, is_cut)
    }

    #[test]
    fn the_slowest_of_many_traces_are_found_in_a_few_rounds() {
        // the slowest come last, so that a single search does not find them
        let millis: Vec<u64> = (0..1000).collect();
        let (found, rounds, is_cut) = search(&millis, 100);
        assert!(rounds <= ROUNDS && is_cut);
        assert!(found.traces[0].duration < Duration::from_millis(999), "and it is said that there are more");
        let mixed: Vec<u64> = (0..1000).map(|n| n * 7919 % 1000).collect();
        let (found, rounds, is_cut) = search(&mixed, 100);
        assert_eq!((found.traces[0].duration, is_cut), (Duration::from_millis(999), false));
        assert!(rounds <= 3, "{rounds}");
    }

    #[test]
    fn equally_slow_traces_do_not_make_it_search_for_ever() {
        let (found, rounds, is_cut) = search(&[5; 300], 100);
        assert_eq!((found.traces.len(), rounds, is_cut), (100, 3, false));
        assert_eq!(search(&[], 100).1, 1);
    }

    proptest! {
        #[test]
        fn a_search_that_says_it_is_complete_has_the_slowest(millis in prop::collection::vec(0..500_u64, 0..300), limit in 1..60_usize) {
            let (found, rounds, is_cut) = search(&millis, limit);
            prop_assert!(rounds <= ROUNDS);
            let slowest = millis.iter().max().map(|slowest| Duration::from_millis(*slowest));
            let first = found.traces.first().map(|trace| trace.duration);
            prop_assert!(is_cut || first == slowest, "{first:?} of {slowest:?}");
        }
    }
}
