//! The parts of a service: hosts with the usage of each resource, and servers that are only monitored through an exporter.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::sync::Arc;

use super::health::{Health, percent};
use super::labels::Text;

#[derive(Debug, Clone, PartialEq)]
pub struct Usage {
    /// The resource: `disk`; empty if unknown.
    pub resource: Text,
    /// The instance of the resource on a host: `/var`; empty if there is only one.
    pub part: Text,
    /// The usage: 1 is full. Above 1 if the demand exceeds the capacity.
    pub ratio: f64,
}

/// A machine or instance that a service runs on.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Host {
    /// Its `instance` label; empty for values of the service as a whole.
    pub instance: Text,
    /// The display name: without the port unless it is needed to distinguish hosts.
    pub name: Text,
    /// Its resources, the highest usage first.
    pub usages: Vec<Usage>,
}

impl Host {
    /// Adds another reading of the same host; of each resource the higher usage counts.
    pub(super) fn merge_higher_usage(&mut self, other: &Self) {
        for usage in &other.usages {
            let same = |known: &&mut Usage| (&known.resource, &known.part) == (&usage.resource, &usage.part);
            match self.usages.iter_mut().find(same) {
                Some(known) if known.ratio < usage.ratio => known.ratio = usage.ratio,
                Some(_) => {}
                None => self.usages.push(usage.clone()),
            }
        }
    }

    /// Its resource with the highest usage.
    pub fn highest_usage(&self) -> Option<&Usage> {
        self.usages.first()
    }
}

/// The resources of all hosts with their hosts, the highest usage first.
pub fn highest_usage(hosts: &[Host]) -> Vec<(&Host, &Usage)> {
    let mut all: Vec<_> =
        hosts.iter().flat_map(|host| host.usages.iter().map(move |usage| (host, usage))).collect();
    all.sort_by(|a, b| b.1.ratio.total_cmp(&a.1.ratio));
    all
}

/// Sorts hosts and their resources: the highest usage first, then by name.
pub fn order(hosts: &mut [Host]) {
    for host in hosts.iter_mut() {
        host.usages.sort_by(|a, b| {
            b.ratio.total_cmp(&a.ratio).then_with(|| (&a.resource, &a.part).cmp(&(&b.resource, &b.part)))
        });
    }
    let ratio = |host: &Host| host.highest_usage().map_or(f64::NEG_INFINITY, |usage| usage.ratio);
    hosts.sort_by(|a, b| {
        ratio(b).total_cmp(&ratio(a)).then_with(|| (&a.name, &a.instance).cmp(&(&b.name, &b.instance)))
    });
}

/// The location as text: ` on web-17 /var`, ` on /var`, or empty.
pub fn place(host: &str, part: &str) -> String {
    match (host, part) {
        ("", "") => String::new(),
        ("", only) | (only, "") => format!(" on {only}"),
        (host, part) => format!(" on {host} {part}"),
    }
}

/// A saturated resource with its host; displayed as `disk 97.9% on web-17 /var`.
#[derive(Debug, Clone, PartialEq)]
pub struct Saturated {
    pub usage: Usage,
    /// The name of the host; empty for the service as a whole.
    pub host: Text,
}

impl fmt::Display for Saturated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Usage { resource, part, ratio } = &self.usage;
        match &**resource {
            "" => write!(f, "saturated: {}", percent(*ratio))?,
            resource => write!(f, "{resource} {}", percent(*ratio))?,
        }
        f.write_str(&place(&self.host, part))
    }
}

/// Servers of one kind that are monitored through an exporter: an exporter can be up while its server is down.
#[derive(Debug, Clone, PartialEq)]
pub struct MonitoredServers {
    /// The text for a server that is down: `Redis does not answer`.
    pub says: Text,
    pub total: u32,
    /// The names of servers that are down; may be fewer than `count`.
    pub down: Vec<Text>,
    /// The number of servers that are down.
    pub count: u32,
    /// The health if some servers are down, but not all.
    pub partly: Health,
}

impl MonitoredServers {
    /// The health; `None` if all servers are up.
    pub fn health(&self) -> Option<Health> {
        match self.count {
            0 => None,
            count if count >= self.total => Some(Health::Down),
            _ => Some(self.partly),
        }
    }
}

/// How many servers that are down a reason lists.
const MAX_LISTED_SERVERS: usize = 3;

impl fmt::Display for MonitoredServers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names = self.down.iter().filter(|name| !name.is_empty()).take(MAX_LISTED_SERVERS).peekable();
        f.write_str(&self.says)?;
        match (self.total, names.peek().is_some()) {
            (1, false) => return Ok(()),
            (1, true) => f.write_str(" (")?,
            (_, false) => return write!(f, " ({} of {})", self.count, self.total),
            (_, true) => write!(f, " ({} of {}: ", self.count, self.total)?,
        }
        let mut shown = 0;
        for name in names {
            write!(f, "{}{name}", if shown > 0 { ", " } else { "" })?;
            shown += 1;
        }
        f.write_str(if shown < self.count { ", ...)" } else { ")" })
    }
}

/// A signal with its own text, defined by a metric pack: `replication lag 34s on db-2`.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedSignal {
    /// The name: `replication lag`.
    pub name: Text,
    /// The name of the host; empty for the service as a whole.
    pub host: Text,
    /// The instance on a host, if there are several.
    pub part: Text,
    /// The value, in the pack's unit.
    pub value: f64,
    /// The text, with value and location.
    pub words: Text,
    /// The health that it causes; `None` if it is for information only.
    pub health: Option<Health>,
}

impl fmt::Display for NamedSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

/// Merges hosts by `instance`; `join` combines two readings of one host.
pub(super) fn joined<'a>(
    each: impl Iterator<Item = &'a Host>,
    join: impl Fn(&mut Host, &Host),
) -> Arc<[Host]> {
    let mut all: BTreeMap<&Text, Host> = BTreeMap::new();
    for host in each {
        match all.entry(&host.instance) {
            Entry::Vacant(free) => {
                free.insert(host.clone());
            }
            Entry::Occupied(mut known) => join(known.get_mut(), host),
        }
    }
    let mut all: Vec<Host> = all.into_values().collect();
    order(&mut all);
    all.into()
}

/// Merges server groups by their text; `join` combines two readings of one group.
pub(super) fn servers<'a>(
    each: impl Iterator<Item = &'a MonitoredServers>,
    join: impl Fn(&mut MonitoredServers, &MonitoredServers),
) -> Vec<MonitoredServers> {
    let mut all: Vec<MonitoredServers> = Vec::new();
    for servers in each {
        match all.iter_mut().find(|known| known.says == servers.says) {
            Some(known) => join(known, servers),
            None => all.push(servers.clone()),
        }
    }
    all
}

/// The index of each name in order of first occurrence, which is the order in the pack, the most important first.
pub(super) fn places<'a>(signals: impl Iterator<Item = &'a NamedSignal>) -> BTreeMap<Text, usize> {
    let mut places = BTreeMap::new();
    for signal in signals {
        let next = places.len();
        places.entry(signal.name.clone()).or_insert(next);
    }
    places
}

/// All named signals, grouped by name; of duplicates at the same location the worse one.
pub(super) fn signals<'a>(each: impl Iterator<Item = &'a NamedSignal>) -> Vec<NamedSignal> {
    let mut all: Vec<NamedSignal> = each.cloned().collect();
    let places = places(all.iter());
    let bad = |signal: &NamedSignal| signal.health.is_none();
    all.sort_by(|a, b| {
        let place = |s: &NamedSignal| (places.get(&s.name).copied(), s.host.clone(), s.part.clone());
        place(a).cmp(&place(b)).then_with(|| (bad(a), a.health).cmp(&(bad(b), b.health)))
    });
    all.dedup_by(|again, kept| {
        (&again.name, &again.host, &again.part) == (&kept.name, &kept.host, &kept.part)
    });
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(resource: &str, part: &str, ratio: f64) -> Usage {
        Usage { resource: resource.into(), part: part.into(), ratio }
    }

    #[test]
    fn what_is_full_is_named_with_its_host_and_part() {
        let full = |host: &str, usage: Usage| Saturated { usage, host: host.into() }.to_string();
        assert_eq!(full("web-17", usage("disk", "/var", 0.979)), "disk 97.9% on web-17 /var");
        assert_eq!(full("web-17", usage("memory", "", 0.95)), "memory 95.0% on web-17");
        assert_eq!(full("", usage("connections", "app3", 1.3)), "connections 130% on app3");
        assert_eq!(full("", usage("", "", 0.95)), "saturated: 95.0%");
    }

    #[test]
    fn the_fullest_host_stands_first_and_its_fullest_resource_too() {
        let host = |name: &str, usages: Vec<Usage>| Host { instance: name.into(), name: name.into(), usages };
        let mut hosts = vec![
            host("a", vec![usage("cpu", "", 0.1), usage("disk", "/", 0.2)]),
            host("b", vec![usage("cpu", "", 0.3), usage("disk", "/", 0.98)]),
            host("c", vec![]),
        ];
        order(&mut hosts);
        assert_eq!(hosts.iter().map(|host| &*host.name).collect::<Vec<_>>(), ["b", "a", "c"]);
        let all: Vec<_> =
            highest_usage(&hosts).iter().map(|(host, usage)| (&*host.name, usage.ratio)).collect();
        assert_eq!(all, [("b", 0.98), ("b", 0.3), ("a", 0.2), ("a", 0.1)]);
    }

    #[test]
    fn signals_stand_in_the_order_of_their_pack_whoever_tells_them() {
        let signal = |name: &str, host: &str, health| NamedSignal {
            name: name.into(),
            host: host.into(),
            part: Text::default(),
            value: 1.0,
            words: name.into(),
            health,
        };
        let bad = Some(Health::Degraded);
        let reported = [
            signal("out of memory", "b", bad),
            signal("clock", "b", bad),
            signal("out of memory", "a", None),
            signal("out of memory", "a", bad),
        ];
        let merged = signals(reported.iter());
        let names: Vec<_> = merged.iter().map(|s| (&*s.name, &*s.host, s.health)).collect();
        assert_eq!(names, [("out of memory", "a", bad), ("out of memory", "b", bad), ("clock", "b", bad)]);
    }

    #[test]
    fn a_server_that_is_dead_behind_its_exporter_is_named() {
        let servers = |total, count, down: &[&str]| MonitoredServers {
            says: "Redis does not answer".into(),
            total,
            count,
            down: down.iter().map(|name| Text::from(*name)).collect(),
            partly: Health::Degraded,
        };
        for (servers, health, words) in [
            (servers(2, 0, &[]), None, "Redis does not answer (0 of 2)"),
            (servers(1, 1, &["a"]), Some(Health::Down), "Redis does not answer (a)"),
            (servers(1, 1, &[""]), Some(Health::Down), "Redis does not answer"),
            (servers(2, 1, &["b"]), Some(Health::Degraded), "Redis does not answer (1 of 2: b)"),
            (
                servers(9, 5, &["a", "b", "c", "d", "e"]),
                Some(Health::Degraded),
                "Redis does not answer (5 of 9: a, b, c, ...)",
            ),
        ] {
            assert_eq!((servers.health(), servers.to_string()), (health, words.to_owned()));
        }
    }
}
