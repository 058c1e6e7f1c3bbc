use proptest::prelude::*;

use super::*;

fn labels() -> Labels {
    Labels::from_iter([("severity", "critical"), ("service", "cart"), ("path", "C:\\tmp, \"x\"")])
}

#[test]
fn alertmanagers_examples_match_as_they_do_there() {
    for (text, expected) in [
        ("", true),
        ("{}", true),
        (r#"severity="critical""#, true),
        ("severity=critical", true),
        (r#"{severity=~"crit.*", service!="checkout"}"#, true),
        (r#"severity=~"crit""#, false),
        (r#"severity!~"warn.*|info""#, true),
        (r#"missing="""#, true),
        (r#"missing!="""#, false),
        (" { service = cart , } ", true),
        (r#"path="C:\\tmp, \"x\"""#, true),
        (r#"service=~"c\w+""#, true),
        (r#""service"="cart""#, true),
        ("service=~a|cart", true),
    ] {
        let matchers = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(matchers.iter().all(|m| m.matches(&labels())), expected, "{text}");
    }
}

#[test]
fn a_value_is_matched_to_the_letter() {
    let values = [
        "a\nb",
        "a b",
        "a\tb",
        "a\rb",
        "ab",
        "a\u{200b}b",
        "a\u{200c}b",
        "a\u{ad}b",
        "a\u{feff}b",
        "⚠",
        "⚠\u{fe0f}",
    ];
    for value in values {
        let matcher = Matcher::new("val", Operator::Equal, value).unwrap();
        let read = parse(&matcher.to_string()).unwrap();
        for other in values {
            assert_eq!(read[0].matches_value(other), value == other, "{value:?} and {other:?}");
        }
    }
    // a dot does not match a line break
    let matcher = &parse(r#"val=~"a.b""#).unwrap()[0];
    let matched: Vec<&str> = values.into_iter().filter(|value| matcher.matches_value(value)).collect();
    assert_eq!(matched, ["a b", "a\tb", "a\rb", "a\u{200b}b", "a\u{200c}b", "a\u{ad}b", "a\u{feff}b"]);
}

#[test]
fn five_hundred_long_names_are_one_expression() {
    let names: Vec<_> =
        (0..500).map(|i| format!("KubernetesPersistentVolumeFillingUpInNamespace{i:020}")).collect();
    let matcher = Matcher::new("alertname", Operator::Matches, names.join("|"));
    let matcher = matcher.map_err(drop).expect("it is short enough");
    assert!(matcher.matches_value(&names[499]) && !matcher.matches_value("Kubernetes"));
}

#[test]
fn a_wrong_text_is_refused_with_its_place() {
    assert_eq!(parse("severity"), Err(MatcherError::NoOperator("severity".into())));
    assert_eq!(parse(r#"a="b"#), Err(MatcherError::OpenQuote(2)));
    assert_eq!(parse("{a=b"), Err(MatcherError::Braces));
    assert_eq!(parse(r#"a="b" c="d""#), Err(MatcherError::NoComma(6)));
    assert_eq!(parse(r#"="b""#), Err(MatcherError::NoName(0)));
    assert!(matches!(parse("a=~\"(\""), Err(MatcherError::Regex { .. })));
    assert!(matches!(parse("a=~\"(\\\\w{9}){9}{9}{99}\""), Err(MatcherError::Regex { .. })));
}

#[test]
fn several_lists_are_read_one_after_the_other() {
    let all = |text: &str| parse_lists(text).map(|all| all.iter().map(|one| list(one)).collect::<Vec<_>>());
    assert_eq!(all(r#"a="b",c=d"#).unwrap(), [r#"a="b", c="d""#]);
    assert_eq!(
        all(r#" {a="}"} or {b=~"or|{"}  {c!="x"} "#).unwrap(),
        [r#"a="}""#, r#"b=~"or|{""#, r#"c!="x""#]
    );
    assert_eq!(all(""), Ok(vec![String::new()]));
    for wrong in [r#"{a="b"} or"#, r#"{a="b"} and {c="d"}"#, r#"{a="b"},"#, r#"{a="b"} or {"#] {
        assert!(all(wrong).is_err(), "{wrong}");
    }
    let text = r#"{a="b"} or {c=~"d|e", f=""}"#;
    assert_eq!(lists(&parse_lists(text).unwrap()), text);
}

proptest! {
    #[test]
    fn what_is_printed_reads_back_the_same(name in "[a-zA-Z_][a-zA-Z0-9_]{0,8}|[ä-ü ]{1,5}", value in any::<String>(), equal: bool) {
        let operator = if equal { Operator::Equal } else { Operator::NotEqual };
        let matcher = Matcher::new(name, operator, value).unwrap();
        prop_assert_eq!(parse(&format!("{{{matcher}}}")), Ok(vec![matcher.clone()]));
        prop_assert_eq!(parse(&matcher.to_string()), Ok(vec![matcher]));
    }

    #[test]
    fn no_text_makes_it_fail_badly(text in any::<String>()) {
        drop(parse(&text));
    }

    #[test]
    fn a_value_is_either_matched_or_not(value in "\\PC{0,20}", pattern in "[a-z.*|]{0,8}") {
        if let Ok(yes) = Matcher::new("l", Operator::Matches, pattern.clone()) {
            let no = Matcher::new("l", Operator::MatchesNot, pattern).unwrap();
            prop_assert!(yes.matches_value(&value) != no.matches_value(&value));
        }
    }
}
