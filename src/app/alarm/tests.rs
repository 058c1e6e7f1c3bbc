use super::*;
use crate::app::display_settings::{Charset, Colours, DisplaySettings};
use crate::app::shared::Shared;
use crate::model::alert::{Alert, AlertSnapshot};
use crate::model::ask::{Answer, Ask, Query, Question, Reply};
use crate::model::fixtures::{self, person};
use crate::model::incident::{Attribution, Incident, IncidentSnapshot, Urgency};
use crate::model::labels::Labels;

use crate::model::oncall::OnCallSnapshot;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_768_359_120 + 60 * minute).unwrap()
}

fn state(answers: AskKind, notify_policy: NotifySettings) -> Shared {
    let source = fixtures::source("one", "toy", vec![answers]);
    let look = DisplaySettings::probe(Colours::None, Charset::Ascii);
    let setup = Shared::new("prod", vec![source], look, (80, 24));
    Shared { person: "ana".into(), alarm: Alarm::new(notify_policy), ..setup }
}

fn answer(state: &mut Shared, ask: Ask, answer: Answer, now: Timestamp) -> Vec<Effect> {
    let question = Question { context: 0, source: SourceId::new("one"), ask, known: None };
    state.world.apply(&question, Ok(Reply::free(answer)), now);
    state.notify(now);
    std::mem::take(&mut state.effects)
}

fn incident(id: &str, urgency: Urgency, whose: &str) -> Incident {
    let assigned = vec![Attribution { who: person(whose), at: at(0) }];
    let incident = fixtures::incident(7, "Checkout\u{1b} burns", at(0), "one");
    Incident { id: id.into(), urgency, assigned, ..incident }
}

fn snapshot(state: &mut Shared, incidents: Vec<Incident>, minute: i64) -> Vec<Effect> {
    let snapshot = IncidentSnapshot { incidents, ..IncidentSnapshot::default() };
    answer(state, Query::Incidents.now(), Answer::Incidents(snapshot), at(minute))
}

fn i_am(state: &mut Shared, id: &str) -> Vec<Effect> {
    let snapshot = OnCallSnapshot { me: Some(person(id)), ..OnCallSnapshot::default() };
    answer(state, Query::OnCall.now(), Answer::OnCall(snapshot), at(0))
}

fn calls(effects: &[Effect]) -> usize {
    effects.iter().filter(|effect| matches!(effect, Effect::Notify(_))).count()
}

fn titles(effects: &[Effect]) -> Vec<&str> {
    effects
        .iter()
        .filter_map(|effect| if let Effect::Title(title) = effect { Some(&**title) } else { None })
        .collect()
}

#[test]
fn what_was_there_at_the_start_calls_nobody_but_is_counted_in_the_title() {
    let mut state = state(AskKind::Incidents, NotifySettings::default());
    let effects = snapshot(&mut state, vec![incident("A", Urgency::High, "ana")], 1);
    assert_eq!(calls(&effects), 0);
    assert_eq!(titles(&effects), ["(1!) burnwatch prod"]);
    assert_eq!(calls(&i_am(&mut state, "ana")), 0, "who I am was only told now");
}

#[test]
fn a_new_page_calls_once_whatever_becomes_of_it() {
    let mut state = state(AskKind::Incidents, NotifySettings::default());
    snapshot(&mut state, Vec::new(), 0);
    let page = incident("A", Urgency::High, "kofi");
    let effects = snapshot(&mut state, vec![page.clone()], 1);
    let notice =
        Notification { bell: true, desktop: Some(("Page in prod".into(), "#7 Checkout\\x1b burns".into())) };
    assert!(effects.contains(&Effect::Notify(notice)), "{effects:?}");
    assert_eq!(snapshot(&mut state, vec![page.clone()], 2), []);
    let taken = Incident { status: IncidentStatus::Acknowledged, changed_at: at(3), ..page.clone() };
    assert_eq!(titles(&snapshot(&mut state, vec![taken], 3)), ["burnwatch prod"]);
    let effects = snapshot(&mut state, vec![page], 4);
    assert_eq!((calls(&effects), titles(&effects)), (0, vec!["(1!) burnwatch prod"]));
}

#[test]
fn one_of_low_urgency_calls_only_whose_it_is_and_when_it_becomes_theirs() {
    let mut state = state(AskKind::Incidents, NotifySettings::default());
    snapshot(&mut state, Vec::new(), 0);
    i_am(&mut state, "ana");
    assert_eq!(calls(&snapshot(&mut state, vec![incident("A", Urgency::Low, "kofi")], 1)), 0);
    assert_eq!(calls(&snapshot(&mut state, vec![incident("A", Urgency::Low, "ana")], 2)), 1);
    assert_eq!(calls(&snapshot(&mut state, vec![incident("A", Urgency::Low, "kofi")], 3)), 0);
    assert_eq!(calls(&snapshot(&mut state, vec![incident("A", Urgency::Low, "ana")], 4)), 0);
}

#[test]
fn what_was_there_calls_when_it_is_handed_to_me() {
    let mut state =
        state(AskKind::Incidents, NotifySettings { only_mine: true, ..NotifySettings::default() });
    i_am(&mut state, "ana");
    assert_eq!(calls(&snapshot(&mut state, vec![incident("A", Urgency::High, "kofi")], 1)), 0);
    assert_eq!(calls(&snapshot(&mut state, vec![incident("A", Urgency::High, "ana")], 2)), 1);
}

#[test]
fn several_at_once_are_one_call() {
    let mut state = state(AskKind::Incidents, NotifySettings::default());
    snapshot(&mut state, Vec::new(), 0);
    let many = (0..5).map(|i| incident(&i.to_string(), Urgency::High, "kofi")).collect();
    let effects = snapshot(&mut state, many, 1);
    let Some(Effect::Notify(Notification { desktop: Some((title, body)), .. })) = effects.first() else {
        panic!("{effects:?}");
    };
    assert_eq!(title, "5 pages in prod");
    assert!(body.ends_with("and 2 more"), "{body}");
}

#[test]
fn in_quiet_hours_only_the_title_says_so_and_nothing_is_made_up_for_later() {
    let (quiet_hours, zone) = (vec!["02:00-03:00".to_owned()], Some("UTC".to_owned()));
    let mut state =
        state(AskKind::Incidents, NotifySettings { quiet_hours, zone, ..NotifySettings::default() });
    snapshot(&mut state, Vec::new(), 0);
    let page = incident("A", Urgency::High, "kofi");
    let effects = snapshot(&mut state, vec![page.clone()], 0);
    assert_eq!((calls(&effects), titles(&effects)), (0, vec!["(1!) burnwatch prod"]));
    assert_eq!(snapshot(&mut state, vec![page], 60), []);
}

#[test]
fn what_is_switched_off_is_not_done() {
    let off = NotifySettings { bell: false, desktop: false, title: false, ..NotifySettings::default() };
    let mut state = state(AskKind::Incidents, off);
    snapshot(&mut state, Vec::new(), 0);
    assert_eq!(snapshot(&mut state, vec![incident("A", Urgency::High, "kofi")], 1), []);
}

fn alert(name: &str, from: i64) -> Alert {
    let labels = Labels::from_iter([("alertname", name), ("severity", "critical")]);
    fixtures::alert(labels, at(from), "one")
}

fn alerting(state: &mut Shared, alerts: Vec<Alert>, minute: i64) -> Vec<Effect> {
    let snapshot = AlertSnapshot { alerts: alerts.into_iter().map(Into::into).collect() };
    answer(state, Query::Alerts.now(), Answer::Alerts(snapshot), at(minute))
}

#[test]
fn without_a_paging_system_new_critical_alerts_call_and_flapping_ones_not_again_and_again() {
    let mut state = state(AskKind::Alerts, NotifySettings::default());
    assert_eq!(calls(&alerting(&mut state, vec![alert("Old", 0)], 0)), 0);
    assert_eq!(calls(&alerting(&mut state, vec![alert("Old", 0), alert("New", 1)], 1)), 1);
    assert_eq!(calls(&alerting(&mut state, vec![alert("Old", 0), alert("New", 1)], 2)), 0);
    assert_eq!(calls(&alerting(&mut state, vec![alert("Old", 0)], 3)), 0);
    assert_eq!(calls(&alerting(&mut state, vec![alert("Old", 0), alert("New", 4)], 4)), 0);
    alerting(&mut state, Vec::new(), 5);
    assert_eq!(calls(&alerting(&mut state, vec![alert("New", 60)], 60)), 1);
    let warning = Alert { severity: Severity::Warning, ..alert("Warns", 61) };
    assert_eq!(calls(&alerting(&mut state, vec![warning], 61)), 0);
}

#[test]
fn another_context_begins_anew() {
    let mut state = state(AskKind::Incidents, NotifySettings::default());
    snapshot(&mut state, Vec::new(), 0);
    state.alarm.forget();
    assert_eq!(calls(&snapshot(&mut state, vec![incident("A", Urgency::High, "kofi")], 1)), 0);
}
