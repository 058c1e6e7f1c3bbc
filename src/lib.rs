//! The on-call engineer's terminal; the rooms are described in `docs/architecture.md`.

mod app;
mod backend;
mod cli;
mod config;
mod model;
mod runtime;
#[cfg(not(only_program))]
#[doc(hidden)]
pub mod testing;

pub use cli::run;
