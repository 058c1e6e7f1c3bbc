//! PagerDuty's own shapes, REST API v2. A field that is missing, `null` or of another type is empty and never hides the rest.

use serde_json::Value;

use crate::backend::kit::lenient::{Count, LenientList, texts, wire};
pub(super) use crate::backend::kit::lenient::{LenientObject, LenientString as Word};
use crate::backend::kit::time::Rfc3339;

wire! {
    /// A reference (`"type": "user_reference"`), or the whole thing where `include[]` asked for it (`"type": "user"`).
    struct Thing {
        id: Word,
        #[serde(rename = "type")]
        kind: Word,
        summary: Word,
        name: Word,
        html_url: Word,
        /// Of a user, as the two below.
        email: Word,
        time_zone: Word,
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
        priority: LenientObject<Thing>,
        service: LenientObject<Thing>,
        escalation_policy: LenientObject<Thing>,
        teams: LenientList<Thing>,
        assignments: LenientList<Assignment>,
        acknowledgements: LenientList<Acknowledgement>,
        alert_counts: LenientObject<AlertCounts>,
        pending_actions: LenientList<PendingAction>,
        created_at: Rfc3339,
        updated_at: Rfc3339,
        last_status_change_at: Rfc3339,
        last_status_change_by: LenientObject<Thing>,
        responder_requests: LenientList<ResponderRequest>,
        resolved_at: Rfc3339,
        #[serde(rename = "incident_key")]
        key: Word,
        conference_bridge: LenientObject<Conference>,
        html_url: Word,
        /// What opened it: whole where `include[]` asked for it.
        first_trigger_log_entry: LenientObject<Box<LogEntry>>,
    }

    struct ResponderRequest {
        requester: LenientObject<Thing>,
        requested_at: Rfc3339,
        message: Word,
    }

    struct Assignment {
        at: Rfc3339,
        assignee: LenientObject<Thing>,
    }

    struct Acknowledgement {
        at: Rfc3339,
        acknowledger: LenientObject<Thing>,
    }

    struct AlertCounts {
        all: Count,
        triggered: Count,
    }

    /// What will happen by itself: `unacknowledge`, `resolve`, `escalate`, `urgency_change`.
    struct PendingAction {
        #[serde(rename = "type")]
        kind: Word,
        at: Rfc3339,
    }

    struct Conference {
        conference_number: Word,
        conference_url: Word,
    }

    struct LogEntry {
        /// `trigger_log_entry` and the like.
        #[serde(rename = "type")]
        kind: Word,
        summary: Word,
        created_at: Rfc3339,
        agent: LenientObject<Thing>,
        incident: LenientObject<Thing>,
        service: LenientObject<Thing>,
        /// Of `notify_log_entry`: who was told.
        user: LenientObject<Thing>,
        /// Of `assign_log_entry` and `escalate_log_entry`: who has it from then on.
        assignees: LenientList<Thing>,
        channel: LenientObject<Channel>,
        #[serde(deserialize_with = "texts")]
        changeset: Vec<String>,
    }

    struct Channel {
        #[serde(rename = "type")]
        kind: Word,
        notification: LenientObject<Notification>,
        /// Of what opened an incident: whatever the sender put there.
        details: Value,
        cef_details: LenientObject<Box<AlertBody>>,
    }

    /// How somebody was told: `push_notification`, `sms`, `phone`, `email`.
    struct Notification {
        #[serde(rename = "type")]
        kind: Word,
    }

    struct Note {
        content: Word,
        created_at: Rfc3339,
        user: LenientObject<Thing>,
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

    /// What came along with an alert. Events of the Common Event Format have it a second time in `cef_details`.
    struct AlertBody {
        contexts: LenientList<AlertContext>,
        /// Whatever the sender put there: an object, a text.
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

    /// An incident that was much like another.
    struct Past {
        incident: LenientObject<Incident>,
        score: Word,
    }

    struct Policy {
        #[serde(flatten)]
        thing: Thing,
        teams: LenientList<Thing>,
        services: LenientList<Thing>,
        num_loops: Count,
        escalation_rules: LenientList<Rule>,
    }

    struct Rule {
        escalation_delay_in_minutes: Count,
        targets: LenientList<Thing>,
    }

    /// Somebody's turn at one level of a policy.
    struct OnCall {
        user: LenientObject<Thing>,
        schedule: LenientObject<Thing>,
        escalation_policy: LenientObject<Thing>,
        escalation_level: Count,
        start: Rfc3339,
        end: Rfc3339,
    }

    /// A schedule with what stands in for its rotations.
    struct Schedule {
        id: Word,
        overrides_subschedule: LenientObject<Rendered>,
    }

    /// Turns worked out for the time that was asked for, cut at its ends.
    struct Rendered {
        rendered_schedule_entries: LenientList<Turn>,
    }

    struct Override {
        id: Word,
        #[serde(flatten)]
        turn: Turn,
    }

    struct Turn {
        start: Rfc3339,
        end: Rfc3339,
        user: LenientObject<Thing>,
    }
}

impl Thing {
    /// Whether it is a `kind`, whole or by reference.
    pub(super) fn is(&self, kind: &str) -> bool {
        self.kind.0.strip_suffix("_reference").unwrap_or(&self.kind.0) == kind
    }
}

impl LogEntry {
    /// What happened, in one word: `trigger`, `acknowledge`.
    pub(super) fn kind(&self) -> &str {
        self.kind.0.trim_end_matches("_reference").trim_end_matches("_log_entry")
    }
}
