//! PagerDuty's own shapes, REST API v2, each field as odd as it may come: a field that is missing, `null` or of another type
//! is empty and never hides the rest. Whatever else is sent is passed over.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// A text; a number or a truth value counts as it is written, and anything else as the empty text.
#[derive(Debug, Default)]
pub(super) struct Word(pub(super) String);

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match Value::deserialize(deserializer)? {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            Value::Bool(yes) => yes.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
        }))
    }
}

/// A number from 0 up, also one that is written as a text; anything else is 0.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Count(pub(super) u64);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Word::deserialize(deserializer)?.0.trim().parse().unwrap_or(0)))
    }
}

impl Count {
    /// As a small number, as large as it can be.
    pub(super) fn small(self) -> u32 {
        u32::try_from(self.0).unwrap_or(u32::MAX)
    }
}

/// A list; what is none is empty, and an element of another shape is left out.
#[derive(Debug)]
pub(super) struct List<T>(pub(super) Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match Value::deserialize(deserializer)? {
            Value::Array(list) => each(list),
            _ => Vec::new(),
        }))
    }
}

/// The elements that are of this shape.
pub(super) fn each<T: DeserializeOwned>(list: Vec<Value>) -> Vec<T> {
    list.into_iter().filter_map(|value| serde_json::from_value(value).ok()).collect()
}

/// An object, or nothing.
#[derive(Debug)]
pub(super) struct Maybe<T>(pub(super) Option<T>);

impl<T> Default for Maybe<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Maybe<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Ok(Self(value.is_object().then_some(value).and_then(|object| serde_json::from_value(object).ok())))
    }
}

/// A reference (`"type": "user_reference"`), or the whole thing where `include[]` asked for it (`"type": "user"`).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Thing {
    pub(super) id: Word,
    #[serde(rename = "type")]
    pub(super) kind: Word,
    pub(super) summary: Word,
    pub(super) name: Word,
    pub(super) html_url: Word,
    /// Of a user.
    pub(super) email: Word,
    /// Of a user.
    pub(super) time_zone: Word,
    /// Of a user.
    pub(super) role: Word,
}

impl Thing {
    /// Whether it is a `kind`, whole or by reference.
    pub(super) fn is(&self, kind: &str) -> bool {
        self.kind.0.strip_suffix("_reference").unwrap_or(&self.kind.0) == kind
    }
}

/// One incident.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Incident {
    pub(super) id: Word,
    #[serde(rename = "incident_number")]
    pub(super) number: Count,
    pub(super) title: Word,
    pub(super) summary: Word,
    /// `triggered`, `acknowledged` or `resolved`.
    pub(super) status: Word,
    /// `high` or `low`.
    pub(super) urgency: Word,
    pub(super) priority: Maybe<Thing>,
    pub(super) service: Maybe<Thing>,
    pub(super) escalation_policy: Maybe<Thing>,
    pub(super) teams: List<Thing>,
    pub(super) assignments: List<Assignment>,
    pub(super) acknowledgements: List<Acknowledgement>,
    pub(super) alert_counts: Maybe<AlertCounts>,
    pub(super) pending_actions: List<PendingAction>,
    pub(super) created_at: Word,
    pub(super) updated_at: Word,
    pub(super) last_status_change_at: Word,
    pub(super) last_status_change_by: Maybe<Thing>,
    pub(super) responder_requests: List<ResponderRequest>,
    pub(super) resolved_at: Word,
    #[serde(rename = "incident_key")]
    pub(super) key: Word,
    pub(super) conference_bridge: Maybe<Conference>,
    pub(super) html_url: Word,
    /// What opened it: whole where `include[]` asked for it.
    pub(super) first_trigger_log_entry: Maybe<Box<LogEntry>>,
}

/// Somebody was asked for help.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ResponderRequest {
    pub(super) requester: Maybe<Thing>,
    pub(super) requested_at: Word,
    pub(super) message: Word,
}

/// Who has it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Assignment {
    pub(super) at: Word,
    pub(super) assignee: Maybe<Thing>,
}

/// Who is on it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Acknowledgement {
    pub(super) at: Word,
    pub(super) acknowledger: Maybe<Thing>,
}

/// How many alerts an incident has.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AlertCounts {
    pub(super) all: Count,
    pub(super) triggered: Count,
}

/// What will happen by itself: `unacknowledge`, `resolve`, `escalate`, `urgency_change`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PendingAction {
    #[serde(rename = "type")]
    pub(super) kind: Word,
    pub(super) at: Word,
}

/// Where people talk.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Conference {
    pub(super) conference_number: Word,
    pub(super) conference_url: Word,
}

/// One thing that happened.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct LogEntry {
    /// `trigger_log_entry` and the like.
    #[serde(rename = "type")]
    pub(super) kind: Word,
    pub(super) summary: Word,
    pub(super) created_at: Word,
    pub(super) agent: Maybe<Thing>,
    /// To which incident.
    pub(super) incident: Maybe<Thing>,
    /// Of which service.
    pub(super) service: Maybe<Thing>,
    /// Of `notify_log_entry`: who was told.
    pub(super) user: Maybe<Thing>,
    /// Of `assign_log_entry` and `escalate_log_entry`: who has it from then on.
    pub(super) assignees: List<Thing>,
    pub(super) channel: Maybe<Channel>,
    /// What changed, in words.
    pub(super) changeset: List<Word>,
}

impl LogEntry {
    /// What happened, in one word: `trigger`, `acknowledge`.
    pub(super) fn kind(&self) -> &str {
        self.kind.0.trim_end_matches("_reference").trim_end_matches("_log_entry")
    }
}

/// By what it happened.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Channel {
    #[serde(rename = "type")]
    pub(super) kind: Word,
    pub(super) notification: Maybe<Notification>,
    /// Of what opened an incident: whatever the sender put there.
    pub(super) details: Value,
    pub(super) cef_details: Maybe<Box<AlertBody>>,
}

/// How somebody was told: `push_notification`, `sms`, `phone`, `email`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Notification {
    #[serde(rename = "type")]
    pub(super) kind: Word,
}

/// What somebody wrote.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Note {
    pub(super) content: Word,
    pub(super) created_at: Word,
    pub(super) user: Maybe<Thing>,
}

/// One alert of an incident.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Alert {
    pub(super) id: Word,
    pub(super) summary: Word,
    /// `triggered` or `resolved`.
    pub(super) status: Word,
    pub(super) severity: Word,
    pub(super) created_at: Word,
    #[serde(rename = "alert_key")]
    pub(super) key: Word,
    pub(super) html_url: Word,
    pub(super) body: Maybe<AlertBody>,
}

/// What came along with an alert. Events of the Common Event Format have it a second time in `cef_details`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AlertBody {
    pub(super) contexts: List<AlertContext>,
    /// Whatever the sender put there: an object, a text.
    pub(super) details: Value,
    pub(super) client: Word,
    pub(super) client_url: Word,
    pub(super) cef_details: Maybe<Box<AlertBody>>,
}

/// A link or an image.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AlertContext {
    pub(super) href: Word,
    pub(super) src: Word,
    pub(super) text: Word,
    pub(super) alt: Word,
}

/// An incident that was much like another.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Past {
    pub(super) incident: Maybe<Incident>,
    pub(super) score: Word,
}

/// An escalation policy.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Policy {
    #[serde(flatten)]
    pub(super) thing: Thing,
    pub(super) teams: List<Thing>,
    pub(super) services: List<Thing>,
    pub(super) num_loops: Count,
    pub(super) escalation_rules: List<Rule>,
}

/// One level.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Rule {
    pub(super) escalation_delay_in_minutes: Count,
    pub(super) targets: List<Thing>,
}

/// Somebody's turn at one level of a policy.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct OnCall {
    pub(super) user: Maybe<Thing>,
    pub(super) schedule: Maybe<Thing>,
    pub(super) escalation_policy: Maybe<Thing>,
    pub(super) escalation_level: Count,
    pub(super) start: Word,
    pub(super) end: Word,
}

/// A schedule with what stands in for its rotations.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Schedule {
    pub(super) id: Word,
    pub(super) overrides_subschedule: Maybe<Rendered>,
}

/// Turns worked out for the time that was asked for, cut at its ends.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Rendered {
    pub(super) rendered_schedule_entries: List<Maybe<Turn>>,
}

/// Somebody stands in.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Override {
    pub(super) id: Word,
    #[serde(flatten)]
    pub(super) turn: Turn,
}

/// One turn.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Turn {
    pub(super) start: Word,
    pub(super) end: Word,
    pub(super) user: Maybe<Thing>,
}

/// What stands under `key` of an answer that is an object.
pub(super) fn part<T: DeserializeOwned>(mut answer: Map<String, Value>, key: &str) -> Option<T> {
    answer.remove(key).filter(Value::is_object).and_then(|value| serde_json::from_value(value).ok())
}
