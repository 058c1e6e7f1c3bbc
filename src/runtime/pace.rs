//! How often to draw: what the person does at once, what the sources say a little later, at most 30 frames in any second.

use std::time::Duration;

use tokio::time::Instant;

/// Frames that may follow each other without a pause; with what is added in a second, 30.
const SAVED: u32 = 10;
/// How long it takes until one more frame may be drawn.
const ONE_MORE: Duration = Duration::from_millis(50);
/// After a frame, how long answers and ticks wait for the next: nobody reads faster.
const CALM: Duration = Duration::from_millis(100);

/// When the next frame may be drawn.
///
/// Frames are saved up: a lone key is drawn at once even when answers flood in, which a fixed distance between frames
/// would not allow.
#[derive(Debug, Default)]
pub(super) struct Pace {
    last: Option<Instant>,
    /// Where the saved frames would be spent up, if drawn without a pause: never more than `SAVED` steps ahead of now.
    spent_until: Option<Instant>,
}

impl Pace {
    /// When a frame may be drawn; `urgent` is one that shows what the person did.
    pub(super) fn due(&self, urgent: bool, now: Instant) -> Instant {
        let saved =
            self.spent_until.map_or(now, |until| until.checked_sub(ONE_MORE * (SAVED - 1)).unwrap_or(now));
        let calm = self.last.filter(|_| !urgent).map_or(now, |last| last + CALM);
        saved.max(calm)
    }

    /// Notes that a frame was drawn.
    pub(super) fn drew(&mut self, now: Instant) {
        self.last = Some(now);
        self.spent_until = Some(self.spent_until.map_or(now, |until| until.max(now)) + ONE_MORE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Draws whenever it may for `seconds`; the moments of the frames in milliseconds.
    fn flood(pace: &mut Pace, urgent: bool, start: Instant, seconds: u64) -> Vec<u64> {
        let mut drawn = Vec::new();
        for millisecond in 0..seconds * 1000 {
            let now = start + Duration::from_millis(millisecond);
            while pace.due(urgent, now) <= now {
                pace.drew(now);
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
        let drawn = flood(&mut Pace::default(), true, Instant::now(), 5);
        assert!(most_in_a_second(&drawn) <= 30, "{drawn:?}");
        assert!(drawn.len() >= 100, "and the flow does not stop: {drawn:?}");
    }

    #[test]
    fn a_flood_of_answers_costs_ten_frames_a_second() {
        let drawn = flood(&mut Pace::default(), false, Instant::now(), 5);
        assert_eq!(drawn.len(), 50);
    }

    #[test]
    fn a_key_in_a_flood_of_answers_is_drawn_at_once() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        flood(&mut pace, false, start, 3);
        for key in 0..5 {
            let now = start + Duration::from_millis(3000 + key * 60);
            assert!(pace.due(true, now) <= now, "key {key}");
            pace.drew(now);
        }
    }

    #[test]
    fn the_first_frame_is_due_at_once_and_a_lone_one_after_a_pause_too() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        assert!(pace.due(false, start) <= start);
        pace.drew(start);
        assert_eq!(pace.due(false, start), start + CALM);
        let later = start + Duration::from_secs(1);
        assert!(pace.due(false, later) <= later);
    }
}
