use super::*;
use crate::model::ask::{Answer, Moment, Query, Reply};
use crate::model::remote::Remote;

const FIVE: Duration = Duration::from_secs(5);

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn want(ask: Ask) -> Want {
    Want { source: SourceId::new("prom"), ask, known: None, interval: FIVE }
}

fn asked(effects: &[Effect]) -> Vec<Question> {
    effects.iter().filter_map(|e| if let Effect::Fetch(q) = e { Some(q.clone()) } else { None }).collect()
}

fn arrival(question: Question, answered: Result<Reply, SourceError>, took: Duration) -> Arrival {
    Arrival { question, answered, took }
}

fn good(bytes_in: u64) -> Reply {
    Reply { bytes_in, requests: 1, ..Reply::free(Answer::Unchanged) }
}

fn refused(next_try: i64) -> SourceError {
    let mut error =
        SourceError::new(SourceId::new("prom"), ErrorKind::Unreachable { reason: "refused".into() });
    error.next_try = Some(at(next_try));
    error
}

#[test]
fn a_thing_is_asked_once_until_it_is_answered_and_due_again() {
    let mut scheduler = Scheduler::default();
    let first = asked(&scheduler.due(vec![want(Query::Alerts.now())], 0, at(0)));
    assert_eq!(first.len(), 1);
    assert!(scheduler.due(vec![want(Query::Alerts.now())], 0, at(3)).is_empty());
    assert!(scheduler.arrived(&arrival(first[0].clone(), Ok(good(10)), Duration::ZERO), at(3)).is_some());
    assert!(scheduler.due(vec![want(Query::Alerts.now())], 0, at(4)).is_empty());
    assert_eq!(scheduler.due(vec![want(Query::Alerts.now())], 0, at(9)).len(), 1);
}

#[test]
fn costly_answers_are_asked_for_less_often() {
    let second = Duration::from_secs(1);
    assert_eq!(interval_after_cost(FIVE, Duration::from_millis(100), 1000), FIVE);
    assert_eq!(interval_after_cost(FIVE, second / 2, 1000), Duration::from_secs(10));
    assert_eq!(interval_after_cost(FIVE, Duration::ZERO, 28 * 1024 * 1024), Duration::from_secs(30));
    assert_eq!(interval_after_cost(FIVE, 100 * second, u64::MAX), MAX_INTERVAL);
}

#[test]
fn a_source_in_trouble_gets_one_cheap_question_when_its_time_has_come() {
    let mut scheduler = Scheduler::default();
    let wants = || vec![want(Query::Probe.now()), want(Query::Alerts.now())];
    let questions = asked(&scheduler.due(wants(), 0, at(0)));
    for question in questions {
        assert!(scheduler.arrived(&arrival(question, Err(refused(20)), Duration::ZERO), at(1)).is_some());
    }
    assert!(scheduler.due(wants(), 0, at(19)).is_empty());
    assert_eq!(scheduler.next_try(&SourceId::new("prom"), |_| true, at(0)), Some(at(20)));
    let probe = asked(&scheduler.due(wants(), 0, at(20)));
    assert_eq!(probe.iter().map(|q| q.ask.clone()).collect::<Vec<_>>(), [Query::Probe.now()]);
    assert!(scheduler.arrived(&arrival(probe[0].clone(), Ok(good(1)), Duration::ZERO), at(21)).is_some());
    assert_eq!(asked(&scheduler.due(wants(), 0, at(21)))[0].ask, Query::Alerts.now());
}

#[test]
fn a_silent_source_is_in_doubt_before_its_time_out() {
    let mut scheduler = Scheduler::default();
    let prom = SourceId::new("prom");
    let mut remote = Remote::default();
    let question = asked(&scheduler.due(vec![want(Query::Alerts.now())], 0, at(0))).remove(0);
    scheduler.arrived(&arrival(question, Ok(good(1)), Duration::ZERO), at(1));
    remote.arrived((), None, at(1));
    scheduler.due(vec![want(Query::Alerts.now())], 0, at(5));
    let topic = Topic::Alerts;
    assert_eq!(scheduler.freshness(&prom, &topic, &remote, at(10)), Freshness::Fresh);
    assert_eq!(
        scheduler.freshness(&prom, &topic, &remote, at(14)),
        Freshness::Stale(Duration::from_secs(13))
    );
}

#[test]
fn a_slow_but_steady_source_does_not_look_stale_while_it_is_asked_again() {
    let mut scheduler = Scheduler::default();
    let prom = SourceId::new("prom");
    let mut remote = Remote::default();
    let question = asked(&scheduler.due(vec![want(Query::Alerts.now())], 0, at(0))).remove(0);
    scheduler.arrived(&arrival(question, Ok(good(28 * 1024 * 1024)), Duration::ZERO), at(1));
    remote.arrived((), None, at(1));
    assert_eq!(scheduler.due(vec![want(Query::Alerts.now())], 0, at(30)).len(), 1);
    let topic = Topic::Alerts;
    assert_eq!(scheduler.freshness(&prom, &topic, &remote, at(32)), Freshness::Fresh);
}

#[test]
fn one_heavy_question_that_times_out_does_not_put_its_source_on_hold() {
    let mut scheduler = Scheduler::default();
    let question = asked(&scheduler.due(vec![want(Query::Rules.now())], 0, at(0))).remove(0);
    let error = SourceError::new(SourceId::new("prom"), ErrorKind::TimedOut { after: FIVE });
    scheduler.arrived(&arrival(question, Err(error), FIVE), at(5));
    assert_eq!(scheduler.due(vec![want(Query::Alerts.now())], 0, at(6)).len(), 1);
}

#[test]
fn leaving_a_screen_gives_its_questions_up_and_late_answers_are_ignored() {
    let mut scheduler = Scheduler::default();
    let span =
        crate::model::series::TimeGrid::ending(at(1000), Duration::from_secs(60), 10, Duration::from_secs(1));
    let time_range = crate::model::ask::QueryRange { window: span, tail: span };
    let detail = Query::Detail { service: "cart".into(), time_range }.now();
    let question = asked(&scheduler.due(vec![want(detail)], 0, at(0))).remove(0);
    assert_eq!(scheduler.due(vec![], 0, at(1)), [Effect::CancelFetch(question.clone())]);
    assert!(scheduler.arrived(&arrival(question, Ok(good(1)), Duration::ZERO), at(2)).is_none());
}

fn first(scheduler: &mut Scheduler, ask: Ask, now: i64) -> Question {
    asked(&scheduler.due(vec![want(ask)], 0, at(now))).remove(0)
}

#[test]
fn a_clock_that_was_set_back_does_not_stop_the_asking() {
    let mut scheduler = Scheduler::default();
    let question = first(&mut scheduler, Query::Alerts.now(), 1_000_000);
    scheduler.arrived(&arrival(question, Ok(good(1)), Duration::ZERO), at(1_000_000));
    assert!(scheduler.due(vec![want(Query::Alerts.now())], 0, at(1_000_001)).is_empty());
    assert_eq!(scheduler.due(vec![want(Query::Alerts.now())], 0, at(900_000)).len(), 1);
    assert_eq!(scheduler.unanswered(&SourceId::new("prom"), &[Topic::Alerts], at(900_001)), None);
}

#[test]
fn no_source_can_make_us_wait_longer_than_ten_minutes() {
    let mut scheduler = Scheduler::default();
    let question = first(&mut scheduler, Query::Probe.now(), 0);
    scheduler.arrived(&arrival(question, Err(refused(1_000_000)), Duration::ZERO), at(0));
    assert_eq!(scheduler.next_try(&SourceId::new("prom"), |_| true, at(0)), Some(at(600)));
}

#[test]
fn a_heartbeat_is_never_asked_less_often_and_its_turn_makes_everything_due() {
    let mut scheduler = Scheduler::default();
    let odd = || {
        let mut error = SourceError::new(SourceId::new("prom"), ErrorKind::Garbled { reason: "HTML".into() });
        error.next_try = Some(at(7));
        error
    };
    let heavy = first(&mut scheduler, Query::Alerts.now(), 0);
    scheduler.arrived(&arrival(heavy, Ok(good(40_000_000)), Duration::ZERO), at(0));
    let probe = first(&mut scheduler, Query::Probe.now(), 0);
    scheduler.arrived(&arrival(probe, Ok(good(1)), 4 * FIVE), at(0));
    assert!(scheduler.due(vec![want(Query::Alerts.now())], 0, at(5)).is_empty());
    let probe = first(&mut scheduler, Query::Probe.now(), 5);
    scheduler.arrived(&arrival(probe, Err(odd()), Duration::ZERO), at(5));
    let alerts = first(&mut scheduler, Query::Alerts.now(), 5);
    let mut late = odd();
    late.next_try = Some(at(15));
    scheduler.arrived(&arrival(alerts, Err(late), Duration::ZERO), at(6));
    let probe = first(&mut scheduler, Query::Probe.now(), 7);
    scheduler.arrived(&arrival(probe, Err(odd()), Duration::ZERO), at(7));
    assert!(scheduler.due(vec![want(Query::Alerts.now())], 0, at(7)).is_empty(), "nothing turned");
    let probe = first(&mut scheduler, Query::Probe.now(), 8);
    scheduler.arrived(&arrival(probe, Ok(good(1)), Duration::ZERO), at(8));
    first(&mut scheduler, Query::Alerts.now(), 8);
}

#[test]
fn a_question_of_one_screen_that_hangs_puts_no_other_in_doubt() {
    let mut scheduler = Scheduler::default();
    let prom = SourceId::new("prom");
    first(&mut scheduler, Query::Services.now(), 0);
    let services = [Topic::Services];
    assert!(scheduler.unanswered(&prom, &services, at(9)).is_some());
    assert_eq!(scheduler.unanswered(&prom, &[Topic::Rules], at(9)), None);
    first(&mut scheduler, Query::Probe.now(), 1);
    assert!(scheduler.unanswered(&prom, &[Topic::Rules], at(10)).is_some());
}

#[test]
fn an_answer_that_comes_twice_or_after_a_newer_one_is_not_taken() {
    let mut scheduler = Scheduler::default();
    let at_moment = |moment| Query::Services.at(Moment::At(at(moment)));
    let old = first(&mut scheduler, at_moment(1), 0);
    scheduler.query_now(|topic| *topic == Topic::Services, at(1));
    let new = first(&mut scheduler, at_moment(2), 1);
    assert_eq!(
        scheduler.arrived(&arrival(new.clone(), Ok(good(1)), Duration::ZERO), at(2)),
        Some(Vec::new())
    );
    for late in [old, new] {
        assert_eq!(scheduler.arrived(&arrival(late, Ok(good(1)), FIVE), at(3)), None);
    }
    assert_eq!(scheduler.traffic(&SourceId::new("prom")).requests, 1, "what is not taken is not counted");
}

#[test]
fn another_moment_is_asked_about_at_once_and_the_question_about_the_one_before_given_up() {
    let mut scheduler = Scheduler::default();
    let services = |moment| vec![want(Query::Services.at(moment))];
    let now = first(&mut scheduler, Query::Services.now(), 0);
    scheduler.arrived(&arrival(now, Ok(good(1)), Duration::ZERO), at(0));
    let past = asked(&scheduler.due(services(Moment::At(at(-60))), 0, at(1)));
    assert_eq!(past.iter().map(|question| question.ask.at).collect::<Vec<_>>(), [Moment::At(at(-60))]);
    let effects = scheduler.due(services(Moment::At(at(-90))), 0, at(1));
    assert_eq!(effects.first(), Some(&Effect::CancelFetch(past[0].clone())));
    assert_eq!(asked(&effects).len(), 1);
    assert!(scheduler.due(services(Moment::At(at(-90))), 0, at(2)).is_empty());
}

#[test]
fn what_was_asked_while_a_source_was_down_is_given_up_and_asked_again_once_it_is_back() {
    let mut scheduler = Scheduler::default();
    let probe = first(&mut scheduler, Query::Probe.now(), 0);
    let mut slow = refused(2);
    slow.kind = ErrorKind::Garbled { reason: "HTML".into() };
    let hangs = first(&mut scheduler, Query::Alerts.now(), 1);
    assert_eq!(scheduler.arrived(&arrival(probe, Err(slow), Duration::ZERO), at(2)), Some(Vec::new()));
    let probe = first(&mut scheduler, Query::Probe.now(), 3);
    let younger = first(&mut scheduler, Query::Rules.now(), 4);
    let cancelled_queries = scheduler.arrived(&arrival(probe, Ok(good(1)), Duration::ZERO), at(5));
    assert_eq!(cancelled_queries, Some(vec![Effect::CancelFetch(hangs)]));
    let again = asked(&scheduler.due(vec![want(Query::Alerts.now()), want(Query::Rules.now())], 0, at(5)));
    assert_eq!(again.iter().map(|question| question.ask.kind()).collect::<Vec<_>>(), [AskKind::Alerts]);
    assert!(scheduler.arrived(&arrival(younger, Ok(good(1)), Duration::ZERO), at(6)).is_some());
}

#[test]
fn a_long_way_to_a_source_does_not_make_it_asked_less_often() {
    let mut scheduler = Scheduler::default();
    let second = Duration::from_secs(1);
    let probe = first(&mut scheduler, Query::Probe.now(), 0);
    scheduler.arrived(&arrival(probe, Ok(good(1)), second), at(1));
    let alerts = first(&mut scheduler, Query::Alerts.now(), 0);
    scheduler.arrived(&arrival(alerts, Ok(good(1)), second), at(1));
    first(&mut scheduler, Query::Alerts.now(), 5);
}

#[test]
fn what_is_asked_often_is_named_in_time_and_what_costs_much_is_waited_for() {
    let seconds = Duration::from_secs;
    for (base, interval, expected) in
        [(5, 5, 8), (6, 6, 8), (10, 10, 4), (10, 40, 8), (11, 11, 8), (60, 60, 8), (0, 0, 8)]
    {
        assert_eq!(answer_timeout(seconds(base), seconds(interval)), seconds(expected), "every {base} s");
    }
}

#[test]
fn the_next_try_is_that_of_the_question_that_is_meant() {
    let mut scheduler = Scheduler::default();
    let prom = SourceId::new("prom");
    let wants = || vec![want(Query::Alerts.now()), want(Query::Rules.now())];
    let asked = asked(&scheduler.due(wants(), 0, at(0)));
    let mut error = refused(200);
    error.kind = ErrorKind::Refused { status: 500, message: String::new() };
    scheduler.arrived(&arrival(asked[1].clone(), Err(error), Duration::ZERO), at(1));
    let next = |kind: AskKind| scheduler.next_try(&prom, |topic| topic.kind() == kind, at(3));
    assert_eq!(next(AskKind::Rules), Some(at(200)));
    assert_eq!(next(AskKind::Alerts), Some(at(3)), "it is on its way");
}
