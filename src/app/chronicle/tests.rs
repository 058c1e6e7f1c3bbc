use std::sync::Arc;

use super::*;
use crate::app::look::{Charset, Colours};
use crate::app::state::{Look, Setup};
use crate::model::alert::AlertBoard;
use crate::model::ask::{Answer, Ask, Question, Reply};
use crate::model::rule::RuleBoard;
use crate::model::source::SourceInfo;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_768_359_120 + second).unwrap()
}

fn state() -> State {
    let source = |name: &str, answers| SourceInfo {
        tenant: None,
        id: SourceId::new(name),
        kind: crate::model::source::Kind::Demo,
        address: "demo:one".into(),
        answers: vec![answers],
        acts: Vec::new(),
    };
    let look = Look::probe(Colours::None, Charset::Ascii);
    let sources =
        vec![source("am", AskKind::Alerts), source("prom", AskKind::Rules), source("prom-2", AskKind::Rules)];
    State::new(Setup::new("prod", sources, look, (80, 24)))
}

fn alert(state: AlertState, from: i64, labels: &[(&str, &str)]) -> Alert {
    let labels = labels.iter().copied().chain([("alertname", "Full")]).collect::<Labels>();
    Alert {
        fingerprint: Fingerprint::of(&labels),
        labels,
        annotations: Labels::default(),
        state,
        severity: Severity::Critical,
        starts_at: at(from),
        updated_at: at(from),
        resolved_at: None,
        generator_url: None,
        receivers: [].into(),
        group: Labels::default(),
        silenced_by: [].into(),
        inhibited_by: [].into(),
        is_derived: false,
        value: None,
        sources: Vec::new(),
    }
}

fn tell(state: &mut State, source: &str, ask: Ask, answer: Answer, now: i64) {
    let news = ask.kind();
    let question = Question { context: 0, source: SourceId::new(source), ask, known: None };
    state.world.apply(&question, Ok(Reply::free(answer)), at(now));
    write(state, news, at(now));
}

/// What the rules of a Prometheus hold.
fn rules(state: &mut State, source: &str, alerts: Vec<Alert>, now: i64) {
    let alerts =
        alerts.into_iter().map(|one| Arc::new(Alert { sources: vec![SourceId::new(source)], ..one }));
    let board = RuleBoard { alerts: alerts.collect(), ..RuleBoard::default() };
    tell(state, source, Ask::Rules, Answer::Rules(board), now);
}

/// What an Alertmanager has.
fn routed(state: &mut State, alerts: Vec<Alert>, now: i64) {
    let receivers: Arc<[Text]> = Arc::from([Text::from("pager")]);
    let sources = vec![SourceId::new("am")];
    let alerts = alerts.into_iter().map(|one| {
        Arc::new(Alert {
            receivers: Arc::clone(&receivers),
            sources: sources.clone(),
            updated_at: at(now),
            ..one
        })
    });
    let board = AlertBoard { alerts: alerts.collect() };
    tell(state, "am", Ask::Alerts, Answer::Alerts(board), now);
}

/// What happened, the oldest first.
fn told(state: &State) -> Vec<(&'static str, i64)> {
    let since = |moment: Timestamp| moment.duration_since(at(0)).as_secs();
    state.chronicle.entries().keys().map(|(at, kind, _)| (kind.word(), since(*at))).collect()
}

const STORE: &[(&str, &str)] = &[("service", "store")];

#[test]
fn a_firing_that_rules_and_an_alertmanager_tell_is_one_event_at_the_alertmanagers_time() {
    let mut state = state();
    rules(&mut state, "prom", vec![alert(AlertState::Pending, 0, STORE)], 5);
    assert_eq!(told(&state), []);
    // after the rule's `for`; an evaluation later it began to fire
    rules(&mut state, "prom", vec![alert(AlertState::Firing, 10, STORE)], 15);
    assert_eq!(told(&state), [("fires", 10)]);
    routed(&mut state, vec![alert(AlertState::Firing, 14, STORE)], 18);
    assert_eq!(told(&state), [("fires", 14)]);
    // a Prometheus that began anew tells another moment, and the Alertmanager the same
    rules(&mut state, "prom", vec![alert(AlertState::Firing, 60, STORE)], 62);
    rules(&mut state, "prom-2", vec![alert(AlertState::Firing, 11, STORE)], 63);
    assert_eq!(told(&state), [("fires", 14)]);
}

#[test]
fn labels_that_are_added_on_the_way_do_not_make_two_of_one() {
    let mut state = state();
    rules(&mut state, "prom", vec![alert(AlertState::Firing, 10, STORE)], 15);
    let whole = [("service", "store"), ("cluster", "eu"), ("replica", "a")];
    routed(&mut state, vec![alert(AlertState::Firing, 14, &whole)], 18);
    assert_eq!(told(&state), [("fires", 14)]);
    let subject = Subject::Alert(alert(AlertState::Firing, 14, &whole).fingerprint);
    assert!(state.chronicle.entries().contains_key(&(at(14), Kind::Fired, subject)));
}

#[test]
fn what_is_over_and_fires_again_within_a_minute_is_two_firings() {
    let mut state = state();
    rules(&mut state, "prom", vec![alert(AlertState::Firing, 10, STORE)], 11);
    routed(&mut state, vec![alert(AlertState::Firing, 10, STORE)], 12);
    routed(&mut state, vec![], 20);
    rules(&mut state, "prom", vec![], 21);
    rules(&mut state, "prom", vec![alert(AlertState::Pending, 30, STORE)], 31);
    rules(&mut state, "prom", vec![alert(AlertState::Firing, 40, STORE)], 41);
    routed(&mut state, vec![alert(AlertState::Firing, 41, STORE)], 43);
    assert_eq!(told(&state), [("fires", 10), ("resolved", 21), ("fires", 41)]);
    // without the end having been seen
    routed(&mut state, vec![alert(AlertState::Firing, 55, STORE)], 56);
    assert_eq!(told(&state).iter().filter(|(word, _)| *word == "fires").count(), 3);
    // the condition is pending again: the firing was over
    let mut state = self::state();
    rules(&mut state, "prom", vec![alert(AlertState::Firing, 10, STORE)], 11);
    rules(&mut state, "prom", vec![alert(AlertState::Pending, 30, STORE)], 31);
    assert_eq!(told(&state), [("fires", 10), ("resolved", 31)]);
}

#[test]
fn of_a_pair_of_servers_the_one_that_evaluates_later_does_not_hold_it_back_or_tell_it_again() {
    for first in ["prom", "prom-2"] {
        let second = if first == "prom" { "prom-2" } else { "prom" };
        let mut state = state();
        rules(&mut state, first, vec![alert(AlertState::Firing, 10, STORE)], 11);
        rules(&mut state, second, vec![alert(AlertState::Pending, 3, STORE)], 12);
        assert_eq!(told(&state), [("fires", 10)], "{first}");
        rules(&mut state, second, vec![alert(AlertState::Firing, 13, STORE)], 14);
        assert_eq!(told(&state), [("fires", 10)], "{first}");
    }
}

#[test]
fn the_third_firing_within_an_hour_is_said_to_flap() {
    let mut state = state();
    for round in 0..4 {
        let from = round * 900;
        routed(&mut state, vec![alert(AlertState::Firing, from, STORE)], from + 5);
        routed(&mut state, vec![], from + 60);
    }
    let words: Vec<&str> = state
        .chronicle
        .entries()
        .iter()
        .filter(|((_, kind, _), _)| *kind == Kind::Fired)
        .map(|(_, entry)| &*entry.words)
        .collect();
    let flaps = |times: i32| format!("Full (flapping: {times} times within an hour)");
    assert_eq!(words, ["Full", "Full", &flaps(3), &flaps(4)]);
}
