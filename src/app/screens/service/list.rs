//! Draws the list below the charts of a service: alerts, targets that are down, signals and hosts.

use super::hosts;
use crate::app::prelude::*;
use crate::app::screens::service::OpenService;
use crate::app::subjects::service;
use crate::model::service::Service;

/// Draws the alerts and, below them, targets, signals and hosts.
pub(super) fn draw(
    screen: &OpenService,
    shared: &Shared,
    cx: &Cx<'_>,
    service: &Service,
    area: Rect,
    buf: &mut Buffer,
) {
    if area.height == 0 {
        return;
    }
    if screen.scroll_position.panel == super::PARTS {
        draw_parts(screen, shared, cx, service, area, buf);
        return;
    }
    let down = &service.targets.down;
    let alerts = service::alerts(shared, &service.name);
    let title = format!(" Alerts {}, targets down {}", alerts.len(), down.len());
    let in_doubt = !doubts(shared, &[AskKind::Alerts], cx.now).is_empty();
    text::say(cx, 0, &title, if in_doubt { Role::Stale } else { Role::Title }, area, buf);
    // a broken rule cannot fire: the list may be incomplete
    if let Some(rule) = shared.world.broken_rules_of_service(&service.name).next() {
        let x = area.x.saturating_add(text::width(&title) + 2).min(area.right());
        text::put(buf, x, area.y, area.right() - x, &rule.sentence(), cx.style(Role::Warning));
    }
    let rows = layout::below_heading(area);
    let widest = alerts.iter().map(|alert| text::width(alert.name())).max().unwrap_or(0).clamp(12, 40);
    let list = &screen.alerts;
    let mut y = rows.top();
    for (index, fingerprint) in list.shown(usize::from(rows.height)) {
        let Some(alert) = shared.world.alert(*fingerprint) else { continue };
        let line = Rect { y, height: 1, ..rows };
        let role = Role::of_alert(alert);
        let name = text::pad(alert.name(), widest, cx.charset);
        let runs = [
            StyledRun::new(format!("  {} {name}  ", cx.symbol(role)), role),
            StyledRun::new(
                format!("{:<9} {:>6}  ", alert.state.word(), ago(alert.starts_at, cx.now)),
                Role::Text,
            ),
            StyledRun::new(alert.summary().map_or("", |summary| summary), Role::Muted),
        ];
        text::runs(cx, &runs, line, buf);
        if index == list.index() && screen.scroll_position.panel < super::SLOS {
            text::select(cx, line, buf);
        }
        y += 1;
    }
    let rest = Rect { y, height: rows.bottom().saturating_sub(y), ..rows };
    hosts::draw(cx, service, shared.world.health_policy.thresholds.saturation_degraded, (0, rest), buf);
    let others = hosts::count(service);
    let hidden = (alerts.len() + others).saturating_sub(usize::from(rows.height));
    if hidden > 0 {
        let how = if others > usize::from(rest.height) { " (shift-tab)" } else { "" };
        text::right(buf, area.x, area.y, area.width, &format!("+{hidden} more{how} "), cx.style(Role::Muted));
    }
}

/// Draws targets, signals and hosts, with the cursor on one of them.
fn draw_parts(
    screen: &OpenService,
    shared: &Shared,
    cx: &Cx<'_>,
    service: &Service,
    area: Rect,
    buf: &mut Buffer,
) {
    let list = &screen.parts;
    let (rows, all) = (layout::below_heading(area), list.rows().len());
    text::say(cx, 0, &format!(" Down targets, signals and hosts: {all}"), Role::Accent, area, buf);
    let height = usize::from(rows.height);
    let first = list.shown(height).next().map_or(0, |(index, _)| index);
    hosts::draw(cx, service, shared.world.health_policy.thresholds.saturation_degraded, (first, rows), buf);
    if let Some(y) = (rows.top()..rows.bottom()).nth(list.index().saturating_sub(first)) {
        let line = Rect { y, height: 1, ..rows };
        text::select(cx, line, buf);
    }
    if all > height {
        let shown = format!("{}-{} of {all} ", first + 1, (first + height).min(all));
        text::right(buf, area.x, area.y, area.width, &shown, cx.style(Role::Muted));
    }
}
