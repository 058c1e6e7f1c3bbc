//! Which facts there are of a service, with their names and labels.

use super::facts::{DeploymentFact, FactSeries, ReplicaSetFact};
use super::noise::mix_text;
use super::world::{DemoWorld, ServiceInRegion};
use crate::model::labels::Labels;

/// The versions, deployments, restarts, flags and calls of a service: names, labels and series.
pub(super) fn facts_of(
    world: &DemoWorld,
    place: &ServiceInRegion,
) -> Vec<(&'static str, Labels, FactSeries)> {
    let mut facts = Vec::new();
    let mut add = |name: &'static str, labels: &Labels, more: &[(&str, &str)], fact: FactSeries| {
        facts.push((name, labels.with_strs(more.iter().copied()).with_strs([("__name__", name)]), fact));
    };
    let region = place.region.name();
    let cluster = Labels::from_iter([
        ("namespace", &*place.service.namespace),
        ("region", region),
        ("job", "kube-state-metrics"),
    ]);
    for (version, name) in place.versions().enumerate() {
        let revision = format!("{:07x}", mix_text(7, &format!("{} {name}", place.name)) >> 36);
        let image = format!("registry.shop.example/{}/{}:{name}", place.service.namespace, place.name);
        let set = place.replica_set(version);
        for pod in 0..place.service.pods {
            let runs = || FactSeries::Runs { pod, version };
            let labels = place.pod_labels(pod, name);
            add("service_build_info", &labels, &[("revision", &revision)], runs());
            let pod = place.pod(pod);
            let container = [("pod", &*pod), ("container", &*place.name), ("image", &*image)];
            add("kube_pod_container_info", &cluster, &container, runs());
            let owner = [("pod", &*pod), ("owner_kind", "ReplicaSet"), ("owner_name", &*set)];
            add("kube_pod_owner", &cluster, &owner, runs());
        }
        let mut add_set = |name: &'static str, more: &[(&str, &str)], shows| {
            let more = [&[("replicaset", &*set)], more].concat();
            let what = FactSeries::ReplicaSet { version, shows };
            add(name, &cluster, &more, what);
        };
        add_set("kube_replicaset_created", &[], ReplicaSetFact::Created);
        let owner =
            [("owner_kind", "Deployment"), ("owner_name", &*place.name), ("owner_is_controller", "true")];
        add_set("kube_replicaset_owner", &owner, ReplicaSetFact::Owner);
        add_set("kube_replicaset_spec_replicas", &[], ReplicaSetFact::Replicas);
    }
    for (name, shows) in [
        ("kube_deployment_created", DeploymentFact::Created),
        ("kube_deployment_metadata_generation", DeploymentFact::Generation),
        ("kube_deployment_status_observed_generation", DeploymentFact::Generation),
        ("kube_deployment_spec_replicas", DeploymentFact::Replicas),
        ("kube_deployment_status_replicas_available", DeploymentFact::Available),
    ] {
        let what = FactSeries::Deployment(shows);
        add(name, &cluster, &[("deployment", &place.name)], what);
    }
    if place.service.gauges.contains_key("restarts") {
        let pod = place.pod(0);
        let first = [("pod", &*pod), ("container", &*place.name)];
        let restarts = FactSeries::Restarts;
        add("kube_pod_container_status_restarts_total", &place.labels, &first, restarts);
        for (oom, reason) in [(false, "Error"), (true, "OOMKilled")] {
            if place.events.iter().any(|act| act.effect.oom == oom && !act.effect.crashes.is_empty()) {
                let more = [&first[..], &[("reason", reason)]].concat();
                let what = FactSeries::Terminated { oom };
                let name = "kube_pod_container_status_last_terminated_reason";
                add(name, &cluster, &more, what);
            }
        }
    }
    for flag in place.service.flags.keys() {
        let what = FactSeries::Flag(flag.clone());
        add("feature_flag_enabled", &place.labels, &[("flag", flag)], what);
    }
    for server in place.service.needs.keys().filter_map(|name| world.place(name, place.region)) {
        let is_database = ["postgres-", "redis-"].iter().any(|start| server.name.starts_with(start));
        let kind = if is_database { "database" } else { "" };
        let graph = Labels::from_iter([("region", region), ("job", "tempo")]);
        let edge = [("client", &*place.name), ("server", &*server.name), ("connection_type", kind)];
        let edge: Vec<(&str, &str)> = edge.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        for (name, failed) in [
            ("traces_service_graph_request_total", false),
            ("traces_service_graph_request_failed_total", true),
        ] {
            let what = FactSeries::Calls { server: server.number, failed };
            add(name, &graph, &edge, what);
        }
    }
    facts
}
