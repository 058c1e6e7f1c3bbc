//! Which version of a service runs when: on its scrape targets, and pod by pod.
//!
//! A target changes its version at once, when the deployment starts: new pods become targets, and pods that are being stopped
//! are none any more. Requests follow pod by pod.

use super::fixtures::Deploy;
use super::scenario::{Begin, Occurrence};
use super::world::{DemoWorld, ServiceInRegion};

impl Deploy {
    /// When a pod takes over, and when the pod that replaces it again does, in seconds after the beginning of the event.
    pub(super) fn of_pod(&self, pod: u32, pods: u32) -> (f64, f64) {
        let part = f64::from(pod + 1) / f64::from(pods.max(1));
        // most connections are closed late
        (self.at.0 + self.rollout.0 * part, self.back.0 + self.drain.0 * part.sqrt())
    }
}

/// Whose version is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum VersionOf {
    Targets,
    /// The requests that one pod answers.
    Pod(u32),
}

impl VersionOf {
    /// When a deployed version begins and ends, in seconds after the beginning of the event.
    fn times(self, place: &ServiceInRegion, deploy: &Deploy) -> (f64, f64) {
        match self {
            Self::Targets => (deploy.at.0, deploy.back.0),
            Self::Pod(pod) => deploy.of_pod(pod, place.service.pods),
        }
    }
}

impl ServiceInRegion {
    /// All versions in the scenario, the usual one first.
    pub(super) fn versions(&self) -> impl Iterator<Item = &str> {
        let deployed = self.deploys.iter().map(|(_, deploy)| &*deploy.version);
        std::iter::once(&*self.service.version).chain(deployed)
    }
}

impl DemoWorld {
    /// The version on the scrape targets.
    pub(super) fn version<'a>(&self, place: &'a ServiceInRegion, t: f64) -> &'a str {
        let number = self.version_number(place, VersionOf::Targets, t);
        number
            .checked_sub(1)
            .and_then(|at| place.deploys.get(at))
            .map_or(&place.service.version, |(_, deploy)| &deploy.version)
    }

    /// The running version as an index of [`ServiceInRegion::versions`].
    pub(super) fn version_number(&self, place: &ServiceInRegion, of: VersionOf, t: f64) -> usize {
        let deployed = place.deploys.iter().position(|(begin, deploy)| {
            let (from, to) = of.times(place, deploy);
            self.schedule
                .latest(*begin, t)
                .is_some_and(|once| (once.start + from..once.start + to).contains(&t))
        });
        deployed.map_or(0, |deployed| deployed + 1)
    }

    /// When a version ran, within a time range.
    pub(super) fn version_ran(
        &self,
        place: &ServiceInRegion,
        of: VersionOf,
        version: usize,
        (from, to): (f64, f64),
    ) -> Vec<(f64, f64)> {
        let ran = |(begin, deploy): &(Begin, Deploy)| {
            let (on, off) = of.times(place, deploy);
            let each = self.schedule.each(*begin, from - off, to);
            each.map(|once| (once.start + on, once.start + off))
                .filter(|(begin, end)| *begin <= to && *end > from)
                .collect::<Vec<_>>()
        };
        if let Some(at) = version.checked_sub(1) {
            return place.deploys.get(at).map(ran).unwrap_or_default();
        }
        let mut others: Vec<(f64, f64)> = place.deploys.iter().flat_map(ran).collect();
        others.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut usual = Vec::new();
        let mut since = from;
        for (begin, end) in others {
            if begin > since {
                usual.push((since, begin));
            }
            since = since.max(end);
        }
        if since <= to {
            usual.push((since, to + 1.0));
        }
        usual
    }

    /// When the pod began to run the version that it runs at `t`; `None` for the usual version before any deployment.
    pub(super) fn pod_since(&self, place: &ServiceInRegion, pod: u32, t: f64) -> Option<f64> {
        let version = self.version_number(place, VersionOf::Pod(pod), t);
        let edges = place.deploys.iter().enumerate().filter_map(|(number, (begin, deploy))| {
            let (on, off) = deploy.of_pod(pod, place.service.pods);
            let edge = if version == number + 1 { on } else { off };
            let is_over = |once: &Occurrence| once.start + edge <= t;
            self.schedule.each(*begin, f64::NEG_INFINITY, t).find(is_over).map(|once| once.start + edge)
        });
        edges.max_by(f64::total_cmp)
    }

    /// How often something of an event happened up to `t`, since [`COUNTED_SINCE`].
    pub(super) fn times(&self, begin: Begin, offset: f64, t: f64) -> f64 {
        let each = self.schedule.each(begin, COUNTED_SINCE - offset, t - offset);
        each.filter(|once| (COUNTED_SINCE..=t).contains(&(once.start + offset))).count() as f64
    }
}

/// Restarts and revisions are counted from this demo time on.
const COUNTED_SINCE: f64 = -2.0 * 86_400.0;
