//! A page at night in the demo world, in a real terminal: from the page to the cause, the actions and the handoff.

use std::time::Duration;

use tempfile::TempDir;

use crate::harness::Terminal;
use crate::screen::BURNWATCH;

const ENTER: &str = "\r";
const ESC: &str = "\x1b";

/// A terminal, and the number of keys pressed.
struct Keyboard {
    terminal: Terminal,
    pressed: usize,
}

impl Keyboard {
    fn press(&mut self, keys: &str, then: &str) {
        self.pressed += keys.chars().count();
        self.terminal.send(keys);
        self.terminal.wait_for(then);
    }

    /// Presses Esc and waits for a text: a key directly after Esc would be read as one key with Alt.
    fn leave(&mut self, then: &str) {
        self.press(ESC, then);
    }
}

#[test]
fn from_the_page_to_the_hand_over_within_a_minute_of_keys() {
    let home = TempDir::new().expect("a folder can be made");
    let path = home.path().to_str().expect("a folder for tests has a plain name");
    let env = [("HOME", path), ("XDG_STATE_HOME", path), ("TZ", "UTC"), ("USER", "ana")];
    let args = ["demo", "--at", "0.5", "--speed", "3", "--seed", "7"];
    let terminal = Terminal::start(BURNWATCH, &args, &env, (120, 36));
    terminal.wait_for("Services");
    let mut keyboard = Keyboard { terminal, pressed: 0 };

    // the page arrives
    keyboard.press("5", "status");
    keyboard.terminal.wait_for("PaymentsErrorBudgetBurn");
    keyboard.press("a", "Acknowledge 1 incident at pager");
    keyboard.terminal.wait_for("confirms");
    keyboard.press(ENTER, "Acknowledged: #");
    // from the page to its alert and the chart
    keyboard.press(ENTER, "Timeline, newest first");
    keyboard.press("\t", "Alerts 1");
    keyboard.press(ENTER, "fires > 0.05");
    keyboard.press("r", "Runbook PaymentsErrorBudgetBurn");
    keyboard.leave("fires > 0.05");
    keyboard.leave("Timeline, newest first");
    // silence it with a comment, and resolve
    keyboard.press("s", "Affects 1 of");
    keyboard.press(ENTER, "Silence 1 alert for 2h at alertmanager");
    keyboard.terminal.wait_for("confirms");
    keyboard.press(ENTER, "Silenced: PaymentsErrorBudgetBurn");
    keyboard.press("n", "Note to #");
    keyboard.press("rolled back", "rolled back");
    keyboard.press(ENTER, "Everybody who sees the incident can read it");
    keyboard.terminal.wait_for("confirms");
    keyboard.press(ENTER, "wrote: rolled back");
    keyboard.press("R", "Resolving cannot be undone");
    keyboard.terminal.wait_for("confirms");
    keyboard.press("y", "Resolved: #");
    keyboard.press("H", "Handoff: demo");
    keyboard.press("\x1b[F", "Everything else");
    // the journal is read asynchronously
    keyboard.terminal.wait_for(": Resolved: #");
    let shown = keyboard.terminal.screen();
    for done in ["Acknowledged", "Silenced", "Noted", "Resolved"] {
        assert!(shown.contains(&format!(": {done}: ")), "{done} is missing:\n{shown}");
    }
    // 60 keys are half a minute for a slow typist
    assert!(keyboard.pressed <= 60, "{} keys", keyboard.pressed);
    keyboard.terminal.send("q");
    assert!(keyboard.terminal.exit_within(Duration::from_secs(5)).success());
    keyboard.terminal.assert_restored();
    let journal =
        std::fs::read_to_string(home.path().join("burnwatch/journal-demo.jsonl")).unwrap_or_default();
    assert_eq!(journal.matches("\"ending\":\"done\"").count(), 4, "{journal}");
}

/// Numbers that look random and are the same in every run (xorshift, Marsaglia 2003).
struct Dice(u64);

impl Dice {
    fn below(&mut self, many: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % many
    }

    fn one_of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        let many = u64::try_from(all.len()).expect("a list is short");
        usize::try_from(self.below(many)).ok().and_then(|at| all.get(at)).expect("it is below the length")
    }
}

/// Waits as long as a person does before the next key.
#[expect(clippy::disallowed_methods, reason = "the test waits, not the program")]
fn pause(milliseconds: u64) {
    std::thread::sleep(Duration::from_millis(milliseconds));
}

/// Random input: keys that open pages, keys that move, and text meant for another window; none that quits.
const TYPED: [&str; 24] = [
    "5",
    "4",
    "1",
    "2",
    "7",
    "a",
    "R",
    "e",
    "z",
    "n",
    "s",
    "x",
    "\r",
    "\r",
    "\x1b",
    "\t",
    "j",
    "\x1b[B",
    "yes\r",
    "ack payments\r",
    "any news?\r",
    "why 500\r",
    "ok try the other one\r",
    "deploy again\ry\r",
];

#[test]
fn whatever_is_typed_nothing_is_done_that_no_key_confirmed_after_its_dialog_was_on_the_screen() {
    for seed in [3, 11] {
        let home = TempDir::new().expect("a folder can be made");
        let path = home.path().to_str().expect("a folder for tests has a plain name");
        let env = [("HOME", path), ("XDG_STATE_HOME", path), ("TZ", "UTC"), ("USER", "ana")];
        let args = ["demo", "--at", "1.5", "--seed", "7"];
        let mut terminal = Terminal::start(BURNWATCH, &args, &env, (120, 36));
        terminal.wait_for("Services");
        let journal = home.path().join("burnwatch/journal-demo.jsonl");
        let lines = || std::fs::read_to_string(&journal).map_or(0, |text| text.lines().count());
        let mut dice = Dice(seed);
        // for each key that could confirm: whether a dialog that accepts a key was on the screen before it
        let mut asked: Vec<bool> = Vec::new();
        let mut known = lines();
        let mut press = |terminal: &mut Terminal, key: char, dice: &mut Dice| {
            let shown = terminal.screen();
            let confirms = matches!(key, '\r' | 'y') && shown.contains("cancels");
            asked.push(confirms);
            terminal.send(key.encode_utf8(&mut [0; 4]));
            pause(60 + dice.below(190));
            let now = lines();
            if now > known {
                // a confirmed action is in the journal within a moment
                let lately = asked.len().saturating_sub(8);
                assert!(
                    asked[lately..].contains(&true),
                    "seed {seed}: {key:?} wrote:\n{}",
                    terminal.screen()
                );
                asked.clear();
                known = now;
            }
        };
        for _ in 0..45 {
            let typed = dice.one_of(&TYPED);
            if typed.starts_with('\x1b') {
                terminal.send(typed);
                pause(120);
            } else {
                typed.chars().for_each(|key| press(&mut terminal, key, &mut dice));
            }
        }
        // a deliberate confirmation still works
        for _ in 0..3 {
            terminal.send(ESC);
            pause(150);
        }
        terminal.send("5");
        terminal.wait_for("Incidents");
        terminal.send("n");
        terminal.wait_for("Note to #");
        terminal.send("meant");
        terminal.wait_for("meant");
        terminal.send(ENTER);
        terminal.wait_for("confirms");
        let before = lines();
        terminal.send(ENTER);
        terminal.wait_for("Noted: #");
        assert!(lines() > before, "seed {seed}: what was meant was not written");
        terminal.send("\x03");
        terminal.exit_within(Duration::from_secs(5));
    }
}
