//! What tests of all rooms need.

pub(crate) mod shared;
