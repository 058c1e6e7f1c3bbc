//! The columns of timeline events.

use super::Timeline;
use crate::app::event_log::{LogEvent, LogEventKey};
use crate::app::prelude::*;

pub struct EventItem<'a> {
    pub(super) key: &'a LogEventKey,
    pub(super) entry: &'a LogEvent,
}

impl Listed for Timeline {
    type Item<'a> = EventItem<'a>;
    type Widths = ();
}

type Column = ListColumn<Timeline>;

/// The time, then the event and its subject.
pub(super) const COLUMNS: &[Column] = &[
    Column::NONE
        .on_screen((0, "time", Size::BY_ROWS), |row| {
            Cell::text(moment(row.key.0, row.cx.now, row.cx.zone), Role::Muted)
        })
        .sized_by(|(), width| {
            let time = if width < 60 { 8 } else { 16 };
            Some(Size::words(time, time, 0))
        }),
    Column::symbol(1),
    Column::drawn((2, "event", Size::words(10, 10, 2)), |row| Cell::text(row.key.1.word(), row.role)),
    Column::drawn((3, "service", Size::words(8, 20, 1)), |row| {
        Cell::text(row.entry.service.as_ref().map_or("", |name| name), Role::Accent)
    }),
    Column::drawn((4, "", Size::words(12, 200, 0)), |row| {
        Cell::text(row.entry.sentence().to_string(), Role::Text)
    }),
];
