use super::*;

fn haystack() -> (Vec<Labels>, Haystack) {
    let labels = vec![
        Labels::from_iter([("alertname", "HighLatency"), ("service", "checkout"), ("severity", "page")]),
        Labels::from_iter([
            ("alertname", "DiskFull"),
            ("service", "postgres orders"),
            ("severity", "ticket"),
        ]),
        Labels::from_iter([("alertname", "HighLatency"), ("service", "cart"), ("severity", "ticket")]),
    ];
    let haystack = Haystack::new(labels.iter().map(|labels| (labels, [])));
    (labels, haystack)
}

fn found(text: &str) -> String {
    let filter = Filter::parse(text);
    let mut haystack = haystack().1;
    // letter by letter, as it is typed
    for (end, _) in text.char_indices() {
        haystack.select(&Filter::parse(text.get(..end).unwrap()));
    }
    haystack.select(&filter).iter().map(|yes| if *yes { 'x' } else { '.' }).collect()
}

#[test]
fn words_and_matchers_narrow_together() {
    for (text, rows) in [
        ("", "xxx"),
        ("latency", "x.x"),
        ("latency cart", "..x"),
        ("latency !cart", "x.."),
        ("chkout", "x.."),
        (r#"severity="ticket""#, ".xx"),
        (r#"{severity="ticket", alertname=~"High.*"}"#, "..x"),
        ("severity!=page latency", "..x"),
        (r#"service="postgres orders""#, ".x."),
        ("LATENCY", "..."),
        ("nothing-like-it", "..."),
    ] {
        assert_eq!(found(text), rows, "{text}");
    }
}

#[test]
fn what_was_found_is_known_by_its_place() {
    for (filter, text, match_range) in [
        ("pay", "PaymentsSlow", Some((0, 3))),
        ("Slow", "PaymentsSlow", Some((8, 12))),
        ("SLOW", "PaymentsSlow", None),
        ("!pay", "PaymentsSlow", None),
        ("tabelle", "gr\u{f6}\u{df}entabelle", Some((8, 15))),
        ("\u{f6}", "gr\u{f6}\u{df}e", Some((2, 4))),
        ("", "x", None),
    ] {
        assert_eq!(Filter::parse(filter).match_range(text), match_range, "{filter} in {text}");
    }
}

#[test]
fn a_matcher_that_is_still_being_typed_hides_nothing() {
    let filter = Filter::parse(r#"latency severity="tick"#);
    assert!(filter.error().is_some_and(|error| error.contains("quote")));
    assert_eq!(found(r#"latency severity="tick"#), "x.x");
}

fn fields() -> Haystack {
    let labels = Labels::from_iter([("alertname", "Slow"), ("severity", "page"), ("code", "503")]);
    let row = |state: &str, age| (&labels, [], [Some(state.into()), Some("critical".into())], [age]);
    let fields = FilterFields { words: &["state", "severity"], numbers: &["age"], flags: &["silenced"] };
    Haystack::with_fields(fields, [row("firing", 60.0), row("silenced", 7200.0), row("pending", f64::NAN)])
}

#[test]
fn what_is_read_on_the_screen_can_be_asked_for() {
    for (text, rows) in [
        (r#"state="firing""#, "x.."),
        ("state!=firing", ".xx"),
        ("state=~\"fir.*|pend.*\"", "x.x"),
        ("silenced", ".x."),
        ("silenced=true", ".x."),
        ("silenced=\"no\"", "x.x"),
        ("age>1h", ".x."),
        ("age<=1m", "x.."),
        ("age>1h state=silenced", ".x."),
        ("severity=critical", "xxx"),
        ("severity=page", "xxx"),
        ("severity!=page", "..."),
        ("severity!=ticket", "xxx"),
        ("code>500", "xxx"),
        ("code>=504", "..."),
    ] {
        let (filter, mut haystack) = (Filter::parse(text), fields());
        let found: String = haystack.select(&filter).iter().map(|yes| if *yes { 'x' } else { '.' }).collect();
        assert_eq!((found.as_str(), filter.error(), haystack.unknown(&filter)), (rows, None, None), "{text}");
    }
}

#[test]
fn a_name_that_nothing_has_is_told_with_those_that_there_are() {
    let explanation = |text: &str| fields().unknown(&Filter::parse(text)).unwrap_or_default();
    let misspelt = explanation("sevrity=critical");
    assert!(misspelt.contains("sevrity") && misspelt.contains("did you mean severity?"), "{misspelt}");
    assert!(misspelt.contains("alertname, code, severity, silenced, state; with > and <: age"), "{misspelt}");
    assert!(explanation("health=burning").contains("no row has health"));
    assert!(explanation("burn>2").contains("no row has burn"));
    assert_eq!(
        Haystack::default().unknown(&Filter::parse("x=y")),
        None,
        "where nothing is, nothing is missing"
    );
    assert!(Filter::parse("age>soon").error().is_some_and(|error| error.contains("age>1h")));
}
