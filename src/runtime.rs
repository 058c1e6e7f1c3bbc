//! The event loop, the terminal, signals, requests to sources and actions. The only module that waits for anything.

mod backpressure;
mod capability;
mod context;
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
mod listening;
pub mod log;
pub mod notice;
mod pager;
mod private_files;
mod query_store;
mod recovery;
mod screen;
mod signals;
mod task_report;
mod terminal;

pub use capability::{Capability, capability, takes_utf8};
pub use context::{ContextHandle, ContextOpener, GatedSources};
pub use executor::{Executor, ReadBackResult};
pub use journal::{Journal, JournalContents, JournalError, who};
pub use listening::listen;
pub use recovery::{OpenActions, read_back_text};
#[cfg(fuzzing)]
pub use screen::written;
pub use terminal::{is_serial, size};

use std::io;
use std::path::PathBuf;
use std::sync::OnceLock;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use tokio::runtime::{Builder, Runtime};

use crate::app;
use crate::app::event::{Effect, Event, Wait};
use crate::app::state::State;

use backpressure::Backpressure;
use effects::EffectRunner;
use event_loop::EventLoop;
use terminal::TerminalSession;

/// The application that the event loop drives; tests use a small one of their own.
pub trait App {
    /// Handles an event and returns the effects to start. Never waits.
    fn update(&mut self, event: Event, now: Timestamp) -> Vec<Effect>;
    /// Draws the whole screen.
    fn render(&self, now: Timestamp, buf: &mut Buffer);
    /// A counter that increases whenever a new frame would look different.
    fn version(&self) -> u64;
    /// The confirmation that the user must have seen before a key may answer it; [`Event::Read`] reports that it was visible long
    /// enough. None if there is no such question.
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
    /// The application.
    pub app: A,
    /// The sources of the context to start in.
    pub sources: GatedSources,
    /// Runs the actions of that context.
    pub executor: Executor,
    /// Opens another context; None if there are no others.
    pub contexts: Option<ContextOpener>,
    /// What the terminal can do.
    pub capability: Capability,
    /// Whether to use the mouse.
    pub mouse: bool,
    /// Whether to reduce output to the terminal; None: if the connection is measured to be slow.
    pub low_bandwidth: Option<bool>,
    /// The file of saved views and the history of queries; None: they are not kept.
    pub queries: Option<PathBuf>,
    /// The file for the report of a panic.
    pub log: Option<PathBuf>,
}

/// Why the screen cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// Standard input or output is a file or a pipe.
    #[error("the screen needs a terminal for input and output")]
    NotATerminal,
    /// `TERM=dumb`, or no `TERM` at all.
    #[error("a terminal that cannot move its cursor (TERM=dumb, or no TERM at all) cannot show the screen")]
    Dumb,
    /// The terminal's modes (raw mode, alternate screen) cannot be set.
    #[error("the terminal cannot be set up ({0})")]
    Terminal(#[source] io::Error),
    /// The terminal exists, but can no longer be read or written.
    #[error("the terminal failed ({0}); the log file may have details")]
    Lost(#[source] io::Error),
    /// A panic in the main, input or writer thread; the panic hook has already printed where the report is.
    #[error("burnwatch crashed (a bug)")]
    Crashed,
    /// A thread, a timer or a signal handler cannot be created.
    #[error("cannot start ({0})")]
    Start(#[source] io::Error),
}

/// Shows the screen until the user quits, a signal ends burnwatch, or the terminal is gone.
///
/// # Errors
/// [`RuntimeError`] if the screen cannot be shown. A terminal that is gone is no error, because nobody could read a message.
pub fn run<A: App>(program: Program<A>) -> Result<(), RuntimeError> {
    let Program { mut app, sources, executor, contexts, capability, mouse, low_bandwidth, queries, log } =
        program;
    let clock = executor.clock;
    if !terminal::is_there() {
        return Err(RuntimeError::NotATerminal);
    }
    let tasks = Tasks::start().map_err(RuntimeError::Start)?;
    log::catch_panics(log, clock);
    let ended = tasks.block_on(async {
        // before the terminal is taken over: a signal must not end burnwatch without the terminal being restored
        let signal_actions = signals::listen().map_err(RuntimeError::Start)?;
        let mut session = TerminalSession { mouse };
        let (screen, writer) = screen::screen(capability);
        writer.start(terminal::write).map_err(RuntimeError::Start)?;
        let input = input::listen().map_err(RuntimeError::Start)?;
        let (effect_runner, reports) = EffectRunner::new(&sources, contexts, executor);
        let effect_runner = effect_runner.with_queries(queries);
        effect_runner.recover();
        let event_loop = EventLoop {
            app: &mut app,
            clock,
            terminal: &mut session,
            input,
            signal_actions,
            effect_runner,
            reports,
            screen,
            backpressure_state: Backpressure::new(low_bandwidth),
            is_paging: false,
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

/// Runs `future` to its end, for the verbs without a screen. All of them run on one Tokio runtime: HTTP connections that are kept
/// between two calls belong to the runtime that opened them, and break when it ends.
///
/// # Errors
/// [`RuntimeError::Start`] if the runtime cannot be created.
pub fn wait_for<F: Future>(future: F) -> Result<F::Output, RuntimeError> {
    static TASKS: OnceLock<Tasks> = OnceLock::new();
    if let Some(tasks) = TASKS.get() {
        return Ok(tasks.block_on(future));
    }
    let tasks = Tasks::start().map_err(RuntimeError::Start)?;
    Ok(TASKS.get_or_init(|| tasks).block_on(future))
}

/// The Tokio runtime. When it is dropped, nothing waits for tasks that still run.
struct Tasks(Option<Runtime>);

impl Tasks {
    /// One worker thread is enough, because work of more than some ten milliseconds runs on blocking threads. Every further
    /// worker would keep the memory of the largest answers that it has parsed, and compete with the screen for a processor.
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
