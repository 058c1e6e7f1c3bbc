//! Actions on external systems: one operation on one object of one source, bound to the state of the object when the key was
//! pressed; the requests that the action sends; and its result.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::incident::IncidentStatus;
use super::labels::Text;
pub use super::operation::{EntityRef, Operation, OperationKind, SilenceDraft};
use super::source::{SourceError, SourceId};

/// One operation on one object of one source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    pub source: SourceId,
    pub target: ActionTarget,
    #[serde(rename = "deed")]
    pub operation: Operation,
}

/// The object of an action, as the user saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionTarget {
    /// The id at the source; empty for an object that does not exist yet.
    pub id: Text,
    pub name: Text,
    /// The status of the incident that the user saw. If the status has changed since then, nothing is overwritten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<IncidentStatus>,
}

/// One request of an action, as shown before it is sent. Never contains a credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestPreview {
    pub method: Text,
    /// The URL without user name and query.
    pub address: Text,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Text>,
}

impl fmt::Display for RequestPreview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.address)?;
        self.body.as_ref().map_or(Ok(()), |body| write!(f, " {body}"))
    }
}

/// The context that a plan needs besides the action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteContext {
    /// The current time by this machine's clock.
    pub now: Timestamp,
    /// How far the source's clock is ahead of this machine's; zero if unknown.
    pub clock_ahead: SignedDuration,
    /// The id of the acting user at the source, if it is known.
    pub actor: Option<Text>,
    /// The e-mail address that is sent to identify the acting user.
    pub signature: Option<Text>,
}

impl WriteContext {
    /// A context for a source without a known clock difference and user.
    pub fn at(now: Timestamp) -> Self {
        Self { now, clock_ahead: SignedDuration::ZERO, actor: None, signature: None }
    }

    /// Converts a local time to the source's clock.
    pub fn there(&self, here: Timestamp) -> Timestamp {
        here.saturating_add(self.clock_ahead).unwrap_or(here)
    }
}

/// The operations that a kind of source supports, with their request previews. Two values are equal if they support the same.
#[derive(Clone, Copy)]
pub struct WriteSupport {
    pub kinds: &'static [OperationKind],
    /// The requests that an action would send to a source at this address, in order, without prechecks. Empty if it does not
    /// support the operation. The error is the reason why the action is not possible, as far as it is known without I/O.
    pub preview: fn(&Action, &str, &WriteContext) -> Result<Vec<RequestPreview>, String>,
}

impl WriteSupport {
    /// No operations.
    pub const NONE: Self = Self { kinds: &[], preview: |_, _, _| Ok(Vec::new()) };
}

impl PartialEq for WriteSupport {
    fn eq(&self, other: &Self) -> bool {
        self.kinds == other.kinds
    }
}

impl Eq for WriteSupport {}

impl fmt::Debug for WriteSupport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WriteSupport").field(&self.kinds).finish()
    }
}

/// An action that the source did not confirm.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct ActionError {
    pub error: SourceError,
    /// Whether the action may have been executed: the request was sent, without a clear answer. It must not be sent again
    /// before it is read back.
    pub is_unclear: bool,
}

/// The result of reading back an action with an unclear result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verification {
    /// The action was executed.
    Done {
        /// The id of the created object, if there is one.
        id: Option<Text>,
    },
    /// The action was not executed.
    NotDone,
    /// Reading back cannot show whether the action was executed.
    Unknown {
        /// The reason.
        words: Text,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "ending")]
pub enum ActionResult {
    /// The action was executed.
    Done {
        /// The id of the created object, if there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<Text>,
    },
    /// The target was already in the wanted state.
    Already {
        /// The current state.
        words: Text,
    },
    /// Somebody else changed the target meanwhile; nothing was overwritten.
    #[serde(rename = "overtaken")]
    Conflict {
        /// The current state.
        words: Text,
    },
    /// The source refused the action; it was not executed.
    Refused {
        /// The reason, and what the user can do.
        words: Text,
    },
    /// burnwatch did not send the action: read-only, denied, a dry run, or cancelled.
    Held {
        /// The reason.
        words: Text,
    },
    /// The action was sent, and it is unknown whether it was executed.
    Unknown { words: Text },
}

impl ActionResult {
    /// Whether the target is in the wanted state now.
    pub const fn is_done(&self) -> bool {
        matches!(self, Self::Done { .. } | Self::Already { .. })
    }

    pub const fn word(&self) -> &'static str {
        match self {
            Self::Done { .. } => "done",
            Self::Already { .. } => "was so already",
            Self::Conflict { .. } => "overtaken",
            Self::Refused { .. } => "refused",
            Self::Held { .. } => "not sent",
            Self::Unknown { .. } => "unknown",
        }
    }

    /// The details, if there are any.
    pub fn words(&self) -> Option<&Text> {
        match self {
            Self::Done { .. } => None,
            Self::Already { words }
            | Self::Conflict { words }
            | Self::Refused { words }
            | Self::Held { words }
            | Self::Unknown { words } => Some(words),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActionProgress {
    Sending,
    /// The source asked to wait (429); the action is sent at this time.
    Waiting {
        until: Timestamp,
    },
    /// Sent without a clear answer; being read back.
    ReadingBack,
    Ended(ActionResult),
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::matcher::parse;

    fn action(operation: Operation) -> Action {
        let target =
            ActionTarget { id: "Q1".into(), name: "#1".into(), seen: Some(IncidentStatus::Triggered) };
        Action { source: SourceId::new("pager"), target, operation }
    }

    #[test]
    fn a_journal_with_earlier_names_of_operations_is_read() {
        for (earlier, operation, kind) in [
            (
                r#"{"prioritise": {"priority": null}}"#,
                Operation::Priority { priority: None },
                r#""prioritise""#,
            ),
            (
                r#"{"summon": {"people": [], "message": "help"}}"#,
                Operation::AddResponder { people: Vec::new(), message: "help".into() },
                r#""summon""#,
            ),
            (
                r#"{"inform": {"message": "up"}}"#,
                Operation::StatusUpdate { message: "up".into() },
                r#""inform""#,
            ),
        ] {
            assert_eq!(serde_json::from_str::<Operation>(earlier).unwrap(), operation);
            assert_eq!(serde_json::from_str::<OperationKind>(kind).unwrap(), operation.kind());
        }
    }

    #[test]
    fn an_action_reads_back_from_the_journal_as_it_was() {
        let whom = || EntityRef { id: "P1".into(), name: "Ana".into() };
        let at = Timestamp::from_second(1_768_445_520).unwrap();
        let draft = SilenceDraft {
            matchers: parse(r#"a="b\"c",d=~"e|f",g!="h""#).unwrap(),
            starts_at: Some(at),
            ends_at: at,
            created_by: "ana".into(),
            comment: "deploy".into(),
        };
        let operations = [
            Operation::Acknowledge,
            Operation::Assign { to: whom() },
            Operation::Snooze { rest: Duration::from_secs(3600) },
            Operation::Priority { priority: None },
            Operation::AddResponder { people: vec![whom()], message: "help".into() },
            Operation::TakeShift { person: whom(), start: at, end: at },
            Operation::Edit { draft: draft.clone(), seen: Some(at) },
            Operation::Silence { draft },
            Operation::Expire,
        ];
        for operation in operations {
            let action = action(operation);
            let text = serde_json::to_string(&action).unwrap();
            assert_eq!(serde_json::from_str::<Action>(&text).unwrap(), action, "{text}");
        }
    }
}
