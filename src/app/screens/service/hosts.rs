//! The list of a service's targets that are down, named signals and hosts, bad ones first.

use crate::app::number::percent;
use crate::app::prelude::*;
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
            Self::Host(host) => host.fullest().is_some_and(|usage| usage.ratio >= limit),
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

/// Draws the rows from `first` on, as many as fit.
pub(super) fn draw(
    cx: &Cx<'_>,
    service: &Service,
    limit: f64,
    (first, area): (usize, Rect),
    buf: &mut Buffer,
) {
    let parts = parts(service, limit);
    text::lines(cx, parts.iter().skip(first).map(|part| part.runs(cx, limit)), area, buf);
}
