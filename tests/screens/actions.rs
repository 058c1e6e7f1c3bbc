//! Actions on external systems: the plan of each key, the confirm dialog, and the display until the source confirms the change.

use burnwatch::testing::app::event::{Effect, Event, TerminalLink};
use burnwatch::testing::app::place::Place;
use burnwatch::testing::app::state::Mode;
use burnwatch::testing::model::action::{Action, ActionProgress, ActionResult, Operation, OperationKind};
use burnwatch::testing::model::alert::AlertState;
use burnwatch::testing::model::ask::Query;
use burnwatch::testing::model::guard::Guard;
use burnwatch::testing::model::incident::IncidentStatus;
use jiff::SignedDuration;

use crate::pager::{Pager, incidents, on_call};
use crate::stage::Stage;
use crate::{SIZES, in_ascii_too};

mod everywhere;
mod forms;

fn stage() -> Stage {
    Stage::pager((120, 36), Pager::new(incidents(), on_call()))
}

fn type_in(stage: &mut Stage, text: &str) {
    for c in text.chars() {
        let key = if c == ' ' { "space".to_owned() } else { c.to_string() };
        stage.press(&[&key]);
    }
}

/// The actions that were confirmed last.
fn last(stage: &Stage) -> &[Action] {
    &stage.acts().last().expect("something was confirmed").actions
}

fn numbers(actions: &[Action]) -> Vec<&str> {
    actions.iter().map(|action| &*action.target.id).collect()
}

fn progress(stage: &mut Stage, index: usize, progress: ActionProgress) {
    let plan = stage.acts().last().expect("something was confirmed").id;
    stage.send(Event::ActionProgressed { plan, index, progress });
}

fn end(stage: &mut Stage, index: usize, ending: ActionResult) {
    progress(stage, index, ActionProgress::Ended(ending));
}

fn done() -> ActionResult {
    ActionResult::Done { id: None }
}

fn refused() -> ActionResult {
    ActionResult::Refused { words: "you may only read".into() }
}

#[test]
fn nothing_is_done_before_it_is_confirmed_and_then_it_is_what_was_under_the_cursor() {
    let mut stage = stage();
    stage.press(&["5", "a"]);
    assert!(stage.acts().is_empty() && matches!(stage.state().mode, Mode::Confirm(_)));
    let picture = stage.picture();
    assert!(picture.contains("Acknowledge 1 incident at pager (demo)"), "{picture}");
    assert!(picture.contains("PUT https://pager.example/incidents/P1"), "{picture}");
    stage.press(&["enter"]);
    assert_eq!(last(&stage)[0].operation, Operation::Acknowledge);
    assert_eq!(last(&stage)[0].target.seen, Some(IncidentStatus::Triggered));
    assert_eq!(numbers(last(&stage)), ["P1"]);
}

#[test]
fn who_acts_on_a_row_or_opens_it_has_the_cursor_there_whatever_moves_above_it() {
    for keys in [["x", "esc"], ["enter", "esc"]] {
        let mut stage = stage();
        stage.press(&["5"]);
        let first = stage.state().screens.incidents.rows.list.current().cloned();
        stage.press(&keys);
        // sorted by age, the oldest incident comes first
        stage.press(&["S", "a", "g", "e", "enter"]);
        let list = &stage.state().screens.incidents.rows.list;
        assert_eq!(list.current().cloned(), first, "{}", stage.picture());
        assert!(list.index() > 0, "{}", stage.picture());
    }
}

#[test]
fn what_the_terminal_did_not_show_is_not_confirmed() {
    let mut stage = stage();
    stage.press(&["5", "a"]);
    for link in [TerminalLink::Stalled, TerminalLink::Quick] {
        stage.send(Event::Link(link));
        assert!(stage.acts().is_empty() && matches!(stage.state().mode, Mode::Confirm(_)));
        stage.press(&["enter"]);
    }
    assert_eq!(numbers(last(&stage)), ["P1"]);
}

#[test]
fn words_typed_where_no_filter_is_open_do_nothing_outside() {
    let words = [
        "Rollout",
        "payments",
        "Redis",
        "yes",
        "Ry",
        "Ryy",
        "ay",
        "any",
        "zy",
        "zzz",
        "snooze",
        "esy",
        "xylophone",
    ];
    for screen in ["1", "2", "4", "5"] {
        for word in words {
            for end in ["enter", "ctrl-j"] {
                let mut stage = stage();
                stage.press(&[screen]);
                let letters: Vec<String> = word.chars().map(String::from).collect();
                let mut keys: Vec<&str> = letters.iter().map(String::as_str).collect();
                keys.push(end);
                stage.press_at_once(&keys);
                assert!(stage.acts().is_empty(), "{screen} {word}");
            }
        }
    }
}

#[test]
fn a_key_counts_as_an_answer_once_the_question_stood_there_with_no_key_before_it() {
    let mut stage = stage();
    stage.press_at_once(&["5", "a"]);
    assert!(!stage.picture().contains("confirms"), "{}", stage.picture());
    stage.press_at_once(&["enter", "y", "enter"]);
    assert!(
        stage.acts().is_empty() && stage.picture().contains("ignored, the dialog"),
        "{}",
        stage.picture()
    );
    // an earlier wait for the dialog does not count after these keys
    let mut other = self::stage();
    other.press_at_once(&["5", "a"]);
    let wait = other.state().waits().expect("it is not answered yet");
    other.press_at_once(&["enter"]);
    other.send(Event::Read(wait));
    other.press_at_once(&["enter"]);
    assert!(other.acts().is_empty());
    stage.read();
    assert!(stage.picture().contains("confirms"), "{}", stage.picture());
    stage.press_at_once(&["enter"]);
    assert_eq!(numbers(last(&stage)), ["P1"]);
}

#[test]
fn what_wakes_people_or_cannot_be_undone_takes_a_letter_and_no_bare_enter() {
    for keys in [&["5", "R"][..], &["5", "e", "2"]] {
        let mut stage = stage();
        stage.press(keys);
        stage.press(&["enter", "enter"]);
        assert!(stage.acts().is_empty() && stage.picture().contains("press y to confirm"), "{keys:?}");
        stage.press(&["y"]);
        assert_eq!(stage.acts().len(), 1, "{keys:?}");
    }
}

#[test]
fn a_letter_or_digit_that_is_no_answer_closes_the_dialog() {
    for key in ["w", "1", "Y", "space", "/", ":"] {
        let mut stage = stage();
        stage.press(&["5", "a", key]);
        assert!(matches!(stage.state().mode, Mode::Browse), "{key}");
        assert!(stage.picture().contains("Nothing was sent"), "{}", stage.picture());
        stage.press(&["enter"]);
        assert!(stage.acts().is_empty());
    }
}

#[test]
fn what_is_left_is_not_done() {
    for key in ["esc", "n", "q"] {
        let mut stage = stage();
        stage.press(&["5", "R", key]);
        assert!(stage.acts().is_empty() && matches!(stage.state().mode, Mode::Browse), "{key}");
        assert!(stage.picture().contains("Nothing was sent"));
    }
}

#[test]
fn it_shows_at_once_as_not_sure_and_is_taken_back_if_it_fails() {
    let mut stage = stage();
    stage.press(&["5", "a", "y"]);
    let picture = stage.picture();
    assert!(picture.contains("sending") && picture.contains("acknowledging #1"), "{picture}");
    end(&mut stage, 0, refused());
    let picture = stage.picture();
    assert!(!picture.contains("sending"), "{picture}");
    assert!(picture.contains("Not acknowledged, refused by pager: "), "{picture}");
    assert_eq!(stage.state().shared.world.incidents()[0].incident.status, IncidentStatus::Triggered);
}

#[test]
fn what_was_done_stays_until_the_source_was_asked_after_it_which_is_at_once() {
    let mut stage = stage();
    stage.press(&["5", "a", "y"]);
    let plan = stage.acts()[0].id;
    let effects =
        stage.effects_of(Event::ActionProgressed { plan, index: 0, progress: ActionProgress::Ended(done()) });
    let asks =
        |effect: &Effect| matches!(effect, Effect::Fetch(question) if question.ask == Query::Incidents.now());
    assert!(effects.iter().any(asks), "{effects:?}");
    let world = &stage.state().shared.world;
    let known = world.incidents().iter().find(|known| known.incident.number == 1).expect("it is there");
    assert_eq!(known.incident.status, IncidentStatus::Acknowledged);
    assert!(stage.picture().contains("sent"), "{}", stage.picture());
}

#[test]
fn marked_rows_are_done_as_one_and_what_was_not_done_keeps_its_mark() {
    let mut stage = stage();
    stage.press(&["5", "*", "a"]);
    let picture = stage.picture();
    assert!(picture.contains("Acknowledge 3 incidents"), "{picture}");
    assert!(picture.contains("left out: #3 is already acknowledged by Kofi Mensah"), "{picture}");
    stage.press(&["enter"]);
    assert_eq!(last(&stage).len(), 3);
    progress(&mut stage, 0, ActionProgress::Sending);
    assert!(stage.picture().contains("acknowledging 0/3"), "{}", stage.picture());
    end(&mut stage, 0, done());
    let until = Stage::start() + SignedDuration::from_secs(40);
    progress(&mut stage, 1, ActionProgress::Waiting { until });
    assert!(stage.picture().contains("pager asks to wait until 02:52:47"), "{}", stage.picture());
    end(&mut stage, 1, ActionResult::Conflict { words: "resolved by Kofi Mensah at 02:53".into() });
    progress(&mut stage, 2, ActionProgress::ReadingBack);
    assert!(stage.picture().contains("no clear answer"), "{}", stage.picture());
    end(&mut stage, 2, ActionResult::Unknown { words: "no answer within 10s".into() });
    let picture = stage.picture();
    assert!(picture.contains("1 of 3 acknowledged, 2 not (A shows which and why)"), "{picture}");
    // one of five marked rows was done
    assert_eq!(stage.state().screens.incidents.rows.list.marks().len(), 4);
    stage.press(&["A"]);
    let picture = stage.picture();
    assert!(
        picture.contains("overtaken") && picture.contains("resolved by Kofi Mensah at 02:53"),
        "{picture}"
    );
    assert!(picture.contains("unknown") && picture.contains("no answer within 10s"), "{picture}");
}

#[test]
fn what_moves_while_the_dialogue_is_open_is_left_out_and_with_the_last_the_dialogue_closes() {
    let mut stage = stage();
    stage.press(&["5", "*", "a"]);
    let mut changed = incidents();
    changed[0].status = IncidentStatus::Resolved;
    stage.retell(changed.clone());
    stage.wait(20);
    let picture = stage.picture();
    assert!(picture.contains("Acknowledge 2 incidents"), "{picture}");
    assert!(picture.contains("is already resolved"), "{picture}");
    stage.retell(Vec::new());
    stage.wait(20);
    assert!(matches!(stage.state().mode, Mode::Browse));
    stage.press(&["enter", "y"]);
    assert!(stage.acts().is_empty());
}

#[test]
fn where_nothing_may_be_changed_the_keys_say_why_and_are_not_offered() {
    let mut stage = stage();
    stage.guard(Guard::read_only("--read-only"), false);
    for key in ["a", "s", "n", "e", "z", "R", "x"] {
        stage.press(&["5", key]);
        assert!(matches!(stage.state().mode, Mode::Browse), "{key}");
        assert!(stage.picture().contains("actions are disabled: --read-only"), "{}", stage.picture());
    }
    stage.jump(20);
    let picture = stage.picture();
    assert!(picture.contains("read-only") && !picture.contains("a ack"), "{picture}");
    stage.press(&["?"]);
    assert!(!stage.picture().contains("Acknowledge"), "{}", stage.picture());
    stage.press(&["esc", ":"]);
    type_in(&mut stage, "acknowledge");
    assert!(!stage.picture().contains("acknowledge: "), "{}", stage.picture());
}

#[test]
fn what_the_context_denies_or_the_key_may_not_is_refused_before_a_dialogue() {
    let mut denied = stage();
    denied.guard(Guard { deny: [OperationKind::Resolve].into(), ..Guard::default() }, false);
    denied.press(&["5", "R"]);
    assert!(denied.picture().contains("this context denies `resolve`"), "{}", denied.picture());
    denied.press(&["x"]);
    let picture = denied.picture();
    assert!(picture.contains("Resolve  (R)  - this context denies"), "{picture}");
    let mut few = stage();
    few.guard(Guard { max_bulk: 2, ..Guard::default() }, false);
    few.press(&["5", "*", "a"]);
    assert!(few.picture().contains("3 objects at once, at most 2 are allowed"), "{}", few.picture());
    let pager = Pager::new(incidents(), on_call()).refusing("Ana may only read");
    let mut reader = Stage::pager((120, 36), pager);
    reader.press(&["5", "a"]);
    assert!(reader.picture().contains("pager: Ana may only read"), "{}", reader.picture());
    assert!(denied.acts().is_empty() && few.acts().is_empty() && reader.acts().is_empty());
}

#[test]
fn leaving_while_something_is_on_its_way_has_to_be_meant() {
    let mut stage = stage();
    stage.press(&["5", "a", "y"]);
    let key = |name: &str| Event::Key(name.parse().unwrap());
    stage.wait(1);
    assert_eq!(stage.effects_of(key("q")), []);
    assert!(
        stage.picture().contains("1 action is in progress: press q again to quit"),
        "{}",
        stage.picture()
    );
    stage.wait(6);
    assert!(stage.picture().contains("acknowledging"), "{}", stage.picture());
    assert_eq!(stage.effects_of(key("q")), [Effect::Quit]);
    end(&mut stage, 0, done());
    stage.jump(30);
    assert_eq!(stage.effects_of(key("q")), [Effect::Quit]);
}

#[test]
fn a_dry_run_says_so_and_nothing_looks_done() {
    let mut stage = stage();
    stage.guard(Guard { dry_run: true, ..Guard::default() }, true);
    stage.press(&["5", "a"]);
    let picture = stage.picture();
    assert!(picture.contains("DRY RUN") && picture.contains("PRODUCTION: demo"), "{picture}");
    stage.press(&["y"]);
    assert_eq!(stage.state().shared.world.incidents()[0].incident.status, IncidentStatus::Triggered);
    end(&mut stage, 0, ActionResult::Held { words: "dry run".into() });
    assert!(stage.picture().contains("nothing was sent"), "{}", stage.picture());
}

fn pictures(name: &str, keys: &[&str], production: bool) {
    for size in SIZES {
        let mut stage = Stage::pager(size, Pager::new(incidents(), on_call()));
        stage.guard(Guard::default(), production);
        stage.press(keys);
        insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), stage.body());
    }
}

#[test]
fn the_dialogue() {
    pictures("confirm", &["5", "*", "a"], true);
}

#[test]
fn the_dialogue_of_an_escalation() {
    pictures("confirm_escalate", &["5", "e", "2"], false);
}

#[test]
fn the_form_of_a_silence() {
    pictures("form_silence", &["4", "space", "space", "s"], false);
}

#[test]
fn the_menu_of_all_actions() {
    pictures("menu_actions", &["5", "x"], false);
}

#[test]
fn silences() {
    pictures("silences", &["Z", "f"], false);
}

#[test]
fn results() {
    for size in SIZES {
        let mut stage = Stage::pager(size, Pager::new(incidents(), on_call()));
        stage.press(&["5", "*", "a", "y"]);
        end(&mut stage, 0, done());
        end(&mut stage, 1, ActionResult::Conflict { words: "resolved by Kofi Mensah at 02:53".into() });
        stage.press(&["A"]);
        insta::assert_snapshot!(format!("results_{}x{}", size.0, size.1), stage.body());
    }
}

#[test]
fn on_its_way_in_ascii_and_without_colour() {
    let make = || {
        let mut stage = Stage::pager((120, 36), Pager::new(incidents(), on_call()));
        stage.guard(Guard::default(), true);
        stage
    };
    for (name, keys) in [
        ("ascii_confirm", &["5", "*", "a"][..]),
        ("ascii_sending", &["5", "*", "a", "y"]),
        ("ascii_form_silence", &["5", "*", "a", "y", "4", "s"]),
    ] {
        insta::assert_snapshot!(name, in_ascii_too(make, keys).body());
    }
}
