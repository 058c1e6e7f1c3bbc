//! The subjects of screens. Each module has what several screens need of one kind of subject, so that no screen uses another.

pub mod alert;
pub mod capacity;
pub mod change;
pub mod dashboard;
pub mod incident;
pub mod link;
pub mod logs;
pub mod on_call;
pub mod runbook;
pub mod service;
pub mod slo;
pub mod trace;
pub mod why;
