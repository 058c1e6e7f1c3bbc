//! A framed window over the screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget as _};

use super::display_settings::Cx;
use super::theme::Role;
use super::widgets::bar::panel;
use super::widgets::text::{self, StyledRun};

/// The area of a window of this size: centred horizontally, slightly above the middle.
pub(super) fn place(area: Rect, (width, height): (u16, u16)) -> Rect {
    // with fewer than five rows a panel has no border
    let (width, height) = (width.min(area.width), height.max(5).min(area.height.saturating_sub(2)));
    Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 3, width, height }
}

/// Clears a window in the middle of the screen, draws its border, and returns the area inside.
pub(super) fn window(cx: &Cx<'_>, title: &str, size: (u16, u16), buf: &mut Buffer) -> Rect {
    let area = place(buf.area, size);
    Clear.render(area, buf);
    buf.set_style(area, cx.style(Role::Text));
    panel(cx, title, true, area, buf)
}

/// Draws a window with as many lines of a text as fit, `top` of them scrolled away. Returns the last line inside, which is for
/// the keys, and the text about hidden lines.
pub(super) fn text_window(
    cx: &Cx<'_>,
    title: &str,
    width: u16,
    (lines, top): (&[Vec<StyledRun<'_>>], u16),
    buf: &mut Buffer,
) -> (Rect, Option<String>) {
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(3);
    let inner = window(cx, title, (width, height), buf);
    let room = Rect { height: inner.height.saturating_sub(1), ..inner };
    let top = usize::from(top).min(lines.len().saturating_sub(room.height.into()));
    for (y, line) in (room.top()..room.bottom()).zip(lines.iter().skip(top)) {
        text::runs(cx, line, Rect { x: room.x + 1, width: room.width.saturating_sub(2), y, height: 1 }, buf);
    }
    let last = Rect { y: inner.bottom().saturating_sub(1), height: inner.height.min(1), ..inner };
    (last, hidden_lines(cx, top, lines.len().saturating_sub(top + usize::from(room.height))))
}

/// The largest scroll position of such a window, in lines.
pub(super) fn last_top(lines: usize, terminal: (u16, u16)) -> u16 {
    u16::try_from(lines).unwrap_or(u16::MAX).saturating_sub(terminal.1.saturating_sub(5))
}

/// How many lines are scrolled away above and below, as in `↑ 2  ↓ 12 more lines`; `None` if there are none.
pub(super) fn hidden_lines(cx: &Cx<'_>, above: usize, below: usize) -> Option<String> {
    let sides = [("↑", "^", above), ("↓", "v", below)];
    let shown = sides.iter().filter(|(.., count)| *count > 0);
    let texts: Vec<_> =
        shown.map(|(arrow, ascii, count)| format!("{} {count}", cx.charset.pick(arrow, ascii))).collect();
    (!texts.is_empty()).then(|| format!("{} more lines", texts.join("  ")))
}

/// Writes about hidden lines into the lower border of a window.
pub(super) fn on_border(cx: &Cx<'_>, hidden: Option<String>, inner: Rect, buf: &mut Buffer) {
    let words = hidden.map(|hidden| format!(" {hidden} (arrows) ")).unwrap_or_default();
    text::right(buf, inner.x, inner.bottom(), inner.width, &words, cx.style(Role::Key));
}
