//! What burnwatch takes to be so because it has asked for it: shown at once, told apart from what sources say, and given up
//! as soon as a source says something that it was asked after the action had ended.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::World;
use crate::model::action::{Action, ActionProgress, Operation, OperationKind};
use crate::model::alert::{Alert, AlertState};
use crate::model::ask::{AskKind, Question};
use crate::model::fingerprint::Fingerprint;
use crate::model::incident::{Attribution, Incident, IncidentStatus, Person};
use crate::model::labels::Text;
use crate::model::operation::TargetKind;
use crate::model::silence::{Silence, SilenceState};
use crate::model::source::SourceId;

/// How far an action is that shows already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptimisticStage {
    Sending,
    /// Its source asks to wait until then.
    Waiting(Timestamp),
    /// No sure answer came: it is being read back.
    ReadingBack,
    /// Done, and not yet among what its source tells.
    Done,
}

impl OptimisticStage {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Sending => "sending",
            Self::Waiting(_) => "waiting",
            Self::ReadingBack => "unclear",
            Self::Done => "sent",
        }
    }
}

/// An action that shows before its source tells of it.
#[derive(Debug, Clone, PartialEq)]
pub struct OptimisticChange {
    /// The number of its plan, and which of its actions it is.
    pub act: (u64, usize),
    pub action: Action,
    pub since: Timestamp,
    pub stage: OptimisticStage,
    /// Whether its source was asked after it had ended.
    asked: bool,
}

/// What shows of an incident before its source tells of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptimisticState {
    /// What is done to it.
    pub kind: OperationKind,
    /// How far that is.
    pub stage: OptimisticStage,
}

impl OptimisticChange {
    /// The question whose answer tells of it.
    const fn reported_by(&self) -> AskKind {
        match self.action.operation.kind().target() {
            TargetKind::Incident | TargetKind::Service => AskKind::Incidents,
            TargetKind::Schedule => AskKind::OnCall,
            TargetKind::Alerts => AskKind::Alerts,
            TargetKind::Silence => AskKind::Silences,
        }
    }

    fn is_reported_by(&self, question: &Question) -> bool {
        self.action.source == question.source && self.reported_by() == question.ask.kind()
    }
}

impl World {
    /// Shows an action as if it were done already.
    pub fn apply_optimistically(&mut self, act: (u64, usize), action: Action, now: Timestamp) {
        let optimistic_change =
            OptimisticChange { act, action, since: now, stage: OptimisticStage::Sending, asked: false };
        let news = optimistic_change.reported_by();
        self.optimistic.push(optimistic_change);
        self.merge(news, now);
    }

    /// Takes note of how far an action is. What has ended well shows until its source tells of it; all else is taken back.
    pub fn progressed(&mut self, act: (u64, usize), progress: &ActionProgress, now: Timestamp) {
        let Some(at) = self.optimistic.iter().position(|one| one.act == act) else { return };
        let stage = match progress {
            ActionProgress::Sending => Some(OptimisticStage::Sending),
            ActionProgress::Waiting { until } => Some(OptimisticStage::Waiting(*until)),
            ActionProgress::ReadingBack => Some(OptimisticStage::ReadingBack),
            ActionProgress::Ended(ending) => ending.is_done().then_some(OptimisticStage::Done),
        };
        let news = match (stage, self.optimistic.get_mut(at)) {
            (Some(stage), Some(one)) => {
                one.stage = stage;
                one.reported_by()
            }
            _ => self.optimistic.remove(at).reported_by(),
        };
        self.merge(news, now);
    }

    /// All that shows before its source tells of it, in the order in which it was asked for.
    pub fn optimistic_changes(&self) -> &[OptimisticChange] {
        &self.optimistic
    }

    /// What shows of an incident before its source tells of it, the latest last.
    pub fn optimistic_changes_of<'a>(
        &'a self,
        sources: &'a [SourceId],
        id: &'a str,
    ) -> impl DoubleEndedIterator<Item = &'a OptimisticChange> + 'a {
        self.optimistic.iter().filter(move |one| {
            *one.action.target.id == *id
                && one.reported_by() == AskKind::Incidents
                && sources.contains(&one.action.source)
        })
    }

    /// The silence on its way that makes an alert look silenced, and how far it is.
    pub fn silencing(&self, fingerprint: Fingerprint) -> Option<OptimisticStage> {
        if !self.optimistically_silenced.contains(&fingerprint) {
            return None;
        }
        let alert = self.alert(fingerprint)?;
        self.optimistic.iter().rev().find(|one| hides(one, alert)).map(|one| one.stage)
    }

    /// All silences of all sources; those that are being changed as they will be.
    pub fn shown_silences(&self) -> impl Iterator<Item = (Arc<Silence>, Option<OptimisticStage>)> {
        self.silences().map(|silence| {
            let its = self.optimistic.iter().rev().find(|one| {
                one.reported_by() == AskKind::Silences
                    && one.action.target.id == silence.id
                    && one.action.source == silence.source
            });
            let Some(one) = its else { return (Arc::clone(silence), None) };
            let changed = match &one.action.operation {
                Operation::Extend { until } => Silence { ends_at: *until, ..(**silence).clone() },
                Operation::Edit { draft, .. } => Silence {
                    matchers: draft.matchers.clone(),
                    starts_at: draft.starts_at.unwrap_or(silence.starts_at),
                    ends_at: draft.ends_at,
                    created_by: Text::clone(&draft.created_by),
                    comment: Text::clone(&draft.comment),
                    ..(**silence).clone()
                },
                _ => Silence { state: SilenceState::Expired, ..(**silence).clone() },
            };
            (Arc::new(changed), Some(one.stage))
        })
    }

    /// Notes that a source was asked: what it answers from now on is younger than the actions that have ended.
    pub(super) fn mark_asked(&mut self, question: &Question) {
        for one in self.optimistic.iter_mut().filter(|one| one.stage == OptimisticStage::Done) {
            one.asked |= one.is_reported_by(question);
        }
    }

    /// Gives up what a source was asked about and has answered. `false` if there is nothing of the kind.
    pub(super) fn drop_confirmed(&mut self, question: &Question) -> bool {
        let before = self.optimistic.len();
        self.optimistic
            .retain(|one| !(one.asked && one.stage == OptimisticStage::Done && one.is_reported_by(question)));
        self.optimistic.len() < before
    }

    /// The alerts as they are shown: those that are being silenced as silenced.
    pub(super) fn shown_alerts(&self) -> (Vec<Arc<Alert>>, BTreeSet<Fingerprint>) {
        let silences: Vec<&OptimisticChange> =
            self.optimistic.iter().filter(|one| one.reported_by() == AskKind::Alerts).collect();
        if silences.is_empty() {
            return (self.reported.clone(), BTreeSet::new());
        }
        let mut optimistically_silenced = BTreeSet::new();
        let shown = self.reported.iter().map(|alert| {
            if !alert.is_active() || !silences.iter().any(|one| hides(one, alert)) {
                return Arc::clone(alert);
            }
            optimistically_silenced.insert(alert.fingerprint);
            Arc::new(Alert { state: AlertState::Silenced, ..(**alert).clone() })
        });
        (shown.collect(), optimistically_silenced)
    }

    /// What is done to an incident shows in it, unless its source tells that it stands elsewhere by now.
    pub(super) fn apply_optimistic(
        &self,
        incident: &mut Incident,
        sources: &[SourceId],
    ) -> Option<OptimisticState> {
        let mut last = None;
        let stood = incident.status;
        for one in self.optimistic_changes_of(sources, &incident.id.clone()) {
            last = Some(OptimisticState { kind: one.action.operation.kind(), stage: one.stage });
            if one.action.target.seen.is_none_or(|seen| seen == stood) {
                self.change(incident, one);
            }
        }
        last
    }

    fn change(&self, incident: &mut Incident, one: &OptimisticChange) {
        let at = one.since;
        match &one.action.operation {
            Operation::Acknowledge => {
                incident.status = IncidentStatus::Acknowledged;
                incident.acknowledged.push(Attribution { who: self.me_at(&one.action.source), at });
                incident.pending.retain(|next| &*next.what != "escalate");
                incident.changed_at = at;
            }
            Operation::Resolve => {
                incident.status = IncidentStatus::Resolved;
                incident.resolved_at = Some(at);
                incident.changed_at = at;
                incident.pending.clear();
            }
            Operation::Assign { to } => {
                let who = Person { id: to.id.clone(), name: to.name.clone(), email: None, zone: None };
                incident.assigned = vec![Attribution { who, at }];
            }
            _ => {}
        }
    }

    /// The person at the keyboard, as a source knows them.
    fn me_at(&self, source: &SourceId) -> Person {
        let board = self.cache.get(source).and_then(|cache| cache.on_call().value());
        let unknown = || Person { id: "".into(), name: "you".into(), email: None, zone: None };
        board.and_then(|board| board.me.clone()).unwrap_or_else(unknown)
    }
}

/// Whether a silence that is on its way keeps an alert quiet: one of its own source's, or one that no source has routed yet.
fn hides(one: &OptimisticChange, alert: &Alert) -> bool {
    let Operation::Silence { draft } = &one.action.operation else { return false };
    if draft.starts_at.is_some_and(|start| start > one.since) {
        return false;
    }
    let is_there = alert.receivers.is_empty() || alert.sources.contains(&one.action.source);
    is_there
        && !draft.matchers.is_empty()
        && draft.matchers.iter().all(|matcher| matcher.matches(&alert.labels))
}

#[cfg(test)]
mod tests;
