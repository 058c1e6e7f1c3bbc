//! What a service is made of: its hosts and how full they are, servers behind exporters, signals with words of their own, and
//! the target of the proxy that speaks of it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::{Answers, Part, Reading, Readings, reading};
use crate::backend::prometheus::call::Told;
use crate::backend::prometheus::survey::{Survey, ToldBy};
use crate::backend::prometheus::wire::Sample;
use crate::model::host::{self, Host, MonitoredServers, NamedSignal, Usage};
use crate::model::labels::Text;
use crate::model::service::{DownTarget, Targets};

/// Of one kind of server no more that are down are named; all are counted.
const DOWN_NAMED: usize = 50;

/// What stands in the label of a host.
const INSTANCE: &str = "instance";

/// The values of these labels of a sample, but for the host's.
fn part(sample: &Sample, labels: &[String], without: &[&str]) -> Text {
    let named = labels.iter().filter(|label| *label != INSTANCE && !without.contains(&label.as_str()));
    let values: Vec<&Text> = named.filter_map(|label| sample.labels.get(label)).collect();
    match values.as_slice() {
        [] => Text::default(),
        [only] => Text::clone(only),
        several => several.iter().map(|value| &***value).collect::<Vec<_>>().join(" ").into(),
    }
}

/// The host of a sample, if the entry keeps it.
fn instance(sample: &Sample, labels: &[String]) -> Text {
    let kept = labels.iter().any(|label| label == INSTANCE);
    kept.then(|| sample.labels.get(INSTANCE).cloned()).flatten().unwrap_or_default()
}

/// `web-17:9100` without its port; what is no host and port stays.
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

/// What people call each host of a service: as it calls itself, or without the port, where that leaves no two alike.
pub(super) struct Names(HashMap<Text, Text>);

impl Names {
    fn of<'a>(instances: impl Iterator<Item = &'a Text>) -> Self {
        let mut by_host: BTreeMap<&str, Vec<&Text>> = BTreeMap::new();
        for instance in instances {
            let alike = by_host.entry(without_port(instance)).or_default();
            if !alike.contains(&instance) {
                alike.push(instance);
            }
        }
        let mut names = HashMap::new();
        for (host, alike) in by_host {
            for instance in &alike {
                let short = alike.len() == 1 && host.len() < instance.len();
                let name = if short { Text::from(host) } else { Text::clone(instance) };
                names.insert(Text::clone(instance), name);
            }
        }
        Self(names)
    }

    /// Takes what hosts call themselves, where no other host of the service is called so.
    fn take(&mut self, own: &[(&Text, &Text)]) {
        for (instance, name) in own {
            let is_taken = own.iter().any(|(other, its)| other != instance && its == name);
            if !name.is_empty() && !is_taken {
                self.0.insert(Text::clone(instance), Text::clone(name));
            }
        }
    }

    fn name(&self, instance: &Text) -> Text {
        self.0.get(instance).unwrap_or(instance).clone()
    }
}

/// Fills in hosts, servers and signals of all services.
pub(super) fn fill(survey: &Survey, answers: &Answers, readings: &mut Readings) {
    let names = names(survey, answers);
    saturations(survey, answers, &names, readings);
    ups(survey, answers, &names, readings);
    signals(survey, answers, &names, readings);
}

/// The samples of each answer, with the labels that its entry keeps and the one that names the service.
fn kept<'a>(
    survey: &'a Survey,
    answers: &'a Answers,
) -> impl Iterator<Item = (&'a str, &'a [String], &'a [Sample])> {
    answers.iter().filter_map(|(job, result)| {
        let samples = &result.as_ref().ok()?.samples;
        let (labels, lane) = match job.part {
            Part::Full(e, l) => {
                let found = survey.saturations.get(e)?;
                (&found.entry.labels, found.lanes.get(l)?)
            }
            Part::Up(e, l) => {
                let found = survey.ups.get(e)?;
                (&found.entry.labels, found.lanes.get(l)?)
            }
            Part::Named(e, l) => {
                let found = survey.named.get(e)?;
                (&found.entry.labels, found.lanes.get(l)?)
            }
            Part::All(..)
            | Part::Failed(..)
            | Part::Quantile(..)
            | Part::Apdex(..)
            | Part::Targets
            | Part::Down => {
                return None;
            }
        };
        Some((lane.label.as_str(), labels.as_slice(), samples.as_slice()))
    })
}

fn names(survey: &Survey, answers: &Answers) -> HashMap<Text, Names> {
    let mut instances: HashMap<&Text, Vec<&Text>> = HashMap::new();
    for (label, labels, samples) in kept(survey, answers) {
        if !labels.iter().any(|label| label == INSTANCE) {
            continue;
        }
        for sample in samples {
            if let (Some(service), Some(instance)) = (sample.labels.get(label), sample.labels.get(INSTANCE)) {
                instances.entry(service).or_default().push(instance);
            }
        }
    }
    let own = called(survey, answers);
    let each = instances.into_iter().map(|(service, mut instances)| {
        instances.sort_unstable();
        instances.dedup();
        let mut names = Names::of(instances.into_iter());
        names.take(own.get(service).map_or(&[], Vec::as_slice));
        (service.clone(), names)
    });
    each.collect()
}

/// What the hosts of each service call themselves: instance and name.
fn called<'a>(survey: &Survey, answers: &'a Answers) -> HashMap<&'a Text, Vec<(&'a Text, &'a Text)>> {
    let mut called: HashMap<&Text, Vec<(&Text, &Text)>> = HashMap::new();
    for (job, result) in answers {
        let (Part::Named(e, l), Ok(Told { samples, .. })) = (job.part, result) else { continue };
        let Some((found, label)) = survey.named.get(e).and_then(|f| Some((f, f.entry.host.as_ref()?))) else {
            continue;
        };
        let Some(lane) = found.lanes.get(l) else { continue };
        for sample in samples {
            let says = |label: &str| sample.labels.get(label);
            if let (Some(service), Some(instance), Some(name)) =
                (says(&lane.label), says(INSTANCE), says(label))
            {
                called.entry(service).or_default().push((instance, name));
            }
        }
    }
    called
}

fn name_of(names: &HashMap<Text, Names>, service: &Text, instance: &Text) -> Text {
    names.get(service).map_or_else(|| instance.clone(), |names| names.name(instance))
}

fn saturations(survey: &Survey, answers: &Answers, names: &HashMap<Text, Names>, readings: &mut Readings) {
    let mut hosts: HashMap<Text, HashMap<Text, Host>> = HashMap::new();
    for (job, result) in answers {
        let (Part::Full(e, l), Ok(Told { samples, .. })) = (job.part, result) else { continue };
        let Some(found) = survey.saturations.get(e) else { continue };
        let Some(lane) = found.lanes.get(l) else { continue };
        let resource: Text = found.entry.resource.as_str().into();
        for sample in samples {
            let Some(service) = sample.labels.get(&lane.label) else { continue };
            if !sample.value.is_finite() || found.entry.only_known && !readings.contains_key(service) {
                continue;
            }
            let ratio = sample.value.max(0.0);
            let saturation = &mut reading(readings, service).signals.saturation;
            *saturation = Some(saturation.map_or(ratio, |known| known.max(ratio)));
            let resource = match sample.labels.get("__name__") {
                Some(metric) => super::super::history::resource_of(metric).into(),
                None => resource.clone(),
            };
            let instance = instance(sample, &found.entry.labels);
            let usage = Usage { resource, part: part(sample, &found.entry.labels, &[]), ratio };
            let its = hosts.entry(service.clone()).or_default();
            its.entry(instance).or_default().usages.push(usage);
        }
    }
    for (service, its) in hosts {
        let named = its.into_iter().map(|(instance, host)| Host {
            name: name_of(names, &service, &instance),
            instance,
            usages: host.usages,
        });
        let mut all: Vec<Host> = named.collect();
        host::order(&mut all);
        reading(readings, &service).hosts = Arc::from(all);
    }
}

fn ups(survey: &Survey, answers: &Answers, names: &HashMap<Text, Names>, readings: &mut Readings) {
    for (job, result) in answers {
        let (Part::Up(e, l), Ok(Told { samples, .. })) = (job.part, result) else { continue };
        let Some(found) = survey.ups.get(e) else { continue };
        let Some(lane) = found.lanes.get(l) else { continue };
        let says: Text = found.entry.says.as_str().into();
        for sample in samples {
            let Some(service) = sample.labels.get(&lane.label) else { continue };
            if !sample.value.is_finite() || found.entry.only_known && !readings.contains_key(service) {
                continue;
            }
            let all = &mut reading(readings, service).servers;
            let at = all.iter().position(|servers| servers.says == says).unwrap_or_else(|| {
                let partly = found.entry.partly.health();
                all.push(MonitoredServers {
                    says: says.clone(),
                    total: 0,
                    down: Vec::new(),
                    count: 0,
                    partly,
                });
                all.len() - 1
            });
            let Some(servers) = all.get_mut(at) else { continue };
            servers.total = servers.total.saturating_add(1);
            if sample.value <= 0.0 {
                servers.count = servers.count.saturating_add(1);
                if servers.down.len() < DOWN_NAMED {
                    let host = name_of(names, service, &instance(sample, &found.entry.labels));
                    let part = part(sample, &found.entry.labels, &[]);
                    servers.down.push(join(&host, &part));
                }
            }
        }
    }
}

/// Host and part as one name.
fn join(host: &Text, part: &Text) -> Text {
    match (&**host, &**part) {
        ("", _) => part.clone(),
        (_, "") => host.clone(),
        (host, part) => format!("{host} {part}").into(),
    }
}

fn signals(survey: &Survey, answers: &Answers, names: &HashMap<Text, Names>, readings: &mut Readings) {
    for (job, result) in answers {
        let (Part::Named(e, l), Ok(Told { samples, .. })) = (job.part, result) else { continue };
        let Some(found) = survey.named.get(e) else { continue };
        let Some(lane) = found.lanes.get(l) else { continue };
        let entry = &found.entry;
        if entry.host.is_some() {
            continue;
        }
        let name: Text = entry.name.as_str().into();
        for sample in samples {
            let Some(service) = sample.labels.get(&lane.label) else { continue };
            if !sample.value.is_finite() || entry.only_known && !readings.contains_key(service) {
                continue;
            }
            let (words, used) = entry.words(sample.value, |label| sample.labels.value(label));
            let host = name_of(names, service, &instance(sample, &entry.labels));
            let (part, elsewhere) = (part(sample, &entry.labels, &[]), part(sample, &entry.labels, &used));
            let place = host::place(if used.contains(&INSTANCE) { "" } else { &host }, &elsewhere);
            reading(readings, service).named.push(NamedSignal {
                name: name.clone(),
                words: format!("{words}{place}").into(),
                host,
                part,
                value: sample.value,
                health: entry.health(sample.value),
            });
        }
    }
}

/// The labels and targets of services that no target names: those of the proxy that speaks of them.
pub(super) fn proxied(survey: &Survey, answers: &Answers, readings: &mut Readings) {
    let of = |wanted: fn(Part) -> bool| {
        let mut answers = answers.iter().filter(move |(job, _)| wanted(job.part));
        answers.next().and_then(|(_, result)| Some(&result.as_ref().ok()?.samples))
    };
    let down = of(|part| matches!(part, Part::Down));
    for (service, told) in &survey.told_by {
        let targets = down.and_then(|down| targets(told, down));
        let is_down = targets.as_ref().is_some_and(|targets| targets.up == 0);
        // its proxy being dead is all that is known of it
        if !is_down && !readings.contains_key(service) {
            continue;
        }
        let reading: &mut Reading = reading(readings, service);
        reading.named_by = Some(told.label.clone());
        reading.labels = told.labels();
        reading.targets = targets.unwrap_or_default();
    }
}

fn targets(told: &ToldBy, down: &[Sample]) -> Option<Targets> {
    let total = u32::try_from(told.targets.len()).ok().filter(|total| *total > 0)?;
    let its = down.iter().filter_map(|sample| {
        let target = (sample.labels.get("job").cloned()?, sample.labels.get(INSTANCE).cloned()?);
        told.targets.contains(&target).then_some(DownTarget { job: target.0, instance: target.1 })
    });
    let mut down: Vec<DownTarget> = its.collect();
    down.sort_unstable();
    down.dedup();
    let up = total.saturating_sub(u32::try_from(down.len()).unwrap_or(u32::MAX));
    Some(Targets { up, total, down })
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
        let names = Names::of(instances.iter());
        let called = |names: &Names| instances.each_ref().map(|instance| names.name(instance).to_string());
        assert_eq!(called(&names), ["a:1", "a:2", "b"]);
        let mut names = names;
        let [web, same, empty] = ["web-17", "localhost", ""].map(Text::from);
        let [first, second, third] = instances.each_ref();
        names.take(&[(first, &same), (second, &same), (third, &empty)]);
        assert_eq!(called(&names), ["a:1", "a:2", "b"], "no two hosts are called alike");
        names.take(&[(first, &web), (second, &same)]);
        assert_eq!(called(&names), ["web-17", "localhost", "b"]);
    }
}
