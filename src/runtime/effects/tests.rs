use std::sync::atomic::Ordering::SeqCst;

use super::*;
use crate::backend::{Clock, Source};
use crate::config::settings::LimitSettings;
use crate::model::guard::Guard;
use crate::model::source::SourceId;
use crate::runtime::fixtures::{Answers, Fake, question};

fn effect_runner(
    list: Vec<Arc<dyn Source>>,
    contexts: Option<ContextOpener>,
) -> (EffectRunner, mpsc::Receiver<TaskReport>) {
    EffectRunner::new(
        &GatedSources::new(list, LimitSettings::default()),
        contexts,
        Executor::closed(Clock::real()),
    )
}

fn opened(name: &str) -> ContextHandle {
    let list: Vec<Arc<dyn Source>> = vec![Fake::new(name, Answers::After(Duration::ZERO))];
    ContextHandle {
        sources: GatedSources::new(list, LimitSettings::default()),
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
    let (mut effect_runner, mut reports) = effect_runner(vec![fake.clone()], None);
    effect_runner.fetch(question("a", "up"));
    effect_runner.fetch(question("a", "up"));
    let report = reports.recv().await.unwrap();
    assert!(arrived(effect_runner.take(report)).answered.is_ok());
    assert_eq!(fake.asked.load(SeqCst), 1);
    effect_runner.fetch(question("a", "up"));
    reports.recv().await.unwrap();
    assert_eq!(fake.asked.load(SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn a_forgotten_question_is_given_up_and_can_be_put_again() {
    let fake = Fake::new("a", Answers::Never);
    let (mut effect_runner, mut reports) = effect_runner(vec![fake.clone()], None);
    effect_runner.fetch(question("a", "up"));
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(fake.in_flight.load(SeqCst), 1);
    effect_runner.forget(&question("a", "up"));
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(fake.in_flight.load(SeqCst), 0);
    assert!(reports.try_recv().is_err());
    fake.now(Answers::After(Duration::ZERO));
    effect_runner.fetch(question("a", "up"));
    assert!(reports.recv().await.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_question_to_nobody_is_answered_too() {
    let (mut effect_runner, mut reports) = effect_runner(vec![], None);
    effect_runner.fetch(question("gone", "up"));
    let report = reports.recv().await.unwrap();
    let error = arrived(effect_runner.take(report)).answered.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::NotOffered { .. }), "{error}");
}

#[tokio::test]
async fn entering_a_context_replaces_the_sources_and_gives_up_what_was_asked() {
    let old = Fake::new("old", Answers::Never);
    let contexts: ContextOpener = Arc::new(|name| Ok(opened(name)));
    let (mut effect_runner, mut reports) = effect_runner(vec![old.clone()], Some(contexts));
    effect_runner.fetch(question("old", "up"));
    effect_runner.enter("new".into());
    let report = reports.recv().await.unwrap();
    match effect_runner.take(report) {
        Some(Event::Entered { context, sources, production, .. }) => {
            assert_eq!((&*context, production), ("new", true));
            assert_eq!(sources.first().unwrap().id, SourceId::new("new"));
        }
        other => panic!("{other:?}"),
    }
    effect_runner.fetch(question("new", "up"));
    let report = reports.recv().await.unwrap();
    assert!(arrived(effect_runner.take(report)).answered.is_ok());
    assert_eq!(old.in_flight.load(SeqCst), 0);
}

#[tokio::test]
async fn a_context_that_cannot_be_entered_is_told_and_the_old_one_stays() {
    for contexts in [
        Arc::new(|_: &str| Err("no token".into())) as ContextOpener,
        Arc::new(|name: &str| if name == "new" { panic!("a bug in a builder") } else { Ok(opened(name)) })
            as ContextOpener,
    ] {
        let fake = Fake::new("old", Answers::After(Duration::ZERO));
        let (mut effect_runner, mut reports) = effect_runner(vec![fake], Some(contexts));
        effect_runner.enter("new".into());
        let report = reports.recv().await.unwrap();
        match effect_runner.take(report) {
            Some(Event::MessageReceived(message)) => {
                assert!(message.text.contains("new: cannot enter"), "{}", message.text);
                assert_eq!(message.tone, Tone::Trouble);
            }
            other => panic!("{other:?}"),
        }
        effect_runner.fetch(question("old", "up"));
        let report = reports.recv().await.unwrap();
        assert!(arrived(effect_runner.take(report)).answered.is_ok());
    }
}

#[tokio::test]
async fn of_two_contexts_asked_for_the_last_one_is_entered() {
    let contexts: ContextOpener = Arc::new(|name| Ok(opened(name)));
    let (mut effect_runner, mut reports) = effect_runner(vec![], Some(contexts));
    effect_runner.enter("first".into());
    effect_runner.enter("second".into());
    let mut entered = Vec::new();
    while entered.is_empty() {
        let report = reports.recv().await.unwrap();
        if let Some(Event::Entered { context, .. }) = effect_runner.take(report) {
            entered.push(context);
        }
    }
    assert_eq!(&*entered[0], "second");
    assert!(reports.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_full_channel_makes_the_tasks_wait_and_nothing_is_lost() {
    let fake = Fake::new("a", Answers::After(Duration::ZERO));
    let (mut effect_runner, mut reports) = effect_runner(vec![fake], None);
    for n in 0..500 {
        effect_runner.fetch(question("a", &n.to_string()));
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    for _ in 0..500 {
        let report = reports.recv().await.unwrap();
        arrived(effect_runner.take(report));
    }
    assert!(effect_runner.running.is_empty());
}
