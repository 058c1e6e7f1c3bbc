//! The hints in the footer and the help page on all screens and sizes: no duplicates, no cut texts, none missing.

use std::collections::BTreeSet;

use burnwatch::testing::app::commands::{Command, Scope};
use burnwatch::testing::app::display_settings::{Charset, Colours};
use burnwatch::testing::app::theme::Role;

use crate::stage::Stage;

/// The keys that lead to each place, from the overview.
pub(crate) const PLACES: [&[&str]; 23] = [
    &["1"],
    &["2"],
    &["2", "enter"],
    &["3"],
    &["3", "enter"],
    &["4"],
    &["4", "enter"],
    &["4", "enter", "r"],
    &["5"],
    &["5", "enter"],
    &["6"],
    &["6", "enter"],
    &["7"],
    &["9"],
    &["M"],
    &["Z"],
    &["C"],
    &["C", "enter"],
    &["H"],
    &["#"],
    &["5", "enter", "v"],
    &["5", "enter", "r"],
    &["A"],
];

pub(crate) fn at(size: (u16, u16), place: &[&str]) -> Stage {
    let mut stage = Stage::demo(size, 3.5);
    stage.press(place);
    // until the last message has left the footer
    stage.jump(13);
    stage
}

#[test]
fn no_hint_stands_twice_in_any_footer() {
    for place in PLACES {
        let mut stage = at((400, 50), place);
        for panel in 0..8 {
            let picture = stage.picture();
            let (screen, _) = picture.split_once("\n0:0-").unwrap_or((&picture, ""));
            let footer = screen.lines().rfind(|line| line.contains("? help")).unwrap_or_default();
            let hints: Vec<&str> =
                footer.split("  ").map(str::trim).filter(|hint| !hint.is_empty()).collect();
            let mut seen = BTreeSet::new();
            let keys = hints.iter().filter_map(|hint| hint.split_once(' '));
            for part in keys.flat_map(|(key, word)| [key.to_owned(), format!(" {word}")]) {
                assert!(seen.insert(part.clone()), "{part:?} twice at {place:?}, panel {panel}: {footer}");
            }
            assert!(hints.contains(&"? help"), "{place:?}: {hints:?}");
            stage.press(&["tab"]);
        }
    }
}

/// All lines of help, scrolled from the first to the last.
fn read(stage: &mut Stage) -> Vec<String> {
    let mut lines = Vec::new();
    let mut before = String::new();
    loop {
        let picture = stage.picture();
        if picture == before {
            return lines;
        }
        lines.extend(picture.lines().map(str::to_owned));
        before = picture;
        stage.press(&["down"]);
    }
}

fn without_blanks(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && !"┃┏┓┗┛━#=|".contains(*c)).collect()
}

#[test]
fn every_line_of_help_can_be_read_whole_by_scrolling() {
    // the screens with the most commands; all others draw the same table
    for place in [&["4"][..], &["3", "enter"]] {
        for size in [(40, 10), (80, 24), (120, 36), (200, 50)] {
            let mut stage = at(size, place);
            stage.press(&["?"]);
            let scopes = stage.state().screen().scopes().to_vec();
            let lines = read(&mut stage);
            let whole = without_blanks(&lines.concat());
            let is_shown = |text: &str| {
                lines.iter().any(|line| line.contains(text)) || whole.contains(&without_blanks(text))
            };
            let here =
                |command: &Command| command.scope() == Scope::Global || scopes.contains(&command.scope());
            for command in Command::all().filter(here) {
                assert!(is_shown(command.help()), "{place:?} at {size:?} cuts {:?}", command.help());
            }
            for role in Role::legend() {
                assert!(is_shown(&role.meaning()), "{place:?} at {size:?} cuts {:?}", role.meaning());
            }
        }
    }
}

#[test]
fn the_symbols_of_help_are_those_that_are_drawn() {
    for (charset, burning) in [(Charset::Unicode, "◉"), (Charset::Ascii, "B")] {
        let mut stage = at((160, 100), &["4"]);
        stage.look(charset, Colours::None);
        stage.press(&["?"]);
        let line = format!("  {burning} ");
        assert!(stage.picture().lines().any(|shown| shown.contains(&line) && shown.contains("burning")));
    }
}

#[test]
fn what_stands_beside_the_count_of_further_lines_is_cut_with_a_sign() {
    let stage = at((40, 10), &["3", "enter"]);
    let picture = stage.picture();
    let line = picture.lines().find(|line| line.contains("more lines ↓")).expect("a page that goes on");
    assert!(line.contains("1h and 5m") && line.contains('…'), "{line}");
}
