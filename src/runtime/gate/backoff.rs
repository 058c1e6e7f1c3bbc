//! How long to wait before the next try: exponential back-off with full jitter, as "Exponential Backoff And Jitter"
//! (AWS Architecture Blog) describes it.

use std::time::Duration;

/// The most that is waited after the first failure.
const BASE: Duration = Duration::from_secs(1);
/// The most that is waited after any number of failures.
const CEILING: Duration = Duration::from_secs(30);
/// The most that a server can make us wait.
const OBEYED: Duration = Duration::from_secs(600);

/// How long to wait after this many failures in a row. `random` is from 0 to 1; what the server asks for is waited at
/// the least, up to ten minutes.
pub(super) fn delay(failures: u32, retry_after: Option<Duration>, random: f64) -> Duration {
    let random = if random.is_finite() { random.clamp(0.0, 1.0) } else { 1.0 };
    let most = if retry_after.is_some() {
        // a little more than asked for, so that not everybody comes back in the same moment
        BASE
    } else {
        BASE.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(CEILING)
    };
    (retry_after.unwrap_or_default().saturating_add(most.mul_f64(random))).min(OBEYED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_a_ceiling() {
        for (failures, seconds) in [(0, 1), (1, 1), (2, 2), (3, 4), (5, 16), (6, 30), (7, 30), (u32::MAX, 30)]
        {
            assert_eq!(delay(failures, None, 1.0), Duration::from_secs(seconds), "after {failures}");
        }
    }

    #[test]
    fn the_jitter_is_full() {
        assert_eq!(delay(5, None, 0.0), Duration::ZERO);
        assert_eq!(delay(5, None, 0.5), Duration::from_secs(8));
    }

    #[test]
    fn what_the_server_asks_for_wins_up_to_ten_minutes() {
        let asked = |seconds| Some(Duration::from_secs(seconds));
        for random in [0.0, 0.3, 1.0] {
            let wait = delay(9, asked(3), random);
            assert!(wait >= Duration::from_secs(3) && wait <= Duration::from_secs(4), "{wait:?}");
            assert_eq!(delay(1, asked(86_400), random), OBEYED);
            assert_eq!(delay(1, Some(Duration::MAX), random), OBEYED);
        }
    }

    #[test]
    fn a_random_number_that_is_none_does_no_harm() {
        for random in [f64::NAN, f64::INFINITY, -3.0, 7.0] {
            assert!(delay(3, None, random) <= CEILING);
        }
    }
}
