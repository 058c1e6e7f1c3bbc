//! Operations at PagerDuty. Each operation is one request, sent once, in the name of the user.
//!
//! If somebody else may have changed the target, it is read first. A request without a clear answer is looked for by
//! reading back.

mod judges;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::incidents::instant;
use super::wire::{self, LenientObject, Reference, Word};
use crate::backend::kit::http::{WriteRequest, segment};
use crate::backend::kit::lenient::LenientList;
use crate::backend::kit::time::Rfc3339;
use crate::backend::writes::{
    Check, DONE, Plan, Planning, Precheck, Read, SentTrace, Shape, VerifyStep, Write, kinds, preview,
};
use crate::model::action::{ActionResult, EntityRef, Verification, WriteSupport};
use crate::model::incident::IncidentStatus;
use judges::{conflict, words};

/// The maximum length of a note, in characters.
const NOTE: usize = 2000;
/// The maximum snooze, in seconds: seven days.
const REST: u64 = 604_800;
/// A placeholder for the `From` address in request previews, before the owner of the key is known.
const OWNER_PLACEHOLDER: &str = "<owner of the API key>";
/// Tolerance for the end of a snooze, which PagerDuty stores to the minute.
const SNOOZE_TOLERANCE: SignedDuration = SignedDuration::from_secs(90);
/// Tolerance for the start and the end of an override.
const OVERRIDE_TOLERANCE: SignedDuration = SignedDuration::from_secs(60);
/// The status codes for a request that names a missing object.
const ABSENT: &[u16] = &[400, 404];

/// The supported operations.
pub(super) const SUPPORT: WriteSupport = WriteSupport {
    kinds: &kinds::<{ PLANS.len() }>(PLANS),
    preview: |action, address, cx| preview(PLANS, action, address, cx),
};

impl SentTrace {
    /// Whether this is the acting user; always, if the key may not read users.
    fn is_me(&self, who: &LenientObject<Reference>) -> bool {
        self.cx.actor.as_deref().is_none_or(|me| who.0.as_ref().is_some_and(|who| *who.id.0 == *me))
    }

    fn is_new(&self, at: &Rfc3339) -> bool {
        at.0.is_some_and(|at| at >= self.since())
    }
}

/// A write to an incident; its effect is looked for in the incident.
fn write(planning: Planning<'_>, request: WriteRequest) -> Write<'_> {
    let request = match &planning.cx.signature {
        Some(address) => request.header("from", address),
        None => request,
    };
    Write { part: "incident", ..Write::of(planning, request) }.seen(|_, _| None)
}

impl<'a> Write<'a> {
    /// Reads the incident before, because somebody else may have changed it.
    fn guarded(self) -> Self {
        let planning = self.planning;
        let judge = move |answer: &Value| {
            conflict(planning, &incident(answer)).map_or(Precheck::GoOn, Precheck::Stop)
        };
        self.checked(one(planning), true, judge)
    }

    fn checked(
        self,
        read: Read,
        is_first: bool,
        judge: impl Fn(&Value) -> Precheck + Send + Sync + 'a,
    ) -> Self {
        Self { check: Some(Check { read, is_first, judge: Box::new(judge) }), ..self }
    }

    /// Looks for the effect in the incident; `seen` returns `None` if the incident does not tell.
    fn seen(
        self,
        seen: impl Fn(&wire::Incident, &SentTrace) -> Option<Verification> + Send + Sync + 'a,
    ) -> Self {
        let planning = self.planning;
        let judge = move |answers: &[Value], trace: &SentTrace| seen(&incident(answers.first()?), trace);
        Self { verify: vec![VerifyStep::new(move |_| one(planning), judge)], ..self }
    }

    /// Then looks in the incident's log for entries whose type starts with one of these.
    fn logged(self, kinds: &'static [&'static str]) -> Self {
        self.logged_or(kinds, |_| Verification::NotDone)
    }

    /// The same; without such an entry `otherwise` decides.
    fn logged_or(
        self,
        kinds: &'static [&'static str],
        otherwise: impl Fn(&wire::Incident) -> Verification + Send + Sync + 'a,
    ) -> Self {
        let planning = self.planning;
        let read = move |trace: &SentTrace| {
            let read = Read::of(below(planning, "log_entries"), Shape::Pages(3));
            read.with("since", instant(trace.since())).with("time_zone", "UTC").with("is_overview", "false")
        };
        let judge = move |answers: &[Value], trace: &SentTrace| {
            let is_it = |entry: &wire::LogEntry| {
                kinds.iter().any(|kind| entry.kind.0.starts_with(kind))
                    && trace.is_me(&entry.agent)
                    && trace.is_new(&entry.created_at)
            };
            let is_logged = items(answers).iter().any(is_it);
            Some(if is_logged { DONE } else { otherwise(&incident(answers.first()?)) })
        };
        self.then(VerifyStep::new(read, judge))
    }

    fn then(mut self, step: VerifyStep<'a>) -> Self {
        self.verify.push(step);
        self
    }

    fn missing(self, codes: &'static [u16], what: String) -> Self {
        Self { missing: Some((codes, what)), ..self }
    }

    /// Finds a created object, with its id, in this list.
    fn found<T: DeserializeOwned + 'a>(
        self,
        read: Read,
        id: fn(&T) -> &Word,
        is_it: impl Fn(&T, &SentTrace) -> bool + Send + Sync + 'a,
    ) -> Self {
        let judge = move |answers: &[Value], trace: &SentTrace| {
            let all: Vec<T> = items(answers);
            let found = all.iter().find(|one| is_it(one, trace));
            let done = |one: &T| Verification::Done { id: Some(id(one).0.as_str().into()) };
            Some(found.map_or(Verification::NotDone, done))
        };
        Self { verify: vec![VerifyStep::new(move |_| read.clone(), judge)], ..self }
    }
}

static PLANS: &[Plan] = &[
    Plan::Acknowledge(|planning| {
        let write = write(planning, put(planning, "status", "acknowledged")).guarded();
        let write = write.seen(|incident, trace| {
            let is_mine = |given: &wire::Attribution| trace.is_me(&given.who);
            let is_so = incident.status() == Some(IncidentStatus::Acknowledged);
            (is_so && incident.acknowledgements.all.iter().any(is_mine)).then_some(DONE)
        });
        Ok(write.logged(&["acknowledge"]))
    }),
    Plan::Resolve(|planning| {
        let write = write(planning, put(planning, "status", "resolved")).guarded();
        let seen = |incident: &wire::Incident, _: &SentTrace| {
            (incident.status() == Some(IncidentStatus::Resolved)).then_some(DONE)
        };
        Ok(write.seen(seen).logged(&["resolve"]))
    }),
    Plan::Assign(|planning, to| {
        let request = put(planning, "assignments", json!([{ "assignee": reference("user", to) }]));
        let write = write(planning, request).guarded().missing(ABSENT, deleted("person", to));
        let write = write.seen(|incident, _| {
            let mut has = incident.assignments.all.iter().filter_map(|given| given.who.0.as_ref());
            has.any(|who| *who.id.0 == *to.id).then_some(DONE)
        });
        Ok(write.logged(&["assign", "delegate", "escalate"]))
    }),
    Plan::Reroute(|planning, policy| {
        let request = put(planning, "escalation_policy", reference("escalation_policy", policy));
        let write = write(planning, request).guarded().missing(ABSENT, deleted("policy", policy));
        let write = write.seen(|incident, _| {
            // the incident may have had this policy before
            (!is_it(&incident.escalation_policy, policy)).then_some(Verification::NotDone)
        });
        Ok(write.logged_or(&["assign", "delegate", "escalate"], |_| {
            uncertain(format!("its policy is {}, but not known since when", policy.name))
        }))
    }),
    Plan::Escalate(|planning, level| {
        let write = write(planning, put(planning, "escalation_level", *level)).guarded();
        let missing = format!("the policy may not have a level {level}");
        Ok(write.missing(&[400], missing).logged(&["escalate", "assign"]))
    }),
    Plan::Snooze(|planning, rest| {
        if !(1..=REST).contains(&rest.as_secs()) {
            return Err("PagerDuty snoozes an incident for 1 second to 7 days".into());
        }
        let request = WriteRequest::post(below(planning, "snooze"), json!({ "duration": rest.as_secs() }));
        let write = write(planning, request).guarded().seen(|incident, trace| {
            let until = trace.sent_at.saturating_add(*rest).unwrap_or(Timestamp::MAX);
            let is_it = |pending: &wire::PendingAction| {
                pending.kind.0 == "unacknowledge" && is_near(&pending.at, until, SNOOZE_TOLERANCE)
            };
            incident.pending_actions.all.iter().any(is_it).then_some(DONE)
        });
        Ok(write.logged(&["snooze"]))
    }),
    Plan::Note(|planning, content| {
        let length = content.chars().count();
        if length > NOTE {
            return Err(format!("the note has {length} characters, and PagerDuty takes {NOTE} at most"));
        }
        let body = json!({ "note": { "content": said("note", content)? } });
        let write = write(planning, WriteRequest::post(below(planning, "notes"), body));
        let notes = VerifyStep::new(
            move |_| Read::of(below(planning, "notes"), Shape::List),
            |answers, trace| {
                let is_it = |note: &wire::Note| {
                    note.content.0.trim() == content.trim()
                        && trace.is_me(&note.user)
                        && trace.is_new(&note.created_at)
                };
                Some(is_done(items(answers).iter().any(is_it)))
            },
        );
        Ok(Write { part: "note", ..write.then(notes) })
    }),
    Plan::Priority(|planning, priority| {
        let Some(priority) = priority else {
            let why = "PagerDuty's API has no way to take a priority away: do it on the incident's page";
            return Err(why.into());
        };
        let write = write(planning, put(planning, "priority", reference("priority", priority)));
        let write = write.missing(ABSENT, deleted("priority", priority));
        Ok(write.seen(|incident, _| Some(is_done(is_it(&incident.priority, priority)))))
    }),
    Plan::Merge(|planning, into| {
        let merged = json!([{ "id": planning.id(), "type": "incident_reference" }]);
        let path = format!("incidents/{}/merge", segment(&into.id));
        let write = write(planning, WriteRequest::put(path, json!({ "source_incidents": merged })));
        let missing = format!("{} may be over, or have no alerts that could be merged", into.name);
        let write = write.guarded().missing(ABSENT, missing);
        Ok(write.logged_or(&["merge"], |incident| {
            if incident.status() != Some(IncidentStatus::Resolved) {
                return Verification::NotDone;
            }
            let how = words(incident, IncidentStatus::Resolved);
            uncertain(format!("it is {how}, but it is unknown by which action"))
        }))
    }),
    Plan::AddResponder(|planning, people, message| {
        if people.is_empty() {
            return Err("nobody is named who could help".into());
        }
        let target = |person: &EntityRef| json!({ "responder_request_target": reference("user", person) });
        let targets: Vec<Value> = people.iter().map(target).collect();
        let me = planning.cx.actor.as_deref().unwrap_or(OWNER_PLACEHOLDER);
        let body = json!({
            "requester_id": me, "message": said("message", message)?, "responder_request_targets": targets
        });
        let names: Vec<&str> = people.iter().map(|person| &*person.name).collect();
        let mut write = write(planning, WriteRequest::post(below(planning, "responder_requests"), body));
        // PagerDuty takes the requester from the body, not from `From`
        write.request.headers.clear();
        let write = write.missing(ABSENT, format!("one of {} may have been deleted", names.join(", ")));
        let write = write.seen(|incident, trace| {
            let is_it = |request: &wire::ResponderRequest| {
                request.message.0.trim() == message.trim()
                    && trace.is_me(&request.requester)
                    && trace.is_new(&request.requested_at)
            };
            Some(is_done(incident.responder_requests.all.iter().any(is_it)))
        });
        Ok(Write { part: "responder_request", ..write })
    }),
    Plan::StatusUpdate(|planning, message| {
        let body = json!({ "message": said("message", message)? });
        let write = write(planning, WriteRequest::post(below(planning, "status_updates"), body));
        let write = write.logged_or(&["status_update"], |_| {
            uncertain("PagerDuty does not list status updates: look at the incident's page".to_owned())
        });
        Ok(Write { part: "status_update", ..write })
    }),
    Plan::Trigger(|planning, title, details, urgency, key| {
        let mut incident = json!({
            "type": "incident",
            "title": said("title", title)?,
            "service": { "id": planning.id(), "type": "service_reference" },
            "urgency": urgency.word(),
            "incident_key": &**key,
        });
        if let Some(fields) = incident.as_object_mut().filter(|_| !details.trim().is_empty()) {
            fields.insert("body".into(), json!({ "type": "incident_body", "details": &**details }));
        }
        let write = write(planning, WriteRequest::post("incidents", json!({ "incident": incident })));
        let write = write.missing(ABSENT, "the service may have been deleted or disabled".into());
        let has_key = |known: &wire::Incident| *known.key.0 == **key;
        let is_open =
            |known: &wire::Incident| known.status().is_some_and(|status| status != IncidentStatus::Resolved);
        let with_key = Read::of("incidents", Shape::List).with("incident_key", &**key);
        let with_key = with_key.with("date_range", "all").with("sort_by", "created_at:desc");
        let write = write.checked(with_key.clone(), false, move |answer| {
            let known: Vec<wire::Incident> = items(std::slice::from_ref(answer));
            let open = known.iter().find(|known| has_key(known) && is_open(known));
            let already = |open: &wire::Incident| ActionResult::Already {
                words: format!("it is open as #{}", open.number.0).into(),
            };
            open.map(already).map_or(Precheck::GoOn, Precheck::Stop)
        });
        Ok(write.found::<wire::Incident>(
            with_key,
            |known| &known.id,
            move |known, trace| {
                has_key(known) && (is_open(known) || known.created_at.0.is_some_and(|at| at >= trace.since()))
            },
        ))
    }),
    Plan::TakeShift(|planning, person, start, end| {
        if start >= end {
            return Err("the shift would end before it begins".into());
        }
        let one = json!({
            "start": instant(*start), "end": instant(*end), "time_zone": "UTC",
            "user": reference("user", person),
        });
        let path = format!("schedules/{}/overrides", segment(planning.id()));
        let list = Read::of(path.as_str(), Shape::List)
            .with("since", instant(*start))
            .with("until", instant(*end))
            .with("overflow", "true");
        let write = Write::of(planning, WriteRequest::post(path, json!({ "overrides": [one] })));
        let write = write.missing(ABSENT, format!("{}, or the schedule", deleted("person", person)));
        Ok(write.found::<wire::Override>(
            list,
            |made| &made.id,
            |made, _| {
                is_it(&made.turn.user, person)
                    && is_near(&made.turn.start, *start, OVERRIDE_TOLERANCE)
                    && is_near(&made.turn.end, *end, OVERRIDE_TOLERANCE)
            },
        ))
    }),
];

/// The text; an error if it is blank.
fn said<'a>(name: &str, text: &'a str) -> Result<&'a str, String> {
    if text.trim().is_empty() { Err(format!("the {name} is empty")) } else { Ok(text) }
}

fn deleted(kind: &str, entity: &EntityRef) -> String {
    format!("the {kind} {} may have been deleted", entity.name)
}

fn is_done(is_it: bool) -> Verification {
    if is_it { DONE } else { Verification::NotDone }
}

fn uncertain(words: String) -> Verification {
    Verification::Unknown { words: words.into() }
}

fn is_it(thing: &LenientObject<Reference>, entity: &EntityRef) -> bool {
    thing.0.as_ref().is_some_and(|thing| *thing.id.0 == *entity.id)
}

fn is_near(at: &Rfc3339, wanted: Timestamp, tolerance: SignedDuration) -> bool {
    at.0.is_some_and(|at| at.duration_since(wanted).abs() < tolerance)
}

/// The incident in an answer.
fn incident(answer: &Value) -> wire::Incident {
    wire::Incident::deserialize(answer).unwrap_or_default()
}

/// The items of the last answer, which is a list.
fn items<T: DeserializeOwned>(answers: &[Value]) -> Vec<T> {
    answers.last().and_then(|list| LenientList::deserialize(list).ok()).unwrap_or_default().all
}

fn one(planning: Planning<'_>) -> Read {
    Read::of(format!("incidents/{}", segment(planning.id())), Shape::Object)
}

fn below(planning: Planning<'_>, part: &str) -> String {
    format!("{}/{part}", one(planning).path)
}

fn put(planning: Planning<'_>, key: &str, value: impl Into<Value>) -> WriteRequest {
    let value: Value = value.into();
    WriteRequest::put(one(planning).path, json!({ "incident": { "type": "incident_reference", key: value } }))
}

fn reference(kind: &str, entity: &EntityRef) -> Value {
    json!({ "id": &*entity.id, "type": format!("{kind}_reference") })
}
