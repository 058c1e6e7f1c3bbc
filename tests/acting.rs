//! Actions from the command line: previewed, confirmed, sent once, written to the journal, and read back after `kill -9`.
#![cfg(test)]

#[path = "acting/manager.rs"]
mod manager;

use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use manager::{Manager, Post};
use serde_json::Value;

/// A home directory with a journal, and a fake Alertmanager.
struct TestHome {
    home: tempfile::TempDir,
    manager: Manager,
}

fn test_home() -> TestHome {
    TestHome { home: tempfile::tempdir().unwrap(), manager: Manager::start() }
}

impl TestHome {
    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_burnwatch"));
        command.args(words).stdin(Stdio::null()).env_clear().env("HOME", self.home.path());
        command.env("TZ", "UTC").env("USER", "ana").arg("--alertmanager").arg(self.manager.address());
        command
    }

    fn run(&self, words: &[&str]) -> (i32, String, String) {
        ended(&self.command(words).output().unwrap())
    }

    fn silence(&self, words: &[&str]) -> (i32, String, String) {
        let base = ["silence", "service=cart", "alertname=Slow", "--for", "2h", "-c", "deploy"];
        self.run(&[&base[..], words].concat())
    }

    /// Starts to create a silence with this comment.
    fn begin(&self, comment: &str) -> Child {
        let words = ["silence", "service=cart", "alertname=Slow", "--for", "2h", "--yes", "-c", comment];
        self.command(&words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    fn journal(&self, words: &[&str]) -> (i32, Value) {
        let (code, text, said) = self.run(&[&["journal", "-o", "json"], words].concat());
        (code, serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text} {said}")))
    }

    fn written(&self) -> String {
        let path = self.home.path().join(".local/state/burnwatch/journal.jsonl");
        std::fs::read_to_string(path).unwrap_or_default()
    }
}

fn ended(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

#[expect(clippy::disallowed_methods, reason = "the moment is what is tested")]
fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// As `kill -9` does.
fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_silence_is_shown_made_listed_extended_and_expired() {
    let test_home = test_home();
    let (code, text, said) = test_home.silence(&["--yes"]);
    assert_eq!(code, 0, "{text} {said}");
    for words in ["Matches 1 of 4 alerts", "Slow of cart", "POST http://127.0.0.1", "done", "5113-0"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert_eq!(test_home.manager.made(), ["deploy"]);
    let (code, text, _) = test_home.run(&["silences", "-o", "json"]);
    let silences: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &silences["silences"][0]["alerts"]), (0, &1.into()));
    assert!(silences["silences"][0]["created_by"].as_str().unwrap().starts_with("ana@"), "{text}");
    let (code, text, said) = test_home.run(&["silence", "extend", "5113-0", "--for", "5h", "--yes"]);
    assert_eq!(code, 0, "{text} {said}");
    let ids: Vec<String> =
        silences["silences"].as_array().unwrap().iter().map(|s| s["id"].to_string()).collect();
    assert_eq!(ids, ["\"5113-0\""]);
    let (code, text, said) = test_home.run(&["silence", "expire", "5113-0", "--yes"]);
    assert_eq!(code, 0, "{text} {said}");
    let (code, _, said) = test_home.run(&["silence", "expire", "5113-7", "--yes"]);
    assert!(code == 2 && said.contains("no silence 5113-7"), "{said}");
    let (code, journal) = test_home.journal(&["--since", "1h"]);
    let operations: Vec<&str> =
        journal["actions"].as_array().unwrap().iter().map(|act| act["deed"].as_str().unwrap()).collect();
    assert_eq!((code, operations), (0, vec!["silence", "extend", "expire"]), "{journal}");
    assert!(journal["actions"].as_array().unwrap().iter().all(|act| act["result"] == "done"), "{journal}");
}

#[test]
fn a_silence_that_has_ended_is_listed_where_all_are_wanted_and_made_once_more() {
    let test_home = test_home();
    let run = |words: &[&str]| test_home.run(words);
    assert_eq!(test_home.silence(&["--yes"]).0, 0);
    assert_eq!(run(&["silence", "expire", "5113-0", "--yes"]).0, 0);
    let (code, text, _) = run(&["silences"]);
    assert!(code == 0 && !text.contains("deploy"), "{text}");
    let (code, text, _) = run(&["silences", "--all", "-o", "json"]);
    let all: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &all["silences"][0]["state"]), (0, &"expired".into()), "{text}");
    // expiring it again is "already"; extending it is refused, with a hint what to do instead
    let (code, text, said) = run(&["silence", "expire", "5113", "--yes"]);
    assert!(code == 0 && text.contains("was so already"), "{text} {said}");
    let (code, _, said) = run(&["silence", "extend", "5113-0", "--for", "1h", "--yes"]);
    assert!(code == 2 && said.contains("silence again 5113-0"), "{said}");
    let (code, _, said) = run(&["silence", "edit", "5113-0", "-c", "other", "--yes"]);
    assert!(code == 2 && said.contains("create it again"), "{said}");
    let (code, text, said) = run(&["silence", "again", "5113-0", "--for", "30m", "--yes"]);
    assert!(code == 0 && text.contains("5113-1"), "{text} {said}");
    assert_eq!(test_home.manager.made(), ["deploy", "deploy"]);
}

#[test]
fn the_first_letters_of_an_id_are_enough_unless_they_fit_several() {
    let test_home = test_home();
    for comment in ["one", "two"] {
        let words =
            ["silence", "service=cart", "--for", "2h", "--yes", "--confirm-name", "127.0.0.1", "-c", comment];
        assert_eq!(test_home.run(&words).0, 0);
    }
    let (code, _, said) = test_home.run(&["silence", "expire", "5113", "--yes"]);
    assert!(
        code == 2 && said.contains("5113-0") && said.contains("5113-1") && said.contains("two"),
        "{said}"
    );
    let (code, _, said) = test_home.run(&["silence", "expire", "51", "--yes"]);
    assert!(code == 2 && said.contains("several"), "{said}");
    assert_eq!(test_home.run(&["silence", "expire", "5113-1", "--yes"]).0, 0);
    let (code, _, said) = test_home.run(&["silence", "expire", "5113-1x", "--yes"]);
    assert!(code == 2 && said.contains("no silence 5113-1x"), "{said}");
}

#[test]
fn a_silence_is_edited_and_begins_when_it_is_told_to() {
    let test_home = test_home();
    let (code, text, said) = test_home.run(&[
        "silence",
        "service=cart",
        "alertname=Slow",
        "--start",
        "2099-01-01 22:00",
        "--until",
        "23:30",
        "-c",
        "work",
        "--yes",
    ]);
    assert!(
        code == 0 && text.contains("2099-01-01T22:00:00") && text.contains("2099-01-01T23:30:00"),
        "{text} {said}"
    );
    assert!(text.contains("Begins 2099-01-01 22:00"), "{text}");
    let edit = ["silence", "edit", "5113-0", "alertname=Slow", "service=search", "-c", "other work", "--yes"];
    let (code, text, said) = test_home.run(&edit);
    assert!(code == 0 && text.contains("creates a new silence"), "{text} {said}");
    assert!(text.contains("5113-1") && text.contains("Matches 1 of 4"), "{text}");
    assert_eq!(test_home.manager.made(), ["work", "other work"]);
    let (code, _, said) = test_home.run(&["silence", "service=cart", "-c", "x", "--yes"]);
    assert!(code == 2 && said.contains("--for"), "{said}");
    let (code, _, said) = test_home.run(&[
        "silence",
        "service=cart",
        "--start",
        "in 2h",
        "--until",
        "2020-01-01 10:00",
        "-c",
        "x",
        "--yes",
    ]);
    assert!(code == 2 && said.contains("end"), "{said}");
}

#[test]
fn for_alerts_that_are_named_as_many_silences_are_made_as_hide_these_alone() {
    let test_home = test_home();
    let (a1, a4) = ("00000000000000a1", "00000000000000a4");
    let name = ["--confirm-name", "127.0.0.1"];
    let words = ["silence", "--alert", a1, "--alert", a4, "--for", "1h", "-c", "both", "--yes"];
    let (code, text, said) = test_home.run(&[&words[..], &name].concat());
    assert_eq!(code, 0, "{text} {said}");
    assert_eq!(test_home.manager.made(), ["both", "both"]);
    assert!(text.contains("Matches 2 of 4 alerts") && text.contains("affects 1 at"), "{text}");
    let (_, text, _) = test_home.run(&["silences", "-o", "json"]);
    let all: Value = serde_json::from_str(&text).unwrap();
    let counts: Vec<&Value> = all["silences"].as_array().unwrap().iter().map(|one| &one["alerts"]).collect();
    assert_eq!(counts, [&Value::from(1), &1.into()], "{text}");
    let (_, journal) = test_home.journal(&[]);
    assert_eq!(journal["actions"].as_array().unwrap().len(), 2, "each has its entry: {journal}");
    let (code, _, said) =
        test_home.run(&["silence", "--alert", "00000000000000ff", "--for", "1h", "-c", "x", "--yes"]);
    assert!(code == 2 && said.contains("00000000000000ff"), "{said}");
}

#[test]
fn nothing_is_sent_unless_somebody_says_yes() {
    let test_home = test_home();
    let (code, _, said) = test_home.silence(&[]);
    assert!(code == 2 && said.contains("--yes"), "{said}");
    let (code, text, _) = test_home.silence(&["--dry-run"]);
    assert!(code == 0 && text.contains("POST http://") && text.contains("Nothing was sent"), "{text}");
    let (code, _, said) = test_home.silence(&["--yes", "--read-only"]);
    assert!(code == 2 && said.contains("--read-only"), "{said}");
    let much = ["silence", "severity=page", "--for", "1h", "-c", "all", "--yes"];
    let (code, text, said) = test_home.run(&much);
    assert!(code == 2 && said.contains("--confirm-name 127.0.0.1"), "{text} {said}");
    // a dry run has the exit code of the real run
    for more in [&["--dry-run"][..], &["--dry-run", "--confirm-name", "prod"]] {
        let (code, text, said) = test_home.run(&[&much[..], more].concat());
        assert!(code == 2 && said.contains("--confirm-name 127.0.0.1"), "{text} {said}");
        assert!(text.contains("POST http://") && text.contains("Nothing was sent"), "{text}");
    }
    let (code, ..) = test_home.run(&[&much[..], &["--dry-run", "--confirm-name", "127.0.0.1"]].concat());
    assert_eq!(code, 0);
    let (code, ..) = test_home.run(&[&much[..], &["--confirm-name", "prod"]].concat());
    assert_eq!((code, test_home.manager.posts(), test_home.written()), (2, 0, String::new()));
    let (code, text, said) = test_home.run(&[&much[..], &["--confirm-name", "127.0.0.1"]].concat());
    assert!(code == 0 && text.contains("Matches 4 of 4"), "{text} {said}");
}

#[test]
fn what_is_wrong_is_said_before_anything_is_asked() {
    let test_home = test_home();
    for words in [
        &["silence", "service=cart", "--for", "soon", "-c", "x", "--yes"][..],
        &["silence", "service=~(", "--for", "1h", "-c", "x", "--yes"],
        &["silence", "service=cart", "--for", "1h", "-c", " ", "--yes"],
        &["silence", "service=~.*", "--for", "1h", "-c", "x", "--yes"],
        &["silence", "--for", "1h", "--yes"],
        &["ack", "1", "--yes"],
        &["journal", "--since", "yesterday"],
    ] {
        let (code, _, said) = test_home.run(words);
        assert_eq!(code, 2, "{words:?}: {said}");
    }
    assert_eq!(test_home.manager.posts(), 0);
    let config = test_home.home.path().join("config.toml");
    let pager = "[sources.pager]\nkind = \"pagerduty\"\nurl = \"http://127.0.0.1:9\"\nauth = { token = { env = \"USER\" } }\n";
    std::fs::write(&config, pager).unwrap();
    let config = config.to_str().unwrap();
    for words in [
        &["silence", "a=b", "--for", "1h", "-c", "x", "--alertmanager", "http://127.0.0.1:9"][..],
        &["ack", "4242", "--config", config],
        &["trigger", "odd", "--service", "cart", "--config", config],
    ] {
        let mut dead = Command::new(env!("CARGO_BIN_EXE_burnwatch"));
        dead.args(words).arg("--yes").stdin(Stdio::null()).env_clear();
        let output = dead.env("HOME", test_home.home.path()).env("USER", "ana").output().unwrap();
        let (code, _, said) = ended(&output);
        assert!(code == 3 && said.contains("cannot connect"), "{words:?}: {code} {said}");
    }
}

#[test]
fn what_is_refused_or_asked_to_wait_ends_so() {
    let test_home = test_home();
    test_home.manager.now(Post::Refuses);
    let (code, text, _) = test_home.silence(&["--yes"]);
    assert!(code == 1 && text.contains("refused") && text.contains("no such thing"), "{text}");
    test_home.manager.now(Post::Limits(2));
    let (code, text, said) = test_home.silence(&["--yes"]);
    assert!(code == 0 && text.contains("done") && said.contains("asks to wait until"), "{text} {said}");
    assert_eq!((test_home.manager.made().len(), test_home.manager.posts()), (1, 4));
}

#[test]
fn what_breaks_on_the_way_is_sent_once_and_ends_as_it_was_read_back() {
    for (post, expected, words) in [
        (Post::Breaks, 0, "done"),
        (Post::Gateway, 0, "done"),
        (Post::Fails, 1, "it may still happen: do not repeat it before you have checked"),
    ] {
        let test_home = test_home();
        test_home.manager.now(post);
        let (code, text, said) = test_home.silence(&["--yes"]);
        assert!(code == expected && text.contains(words), "{post:?}: {code} {text} {said}");
        assert_eq!(test_home.manager.posts(), 1, "{post:?}: it is never sent again");
        let made = usize::from(post != Post::Fails);
        assert_eq!(test_home.manager.made().len(), made, "{post:?}");
        let (_, journal) = test_home.journal(&[]);
        assert_eq!(journal["actions"][0]["read_back"], true, "{post:?}: {journal}");
    }
}

#[test]
fn without_a_journal_nothing_is_sent() {
    let test_home = test_home();
    let place = test_home.home.path().join(".local/state/burnwatch");
    std::fs::create_dir_all(place.join("journal.jsonl")).unwrap();
    let (code, text, _) = test_home.silence(&["--yes"]);
    assert!(code == 1 && text.contains("nothing is sent without a journal"), "{text}");
    assert_eq!(test_home.manager.posts(), 0);
}

#[test]
fn killed_while_it_waits_for_the_answer_it_is_read_back() {
    for (post, code, result, words) in
        [(Post::Does, 0, "done", ""), (Post::Hangs, 1, "unknown", "it may still happen")]
    {
        let test_home = test_home();
        test_home.manager.now(post);
        let child = test_home.begin("held");
        test_home.manager.wait_for("POST", 1);
        kill(child);
        let (_, before) = test_home.journal(&[]);
        assert_eq!(before["actions"][0]["result"], "unknown", "{before}");
        assert_eq!(before["actions"][0]["is_open"], true, "{before}");
        assert!(before["notes"][0].as_str().unwrap().contains("unknown result"), "{before}");
        let (ended, after) = test_home.journal(&["--read-back"]);
        let act = &after["actions"][0];
        assert_eq!(
            (ended, &act["result"], &act["read_back"]),
            (code, &result.into(), &true.into()),
            "{after}"
        );
        assert!(act["words"].as_str().unwrap_or_default().contains(words), "{after}");
        assert_eq!(test_home.manager.posts(), 1, "it is never sent again");
        let (_, again) = test_home.journal(&["--read-back"]);
        assert_eq!(again["actions"][0]["is_open"], result == "unknown", "{again}");
        assert_eq!(again["notes"].as_array().unwrap().is_empty(), result == "done", "{again}");
        assert_eq!(test_home.manager.posts(), 1, "nor when it is looked at again");
    }
}

#[test]
fn killed_before_it_was_sent_nothing_is_open() {
    let test_home = test_home();
    let child = test_home.begin("early");
    test_home.manager.wait_for("GET /api/v2/alerts", 1);
    kill(child);
    let (code, journal) = test_home.journal(&["--read-back"]);
    let made = test_home.manager.made().len();
    let open = journal["actions"].as_array().unwrap().iter().filter(|act| act["is_open"] == true).count();
    assert_eq!((code, open), (0, 0), "{journal}");
    assert!(made <= 1, "{journal}");
}

#[test]
fn killed_at_any_moment_the_journal_tells_in_the_end_what_is_so() {
    let test_home = test_home();
    for n in 0..16_u32 {
        let comment = format!("moment-{n}");
        let posts = test_home.manager.posts();
        let child = test_home.begin(&comment);
        // the last runs are finished when they are killed, the first ones have hardly started
        pause(Duration::from_millis(12) * n);
        kill(child);
        let (_, journal) = test_home.journal(&["--read-back"]);
        let acts: Vec<&Value> = journal["actions"].as_array().unwrap().iter().collect();
        let made = test_home.manager.made().iter().filter(|made| **made == comment).count();
        let posted = test_home.manager.posts() - posts;
        let done = acts.iter().filter(|act| act["result"] == "done").count();
        assert!(made <= 1 && posted <= 1, "{n}: sent twice");
        assert_eq!(done, test_home.manager.made().len(), "{n}: {journal}");
        // an action that was sent and is not found may still happen, so it stays open
        let is_open = |act: &&Value| act["is_open"] == (act["result"] == "unknown");
        assert!(acts.iter().all(is_open), "{n}: {journal}");
    }
}

/// Runs a verb in the demo world, five minutes after the start of its scenario.
fn demo(home: &tempfile::TempDir, words: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_burnwatch"));
    command.args(words).args(["--demo", "--at", "5"]).stdin(Stdio::null()).env_clear();
    ended(&command.env("HOME", home.path()).env("USER", "ana").output().unwrap())
}

#[test]
fn every_verb_works_in_the_demo_world() {
    let home = tempfile::tempdir().unwrap();
    let (_, text, _) = demo(&home, &["incidents", "-o", "json"]);
    let incidents: Value = serde_json::from_str(&text).unwrap();
    let number = |at: usize| incidents["incidents"][at]["number"].to_string();
    let (one, other) = (number(0), number(1));
    let verbs: [&[&str]; 14] = [
        &["ack", &one],
        &["resolve", &one, &other],
        &["snooze", &one, "--for", "1h"],
        &["note", &one, "-m", "Rolled back"],
        &["assign", &one, "--to", "kofi mensah"],
        &["assign", &other, "--to", "me"],
        &["reroute", &one, "--to", "platform"],
        &["escalate", &one, "--level", "2"],
        &["prioritise", &one, "--as", "P2"],
        &["merge", &other, "--into", &one],
        &["summon", &one, "--who", "Noor Haddad", "-m", "please"],
        &["inform", &one, "-m", "We are on it"],
        &["trigger", "The cart is odd", "--service", "cart"],
        &["take-shift", "Shop, by day and night", "--level", "2", "--for", "1h"],
    ];
    for words in verbs {
        let (code, text, said) = demo(&home, &[words, &["--yes"]].concat());
        assert!(
            code == 0 && text.contains("done  ") && text.contains("https://pager.demo"),
            "{words:?} {text} {said}"
        );
    }
    let (code, text, _) = demo(&home, &["ack", &other, "--yes"]);
    assert!(code == 0 && text.contains("was so already"), "{text}");
    for (words, expected) in [
        (&["ack", "1"][..], "no incident 1"),
        (&["assign", &one, "--to", "kofi mensa"], "did you mean `Kofi Mensah`"),
        (&["escalate", &one, "--level", "0"], "level"),
        (&["trigger", "odd", "--service", "carts"], "did you mean `cart`"),
        (&["note", &one, "-m", "x", "--source", "nowhere"], "nowhere is not a source"),
    ] {
        let (code, _, said) = demo(&home, &[words, &["--yes"]].concat());
        assert!(code == 2 && said.contains(expected), "{words:?}: {said}");
    }
    let (code, text, _) = demo(&home, &["journal", "-o", "json"]);
    let journal: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, journal["actions"].as_array().unwrap().len()), (0, 15));
    let state = home.path().join(".local/state/burnwatch");
    assert!(state.join("journal-demo.jsonl").exists() && !state.join("journal.jsonl").exists());
}

#[test]
fn a_torn_line_is_said_and_kept() {
    let test_home = test_home();
    test_home.silence(&["--yes"]);
    let path = test_home.home.path().join(".local/state/burnwatch/journal.jsonl");
    let torn = format!("{}{{\"at\":\"2026-", test_home.written());
    std::fs::write(&path, &torn).unwrap();
    let (code, journal) = test_home.journal(&[]);
    assert_eq!((code, &journal["actions"][0]["result"]), (3, &"done".into()));
    assert!(journal["notes"][0].as_str().unwrap().contains("1 line of the journal"), "{journal}");
    let (code, ..) = test_home.silence(&["--yes"]);
    assert!(code == 0 && test_home.written().starts_with(&torn));
    let (_, journal) = test_home.journal(&[]);
    assert_eq!(journal["actions"].as_array().unwrap().len(), 2);
}
