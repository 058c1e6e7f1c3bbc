use super::*;

const SECOND: Duration = Duration::from_secs(1);
const TICK: Flow = Flow { bytes: 64, waits: 0, waited: Duration::ZERO, after: 0 };

fn flow(pieces: &[(usize, u64)]) -> Flow {
    let mut flow = Flow::default();
    for (bytes, milliseconds) in pieces {
        flow.add(*bytes, Duration::from_millis(*milliseconds));
    }
    flow
}

fn link(gauge: &Gauge, now: Instant) -> Link {
    gauge.link(Duration::ZERO, now)
}

#[test]
fn a_line_that_keeps_writes_waiting_is_slow_until_it_has_not_for_half_a_minute() {
    let (mut gauge, start) = (Gauge::new(None), Instant::now());
    for second in 0..10 {
        gauge.wrote(flow(&[(512, 1), (512, 40)]), start + SECOND * second);
    }
    let mut now = start + SECOND * 10;
    assert_eq!(link(&gauge, now), Link::Quick);
    gauge.wrote(flow(&[(512, 0), (512, 400)]), now);
    assert_eq!(link(&gauge, now), Link::Quick, "a moment is nothing");
    now += SECOND / 2;
    gauge.wrote(flow(&[(100, 400)]), now);
    assert_eq!(link(&gauge, now), Link::Slow);
    gauge.wrote(TICK, now + SECOND * 20);
    assert_eq!(link(&gauge, now + SECOND * 29), Link::Slow);
    assert_eq!(link(&gauge, now + SECOND * 31), Link::Quick);
}

#[test]
fn each_time_that_it_was_taken_for_quick_in_error_it_is_slow_for_twice_as_long() {
    let (mut gauge, mut now) = (Gauge::new(None), Instant::now());
    for lasts in [30, 60, 120, 240, 480, 960, 960] {
        gauge.wrote(flow(&[(512, 5000)]), now);
        assert_eq!(link(&gauge, now + SECOND * (lasts - 1)), Link::Slow, "{lasts}");
        now += SECOND * (lasts + 1);
        assert_eq!(link(&gauge, now), Link::Quick, "{lasts}");
    }
    gauge.wrote(flow(&[(512, 5000)]), now + SECOND * 2000);
    assert_eq!(link(&gauge, now + SECOND * 2031), Link::Quick, "long ago");
}

#[test]
fn after_a_wait_the_newest_is_due_at_once_and_what_follows_when_it_has_arrived() {
    let (mut gauge, now) = (Gauge::new(None), Instant::now());
    assert_eq!(gauge.due(true), None);
    // 12,000 bytes were held, and are gone after ten seconds
    gauge.wrote(flow(&[(512, 0), (512, 10_000)]), now);
    assert!(gauge.due(false).unwrap() <= now);
    gauge.wrote(flow(&[(300, 0)]), now);
    let wait = gauge.due(true).unwrap() - now;
    assert!((Duration::from_millis(80)..Duration::from_millis(160)).contains(&wait), "{wait:?}");
    gauge.wrote(flow(&[(10_000, 0)]), now);
    assert_eq!(gauge.due(true).unwrap() - now, AT_MOST.0);
    assert_eq!(gauge.due(false).unwrap() - now, AT_MOST.1);
}

#[test]
fn what_the_person_says_counts_more_than_what_is_measured() {
    let now = Instant::now();
    let (mut never, mut always) = (Gauge::new(Some(false)), Gauge::new(Some(true)));
    never.wrote(flow(&[(512, 20_000)]), now);
    always.wrote(TICK, now);
    assert_eq!((link(&never, now), link(&always, now + SECOND * 10_000)), (Link::Quick, Link::Slow));
}

#[test]
fn a_frame_that_is_on_its_way_for_a_second_is_not_what_the_person_sees() {
    let gauge = Gauge::new(Some(true));
    assert_eq!(gauge.link(SECOND / 2, Instant::now()), Link::Slow);
    assert_eq!(gauge.link(SECOND, Instant::now()), Link::Stalled);
}
