//! Held against the vendor's own description, if this machine has it: every request is valid by it, every example that it
//! gives is read without loss, and so are recorded answers.

use std::collections::BTreeSet;

use super::*;
use crate::model::ask::Query;
use crate::model::tests::shared::shared;

/// A file of the vendor, if it is there.
fn found(path: &str) -> Option<Value> {
    let text = std::fs::read_to_string(shared()?.join(path)).ok()?;
    Some(serde_json::from_str(&text).unwrap())
}

pub(super) struct Description(Value);

impl Description {
    pub(super) fn find() -> Option<Self> {
        found("specs/pagerduty.json").map(Self)
    }

    /// What a `$ref` stands for.
    fn there<'a>(&'a self, value: &'a Value) -> &'a Value {
        let reference = value.get("$ref").and_then(Value::as_str);
        reference.map_or(value, |to| self.there(self.0.pointer(to.strip_prefix('#').unwrap()).unwrap()))
    }

    /// The path of the description that a real path is an instance of; one without parameters first.
    fn path(&self, real: &str) -> Option<&String> {
        let real: Vec<_> = real.split('/').collect();
        let fits = |path: &&String| {
            let parts: Vec<_> = path.split('/').collect();
            parts.len() == real.len()
                && parts.iter().zip(&real).all(|(part, real)| part == real || part.starts_with('{'))
        };
        let paths = self.0["paths"].as_object().unwrap().keys().filter(fits);
        paths.min_by_key(|path| path.matches('{').count())
    }

    /// What is wrong with a request, if anything.
    pub(super) fn trouble(&self, asked: &Asked) -> Option<String> {
        let Some(path) = self.path(&asked.path) else { return Some(format!("no path {}", asked.path)) };
        let item = &self.0["paths"][path];
        let Some(operation) = item.get(asked.method.to_lowercase()) else {
            return Some(format!("no {} {path}", asked.method));
        };
        let lists = [item.get("parameters"), operation.get("parameters")].into_iter().flatten();
        let known: Vec<_> =
            lists.flat_map(|list| list.as_array().unwrap()).map(|one| self.there(one)).collect();
        let in_query = |one: &&&Value| one["in"] == "query";
        for (name, value) in &asked.parameters {
            let Some(parameter) = known.iter().filter(in_query).find(|one| one["name"] == **name) else {
                return Some(format!("{path} has no parameter {name}"));
            };
            let schema = self.there(&parameter["schema"]);
            let one = if schema["type"] == "array" { self.there(&schema["items"]) } else { schema };
            let is_wrong = match one["type"].as_str() {
                Some("integer") => value.parse::<i64>().is_err(),
                Some("boolean") => !matches!(value.as_str(), "true" | "false"),
                _ if one["format"] == "date-time" => {
                    value.parse::<Timestamp>().is_err() || !value.ends_with('Z')
                }
                _ => one["enum"].as_array().is_some_and(|words| !words.iter().any(|word| *word == **value)),
            };
            let at_most = [("maximum", 1), ("minimum", -1)].into_iter().any(|(key, sign)| {
                let bound = one[key].as_i64().map(|bound| bound * sign);
                bound.zip(value.parse::<i64>().ok()).is_some_and(|(bound, number)| number * sign > bound)
            });
            let repeats = asked.parameters.iter().filter(|(other, _)| other == name).count();
            if is_wrong || at_most || (repeats > 1 && schema["type"] != "array") {
                return Some(format!("{path}: {name} = {value}"));
            }
        }
        let content =
            &self.there(operation.get("requestBody").unwrap_or(&Value::Null))["content"]["application/json"];
        if content.is_object() || !asked.body.is_empty() {
            let (mut wrong, body) = (Vec::new(), asked.json());
            self.against(&content["schema"], &body, "", &mut wrong);
            let mut examples = BTreeSet::new();
            names(content, &mut examples);
            self.strangers(&content["schema"], &body, "", &examples, &mut wrong);
            if !wrong.is_empty() {
                return Some(format!("{} {path}: {}", asked.method, wrong.join("; ")));
            }
        }
        let required = known.iter().filter(|one| one["required"] == true && one["in"] != "path");
        let is_there = |one: &&Value| {
            let name = one["name"].as_str().unwrap();
            asked.parameters.iter().any(|(known, _)| known == name)
                || asked.header(&name.to_lowercase()).is_some()
        };
        required.copied().find(|one| !is_there(one)).map(|one| format!("{path} needs {}", one["name"]))
    }

    /// What a value breaks of a schema: types, needed fields, words, bounds.
    fn against(&self, schema: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
        let schema = self.there(schema);
        let is_type = match schema["type"].as_str() {
            Some("object") => value.is_object(),
            Some("array") => value.is_array(),
            Some("string") => value.is_string(),
            Some("integer") => value.is_i64(),
            Some("boolean") => value.is_boolean(),
            _ => true,
        };
        if !is_type {
            wrong.push(format!("{at} is no {}", schema["type"]));
        }
        if schema["enum"].as_array().is_some_and(|words| !words.contains(value)) {
            wrong.push(format!("{at} is none of {}", schema["enum"]));
        }
        let number = value.as_i64();
        let is_beyond = |bound: &str, sign: i64| {
            schema[bound].as_i64().zip(number).is_some_and(|(bound, number)| number * sign > bound * sign)
        };
        if is_beyond("maximum", 1) || is_beyond("minimum", -1) {
            wrong.push(format!("{at} is out of bounds"));
        }
        let text = value.as_str();
        if schema["format"] == "date-time" && text.is_some_and(|text| text.parse::<Timestamp>().is_err()) {
            wrong.push(format!("{at} is no moment"));
        }
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if value.get(name).is_none() {
                wrong.push(format!("{at} lacks {name}"));
            }
        }
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            if let Some(value) = value.get(name) {
                self.against(property, value, &format!("{at}/{name}"), wrong);
            }
        }
        for value in value.as_array().into_iter().flatten().filter(|_| schema["items"].is_object()) {
            self.against(&schema["items"], value, &format!("{at}[]"), wrong);
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.against(part, value, at, wrong);
        }
        let fits = |one: &Value| {
            let mut wrong = Vec::new();
            self.against(one, value, at, &mut wrong);
            wrong.is_empty()
        };
        if schema["oneOf"].as_array().is_some_and(|all| all.iter().filter(|one| fits(one)).count() != 1) {
            wrong.push(format!("{at} is not one of several forms"));
        }
    }

    /// Fields that neither the schema nor an example knows.
    fn strangers(
        &self,
        schema: &Value,
        value: &Value,
        at: &str,
        examples: &BTreeSet<String>,
        wrong: &mut Vec<String>,
    ) {
        let mut known = Vec::new();
        self.properties(schema, &mut known);
        for (name, value) in value.as_object().into_iter().flatten() {
            let place = format!("{at}/{name}");
            match known.iter().find(|(known, _)| *known == name) {
                Some((_, schema)) => self.strangers(schema, value, &place, examples, wrong),
                None if examples.contains(name) => {}
                None => wrong.push(format!("{place} is unknown")),
            }
        }
        for value in value.as_array().into_iter().flatten() {
            self.strangers(&self.there(schema)["items"], value, at, examples, wrong);
        }
    }

    fn properties<'a>(&'a self, schema: &'a Value, known: &mut Vec<(&'a String, &'a Value)>) {
        let schema = self.there(schema);
        known.extend(schema["properties"].as_object().into_iter().flatten());
        for key in ["allOf", "oneOf", "anyOf"] {
            schema[key].as_array().into_iter().flatten().for_each(|part| self.properties(part, known));
        }
    }

    /// The examples of what a GET of this path answers.
    fn examples(&self, path: &str) -> Vec<Value> {
        let responses = self.0["paths"][path]["get"]["responses"].as_object().unwrap();
        let good = responses.iter().filter(|(status, _)| status.starts_with('2'));
        let contents = good.map(|(_, response)| &self.there(response)["content"]["application/json"]);
        let named = contents.filter_map(|content| content["examples"].as_object());
        let all: Vec<_> = named
            .flat_map(|examples| examples.values())
            .map(|one| self.there(one)["value"].clone())
            .collect();
        assert!(!all.is_empty(), "{path}");
        all
    }
}

/// The names of all fields in the examples of a request.
fn names(content: &Value, found: &mut BTreeSet<String>) {
    fn all(value: &Value, found: &mut BTreeSet<String>) {
        for (name, value) in value.as_object().into_iter().flatten() {
            found.insert(name.clone());
            all(value, found);
        }
        value.as_array().into_iter().flatten().for_each(|value| all(value, found));
    }
    all(&content["examples"], found);
}

/// An account that answers with examples, each at its path.
async fn examples(by_path: Vec<(&'static str, Value)>) -> Double {
    Double::start(move |asked| {
        let example = by_path.iter().find(|(path, _)| *path == asked.path);
        example.map_or_else(|| quiet(asked), |(_, value)| json(value))
    })
    .await
}

/// The texts and numbers of these fields, wherever they are.
fn leaves<'a>(value: &'a Value, keys: &[&str], found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                found.extend(value.as_str().filter(|text| keys.contains(&&**key) && !text.is_empty()));
                leaves(value, keys, found);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| leaves(value, keys, found)),
        _ => {}
    }
}

/// Every text under these keys is somewhere in what was understood.
fn without_loss(example: &Value, keys: &[&str], understood: &str) {
    let mut texts = BTreeSet::new();
    leaves(example, keys, &mut texts);
    assert!(!texts.is_empty(), "{example}");
    for text in texts {
        let shown = format!("{text:?}");
        assert!(understood.contains(shown.trim_matches('"')), "{text:?} is not in {understood}");
    }
}

#[tokio::test]
async fn every_request_is_valid_by_the_vendors_description() {
    let Some(description) = Description::find() else { return };
    let turn = std::sync::Mutex::new(0);
    let double = Double::start(move |asked| match asked.path.as_str() {
        "/users/me" => refused(400),
        "/incidents" if is_about(asked, "triggered") => {
            // another each time, so that the one before is looked up
            let mut turn = turn.lock().unwrap();
            *turn += 1;
            let all: Vec<_> = (*turn..*turn + 150).map(|i| incident(&format!("Q{i}"), "triggered")).collect();
            page(asked, "incidents", &all)
        }
        "/escalation_policies" => {
            whole("escalation_policies", &[json!({"id": "PE1", "services": [{"id": "PS"}]})])
        }
        _ => quiet(asked),
    })
    .await;
    let plain = pagerduty(&double);
    let narrow = |source: &mut SourceSettings| {
        set("from", "ana@example.org")(source);
        set("teams", vec!["PT", "PU"])(source);
        set("services", vec!["PS"])(source);
    };
    let narrow = connected(&double, narrow, Clock::fixed(now()));
    for source in [&plain, &narrow] {
        for ask in [
            Query::Probe.now(),
            Query::Incidents.now(),
            Query::Incidents.now(),
            Query::Incident { id: "Q1".into() }.now(),
            Query::Steps { since: now() }.now(),
            Query::OnCall.now(),
        ] {
            source.answer(&ask, None).await.unwrap();
        }
    }
    let asked = double.asked();
    assert!(asked.len() > 25 && asked.iter().any(|asked| asked.path.starts_with("/incidents/Q")));
    assert!(asked.iter().any(|asked| asked.path == "/log_entries"));
    let troubles: Vec<_> = asked.iter().filter_map(|asked| description.trouble(asked)).collect();
    assert_eq!(troubles, Vec::<String>::new());
}

#[test]
fn a_wrong_request_does_not_pass_the_description() {
    let Some(description) = Description::find() else { return };
    let asked = |path: &str, name: &str, value: &str| Asked {
        method: "GET".into(),
        path: path.into(),
        parameters: vec![(name.into(), value.into())],
        ..Asked::default()
    };
    for wrong in [
        asked("/incident", "limit", "1"),
        asked("/incidents", "limit", "many"),
        asked("/incidents", "statuses[]", "open"),
        asked("/incidents", "status", "triggered"),
        asked("/oncalls", "since", "2026-08-20T10:00:00"),
        asked("/incidents/Q1/past_incidents", "limit", "1000"),
        Asked { method: "PATCH".into(), ..asked("/incidents", "limit", "1") },
    ] {
        assert!(description.trouble(&wrong).is_some(), "{wrong:?}");
    }
    assert_eq!(description.trouble(&asked("/incidents", "limit", "100")), None);
}

fn in_2015() -> Timestamp {
    at("2015-10-07T00:00:00Z")
}

#[tokio::test]
async fn every_example_of_an_incident_is_read_without_loss() {
    let Some(description) = Description::find() else { return };
    let mut all = description.examples("/incidents");
    all.extend(found("corpus/pagerduty/rest/get_incidents.json"));
    for example in all {
        let double = examples(vec![("/incidents", example.clone())]).await;
        let clock = if example.to_string().contains("2015-10-06") { in_2015() } else { now() };
        let board = board(
            connected(&double, |_| {}, Clock::fixed(clock)).answer(&Query::Incidents.now(), None).await,
        );
        assert_eq!(board.incidents.len(), example["incidents"].as_array().unwrap().len());
        let incidents = example["incidents"].as_array().unwrap();
        for (incident, wire) in board.incidents.iter().zip(incidents) {
            assert_eq!(wire["incident_number"], incident.number);
            assert_eq!(wire["status"], incident.status.word());
            assert_eq!(wire["urgency"], incident.urgency.word());
            assert_eq!(wire["alert_counts"]["all"], incident.alerts.all);
        }
        let keys = ["id", "title", "incident_key", "conference_url", "created_at", "at", "resolved_at"];
        for wire in incidents {
            let mut wire = wire.clone();
            for passed_over in [
                "first_trigger_log_entry",
                "last_status_change_by",
                "incidents_responders",
                "responder_requests",
            ] {
                wire.as_object_mut().unwrap().remove(passed_over);
            }
            without_loss(&wire, &keys, &format!("{board:?}"));
        }
    }
}

#[tokio::test]
async fn every_example_of_a_detail_is_read_without_loss() {
    let Some(description) = Description::find() else { return };
    let parts = ["log_entries", "notes", "alerts", "past_incidents"];
    let mut all: Vec<(&str, Value)> = Vec::new();
    for part in parts {
        let examples = description.examples(&format!("/incidents/{{id}}/{part}"));
        all.extend(examples.into_iter().map(|example| (part, example)));
    }
    all.extend(
        found("corpus/pagerduty/rest/get_incidents_id_log_entries.json")
            .map(|entries| ("log_entries", entries)),
    );
    for (file, part) in [("alerts", "alerts"), ("notes", "notes")] {
        let recorded = found(&format!("corpus/pagerduty/srepd-{file}.json"));
        let by_incident =
            recorded.as_ref().and_then(Value::as_object).into_iter().flat_map(|all| all.values());
        all.extend(by_incident.map(|list| (part, json!({ part: list }))));
    }
    for (part, example) in all {
        let path = match part {
            "log_entries" => "/incidents/QX/log_entries",
            "notes" => "/incidents/QX/notes",
            "alerts" => "/incidents/QX/alerts",
            _ => "/incidents/QX/past_incidents",
        };
        let double = examples(vec![(path, example.clone())]).await;
        let detail =
            detail(pagerduty(&double).answer(&Query::Incident { id: "QX".into() }.now(), None).await);
        let count = detail.steps.len() + detail.notes.len() + detail.alerts.len() + detail.past.len();
        assert_eq!(count, example[part].as_array().unwrap().len(), "{part}");
        for wire in example[part].as_array().unwrap() {
            let mut wire = wire.clone();
            for passed_over in
                ["service", "incident", "teams", "integration", "contexts", "event_details", "id"]
            {
                if part != "past_incidents" {
                    wire.as_object_mut().unwrap().remove(passed_over);
                }
            }
            let keys = [
                "title",
                "content",
                "summary",
                "alert_key",
                "severity",
                "firing",
                "customKey",
                "customKey2",
                "link",
                "num_firing",
                "notes",
                "cluster_id",
            ];
            if let Some(user) = wire.get_mut("channel") {
                // where a note was written: not kept
                *user = json!({"type": user["type"]});
            }
            without_loss(&wire, &keys, &format!("{detail:?}"));
        }
        for alert in &detail.alerts {
            if alert.details.get("firing").is_some_and(|firing| firing.contains("alertname")) {
                assert!(alert.labels.get("alertname").is_some(), "{alert:?}");
                assert!(alert.labels.get("description").is_none(), "{alert:?}");
            }
        }
    }
}

#[tokio::test]
async fn every_example_of_policies_and_turns_is_read_without_loss() {
    let Some(description) = Description::find() else { return };
    let mut all = Vec::new();
    for path in ["/escalation_policies", "/oncalls", "/schedules"] {
        all.extend(description.examples(path).into_iter().map(|example| (path, example)));
    }
    for (path, file) in [
        ("/escalation_policies", "get_escalation_policies"),
        ("/oncalls", "get_oncalls"),
        ("/schedules", "get_schedules-Basic_Example"),
        ("/schedules", "get_schedules-With_Schedule_Layers"),
    ] {
        all.extend(found(&format!("corpus/pagerduty/rest/{file}.json")).map(|example| (path, example)));
    }
    for (path, example) in all {
        // turns are shown with their policy only
        let mut policies = BTreeSet::new();
        if path == "/oncalls" {
            let turns = example["oncalls"].as_array().unwrap().iter();
            policies.extend(turns.filter_map(|turn| turn["escalation_policy"]["id"].as_str()));
        }
        let policies: Vec<_> = policies.into_iter().map(|id| json!({"id": id, "summary": id})).collect();
        let policies = ("/escalation_policies", json!({"escalation_policies": policies}));
        let double = examples(vec![(path, example.clone()), policies]).await;
        let board = turns(pagerduty(&double).answer(&Query::OnCall.now(), None).await);
        assert!(board.warnings.is_empty(), "{:?}", board.warnings);
        match path {
            "/oncalls" => {
                assert_eq!(board.shifts.len(), example["oncalls"].as_array().unwrap().len());
                without_loss(&example, &["id", "email", "name"], &format!("{board:?}"));
            }
            "/escalation_policies" => {
                assert_eq!(board.policies.len(), example["escalation_policies"].as_array().unwrap().len());
                without_loss(&example["escalation_policies"], &["name", "summary"], &format!("{board:?}"));
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn examples_of_users_and_priorities_are_read() {
    let Some(description) = Description::find() else { return };
    let me = description.examples("/users/me").remove(0);
    let double = examples(vec![("/users/me", me.clone())]).await;
    let offer = offer(pagerduty(&double).answer(&Query::Probe.now(), None).await);
    assert!(format!("{offer:?}").contains(me["user"]["name"].as_str().unwrap()), "{offer:?}");
    let priorities = description.examples("/priorities").remove(0);
    let double = Double::start(move |asked| match asked.path.as_str() {
        "/priorities" => json(&priorities),
        "/incidents" => {
            let mut incident = incident("Q1", asked.parameter("statuses[]"));
            incident["priority"] = thing("priority", "PGE9YCZ", "P3");
            whole("incidents", &[incident])
        }
        _ => quiet(asked),
    })
    .await;
    let board = board(pagerduty(&double).answer(&Query::Incidents.now(), None).await);
    assert_eq!(one(&board, "Q1").priority.as_ref().and_then(|p| p.rank), Some(3));
}

#[tokio::test]
async fn recorded_incidents_of_a_terminal_client_are_read() {
    let Some(recorded) = found("corpus/pagerduty/srepd-incidents.json") else { return };
    let double = examples(vec![("/incidents", json!({"incidents": recorded}))]).await;
    let clock = Clock::fixed(at("2026-05-28T15:00:00Z"));
    let board = board(connected(&double, |_| {}, clock).answer(&Query::Incidents.now(), None).await);
    assert_eq!(board.incidents.len(), recorded.as_array().unwrap().len());
    without_loss(&recorded, &["id", "title", "summary"], &format!("{board:?}"));
}
