//! `burnwatch snapshot`: prints a screen, drawn by the same state and the same code as on a terminal.

use std::collections::VecDeque;
use std::io::stdout;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app;
use crate::app::commands::{Command, KeyMap};
use crate::app::display_settings::{Charset, ChartSymbols, Colours};
use crate::app::event::{Effect, Event};
use crate::app::key::{Key, NamedKey};
use crate::app::place::Tab;
use crate::app::readiness;
use crate::app::state::State;

use super::args::{Picture, SnapshotArgs};
use super::printer::{accepts_unicode, print_as_is, print_gaps};
use super::report::{ansi, svg, text};
use super::{CliContext, VerbResult};

/// Prints the snapshot in the wanted format, and a message for each missing answer.
pub(super) fn run(cx: &CliContext<'_>, wanted: &SnapshotArgs) -> VerbResult {
    let session = cx.session(true)?;
    let charset = if accepts_unicode(&stdout()) { Charset::Unicode } else { Charset::Ascii };
    let mut setup = session.setup(wanted.size, Colours::True, (charset, ChartSymbols::Braille));
    if session.active.clock.is_fixed() {
        // not the user of this machine, so that the snapshot is the same everywhere
        setup.person = "ana@bastion".into();
    }
    let mut scripted = ScriptedApp {
        opening_keys: opening_keys(&setup.keys, wanted.screen),
        state: State::new(setup),
        later_keys: wanted.press.iter().flat_map(|keys| keys.0.iter().copied()).collect(),
    };
    let clock = session.active.clock;
    let is_ready = |scripted: &ScriptedApp| scripted.is_ready(clock.now());
    // a missing answer is reported as a gap
    session.gather(&mut scripted, ScriptedApp::update, is_ready, session.deadline())?;
    let (width, height) = wanted.size;
    let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
    let now = clock.now();
    app::render(&scripted.state, now, &mut buf);
    let picture = match wanted.format {
        Picture::Text => text::render(&buf),
        Picture::Ansi => ansi::render(&buf),
        Picture::Svg => svg::render(&buf, &format!("burnwatch: {}", wanted.screen.title())),
    };
    Ok(print_as_is(&picture, print_gaps(&readiness::gaps(&scripted.state, now))))
}

/// The keys that open a screen: its own key, or its name typed in the command palette if it has none.
fn opening_keys(keys: &KeyMap, tab: Tab) -> VecDeque<Key> {
    if let Some(key) = keys.of(Command::Go(tab)).first() {
        return VecDeque::from([*key]);
    }
    let palette = keys.of(Command::Palette).first().copied();
    let name = tab.title().to_lowercase();
    palette.into_iter().chain(name.chars().map(Key::char)).chain([Key::named(NamedKey::Enter)]).collect()
}

/// The application's state with keys to press: `opening_keys` at once, `later_keys` after the data have loaded.
struct ScriptedApp {
    state: State,
    opening_keys: VecDeque<Key>,
    later_keys: VecDeque<Key>,
}

impl ScriptedApp {
    /// Whether all keys are pressed and all data have loaded.
    fn is_ready(&self, now: Timestamp) -> bool {
        self.opening_keys.is_empty() && self.later_keys.is_empty() && readiness::is_settled(&self.state, now)
    }

    /// The next key, if it may be pressed now: a key of `later_keys` waits until all answers to the keys before it have arrived.
    fn next_key(&mut self, now: Timestamp) -> Option<Key> {
        let opening_keys = self.opening_keys.pop_front();
        opening_keys.or_else(|| {
            if readiness::is_settled(&self.state, now) { self.later_keys.pop_front() } else { None }
        })
    }

    fn update(&mut self, event: Event, now: Timestamp) -> Vec<Effect> {
        let mut effects = app::update(&mut self.state, event, now);
        while let Some(key) = self.next_key(now) {
            effects.extend(app::update(&mut self.state, Event::Key(key), now));
            if let Some(wait) = self.state.waits() {
                effects.extend(app::update(&mut self.state, Event::Read(wait), now));
            }
            if let Some(move_number) = self.state.shared.preview.pending_move() {
                effects.extend(app::update(&mut self.state, Event::Woken { move_number }, now));
            }
        }
        effects
    }
}
