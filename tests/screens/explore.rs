//! Explore in the demo world: writing, completing, running, splitting, and what goes wrong.

use burnwatch::testing::app::display_settings::{Charset, Colours};
use burnwatch::testing::app::event::{Arrival, Effect, Event};
use burnwatch::testing::app::place::Place;
use burnwatch::testing::app::theme::Role;
use burnwatch::testing::model::ask::{AskKind, Question};
use burnwatch::testing::model::saved_query::{QueryStore, StoreEdit};
use burnwatch::testing::model::source::{ErrorKind, SourceError};
use std::time::Duration;

use crate::stage::Stage;
use crate::{SIZES, in_ascii_too};

const ERRORS: &str = "sum by (service) (rate(http_requests_total{code=\"500\"}[5m]))";

/// Presses a key for each character.
fn write(stage: &mut Stage, text: &str) {
    for c in text.chars() {
        let key = if c == ' ' { "space".to_owned() } else { c.to_string() };
        stage.press(&[&key]);
    }
}

/// Explore after this query was written and run.
fn ran(size: (u16, u16), query: &str) -> Stage {
    let mut stage = Stage::demo(size, 6.0);
    stage.press(&["8", "E"]);
    write(&mut stage, query);
    stage.press(&["enter"]);
    stage
}

/// The questions of this kind among some effects.
fn asked(effects: &[Effect], kind: AskKind) -> Vec<Question> {
    let of_kind = effects.iter().filter_map(|effect| match effect {
        Effect::Fetch(question) if question.ask.kind() == kind => Some(question.clone()),
        _ => None,
    });
    of_kind.collect()
}

#[test]
fn a_result_as_chart() {
    for (width, height) in SIZES {
        insta::assert_snapshot!(
            format!("explore_chart_{width}x{height}"),
            ran((width, height), ERRORS).body()
        );
    }
}

#[test]
fn a_result_as_table_and_as_json() {
    for (width, height) in SIZES {
        let mut stage = ran((width, height), ERRORS);
        stage.press(&["m"]);
        insta::assert_snapshot!(format!("explore_table_{width}x{height}"), stage.body());
    }
    let mut stage = ran((80, 24), "sum(up)");
    stage.press(&["m", "m"]);
    assert!(stage.body_text().contains("\"data\": {"), "{}", stage.body_text());
    stage.press(&["pagedown"]);
    assert!(!stage.body_text().contains("\"status\""), "it scrolls");
    stage.press(&["m"]);
    assert!(stage.text().contains("LAST"), "and comes round to the chart");
}

#[test]
fn writing_with_completions_and_an_error() {
    for (width, height) in SIZES {
        let mut stage = Stage::demo((width, height), 6.0);
        stage.press(&["8", "E"]);
        write(&mut stage, "sum by (service) (rate(http_re");
        insta::assert_snapshot!(format!("explore_writing_{width}x{height}"), stage.body());
    }
    let stage = ran((80, 24), "sum(rate(up[5m])) +");
    insta::assert_snapshot!("explore_error_80x24", stage.body());
}

#[test]
fn without_colour_and_unicode_it_says_the_same() {
    let keys = ["8", "E", "u", "p", "enter"];
    let plain = in_ascii_too(|| Stage::demo((120, 36), 1.5), &keys);
    insta::assert_snapshot!("ascii_explore", plain.body());
    let mut stage = ran((120, 36), "rate(http_requests_total[5m]) +");
    stage.look(Charset::Ascii, Colours::None);
    assert!(stage.text().contains("1:32"), "{}", stage.text());
}

#[test]
fn digits_and_letters_are_text_until_the_editor_is_left() {
    let mut stage = Stage::demo((120, 36), 1.5);
    stage.press(&["8", "E"]);
    write(&mut stage, "14q?:/");
    assert_eq!(*stage.state().place(), Place::Explore);
    assert!(stage.text().contains("> 14q?:/"), "{}", stage.text());
    stage.send(Event::Pasted("up\n{x=\"\u{1b}[2J\"}".to_owned()));
    assert!(stage.text().contains("up") && stage.text().contains("\\x1b[2J"), "{}", stage.text());
    stage.press(&["ctrl-z", "esc", "esc", "4"]);
    assert_eq!(*stage.state().place(), Place::Alerts);
    stage.press(&["8"]);
    assert!(stage.text().contains("> 14q?:/"), "the text is kept");
}

#[test]
fn completions_are_accepted_by_tab_and_the_query_becomes_valid() {
    let mut stage = Stage::demo((120, 36), 6.0);
    stage.press(&["8", "E"]);
    write(&mut stage, "sum(rate(http_requests_tot");
    assert!(
        stage.text().contains("counter") && stage.text().contains("Requests by route"),
        "{}",
        stage.text()
    );
    stage.press(&["tab"]);
    write(&mut stage, "{ser");
    assert!(stage.text().contains("label"), "{}", stage.text());
    stage.press(&["tab"]);
    write(&mut stage, "chec");
    assert!(stage.text().contains("value"), "{}", stage.text());
    stage.press(&["tab"]);
    write(&mut stage, "}[5m])) by (");
    stage.press(&["down", "enter"]);
    write(&mut stage, ")");
    stage.press(&["enter"]);
    let text = stage.text();
    assert!(text.contains("sum(rate(http_requests_total{service=\"checkout\"}[5m])) by (code)"), "{text}");
    assert!(text.contains("5 series"), "{text}");
}

#[test]
fn a_wrong_query_is_not_sent_and_the_cursor_goes_to_its_error() {
    let mut stage = Stage::demo((120, 36), 1.5);
    stage.press(&["8", "E"]);
    write(&mut stage, "up)");
    stage.press(&["left", "left", "left"]);
    let effects = stage.effects_of(Event::Key("enter".parse().expect("a key")));
    assert_eq!(asked(&effects, AskKind::Evaluation), []);
    assert!(stage.text().contains("up▏)") && stage.shows(Role::Trouble), "{}", stage.text());
}

#[test]
fn a_new_query_cancels_the_old_one_and_its_late_answer_changes_nothing() {
    let mut stage = ran((120, 36), "up");
    stage.answer(false);
    stage.press(&["E", "ctrl-u"]);
    write(&mut stage, "up + 1");
    let enter = || Event::Key("enter".parse().expect("a key"));
    let first = asked(&stage.effects_of(enter()), AskKind::Evaluation);
    assert_eq!(first.len(), 1, "one source is asked");
    stage.press(&["E", "ctrl-u"]);
    write(&mut stage, "up + 2");
    let effects = stage.effects_of(enter());
    assert!(effects.contains(&Effect::CancelFetch(first[0].clone())), "{effects:?}");
    assert!(stage.text().contains("loading"), "{}", stage.text());
    let failure = ErrorKind::BadQuery { message: "too late".into() };
    let answered = Err(SourceError::new(first[0].source.clone(), failure));
    let arrival = Arrival { question: first[0].clone(), answered, took: Duration::ZERO };
    stage.send(Event::Answered(Box::new(arrival)));
    assert!(!stage.text().contains("too late"), "{}", stage.text());
}

#[test]
fn a_dead_source_is_said_and_the_old_result_stays_marked_as_old() {
    let mut stage = ran((120, 36), ERRORS);
    let source = stage.state().shared.sources.iter().find(|one| one.answers.contains(&AskKind::Evaluation));
    let source = source.expect("a source").id.to_string();
    assert!(!stage.shows(Role::Stale), "{}", stage.text());
    stage.kill(&source, 90);
    let text = stage.body_text();
    assert!(text.contains("old; cannot connect") && text.contains("LAST"), "{text}");
    assert!(stage.shows(Role::Stale));
    stage.press(&["E", "ctrl-u"]);
    write(&mut stage, "up");
    stage.press(&["enter"]);
    let text = stage.body_text();
    assert!(
        text.contains("cannot connect") && !text.contains("LAST"),
        "another query has no old result: {text}"
    );
}

#[test]
fn an_error_of_the_server_is_shown_beside_the_query_and_not_asked_again() {
    let mut stage = Stage::demo((120, 36), 1.5);
    stage.press(&["8", "E"]);
    // the parser of burnwatch does not know this function: the server decides
    write(&mut stage, "median(up)");
    stage.press(&["enter"]);
    let text = stage.body_text();
    assert!(text.contains("the server decides") && text.contains("Press E to change"), "{text}");
    stage.answer(false);
    let effects = stage.effects_of(Event::Tick);
    assert_eq!(asked(&effects, AskKind::Evaluation), []);
    stage.jump(300);
    assert_eq!(asked(&stage.effects_of(Event::Tick), AskKind::Evaluation), []);
    // the header does not call a source broken because of a wrong query
    assert!(stage.text().contains("median"), "{}", stage.text());
}

#[test]
fn tab_splits_the_result_by_a_label_and_enter_restricts_it_to_a_series() {
    let mut stage = ran((120, 36), "sum(rate(http_requests_total[5m]))");
    assert!(stage.text().contains("1 series"), "{}", stage.text());
    stage.press(&["tab"]);
    assert!(stage.text().contains("Split by") && stage.text().contains("service"), "{}", stage.text());
    let is_at =
        |stage: &Stage| stage.text().lines().any(|line| line.contains('▌') && line.contains(" service "));
    for _ in 0..30 {
        if !is_at(&stage) {
            stage.press(&["down"]);
        }
    }
    assert!(is_at(&stage), "{}", stage.text());
    stage.press(&["enter"]);
    assert!(stage.text().contains("sum by (service) (rate(http_requests_total[5m]))"), "{}", stage.text());
    stage.press(&["enter"]);
    let text = stage.text();
    assert!(text.contains("{service=\"") && text.contains("1 series"), "{text}");
    stage.press(&["E", "ctrl-z", "enter"]);
    assert!(!stage.text().contains("{service=\""), "undo brings the query back: {}", stage.text());
}

#[test]
fn series_are_hidden_shown_alone_sorted_and_filtered() {
    let mut stage = ran((120, 36), ERRORS);
    stage.press(&["K"]);
    assert!(stage.text().contains("1 hidden"), "{}", stage.text());
    stage.press(&["esc"]);
    assert!(!stage.text().contains("hidden"), "{}", stage.text());
    stage.press(&["O"]);
    assert!(stage.text().contains("hidden"), "{}", stage.text());
    stage.press(&["O", "m", "/"]);
    write(&mut stage, "check");
    stage.press(&["enter"]);
    assert!(stage.text().contains("1/39"), "{}", stage.text());
    stage.press(&["esc"]);
    assert!(stage.text().contains("LAST▼"), "the highest value first: {}", stage.text());
    stage.press(&["S", "4", "g"]);
    let text = stage.text();
    let first = text.lines().find(|line| line.contains("accounts"));
    assert!(first.is_some_and(|line| line.starts_with('▌')), "by labels: {text}");
}

#[test]
fn a_query_is_evaluated_once_or_over_the_range() {
    let mut stage = ran((120, 36), "up");
    assert!(stage.text().contains("step"), "{}", stage.text());
    stage.press(&["I"]);
    let text = stage.body_text();
    assert!(text.contains("  now") && !text.contains("MIN"), "{text}");
    stage.press(&["["]);
    assert!(stage.body_text().contains("  at "), "the moment on screen: {}", stage.body_text());
    stage.press(&["\\", "I", ",", ","]);
    assert!(stage.body_text().contains("values at"), "{}", stage.body_text());
}

#[test]
fn charts_of_other_screens_open_with_their_query() {
    let mut stage = Stage::demo((120, 36), 6.0);
    stage.press(&["2", "enter", "E"]);
    assert!(stage.text().contains("requests") && stage.text().contains("errors"), "{}", stage.text());
    stage.press(&["enter"]);
    assert_eq!(*stage.state().place(), Place::Explore);
    assert!(stage.text().contains("series") && stage.text().contains("LAST"), "{}", stage.text());
    stage.press(&["esc"]);
    assert!(matches!(stage.state().place(), Place::Service(_)), "back leads where one came from");
    stage.press(&["4", "down", "enter", "E"]);
    let text = stage.text();
    assert!(text.contains("the value that the rule compares") || text.contains("> "), "{text}");
    stage.press(&["esc", "esc", "3", "enter", "E"]);
    assert!(stage.text().contains("error ratio over"), "{}", stage.text());
}

#[test]
fn what_was_run_is_kept_and_a_view_is_saved_once() {
    let mut stage = Stage::demo((120, 36), 1.5);
    let effects = stage.effects_of(Event::Key("8".parse().expect("a key")));
    assert!(effects.contains(&Effect::ReadQueries), "{effects:?}");
    stage.press(&["E"]);
    write(&mut stage, "up");
    let mut store = QueryStore::default();
    let mut keep = |effects: Vec<Effect>| {
        let mut edits = Vec::new();
        for effect in effects {
            if let Effect::ChangeQueries(change) = effect {
                edits.push(change.what.clone());
                store.apply(change);
            }
        }
        (edits, store.clone())
    };
    let (edits, _) = keep(stage.effects_of(Event::Key("enter".parse().expect("a key"))));
    assert_eq!(edits, [StoreEdit::Ran("up".into(), None)]);
    stage.press(&["V", "1"]);
    write(&mut stage, "all up");
    let (edits, kept) = keep(stage.effects_of(Event::Key("enter".parse().expect("a key"))));
    assert!(matches!(&edits[..], [StoreEdit::Save(view)] if &*view.name == "all up"), "{edits:?}");
    // a new screen with what was kept
    let mut stage = Stage::demo((120, 36), 1.5);
    stage.press(&["8"]);
    stage.send(Event::QueriesRead(kept));
    assert!(stage.text().contains("all up"), "{}", stage.text());
    stage.press(&["enter"]);
    assert!(stage.text().contains("> up") && stage.text().contains("series"), "{}", stage.text());
}

#[test]
fn hints_of_the_query_stand_below_it() {
    let stage = ran((120, 36), "sum(http_requests_total)");
    let text = stage.body_text();
    assert!(
        text.contains("1:5: http_requests_total is a counter")
            && text.contains("rate(http_requests_total[5m])"),
        "{text}"
    );
}
