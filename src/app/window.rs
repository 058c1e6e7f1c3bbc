//! A framed window over the screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::display_settings::Cx;
use super::theme::Role;
use super::widgets::bar::panel;

/// The area of a window of this size: centred horizontally, slightly above the middle.
pub(super) fn place(area: Rect, (width, height): (u16, u16)) -> Rect {
    // with fewer than five rows a panel has no border
    let (width, height) = (width.min(area.width), height.max(5).min(area.height.saturating_sub(2)));
    Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 3, width, height }
}

/// Clears a window in the middle of the screen, draws its border, and returns the area inside.
pub(super) fn window(cx: &Cx<'_>, title: &str, size: (u16, u16), buf: &mut Buffer) -> Rect {
    let area = place(buf.area, size);
    for y in area.top()..area.bottom() {
        for x in area.left()..area.right() {
            if let Some(cell) = buf.cell_mut((x, y)) {
                cell.reset();
                cell.set_style(cx.style(Role::Text));
            }
        }
    }
    panel(cx, title, true, area, buf)
}

/// How many lines are scrolled away above and below, as in `↑ 2  ↓ 12 more lines`; `None` if there are none.
pub(super) fn hidden_lines(cx: &Cx<'_>, above: usize, below: usize) -> Option<String> {
    let sides = [("↑", "^", above), ("↓", "v", below)];
    let shown = sides.iter().filter(|(.., count)| *count > 0);
    let texts: Vec<_> =
        shown.map(|(arrow, ascii, count)| format!("{} {count}", cx.charset.pick(arrow, ascii))).collect();
    (!texts.is_empty()).then(|| format!("{} more lines", texts.join("  ")))
}
