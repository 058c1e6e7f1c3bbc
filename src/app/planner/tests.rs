use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::model::action::{SilenceDraft, WriteSupport};
use crate::model::alert::{Alert, AlertSnapshot};
use crate::model::ask::{Answer, Ask, Query, Question, Reply};
use crate::model::fixtures;
use crate::model::labels::Labels;
use crate::model::matcher::parse;
use crate::model::silence::{Silence, SilenceState};
use crate::model::source::ProbeReport;
use crate::model::world::HealthPolicy;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn id(source: &str) -> SourceId {
    SourceId::new(source)
}

fn info(source: &str, kinds: &'static [OperationKind]) -> SourceInfo {
    let writes = WriteSupport { kinds, ..WriteSupport::NONE };
    let address = "http://am.example".into();
    SourceInfo { address, writes, ..fixtures::source(source, "alertmanager", Vec::new()) }
}

fn alert(name: &str, sources: &[&str]) -> Arc<Alert> {
    let labels = Labels::from_iter([("alertname", name)]);
    let sources = sources.iter().map(|source| id(source)).collect();
    let receivers = Arc::from(["pager".into()]);
    Arc::new(Alert { receivers, sources, ..fixtures::alert(labels, at(5), "am") })
}

fn silence(number: &str, source: &str, state: SilenceState) -> Arc<Silence> {
    Arc::new(Silence {
        id: number.into(),
        state,
        matchers: parse(r#"a="b""#).unwrap(),
        starts_at: at(0),
        ends_at: at(500),
        created_by: "ana".into(),
        comment: "deploy".into(),
        annotations: Labels::default(),
        updated_at: None,
        source: id(source),
    })
}

fn tell(world: &mut World, source: &str, ask: Ask, answer: Answer) {
    let question = Question { context: 0, source: id(source), ask, known: None };
    world.apply(&question, Ok(Reply::free(answer)), at(100));
}

fn draft() -> SilenceDraft {
    SilenceDraft {
        matchers: parse(r#"alertname="Slow""#).unwrap(),
        starts_at: None,
        ends_at: at(900),
        created_by: "ana".into(),
        comment: "deploy".into(),
    }
}

#[test]
fn alerts_are_silenced_where_they_are_routed_and_in_a_cluster_once() {
    let sources = [
        info("am-1", &[OperationKind::Silence]),
        info("am-2", &[OperationKind::Silence]),
        info("other", &[OperationKind::Silence]),
        info("prom", &[]),
    ];
    let mut world = World::new(sources.iter().map(|info| info.id.clone()), HealthPolicy::default());
    let guard = Guard::default();
    let slow = alert("Slow", &["am-1", "am-2", "prom"]);
    let shared = || vec![silence("s1", "am-1", SilenceState::Active)];
    tell(
        &mut world,
        "am-1",
        Query::Alerts.now(),
        Answer::Alerts(AlertSnapshot { alerts: vec![Arc::clone(&slow)] }),
    );
    let planner = Planner { world: &world, sources: &sources, guard: &guard };
    assert_eq!(planner.silenced_at(&[&slow]), Ok(vec![id("am-1"), id("am-2")]));
    for source in ["am-1", "am-2"] {
        tell(&mut world, source, Query::Silences.now(), Answer::Silences(shared()));
    }
    let planner = Planner { world: &world, sources: &sources, guard: &guard };
    assert_eq!(planner.silenced_at(&[&slow]), Ok(vec![id("am-1")]));
    let silence =
        |draft: SilenceDraft, now: i64| planner.silence(&[(draft, "Slow".into(), vec![id("am-1")])], at(now));
    let planned = silence(draft(), 10).unwrap();
    assert_eq!((planned.actions.len(), planned.actions[0].source.clone()), (1, id("am-1")));
    assert!(silence(draft(), 1000).is_err());
    assert!(
        silence(SilenceDraft { starts_at: Some(at(900)), ..draft() }, 10)
            .is_err_and(|why| why.contains("before it begins"))
    );
    let nothing = SilenceDraft { matchers: Vec::new(), ..draft() };
    assert!(silence(nothing, 10).is_err());
}

#[test]
fn what_nobody_can_do_is_said_with_the_reason() {
    let sources = [info("prom", &[]), info("am", &[OperationKind::Silence])];
    let mut world = World::new(sources.iter().map(|info| info.id.clone()), HealthPolicy::default());
    let guard = Guard::default();
    let slow = alert("Slow", &["prom"]);
    let planner = Planner { world: &world, sources: &sources, guard: &guard };
    assert_eq!(
        planner.unavailable(&id("prom"), OperationKind::Silence).as_deref(),
        Some("prom: alertmanager does not support silence")
    );
    assert_eq!(
        planner.unavailable_everywhere(OperationKind::Resolve).as_deref(),
        Some("no source of this context supports resolve")
    );
    let offer = ProbeReport {
        flavour: "Alertmanager".into(),
        version: "".into(),
        facts: Vec::new(),
        warnings: Vec::new(),
        refuses: Some("the key may only read".into()),
        clock_ahead_seconds: None,
    };
    tell(&mut world, "am", Query::Probe.now(), Answer::Probe(offer));
    let planner = Planner { world: &world, sources: &sources, guard: &guard };
    assert_eq!(planner.silenced_at(&[&slow]), Err("am: the key may only read".into()));
    let guard = Guard::read_only("--read-only");
    let planner = Planner { guard: &guard, ..planner };
    assert!(planner.silenced_at(&[&slow]).is_err_and(|why| why.contains("--read-only")));
}

#[test]
fn silences_that_have_ended_are_left_out_and_each_is_extended_from_its_own_end() {
    let sources = [info("am", &[OperationKind::Extend, OperationKind::Expire])];
    let world = World::new([id("am")], HealthPolicy::default());
    let guard = Guard::default();
    let planner = Planner { world: &world, sources: &sources, guard: &guard };
    let all = [silence("s1", "am", SilenceState::Active), silence("s2", "am", SilenceState::Expired)];
    let longer = |one: &Silence| Operation::Extend { until: one.ends_at + Duration::from_secs(60) };
    let planned = planner.on_silences(&all, longer).unwrap();
    assert_eq!(planned.actions.iter().map(|one| &*one.target.id).collect::<Vec<_>>(), ["s1"]);
    assert_eq!(planned.actions[0].operation, Operation::Extend { until: at(560) });
    assert_eq!(planned.left_out.len(), 1);
    assert!(planner.on_silences(&all[1..], longer).is_err_and(|why| why.contains("has ended")));
}

#[test]
fn an_alert_that_is_not_routed_yet_is_not_told_by_the_labels_that_it_lacks() {
    let sources = [info("am", &[OperationKind::Silence])];
    let world = World::new([id("am")], HealthPolicy::default());
    let guard = Guard::default();
    let planner = Planner { world: &world, sources: &sources, guard: &guard };
    let with = |labels: &[(&str, &str)], receivers: &[&str]| {
        let receivers = receivers.iter().map(|name| Text::from(*name)).collect();
        Arc::new(Alert {
            labels: labels.iter().copied().collect(),
            receivers,
            ..(*alert("Slow", &["am"])).clone()
        })
    };
    let routed = with(&[("alertname", "Slow"), ("cluster", "eu")], &["pager"]);
    let raised = with(&[("alertname", "Down")], &[]);
    let proposal = planner.proposed(&[&routed, &raised], 1, &[], None).unwrap();
    let shown = crate::model::matcher::lists(&proposal.silences);
    assert_eq!(shown, r#"{alertname="Slow", cluster="eu"} or {alertname="Down"}"#);
}
