//! What became of a request that got no sure answer: read from what PagerDuty keeps, never asked for again.

use jiff::{SignedDuration, Timestamp};

use super::incident::{status, words};
use super::trigger::is_open;
use super::{PagerDuty, segment};
use crate::backend::kit::time::Rfc3339;
use crate::backend::pagerduty::incidents::instant;
use crate::backend::pagerduty::map::moment;
use crate::backend::pagerduty::wire::{self, Maybe, Thing};
use crate::model::action::{Action, Deed, Found};
use crate::model::incident::IncidentStatus;
use crate::model::labels::Text;
use crate::model::source::SourceError;

/// Two clocks are compared by the second, and requests take a while.
const SLACK: SignedDuration = SignedDuration::from_secs(5);
/// The end of a rest is known to the minute.
const ROUGHLY: SignedDuration = SignedDuration::from_secs(90);

const DONE: Found = Found::Done { id: None };

/// Whose deed is looked for, and since when.
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

    fn is_new(&self, at: &Rfc3339) -> bool {
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
        match &action.deed {
            Deed::Trigger { key, .. } => {
                let all = self.with_key(key).await?;
                let is_it = |incident: &&wire::Incident| {
                    is_open(incident) || moment(&incident.created_at).is_some_and(|at| at >= sent_at - SLACK)
                };
                let found = all.iter().find(is_it).map(|incident| incident.id.0.as_str().into());
                return Ok(found.map_or(Found::NotDone, |id| Found::Done { id: Some(id) }));
            }
            Deed::TakeShift { person, start, end } => {
                return self.stands_in(target, person, (*start, *end)).await;
            }
            Deed::Silence(_) | Deed::Edit { .. } | Deed::Extend { .. } | Deed::Expire => {
                let words = format!("it does not offer to {}", action.deed.kind().name()).into();
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
        if let Some(found) = by_state(&action.deed, &incident, &trace, sent_at) {
            return Ok(found);
        }
        match &action.deed {
            Deed::Note { content } => self.noted(&path, content, &trace).await,
            deed => self.by_log(&path, deed, &incident, &trace).await,
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
        deed: &Deed,
        incident: &wire::Incident,
        trace: &Trace,
    ) -> Result<Found, SourceError> {
        let kinds: &[&str] = match deed {
            Deed::Acknowledge => &["acknowledge"],
            Deed::Resolve => &["resolve"],
            Deed::Assign { .. } | Deed::Reroute { .. } => &["assign", "delegate", "escalate"],
            Deed::Escalate { .. } => &["escalate", "assign"],
            Deed::Snooze { .. } => &["snooze"],
            Deed::StatusUpdate { .. } => &["status_update"],
            Deed::Merge { .. } => &["merge"],
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
        Ok(match (deed, status(incident)) {
            (Deed::StatusUpdate { .. }, _) => Found::Unknown {
                words: "PagerDuty does not list status updates: look at the incident's page".into(),
            },
            (Deed::Reroute { policy }, _) => Found::Unknown {
                words: format!("its policy is {}, but not known since when", policy.name).into(),
            },
            (Deed::Merge { .. }, Some(IncidentStatus::Resolved)) => Found::Unknown {
                words: format!("it is {}, but not known by what", words(incident, IncidentStatus::Resolved))
                    .into(),
            },
            _ => Found::NotDone,
        })
    }
}

/// What the incident itself says, where it does.
fn by_state(deed: &Deed, incident: &wire::Incident, trace: &Trace, sent_at: Timestamp) -> Option<Found> {
    let stands = status(incident);
    let is_so = match deed {
        Deed::Acknowledge => {
            let mine = |given: &wire::Acknowledgement| trace.is_me(&given.acknowledger);
            stands == Some(IncidentStatus::Acknowledged) && incident.acknowledgements.all.iter().any(mine)
        }
        Deed::Resolve => stands == Some(IncidentStatus::Resolved),
        Deed::Assign { to } => {
            let has = |given: &wire::Assignment| {
                given.assignee.0.as_ref().is_some_and(|assignee| *assignee.id.0 == *to.id)
            };
            incident.assignments.all.iter().any(has)
        }
        Deed::Reroute { policy } => {
            let its = incident.escalation_policy.0.as_ref();
            // it may have been this one before
            let is_it = its.is_some_and(|its| *its.id.0 == *policy.id);
            return (!is_it).then_some(Found::NotDone);
        }
        Deed::Priority { priority } => {
            let its = incident.priority.0.as_ref().map(|priority| priority.id.0.as_str());
            return Some(if its == priority.as_ref().map(|priority| &*priority.id) {
                DONE
            } else {
                Found::NotDone
            });
        }
        Deed::Snooze { rest } => {
            let rest = SignedDuration::try_from(*rest).unwrap_or(SignedDuration::MAX);
            let until = sent_at.saturating_add(rest).unwrap_or(Timestamp::MAX);
            incident.pending_actions.all.iter().any(|pending| {
                pending.kind.0 == "unacknowledge"
                    && moment(&pending.at).is_some_and(|at| at.duration_since(until).abs() < ROUGHLY)
            })
        }
        Deed::AddResponder { message, .. } => {
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
