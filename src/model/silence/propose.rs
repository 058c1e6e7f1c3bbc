//! Proposes silences for marked alerts: matchers for exactly their combinations of label values.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use super::cover::{LabelProduct, cover};
use super::refusal;
use crate::model::labels::Labels;
use crate::model::matcher::{Matcher, Operator};
use crate::model::promql::literal;

/// The longest alternation, in characters, that is written without factoring out a common prefix.
const MAX_PLAIN_ALTERNATION: usize = 120;

/// The label with the uid of an alert's rule in Grafana: without the right to silence all alerts, a silence needs it.
const RULE_UID: &str = "__alert_rule_uid__";

/// Proposed silences for marked alerts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SilenceProposal {
    /// The matchers of each silence. Together they match the marked alerts and no other combination of values of the considered
    /// labels.
    pub silences: Vec<Vec<Matcher>>,
    /// The labels that the matchers do not consider.
    pub left_out: Vec<String>,
}

/// The input of [`propose`] in addition to the marked alerts.
#[derive(Debug, Clone, Copy)]
pub struct ProposalInput<'a> {
    /// The alerts that should not be silenced.
    pub others: &'a [&'a Labels],
    /// The labels that come first, after the alert's name.
    pub first: &'a [String],
    /// The labels that are not to be considered.
    pub without: &'a [String],
    /// The limit for the number of silences.
    pub most: usize,
}

/// Labels of the marked alerts that identify the sender instead of the problem: the same alert comes from each replica of a
/// Prometheus. Also the label `instance` of alerts with a `pod`, if it is only the current address of the pod; not for an
/// exporter that monitors several servers, which has one pod and many instances.
pub fn left_out(marked: &[&Labels], others: &[&Labels]) -> Vec<String> {
    let is_address = |labels: &&Labels| {
        let (host, port) = labels.value("instance").rsplit_once(':').unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        !labels.value("pod").is_empty() && host.parse::<IpAddr>().is_ok() && port.parse::<u16>().is_ok()
    };
    let mut instances: HashMap<&str, &str> = HashMap::new();
    let each_has_one = marked.iter().chain(others).copied().all(|labels| {
        let (pod, instance) = (labels.value("pod"), labels.value("instance"));
        pod.is_empty() || instance.is_empty() || *instances.entry(pod).or_insert(instance) == instance
    });
    let are_addresses = each_has_one && marked.iter().all(is_address);
    let is_left_out = |name: &str| {
        // Grafana routes by them; only the rule's uid is needed
        let is_of_routing = Labels::is_internal(name) && name != RULE_UID;
        let name = name.trim_matches('_');
        is_of_routing
            || name == "replica"
            || name.ends_with("_replica")
            || name == "instance" && are_addresses
    };
    let names: BTreeSet<&str> =
        marked.iter().flat_map(|labels| labels.iter().map(|(name, _)| &**name)).collect();
    names.into_iter().filter(|name| is_left_out(name)).map(str::to_owned).collect()
}

/// Proposes silences that match all marked alerts and no alert with another combination of the considered labels, now or
/// later.
///
/// A label that only some of the alerts have is considered for all of them: its absence counts as a value. One silence is enough
/// if all combinations of the values are marked; otherwise there are several. If there would be more than the limit, labels that
/// do not distinguish the alerts further are ignored, as long as no other alert is matched because of that. Without result if one
/// of the marked alerts has no label to match it by.
pub fn propose(marked: &[&Labels], wanted: ProposalInput<'_>) -> SilenceProposal {
    let names = names(marked, wanted.first);
    let is_kept = |name: &&&str| !wanted.without.iter().any(|left| left == **name);
    let mut kept: Vec<&str> = names.iter().filter(is_kept).copied().collect();
    let mut products = cover(&combinations(marked, &kept));
    if products.len() > wanted.most
        && let Some((fewer, of_fewer)) = with_fewer_labels(marked, wanted, &kept)
    {
        (kept, products) = (fewer, of_fewer);
    }
    let silences: Vec<Vec<Matcher>> = products.iter().map(|product| matchers(&kept, product)).collect();
    let left_out = names.iter().filter(|name| !kept.contains(name)).map(|name| (*name).to_owned()).collect();
    let is_empty = |silence: &Vec<Matcher>| refusal(silence).is_some();
    if silences.iter().any(is_empty) {
        return SilenceProposal::default();
    }
    SilenceProposal { silences, left_out }
}

/// The names of all labels, sorted by precedence.
fn names<'a>(marked: &[&'a Labels], first: &[String]) -> Vec<&'a str> {
    let rank = |name: &str| match name {
        "alertname" => 0,
        _ => first.iter().position(|one| one == name).map_or(usize::MAX, |at| at + 1),
    };
    let mut names: Vec<&str> =
        marked.iter().flat_map(|labels| labels.iter().map(|(name, _)| &**name)).collect();
    names.sort_unstable_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| a.cmp(b)));
    names.dedup();
    names
}

/// The label values of each alert, each combination once, in the order of the alerts.
fn combinations<'a>(marked: &[&'a Labels], names: &[&str]) -> Vec<Vec<&'a str>> {
    let mut seen = BTreeSet::new();
    let all = marked.iter().map(|labels| names.iter().map(|name| labels.value(name)).collect::<Vec<&str>>());
    all.filter(|one| seen.insert(one.clone())).collect()
}

/// Ignores labels until the number of silences is within the limit; `None` if that is not possible.
fn with_fewer_labels<'a, 'n>(
    marked: &[&'a Labels],
    wanted: ProposalInput<'_>,
    kept: &[&'n str],
) -> Option<(Vec<&'n str>, Vec<LabelProduct<'a>>)> {
    let distinct = combinations(marked, kept).len();
    let distinguishes_as_well = |names: &[&str]| {
        let of_marked = combinations(marked, names);
        let of_marked: BTreeSet<&Vec<&str>> = of_marked.iter().collect();
        let is_hidden = |other: &&Labels| {
            of_marked.contains(&names.iter().map(|name| other.value(name)).collect::<Vec<&str>>())
        };
        of_marked.len() == distinct && !wanted.others.iter().any(is_hidden)
    };
    let without = |names: &[&'n str], left: &str| -> Vec<&'n str> {
        names.iter().copied().filter(|name| *name != left).collect()
    };
    let count = |names: &[&str]| cover(&combinations(marked, names)).len();
    let is_needed =
        |name: &str| matches!(name, "alertname" | RULE_UID) || wanted.first.iter().any(|first| first == name);
    let needed: Vec<&str> = kept.iter().copied().filter(|name| is_needed(name)).collect();
    if count(&needed) > wanted.most {
        return None;
    }
    let mut names = kept.to_vec();
    let mut dropped = Vec::new();
    // the labels of lowest precedence are dropped first, and the names of things last
    let is_its_name = |name: &str| matches!(name, "pod" | "instance");
    let mut droppable: Vec<&str> = kept.iter().rev().copied().filter(|name| !is_needed(name)).collect();
    droppable.sort_by_key(|name| is_its_name(name));
    for name in droppable {
        let fewer = without(&names, name);
        if distinguishes_as_well(&fewer) {
            names = fewer;
            dropped.push(name);
        }
        if count(&names) <= wanted.most {
            break;
        }
    }
    if count(&names) > wanted.most {
        return None;
    }
    // dropped labels are added again where they do not increase the number of silences
    for name in dropped.into_iter().rev() {
        let more: Vec<&str> =
            kept.iter().copied().filter(|one| *one == name || names.contains(one)).collect();
        if count(&more) <= wanted.most {
            names = more;
        }
    }
    let products = cover(&combinations(marked, &names));
    Some((names, products))
}

fn matchers(names: &[&str], product: &LabelProduct<'_>) -> Vec<Matcher> {
    let all = names.iter().zip(product).map(|(name, values)| match values.first() {
        Some(only) if values.len() == 1 => Matcher::from_server(*name, Operator::Equal, *only),
        _ => Matcher::from_server(*name, Operator::Matches, alternation(values)),
    });
    all.collect()
}

/// A regular expression that matches exactly these values, in syntax that Go and Rust share. A common prefix of many long values
/// is written once.
fn alternation(values: &BTreeSet<&str>) -> String {
    let some = || values.iter().copied().filter(|value| !value.is_empty());
    let plain = plain_alternation(values);
    let head = some().reduce(common_prefix).unwrap_or_default();
    if plain.len() <= MAX_PLAIN_ALTERNATION || head.is_empty() {
        return plain;
    }
    let end = if values.contains("") { "|" } else { "" };
    let tails = some().map(|value| literal(value.strip_prefix(head).unwrap_or(value)));
    format!("{}({}){end}", literal(head), tails.collect::<Vec<_>>().join("|"))
}

/// The alternation without factoring out a prefix; the empty text, which means a missing label, is last, where it is seen best.
fn plain_alternation(values: &BTreeSet<&str>) -> String {
    let end = if values.contains("") { "|" } else { "" };
    let some = values.iter().filter(|value| !value.is_empty());
    format!("{}{end}", some.map(|value| literal(value)).collect::<Vec<_>>().join("|"))
}

/// The common prefix of two texts.
fn common_prefix<'a>(one: &'a str, other: &str) -> &'a str {
    let same = one.char_indices().zip(other.chars()).take_while(|((_, a), b)| a == b);
    let length = same.map(|((at, c), _)| at + c.len_utf8()).last().unwrap_or(0);
    one.get(..length).unwrap_or_default()
}

#[cfg(test)]
mod tests;
