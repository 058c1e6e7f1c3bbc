//! A Grafana that keeps its state: rules with instances, silences, annotations, dashboards; with rights, pages, versions and faults.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::super::Grafana;
use crate::backend::kit::double::{CannedResponse, Double, ReceivedRequest};
use crate::backend::{Clock, SourceDeps};
use crate::config::settings::{SecretText, Settings};
use crate::model::source::SourceId;

pub(super) const NOW: &str = "2027-01-15T08:00:00Z";
pub(super) const TOKEN: &str = "glsa_secret";
const RULES: &str = "/api/prometheus/grafana/api/v1/rules";
const ALERTMANAGER: &str = "/api/alertmanager/grafana/api/v2/";

/// One alert rule of the double.
#[derive(Debug, Clone)]
pub(super) struct RuleOf {
    pub(super) uid: String,
    pub(super) title: String,
    pub(super) group: String,
    pub(super) folder: String,
    pub(super) health: &'static str,
    /// The states of the instances, with the value of their label `instance`.
    pub(super) instances: Vec<(&'static str, String)>,
    pub(super) definition: Value,
}

impl RuleOf {
    pub(super) fn new(number: usize, states: &[&'static str]) -> Self {
        let instances = states.iter().enumerate().map(|(at, state)| (*state, format!("host-{number}-{at}")));
        let uid = format!("rule{number:05}");
        let definition = json!({ "uid": uid, "condition": "C", "data": [
            { "refId": "A", "datasourceUid": "prom", "relativeTimeRange": { "from": 600, "to": 0 },
              "model": { "refId": "A", "expr": format!("sum by (instance) (rate(errors_{number}_total[5m]))"), "instant": true } },
            { "refId": "C", "datasourceUid": "__expr__",
              "model": { "type": "threshold", "expression": "A",
                         "conditions": [{ "evaluator": { "type": "gt", "params": [5] } }] } },
        ] });
        Self {
            uid,
            title: format!("Rule {number}"),
            group: format!("group-{:04}", number / 20),
            folder: "Shop".into(),
            health: "ok",
            instances: instances.collect(),
            definition,
        }
    }

    fn has(&self, state: &str) -> bool {
        self.instances.iter().any(|(own, _)| *own == state)
    }

    fn state(&self) -> &'static str {
        match () {
            () if self.has("Alerting") => "firing",
            () if self.has("Recovering") => "recovering",
            () if self.has("Pending") => "pending",
            () => "inactive",
        }
    }

    fn labels(&self, instance: &str, name: &str) -> Value {
        json!({ "alertname": name, "grafana_folder": self.folder, "instance": instance, "severity": "critical",
                "service": "checkout", "__alert_rule_uid__": self.uid })
    }
}

/// The state of the double.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own of the double")]
pub(super) struct GrafanaState {
    pub(super) version: &'static str,
    pub(super) rules: Vec<RuleOf>,
    pub(super) silences: Vec<Value>,
    pub(super) annotations: Vec<Value>,
    pub(super) dashboards: usize,
    /// Answers by path, before all others.
    pub(super) pages: BTreeMap<String, Value>,
    /// The actions that the token lacks.
    pub(super) lacks: BTreeSet<&'static str>,
    /// Whether it tells the rights of a token.
    pub(super) tells_rights: bool,
    pub(super) has_pages: bool,
    pub(super) knows_recovering: bool,
    pub(super) knows_health: bool,
    /// Replaces the answers to all paths that contain the text.
    pub(super) fault: Option<(&'static str, CannedResponse)>,
    pub(super) created: usize,
}

impl Default for GrafanaState {
    fn default() -> Self {
        Self {
            version: "12.4.0",
            rules: Vec::new(),
            silences: Vec::new(),
            annotations: Vec::new(),
            dashboards: 0,
            pages: BTreeMap::new(),
            lacks: BTreeSet::new(),
            tells_rights: true,
            has_pages: true,
            knows_recovering: true,
            knows_health: true,
            fault: None,
            created: 0,
        }
    }
}

/// The running double, and sources that ask it.
pub(super) struct GrafanaDouble {
    pub(super) double: Double,
    state: Arc<Mutex<GrafanaState>>,
}

impl GrafanaDouble {
    pub(super) async fn start(state: GrafanaState) -> Self {
        let state = Arc::new(Mutex::new(state));
        let served = Arc::clone(&state);
        let double = Double::start(move |asked| served.lock().unwrap().answer(asked)).await;
        Self { double, state }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, GrafanaState> {
        self.state.lock().unwrap()
    }

    pub(super) fn source(&self) -> Grafana {
        self.source_at("")
    }

    /// The source with a path below the address.
    pub(super) fn source_at(&self, prefix: &str) -> Grafana {
        let mut settings = self.double.source("grafana");
        settings.url.push_str(prefix);
        settings.headers.insert("Authorization".into(), SecretText::Plain(format!("Bearer {TOKEN}")));
        let all = Settings::default();
        let deps = SourceDeps::new(&all, Clock::fixed(NOW.parse::<Timestamp>().unwrap()));
        Grafana::new(&SourceId::new("grafana"), &settings, deps).unwrap()
    }
}

fn json_of(value: &Value) -> CannedResponse {
    CannedResponse::json(&value.to_string())
}

fn refused(status: u16, message: &str) -> CannedResponse {
    CannedResponse::new(status, "application/json", &json!({ "message": message }).to_string())
}

impl GrafanaState {
    /// The right that a request needs; Grafana's search and health need none.
    fn needed(asked: &ReceivedRequest) -> Option<&'static str> {
        let path = &*asked.path;
        Some(match asked.method.as_str() {
            _ if path == RULES => "alert.rules:read",
            "POST" if path.ends_with("/silences") => "alert.instances:create",
            "DELETE" => "alert.instances:write",
            _ if path.starts_with(ALERTMANAGER) => "alert.instances:read",
            _ if path.starts_with("/api/v1/provisioning") => "alert.provisioning:read",
            _ if path.starts_with("/api/datasources/proxy") => "datasources:query",
            _ if path.starts_with("/api/datasources") => "datasources:read",
            _ if path == "/api/annotations" => "annotations:read",
            _ => return None,
        })
    }

    fn answer(&mut self, asked: &ReceivedRequest) -> CannedResponse {
        if let Some((path, fault)) = self.fault.as_ref().filter(|(path, _)| asked.path.contains(path)) {
            tracing::trace!(path, "fault");
            return fault.clone();
        }
        if asked.path != "/api/health" && asked.header("authorization") != Some(&format!("Bearer {TOKEN}")) {
            return refused(401, "Invalid API key");
        }
        if let Some(action) = Self::needed(asked).filter(|action| self.lacks.contains(action)) {
            return refused(
                403,
                &format!(
                    "You'll need additional permissions to perform this action. Permissions needed: {action}"
                ),
            );
        }
        if let Some(page) = self.pages.get(&asked.path) {
            return json_of(page);
        }
        match (&*asked.method, &*asked.path) {
            (_, "/api/health") => {
                json_of(&json!({ "database": "ok", "version": self.version, "commit": "abc" }))
            }
            (_, "/api/org") => json_of(&json!({ "id": 1, "name": "Main Org." })),
            (_, "/api/access-control/user/permissions") if self.tells_rights => json_of(&self.rights()),
            (_, RULES) => self.list_rules(asked),
            (_, "/api/annotations") => json_of(&self.list_annotations(asked)),
            (_, "/api/search") => json_of(&self.search(asked)),
            ("POST", path) if path.ends_with("/silences") => self.put_silence(asked),
            (_, path) if path.starts_with(ALERTMANAGER) => self.alertmanager(asked),
            (_, path) => self.definition(path).unwrap_or_else(|| refused(404, "Not found")),
        }
    }

    fn rights(&self) -> Value {
        let all = [
            "alert.rules:read",
            "alert.instances:read",
            "alert.provisioning:read",
            "datasources:read",
            "datasources:query",
            "dashboards:read",
            "annotations:read",
            "alert.instances:create",
            "alert.instances:write",
        ];
        let has = all.into_iter().filter(|action| !self.lacks.contains(action));
        Value::Object(has.map(|action| (action.to_owned(), json!(["*"]))).collect())
    }

    fn definition(&self, path: &str) -> Option<CannedResponse> {
        let uid = path.strip_prefix("/api/v1/provisioning/alert-rules/")?;
        let rule = self.rules.iter().find(|rule| rule.uid == uid)?;
        Some(json_of(&rule.definition))
    }

    /// As Grafana filters rules and instances: groups without rules stay in the list, totals are those of all instances.
    fn list_rules(&self, asked: &ReceivedRequest) -> CannedResponse {
        let all = |name: &str| -> Vec<String> {
            let own = asked.parameters.iter().filter(|(own, _)| own == name);
            own.map(|(_, value)| value.to_lowercase()).collect()
        };
        let number = |name: &str| asked.parameter(name).parse::<usize>().ok();
        let (states, healths) = (all("state"), all("health"));
        if states.iter().any(|state| state == "recovering") && !self.knows_recovering {
            let error =
                json!({ "status": "error", "errorType": "bad_data", "error": "unknown state 'recovering'" });
            return CannedResponse::new(400, "application/json", &error.to_string());
        }
        let is_in = |state: &str| {
            let word = if state == "Alerting" { "firing" } else { state };
            states.is_empty() || states.iter().any(|own| *own == word.to_lowercase())
        };
        let mut groups: Vec<(String, Vec<Value>)> = Vec::new();
        let (mut totals, mut token) = (Map::new(), None);
        let from = asked.parameter("group_next_token").to_owned();
        for rule in &self.rules {
            if self.has_pages && rule.group < from {
                continue;
            }
            if groups.last().is_none_or(|(group, _)| *group != rule.group) {
                if self.has_pages && number("group_limit").is_some_and(|limit| groups.len() >= limit) {
                    token = Some(rule.group.clone());
                    break;
                }
                groups.push((rule.group.clone(), Vec::new()));
            }
            for word in [rule.state(), rule.health].into_iter().filter(|word| *word != "ok") {
                let count = totals.entry(word).or_insert(json!(0));
                *count = json!(count.as_u64().unwrap() + 1);
            }
            let is_wanted = (states.is_empty() || states.iter().any(|state| state == rule.state()))
                && (!self.knows_health || healths.is_empty() || healths.iter().any(|own| own == rule.health));
            let most_rules = number("limit_rules").unwrap_or(usize::MAX);
            let (_, rules) = groups.last_mut().unwrap();
            if is_wanted && rules.len() < most_rules {
                let most = number("limit_alerts").unwrap_or(usize::MAX);
                let wanted = rule.instances.iter().filter(|(state, _)| is_in(state)).take(most);
                rules.push(
                    self.rule(rule, wanted.map(|(state, instance)| Self::instance(rule, state, instance))),
                );
            }
        }
        let groups: Vec<Value> = groups
            .into_iter()
            .map(|(name, rules)| json!({ "name": name, "file": "Shop", "folderUid": "shop", "interval": 60, "rules": rules }))
            .collect();
        let mut data = json!({ "groups": groups });
        if !self.has_pages {
            data["totals"] = Value::Object(totals);
        }
        if let Some(token) = token {
            data["groupNextToken"] = token.into();
        }
        json_of(&json!({ "status": "success", "data": data }))
    }

    fn rule(&self, rule: &RuleOf, alerts: impl Iterator<Item = Value>) -> Value {
        let count = |state: &str| rule.instances.iter().filter(|(own, _)| *own == state).count();
        json!({
            "uid": rule.uid, "name": rule.title, "state": rule.state(), "type": "alerting", "health": rule.health,
            "lastError": if rule.health == "error" { "failed to execute query A: context deadline exceeded" } else { "" },
            "query": "sum by (instance) (rate(errors_total[5m]))", "duration": 300, "folderUid": "shop",
            "labels": { "severity": "critical", "service": "checkout" },
            "annotations": { "summary": "{{ $values.A }} errors", "runbook_url": "https://runbooks.example.org/errors" },
            "lastEvaluation": self.version, "evaluationTime": 0.01,
            "alerts": alerts.collect::<Vec<_>>(),
            "totals": { "alerting": count("Alerting"), "pending": count("Pending"), "normal": count("Normal"),
                        "recovering": count("Recovering"), "nodata": count("NoData"), "error": count("Error") },
        })
    }

    fn instance(rule: &RuleOf, state: &str, instance: &str) -> Value {
        json!({ "labels": rule.labels(instance, &rule.title), "state": state, "activeAt": "2027-01-15T07:30:00Z", "value": "1e+00",
                "annotations": { "summary": "7 errors per second", "__dashboardUid__": "checkout", "__panelId__": "4",
                                 "__values__": r#"{"A":7.5,"C":1}"# } })
    }

    /// The Alertmanager's part: it lists what fires, and what is without data or fails, under another name.
    fn alertmanager(&mut self, asked: &ReceivedRequest) -> CannedResponse {
        let what = asked.path.strip_prefix(ALERTMANAGER).unwrap_or_default();
        if let Some(id) = what.strip_prefix("silence/") {
            let Some(silence) = self.silences.iter_mut().find(|silence| silence["id"] == id) else {
                return refused(404, "silence not found");
            };
            if asked.method == "DELETE" {
                silence["status"] = json!({ "state": "expired" });
                return json_of(&json!({ "message": "silence deleted" }));
            }
            return json_of(silence);
        }
        if what == "silences" {
            return json_of(&Value::Array(self.silences.clone()));
        }
        let mut alerts = Vec::new();
        for rule in &self.rules {
            for (state, instance) in &rule.instances {
                let name = match *state {
                    "Alerting" | "Recovering" => &*rule.title,
                    "NoData" => "DatasourceNoData",
                    "Error" => "DatasourceError",
                    _ => continue,
                };
                let mut labels = rule.labels(instance, name);
                if name.starts_with("Datasource") {
                    labels["rulename"] = (&*rule.title).into();
                    labels["datasource_uid"] = "prom".into();
                    labels["ref_id"] = "A".into();
                }
                let by: Vec<&Value> =
                    self.silences.iter().filter(|one| silences(one, &labels)).map(|one| &one["id"]).collect();
                let status = if by.is_empty() { "active" } else { "suppressed" };
                alerts.push(json!({
                    "labels": labels, "startsAt": "2027-01-15T07:30:00Z", "updatedAt": NOW, "endsAt": "2027-01-15T08:04:00Z",
                    "annotations": Self::instance(rule, state, instance)["annotations"],
                    "generatorURL": format!("http://grafana/alerting/grafana/{}/view", rule.uid),
                    "receivers": [{ "name": "pager" }],
                    "status": { "state": status, "silencedBy": by, "inhibitedBy": [] },
                }));
            }
        }
        json_of(&Value::Array(alerts))
    }

    /// Creates or replaces a silence; 202 as Grafana answers.
    fn put_silence(&mut self, asked: &ReceivedRequest) -> CannedResponse {
        let mut silence = asked.json();
        let is_of_rule = silence["matchers"].to_string().contains("__alert_rule_uid__");
        if self.lacks.contains("org-wide silences") && !is_of_rule {
            return refused(403, "You'll need additional permissions to perform this action");
        }
        let known = silence["id"].as_str().map(str::to_owned);
        let id = known.unwrap_or_else(|| {
            self.created += 1;
            format!("silence-{}", self.created)
        });
        self.silences.retain(|silence| silence["id"] != *id);
        silence["id"] = (&*id).into();
        silence["status"] = json!({ "state": "active" });
        silence["updatedAt"] = NOW.into();
        self.silences.push(silence);
        CannedResponse::new(202, "application/json", &json!({ "silenceID": id }).to_string())
    }

    fn list_annotations(&self, asked: &ReceivedRequest) -> Value {
        let bound = |name: &str| asked.parameter(name).parse::<i64>().unwrap();
        let time = |one: &Value| one["time"].as_i64().unwrap();
        let is_wanted = |one: &&Value| {
            let is_kind = asked.parameter("type") != "annotation" || one["alertId"] == 0;
            time(one) >= bound("from") && time(one) <= bound("to") && is_kind
        };
        let mut found: Vec<Value> = self.annotations.iter().filter(is_wanted).cloned().collect();
        found.sort_by_key(|one| std::cmp::Reverse(time(one)));
        found.truncate(usize::try_from(bound("limit")).unwrap());
        found.into()
    }

    fn search(&self, asked: &ReceivedRequest) -> Value {
        let number = |name: &str| asked.parameter(name).parse::<usize>().unwrap();
        let (page, limit) = (number("page"), number("limit"));
        let one = |number: usize| {
            json!({ "uid": format!("d{number}"), "title": format!("Dashboard {number}"), "type": "dash-db", "tags": ["slo"],
                    "url": format!("/d/d{number}/dashboard"), "isStarred": number == 0, "folderTitle": "Shop" })
        };
        let visible = if self.lacks.contains("dashboards:read") { 0 } else { self.dashboards };
        (0..visible).skip((page - 1) * limit).take(limit).map(one).collect()
    }
}

/// Whether an active silence with equality matchers matches.
fn silences(silence: &Value, labels: &Value) -> bool {
    let matchers = silence["matchers"].as_array().unwrap();
    silence["status"]["state"] == "active"
        && matchers.iter().all(|one| labels[one["name"].as_str().unwrap()] == one["value"])
}
