use proptest::prelude::*;

use super::*;

/// The query, operator and bound of an expression, and its further conditions joined by `and`, `unless` and `or`.
type Beside = (usize, usize, usize);

fn constant_of(expr: &str) -> Option<(String, &'static str, f64, Beside)> {
    let found = condition(expr)?;
    match found.bound {
        Threshold::Constant(bound) => {
            let OtherConditions { and, unless, or } = found.others;
            Some((found.query, found.operator.sign(), bound, (and, unless, or)))
        }
        Threshold::Query(other) => panic!("{expr}: bound is {other}"),
    }
}

#[test]
fn a_name_that_is_not_plain_is_quoted_in_a_query() {
    let names = ["job", "service.name", "a b", "k8s-app", "größe", "quo\"te"];
    let written = ["job", "\"service.name\"", "\"a b\"", "\"k8s-app\"", "\"größe\"", "\"quo\\\"te\""];
    assert_eq!(names.map(label), written);
    assert_eq!(labels(&names), written.join(", "));
    for name in written {
        assert!(parse(&format!("sum by ({name}) (m{{{name}=\"x\"}})")).is_ok(), "{name}");
    }
}

#[test]
fn the_bound_is_found_in_real_expressions() {
    const NONE: Beside = (0, 0, 0);
    for (expr, query, sign, bound, others) in [
        ("up == 0", "up", "==", 0.0, NONE),
        ("a > 14.4 * 0.001 and b > 14.4 * 0.001", "a", ">", 14.4 * 0.001, (1, 0, 0)),
        ("(a > (14.4*(1-0.999)) and b > 1) or (c > 6 and d > 7)", "a", ">", 14.4 * (1.0 - 0.999), (1, 0, 1)),
        ("5 < a", "a", ">", 5.0, NONE),
        ("0 >= a", "a", "<=", 0.0, NONE),
        ("a < -10", "a", "<", -10.0, NONE),
        ("a < -(2 ^ 3) % 5", "a", "<", -3.0, NONE),
        ("(a > bool 5) == 1", "a", ">", 5.0, NONE),
        ("(a > bool 5) > 0", "a", ">", 5.0, NONE),
        ("0 < a < 5", "a", "<", 5.0, (1, 0, 0)),
        ("(a > 0) > 90", "a", ">", 90.0, NONE),
        ("(a > 90) > 0", "a", ">", 90.0, NONE),
        ("(a > b) > 90", "a", ">", 90.0, (1, 0, 0)),
        ("absent(up{job=\"api\"}) == 1", "absent(up{job=\"api\"})", "==", 1.0, NONE),
        ("count(a > 5) > 3", "count(a > 5)", ">", 3.0, NONE),
        ("time() - max(last_run) > 86400", "time() - max(last_run)", ">", 86400.0, NONE),
        ("( (a / b) ) >= 1e3", "a / b", ">=", 1000.0, NONE),
        ("a > 1 unless on (instance) maintenance == 1", "a", ">", 1.0, (0, 1, 0)),
        ("node_filesystem_readonly and on (instance) up == 1", "up", "==", 1.0, (1, 0, 0)),
        ("a > 5 or a < 3", "a", ">", 5.0, (0, 0, 1)),
        ("a > 5 or a < 3 or b > 1 or absent(c)", "a", ">", 5.0, (0, 0, 3)),
        ("absent(c) or a > 5", "a", ">", 5.0, (0, 0, 1)),
        ("a > 4.7e+09", "a", ">", 4.7e9, NONE),
        ("a{b=~`5\\d\\d`} >= 0x1F # it's", "a{b=~\"5\\\\d\\\\d\"}", ">=", 31.0, NONE),
        ("a > 1h", "a", ">", 3600.0, NONE),
        (
            "rate(errors_total{code=~\"5..\",path!~\"/a\\\\d\"}[5m] offset 1h) > 0.05 # five in a hundred",
            "rate(errors_total{code=~\"5..\",path!~\"/a\\\\d\"}[5m] offset 1h)",
            ">",
            0.05,
            NONE,
        ),
        (
            "max_over_time(rate(x[1m30s])[1h:5m] @ 1600000000 offset -2m) != 0",
            "max_over_time(rate(x[1m30s])[1h:5m] @ 1600000000.000 offset -2m)",
            "!=",
            0.0,
            NONE,
        ),
        (
            "(1 - avg by (instance) (rate(cpu{mode=\"idle\"}[5m])) > .8) * on (instance) group_left (nodename) node_uname_info",
            "(1 - avg by (instance) (rate(cpu{mode=\"idle\"}[5m]))) * on (instance) group_left (nodename) node_uname_info",
            ">",
            0.8,
            NONE,
        ),
        (
            "histogram_quantile(0.99, sum(rate(h_bucket[5m])) by (le)) > 1",
            "histogram_quantile(0.99, sum by (le) (rate(h_bucket[5m])))",
            ">",
            1.0,
            NONE,
        ),
    ] {
        let found = constant_of(expr).unwrap_or_else(|| panic!("no bound in {expr}"));
        assert_eq!((found.0.as_str(), found.1, found.3), (query, sign, others), "{expr}");
        assert!((found.2 - bound).abs() < 1e-12, "{expr}: {}", found.2);
    }
}

#[test]
fn two_vectors_compared_make_two_lines() {
    for (expr, query, bound) in [
        ("a > b", "a", "b"),
        (
            "predict_linear(free[6h], 4*3600) < on (x) group_left () (limit * 2)",
            "predict_linear(free[6h], 4 * 3600)",
            "limit * 2",
        ),
        ("a > scalar(b)", "a", "scalar(b)"),
    ] {
        let found = condition(expr).unwrap();
        assert_eq!((found.query.as_str(), found.bound), (query, Threshold::Query(bound.into())), "{expr}");
    }
}

#[test]
fn without_a_comparison_there_is_no_bound() {
    for expr in [
        "vector(1)",
        "absent(up)",
        "absent(up == 1)",
        "1 > bool 0",
        "a > bool 1",
        "(a > bool 1) or (b > bool 1)",
        "a < +Inf",
        "a offset Inf > 1",
        "a[1e+99:] > 1",
        "(a > 5) * 100",
        "a unless b > 5",
        "(a > bool 5) == 0 or c",
        "ALERTS{alertstate=\"firing\"}",
        "",
        "a >",
        "sum(rate(x)) > 5",
        "q := rate(x[5m]); q > 1",
        "a > 5 default 3",
        "{{ $labels.x }} > 5",
    ] {
        let found = condition(expr);
        assert!(found.as_ref().is_none_or(|found| found.operator == Comparison::Equal), "{expr}: {found:?}");
    }
}

#[test]
fn an_expression_made_to_overflow_the_stack_is_left_alone() {
    for (part, rest) in
        [("(", "a"), ("-", "a > 1"), ("a+", "a > 1"), ("a>1>", "a > 1"), ("a OR ", "a > 1"), ("2^", "2 > a")]
    {
        assert_eq!(condition(&format!("{}{rest}", part.repeat(100_000))), None, "{part}");
        drop(condition(&format!("{}{rest}", part.repeat(MAX_LEVELS / 2 - 2))));
    }
}

#[test]
fn a_query_is_narrowed_to_the_series_of_one_alert() {
    assert_eq!(narrowed("a", [].into_iter()), "a");
    assert_eq!(narrowed("((1))", [("job", "a")].into_iter()), "((1))", "a number has no labels");
    let labels = [("service", "cart"), ("path", "C:\\x \"y\"\n$1")];
    assert_eq!(
        narrowed("a or b # why", labels.into_iter()),
        "(a or b # why\n) and on (service, path) label_replace(label_replace(vector(1), \"service\", \"cart\", \"\", \"\"), \
         \"path\", \"C:\\\\x \\\"y\\\"\\n$$1\", \"\", \"\")"
    );
    assert_eq!(narrowed("a", [("k8s.pod", "x"), ("", "y")].into_iter()), "a");
}

#[test]
fn what_the_rule_adds_does_not_identify_the_series() {
    let alert = Labels::from_iter([("alertname", "Burn"), ("severity", "page"), ("service", "cart")]);
    let rule = Labels::from_iter([("severity", "{{ $labels.how }}")]);
    assert_eq!(series_labels(&alert, &rule), Labels::from_iter([("service", "cart")]));
}

#[test]
fn a_value_on_the_bound_is_bad_only_where_the_operator_says_so() {
    let hold = |operator: Comparison| [0.9, 1.0, 1.1, f64::NAN].map(|value| operator.holds(value, 1.0));
    assert_eq!(hold(Comparison::Above), [false, false, true, false]);
    assert_eq!(hold(Comparison::AtLeast), [false, true, true, false]);
    assert_eq!(hold(Comparison::Below), [true, false, false, false]);
    assert_eq!(hold(Comparison::AtMost), [true, true, false, false]);
    assert_eq!(hold(Comparison::Equal), [false, true, false, false]);
    assert_eq!(hold(Comparison::NotEqual), [true, false, true, true]);
}

#[test]
fn whatever_prometheus_takes_is_taken_and_taken_apart() {
    for expr in [
        "a / 1e+06",
        "a / 1E-3 / .5e+2 / 5. / 0x1F / 017 / 1_000",
        "histogram_fraction(-Inf, +Inf, sum(rate(h[5m]))) > NaN",
        r"rate(x{code=~`5\d\d`}[5m]) > 0",
        r#"x{path=`C:\`, quote=`"'`}"#,
        r#"x{a='it"s', b="it's", c='it\'s'} # it's a "comment"
           > 0 # another's"#,
        "x{a=\"\\x41\\101\\u00e9\\U0001f525\", b='\\n'}",
        r#"rate(x_bucket{le="+Inf"}[5m]) > 0"#,
        r#"x{a="Inf\\c", b='1e99\'"', c=`1e99`} > 0 # not 'over' 1e99"#,
        "x @ 1e+09 offset -1h30m",
        "max_over_time(rate(x[5m])[1h:] @ end() offset 1w)",
        "x offset 300 > rate(y[300])",
        r#"{"http.requests", "service.name"="cart"}"#,
        r#"sum by ("service.name") ({"http.requests"}) / on ("a b") group_left ("c.d") m"#,
        "sum by (le, on, bool) (offset) and by or and",
        "-x ^ -2 * +3 == bool (1 != bool 2)",
        "x{a=~'(?i)y|\\\\Qz\\\\E'}",
        "x == 1 == 1",
        "count_values('a', x) + topk(3, y) + quantile(.9, z)",
        "label_join(x, 'a', ',') + round(x) + day_of_week() + info(x)",
        "'a string'",
    ] {
        assert_eq!(check(expr), Ok(Vec::new()), "{expr}");
        let is_new_regex = expr.contains('Q');
        assert!(is_new_regex || parse(expr).is_ok(), "{expr}: {:?}", parse(expr).err());
    }
    for expr in
        ["rate(x[5m] smoothed)", "x + fill (0) y", "rate(x[2 * (5m + step())])", "x offset max(step(), 5m)"]
    {
        assert_eq!(check(expr), Ok(Vec::new()), "{expr}");
    }
}

#[test]
fn what_prometheus_refuses_is_told_with_its_place() {
    for (expr, place, why) in [
        ("sum(rate(a[5m])", (1, 16), "unexpected the end of the query, expected , or )"),
        ("a +\n  > 5", (2, 3), "unexpected >"),
        ("rate(a)", (1, 6), "rate expects a range vector here, not an instant vector"),
        ("rate(a[5m], 1)", (1, 1), "rate takes 1 argument"),
        ("round(a, 1, 2)", (1, 1), "round takes 1 to 2 argument"),
        ("label_join(a, \"b\")", (1, 1), "label_join takes 3 or more argument"),
        ("a[5m] > 1", (1, 1), "a range vector on one side of >"),
        ("x{a=~\"(\"}", (1, 6), "invalid regular expression"),
        ("x{a=\"5\\d\"}", (1, 7), "unknown escape sequence \\d"),
        ("é{}", (1, 1), "unexpected 'é'"),
        ("x{a='b}", (1, 5), "the string that begins here has no end"),
        ("{a=~'.*'}", (1, 1), "a selector needs"),
        ("x[5m", (1, 5), "unclosed left bracket"),
        ("x[5x]", (1, 3), "5x is neither"),
        ("x[0s]", (1, 3), "greater than 0"),
        ("x offset Inf", (1, 10), "unexpected Inf"),
        ("x offset 1e19", (1, 10), "too long"),
        ("x @ Inf", (1, 3), "out of bounds"),
        ("1 > 2", (1, 3), "needs the bool modifier"),
        ("x + bool y", (1, 5), "only allowed with comparisons"),
        ("1 and x", (1, 3), "takes instant vectors"),
        ("x{} y", (1, 5), "unexpected y, expected an operator"),
        ("1e999", (1, 1), "1e999 is neither"),
        ("", (1, 1), "there is no expression"),
        ("x{__name__='y'}", (1, 3), "given twice: x and y"),
        ("(x)[5m]", (1, 4), "elsewhere write [5m:]"),
        ("sum by (a:b) (x)", (1, 9), "expected a label"),
    ] {
        let Err(QueryParseError::Refused(reported)) = check(expr) else {
            panic!("{expr}: {:?}", check(expr))
        };
        assert_eq!((reported.line, reported.column), place, "{expr}: {reported}");
        assert!(reported.message.starts_with(why) || reported.message.contains(why), "{expr}: {reported}");
    }
}

#[test]
fn a_function_that_is_not_known_is_no_fault() {
    for expr in ["rollup_rate(x[5m]) > 5", "sum(tomorrow(x)) / rate(tomorrow(x)[5m:])"] {
        assert!(
            matches!(check(expr), Err(QueryParseError::Unknown(what)) if what.contains("function")),
            "{expr}"
        );
    }
    assert!(matches!(check("rollup_rate(x[5m]"), Err(QueryParseError::Refused(_))));
}

#[test]
fn a_bucket_is_asked_for_by_a_number() {
    for le in ["abc", "250ms", "0,5", "NaN", " 1"] {
        let reported = check(&format!("sum(rate(h_bucket{{le=\"{le}\"}}[5m]))")).unwrap();
        assert_eq!((reported.len(), reported[0].column), (1, 19), "{le}");
    }
    for query in [
        "h_bucket{le=\"0.5\"}",
        "h_bucket{le='+Inf'}",
        "h_bucket{le=`1e-3`}",
        "h_bucket{le=\"\"}",
        "h{le=\"x\"}",
    ] {
        assert_eq!(check(query), Ok(Vec::new()), "{query}");
    }
}

#[test]
fn a_query_that_asks_bool_fires_on_any_result() {
    assert!(returns_zero_or_one("(a > bool 1)") && returns_zero_or_one("a == bool on (x) b"));
    assert!(!returns_zero_or_one("a > 1") && !returns_zero_or_one("sum(a > bool 1)"));
}

proptest! {
    #[test]
    fn no_expression_makes_it_panic(expr in "([a-z]{1,3}|[0-9.]{1,4}|[-+*/%^<>=!(){}\\[\\]:,@\"'`\\\\\n# ]| and | or | offset |5m|sum|rate|by|bool|Inf|1e999){0,25}") {
        if let Some(found) = condition(&expr) {
            prop_assert!(parse(&found.query).is_ok());
        }
    }

    #[test]
    fn a_narrowed_query_is_still_promql(value in "\\PC{0,20}", query in "[x-z]{1,5}( > 5)?") {
        let text = narrowed(&query, [("label", value.as_str())].into_iter());
        prop_assert_eq!(check(&text), Ok(Vec::new()), "{}", text);
    }
}

#[test]
fn a_literal_matches_just_itself_and_plain_words_stay_plain() {
    assert_eq!(literal("cart-service_1/a b"), "cart-service_1/a b");
    for text in [r"a.b", r"a\b", "1+1", "(x|y)", "[^a]$", "{2}*?", "é|-"] {
        let pattern = regex::Regex::new(&format!("^(?:{})$", literal(text))).unwrap();
        assert!(pattern.is_match(text) && !pattern.is_match("aXb"), "{text}");
    }
}
