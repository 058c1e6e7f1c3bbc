use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::model::labels::Labels;
use crate::model::source::SourceId;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + 60 * minute).unwrap()
}

fn change(minute: i64, kind: ChangeKind, service: &str, to: &str) -> Change {
    Change {
        service: Some(service.into()),
        to: (!to.is_empty()).then(|| to.into()),
        ..Change::new(at(minute), kind, "", SourceId::new("ci"))
    }
}

fn deploy(minute: i64, to: &str) -> Change {
    change(minute, ChangeKind::Deploy, "cart", to)
}

fn found(changes: Vec<Change>, incidents: &[(i64, Option<i64>)]) -> Vec<Deployment> {
    let changes: Vec<Arc<Change>> = changes.into_iter().map(Arc::new).collect();
    let incident = |(triggered, resolved): &(i64, Option<i64>)| ServiceIncident {
        service: "cart",
        triggered: at(*triggered),
        resolved: resolved.map(at),
    };
    deployments(&changes, &incidents.iter().map(incident).collect::<Vec<_>>())
}

fn failures(found: &[Deployment]) -> Vec<Option<(FailureReason, Option<Timestamp>)>> {
    found.iter().map(|one| one.failure.map(|failure| (failure.reason, failure.restored))).collect()
}

fn week() -> TimeRange {
    TimeRange { start: at(0), end: at(7 * 1440) }
}

/// Ten deployments in a week: one is rolled back after 20 minutes, one causes an incident of 50 minutes, one does not finish and is
/// repeated half an hour later.
#[test]
fn a_week_of_deployments_has_its_measures() {
    let mut changes: Vec<Change> = (0..10).map(|day| deploy(day * 900, &format!("1.{day}"))).collect();
    changes.push(change(900 + 20, ChangeKind::Rollback, "cart", "1.0"));
    changes[5].state = ChangeState::Failed;
    changes.push(deploy(5 * 900 + 30, "1.5"));
    changes[0].made_at = Some(at(-90));
    changes[1].made_at = Some(at(900 - 30));
    let found = found(changes, &[(3 * 900 + 10, Some(3 * 900 + 50))]);
    let all = &deliveries(&found, week())[0];
    assert_eq!((all.service.as_ref(), all.deployments, all.failures()), (None, 11, 3));
    assert!((all.per_day - 11.0 / 7.0).abs() < 1e-9);
    assert!((all.failure_rate().unwrap() - 3.0 / 11.0).abs() < 1e-9);
    let each = [FailureReason::Incident, FailureReason::RolledBack, FailureReason::NotDeployed];
    assert_eq!(all.failed, each.map(|reason| (reason, 1)).into());
    let restore = all.restore.typical.unwrap();
    assert_eq!((all.restore.counted, restore.median), (3, Duration::from_secs(30 * 60)));
    assert_eq!(restore.mean, Duration::from_secs((20 + 50 + 30) * 60 / 3));
    let (made, typical) = (all.to_production, all.to_production.typical.unwrap());
    assert_eq!((made.counted, made.left_out, typical.mean), (2, 9, Duration::from_secs(3600)));
}

#[test]
fn an_incident_belongs_to_the_last_deployment_within_the_hour_before() {
    let two = || vec![deploy(0, "1"), deploy(30, "2"), deploy(200, "3")];
    let failed = |minute| failures(&found(two(), &[(minute, None)]));
    let open = Some((FailureReason::Incident, None));
    assert_eq!(failed(40), [None, open, None]);
    assert_eq!(failed(30), [None, open, None]);
    assert_eq!(failed(29), [open, None, None]);
    assert_eq!(failed(90), [None, open, None]);
    assert_eq!(failed(91), [None, None, None]);
    assert_eq!(failed(-1), [None, None, None]);
    // restored when all of them are resolved
    let both = found(two(), &[(40, Some(70)), (45, Some(60))]);
    assert_eq!(failures(&both)[1], Some((FailureReason::Incident, Some(at(70)))));
    assert_eq!(failures(&found(two(), &[(40, Some(70)), (45, None)]))[1], open);
}

#[test]
fn a_rollback_belongs_to_the_last_deployment_within_the_day_before() {
    let rolled_back = |minute| {
        let rollback = change(minute, ChangeKind::Rollback, "cart", "0");
        failures(&found(vec![deploy(0, "1"), deploy(100, "2"), rollback], &[]))
    };
    let restored = |minute| Some((FailureReason::RolledBack, Some(at(minute))));
    assert_eq!(rolled_back(130), [None, restored(130)]);
    assert_eq!(rolled_back(90), [restored(90), None]);
    assert_eq!(rolled_back(100 + 1440), [None, restored(1540)]);
    assert_eq!(rolled_back(101 + 1440), [None, None]);
    // with an incident, service is restored when that is resolved
    let rollback = change(20, ChangeKind::Rollback, "cart", "0");
    let both = found(vec![deploy(0, "1"), rollback], &[(5, Some(45))]);
    assert_eq!(failures(&both), [Some((FailureReason::Incident, Some(at(45))))]);
}

#[test]
fn a_version_that_goes_from_region_to_region_is_one_deployment() {
    let to = |minute, region: &str| Change {
        labels: Labels::from_iter([("region", region)]),
        ..deploy(minute, "2")
    };
    let steps = || vec![to(0, "eu"), to(50, "us"), to(100, "ap")];
    let found_steps = found(steps(), &[(130, Some(140))]);
    assert_eq!(failures(&found_steps), [Some((FailureReason::Incident, Some(at(140))))]);
    assert_eq!(found_steps[0].at, at(0));
    // later it is a new one, as are versions that are not known
    assert_eq!(found(vec![to(0, "eu"), to(61, "us")], &[]).len(), 2);
    assert_eq!(found(vec![deploy(0, ""), deploy(5, "")], &[]).len(), 2);
    // a failed one is repeated, not continued
    let failed = Change { state: ChangeState::Failed, ..deploy(0, "2") };
    let repeated = found(vec![failed, deploy(10, "2")], &[]);
    assert_eq!(failures(&repeated), [Some((FailureReason::NotDeployed, Some(at(10)))), None]);
}

#[test]
fn the_push_of_a_commit_tells_when_the_change_was_made() {
    let commit = |change: Change| Change { labels: Labels::from_iter([("commit", "5b1f2a7")]), ..change };
    let push = commit(change(-45, ChangeKind::Other, "cart-repository", ""));
    let deployed = found(vec![push, commit(deploy(0, "main"))], &[]);
    assert_eq!(deployed[0].made_at, Some(at(-45)));
    // a change that was made after its deployment has a wrong time
    let wrong = Change { made_at: Some(at(3)), ..deploy(0, "1") };
    assert_eq!(found(vec![wrong], &[])[0].made_at, None);
}

#[test]
fn other_services_and_other_changes_are_no_failures() {
    let changes = vec![
        deploy(0, "1"),
        change(10, ChangeKind::Rollback, "search", "0"),
        change(10, ChangeKind::Restart, "cart", ""),
        Change { service: None, ..deploy(5, "9") },
    ];
    let found = found(changes, &[]);
    assert_eq!(failures(&found), [None]);
    let counts = deliveries(&found, week());
    let names: Vec<_> = counts.iter().map(|one| one.service.as_deref()).collect();
    assert_eq!((names, counts[0].failure_rate()), (vec![None, Some("cart")], Some(0.0)));
    assert_eq!(deliveries(&found, TimeRange { start: at(1), end: at(9) }), []);
}

const KINDS: [ChangeKind; 4] =
    [ChangeKind::Deploy, ChangeKind::Rollback, ChangeKind::Restart, ChangeKind::Other];

fn any_changes() -> impl Strategy<Value = Vec<Change>> {
    let one =
        (-2000..12_000_i64, 0..4_usize, 0..3_u8, 0..4_u8, 0..3_usize, prop::option::of(-5000..12_000_i64));
    let change =
        |(minute, kind, service, to, state, made): (i64, usize, u8, u8, usize, Option<i64>)| Change {
            state: ChangeState::ALL[state],
            made_at: made.map(at),
            ..change(minute, KINDS[kind], &format!("s{service}"), &to.to_string())
        };
    prop::collection::vec(one.prop_map(change), 0..40)
}

proptest! {
    #[test]
    fn the_parts_add_up_to_the_whole_in_any_order(
        changes in any_changes(), incidents in prop::collection::vec((0..3_u8, -2000..12_000_i64, prop::option::of(0..500_i64)), 0..10),
        turned in 0..40_usize,
    ) {
        let names: Vec<String> = incidents.iter().map(|(service, ..)| format!("s{service}")).collect();
        let incidents: Vec<ServiceIncident<'_>> = incidents.iter().zip(&names).map(|((_, minute, length), service)| {
            ServiceIncident { service, triggered: at(*minute), resolved: length.map(|length| at(minute + length)) }
        }).collect();
        let mut changes: Vec<Arc<Change>> = changes.into_iter().map(Arc::new).collect();
        let found = deployments(&changes, &incidents);
        let turn = turned.min(changes.len());
        changes.rotate_left(turn);
        prop_assert_eq!(&deployments(&changes, &incidents), &found);
        let counts = deliveries(&found, week());
        if let Some((all, services)) = counts.split_first() {
            prop_assert_eq!(services.iter().map(|one| one.deployments).sum::<usize>(), all.deployments);
            prop_assert_eq!(services.iter().map(DeliveryCounts::failures).sum::<usize>(), all.failures());
            for one in &counts {
                prop_assert!(one.failures() <= one.deployments && one.failure_rate().is_some());
                prop_assert_eq!(one.restore.counted + one.restore.left_out, one.failures());
                prop_assert_eq!(one.to_production.counted + one.to_production.left_out, one.deployments);
            }
        }
    }

    #[test]
    fn without_incidents_rollbacks_and_failed_states_nothing_fails(changes in any_changes()) {
        let good = changes.into_iter().filter(|change| change.kind != ChangeKind::Rollback);
        let changes: Vec<_> = good.map(|change| Arc::new(Change { state: ChangeState::Done, ..change })).collect();
        prop_assert!(deployments(&changes, &[]).iter().all(|one| one.failure.is_none()));
    }
}
