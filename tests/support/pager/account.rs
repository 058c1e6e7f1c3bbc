//! The state of an account of the fake paging system, and how requests change it.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Request;

/// The account: the owner of the API key, and its data.
pub(crate) struct Account {
    /// The current time of the account.
    pub(crate) now: Timestamp,
    /// The id of the user who owns the key; None: a key of the whole account.
    pub(crate) key_of: Option<String>,
    /// Whether all writes are refused.
    pub(crate) is_read_only: bool,
    pub(crate) users: Vec<Value>,
    pub(crate) priorities: Vec<Value>,
    pub(crate) policies: Vec<Value>,
    pub(crate) services: Vec<Value>,
    pub(crate) incidents: Vec<Value>,
    /// Log entries, each with the id of its incident.
    pub(crate) log: Vec<(String, Value)>,
    pub(crate) notes: Vec<(String, Value)>,
    /// Overrides, each with the id of its schedule.
    pub(crate) overrides: Vec<(String, Value)>,
    pub(crate) schedules: Vec<String>,
    made: usize,
}

type Done = Result<(u16, Value), (u16, &'static str)>;

/// A reference with type, id and name.
fn thing(kind: &str, id: &str, name: &str) -> Value {
    json!({ "id": id, "type": format!("{kind}_reference"), "summary": name })
}

impl Account {
    /// An account with Ana's key, two more users, one service, two policies, two priorities, and these triggered incidents.
    pub(crate) fn new(now: Timestamp, incidents: &[&str]) -> Self {
        let user = |id: &str, name: &str, email: &str| {
            json!({ "id": id, "type": "user", "name": name, "summary": name, "email": email, "role": "user",
                "time_zone": "Europe/Lisbon", "html_url": format!("https://example.pagerduty.com/users/{id}") })
        };
        let mut account = Self {
            now,
            key_of: Some("PANA".into()),
            is_read_only: false,
            users: vec![
                user("PANA", "Ana Lima", "ana@example.org"),
                user("PKOFI", "Kofi Mensah", "kofi@example.org"),
                user("PNOOR", "Noor Haddad", "noor@example.org"),
            ],
            priorities: vec![thing("priority", "P1ID", "P1"), thing("priority", "P2ID", "P2")],
            policies: ["PE1", "PE2"].iter().map(|id| thing("escalation_policy", id, id)).collect(),
            services: vec![thing("service", "PSVC", "checkout")],
            incidents: Vec::new(),
            log: Vec::new(),
            notes: Vec::new(),
            overrides: Vec::new(),
            schedules: vec!["PSCHED".into()],
            made: 0,
        };
        for id in incidents {
            account.open(id, &format!("{id} is failing"), "high", None);
        }
        account
    }

    pub(crate) fn incident(&self, id: &str) -> &Value {
        self.incidents.iter().find(|incident| incident["id"] == *id).expect("an incident of the test")
    }

    /// Another user sets the status of an incident.
    pub(crate) fn by_another(&mut self, id: &str, status: &str) {
        let kofi = thing("user", "PKOFI", "Kofi Mensah");
        self.set_status(id, status, &kofi);
    }

    pub(crate) fn resolve_all_by_another(&mut self) {
        let ids: Vec<String> = self.incidents.iter().map(|incident| text(&incident["id"])).collect();
        for id in ids {
            self.by_another(&id, "resolved");
        }
    }

    fn open(&mut self, id: &str, title: &str, urgency: &str, key: Option<&str>) -> Value {
        self.made += 1;
        let now = self.now.to_string();
        let incident = json!({
            "id": id, "type": "incident", "incident_number": 100 + self.made, "title": title, "status": "triggered",
            "summary": format!("[#{}] {title}", 100 + self.made), "urgency": urgency, "created_at": now,
            "last_status_change_at": now, "last_status_change_by": thing("service", "PSVC", "checkout"),
            "incident_key": key.unwrap_or(id), "service": thing("service", "PSVC", "checkout"),
            "escalation_policy": thing("escalation_policy", "PE1", "PE1"), "priority": null,
            "assignments": [{ "at": now, "assignee": thing("user", "PANA", "Ana Lima") }],
            "acknowledgements": [], "pending_actions": [], "teams": [], "alert_counts": { "all": 1, "triggered": 1 },
            "html_url": format!("https://example.pagerduty.com/incidents/{id}"), "responder_requests": [],
        });
        self.incidents.push(incident.clone());
        let by = thing("service", "PSVC", "checkout");
        self.log(id, "trigger", &by);
        incident
    }

    fn log(&mut self, id: &str, kind: &str, by: &Value) {
        let entry = json!({ "id": format!("L{}", self.log.len()), "type": format!("{kind}_log_entry"),
            "summary": format!("{kind} by {}", text(&by["summary"])), "created_at": self.now.to_string(), "agent": by });
        self.log.push((id.to_owned(), entry));
    }

    fn at(&mut self, id: &str) -> Result<&mut Value, (u16, &'static str)> {
        let found = self.incidents.iter_mut().find(|incident| incident["id"] == *id);
        found.ok_or((404, "Incident Not Found"))
    }

    fn set_status(&mut self, id: &str, status: &str, by: &Value) {
        let now = self.now.to_string();
        let Ok(incident) = self.at(id) else { return };
        incident["status"] = status.into();
        incident["last_status_change_at"] = now.as_str().into();
        incident["last_status_change_by"] = by.clone();
        match status {
            "acknowledged" => {
                incident["acknowledgements"] = json!([{ "at": now, "acknowledger": by }]);
                self.log(id, "acknowledge", by);
            }
            "resolved" => {
                incident["resolved_at"] = now.into();
                incident["acknowledgements"] = json!([]);
                self.log(id, "resolve", by);
            }
            _ => {}
        }
    }

    fn known(list: &[Value], id: &Value) -> Option<Value> {
        list.iter().find(|known| known["id"] == *id).cloned()
    }

    /// The status and the body of the answer to a request.
    pub(crate) fn answer(&mut self, request: &Request) -> (u16, Value) {
        let path = request.path.trim_matches('/').to_owned();
        let parts: Vec<&str> = path.split('/').collect();
        let done = if request.is_write() { self.write(request, &parts) } else { self.read(request, &parts) };
        done.unwrap_or_else(|(status, message)| {
            (status, json!({ "error": { "message": message, "code": 2001, "errors": [] } }))
        })
    }

    /// A page of a list; at most ten thousand items can be reached.
    fn page(request: &Request, key: &str, items: &[Value]) -> Done {
        let number = |name: &str, usual: usize| {
            request.parameters(name).next().map_or(Some(usual), |text| text.parse::<usize>().ok())
        };
        let (Some(limit), Some(offset)) = (number("limit", 25), number("offset", 0)) else {
            return Err((400, "Invalid Input Provided"));
        };
        let limit = limit.min(100);
        if offset + limit > 10_000 {
            return Err((400, "Offset and limit cannot exceed 10000"));
        }
        let part: Vec<&Value> = items.iter().skip(offset).take(limit).collect();
        let more = offset + limit < items.len();
        Ok((200, json!({ key: part, "limit": limit, "offset": offset, "more": more, "total": null })))
    }

    fn read(&self, request: &Request, parts: &[&str]) -> Done {
        let of = |list: &[(String, Value)], id: &str| -> Vec<Value> {
            list.iter().filter(|(known, _)| known == id).map(|(_, value)| value.clone()).collect()
        };
        match parts {
            ["users", "me"] => {
                let me = self.key_of.as_ref().and_then(|id| Self::known(&self.users, &id.as_str().into()));
                me.map(|user| (200, json!({ "user": user })))
                    .ok_or((400, "The current user is not available"))
            }
            ["users"] => Self::page(request, "users", &self.users),
            ["priorities"] => Self::page(request, "priorities", &self.priorities),
            ["abilities"] => Ok((200, json!({ "abilities": ["coordinated_responding"] }))),
            ["escalation_policies"] => Self::page(request, "escalation_policies", &self.policies),
            ["oncalls" | "schedules"] => Self::page(request, parts[0], &[]),
            ["incidents"] => {
                let statuses: Vec<&str> = request.parameters("statuses[]").collect();
                let key = request.parameters("incident_key").next();
                let fits = |incident: &&Value| {
                    (statuses.is_empty() || statuses.iter().any(|status| incident["status"] == **status))
                        && key.is_none_or(|key| incident["incident_key"] == *key)
                };
                let mut found: Vec<Value> = self.incidents.iter().filter(fits).cloned().collect();
                found.reverse();
                Self::page(request, "incidents", &found)
            }
            ["incidents", id] => Self::known(&self.incidents, &(*id).into())
                .map(|incident| (200, json!({ "incident": incident })))
                .ok_or((404, "Incident Not Found")),
            ["incidents", id, "log_entries"] => {
                let mut all = of(&self.log, id);
                all.reverse();
                Self::page(request, "log_entries", &all)
            }
            ["log_entries"] => {
                let reported = |(id, entry): &(String, Value)| {
                    let mut entry = entry.clone();
                    entry["incident"] = json!({"id": id, "type": "incident_reference"});
                    entry
                };
                let mut all: Vec<Value> = self.log.iter().map(reported).collect();
                all.reverse();
                Self::page(request, "log_entries", &all)
            }
            ["incidents", id, "notes"] => Ok((200, json!({ "notes": of(&self.notes, id) }))),
            ["incidents", _, key @ ("alerts" | "past_incidents")] => Self::page(request, key, &[]),
            ["schedules", id, "overrides"] => Ok((200, json!({ "overrides": of(&self.overrides, id) }))),
            _ => Err((404, "Not Found")),
        }
    }

    /// The user in whose name a request acts.
    fn actor(&self, request: &Request) -> Result<Value, (u16, &'static str)> {
        let from = request.header("from").ok_or((400, "Requester From header is required"))?;
        if !from.contains('@') {
            return Err((400, "From header is malformed"));
        }
        let user = self.users.iter().find(|user| user["email"] == *from);
        let user = user.ok_or((400, "Requester User Not Found"))?;
        Ok(thing("user", &text(&user["id"]), &text(&user["name"])))
    }

    fn write(&mut self, request: &Request, parts: &[&str]) -> Done {
        if request.header("content-type") != Some("application/json") {
            return Err((415, "Unsupported Media Type"));
        }
        if self.is_read_only {
            return Err((403, "Access Denied"));
        }
        let body = &request.body;
        match (&*request.method, parts) {
            ("POST", ["incidents"]) => {
                self.actor(request)?;
                let wanted = &body["incident"];
                Self::known(&self.services, &wanted["service"]["id"]).ok_or((404, "Service Not Found"))?;
                let key = wanted["incident_key"].as_str();
                let same = |incident: &Value| {
                    incident["incident_key"].as_str() == key && incident["status"] != "resolved"
                };
                if key.is_some() && self.incidents.iter().any(same) {
                    return Err((
                        400,
                        "Open incident with matching dedup key already exists on this service",
                    ));
                }
                let id = format!("QNEW{}", self.made);
                let made = self.open(&id, &text(&wanted["title"]), &text(&wanted["urgency"]), key);
                Ok((201, json!({ "incident": made })))
            }
            ("PUT", ["incidents", id]) => {
                let by = self.actor(request)?;
                self.put(id, &body["incident"], &by)
            }
            ("POST", ["incidents", id, "snooze"]) => {
                let by = self.actor(request)?;
                let seconds = body["duration"].as_i64().filter(|seconds| (1..=604_800).contains(seconds));
                let seconds = seconds.ok_or((400, "Invalid Input Provided"))?;
                self.open_one(id)?;
                self.set_status(id, "acknowledged", &by);
                let until = (self.now + SignedDuration::from_secs(seconds)).to_string();
                self.at(id)?["pending_actions"] = json!([{ "type": "unacknowledge", "at": until }]);
                self.log(id, "snooze", &by);
                Ok((201, json!({ "incident": self.incident(id) })))
            }
            ("POST", ["incidents", id, "notes"]) => {
                let by = self.actor(request)?;
                self.at(id)?;
                let note = json!({ "id": format!("N{}", self.notes.len()), "user": by,
                    "content": body["note"]["content"], "created_at": self.now.to_string() });
                self.notes.push(((*id).to_owned(), note.clone()));
                self.log(id, "annotate", &by);
                Ok((200, json!({ "note": note })))
            }
            ("PUT", ["incidents", id, "merge"]) => {
                let by = self.actor(request)?;
                self.open_one(id)?;
                for merged in body["source_incidents"].as_array().into_iter().flatten() {
                    let merged = text(&merged["id"]);
                    self.open_one(&merged)?;
                    self.set_status(&merged, "resolved", &by);
                }
                Ok((200, json!({ "incident": thing("incident", id, id) })))
            }
            ("POST", ["incidents", id, "responder_requests"]) => {
                let by =
                    Self::known(&self.users, &body["requester_id"]).ok_or((400, "Requester not found"))?;
                for target in body["responder_request_targets"].as_array().into_iter().flatten() {
                    let target = &target["responder_request_target"]["id"];
                    Self::known(&self.users, target).ok_or((404, "Target not found"))?;
                }
                let now = self.now.to_string();
                let made = json!({ "requester": by, "requested_at": now, "message": body["message"] });
                let requests = &mut self.at(id)?["responder_requests"];
                requests.as_array_mut().expect("a list").push(made.clone());
                Ok((200, json!({ "responder_request": made })))
            }
            ("POST", ["incidents", id, "status_updates"]) => {
                let by = self.actor(request)?;
                self.at(id)?;
                self.log(id, "status_update", &by);
                let made = json!({ "id": "S1", "message": body["message"], "sender": by });
                Ok((200, json!({ "status_update": made })))
            }
            ("POST", ["schedules", id, "overrides"]) => self.stand_in(id, body),
            _ => Err((404, "Not Found")),
        }
    }

    fn open_one(&mut self, id: &str) -> Result<(), (u16, &'static str)> {
        let is_over = self.at(id)?["status"] == "resolved";
        if is_over { Err((400, "Incident Already Resolved")) } else { Ok(()) }
    }

    fn put(&mut self, id: &str, wanted: &Value, by: &Value) -> Done {
        self.open_one(id)?;
        let now = self.now.to_string();
        if let Some(status) = wanted["status"].as_str() {
            self.set_status(id, status, by);
        }
        if let Some(level) = wanted["escalation_level"].as_u64() {
            if level > 3 {
                return Err((400, "Invalid Input Provided"));
            }
            self.log(id, "escalate", by);
        }
        for assignment in wanted["assignments"].as_array().into_iter().flatten() {
            let user = Self::known(&self.users, &assignment["assignee"]["id"]);
            let user = user.ok_or((400, "Assignee not found"))?;
            self.at(id)?["assignments"] = json!([{ "at": now, "assignee": user }]);
            self.log(id, "assign", by);
        }
        for (key, list) in
            [("escalation_policy", self.policies.clone()), ("priority", self.priorities.clone())]
        {
            if !wanted[key].is_null() {
                let found = Self::known(&list, &wanted[key]["id"]).ok_or((400, "Invalid Input Provided"))?;
                self.at(id)?[key] = found;
                if key == "escalation_policy" {
                    self.log(id, "assign", by);
                }
            }
        }
        Ok((200, json!({ "incident": self.incident(id) })))
    }

    fn stand_in(&mut self, id: &str, body: &Value) -> Done {
        if !self.schedules.iter().any(|known| known == id) {
            return Err((404, "Schedule Not Found"));
        }
        let mut all = Vec::new();
        for wanted in body["overrides"].as_array().into_iter().flatten() {
            let mut made = wanted.clone();
            if Self::known(&self.users, &wanted["user"]["id"]).is_none() {
                all.push(json!({ "status": 400, "errors": ["User must exist"], "override": made }));
                continue;
            }
            made["id"] = format!("O{}", self.overrides.len()).into();
            self.overrides.push((id.to_owned(), made.clone()));
            all.push(json!({ "status": 201, "override": made }));
        }
        Ok((201, Value::Array(all)))
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
