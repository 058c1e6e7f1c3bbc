//! The account's log of events on all incidents. Also used to find who acknowledged a resolved incident, because the list of
//! incidents does not contain that.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use super::incidents::{History, instant};
use super::map::TextReader;
use super::{PagerDuty, wire};
use crate::backend::kit::paging::PagedList;
use crate::model::ask::{Answer, Answered, Reply};
use crate::model::incident::{Attribution, Incident, IncidentLog, IncidentLogEntry, Person};
use crate::model::labels::Text;
use crate::model::source::SourceError;
use crate::model::warning::Warning;

/// The maximum number of pages of the log.
const PAGES: usize = 20;
/// Added to the end of the requested range, so that the entries of the last second are included.
const END: SignedDuration = SignedDuration::from_secs(1);

/// The acknowledgements and assignments of one incident.
#[derive(Default)]
struct IncidentChanges {
    acknowledged: Vec<Attribution>,
    /// The last assignment.
    assigned: Vec<Attribution>,
}

impl PagerDuty {
    /// What happened between two moments to incidents of the teams that are wanted, the newest first; and from when on nothing of
    /// it is missing.
    async fn log(
        &self,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<(PagedList<wire::LogEntry>, Timestamp), SourceError> {
        let (from, to) = (instant(since), instant(until));
        let query =
            self.of_teams(&[("since", &from), ("until", &to), ("is_overview", "true"), ("time_zone", "UTC")]);
        let pages = self.pages::<wire::LogEntry>("log_entries", &query, PAGES).await?;
        let at = |entry: Option<&wire::LogEntry>| entry.and_then(|entry| entry.created_at.0);
        let whole_since = match (pages.is_cut, at(pages.items.first()), at(pages.items.last())) {
            (false, ..) => since,
            // the log may be truncated within the second of its last entry
            (true, Some(newest), Some(oldest)) if oldest <= newest => (oldest + END).clamp(since, until),
            // with an unexpected order, it is not known which entries are missing
            (true, ..) => until,
        };
        Ok((pages, whole_since))
    }

    /// Reads the events of all incidents since a time.
    pub(super) async fn steps(&self, since: Timestamp) -> Answered {
        let now = self.clock.now();
        let (log, whole_since) = self.log(since.min(now), now + END).await?;
        let steps = self.read(|reader| {
            let wanted = log.items.iter().filter(|entry| self.is_wanted(entry));
            let step = |entry: &wire::LogEntry| {
                entry.created_at.0?;
                let incident = reader.some(&entry.incident.0.as_ref()?.id)?;
                Some(IncidentLogEntry { incident, step: reader.step(entry) })
            };
            wanted.filter_map(step).collect()
        });
        let snapshot = IncidentLog::new(steps, since, whole_since, now);
        let cut = (whole_since > since)
            .then(|| Warning::missing(format!("events before {} were not read", instant(whole_since))));
        let warnings = cut.into_iter().chain(log.unreadable_warning("entries of the log")).collect();
        Ok(Reply { warnings, ..Reply::free(Answer::Steps(snapshot)) })
    }

    /// Whether an entry belongs to a configured service: the API can filter the log by team, but not by service.
    fn is_wanted(&self, entry: &wire::LogEntry) -> bool {
        let service = entry.service.0.as_ref().map(|service| &service.id.0);
        self.settings.services.is_empty()
            || service.is_none_or(|service| self.settings.services.contains(service))
    }

    /// Reads who acknowledged incidents that were resolved before burnwatch saw them. A failure is kept as a warning until
    /// the next call.
    pub(super) async fn look_up_acknowledged(&self) {
        let range = self.kept().history.without_acknowledgement();
        let Some((since, until)) = range else {
            self.kept().history.gap = None;
            return;
        };
        let gap = match self.log(since, until + END).await {
            Ok((log, whole_since)) => {
                let reported = self.read(|reader| reader.changes_by_incident(&log.items));
                self.kept().history.apply_changes(reported, whole_since);
                let before = instant(whole_since);
                let gap =
                    format!("who acknowledged incidents before {before} is not known: the log is too long");
                (whole_since > since).then_some(gap)
            }
            Err(error) => {
                Some(format!("who acknowledged resolved incidents could not be read: {}", error.kind))
            }
        };
        self.kept().history.gap = gap.map(Text::from);
    }
}

impl History {
    /// The time range of all resolved incidents without a known acknowledgement that were not searched for in the log yet.
    fn without_acknowledgement(&self) -> Option<(Timestamp, Timestamp)> {
        let lacks_acknowledgement = |incident: &&Incident| {
            !incident.is_open()
                && incident.acknowledged.is_empty()
                && !self.searched_in_log.contains(&incident.id)
        };
        let range = |incident: &Incident| {
            let since = incident.created_at;
            (since, incident.resolved_at.unwrap_or(incident.changed_at).max(since))
        };
        let ranges = self.known.values().filter(lacks_acknowledgement).map(range);
        ranges.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }

    /// Adds acknowledgements and assignments from the log, and marks the incidents that were covered by the log as looked up.
    fn apply_changes(&mut self, mut reported: HashMap<Text, IncidentChanges>, whole_since: Timestamp) {
        let Self { known, searched_in_log, .. } = self;
        for incident in known.values_mut().filter(|incident| !incident.is_open()) {
            let reported = reported.remove(&incident.id).unwrap_or_default();
            if incident.acknowledged.is_empty() {
                incident.acknowledged = reported.acknowledged;
            }
            if incident.assigned.is_empty() {
                incident.assigned = reported.assigned;
            }
            if incident.created_at >= whole_since {
                searched_in_log.insert(incident.id.clone());
            }
        }
        searched_in_log.retain(|id| known.get(id).is_some_and(|incident| !incident.is_open()));
    }
}

impl TextReader<'_> {
    /// The acknowledgements and the last assignment of each incident in the log.
    fn changes_by_incident(&mut self, newest_first: &[wire::LogEntry]) -> HashMap<Text, IncidentChanges> {
        let mut all: HashMap<Text, IncidentChanges> = HashMap::new();
        for entry in newest_first {
            let Some(at) = entry.created_at.0 else { continue };
            let Some(id) = entry.incident.0.as_ref().and_then(|incident| self.some(&incident.id)) else {
                continue;
            };
            let reported = all.entry(id).or_default();
            match entry.kind() {
                "acknowledge" => {
                    let who = entry.agent.0.as_ref().map_or_else(somebody, |agent| self.person(agent));
                    reported.acknowledged.push(Attribution { who, at });
                }
                "assign" | "escalate" if reported.assigned.is_empty() => {
                    let people =
                        entry.assignees.all.iter().map(|who| Attribution { who: self.person(who), at });
                    reported.assigned = people.collect();
                }
                _ => {}
            }
        }
        for reported in all.values_mut() {
            reported.acknowledged.sort_by(|a, b| (a.at, &a.who).cmp(&(b.at, &b.who)));
            reported.acknowledged.dedup();
        }
        all
    }
}

/// A person for an entry without a user.
fn somebody() -> Person {
    Person { id: "".into(), name: "somebody".into(), email: None, zone: None }
}
