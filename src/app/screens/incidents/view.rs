//! How the list of incidents looks.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::columns::{COLUMNS, IncidentRow, Widths};
use super::{Incidents, Row as IncidentLine};
use crate::app::columns::{Line, ListTable};
use crate::app::commands::Command;
use crate::app::doubt::{doubts, none};
use crate::app::layout;
use crate::app::look::Cx;
use crate::app::number::count;
use crate::app::shared::Shared;
use crate::app::subjects::incident::{self};
use crate::app::theme::Role;
use crate::app::widgets::text::Run;
use crate::config::kind;
use crate::model::ask::AskKind;
use crate::model::incident::IncidentStatus;
use crate::model::labels::Text;
use crate::model::source::SourceId;

/// What the screen is drawn from.
const USED: [AskKind; 1] = [AskKind::Incidents];

/// Draws the list.
pub(super) fn render(screen: &Incidents, shared: &Shared, now: Timestamp, area: Rect, buf: &mut Buffer) {
    let cx = shared.cx(now);
    let room =
        layout::heading(&cx, &title(screen, shared, &cx), &layout::doubt_runs(shared, &USED, now), area, buf);
    if screen.rows.list.rows().is_empty() {
        let (words, role) = empty(screen, shared, now);
        layout::paragraphs(&cx, [(words.as_str(), role)], room, buf);
        return;
    }
    let stale: BTreeSet<SourceId> =
        doubts(shared, &USED, now).into_iter().map(|doubt| doubt.source).collect();
    let (service, people) = screen.widest;
    let line = |row: &IncidentLine| match row {
        IncidentLine::Group(value) => Line::Heading(heading(screen, shared, &cx, value)),
        IncidentLine::Item(key) => key.incident(&shared.world).map_or(Line::Gone, |known| Line::Item {
            row: IncidentRow::new(screen, shared, cx, known),
            is_new: false,
            is_stale: stale.contains(&known.incident.source),
        }),
    };
    let table = ListTable::new(COLUMNS, &Widths { service, people, width: room.width });
    let sort = table.sort(&incident::ORDERS, screen.rows.order);
    table.render(&cx, (&screen.rows.list, sort), line, room, buf);
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
