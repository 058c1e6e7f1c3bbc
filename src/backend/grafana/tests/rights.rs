//! What the token lacks is named, and the rest works.

use super::*;
use crate::model::source::ProbeReport;

async fn probe(source: &Grafana) -> ProbeReport {
    match ask(source, Query::Probe).await.answer {
        Answer::Probe(report) => report,
        other => panic!("{other:?}"),
    }
}

async fn with(state: GrafanaState) -> GrafanaDouble {
    let rules = vec![RuleOf::new(1, &["Alerting"])];
    GrafanaDouble::start(GrafanaState { rules, dashboards: 3, ..state }).await
}

#[tokio::test]
async fn each_question_names_the_right_that_it_lacks_and_the_others_answer() {
    let all = || {
        [
            (Query::Rules, "alert.rules:read"),
            (Query::Alerts, "alert.instances:read"),
            (Query::Silences, "alert.instances:read"),
            (Query::Changes { since: "2027-01-01T00:00:00Z".parse().unwrap() }, "annotations:read"),
            (Query::DataSources, "datasources:read"),
        ]
    };
    for lacking in ["alert.rules:read", "alert.instances:read", "annotations:read", "datasources:read"] {
        let double = with(GrafanaState::default()).await;
        double.state().lacks.insert(lacking);
        let source = double.source();
        double.state().pages.insert("/api/datasources".into(), serde_json::json!([]));
        for (query, needed) in all() {
            let answer = source.answer(&query.now(), None).await;
            if needed == lacking {
                let error = answer.unwrap_err();
                assert!(matches!(error.kind, ErrorKind::Forbidden { .. }), "{error}");
                assert!(error.to_string().contains(lacking), "{error}");
            } else {
                assert!(answer.is_ok(), "{lacking} {needed}: {answer:?}");
            }
        }
    }
}

#[tokio::test]
async fn without_definitions_rules_have_no_threshold_and_that_is_said() {
    let double = with(GrafanaState::default()).await;
    double.state().lacks.insert("alert.provisioning:read");
    let source = double.source();
    let (snapshot, warnings) = rules(&source).await;
    assert_eq!(&*snapshot.rules[0].expr, "sum by (instance) (rate(errors_total[5m]))");
    assert!(warnings[0].contains("alert.provisioning:read"), "{warnings:?}");
    // the refusal is remembered
    rules(&source).await;
    let asked = double.double.asked().iter().filter(|asked| asked.path.contains("provisioning")).count();
    assert_eq!(asked, 1);
}

#[tokio::test]
async fn the_probe_lists_each_right() {
    let double = with(GrafanaState::default()).await;
    for right in ["annotations:read", "alert.instances:create", "alert.instances:write"] {
        double.state().lacks.insert(right);
    }
    let report = probe(&double.source()).await;
    assert_eq!((&*report.flavour, &*report.version), ("Grafana", "12.4.0"));
    let fact =
        |name: &str| report.facts.iter().find(|(own, _)| **own == *name).map(|(_, value)| value.to_string());
    assert_eq!(fact("organisation").as_deref(), Some("Main Org."));
    assert!(fact("rights").unwrap().contains("alert.rules:read, alert.instances:read"));
    assert!(
        report
            .warnings
            .iter()
            .any(|one| &**one == "the token lacks `annotations:read`: no annotations as changes")
    );
    assert!(report.refuses.unwrap().contains("alert.instances:create"));
    let double = with(GrafanaState { tells_rights: false, ..GrafanaState::default() }).await;
    let report = probe(&double.source()).await;
    assert!(report.warnings.is_empty() && report.refuses.is_none(), "{report:?}");
}

#[tokio::test]
async fn a_token_that_expires_a_login_page_and_a_wrong_sub_path_are_named() {
    let login = CannedResponse::new(200, "text/html", "<!DOCTYPE html><title>Grafana</title>");
    let redirect = CannedResponse::new(302, "text/html", "").header("Location", "/login?next=%2Fapi");
    let expired = CannedResponse::new(401, "application/json", r#"{"message":"Expired API key"}"#);
    let absent = CannedResponse::new(404, "text/html", "<html><title>404 Not Found</title></html>");
    for (fault, words) in [
        (login, "a login page, or another page than Grafana's API"),
        (redirect, "it redirects to 127.0.0.1/login"),
        (expired, "Expired API key: the token is not valid or has expired"),
        (absent, "check the address with its sub-path"),
    ] {
        let double = with(GrafanaState::default()).await;
        let source = double.source();
        ask(&source, Query::Probe).await;
        double.state().fault = Some(("/api/", fault));
        for query in [Query::Probe, Query::Rules, Query::Silences, Query::Dashboards] {
            let error = source.answer(&query.now(), None).await.unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}

#[tokio::test]
async fn the_organisation_is_sent_with_each_request() {
    let double = with(GrafanaState::default()).await;
    let mut settings = double.double.source("grafana");
    settings.own.insert("organisation".into(), toml::Value::Integer(7));
    let all = crate::config::settings::Settings::default();
    let deps = SourceDeps::new(&all, Clock::fixed(NOW.parse().unwrap()));
    let source = Grafana::new(&SourceId::new("grafana"), &settings, deps).unwrap();
    source.answer(&Query::Probe.now(), None).await.unwrap_err();
    let asked = double.double.asked();
    assert!(!asked.is_empty() && asked.iter().all(|asked| asked.header("x-grafana-org-id") == Some("7")));
}
