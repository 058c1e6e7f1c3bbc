//! Two sources that send endless answers, at the default limit: the memory stays within bounds.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::harness::Terminal;
use crate::proc::Footprint;
use crate::skip::skip;

/// The memory limit in KiB: one answer of 64 MiB, a part of another, and the rest of burnwatch.
const MOST: u64 = 160 * 1024;
const TIME: Duration = Duration::from_secs(25);

/// Starts a server that answers everything with endless spaces; returns its URL.
fn endless() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("it listens"));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // the client is expected to close the connection
            std::thread::spawn(move || drop(serve(&stream)));
        }
    });
    url
}

fn serve(mut stream: &TcpStream) -> std::io::Result<()> {
    let mut line = String::new();
    let mut reader = BufReader::new(stream);
    while reader.read_line(&mut line)? > 2 {
        line.clear();
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[")?;
    let blanks = vec![b' '; 64 * 1024];
    loop {
        stream.write_all(&blanks)?;
    }
}

#[tokio::test]
async fn two_sources_that_send_without_an_end_do_not_fill_the_memory() {
    let home = TempDir::new().expect("a folder can be made");
    let path = home.path().to_str().expect("a folder for tests has a plain name");
    let text = format!(
        "[sources.prom]\nkind = \"prometheus\"\nurl = \"{}\"\n[sources.am]\nkind = \"alertmanager\"\nurl = \"{}\"\n",
        endless(),
        endless()
    );
    let configuration = home.path().join("config.toml");
    std::fs::write(&configuration, text).expect("it can be written");
    let configuration = configuration.to_str().expect("a folder for tests has a plain name");
    let env = [("HOME", path), ("XDG_STATE_HOME", path), ("TZ", "UTC"), ("USER", "ana")];
    let args = ["--config", configuration];
    let mut terminal = Terminal::start(env!("CARGO_BIN_EXE_burnwatch"), &args, &env, (160, 45));
    terminal.wait_for("sources");
    if Footprint::of(terminal.pid).is_none() {
        return skip("the system does not tell what a process holds");
    }
    terminal.send("9");
    let (mut held, begun) = (Vec::new(), Instant::now());
    while begun.elapsed() < TIME {
        held.extend(Footprint::of(terminal.pid).map(|held| held.memory));
        sleep(Duration::from_millis(10)).await;
    }
    held.sort_unstable();
    let (most, usual) = (held.last().expect("it was looked"), held[held.len() / 2]);
    println!("two without an end: {} MiB at most, {} MiB half of the time", most / 1024, usual / 1024);
    for key in ["", "j"] {
        terminal.send(key);
        terminal.wait_for("the answer is larger than 64 MiB");
    }
    assert!(*most < MOST, "{most} KiB");
}
