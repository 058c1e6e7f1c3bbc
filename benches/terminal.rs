//! Measures the program in a terminal: the time to start, the latency of keys, and the load while it is idle.
//!
//! The program runs in a real pseudo-terminal with the sources in `BURNWATCH_BENCH_PROMETHEUS` and
//! `BURNWATCH_BENCH_ALERTMANAGER`; without them with the demo world, and then with the fake servers of a large fleet.
//! `BURNWATCH_BENCH_WORLD` chooses one of the two: `demo` or `fleet`. `BURNWATCH_BENCH_BINARY` is another build to measure, and
//! `BURNWATCH_BENCH_SCREENS` are the keys of the screens to measure (`134L`); default: all screens.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench, which prints what it measured")]
#![expect(clippy::disallowed_methods, reason = "a bench measures time as the person has it")]

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

#[path = "servers/fleet.rs"]
mod fleet;

/// The services of the large fleet, with ten alerts each, and the log lines of each of them.
const SERVICES: usize = 1_000;
const LOG_LINES: usize = 10_000;
const SIZE: (u16, u16) = (120, 36);
/// How many starts are measured.
const STARTS: usize = 20;
/// Time for all sources to answer for the first time.
const SETTLING: Duration = Duration::from_secs(25);
/// How many keys are measured for each row of the table.
const KEYS: usize = 150;
/// The pause between two keys of a fast typist.
const PAUSE: Duration = Duration::from_millis(70);
/// How long each screen is measured while idle, in seconds.
const SILENCE: usize = 30;
/// The time limit for the reaction to a key.
const LOST: Duration = Duration::from_secs(3);
/// After this many keys without a reaction the screen is not measured further.
const PATIENCE: usize = 5;
/// How often a sort order or a grouping is chosen.
const CHOICES: usize = 40;

/// A terminal with burnwatch in it.
struct Terminal {
    master: Box<dyn MasterPty + Send>,
    keyboard: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    output: Receiver<(Instant, Vec<u8>)>,
    seen: vt100::Parser,
    bytes: usize,
    started: Instant,
}

impl Terminal {
    fn start(arguments: &[String]) -> Self {
        let binary = env::var("BURNWATCH_BENCH_BINARY");
        Self::with(binary.as_deref().unwrap_or(env!("CARGO_BIN_EXE_burnwatch")), arguments)
    }

    fn with(program: &str, arguments: &[String]) -> Self {
        let (cols, rows) = SIZE;
        let pair =
            native_pty_system().openpty(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).unwrap();
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.env("TERM", "xterm-256color");
        let home = concat!(env!("CARGO_TARGET_TMPDIR"), "/home");
        for name in ["HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"] {
            command.env(name, home);
        }
        let (sender, output) = channel();
        let mut reader = pair.master.try_clone_reader().unwrap();
        thread::spawn(move || {
            let mut chunk = vec![0; 64 * 1024];
            while let Ok(read @ 1..) = reader.read(&mut chunk) {
                let bytes = chunk.get(..read).unwrap().to_vec();
                if sender.send((Instant::now(), bytes)).is_err() {
                    return;
                }
            }
        });
        let keyboard = pair.master.take_writer().unwrap();
        let started = Instant::now();
        let child = pair.slave.spawn_command(command).unwrap();
        let seen = vt100::Parser::new(rows, cols, 0);
        Self { master: pair.master, keyboard, child, output, seen, bytes: 0, started }
    }

    fn press(&mut self, keys: &str) -> Instant {
        let at = Instant::now();
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        at
    }

    /// Reads output until the screen is as wanted. Returns when the last output came, and the number of bytes.
    fn until(&mut self, wanted: impl Fn(&vt100::Screen) -> bool) -> Option<(Instant, usize)> {
        let (deadline, before) = (Instant::now() + LOST, self.bytes);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let (at, bytes) = self.output.recv_timeout(left).ok()?;
            self.take(&bytes);
            if wanted(self.seen.screen()) {
                return Some((at, self.bytes - before));
            }
        }
    }

    /// Reads all output for this time.
    fn watch(&mut self, time: Duration) {
        let deadline = Instant::now() + time;
        loop {
            match self.output.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok((_, bytes)) => self.take(&bytes),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len();
        self.seen.process(bytes);
    }

    /// The processor time of all threads so far.
    fn worked(&self) -> Duration {
        let pid = self.child.process_id().unwrap();
        let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
        let of_task = |path: std::path::PathBuf| -> Option<u64> {
            fs::read_to_string(path.join("schedstat")).ok()?.split(' ').next()?.parse().ok()
        };
        Duration::from_nanos(tasks.filter_map(|task| of_task(task.ok()?.path())).sum())
    }

    /// A value of `/proc/PID/status`, in MiB.
    fn memory(&self, what: &str) -> f64 {
        let pid = self.child.process_id().unwrap();
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find(|line| line.starts_with(what)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }

    fn end(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        drop(self.master);
    }
}

/// The latency of a key in any program on this machine under its current load: `cat` in a terminal of its own echoes each key.
struct Echo {
    terminal: Terminal,
    taken: Vec<f64>,
}

impl Echo {
    fn start() -> Self {
        let mut terminal = Terminal::with("sh", &["-c", "stty raw -echo; exec cat"].map(str::to_owned));
        terminal.watch(Duration::from_secs(1));
        Self { terminal, taken: Vec::new() }
    }

    /// The pause between two keys of burnwatch, with one echo measured in the middle.
    fn pause(&mut self, terminal: &mut Terminal) {
        terminal.watch(PAUSE / 2);
        let at = self.terminal.press("x");
        if let Some((then, _)) = self.terminal.until(|_| true) {
            self.taken.push(milliseconds(then - at));
        }
        terminal.watch(PAUSE / 2);
    }
}

/// The line of a list's cursor, and its text.
fn cursor(screen: &vt100::Screen) -> Option<(usize, String)> {
    screen.rows(0, SIZE.0).enumerate().find(|(_, row)| row.contains('▌'))
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Median, 99th percentile, largest.
fn spread(mut values: Vec<f64>) -> (f64, f64, f64) {
    values.sort_by(f64::total_cmp);
    let at = |share: f64| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
        let index = ((values.len() - 1) as f64 * share).ceil() as usize;
        values.get(index).copied().unwrap_or(f64::NAN)
    };
    (at(0.5), at(0.99), at(1.0))
}

fn first_frames() {
    // accepts connections and never answers
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", silent.local_addr().unwrap());
    let real = ["--prometheus", &address, "--alertmanager", &address].map(str::to_owned);
    for (name, arguments) in [("demo", &["demo".to_owned()][..]), ("silent sources", &real)] {
        let times = (0..STARTS).map(|_| {
            let mut terminal = Terminal::start(arguments);
            let (at, _) = terminal.until(|screen| screen.contents().contains("palette")).unwrap();
            let time = milliseconds(at - terminal.started);
            terminal.end();
            time
        });
        let (median, high, most) = spread(times.collect());
        println!("start to first frame, {name:<15} median {median:6.1} ms  p99 {high:6.1}  most {most:6.1}");
    }
}

fn report(name: &str, taken: Vec<(f64, f64)>, lost: usize, echo: &mut Echo) {
    if taken.is_empty() {
        println!("key to screen, {name:<22} no key had an effect");
        echo.taken.clear();
        return;
    }
    let (times, bytes): (Vec<f64>, Vec<f64>) = taken.into_iter().unzip();
    let ((median, high, most), (usual, ..)) = (spread(times), spread(bytes));
    let (back, late, latest) = spread(std::mem::take(&mut echo.taken));
    println!(
        "key to screen, {name:<22} median {median:6.1} ms  p99 {high:6.1}  most {most:6.1}   \
         (cat {back:4.1} {late:6.1} {latest:6.1})   {usual:5.0} bytes a key   {lost} lost"
    );
}

/// Opens a screen by its keys, one after the other.
fn open(terminal: &mut Terminal, screen: &str) {
    for key in screen.chars() {
        terminal.press(&key.to_string());
        terminal.watch(Duration::from_secs(1));
    }
}

fn moves(terminal: &mut Terminal, echo: &mut Echo, screen: &str, keys: [&str; 2]) {
    open(terminal, screen);
    let (mut taken, mut lost) = (Vec::new(), 0);
    for key in 0..KEYS {
        let before = cursor(terminal.seen.screen());
        // more steps down than up, so that the list scrolls, too
        let at = terminal.press(if key % 5 == 4 { keys[1] } else { keys[0] });
        match terminal.until(|screen| cursor(screen).is_some_and(|now| Some(now) != before)) {
            Some((then, bytes)) => taken.push((milliseconds(then - at), bytes as f64)),
            None => lost += 1,
        }
        echo.pause(terminal);
        if lost == PATIENCE {
            break;
        }
    }
    report(&format!("move on screen {screen}"), taken, lost, echo);
}

/// Measures choices from a menu by number, until the menu is closed and the list has changed.
fn choices(terminal: &mut Terminal, echo: &mut Echo, screen: &str, menu: (&str, &str), picks: &[&str]) {
    terminal.press(screen);
    terminal.watch(Duration::from_secs(1));
    let (key, title) = menu;
    let (mut taken, mut lost) = (Vec::new(), 0);
    for pick in picks.iter().cycle().take(CHOICES) {
        terminal.press(key);
        terminal.watch(PAUSE);
        let at = terminal.press(pick);
        match terminal.until(|screen| !screen.contents().contains(title)) {
            Some((then, bytes)) => taken.push((milliseconds(then - at), bytes as f64)),
            None => lost += 1,
        }
        echo.pause(terminal);
    }
    report(&format!("{} on screen {screen}", title.to_lowercase()), taken, lost, echo);
    // turn the grouping off
    terminal.press(key);
    terminal.press("1");
    terminal.watch(PAUSE);
}

fn filters(terminal: &mut Terminal, echo: &mut Echo, screen: &str) {
    open(terminal, screen);
    let (mut taken, mut lost) = (Vec::new(), 0);
    for word in ["checkout", "latency", "eu-west", "zone", "severity=page", "pod-77"].iter().cycle() {
        terminal.press("/");
        terminal.watch(PAUSE);
        for end in 1..=word.len() {
            let typed = format!("/ {}▏", word.get(..end).unwrap());
            let at = terminal.press(word.get(end - 1..end).unwrap());
            match terminal.until(|screen| screen.contents().contains(&typed)) {
                Some((then, bytes)) => taken.push((milliseconds(then - at), bytes as f64)),
                None => lost += 1,
            }
            echo.pause(terminal);
        }
        terminal.press("\x1b");
        terminal.watch(PAUSE);
        if taken.len() + lost >= KEYS {
            break;
        }
    }
    report(&format!("filter on screen {screen}"), taken, lost, echo);
}

fn silence(terminal: &mut Terminal, screen: &str, name: &str) {
    terminal.press(screen);
    // wait until the message of the last key has left the footer
    terminal.watch(Duration::from_secs(13));
    let (mut work, mut bytes) = (Vec::new(), Vec::new());
    for _ in 0..SILENCE {
        let (worked, wrote) = (terminal.worked(), terminal.bytes);
        terminal.watch(Duration::from_secs(1));
        work.push(terminal.worked().saturating_sub(worked).as_secs_f64() * 100.0);
        bytes.push((terminal.bytes - wrote) as f64);
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mean_work, mean_bytes) = (mean(&work), mean(&bytes));
    let ((work, ..), (bytes, ..)) = (spread(work), spread(bytes));
    println!(
        "left alone, {name:<10} between answers {work:5.2} % of a core {bytes:5.0} bytes/s   \
         with answers {mean_work:5.2} % {mean_bytes:5.0} bytes/s   {:.1} MiB",
        terminal.memory("VmRSS")
    );
}

fn main() {
    if env::args().any(|argument| argument == "--list" || argument == "--test") {
        return;
    }
    let home = concat!(env!("CARGO_TARGET_TMPDIR"), "/home");
    fs::create_dir_all(home).unwrap();
    let address = |name: &str| env::var(format!("BURNWATCH_BENCH_{name}")).ok();
    let mut named = Vec::new();
    for (flag, name) in [("--prometheus", "PROMETHEUS"), ("--alertmanager", "ALERTMANAGER")] {
        named.extend(address(name).map(|url| [flag.to_owned(), url]).into_iter().flatten());
    }
    first_frames();
    if !named.is_empty() {
        return measure(&named);
    }
    let world = address("WORLD");
    for (name, arguments) in [("demo", vec!["demo".to_owned()]), ("fleet", large_fleet())] {
        if world.as_ref().is_none_or(|chosen| chosen == name) {
            measure(&arguments);
        }
    }
}

/// The arguments for a large fleet of fake servers, and a program that prints the log lines of the last ten minutes.
fn large_fleet() -> Vec<String> {
    let (server, folder) = (fleet::serve(SERVICES), env!("CARGO_TARGET_TMPDIR"));
    let (config, lines) = (format!("{folder}/fleet.toml"), format!("{folder}/fleet.log"));
    let (now, mut text) = (jiff::Timestamp::now(), String::new());
    let levels = ["info", "info", "info", "warn", "error"].into_iter().cycle();
    for (n, level) in levels.take(LOG_LINES).enumerate() {
        let at = now - jiff::SignedDuration::from_millis(60 * i64::try_from(LOG_LINES - n).unwrap());
        writeln!(
            text,
            r#"{{"ts":"{at}","level":"{level}","msg":"request {n} of checkout took {n} ms","route":"/pay/:id","pod":"pod-{}"}}"#,
            n % 100
        )
        .unwrap();
    }
    fs::write(&lines, text).unwrap();
    let kinds = [
        format!("kind = \"prometheus\"\nurl = \"{server}\""),
        format!("kind = \"alertmanager\"\nurl = \"{server}\""),
        format!("kind = \"exec\"\ngives = \"logs\"\ncommand = [\"cat\", \"{lines}\"]"),
    ];
    let mut toml = String::new();
    for (kind, name) in kinds.iter().zip(["prom", "alertmanager", "lines"]) {
        writeln!(toml, "[sources.{name}]\n{kind}\n").unwrap();
    }
    fs::write(&config, toml).unwrap();
    vec!["--config".to_owned(), config]
}

fn measure(arguments: &[String]) {
    println!("\n{} in {} by {} cells", arguments.join(" "), SIZE.0, SIZE.1);
    let (mut terminal, mut echo) = (Terminal::start(arguments), Echo::start());
    terminal.watch(SETTLING);
    println!("memory, all answered: {:.1} MiB", terminal.memory("VmRSS"));
    let chosen = env::var("BURNWATCH_BENCH_SCREENS").ok();
    let is_chosen =
        |key: &str| chosen.as_ref().is_none_or(|chosen| key.chars().all(|key| chosen.contains(key)));
    // the logs are those of the service under the cursor
    for screen in ["1", "2", "3", "4", "2L"].into_iter().filter(|key| is_chosen(key)) {
        // log lines are read from the newest one, which is the last
        let keys = if screen == "2L" { ["k", "j"] } else { ["j", "k"] };
        moves(&mut terminal, &mut echo, screen, keys);
        filters(&mut terminal, &mut echo, screen);
        if screen == "3" {
            choices(&mut terminal, &mut echo, screen, ("S", "Order by"), &["2", "3", "4", "5", "1"]);
            choices(&mut terminal, &mut echo, screen, ("b", "Group by"), &["2", "3", "1"]);
        }
    }
    let left_alone =
        [("1", "Overview"), ("3", "SLOs"), ("3\r", "one SLO"), ("4", "Alerts"), ("9", "Sources")];
    for (keys, name) in left_alone.into_iter().filter(|(keys, _)| is_chosen(keys.trim_end())) {
        silence(&mut terminal, keys, name);
    }
    println!("memory, at its highest: {:.1} MiB", terminal.memory("VmHWM"));
    terminal.end();
    echo.terminal.end();
}
