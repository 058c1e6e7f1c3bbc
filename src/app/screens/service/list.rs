//! The list below the charts of a service: its alerts, then its targets that are down, named signals and hosts, bad ones first.

use crate::app::number::percent;
use crate::app::prelude::*;
use crate::app::screens::service::OpenService;
use crate::app::subjects::service;
use crate::app::widgets::chart::ChartMark;
use crate::model::host::{Host, NamedSignal, Usage};
use crate::model::service::{DownTarget, Service};

/// Most resources shown per host.
const RESOURCES: usize = 6;

/// The key of a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum HostPartKey {
    /// A target that is down: job and instance.
    Target(Text, Text),
    /// A named signal: name, host and part (for signals with several values per host).
    Signal(Text, Text, Text),
    /// A host by its instance.
    Host(Text),
}

enum HostPart<'a> {
    Target(&'a DownTarget),
    Signal(&'a NamedSignal),
    Host(&'a Host),
}

/// The rows, bad ones first. A resource is full from the ratio `limit` on.
fn parts(service: &Service, limit: f64) -> Vec<HostPart<'_>> {
    let hosts = service.hosts.iter().filter(|host| !host.instance.is_empty() && !host.usages.is_empty());
    let all = service.targets.down.iter().map(HostPart::Target);
    let all = all.chain(service.named.iter().map(HostPart::Signal)).chain(hosts.map(HostPart::Host));
    let (mut bad, well): (Vec<_>, Vec<_>) = all.partition(|part| part.is_bad(limit));
    bad.extend(well);
    bad
}

pub(super) fn keys(service: &Service, limit: f64) -> Vec<HostPartKey> {
    parts(service, limit).iter().map(HostPart::key).collect()
}

pub(super) fn count(service: &Service) -> usize {
    // the limit only changes the order
    parts(service, 1.0).len()
}

/// The text of a row, for the clipboard.
pub(super) fn words(service: &Service, key: &HostPartKey) -> Option<String> {
    let found = parts(service, 1.0).into_iter().find(|part| part.key() == *key)?;
    Some(match found {
        HostPart::Target(target) => format!("{} ({})", target.instance, target.job),
        HostPart::Signal(signal) => signal.to_string(),
        HostPart::Host(host) => {
            let usages = host.usages.iter().map(usage_label).collect::<Vec<_>>();
            format!("{}: {}", host_label(host), usages.join(", "))
        }
    })
}

/// `web-17`, or `web-17 (10.0.0.17:9100)` if the name is not part of the instance.
fn host_label(host: &Host) -> String {
    if host.instance.starts_with(&*host.name) {
        return host.name.to_string();
    }
    format!("{} ({})", host.name, host.instance)
}

/// The usage of a resource: `disk 97.9% /var`.
fn usage_label(usage: &Usage) -> String {
    let part = if usage.part.is_empty() { String::new() } else { format!(" {}", usage.part) };
    format!("{} {}{part}", usage.resource, percent(usage.ratio))
}

impl HostPart<'_> {
    fn is_bad(&self, limit: f64) -> bool {
        match self {
            Self::Target(_) => true,
            Self::Signal(signal) => signal.health.is_some(),
            Self::Host(host) => host.highest_usage().is_some_and(|usage| usage.ratio >= limit),
        }
    }

    fn key(&self) -> HostPartKey {
        match self {
            Self::Target(target) => HostPartKey::Target(target.job.clone(), target.instance.clone()),
            Self::Signal(signal) => {
                HostPartKey::Signal(signal.name.clone(), signal.host.clone(), signal.part.clone())
            }
            Self::Host(host) => HostPartKey::Host(host.instance.clone()),
        }
    }

    fn runs(&self, cx: &Cx<'_>, limit: f64) -> Vec<StyledRun<'static>> {
        match self {
            Self::Target(target) => vec![
                StyledRun::new(format!("  {} target down  ", cx.symbol(Role::Down)), Role::Down),
                StyledRun::new(format!("{} ({})", target.instance, target.job), Role::Text),
            ],
            Self::Signal(signal) => {
                let role = signal.health.map_or(Role::Muted, Role::of_health);
                let symbol = if signal.health.is_some() { cx.symbol(role) } else { " " };
                vec![StyledRun::new(format!("  {symbol} {signal}"), role)]
            }
            Self::Host(host) => {
                let is_full = self.is_bad(limit);
                let symbol = if is_full { cx.symbol(Role::Degraded) } else { " " };
                let role = if is_full { Role::Degraded } else { Role::Text };
                let mut runs = vec![StyledRun::new(format!("  {symbol} {}  ", host_label(host)), role)];
                for usage in host.usages.iter().take(RESOURCES) {
                    let role = if usage.ratio >= limit { Role::Degraded } else { Role::Muted };
                    runs.push(StyledRun::new(format!("{}  ", usage_label(usage)), role));
                }
                runs
            }
        }
    }
}

/// Draws the alerts and, below them, targets, signals and hosts.
pub(super) fn draw(screen: &OpenService, cx: &ScreenCx<'_>, service: &Service, area: Rect, buf: &mut Buffer) {
    if area.height == 0 {
        return;
    }
    if screen.scroll_position.panel == super::PARTS {
        draw_parts(screen, cx, service, area, buf);
        return;
    }
    let down = &service.targets.down;
    let alerts = service::alerts(cx.shared, &service.name);
    let title = format!(" Alerts {}, targets down {}", alerts.len(), down.len());
    let is_stale = !stale_sources(cx.shared, &[AskKind::Alerts], cx.now).is_empty();
    text::say(cx, 0, &title, if is_stale { Role::Stale } else { Role::Title }, area, buf);
    // a broken rule cannot fire: the list may be incomplete
    if let Some(rule) = cx.world.broken_rules_of_service(&service.name).next() {
        let x = area.x.saturating_add(text::width(&title) + 2).min(area.right());
        text::put(buf, x, area.y, area.right() - x, &rule.sentence(), cx.style(Role::Warning));
    }
    let rows = layout::below_heading(area);
    let widest = alerts.iter().map(|alert| text::width(alert.name())).max().unwrap_or(0).clamp(12, 40);
    let list = &screen.alerts;
    let mut y = rows.top();
    for (index, fingerprint) in list.shown(usize::from(rows.height)) {
        let Some(alert) = cx.world.alert(*fingerprint) else { continue };
        let line = Rect { y, height: 1, ..rows };
        let role = Role::of_alert(alert);
        let name = text::pad(alert.name(), widest, cx.charset);
        // that of its mark in the charts
        let number = if alerts.len() > 1 { ChartMark::number(index) } else { " " };
        let runs = [
            StyledRun::new(format!("{number} {} {name}  ", cx.symbol(role)), role),
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
    draw_rows(cx, service, cx.shared.world.health_policy.thresholds.saturation_degraded, (0, rest), buf);
    let others = count(service);
    let hidden = (alerts.len() + others).saturating_sub(usize::from(rows.height));
    if hidden > 0 {
        let how = if others > usize::from(rest.height) { " (shift-tab)" } else { "" };
        text::right(buf, area.x, area.y, area.width, &format!("+{hidden} more{how} "), cx.style(Role::Muted));
    }
}

/// Draws targets, signals and hosts, with the cursor on one of them.
fn draw_parts(screen: &OpenService, cx: &ScreenCx<'_>, service: &Service, area: Rect, buf: &mut Buffer) {
    let list = &screen.parts;
    let (height, all) = (usize::from(layout::below_heading(area).height), list.rows().len());
    let first = list.shown(height).next().map_or(0, |(index, _)| index);
    let shown = format!("{}-{} of {all} ", first + 1, (first + height).min(all));
    let shown = (all > height).then(|| StyledRun::new(shown, Role::Muted));
    let title = [StyledRun::new(format!(" Targets, signals, hosts: {all}"), Role::Accent)];
    let rows = layout::heading(cx, &title, shown.as_slice(), area, buf);
    draw_rows(cx, service, cx.shared.world.health_policy.thresholds.saturation_degraded, (first, rows), buf);
    if let Some(y) = (rows.top()..rows.bottom()).nth(list.index().saturating_sub(first)) {
        let line = Rect { y, height: 1, ..rows };
        text::select(cx, line, buf);
    }
}

/// Draws the rows from `first` on, as many as fit.
fn draw_rows(cx: &Cx<'_>, service: &Service, limit: f64, (first, area): (usize, Rect), buf: &mut Buffer) {
    let parts = parts(service, limit);
    text::lines(cx, parts.iter().skip(first).map(|part| part.runs(cx, limit)), area, buf);
}
