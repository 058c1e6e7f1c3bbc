use proptest::prelude::*;

use super::*;
use crate::app::display_settings::Charset;
use crate::app::widgets::probe::{drawn, has_role, lines, sweep, with_cx, without_colour};

fn columns() -> Vec<Column<'static>> {
    vec![
        ("", Size::words(1, 1, 0)),
        ("SERVICE", Size::words(8, 24, 0)),
        ("RATE", Size::numbers(7, 1)),
        ("ERRORS", Size::numbers(7, 1)),
        ("TREND", Size::words(6, 12, 3)),
        ("REASON", Size::words(10, 80, 2)),
    ]
}

const TREND: [f64; 6] = [0.0, 1.0, f64::NAN, 2.0, 3.0, 4.0];

fn rows(cx: &Cx<'_>) -> Vec<Row<'static>> {
    let service = |role, name, rate, errors, reason| {
        Row::new(vec![
            Cell::symbol(cx, role),
            Cell::text(name, Role::Text),
            Cell::text(rate, Role::Text),
            Cell::text(errors, role),
            Cell::Spark(Sparkline { values: &TREND, max: None, role: Role::Series1 }),
            Cell::Runs(vec![StyledRun::new(reason, role)]),
        ])
    };
    let mut critical =
        service(Role::Critical, "checkout", "1.2k/s", "12.3%", "CheckoutErrorBudgetBurn firing and 2 more");
    critical.new = true;
    let mut marked = service(Role::Healthy, "recommendation-東京", "640/s", "0%", "");
    marked.marked = true;
    marked.new = true;
    let mut old = service(Role::Unknown, "cart", "12345678/s", "-", "no data any more");
    old.over = Some(Role::Stale);
    vec![
        Row::heading(vec![
            StyledRun::new("prod-eu", Role::Title),
            StyledRun::new("  3 services", Role::Muted),
        ]),
        critical,
        marked,
        old,
    ]
}

fn draw(table: Table<'_>, charset: Charset, width: u16, height: u16) -> Buffer {
    drawn(width, height, |area, buf| with_cx(charset, |cx| render(&table, rows(cx), cx, area, buf)))
}

fn services<'a>(columns: &'a [Column<'a>]) -> Table<'a> {
    Table { columns, sort: Some(Sort { column: 3, descending: true }), selected: Some(1), focused: true }
}

#[test]
fn a_table_shows_signs_numbers_and_shapes() {
    let columns = columns();
    let buf = draw(services(&columns), Charset::Unicode, 80, 5);
    assert_eq!(
        lines(&buf),
        [
            "      SERVICE                 RATE  ERRORS▼  TREND         REASON",
            "   prod-eu  3 services",
            "▌• ●  checkout              1.2k/s    12.3%        ▁▃ ▅▆▇  CheckoutErrorBudgetB…",
            " ◆•✓  recommendation-東京    640/s       0%        ▁▃ ▅▆▇",
            "   ?  cart                 #######        -        ▁▃ ▅▆▇  no data any more",
        ]
    );
    for x in 0..80 {
        assert!(has_role(&buf, x, 2, Role::Selected), "the current row is lit over its whole width: {x}");
    }
    assert!(has_role(&buf, 6, 4, Role::Stale) && !has_role(&buf, 6, 3, Role::Stale));
}

#[test]
fn everything_is_there_in_ascii_and_without_colour() {
    let columns = columns();
    let buf = drawn(80, 5, |area, buf| {
        without_colour(Charset::Ascii, |cx| render(&services(&columns), rows(cx), cx, area, buf));
    });
    let picture = lines(&buf);
    assert_eq!(picture[0], "      SERVICE                 RATE  ERRORSv  TREND         REASON");
    assert_eq!(
        picture[2],
        ">+ C  checkout              1.2k/s    12.3%        _- =*#  CheckoutErrorBudgetB~"
    );
    assert!(picture[3].starts_with(" *+.  rec"));
}

#[test]
fn a_table_without_the_focus_only_hints_at_its_row() {
    let columns = columns();
    let buf = draw(Table { focused: false, ..services(&columns) }, Charset::Unicode, 80, 5);
    assert!(lines(&buf)[2].starts_with("▏• ●"));
    assert!(!has_role(&buf, 0, 2, Role::Selected));
}

#[test]
fn columns_are_left_out_whole_and_the_least_important_first() {
    let columns = columns();
    let kept = |width| -> Vec<usize> { layout(&columns, width).iter().map(|slot| slot.column).collect() };
    assert_eq!(kept(120), [0, 1, 2, 3, 4, 5]);
    assert_eq!(kept(40), [0, 1, 2, 3, 5]);
    assert_eq!(kept(36), [0, 1, 2, 3]);
    assert_eq!(kept(25), [0, 1, 2]);
    assert_eq!(kept(14), [0, 1]);
    assert_eq!(kept(5), [0]);
    assert_eq!(kept(1), Vec::<usize>::new());
}

#[test]
fn growing_columns_share_what_is_over() {
    assert_eq!(grow(&[(5, 5), (5, 10), (5, 100)], 20), [5, 10, 20]);
    assert_eq!(grow(&[(5, 9), (5, 9)], 3), [7, 6]);
    assert_eq!(grow(&[], 7), Vec::<u16>::new());
}

#[test]
fn on_one_row_the_row_comes_before_the_header() {
    let area = Rect::new(3, 4, 10, 1);
    assert_eq!(body(area), area);
    assert_eq!(body(Rect { height: 5, ..area }), Rect::new(3, 5, 10, 4));
}

#[test]
fn any_size_will_do() {
    let columns = columns();
    sweep(|cx, area, buf| {
        // the wide characters of the fixture are data: the sweep checks the widget's own characters
        let ascii = rows(cx).into_iter().enumerate().filter(|(i, _)| *i != 2).map(|(_, row)| row);
        render(&services(&columns), ascii, cx, area, buf);
    });
}

proptest! {
    #[test]
    fn columns_never_overlap_nor_leave_the_table(
        bounds in prop::collection::vec((0..40_u16, 0..200_u16, any::<u8>()), 0..20),
        width in 0..300_u16,
    ) {
        let columns: Vec<_> =
            bounds.iter().map(|(min, max, priority)| ("x", Size::words(*min, *max, *priority))).collect();
        let slots = layout(&columns, width);
        for pair in slots.windows(2) {
            prop_assert!(pair[0].x + pair[0].width < pair[1].x && pair[0].column < pair[1].column);
        }
        for slot in &slots {
            prop_assert!(slot.x + slot.width <= width);
            let (_, size) = &columns[slot.column];
            prop_assert!(slot.width <= size.max && (slot.width >= size.min || slots.len() == 1));
        }
    }
}
