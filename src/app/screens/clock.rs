//! The time in UTC and in the displayed time zone.

use crate::app::prelude::*;

/// The screen of the time.
#[derive(Debug, Default)]
pub struct Clock;

impl Screen for Clock {
    offers! { []: Back }

    fn render(&self, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
        let room = layout::heading(cx, &[StyledRun::new(" Time ", Role::Title)], &[], area, buf);
        let local = cx.now.to_zoned(cx.zone.clone()).strftime("%H:%M:%S %Z").to_string();
        let times = [cx.now.strftime("%H:%M:%S UTC").to_string(), local];
        let line = |time| vec![StyledRun::new(format!(" {time}"), Role::Text)];
        text::lines(cx, times.into_iter().map(line), room, buf);
    }
}
