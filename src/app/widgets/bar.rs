//! A gauge for a ratio, and the border of a panel.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::text;
use crate::app::display_settings::{Charset, Cx};
use crate::app::theme::Role;

const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// A ratio drawn as a bar from the left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gauge {
    /// The ratio, 0 to 1. A value outside is shown as an overflow at that end, NaN as unknown.
    pub share: f64,
    /// The role of the filled part.
    pub role: Role,
}

impl Gauge {
    /// Draws the gauge over all rows of `area`. It is completely full or empty only for exactly 1 or 0.
    pub fn render(&self, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
        if area.is_empty() {
            return;
        }
        let (bar, track) = self.cells(cx.charset, area.width);
        for y in area.top()..area.bottom() {
            if self.share.is_nan() {
                text::put(buf, area.x, y, area.width, "?", cx.style(Role::Unknown));
                continue;
            }
            let used = text::put(buf, area.x, y, area.width, &bar, cx.style(self.role));
            let x = area.x.saturating_add(used);
            text::put(buf, x, y, area.width - used, &track, cx.style(Role::Border));
        }
    }

    /// The filled part and the rest, as characters.
    fn cells(&self, charset: Charset, width: u16) -> (String, String) {
        let cells = usize::from(width);
        if self.share > 1.0 {
            let full = charset.pick("█", "#").repeat(cells - 1);
            return (format!("{full}{}", charset.pick("▶", ">")), String::new());
        }
        let track = charset.pick("·", ".");
        if self.share < 0.0 {
            return (charset.pick("◀", "<").to_owned(), track.repeat(cells - 1));
        }
        let all = cells * 8;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of the cells")]
        let exact = (self.share * all as f64) as usize;
        let eighths = if self.share > 0.0 { exact.clamp(1, all) } else { 0 };
        let mut bar = charset.pick("█", "#").repeat(eighths / 8);
        let part = eighths % 8;
        bar.push_str(match charset {
            Charset::Unicode => EIGHTHS.get(part).copied().unwrap_or_default(),
            Charset::Ascii if part == 0 => "",
            Charset::Ascii if part < 4 => "-",
            Charset::Ascii => "=",
        });
        (bar, track.repeat(cells - (eighths / 8) - usize::from(part > 0)))
    }
}

/// Draws a panel and returns the area inside: with a border and the title in it; at small heights with a title line only; in one
/// row with nothing. The focused panel has a different border, not only a different colour.
pub fn panel(cx: &Cx<'_>, title: &str, focused: bool, area: Rect, buf: &mut Buffer) -> Rect {
    let area = area.intersection(buf.area);
    if area.height < 2 || area.width < 2 {
        return area;
    }
    let role = if focused { Role::Accent } else { Role::Border };
    let heading = if focused { Role::Accent } else { Role::Title };
    if area.height < 5 || area.width < 10 {
        let sign = if focused { cx.charset.pick("▸ ", "> ") } else { "" };
        let runs = [text::StyledRun::new(sign, role), text::StyledRun::new(title, heading)];
        text::runs(cx, &runs, Rect { height: 1, ..area }, buf);
        return Rect { y: area.y + 1, height: area.height - 1, ..area };
    }
    let [top_left, across, top_right, down, bottom_left, bottom_right] = match (cx.charset, focused) {
        (Charset::Unicode, false) => ["╭", "─", "╮", "│", "╰", "╯"],
        (Charset::Unicode, true) => ["┏", "━", "┓", "┃", "┗", "┛"],
        (Charset::Ascii, false) => ["+", "-", "+", "|", "+", "+"],
        (Charset::Ascii, true) => ["#", "=", "#", "#", "#", "#"],
    };
    let style = cx.style(role);
    let inner = area.width - 2;
    let line = across.repeat(usize::from(inner));
    let (last_x, last_y) = (area.right() - 1, area.bottom() - 1);
    for (y, left, right) in [(area.y, top_left, top_right), (last_y, bottom_left, bottom_right)] {
        text::put(buf, area.x, y, 1, left, style);
        text::put(buf, area.x + 1, y, inner, &line, style);
        text::put(buf, last_x, y, 1, right, style);
    }
    for y in area.y + 1..last_y {
        text::put(buf, area.x, y, 1, down, style);
        text::put(buf, last_x, y, 1, down, style);
    }
    if !title.is_empty() {
        let shown = format!(" {} ", text::fit(title, inner.saturating_sub(4), cx.charset));
        text::put(buf, area.x + 2, area.y, inner.saturating_sub(2), &shown, cx.style(heading));
    }
    Rect { x: area.x + 1, y: area.y + 1, width: inner, height: area.height - 2 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::app::widgets::probe::{drawn, has_role, lines, sweep, with_cx};

    fn gauge(charset: Charset, share: f64) -> String {
        let buf = drawn(8, 1, |area, buf| {
            with_cx(charset, |cx| Gauge { share, role: Role::Healthy }.render(cx, area, buf));
        });
        lines(&buf).remove(0)
    }

    #[test]
    fn a_gauge_is_full_or_empty_only_when_that_is_true() {
        for (share, unicode, ascii) in [
            (0.0, "········", "........"),
            (0.000_01, "▏·······", "-......."),
            (0.5, "████····", "####...."),
            (0.57, "████▌···", "####=..."),
            (0.9999, "███████▉", "#######="),
            (1.0, "████████", "########"),
            (1.2, "███████▶", "#######>"),
            (f64::INFINITY, "███████▶", "#######>"),
            (-0.3, "◀·······", "<......."),
            (f64::NAN, "?", "?"),
        ] {
            assert_eq!(gauge(Charset::Unicode, share), unicode, "{share}");
            assert_eq!(gauge(Charset::Ascii, share), ascii, "{share}");
        }
    }

    #[test]
    fn a_panel_has_its_title_in_the_border_and_says_what_room_is_left() {
        let draw = |charset, focused, height| {
            let mut room = Rect::ZERO;
            let buf = drawn(14, height, |area, buf| {
                room = with_cx(charset, |cx| panel(cx, "Firing alerts", focused, area, buf));
            });
            (lines(&buf), room, buf)
        };
        let (picture, room, _) = draw(Charset::Unicode, false, 5);
        assert_eq!(picture[0], "╭─ Firing … ─╮");
        assert_eq!(picture[4], "╰────────────╯");
        assert_eq!(room, Rect::new(1, 1, 12, 3));
        let (picture, _, buf) = draw(Charset::Ascii, true, 5);
        assert_eq!(picture[0], "#= Firing ~ =#");
        assert!(has_role(&buf, 0, 0, Role::Accent));
        let (picture, room, _) = draw(Charset::Unicode, true, 3);
        assert_eq!((picture[0].as_str(), room), ("▸ Firing aler…", Rect::new(0, 1, 14, 2)));
        assert_eq!(draw(Charset::Unicode, true, 1).1, Rect::new(0, 0, 14, 1));
    }

    #[test]
    fn any_size_will_do() {
        sweep(|cx, area, buf| Gauge { share: 0.42, role: Role::Healthy }.render(cx, area, buf));
        for focused in [true, false] {
            sweep(|cx, area, buf| {
                let room = panel(cx, "A panel", focused, area, buf);
                assert_eq!(room.intersection(area), room);
            });
        }
    }

    proptest! {
        #[test]
        fn any_share_fills_exactly_its_width(share in any::<f64>(), width in 1..50_u16) {
            let (bar, track) = Gauge { share, role: Role::Healthy }.cells(Charset::Unicode, width);
            prop_assert!(share.is_nan() || text::width(&bar) + text::width(&track) == width);
        }
    }
}
