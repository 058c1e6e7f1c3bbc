//! Silences from the screen: several in one action, a new one, edited, and created again.

use burnwatch::testing::app::event::Event;
use burnwatch::testing::app::state::Mode;
use burnwatch::testing::model::action::{ActionProgress, ActionResult, Operation, SilenceDraft};
use burnwatch::testing::model::guard::Guard;
use burnwatch::testing::model::matcher::list;
use jiff::SignedDuration;

use crate::pager::{Pager, incidents, on_call};
use crate::stage::Stage;

fn stage() -> Stage {
    Stage::pager((120, 36), Pager::new(incidents(), on_call()))
}

fn type_in(stage: &mut Stage, text: &str) {
    stage.send(Event::Pasted(text.to_owned()));
}

/// The silences that were confirmed last.
fn drafts(stage: &Stage) -> Vec<SilenceDraft> {
    let actions = &stage.acts().last().expect("something was confirmed").actions;
    actions.iter().map(|action| action.operation.draft().expect("a silence").clone()).collect()
}

#[test]
fn where_one_silence_would_hide_more_several_are_made_and_each_says_what_it_hides() {
    let mut stage = stage();
    stage.press(&["4", "space", "space", "s"]);
    let picture = stage.picture();
    assert!(
        picture.contains("2 silences affect 2 of 3 alerts (66%): exactly the selected ones"),
        "{picture}"
    );
    let one = r#"affects 1  {alertname="CartBurns", service="cart", severity="page"}"#;
    assert!(picture.contains(one), "{picture}");
    insta::assert_snapshot!("silences_several_form", stage.body());
    stage.press(&["enter"]);
    let picture = stage.picture();
    assert!(picture.contains("Silence 2 alerts by 2 silences"), "{picture}");
    assert!(
        picture.contains("CartBurns  affects 1 at pager") && picture.contains("2 requests:"),
        "{picture}"
    );
    insta::assert_snapshot!("silences_several_confirm", stage.body());
    stage.press(&["d", "e", "m", "o", "enter"]);
    let made: Vec<String> = drafts(&stage).iter().map(|draft| list(&draft.matchers)).collect();
    assert_eq!(made.len(), 2);
    assert!(made.iter().all(|one| one.contains("alertname=\"") && one.contains("service=\"")), "{made:?}");
    // when one fails, the message names those that were created
    let plan = stage.acts().last().expect("a plan").id;
    let ended =
        |index, ending| Event::ActionProgressed { plan, index, progress: ActionProgress::Ended(ending) };
    stage.send(ended(0, ActionResult::Done { id: Some("s1".into()) }));
    stage.send(ended(1, ActionResult::Refused { words: "no room".into() }));
    assert!(stage.picture().contains("1 of 2 silenced, 1 not"), "{}", stage.picture());
}

#[test]
fn more_silences_than_one_action_may_have_are_refused() {
    let mut stage = stage();
    stage.guard(Guard { max_bulk: 1, silence_share: 1.0, ..Guard::default() }, false);
    stage.press(&["4", "space", "space", "s"]);
    let picture = stage.picture();
    assert!(picture.contains("2 silences would be needed, at most 1 are allowed at once"), "{picture}");
    stage.press(&["enter", "enter"]);
    assert!(stage.acts().is_empty());
}

#[test]
fn labels_that_are_left_out_make_another_proposal() {
    let mut stage = stage();
    stage.press(&["4", "s", "shift-tab", "shift-tab", "shift-tab"]);
    type_in(&mut stage, "alertname, service");
    let picture = stage.picture();
    assert!(picture.contains(r#"matchers  severity="page""#), "{picture}");
    assert!(picture.contains("Affects 3 of 3 alerts (100%): 2 of them not selected"), "{picture}");
}

#[test]
fn a_silence_is_written_from_nothing_for_work_to_come() {
    let mut stage = stage();
    stage.press(&["Z", "N"]);
    assert!(stage.picture().contains("New silence at pager"), "{}", stage.picture());
    assert!(stage.picture().contains("at least one matcher is needed"), "{}", stage.picture());
    type_in(&mut stage, "service!=cart");
    let picture = stage.picture();
    assert!(picture.contains("Affects 2 of 3 alerts (66%)") && !picture.contains("selected"), "{picture}");
    stage.press(&["tab", "tab"]);
    type_in(&mut stage, "disks");
    stage.press(&["tab", "tab", "ctrl-u"]);
    type_in(&mut stage, "22:00");
    stage.press(&["enter"]);
    let picture = stage.picture();
    assert!(picture.contains("Begins 22:00:00") && picture.contains("would silence"), "{picture}");
    stage.press(&["d", "e", "m", "o", "enter"]);
    let [draft] = drafts(&stage).try_into().expect("one silence");
    let start = draft.starts_at.expect("it begins later");
    assert_eq!(start.to_string(), "2026-01-14T22:00:00Z");
    assert_eq!(
        (draft.ends_at, list(&draft.matchers)),
        (start + SignedDuration::from_hours(2), r#"service!="cart""#.into())
    );
    // a silence hides nothing before its start
    assert!(!stage.picture().contains("silenced…"), "{}", stage.picture());
}

#[test]
fn nothing_is_written_where_nothing_may_be_changed() {
    let mut stage = stage();
    stage.guard(Guard::read_only("--read-only"), false);
    stage.press(&["N"]);
    assert!(matches!(stage.state().mode, Mode::Browse));
    assert!(stage.picture().contains("actions are disabled: --read-only"), "{}", stage.picture());
}

#[test]
fn a_silence_in_force_is_edited() {
    let mut stage = stage();
    stage.press(&["Z", "x"]);
    insta::assert_snapshot!("silences_menu", stage.body());
    stage.press(&["3"]);
    let picture = stage.picture();
    assert!(picture.contains("Edit the silence at pager"), "{picture}");
    assert!(picture.contains(r#"alertname="DiskFull", service=~"cart|search""#), "{picture}");
    stage.press(&["tab", "tab", "ctrl-u"]);
    type_in(&mut stage, "still");
    stage.press(&["enter"]);
    assert!(stage.picture().contains("keeps its id"), "{}", stage.picture());
    assert!(stage.picture().contains("Edit 1 silence at pager"), "{}", stage.picture());
    stage.press(&["esc", "x", "3"]);
    type_in(&mut stage, ", team=data");
    stage.press(&["enter"]);
    let picture = stage.picture();
    assert!(picture.contains("creates a new silence with another id and expires this one"), "{picture}");
    stage.press(&["enter"]);
    let action = &stage.acts().last().expect("it was confirmed").actions[0];
    let Operation::Edit { draft, .. } = &action.operation else { panic!("not edited") };
    assert_eq!(&*action.target.id, "5f0c1a77-soon");
    assert_eq!(list(&draft.matchers), r#"alertname="DiskFull", service=~"cart|search", team="data""#);
    assert_eq!(draft.starts_at, None, "it goes on as it began");
}

#[test]
fn a_silence_that_has_ended_is_made_once_more_and_not_extended() {
    let mut stage = stage();
    stage.press(&["Z", "f", "end", "x"]);
    let picture = stage.picture();
    assert!(picture.contains("has expired: create it again instead"), "{picture}");
    stage.press(&["4"]);
    assert!(stage.picture().contains("Create the silence again at pager"), "{}", stage.picture());
    stage.press(&["enter", "enter"]);
    let [draft] = drafts(&stage).try_into().expect("one silence");
    assert_eq!(list(&draft.matchers), r#"team="store""#);
    assert_eq!(draft.ends_at, Stage::start() + SignedDuration::from_mins(50), "as long as it lasted");
}

#[test]
fn a_matcher_that_cannot_be_judged_is_said_and_wants_the_name() {
    let mut stage = stage();
    stage.press(&["N"]);
    type_in(&mut stage, r#"service=~"((\\pL{30}){30}x){1}|[\\pL\\pN]{1000}""#);
    assert!(stage.picture().contains("cannot preview"), "{}", stage.picture());
    stage.press(&["tab", "tab"]);
    type_in(&mut stage, "why");
    stage.press(&["enter"]);
    let picture = stage.picture();
    assert!(picture.contains("No preview") && picture.contains("Type demo and press Enter"), "{picture}");
}

#[test]
fn whose_clock_ends_a_silence_is_said_where_two_differ() {
    let mut stage = Stage::pager((120, 36), Pager::new(incidents(), on_call()).ahead(-10_800));
    stage.press(&["Z", "x", "1", "2"]);
    let picture = stage.picture();
    assert!(picture.contains("The clock of pager is 3h behind"), "{picture}");
    assert!(picture.contains("01:04:07 there, 04:04:07 here"), "{picture}");
}
