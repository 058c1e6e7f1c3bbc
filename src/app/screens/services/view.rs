//! How the list of services looks.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Services;
use super::columns::{COLUMNS, ServiceRow, Widths};
use crate::app::columns::{Line, ListTable};
use crate::app::doubt::doubts;
use crate::app::layout;
use crate::app::list::Order;
use crate::app::number::{self, count};
use crate::app::place::Tab;
use crate::app::shared::Shared;
use crate::app::subjects::service::{ORDERS, empty};
use crate::app::theme::Role;
use crate::app::widgets::text::Run;
use crate::model::ask::AskKind;
use crate::model::health::Health;
use crate::model::labels::Text;

/// What the screen is drawn from.
pub(super) const USED: [AskKind; 3] = [AskKind::Services, AskKind::Alerts, AskKind::Trends];

/// Draws the list.
pub(super) fn render(screen: &Services, shared: &Shared, now: Timestamp, area: Rect, buf: &mut Buffer) {
    let cx = shared.cx(now);
    let doubts = doubts(shared, &USED, now);
    let room =
        layout::heading(&cx, &title(screen, shared, now), &layout::doubt_runs(shared, &USED, now), area, buf);
    if screen.rows.list.rows().is_empty() {
        let text = empty(shared, &screen.rows.found);
        layout::note(&cx, &text, Role::Muted, room, buf);
        return;
    }
    let looked = shared.looked.get(&Tab::Services).copied();
    let widths =
        Widths { name: screen.widest.cells(), has_slos: !shared.world.slos().is_empty(), width: room.width };
    let line = |name: &Text| {
        shared.world.service(name).map_or(Line::Gone, |service| Line::Item {
            is_new: looked.zip(service.since).is_some_and(|(looked, since)| since > looked),
            is_stale: doubts.iter().any(|doubt| service.speakers.contains(&doubt.source)),
            row: ServiceRow::new(screen, shared, cx, service),
        })
    };
    let table = ListTable::new(COLUMNS, &widths);
    let sort = table.sort(&ORDERS, screen.rows.order);
    table.render(&cx, (&screen.rows.list, sort), line, room, buf);
}

/// "Services 40: 1 burning, 39 healthy", the order and the filter.
fn title(screen: &Services, shared: &Shared, now: Timestamp) -> Vec<Run<'static>> {
    let services = shared.world.services();
    let mut runs = vec![
        Run::new(" Services ", Role::Title),
        Run::new(count(screen.rows.list.rows().len(), services.len()), Role::Text),
    ];
    for health in Health::ALL {
        let count = services.iter().filter(|service| service.health == health).count();
        if count > 0 && health != Health::Healthy {
            runs.push(Run::new(format!("  {count} {}", health.word()), Role::of_health(health)));
        }
    }
    let marked = screen.rows.list.marks().len();
    if marked > 0 {
        runs.push(Run::new(format!("  {marked} marked"), Role::Marked));
    }
    if screen.rows.order != Order::default() {
        let name = ORDERS.get(screen.rows.order.column).map_or("", |order| order.name);
        runs.push(Run::new(
            format!("  by {name}{}", if screen.rows.order.reversed { ", reversed" } else { "" }),
            Role::Muted,
        ));
    }
    runs.extend(screen.rows.found.told());
    if let Some(end) = shared.range.end {
        runs.push(Run::new(format!("  as of {}", number::moment(end, now, &shared.look.zone)), Role::Banner));
    }
    runs
}
