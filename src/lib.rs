//! The on-call engineer's terminal; the rooms are described in `docs/architecture.md`.

pub mod app;
pub mod backend;
pub mod cli;
pub mod config;
pub mod model;
pub mod runtime;
