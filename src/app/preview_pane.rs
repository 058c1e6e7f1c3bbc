//! The preview beside a list: the item under the cursor as a small version of its page. It queries nothing that depends on the
//! item.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::place::Place;
use super::screen::Screen;
use super::shared::{ScreenCx, Shared};
use super::theme::Role;
use super::widgets::bar::panel;
use super::widgets::text;

mod content;

/// The least width of a terminal with room for a preview.
pub const MIN_WIDTH: u16 = 120;

/// The parts of the body for a screen, and for the preview of its items if it has one and there is room.
pub fn split(screen: &dyn Screen, shared: &Shared, body: Rect) -> (Rect, Option<Rect>) {
    if !shared.preview.is_on || !screen.has_preview() || shared.size.0 < MIN_WIDTH {
        return (body, None);
    }
    let list = Rect { width: body.width * 3 / 5, ..body };
    (list, Some(Rect { x: list.right(), width: body.width - list.width, ..body }))
}

/// The item under the cursor of a screen with a preview.
pub fn target(screen: &dyn Screen, shared: &Shared) -> Option<Place> {
    // the list under a group's heading has no item under the cursor
    let items = screen.items().filter(|_| shared.preview.is_on && screen.has_preview())?;
    items.place(shared)
}

/// Draws the preview.
pub fn render(cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
    let content = cx.shared.preview.shown.as_ref().and_then(|place| content::of(cx, place));
    let Some(content) = content else {
        let inner = panel(cx, "Preview", false, area, buf);
        return text::say(cx, 1, "Nothing is selected.", Role::Muted, inner, buf);
    };
    let inner = panel(cx, &content.title, false, area, buf);
    content.render(cx, inner, buf);
}
