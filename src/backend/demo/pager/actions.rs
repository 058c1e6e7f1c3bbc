//! The write requests of the simulated PagerDuty.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

use super::{PagerAnswer, PagerServer, render};
use crate::backend::demo::actions_done::IncidentAction;
use crate::backend::demo::exchange::ParsedRequest;
use crate::backend::demo::noise::mix_text;
use crate::backend::demo::paging::TakenShift;
use crate::model::action::{EntityRef, Operation};
use crate::model::incident::{Incident, Urgency};
use crate::model::labels::Text;

/// The maximum snooze, in seconds.
const REST: u64 = 604_800;

type RefusedAction = (u16, &'static str);

const INVALID: RefusedAction = (400, "Invalid Input Provided");
const RESOLVED: RefusedAction = (400, "Incident Already Resolved");

impl PagerServer {
    pub(super) fn write(&self, asked: &ParsedRequest, now: Timestamp) -> PagerAnswer {
        let body = &asked.body;
        if body.is_null() {
            return Err((415, "Unsupported Media Type"));
        }
        let path = asked.path();
        // help is asked for in the name of `requester_id`, and overrides are in nobody's name
        if !matches!(path.as_slice(), ["incidents", _, "responder_requests"] | ["schedules", _, "overrides"])
        {
            self.actor(asked)?;
        }
        match (&asked.method, path.as_slice()) {
            (&Method::POST, ["incidents"]) => self.open(at(body, "/incident"), now),
            (&Method::PUT, ["incidents", id]) => {
                for operation in self.changes(at(body, "/incident"))? {
                    // a resolved incident can still get a priority
                    let may_be_over = matches!(operation, Operation::Priority { .. });
                    self.note(id, operation, may_be_over, now)?;
                }
                self.incident_answer(200, id, now)
            }
            (&Method::PUT, ["incidents", id, "merge"]) => {
                let into = self.one(id, now)?.incident;
                if !into.is_open() {
                    return Err(RESOLVED);
                }
                let into = numbered(&into);
                for merged in list(body, "/source_incidents") {
                    self.note(text(merged, "/id"), Operation::Merge { into: into.clone() }, false, now)?;
                }
                self.incident_answer(200, id, now)
            }
            (&Method::POST, ["incidents", id, "snooze"]) => {
                let seconds = at(body, "/duration").as_u64().filter(|seconds| (1..=REST).contains(seconds));
                let rest = Duration::from_secs(seconds.ok_or(INVALID)?);
                self.note(id, Operation::Snooze { rest }, false, now)?;
                self.incident_answer(201, id, now)
            }
            (&Method::POST, ["incidents", id, "notes"]) => {
                let content: Text = text(body, "/note/content").into();
                self.note(id, Operation::Note { content }, true, now)?;
                let notes = self.one(id, now)?.notes;
                let made = notes.last().map(|note| render::note(note, &self.world.paging));
                Ok((200, json!({ "note": made })))
            }
            (&Method::POST, ["incidents", id, "responder_requests"]) => {
                let requester =
                    self.person(text(body, "/requester_id")).ok_or((400, "Requester User Not Found"))?;
                let targets = list(body, "/responder_request_targets");
                let people = targets.map(|target| self.person(text(target, "/responder_request_target/id")));
                let people: Vec<EntityRef> = people.collect::<Option<_>>().ok_or((404, "Not Found"))?;
                let message: Text = text(body, "/message").into();
                let made = json!({ "requester": { "id": &*requester.id, "type": "user_reference" },
                    "requested_at": now.to_string(), "message": &*message });
                self.note(id, Operation::AddResponder { people, message }, true, now)?;
                Ok((200, json!({ "responder_request": made })))
            }
            (&Method::POST, ["incidents", id, "status_updates"]) => {
                let message: Text = text(body, "/message").into();
                let made = json!({ "id": format!("S{}", now.as_millisecond()), "message": &*message });
                self.note(id, Operation::StatusUpdate { message }, true, now)?;
                Ok((200, json!({ "status_update": made })))
            }
            (&Method::POST, ["schedules", id, "overrides"]) => self.stand_in(id, body, now),
            _ => Err((404, "Not Found")),
        }
    }

    /// The acting user must be a user of the account.
    fn actor(&self, asked: &ParsedRequest) -> Result<(), RefusedAction> {
        let from = asked.header("from").ok_or((400, "Requester From header is required"))?;
        let mut people = self.world.paging.people();
        let is_known = people.any(|person| person.email.as_deref() == Some(from));
        if is_known { Ok(()) } else { Err((400, "Requester User Not Found")) }
    }

    fn person(&self, id: &str) -> Option<EntityRef> {
        self.world.paging.people().find(|person| *person.id == *id).map(|person| EntityRef::from(&person))
    }

    /// The JSON keys of an incident update.
    fn changes(&self, wanted: &Value) -> Result<Vec<Operation>, RefusedAction> {
        let mut operations = Vec::new();
        match text(wanted, "/status") {
            "acknowledged" => operations.push(Operation::Acknowledge),
            "resolved" => operations.push(Operation::Resolve),
            "" => {}
            _ => return Err(INVALID),
        }
        for assignment in list(wanted, "/assignments") {
            let to = self.person(text(assignment, "/assignee/id")).ok_or(INVALID)?;
            operations.push(Operation::Assign { to });
        }
        let policies = self.world.paging.policies(&self.world.fixtures.services);
        if let Some(id) = wanted.pointer("/escalation_policy/id").and_then(Value::as_str) {
            let policy = policies.iter().find(|policy| *policy.named.id == *id).ok_or(INVALID)?;
            operations.push(Operation::Reroute { policy: EntityRef::from(&policy.named) });
        }
        if let Some(level) = wanted.get("escalation_level").and_then(Value::as_u64) {
            let most = policies.iter().map(|policy| policy.levels.len()).max().unwrap_or(0);
            let level = u32::try_from(level).ok().filter(|level| (1..=most).contains(&(*level as usize)));
            operations.push(Operation::Escalate { level: level.ok_or(INVALID)? });
        }
        if let Some(id) = wanted.pointer("/priority/id").and_then(Value::as_str) {
            let priority = super::priorities().find(|priority| *priority.id == *id).ok_or(INVALID)?;
            operations.push(Operation::Priority { priority: Some(EntityRef::from(&priority)) });
        }
        if operations.is_empty() { Err(INVALID) } else { Ok(operations) }
    }

    /// Records an operation on an incident.
    fn note(
        &self,
        id: &str,
        operation: Operation,
        may_be_over: bool,
        now: Timestamp,
    ) -> Result<(), RefusedAction> {
        let incident = self.one(id, now)?.incident;
        if !incident.is_open() && !may_be_over {
            return Err(RESOLVED);
        }
        let target = numbered(&incident);
        let was_taken = !incident.acknowledged.is_empty();
        self.done().log.push(IncidentAction { at: now, operation, id: incident.id, target, was_taken });
        Ok(())
    }

    fn open(&self, wanted: &Value, now: Timestamp) -> PagerAnswer {
        let service = text(wanted, "/service/id");
        let mut services = self.world.fixtures.services.iter();
        let service = services.find(|known| known.name == service).ok_or((404, "Service Not Found"))?;
        let key: Text = text(wanted, "/incident_key").into();
        let title: Text = text(wanted, "/title").into();
        if title.trim().is_empty() {
            return Err(INVALID);
        }
        let is_same = |known: &super::IncidentWithActions| {
            known.incident.is_open() && known.incident.key.as_ref() == Some(&key)
        };
        if !key.is_empty() && self.all(now).iter().any(is_same) {
            return Err((400, "Open incident with matching dedup key already exists on this service"));
        }
        let id: Text = format!("Q{:012X}", mix_text(now.as_millisecond().cast_unsigned(), &key) >> 16).into();
        let urgency = if text(wanted, "/urgency") == "low" { Urgency::Low } else { Urgency::High };
        let operation =
            Operation::Trigger { title, details: text(wanted, "/body/details").into(), urgency, key };
        let name: Text = service.name.as_str().into();
        let target = EntityRef { id: Text::clone(&name), name };
        self.done().log.push(IncidentAction {
            at: now,
            operation,
            id: Text::clone(&id),
            target,
            was_taken: false,
        });
        self.incident_answer(201, &id, now)
    }

    /// Creates overrides of a schedule; the answer has a status for each.
    fn stand_in(&self, id: &str, body: &Value, now: Timestamp) -> PagerAnswer {
        let paging = &self.world.paging;
        if !paging.has_rotation(id) {
            return Err((404, "Schedule Not Found"));
        }
        let mut all = Vec::new();
        for wanted in list(body, "/overrides") {
            let person = paging.people().find(|person| *person.id == *text(wanted, "/user/id"));
            let moment = |key: &str| text(wanted, key).parse::<Timestamp>().ok();
            let (Some(person), Some(start), Some(end)) = (person, moment("/start"), moment("/end")) else {
                all.push(
                    json!({ "status": 400, "errors": ["Override must have a valid user, start and end"] }),
                );
                continue;
            };
            let taken = TakenShift { rotation: id.into(), person, start, end, made_at: now };
            all.push(json!({ "status": 201, "override": render::taken_shifts(&taken) }));
            self.done().taken_shifts.push(taken);
        }
        Ok((201, Value::Array(all)))
    }
}

/// A reference to an incident by its number.
fn numbered(incident: &Incident) -> EntityRef {
    EntityRef { id: Text::clone(&incident.id), name: format!("#{}", incident.number).into() }
}

const NOTHING: &Value = &Value::Null;

fn at<'a>(body: &'a Value, pointer: &str) -> &'a Value {
    body.pointer(pointer).unwrap_or(NOTHING)
}

fn text<'a>(body: &'a Value, pointer: &str) -> &'a str {
    at(body, pointer).as_str().unwrap_or_default()
}

fn list<'a>(body: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> {
    at(body, pointer).as_array().into_iter().flatten()
}
