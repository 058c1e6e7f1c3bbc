//! The documentation is complete: it names every option and every JSON key, and its command lines work.
#![expect(clippy::unwrap_used, reason = "a test may fail so")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

fn page(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// The output of `burnwatch` in a new home directory, without a configuration.
fn printed(words: &[&str]) -> String {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_burnwatch"));
    command.args(words).stdin(Stdio::null()).env_clear().env("HOME", home.path());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The names of all properties in a JSON schema.
fn properties(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(map) => {
            if let Some(Value::Object(properties)) = map.get("properties") {
                found.extend(properties.keys().cloned());
            }
            map.values().for_each(|value| properties(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| properties(value, found)),
        _ => {}
    }
}

#[test]
fn every_option_is_described() {
    let page = page("docs/configuration.md");
    let mut options = BTreeSet::new();
    properties(&serde_json::from_str(&printed(&["config", "schema"])).unwrap(), &mut options);
    assert!(options.len() > 30, "{options:?}");
    let is_told = |name: &str| {
        ["`", ".", "[", " ", "{ "].iter().any(|before| {
            ["`", ".", "]", " ="].iter().any(|after| page.contains(&format!("{before}{name}{after}")))
        })
    };
    let missing: Vec<_> = options.iter().filter(|option| !is_told(option)).collect();
    assert!(missing.is_empty(), "docs/configuration.md does not name {missing:?}");
}

#[test]
fn every_key_of_the_json_is_described() {
    let page = page("docs/json.md");
    for verb in [
        "status",
        "services",
        "slos",
        "alerts",
        "incidents",
        "oncall",
        "silences",
        "sources",
        "changes",
        "doctor",
    ] {
        let json: Value =
            serde_json::from_str(&printed(&[verb, "--demo", "--at", "2", "-o", "json"])).unwrap();
        let object = json.as_object().unwrap();
        let rows = object.values().filter_map(Value::as_array).flatten().filter_map(Value::as_object);
        let keys: BTreeSet<&String> = object.keys().chain(rows.flat_map(|row| row.keys())).collect();
        let missing: Vec<_> = keys.into_iter().filter(|key| !page.contains(&format!("`{key}`"))).collect();
        assert!(missing.is_empty(), "docs/json.md does not name {missing:?} of {verb}");
    }
}

#[test]
fn the_readmes_pictures_are_there_and_can_be_drawn_anew() {
    let readme = page("README.md");
    let names: Vec<&str> = readme
        .split("](assets/")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names.len(), 11, "{names:?}");
    let folder = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/pictures");
    let drawn =
        Command::new(script).arg(env!("CARGO_BIN_EXE_burnwatch")).arg(folder.path()).output().unwrap();
    assert!(drawn.status.success(), "{}", String::from_utf8_lossy(&drawn.stderr));
    for name in names {
        assert!(page(&format!("assets/{name}")).ends_with("</svg>\n"), "{name}");
        assert!(std::fs::read_to_string(folder.path().join(name)).unwrap().ends_with("</svg>\n"), "{name}");
    }
}

#[test]
fn links_between_pages_lead_somewhere() {
    for name in [
        "README.md",
        "CONTRIBUTING.md",
        "docs/configuration.md",
        "docs/json.md",
        "docs/slos.md",
        "docs/architecture.md",
    ] {
        let page = page(name);
        let targets =
            page.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
        for target in targets.filter(|target| !target.starts_with("http")) {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
            let path = path.parent().unwrap().join(target.split('#').next().unwrap());
            assert!(path.exists(), "{name} links to {target}, which is not there");
        }
    }
}
