use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::app::widgets::probe::{NOW, drawn, has_role, lines, sweep, with_cx, without_colour};

mod pictures;
mod views;

const GAP: f64 = f64::NAN;

fn span(points: u16) -> TimeGrid {
    let end = Timestamp::from_second(NOW).unwrap();
    TimeGrid::ending(end, Duration::from_secs(60 * u64::from(points - 1)), points, Duration::from_secs(60))
}

fn minute(minute: i64) -> Timestamp {
    Timestamp::from_second(NOW + minute * 60).unwrap()
}

/// One hour of error ratios: low, ten minutes without data, an outage, low again.
fn errors() -> Vec<f64> {
    (0..61)
        .map(|i| match i {
            10..20 => GAP,
            35..50 => 0.12,
            _ => 0.01,
        })
        .collect()
}

fn picture(charset: Charset, width: u16, height: u16, chart: Chart<'_>) -> Vec<String> {
    lines(&drawn(width, height, |area, buf| with_cx(charset, |cx| chart.render(cx, area, buf))))
}

fn alert<'a>(
    line: &'a [ChartLine<'a>],
    shade: &'a [(Timestamp, Timestamp)],
    marks: &'a [ChartMark<'a>],
) -> Chart<'a> {
    Chart { thresholds: &[(0.05, "> 5%")], shade, marks, ..Chart::new(span(61), line, ValueUnit::Ratio) }
}

/// The words in a plot can be read wherever an event is.
#[test]
fn an_event_crosses_no_label() {
    let values = [0.01; 61];
    let line = [ChartLine { values: &values, role: Role::Series1, label: "errors" }];
    for minutes in -60..=0 {
        let marks = [ChartMark { at: minute(minutes), symbol: "d", role: Role::Accent }];
        let drawn = picture(Charset::Unicode, 60, 9, alert(&line, &[], &marks)).join("\n");
        assert!(drawn.contains(" > 5% ") && drawn.contains('┊'), "{minutes}:\n{drawn}");
        let empty = picture(Charset::Unicode, 60, 9, alert(&[], &[], &marks)).join("\n");
        assert!(empty.contains("no data") && empty.contains('┊'), "{minutes}:\n{empty}");
    }
}

#[test]
fn an_alert_is_drawn_with_gap_threshold_and_firing_interval() {
    let values = errors();
    let line = [ChartLine { values: &values, role: Role::Series1, label: "errors" }];
    let shade = [(minute(-20), minute(-10))];
    let marks = [ChartMark { at: minute(-50), symbol: "d", role: Role::Accent }];
    let draw = |charset| picture(charset, 60, 9, alert(&line, &shade, &marks));
    assert_eq!(
        draw(Charset::Unicode),
        [
            "─ errors 1.00% min 1.00% max 12.0%",
            "    15%┤         ┊",
            "       │         ┊                    ⡶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⡆",
            "    10%┤         ┊                   ⢠⠇░░░░░░░░░░░⢳",
            "     5%┤┄ > 5% ┄┄┊┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄⢸┄┄┄┄┄┄┄┄┄┄┄┄⢸┄┄┄┄┄┄┄┄┄",
            "       │         ┊                   ⡼░░░░░░░░░░░░⠘⡆",
            "     0%┤⠶⠶⠶⠶⠶⠶⠶⠶ ┊       ⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠇░░░░░░░░░░░░░⠷⠶⠶⠶⠶⠶⠶⠶⠶",
            "       └┬────────d───────┬────────┬───────━━━━━━━━━━───────┬",
            "        01:00  01:10   01:20    01:30   01:40    01:50 02:00"
        ]
    );
    assert_eq!(
        draw(Charset::Ascii),
        [
            "* errors 1.00% min 1.00% max 12.0%",
            "    15%+         :",
            "       |         :                    *************",
            "    10%+         :                    *...........*",
            "     5%+- > 5% --:--------------------*------------*--------",
            "       |         :                   *.............*",
            "     0%+*********:       *************.............*********",
            "       ++--------d-------+--------+-------==========-------+",
            "        01:00  01:10   01:20    01:30   01:40    01:50 02:00"
        ]
    );
    let buf = drawn(60, 9, |area, buf| {
        with_cx(Charset::Unicode, |cx| {
            alert(&line, &shade, &[]).render(cx, area, buf);
        });
    });
    let shaded: Vec<u16> = (0..60).filter(|x| has_role(&buf, *x, 2, Role::Shade)).collect();
    assert_eq!((shaded.first(), shaded.last()), (Some(&42), Some(&51)));
}

#[test]
fn several_lines_are_told_apart_without_colour() {
    let (slow, fast) = ([0.4, 0.6, 0.5, 0.5], [0.1, 0.2, 0.1, 0.1]);
    let both = [
        ChartLine { values: &slow, role: Role::Series1, label: "p95" },
        ChartLine { values: &fast, role: Role::Series2, label: "p50" },
    ];
    let buf = drawn(40, 8, |area, buf| {
        without_colour(Charset::Unicode, |cx| {
            Chart::new(span(4), &both, ValueUnit::Seconds).render(cx, area, buf);
        });
    });
    assert_eq!(
        lines(&buf),
        [
            "* p95 500ms   + p50 100ms",
            "   1.0s┤",
            "       │",
            "   0.5s┤********************************",
            "       │     +++++++++++",
            "     0s┤+++++           ++++++++++++++++",
            "       └┬─────────┬──────────┬─────────┬",
            "        01:57   01:58      01:59   02:00"
        ]
    );
}

#[test]
fn absence_is_said_and_not_drawn() {
    let nothing = [GAP; 4];
    let line = [ChartLine { values: &nothing, role: Role::Series1, label: "rate" }];
    let shown = picture(Charset::Unicode, 40, 7, Chart::new(span(4), &line, ValueUnit::PerSecond));
    assert_eq!(
        shown,
        [
            "─ rate no data",
            "       │",
            "       │",
            "       │            no data",
            "       │",
            "       └┬─────────┬──────────┬─────────┬",
            "        01:57   01:58      01:59   02:00"
        ]
    );
    let endless = [f64::INFINITY; 4];
    let line = [ChartLine { values: &endless, role: Role::Series1, label: "" }];
    let shown = picture(Charset::Unicode, 40, 7, Chart::new(span(4), &line, ValueUnit::PerSecond));
    assert!(shown[3].contains("no finite values"), "{shown:?}");
    let stopped: Vec<f64> = (0..20).map(|i| if i < 10 { 1.0 } else { GAP }).collect();
    let line = [ChartLine { values: &stopped, role: Role::Series1, label: "rate" }];
    let shown = picture(Charset::Unicode, 40, 7, Chart::new(span(20), &line, ValueUnit::PerSecond));
    assert_eq!(shown[0], "─ rate no data since 01:50 max 1/s");
}

#[test]
fn a_threshold_far_off_is_pointed_at_and_does_not_flatten_the_line() {
    let values = [0.001, 0.002, 0.001, 0.002];
    let line = [ChartLine { values: &values, role: Role::Series1, label: "errors" }];
    let chart = Chart { thresholds: &[(0.9, "> 90%")], ..Chart::new(span(4), &line, ValueUnit::Ratio) };
    let shown = picture(Charset::Ascii, 60, 8, chart);
    assert!(shown[1].contains("0.2%") && shown[1].contains("^ > 90%"), "{shown:?}");
}

#[test]
fn values_beyond_fixed_limits_stand_at_the_edge() {
    let values = [0.5, 5.0, f64::INFINITY, -3.0];
    let line = [ChartLine { values: &values, role: Role::Series1, label: "" }];
    let chart = Chart { limits: Some((0.0, 1.0)), ..Chart::new(span(4), &line, ValueUnit::Ratio) };
    let shown = picture(Charset::Ascii, 30, 8, chart);
    assert_eq!(
        shown,
        [
            "* -300% min -300% max 500%",
            "   100%+      *********",
            "       |  ****.........**",
            "    50%+**...............**",
            "       |...................**",
            "     0%+.....................*",
            "       +-------+-------------+",
            "             01:58       02:00"
        ]
    );
}

#[test]
fn small_heights_fall_back_to_a_sparkline() {
    let values = [0.0, 0.25, 0.5, 1.0];
    let line = [ChartLine { values: &values, role: Role::Series1, label: "saturation" }];
    let chart = Chart::new(span(4), &line, ValueUnit::Ratio);
    assert_eq!(picture(Charset::Unicode, 30, 2, chart)[0], "─ saturation 100% max 100%");
    assert_eq!(picture(Charset::Unicode, 4, 1, chart), ["▁▃▅▇"]);
}

#[test]
fn any_size_will_do() {
    let values = errors();
    let other: Vec<f64> = values.iter().map(|value| value * 2.0).collect();
    let both = [
        ChartLine { values: &values, role: Role::Series1, label: "errors" },
        ChartLine { values: &other, role: Role::Series2, label: "other" },
    ];
    let shade = [(minute(-20), minute(-10)), (minute(5), minute(-500))];
    let marks = [ChartMark { at: minute(-50), symbol: "d", role: Role::Accent }];
    sweep(|cx, area, buf| alert(&both, &shade, &marks).render(cx, area, buf));
    sweep(|cx, area, buf| Chart::new(span(4), &[], ValueUnit::Plain).render(cx, area, buf));
}

proptest! {
    #[test]
    fn any_numbers_will_do(
        values in prop::collection::vec(any::<f64>(), 0..80),
        threshold in any::<f64>(),
        limits in prop::option::of((any::<f64>(), any::<f64>())),
        (from, to) in (-200..200_i64, -200..200_i64),
        (width, height, zero_based) in (0..70_u16, 0..16_u16, any::<bool>()),
    ) {
        let line = [ChartLine { values: &values, role: Role::Series1, label: "x" }];
        let shade = [(minute(from), minute(to))];
        let marks = [ChartMark { at: minute(to), symbol: "d", role: Role::Accent }];
        for unit in [ValueUnit::Ratio, ValueUnit::PerSecond, ValueUnit::Seconds, ValueUnit::Times, ValueUnit::Plain] {
            let chart = Chart {
                thresholds: &[(threshold, "limit")],
                shade: &shade,
                marks: &marks,
                zero_based,
                limits,
                ..Chart::new(span(61), &line, unit)
            };
            picture(Charset::Unicode, width, height, chart);
        }
    }
}
