//! SLO definition files: the expected result of each is in the file beside it; and every file of a corpus of published ones is
//! read.
//!
//! `UPDATE_DEFINITIONS=1 cargo test --test definitions` writes the `.expected` files.
#![cfg(test)]

#[path = "../src/model/tests/shared.rs"]
mod shared;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use burnwatch::testing::config::definitions::{DEFAULT_PERIOD, Definitions, FindingLevel, load, parse};
use burnwatch::testing::model::duration;
use burnwatch::testing::model::slo::{BudgetingMethod, BurnSeverity, Sli, Slo, Window, query};
use shared::shared;

fn fixtures(folder: &str) -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/definitions").join(folder);
    let mut files: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension != "expected"));
    files.sort();
    assert!(!files.is_empty());
    files
}

/// An SLO as a few lines of text, with the query of its error ratio over five minutes.
fn printed(slo: &Slo) -> String {
    let mut out = format!("{}: {} % over {}", slo.id, slo.objective.percent_text(), slo.window);
    let mut add = |words: String| write!(out, ", {words}").unwrap();
    if let Some(service) = &slo.service {
        add(format!("of {service}"));
    }
    match slo.budgeting {
        BudgetingMethod::Occurrences => {}
        BudgetingMethod::Timeslices { slice, least } => {
            add(format!("slices of {} at {least}", duration::text(slice)));
        }
        BudgetingMethod::RatioTimeslices { slice } => {
            add(format!("mean of slices of {}", duration::text(slice)));
        }
    }
    if !slo.grouping.is_empty() {
        add(format!("by {}", slo.grouping.join(", ")));
    }
    if !slo.labels.is_empty() {
        add(slo.labels.to_string());
    }
    for severity in [BurnSeverity::Page, BurnSeverity::Ticket] {
        match slo.alerting.notice(severity) {
            None => add(format!("no {}", severity.word())),
            Some(notice) if !notice.labels.is_empty() => {
                add(format!("{} {}", severity.word(), notice.labels));
            }
            Some(_) => {}
        }
    }
    for name in [&slo.alerting.name, &slo.alerting.absent_name].into_iter().flatten() {
        add(format!("alert {name}"));
    }
    out += "\n ";
    for pair in &slo.pairs {
        let (long, short) = (duration::text(pair.long), duration::text(pair.short));
        let factor = (pair.factor * 10_000.0).round() / 10_000.0;
        write!(
            out,
            " {} {long}/{short} {}{factor}",
            pair.severity.word(),
            if pair.at_least { ">=" } else { ">" }
        )
        .unwrap();
    }
    let query = query::measure(slo, Duration::from_secs(300)).map(|measure| measure.error_ratio());
    let query = query.unwrap_or_else(|| "no query".to_owned());
    write!(out, "\n  {}", query.split_whitespace().collect::<Vec<_>>().join(" ")).unwrap();
    if let Some(recorded) = &slo.recorded {
        let labels = &recorded.labels;
        write!(out, "\n  {} {labels}", recorded.error_ratio(Duration::from_secs(300))).unwrap();
    }
    out + "\n"
}

fn all_told(definitions: &Definitions) -> String {
    let findings =
        definitions.findings.iter().map(|finding| format!("{}: {finding}\n", finding.level.word()));
    findings.chain(definitions.slos.iter().map(printed)).collect()
}

#[test]
fn each_file_becomes_what_lies_beside_it() {
    for path in fixtures("good").into_iter().chain(fixtures("bad")) {
        let name = path.file_name().unwrap();
        let found = parse(Path::new(name), &fs::read_to_string(&path).unwrap(), DEFAULT_PERIOD);
        let (shown, beside) = (all_told(&found), path.with_file_name(format!("{}.expected", name.display())));
        if std::env::var_os("UPDATE_DEFINITIONS").is_some() {
            fs::write(&beside, &shown).unwrap();
        }
        let expected = fs::read_to_string(&beside).unwrap_or_default();
        assert_eq!(shown, expected, "{}", path.display());
        if path.parent().is_some_and(|folder| folder.ends_with("good")) {
            assert!(
                found.findings.iter().all(|finding| finding.level < FindingLevel::Error),
                "{}",
                path.display()
            );
        }
    }
}

/// Removes each line of each good file in turn, and replaces each value by an invalid one.
#[test]
fn nothing_wrong_in_any_place_makes_it_panic_or_lose_its_way() {
    let values = ["", "~", "[]", "{}", "-1", "1e400", "\"\"", "[[1]]", "{a: {b: c}}", "*x", "<<", "'"];
    for path in fixtures("good") {
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let end = line.find([':', '=']).map_or(0, |end| end + 1);
            let replaced = values.iter().map(|value| Some(format!("{} {value}", line.split_at(end).0)));
            for new in replaced.chain([None]) {
                let changed: Vec<&str> = lines[..at]
                    .iter()
                    .copied()
                    .chain(new.as_deref())
                    .chain(lines[at + 1..].iter().copied())
                    .collect();
                let found = parse(&path, &changed.join("\n"), DEFAULT_PERIOD);
                for finding in &found.findings {
                    let line = finding.line.unwrap_or(1);
                    assert!(
                        (1..=changed.len() + 1).contains(&line),
                        "{finding} after {new:?} in line {}",
                        at + 1
                    );
                }
                let ids: BTreeSet<_> = found.slos.iter().map(|slo| &slo.id).collect();
                assert_eq!(ids.len(), found.slos.len());
                for slo in &found.slos {
                    assert!(
                        !slo.id.is_empty() && slo.pairs.iter().all(|pair| pair.factor.is_finite()),
                        "{slo:?}"
                    );
                    printed(slo);
                }
            }
        }
    }
}

#[test]
fn the_examples_of_the_documentation_are_read_without_a_word() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/slos.md")).unwrap();
    let blocks =
        page.split("```toml\n").skip(1).filter_map(|rest| rest.split_once("```")).map(|(block, _)| block);
    let read: Vec<_> = blocks.map(|block| parse(Path::new("docs.toml"), block, DEFAULT_PERIOD)).collect();
    assert!(read.len() >= 2);
    for found in read {
        assert_eq!(found.findings, []);
        assert!(!found.slos.is_empty());
    }
}

/// Reads each file of a folder of the corpus on its own.
fn corpus(folder: &str) -> Option<BTreeMap<String, Definitions>> {
    let folder = shared()?.join("corpus/slo").join(folder);
    let mut read = BTreeMap::new();
    let mut folders = vec![folder.clone()];
    while let Some(inner) = folders.pop() {
        for entry in fs::read_dir(&inner).unwrap_or_else(|error| panic!("{}: {error}", inner.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned();
                read.insert(name, load(&[path], DEFAULT_PERIOD));
            }
        }
    }
    assert!(!read.is_empty());
    Some(read)
}

fn assert_read(read: &BTreeMap<String, Definitions>, expected: &[(&str, &[(&str, &str)])]) {
    for (file, slos) in expected {
        let found = read.get(*file).unwrap_or_else(|| panic!("{file} is gone"));
        let found: Vec<_> =
            found.slos.iter().map(|slo| (slo.id.to_string(), slo.objective.percent_text())).collect();
        let slos: Vec<_> =
            slos.iter().map(|(id, objective)| ((*id).to_owned(), (*objective).to_owned())).collect();
        assert_eq!(found, slos, "{file}");
    }
}

fn errors(read: &BTreeMap<String, Definitions>) -> Vec<String> {
    let findings =
        read.iter().flat_map(|(name, found)| found.findings.iter().map(move |finding| (name, finding)));
    findings
        .filter(|(_, finding)| finding.level == FindingLevel::Error)
        .map(|(name, finding)| format!("{name}:{}: {}", finding.line.unwrap_or_default(), finding.message))
        .collect()
}

#[test]
fn every_published_sloth_definition_is_read() {
    let Some(read) = corpus("sloth") else { return };
    let availability = ("myservice-requests-availability", "99.9");
    assert_read(
        &read,
        &[
            ("specs/getting-started.yml", &[availability]),
            ("specs/k8s-getting-started.yml", &[availability]),
            ("specs/multifile.yml", &[availability, ("myservice2-requests-availability", "99.99")]),
            (
                "specs/home-wifi.yml",
                &[
                    ("home-wifi-good-wifi-client-satisfaction", "95"),
                    ("home-wifi-risk-wifi-client-satisfaction", "99.9"),
                ],
            ),
            (
                "specs/kubernetes-apiserver.yml",
                &[("k8s-apiserver-requests-availability", "99.9"), ("k8s-apiserver-requests-latency", "99")],
            ),
            ("specs/no-alerts.yml", &[("myapp-http-availability", "99.99")]),
            ("specs/openslo-getting-started.yml", &[("my-service-sloth-slo-my-service-0", "99.9")]),
            ("specs/raw-home-wifi.yml", &[("home-wifi-wifi-client-satisfaction", "95")]),
        ],
    );
    assert_eq!(errors(&read), Vec::<String>::new());
    let quiet = &read["specs/no-alerts.yml"].slos[0];
    assert_eq!((&quiet.alerting.page, &quiet.alerting.ticket), (&None, &None));
    for (name, found) in &read {
        assert!(found.slos.iter().all(|slo| slo.sli.is_some() && slo.pairs.len() == 4), "{name}");
        if name.starts_with("specs") {
            assert_eq!(found.findings, [], "{name}");
        }
    }
}

#[test]
fn published_sloth_windows_set_period_and_pairs() {
    let Some(shared) = shared() else { return };
    let sloth = shared.join("corpus/slo/sloth");
    let factors = |windows: &str| {
        let files = [sloth.join("specs/getting-started.yml"), sloth.join("windows").join(windows)];
        let found = load(&files, DEFAULT_PERIOD);
        assert_eq!(found.findings, [], "{windows}");
        let slo = &found.slos[0];
        let pairs: Vec<f64> = slo.pairs.iter().map(|pair| (pair.factor * 1e4).round() / 1e4).collect();
        (slo.window.clone(), pairs)
    };
    let days = |days: u64| Window::Rolling(Duration::from_secs(days * 86_400));
    assert_eq!(factors("7d.yaml"), (days(7), vec![13.44, 3.5, 1.4, 0.98]));
    assert_eq!(factors("google-28d.yaml"), (days(28), vec![13.44, 5.6, 2.8, 0.9333]));
    assert_eq!(factors("google-30d.yaml"), (days(30), vec![14.4, 6.0, 3.0, 1.0]));
}

#[test]
fn every_published_pyrra_definition_is_read() {
    let Some(read) = corpus("pyrra") else { return };
    assert_read(
        &read,
        &[
            ("examples/caddy-response-latency.yaml", &[("caddy-response-latency", "90")]),
            ("examples/example-slo.yaml", &[("apiserver-read-cluster-latency", "99")]),
            ("examples/nginx.yaml", &[("nginx-api-errors", "99.9"), ("nginx-api-latency", "90")]),
            ("examples/parca-grpc-queryrange-errors.yaml", &[("parca-grpc-queryrange-errors", "99")]),
            ("examples/prometheus-http.yaml", &[("prometheus-api-query", "99")]),
            ("examples/prometheus-probe-success.yaml", &[("prometheus-blackbox-probe-success", "99")]),
            ("examples/pyrra-connect-latency.yaml", &[("pyrra-connect-latency", "99")]),
            ("examples/thanos-http.yaml", &[("thanos-query", "99")]),
            ("golden/http-latency-native.slo.yaml", &[("monitoring-http-latency", "99.5")]),
            ("golden/up-targets.slo.yaml", &[("up-targets", "99")]),
        ],
    );
    assert_eq!(errors(&read), Vec::<String>::new());
    for (name, found) in
        read.iter().filter(|(name, _)| name.starts_with("examples") || name.ends_with(".slo.yaml"))
    {
        assert!(!found.slos.is_empty() && found.findings.is_empty(), "{name}: {:?}", found.findings);
        assert!(found.slos.iter().all(|slo| slo.sli.is_some()), "{name}");
    }
    let probe = &read["examples/prometheus-probe-success.yaml"].slos[0];
    assert_eq!(probe.grouping, ["target".into()]);
    let parca = &read["examples/parca-grpc-queryrange-errors.yaml"].slos[0];
    assert_eq!(parca.labels.value("team"), "parca");
}

/// The names of the recorded series are those of Pyrra's own rules.
#[test]
fn recorded_series_of_published_pyrra_definitions_are_those_of_its_rules() {
    let Some(read) = corpus("pyrra/golden") else { return };
    let shared = shared().unwrap();
    for (name, found) in read.iter().filter(|(name, _)| name.ends_with(".slo.yaml")) {
        let rules = shared.join("corpus/slo/pyrra/golden").join(name.replace(".slo.", ".rules."));
        let rules = fs::read_to_string(rules).unwrap();
        // with performanceOverAccuracy the published rules have only sums
        if !rules.contains(":burnrate") {
            continue;
        }
        let recorded = found.slos[0].recorded.as_ref().unwrap();
        assert!(!recorded.lookbacks.is_empty(), "{name}");
        for lookback in &recorded.lookbacks {
            let query = recorded.error_ratio(*lookback);
            let record = format!("record: {}\n", query.split('{').next().unwrap());
            assert!(rules.contains(&record), "{name} has no {record}");
        }
        for (label, value) in recorded.labels.iter() {
            assert!(rules.contains(&format!("      {label}: {value}\n")), "{name} has no {label}: {value}");
        }
    }
}

#[test]
fn every_published_openslo_definition_is_read() {
    let Some(read) = corpus("openslo") else { return };
    assert_read(
        &read,
        &[
            ("go-sdk/v1/slos.yaml", &[("web-availability", "99.5")]),
            (
                "go-sdk/v1alpha/slos.yaml",
                &[("web-latency-threshold", "98"), ("web-availability-ratio", "99.5")],
            ),
            ("go-sdk/inline/inputs/v1_slo.yaml", &[("my-slo-1", "99.5"), ("my-slo-2", "99.5")]),
            ("go-sdk/inline/outputs/v1_slo.yaml", &[("my-slo-1", "99.5"), ("my-slo-2", "99.5")]),
            ("spec-examples/occurences-slo.yaml", &[("search-slo", "99")]),
            ("spec-examples/ratio-timeslices.yaml", &[("main-page", "99")]),
            ("spec-examples/timeslices-slo-2.yaml", &[("service-availability", "99.95")]),
            (
                "spec-examples/timeslices-slo.yaml",
                &[("service-availability-internal-objective", "99.5"), ("service-availability-sla", "99")],
            ),
        ],
    );
    // these files are invalid on purpose, or have a threshold without a value
    assert_eq!(
        errors(&read),
        [
            "go-sdk/inline/inputs/custom_config.yaml:20: `[1].spec.indicatorRef`: there is no SLI `my-sli` in the files that were read",
            "go-sdk/inline/inputs/v1_slo_invalid_policy.yaml:18: `[0].spec.objectives[0]` lacks `value`",
            "go-sdk/inline/inputs/v1_slo_invalid_sli.yaml:7: `[0].spec.indicatorRef`: there is no SLI `no-sli` in the files that were read",
            "go-sdk/inline/inputs/v1_slo_invalid_target.yaml:41: `[0].spec.objectives[0]` lacks `value`",
            "go-sdk/inline/outputs/custom_config.yaml:20: `[1].spec.indicatorRef`: there is no SLI `my-sli` in the files that were read",
        ]
    );
    let month = &read["spec-examples/timeslices-slo.yaml"];
    assert_eq!(month.slos[0].window.to_string(), "1 month (America/New_York)");
    assert!(
        month.findings.iter().any(|finding| finding.line == Some(27) && finding.message.contains("months"))
    );
    let web = &read["go-sdk/v1/slos.yaml"].slos[0];
    assert!(matches!(web.sli, Some(Sli::Counters { .. })), "{:?}", web.sli);
}

#[test]
fn a_reference_is_found_in_another_file_of_the_same_load() {
    let dir = tempfile::tempdir().unwrap();
    let (sli, slo) = (dir.path().join("a-sli.yaml"), dir.path().join("b-slo.yaml"));
    let text =
        fs::read_to_string(fixtures("good").iter().find(|path| path.ends_with("openslo.yaml")).unwrap());
    let text = text.unwrap();
    let (first, others) = text.split_once("---\n").unwrap();
    fs::write(&slo, first).unwrap();
    fs::write(&sli, others).unwrap();
    let found = load(&[dir.path().to_owned()], DEFAULT_PERIOD);
    assert!(found.findings.iter().all(|finding| finding.level < FindingLevel::Error), "{:?}", found.findings);
    assert!(found.slos.iter().any(|slo| &*slo.id == "search-inside" && slo.pairs.len() == 1));
    let alone = load(&[slo], DEFAULT_PERIOD);
    assert_eq!(alone.slos.len(), 0);
    assert!(alone.findings[0].message.contains("there is no SLI `search-ratio`"), "{:?}", alone.findings);
}

#[test]
fn an_id_is_defined_once_and_the_second_place_names_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let slo = "[[slo]]\nname = \"a\"\nobjective = 99\nup = \"up\"\n";
    fs::write(dir.path().join("one.toml"), slo).unwrap();
    fs::write(dir.path().join("two.toml"), format!("\n{slo}")).unwrap();
    let found = load(&[dir.path().to_owned()], DEFAULT_PERIOD);
    assert_eq!(found.slos.len(), 1);
    let message = format!(
        "`a` is already defined at {}:1; this duplicate is ignored",
        dir.path().join("one.toml").display()
    );
    assert_eq!(found.findings.len(), 1);
    assert_eq!((found.findings[0].line, &found.findings[0].message), (Some(2), &message));
}

#[test]
fn what_lies_beside_definitions_in_a_folder_is_no_error() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("Cargo.toml"), "[package]\nname = \n").unwrap();
    fs::write(dir.path().join("map.yaml"), "apiVersion: v1\nkind: ConfigMap\n").unwrap();
    fs::write(dir.path().join("values.yaml"), "replicas: 2\n").unwrap();
    fs::write(dir.path().join("words.yml"), "just words\n").unwrap();
    let found = load(&[dir.path().to_owned()], DEFAULT_PERIOD);
    assert!(found.findings.iter().all(|finding| finding.level == FindingLevel::Note), "{:?}", found.findings);
    assert_eq!(found.findings.len(), 1);
    let named = load(&[dir.path().join("values.yaml")], DEFAULT_PERIOD);
    assert_eq!(named.findings[0].level, FindingLevel::Warning);
    assert!(named.findings[0].message.starts_with("no SLO found"), "{:?}", named.findings);
}
