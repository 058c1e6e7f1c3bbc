//! The loop: event in, `update`, effects out, a frame when something changed. Nothing in it waits for anybody.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::app::event::{Effect, Event, Message, Tone, Wait};
use crate::backend::Clock;

use super::drill;
use super::effects::{Performer, Report};
use super::link::{Gauge, Link};
use super::pace::Pace;
use super::screen::Screen;
use super::signals::Order;
use super::terminal::{self, Session};
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

impl Terminal for Session {
    fn stop(&mut self) -> io::Result<()> {
        Session::stop()
    }

    fn take_over(&mut self) -> io::Result<()> {
        Session::take_over(self)
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
    pub(super) orders: mpsc::Receiver<Order>,
    pub(super) performer: Performer,
    pub(super) reports: mpsc::Receiver<Report>,
    pub(super) screen: Screen,
    pub(super) gauge: Gauge,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Continue,
    Leave,
}

/// How long a question stands on the terminal before a key can be an answer to it: faster than that nobody reads.
const READING: Duration = Duration::from_millis(300);

#[derive(Debug, Default)]
struct View {
    size: (u16, u16),
    drawn: Option<u64>,
    urgent: bool,
    pace: Pace,
    link: Link,
    /// What the frame in the writer's hands, or the last one, asks the person to read.
    asks: Option<Wait>,
    /// What is being read, and until when.
    reading: Option<(Wait, Instant)>,
}

impl View {
    /// A frame is on the terminal: what it asks is being read from now on, if it was not already.
    fn shown(&mut self, now: Instant) {
        self.reading = self.asks.map(|wait| match self.reading {
            Some((known, until)) if known == wait => (wait, until),
            _ => (wait, now + READING),
        });
    }

    fn read_at(&self) -> Option<Instant> {
        self.reading.map(|(_, until)| until)
    }
}

impl<A: App> EventLoop<'_, A> {
    /// Runs until the person or the system wants to leave.
    ///
    /// # Errors
    /// [`RuntimeError::Terminal`] if the terminal cannot be taken over, [`RuntimeError::Lost`] when it is gone.
    pub(super) async fn run(mut self) -> Result<(), RuntimeError> {
        let mut view = View::default();
        let (width, height) = self.terminal.size();
        // with the size it is known what is due: the sources work on that while the terminal is set up
        let next = self.handle(Event::Resized { width, height }, &mut view).map_err(RuntimeError::Lost)?;
        if next == Next::Leave {
            return Ok(());
        }
        self.terminal.take_over().map_err(RuntimeError::Terminal)?;
        self.turn(view).await.map_err(RuntimeError::Lost)
    }

    async fn turn(mut self, mut view: View) -> io::Result<()> {
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
                order = self.orders.recv() => match order {
                    Some(Order::Stop) => match self.suspend()? {
                        Some(event) => event,
                        None => continue,
                    },
                    Some(Order::GoOn) => {
                        self.terminal.take_over()?;
                        self.fresh_start()
                    }
                    Some(Order::Leave(why)) => {
                        tracing::info!(why, "leaving");
                        return Ok(());
                    }
                    None => return Ok(()),
                },
                // before the keys, so that a flood of those does not keep the writer idle
                written = self.screen.written(), if !self.screen.is_free() => {
                    self.gauge.wrote(written?, Instant::now());
                    view.shown(Instant::now());
                    match self.look_at_link(&mut view) {
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
                    match view.reading.take() {
                        Some((wait, _)) => Event::Read(wait),
                        None => continue,
                    }
                }
                Some(report) = self.reports.recv() => match self.performer.take(report) {
                    Some(event) => event,
                    None => continue,
                },
                () = sleep_until(tick) => {
                    tick = Instant::now() + self.clock.until_tick();
                    Event::Tick
                }
            };
            if self.handle(event, &mut view)? == Next::Leave {
                return Ok(());
            }
        }
    }

    /// When the next frame is to be drawn, if something changed and the writer is free.
    fn due(&self, view: &View) -> Option<Instant> {
        let dirty = view.drawn != Some(self.app.version()) || self.screen.has_more();
        (dirty && self.screen.is_ready()).then(|| {
            let due = view.pace.due(view.urgent, Instant::now());
            self.gauge.due(view.urgent).map_or(due, |arrived| arrived.max(due))
        })
    }

    /// What the line is like, if that is another than before.
    fn look_at_link(&mut self, view: &mut View) -> Option<Event> {
        let now = Instant::now();
        let link = self.gauge.link(self.screen.busy_for(now), now);
        if link == std::mem::replace(&mut view.link, link) {
            return None;
        }
        let is_slow = link == Link::Slow;
        self.screen.spare(is_slow);
        view.pace.spare(is_slow);
        Some(Event::Link(link))
    }

    fn draw(&mut self, view: &mut View) {
        let now = self.clock.now();
        self.screen.draw(view.size, |buf| {
            drill::at("view");
            self.app.render(now, buf);
        });
        view.drawn = Some(self.app.version());
        view.asks = self.app.waits();
        view.urgent = false;
        view.pace.drew(Instant::now());
    }

    fn handle(&mut self, event: Event, view: &mut View) -> io::Result<Next> {
        // what a key means depends on whether the person sees what it is pressed at
        let mut events: VecDeque<Event> = self.look_at_link(view).into_iter().chain([event]).collect();
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
                | Event::Recalled(_)
                | Event::Told(_) => {}
            }
            drill::at("update");
            for effect in self.app.update(event, self.clock.now()) {
                if effect == Effect::Quit {
                    return Ok(Next::Leave);
                }
                self.perform(effect, &mut events)?;
            }
        }
        Ok(Next::Continue)
    }

    /// Starts what is to be done; what there is to say about it at once goes to `events`.
    fn perform(&mut self, effect: Effect, events: &mut VecDeque<Event>) -> io::Result<()> {
        match effect {
            Effect::Fetch(question) => self.performer.fetch(question),
            Effect::Forget(question) => self.performer.forget(&question),
            Effect::Act(plan) => self.performer.act(plan),
            Effect::Recall => self.performer.recall(),
            Effect::Enter(context) => self.performer.enter(context),
            Effect::Copy(text) => events.extend(self.screen.copy(text).err().map(trouble)),
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
        Ok(Some(trouble(format!("cannot be suspended here ({error})"))))
    }

    /// The terminal is ours again: nothing that was known of it holds.
    fn fresh_start(&mut self) -> Event {
        self.screen.come_back();
        let (width, height) = self.terminal.size();
        Event::Resized { width, height }
    }
}

fn trouble(text: String) -> Event {
    Event::Told(Message { tone: Tone::Trouble, text })
}

#[cfg(test)]
mod tests;
