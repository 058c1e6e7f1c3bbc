//! Queries of logs: what is accepted, what can be typed where, how they are split and restricted.

use proptest::prelude::*;

use super::*;
use crate::model::promql::complete::Expected;

const MINUTE: Duration = Duration::from_secs(60);

/// What is expected at the `¦` of a query, in short.
fn expected(language: QueryLanguage, text: &str) -> String {
    let cursor = text.find('¦').unwrap();
    let context = language.at_cursor(&text.replacen('¦', "", 1), cursor);
    let of = |selector: Option<String>| selector.unwrap_or_default();
    let what = match context.expected {
        Expected::Terms { terms, labels } => {
            let first = terms.first().map_or("", |term| term.name);
            let labels = labels.map(|labels| format!(" label{} {}", labels.sign, of(labels.selector)));
            format!("{first}...{}", labels.unwrap_or_default())
        }
        Expected::LabelName { selector } => format!("label of {}", of(selector)),
        Expected::LabelValue { name, selector, quote } => {
            format!("value of {name} {quote} of {}", of(selector))
        }
        Expected::GroupingLabel { selector } => format!("group {}", of(selector)),
        Expected::Duration => "duration".to_owned(),
        Expected::Expression => "expression".to_owned(),
        Expected::Nothing => "nothing".to_owned(),
        Expected::Operator | Expected::RangeOf { .. } => "PromQL".to_owned(),
    };
    format!("{what} [{}]", context.typed)
}

#[test]
fn brackets_and_quotes_are_checked_before_a_query_is_sent() {
    use QueryLanguage::{LogQl, LogsQl};
    for (language, query, said) in [
        (LogQl, r#"{app="x"} |= "a) b" | json | status >= 400"#, None),
        (LogQl, "sum by (pod) (rate({app=\"x\"} |~ `a{2}` [5m]))", None),
        (LogQl, "{app=\"x\"} # ( comment", None),
        (LogQl, r#"{app="x""#, Some((1, 9, "unexpected the end of the query, expected } for the { at 1:1"))),
        (LogQl, "{app=\"x\n", Some((1, 8, "unexpected the end of the query, expected \" for the \" at 1:6"))),
        (LogQl, r#"rate({app="x"}[5m)"#, Some((1, 18, "unexpected ), expected ] for the [ at 1:15"))),
        (LogQl, r#"{app="x"})"#, Some((1, 10, "unexpected ): no bracket is open"))),
        (
            LogQl,
            r#"{app="x"} |"#,
            Some((1, 12, "unexpected the end of the query, something is missing behind |")),
        ),
        (LogsQl, "_time:[2026-01-01, 2026-01-02) size:range(1, 10] 'a(b'", None),
        (
            LogsQl,
            "error | stats by (pod) count(",
            Some((1, 30, "unexpected the end of the query, expected ) for the ( at 1:29")),
        ),
        (LogsQl, "{app=\"x\") a", Some((1, 9, "unexpected ), expected } for the { at 1:1"))),
    ] {
        let found = language.check(query).err();
        let found = found.as_ref().map(|remark| (remark.line, remark.column, remark.message.as_str()));
        assert_eq!(found, said, "{query}");
    }
}

#[test]
fn what_fits_in_logql_depends_on_the_place() {
    for (text, what) in [
        ("¦", "expression []"),
        ("ra¦", "expression [ra]"),
        ("{¦", "label of  []"),
        ("{app=\"x\", na¦", "label of {app=\"x\"} [na]"),
        ("{app=\"x\", pod=~\"a¦", "value of pod \" of {app=\"x\"} [a]"),
        ("{app¦", "label of  [app]"),
        ("{app=¦", "nothing []"),
        ("{app=\"x\"} ¦", "|=... []"),
        ("{app=\"x\"} |= \"a¦", "nothing [a]"),
        ("{app=\"x\"} | ¦", "json... label=\" {app=\"x\"} []"),
        ("{app=\"x\"} |= \"a\" | lo¦", "json... label=\" {app=\"x\"} [lo]"),
        ("{app=\"x\"} | json | level=\"¦", "value of level \" of {app=\"x\"} []"),
        ("{app=\"x\"} | json | level=\"a\" and ¦", "... label=\" {app=\"x\"} []"),
        ("{app=\"x\"} | json ¦", "|=... []"),
        ("rate({app=\"x\"}[¦", "duration []"),
        ("rate({app=\"x\"} ¦", "|=... []"),
        ("sum by (¦) (rate({app=\"x\"}[5m]))", "group {app=\"x\"} []"),
        ("sum(rate({app=\"x\"}[5m])) b¦", "by... [b]"),
        ("sum(¦", "expression []"),
        ("{app=\"x\"} | json | unwrap ¦", "group {app=\"x\"} []"),
        ("{app=\"x\"} # ¦", "nothing []"),
    ] {
        assert_eq!(expected(QueryLanguage::LogQl, text), what, "{text}");
    }
}

#[test]
fn what_fits_in_logsql_depends_on_the_place() {
    for (text, what) in [
        ("¦", "and... label:=\"  []"),
        ("le¦", "and... label:=\"  [le]"),
        ("error ¦", "and... label:=\"  []"),
        ("level:=\"er¦", "value of level \" of  [er]"),
        ("level:¦", "nothing []"),
        ("{pod=\"a¦", "value of pod \" of  [a]"),
        ("{¦", "label of  []"),
        ("error | ¦", "stats... []"),
        ("error | st¦", "stats... [st]"),
        ("error | stats ¦", "by... []"),
        ("error | stats by (¦", "group  []"),
        ("error | stats by (pod) ¦", "by... []"),
        ("error | stats by (pod) count() a¦", "by... [a]"),
        ("error | fields ¦", "group  []"),
        ("error | fields a, ¦", "group  []"),
        ("error | filter ¦", "and... label:=\"  []"),
        ("error | limit ¦", "nothing []"),
        ("\"a¦", "nothing [a]"),
    ] {
        assert_eq!(expected(QueryLanguage::LogsQl, text), what, "{text}");
    }
}

#[test]
fn lines_and_numbers_are_told_apart() {
    use QueryLanguage::{LogQl, LogsQl, PromQl};
    for (language, query, is_lines) in [
        (PromQl, "{app=\"x\"}", false),
        (LogQl, " {app=\"x\"} |= \"rate(\"", true),
        (LogQl, "({app=\"x\"})", true),
        (LogQl, "# c\n{app=\"x\"}", true),
        (LogQl, "(sum(rate({app=\"x\"}[5m])))", false),
        (LogQl, "vector(1)", false),
        (LogsQl, "error \"| stats\"", true),
        (LogsQl, "error | fields stats", true),
        (LogsQl, "* | stats by (level) count() n | sort by (n)", false),
        (LogsQl, "* | count()", false),
        (LogsQl, "* | by (level) count()", false),
        (LogsQl, "* | uniq by (level)", true),
    ] {
        assert_eq!(language.gives_lines(query), is_lines, "{query}");
    }
}

#[test]
fn a_query_is_split_by_a_label_and_lines_are_counted() {
    use QueryLanguage::{LogQl, LogsQl};
    for (language, query, split) in [
        (LogQl, "{app=\"x\"}", Ok("sum by (pod) (count_over_time({app=\"x\"} [1m]))")),
        (LogQl, "rate({app=\"x\"}[5m])", Ok("sum by (pod) (rate({app=\"x\"}[5m]))")),
        (LogQl, "sum(rate({app=\"x\"}[5m]))", Ok("sum by (pod) (rate({app=\"x\"}[5m]))")),
        (LogQl, "sum by (a) (rate({app=\"x\"}[5m]))", Ok("sum by (a, pod) (rate({app=\"x\"}[5m]))")),
        (LogQl, "sum(rate({app=\"x\"}[5m])) by (a)", Ok("sum(rate({app=\"x\"}[5m])) by (a, pod)")),
        (LogQl, "sum by (pod) (rate({app=\"x\"}[5m]))", Err("the query is split by pod already")),
        (LogQl, "sum(a) / sum(b)", Err("the query has an operator: split its parts")),
        (LogsQl, "error", Ok("error | stats by (pod) count() lines")),
        (LogsQl, "error | stats count() n", Ok("error | stats by (pod) count() n")),
        (LogsQl, "error | count()", Ok("error | stats by (pod) count()")),
        (LogsQl, "error | stats by (a) count() n", Ok("error | stats by (a, pod) count() n")),
        (LogsQl, "error | stats by (pod) count() n", Err("the query is split by pod already")),
    ] {
        let found = language.split_by(query, "pod", MINUTE).map_err(|error| error.to_string());
        assert_eq!(found, split.map(str::to_owned).map_err(str::to_owned), "{query}");
        if let Ok(found) = found {
            assert!(language.is_split_by(&found, "pod"), "{found}");
            assert_eq!(language.check(&found), Ok(()), "{found}");
        }
    }
    assert_eq!(
        LogQl.split_by("{a=\"b\"}", "pod", 15 * MINUTE).unwrap(),
        "sum by (pod) (count_over_time({a=\"b\"} [15m]))"
    );
}

#[test]
fn a_query_is_restricted_to_labels() {
    use QueryLanguage::{LogQl, LogsQl};
    let labels = Labels::from_iter([("__name__", "n"), ("pod", "a\"b")]);
    let own = labels.without(|name| name == "__name__");
    for (language, query, labels, only) in [
        (LogQl, "{app=\"x\"}", &own, "{app=\"x\"} | pod=\"a\\\"b\""),
        (
            LogQl,
            "sum(rate({app=\"[\"} | json [5m]))",
            &own,
            "sum(rate({app=\"[\"} | json | pod=\"a\\\"b\" [5m]))",
        ),
        (LogsQl, "error", &labels, "error | filter pod:=\"a\\\"b\""),
        (
            LogsQl,
            "error | stats by (pod) count() n",
            &labels,
            "error | filter pod:=\"a\\\"b\" | stats by (pod) count() n",
        ),
    ] {
        assert_eq!(language.only(query, labels).as_deref(), Ok(only), "{query}");
    }
}

/// The messages are those of Loki 3.4 and `VictoriaLogs` 1.26.
#[test]
fn the_place_that_a_server_names_is_found() {
    use QueryLanguage::{LogQl, LogsQl};
    assert_eq!(
        LogQl.server_remark(
            "{app=\"x\"",
            "parse error at line 1, col 20: syntax error: unexpected $end, expecting } or ,"
        ),
        Some((1, 20, "syntax error: unexpected $end, expecting } or ,"))
    );
    assert_eq!(LogQl.server_remark("x", "parse error : queries require at least one matcher"), None);
    let query = "_time:5m error |";
    let message =
        "cannot parse query [_time:5m error |]: unexpected pipe \"\"; context: [_time:5m error |]\n";
    assert_eq!(LogsQl.server_remark(query, message), Some((1, 17, "unexpected pipe \"\"")));
    assert_eq!(LogsQl.server_remark("a\nb |", "x [a]: y; context: [a\nb]"), Some((2, 2, "y")));
    assert_eq!(LogsQl.server_remark("a", "missing query"), None);
}

fn any_text() -> impl Strategy<Value = String> {
    let parts = prop::sample::select(vec![
        "{", "}", "(", ")", "[", "]", "\"", "`", "'", "|", "|=", ":=", "=", " ", "app", "stats", "by",
        "count", ",", "5m", "rate", "sum", "é", "\\", "#", "\n", "json", "*",
    ]);
    prop::collection::vec(parts, 0..24).prop_map(|parts| parts.concat())
}

proptest! {
    /// Whatever is typed, the completed word is around the cursor, and splitting and restricting never panic.
    #[test]
    fn no_text_is_too_odd(text in any_text(), at in 0..60_usize) {
        for language in [QueryLanguage::LogQl, QueryLanguage::LogsQl] {
            let at = (at.min(text.len())..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap();
            let context = language.at_cursor(&text, at);
            prop_assert!(context.replaced.start <= at && at <= context.replaced.end, "{context:?}");
            prop_assert!(text.get(context.replaced.clone()).is_some());
            prop_assert!(text.get(..at).unwrap().ends_with(&context.typed));
            let _checked = language.check(&text);
            let _lines = language.gives_lines(&text);
            let _split = language.split_by(&text, "pod", MINUTE);
            let _only = language.only(&text, &Labels::from_iter([("pod", "a")]));
            let _selector = language.main_selector(&text);
        }
    }
}
