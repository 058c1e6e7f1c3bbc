//! The message log: all messages to the user, newest first.

use crate::app::event::Tone;
use crate::app::prelude::*;

/// The screen of the message log.
#[derive(Debug, Default)]
pub struct MessageLog {
    scroll_position: ScrollPosition,
}

impl Screen for MessageLog {
    offers! { []: Back }

    fn render(&self, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
        let count = cx.shared.messages.all().len();
        let title =
            [StyledRun::new(" Messages ", Role::Title), StyledRun::new(count.to_string(), Role::Text)];
        let room = layout::heading(cx, &title, &[], area, buf);
        if count == 0 {
            text::say(cx, 3, "No messages yet.", Role::Muted, room, buf);
        }
        let shown = cx.shared.messages.all().skip(usize::from(self.scroll_position.scroll));
        let mut y = room.top();
        for logged in shown {
            let role = match logged.message.tone {
                Tone::Trouble => Role::Trouble,
                Tone::Note => Role::Text,
            };
            let times = if logged.times > 1 { format!(" ({} times)", logged.times) } else { String::new() };
            let mut head = format!(" {}  ", moment(logged.at, cx.now, cx.zone));
            let indent = text::width(&head);
            for line in text::wrap(
                &format!("{}{times}", logged.message.text),
                room.width.saturating_sub(indent + 1).max(8),
            ) {
                if y >= room.bottom() {
                    return;
                }
                let runs = [StyledRun::new(head, Role::Muted), StyledRun::new(line, role)];
                text::runs(cx, &runs, Rect { y, height: 1, ..room }, buf);
                head = " ".repeat(usize::from(indent));
                y += 1;
            }
        }
    }

    keeps_spot!();

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
