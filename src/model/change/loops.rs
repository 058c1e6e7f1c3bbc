//! Joins the restarts of a service that restarts again and again: a crash loop is one change, which began with its first restart.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::{Change, ChangeKind};
use crate::model::duration;
use crate::model::labels::{Labels, Text};
use crate::model::remote::age;
use crate::model::source::SourceId;

/// Restarts that are at most this far apart belong to one loop. Kubernetes waits up to five minutes before each restart.
const APART: SignedDuration = SignedDuration::from_mins(10);
/// Fewer restarts are no loop.
const FEWEST: usize = 3;
/// Labels whose values distinguish loops.
const PLACES: [&str; 2] = ["cluster", "region"];

/// The changes with each crash loop as one change, the newest first. A loop ends where something else changes the service.
pub fn folded(changes: Vec<Change>) -> Vec<Change> {
    let mut by_service: BTreeMap<Option<Text>, Vec<Change>> = BTreeMap::new();
    for change in changes {
        by_service.entry(change.service.clone()).or_default().push(change);
    }
    let mut all: Vec<Change> = Vec::new();
    for (service, mut its) in by_service {
        its.sort_unstable();
        if service.is_none() {
            all.extend(its);
            continue;
        }
        let mut open: BTreeMap<[Option<Text>; 2], Vec<Change>> = BTreeMap::new();
        for change in its {
            if !is_restart(&change) {
                all.extend(std::mem::take(&mut open).into_values().flat_map(closed));
                all.push(change);
                continue;
            }
            let chain = open.entry(PLACES.map(|name| change.labels.get(name).cloned())).or_default();
            let follows = chain.last().is_none_or(|last| change.at.duration_since(last.at) <= APART);
            if !follows {
                all.extend(closed(std::mem::take(chain)));
            }
            chain.push(change);
        }
        all.extend(open.into_values().flat_map(closed));
    }
    all.sort_unstable();
    all.reverse();
    all
}

const fn is_restart(change: &Change) -> bool {
    matches!(change.kind, ChangeKind::Restart | ChangeKind::OutOfMemory)
}

/// What follows each other, as one change if it is a loop.
fn closed(chain: Vec<Change>) -> Vec<Change> {
    let ends = chain.first().zip(chain.last()).filter(|_| chain.len() >= FEWEST);
    let Some((first, last)) = ends.map(|(first, last)| (first.clone(), last.at)) else { return chain };
    vec![loop_of(&chain, first, last)]
}

fn loop_of(chain: &[Change], first: Change, last: Timestamp) -> Change {
    let has_oom = chain.iter().any(|change| change.kind == ChangeKind::OutOfMemory);
    let kind = if has_oom { ChangeKind::OutOfMemory } else { ChangeKind::Restart };
    let times = chain.iter().map(|change| change.times).fold(0, u32::saturating_add);
    let length = duration::short(age(first.at, last));
    let shared = |all: Labels, change: &Change| all.without(|name| all.get(name) != change.labels.get(name));
    let of_all: BTreeSet<&SourceId> = chain.iter().flat_map(|change| &change.sources).collect();
    let mut sources = first.sources.clone();
    let others: Vec<SourceId> =
        of_all.into_iter().filter(|source| !sources.contains(source)).cloned().collect();
    sources.extend(others);
    Change {
        kind,
        labels: chain.iter().fold(first.labels.clone(), shared),
        title: format!("{} {times} times in {length}", kind.title(None, None)).into(),
        times,
        sources,
        ..first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(second: i64, kind: ChangeKind, region: &str) -> Change {
        let at = Timestamp::from_second(1_700_000_000 + second).unwrap();
        let labels = Labels::from_iter([("region", region)]);
        Change {
            service: Some("scores".into()),
            labels,
            ..Change::new(at, kind, kind.title(None, None), SourceId::new("prom"))
        }
    }

    fn told(changes: Vec<Change>) -> Vec<String> {
        let told = |change: &Change| {
            format!("{} {} x{}", change.at.as_second() - 1_700_000_000, change.title, change.times)
        };
        folded(changes).iter().map(told).collect()
    }

    #[test]
    fn a_crash_loop_is_one_change_that_began_with_its_first_restart() {
        let restarts = (0..12).map(|n| change(120 * n, ChangeKind::Restart, "eu"));
        let other = change(300, ChangeKind::Restart, "us");
        assert_eq!(
            told(restarts.chain([other]).rev().collect()),
            ["300 restarted x1", "0 restarted 12 times in 22m x12"]
        );
    }

    #[test]
    fn two_restarts_are_no_loop_and_a_pause_or_a_deployment_ends_one() {
        let at = |second| change(second, ChangeKind::Restart, "eu");
        assert_eq!(told(vec![at(0), at(60)]), ["60 restarted x1", "0 restarted x1"]);
        let paused = [0, 60, 120, 721, 800, 900].map(at).to_vec();
        assert_eq!(told(paused), ["721 restarted 3 times in 2m59s x3", "0 restarted 3 times in 2m x3"]);
        let deploy = change(150, ChangeKind::Deploy, "us");
        let all: Vec<Change> = [0, 60, 120, 180].map(at).into_iter().chain([deploy]).collect();
        assert_eq!(told(all), ["180 restarted x1", "150 deployed x1", "0 restarted 3 times in 2m x3"]);
    }

    #[test]
    fn one_kill_for_want_of_memory_gives_the_loop_its_name() {
        let mut all: Vec<Change> = (0..3).map(|n| change(60 * n, ChangeKind::Restart, "eu")).collect();
        all[1].kind = ChangeKind::OutOfMemory;
        all[2].times = 4;
        assert_eq!(told(all), ["0 OOM killed 6 times in 2m x6"]);
    }
}
