//! The simulated Alertmanager: the firing alerts of all regions, and the silences of the scenario and of the user.

use std::collections::BTreeMap;
use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, Request};
use serde_json::{Value, json};

use super::exchange::{self, ParsedRequest, VERSION};
use super::noise::mix_text;
use super::prometheus::pairs;
use super::world::DemoWorld;
use crate::backend::alertmanager::wire_matcher;
use crate::backend::{Clock, LocalServer, Receiving};
use crate::model::alert::{Alert, AlertState};
use crate::model::labels::{Labels, Text};
use crate::model::matcher::{Matcher, Operator};
use crate::model::silence::{Silence, SilenceState, refusal};
use crate::model::source::SourceId;

/// The time after which an alert expires unless it is sent again.
const LASTS: SignedDuration = SignedDuration::from_mins(4);

pub(super) struct AlertmanagerServer {
    world: Arc<DemoWorld>,
    clock: Clock,
    /// Silences that were created, changed or expired by the user; they replace those of the scenario with the same id.
    own: Mutex<Vec<Silence>>,
}

/// The HTTP status and the body of a response.
type StatusBody = (u16, Value);

impl LocalServer for AlertmanagerServer {
    fn answer(&self, request: Request) -> Receiving<'_> {
        let now = self.clock.now();
        let (status, body) = self.respond(&ParsedRequest::of(&request), now);
        Box::pin(ready(Ok(exchange::answer(status, &body, now))))
    }
}

impl AlertmanagerServer {
    pub(super) fn new(world: Arc<DemoWorld>, clock: Clock) -> Self {
        Self { world, clock, own: Mutex::default() }
    }

    /// The response to one request.
    fn respond(&self, asked: &ParsedRequest, now: Timestamp) -> StatusBody {
        let path = asked.path();
        let Some(["api", "v2", what @ ..]) = path.get(..) else { return (404, "404 page not found".into()) };
        match (&asked.method, what) {
            (&Method::GET, ["status"]) => (200, self.status()),
            (&Method::GET, ["receivers"]) => {
                let names: std::collections::BTreeSet<&String> =
                    self.world.fixtures.rules.receivers.values().flatten().collect();
                (200, names.into_iter().map(|name| json!({ "name": name })).collect())
            }
            (&Method::GET, ["alerts", "groups"]) => (200, self.groups(now)),
            (&Method::GET, ["silences"]) => (200, self.silences(now).iter().map(silence).collect()),
            (&Method::POST, ["silences"]) => self.post(&asked.body, now),
            (&Method::GET, ["silence", id]) => {
                self.find(id, now).map_or(NOT_FOUND, |found| (200, silence(&found)))
            }
            (&Method::DELETE, ["silence", id]) => match self.find(id, now) {
                Some(found) => {
                    if found.state != SilenceState::Expired {
                        self.put(Silence { ends_at: now, updated_at: Some(now), ..found });
                    }
                    (200, Value::Null)
                }
                None => NOT_FOUND,
            },
            _ => (404, json!({ "code": 404, "message": format!("path {} was not found", path.join("/")) })),
        }
    }

    fn status(&self) -> Value {
        let since = self.world.time.wall_time(0.0).to_string();
        json!({
            "cluster": { "status": "ready", "name": "demo", "peers": [{ "name": "demo", "address": "alertmanager.demo" }] },
            "versionInfo": { "version": VERSION, "revision": "demo", "branch": "demo", "buildUser": "",
                "buildDate": "", "goVersion": "none" },
            "config": { "original": "" },
            "uptime": since,
        })
    }

    /// All alerts, grouped by team, service and receiver.
    fn groups(&self, now: Timestamp) -> Value {
        let alerts =
            self.world.alertmanager_alerts(self.world.time.demo(now), &source(), &self.silences(now));
        let mut groups: BTreeMap<(&Labels, &Text), Vec<Value>> = BTreeMap::new();
        for one in &alerts {
            for receiver in one.receivers.iter() {
                groups.entry((&one.group, receiver)).or_default().push(alert(one, now));
            }
        }
        let reported = groups.into_iter().map(|((labels, receiver), alerts)| {
            json!({ "labels": pairs(labels), "receiver": { "name": &**receiver }, "alerts": alerts })
        });
        reported.collect()
    }

    fn own(&self) -> MutexGuard<'_, Vec<Silence>> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The silences of the scenario and of the user.
    fn silences(&self, now: Timestamp) -> Vec<Silence> {
        let own = self.own();
        let reported = self.world.silences(self.world.time.demo(now), &source());
        let untouched = reported.into_iter().filter(|reported| own.iter().all(|own| own.id != reported.id));
        let state = |silence: &Silence| match silence {
            over if over.ends_at <= now => SilenceState::Expired,
            to_come if to_come.starts_at > now => SilenceState::Pending,
            _ => SilenceState::Active,
        };
        untouched.chain(own.iter().map(|own| Silence { state: state(own), ..own.clone() })).collect()
    }

    fn find(&self, id: &str, now: Timestamp) -> Option<Silence> {
        self.silences(now).into_iter().find(|silence| *silence.id == *id)
    }

    /// Adds a silence, or replaces the one with the same id.
    fn put(&self, silence: Silence) {
        let mut own = self.own();
        own.retain(|known| known.id != silence.id);
        own.push(silence);
    }

    /// Creates or changes a silence. As in Alertmanager, a change of the matchers or of the start expires the silence and
    /// creates a new one.
    fn post(&self, body: &Value, now: Timestamp) -> StatusBody {
        let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default();
        let moment = |key: &str| text(key).parse::<Timestamp>();
        let (Ok(starts_at), Ok(ends_at)) = (moment("startsAt"), moment("endsAt")) else {
            return (400, "startsAt and endsAt must be date-times".into());
        };
        let matchers: Vec<Matcher> =
            body.get("matchers").and_then(Value::as_array).into_iter().flatten().map(matcher).collect();
        if ends_at <= now {
            return (400, "end time can't be in the past".into());
        }
        if ends_at <= starts_at {
            return (400, "start time must be before end time".into());
        }
        if let Some(why) = refusal(&matchers) {
            return (400, format!("invalid silence: {why}").into());
        }
        let before = match text("id") {
            "" => None,
            id => match self.find(id, now) {
                None => return NOT_FOUND,
                known => known,
            },
        };
        let made = Silence {
            id: "".into(),
            state: SilenceState::Active,
            matchers,
            starts_at: starts_at.max(now),
            ends_at,
            created_by: text("createdBy").into(),
            comment: text("comment").into(),
            annotations: Labels::default(),
            updated_at: Some(now),
            source: source(),
        };
        let can_change = |before: &Silence| {
            let has_start = match before.state {
                SilenceState::Active => before.starts_at.as_millisecond() == starts_at.as_millisecond(),
                SilenceState::Pending => starts_at >= now,
                SilenceState::Expired => false,
            };
            has_start && before.matchers == made.matchers
        };
        let id = match before {
            Some(before) if can_change(&before) => {
                let id = Text::clone(&before.id);
                let starts_at =
                    if before.state == SilenceState::Active { before.starts_at } else { made.starts_at };
                self.put(Silence { id: Text::clone(&id), starts_at, ..made });
                id
            }
            before => {
                if let Some(before) = before.filter(|before| before.state != SilenceState::Expired) {
                    self.put(Silence { ends_at: now, updated_at: Some(now), ..before });
                }
                let count = self.own().len() as u64;
                let key = mix_text(now.as_millisecond().cast_unsigned() ^ count, &made.comment);
                let id: Text =
                    format!("{:08x}-{:04x}-4000-a000-{:012x}", key >> 32, key & 0xffff, key >> 16).into();
                self.put(Silence { id: Text::clone(&id), ..made });
                id
            }
        };
        (200, json!({ "silenceID": &*id }))
    }
}

const NOT_FOUND: StatusBody = (404, Value::Null);

fn source() -> SourceId {
    SourceId::new("alertmanager")
}

/// Renders an alert as JSON.
fn alert(alert: &Alert, now: Timestamp) -> Value {
    let texts = |list: &[Text]| list.iter().map(|text| Value::from(&**text)).collect::<Vec<_>>();
    json!({
        "labels": pairs(&alert.labels),
        "annotations": pairs(&alert.annotations),
        "startsAt": alert.starts_at.to_string(),
        "endsAt": now.saturating_add(LASTS).unwrap_or(now).to_string(),
        "updatedAt": alert.updated_at.to_string(),
        "fingerprint": alert.fingerprint.to_string(),
        "generatorURL": alert.generator_url.as_deref().unwrap_or_default(),
        "receivers": alert.receivers.iter().map(|name| json!({ "name": &**name })).collect::<Vec<_>>(),
        "status": {
            "state": if alert.state == AlertState::Firing { "active" } else { "suppressed" },
            "silencedBy": texts(&alert.silenced_by),
            "inhibitedBy": texts(&alert.inhibited_by),
            "mutedBy": [],
        },
    })
}

/// Renders a silence as JSON.
fn silence(silence: &Silence) -> Value {
    json!({
        "id": &*silence.id,
        "status": { "state": silence.state.word() },
        "matchers": silence.matchers.iter().map(wire_matcher).collect::<Vec<_>>(),
        "startsAt": silence.starts_at.to_string(),
        "endsAt": silence.ends_at.to_string(),
        "updatedAt": silence.updated_at.unwrap_or(silence.starts_at).to_string(),
        "createdBy": &*silence.created_by,
        "comment": &*silence.comment,
        "annotations": {},
    })
}

/// Parses a matcher.
fn matcher(reported: &Value) -> Matcher {
    let text = |key: &str| reported.get(key).and_then(Value::as_str).unwrap_or_default();
    let is = |key: &str, otherwise| reported.get(key).and_then(Value::as_bool).unwrap_or(otherwise);
    Matcher::from_server(text("name"), Operator::of(is("isRegex", false), is("isEqual", true)), text("value"))
}
