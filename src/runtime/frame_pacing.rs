//! Limits how often frames are drawn: at once after the user's input, a little later after answers of sources; at most 30
//! frames in any second, and four on a slow connection. Works as a token bucket.

use std::time::Duration;

use tokio::time::Instant;

/// The limits of the frame rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FrameRate {
    /// The size of the bucket: frames that may follow each other without a pause.
    saved: u32,
    /// The time after which one more frame may be drawn.
    one_more: Duration,
    /// How long after a frame the next one waits if it shows only answers and ticks.
    calm: Duration,
}

/// 10 at once and 20 per second: at most 30 in a second. Answers cause 10 frames per second, because nobody reads faster.
const NORMAL_RATE: FrameRate =
    FrameRate { saved: 10, one_more: Duration::from_millis(50), calm: Duration::from_millis(100) };
/// For slow connections: 2 at once and 2 per second, at most 4 in a second. A key that is held down skips frames; a single key
/// press does not wait.
const SLOW_RATE: FrameRate =
    FrameRate { saved: 2, one_more: Duration::from_millis(500), calm: Duration::from_secs(1) };

/// Decides when the next frame may be drawn.
///
/// Unused frames are saved, so that a single key press is drawn at once even while many answers arrive. A fixed distance
/// between frames would not allow this.
#[derive(Debug)]
pub(super) struct FramePacing {
    rate: FrameRate,
    last: Option<Instant>,
    /// Time up to which frames are used up: each frame adds `one_more`, and a frame may be drawn while this is less than `saved`
    /// steps ahead of now.
    spent_until: Option<Instant>,
}

impl Default for FramePacing {
    fn default() -> Self {
        Self { rate: NORMAL_RATE, last: None, spent_until: None }
    }
}

impl FramePacing {
    /// When the next frame may be drawn; `urgent` is a frame that shows the user's input.
    pub(super) fn due(&self, urgent: bool, now: Instant) -> Instant {
        let FrameRate { saved, one_more, calm } = self.rate;
        let saved =
            self.spent_until.map_or(now, |until| until.checked_sub(one_more * (saved - 1)).unwrap_or(now));
        let calm = self.last.filter(|_| !urgent).map_or(now, |last| last + calm);
        saved.max(calm)
    }

    pub(super) fn add_frame(&mut self, now: Instant) {
        self.last = Some(now);
        self.spent_until = Some(self.spent_until.map_or(now, |until| until.max(now)) + self.rate.one_more);
    }

    /// Switches between the rates for slow and for normal connections.
    pub(super) fn spare(&mut self, sparing: bool) {
        let rate = if sparing { SLOW_RATE } else { NORMAL_RATE };
        if rate != self.rate {
            // saved and used frames do not count at another rate
            (self.rate, self.spent_until) = (rate, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Draws as often as allowed for `seconds`; returns the times of the frames in milliseconds.
    fn flood(pacing: &mut FramePacing, urgent: bool, start: Instant, seconds: u64) -> Vec<u64> {
        let mut drawn = Vec::new();
        for millisecond in 0..seconds * 1000 {
            let now = start + Duration::from_millis(millisecond);
            while pacing.due(urgent, now) <= now {
                pacing.add_frame(now);
                drawn.push(millisecond);
            }
        }
        drawn
    }

    fn most_in_a_second(drawn: &[u64]) -> usize {
        drawn
            .iter()
            .map(|from| drawn.iter().filter(|at| (*from..from + 1000).contains(at)).count())
            .max()
            .unwrap()
    }

    #[test]
    fn no_second_has_more_than_thirty_frames() {
        let drawn = flood(&mut FramePacing::default(), true, Instant::now(), 5);
        assert!(most_in_a_second(&drawn) <= 30, "{drawn:?}");
        assert!(drawn.len() >= 100, "and the flow does not stop: {drawn:?}");
    }

    #[test]
    fn a_flood_of_answers_costs_ten_frames_a_second() {
        let drawn = flood(&mut FramePacing::default(), false, Instant::now(), 5);
        assert_eq!(drawn.len(), 50);
    }

    #[test]
    fn over_a_slow_line_there_are_four_frames_a_second_for_keys_and_one_for_answers() {
        let mut pacing = FramePacing::default();
        pacing.spare(true);
        let start = Instant::now();
        let keys = flood(&mut pacing, true, start, 5);
        assert!(most_in_a_second(&keys) <= 4 && keys.len() >= 10, "{keys:?}");
        let rest = start + Duration::from_secs(10);
        let (answers, key) = (flood(&mut pacing, false, rest, 5), rest + Duration::from_millis(4100));
        assert_eq!(answers.len(), 5, "{answers:?}");
        assert!(pacing.due(true, key) <= key, "a lone key is drawn at once");
    }

    #[test]
    fn a_key_in_a_flood_of_answers_is_drawn_at_once() {
        let (mut pacing, start) = (FramePacing::default(), Instant::now());
        flood(&mut pacing, false, start, 3);
        for key in 0..5 {
            let now = start + Duration::from_millis(3000 + key * 60);
            assert!(pacing.due(true, now) <= now, "key {key}");
            pacing.add_frame(now);
        }
    }

    #[test]
    fn the_first_frame_is_due_at_once_and_a_lone_one_after_a_pause_too() {
        let (mut pacing, start) = (FramePacing::default(), Instant::now());
        assert!(pacing.due(false, start) <= start);
        pacing.add_frame(start);
        assert_eq!(pacing.due(false, start), start + NORMAL_RATE.calm);
        let later = start + Duration::from_secs(1);
        assert!(pacing.due(false, later) <= later);
    }
}
