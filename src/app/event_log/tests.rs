use std::sync::Arc;

use super::*;
use crate::app::display_settings::{Charset, Colours, DisplaySettings};
use crate::app::shared::Shared;
use crate::app::{firing_history, want};
use crate::model::alert::AlertSnapshot;
use crate::model::ask::{Answer, Ask, Query, Question, Reply};
use crate::model::firing::{Firing, FiringSnapshot};
use crate::model::fixtures;
use crate::model::rule::RuleSnapshot;
use crate::model::slo::TimeRange;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_768_359_120 + second).unwrap()
}

fn state() -> Shared {
    let source = |name: &str, answers| fixtures::source(name, "toy", answers);
    let look = DisplaySettings::probe(Colours::None, Charset::Ascii);
    let sources = vec![
        source("am", vec![AskKind::Alerts]),
        source("prom", vec![AskKind::Rules, AskKind::Firings]),
        source("prom-2", vec![AskKind::Rules]),
    ];
    Shared::new("prod", sources, look, (80, 24))
}

fn alert(state: AlertState, from: i64, labels: &[(&str, &str)]) -> Alert {
    let labels = labels.iter().copied().chain([("alertname", "Full")]).collect::<Labels>();
    Alert { state, sources: Vec::new(), ..fixtures::alert(labels, at(from), "one") }
}

fn tell(state: &mut Shared, source: &str, ask: Ask, answer: Answer, now: i64) {
    let news = ask.kind();
    let question = Question { context: 0, source: SourceId::new(source), ask, known: None };
    state.world.apply(&question, Ok(Reply::free(answer)), at(now));
    state.update_event_log(news, at(now));
}

/// What the rules of a Prometheus hold.
fn rules(state: &mut Shared, source: &str, alerts: Vec<Alert>, now: i64) {
    let alerts =
        alerts.into_iter().map(|one| Arc::new(Alert { sources: vec![SourceId::new(source)], ..one }));
    let snapshot = RuleSnapshot { alerts: alerts.collect(), ..RuleSnapshot::default() };
    tell(state, source, Query::Rules.now(), Answer::Rules(snapshot), now);
}

/// What an Alertmanager has.
fn routed(state: &mut Shared, alerts: Vec<Alert>, now: i64) {
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
    let snapshot = AlertSnapshot { alerts: alerts.collect() };
    tell(state, "am", Query::Alerts.now(), Answer::Alerts(snapshot), now);
}

/// What happened, the oldest first.
fn logged_events(state: &Shared) -> Vec<(&'static str, i64)> {
    let since = |moment: Timestamp| moment.duration_since(at(0)).as_secs();
    state.event_log.entries().keys().map(|(at, kind, _)| (kind.word(), since(*at))).collect()
}

const STORE: &[(&str, &str)] = &[("service", "store")];

/// What the series of the rules tell: from when to when it fired, or `None` where it still does.
fn past(state: &mut Shared, labels: &[(&str, &str)], firings: &[(i64, Option<i64>)], now: i64) {
    let labels = labels.iter().copied().chain([("alertname", "Full")]).collect::<Labels>();
    let ask = want::shown_firings(state, at(now)).remove(0).ask;
    let Query::Firings { from, until, .. } = ask.query else { panic!() };
    let firings = firings.iter().map(|(from, to)| Firing {
        labels: labels.clone(),
        from: at(*from),
        to: to.map_or(until, at),
        is_open: to.is_none(),
        is_about: false,
    });
    let looked_at = TimeRange { start: from, end: until };
    let snapshot = FiringSnapshot { looked_at, firings: firings.collect(), is_whole: true };
    tell(state, "prom", ask, Answer::Firings(snapshot), now);
}

fn sentences(state: &Shared, kind: LogEventKind) -> Vec<String> {
    let entries = state.event_log.entries().iter().filter(|((_, its, _), _)| *its == kind);
    entries.map(|(_, entry)| entry.sentence().to_string()).collect()
}

#[test]
fn what_fired_before_it_was_heard_is_told_as_often_as_the_servers_series_say() {
    let three = [(0, Some(60)), (600, Some(660)), (1200, None)];
    let all = [("fires", 0), ("resolved", 60), ("fires", 600), ("resolved", 660), ("fires", 1200)];
    let flapping = "Full (flapping: 3 times within an hour)";
    // heard before or after, some moments off
    for is_first in [true, false] {
        let mut state = state();
        if is_first {
            routed(&mut state, vec![alert(AlertState::Firing, 1200, STORE)], 1230);
        }
        past(&mut state, STORE, &three, 1231);
        assert_eq!(logged_events(&state), all, "{is_first}");
        let at = if is_first { 1200 } else { 1201 };
        routed(&mut state, vec![alert(AlertState::Firing, at, STORE)], 1235);
        let heard = [&all[..4], &[("fires", at)]].concat();
        assert_eq!(logged_events(&state), heard, "{is_first}");
        assert_eq!(sentences(&state, LogEventKind::Fired), ["Full", "Full", flapping], "{is_first}");
        // the end is heard, and told again by the past
        routed(&mut state, vec![], 1290);
        rules(&mut state, "prom", vec![], 1291);
        let over = [&heard[..], &[("resolved", 1290)]].concat();
        assert_eq!(logged_events(&state), over, "{is_first}");
        past(&mut state, STORE, &[three[0], three[1], (1200, Some(1285))], 1295);
        assert_eq!(logged_events(&state), over, "{is_first}");
        // what fires next counts those that nobody heard
        routed(&mut state, vec![alert(AlertState::Firing, 1400, STORE)], 1402);
        let last = "Full (flapping: 4 times within an hour)";
        assert_eq!(sentences(&state, LogEventKind::Fired), ["Full", "Full", flapping, last], "{is_first}");
    }
}

#[test]
fn what_an_alertmanager_knows_as_one_firing_is_one_however_often_its_server_began_anew() {
    let pieces = [(-900, Some(-800)), (0, Some(600)), (630, Some(700)), (720, None)];
    let expected = [("fires", -900), ("resolved", -800), ("fires", 0)];
    let whole = [("service", "store"), ("cluster", "eu")];
    for labels in [STORE, &whole[..]] {
        let mut state = state();
        routed(&mut state, vec![alert(AlertState::Firing, 0, labels)], 800);
        past(&mut state, STORE, &pieces, 801);
        assert_eq!(logged_events(&state), expected, "{labels:?}");
        let looked = firing_history::latest(&state.world, &state.sources, &state.range).unwrap();
        assert_eq!(looked.fired.iter().map(|fired| fired.firings.len()).sum::<usize>(), 2);
        assert!(looked.is_whole && !looked.fired[0].is_flapping);
    }
    // an evaluation is late: it fires on, as the rules say
    let mut state = self::state();
    rules(&mut state, "prom", vec![alert(AlertState::Firing, 0, STORE)], 790);
    past(&mut state, STORE, &[(2, Some(798))], 801);
    assert_eq!(logged_events(&state), [("fires", 0)]);
    assert!(
        firing_history::latest(&state.world, &state.sources, &state.range).unwrap().fired[0].firings[0]
            .is_open
    );
    // rules alone begin anew
    let mut state = self::state();
    past(&mut state, STORE, &pieces, 801);
    assert_eq!(logged_events(&state).iter().filter(|(word, _)| *word == "fires").count(), 4);
}

#[test]
fn a_firing_that_rules_and_an_alertmanager_tell_is_one_event_at_the_alertmanagers_time() {
    let mut state = state();
    rules(&mut state, "prom", vec![alert(AlertState::Pending, 0, STORE)], 5);
    assert_eq!(logged_events(&state), []);
    // after the rule's `for`; an evaluation later it began to fire
    rules(&mut state, "prom", vec![alert(AlertState::Firing, 10, STORE)], 15);
    assert_eq!(logged_events(&state), [("fires", 10)]);
    routed(&mut state, vec![alert(AlertState::Firing, 14, STORE)], 18);
    assert_eq!(logged_events(&state), [("fires", 14)]);
    // a Prometheus that began anew tells another moment, and the Alertmanager the same
    rules(&mut state, "prom", vec![alert(AlertState::Firing, 60, STORE)], 62);
    rules(&mut state, "prom-2", vec![alert(AlertState::Firing, 11, STORE)], 63);
    assert_eq!(logged_events(&state), [("fires", 14)]);
}

#[test]
fn labels_that_are_added_on_the_way_do_not_make_two_of_one() {
    let mut state = state();
    rules(&mut state, "prom", vec![alert(AlertState::Firing, 10, STORE)], 15);
    let whole = [("service", "store"), ("cluster", "eu"), ("replica", "a")];
    routed(&mut state, vec![alert(AlertState::Firing, 14, &whole)], 18);
    assert_eq!(logged_events(&state), [("fires", 14)]);
    let subject = LogEventSubject::Alert(alert(AlertState::Firing, 14, &whole).fingerprint);
    assert!(state.event_log.entries().contains_key(&(at(14), LogEventKind::Fired, subject)));
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
    assert_eq!(logged_events(&state), [("fires", 10), ("resolved", 21), ("fires", 41)]);
    // without the end having been seen
    routed(&mut state, vec![alert(AlertState::Firing, 55, STORE)], 56);
    assert_eq!(logged_events(&state).iter().filter(|(word, _)| *word == "fires").count(), 3);
    // the condition is pending again: the firing was over
    let mut state = self::state();
    rules(&mut state, "prom", vec![alert(AlertState::Firing, 10, STORE)], 11);
    rules(&mut state, "prom", vec![alert(AlertState::Pending, 30, STORE)], 31);
    assert_eq!(logged_events(&state), [("fires", 10), ("resolved", 31)]);
}

#[test]
fn rules_that_are_asked_more_seldom_do_not_tell_a_firing_again_that_is_over() {
    for (is_routed_first, is_foreign) in [(false, false), (true, false), (true, true)] {
        let mut state = state();
        // not every server counts fingerprints alike
        let sent = |state| {
            let own = alert(state, 14, STORE);
            let foreign = Fingerprint::of(&Labels::default());
            Alert { fingerprint: if is_foreign { foreign } else { own.fingerprint }, ..own }
        };
        if is_routed_first {
            routed(&mut state, vec![sent(AlertState::Firing)], 14);
        }
        rules(&mut state, "prom", vec![alert(AlertState::Firing, 10, STORE)], 15);
        routed(&mut state, vec![sent(AlertState::Firing)], 18);
        routed(&mut state, vec![sent(AlertState::Resolved)], 20);
        routed(&mut state, vec![], 24);
        rules(&mut state, "prom", vec![alert(AlertState::Firing, 10, STORE)], 25);
        rules(&mut state, "prom", vec![], 28);
        let words: Vec<_> = logged_events(&state).into_iter().map(|(word, _)| word).collect();
        assert_eq!(words, ["fires", "resolved"], "{:?}", logged_events(&state));
        // and the next one is another
        rules(&mut state, "prom", vec![alert(AlertState::Firing, 40, STORE)], 42);
        assert_eq!(logged_events(&state).last(), Some(&("fires", 40)));
        assert_eq!(logged_events(&state).len(), 3);
    }
}

#[test]
fn of_a_pair_of_servers_the_one_that_evaluates_later_does_not_hold_it_back_or_tell_it_again() {
    for first in ["prom", "prom-2"] {
        let second = if first == "prom" { "prom-2" } else { "prom" };
        let mut state = state();
        rules(&mut state, first, vec![alert(AlertState::Firing, 10, STORE)], 11);
        rules(&mut state, second, vec![alert(AlertState::Pending, 3, STORE)], 12);
        assert_eq!(logged_events(&state), [("fires", 10)], "{first}");
        rules(&mut state, second, vec![alert(AlertState::Firing, 13, STORE)], 14);
        assert_eq!(logged_events(&state), [("fires", 10)], "{first}");
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
    let words = sentences(&state, LogEventKind::Fired);
    let flaps = |times: i32| format!("Full (flapping: {times} times within an hour)");
    assert_eq!(words, ["Full".to_owned(), "Full".to_owned(), flaps(3), flaps(4)]);
}

#[test]
fn a_change_is_an_event_that_follows_what_is_known_about_it() {
    use crate::model::change::{Change, ChangeKind, ChangeSnapshot};
    let sources = vec![fixtures::source("file", "toy", vec![AskKind::Changes])];
    let mut state =
        Shared::new("prod", sources, DisplaySettings::probe(Colours::None, Charset::Ascii), (80, 24));
    let deploy = |second, who: Option<&str>| Change {
        service: Some("pay".into()),
        who: who.map(Text::from),
        ..Change::new(at(second), ChangeKind::Deploy, "1 -> 2", SourceId::new("file"))
    };
    let mut knows = |since, change: Change, now| {
        let snapshot = ChangeSnapshot::new(vec![change], at(since), at(now), vec!["file".into()]);
        tell(&mut state, "file", Query::Changes { since: at(since) }.now(), Answer::Changes(snapshot), now);
        sentences(&state, LogEventKind::Changed)
    };
    assert_eq!(knows(0, deploy(50, None), 60), ["deploy 1 -> 2"]);
    // the same event with its person, and a little earlier
    assert_eq!(knows(0, deploy(45, Some("ana")), 90), ["deploy 1 -> 2, by ana"]);
    let key = state.event_log.entries().keys().next().unwrap();
    assert_eq!((key.0, key.1.word()), (at(45), "change"));
    let event = &state.event_log.entries()[key];
    assert_eq!((event.service.as_deref(), event.labels.value("kind")), (Some("pay"), "deploy"));
}
