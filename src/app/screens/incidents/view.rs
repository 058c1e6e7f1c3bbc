//! How the list of incidents looks.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Incidents, Row as Line};
use crate::app::commands::Command;
use crate::app::doubt::{doubts, none};
use crate::app::layout;
use crate::app::list::Order;
use crate::app::look::Cx;
use crate::app::number::ago;
use crate::app::number::count;
use crate::app::shared::Shared;
use crate::app::subjects::incident::{self, words};
use crate::app::theme::Role;
use crate::app::widgets::table::{self, Cell, Column, Row, Sort, Table};
use crate::app::widgets::text::{self, Run};
use crate::config::kind;
use crate::model::ask::AskKind;
use crate::model::incident::{IncidentStatus, Urgency};
use crate::model::labels::Text;
use crate::model::source::SourceId;
use crate::model::world::Linked;

/// What the screen is drawn from.
const USED: [AskKind; 1] = [AskKind::Incidents];

/// What it is about and who has it come first; the title, which says most, takes what is left.
fn columns((service, people): (u16, u16), width: u16) -> [Column<'static>; 12] {
    let service = service.clamp(8, (width / 6).clamp(8, 26));
    // with "woken: " before or ", 2h05m ago!" behind it
    let people = (people + 12).clamp(14, (width / 5).clamp(14, 40));
    // the title says most: what is less important gives way to it
    let title = (width * 2 / 7).clamp(16, 60);
    [
        Column::words("", 1, 1, 0),
        Column::numbers("#", 6, 6),
        Column::words("status", 12, 12, 4),
        Column::words("urgency", 7, 7, 7),
        Column::words("prio", 4, 8, 3),
        Column::words("title", title, 120, 0),
        Column::words("service", service, service, 5),
        Column::words("who has it", people, people, 1),
        Column::numbers("alerts", 6, 8),
        Column::numbers("age", 6, 2),
        Column::words("team", 8, 18, 9),
        Column::words("source", 8, 14, 10),
    ]
}

/// The column of the table that shows an order of [`incident::ORDERS`].
const SHOWN_BY: [usize; 6] = [4, 9, 9, 6, 7, 8];

/// Draws the list.
pub(super) fn render(screen: &Incidents, shared: &Shared, now: Timestamp, area: Rect, buf: &mut Buffer) {
    let cx = shared.cx(now);
    let room =
        layout::heading(&cx, &title(screen, shared, &cx), &layout::doubt_runs(shared, &USED, now), area, buf);
    if screen.rows.list.rows().is_empty() {
        let (words, role) = empty(screen, shared, now);
        let place = Rect { x: room.x + 3, width: room.width.saturating_sub(3), ..room };
        for (y, line) in (place.top()..place.bottom()).zip(text::wrap(&words, place.width.min(100))) {
            text::put(buf, place.x, y, place.width, &line, cx.style(role));
        }
        return;
    }
    let stale: BTreeSet<SourceId> =
        doubts(shared, &USED, now).into_iter().map(|doubt| doubt.source).collect();
    let height = usize::from(table::body(room).height);
    let top = screen.rows.list.shown(height).next().map_or(0, |(index, _)| index);
    let rows = screen.rows.list.shown(height).map(|(_, line)| {
        let row = match line {
            Line::Group(value) => Row::heading(heading(screen, shared, &cx, value)),
            Line::Item(key) => key.incident(&shared.world).map_or_else(
                || Row::new(Vec::new()),
                |known| {
                    let mut row = Row::new(cells(screen, shared, &cx, known));
                    row.over = stale.contains(&known.incident.source).then_some(Role::Stale);
                    row
                },
            ),
        };
        Row { marked: screen.rows.list.marks().contains(line), ..row }
    });
    let columns = columns(screen.widest, room.width);
    let selected = screen.rows.list.index().checked_sub(top);
    let table = Table { columns: &columns, sort: Some(sort(screen.rows.order)), selected, focused: true };
    table::render(&table, rows, &cx, room, buf);
}

fn sort(order: Order) -> Sort {
    let descending = matches!(order.column, 2 | 5) != order.reversed;
    Sort { column: SHOWN_BY.get(order.column).copied().unwrap_or(4), descending }
}

fn cells<'a>(screen: &'a Incidents, shared: &'a Shared, cx: &Cx<'_>, known: &'a Linked) -> Vec<Cell<'a>> {
    let incident = &known.incident;
    let role = words::role(known, cx.now);
    let is_over = !incident.is_open();
    let plain = if is_over { Role::Muted } else { Role::Text };
    let urgency = match incident.urgency {
        _ if is_over => Role::Muted,
        Urgency::High => Role::Text,
        Urgency::Low => Role::Muted,
    };
    let alerts = incident.alerts;
    let count = if alerts.triggered == alerts.all || is_over {
        alerts.all.to_string()
    } else {
        format!("{}/{}", alerts.triggered, alerts.all)
    };
    vec![
        Cell::symbol(cx, role),
        Cell::text(incident.number.to_string(), Role::Muted),
        match words::sending(known, cx) {
            Some(sending) => Cell::text(sending, Role::Sending),
            None => Cell::text(incident.status.word(), role),
        },
        Cell::text(incident.urgency.word(), urgency),
        incident.priority.as_ref().map_or(Cell::Empty, |priority| Cell::text(&*priority.named.name, plain)),
        Cell::Runs(screen.rows.found.lit(incident.subject(), plain)),
        incident::service(known).map_or(Cell::Empty, |name| Cell::text(&**name, plain)),
        Cell::Text(words::who(shared, known, cx.now)),
        Cell::text(count, plain),
        Cell::text(ago(incident.created_at, cx.now), plain),
        incident.teams.first().map_or(Cell::Empty, |team| Cell::text(&*team.name, Role::Muted)),
        Cell::text(incident.source.as_str(), Role::Muted),
    ]
}

/// "Incidents 4: 2 triggered 1 acknowledged", what is folded away, the order and the filter.
fn title(screen: &Incidents, shared: &Shared, cx: &Cx<'_>) -> Vec<Run<'static>> {
    let all = shared.world.incidents();
    let open = all.iter().filter(|known| known.incident.is_open());
    let mut statuses: BTreeMap<IncidentStatus, usize> = BTreeMap::new();
    for known in open.clone() {
        *statuses.entry(known.incident.status).or_default() += 1;
    }
    let of = if screen.show_resolved { all.len() } else { open.clone().count() };
    let mut runs =
        vec![Run::new(" Incidents ", Role::Title), Run::new(count(screen.passing, of), Role::Text)];
    runs.extend(tally(&statuses));
    let forgotten = open.filter(|known| known.is_forgotten(cx.now)).count();
    if forgotten > 0 {
        let words = format!("  {} {forgotten} acknowledged over 4h ago", cx.symbol(Role::Stale));
        runs.push(Run::new(words, Role::Stale));
    }
    if screen.hidden > 0 {
        let key = shared.key(Command::Fold);
        let words = format!("  folded away: {} resolved ({key} shows)", screen.hidden);
        runs.push(Run::new(words, Role::Muted));
    }
    if let Some(by) = screen.rows.grouped_by() {
        runs.push(Run::new(format!("  grouped by {by}"), Role::Muted));
    }
    let marked = screen.rows.list.marks().len();
    if marked > 0 {
        runs.push(Run::new(format!("  {marked} marked"), Role::Marked));
    }
    runs.extend(screen.rows.found.told());
    if shared.range.end.is_some() {
        runs.push(Run::new("  incidents are those of now", Role::Stale));
    }
    runs
}

/// How many are in which status.
fn tally(statuses: &BTreeMap<IncidentStatus, usize>) -> Vec<Run<'static>> {
    let role = |status| match status {
        IncidentStatus::Triggered => Role::Critical,
        IncidentStatus::Acknowledged => Role::Pending,
        IncidentStatus::Resolved => Role::Muted,
    };
    let told = statuses.iter().filter(|(_, count)| **count > 0);
    told.map(|(status, count)| Run::new(format!("  {count} {}", status.word()), role(*status))).collect()
}

/// The head of a group: how many it has, and how many are in which status.
fn heading(screen: &Incidents, shared: &Shared, cx: &Cx<'_>, value: &Text) -> Vec<Run<'static>> {
    let sign =
        if screen.rows.is_folded(value) { cx.charset.pick("▸", ">") } else { cx.charset.pick("▾", "v") };
    let by = screen.rows.grouped_by().unwrap_or_default();
    let name = if value.is_empty() { format!("without {by}") } else { value.to_string() };
    let members = screen.rows.members(value);
    let all = members.len();
    let mut runs = vec![
        Run::new(format!("{sign} "), Role::Muted),
        Run::new(name, Role::Title),
        Run::new(format!("  {all} {}", if all == 1 { "incident" } else { "incidents" }), Role::Muted),
    ];
    let known = members.iter().filter_map(|key| key.incident(&shared.world));
    let mut statuses: BTreeMap<IncidentStatus, usize> = BTreeMap::new();
    for known in known {
        *statuses.entry(known.incident.status).or_default() += 1;
    }
    runs.extend(tally(&statuses));
    runs
}

/// Why there is nothing: no source, not asked, still loading, none open, or none that passes. Only the good news looks good.
fn empty(screen: &Incidents, shared: &Shared, now: Timestamp) -> (String, Role) {
    let filter = screen.rows.found.text();
    let resolved = screen.hidden;
    if !filter.is_empty() && !shared.world.incidents().is_empty() {
        let folded = if resolved > 0 { format!(" {resolved} resolved ones do.") } else { String::new() };
        return (screen.rows.found.nothing("incident") + &folded, Role::Muted);
    }
    let can = shared.sources.iter().filter(|source| source.answers.contains(&AskKind::Incidents));
    let held: Vec<_> = can.filter_map(|source| shared.world.held(&source.id)).collect();
    let answered = held.iter().filter(|held| held.incidents().value().is_some()).count();
    let is_troubled = held.iter().any(|held| held.incidents().trouble().is_some());
    if held.is_empty() {
        let add = kind::to_add(shared.kinds, &[AskKind::Incidents]);
        let words = format!(
            "No paging source is configured: add {add} to a context (`burnwatch config init` shows how)."
        );
        (words, Role::Muted)
    } else if answered == 0 && is_troubled {
        ("No paging source has answered yet. See Sources (9) for what is wrong.".to_owned(), Role::Stale)
    } else if answered == 0 && shared.paused.is_some() {
        ("Not asked: everything is held still.".to_owned(), Role::Muted)
    } else if answered == 0 {
        ("Asking for incidents...".to_owned(), Role::Muted)
    } else if answered < held.len() {
        (
            format!("No open incident at the {answered} of {} sources that have answered.", held.len()),
            Role::Muted,
        )
    } else {
        none(shared, &USED, "open incident", now)
    }
}
