//! How the list of alerts looks.

use std::collections::BTreeSet;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::columns::{AlertRow, COLUMNS, Widths, pairs};
use super::ranking::ORDERS;
use super::{Alerts, Row as AlertLine};
use crate::app::columns::{Line, ListTable};
use crate::app::commands::Command;
use crate::app::doubt::{doubts, none};
use crate::app::layout;
use crate::app::list::Grouping;
use crate::app::look::Cx;
use crate::app::number::count;
use crate::app::place::Tab;
use crate::app::shared::Shared;
use crate::app::theme::Role;
use crate::app::widgets::text::Run;
use crate::config::kind;
use crate::model::ask::AskKind;
use crate::model::labels::Labels;
use crate::model::source::SourceId;

/// What the screen is drawn from.
const USED: [AskKind; 3] = [AskKind::Alerts, AskKind::Rules, AskKind::Silences];

/// Draws the list.
pub(super) fn render(screen: &Alerts, shared: &Shared, now: Timestamp, area: Rect, buf: &mut Buffer) {
    let cx = shared.cx(now);
    let room =
        layout::heading(&cx, &title(screen, shared), &layout::doubt_runs(shared, &USED, now), area, buf);
    if screen.rows.list.rows().is_empty() {
        let (text, role) = empty(screen, shared, now);
        layout::note(&cx, &text, role, room, buf);
        return;
    }
    let stale: BTreeSet<SourceId> =
        doubts(shared, &USED, now).into_iter().map(|doubt| doubt.source).collect();
    let looked = shared.looked.get(&Tab::Alerts).copied();
    let (name, service) = screen.widest.cells();
    let line = |row: &AlertLine| match row {
        AlertLine::Group(labels) => Line::Heading(heading(screen, shared, &cx, labels)),
        AlertLine::Item(fingerprint) => shared.world.alert(*fingerprint).map_or(Line::Gone, |alert| {
            let changed = shared.world.changed_at(alert.fingerprint);
            Line::Item {
                row: AlertRow::new(screen, shared, cx, alert),
                is_new: looked.zip(changed).is_some_and(|(looked, changed)| changed > looked),
                is_stale: alert.sources.iter().all(|id| stale.contains(id)),
            }
        }),
    };
    let table = ListTable::new(COLUMNS, &Widths { name, service, width: room.width });
    let sort = table.sort(&ORDERS, screen.rows.order);
    table.render(&cx, (&screen.rows.list, sort), line, room, buf);
}

fn title(screen: &Alerts, shared: &Shared) -> Vec<Run<'static>> {
    let shown = screen.rows.grouped_items();
    let all = shared.world.alerts().len();
    let mut runs = vec![Run::new(" Alerts ", Role::Title), Run::new(count(shown, all), Role::Text)];
    if !screen.hidden.is_empty() {
        let words: Vec<String> =
            screen.hidden.iter().map(|(state, count)| format!("{count} {state}")).collect();
        let key = shared.key(Command::Fold);
        runs.push(Run::new(format!("  folded away: {} ({key} shows)", words.join(", ")), Role::Muted));
    }
    match &screen.rows.grouping {
        Grouping::Received => {}
        Grouping::By(names) => runs.push(Run::new(format!("  by {}", names.join(", ")), Role::Muted)),
        Grouping::None => runs.push(Run::new("  not grouped", Role::Muted)),
    }
    let marked = screen.rows.list.marks().len();
    if marked > 0 {
        runs.push(Run::new(format!("  {marked} marked"), Role::Marked));
    }
    runs.extend(screen.rows.found.told());
    if shared.range.end.is_some() {
        runs.push(Run::new("  alerts are those of now", Role::Stale));
    }
    runs
}

/// Why there is nothing: not asked, still loading, nothing fires, or nothing that passes. Only the good news looks good.
fn empty(screen: &Alerts, shared: &Shared, now: Timestamp) -> (String, Role) {
    let filter = screen.rows.found.text();
    if !filter.is_empty() {
        let hidden = screen.hidden.iter().map(|(state, count)| format!(" {count} {state} do."));
        return (screen.rows.found.nothing("alert") + &hidden.collect::<String>(), Role::Muted);
    }
    let can: Vec<_> = shared
        .sources
        .iter()
        .filter(|source| source.answers.iter().any(|kind| matches!(kind, AskKind::Alerts | AskKind::Rules)))
        .filter_map(|source| shared.world.held(&source.id))
        .collect();
    let answered =
        can.iter().filter(|held| held.alerts().value().is_some() || held.rules().value().is_some()).count();
    if can.is_empty() {
        let add = kind::to_add(shared.kinds, &[AskKind::Alerts, AskKind::Rules]);
        (format!("No source of alerts: add {add}."), Role::Muted)
    } else if answered == 0
        && can.iter().any(|held| held.alerts().trouble().is_some() || held.rules().trouble().is_some())
    {
        ("No source of alerts has answered yet. See Sources (9) for what is wrong.".to_owned(), Role::Stale)
    } else if answered == 0 {
        ("Asking for alerts...".to_owned(), Role::Muted)
    } else if answered < can.len() {
        (format!("No alert at the {answered} of {} sources that have answered.", can.len()), Role::Muted)
    } else if screen.hidden.is_empty() {
        none(shared, &USED, "alert is pending or firing", now)
    } else {
        none(shared, &USED, "alert is loud; the quiet ones are folded away", now)
    }
}

fn heading(screen: &Alerts, shared: &Shared, cx: &Cx<'_>, labels: &Labels) -> Vec<Run<'static>> {
    let folded = screen.rows.is_folded(labels);
    let sign = if folded { cx.charset.pick("▸", ">") } else { cx.charset.pick("▾", "v") };
    let words = pairs(shared, labels, |_| true);
    let words = if words.is_empty() { "no labels in common".to_owned() } else { words };
    vec![
        Run::new(format!("{sign} {words}"), Role::Title),
        Run::new(format!("  {}", screen.rows.members(labels).len()), Role::Muted),
    ]
}
