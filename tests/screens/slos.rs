//! Snapshots of SLOs in every state, and the navigation from and to them.

use std::collections::BTreeSet;

use burnwatch::testing::app::event::{Effect, Event};
use burnwatch::testing::app::place::Place;
use burnwatch::testing::app::screens::slos::Row;
use burnwatch::testing::app::screens::{overview, service, slo as open};
use burnwatch::testing::config::definitions::{Finding, FindingLevel};
use burnwatch::testing::model::ask::{Ask, AskKind, Query};
use burnwatch::testing::model::slo::{GroupStatus, SloState, SloStatus};

use crate::SIZES;
use crate::promises::{all, recorded};
use crate::stage::Stage;

fn promises(size: (u16, u16)) -> Stage {
    Stage::promises(size, all(Stage::start()))
}

/// The screen of the SLO with this name.
fn opened(size: (u16, u16), id: &str) -> Stage {
    let mut stage = promises(size);
    stage.press(&["3", "/"]);
    stage.send(Event::Pasted(format!("id=\"{id}\"")));
    stage.press(&["enter", "enter"]);
    assert!(matches!(stage.state().place(), Place::Slo(key) if *key.id == *id), "{}", stage.picture());
    stage
}

#[test]
fn the_list_in_every_state_that_there_is() {
    for (width, height) in SIZES {
        let mut stage = promises((width, height));
        stage.press(&["3"]);
        let known: BTreeSet<SloState> =
            stage.state().shared.world.slos().iter().map(SloStatus::state).collect();
        assert!(SloState::ALL.iter().all(|state| known.contains(state)), "{known:?}");
        insta::assert_snapshot!(format!("slos_{width}x{height}"), stage.body());
    }
}

#[test]
fn too_little_data_is_a_state_that_every_screen_tells() {
    let reported = "insufficient data (1h29m of 30d)";
    let mut list = promises((200, 50));
    list.press(&["3"]);
    let row = list.text().lines().find(|line| line.contains("shop-new")).unwrap().to_owned();
    for part in ["insufficient data", "1h29m of 30d", "8.1x"] {
        assert!(row.contains(part), "{part}: {row}");
    }
    let page = opened((200, 50), "shop-new").text();
    assert!(page.contains(reported) && page.contains("Insufficient data: 1h29m of 30d have data"), "{page}");
    assert!(page.contains("budget -") && !page.contains("-710%"), "{page}");
    let new = all(Stage::start()).into_iter().filter(|reading| &*reading.slo.id == "shop-new");
    let overview = Stage::promises((200, 50), new.collect()).text();
    assert!(overview.contains("1 insufficient data") && overview.contains(reported), "{overview}");
}

#[test]
fn the_list_of_the_story() {
    for (width, height) in SIZES {
        let mut stage = Stage::demo((width, height), 4.0);
        stage.press(&["3"]);
        insta::assert_snapshot!(format!("slos_demo_{width}x{height}"), stage.body());
    }
}

#[test]
fn one_slo_that_pages() {
    for (width, height) in SIZES {
        let stage = opened((width, height), "shop-paging");
        insta::assert_snapshot!(format!("slo_paging_{width}x{height}"), stage.body());
    }
}

#[test]
fn one_slo_of_each_other_kind() {
    for id in [
        "shop-fine",
        "shop-exhausted",
        "shop-month",
        "shop-by-region",
        "cart-gone",
        "cart-idle",
        "cart-several",
    ] {
        let stage = opened((120, 50), id);
        insta::assert_snapshot!(format!("slo_{id}"), stage.body_text());
    }
    for id in ["cart-refused", "cart-live", "cart-few", "shop-partial"] {
        let stage = opened((120, 70), id);
        insta::assert_snapshot!(format!("slo_{id}"), stage.body_text());
    }
}

#[test]
fn grouped_by_team_and_folded() {
    let mut stage = promises((120, 36));
    stage.press(&["3", "b", "down", "enter", "left"]);
    insta::assert_snapshot!("slos_grouped", stage.body_text());
    assert!(matches!(stage.state().screens.slos.rows.list.current(), Some(Row::Group(_))));
    let folded = stage.state().screens.slos.rows.list.rows().len();
    stage.press(&["enter"]);
    assert!(stage.state().screens.slos.rows.list.rows().len() > folded, "Enter unfolds a group");
}

#[test]
fn definitions_that_cannot_be_read_are_listed_with_file_line_and_reason() {
    let finding = |path: &str, line, level, message: &str| Finding {
        path: path.into(),
        line,
        level,
        message: message.to_owned(),
    };
    let findings = vec![
        finding("slos/shop.yaml", Some(3), FindingLevel::Warning, "objective 0.999 %: is 99.9 meant?"),
        finding("slos/cart.yaml", Some(12), FindingLevel::Error, "objective: 100 % leaves no error budget"),
        finding("slos/old.toml", None, FindingLevel::Error, "permission denied"),
    ];
    for (name, size) in [("120x36", (120, 36)), ("40x10", (40, 10))] {
        let mut stage = promises(size);
        stage.find(findings.clone());
        stage.press(&["3"]);
        insta::assert_snapshot!(format!("slos_findings_{name}"), stage.body_text());
        stage.press(&["end"]);
        assert!(stage.picture().contains('\u{258c}'), "the cursor is in sight");
    }
}

#[test]
fn without_slos_it_is_said_where_they_come_from() {
    let mut stage = Stage::promises((80, 24), Vec::new());
    stage.press(&["3"]);
    insta::assert_snapshot!("slos_empty", stage.body_text());
    stage.press(&["1"]);
    stage.resize((120, 36));
    assert!(!stage.picture().contains("SLOs 0"), "the overview has no panel for nothing");
}

#[test]
fn a_source_that_fails_leaves_old_numbers_marked_and_a_new_one_says_nothing() {
    let mut stage = promises((120, 36));
    stage.press(&["3"]);
    stage.kill("prom", 130);
    let picture = stage.picture();
    assert!(picture.contains("connection refused") && picture.contains("Stale"), "{picture}");
    insta::assert_snapshot!("slos_stale", stage.body());
    stage.press(&["enter"]);
    insta::assert_snapshot!("slo_stale", stage.body());
}

#[test]
fn the_way_leads_from_the_overview_to_the_slo_to_its_alert_and_back() {
    let mut stage = promises((120, 36));
    stage.press(&["tab", "tab"]);
    assert_eq!(stage.state().panel(), overview::SLOS, "{}", stage.picture());
    stage.press(&["enter"]);
    let paging = stage.state().place().clone();
    assert!(matches!(&paging, Place::Slo(key) if &*key.id == "shop-paging"), "{}", stage.picture());
    stage.press(&["tab", "tab"]);
    assert_eq!(stage.state().panel(), open::ALERTS, "a panel without groups is passed over");
    stage.press(&["enter"]);
    assert!(matches!(stage.state().place(), Place::Alert(_)));
    assert!(stage.picture().contains("SLO shop-paging"), "{}", stage.picture());
    stage.press(&["shift-tab", "enter"]);
    assert_eq!(stage.state().place(), &paging, "from the alert back to its SLO");
    stage.press(&["esc", "esc"]);
    assert_eq!((stage.state().place(), stage.state().panel()), (&paging, open::ALERTS));
    stage.press(&["esc"]);
    assert_eq!((stage.state().place(), stage.state().panel()), (&Place::Overview, overview::SLOS));
}

#[test]
fn from_an_slo_to_its_service_and_from_there_to_another_slo() {
    let mut stage = opened((120, 50), "shop-fine");
    stage.press(&["enter"]);
    assert!(matches!(stage.state().place(), Place::Service(name) if &**name == "shop"));
    stage.press(&["shift-tab"]);
    assert_eq!(stage.state().panel(), service::SLOS);
    stage.press(&["enter"]);
    assert!(matches!(stage.state().place(), Place::Slo(key) if &*key.id == "shop-paging"));
    stage.press(&["esc"]);
    assert_eq!(stage.state().panel(), service::SLOS, "the way back leads to the panel");
    stage.press(&["esc", "esc"]);
    assert_eq!(stage.state().place(), &Place::Slos);
}

#[test]
fn a_query_is_copied_as_it_is_asked() {
    let mut stage = opened((120, 36), "shop-paging");
    stage.press(&["shift-tab"]);
    assert_eq!(stage.state().panel(), open::QUERIES);
    let effects = stage.effects_of(Event::Key("y".parse().unwrap()));
    let copied = "slo:sli_error:ratio_rate1h{sloth_id=\"shop-paging\"}";
    assert!(effects.contains(&Effect::Copy(copied.to_owned())), "{effects:?}");
    stage.press(&["end"]);
    assert!(stage.picture().contains("alerts fired"), "the cursor is in sight: {}", stage.picture());
}

#[test]
fn the_forecast_goes_by_another_burn() {
    let mut stage = opened((120, 50), "shop-paging");
    let at = |stage: &Stage| {
        let text = stage.text();
        let line = text.lines().find(|line| line.contains("(forecast)")).unwrap_or_default().to_owned();
        line.split_whitespace().nth(2).unwrap_or_default().to_owned()
    };
    assert_eq!(at(&stage), "(1h)");
    let mut seen = Vec::new();
    loop {
        stage.press(&["B"]);
        seen.push(at(&stage));
        if seen.last().is_some_and(|basis| basis == "(1h)") || seen.len() > 9 {
            break;
        }
    }
    assert_eq!(seen, ["(2h)", "(6h)", "(1d)", "(3d)", "(5m)", "(30m)", "(1h)"]);
}

#[test]
fn the_group_under_the_cursor_is_the_one_that_is_charted() {
    let mut stage = opened((120, 50), "shop-by-region");
    assert!(stage.text().contains("worst of 3 groups: region=eu"), "{}", stage.text());
    stage.press(&["tab", "tab", "end"]);
    assert_eq!(stage.state().panel(), open::GROUPS);
    assert!(stage.text().contains("one of 3 groups: region=ap"), "{}", stage.text());
}

#[test]
fn an_open_slo_asks_for_few_charts_and_only_for_their_ends_again() {
    let mut stage = promises((120, 36));
    stage.press(&["3"]);
    stage.answer(false);
    let series = |effects: &[Effect]| {
        let asked = effects.iter().filter_map(|effect| match effect {
            Effect::Fetch(question) if question.ask.kind() == AskKind::Series => Some(question.ask.clone()),
            _ => None,
        });
        asked.collect::<Vec<Ask>>()
    };
    let asked = series(&stage.effects_of(Event::Key("enter".parse().unwrap())));
    assert!((3..=8).contains(&asked.len()), "{asked:?}");
    let mut stage = opened((120, 36), "shop-paging");
    stage.answer(false);
    stage.jump(400);
    let again = series(&stage.effects_of(Event::Tick));
    let is_tail = |ask: &Ask| matches!(&ask.query, Query::Series { time_range, .. } if time_range.tail.count() < time_range.window.count() / 2);
    assert!(again.iter().filter(|ask| !is_tail(ask)).count() <= 3, "{again:?}");
}

#[test]
fn words_and_matchers_narrow_the_list() {
    let mut stage = promises((120, 36));
    for (filter, count) in [
        ("cart", 8),
        ("state=\"page\"", 1),
        ("service=shop team=store", 16),
        ("state=~\"page|ticket\"", 2),
        ("nothing-like-it", 0),
    ] {
        stage.press(&["3", "/", "ctrl-u"]);
        stage.send(Event::Pasted(filter.to_owned()));
        stage.press(&["enter"]);
        assert_eq!(stage.state().screens.slos.rows.list.rows().len(), count, "{filter}:\n{}", stage.text());
    }
}

#[test]
fn each_order_puts_what_is_unknown_last() {
    let mut stage = promises((200, 50));
    stage.press(&["3"]);
    for order in 2..=4 {
        let digit = order.to_string();
        stage.press(&["S", &digit]);
        let last = stage.state().screens.slos.rows.list.rows().last().cloned();
        let Some(Row::Item(key)) = last else { panic!("a list without groups") };
        let status = key.status(&stage.state().shared.world).unwrap();
        assert!(status.worst().and_then(GroupStatus::left).is_none(), "order {order}: {}", stage.text());
    }
}

#[test]
fn an_slo_that_went_away_is_said_to_be_gone() {
    let mut stage = Stage::promises((120, 36), vec![recorded("shop-paging", 0.1, [0.1; 7])]);
    stage.press(&["3", "enter"]);
    stage.press(&["tab", "down", "G", "enter", "esc"]);
    assert!(matches!(stage.state().place(), Place::Slo(_)));
    stage.press(&["["]);
    assert!(stage.text().contains("as of"), "{}", stage.text());
}
