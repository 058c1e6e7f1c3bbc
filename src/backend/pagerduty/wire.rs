//! PagerDuty's JSON shapes, REST API v2. A field that is missing, `null` or of another type becomes empty and does not affect
//! the other fields.

use serde_json::Value;

use crate::backend::kit::lenient::{Count, LenientList, texts, wire};
pub(super) use crate::backend::kit::lenient::{LenientObject, LenientString as Word};
use crate::backend::kit::time::Rfc3339;
use crate::model::incident::IncidentStatus;

wire! {
    /// A reference (`"type": "user_reference"`), or the complete object if the request had `include[]` (`"type": "user"`).
    struct Reference {
        id: Word,
        #[serde(rename = "type")]
        kind: Word,
        summary: Word,
        name: Word,
        html_url: Word,
        /// Only of a user.
        email: Word,
        /// Only of a user.
        time_zone: Word,
        /// Only of a user.
        role: Word,
    }

    struct Incident {
        id: Word,
        #[serde(rename = "incident_number")]
        number: Count,
        title: Word,
        summary: Word,
        /// `triggered`, `acknowledged` or `resolved`.
        status: Word,
        /// `high` or `low`.
        urgency: Word,
        priority: LenientObject<Reference>,
        service: LenientObject<Reference>,
        escalation_policy: LenientObject<Reference>,
        teams: LenientList<Reference>,
        assignments: LenientList<Attribution>,
        acknowledgements: LenientList<Attribution>,
        alert_counts: LenientObject<AlertCounts>,
        pending_actions: LenientList<PendingAction>,
        created_at: Rfc3339,
        updated_at: Rfc3339,
        last_status_change_at: Rfc3339,
        last_status_change_by: LenientObject<Reference>,
        responder_requests: LenientList<ResponderRequest>,
        resolved_at: Rfc3339,
        #[serde(rename = "incident_key")]
        key: Word,
        conference_bridge: LenientObject<Conference>,
        html_url: Word,
        /// The log entry that opened the incident; complete if the request had `include[]`.
        first_trigger_log_entry: LenientObject<Box<LogEntry>>,
    }

    /// A request for help from other responders.
    struct ResponderRequest {
        requester: LenientObject<Reference>,
        requested_at: Rfc3339,
        message: Word,
    }

    /// To whom the incident is assigned, or who acknowledged it.
    struct Attribution {
        at: Rfc3339,
        #[serde(alias = "assignee", alias = "acknowledger")]
        who: LenientObject<Reference>,
    }

    /// The number of alerts of an incident.
    struct AlertCounts {
        all: Count,
        triggered: Count,
    }

    /// An automatic change in the future: `unacknowledge`, `resolve`, `escalate`, `urgency_change`.
    struct PendingAction {
        #[serde(rename = "type")]
        kind: Word,
        at: Rfc3339,
    }

    /// The conference bridge of an incident.
    struct Conference {
        conference_number: Word,
        conference_url: Word,
    }

    /// One entry of the log.
    struct LogEntry {
        /// `trigger_log_entry` and others.
        #[serde(rename = "type")]
        kind: Word,
        summary: Word,
        created_at: Rfc3339,
        agent: LenientObject<Reference>,
        /// The incident of the entry.
        incident: LenientObject<Reference>,
        /// The service of the incident.
        service: LenientObject<Reference>,
        /// Of `notify_log_entry`: the notified user.
        user: LenientObject<Reference>,
        /// Of `assign_log_entry` and `escalate_log_entry`: the new assignees.
        assignees: LenientList<Reference>,
        channel: LenientObject<Channel>,
        /// Texts that describe the changes.
        #[serde(deserialize_with = "texts")]
        changeset: Vec<String>,
    }

    /// The channel of a log entry: through which system it was made.
    struct Channel {
        #[serde(rename = "type")]
        kind: Word,
        notification: LenientObject<Notification>,
        /// Of the entry that opened an incident: the details that the sender set.
        details: Value,
        cef_details: LenientObject<Box<AlertBody>>,
    }

    /// The type of a notification: `push_notification`, `sms`, `phone`, `email`.
    struct Notification {
        #[serde(rename = "type")]
        kind: Word,
    }

    /// A note on an incident.
    struct Note {
        content: Word,
        created_at: Rfc3339,
        user: LenientObject<Reference>,
    }

    struct Alert {
        id: Word,
        summary: Word,
        /// `triggered` or `resolved`.
        status: Word,
        severity: Word,
        created_at: Rfc3339,
        #[serde(rename = "alert_key")]
        key: Word,
        html_url: Word,
        body: LenientObject<AlertBody>,
    }

    /// The body of an alert. Events in the Common Event Format (PD-CEF) have the same data again in `cef_details`.
    struct AlertBody {
        contexts: LenientList<AlertContext>,
        /// The details that the sender set: an object or a text.
        details: Value,
        client: Word,
        client_url: Word,
        cef_details: LenientObject<Box<AlertBody>>,
    }

    struct AlertContext {
        href: Word,
        src: Word,
        text: Word,
        alt: Word,
    }

    /// A similar past incident.
    struct PastIncident {
        incident: LenientObject<Incident>,
        score: Word,
    }

    struct Policy {
        #[serde(flatten)]
        thing: Reference,
        teams: LenientList<Reference>,
        services: LenientList<Reference>,
        num_loops: Count,
        escalation_rules: LenientList<Rule>,
    }

    /// One level of an escalation policy.
    struct Rule {
        escalation_delay_in_minutes: Count,
        targets: LenientList<Reference>,
    }

    /// An on-call shift at one level of a policy.
    struct OnCall {
        user: LenientObject<Reference>,
        schedule: LenientObject<Reference>,
        escalation_policy: LenientObject<Reference>,
        escalation_level: Count,
        start: Rfc3339,
        end: Rfc3339,
    }

    /// A schedule with its overrides.
    struct Schedule {
        id: Word,
        overrides_subschedule: LenientObject<Rendered>,
    }

    /// The shifts in the requested time range, cut at its ends.
    struct Rendered {
        rendered_schedule_entries: LenientList<WireShift>,
    }

    /// An override: somebody takes over a shift.
    struct Override {
        id: Word,
        #[serde(flatten)]
        turn: WireShift,
    }

    /// One shift.
    struct WireShift {
        start: Rfc3339,
        end: Rfc3339,
        user: LenientObject<Reference>,
    }
}

impl Reference {
    /// Whether the object is of this kind, complete or as a reference.
    pub(super) fn is(&self, kind: &str) -> bool {
        self.kind.0.strip_suffix("_reference").unwrap_or(&self.kind.0) == kind
    }
}

impl Incident {
    /// The status; `None` if it is unknown.
    pub(super) fn status(&self) -> Option<IncidentStatus> {
        IncidentStatus::ALL.into_iter().find(|status| status.word() == self.status.0)
    }
}

impl LogEntry {
    /// The kind of event in one word: `trigger`, `acknowledge`.
    pub(super) fn kind(&self) -> &str {
        self.kind.0.trim_end_matches("_reference").trim_end_matches("_log_entry")
    }
}
