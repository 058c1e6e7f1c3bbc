//! burnwatch: a terminal UI and command line for on-call engineers. `docs/architecture.md` describes the modules.

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
