//! Panics in every kind of place: in a thread that the screen needs, burnwatch ends, restores the terminal and says where the
//! report is; in other threads, it shows an error and continues.
//!
//! The panics are caused by `runtime::failpoint`, which exists only in builds with debug assertions.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::harness::Terminal;
use crate::screen::{BURNWATCH, home, start};
use crate::secrets::{SecretsHome, found_in};
use crate::skip::skip;

const VARIABLE: &str = "BURNWATCH_TEST_PANIC";
/// The exit code after a panic of the main thread.
const CRASHED: u32 = 101;
/// The time limit: a report has a backtrace, which takes a while in a build with symbols.
const SOON: Duration = Duration::from_secs(15);

/// The file that names the place of the panic.
struct PanicPlace {
    path: PathBuf,
}

impl PanicPlace {
    /// None in a build without failpoints.
    fn new(folder: &Path) -> Option<Self> {
        if !cfg!(debug_assertions) {
            skip("a build without debug assertions has no drills");
            return None;
        }
        Some(Self { path: folder.join("drill") })
    }

    fn variable(&self) -> (&str, &str) {
        (VARIABLE, self.path.to_str().expect("a folder for tests has a plain name"))
    }

    fn begin(&self, place: &str) {
        // atomically, so that no partial word is read
        let half = self.path.with_extension("half");
        std::fs::write(&half, place).and_then(|()| std::fs::rename(half, &self.path)).expect("it is written");
    }

    fn end(&self) {
        std::fs::remove_file(&self.path).expect("it was begun");
    }
}

fn log(home: &Path) -> String {
    std::fs::read_to_string(home.join("burnwatch/burnwatch.log")).expect("there is a log")
}

fn count(output: &[u8], sequence: &str) -> usize {
    output.windows(sequence.len()).filter(|part| *part == sequence.as_bytes()).count()
}

/// Checks that burnwatch ended with a crash and restored the terminal and its title.
fn assert_crashed(terminal: &Terminal, place: &str, home: &Path) {
    assert_eq!(terminal.exit_within(SOON).exit_code(), CRASHED, "{place}: {}", terminal.screen());
    terminal.assert_restored();
    let output = terminal.output();
    assert_eq!(count(&output, "\x1b[22;0t"), count(&output, "\x1b[23;0t"), "{place}: the title");
    // a long path wraps at the end of the line
    let said = terminal.screen().replace('\n', "");
    let line = "burnwatch crashed (a bug). The report is in ";
    assert_eq!(said.matches(line).count(), 1, "{place}: {said}");
    assert!(said.contains("burnwatch.log"), "{place}: {said}");
    let log = log(home);
    assert!(log.contains("PANIC burnwatch ") && log.contains(&format!("a failpoint: {place}")), "{log}");
}

#[test]
fn a_bug_where_the_screen_is_made_ends_it_and_the_terminal_is_as_it_was() {
    for place in ["update", "view", "writer", "input"] {
        let home = home();
        let Some(drill) = PanicPlace::new(home.path()) else { return };
        let mut terminal = start(home.path(), &["demo", "--at", "4"], &[drill.variable()], (160, 36));
        terminal.wait_for("Services 40");
        drill.begin(place);
        terminal.send("2");
        assert_crashed(&terminal, place, home.path());
        assert!(count(&terminal.output(), "\x1b[22;0t") > 0, "there was no title, so nothing is proved");
        let thread = if ["writer", "input"].contains(&place) { place } else { "main" };
        assert!(log(home.path()).contains(&format!("thread {thread}: ")), "{}", log(home.path()));
    }
}

#[test]
fn a_bug_tells_no_secret_wherever_it_is() {
    for place in ["update", "view", "writer", "input", "question", "task", "blocking"] {
        let house = SecretsHome::new();
        let Some(drill) = PanicPlace::new(house.home()) else { return };
        let environment = house.environment();
        let mut environment: Vec<_> =
            environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        environment.push(drill.variable());
        // the journal is read on a blocking thread at the start
        let is_at_start = place == "blocking";
        if is_at_start {
            drill.begin(place);
        }
        let mut terminal = Terminal::start(BURNWATCH, &[], &environment, (160, 48));
        terminal.wait_for("sources");
        terminal.send("9");
        terminal.wait_for("by-variable");
        if !is_at_start {
            drill.begin(place);
        }
        if ["question", "task", "blocking"].contains(&place) {
            let found = format!("a failpoint: {place}");
            terminal.wait_until(&found, |_| log(house.home()).contains(&found));
            terminal.send("q");
            terminal.exit_within(SOON);
            terminal.assert_restored();
        } else {
            terminal.send("1");
            assert_crashed(&terminal, place, house.home());
        }
        let files = house.left().into_iter().map(|(path, bytes)| (path.display().to_string(), bytes));
        for (what, bytes) in files.chain([("the terminal".to_owned(), terminal.output())]) {
            let found = found_in(&bytes);
            assert!(found.is_empty(), "{place}: {found:?} in {what}:\n{}", String::from_utf8_lossy(&bytes));
        }
    }
}

#[test]
fn a_bug_in_a_question_is_told_at_its_source_and_ends_with_it() {
    for place in ["question", "task"] {
        let home = home();
        let Some(drill) = PanicPlace::new(home.path()) else { return };
        let mut terminal = start(home.path(), &["demo", "--at", "4"], &[drill.variable()], (200, 50));
        terminal.wait_for("Services 40");
        terminal.send("9");
        terminal.wait_for("last answers");
        drill.begin(place);
        terminal.wait_for(&format!("internal error of burnwatch (a failpoint: {place})"));
        terminal.wait_for("report it with the log file");
        // the screen still works and shows the old data
        terminal.send("2");
        terminal.wait_for("S sort");
        terminal.wait_for("checkout");
        terminal.wait_for(": data ");
        terminal.send("9");
        drill.end();
        terminal.wait_until("all is well again", |screen| {
            let text = screen.contents();
            text.contains("✓ 8/8 sources") && !text.contains(": data ")
        });
        terminal.send("q");
        assert_eq!(terminal.exit().exit_code(), 0);
        terminal.assert_restored();
        assert!(!terminal.screen().contains("failpoint"), "{}", terminal.screen());
        let log = log(home.path());
        let ways = log.matches("PANIC burnwatch ").count() - log.matches("no backtrace: see").count();
        assert!((1..=10).contains(&ways), "{ways} reports with all there is to tell");
    }
}

#[test]
fn a_bug_on_the_way_to_the_journal_keeps_what_is_sent_back_and_says_so() {
    let home = home();
    let Some(drill) = PanicPlace::new(home.path()) else { return };
    drill.begin("blocking");
    let mut terminal = start(home.path(), &["demo", "--at", "1.5"], &[drill.variable()], (160, 40));
    terminal.wait_for("the journal cannot be read");
    terminal.send("5");
    terminal.wait_for("1 triggered");
    terminal.send("a");
    terminal.wait_for("nobody else is paged");
    terminal.wait_for("confirms");
    terminal.send("\r");
    terminal.wait_for("nothing is sent without a journal");
    terminal.send("q");
    assert_eq!(terminal.exit().exit_code(), 0);
    terminal.assert_restored();
}

#[test]
fn an_action_that_a_bug_breaks_off_has_an_unknown_end_and_is_read_back() {
    let home = home();
    let Some(drill) = PanicPlace::new(home.path()) else { return };
    let args = ["demo", "--at", "1.5"];
    let mut terminal = start(home.path(), &args, &[drill.variable()], (160, 40));
    terminal.wait_for("sources");
    terminal.send("5");
    terminal.wait_for("1 triggered");
    terminal.send("a");
    terminal.wait_for("nobody else is paged");
    terminal.wait_for("confirms");
    drill.begin("act");
    terminal.send("\r");
    terminal.wait_for("burnwatch failed during");
    drill.end();
    terminal.send("q");
    assert_eq!(terminal.exit().exit_code(), 0);
    let mut terminal = start(home.path(), &args, &[], (160, 40));
    terminal.wait_for("an earlier run has no result for acknowledge");
    terminal.send("q");
    assert_eq!(terminal.exit().exit_code(), 0);
}
