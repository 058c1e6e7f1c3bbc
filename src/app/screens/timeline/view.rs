//! How the timeline looks.

use std::cmp::Reverse;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Steps;
use crate::app::chronicle::{Entry, Key, Kind};
use crate::app::fired::{self, Told};
use crate::app::layout;
use crate::app::look::Cx;
use crate::app::number::moment;
use crate::app::screens::timeline::Timeline;
use crate::app::shared::Shared;
use crate::app::theme::Role;
use crate::app::widgets::table::{self, Cell, Column, Row, Table};
use crate::app::widgets::text::Run;
use crate::model::ask::AskKind;

/// What the screen is drawn from.
const USED: [AskKind; 6] = [
    AskKind::Alerts,
    AskKind::Rules,
    AskKind::Incidents,
    AskKind::Silences,
    AskKind::Steps,
    AskKind::Firings,
];

fn columns(width: u16) -> [Column<'static>; 5] {
    let time = if width < 60 { 8 } else { 16 };
    [
        Column::words("when", time, time, 0),
        Column::words("", 1, 1, 0),
        Column::words("what", 10, 10, 2),
        Column::words("service", 8, 20, 1),
        Column::words("", 12, 200, 0),
    ]
}

/// Draws the timeline.
pub(super) fn render(screen: &Timeline, shared: &Shared, now: Timestamp, area: Rect, buf: &mut Buffer) {
    let cx = shared.cx(now);
    let room =
        layout::heading(&cx, &title(screen, shared, &cx), &layout::doubt_runs(shared, &USED, now), area, buf);
    if screen.rows.list.rows().is_empty() {
        let words = empty(screen, shared, now);
        layout::note(&cx, &words, Role::Muted, room, buf);
        return;
    }
    let height = usize::from(table::body(room).height);
    let top = screen.rows.list.shown(height).next().map_or(0, |(index, _)| index);
    let rows = screen.rows.list.shown(height).map(|(_, row)| {
        let Reverse(key) = row;
        let cells = shared.chronicle.entries().get(key).map_or_else(Vec::new, |entry| cells(&cx, key, entry));
        let mut drawn = Row::new(cells);
        drawn.marked = screen.rows.list.marks().contains(row);
        drawn
    });
    let selected = screen.rows.list.index().checked_sub(top);
    let table = Table { columns: &columns(room.width), sort: None, selected, focused: true };
    table::render(&table, rows, &cx, room, buf);
}

fn role(kind: Kind, entry: &Entry) -> Role {
    match kind {
        Kind::Fired | Kind::Paged => entry.severity.map_or(Role::Info, Role::of_severity),
        Kind::Resolved | Kind::Closed => Role::Resolved,
        Kind::Acknowledged | Kind::Done => Role::Accent,
        Kind::Step => Role::Text,
        Kind::Silenced => Role::Silenced,
        Kind::Unsilenced => Role::Muted,
    }
}

fn cells(cx: &Cx<'_>, (at, kind, _): &Key, entry: &Entry) -> Vec<Cell<'static>> {
    let role = role(*kind, entry);
    let service = entry.service.as_ref().map_or(String::new(), ToString::to_string);
    vec![
        Cell::text(moment(*at, cx.now, cx.zone), Role::Muted),
        Cell::symbol(cx, role),
        Cell::text(kind.word(), role),
        Cell::text(service, Role::Accent),
        Cell::text(entry.sentence().to_string(), Role::Text),
    ]
}

fn title(screen: &Timeline, shared: &Shared, cx: &Cx<'_>) -> Vec<Run<'static>> {
    let mut runs = vec![
        Run::new(" Timeline ", Role::Title),
        Run::new(format!("{}  {}", screen.rows.list.rows().len(), shared.range.words(cx.now)), Role::Text),
    ];
    runs.extend(screen.rows.found.told());
    let marked = screen.rows.list.marks().len();
    if marked > 0 {
        runs.push(Run::new(format!("  {marked} marked"), Role::Marked));
    }
    if let Some(since) = shared.chronicle.since() {
        // sources forget: what was over before burnwatch looked is known of incidents alone
        let steps = match super::steps(shared, cx.now) {
            Steps::Whole => String::new(),
            Steps::Since(since) => {
                format!(", steps of incidents since {}", moment(since, cx.now, cx.zone))
            }
            Steps::Unread => ", steps of incidents not read yet".to_owned(),
        };
        let (firings, kept) = match fired::shown_so_far(&shared.world, &shared.sources, &shared.range) {
            Told::ByNobody => ("", "incidents, and what still fires or is silenced"),
            Told::NotYet => {
                (", earlier firings not read yet", "incidents, and what still fires or is silenced")
            }
            Told::InPart => {
                (", earlier firings not all known", "incidents, firings, and what is still silenced")
            }
            Told::Whole => ("", "incidents, firings, and what is still silenced"),
        };
        let words =
            format!("  whole since {}{steps}{firings}; before that {kept}", moment(since, cx.now, cx.zone));
        runs.push(Run::new(words, Role::Muted));
    }
    runs
}

fn empty(screen: &Timeline, shared: &Shared, now: Timestamp) -> String {
    let filter = screen.rows.found.text();
    if !filter.is_empty() {
        return screen.rows.found.nothing("event");
    }
    if shared.chronicle.since().is_none() {
        return shared.waiting().to_owned();
    }
    format!("Nothing is known to have happened: {}.", shared.range.words(now))
}
