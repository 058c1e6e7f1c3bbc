//! Rules, alerts and silences.

use serde_json::json;

use super::*;
use crate::model::action::{Action, ActionResult, ActionTarget, Operation, SilenceDraft};
use crate::model::ask::{QueryRange, SeriesKey};
use crate::model::fingerprint::Fingerprint;
use crate::model::matcher::parse;
use crate::model::series::TimeGrid;

/// Rules in all states.
fn mixed() -> Vec<RuleOf> {
    let mut rules = vec![
        RuleOf::new(1, &["Alerting", "Normal", "Pending"]),
        RuleOf::new(2, &["Pending"]),
        RuleOf::new(3, &["Recovering"]),
        RuleOf::new(4, &["Normal", "Normal"]),
        RuleOf::new(5, &["NoData"]),
        RuleOf::new(6, &["Error"]),
    ];
    rules[4].health = "nodata";
    rules[5].health = "error";
    rules
}

async fn started(rules: Vec<RuleOf>) -> GrafanaDouble {
    GrafanaDouble::start(GrafanaState { rules, ..GrafanaState::default() }).await
}

#[tokio::test]
async fn the_alerts_of_rules_and_alertmanager_are_the_same_alerts() {
    let double = started(mixed()).await;
    let source = double.source();
    let (snapshot, warnings) = rules(&source).await;
    assert_eq!(warnings, Vec::<String>::new());
    let expected = [
        ("Rule 1", AlertState::Firing),
        ("Rule 1", AlertState::Pending),
        ("Rule 2", AlertState::Pending),
        ("Rule 3", AlertState::Firing),
    ];
    assert_eq!(states(&snapshot.alerts), expected);
    let (listed, _) = alerts(&source).await;
    let expected = [
        ("DatasourceError", AlertState::Firing),
        ("DatasourceNoData", AlertState::Firing),
        ("Rule 1", AlertState::Firing),
        ("Rule 3", AlertState::Firing),
    ];
    assert_eq!(states(&listed), expected);
    for alert in snapshot.alerts.iter().filter(|alert| alert.is_firing()) {
        assert_eq!(alert.fingerprint, Fingerprint::of(&alert.labels));
        let same = listed.iter().find(|other| other.fingerprint == alert.fingerprint);
        let same = same.unwrap_or_else(|| panic!("{}", alert.labels));
        assert_eq!((&same.generator_url, same.starts_at), (&alert.generator_url, alert.starts_at));
        assert!(!alert.labels.value("__alert_rule_uid__").is_empty());
    }
}

#[tokio::test]
async fn a_rule_has_its_expression_with_the_threshold_and_an_alert_the_value_that_is_compared() {
    let double = started(mixed()).await;
    let (snapshot, _) = rules(&double.source()).await;
    let is_it = |alert: &&Arc<Alert>| alert.is_firing() && alert.name() == "Rule 1";
    let alert = snapshot.alerts.iter().find(is_it).unwrap();
    let rule = snapshot.rule_of(&alert.labels).unwrap();
    assert_eq!((&*rule.name, &*rule.group), ("Rule 1", "Shop / group-0000"));
    assert_eq!(&*rule.expr, "(sum by (instance) (rate(errors_1_total[5m]))) > 5");
    assert_eq!(rule.hold, Duration::from_secs(300));
    // the result of the condition is 1; the annotation has the value of the query
    assert_eq!(alert.value, Some(7.5));
    // the series have neither the labels of the rule nor the folder
    let series = crate::model::promql::series_labels(&alert.labels, &rule.labels);
    assert_eq!(series.to_string(), r#"{instance="host-1-0"}"#);
}

#[tokio::test]
async fn rules_without_a_result_are_failing_rules_and_their_alerts_say_what_they_are_about() {
    let double = started(mixed()).await;
    let source = double.source();
    let (snapshot, _) = rules(&source).await;
    let broken: Vec<_> = snapshot.broken.iter().map(|rule| (&*rule.name, &*rule.error)).collect();
    let error = "failed to execute query A: context deadline exceeded";
    assert_eq!(broken, [("Rule 5", "its query returns no data"), ("Rule 6", error)]);
    let (listed, _) = alerts(&source).await;
    let about = |name: &str| listed.iter().find(|alert| alert.name() == name).unwrap();
    let no_data = about("DatasourceNoData");
    let words = "the alert rule Rule 5 has no data (query A, data source prom): its alerts cannot fire";
    assert_eq!(no_data.summary().map(|words| &**words), Some(words));
    assert_eq!(no_data.annotations.value("summary_of_the_rule"), "7 errors per second");
    assert!(about("DatasourceError").summary().unwrap().contains("Rule 6 cannot be evaluated"));
    // it leads to its rule
    assert_eq!(
        &*snapshot.rule_of(&no_data.labels).unwrap().expr,
        "(sum by (instance) (rate(errors_5_total[5m]))) > 5"
    );
}

#[tokio::test]
async fn an_alert_links_its_rule_its_dashboard_and_its_panel_also_below_a_sub_path() {
    let double = started(mixed()).await;
    let (listed, _) = alerts(&double.source()).await;
    let alert = listed.iter().find(|alert| alert.name() == "Rule 1").unwrap();
    let url = &double.double.url;
    assert_eq!(alert.generator_url.as_deref(), Some(&*format!("{url}/alerting/grafana/rule00001/view")));
    assert_eq!(alert.annotations.value("dashboard"), format!("{url}/d/checkout"));
    assert_eq!(alert.annotations.value("panel"), format!("{url}/d/checkout?viewPanel=4"));
    let below = double.source_at("/monitoring/grafana/");
    assert_eq!(&*below.page("/monitoring/grafana/d/x"), format!("{url}/monitoring/grafana/d/x"));
    assert_eq!(&*below.page("/d/x"), format!("{url}/monitoring/grafana/d/x"));
}

#[tokio::test]
async fn older_versions_without_pages_states_and_filters_give_the_same_rules() {
    let state = GrafanaState {
        rules: mixed(),
        has_pages: false,
        knows_recovering: false,
        knows_health: false,
        version: "11.0.0",
        ..GrafanaState::default()
    };
    let double = GrafanaDouble::start(state).await;
    let source = double.source();
    let (snapshot, warnings) = rules(&source).await;
    assert_eq!(warnings, Vec::<String>::new());
    let names: Vec<_> = snapshot.broken.iter().map(|rule| &*rule.name).collect();
    assert_eq!(names, ["Rule 5", "Rule 6"]);
    // a recovering instance cannot be asked for there: the Alertmanager still lists it
    assert!(states(&snapshot.alerts).contains(&("Rule 1", AlertState::Pending)));
    assert!(states(&alerts(&source).await.0).contains(&("Rule 3", AlertState::Firing)));
    let refusals = double.double.asked().iter().filter(|asked| asked.query.contains("recovering")).count();
    assert_eq!(refusals, 1);
}

#[tokio::test]
async fn the_chart_of_a_rule_is_asked_at_the_data_source_of_the_rule() {
    let double = started(mixed()).await;
    let answer = json!({ "status": "success", "data": { "resultType": "matrix", "result": [
        { "metric": { "instance": "host-1-0" }, "values": [[1_800_000_000, "7"]] } ] } });
    double.state().fault =
        Some(("/api/datasources/proxy/uid/prom/api/v1/", CannedResponse::json(&answer.to_string())));
    let source = double.source();
    rules(&source).await;
    let window =
        TimeGrid::ending(NOW.parse().unwrap(), Duration::from_secs(3600), 60, Duration::from_secs(60));
    let series = |query: &str| Query::Series {
        series: SeriesKey::over(query.into(), window),
        time_range: QueryRange { window, tail: window },
    };
    let query = "(sum by (instance) (rate(errors_1_total[5m]))) and on (instance) label_replace(vector(1), \"instance\", \
                 \"host-1-0\", \"\", \"\")";
    let Answer::Series(matrix) = ask(&source, series(query)).await.answer else { panic!() };
    assert!(format!("{matrix:?}").contains("host-1-0"));
    let asked = double.double.asked();
    let asked = asked.iter().find(|asked| asked.path.ends_with("query_range")).unwrap();
    assert_eq!(asked.header("authorization"), Some("Bearer glsa_secret"));
    let unknown = source.answer(&series("up").now(), None).await.unwrap_err();
    assert!(unknown.kind.to_string().contains("no known rule has this expression"), "{unknown}");
}

fn draft(matchers: &str) -> SilenceDraft {
    SilenceDraft {
        matchers: parse(matchers).unwrap(),
        starts_at: None,
        ends_at: "2027-01-15T09:00:00Z".parse().unwrap(),
        created_by: "ana".into(),
        comment: "deploy".into(),
    }
}

fn action(id: &str, operation: Operation) -> Action {
    let target = ActionTarget { id: id.into(), name: "".into(), seen: None };
    Action { source: SourceId::new("grafana"), target, operation }
}

async fn silence_ids(source: &Grafana) -> Vec<(String, String)> {
    let Answer::Silences(silences) = ask(source, Query::Silences).await.answer else { panic!() };
    silences.iter().map(|one| (one.id.to_string(), one.state.word().to_owned())).collect()
}

#[tokio::test]
async fn a_silence_is_created_extended_edited_and_expired() {
    let double = started(mixed()).await;
    let source = double.source();
    let matchers = r#"__alert_rule_uid__="rule00001",instance="host-1-0""#;
    let create = action("", Operation::Silence { draft: draft(matchers) });
    assert_eq!(source.requests(&create).len(), 1);
    let done = source.execute(&create).await.unwrap();
    assert_eq!(done, ActionResult::Done { id: Some("silence-1".into()) });
    let silenced = |alerts: &[Arc<Alert>]| {
        let its = alerts.iter().filter(|alert| alert.state == AlertState::Silenced);
        its.map(|alert| alert.labels.value("instance").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(silenced(&alerts(&source).await.0), ["host-1-0"]);
    let until = "2027-01-15T10:00:00Z".parse().unwrap();
    source.execute(&action("silence-1", Operation::Extend { until })).await.unwrap();
    assert_eq!(double.state().silences[0]["endsAt"], "2027-01-15T10:00:00.000Z");
    let edit =
        Operation::Edit { draft: SilenceDraft { comment: "longer".into(), ..draft(matchers) }, seen: None };
    source.execute(&action("silence-1", edit)).await.unwrap();
    assert_eq!(double.state().silences[0]["comment"], "longer");
    source.execute(&action("silence-1", Operation::Expire)).await.unwrap();
    assert_eq!(silence_ids(&source).await, [("silence-1".to_owned(), "expired".to_owned())]);
    let again = source.execute(&action("silence-1", Operation::Expire)).await.unwrap();
    assert!(matches!(again, ActionResult::Already { .. }), "{again:?}");
    let gone = source.execute(&action("silence-9", Operation::Expire)).await.unwrap();
    assert!(matches!(gone, ActionResult::Conflict { .. }), "{gone:?}");
}

#[tokio::test]
async fn without_the_right_for_all_alerts_a_silence_needs_the_uid_of_its_rule_and_that_is_said() {
    let double = started(mixed()).await;
    double.state().lacks.insert("org-wide silences");
    let source = double.source();
    let wide = action("", Operation::Silence { draft: draft(r#"service="checkout""#) });
    let refused = source.execute(&wide).await.unwrap_err();
    assert!(!refused.is_unclear);
    let said = refused.error.to_string();
    assert!(said.contains("alert.instances:create") && said.contains("__alert_rule_uid__"), "{said}");
    let narrow = action("", Operation::Silence { draft: draft(r#"__alert_rule_uid__="rule00001""#) });
    source.execute(&narrow).await.unwrap();
    assert_eq!(silence_ids(&source).await.len(), 1);
}

#[tokio::test]
async fn an_unclear_silence_is_found_by_reading() {
    let double = started(mixed()).await;
    let source = double.source();
    let create = action("", Operation::Silence { draft: draft(r#"service="checkout""#) });
    let sent_at = NOW.parse().unwrap();
    let before = source.verify(&create, sent_at).await.unwrap();
    assert!(matches!(before, crate::model::action::Verification::NotDone), "{before:?}");
    source.execute(&create).await.unwrap();
    let after = source.verify(&create, sent_at).await.unwrap();
    let id = Some("silence-1".into());
    assert_eq!(after, crate::model::action::Verification::Done { id });
}

#[tokio::test]
async fn hostile_answers_lose_only_what_cannot_be_read() {
    let instance = json!({ "labels": { "alertname": "A", "x": 7 }, "state": "Alerting (Error)", "activeAt": 12, "value": {} });
    for (rules, expected, lost) in [
        (
            json!([{ "name": "A", "uid": "a", "state": "firing", "alerts": [instance, 7, null] }, "odd", { "uid": "b" }]),
            1,
            true,
        ),
        (json!({ "not": "a list" }), 0, true),
        (json!(null), 0, false),
        (json!([{ "name": "A", "totals": { "alerting": "many" }, "labels": [], "alerts": "none" }]), 0, true),
    ] {
        let answer = json!({ "status": "success", "data": { "groups": [{ "name": "g", "rules": rules }] } });
        let double = started(Vec::new()).await;
        double.state().fault = Some(("/api/v1/rules", CannedResponse::json(&answer.to_string())));
        let (snapshot, warnings) = super::rules(&double.source()).await;
        assert_eq!(
            (snapshot.alerts.len(), warnings.iter().any(|one| one.contains("read"))),
            (expected, lost),
            "{answer} {warnings:?}"
        );
        if let Some(alert) = snapshot.alerts.first() {
            assert_eq!(alert.annotations.value("grafana_state"), "Alerting (Error)");
        }
    }
    for (body, words) in [
        ("<html><title>Sign in</title></html>".to_owned(), "a login page"),
        (String::new(), "an empty answer"),
        (r#"{"status":"success","data":"#.to_owned(), "cut off"),
        (json!({ "status": "error", "error": "database is locked" }).to_string(), "database is locked"),
        ("{}".to_owned(), "not an answer of Grafana's rules"),
    ] {
        let double = started(Vec::new()).await;
        double.state().fault = Some(("/api/v1/rules", CannedResponse::json(&body)));
        let error = double.source().answer(&Query::Rules.now(), None).await.unwrap_err().to_string();
        assert!(error.contains(words), "{body}: {error}");
    }
}
