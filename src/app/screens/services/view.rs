//! How the list of services looks.

use std::collections::BTreeSet;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::doubt::doubts;
use crate::app::layout;
use crate::app::list::Order;
use crate::app::number::{self, count, latency, percent, rate};
use crate::app::place::Tab;
use crate::app::screens::services::Services;
use crate::app::shared::Shared;
use crate::app::subjects::service::{ORDERS, calm_max, empty, trends, why};
use crate::app::subjects::slo::words;
use crate::app::theme::Role;
use crate::app::widgets::spark::Spark;
use crate::app::widgets::table::{self, Cell, Column, Row, Sort, Table};
use crate::app::widgets::text::{self, Run};
use crate::model::ask::AskKind;
use crate::model::health::Health;
use crate::model::reason::Reason;
use crate::model::service::Service;
use crate::model::signal::Signal;
use crate::model::slo::BASIS;
use crate::model::source::SourceId;

/// What the screen is drawn from.
pub(super) const USED: [AskKind; 3] = [AskKind::Services, AskKind::Alerts, AskKind::Trends];

/// Names and reasons count more than shapes: these make room for them.
fn columns(name: u16, has_slos: bool, width: u16) -> [Column<'static>; 15] {
    let least = name.clamp(10, (width / 6).clamp(10, 24));
    [
        Column::words("", 1, 1, 0),
        Column::words("service", least, name.clamp(10, 44), 0),
        Column::words("health", 8, 8, 3),
        Column::numbers("requests", 8, 2),
        Column::words("", 8, 16, 9),
        Column::numbers("errors", 6, 1),
        Column::words("", 8, 16, 8),
        Column::numbers("p50", 7, 7),
        Column::numbers("p95", 7, 2),
        Column::words("", 8, 16, 10),
        Column::numbers("p99", 7, 6),
        Column::numbers("Apdex", 5, 5),
        Column::numbers("satur.", 6, 4),
        Column::words("worst SLO", if has_slos { 16 } else { u16::MAX }, 20, 6),
        Column::words("why", (width / 5).clamp(12, 36), 60, 3),
    ]
}

/// The column of the table that shows an order of [`ORDERS`].
const SHOWN_BY: [usize; 9] = [2, 1, 3, 5, 7, 8, 10, 11, 12];

/// Draws the list.
pub(super) fn render(screen: &Services, shared: &Shared, now: Timestamp, area: Rect, buf: &mut Buffer) {
    let cx = shared.cx(now);
    let doubts = doubts(shared, &USED, now);
    let room =
        layout::heading(&cx, &title(screen, shared, now), &layout::doubt_runs(shared, &USED, now), area, buf);
    if screen.list.rows().is_empty() {
        let text = empty(shared, &screen.found);
        text::put(buf, room.x + 3, room.y, room.width.saturating_sub(3), &text, cx.style(Role::Muted));
        return;
    }
    let stale: BTreeSet<&SourceId> = doubts.iter().map(|doubt| &doubt.source).collect();
    let looked = shared.looked.get(&Tab::Services).copied();
    let height = usize::from(table::body(room).height);
    let shown: Vec<(usize, &Service, [Vec<f64>; 3])> = screen
        .list
        .shown(height)
        .filter_map(|(i, name)| Some((i, shared.world.service(name)?)))
        .map(|(i, service)| (i, service, trends(shared, service)))
        .collect();
    let selected = shown.iter().position(|(i, ..)| *i == screen.list.index());
    let columns = columns(screen.widest.cells(), !shared.world.slos().is_empty(), room.width);
    let table = Table { columns: &columns, sort: Some(sort(screen.order)), selected, focused: true };
    let rows = shown.iter().map(|(_, service, trends)| {
        let mut row = Row::new(cells(screen, shared, &cx, service, trends));
        row.marked = screen.list.marks().contains(&service.name);
        row.new = looked.zip(service.since).is_some_and(|(looked, since)| since > looked);
        row.over = service.speakers.iter().any(|id| stale.contains(id)).then_some(Role::Stale);
        row
    });
    table::render(&table, rows, &cx, room, buf);
}

fn sort(order: Order) -> Sort {
    let descending = (order.column != 1) != order.reversed;
    Sort { column: SHOWN_BY.get(order.column).copied().unwrap_or(0), descending }
}

/// "Services 40: 1 burning, 39 healthy", the order and the filter.
fn title(screen: &Services, shared: &Shared, now: Timestamp) -> Vec<Run<'static>> {
    let services = shared.world.services();
    let mut runs = vec![
        Run::new(" Services ", Role::Title),
        Run::new(count(screen.list.rows().len(), services.len()), Role::Text),
    ];
    for health in Health::ALL {
        let count = services.iter().filter(|service| service.health == health).count();
        if count > 0 && health != Health::Healthy {
            runs.push(Run::new(format!("  {count} {}", health.word()), Role::of_health(health)));
        }
    }
    let marked = screen.list.marks().len();
    if marked > 0 {
        runs.push(Run::new(format!("  {marked} marked"), Role::Marked));
    }
    if screen.order != Order::default() {
        let name = ORDERS.get(screen.order.column).copied().unwrap_or_default();
        runs.push(Run::new(
            format!("  by {name}{}", if screen.order.reversed { ", reversed" } else { "" }),
            Role::Muted,
        ));
    }
    runs.extend(screen.found.told());
    if let Some(end) = shared.range.end {
        runs.push(Run::new(format!("  as of {}", number::moment(end, now, &shared.look.zone)), Role::Banner));
    }
    runs
}

fn cells<'a>(
    screen: &Services,
    shared: &Shared,
    cx: &crate::app::look::Cx<'_>,
    service: &'a Service,
    trends: &'a [Vec<f64>; 3],
) -> Vec<Cell<'a>> {
    let role = Role::of_health(service.health);
    let signals = &service.signals;
    let because =
        |found: fn(&Reason) -> bool| if service.reasons.iter().any(found) { role } else { Role::Text };
    let spark = |i: usize, max: Option<f64>, role: Role| match trends.get(i) {
        Some(values) if !values.is_empty() => Cell::Spark(Spark { values, max, role }),
        _ => Cell::Empty,
    };
    let number = |signal: Signal, value: Option<f64>, words: fn(f64) -> String, role: Role| {
        let is_unknown = service.unknown.contains(signal);
        let role = match value {
            Some(_) => role,
            None if is_unknown => Role::Unknown,
            None => Role::Muted,
        };
        Cell::text(number::or_unknown(value, is_unknown, words), role)
    };
    let slow = because(|r| matches!(r, Reason::Slow(_)));
    let failing = because(|r| matches!(r, Reason::Errors(_)));
    vec![
        Cell::symbol(cx, role),
        Cell::Runs(
            screen
                .found
                .lit(&service.name, if service.health == Health::Healthy { Role::Text } else { role }),
        ),
        Cell::text(service.health.word(), role),
        number(Signal::Requests, signals.request_rate, rate, Role::Text),
        spark(0, trends.first().and_then(|requests| calm_max(requests)), Role::Series1),
        number(Signal::Errors, signals.error_ratio, percent, failing),
        // one full bar is ten per cent at least, so that noise near zero does not look like a fire
        spark(1, trends.get(1).map(|t| t.iter().copied().fold(0.1, f64::max)), Role::Series2),
        number(Signal::Latency, signals.p50, latency, Role::Text),
        number(Signal::Latency, signals.p95, latency, slow),
        spark(2, trends.get(2).and_then(|p95| calm_max(p95)), Role::Series3),
        number(Signal::Latency, signals.p99, latency, Role::Text),
        number(Signal::Apdex, signals.apdex, |apdex| format!("{apdex:.2}"), Role::Text),
        number(
            Signal::Saturation,
            signals.saturation,
            percent,
            because(|r| matches!(r, Reason::Saturated { .. })),
        ),
        Cell::Runs(worst_slo(shared, cx, service)),
        Cell::text(why(service, cx.now), role),
    ]
}

/// The worst SLO of a service: its state, what is left of its budget, and how fast that burns.
fn worst_slo(shared: &Shared, cx: &crate::app::look::Cx<'_>, service: &Service) -> Vec<Run<'static>> {
    let Some(status) = shared.world.worst_slo_of(&service.name) else { return Vec::new() };
    let role = Role::of_slo(status.state());
    let mut runs = vec![Run::new(format!("{} ", cx.symbol(role)), role)];
    match status.worst().filter(|worst| worst.left().is_some()) {
        Some(worst) => {
            let burn = words::burn(&status.slo, worst, BASIS);
            runs.extend([words::left(Some(worst)), Run::new(" left ", Role::Muted), burn]);
        }
        None => runs.push(Run::new(status.state().word(), role)),
    }
    runs
}
