//! `LogQL` of Loki: what can be typed where, and how a query is split and restricted.
//!
//! Source: "Query" in the documentation of Grafana Loki 3.

use std::time::Duration;

use super::scan::{QueryScan, QueryToken, TokenKind, is_word};
use super::{QueryLanguage, SplitRefusal, term};
use crate::model::duration;
use crate::model::labels::Labels;
use crate::model::promql::complete::{CursorContext, Expected, LabelTerms, LanguageWord, QueryTerm};
use crate::model::promql::{label, quoted};

/// What may follow `|`.
const STAGES: [QueryTerm; 12] = [
    term("parser", "json", "json", "fields of JSON lines become labels"),
    term("parser", "logfmt", "logfmt", "key=value pairs become labels"),
    term("parser", "pattern", "pattern \"", "pattern \"<ip> - <_> <status>\""),
    term("parser", "regexp", "regexp \"", "regexp \"(?P<name>re)\""),
    term("parser", "unpack", "unpack", "labels that promtail packed into the line"),
    term("format", "line_format", "line_format \"", "line_format \"{{.label}}\""),
    term("format", "label_format", "label_format ", "label_format new=old"),
    term("filter", "decolorize", "decolorize", "without colours of terminals"),
    term("filter", "drop", "drop ", "drop label, label"),
    term("filter", "keep", "keep ", "keep label, label"),
    term("unwrap", "unwrap", "unwrap ", "unwrap label: its value is the sample"),
    term("filter", "__error__", "__error__=\"\"", "only lines that the parser could read"),
];

/// What may follow a selector or a stage.
const OPERATORS: [QueryTerm; 6] = [
    term("filter", "|=", "|= \"", "the line contains"),
    term("filter", "!=", "!= \"", "the line does not contain"),
    term("filter", "|~", "|~ \"", "the line matches a regular expression"),
    term("filter", "!~", "!~ \"", "the line does not match"),
    term("stage", "| json", "| json", "fields of JSON lines become labels"),
    term("stage", "| logfmt", "| logfmt", "key=value pairs become labels"),
];

/// What may follow an expression of numbers.
const KEYWORDS: [QueryTerm; 4] = [
    term("keyword", "by", "by (", "keep only these labels"),
    term("keyword", "without", "without (", "drop these labels"),
    term("keyword", "offset", "offset ", "earlier values"),
    term("keyword", "unless", "unless ", ""),
];

/// Functions over lines, and aggregations.
const FUNCTIONS: [(&str, &str, bool); 27] = [
    ("absent_over_time", "absent_over_time({...}[5m]): 1 if there is no line", false),
    ("avg", "avg by (labels) (vector)", true),
    ("avg_over_time", "avg_over_time({...} | unwrap label [5m])", false),
    ("bottomk", "bottomk(k, vector)", true),
    ("bytes_over_time", "bytes_over_time({...}[5m])", false),
    ("bytes_rate", "bytes_rate({...}[5m]): bytes per second", false),
    ("count", "count by (labels) (vector)", true),
    ("count_over_time", "count_over_time({...}[5m]): the number of lines", false),
    ("first_over_time", "first_over_time({...} | unwrap label [5m])", false),
    ("label_replace", "label_replace(vector, \"new\", \"$1\", \"old\", \"re\")", false),
    ("last_over_time", "last_over_time({...} | unwrap label [5m])", false),
    ("max", "max by (labels) (vector)", true),
    ("max_over_time", "max_over_time({...} | unwrap label [5m])", false),
    ("min", "min by (labels) (vector)", true),
    ("min_over_time", "min_over_time({...} | unwrap label [5m])", false),
    ("quantile_over_time", "quantile_over_time(0.95, {...} | unwrap label [5m])", false),
    ("rate", "rate({...}[5m]): lines per second", false),
    ("rate_counter", "rate_counter({...} | unwrap label [5m])", false),
    ("sort", "sort(vector)", false),
    ("sort_desc", "sort_desc(vector)", false),
    ("stddev", "stddev by (labels) (vector)", true),
    ("stddev_over_time", "stddev_over_time({...} | unwrap label [5m])", false),
    ("stdvar", "stdvar by (labels) (vector)", true),
    ("sum", "sum by (labels) (vector)", true),
    ("sum_over_time", "sum_over_time({...} | unwrap label [5m])", false),
    ("topk", "topk(k, vector)", true),
    ("vector", "vector(number)", false),
];

const LANGUAGE: QueryLanguage = QueryLanguage::LogQl;

/// All functions and aggregations, sorted by name.
pub(super) fn functions() -> Vec<LanguageWord> {
    let word = |(name, signature, is_aggregation): (&'static str, &str, bool)| LanguageWord {
        name,
        signature: signature.to_owned(),
        is_aggregation,
    };
    FUNCTIONS.into_iter().map(word).collect()
}

/// A query of lines begins with a selector, which brackets may surround.
pub(super) fn gives_lines(query: &str) -> bool {
    let scan = QueryScan::of(LANGUAGE, query);
    let first = scan.tokens.iter().find(|token| token.kind != TokenKind::Open('('));
    first.is_some_and(|token| token.kind == TokenKind::Open('{'))
}

/// The first complete selector before a byte offset: `{app="checkout"}`.
pub(super) fn main_selector(query: &str, before: usize) -> Option<String> {
    let scan = QueryScan::of(LANGUAGE, query);
    let open = scan.tokens.iter().position(|token| token.kind == TokenKind::Open('{'))?;
    let close = scan.tokens.get(scan.closing(open)?)?;
    let start = scan.tokens.get(open)?.at;
    let selector = query.get(start..close.end()).filter(|_| close.end() <= before)?;
    (scan.tokens.get(open + 1).is_some_and(|token| token.kind == TokenKind::Word))
        .then(|| selector.to_owned())
}

/// The matchers of an unfinished selector that are complete, as a selector.
fn complete_part(scan: &QueryScan<'_>, open: usize) -> Option<String> {
    let last =
        scan.tokens.iter().rposition(|token| token.kind == TokenKind::Comma).filter(|at| *at > open)?;
    let part = scan.text.get(scan.tokens.get(open)?.end()..scan.tokens.get(last)?.at)?;
    Some(format!("{{{}}}", part.trim()))
}

fn is_comparison(token: &QueryToken<'_>) -> bool {
    token.kind == TokenKind::Sign
        && matches!(token.text, "=" | "!=" | "=~" | "!~" | "==" | ">" | "<" | ">=" | "<=")
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
        let expected = match &scan.tokens[..] {
            [.., name, sign] if name.kind == TokenKind::Word && is_comparison(sign) => {
                let open = scan.open().into_iter().next_back().filter(|at| is_brace(&scan, *at));
                let selector = match open {
                    Some(open) => complete_part(&scan, open),
                    None => main_selector(query, cursor),
                };
                Expected::LabelValue { name: name.text.to_owned(), selector, quote }
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
    let expected = expected(query, &before, &typed);
    CursorContext { expected, replaced: start..end, typed }
}

fn is_brace(scan: &QueryScan<'_>, at: usize) -> bool {
    scan.tokens.get(at).is_some_and(|token| token.kind == TokenKind::Open('{'))
}

fn is_grouping(token: Option<&QueryToken<'_>>) -> bool {
    let words = ["by", "without", "on", "ignoring", "group_left", "group_right"];
    token.is_some_and(|token| words.iter().any(|word| token.is_word(word)))
}

fn expected(query: &str, before: &QueryScan<'_>, typed: &str) -> Expected {
    let open = before.open().into_iter().next_back();
    let innermost = open.and_then(|at| Some((at, before.tokens.get(at)?.kind)));
    let last = before.tokens.last();
    match innermost {
        Some((_, TokenKind::Open('['))) => return Expected::Duration,
        Some((at, TokenKind::Open('{'))) => {
            let is_start =
                matches!(last.map(|token| token.kind), Some(TokenKind::Open('{') | TokenKind::Comma));
            let selector = complete_part(before, at);
            return if is_start { Expected::LabelName { selector } } else { Expected::Nothing };
        }
        Some((at, _)) if at > 0 && is_grouping(before.tokens.get(at - 1)) => {
            return Expected::GroupingLabel { selector: main_selector(query, query.len()) };
        }
        Some(_) | None => {}
    }
    let labels =
        |sign| Some(LabelTerms { selector: main_selector(query, query.len()), sign, are_first: false });
    let Some(last) = last else { return Expected::Expression };
    // the word that begins the present stage, if the cursor is in one
    let pipe = before.tokens.iter().rposition(|token| token.kind == TokenKind::Pipe);
    let stage = pipe.and_then(|at| before.tokens.get(at + 1));
    let in_lines = before.tokens.iter().any(|token| token.kind == TokenKind::Close('}'))
        && innermost.is_none_or(|(at, _)| {
            before.tokens.iter().skip(at).any(|token| token.kind == TokenKind::Close('}'))
        });
    match last.kind {
        TokenKind::Pipe => Expected::Terms { terms: &STAGES, labels: labels("=\"") },
        TokenKind::Word if ["and", "or"].iter().any(|word| last.is_word(word)) && in_lines => {
            Expected::Terms { terms: &[], labels: labels("=\"") }
        }
        TokenKind::Word if ["unwrap", "drop", "keep"].iter().any(|word| last.is_word(word)) && in_lines => {
            Expected::GroupingLabel { selector: main_selector(query, query.len()) }
        }
        TokenKind::Comma if stage.is_some_and(|word| word.is_word("drop") || word.is_word("keep")) => {
            Expected::GroupingLabel { selector: main_selector(query, query.len()) }
        }
        TokenKind::Close('}') | TokenKind::Quoted => Expected::Terms { terms: &OPERATORS, labels: None },
        TokenKind::Word if in_lines && typed.is_empty() => {
            Expected::Terms { terms: &OPERATORS, labels: None }
        }
        TokenKind::Close(')') => Expected::Terms { terms: &KEYWORDS, labels: None },
        TokenKind::Open('(') => Expected::Expression,
        TokenKind::Comma if !in_lines => Expected::Expression,
        TokenKind::Sign if !is_comparison(last) && !last.text.starts_with(['|', '!']) => Expected::Expression,
        TokenKind::Open(_) | TokenKind::Close(_) | TokenKind::Word | TokenKind::Comma | TokenKind::Sign => {
            Expected::Nothing
        }
    }
}

/// The query with one series for each value of a label.
pub(super) fn split_by(query: &str, by: &str, step: Duration) -> Result<String, SplitRefusal> {
    if gives_lines(query) {
        let range = duration::text(step.max(Duration::from_secs(60)));
        return Ok(format!("sum by ({}) (count_over_time({} [{range}]))", label(by), query.trim()));
    }
    let scan = QueryScan::of(LANGUAGE, query);
    let wrapped = || Ok(format!("sum by ({}) ({})", label(by), query.trim()));
    let is_aggregation = |token: &QueryToken<'_>| {
        FUNCTIONS.iter().any(|(name, _, is_aggregation)| *is_aggregation && token.is_word(name))
    };
    let [first, second, ..] = &scan.tokens[..] else { return wrapped() };
    if !is_aggregation(first) {
        return wrapped();
    }
    if ["topk", "bottomk"].iter().any(|name| first.is_word(name)) {
        let words = format!("{} chooses among the series: split the query within it", first.text);
        return Err(SplitRefusal::Unfit(words));
    }
    let is_grouped = second.is_word("by") || second.is_word("without");
    let argument = if is_grouped { scan.closing(2).map_or(2, |close| close + 1) } else { 1 };
    let close = scan.closing(argument).unwrap_or(scan.tokens.len());
    // `sum(x) by (a)`
    let trailing = scan.tokens.get(close + 1).filter(|token| token.is_word("by") || token.is_word("without"));
    let (clause, open) = match (is_grouped, trailing) {
        (true, _) => (Some(second), 2),
        (false, Some(word)) => (Some(word), close + 2),
        (false, None) => (None, 0),
    };
    let end = if trailing.is_some() { scan.closing(close + 2).unwrap_or(close) } else { close };
    if end + 1 < scan.tokens.len() {
        return Err(SplitRefusal::Unfit("the query has an operator: split its parts".to_owned()));
    }
    let Some(clause) = clause else {
        let at = first.end();
        let (head, rest) = query.split_at(at);
        return Ok(format!("{head} by ({}) {}", label(by), rest.trim_start()));
    };
    if clause.is_word("without") {
        return Err(SplitRefusal::Unfit("the query groups by `without`: change that".to_owned()));
    }
    let shut = scan.closing(open).unwrap_or(open);
    let mut own = scan.tokens.iter().take(shut).skip(open + 1);
    if own.any(|token| token.text == by || token.unquoted() == by) {
        return Err(SplitRefusal::SplitAlready(by.to_owned()));
    }
    let comma = if shut == open + 1 { "" } else { ", " };
    let at = scan.tokens.get(shut).map_or(query.len(), |token| token.at);
    let (head, rest) = query.split_at(at);
    Ok(format!("{head}{comma}{}{rest}", label(by)))
}

/// The query of only the lines with these labels: filters behind the stages of each selector.
pub(super) fn only(query: &str, labels: &Labels) -> String {
    let filters: Vec<String> =
        labels.iter().map(|(name, value)| format!(" | {}={}", label(name), quoted(value))).collect();
    let filter = filters.concat();
    let scan = QueryScan::of(LANGUAGE, query);
    let ranges: Vec<usize> =
        scan.tokens.iter().filter(|token| token.kind == TokenKind::Open('[')).map(|token| token.at).collect();
    if ranges.is_empty() {
        return format!("{}{filter}", query.trim_end());
    }
    let mut out = String::with_capacity(query.len() + filter.len() * ranges.len());
    let mut from = 0;
    for at in ranges {
        let part = query.get(from..at).unwrap_or_default();
        out.push_str(part.trim_end());
        out.push_str(&filter);
        out.push(' ');
        from = at;
    }
    out.push_str(query.get(from..).unwrap_or_default());
    out
}
