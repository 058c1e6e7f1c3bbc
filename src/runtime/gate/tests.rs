use std::sync::atomic::Ordering::SeqCst;

use super::*;
use crate::runtime::fixtures::{Answers, Fake, question};

fn gate(fake: &Arc<Fake>) -> Arc<SourceGate> {
    let source: Arc<dyn Source> = Arc::<Fake>::clone(fake);
    Arc::new(SourceGate::new(source, &LimitSettings::default(), Clock::fixed(jiff::Timestamp::UNIX_EPOCH)))
}

fn unreachable() -> Answers {
    Answers::With(ErrorKind::Unreachable { reason: "refused".into() })
}

fn failure(arrival: &Arrival) -> &ErrorKind {
    &arrival.answered.as_ref().unwrap_err().kind
}

#[tokio::test(start_paused = true)]
async fn no_more_than_the_cap_is_in_flight() {
    let fake = Fake::new("slow", Answers::After(Duration::from_secs(1)));
    let gate = gate(&fake);
    let start = Instant::now();
    let asks = (0..18).map(|n| {
        let gate = Arc::clone(&gate);
        tokio::spawn(async move { gate.ask(question("slow", &n.to_string())).await })
    });
    for ask in asks.collect::<Vec<_>>() {
        assert!(ask.await.unwrap().answered.is_ok());
    }
    assert_eq!(fake.most.load(SeqCst), 6);
    assert_eq!(start.elapsed().as_secs(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_hangs_is_named_within_fifteen_seconds() {
    let fake = Fake::new("dead", Answers::Never);
    let arrival = gate(&fake).ask(question("dead", "up")).await;
    assert_eq!(arrival.took, Duration::from_secs(15));
    assert_eq!(failure(&arrival), &ErrorKind::TimedOut { after: Duration::from_secs(15) });
    assert!(arrival.answered.unwrap_err().next_try.is_some());
}

#[tokio::test(start_paused = true)]
async fn what_queues_behind_a_source_that_hangs_does_not_wait_for_its_own_time_out() {
    let fake = Fake::new("dead", Answers::Never);
    let gate = gate(&fake);
    let start = Instant::now();
    let asks = (0..60).map(|n| {
        let gate = Arc::clone(&gate);
        tokio::spawn(async move { gate.ask(question("dead", &n.to_string())).await })
    });
    for ask in asks.collect::<Vec<_>>() {
        assert!(matches!(failure(&ask.await.unwrap()), ErrorKind::TimedOut { .. }));
    }
    assert_eq!((start.elapsed().as_secs(), fake.asked.load(SeqCst)), (15, 6));
}

#[tokio::test(start_paused = true)]
async fn a_question_before_its_time_is_answered_at_once_with_the_last_error() {
    let fake = Fake::new("down", unreachable());
    let gate = gate(&fake);
    let mut refused = 0;
    for n in 0..100 {
        let arrival = gate.ask(question("down", &n.to_string())).await;
        assert!(matches!(failure(&arrival), ErrorKind::Unreachable { .. }));
        refused += usize::from(fake.asked.load(SeqCst) <= n);
    }
    assert!(refused >= 90, "only the first and what the jitter lets through: {refused}");
}

#[tokio::test(start_paused = true)]
async fn after_trouble_one_question_tries_and_the_others_follow_when_it_succeeds() {
    let fake = Fake::new("back", unreachable());
    let gate = gate(&fake);
    gate.ask(question("back", "first")).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    fake.now(Answers::After(Duration::from_secs(1)));
    let asks = (0..4).map(|n| {
        let gate = Arc::clone(&gate);
        tokio::spawn(async move { gate.ask(question("back", &n.to_string())).await })
    });
    let asks: Vec<_> = asks.collect();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(fake.in_flight.load(SeqCst), 1, "one tries");
    for ask in asks {
        assert!(ask.await.unwrap().answered.is_ok());
    }
    assert_eq!(fake.most.load(SeqCst), 3, "then the others go together");
}

#[tokio::test(start_paused = true)]
async fn a_try_that_is_given_up_hands_over_to_the_next() {
    let fake = Fake::new("back", unreachable());
    let gate = gate(&fake);
    gate.ask(question("back", "first")).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    fake.now(Answers::Never);
    let first = Arc::clone(&gate);
    let first = tokio::spawn(async move { first.ask(question("back", "tries")).await });
    tokio::task::yield_now().await;
    fake.now(Answers::After(Duration::ZERO));
    let second = Arc::clone(&gate);
    let second = tokio::spawn(async move { second.ask(question("back", "waits")).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!second.is_finished());
    first.abort();
    assert!(second.await.unwrap().answered.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_source_is_an_answer_and_frees_its_place() {
    let fake = Fake::new("buggy", Answers::Panics);
    let gate = gate(&fake);
    for n in 0..20 {
        let arrival = gate.ask(question("buggy", &n.to_string())).await;
        assert_eq!(failure(&arrival), &ErrorKind::Internal { reason: "a bug in a source".into() });
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_server_asks_for_is_honoured() {
    let fake = Fake::new("busy", Answers::With(ErrorKind::RateLimited { message: String::new() }));
    let mut error = SourceError::new(
        crate::model::source::SourceId::new("busy"),
        ErrorKind::RateLimited { message: String::new() },
    );
    error.retry_after = Some(Duration::from_secs(40));
    let gate = gate(&fake);
    let ticket = match gate.circuit().admit(&CircuitKey::from(&question("busy", "up").ask), Instant::now()) {
        Admission::Go(ticket) => InFlightPermit { gate: &gate, ticket: Some(ticket) },
        other => panic!("{other:?}"),
    };
    ticket.settle(CircuitKey::from(&question("busy", "up").ask), &Err(error));
    tokio::time::sleep(Duration::from_secs(39)).await;
    gate.ask(question("busy", "other")).await;
    assert_eq!(fake.asked.load(SeqCst), 0);
    tokio::time::sleep(Duration::from_secs(2)).await;
    gate.ask(question("busy", "other")).await;
    assert_eq!(fake.asked.load(SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn whether_a_source_is_well_is_asked_anew_beside_everything_that_hangs() {
    let fake = Fake::new("back", Answers::Never);
    let gate = gate(&fake);
    let hanging: Vec<_> = (0..6)
        .map(|n| {
            let gate = Arc::clone(&gate);
            tokio::spawn(async move { gate.ask(question("back", &n.to_string())).await })
        })
        .collect();
    let probe = Question { ask: crate::model::ask::Query::Probe.now(), ..question("back", "up") };
    let well = async {
        sleep(Duration::from_secs(2)).await;
        fake.now(Answers::After(Duration::from_millis(100)));
    };
    let (arrival, ()) = tokio::join!(gate.ask(probe), well);
    assert!(arrival.answered.is_ok());
    assert_eq!(arrival.took, PROBE_RESEND_INTERVAL + Duration::from_millis(100));
    hanging.iter().for_each(tokio::task::JoinHandle::abort);
}
