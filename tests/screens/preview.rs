//! The preview beside a list: what it shows, when it follows the cursor, and what it leaves alone.

use burnwatch::testing::app::event::{Effect, Event, MouseAction};
use burnwatch::testing::app::place::Place;
use burnwatch::testing::model::ask::AskKind;

use crate::stage::Stage;

const LISTS: [&str; 4] = ["2", "3", "4", "5"];

/// The right part of the body, where the preview is drawn.
fn beside(stage: &Stage) -> String {
    let width = usize::from(stage.state().shared.size.0);
    let right = |line: &str| line.chars().skip(width * 3 / 5).collect::<String>();
    stage.body_text().lines().map(right).collect::<Vec<_>>().join("\n")
}

/// The name of the item under the cursor, as the preview's title has it.
fn current(stage: &Stage) -> String {
    let shared = &stage.state().shared;
    let place = stage.state().screen().items().expect("a list of items").place(shared);
    match place.expect("an item under the cursor") {
        Place::Service(name) => name.to_string(),
        Place::Slo(key) => key.id.to_string(),
        Place::Alert(fingerprint) => shared.world.alert(fingerprint).expect("listed").name().to_owned(),
        Place::Incident(key) => format!("#{}", key.incident(&shared.world).expect("listed").incident.number),
        other => format!("{other:?}"),
    }
}

#[test]
fn each_list_shows_the_item_under_the_cursor_after_a_rest() {
    for size in [(120, 36), (200, 50)] {
        for list in LISTS {
            let mut stage = Stage::demo(size, 4.0);
            stage.press(&[list, "d"]);
            let first = current(&stage);
            assert!(beside(&stage).contains(&first), "{first}:\n{}", stage.text());
            stage.press(&["down"]);
            let second = current(&stage);
            assert!(beside(&stage).contains(&format!(" {first} ─")), "before a rest:\n{}", stage.text());
            stage.rest();
            assert!(beside(&stage).contains(&format!(" {second} ─")), "{second}:\n{}", stage.text());
        }
    }
}

#[test]
fn moving_the_cursor_asks_nothing() {
    for list in LISTS {
        let mut stage = Stage::demo((200, 50), 4.0);
        stage.press(&[list, "d"]);
        stage.rest();
        let down = Event::Key("down".parse().expect("a key"));
        let effects = stage.effects_of(down);
        let [Effect::Wake { move_number, .. }] = effects[..] else { panic!("{list}: {effects:?}") };
        assert_eq!(stage.effects_of(Event::Woken { move_number }), [], "{list}");
    }
}

#[test]
fn a_list_with_a_preview_asks_for_the_trends_of_all_services_once() {
    let mut stage = Stage::demo((120, 36), 4.0);
    stage.press(&["5"]);
    let key = || Event::Key("d".parse().expect("a key"));
    let trends = |effects: &[Effect]| {
        let is_it = |effect: &&Effect| matches!(effect, Effect::Fetch(q) if q.ask.kind() == AskKind::Trends);
        effects.iter().filter(is_it).count()
    };
    let sources = stage.state().shared.answering(AskKind::Trends).count();
    stage.wait(60);
    assert_eq!(trends(&stage.effects_of(key())), sources);
}

#[test]
fn the_mouse_reaches_only_the_list() {
    let mut stage = Stage::demo((120, 36), 4.0);
    stage.press(&["2", "d"]);
    let before = current(&stage);
    stage.send(Event::Mouse { action: MouseAction::Click, column: 100, row: 8 });
    assert_eq!(current(&stage), before, "a click on the preview");
    stage.send(Event::Mouse { action: MouseAction::Click, column: 10, row: 8 });
    assert_ne!(current(&stage), before, "a click on a row");
}

#[test]
fn without_room_or_items_it_says_why_there_is_none() {
    let mut stage = Stage::demo((119, 36), 4.0);
    stage.press(&["4", "d"]);
    assert!(stage.text().contains("needs a terminal of 120 columns"), "{}", stage.text());
    stage.resize((120, 36));
    stage.press(&["7", "d"]);
    assert!(stage.text().contains("There is no preview on this screen"), "{}", stage.text());
    // switched on, and then the terminal shrinks: the list has all the room until it grows again
    stage.press(&["4", "d"]);
    stage.resize((80, 24));
    assert!(!stage.text().contains("Labels"), "{}", stage.text());
    stage.resize((120, 36));
    assert!(stage.text().contains("Labels"), "{}", stage.text());
    stage.press(&["d"]);
    assert!(!stage.text().contains("Labels"), "{}", stage.text());
}

#[test]
fn an_item_that_is_gone_is_no_longer_shown() {
    let mut stage = Stage::demo((120, 36), 4.0);
    stage.press(&["4", "d", "/", "n", "o", "s", "u", "c", "h", "enter"]);
    stage.rest();
    assert!(beside(&stage).contains("Nothing is selected"), "{}", stage.text());
}

#[test]
fn pictures_of_previews() {
    for (list, name) in LISTS.into_iter().zip(["service", "slo", "alert", "incident"]) {
        for size in [(120, 36), (200, 50)] {
            let mut stage = Stage::demo(size, 4.0);
            stage.press(&[list, "d"]);
            insta::assert_snapshot!(format!("preview_{name}_{}x{}", size.0, size.1), stage.body());
        }
    }
}
