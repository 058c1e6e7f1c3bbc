//! Incidents of paging systems: who was paged, who works on them, and their log.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::labels::{Labels, Text};
use super::source::SourceId;
use super::words::words;

/// A reference to an object of the paging system: a service, a team, an escalation policy or a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PagerRef {
    /// Its id in the paging system.
    pub id: Text,
    pub name: Text,
    pub url: Option<Text>,
}

/// A user of the paging system.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Person {
    /// The user's id in the paging system.
    pub id: Text,
    /// The user's name.
    pub name: Text,
    /// The email address, if known.
    pub email: Option<Text>,
    /// The time zone as an IANA name, if known.
    pub zone: Option<Text>,
}

words! {
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum IncidentStatus: word {
        Triggered = "triggered",
        Acknowledged = "acknowledged",
        Resolved = "resolved",
    }
}

words! {
    /// How urgently the responders are notified.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Urgency: word {
        High = "high",
        Low = "low",
    }
}

/// The priority of an incident, as the account defines it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Priority {
    pub named: PagerRef,
    /// Its position in the account's list of priorities, the highest first; `None` if it is not in the list.
    pub rank: Option<u32>,
}

/// A person and the time of an action, such as an acknowledgement.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Attribution {
    pub who: Person,
    pub at: Timestamp,
}

/// An automatic change that the paging system has scheduled.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pending {
    /// The change: `unacknowledge`, `escalate` or `resolve`.
    pub what: Text,
    /// The scheduled time.
    pub at: Timestamp,
}

/// The numbers of alerts of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct AlertCounts {
    pub all: u32,
    /// Alerts that are not resolved.
    pub triggered: u32,
}

#[derive(Debug, Clone, PartialEq, Hash)]
pub struct Incident {
    /// Its id in the paging system.
    pub id: Text,
    /// Its number, which users see and say.
    pub number: u64,
    /// A short description of the problem.
    pub title: Text,
    pub status: IncidentStatus,
    /// How urgently responders are notified.
    pub urgency: Urgency,
    /// The priority, if the account uses priorities.
    pub priority: Option<Priority>,
    pub service: Option<PagerRef>,
    /// The escalation policy, which defines who is paged in which order.
    pub escalation_policy: Option<PagerRef>,
    pub teams: Vec<PagerRef>,
    /// Who it is assigned to, the latest last.
    pub assigned: Vec<Attribution>,
    /// Who acknowledged it, the latest last.
    pub acknowledged: Vec<Attribution>,
    pub alerts: AlertCounts,
    /// Automatic changes that the paging system has scheduled.
    pub pending: Vec<Pending>,
    pub created_at: Timestamp,
    /// When its status last changed.
    pub changed_at: Timestamp,
    pub resolved_at: Option<Timestamp>,
    /// The deduplication key of its trigger: PagerDuty's `incident_key`.
    pub key: Option<Text>,
    /// The conference call or channel of the responders.
    pub conference: Option<Text>,
    /// The labels of each alert that opened it, if the event contained them; otherwise empty.
    pub firing: Vec<Labels>,
    pub url: Option<Text>,
    pub source: SourceId,
}

impl Incident {
    /// Whether it is not resolved.
    pub fn is_open(&self) -> bool {
        self.status != IncidentStatus::Resolved
    }

    /// The title without the prefix of Alertmanager's default template, `[FIRING:2]`: the count is from when the incident was
    /// opened, and it takes space on the screen.
    pub fn subject(&self) -> &str {
        let rest = self.title.strip_prefix("[FIRING:").and_then(|rest| rest.split_once("] "));
        let is_count = |count: &str| !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
        match rest {
            Some((count, subject)) if is_count(count) && !subject.trim().is_empty() => subject,
            _ => &self.title,
        }
    }

    /// The time from the trigger to the first acknowledgement.
    pub fn time_to_acknowledge(&self) -> Option<Duration> {
        let first = self.acknowledged.iter().map(|stamp| stamp.at).min()?;
        Duration::try_from(first.duration_since(self.created_at)).ok()
    }
}

/// One entry in the log of an incident.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IncidentEvent {
    pub at: Timestamp,
    /// The type, in the paging system's terms: `trigger`, `acknowledge`, `escalate`, `notify`, `annotate`, ...
    pub kind: Text,
    /// The user who did it, or whom it concerns.
    pub who: Option<Text>,
    /// The channel: a phone, the API, a rule.
    pub channel: Option<Text>,
    /// The description by the paging system.
    pub summary: Text,
}

/// One log entry of one of many incidents.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IncidentLogEntry {
    pub incident: Text,
    pub step: IncidentEvent,
}

/// The log entries of all incidents of one source.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IncidentLog {
    /// The oldest first, each once.
    pub steps: Vec<IncidentLogEntry>,
    /// The requested start of the time range.
    pub wanted: Timestamp,
    /// The start of the complete part: later than `wanted` if there were more entries than could be read.
    pub since: Timestamp,
    /// The end of the time range.
    pub until: Timestamp,
}

impl IncidentLog {
    /// The limit for the number of entries; the oldest are dropped first.
    const MAX_ENTRIES: usize = 10_000;

    /// Sorts the entries, removes duplicates and applies the limit.
    #[must_use]
    pub fn new(
        mut steps: Vec<IncidentLogEntry>,
        wanted: Timestamp,
        since: Timestamp,
        until: Timestamp,
    ) -> Self {
        steps.sort_by(|a, b| {
            let key = |happened: &IncidentLogEntry| {
                let IncidentLogEntry { incident, step } = happened;
                (step.at, incident.clone(), step.kind.clone(), step.summary.clone())
            };
            key(a).cmp(&key(b))
        });
        steps.dedup();
        let over = steps.len().saturating_sub(Self::MAX_ENTRIES);
        let dropped = steps.drain(..over).next_back();
        // from the last dropped entry backwards the log is incomplete
        let since = dropped.map_or(since, |happened| since.max(happened.step.at));
        Self { steps, wanted, since, until }
    }

    /// Adds entries of a later query. If there is a gap between both queries, only the later one counts as complete.
    pub fn extend(&mut self, later: Self) {
        let steps = std::mem::take(&mut self.steps).into_iter().chain(later.steps).collect();
        let is_joined = later.since <= self.until;
        let (wanted, since) = if is_joined {
            (self.wanted.min(later.wanted), self.since.min(later.since))
        } else {
            (later.wanted, later.since)
        };
        *self = Self::new(steps, wanted, since, self.until.max(later.until));
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    pub at: Timestamp,
    pub who: Text,
    /// The text; may have several lines.
    pub content: Text,
}

#[derive(Debug, Clone, PartialEq)]
pub struct IncidentAlert {
    /// Its id in the paging system.
    pub id: Text,
    pub is_resolved: bool,
    pub summary: Text,
    /// The severity, in the sender's terms.
    pub severity: Option<Text>,
    /// When it was received.
    pub created_at: Timestamp,
    /// Its deduplication key, the sender's `dedup_key`.
    pub key: Option<Text>,
    /// The common labels of the alerts that caused it, if the event contained them.
    pub labels: Labels,
    /// The labels of each alert that caused it, to find them in Alertmanager.
    pub firing: Vec<Labels>,
    /// The URL of the first alert's expression.
    pub generator: Option<Text>,
    /// All other fields of the event, by name.
    pub details: Labels,
    /// Links in the event: name and URL.
    pub links: Vec<(Text, Text)>,
}

impl IncidentAlert {
    /// The labels of each alert that caused it; if these are missing, the common labels.
    pub fn label_sets(&self) -> impl Iterator<Item = &Labels> {
        let shared = Some(&self.labels).filter(|labels| self.firing.is_empty() && !labels.is_empty());
        self.firing.iter().chain(shared)
    }
}

/// Details of one incident that the list does not contain.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct IncidentDetail {
    /// Its log, oldest first.
    pub steps: Vec<IncidentEvent>,
    /// Its notes, oldest first.
    pub notes: Vec<Note>,
    /// Its alerts, oldest first.
    pub alerts: Vec<IncidentAlert>,
    /// Similar past incidents of the same service, the latest first.
    pub past: Vec<SimilarIncident>,
}

/// A past incident that is similar to another.
#[derive(Debug, Clone, PartialEq)]
pub struct SimilarIncident {
    /// Its id in the paging system.
    pub id: Text,
    pub title: Text,
    pub created_at: Timestamp,
    /// The similarity, 0 to 1000, as PagerDuty scores it.
    pub likeness: f64,
    pub url: Option<Text>,
}

/// The open and recently resolved incidents of one source.
#[derive(Debug, Clone, PartialEq, Default, Hash)]
pub struct IncidentSnapshot {
    /// Each once, sorted by id.
    pub incidents: Vec<Incident>,
    /// The priorities that the account offers, the highest first; empty if the source does not list them.
    pub priorities: Vec<Priority>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(steps: &[i64], since: i64, until: i64) -> IncidentLog {
        let at = |second| Timestamp::from_second(second).unwrap();
        let happened = |second: &i64| {
            let (kind, summary) = ("notify".into(), "told".into());
            let step = IncidentEvent { at: at(*second), kind, who: None, channel: None, summary };
            IncidentLogEntry { incident: "Q1".into(), step }
        };
        IncidentLog::new(steps.iter().map(happened).collect(), at(since), at(since), at(until))
    }

    fn extended(mut snapshot: IncidentLog, later: IncidentLog) -> (usize, i64, i64) {
        snapshot.extend(later);
        (snapshot.steps.len(), snapshot.since.as_second(), snapshot.until.as_second())
    }

    #[test]
    fn what_was_asked_for_later_is_joined_and_each_step_is_there_once() {
        let first = snapshot(&[10, 20, 30], 5, 35);
        assert_eq!(extended(first.clone(), snapshot(&[30, 40], 25, 45)), (4, 5, 45));
        assert_eq!(extended(first.clone(), snapshot(&[2, 10, 20, 30], 1, 36)), (4, 1, 36));
        // it is unknown what happened between 35 and 50
        assert_eq!(extended(first, snapshot(&[60], 50, 65)), (4, 50, 65));
    }

    #[test]
    fn of_too_many_steps_the_oldest_go_and_that_is_said() {
        let many: Vec<i64> = (0..12_000).collect();
        let snapshot = snapshot(&many, 0, 12_000);
        assert_eq!((snapshot.steps.len(), snapshot.since.as_second()), (10_000, 1_999));
    }
}
