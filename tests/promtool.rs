//! burnwatch's PromQL parser accepts and refuses the same expressions as a real `promtool check rules`.
#![cfg(test)]

#[path = "../src/model/tests/shared.rs"]
mod shared;
#[path = "support/skip.rs"]
mod skip;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use burnwatch::testing::model::promql::{self, QueryParseError};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use shared::shared;
use skip::skip;

fn is_there() -> bool {
    let there = Command::new("promtool").arg("--version").output().is_ok();
    if !there {
        skip("there is no promtool; it comes with Prometheus");
    }
    there
}

/// The indices of the expressions that promtool refuses.
fn refused_by_promtool(exprs: &[String]) -> BTreeSet<usize> {
    let mut rules = "groups:\n- name: g\n  rules:\n".to_owned();
    for (number, expr) in exprs.iter().enumerate() {
        writeln!(rules, "  - record: r_{number}\n    expr: {}", serde_json::to_string(expr).unwrap())
            .unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rules.yaml");
    fs::write(&file, rules).unwrap();
    let reported =
        Command::new("promtool").args(["check", "rules", "--lint=none"]).arg(&file).output().unwrap();
    let reported = String::from_utf8_lossy(&[reported.stdout, reported.stderr].concat()).into_owned();
    let number = |line: &str| line.split_once("\"r_")?.1.split_once('"')?.0.parse().ok();
    let refused: BTreeSet<usize> = reported
        .lines()
        .filter(|line| line.contains("could not parse expression"))
        .filter_map(number)
        .collect();
    assert!(reported.contains("SUCCESS") || !refused.is_empty(), "{reported}");
    refused
}

/// Fails with the expressions on which the two differ. burnwatch may accept those that `beyond` selects.
fn compare(exprs: &[String], beyond: impl Fn(&str) -> bool) {
    let theirs = refused_by_promtool(exprs);
    let mut differ = String::new();
    for (number, expr) in exprs.iter().enumerate() {
        let ours = promql::check(expr);
        let is_refused = matches!(ours, Err(QueryParseError::Refused(_)));
        if (is_refused || !beyond(expr)) && is_refused != theirs.contains(&number) {
            writeln!(differ, "{expr:?}: ours {ours:?}").unwrap();
        }
    }
    let (refused, all) = (theirs.len(), exprs.len());
    eprintln!("{all} expressions, {refused} of them refused by promtool");
    assert!(differ.is_empty(), "of {all}, {refused} refused by promtool, these differ:\n{differ}");
}

fn generated(strategy: impl Strategy<Value = String>, count: usize) -> Vec<String> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

/// One of the first list in nine of ten cases, otherwise one of the second.
fn mostly<const N: usize, const M: usize>(
    sound: [&'static str; N],
    odd: [&'static str; M],
) -> BoxedStrategy<String> {
    let one_of = |all: &[&'static str]| prop::sample::select(all.to_vec());
    prop_oneof![12 => one_of(&sound), 1 => one_of(&odd)].prop_map(str::to_owned).boxed()
}

fn number() -> impl Strategy<Value = String> {
    let sound = [
        "1",
        "0",
        "017",
        "08",
        "0x1F",
        "0XaB",
        "1e+06",
        "4.7e+09",
        "1E-3",
        ".5e+2",
        "5.",
        "Inf",
        "+Inf",
        "-Inf",
        "NaN",
        "inf",
        "9223372036854775808",
        "1e-400",
    ];
    mostly(sound, ["1e", "1.5.2", "0x", "1e999", "0xFFFFFFFFFFFFFFFFFF", "5 ."])
}

fn string() -> impl Strategy<Value = String> {
    let sound = [
        r#""a""#,
        "'a'",
        "`a`",
        r"`5\d\d`",
        r#""5\\d""#,
        r"`a\\`",
        r#"`"'`"#,
        r#"'"'"#,
        r#""'""#,
        r#""\"""#,
        r"'\''",
        r#""\x41\101\u00e9\U0001f525""#,
        r#""é⏎""#,
        "`a\nb`",
        "\"# no comment\"",
        r#"".+""#,
        r#""a{2}""#,
        "\"\t\"",
        r#""[[:alpha:]]|\\pL""#,
        r#""(?i)a\\Q+\\E""#,
    ];
    let odd = [
        r#""5\d\d""#,
        r"`a\`",
        r#""\'""#,
        r#"'\"'"#,
        r#""""#,
        r#""\400""#,
        r#""\ud800""#,
        r#""\xff""#,
        "\"a\nb\"",
        r#"".*""#,
        r#""(""#,
        "\"a",
        "`a",
        r#""\q""#,
        r#""a{1001}""#,
    ];
    mostly(sound, odd)
}

fn duration() -> impl Strategy<Value = String> {
    let sound = ["5m", "1h30m", "1d", "250ms", "1y2w3d4h5m6s7ms", "05m"];
    mostly(sound, ["0s", "1m1h", "5x", "300y", "1.5m", "5m5m", "m"])
}

fn name() -> impl Strategy<Value = String> {
    let sound = [
        "a",
        "a:b",
        "job:x:rate5m",
        ":a",
        "sum",
        "by",
        "and",
        "or",
        "unless",
        "without",
        "rate",
        "count_values",
        "A1_",
        "Sum",
        "info",
    ];
    mostly(sound, ["on", "bool", "group_left", "ignoring", "atan2", "9a"])
}

fn label() -> impl Strategy<Value = String> {
    let sound =
        ["a", "b", "le", "sum", "by", "on", "bool", "and", "or", "offset", "start", "atan2", "group_left"];
    mostly(sound, ["__name__", "without", "a:b", "inf", "9"])
}

fn selector() -> impl Strategy<Value = String> {
    let condition = (label(), mostly(["=", "!=", "=~", "!~"], ["==", "~"]), string())
        .prop_map(|(l, o, s)| format!("{l}{o}{s}"));
    let braces = (prop::collection::vec(condition, 0..3), mostly(["", "", ","], [",,"]), any::<bool>())
        .prop_map(|(all, end, comment)| {
            format!("{{{}{end}{}}}", all.join(", "), if comment { " # it's \"it\"\n" } else { "" })
        });
    let tail = prop_oneof![
        6 => Just(String::new()),
        2 => duration().prop_map(|d| format!(" offset {d}")),
        1 => duration().prop_map(|d| format!(" offset -{d}")),
        1 => prop_oneof![number(), Just("start()".to_owned()), Just("end ( )".to_owned()), Just("-1.5".to_owned())].prop_map(|n| format!(" @ {n}")),
    ];
    let range = prop_oneof![
        4 => Just(String::new()),
        3 => duration().prop_map(|d| format!("[{d}]")),
        1 => (duration(), duration()).prop_map(|(a, b)| format!("[ {a}:{b} ]")),
        1 => duration().prop_map(|a| format!("[{a}:]")),
    ];
    // without a name, `offset` would be parsed as the name
    (prop_oneof![4 => name(), 1 => Just(String::new())], braces, any::<bool>(), tail.clone(), range, tail)
        .prop_map(|(n, b, is_braced, t, r, u)| {
            let b = if is_braced || n.is_empty() { b } else { String::new() };
            format!("{n}{b}{}{r}{u}", if u.is_empty() { t } else { String::new() })
        })
}

fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![3 => selector(), 2 => number(), 1 => string()];
    leaf.prop_recursive(4, 20, 3, |inner| {
        let functions = vec![
            "rate", "increase", "abs", "absent", "time", "vector", "scalar", "histogram_quantile", "label_replace", "label_join", "round",
            "clamp", "day_of_week", "predict_linear", "quantile_over_time", "sum_over_time", "pi", "holt_winters", "timestamp",
        ];
        let aggregations = vec!["sum", "count", "topk", "quantile", "count_values", "AVG", "group", "stddev"];
        let grouping = prop::collection::vec(label(), 0..3).prop_map(|all| format!("({})", all.join(","))).boxed();
        let by = (prop::sample::select(vec!["by", "without", "BY"]), grouping.clone()).prop_map(|(w, g)| format!(" {w} {g} ")).boxed();
        let modifier = (
            prop::sample::select(vec!["", "", "bool"]),
            prop::option::of((prop::sample::select(vec!["on", "ignoring"]), grouping.clone())),
            prop::option::of((prop::sample::select(vec!["group_left", "group_right"]), prop::option::of(grouping))),
        )
            .prop_map(|(b, m, g)| {
                let m = m.map_or_else(String::new, |(w, g)| format!(" {w} {g}"));
                let g = g.map_or_else(String::new, |(w, g)| format!(" {w} {}", g.unwrap_or_default()));
                format!("{b}{m}{g} ")
            });
        let operators = vec!["+", "-", "*", "/", "%", "^", "==", "!=", ">", "<", ">=", "<=", "and", "or", "unless", "atan2", "AND"];
        prop_oneof![
            4 => inner.clone().prop_map(|e| format!("sum by (a) ({e})")),
            2 => (name(), duration()).prop_map(|(n, d)| format!("rate({n}{{a=~`b`}}[{d}])")),
            2 => (number(), inner.clone()).prop_map(|(n, e)| format!("clamp_max({e}, {n})")),
            3 => (inner.clone(), number()).prop_map(|(e, n)| format!("{e} > bool {n}")),
            4 => (inner.clone(), prop::sample::select(operators), prop_oneof![3 => Just(String::new()), 1 => modifier], inner.clone())
                .prop_map(|(l, o, m, r)| format!("{l} {o} {m}{r}")),
            3 => (prop::sample::select(functions), prop::collection::vec(inner.clone(), 0..4)).prop_map(|(f, a)| format!("{f}({})", a.join(", "))),
            3 => (prop::sample::select(aggregations), prop::option::of(by.clone()), prop::collection::vec(inner.clone(), 1..3), prop::option::of(by))
                .prop_map(|(f, b, a, c)| format!("{f}{}({}){}", b.unwrap_or_default(), a.join(", "), c.unwrap_or_default())),
            2 => inner.clone().prop_map(|e| format!("({e})")),
            1 => inner.clone().prop_map(|e| format!("-{e}")),
            1 => (inner.clone(), duration()).prop_map(|(e, d)| format!("{e}[{d}:]")),
            1 => (inner.clone(), duration()).prop_map(|(e, d)| format!("{e}[{d}]")),
            1 => inner.prop_map(|e| format!("{e} # a comment's quote\n")),
        ]
    })
}

/// Syntax that Prometheus 3 accepts and 2.42 does not: numbers for durations and durations for numbers, quoted names,
/// `offset 0s`.
fn is_newer(expr: &str) -> bool {
    [
        "5]",
        "5:",
        "[5 ",
        ":5",
        "offset 5",
        "offset -5",
        "offset 0s",
        "offset -0s",
        "1_",
        "@ 0x",
        "(start",
        "start(",
        "start (",
    ]
    .iter()
    .any(|part| expr.contains(part))
}

#[test]
fn what_promtool_takes_is_taken_and_what_it_refuses_is_refused() {
    if !is_there() {
        return;
    }
    compare(
        &generated(expression().prop_filter("a rule needs one", |expr| !expr.is_empty()), 4000),
        is_newer,
    );
    let soup = "(a|b:c|sum|rate|by|on|bool|or|and|offset|inf|1|0x1f|1e\\+06|\\[5m\\]|\\[5m:| offset 5m|\"x\"|`\\\\`|'|#|\n|\\(|\\)|\\{|\\}|\\[|\\]|,|=|=~|==|!=|>|<|\\+|-|\\*|\\^|@|:| ){1,12}";
    let soup = prop::string::string_regex(soup).unwrap();
    compare(&generated(soup.prop_filter("a rule needs one", |expr| !expr.is_empty()), 4000), is_newer);
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// The values of all `expr` keys in a rule file.
fn expressions(yaml: &str) -> Vec<String> {
    let events = saphyr_parser::Parser::new_from_str(yaml).filter_map(|event| Some(event.ok()?.0));
    let scalars: Vec<Option<String>> = events
        .map(|event| match event {
            saphyr_parser::Event::Scalar(text, ..) => Some(text.into_owned()),
            _ => None,
        })
        .collect();
    let pairs = scalars.windows(2);
    pairs.filter(|pair| pair[0].as_deref() == Some("expr")).filter_map(|pair| pair[1].clone()).collect()
}

#[test]
fn every_published_rule_that_promtool_takes_is_taken_and_taken_apart() {
    let Some(shared) = shared() else { return };
    if !is_there() {
        return;
    }
    let mut all = Vec::new();
    for file in files(&shared.join("corpus")) {
        if file.extension().is_some_and(|ending| ending == "yaml" || ending == "yml") {
            let text = fs::read_to_string(&file).unwrap();
            all.extend(expressions(&text));
        }
    }
    assert!(all.len() > 500, "{} expressions", all.len());
    compare(&all, |_| false);
    for expr in &all {
        let read = promql::parse(expr);
        assert!(matches!(read, Ok(_) | Err(QueryParseError::Refused(_))), "{expr}: {read:?}");
    }
}
