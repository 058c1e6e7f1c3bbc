//! The interface of a screen: its own state and its answers to the frame. Everything common to all screens is done outside.

use std::time::Duration;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::chart_control::ChartedTime;
use super::columns::NamedOrder;
use super::commands::{Command, Scope};
use super::explore_choice::{ChartQuery, ExploreChoice};
use super::grid::Grid;
use super::grouped::Listing;
use super::identity::WhySubject;
use super::items::ItemList;
use super::key::Key;
use super::layout;
use super::list::{Cursor, Grouping};
use super::list_filter::ListFilter;
use super::log_subject::LogSubject;
use super::menu::{ListedChoices, Menu, VariableChoice};
use super::page::PageContent;
use super::place::{Place, ScrollPosition, Tab};
use super::scheduler::Want;
use super::selection::{Handled, Selection};
use super::shared::{ScreenCx, Shared};
use super::theme::Role;
use crate::model::ask::AskKind;
use crate::model::fingerprint::Fingerprint;
use crate::model::labels::Text;
use crate::model::runbook::RunbookQuery;
use crate::model::saved_query::QueryStore;
pub(in crate::app) use macros::{
    drawn_by_view, hints, keeps_scroll_position, lists_panels, lists_rows, offers,
};

mod macros;

/// A command and its label in the footer.
pub type Hint = (Command, &'static str);

/// The result of Enter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    Nothing,
    /// A group was expanded or collapsed.
    Folded,
    Place(Place),
    /// A list to open with this filter; hidden rows are shown, too.
    Search {
        place: Place,
        filter: String,
        note: Option<String>,
    },
}

impl From<Option<Place>> for Opened {
    fn from(place: Option<Place>) -> Self {
        place.map_or(Self::Nothing, Self::Place)
    }
}

/// The count that a tab of line 2 shows beside its title.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Badge {
    /// The number of items that need attention.
    pub count: usize,
    /// The role of the worst item; None: no count is shown.
    pub worst: Option<Role>,
    /// When the newest item appeared.
    pub newest: Option<Timestamp>,
    /// Whether the symbol of the worst item is shown, too, because the count alone does not tell its severity.
    pub has_symbol: bool,
}

/// One screen with its state. The defaults are those of a screen without list, filter and panels.
pub trait Screen {
    /// The scopes whose commands work here, besides the global ones.
    fn scopes(&self) -> &'static [Scope] {
        &[]
    }

    /// The key hints of the footer, the most important first.
    fn hints(&self) -> Vec<Hint>;

    /// Draws the screen into the body of the frame.
    fn render(&self, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer);

    // queries and their answers

    /// The queries of this screen, besides those sent on every screen.
    fn wants(&self, _shared: &Shared, _now: Timestamp) -> Vec<Want> {
        Vec::new()
    }

    /// Increases whenever the lists of the screen may need to be sorted again.
    fn revision(&self, shared: &Shared) -> u64 {
        shared.world.revision()
    }

    /// Sorts and filters the lists again. While a filter is being typed, the texts that it searches are kept.
    fn reorder(&mut self, _shared: &Shared, _is_typing: bool) {}

    /// Lays out a long text if the text or the terminal's width has changed. `is_news`: a source has sent new data.
    fn lay_out(&mut self, _shared: &Shared, _is_news: bool, _now: Timestamp) {}

    /// Drops data that are not needed while another screen is shown.
    fn leave(&mut self) {}

    /// Moves all cursors to their first rows, as for a new subject.
    fn to_top(&mut self) {}

    /// Drops everything that belongs to the context that is left.
    fn change_context(&mut self, _shared: &Shared) {}

    // navigation

    fn scroll_position(&self) -> ScrollPosition {
        ScrollPosition::default()
    }

    /// Restores a panel and a scroll position.
    fn set_scroll_position(&mut self, _scroll_position: ScrollPosition) {}

    fn panels(&self) -> usize {
        1
    }

    /// The list in a panel, if it has one.
    fn list_at(&self, _panel: usize) -> Option<&dyn Cursor> {
        None
    }

    /// Whether a panel has content that can have the focus.
    fn has_panel(&self, _shared: &Shared, _body: Rect, panel: usize) -> bool {
        self.list_at(panel).is_none_or(|list| !list.is_empty())
    }

    /// Moves the focus from a panel whose list is empty to the first panel.
    fn leave_empty_panel(&mut self) {
        if self.list_at(self.scroll_position().panel).is_some_and(Cursor::is_empty) {
            self.set_scroll_position(ScrollPosition { panel: 0, ..self.scroll_position() });
        }
    }

    /// Whether Left and Right move between panels.
    fn has_panels_side_by_side(&self) -> bool {
        false
    }

    /// The panel at a cell, if there is one.
    fn panel_at(&self, _shared: &Shared, _body: Rect, _cell: (u16, u16)) -> Option<usize> {
        None
    }

    /// The panel that the mouse wheel scrolls.
    fn wheel_panel(&self) -> usize {
        self.scroll_position().panel
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

    /// The item lists of the screen, so that an action can unmark the rows that it has handled.
    fn items_mut(&mut self) -> Vec<&mut dyn ItemList> {
        Vec::new()
    }

    /// Whether the item under the cursor can be previewed beside the list.
    fn has_preview(&self) -> bool {
        false
    }

    fn list(&self) -> Option<&dyn Cursor> {
        self.listing().map(Listing::cursor)
    }

    fn list_mut(&mut self) -> Option<&mut dyn Cursor> {
        self.listing_mut().map(Listing::cursor_mut)
    }

    /// Where the rows of the focused list, or the lines of the text, are on the terminal.
    fn grid(&self, _shared: &Shared, body: Rect) -> Grid {
        let has_header = self.listing().is_some();
        Grid::list(if has_header { layout::table_rows(body) } else { layout::below_heading(body) })
    }

    /// The text of a screen that scrolls, wrapped to this width. The number of its lines must not depend on the time.
    fn page(&self, _shared: &Shared, _width: u16) -> Option<PageContent> {
        None
    }

    /// An empty page of this width with the cursor where it is on this screen.
    fn new_page(&self, width: u16) -> PageContent {
        PageContent::focused(width, (self.scroll_position().panel, self.list().map_or(0, Cursor::index)))
    }

    /// The largest scroll position of the text in this area, in lines.
    fn last_scroll(&self, shared: &Shared, area: Rect) -> u16 {
        self.page(shared, area.width).map_or(0, |page| page.last_scroll(area.height))
    }

    /// Scrolls to the content of the panel that was just focused, if it is a text without a list.
    fn show_panel(&mut self, _shared: &Shared, _area: Rect) {}

    /// Shows or hides silenced, inhibited and resolved rows; `None` toggles.
    fn show_hidden(&mut self, _is_shown: Option<bool>) {}

    // sorting, grouping, filtering

    fn found(&self) -> Option<&ListFilter> {
        self.listing().map(Listing::found)
    }

    fn found_mut(&mut self) -> Option<&mut ListFilter> {
        self.listing_mut().map(Listing::found_mut)
    }

    /// By what its list can be ordered.
    fn orders(&self) -> Vec<NamedOrder> {
        Vec::new()
    }

    /// By what its rows can be grouped, each with its name.
    fn groupings(&self, _shared: &Shared) -> Vec<(String, Grouping)> {
        Vec::new()
    }

    // the row under the cursor

    /// Opens the row under the cursor.
    fn open(&mut self, shared: &Shared) -> Opened {
        if self.listing_mut().is_some_and(Listing::toggle) {
            return Opened::Folded;
        }
        self.items().and_then(|items| items.place(shared)).into()
    }

    /// What actions apply to: the marked rows, else the row under the cursor.
    fn selection(&self, shared: &Shared) -> Selection {
        self.items().map_or(Selection::Nothing, |items| items.selection(shared))
    }

    /// The alerts to silence, if they are not those of the selection.
    fn alerts_to_silence(&self, _shared: &Shared) -> Option<Vec<Fingerprint>> {
        None
    }

    /// Unmarks the rows that an action has handled.
    fn unmark(&mut self, handled: &Handled<'_>) {
        for items in self.items_mut() {
            items.unmark(handled);
        }
    }

    /// The text to copy: of the marked rows, else of the row under the cursor.
    fn copied(&self, shared: &Shared, now: Timestamp) -> Option<String> {
        self.items()?.copied(shared, now)
    }

    /// The links of the row under the cursor: title and address, only http(s).
    fn links(&self, shared: &Shared) -> Vec<(String, Text)> {
        self.items().map_or_else(Vec::new, |items| items.links(shared))
    }

    /// The runbooks of the row under the cursor.
    fn runbooks(&self, shared: &Shared) -> Vec<RunbookQuery> {
        self.items().map_or_else(Vec::new, |items| items.runbooks(shared))
    }

    /// What a page about causes would be about: the row under the cursor, else the services that are selected.
    fn why(&self, shared: &Shared) -> Option<WhySubject> {
        let of_row = self.items().and_then(ItemList::why);
        of_row.or_else(|| match self.selection(shared) {
            Selection::Services(names) => names.into_iter().next().map(WhySubject::Service),
            Selection::Alerts(alerts) => alerts.into_iter().next().map(WhySubject::Alert),
            Selection::Incidents(keys) => keys.into_iter().next().map(WhySubject::Incident),
            Selection::Nothing | Selection::Silences(_) | Selection::Level(_) | Selection::Policy(_) => None,
        })
    }

    /// When the subject of the screen began (the alert, the incident).
    fn moment(&self, _shared: &Shared) -> Option<Timestamp> {
        None
    }

    /// The time that the charts of the screen show; `None` without charts. Screens with charts have [`Scope::Charts`].
    fn charted(&self, _shared: &Shared, _now: Timestamp) -> Option<ChartedTime> {
        None
    }

    /// Scrolls to the events of a moment; the user comes from a screen about it.
    fn seek(&mut self, _shared: &mut Shared, _moment: Timestamp, _now: Timestamp) {}

    /// Where a command of this screen leads.
    fn leads_to(&self, _command: Command) -> Option<Place> {
        None
    }

    /// Runs a command in a way of its own; `false`: the command does what it does on every screen.
    fn run(&mut self, _shared: &mut Shared, _command: Command, _now: Timestamp) -> bool {
        false
    }

    /// The menu that a command opens here, if it opens one.
    fn menu(&self, _shared: &Shared, _command: Command, _now: Timestamp) -> Option<Menu> {
        None
    }

    // queries

    /// The queries of its charts, to be opened in Explore, the most important first.
    fn chart_queries(&self, _shared: &Shared, _now: Timestamp) -> Vec<ChartQuery> {
        Vec::new()
    }

    /// Log lines that the screen itself shows, to be opened in the screen of logs.
    fn shown_logs(&self, _shared: &Shared) -> Option<LogSubject> {
        None
    }

    /// Whether the keys are text for an input line of the screen itself.
    fn is_editing(&self) -> bool {
        false
    }

    /// Handles a key while [`Screen::is_editing`].
    fn edit(&mut self, _shared: &mut Shared, _key: Key, _now: Timestamp) {}

    /// Takes pasted text while [`Screen::is_editing`].
    fn paste(&mut self, _shared: &Shared, _text: &str) {}

    /// Does what an item of a menu of Explore is for.
    fn choose(&mut self, _shared: &mut Shared, _choice: ExploreChoice, _now: Timestamp) {}

    /// Does what an item of a menu of variables is for. Gives the list of values to choose from next, if there is one.
    fn choose_variable(
        &mut self,
        _shared: &mut Shared,
        _choice: VariableChoice,
        _now: Timestamp,
    ) -> Option<ListedChoices> {
        None
    }

    /// The length of the time range that the subject wants; once, when it is first shown.
    fn wanted_range(&mut self, _shared: &Shared) -> Option<Duration> {
        None
    }

    /// Takes the saved views and the history.
    fn take_store(&mut self, _store: QueryStore) {}

    // the tab

    /// The count of the tab.
    fn badge(&self, _cx: &ScreenCx<'_>) -> Badge {
        Badge::default()
    }

    /// The kind of answer that counts as seen when it first arrives, so that only later items are new.
    fn baseline(&self) -> Option<AskKind> {
        None
    }
}

/// A screen about one subject, such as an alert or a service. Its field `subject` is the key of the one that is shown.
pub trait SubjectScreen {
    type Subject;

    /// The tab that the subject belongs to.
    const TAB: Option<Tab>;

    fn title(subject: &Self::Subject, shared: &Shared) -> String;

    /// The tab, where it is not the same for all subjects.
    fn tab(_subject: &Self::Subject) -> Option<Tab> {
        Self::TAB
    }

    /// Whether the breadcrumb begins here.
    fn is_top(_subject: &Self::Subject) -> bool {
        false
    }
}
