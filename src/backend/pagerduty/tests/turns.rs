//! Tests of policies and shifts: levels, gaps, overrides, and the current user.

use super::*;
use crate::model::ask::Query;
use crate::model::oncall::{EscalationTarget, Shift};
use crate::model::warning::Warning;

fn policy(id: &str, name: &str, service: &str) -> Value {
    json!({
        "id": id, "type": "escalation_policy", "name": name, "summary": name, "num_loops": 2,
        "html_url": format!("https://example.pagerduty.com/escalation_policies/{id}"),
        "teams": [thing("team", "PT", "Payments")], "services": [thing("service", service, "checkout-api")],
        "escalation_rules": [
            {"id": "R1", "escalation_delay_in_minutes": 15, "targets": [thing("schedule", "PS1", "Primary")]},
            {"id": "R2", "escalation_delay_in_minutes": 30, "targets": [thing("user", "PJO", "Jo"), {"id": "X", "type": "pigeon"}]},
        ],
    })
}

fn turn(
    policy: &str,
    level: u64,
    user: &str,
    schedule: Option<&str>,
    from: Option<&str>,
    to: Option<&str>,
) -> Value {
    json!({
        "escalation_policy": thing("escalation_policy", policy, policy), "escalation_level": level,
        "schedule": schedule.map(|id| thing("schedule", id, id)), "start": from, "end": to,
        "user": {"id": user, "type": "user", "name": user, "email": format!("{user}@example.org"), "time_zone": "Asia/Tokyo"},
    })
}

fn account(asked: &ReceivedRequest) -> CannedResponse {
    let oncalls = [
        turn("PE1", 2, "PJO", None, None, None),
        turn("PE1", 1, "PBO", Some("PS1"), Some("2026-08-20T08:00:00Z"), Some("2026-08-20T20:00:00Z")),
        turn("PE1", 1, "PANA", Some("PS1"), Some("2026-08-20T20:00:00+00:00"), Some("2026-08-27T08:00:00Z")),
        turn("PELSE", 1, "PBO", None, None, None),
        json!({"escalation_level": 1, "user": null}),
    ];
    match asked.path.as_str() {
        "/escalation_policies" => page(
            asked,
            "escalation_policies",
            &[policy("PE1", "Payments", "PSVC"), policy("PE0", "Empty", "POTHER")],
        ),
        "/oncalls" => page(asked, "oncalls", &oncalls),
        "/schedules" => page(
            asked,
            "schedules",
            &[
                json!({"id": "PS1", "overrides_subschedule": {"rendered_schedule_entries": [
            {"start": "2026-08-20T10:00:00Z", "end": "2026-08-20T20:00:00Z", "user": thing("user", "PBO", "Bo")}]}}),
                json!({"id": "PS2", "overrides_subschedule": null}),
            ],
        ),
        _ => quiet(asked),
    }
}

#[tokio::test]
async fn levels_turns_and_stand_ins_are_read_and_a_gap_stays_one() {
    let double = Double::start(account).await;
    let source = pagerduty(&double);
    let reply = source.answer(&Query::OnCall.now(), None).await.unwrap();
    let (known, requests) = (reply.digest, reply.requests);
    let snapshot = turns(Ok(reply));
    assert_eq!(requests, 4);
    let policies: Vec<_> = snapshot.policies.iter().map(|policy| &*policy.named.name).collect();
    assert_eq!(policies, ["Empty", "Payments"]);
    let policy = &snapshot.policies[1];
    assert_eq!((policy.repeats, &*policy.teams[0].name, &*policy.services[0].id), (2, "Payments", "PSVC"));
    let delays: Vec<_> =
        policy.levels.iter().map(|level| (level.number, level.delay.as_secs() / 60)).collect();
    assert_eq!(delays, [(1, 15), (2, 30)]);
    assert!(
        matches!(&policy.levels[0].targets[..], [EscalationTarget::Schedule(named)] if &*named.name == "Primary")
    );
    assert!(
        matches!(&policy.levels[1].targets[..], [EscalationTarget::Person(person)] if &*person.name == "Jo")
    );
    assert!(names(&snapshot.warnings).contains("a target of an unknown type (pigeon)"));
    let who = |shift: &Shift| format!("{} {} {}", shift.level, shift.person.id, shift.is_override);
    let shifts: Vec<_> = snapshot.shifts.iter().map(who).collect();
    assert_eq!(shifts, ["1 PBO true", "1 PANA false", "2 PJO false"]);
    assert_eq!(snapshot.on_call("PE1", 1, now()).map(|shift| &*shift.person.id).collect::<Vec<_>>(), ["PBO"]);
    assert_eq!(snapshot.on_call("PE0", 1, now()).count(), 0);
    assert_eq!(snapshot.shifts[2].schedule, None);
    assert_eq!(snapshot.shifts[0].person.zone.as_deref(), Some("Asia/Tokyo"));
    assert_eq!(
        snapshot.me.as_ref().map(|me| (&*me.id, me.zone.as_deref())),
        Some(("PANA", Some("Europe/Lisbon")))
    );
    assert_eq!((snapshot.from, snapshot.until), (at("2026-08-20T10:00:00Z"), at("2026-08-27T11:00:00Z")));
    let again = source.answer(&Query::OnCall.now(), known).await.unwrap();
    assert!(matches!(again.answer, Answer::Unchanged));
    assert_eq!(again.requests, 3, "who one is changes seldom");
}

#[tokio::test]
async fn a_thousand_turns_are_read_to_the_last_page() {
    let double = Double::start(|asked| {
        let all: Vec<_> = (0..1010).map(|i| turn("PE1", 1, &format!("U{i}"), None, None, None)).collect();
        if asked.path == "/oncalls" { page(asked, "oncalls", &all) } else { account(asked) }
    })
    .await;
    let snapshot = turns(pagerduty(&double).answer(&Query::OnCall.now(), None).await);
    assert_eq!(snapshot.on_call("PE1", 1, now()).count(), 1010);
}

#[tokio::test]
async fn only_the_turns_of_the_chosen_services_are_asked_for() {
    let double = Double::start(account).await;
    let source = connected(&double, set("services", vec!["PSVC"]), Clock::fixed(now()));
    let snapshot = turns(source.answer(&Query::OnCall.now(), None).await);
    assert_eq!((snapshot.policies.len(), snapshot.shifts.len()), (1, 3));
    let asked = double.asked();
    let oncalls = asked.iter().find(|asked| asked.path == "/oncalls").unwrap();
    assert_eq!(oncalls.parameter("escalation_policy_ids[]"), "PE1");
    // and no user at all rather than a wrong one
    let double = Double::start(account).await;
    let source = connected(&double, set("services", vec!["PNONE"]), Clock::fixed(now()));
    let snapshot = turns(source.answer(&Query::OnCall.now(), None).await);
    assert!(snapshot.policies.is_empty() && snapshot.shifts.is_empty());
    assert!(!double.asked().iter().any(|asked| asked.path == "/oncalls"));
}

#[tokio::test]
async fn without_schedules_or_users_turns_are_still_shown() {
    let double = Double::start(|asked| match asked.path.as_str() {
        "/schedules" => refused(403),
        "/users/me" => refused(500),
        _ => account(asked),
    })
    .await;
    let snapshot = turns(pagerduty(&double).answer(&Query::OnCall.now(), None).await);
    assert_eq!((snapshot.shifts.len(), &snapshot.me), (3, &None));
    let warnings = names(&snapshot.warnings);
    assert!(warnings.contains("overrides not available: 403"), "{warnings}");
    assert!(warnings.contains("your user not available: 500"), "{warnings}");
}

#[tokio::test]
async fn stand_ins_that_cannot_be_read_are_told() {
    let double = Double::start(|asked| {
        let (start, end) = ("2026-08-20T10:00:00Z", "2026-08-20T20:00:00Z");
        let entries = json!([
            {"start": start, "end": end, "user": thing("user", "PBO", "Bo")},
            {"start": "soon", "end": end, "user": thing("user", "PBO", "Bo")},
            {"start": start, "end": end, "user": null},
            null,
        ]);
        let schedule = json!({"id": "PS1", "overrides_subschedule": {"rendered_schedule_entries": entries}});
        match asked.path.as_str() {
            "/schedules" => page(asked, "schedules", &[schedule, json!("no schedule")]),
            _ => account(asked),
        }
    })
    .await;
    let snapshot = turns(pagerduty(&double).answer(&Query::OnCall.now(), None).await);
    let reported = ["schedules", "overrides"].map(|what| {
        let count = if what == "schedules" { 1 } else { 3 };
        Warning::missing(format!("{count} {what} could not be read and are left out"))
    });
    let missing: Vec<_> =
        snapshot.warnings.iter().filter(|warning| warning.is_missing_data()).cloned().collect();
    assert_eq!(missing, reported);
    assert!(snapshot.shifts.iter().any(|shift| shift.is_override), "the one that can be read counts");
}
