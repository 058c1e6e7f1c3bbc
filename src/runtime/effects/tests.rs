use std::sync::atomic::Ordering::SeqCst;

use super::*;
use crate::backend::Clock;
use crate::runtime::fixtures::{Answers, Fake, question};

fn performer(list: Vec<Arc<dyn Source>>, contexts: Option<Contexts>) -> (Performer, mpsc::Receiver<Report>) {
    Performer::new(&Sources::new(list, LimitSettings::default()), contexts, Executor::closed(Clock::real()))
}

fn entrance(name: &str) -> Entrance {
    let list: Vec<Arc<dyn Source>> = vec![Fake::new(name, Answers::After(Duration::ZERO))];
    Entrance {
        sources: Sources::new(list, LimitSettings::default()),
        guard: Guard::default(),
        production: true,
    }
}

fn arrived(event: Option<Event>) -> Box<Arrival> {
    match event {
        Some(Event::Answered(arrival)) => arrival,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_question_is_not_put_twice_at_once() {
    let fake = Fake::new("a", Answers::After(Duration::from_secs(1)));
    let (mut performer, mut reports) = performer(vec![fake.clone()], None);
    performer.fetch(question("a", "up"));
    performer.fetch(question("a", "up"));
    let report = reports.recv().await.unwrap();
    assert!(arrived(performer.take(report)).answered.is_ok());
    assert_eq!(fake.asked.load(SeqCst), 1);
    performer.fetch(question("a", "up"));
    reports.recv().await.unwrap();
    assert_eq!(fake.asked.load(SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn a_forgotten_question_is_given_up_and_can_be_put_again() {
    let fake = Fake::new("a", Answers::Never);
    let (mut performer, mut reports) = performer(vec![fake.clone()], None);
    performer.fetch(question("a", "up"));
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(fake.in_flight.load(SeqCst), 1);
    performer.forget(&question("a", "up"));
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(fake.in_flight.load(SeqCst), 0);
    assert!(reports.try_recv().is_err());
    fake.now(Answers::After(Duration::ZERO));
    performer.fetch(question("a", "up"));
    assert!(reports.recv().await.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_question_to_nobody_is_answered_too() {
    let (mut performer, mut reports) = performer(vec![], None);
    performer.fetch(question("gone", "up"));
    let report = reports.recv().await.unwrap();
    let error = arrived(performer.take(report)).answered.unwrap_err();
    assert!(matches!(error.trouble, Trouble::NotOffered { .. }), "{error}");
}

#[tokio::test]
async fn entering_a_context_replaces_the_sources_and_gives_up_what_was_asked() {
    let old = Fake::new("old", Answers::Never);
    let contexts: Contexts = Arc::new(|name| Ok(entrance(name)));
    let (mut performer, mut reports) = performer(vec![old.clone()], Some(contexts));
    performer.fetch(question("old", "up"));
    performer.enter("new".into());
    let report = reports.recv().await.unwrap();
    match performer.take(report) {
        Some(Event::Entered { context, sources, production, .. }) => {
            assert_eq!((&*context, production), ("new", true));
            assert_eq!(sources.first().unwrap().id, SourceId::new("new"));
        }
        other => panic!("{other:?}"),
    }
    performer.fetch(question("new", "up"));
    let report = reports.recv().await.unwrap();
    assert!(arrived(performer.take(report)).answered.is_ok());
    assert_eq!(old.in_flight.load(SeqCst), 0);
}

#[tokio::test]
async fn a_context_that_cannot_be_entered_is_told_and_the_old_one_stays() {
    for contexts in [
        Arc::new(|_: &str| Err("no token".into())) as Contexts,
        Arc::new(|name: &str| if name == "new" { panic!("a bug in a builder") } else { Ok(entrance(name)) })
            as Contexts,
    ] {
        let fake = Fake::new("old", Answers::After(Duration::ZERO));
        let (mut performer, mut reports) = performer(vec![fake], Some(contexts));
        performer.enter("new".into());
        let report = reports.recv().await.unwrap();
        match performer.take(report) {
            Some(Event::Told(message)) => {
                assert!(message.text.contains("new: cannot enter"), "{}", message.text);
                assert_eq!(message.tone, Tone::Trouble);
            }
            other => panic!("{other:?}"),
        }
        performer.fetch(question("old", "up"));
        let report = reports.recv().await.unwrap();
        assert!(arrived(performer.take(report)).answered.is_ok());
    }
}

#[tokio::test]
async fn of_two_contexts_asked_for_the_last_one_is_entered() {
    let contexts: Contexts = Arc::new(|name| Ok(entrance(name)));
    let (mut performer, mut reports) = performer(vec![], Some(contexts));
    performer.enter("first".into());
    performer.enter("second".into());
    let mut entered = Vec::new();
    while entered.is_empty() {
        let report = reports.recv().await.unwrap();
        if let Some(Event::Entered { context, .. }) = performer.take(report) {
            entered.push(context);
        }
    }
    assert_eq!(&*entered[0], "second");
    assert!(reports.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_full_channel_makes_the_tasks_wait_and_nothing_is_lost() {
    let fake = Fake::new("a", Answers::After(Duration::ZERO));
    let (mut performer, mut reports) = performer(vec![fake], None);
    for n in 0..500 {
        performer.fetch(question("a", &n.to_string()));
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    for _ in 0..500 {
        let report = reports.recv().await.unwrap();
        arrived(performer.take(report));
    }
    assert!(performer.running.is_empty());
}
