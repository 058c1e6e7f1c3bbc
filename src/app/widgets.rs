//! The pieces that screens are made of: pure functions from values to cells. They know no screen and no source.

pub mod bar;
pub mod spark;
pub mod table;
pub mod text;

#[cfg(test)]
mod probe;
