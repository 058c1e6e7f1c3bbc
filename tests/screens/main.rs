//! Snapshots of every screen of the demo world, at four sizes and in every state of the data.

mod actions;
mod behaviour;
mod capacity;
mod charts;
mod cockpit;
mod dashboards;
mod explore;
mod findings;
mod frame;
mod hints;
mod incidents;
mod keys;
mod machines;
mod pager;
mod papers;
mod picture;
mod preview;
mod promises;
mod runbooks;
mod silences;
mod slos;
mod stage;
mod timeline;
mod traces;
mod why;

use burnwatch::testing::app::display_settings::{Charset, Colours};
use burnwatch::testing::app::theme::Role;
use ratatui::style::Color;
use stage::Stage;

const SIZES: [(u16, u16); 4] = [(200, 50), (120, 36), (80, 24), (40, 10)];

fn pictures(name: &str, keys: &[&str]) {
    for (width, height) in SIZES {
        let mut stage = Stage::demo((width, height), 1.5);
        stage.press(keys);
        insta::assert_snapshot!(format!("{name}_{width}x{height}"), stage.body());
    }
}

/// The stage after these keys, in ASCII and without colour; checks that it has all words of the version with both.
fn in_ascii_too(make: impl Fn() -> Stage, keys: &[&str]) -> Stage {
    let mut rich = make();
    rich.press(keys);
    let mut plain = make();
    plain.look(Charset::Ascii, Colours::None);
    plain.press(keys);
    // names may have letters of any script; only lines, bars and symbols must be ASCII
    let drawn = plain.body_text();
    let odd: String = drawn.chars().filter(|c| !c.is_ascii() && !c.is_alphanumeric()).collect();
    assert!(odd.is_empty(), "{keys:?}: {odd:?} is not ASCII in\n{drawn}");
    let coloured = plain.draw().content.iter().any(|cell| [cell.fg, cell.bg] != [Color::Reset; 2]);
    assert!(!coloured, "{keys:?}: something has a colour");
    let rich = rich.body_text();
    let words = rich.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().count() > 1);
    let lost: Vec<&str> = words.filter(|word| !drawn.contains(word)).collect();
    assert!(lost.is_empty(), "{keys:?}: {lost:?} is lost in\n{drawn}");
    plain
}

#[test]
fn overview() {
    pictures("overview", &[]);
}

#[test]
fn services() {
    pictures("services", &["2"]);
}

#[test]
fn one_service() {
    pictures("service", &["2", "enter"]);
}

#[test]
fn alerts() {
    pictures("alerts", &["4"]);
}

#[test]
fn one_alert() {
    pictures("alert", &["4", "down", "enter"]);
}

#[test]
fn sources() {
    pictures("sources", &["9"]);
}

#[test]
fn messages() {
    pictures("messages", &["ctrl-r", "M"]);
}

#[test]
fn help() {
    pictures("help", &["4", "?"]);
}

#[test]
fn palette() {
    pictures("palette", &[":", "p", "a", "y"]);
}

#[test]
fn menus() {
    pictures("menu", &["t"]);
}

#[test]
fn filter() {
    pictures("filter", &["4", "/", "p", "a", "y"]);
}

#[test]
fn in_ascii_and_without_colour_nothing_is_lost() {
    for keys in [
        &["1"][..],
        &["2"],
        &["2", "enter"],
        &["4"],
        &["4", "down", "enter"],
        &["9"],
        &["3"],
        &["3", "enter"],
        &["5"],
        &["5", "enter"],
        &["6"],
        &["6", "enter"],
    ] {
        let plain = in_ascii_too(|| Stage::demo((120, 36), 1.5), keys);
        insta::assert_snapshot!(format!("ascii_{}", keys.join("_")), plain.body());
    }
}

#[test]
fn before_the_first_answer_nothing_looks_healthy() {
    let mut stage = Stage::unanswered((120, 36));
    for (name, keys) in [
        ("overview", &["1"][..]),
        ("services", &["2"]),
        ("slos", &["3"]),
        ("alerts", &["4"]),
        ("incidents", &["5"]),
        ("oncall", &["6"]),
        ("sources", &["9"]),
    ] {
        stage.press(keys);
        let picture = stage.body();
        assert!(!stage.shows(Role::Healthy) && !picture.contains('✓'), "{name}:\n{picture}");
        insta::assert_snapshot!(format!("unanswered_{name}"), picture);
    }
}

#[test]
fn a_dead_source_is_named_on_every_screen_that_uses_it_and_old_data_stay() {
    let mut stage = Stage::demo((120, 36), 1.5);
    stage.press(&["2", "1"]);
    stage.kill("prom-eu", 90);
    for (name, keys) in [
        ("overview", &["1"][..]),
        ("services", &["2"]),
        ("service", &["enter"]),
        ("slos", &["3"]),
        ("slo", &["enter"]),
        ("sources", &["9"]),
    ] {
        stage.press(keys);
        let picture = stage.body();
        assert!(stage.text().contains("connection refused"), "{name}:\n{}", stage.text());
        assert!(picture.contains("prom-eu") && stage.shows(Role::Stale), "{name}:\n{picture}");
        insta::assert_snapshot!(format!("dead_{name}"), picture);
    }
}

#[test]
fn no_size_makes_any_screen_fail() {
    let mut stage = Stage::demo((80, 24), 1.5);
    for keys in [
        &["1"][..],
        &["2"],
        &["enter"],
        &["3"],
        &["enter"],
        &["tab", "tab", "tab"],
        &["4"],
        &["down", "enter"],
        &["5"],
        &["enter"],
        &["tab"],
        &["6"],
        &["enter"],
        &["9"],
        &["M"],
        &["?"],
        &["esc", ":"],
        &["esc", "t"],
        &["esc", "4", "/"],
    ] {
        stage.press(keys);
        for width in (0..=60).chain([79, 120, 200, 500]) {
            for height in (0..=16).chain([24, 50, 200]) {
                stage.resize((width, height));
                stage.draw();
            }
        }
        stage.resize((80, 24));
    }
}
