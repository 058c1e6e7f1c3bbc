//! Runs a program in a real pseudo-terminal: start, type, wait for text, resize, signal, hang up, and check the terminal
//! afterwards.
//!
//! Waits for text and for the program's end, never for a fixed time. `vt100` interprets the output as a screen.

use std::io::{Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use portable_pty::{CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};

/// The time limit for a text to appear on a slow machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Bytes per read without a speed limit.
const CHUNK: usize = 8192;

/// The state that the reading and the waiting thread share.
struct Seen {
    parser: vt100::Parser,
    output: Vec<u8>,
    exit: Option<ExitStatus>,
    /// Whether reading is stopped, as by a stopped terminal.
    held: bool,
    /// The most bytes that are read in a twentieth of a second.
    most: usize,
    /// Whether the terminal is being closed: the next output ends the reading thread.
    hanging_up: bool,
    /// Whether the reading thread has ended and closed its side.
    closed: bool,
}

type Shared = Arc<(Mutex<Seen>, Condvar)>;

/// The terminal settings that raw mode changes: input, output, control and local flags.
type Line = [String; 4];

/// A pseudo-terminal with a program in it.
pub(crate) struct Terminal {
    master: Option<Box<dyn MasterPty + Send>>,
    writer: Option<Box<dyn Write + Send>>,
    shared: Shared,
    pub(crate) pid: u32,
    line: Line,
}

impl Terminal {
    /// Starts a program in a terminal of this many columns and rows.
    ///
    /// Its environment has only PATH, HOME and `env`, so that results do not depend on the developer's machine.
    pub(crate) fn start(
        program: &str,
        args: &[&str],
        env: &[(&str, &str)],
        (columns, rows): (u16, u16),
    ) -> Self {
        let pair = native_pty_system().openpty(size(columns, rows)).expect("a pseudo-terminal can be had");
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.env_clear();
        for name in ["PATH", "HOME", "LLVM_PROFILE_FILE"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        for (name, value) in [("TERM", "xterm-256color"), ("LANG", "C.UTF-8")].iter().chain(env) {
            command.env(name, value);
        }
        let line = line_of(&*pair.master);
        let mut child = pair.slave.spawn_command(command).expect("the program can be started");
        let pid = child.process_id().expect("a program that was started has a process id");
        drop(pair.slave);

        let parser = vt100::Parser::new(rows, columns, 0);
        let seen = Seen {
            parser,
            output: Vec::new(),
            exit: None,
            held: false,
            most: CHUNK,
            hanging_up: false,
            closed: false,
        };
        let shared: Shared = Arc::new((Mutex::new(seen), Condvar::new()));
        let mut reader = pair.master.try_clone_reader().expect("the terminal can be read");
        let writer = pair.master.take_writer().expect("the terminal can be written to");
        let watcher = Arc::clone(&shared);
        std::thread::spawn(move || {
            let mut chunk = [0; CHUNK];
            loop {
                let seen = lock(&watcher);
                let seen =
                    watcher.1.wait_while(seen, |seen| seen.held).unwrap_or_else(PoisonError::into_inner);
                let most = seen.most;
                drop(seen);
                if most < CHUNK {
                    std::thread::park_timeout(Duration::from_millis(50));
                }
                // on Linux EIO means that the other side is closed
                let Ok(length @ 1..) = reader.read(&mut chunk[..most]) else { break };
                let mut seen = lock(&watcher);
                // vt100 0.16 panics when a line wraps on a screen of one row: continue with a new parser
                if catch_unwind(AssertUnwindSafe(|| seen.parser.process(&chunk[..length]))).is_err() {
                    let (rows, columns) = seen.parser.screen().size();
                    seen.parser = vt100::Parser::new(rows, columns, 0);
                }
                seen.output.extend_from_slice(&chunk[..length]);
                watcher.1.notify_all();
                if seen.hanging_up {
                    break;
                }
            }
            drop(reader);
            lock(&watcher).closed = true;
            watcher.1.notify_all();
        });
        let watcher = Arc::clone(&shared);
        std::thread::spawn(move || {
            let exit = child.wait().expect("a child can be waited for");
            lock(&watcher).exit = Some(exit);
            watcher.1.notify_all();
        });
        Self { master: Some(pair.master), writer: Some(writer), shared, pid, line }
    }

    /// Types these bytes: `"q"`, `"\r"`, `"\x1b[A"`.
    pub(crate) fn send(&mut self, keys: &str) {
        self.send_bytes(keys.as_bytes());
    }

    /// Sends bytes that need not be text.
    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        let writer = self.writer.as_mut().expect("the terminal was not hung up");
        writer.write_all(bytes).and_then(|()| writer.flush()).expect("the terminal takes keys");
    }

    /// Stops reading the program's output (true), or continues (false).
    pub(crate) fn hold(&self, held: bool) {
        lock(&self.shared).held = held;
        self.shared.1.notify_all();
    }

    /// Limits reading to this many bytes per second: 1,200 are a little more than 9,600 baud.
    pub(crate) fn read_slowly(&self, bytes: usize) {
        lock(&self.shared).most = bytes / 20;
    }

    /// The program's memory in KiB; None if the system does not report it.
    pub(crate) fn memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).ok()?;
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().split(' ').next()?.parse().ok())
    }

    /// Waits until the screen shows this text; fails the test with the screen otherwise.
    pub(crate) fn wait_for(&self, text: &str) {
        self.wait_until(&format!("{text:?} is on the screen"), |screen| screen.contents().contains(text));
    }

    /// Waits until the screen is as expected; `what` describes the expectation.
    pub(crate) fn wait_until(&self, what: &str, mut looks: impl FnMut(&vt100::Screen) -> bool) {
        let seen = self.wait(PATIENCE, |seen| looks(seen.parser.screen()));
        assert!(looks(seen.parser.screen()), "waited in vain until {what}; {}", report(&seen));
    }

    /// Resizes the terminal; the program gets SIGWINCH.
    pub(crate) fn resize(&self, columns: u16, rows: u16) {
        lock(&self.shared).parser.screen_mut().set_size(rows, columns);
        let master = self.master.as_ref().expect("the terminal was not hung up");
        master.resize(size(columns, rows)).expect("a terminal can have any size");
    }

    /// Sends a signal to the program: `TERM`, `HUP`, `INT`.
    pub(crate) fn signal(&self, name: &str) {
        let kill = Command::new("kill").args([&format!("-{name}"), &self.pid.to_string()]).status();
        assert!(kill.expect("kill exists").success(), "the program is there to be signalled");
    }

    /// Closes the terminal, like a closed window or a broken connection.
    ///
    /// The reading thread also holds the terminal and releases it only after the next output: a resize makes a screen program
    /// draw, and any other program echoes an Enter.
    pub(crate) fn hang_up(&mut self) {
        lock(&self.shared).hanging_up = true;
        let (rows, columns) = lock(&self.shared).parser.screen().size();
        self.resize(columns.saturating_add(1), rows);
        self.send("\r");
        let seen = self.wait(PATIENCE, |seen| seen.closed);
        assert!(seen.closed, "nothing more was written before hanging up; {}", report(&seen));
        drop(seen);
        // when it is dropped, the writer types a newline and Ctrl-d, which a program in raw mode reads just before the end
        self.master = None;
        self.writer = None;
    }

    /// Waits for the program's end and all of its output; fails the test if it takes longer.
    pub(crate) fn exit_within(&self, limit: Duration) -> ExitStatus {
        let seen = self.wait(limit, |seen| seen.exit.is_some());
        let exit = seen.exit.clone();
        assert!(exit.is_some(), "still running after {limit:?}; {}", report(&seen));
        drop(seen);
        let seen = self.wait(PATIENCE, |seen| seen.closed);
        assert!(seen.closed, "the program ended, but something still holds its terminal");
        exit.expect("was just asserted")
    }

    /// Waits for the program's end.
    pub(crate) fn exit(&self) -> ExitStatus {
        self.exit_within(PATIENCE)
    }

    /// The text of the screen, line by line.
    pub(crate) fn screen(&self) -> String {
        lock(&self.shared).parser.screen().contents()
    }

    /// How many bytes the program has written so far.
    pub(crate) fn bytes(&self) -> usize {
        lock(&self.shared).output.len()
    }

    /// All output so far.
    pub(crate) fn output(&self) -> Vec<u8> {
        lock(&self.shared).output.clone()
    }

    /// Waits until the program has written this many bytes.
    pub(crate) fn wait_for_bytes(&self, bytes: usize) {
        let seen = self.wait(PATIENCE, |seen| seen.output.len() >= bytes);
        assert!(seen.output.len() >= bytes, "waited in vain for {bytes} bytes; {}", report(&seen));
    }

    /// Fails the test unless the terminal is as it was before the start: modes, cursor, line settings.
    pub(crate) fn assert_restored(&self) {
        let seen = lock(&self.shared);
        let left = left_behind(&seen.output);
        assert!(left.is_empty(), "left behind: {}; {}", left.join(", "), report(&seen));
        drop(seen);
        let master = self.master.as_ref().expect("the terminal was not hung up");
        assert_eq!(line_of(&**master), self.line, "the settings of the line (stty) are not as before");
    }

    /// Whether the terminal settings are those before the start, that is, not raw mode.
    pub(crate) fn is_cooked(&self) -> bool {
        self.master.as_ref().is_some_and(|master| line_of(&**master) == self.line)
    }

    fn wait(&self, limit: Duration, mut done: impl FnMut(&Seen) -> bool) -> MutexGuard<'_, Seen> {
        let seen = lock(&self.shared);
        let waited = self.shared.1.wait_timeout_while(seen, limit, |seen| !done(seen));
        waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let seen = lock(&self.shared);
        if seen.exit.is_none() {
            // after a failed test the program must not keep running
            drop(seen);
            let _gone = Command::new("kill").args(["-KILL", &self.pid.to_string()]).status();
        }
    }
}

/// The modes that a program turned on with `CSI ? n h` (or the keyboard protocol with `CSI > n u`) and did not turn off.
pub(crate) fn left_behind(output: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(output);
    let (mut on, mut keyboards) = (std::collections::BTreeMap::new(), 0_i32);
    for sequence in text.split("\x1b[").skip(1) {
        let Some(end) = sequence.find(|c: char| c.is_ascii_alphabetic()) else { continue };
        let (parameters, rest) = sequence.split_at(end);
        let (kind, last) = (parameters.chars().next(), rest.chars().next());
        match (kind, last) {
            (Some('?'), Some('h' | 'l')) => {
                for mode in parameters.trim_start_matches('?').split(';') {
                    on.insert(mode.to_owned(), last == Some('h'));
                }
            }
            (Some('>'), Some('u')) => keyboards += 1,
            (Some('<'), Some('u')) => keyboards -= 1,
            _ => {}
        }
    }
    // the cursor (25) and wrapping (7) are on by default
    let wrong = on.iter().filter(|(mode, on)| **on != matches!(mode.as_str(), "25" | "7"));
    let mut left: Vec<_> =
        wrong.map(|(mode, on)| format!("mode {mode} {}", if *on { "on" } else { "off" })).collect();
    if keyboards > 0 {
        left.push("a keyboard protocol".to_owned());
    }
    left
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}

fn line_of(master: &dyn MasterPty) -> Line {
    let line = master.get_termios().expect("a pseudo-terminal has line settings");
    [
        format!("{:?}", line.input_flags),
        format!("{:?}", line.output_flags),
        format!("{:?}", line.control_flags),
        format!("{:?}", line.local_flags),
    ]
}

fn lock(shared: &Shared) -> MutexGuard<'_, Seen> {
    // a poisoned lock must not hide the assertion that failed while it was held
    shared.0.lock().unwrap_or_else(PoisonError::into_inner)
}

fn report(seen: &Seen) -> String {
    let screen = seen.parser.screen();
    let (rows, columns) = screen.size();
    let end = seen.exit.as_ref().map_or("running".to_owned(), ToString::to_string);
    format!(
        "the program: {end}, {} bytes; the screen ({columns}x{rows}):\n{}",
        seen.output.len(),
        screen.contents()
    )
}
