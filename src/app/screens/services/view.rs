//! Draws the list of services.

use super::Services;
use super::columns::{COLUMNS, ServiceRow, Widths};
use crate::app::list_screen;
use crate::app::number;
use crate::app::prelude::*;
use crate::app::subjects::service::{ORDERS, empty};
use crate::model::health::Health;

/// The kinds of answers that the screen uses.
pub(super) const USED: [AskKind; 3] = [AskKind::Services, AskKind::Alerts, AskKind::Trends];

/// Draws the list.
pub(super) fn render(screen: &Services, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
    let doubts = doubts(cx.shared, &USED, cx.now);
    let room = layout::doubtful_heading(cx, &title(screen, cx), &USED, area, buf);
    if screen.rows.list.rows().is_empty() {
        let text = empty(cx.shared, &screen.rows.found);
        text::say(cx, 3, &text, Role::Muted, room, buf);
        return;
    }
    let last_seen = cx.shared.last_seen.get(&Tab::Services).copied();
    let widths =
        Widths { name: screen.widest.cells(), has_slos: !cx.world.slos().is_empty(), width: room.width };
    let line = |name: &Text| {
        cx.world.service(name).map_or(Line::Gone, |service| Line::Item {
            is_new: last_seen.zip(service.since).is_some_and(|(last_seen, since)| since > last_seen),
            is_stale: doubts.iter().any(|doubt| service.chart_sources.contains(&doubt.source)),
            row: ServiceRow::new(screen, *cx, service),
        })
    };
    let table = ListTable::new(COLUMNS, &widths);
    let sort = table.sort(&ORDERS, screen.rows.order);
    table.render(cx, (&screen.rows.list, sort), line, room, buf);
}

/// The title: "Services 40: 1 critical, 39 healthy", sort order and filter.
fn title(screen: &Services, cx: &ScreenCx<'_>) -> Vec<StyledRun<'static>> {
    let services = cx.world.services();
    let mut runs = vec![
        StyledRun::new(" Services ", Role::Title),
        StyledRun::new(count(screen.rows.list.rows().len(), services.len()), Role::Text),
    ];
    for health in Health::ALL {
        let count = services.iter().filter(|service| service.health == health).count();
        if count > 0 && health != Health::Healthy {
            runs.push(StyledRun::new(format!("  {count} {}", health.word()), Role::of_health(health)));
        }
    }
    runs.extend(list_screen::marked(screen.rows.list.marks().len()));
    runs.extend(list_screen::ordered(&ORDERS, screen.rows.order));
    runs.extend(screen.rows.found.title_runs());
    if let Some(end) = cx.shared.range.end {
        runs.push(StyledRun::new(
            format!("  as of {}", number::moment(end, cx.now, &cx.shared.look.zone)),
            Role::Banner,
        ));
    }
    runs
}
