//! Areas, legends, cursor, zoom, logarithmic scale, stacking.

use ratatui::style::Color;

use super::*;
use crate::app::display_settings::Colours;
use crate::app::theme::Theme;

/// A theme with colours that can be mixed: white text on black; series in red, green, blue.
fn colourful() -> Theme {
    let inks = [(Role::Series1, (200, 0, 0)), (Role::Series2, (0, 200, 0)), (Role::Text, (255, 255, 255))];
    let grounds = [(Role::Text, (0, 0, 0)), (Role::Shade, (0, 0, 100))];
    let full = |role: Role| {
        let of = |all: &[(Role, (u8, u8, u8))]| {
            let found = all.iter().find(|(known, _)| *known == role);
            found.map(|(_, (r, g, b))| Color::Rgb(*r, *g, *b))
        };
        Style { fg: of(&inks).or(Some(Color::Rgb(100, 100, 100))), bg: of(&grounds), ..Style::new() }
    };
    Theme::new("colourful", full).reduced(Colours::True)
}

fn coloured(width: u16, height: u16, chart: Chart<'_>) -> Buffer {
    let theme = colourful();
    drawn(width, height, |area, buf| {
        with_cx(Charset::Unicode, |cx| chart.render(&Cx { theme: &theme, ..*cx }, area, buf));
    })
}

/// For each row of a column, which channels its background has, from the top: `r`, `g`, `b`, or `.` for none.
fn grounds(buf: &Buffer, x: u16, rows: std::ops::Range<u16>) -> String {
    let ground = |y| match buf[(x, y)].bg {
        Color::Rgb(r, g, b) => {
            let channels = [(r, 'r'), (g, 'g'), (b, 'b')];
            channels.into_iter().filter(|(share, _)| *share > 0).map(|(_, name)| name).collect::<String>()
        }
        _ => ".".to_owned(),
    };
    rows.map(ground).collect::<Vec<_>>().join(" ")
}

fn pair<'a>(one: &'a [f64], other: &'a [f64]) -> [ChartLine<'a>; 2] {
    [
        ChartLine { values: one, role: Role::Series1, label: "one" },
        ChartLine { values: other, role: Role::Series2, label: "other" },
    ]
}

fn viewed<'a>(lines: &'a [ChartLine<'a>], points: u16, view: ChartView) -> Chart<'a> {
    Chart { view, ..Chart::new(span(points), lines, ValueUnit::PerSecond) }
}

#[test]
fn areas_reach_from_their_line_to_the_bottom_and_the_upper_line_has_what_is_between() {
    let (high, low) = ([8.0; 4], [4.0; 4]);
    let lines = pair(&low, &high);
    let shade = [(minute(-1), minute(0))];
    let limits = Some((0.0, 10.0));
    let chart = Chart { limits, shade: &shade, ..Chart::new(span(4), &lines, ValueUnit::PerSecond) };
    let buf = coloured(32, 13, chart);
    // the plot has ten rows
    assert_eq!(grounds(&buf, 9, 1..11), ". . g g g g r r r r");
    assert_eq!(grounds(&buf, 30, 1..11), "b b gb gb gb gb rb rb rb rb");
    let reds: Vec<u8> =
        (7..11).filter_map(|y| if let Color::Rgb(r, ..) = buf[(9, y)].bg { Some(r) } else { None }).collect();
    assert!(reds.is_sorted_by(|a, b| a >= b) && reds[0] > reds[3], "it fades downwards: {reds:?}");
    // many lines have no areas, and no amount is filled below zero
    let four = [lines[0], lines[1], lines[0], lines[1]];
    let buf = coloured(32, 13, Chart { limits, ..Chart::new(span(4), &four, ValueUnit::PerSecond) });
    assert_eq!(grounds(&buf, 9, 1..11), ". . . . . . . . . .");
    let negative = [-4.0; 4];
    let line = [ChartLine { values: &negative, role: Role::Series1, label: "" }];
    let buf = coloured(32, 13, Chart::new(span(4), &line, ValueUnit::PerSecond));
    assert_eq!(grounds(&buf, 9, 1..11), ". . . . . . . . . .");
}

#[test]
fn an_area_has_the_gaps_of_its_line() {
    let values = [8.0, 8.0, GAP, GAP, GAP, GAP, 8.0, 8.0];
    let line = [ChartLine { values: &values, role: Role::Series1, label: "" }];
    let buf = coloured(32, 8, Chart::new(span(8), &line, ValueUnit::PerSecond));
    let bottom: Vec<bool> = (8..32).map(|x| grounds(&buf, x, 5..6) == "r").collect();
    let filled: Vec<usize> = (0..24).filter(|x| bottom[*x]).collect();
    assert_eq!(filled, [0, 1, 2, 3, 20, 21, 22, 23]);
}

#[test]
fn a_legend_is_a_table_where_there_is_room() {
    let (one, other) = ([100.0, 300.0, 200.0, 250.0], [GAP, 1.0, 2.0, 1500.0]);
    let lines = pair(&one, &other);
    let chart = viewed(&lines, 4, ChartView::default());
    let head = |width: u16| picture(Charset::Unicode, width, 16, chart)[..3].to_vec();
    assert_eq!(
        head(44),
        [
            "            last      max      min",
            "─ one      250/s    300/s    100/s",
            "─ other  1.5k/s  1.5k/s      1/s"
        ]
        .map(|row| row.replace("  1.5k/s  1.5k/s      1/s", "   1.5k/s   1.5k/s      1/s"))
    );
    // series beside each other: first without their lowest values, then with their last ones alone
    assert_eq!(head(76)[1], "─ one      250/s    300/s    100/s   ─ other   1.5k/s   1.5k/s      1/s");
    assert_eq!(head(25)[1], "─ one      250/s    300/s");
    assert_eq!(head(17)[1], "─ one      250/s");
    // in one line
    let line = |width: u16| picture(Charset::Unicode, width, 8, chart)[0].clone();
    assert_eq!(line(80), "─ one 250/s min 100/s max 300/s   ─ other 1.5k/s min 1/s max 1.5k/s");
    assert_eq!(line(60), "─ one 250/s max 300/s   ─ other 1.5k/s max 1.5k/s");
    assert_eq!(line(34), "─ one 250/s   ─ other 1.5k/s");
    assert_eq!(line(24), "─ one 250/s   +1");
}

#[test]
fn the_cursor_shows_all_values_of_its_time() {
    let (one, other) = ([1.0, 3.0, 2.0, 4.0], [4.0, GAP, 2.5, 1.0]);
    let lines = pair(&one, &other);
    let at = |minutes: i64| ChartView { cursor: Some(minute(minutes)), ..ChartView::default() };
    assert_eq!(
        picture(Charset::Ascii, 48, 9, viewed(&lines, 4, at(-1))),
        [
            "01:59:00   * one 2/s   + other 2.5/s",
            "    4/s++                         |          ***",
            "       |           ******         |      ****",
            "       |       ****      ******   O++****",
            "    2/s+   ****                ***O** ++++++",
            "       |***                       |         ++++",
            "    0/s+                          |",
            "       ++------------+------------+------------+",
            "        01:57      01:58      01:59:00     02:00"
        ]
    );
    let head = |minutes| picture(Charset::Unicode, 48, 9, viewed(&lines, 4, at(minutes)))[0].clone();
    assert_eq!(head(-2), "01:58:00   ─ one 3/s   ─ other no data");
    // outside of the shown time there is none
    assert_eq!(head(-200), "─ one 4/s max 4/s   ─ other 1/s max 4/s");
}

#[test]
fn a_part_of_the_time_fills_the_chart_and_its_bounds_are_those_of_the_part() {
    let values: Vec<f64> = (0..61).map(f64::from).collect();
    let line = [ChartLine { values: &values, role: Role::Series1, label: "" }];
    let view = ChartView { part: Some((minute(-10), minute(-5))), ..ChartView::default() };
    let chart = Chart { zero_based: false, ..viewed(&line, 61, view) };
    let shown = picture(Charset::Ascii, 40, 8, chart);
    assert_eq!(shown[0], "* 55/s min 50/s max 55/s");
    assert!(shown[7].contains("01:52") && !shown[7].contains("01:56"), "{shown:?}");
    assert!(shown[1].ends_with('*') && shown[5].contains("+*"), "{shown:?}");
}

#[test]
fn a_logarithmic_scale_says_what_it_cannot_show() {
    let values = [1.0, 10.0, 100.0, 1000.0];
    let line = [ChartLine { values: &values, role: Role::Series1, label: "" }];
    let log = ChartView { is_logarithmic: true, ..ChartView::default() };
    assert_eq!(
        picture(Charset::Ascii, 40, 10, viewed(&line, 4, log)),
        [
            "* 1k/s min 1/s max 1k/s   log scale",
            "   1k/s+                             ***",
            "       |                        *****...",
            "  100/s+                   *****........",
            "       |             ******.............",
            "   10/s+        *****...................",
            "       |   *****........................",
            "    1/s+***.............................",
            "       ++---------+----------+---------+",
            "        01:57   01:58      01:59   02:00"
        ]
    );
    let values = [0.0, -3.0, 100.0, 1000.0];
    let line = [ChartLine { values: &values, role: Role::Series1, label: "" }];
    let head = picture(Charset::Ascii, 60, 10, viewed(&line, 4, log))[0].clone();
    assert!(head.ends_with("log scale, 2 values of 0 or less at the bottom"), "{head}");
    let values = [0.0, -3.0];
    let line = [ChartLine { values: &values, role: Role::Series1, label: "" }];
    let head = picture(Charset::Ascii, 70, 10, viewed(&line, 2, log))[0].clone();
    assert!(head.ends_with("no value above 0, so no log scale"), "{head}");
}

#[test]
fn stacked_series_are_areas_on_top_of_each_other() {
    let (one, other) = ([1.0, 1.0, 1.0, GAP], [1.0, 3.0, GAP, GAP]);
    let lines = pair(&one, &other);
    let stacked = |stacking| viewed(&lines, 4, ChartView { stacking, ..ChartView::default() });
    let shown = picture(Charset::Ascii, 41, 8, stacked(Stacking::Sums));
    assert_eq!(
        shown[1..6].to_vec(),
        [
            "    4/s+         ++++",
            "       |   +++++++++++++",
            "    2/s+++++++++++++++++++++",
            "       |**********************",
            "    0/s+**********************"
        ]
    );
    let shown = picture(Charset::Ascii, 60, 8, stacked(Stacking::Shares));
    assert_eq!(shown[0], "* one 100% max 100%   + other 75.0% max 75.0%");
    assert!(shown[1].starts_with("   100%+"), "{shown:?}");
    // the cursor has the share of each, without those before it
    let view = ChartView { stacking: Stacking::Shares, cursor: Some(minute(-2)), ..ChartView::default() };
    let shown = picture(Charset::Ascii, 40, 8, viewed(&lines, 4, view));
    assert_eq!(shown[0], "01:58:00   * one 25.0%   + other 75.0%");
    // times cannot be added
    let chart = Chart { adds_up: false, ..stacked(Stacking::Sums) };
    assert!(picture(Charset::Ascii, 70, 8, chart)[0].ends_with("not stacked: no parts of a sum"));
    let below = [-1.0; 4];
    let lines = pair(&one, &below);
    let chart = viewed(&lines, 4, ChartView { stacking: Stacking::Sums, ..ChartView::default() });
    assert!(picture(Charset::Ascii, 80, 8, chart)[0].ends_with("not stacked: negative values"));
}

#[test]
fn marks_of_one_column_are_beside_each_other_and_many_have_no_lines() {
    let values = [0.0; 61];
    let line = [ChartLine { values: &values, role: Role::Series1, label: "" }];
    let numbered = |count: usize, every: i64| -> Vec<ChartMark<'static>> {
        let mark = |i: usize| {
            let at = minute(-30 + every * i64::try_from(i).unwrap());
            ChartMark { at, symbol: ChartMark::number(i), role: Role::Accent }
        };
        (0..count).map(mark).collect()
    };
    let shown = |marks: &[ChartMark<'_>]| {
        let chart = Chart { marks, ..Chart::new(span(61), &line, ValueUnit::PerSecond) };
        picture(Charset::Ascii, 69, 8, chart)
    };
    let one_place = shown(&numbered(3, 0));
    assert!(one_place[6].contains("312"), "{one_place:?}");
    assert_eq!(one_place[2].matches(':').count(), 1, "{one_place:?}");
    let many = shown(&numbered(20, 1));
    assert!(many[6].contains('k') && !many[2].contains(':'), "{many:?}");
    assert_eq!([0, 8, 9, 34, 35].map(ChartMark::number), ["1", "9", "a", "z", "+"]);
}

#[test]
fn lines_are_drawn_with_what_the_terminal_has() {
    let values = [0.0, 1.0];
    let line = [ChartLine { values: &values, role: Role::Series1, label: "" }];
    let shown = |chart_symbols| {
        let draw = |area, buf: &mut Buffer| {
            with_cx(Charset::Unicode, |cx| {
                let cx = Cx { chart_symbols, ..*cx };
                Chart::new(span(2), &line, ValueUnit::PerSecond).render(&cx, area, buf);
            });
        };
        lines(&drawn(12, 5, draw))[..3].concat()
    };
    let has = |text: &str, from: char, to: char| text.chars().any(|c| (from..=to).contains(&c));
    assert!(has(&shown(ChartSymbols::Octant), '\u{1cd00}', '\u{1cde5}'));
    assert!(has(&shown(ChartSymbols::Braille), '\u{2801}', '\u{28ff}'));
    assert!(has(&shown(ChartSymbols::Half), '▀', '█'));
    assert!(shown(ChartSymbols::Ascii).contains('*'));
}

proptest! {
    /// Whatever the user does with whatever values, nothing panics, in any size from nothing up.
    #[test]
    fn any_view_of_any_numbers_will_do(
        one in prop::collection::vec(any::<f64>(), 0..70), other in prop::collection::vec(any::<f64>(), 0..70),
        part in prop::option::of((-90..30_i64, -90..30_i64)), cursor in prop::option::of(-90..30_i64),
        (is_logarithmic, stacking) in (any::<bool>(), 0..3_usize), (width, height) in (0..70_u16, 0..24_u16),
        symbols in 0..4_usize,
    ) {
        let lines = pair(&one, &other);
        let part = part.map(|(from, to)| (minute(from), minute(to)));
        let stacking = [Stacking::Off, Stacking::Sums, Stacking::Shares][stacking];
        let view = ChartView { part, cursor: cursor.map(minute), is_logarithmic, stacking };
        let marks = [ChartMark { at: minute(-50), symbol: "d", role: Role::Accent }];
        let chart = Chart { marks: &marks, thresholds: &[(0.5, "limit")], ..viewed(&lines, 61, view) };
        let all = [ChartSymbols::Octant, ChartSymbols::Braille, ChartSymbols::Half, ChartSymbols::Ascii];
        drawn(width, height, |area, buf| {
            with_cx(Charset::Unicode, |cx| chart.render(&Cx { chart_symbols: all[symbols], ..*cx }, area, buf));
        });
    }

    /// On every scale, a larger value is never drawn lower.
    #[test]
    fn a_larger_value_is_never_lower(
        a in -1e6..1e6_f64, b in -1e6..1e6_f64, others in prop::collection::vec(-1e6..1e6_f64, 1..5),
        is_logarithmic in any::<bool>(), height in 6..24_u16,
    ) {
        let mut values = vec![a.min(b), GAP, a.max(b), GAP];
        values.extend(others);
        let line = [ChartLine { values: &values, role: Role::Series1, label: "" }];
        let view = ChartView { is_logarithmic, ..ChartView::default() };
        let width = 8 + 2 * u16::try_from(values.len()).unwrap() - 1;
        let chart = viewed(&line, u16::try_from(values.len()).unwrap(), view);
        let shown = picture(Charset::Ascii, width.max(24), height, chart);
        let plot = width.max(24) - 8;
        let column = |i: usize| 8 + usize::from(crate::app::widgets::axis::cell(i as f64 / (values.len() - 1) as f64, plot - 1));
        let row = |i: usize| shown.iter().skip(1).position(|row| row.chars().nth(column(i)) == Some('*')).unwrap();
        prop_assert!(row(2) <= row(0), "{values:?}\n{}", shown.join("\n"));
    }

    /// The labels of the time axis are whole and apart, wherever the cursor is.
    #[test]
    fn labels_of_times_never_overlap(cursor in -70..10_i64, width in 24..120_u16, seconds in 0..60_i64) {
        let values = [1.0; 61];
        let line = [ChartLine { values: &values, role: Role::Series1, label: "" }];
        let at = Timestamp::from_second(NOW + cursor * 60 + seconds).unwrap();
        let view = ChartView { cursor: Some(at), ..ChartView::default() };
        let shown = picture(Charset::Ascii, width, 8, viewed(&line, 61, view));
        let labels: Vec<&str> = shown[7].split_whitespace().collect();
        let is_time = |label: &&str| label.parse::<jiff::civil::Time>().is_ok() && (label.len() == 5 || label.len() == 8);
        prop_assert!(labels.iter().all(is_time), "{labels:?}");
        let is_inside = (NOW - 3600..=NOW).contains(&at.as_second());
        prop_assert_eq!(labels.iter().filter(|label| label.len() == 8).count(), usize::from(is_inside));
    }
}
