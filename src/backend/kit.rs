//! What every source needs and none writes again: the HTTP client, lenient types for the fields of answers, lists in pages, the cost of an
//! answer and what is missing of it, the server's clock, reports of a probe, and contract tests.

#[cfg(test)]
pub(super) mod contract;
pub(super) mod http;
pub(super) mod lenient;
pub(super) mod paging;
pub(super) mod parts;
pub(super) mod probe;
pub(super) mod skew;
