//! The program as scripts use it: output, exit codes, and behaviour with pipes and missing terminals.
#![expect(clippy::unwrap_used, reason = "a test may fail so")]

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

#[cfg(test)]
#[path = "cli/documents.rs"]
mod documents;
#[cfg(test)]
#[path = "support/skip.rs"]
mod skip;
#[cfg(test)]
#[path = "cli/statistics.rs"]
mod statistics;
#[cfg(test)]
#[path = "cli/usage.rs"]
mod usage;

struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_burnwatch"));
        command.args(words).stdin(Stdio::null()).env_clear().env("HOME", self.0.path()).env("TZ", "UTC");
        command
    }

    fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new(""))).unwrap();
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn complaint(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn without_a_terminal_the_screen_names_the_other_verbs() {
    let output = Home::new().run(&["demo"]);
    assert_eq!(output.status.code(), Some(2));
    let said = complaint(&output);
    assert!(
        said.contains("terminal") && said.contains("burnwatch status") && said.contains("burnwatch snapshot")
    );
}

#[test]
fn every_list_is_one_json_object_with_its_lists() {
    let home = Home::new();
    for (verb, key) in [
        ("status", "services"),
        ("services", "services"),
        ("slos", "slos"),
        ("alerts", "alerts"),
        ("sources", "sources"),
    ] {
        let output = home.run(&[verb, "--demo", "--at", "5", "--output", "json"]);
        assert_eq!(output.status.code(), Some(0), "{verb}: {}", complaint(&output));
        let json: Value = serde_json::from_str(&out(&output)).unwrap();
        assert_eq!((&json["context"], &json["is_partial"]), (&"demo".into(), &false.into()), "{verb}");
        assert!(!json[key].as_array().unwrap().is_empty(), "{verb}");
    }
}

#[test]
fn the_demo_world_is_the_same_every_time() {
    let home = Home::new();
    let words = ["snapshot", "overview", "--demo", "--at", "2", "--size", "100x30", "--format", "ansi"];
    let first = home.run(&words);
    assert_eq!(first.status.code(), Some(0), "{}", complaint(&first));
    assert!(out(&first).contains("Overview"));
    assert_eq!(out(&first), out(&home.run(&words)));
}

#[test]
fn pictures_of_all_screens_and_of_what_lies_behind_them() {
    let home = Home::new();
    for (screen, press) in [
        ("overview", ""),
        ("services", "enter"),
        ("alerts", "down enter"),
        ("sources", ""),
        ("overview", "enter enter"),
    ] {
        let mut words = vec!["snapshot", screen, "--demo", "--at", "2", "--format", "svg"];
        if !press.is_empty() {
            words.extend(["--press", press]);
        }
        let output = home.run(&words);
        assert_eq!(output.status.code(), Some(0), "{screen} {press}: {}", complaint(&output));
        assert!(out(&output).starts_with("<svg ") && out(&output).ends_with("</svg>\n"), "{screen}");
    }
}

#[test]
fn keys_to_press_may_have_blanks_around_them() {
    let home = Home::new();
    let pressed = |keys: &str| {
        let output = home.run(&["snapshot", "alerts", "--demo", "--at", "2", "--press", keys]);
        assert_eq!(output.status.code(), Some(0), "{keys:?}: {}", complaint(&output));
        out(&output)
    };
    assert_eq!(pressed("  down   Enter "), pressed("down enter"));
    assert_eq!(pressed(" "), pressed(""));
    let output = home.run(&["snapshot", "alerts", "--demo", "--press", "down entre"]);
    assert!(complaint(&output).contains("\"entre\" is not a key"), "{}", complaint(&output));
}

#[test]
fn a_dead_source_is_told_and_makes_data_partial() {
    let home = Home::new();
    let dead = ["--prometheus", "http://127.0.0.1:1"];
    for verb in ["status", "services", "alerts", "sources"] {
        let output = home.run(&[&[verb], &dead[..]].concat());
        assert_eq!(output.status.code(), Some(3), "{verb}");
        assert!(out(&output).contains("cannot connect"), "{verb}: {}", out(&output));
    }
    let doctor = home.run(&[&["doctor"], &dead[..]].concat());
    assert_eq!(doctor.status.code(), Some(1));
    assert!(out(&doctor).contains("what to do"));
    let picture = home.run(&[&["snapshot", "overview"], &dead[..]].concat());
    assert!(out(&picture).contains("Overview"), "{}", complaint(&picture));
}

#[test]
fn a_wrong_configuration_is_refused_with_its_place() {
    let home = Home::new();
    let file = home.file(
        ".config/burnwatch/config.toml",
        "[sources.prom]\nkinds = \"prometheus\"\nurl = \"http://p\"\n",
    );
    for words in [&["status"][..], &["config", "check"], &["config", "show"], &["snapshot", "overview"]] {
        let output = home.run(words);
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        let wanted = format!("{file}:2:1: unknown key `kinds` in [sources.prom]; did you mean `kind`?");
        assert!(complaint(&output).contains(&wanted), "{words:?}: {}", complaint(&output));
    }
}

#[test]
fn the_environment_counts_less_than_a_flag_and_more_than_the_file() {
    let home = Home::new();
    let file = home.file("c.toml", "[ui]\ntheme = \"light\"\n");
    let shown = |flag: &[&str], env: Option<&str>| {
        let mut command = home.command(&[&["config", "show", "--config", &file], flag].concat());
        command.envs(env.map(|theme| ("BURNWATCH_THEME", theme)));
        out(&command.output().unwrap())
    };
    assert!(shown(&[], None).contains("theme = \"light\""));
    assert!(shown(&[], Some("dark")).contains("theme = \"dark\""));
    assert!(shown(&["--theme", "terminal"], Some("dark")).contains("theme = \"terminal\""));
}

#[test]
fn a_secret_is_never_shown() {
    let home = Home::new();
    let text =
        "[sources.p]\nkind = \"prometheus\"\nurl = \"http://127.0.0.1:1\"\nauth.bearer.env = \"TOKEN\"\n";
    let file = home.file("c.toml", text);
    for words in [&["config", "show"][..], &["doctor"], &["sources", "-o", "json"], &["status"]] {
        let mut command = home.command(&[words, &["--config", &file]].concat());
        let output = command.env("TOKEN", "hunter2-hunter2").output().unwrap();
        assert!(!out(&output).contains("hunter2") && !complaint(&output).contains("hunter2"), "{words:?}");
    }
    let output = home.run(&["services", "--config", &file]);
    assert!(out(&output).contains("env TOKEN is not set"), "{}", out(&output));
}

/// The required arguments of verbs.
const NEEDED: [(&str, &[&str]); 17] = [
    ("ack", &["1"]),
    ("assign", &["1", "--to", "ana"]),
    ("completions", &["bash"]),
    ("escalate", &["1", "--level", "1"]),
    ("status-update", &["1", "-m", "x"]),
    ("merge", &["1", "--into", "2"]),
    ("note", &["1", "-m", "x"]),
    ("postmortem", &["1"]),
    ("priority", &["1", "--as", "P1"]),
    ("reroute", &["1", "--to", "x"]),
    ("resolve", &["1"]),
    ("slo export", &["--format", "own"]),
    ("snapshot", &["overview"]),
    ("snooze", &["1", "--for", "1h"]),
    ("add-responder", &["1", "--who", "ana", "-m", "x"]),
    ("take-shift", &["x", "--level", "1"]),
    ("trigger", &["x", "--service", "cart"]),
];

/// All verbs in the help, with their required arguments and, for a verb with subcommands, each of these.
fn verbs(home: &Home, before: &[String]) -> Vec<Vec<String>> {
    let words: Vec<&str> = before.iter().map(String::as_str).collect();
    let help = out(&home.run(&[&words[..], &["--help"]].concat()));
    let listed =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names: Vec<&str> = listed.filter_map(|line| line.strip_prefix("  ")?.split(' ').next()).collect();
    let own = names.iter().filter(|name| !name.is_empty() && **name != "help");
    let below = own.flat_map(|name| verbs(home, &[before, &[(*name).to_owned()]].concat()));
    let needed =
        NEEDED.iter().find(|(verb, _)| *verb == before.join(" ")).map_or(&[][..], |(_, needed)| *needed);
    let this = before.iter().cloned().chain(needed.iter().map(|word| (*word).to_owned())).collect();
    below.chain([this]).filter(|verb: &Vec<String>| !verb.is_empty()).collect()
}

#[test]
fn no_verb_minds_a_reader_that_left_a_closed_output_or_a_full_disk() {
    let home = Home::new();
    let verbs = verbs(&home, &[]);
    assert!(verbs.len() > 30 && verbs.iter().any(|verb| verb.join(" ") == "config schema"), "{verbs:?}");
    let all: Vec<_> = verbs.iter().map(|verb| verb.iter().map(String::as_str).collect()).collect();
    let all = [all, vec![vec!["man"], vec!["--help"]]].concat();
    std::thread::scope(|scope| {
        for some in all.chunks(all.len().div_ceil(4)) {
            scope.spawn(|| some.iter().for_each(|verb| minds_nothing(&home, verb)));
        }
    });
}

fn minds_nothing(home: &Home, verb: &[&str]) {
    let words = [&["--demo", "--at", "3"], verb].concat();
    let usual = home.run(&words);
    let command = home.command(&[]);
    for (redirected, is_told) in [("| :", false), (">&- 2>&-", false), (">/dev/full", true)] {
        if redirected == ">/dev/full" && !Path::new("/dev/full").exists() {
            continue;
        }
        let mut sh = Command::new("sh");
        sh.args(["-c", &format!("\"$0\" \"$@\" {redirected}")]).arg(command.get_program()).args(&words);
        sh.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let output = sh.stdin(Stdio::null()).output().unwrap();
        let (said, code) = (complaint(&output), output.status.code());
        assert!(!said.contains("panicked"), "{verb:?} {redirected}: {said}");
        assert!(code.is_some_and(|code| code <= 3), "{verb:?} {redirected}: {:?}", output.status);
        if is_told && !usual.stdout.is_empty() {
            assert_eq!(code, Some(1), "{verb:?} {redirected}: {said}");
            assert!(said.contains("could not be written"), "{verb:?} {redirected}: {said}");
        }
    }
}

#[test]
fn the_manual_has_a_page_for_each_verb() {
    let home = Home::new();
    let page = out(&home.run(&["man"]));
    assert!(page.contains(".TH burnwatch 1") && page.contains("Exit codes"), "{page}");
    let folder = home.0.path().display().to_string();
    assert_eq!(home.run(&["man", &folder]).status.code(), Some(0));
    for name in ["burnwatch.1", "burnwatch-alerts.1", "burnwatch-config-check.1"] {
        assert!(home.0.path().join(name).exists(), "{name}");
    }
    assert_eq!(home.run(&["man", "/nowhere"]).status.code(), Some(1));
}

#[test]
fn each_shell_takes_its_completions() {
    let home = Home::new();
    for (shell, script) in [
        (
            "bash",
            "source \"$1\" && complete -p burnwatch && COMP_WORDS=(burnwatch sna) COMP_CWORD=1 && _burnwatch burnwatch sna burnwatch && echo \"${COMPREPLY[*]}\"",
        ),
        (
            "zsh",
            "autoload -Uz compinit && compinit -u -D && source \"$1\" && (( $+functions[_burnwatch] )) && grep -o snapshot \"$1\"",
        ),
        ("fish", "source $argv[1]; complete -C 'burnwatch sna'"),
    ] {
        let file = home.file(shell, &out(&home.run(&["completions", shell])));
        let mut command = Command::new(shell);
        command.env("HOME", home.0.path()).args(["-c", script]);
        if shell != "fish" {
            command.arg(shell);
        }
        let Ok(output) = command.arg(&file).output() else {
            skip::skip(&format!("there is no {shell}"));
            continue;
        };
        assert!(output.status.success(), "{shell}: {}", complaint(&output));
        assert!(out(&output).contains("snapshot"), "{shell}: {} {}", out(&output), complaint(&output));
    }
}

#[test]
fn usage_is_told_on_the_right_stream() {
    let home = Home::new();
    let help = home.run(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    assert!(out(&help).contains("Exit codes:"));
    for words in [&["nonsense"][..], &["--seed", "1", "alerts"], &["alerts", "--demo", "a=~\"(\""]] {
        let output = home.run(words);
        assert_eq!((output.status.code(), out(&output).as_str()), (Some(2), ""), "{words:?}");
        assert!(!complaint(&output).is_empty());
    }
}

#[test]
fn completions_and_schema_are_printed() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(out(&home.run(&["completions", shell])).contains("burnwatch"), "{shell}");
    }
    let schema: Value = serde_json::from_str(&out(&home.run(&["config", "schema"]))).unwrap();
    assert!(schema["properties"]["sources"].is_object());
    let written = home.run(&["config", "init", "--write"]);
    assert_eq!(written.status.code(), Some(0), "{}", complaint(&written));
    assert_eq!(home.run(&["config", "check"]).status.code(), Some(0));
    assert_eq!(home.run(&["config", "init", "--write"]).status.code(), Some(2));
}

#[test]
fn a_check_ends_as_monitoring_plugins_do() {
    let home = Home::new();
    let check = |words: &[&str]| {
        let output = home.run(&[&["check", "--demo", "--at", "3.5"], words].concat());
        (output.status.code().unwrap(), out(&output))
    };
    let (code, text) = check(&[]);
    assert_eq!(code, 2, "{text}");
    assert!(text.starts_with("BURNWATCH CRITICAL: payments-availability page"), "{text}");
    assert!(text.lines().next().unwrap().contains(" | 'page'=1 "), "{text}");
    for (name, expected, word) in [
        ("catalog-availability", 0, "OK"),
        ("catalog", 0, "OK"),
        ("carrier-bridge-availability", 1, "WARNING"),
        ("payments", 2, "CRITICAL"),
        ("report-builder-availability", 3, "UNKNOWN"),
        ("paiments", 3, "UNKNOWN"),
    ] {
        let (code, text) = check(&[name]);
        assert_eq!(code, expected, "{name}: {text}");
        assert!(text.starts_with(&format!("BURNWATCH {word}: ")), "{text}");
    }
    // for `check`, any failure is UNKNOWN, not CRITICAL
    assert_eq!(home.run(&["check", "--no-such-flag"]).status.code(), Some(3));
    assert_eq!(home.run(&["check", "--prometheus", "http://127.0.0.1:9"]).status.code(), Some(3));
    assert_eq!(home.run(&["check"]).status.code(), Some(3));
}
