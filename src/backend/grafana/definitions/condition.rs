//! Conditions of Grafana's server-side expressions: evaluators, and the comparisons in math expressions.
#![expect(clippy::indexing_slicing, reason = "a missing key of a JSON value is null")]

use serde_json::Value;

/// The functions of math expressions that PromQL has too.
const FUNCTIONS: [&str; 4] = ["abs", "ceil", "floor", "round"];
/// Comparisons, the longer ones first.
const SIGNS: [&str; 6] = [">=", "<=", "==", "!=", ">", "<"];

/// The most parentheses around an expression that are looked into.
const MOST_PARENTHESES: usize = 20;

/// A part of a math expression that is a condition.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum MathPart<'a> {
    Comparison {
        left: &'a str,
        sign: &'static str,
        right: &'a str,
    },
    /// A number that is true unless it is 0.
    Value(&'a str),
    /// `and` or `or`
    Joined(&'static str),
}

/// The text under a key; empty if there is none.
pub(super) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// A value compared as an evaluator says: `{"type": "gt", "params": [5]}`.
pub(super) fn compared(value: &str, evaluator: &Value) -> Result<String, String> {
    let kind = text(evaluator, "type");
    let bound = |at: usize| -> Result<String, String> {
        let number = evaluator["params"][at].as_f64().filter(|number| number.is_finite());
        number.map(|number| number.to_string()).ok_or_else(|| format!("the condition {kind} has no number"))
    };
    let simple = |sign: &str| Ok(format!("({value}) {sign} {}", bound(0)?));
    let both = |low: &str, word: &str, high: &str| {
        Ok(format!("({value}) {low} {} {word} ({value}) {high} {}", bound(0)?, bound(1)?))
    };
    match kind {
        "gt" => simple(">"),
        "lt" => simple("<"),
        "gte" => simple(">="),
        "lte" => simple("<="),
        "eq" => simple("=="),
        "ne" => simple("!="),
        "within_range" => both(">", "and", "<"),
        "outside_range" => both("<", "or", ">"),
        "within_range_included" => both(">=", "and", "<="),
        "outside_range_included" => both("<=", "or", ">="),
        "no_value" => Ok(format!("absent({value})")),
        other => Err(format!("the condition {other} has no form in PromQL")),
    }
}

/// Splits a math expression into comparisons joined by `&&` and `||`.
pub(super) fn parts(expression: &str) -> Result<Vec<MathPart<'_>>, String> {
    let mut parts = Vec::new();
    let mut rest = unwrapped(expression.trim());
    loop {
        let next = [("&&", "and"), ("||", "or")]
            .into_iter()
            .filter_map(|(sign, word)| Some((outside(rest, sign)?, sign, word)))
            .min();
        let one = next.map_or(rest, |(at, _, _)| rest.get(..at).unwrap_or_default());
        parts.push(part(unwrapped(one.trim()))?);
        let Some((at, sign, word)) = next else { return Ok(parts) };
        parts.push(MathPart::Joined(word));
        rest = rest.get(at + sign.len()..).unwrap_or_default();
    }
}

fn part(text: &str) -> Result<MathPart<'_>, String> {
    if ["&&", "||"].iter().any(|sign| text.contains(sign)) || text.starts_with('!') {
        return Err("its math expression has conditions within conditions".to_owned());
    }
    let found = SIGNS.iter().filter_map(|sign| Some((outside(text, sign)?, *sign)));
    // the longest of those that begin at the same place
    let found = found.min_by_key(|(at, sign)| (*at, usize::MAX - sign.len()));
    let Some((at, sign)) = found else { return Ok(MathPart::Value(text)) };
    let (left, right) = (text.get(..at).unwrap_or_default(), text.get(at + sign.len()..).unwrap_or_default());
    if SIGNS.iter().any(|sign| left.contains(sign) || right.contains(sign)) {
        return Err("its math expression compares the result of a comparison".to_owned());
    }
    Ok(MathPart::Comparison { left: left.trim(), sign, right: right.trim() })
}

/// The position of a sign that is not inside parentheses.
fn outside(text: &str, sign: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 && text.get(at..).is_some_and(|rest| rest.starts_with(sign)) => return Some(at),
            _ => {}
        }
    }
    None
}

/// The text without the parentheses around the whole of it.
fn unwrapped(text: &str) -> &str {
    let is_one = |inner: &&str| {
        let mut depth = 0_i32;
        inner.chars().all(|letter| {
            depth += i32::from(letter == '(') - i32::from(letter == ')');
            depth >= 0
        })
    };
    let inside = |text: &'_ str| -> Option<usize> {
        let inner = text.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
        inner.filter(is_one).map(str::len)
    };
    let mut text = text;
    for _ in 0..MOST_PARENTHESES {
        let Some(length) = inside(text) else { break };
        text = text.get(1..=length).unwrap_or_default().trim();
    }
    text
}

/// The refIds in a math expression, each once.
pub(super) fn references(expression: &str) -> Vec<String> {
    let mut names = Vec::new();
    // the closure only collects, so nothing can fail
    drop(replaced(expression, |name| {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
        Ok(String::new())
    }));
    names
}

/// A math expression with its references `$A` and `${A}` replaced, each in parentheses.
pub(super) fn replaced(
    expression: &str,
    mut value: impl FnMut(&str) -> Result<String, String>,
) -> Result<String, String> {
    let mut whole = String::new();
    let mut rest = expression;
    while let Some((before, after)) = rest.split_once('$') {
        whole.push_str(before);
        let (name, behind) = if let Some(inside) = after.strip_prefix('{') {
            inside.split_once('}').ok_or("a `${` of its math expression is not closed")?
        } else {
            let is_end = |letter: char| !(letter.is_alphanumeric() || letter == '_');
            let end = after.find(is_end).unwrap_or(after.len());
            after.split_at(end)
        };
        whole.extend(["(", &value(name)?, ")"]);
        rest = behind;
    }
    whole.push_str(rest);
    let mut names = rest_names(expression);
    match names.find(|name| !FUNCTIONS.contains(name)) {
        Some(name) => Err(format!("the function {name} of its math expression has no form in PromQL")),
        None => Ok(whole),
    }
}

/// The names of functions in a math expression.
fn rest_names(expression: &str) -> impl Iterator<Item = &str> {
    let is_part = |letter: char| letter.is_alphanumeric() || "_${}.".contains(letter);
    let words = expression.split(move |letter: char| !is_part(letter));
    words.filter(|word| word.starts_with(|first: char| first.is_alphabetic()))
}
