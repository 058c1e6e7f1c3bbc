//! The screens that find the cause of an incident, in the demo world: logs, changes and what they look like in plain terminals and
//! in every theme.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use burnwatch::testing::app::themes;
use ratatui::buffer::{Buffer, Cell};

use crate::stage::Stage;
use crate::{in_ascii_too, pictures};

/// The screens with the keys that lead to them: two minutes after the bad release.
const FINDINGS: [(&str, &[&str]); 9] = [
    ("why", &["2", "enter", "i"]),
    ("changes", &["D"]),
    ("logs", &["2", "enter", "L"]),
    ("fields", &["2", "enter", "L", "enter"]),
    ("traces", &["2", "enter", "X"]),
    ("trace", &["2", "enter", "X", "enter"]),
    ("explore", &["2", "enter", "8"]),
    ("capacity", &["C"]),
    ("resource", &["C", "down", "enter"]),
];
/// Those without pictures of their own elsewhere.
const OWN: [&str; 3] = ["changes", "logs", "fields"];
/// Those whose plain pictures are elsewhere.
const PLAIN_ELSEWHERE: [&str; 3] = ["traces", "trace", "explore"];

#[test]
fn logs_and_changes_at_all_sizes() {
    for (name, keys) in FINDINGS.iter().filter(|(name, _)| OWN.contains(name)) {
        pictures(name, keys);
    }
}

#[test]
fn in_ascii_and_without_colour_nothing_is_lost() {
    for (name, keys) in FINDINGS {
        let plain = in_ascii_too(|| Stage::demo((120, 36), 1.5), keys);
        if !PLAIN_ELSEWHERE.contains(&name) {
            insta::assert_snapshot!(format!("ascii_{name}"), plain.body());
        }
    }
}

/// The words of a screen: lines and areas are drawn differently where a theme has no background for them.
fn words(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

/// The looks of a screen, each with the first text that has it.
fn looks(buffer: &Buffer) -> BTreeMap<String, String> {
    let look = |cell: &Cell| format!("{} on {} {:?}", cell.fg, cell.bg, cell.modifier);
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    for row in buffer.content.chunks(buffer.area.width.max(1).into()) {
        for run in row.chunk_by(|one, other| look(one) == look(other)) {
            let text: String = run.iter().map(Cell::symbol).collect();
            let text: String = text.trim().chars().take(40).collect();
            if let Some(first) = run.first().filter(|_| !text.is_empty()) {
                all.entry(look(first)).or_insert(text);
            }
        }
    }
    all
}

#[test]
fn every_theme_shows_the_same_text_in_its_own_looks() {
    let built_in = themes::built_in();
    let mut pictures: BTreeMap<String, String> = BTreeMap::new();
    for (screen, keys) in FINDINGS {
        let mut stage = Stage::demo((80, 24), 1.5);
        stage.press(keys);
        let text = words(&stage.text());
        for theme in &built_in {
            stage.themes(vec![theme.clone()]);
            assert_eq!(words(&stage.text()), text, "{screen} in {}", theme.name());
            let picture = pictures.entry(theme.name().to_owned()).or_default();
            writeln!(picture, "{screen}").expect("a text takes all");
            for (look, text) in looks(&stage.draw()) {
                writeln!(picture, "  {look:<44} {text}").expect("a text takes all");
            }
        }
    }
    assert_eq!(pictures.len(), 5);
    let different: BTreeSet<&String> = pictures.values().collect();
    assert_eq!(different.len(), 5, "no theme looks like another one");
    for (name, picture) in &pictures {
        insta::assert_snapshot!(format!("theme_{name}"), picture);
    }
}

#[test]
fn the_cause_is_on_each_of_them() {
    let mut stage = Stage::demo((200, 50), 2.5);
    for (keys, words) in [
        (&["D"][..], &["4.18.2 -> 4.19.0", "j.doe", "ci"][..]),
        (&["7"], &["4.18.2 -> 4.19.0, by j.doe"]),
        (&["C"], &["data-postgres-catalog-0", "3d"]),
        (
            &["5", "enter"],
            &["4.18.2 -> 4.19.0, by", "j.doe, GitLab !4812", "nil amount in currency minor units"],
        ),
        (&["2", "enter", "i"], &["version=4.19.0", "4.18.2 -> 4.19.0"]),
        (&["2", "enter", "L"], &["(new) POST /charges: nil amount in currency minor units"]),
        (&["2", "enter", "X", "enter"], &["failed first in payments", "nil amount"]),
    ] {
        stage.press(&["1"]);
        stage.press(keys);
        let text = stage.body_text();
        for word in words {
            assert!(text.contains(word), "{keys:?}: {word} in\n{text}");
        }
    }
}
