//! Incidents as paging systems keep them: who was woken, who has it, what happened to it so far.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::labels::{Labels, Text};
use super::source::SourceId;
use super::words::words;

/// A thing of the paging system that is named elsewhere: a service, a team, an escalation policy, a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PagerRef {
    pub id: Text,
    pub name: Text,
    pub url: Option<Text>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Person {
    pub id: Text,
    pub name: Text,
    pub email: Option<Text>,
    /// The zone that they live in, as an IANA name, if it is told.
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
    /// Whether somebody is woken.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Urgency: word {
        High = "high",
        Low = "low",
    }
}

/// How much an incident matters, as the account ranks it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Priority {
    pub named: PagerRef,
    /// Its rank, the gravest first; as the account's list of priorities has it.
    pub rank: Option<u32>,
}

/// Somebody did or got something at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Attribution {
    pub who: Person,
    pub at: Timestamp,
}

/// What the paging system will do by itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pending {
    /// What: `unacknowledge`, `escalate`, `resolve`.
    pub what: Text,
    pub at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct AlertCounts {
    pub all: u32,
    pub triggered: u32,
}

#[derive(Debug, Clone, PartialEq, Hash)]
pub struct Incident {
    pub id: Text,
    /// Its number, which people say.
    pub number: u64,
    pub title: Text,
    pub status: IncidentStatus,
    /// Whether somebody is woken.
    pub urgency: Urgency,
    /// How much it matters, where the account ranks incidents.
    pub priority: Option<Priority>,
    pub service: Option<PagerRef>,
    pub escalation_policy: Option<PagerRef>,
    pub teams: Vec<PagerRef>,
    /// Who has it, the latest last.
    pub assigned: Vec<Attribution>,
    /// Who said that they are on it, the latest last.
    pub acknowledged: Vec<Attribution>,
    pub alerts: AlertCounts,
    /// What the paging system will do by itself.
    pub pending: Vec<Pending>,
    pub created_at: Timestamp,
    pub changed_at: Timestamp,
    pub resolved_at: Option<Timestamp>,
    /// What recognises what triggered it: PagerDuty's `incident_key`.
    pub key: Option<Text>,
    /// Where people talk about it.
    pub conference: Option<Text>,
    /// The labels of each alert that opened it, as far as they came along with the page; empty: none did.
    pub firing: Vec<Labels>,
    pub url: Option<Text>,
    pub source: SourceId,
}

impl Incident {
    pub fn is_open(&self) -> bool {
        self.status != IncidentStatus::Resolved
    }

    /// The title without the mark that Alertmanager's template puts first, `[FIRING:2]`: it tells what was so when the incident was
    /// opened, and takes the room of what it is about.
    pub fn subject(&self) -> &str {
        let rest = self.title.strip_prefix("[FIRING:").and_then(|rest| rest.split_once("] "));
        let is_count = |count: &str| !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
        match rest {
            Some((count, subject)) if is_count(count) && !subject.trim().is_empty() => subject,
            _ => &self.title,
        }
    }

    /// How long it took until somebody said that they are on it.
    pub fn time_to_acknowledge(&self) -> Option<Duration> {
        let first = self.acknowledged.iter().map(|stamp| stamp.at).min()?;
        Duration::try_from(first.duration_since(self.created_at)).ok()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IncidentEvent {
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

/// One thing that happened to one of many incidents.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IncidentLogEntry {
    pub incident: Text,
    pub step: IncidentEvent,
}

/// What happened to all incidents of one source.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IncidentLog {
    /// Oldest first, each once.
    pub steps: Vec<IncidentLogEntry>,
    /// From when on it was asked for.
    pub wanted: Timestamp,
    /// From when on nothing is missing: later than `wanted` if there was more than can be read.
    pub since: Timestamp,
    pub until: Timestamp,
}

impl IncidentLog {
    /// More are not kept; the oldest go first.
    const MAX_ENTRIES: usize = 10_000;

    /// In order, each once, as many as are kept.
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
        // what is older than the last that was dropped is not whole any more
        let since = dropped.map_or(since, |happened| since.max(happened.step.at));
        Self { steps, wanted, since, until }
    }

    /// Takes in what was asked for later; where nobody looked in between, only that is whole.
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
    /// What; may have several lines.
    pub content: Text,
}

#[derive(Debug, Clone, PartialEq)]
pub struct IncidentAlert {
    pub id: Text,
    pub is_resolved: bool,
    pub summary: Text,
    /// As the sender says it.
    pub severity: Option<Text>,
    pub created_at: Timestamp,
    /// What recognises it: the `dedup_key` of the sender.
    pub key: Option<Text>,
    /// Labels that all alerts have that caused it, as far as they came along.
    pub labels: Labels,
    /// The labels of each of them; by these they are found in Alertmanager.
    pub firing: Vec<Labels>,
    /// Where the first of them comes from: the page of its expression.
    pub generator: Option<Text>,
    /// Everything else that came along, by name.
    pub details: Labels,
    /// Pages that came along: name and address.
    pub links: Vec<(Text, Text)>,
}

impl IncidentAlert {
    /// The labels of each alert that caused it; where they were not told each, those that all have.
    pub fn label_sets(&self) -> impl Iterator<Item = &Labels> {
        let shared = Some(&self.labels).filter(|labels| self.firing.is_empty() && !labels.is_empty());
        self.firing.iter().chain(shared)
    }
}

/// What is known of one incident beyond the list.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct IncidentDetail {
    /// What happened to it, oldest first.
    pub steps: Vec<IncidentEvent>,
    /// What people wrote, oldest first.
    pub notes: Vec<Note>,
    /// Its alerts, oldest first.
    pub alerts: Vec<IncidentAlert>,
    /// Incidents of the same service that were much like it, the latest first.
    pub past: Vec<SimilarIncident>,
}

/// An incident of the past that was much like another.
#[derive(Debug, Clone, PartialEq)]
pub struct SimilarIncident {
    pub id: Text,
    pub title: Text,
    pub created_at: Timestamp,
    /// How much alike, 0 to 1000, as PagerDuty scores it.
    pub likeness: f64,
    pub url: Option<Text>,
}

/// All incidents of one source that are open or were lately.
#[derive(Debug, Clone, PartialEq, Default, Hash)]
pub struct IncidentBoard {
    /// Each once, in the order of their ids.
    pub incidents: Vec<Incident>,
    /// The priorities that an incident can be given there, the gravest first; none where the source does not tell.
    pub priorities: Vec<Priority>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn board(steps: &[i64], since: i64, until: i64) -> IncidentLog {
        let at = |second| Timestamp::from_second(second).unwrap();
        let happened = |second: &i64| {
            let (kind, summary) = ("notify".into(), "told".into());
            let step = IncidentEvent { at: at(*second), kind, who: None, channel: None, summary };
            IncidentLogEntry { incident: "Q1".into(), step }
        };
        IncidentLog::new(steps.iter().map(happened).collect(), at(since), at(since), at(until))
    }

    fn extended(mut board: IncidentLog, later: IncidentLog) -> (usize, i64, i64) {
        board.extend(later);
        (board.steps.len(), board.since.as_second(), board.until.as_second())
    }

    #[test]
    fn what_was_asked_for_later_is_joined_and_each_step_is_there_once() {
        let first = board(&[10, 20, 30], 5, 35);
        assert_eq!(extended(first.clone(), board(&[30, 40], 25, 45)), (4, 5, 45));
        assert_eq!(extended(first.clone(), board(&[2, 10, 20, 30], 1, 36)), (4, 1, 36));
        // nobody knows what was between 35 and 50
        assert_eq!(extended(first, board(&[60], 50, 65)), (4, 50, 65));
    }

    #[test]
    fn of_too_many_steps_the_oldest_go_and_that_is_said() {
        let many: Vec<i64> = (0..12_000).collect();
        let board = board(&many, 0, 12_000);
        assert_eq!((board.steps.len(), board.since.as_second()), (10_000, 1_999));
    }
}
