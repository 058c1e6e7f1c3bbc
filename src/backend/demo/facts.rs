//! What a cluster and the services themselves tell beside their requests: versions, deployments, restarts, feature flags and
//! calls between services. Names and labels are those of kube-state-metrics, of client libraries and of Tempo's service graph.

use super::fixtures::{FlagChange, SimulatedNumber};
use super::noise::{floor, mix, mix_text, unit};
use super::rollout::VersionOf;
use super::sampling::{MOMENT, SHORT, merged, sample_times};
use super::scenario::{Begin, active_effects};
use super::timeline::COUNTER_AGE_AT_START;
use super::world::{DemoWorld, RequestNumbers, ServiceInRegion};

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

/// What the values of facts are computed from.
#[derive(Clone, Copy)]
pub(super) struct FactContext<'a> {
    pub(super) world: &'a DemoWorld,
    /// The request numbers of a service at a demo time.
    pub(super) numbers: &'a dyn Fn(&ServiceInRegion, f64) -> RequestNumbers,
}

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
    pub(super) fn at(&self, all: FactContext<'_>, place: &ServiceInRegion, second: f64) -> Option<f64> {
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
                Some(rate * world.time.counter_age(second).max(0.0))
            }
        }
    }

    /// The increase between two Unix times.
    pub(super) fn increase(
        &self,
        all: FactContext<'_>,
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
                        short if short <= SHORT => sample_times(begin, end).collect(),
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
pub(super) fn flags_of<'a>(
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
    all: FactContext<'_>,
    client: &ServiceInRegion,
    server: usize,
    failed: bool,
    t: f64,
) -> Option<f64> {
    let server = all.world.places.get(server)?;
    let per_request = 0.5 + unit(mix_text(mix(client.key, 400), &server.name));
    let rate = (all.numbers)(client, t).rate * per_request;
    if !failed {
        return Some(rate);
    }
    let own = (all.numbers)(server, t).errors.unwrap_or(0.0);
    let effects = active_effects(&client.events, &all.world.schedule, t);
    let seen = effects.filter(|(effect, _)| effect.from.as_deref() == Some(&*server.name));
    // a request that fails because of a call has at least one failed call
    let seen = seen.map(|(effect, level)| effect.errors * level).sum::<f64>() / per_request;
    Some(rate * own.max(seen).min(0.99))
}
