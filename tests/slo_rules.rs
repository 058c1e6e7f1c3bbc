//! Compares the rules that burnwatch generates with those of Sloth and Pyrra for the same definitions, rule by rule, with
//! expressions as syntax trees. The reasons for differences are in [`DIFFERENCES`] and in `docs/slos.md`.
#![cfg(test)]

#[path = "slo_rules/canon.rs"]
mod canon;
#[path = "../src/model/tests/shared.rs"]
mod shared;
#[path = "slo_rules/yaml.rs"]
mod yaml;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use burnwatch::testing::config::definitions::{DEFAULT_PERIOD, load};
use burnwatch::testing::model::duration;
use burnwatch::testing::model::slo::rules::{RuleGroup, RuleOutput, generate};
use canon::{Canon, canon};
use shared::shared;
use yaml::{Yaml, documents};

/// The allowed differences from the published rules: the beginning of the message, the files, and the reason. Each must occur.
const DIFFERENCES: &[(&str, &[&str], &str)] = &[
    (
        "label cmd only theirs",
        &["sloth"],
        "from the command line on which these were made: --extra-labels cmd=...",
    ),
    (
        "label sloth_mode",
        &["sloth"],
        "says which program wrote the rules, and in which mode: ours is burnwatch",
    ),
    ("label sloth_version", &["sloth"], "says which version of it"),
    (
        "label sloth_spec",
        &["sloth openslo", "sloth k8s"],
        "the form that Sloth read; ours is always that in which it is recorded",
    ),
    (
        "group sloth-slo-alerts-my-service-sloth-slo-my-service-0 is only ours",
        &["sloth openslo"],
        "Sloth writes no alerts for OpenSLO; ours are the usual ones",
    ),
    (
        "annotation pyrra_url only theirs",
        &["pyrra"],
        "a link into Pyrra, whose address burnwatch does not know",
    ),
    (
        "name of monitoring-http-errors-increase",
        &["less-accuracy"],
        "performanceOverAccuracy is not followed: increases are recorded over the whole window at once",
    ),
    ("expr of monitoring-http-errors-increase", &["less-accuracy"], "the same"),
    ("group monitoring-http-errors-increase: 2 rules, not 3", &["less-accuracy"], "the same"),
    (
        "expr of monitoring-http-latency: http_request_duration_seconds:burnrate",
        &["prom3-migration"],
        "an option of Pyrra's server: le=~\"1(\\\\.0)?\" while histograms move to Prometheus 3",
    ),
    (
        "group monitoring-http-",
        &["less-accuracy", "prom3-migration"],
        "published are the groups that the option changes",
    ),
    ("group up-targets", &["up-targets"], "published is the generic group apart from the others"),
];

/// A rule of either side, so that the two can be compared.
#[derive(Debug, Clone)]
struct Entry {
    name: String,
    expr: Canon,
    hold: Duration,
    labels: Vec<(String, String)>,
    annotations: Vec<(String, String)>,
}

#[derive(Debug, Clone)]
struct Group {
    name: String,
    interval: Option<Duration>,
    rules: Vec<Entry>,
}

fn published(document: &Yaml) -> Vec<Group> {
    let groups = document.find("spec").unwrap_or(document).at("groups");
    let rule = |rule: &Yaml| {
        let name = rule.find("alert").or(rule.find("record")).unwrap().text().to_owned();
        let hold = rule.find("for").map_or(Duration::ZERO, |hold| length(hold.text()));
        Entry {
            name,
            expr: canon(rule.at("expr").text()),
            hold,
            labels: rule.pairs("labels"),
            annotations: rule.pairs("annotations"),
        }
    };
    let group = |group: &Yaml| Group {
        name: group.at("name").text().to_owned(),
        interval: group.find("interval").map(|interval| length(interval.text())),
        rules: group.at("rules").list().iter().map(rule).collect(),
    };
    groups.list().iter().map(group).collect()
}

/// Parses a duration, because Go writes `2m0s` and `1h0m0s`, and Prometheus `2m` and `1h`.
fn length(text: &str) -> Duration {
    duration::parse(text).unwrap_or_else(|error| panic!("{error}"))
}

fn generated(groups: &[RuleGroup]) -> Vec<Group> {
    let pairs = |labels: &burnwatch::testing::model::labels::Labels| {
        labels.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
    };
    let group = |group: &RuleGroup| Group {
        name: group.name.clone(),
        interval: group.interval,
        rules: group
            .rules
            .iter()
            .map(|rule| Entry {
                name: match &rule.output {
                    RuleOutput::Record(name) => name.clone(),
                    RuleOutput::Alert(name) => name.to_string(),
                },
                expr: canon(&rule.expr),
                hold: rule.hold,
                labels: pairs(&rule.labels),
                annotations: pairs(&rule.annotations),
            })
            .collect(),
    };
    groups.iter().map(group).collect()
}

/// The differences, one line each.
fn differences(theirs: &[Group], ours: &[Group]) -> Vec<String> {
    let mut found = Vec::new();
    for group in theirs {
        let Some(own) = ours.iter().find(|own| own.name == group.name) else {
            found.push(format!("group {} is missing", group.name));
            continue;
        };
        if own.interval != group.interval {
            found.push(format!("group {}: every {:?}, not {:?}", group.name, own.interval, group.interval));
        }
        if own.rules.len() != group.rules.len() {
            let (many, few) = (own.rules.len(), group.rules.len());
            found.push(format!("group {}: {many} rules, not {few}", group.name));
        }
        for (rule, own) in group.rules.iter().zip(&own.rules) {
            let place = format!("{}: {}", group.name, rule.name);
            if own.name != rule.name {
                found.push(format!("name of {place}: {}", own.name));
            }
            if own.expr != rule.expr {
                found.push(format!("expr of {place}:\n  theirs {}\n  ours   {}", rule.expr, own.expr));
            }
            if own.hold != rule.hold {
                found.push(format!("for of {place}: {:?}, not {:?}", own.hold, rule.hold));
            }
            for (what, theirs, ours) in
                [("label", &rule.labels, &own.labels), ("annotation", &rule.annotations, &own.annotations)]
            {
                let theirs: BTreeSet<_> = theirs.iter().collect();
                let ours: BTreeSet<_> = ours.iter().collect();
                found.extend(
                    theirs
                        .difference(&ours)
                        .map(|pair| format!("{what} {} only theirs in {place}: {}", pair.0, pair.1)),
                );
                found.extend(
                    ours.difference(&theirs)
                        .map(|pair| format!("{what} {} only ours in {place}: {}", pair.0, pair.1)),
                );
            }
        }
    }
    for own in ours.iter().filter(|own| theirs.iter().all(|group| group.name != own.name)) {
        found.push(format!("group {} is only ours", own.name));
    }
    found
}

/// The differences between the published rules for a definition file and burnwatch's rules.
fn both(definition: &Path, rules: &Path) -> Vec<String> {
    let slos = load(&[definition.to_owned()], DEFAULT_PERIOD).slos;
    assert!(!slos.is_empty(), "{}", definition.display());
    let ours: Vec<Group> = slos.iter().flat_map(|slo| generated(&generate(slo).groups)).collect();
    let text = fs::read_to_string(rules).unwrap();
    let theirs: Vec<Group> = documents(&text).iter().flat_map(published).collect();
    assert!(!theirs.is_empty());
    differences(&theirs, &ours)
}

/// The unexplained differences of one file; marks the explained ones in `met`.
fn unexplained(name: &str, found: Vec<String>, met: &mut BTreeSet<usize>) -> Vec<String> {
    let mut explained = |difference: &String| {
        let fits = |(_, (begin, files, _)): &(usize, &(&str, &[&str], &str))| {
            difference.starts_with(begin)
                && (files.is_empty() || files.iter().any(|file| name.contains(file)))
        };
        let fit = DIFFERENCES.iter().enumerate().find(fits);
        met.extend(fit.map(|(at, _)| at));
        fit.is_some()
    };
    found.into_iter().filter(|difference| !explained(difference)).map(|d| format!("{name}: {d}")).collect()
}

#[test]
fn rules_are_those_of_sloth_and_pyrra_but_for_what_is_explained() {
    let Some(shared) = shared().map(|shared| shared.join("corpus/slo")) else { return };
    let (mut wrong, mut met, mut files) = (Vec::new(), BTreeSet::new(), 0);
    for entry in fs::read_dir(shared.join("sloth/specs")).unwrap() {
        let spec = entry.unwrap().path();
        let name = spec.file_name().unwrap().to_str().unwrap();
        let rules = shared.join("sloth/generated").join(name);
        wrong.extend(unexplained(&format!("sloth {name}"), both(&spec, &rules), &mut met));
        files += 1;
    }
    for entry in fs::read_dir(shared.join("pyrra/golden")).unwrap() {
        let slo = entry.unwrap().path();
        let name = slo.file_name().unwrap().to_str().unwrap();
        let Some(stem) = name.strip_suffix(".slo.yaml") else { continue };
        let rules = slo.with_file_name(format!("{stem}.rules.yaml"));
        wrong.extend(unexplained(&format!("pyrra {stem}"), both(&slo, &rules), &mut met));
        files += 1;
    }
    assert!(files >= 20, "{files}");
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
    let idle: Vec<_> = DIFFERENCES.iter().enumerate().filter(|(at, _)| !met.contains(at)).collect();
    assert!(idle.is_empty(), "explained, but not met: {idle:?}");
}

#[test]
fn our_own_definitions_become_the_rules_that_sloth_and_pyrra_write() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slo_rules/written");
    for name in ["sloth", "pyrra"] {
        let found = both(&folder.join(format!("{name}.yaml")), &folder.join(format!("{name}.rules.yaml")));
        assert_eq!(unexplained(name, found, &mut BTreeSet::new()), Vec::<String>::new());
    }
}

#[test]
fn the_documentation_names_what_differs() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/slos.md")).unwrap();
    let (_, rules) = page.split_once("\n## Rules\n").unwrap();
    for word in [
        "sloth_mode",
        "sloth_version",
        "sloth_spec",
        "--extra-labels",
        "no alerts",
        "pyrra_url",
        "performanceOverAccuracy",
        "Prometheus 3",
        "generic group",
        "2m0s",
    ] {
        assert!(rules.contains(word), "{word}");
    }
}
