//! What a screen is: its own state, and what it answers. Everything that is the same for all screens is done outside of it.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::commands::{Command, Scope};
use super::event::Effect;
use super::grid::Grid;
use super::grouped::Listing;
use super::items::ItemList;
use super::layout;
use super::list::{Cursor, Grouping};
use super::list_filter::ListFilter;
use super::look::Cx;
use super::page::PageContent;
use super::place::{Place, ScrollPosition, Tab};
use super::scheduler::Want;
use super::selection::{Handled, Selection};
use super::shared::Shared;
use super::theme::Role;
use crate::model::ask::AskKind;
use crate::model::fingerprint::Fingerprint;
use crate::model::labels::Text;
use crate::model::runbook::RunbookQuery;

/// A command and the word for it, as the footer shows them.
pub type Hint = (Command, &'static str);

/// What Enter did, or where it leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// There is nothing to open.
    Nothing,
    /// A group was folded or unfolded.
    Folded,
    Place(Place),
    /// To a list with this filter, showing what it would leave out, too; with something to say about that.
    Search {
        /// The list.
        place: Place,
        filter: String,
        /// What the person should know.
        note: Option<String>,
    },
}

impl From<Option<Place>> for Opened {
    fn from(place: Option<Place>) -> Self {
        place.map_or(Self::Nothing, Self::Place)
    }
}

/// What a tab of line 2 says beside its title.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Badge {
    /// How many things want to be looked at.
    pub count: usize,
    /// How the gravest of them looks; none: nothing is said.
    pub worst: Option<Role>,
    /// When the newest of them came.
    pub newest: Option<Timestamp>,
    /// Whether the symbol of the gravest is shown, too: its number alone does not tell what it is like.
    pub has_symbol: bool,
}

/// One screen with its state. Only what a screen does differently has to be written.
pub trait Screen {
    /// The scopes of commands that work here, besides the global ones.
    fn scopes(&self) -> &'static [Scope] {
        &[]
    }

    /// The keys that matter most here, the most important first.
    fn hints(&self, shared: &Shared) -> Vec<Hint>;

    /// Draws it into the body of the frame.
    fn render(&self, shared: &Shared, now: Timestamp, area: Rect, buf: &mut Buffer);

    // what is asked, and what is made of the answers

    /// What it wants to know, besides what is asked on every screen.
    fn wants(&self, _shared: &Shared, _now: Timestamp) -> Vec<Want> {
        Vec::new()
    }

    /// Counts up whenever its lists may have to be brought into another order.
    fn revision(&self, shared: &Shared) -> u64 {
        shared.world.revision()
    }

    /// Brings its lists into their order again; while a filter is typed, what it is searched in is kept ready.
    fn reorder(&mut self, _shared: &Shared, _is_typing: bool) {}

    /// Lays out a long text, if it is another one or the terminal has changed. `is_news`: a source has told something.
    fn lay_out(&mut self, _shared: &Shared, _is_news: bool, _now: Timestamp) {}

    /// Drops what need not be kept while another screen is shown.
    fn leave(&mut self) {}

    /// Brings all cursors to their first rows, as for another subject.
    fn to_top(&mut self) {}

    /// Forgets everything about the context that is left.
    fn change_context(&mut self, _shared: &Shared) {}

    // moving about

    fn spot(&self) -> ScrollPosition {
        ScrollPosition::default()
    }

    /// Moves to another spot.
    fn set_spot(&mut self, _spot: ScrollPosition) {}

    /// How many panels there are.
    fn panels(&self) -> usize {
        1
    }

    /// Whether a panel has something in it for the keyboard.
    fn has_panel(&self, _shared: &Shared, _body: Rect, panel: usize) -> bool {
        panel == 0
    }

    /// Whether left and right go from panel to panel.
    fn has_panels_side_by_side(&self) -> bool {
        false
    }

    /// The panel that covers a cell, if one does.
    fn panel_at(&self, _shared: &Shared, _body: Rect, _cell: (u16, u16)) -> Option<usize> {
        None
    }

    /// The panel on which the wheel scrolls.
    fn wheel_panel(&self) -> usize {
        self.spot().panel
    }

    fn listing(&self) -> Option<&dyn Listing> {
        None
    }

    /// The list of a screen that is one, to be changed.
    fn listing_mut(&mut self) -> Option<&mut dyn Listing> {
        None
    }

    /// The list of things that has the keyboard: what the cursor is on can be opened, copied, acted on and so on.
    fn items(&self) -> Option<&dyn ItemList> {
        None
    }

    /// All of its lists of things, to be changed.
    fn items_mut(&mut self) -> Vec<&mut dyn ItemList> {
        Vec::new()
    }

    /// The list that has the keyboard.
    fn list(&self) -> Option<&dyn Cursor> {
        self.listing().map(Listing::cursor)
    }

    /// The list that has the keyboard, to be moved in.
    fn list_mut(&mut self) -> Option<&mut dyn Cursor> {
        self.listing_mut().map(Listing::cursor_mut)
    }

    /// Where the rows of the list with the keyboard stand, or the text that scrolls.
    fn grid(&self, _shared: &Shared, body: Rect) -> Grid {
        Grid::list(layout::table_rows(body))
    }

    /// The text of a screen that scrolls, as wide as this. How many lines it has must not depend on the moment.
    fn page(&self, _shared: &Shared, _width: u16) -> Option<PageContent> {
        None
    }

    /// By how many lines the text can be scrolled that stands in this area.
    fn last_scroll(&self, shared: &Shared, area: Rect) -> u16 {
        self.page(shared, area.width).map_or(0, |page| page.last_scroll(area.height))
    }

    /// Scrolls to what a panel shows that has just got the keyboard, where its text has no list.
    fn show_panel(&mut self, _shared: &Shared, _area: Rect) {}

    /// Shows what is quiet or over, or hides it: `None` turns that round.
    fn show_hidden(&mut self, _is_shown: Option<bool>) {}

    // orders, groups, filters

    /// Its filter.
    fn found(&self) -> Option<&ListFilter> {
        self.listing().map(Listing::found)
    }

    /// Its filter, to be changed.
    fn found_mut(&mut self) -> Option<&mut ListFilter> {
        self.listing_mut().map(Listing::found_mut)
    }

    /// By what its list can be ordered.
    fn orders(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// By what its rows can be grouped, each with its name.
    fn groupings(&self, _shared: &Shared) -> Vec<(String, Grouping)> {
        Vec::new()
    }

    // what the cursor is on

    /// Opens what the cursor is on.
    fn open(&mut self, shared: &Shared) -> Opened {
        if self.listing_mut().is_some_and(Listing::toggle) {
            return Opened::Folded;
        }
        self.items().and_then(|items| items.place(shared)).into()
    }

    /// What the person points at: the marked rows, else the one under the cursor.
    fn selection(&self, shared: &Shared) -> Selection {
        self.items().map_or(Selection::Nothing, |items| items.selection(shared))
    }

    /// The alerts that silencing is about, where they are others than the selection says.
    fn to_silence(&self, _shared: &Shared) -> Option<Vec<Fingerprint>> {
        None
    }

    /// Takes the marks of what was done away.
    fn unmark(&mut self, handled: &Handled<'_>) {
        for items in self.items_mut() {
            items.unmark(handled);
        }
    }

    /// What copying takes: the marked things, else the current one.
    fn copied(&self, shared: &Shared, now: Timestamp) -> Option<String> {
        self.items()?.copied(shared, now)
    }

    /// The links of what the cursor is on: name and address, only http(s).
    fn links(&self, shared: &Shared) -> Vec<(String, Text)> {
        self.items().map_or_else(Vec::new, |items| items.links(shared))
    }

    /// The runbooks of what the cursor is on.
    fn runbooks(&self, shared: &Shared) -> Vec<RunbookQuery> {
        self.items().map_or_else(Vec::new, |items| items.runbooks(shared))
    }

    /// When that began which the screen is about.
    fn moment(&self, _shared: &Shared) -> Option<Timestamp> {
        None
    }

    /// Goes to what happened at a moment, as one who comes from there.
    fn seek(&mut self, _shared: &mut Shared, _moment: Timestamp, _now: Timestamp) {}

    /// Does what only this screen can do; `None`: what the command does everywhere.
    fn run(&mut self, _shared: &mut Shared, _command: Command, _now: Timestamp) -> Option<Vec<Effect>> {
        None
    }

    // its tab

    /// What its tab says beside its title.
    fn badge(&self, _shared: &Shared, _cx: &Cx<'_>) -> Badge {
        Badge::default()
    }

    /// The kind of answer whose first arrival counts as a first look, so that only what comes later is new.
    fn baseline(&self) -> Option<AskKind> {
        None
    }
}

/// What a screen answers that is a list: the field `rows`. With the list in it whose rows are things, all that can be done
/// with them follows.
macro_rules! lists_rows {
    ($($list:ident).+) => {
        lists_rows!();

        fn items(&self) -> Option<&dyn crate::app::items::ItemList> {
            Some(&self.$($list).+)
        }

        fn items_mut(&mut self) -> Vec<&mut dyn crate::app::items::ItemList> {
            vec![&mut self.$($list).+]
        }
    };
    () => {
        fn listing(&self) -> Option<&dyn crate::app::grouped::Listing> {
            Some(&self.rows)
        }

        fn listing_mut(&mut self) -> Option<&mut dyn crate::app::grouped::Listing> {
            Some(&mut self.rows)
        }
    };
}

/// What a screen answers that has panels or scrolls: the field `spot`.
macro_rules! keeps_spot {
    () => {
        fn spot(&self) -> ScrollPosition {
            self.spot
        }

        fn set_spot(&mut self, spot: ScrollPosition) {
            self.spot = spot;
        }
    };
}

/// What a screen answers that has lists in panels; the field `spot` tells the panel. `things` are lists of
/// [`Item`](crate::app::items::Item)s.
macro_rules! lists_panels {
    (things { $($panel:pat => $things:ident,)* } others { $($other:pat => $plain:ident,)* }) => {
        fn items(&self) -> Option<&dyn crate::app::items::ItemList> {
            match self.spot.panel {
                $($panel => Some(&self.$things),)*
                _ => None,
            }
        }

        fn items_mut(&mut self) -> Vec<&mut dyn crate::app::items::ItemList> {
            vec![$(&mut self.$things),*]
        }

        fn list(&self) -> Option<&dyn Cursor> {
            match self.spot.panel {
                $($panel => Some(&self.$things),)*
                $($other => Some(&self.$plain),)*
                _ => None,
            }
        }

        fn list_mut(&mut self) -> Option<&mut dyn Cursor> {
            match self.spot.panel {
                $($panel => Some(&mut self.$things),)*
                $($other => Some(&mut self.$plain),)*
                _ => None,
            }
        }
    };
}

pub(in crate::app) use {keeps_spot, lists_panels, lists_rows};

/// A screen about one thing.
pub trait SubjectScreen {
    /// What it is about.
    type Subject;

    /// Takes up what it is to be about.
    fn enter(&mut self, subject: &Self::Subject);

    /// How the breadcrumb names it.
    fn title(subject: &Self::Subject, shared: &Shared) -> String;

    /// The tab that it belongs to.
    fn tab(subject: &Self::Subject) -> Option<Tab>;

    /// Whether it begins a breadcrumb.
    fn is_top(_subject: &Self::Subject) -> bool {
        false
    }
}
