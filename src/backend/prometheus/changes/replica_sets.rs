//! Rollouts by the `ReplicaSets` of kube-state-metrics: a new one is a deployment at the time of its creation, and an old one
//! under a new revision is a rollback.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::super::call::QuestionRequests;
use super::super::metric_discovery::DiscoveredChange;
use super::Part;
use super::facts::ChangeFact;
use super::service_names::{ServiceNames, workload};
use crate::backend::kit::time::Epoch;
use crate::model::change::ChangeKind;
use crate::model::labels::{Labels, Text};
use crate::model::promql::quoted;
use crate::model::source::SourceError;

/// The label with the revision, if kube-state-metrics is allowed to show annotations.
const REVISION: &str = "annotation_deployment_kubernetes_io_revision";

pub(super) async fn facts(
    call: &QuestionRequests<'_>,
    found: &DiscoveredChange,
    names: ServiceNames<'_>,
    part: Part,
) -> Result<Vec<ChangeFact>, SourceError> {
    let (since, until) = (part.since, part.grid.end());
    let created = format!("max by (namespace,replicaset) (kube_replicaset_created) >= {}", since.as_second());
    let created = call.instant(&created, Some(until)).await?;
    let range = part.selector_range();
    let selector = format!("kube_replicaset_annotations{{{REVISION}!=\"\"}}");
    let moved = format!(
        "count by (namespace,replicaset) (count by (namespace,replicaset,{REVISION}) (last_over_time({selector}{range}))) > 1"
    );
    let moved = call.instant(&moved, Some(until)).await?;
    let mut rollouts: Vec<(Labels, Timestamp, ChangeKind)> = Vec::new();
    let mut new: BTreeSet<(Text, Text)> = BTreeSet::new();
    let key = |labels: &Labels| {
        let text = |name: &str| labels.get(name).cloned().unwrap_or_default();
        (text("namespace"), text("replicaset"))
    };
    for sample in &created {
        if let Some(at) = Epoch::<1>::at(sample.value).filter(|at| *at <= until) {
            new.insert(key(&sample.labels));
            rollouts.push((sample.labels.clone(), at, ChangeKind::Deploy));
        }
    }
    if !moved.is_empty() {
        let sets: Vec<String> =
            moved.iter().map(|sample| regex::escape(sample.labels.value("replicaset"))).collect();
        let query = format!(
            "max by (namespace,replicaset,{REVISION}) (kube_replicaset_annotations{{replicaset=~{}}})",
            quoted(&sets.join("|"))
        );
        let revisions = call.range(&query, part.grid).await?;
        let mut begun: BTreeMap<(Text, Text), Vec<usize>> = BTreeMap::new();
        for line in &revisions.lines {
            let first = line.values.iter().position(|value| value.is_finite());
            begun.entry(key(&line.labels)).or_default().extend(first);
        }
        for ((namespace, replicaset), mut begun) in begun {
            begun.sort_unstable();
            // the first revision is that of its creation
            let labels =
                Labels::new(vec![("namespace".into(), namespace), ("replicaset".into(), replicaset)]);
            for at in begun.into_iter().skip(1) {
                rollouts.push((labels.clone(), part.grid.at(at), ChangeKind::Rollback));
            }
        }
    }
    if rollouts.is_empty() {
        return Ok(Vec::new());
    }
    let owners =
        "max by (namespace,replicaset,owner_name) (kube_replicaset_owner{owner_kind=\"Deployment\"})";
    let owners = call.instant(owners, Some(until)).await?;
    let owners: BTreeMap<(Text, Text), Text> = owners
        .iter()
        .filter_map(|sample| Some((key(&sample.labels), sample.labels.get("owner_name")?.clone())))
        .collect();
    let fact = |(labels, at, kind): (Labels, Timestamp, ChangeKind)| {
        let set = key(&labels);
        let service = owners.get(&set).cloned().unwrap_or_else(|| {
            // the name of a pod without its random end
            workload(&format!("{}-bcdfg", set.1)).into()
        });
        if found.entry.only_known && !names.known.contains(&service) {
            return None;
        }
        Some(ChangeFact {
            at,
            is_about: kind == ChangeKind::Rollback,
            is_context: false,
            kind,
            sees: found.entry.sees.as_str().into(),
            how: found.entry.how,
            service: Some(service),
            labels,
            from: None,
            to: None,
            title: None,
            instance: None,
            count: 1,
        })
    };
    Ok(rollouts.into_iter().filter_map(fact).collect())
}
