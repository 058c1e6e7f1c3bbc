//! What every source needs and none writes again: the HTTP client, lenient types for the fields of answers, times in
//! their units, lists in pages, the cost of an answer and what is missing of it, the server's clock, reports of a probe, and for
//! tests a server that answers what a function says and a vendor's description to hold requests against.

#[cfg(test)]
pub(super) mod contract;
pub(super) mod cost;
#[cfg(test)]
pub(super) mod double;
pub(super) mod http;
pub(super) mod lenient;
pub(super) mod paging;
pub(super) mod parts;
pub(super) mod probe;
pub(super) mod skew;
pub(super) mod time;
