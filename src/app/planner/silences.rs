//! Silences that can be confirmed: proposed for alerts, written, edited, extended, ended.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::{ActionProposal, Planner};
use crate::model::action::{Action, ActionTarget, Operation, OperationKind, SilenceDraft};
use crate::model::alert::Alert;
use crate::model::fingerprint::Fingerprint;
use crate::model::labels::{Labels, Text};
use crate::model::matcher;
use crate::model::silence::{
    ProposalInput, Silence, SilenceProposal, SilenceState, can_be_hidden, left_out, propose, refusal,
};
use crate::model::source::SourceId;

impl Planner<'_> {
    /// The sources at which these alerts are silenced: each that routes one of them, of a cluster only one member; where
    /// none routes them yet, each that could.
    ///
    /// # Errors
    /// Words for why there is none.
    pub fn silenced_at(&self, alerts: &[&Alert]) -> Result<Vec<SourceId>, Text> {
        if let Some(why) = self.cannot_anywhere(OperationKind::Silence) {
            return Err(why);
        }
        let able: Vec<&SourceId> = self
            .sources
            .iter()
            .map(|info| &info.id)
            .filter(|id| self.cannot(id, OperationKind::Silence).is_none())
            .collect();
        let routes = |id: &SourceId| alerts.iter().any(|alert| alert.sources.contains(id));
        let mut routing: Vec<&SourceId> = able.iter().copied().filter(|id| routes(id)).collect();
        if routing.is_empty() {
            let routed = alerts.iter().find(|alert| !alert.receivers.is_empty());
            if let Some(why) = routed
                .and_then(|alert| alert.sources.iter().find_map(|id| self.cannot(id, OperationKind::Silence)))
            {
                return Err(why);
            }
            routing = able;
        }
        let mut chosen: Vec<SourceId> = Vec::new();
        for id in routing {
            if !chosen.iter().any(|other| self.are_one_cluster(id, other)) {
                chosen.push(id.clone());
            }
        }
        Ok(chosen)
    }

    /// Members of a cluster share their silences, and with them their ids, which are unique in the world.
    fn are_one_cluster(&self, one: &SourceId, other: &SourceId) -> bool {
        let ids = |source: &SourceId| -> BTreeSet<&Text> {
            let silences = self.world.cache(source).and_then(|cache| cache.silences().value());
            silences.into_iter().flatten().map(|silence| &silence.id).collect()
        };
        !ids(one).is_disjoint(&ids(other))
    }

    /// Silences for alerts, proposed for as many sources; without the labels that are named, else without those that name who
    /// sent an alert.
    ///
    /// # Errors
    /// Words for why there are none.
    pub fn proposed(
        &self,
        marked: &[&Arc<Alert>],
        sources: usize,
        first: &[String],
        without: Option<&[String]>,
    ) -> Result<SilenceProposal, Text> {
        let prints: BTreeSet<Fingerprint> = marked.iter().map(|alert| alert.fingerprint).collect();
        let is_other = |alert: &&Arc<Alert>| can_be_hidden(alert) && !prints.contains(&alert.fingerprint);
        let others = self.world.alerts().iter().filter(is_other);
        let others: Vec<&Labels> = others.map(|alert| &alert.labels).collect();
        // what no Alertmanager routes yet gets more labels on its way there: that it lacks one of the others' says nothing
        let (raised, routed): (Vec<&Arc<Alert>>, _) =
            marked.iter().partition(|alert| alert.receivers.is_empty());
        let mut all = SilenceProposal::default();
        for some in [routed, raised].iter().filter(|some| !some.is_empty()) {
            let some: Vec<&Labels> = some.iter().map(|alert| &alert.labels).collect();
            let without = without.map_or_else(|| left_out(&some, &others), <[String]>::to_vec);
            let most = self.guard.max_bulk / sources.max(1);
            let wanted = ProposalInput { others: &others, first, without: &without, most };
            let mut proposal = propose(&some, wanted);
            // there are alerts that have nothing else to be told by
            if proposal.silences.is_empty() {
                proposal = propose(&some, ProposalInput { without: &[], ..wanted });
            }
            if proposal.silences.is_empty() {
                return Err("these alerts have no label to tell them by".into());
            }
            all.silences.extend(proposal.silences);
            all.left_out.extend(proposal.left_out);
        }
        all.left_out.sort();
        all.left_out.dedup();
        let (count, most) = (all.silences.len() * sources.max(1), self.guard.max_bulk);
        if count > most {
            return Err(format!(
                "{count} silences would be needed, {most} are made at once (max_bulk): mark fewer, or write a new one of what they share"
            )
            .into());
        }
        Ok(all)
    }

    /// Each of these silences at each of its sources; a silence goes with what it is called.
    ///
    /// # Errors
    /// Words for why Alertmanager or the context refuses one of them.
    pub fn silence(
        &self,
        wanted: &[(SilenceDraft, Text, Vec<SourceId>)],
        now: Timestamp,
    ) -> Result<ActionProposal, Text> {
        let mut planned = ActionProposal::default();
        for (draft, name, at) in wanted {
            can_be_made(draft, now)?;
            for source in at {
                match self.cannot(source, OperationKind::Silence) {
                    Some(why) => planned.left_out.push(why),
                    None => planned.actions.push(Action {
                        source: source.clone(),
                        target: ActionTarget { id: "".into(), name: name.clone(), seen: None },
                        operation: Operation::Silence { draft: draft.clone() },
                    }),
                }
            }
        }
        self.checked(planned)
    }

    /// A silence in the place of another one.
    ///
    /// # Errors
    /// Words for why Alertmanager or the context refuses it.
    pub fn edit(
        &self,
        silence: &Silence,
        draft: SilenceDraft,
        now: Timestamp,
    ) -> Result<ActionProposal, Text> {
        can_be_made(&draft, now)?;
        let mut planned = ActionProposal::default();
        let name = silence_called(silence);
        if silence.state == SilenceState::Expired {
            planned.left_out.push(format!("{name} has ended: make it again instead").into());
        } else if let Some(why) = self.cannot(&silence.source, OperationKind::Edit) {
            planned.left_out.push(why);
        } else {
            let target = ActionTarget { id: silence.id.clone(), name, seen: None };
            let operation = Operation::Edit { draft, seen: silence.updated_at };
            planned.actions.push(Action { source: silence.source.clone(), target, operation });
        }
        self.checked(planned)
    }

    /// A operation on each of these silences.
    ///
    /// # Errors
    /// Words for why nothing is left to be done, or why the context refuses it.
    pub fn on_silences(
        &self,
        silences: &[Arc<Silence>],
        operation: impl Fn(&Silence) -> Operation,
    ) -> Result<ActionProposal, Text> {
        let mut planned = ActionProposal::default();
        for silence in silences {
            let operation = operation(silence);
            let name = silence_called(silence);
            if silence.state == SilenceState::Expired {
                let again =
                    if operation.kind() == OperationKind::Extend { ": make it again instead" } else { "" };
                planned.left_out.push(format!("{name} has ended{again}").into());
            } else if let Some(why) = self.cannot(&silence.source, operation.kind()) {
                planned.left_out.push(why);
            } else {
                let target = ActionTarget { id: silence.id.clone(), name, seen: None };
                planned.actions.push(Action { source: silence.source.clone(), target, operation });
            }
        }
        self.checked(planned)
    }
}

/// The comment: why Alertmanager would not take a silence, if it would not.
fn can_be_made(draft: &SilenceDraft, now: Timestamp) -> Result<(), Text> {
    if let Some(why) = refusal(&draft.matchers) {
        return Err(why.into());
    }
    if draft.ends_at <= now {
        return Err("its end is over already".into());
    }
    if draft.starts_at.is_some_and(|start| draft.ends_at <= start) {
        return Err("it would end before it begins".into());
    }
    Ok(())
}

/// A silence as people say it: its matchers.
pub fn silence_called(silence: &Silence) -> Text {
    format!("{{{}}}", matcher::list(&silence.matchers)).into()
}
