//! What can be done to the systems outside: one operation on one object of one source, bound to what stood there when the key
//! was pressed, the calls that it takes, and how it ended.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::incident::IncidentStatus;
use super::labels::Text;
pub use super::operation::{EntityRef, Operation, OperationKind, SilenceDraft};
use super::source::{SourceError, SourceId};

/// One thing that is done to one object of one source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    /// Where.
    pub source: SourceId,
    /// To what.
    pub target: ActionTarget,
    /// What.
    #[serde(rename = "deed")]
    pub operation: Operation,
}

/// The object of an action, as it was when the person decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionTarget {
    /// What the source calls it; empty for what does not exist yet.
    pub id: Text,
    /// What people call it.
    pub name: Text,
    /// Where an incident stood. If it stands elsewhere by now, nothing is overwritten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<IncidentStatus>,
}

/// One request that an action makes, as it is shown before it is sent. Never holds a credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestPreview {
    /// `PUT`.
    pub method: Text,
    /// Address with path, without user and query.
    pub address: Text,
    /// The body, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Text>,
}

impl fmt::Display for RequestPreview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.address)?;
        self.body.as_ref().map_or(Ok(()), |body| write!(f, " {body}"))
    }
}

/// What a plan depends on besides the action: what is known of its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteContext {
    /// The moment, by the clock here.
    pub now: Timestamp,
    /// How far the source's clock is ahead of ours; zero where that is not known.
    pub clock_ahead: SignedDuration,
    /// The id of the person who acts, if it is known.
    pub actor: Option<Text>,
    /// By which that person is named with what is sent in their name.
    pub signature: Option<Text>,
}

impl WriteContext {
    /// Of a source of which nothing is known.
    pub fn at(now: Timestamp) -> Self {
        Self { now, clock_ahead: SignedDuration::ZERO, actor: None, signature: None }
    }

    /// A moment of ours by the source's clock.
    pub fn there(&self, here: Timestamp) -> Timestamp {
        here.saturating_add(self.clock_ahead).unwrap_or(here)
    }
}

/// What can be done at the sources of a kind, and by which requests. Two are the same if the same can be done.
#[derive(Clone, Copy)]
pub struct WriteSupport {
    /// What can be done.
    pub kinds: &'static [OperationKind],
    /// The requests that an action would make at a source of this address, in their order; reads that only look before are left
    /// out. Empty: there is no such thing there. Else why it would not be taken, as far as that is known without asking.
    pub preview: fn(&Action, &str, &WriteContext) -> Result<Vec<RequestPreview>, String>,
}

impl WriteSupport {
    /// Nothing can be done.
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

/// The comment: why a source did not say that it did something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct ActionError {
    /// What happened.
    pub error: SourceError,
    /// It may have been done all the same: the request went out, and no or no clear answer. Never to be sent again
    /// before it was read back.
    pub is_unclear: bool,
}

/// What was found when an action of unclear result was read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verification {
    /// It is so.
    Done {
        /// The id of what was made, where something was.
        id: Option<Text>,
    },
    /// It is not so.
    NotDone,
    /// It cannot be told by reading.
    Unknown {
        /// The comment: why not.
        words: Text,
    },
}

/// How an action ended, as far as is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "ending")]
pub enum ActionResult {
    /// It is so now.
    Done {
        /// The id of what was made, where something was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<Text>,
    },
    /// It was so before.
    Already {
        /// How it stands.
        words: Text,
    },
    /// Somebody else changed it meanwhile; nothing was overwritten.
    #[serde(rename = "overtaken")]
    Conflict {
        /// How it stands.
        words: Text,
    },
    /// The source refused it: surely not done.
    Refused {
        /// The comment: why, and what one can do.
        words: Text,
    },
    /// Held back here: read-only, denied, a dry run, given up. Nothing was sent.
    Held {
        /// The comment: why.
        words: Text,
    },
    /// It was sent, and nobody knows whether it was done.
    Unknown {
        /// What happened.
        words: Text,
    },
}

impl ActionResult {
    /// Whether what was wanted holds now.
    pub const fn is_done(&self) -> bool {
        matches!(self, Self::Done { .. } | Self::Already { .. })
    }

    /// The word for it.
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

    /// Details than the word, where there is more.
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

/// How far an action is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActionProgress {
    /// On its way.
    Sending,
    /// The source asks us to wait (429); it goes out at this moment.
    Waiting {
        /// When.
        until: Timestamp,
    },
    /// Sent, no sure answer: it is being read back.
    ReadingBack,
    /// Over.
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
