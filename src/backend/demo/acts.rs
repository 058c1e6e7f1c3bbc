//! What can be done to the demo world, and what it says to it: the same as the real systems would.

use jiff::{SignedDuration, Timestamp};

use super::doings::{self, Entry, StoodIn};
use super::noise::mix_text;
use super::{DemoSource, Role};
use crate::backend::http::surely_not;
use crate::backend::{alertmanager, pagerduty};
use crate::model::action::{ActError, Action, Call, Deed, DeedKind, Found, Outcome};
use crate::model::incident::{Incident, IncidentStatus};
use crate::model::labels::Text;
use crate::model::silence::{Silence, SilenceState, refusal};
use crate::model::source::{SourceError, Trouble};

impl Role {
    /// What can be done there.
    pub(super) fn acts(self) -> Vec<DeedKind> {
        let is_of_silence = |kind: &DeedKind| {
            matches!(kind, DeedKind::Silence | DeedKind::Edit | DeedKind::Extend | DeedKind::Expire)
        };
        let all = DeedKind::ALL.iter().copied();
        match self {
            Self::Prometheus(_) => Vec::new(),
            Self::Alertmanager => all.filter(is_of_silence).collect(),
            Self::Pager => all.filter(|kind| !is_of_silence(kind)).collect(),
        }
    }
}

impl DemoSource {
    pub(super) fn calls_of(&self, action: &Action) -> Vec<Call> {
        if !self.info.acts.contains(&action.deed.kind()) {
            return Vec::new();
        }
        let address = &*self.info.address;
        match self.role {
            Role::Prometheus(_) => Vec::new(),
            Role::Alertmanager => {
                alertmanager::calls(action, address, self.clock.now(), SignedDuration::ZERO)
            }
            Role::Pager => pagerduty::calls(action, address, &self.world.paging.me().id),
        }
    }

    pub(super) fn do_it(&self, action: &Action) -> Result<Outcome, ActError> {
        let kind = action.deed.kind();
        if !self.info.acts.contains(&kind) {
            let what = format!("to {}", kind.name());
            return Err(surely_not(SourceError::new(self.info.id.clone(), Trouble::NotOffered { what })));
        }
        if let Some(reason) = pagerduty::unfit(&action.deed).filter(|_| self.role == Role::Pager) {
            return Err(surely_not(SourceError::new(self.info.id.clone(), Trouble::Unfit { reason })));
        }
        let now = self.clock.now();
        match &action.deed {
            Deed::Silence(draft) | Deed::Edit { draft, .. } => {
                if draft.ends_at <= now {
                    return Err(self.refused(400, "end time can't be in the past"));
                }
                if let Some(why) = refusal(&draft.matchers) {
                    return Err(self.refused(400, why));
                }
                if kind == DeedKind::Edit {
                    match self.end(action, now, now) {
                        Outcome::Done { .. } => {}
                        other => return Ok(other),
                    }
                }
                let id = doings::add(&self.done, |done| done.make_silence(draft, now, &self.info.id));
                Ok(Outcome::Done { id: Some(id) })
            }
            Deed::Extend { until } => Ok(self.end(action, *until, now)),
            Deed::Expire => Ok(self.end(action, now, now)),
            Deed::Trigger { key, .. } => Ok(self.open(action, key, now)),
            Deed::TakeShift { person, start, end } => {
                let paging = &self.world.paging;
                if !paging.has_rotation(&action.target.id) {
                    return Err(self.refused(404, "there is no such schedule"));
                }
                let stood_in = StoodIn {
                    rotation: Text::clone(&action.target.id),
                    person: paging.person_or(person),
                    start: *start,
                    end: *end,
                    made_at: now,
                };
                doings::add(&self.done, |done| done.stood_in.push(stood_in));
                Ok(Outcome::Done { id: None })
            }
            _ => self.change(action, now),
        }
    }

    /// Whether it was done here since it was sent.
    pub(super) fn found(&self, action: &Action, sent_at: Timestamp) -> Found {
        let kind = action.deed.kind();
        if !self.info.acts.contains(&kind) {
            return Found::Unknown { words: format!("it does not offer to {}", kind.name()).into() };
        }
        doings::so_far(&self.done).trace(action, sent_at, self.clock.now())
    }

    fn refused(&self, status: u16, message: &str) -> ActError {
        let trouble = Trouble::Refused { status, message: message.into() };
        surely_not(SourceError::new(self.info.id.clone(), trouble))
    }

    /// Moves the end of a silence.
    fn end(&self, action: &Action, until: Timestamp, now: Timestamp) -> Outcome {
        let done = doings::so_far(&self.done);
        let all = self.silences(&done, now);
        let is_it =
            |silence: &&Silence| silence.id == action.target.id && silence.state != SilenceState::Expired;
        let current = all.iter().find(is_it);
        let Some(silence) = current else {
            let over = |silence: &Silence| {
                Text::from(format!("it expired at {}", silence.ends_at.strftime("%H:%M:%S UTC")))
            };
            return match (done.touched(&action.target.id).map(over), &action.deed) {
                (Some(words), Deed::Expire) => Outcome::Already { words },
                (Some(words), _) => Outcome::Overtaken { words },
                (None, _) => Outcome::Overtaken { words: "the silence is not there any more".into() },
            };
        };
        doings::add(&self.done, |done| done.end_silence(silence, until));
        Outcome::Done { id: None }
    }

    fn open(&self, action: &Action, key: &Text, now: Timestamp) -> Outcome {
        let board = self.incidents(&doings::so_far(&self.done), now);
        let same = |incident: &&Incident| incident.is_open() && incident.key.as_ref() == Some(key);
        if let Some(known) = board.incidents.iter().find(same) {
            return Outcome::Already { words: format!("it is open as #{}", known.number).into() };
        }
        let id: Text = format!("Q{:012X}", mix_text(now.as_millisecond().cast_unsigned(), key) >> 16).into();
        let entry = Entry { at: now, action: action.clone(), id: Text::clone(&id), was_taken: false };
        doings::add(&self.done, |done| done.note(entry));
        Outcome::Done { id: Some(id) }
    }

    /// Does something to an incident.
    fn change(&self, action: &Action, now: Timestamp) -> Result<Outcome, ActError> {
        let board = self.incidents(&doings::so_far(&self.done), now);
        let known = |id: &str| board.incidents.iter().find(|incident| *incident.id == *id);
        let Some(incident) = known(&action.target.id) else {
            return Err(self.refused(404, "there is no such incident"));
        };
        if let Deed::Merge { into } = &action.deed
            && known(&into.id).is_none_or(|into| !into.is_open())
        {
            return Err(self.refused(400, "what it shall be merged into is not open"));
        }
        let me = self.world.paging.me();
        let is_mine = incident.acknowledged.iter().any(|stamp| stamp.who.id == me.id);
        match (&action.deed, incident.status) {
            (Deed::Note { .. } | Deed::StatusUpdate { .. } | Deed::Priority { .. }, _) => {}
            (Deed::Resolve, IncidentStatus::Resolved) if action.target.seen == Some(incident.status) => {
                return Ok(Outcome::Already { words: self.over(incident) });
            }
            (_, IncidentStatus::Resolved) => return Ok(Outcome::Overtaken { words: self.over(incident) }),
            (Deed::Acknowledge, IncidentStatus::Acknowledged) if is_mine => {
                let words = format!("acknowledged by {}", me.name).into();
                return Ok(Outcome::Already { words });
            }
            _ => {}
        }
        let was_taken = !incident.acknowledged.is_empty();
        let id = Text::clone(&incident.id);
        doings::add(&self.done, |done| {
            done.note(Entry { at: now, action: action.clone(), id, was_taken });
        });
        Ok(Outcome::Done { id: None })
    }

    /// Who ended it and when.
    fn over(&self, incident: &Incident) -> Text {
        let now = self.clock.now();
        let detail = self.detail(&incident.id, &doings::so_far(&self.done), now);
        let steps = detail.map(|detail| detail.steps).unwrap_or_default();
        let last = steps.iter().rev().find(|step| matches!(&*step.kind, "resolve" | "merge"));
        let who = last.and_then(|step| step.who.clone()).unwrap_or_else(|| "its alert".into());
        let at = incident.resolved_at.unwrap_or(incident.changed_at);
        format!("resolved by {who} at {}", at.strftime("%H:%M UTC")).into()
    }
}

#[cfg(test)]
mod tests;
