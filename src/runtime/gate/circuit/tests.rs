use super::*;
use crate::model::ask::SeriesKey;
use crate::model::series::TimeGrid;
use crate::model::source::SourceId;
use jiff::Timestamp;

const ALERTS: CircuitKey = of(Topic::Alerts);
const RULES: CircuitKey = of(Topic::Rules);

const fn of(topic: Topic) -> CircuitKey {
    CircuitKey { topic, at: Moment::Now }
}

fn chart(query: &str) -> CircuitKey {
    let minute = TimeGrid::ending(Timestamp::UNIX_EPOCH, Duration::from_secs(60), 60, Duration::ZERO);
    of(Topic::Series(SeriesKey::over(query.into(), minute)))
}

fn error(failure: ErrorKind) -> SourceError {
    SourceError::new(SourceId::new("prom"), failure)
}

fn refused() -> SourceError {
    error(ErrorKind::Unreachable { reason: "refused".into() })
}

fn odd() -> SourceError {
    error(ErrorKind::Refused { status: 503, message: String::new() })
}

fn go(circuit: &mut Circuit, subject: &CircuitKey, now: Instant) -> CircuitPermit {
    match circuit.admit(subject, now) {
        Admission::Go(ticket) => ticket,
        other => panic!("{subject:?} at {now:?}: {other:?}"),
    }
}

fn fail(circuit: &mut Circuit, subject: &CircuitKey, error: &SourceError, now: Instant) -> Instant {
    let ticket = go(circuit, subject, now);
    circuit.settle(ticket, subject.clone(), Err(error), now, 1.0).unwrap()
}

#[test]
fn trouble_with_the_source_keeps_every_question_back_until_one_succeeds() {
    let (mut circuit, start) = (Circuit::default(), Instant::now());
    let until = fail(&mut circuit, &ALERTS, &refused(), start);
    assert_eq!(until, start + Duration::from_secs(1));
    assert!(matches!(circuit.admit(&RULES, start), Admission::Refused(_, at) if at == until));
    let probe = go(&mut circuit, &RULES, until);
    assert!(matches!(circuit.admit(&ALERTS, until), Admission::Wait), "one at a time");
    assert_eq!(circuit.settle(probe, RULES, Ok(()), until, 1.0), None);
    go(&mut circuit, &ALERTS, until);
    go(&mut circuit, &RULES, until);
}

#[test]
fn a_failed_probe_waits_longer_each_time() {
    let (mut circuit, mut now) = (Circuit::default(), Instant::now());
    for seconds in [1, 2, 4, 5, 5] {
        let until = fail(&mut circuit, &ALERTS, &refused(), now);
        assert_eq!(until, now + Duration::from_secs(seconds));
        now = until;
    }
}

#[test]
fn six_questions_that_fail_together_count_as_one_failure() {
    let (mut circuit, start) = (Circuit::default(), Instant::now());
    let subjects: Vec<CircuitKey> = (0..6).map(|n| chart(&format!("q{n}"))).collect();
    let tickets: Vec<CircuitPermit> =
        subjects.iter().map(|subject| go(&mut circuit, subject, start)).collect();
    for (ticket, subject) in tickets.into_iter().zip(subjects) {
        let until = circuit.settle(ticket, subject, Err(&refused()), start, 1.0).unwrap();
        assert_eq!(until, start + Duration::from_secs(1));
    }
}

#[test]
fn a_success_from_before_the_trouble_does_not_end_it() {
    let (mut circuit, start) = (Circuit::default(), Instant::now());
    let early = go(&mut circuit, &RULES, start);
    let until = fail(&mut circuit, &ALERTS, &error(ErrorKind::RateLimited { message: String::new() }), start);
    circuit.settle(early, RULES, Ok(()), start, 1.0);
    assert!(matches!(circuit.admit(&RULES, start), Admission::Refused(_, at) if at == until));
}

#[test]
fn trouble_with_one_question_keeps_only_that_one_back() {
    let (mut circuit, start) = (Circuit::default(), Instant::now());
    let until = fail(&mut circuit, &ALERTS, &odd(), start);
    assert!(matches!(circuit.admit(&ALERTS, start), Admission::Refused(..)));
    go(&mut circuit, &RULES, start);
    assert_eq!(fail(&mut circuit, &ALERTS, &odd(), until), until + Duration::from_secs(2));
}

#[test]
fn a_question_that_times_out_again_and_again_waits_longer_though_others_succeed() {
    let (mut circuit, start) = (Circuit::default(), Instant::now());
    let heavy = chart("heavy");
    let slow = error(ErrorKind::TimedOut { after: Duration::from_secs(10) });
    let until = fail(&mut circuit, &heavy, &slow, start);
    let probe = go(&mut circuit, &ALERTS, until);
    circuit.settle(probe, ALERTS, Ok(()), until, 1.0);
    assert_eq!(fail(&mut circuit, &heavy, &slow, until), until + Duration::from_secs(2));
}

#[test]
fn a_probe_that_is_given_up_lets_the_next_one_try() {
    let (mut circuit, start) = (Circuit::default(), Instant::now());
    let until = fail(&mut circuit, &ALERTS, &refused(), start);
    let probe = go(&mut circuit, &ALERTS, until);
    circuit.release(probe);
    go(&mut circuit, &RULES, until);
}

#[test]
fn a_refusal_by_the_source_shows_that_it_is_there_and_a_panic_of_ours_does_not() {
    let (mut circuit, start) = (Circuit::default(), Instant::now());
    let until = fail(&mut circuit, &ALERTS, &refused(), start);
    let until = fail(&mut circuit, &RULES, &error(ErrorKind::Internal { reason: "bug".into() }), until);
    let probe = go(&mut circuit, &ALERTS, until);
    assert!(matches!(circuit.admit(&of(Topic::Silences), until), Admission::Wait));
    circuit.settle(probe, ALERTS, Err(&odd()), until, 1.0);
    go(&mut circuit, &of(Topic::Silences), until);
}

#[test]
fn once_it_answers_its_heartbeat_again_everything_may_be_asked() {
    let (mut circuit, start) = (Circuit::default(), Instant::now());
    let probe = of(Topic::Probe);
    let mut now = start;
    for _ in 0..5 {
        now = fail(&mut circuit, &ALERTS, &odd(), now);
    }
    let until = fail(&mut circuit, &ALERTS, &odd(), now);
    let back = fail(&mut circuit, &probe, &odd(), now);
    let ticket = go(&mut circuit, &probe, back);
    assert!(matches!(circuit.admit(&ALERTS, back), Admission::Refused(_, at) if at == until));
    circuit.settle(ticket, probe.clone(), Ok(()), back, 1.0);
    go(&mut circuit, &ALERTS, back);
    fail(&mut circuit, &ALERTS, &odd(), back);
    let ticket = go(&mut circuit, &probe, back);
    circuit.settle(ticket, probe, Ok(()), back, 1.0);
    assert!(matches!(circuit.admit(&ALERTS, back), Admission::Refused(..)), "it was well all the time");
}

#[test]
fn a_moment_too_early_is_not_too_early() {
    let (mut circuit, start) = (Circuit::default(), Instant::now());
    let until = fail(&mut circuit, &ALERTS, &refused(), start);
    go(&mut circuit, &ALERTS, until - Duration::from_millis(20));
}

#[test]
fn what_is_remembered_of_failures_has_a_bound() {
    let (mut circuit, start) = (Circuit::default(), Instant::now());
    for n in 0..1000 {
        fail(&mut circuit, &chart(&format!("q{n}")), &odd(), start);
    }
    assert!(circuit.failing.len() <= MAX_FAILING);
}
