//! Tests of incident lists: pagination, cached incidents, and invalid answers.

use std::sync::Mutex;

use super::*;
use crate::model::ask::Query;
use crate::model::incident::{IncidentStatus, Urgency};
use crate::model::warning::Warning;

#[tokio::test]
async fn an_incident_keeps_all_that_is_told_of_it() {
    let double = Double::start(|asked| {
        if !is_about(asked, "triggered") {
            return quiet(asked);
        }
        let mut full = incident("Q1", "acknowledged");
        let more = json!({
            "escalation_policy": thing("escalation_policy", "PEP", "Payments"),
            "teams": [thing("team", "PT", "Payments")],
            "assignments": [{"at": "2026-08-20T09:39:00+00:00", "assignee": thing("user", "PJO", "Jo")},
                            {"at": "2026-08-20T09:33:10Z", "assignee": thing("user", "PANA", "Ana")}],
            "acknowledgements": [{"at": "2026-08-20T11:36:10+02:00", "acknowledger": thing("user", "PANA", "Ana")}],
            "alert_counts": {"all": 14, "triggered": 12, "resolved": 2},
            "pending_actions": [{"type": "unacknowledge", "at": "2026-08-20T10:36:10Z"}],
            "incident_key": "key-4711",
            "conference_bridge": {"conference_number": "+1-415", "conference_url": "https://meet.example.org/x"},
            "html_url": "https://example.pagerduty.com/incidents/Q1",
        });
        full.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        page(asked, "incidents", &[full])
    })
    .await;
    let reply = pagerduty(&double).answer(&Query::Incidents.now(), None).await.unwrap();
    assert_eq!(reply.requests, 3);
    let snapshot = snapshot(Ok(reply));
    let incident = one(&snapshot, "Q1");
    assert_eq!((incident.number, incident.status), (4711, IncidentStatus::Acknowledged));
    assert_eq!(incident.priority.as_ref().map(|p| (&*p.named.name, p.rank)), Some(("P2", Some(2))));
    let offered: Vec<_> = snapshot.priorities.iter().map(|p| (&*p.named.name, p.rank)).collect();
    assert_eq!(offered, [("P1", Some(1)), ("P2", Some(2))], "also those that no incident has");
    assert_eq!(incident.service.as_ref().map(|service| &*service.name), Some("checkout-api"));
    assert_eq!(incident.escalation_policy.as_ref().map(|policy| &*policy.id), Some("PEP"));
    assert_eq!(&*incident.teams[0].name, "Payments");
    let assigned: Vec<_> = incident.assigned.iter().map(|stamp| &*stamp.who.name).collect();
    assert_eq!(assigned, ["Ana", "Jo"], "the latest last");
    assert_eq!(incident.time_to_acknowledge(), Some(Duration::from_secs(180)));
    assert_eq!((incident.alerts.all, incident.alerts.triggered), (14, 12));
    assert_eq!(&*incident.pending[0].what, "unacknowledge");
    assert_eq!(incident.key.as_deref(), Some("key-4711"));
    assert_eq!(incident.conference.as_deref(), Some("https://meet.example.org/x"));
    assert_eq!(incident.url.as_deref(), Some("https://example.pagerduty.com/incidents/Q1"));
    assert!(snapshot.warnings.is_empty(), "{:?}", snapshot.warnings);
}

#[tokio::test]
async fn all_pages_are_read_and_each_incident_is_there_once() {
    let double = Double::start(|asked| {
        let mut all: Vec<_> = (0..734).map(|i| incident(&format!("Q{i}"), "triggered")).collect();
        // moved to the next page while the pages were read
        all.insert(100, incident("Q99", "triggered"));
        if is_about(asked, "triggered") { page(asked, "incidents", &all) } else { quiet(asked) }
    })
    .await;
    let snapshot = snapshot(pagerduty(&double).answer(&Query::Incidents.now(), None).await);
    assert_eq!((snapshot.incidents.len(), snapshot.warnings.len()), (734, 0));
}

#[tokio::test]
async fn a_list_that_never_ends_is_cut_and_says_so() {
    // every page has new incidents, without an end
    let endless = Double::start(|asked| {
        if asked.path != "/incidents" {
            return quiet(asked);
        }
        let offset: usize = asked.parameter("offset").parse().unwrap();
        let status = asked.parameter("statuses[]");
        let items: Vec<_> =
            (offset..offset + 100).map(|i| incident(&format!("{status}{i}"), status)).collect();
        json(&json!({"incidents": items, "limit": 100, "offset": offset, "more": true}))
    })
    .await;
    let all = snapshot(pagerduty(&endless).answer(&Query::Incidents.now(), None).await);
    assert_eq!(all.incidents.len(), 10_000 + 2_000);
    let warnings = names(&all.warnings);
    assert!(warnings.contains("the oldest are not shown"), "{warnings}");
    assert!(warnings.contains("those resolved before 2026-08-20T09:50:00Z"), "{warnings}");
    // a server that ignores the offset
    let stuck = Double::start(|asked| match asked.path.as_str() {
        "/incidents" => {
            json(&json!({"incidents": [incident("Q1", asked.parameter("statuses[]"))], "more": true}))
        }
        _ => quiet(asked),
    })
    .await;
    let all = snapshot(pagerduty(&stuck).answer(&Query::Incidents.now(), None).await);
    assert_eq!((all.incidents.len(), all.warnings.len()), (1, 2));
    assert!(stuck.asked().len() < 10, "{}", stuck.asked().len());
    // a server that reports more pages although there are none
    let hollow = Double::start(|asked| match asked.path.as_str() {
        "/incidents" => json(&json!({"incidents": [], "more": true, "limit": 1})),
        _ => quiet(asked),
    })
    .await;
    assert!(snapshot(pagerduty(&hollow).answer(&Query::Incidents.now(), None).await).incidents.is_empty());
    assert!(hollow.asked().len() < 6);
}

#[tokio::test]
async fn a_server_that_gives_smaller_pages_is_read_without_holes() {
    let double = Double::start(|asked| {
        if !is_about(asked, "triggered") {
            return quiet(asked);
        }
        let offset: usize = asked.parameter("offset").parse().unwrap();
        let items: Vec<_> =
            (offset..(offset + 25).min(130)).map(|i| incident(&format!("Q{i}"), "triggered")).collect();
        json(&json!({"incidents": items, "limit": 25, "offset": offset, "more": offset + 25 < 130}))
    })
    .await;
    assert_eq!(snapshot(pagerduty(&double).answer(&Query::Incidents.now(), None).await).incidents.len(), 130);
}

#[tokio::test]
async fn the_same_incidents_are_unchanged_and_a_look_costs_two_requests() {
    let turn = Mutex::new(0);
    let double = Double::start(move |asked| {
        if !is_about(asked, "triggered") {
            return quiet(asked);
        }
        let mut turn = turn.lock().unwrap();
        *turn += 1;
        let status = if *turn < 3 { "triggered" } else { "acknowledged" };
        page(asked, "incidents", &[incident("Q1", status)])
    })
    .await;
    let source = pagerduty(&double);
    let first = source.answer(&Query::Incidents.now(), None).await.unwrap();
    assert!(first.digest.is_some() && first.bytes_in > 300);
    let second = source.answer(&Query::Incidents.now(), first.digest).await.unwrap();
    assert!(matches!(second.answer, Answer::Unchanged));
    assert_eq!((second.digest, second.requests), (first.digest, 2), "priorities are kept");
    let third = source.answer(&Query::Incidents.now(), first.digest).await.unwrap();
    assert!(matches!(third.answer, Answer::Incidents(_)) && third.digest != first.digest);
}

#[tokio::test]
async fn what_became_of_an_incident_that_left_the_open_list_is_looked_up() {
    let turn = Mutex::new(0);
    let double = Double::start(move |asked| {
        let mut turn = turn.lock().unwrap();
        if is_about(asked, "triggered") {
            *turn += 1;
            let mut old = incident("OLD", "acknowledged");
            old["created_at"] = json!("2025-01-01T00:00:00Z");
            old["acknowledgements"] =
                json!([{"at": "2025-01-01T00:05:00Z", "acknowledger": thing("user", "PANA", "Ana")}]);
            let all = [old, incident("GONE", "triggered"), incident("SLIPPED", "triggered")];
            return page(asked, "incidents", if *turn == 1 { &all } else { &[] });
        }
        match asked.path.as_str() {
            "/incidents/OLD" => json(&json!({"incident": incident("OLD", "resolved")})),
            "/incidents/GONE" => refused(404),
            "/incidents/SLIPPED" => json(&json!({"incident": incident("SLIPPED", "triggered")})),
            _ => quiet(asked),
        }
    })
    .await;
    let source = pagerduty(&double);
    assert_eq!(snapshot(source.answer(&Query::Incidents.now(), None).await).incidents.len(), 3);
    let later = snapshot(source.answer(&Query::Incidents.now(), None).await);
    let states: Vec<_> = later.incidents.iter().map(|one| (&*one.id, one.status)).collect();
    assert_eq!(states, [("OLD", IncidentStatus::Resolved), ("SLIPPED", IncidentStatus::Triggered)]);
    assert_eq!(&*one(&later, "OLD").acknowledged[0].who.name, "Ana", "told only while it is open");
    // SLIPPED is not in the list and is looked up again
    let again = snapshot(source.answer(&Query::Incidents.now(), None).await);
    assert_eq!(one(&again, "SLIPPED").status, IncidentStatus::Triggered);
}

#[tokio::test]
async fn one_that_cannot_be_looked_up_stays_as_it_was_with_a_warning() {
    let turn = Mutex::new(0);
    let double = Double::start(move |asked| {
        let mut turn = turn.lock().unwrap();
        if is_about(asked, "triggered") {
            *turn += 1;
            let all = vec![incident("Q1", "triggered"); usize::from(*turn == 1)];
            return page(asked, "incidents", &all);
        }
        if asked.path == "/incidents/Q1" { refused(500) } else { quiet(asked) }
    })
    .await;
    let source = pagerduty(&double);
    source.answer(&Query::Incidents.now(), None).await.unwrap();
    let later = snapshot(source.answer(&Query::Incidents.now(), None).await);
    assert_eq!(one(&later, "Q1").status, IncidentStatus::Triggered);
    assert!(names(&later.warnings).contains("no longer open"), "{:?}", later.warnings);
}

#[tokio::test]
async fn priorities_that_cannot_be_read_are_told_as_long_as_the_others_are_kept() {
    let double = Double::start(|asked| {
        let ranks = [thing("priority", "P1ID", "P1"), json!(7), json!(null)];
        if asked.path == "/priorities" { whole("priorities", &ranks) } else { quiet(asked) }
    })
    .await;
    let source = pagerduty(&double);
    for _ in 0..2 {
        let reply = source.answer(&Query::Incidents.now(), None).await.unwrap();
        assert_eq!(reply.warnings, [Warning::missing("2 priorities could not be read and are left out")]);
    }
    assert_eq!(double.asked().iter().filter(|asked| asked.path == "/priorities").count(), 1);
}

#[tokio::test]
async fn odd_incidents_are_read_as_far_as_they_go() {
    let double = Double::start(|asked| {
        let odd = [
            json!({"id": "A", "status": "snoozed", "urgency": "severe", "priority": null, "incident_number": "12",
                   "teams": null, "service": [], "title": null, "created_at": "yesterday", "new": {"x": [1]}}),
            json!({"id": "B", "status": "triaged", "acknowledgements": [{"at": null, "acknowledger": {"id": "U"}}, 7, null]}),
            json!({"id": 77, "status": "triggered", "urgency": "low", "summary": "[#1] from its summary"}),
            json!({"status": "triggered"}),
            json!("no incident at all"),
        ];
        if is_about(asked, "triggered") { whole("incidents", &odd) } else { quiet(asked) }
    })
    .await;
    let reply = pagerduty(&double).answer(&Query::Incidents.now(), None).await.unwrap();
    assert_eq!(reply.warnings, [Warning::missing("2 open incidents could not be read and are left out")]);
    let snapshot = snapshot(Ok(reply));
    assert_eq!(snapshot.incidents.len(), 3);
    let odd = one(&snapshot, "A");
    assert_eq!((odd.status, odd.urgency, odd.number), (IncidentStatus::Triggered, Urgency::High, 12));
    assert_eq!((odd.priority.clone(), odd.service.clone(), &*odd.title), (None, None, "A"));
    assert_eq!(odd.created_at, Timestamp::UNIX_EPOCH);
    assert_eq!(one(&snapshot, "B").status, IncidentStatus::Acknowledged);
    assert_eq!(
        (&*one(&snapshot, "77").title, one(&snapshot, "77").urgency),
        ("[#1] from its summary", Urgency::Low)
    );
}

#[tokio::test]
async fn texts_come_in_as_they_are() {
    let evil = "\u{1b}]0;owned\u{7}\u{202e}x";
    let double = Double::start(move |asked| {
        let mut hostile = incident("Q1", "triggered");
        hostile["title"] = json!(format!("{evil}{}", "x".repeat(20_000)));
        hostile["service"] = thing("service", evil, evil);
        hostile["assignments"] =
            json!([{"at": "2026-08-20T09:39:00Z", "assignee": thing("user", evil, evil)}]);
        hostile["pending_actions"] = json!([{"type": evil, "at": "2026-08-20T09:39:00Z"}]);
        for key in ["incident_key", "html_url"] {
            hostile[key] = json!(evil);
        }
        hostile["conference_bridge"] = json!({"conference_url": evil});
        match asked.path.as_str() {
            "/incidents" => whole("incidents", &[hostile]),
            "/incidents/Q1/notes" => {
                json(&json!({"notes": [{"content": format!("a\n{evil}"), "user": thing("user", "U", evil)}]}))
            }
            "/incidents/Q1/log_entries" => json(
                &json!({"log_entries": [{"type": evil, "summary": evil, "agent": thing("user", "U", evil),
                "channel": {"type": evil}}]}),
            ),
            "/incidents/Q1/alerts" => {
                json(&json!({"alerts": [{"id": evil, "summary": evil, "severity": evil, "alert_key": evil,
                "body": {"contexts": [{"href": format!("https://x/{evil}"), "text": evil}],
                         "details": {evil: evil, "firing": format!("Labels:\n - {evil} = {evil}\n")}}}]}))
            }
            _ => quiet(asked),
        }
    })
    .await;
    let source = pagerduty(&double);
    let all = snapshot(source.answer(&Query::Incidents.now(), None).await);
    assert!(all.incidents[0].title.starts_with(evil));
    let one = detail(source.answer(&Query::Incident { id: "Q1".into() }.now(), None).await);
    assert_eq!(*one.notes[0].content, format!("a\n{evil}"));
    let mut texts: Vec<String> = vec![one.alerts[0].labels.value(evil).to_owned()];
    let incident = &all.incidents[0];
    texts.extend(incident.service.iter().flat_map(|s| [s.id.to_string(), s.name.to_string()]));
    texts.extend([incident.pending[0].what.to_string(), incident.assigned[0].who.name.to_string()]);
    texts.extend(
        [&incident.key, &incident.url, &incident.conference].into_iter().flatten().map(ToString::to_string),
    );
    texts.extend([
        one.steps[0].kind.to_string(),
        one.steps[0].summary.to_string(),
        one.notes[0].who.to_string(),
    ]);
    texts.extend(one.alerts[0].details.iter().flat_map(|(n, v)| [n.to_string(), v.to_string()]));
    texts.extend(one.alerts[0].links.iter().flat_map(|(n, v)| [n.to_string(), v.to_string()]));
    texts.retain(|text| text != "firing" && text != "alert");
    assert!(texts.len() > 12 && texts.iter().all(|text| text.contains(evil)), "{texts:?}");
}

#[tokio::test]
async fn an_account_without_priorities_is_well_and_one_that_hides_them_says_so() {
    for (status, warned) in [(402, false), (404, false), (403, true)] {
        let double = Double::start(move |asked| match asked.path.as_str() {
            "/priorities" => refused(status),
            "/incidents" => whole("incidents", &[incident("Q1", asked.parameter("statuses[]"))]),
            _ => quiet(asked),
        })
        .await;
        let snapshot = snapshot(pagerduty(&double).answer(&Query::Incidents.now(), None).await);
        assert_eq!(one(&snapshot, "Q1").priority.as_ref().map(|p| p.rank), Some(None));
        assert_eq!(!snapshot.warnings.is_empty(), warned, "{status}: {:?}", snapshot.warnings);
    }
}

#[tokio::test]
async fn without_the_resolved_ones_the_open_ones_are_still_shown() {
    let double = Double::start(|asked| {
        if is_about(asked, "resolved") {
            return refused(500);
        }
        if is_about(asked, "triggered") {
            page(asked, "incidents", &[incident("Q1", "triggered")])
        } else {
            quiet(asked)
        }
    })
    .await;
    let snapshot = snapshot(pagerduty(&double).answer(&Query::Incidents.now(), None).await);
    assert_eq!(snapshot.incidents.len(), 1);
    assert_eq!(names(&snapshot.warnings), "resolved incidents not available: 500: No: not this time");
}

#[tokio::test]
async fn refusals_are_told_apart_and_a_wait_is_honoured() {
    let ask = async |canned: CannedResponse| {
        let double = Double::start(move |_| canned.clone()).await;
        pagerduty(&double).answer(&Query::Incidents.now(), None).await.unwrap_err()
    };
    assert_eq!(ask(refused(401)).await.kind, ErrorKind::Unauthorised { message: "No: not this time".into() });
    assert_eq!(ask(refused(403)).await.kind, ErrorKind::Forbidden { message: "No: not this time".into() });
    let payment = ErrorKind::Refused { status: 402, message: "No: not this time".into() };
    assert_eq!(ask(refused(402)).await.kind, payment);
    let reported = ask(refused(429).header("Retry-After", "7").header("ratelimit-reset", "40")).await;
    assert_eq!(
        (reported.kind, reported.retry_after),
        (ErrorKind::RateLimited { message: "No: not this time".into() }, Some(Duration::from_secs(7)))
    );
    let reset = ask(refused(429).header("ratelimit-reset", "40")).await;
    assert_eq!(reset.retry_after, Some(Duration::from_secs(40)));
    assert_eq!(ask(refused(500).header("ratelimit-reset", "40")).await.retry_after, None);
    for canned in [
        CannedResponse::new(200, "text/html", "<html>"),
        CannedResponse::json(r#"{"data": []}"#),
        CannedResponse::json(r#"{"incidents": [{"id": "Q"#),
        CannedResponse::new(404, "text/plain", "404 page not found"),
    ] {
        let error = ask(canned).await;
        assert!(matches!(error.kind, ErrorKind::Garbled { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_list_whose_later_page_does_not_come_loses_nothing_and_says_why() {
    static FAILS: Mutex<bool> = Mutex::new(true);
    let double = Double::start(|asked| {
        let all: Vec<_> = (0..500).map(|i| incident(&format!("Q{i}"), "triggered")).collect();
        match (is_about(asked, "triggered"), asked.parameter("offset")) {
            (true, "200") if *FAILS.lock().unwrap() => refused(500),
            (true, _) => page(asked, "incidents", &all),
            _ => quiet(asked),
        }
    })
    .await;
    let source = pagerduty(&double);
    for (fails, count) in [(true, 200), (false, 500), (true, 500)] {
        *FAILS.lock().unwrap() = fails;
        let all = snapshot(source.answer(&Query::Incidents.now(), None).await);
        assert_eq!(all.incidents.len(), count);
        assert_eq!(all.warnings.iter().any(Warning::is_missing_data), fails, "{:?}", all.warnings);
        assert_eq!(names(&all.warnings).contains("(500"), fails, "{:?}", all.warnings);
    }
}

#[tokio::test]
async fn a_list_is_partial_from_the_first_incident_beyond_what_can_be_read() {
    for (count, is_partial) in [(9_999, false), (10_000, false), (10_001, true)] {
        let double = Double::start(move |asked| match asked.path.as_str() {
            "/incidents" if is_about(asked, "triggered") => {
                let offset: usize = asked.parameter("offset").parse().unwrap_or(0);
                let items: Vec<_> =
                    (offset..count.min(offset + 100)).map(|i| incident(&format!("Q{i}"), "triggered")).collect();
                json(&json!({ "incidents": items, "limit": 100, "offset": offset, "more": offset + 100 < count }))
            }
            _ => quiet(asked),
        })
        .await;
        let all = snapshot(pagerduty(&double).answer(&Query::Incidents.now(), None).await);
        assert_eq!(all.incidents.len(), count.min(10_000));
        assert_eq!(all.warnings.iter().any(Warning::is_missing_data), is_partial, "{count}");
    }
}
