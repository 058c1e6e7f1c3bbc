//! Operations at PagerDuty. Each operation is one request, sent once, in the name of the user.
//!
//! If somebody else may have changed the target, it is read first. A request without a clear answer is looked for by
//! reading back.

mod judges;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::incidents::instant;
use super::wire::{self, LenientObject, Reference};
use crate::backend::kit::http::{WriteRequest, segment};
use crate::backend::kit::time::Rfc3339;
use crate::backend::writes::{Plan, Planning, Read, Shape, Write, kinds, preview};
use crate::model::action::{EntityRef, Verification, WriteSupport};
use crate::model::incident::IncidentStatus;
use crate::model::labels::Text;
use judges::words;

/// The maximum length of a note, in characters.
const NOTE: usize = 2000;
/// The maximum snooze, in seconds: seven days.
const REST: u64 = 604_800;
/// A placeholder for the `From` address in request previews, before the owner of the key is known.
const OWNER_PLACEHOLDER: &str = "<owner of the API key>";
/// Tolerance for the end of a snooze, which PagerDuty stores to the minute.
const SNOOZE_TOLERANCE: SignedDuration = SignedDuration::from_secs(90);

/// The supported operations.
pub(super) const SUPPORT: WriteSupport = WriteSupport {
    kinds: &kinds(&PLANS),
    preview: |action, address, cx| preview(&PLANS, action, address, cx),
};

/// The acting user and the time, to find an action when it is read back.
pub(in crate::backend) struct Trace {
    /// The user's id; `None` if the key may not read users: then entries of every user count.
    me: Option<Text>,
    sent_at: Timestamp,
    /// The earliest time of matching entries, by the server's clock, with some tolerance.
    since: Timestamp,
}

impl Trace {
    fn is_user(&self, who: &LenientObject<Reference>) -> bool {
        match (&self.me, &who.0) {
            (None, _) => true,
            (Some(me), Some(who)) => *who.id.0 == **me,
            (Some(_), None) => false,
        }
    }

    fn is_new(&self, at: &Rfc3339) -> bool {
        at.0.is_some_and(|at| at >= self.since)
    }
}

/// Whether an incident shows that an operation was executed; `None` if it does not tell.
type Seen = Box<dyn Fn(&wire::Incident, &Trace) -> Option<Verification> + Send + Sync>;

/// How the answers of an operation are evaluated.
pub(in crate::backend) struct Judge {
    /// The key of the object in the answer; empty: the answer is a list of overrides.
    part: &'static str,
    /// The expected status of the incident.
    state: Option<IncidentStatus>,
    /// Whether somebody else may change the same field at the same time, so that the incident is read first.
    is_guarded: bool,
    /// The person to assign; if that person already is the only assignee, nothing is sent.
    is_given_to: Option<EntityRef>,
    /// The status codes that mean a missing object, and the text for that.
    missing: Option<(&'static [u16], String)>,
    seen: Seen,
    then: EffectCheck,
}

/// Where to look for the effect of the operation, if the incident does not show it.
enum EffectCheck {
    /// The incident's log: entries whose type starts with one of these; without such an entry the function decides.
    Log(&'static [&'static str], Box<dyn Fn(&wire::Incident) -> Verification + Send + Sync>),
    /// The incident's notes: one with this text.
    Notes(Text),
    /// The incidents with this deduplication key.
    Key(Text),
    /// The overrides of the schedule: one of this person with this start and end.
    Override(EntityRef, Timestamp, Timestamp),
}

const DONE: Verification = Verification::Done { id: None };

/// A write to an incident.
fn write(planning: Planning<'_>, request: WriteRequest) -> Write<Judge> {
    let judge = Judge {
        part: "incident",
        state: None,
        is_guarded: false,
        is_given_to: None,
        missing: None,
        seen: Box::new(|_, _| None),
        then: EffectCheck::Log(&[], Box::new(|_| Verification::NotDone)),
    };
    let request = match &planning.cx.signature {
        Some(address) => request.header("from", address),
        None => request,
    };
    Write { precheck: None, request, verify: one(&planning.target.id), judge }
}

impl Write<Judge> {
    fn guarded(self, planning: Planning<'_>) -> Self {
        let write = Self { precheck: Some(one(&planning.target.id)), ..self };
        write.judged(|judge| Judge { is_guarded: true, ..judge })
    }

    fn judged(self, change: impl FnOnce(Judge) -> Judge) -> Self {
        Self { judge: change(self.judge), ..self }
    }

    fn seen(
        self,
        seen: impl Fn(&wire::Incident, &Trace) -> Option<Verification> + Send + Sync + 'static,
    ) -> Self {
        self.judged(|judge| Judge { seen: Box::new(seen), ..judge })
    }

    /// Looks in the incident's log for entries whose type starts with one of these.
    fn logged(self, kinds: &'static [&'static str]) -> Self {
        self.logged_or(kinds, |_| Verification::NotDone)
    }

    fn logged_or(
        self,
        kinds: &'static [&'static str],
        otherwise: impl Fn(&wire::Incident) -> Verification + Send + Sync + 'static,
    ) -> Self {
        self.judged(|judge| Judge { then: EffectCheck::Log(kinds, Box::new(otherwise)), ..judge })
    }

    fn missing(self, codes: &'static [u16], what: String) -> Self {
        self.judged(|judge| Judge { missing: Some((codes, what)), ..judge })
    }

    fn leading_to(self, planning: Planning<'_>, state: IncidentStatus) -> Self {
        self.guarded(planning).judged(|judge| Judge { state: Some(state), ..judge })
    }
}

/// The status codes for a request that names a missing object.
const ABSENT: &[u16] = &[400, 404];

fn deleted(kind: &str, entity: &EntityRef) -> String {
    format!("the {kind} {} may have been deleted", entity.name)
}

fn is_done(is_it: bool) -> Verification {
    if is_it { DONE } else { Verification::NotDone }
}

static PLANS: [Plan<Judge>; 13] = [
    Plan::Acknowledge(|planning| {
        let request = put(planning, "status", "acknowledged");
        let write = write(planning, request).leading_to(planning, IncidentStatus::Acknowledged);
        Ok(write.logged(&["acknowledge"]).seen(|incident, trace| {
            let mine = |given: &wire::Acknowledgement| trace.is_user(&given.acknowledger);
            let is_so = status(incident) == Some(IncidentStatus::Acknowledged);
            (is_so && incident.acknowledgements.all.iter().any(mine)).then_some(DONE)
        }))
    }),
    Plan::Resolve(|planning| {
        let request = put(planning, "status", "resolved");
        let write = write(planning, request).leading_to(planning, IncidentStatus::Resolved);
        Ok(write
            .logged(&["resolve"])
            .seen(|incident, _| (status(incident) == Some(IncidentStatus::Resolved)).then_some(DONE)))
    }),
    Plan::Assign(|planning, to| {
        let request = put(planning, "assignments", json!([{ "assignee": reference("user", to) }]));
        let write = write(planning, request).guarded(planning).missing(ABSENT, deleted("person", to));
        let write = write.judged(|judge| Judge { is_given_to: Some(to.clone()), ..judge });
        let to = to.clone();
        Ok(write.logged(&["assign", "delegate", "escalate"]).seen(move |incident, _| {
            let mut has = incident.assignments.all.iter().filter_map(|given| given.assignee.0.as_ref());
            has.any(|who| *who.id.0 == *to.id).then_some(DONE)
        }))
    }),
    Plan::Reroute(|planning, policy| {
        let request = put(planning, "escalation_policy", reference("escalation_policy", policy));
        let write = write(planning, request).guarded(planning).missing(ABSENT, deleted("policy", policy));
        let is_uncertain = format!("its policy is {}, but not known since when", policy.name);
        let id = Text::clone(&policy.id);
        let write = write.logged_or(&["assign", "delegate", "escalate"], move |_| Verification::Unknown {
            words: is_uncertain.as_str().into(),
        });
        Ok(write.seen(move |incident, _| {
            // the incident may have had this status before
            let is_it = incident.escalation_policy.0.as_ref().is_some_and(|its| *its.id.0 == *id);
            (!is_it).then_some(Verification::NotDone)
        }))
    }),
    Plan::Escalate(|planning, level| {
        let write = write(planning, put(planning, "escalation_level", *level)).guarded(planning);
        let missing = format!("the policy may not have a level {level}");
        Ok(write.missing(&[400], missing).logged(&["escalate", "assign"]))
    }),
    Plan::Snooze(|planning, rest| {
        if !(1..=REST).contains(&rest.as_secs()) {
            return Err("PagerDuty snoozes an incident for 1 second to 7 days".into());
        }
        let request = WriteRequest::post(below(planning, "snooze"), json!({ "duration": rest.as_secs() }));
        let rest = SignedDuration::try_from(*rest).unwrap_or(SignedDuration::MAX);
        let write = write(planning, request).guarded(planning).logged(&["snooze"]);
        Ok(write.seen(move |incident, trace| {
            let until = trace.sent_at.saturating_add(rest).unwrap_or(Timestamp::MAX);
            let is_it = |pending: &wire::PendingAction| {
                pending.kind.0 == "unacknowledge"
                    && pending.at.0.is_some_and(|at| at.duration_since(until).abs() < SNOOZE_TOLERANCE)
            };
            incident.pending_actions.all.iter().any(is_it).then_some(DONE)
        }))
    }),
    Plan::Note(|planning, content| {
        let length = content.chars().count();
        if content.trim().is_empty() {
            return Err("the note is empty".into());
        }
        if length > NOTE {
            return Err(format!("the note has {length} characters, and PagerDuty takes {NOTE} at most"));
        }
        let body = json!({ "note": { "content": &**content } });
        let write = write(planning, WriteRequest::post(below(planning, "notes"), body));
        let then = EffectCheck::Notes(Text::clone(content));
        Ok(write.judged(|judge| Judge { part: "note", then, ..judge }))
    }),
    Plan::Priority(|planning, priority| {
        let Some(priority) = priority else {
            let why = "PagerDuty's API has no way to take a priority away: do it on the incident's page";
            return Err(why.into());
        };
        let write = write(planning, put(planning, "priority", reference("priority", priority)));
        let write = write.missing(ABSENT, deleted("priority", priority));
        let id = Text::clone(&priority.id);
        Ok(write.seen(move |incident, _| {
            Some(is_done(incident.priority.0.as_ref().is_some_and(|its| *its.id.0 == *id)))
        }))
    }),
    Plan::Merge(|planning, into| {
        let merged = json!([{ "id": &*planning.target.id, "type": "incident_reference" }]);
        let path = format!("incidents/{}/merge", segment(&into.id));
        let write = write(planning, WriteRequest::put(path, json!({ "source_incidents": merged })));
        let missing = format!("{} may be over, or have no alerts that could be merged", into.name);
        Ok(write.guarded(planning).missing(ABSENT, missing).logged_or(&["merge"], |incident| {
            if status(incident) != Some(IncidentStatus::Resolved) {
                return Verification::NotDone;
            }
            let how = words(incident, IncidentStatus::Resolved);
            Verification::Unknown { words: format!("it is {how}, but it is unknown by which action").into() }
        }))
    }),
    Plan::AddResponder(|planning, people, message| {
        if people.is_empty() {
            return Err("nobody is named who could help".into());
        }
        said(message)?;
        let target = |person: &EntityRef| json!({ "responder_request_target": reference("user", person) });
        let targets: Vec<Value> = people.iter().map(target).collect();
        let me = planning.cx.actor.as_deref().unwrap_or(OWNER_PLACEHOLDER);
        let body = json!({
            "requester_id": me, "message": &**message, "responder_request_targets": targets
        });
        let names: Vec<&str> = people.iter().map(|person| &*person.name).collect();
        let missing = format!("one of {} may have been deleted", names.join(", "));
        let mut write = write(planning, WriteRequest::post(below(planning, "responder_requests"), body));
        // PagerDuty takes the requester from the body, not from `From`
        write.request.headers.clear();
        let write = write.missing(ABSENT, missing);
        let write = write.judged(|judge| Judge { part: "responder_request", ..judge });
        let message = Text::clone(message);
        Ok(write.seen(move |incident, trace| {
            let is_it = |request: &wire::ResponderRequest| {
                request.message.0.trim() == message.trim()
                    && trace.is_user(&request.requester)
                    && trace.is_new(&request.requested_at)
            };
            Some(is_done(incident.responder_requests.all.iter().any(is_it)))
        }))
    }),
    Plan::StatusUpdate(|planning, message| {
        said(message)?;
        let body = json!({ "message": &**message });
        let write = write(planning, WriteRequest::post(below(planning, "status_updates"), body));
        let write = write.judged(|judge| Judge { part: "status_update", ..judge });
        Ok(write.logged_or(&["status_update"], |_| Verification::Unknown {
            words: "PagerDuty does not list status updates: look at the incident's page".into(),
        }))
    }),
    Plan::Trigger(|planning, title, details, urgency, key| {
        if title.trim().is_empty() {
            return Err("the incident has no title".into());
        }
        let mut incident = json!({
            "type": "incident",
            "title": &**title,
            "service": { "id": &*planning.target.id, "type": "service_reference" },
            "urgency": urgency.word(),
            "incident_key": &**key,
        });
        if let Some(fields) = incident.as_object_mut().filter(|_| !details.trim().is_empty()) {
            fields.insert("body".into(), json!({ "type": "incident_body", "details": &**details }));
        }
        let write = write(planning, WriteRequest::post("incidents", json!({ "incident": incident })));
        let write = write.missing(ABSENT, "the service may have been deleted or disabled".into());
        let then = EffectCheck::Key(Text::clone(key));
        Ok(Write { verify: with_key(key), ..write.judged(|judge| Judge { then, ..judge }) })
    }),
    Plan::TakeShift(|planning, person, start, end| {
        if start >= end {
            return Err("the shift would end before it begins".into());
        }
        let one = json!({
            "start": instant(*start), "end": instant(*end), "time_zone": "UTC",
            "user": reference("user", person),
        });
        let path = format!("schedules/{}/overrides", segment(&planning.target.id));
        let verify = Read::of(path.as_str(), Shape::List)
            .with("since", instant(*start))
            .with("until", instant(*end))
            .with("overflow", "true");
        let mut write = write(planning, WriteRequest::post(path, json!({ "overrides": [one] })));
        write.request.headers.clear();
        let write = write.missing(ABSENT, format!("{}, or the schedule", deleted("person", person)));
        let then = EffectCheck::Override(person.clone(), *start, *end);
        Ok(Write { verify, ..write.judged(|judge| Judge { part: "", then, ..judge }) })
    }),
];

fn said(message: &str) -> Result<(), String> {
    if message.trim().is_empty() { Err("the message is empty".into()) } else { Ok(()) }
}

fn one(id: &str) -> Read {
    Read::of(format!("incidents/{}", segment(id)), Shape::Object)
}

/// The incidents with this deduplication key, newest first.
fn with_key(key: &str) -> Read {
    let read = Read::of("incidents", Shape::List).with("incident_key", key);
    read.with("date_range", "all").with("sort_by", "created_at:desc")
}

fn below(planning: Planning<'_>, part: &str) -> String {
    format!("incidents/{}/{part}", segment(&planning.target.id))
}

fn put(planning: Planning<'_>, key: &str, value: impl Into<Value>) -> WriteRequest {
    let value: Value = value.into();
    let path = format!("incidents/{}", segment(&planning.target.id));
    WriteRequest::put(path, json!({ "incident": { "type": "incident_reference", key: value } }))
}

fn reference(kind: &str, entity: &EntityRef) -> Value {
    json!({ "id": &*entity.id, "type": format!("{kind}_reference") })
}

fn status(incident: &wire::Incident) -> Option<IncidentStatus> {
    IncidentStatus::ALL.into_iter().find(|status| status.word() == incident.status.0)
}
