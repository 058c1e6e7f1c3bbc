//! Errors and hints about an expression, each with the line and a caret below the place.

use std::fmt::Write as _;

use serde_json::json;

use crate::cli::args::{Format, QueryArgs};
use crate::cli::printer::{ExitOutcome, print};
use crate::model::promql::lint::{LintContext, QueryLint, lint};
use crate::model::promql::{QueryParseError, QueryRemark};
use crate::model::query_language::QueryLanguage;
use crate::model::text::{counted, escaped_json};

/// Prints the error of an expression, or its hints.
pub(super) fn run(expr: &str, wanted: &QueryArgs) -> ExitOutcome {
    let cx = LintContext { metrics: None, scrape_interval: wanted.scrape_interval };
    let checked = lint(expr, &cx);
    let outcome = match &checked {
        Err(QueryParseError::Refused(_)) => ExitOutcome::UsageError,
        Err(QueryParseError::Unknown(_)) | Ok(_) => ExitOutcome::Fine,
    };
    let text = match wanted.listing.output {
        Format::Table => as_text(expr, &checked),
        Format::Json => as_json(&checked),
        Format::Markdown => as_markdown(expr, &checked),
    };
    print(&text, outcome)
}

type Checked = Result<Vec<QueryLint>, QueryParseError>;

/// The error with its place.
pub(super) fn error(expr: &str, remark: &QueryRemark) -> String {
    format!("error: {remark}\n{}", remark.excerpt(expr))
}

/// The server's message, with the place of the error if the server names it.
pub(super) fn refusal(language: QueryLanguage, expr: &str, message: &str) -> String {
    match language.server_remark(expr, message) {
        Some((line, column, message)) => {
            error(expr, &QueryRemark { line, column, message: message.to_owned() })
        }
        None => format!("error: {message}"),
    }
}

fn as_text(expr: &str, checked: &Checked) -> String {
    let mut out = String::new();
    match checked {
        Err(QueryParseError::Refused(remark)) => error(expr, remark) + "\n",
        Err(QueryParseError::Unknown(why)) => {
            format!("{why}; only the server can check this expression\n")
        }
        Ok(lints) => {
            for QueryLint { rule, remark, fix } in lints {
                let excerpt = remark.excerpt(expr);
                writeln!(out, "hint: {remark} [{}]\n{excerpt}\n  {fix}\n", rule.word())
                    .expect("writing to a String cannot fail");
            }
            out + &format!("no error, {}\n", counted(lints.len(), "hint"))
        }
    }
}

fn as_markdown(expr: &str, checked: &Checked) -> String {
    // a code block keeps the caret at its place
    format!("```\n{}```\n", as_text(expr, checked).replace("```", "'''"))
}

fn as_json(checked: &Checked) -> String {
    let finding = |level: &str, rule: Option<&str>, remark: &QueryRemark, fix: Option<&str>| {
        let QueryRemark { line, column, message } = remark;
        json!({ "level": level, "rule": rule, "line": line, "column": column, "message": message, "fix": fix })
    };
    let (findings, is_known) = match checked {
        Err(QueryParseError::Refused(remark)) => (vec![finding("error", None, remark, None)], true),
        Err(QueryParseError::Unknown(_)) => (Vec::new(), false),
        Ok(lints) => {
            let hint =
                |lint: &QueryLint| finding("hint", Some(lint.rule.word()), &lint.remark, Some(&lint.fix));
            (lints.iter().map(hint).collect(), true)
        }
    };
    escaped_json(&format!("{:#}", json!({ "is_known": is_known, "findings": findings }))) + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(expr: &str) -> String {
        as_text(expr, &lint(expr, &LintContext::default()))
    }

    #[test]
    fn an_error_has_a_caret_below_its_place() {
        assert_eq!(
            text("sum(rate(x[5m])"),
            "error: 1:16: unexpected the end of the query, expected , or )\n  sum(rate(x[5m])\n                 ^\n"
        );
        // a wide character takes two cells
        assert_eq!(
            text("{a=\"幅\"} +\n) 1"),
            "error: 2:1: unexpected ), expected an expression\n  ) 1\n  ^\n"
        );
        assert_eq!(text("{a=\"幅\"} ) 1").lines().last(), Some("           ^"));
    }

    #[test]
    fn a_hint_says_what_to_write() {
        let said = text("sum(x_total)");
        assert_eq!(
            said,
            "hint: 1:5: x_total is a counter: its value only grows, and restarts at 0 [raw-counter]\n  sum(x_total)\n      ^\n  \
             Use rate(x_total[5m]), or increase(x_total[1h]) for a number of events.\n\nno error, 1 hint\n"
        );
        assert_eq!(text("up"), "no error, 0 hints\n");
    }

    #[test]
    fn programs_get_the_place_and_the_rule() {
        let read = |expr: &str| -> serde_json::Value {
            serde_json::from_str(&as_json(&lint(expr, &LintContext::default()))).unwrap()
        };
        let hint = &read("sum(x_total)")["findings"][0];
        assert_eq!(
            (&hint["level"], &hint["rule"], &hint["column"]),
            (&"hint".into(), &"raw-counter".into(), &5.into())
        );
        assert_eq!(read("sum(")["findings"][0]["level"], "error");
        assert_eq!(read("up")["findings"], json!([]));
    }

    #[test]
    fn the_place_that_a_server_names_is_shown() {
        let refusal = |expr: &str, message: &str| refusal(QueryLanguage::PromQl, expr, message);
        let said =
            refusal("sum(up", "invalid parameter \"query\": 1:7: parse error: unclosed left parenthesis");
        assert_eq!(said, "error: 1:7: unclosed left parenthesis\n  sum(up\n        ^");
        assert_eq!(refusal("up", "too many samples"), "error: too many samples");
    }
}
