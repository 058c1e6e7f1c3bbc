//! Fills in the hosts of services with their utilisation, the servers behind exporters, custom signals, and the targets of
//! proxies.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::{DOWN_NAMED, QueryPart, ReadingSet, ServiceAnswers, ServiceReading, reading};
use crate::backend::packs::{OwnSignal, PackEntry, Saturation, Up};
use crate::backend::prometheus::history::resource_of;
use crate::backend::prometheus::metric_discovery::{MetricDiscovery, ProxyTarget};
use crate::backend::prometheus::wire::Sample;
use crate::model::host::{self, Host, MonitoredServers, NamedSignal, Usage};
use crate::model::labels::Text;
use crate::model::service::{DownTarget, ScrapeTargets};

const INSTANCE: &str = "instance";

/// The values of these labels of a sample, without the host label and the labels in `without`.
pub(in crate::backend::prometheus) fn part(sample: &Sample, labels: &[String], without: &[&str]) -> Text {
    let named = labels.iter().filter(|label| *label != INSTANCE && !without.contains(&label.as_str()));
    let values: Vec<&Text> = named.filter_map(|label| sample.labels.get(label)).collect();
    match values.as_slice() {
        [] => Text::default(),
        [only] => Text::clone(only),
        several => several.iter().map(|value| &***value).collect::<Vec<_>>().join(" ").into(),
    }
}

/// The host of a sample, if the entry has the host label; else empty.
pub(in crate::backend::prometheus) fn instance(sample: &Sample, labels: &[String]) -> Text {
    let host_samples = labels.iter().any(|label| label == INSTANCE);
    host_samples.then(|| sample.labels.get(INSTANCE).cloned()).flatten().unwrap_or_default()
}

/// `web-17:9100` without its port; any other text unchanged.
fn without_port(instance: &str) -> &str {
    match instance.rsplit_once(':') {
        Some((host, port))
            if !host.is_empty()
                && !host.contains('/')
                && (!host.contains(':') || host.ends_with(']'))
                && port.chars().all(|c| c.is_ascii_digit()) =>
        {
            host
        }
        _ => instance,
    }
}

/// The display names of hosts of a service that differ from the instance: the name that the host reports, else the instance
/// without the port; only names that no other host of the service has.
pub(in crate::backend::prometheus) fn host_names(
    instances: &BTreeSet<&Text>,
    reported: &[(&Text, &Text)],
) -> HashMap<Text, Text> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for instance in instances {
        *counts.entry(without_port(instance)).or_default() += 1;
    }
    let short = instances.iter().map(|instance| (Text::clone(instance), without_port(instance)));
    let short = short.filter(|(_, host)| counts.get(host) == Some(&1));
    let mut names: HashMap<Text, Text> = short.map(|(instance, host)| (instance, host.into())).collect();
    for (instance, name) in reported {
        let is_taken = reported.iter().any(|(other, its)| other != instance && its == name);
        if !name.is_empty() && !is_taken {
            names.insert(Text::clone(instance), Text::clone(name));
        }
    }
    names
}

/// Fills in hosts, servers and signals of all services.
pub(super) fn fill(answers: &ServiceAnswers<'_>, readings: &mut ReadingSet) {
    let names = names(answers);
    let mut hosts: HashMap<&Text, HashMap<Text, Host>> = HashMap::new();
    for (job, result) in answers {
        let (Some((found, group)), Ok(reported)) = (job.entry, result) else { continue };
        let Some(labels) = found.entry.labels() else { continue };
        for (service, sample) in group.samples_by_service(&reported.samples) {
            if !sample.value.is_finite() || found.only_adds && !readings.contains_key(service) {
                continue;
            }
            let instance = instance(sample, labels);
            let host = names.get(service).and_then(|names| names.get(&instance)).unwrap_or(&instance).clone();
            match &found.entry {
                PackEntry::Saturation(entry) => {
                    let usage = usage(entry, sample);
                    let saturation = &mut reading(readings, service).signals.saturation;
                    *saturation = Some(saturation.map_or(usage.ratio, |known| known.max(usage.ratio)));
                    let its = hosts.entry(service).or_default().entry(instance);
                    let host = its.or_insert_with_key(|instance| Host {
                        name: host,
                        instance: instance.clone(),
                        ..Host::default()
                    });
                    host.usages.push(usage);
                }
                PackEntry::Up(entry) => {
                    add_server(entry, sample, &host, &mut reading(readings, service).servers);
                }
                PackEntry::Named(entry) if entry.host.is_none() => {
                    let named = named(entry, sample, host);
                    reading(readings, service).named.push(named);
                }
                PackEntry::Named(_) | PackEntry::Requests(_) | PackEntry::Latency(_) => {}
            }
        }
    }
    for (service, its) in hosts {
        let mut all: Vec<Host> = its.into_values().collect();
        host::order(&mut all);
        reading(readings, service).hosts = Arc::from(all);
    }
}

/// The [`host_names`] of each service.
fn names(answers: &ServiceAnswers<'_>) -> HashMap<Text, HashMap<Text, Text>> {
    let mut instances: HashMap<&Text, BTreeSet<&Text>> = HashMap::new();
    // what hosts call themselves: instance and name
    let mut reported_names: HashMap<&Text, Vec<(&Text, &Text)>> = HashMap::new();
    for (job, result) in answers {
        let (Some((found, group)), Ok(reported)) = (job.entry, result) else { continue };
        let Some(labels) = found.entry.labels() else { continue };
        let own = if let PackEntry::Named(entry) = &found.entry { entry.host.as_ref() } else { None };
        for (service, sample) in group.samples_by_service(&reported.samples) {
            let Some(instance) = sample.labels.get(INSTANCE) else { continue };
            if labels.iter().any(|label| label == INSTANCE) {
                instances.entry(service).or_default().insert(instance);
            }
            if let Some(name) = own.and_then(|label| sample.labels.get(label)) {
                reported_names.entry(service).or_default().push((instance, name));
            }
        }
    }
    let each = instances.into_iter().map(|(service, instances)| {
        let reported = reported_names.get(service).map_or(&[][..], Vec::as_slice);
        (service.clone(), host_names(&instances, reported))
    });
    each.collect()
}

fn usage(entry: &Saturation, sample: &Sample) -> Usage {
    let resource = sample.labels.get("__name__").map(|metric| resource_of(metric));
    Usage {
        resource: resource.unwrap_or(&entry.resource).into(),
        part: part(sample, &entry.labels, &[]),
        ratio: sample.value.max(0.0),
    }
}

/// Counts a server among those of its kind.
fn add_server(entry: &Up, sample: &Sample, host: &Text, all: &mut Vec<MonitoredServers>) {
    let at = all.iter().position(|servers| *servers.says == *entry.says).unwrap_or_else(|| {
        let (says, partly) = (entry.says.as_str().into(), entry.partly.health());
        all.push(MonitoredServers { says, total: 0, down: Vec::new(), count: 0, partly });
        all.len() - 1
    });
    let Some(servers) = all.get_mut(at) else { return };
    servers.total = servers.total.saturating_add(1);
    if sample.value <= 0.0 {
        servers.count = servers.count.saturating_add(1);
        if servers.down.len() < DOWN_NAMED {
            servers.down.push(join(host, &part(sample, &entry.labels, &[])));
        }
    }
}

fn join(host: &Text, part: &Text) -> Text {
    match (&**host, &**part) {
        ("", _) => part.clone(),
        (_, "") => host.clone(),
        (host, part) => format!("{host} {part}").into(),
    }
}

fn named(entry: &OwnSignal, sample: &Sample, host: Text) -> NamedSignal {
    let (words, used) = entry.words(sample.value, |label| sample.labels.value(label));
    let (own, elsewhere) = (part(sample, &entry.labels, &[]), part(sample, &entry.labels, &used));
    let place = host::place(if used.contains(&INSTANCE) { "" } else { &host }, &elsewhere);
    NamedSignal {
        name: entry.name.as_str().into(),
        words: format!("{words}{place}").into(),
        host,
        part: own,
        value: sample.value,
        health: entry.health(sample.value),
    }
}

/// Fills in the labels and targets of services that are found through a proxy: they are those of the proxy.
pub(super) fn proxied(discovery: &MetricDiscovery, answers: &ServiceAnswers<'_>, readings: &mut ReadingSet) {
    let mut down = answers.iter().filter(|(job, _)| matches!(job.part, QueryPart::Down));
    let down = down.next().and_then(|(_, result)| Some(&result.as_ref().ok()?.samples));
    for (service, reported) in &discovery.proxy_targets {
        let targets = down.and_then(|down| targets(reported, down));
        let is_down = targets.as_ref().is_some_and(|targets| targets.up == 0);
        // without this, a service would vanish while its proxy is down
        if !is_down && !readings.contains_key(service) {
            continue;
        }
        let reading: &mut ServiceReading = reading(readings, service);
        reading.named_by = Some(reported.label.clone());
        reading.labels = reported.labels.labels();
        reading.targets = targets.unwrap_or_default();
    }
}

/// The targets of a proxy; `None` if there are none.
fn targets(reported: &ProxyTarget, down: &[Sample]) -> Option<ScrapeTargets> {
    let total = u32::try_from(reported.targets.len()).ok().filter(|total| *total > 0)?;
    let its = down.iter().filter_map(|sample| {
        let target = (sample.labels.get("job").cloned()?, sample.labels.get(INSTANCE).cloned()?);
        reported.targets.contains(&target).then_some(DownTarget { job: target.0, instance: target.1 })
    });
    let mut down: Vec<DownTarget> = its.collect();
    down.sort_unstable();
    down.dedup();
    let up = total.saturating_sub(u32::try_from(down.len()).unwrap_or(u32::MAX));
    Some(ScrapeTargets { up, total, down })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_called_by_its_name_and_by_its_port_only_where_that_is_needed() {
        for (instance, host) in [
            ("web-17:9100", "web-17"),
            ("10.0.0.1:9100", "10.0.0.1"),
            ("[::1]:9100", "[::1]"),
            ("::1", "::1"),
            ("https://shop.example.com:443/x", "https://shop.example.com:443/x"),
            ("http://shop:8080", "http://shop:8080"),
            ("web-17", "web-17"),
            (":9100", ":9100"),
        ] {
            assert_eq!(without_port(instance), host);
        }
        let instances = ["a:1", "a:2", "b:1"].map(Text::from);
        let [web, same, empty] = ["web-17", "localhost", ""].map(Text::from);
        let [first, second, third] = instances.each_ref();
        let names_of = |reported: &[(&Text, &Text)]| {
            let names = host_names(&instances.iter().collect(), reported);
            instances.each_ref().map(|instance| names.get(instance).unwrap_or(instance).to_string())
        };
        assert_eq!(names_of(&[]), ["a:1", "a:2", "b"]);
        let alike = names_of(&[(first, &same), (second, &same), (third, &empty)]);
        assert_eq!(alike, ["a:1", "a:2", "b"], "no two hosts are called alike");
        assert_eq!(names_of(&[(first, &web), (second, &same)]), ["web-17", "localhost", "b"]);
    }
}
