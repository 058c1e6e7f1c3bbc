//! What a cluster and the services themselves tell beside their requests: versions, deployments, restarts, feature flags and
//! calls between services. Names and labels are those of kube-state-metrics, of client libraries and of Tempo's service graph.

use super::catalog::{Catalog, SeriesKind};
use super::fixtures::{FlagChange, SimulatedNumber};
use super::noise::{floor, mix, mix_text, unit};
use super::rollout::VersionOf;
use super::scenario::{Begin, active_effects};
use super::series::{COUNTER_AGE_AT_START, MOMENT, RegionSeries, sample_times};
use super::slos::merged;
use super::world::{DemoWorld, ServiceInRegion};
use crate::model::labels::Labels;

/// How long the reason of a crash and an unused `ReplicaSet` are told, in seconds.
const TOLD: f64 = 3600.0;
/// The age of what was there before the demo, in seconds.
const OLD: f64 = 40.0 * 86_400.0;
/// The number of samples of a call rate over a long range.
const LOOKS: u32 = 48;

/// The names of all metrics of facts.
pub(super) const FACT_NAMES: [&str; 16] = [
    "feature_flag_enabled",
    "kube_deployment_created",
    "kube_deployment_metadata_generation",
    "kube_deployment_spec_replicas",
    "kube_deployment_status_observed_generation",
    "kube_deployment_status_replicas_available",
    "kube_pod_container_info",
    "kube_pod_container_status_last_terminated_reason",
    "kube_pod_container_status_restarts_total",
    "kube_pod_owner",
    "kube_replicaset_created",
    "kube_replicaset_owner",
    "kube_replicaset_spec_replicas",
    "service_build_info",
    "traces_service_graph_request_failed_total",
    "traces_service_graph_request_total",
];

#[derive(Debug)]
pub(super) enum FactSeries {
    /// 1 while a pod runs a version.
    Runs {
        pod: u32,
        version: usize,
    },
    ReplicaSet {
        version: usize,
        shows: ReplicaSetFact,
    },
    Deployment(DeploymentFact),
    /// The restarts of the first pod.
    Restarts,
    /// 1 after a crash of the first pod, for want of memory or not.
    Terminated {
        oom: bool,
    },
    /// Whether a feature flag is on.
    Flag(String),
    /// Calls of another service, or those of them that fail. `server` is an index of the world's places.
    Calls {
        server: usize,
        failed: bool,
    },
}

#[derive(Debug, Clone, Copy)]
pub(super) enum ReplicaSetFact {
    Created,
    /// Always 1.
    Owner,
    Replicas,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum DeploymentFact {
    Created,
    Generation,
    Replicas,
    Available,
}

impl FactSeries {
    /// The value at a Unix time.
    pub(super) fn at(&self, all: &RegionSeries<'_>, place: &ServiceInRegion, second: f64) -> Option<f64> {
        let world = all.world;
        let t = world.time.demo_second(second);
        match self {
            Self::Runs { pod, version } => {
                (world.version_number(place, VersionOf::Pod(*pod), t) == *version).then_some(1.0)
            }
            Self::ReplicaSet { version, shows } => {
                let start = replica_set_since(world, place, *version, t)?;
                Some(match shows {
                    ReplicaSetFact::Created => world.time.second(start).floor(),
                    ReplicaSetFact::Owner => 1.0,
                    ReplicaSetFact::Replicas => {
                        let pods = 0..place.service.pods;
                        let runs =
                            |pod: &u32| world.version_number(place, VersionOf::Pod(*pod), t) == *version;
                        pods.filter(runs).count() as f64
                    }
                })
            }
            Self::Deployment(shows) => Some(match shows {
                DeploymentFact::Created => world.time.second(-OLD).floor(),
                DeploymentFact::Generation => {
                    let rollouts = place.deploys.iter().map(|(begin, deploy)| {
                        world.times(*begin, deploy.at.0, t) + world.times(*begin, deploy.back.0, t)
                    });
                    12.0 + rollouts.sum::<f64>()
                }
                DeploymentFact::Replicas => f64::from(place.service.pods),
                DeploymentFact::Available => {
                    f64::from(place.service.pods - world.down(place, t).len().try_into().unwrap_or(0))
                }
            }),
            Self::Restarts => Some(gradual_restarts(place, t).floor() + crashes(world, place, t)),
            Self::Terminated { .. } => {
                let ran = self.ran(world, place, (t, t))?;
                ran.iter().any(|(from, to)| (*from..*to).contains(&t)).then_some(1.0)
            }
            Self::Flag(flag) => {
                let usual = place.service.flags.get(flag).copied().unwrap_or(false);
                let is_on = flags_of(world, place).any(|(begin, change)| {
                    let once = world.schedule.latest(begin, t);
                    change.flag == *flag
                        && once.is_some_and(|once| {
                            (once.start + change.on.0..once.start + change.off.0).contains(&t)
                        })
                });
                Some(f64::from(u8::from(usual || is_on)))
            }
            Self::Calls { server, failed } => {
                let rate = call_rate(all, place, *server, *failed, 0.0)?;
                Some(rate * all.counter_age(second).max(0.0))
            }
        }
    }

    /// The increase between two Unix times.
    pub(super) fn increase(
        &self,
        all: &RegionSeries<'_>,
        place: &ServiceInRegion,
        (from, to): (f64, f64),
    ) -> Option<f64> {
        let world = all.world;
        let (begin, end) = (world.time.demo_second(from), world.time.demo_second(to));
        match self {
            // the rule always means the simulated number, whatever the range
            Self::Restarts => {
                let number = SimulatedNumber::Gauge("restarts".to_owned());
                let gradual = world.measure(&number, place, 0, end)? / GRADUAL * (to - from);
                Some(gradual + crashes(world, place, end) - crashes(world, place, begin))
            }
            Self::Calls { server, failed } => {
                let rate = |t: f64| call_rate(all, place, *server, *failed, t);
                let mean = if to - from <= MOMENT {
                    rate(end)?
                } else {
                    let step = (end - begin) / f64::from(LOOKS);
                    let long = (0..LOOKS).map(|look| begin + (f64::from(look) + 0.5) * step);
                    let times: Vec<f64> = match end - begin {
                        short if short <= super::series::SHORT => sample_times(begin, end).collect(),
                        _ => long.collect(),
                    };
                    times.iter().map(|t| rate(*t)).sum::<Option<f64>>()? / times.len() as f64
                };
                Some(mean * (to - from))
            }
            Self::Runs { .. }
            | Self::ReplicaSet { .. }
            | Self::Deployment(_)
            | Self::Terminated { .. }
            | Self::Flag(_) => Some(self.at(all, place, to)? - self.at(all, place, from)?),
        }
    }

    /// When the series has samples within a range of demo time; `None`: always.
    pub(super) fn ran(
        &self,
        world: &DemoWorld,
        place: &ServiceInRegion,
        (from, to): (f64, f64),
    ) -> Option<Vec<(f64, f64)>> {
        match self {
            Self::Runs { pod, version } => {
                Some(world.version_ran(place, VersionOf::Pod(*pod), *version, (from, to)))
            }
            Self::ReplicaSet { version, .. } => {
                let (begin, deploy) = version.checked_sub(1).and_then(|at| place.deploys.get(at))?;
                let (on, off) = (deploy.at.0, deploy.back.0 + TOLD);
                let each = world.schedule.between(*begin, from - off, to).into_iter();
                Some(within(each.map(|once| (once.start + on, once.start + off)), (from, to)))
            }
            Self::Terminated { oom } => {
                let events = place.events.iter().filter(|act| act.effect.oom == *oom);
                let crashes = events.flat_map(|act| act.effect.crashes.iter().map(|at| (act.begin, at.0)));
                let ranges = crashes.flat_map(|(begin, at)| {
                    let each = world.schedule.between(begin, from - at - TOLD, to).into_iter();
                    each.map(move |once| (once.start + at, once.start + at + TOLD))
                });
                Some(within(ranges, (from, to)))
            }
            Self::Deployment(_) | Self::Restarts | Self::Flag(_) | Self::Calls { .. } => None,
        }
    }
}

/// The ranges that overlap a range, merged.
fn within(ranges: impl Iterator<Item = (f64, f64)>, (from, to): (f64, f64)) -> Vec<(f64, f64)> {
    merged(ranges.filter(|(begin, end)| *begin <= to && *end > from).collect())
}

/// When the `ReplicaSet` of a version was created; `None` if there is none.
fn replica_set_since(world: &DemoWorld, place: &ServiceInRegion, version: usize, t: f64) -> Option<f64> {
    let Some(at) = version.checked_sub(1) else { return Some(-OLD) };
    let (begin, deploy) = place.deploys.get(at)?;
    let (on, off) = (deploy.at.0, deploy.back.0 + TOLD);
    let mut each = world.schedule.each(*begin, t - off, t).map(|once| once.start);
    each.find(|start| (start + on..start + off).contains(&t)).map(|start| start + on)
}

/// The gauge `restarts` is the number of restarts within this many seconds.
const GRADUAL: f64 = 600.0;

/// The restarts that the gauge of the service stands for, since its counters began.
fn gradual_restarts(place: &ServiceInRegion, t: f64) -> f64 {
    let base = place.service.gauges.get("restarts").copied().unwrap_or(0.0) * (t + COUNTER_AGE_AT_START);
    let added = place.events.iter().filter_map(|act| {
        let (Begin::Every { start, every }, Some(added)) = (act.begin, act.effect.gauges.get("restarts"))
        else {
            return None;
        };
        let until = |t: f64| {
            let (times, part) = floor((t - start) / every);
            times as f64 * act.effect.area(0.0, every) + act.effect.area(0.0, part * every)
        };
        Some(added * (until(t) - until(-COUNTER_AGE_AT_START)))
    });
    (base + added.sum::<f64>()).max(0.0) / GRADUAL
}

/// The number of crashes of the chapters up to `t`.
fn crashes(world: &DemoWorld, place: &ServiceInRegion, t: f64) -> f64 {
    let each = place.events.iter().flat_map(|act| act.effect.crashes.iter().map(|at| (act.begin, at.0)));
    each.map(|(begin, at)| world.times(begin, at, t)).sum()
}

/// The changes of the service's feature flags.
fn flags_of<'a>(
    world: &'a DemoWorld,
    place: &'a ServiceInRegion,
) -> impl Iterator<Item = (Begin, &'a FlagChange)> {
    let chapters = world.fixtures.scenario.chapter.iter().zip(0..);
    let all = chapters.flat_map(|(chapter, number)| {
        chapter.flag.iter().map(move |change| (Begin::Chapter(number), change))
    });
    all.filter(|(_, change)| change.service == *place.name && change.region == place.region)
}

/// The rate of calls of another service, or of those that fail, at a demo time.
fn call_rate(
    all: &RegionSeries<'_>,
    client: &ServiceInRegion,
    server: usize,
    failed: bool,
    t: f64,
) -> Option<f64> {
    let server = all.world.places.get(server)?;
    let per_request = 0.5 + unit(mix_text(mix(client.key, 400), &server.name));
    let rate = all.numbers(client, t).rate * per_request;
    if !failed {
        return Some(rate);
    }
    let own = all.numbers(server, t).errors.unwrap_or(0.0);
    let effects = active_effects(&client.events, &all.world.schedule, t);
    let seen = effects.filter(|(effect, _)| effect.from.as_deref() == Some(&*server.name));
    // a request that fails because of a call has at least one failed call
    let seen = seen.map(|(effect, level)| effect.errors * level).sum::<f64>() / per_request;
    Some(rate * own.max(seen).min(0.99))
}

impl Catalog {
    /// Adds versions, deployments, restarts, flags and calls.
    pub(super) fn add_facts(&mut self, world: &DemoWorld, place: &ServiceInRegion) {
        let number = Some(place.number);
        let region = place.region.name();
        let cluster = Labels::from_iter([
            ("namespace", &*place.service.namespace),
            ("region", region),
            ("job", "kube-state-metrics"),
        ]);
        for (version, name) in world.versions(place).enumerate() {
            let revision = format!("{:07x}", mix_text(7, &format!("{} {name}", place.name)) >> 36);
            let image = format!("registry.shop.example/{}/{}:{name}", place.service.namespace, place.name);
            let set = place.replica_set(version);
            for pod in 0..place.service.pods {
                let runs = || SeriesKind::Fact(FactSeries::Runs { pod, version });
                let labels = place.pod_labels(pod, name);
                self.add("service_build_info", number, &labels, &[("revision", &revision)], runs());
                let pod = place.pod(pod);
                let container = [("pod", &*pod), ("container", &*place.name), ("image", &*image)];
                self.add("kube_pod_container_info", number, &cluster, &container, runs());
                let owner = [("pod", &*pod), ("owner_kind", "ReplicaSet"), ("owner_name", &*set)];
                self.add("kube_pod_owner", number, &cluster, &owner, runs());
            }
            let mut add = |name: &str, more: &[(&str, &str)], shows| {
                let more = [&[("replicaset", &*set)], more].concat();
                let what = SeriesKind::Fact(FactSeries::ReplicaSet { version, shows });
                self.add(name, number, &cluster, &more, what);
            };
            add("kube_replicaset_created", &[], ReplicaSetFact::Created);
            let owner =
                [("owner_kind", "Deployment"), ("owner_name", &*place.name), ("owner_is_controller", "true")];
            add("kube_replicaset_owner", &owner, ReplicaSetFact::Owner);
            add("kube_replicaset_spec_replicas", &[], ReplicaSetFact::Replicas);
        }
        for (name, shows) in [
            ("kube_deployment_created", DeploymentFact::Created),
            ("kube_deployment_metadata_generation", DeploymentFact::Generation),
            ("kube_deployment_status_observed_generation", DeploymentFact::Generation),
            ("kube_deployment_spec_replicas", DeploymentFact::Replicas),
            ("kube_deployment_status_replicas_available", DeploymentFact::Available),
        ] {
            let what = SeriesKind::Fact(FactSeries::Deployment(shows));
            self.add(name, number, &cluster, &[("deployment", &place.name)], what);
        }
        if place.service.gauges.contains_key("restarts") {
            let pod = place.pod(0);
            let first = [("pod", &*pod), ("container", &*place.name)];
            let restarts = SeriesKind::Fact(FactSeries::Restarts);
            self.add("kube_pod_container_status_restarts_total", number, &place.labels, &first, restarts);
            for (oom, reason) in [(false, "Error"), (true, "OOMKilled")] {
                if place.events.iter().any(|act| act.effect.oom == oom && !act.effect.crashes.is_empty()) {
                    let more = [&first[..], &[("reason", reason)]].concat();
                    let what = SeriesKind::Fact(FactSeries::Terminated { oom });
                    let name = "kube_pod_container_status_last_terminated_reason";
                    self.add(name, number, &cluster, &more, what);
                }
            }
        }
        for flag in place.service.flags.keys() {
            let what = SeriesKind::Fact(FactSeries::Flag(flag.clone()));
            self.add("feature_flag_enabled", number, &place.labels, &[("flag", flag)], what);
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
                let what = SeriesKind::Fact(FactSeries::Calls { server: server.number, failed });
                self.add(name, number, &graph, &edge, what);
            }
        }
    }
}
