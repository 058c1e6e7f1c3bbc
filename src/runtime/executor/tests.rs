mod doer;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::Ordering::SeqCst;

use doer::{Act, Look, ScriptedSource, doer};

use super::*;
use crate::app::event::Event;
use crate::backend::Source;
use crate::config::settings::LimitSettings;
use crate::model::action::{ActionTarget, Operation, OperationKind};
use crate::model::journal::ActionRecord;
use crate::model::source::SourceId;
use crate::runtime::context::{ContextHandle, ContextOpener, GatedSources};
use crate::runtime::effects::EffectRunner;
use crate::runtime::recovery::{OpenActions, messages, recover};

/// A context with one source and a journal in a temporary folder.
struct ExecutorFixture {
    folder: tempfile::TempDir,
    doer: Arc<ScriptedSource>,
    gate: Arc<SourceGate>,
    guard: Guard,
}

fn start() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn fixture(doer: &Arc<ScriptedSource>) -> ExecutorFixture {
    let source: Arc<dyn Source> = Arc::<ScriptedSource>::clone(doer);
    let gate = SourceGate::new(source, &LimitSettings::default(), Clock::fixed(start()));
    let (folder, guard) = (tempfile::tempdir().unwrap(), Guard::default());
    ExecutorFixture { folder, doer: Arc::clone(doer), gate: Arc::new(gate), guard }
}

impl ExecutorFixture {
    fn path(&self) -> PathBuf {
        self.folder.path().join("journal.jsonl")
    }

    fn journal(&self) -> Journal {
        Journal::new(Some(self.path()), "ana@bastion", start())
    }

    fn executor(&self, clock: Clock) -> Executor {
        Executor { context: "prod".into(), guard: self.guard.clone(), journal: Some(self.journal()), clock }
    }

    fn gates(&self) -> Gates {
        [(self.doer.info.id.clone(), Arc::clone(&self.gate))].into()
    }

    /// The progress of all actions in the order of the reports, and the results in the order of the actions.
    async fn perform(&self, count: usize) -> (Vec<(usize, ActionProgress)>, Vec<ActionResult>) {
        self.perform_at(self.executor(Clock::started_at(start())), plan(count)).await
    }

    async fn perform_at(
        &self,
        executor: Executor,
        plan: Plan,
    ) -> (Vec<(usize, ActionProgress)>, Vec<ActionResult>) {
        let (reports, mut inbox) = mpsc::channel(1000);
        let count = plan.actions.len();
        executor.pass(plan, self.gates(), reports).await;
        let (mut messages, mut endings) = (Vec::new(), vec![None; count]);
        while let Some(report) = inbox.recv().await {
            let TaskReport::Ready(Event::ActionProgressed { plan: 7, index, progress }) = report else {
                panic!("another report")
            };
            if let ActionProgress::Ended(how) = &progress {
                assert!(endings[index].replace(how.clone()).is_none(), "{index} ended twice");
            }
            messages.push((index, progress));
        }
        (messages, endings.into_iter().map(Option::unwrap).collect())
    }

    async fn one(&self) -> ActionResult {
        let (_, mut endings) = self.perform(1).await;
        endings.remove(0)
    }

    async fn records(&self) -> Vec<ActionRecord> {
        self.journal().read().await.unwrap().records
    }

    async fn recover(&self, seconds_later: i64) -> Vec<(ActionRecord, ReadBackResult)> {
        let later = start() + SignedDuration::from_secs(seconds_later);
        recover(&self.executor(Clock::fixed(later)), &self.gates(), OpenActions::Recent).await.unwrap()
    }
}

fn plan(count: usize) -> Plan {
    let action = |n: usize| Action {
        source: SourceId::new("pager"),
        target: ActionTarget { id: format!("Q{n}").into(), name: format!("#{n}").into(), seen: None },
        operation: Operation::Acknowledge,
    };
    Plan { id: 7, context: "prod".into(), actions: (0..count).map(action).collect() }
}

fn is_refused(ending: &ActionResult, words: &str) -> bool {
    matches!(ending, ActionResult::Refused { .. })
        && ending.words().is_some_and(|messages| messages.contains(words))
}

fn is_held(ending: &ActionResult, words: &str) -> bool {
    matches!(ending, ActionResult::Held { .. })
        && ending.words().is_some_and(|messages| messages.contains(words))
}

const DONE: Look = Look::Sees(Verification::Done { id: None });
const NOT_DONE: Look = Look::Sees(Verification::NotDone);

#[tokio::test(start_paused = true)]
async fn what_is_done_is_told_and_stands_in_the_journal_before_and_after() {
    let fixture = fixture(&doer([], []));
    let (messages, endings) = fixture.perform(1).await;
    let done = ActionResult::Done { id: Some("N1".into()) };
    assert_eq!(messages, [(0, ActionProgress::Sending), (0, ActionProgress::Ended(done.clone()))]);
    assert_eq!(endings[0], done);
    let text = std::fs::read_to_string(fixture.path()).unwrap();
    let steps: Vec<String> = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["step"]["step"].to_string())
        .collect();
    assert_eq!(steps, ["\"confirmed\"", "\"sending\"", "\"ended\""], "{text}");
    assert!(text.contains("ana@bastion") && text.contains("fake/Q0"), "{text}");
    let records = fixture.records().await;
    assert_eq!(records[0].ending, Some(done));
    assert!(!records[0].is_open());
}

#[tokio::test(start_paused = true)]
async fn what_the_guard_refuses_is_neither_sent_nor_written() {
    for (guard, words) in [
        (Guard::read_only("--read-only"), "--read-only"),
        (Guard { deny: [OperationKind::Acknowledge].into(), ..Guard::default() }, "denies `acknowledge`"),
        (Guard { max_bulk: 1, ..Guard::default() }, "max_bulk"),
        (Guard { dry_run: true, ..Guard::default() }, "PUT fake/Q"),
    ] {
        let fixture = ExecutorFixture { guard, ..fixture(&doer([], [])) };
        let (_, endings) = fixture.perform(2).await;
        assert!(endings.iter().all(|ending| is_held(ending, words)), "{endings:?}");
        assert_eq!(fixture.doer.acted.load(SeqCst), 0);
        assert!(!fixture.path().exists());
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_of_another_context_is_not_done_here() {
    let fixture = fixture(&doer([], []));
    let executor = Executor { context: "staging".into(), ..fixture.executor(Clock::fixed(start())) };
    let (_, endings) = fixture.perform_at(executor, plan(1)).await;
    assert!(is_held(&endings[0], "confirmed in prod"), "{endings:?}");
    assert_eq!(fixture.doer.acted.load(SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_without_a_journal() {
    let fixture = fixture(&doer([], []));
    let path = fixture.path();
    std::fs::create_dir(&path).unwrap();
    let ending = fixture.one().await;
    assert!(is_held(&ending, "nothing is sent without a journal"), "{ending:?}");
    let executor = Executor { journal: None, ..fixture.executor(Clock::fixed(start())) };
    let (_, endings) = fixture.perform_at(executor, plan(1)).await;
    assert!(is_held(&endings[0], "nothing is sent without a journal"), "{endings:?}");
    assert_eq!(fixture.doer.acted.load(SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn an_ending_that_cannot_be_written_is_told() {
    let fixture = fixture(&doer([Act::DoesAfter(Duration::from_secs(5))], []));
    let (reports, mut inbox) = mpsc::channel(10);
    let acting =
        tokio::spawn(fixture.executor(Clock::fixed(start())).pass(plan(1), fixture.gates(), reports));
    sleep(Duration::from_secs(1)).await;
    let path = fixture.path();
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    acting.await.unwrap();
    let mut messages = Vec::new();
    while let Some(report) = inbox.recv().await {
        messages.push(match report {
            TaskReport::Ready(Event::MessageReceived(message)) => message.text,
            TaskReport::Ready(Event::ActionProgressed { progress, .. }) => format!("{progress:?}"),
            _ => panic!("another report"),
        });
    }
    assert!(messages[1].contains("#0: done, but the result could not be written"), "{messages:?}");
    assert!(messages[2].contains("Done"), "{messages:?}");
}

#[tokio::test(start_paused = true)]
async fn what_a_source_finds_or_refuses_is_told_in_its_words() {
    let fixture = fixture(&doer(
        [
            Act::Finds(ActionResult::Already { words: "acknowledged by Ana".into() }),
            Act::Finds(ActionResult::Conflict { words: "resolved by Kofi".into() }),
            Act::Refuses(ErrorKind::Refused { status: 400, message: "no such user".into() }, None),
            Act::Refuses(ErrorKind::Forbidden { message: String::new() }, None),
        ],
        [],
    ));
    assert_eq!(fixture.one().await, ActionResult::Already { words: "acknowledged by Ana".into() });
    assert_eq!(fixture.one().await, ActionResult::Conflict { words: "resolved by Kofi".into() });
    assert_eq!(fixture.one().await, ActionResult::Refused { words: "pager: 400: no such user".into() });
    let ending = fixture.one().await;
    assert!(is_refused(&ending, "right to change"), "{ending:?}");
}

#[tokio::test(start_paused = true)]
async fn asked_too_often_it_waits_as_told_and_tries_again() {
    let limited = |seconds| {
        Act::Refuses(ErrorKind::RateLimited { message: String::new() }, Some(Duration::from_secs(seconds)))
    };
    let fixture = fixture(&doer([limited(30), limited(20)], []));
    let begun = Instant::now();
    let (messages, endings) = fixture.perform(1).await;
    assert!(endings[0].is_done());
    assert_eq!(fixture.doer.acted.load(SeqCst), 3);
    assert!((50..53).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    let ActionProgress::Waiting { until } = messages[1].1 else { panic!("{messages:?}") };
    assert!((29..32).contains(&until.duration_since(start()).as_secs()), "{until}");
    let records = fixture.records().await;
    assert!(records[0].sent_at.unwrap() > start() + SignedDuration::from_secs(49));
}

#[tokio::test(start_paused = true)]
async fn it_does_not_wait_for_ever() {
    let limited = |wait: Option<u64>| {
        Act::Refuses(ErrorKind::RateLimited { message: String::new() }, wait.map(Duration::from_secs))
    };
    let house_of_one = fixture(&doer([limited(Some(600))], []));
    let begun = Instant::now();
    assert!(is_refused(&house_of_one.one().await, "wait too long"));
    assert!(begun.elapsed() < Duration::from_secs(1));
    let always = fixture(&doer((0..50).map(|_| limited(None)), []));
    let begun = Instant::now();
    assert!(is_refused(&always.one().await, "429"));
    assert!(begun.elapsed() <= MAX_RETRY_WAIT);
    assert_eq!(always.doer.acted.load(SeqCst), 6);
}

#[tokio::test(start_paused = true)]
async fn what_one_is_told_to_wait_all_wait() {
    let limited =
        || Act::Refuses(ErrorKind::RateLimited { message: String::new() }, Some(Duration::from_secs(10)));
    let fixture = fixture(&doer([limited(), limited(), limited(), limited()], []));
    let (_, endings) = fixture.perform(20).await;
    assert!(endings.iter().all(ActionResult::is_done));
    assert_eq!(fixture.doer.acted.load(SeqCst), 24);
}

#[tokio::test(start_paused = true)]
async fn what_is_unclear_is_read_back_and_never_sent_again() {
    for act in [Act::IsUnclear, Act::Hangs, Act::Panics] {
        let fixture = fixture(&doer([act], [NOT_DONE, Look::Fails, DONE]));
        let (messages, endings) = fixture.perform(1).await;
        assert_eq!(endings, [ActionResult::Done { id: None }]);
        assert_eq!(messages[1].1, ActionProgress::ReadingBack);
        assert_eq!((fixture.doer.acted.load(SeqCst), fixture.doer.looked.load(SeqCst)), (1, 3));
        assert!(fixture.records().await[0].read_back);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_seen_after_an_unclear_answer_is_unknown_for_it_may_still_come() {
    for act in [Act::IsUnclear, Act::Hangs, Act::Panics] {
        let fixture = fixture(&doer([act], [NOT_DONE, NOT_DONE, NOT_DONE, DONE]));
        let ending = fixture.one().await;
        assert!(matches!(ending, ActionResult::Unknown { .. }), "{ending:?}");
        let words = ending.words().unwrap();
        assert!(words.contains("not found within 13s") && words.contains("may still happen"), "{words}");
        assert_eq!(fixture.doer.acted.load(SeqCst), 1);
        assert!(fixture.records().await[0].is_open());
        let found = fixture.recover(60).await;
        assert_eq!(found[0].1, ReadBackResult::Is(ActionResult::Done { id: None }));
        assert!(!fixture.records().await[0].is_open());
    }
}

#[tokio::test(start_paused = true)]
async fn what_comes_later_is_told_while_the_screen_is_open_and_sent_only_once() {
    let fixture = fixture(&doer([Act::IsUnclear], [NOT_DONE, NOT_DONE, NOT_DONE, NOT_DONE, DONE]));
    let sources = GatedSources::new(vec![fixture.doer.clone()], LimitSettings::default());
    let (effect_runner, mut inbox) =
        EffectRunner::new(&sources, None, fixture.executor(Clock::started_at(start())));
    effect_runner.act(plan(1));
    let mut endings = Vec::new();
    while endings.len() < 2 {
        let report = inbox.recv().await.unwrap();
        if let TaskReport::Ready(Event::ActionProgressed { progress: ActionProgress::Ended(how), .. }) =
            report
        {
            endings.push(how.word());
        }
    }
    assert_eq!(endings, ["unknown", "done"]);
    assert_eq!((fixture.doer.acted.load(SeqCst), fixture.doer.looked.load(SeqCst)), (1, 5));
    assert!(!fixture.records().await[0].is_open());
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_back_is_unknown_and_stays_open() {
    let unavailable = Look::Sees(Verification::Unknown { words: "updates cannot be listed".into() });
    for (looks, words, looked) in [
        (vec![Look::Fails, Look::Panics, Look::Fails], "cannot connect", 3),
        (vec![NOT_DONE, NOT_DONE, Look::Fails], "cannot connect", 3),
        (vec![unavailable], "updates cannot be listed", 1),
    ] {
        let fixture = fixture(&doer([Act::IsUnclear], looks));
        let ending = fixture.one().await;
        assert!(matches!(ending, ActionResult::Unknown { .. }), "{ending:?}");
        assert!(ending.words().unwrap().contains(words), "{ending:?}");
        assert_eq!((fixture.doer.acted.load(SeqCst), fixture.doer.looked.load(SeqCst)), (1, looked));
        assert!(fixture.records().await[0].is_open());
    }
}

#[tokio::test(start_paused = true)]
async fn many_go_four_abreast_and_each_has_its_own_ending() {
    let slow = (0..60).map(|n| match n % 20 {
        5 => Act::Refuses(ErrorKind::Forbidden { message: String::new() }, None),
        _ => Act::DoesAfter(Duration::from_secs(1)),
    });
    let mut fixture = fixture(&doer(slow, []));
    fixture.guard.max_bulk = 60;
    let (messages, endings) = fixture.perform(60).await;
    assert_eq!(fixture.doer.most.load(SeqCst), 4);
    assert_eq!(endings.iter().filter(|ending| ending.is_done()).count(), 57);
    let sent = messages.iter().filter(|(_, progress)| *progress == ActionProgress::Sending);
    assert_eq!(sent.count(), 60);
    // actions start in the order of the plan
    let mut under_way: BTreeSet<usize> = (0..60).collect();
    for (index, progress) in &messages {
        if matches!(progress, ActionProgress::Ended(_)) {
            under_way.remove(index);
        } else {
            assert!(under_way.range(..index).count() < MAX_CONCURRENT, "{index} begins before {under_way:?}");
        }
    }
    assert_eq!(fixture.records().await.len(), 60);
}

#[tokio::test(start_paused = true)]
async fn what_a_run_left_open_the_next_one_reads_back_once() {
    for (look, wait, words) in [
        (DONE, 3600, "it is done"),
        (NOT_DONE, 3600, "but it may still happen"),
        (Look::Sees(Verification::Unknown { words: "no list".into() }), 3600, "no list"),
    ] {
        let fixture = fixture(&doer([Act::Hangs], [look]));
        let executor = fixture.executor(Clock::fixed(start()));
        let (reports, _inbox) = mpsc::channel(10);
        let acting = tokio::spawn(executor.pass(plan(1), fixture.gates(), reports));
        sleep(Duration::from_secs(1)).await;
        assert!(fixture.recover(10).await.is_empty(), "it is another's, who is at it");
        acting.abort();
        assert!(acting.await.unwrap_err().is_cancelled());
        let found = fixture.recover(wait).await;
        let messages = messages(&found);
        assert!(messages[0].text.contains(words) && messages[0].text.contains("#0"), "{messages:?}");
        assert_eq!((fixture.doer.acted.load(SeqCst), fixture.doer.looked.load(SeqCst)), (1, 1));
        assert!(fixture.recover(100_000).await.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_that_cannot_be_asked_leaves_it_open_for_the_next_time() {
    let fixture = fixture(&doer([Act::Hangs], [Look::Fails, DONE]));
    let (reports, _inbox) = mpsc::channel(10);
    let acting =
        tokio::spawn(fixture.executor(Clock::fixed(start())).pass(plan(1), fixture.gates(), reports));
    sleep(Duration::from_secs(1)).await;
    acting.abort();
    acting.await.unwrap_err();
    let found = fixture.recover(3600).await;
    assert!(matches!(found[0].1, ReadBackResult::Failed(_)), "{found:?}");
    let found = fixture.recover(7200).await;
    assert_eq!(found[0].1, ReadBackResult::Is(ActionResult::Done { id: None }));
    assert!(fixture.recover(7300).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_went_to_another_server_is_not_looked_for_at_this_one() {
    let there = fixture(&doer([Act::IsUnclear], [Look::Fails, Look::Fails, Look::Fails]));
    there.perform(1).await;
    let path = there.path();
    let text = std::fs::read_to_string(&path).unwrap().replace("fake/Q0", "other/Q0");
    std::fs::write(&path, text).unwrap();
    *there.doer.looks.lock().unwrap() = [NOT_DONE].into();
    assert!(there.recover(3600).await.is_empty());
    assert!(there.records().await[0].is_open());
}

#[tokio::test(start_paused = true)]
async fn what_has_begun_goes_on_while_another_context_is_entered() {
    let fixture = fixture(&doer([Act::DoesAfter(Duration::from_secs(8))], []));
    let other: ContextOpener = Arc::new(|_| {
        let sources = GatedSources::new(vec![], LimitSettings::default());
        Ok(ContextHandle { sources, guard: Guard::default(), production: false })
    });
    let sources = GatedSources::new(vec![fixture.doer.clone()], LimitSettings::default());
    let (mut effect_runner, mut inbox) =
        EffectRunner::new(&sources, Some(other), fixture.executor(Clock::started_at(start())));
    effect_runner.act(plan(1));
    sleep(Duration::from_secs(1)).await;
    effect_runner.enter("staging".into());
    let mut messages = Vec::new();
    while messages.len() < 3 {
        let report = inbox.recv().await.unwrap();
        messages.push(match effect_runner.take(report).unwrap() {
            Event::ActionProgressed { progress, .. } => format!("{progress:?}"),
            Event::Entered { context, .. } => context.to_string(),
            other => panic!("{other:?}"),
        });
    }
    assert_eq!(messages[..2], ["Sending", "staging"]);
    assert!(messages[2].contains("Done"), "{messages:?}");
    effect_runner.act(plan(1));
    let report = inbox.recv().await.unwrap();
    match effect_runner.take(report).unwrap() {
        Event::ActionProgressed { progress: ActionProgress::Ended(how), .. } => {
            assert!(is_held(&how, "confirmed in prod"));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(fixture.doer.acted.load(SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn many_that_were_left_open_are_one_message() {
    let fixture = fixture(&doer((0..5).map(|_| Act::IsUnclear), (0..50).map(|_| Look::Fails)));
    fixture.perform(5).await;
    *fixture.doer.looks.lock().unwrap() = [DONE, DONE, NOT_DONE, Look::Fails, Look::Fails].into();
    let messages = messages(&fixture.recover(3600).await);
    assert_eq!(messages.len(), 1);
    assert!(messages[0].text.contains("2 done, 3 unknown"), "{messages:?}");
}
