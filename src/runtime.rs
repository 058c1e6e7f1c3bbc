//! The loop, the terminal, the clock, and everything that waits. The only room that does.

mod clock;
mod effects;
#[cfg(test)]
mod fixtures;
mod gate;
pub mod headless;

pub use clock::Clock;
pub use effects::{Contexts, Entrance, Sources};

use jiff::Timestamp;
use ratatui::buffer::Buffer;

use crate::app;
use crate::app::event::{Effect, Event};
use crate::app::state::State;

/// What the loop drives: the application, or a toy in a test.
pub trait App {
    /// Takes an event; says what is to be done outside. Never waits.
    fn update(&mut self, event: Event, now: Timestamp) -> Vec<Effect>;
    /// Draws all of the screen.
    fn render(&self, now: Timestamp, buf: &mut Buffer);
    /// Counts up whenever a new frame would look different.
    fn version(&self) -> u64;
}

impl App for State {
    fn update(&mut self, event: Event, now: Timestamp) -> Vec<Effect> {
        app::update(self, event, now)
    }

    fn render(&self, now: Timestamp, buf: &mut Buffer) {
        app::render(self, now, buf);
    }

    fn version(&self) -> u64 {
        self.version()
    }
}
