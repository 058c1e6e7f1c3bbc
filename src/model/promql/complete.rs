//! What can be typed at a place of an unfinished query: a metric, a label, a value, a duration, an operator.
//!
//! The text before the cursor decides; it need not be valid.

use std::ops::Range;

use super::functions::{all_functions, function, signature};
use super::grammar::{is_aggregation, is_operator_word};

/// What is expected at the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// A metric, a function, an aggregation or a number.
    Expression,
    /// A metric whose samples a function needs over a range.
    RangeOf { function: String },
    /// A label name within braces; the selector as far as it is complete.
    LabelName { selector: Option<String> },
    /// A value within quotes.
    LabelValue { name: String, selector: Option<String>, quote: char },
    /// A label of `by`, `without`, `on`, `ignoring`, `group_left` or `group_right`. With the selector whose labels it names.
    GroupingLabel { selector: Option<String> },
    /// A duration in brackets or after `offset`.
    Duration,
    /// An operator or a keyword after an expression.
    Operator,
    /// One of these words of a language of logs, or a label.
    Terms { terms: &'static [QueryTerm], labels: Option<LabelTerms> },
    /// Nothing that is known: within a comment or a text.
    Nothing,
}

/// The place of the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CursorContext {
    pub expected: Expected,
    /// The bytes of the text that a completion replaces: the word around the cursor.
    pub replaced: Range<usize>,
    /// The part of that word before the cursor.
    pub typed: String,
}

impl CursorContext {
    /// A place where nothing can be completed.
    pub const fn nothing(cursor: usize) -> Self {
        Self { expected: Expected::Nothing, replaced: cursor..cursor, typed: String::new() }
    }
}

/// A word of a language of logs that can be typed at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueryTerm {
    pub name: &'static str,
    /// What is inserted for it.
    pub inserted: &'static str,
    /// What it is: `parser`, `function`, `filter`.
    pub kind: &'static str,
    pub detail: &'static str,
}

/// Names of labels among other words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelTerms {
    /// Only those of the lines that this selector matches.
    pub selector: Option<String>,
    /// What is inserted behind the name: the sign and the quote of a matcher.
    pub sign: &'static str,
    /// Whether they come before the other words.
    pub are_first: bool,
}

/// A word of the language that can be completed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LanguageWord {
    pub name: &'static str,
    /// Its arguments and its result.
    pub signature: String,
    pub is_aggregation: bool,
}

/// An open bracket before the cursor.
#[derive(Debug, Clone, Copy, PartialEq)]
struct OpenBracket<'t> {
    sign: char,
    at: usize,
    /// The word before it: a metric, a function, a keyword.
    word: &'t str,
    /// The byte offset of the last matcher or argument within it.
    part: usize,
}

/// The keywords that can follow an expression.
pub const KEYWORDS: [&str; 14] = [
    "by",
    "without",
    "and",
    "or",
    "unless",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "offset",
    "bool",
    "==",
    ">",
    "<",
];

/// The durations that are offered for a range.
pub const DURATIONS: [&str; 9] = ["1m", "2m", "5m", "10m", "30m", "1h", "6h", "1d", "7d"];

/// All functions and aggregations, sorted by name.
pub fn language() -> Vec<LanguageWord> {
    let aggregations = [
        ("sum", "sum by (labels) (vector)"),
        ("avg", "avg by (labels) (vector)"),
        ("count", "count by (labels) (vector)"),
        ("min", "min by (labels) (vector)"),
        ("max", "max by (labels) (vector)"),
        ("group", "group by (labels) (vector): 1 for each group"),
        ("stddev", "stddev by (labels) (vector)"),
        ("stdvar", "stdvar by (labels) (vector)"),
        ("topk", "topk(k, vector): the k largest series"),
        ("bottomk", "bottomk(k, vector): the k smallest series"),
        ("count_values", "count_values(\"label\", vector)"),
        ("quantile", "quantile(0..1, vector)"),
        ("limitk", "limitk(k, vector): any k series"),
        ("limit_ratio", "limit_ratio(share, vector): a sample of the series"),
    ];
    let aggregations = aggregations.into_iter().map(|(name, signature)| LanguageWord {
        name,
        signature: signature.to_owned(),
        is_aggregation: true,
    });
    let functions = all_functions().filter_map(|name| {
        let signature = signature(name, function(name)?);
        Some(LanguageWord { name, signature, is_aggregation: false })
    });
    let mut all: Vec<LanguageWord> = aggregations.chain(functions).collect();
    all.sort_by_key(|word| word.name);
    all
}

fn is_name_start(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || c == ':'
}

fn is_name(c: char) -> bool {
    is_name_start(c) || c.is_ascii_digit()
}

/// The state of the text up to the cursor.
struct Scan<'t> {
    text: &'t str,
    open: Vec<OpenBracket<'t>>,
    /// The last complete word or sign, to tell an operand from an operator.
    last: &'t str,
    /// The text in quotes that the cursor is in: its start and its quote.
    quote: Option<(usize, char)>,
    is_comment: bool,
}

impl<'t> Scan<'t> {
    /// Reads the text up to a byte offset.
    fn up_to(text: &'t str, cursor: usize) -> Self {
        let head = text.get(..cursor).unwrap_or(text);
        let mut scan = Self { text: head, open: Vec::new(), last: "", quote: None, is_comment: false };
        let mut chars = head.char_indices().peekable();
        // the word before a bracket
        let mut word = "";
        while let Some((at, c)) = chars.next() {
            match c {
                '#' => {
                    scan.is_comment = true;
                    for (_, c) in chars.by_ref() {
                        if c == '\n' {
                            scan.is_comment = false;
                            break;
                        }
                    }
                }
                '"' | '\'' | '`' => {
                    scan.quote = Some((at, c));
                    let mut is_escaped = false;
                    for (end, inner) in chars.by_ref() {
                        if inner == c && !is_escaped {
                            scan.quote = None;
                            scan.last = head.get(at..=end).unwrap_or_default();
                            break;
                        }
                        is_escaped = inner == '\\' && !is_escaped && c != '`';
                    }
                    word = "";
                }
                c if is_name_start(c) || c.is_ascii_digit() || c == '.' => {
                    let mut end = at + c.len_utf8();
                    while let Some((next, c)) =
                        chars.peek().copied().filter(|(_, c)| is_name(*c) || *c == '.')
                    {
                        end = next + c.len_utf8();
                        chars.next();
                    }
                    word = head.get(at..end).unwrap_or_default();
                    scan.last = word;
                }
                c if c.is_whitespace() => {}
                '(' | '{' | '[' => {
                    scan.open.push(OpenBracket { sign: c, at, word, part: at + 1 });
                    scan.last = head.get(at..=at).unwrap_or_default();
                    word = "";
                }
                ')' | '}' | ']' => {
                    scan.open.pop();
                    scan.last = head.get(at..=at).unwrap_or_default();
                    // `sum by (job) (`: the word before the second bracket is the aggregation
                    word = "";
                }
                ',' => {
                    if let Some(open) = scan.open.last_mut() {
                        open.part = at + 1;
                    }
                    scan.last = ",";
                    word = "";
                }
                c => {
                    scan.last = head.get(at..at + c.len_utf8()).unwrap_or_default();
                    word = "";
                }
            }
        }
        scan
    }

    /// The innermost bracket, unless the cursor is outside of all.
    fn innermost(&self) -> Option<&OpenBracket<'t>> {
        self.open.last()
    }

    /// The selector that a pair of braces belongs to, with its complete matchers: `up{job="api"}`.
    fn selector(&self, braces: &OpenBracket<'_>) -> Option<String> {
        let matchers = self.text.get(braces.at + 1..braces.part).unwrap_or_default();
        let matchers = matchers.trim().trim_end_matches(',');
        if braces.word.is_empty() && matchers.is_empty() {
            return None;
        }
        let selector = format!("{}{{{matchers}}}", braces.word);
        // an unfinished or wrong matcher must not keep labels from being completed
        if super::check(&selector).is_ok() {
            Some(selector)
        } else if braces.word.is_empty() {
            None
        } else {
            Some(braces.word.to_owned())
        }
    }
}

/// What is expected at a byte offset of a query.
pub fn at_cursor(text: &str, cursor: usize) -> CursorContext {
    let cursor = cursor.min(text.len());
    let scan = Scan::up_to(text, cursor);
    let none = |expected| CursorContext { expected, replaced: cursor..cursor, typed: String::new() };
    if scan.is_comment {
        return none(Expected::Nothing);
    }
    if let Some((start, quote)) = scan.quote {
        return in_quotes(&scan, (start, quote), cursor);
    }
    let word_start = scan.text.rfind(|c| !is_name(c)).map_or(0, |at| {
        at + scan.text.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8)
    });
    let rest = text.get(cursor..).unwrap_or_default();
    let word_end = cursor + rest.find(|c| !is_name(c)).unwrap_or(rest.len());
    let typed = text.get(word_start..cursor).unwrap_or_default().to_owned();
    // the word that is being typed decides nothing: what was there before it?
    let before = Scan::up_to(text, word_start);
    let expected = expected(text, &before, &typed, cursor);
    if expected == Expected::Duration && typed.is_empty() && word_end > cursor {
        return CursorContext { expected, replaced: cursor..word_end, typed };
    }
    CursorContext { expected, replaced: word_start..word_end, typed }
}

/// The cursor is in a text in quotes: the value of a matcher, or a label name.
fn in_quotes(scan: &Scan<'_>, (start, quote): (usize, char), cursor: usize) -> CursorContext {
    let typed = scan.text.get(start + 1..).unwrap_or_default().to_owned();
    let replaced = start + 1..cursor;
    let none = Expected::Nothing;
    let Some(braces) = scan.innermost().filter(|open| open.sign == '{') else {
        let is_label = scan.innermost().is_some_and(|open| is_grouping(open.word));
        let selector = || grouped_selector(scan.text, scan.text.len());
        let expected = if is_label { Expected::GroupingLabel { selector: selector() } } else { none };
        return CursorContext { expected, replaced, typed };
    };
    let part = scan.text.get(braces.part..start).unwrap_or_default().trim();
    let name = ["!=", "=~", "!~", "="].iter().find_map(|operator| part.strip_suffix(operator));
    let expected = match name {
        Some(name) => {
            let name = name.trim().trim_matches(['"', '\'', '`']).to_owned();
            Expected::LabelValue { name, selector: scan.selector(braces), quote }
        }
        None => Expected::LabelName { selector: scan.selector(braces) },
    };
    CursorContext { expected, replaced, typed }
}

fn is_grouping(word: &str) -> bool {
    ["by", "without", "on", "ignoring", "group_left", "group_right"]
        .iter()
        .any(|keyword| keyword.eq_ignore_ascii_case(word))
}

fn expected(text: &str, before: &Scan<'_>, typed: &str, cursor: usize) -> Expected {
    match before.innermost() {
        Some(open) if open.sign == '[' => return Expected::Duration,
        Some(open) if open.sign == '{' => {
            let part = before.text.get(open.part..).unwrap_or_default().trim();
            let selector = before.selector(open);
            return if part.is_empty() { Expected::LabelName { selector } } else { Expected::Nothing };
        }
        Some(open) if is_grouping(open.word) => {
            return Expected::GroupingLabel { selector: grouped_selector(text, cursor) };
        }
        Some(_) | None => {}
    }
    let last = before.last;
    if last.eq_ignore_ascii_case("offset") {
        return Expected::Duration;
    }
    let last_lower = last.to_ascii_lowercase();
    let is_operand = last.ends_with([')', '}', ']', '"', '\'', '`'])
        || last.chars().next_back().is_some_and(is_name)
            && !is_operator_word(&last_lower)
            && !(is_aggregation(&last_lower) && typed.is_empty());
    if is_operand {
        return Expected::Operator;
    }
    if typed.starts_with(|c: char| c.is_ascii_digit()) {
        return Expected::Nothing;
    }
    let called = before.innermost().filter(|open| open.sign == '(').map(|open| open.word);
    let needs_range = called.and_then(|name| Some((name, function(name)?))).is_some_and(|(_, function)| {
        let place = before
            .innermost()
            .map_or(0, |open| before.text.get(open.at..open.part).unwrap_or_default().matches(',').count());
        function.takes_range(place)
    });
    match called.filter(|_| needs_range) {
        Some(function) => Expected::RangeOf { function: function.to_owned() },
        None => Expected::Expression,
    }
}

/// The selector whose labels a grouping at this place names: that of the aggregation's argument. `sum by (|) (rate(x[5m]))`
/// groups what follows, `sum(x) by (|)` what stands before.
fn grouped_selector(text: &str, cursor: usize) -> Option<String> {
    let before = Scan::up_to(text, cursor);
    let keyword_at = before.innermost()?.at;
    let head = text.get(..keyword_at)?.trim_end();
    let keyword = head.rsplit(|c| !is_name(c)).next()?;
    let operand = head.get(..head.len() - keyword.len())?.trim_end();
    let is_prefix = !operand.ends_with(')') && !keyword.eq_ignore_ascii_case("on");
    let is_prefix = is_prefix && ["by", "without"].iter().any(|word| word.eq_ignore_ascii_case(keyword));
    if is_prefix {
        let rest = text.get(cursor..)?;
        return first_selector(rest.get(rest.find(')')? + 1..)?);
    }
    last_selector(operand)
}

/// The selectors of a text that may be unfinished, from left to right: names that are no functions or keywords, each with its
/// braces.
fn loose_selectors(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut quote = None;
    let mut depth_of_list = 0_usize;
    while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) {
        let rest = text.get(at..).unwrap_or_default();
        if let Some(open) = quote {
            quote = (c != open).then_some(open);
            at += c.len_utf8();
            continue;
        }
        if is_name_start(c) {
            let length = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
            let (word, after) = rest.split_at(length);
            at += length;
            let next = after.trim_start();
            let lower = word.to_ascii_lowercase();
            if is_grouping(word) && next.starts_with('(') {
                depth_of_list = 1;
                at = text.len() - next.len() + 1;
            } else if depth_of_list == 0
                && !next.starts_with('(')
                && !is_operator_word(&lower)
                && !is_aggregation(&lower)
            {
                let braces = next.strip_prefix('{').and_then(|inside| inside.find('}'));
                let braces = braces.and_then(|end| next.get(..end + 2)).unwrap_or_default();
                at += if braces.is_empty() { 0 } else { after.len() - next.len() + braces.len() };
                let selector = format!("{word}{braces}");
                found.push(if super::check(&selector).is_ok() { selector } else { word.to_owned() });
            }
            continue;
        }
        match c {
            '"' | '\'' | '`' => quote = Some(c),
            ')' => depth_of_list = 0,
            // durations in brackets look like names
            '[' => at += rest.find(']').unwrap_or(0),
            _ => {}
        }
        // a number with a unit is no name
        if c.is_ascii_digit() {
            at += rest.find(|c| !is_name(c)).unwrap_or(rest.len());
        } else {
            at += text.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
        }
    }
    found
}

fn first_selector(text: &str) -> Option<String> {
    loose_selectors(text).into_iter().next()
}

fn last_selector(text: &str) -> Option<String> {
    loose_selectors(text).into_iter().next_back()
}

/// The selector whose labels the result of a query has, for a choice of labels: the first of the query.
pub fn main_selector(text: &str) -> Option<String> {
    first_selector(text)
}

#[cfg(test)]
mod tests;
