//! The loop, the terminal, the clock, and everything that waits. The only room that does.

mod backpressure;
mod capability;
mod effects;
mod event_loop;
mod executor;
mod failpoint;
#[cfg(test)]
mod fixtures;
mod frame_pacing;
mod gate;
pub mod headless;
mod input;
mod journal;
pub mod log;
pub mod notice;
mod private_files;
mod recovery;
mod screen;
mod signals;
mod terminal;

pub use capability::{Capability, capability, takes_utf8};
pub use effects::{ContextHandle, ContextOpener, GatedSources};
pub use executor::Seen;
pub use journal::{Journal, JournalContents, who};
pub use recovery::{OpenActions, told};
#[cfg(fuzzing)]
pub use screen::written;
pub use terminal::{is_serial, size};

use std::io;
use std::path::PathBuf;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use tokio::runtime::{Builder, Runtime};

use crate::app;
use crate::app::event::{Effect, Event, Wait};
use crate::app::state::State;
use crate::backend::Clock;
use crate::model::guard::Guard;
use crate::model::labels::Text;

use backpressure::Backpressure;
use effects::EffectRunner;
use event_loop::EventLoop;
use executor::Executor;
use terminal::TerminalSession;

/// What the loop drives: the application, or a toy in a test.
pub trait App {
    /// Takes an event; says what is to be done outside. Never waits.
    fn update(&mut self, event: Event, now: Timestamp) -> Vec<Effect>;
    /// Draws all of the screen.
    fn render(&self, now: Timestamp, buf: &mut Buffer);
    /// Counts up whenever a new frame would look different.
    fn version(&self) -> u64;
    /// What a person has to have seen before a key can be an answer to it; [`Event::Read`] tells that it was.
    fn waits(&self) -> Option<Wait> {
        None
    }
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

    fn waits(&self) -> Option<Wait> {
        self.waits()
    }
}

/// Everything that the screen needs to run.
pub struct Program<A = State> {
    /// What is driven.
    pub app: A,
    /// The sources of the context to start in.
    pub sources: GatedSources,
    /// The name of that context.
    pub context: Text,
    /// What it forbids or asks twice for.
    pub guard: Guard,
    /// Where what is done is written; without one nothing is done.
    pub journal: Option<Journal>,
    /// How to enter another context, where there are others.
    pub contexts: Option<ContextOpener>,
    /// The clock.
    pub clock: Clock,
    /// What the terminal can do.
    pub capability: Capability,
    /// Whether to look at the mouse.
    pub mouse: bool,
    /// Whether to spare the line to the terminal; unless it is said, that depends on how fast it is.
    pub low_bandwidth: Option<bool>,
    /// Where the report of a panic goes.
    pub log: Option<PathBuf>,
}

/// The comment: why there is no screen.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// Standard input or output is a file or a pipe.
    #[error("standard input and output must be a terminal for the screen")]
    NotATerminal,
    /// `TERM=dumb`, or no `TERM` at all.
    #[error("a terminal that cannot move its cursor (TERM=dumb, or no TERM at all) cannot show the screen")]
    Dumb,
    /// The terminal refuses its modes.
    #[error("the terminal cannot be set up ({0})")]
    Terminal(#[source] io::Error),
    /// The terminal is there, but cannot be read or written any more.
    #[error("the terminal failed ({0}); the log may say more")]
    Lost(#[source] io::Error),
    /// A bug in a thread without which there is no screen; the person was told where its report is.
    #[error("a bug in burnwatch ended it")]
    Crashed,
    /// No thread, no timer or no signal handler to be had.
    #[error("cannot start ({0})")]
    Start(#[source] io::Error),
}

/// Shows the screen until the person leaves, the system says so, or the terminal is gone.
///
/// # Errors
/// [`RuntimeError`] if there is no screen to be had. That the terminal is gone is no error: nobody is left to be told.
pub fn run<A: App>(program: Program<A>) -> Result<(), RuntimeError> {
    let Program { mut app, sources, context, guard, journal, contexts, clock, capability, .. } = program;
    let Program { mouse, low_bandwidth, log, .. } = program;
    if !terminal::is_there() {
        return Err(RuntimeError::NotATerminal);
    }
    let tasks = Tasks::start().map_err(RuntimeError::Start)?;
    log::catch_panics(log, clock);
    let ended = tasks.block_on(async {
        // before the terminal is ours, so that no signal finds it in our modes with nobody to restore it
        let signal_actions = signals::listen().map_err(RuntimeError::Start)?;
        let mut session = TerminalSession { mouse };
        let (screen, writer) = screen::screen(capability);
        writer.start(terminal::write).map_err(RuntimeError::Start)?;
        let input = input::listen().map_err(RuntimeError::Start)?;
        let (effect_runner, reports) =
            EffectRunner::new(&sources, contexts, Executor { context, guard, journal, clock });
        effect_runner.recover();
        let (app, terminal) = (&mut app, &mut session);
        let backpressure_state = Backpressure::new(low_bandwidth);
        let event_loop = EventLoop {
            app,
            clock,
            terminal,
            input,
            signal_actions,
            effect_runner,
            reports,
            screen,
            backpressure_state,
        };
        event_loop.run().await
    });
    if let Err(RuntimeError::Lost(error)) = &ended {
        if log::has_crashed() {
            return Err(RuntimeError::Crashed);
        }
        if !terminal::is_there() {
            tracing::info!(%error, "the terminal is gone");
            return Ok(());
        }
    }
    ended
}

/// Waits for `future` with the threads and timers that sources need; for the verbs without a screen.
///
/// # Errors
/// [`RuntimeError::Start`] if there are no threads or timers to be had.
pub fn wait_for<F: Future>(future: F) -> Result<F::Output, RuntimeError> {
    Ok(Tasks::start().map_err(RuntimeError::Start)?.block_on(future))
}

/// The threads that tasks run on. Leaving does not wait for any of them, on no way out.
struct Tasks(Option<Runtime>);

impl Tasks {
    /// One thread is enough: what takes longer than some ten milliseconds has threads of its own. Each more would hold on to
    /// the memory of the largest answers that it has read, and want a processor that the screen needs.
    fn start() -> io::Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        signals::outlive_file_limits(&runtime)?;
        Ok(Self(Some(runtime)))
    }

    fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.0.as_ref().expect("taken only when dropped").block_on(future)
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
