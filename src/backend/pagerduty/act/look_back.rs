//! What became of a request that got no sure answer: read from what PagerDuty keeps, never asked for again.

use jiff::{SignedDuration, Timestamp};

use super::incident::{status, words};
use super::trigger::is_open;
use super::{PagerDuty, segment};
use crate::backend::pagerduty::incidents::instant;
use crate::backend::pagerduty::map::moment;
use crate::backend::pagerduty::wire::{self, Maybe, Thing};
use crate::model::action::{Action, Found, Operation};
use crate::model::incident::IncidentStatus;
use crate::model::labels::Text;
use crate::model::source::SourceError;

/// Two clocks are compared by the second, and requests take a while.
const SLACK: SignedDuration = SignedDuration::from_secs(5);
/// The end of a rest is known to the minute.
const ROUGHLY: SignedDuration = SignedDuration::from_secs(90);

const DONE: Found = Found::Done { id: None };

/// Whose operation is looked for, and since when.
struct Trace {
    /// Unknown where the key may not read users: then whoever it was counts.
    me: Option<Text>,
    /// By the server's clock.
    since: Timestamp,
}

impl Trace {
    fn is_me(&self, who: &Maybe<Thing>) -> bool {
        match (&self.me, &who.0) {
            (None, _) => true,
            (Some(me), Some(who)) => *who.id.0 == **me,
            (Some(_), None) => false,
        }
    }

    fn is_new(&self, at: &wire::Word) -> bool {
        moment(at).is_some_and(|at| at >= self.since)
    }
}

impl PagerDuty {
    pub(in super::super) async fn found(
        &self,
        action: &Action,
        sent_at: Timestamp,
    ) -> Result<Found, SourceError> {
        let target = &action.target.id;
        match &action.operation {
            Operation::Trigger { key, .. } => {
                let all = self.with_key(key).await?;
                let is_it = |incident: &&wire::Incident| {
                    is_open(incident) || moment(&incident.created_at).is_some_and(|at| at >= sent_at - SLACK)
                };
                let found = all.iter().find(is_it).map(|incident| incident.id.0.as_str().into());
                return Ok(found.map_or(Found::NotDone, |id| Found::Done { id: Some(id) }));
            }
            Operation::TakeShift { person, start, end } => {
                return self.stands_in(target, person, (*start, *end)).await;
            }
            Operation::Silence(_) | Operation::Edit { .. } | Operation::Extend { .. } | Operation::Expire => {
                let words = format!("it does not offer to {}", action.operation.kind().name()).into();
                return Ok(Found::Unknown { words });
            }
            _ => {}
        }
        let (me, _) = self.who().await?;
        let (incident, date) = self.one(target).await?;
        let path = format!("incidents/{}", segment(target));
        let behind = date.map_or(0, |date| date.as_second() - self.clock.now().as_second()).min(0);
        let earlier = SignedDuration::from_secs(behind) - SLACK;
        let since = sent_at.saturating_add(earlier).unwrap_or(Timestamp::MIN);
        let trace = Trace { me: me.map(|me| me.id), since };
        if let Some(found) = by_state(&action.operation, &incident, &trace, sent_at) {
            return Ok(found);
        }
        match &action.operation {
            Operation::Note { content } => self.noted(&path, content, &trace).await,
            operation => self.by_log(&path, operation, &incident, &trace).await,
        }
    }

    /// The note itself: who wrote the same since.
    async fn noted(&self, path: &str, content: &str, trace: &Trace) -> Result<Found, SourceError> {
        let notes = self.list::<wire::Note>(&format!("{path}/notes"), &[]).await?;
        let is_it = |note: &wire::Note| {
            note.content.0.trim() == content.trim()
                && trace.is_me(&note.user)
                && trace.is_new(&note.created_at)
        };
        Ok(if notes.items.iter().any(is_it) { DONE } else { Found::NotDone })
    }

    /// What happened to the incident since.
    async fn by_log(
        &self,
        path: &str,
        operation: &Operation,
        incident: &wire::Incident,
        trace: &Trace,
    ) -> Result<Found, SourceError> {
        let kinds: &[&str] = match operation {
            Operation::Acknowledge => &["acknowledge"],
            Operation::Resolve => &["resolve"],
            Operation::Assign { .. } | Operation::Reroute { .. } => &["assign", "delegate", "escalate"],
            Operation::Escalate { .. } => &["escalate", "assign"],
            Operation::Snooze { .. } => &["snooze"],
            Operation::StatusUpdate { .. } => &["status_update"],
            Operation::Merge { .. } => &["merge"],
            _ => &[],
        };
        let since = instant(trace.since);
        let query = [("since", &*since), ("time_zone", "UTC"), ("is_overview", "false")];
        let path = format!("{path}/log_entries");
        let entries = self.pages::<wire::LogEntry>(&path, &query, 3).await?.items;
        let is_it = |entry: &&wire::LogEntry| {
            kinds.iter().any(|kind| entry.kind.0.starts_with(kind))
                && trace.is_me(&entry.agent)
                && trace.is_new(&entry.created_at)
        };
        if entries.iter().any(|entry| is_it(&entry)) {
            return Ok(DONE);
        }
        Ok(match (operation, status(incident)) {
            (Operation::StatusUpdate { .. }, _) => Found::Unknown {
                words: "PagerDuty does not list status updates: look at the incident's page".into(),
            },
            (Operation::Reroute { policy }, _) => Found::Unknown {
                words: format!("its policy is {}, but not known since when", policy.name).into(),
            },
            (Operation::Merge { .. }, Some(IncidentStatus::Resolved)) => Found::Unknown {
                words: format!("it is {}, but not known by what", words(incident, IncidentStatus::Resolved))
                    .into(),
            },
            _ => Found::NotDone,
        })
    }
}

/// What the incident itself says, where it does.
fn by_state(
    operation: &Operation,
    incident: &wire::Incident,
    trace: &Trace,
    sent_at: Timestamp,
) -> Option<Found> {
    let stands = status(incident);
    let is_so = match operation {
        Operation::Acknowledge => {
            let mine = |given: &wire::Acknowledgement| trace.is_me(&given.acknowledger);
            stands == Some(IncidentStatus::Acknowledged) && incident.acknowledgements.all.iter().any(mine)
        }
        Operation::Resolve => stands == Some(IncidentStatus::Resolved),
        Operation::Assign { to } => {
            let has = |given: &wire::Assignment| {
                given.assignee.0.as_ref().is_some_and(|assignee| *assignee.id.0 == *to.id)
            };
            incident.assignments.all.iter().any(has)
        }
        Operation::Reroute { policy } => {
            let its = incident.escalation_policy.0.as_ref();
            // it may have been this one before
            let is_it = its.is_some_and(|its| *its.id.0 == *policy.id);
            return (!is_it).then_some(Found::NotDone);
        }
        Operation::Priority { priority } => {
            let its = incident.priority.0.as_ref().map(|priority| priority.id.0.as_str());
            return Some(if its == priority.as_ref().map(|priority| &*priority.id) {
                DONE
            } else {
                Found::NotDone
            });
        }
        Operation::Snooze { rest } => {
            let rest = SignedDuration::try_from(*rest).unwrap_or(SignedDuration::MAX);
            let until = sent_at.saturating_add(rest).unwrap_or(Timestamp::MAX);
            incident.pending_actions.all.iter().any(|pending| {
                pending.kind.0 == "unacknowledge"
                    && moment(&pending.at).is_some_and(|at| at.duration_since(until).abs() < ROUGHLY)
            })
        }
        Operation::AddResponder { message, .. } => {
            let is_it = |request: &wire::ResponderRequest| {
                request.message.0.trim() == message.trim()
                    && trace.is_me(&request.requester)
                    && trace.is_new(&request.requested_at)
            };
            return Some(if incident.responder_requests.all.iter().any(is_it) {
                DONE
            } else {
                Found::NotDone
            });
        }
        _ => false,
    };
    is_so.then_some(DONE)
}
