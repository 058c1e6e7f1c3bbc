//! Hostile data in answers, files and arguments, on every screen and in every verb: the output has only text and burnwatch's own
//! escape sequences.

use std::fs;

use tempfile::TempDir;

use crate::escapes::forbidden_sequences;
use crate::harness::Terminal;
use crate::liar::{HostileServer, MARK, corpus};
use crate::screen::BURNWATCH;
use crate::verbs::run_all;

const ESC: &str = "\x1b";
/// Keys that open every screen and the pages on it.
const KEYS: [&str; 62] = [
    "1", "2", "\r", "\t", "\t", ESC, "3", "\r", "\t", ESC, "4", "\r", "r", "\t", ESC, "o", ESC, ESC, "4",
    "s", ESC, ESC, "4", "/", "E", "V", "\r", ESC, "5", "\r", "\t", "\t", "r", ESC, ESC, "5", "x", ESC, "6",
    "\r", "o", ESC, ESC, "7", "\r", ESC, "9", "\r", ESC, "Z", "\r", ESC, "M", ESC, "H", ESC, ":", "p", ESC,
    "b", ESC, "#",
];

struct Place {
    folder: TempDir,
    config: String,
    environment: Vec<(&'static str, String)>,
}

impl Place {
    fn environment(&self) -> Vec<(&str, &str)> {
        self.environment.iter().map(|(name, value)| (*name, value.as_str())).collect()
    }
}

#[expect(clippy::disallowed_methods, reason = "what is shown as new has to be new")]
fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// A configuration whose sources, files and folders are all hostile.
fn place(url: &str, sources: &str) -> Place {
    let folder = TempDir::new().expect("a folder can be made");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let corpus = corpus();
    fs::create_dir_all(path("state/burnwatch")).expect("a folder");
    fs::write(path("books.md"), corpus.join("\n\n")).expect("a file");
    let quoted: Vec<String> =
        corpus.iter().map(|text| serde_json::to_string(text).expect("a text")).collect();
    let slos = format!(
        "version: prometheus/v1\nservice: {}\nlabels: {{{}: {}}}\nslos:\n- name: {}\n  objective: 99.9\n  description: {}\n  \
         sli: {{events: {{error_query: 'x', total_query: {}}}}}\n  alerting: {{name: {}}}\n",
        quoted[1], quoted[2], quoted[3], quoted[4], quoted[5], quoted[6], quoted[7]
    );
    fs::write(path("slos.yaml"), slos).expect("a file");
    fs::write(path("broken.yaml"), corpus.join("\n")).expect("a file");
    let entry = |name: &str| {
        serde_json::json!({"at": now().to_string(), "act": name, "who": name, "context": name,
            "action": {"source": name, "target": {"id": name, "name": name}, "deed": {"note": {"content": name}}},
            "step": {"step": "confirmed", "nth": 1, "of": 1}})
        .to_string()
    };
    let journal: Vec<String> = corpus.iter().take(20).map(|text| entry(text)).collect();
    fs::write(path("state/burnwatch/journal.jsonl"), journal.join("\n") + "\n").expect("a file");
    let config = format!(
        "{sources}\n[sources.broken]\nkind = \"prometheus\"\nurl = \"{url}/broken\"\n\
         [sources.moved]\nkind = \"alertmanager\"\nurl = \"{url}/moved\"\n\
         [sources.garbled]\nkind = \"prometheus\"\nurl = \"{url}/garbled\"\n\
         [runbooks]\ntemplates = [\"{url}/a.md\"]\nhosts = [\"127.0.0.1\"]\n[slo]\nfiles = [\"slos.yaml\", \"broken.yaml\"]\n"
    );
    fs::write(path("config.toml"), config).expect("a file");
    let environment = vec![
        ("HOME", path("")),
        ("XDG_STATE_HOME", path("state")),
        ("TZ", "UTC".to_owned()),
        ("USER", corpus[3].replace('\0', "").chars().take(40).collect()),
    ];
    Place { config: path("config.toml"), folder, environment }
}

fn lies(url: &str) -> String {
    let of = |name: &str| format!("[sources.{name}]\nkind = \"{name}\"\nurl = \"{url}\"\n");
    ["prometheus", "alertmanager", "pagerduty"].map(of).concat()
}

/// Presses all keys on a screen of this size; returns all output.
fn visit(place: &Place, (width, height): (u16, u16)) -> Vec<u8> {
    let args = ["--config", &place.config];
    let mut terminal = Terminal::start(BURNWATCH, &args, &place.environment(), (width, height));
    terminal.send("4");
    terminal.wait_for(MARK);
    for (nth, key) in KEYS.into_iter().enumerate() {
        terminal.send(key);
        // after a resize the whole screen is drawn, and then the key has been handled, too
        let before = terminal.bytes();
        terminal.resize(width + 1 + u16::from(nth % 2 == 0), height);
        terminal.wait_for_bytes(before + 200);
    }
    let unasked = terminal.output();
    assert!(
        !unasked.windows(4).any(|bytes| bytes == b"\x1b]52"),
        "nothing is copied unless somebody says so"
    );
    terminal.send("4y");
    terminal.wait_for_bytes(unasked.len() + 1);
    terminal.send("\x03");
    terminal.exit();
    terminal.assert_restored();
    terminal.output()
}

fn assert_harmless(what: &str, written: &[u8]) {
    let found = forbidden_sequences(written);
    assert!(
        found.is_empty(),
        "{what}: {} offences:\n{}",
        found.len(),
        found[..found.len().min(20)].join("\n")
    );
}

#[test]
fn no_screen_lets_through_what_a_terminal_obeys() {
    let liar = HostileServer::start(now());
    let place = place(&liar.url, &lies(&liar.url));
    for size in [(200, 50), (80, 24), (40, 10)] {
        let written = visit(&place, size);
        assert!(written.len() > 20_000, "{} bytes are too few to prove anything", written.len());
        assert_harmless(&format!("{size:?}"), &written);
    }
    let log = fs::read(place.folder.path().join("state/burnwatch/burnwatch.log")).unwrap_or_default();
    assert_harmless("the log", &log);
}

#[test]
fn where_utf8_is_not_taken_no_part_of_a_character_is_a_command() {
    let liar = HostileServer::start(now());
    let mut place = place(&liar.url, &lies(&liar.url));
    place.environment.push(("LC_ALL", "C".to_owned()));
    let written = visit(&place, (120, 36));
    assert!(written.is_ascii(), "something beyond ASCII was written");
    assert_harmless("the screen", &written);
    let args = ["alerts", "--config", &place.config];
    let terminal = Terminal::start(BURNWATCH, &args, &place.environment(), (120, 36));
    terminal.exit();
    let listed = terminal.output();
    assert!(listed.len() > 1000 && listed.is_ascii(), "{} bytes", listed.len());
}

#[test]
fn no_verb_lets_through_what_a_terminal_obeys() {
    let liar = HostileServer::start(now());
    let place = place(&liar.url, &lies(&liar.url));
    let hostile = corpus().iter().step_by(6).map(|text| text.replace('\0', "")).collect::<Vec<_>>();
    let mut runs: Vec<Vec<&str>> = Vec::new();
    for verb in [
        "status",
        "services",
        "slos",
        "alerts",
        "incidents",
        "oncall",
        "silences",
        "sources",
        "doctor",
        "journal",
        "stats",
    ] {
        for format in ["table", "json", "markdown"] {
            runs.push(vec![verb, "--output", format]);
        }
    }
    for format in ["text", "ansi", "svg"] {
        runs.push(vec!["snapshot", "alerts", "--format", format]);
        runs.push(vec!["snapshot", "incidents", "--format", format]);
    }
    let slos = place.folder.path().join("slos.yaml").display().to_string();
    let broken = place.folder.path().join("broken.yaml").display().to_string();
    runs.extend([
        vec!["check"],
        vec!["handoff"],
        vec!["postmortem", "101"],
        vec!["config", "show"],
        vec!["config", "check"],
    ]);
    runs.extend([
        vec!["slo", "validate", &slos, &broken],
        vec!["slo", "validate", "-o", "json", &slos, &broken],
        vec!["ack", "101", "--dry-run"],
    ]);
    for to in ["sloth", "openslo", "pyrra", "rules", "own"] {
        runs.push(vec!["slo", "export", &slos, "--format", to]);
    }
    for text in &hostile {
        runs.extend([
            vec!["check", text],
            vec!["alerts", text],
            vec![text],
            vec!["postmortem", text],
            vec!["--theme", text, "status"],
        ]);
        runs.extend([
            vec!["slo", "validate", text],
            vec!["silence", text, "--for", "1h", "--comment", text, "--yes", "--dry-run"],
        ]);
        runs.extend([
            vec!["--context", text, "status"],
            vec!["--prometheus", text, "status"],
            vec!["--config", text, "status"],
        ]);
    }
    let (mut seen, mut failed) = (0, Vec::new());
    let environment = [&place.environment()[..], &[("BURNWATCH_CONFIG", place.config.as_str())][..]].concat();
    for (words, output) in runs.iter().zip(run_all(&runs, &environment)) {
        for written in [&output.stdout, &output.stderr] {
            seen += String::from_utf8_lossy(written).matches(MARK).count();
            let found = forbidden_sequences(written).into_iter().take(3);
            failed.extend(found.map(|reported| format!("{words:.60?}: {reported}")));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(seen > 100, "only {seen} hostile texts were shown at all");
}
