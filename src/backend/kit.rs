//! Code that all kinds of sources share: lenient types for the fields of answers, paginated lists, the cost of an answer and
//! the warnings about missing parts, the server's clock, probe reports, and contract tests.

pub(super) mod change_lines;
pub(super) mod cost;
#[cfg(test)]
pub(super) mod double;
pub(super) mod firing_text;
pub(super) mod http;
pub(super) mod lenient;
pub(super) mod otlp;
pub(super) mod paging;
pub(super) mod parts;
pub(super) mod probe;
pub(super) mod process;
pub(super) mod skew;
#[cfg(test)]
pub(super) mod tests;
pub(super) mod time;
