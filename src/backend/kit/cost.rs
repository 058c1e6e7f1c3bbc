//! The cost of an answer, counted where the requests are sent; and the digest that recognises an unchanged answer.

use std::cell::Cell;
use std::hash::{DefaultHasher, Hash, Hasher};

tokio::task_local! {
    /// The requests so far of the question that is being answered.
    static SPENT: Cell<Cost>;
}

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cost {
    /// The size of the response bodies in bytes, decompressed.
    pub(crate) bytes_in: u64,
    pub(crate) requests: u32,
}

impl Cost {
    /// Runs `work`, and returns its output with the cost of all requests that it sends.
    pub(crate) async fn of<T>(work: impl Future<Output = T>) -> (T, Self) {
        SPENT.scope(Cell::default(), async { (work.await, SPENT.with(Cell::get)) }).await
    }

    /// Counts a request; `bytes_in` is 0 if it failed. Requests of actions are not part of an answer and are not counted.
    pub(crate) fn count(bytes_in: u64) {
        let count = |spent: &Cell<Self>| {
            let Self { bytes_in: before, requests } = spent.get();
            spent.set(Self { bytes_in: before + bytes_in, requests: requests + 1 });
        };
        // an error means that no question is being answered
        SPENT.try_with(count).unwrap_or_default();
    }
}

pub(crate) fn digest(answer: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    answer.hash(&mut hasher);
    hasher.finish()
}
