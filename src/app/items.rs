//! What each kind of list item offers (screen, selection, copying, links), once for all screens that list such items.

use std::hash::Hash;

use jiff::Timestamp;

use super::grouped::{GroupedList, Row};
use super::identity::WhySubject;
use super::list::{Cursor, List};
use super::place::Place;
use super::selection::{Handled, Selection};
use super::shared::Shared;
use crate::model::labels::Text;
use crate::model::runbook::RunbookQuery;

pub trait Item: Clone + Ord {
    fn place(&self, shared: &Shared) -> Option<Place>;

    fn selection(shared: &Shared, chosen: Vec<Self>) -> Selection;

    fn copied(&self, shared: &Shared, now: Timestamp) -> Option<String>;

    /// The links: name and address, http(s) only.
    fn links(&self, _shared: &Shared) -> Vec<(String, Text)> {
        Vec::new()
    }

    fn runbooks(&self, _shared: &Shared) -> Vec<RunbookQuery> {
        Vec::new()
    }

    /// What a page about causes would be about.
    fn why(&self) -> Option<WhySubject> {
        None
    }

    /// Whether an action on the item is complete, so that its mark is removed.
    fn is_handled(&self, _handled: &Handled<'_>) -> bool {
        false
    }

    /// The same for a group of items.
    fn is_group_handled(_handled: &Handled<'_>) -> bool {
        false
    }
}

/// A list of such items. Actions apply to the marked items, else to the one under the cursor.
pub trait ItemList {
    fn cursor(&self) -> &dyn Cursor;

    /// The screen that Enter opens for the item under the cursor.
    fn place(&self, shared: &Shared) -> Option<Place>;

    fn selection(&self, shared: &Shared) -> Selection;

    /// The text that is copied for the selection.
    fn copied(&self, shared: &Shared, now: Timestamp) -> Option<String>;

    fn links(&self, shared: &Shared) -> Vec<(String, Text)>;

    fn runbooks(&self, shared: &Shared) -> Vec<RunbookQuery>;

    /// What a page about causes of the item under the cursor would be about.
    fn why(&self) -> Option<WhySubject>;

    /// Removes the marks of items whose action is complete.
    fn unmark(&mut self, handled: &Handled<'_>);
}

/// What plain and grouped lists share about the item under the cursor.
macro_rules! of_current {
    () => {
        fn place(&self, shared: &Shared) -> Option<Place> {
            self.current()?.place(shared)
        }

        fn selection(&self, shared: &Shared) -> Selection {
            K::selection(shared, self.chosen())
        }

        fn links(&self, shared: &Shared) -> Vec<(String, Text)> {
            self.current().map_or_else(Vec::new, |item| item.links(shared))
        }

        fn runbooks(&self, shared: &Shared) -> Vec<RunbookQuery> {
            self.current().map_or_else(Vec::new, |item| item.runbooks(shared))
        }

        fn why(&self) -> Option<WhySubject> {
            self.current()?.why()
        }
    };
}

impl<K: Item> ItemList for List<K> {
    of_current!();

    fn cursor(&self) -> &dyn Cursor {
        self
    }

    fn copied(&self, shared: &Shared, now: Timestamp) -> Option<String> {
        self.copied(|item| item.copied(shared, now))
    }

    fn unmark(&mut self, handled: &Handled<'_>) {
        self.unmark(|item| item.is_handled(handled));
    }
}

impl<K: Item, G: Clone + Ord + Hash + ToString> ItemList for GroupedList<K, G> {
    of_current!();

    fn cursor(&self) -> &dyn Cursor {
        &self.list
    }

    fn copied(&self, shared: &Shared, now: Timestamp) -> Option<String> {
        self.list.copied(|row| match row {
            Row::Item(item) => item.copied(shared, now),
            Row::Group(group) => Some(group.to_string()),
        })
    }

    fn unmark(&mut self, handled: &Handled<'_>) {
        self.list.unmark(|row| match row {
            Row::Item(item) => item.is_handled(handled),
            Row::Group(_) => K::is_group_handled(handled),
        });
    }
}
