//! A page at night, on the demo world in a real terminal: from the page to the cause, the actions and the hand-over.

use std::time::Duration;

use tempfile::TempDir;

use crate::harness::Terminal;
use crate::screen::BURNWATCH;

const ENTER: &str = "\r";
const ESC: &str = "\x1b";

/// A terminal, and how often a key was pressed in it.
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

    /// Waits for what stands there then: what follows an escape at once would be one key with Alt.
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
    keyboard.terminal.wait_for("does it");
    keyboard.press(ENTER, "Acknowledged: #");
    // from the page to its alert and the chart
    keyboard.press(ENTER, "What happened, newest first");
    keyboard.press("\t", "Alerts 1");
    keyboard.press(ENTER, "Alerts that share labels");
    keyboard.press("r", "Runbook PaymentsErrorBudgetBurn");
    keyboard.leave("Alerts that share labels");
    keyboard.leave("What happened, newest first");
    // quiet, with a word, and over
    keyboard.press("s", "Hides 1 of");
    keyboard.press(ENTER, "Silence 1 alert for 2h at alertmanager");
    keyboard.terminal.wait_for("does it");
    keyboard.press(ENTER, "Silenced: PaymentsErrorBudgetBurn");
    keyboard.press("n", "Note to #");
    keyboard.press("rolled back", "rolled back");
    keyboard.press(ENTER, "Everybody who sees the incident can read it");
    keyboard.terminal.wait_for("does it");
    keyboard.press(ENTER, "wrote: rolled back");
    keyboard.press("R", "Resolving cannot be undone");
    keyboard.terminal.wait_for("does it");
    keyboard.press("y", "Resolved: #");
    keyboard.press("H", "Hand-over: demo");
    keyboard.press("\x1b[F", "Everything else");
    // the journal is read beside everything else
    keyboard.terminal.wait_for(": Resolved: #");
    let shown = keyboard.terminal.screen();
    for done in ["Acknowledged", "Silenced", "Noted", "Resolved"] {
        assert!(shown.contains(&format!(": {done}: ")), "{done} is missing:\n{shown}");
    }
    // two keys a second are slow
    assert!(keyboard.pressed <= 60, "{} keys", keyboard.pressed);
    keyboard.terminal.send("q");
    assert!(keyboard.terminal.exit_within(Duration::from_secs(5)).success());
    keyboard.terminal.assert_restored();
    let journal =
        std::fs::read_to_string(home.path().join("burnwatch/journal-demo.jsonl")).unwrap_or_default();
    assert_eq!(journal.matches("\"ending\":\"done\"").count(), 4, "{journal}");
}
