//! The widgets of screens: pure functions that draw values into cells. They do not depend on screens or sources.

mod axis;
pub mod bar;
pub mod chart;
pub mod heat;
mod plot;
mod scale;
pub mod spark;
pub mod states;
pub mod table;
pub mod text;
pub mod unit;

#[cfg(test)]
pub(super) mod probe;
