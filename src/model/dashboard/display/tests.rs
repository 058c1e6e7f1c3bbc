use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::decimals::{fixed, js_number};
use super::naming::display_name;
use super::number::format_number;
use super::overrides::with_overrides;
use super::*;
use crate::model::dashboard::field::{
    FieldMatcher, FieldOverride, MappedValue, Reducer, SpecialValue, ThresholdStep, ValueMapping,
};
use crate::model::frame::{DataFrame, FrameField};
use crate::model::labels::Labels;

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn display(options: &FieldOptions, kind: FieldKind) -> FieldDisplay {
    FieldDisplay::new(options, kind, Some((0.0, 200.0)), now(), &TimeZone::UTC)
}

#[test]
fn numbers_of_a_unit_are_written_as_grafana_writes_them() {
    // expectations of Grafana's tests of valueFormats, symbolFormatters, arithmeticFormatters and dateTimeFormatters
    let cases: &[(&str, Option<u8>, f64, &str)] = &[
        ("currencyUSD", Some(2), 1532.82, "$1.53K"),
        ("currencyKRW", Some(2), 1532.82, "₩1.53K"),
        ("currencyUSD", Some(2), -1532.82, "-$1.53K"),
        ("ms", Some(4), 0.0024, "0.0024 ms"),
        ("ms", Some(0), 100.0, "100 ms"),
        ("ms", Some(2), 1250.0, "1.25 s"),
        ("ms", Some(1), 10_000_086.123, "2.8 hour"),
        ("ms", Some(0), 1200.0, "1 s"),
        ("short", Some(2), 98765.0, "98.77 K"),
        ("short", Some(6), 9_876_543.0, "9.876543 Mil"),
        ("short", Some(2), 9_876_543.0, "9.88 Mil"),
        ("kbytes", Some(3), 10_000_000.0, "9.537 GiB"),
        ("deckbytes", Some(3), 10_000_000.0, "10.000 GB"),
        ("megwatt", Some(3), 1000.0, "1.000 GW"),
        ("kohm", Some(3), 1000.0, "1.000 MΩ"),
        ("Mohm", Some(3), 1000.0, "1.000 GΩ"),
        ("farad", Some(3), 1000.0, "1.000 kF"),
        ("µfarad", Some(3), 1000.0, "1.000 mF"),
        ("nfarad", Some(3), 1000.0, "1.000 µF"),
        ("pfarad", Some(3), 1000.0, "1.000 nF"),
        ("ffarad", Some(3), 1000.0, "1.000 pF"),
        ("henry", Some(3), 1000.0, "1.000 kH"),
        ("mhenry", Some(3), 1000.0, "1.000 H"),
        ("µhenry", Some(3), 1000.0, "1.000 mH"),
        ("a", Some(0), 1532.82, "1533 a"),
        ("prefix:b", None, 1532.82, "b1533"),
        ("suffix:d", None, 1532.82, "1533 d"),
        ("si:µF", Some(2), 1234.0, "1.23 mF"),
        ("si:µF", Some(2), 1_234_000_000.0, "1.23 kF"),
        ("si:µF", Some(2), 1_234_000_000_000_000.0, "1.23 GF"),
        ("count:xpm", Some(2), 1_234_567.0, "1.23M xpm"),
        ("count:x/min", Some(2), 1234.0, "1.23K x/min"),
        ("currency:@", Some(2), 1_234_567.0, "@1.23M"),
        ("bytes", None, 1_073_741_824.0, "1 GiB"),
        ("bytes", Some(1), 0.0, "0.0 B"),
        ("decbytes", None, 1500.0, "1.50 kB"),
        ("Bps", None, 1e9, "1 GB/s"),
        ("bps", None, 2.5e6, "2.50 Mb/s"),
        ("binBps", None, 1536.0, "1.50 KiB/s"),
        ("reqps", None, 1234.0, "1.23K req/s"),
        ("percent", None, 12.3456, "12.3%"),
        ("percentunit", Some(2), 0.12345, "12.35%"),
        ("percentunit", None, 1.0, "100%"),
        ("s", None, 0.0, "0 s"),
        ("s", None, 0.0005, "500 µs"),
        ("s", None, 0.25, "250 ms"),
        ("s", Some(0), 90.0, "2 min"),
        ("s", Some(2), 7200.0, "2.00 hour"),
        ("s", None, 1_209_600.0, "2 week"),
        ("µs", None, 1500.0, "1.50 ms"),
        ("ns", None, 120_000_000_000.0, "2 min"),
        ("m", None, 90.0, "1.50 hour"),
        ("d", None, 3.0, "3 day"),
        ("hex", None, 255.0, "FF"),
        ("hex0x", None, 255.0, "0xFF"),
        ("hex0x", Some(0), -10.0, "-0xA"),
        ("sci", Some(2), 123_456.0, "1.23e+5"),
        ("locale", None, 1_234_567.0, "1,234,567"),
        ("dtdurations", None, 0.0, "0 seconds"),
        ("dtdurations", Some(1), 93_784.0, "1 day, 2 hours"),
        ("dtdurations", Some(5), 93_784.0, "1 day, 2 hours, 3 minutes, 4 seconds, 0 milliseconds"),
        ("dtdurationms", Some(0), 1234.0, "1 second"),
        ("dtdurations", Some(0), -300.0, "5 minutes ago"),
        ("dthms", None, 8409.0, "02:20:09"),
        ("dthms", None, 363_600.0, "101:00:00"),
        ("dtdhms", None, 93_784.0, "1 d 02:03:04"),
        ("clockms", None, 999.0, "999ms"),
        ("clockms", Some(0), 59_999.0, "59s"),
        ("clockms", None, 3_659_123.0, "1h:00m:59s:123ms"),
        ("clocks", Some(1), 3659.0, "1h:00m"),
        ("celsius", Some(1), 21.25, "21.3 °C"),
        ("farenheit", Some(0), 70.0, "70 °F"),
        ("Hs", None, 5000.0, "5 kH/s"),
        ("velocitykmh", None, 50.0, "50 km/h"),
        ("bool_on_off", None, 0.0, "Off"),
        ("bool:up/down", None, 1.0, "up"),
        ("none", None, 100.4, "100"),
        ("none", None, 0.01234, "0.0123"),
        ("none", None, 1.5, "1.50"),
        ("short", None, f64::INFINITY, "∞"),
        ("bytes", None, f64::NAN, "NaN"),
    ];
    for (unit, decimals, value, expected) in cases {
        let UnitText { prefix, text, suffix } = format_number(*value, Some(unit), *decimals);
        assert_eq!(format!("{prefix}{text}{suffix}"), *expected, "{unit} {value} {decimals:?}");
    }
}

#[test]
fn decimals_that_are_not_set_follow_the_size_and_lose_zeros() {
    for (value, expected) in [
        (100.4, "100"),
        (100.5, "101"),
        (0.0, "0"),
        (1.23456, "1.23"),
        (2.7, "2.70"),
        (0.000_123_4, "0.000123"),
    ] {
        assert_eq!(fixed(value, None), expected, "{value}");
    }
    for (value, decimals, expected) in
        [(100.37, 1, "100.4"), (100.4, 2, "100.40"), (186.123, 0, "186"), (100.0, 1, "100.0")]
    {
        assert_eq!(fixed(value, Some(decimals)), expected, "{value} {decimals}");
    }
    let options = FieldOptions { unit: Some("s".into()), ..FieldOptions::default() };
    assert_eq!(display(&options, FieldKind::Number).number(2.5).whole(), "2.5 s");
    assert_eq!(
        (js_number(1e21).as_str(), js_number(1e-7).as_str(), js_number(-0.0).as_str()),
        ("1e+21", "1e-7", "0")
    );
}

#[test]
fn moments_are_written_in_the_zone_by_patterns_of_moment_js() {
    let ms = "2010-07-02T03:04:05.678Z".parse::<Timestamp>().unwrap().as_millisecond() as f64;
    for (unit, expected) in [
        ("dateTimeAsIso", "2010-07-02 03:04:05"),
        ("dateTimeAsUS", "07/02/2010 3:04:05 am"),
        ("time:YYYY.MM", "2010.07"),
        ("time:dddd Do MMMM YY [at] HH:mm:ss.SSS Z", "Friday 2nd July 10 at 03:04:05.678 +00:00"),
        ("dateTimeFromNow", "16 years ago"),
    ] {
        let options = FieldOptions { unit: Some(unit.into()), ..FieldOptions::default() };
        assert_eq!(display(&options, FieldKind::Number).number(ms).whole(), expected, "{unit}");
    }
    let options = FieldOptions { unit: Some("dateTimeAsIsoNoDateIfToday".into()), ..FieldOptions::default() };
    let today = now().as_millisecond() - 60_000;
    assert_eq!(display(&options, FieldKind::Number).number(today as f64).whole(), "11:59:00");
    let time = display(&FieldOptions::default(), FieldKind::Time);
    assert_eq!(time.cell(&FrameCell::Time(today)).whole(), "2026-03-01 11:59:00");
}

fn thresholds(is_percent: bool) -> ColourThresholds {
    let step = |from, colour| ThresholdStep { from, colour };
    let steps = vec![
        step(None, GrafanaColour::Green),
        step(Some(50.0), GrafanaColour::Orange),
        step(Some(80.0), GrafanaColour::Red),
    ];
    ColourThresholds { steps, is_percent }
}

#[test]
fn thresholds_colour_by_value_or_by_share_of_the_range() {
    let by_value = FieldOptions { thresholds: Some(thresholds(false)), ..FieldOptions::default() };
    for (value, colour) in [
        (-5.0, GrafanaColour::Green),
        (50.0, GrafanaColour::Orange),
        (79.9, GrafanaColour::Orange),
        (1e9, GrafanaColour::Red),
        (f64::NAN, GrafanaColour::Green),
    ] {
        assert_eq!(display(&by_value, FieldKind::Number).number(value).colour, Some(colour), "{value}");
    }
    let by_share =
        FieldOptions { thresholds: Some(thresholds(true)), max: Some(1.0), ..FieldOptions::default() };
    assert_eq!(display(&by_share, FieldKind::Number).number(0.6).colour, Some(GrafanaColour::Orange));
    let nothing = display(&by_value, FieldKind::Number).cell(&FrameCell::Nothing);
    assert_eq!(
        (nothing.colour, nothing.text.as_str(), nothing.number),
        (Some(GrafanaColour::Green), "", None)
    );
}

#[test]
fn mappings_write_texts_and_colours_and_the_first_that_matches_counts() {
    let mapping = |of, text: &str, colour| ValueMapping { of, text: Some(text.into()), colour, index: 0 };
    let options = FieldOptions {
        mappings: vec![
            mapping(MappedValue::Exactly("1".into()), "UP", Some(GrafanaColour::Green)),
            mapping(MappedValue::Range { from: Some(2.0), to: None }, "many", None),
            mapping(MappedValue::Pattern("^(\\w+)-prod$".into()), "$1!", None),
            mapping(MappedValue::Special(SpecialValue::NullOrNotANumber), "no data", None),
        ],
        thresholds: Some(thresholds(false)),
        ..FieldOptions::default()
    };
    let display = display(&options, FieldKind::Number);
    for (cell, text) in [
        (FrameCell::Number(1.0), "UP"),
        (FrameCell::Number(77.0), "many"),
        (FrameCell::Text("api-prod".into()), "api!"),
        (FrameCell::Text("api-dev".into()), "api-dev"),
        (FrameCell::Nothing, "no data"),
        (FrameCell::Number(f64::NAN), "no data"),
        (FrameCell::Number(0.5), "0.5"),
    ] {
        assert_eq!(display.cell(&cell).whole(), text, "{cell:?}");
    }
    assert_eq!(display.number(1.0).colour, Some(GrafanaColour::Green));
    assert_eq!(display.number(77.0).colour, Some(GrafanaColour::Orange));
}

fn series(name: &str, labels: &[(&str, &str)]) -> DataFrame {
    let labels: Labels = labels.iter().copied().collect();
    let value =
        FrameField { labels, ..FrameField::named(name, FieldValues::Numbers(vec![Some(1.0), Some(3.0)])) };
    let time = FrameField::named("Time", FieldValues::Times(vec![Some(0), Some(1000)]));
    DataFrame { ref_id: "A".into(), fields: vec![time, value], ..DataFrame::default() }
}

#[test]
fn series_have_the_names_that_grafana_gives_them() {
    // expectations of Grafana's tests of fieldState
    let named = |frame: DataFrame, name: &str| DataFrame { name: Some(name.into()), ..frame };
    let cases: Vec<(Vec<DataFrame>, Vec<&str>)> = vec![
        (vec![series("Value", &[])], vec!["Value"]),
        (vec![named(series("Value", &[]), "CPU")], vec!["CPU"]),
        (vec![series("Value", &[("host", "a")]), series("Value", &[("host", "b")])], vec!["a", "b"]),
        (
            vec![
                series("Value", &[("host", "a"), ("job", "x")]),
                series("Value", &[("host", "b"), ("job", "x")]),
            ],
            vec!["{host=\"a\", job=\"x\"}", "{host=\"b\", job=\"x\"}"],
        ),
        (vec![named(series("Value", &[]), "A"), named(series("Value", &[]), "B")], vec!["A", "B"]),
        (vec![named(series("temp", &[]), "A"), named(series("temp", &[]), "B")], vec!["A temp", "B temp"]),
        (vec![series("temp", &[("host", "a")])], vec!["temp a"]),
    ];
    for (frames, names) in cases {
        let options = FieldOptions::default();
        let shown: Vec<String> =
            (0..frames.len()).map(|frame| display_name(&frames, frame, 1, &options)).collect();
        assert_eq!(shown, names);
    }
    let frames = vec![series("Value", &[("host", "a"), ("job", "x")])];
    let options = FieldOptions {
        display_name: Some(
            "${__field.labels.host} of ${__field.labels[\"job\"]} (${__field.name}) $other".into(),
        ),
        ..FieldOptions::default()
    };
    assert_eq!(display_name(&frames, 0, 1, &options), "a of x (Value) $other");
    assert_eq!(display_name(&frames, 0, 0, &FieldOptions::default()), "Time");
    assert_eq!(display_name(&frames, 5, 0, &options), "");
}

#[test]
fn a_later_override_wins_and_only_for_fields_that_match() {
    let frames = vec![series("Value", &[("host", "a")]), series("Value", &[("host", "b")])];
    let unit = |of, unit: &str| FieldOverride {
        of,
        options: FieldOptions { unit: Some(unit.into()), ..FieldOptions::default() },
    };
    let unit_of = |overrides: &[FieldOverride], frame: usize, field: usize| {
        let options = FieldOptions { unit: Some("short".into()), ..FieldOptions::default() };
        with_overrides(&options, overrides, &frames, frame, field).unit.unwrap().to_string()
    };
    for (matcher, a, b) in [
        (FieldMatcher::Name("a".into()), "s", "short"),
        (FieldMatcher::Name("Value".into()), "s", "s"),
        (FieldMatcher::Names { names: vec!["a".into()], is_excluded: true }, "short", "s"),
        (FieldMatcher::Pattern("^b$".into()), "short", "s"),
        (FieldMatcher::Pattern("(".into()), "short", "short"),
        (FieldMatcher::RefId("A".into()), "s", "s"),
        (FieldMatcher::RefId("B".into()), "short", "short"),
        (FieldMatcher::Numeric, "s", "s"),
        (FieldMatcher::First, "short", "short"),
        (FieldMatcher::Value { reducer: Reducer::Max, op: ">=".into(), value: "3".into() }, "s", "s"),
        (FieldMatcher::Value { reducer: Reducer::Max, op: "lt".into(), value: "3".into() }, "short", "short"),
        (FieldMatcher::Unknown("x".into()), "short", "short"),
    ] {
        let overrides = [unit(matcher.clone(), "s")];
        assert_eq!(
            (unit_of(&overrides, 0, 1).as_str(), unit_of(&overrides, 1, 1).as_str()),
            (a, b),
            "{matcher:?}"
        );
    }
    let two = [unit(FieldMatcher::Numeric, "s"), unit(FieldMatcher::Name("b".into()), "ms")];
    assert_eq!((unit_of(&two, 0, 1).as_str(), unit_of(&two, 1, 1).as_str()), ("s", "ms"));
}

#[test]
fn ids_of_units_are_sorted_so_that_each_is_found() {
    for id in ["s", "bytes", "µs", "zflops", "Bps", "reqps", "dateTimeAsIso", "currencyUSD", "Wm2"] {
        assert!(units::find(id).is_some(), "{id}");
    }
    assert_eq!(units::find("blah"), None);
    assert_eq!(units::find("blah:x"), None);
}

proptest! {
    #[test]
    fn any_number_in_any_unit_is_a_text(value in any::<f64>(), decimals in prop::option::of(0_u8..20), unit in "(s|ms|ns|µs|m|h|d|bytes|bits|short|percent|percentunit|hex|hex0x|sci|locale|dtdurations|dtdurationms|dthms|dtdhms|clocks|clockms|none|reqps|si:m.|time:[A-Za-z]{1,6}|bool|currency:x|pressurepsi|dateTimeFromNow|timeticks)") {
        let options = FieldOptions { unit: Some(unit.into()), decimals, ..FieldOptions::default() };
        let shown = display(&options, FieldKind::Number).number(value).whole();
        prop_assert!(!shown.is_empty());
    }
}
