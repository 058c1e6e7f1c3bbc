//! The event loop: passes each event to `update`, starts the effects and draws a frame when something changed. Handling an
//! event never waits for a source, an action or the terminal.

use std::collections::VecDeque;
use std::io;
use std::ops::ControlFlow;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::app::event::{Effect, Event, Message, Tone, Wait};
use crate::backend::Clock;

use super::backpressure::{Backpressure, TerminalLink};
use super::effects::EffectRunner;
use super::failpoint;
use super::frame_pacing::FramePacing;
use super::input;
use super::screen::FrameOutput;
use super::signals::SignalAction;
use super::task_report::TaskReport;
use super::terminal::Terminal;
use super::{App, RuntimeError};

/// The loop with its input channels (keys, signals, reports of tasks) and its outputs (application, effects, screen).
pub(super) struct EventLoop<'a, A> {
    pub(super) app: &'a mut A,
    pub(super) clock: Clock,
    pub(super) terminal: &'a mut dyn Terminal,
    pub(super) input: mpsc::Receiver<Event>,
    pub(super) signal_actions: mpsc::Receiver<SignalAction>,
    pub(super) effect_runner: EffectRunner,
    pub(super) reports: mpsc::Receiver<TaskReport>,
    pub(super) screen: FrameOutput,
    pub(super) backpressure_state: Backpressure,
    /// Whether the user's pager has the terminal.
    pub(super) is_paging: bool,
}

/// How long a confirmation must be visible on the terminal before a key may answer it: nobody reads it faster.
const READ_TIME: Duration = Duration::from_millis(300);

/// The state that decides when to draw the next frame.
#[derive(Debug, Default)]
struct DrawSchedule {
    size: (u16, u16),
    drawn: Option<u64>,
    urgent: bool,
    pacing: FramePacing,
    link: TerminalLink,
    /// The confirmation in the frame that is being written, or in the last one.
    confirmation: Option<Wait>,
    /// The confirmation that is visible, and when it has been visible long enough.
    visible_confirmation: Option<(Wait, Instant)>,
}

impl DrawSchedule {
    /// Notes that a frame has been written: its confirmation is visible from now on, if it was not already.
    fn frame_written(&mut self, now: Instant) {
        self.visible_confirmation = self.confirmation.map(|wait| match self.visible_confirmation {
            Some((known, until)) if known == wait => (wait, until),
            _ => (wait, now + READ_TIME),
        });
    }

    /// When the visible confirmation has been visible long enough; None if there is none.
    fn read_at(&self) -> Option<Instant> {
        self.visible_confirmation.map(|(_, until)| until)
    }
}

impl<A: App> EventLoop<'_, A> {
    /// Runs until the user quits or a signal ends burnwatch.
    ///
    /// # Errors
    /// [`RuntimeError::Terminal`] if the terminal cannot be taken over, [`RuntimeError::Lost`] when it is gone.
    pub(super) async fn run(mut self) -> Result<(), RuntimeError> {
        let mut view = DrawSchedule::default();
        let (width, height) = self.terminal.size();
        // the first event needs only the size: the sources start to answer while the terminal is set up
        let next = self.handle(Event::Resized { width, height }, &mut view).map_err(RuntimeError::Lost)?;
        if next.is_break() {
            return Ok(());
        }
        self.terminal.take_over().map_err(RuntimeError::Terminal)?;
        self.process_events(view).await.map_err(RuntimeError::Lost)
    }

    /// Processes events and draws frames until the loop ends. Earlier branches of the `select!` have priority.
    async fn process_events(mut self, mut view: DrawSchedule) -> io::Result<()> {
        // right after the first frame
        let mut tick = Instant::now();
        loop {
            let due = self.due(&view);
            if due.is_some_and(|due| due <= Instant::now()) {
                self.draw(&mut view);
                continue;
            }
            let event = tokio::select! {
                biased;
                () = sleep_until(due.unwrap_or(tick)), if due.is_some() => continue,
                signal_action = self.signal_actions.recv() => match signal_action {
                    Some(SignalAction::Stop) => match self.suspend()? {
                        Some(event) => event,
                        None => continue,
                    },
                    Some(SignalAction::Resume) => {
                        // after a suspension of both, the terminal still is the pager's
                        if self.is_paging {
                            continue;
                        }
                        self.terminal.take_over()?;
                        self.resume()
                    }
                    // Ctrl-c in the pager is meant for the pager
                    Some(SignalAction::Leave("SIGINT" | "SIGQUIT")) if self.is_paging => continue,
                    Some(SignalAction::Leave(why)) => {
                        tracing::info!(why, "leaving");
                        return Ok(());
                    }
                    None => return Ok(()),
                },
                // before the keys, so that many keys do not keep the writer idle
                written = self.screen.written(), if !self.screen.is_free() => {
                    self.backpressure_state.add_frame(written?, Instant::now());
                    view.frame_written(Instant::now());
                    match self.check_link(&mut view) {
                        Some(event) => event,
                        None => continue,
                    }
                }
                event = self.input.recv() => match event {
                    Some(event) => event,
                    None => return Err(io::ErrorKind::UnexpectedEof.into()),
                },
                // after the keys: a key that is already in the channel was pressed before this time was over
                () = sleep_until(view.read_at().unwrap_or(tick)), if view.read_at().is_some() => {
                    match view.visible_confirmation.take() {
                        Some((wait, _)) => Event::Read(wait),
                        None => continue,
                    }
                }
                Some(report) = self.reports.recv() => match self.take(report)? {
                    Some(event) => event,
                    None => continue,
                },
                () = sleep_until(tick) => {
                    tick = Instant::now() + self.clock.until_tick();
                    Event::Tick
                }
            };
            if self.handle(event, &mut view)?.is_break() {
                return Ok(());
            }
        }
    }

    /// When to draw the next frame; None if nothing changed or the writer is busy.
    fn due(&self, view: &DrawSchedule) -> Option<Instant> {
        let dirty = view.drawn != Some(self.app.version()) || self.screen.has_more();
        (dirty && self.screen.is_ready()).then(|| {
            let due = view.pacing.due(view.urgent, Instant::now());
            self.backpressure_state.due(view.urgent).map_or(due, |arrived| arrived.max(due))
        })
    }

    /// An event if the state of the terminal connection has changed. A slow connection gets fewer frames.
    fn check_link(&mut self, view: &mut DrawSchedule) -> Option<Event> {
        let now = Instant::now();
        let link = self.backpressure_state.link(self.screen.busy_for(now), now);
        if link == std::mem::replace(&mut view.link, link) {
            return None;
        }
        let is_slow = link == TerminalLink::Slow;
        self.screen.is_slow_link = is_slow;
        view.pacing.spare(is_slow);
        Some(Event::Link(link))
    }

    /// Draws a frame and hands it to the writer.
    fn draw(&mut self, view: &mut DrawSchedule) {
        let now = self.clock.now();
        self.screen.draw(view.size, |buf| {
            failpoint::at("view");
            self.app.render(now, buf);
        });
        view.drawn = Some(self.app.version());
        view.confirmation = self.app.waits();
        view.urgent = false;
        view.pacing.add_frame(Instant::now());
    }

    /// Passes an event to `update` and starts the effects, including events that these cause at once. Breaks when the user quits.
    fn handle(&mut self, event: Event, view: &mut DrawSchedule) -> io::Result<ControlFlow<()>> {
        // the meaning of a key depends on whether the screen that the user sees is up to date
        let mut events: VecDeque<Event> = self.check_link(view).into_iter().chain([event]).collect();
        while let Some(event) = events.pop_front() {
            match event {
                Event::Resized { width, height } => {
                    view.size = (width, height);
                    view.urgent = true;
                    // a terminal may rearrange its lines: draw the whole screen
                    self.screen.is_full_redraw = true;
                }
                // outside the screen: the window has shrunk meanwhile, or it is cell 0, for which crossterm 0.29 returns 65535
                Event::Mouse { column, row, .. } if column >= view.size.0 || row >= view.size.1 => continue,
                Event::Key(_) | Event::Pasted(_) | Event::Mouse { .. } => view.urgent = true,
                Event::Tick
                | Event::Link(_)
                | Event::Answered(_)
                | Event::Entered { .. }
                | Event::Read(_)
                | Event::ActionProgressed { .. }
                | Event::Woken { .. }
                | Event::JournalRead(_)
                | Event::QueriesRead(_)
                | Event::MessageReceived(_) => {}
            }
            failpoint::at("update");
            for effect in self.app.update(event, self.clock.now()) {
                if effect == Effect::Quit {
                    return Ok(ControlFlow::Break(()));
                }
                self.perform(effect, &mut events)?;
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Starts an effect. Events that it causes at once, such as an error message, are added to `events`.
    fn perform(&mut self, effect: Effect, events: &mut VecDeque<Event>) -> io::Result<()> {
        match effect {
            Effect::Fetch(question) => self.effect_runner.fetch(question),
            Effect::CancelFetch(question) => self.effect_runner.forget(&question),
            Effect::Act(plan) => self.effect_runner.act(plan),
            Effect::ReadJournal => self.effect_runner.load_journal(),
            Effect::ReadQueries => self.effect_runner.access_queries(None),
            Effect::ChangeQueries(change) => self.effect_runner.access_queries(Some(change)),
            Effect::Enter(context) => self.effect_runner.enter(context),
            Effect::Copy(text) => events.extend(self.screen.copy(text).err().map(error_message)),
            Effect::Pipe(bytes) => {
                self.screen.is_suspended = true;
                self.is_paging = true;
                self.terminal.release();
                self.effect_runner.page(bytes);
            }
            Effect::Notify(notice) => self.screen.notify(&notice),
            Effect::Title(title) => self.screen.title(&title),
            Effect::Wake { after, move_number } => self.effect_runner.wake(after, move_number),
            Effect::Redraw => self.screen.is_full_redraw = true,
            Effect::Suspend => events.extend(self.suspend()?),
            // `handle` leaves the loop before this is called
            Effect::Quit => {}
        }
        Ok(())
    }

    /// The event of a report. When the pager has ended, the terminal is burnwatch's again.
    fn take(&mut self, report: TaskReport) -> io::Result<Option<Event>> {
        let TaskReport::PagerEnded(ended) = report else { return Ok(self.effect_runner.take(report)) };
        self.is_paging = false;
        input::resume();
        self.terminal.take_over()?;
        if let Err(words) = ended {
            self.effect_runner.tell(error_message(words));
        }
        Ok(Some(self.resume()))
    }

    /// Suspends burnwatch and returns the terminal to the shell; an event with the error if that fails.
    fn suspend(&mut self) -> io::Result<Option<Event>> {
        self.screen.is_suspended = true;
        let Err(error) = self.terminal.stop() else { return Ok(None) };
        self.terminal.take_over()?;
        self.screen.come_back();
        Ok(Some(error_message(format!("burnwatch cannot be suspended here ({error})"))))
    }

    /// After a suspension: the next frame is drawn whole, and the size may have changed.
    fn resume(&mut self) -> Event {
        self.screen.come_back();
        let (width, height) = self.terminal.size();
        Event::Resized { width, height }
    }
}

fn error_message(text: String) -> Event {
    Event::MessageReceived(Message { tone: Tone::Trouble, text })
}

#[cfg(test)]
mod tests;
