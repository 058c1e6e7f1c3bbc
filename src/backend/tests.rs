//! Tests of all kinds of sources, and the generated part of the documentation.

mod json_file;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;

use super::*;
use crate::config::KnownNames;
use crate::config::kind::Address;
use crate::config::load::parse;
use crate::config::schema;
use crate::model::action::OperationKind;
use crate::model::ask::{Answer, Query};
use crate::model::operation::{Param, TargetKind};

#[test]
fn every_kind_has_a_name_of_its_own_and_an_example_that_is_right() {
    let names: BTreeSet<&str> = KINDS.iter().map(|kind| kind.name).collect();
    assert_eq!(names.len(), KINDS.len());
    for kind in KINDS.iter() {
        let known = KnownNames { kinds: &KINDS, ..KnownNames::default() };
        let settings = parse(kind.name, kind.example, &known).unwrap_or_else(|error| panic!("{error}"));
        let deps = SourceDeps::new(&settings, Clock::fixed(Timestamp::UNIX_EPOCH));
        assert!(!settings.sources.is_empty() && !kind.answers.is_empty(), "{kind:?}");
        for (name, source) in &settings.sources {
            assert_eq!(source.kind, *kind);
            let info = connect(&SourceId::new(name), source, deps).info().clone();
            assert_eq!((info.kind.name(), info.writes.kinds), (kind.name, kind.writes.kinds), "{name}");
        }
    }
}

/// The section of `docs/configuration.md` about the kinds.
fn as_markdown() -> String {
    let schema = schema(&KINDS);
    let of_kinds = schema.pointer("/$defs/SourceSettings/oneOf").and_then(Value::as_array).unwrap();
    let mut page = String::new();
    for (kind, schema) in KINDS.iter().zip(of_kinds) {
        writeln!(page, "### `kind = \"{}\"`: {} ({})\n{}\n", kind.name, kind.title, kind.summary, kind.about)
            .unwrap();
        page.push_str("| | |\n| --- | --- |\n");
        let mut row = |name: &str, said: String| writeln!(page, "| {name} | {said} |").unwrap();
        row(
            "`url`",
            match kind.address {
                Some(Address::Needed) => "needed".to_owned(),
                Some(Address::Usual(url)) => format!("`{url}` unless said"),
                None => "none".to_owned(),
            },
        );
        let schemes: Vec<String> = kind.auth.iter().map(|scheme| format!("`{}`", scheme.key())).collect();
        let needed = if kind.is_auth_needed { "; one is needed" } else { "" };
        row("`auth`", format!("{}{needed}", schemes.join(", ")));
        if let Some(header) = kind.key_header() {
            row("`auth.token`", format!("sent as `{}: {}...`", header.name, header.prefix));
        }
        for (key, option) in schema["properties"].as_object().unwrap() {
            if kind.options.keys().contains(key) {
                row(&format!("`{key}`"), option["description"].as_str().unwrap().replace('\n', " "));
            }
        }
        let words: Vec<&str> = kind.answers.iter().map(|ask| ask.word()).collect();
        row("answers", words.join(", "));
        let acts: Vec<&str> = kind.writes.kinds.iter().map(|act| act.name()).collect();
        row("actions", if acts.is_empty() { "none".to_owned() } else { acts.join(", ") });
        if kind.flag.is_some() {
            row("flag", format!("`--{} URL`", kind.name));
        }
        page.push('\n');
    }
    page
}

#[test]
fn the_documentation_tells_of_every_kind() {
    const BEGIN: &str = "<!-- kinds of sources: made of what each says of itself, by UPDATE_DOCS=1 -->\n";
    const END: &str = "<!-- end of the kinds of sources -->";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/configuration.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let made = format!("{before}{BEGIN}{}{END}{after}", as_markdown());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        return std::fs::write(path, &made).unwrap();
    }
    assert!(page == made, "docs/configuration.md is not up to date: run with UPDATE_DOCS=1");
}

/// The table of operations as markdown: `docs/actions.md`.
fn actions_as_markdown() -> String {
    let mut page = String::from(
        "# Actions\n\nGenerated from the table in `src/model/operation/table.rs`. The first column is the name for `deny`. `x` lists all actions\n\
         for the selection and why some are not available. Each action asks for confirmation; `--dry-run` shows the\n\
         requests and sends none.\n\n| action | does | on | command line | with | undone by | at |\n\
         | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for spec in OperationKind::ALL.iter().map(|kind| kind.spec()) {
        let on = match spec.target {
            TargetKind::Incident => "incidents",
            TargetKind::Service => "a service",
            TargetKind::Schedule => "a schedule",
            TargetKind::Alerts => "alerts",
            TargetKind::Silence => "silences",
        };
        let verb = match (spec.cli.name, spec.target) {
            ("", TargetKind::Silence) => format!("silence {}", spec.name),
            ("", _) => spec.name.to_owned(),
            (verb, _) => verb.to_owned(),
        };
        let flag = |param: &Param| match (param.flag, param.value) {
            (_, "") => None,
            ("", value) => Some(format!("`{value}`")),
            (flag, _) => Some(format!("`--{flag}`")),
        };
        let with: Vec<String> = spec.params.iter().filter_map(flag).collect();
        let undo = spec.undo.map(|verb| format!("`{verb}`")).unwrap_or_default();
        let at: Vec<&str> = KINDS
            .iter()
            .filter(|kind| kind.writes.kinds.contains(&spec.kind))
            .map(|kind| kind.title)
            .collect();
        let (name, does, with, at) = (spec.name, spec.verb, with.join(" "), at.join(", "));
        writeln!(page, "| `{name}` | {does} | {on} | `{verb}` | {with} | {undo} | {at} |").unwrap();
    }
    page
}

#[test]
fn the_documentation_tells_of_every_operation() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/actions.md");
    let made = actions_as_markdown();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        return std::fs::write(path, &made).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), made, "run with UPDATE_DOCS=1");
}

#[tokio::test]
async fn a_kind_is_a_folder_and_a_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("world.json");
    let world = r#"{"alerts": [{"labels": {"alertname": "Slow", "severity": "page"}, "since": "2026-01-02T03:04:05Z"}],
        "services": {"checkout": 0.25}}"#;
    std::fs::write(&path, world).unwrap();
    let kinds = [&json_file::SPEC, kind("prometheus")];
    let known = KnownNames { kinds: &kinds, ..KnownNames::default() };
    let text = format!("[sources.file]\nkind = \"json\"\npath = {:?}\n", path.display().to_string());
    let settings = parse("config.toml", &text, &known).unwrap();
    let deps = SourceDeps::new(&settings, Clock::fixed(Timestamp::UNIX_EPOCH));
    let source = json_file::JsonFile::new(&SourceId::new("file"), &settings.sources["file"], deps).unwrap();
    let Ok(Answer::Alerts(snapshot)) =
        source.answer(&Query::Alerts.now(), None).await.map(|reply| reply.answer)
    else {
        panic!("no alerts")
    };
    assert_eq!((snapshot.alerts.len(), snapshot.alerts[0].name()), (1, "Slow"));
    let services = source.answer(&Query::Services.now(), None).await.unwrap().answer;
    assert!(matches!(services, Answer::Services(snapshot) if &*snapshot.readings[0].name == "checkout"));

    let wrong = "[sources.file]\nkind = \"json\"\npth = \"x\"\n[sources.p]\nkind = \"prometheus\"\nurl = \"http://p\"\npath = \"x\"\n";
    assert_eq!(
        parse("config.toml", wrong, &known).unwrap_err().to_string(),
        "config.toml:1:1: [sources.file] lacks `path`\n\
         config.toml:3:1: unknown key `pth` in [sources.file]; did you mean `path`?\n\
         config.toml:7:1: unknown key `path` in [sources.p]; `path` is an option of json"
    );
}
