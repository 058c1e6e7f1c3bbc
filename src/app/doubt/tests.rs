use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::*;
use crate::app::event::{Arrival, Effect, Event};
use crate::app::look::{Charset, Colours};
use crate::app::state::{Look, Setup};
use crate::app::{render, update};
use crate::model::alert::AlertBoard;
use crate::model::ask::{Answer, Answered, Reply};
use crate::model::source::{Kind, SourceError, Trouble};
use crate::model::warning::Warning;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_768_359_120 + second).unwrap()
}

/// A source of alerts, and nothing else.
fn state() -> State {
    let source = SourceInfo {
        id: SourceId::new("am"),
        kind: Kind::Alertmanager,
        address: "http://am".into(),
        answers: vec![AskKind::Alerts],
        acts: Vec::new(),
    };
    State::new(Setup::new("prod", vec![source], Look::probe(Colours::None, Charset::Ascii), (120, 24)))
}

/// Ticks, and answers everything that is asked then.
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
    tick(&mut state, 0, || Ok(Reply::free(Answer::Alerts(AlertBoard::default()))));
    let well = picture(&mut state, "4", 1);
    assert!(well.contains("No alert is pending or firing."), "{well}");
    let down = || {
        let trouble = Trouble::Unreachable { reason: "refused".into() };
        Err(SourceError::new(SourceId::new("am"), trouble))
    };
    tick(&mut state, 6, down);
    for screen in ["4", "1"] {
        let old = picture(&mut state, screen, 7);
        assert!(old.contains("Last known: no alert is pending"), "{old}");
    }
    let source = state.sources.first().unwrap().clone();
    assert_eq!(watchdog(&state, &source, at(7)), Watchdog::Absent, "none was there before either");
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
            Ok(Reply { warnings, ..Reply::free(Answer::Alerts(AlertBoard::default())) })
        };
        tick(&mut state, 0, answer);
        let alerts = picture(&mut state, "4", 1);
        assert_eq!(alerts.contains("am: partial answers"), is_partial, "{alerts}");
        assert_eq!(alerts.contains("No alert is pending or firing."), !is_partial, "{alerts}");
        let sources = picture(&mut state, "9", 1);
        assert_eq!(sources.contains("partial"), is_partial, "{sources}");
        assert!(sources.contains(&text), "who looks for it finds it: {sources}");
    }
}
