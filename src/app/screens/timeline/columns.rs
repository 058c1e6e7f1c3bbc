//! What is told of an event on the timeline.

use crate::app::chronicle::{Entry, Key, Kind};
use crate::app::columns::{ListColumn, Listed, Size};
use crate::app::look::Cx;
use crate::app::number::moment;
use crate::app::theme::Role;
use crate::app::widgets::table::Cell;

/// The list of events.
pub(super) enum EventList {}

/// An event as the screen shows it.
pub(super) struct EventRow<'a> {
    pub(super) key: &'a Key,
    pub(super) entry: &'a Entry,
    pub(super) cx: Cx<'a>,
}

impl Listed for EventList {
    type Item<'a> = ();
    type Row<'a> = EventRow<'a>;
    /// Cells of the table.
    type Widths = u16;
}

type Column = ListColumn<EventList>;

/// When it was, and what happened to whom.
pub(super) const COLUMNS: &[Column] = &[
    Column::drawn(
        0,
        "when",
        |width| {
            let time = if *width < 60 { 8 } else { 16 };
            Some(Size::words(time, time, 0))
        },
        |row| Cell::text(moment(row.key.0, row.cx.now, row.cx.zone), Role::Muted),
    ),
    Column::drawn(1, "", |_| Some(Size::words(1, 1, 0)), |row| Cell::symbol(&row.cx, row.role())),
    Column::drawn(
        2,
        "what",
        |_| Some(Size::words(10, 10, 2)),
        |row| Cell::text(row.key.1.word(), row.role()),
    ),
    Column::drawn(
        3,
        "service",
        |_| Some(Size::words(8, 20, 1)),
        |row| Cell::text(row.entry.service.as_ref().map_or("", |name| name), Role::Accent),
    ),
    Column::drawn(
        4,
        "",
        |_| Some(Size::words(12, 200, 0)),
        |row| Cell::text(row.entry.sentence().to_string(), Role::Text),
    ),
];

impl EventRow<'_> {
    fn role(&self) -> Role {
        match self.key.1 {
            Kind::Fired | Kind::Paged => self.entry.severity.map_or(Role::Info, Role::of_severity),
            Kind::Resolved | Kind::Closed => Role::Resolved,
            Kind::Acknowledged | Kind::Done => Role::Accent,
            Kind::Step => Role::Text,
            Kind::Silenced => Role::Silenced,
            Kind::Unsilenced => Role::Muted,
        }
    }
}
