//! How long to wait before the next try: exponential back-off with full jitter, as "Exponential Backoff And Jitter"
//! (AWS Architecture Blog) describes it.

use std::time::Duration;

use tokio::time::Instant;

/// The least that is waited: without any wait, what queues behind a source that hangs would wait out its time-out again.
const MIN_WAIT: Duration = Duration::from_millis(250);
/// The most that is waited after the first failure.
const BASE: Duration = Duration::from_secs(1);
/// The most that is waited after any number of failures: one cheap question every few seconds harms no server, and someone on
/// call waits for it to come back. Not longer than the usual interval, so that it is back within one.
const MAX_WAIT: Duration = Duration::from_secs(5);
/// The most that a server can make us wait: limits are counted by the minute, and nobody on call can be blind for longer.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);

/// The moment of the next try, for a question that was put at `asked` and failed at `now`. What it waited for in vain counts
/// as waiting, for a server that hangs keeps us from asking too often by itself.
pub(super) fn next_try(
    (asked, now): (Instant, Instant),
    failures: u32,
    retry_after: Option<Duration>,
    random: f64,
) -> Instant {
    let wait = delay(failures, retry_after, random);
    if retry_after.is_some() { now + wait } else { (asked + wait).max(now + wait.min(BASE)) }
}

/// How long to wait after this many failures in a row. `random` is from 0 to 1; what the server asks for is waited at
/// the least, up to a minute.
pub(super) fn delay(failures: u32, retry_after: Option<Duration>, random: f64) -> Duration {
    let random = if random.is_finite() { random.clamp(0.0, 1.0) } else { 1.0 };
    let most = if retry_after.is_some() {
        // a little more than asked for, so that not everybody comes back in the same moment
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
