//! What is done to an incident that is there: looked at first, so that nothing of somebody else's is overwritten.

use jiff::Timestamp;

use super::{Actor, PagerDuty};
use crate::backend::http::{Change, segment, surely_not};
use crate::backend::kit::lenient::object;
use crate::backend::pagerduty::map::moment;
use crate::backend::pagerduty::wire::{self, Thing, Word};
use crate::model::action::{ActError, Action, Operation, Outcome};
use crate::model::incident::IncidentStatus;
use crate::model::labels::Text;
use crate::model::source::{SourceError, Trouble};

impl PagerDuty {
    pub(super) async fn change(
        &self,
        action: &Action,
        change: &Change,
        actor: &Actor,
    ) -> Result<Outcome, ActError> {
        if is_state(&action.operation) {
            let now = self.one(&action.target.id).await;
            let (now, _) = now.map_err(|error| surely_not(Self::gone(&action.operation, error)))?;
            if let Some(outcome) = overtaken(action, &now, actor) {
                return Ok(outcome);
            }
        }
        let part = match &action.operation {
            Operation::Note { .. } => "note",
            Operation::StatusUpdate { .. } => "status_update",
            Operation::AddResponder { .. } => "responder_request",
            _ => "incident",
        };
        // help is asked for in the name of the requester, not of `From`
        let from = (!matches!(action.operation, Operation::AddResponder { .. })).then_some(actor);
        let answer = match self.send(change, from, part).await {
            Ok(answer) => answer,
            Err(error) => return self.too_late(action, actor, error).await,
        };
        let status = answer.get("status").and_then(serde_json::Value::as_str);
        let is_so = match &action.operation {
            Operation::Acknowledge => status.is_none_or(|status| status == "acknowledged"),
            Operation::Resolve => status.is_none_or(|status| status == "resolved"),
            _ => true,
        };
        if !is_so {
            let error = self.odd(&format!("it is {} all the same", status.unwrap_or_default()));
            return Err(ActError { error, is_unclear: true });
        }
        let id = answer.get("id").and_then(serde_json::Value::as_str).filter(|_| part == "note");
        Ok(Outcome::Done { id: id.map(Into::into) })
    }

    /// Somebody may have ended it between the look and the call.
    async fn too_late(&self, action: &Action, actor: &Actor, error: ActError) -> Result<Outcome, ActError> {
        let is_refusal = matches!(error.error.trouble, Trouble::Refused { status: 400 | 409 | 422, .. });
        if is_refusal
            && is_state(&action.operation)
            && let Ok((now, _)) = self.one(&action.target.id).await
            && status(&now) == Some(IncidentStatus::Resolved)
            && let Some(outcome) = overtaken(action, &now, actor)
        {
            return Ok(outcome);
        }
        Err(ActError { error: Self::gone(&action.operation, error.error), ..error })
    }

    /// An incident as it is now, and the server's clock.
    pub(super) async fn one(&self, id: &str) -> Result<(wire::Incident, Option<Timestamp>), SourceError> {
        let body = self.get(&format!("incidents/{}", segment(id)), &[]).await?;
        let found = object(body.json()?, "incident").ok_or_else(|| self.odd("no `incident` in it"))?;
        Ok((found, body.date))
    }

    /// A refusal in words that say what may be missing.
    pub(super) fn gone(operation: &Operation, error: SourceError) -> SourceError {
        let (status, said) = match &error.trouble {
            Trouble::Forbidden { message } => (403, message.clone()),
            Trouble::Refused { status, message } => (*status, message.clone()),
            _ => return error,
        };
        let named = |kind: &str, name: &Text| format!("the {kind} {name} may have been deleted");
        let help = match (status, operation) {
            (402, _) => "the account's plan does not have this".into(),
            (403, _) => "the key or the role behind it may only read, or not here".into(),
            (400 | 404, Operation::Assign { to }) => named("person", &to.name),
            (400 | 404, Operation::TakeShift { person, .. }) => {
                format!("{}, or the schedule", named("person", &person.name))
            }
            (400 | 404, Operation::AddResponder { people, .. }) => {
                let names: Vec<&str> = people.iter().map(|person| &*person.name).collect();
                format!("one of {} may have been deleted", names.join(", "))
            }
            (400 | 404, Operation::Reroute { policy }) => named("policy", &policy.name),
            (400 | 404, Operation::Priority { priority: Some(priority) }) => {
                named("priority", &priority.name)
            }
            (400 | 404, Operation::Merge { into }) => {
                format!("{} may be over, or have no alerts that could be merged", into.name)
            }
            (400 | 404, Operation::Trigger { .. }) => "the service may have been deleted or disabled".into(),
            (400, Operation::Escalate { level }) => format!("the policy may not have a level {level}"),
            (404, _) => "the incident is not there any more, or the key may not see it".into(),
            _ => return error,
        };
        let message = if said.is_empty() { help } else { format!("{said}; {help}") };
        SourceError { trouble: Trouble::Refused { status, message }, ..error }
    }
}

/// Whether it changes what others may be changing at the same time.
const fn is_state(operation: &Operation) -> bool {
    matches!(
        operation,
        Operation::Acknowledge
            | Operation::Resolve
            | Operation::Assign { .. }
            | Operation::Reroute { .. }
            | Operation::Escalate { .. }
            | Operation::Snooze { .. }
            | Operation::Merge { .. }
    )
}

/// What keeps it from being sent: it is so, or somebody else has changed the incident since the person looked.
fn overtaken(action: &Action, now: &wire::Incident, actor: &Actor) -> Option<Outcome> {
    let stands = status(now)?;
    let is_me = |thing: &&Thing| actor.id.as_deref() == Some(&*thing.id.0);
    let acknowledgers = || now.acknowledgements.all.iter().filter_map(|given| given.acknowledger.0.as_ref());
    let by_me = now.last_status_change_by.0.as_ref().is_some_and(|who| is_me(&who));
    match (stands, &action.operation) {
        (IncidentStatus::Resolved, Operation::Resolve)
            if by_me || action.target.seen == Some(IncidentStatus::Resolved) =>
        {
            Some(Outcome::Already { words: words(now, stands) })
        }
        (IncidentStatus::Resolved, _) => Some(Outcome::Conflict { words: words(now, stands) }),
        (IncidentStatus::Acknowledged, Operation::Acknowledge) if acknowledgers().any(|who| is_me(&who)) => {
            Some(Outcome::Already { words: words(now, stands) })
        }
        (IncidentStatus::Acknowledged, _)
            if action.target.seen == Some(IncidentStatus::Triggered)
                && acknowledgers().any(|who| !is_me(&who)) =>
        {
            Some(Outcome::Conflict { words: words(now, stands) })
        }
        (_, Operation::Assign { to }) => {
            let mut has = now.assignments.all.iter().filter_map(|given| given.assignee.0.as_ref());
            let is_alone = now.assignments.all.len() == 1 && has.all(|who| *who.id.0 == *to.id);
            is_alone.then(|| Outcome::Already { words: format!("{} has it", to.name).into() })
        }
        _ => None,
    }
}

pub(super) fn status(incident: &wire::Incident) -> Option<IncidentStatus> {
    IncidentStatus::ALL.into_iter().find(|status| status.word() == incident.status.0)
}

/// `resolved by Kofi Mensah at 03:12 UTC`
pub(super) fn words(incident: &wire::Incident, status: IncidentStatus) -> Text {
    let latest = incident.acknowledgements.all.iter().max_by_key(|given| moment(&given.at));
    let acknowledged = latest.filter(|_| status == IncidentStatus::Acknowledged);
    let who = acknowledged
        .and_then(|given| given.acknowledger.0.as_ref())
        .or(incident.last_status_change_by.0.as_ref())
        .map(|who| [&who.name, &who.summary, &who.id].into_iter().find(|word| !word.0.is_empty()))
        .map(|name| name.map_or("somebody", |Word(name)| name).to_owned());
    let at = acknowledged.and_then(|given| moment(&given.at));
    let at = at.or_else(|| moment(&incident.last_status_change_at));
    let mut words = status.word().to_owned();
    words.extend(who.iter().flat_map(|who| [" by ", who]));
    if let Some(at) = at {
        words.push_str(&at.strftime(" at %H:%M UTC").to_string());
    }
    words.into()
}
