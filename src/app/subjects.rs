//! What screens are about: what several of them share about each kind of thing, so that no screen needs another.

pub mod alert;
pub mod incident;
pub mod link;
pub mod on_call;
pub mod runbook;
pub mod service;
pub mod slo;
