//! What the person wants: files, contexts, sources, secrets, look. Reads files; no socket, no screen.

mod check;
pub mod context;
pub mod definitions;
pub(crate) mod files;
mod judgement;
pub mod load;
mod paths;
pub mod secret;
pub mod settings;
mod shape;
mod sheet;
pub mod theme;

pub use check::Known;
pub(crate) use check::{is_exposed, is_this_machine, unsafe_address};
pub use paths::Paths;
pub use sheet::{hint, nearest};

/// A configuration file that changes nothing: every option with its default, as comments.
pub const SAMPLE: &str = include_str!("../config/default.toml");
