//! From what a person wants done to actions that can be confirmed, or the words for why not. Pure: what is known and what
//! is allowed go in, a list of actions bound to what stands there now comes out.

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
use crate::model::oncall::{OnCallBoard, Shift};
use crate::model::operation::{Argument, Arguments};
use crate::model::remote::age;
use crate::model::silence::Silence;
use crate::model::source::SourceId;
use crate::model::source_info::SourceInfo;
use crate::model::world::{IncidentView, OptimisticStage, World};

pub mod consequences;
mod silences;

pub use silences::silence_called;

/// What actions are worked out from.
#[derive(Clone, Copy)]
pub struct Planner<'a> {
    /// What the sources say.
    pub world: &'a World,
    /// Who they are and what can be done there.
    pub sources: &'a [SourceInfo],
    /// What the context forbids.
    pub guard: &'a Guard,
}

/// Actions that are ready to be confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ActionProposal {
    /// What is to be done; never empty.
    pub actions: Vec<Action>,
    /// What was wanted, too, and is left alone, each with the reason.
    pub left_out: Vec<Text>,
}

/// An incident as people say it: `#4242 checkout is slow`.
pub fn called(known: &IncidentView) -> Text {
    format!("#{} {}", known.incident.number, known.incident.subject()).into()
}

impl<'a> Planner<'a> {
    /// Of what is known now.
    pub fn of(shared: &'a Shared) -> Self {
        Self { world: &shared.world, sources: &shared.sources, guard: &shared.guard }
    }

    /// The comment: why things of this kind cannot be done at a source, if they cannot.
    pub fn cannot(&self, source: &SourceId, kind: OperationKind) -> Option<Text> {
        if let Some(why) = self.guard.forbids(kind) {
            return Some(why);
        }
        let Some(info) = self.sources.iter().find(|info| info.id == *source) else {
            return Some(format!("{source} is not a source of this context").into());
        };
        if !info.writes.kinds.contains(&kind) {
            let kind = kind.name();
            return Some(format!("{source}: {} has no way to {kind}", info.kind.name()).into());
        }
        let offer = self.world.cache(source).and_then(|cache| cache.probe().value());
        let refuses = offer.and_then(|offer| offer.refuses.as_ref());
        refuses.map(|why| format!("{source}: {why}").into())
    }

    /// The comment: why things of this kind can be done nowhere, if so.
    pub fn cannot_anywhere(&self, kind: OperationKind) -> Option<Text> {
        if let Some(why) = self.guard.forbids(kind) {
            return Some(why);
        }
        let mut able = self.sources.iter().filter(|info| info.writes.kinds.contains(&kind)).peekable();
        if able.peek().is_none() {
            return Some(format!("no source of this context has a way to {}", kind.name()).into());
        }
        let reasons: Vec<Option<Text>> = able.map(|info| self.cannot(&info.id, kind)).collect();
        if reasons.iter().any(Option::is_none) { None } else { reasons.into_iter().next().flatten() }
    }

    /// The source at which something can be done to an incident: the one that tells of it best, else another that knows it.
    fn place(&self, known: &IncidentView, kind: OperationKind) -> Result<SourceId, Text> {
        let best = std::iter::once(&known.incident.source);
        let mut all = best.chain(known.sources.iter().filter(|id| **id != known.incident.source));
        let able = all.clone().find(|id| self.cannot(id, kind).is_none());
        match (able, all.next()) {
            (Some(id), _) => Ok(id.clone()),
            (None, Some(id)) => Err(self.cannot(id, kind).unwrap_or_default()),
            (None, None) => Err("no source knows it".into()),
        }
    }

    /// A operation on incidents. Those that it cannot be done to are left out.
    ///
    /// # Errors
    /// Words for why nothing is left to be done, or why the context refuses it.
    pub fn on_incidents(
        &self,
        incidents: &[&IncidentView],
        operation: &Operation,
    ) -> Result<ActionProposal, Text> {
        let mut planned = ActionProposal::default();
        for known in incidents {
            let target = ActionTarget {
                id: known.incident.id.clone(),
                name: called(known),
                seen: Some(known.incident.status),
            };
            match unfit(known, operation).map_or_else(|| self.place(known, operation.kind()), Err) {
                Ok(source) => planned.actions.push(Action { source, target, operation: operation.clone() }),
                Err(why) => planned.left_out.push(why),
            }
        }
        self.checked(planned)
    }

    /// What is planned, if anything is and the context lets it be.
    fn checked(&self, planned: ActionProposal) -> Result<ActionProposal, Text> {
        if planned.actions.is_empty() {
            let mut reasons: Vec<&str> = planned.left_out.iter().map(|why| &**why).collect();
            reasons.dedup();
            let more = reasons.len().saturating_sub(2);
            let more = if more > 0 { format!("; and {more} more") } else { String::new() };
            return Err(
                format!("{}{more}", reasons.into_iter().take(2).collect::<Vec<_>>().join("; ")).into()
            );
        }
        self.guard.refusal(&planned.actions).map_or(Ok(planned), Err)
    }

    /// The requests that an action would make, or why its source would not take it.
    ///
    /// # Errors
    /// In the words of that source's plan.
    pub fn preview(&self, action: &Action, now: Timestamp) -> Result<Vec<RequestPreview>, String> {
        let Some(info) = self.sources.iter().find(|info| info.id == action.source) else {
            return Ok(Vec::new());
        };
        let me = self.board(&action.source).and_then(|board| board.me.as_ref());
        let cx = WriteContext {
            clock_ahead: SignedDuration::from_secs(self.world.clock_difference(&action.source)),
            actor: me.map(|me| Text::clone(&me.id)),
            ..WriteContext::at(now)
        };
        (info.writes.preview)(action, &info.address, &cx)
    }

    /// The requests that each of these actions would make.
    pub fn requests(&self, actions: &[Action], now: Timestamp) -> Vec<Vec<RequestPreview>> {
        actions.iter().map(|action| self.preview(action, now).unwrap_or_default()).collect()
    }

    /// What is planned of an operation of which all is known.
    ///
    /// # Errors
    /// Words for why it cannot be done.
    pub fn plan(&self, wanted: &PartialOperation, now: Timestamp) -> Result<ActionProposal, Text> {
        let PartialOperation { kind, objects, given } = wanted;
        let whole = |given: &Arguments| kind.with(given).ok_or("not all of it is known");
        match objects {
            Objects::Incidents(keys) => {
                let known = self.incidents(keys);
                if known.is_empty() {
                    return Err("it is gone: its source no longer lists it".into());
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
                // the same again within a minute is the same incident, not a second page
                let title = given.find("title").map(Argument::words).unwrap_or_default();
                let key: Text = format!("burnwatch/{}/{title}/{}", service.id, now.as_second() / 60).into();
                self.trigger(source, service, &whole(&given.clone().and("key", key))?)
            }
            Objects::Service(None) => Err("no service is chosen".into()),
        }
    }

    /// The comment: why an operation of this kind can be done to none of these incidents, if so.
    pub fn cannot_on(&self, incidents: &[&IncidentView], kind: OperationKind) -> Option<Text> {
        self.on_incidents(incidents, &kind.trial()).err()
    }

    /// The incidents of these keys that are there.
    pub fn incidents(&self, keys: &[IncidentKey]) -> Vec<&'a IncidentView> {
        keys.iter().filter_map(|key| key.incident(self.world)).collect()
    }

    /// The silences of these keys that are there.
    pub fn silences(&self, keys: &[SilenceKey]) -> Vec<Arc<Silence>> {
        keys.iter().filter_map(|key| key.silence(self.world)).collect()
    }

    /// Opens an incident about a service of a paging system. The same title within the same minute is the same incident.
    ///
    /// # Errors
    /// Words for why it cannot be done.
    pub fn trigger(
        &self,
        source: &SourceId,
        service: &EntityRef,
        operation: &Operation,
    ) -> Result<ActionProposal, Text> {
        let target = ActionTarget { id: service.id.clone(), name: service.name.clone(), seen: None };
        let mut planned = ActionProposal::default();
        match self.cannot(source, operation.kind()) {
            Some(why) => planned.left_out.push(why),
            None => {
                planned.actions.push(Action { source: source.clone(), target, operation: operation.clone() });
            }
        }
        self.checked(planned)
    }

    /// The turn of somebody else at a level that the person at the keyboard can take over.
    ///
    /// # Errors
    /// Words for why there is none.
    pub fn turn_to_take(
        &self,
        source: &SourceId,
        (policy, level): (&str, u32),
        now: Timestamp,
    ) -> Result<Turn<'a>, Text> {
        if let Some(why) = self.cannot(source, OperationKind::TakeShift) {
            return Err(why);
        }
        let board = self.board(source).ok_or("who is on call there is not known")?;
        let me = board.me.as_ref().ok_or_else(|| -> Text {
            format!("{source} does not know who you are: set `from` to your address there").into()
        })?;
        let its = board.shifts.iter().filter(|shift| *shift.policy == *policy && shift.level == level);
        let on_call: Vec<&'a Shift> = its.filter(|shift| shift.covers(now)).collect();
        if on_call.is_empty() {
            return Err(format!("nobody's turn is known at level {level}, so there is none to take").into());
        }
        if on_call.iter().all(|shift| shift.person.id == me.id) {
            return Err("it is your turn already".into());
        }
        let others = on_call.iter().filter(|shift| shift.person.id != me.id);
        let turn = others.clone().find_map(|shift| {
            let (schedule, end) = (shift.schedule.as_ref()?, shift.end?);
            Some(Turn { schedule: EntityRef::from(schedule), from: &shift.person, me, end })
        });
        turn.ok_or_else(|| {
            let name = others.clone().next().map_or("somebody", |shift| &*shift.person.name);
            format!("{name} is there by name and not by a schedule, so there is no turn to take").into()
        })
    }

    /// Who is on call, as a source says.
    pub fn board(&self, source: &SourceId) -> Option<&'a OnCallBoard> {
        self.world.cache(source)?.on_call().value()
    }

    /// Whether who is on call at a source was read in the last five minutes.
    pub fn knows_who_is_on_call(&self, source: &SourceId, now: Timestamp) -> bool {
        let read = self.world.cache(source).and_then(|cache| cache.on_call().at());
        read.is_some_and(|at| age(at, now).as_secs() <= 330)
    }

    /// Everybody of a source who can be given an incident: the person at the keyboard first, then those who are on call now.
    pub fn people(&self, source: &SourceId, now: Timestamp) -> Vec<&'a Person> {
        let Some(board) = self.board(source) else { return Vec::new() };
        let on_call = board.shifts.iter().filter(|shift| shift.covers(now));
        let levels = board.policies.iter().flat_map(|policy| &policy.levels);
        let named = levels.flat_map(|level| &level.targets).filter_map(|target| match target {
            crate::model::oncall::EscalationTarget::Person(person) => Some(person),
            crate::model::oncall::EscalationTarget::Schedule(_) => None,
        });
        let mut rest: Vec<&Person> = named.chain(board.shifts.iter().map(|shift| &shift.person)).collect();
        rest.sort_by(|a, b| a.name.cmp(&b.name));
        let mut now: Vec<&Person> = on_call.map(|shift| &shift.person).collect();
        now.sort_by(|a, b| a.name.cmp(&b.name));
        let mut seen = BTreeSet::new();
        let all = board.me.iter().chain(now).chain(rest);
        all.filter(|person| seen.insert(&person.id)).collect()
    }

    /// The services of a paging system about which an incident can be opened, by name.
    pub fn services(&self, source: &SourceId) -> Vec<EntityRef> {
        let of_policies = self.board(source).into_iter().flat_map(|board| &board.policies);
        let of_policies = of_policies.flat_map(|policy| &policy.services);
        let incidents = self.world.incidents().iter().filter(|known| known.sources.contains(source));
        let of_incidents = incidents.filter_map(|known| known.incident.service.as_ref());
        let mut all: Vec<EntityRef> = of_policies.chain(of_incidents).map(EntityRef::from).collect();
        all.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        all.dedup_by(|a, b| a.id == b.id);
        all
    }
}

/// Somebody's turn that can be taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn<'a> {
    /// The schedule by which it is theirs.
    pub schedule: EntityRef,
    pub from: &'a Person,
    /// The person at the keyboard.
    pub me: &'a Person,
    /// When it ends.
    pub end: Timestamp,
}

impl Turn<'_> {
    /// Taking it over from `now` until a moment.
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

/// The comment: why an operation does not fit an incident as it stands, if so.
fn unfit(known: &IncidentView, operation: &Operation) -> Option<Text> {
    let (incident, spec) = (&known.incident, operation.kind().spec());
    let number = incident.number;
    if let Some(optimistic) = known.optimistic
        && optimistic.stage != OptimisticStage::Done
        && !spec.is_addition
    {
        return Some(format!("#{number}: {} is still on its way", optimistic.kind.name()).into());
    }
    if spec.is_for_open && incident.status == IncidentStatus::Resolved {
        return Some(format!("#{number} is resolved").into());
    }
    if spec.leads_to == Some(incident.status) {
        let all: Vec<&str> = known.holders().iter().map(|person| &*person.name).collect();
        let who = if all.is_empty() { String::new() } else { format!(" by {}", all.join(", ")) };
        return Some(format!("#{number} is {} already{who}", incident.status.word()).into());
    }
    let is_itself = matches!(operation, Operation::Merge { into } if into.id == incident.id);
    is_itself.then(|| format!("#{number} cannot be merged into itself").into())
}

#[cfg(test)]
mod tests;
