//! Everything that is known and everything that the person is doing; only `update` changes it.

use jiff::Timestamp;

use super::confirm::Confirm;
use super::event::Wait;
use super::form::Form;
use super::line_editor::LineEditor;
use super::menu::Menu;
use super::palette::Palette;
use super::place::{NavigationStop, Place, ScrollPosition};
use super::screen::Screen;
use super::screens::Screens;
use super::selection::Selection;
use super::shared::{InitialState, Shared};

/// What the keyboard is for at the moment.
#[derive(Debug, Default)]
pub enum Mode {
    /// Moving about.
    #[default]
    Browse,
    /// Typing a filter; what stood there before comes back on Esc.
    Filter {
        line: LineEditor,
        /// The filter before.
        before: String,
    },
    /// Looking for a command, screen or thing by name.
    Palette(Palette),
    /// Choosing one of several.
    Menu(Menu),
    /// Reading the keys, scrolled down by this many lines.
    Help(u16),
    /// Deciding whether something is to be done.
    Confirm(Box<Confirm>),
    /// Filling in what is to be done.
    Form(Box<Form>),
    /// Reading what was done.
    Results {
        /// How many plans ago.
        back: usize,
        /// By how many lines it is scrolled down.
        top: u16,
    },
}

/// How many places the way back remembers.
const MAX_HISTORY: usize = 32;

/// Everything.
#[derive(Debug)]
pub struct State {
    /// What all screens share.
    pub shared: Shared,
    pub screens: Screens,
    /// Where the person went, the present place last; never empty.
    places: Vec<NavigationStop>,
    /// What the keyboard is for.
    pub mode: Mode,
    /// When the person wanted to leave while something was on its way.
    pub(super) leaving: Option<Timestamp>,
    pub(super) version: u64,
    /// The revision of the world and the place that the lists were last ordered for.
    pub(super) ordered: Option<(u64, Place)>,
}

impl State {
    /// Nothing known yet, nothing done yet.
    pub fn new(setup: InitialState) -> Self {
        let shared = Shared::new(setup);
        let mut screens = Screens::default();
        screens.change_context(&shared);
        Self {
            shared,
            screens,
            places: vec![Place::Overview.into()],
            mode: Mode::Browse,
            leaving: None,
            version: 0,
            ordered: None,
        }
    }

    /// Counts up whenever a new frame would look different.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// What is to be on the terminal for a while before it can be answered, if it is not yet.
    pub fn waits(&self) -> Option<Wait> {
        match &self.mode {
            Mode::Confirm(confirm) => confirm.waits(),
            Mode::Browse
            | Mode::Filter { .. }
            | Mode::Palette(_)
            | Mode::Menu(_)
            | Mode::Form(_)
            | Mode::Results { .. }
            | Mode::Help(_) => None,
        }
    }

    /// Whether a filter is being typed.
    pub fn is_typing(&self) -> bool {
        matches!(self.mode, Mode::Filter { .. })
    }

    /// Where the person is.
    pub fn place(&self) -> &Place {
        self.places.last().map_or(&Place::Overview, |stop| &stop.place)
    }

    /// The way here, the present place last.
    pub fn places(&self) -> &[NavigationStop] {
        &self.places
    }

    /// The present screen.
    pub fn screen(&self) -> &dyn Screen {
        self.screens.at(self.place())
    }

    /// The present screen, to be changed.
    pub fn screen_mut(&mut self) -> &mut dyn Screen {
        self.split().0
    }

    /// The present screen, to be changed, and what it shares with the others.
    pub fn split(&mut self) -> (&mut dyn Screen, &mut Shared) {
        let place = self.places.last().map_or(&Place::Overview, |stop| &stop.place);
        (self.screens.at_mut(place), &mut self.shared)
    }

    /// Gives the present list another filter.
    pub(super) fn set_filter(&mut self, text: &str) {
        if let Some(found) = self.screen_mut().found_mut() {
            found.set(text);
            self.ordered = None;
        }
    }

    /// The panel that has the keyboard, on screens with several.
    pub fn panel(&self) -> usize {
        self.screen().spot().panel
    }

    /// By how many lines a page without a list is scrolled.
    pub fn scroll(&self) -> u16 {
        self.screen().spot().scroll
    }

    /// What the person points at now.
    pub fn selection(&self) -> Selection {
        self.screen().selection(&self.shared).or_nothing()
    }

    /// Stands at a place, with no way back.
    pub fn reset_to(&mut self, place: Place) {
        self.screen_mut().leave();
        self.places = vec![place.into()];
        self.enter_place();
    }

    /// Goes to a place; the way back leads here.
    pub(super) fn go(&mut self, place: Place, now: Timestamp) {
        if *self.place() == place {
            return;
        }
        self.leave_place(now);
        self.places.push(place.into());
        if self.places.len() > MAX_HISTORY {
            // the first place stays: whoever goes back far enough is where they began
            self.places.remove(1);
        }
        self.enter_place();
        self.screen_mut().to_top();
    }

    /// Goes back to where one came from.
    pub(super) fn back(&mut self, now: Timestamp) {
        if self.places.len() > 1 {
            self.leave_place(now);
            self.places.pop();
            self.enter_place();
        }
    }

    /// Forgets the places that belong to a context that is left.
    pub(super) fn change_context(&mut self) {
        self.screen_mut().leave();
        let Self { places, screens, shared, .. } = self;
        screens.change_context(shared);
        places.retain(|stop| Screens::is_top(&stop.place));
        if places.is_empty() {
            places.push(Place::Overview.into());
        }
        if let Some(stop) = places.last_mut() {
            stop.spot = ScrollPosition::default();
        }
        self.enter_place();
        self.ordered = None;
    }

    /// What came until now counts as seen on the screen that is left; where one was on it is kept for the way back.
    fn leave_place(&mut self, now: Timestamp) {
        if let Some(tab) = Screens::tab(self.place()) {
            self.shared.last_seen.insert(tab, now);
        }
        let spot = self.screen().spot();
        if let Some(stop) = self.places.last_mut() {
            stop.spot = spot;
        }
        self.screen_mut().leave();
    }

    /// Has the present screen take up what its place is about, where one was on it.
    fn enter_place(&mut self) {
        if let Some(NavigationStop { place, spot }) = self.places.last() {
            self.screens.enter(place);
            self.screens.at_mut(place).set_spot(*spot);
        }
    }
}
