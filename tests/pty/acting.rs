//! Actions from a terminal: the confirmation, the effect of each answer, and the messages about actions of earlier runs.

use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::harness::Terminal;
use crate::screen::{BURNWATCH, ESC};

const SILENCE: [&str; 8] =
    ["silence", r#"service=~"postgres-.*""#, "--for", "2h", "-c", "deploy", "--demo", "--at"];

fn environment(home: &Path) -> [(&str, &str); 5] {
    let home = home.to_str().expect("a folder for tests has a plain name");
    [("HOME", home), ("XDG_CONFIG_HOME", home), ("XDG_STATE_HOME", home), ("TZ", "UTC"), ("USER", "ana")]
}

/// Runs a verb, answers its question, and returns the exit code and the screen.
fn answered(words: &[&str], question: &str, answer: &str) -> (u32, String) {
    let home = TempDir::new().expect("a folder can be made");
    let mut terminal = Terminal::start(BURNWATCH, words, &environment(home.path()), (120, 36));
    terminal.wait_for(question);
    terminal.send(answer);
    (terminal.exit().exit_code(), terminal.screen())
}

#[test]
fn it_is_done_after_a_yes_and_nothing_else() {
    let words = [&SILENCE[..], &["5"]].concat();
    let (code, screen) = answered(&words, "Send? [y/N]", "y\r");
    assert!(code == 0 && screen.contains("done") && screen.contains("Matches 2 of"), "{screen}");
    for answer in ["n\r", "\r", "yesterday\r", "\x04"] {
        let (code, screen) = answered(&words, "Send? [y/N]", answer);
        assert!(code == 2 && screen.contains("nothing was sent"), "{answer:?}: {screen}");
    }
}

#[test]
fn where_much_would_be_hidden_the_context_has_to_be_typed() {
    let words = ["silence", "service=~.+", "--for", "2h", "-c", "all", "--demo", "--at", "5"];
    for (answer, expected) in [("demo\r", 0), ("y\r", 2), ("\r", 2)] {
        let (code, screen) = answered(&words, "Type the context's name", answer);
        assert_eq!(code, expected, "{answer:?}: {screen}");
    }
}

#[test]
fn the_screen_tells_what_an_earlier_run_left_open() {
    let home = TempDir::new().expect("a folder can be made");
    let words = [&SILENCE[..], &["5", "--yes"]].concat();
    let mut command = Command::new(BURNWATCH);
    command.args(words).envs(environment(home.path())).stdin(Stdio::null()).stdout(Stdio::null());
    assert!(command.status().expect("burnwatch starts").success());
    let path = home.path().join("burnwatch/journal-demo.jsonl");
    let text = std::fs::read_to_string(&path).expect("there is a journal");
    let lines: Vec<&str> = text.lines().collect();
    let (_ended, before) = lines.split_last().expect("it has lines");
    std::fs::write(&path, format!("{}\n", before.join("\n"))).expect("it can be written");
    let mut terminal = Terminal::start(BURNWATCH, &["demo"], &environment(home.path()), (160, 36));
    terminal.wait_for("an earlier run has no result for silence");
    terminal.send("q");
    assert_eq!(terminal.exit().exit_code(), 0);
    terminal.assert_restored();
    let text = std::fs::read_to_string(&path).expect("there is a journal");
    let last = text.lines().last().expect("it has lines");
    assert!(last.contains(r#""read_back":true"#), "{last}");
}

#[test]
fn keys_that_come_with_the_one_that_opens_a_dialog_or_faster_than_anybody_reads_confirm_nothing() {
    let home = TempDir::new().expect("a folder can be made");
    let words = ["demo", "--at", "1.5"];
    let mut terminal = Terminal::start(BURNWATCH, &words, &environment(home.path()), (140, 40));
    terminal.wait_for("sources");
    terminal.send("5");
    terminal.wait_for("1 triggered");
    for keys in ["a\r", "a\n", "ay", "ayyyyyy", "R\r", "Ry", "a\r\r\r\r"] {
        terminal.send(keys);
        terminal.wait_for("confirms");
        terminal.send(ESC);
        terminal.wait_for("Nothing was sent");
        terminal.wait_until("the dialog is gone", |screen| !screen.contents().contains("cancels"));
    }
    for word in ["Rollout\r", "payments\r", "Redis\r", "acknowledge\r", "zen\r"] {
        for letter in word.chars() {
            terminal.send(&letter.to_string());
            std::thread::park_timeout(std::time::Duration::from_millis(60));
        }
        terminal.send(ESC);
        terminal.send(ESC);
        terminal.send("5");
        terminal.wait_for("1 triggered");
    }
    terminal.send("q");
    terminal.exit();
    let journal = std::fs::read_to_string(home.path().join("burnwatch/journal-demo.jsonl"));
    assert!(journal.is_err() || journal.is_ok_and(|text| text.is_empty()), "something was sent");
}

#[test]
fn a_page_is_acknowledged_noted_silenced_and_resolved_by_a_few_keys() {
    let home = TempDir::new().expect("a folder can be made");
    let words = ["demo", "--at", "1.5"];
    let mut terminal = Terminal::start(BURNWATCH, &words, &environment(home.path()), (140, 40));
    terminal.wait_for("sources");
    terminal.send("5");
    terminal.wait_for("1 triggered");
    for (keys, asked, done) in [
        ("a", "nobody else is paged", "Acknowledged: #"),
        ("nrolled back to v41\r", "note      rolled back to v41", "Noted: #"),
        ("s deploy\r", "no notifications for matching alerts", "Silenced: "),
        ("R", "Resolving cannot be undone", "Resolved: #"),
    ] {
        terminal.send(keys);
        terminal.wait_for(asked);
        assert!(!terminal.screen().contains(done), "nothing is done before it is confirmed");
        // the dialog shows this once a key may answer it
        terminal.wait_for("confirms");
        terminal.send(if keys == "R" { "y" } else { "\r" });
        terminal.wait_for(done);
    }
    terminal.send("q");
    assert_eq!(terminal.exit().exit_code(), 0);
    terminal.assert_restored();
    let path = home.path().join("burnwatch/journal-demo.jsonl");
    let text = std::fs::read_to_string(&path).expect("there is a journal");
    assert_eq!(text.matches(r#""step":"ended""#).count(), 4, "{text}");
}
