use super::*;

const SECOND: Duration = Duration::from_secs(1);
const TICK: FrameWrite = FrameWrite { bytes: 64, waits: 0, waited: Duration::ZERO, after: 0 };

fn flow(pieces: &[(usize, u64)]) -> FrameWrite {
    let mut flow = FrameWrite::default();
    for (bytes, milliseconds) in pieces {
        flow.add(*bytes, Duration::from_millis(*milliseconds));
    }
    flow
}

fn link(backpressure_state: &Backpressure, now: Instant) -> TerminalLink {
    backpressure_state.link(Duration::ZERO, now)
}

#[test]
fn a_line_that_keeps_writes_waiting_is_slow_until_it_has_not_for_half_a_minute() {
    let (mut backpressure_state, start) = (Backpressure::new(None), Instant::now());
    for second in 0..10 {
        backpressure_state.add_frame(flow(&[(512, 1), (512, 40)]), start + SECOND * second);
    }
    let mut now = start + SECOND * 10;
    assert_eq!(link(&backpressure_state, now), TerminalLink::Quick);
    backpressure_state.add_frame(flow(&[(512, 0), (512, 400)]), now);
    assert_eq!(link(&backpressure_state, now), TerminalLink::Quick, "a moment is nothing");
    now += SECOND / 2;
    backpressure_state.add_frame(flow(&[(100, 400)]), now);
    assert_eq!(link(&backpressure_state, now), TerminalLink::Slow);
    backpressure_state.add_frame(TICK, now + SECOND * 20);
    assert_eq!(link(&backpressure_state, now + SECOND * 29), TerminalLink::Slow);
    assert_eq!(link(&backpressure_state, now + SECOND * 31), TerminalLink::Quick);
}

#[test]
fn each_time_that_it_was_taken_for_quick_in_error_it_is_slow_for_twice_as_long() {
    let (mut backpressure_state, mut now) = (Backpressure::new(None), Instant::now());
    for lasts in [30, 60, 120, 240, 480, 960, 960] {
        backpressure_state.add_frame(flow(&[(512, 5000)]), now);
        assert_eq!(link(&backpressure_state, now + SECOND * (lasts - 1)), TerminalLink::Slow, "{lasts}");
        now += SECOND * (lasts + 1);
        assert_eq!(link(&backpressure_state, now), TerminalLink::Quick, "{lasts}");
    }
    backpressure_state.add_frame(flow(&[(512, 5000)]), now + SECOND * 2000);
    assert_eq!(link(&backpressure_state, now + SECOND * 2031), TerminalLink::Quick, "long ago");
}

#[test]
fn after_a_wait_the_newest_is_due_at_once_and_what_follows_when_it_has_arrived() {
    let (mut backpressure_state, now) = (Backpressure::new(None), Instant::now());
    assert_eq!(backpressure_state.due(true), None);
    // 12,000 bytes of the buffer were sent within ten seconds
    backpressure_state.add_frame(flow(&[(512, 0), (512, 10_000)]), now);
    assert!(backpressure_state.due(false).unwrap() <= now);
    backpressure_state.add_frame(flow(&[(300, 0)]), now);
    let wait = backpressure_state.due(true).unwrap() - now;
    assert!((Duration::from_millis(80)..Duration::from_millis(160)).contains(&wait), "{wait:?}");
    backpressure_state.add_frame(flow(&[(10_000, 0)]), now);
    assert_eq!(backpressure_state.due(true).unwrap() - now, MAX_FRAME_WAIT.0);
    assert_eq!(backpressure_state.due(false).unwrap() - now, MAX_FRAME_WAIT.1);
}

#[test]
fn what_the_person_says_counts_more_than_what_is_measured() {
    let now = Instant::now();
    let (mut never, mut always) = (Backpressure::new(Some(false)), Backpressure::new(Some(true)));
    never.add_frame(flow(&[(512, 20_000)]), now);
    always.add_frame(TICK, now);
    assert_eq!(
        (link(&never, now), link(&always, now + SECOND * 10_000)),
        (TerminalLink::Quick, TerminalLink::Slow)
    );
}

#[test]
fn a_frame_that_is_on_its_way_for_a_second_is_not_what_the_person_sees() {
    let backpressure_state = Backpressure::new(Some(true));
    assert_eq!(backpressure_state.link(SECOND / 2, Instant::now()), TerminalLink::Slow);
    assert_eq!(backpressure_state.link(SECOND, Instant::now()), TerminalLink::Stalled);
}
