//! What the person sees and does: state, update, render. No tokio, no socket, no terminal, no file, no clock.

pub mod event;
pub mod key;
pub mod look;
pub mod state;

use jiff::Timestamp;
use ratatui::buffer::Buffer;

use event::{Effect, Event};
use state::State;

/// The only function that changes [`State`]. It never waits and never fails.
pub fn update(state: &mut State, event: Event, now: Timestamp) -> Vec<Effect> {
    let _ = (state, event, now);
    Vec::new()
}

/// Draws all of the screen: same state, moment and size, same cells.
pub fn render(state: &State, now: Timestamp, buf: &mut Buffer) {
    let _ = (state, now, buf);
}
