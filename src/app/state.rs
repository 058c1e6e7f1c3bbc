//! The application state: the data of the sources and what the user is doing. Only `update` changes it.

use jiff::Timestamp;
use ratatui::layout::Rect;

use super::chart_control::ChartControl;
use super::confirm::Confirm;
use super::event::Wait;
use super::form::ActionForm;
use super::layout;
use super::line_editor::LineEditor;
use super::menu::Menu;
use super::palette::Palette;
use super::place::{Place, ScrollPosition};
use super::preview_pane;
use super::screen::Screen;
use super::screens::Screens;
use super::selection::Selection;
use super::shared::Shared;

/// What keyboard input is used for at the moment.
#[derive(Debug, Default)]
pub enum Mode {
    /// Navigating lists and screens.
    #[default]
    Browse,
    /// Typing a filter; Esc restores the previous filter.
    Filter {
        line: LineEditor,
        /// The filter before typing began.
        before: String,
    },
    /// Searching for a command, screen, service, SLO, alert or incident by name.
    Palette(Box<Palette>),
    /// Choosing one item of a list.
    Menu(Menu),
    /// Reading the help overlay, scrolled down by this many lines.
    Help(u16),
    /// Confirming or cancelling a plan of actions.
    Confirm(Box<Confirm>),
    Form(Box<ActionForm>),
    Results {
        /// Which plan: 0 is the newest, 1 the one before it.
        back: usize,
        /// How many lines the text is scrolled down.
        top: u16,
    },
}

/// Most places that the navigation history keeps.
const MAX_HISTORY: usize = 32;

#[derive(Debug)]
pub struct State {
    pub shared: Shared,
    pub screens: Screens,
    /// The navigation history, the current place last; never empty. With the scroll position when a place was left.
    places: Vec<(Place, ScrollPosition)>,
    pub mode: Mode,
    /// When the user asked to quit while actions were still running; None: nobody asked.
    pub(super) leaving: Option<Timestamp>,
    pub(super) version: u64,
    /// The world revision and the place for which the lists were last sorted.
    pub(super) ordered: Option<(u64, Place)>,
}

impl State {
    /// The state at the start, on the Overview.
    pub fn new(shared: Shared) -> Self {
        let mut screens = Screens::default();
        screens.change_context(&shared);
        Self {
            shared,
            screens,
            places: vec![(Place::Overview, ScrollPosition::default())],
            mode: Mode::Browse,
            leaving: None,
            version: 0,
            ordered: None,
        }
    }

    /// Increases whenever a new frame would look different.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The confirm dialog that must stay on the terminal for some time before it accepts an answer. None: nothing is waiting.
    pub fn waits(&self) -> Option<Wait> {
        if let Mode::Confirm(confirm) = &self.mode { confirm.waits() } else { None }
    }

    pub fn is_typing(&self) -> bool {
        matches!(self.mode, Mode::Filter { .. })
    }

    pub fn place(&self) -> &Place {
        self.places.last().map_or(&Place::Overview, |(place, _)| place)
    }

    /// The navigation history, the current place last.
    pub fn places(&self) -> impl DoubleEndedIterator<Item = &Place> + ExactSizeIterator {
        self.places.iter().map(|(place, _)| place)
    }

    pub fn screen(&self) -> &dyn Screen {
        self.screens.at(self.place())
    }

    pub fn screen_mut(&mut self) -> &mut dyn Screen {
        self.split().0
    }

    /// The current screen and the shared state, both mutable.
    pub fn split(&mut self) -> (&mut dyn Screen, &mut Shared) {
        let place = self.places.last().map_or(&Place::Overview, |(place, _)| place);
        (self.screens.at_mut(place), &mut self.shared)
    }

    /// Gives the present list another filter.
    pub(super) fn set_filter(&mut self, text: &str) {
        if let Some(found) = self.screen_mut().found_mut() {
            found.set(text);
            self.ordered = None;
        }
    }

    /// The index of the focused panel, on screens with several panels.
    pub fn panel(&self) -> usize {
        self.screen().scroll_position().panel
    }

    /// The area of the current screen; beside it there may be a preview.
    pub fn body(&self) -> Rect {
        preview_pane::split(self.screen(), &self.shared, layout::areas(self.shared.size).body).0
    }

    /// What the user has selected on the current screen.
    pub fn selection(&self) -> Selection {
        self.screen().selection(&self.shared).or_nothing()
    }

    /// Shows a place and clears the navigation history.
    pub fn reset_to(&mut self, place: Place) {
        self.screen_mut().leave();
        self.places = vec![(place, ScrollPosition::default())];
        self.enter_place();
    }

    pub(super) fn go(&mut self, place: Place, now: Timestamp) {
        if *self.place() == place {
            return;
        }
        self.leave_place(now);
        self.places.push((place, ScrollPosition::default()));
        if self.places.len() > MAX_HISTORY {
            // the first place stays, so that going back often enough always ends where the user began
            self.places.remove(1);
        }
        self.enter_place();
        self.screen_mut().to_top();
    }

    /// Returns to the previous place.
    pub(super) fn back(&mut self, now: Timestamp) {
        if self.places.len() > 1 {
            self.leave_place(now);
            self.places.pop();
            self.enter_place();
        }
    }

    /// Removes the places that belong to the context that is left.
    pub(super) fn change_context(&mut self) {
        self.screen_mut().leave();
        let Self { places, screens, shared, .. } = self;
        screens.change_context(shared);
        places.retain(|(place, _)| Screens::is_top(place));
        if places.is_empty() {
            places.push((Place::Overview, ScrollPosition::default()));
        }
        if let Some((_, scroll_position)) = places.last_mut() {
            *scroll_position = ScrollPosition::default();
        }
        self.enter_place();
        self.ordered = None;
    }

    /// Marks the news of the screen that is left as seen, and keeps its scroll position for `back`.
    fn leave_place(&mut self, now: Timestamp) {
        if let Some(tab) = Screens::tab(self.place()) {
            self.shared.last_seen.insert(tab, now);
        }
        let left_at = self.screen().scroll_position();
        if let Some((_, scroll_position)) = self.places.last_mut() {
            *scroll_position = left_at;
        }
        self.screen_mut().leave();
    }

    /// Sets the current screen to its place's subject and scroll position.
    fn enter_place(&mut self) {
        self.shared.preview.clear();
        self.shared.charts = ChartControl::default();
        if let Some((place, scroll_position)) = self.places.last() {
            self.screens.enter(place);
            self.screens.at_mut(place).set_scroll_position(*scroll_position);
        }
    }
}
