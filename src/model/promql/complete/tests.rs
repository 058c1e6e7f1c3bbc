use proptest::prelude::*;

use super::*;

/// What is expected at the `|` of a text.
fn at(text: &str) -> CursorContext {
    let cursor = text.find('|').expect("a cursor");
    at_cursor(&text.replacen('|', "", 1), cursor)
}

fn name(selector: Option<&str>) -> Expected {
    Expected::LabelName { selector: selector.map(str::to_owned) }
}

fn grouping(selector: Option<&str>) -> Expected {
    Expected::GroupingLabel { selector: selector.map(str::to_owned) }
}

fn value(label: &str, selector: Option<&str>) -> Expected {
    Expected::LabelValue { name: label.to_owned(), selector: selector.map(str::to_owned), quote: '"' }
}

fn range_of(function: &str) -> Expected {
    Expected::RangeOf { function: function.to_owned() }
}

#[test]
fn the_text_before_the_cursor_tells_what_is_expected() {
    for (text, expected, typed) in [
        ("|", Expected::Expression, ""),
        ("htt|", Expected::Expression, "htt"),
        ("sum(|", Expected::Expression, ""),
        ("rate(|", range_of("rate"), ""),
        ("sum by (job) (rate(ht|", range_of("rate"), "ht"),
        ("histogram_quantile(|", Expected::Expression, ""),
        ("histogram_quantile(0.9, r|", Expected::Expression, "r"),
        ("quantile_over_time(0.9, |", range_of("quantile_over_time"), ""),
        ("up |", Expected::Operator, ""),
        ("sum(up) b|", Expected::Operator, "b"),
        ("up{job=\"a\"} |", Expected::Operator, ""),
        ("up + |", Expected::Expression, ""),
        ("up and |", Expected::Expression, ""),
        ("up{|", name(Some("up{}")), ""),
        ("up{j|", name(Some("up{}")), "j"),
        ("{|", name(None), ""),
        ("up{job=\"a\",|", name(Some("up{job=\"a\"}")), ""),
        ("up{job=\"a\", in|}", name(Some("up{job=\"a\"}")), "in"),
        ("up{job=|", Expected::Nothing, ""),
        ("up{job=\"|", value("job", Some("up{}")), ""),
        ("up{job=\"pa|\"}", value("job", Some("up{}")), "pa"),
        ("up{a=\"1\", job=~\"pa|", value("job", Some("up{a=\"1\"}")), "pa"),
        ("{\"a.b\"=\"x|", value("a.b", None), "x"),
        ("{\"a.|", name(None), "a."),
        ("sum by (|) (rate(x{a=\"b\"}[5m]))", grouping(Some("x{a=\"b\"}")), ""),
        ("sum by (a, z|) (x)", grouping(Some("x")), "z"),
        ("sum(rate(x[5m])) by (|", grouping(Some("x")), ""),
        ("a / on (|) group_left (b) c", grouping(Some("a")), ""),
        ("sum without (|", grouping(None), ""),
        ("rate(x[|", Expected::Duration, ""),
        ("rate(x[5|])", Expected::Duration, "5"),
        ("x offset |", Expected::Duration, ""),
        ("x # comm|", Expected::Nothing, ""),
        ("x # comment\n|", Expected::Operator, ""),
        ("label_replace(x, \"ds|", Expected::Nothing, "ds"),
        ("5|", Expected::Nothing, "5"),
        ("üp + |", Expected::Expression, ""),
    ] {
        let found = at(text);
        assert_eq!((found.expected, &*found.typed), (expected, typed), "{text}");
    }
}

#[test]
fn a_completion_replaces_the_word_around_the_cursor() {
    let found = at("sum(htt|p_old) by (a)");
    assert_eq!(found.replaced, 4..12);
    assert_eq!(at("up{job=\"pa|y\"}").replaced, 8..10, "the rest of a value stays");
    assert_eq!(main_selector("sum by (job) (rate(x{a=\"b\"}[5m])) / y").as_deref(), Some("x{a=\"b\"}"));
}

#[test]
fn every_function_has_a_signature() {
    let all = language();
    assert!(all.len() > 80 && all.windows(2).all(|pair| pair[0].name < pair[1].name));
    let of = |name: &str| all.iter().find(|word| word.name == name).map(|word| word.signature.clone());
    assert_eq!(of("rate").as_deref(), Some("rate(range vector) -> instant vector"));
    assert_eq!(of("round").as_deref(), Some("round(instant vector, [scalar]) -> instant vector"));
    assert_eq!(of("time").as_deref(), Some("time() -> scalar"));
    assert_eq!(
        of("label_join").as_deref(),
        Some("label_join(instant vector, string, string, string...) -> instant vector")
    );
}

proptest! {
    #[test]
    fn any_text_has_a_place_at_each_of_its_characters(text in any::<String>()) {
        for (at, _) in text.char_indices() {
            let found = at_cursor(&text, at);
            prop_assert!(text.is_char_boundary(found.replaced.start) && text.is_char_boundary(found.replaced.end));
            prop_assert!(found.replaced.start <= at && at <= found.replaced.end.max(at));
        }
    }

    #[test]
    fn and_so_has_each_unfinished_query(text in "[a-z(){}\\[\\]\"'=~!, #\n0-9+:_é]{0,40}") {
        for at in (0..=text.len()).filter(|at| text.is_char_boundary(*at)) {
            let found = at_cursor(&text, at);
            prop_assert!(text.get(found.replaced).is_some());
        }
        main_selector(&text);
    }
}
