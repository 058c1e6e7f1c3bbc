//! The one clock of sources and runtime: everybody else gets `now` as an argument.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);
/// Times are known to the end of 9999; windows, snoozes and forecasts reach into the future.
const LAST_YEAR: i16 = 9990;
const TIMER_TOLERANCE: Duration = Duration::from_millis(20);

/// Tells the time: the real one, a fixed moment, one that runs on from a given moment, or what somebody sets.
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
    /// The system's time.
    pub const fn real() -> Self {
        Self(TimeSource::Real)
    }

    /// Always `moment`: for pictures and tests that are the same every time.
    pub const fn fixed(moment: Timestamp) -> Self {
        Self(TimeSource::Fixed(moment))
    }

    /// Shows `moment` now and runs on from there.
    #[cfg_attr(only_program, expect(dead_code, reason = "tests start their clock where their story begins"))]
    pub fn started_at(moment: Timestamp) -> Self {
        Self(TimeSource::Started { at: moment, since: Instant::now() })
    }

    /// What `time` says, in milliseconds since 1970: whoever holds it moves the clock.
    #[cfg_attr(only_program, expect(dead_code, reason = "tests move their clock"))]
    pub const fn set_by(time: &'static AtomicI64) -> Self {
        Self(TimeSource::Set(time))
    }

    /// The comment: why the time that it tells cannot be worked with, if so: there must be room for times to come.
    pub fn trouble(&self) -> Option<String> {
        let year = self.now().to_zoned(TimeZone::UTC).year();
        (year > LAST_YEAR).then(|| {
            format!("this machine's clock stands at the year {year}, and times are known up to {LAST_YEAR}: set the clock")
        })
    }

    /// Whether it always tells the same moment.
    pub const fn is_fixed(&self) -> bool {
        matches!(self.0, TimeSource::Fixed(_))
    }

    /// The present moment.
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

    /// How long until the next tick: at the turn of the second, where the clock shows real seconds.
    pub fn until_tick(&self) -> Duration {
        match self.0 {
            TimeSource::Real => {
                let nanoseconds = u64::try_from(real().subsec_nanosecond()).unwrap_or(0);
                let wait = SECOND.saturating_sub(Duration::from_nanos(nanoseconds));
                // a timer that came a little early must not tick twice for one second
                if wait < TIMER_TOLERANCE { wait + SECOND } else { wait }
            }
            TimeSource::Fixed(_) | TimeSource::Set(_) | TimeSource::Started { .. } => SECOND,
        }
    }
}

/// A clock that stands before 1970 or beyond what times can be told for stands at the end of that.
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
        assert_eq!(Clock::real().trouble(), None);
        let told = Clock::fixed(Timestamp::MAX).trouble().unwrap();
        assert!(told.contains("the year 9999"), "{told}");
    }

    #[test]
    fn the_real_clock_ticks_about_once_a_second() {
        let wait = Clock::real().until_tick();
        assert!(wait <= SECOND + TIMER_TOLERANCE && wait >= TIMER_TOLERANCE, "{wait:?}");
    }
}
