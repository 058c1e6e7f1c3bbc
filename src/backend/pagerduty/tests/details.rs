//! Tests of one incident: its parts, failures of single parts, and labels from the texts of senders.

use super::*;
use crate::backend::kit::firing_text;
use crate::model::ask::Query;

fn asked_for(id: &str) -> Ask {
    Query::Incident { id: id.into() }.now()
}

fn full(asked: &ReceivedRequest) -> CannedResponse {
    match asked.path.as_str() {
        "/incidents/Q1/log_entries" => page(
            asked,
            "log_entries",
            &[
                json!({"type": "field_value_change_log_entry", "created_at": "2026-08-20T09:50:00Z", "summary": "Changed",
                   "agent": thing("user", "PANA", "Ana"), "changeset": ["Updated priority to P1"]}),
                json!({"type": "acknowledge_log_entry", "created_at": "2026-08-20T09:36:00Z", "summary": "Acknowledged by Ana",
                   "agent": thing("user", "PANA", "Ana"), "channel": {"type": "web_trigger"}}),
                json!({"type": "notify_log_entry", "created_at": "2026-08-20T09:33:40Z", "summary": "Notified Ana",
                   "agent": thing("service", "PSVC", "checkout-api"), "user": thing("user", "PANA", "Ana"),
                   "channel": {"type": "auto", "notification": {"type": "push_notification"}}}),
                json!({"type": "assign_log_entry", "created_at": "2026-08-20T09:33:10Z", "summary": "Assigned",
                   "agent": thing("service", "PSVC", "checkout-api"), "assignees": [thing("user", "PANA", "Ana"), thing("user", "PJO", "Jo")]}),
                json!({"type": "trigger_log_entry", "created_at": "2026-08-20T09:33:10Z", "summary": "Triggered through the API",
                   "agent": thing("service", "PSVC", "checkout-api"), "channel": {"type": "api"}}),
            ],
        ),
        "/incidents/Q1/notes" => json(&json!({"notes": [
            {"content": "second", "created_at": "2026-08-20T11:45:00+02:00", "user": thing("user", "PJO", "Jo")},
            {"content": "first\nline", "created_at": "2026-08-20T09:41:00Z", "user": thing("bot_user", "B", "A rule")},
        ]})),
        "/incidents/Q1/alerts" => page(
            asked,
            "alerts",
            &[json!({
                "id": "A1", "status": "triggered", "summary": "[FIRING:2] HighErrorRate", "severity": "critical",
                "created_at": "2026-08-20T09:33:10Z", "alert_key": "abc", "html_url": "https://example.pagerduty.com/alerts/A1",
                "body": {
                    "contexts": [{"type": "link", "href": "https://grafana.example/d/1", "text": "Dashboard"},
                                 {"type": "image", "src": "https://grafana.example/1.png"}, {"type": "link"},
                                 {"type": "link", "href": "javascript:alert(1)", "text": "no"}],
                    "cef_details": {"client": "Alertmanager", "client_url": "https://am.example"},
                    "details": {"firing": "Labels:\n - alertname = HighErrorRate\n - pod = a\n - service = checkout\nAnnotations:\n - runbook_url = https://runbooks.example/HighErrorRate\nSource: https://prom.example/graph\nLabels:\n - alertname = HighErrorRate\n - pod = b\n - service = checkout\nAnnotations:\n - runbook_url = https://runbooks.example/HighErrorRate\nSource: https://prom.example/other\n",
                                "num_firing": 2, "resolved": "", "custom": {"deep": [1, "x"]}}
                },
            })],
        ),
        "/incidents/Q1/past_incidents" => json(&json!({"total": 2, "past_incidents": [
            {"incident": {"id": "Q0", "created_at": "2026-08-01T00:00:00Z", "title": "before"}, "score": 46.8249},
            {"incident": {"id": "Q00", "created_at": "2026-08-11T00:00:00Z", "title": "between"}, "score": 900},
            {"incident": {"id": "Q1", "title": "itself"}, "score": 1000}, {"score": 3},
        ]})),
        _ => quiet(asked),
    }
}

#[tokio::test]
async fn a_detail_has_its_steps_notes_alerts_and_past_in_order() {
    let double = Double::start(full).await;
    let source = pagerduty(&double);
    let reply = source.answer(&asked_for("Q1"), None).await.unwrap();
    let known = reply.digest;
    assert_eq!(reply.requests, 4);
    let detail = detail(Ok(reply));
    let steps: Vec<_> = detail
        .steps
        .iter()
        .map(|step| {
            format!(
                "{} {} {} {}",
                step.kind,
                step.who.as_deref().unwrap_or("-"),
                step.channel.as_deref().unwrap_or("-"),
                step.summary
            )
        })
        .collect();
    assert_eq!(
        steps,
        [
            "trigger checkout-api api Triggered through the API",
            "assign Ana, Jo - Assigned",
            "notify Ana push_notification Notified Ana",
            "acknowledge Ana web_trigger Acknowledged by Ana",
            "field_value_change Ana - Changed: Updated priority to P1",
        ]
    );
    let notes: Vec<_> = detail.notes.iter().map(|note| (&*note.who, &*note.content)).collect();
    assert_eq!(notes, [("A rule", "first\nline"), ("Jo", "second")]);
    let past: Vec<_> = detail.past.iter().map(|past| (&*past.id, past.likeness)).collect();
    assert_eq!(past, [("Q00", 900.0), ("Q0", 46.8249)]);
    let alert = &detail.alerts[0];
    assert_eq!(
        alert.labels.to_string(),
        r#"{alertname="HighErrorRate", service="checkout"}"#,
        "what both have"
    );
    assert_eq!(
        (alert.details.value("num_firing"), alert.details.value("custom")),
        ("2", r#"{"deep":[1,"x"]}"#)
    );
    let links: Vec<_> = alert.links.iter().map(|(name, url)| format!("{name} {url}")).collect();
    assert_eq!(
        links,
        [
            "Dashboard https://grafana.example/d/1",
            "image https://grafana.example/1.png",
            "Alertmanager https://am.example",
            "source https://prom.example/graph",
            "runbook_url https://runbooks.example/HighErrorRate",
            "alert https://example.pagerduty.com/alerts/A1",
        ]
    );
    assert_eq!(
        (alert.key.as_deref(), alert.severity.as_deref(), alert.is_resolved),
        (Some("abc"), Some("critical"), false)
    );
    assert!(detail.warnings.is_empty());
    let again = source.answer(&asked_for("Q1"), known).await.unwrap();
    assert!(matches!(again.answer, Answer::Unchanged));
}

#[tokio::test]
async fn each_part_may_fail_on_its_own() {
    for (part, status) in [("log_entries", 403), ("notes", 404), ("alerts", 500), ("past_incidents", 402)] {
        let double = Double::start(
            move |asked| {
                if asked.path.ends_with(part) { refused(status) } else { full(asked) }
            },
        )
        .await;
        let detail = detail(pagerduty(&double).answer(&asked_for("Q1"), None).await);
        let missing = [
            detail.steps.is_empty(),
            detail.notes.is_empty(),
            detail.alerts.is_empty(),
            detail.past.is_empty(),
        ];
        assert_eq!(missing.iter().filter(|is_missing| **is_missing).count(), 1, "{part}");
        assert!(names(&detail.warnings).contains(&status.to_string()), "{:?}", detail.warnings);
    }
    let double =
        Double::start(|asked| if asked.path.ends_with("notes") { refused(429) } else { full(asked) }).await;
    let error = pagerduty(&double).answer(&asked_for("Q1"), None).await.unwrap_err();
    assert_eq!(
        error.kind,
        ErrorKind::RateLimited { message: "No: not this time".into() },
        "the source has to wait as a whole"
    );
}

#[tokio::test]
async fn an_incident_that_is_not_there_is_an_error_and_a_path_is_no_id() {
    let double = Double::start(|_| refused(404)).await;
    let source = pagerduty(&double);
    let error = source.answer(&asked_for("Q1"), None).await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::Refused { status: 404, .. }), "{error}");
    let asked = double.asked().len();
    for id in ["", "../users", "a/b", "Q1?x=1", "Q 1"] {
        let error = source.answer(&asked_for(id), None).await.unwrap_err();
        assert!(matches!(error.kind, ErrorKind::BadQuery { .. }), "{error}");
    }
    assert_eq!(double.asked().len(), asked);
    let error = source.answer(&Query::Alerts.now(), None).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotOffered { what: "alerts".into() });
}

#[tokio::test]
async fn thousands_of_steps_are_cut_and_it_is_said() {
    let double = Double::start(|asked| {
        let step = |i| json!({"type": "notify_log_entry", "created_at": "2026-08-20T09:33:10Z", "summary": format!("{i}")});
        let all: Vec<_> = (0..1500).map(step).collect();
        if asked.path.ends_with("log_entries") { page(asked, "log_entries", &all) } else { full(asked) }
    })
    .await;
    let detail = detail(pagerduty(&double).answer(&asked_for("Q1"), None).await);
    assert_eq!(
        (detail.steps.len(), names(&detail.warnings)),
        (1000, "timeline: only the first 1000 are shown".into())
    );
}

#[test]
fn each_alert_of_a_page_has_its_labels_also_where_the_text_was_cut() {
    fn one(name: &str) -> String {
        format!(
            "Labels:\n - alertname = {name}\n - service = checkout\nAnnotations:\n - summary = s\nSource: http://p/{name}\n"
        )
    }
    // Grafana adds other text around the labels
    fn of_grafana(name: &str) -> String {
        format!("\nValue: B=7\n{}Silence: https://g/silence\nDashboard: https://g/d\n", one(name))
    }
    let mut interner = Interner::default();
    let mut each = |details: &Value| {
        firing_text::of_details(details, &mut interner)
            .each
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    let labels = |name: &str| format!(r#"{{alertname="{name}", service="checkout"}}"#);
    for text in [one as fn(&str) -> String, of_grafana] {
        let all: String = ["A", "B", "C"].iter().map(|name| text(name)).collect();
        let details = json!({"firing": all, "num_firing": "3", "num_resolved": "2", "resolved": one("Over")});
        assert_eq!(each(&details), ["A", "B", "C"].map(labels));
    }
    let cut = format!("{}{}", one("A"), "Labels:\n - alertname = B\n - service = chec");
    assert_eq!(each(&json!({"firing": cut})), [labels("A"), r#"{alertname="B"}"#.to_owned()]);
    // a custom text in Alertmanager's configuration
    let custom =
        json!({"alertname": "A", "service": "checkout", "num_firing": "1", "description": "no label"});
    assert_eq!(each(&custom), [labels("A")]);
    assert_eq!(each(&json!({"labels": {"alertname": "A", "service": "checkout"}})), [labels("A")]);
    for nothing in [json!({}), json!("text"), json!(null), json!({"firing": ""}), json!({"service": "x"})] {
        assert!(each(&nothing).is_empty(), "{nothing}");
    }
}

#[test]
fn labels_are_found_in_each_form_that_senders_write() {
    let mut interner = Interner::default();
    let mut read = |firing: &Value| {
        firing_text::of_details(&json!({ "firing": firing }), &mut interner).labels.to_string()
    };
    for (firing, labels) in [
        (
            json!(
                "Labels:\n - alertname = A - b\n - eq = x = y\n - empty = \nAnnotations:\n - description = no\nSource: x"
            ),
            r#"{alertname="A - b", eq="x = y"}"#,
        ),
        (
            json!(
                "Labels:\n - alertname = A\n - val = a\nb\n\n - c\n - z = 1\nAnnotations:\n - summary = x\ny\nSource: z\nmore"
            ),
            r#"{alertname="A", val="a\nb\n\n - c", z="1"}"#,
        ),
        (
            json!(
                "Value: A=1\nLabels:\n - alertname = Grafana\n - grafana_folder = F\nAnnotations:\nSource: http://g"
            ),
            r#"{alertname="Grafana", grafana_folder="F"}"#,
        ),
        (
            json!(
                "\n\n  - alertname: Down\n    cluster_id: \n    namespace: ns-1\n    description: it is: down\n\n"
            ),
            r#"{alertname="Down", namespace="ns-1"}"#,
        ),
        (
            json!([{"labels": {"alertname": "A", "pod": "1"}}, {"labels": {"alertname": "A", "pod": "2"}, "annotations": {"x": "y"}}]),
            r#"{alertname="A"}"#,
        ),
        (json!("just words"), "{}"),
        (json!(" - orphan = 1"), "{}"),
        (json!(7), "{}"),
        (json!(null), "{}"),
    ] {
        assert_eq!(read(&firing), labels, "{firing}");
    }
}
