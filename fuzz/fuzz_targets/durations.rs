//! Durations and time ranges.
#![no_main]

use std::time::Duration;

use burnwatch::testing::app::range::{Range, time_range};
use burnwatch::testing::model::duration;
use burnwatch::testing::model::notify::QuietHours;
use burnwatch_fuzz::now;
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    QuietHours::parse(&text);
    let Ok(length) = duration::parse(&text) else { return };
    assert_eq!(duration::parse(&duration::text(length)), Ok(length), "{text:?}");
    duration::short(length);
    let mut range = Range { length, end: None };
    for _ in 0..3 {
        range.earlier(now());
        range.words(now());
        range.span(now(), 60, Duration::from_secs(5));
    }
    range.later(now());
    let window = range.span(Timestamp::MAX, 100, length);
    time_range(window, Some(range.span(now(), 10, Duration::ZERO)));
});
