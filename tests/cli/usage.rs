//! Arguments of verbs: wrong flags, exit codes, completions, the version.

use std::path::Path;
use std::process::Command;

use super::*;

#[test]
fn a_wrong_flag_is_told_once_by_every_verb() {
    let home = Home::new();
    let all = verbs(&home, &[]).into_iter().chain([Vec::new(), vec!["demo".to_owned()]]);
    for verb in all {
        let words: Vec<&str> = verb.iter().map(String::as_str).chain(["--bogus"]).collect();
        let output = home.run(&words);
        let said = out(&output) + &complaint(&output);
        assert_eq!(said.matches("unexpected argument '--bogus' found").count(), 1, "{words:?}: {said}");
        let is_check = verb.first().is_some_and(|verb| verb == "check");
        assert_eq!(output.status.code(), Some(if is_check { 3 } else { 2 }), "{words:?}");
        assert_eq!(out(&output).starts_with("BURNWATCH UNKNOWN: "), is_check, "{words:?}");
    }
    // an argument `check` is not the verb `check`
    assert_eq!(home.run(&["alerts", "check", "--bogus"]).status.code(), Some(2));
    assert_eq!(home.run(&["--utc", "check", "--bogus"]).status.code(), Some(3));
    let twisted = home.run(&["check", "--seed", "3"]);
    assert_eq!((twisted.status.code(), complaint(&twisted).as_str()), (Some(3), ""));
    assert!(out(&twisted).contains("add --demo"));
}

#[test]
fn the_help_of_every_verb_says_what_its_exit_codes_mean() {
    let home = Home::new();
    for verb in verbs(&home, &[]) {
        let verb: Vec<&str> = verb.iter().map(String::as_str).collect();
        let names: Vec<&str> = verb
            .iter()
            .copied()
            .take_while(|word| word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'))
            .take(2)
            .collect();
        let known = |words: &[&str]| home.run(&[words, &["--help"]].concat());
        let help =
            [&names[..], &names[..1]].into_iter().map(known).find(|help| help.status.success()).unwrap();
        // these print only built-in data
        if matches!(names[..], ["completions", ..] | ["demo" | "slo"] | ["config", "schema" | "path"]) {
            continue;
        }
        assert!(out(&help).contains("Exit codes"), "{names:?}");
    }
    let check = out(&home.run(&["check", "--help"]));
    for line in ["  0  OK", "  1  WARNING", "  2  CRITICAL", "  3  UNKNOWN"] {
        assert!(check.contains(line), "{check}");
    }
}

#[test]
fn the_version_names_the_build() {
    for flag in ["-V", "--version"] {
        let said = out(&Home::new().run(&[flag]));
        assert!(said.starts_with(concat!("burnwatch ", env!("CARGO_PKG_VERSION"), " (")), "{said}");
    }
}

#[test]
fn what_no_source_of_the_context_can_tell_is_wrong_usage_and_names_what_is_missing() {
    let home = Home::new();
    let (prom, am) = (["--prometheus", "http://127.0.0.1:9"], ["--alertmanager", "http://127.0.0.1:9"]);
    for (verb, flags, kinds) in [
        (&["incidents"][..], prom, "pagerduty"),
        (&["oncall"], prom, "pagerduty"),
        (&["slos"], am, "prometheus"),
        (&["services"], am, "prometheus"),
        (&["silences"], prom, "alertmanager"),
    ] {
        let output = home.run(&[verb, &flags, &["-o", "json"]].concat());
        let said = complaint(&output);
        assert_eq!((output.status.code(), out(&output).as_str()), (Some(2), ""), "{verb:?}: {said}");
        assert!(said.contains("no source of the context 127.0.0.1 has") && said.contains(kinds), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    let off = home.file(
        "off.toml",
        "slo.discover = false\n[sources.p]\nkind = \"prometheus\"\nurl = \"http://127.0.0.1:9\"\n",
    );
    let output = home.run(&["slos", "--config", &off]);
    assert_eq!(output.status.code(), Some(2));
    assert!(complaint(&output).contains("slo.discover"), "{}", complaint(&output));
}

#[test]
fn an_output_format_never_names_a_file() {
    let home = Home::new();
    let file = home.file("slo.toml", "[[slo]]\nname = \"x\"\n");
    for verb in [&["slo", "export", "--format", "rules"][..], &["slo", "import"]] {
        for flag in [&["-o", "json"][..], &["-ojson"], &["--output", "json"], &["-o", "rules.yaml"]] {
            let mut command = home.command(&[verb, flag, &[&file]].concat());
            let output = command.current_dir(home.0.path()).output().unwrap();
            assert_eq!(output.status.code(), Some(2), "{verb:?} {flag:?}");
            assert!(complaint(&output).contains("--write FILE"), "{}", complaint(&output));
            assert!(!home.0.path().join("json").exists() && !home.0.path().join("rules.yaml").exists());
        }
    }
}

/// The completions of a shell after these words.
fn offered(home: &Home, shell: &str, words: &[&str]) -> Option<String> {
    let script = home.file(shell, &out(&home.run(&["completions", shell])));
    let asked = match shell {
        "bash" => {
            let count = words.len();
            let line = words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
            let (current, before) = (words[count - 1], words[count - 2]);
            format!(
                "source \"$1\"; COMP_WORDS=({line}); COMP_CWORD={}; _burnwatch burnwatch '{current}' '{before}'; \
                 printf '%s\\n' \"${{COMPREPLY[@]}}\"",
                count - 1
            )
        }
        "fish" => format!("source $argv[1]; complete -C '{}'", words.join(" ")),
        other => panic!("{other}"),
    };
    let mut command = Command::new(shell);
    command.env_clear().env("HOME", home.0.path()).args(["-c", &asked]);
    if shell == "bash" {
        command.arg(shell);
    }
    let folder = Path::new(env!("CARGO_BIN_EXE_burnwatch")).parent().unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{}:{path}", folder.display()));
    let output = command.arg(&script).output().ok();
    if output.is_none() {
        skip::skip(&format!("there is no {shell}"));
    }
    output.as_ref().map(out)
}

#[test]
fn completions_offer_values_and_names_of_the_configuration() {
    let home = Home::new();
    let source = "kind = \"prometheus\"\nurl = \"http://127.0.0.1:9\"\n";
    let text = format!(
        "[sources.prom-eu]\n{source}[contexts.prod-eu]\nsources = [\"prom-eu\"]\n\
         [contexts.staging]\nsources = []\n"
    );
    home.file(".config/burnwatch/config.toml", &text);
    home.file(".config/burnwatch/themes/mine.toml", "name = \"mine\"\n");
    // a shell would execute such a name
    home.file(".config/burnwatch/themes/odd.toml", "name = \"$(touch harm)\"\n");
    let other =
        home.file("other.toml", &format!("[sources.x]\n{source}[contexts.elsewhere]\nsources = []\n"));
    for shell in ["bash", "fish"] {
        for (words, values) in [
            (&["burnwatch", "alerts", "--context", ""][..], &["prod-eu", "staging"][..]),
            (&["burnwatch", "--context", "prod"], &["prod-eu"]),
            (&["burnwatch", "alerts", "--config", &other, "--context", ""], &["elsewhere"]),
            (&["burnwatch", "--theme", ""], &["dark", "high-contrast", "mine"]),
            (&["burnwatch", "slo", "export", "--format", ""], &["openslo", "rules", "own"]),
            (&["burnwatch", "snapshot", "--format", ""], &["ansi", "svg", "text"]),
            (&["burnwatch", "ack", "1", "--source", ""], &["prom-eu"]),
            (&["burnwatch", "silences", "--output", ""], &["json", "markdown", "table"]),
            (&["burnwatch", "stats", "--by", ""], &["service", "team"]),
        ] {
            let Some(offered) = offered(&home, shell, words) else { continue };
            let first = |line: &str| line.split('\t').next().unwrap_or_default().trim().to_owned();
            let offered: Vec<String> = offered.lines().map(first).collect();
            for value in values {
                assert!(offered.iter().any(|name| name == value), "{shell} {words:?}: {offered:?}");
            }
            assert!(!offered.iter().any(|name| name.contains("touch") || name.contains('@')), "{offered:?}");
        }
    }
    assert!(!home.0.path().join("harm").exists() && !Path::new("harm").exists());
    // completions print no errors of the configuration
    home.file(".config/burnwatch/config.toml", "x = 1\n");
    let output = home.run(&["names", "contexts"]);
    assert_eq!((output.status.code(), out(&output).as_str()), (Some(0), ""));
}
