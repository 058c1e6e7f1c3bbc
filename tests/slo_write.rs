//! SLOs written in every format and read again, for fixtures and a corpus of published definitions: each loss is reported, and a
//! real `promtool` accepts the rules.
#![cfg(test)]

#[path = "../src/model/tests/shared.rs"]
mod shared;
#[path = "support/skip.rs"]
mod skip;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use burnwatch::testing::config::definitions::write::{Target, WrittenDocument, write};
use burnwatch::testing::config::definitions::{DEFAULT_PERIOD, Definitions, FindingLevel, load, parse};
use burnwatch::testing::model::slo::{DefinitionOrigin, Form, Slo, query};
use shared::shared;
use skip::skip;

/// The formats that can be read again.
const FORMS: [Target; 4] = [Target::Own, Target::Sloth, Target::OpenSlo, Target::Pyrra];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension != "expected") {
            found.push(path);
        }
    }
    found.sort();
}

fn fixtures() -> Vec<Slo> {
    let mut found = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/definitions"), &mut found);
    let slos: Vec<Slo> = found.into_iter().flat_map(|path| load(&[path], DEFAULT_PERIOD).slos).collect();
    assert!(slos.len() > 20, "{}", slos.len());
    slos
}

fn corpus() -> Option<Vec<Slo>> {
    let mut found = Vec::new();
    files(&shared()?.join("corpus/slo"), &mut found);
    Some(found.into_iter().flat_map(|path| load(&[path], DEFAULT_PERIOD).slos).collect())
}

fn read(written: &WrittenDocument, target: Target) -> Definitions {
    let file = if target == Target::Own { "x.toml" } else { "x.yaml" };
    parse(Path::new(file), &written.text, DEFAULT_PERIOD)
}

/// The fields in which two SLOs differ; SLIs are compared by their queries.
fn differing(a: &Slo, b: &Slo) -> Vec<&'static str> {
    let asked = |slo: &Slo| {
        let measure = query::measure(slo, Duration::from_secs(3600))?;
        let mut letters = measure.error_ratio();
        letters.retain(|c| !c.is_whitespace());
        Some(letters)
    };
    let pairs = |slo: &Slo| {
        let mut pairs: Vec<String> = slo
            .pairs
            .iter()
            .map(|pair| {
                let (long, short, factor) = (pair.long, pair.short, (pair.factor * 1e6).round());
                format!("{:?} {long:?} {short:?} {factor} {:?} {}", pair.severity, pair.hold, pair.at_least)
            })
            .collect();
        pairs.sort();
        pairs
    };
    [
        ("name", a.name == b.name),
        ("service", a.service == b.service),
        ("description", a.description == b.description),
        ("labels", a.labels == b.labels),
        ("objective", a.objective == b.objective),
        ("window", a.window == b.window),
        ("budgeting", a.budgeting == b.budgeting),
        ("sli", asked(a) == asked(b)),
        ("by", a.grouping == b.grouping),
        ("pairs", pairs(a) == pairs(b)),
        ("alert", a.alerting == b.alerting),
    ]
    .into_iter()
    .filter_map(|(field, same)| (!same).then_some(field))
    .collect()
}

/// Writes an SLO, reads it again, and checks that all differences are reported. Returns the SLO that was read.
fn through(slo: &Slo, target: Target) -> Option<Slo> {
    let written = write(std::slice::from_ref(slo), target);
    let named = |field: &str| written.omissions.iter().any(|omissions| omissions.field == field);
    for omissions in &written.omissions {
        assert!(written.text.contains(&format!("# not included: {omissions}")), "{}", written.text);
    }
    let found = read(&written, target);
    let errors: Vec<_> =
        found.findings.iter().filter(|finding| finding.level == FindingLevel::Error).collect();
    assert!(errors.is_empty(), "{errors:?}\n{}", written.text);
    let Some(again) = found.slos.into_iter().next() else {
        assert!(named("sli"), "{target:?} of {}: {:?}\n{}", slo.id, written.omissions, written.text);
        return None;
    };
    for field in differing(slo, &again) {
        // Sloth has only error queries, so good events become another query for the same ratio
        let is_turned = field == "sli" && target == Target::Sloth;
        assert!(
            named(field) || is_turned || (field == "sli" && (named("by") || named("budgeting"))),
            "{target:?} of {} lost its {field}: {:?}\n{}",
            slo.id,
            written.omissions,
            written.text
        );
    }
    Some(again)
}

fn in_all_directions(slos: &[Slo]) {
    for slo in slos {
        for first in FORMS {
            let Some(once) = through(slo, first) else { continue };
            // writing it a second time loses nothing
            let mut again = once.clone();
            if let Some(twice) = through(&again, first) {
                assert_eq!(differing(&once, &twice), Vec::<&str>::new(), "{first:?} of {}", slo.id);
                again = twice;
            }
            for second in FORMS {
                through(&again, second);
            }
        }
    }
}

#[test]
fn what_differs_after_writing_and_reading_is_named() {
    in_all_directions(&fixtures());
}

#[test]
fn what_differs_after_writing_and_reading_published_definitions_is_named() {
    let Some(slos) = corpus() else { return };
    assert!(slos.len() > 40, "{}", slos.len());
    in_all_directions(&slos);
}

/// An SLO written in its original format loses only what is defined in other files.
#[test]
fn a_form_says_again_what_was_said_in_it() {
    let mut all = fixtures();
    all.extend(corpus().unwrap_or_default());
    let mut lost = Vec::new();
    for slo in &all {
        let DefinitionOrigin::File { form, .. } = &slo.origin else { panic!("{slo:?}") };
        let target = match form {
            Form::Own => Target::Own,
            Form::Sloth => Target::Sloth,
            Form::OpenSlo => Target::OpenSlo,
            Form::Pyrra => Target::Pyrra,
        };
        let own = write(std::slice::from_ref(slo), Target::Own);
        lost.extend(own.omissions.iter().map(|omissions| format!("own {omissions}")));
        let same = write(std::slice::from_ref(slo), target);
        lost.extend(same.omissions.iter().map(|omissions| format!("{} {omissions}", target.word())));
    }
    lost.sort();
    lost.dedup();
    let known = [
        // there is no query for Prometheus
        "its query is not known",
        // alert windows are in a separate file
        "Sloth takes it from its command line",
        "Sloth takes them from AlertWindows",
        "pairs: Sloth uses its own conditions for that period",
        "the alerts have no name, and Sloth requires one",
        // without a policy the default conditions are used
        "OpenSLO's conditions have one lookback",
        // an older version of OpenSLO, written for Sloth
        "OpenSLO has only one name, the id; the name sloth-slo-my-service-0 is lost",
        "OpenSLO has only one name, the id; the name old-0 is lost",
        "reads back as not recorded",
        // a metric with an offset
        "Pyrra has no indicator for queries",
        // a chain of Sloth plug-ins
        "is not included",
        "service: none reads back as",
        "the service, ",
    ];
    lost.retain(|line| !known.iter().any(|known| line.contains(known)));
    assert!(lost.is_empty(), "{}", lost.join("\n"));
}

#[test]
fn promtool_takes_the_rules_of_all_of_them() {
    if Command::new("promtool").arg("--version").output().is_err() {
        return skip("there is no promtool; it comes with Prometheus");
    }
    let mut all = fixtures();
    all.extend(corpus().unwrap_or_default());
    // each file was read alone, so the same SLO in several files is no duplicate
    let mut seen = std::collections::BTreeSet::new();
    all.retain(|slo| seen.insert(slo.id.clone()));
    let dir = tempfile::tempdir().unwrap();
    for target in [None, Some(Target::Sloth), Some(Target::OpenSlo), Some(Target::Pyrra), Some(Target::Own)] {
        // also the SLOs as read from another format
        let slos = match target {
            None => all.clone(),
            Some(target) => read(&write(&all, target), target).slos,
        };
        assert!(!slos.is_empty());
        let file = dir.path().join("rules.yaml");
        fs::write(&file, write(&slos, Target::Rules).text).unwrap();
        let reported =
            Command::new("promtool").args(["check", "rules", "--lint-fatal"]).arg(&file).output().unwrap();
        let words = String::from_utf8_lossy(&reported.stdout) + String::from_utf8_lossy(&reported.stderr);
        assert!(reported.status.success(), "{target:?}: {words}");
    }
}
