//! Evaluates PagerDuty's answers: before an action, after its request, and when it is read back.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::{DONE, EffectCheck, Judge, PLANS, Trace, status, with_key};
use crate::backend::kit::http::{Body, Http, not_executed};
use crate::backend::kit::lenient::{object, objects};
use crate::backend::kit::time::Rfc3339;
use crate::backend::pagerduty::PagerDuty;
use crate::backend::pagerduty::incidents::instant;
use crate::backend::pagerduty::who::KeyOwner;
use crate::backend::pagerduty::wire::{self, Reference, Word};
use crate::backend::writes::{Job, Plan, Precheck, Read, Refusal, Shape, VerifyStep, Writer};
use crate::model::action::{Action, ActionError, ActionResult, Operation, Verification, WriteContext};
use crate::model::incident::IncidentStatus;
use crate::model::labels::Text;
use crate::model::operation::TargetKind;
use crate::model::source::{ErrorKind, SourceError};

/// Clocks are compared in whole seconds, and a request takes some time.
const SLACK: SignedDuration = SignedDuration::from_secs(5);

/// The answer to a read.
pub(in crate::backend) enum Answer {
    /// An incident, and the server's time.
    Incident(Known, Option<Timestamp>),
    Items(Vec<Value>),
}

/// The current state of an incident.
pub(in crate::backend) struct Known(Box<wire::Incident>);

impl Writer for PagerDuty {
    type Judge = Judge;
    type Answer = Answer;

    fn plans(&self) -> &'static [Plan<Judge>] {
        &PLANS
    }

    fn http(&self) -> &Http {
        &self.http
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
        let (me, _) = self.who().await.map_err(not_executed)?;
        let key = self.kept().key.as_ref().map(|(_, key)| key.clone());
        let owner = key.as_ref().and_then(KeyOwner::user);
        let own_address = owner.and_then(|owner| owner.email.clone());
        let address = own_address.or(self.settings.from.as_deref().map(Text::from));
        let setting = format!("`from` of [sources.{}]", self.info.id);
        let why = match (owner, &me, &address) {
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
        Err(self.unfit(why))
    }

    async fn recognise(&self, action: &Action) -> Result<WriteContext, SourceError> {
        let is_of_incident = action.operation.kind().target() == TargetKind::Incident;
        let me = if is_of_incident { self.who().await?.0 } else { None };
        Ok(WriteContext { actor: me.map(|me| me.id), ..WriteContext::at(self.clock.now()) })
    }

    async fn read(&self, read: &Read) -> Result<Answer, SourceError> {
        let (path, query) = (&read.path, read.query());
        Ok(match read.shape {
            Shape::Object => {
                let body = self.get(path, &query).await?;
                let found =
                    object(body.json()?, "incident").ok_or_else(|| self.odd("no `incident` in it"))?;
                Answer::Incident(Known(Box::new(found)), body.date)
            }
            Shape::List => Answer::Items(self.list(path, &query).await?.items),
            Shape::Pages(most) => Answer::Items(self.pages(path, &query, most).await?.items),
        })
    }

    fn judge_precheck(
        &self,
        job: &Job<'_, Self>,
        answer: Result<Answer, SourceError>,
    ) -> Result<Precheck, SourceError> {
        let Answer::Incident(Known(now), _) = answer.map_err(|error| job.judge.explained(error))? else {
            return Ok(Precheck::GoOn);
        };
        Ok(conflict(job, &now).map_or(Precheck::GoOn, Precheck::Stop))
    }

    fn judge_answer(&self, job: &Job<'_, Self>, body: &Body) -> Result<ActionResult, ActionError> {
        let unclear = |error| ActionError { error, is_unclear: true };
        let part = job.judge.part;
        if part.is_empty() {
            return self.overridden(&body.json().map_err(unclear)?);
        }
        let mut answer: Map<String, Value> = body.json().map_err(unclear)?;
        let answer = answer.remove(part).filter(Value::is_object);
        let answer = answer.ok_or_else(|| unclear(self.odd(&format!("no `{part}` in it"))))?;
        let stands = answer.get("status").and_then(Value::as_str);
        if let (Some(state), Some(stands)) = (job.judge.state, stands)
            && stands != state.word()
        {
            return Err(unclear(self.odd(&format!("but the status is still {stands}"))));
        }
        let id = answer.get("id").and_then(Value::as_str).filter(|_| job.judge.creates_object());
        Ok(ActionResult::Done { id: id.map(Into::into) })
    }

    fn judge_refusal(&self, job: &Job<'_, Self>, error: ActionError) -> Refusal {
        let judge = &job.judge;
        let refused = |codes: &[u16]| codes.iter().find_map(|code| error.error.kind.refused(*code));
        let again = match &judge.then {
            EffectCheck::Key(key)
                if refused(&[400, 409]).is_some_and(|said| said.contains("already exists")) =>
            {
                Some(with_key(key))
            }
            // somebody may have resolved it after the precheck
            EffectCheck::Log(..)
            | EffectCheck::Notes(_)
            | EffectCheck::Key(_)
            | EffectCheck::Override(..) => refused(&[400, 409, 422])
                .filter(|_| judge.is_guarded)
                .map(|_| super::one(&job.action.target.id)),
        };
        let error = ActionError { error: judge.explained(error.error), ..error };
        match again {
            Some(read) => Refusal::ReadAgain(read, error),
            None => Refusal::Final(error),
        }
    }

    fn judge_again(&self, job: &Job<'_, Self>, answer: Answer) -> Option<ActionResult> {
        match answer {
            Answer::Incident(Known(now), _) if status(&now) == Some(IncidentStatus::Resolved) => {
                conflict(job, &now)
            }
            Answer::Incident(..) => None,
            Answer::Items(items) => {
                let known = objects::<wire::Incident>(items).all;
                let open = known.iter().find(|known| job.judge.has_key(known) && is_open(known))?;
                Some(ActionResult::Already { words: format!("it is open as #{}", open.number.0).into() })
            }
        }
    }

    fn judge_verification(
        &self,
        job: &Job<'_, Self>,
        sent_at: Timestamp,
        answers: &[Result<Answer, SourceError>],
    ) -> Result<VerifyStep, SourceError> {
        let read: Vec<&Answer> =
            answers.iter().map(|answer| answer.as_ref().map_err(Clone::clone)).collect::<Result<_, _>>()?;
        let is = |verification| Ok(VerifyStep::Is(verification));
        let found = |id: Option<&Word>| {
            let done = |id: &Word| Verification::Done { id: Some(id.0.as_str().into()) };
            id.map_or(Verification::NotDone, done)
        };
        let (incident, date, rest) = match read.as_slice() {
            [Answer::Incident(Known(incident), date), rest @ ..] => (incident, *date, rest),
            [Answer::Items(items), ..] => return is(job.judge.found_in(items, sent_at, found)),
            [] => return Ok(VerifyStep::Look(super::one(&job.action.target.id))),
        };
        let behind = date.map_or(0, |date| date.as_second() - self.clock.now().as_second()).min(0);
        let earlier = SignedDuration::from_secs(behind) - SLACK;
        let since = sent_at.saturating_add(earlier).unwrap_or(Timestamp::MIN);
        let trace = Trace { me: job.cx.actor.clone(), sent_at, since };
        if let Some(verification) = (job.judge.seen)(incident, &trace) {
            return is(verification);
        }
        let path = |part: &str| format!("{}/{part}", super::one(&job.action.target.id).path);
        match (&job.judge.then, rest.first()) {
            (EffectCheck::Notes(content), Some(Answer::Items(items))) => {
                let notes = objects::<wire::Note>(items.clone()).all;
                let is_it = |note: &wire::Note| {
                    note.content.0.trim() == content.trim()
                        && trace.is_user(&note.user)
                        && trace.is_new(&note.created_at)
                };
                is(super::is_done(notes.iter().any(is_it)))
            }
            (EffectCheck::Notes(_), _) => Ok(VerifyStep::Look(Read::of(path("notes"), Shape::List))),
            (EffectCheck::Log(kinds, otherwise), Some(Answer::Items(items))) => {
                let entries = objects::<wire::LogEntry>(items.clone()).all;
                let is_it = |entry: &wire::LogEntry| {
                    kinds.iter().any(|kind| entry.kind.0.starts_with(kind))
                        && trace.is_user(&entry.agent)
                        && trace.is_new(&entry.created_at)
                };
                is(if entries.iter().any(is_it) { DONE } else { otherwise(incident) })
            }
            (EffectCheck::Log(..) | EffectCheck::Key(_) | EffectCheck::Override(..), _) => {
                let read = Read::of(path("log_entries"), Shape::Pages(3)).with("since", instant(since));
                Ok(VerifyStep::Look(read.with("time_zone", "UTC").with("is_overview", "false")))
            }
        }
    }
}

impl PagerDuty {
    fn unfit(&self, reason: String) -> ActionError {
        not_executed(self.http.error(ErrorKind::Unfit { reason }))
    }

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

impl Judge {
    /// Whether the operation creates an object with its own id.
    fn creates_object(&self) -> bool {
        matches!(self.then, EffectCheck::Notes(_) | EffectCheck::Key(_) | EffectCheck::Override(..))
    }

    fn has_key(&self, incident: &wire::Incident) -> bool {
        matches!(&self.then, EffectCheck::Key(key) if *incident.key.0 == **key)
    }

    /// Finds the created object in a list of similar objects.
    fn found_in(
        &self,
        items: &[Value],
        sent_at: Timestamp,
        found: impl Fn(Option<&Word>) -> Verification,
    ) -> Verification {
        match &self.then {
            EffectCheck::Override(person, start, end) => {
                let near = |at: &Rfc3339, wanted: &Timestamp| {
                    at.0.is_some_and(|at| at.duration_since(*wanted).abs() < SignedDuration::from_secs(60))
                };
                let overrides = objects::<wire::Override>(items.to_vec()).all;
                let is_it = |made: &&wire::Override| {
                    let user = made.turn.user.0.as_ref();
                    user.is_some_and(|user| *user.id.0 == *person.id)
                        && near(&made.turn.start, start)
                        && near(&made.turn.end, end)
                };
                found(overrides.iter().find(is_it).map(|made| &made.id))
            }
            EffectCheck::Key(_) | EffectCheck::Notes(_) | EffectCheck::Log(..) => {
                let incidents = objects::<wire::Incident>(items.to_vec()).all;
                let is_late = |at: &Rfc3339| at.0.is_some_and(|at| at >= sent_at - SLACK);
                let is_it = |known: &&wire::Incident| {
                    self.has_key(known) && (is_open(known) || is_late(&known.created_at))
                };
                found(incidents.iter().find(is_it).map(|incident| &incident.id))
            }
        }
    }

    /// Adds to a refusal what may be missing.
    fn explained(&self, error: SourceError) -> SourceError {
        let (status, said) = if let ErrorKind::Forbidden { message } = &error.kind {
            (403, message)
        } else if let ErrorKind::Refused { status, message } = &error.kind {
            (*status, message)
        } else {
            return error;
        };
        let help = match (status, &self.missing) {
            (402, _) => "the account's plan does not have this",
            (403, _) => "the key or its role has no write permission here",
            (_, Some((codes, missing))) if codes.contains(&status) => missing,
            (404, _) => "the incident no longer exists, or the key may not see it",
            _ => return error,
        };
        let message = if said.is_empty() { help.to_owned() } else { format!("{said}; {help}") };
        SourceError { kind: ErrorKind::Refused { status, message }, ..error }
    }
}

/// Why nothing is sent: the incident is already in the wanted state, or somebody else has changed it since the user saw it.
fn conflict(job: &Job<'_, PagerDuty>, now: &wire::Incident) -> Option<ActionResult> {
    let (stands, seen) = (status(now)?, job.action.target.seen);
    let is_user = |thing: &&Reference| job.cx.actor.as_deref() == Some(&*thing.id.0);
    let acknowledgers = || now.acknowledgements.all.iter().filter_map(|given| given.acknowledger.0.as_ref());
    let by_me = now.last_status_change_by.0.as_ref().is_some_and(|who| is_user(&who));
    let how = words(now, stands);
    let is_assigned_to_user = match stands {
        IncidentStatus::Resolved => by_me || seen == Some(IncidentStatus::Resolved),
        IncidentStatus::Acknowledged => acknowledgers().any(|who| is_user(&who)),
        IncidentStatus::Triggered => false,
    };
    if job.judge.state == Some(stands) && is_assigned_to_user {
        return Some(ActionResult::Already { words: how });
    }
    let is_taken = stands == IncidentStatus::Acknowledged
        && seen == Some(IncidentStatus::Triggered)
        && acknowledgers().any(|who| !is_user(&who));
    if stands == IncidentStatus::Resolved || is_taken {
        return Some(ActionResult::Conflict { words: how });
    }
    let to = job.judge.is_given_to.as_ref()?;
    let mut has = now.assignments.all.iter().filter_map(|given| given.assignee.0.as_ref());
    let is_alone = now.assignments.all.len() == 1 && has.all(|who| *who.id.0 == *to.id);
    is_alone.then(|| ActionResult::Already { words: format!("{} has it", to.name).into() })
}

fn is_open(incident: &wire::Incident) -> bool {
    status(incident).is_some_and(|status| status != IncidentStatus::Resolved)
}

/// `resolved by Kofi Mensah at 03:12 UTC`
pub(super) fn words(incident: &wire::Incident, status: IncidentStatus) -> Text {
    let latest = incident.acknowledgements.all.iter().max_by_key(|given| given.at.0);
    let acknowledged = latest.filter(|_| status == IncidentStatus::Acknowledged);
    let who = acknowledged
        .and_then(|given| given.acknowledger.0.as_ref())
        .or(incident.last_status_change_by.0.as_ref())
        .map(|who| [&who.name, &who.summary, &who.id].into_iter().find(|word| !word.0.is_empty()))
        .map(|name| name.map_or("somebody", |Word(name)| name).to_owned());
    let at = acknowledged.and_then(|given| given.at.0);
    let at = at.or(incident.last_status_change_at.0);
    let mut words = status.word().to_owned();
    words.extend(who.iter().flat_map(|who| [" by ", who]));
    if let Some(at) = at {
        words.push_str(&at.strftime(" at %H:%M UTC").to_string());
    }
    words.into()
}
