//! Frames on their way to the terminal: drawn in the loop, written by a thread of their own.
//!
//! There is one frame in the writer's hands at most. While the terminal takes no output the loop draws nothing more, goes
//! on polling, and its memory stays flat; when output flows again, the newest state is what is drawn.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io;
use std::thread;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::backpressure::FrameWrite;
use super::capability::Capability;
use super::failpoint;
use super::notice::{self, Notices};
use super::terminal;
use crate::model::notify::Notification;
use crate::model::text::ascii;

/// The writer's thread. Without it nothing is seen any more: a panic there is the end.
pub(super) const THREAD: &str = "writer";
/// The most that is put on the clipboard, in bytes: terminals cut or refuse more.
pub(super) const MAX_CLIPBOARD: usize = 100_000;

mod diff_writer;

#[derive(Debug, Default)]
pub(super) struct WriteJob {
    frame: Buffer,
    /// Whether what stands on the terminal is unknown.
    is_full_redraw: bool,
    /// Whether the terminal is to show the frame only when it has all of it.
    whole: bool,
    /// Whether the terminal takes UTF-8.
    utf8: bool,
    extras: FrameExtras,
}

/// What comes back from the writer: the buffer to draw into, and how it went.
#[derive(Debug)]
struct WriteResult {
    frame: Buffer,
    flow: FrameWrite,
}

#[derive(Debug, Default)]
struct FrameExtras {
    copy: Option<String>,
    /// Notices, as they are written.
    notices: String,
    title: Option<String>,
}

/// The loop's end: what is to be written, and whether the writer is free.
pub(super) struct FrameOutput {
    jobs: mpsc::Sender<WriteJob>,
    written: mpsc::Receiver<io::Result<WriteResult>>,
    /// The buffer to draw into; gone while the writer has it.
    free: Option<Buffer>,
    /// Since when the writer has it.
    busy: Option<Instant>,
    /// Somebody else has the terminal.
    is_suspended: bool,
    is_full_redraw: bool,
    is_slow_link: bool,
    extras: FrameExtras,
    capability: Capability,
    /// The title that the terminal is to have.
    title: Option<String>,
}

pub(super) struct FrameWriter {
    jobs: mpsc::Receiver<WriteJob>,
    written: mpsc::Sender<io::Result<WriteResult>>,
}

/// Both ends, for a terminal that can do so much.
pub(super) fn screen(capability: Capability) -> (FrameOutput, FrameWriter) {
    let (jobs, inbox) = mpsc::channel(1);
    let (written, outbox) = mpsc::channel(1);
    let screen = FrameOutput {
        jobs,
        written: outbox,
        free: Some(Buffer::default()),
        busy: None,
        is_suspended: false,
        is_full_redraw: true,
        is_slow_link: false,
        extras: FrameExtras::default(),
        capability,
        title: None,
    };
    (screen, FrameWriter { jobs: inbox, written })
}

impl FrameOutput {
    /// Whether the writer has nothing to do.
    pub(super) fn is_free(&self) -> bool {
        self.free.is_some()
    }

    /// Whether a frame can be handed over, and would be seen.
    pub(super) fn is_ready(&self) -> bool {
        self.is_free() && !self.is_suspended
    }

    /// For how long the writer has been at it, without an end.
    pub(super) fn busy_for(&self, now: Instant) -> Duration {
        self.busy.map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
    }

    /// Shows frames as they come in rather than whole, or does not: on a slow line the top of one is worth reading
    /// before its end is there.
    pub(super) fn spare(&mut self, is_slow_link: bool) {
        self.is_slow_link = is_slow_link;
    }

    /// Whether something is to be written even if the frame is the same.
    pub(super) fn has_more(&self) -> bool {
        let FrameExtras { copy, notices, title } = &self.extras;
        self.is_full_redraw || copy.is_some() || title.is_some() || !notices.is_empty()
    }

    /// What stands on the terminal is not known any more: the next frame is written whole.
    pub(super) fn forget(&mut self) {
        self.is_full_redraw = true;
    }

    /// Calls the person with the next frame.
    pub(super) fn notify(&mut self, notice: &Notification) {
        self.extras.notices.push_str(&notice::bytes(notice, self.capability.notices, self.capability.tmux));
    }

    /// Gives the terminal this title with the next frame, if it can have one.
    pub(super) fn title(&mut self, title: &str) {
        if self.capability.notices != Notices::None {
            self.title = Some(title.to_owned());
            self.retitle();
        }
    }

    fn retitle(&mut self) {
        self.extras.title.clone_from(&self.title);
    }

    /// Somebody else has the terminal from here on: nothing is drawn.
    pub(super) fn leave(&mut self) {
        self.is_suspended = true;
    }

    /// The terminal is ours again: what stands there is not known, nor is its title ours.
    pub(super) fn come_back(&mut self) {
        self.is_suspended = false;
        self.forget();
        self.retitle();
    }

    /// Puts this on the clipboard with the next frame; says why not.
    pub(super) fn copy(&mut self, text: String) -> Result<(), String> {
        if text.len() > MAX_CLIPBOARD {
            let (has, most) = (text.len() / 1000, MAX_CLIPBOARD / 1000);
            return Err(format!("not copied: {has} kB are more than the {most} kB that terminals take"));
        }
        self.extras.copy = Some(text);
        Ok(())
    }

    /// Draws and hands over, if the writer is free.
    pub(super) fn draw(&mut self, (width, height): (u16, u16), render: impl FnOnce(&mut Buffer)) {
        let Some(mut frame) = self.free.take() else { return };
        frame.resize(Rect::new(0, 0, width, height));
        frame.reset();
        render(&mut frame);
        let (is_full_redraw, extras) =
            (std::mem::take(&mut self.is_full_redraw), std::mem::take(&mut self.extras));
        let Capability { synchronized_output, utf8, .. } = self.capability;
        let job = WriteJob {
            frame,
            is_full_redraw,
            whole: synchronized_output && !self.is_slow_link,
            utf8,
            extras,
        };
        self.busy = Some(Instant::now());
        // there is room, for the writer was free; if it is no more, the next look at `written` says so
        self.jobs.try_send(job).ok();
    }

    /// Waits until the writer is free again; says how it went. Safe to drop half-way.
    ///
    /// # Errors
    /// The terminal takes no output any more.
    pub(super) async fn written(&mut self) -> io::Result<FrameWrite> {
        let gone = || Err(io::ErrorKind::BrokenPipe.into());
        let WriteResult { frame, flow } = self.written.recv().await.unwrap_or_else(gone)?;
        (self.free, self.busy) = (Some(frame), None);
        Ok(flow)
    }
}

impl FrameWriter {
    /// Starts the thread; it ends with the loop's end, or when `write` fails. `write` may block.
    pub(super) fn start(
        self,
        write: impl FnMut(&[u8]) -> io::Result<FrameWrite> + Send + 'static,
    ) -> io::Result<()> {
        thread::Builder::new().name(THREAD.into()).spawn(move || self.run(write)).map(drop)
    }

    fn run(mut self, mut write: impl FnMut(&[u8]) -> io::Result<FrameWrite>) {
        let mut shown = Buffer::default();
        let mut bytes = Vec::new();
        while let Some(mut job) = self.jobs.blocking_recv() {
            failpoint::at(THREAD);
            bytes.clear();
            let result = encode(&mut bytes, &shown, &job);
            std::mem::swap(&mut shown, &mut job.frame);
            let result = result
                .and_then(|()| if bytes.is_empty() { Ok(FrameWrite::default()) } else { write(&bytes) });
            let failed = result.is_err();
            let written = result.map(|flow| WriteResult { frame: job.frame, flow });
            if self.written.blocking_send(written).is_err() || failed {
                return;
            }
        }
    }
}

#[cfg(test)]
impl FrameWriter {
    /// As the thread does, but as a task, so that time can be paused.
    pub(super) async fn pretend(mut self, mut write: impl AsyncFnMut(&Buffer)) {
        while let Some(job) = self.jobs.recv().await {
            write(&job.frame).await;
            let written = WriteResult { frame: job.frame, flow: FrameWrite::default() };
            if self.written.send(Ok(written)).await.is_err() {
                return;
            }
        }
    }
}

/// Only for fuzzing: all bytes of a frame on a blank terminal, with a title, a notice and what is copied.
#[cfg(fuzzing)]
pub fn written(frame: Buffer, title: String, notice: &Notification, copy: String) -> Vec<u8> {
    let notices = notice::bytes(notice, Notices::Both, true);
    let extras = FrameExtras { copy: Some(copy), notices, title: Some(title) };
    let mut bytes = Vec::new();
    let job = WriteJob { frame, is_full_redraw: true, whole: true, utf8: true, extras };
    encode(&mut bytes, &Buffer::default(), &job).expect("a Vec takes everything");
    bytes
}

/// What takes the terminal from `shown` to the job's frame; nothing if they are the same.
fn encode(bytes: &mut Vec<u8>, shown: &Buffer, job: &WriteJob) -> io::Result<()> {
    let mut extras = String::new();
    if let Some(text) = &job.extras.copy {
        // base64 leaves nothing of the text that a terminal could understand; BEL, for some old ones know no other end
        write!(extras, "\x1b]52;c;{}\x07", STANDARD.encode(text)).map_err(io::Error::other)?;
    }
    if let Some(title) = &job.extras.title {
        extras.push_str(&terminal::titled(title));
    }
    extras.push_str(&job.extras.notices);
    let extras = if job.utf8 { Cow::Borrowed(&*extras) } else { ascii(&extras) };
    bytes.extend_from_slice(extras.as_bytes());
    let blank;
    let is_full_redraw = job.is_full_redraw || shown.area != job.frame.area;
    let before = if is_full_redraw {
        blank = Buffer::empty(job.frame.area);
        &blank
    } else {
        shown
    };
    let changes = diff_writer::changes(before, &job.frame, job.utf8);
    if !is_full_redraw && changes.is_empty() {
        return Ok(());
    }
    let (begin, end) = if job.whole { ("\x1b[?2026h", "\x1b[?2026l") } else { ("", "") };
    let wipe = if is_full_redraw { "\x1b[0m\x1b[2J" } else { "" };
    for part in [begin, wipe, &changes, end] {
        bytes.extend_from_slice(part.as_bytes());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
