//! What is done at PagerDuty: each operation is one request, sent once, for the person at the keyboard and nobody else.
//!
//! What somebody else may have changed meanwhile is looked at first; what went out without a sure answer is found again by
//! reading.

mod incident;
mod look_back;
mod oncall;
mod trigger;

use serde_json::{Value, json};

use super::PagerDuty;
use super::incidents::instant;
use super::who::Key;
use crate::backend::http::{Body, Change, segment, surely_not};
use crate::model::action::{ActError, Action, EntityRef, Operation, OperationKind, Outcome, RequestPreview};
use crate::model::labels::Text;
use crate::model::source::{SourceError, Trouble};

/// What can be done.
pub(super) const ACTS: [OperationKind; 13] = [
    OperationKind::Acknowledge,
    OperationKind::Resolve,
    OperationKind::Assign,
    OperationKind::Reroute,
    OperationKind::Escalate,
    OperationKind::Snooze,
    OperationKind::Note,
    OperationKind::Priority,
    OperationKind::Merge,
    OperationKind::AddResponder,
    OperationKind::StatusUpdate,
    OperationKind::Trigger,
    OperationKind::TakeShift,
];
/// Longest note, in characters.
const NOTE: usize = 2000;
/// Longest rest, in seconds: seven days.
const REST: u64 = 604_800;
/// In place of whoever has the key, where a call is shown before that is known.
const WHOEVER: &str = "whose key it is";

/// Who acts.
#[derive(Debug, Clone, PartialEq)]
struct Actor {
    /// Unknown where the key may not read users.
    id: Option<Text>,
    /// Sent as `From`: who acts in the eyes of PagerDuty.
    address: Text,
}

impl PagerDuty {
    pub(super) fn calls_of(&self, action: &Action) -> Vec<RequestPreview> {
        let kept = self.kept();
        let me = match (&kept.key, &kept.me) {
            (Some((_, Key::User { me, .. })), _) | (_, Some((_, me))) => Text::clone(&me.id),
            _ => WHOEVER.into(),
        };
        drop(kept);
        super::calls(action, self.http.address(), &me)
    }

    pub(super) async fn do_it(&self, action: &Action) -> Result<Outcome, ActError> {
        if let Some(reason) = unfit(&action.operation) {
            return Err(self.unfit(reason));
        }
        let kind = action.operation.kind();
        let not_offered = || {
            let what = format!("to {}", kind.name());
            surely_not(self.http.error(Trouble::NotOffered { what }))
        };
        if !ACTS.contains(&kind) {
            return Err(not_offered());
        }
        let actor = self.actor().await?;
        let me = match &actor.id {
            Some(id) => Text::clone(id),
            None if matches!(action.operation, Operation::AddResponder { .. }) => {
                let why = "the key may not read users, so nobody knows who asks for help";
                return Err(self.unfit(why.into()));
            }
            None => "".into(),
        };
        let change = request(action, &me).ok_or_else(not_offered)?;
        match &action.operation {
            Operation::Trigger { key, .. } => self.trigger(action, &change, key, &actor).await,
            Operation::TakeShift { .. } => self.take_shift(action, &change).await,
            _ => self.change(action, &change, &actor).await,
        }
    }

    /// The person who acts: the key's owner, or whoever `from` names. Never a guess.
    async fn actor(&self) -> Result<Actor, ActError> {
        let (me, _) = self.who().await.map_err(surely_not)?;
        let key = self.kept().key.as_ref().map(|(_, key)| key.clone());
        let named = self.settings.from.as_deref().map(Text::from);
        match (key, me, named) {
            (Some(Key::User { .. }), Some(me), named) => match me.email.or(named) {
                Some(address) => Ok(Actor { id: Some(me.id), address }),
                None => Err(self.unfit(format!(
                    "PagerDuty does not tell the address of {}: put it into `from` of [sources.{}]",
                    me.name, self.info.id
                ))),
            },
            (_, Some(me), Some(address)) => Ok(Actor { id: Some(me.id), address }),
            (Some(Key::Hidden), None, Some(address)) => Ok(Actor { id: None, address }),
            (_, None, Some(from)) => Err(self.unfit(format!(
                "nobody at PagerDuty has the address `{from}`: correct `from` of [sources.{}]",
                self.info.id
            ))),
            (_, _, None) => Err(self.unfit(format!(
                "the key does not say who you are: put your e-mail address at PagerDuty into `from` of [sources.{}]",
                self.info.id
            ))),
        }
    }

    fn unfit(&self, reason: String) -> ActError {
        surely_not(self.http.error(Trouble::Unfit { reason }))
    }

    /// Sends it for somebody, and sees to it that what comes back is an answer to it.
    async fn send(&self, change: &Change, from: Option<&Actor>, part: &str) -> Result<Value, ActError> {
        let from = from.map(|actor| ("from", &*actor.address));
        let body = self.http.send(change, from.as_slice()).await?;
        self.answered(&body, part).map_err(|error| ActError { error, is_unclear: true })
    }

    fn answered(&self, body: &Body, part: &str) -> Result<Value, SourceError> {
        let mut answer: Value = body.json()?;
        if part.is_empty() {
            return Ok(answer);
        }
        let found = answer.get_mut(part).filter(|part| part.is_object()).map(Value::take);
        found.ok_or_else(|| self.odd(&format!("no `{part}` in it")))
    }
}

/// Why it will not be taken, as far as that is known without asking.
pub(crate) fn unfit(operation: &Operation) -> Option<String> {
    match operation {
        Operation::Note { content } if content.trim().is_empty() => Some("the note is empty".into()),
        Operation::Note { content } if content.chars().count() > NOTE => {
            let length = content.chars().count();
            Some(format!("the note has {length} characters, and PagerDuty takes {NOTE} at most"))
        }
        Operation::Snooze { rest } if !(1..=REST).contains(&rest.as_secs()) => {
            Some("PagerDuty lets an incident rest for a second to seven days".into())
        }
        Operation::Priority { priority: None } => {
            Some("PagerDuty's API has no way to take a priority away: do it on the incident's page".into())
        }
        Operation::AddResponder { people, .. } if people.is_empty() => {
            Some("nobody is named who could help".into())
        }
        Operation::AddResponder { message, .. } | Operation::StatusUpdate { message }
            if message.trim().is_empty() =>
        {
            Some("the message is empty".into())
        }
        Operation::Trigger { title, .. } if title.trim().is_empty() => {
            Some("the incident has no title".into())
        }
        Operation::TakeShift { start, end, .. } if start >= end => {
            Some("the shift would end before it begins".into())
        }
        _ => None,
    }
}

/// The one request of a deed; none where PagerDuty has no such thing.
pub(super) fn request(action: &Action, me: &str) -> Option<Change> {
    let id = segment(&action.target.id);
    let incident = |part: &str| format!("incidents/{id}/{part}");
    let put = |key: &str, value: Value| {
        Change::put(
            format!("incidents/{id}"),
            json!({ "incident": { "type": "incident_reference", key: value } }),
        )
    };
    Some(match &action.operation {
        Operation::Acknowledge => put("status", "acknowledged".into()),
        Operation::Resolve => put("status", "resolved".into()),
        Operation::Assign { to } => put("assignments", json!([{ "assignee": reference("user", to) }])),
        Operation::Reroute { policy } => put("escalation_policy", reference("escalation_policy", policy)),
        Operation::Escalate { level } => put("escalation_level", (*level).into()),
        Operation::Priority { priority } => put("priority", reference("priority", priority.as_ref()?)),
        Operation::Snooze { rest } => Change::post(incident("snooze"), json!({ "duration": rest.as_secs() })),
        Operation::Note { content } => {
            Change::post(incident("notes"), json!({ "note": { "content": &**content } }))
        }
        Operation::Merge { into } => {
            let merged = json!([{ "id": &*action.target.id, "type": "incident_reference" }]);
            let path = format!("incidents/{}/merge", segment(&into.id));
            Change::put(path, json!({ "source_incidents": merged }))
        }
        Operation::AddResponder { people, message } => {
            let target =
                |person: &EntityRef| json!({ "responder_request_target": reference("user", person) });
            let targets: Vec<Value> = people.iter().map(target).collect();
            let body =
                json!({ "requester_id": me, "message": &**message, "responder_request_targets": targets });
            Change::post(incident("responder_requests"), body)
        }
        Operation::StatusUpdate { message } => {
            Change::post(incident("status_updates"), json!({ "message": &**message }))
        }
        Operation::Trigger { title, details, urgency, key } => {
            let mut incident = json!({
                "type": "incident",
                "title": &**title,
                "service": { "id": &*action.target.id, "type": "service_reference" },
                "urgency": urgency.word(),
                "incident_key": &**key,
            });
            if let Some(fields) = incident.as_object_mut().filter(|_| !details.trim().is_empty()) {
                fields.insert("body".into(), json!({ "type": "incident_body", "details": &**details }));
            }
            Change::post("incidents", json!({ "incident": incident }))
        }
        Operation::TakeShift { person, start, end } => {
            let one = json!({
                "start": instant(*start), "end": instant(*end), "time_zone": "UTC",
                "user": reference("user", person),
            });
            Change::post(format!("schedules/{id}/overrides"), json!({ "overrides": [one] }))
        }
        Operation::Silence(_) | Operation::Edit { .. } | Operation::Extend { .. } | Operation::Expire => {
            return None;
        }
    })
}

fn reference(kind: &str, whom: &EntityRef) -> Value {
    json!({ "id": &*whom.id, "type": format!("{kind}_reference") })
}
