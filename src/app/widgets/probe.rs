//! Helpers for the tests of widgets: a drawing context, and reading a buffer back as text.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use crate::app::display_settings::{Charset, ChartSymbols, Colours, Cx};
use crate::app::theme::{Role, Theme};

/// 2026-03-14 02:00:00 UTC.
pub(super) const NOW: i64 = 1_773_453_600;

/// Calls `draw` with a context in this charset.
pub(super) fn with_cx<T>(charset: Charset, draw: impl FnOnce(&Cx<'_>) -> T) -> T {
    themed(&Theme::probe(), charset, draw)
}

/// As [`with_cx`], as on a terminal without colours.
pub(super) fn without_colour<T>(charset: Charset, draw: impl FnOnce(&Cx<'_>) -> T) -> T {
    themed(&Theme::probe().reduced(Colours::None), charset, draw)
}

fn themed<T>(theme: &Theme, charset: Charset, draw: impl FnOnce(&Cx<'_>) -> T) -> T {
    let now = Timestamp::from_second(NOW).unwrap();
    let chart_symbols = ChartSymbols::Braille;
    draw(&Cx { theme, charset, chart_symbols, now, zone: &TimeZone::UTC, is_slow_link: false })
}

/// Draws into an empty buffer of this size.
pub(super) fn drawn(width: u16, height: u16, draw: impl FnOnce(Rect, &mut Buffer)) -> Buffer {
    let area = Rect::new(0, 0, width, height);
    let mut buf = Buffer::empty(area);
    draw(area, &mut buf);
    buf
}

/// The buffer's rows as text, without blanks at their ends.
pub(in crate::app) fn lines(buf: &Buffer) -> Vec<String> {
    let area = buf.area;
    (area.top()..area.bottom())
        .map(|y| {
            let mut line = String::new();
            let mut hidden = 0;
            for x in area.left()..area.right() {
                if hidden == 0 {
                    line.push_str(buf[(x, y)].symbol());
                    hidden = buf[(x, y)].symbol().width();
                }
                hidden = hidden.saturating_sub(1);
            }
            line.trim_end().to_owned()
        })
        .collect()
}

/// Whether a cell has the foreground or background that the probe theme gives this role.
pub(super) fn has_role(buf: &Buffer, x: u16, y: u16, role: Role) -> bool {
    let want = Theme::probe().style(role);
    let cell = buf[(x, y)].style();
    want.fg.is_none_or(|fg| cell.fg == Some(fg)) && want.bg.is_none_or(|bg| cell.bg == Some(bg))
}

/// Draws in every size up to 40x12, in both charsets, with and without colours, inside a larger buffer, at its edge and partly
/// outside of it. Cells outside of the area must stay unchanged.
pub(super) fn sweep(draw: impl Fn(&Cx<'_>, Rect, &mut Buffer)) {
    for charset in [Charset::Unicode, Charset::Ascii] {
        for (width, height) in (0..=40).flat_map(|w| (0..=12).map(move |h| (w, h))) {
            let area = Rect::new(2, 1, width, height);
            let mut buf = Buffer::empty(Rect::new(0, 0, width + 4, height + 2));
            with_cx(charset, |cx| draw(cx, area, &mut buf));
            for position in buf.area.positions().filter(|position| !area.contains(*position)) {
                assert_eq!(buf[position].symbol(), " ", "{width}x{height} leaks to {position}");
            }
            if charset == Charset::Ascii {
                let text: String = buf.content.iter().map(ratatui::buffer::Cell::symbol).collect();
                assert!(text.is_ascii(), "{width}x{height} {text}");
            }
            let mut small = Buffer::empty(Rect::new(5, 3, 9, 4));
            without_colour(charset, |cx| draw(cx, area, &mut small));
        }
    }
}
