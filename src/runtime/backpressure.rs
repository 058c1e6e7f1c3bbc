//! How fast the line to the terminal is, as far as the time tells that writing to it takes; no clock, no terminal.
//!
//! The system holds some of what is written: a slow line takes everything at first, and shows it late. Once that room is full
//! a write waits, and what is known then is how long it took to make room: what follows is written when what went before it
//! has probably arrived, so that a key's frame need not queue.

use std::time::Duration;

use tokio::time::Instant;

pub(super) use crate::app::event::TerminalLink;

/// A write that took longer than this had to wait for the line.
const BLOCKED_WRITE: Duration = Duration::from_millis(50);
/// So much waiting makes a line slow.
const SLOW_BLOCKED_TIME: Duration = Duration::from_millis(700);
/// As time passes, one part in so many of it is taken off the waiting.
const DECAY_DIVISOR: u32 = 10;
/// What the system holds, in bytes: a pseudo-terminal of Linux has room for 11,776, and a write waits until most is gone.
const SYSTEM_BUFFER: usize = 12_000;
/// Without a wait for so long, a line is taken for quick again; each time that this was wrong, for twice as long.
const SLOW_FOR: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(16 * 60));
/// What may still be on its way when the next frame is written.
const ALLOWED_IN_TRANSIT: Duration = Duration::from_millis(250);
/// How long a frame that shows what the person did waits at most, and another: speeds are only guessed.
const MAX_FRAME_WAIT: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(3));
/// How much of a line is used: what queues before it has to go down.
const USED_SHARE: f64 = 0.66;
/// When a frame takes longer than this, the screen is not what the person sees.
const STALLED_AFTER: Duration = Duration::from_secs(1);

/// How the writing of a frame went.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(super) struct FrameWrite {
    bytes: usize,
    /// How often it had to wait, and for how long in all.
    waits: u32,
    waited: Duration,
    /// What was written from the first wait on.
    after: usize,
}

impl FrameWrite {
    /// One piece more, which took so long.
    pub(super) fn add(&mut self, bytes: usize, took: Duration) {
        self.bytes += bytes;
        if took >= BLOCKED_WRITE {
            (self.waits, self.waited) = (self.waits + 1, self.waited + took);
        }
        if self.waits > 0 {
            self.after += bytes;
        }
    }

    /// Bytes a second, if it had to wait. A single wait was for all that the system held, each of several for a piece.
    fn rate(&self) -> Option<f64> {
        let gone = self.after + if self.waits == 1 { SYSTEM_BUFFER } else { 0 };
        (self.waits > 0).then(|| gone as f64 / self.waited.as_secs_f64())
    }
}

/// What is known of the line.
#[derive(Debug)]
pub(super) struct Backpressure {
    /// What the person says: slow, or never to be taken for slow.
    configured: Option<bool>,
    /// For how long it was waited for, of late.
    blocked_time: Duration,
    last: Option<Instant>,
    /// Bytes a second, as long as it is slow.
    rate: Option<f64>,
    /// When all that was written has probably arrived.
    all_arrived_at: Option<Instant>,
    slow_for: Duration,
    slow_until: Option<Instant>,
}

impl Backpressure {
    /// Of a line of which the person says that it is slow, that it is not, or nothing.
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

    /// Takes note of a frame that was written, until now.
    pub(super) fn add_frame(&mut self, flow: FrameWrite, now: Instant) {
        let since = self.last.map_or(Duration::ZERO, |last| now.saturating_duration_since(last));
        self.last = Some(now);
        self.blocked_time = self.blocked_time.saturating_sub(since / DECAY_DIVISOR) + flow.waited;
        if let Some(rate) = flow.rate() {
            if self.blocked_time >= SLOW_BLOCKED_TIME {
                self.slow_until = Some(now + self.next_slow_for(now));
            }
            // whatever was held is gone: the newest is drawn at once
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

    /// How long it is slow from now on.
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

    /// How it is, while a frame has been on its way for so long.
    pub(super) fn link(&self, on_its_way: Duration, now: Instant) -> TerminalLink {
        if on_its_way >= STALLED_AFTER {
            TerminalLink::Stalled
        } else if self.is_slow(now) {
            TerminalLink::Slow
        } else {
            TerminalLink::Quick
        }
    }

    /// When the next frame is to be written at the earliest; `urgent` is one that shows what the person did.
    pub(super) fn due(&self, urgent: bool) -> Option<Instant> {
        let (all_arrived_at, last) = (self.all_arrived_at?.checked_sub(ALLOWED_IN_TRANSIT)?, self.last?);
        Some(all_arrived_at.min(last + if urgent { MAX_FRAME_WAIT.0 } else { MAX_FRAME_WAIT.1 }))
    }
}

#[cfg(test)]
mod tests;
