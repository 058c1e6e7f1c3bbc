//! From the labels of a service or an alert to the labels of its log lines: a map of names, tried against the streams of a source.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize as _, Deserializer};

use crate::model::labels::{Labels, Text};

/// For each label of services and alerts the names that log lines may have for it, the likeliest first.
pub(crate) type LogLabelMap = BTreeMap<String, Vec<String>>;

/// The labels that tell whose lines they are, in order of precedence; one of them is needed.
const IDENTITIES: [&str; 12] = [
    "service",
    "service_name",
    "app_kubernetes_io_name",
    "app",
    "deployment",
    "statefulset",
    "container",
    "job",
    "pod",
    "unit",
    "instance",
    "namespace",
];

/// The usual names.
const USUAL: [(&str, &[&str]); 20] = [
    (
        "service",
        &["service_name", "service", "app", "app_kubernetes_io_name", "container", "job", "component"],
    ),
    ("service_name", &["service_name", "service", "app", "container", "job"]),
    ("app_kubernetes_io_name", &["app_kubernetes_io_name", "app", "service_name", "container"]),
    ("app", &["app", "service_name", "container", "job"]),
    ("deployment", &["deployment", "k8s_deployment_name", "app", "service_name", "container"]),
    ("statefulset", &["statefulset", "k8s_statefulset_name", "app", "service_name", "container"]),
    ("job", &["job", "service_name", "app", "container"]),
    ("unit", &["unit", "systemd_unit", "_SYSTEMD_UNIT"]),
    (
        "container",
        &["container", "k8s_container_name", "kubernetes_container_name", "kubernetes.container_name"],
    ),
    ("pod", &["pod", "k8s_pod_name", "kubernetes_pod_name", "kubernetes.pod_name"]),
    ("namespace", &["namespace", "k8s_namespace_name", "kubernetes_namespace", "kubernetes.pod_namespace"]),
    ("node", &["node", "k8s_node_name", "node_name", "host", "hostname"]),
    ("instance", &["instance", "host", "hostname", "node"]),
    ("cluster", &["cluster", "k8s_cluster_name", "cluster_name"]),
    ("env", &["env", "environment", "deployment_environment"]),
    ("environment", &["environment", "env", "deployment_environment"]),
    ("region", &["region", "cloud_region"]),
    ("zone", &["zone", "availability_zone", "cloud_availability_zone"]),
    ("version", &["version", "service_version"]),
    ("method", &["method"]),
];

/// The names of the Elastic Common Schema, of its collectors for Kubernetes, and of OpenTelemetry as Elasticsearch stores it.
const ECS: [(&str, &[&str]); 16] = [
    ("service", ECS_SERVICE),
    ("service_name", ECS_SERVICE),
    ("app_kubernetes_io_name", ECS_SERVICE),
    ("app", ECS_SERVICE),
    ("job", ECS_SERVICE),
    (
        "deployment",
        &["kubernetes.deployment.name", "resource.attributes.k8s.deployment.name", "service.name"],
    ),
    (
        "statefulset",
        &["kubernetes.statefulset.name", "resource.attributes.k8s.statefulset.name", "service.name"],
    ),
    ("container", &["kubernetes.container.name", "container.name", "resource.attributes.k8s.container.name"]),
    ("pod", &["kubernetes.pod.name", "resource.attributes.k8s.pod.name"]),
    (
        "namespace",
        &["kubernetes.namespace", "kubernetes.namespace_name", "resource.attributes.k8s.namespace.name"],
    ),
    ("node", &["kubernetes.node.name", "host.name", "host.hostname", "resource.attributes.host.name"]),
    ("instance", &["service.node.name", "host.name", "host.hostname", "host.ip"]),
    ("cluster", &["orchestrator.cluster.name", "resource.attributes.k8s.cluster.name"]),
    ("region", &["cloud.region", "resource.attributes.cloud.region"]),
    ("zone", &["cloud.availability_zone", "resource.attributes.cloud.availability_zone"]),
    ("version", &["service.version", "resource.attributes.service.version"]),
];

const ECS_SERVICE: &[&str] = &[
    "service.name",
    "resource.attributes.service.name",
    "kubernetes.labels.app_kubernetes_io/name",
    "kubernetes.labels.app",
    "kubernetes.container.name",
    "container.name",
];

/// The usual names as the default of a setting.
pub(crate) fn usual() -> LogLabelMap {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    USUAL.iter().map(|(of, names)| ((*of).to_owned(), owned(names))).collect()
}

/// As [`usual`], for Elasticsearch: the names of its schema come first.
pub(crate) fn ecs() -> LogLabelMap {
    let mut map = usual();
    for (of, names) in ECS {
        let first = names.iter().map(|name| (*name).to_owned());
        let before = map.remove(of).unwrap_or_default();
        map.insert(of.to_owned(), first.chain(before).collect());
    }
    map
}

/// For `deserialize_with`: the names that are given replace the usual ones of their label.
pub(crate) fn over_usual<'de, D: Deserializer<'de>>(deserializer: D) -> Result<LogLabelMap, D::Error> {
    over(usual(), deserializer)
}

/// As [`over_usual`], for the names of [`ecs`].
pub(crate) fn over_ecs<'de, D: Deserializer<'de>>(deserializer: D) -> Result<LogLabelMap, D::Error> {
    over(ecs(), deserializer)
}

fn over<'de, D: Deserializer<'de>>(mut map: LogLabelMap, deserializer: D) -> Result<LogLabelMap, D::Error> {
    map.extend(LogLabelMap::deserialize(deserializer)?);
    Ok(map)
}

/// A label of log lines that may stand for a label of the service or alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LabelCandidate {
    /// The label of the service or alert.
    pub(crate) of: &'static str,
    /// The name at the log lines.
    pub(crate) name: String,
    pub(crate) value: Text,
}

/// What may identify the lines, the likeliest first: only names that the source has.
pub(crate) fn identities(
    labels: &Labels,
    map: &LogLabelMap,
    is_known: impl Fn(&str) -> bool,
) -> Vec<LabelCandidate> {
    let mut all = Vec::new();
    for of in IDENTITIES {
        let Some(value) = labels.get(of) else { continue };
        for name in map.get(of).into_iter().flatten().filter(|name| is_known(name)) {
            all.push(LabelCandidate { of, name: name.clone(), value: value.clone() });
        }
    }
    all
}

/// The pairs of a label set as text: `{a="b",c="d \"e\""}`. What cannot be read ends the set.
pub(crate) fn label_set(text: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut rest = text.trim().trim_start_matches('{');
    while let Some((name, after)) = rest.split_once("=\"") {
        let mut value = String::new();
        let mut chars = after.char_indices();
        let end = loop {
            match chars.next() {
                Some((_, '\\')) => value.extend(chars.next().map(|(_, c)| match c {
                    'n' => '\n',
                    't' => '\t',
                    other => other,
                })),
                Some((at, '"')) => break at,
                Some((_, c)) => value.push(c),
                None => return pairs,
            }
        };
        pairs.push((name.trim_matches(['"', ' ', ',']).to_owned(), value));
        rest = after.get(end + 1..).unwrap_or_default().trim_start_matches([',', ' ']);
    }
    pairs
}

/// How the lines of some labels are selected.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct FoundLabels {
    /// Names and values that the lines have; empty if no stream fits.
    pub(crate) selectors: Vec<(String, Text)>,
    /// How they were found.
    pub(crate) notes: Vec<Text>,
}

impl FoundLabels {
    /// That nothing fits, with what was tried and what the source has.
    pub(crate) fn nothing(tried: &[LabelCandidate], names: &BTreeSet<String>) -> Self {
        let tried: Vec<String> = tried.iter().map(|one| format!("{}={:?}", one.name, &*one.value)).collect();
        let has: Vec<&str> = names.iter().take(20).map(String::as_str).collect();
        let tried = match tried.as_slice() {
            [] => "none of the names in its label map exists there".to_owned(),
            some => format!("tried {}", some.join(", ")),
        };
        let has = if has.is_empty() {
            "no lines in this time".to_owned()
        } else {
            format!("it has {}", has.join(", "))
        };
        let note = format!("no stream fits: {tried}; {has}. Set `labels` of the source, or write a query.");
        Self { selectors: Vec::new(), notes: vec![note.into()] }
    }

    /// Chooses the first candidate that some stream has, and adds the other labels as far as they leave streams.
    /// `streams` are the labels of all streams that have any of the candidates.
    pub(crate) fn choose(
        labels: &Labels,
        map: &LogLabelMap,
        candidates: &[LabelCandidate],
        streams: &[Labels],
    ) -> Option<Self> {
        let fits =
            |stream: &Labels, name: &str, value: &str| stream.get(name).is_some_and(|has| **has == *value);
        let identity =
            candidates.iter().find(|one| streams.iter().any(|stream| fits(stream, &one.name, &one.value)))?;
        let mut left: Vec<&Labels> =
            streams.iter().filter(|stream| fits(stream, &identity.name, &identity.value)).collect();
        let mut selectors = vec![(identity.name.clone(), identity.value.clone())];
        let mut used = vec![format!("{} is {}", identity.of, identity.name)];
        let mut unused = Vec::new();
        for (of, value) in labels.iter().filter(|(of, _)| ***of != *identity.of) {
            let Some(names) = map.get(&**of) else { continue };
            if IDENTITIES.contains(&&**of) && !matches!(&**of, "namespace" | "pod" | "container" | "instance")
            {
                continue;
            }
            let name = names.iter().find(|name| left.iter().any(|stream| fits(stream, name, value)));
            match name.filter(|name| selectors.iter().all(|(known, _)| known != *name)) {
                Some(name) => {
                    left.retain(|stream| fits(stream, name, value));
                    selectors.push((name.clone(), value.clone()));
                    used.push(if **of == **name { name.clone() } else { format!("{of} is {name}") });
                }
                None if name.is_none() => unused.push(format!("{of}={:?}", &**value)),
                None => {}
            }
        }
        let mut notes: Vec<Text> = vec![format!("labels: {}", used.join(", ")).into()];
        if !unused.is_empty() {
            notes.push(format!("not used, because no such line has it: {}", unused.join(", ")).into());
        }
        Some(Self { selectors, notes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().copied().collect()
    }

    fn chosen(of: &[(&str, &str)], streams: &[&[(&str, &str)]]) -> Option<(String, Vec<String>)> {
        let (of, map) = (labels(of), usual());
        let streams: Vec<Labels> = streams.iter().map(|stream| labels(stream)).collect();
        let is_known = |name: &str| streams.iter().any(|stream| stream.get(name).is_some());
        let found = FoundLabels::choose(&of, &map, &identities(&of, &map, is_known), &streams)?;
        let selectors: Vec<String> =
            found.selectors.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Some((selectors.join(","), found.notes.iter().map(ToString::to_string).collect()))
    }

    #[test]
    fn the_first_name_that_a_stream_has_is_used_and_others_narrow_it() {
        let streams: &[&[(&str, &str)]] = &[
            &[("app", "checkout"), ("namespace", "shop"), ("region", "eu")],
            &[("app", "checkout"), ("namespace", "shop"), ("region", "us")],
            &[("service_name", "checkout-db"), ("namespace", "shop")],
        ];
        assert_eq!(
            chosen(
                &[("service", "checkout"), ("region", "eu"), ("severity", "page"), ("zone", "a")],
                streams
            ),
            Some((
                "app=checkout,region=eu".to_owned(),
                vec![
                    "labels: service is app, region".to_owned(),
                    "not used, because no such line has it: zone=\"a\"".to_owned()
                ]
            ))
        );
        assert_eq!(chosen(&[("service", "nowhere")], streams), None);
        assert_eq!(
            chosen(&[("pod", "x")], &[&[("k8s_pod_name", "x")]]).map(|found| found.0),
            Some("k8s_pod_name=x".to_owned())
        );
        // a namespace alone selects its lines, a region does not
        assert_eq!(
            chosen(&[("namespace", "shop")], streams).map(|found| found.0),
            Some("namespace=shop".to_owned())
        );
        assert_eq!(chosen(&[("region", "eu")], streams), None);
    }

    #[test]
    fn a_label_that_no_stream_has_does_not_make_the_query_empty() {
        let streams: &[&[(&str, &str)]] = &[&[("service_name", "cart"), ("pod", "cart-1"), ("region", "eu")]];
        let found = chosen(&[("service", "cart"), ("instance", "10.0.0.1:80"), ("region", "us")], streams);
        assert_eq!(found.map(|found| found.0), Some("service_name=cart".to_owned()));
    }

    #[test]
    fn a_label_set_is_read_with_its_escapes() {
        let owned = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            label_set(r#"{pod="a\"b,c=\"",service="x"}"#),
            [owned("pod", "a\"b,c=\""), owned("service", "x")]
        );
        assert_eq!(label_set("{}"), []);
        assert_eq!(label_set(r#"{a="cut off"#), []);
    }

    #[test]
    fn what_was_tried_and_what_there_is_is_said() {
        let tried = identities(&labels(&[("service", "x")]), &usual(), |name| name == "app");
        let names = BTreeSet::from(["app".to_owned(), "pod".to_owned()]);
        let note = FoundLabels::nothing(&tried, &names).notes[0].to_string();
        assert!(note.contains(r#"tried app="x""#) && note.contains("it has app, pod"), "{note}");
        let note = FoundLabels::nothing(&[], &BTreeSet::new()).notes[0].to_string();
        assert!(note.contains("none of the names") && note.contains("no lines in this time"), "{note}");
    }
}
