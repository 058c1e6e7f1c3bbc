//! Any input and any window size: burnwatch keeps running and reacts.

use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::harness::Terminal;
use crate::screen::{BURNWATCH, DOWN, ESC, demo_with, home, start};
use crate::skip::skip;

/// Pseudo-random numbers, the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 40).expect("24 bits") % limit
    }
}

/// Checks that help can be opened, whatever state the screen is in.
fn assert_answers(terminal: &mut Terminal) {
    // ends a paste without an end mark
    terminal.send("\x1b[201~");
    for _ in 0..4 {
        terminal.send(ESC);
        std::thread::park_timeout(Duration::from_millis(200));
    }
    terminal.send("?");
    terminal.wait_for("Keys and symbols (? or Esc closes)");
    terminal.send("\x03");
    assert_eq!(terminal.exit().exit_code(), 0);
    terminal.assert_restored();
}

#[test]
fn garbage_is_taken_for_what_it_is() {
    let home = home();
    let mut terminal = demo_with(home.path(), &[], &[], (80, 24));
    let mut dice = Dice(5);
    for piece in [
        &b"\x1b[999999999999999999999;99999999H\x1b[;;;;;;m\x1b[<99999;99999;99999M\x1b[<-1;0;0M\x1b[M\x00\x00\x00"[..],
        b"\xff\xfe\xc3\xc3\x28\xe2\x82\xf0\x9f\x98\xed\xa0\x80",
        b"\x1bO\x1b[\x1b[1\x1b[1;\x1bO\x1b\x1b\x1b[200\x1b[<0;1\x1b[?\x1b[>\x1b[I\x1b[O",
        b"\x1b]11;rgb:0000/0000/0000\x07\x1bP1$r0m\x1b\\\x1b[?1;2c\x1b[0n\x1b[24;80R",
    ] {
        terminal.send_bytes(piece);
    }
    terminal.send(&format!("\x1b[{}m", "9;".repeat(50_000)));
    for _ in 0..200 {
        let piece: Vec<u8> = (0..100)
            .map(|_| u8::try_from(dice.below(256)).expect("a byte"))
            // without the keys that quit or suspend
            .filter(|byte| !b"qQ\x03\x1a".contains(byte))
            .collect();
        terminal.send_bytes(&piece);
    }
    assert_answers(&mut terminal);
}

#[test]
fn a_megabyte_that_is_pasted_and_ten_thousand_keys_are_taken() {
    let home = home();
    let mut terminal = demo_with(home.path(), &[], &[], (80, 24));
    terminal.send("/");
    terminal.send(&format!("\x1b[200~{}\x1b[201~", "paste flood\n".repeat(90_000)));
    terminal.send(ESC);
    terminal.send("4");
    for _ in 0..100 {
        terminal.send(&DOWN.repeat(100));
    }
    assert_answers(&mut terminal);
}

#[test]
fn a_storm_of_sizes_with_keys_in_it_ends_at_the_last_size() {
    let home = home();
    let mut terminal = demo_with(home.path(), &[], &[], (80, 24));
    let mut dice = Dice(9);
    for n in 0..600_usize {
        // vt100 0.16 panics when an older frame meets a screen of a single column or row
        let (columns, rows) = (2 + dice.below(499), 2 + dice.below(199));
        terminal.resize(u16::try_from(columns).expect("small"), u16::try_from(rows).expect("small"));
        terminal.send(if n % 2 == 0 { DOWN } else { "4" });
        std::thread::park_timeout(Duration::from_millis(2));
    }
    terminal.resize(100, 30);
    terminal.wait_until("the last line is at the bottom", |screen| {
        screen.rows(0, 100).nth(29).is_some_and(|line| line.contains("help"))
    });
    assert_answers(&mut terminal);
}

#[test]
fn a_terminal_without_a_size_is_taken_for_one_of_eighty_columns() {
    let home = home();
    let folder = home.path().display();
    let env = format!("HOME={folder} XDG_CONFIG_HOME={folder} XDG_STATE_HOME={folder}");
    let script = format!("stty rows 0 cols 0; {env} exec {BURNWATCH} demo --at 4");
    let mut terminal = Terminal::start("sh", &["-c", &script], &[], (80, 24));
    terminal.wait_for("Services 40");
    assert_answers(&mut terminal);
}

#[test]
fn a_terminal_that_is_dumb_or_has_no_name_is_told_what_to_use_instead() {
    for term in ["dumb", ""] {
        let home = home();
        let terminal = start(home.path(), &["demo"], &[("TERM", term)], (80, 24));
        let exit = terminal.exit();
        assert_eq!(exit.exit_code(), 2, "{}", terminal.screen());
        let said = terminal.screen();
        assert!(said.contains("TERM") && said.contains("burnwatch status"), "{said}");
        terminal.assert_restored();
    }
}

#[test]
fn in_screen_it_starts_takes_keys_and_leaves() {
    let home = home();
    let Some(screen) = Screen::start(&home.path().display().to_string()) else {
        return skip("there is no screen");
    };
    screen.wait_for("Services 40");
    screen.type_in("4");
    screen.wait_for("b group");
    screen.type_in("q");
    screen.wait_for("after 0");
}

#[test]
fn through_mosh_it_starts_takes_keys_and_sizes_and_leaves() {
    let home = home();
    let folder = home.path().display();
    let env = format!("HOME={folder} XDG_CONFIG_HOME={folder} XDG_STATE_HOME={folder}");
    let script = format!("{env} {BURNWATCH} demo --at 4; echo after $?; read end");
    let mut server = Command::new("mosh-server");
    server.args(["new", "-i", "127.0.0.1", "-p", "0", "--", "sh", "-c", &script]);
    // the time that the server waits for its client
    server.env("MOSH_SERVER_NETWORK_TMOUT", "60");
    let Ok(said) = server.env("LC_ALL", "C.UTF-8").env("TERM", "xterm-256color").output() else {
        return skip("there is no mosh");
    };
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let words: Vec<_> = said.split_whitespace().skip_while(|word| *word != "CONNECT").take(3).collect();
    let [_, port, key] = words[..] else { panic!("mosh-server says no port: {said:?}") };
    let mut terminal = Terminal::start("mosh-client", &["127.0.0.1", port], &[("MOSH_KEY", key)], (100, 30));
    terminal.wait_for("Services 40");
    terminal.send("4");
    terminal.wait_for("b group");
    terminal.resize(80, 24);
    terminal.wait_until("the last line is at the bottom", |screen| {
        screen.rows(0, 80).nth(23).is_some_and(|line| line.contains("help"))
    });
    terminal.send("q");
    terminal.wait_for("after 0");
    terminal.send("\r");
    assert_eq!(terminal.exit().exit_code(), 0);
}

/// A GNU screen with one window, separate from the user's own.
struct Screen {
    folder: TempDir,
    name: String,
}

impl Screen {
    fn start(home: &str) -> Option<Self> {
        Command::new("screen").arg("-v").output().ok()?;
        let folder = TempDir::new().expect("a folder can be made");
        // GNU screen requires a private folder for its sockets
        let owner_only = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(folder.path(), owner_only).expect("it is ours");
        let name = format!("burnwatch-test-{}", std::process::id());
        let screen = Self { folder, name };
        let env = format!("HOME={home} XDG_CONFIG_HOME={home} XDG_STATE_HOME={home} LANG=C.UTF-8");
        let command = format!("{env} {BURNWATCH} demo --at 4; echo after $?; cat");
        assert!(screen.tell(&["-dmS", &screen.name, "-U", "sh", "-c", &command]), "screen does not start");
        Some(screen)
    }

    fn tell(&self, words: &[&str]) -> bool {
        let mut command = Command::new("screen");
        command.env("SCREENDIR", self.folder.path()).env("TERM", "xterm-256color").env_remove("STY");
        command.args(["-c", "/dev/null"]).args(words).status().is_ok_and(|status| status.success())
    }

    fn type_in(&self, text: &str) {
        assert!(self.tell(&["-S", &self.name, "-p", "0", "-X", "stuff", text]), "the window is gone");
    }

    fn wait_for(&self, text: &str) {
        let file = self.folder.path().join("picture");
        let picture = || {
            self.tell(&["-S", &self.name, "-p", "0", "-X", "hardcopy", &file.display().to_string()]);
            String::from_utf8_lossy(&std::fs::read(&file).unwrap_or_default()).into_owned()
        };
        let shown = (0..200).any(|_| {
            std::thread::park_timeout(Duration::from_millis(100));
            picture().contains(text)
        });
        assert!(shown, "waited in vain for {text:?} in screen:\n{}", picture());
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.tell(&["-S", &self.name, "-X", "quit"]);
    }
}
