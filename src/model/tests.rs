//! Helpers for tests of all modules.

pub(crate) mod shared;
