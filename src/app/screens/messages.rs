//! Messages: what burnwatch said so far, the newest first.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::event::Tone;
use crate::app::frame;
use crate::app::number::moment;
use crate::app::state::State;
use crate::app::theme::Role;
use crate::app::widgets::text::{self, Run};

/// Draws the messages.
pub fn render(state: &State, now: Timestamp, area: Rect, buf: &mut Buffer) {
    let cx = state.cx(now);
    let count = state.messages.all().len();
    let title = [Run::new(" Messages ", Role::Title), Run::new(count.to_string(), Role::Text)];
    let room = frame::heading(&cx, &title, &[], area, buf);
    if count == 0 {
        text::put(
            buf,
            room.x + 3,
            room.y,
            room.width.saturating_sub(3),
            "nothing was said yet",
            cx.style(Role::Muted),
        );
    }
    let shown = state.messages.all().skip(usize::from(state.scroll));
    let mut y = room.top();
    for told in shown {
        let role = match told.message.tone {
            Tone::Trouble => Role::Trouble,
            Tone::Note => Role::Text,
        };
        let times = if told.times > 1 { format!(" ({} times)", told.times) } else { String::new() };
        let mut head = format!(" {}  ", moment(told.at, now, cx.zone));
        let indent = text::width(&head);
        for line in
            text::wrap(&format!("{}{times}", told.message.text), room.width.saturating_sub(indent + 1).max(8))
        {
            if y >= room.bottom() {
                return;
            }
            let runs = [Run::new(head, Role::Muted), Run::new(line, role)];
            text::runs(&cx, &runs, Rect { y, height: 1, ..room }, buf);
            head = " ".repeat(usize::from(indent));
            y += 1;
        }
    }
}

/// How far the messages can be scrolled.
pub fn last_scroll(state: &State) -> u16 {
    u16::try_from(state.messages.all().len()).unwrap_or(u16::MAX).saturating_sub(1)
}
