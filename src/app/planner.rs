//! Plans operations: turns what the user wants into actions that can be confirmed, or into the reason why that is not possible.
//! Pure: it reads the cached answers and the guard, and returns actions bound to the current state of their targets.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::identity::{IncidentKey, LevelKey, SilenceKey};
use super::intent::{Objects, PartialOperation};
use super::shared::Shared;
use crate::model::action::{
    Action, ActionTarget, EntityRef, Operation, OperationKind, RequestPreview, WriteContext,
};
use crate::model::guard::Guard;
use crate::model::incident::{IncidentStatus, Person};
use crate::model::labels::Text;
use crate::model::oncall::{OnCallSnapshot, Shift};
use crate::model::operation::{Argument, Arguments};
use crate::model::remote::age;
use crate::model::silence::Silence;
use crate::model::source::SourceId;
use crate::model::source_info::SourceInfo;
use crate::model::world::{IncidentView, OptimisticStage, World};

pub mod consequences;
mod silences;

pub use silences::silence_label;

/// Why no action on an item is possible whose source has removed it.
pub const GONE: &str = "its source no longer lists it";

/// Plans actions from the cached answers, the sources and the guard of a context.
#[derive(Clone, Copy)]
pub struct Planner<'a> {
    pub world: &'a World,
    /// The sources of the context and the operations that they support.
    pub sources: &'a [SourceInfo],
    pub guard: &'a Guard,
}

/// Actions that are ready to be confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ActionProposal {
    /// The actions; never empty.
    pub actions: Vec<Action>,
    /// The requested parts that are left out, each as a sentence with the reason.
    pub left_out: Vec<Text>,
}

/// An incident in a message or a title: `#4242 checkout is slow`.
pub fn called(view: &IncidentView) -> Text {
    format!("#{} {}", view.incident.number, view.incident.subject()).into()
}

impl<'a> Planner<'a> {
    /// A planner over the current state of the screen.
    pub fn of(shared: &'a Shared) -> Self {
        Self { world: &shared.world, sources: &shared.sources, guard: &shared.guard }
    }

    /// Why operations of this kind are not possible at a source; `None` if they are.
    pub fn unavailable(&self, source: &SourceId, kind: OperationKind) -> Option<Text> {
        if let Some(why) = self.guard.forbids(kind) {
            return Some(why);
        }
        let Some(info) = self.sources.iter().find(|info| info.id == *source) else {
            return Some(format!("{source} is not a source of this context").into());
        };
        if !info.writes.kinds.contains(&kind) {
            let kind = kind.name();
            return Some(format!("{source}: {} does not support {kind}", info.kind.name()).into());
        }
        let offer = self.world.cache(source).and_then(|cache| cache.probe().value());
        let refuses = offer.and_then(|offer| offer.refuses.as_ref());
        refuses.map(|why| format!("{source}: {why}").into())
    }

    /// Why operations of this kind are not possible at any source of the context; `None` if at least one source can run them.
    pub fn unavailable_everywhere(&self, kind: OperationKind) -> Option<Text> {
        if let Some(why) = self.guard.forbids(kind) {
            return Some(why);
        }
        let mut able = self.sources.iter().filter(|info| info.writes.kinds.contains(&kind)).peekable();
        if able.peek().is_none() {
            return Some(format!("no source of this context supports {}", kind.name()).into());
        }
        let reasons: Vec<Option<Text>> = able.map(|info| self.unavailable(&info.id, kind)).collect();
        if reasons.iter().any(Option::is_none) { None } else { reasons.into_iter().next().flatten() }
    }

    /// The source that runs an operation on an incident: the source with the most complete data if it can, else another source
    /// that lists the incident.
    fn place(&self, view: &IncidentView, kind: OperationKind) -> Result<SourceId, Text> {
        let best = std::iter::once(&view.incident.source);
        let mut all = best.chain(view.sources.iter().filter(|id| **id != view.incident.source));
        let able = all.clone().find(|id| self.unavailable(id, kind).is_none());
        match (able, all.next()) {
            (Some(id), _) => Ok(id.clone()),
            (None, Some(id)) => Err(self.unavailable(id, kind).unwrap_or_default()),
            (None, None) => Err("no source lists the incident".into()),
        }
    }

    /// An operation on incidents. Incidents that the operation does not apply to are left out.
    ///
    /// # Errors
    /// The reason if every incident is left out, or if the guard refuses the plan.
    pub fn on_incidents(
        &self,
        incidents: &[&IncidentView],
        operation: &Operation,
    ) -> Result<ActionProposal, Text> {
        self.checked(incidents.iter().map(|known| {
            let (id, seen) = (known.incident.id.clone(), Some(known.incident.status));
            let target = ActionTarget { id, name: called(known), seen };
            let source = unfit(known, operation).map_or_else(|| self.place(known, operation.kind()), Err)?;
            Ok(Action { source, target, operation: operation.clone() })
        }))
    }

    /// The action, or why it is not possible at its source.
    fn action(&self, source: &SourceId, target: ActionTarget, operation: Operation) -> Result<Action, Text> {
        let action = Action { source: source.clone(), target, operation };
        self.unavailable(source, action.operation.kind()).map_or(Ok(action), Err)
    }

    /// The plan of those of the actions that are possible. Fails if none is, or if the guard refuses the plan.
    fn checked(
        &self,
        actions: impl IntoIterator<Item = Result<Action, Text>>,
    ) -> Result<ActionProposal, Text> {
        let mut planned = ActionProposal::default();
        for action in actions {
            match action {
                Ok(action) => planned.actions.push(action),
                Err(why) => planned.left_out.push(why),
            }
        }
        if planned.actions.is_empty() {
            planned.left_out.dedup();
            let more = planned.left_out.len().saturating_sub(2);
            let more = if more > 0 { format!("; and {more} more") } else { String::new() };
            planned.left_out.truncate(2);
            return Err(format!("{}{more}", planned.left_out.join("; ")).into());
        }
        self.guard.refusal(&planned.actions).map_or(Ok(planned), Err)
    }

    /// The requests that an action would send.
    ///
    /// # Errors
    /// The reason of the source's plan if the action is not possible there.
    pub fn preview(&self, action: &Action, now: Timestamp) -> Result<Vec<RequestPreview>, String> {
        let Some(info) = self.sources.iter().find(|info| info.id == action.source) else {
            return Ok(Vec::new());
        };
        let me = self.snapshot(&action.source).and_then(|snapshot| snapshot.me.as_ref());
        let cx = WriteContext {
            clock_ahead: SignedDuration::from_secs(self.world.clock_difference(&action.source)),
            actor: me.map(|me| Text::clone(&me.id)),
            ..WriteContext::at(now)
        };
        (info.writes.preview)(action, &info.address, &cx)
    }

    pub fn requests(&self, actions: &[Action], now: Timestamp) -> Vec<Vec<RequestPreview>> {
        actions.iter().map(|action| self.preview(action, now).unwrap_or_default()).collect()
    }

    /// Plans an operation whose parameters are all known. Fails if one is missing.
    ///
    /// # Errors
    /// The reason why the operation is not possible.
    pub fn plan(&self, wanted: &PartialOperation, now: Timestamp) -> Result<ActionProposal, Text> {
        let PartialOperation { kind, objects, given } = wanted;
        let whole = |given: &Arguments| kind.with(given).ok_or("a parameter is missing");
        match objects {
            Objects::Incidents(keys) => {
                let known = self.incidents(keys);
                if known.is_empty() {
                    return Err(GONE.into());
                }
                self.on_incidents(&known, &whole(given)?)
            }
            Objects::Silences(keys) => {
                let silences = self.silences(keys);
                if let Some(Argument::Length(by)) = given.find("until") {
                    return self.on_silences(&silences, |silence| Operation::Extend {
                        until: silence.ends_at.max(now).checked_add(*by).unwrap_or(silence.ends_at),
                    });
                }
                let operation = whole(given)?;
                self.on_silences(&silences, |_| operation.clone())
            }
            Objects::Level(LevelKey { policy, level }) => {
                let turn = self.turn_to_take(&policy.source, (&policy.id, *level), now)?;
                let end = match given.find("end") {
                    Some(Argument::Moment(end)) => *end,
                    _ => turn.end,
                };
                let actions = vec![turn.taken(&policy.source, now, end)];
                Ok(ActionProposal { actions, left_out: Vec::new() })
            }
            Objects::Service(Some((source, service))) => {
                // the same title within a minute gets the same deduplication key, so that a repeated action does not page twice
                let title = given.find("title").map(Argument::words).unwrap_or_default();
                let key: Text = format!("burnwatch/{}/{title}/{}", service.id, now.as_second() / 60).into();
                self.trigger(source, service, &whole(&given.clone().and("key", key))?)
            }
            Objects::Service(None) => Err("no service is selected".into()),
        }
    }

    /// Why an operation of this kind is possible for none of these incidents; `None` if it is possible for at least one.
    pub fn cannot_on(&self, incidents: &[&IncidentView], kind: OperationKind) -> Option<Text> {
        self.on_incidents(incidents, &kind.trial()).err()
    }

    /// The incidents with these keys that are still listed.
    pub fn incidents(&self, keys: &[IncidentKey]) -> Vec<&'a IncidentView> {
        keys.iter().filter_map(|key| key.incident(self.world)).collect()
    }

    /// The silences with these keys that are still listed.
    pub fn silences(&self, keys: &[SilenceKey]) -> Vec<Arc<Silence>> {
        keys.iter().filter_map(|key| key.silence(self.world)).collect()
    }

    /// Plans to open an incident for a service of a paging system.
    ///
    /// # Errors
    /// The reason why the operation is not possible.
    pub fn trigger(
        &self,
        source: &SourceId,
        service: &EntityRef,
        operation: &Operation,
    ) -> Result<ActionProposal, Text> {
        let target = ActionTarget { id: service.id.clone(), name: service.name.clone(), seen: None };
        self.checked([self.action(source, target, operation.clone())])
    }

    /// The current shift of another person at a level, which the user can take.
    ///
    /// # Errors
    /// The reason if there is no such shift.
    pub fn turn_to_take(
        &self,
        source: &SourceId,
        (policy, level): (&str, u32),
        now: Timestamp,
    ) -> Result<TakeableShift<'a>, Text> {
        self.unavailable(source, OperationKind::TakeShift).map_or(Ok(()), Err)?;
        let snapshot = self.snapshot(source).ok_or("its on-call data are not available")?;
        let me = snapshot.me.as_ref().ok_or_else(|| -> Text {
            format!("{source} cannot identify you: set `from` in [sources.{source}] to your e-mail address")
                .into()
        })?;
        let its = snapshot.shifts.iter().filter(|shift| *shift.policy == *policy && shift.level == level);
        let on_call: Vec<&'a Shift> = its.filter(|shift| shift.covers(now)).collect();
        if on_call.is_empty() {
            return Err(format!("no shift is known at level {level}").into());
        }
        if on_call.iter().all(|shift| shift.person.id == me.id) {
            return Err("you already have this shift".into());
        }
        let others = on_call.iter().filter(|shift| shift.person.id != me.id);
        let turn = others.clone().find_map(|shift| {
            let (schedule, end) = (shift.schedule.as_ref()?, shift.end?);
            Some(TakeableShift { schedule: EntityRef::from(schedule), from: &shift.person, me, end })
        });
        turn.ok_or_else(|| {
            let name = others.clone().next().map_or("somebody", |shift| &*shift.person.name);
            format!("{name} is a direct target of this level, not in a schedule: there is no shift to take")
                .into()
        })
    }

    /// The on-call data of a source; `None` before its first answer.
    pub fn snapshot(&self, source: &SourceId) -> Option<&'a OnCallSnapshot> {
        self.world.cache(source)?.on_call().value()
    }

    /// Whether the on-call data of a source are at most five minutes old.
    pub fn knows_who_is_on_call(&self, source: &SourceId, now: Timestamp) -> bool {
        let read = self.world.cache(source).and_then(|cache| cache.on_call().at);
        read.is_some_and(|at| age(at, now).as_secs() <= 330)
    }

    /// The people of a source who can be assigned: the user first, then those who are on call now.
    pub fn people(&self, source: &SourceId, now: Timestamp) -> Vec<&'a Person> {
        let Some(snapshot) = self.snapshot(source) else { return Vec::new() };
        let on_call = snapshot.shifts.iter().filter(|shift| shift.covers(now));
        let levels = snapshot.policies.iter().flat_map(|policy| &policy.levels);
        let named = levels.flat_map(|level| &level.targets).filter_map(|target| match target {
            crate::model::oncall::EscalationTarget::Person(person) => Some(person),
            crate::model::oncall::EscalationTarget::Schedule(_) => None,
        });
        let mut rest: Vec<&Person> = named.chain(snapshot.shifts.iter().map(|shift| &shift.person)).collect();
        rest.sort_by(|a, b| a.name.cmp(&b.name));
        let mut now: Vec<&Person> = on_call.map(|shift| &shift.person).collect();
        now.sort_by(|a, b| a.name.cmp(&b.name));
        let mut seen = BTreeSet::new();
        let all = snapshot.me.iter().chain(now).chain(rest);
        all.filter(|person| seen.insert(&person.id)).collect()
    }

    /// The services of a paging system for which an incident can be opened, sorted by name.
    pub fn services(&self, source: &SourceId) -> Vec<EntityRef> {
        let of_policies = self.snapshot(source).into_iter().flat_map(|snapshot| &snapshot.policies);
        let of_policies = of_policies.flat_map(|policy| &policy.services);
        let incidents = self.world.incidents().iter().filter(|known| known.sources.contains(source));
        let of_incidents = incidents.filter_map(|known| known.incident.service.as_ref());
        let mut all: Vec<EntityRef> = of_policies.chain(of_incidents).map(EntityRef::from).collect();
        all.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        all.dedup_by(|a, b| a.id == b.id);
        all
    }
}

/// A shift of another person that can be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakeableShift<'a> {
    pub schedule: EntityRef,
    pub from: &'a Person,
    pub me: &'a Person,
    pub end: Timestamp,
}

impl TakeableShift<'_> {
    /// The action that takes the shift from `now` until a time.
    pub fn taken(&self, source: &SourceId, now: Timestamp, until: Timestamp) -> Action {
        let person = EntityRef::from(self.me);
        let target =
            ActionTarget { id: self.schedule.id.clone(), name: self.schedule.name.clone(), seen: None };
        Action {
            source: source.clone(),
            target,
            operation: Operation::TakeShift { person, start: now, end: until },
        }
    }
}

/// Why an operation does not apply to an incident in its current state; `None` if it does.
fn unfit(view: &IncidentView, operation: &Operation) -> Option<Text> {
    let (incident, spec) = (&view.incident, operation.kind().spec());
    let number = incident.number;
    if let Some(optimistic) = view.optimistic
        && optimistic.stage != OptimisticStage::Done
        && !spec.is_addition
    {
        return Some(format!("#{number}: {} is still in progress", optimistic.kind.name()).into());
    }
    if spec.is_for_open && incident.status == IncidentStatus::Resolved {
        return Some(format!("#{number} is resolved").into());
    }
    if spec.leads_to == Some(incident.status) {
        let all: Vec<&str> = view.holders().iter().map(|person| &*person.name).collect();
        let who = if all.is_empty() { String::new() } else { format!(" by {}", all.join(", ")) };
        return Some(format!("#{number} is already {}{who}", incident.status.word()).into());
    }
    let is_itself = matches!(operation, Operation::Merge { into } if into.id == incident.id);
    is_itself.then(|| format!("#{number} cannot be merged into itself").into())
}

#[cfg(test)]
mod tests;
