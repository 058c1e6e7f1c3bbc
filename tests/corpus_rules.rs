//! Reads every rule of a corpus of published rule files, if there is one: no panic, and most expressions have a threshold.
#![cfg(test)]

#[path = "../src/model/tests/shared.rs"]
mod shared;

use std::fs;
use std::path::{Path, PathBuf};

use burnwatch::testing::model::promql;
use saphyr_parser::{Event, Parser};
use shared::shared;

/// The rules of a file: each mapping that has a text as `expr`, anywhere in it (rule files, `PrometheusRule` resources and files
/// of `promtool test rules` nest them differently), as the name of the alert, if it is one, and the expression.
fn rules(yaml: &str) -> Vec<(Option<String>, String)> {
    /// A mapping that is being read: the key whose value comes next, and what is known of its rule.
    #[derive(Default)]
    struct Mapping {
        key: Option<String>,
        alert: Option<String>,
        expr: Option<String>,
    }
    let mut found = Vec::new();
    // a sequence is None: its values belong to no key
    let mut open: Vec<Option<Mapping>> = Vec::new();
    let value_ends = |open: &mut Vec<Option<Mapping>>| {
        if let Some(Some(mapping)) = open.last_mut() {
            mapping.key = None;
        }
    };
    for event in Parser::new_from_str(yaml) {
        let Ok((event, _)) = event else { break };
        match event {
            Event::MappingStart(..) => open.push(Some(Mapping::default())),
            Event::SequenceStart(..) => open.push(None),
            Event::MappingEnd | Event::SequenceEnd => {
                if let Some(Some(Mapping { alert, expr: Some(expr), .. })) = open.pop() {
                    found.push((alert, expr));
                }
                value_ends(&mut open);
            }
            Event::Scalar(text, ..) => {
                let Some(Some(mapping)) = open.last_mut() else { continue };
                match mapping.key.take().as_deref() {
                    None => mapping.key = Some(text.into_owned()),
                    Some("expr") => mapping.expr = Some(text.trim().to_owned()),
                    Some("alert") => mapping.alert = Some(text.into_owned()),
                    Some(_) => {}
                }
            }
            Event::Alias(_) => value_ends(&mut open),
            _ => {}
        }
    }
    found
}

/// All files with rules below a folder.
fn rule_files(shared: &Path) -> Vec<PathBuf> {
    let folder = shared.join("corpus/rules");
    assert!(folder.is_dir(), "{} is gone", folder.display());
    let mut files = files(&folder);
    files.retain(|file| file.extension().is_some_and(|e| e == "yaml" || e == "yml"));
    files
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn most_published_alerts_have_a_bound_and_none_makes_us_panic() {
    let Some(shared) = shared() else { return };
    let (mut all, mut bound) = (0, 0);
    for file in rule_files(&shared) {
        for (alert, expr) in rules(&fs::read_to_string(&file).expect("a readable file")) {
            if alert.is_none() {
                continue;
            }
            all += 1;
            if let Some(found) = promql::condition(&expr) {
                bound += 1;
                let narrowed = promql::narrowed(&found.query, [("job", "a\"$1")].into_iter());
                assert!(narrowed.starts_with('('), "{narrowed}");
            } else {
                eprintln!("no bound: {}: {expr}", file.display());
            }
        }
    }
    eprintln!("{bound} of {all} alerting expressions have a bound");
    assert!(all > 250, "{all}");
    assert!(bound * 10 >= all * 8, "only {bound} of {all} have a bound");
}

#[test]
fn published_expressions_are_read_completed_and_rewritten_without_panic_and_without_false_errors() {
    let Some(shared) = shared() else { return };
    let (mut all, mut hints, mut refused) = (0, 0, Vec::new());
    for file in rule_files(&shared) {
        for (_, expr) in rules(&fs::read_to_string(&file).expect("a readable file")) {
            // templates of Helm and Go are no PromQL
            if expr.is_empty() || ["{{", "[[", "<<"].iter().any(|mark| expr.contains(mark)) {
                continue;
            }
            all += 1;
            let checked = promql::check(&expr);
            if let Err(promql::QueryParseError::Refused(why)) = &checked {
                refused.push(format!("{}: {why}: {expr}", file.display()));
                continue;
            }
            let lints = promql::lint::lint(&expr, &promql::lint::LintContext::default());
            let lints = lints.unwrap_or_else(|why| panic!("{why}: {expr}"));
            for lint in &lints {
                assert!(
                    lint.remark.line >= 1 && lint.remark.line <= expr.lines().count(),
                    "{lint:?}: {expr}"
                );
            }
            hints += lints.len();
            for at in (0..=expr.len()).filter(|at| expr.is_char_boundary(*at)) {
                let found = promql::complete::at_cursor(&expr, at);
                assert!(expr.get(found.replaced).is_some(), "{at}: {expr}");
            }
            promql::complete::main_selector(&expr);
            promql::dimension(&expr);
            for by in ["job", "service.name"] {
                if let Ok(split) = promql::split_by(&expr, by) {
                    let valid = !matches!(promql::check(&split), Err(promql::QueryParseError::Refused(_)));
                    assert!(valid, "{split}: {expr}");
                }
            }
            let labels = [("job", "a\"b"), ("zone", "x")].into_iter().collect();
            if let Ok(only) = promql::only(&expr, &labels) {
                assert!(
                    !matches!(promql::check(&only), Err(promql::QueryParseError::Refused(_))),
                    "{only}: {expr}"
                );
            }
        }
    }
    eprintln!("{all} expressions, {hints} hints, {} refused", refused.len());
    assert!(all > 500, "{all}");
    // a hint is a mistake, not a style: most published expressions have none
    assert!(hints < all, "{hints} hints of {all}");
    assert!(refused.len() * 100 < all, "{refused:#?}");
}
