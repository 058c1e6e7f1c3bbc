//! Pictures of a chart with everything that a chart can have, in all looks and at four sizes.

use std::collections::BTreeSet;

use ratatui::style::Color;

use super::*;
use crate::app::display_settings::Colours;
use crate::app::theme::Theme;
use crate::app::themes;

const SIZES: [(u16, u16); 4] = [(120, 20), (80, 14), (40, 10), (24, 6)];

/// One hour: two busy series, one with a gap, and an outage at the end.
fn series() -> [Vec<f64>; 3] {
    let of = |base: f64, wave: f64, outage: f64| {
        let value = |i: usize| {
            let t = i as f64;
            base + wave * (t / 7.0).sin() + if (40..55).contains(&i) { outage } else { 0.0 }
        };
        (0..61).map(value).collect::<Vec<f64>>()
    };
    let mut gap = of(0.05, 0.01, 0.02);
    gap[8..15].fill(GAP);
    [of(0.20, 0.03, 0.9), of(0.12, 0.02, 0.3), gap]
}

/// What is looked at: name, the kind of value axis, stacking, zoom and cursor.
fn views() -> [(&'static str, ChartView); 5] {
    let whole = ChartView::default();
    [
        ("plain", whole),
        ("values at the cursor", ChartView { cursor: Some(minute(-15)), ..whole }),
        ("logarithmic", ChartView { is_logarithmic: true, ..whole }),
        ("stacked shares", ChartView { stacking: Stacking::Shares, ..whole }),
        ("zoomed", ChartView { part: Some((minute(-30), minute(-5))), ..whole }),
    ]
}

/// Draws it with threshold, firing period, changes and exemplars.
fn full(cx: &Cx<'_>, view: ChartView, (width, height): (u16, u16)) -> Buffer {
    let values = series();
    let labels = ["p99", "p95", "p50"];
    let lines: Vec<ChartLine<'_>> = values
        .iter()
        .zip(labels)
        .enumerate()
        .map(|(i, (values, label))| ChartLine { values, role: Role::of_line(i), label })
        .collect();
    let shade = [(minute(-20), minute(-6))];
    let marks = [
        ChartMark { at: minute(-22), symbol: cx.charset.pick("▲", "^"), role: Role::Accent },
        ChartMark { at: minute(-20), symbol: cx.charset.pick("●", "!"), role: Role::Critical },
    ];
    let point = |minutes, value| ChartPoint { at: minute(minutes), value, is_chosen: minutes == -15 };
    let points = [point(-50, 0.6), point(-15, 0.9), point(-12, 5.0), point(-3, 0.1)];
    let chart = Chart {
        thresholds: &[(0.5, "p95 limit")],
        shade: &shade,
        marks: &marks,
        points: &points,
        adds_up: true,
        view,
        ..Chart::new(span(61), &lines, ValueUnit::Seconds)
    };
    drawn(width, height, |area, buf| chart.render(cx, area, buf))
}

fn pictures(look: impl Fn(&dyn Fn(&Cx<'_>) -> Buffer) -> Buffer) -> String {
    let mut out = String::new();
    for (name, view) in views() {
        for size in SIZES {
            let picture = lines(&look(&|cx| full(cx, view, size))).join("\n");
            let heading = format!("{name}, {}x{}\n", size.0, size.1);
            out.extend([heading.as_str(), &picture, "\n\n"]);
        }
    }
    out
}

#[test]
fn a_full_chart_in_colour() {
    insta::assert_snapshot!(pictures(|draw| with_cx(Charset::Unicode, draw)));
}

#[test]
fn a_full_chart_without_colour() {
    insta::assert_snapshot!(pictures(|draw| without_colour(Charset::Unicode, draw)));
}

#[test]
fn a_full_chart_in_ascii() {
    let picture = pictures(|draw| without_colour(Charset::Ascii, draw));
    assert!(picture.is_ascii());
    insta::assert_snapshot!(picture);
}

/// Without colours and in ASCII, each part of the chart is there by its sign.
#[test]
fn every_part_of_a_chart_is_seen_in_every_look() {
    for (charset, signs) in [(Charset::Unicode, "┄┊━▲●◇◆"), (Charset::Ascii, "-:=^!~$")] {
        let picture =
            lines(&without_colour(charset, |cx| full(cx, ChartView::default(), (120, 20)))).join("\n");
        for sign in signs.chars() {
            assert!(picture.contains(sign), "no {sign} in\n{picture}");
        }
        for words in ["p95 limit", "p99", "p95", "p50", "max", "min"] {
            assert!(picture.contains(words), "no {words} in\n{picture}");
        }
    }
}

/// In each theme, at each depth of colour that it is made for, lines differ from each other and from the areas below them, and
/// the firing period is a background of its own.
#[test]
fn in_every_theme_lines_areas_and_firing_periods_can_be_told_apart() {
    for theme in themes::built_in() {
        for colours in [Colours::True, Colours::Indexed] {
            let theme: Theme = theme.reduced(colours);
            for (name, view) in views() {
                let buf = with_cx(Charset::Unicode, |cx| full(&Cx { theme: &theme, ..*cx }, view, (120, 20)));
                let what = format!("{} {colours:?} {name}", theme.name());
                let is_dot = |c: char| ('\u{2801}'..='\u{28ff}').contains(&c);
                let mut inks = BTreeSet::new();
                for cell in buf.content.iter().filter(|cell| cell.symbol().chars().all(is_dot)) {
                    assert!(cell.fg == Color::Reset || cell.fg != cell.bg, "{what}: {cell:?}");
                    inks.insert(format!("{:?}", cell.fg));
                }
                assert!(inks.len() >= 3, "{what}: {inks:?}");
                // the background of the plot's lowest row: within the firing period and outside of it
                let grounds: BTreeSet<String> =
                    buf.content.iter().map(|cell| format!("{:?}", cell.bg)).collect();
                assert!(grounds.len() >= 2, "{what}: {grounds:?}");
            }
        }
    }
}
