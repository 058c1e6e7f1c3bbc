//! The only clock of the sources and the runtime; all other code gets `now` as an argument.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);
/// Supported times end with the year 9999; this limit leaves room for windows, snoozes and forecasts in the future.
const LAST_YEAR: i16 = 9990;
/// A wait shorter than this is extended by one second, see [`Clock::until_tick`].
const TIMER_TOLERANCE: Duration = Duration::from_millis(20);

/// The current time: of the system, fixed, running on from a start time, or set by a test.
#[derive(Debug, Clone, Copy)]
pub struct Clock(TimeSource);

#[derive(Debug, Clone, Copy)]
enum TimeSource {
    Real,
    Fixed(Timestamp),
    Started {
        at: Timestamp,
        since: Instant,
    },
    /// Milliseconds since 1970.
    Set(&'static AtomicI64),
}

impl Clock {
    /// The system time.
    pub const fn real() -> Self {
        Self(TimeSource::Real)
    }

    /// Always returns `moment`: for tests and for screenshots that are the same every time.
    pub const fn fixed(moment: Timestamp) -> Self {
        Self(TimeSource::Fixed(moment))
    }

    /// Returns `moment` at first and runs on from there, by the monotonic clock of tokio.
    #[cfg_attr(
        only_program,
        expect(dead_code, reason = "tests start their clock at the start of their scenario")
    )]
    pub fn started_at(moment: Timestamp) -> Self {
        Self(TimeSource::Started { at: moment, since: Instant::now() })
    }

    /// Reads milliseconds since 1970 from `time`: a test that changes `time` moves the clock.
    #[cfg_attr(only_program, expect(dead_code, reason = "tests move their clock"))]
    pub const fn set_by(time: &'static AtomicI64) -> Self {
        Self(TimeSource::Set(time))
    }

    /// An error text if the clock is past the year 9990; `None` if the clock can be used.
    pub fn failure(&self) -> Option<String> {
        let year = self.now().to_zoned(TimeZone::UTC).year();
        (year > LAST_YEAR).then(|| {
            format!("this machine's clock shows the year {year}; supported are years up to {LAST_YEAR}: set the clock")
        })
    }

    /// Whether the clock always returns the same time.
    pub const fn is_fixed(&self) -> bool {
        matches!(self.0, TimeSource::Fixed(_))
    }

    /// The current time.
    pub fn now(&self) -> Timestamp {
        match self.0 {
            TimeSource::Real => real(),
            TimeSource::Fixed(moment) => moment,
            TimeSource::Started { at, since } => at.saturating_add(since.elapsed()).unwrap_or(Timestamp::MAX),
            TimeSource::Set(time) => {
                Timestamp::from_millisecond(time.load(Ordering::Relaxed)).unwrap_or(Timestamp::UNIX_EPOCH)
            }
        }
    }

    /// The wait until the next tick: for the system clock until the next full second, else one second.
    pub fn until_tick(&self) -> Duration {
        match self.0 {
            TimeSource::Real => {
                let nanoseconds = u64::try_from(real().subsec_nanosecond()).unwrap_or(0);
                let wait = SECOND.saturating_sub(Duration::from_nanos(nanoseconds));
                // a timer that fires slightly early must not cause two ticks in the same second
                if wait < TIMER_TOLERANCE { wait + SECOND } else { wait }
            }
            TimeSource::Fixed(_) | TimeSource::Set(_) | TimeSource::Started { .. } => SECOND,
        }
    }
}

/// The system time, limited to the range from 1970 to [`Timestamp::MAX`].
#[expect(clippy::disallowed_methods, reason = "this is the one clock")]
fn real() -> Timestamp {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => SignedDuration::try_from(since)
            .ok()
            .and_then(|since| Timestamp::from_duration(since).ok())
            .unwrap_or(Timestamp::MAX),
        Err(_) => Timestamp::UNIX_EPOCH,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_started_clock_runs_and_a_fixed_one_does_not() {
        let (started, fixed) = (Clock::started_at(at(1000)), Clock::fixed(at(7)));
        let last = Clock::started_at(Timestamp::MAX);
        tokio::time::advance(Duration::from_secs(6)).await;
        assert_eq!(started.now(), at(1006));
        assert_eq!(fixed.now(), at(7));
        assert_eq!(last.now(), Timestamp::MAX);
    }

    #[test]
    fn a_clock_that_is_set_tells_what_it_was_set_to() {
        static TIME: AtomicI64 = AtomicI64::new(7_000);
        let clock = Clock::set_by(&TIME);
        assert_eq!(clock.now(), at(7));
        TIME.store(8_500, Ordering::Relaxed);
        assert_eq!(clock.now(), Timestamp::from_millisecond(8_500).unwrap());
    }

    #[test]
    fn a_clock_beyond_all_times_says_so() {
        assert_eq!(Clock::real().failure(), None);
        let reported = Clock::fixed(Timestamp::MAX).failure().unwrap();
        assert!(reported.contains("the year 9999"), "{reported}");
    }

    #[test]
    fn the_real_clock_ticks_about_once_a_second() {
        let wait = Clock::real().until_tick();
        assert!(wait <= SECOND + TIMER_TOLERANCE && wait >= TIMER_TOLERANCE, "{wait:?}");
    }
}
