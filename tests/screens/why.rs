//! The page of causes in the demo world: opened from a service, an alert, an SLO and an incident.

use burnwatch::testing::app::event::{Effect, Event};
use burnwatch::testing::app::place::Place;

use crate::stage::Stage;
use crate::{SIZES, in_ascii_too, pictures};

#[test]
fn why_a_service_fails() {
    pictures("why", &["2", "i"]);
}

#[test]
fn without_colour_and_unicode_it_says_the_same() {
    in_ascii_too(|| Stage::demo((120, 36), 1.5), &["2", "i"]);
}

#[test]
fn it_opens_from_services_alerts_slos_and_incidents_and_from_their_pages() {
    for keys in [
        &["2", "i"][..],
        &["2", "enter", "i"],
        &["3", "i"],
        &["3", "enter", "i"],
        &["4", "down", "i"],
        &["5", "i"],
        &["5", "enter", "i"],
    ] {
        let mut stage = Stage::demo((120, 36), 1.5);
        stage.press(keys);
        assert!(matches!(stage.state().place(), Place::Why(_)), "{keys:?}: {}", stage.text());
        stage.press(&["esc"]);
        assert!(!matches!(stage.state().place(), Place::Why(_)), "{keys:?}");
    }
}

#[test]
fn enter_looks_within_a_label_value_and_escape_comes_back() {
    let mut stage = Stage::demo((120, 36), 1.5);
    stage.press(&["2", "i"]);
    let Place::Why(outer) = stage.state().place().clone() else { panic!("{}", stage.text()) };
    assert!(stage.text().contains("come from"), "{}", stage.text());
    stage.press(&["enter"]);
    let Place::Why(inner) = stage.state().place().clone() else { panic!("{}", stage.text()) };
    assert_eq!(inner.wanted.service, outer.wanted.service);
    assert!(outer.wanted.filters.is_empty() && !inner.wanted.filters.is_empty());
    assert!(stage.text().contains("within"), "{}", stage.text());
    stage.press(&["esc"]);
    assert_eq!(stage.state().place(), &Place::Why(outer));
}

#[test]
fn leaving_the_page_cancels_its_questions() {
    let mut stage = Stage::demo((120, 36), 1.5);
    stage.press(&["2"]);
    stage.answer(false);
    let asked = stage.effects_of(Event::Key("i".parse().unwrap()));
    assert!(asked.iter().any(|effect| matches!(effect, Effect::Fetch(_))), "{asked:?}");
    assert!(stage.text().contains("comparing the bad time"), "{}", stage.text());
    let left = stage.effects_of(Event::Key("esc".parse().unwrap()));
    assert!(left.iter().any(|effect| matches!(effect, Effect::CancelFetch(_))), "{left:?}");
}

#[test]
fn a_dead_source_is_said_and_every_size_works() {
    for size in SIZES {
        let mut stage = Stage::demo(size, 1.5);
        stage.kill("prom-eu", 1);
        stage.press(&["2", "i"]);
        assert!(matches!(stage.state().place(), Place::Why(_)));
    }
    for size in [(1, 1), (3, 2), (0, 0), (20, 5)] {
        let mut stage = Stage::demo(size, 1.5);
        stage.press(&["2", "i", "down", "down"]);
        stage.draw();
    }
}
