use proptest::prelude::*;

use super::*;

fn constant_of(expr: &str) -> Option<(String, &'static str, f64, usize)> {
    let found = condition(expr)?;
    match found.bound {
        Bound::Constant(bound) => Some((found.query, found.operator.sign(), bound, found.others)),
        Bound::Query(other) => panic!("{expr}: bound is {other}"),
    }
}

#[test]
fn the_bound_is_found_in_real_expressions() {
    for (expr, query, sign, bound, others) in [
        ("up == 0", "up", "==", 0.0, 0),
        ("a > 14.4 * 0.001 and b > 14.4 * 0.001", "a", ">", 14.4 * 0.001, 1),
        ("(a > (14.4*(1-0.999)) and b > 1) or (c > 6 and d > 7)", "a", ">", 14.4 * (1.0 - 0.999), 3),
        ("5 < a", "a", ">", 5.0, 0),
        ("0 >= a", "a", "<=", 0.0, 0),
        ("a < -10", "a", "<", -10.0, 0),
        ("a < -(2 ^ 3) % 5", "a", "<", -3.0, 0),
        ("a == bool 1", "a", "==", 1.0, 0),
        ("(a > bool 5) == 1", "a", ">", 5.0, 0),
        ("(a > bool 5) > 0", "a", ">", 5.0, 0),
        ("0 < a < 5", "a", ">", 0.0, 1),
        ("absent(up{job=\"api\"}) == 1", "absent(up{job=\"api\"})", "==", 1.0, 0),
        ("count(a > 5) > 3", "count(a > 5)", ">", 3.0, 0),
        ("time() - max(last_run) > 86400", "time() - max(last_run)", ">", 86400.0, 0),
        ("( (a / b) ) >= 1e3", "a / b", ">=", 1000.0, 0),
        ("a > 1 unless on (instance) maintenance == 1", "a", ">", 1.0, 1),
        ("node_filesystem_readonly and on (instance) up == 1", "up", "==", 1.0, 0),
        (
            "rate(errors_total{code=~\"5..\",path!~\"/a\\\\d\"}[5m] offset 1h) > 0.05 # five in a hundred",
            "rate(errors_total{code=~\"5..\",path!~\"/a\\\\d\"}[5m] offset 1h)",
            ">",
            0.05,
            0,
        ),
        (
            "max_over_time(rate(x[1m30s])[1h:5m] @ 1600000000 offset -2m) != 0",
            "max_over_time(rate(x[1m30s])[1h:5m] @ 1600000000.000 offset -2m)",
            "!=",
            0.0,
            0,
        ),
        (
            "(1 - avg by (instance) (rate(cpu{mode=\"idle\"}[5m])) > .8) * on (instance) group_left (nodename) node_uname_info",
            "(1 - avg by (instance) (rate(cpu{mode=\"idle\"}[5m]))) * on (instance) group_left (nodename) node_uname_info",
            ">",
            0.8,
            0,
        ),
        (
            "histogram_quantile(0.99, sum(rate(h_bucket[5m])) by (le)) > 1",
            "histogram_quantile(0.99, sum by (le) (rate(h_bucket[5m])))",
            ">",
            1.0,
            0,
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
        assert_eq!((found.query.as_str(), found.bound), (query, Bound::Query(bound.into())), "{expr}");
    }
}

#[test]
fn without_a_comparison_there_is_no_bound() {
    for expr in [
        "vector(1)",
        "absent(up)",
        "absent(up == 1)",
        "1 > bool 0",
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
        drop(condition(&format!("{}{rest}", part.repeat(MOST_LEVELS / 2 - 2))));
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
fn what_stands_in_strings_and_comments_is_no_number_and_no_operator() {
    for expr in [
        r#"rate(x_bucket{le="+Inf"}[5m]) > 0"#,
        r#"x{a="Inf\\c", b='1e99\'"', c=`1e99`} > 0 # not 'over' 1e99"#,
        &format!("x{{a={:?}}} > 0", "(".repeat(500)),
    ] {
        assert!(parse(expr).is_ok(), "{expr}: {:?}", parse(expr).err());
    }
    assert!(parse("x{a=\"Inf\"} offset Inf").is_err());
}

proptest! {
    #[test]
    fn no_expression_makes_it_panic(expr in "([a-z]{1,3}|[0-9.]{1,4}|[-+*/%^<>=!(){}\\[\\]:,@\"'`\\\\\n# ]| and | or | offset |5m|sum|rate|by|bool|Inf|1e999){0,25}") {
        if let Some(found) = condition(&expr) {
            prop_assert!(parser::parse(&found.query).is_ok());
        }
    }

    #[test]
    fn a_narrowed_query_is_still_promql(value in "\\PC{0,20}", query in "[x-z]{1,5}( > 5)?") {
        let text = narrowed(&query, [("label", value.as_str())].into_iter());
        prop_assert!(parser::parse(&text).is_ok(), "{text}");
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
