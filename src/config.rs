//! The user's configuration: files, contexts, sources, secrets, themes and SLO definitions. Reads files; no socket, no screen.

mod check;
pub mod context;
pub mod definitions;
pub mod discovered;
pub(crate) mod files;
mod health_policy;
pub mod kind;
pub mod load;
mod nearest;
mod paths;
pub(crate) mod process;
mod sample;
mod schema;
mod schema_check;
pub mod secret;
pub mod settings;
pub mod theme;
mod toml_document;

pub use check::KnownNames;
pub(crate) use check::{is_exposed, is_this_machine, unsafe_address};
pub use nearest::{did_you_mean, hint, most_similar, nearest};
pub use paths::Paths;
pub use sample::sample;
pub use schema::schema;
