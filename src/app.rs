//! What the person sees and does: state, update, render. No tokio, no socket, no terminal, no file, no clock.

pub mod alarm;
pub mod commands;
pub mod doubt;
pub mod due;
pub mod event;
pub mod filter;
pub mod folds;
pub mod found;
mod frame;
mod grid;
mod help;
pub mod key;
pub mod line;
pub mod list;
pub mod look;
pub mod markdown;
pub mod menu;
mod menus;
pub mod message;
mod navigate;
pub mod number;
mod overlay;
pub mod palette;
pub mod place;
pub mod range;
pub mod screens;
pub mod state;
pub mod theme;
pub mod themes;
mod update;
pub mod widgets;

pub use frame::render;
pub use update::update;
