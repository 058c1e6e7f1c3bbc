//! The domain model: labels, alerts, services, SLOs, incidents, and the questions to sources with their answers.
//!
//! No I/O, no clock, no screen: the functions compute values from values, and `now` is always an argument.

pub mod action;
pub mod alert;
pub mod ask;
pub mod assessment;
pub mod capacity;
pub mod change;
pub mod dashboard;
pub mod delivery;
pub mod detection;
pub mod duration;
pub mod evaluation;
pub mod fingerprint;
pub mod firing;
#[cfg(not(only_program))]
pub mod fixtures;
pub mod frame;
pub mod guard;
pub mod health;
pub mod host;
pub mod incident;
pub mod journal;
pub mod labels;
pub mod log;
pub mod matcher;
pub mod measures;
pub mod metric;
pub mod notify;
pub mod oncall;
pub mod operation;
pub mod pages;
pub mod placeholder;
pub mod promql;
pub mod quantity;
pub mod query_language;
pub mod reason;
pub mod remote;
pub mod rule;
pub mod runbook;
pub mod saved_query;
pub mod series;
pub mod service;
pub mod signal;
pub mod silence;
pub mod slo;
pub mod source;
pub mod source_info;
pub mod text;
pub mod trace;
pub mod value;
pub mod warning;
pub mod when;
pub mod why;
pub(crate) mod words;
pub mod world;

#[cfg(test)]
pub(crate) mod tests;
