//! On-call: each level of each escalation policy with who is on call now and next, and the week of the one under the cursor.

use std::collections::BTreeSet;

use crate::app::filter::Haystack;
use crate::app::found::{Found, passing};
use crate::app::list::List;
use crate::app::place::Place;
use crate::app::state::State;
use crate::model::labels::{Labels, Text};
use crate::model::oncall::{EscalationPolicy, OnCallBoard};
use crate::model::source::SourceId;
use crate::model::world::World;

mod calendar;
mod view;
pub(in crate::app) mod words;

pub use view::{list_area, render};

/// A level of a policy of a source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LevelKey {
    /// Who tells of it.
    pub source: SourceId,
    /// The policy's id.
    pub policy: Text,
    /// The level, from 1.
    pub level: u32,
}

impl LevelKey {
    /// What its source says, and the policy, if they are still there.
    pub fn policy<'a>(&self, world: &'a World) -> Option<(&'a OnCallBoard, &'a EscalationPolicy)> {
        policy(world, &self.source, &self.policy)
    }

    /// The screen of its policy.
    pub fn place(&self) -> Place {
        Place::Policy { source: self.source.clone(), id: self.policy.clone() }
    }
}

/// The list of levels.
#[derive(Debug, Default)]
pub struct OnCall {
    /// The rows.
    pub list: List<LevelKey>,
    /// The filter.
    pub found: Found,
}

/// A policy, and what its source says.
pub(in crate::app) fn policy<'a>(
    world: &'a World,
    source: &SourceId,
    id: &str,
) -> Option<(&'a OnCallBoard, &'a EscalationPolicy)> {
    let board = world.held(source)?.on_call().value()?;
    Some((board, board.policies.iter().find(|policy| *policy.named.id == *id)?))
}

/// The numbers of a policy's levels; whoever is on call has one, too, whatever the policy tells.
pub(crate) fn levels(board: &OnCallBoard, policy: &EscalationPolicy) -> BTreeSet<u32> {
    let its = board.shifts.iter().filter(|shift| shift.policy == policy.named.id).map(|shift| shift.level);
    let levels: BTreeSet<u32> = policy.levels.iter().map(|level| level.number).chain(its).collect();
    if levels.is_empty() { BTreeSet::from([1]) } else { levels }
}

/// Whether the person at the keyboard has a turn in a policy.
fn is_mine(board: &OnCallBoard, policy: &EscalationPolicy) -> bool {
    let Some(me) = &board.me else { return false };
    board.shifts.iter().any(|shift| shift.policy == policy.named.id && shift.person.id == me.id)
}

/// All levels of all policies: those of the person at the keyboard first, then by name.
fn all(world: &World) -> Vec<(LevelKey, Labels)> {
    let mut policies: Vec<(&SourceId, &OnCallBoard, &EscalationPolicy)> = world
        .on_call()
        .flat_map(|(source, board)| board.policies.iter().map(move |policy| (source, board, policy)))
        .collect();
    policies.sort_by_cached_key(|(source, board, policy)| {
        (!is_mine(board, policy), policy.named.name.clone(), (*source).clone(), policy.named.id.clone())
    });
    let keys = policies.into_iter().flat_map(|(source, board, policy)| {
        levels(board, policy).into_iter().map(move |level| {
            let key = LevelKey { source: source.clone(), policy: policy.named.id.clone(), level };
            let labels = described(&key, board, policy);
            (key, labels)
        })
    });
    keys.collect()
}

/// All that a matcher can ask for.
fn described(key: &LevelKey, board: &OnCallBoard, policy: &EscalationPolicy) -> Labels {
    let its = board.shifts.iter().filter(|shift| shift.policy == key.policy && shift.level == key.level);
    let people: BTreeSet<&str> = its.map(|shift| &*shift.person.name).collect();
    let joined = |names: Vec<&str>| Text::from(names.join(", "));
    let pairs = [
        ("policy", policy.named.name.clone()),
        ("level", key.level.to_string().into()),
        ("who", joined(people.into_iter().collect())),
        ("team", joined(policy.teams.iter().map(|team| &*team.name).collect())),
        ("service", joined(policy.services.iter().map(|service| &*service.name).collect())),
        ("source", key.source.as_str().into()),
    ];
    Labels::new(pairs.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

/// Brings the levels into their order again.
pub fn reorder(state: &mut State) {
    let is_typing = state.is_typing();
    let State { world, on_call: screen, .. } = state;
    let all = all(world);
    let passes = screen
        .found
        .select(world.revision(), is_typing, || Haystack::new(all.iter().map(|(_, labels)| (labels, []))));
    screen.list.set_rows(passing(all, passes.as_deref()).map(|(key, _)| key).collect());
}

/// What copying takes: who is on call there, in words.
pub fn copied(state: &State, key: &LevelKey, now: jiff::Timestamp) -> Option<String> {
    let (board, policy) = key.policy(&state.world)?;
    let watch = board.watch(&key.policy, key.level, now);
    Some(format!(
        "{}, level {}: {}",
        policy.named.name,
        key.level,
        words::names(state, &key.source, &watch.now)
    ))
}
