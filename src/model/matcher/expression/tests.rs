use crate::model::matcher::{Matcher, Operator};

#[test]
fn an_expression_matches_what_it_matches_in_go() {
    for (pattern, value, expected) in [
        (r"c.rt", "cart", true),
        (r"a.b", "a\nb", false),
        (r"(?s)a.b", "a\nb", true),
        (r"\w+", "größe", false),
        (r"\w+", "cart_7", true),
        (r"\W", "ß", true),
        (r"\d", "٣", false),
        (r"a\sb", "a\u{a0}b", false),
        (r".*\bcart\b.*", "a cart b", true),
        (r".*\bb.*", "äb", true),
        (r"\Qa.b[\E+", "a.b[[", true),
        (r"a{,2}", "a{,2}", true),
        (r"a{1,2}", "aa", true),
        (r"{a}", "{a}", true),
        (r"[a[b]", "[", true),
        (r"[a&&b]", "&", true),
        (r"[a&&b]", "b", true),
        (r"[]a]", "]", true),
        (r"[^]a]", "b", true),
        (r"[+--]", ",", true),
        (r"[a-]", "-", true),
        (r"[\w-]+", "a-b", true),
        (r"[[:alpha:]\d]+", "a7", true),
        (r"\pL+", "größe", true),
        (r"\p{Greek}", "λ", true),
        (r"(?i)CART", "cart", true),
        (r"(?P<x>a)(?:b|c)", "ac", true),
        (r"\x41\x{42}\.\-\_", "AB.-_", true),
        (r"", "", true),
        (r"a|b", "b", true),
        (r"a||b\|", "", true),
        (r"a|b\|\.", "b|.", true),
        (r"a|b", "a|b", false),
        (r"a}]", "a}]", true),
        (r"~#& ", "~#& ", true),
    ] {
        let matcher = Matcher::new("l", Operator::Matches, pattern);
        let matcher = matcher.unwrap_or_else(|error| panic!("{pattern}: {error}"));
        assert_eq!(matcher.matches_value(value), expected, "{pattern} on {value:?}");
    }
}

#[test]
fn what_go_does_not_take_is_refused_with_its_place() {
    for (pattern, at) in [
        ("(", 1),
        ("a)", 1),
        ("ab[a", 2),
        (r"a\", 1),
        (r"\C", 0),
        (r"\y", 0),
        (r"\1", 0),
        (r"\8", 0),
        ("(?x)a", 0),
        ("(?=a)", 0),
        ("(?!a)", 0),
        ("(?<=a)", 0),
        ("(?>a)", 0),
        ("(?P=a)", 0),
        ("(?#a)", 0),
        ("(?P<a b>c)", 0),
        ("(?i-)a", 0),
        ("(?--i)a", 0),
        ("a{1001}", 1),
        ("a{2,1}", 1),
        ("a{99999999999}", 1),
        ("(a{100}){11}", 8),
        ("[z-a]", 0),
        ("*a", 0),
        ("a|*", 2),
        ("(+a)", 1),
        ("a++pi", 2),
        ("a**", 2),
        ("a{2}{3}", 4),
        ("a+??", 3),
        (r"\x{zz}", 0),
        (r"\x{110000}", 0),
        (r"\xg", 0),
        (r"\pX", 0),
        (r"\p{Letter}", 0),
        (r"\p{greek}", 0),
        (r"\p{Grek}", 0),
        (r"\p{Alphabetic}", 0),
        (r"\p{", 0),
        (r"[\b]", 0),
        (r"[\Qa\E]", 0),
        (r"[a-\d]", 0),
        ("[[:foo:]]", 0),
        (r"\E", 0),
        (r"\Z", 0),
        ("ä++", 3),
        (r"a\Qa.b", 1),
    ] {
        match Matcher::new("l", Operator::Matches, pattern) {
            Err(error) => assert!(error.to_string().ends_with(&format!(" at {at}")), "{pattern}: {error}"),
            Ok(_) => panic!("{pattern} is taken"),
        }
    }
}

#[test]
fn thousands_of_hosts_are_looked_up_in_whatever_way_they_are_written() {
    let hosts: Vec<String> = (0..2000).map(|i| format!("ip-10-0-{i}\\.eu\\.compute\\.internal")).collect();
    let all = hosts.join("|");
    for (pattern, end) in [
        (all.clone(), ""),
        (format!("({all}):9100"), ":9100"),
        (format!("^(?:{all})$"), ""),
        (format!("({all}):\\d+"), ":9100"),
        (format!("({all})(:9100)?"), ":9100"),
        (format!("(?i)({all})"), ""),
    ] {
        let matcher = Matcher::new("instance", Operator::Matches, pattern).unwrap();
        assert!(matcher.can_be_evaluated());
        let is_matched =
            |host: usize| matcher.matches_value(&format!("ip-10-0-{host}.eu.compute.internal{end}"));
        assert!(is_matched(0) && is_matched(1999) && !is_matched(2000), "{end}");
    }
}

#[test]
fn what_is_too_large_is_taken_and_not_judged() {
    let matcher = Matcher::new("l", Operator::Matches, r"[\pL\pN]{1000}|((\pL{30}){30}x){1}").unwrap();
    let not = Matcher::new("l", Operator::MatchesNot, r"[\pL\pN]{1000}|((\pL{30}){30}x){1}").unwrap();
    assert!(!matcher.can_be_evaluated() && !matcher.matches_value("a") && !not.matches_value("a"));
    let reported = Matcher::from_server("l", Operator::Matches, "a++");
    assert!(!reported.can_be_evaluated() && !reported.matches_value("a"));
    assert_eq!(reported.to_string(), r#"l=~"a++""#);
}
