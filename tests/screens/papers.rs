//! The documents of the demo world: handoff, postmortem, statistics.

use burnwatch::testing::app::event::{Effect, Event};
use burnwatch::testing::app::identity::ReviewSubject;
use burnwatch::testing::app::place::{Document, Place};
use burnwatch::testing::app::selection::Selection;
use burnwatch::testing::model::action::ActionResult;

use crate::SIZES;
use crate::stage::Stage;

fn opened(size: (u16, u16), keys: &[&str]) -> Stage {
    let mut stage = Stage::demo(size, 3.0);
    stage.press(keys);
    stage
}

#[test]
fn papers_in_all_sizes() {
    for (name, keys) in [("handoff", &["H"][..]), ("review", &["5", "v"]), ("statistics", &["#"])] {
        for (width, height) in SIZES {
            let stage = opened((width, height), keys);
            insta::assert_snapshot!(format!("{name}_{width}x{height}"), stage.body());
        }
    }
}

#[test]
fn a_review_is_of_the_incident_under_the_cursor_and_the_way_back_leads_there() {
    let mut stage = opened((120, 36), &["5", "v"]);
    assert!(matches!(stage.state().place(), Place::Report(Document::Postmortem { .. })));
    stage.press(&["esc"]);
    assert_eq!(*stage.state().place(), Place::Incidents);
    stage.press(&["9", "v"]);
    assert_eq!(*stage.state().place(), Place::Sources);
    let reported = stage.state().shared.messages.all().next().map(|reported| reported.message.text.clone());
    assert_eq!(
        reported.as_deref(),
        Some("A postmortem needs an incident, an alert, or a service whose alerts fire. Select one first.")
    );
}

#[test]
fn a_review_of_an_alert_without_an_incident_is_of_the_time_since_it_fires() {
    let stage = opened((120, 36), &["4", "/", "k", "a", "f", "k", "a", "enter", "v"]);
    let Place::Report(Document::Postmortem(ReviewSubject::Outage(outage))) = stage.state().place().clone()
    else {
        panic!("{:?}", stage.state().place())
    };
    let alert =
        stage.state().shared.world.alerts().iter().find(|alert| alert.name() == "KafkaBrokerDiskSlow");
    let alert = alert.expect("it fires");
    assert_eq!((outage.from, outage.until), (alert.starts_at, None));
    assert!(stage.picture().contains("none of a paging system"), "{}", stage.picture());
    // keys act on its service
    assert_eq!(stage.state().selection(), Selection::Services(vec!["kafka".into()]));
}

#[test]
fn all_of_a_paper_is_copied_as_markdown() {
    let mut stage = opened((80, 24), &["H"]);
    let effects = stage.effects_of(Event::Key("y".parse().expect("a key")));
    let copied = effects.iter().find_map(|effect| match effect {
        Effect::Copy(text) => Some(text.clone()),
        _ => None,
    });
    let text = copied.expect("it is copied");
    assert!(text.starts_with("# Handoff: demo") && text.contains("\n## On call\n"), "{text}");
    // an unread journal is not shown as an empty one
    assert!(text.contains("The journal has not been read completely yet."), "{text}");
}

#[test]
fn who_reads_the_end_of_a_paper_stays_there_while_it_grows_and_who_reads_elsewhere_does_too() {
    let mut stage = Stage::demo((80, 24), 1.5);
    stage.press(&["5", "a", "enter", "H", "end"]);
    let short = stage.state().screen().scroll_position().scroll;
    assert!(short > 0 && !stage.picture().contains("more lines"), "{}", stage.picture());
    stage.send(Event::JournalRead(vec![stage.record(ActionResult::Done { id: None }); 5]));
    let long = stage.state().screen().scroll_position().scroll;
    assert!(long > short && !stage.picture().contains("more lines"), "{}", stage.picture());
    stage.press(&["up"]);
    stage.send(Event::JournalRead(vec![stage.record(ActionResult::Done { id: None }); 10]));
    assert_eq!(stage.state().screen().scroll_position().scroll, long - 1, "{}", stage.picture());
}
