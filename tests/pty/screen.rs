//! burnwatch with the demo world in a terminal: start, find the cause, quit; and every other way to end.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::harness::Terminal;
use crate::skip::skip;
use crate::tmux::Tmux;

pub(crate) const BURNWATCH: &str = env!("CARGO_BIN_EXE_burnwatch");
pub(crate) const ENTER: &str = "\r";
pub(crate) const ESC: &str = "\x1b";
pub(crate) const DOWN: &str = "\x1b[B";

/// A temporary home directory.
pub(crate) fn home() -> TempDir {
    TempDir::new().expect("a folder can be made")
}

pub(crate) fn demo_with(home: &Path, args: &[&str], env: &[(&str, &str)], size: (u16, u16)) -> Terminal {
    let terminal = start(home, &[&["demo", "--at", "4"], args].concat(), env, size);
    terminal.wait_for("Services 40");
    // until every source has answered, rows and groups still come and go under the cursor
    terminal.wait_for("8/8 sources");
    terminal
}

/// Starts burnwatch with these words on its command line.
pub(crate) fn start(home: &Path, args: &[&str], env: &[(&str, &str)], size: (u16, u16)) -> Terminal {
    let home = home.to_str().expect("a folder for tests has a plain name");
    let own = [("HOME", home), ("XDG_CONFIG_HOME", home), ("XDG_STATE_HOME", home), ("TZ", "UTC")];
    Terminal::start(BURNWATCH, args, &[&own, env].concat(), size)
}

fn demo(home: &Path) -> Terminal {
    demo_with(home, &[], &[], (120, 36))
}

#[test]
fn from_the_first_glance_to_the_cause_and_out_again() {
    let home = home();
    let mut terminal = demo(home.path());
    terminal.wait_for("payments");
    terminal.send(ENTER);
    terminal.wait_for("Overview > payments");
    terminal.wait_for("Latency by bucket");
    terminal.send(ENTER);
    // a frame may be read in parts: wait until the old screen is gone
    terminal.wait_until("the alert is open", |screen| {
        let text = screen.contents();
        text.contains("of 1h") && text.contains("runbook") && !text.contains("Latency by bucket")
    });
    terminal.send(ESC);
    // a key directly after Esc would be read as one key with Alt
    terminal.wait_for("Latency by bucket");
    terminal.send("4/check");
    terminal.wait_for("filter: check");
    terminal.send(ENTER);
    terminal.send("?");
    terminal.wait_for("Keys and symbols (? or Esc closes)");
    terminal.send("q");
    terminal.wait_until("help is closed", |screen| !screen.contents().contains("Esc closes"));
    terminal.send(DOWN);
    terminal.send(":sources\r");
    terminal.wait_for("last answers");
    terminal.send("q");
    assert_eq!(terminal.exit().exit_code(), 0);
    terminal.assert_restored();
}

#[test]
fn the_mouse_a_paste_and_a_storm_of_sizes_are_taken() {
    let home = home();
    let mut terminal = demo(home.path());
    // a click on the tab of services, at the cell (15, 2) counted from one
    terminal.send("\x1b[<0;15;2M\x1b[<0;15;2m");
    terminal.wait_for("S sort");
    terminal.send("/");
    terminal.wait_for("Enter applies the filter");
    terminal.send("\x1b[200~redis\x1b[2J\x1b[201~");
    terminal.wait_for("redis");
    terminal.send("\x15redis-carts\r");
    terminal.wait_for("Services 1/40");
    for (columns, rows) in [(1, 1), (300, 90), (40, 10), (2, 60), (79, 23), (120, 36)].repeat(5) {
        terminal.resize(columns, rows);
    }
    terminal.wait_for("Services 1/40");
    terminal.wait_for("redis-carts");
    terminal.send("\x03");
    assert_eq!(terminal.exit().exit_code(), 0);
    terminal.assert_restored();
}

#[test]
fn a_signal_ends_it_in_order() {
    for signal in ["TERM", "HUP", "INT"] {
        let home = home();
        let terminal = demo(home.path());
        terminal.signal(signal);
        terminal.exit_within(Duration::from_secs(5));
        terminal.assert_restored();
    }
}

#[test]
fn a_window_that_is_closed_leaves_no_process_behind() {
    let home = home();
    let mut terminal = demo(home.path());
    terminal.hang_up();
    terminal.exit_within(Duration::from_secs(5));
}

#[test]
fn without_a_terminal_it_says_what_to_use_instead() {
    let home = home();
    let run = Command::new(BURNWATCH)
        .args(["demo"])
        .env("HOME", home.path())
        .stdin(Stdio::null())
        .output()
        .expect("burnwatch can be started");
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert_eq!(run.status.code(), Some(2), "{said}");
    assert!(said.contains("needs a terminal") && said.contains("burnwatch status"), "{said}");
}

#[test]
fn a_picture_on_a_terminal_without_utf8_is_drawn_in_ascii() {
    let home = home();
    let args = ["--demo", "--at", "4", "snapshot", "services", "--size", "80x24"];
    let terminal = start(home.path(), &args, &[("LC_ALL", "C")], (80, 30));
    terminal.exit();
    let drawn = terminal.screen();
    assert!(drawn.contains("healthy") && drawn.is_ascii() && !drawn.contains("? gateway"), "{drawn}");
}

#[test]
fn it_works_without_colours_in_ascii_and_on_poor_terminals() {
    for (args, env) in [
        (&["--ascii"][..], &[("NO_COLOR", "1")][..]),
        (&[], &[("TERM", "linux")]),
        (&[], &[("TERM", "vt100")]),
        (&[], &[("LC_ALL", "C"), ("TERM", "xterm")]),
        (&[], &[("LANG", "POSIX"), ("TERM", "tmux-256color")]),
        (&[], &[("TERM", "screen")]),
        (&["--low-bandwidth"], &[("TERM", "screen-256color")]),
        (&[], &[("TERM", "alacritty")]),
        (&[], &[("TERM", "xterm-kitty"), ("NO_COLOR", "1")]),
        (&["--theme", "high-contrast"], &[("COLORTERM", "truecolor")]),
    ] {
        let home = home();
        let mut terminal = demo_with(home.path(), args, env, (80, 24));
        for screen in ["2", "4", "9", "1"] {
            terminal.send(screen);
        }
        terminal.send(ENTER);
        terminal.wait_for("Overview > payments");
        let is_ascii =
            ["linux", "vt100", "C", "POSIX"].iter().any(|poor| env.iter().any(|(_, is)| is == poor));
        if is_ascii || args.contains(&"--ascii") {
            // with UTF-8, names are shown unchanged
            let takes_utf8 = !["C", "POSIX"].iter().any(|poor| env.iter().any(|(_, is)| is == poor));
            let names: &[char] = if takes_utf8 { &['\u{f6}', '\u{fc}', '\u{df}'] } else { &[] };
            let screen = terminal.screen().replace(names, "");
            assert!(screen.is_ascii(), "{screen}");
        }
        terminal.send("q");
        assert_eq!(terminal.exit().exit_code(), 0);
        terminal.assert_restored();
    }
}

#[test]
fn in_tmux_it_starts_takes_keys_and_leaves_the_pane_as_it_was() {
    let home = home();
    let command = format!(
        "echo before; HOME={home} XDG_CONFIG_HOME={home} XDG_STATE_HOME={home} {BURNWATCH} demo --at 4; echo after $?; cat",
        home = home.path().display(),
    );
    let Some(tmux) = Tmux::start(&command, 80, 24) else { return skip("there is no tmux") };
    tmux.wait_for("Services 40");
    // before Alertmanager has answered, the second row is the head of a group, which Enter folds
    tmux.wait_for("8/8 sources");
    tmux.send_keys(&["4"]);
    tmux.wait_for("hidden: 2 silenced");
    tmux.send_keys(&["Down", "Enter"]);
    tmux.wait_for("Alerts > ");
    tmux.send_keys(&["q"]);
    tmux.wait_for("after 0");
    assert!(tmux.screen().contains("before"), "{}", tmux.screen());
}
