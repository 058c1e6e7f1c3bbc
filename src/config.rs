//! What the person wants: files, contexts, sources, secrets, look. Reads files; no socket, no screen.

mod check;
pub mod context;
pub mod definitions;
pub(crate) mod files;
mod judgement;
pub mod kind;
pub mod load;
mod nearest;
mod paths;
mod sample;
mod schema;
pub mod secret;
pub mod settings;
mod shape;
mod sheet;
pub mod theme;

pub use check::Known;
pub(crate) use check::{is_exposed, is_this_machine, unsafe_address};
pub use nearest::{hint, nearest};
pub use paths::Paths;
pub use sample::sample;
pub use schema::schema;
