//! The service that a series of a pack entry is about.

use std::collections::BTreeSet;

use super::super::metric_discovery::first_label;
use crate::backend::packs::ChangeEntry;
use crate::model::labels::{Labels, Text};

/// The label that holds the workload, if the server derives it from the pod's name, ...
pub(super) const WORKLOAD: &str = "burnwatch_workload";
/// ... with this regular expression, which is the same as [`workload`].
pub(super) const POD: &str =
    "(.*?)(?:-[bcdfghjklmnpqrstvwxyz0-9]{8,10})?-(?:[bcdfghjklmnpqrstvwxyz0-9]{5}|[0-9]{1,4})";

/// The services of the server, and the labels that name them.
#[derive(Clone, Copy)]
pub(super) struct ServiceNames<'a> {
    pub(super) known: &'a BTreeSet<Text>,
    /// `services.labels` of the configuration.
    pub(super) usual: &'a [String],
}

impl<'a> ServiceNames<'a> {
    /// The labels that name the service of an entry.
    pub(super) fn labels<'e>(&self, entry: &'e ChangeEntry) -> &'e [String]
    where
        'a: 'e,
    {
        if entry.services.is_empty() { self.usual } else { &entry.services }
    }

    /// The service of a series: a known one first; of an unknown one, the workload of the pod, else the first label.
    pub(super) fn of(&self, entry: &ChangeEntry, labels: &Labels) -> Option<Text> {
        if entry.services.is_empty() {
            let service = first_label(labels, self.usual).map(|(_, service)| service.clone());
            return service.filter(|service| !entry.only_known || self.known.contains(service));
        }
        let named = entry.services.iter().filter_map(|label| {
            if label != "pod" {
                return labels.get(label).cloned();
            }
            labels.get(WORKLOAD).cloned().or_else(|| Some(workload(labels.get(label)?).into()))
        });
        let named: Vec<Text> = named.collect();
        if let Some(known) = named.iter().find(|name| self.known.contains(*name)) {
            return Some(known.clone());
        }
        if entry.prefix
            && let Some(known) = named.iter().find_map(|name| self.beginning_of(name))
        {
            return Some(known);
        }
        if entry.only_known { None } else { named.into_iter().next_back() }
    }

    /// The known service with the longest name that this name begins with: `checkout` for `checkout-config`.
    fn beginning_of(&self, name: &str) -> Option<Text> {
        let is_beginning = |service: &&Text| {
            name.strip_prefix(&***service).is_some_and(|rest| rest.starts_with(['-', '_', '.']))
        };
        self.known.iter().filter(is_beginning).max_by_key(|service| service.len()).cloned()
    }
}

/// The workload in a pod's name: without the ordinal of a `StatefulSet`, the random end of a `DaemonSet`, or the hash of a
/// `ReplicaSet` and the random end of a Deployment. Kubernetes uses no vowels for them.
pub(super) fn workload(pod: &str) -> &str {
    let Some((rest, end)) = pod.rsplit_once('-') else { return pod };
    if !end.is_empty() && end.bytes().all(|byte| byte.is_ascii_digit()) && end.len() < 5 {
        return rest;
    }
    if !is_random(end, 5..=5) {
        return pod;
    }
    match rest.rsplit_once('-') {
        Some((workload, hash)) if is_random(hash, 8..=10) => workload,
        Some(_) | None => rest,
    }
}

/// Whether Kubernetes made this end of a name.
fn is_random(end: &str, lengths: std::ops::RangeInclusive<usize>) -> bool {
    let is_made =
        |byte: u8| (byte.is_ascii_lowercase() || byte.is_ascii_digit()) && !b"aeiou".contains(&byte);
    lengths.contains(&end.len()) && end.bytes().all(is_made)
}
