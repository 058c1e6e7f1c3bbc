//! How the list of alerts looks.

use std::collections::BTreeSet;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Alerts, Row as Line, group_of};
use crate::app::commands::Command;
use crate::app::doubt::{doubts, none};
use crate::app::layout;
use crate::app::list::Grouping;
use crate::app::list::Order;
use crate::app::look::Cx;
use crate::app::number::ago;
use crate::app::number::count;
use crate::app::place::Tab;
use crate::app::shared::Shared;
use crate::app::theme::Role;
use crate::app::widgets::table::{self, Cell, Column, Row, Sort, Table};
use crate::app::widgets::text::{self, Run};
use crate::config::kind;
use crate::model::alert::{Alert, AlertState};
use crate::model::ask::AskKind;
use crate::model::labels::Labels;
use crate::model::source::SourceId;

/// What the screen is drawn from.
const USED: [AskKind; 3] = [AskKind::Alerts, AskKind::Rules, AskKind::Silences];

/// Names and services are as wide as they need to be; the summary, which says most, takes what is left.
fn columns((name, service): (u16, u16), width: u16) -> [Column<'static>; 9] {
    let name = name.clamp(16, (width * 2 / 5).clamp(16, 44));
    let service = service.clamp(10, (width / 5).clamp(10, 30));
    [
        Column::words("", 1, 1, 0),
        Column::words("alert", name, name, 0),
        Column::words("severity", 9, 9, 5),
        Column::words("state", 9, 9, 4),
        Column::numbers("since", 6, 1),
        Column::words("service", service, service, 2),
        Column::words("labels", 28, 44, 6),
        Column::words("receiver", 8, 20, 7),
        Column::words("summary", 20, 160, 3),
    ]
}

/// The column of the table that shows an order of [`super::ORDERS`].
const SHOWN_BY: [usize; 5] = [2, 4, 1, 5, 4];

/// Draws the list.
pub(super) fn render(screen: &Alerts, shared: &Shared, now: Timestamp, area: Rect, buf: &mut Buffer) {
    let cx = shared.cx(now);
    let room =
        layout::heading(&cx, &title(screen, shared), &layout::doubt_runs(shared, &USED, now), area, buf);
    if screen.rows.list.rows().is_empty() {
        let (text, role) = empty(screen, shared, now);
        text::put(buf, room.x + 3, room.y, room.width.saturating_sub(3), &text, cx.style(role));
        return;
    }
    let stale: BTreeSet<SourceId> =
        doubts(shared, &USED, now).into_iter().map(|doubt| doubt.source).collect();
    let height = usize::from(table::body(room).height);
    let top = screen.rows.list.shown(height).next().map_or(0, |(index, _)| index);
    let mut rows = Vec::with_capacity(height);
    for (_, line) in screen.rows.list.shown(height) {
        let row = match line {
            Line::Group(labels) => Row::heading(heading(screen, shared, &cx, labels)),
            Line::Item(fingerprint) => match shared.world.alert(*fingerprint) {
                Some(alert) => alert_row(screen, shared, &cx, alert, &stale),
                None => Row::new(Vec::new()),
            },
        };
        rows.push(Row { marked: screen.rows.list.marks().contains(line), ..row });
    }
    let columns = columns(screen.widest.cells(), room.width);
    let selected = screen.rows.list.index().checked_sub(top);
    let table = Table { columns: &columns, sort: Some(sort(screen.rows.order)), selected, focused: true };
    table::render(&table, rows, &cx, room, buf);
}

fn sort(order: Order) -> Sort {
    let ascending = matches!(order.column, 2 | 3);
    Sort { column: SHOWN_BY.get(order.column).copied().unwrap_or(2), descending: ascending == order.reversed }
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

/// `name=value name=value` for the labels that are wanted, those that name the service first.
fn pairs(shared: &Shared, labels: &Labels, wanted: impl Fn(&str) -> bool) -> String {
    let rank = |name: &str| {
        shared.judgement.service_labels.iter().position(|label| label == name).unwrap_or(usize::MAX)
    };
    let mut shown: Vec<_> = labels.iter().filter(|(name, _)| wanted(name)).collect();
    shown.sort_by_key(|(name, _)| rank(name));
    shown.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
}

fn alert_row<'a>(
    screen: &Alerts,
    shared: &Shared,
    cx: &Cx<'_>,
    alert: &'a Alert,
    stale: &BTreeSet<SourceId>,
) -> Row<'a> {
    let role = Role::of_alert(alert);
    let common = screen.common(&shared.world, &group_of(alert, &screen.rows.grouping));
    let differs = |name: &str| {
        !matches!(name, "alertname" | "severity") && common.is_none_or(|common| common.get(name).is_none())
    };
    let service = shared.world.service_of(&alert.labels);
    let names_the_service = |name: &str| {
        shared.judgement.service_labels.iter().any(|label| label == name) && alert.labels.get(name) == service
    };
    let differing = pairs(shared, &alert.labels, |name| differs(name) && !names_the_service(name));
    let text_role = if alert.state == AlertState::Firing { Role::Text } else { Role::Muted };
    let mut row = Row::new(vec![
        Cell::symbol(cx, role),
        Cell::Runs(screen.rows.found.lit(alert.name(), role)),
        Cell::text(alert.severity.word(), Role::of_severity(alert.severity)),
        match shared.world.silencing(alert.fingerprint) {
            Some(stage) => {
                let sending = format!("{}{}", text::ellipsis(cx.charset), stage.word());
                Cell::text(sending, Role::Sending)
            }
            None => Cell::text(alert.state.word(), role),
        },
        Cell::text(ago(alert.resolved_at.unwrap_or(alert.starts_at), cx.now), text_role),
        Cell::Runs(screen.rows.found.lit(service.map_or("", |name| name), text_role)),
        Cell::text(differing, Role::Muted),
        Cell::text(alert.receivers.iter().map(|r| &**r).collect::<Vec<_>>().join(", "), Role::Muted),
        Cell::text(alert.summary().map_or("", |summary| summary), text_role),
    ]);
    let looked = shared.looked.get(&Tab::Alerts).copied();
    row.new = looked
        .zip(shared.world.changed_at(alert.fingerprint))
        .is_some_and(|(looked, changed)| changed > looked);
    row.over = alert.sources.iter().all(|id| stale.contains(id)).then_some(Role::Stale);
    row
}
