//! Plans silences: proposes matchers for alerts; plans new, edited, extended and expired silences.

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
    /// The sources at which a silence for these alerts is created: each Alertmanager that has one of them, but only one member of
    /// a cluster. If no Alertmanager has them yet, every Alertmanager that can create silences.
    ///
    /// # Errors
    /// The reason if there is no such source.
    pub fn silenced_at(&self, alerts: &[&Alert]) -> Result<Vec<SourceId>, Text> {
        self.unavailable_everywhere(OperationKind::Silence).map_or(Ok(()), Err)?;
        let able: Vec<&SourceId> = self
            .sources
            .iter()
            .map(|info| &info.id)
            .filter(|id| self.unavailable(id, OperationKind::Silence).is_none())
            .collect();
        let routes = |id: &SourceId| alerts.iter().any(|alert| alert.sources.contains(id));
        let mut routing: Vec<&SourceId> = able.iter().copied().filter(|id| routes(id)).collect();
        if routing.is_empty() {
            let routed = alerts.iter().find(|alert| !alert.receivers.is_empty());
            let mut sources = routed.into_iter().flat_map(|alert| &alert.sources);
            let why = sources.find_map(|id| self.unavailable(id, OperationKind::Silence));
            why.map_or(Ok(()), Err)?;
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

    /// Whether two sources are members of one cluster: then they list silences with the same ids, which are unique otherwise.
    fn are_one_cluster(&self, one: &SourceId, other: &SourceId) -> bool {
        let ids = |source: &SourceId| -> BTreeSet<&Text> {
            let silences = self.world.cache(source).and_then(|cache| cache.silences().value());
            silences.into_iter().flatten().map(|silence| &silence.id).collect()
        };
        !ids(one).is_disjoint(&ids(other))
    }

    /// Proposes silences for alerts, to be created at `sources` sources. The matchers omit the labels in `without`, by default
    /// the labels that identify the sender of an alert.
    ///
    /// # Errors
    /// The reason if no silences can be proposed.
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
        // an alert that no Alertmanager has yet gets more labels on its way there, so a missing label does not distinguish it
        let (raised, routed): (Vec<&Arc<Alert>>, _) =
            marked.iter().partition(|alert| alert.receivers.is_empty());
        let mut all = SilenceProposal::default();
        for some in [routed, raised].iter().filter(|some| !some.is_empty()) {
            let some: Vec<&Labels> = some.iter().map(|alert| &alert.labels).collect();
            let without = without.map_or_else(|| left_out(&some, &others), <[String]>::to_vec);
            let most = self.guard.max_bulk / sources.max(1);
            let wanted = ProposalInput { others: &others, first, without: &without, most };
            let mut proposal = propose(&some, wanted);
            // some alerts differ only in labels that are omitted by default
            if proposal.silences.is_empty() {
                proposal = propose(&some, ProposalInput { without: &[], ..wanted });
            }
            if proposal.silences.is_empty() {
                return Err("these alerts have no labels that identify them".into());
            }
            all.silences.extend(proposal.silences);
            all.left_out.extend(proposal.left_out);
        }
        all.left_out.sort();
        all.left_out.dedup();
        let (count, most) = (all.silences.len() * sources.max(1), self.guard.max_bulk);
        if count > most {
            return Err(format!(
                "{count} silences would be needed, at most {most} are allowed at once (max_bulk): mark fewer alerts, or create one silence for their common labels"
            )
            .into());
        }
        Ok(all)
    }

    /// Plans to create each silence at each of its sources; the text is the name of the silence in the dialog.
    ///
    /// # Errors
    /// The reason if Alertmanager or the guard refuses a silence.
    pub fn silence(
        &self,
        wanted: &[(SilenceDraft, Text, Vec<SourceId>)],
        now: Timestamp,
    ) -> Result<ActionProposal, Text> {
        for (draft, ..) in wanted {
            can_be_made(draft, now)?;
        }
        self.checked(wanted.iter().flat_map(|(draft, name, at)| {
            at.iter().map(move |source| {
                let target = ActionTarget { id: "".into(), name: name.clone(), seen: None };
                self.action(source, target, Operation::Silence { draft: draft.clone() })
            })
        }))
    }

    /// Plans to replace a silence.
    ///
    /// # Errors
    /// The reason if Alertmanager or the guard refuses it.
    pub fn edit(
        &self,
        silence: &Silence,
        draft: SilenceDraft,
        now: Timestamp,
    ) -> Result<ActionProposal, Text> {
        can_be_made(&draft, now)?;
        self.checked([self.on_silence(silence, Operation::Edit { draft, seen: silence.updated_at })])
    }

    fn on_silence(&self, silence: &Silence, operation: Operation) -> Result<Action, Text> {
        let (name, kind) = (silence_label(silence), operation.kind());
        if silence.state == SilenceState::Expired {
            let verb = if kind == OperationKind::Edit { "expired" } else { "ended" };
            let can_be_repeated = matches!(kind, OperationKind::Edit | OperationKind::Extend);
            let advice = if can_be_repeated { ": create it again instead" } else { "" };
            return Err(format!("{name} has {verb}{advice}").into());
        }
        self.action(&silence.source, ActionTarget { id: silence.id.clone(), name, seen: None }, operation)
    }

    /// Plans an operation on each of these silences.
    ///
    /// # Errors
    /// The reason if every silence is left out, or if the guard refuses the plan.
    pub fn on_silences(
        &self,
        silences: &[Arc<Silence>],
        operation: impl Fn(&Silence) -> Operation,
    ) -> Result<ActionProposal, Text> {
        self.checked(silences.iter().map(|silence| self.on_silence(silence, operation(silence))))
    }
}

/// Why Alertmanager would refuse a silence.
fn can_be_made(draft: &SilenceDraft, now: Timestamp) -> Result<(), Text> {
    if let Some(why) = refusal(&draft.matchers) {
        return Err(why.into());
    }
    if draft.ends_at <= now {
        return Err("its end is in the past".into());
    }
    if draft.starts_at.is_some_and(|start| draft.ends_at <= start) {
        return Err("it would end before it begins".into());
    }
    Ok(())
}

/// A silence as a short text: its matchers.
pub fn silence_label(silence: &Silence) -> Text {
    format!("{{{}}}", matcher::list(&silence.matchers)).into()
}
