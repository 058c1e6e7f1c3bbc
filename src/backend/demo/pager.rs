//! The simulated PagerDuty: the incidents of the scenario, and the actions of the user.

mod actions;
mod render;

use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use reqwest::{Method, Request};
use serde_json::{Value, json};

use super::actions_done::{ActionsDone, IncidentWithActions};
use super::exchange::{self, ParsedRequest};
use super::paging::named;
use super::world::DemoWorld;
use crate::backend::{Clock, LocalServer, Receiving};
use crate::model::incident::PagerRef;

/// The maximum page size, and the default page size.
const PAGE: (usize, usize) = (100, 25);
/// PagerDuty refuses requests with `offset + limit` above this value.
const MAX_OFFSET: usize = 10_000;
/// The maximum number of similar past incidents.
const PAST: usize = 5;

pub(super) struct PagerServer {
    world: Arc<DemoWorld>,
    clock: Clock,
    done: Mutex<ActionsDone>,
}

/// The status and body of a response; or the status and message of an error.
type PagerAnswer = Result<(u16, Value), (u16, &'static str)>;

impl LocalServer for PagerServer {
    fn answer(&self, request: Request) -> Receiving<'_> {
        let now = self.clock.now();
        let asked = ParsedRequest::of(&request);
        let answered =
            if asked.method == Method::GET { self.read(&asked, now) } else { self.write(&asked, now) };
        let (status, body) = answered.unwrap_or_else(|(status, message)| {
            (status, json!({ "error": { "message": message, "code": 2001, "errors": [] } }))
        });
        Box::pin(ready(Ok(exchange::answer(status, &body, now))))
    }
}

impl PagerServer {
    pub(super) fn new(world: Arc<DemoWorld>, clock: Clock) -> Self {
        Self { world, clock, done: Mutex::default() }
    }

    fn done(&self) -> MutexGuard<'_, ActionsDone> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All incidents at this time.
    fn all(&self, now: Timestamp) -> Vec<IncidentWithActions> {
        self.world.incidents(&self.done(), now)
    }

    /// The incident with this id.
    fn one(&self, id: &str, now: Timestamp) -> Result<IncidentWithActions, (u16, &'static str)> {
        let found = self.all(now).into_iter().find(|incident| *incident.incident.id == *id);
        found.ok_or((404, "Not Found"))
    }

    /// Answers a GET request.
    fn read(&self, asked: &ParsedRequest, now: Timestamp) -> PagerAnswer {
        let paging = &self.world.paging;
        match asked.path().as_slice() {
            ["users", "me"] => Ok((200, json!({ "user": render::user(&paging.me()) }))),
            ["users"] => page(asked, "users", paging.people().map(|person| render::user(&person)).collect()),
            ["abilities"] => {
                Ok((200, json!({ "abilities": ["teams", "urgencies", "coordinated_responding"] })))
            }
            ["priorities"] => {
                let all = priorities().map(|priority| render::thing("priority", &priority));
                page(asked, "priorities", all.collect())
            }
            ["escalation_policies"] => {
                let mut policies = paging.policies(&self.world.fixtures.services);
                policies.sort_by(|a, b| a.named.name.cmp(&b.named.name));
                page(asked, "escalation_policies", policies.iter().map(render::policy).collect())
            }
            ["oncalls"] => {
                let policies = paging.policies(&self.world.fixtures.services);
                let turns = paging.turns(span(asked, now), &self.done().taken_shifts_by(now));
                page(asked, "oncalls", turns.iter().map(|turn| render::turn(turn, &policies)).collect())
            }
            ["schedules"] => {
                let span = span(asked, now);
                let all = paging.overrides(span, &self.done().taken_shifts_by(now));
                let incident = all.iter().map(|(rotation, turns)| render::schedule(rotation, turns, span));
                page(asked, "schedules", incident.collect())
            }
            ["schedules", id, "overrides"] => {
                if !paging.has_rotation(id) {
                    return Err((404, "Schedule Not Found"));
                }
                let done = self.done();
                let its = done.taken_shifts.iter().filter(|taken| *taken.rotation == **id);
                Ok((200, json!({ "overrides": its.map(render::taken_shifts).collect::<Vec<_>>() })))
            }
            ["incidents"] => self.incidents(asked, now),
            ["incidents", id] => self.incident_answer(200, id, now),
            ["incidents", id, "log_entries"] => {
                let incident = self.one(id, now)?;
                page(asked, "log_entries", self.log(asked, &[incident]))
            }
            ["log_entries"] => page(asked, "log_entries", self.log(asked, &self.all(now))),
            ["incidents", id, "notes"] => {
                let notes = self.one(id, now)?.notes;
                let incident = notes.iter().map(|note| render::note(note, paging));
                Ok((200, json!({ "notes": incident.collect::<Vec<_>>() })))
            }
            ["incidents", id, "alerts"] => {
                let incident = self.one(id, now)?;
                let alerts = incident.sent.iter().map(|sent| sent.alert(&incident.incident));
                page(asked, "alerts", alerts.collect())
            }
            ["incidents", id, "past_incidents"] => self.past(id, now),
            _ => Err((404, "Not Found")),
        }
    }

    /// An answer with the incident as it is now.
    fn incident_answer(&self, status: u16, id: &str, now: Timestamp) -> PagerAnswer {
        Ok((status, json!({ "incident": self.rendered(&self.one(id, now)?) })))
    }

    fn rendered(&self, incident: &IncidentWithActions) -> Value {
        render::incident(incident, &self.world.paging, &self.done())
    }

    /// The incidents that match the query, newest first.
    fn incidents(&self, asked: &ParsedRequest, now: Timestamp) -> PagerAnswer {
        let statuses: Vec<&str> = asked.all("statuses[]").collect();
        let key = asked.parameter("incident_key");
        let since = asked.parameter("since").and_then(|since| since.parse::<Timestamp>().ok());
        let by_end = asked.parameter("sort_by").is_some_and(|order| order.starts_with("resolved_at"));
        let mut all = self.all(now);
        all.retain(|IncidentWithActions { incident, .. }| {
            (statuses.is_empty() || statuses.contains(&incident.status.word()))
                && key.is_none_or(|key| incident.key.as_deref() == Some(key))
                && since.is_none_or(|since| incident.resolved_at.unwrap_or(incident.created_at) >= since)
        });
        all.sort_by_key(|IncidentWithActions { incident, .. }| {
            let at = incident.resolved_at.filter(|_| by_end).unwrap_or(incident.created_at);
            (std::cmp::Reverse(at), std::cmp::Reverse(incident.number))
        });
        page(asked, "incidents", all.iter().map(|incident| self.rendered(incident)).collect())
    }

    /// The log entries of incidents, newest first.
    fn log(&self, asked: &ParsedRequest, all: &[IncidentWithActions]) -> Vec<Value> {
        let moment = |name: &str| asked.parameter(name).and_then(|text| text.parse::<Timestamp>().ok());
        let (since, until) = (moment("since"), moment("until"));
        let mut entries: Vec<(Timestamp, Value)> = Vec::new();
        for incident in all {
            for (step, number) in incident.steps.iter().zip(1..) {
                if since.is_none_or(|since| step.at >= since) && until.is_none_or(|until| step.at < until) {
                    entries
                        .push((step.at, render::step(step, number, &incident.incident, &self.world.paging)));
                }
            }
        }
        entries.sort_by_key(|(at, _)| *at);
        entries.into_iter().rev().map(|(_, entry)| entry).collect()
    }

    /// Earlier incidents of the same alert.
    fn past(&self, id: &str, now: Timestamp) -> PagerAnswer {
        let all = self.all(now);
        let its = all.iter().find(|incident| *incident.incident.id == *id).ok_or((404, "Not Found"))?;
        let of_alert =
            all.iter().filter(|other| its.sent.is_some() && other.incident.firing == its.incident.firing);
        let mut earlier: Vec<&IncidentWithActions> =
            of_alert.filter(|other| other.incident.created_at < its.incident.created_at).collect();
        earlier.sort_by_key(|incident| std::cmp::Reverse(incident.incident.created_at));
        earlier.truncate(PAST);
        let past =
            earlier.iter().map(|incident| json!({ "incident": self.rendered(incident), "score": 940.0 }));
        let past: Vec<Value> = past.collect();
        Ok((200, json!({ "total": past.len(), "limit": PAST, "past_incidents": past })))
    }
}

/// The priorities of the account, the highest first.
fn priorities() -> impl Iterator<Item = PagerRef> {
    (1..=5).map(|rank| format!("P{rank}")).map(|name| named(&name, &name))
}

/// The requested time range; now if it is missing.
fn span(asked: &ParsedRequest, now: Timestamp) -> (Timestamp, Timestamp) {
    let moment = |name: &str| asked.parameter(name).and_then(|text| text.parse().ok()).unwrap_or(now);
    (moment("since"), moment("until"))
}

/// One page of a list.
fn page(asked: &ParsedRequest, key: &str, items: Vec<Value>) -> PagerAnswer {
    let number =
        |name: &str, usual| asked.parameter(name).map_or(Some(usual), |text| text.parse::<usize>().ok());
    let (Some(limit), Some(offset)) = (number("limit", PAGE.1), number("offset", 0)) else {
        return Err((400, "Invalid Input Provided"));
    };
    let limit = limit.min(PAGE.0);
    if offset.saturating_add(limit) > MAX_OFFSET {
        return Err((400, "Offset and limit cannot exceed 10000"));
    }
    let more = offset + limit < items.len();
    let part: Vec<Value> = items.into_iter().skip(offset).take(limit).collect();
    Ok((200, json!({ key: part, "limit": limit, "offset": offset, "more": more, "total": null })))
}

#[cfg(test)]
mod tests;
