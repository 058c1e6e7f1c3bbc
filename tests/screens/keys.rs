//! Random sequences of keys, terminal events and answers: no panic, the cursor stays visible, and the user can go back.

use burnwatch::testing::app::commands::{Command, KeyMap, Scope};
use burnwatch::testing::app::event::{Event, MouseAction};
use burnwatch::testing::app::key::Key;
use burnwatch::testing::app::place::{Place, Tab};
use burnwatch::testing::app::state::Mode;
use proptest::prelude::*;

use crate::stage::Stage;

/// An input of the random test.
#[derive(Debug, Clone)]
enum Step {
    Key(Key),
    Paste(String),
    Mouse(MouseAction, u16, u16),
    Resize(u16, u16),
    Wait(i64),
    Answer(bool),
    Kill,
}

fn all_keys() -> Vec<Key> {
    let keys = KeyMap::default();
    let bound = Command::all()
        // these leave the screen, which would end the test
        .filter(|command| !matches!(command, Command::Quit | Command::Suspend))
        .flat_map(|command| keys.of(command).to_vec());
    let typed = "paymentsAZ7=\"~!{}\u{00e9}\u{6771}\u{1f525} ".chars().map(Key::char);
    let odd = ["alt-x", "ctrl-a", "delete", "shift-up", "ctrl-w"].map(|key| key.parse().expect("a key"));
    bound.chain(typed).chain(odd).collect()
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let keys = all_keys();
    let mouse =
        prop_oneof![Just(MouseAction::Click), Just(MouseAction::WheelUp), Just(MouseAction::WheelDown)];
    let step = prop_oneof![
        20 => prop::sample::select(keys).prop_map(Step::Key),
        1 => ".{0,20}".prop_map(Step::Paste),
        5 => (mouse, 0..130_u16, 0..50_u16).prop_map(|(action, x, y)| Step::Mouse(action, x, y)),
        2 => (0..130_u16, 0..50_u16).prop_map(|(width, height)| Step::Resize(width, height)),
        2 => (1..4_i64).prop_map(Step::Wait),
        1 => any::<bool>().prop_map(Step::Answer),
        1 => Just(Step::Kill),
    ];
    prop::collection::vec(step, 0..60)
}

fn take(stage: &mut Stage, step: &Step) {
    match step.clone() {
        Step::Key(key) => stage.send(Event::Key(key)),
        Step::Paste(text) => stage.send(Event::Pasted(text)),
        Step::Mouse(action, column, row) => stage.send(Event::Mouse { action, column, row }),
        Step::Resize(width, height) => stage.resize((width, height)),
        Step::Wait(seconds) => stage.wait(seconds),
        Step::Answer(answering) => stage.answer(answering),
        Step::Kill => stage.kill("prom-eu", 1),
    }
}

/// Whether the row with the cursor of a list is on the screen.
fn cursor_is_in_sight(stage: &Stage) -> bool {
    let state = stage.state();
    let rows = match state.place() {
        Place::Overview if state.panel() == 0 => state.screens.overview.services.rows().len(),
        Place::Services => state.screens.services.rows.list.rows().len(),
        Place::Slos => state.screens.slos.rows.list.rows().len(),
        Place::Alerts => state.screens.alerts.rows.list.rows().len(),
        Place::Incidents => state.screens.incidents.rows.list.rows().len(),
        Place::OnCall => state.screens.oncall.rows.list.rows().len(),
        Place::Sources => state.shared.sources.len(),
        _ => return true,
    };
    let (width, height) = state.shared.size;
    if rows == 0 || width < 40 || height < 10 || !matches!(state.mode, Mode::Browse | Mode::Filter { .. }) {
        return true;
    }
    stage.picture().contains('\u{258c}')
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_can_happen_breaks_the_screen_or_the_way_back(steps in steps()) {
        let mut stage = Stage::demo((100, 30), 1.5);
        for step in &steps {
            take(&mut stage, step);
            stage.draw();
            prop_assert!(cursor_is_in_sight(&stage), "after {step:?}:\n{}", stage.picture());
        }
        // enough to close every dialog and filter, and to go back through the whole history
        for _ in 0..40 {
            stage.press(&["esc"]);
        }
        prop_assert_eq!(stage.state().place(), &Place::Overview);
        prop_assert!(matches!(stage.state().mode, Mode::Browse));
    }
}

#[test]
fn every_key_of_the_table_does_something_on_lists_or_says_why_not() {
    each_key_does_something(&[&["1"], &["2"], &["3"], &["4"], &["5"], &["6"], &["9"], &["M"]]);
}

#[test]
fn every_key_of_the_table_does_something_on_pages_or_says_why_not() {
    each_key_does_something(&[&["2", "enter"], &["3", "enter"], &["4", "enter"], &["6", "enter"]]);
}

#[test]
fn every_key_of_the_table_does_something_on_an_incident_or_says_why_not() {
    each_key_does_something(&[&["5", "enter"]]);
}

/// Presses each key on the places that these keys open.
fn each_key_does_something(starts: &[&[&str]]) {
    let keys = KeyMap::default();
    // a move at the end of a list changes nothing, and needs no message
    let moves = [
        Command::Up,
        Command::Down,
        Command::Left,
        Command::Right,
        Command::PageUp,
        Command::PageDown,
        Command::Top,
        Command::Bottom,
        Command::NextPanel,
        Command::PreviousPanel,
        Command::Back,
        Command::Live,
        Command::Later,
        Command::Fold,
        Command::Mark,
        Command::MarkAll,
    ];
    for start in starts.iter().copied() {
        let mut stage = Stage::demo((120, 36), 1.5);
        for command in Command::all().filter(|command| !moves.contains(command)) {
            stage.press(&["esc", "esc", "esc", "1"]);
            if stage.state().shared.paused.is_some() {
                stage.press(&["p"]);
            }
            stage.press(start);
            // until the message of the last command has left the screen
            stage.jump(13);
            let key = *keys.of(command).first().expect("every command has a key");
            let before = stage.picture();
            let effects = stage.effects_of(Event::Key(key));
            let goes_here = Tab::ALL
                .iter()
                .any(|tab| Command::Go(*tab) == command && tab.place() == *stage.state().place())
                || (command == Command::Messages && *stage.state().place() == Place::Messages);
            assert!(
                goes_here || !effects.is_empty() || stage.picture() != before,
                "{} on {:?} does nothing and says nothing",
                command.name(),
                stage.state().place(),
            );
            if command.scope() != Scope::Global && !stage.state().screen().scopes().contains(&command.scope())
            {
                assert!(stage.picture().contains("not here"), "{}", stage.picture());
            }
        }
    }
}
