//! A list whose rows can be grouped, collapsed, sorted and filtered.

use std::collections::BTreeSet;
use std::hash::Hash;

use indexmap::IndexSet;

use super::list::{Cursor, Grouping, List, SortOrder};
use super::list_filter::ListFilter;

/// A row: a group header or an item. The key of a group is the value that its items share.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Row<K, G> {
    Group(G),
    Item(K),
}

/// A list with what can be chosen for it, whatever its rows are.
pub trait Listing {
    fn cursor(&self) -> &dyn Cursor;

    fn cursor_mut(&mut self) -> &mut dyn Cursor;

    fn found(&self) -> &ListFilter;

    fn found_mut(&mut self) -> &mut ListFilter;

    fn order(&self) -> SortOrder;

    fn order_mut(&mut self) -> &mut SortOrder;

    /// By what its rows are grouped; none: they cannot be.
    fn grouping_mut(&mut self) -> Option<&mut Grouping> {
        None
    }

    /// Folds or unfolds the group that the cursor is in; the cursor goes to the head of a folded one. `false`: rows are never
    /// grouped.
    fn fold(&mut self, _fold: bool) -> bool {
        false
    }

    /// Folds or unfolds the group whose head the cursor is on; `false` if it is on none.
    fn toggle(&mut self) -> bool {
        false
    }
}

#[derive(Debug)]
pub struct FilteredList<K> {
    /// The rows, with the cursor and the marks.
    pub list: List<K>,
    pub found: ListFilter,
    pub order: SortOrder,
}

impl<K> Default for FilteredList<K> {
    fn default() -> Self {
        Self { list: List::default(), found: ListFilter::default(), order: SortOrder::default() }
    }
}

/// What a list answers that has the fields `list`, `found` and `order`.
macro_rules! listing {
    () => {
        fn cursor(&self) -> &dyn $crate::app::list::Cursor {
            &self.list
        }

        fn cursor_mut(&mut self) -> &mut dyn $crate::app::list::Cursor {
            &mut self.list
        }

        fn found(&self) -> &$crate::app::list_filter::ListFilter {
            &self.found
        }

        fn found_mut(&mut self) -> &mut $crate::app::list_filter::ListFilter {
            &mut self.found
        }

        fn order(&self) -> $crate::app::list::SortOrder {
            self.order
        }

        fn order_mut(&mut self) -> &mut $crate::app::list::SortOrder {
            &mut self.order
        }
    };
}
pub(in crate::app) use listing;

impl<K: Clone + Ord> Listing for FilteredList<K> {
    listing!();
}

/// A list whose rows can be grouped. `K` is the key of an item, `G` the key of a group.
#[derive(Debug)]
pub struct GroupedList<K, G> {
    /// The rows with the cursor and the marks.
    pub list: List<Row<K, G>>,
    pub found: ListFilter,
    pub order: SortOrder,
    pub grouping: Grouping,
    /// The groups; the number of a group is its index.
    pub index: IndexSet<G>,
    /// The items of each group by its number, without those that are filtered out; those of collapsed groups, too.
    members: Vec<Vec<K>>,
    folded: BTreeSet<G>,
}

impl<K, G> Default for GroupedList<K, G> {
    fn default() -> Self {
        Self {
            list: List::default(),
            found: ListFilter::default(),
            order: SortOrder::default(),
            grouping: Grouping::default(),
            index: IndexSet::new(),
            members: Vec::new(),
            folded: BTreeSet::new(),
        }
    }
}

impl<K: Clone + Ord, G: Clone + Ord + Hash> GroupedList<K, G> {
    pub fn grouped(grouping: Grouping) -> Self {
        Self { grouping, ..Self::default() }
    }

    /// Replaces the items, in their order. `group_of` gives the group of an item.
    pub fn set<R>(&mut self, items: &[R], key: impl Fn(&R) -> K, group_of: impl Fn(&R) -> G) {
        if self.grouping == Grouping::None {
            (self.index, self.members) = (IndexSet::new(), Vec::new());
            self.list.set_rows(items.iter().map(|item| Row::Item(key(item))).collect());
            return;
        }
        self.index = IndexSet::new();
        let mut number = |item: &R| self.index.insert_full(group_of(item)).0;
        let numbered: Vec<(usize, K)> = items.iter().map(|item| (number(item), key(item))).collect();
        self.arrange(numbered, |_, _| true);
    }

    /// Replaces the items, in their order, each with the number of its group. `has_head` decides whether a group has a header,
    /// from the number of its items and whether it is collapsed.
    pub fn arrange(
        &mut self,
        items: impl IntoIterator<Item = (usize, K)>,
        has_head: impl Fn(usize, bool) -> bool,
    ) {
        let mut members: Vec<Vec<K>> = vec![Vec::new(); self.index.len()];
        // groups are in the order of their first items
        let mut sorted = Vec::new();
        for (number, key) in items {
            if let Some(its) = members.get_mut(number) {
                if its.is_empty() {
                    sorted.push(number);
                }
                its.push(key);
            }
        }
        let mut rows = Vec::new();
        for number in sorted {
            let (Some(group), Some(its)) = (self.index.get_index(number), members.get(number)) else {
                continue;
            };
            // a collapsed group without a header would be invisible
            let is_folded = self.folded.contains(group) && has_head(its.len(), true);
            if has_head(its.len(), is_folded) {
                rows.push(Row::Group(group.clone()));
            }
            if !is_folded {
                rows.extend(its.iter().cloned().map(Row::Item));
            }
        }
        self.members = members;
        let first = rows.iter().position(|row| matches!(row, Row::Item(_)));
        self.list.set_rows_from(rows, first.unwrap_or(0));
    }

    /// The items of a group that pass the filter, also if the group is collapsed.
    pub fn members(&self, group: &G) -> &[K] {
        self.number(group).and_then(|number| self.members.get(number)).map_or(&[], Vec::as_slice)
    }

    /// The number of a group, if the group is known.
    pub fn number(&self, group: &G) -> Option<usize> {
        self.index.get_index_of(group)
    }

    /// The number of groups, with those that have no visible item.
    pub fn groups(&self) -> usize {
        self.index.len()
    }

    /// The number of items in all groups, collapsed ones included; 0 if the list is not grouped.
    pub fn grouped_items(&self) -> usize {
        self.members.iter().map(Vec::len).sum()
    }

    pub fn is_folded(&self, group: &G) -> bool {
        self.folded.contains(group)
    }

    /// The label or property by which the list is grouped; None without grouping or with the receiver's groups.
    pub fn grouped_by(&self) -> Option<&str> {
        match &self.grouping {
            Grouping::By(names) => names.first().map(String::as_str),
            Grouping::None | Grouping::Received => None,
        }
    }

    /// The item under the cursor; None on a group header.
    pub fn current(&self) -> Option<&K> {
        match self.list.current()? {
            Row::Item(key) => Some(key),
            Row::Group(_) => None,
        }
    }

    /// The marked items, else the one under the cursor. A group header stands for all items of its group.
    pub fn chosen(&self) -> Vec<K> {
        let rows = self.list.chosen().into_iter().flat_map(|row| match row {
            Row::Item(key) => vec![key],
            Row::Group(group) => self.members(&group).to_vec(),
        });
        super::selection::once(rows)
    }

    /// The group of the row under the cursor, and the index of its header. None if it has no header.
    fn group_at_cursor(&self) -> Option<(G, usize)> {
        let group = match self.list.current()? {
            Row::Group(group) => group,
            Row::Item(key) => {
                let number = self.members.iter().position(|its| its.contains(key))?;
                self.index.get_index(number)?
            }
        };
        let is_head = |row: &Row<K, G>| matches!(row, Row::Group(one) if one == group);
        Some((group.clone(), self.list.rows().iter().position(is_head)?))
    }
}

impl<K: Clone + Ord, G: Clone + Ord + Hash> Listing for GroupedList<K, G> {
    listing!();

    fn grouping_mut(&mut self) -> Option<&mut Grouping> {
        Some(&mut self.grouping)
    }

    fn fold(&mut self, fold: bool) -> bool {
        if let Some((group, head)) = self.group_at_cursor() {
            if fold {
                self.list.move_to(head);
                self.folded.insert(group);
            } else {
                self.folded.remove(&group);
            }
        }
        true
    }

    fn toggle(&mut self) -> bool {
        let Some(Row::Group(group)) = self.list.current() else { return false };
        let is_folded = self.folded.contains(group);
        self.fold(!is_folded);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(items: &[&'static str]) -> GroupedList<&'static str, &'static str> {
        let mut list = GroupedList::grouped(Grouping::By(vec!["service".to_owned()]));
        take(&mut list, items);
        list
    }

    fn take(list: &mut GroupedList<&'static str, &'static str>, items: &[&'static str]) {
        list.set(items, |item| *item, |item| item.split(' ').next().unwrap_or_default());
    }

    #[test]
    fn groups_come_in_the_order_of_their_first_items() {
        let list = list(&["mail 2", "cart 1", "mail 1"]);
        let rows = [
            Row::Group("mail"),
            Row::Item("mail 2"),
            Row::Item("mail 1"),
            Row::Group("cart"),
            Row::Item("cart 1"),
        ];
        assert_eq!(list.list.rows(), rows);
        assert_eq!(list.current(), Some(&"mail 2"), "the cursor begins at an item");
    }

    #[test]
    fn the_cursor_goes_to_the_head_of_what_is_folded_and_stays_when_it_is_unfolded() {
        let items = ["mail 2", "cart 1", "mail 1"];
        let mut list = list(&items);
        list.list.move_to(2);
        list.fold(true);
        take(&mut list, &items);
        assert_eq!((list.list.rows().len(), list.list.current()), (3, Some(&Row::Group("mail"))));
        assert_eq!(list.chosen(), ["mail 2", "mail 1"], "a head stands for its items");
        assert!(list.toggle());
        take(&mut list, &items);
        assert_eq!((list.list.rows().len(), list.list.current()), (5, Some(&Row::Group("mail"))));
        list.list.move_to(1);
        assert!(!list.toggle(), "an item is no head");
    }

    #[test]
    fn without_groups_there_are_no_heads() {
        let mut list = list(&["mail 2", "cart 1"]);
        list.grouping = Grouping::None;
        take(&mut list, &["mail 2", "cart 1"]);
        list.fold(true);
        take(&mut list, &["mail 2", "cart 1"]);
        assert_eq!(list.list.rows(), [Row::Item("mail 2"), Row::Item("cart 1")]);
    }
}
