//! Evaluates PagerDuty's answers: before an action, and after its request.

use serde_json::{Map, Value};

use super::PLANS;
use crate::backend::handlers::Handler;
use crate::backend::kit::http::{Body, Http, not_executed, of_absence};
use crate::backend::pagerduty::who::KeyOwner;
use crate::backend::pagerduty::wire::{self, LenientObject, Reference, Word};
use crate::backend::pagerduty::{HANDLERS, PagerDuty};
use crate::backend::writes::{Plan, Planning, Read, ReadAnswer, Refusal, Shape, Write, Writer};
use crate::model::action::{Action, ActionError, ActionResult, Operation, WriteContext};
use crate::model::incident::IncidentStatus;
use crate::model::labels::Text;
use crate::model::operation::TargetKind;
use crate::model::source::{ErrorKind, SourceError};
use crate::model::source_info::SourceInfo;

impl Writer for PagerDuty {
    const HANDLERS: &'static [Handler<Self>] = HANDLERS;
    const PLANS: &'static [Plan] = PLANS;

    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn http(&self) -> &Http {
        &self.http
    }

    /// Explains a 404 for an unknown path as a wrong address.
    fn explain(&self, error: SourceError) -> SourceError {
        // PagerDuty's own message for a missing object is "Not Found", too
        let is_foreign = |message: &&str| message.is_empty() || message.contains("page not found");
        let absence = error.kind.refused(404).filter(is_foreign);
        let absence = absence.map(|message| of_absence("PagerDuty REST API", message));
        absence.map_or(error, |failure| self.http.error(failure))
    }

    fn context(&self) -> WriteContext {
        let kept = self.kept();
        let of_key = kept.key.as_ref().and_then(|(_, key)| key.user());
        let me = of_key.or(kept.me.as_ref().map(|(_, me)| me));
        let actor = me.map(|me| Text::clone(&me.id));
        WriteContext { actor, ..WriteContext::at(self.clock.now()) }
    }

    /// The acting user: the owner of the key, or the user in `from`; an error if neither is known.
    async fn identify(&self, action: &Action) -> Result<WriteContext, ActionError> {
        let me = self.who().await.map_err(not_executed)?;
        let key = self.kept().key.as_ref().map(|(_, key)| key.clone());
        let owner = key.as_ref().and_then(KeyOwner::user);
        let own_address = owner.and_then(|owner| owner.email.clone());
        let address = own_address.or(self.settings.from.as_deref().map(Text::from));
        let setting = format!("`from` of [sources.{}]", self.info.id);
        let reason = match (owner, &me, &address) {
            (Some(me), _, None) => {
                format!("PagerDuty does not return the e-mail address of {}: put it into {setting}", me.name)
            }
            (None, _, None) => {
                format!(
                    "the key does not say who you are: put your e-mail address at PagerDuty into {setting}"
                )
            }
            (_, None, Some(from)) if key != Some(KeyOwner::Hidden) => {
                format!("no PagerDuty user has the address `{from}`: correct {setting}")
            }
            (_, None, Some(_)) if matches!(action.operation, Operation::AddResponder { .. }) => {
                "the API key may not read users, so the requester of the help is unknown".to_owned()
            }
            (_, _, Some(_)) => {
                let actor = me.map(|me| me.id);
                return Ok(WriteContext { actor, signature: address, ..WriteContext::at(self.clock.now()) });
            }
        };
        Err(not_executed(self.http.error(ErrorKind::Unfit { reason })))
    }

    async fn recognise(&self, action: &Action) -> Result<WriteContext, SourceError> {
        let is_of_incident = action.operation.kind().target() == TargetKind::Incident;
        let me = if is_of_incident { self.who().await? } else { None };
        Ok(WriteContext { actor: me.map(|me| me.id), ..WriteContext::at(self.clock.now()) })
    }

    async fn read(&self, read: &Read) -> Result<ReadAnswer, SourceError> {
        let (path, query) = (&read.path, read.query());
        let items = match read.shape {
            Shape::Object => {
                let body = self.http.get(path, &query).await.map_err(|error| explained(error, None))?;
                let value = self.object(&body, "incident")?;
                return Ok(ReadAnswer { value, date: body.date });
            }
            Shape::List => self.list(path, &query).await?.items,
            Shape::Pages(most) => self.pages(path, &query, most).await?.items,
        };
        Ok(ReadAnswer { value: Value::Array(items), date: None })
    }

    fn judge_answer(&self, write: &Write<'_>, body: &Body) -> Result<ActionResult, ActionError> {
        let unclear = |error| ActionError { error, is_unclear: true };
        if write.part.is_empty() {
            return self.overridden(&body.json().map_err(unclear)?);
        }
        let answer: Map<String, Value> = self.object(body, write.part).map_err(unclear)?;
        let text = |key: &str| answer.get(key).and_then(Value::as_str);
        if let (Some(wanted), Some(status)) =
            (write.planning.action.operation.kind().spec().leads_to, text("status"))
            && status != wanted.word()
        {
            return Err(unclear(self.odd(&format!("but the status is still {status}"))));
        }
        let creates_object =
            matches!(write.planning.action.operation, Operation::Note { .. } | Operation::Trigger { .. });
        Ok(ActionResult::Done { id: text("id").filter(|_| creates_object).map(Into::into) })
    }

    fn judge_refusal(&self, write: &Write<'_>, error: ActionError) -> Refusal {
        let message = [400, 409, 422].iter().find_map(|code| error.error.kind.refused(*code));
        let is_trigger = matches!(write.planning.action.operation, Operation::Trigger { .. });
        // somebody may have resolved the incident after the check, or opened it before
        let is_conflict = message.is_some_and(|message| !is_trigger || message.contains("already exists"));
        let error = ActionError { error: explained(error.error, write.missing.as_ref()), ..error };
        if is_conflict { Refusal::CheckAgain(error) } else { Refusal::Final(error) }
    }
}

impl PagerDuty {
    /// Reads the answer to an override request: a list with a status for each override, or a single object in older versions.
    fn overridden(&self, answer: &Value) -> Result<ActionResult, ActionError> {
        let first = answer.get(0).unwrap_or(answer);
        let status = first.get("status").and_then(Value::as_u64).unwrap_or(201);
        let errors = first.get("errors").and_then(Value::as_array).into_iter().flatten();
        let errors: Vec<&str> = errors.filter_map(Value::as_str).collect();
        if status >= 300 {
            let message = errors.join("; ");
            let failure = ErrorKind::Refused { status: u16::try_from(status).unwrap_or(400), message };
            return Err(not_executed(self.http.error(failure)));
        }
        let Some(id) = first.get("override").and_then(|made| made.get("id")?.as_str()) else {
            return Err(ActionError { error: self.odd("no `override` in it"), is_unclear: true });
        };
        Ok(ActionResult::Done { id: Some(id.into()) })
    }
}

/// Adds to a refusal what may be missing.
fn explained(error: SourceError, missing: Option<&(&[u16], String)>) -> SourceError {
    let (status, said) = if let ErrorKind::Forbidden { message } = &error.kind {
        (403, message)
    } else if let ErrorKind::Refused { status, message } = &error.kind {
        (*status, message)
    } else {
        return error;
    };
    let help = match (status, missing) {
        (402, _) => "the account's plan does not have this",
        (403, _) => "the key or its role has no write permission here",
        (_, Some((codes, missing))) if codes.contains(&status) => missing,
        (404, _) => "the incident no longer exists, or the key may not see it",
        _ => return error,
    };
    let message = if said.is_empty() { help.to_owned() } else { format!("{said}; {help}") };
    SourceError { kind: ErrorKind::Refused { status, message }, ..error }
}

/// Why nothing is sent: the incident is already in the wanted state, or somebody else has changed it since the user saw it.
pub(super) fn conflict(planning: Planning<'_>, now: &wire::Incident) -> Option<ActionResult> {
    let Planning { action, cx } = planning;
    let (status, seen) = (now.status()?, action.target.seen);
    let is_me = |who: &LenientObject<Reference>| {
        who.0.as_ref().is_some_and(|who| cx.actor.as_deref() == Some(&*who.id.0))
    };
    let acknowledgers = || now.acknowledgements.all.iter().filter(|given| given.who.0.is_some());
    let how = words(now, status);
    let is_mine = match status {
        IncidentStatus::Resolved => {
            is_me(&now.last_status_change_by) || seen == Some(IncidentStatus::Resolved)
        }
        IncidentStatus::Acknowledged => acknowledgers().any(|given| is_me(&given.who)),
        IncidentStatus::Triggered => false,
    };
    if action.operation.kind().spec().leads_to == Some(status) && is_mine {
        return Some(ActionResult::Already { words: how });
    }
    let is_taken = status == IncidentStatus::Acknowledged
        && seen == Some(IncidentStatus::Triggered)
        && acknowledgers().any(|given| !is_me(&given.who));
    if status == IncidentStatus::Resolved || is_taken {
        return Some(ActionResult::Conflict { words: how });
    }
    let Operation::Assign { to } = &action.operation else { return None };
    let is_alone = matches!(&*now.assignments.all, [given] if super::is_it(&given.who, to));
    is_alone.then(|| ActionResult::Already { words: format!("{} has it", to.name).into() })
}

/// `resolved by Kofi Mensah at 03:12 UTC`
pub(super) fn words(incident: &wire::Incident, status: IncidentStatus) -> Text {
    let latest = incident.acknowledgements.all.iter().max_by_key(|given| given.at.0);
    let acknowledged = latest.filter(|_| status == IncidentStatus::Acknowledged);
    let who = acknowledged.and_then(|given| given.who.0.as_ref());
    let who = who.or(incident.last_status_change_by.0.as_ref()).map(|who| {
        let name = [&who.name, &who.summary, &who.id].into_iter().find(|word| !word.0.is_empty());
        name.map_or("somebody", |Word(name)| name)
    });
    let at = acknowledged.and_then(|given| given.at.0).or(incident.last_status_change_at.0);
    let who = who.map_or_else(String::new, |who| format!(" by {who}"));
    let at = at.map_or_else(String::new, |at| at.strftime(" at %H:%M UTC").to_string());
    format!("{}{who}{at}", status.word()).into()
}
