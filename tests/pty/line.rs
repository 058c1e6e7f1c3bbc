//! Bad connections: a slow one, and one that accepts no output for a while.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::harness::Terminal;
use crate::screen::{DOWN, demo_with, home, start};

/// Bytes per second of about 9,600 baud.
const SLOW: usize = 1200;

fn pass(time: Duration) {
    // a fixed time, because the test counts what happens meanwhile
    std::thread::park_timeout(time);
}

/// A fake Prometheus without data that counts its requests; returns its URL and the counter.
fn counting_double() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port can be had");
    let address = format!("http://{}", listener.local_addr().expect("it listens"));
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            count.fetch_add(1, Ordering::SeqCst);
            let mut request = [0; 16_384];
            let length = stream.read(&mut request).unwrap_or(0);
            let asked_for = String::from_utf8_lossy(&request[..length]).into_owned();
            let known = [
                ("/query", r#"{"resultType":"vector","result":[]}"#),
                (
                    "/buildinfo",
                    r#"{"version":"2.42.0","revision":"","branch":"","buildUser":"","buildDate":"","goVersion":""}"#,
                ),
                ("/rules", r#"{"groups":[]}"#),
                ("/alerts", r#"{"alerts":[]}"#),
            ];
            let data = known.iter().find(|(path, _)| asked_for.contains(path)).map_or("[]", |(_, data)| data);
            let body = format!(r#"{{"status":"success","data":{data}}}"#);
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close";
            let _gone = write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        }
    });
    (address, asked)
}

#[test]
fn a_terminal_that_takes_nothing_keeps_neither_the_asking_nor_the_memory() {
    let home = home();
    let (address, asked) = counting_double();
    let mut terminal = start(home.path(), &["--prometheus", &address], &[], (120, 36));
    terminal.wait_for("1/1 sources");
    terminal.hold(true);
    // more than the terminal's output buffer in the system
    for _ in 0..40 {
        for screen in ["4", "9", "?", "q"] {
            terminal.send(screen);
        }
        pass(Duration::from_millis(50));
    }
    let (before, memory, bytes) = (asked.load(Ordering::SeqCst), terminal.memory(), terminal.bytes());
    pass(Duration::from_secs(21));
    assert!(terminal.bytes() <= bytes + 8192, "the reader does not read");
    let meanwhile = asked.load(Ordering::SeqCst) - before;
    assert!(meanwhile >= 3, "asked {meanwhile} times while nobody read");
    if let Some((before, after)) = memory.zip(terminal.memory()) {
        assert!(after < before + 4096, "it grew from {before} to {after} KiB");
    }
    // typed while the screen is not updated: the first new frame must show the result
    terminal.send("2/nothing-of-this-name");
    terminal.hold(false);
    terminal.wait_for("nothing-of-this-name");
    terminal.send("\x03");
    assert_eq!(terminal.exit().exit_code(), 0);
    terminal.assert_restored();
}

fn bytes_of(terminal: &Terminal, time: Duration) -> usize {
    let before = terminal.bytes();
    pass(time);
    terminal.bytes() - before
}

#[test]
fn over_a_line_that_is_said_to_be_slow_keys_are_answered_and_rest_costs_little() {
    let home = home();
    let mut terminal = start(home.path(), &["demo", "--at", "4", "--low-bandwidth"], &[], (80, 24));
    terminal.read_slowly(SLOW);
    terminal.wait_for("slow connection");
    terminal.wait_for("Services 40");
    let before = terminal.bytes();
    terminal.send("4");
    terminal.wait_for("b group");
    let screen = terminal.bytes() - before;
    pass(Duration::from_secs(3));
    let before = terminal.bytes();
    terminal.send(DOWN);
    // new data may be drawn, but not the whole screen
    pass(Duration::from_secs(2));
    let key = terminal.bytes() - before;
    let rest = bytes_of(&terminal, Duration::from_secs(20)) / 20;
    assert!(screen < 8000 && key > 0 && key < 2000 && rest < 100, "{screen}, {key}, {rest} a second");
    terminal.send("\x03");
    assert_eq!(terminal.exit().exit_code(), 0);
    terminal.assert_restored();
}

#[test]
fn a_line_that_turns_out_to_be_slow_is_spared_by_itself() {
    let home = home();
    let mut terminal = demo_with(home.path(), &[], &[], (120, 36));
    assert!(!terminal.screen().contains("slow connection"));
    terminal.read_slowly(2 * SLOW);
    for screen in ["2", "3", "4", "5", "6", "7", "1", "2", "4"] {
        terminal.send(screen);
        pass(Duration::from_millis(100));
    }
    terminal.wait_for("slow connection");
    terminal.send(DOWN);
    terminal.send("?");
    terminal.wait_for("Keys and symbols (? or Esc closes)");
    terminal.send("\x03");
    assert_eq!(terminal.exit().exit_code(), 0);
    terminal.assert_restored();
}
