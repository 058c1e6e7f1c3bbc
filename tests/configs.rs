//! Configuration files: the good ones load, and each bad one causes the message in the file beside it.
#![expect(clippy::unwrap_used, reason = "a test may fail so")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use burnwatch::testing::backend::KINDS;
use burnwatch::testing::config::load::parse;
use burnwatch::testing::config::settings::{ServiceSettings, Settings};
use burnwatch::testing::config::{KnownNames, sample, schema};
use serde_json::Value;

fn configs(folder: &str) -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/configs").join(folder);
    let mut files: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    assert!(!files.is_empty());
    files
}

#[test]
fn good_configurations_load_and_read_back_as_they_were() {
    for path in configs("good") {
        let text = fs::read_to_string(&path).unwrap();
        let settings = parse("config.toml", &text, &known())
            .unwrap_or_else(|error| panic!("{}:\n{error}", path.display()));
        let shown = toml::to_string(&settings).unwrap();
        let again = parse("shown.toml", &shown, &known()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(again, settings, "{}", path.display());
    }
}

#[test]
fn bad_configurations_are_refused_with_place_and_suggestion() {
    for path in configs("bad") {
        let text = fs::read_to_string(&path).unwrap();
        let error = parse("config.toml", &text, &known()).unwrap_err();
        if std::env::var_os("UPDATE_CONFIGS").is_some() {
            fs::write(path.with_extension("expected"), format!("{error}\n")).unwrap();
        }
        let expected = fs::read_to_string(path.with_extension("expected")).unwrap();
        assert_eq!(error.to_string(), expected.trim_end(), "{}", path.display());
    }
}

fn known() -> KnownNames<'static> {
    KnownNames { kinds: &KINDS, ..KnownNames::default() }
}

/// The sample configuration with its options uncommented.
fn sample_in_force() -> String {
    let is_option = |rest: &str| rest.starts_with(|c: char| c.is_ascii_lowercase() || c == '[');
    let sample = sample(&KINDS);
    let lines =
        sample.lines().map(|line| line.strip_prefix('#').filter(|rest| is_option(rest)).unwrap_or(line));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_sample_changes_nothing_as_it_is() {
    assert_eq!(parse("default.toml", &sample(&KINDS), &known()), Ok(Settings::default()));
}

#[test]
fn the_sample_shows_the_defaults() {
    let settings = parse("default.toml", &sample_in_force(), &known()).unwrap_or_else(|e| panic!("{e}"));
    let defaults = Settings::default();
    assert_eq!((settings.health, settings.limits), (defaults.health, defaults.limits));
    assert_eq!(settings.severity, defaults.severity);
    // these have no value unless one is given
    let services = ServiceSettings { lookback: None, depends_on: BTreeMap::new(), ..settings.services };
    assert_eq!(services, defaults.services);
}

#[test]
fn the_sample_names_every_option() {
    let sample: Value = toml::from_str(&sample_in_force()).unwrap();
    let schema = schema(&KINDS);
    let mut missing = Vec::new();
    absent(&schema, &schema, Some(&sample), String::new(), &mut missing);
    assert_eq!(missing, Vec::<String>::new());
}

/// Collects the options of the schema that are not in the sample. In a table of named entries, all entries count together.
fn absent(root: &Value, schema: &Value, sample: Option<&Value>, path: String, missing: &mut Vec<String>) {
    let Some(sample) = sample else { return missing.push(path) };
    let reference = schema.get("$ref").and_then(Value::as_str);
    let schema = reference.map_or(schema, |r| root.pointer(r.strip_prefix('#').unwrap()).unwrap());
    // the sample must have each kind of source, and any one form of a secret
    let kinds = schema.get("oneOf").and_then(Value::as_array).into_iter().flatten();
    for choice in kinds.filter(|choice| choice.pointer("/properties/kind").is_some()) {
        absent(root, choice, Some(sample), path.clone(), missing);
    }
    for (key, option) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        absent(root, option, sample.get(key), format!("{path}.{key}"), missing);
    }
    if let Some(each) = schema.get("additionalProperties").filter(|each| each.is_object()) {
        let entries = sample.as_object().unwrap().values();
        let mut all = serde_json::Map::new();
        entries.filter_map(Value::as_object).for_each(|entry| all.extend(entry.clone()));
        absent(root, each, Some(&Value::Object(all)), format!("{path}.*"), missing);
    }
}

proptest::proptest! {
    #[test]
    fn no_text_breaks_the_reader(text in "([a-z\\[\\]{}=.\"#,\\n 0-9µ日]|sources|kind|health|auth|env|timeout){0,60}") {
        if let Err(error) = parse("c.toml", &text, &known()) {
            proptest::prop_assert!(error.to_string().lines().all(|line| line.starts_with("c.toml:")), "{}", error);
        }
    }

    #[test]
    fn no_theme_breaks_the_reader(text in "\\PC{0,80}") {
        drop(burnwatch::testing::config::theme::parse("t.toml", &text));
    }
}
