//! The pieces that screens are made of: pure functions from values to cells. They know no screen and no source.

mod axis;
pub mod bar;
pub mod chart;
pub mod heat;
mod plot;
pub mod spark;
pub mod table;
pub mod text;
pub mod unit;

#[cfg(test)]
mod probe;
