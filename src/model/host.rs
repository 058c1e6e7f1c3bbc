//! What a service is made of: its hosts with how full each resource is, and servers that only their exporter speaks of.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::sync::Arc;

use super::health::{Health, percent};
use super::labels::Text;

#[derive(Debug, Clone, PartialEq)]
pub struct Usage {
    /// What is full: `disk`; empty if that is not known.
    pub resource: Text,
    /// Which of several on one host: `/var`; empty if there is one.
    pub part: Text,
    /// The use: 1 is full. Above 1 where more is asked for than there is.
    pub ratio: f64,
}

/// One of the machines or instances that a service runs on.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Host {
    /// Its `instance` label; empty for what is measured of the service as a whole.
    pub instance: Text,
    /// What people call it: without the port where that is not needed to tell it from others.
    pub name: Text,
    /// Its resources, the fullest first.
    pub usages: Vec<Usage>,
}

impl Host {
    /// Takes what another reading says of it; of the same resource the fuller.
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

    pub fn fullest(&self) -> Option<&Usage> {
        self.usages.first()
    }
}

/// The fullest resources of all hosts, the fullest first, each with its host.
pub fn fullest(hosts: &[Host]) -> Vec<(&Host, &Usage)> {
    let mut all: Vec<_> =
        hosts.iter().flat_map(|host| host.usages.iter().map(move |usage| (host, usage))).collect();
    all.sort_by(|a, b| b.1.ratio.total_cmp(&a.1.ratio));
    all
}

/// Brings hosts and their resources into order: the fullest first, then by name.
pub fn order(hosts: &mut [Host]) {
    for host in hosts.iter_mut() {
        host.usages.sort_by(|a, b| {
            b.ratio.total_cmp(&a.ratio).then_with(|| (&a.resource, &a.part).cmp(&(&b.resource, &b.part)))
        });
    }
    let ratio = |host: &Host| host.fullest().map_or(f64::NEG_INFINITY, |usage| usage.ratio);
    hosts.sort_by(|a, b| {
        ratio(b).total_cmp(&ratio(a)).then_with(|| (&a.name, &a.instance).cmp(&(&b.name, &b.instance)))
    });
}

/// Where something is: ` on web-17 /var`, ` on /var`, or nothing.
pub fn place(host: &str, part: &str) -> String {
    match (host, part) {
        ("", "") => String::new(),
        ("", only) | (only, "") => format!(" on {only}"),
        (host, part) => format!(" on {host} {part}"),
    }
}

/// `disk 97.9% on web-17 /var`
#[derive(Debug, Clone, PartialEq)]
pub struct Saturated {
    pub usage: Usage,
    /// The name of the host; empty if it is of the service as a whole.
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

/// Servers of one kind that answer through an exporter: whether the exporter answers says nothing of them.
#[derive(Debug, Clone, PartialEq)]
pub struct MonitoredServers {
    /// What is wrong with one that is down: `Redis does not answer`.
    pub says: Text,
    pub total: u32,
    /// Those that are down, as many as are named.
    pub down: Vec<Text>,
    pub count: u32,
    /// How bad it is if some are, and not all.
    pub partly: Health,
}

impl MonitoredServers {
    /// How bad it is; `None` if all of them are up.
    pub fn health(&self) -> Option<Health> {
        match self.count {
            0 => None,
            count if count >= self.total => Some(Health::Down),
            _ => Some(self.partly),
        }
    }
}

/// As many that are down are named in a reason.
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

/// A signal that has words of its own, as a pack says: `replication lag 34s on db-2`.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedSignal {
    /// What it is about: `replication lag`.
    pub name: Text,
    /// The name of the host; empty if it is of the service as a whole.
    pub host: Text,
    /// Which of several on one host.
    pub part: Text,
    /// The value, in the pack's unit.
    pub value: f64,
    /// In words, with the value and the place.
    pub words: Text,
    /// How bad it is; `None`: it is only worth telling.
    pub health: Option<Health>,
}

impl fmt::Display for NamedSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

/// All hosts; what several readings say of one is joined.
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

/// All kinds of servers; what several readings say of one kind is joined.
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

/// The place of each name in the order in which the names first come: that of their pack, which has what matters most first.
pub(super) fn places<'a>(signals: impl Iterator<Item = &'a NamedSignal>) -> BTreeMap<Text, usize> {
    let mut places = BTreeMap::new();
    for signal in signals {
        let next = places.len();
        places.entry(signal.name.clone()).or_insert(next);
    }
    places
}

/// All signals with words of their own, those of a name together; of the same at the same place the graver.
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
        let all: Vec<_> = fullest(&hosts).iter().map(|(host, usage)| (&*host.name, usage.ratio)).collect();
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
        let told = [
            signal("out of memory", "b", bad),
            signal("clock", "b", bad),
            signal("out of memory", "a", None),
            signal("out of memory", "a", bad),
        ];
        let merged = signals(told.iter());
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
