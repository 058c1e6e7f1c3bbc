//! What can be done to the systems outside: one operation on one object of one source, bound to what stood there when the key
//! was pressed, the calls that it takes, and how it ended.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::incident::{IncidentStatus, Urgency};
use super::labels::Text;
use super::matcher::Matcher;
use super::source::{SourceError, SourceId};

/// One thing that is done to one object of one source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    /// Where.
    pub source: SourceId,
    /// To what.
    pub target: Target,
    /// What.
    #[serde(rename = "deed")]
    pub operation: Operation,
}

/// The object of an action, as it was when the person decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// What the source calls it; empty for what does not exist yet.
    pub id: Text,
    /// What people call it.
    pub name: Text,
    /// Where an incident stood. If it stands elsewhere by now, nothing is overwritten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<IncidentStatus>,
}

/// Something named by its id, as far as an action needs it: a person, a policy, a priority, a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntityRef {
    /// What the source calls it.
    pub id: Text,
    /// What people call it.
    pub name: Text,
}

/// What is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Say that one is on the incident.
    Acknowledge,
    /// Say that the incident is over.
    Resolve,
    /// Give the incident to a person.
    Assign {
        /// To whom.
        to: EntityRef,
    },
    /// Give the incident to an escalation policy, from its first level on.
    Reroute {
        /// To which.
        policy: EntityRef,
    },
    /// Wake a level of the incident's policy.
    Escalate {
        /// The level, from 1.
        level: u32,
    },
    /// Let the incident rest for a while.
    Snooze {
        /// For how long; 1 s to 7 d at PagerDuty.
        #[serde(rename = "seconds", with = "seconds")]
        rest: Duration,
    },
    /// Write something to the incident.
    Note {
        /// What; 2000 characters at most at PagerDuty.
        content: Text,
    },
    /// Set the incident's priority.
    #[serde(alias = "prioritise")]
    Priority {
        /// `None`: no priority.
        priority: Option<EntityRef>,
    },
    /// Make the incident a part of another one.
    Merge {
        /// The one that stays.
        into: EntityRef,
    },
    /// Request more responders.
    #[serde(alias = "summon")]
    AddResponder {
        /// EntityRef.
        people: Vec<EntityRef>,
        /// What they are told.
        message: Text,
    },
    /// Send a status update to the incident's subscribers.
    #[serde(alias = "inform")]
    StatusUpdate {
        /// What they are told.
        message: Text,
    },
    /// Open an incident; the target is the service that it is about.
    Trigger {
        /// In a sentence.
        title: Text,
        /// More of it; may be empty.
        details: Text,
        /// Whether somebody is woken.
        urgency: Urgency,
        /// Recognises it: the same again is not opened twice.
        key: Text,
    },
    /// Stand in for whoever has a stretch of a schedule; the target is the schedule.
    TakeShift {
        /// Who stands in.
        person: EntityRef,
        /// From when.
        start: Timestamp,
        /// Until when.
        end: Timestamp,
    },
    /// Keep alerts quiet.
    Silence(SilenceDraft),
    /// Put another silence in the place of one that is there; the target is that one. Where no more than its end or its comment
    /// changes, its server keeps it.
    Edit {
        /// What it shall be.
        #[serde(flatten)]
        draft: SilenceDraft,
        /// When it was last changed, by its server's clock, as the person saw it. If that has changed by now, nothing is overwritten.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seen: Option<Timestamp>,
    },
    /// Move the end of a silence; the target is the silence.
    Extend {
        /// Its new end.
        until: Timestamp,
    },
    /// End a silence now.
    Expire,
}

/// A silence that is not there yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SilenceDraft {
    /// All must match.
    pub matchers: Vec<Matcher>,
    /// When it begins; without it, at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Timestamp>,
    /// When it ends. Both are by the clock here.
    pub ends_at: Timestamp,
    /// Who makes it.
    pub created_by: Text,
    /// Why.
    pub comment: Text,
}

macro_rules! operations {
    ($($(#[$doc:meta])* $id:ident $name:literal $verb:literal $done:literal;)*) => {
        /// The kinds of [`Operation`]: what a source can do, what a context forbids.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "kebab-case")]
        pub enum OperationKind { $($(#[$doc])* $id,)* }

        impl OperationKind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$id,)*];

            /// As configuration and command line call it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$id => $name,)* }
            }

            /// What one does, for the confirm dialogue: `Acknowledge`.
            pub const fn verb(self) -> &'static str {
                match self { $(Self::$id => $verb,)* }
            }

            /// What was done: `acknowledged`.
            pub const fn done(self) -> &'static str {
                match self { $(Self::$id => $done,)* }
            }
        }
    };
}

operations! {
    /// [`Operation::Acknowledge`]
    Acknowledge "acknowledge" "Acknowledge"           "acknowledged";
    /// [`Operation::Resolve`]
    Resolve     "resolve"     "Resolve"               "resolved";
    /// [`Operation::Assign`]
    Assign      "assign"      "Assign"                "assigned";
    /// [`Operation::Reroute`]
    Reroute     "reroute"     "Reassign to a policy"  "reassigned";
    /// [`Operation::Escalate`]
    Escalate    "escalate"    "Escalate"              "escalated";
    /// [`Operation::Snooze`]
    Snooze      "snooze"      "Snooze"                "snoozed";
    /// [`Operation::Note`]
    Note        "note"        "Write a note"          "noted";
    /// [`Operation::Priority`]
    #[serde(alias = "prioritise")]
    Priority    "priority"    "Set the priority"      "prioritised";
    /// [`Operation::Merge`]
    Merge       "merge"       "Merge"                 "merged";
    /// [`Operation::AddResponder`]
    #[serde(alias = "summon")]
    AddResponder "add-responder" "Request a responder" "responder requested";
    /// [`Operation::StatusUpdate`]
    #[serde(alias = "inform")]
    StatusUpdate "status-update" "Send a status update" "status update sent";
    /// [`Operation::Trigger`]
    Trigger     "trigger"     "Open an incident"      "opened";
    /// [`Operation::TakeShift`]
    TakeShift   "take-shift"  "Take the shift"        "shift taken";
    /// [`Operation::Silence`]
    Silence     "silence"     "Silence"               "silenced";
    /// [`Operation::Edit`]
    Edit        "edit"        "Edit the silence"      "edited";
    /// [`Operation::Extend`]
    Extend      "extend"      "Extend the silence"    "extended";
    /// [`Operation::Expire`]
    Expire      "expire"      "Expire the silence"    "expired";
}

impl Operation {
    /// Which kind it is.
    pub const fn kind(&self) -> OperationKind {
        match self {
            Self::Acknowledge => OperationKind::Acknowledge,
            Self::Resolve => OperationKind::Resolve,
            Self::Assign { .. } => OperationKind::Assign,
            Self::Reroute { .. } => OperationKind::Reroute,
            Self::Escalate { .. } => OperationKind::Escalate,
            Self::Snooze { .. } => OperationKind::Snooze,
            Self::Note { .. } => OperationKind::Note,
            Self::Priority { .. } => OperationKind::Priority,
            Self::Merge { .. } => OperationKind::Merge,
            Self::AddResponder { .. } => OperationKind::AddResponder,
            Self::StatusUpdate { .. } => OperationKind::StatusUpdate,
            Self::Trigger { .. } => OperationKind::Trigger,
            Self::TakeShift { .. } => OperationKind::TakeShift,
            Self::Silence(_) => OperationKind::Silence,
            Self::Edit { .. } => OperationKind::Edit,
            Self::Extend { .. } => OperationKind::Extend,
            Self::Expire => OperationKind::Expire,
        }
    }

    /// The silence that it makes, if it makes one.
    pub const fn draft(&self) -> Option<&SilenceDraft> {
        match self {
            Self::Silence(draft) | Self::Edit { draft, .. } => Some(draft),
            Self::Acknowledge
            | Self::Resolve
            | Self::Assign { .. }
            | Self::Reroute { .. }
            | Self::Escalate { .. }
            | Self::Snooze { .. }
            | Self::Note { .. }
            | Self::Priority { .. }
            | Self::Merge { .. }
            | Self::AddResponder { .. }
            | Self::StatusUpdate { .. }
            | Self::Trigger { .. }
            | Self::TakeShift { .. }
            | Self::Extend { .. }
            | Self::Expire => None,
        }
    }
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

/// What a source says to an action that it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is so now.
    Done {
        /// The id of what was made, where something was.
        id: Option<Text>,
    },
    /// It was so before, nothing was sent.
    Already {
        /// How it stands: "acknowledged by Ana Lima".
        words: Text,
    },
    /// It stands otherwise than the person saw it; nothing was sent.
    Conflict {
        /// How it stands: "resolved by Kofi Mensah at 03:12".
        words: Text,
    },
}

/// Why a source did not say that it did something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct ActError {
    /// What happened.
    pub error: SourceError,
    /// It may have been done all the same: the request went out, and no or no sure answer came. Never to be sent again
    /// before it was read back.
    pub is_unclear: bool,
}

/// What was found when an action of unclear outcome was read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It is so.
    Done {
        /// The id of what was made, where something was.
        id: Option<Text>,
    },
    /// It is not so.
    NotDone,
    /// It cannot be told by reading.
    Unknown {
        /// Why not.
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
        /// Why, and what one can do.
        words: Text,
    },
    /// Held back here: read-only, denied, a dry run, given up. Nothing was sent.
    Held {
        /// Why.
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

    /// More of it than the word, where there is more.
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
pub enum Progress {
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

/// A duration as whole seconds.
mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(value.as_secs())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_secs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::matcher::parse;

    fn action(operation: Operation) -> Action {
        let target = Target { id: "Q1".into(), name: "#1".into(), seen: Some(IncidentStatus::Triggered) };
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
            Operation::Silence(draft),
            Operation::Expire,
        ];
        for operation in operations {
            let action = action(operation);
            let text = serde_json::to_string(&action).unwrap();
            assert_eq!(serde_json::from_str::<Action>(&text).unwrap(), action, "{text}");
        }
    }

    #[test]
    fn names_are_those_of_the_configuration() {
        for kind in OperationKind::ALL {
            assert_eq!(serde_json::to_string(kind).unwrap(), format!("{:?}", kind.name()));
        }
    }
}
