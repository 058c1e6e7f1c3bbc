//! Estimates the speed of the connection to the terminal from the time that writes take. Pure: without a clock or a terminal.
//!
//! The system buffers output, so a slow connection accepts the first bytes at once and shows them late. When the buffer is
//! full, a write blocks, and the time until it returns gives the speed. The next frame is then written when the last one has
//! probably arrived, so that the frame of a key press does not wait behind others.

use std::time::Duration;

use tokio::time::Instant;

pub(super) use crate::app::event::TerminalLink;

/// A write that took at least this long was blocked by the connection.
const BLOCKED_WRITE: Duration = Duration::from_millis(50);
/// A connection is slow when its recent blocked time reaches this value.
const SLOW_BLOCKED_TIME: Duration = Duration::from_millis(700);
/// The recent blocked time decreases by one tenth of the time that passes.
const DECAY_DIVISOR: u32 = 10;
/// The size of the system's output buffer in bytes: a Linux pseudo-terminal has 11,776, and a write blocks until most of it has
/// been read.
const SYSTEM_BUFFER: usize = 12_000;
/// After this time without a blocked write a connection counts as fast again (the first value). Each time that this was wrong,
/// the time doubles, up to the second value.
const SLOW_FOR: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(16 * 60));
/// How much output, in time, may still be on its way when the next frame is written.
const ALLOWED_IN_TRANSIT: Duration = Duration::from_millis(250);
/// The longest wait of a frame that shows the user's input, and of any other frame: the speed is only an estimate.
const MAX_FRAME_WAIT: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(3));
/// The share of the estimated speed that is used, so that queued output shrinks.
const USED_SHARE: f64 = 0.66;
/// If writing a frame takes longer than this, the user sees an old screen.
const STALLED_AFTER: Duration = Duration::from_secs(1);

/// The measurements of writing one frame.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(super) struct FrameWrite {
    bytes: usize,
    /// How many writes blocked, and for how long in total.
    waits: u32,
    waited: Duration,
    /// Bytes written from the first blocked write on.
    after: usize,
}

impl FrameWrite {
    /// Adds one write of this many bytes, which took this long.
    pub(super) fn add(&mut self, bytes: usize, took: Duration) {
        self.bytes += bytes;
        if took >= BLOCKED_WRITE {
            (self.waits, self.waited) = (self.waits + 1, self.waited + took);
        }
        if self.waits > 0 {
            self.after += bytes;
        }
    }

    /// Bytes per second; None if no write blocked. If only one write blocked, the system's full buffer was sent meanwhile, too.
    fn rate(&self) -> Option<f64> {
        let gone = self.after + if self.waits == 1 { SYSTEM_BUFFER } else { 0 };
        (self.waits > 0).then(|| gone as f64 / self.waited.as_secs_f64())
    }
}

/// The estimated speed of the connection.
#[derive(Debug)]
pub(super) struct Backpressure {
    /// The option `low_bandwidth`: true means always slow, false never; None: as measured.
    configured: Option<bool>,
    /// The recent blocked time; decreases as time passes.
    blocked_time: Duration,
    last: Option<Instant>,
    /// Bytes per second while the connection is slow.
    rate: Option<f64>,
    /// When all output has probably arrived at the terminal.
    all_arrived_at: Option<Instant>,
    slow_for: Duration,
    slow_until: Option<Instant>,
}

impl Backpressure {
    /// With the option `low_bandwidth`: slow, not slow, or as measured.
    pub(super) fn new(configured: Option<bool>) -> Self {
        Self {
            configured,
            blocked_time: Duration::ZERO,
            last: None,
            rate: None,
            all_arrived_at: None,
            slow_for: SLOW_FOR.0,
            slow_until: None,
        }
    }

    /// Adds the measurements of a frame that was completely written at `now`.
    pub(super) fn add_frame(&mut self, flow: FrameWrite, now: Instant) {
        let since = self.last.map_or(Duration::ZERO, |last| now.saturating_duration_since(last));
        self.last = Some(now);
        self.blocked_time = self.blocked_time.saturating_sub(since / DECAY_DIVISOR) + flow.waited;
        if let Some(rate) = flow.rate() {
            if self.blocked_time >= SLOW_BLOCKED_TIME {
                self.slow_until = Some(now + self.next_slow_for(now));
            }
            // the write blocked until the buffer was sent: the next frame may be drawn at once
            (self.rate, self.all_arrived_at) = (Some(rate), Some(now));
        } else if let Some(rate) = self.rate.filter(|_| self.is_slow(now)) {
            let time = Duration::try_from_secs_f64(flow.bytes as f64 / rate / USED_SHARE)
                .unwrap_or(MAX_FRAME_WAIT.1);
            self.all_arrived_at = self
                .all_arrived_at
                .map(|all_arrived_at| all_arrived_at.max(now) + time.min(MAX_FRAME_WAIT.1));
        } else {
            (self.rate, self.all_arrived_at) = (None, None);
        }
    }

    /// How long the connection counts as slow from now on.
    fn next_slow_for(&mut self, now: Instant) -> Duration {
        self.slow_for = match self.slow_until {
            Some(end) if now < end => self.slow_for,
            Some(end) if now < end + SLOW_FOR.1 => (self.slow_for * 2).min(SLOW_FOR.1),
            _ => SLOW_FOR.0,
        };
        self.slow_for
    }

    fn is_slow(&self, now: Instant) -> bool {
        self.configured.unwrap_or_else(|| self.slow_until.is_some_and(|end| now < end))
    }

    /// The state of the connection; `on_its_way` is how long the current frame has been in the writer.
    pub(super) fn link(&self, on_its_way: Duration, now: Instant) -> TerminalLink {
        if on_its_way >= STALLED_AFTER {
            TerminalLink::Stalled
        } else if self.is_slow(now) {
            TerminalLink::Slow
        } else {
            TerminalLink::Quick
        }
    }

    /// The earliest time for the next frame, None if at once; `urgent` is a frame that shows the user's input.
    pub(super) fn due(&self, urgent: bool) -> Option<Instant> {
        let (all_arrived_at, last) = (self.all_arrived_at?.checked_sub(ALLOWED_IN_TRANSIT)?, self.last?);
        Some(all_arrived_at.min(last + if urgent { MAX_FRAME_WAIT.0 } else { MAX_FRAME_WAIT.1 }))
    }
}

#[cfg(test)]
mod tests;
