//! The loop: event in, `update`, effects out, a frame when something changed. Nothing in it waits for anybody.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::app::event::{Effect, Event, Message, Tone, Wait};
use crate::backend::Clock;

use super::backpressure::{Backpressure, TerminalLink};
use super::effects::{EffectRunner, TaskReport};
use super::failpoint;
use super::frame_pacing::FramePacing;
use super::screen::FrameOutput;
use super::signals::SignalAction;
use super::terminal::{self, TerminalSession};
use super::{App, RuntimeError};

/// What the loop does to the terminal besides drawing.
pub(super) trait Terminal {
    /// Gives it back and has the process stopped; an order to go on follows.
    fn stop(&mut self) -> io::Result<()>;
    /// Takes it over, at the start and after somebody else had it.
    fn take_over(&mut self) -> io::Result<()>;
    /// Columns and rows.
    fn size(&self) -> (u16, u16);
}

impl Terminal for TerminalSession {
    fn stop(&mut self) -> io::Result<()> {
        TerminalSession::stop()
    }

    fn take_over(&mut self) -> io::Result<()> {
        TerminalSession::take_over(self)
    }

    fn size(&self) -> (u16, u16) {
        terminal::size()
    }
}

/// The loop with everything that it hears and moves.
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
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LoopStep {
    Continue,
    Leave,
}

/// How long a question stands on the terminal before a key can be an answer to it: faster than that nobody reads.
const READ_TIME: Duration = Duration::from_millis(300);

#[derive(Debug, Default)]
struct DrawSchedule {
    size: (u16, u16),
    drawn: Option<u64>,
    urgent: bool,
    pacing: FramePacing,
    link: TerminalLink,
    /// What the frame in the writer's hands, or the last one, asks the person to read.
    confirmation: Option<Wait>,
    /// What is being read, and until when.
    visible_confirmation: Option<(Wait, Instant)>,
}

impl DrawSchedule {
    /// A frame is on the terminal: what it asks is being read from now on, if it was not already.
    fn frame_written(&mut self, now: Instant) {
        self.visible_confirmation = self.confirmation.map(|wait| match self.visible_confirmation {
            Some((known, until)) if known == wait => (wait, until),
            _ => (wait, now + READ_TIME),
        });
    }

    fn read_at(&self) -> Option<Instant> {
        self.visible_confirmation.map(|(_, until)| until)
    }
}

impl<A: App> EventLoop<'_, A> {
    /// Runs until the person or the system wants to leave.
    ///
    /// # Errors
    /// [`RuntimeError::Terminal`] if the terminal cannot be taken over, [`RuntimeError::Lost`] when it is gone.
    pub(super) async fn run(mut self) -> Result<(), RuntimeError> {
        let mut view = DrawSchedule::default();
        let (width, height) = self.terminal.size();
        // with the size it is known what is due: the sources work on that while the terminal is set up
        let next = self.handle(Event::Resized { width, height }, &mut view).map_err(RuntimeError::Lost)?;
        if next == LoopStep::Leave {
            return Ok(());
        }
        self.terminal.take_over().map_err(RuntimeError::Terminal)?;
        self.process_events(view).await.map_err(RuntimeError::Lost)
    }

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
                    Some(SignalAction::GoOn) => {
                        self.terminal.take_over()?;
                        self.resume()
                    }
                    Some(SignalAction::Leave(why)) => {
                        tracing::info!(why, "leaving");
                        return Ok(());
                    }
                    None => return Ok(()),
                },
                // before the keys, so that a flood of those does not keep the writer idle
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
                // after the keys: what was pressed before its end was pressed too early
                () = sleep_until(view.read_at().unwrap_or(tick)), if view.read_at().is_some() => {
                    match view.visible_confirmation.take() {
                        Some((wait, _)) => Event::Read(wait),
                        None => continue,
                    }
                }
                Some(report) = self.reports.recv() => match self.effect_runner.take(report) {
                    Some(event) => event,
                    None => continue,
                },
                () = sleep_until(tick) => {
                    tick = Instant::now() + self.clock.until_tick();
                    Event::Tick
                }
            };
            if self.handle(event, &mut view)? == LoopStep::Leave {
                return Ok(());
            }
        }
    }

    /// When the next frame is to be drawn, if something changed and the writer is free.
    fn due(&self, view: &DrawSchedule) -> Option<Instant> {
        let dirty = view.drawn != Some(self.app.version()) || self.screen.has_more();
        (dirty && self.screen.is_ready()).then(|| {
            let due = view.pacing.due(view.urgent, Instant::now());
            self.backpressure_state.due(view.urgent).map_or(due, |arrived| arrived.max(due))
        })
    }

    /// What the line is like, if that is another than before.
    fn check_link(&mut self, view: &mut DrawSchedule) -> Option<Event> {
        let now = Instant::now();
        let link = self.backpressure_state.link(self.screen.busy_for(now), now);
        if link == std::mem::replace(&mut view.link, link) {
            return None;
        }
        let is_slow = link == TerminalLink::Slow;
        self.screen.spare(is_slow);
        view.pacing.spare(is_slow);
        Some(Event::Link(link))
    }

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

    fn handle(&mut self, event: Event, view: &mut DrawSchedule) -> io::Result<LoopStep> {
        // what a key means depends on whether the person sees what it is pressed at
        let mut events: VecDeque<Event> = self.check_link(view).into_iter().chain([event]).collect();
        while let Some(event) = events.pop_front() {
            match event {
                Event::Resized { width, height } => {
                    view.size = (width, height);
                    view.urgent = true;
                    // a terminal may have moved its lines: what stands there is not known any more
                    self.screen.forget();
                }
                // reported while the window shrank; or cell 0, which crossterm 0.29 makes 65535 of
                Event::Mouse { column, row, .. } if column >= view.size.0 || row >= view.size.1 => continue,
                Event::Key(_) | Event::Pasted(_) | Event::Mouse { .. } => view.urgent = true,
                Event::Tick
                | Event::Link(_)
                | Event::Answered(_)
                | Event::Entered { .. }
                | Event::Read(_)
                | Event::Acted { .. }
                | Event::JournalRead(_)
                | Event::Told(_) => {}
            }
            failpoint::at("update");
            for effect in self.app.update(event, self.clock.now()) {
                if effect == Effect::Quit {
                    return Ok(LoopStep::Leave);
                }
                self.perform(effect, &mut events)?;
            }
        }
        Ok(LoopStep::Continue)
    }

    /// Starts what is to be done; what there is to say about it at once goes to `events`.
    fn perform(&mut self, effect: Effect, events: &mut VecDeque<Event>) -> io::Result<()> {
        match effect {
            Effect::Fetch(question) => self.effect_runner.fetch(question),
            Effect::CancelFetch(question) => self.effect_runner.forget(&question),
            Effect::Act(plan) => self.effect_runner.act(plan),
            Effect::ReadJournal => self.effect_runner.recall(),
            Effect::Enter(context) => self.effect_runner.enter(context),
            Effect::Copy(text) => events.extend(self.screen.copy(text).err().map(error_message)),
            Effect::Notify(notice) => self.screen.notify(&notice),
            Effect::Title(title) => self.screen.title(&title),
            Effect::Redraw => self.screen.forget(),
            Effect::Suspend => events.extend(self.suspend()?),
            // whoever calls this leaves the loop instead
            Effect::Quit => {}
        }
        Ok(())
    }

    /// Gives the terminal to the shell; says why if that cannot be.
    fn suspend(&mut self) -> io::Result<Option<Event>> {
        self.screen.leave();
        let Err(error) = self.terminal.stop() else { return Ok(None) };
        self.terminal.take_over()?;
        self.screen.come_back();
        Ok(Some(error_message(format!("cannot be suspended here ({error})"))))
    }

    /// The terminal is ours again: nothing that was known of it holds.
    fn resume(&mut self) -> Event {
        self.screen.come_back();
        let (width, height) = self.terminal.size();
        Event::Resized { width, height }
    }
}

fn error_message(text: String) -> Event {
    Event::Told(Message { tone: Tone::Trouble, text })
}

#[cfg(test)]
mod tests;
