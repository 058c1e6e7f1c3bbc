//! `burnwatch slo` as scripts use it, with files of the test.
#![cfg(test)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;

use serde_json::Value;

struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn run(&self, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_burnwatch"));
        command.args(words).stdin(Stdio::null()).env_clear().env("HOME", self.0.path()).env("TZ", "UTC");
        command.output().unwrap()
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn complaint(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn fixture(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/definitions").join(name).display().to_string()
}

const FINE: &str = "service = \"shop\"\n\n[[slo]]\nname = \"orders\"\nobjective = 99.9\nbad = 'orders_total{state=\"failed\"}'\ntotal = \"orders_total\"\n";

#[test]
fn a_fine_definition_is_shown_with_its_queries_and_lookbacks() {
    let home = Home::new();
    let file = home.file("slos.toml", FINE);
    let reported = home.run(&["slo", "validate", &file]);
    assert_eq!(complaint(&reported), "");
    assert_eq!(reported.status.code(), Some(0));
    assert_eq!(
        out(&reported),
        "shop-orders: 99.9 % over 30d\n  bad events over 5m:\n    sum (rate(orders_total{state=\"failed\"}[5m]))\n  \
         all events over 5m:\n    sum (rate(orders_total[5m]))\n  and over 30m, 1h, 2h, 6h, 1d, 3d, 30d\n\n\
         1 SLO, 0 errors, 0 warnings\n"
    );
}

#[test]
fn errors_end_with_two_and_warnings_with_one_only_if_they_count() {
    let home = Home::new();
    let warned = home.file("warned.toml", &FINE.replace("99.9", "90"));
    for (words, code, said) in [
        (vec!["slo", "validate", warned.as_str()], 0, "can never fire"),
        (vec!["slo", "validate", "--strict", &warned], 1, "can never fire"),
        (vec!["slo", "validate", &fixture("bad/sloth.yaml")], 2, ": error: "),
        (vec!["slo", "validate", &fixture("good/sloth.yaml")], 0, "plug-in"),
    ] {
        let reported = home.run(&words);
        assert_eq!(
            reported.status.code(),
            Some(code),
            "{words:?}: {}{}",
            out(&reported),
            complaint(&reported)
        );
        assert!(out(&reported).contains(said), "{words:?}: {}", out(&reported));
    }
    let none = home.run(&["slo", "validate"]);
    assert_eq!(none.status.code(), Some(2));
    assert!(complaint(&none).contains("no SLO was found"), "{}", complaint(&none));
    let missing = home.run(&["slo", "validate", "/nowhere/at/all.yaml"]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(out(&missing).starts_with("/nowhere/at/all.yaml: error: "), "{}", out(&missing));
}

#[test]
fn validate_tells_programs_the_same() {
    let home = Home::new();
    let reported = home.run(&["slo", "validate", "-o", "json", &fixture("good"), &fixture("bad")]);
    assert_eq!(reported.status.code(), Some(2));
    let json: Value = serde_json::from_str(&out(&reported)).unwrap();
    let findings = json["findings"].as_array().unwrap();
    assert!(findings.iter().any(|f| f["level"] == "error" && f["line"].is_u64() && f["path"].is_string()));
    let slos = json["slos"].as_array().unwrap();
    let orders = slos.iter().find(|slo| slo["id"] == "api-errors").unwrap();
    assert_eq!((&orders["objective"], &orders["form"]), (&0.999.into(), &"pyrra".into()));
    assert_eq!(orders["queries"].as_array().unwrap().len(), 8);
    assert!(orders["series"].is_null());
}

/// Starts a fake Prometheus with series of one metric only; returns its URL.
fn prometheus() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            thread::spawn(move || {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let (mut head, mut length) = (String::new(), 0);
                loop {
                    let mut line = String::new();
                    if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
                        break;
                    }
                    if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                        length = value.trim().parse().unwrap();
                    }
                    head += &line;
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                let asked = head + &String::from_utf8_lossy(&body);
                let start = asked
                    .split("start=")
                    .nth(1)
                    .and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse::<u64>().ok());
                let result = match start {
                    Some(start) if !asked.contains("failed") => {
                        let end = asked.split("end=").nth(1).unwrap();
                        let end = end.split(|c: char| !c.is_ascii_digit()).next().unwrap();
                        format!("[{{\"metric\":{{}},\"values\":[[{start},\"7\"],[{end},\"7\"]]}}]")
                    }
                    _ => "[]".to_owned(),
                };
                let kind = if asked.contains("query_range") { "matrix" } else { "vector" };
                let body = format!(
                    "{{\"status\":\"success\",\"data\":{{\"resultType\":\"{kind}\",\"result\":{result}}}}}"
                );
                drop(write!(
                    stream,
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                ));
            });
        }
    });
    address
}

#[test]
fn a_source_says_which_series_exist() {
    let home = Home::new();
    let file = home.file("slos.toml", FINE);
    let reported = home.run(&["slo", "validate", &file, "--prometheus", &prometheus()]);
    let words = out(&reported);
    assert!(words.contains("series orders_total: 7\n"), "{words}{}", complaint(&reported));
    assert!(words.contains("series orders_total{state=\"failed\"}: none\n"), "{words}");
    assert!(
        words.contains(":3: warning: `shop-orders`: there are no series orders_total{state=\"failed\"}"),
        "{words}"
    );
    assert_eq!(reported.status.code(), Some(0));
    let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let reported = home.run(&["slo", "validate", &file, "--prometheus", &format!("http://{dead}")]);
    assert_eq!(reported.status.code(), Some(3), "{}", complaint(&reported));
    assert!(out(&reported).contains("series orders_total: not known\n") && !complaint(&reported).is_empty());
}

#[test]
fn import_and_export_go_round() {
    let home = Home::new();
    let own = home.run(&["slo", "import", &fixture("good/pyrra.yaml")]);
    assert_eq!((own.status.code(), complaint(&own)), (Some(0), String::new()));
    let file = home.file("own.toml", &out(&own));
    let again = home.run(&["slo", "import", &file]);
    assert_eq!(out(&again), out(&own));
    let pyrra = home.run(&["slo", "export", "--format", "pyrra", &file]);
    assert!(out(&pyrra).contains("kind: ServiceLevelObjective"), "{}", out(&pyrra));
    let strict = home.run(&["slo", "export", "--format", "sloth", "--strict", &file]);
    assert_eq!(strict.status.code(), Some(1));
    assert!(
        complaint(&strict).contains("sloth: this format cannot express: api-errors: by: "),
        "{}",
        complaint(&strict)
    );
    assert!(out(&strict).contains("  # not included: api-errors: by: "));
    let rules = home.run(&["slo", "export", "--format", "rules", &file]);
    assert!(out(&rules).starts_with("groups:\n  - name: api-errors\n    interval: 30s\n"), "{}", out(&rules));
    let config = home.file("config.toml", "[slo]\nfiles = [\"own.toml\"]\n");
    let configured = home.run(&["slo", "export", "--format", "rules", "--config", &config]);
    assert_eq!(out(&configured), out(&rules));
}

/// A Sloth definition of two SLOs, with plug-ins of the document and of one SLO.
fn with_plugins(of_all: &str, of_one: &str) -> String {
    let slo = |name: &str, plugins: &str| {
        format!(
            "  - name: {name}\n    objective: 99.9\n{plugins}    sli: {{events: {{error_query: 'sum(rate(bad[{{{{.window}}}}]))', \
             total_query: 'sum(rate(all[{{{{.window}}}}]))'}}}}\n    alerting: {{name: Burn}}\n"
        )
    };
    format!("version: prometheus/v1\nservice: shop\n{of_all}slos:\n{}{}", slo("one", of_one), slo("two", ""))
}

#[test]
fn plug_ins_of_sloth_are_named_with_their_lines_and_count_as_warnings() {
    let of_all = "slo_plugins:\n  chain:\n    - id: a.example/corrected/v1\n    - {id: a.example/more/v1, priority: 9, config: {x: 1}}\n";
    let of_one = "    plugins:\n      overridePrevious: true\n      chain: [{id: a.example/own/v1}]\n";
    let kubernetes = "apiVersion: sloth.slok.dev/v1\nkind: PrometheusServiceLevel\nmetadata: {name: x}\nspec:\n  service: shop\n  \
                      sloPlugins: {chain: [{id: a.example/k8s/v1}]}\n  slos:\n    - name: one\n      objective: 99\n      \
                      plugins: {chain: [{id: a.example/own/v1}]}\n      sli: {events: {errorQuery: 'sum(rate(bad[{{.window}}]))', \
                      totalQuery: 'sum(rate(all[{{.window}}]))'}}\n      alerting: {name: Burn}\n";
    let cases = [
        (with_plugins(of_all, ""), vec![(5, "a.example/corrected/v1"), (6, "a.example/more/v1")]),
        (with_plugins("", of_one), vec![(7, "overridePrevious"), (8, "a.example/own/v1")]),
        (kubernetes.to_owned(), vec![(6, "a.example/k8s/v1"), (10, "a.example/own/v1")]),
        (with_plugins("slo_plugins: {chain: []}\n", "    plugins: {chain: []}\n"), vec![]),
        (with_plugins("", ""), vec![]),
    ];
    let home = Home::new();
    for (text, named) in cases {
        let file = home.file("slos.yaml", &text);
        for verb in [
            vec!["validate"],
            vec!["import"],
            vec!["export", "--format", "rules"],
            vec!["export", "--format", "sloth"],
        ] {
            for strict in [true, false] {
                let flag = strict.then_some("--strict");
                let words: Vec<&str> = std::iter::once("slo")
                    .chain(verb.iter().copied())
                    .chain(flag)
                    .chain([file.as_str()])
                    .collect();
                let reported = home.run(&words);
                let said = if verb == ["validate"] { out(&reported) } else { complaint(&reported) };
                let warnings: Vec<&str> = said.lines().filter(|line| line.contains(": warning: ")).collect();
                assert_eq!(warnings.len(), named.len(), "{words:?}: {said}");
                for (line, what) in &named {
                    let place = format!("slos.yaml:{line}: warning: ");
                    assert!(
                        warnings.iter().any(|said| said.contains(&place) && said.contains(what)),
                        "{words:?}: {line} {what}: {said}"
                    );
                }
                let code = i32::from(strict && !named.is_empty());
                assert_eq!(reported.status.code(), Some(code), "{words:?}: {said}");
            }
        }
    }
}

#[test]
fn half_valid_files_are_written_as_far_as_they_are_valid() {
    let home = Home::new();
    let reported = home.run(&["slo", "export", "--format", "openslo", &fixture("bad"), &fixture("good")]);
    assert_eq!(reported.status.code(), Some(2));
    assert!(
        out(&reported).contains("apiVersion: openslo/v1\n") && complaint(&reported).contains(": error: ")
    );
    let reported = home.run(&["slo", "export", "--format", "opensol", &fixture("good")]);
    assert_eq!(reported.status.code(), Some(2));
    assert!(complaint(&reported).contains("did you mean `openslo`"), "{}", complaint(&reported));
}

#[test]
fn a_file_that_is_there_is_left_alone_unless_forced() {
    let home = Home::new();
    let (from, to) = (home.file("slos.toml", FINE), home.file("rules.yaml", "mine\n"));
    let kept = home.run(&["slo", "export", "--format", "rules", &from, "--write", &to]);
    assert_eq!(kept.status.code(), Some(2));
    assert!(complaint(&kept).contains("already exists; --force overwrites it"), "{}", complaint(&kept));
    assert_eq!(fs::read_to_string(&to).unwrap(), "mine\n");
    let forced = home.run(&["slo", "export", "--format", "rules", &from, "--write", &to, "--force"]);
    assert_eq!((forced.status.code(), out(&forced)), (Some(0), String::new()));
    assert!(fs::read_to_string(&to).unwrap().contains("groups:\n"));
    let new = home.0.path().join("new.yaml").display().to_string();
    assert_eq!(
        home.run(&["slo", "export", "--format", "rules", &from, "--write", &new]).status.code(),
        Some(0)
    );
    assert!(fs::read_to_string(&new).unwrap().contains("groups:\n"));
    let entries = fs::read_dir(home.0.path()).unwrap().count();
    assert_eq!(entries, 3, "nothing else is left behind");
}
