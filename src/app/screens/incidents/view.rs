//! Draws the list of incidents.

use std::collections::BTreeMap;

use super::columns::{COLUMNS, IncidentRow, Widths};
use super::{Incidents, Row as IncidentLine};
use crate::app::list_screen::{self, EmptyState, NO_PAGING};
use crate::app::prelude::*;
use crate::app::staleness::{doubtful, none};
use crate::app::subjects::incident::{self};
use crate::model::incident::IncidentStatus;

/// The kinds of answers that the screen uses.
const USED: [AskKind; 1] = [AskKind::Incidents];

/// Draws the list.
pub(super) fn render(screen: &Incidents, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
    let room = layout::doubtful_heading(cx, &title(screen, cx), &USED, area, buf);
    if screen.rows.list.rows().is_empty() {
        let (words, role) = empty(screen, cx);
        layout::paragraphs(cx, [(words.as_str(), role)], room, buf);
        return;
    }
    let stale = doubtful(cx.shared, &USED, cx.now);
    let (service, people) = screen.widest;
    let line = |row: &IncidentLine| match row {
        IncidentLine::Group(value) => Line::Heading(heading(screen, cx, value)),
        IncidentLine::Item(key) => key.incident(cx.world).map_or(Line::Gone, |known| Line::Item {
            row: IncidentRow::new(screen, *cx, known),
            is_new: false,
            is_stale: stale.contains(&known.incident.source),
        }),
    };
    let table = ListTable::new(COLUMNS, &Widths { service, people, width: room.width });
    let sort = table.sort(&incident::ORDERS, screen.rows.order);
    table.render(cx, (&screen.rows.list, sort), line, room, buf);
}

/// The title: "Incidents 4: 2 triggered 1 acknowledged", hidden rows, grouping and filter.
fn title(screen: &Incidents, cx: &ScreenCx<'_>) -> Vec<StyledRun<'static>> {
    let all = cx.world.incidents();
    let open = all.iter().filter(|known| known.incident.is_open());
    let mut statuses: BTreeMap<IncidentStatus, usize> = BTreeMap::new();
    for known in open.clone() {
        *statuses.entry(known.incident.status).or_default() += 1;
    }
    let of = if screen.show_resolved { all.len() } else { open.clone().count() };
    let mut runs = vec![
        StyledRun::new(" Incidents ", Role::Title),
        StyledRun::new(count(screen.passing, of), Role::Text),
    ];
    runs.extend(totals(&statuses));
    let forgotten = open.filter(|known| known.is_acknowledgement_old(cx.now)).count();
    if forgotten > 0 {
        let words = format!("  {} {forgotten} acknowledged over 4h ago", cx.symbol(Role::Stale));
        runs.push(StyledRun::new(words, Role::Stale));
    }
    if screen.hidden > 0 {
        runs.push(list_screen::hidden_rows(cx.shared, &format!("{} resolved", screen.hidden)));
    }
    runs.extend(list_screen::grouped(&screen.rows));
    runs.extend(list_screen::marked(screen.rows.list.marks().len()));
    runs.extend(screen.rows.found.title_runs());
    if cx.shared.range.end.is_some() {
        runs.push(StyledRun::new("  current incidents, not those of the chosen time", Role::Stale));
    }
    runs
}

/// The number of incidents in each status.
fn totals(statuses: &BTreeMap<IncidentStatus, usize>) -> Vec<StyledRun<'static>> {
    let role = |status| match status {
        IncidentStatus::Triggered => Role::Critical,
        IncidentStatus::Acknowledged => Role::Pending,
        IncidentStatus::Resolved => Role::Muted,
    };
    let reported = statuses.iter().filter(|(_, count)| **count > 0);
    reported
        .map(|(status, count)| StyledRun::new(format!("  {count} {}", status.word()), role(*status)))
        .collect()
}

/// A group header: name, number of incidents, number in each status.
fn heading(screen: &Incidents, cx: &ScreenCx<'_>, value: &Text) -> Vec<StyledRun<'static>> {
    let mut runs = list_screen::group_head(cx, &screen.rows, (value, Role::Title), ("incident", "incidents"));
    let members = screen.rows.members(value);
    let known = members.iter().filter_map(|key| key.incident(cx.world));
    let mut statuses: BTreeMap<IncidentStatus, usize> = BTreeMap::new();
    for known in known {
        *statuses.entry(known.incident.status).or_default() += 1;
    }
    runs.extend(totals(&statuses));
    runs
}

/// Why the list is empty: no source, loading, failed, no open incidents, or none that matches the filter.
fn empty(screen: &Incidents, cx: &ScreenCx<'_>) -> (String, Role) {
    let filter = screen.rows.found.text();
    let resolved = screen.hidden;
    if !filter.is_empty() && !cx.world.incidents().is_empty() {
        let folded = if resolved > 0 { format!(" Hidden: {resolved} resolved.") } else { String::new() };
        return (screen.rows.found.nothing("incident") + &folded, Role::Muted);
    }
    let has_unknown = EmptyState {
        kinds: &USED,
        no_source: NO_PAGING,
        source: "paging source",
        loading: "incidents",
        one: Some("open incidents"),
    };
    has_unknown.words(cx.shared).unwrap_or_else(|| none(cx.shared, &USED, "open incidents", cx.now))
}
