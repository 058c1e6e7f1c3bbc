//! The charts of a page share a time axis: value cursor, zoom, kind of value axis.

use burnwatch::testing::app::display_settings::{Charset, Colours};
use burnwatch::testing::app::event::{Effect, Event};
use burnwatch::testing::model::ask::Query;

use crate::stage::Stage;

/// The page of the service with the outage.
fn service() -> Stage {
    let mut stage = Stage::demo((160, 45), 1.5);
    stage.press(&["2", "enter"]);
    stage
}

/// How often a text is on the screen.
fn count(stage: &Stage, words: &str) -> usize {
    stage.body_text().matches(words).count()
}

#[test]
fn charts_open_at_the_outage_and_zero_shows_the_whole_range() {
    let mut stage = service();
    assert_eq!(count(&stage, "last 10m of 1h, zoomed (0: all)"), 5, "{}", stage.body_text());
    stage.press(&["0"]);
    assert_eq!((count(&stage, "zoomed"), count(&stage, "last 1h")), (0, 5), "{}", stage.body_text());
    stage.press(&["0"]);
    assert_eq!(count(&stage, "last 10m of 1h, zoomed (0: all)"), 5);
    // a range that the user has chosen is shown whole
    stage.press(&["t", "down", "enter"]);
    assert_eq!(count(&stage, "zoomed"), 0, "{}", stage.body_text());
}

#[test]
fn one_cursor_is_on_all_charts_and_escape_removes_it_before_it_goes_back() {
    let mut stage = service();
    stage.press(&[","]);
    // the legends and the time axes of five charts; one legend has two columns
    assert_eq!(count(&stage, "02:52:00"), 11, "{}", stage.body_text());
    stage.press(&["left", "left", "right"]);
    assert_eq!((count(&stage, "02:51:45"), count(&stage, "02:52:00")), (11, 0), "{}", stage.body_text());
    stage.press(&["esc"]);
    assert_eq!(count(&stage, "02:51:45"), 0);
    assert_eq!(count(&stage, "Latency by bucket"), 1, "the page is still open");
    // without a cursor, the arrows choose a chart
    let before = stage.state().panel();
    stage.press(&["right"]);
    assert_ne!(stage.state().panel(), before);
    stage.press(&[",", "esc", "esc"]);
    assert_eq!(count(&stage, "Latency by bucket"), 0, "the page is left");
}

#[test]
fn what_is_zoomed_moves_within_the_range_before_the_range_moves() {
    let mut stage = service();
    stage.press(&["0", "+"]);
    assert_eq!(count(&stage, "last 30m of 1h, zoomed (0: all)"), 5, "{}", stage.body_text());
    stage.press(&["["]);
    assert_eq!(count(&stage, "02:07–02:37 of 1h, zoomed (0: all)"), 5, "{}", stage.body_text());
    stage.press(&["]"]);
    assert_eq!(count(&stage, "last 30m of 1h, zoomed (0: all)"), 5);
    stage.press(&["-", "["]);
    assert_eq!(count(&stage, "1h until 30m ago"), 5, "{}", stage.body_text());
}

/// The steps of the histories of services that are asked for.
fn steps(effects: &[Effect]) -> Vec<u64> {
    let step = |effect: &Effect| match effect {
        Effect::Fetch(question) => match &question.ask.query {
            Query::Detail { time_range, .. } => Some(time_range.window.step().as_secs()),
            _ => None,
        },
        _ => None,
    };
    effects.iter().filter_map(step).collect()
}

#[test]
fn zoomed_charts_of_a_service_ask_for_finer_points_and_keep_what_they_have() {
    let key = |name: &str| Event::Key(name.parse().expect("a key"));
    let mut stage = service();
    stage.press(&["t", "7"]);
    assert_eq!(count(&stage, "last 1d"), 5, "{}", stage.body_text());
    let whole = stage.body_text();
    let zoomed = steps(&stage.effects_of(key("+")));
    assert!(!zoomed.is_empty() && zoomed.iter().all(|step| *step == 300), "{zoomed:?}");
    let waiting = stage.body_text();
    assert!(waiting.contains("last 12h of 1d") && !waiting.contains("loading"), "{waiting}");
    let mut stage = service();
    stage.press(&["t", "7", "+", "+"]);
    assert_eq!(count(&stage, "last 6h of 1d, zoomed (0: all)"), 5, "{}", stage.body_text());
    assert_ne!(stage.body_text(), whole);
    // panned: another moment
    let panned = steps(&stage.effects_of(key("[")));
    assert!(panned.iter().all(|step| *step == 120) && !panned.is_empty(), "{panned:?}");
    stage.press(&["0"]);
    assert_eq!((count(&stage, "last 1d"), count(&stage, "loading")), (5, 0), "{}", stage.body_text());
}

#[test]
fn the_value_axis_can_be_logarithmic_and_rates_stacked() {
    let mut stage = service();
    stage.press(&["Y"]);
    assert!(
        count(&stage, "The value axis is logarithmic") > 0
            || stage.frame().contains("The value axis is logarithmic")
    );
    assert!(count(&stage, "log scale") >= 3, "{}", stage.body_text());
    stage.press(&["Y", "%"]);
    assert!(stage.frame().contains("lines are stacked"));
    stage.press(&["%", "tab"]);
    assert!(count(&stage, "100%") > 0, "{}", stage.body_text());
}

#[test]
fn pages_of_alerts_slos_and_incidents_have_the_same_keys() {
    for keys in [["4", "enter"], ["3", "enter"], ["5", "enter"]] {
        let mut stage = Stage::demo((160, 45), 1.5);
        stage.press(&keys);
        stage.press(&[",", "<"]);
        let moved = stage.body_text();
        stage.press(&["left"]);
        assert_ne!(moved, stage.body_text(), "{keys:?}");
        stage.press(&["+", "-", "0", "0", "Y", "%", "esc"]);
        assert!(!stage.body_text().is_empty());
    }
}

/// The charts say the same without colours and in ASCII.
#[test]
fn a_cursor_is_legible_in_ascii_and_without_colour() {
    let stage = crate::in_ascii_too(|| Stage::demo((120, 36), 1.5), &["2", "enter", ",", "<"]);
    assert!(stage.body_text().contains("prom-eu"));
    let mut stage = service();
    stage.look(Charset::Unicode, Colours::None);
    stage.press(&[","]);
    assert!(count(&stage, "02:52:00") >= 10, "{}", stage.body_text());
}
