//! The wait before the next attempt: exponential backoff with full jitter, as in "Exponential Backoff And Jitter" (AWS
//! Architecture Blog).

use std::time::Duration;

use tokio::time::Instant;

/// The shortest wait. Without any wait, questions that wait for a slot at a source that hangs would each wait for the time-out.
const MIN_WAIT: Duration = Duration::from_millis(250);
/// The longest wait after the first failure.
const BASE: Duration = Duration::from_secs(1);
/// The longest wait after any number of failures. One cheap question every few seconds harms no server, and the user waits for
/// the source to return. Not longer than the default interval, so that the source is back within one interval.
const MAX_WAIT: Duration = Duration::from_secs(5);
/// The longest wait that a server can ask for (`Retry-After`): rate limits are usually per minute, and a user on call cannot be
/// without data for longer.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);

/// When to try again, for a question that was sent at `asked` and failed at `now`. The time spent waiting for the failure
/// counts as part of the wait, because a server that hangs cannot be queried too often anyway.
pub(super) fn next_try(
    (asked, now): (Instant, Instant),
    failures: u32,
    retry_after: Option<Duration>,
    random: f64,
) -> Instant {
    let wait = delay(failures, retry_after, random);
    if retry_after.is_some() { now + wait } else { (asked + wait).max(now + wait.min(BASE)) }
}

/// How long to wait after this many failures in a row. `random` is from 0 to 1. If the server sent `retry_after`, the wait is
/// at least that long, up to a minute.
pub(super) fn delay(failures: u32, retry_after: Option<Duration>, random: f64) -> Duration {
    let random = if random.is_finite() { random.clamp(0.0, 1.0) } else { 1.0 };
    let most = if retry_after.is_some() {
        // a little longer than asked for, so that not all clients return at the same moment
        BASE
    } else {
        BASE.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(MAX_WAIT)
    };
    (retry_after.unwrap_or_default().saturating_add(most.mul_f64(random).max(MIN_WAIT))).min(MAX_RETRY_AFTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_a_ceiling() {
        for (failures, seconds) in [(0, 1), (1, 1), (2, 2), (3, 4), (4, 5), (5, 5), (u32::MAX, 5)] {
            assert_eq!(delay(failures, None, 1.0), Duration::from_secs(seconds), "after {failures}");
        }
    }

    #[test]
    fn the_jitter_is_full() {
        assert_eq!(delay(5, None, 0.0), MIN_WAIT);
        assert_eq!(delay(5, None, 0.5), Duration::from_millis(2500));
    }

    #[test]
    fn what_the_server_asks_for_wins_up_to_a_minute() {
        let asked = |seconds| Some(Duration::from_secs(seconds));
        for random in [0.0, 0.3, 1.0] {
            let wait = delay(9, asked(3), random);
            assert!(wait >= Duration::from_secs(3) && wait <= Duration::from_secs(4), "{wait:?}");
            assert_eq!(delay(1, asked(86_400), random), MAX_RETRY_AFTER);
            assert_eq!(delay(1, Some(Duration::MAX), random), MAX_RETRY_AFTER);
        }
    }

    #[test]
    fn waiting_in_vain_counts_as_waiting() {
        let asked = Instant::now();
        let (at_once, late) = (asked, asked + Duration::from_secs(9));
        let second = Duration::from_secs(1);
        assert_eq!(next_try((asked, at_once), 9, None, 1.0), asked + 5 * second);
        assert_eq!(next_try((asked, late), 9, None, 1.0), late + second);
        assert_eq!(next_try((asked, late), 9, None, 0.1), late + second / 2);
        assert_eq!(next_try((asked, late), 9, Some(7 * second), 1.0), late + 8 * second);
    }

    #[test]
    fn a_random_number_that_is_none_does_no_harm() {
        for random in [f64::NAN, f64::INFINITY, -3.0, 7.0] {
            assert!(delay(3, None, random) <= MAX_WAIT);
        }
    }
}
