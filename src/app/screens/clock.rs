//! The time in UTC and in the displayed time zone.

use crate::app::prelude::*;

/// The screen of the time.
#[derive(Debug, Default)]
pub struct Clock;

impl Screen for Clock {
    fn hints(&self, _shared: &Shared) -> Vec<Hint> {
        vec![(Command::Back, "back")]
    }

    fn render(&self, shared: &Shared, now: Timestamp, area: Rect, buf: &mut Buffer) {
        let cx = shared.cx(now);
        let room = layout::heading(&cx, &[StyledRun::new(" Time ", Role::Title)], &[], area, buf);
        let local = now.to_zoned(cx.zone.clone()).strftime("%H:%M:%S %Z").to_string();
        for (line, words) in [(0, now.strftime("%H:%M:%S UTC").to_string()), (1, local)] {
            let row = Rect { y: room.y + line, height: 1, ..room };
            text::runs(&cx, &[StyledRun::new(format!(" {words}"), Role::Text)], row.intersection(room), buf);
        }
    }
}
