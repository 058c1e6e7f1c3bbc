//! A list whose cursor stays on the same item, by its key, while rows come, go and move.

use std::collections::BTreeSet;

/// The rows, the cursor and the marks of a list. `K` is the key of a row.
#[derive(Debug, Clone)]
pub struct List<K> {
    rows: Vec<K>,
    /// The row that the user moved to. `None` until then: the cursor stays at index `home`, whichever row that is.
    chosen: Option<K>,
    index: usize,
    /// The index of the cursor until the user moves it.
    home: usize,
    top: usize,
    marks: BTreeSet<K>,
}

impl<K> Default for List<K> {
    fn default() -> Self {
        Self { rows: Vec::new(), chosen: None, index: 0, home: 0, top: 0, marks: BTreeSet::new() }
    }
}

impl<K: Clone + Ord> List<K> {
    /// Replaces the rows. The cursor stays on its item and, if possible, on the same screen line. If its item is gone, the cursor
    /// moves to the row at the same index. Marks of items that are gone are dropped.
    pub fn set_rows(&mut self, rows: Vec<K>) {
        self.set_rows_from(rows, 0);
    }

    /// As [`Self::set_rows`], with `home` as the index of a cursor that was not moved: the first row may be a heading.
    pub fn set_rows_from(&mut self, rows: Vec<K>, home: usize) {
        self.home = home.min(rows.len().saturating_sub(1));
        if let Some(chosen) = &self.chosen {
            if let Some(at) = rows.iter().position(|row| row == chosen) {
                self.top = (self.top + at).saturating_sub(self.index);
                self.index = at;
            } else {
                self.index = self.index.min(rows.len().saturating_sub(1));
                self.chosen = rows.get(self.index).cloned();
            }
        } else {
            self.index = self.home;
        }
        if !self.marks.is_empty() {
            let here: BTreeSet<&K> = rows.iter().collect();
            self.marks.retain(|mark| here.contains(mark));
        }
        self.rows = rows;
    }

    pub fn rows(&self) -> &[K] {
        &self.rows
    }

    /// The index of the row under the cursor.
    pub fn index(&self) -> usize {
        self.index
    }

    /// The key of the row under the cursor.
    pub fn current(&self) -> Option<&K> {
        self.rows.get(self.index)
    }

    /// The rows that are visible in a window of this height, each with its index.
    pub fn shown(&self, height: usize) -> impl Iterator<Item = (usize, &K)> {
        let top = first_shown(self.top, self.index, self.rows.len(), height);
        self.rows.iter().enumerate().skip(top).take(height)
    }

    /// The marked rows in the order of the list, else the row under the cursor.
    pub fn chosen(&self) -> Vec<K> {
        if self.marks.is_empty() {
            self.current().into_iter().cloned().collect()
        } else {
            self.rows.iter().filter(|row| self.marks.contains(row)).cloned().collect()
        }
    }

    /// The text to copy: of the marked rows, one per line, else of the row under the cursor.
    pub fn copied(&self, words: impl Fn(&K) -> Option<String>) -> Option<String> {
        let marked: Vec<String> = self.marks.iter().filter_map(&words).collect();
        if marked.is_empty() { self.current().and_then(words) } else { Some(marked.join("\n")) }
    }

    pub fn marks(&self) -> &BTreeSet<K> {
        &self.marks
    }

    /// Unmarks the rows for which the function returns true.
    pub fn unmark(&mut self, is_meant: impl Fn(&K) -> bool) {
        self.marks.retain(|mark| !is_meant(mark));
    }
}

/// The navigation of a list, independent of the type of its rows.
pub trait Cursor {
    fn len(&self) -> usize;

    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The index of the row under the cursor.
    fn index(&self) -> usize;

    /// Moves the cursor by this many rows, stopping at both ends.
    fn move_by(&mut self, rows: isize);

    /// Moves the cursor to a row, at most to the last one.
    fn move_to(&mut self, index: usize);

    /// Moves the cursor to the first row that is no heading; it stays at that index when rows change.
    fn to_top(&mut self);

    /// Scrolls so that the cursor is visible in a window of this height.
    fn follow(&mut self, height: usize);

    /// Scrolls by rows; the cursor moves if it would become invisible.
    fn scroll(&mut self, rows: isize, height: usize);

    /// The index of the row at this line of a window of this height.
    fn row_at(&self, line: usize, height: usize) -> Option<usize>;

    /// Marks or unmarks the row under the cursor, and moves the cursor down one row.
    fn toggle_mark(&mut self);

    /// Marks all rows, or unmarks all if all are marked.
    fn toggle_all(&mut self);
}

impl<K: Clone + Ord> Cursor for List<K> {
    fn len(&self) -> usize {
        self.rows.len()
    }

    fn index(&self) -> usize {
        self.index
    }

    fn move_by(&mut self, rows: isize) {
        self.move_to(self.index.saturating_add_signed(rows));
    }

    fn move_to(&mut self, index: usize) {
        self.index = index.min(self.rows.len().saturating_sub(1));
        self.chosen = self.rows.get(self.index).cloned();
    }

    fn to_top(&mut self) {
        (self.index, self.top, self.chosen) = (self.home, 0, None);
    }

    fn follow(&mut self, height: usize) {
        self.top = first_shown(self.top, self.index, self.rows.len(), height);
    }

    fn scroll(&mut self, rows: isize, height: usize) {
        let last_top = self.rows.len().saturating_sub(height);
        self.top = self.top.saturating_add_signed(rows).min(last_top);
        let last = (self.top + height).saturating_sub(1).max(self.top);
        self.move_to(self.index.clamp(self.top, last));
    }

    fn row_at(&self, line: usize, height: usize) -> Option<usize> {
        let row = first_shown(self.top, self.index, self.rows.len(), height) + line;
        (line < height && row < self.rows.len()).then_some(row)
    }

    fn toggle_mark(&mut self) {
        if let Some(current) = self.current().cloned() {
            if !self.marks.remove(&current) {
                self.marks.insert(current);
            }
            self.move_by(1);
        }
    }

    fn toggle_all(&mut self) {
        let all: BTreeSet<K> = self.rows.iter().cloned().collect();
        self.marks = if self.marks == all { BTreeSet::new() } else { all };
    }
}

/// The column by which a list is sorted, and the direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SortOrder {
    /// Index into the list's table of sort orders; 0 is worst first.
    pub column: usize,
    /// Whether the column's default direction is reversed.
    pub reversed: bool,
}

impl SortOrder {
    /// Sorts by another column, or reverses the direction of the same one.
    pub fn choose(&mut self, column: usize) {
        let reversed = self.column == column && !self.reversed;
        *self = Self { column, reversed };
    }

    pub fn apply(self, ordering: std::cmp::Ordering) -> std::cmp::Ordering {
        if self.reversed { ordering.reverse() } else { ordering }
    }
}

/// How the rows of a list are grouped.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Grouping {
    #[default]
    None,
    /// By the alert groups of the receiver (Alertmanager's `group_by`).
    Received,
    /// By the values of these labels or properties.
    By(Vec<String>),
}

impl Grouping {
    /// The menu's choices: no grouping, or by one of these names; each with its title.
    pub fn by_each(names: impl IntoIterator<Item = String>) -> Vec<(String, Self)> {
        let by = |name: String| (name.clone(), Self::By(vec![name]));
        std::iter::once(("no grouping".to_owned(), Self::None)).chain(names.into_iter().map(by)).collect()
    }
}

/// The index after a step by one; the first one follows the last.
pub fn wrapped(index: usize, by: isize, len: usize) -> usize {
    (index + len).saturating_add_signed(by) % len.max(1)
}

/// The index of the first visible row: as near to `top` as the cursor allows, without empty lines at the end.
fn first_shown(top: usize, cursor: usize, len: usize, height: usize) -> usize {
    let height = height.max(1);
    let lowest = (cursor + 1).saturating_sub(height);
    top.clamp(lowest, cursor.max(lowest)).min(len.saturating_sub(height).max(lowest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn list(rows: &[u32]) -> List<u32> {
        let mut list = List::default();
        list.set_rows(rows.to_vec());
        list
    }

    #[test]
    fn the_cursor_stays_on_its_thing_while_rows_move() {
        let mut list = list(&[1, 2, 3, 4]);
        list.move_by(2);
        list.set_rows(vec![9, 3, 1, 2, 4]);
        assert_eq!((list.current(), list.index()), (Some(&3), 1));
        list.set_rows(vec![9, 1, 2]);
        assert_eq!(list.current(), Some(&1));
        list.set_rows(vec![]);
        assert_eq!(list.current(), None);
    }

    #[test]
    fn an_untouched_cursor_stays_on_the_worst() {
        let mut list = list(&[1, 2]);
        list.set_rows(vec![7, 1, 2]);
        assert_eq!(list.current(), Some(&7));
    }

    #[test]
    fn an_untouched_cursor_passes_over_a_heading() {
        let mut list = List::default();
        list.set_rows_from(vec!["heading", "worst", "other"], 1);
        assert_eq!((list.current(), list.shown(2).count()), (Some(&"worst"), 2));
        list.set_rows_from(vec!["new", "heading", "worst"], 0);
        assert_eq!(list.current(), Some(&"new"));
        list.move_to(2);
        list.set_rows_from(vec!["heading", "worst", "new"], 1);
        list.move_to(0);
        list.set_rows_from(vec!["heading", "newest", "worst", "new"], 1);
        assert_eq!(list.current(), Some(&"heading"), "where the person went");
        list.to_top();
        assert_eq!(list.current(), Some(&"newest"));
        list.set_rows_from(Vec::new(), 0);
        assert_eq!(list.current(), None);
    }

    #[test]
    fn marks_go_with_their_things() {
        let mut list = list(&[1, 2, 3]);
        list.toggle_mark();
        list.toggle_mark();
        list.set_rows(vec![3, 2]);
        assert_eq!(list.marks().iter().copied().collect::<Vec<_>>(), [2]);
        list.toggle_all();
        assert_eq!(list.marks().len(), 2);
        list.toggle_all();
        assert!(list.marks().is_empty());
    }

    proptest! {
        #[test]
        fn the_cursor_is_always_in_sight(len in 0..60_usize, moves in prop::collection::vec(-30..30_isize, 0..20), height in 1..20_usize) {
            let mut list = List::default();
            list.set_rows((0..len).collect::<Vec<_>>());
            for (i, step) in moves.into_iter().enumerate() {
                if i % 3 == 0 { list.scroll(step, height) } else { list.move_by(step) }
                list.follow(height);
                let shown: Vec<usize> = list.shown(height).map(|(i, _)| i).collect();
                prop_assert_eq!(shown.len(), len.min(height));
                prop_assert!(len == 0 || shown.contains(&list.index()));
            }
        }
    }
}
