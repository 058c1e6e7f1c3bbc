use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use tokio::time::sleep;

use super::*;
use crate::app::event::MouseAction;
use crate::app::event::Wait;
use crate::app::key::Key;
use crate::backend::Source;
use crate::config::settings::LimitSettings;
use crate::model::source::ErrorKind;
use crate::runtime::capability::CAPABLE;
use crate::runtime::context::{ContextHandle, ContextOpener, GatedSources};
use crate::runtime::executor::Executor;
use crate::runtime::fixtures::{Answers, Fake, FakeApp, question};
use crate::runtime::screen::screen;

#[derive(Default)]
struct FakeTerminal {
    stopped: usize,
    taken_over: usize,
    released: usize,
    refuses: bool,
}

impl Terminal for FakeTerminal {
    fn stop(&mut self) -> io::Result<()> {
        self.stopped += 1;
        if self.stopped > 1 { Err(io::ErrorKind::NotFound.into()) } else { Ok(()) }
    }

    fn release(&mut self) {
        self.released += 1;
    }

    fn take_over(&mut self) -> io::Result<()> {
        self.taken_over += 1;
        if self.refuses { Err(io::ErrorKind::PermissionDenied.into()) } else { Ok(()) }
    }

    fn size(&self) -> (u16, u16) {
        (40, 2)
    }
}

/// The parts of an event loop, and the other ends of its channels.
struct LoopFixture {
    app: FakeApp,
    terminal: FakeTerminal,
    keys: mpsc::Sender<Event>,
    signal_actions: mpsc::Sender<SignalAction>,
    frames: Arc<Mutex<Vec<(Instant, String)>>>,
    stalled: Arc<AtomicUsize>,
    input: mpsc::Receiver<Event>,
    order_box: mpsc::Receiver<SignalAction>,
    sources: GatedSources,
    contexts: Option<ContextOpener>,
}

fn loop_fixture(app: FakeApp, fakes: &[Arc<Fake>]) -> LoopFixture {
    let list = fakes.iter().map(|fake| Arc::<Fake>::clone(fake) as Arc<dyn Source>).collect();
    let (keys, input) = mpsc::channel(256);
    let (signal_actions, order_box) = mpsc::channel(4);
    LoopFixture {
        app,
        terminal: FakeTerminal::default(),
        keys,
        signal_actions,
        frames: Arc::default(),
        stalled: Arc::default(),
        input,
        order_box,
        sources: GatedSources::new(list, LimitSettings::default()),
        contexts: None,
    }
}

impl LoopFixture {
    /// Runs the loop and `script` concurrently. Returns the application, the terminal and the result when the loop has ended.
    async fn run_with(
        self,
        script: impl AsyncFnOnce(mpsc::Sender<Event>, mpsc::Sender<SignalAction>),
    ) -> (FakeApp, FakeTerminal, Result<(), RuntimeError>) {
        let Self {
            mut app,
            mut terminal,
            keys,
            signal_actions,
            frames,
            stalled,
            input,
            order_box,
            sources,
            contexts,
        } = self;
        let clock = Clock::fixed(jiff::Timestamp::UNIX_EPOCH);
        let (effect_runner, reports) = EffectRunner::new(&sources, contexts, Executor::closed(clock));
        let (screen, writer) = screen(CAPABLE);
        tokio::spawn(writer.pretend(async move |frame: &ratatui::buffer::Buffer| {
            let text: String = frame.content().iter().map(ratatui::buffer::Cell::symbol).collect();
            frames.lock().unwrap().push((Instant::now(), text.trim_end().to_owned()));
            while stalled.load(SeqCst) > 0 {
                sleep(Duration::from_millis(10)).await;
            }
        }));
        let event_loop = EventLoop {
            app: &mut app,
            clock,
            terminal: &mut terminal,
            input,
            signal_actions: order_box,
            effect_runner,
            reports,
            screen,
            backpressure_state: Backpressure::new(None),
            is_paging: false,
        };
        let (ended, ()) = tokio::join!(event_loop.run(), script(keys, signal_actions.clone()));
        drop(signal_actions);
        (app, terminal, ended)
    }
}

fn key(c: char) -> Event {
    Event::Key(Key::char(c))
}

async fn seconds(seconds: u64) {
    sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn the_first_frame_waits_for_no_source() {
    let fake = Fake::new("a", Answers::Never);
    let loop_fixture = loop_fixture(FakeApp::asking("a"), std::slice::from_ref(&fake));
    let frames = Arc::clone(&loop_fixture.frames);
    loop_fixture
        .run_with(async |keys, _orders| {
            sleep(Duration::from_millis(10)).await;
            keys.send(key('q')).await.unwrap();
        })
        .await
        .2
        .unwrap();
    assert_eq!(frames.lock().unwrap().first().unwrap().1, "toy 0 keys 0 ticks");
    assert_eq!(fake.asked.load(SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_due_is_known_before_the_terminal_is_taken_over() {
    let mut loop_fixture = loop_fixture(FakeApp::default(), &[]);
    loop_fixture.terminal.refuses = true;
    let frames = Arc::clone(&loop_fixture.frames);
    let (app, _, ended) = loop_fixture.run_with(async |_keys, _orders| {}).await;
    assert!(matches!(ended, Err(RuntimeError::Terminal(_))), "{ended:?}");
    assert_eq!((app.size, app.ticks), ((40, 2), 0));
    assert!(frames.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_question_was_read_when_it_stood_on_the_terminal_for_300_ms() {
    for (stall, quit_after, read) in [(0, 250, 0), (0, 350, 1), (5000, 350, 0)] {
        let app = FakeApp { waits: Some(Wait { plan: 1, early_keys: 0 }), ..FakeApp::default() };
        let loop_fixture = loop_fixture(app, &[]);
        loop_fixture.stalled.store(stall, SeqCst);
        let (app, ..) = loop_fixture
            .run_with(async |keys, _orders| {
                sleep(Duration::from_millis(quit_after)).await;
                keys.send(key('q')).await.unwrap();
            })
            .await;
        assert_eq!(app.read, read, "stalled: {stall}, after {quit_after} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn keys_work_while_every_source_hangs() {
    let fakes: Vec<_> = ["a", "b", "c"].map(|name| Fake::new(name, Answers::Never)).into();
    let app = FakeApp {
        ask: ["a", "b", "c"]
            .iter()
            .flat_map(|name| (0..10).map(|n| question(name, &n.to_string())))
            .collect(),
        ..FakeApp::default()
    };
    let start = Instant::now();
    let (app, ..) = loop_fixture(app, &fakes)
        .run_with(async |keys, _orders| {
            sleep(Duration::from_millis(1500)).await;
            keys.send(key('j')).await.unwrap();
            keys.send(key('q')).await.unwrap();
        })
        .await;
    assert_eq!(app.keys.len(), 2);
    assert!(start.elapsed() < Duration::from_millis(1520), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_source_that_hangs_is_told_within_fifteen_seconds() {
    let loop_fixture = loop_fixture(FakeApp::asking("dead"), &[Fake::new("dead", Answers::Never)]);
    let (app, ..) = loop_fixture
        .run_with(async |keys, _orders| {
            sleep(Duration::from_millis(15_050)).await;
            keys.send(key('q')).await.unwrap();
        })
        .await;
    assert!(matches!(app.failed.first().unwrap().kind, ErrorKind::TimedOut { .. }));
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_answers_costs_few_frames_and_a_key_in_it_is_drawn_at_once() {
    let fake = Fake::new("a", Answers::After(Duration::from_millis(1)));
    let app =
        FakeApp { ask: (0..2000).map(|n| question("a", &n.to_string())).collect(), ..FakeApp::default() };
    let loop_fixture = loop_fixture(app, &[fake]);
    let frames = Arc::clone(&loop_fixture.frames);
    let (app, ..) = loop_fixture
        .run_with(async |keys, _orders| {
            for _ in 0..5 {
                sleep(Duration::from_millis(377)).await;
                let before = Instant::now();
                keys.send(key('j')).await.unwrap();
                sleep(Duration::from_millis(5)).await;
                let last = frames.lock().unwrap().last().unwrap().0;
                assert!(last >= before, "the key was not drawn within 5 ms");
            }
            seconds(1).await;
            keys.send(key('q')).await.unwrap();
        })
        .await;
    assert!(app.good > 2000, "{}", app.good);
    let frames = frames.lock().unwrap();
    assert!(frames.len() <= 45, "{} frames in 3 seconds", frames.len());
}

#[tokio::test(start_paused = true)]
async fn an_idle_screen_is_drawn_once_a_second() {
    let loop_fixture = loop_fixture(FakeApp::default(), &[]);
    let frames = Arc::clone(&loop_fixture.frames);
    let (app, ..) = loop_fixture
        .run_with(async |keys, _orders| {
            sleep(Duration::from_millis(10_500)).await;
            keys.send(key('q')).await.unwrap();
        })
        .await;
    assert_eq!(app.ticks, 11);
    assert!(frames.lock().unwrap().len() <= 12);
}

#[tokio::test(start_paused = true)]
async fn a_terminal_that_takes_no_output_stops_the_frames_and_nothing_else() {
    let fake = Fake::new("a", Answers::After(Duration::from_millis(1)));
    let loop_fixture = loop_fixture(FakeApp::asking("a"), &[fake]);
    let (frames, stalled) = (Arc::clone(&loop_fixture.frames), Arc::clone(&loop_fixture.stalled));
    let (app, ..) = loop_fixture
        .run_with(async |keys, _orders| {
            stalled.store(1, SeqCst);
            seconds(60).await;
            assert!(frames.lock().unwrap().len() <= 2);
            stalled.store(0, SeqCst);
            sleep(Duration::from_millis(200)).await;
            assert!(frames.lock().unwrap().last().unwrap().1.contains('6'), "the newest state is drawn");
            keys.send(key('q')).await.unwrap();
        })
        .await;
    assert!(app.good >= 60, "polling goes on: {}", app.good);
    assert!(app.rendered.load(SeqCst) <= 5);
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_reaches_update_and_a_forgotten_one_does_not() {
    let fake = Fake::new("dead", Answers::After(Duration::from_secs(9)));
    let app = loop_fixture(FakeApp::asking("dead"), std::slice::from_ref(&fake))
        .run_with(async |keys, _orders| {
            sleep(Duration::from_millis(9500)).await;
            keys.send(key('f')).await.unwrap();
            sleep(Duration::from_millis(100)).await;
            keys.send(key('q')).await.unwrap();
        })
        .await
        .0;
    assert_eq!((app.good, fake.in_flight.load(SeqCst)), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_task_is_shown_and_the_loop_goes_on() {
    let (app, ..) = loop_fixture(FakeApp::asking("buggy"), &[Fake::new("buggy", Answers::Panics)])
        .run_with(async |keys, _orders| {
            seconds(3).await;
            keys.send(key('q')).await.unwrap();
        })
        .await;
    assert!(matches!(app.failed.first().unwrap().kind, ErrorKind::Internal { .. }));
    assert!(app.ticks >= 3);
}

#[tokio::test(start_paused = true)]
async fn leaving_gives_up_whatever_is_in_flight() {
    let fake = Fake::new("dead", Answers::Never);
    let loop_fixture = loop_fixture(FakeApp::asking("dead"), std::slice::from_ref(&fake));
    loop_fixture
        .run_with(async |_keys, signal_actions| {
            seconds(1).await;
            assert_eq!(fake.in_flight.load(SeqCst), 1);
            signal_actions.send(SignalAction::Leave("SIGTERM")).await.unwrap();
        })
        .await
        .2
        .unwrap();
    tokio::task::yield_now().await;
    assert_eq!(fake.in_flight.load(SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_input_ends_the_loop() {
    let script = async |keys: mpsc::Sender<Event>, signal_actions: mpsc::Sender<SignalAction>| {
        drop(keys);
        seconds(1).await;
        assert!(signal_actions.is_closed(), "it has ended");
    };
    let (_, _, ended) = loop_fixture(FakeApp::default(), &[]).run_with(script).await;
    let lost =
        matches!(&ended, Err(RuntimeError::Lost(error)) if error.kind() == io::ErrorKind::UnexpectedEof);
    assert!(lost, "{ended:?}");
}

#[tokio::test(start_paused = true)]
async fn a_stop_and_a_continue_take_the_terminal_over_and_draw_anew() {
    let loop_fixture = loop_fixture(FakeApp::default(), &[]);
    let frames = Arc::clone(&loop_fixture.frames);
    let (app, terminal, _) = loop_fixture
        .run_with(async |keys, signal_actions| {
            keys.send(key('z')).await.unwrap();
            sleep(Duration::from_millis(300)).await;
            let before = frames.lock().unwrap().len();
            sleep(Duration::from_secs(3)).await;
            assert_eq!(frames.lock().unwrap().len(), before, "the shell has the terminal");
            signal_actions.send(SignalAction::Resume).await.unwrap();
            sleep(Duration::from_millis(300)).await;
            assert!(frames.lock().unwrap().len() > before);
            signal_actions.send(SignalAction::Stop).await.unwrap();
            sleep(Duration::from_millis(300)).await;
            keys.send(key('q')).await.unwrap();
        })
        .await;
    assert_eq!((terminal.stopped, terminal.taken_over, app.size), (2, 3, (40, 2)));
    assert_eq!(app.messages, ["burnwatch cannot be suspended here (entity not found)"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_too_long_for_the_clipboard_is_told() {
    let (app, ..) = loop_fixture(FakeApp::default(), &[])
        .run_with(async |keys, _orders| {
            for c in ['c', 'C', 'l', 'q'] {
                keys.send(key(c)).await.unwrap();
            }
        })
        .await;
    assert_eq!(app.messages, ["not copied: 200 kB are more than the 100 kB that terminals accept"]);
}

#[tokio::test(start_paused = true)]
async fn a_click_outside_of_the_screen_is_none() {
    let (app, ..) = loop_fixture(FakeApp::default(), &[])
        .run_with(async |keys, _orders| {
            for (column, row) in [(39, 1), (40, 1), (0, 2), (u16::MAX, 0)] {
                keys.send(Event::Mouse { action: MouseAction::Click, column, row }).await.unwrap();
            }
            keys.send(key('q')).await.unwrap();
        })
        .await;
    assert_eq!(app.clicks, [(39, 1)]);
}

#[tokio::test]
async fn another_context_is_entered_without_holding_the_loop() {
    let mut loop_fixture = loop_fixture(FakeApp::default(), &[]);
    loop_fixture.contexts = Some(Arc::new(|_| {
        std::thread::park_timeout(Duration::from_millis(100));
        let list: Vec<Arc<dyn Source>> = vec![Fake::new("new", Answers::Never)];
        let sources = GatedSources::new(list, LimitSettings::default());
        Ok(ContextHandle {
            sources,
            guard: crate::model::guard::Guard::read_only("a test"),
            production: false,
        })
    }));
    let (app, ..) = loop_fixture
        .run_with(async |keys, _orders| {
            keys.send(key('e')).await.unwrap();
            sleep(Duration::from_millis(20)).await;
            keys.send(key('j')).await.unwrap();
            sleep(Duration::from_millis(400)).await;
            keys.send(key('q')).await.unwrap();
        })
        .await;
    assert_eq!(app.entered.len(), 1);
    assert_eq!(app.keys.len(), 3);
}
