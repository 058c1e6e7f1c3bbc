//! Service levels from files and folders: Sloth, OpenSLO, Pyrra and our own short form. Reads; asks no server.

#![expect(dead_code, reason = "the readers of the formats come next")]

mod finding;
mod folder;
mod from_toml;
mod from_yaml;
mod node;
mod table;

pub use finding::{Finding, Level};
