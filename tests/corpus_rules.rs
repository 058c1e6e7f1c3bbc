//! Reads every rule of a corpus of published rule files, if there is one: no panic, and most expressions have a threshold.
#![cfg(test)]

#[path = "../src/model/tests/shared.rs"]
mod shared;

use std::fs;
use std::path::{Path, PathBuf};

use burnwatch::testing::model::promql;
use shared::shared;

/// The values of `expr:` of alerting rules. Reads only as much YAML as rule files need: one line, or an indented block.
fn alerting_expressions(yaml: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut alerting = false;
    let mut lines = yaml.lines().peekable();
    while let Some(line) = lines.next() {
        let indent = line.len() - line.trim_start().len();
        let key = line.trim_start().trim_start_matches("- ");
        if line.trim_start().starts_with("- ") {
            alerting = false;
        }
        alerting |= key.starts_with("alert:");
        let Some(value) = key.strip_prefix("expr:").map(str::trim) else { continue };
        let mut text = String::new();
        if !matches!(value, "|" | "|-" | ">" | ">-") {
            value.trim_matches(['\'', '"']).clone_into(&mut text);
        }
        while let Some(next) =
            lines.next_if(|next| next.trim().is_empty() || next.len() - next.trim_start().len() > indent)
        {
            text.push_str(next.trim());
            text.push('\n');
        }
        // `expr:` may be above or below `alert:`
        if alerting
            || lines
                .clone()
                .take_while(|line| !line.trim_start().starts_with("- "))
                .any(|line| line.contains("alert:"))
        {
            found.push(text.trim().trim_end_matches(['\'', '"']).to_owned());
        }
    }
    found
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn most_published_alerts_have_a_bound_and_none_makes_us_panic() {
    let Some(shared) = shared() else { return };
    let rules = shared.join("corpus/rules");
    assert!(rules.is_dir(), "{} is gone", rules.display());
    let (mut all, mut bound) = (0, 0);
    for file in
        files(&rules).iter().filter(|file| file.extension().is_some_and(|e| e == "yaml" || e == "yml"))
    {
        for expr in alerting_expressions(&fs::read_to_string(file).expect("a readable file")) {
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
    assert!(all > 0, "no expression found below {}", rules.display());
    assert!(bound * 10 >= all * 8, "only {bound} of {all} have a bound");
}

/// All values of `expr:`, also of recording rules.
fn all_expressions(yaml: &str) -> Vec<String> {
    // as if each rule were an alert
    alerting_expressions(&yaml.replace("record:", "alert:"))
}

#[test]
fn published_expressions_are_read_completed_and_rewritten_without_panic_and_without_false_errors() {
    let Some(shared) = shared() else { return };
    let rules = shared.join("corpus/rules");
    let (mut all, mut hints, mut refused) = (0, 0, Vec::new());
    for file in
        files(&rules).iter().filter(|file| file.extension().is_some_and(|e| e == "yaml" || e == "yml"))
    {
        for expr in all_expressions(&fs::read_to_string(file).expect("a readable file")) {
            // templates of Helm and Go are no PromQL, nor are values that this reader of YAML cuts
            if expr.is_empty()
                || expr.contains("{{")
                || expr.contains("[[")
                || expr.contains("<<")
                || expr.contains('$')
            {
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
