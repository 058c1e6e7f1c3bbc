//! What can be done with the things of a list, by what kind of things they are: once for all screens that list them.

use std::hash::Hash;

use jiff::Timestamp;

use super::grouped::{GroupedList, Row};
use super::list::{Cursor, List};
use super::place::Place;
use super::selection::{Handled, Selection};
use super::shared::Shared;
use crate::model::labels::Text;
use crate::model::runbook::RunbookQuery;

/// A thing that lists have, by its identity.
pub trait Item: Clone + Ord {
    /// Its own screen.
    fn place(&self, shared: &Shared) -> Option<Place>;

    /// Some of them, to do something to them.
    fn selection(shared: &Shared, chosen: Vec<Self>) -> Selection;

    /// What copying takes of it.
    fn copied(&self, shared: &Shared, now: Timestamp) -> Option<String>;

    /// Its links: name and address, only http(s).
    fn links(&self, _shared: &Shared) -> Vec<(String, Text)> {
        Vec::new()
    }

    fn runbooks(&self, _shared: &Shared) -> Vec<RunbookQuery> {
        Vec::new()
    }

    /// Whether what was wanted of it is done.
    fn is_handled(&self, _handled: &Handled<'_>) -> bool {
        false
    }

    /// Whether what was wanted of a group of them is done.
    fn is_group_handled(_handled: &Handled<'_>) -> bool {
        false
    }
}

/// A list of such things, whatever they are. One points at the marked things, else at the one under the cursor.
pub trait ItemList {
    /// The list as one moves in it.
    fn cursor(&self) -> &dyn Cursor;

    /// Where what the cursor is on leads to.
    fn place(&self, shared: &Shared) -> Option<Place>;

    /// What the person points at.
    fn selection(&self, shared: &Shared) -> Selection;

    /// What copying takes of what the person points at.
    fn copied(&self, shared: &Shared, now: Timestamp) -> Option<String>;

    /// The links of what the cursor is on.
    fn links(&self, shared: &Shared) -> Vec<(String, Text)>;

    /// The runbooks of what the cursor is on.
    fn runbooks(&self, shared: &Shared) -> Vec<RunbookQuery>;

    /// Takes the marks of what was done away.
    fn unmark(&mut self, handled: &Handled<'_>);
}

/// What both kinds of lists tell of the thing under the cursor.
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
