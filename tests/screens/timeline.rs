//! The timeline of the demo world: entries, filters, and navigation.

use burnwatch::testing::app::event::{Effect, Event};
use burnwatch::testing::app::event_log::LogEventKind;
use burnwatch::testing::app::place::Place;
use burnwatch::testing::model::action::ActionResult;

use crate::stage::Stage;
use crate::{SIZES, in_ascii_too};

/// The timeline after observing the demo world from its start for this many seconds.
fn watched(size: (u16, u16), seconds: i64) -> Stage {
    let mut stage = Stage::demo(size, 0.0);
    stage.wait(seconds);
    stage.press(&["7"]);
    stage
}

fn kinds(stage: &Stage) -> Vec<LogEventKind> {
    stage.state().screens.timeline.rows.list.rows().iter().map(|row| row.0.1).collect()
}

#[test]
fn the_timeline() {
    for (width, height) in SIZES {
        let mut stage = Stage::demo((width, height), 1.5);
        stage.press(&["7"]);
        insta::assert_snapshot!(format!("timeline_{width}x{height}"), stage.body());
    }
}

#[test]
fn without_colour_and_unicode_it_says_the_same() {
    let plain = in_ascii_too(|| Stage::demo((120, 36), 1.5), &["7"]);
    insta::assert_snapshot!("ascii_timeline", plain.body());
}

#[test]
fn before_the_first_answer_nothing_is_said_to_have_happened() {
    let mut stage = Stage::unanswered((120, 36));
    stage.press(&["7"]);
    let picture = stage.text();
    assert!(picture.contains("loading") && !picture.contains("Nothing"), "{picture}");
}

#[test]
fn what_happens_is_kept_though_the_sources_forget() {
    let stage = watched((120, 36), 400);
    let seen = kinds(&stage);
    for kind in [LogEventKind::Fired, LogEventKind::Resolved, LogEventKind::Paged] {
        assert!(seen.contains(&kind), "{kind:?} in\n{}", stage.text());
    }
    let times: Vec<_> = stage.state().screens.timeline.rows.list.rows().iter().map(|row| row.0.0).collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "newest first");
    assert!(stage.text().contains("complete since"), "{}", stage.text());
}

#[test]
fn a_filter_of_words_or_matchers_and_a_range_narrow_it_down() {
    let mut stage = watched((120, 36), 200);
    let all = kinds(&stage).len();
    stage.press(&["/", "k", "i", "n", "d", "=", "\"", "p", "a", "g", "e", "\"", "enter"]);
    assert!(!kinds(&stage).is_empty() && kinds(&stage).iter().all(|kind| *kind == LogEventKind::Paged));
    stage.press(&["esc"]);
    assert_eq!(kinds(&stage).len(), all);
    stage.press(&["t", "1"]);
    assert!(kinds(&stage).len() < all, "an hour has more than a quarter of it");
    stage.press(&["[", "[", "["]);
    assert!(kinds(&stage).iter().all(|kind| *kind != LogEventKind::Done));
    stage.press(&["\\"]);
    assert!(stage.state().shared.range.end.is_none());
}

#[test]
fn from_an_alert_it_opens_at_its_moment_and_leads_back_to_it() {
    let mut stage = Stage::demo((120, 36), 1.5);
    stage.press(&["4", "/", "B", "u", "r", "n", "enter", "down", "enter"]);
    let Place::Alert(fingerprint) = *stage.state().place() else { panic!("{}", stage.picture()) };
    let began = stage.state().shared.world.alert(fingerprint).expect("an alert").starts_at;
    stage.press(&["7"]);
    let at = stage.state().screens.timeline.rows.list.current().expect("a row").0.0;
    assert_eq!(at, began);
    stage.press(&["enter"]);
    assert!(matches!(stage.state().place(), Place::Alert(_) | Place::Incident(_)));
    stage.press(&["esc"]);
    assert_eq!(stage.state().place(), &Place::Timeline);
}

#[test]
fn an_incident_from_longer_ago_widens_the_range() {
    let mut stage = Stage::demo((120, 36), 1.5);
    stage.press(&["5", "f", "G", "enter", "7"]);
    let Some(row) = stage.state().screens.timeline.rows.list.current() else { panic!("{}", stage.picture()) };
    assert!(stage.state().screens.timeline.rows.list.rows().iter().any(|other| other.0.0 >= row.0.0));
}

#[test]
fn a_line_is_copied_as_one_would_say_it() {
    let mut stage = watched((120, 36), 100);
    let effects = stage.effects_of(Event::Key("y".parse().expect("a key")));
    let copied =
        effects.iter().find_map(|effect| if let Effect::Copy(text) = effect { Some(text) } else { None });
    assert!(copied.is_some_and(|text| text.lines().count() == 1 && text.contains(':')), "{effects:?}");
}

#[test]
fn no_size_makes_it_fail() {
    let mut stage = watched((80, 24), 60);
    for width in (0..=60).step_by(7).chain([80, 120, 200]) {
        for height in [0, 1, 3, 5, 10, 24, 60] {
            stage.resize((width, height));
            stage.draw();
        }
    }
}

#[test]
fn what_the_person_did_stands_there_with_how_it_ended() {
    let mut stage = Stage::demo((120, 36), 1.5);
    stage.press(&["5", "a", "enter"]);
    let unknown = stage.record(ActionResult::Unknown { words: "no answer".into() });
    let done = stage.record(ActionResult::Done { id: None });
    // a result that is read back later replaces the unknown one
    stage.send(Event::JournalRead(vec![unknown]));
    stage.send(Event::JournalRead(vec![done]));
    stage.press(&["7"]);
    let done: Vec<usize> = kinds(&stage)
        .iter()
        .enumerate()
        .filter(|(_, kind)| **kind == LogEventKind::Done)
        .map(|(at, _)| at)
        .collect();
    assert_eq!(done, [0], "{}", stage.picture());
    assert!(stage.text().contains("Acknowledged"), "{}", stage.text());
}

#[test]
fn what_happened_to_incidents_stands_there_though_none_was_opened() {
    let stage = watched((120, 36), 200);
    assert!(kinds(&stage).contains(&LogEventKind::Step), "{}", stage.text());
    assert!(stage.text().contains("was notified by push"), "{}", stage.text());
    assert!(!stage.text().contains("not loaded yet"), "{}", stage.text());
}
