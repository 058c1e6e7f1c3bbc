//! What else there is to list of a service: targets that are down, signals with words of their own, and its hosts, the fullest
//! first.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::look::Cx;
use crate::app::number::percent;
use crate::app::theme::Role;
use crate::app::widgets::text::{self, Run};
use crate::model::host::Host;
use crate::model::service::Service;

/// Of one host so many resources are named.
const RESOURCES: usize = 6;

fn hosts(service: &Service) -> impl Iterator<Item = &Host> {
    service.hosts.iter().filter(|host| !host.instance.is_empty() && !host.usages.is_empty())
}

/// How many rows there are.
pub(super) fn count(service: &Service) -> usize {
    service.targets.down.len() + service.named.len() + hosts(service).count()
}

/// Draws as many rows as there is room for.
pub(super) fn draw(cx: &Cx<'_>, service: &Service, limit: f64, area: Rect, buf: &mut Buffer) {
    let down = service.targets.down.iter().map(|target| {
        vec![
            Run::new(format!("  {} target down  ", cx.symbol(Role::Down)), Role::Down),
            Run::new(format!("{} ({})", target.instance, target.job), Role::Text),
        ]
    });
    let named = service.named.iter().map(|signal| {
        let role = signal.health.map_or(Role::Muted, Role::of_health);
        let symbol = if signal.health.is_some() { cx.symbol(role) } else { " " };
        vec![Run::new(format!("  {symbol} {signal}"), role)]
    });
    let each = hosts(service).map(|host| {
        let worst = host.fullest().is_some_and(|usage| usage.ratio >= limit);
        let mut runs = vec![Run::new(
            format!("  {} {}  ", if worst { cx.symbol(Role::Degraded) } else { " " }, host.name),
            if worst { Role::Degraded } else { Role::Text },
        )];
        for usage in host.usages.iter().take(RESOURCES) {
            let role = if usage.ratio >= limit { Role::Degraded } else { Role::Muted };
            let part = if usage.part.is_empty() { String::new() } else { format!(" {}", usage.part) };
            runs.push(Run::new(format!("{} {}{part}  ", usage.resource, percent(usage.ratio)), role));
        }
        runs
    });
    for (y, runs) in (area.top()..area.bottom()).zip(down.chain(named).chain(each)) {
        text::runs(cx, &runs, Rect { y, height: 1, ..area }, buf);
    }
}
