use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::*;
use crate::app::display_settings::{Charset, Colours, DisplaySettings};
use crate::app::event::{Arrival, Effect, Event};
use crate::app::shared::Shared;
use crate::app::state::State;
use crate::app::{render, update};
use crate::model::alert::AlertSnapshot;
use crate::model::ask::{Answer, Answered, Reply};
use crate::model::capacity::CapacitySnapshot;
use crate::model::fixtures;
use crate::model::incident::IncidentSnapshot;
use crate::model::oncall::OnCallSnapshot;
use crate::model::rule::RuleSnapshot;
use crate::model::service::ServiceSnapshot;
use crate::model::slo::SloSnapshot;
use crate::model::source::{ErrorKind, ProbeReport, SourceError};
use crate::model::warning::Warning;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_768_359_120 + second).unwrap()
}

/// A state with one source, which has only alerts.
fn state() -> State {
    let source = fixtures::source("am", "alertmanager", vec![AskKind::Alerts]);
    State::new(Shared::new(
        "prod",
        vec![source],
        DisplaySettings::probe(Colours::None, Charset::Ascii),
        (120, 24),
    ))
}

/// Ticks, and answers all queries sent then.
fn tick(state: &mut State, second: i64, answer: impl Fn() -> Answered) {
    for effect in update(state, Event::Tick, at(second)) {
        if let Effect::Fetch(question) = effect {
            let arrival = Arrival { question, answered: answer(), took: Duration::ZERO };
            update(state, Event::Answered(Box::new(arrival)), at(second));
        }
    }
}

fn picture(state: &mut State, screen: &str, second: i64) -> String {
    update(state, Event::Key(screen.parse().unwrap()), at(second));
    let mut buffer = Buffer::empty(Rect { x: 0, y: 0, width: 120, height: 24 });
    render(state, at(second), &mut buffer);
    buffer.content().iter().map(ratatui::buffer::Cell::symbol).collect()
}

#[test]
fn an_empty_answer_that_is_old_is_neither_health_nor_a_living_watchdog() {
    let mut state = state();
    tick(&mut state, 0, || Ok(Reply::free(Answer::Alerts(AlertSnapshot::default()))));
    let well = picture(&mut state, "4", 1);
    assert!(well.contains("No pending or firing alerts."), "{well}");
    let down = || {
        let failure = ErrorKind::Unreachable { reason: "refused".into() };
        Err(SourceError::new(SourceId::new("am"), failure))
    };
    tick(&mut state, 6, down);
    for screen in ["4", "1"] {
        let old = picture(&mut state, screen, 7);
        assert!(old.contains("Last known: no pending or firing alerts"), "{old}");
    }
    let source = state.shared.sources.first().unwrap().clone();
    assert_eq!(watchdog(&state.shared, &source, at(7)), Watchdog::Absent, "none was there before either");
}

#[test]
fn an_answer_with_something_missing_marks_its_source_as_partial_and_a_remark_does_not() {
    for (warning, is_partial) in [
        (Warning::missing("store b did not answer"), true),
        (Warning::notice("two definitions have one name"), false),
        (Warning::annotation("PromQL info: metric might not be a counter"), false),
    ] {
        let mut state = state();
        let text = warning.to_string();
        let answer = || {
            let warnings = vec![warning.clone()];
            Ok(Reply { warnings, ..Reply::free(Answer::Alerts(AlertSnapshot::default())) })
        };
        tick(&mut state, 0, answer);
        let alerts = picture(&mut state, "4", 1);
        assert_eq!(alerts.contains("am: partial answers"), is_partial, "{alerts}");
        assert_eq!(alerts.contains("No pending or firing alerts."), !is_partial, "{alerts}");
        let sources = picture(&mut state, "9", 1);
        assert_eq!(sources.contains("partial"), is_partial, "{sources}");
        assert!(sources.contains(&text), "who looks for it finds it: {sources}");
    }
}

/// A state with one source, which answers every kind of query.
fn all_state() -> State {
    let source = fixtures::source("all", "toy", AskKind::all_vital().to_vec());
    State::new(Shared::new(
        "prod",
        vec![source],
        DisplaySettings::probe(Colours::None, Charset::Ascii),
        (160, 40),
    ))
}

fn good(kind: AskKind) -> Answer {
    let offer = ProbeReport {
        flavour: "All".into(),
        version: "1".into(),
        facts: Vec::new(),
        warnings: Vec::new(),
        refuses: None,
        clock_ahead_seconds: None,
    };
    match kind {
        AskKind::Probe => Answer::Probe(offer),
        AskKind::Services => {
            Answer::Services(ServiceSnapshot { readings: Vec::new(), lookback: Duration::from_secs(60) })
        }
        AskKind::Alerts => Answer::Alerts(AlertSnapshot::default()),
        AskKind::Rules => Answer::Rules(RuleSnapshot::default()),
        AskKind::Silences => Answer::Silences(Vec::new()),
        AskKind::Slos => Answer::Slos(SloSnapshot { at: at(0), readings: Vec::new() }),
        AskKind::Incidents => Answer::Incidents(IncidentSnapshot::default()),
        AskKind::OnCall => Answer::OnCall(OnCallSnapshot::default()),
        AskKind::Filling => Answer::Filling(CapacitySnapshot::default()),
        other => panic!("{other:?} is not asked on every screen"),
    }
}

/// Ticks once per second; all queries are answered at once, but those of kind `hangs` not from `since` to `until`.
fn tick_without(
    state: &mut State,
    hangs: AskKind,
    (since, until): (i64, i64),
    seconds: std::ops::Range<i64>,
) {
    for second in seconds {
        let mut effects = update(state, Event::Tick, at(second));
        while let Some(effect) = effects.pop() {
            let Effect::Fetch(question) = effect else { continue };
            let kind = question.ask.kind();
            if kind == hangs && (since..until).contains(&second) {
                continue;
            }
            let arrival = Arrival { question, answered: Ok(Reply::free(good(kind))), took: Duration::ZERO };
            effects.extend(update(state, Event::Answered(Box::new(arrival)), at(second)));
        }
    }
}

#[test]
fn one_question_that_hangs_is_named_in_time_with_its_own_age_and_next_try() {
    for hangs in AskKind::all_vital().iter().copied().filter(|kind| *kind != AskKind::Probe) {
        // SLOs, on-call data and resources are queried less often: reported soon after the next query
        let within = match hangs {
            AskKind::Slos => 30 + 9,
            AskKind::OnCall | AskKind::Filling => 60 + 9,
            _ => 15,
        };
        let mut state = all_state();
        let source = state.shared.sources.first().unwrap().clone();
        let look = |state: &State, second| doubt(&state.shared, &source, &AskKind::ALL, at(second));
        tick_without(&mut state, hangs, (2, 1000), 0..2);
        assert_eq!(look(&state, 1), None);
        tick_without(&mut state, hangs, (2, 1000), 2..within + 2);
        let named = look(&state, within + 2).unwrap_or_else(|| panic!("{hangs:?} is not named"));
        assert_eq!((named.what, &named.also[..]), (Some(hangs), &[][..]));
        let sentence = named.sentence(at(within + 2));
        assert!(sentence.starts_with(&format!("all: {} ", hangs.word())), "{sentence}");
        assert!(sentence.contains("trying now; no answer for"), "{sentence}");
        let old = picture(&mut state, "1", within + 2);
        assert!(old.contains("0/1 sources"), "{old}");
    }
}

#[test]
fn of_several_answers_in_doubt_the_oldest_is_named_and_the_others_after_it() {
    let mut state = all_state();
    let source = state.shared.sources.first().unwrap().clone();
    for second in 0..40 {
        let mut effects = update(&mut state, Event::Tick, at(second));
        while let Some(effect) = effects.pop() {
            let Effect::Fetch(question) = effect else { continue };
            let answered = match question.ask.kind() {
                AskKind::Silences if second >= 5 => continue,
                AskKind::Incidents if second >= 15 => {
                    let failure = ErrorKind::Refused { status: 500, message: "oops".into() };
                    Err(SourceError::new(SourceId::new("all"), failure))
                }
                kind => Ok(Reply::free(good(kind))),
            };
            let arrival = Arrival { question, answered, took: Duration::ZERO };
            effects.extend(update(&mut state, Event::Answered(Box::new(arrival)), at(second)));
        }
    }
    let named = doubt(&state.shared, &source, &AskKind::ALL, at(40)).unwrap();
    assert_eq!((named.what, &named.also[..]), (Some(AskKind::Silences), &[AskKind::Incidents][..]));
    let only = doubt(&state.shared, &source, &[AskKind::Incidents], at(40)).unwrap();
    assert!(only.sentence(at(40)).contains("500: oops"), "{}", only.sentence(at(40)));
}
