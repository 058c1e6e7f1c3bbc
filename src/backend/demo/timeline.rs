//! Converts between real time and demo time.

use jiff::Timestamp;

/// How often rules are evaluated, in seconds of demo time.
pub(super) const EVERY: f64 = 5.0;

/// How long counters have been counting at demo time 0, in seconds.
pub(super) const COUNTER_AGE_AT_START: f64 = 30.0 * 86_400.0;

/// The real time at demo time 0, and the speed of demo time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct DemoTimeline {
    origin: i64,
    speed: f64,
}

impl DemoTimeline {
    pub(super) fn new(origin: Timestamp, speed: f64) -> Self {
        let speed = if speed.is_finite() && speed > 0.0 { speed.clamp(0.01, 1000.0) } else { 1.0 };
        Self { origin: origin.as_millisecond(), speed }
    }

    /// The demo time at this real time, in seconds; negative before the start.
    pub(super) fn demo(self, at: Timestamp) -> f64 {
        (at.as_millisecond().saturating_sub(self.origin)) as f64 / 1000.0 * self.speed
    }

    /// The demo time at this Unix time.
    pub(super) fn demo_second(self, second: f64) -> f64 {
        (second - self.origin as f64 / 1000.0) * self.speed
    }

    /// The Unix time at this demo time.
    pub(super) fn second(self, t: f64) -> f64 {
        self.origin as f64 / 1000.0 + t / self.speed
    }

    /// The age of a counter in seconds at this Unix time: the demo's counters start 30 days before the demo.
    pub(super) fn counter_age(self, second: f64) -> f64 {
        second - self.second(0.0) + COUNTER_AGE_AT_START
    }

    /// The evaluation interval of rules in real seconds; at least 1, to limit the number of samples.
    pub(super) fn evaluations(self) -> f64 {
        (EVERY / self.speed).max(1.0)
    }

    /// The real time at this demo time, to the millisecond.
    pub(super) fn wall_time(self, t: f64) -> Timestamp {
        #[expect(clippy::cast_possible_truncation, reason = "a cast of a float saturates")]
        let passed = (t / self.speed * 1000.0).round() as i64;
        let end = if passed < 0 { Timestamp::MIN } else { Timestamp::MAX };
        Timestamp::from_millisecond(self.origin.saturating_add(passed)).unwrap_or(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_there_and_back_and_no_speed_breaks_it() {
        let origin = Timestamp::from_second(1_790_000_000).unwrap();
        for speed in [1.0, 5.0, 0.5] {
            let clock = DemoTimeline::new(origin, speed);
            assert!((clock.demo(clock.wall_time(90.0)) - 90.0).abs() < 1e-9);
        }
        for speed in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(DemoTimeline::new(origin, speed), DemoTimeline::new(origin, 1.0));
        }
        assert_eq!(DemoTimeline::new(origin, 1.0).wall_time(f64::INFINITY), Timestamp::MAX);
    }
}
