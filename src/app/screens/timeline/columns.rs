//! The columns of timeline events.

use crate::app::event_log::{LogEvent, LogEventKey, LogEventKind};
use crate::app::prelude::*;

pub(super) enum EventList {}

/// An event as the screen shows it.
pub(super) struct EventRow<'a> {
    pub(super) key: &'a LogEventKey,
    pub(super) entry: &'a LogEvent,
    pub(super) cx: ScreenCx<'a>,
}

impl Listed for EventList {
    type Item<'a> = ();
    type Row<'a> = EventRow<'a>;
    /// The width of the table, in cells.
    type Widths = u16;
}

type Column = ListColumn<EventList>;

/// The time, then the event and its subject.
pub(super) const COLUMNS: &[Column] = &[
    Column::NONE.on_screen_by(
        0,
        "time",
        |width| {
            let time = if *width < 60 { 8 } else { 16 };
            Some(Size::words(time, time, 0))
        },
        |row| Cell::text(moment(row.key.0, row.cx.now, row.cx.zone), Role::Muted),
    ),
    Column::drawn(1, "", Size::words(1, 1, 0), |row| Cell::symbol(&row.cx, row.role())),
    Column::drawn(2, "event", Size::words(10, 10, 2), |row| Cell::text(row.key.1.word(), row.role())),
    Column::drawn(3, "service", Size::words(8, 20, 1), |row| {
        Cell::text(row.entry.service.as_ref().map_or("", |name| name), Role::Accent)
    }),
    Column::drawn(4, "", Size::words(12, 200, 0), |row| {
        Cell::text(row.entry.sentence().to_string(), Role::Text)
    }),
];

impl EventRow<'_> {
    fn role(&self) -> Role {
        match self.key.1 {
            LogEventKind::Fired | LogEventKind::Paged => {
                self.entry.severity.map_or(Role::Info, Role::of_severity)
            }
            LogEventKind::Resolved | LogEventKind::Closed => Role::Resolved,
            LogEventKind::Acknowledged | LogEventKind::Done => Role::Accent,
            LogEventKind::Step => Role::Text,
            LogEventKind::Silenced => Role::Silenced,
            LogEventKind::Unsilenced => Role::Muted,
        }
    }
}
