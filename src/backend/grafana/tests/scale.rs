//! Many rules and instances: bytes, requests, and what is said of the rest.

use super::*;

/// 10,000 rules with 50,000 instances, of which each `each`th rule fires with all five.
fn many(each: usize) -> Vec<RuleOf> {
    let states = |number: usize| if number.is_multiple_of(each) { ["Alerting"; 5] } else { ["Normal"; 5] };
    let mut rules: Vec<RuleOf> = (0..10_000).map(|number| RuleOf::new(number, &states(number))).collect();
    rules[7].health = "error";
    rules
}

/// The bytes and requests of one poll with all questions that every screen asks.
async fn poll(source: &Grafana) -> (u64, u32, Vec<String>) {
    let (mut bytes, mut requests, mut warnings) = (0, 0, Vec::new());
    for query in [Query::Probe, Query::Rules, Query::Alerts, Query::Silences] {
        let reply = ask(source, query).await;
        bytes += reply.bytes_in;
        requests += reply.requests;
        warnings.extend(reply.warnings.iter().map(|warning| warning.text.to_string()));
    }
    (bytes, requests, warnings)
}

#[tokio::test]
async fn ten_thousand_rules_with_fifty_thousand_instances_cost_less_than_a_megabyte_a_poll() {
    for (each, has_pages, is_whole) in
        [(500, true, true), (50, true, false), (1, true, false), (500, false, true)]
    {
        let state =
            GrafanaState { rules: many(each), has_pages, knows_health: has_pages, ..GrafanaState::default() };
        let double = GrafanaDouble::start(state).await;
        let source = double.source();
        let (bytes, requests, warnings) = poll(&source).await;
        assert!(bytes < 1_000_000, "{each}: {bytes} bytes in {requests} requests");
        assert!(requests < 60, "{each}: {requests} requests");
        let said = warnings.iter().any(|one| one.contains("are loaded") || one.contains("are listed"));
        let broken_is_unlisted = !has_pages;
        assert_eq!(said, !is_whole || broken_is_unlisted, "{each}: {warnings:?}");
        let (snapshot, _) = rules(&source).await;
        if is_whole {
            assert_eq!(snapshot.alerts.len(), 50_000 / each);
            let (listed, _) = alerts(&source).await;
            assert_eq!(listed.len(), 50_000 / each);
        } else {
            assert!(!snapshot.alerts.is_empty(), "{each}");
        }
    }
}

#[tokio::test]
async fn many_alerts_come_from_the_rules_with_the_silences_that_match_them() {
    let rules = (0..90).map(|number| RuleOf::new(number, &["Alerting"; 4])).collect();
    let double = GrafanaDouble::start(GrafanaState { rules, ..GrafanaState::default() }).await;
    double.state().silences.push(serde_json::json!({
        "id": "s1", "status": { "state": "active" }, "startsAt": "2027-01-15T07:00:00Z", "endsAt": "2027-01-15T09:00:00Z",
        "createdBy": "ana", "comment": "why", "matchers": [
            { "name": "__alert_rule_uid__", "value": "rule00003", "isRegex": false, "isEqual": true }],
    }));
    let source = double.source();
    let (listed, warnings) = alerts(&source).await;
    assert_eq!(listed.len(), 360);
    let silenced: Vec<_> = listed.iter().filter(|alert| alert.state == AlertState::Silenced).collect();
    assert_eq!(silenced.len(), 4);
    assert!(silenced.iter().all(|alert| alert.is_derived && *alert.silenced_by == ["s1".into()]));
    assert!(warnings.iter().any(|one| one.contains("found from the silences")), "{warnings:?}");
    assert!(double.double.asked().iter().all(|asked| !asked.path.ends_with("/alerts")));
}

#[tokio::test]
async fn a_server_that_repeats_its_token_or_a_page_that_fails_ends_the_list_and_that_is_said() {
    let page = serde_json::json!({ "status": "success", "data": { "groupNextToken": "again", "groups": [
        { "name": "g", "rules": [{ "name": "A", "uid": "a", "state": "firing" }] }] } });
    let double = GrafanaDouble::start(GrafanaState::default()).await;
    double.state().fault = Some(("/api/v1/rules", CannedResponse::json(&page.to_string())));
    let (_, warnings) = rules(&double.source()).await;
    assert!(warnings.iter().any(|one| one.contains("only the first")), "{warnings:?}");
    assert!(double.double.asked().len() < 12);
}

#[tokio::test]
async fn dashboards_are_read_page_by_page() {
    let double = GrafanaDouble::start(GrafanaState { dashboards: 2500, ..GrafanaState::default() }).await;
    let source = double.source();
    let Answer::Dashboards(list) = ask(&source, Query::Dashboards).await.answer else { panic!() };
    assert_eq!((list.entries.len(), list.notes.len()), (2500, 0));
    let first = &list.entries[0];
    assert_eq!(
        (&*first.title, first.folder.as_deref(), first.is_starred),
        ("Dashboard 0", Some("Shop"), true)
    );
    assert_eq!(first.url.as_deref(), Some(&*format!("{}/d/d0/dashboard", double.double.url)));
}
