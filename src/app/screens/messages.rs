//! The message log: all messages to the user, newest first.

use crate::app::event::Tone;
use crate::app::list_screen;
use crate::app::prelude::*;

#[derive(Debug, Default)]
pub struct MessageLog {
    scroll_position: ScrollPosition,
}

impl Screen for MessageLog {
    offers! { []: Back }

    fn render(&self, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
        let count = cx.shared.messages.all().len();
        let title = list_screen::titled("Messages", count.to_string());
        let room = layout::heading(cx, &title, &[], area, buf);
        if count == 0 {
            text::say(cx, 3, "No messages yet.", Role::Muted, room, buf);
        }
        let shown = cx.shared.messages.all().skip(usize::from(self.scroll_position.scroll));
        let lines = shown.flat_map(|logged| {
            let role = match logged.message.tone {
                Tone::Trouble => Role::Trouble,
                Tone::Note => Role::Text,
            };
            let times = if logged.times > 1 { format!(" ({} times)", logged.times) } else { String::new() };
            let head = format!(" {}  ", moment(logged.at, cx.now, cx.zone));
            text::beside(&head, &format!("{}{times}", logged.message.text), room.width, role)
        });
        text::lines(cx, lines, room, buf);
    }

    keeps_scroll_position!();

    fn grid(&self, _shared: &Shared, body: Rect) -> Grid {
        Grid::list(body)
    }

    fn last_scroll(&self, shared: &Shared, _area: Rect) -> u16 {
        u16::try_from(shared.messages.all().len()).unwrap_or(u16::MAX).saturating_sub(1)
    }

    fn copied(&self, shared: &Shared, _now: Timestamp) -> Option<String> {
        shared.messages.all().next().map(|logged| logged.message.text.clone())
    }
}
