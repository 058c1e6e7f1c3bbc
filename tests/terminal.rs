//! The screen in a real pseudo-terminal: however it ends, the terminal is restored soon.
//!
//! The program under test is this test binary itself, started again with `CHILD` set.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]
#![expect(clippy::disallowed_methods, reason = "a test of time as the person has it")]

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use burnwatch::testing::app::display_settings::{Charset, ChartSymbols, Colours};
use burnwatch::testing::app::event::{Effect, Event};
use burnwatch::testing::backend::Clock;
use burnwatch::testing::config::settings::LimitSettings;
use burnwatch::testing::model::guard::Guard;
use burnwatch::testing::runtime::notice::Notices;
use burnwatch::testing::runtime::{App, Capability, Executor, GatedSources, Program, run};
use jiff::Timestamp;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, SlavePty, native_pty_system};
use ratatui::buffer::Buffer;
use ratatui::style::{Modifier, Style};

const CHILD: &str = "BURNWATCH_TEST_CHILD";

/// A small application that shows its events.
#[derive(Default)]
struct FakeApp {
    version: u64,
    keys: String,
    size: (u16, u16),
    busy: bool,
}

impl App for FakeApp {
    fn update(&mut self, event: Event, _: Timestamp) -> Vec<Effect> {
        self.version += 1;
        match event {
            Event::Key(key) => {
                self.keys = format!("{} {key}", self.keys);
                match key.typed() {
                    Some('q') => return vec![Effect::Quit],
                    Some('z') => return vec![Effect::Suspend],
                    Some('l') => return vec![Effect::Redraw],
                    Some('b') => self.busy = true,
                    Some('!') => panic!("asked to panic"),
                    _ => {}
                }
            }
            Event::Resized { width, height } => self.size = (width, height),
            Event::Pasted(text) => self.keys = format!("pasted {text}"),
            Event::Mouse { column, row, .. } => self.keys = format!("mouse {column},{row}"),
            Event::Tick
            | Event::Link(_)
            | Event::Answered(_)
            | Event::Entered { .. }
            | Event::ActionProgressed { .. }
            | Event::JournalRead(_)
            | Event::QueriesRead(_)
            | Event::Woken { .. }
            | Event::Read(_)
            | Event::MessageReceived(_) => {}
        }
        vec![]
    }

    fn render(&self, _: Timestamp, buf: &mut Buffer) {
        if self.busy {
            for (n, cell) in (self.version..).zip(&mut buf.content) {
                cell.set_char(if n % 3 == 0 { 'a' } else { 'b' });
                cell.modifier = if n % 2 == 0 { Modifier::BOLD } else { Modifier::empty() };
            }
        }
        buf.set_string(0, 0, format!("toy {:?}", self.size), Style::default());
        buf.set_string(0, 1, format!("keys{}", self.keys), Style::default());
    }

    fn version(&self) -> u64 {
        self.version
    }
}

#[test]
#[ignore = "what the other tests start"]
fn child() {
    let Ok(log) = std::env::var(CHILD) else { return };
    let capability = Capability {
        colours: Colours::True,
        charset: Charset::Unicode,
        chart_symbols: ChartSymbols::Braille,
        utf8: true,
        synchronized_output: true,
        notices: Notices::None,
        tmux: false,
    };
    std::fs::write(PathBuf::from(&log).with_file_name("pid"), std::process::id().to_string()).unwrap();
    let program = Program {
        app: FakeApp::default(),
        sources: GatedSources::new(vec![], LimitSettings::default()),
        executor: Executor {
            context: "toy".into(),
            guard: Guard::default(),
            journal: None,
            clock: Clock::real(),
        },
        contexts: None,
        capability,
        mouse: true,
        low_bandwidth: None,
        queries: None,
        log: Some(PathBuf::from(&log)),
    };
    run(program).unwrap();
    std::fs::write(PathBuf::from(log).with_file_name("ended"), "").unwrap();
}

/// The command line that starts the child.
fn child_command() -> Vec<String> {
    let exe = std::env::current_exe().unwrap().to_str().unwrap().to_owned();
    [&exe, "child", "--exact", "--ignored", "--nocapture", "--test-threads=1"].map(str::to_owned).into()
}

/// A terminal with a child in it.
struct Stage {
    master: Option<Box<dyn MasterPty + Send>>,
    slave: Option<Box<dyn SlavePty + Send>>,
    keyboard: Option<Box<dyn Write + Send>>,
    child: Box<dyn Child + Send + Sync>,
    seen: Arc<Mutex<vt100::Parser>>,
    deaf: Arc<AtomicBool>,
    before: String,
    folder: tempfile::TempDir,
}

fn modes(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios())
}

impl Stage {
    fn start(command: impl FnOnce(&Path) -> Vec<String>) -> Self {
        Self::start_reading(command, true)
    }

    fn start_reading(command: impl FnOnce(&Path) -> Vec<String>, reads: bool) -> Self {
        let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let before = modes(&*pair.master);
        let folder = tempfile::tempdir().unwrap();
        let mut builder =
            CommandBuilder::from_argv(command(folder.path()).into_iter().map(Into::into).collect());
        builder.env(CHILD, folder.path().join("log"));
        builder.env("TERM", "xterm-256color");
        builder.env("PS1", "READY> ");
        builder.env("ENV", "");
        builder.env("RUST_BACKTRACE", "0");
        let child = pair.slave.spawn_command(builder).unwrap();
        let seen = Arc::new(Mutex::new(vt100::Parser::new(24, 80, 0)));
        let deaf = Arc::new(AtomicBool::new(false));
        if reads {
            let (mut reader, seen) = (pair.master.try_clone_reader().unwrap(), Arc::clone(&seen));
            let deaf = Arc::clone(&deaf);
            thread::spawn(move || {
                let mut bytes = [0; 8192];
                while let Ok(count @ 1..) = reader.read(&mut bytes) {
                    seen.lock().unwrap().process(&bytes[..count]);
                    if deaf.load(Ordering::SeqCst) {
                        return;
                    }
                }
            });
        }
        let keyboard = Some(pair.master.take_writer().unwrap());
        Self {
            master: Some(pair.master),
            slave: Some(pair.slave),
            keyboard,
            child,
            seen,
            deaf,
            before,
            folder,
        }
    }

    fn screen(&self) -> String {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).screen().contents()
    }

    fn wait_for(&self, text: &str) {
        let shown = within(10, || self.screen().contains(text));
        assert!(shown, "{text:?} did not come, but:\n{}", self.screen());
    }

    fn press(&mut self, keys: &str) {
        let keyboard = self.keyboard.as_mut().unwrap();
        keyboard.write_all(keys.as_bytes()).unwrap();
        keyboard.flush().unwrap();
    }

    fn signal(&self, name: &str) {
        // not the id of the started process, which may be a shell
        let pid = std::fs::read_to_string(self.folder.path().join("pid")).unwrap();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn ends_within(&mut self, milliseconds: u64) {
        let start = Instant::now();
        let ended = within(10, || self.child.try_wait().unwrap().is_some());
        assert!(ended, "it has not ended, but:\n{}", self.screen());
        let took = start.elapsed();
        assert!(took < Duration::from_millis(milliseconds), "it took {took:?}");
    }

    fn assert_restored(&self) {
        let restored = within(2, || !self.seen.lock().unwrap().screen().alternate_screen());
        assert!(restored, "still on the alternate screen");
        let seen = self.seen.lock().unwrap();
        let screen = seen.screen();
        assert!(!screen.hide_cursor() && !screen.bracketed_paste());
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
        assert_eq!(modes(&**self.master.as_ref().unwrap()), self.before);
    }

    /// Closes the terminal, like a closed window.
    fn hang_up(&mut self) {
        // the reading thread has its own handle, and closes it after the next frame
        self.deaf.store(true, Ordering::SeqCst);
        self.press("x");
        assert!(within(2, || Arc::strong_count(&self.deaf) == 1));
        self.keyboard = None;
        self.slave = None;
        self.master = None;
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn within(seconds: u64, mut holds: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + Duration::from_secs(seconds);
    while !holds() {
        if Instant::now() > end {
            return false;
        }
        thread::sleep(Duration::from_millis(5));
    }
    true
}

#[test]
fn it_starts_moves_resizes_and_leaves_the_terminal_as_it_was() {
    let mut stage = Stage::start(|_| child_command());
    stage.wait_for("toy (80, 24)");
    assert!(stage.seen.lock().unwrap().screen().alternate_screen());
    assert_ne!(modes(&**stage.master.as_ref().unwrap()), stage.before, "raw mode");
    stage.press("j\x1b[B\x1b[Z\0\x7f");
    stage.wait_for("keys j down shift-tab ctrl-space backspace");
    stage.press("\x1b[200~two\nlines\x1b[201~");
    stage.wait_for("pasted two lines");
    stage.press("\x1b[<0;5;3M");
    stage.wait_for("mouse 4,2");
    let size = PtySize { rows: 20, cols: 60, pixel_width: 0, pixel_height: 0 };
    stage.master.as_ref().unwrap().resize(size).unwrap();
    stage.seen.lock().unwrap().screen_mut().set_size(20, 60);
    stage.wait_for("toy (60, 20)");
    stage.press("q");
    stage.ends_within(1000);
    stage.assert_restored();
}

#[test]
fn a_signal_restores_the_terminal() {
    for name in ["TERM", "INT", "HUP", "QUIT"] {
        let mut stage = Stage::start(|_| child_command());
        stage.wait_for("toy (80, 24)");
        stage.signal(name);
        stage.ends_within(1000);
        stage.assert_restored();
    }
}

#[test]
fn a_panic_restores_the_terminal_and_leaves_a_report() {
    let mut stage = Stage::start(|_| child_command());
    stage.wait_for("toy (80, 24)");
    stage.press("!");
    stage.ends_within(2000);
    stage.assert_restored();
    stage.wait_for("burnwatch crashed (a bug). The report is in");
    assert!(stage.log().contains("asked to panic"), "{}", stage.log());
}

#[test]
fn a_terminal_that_is_gone_ends_it_within_a_second() {
    let mut stage = Stage::start(|_| child_command());
    stage.wait_for("toy (80, 24)");
    stage.hang_up();
    stage.ends_within(1000);
}

#[test]
fn a_terminal_that_is_gone_ends_it_even_if_no_signal_says_so() {
    let script = |folder: &Path| {
        let mut command: Vec<String> = ["sh", "-c"].map(str::to_owned).into();
        let done = folder.join("done");
        command.push(format!("trap '' HUP; setsid -w \"$@\"; : > '{}'", done.display()));
        command.push("sh".to_owned());
        command.extend(child_command());
        command
    };
    let mut stage = Stage::start(script);
    stage.wait_for("toy (80, 24)");
    stage.hang_up();
    let start = Instant::now();
    let done = stage.folder.path().join("done");
    assert!(within(5, || done.exists()), "it goes on without a terminal");
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}

#[test]
fn a_terminal_that_takes_no_output_cannot_keep_it() {
    let mut stage = Stage::start_reading(|_| child_command(), false);
    thread::sleep(Duration::from_millis(500));
    stage.press("b");
    let size = PtySize { rows: 300, cols: 500, pixel_width: 0, pixel_height: 0 };
    stage.master.as_ref().unwrap().resize(size).unwrap();
    thread::sleep(Duration::from_millis(1500));
    stage.signal("TERM");
    // the child is a test, which fails to print its result to the closed terminal
    let ended = stage.folder.path().join("ended");
    let start = Instant::now();
    assert!(within(5, || ended.exists()), "it waits for the terminal");
    assert!(start.elapsed() < Duration::from_millis(1200), "{:?}", start.elapsed());
    assert_eq!(modes(&**stage.master.as_ref().unwrap()), stage.before);
}

/// A shell with the child in it.
fn in_a_shell() -> Stage {
    let mut stage = Stage::start(|_| ["sh", "-i"].map(str::to_owned).into());
    stage.wait_for("READY>");
    let line = child_command().iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
    stage.press(&format!("clear; {line}\r"));
    stage.wait_for("toy (80, 24)");
    stage
}

/// Quits the child and then the shell.
fn leave(mut stage: Stage) {
    stage.press("q");
    // wait for the new prompt (an earlier one is still visible): input before that would be lost
    let prompted = within(10, || stage.screen().trim_end().ends_with("READY>"));
    assert!(prompted, "no new prompt, but:\n{}", stage.screen());
    stage.press("exit\r");
    stage.ends_within(2000);
}

#[test]
fn ctrl_z_gives_the_terminal_to_the_shell_and_fg_takes_it_back() {
    let mut stage = in_a_shell();
    stage.press("jz");
    stage.wait_for("Stopped");
    assert!(!stage.seen.lock().unwrap().screen().alternate_screen());
    stage.press("clear; echo in the shell\r");
    stage.wait_for("in the shell");
    stage.press("fg\r");
    stage.wait_for("keys j z");
    assert!(stage.seen.lock().unwrap().screen().alternate_screen());
    stage.press("k");
    stage.wait_for("keys j z k");
    leave(stage);
}

#[test]
fn a_stop_from_outside_is_like_ctrl_z_however_often() {
    let mut stage = in_a_shell();
    let raw = modes(&**stage.master.as_ref().unwrap());
    for round in 0..3 {
        stage.signal("TSTP");
        stage.wait_for("Stopped");
        stage.assert_restored();
        let said = format!("in the shell {round}");
        stage.press(&format!("clear; echo {said}\r"));
        stage.wait_for(&said);
        stage.press("fg\r");
        stage.wait_for("toy (80, 24)");
        stage.press("j");
        stage.wait_for(&format!("keys{}", " j".repeat(round + 1)));
        let seen = stage.seen.lock().unwrap().screen().clone();
        assert!(seen.alternate_screen() && seen.hide_cursor() && seen.bracketed_paste());
        assert_ne!(seen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
        assert!(within(2, || modes(&**stage.master.as_ref().unwrap()) == raw), "not raw");
    }
    leave(stage);
}

#[test]
fn where_nobody_could_continue_it_a_stop_is_over_at_once() {
    let mut stage = Stage::start(|_| child_command());
    stage.wait_for("toy (80, 24)");
    stage.press("jz");
    stage.wait_for("keys j z");
    stage.signal("TSTP");
    stage.press("k");
    stage.wait_for("keys j z k");
    assert!(within(2, || stage.seen.lock().unwrap().screen().alternate_screen()));
    stage.press("q");
    stage.ends_within(1000);
    stage.assert_restored();
}
