//! On-call data, for all screens: the levels of a policy, links, texts.

use std::collections::BTreeSet;

use super::link::is_link;
use crate::app::identity::PolicyKey;
use crate::app::shared::{ScreenCx, Shared};
use crate::model::labels::Text;
use crate::model::oncall::{EscalationPolicy, EscalationTarget, OnCallSnapshot};

pub mod words;

/// The level numbers of a policy, with those of shifts on levels that the policy itself does not list. Never empty.
pub fn levels(snapshot: &OnCallSnapshot, policy: &EscalationPolicy) -> BTreeSet<u32> {
    let its = snapshot.shifts.iter().filter(|shift| shift.policy == policy.named.id).map(|shift| shift.level);
    let levels: BTreeSet<u32> = policy.levels.iter().map(|level| level.number).chain(its).collect();
    if levels.is_empty() { BTreeSet::from([1]) } else { levels }
}

/// Who is on call now at the first level of the policy of a service, and the policy's name; `None` if no policy names the service.
pub fn of_service(cx: &ScreenCx<'_>, service: &str) -> Option<(String, Text)> {
    let mut policies = cx.world.on_call().flat_map(|(source, snapshot)| {
        snapshot.policies.iter().map(move |policy| (source, snapshot, policy))
    });
    let is_its = |policy: &EscalationPolicy| {
        policy.services.iter().any(|known| known.name.eq_ignore_ascii_case(service))
    };
    let (source, snapshot, policy) = policies.find(|(_, _, policy)| is_its(policy))?;
    let first = levels(snapshot, policy).into_iter().next()?;
    let cover = snapshot.on_call_at(&policy.named.id, first, cx.now).now;
    Some((words::names(cx.shared, source, &cover), policy.named.name.clone()))
}

/// The links of a policy, its schedules and its services.
pub fn links(shared: &Shared, key: &PolicyKey) -> Vec<(String, Text)> {
    let Some((_, policy)) = key.policy(&shared.world) else { return Vec::new() };
    let targets = policy.levels.iter().flat_map(|level| &level.targets);
    let schedules = targets.filter_map(|target| match target {
        EscalationTarget::Schedule(schedule) => Some(schedule),
        EscalationTarget::Person(_) => None,
    });
    let all = std::iter::once(&policy.named).chain(schedules).chain(&policy.services);
    let links = all.filter_map(|named| Some((named.name.to_string(), named.url.clone()?)));
    links.filter(|(_, url)| is_link(url)).collect()
}
