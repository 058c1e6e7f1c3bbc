//! burnwatch in a real pseudo-terminal, and tests of the harness itself.
#![cfg(test)]

mod acting;
#[path = "../support/escapes.rs"]
mod escapes;
mod harness;
mod hostile;
#[path = "../support/liar.rs"]
mod liar;
mod line;
mod manners;
mod night;
mod panics;
mod screen;
mod secrets;
#[path = "../support/skip.rs"]
mod skip;
mod tmux;
mod verbs;

use std::time::Duration;

use harness::{Terminal, left_behind};
use tmux::Tmux;

const SECOND: Duration = Duration::from_secs(1);

fn sh(script: &str) -> Terminal {
    Terminal::start("sh", &["-c", script], &[], (80, 24))
}

#[test]
fn the_harness_types_and_reads_the_screen_and_the_exit_code() {
    let mut terminal = sh("echo ready; read line; echo got $line; exit 7");
    terminal.wait_for("ready");
    terminal.send("hello\r");
    terminal.wait_for("got hello");
    assert_eq!(terminal.exit().exit_code(), 7);
    assert!(terminal.bytes() > 10);
    terminal.assert_restored();
}

#[test]
fn the_harness_passes_the_environment_and_the_size() {
    let size = "trap 'stty size' WINCH; echo $GREETING; stty size; while read line; do :; done";
    let terminal = Terminal::start("sh", &["-c", size], &[("GREETING", "good night")], (40, 10));
    terminal.wait_for("good night");
    terminal.wait_for("10 40");
    terminal.resize(200, 50);
    terminal.wait_for("50 200");
    assert!(!terminal.screen().contains("24 80"));
}

#[test]
fn the_harness_sees_a_terminal_that_was_not_restored() {
    let mut raw = sh("stty raw -echo; echo raw; read line; stty sane; echo sane");
    raw.wait_for("raw");
    assert!(!raw.is_cooked());
    raw.send("\n");
    raw.wait_for("sane");
    let dirty = b"\x1b[?1049h\x1b[?25l\x1b[?1000;1006h text \x1b[>1u\x1b[31m\x1b[?1006l";
    assert_eq!(left_behind(dirty), ["mode 1000 on", "mode 1049 on", "mode 25 off", "a keyboard protocol"]);
    let clean = b"\x1b[?1049h\x1b[?25l\x1b[?2026h\x1b[>1u text \x1b[<1u\x1b[?2026l\x1b[?25h\x1b[?1049l";
    assert!(left_behind(clean).is_empty());
}

#[test]
fn the_harness_signals_and_hangs_up() {
    let terminal = sh("trap 'echo told; exit 3' TERM; echo ready; while :; do read line; done");
    terminal.wait_for("ready");
    terminal.signal("TERM");
    assert_eq!(terminal.exit().exit_code(), 3);

    let mut terminal = sh("stty raw echo; echo ready; exec cat");
    terminal.wait_for("ready");
    terminal.hang_up();
    let exit = terminal.exit_within(SECOND * 5);
    assert!(exit.signal().is_some(), "SIGHUP ends cat: {exit:?}");
}

#[test]
fn the_harness_has_a_tmux_of_its_own() {
    let Some(tmux) = Tmux::start("echo ready; read line; echo got $line; cat", 60, 12) else {
        return skip::skip("there is no tmux");
    };
    tmux.wait_for("ready");
    tmux.send_keys(&["good morning", "Enter"]);
    tmux.wait_for("got good morning");
}
