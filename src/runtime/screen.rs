//! Output of frames: drawn in the event loop, written to the terminal by a thread of its own.
//!
//! The writer has one frame at most. While the terminal accepts no output, the loop draws no more frames, keeps polling the
//! sources, and uses no more memory. When output is possible again, the current state is drawn.

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

/// The name of the writer thread. A panic of this thread ends burnwatch, because nothing could be shown any more.
pub(super) const THREAD: &str = "writer";
/// The longest text for the clipboard, in bytes: terminals cut or refuse longer ones.
pub(super) const MAX_CLIPBOARD: usize = 100_000;

mod diff_writer;

/// A frame for the writer.
#[derive(Debug, Default)]
pub(super) struct WriteJob {
    frame: Buffer,
    /// Whether to clear the terminal first, because its contents are unknown.
    is_full_redraw: bool,
    /// Whether the terminal should show the frame only when it is complete (synchronized output).
    whole: bool,
    /// Whether the terminal accepts UTF-8.
    utf8: bool,
    extras: FrameExtras,
}

/// The writer's result: the free buffer for the next frame, and the measurements.
#[derive(Debug)]
struct WriteResult {
    frame: Buffer,
    flow: FrameWrite,
}

/// Output that is sent with a frame: clipboard, notifications and title.
#[derive(Debug, Default)]
struct FrameExtras {
    copy: Option<String>,
    /// Notifications as escape sequences.
    notices: String,
    title: Option<String>,
}

/// The loop's side: collects output and hands frames to the writer.
pub(super) struct FrameOutput {
    jobs: mpsc::Sender<WriteJob>,
    written: mpsc::Receiver<io::Result<WriteResult>>,
    /// The buffer for the next frame; None while the writer is busy.
    free: Option<Buffer>,
    /// Since when the writer has been busy.
    busy: Option<Instant>,
    /// Whether another program has the terminal: nothing is drawn until [`Self::come_back`].
    pub(super) is_suspended: bool,
    /// Whether the terminal's contents are unknown: the next frame is drawn whole.
    pub(super) is_full_redraw: bool,
    /// Turns synchronized output off, so that the top of a frame is visible before the rest has arrived.
    pub(super) is_slow_link: bool,
    extras: FrameExtras,
    capability: Capability,
    /// The window title that burnwatch wants.
    title: Option<String>,
}

/// The writer's side, which runs on its own thread.
pub(super) struct FrameWriter {
    jobs: mpsc::Receiver<WriteJob>,
    written: mpsc::Sender<io::Result<WriteResult>>,
}

/// Creates both sides for a terminal with these capabilities.
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
    /// Whether the writer is idle.
    pub(super) fn is_free(&self) -> bool {
        self.free.is_some()
    }

    /// Whether a frame may be drawn: the writer is idle and the terminal is burnwatch's.
    pub(super) fn is_ready(&self) -> bool {
        self.is_free() && !self.is_suspended
    }

    /// How long the writer has been busy with the current frame; zero if it is idle.
    pub(super) fn busy_for(&self, now: Instant) -> Duration {
        self.busy.map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
    }

    /// Whether there is output even if the frame has not changed.
    pub(super) fn has_more(&self) -> bool {
        let FrameExtras { copy, notices, title } = &self.extras;
        self.is_full_redraw || copy.is_some() || title.is_some() || !notices.is_empty()
    }

    /// Sends a notification with the next frame.
    pub(super) fn notify(&mut self, notice: &Notification) {
        self.extras.notices.push_str(&notice::bytes(notice, self.capability.notices, self.capability.tmux));
    }

    /// Sets the window title with the next frame, if the terminal supports titles.
    pub(super) fn title(&mut self, title: &str) {
        if self.capability.notices != Notices::None {
            self.title = Some(title.to_owned());
            self.extras.title.clone_from(&self.title);
        }
    }

    /// burnwatch has the terminal again: the next frame is drawn whole, and the title is set again.
    pub(super) fn come_back(&mut self) {
        (self.is_suspended, self.is_full_redraw) = (false, true);
        self.extras.title.clone_from(&self.title);
    }

    /// Copies text to the clipboard with the next frame (OSC 52). Err: a message that the text is too long.
    pub(super) fn copy(&mut self, text: String) -> Result<(), String> {
        if text.len() > MAX_CLIPBOARD {
            let (has, most) = (text.len() / 1000, MAX_CLIPBOARD / 1000);
            return Err(format!("not copied: {has} kB are more than the {most} kB that terminals accept"));
        }
        self.extras.copy = Some(text);
        Ok(())
    }

    /// Draws a frame and hands it to the writer, if that is idle.
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
        // the channel has room, because the writer was idle; if the writer has ended, `written` returns the error
        self.jobs.try_send(job).ok();
    }

    /// Waits until the writer has written the frame, and returns the measurements. The future may be dropped at any time.
    ///
    /// # Errors
    /// The terminal can no longer be written.
    pub(super) async fn written(&mut self) -> io::Result<FrameWrite> {
        let gone = || Err(io::ErrorKind::BrokenPipe.into());
        let WriteResult { frame, flow } = self.written.recv().await.unwrap_or_else(gone)?;
        (self.free, self.busy) = (Some(frame), None);
        Ok(flow)
    }
}

impl FrameWriter {
    /// Starts the writer thread. It ends when the loop's side is dropped, or when `write` fails. `write` may block.
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
    /// Runs as a task instead of a thread, so that tests can pause Tokio's time.
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

/// Only for fuzzing: all bytes of a frame on a blank terminal, with a title, a notification and text for the clipboard.
#[cfg(fuzzing)]
pub fn written(frame: Buffer, title: String, notice: &Notification, copy: String) -> Vec<u8> {
    let notices = notice::bytes(notice, Notices::Both, true);
    let extras = FrameExtras { copy: Some(copy), notices, title: Some(title) };
    let mut bytes = Vec::new();
    let job = WriteJob { frame, is_full_redraw: true, whole: true, utf8: true, extras };
    encode(&mut bytes, &Buffer::default(), &job).expect("a Vec takes everything");
    bytes
}

/// Adds the bytes that change a terminal that shows `shown` to the job's frame; none if both are equal.
fn encode(bytes: &mut Vec<u8>, shown: &Buffer, job: &WriteJob) -> io::Result<()> {
    let mut extras = String::new();
    if let Some(text) = &job.extras.copy {
        // base64 hides control characters of the text; it ends with BEL, because some old terminals know no other end
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
