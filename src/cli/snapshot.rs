//! `burnwatch snapshot`: a picture of a screen, drawn by the same state and the same hands as behind a terminal.

use std::collections::VecDeque;
use std::io::stdout;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::commands::{Command, KeyMap};
use crate::app::event::{Effect, Event};
use crate::app::key::{Key, Named};
use crate::app::look::{Charset, Colours};
use crate::app::place::Tab;
use crate::app::readiness;
use crate::app::state::State;
use crate::runtime::{App, headless, wait_for};

use super::args::{Picture, Snapshot};
use super::printer::{Outcome, complain_of, print_as_is, takes_all};
use super::report::{ansi, svg, text};
use super::session::SessionError;
use super::{Cx, failed};

pub(super) fn run(cx: &Cx<'_>, wanted: &Snapshot) -> Outcome {
    match picture(cx, wanted) {
        Ok((picture, gaps)) => print_as_is(&picture, complain_of(&gaps)),
        Err(error) => failed(&error),
    }
}

/// The picture, and what of all that it shows did not come in time.
fn picture(cx: &Cx<'_>, wanted: &Snapshot) -> Result<(String, Vec<String>), SessionError> {
    let session = cx.session(true)?;
    let charset = if takes_all(&stdout()) { Charset::Unicode } else { Charset::Ascii };
    let mut setup = session.setup(wanted.size, Colours::True, charset);
    if session.reach.clock.stands_still() {
        // the same picture on every machine
        setup.person = "ana@bastion".into();
    }
    let mut posed = Posed {
        opening: opening(&setup.keys, wanted.screen),
        state: State::new(setup),
        then: wanted.press.iter().flat_map(|keys| keys.0.iter().copied()).collect(),
    };
    let (sources, clock, deadline) = (&session.reach.sources, session.reach.clock, session.deadline());
    // what did not come in time is a gap
    let _in_time = wait_for(headless::gather(
        &mut posed,
        sources,
        clock,
        |posed| posed.is_ready(clock.now()),
        deadline,
    ))?;
    let (width, height) = wanted.size;
    let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
    let now = clock.now();
    posed.render(now, &mut buf);
    let picture = match wanted.format {
        Picture::Text => text::render(&buf),
        Picture::Ansi => ansi::render(&buf),
        Picture::Svg => svg::render(&buf, &format!("burnwatch: {}", wanted.screen.title())),
    };
    Ok((picture, readiness::gaps(&posed.state, now)))
}

/// The keys that open a screen: its own, or its name in the palette where it has none.
fn opening(keys: &KeyMap, tab: Tab) -> VecDeque<Key> {
    if let Some(key) = keys.of(Command::Go(tab)).first() {
        return VecDeque::from([*key]);
    }
    let palette = keys.of(Command::Palette).first().copied();
    let name = tab.title().to_lowercase();
    palette.into_iter().chain(name.chars().map(Key::char)).chain([Key::named(Named::Enter)]).collect()
}

/// The application with keys that will be pressed: some at once, the others when the data are there.
struct Posed {
    state: State,
    opening: VecDeque<Key>,
    then: VecDeque<Key>,
}

impl Posed {
    fn is_ready(&self, now: Timestamp) -> bool {
        self.opening.is_empty() && self.then.is_empty() && readiness::is_settled(&self.state, now)
    }

    /// The key to press now; one that asks for something holds up the next, which may need it.
    fn due(&mut self, now: Timestamp) -> Option<Key> {
        let opening = self.opening.pop_front();
        opening.or_else(|| if readiness::is_settled(&self.state, now) { self.then.pop_front() } else { None })
    }
}

impl App for Posed {
    fn update(&mut self, event: Event, now: Timestamp) -> Vec<Effect> {
        let mut effects = self.state.update(event, now);
        while let Some(key) = self.due(now) {
            effects.extend(self.state.update(Event::Key(key), now));
            if let Some(wait) = self.state.waits() {
                effects.extend(self.state.update(Event::Read(wait), now));
            }
        }
        effects
    }

    fn render(&self, now: Timestamp, buf: &mut Buffer) {
        self.state.render(now, buf);
    }

    fn version(&self) -> u64 {
        self.state.version()
    }
}
