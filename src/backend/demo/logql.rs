//! The part of `LogQL` that the simulated Loki answers: stream selectors, line filters, `json` and `logfmt`, filters by labels, and
//! `count_over_time` and `rate`, added up by labels.

use promql_parser::label::Matcher;
use promql_parser::parser::Expr;
use regex::Regex;
use serde_json::Value;

use crate::model::duration;
use crate::model::labels::Labels;
use crate::model::promql::parse;

/// A query for lines, or for their number over time.
#[derive(Debug)]
pub(super) enum LogExpr {
    Lines(LogSelection),
    Counts(LogCounts),
}

/// The number of lines over time.
#[derive(Debug)]
pub(super) struct LogCounts {
    pub(super) of: LogSelection,
    /// In seconds.
    pub(super) range: f64,
    /// Whether the number is divided by the range.
    pub(super) is_rate: bool,
    /// The labels that are kept; `None`: all of them.
    pub(super) by: Option<Vec<String>>,
}

/// Which lines are selected.
#[derive(Debug, Default)]
pub(super) struct LogSelection {
    matchers: Vec<Matcher>,
    stages: Vec<LogStage>,
}

#[derive(Debug)]
enum LogStage {
    Text {
        wanted: String,
        is_absent: bool,
    },
    Pattern {
        wanted: Regex,
        is_absent: bool,
    },
    /// `json` or `logfmt`: the fields of the line become labels.
    Fields,
    Labels(Vec<Matcher>),
    Number {
        name: String,
        sign: &'static str,
        value: f64,
    },
}

/// The text of a refusal, as the server words it.
fn refusal(query: &str, rest: &str, what: &str) -> String {
    let column = query.len().saturating_sub(rest.len()) + 1;
    format!("parse error at line 1, col {column}: syntax error: unexpected {what}")
}

impl LogExpr {
    /// Reads a query.
    ///
    /// # Errors
    /// The text of the refusal.
    pub(super) fn parse(query: &str) -> Result<Self, String> {
        let text = query.trim();
        if text.starts_with('{') {
            let (selection, rest) = LogSelection::read(text)?;
            return if rest.is_empty() {
                Ok(Self::Lines(selection))
            } else {
                Err(refusal(text, rest, "character"))
            };
        }
        let (sum, by, inner) = match text.strip_prefix("sum") {
            None => (false, None, text),
            Some(rest) => {
                let (before, rest) = grouping(rest.trim_start());
                let inner =
                    rest.trim_start().strip_prefix('(').ok_or_else(|| refusal(text, rest, "IDENTIFIER"))?;
                let end = inner.rfind(')').ok_or_else(|| refusal(text, "", "$end"))?;
                // `by` may also stand behind
                let (inner, after) =
                    match inner.rfind(" by ").filter(|_| !text.ends_with("))") && before.is_none()) {
                        Some(at) => {
                            let (inner, by) = inner.split_at(at);
                            (inner.trim_end().strip_suffix(')').unwrap_or(inner), grouping(by.trim_start()).0)
                        }
                        None => (inner.get(..end).unwrap_or_default(), None),
                    };
                (true, before.or(after), inner.trim())
            }
        };
        let (is_rate, call) = if let Some(call) = inner.strip_prefix("count_over_time") {
            (false, call)
        } else if let Some(call) = inner.strip_prefix("rate") {
            (true, call)
        } else {
            return Err(refusal(text, inner, "IDENTIFIER"));
        };
        let call = call.trim_start().strip_prefix('(').and_then(|call| call.trim_end().strip_suffix(')'));
        let call = call.ok_or_else(|| refusal(text, inner, "$end, expecting )"))?;
        let (of, rest) = LogSelection::read(call.trim())?;
        let range = rest.strip_prefix('[').and_then(|rest| rest.trim_end().strip_suffix(']'));
        let range = range.and_then(|range| duration::parse(range.trim()).ok());
        let range = range.ok_or_else(|| refusal(text, rest, "character, expecting RANGE"))?.as_secs_f64();
        if range <= 0.0 {
            return Err(refusal(text, rest, "RANGE of zero"));
        }
        let by = if sum { Some(by.unwrap_or_default()) } else { None };
        Ok(Self::Counts(LogCounts { of, range, is_rate, by }))
    }
}

/// The labels of `by (...)` at the beginning, and what follows.
fn grouping(text: &str) -> (Option<Vec<String>>, &str) {
    let labels = text.strip_prefix("by").map(str::trim_start).and_then(|rest| rest.strip_prefix('('));
    let Some((labels, rest)) = labels.and_then(|rest| rest.split_once(')')) else { return (None, text) };
    let labels = labels.split(',').map(|label| label.trim().to_owned()).filter(|label| !label.is_empty());
    (Some(labels.collect()), rest)
}

impl LogSelection {
    /// Reads a selection at the beginning of a text, and what follows it.
    fn read(text: &str) -> Result<(Self, &str), String> {
        let end = closing(text).ok_or_else(|| refusal(text, "", "$end"))?;
        let (selector, mut rest) = text.split_at(end + 1);
        let mut selection = Self { matchers: matchers(selector)?, stages: Vec::new() };
        loop {
            rest = rest.trim_start();
            let filter = [("|=", false, false), ("!=", true, false), ("|~", false, true), ("!~", true, true)];
            let filter = filter.into_iter().find_map(|(sign, is_absent, is_pattern)| {
                Some((rest.strip_prefix(sign)?.trim_start(), is_absent, is_pattern))
            });
            if let Some((after, is_absent, is_pattern)) = filter {
                let (wanted, after) =
                    quoted(after).ok_or_else(|| refusal(text, after, "character, expecting STRING"))?;
                selection.stages.push(if is_pattern {
                    let wanted =
                        Regex::new(&wanted).map_err(|error| format!("error parsing regexp: {error}"))?;
                    LogStage::Pattern { wanted, is_absent }
                } else {
                    LogStage::Text { wanted, is_absent }
                });
                rest = after;
                continue;
            }
            let Some(stage) = rest.strip_prefix('|') else { return Ok((selection, rest)) };
            let stage = stage.trim_start();
            let end = stage_end(stage);
            let (own, after) = stage.split_at(end);
            selection.stages.push(stage_of(own.trim()).map_err(|what| refusal(text, stage, &what))?);
            rest = after;
        }
    }

    /// Whether a stream with these labels is selected.
    pub(super) fn has_stream(&self, labels: &Labels) -> bool {
        self.matchers.iter().all(|matcher| matcher.is_match(labels.value(&matcher.name)))
    }

    /// Whether the text of a line matters.
    pub(super) fn needs_text(&self) -> bool {
        self.stages.iter().any(|stage| !matches!(stage, LogStage::Labels(_)))
    }

    /// Whether a line is selected; `known` are its labels, to which fields are added.
    pub(super) fn has_line(&self, text: &str, known: &mut Labels) -> bool {
        self.stages.iter().all(|stage| match stage {
            LogStage::Text { wanted, is_absent } => text.contains(wanted.as_str()) != *is_absent,
            LogStage::Pattern { wanted, is_absent } => wanted.is_match(text) != *is_absent,
            LogStage::Fields => {
                *known = known.with_strs(fields(text));
                true
            }
            LogStage::Labels(matchers) => {
                matchers.iter().all(|matcher| matcher.is_match(known.value(&matcher.name)))
            }
            LogStage::Number { name, sign, value } => {
                let own: Option<f64> = known.get(name).and_then(|text| text.parse().ok());
                own.is_some_and(|own| match *sign {
                    ">=" => own >= *value,
                    "<=" => own <= *value,
                    ">" => own > *value,
                    _ => own < *value,
                })
            }
        })
    }
}

/// The end of the selector at the beginning; braces in quotes do not count.
fn closing(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut is_escaped = false;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some('"'), '\\') if !is_escaped => {
                is_escaped = true;
                continue;
            }
            (Some(open), c) if c == open && !is_escaped => quote = None,
            (None, '"' | '`') => quote = Some(c),
            (None, '}') => return Some(at),
            (Some(_) | None, _) => {}
        }
        is_escaped = false;
    }
    None
}

/// Where a stage of the pipeline ends: at the next `|` or the range that is not in quotes.
fn stage_end(text: &str) -> usize {
    let mut is_quoted = false;
    let end = text.char_indices().find(|(_, c)| {
        is_quoted ^= matches!(c, '"' | '`');
        !is_quoted && matches!(c, '|' | '[')
    });
    end.map_or(text.len(), |(at, _)| at)
}

/// A stage after `|`.
fn stage_of(text: &str) -> Result<LogStage, String> {
    if matches!(text, "json" | "logfmt") {
        return Ok(LogStage::Fields);
    }
    for sign in [">=", "<=", ">", "<"] {
        if let Some((name, value)) = text.split_once(sign)
            && let Ok(value) = value.trim().parse()
        {
            return Ok(LogStage::Number { name: name.trim().to_owned(), sign, value });
        }
    }
    match matchers(&format!("{{{text}}}")) {
        Ok(all) if !all.is_empty() => Ok(LogStage::Labels(all)),
        Ok(_) | Err(_) => Err(text.split_whitespace().next().unwrap_or("$end").to_owned()),
    }
}

/// The matchers of a selector, which are written as in PromQL.
fn matchers(selector: &str) -> Result<Vec<Matcher>, String> {
    match parse(selector) {
        Ok(Expr::VectorSelector(selector)) => Ok(selector.matchers.matchers),
        Ok(_) => Err(refusal(selector, selector, "IDENTIFIER")),
        Err(error) => Err(format!("parse error at line 1, col 1: {error}")),
    }
}

/// A string at the beginning, and what follows.
fn quoted(text: &str) -> Option<(String, &str)> {
    if let Some(rest) = text.strip_prefix('`') {
        let (inside, rest) = rest.split_once('`')?;
        return Some((inside.to_owned(), rest));
    }
    let rest = text.strip_prefix('"')?;
    let mut out = String::new();
    let mut chars = rest.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((out, rest.get(at + 1..)?)),
            '\\' => out.push(match chars.next()?.1 {
                'n' => '\n',
                't' => '\t',
                other => other,
            }),
            other => out.push(other),
        }
    }
    None
}

/// The fields of a line in JSON or logfmt.
fn fields(text: &str) -> Vec<(String, String)> {
    if let Ok(Value::Object(all)) = serde_json::from_str(text) {
        let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        return all.into_iter().map(|(name, value)| (name, text(value))).collect();
    }
    let mut all = Vec::new();
    let mut rest = text.trim_start();
    while let Some((name, after)) = rest.split_once('=') {
        let (value, left) = quoted(after).unwrap_or_else(|| {
            let (value, left) = after.split_once(' ').unwrap_or((after, ""));
            (value.to_owned(), left)
        });
        let is_name = !name.is_empty() && !name.contains(char::is_whitespace);
        all.extend(is_name.then(|| (name.to_owned(), value)));
        rest = left.trim_start();
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(query: &str) -> LogSelection {
        match LogExpr::parse(query) {
            Ok(LogExpr::Lines(selection)) => selection,
            other => panic!("{query}: {other:?}"),
        }
    }

    fn counts(query: &str) -> LogCounts {
        match LogExpr::parse(query) {
            Ok(LogExpr::Counts(counts)) => counts,
            other => panic!("{query}: {other:?}"),
        }
    }

    #[test]
    fn lines_are_selected_by_stream_text_and_fields() {
        let stream = Labels::from_iter([("service_name", "pay"), ("region", "eu")]);
        let json = r#"{"level":"error","msg":"nil amount } in \"minor\" units","status":500}"#;
        let logfmt = r#"level=error msg="nil amount } in \"minor\" units" status=500"#;
        for (filter, expected) in [
            ("", true),
            ("|= \"nil amount\"", true),
            ("|= `nil` != \"amount\"", false),
            ("|= \"}\"", true),
            ("|~ \"nil.*units\" !~ `p.y`", true),
            ("| json | status >= 500", true),
            ("| logfmt | status > 500", false),
            ("| json | level=\"error\", status=~\"5..\"", true),
            ("| level=\"error\"", false),
        ] {
            let selection = lines(&format!("{{service_name=\"pay\"}} {filter}"));
            assert!(selection.has_stream(&stream));
            for text in [json, logfmt] {
                assert_eq!(selection.has_line(text, &mut stream.clone()), expected, "{filter}: {text}");
            }
        }
        assert!(!lines("{service_name!=\"pay\", region=\"eu\"}").has_stream(&stream));
        assert!(lines("{service_name=~\"p.+}|pay\"}").has_stream(&stream));
    }

    #[test]
    fn counts_have_a_range_and_the_labels_that_are_kept() {
        let all = counts("sum by (detected_level, region) (count_over_time({a=\"b\"} |= \"x)\" [30s]))");
        assert_eq!((all.range, all.is_rate), (30.0, false));
        assert_eq!(all.by, Some(vec!["detected_level".to_owned(), "region".to_owned()]));
        assert_eq!(counts("sum(rate({a=\"b\"}[5m])) by (region)").by, Some(vec!["region".to_owned()]));
        assert_eq!(counts("sum(rate({a=\"b\"}[5m]))").by, Some(Vec::new()));
        let bare = counts("rate({a=\"b\"} | json | x > 3 [5m])");
        assert_eq!((bare.by, bare.is_rate, bare.range), (None, true, 300.0));
    }

    #[test]
    fn what_is_not_known_is_refused_and_named() {
        for (query, word) in [
            ("", "IDENTIFIER"),
            ("{a=\"b\"", "$end"),
            ("{a=\"b\"} |= x", "STRING"),
            ("{a=\"b\"} | line_format \"x\"", "line_format"),
            ("topk(3, rate({a=\"b\"}[5m]))", "IDENTIFIER"),
            ("rate({a=\"b\"})", "RANGE"),
            ("rate({a=\"b\"}[0s])", "RANGE"),
            ("{a=\"b\"} x", "character"),
            ("{a=~\"(\"}", "parse error"),
            ("{a=\"b\"} |~ \"(\"", "regexp"),
        ] {
            let error = LogExpr::parse(query).expect_err(query);
            assert!(error.contains(word), "{query}: {error}");
        }
    }
}
