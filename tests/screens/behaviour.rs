//! The effects of keys and answers on the screen.

use burnwatch::testing::app::event::{Arrival, Effect, Event, MouseAction, TerminalLink};
use burnwatch::testing::app::list::Grouping;
use burnwatch::testing::app::menu::MenuChoice;
use burnwatch::testing::app::place::Place;
use burnwatch::testing::app::screens::alerts::Row;
use burnwatch::testing::app::state::Mode;
use burnwatch::testing::model::ask::{Answer, Answered, Reply};
use std::time::Duration;

use crate::stage::Stage;

fn demo() -> Stage {
    Stage::demo((120, 36), 1.5)
}

fn fetches(effects: &[Effect]) -> usize {
    effects.iter().filter(|effect| matches!(effect, Effect::Fetch(_))).count()
}

#[test]
fn the_cursor_stays_on_its_alert_while_rows_come_and_go() {
    let mut stage = demo();
    stage.press(&["4", "down", "down"]);
    let chosen = stage.state().screens.alerts.rows.list.current().cloned();
    let before = stage.state().screens.alerts.rows.list.rows().to_vec();
    for _ in 0..40 {
        stage.wait(15);
        assert_eq!(stage.state().screens.alerts.rows.list.current().cloned(), chosen, "{}", stage.picture());
        if stage.state().screens.alerts.rows.list.rows() != before {
            return;
        }
    }
    panic!("nothing moved in ten minutes of the story");
}

#[test]
fn over_a_slow_line_time_goes_on_in_steps_and_a_word_says_why() {
    let mut stage = demo();
    assert!(!stage.picture().contains("slow connection"));
    stage.send(Event::Link(TerminalLink::Slow));
    stage.answer(false);
    let ticks = |stage: &mut Stage| {
        let before = stage.state().version();
        stage.wait(30);
        stage.state().version() - before
    };
    assert!(stage.picture().contains("slow connection"), "{}", stage.picture());
    // one frame every ten seconds, and one when the sources without an answer are reported
    assert_eq!(ticks(&mut stage), 4);
    assert!(stage.picture().contains("02:52 UTC"), "seconds are not shown: {}", stage.picture());
    for _ in 0..10 {
        stage.wait(1);
        stage.answer(false);
        assert!(!stage.picture().contains("on call: not known"), "what was just heard holds now");
    }
    stage.send(Event::Link(TerminalLink::Quick));
    assert_eq!(ticks(&mut stage), 30);
}

#[test]
fn leaving_a_screen_gives_up_its_questions() {
    let mut stage = demo();
    stage.press(&["2"]);
    stage.answer(false);
    let asked = stage.effects_of(Event::Key("enter".parse().unwrap()));
    let detail = asked.iter().find_map(|effect| match effect {
        Effect::Fetch(question) => Some(question.clone()),
        _ => None,
    });
    let detail = detail.expect("the service is asked for");
    let left = stage.effects_of(Event::Key("esc".parse().unwrap()));
    assert!(left.contains(&Effect::CancelFetch(detail)), "{left:?}");
}

#[test]
fn while_paused_nothing_is_asked_and_nothing_pretends_to_be_asked() {
    let mut stage = demo();
    stage.press(&["p"]);
    stage.answer(false);
    for key in ["2", "enter", "esc", "4", "enter", "]", "[", "ctrl-r", "9", "1"] {
        assert_eq!(fetches(&stage.effects_of(Event::Key(key.parse().unwrap()))), 0, "{key}");
    }
    stage.press(&["2", "enter"]);
    let picture = stage.picture();
    assert!(
        picture.contains("PAUSED")
            && picture.contains("paused: not loaded")
            && !picture.contains("loading..."),
        "{picture}"
    );
    let asked = stage.effects_of(Event::Key("p".parse().unwrap()));
    assert!(fetches(&asked) > 3, "{asked:?}");
}

#[test]
fn a_late_answer_of_a_context_that_was_left_is_ignored() {
    let mut stage = demo();
    stage.answer(false);
    let asked = stage.effects_of(Event::Key("ctrl-r".parse().unwrap()));
    let revision = stage.state().shared.world.revision();
    let questions = asked.into_iter().filter_map(|effect| match effect {
        Effect::Fetch(question) => Some(question),
        _ => None,
    });
    let questions: Vec<_> = questions.collect();
    assert!(!questions.is_empty());
    for mut question in questions {
        question.context += 1;
        let answered: Answered = Ok(Reply::free(Answer::Silences(Vec::new())));
        stage.send(Event::Answered(Box::new(Arrival { question, answered, took: Duration::ZERO })));
    }
    assert_eq!(stage.state().shared.world.revision(), revision);
}

#[test]
fn the_way_back_leads_to_the_panel_that_was_left() {
    let mut stage = demo();
    stage.press(&["tab", "down", "enter"]);
    assert!(matches!(stage.state().place(), Place::Alert(_)));
    stage.press(&["esc"]);
    assert_eq!((stage.state().place(), stage.state().panel()), (&Place::Overview, 1));
    assert_eq!(stage.state().screens.overview.alerts.index(), 1);
}

#[test]
fn from_a_service_any_of_its_alerts_can_be_opened_and_from_that_one_any_related_one() {
    let mut stage = Stage::demo((120, 50), 4.0);
    stage.press(&["2", "enter", "down"]);
    let wanted =
        stage.state().screens.service.alerts.current().copied().expect("the worst service has alerts");
    stage.press(&["enter"]);
    assert_eq!(stage.state().place(), &Place::Alert(wanted));
    stage.press(&["tab", "down"]);
    let related =
        stage.state().screens.alert.related.current().copied().expect("the worst service has several alerts");
    assert_ne!(related, wanted);
    stage.press(&["enter"]);
    assert_eq!(stage.state().place(), &Place::Alert(related));
}

#[test]
fn at_a_small_size_the_related_alert_under_the_cursor_is_in_sight() {
    let mut stage = Stage::demo((80, 24), 4.0);
    stage.press(&["4", "enter", "tab", "down", "down"]);
    let related =
        stage.state().screens.alert.related.current().copied().expect("the story has several alerts");
    let name = stage.state().shared.world.alert(related).expect("it is known").name().to_owned();
    let picture = stage.picture();
    let row = picture.lines().find(|line| line.starts_with('\u{258c}')).unwrap_or_default();
    assert!(row.contains(&name), "{name}:\n{picture}");
}

#[test]
fn left_folds_only_the_group_of_the_alert_under_the_cursor() {
    let mut stage = Stage::demo((120, 50), 1.5);
    stage.press(&["4", "f", "b"]);
    let by_service = MenuChoice::Group(Grouping::By(vec!["service".to_owned()]));
    let Mode::Menu(menu) = &stage.state().mode else { panic!("the menu of groups") };
    let at = menu.items.iter().position(|(_, choice)| *choice == by_service).expect("alerts have services");
    stage.press(&vec!["down"; at]);
    stage.press(&["enter"]);
    let rows = stage.state().screens.alerts.rows.list.rows().to_vec();
    let service = |row: &Row| match row {
        Row::Item(fingerprint) => {
            stage.state().shared.world.alert(*fingerprint)?.labels.get("service").cloned()
        }
        Row::Group(labels) => labels.get("service").cloned(),
    };
    let has_no_head = |row: &Row| {
        !rows.iter().any(|other| matches!(other, Row::Group(_)) && service(other) == service(row))
    };
    let below = rows
        .iter()
        .position(|row| matches!(row, Row::Group(_)))
        .unwrap_or_else(|| panic!("payments has many alerts:\n{}", stage.picture()));
    let alone = rows.iter().skip(below).position(has_no_head).expect("others have one") + below;
    // `home` goes to the worst alert, below the heading of its group
    stage.press(&["home"]);
    let home = stage.state().screens.alerts.rows.list.index();
    stage.press(&vec!["down"; alone - home]);
    stage.press(&["left"]);
    assert_eq!(stage.state().screens.alerts.rows.list.rows(), rows, "{}", stage.picture());
    stage.press(&["home"]);
    stage.press(&vec!["down"; below + 1 - home]);
    stage.press(&["left"]);
    assert_eq!(
        stage.state().screens.alerts.rows.list.index(),
        below,
        "the cursor is on the head of what was folded"
    );
    assert!(stage.state().screens.alerts.rows.list.rows().len() < rows.len());
    stage.press(&["right"]);
    assert_eq!(stage.state().screens.alerts.rows.list.rows(), rows);
}

#[test]
fn a_theme_is_tried_by_moving_and_esc_takes_it_back() {
    let mut stage = demo();
    let themes = burnwatch::testing::app::themes::built_in();
    stage.themes(themes);
    let before = stage.state().shared.look.theme;
    stage.press(&["T", "down"]);
    assert_ne!(stage.state().shared.look.theme, before);
    stage.press(&["esc"]);
    assert_eq!(stage.state().shared.look.theme, before);
    stage.press(&["T", "down", "enter"]);
    assert_ne!(stage.state().shared.look.theme, before);
}

#[test]
fn another_range_or_moment_is_asked_for_at_once_and_said() {
    let mut stage = demo();
    stage.press(&["2", "enter"]);
    stage.answer(false);
    let asked = stage.effects_of(Event::Key("[".parse().unwrap()));
    assert!(fetches(&asked) >= 3, "{asked:?}");
    let picture = stage.picture();
    assert!(picture.contains("1h until 30m ago") && picture.contains(" was "), "{picture}");
    stage.press(&["t"]);
    let asked = stage.effects_of(Event::Key("5".parse().unwrap()));
    assert!(fetches(&asked) >= 1, "{asked:?}");
    stage.press(&["\\"]);
    assert!(!stage.picture().contains("until"));
}

#[test]
fn what_came_since_the_last_look_is_marked_on_the_tab_and_on_the_rows() {
    let mut stage = Stage::demo((120, 36), 0.2);
    stage.press(&["9"]);
    stage.wait(240);
    let tabs = stage.picture().lines().nth(1).expect("the tabs").to_owned();
    assert!(tabs.contains("Alerts \u{2022}"), "{tabs}");
    stage.press(&["4"]);
    assert!(stage.picture().contains(" New"), "{}", stage.picture());
    stage.press(&["1", "4"]);
    assert!(!stage.picture().contains(" New"), "{}", stage.picture());
}

#[test]
fn a_filter_stays_with_its_screen_and_shows_what_it_found() {
    let mut stage = demo();
    stage.press(&["4", "/", "p", "a", "y", "enter", "1", "4"]);
    let picture = stage.picture();
    assert!(picture.contains("filter: pay") && picture.contains(" Match"), "{picture}");
    stage.press(&["esc"]);
    assert!(!stage.picture().contains("filter: pay"));
    assert_eq!(stage.state().place(), &Place::Alerts, "the first Esc clears, the second goes back");
}

#[test]
fn the_wheel_scrolls_what_is_under_it() {
    let mut stage = Stage::demo((120, 24), 6.0);
    stage.send(Event::Mouse { action: MouseAction::WheelDown, column: 90, row: 15 });
    assert_eq!(stage.state().panel(), 1);
    assert_eq!(stage.state().screens.overview.services.index(), 0);
}

#[test]
fn a_click_opens_what_it_hits_and_closes_windows_beside_it() {
    let mut stage = demo();
    let click = |column, row| Event::Mouse { action: MouseAction::Click, column, row };
    stage.send(click(5, 4));
    assert_eq!(stage.state().screens.overview.services.index(), 1, "{}", stage.picture());
    stage.send(click(5, 4));
    assert!(matches!(stage.state().place(), Place::Service(_)));
    stage.press(&["1", "t"]);
    stage.send(click(1, 20));
    assert!(matches!(stage.state().mode, Mode::Browse));
    stage.press(&[":", "s", "o", "u", "r"]);
    let row =
        stage.picture().lines().position(|line| line.contains("screen   Sources")).expect("it is offered");
    stage.send(click(60, u16::try_from(row).unwrap()));
    assert_eq!(stage.state().place(), &Place::Sources);
}

#[test]
fn lists_open_with_the_cursor_on_the_worst_thing_and_not_on_a_heading() {
    let mut stage = Stage::demo((120, 50), 1.5);
    stage.press(&["4", "f", "b"]);
    let by_service = MenuChoice::Group(Grouping::By(vec!["service".to_owned()]));
    let Mode::Menu(menu) = &stage.state().mode else { panic!("the menu of groups") };
    let at = menu.items.iter().position(|(_, choice)| *choice == by_service).expect("alerts have services");
    stage.press(&vec!["down"; at]);
    stage.press(&["enter"]);
    let rows = stage.state().screens.alerts.rows.list.rows().to_vec();
    assert!(matches!(rows.first(), Some(Row::Group(_))), "{}", stage.picture());
    let first = rows.iter().find(|row| matches!(row, Row::Item(_))).cloned();
    assert_eq!(stage.state().screens.alerts.rows.list.current().cloned(), first, "{}", stage.picture());
    stage.wait(60);
    let rows = stage.state().screens.alerts.rows.list.rows().to_vec();
    let first = rows.iter().find(|row| matches!(row, Row::Item(_))).cloned();
    assert_eq!(stage.state().screens.alerts.rows.list.current().cloned(), first, "{}", stage.picture());
    stage.press(&["enter"]);
    let Some(Row::Item(fingerprint)) = first else { panic!("{}", stage.picture()) };
    assert_eq!(*stage.state().place(), Place::Alert(fingerprint));
}

#[test]
fn on_the_overview_keys_work_on_the_service_under_the_cursor() {
    let offered = |stage: &Stage| match &stage.state().mode {
        Mode::Menu(menu) => menu.items.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>().join("; "),
        other => panic!("{other:?}"),
    };
    let mut stage = Stage::demo((120, 36), 12.0);
    let worst = stage.state().screens.overview.services.current().cloned().expect("a service");
    stage.press(&["x"]);
    let items = offered(&stage);
    assert!(items.contains("Silence its") && items.contains("Acknowledge"), "{worst}: {items}");
    stage.press(&["esc", "s"]);
    assert!(matches!(stage.state().mode, Mode::Form(_)), "{}", stage.picture());
    stage.press(&["esc", "a"]);
    assert!(matches!(stage.state().mode, Mode::Confirm(_)), "{}", stage.picture());
}

#[test]
fn a_filter_takes_what_is_read_on_the_screen_and_says_what_nothing_has() {
    let mut stage = Stage::demo((120, 36), 12.0);
    let all = |stage: &Stage| {
        let rows = stage.state().screens.alerts.rows.list.rows();
        rows.iter().filter(|row| matches!(row, Row::Item(_))).count()
    };
    let type_in = |stage: &mut Stage, text: &str| {
        stage.press(&["/"]);
        let letters: Vec<String> = text.chars().map(String::from).collect();
        stage.press(&letters.iter().map(String::as_str).collect::<Vec<_>>());
        stage.press(&["enter"]);
    };
    stage.press(&["4"]);
    let before = all(&stage);
    for (text, passes) in [("state=firing", true), ("age>1s", true), ("age>90d", false), ("sevrity=x", false)]
    {
        type_in(&mut stage, text);
        assert_eq!(all(&stage) > 0, passes, "{text}: {}", stage.picture());
        assert!(all(&stage) <= before);
        let is_told = stage.picture().contains("did you mean severity?");
        assert_eq!(is_told, text.starts_with("sevrity"), "{text}: {}", stage.picture());
        stage.press(&["esc"]);
        assert_eq!(all(&stage), before, "{text}");
    }
    stage.press(&["2"]);
    type_in(&mut stage, "health!=healthy");
    assert!(!stage.state().screens.services.rows.list.rows().is_empty(), "{}", stage.picture());
}
