//! Incidents as paging systems keep them: who was woken, who has it, what happened to it so far.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::labels::{Labels, Text};
use super::source::SourceId;

/// A thing of the paging system that is named elsewhere: a service, a team, an escalation policy, a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Named {
    /// What the paging system calls it.
    pub id: Text,
    /// What people call it.
    pub name: Text,
    /// Its page, if it has one.
    pub url: Option<Text>,
}

/// Someone who can be woken.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Person {
    /// What the paging system calls them.
    pub id: Text,
    /// Their name.
    pub name: Text,
    /// Their address, if it is told.
    pub email: Option<Text>,
    /// The zone that they live in, as an IANA name, if it is told.
    pub zone: Option<Text>,
}

/// Where an incident stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentStatus {
    /// Nobody has taken it.
    Triggered,
    /// Somebody is on it.
    Acknowledged,
    /// Over.
    Resolved,
}

impl IncidentStatus {
    /// All of them, the most pressing first.
    pub const ALL: [Self; 3] = [Self::Triggered, Self::Acknowledged, Self::Resolved];

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Triggered => "triggered",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
        }
    }
}

/// Whether somebody is woken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    /// At any hour.
    High,
    /// It can wait.
    Low,
}

impl Urgency {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Low => "low",
        }
    }
}

/// How much an incident matters, as the account ranks it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Priority {
    /// Its id and name: `P1`.
    pub named: Named,
    /// Its rank, the gravest first; as the account's list of priorities has it.
    pub rank: Option<u32>,
}

/// Somebody did or got something at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// Who.
    pub who: Person,
    /// When.
    pub at: Timestamp,
}

/// What the paging system will do by itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pending {
    /// What: `unacknowledge`, `escalate`, `resolve`.
    pub what: Text,
    /// When.
    pub at: Timestamp,
}

/// How many alerts an incident has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct AlertCounts {
    /// In all.
    pub all: u32,
    /// Not resolved.
    pub triggered: u32,
}

/// One incident.
#[derive(Debug, Clone, PartialEq, Hash)]
pub struct Incident {
    /// What the paging system calls it.
    pub id: Text,
    /// Its number, which people say.
    pub number: u64,
    /// What it is about.
    pub title: Text,
    /// Where it stands.
    pub status: IncidentStatus,
    /// Whether somebody is woken.
    pub urgency: Urgency,
    /// How much it matters, where the account ranks incidents.
    pub priority: Option<Priority>,
    /// The service of the paging system.
    pub service: Option<Named>,
    /// Who is woken in which order.
    pub escalation_policy: Option<Named>,
    /// Whose it is.
    pub teams: Vec<Named>,
    /// Who has it, the latest last.
    pub assigned: Vec<Stamp>,
    /// Who said that they are on it, the latest last.
    pub acknowledged: Vec<Stamp>,
    /// How many alerts it has.
    pub alerts: AlertCounts,
    /// What the paging system will do by itself.
    pub pending: Vec<Pending>,
    /// When it was triggered.
    pub created_at: Timestamp,
    /// When its status changed last.
    pub changed_at: Timestamp,
    /// When it was resolved, if it was.
    pub resolved_at: Option<Timestamp>,
    /// What recognises what triggered it: PagerDuty's `incident_key`.
    pub key: Option<Text>,
    /// Where people talk about it.
    pub conference: Option<Text>,
    /// Its page.
    pub url: Option<Text>,
    /// Who told.
    pub source: SourceId,
}

impl Incident {
    /// Whether it is not over.
    pub fn is_open(&self) -> bool {
        self.status != IncidentStatus::Resolved
    }

    /// How long it took until somebody said that they are on it.
    pub fn time_to_acknowledge(&self) -> Option<Duration> {
        let first = self.acknowledged.iter().map(|stamp| stamp.at).min()?;
        Duration::try_from(first.duration_since(self.created_at)).ok()
    }
}

/// One thing that happened to an incident.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Step {
    /// When.
    pub at: Timestamp,
    /// What, in one of the paging system's words: `trigger`, `acknowledge`, `escalate`, `notify`, `annotate`, ...
    pub kind: Text,
    /// Who did it, or to whom it was done.
    pub who: Option<Text>,
    /// By what: a phone, the API, a rule.
    pub channel: Option<Text>,
    /// The sentence that the paging system has for it.
    pub summary: Text,
}

/// What somebody wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub who: Text,
    /// What; may have several lines.
    pub content: Text,
}

/// An alert within an incident.
#[derive(Debug, Clone, PartialEq)]
pub struct IncidentAlert {
    /// What the paging system calls it.
    pub id: Text,
    /// Whether it is over.
    pub is_resolved: bool,
    /// In a sentence.
    pub summary: Text,
    /// As the sender says it.
    pub severity: Option<Text>,
    /// When it came.
    pub created_at: Timestamp,
    /// What recognises it: the `dedup_key` of the sender.
    pub key: Option<Text>,
    /// Labels of the alert that caused it, as far as they came along; by these it is found in Alertmanager.
    pub labels: Labels,
    /// Everything else that came along, by name.
    pub details: Labels,
    /// Pages that came along: name and address.
    pub links: Vec<(Text, Text)>,
}

/// What is known of one incident beyond the list.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct IncidentDetail {
    /// What happened to it, oldest first.
    pub steps: Vec<Step>,
    /// What people wrote, oldest first.
    pub notes: Vec<Note>,
    /// Its alerts, oldest first.
    pub alerts: Vec<IncidentAlert>,
    /// Incidents of the same service that were much like it, the latest first.
    pub past: Vec<Past>,
    /// What could not be had, in words.
    pub warnings: Vec<Text>,
}

/// An incident of the past that was much like another.
#[derive(Debug, Clone, PartialEq)]
pub struct Past {
    /// What the paging system calls it.
    pub id: Text,
    /// What it was about.
    pub title: Text,
    /// When it was triggered.
    pub created_at: Timestamp,
    /// How much alike, 0 to 1000, as PagerDuty scores it.
    pub likeness: f64,
    /// Its page.
    pub url: Option<Text>,
}

/// All incidents of one source that are open or were lately.
#[derive(Debug, Clone, PartialEq, Default, Hash)]
pub struct IncidentBoard {
    /// Each once, in the order of their ids.
    pub incidents: Vec<Incident>,
    /// What is missing, in words.
    pub warnings: Vec<Text>,
}
