//! The guardrails of a context: what burnwatch refuses or asks a second confirmation for, whatever the sources allow.

use std::collections::BTreeSet;

use super::action::{Action, OperationKind};
use super::labels::Text;

#[derive(Debug, Clone, PartialEq)]
pub struct Guard {
    /// Why all changes are disabled; `None` if they are not.
    pub read_only: Option<Text>,
    /// What may not be done.
    pub deny: BTreeSet<OperationKind>,
    /// The limit for the number of objects in one operation.
    pub max_bulk: usize,
    /// The share of all alerts, 0 to 1, above which a silence requires typing the context's name.
    pub silence_share: f64,
    /// Whether to show the requests without sending them.
    pub dry_run: bool,
}

impl Default for Guard {
    fn default() -> Self {
        Self { read_only: None, deny: BTreeSet::new(), max_bulk: 50, silence_share: 0.3, dry_run: false }
    }
}

impl Guard {
    /// A guard that refuses every operation, for this reason.
    pub fn read_only(why: &str) -> Self {
        Self { read_only: Some(why.into()), ..Self::default() }
    }

    /// The comment: why operations of this kind are refused, if they are.
    pub fn forbids(&self, kind: OperationKind) -> Option<Text> {
        if let Some(why) = &self.read_only {
            return Some(format!("actions are disabled: {why}").into());
        }
        // editing a silence in Alertmanager can create a new one, so denying `silence` also denies `edit`
        let also = (kind == OperationKind::Edit).then_some(OperationKind::Silence);
        let denied = [kind].into_iter().chain(also).find(|kind| self.deny.contains(kind))?;
        Some(format!("this context denies `{}` (contexts.NAME.deny)", denied.name()).into())
    }

    /// Why these actions are refused together; `None` if they are allowed. Used by both the confirmation dialog and the action
    /// executor.
    pub fn refusal(&self, actions: &[Action]) -> Option<Text> {
        if let Some(why) = actions.iter().find_map(|action| self.forbids(action.operation.kind())) {
            return Some(why);
        }
        (actions.len() > self.max_bulk).then(|| {
            let (len, most) = (actions.len(), self.max_bulk);
            format!("{len} objects at once, at most {most} are allowed (contexts.NAME.max_bulk)").into()
        })
    }

    /// Whether a silence that matches `hidden` of `all` alerts requires typing the context's name; never for a single
    /// alert.
    pub fn requires_context_name(&self, hidden: usize, all: usize) -> bool {
        hidden > 1 && hidden as f64 > self.silence_share * all as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::action::{ActionTarget, Operation};
    use crate::model::source::SourceId;

    fn acknowledge() -> Action {
        let target = ActionTarget { id: "Q1".into(), name: "#1".into(), seen: None };
        Action { source: SourceId::new("pager"), target, operation: Operation::Acknowledge }
    }

    #[test]
    fn what_is_refused_says_by_which_rule() {
        let read_only = Guard::read_only("--read-only").refusal(&[acknowledge()]);
        assert_eq!(read_only.as_deref(), Some("actions are disabled: --read-only"));
        let deny = Guard { deny: [OperationKind::Acknowledge].into(), ..Guard::default() };
        assert!(deny.refusal(&[acknowledge()]).is_some_and(|why| why.contains("`acknowledge`")));
        let deny = Guard { deny: [OperationKind::Silence].into(), ..Guard::default() };
        assert!(deny.forbids(OperationKind::Edit).is_some_and(|why| why.contains("`silence`")));
        assert_eq!(deny.forbids(OperationKind::Expire), None);
        let few = Guard { max_bulk: 1, ..Guard::default() };
        assert_eq!(few.refusal(&[acknowledge()]), None);
        assert!(few.refusal(&[acknowledge(), acknowledge()]).is_some_and(|why| why.contains("max_bulk")));
    }

    #[test]
    fn a_silence_over_much_of_everything_needs_the_name() {
        let guard = Guard { silence_share: 0.5, ..Guard::default() };
        assert!(!guard.requires_context_name(5, 10) && guard.requires_context_name(6, 10));
        assert!(!guard.requires_context_name(0, 0) && !guard.requires_context_name(1, 1));
    }
}
