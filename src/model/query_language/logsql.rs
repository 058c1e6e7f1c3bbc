//! `LogsQL` of `VictoriaLogs`: what can be typed where, and how a query is split and restricted.
//!
//! Source: "LogsQL" in the documentation of `VictoriaLogs` 1.26.

use super::scan::{QueryScan, QueryToken, TokenKind, is_word};
use super::{QueryLanguage, SplitRefusal, term};
use crate::model::labels::Labels;
use crate::model::promql::complete::{CursorContext, Expected, LabelTerms, QueryTerm};
use crate::model::promql::{is_plain_name, quoted};

const LANGUAGE: QueryLanguage = QueryLanguage::LogsQl;

/// What may follow `|`.
const PIPES: [QueryTerm; 24] = [
    term("pipe", "stats", "stats ", "stats by (field) count() as name: numbers"),
    term("pipe", "filter", "filter ", "filter field:=\"value\""),
    term("pipe", "fields", "fields ", "fields a, b: only these"),
    term("pipe", "sort", "sort by (", "sort by (field) desc"),
    term("pipe", "limit", "limit ", "limit 10"),
    term("pipe", "uniq", "uniq by (", "uniq by (field): its values"),
    term("pipe", "top", "top 10 by (", "top 10 by (field): the most frequent values"),
    term("pipe", "unpack_json", "unpack_json", "fields of JSON lines"),
    term("pipe", "unpack_logfmt", "unpack_logfmt", "key=value pairs become fields"),
    term("pipe", "unpack_syslog", "unpack_syslog", "fields of syslog lines"),
    term("pipe", "extract", "extract \"", "extract \"ip=<ip> \" from field"),
    term("pipe", "extract_regexp", "extract_regexp \"", "extract_regexp \"(?P<name>re)\""),
    term("pipe", "format", "format \"", "format \"<a>:<b>\" as field"),
    term("pipe", "replace", "replace (", "replace (\"old\", \"new\") at field"),
    term("pipe", "math", "math ", "math (a / b) as c"),
    term("pipe", "delete", "delete ", "delete a, b"),
    term("pipe", "rename", "rename ", "rename a as b"),
    term("pipe", "copy", "copy ", "copy a as b"),
    term("pipe", "collapse_nums", "collapse_nums", "numbers become <N>: patterns of lines"),
    term("pipe", "facets", "facets", "the most frequent values of each field"),
    term("pipe", "field_names", "field_names", "the names of the fields"),
    term("pipe", "field_values", "field_values ", "field_values a: the values of a field"),
    term("pipe", "sample", "sample ", "sample 10: one of 10 lines"),
    term("pipe", "offset", "offset ", "offset 10"),
];

/// The functions of `stats`.
const STATS: [QueryTerm; 15] = [
    term("keyword", "by", "by (", "by (field, field)"),
    term("function", "count", "count()", "count(): the number of lines"),
    term("function", "count_uniq", "count_uniq(", "count_uniq(field)"),
    term("function", "count_empty", "count_empty(", "count_empty(field)"),
    term("function", "sum", "sum(", "sum(field)"),
    term("function", "sum_len", "sum_len(", "sum_len(field): bytes"),
    term("function", "avg", "avg(", "avg(field)"),
    term("function", "min", "min(", "min(field)"),
    term("function", "max", "max(", "max(field)"),
    term("function", "median", "median(", "median(field)"),
    term("function", "quantile", "quantile(0.95, ", "quantile(0.95, field)"),
    term("function", "rate", "rate()", "rate(): lines per second"),
    term("function", "rate_sum", "rate_sum(", "rate_sum(field)"),
    term("function", "histogram", "histogram(", "histogram(field)"),
    term("function", "stddev", "stddev(", "stddev(field)"),
];

/// What may follow a filter.
const FILTERS: [QueryTerm; 4] = [
    term("keyword", "and", "and ", ""),
    term("keyword", "or", "or ", ""),
    term("keyword", "not", "not ", ""),
    term("filter", "_time", "_time:", "_time:5m, _time:[from, to)"),
];

/// The pipes whose words are names of fields.
const OF_FIELDS: [&str; 9] =
    ["fields", "keep", "delete", "del", "rm", "drop", "rename", "copy", "field_values"];

/// The index of the token that begins the pipe which makes numbers of lines: `stats`, or one of its functions or `by` where
/// the word `stats` is left out.
fn stats(scan: &QueryScan<'_>) -> Option<(usize, bool)> {
    scan.pipes().into_iter().rev().find_map(|pipe| {
        let word = scan.tokens.get(pipe + 1)?;
        let is_called = scan.tokens.get(pipe + 2).is_some_and(|next| next.kind == TokenKind::Open('('));
        if word.is_word("stats") {
            return Some((pipe + 1, true));
        }
        (is_called && STATS.iter().any(|known| word.is_word(known.name))).then_some((pipe + 1, false))
    })
}

/// A query gives lines unless a pipe of it makes numbers of them.
pub(super) fn gives_lines(query: &str) -> bool {
    stats(&QueryScan::of(LANGUAGE, query)).is_none()
}

/// The filters of a query: the part before its first pipe; `*` if there are none.
pub(super) fn filters(query: &str) -> &str {
    let scan = QueryScan::of(LANGUAGE, query);
    let first = scan.pipes().first().and_then(|at| scan.tokens.get(*at)).map(|token| token.at);
    let filters = query.get(..first.unwrap_or(query.len())).unwrap_or(query).trim();
    if filters.is_empty() || scan.check().is_err() { "*" } else { filters }
}

/// The name of a field as a query has it.
fn field(name: &str) -> String {
    if is_plain_name(name) { name.to_owned() } else { quoted(name) }
}

/// What is expected at a byte offset of a query.
pub(super) fn at_cursor(query: &str, cursor: usize) -> CursorContext {
    let cursor = cursor.min(query.len());
    let head = query.get(..cursor).unwrap_or(query);
    let scan = QueryScan::of(LANGUAGE, head);
    if scan.is_comment {
        return CursorContext::nothing(cursor);
    }
    if let Some((start, quote)) = scan.open_quote {
        let typed = head.get(start + quote.len_utf8()..).unwrap_or_default().to_owned();
        let replaced = start + quote.len_utf8()..cursor;
        let is_name = |token: &QueryToken<'_>| matches!(token.kind, TokenKind::Word | TokenKind::Quoted);
        let is_sign = |token: &QueryToken<'_>| {
            token.kind == TokenKind::Sign && (token.text.starts_with(':') || token.text.contains('='))
        };
        let expected = match &scan.tokens[..] {
            [.., name, sign] if is_name(name) && is_sign(sign) => {
                Expected::LabelValue { name: name.unquoted().to_owned(), selector: None, quote }
            }
            _ => Expected::Nothing,
        };
        return CursorContext { expected, replaced, typed };
    }
    let start = head
        .rfind(|c| !is_word(c))
        .map_or(0, |at| at + head.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8));
    let rest = query.get(cursor..).unwrap_or_default();
    let end = cursor + rest.find(|c| !is_word(c)).unwrap_or(rest.len());
    let typed = head.get(start..).unwrap_or_default().to_owned();
    let before = QueryScan::of(LANGUAGE, head.get(..start).unwrap_or_default());
    CursorContext { expected: expected(&before), replaced: start..end, typed }
}

fn expected(before: &QueryScan<'_>) -> Expected {
    let fields = || Expected::GroupingLabel { selector: None };
    let filters = |terms| {
        let labels = LabelTerms { selector: None, sign: ":=\"", are_first: true };
        Expected::Terms { terms, labels: Some(labels) }
    };
    let innermost = before.open().into_iter().next_back();
    let innermost = innermost.and_then(|at| Some((at, before.tokens.get(at)?.kind)));
    let last = before.tokens.last();
    if let Some((_, TokenKind::Open('{'))) = innermost {
        let is_start = matches!(last.map(|token| token.kind), Some(TokenKind::Open('{') | TokenKind::Comma));
        return if is_start { Expected::LabelName { selector: None } } else { Expected::Nothing };
    }
    let Some(last) = last else { return filters(&FILTERS) };
    let pipe = before.tokens.iter().rposition(|token| token.kind == TokenKind::Pipe);
    let Some(word) = pipe.map(|at| before.tokens.get(at + 1)) else {
        return after_filter(last, filters);
    };
    let Some(word) = word else { return Expected::Terms { terms: &PIPES, labels: None } };
    if innermost.is_some_and(|(at, _)| Some(at) > pipe) {
        return fields();
    }
    if word.is_word("stats") || STATS.iter().any(|known| word.is_word(known.name)) {
        let is_function =
            last.is_word("stats") || matches!(last.kind, TokenKind::Comma | TokenKind::Close(')'));
        return if is_function { Expected::Terms { terms: &STATS, labels: None } } else { Expected::Nothing };
    }
    if word.is_word("filter") || word.is_word("where") {
        return after_filter(last, filters);
    }
    let is_field = last.kind == TokenKind::Comma || last.at == word.at;
    if OF_FIELDS.iter().any(|name| word.is_word(name)) && is_field { fields() } else { Expected::Nothing }
}

/// In filters: a field can begin anywhere but behind the sign of another.
fn after_filter(last: &QueryToken<'_>, filters: impl Fn(&'static [QueryTerm]) -> Expected) -> Expected {
    match last.kind {
        TokenKind::Sign if last.text != "!" && last.text != "-" => Expected::Nothing,
        TokenKind::Open('[') => Expected::Nothing,
        TokenKind::Word
        | TokenKind::Quoted
        | TokenKind::Open(_)
        | TokenKind::Close(_)
        | TokenKind::Pipe
        | TokenKind::Comma
        | TokenKind::Sign => filters(&FILTERS),
    }
}

/// The query with one series for each value of a field; log lines are counted.
pub(super) fn split_by(query: &str, by: &str) -> Result<String, SplitRefusal> {
    let scan = QueryScan::of(LANGUAGE, query);
    let Some((at, has_word)) = stats(&scan) else {
        return Ok(format!("{} | stats by ({}) count() lines", query.trim_end(), field(by)));
    };
    let insert = |at: usize, text: String| {
        let (head, rest) = query.split_at(at.min(query.len()));
        format!("{head}{text}{rest}")
    };
    let place = |index: usize| scan.tokens.get(index).map_or(query.len(), |token| token.at);
    let grouping = if has_word { at + 1 } else { at };
    if !scan.tokens.get(grouping).is_some_and(|token| token.is_word("by")) {
        let stats = if has_word { "" } else { "stats " };
        return Ok(insert(place(grouping), format!("{stats}by ({}) ", field(by))));
    }
    let open = grouping + 1;
    let close = scan.closing(open).unwrap_or(open);
    let mut own = scan.tokens.iter().take(close).skip(open + 1);
    if own.any(|token| token.unquoted() == by) {
        return Err(SplitRefusal::SplitAlready(by.to_owned()));
    }
    let comma = if close == open + 1 { "" } else { ", " };
    Ok(insert(place(close), format!("{comma}{}", field(by))))
}

/// The query of only the lines with these fields: a filter before the pipe that makes numbers, else at the end.
pub(super) fn only(query: &str, labels: &Labels) -> String {
    let own = labels.iter().filter(|(name, _)| &***name != "__name__");
    let filters: Vec<String> =
        own.map(|(name, value)| format!("{}:={}", field(name), quoted(value))).collect();
    if filters.is_empty() {
        return query.to_owned();
    }
    let filter = format!("| filter {}", filters.join(" "));
    let scan = QueryScan::of(LANGUAGE, query);
    let pipe = stats(&scan).and_then(|(at, _)| scan.tokens.get(at.checked_sub(1)?));
    match pipe {
        Some(pipe) => {
            let (head, rest) = query.split_at(pipe.at);
            format!(
                "{}{} {rest}",
                if head.ends_with(' ') { head.to_owned() } else { format!("{head} ") },
                filter
            )
        }
        None => format!("{} {filter}", query.trim_end()),
    }
}
