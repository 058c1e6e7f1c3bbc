//! Runbooks of the demo world: navigation, display, copying.

use burnwatch::testing::app::event::{Effect, Event};
use burnwatch::testing::app::place::Place;

use crate::stage::Stage;
use crate::{SIZES, in_ascii_too};

/// The keys to the runbook of an alert that pages.
const WAY: [&str; 9] = ["4", "/", "B", "u", "r", "n", "enter", "down", "r"];

fn open(size: (u16, u16)) -> Stage {
    let mut stage = Stage::demo(size, 1.5);
    stage.press(&WAY);
    stage
}

fn copied(stage: &mut Stage) -> Option<String> {
    let effects = stage.effects_of(Event::Key("y".parse().expect("a key")));
    effects.into_iter().find_map(|effect| if let Effect::Copy(text) = effect { Some(text) } else { None })
}

#[test]
fn a_runbook() {
    for (width, height) in SIZES {
        let mut stage = open((width, height));
        insta::assert_snapshot!(format!("runbook_{width}x{height}"), stage.body());
        stage.press(&["tab", "tab"]);
        insta::assert_snapshot!(format!("runbook_block_{width}x{height}"), stage.body());
    }
}

#[test]
fn without_colour_and_unicode_it_says_the_same() {
    let keys: Vec<&str> = WAY.into_iter().chain(["tab"]).collect();
    let plain = in_ascii_too(|| Stage::demo((120, 36), 1.5), &keys);
    insta::assert_snapshot!("ascii_runbook", plain.body());
}

#[test]
fn a_block_is_copied_with_its_labels_and_nothing_else_happens() {
    let mut stage = open((120, 36));
    assert!(matches!(stage.state().place(), Place::Runbook(_)));
    assert_eq!(copied(&mut stage), None, "which of several is not said yet");
    stage.press(&["tab"]);
    let block = copied(&mut stage).expect("a block");
    assert!(block.starts_with("kubectl -n ") && !block.contains("{{"), "{block}");
    stage.press(&["left"]);
    let last = copied(&mut stage).expect("the last block");
    assert!(last.contains("{{ $labels.pod }}"), "{last}");
    assert!(stage.text().contains("Fill in these placeholders yourself"), "{}", stage.text());
    stage.press(&["esc"]);
    assert_eq!(stage.state().place(), &Place::Alerts);
}

#[test]
fn one_that_is_nowhere_says_where_it_was_looked_for() {
    let mut stage = Stage::demo((120, 36), 1.5);
    stage.press(&["2", "r"]);
    let picture = stage.text();
    for said in ["No runbook found", "nobody wrote one yet", "[runbooks]"] {
        assert!(picture.contains(said), "{said:?} in\n{picture}");
    }
    stage.press(&["esc", "9", "r"]);
    assert!(stage.text().contains("No runbook here"), "{}", stage.text());
}

#[test]
fn an_incident_and_an_slo_lead_to_their_runbooks() {
    let mut stage = Stage::demo((120, 36), 1.5);
    for keys in [&["5", "r"][..], &["5", "enter", "r"], &["3", "r"], &["3", "enter", "r"], &["1", "tab", "r"]]
    {
        stage.press(&["1"]);
        stage.press(keys);
        // there are several: choose one
        stage.press(&["enter"]);
        assert!(matches!(stage.state().place(), Place::Runbook(_)), "{keys:?}:\n{}", stage.picture());
    }
}

#[test]
fn links_of_a_runbook_are_listed() {
    let mut stage = open((120, 36));
    stage.press(&["o"]);
    let picture = stage.text();
    assert!(picture.contains("this runbook") && picture.contains("escalation"), "{picture}");
}

#[test]
fn no_size_makes_it_fail() {
    let mut stage = open((80, 24));
    for keys in [&[][..], &["tab", "tab"], &["G"]] {
        stage.press(keys);
        for width in (0..=60).step_by(7).chain([80, 120, 200]) {
            for height in [0, 1, 3, 5, 10, 24, 60] {
                stage.resize((width, height));
                stage.draw();
            }
        }
        stage.resize((80, 24));
    }
}
