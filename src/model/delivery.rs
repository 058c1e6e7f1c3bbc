//! Software delivery in a period: how often services are deployed, how many deployments fail, how soon service is restored, and how
//! long a change takes to production (MTTP).
//!
//! Source: the definitions of deployment frequency, change lead time, change fail rate and failed deployment recovery time by DORA
//! (<https://dora.dev/guides/dora-metrics-four-keys/>). DORA leaves open how a failed deployment is recognised; `docs/statistics.md`
//! documents the rules used here.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::change::{Change, ChangeKind, ChangeState};
use super::labels::Text;
use super::measures::DurationStats;
use super::slo::TimeRange;

/// An incident this soon after a deployment of the same service counts as its failure.
pub const INCIDENT_WITHIN: SignedDuration = SignedDuration::from_hours(1);
/// A rollback this soon after a deployment of the same service counts as its failure.
pub const ROLLED_BACK_WITHIN: SignedDuration = SignedDuration::from_hours(24);
/// Deployments of one version, each this soon after the one before, are one rollout in steps, such as region by region.
const ONE_ROLLOUT_WITHIN: SignedDuration = SignedDuration::from_hours(1);

/// An incident of a service, as far as deliveries are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceIncident<'a> {
    pub service: &'a str,
    pub triggered: Timestamp,
    pub resolved: Option<Timestamp>,
}

/// Why a deployment counts as failed, the first reason that applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FailureReason {
    /// An incident of the service followed.
    Incident,
    RolledBack,
    /// The deployment itself reported a failure.
    NotDeployed,
}

/// The failure of a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeploymentFailure {
    pub reason: FailureReason,
    /// When service was restored: the end of the incidents, else the rollback, else the next deployment that did not fail.
    pub restored: Option<Timestamp>,
}

/// One deployment of one service, with all its steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    pub service: Text,
    /// The start of its first step.
    pub at: Timestamp,
    pub version: Option<Text>,
    /// When the deployed change was made: its commit, if a source tells.
    pub made_at: Option<Timestamp>,
    pub failure: Option<DeploymentFailure>,
}

/// A deployment with the state of its last step.
struct Rollout {
    deployment: Deployment,
    last: Timestamp,
    has_failed: bool,
}

/// The deployments of all services, each once, by service and time. Changes may be in any order; those without a service are ignored.
pub fn deployments(changes: &[Arc<Change>], incidents: &[ServiceIncident<'_>]) -> Vec<Deployment> {
    let mut by_service: BTreeMap<&Text, Vec<&Change>> = BTreeMap::new();
    for change in changes {
        let is_version = matches!(change.kind, ChangeKind::Deploy | ChangeKind::Rollback);
        if let Some(service) = change.service.as_ref().filter(|_| is_version) {
            by_service.entry(service).or_default().push(change);
        }
    }
    let commits = commit_times(changes);
    let mut all = Vec::new();
    for (service, mut its) in by_service {
        its.sort_unstable();
        let rollouts = rollouts(service, &its, &commits);
        let rollbacks: Vec<Timestamp> =
            its.iter().filter(|change| change.kind == ChangeKind::Rollback).map(|change| change.at).collect();
        let incidents: Vec<&ServiceIncident<'_>> =
            incidents.iter().filter(|incident| *incident.service == **service).collect();
        all.extend(with_failures(rollouts, &rollbacks, &incidents));
    }
    all
}

/// When each commit was made, from changes that are no deployments, such as a push.
fn commit_times(changes: &[Arc<Change>]) -> BTreeMap<&Text, Timestamp> {
    let mut times: BTreeMap<&Text, Timestamp> = BTreeMap::new();
    for change in changes.iter().filter(|change| change.kind == ChangeKind::Other) {
        if let Some(commit) = change.labels.get("commit") {
            let made = change.made_at.unwrap_or(change.at);
            times.entry(commit).and_modify(|known| *known = made.min(*known)).or_insert(made);
        }
    }
    times
}

/// The deployments of one service in the order of time, those of the same version that follow each other joined.
fn rollouts(service: &Text, changes: &[&Change], commits: &BTreeMap<&Text, Timestamp>) -> Vec<Rollout> {
    let mut rollouts: Vec<Rollout> = Vec::new();
    for change in changes.iter().filter(|change| change.kind == ChangeKind::Deploy) {
        let pushed = change.labels.get("commit").and_then(|commit| commits.get(commit)).copied();
        let made_at = change.made_at.or(pushed).filter(|made| *made <= change.at);
        let has_failed = change.state == ChangeState::Failed;
        let same = rollouts.last_mut().filter(|last| {
            !last.has_failed
                && change.to.is_some()
                && last.deployment.version == change.to
                && change.at.duration_since(last.last) <= ONE_ROLLOUT_WITHIN
        });
        if let Some(same) = same {
            (same.last, same.has_failed) = (change.at, has_failed);
            same.deployment.made_at = same.deployment.made_at.into_iter().chain(made_at).min();
            continue;
        }
        let (service, version) = (service.clone(), change.to.clone());
        let deployment = Deployment { service, at: change.at, version, made_at, failure: None };
        rollouts.push(Rollout { deployment, last: change.at, has_failed });
    }
    rollouts
}

/// Finds which deployments failed: an incident or a rollback belongs to the last deployment before it.
fn with_failures(
    rollouts: Vec<Rollout>,
    rollbacks: &[Timestamp],
    incidents: &[&ServiceIncident<'_>],
) -> Vec<Deployment> {
    let starts: Vec<Timestamp> = rollouts.iter().map(|rollout| rollout.deployment.at).collect();
    let failing = |index: usize, rollout: &Rollout| {
        let (start, next) = (rollout.deployment.at, starts.get(index + 1));
        let is_its = |at: Timestamp, within: SignedDuration| {
            at >= start && at.duration_since(rollout.last) <= within && next.is_none_or(|next| at < *next)
        };
        let its: Vec<_> =
            incidents.iter().filter(|incident| is_its(incident.triggered, INCIDENT_WITHIN)).collect();
        let rollback = rollbacks.iter().find(|at| is_its(**at, ROLLED_BACK_WITHIN)).copied();
        if !its.is_empty() {
            // restored when the last of them is resolved
            let ends: Option<Vec<Timestamp>> = its.iter().map(|incident| incident.resolved).collect();
            return Some((FailureReason::Incident, ends.and_then(|ends| ends.into_iter().max())));
        }
        match rollback {
            Some(at) => Some((FailureReason::RolledBack, Some(at))),
            None => rollout.has_failed.then_some((FailureReason::NotDeployed, None)),
        }
    };
    let failures: Vec<_> =
        rollouts.iter().enumerate().map(|(index, rollout)| failing(index, rollout)).collect();
    let next_good = |index: usize| {
        let later = starts.iter().zip(&failures).skip(index + 1);
        later.filter(|(_, failure)| failure.is_none()).map(|(start, _)| *start).next()
    };
    let failure = |index: usize| {
        let (reason, restored) = failures.get(index).copied().flatten()?;
        let restored = match reason {
            FailureReason::NotDeployed => next_good(index),
            FailureReason::Incident | FailureReason::RolledBack => restored,
        };
        Some(DeploymentFailure { reason, restored })
    };
    let with =
        |(index, rollout): (usize, Rollout)| Deployment { failure: failure(index), ..rollout.deployment };
    rollouts.into_iter().enumerate().map(with).collect()
}

/// The deliveries of one service, or of all, in a period.
#[derive(Debug, Clone, PartialEq)]
pub struct DeliveryCounts {
    /// The service; `None`: all services.
    pub service: Option<Text>,
    pub deployments: usize,
    /// Deployments per day of the period.
    pub per_day: f64,
    /// The number of failed deployments, by their reason.
    pub failed: BTreeMap<FailureReason, usize>,
    /// From the deployment to the restored service, of the failed deployments.
    pub restore: DurationStats,
    /// MTTP: from the commit to the deployment, where a source tells both.
    pub to_production: DurationStats,
}

impl DeliveryCounts {
    pub fn failures(&self) -> usize {
        self.failed.values().sum()
    }

    /// The change failure rate: failed / all deployments, 0 to 1; `None` without deployments.
    pub fn failure_rate(&self) -> Option<f64> {
        (self.deployments > 0).then(|| self.failures() as f64 / self.deployments as f64)
    }

    fn of(service: Option<Text>, its: &[&Deployment], days: f64) -> Self {
        let mut failed = BTreeMap::new();
        for failure in its.iter().filter_map(|deployment| deployment.failure) {
            *failed.entry(failure.reason).or_default() += 1;
        }
        let restores = its.iter().filter_map(|one| Some((one.at, one.failure?.restored)));
        let made = its.iter().map(|one| (one.made_at.unwrap_or(one.at), one.made_at.map(|_| one.at)));
        Self {
            service,
            deployments: its.len(),
            per_day: if days > 0.0 { its.len() as f64 / days } else { 0.0 },
            failed,
            restore: DurationStats::between(restores),
            to_production: DurationStats::between(made),
        }
    }
}

/// The deliveries in the period: those of all services first, then each service with deployments, the most deployed first. Empty
/// without deployments.
pub fn deliveries(deployments: &[Deployment], period: TimeRange) -> Vec<DeliveryCounts> {
    let within: Vec<&Deployment> =
        deployments.iter().filter(|one| one.at >= period.start && one.at < period.end).collect();
    if within.is_empty() {
        return Vec::new();
    }
    let days = period.length().as_secs_f64() / 86_400.0;
    let mut by_service: BTreeMap<&Text, Vec<&Deployment>> = BTreeMap::new();
    for one in &within {
        by_service.entry(&one.service).or_default().push(one);
    }
    let mut services: Vec<DeliveryCounts> = by_service
        .into_iter()
        .map(|(service, its)| DeliveryCounts::of(Some(service.clone()), &its, days))
        .collect();
    services.sort_by_key(|one| std::cmp::Reverse((one.deployments, one.failures())));
    std::iter::once(DeliveryCounts::of(None, &within, days)).chain(services).collect()
}

#[cfg(test)]
mod tests;
