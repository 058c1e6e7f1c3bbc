//! What is told of each thing in a list, as one table of columns: the screen, the table of a verb and its JSON are drawn from
//! the same row.

use std::cmp::Ordering;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::list::{List, SortOrder};
use super::look::Cx;
use super::theme::Role;
pub use super::widgets::table::Size;
use super::widgets::table::{self, Cell, Sort};
use super::widgets::text::StyledRun;
use crate::model::value::Value;

/// What the columns of a list are about.
pub trait Listed: 'static {
    /// What values are taken from.
    type Item<'a>;
    /// What cells are drawn from: the thing with the screen around it.
    type Row<'a>;
    /// On what the widths depend.
    type Widths;
}

/// Takes the value of a column from an item.
type ValueOf<T> = for<'r, 'a> fn(&'r <T as Listed>::Item<'a>) -> Value;

/// Draws the cell of a column from a row.
type CellOf<T> = for<'r, 'a> fn(&'r <T as Listed>::Row<'a>) -> Cell<'r>;

/// How wide a column is.
enum Width<T: Listed> {
    Fixed(Size),
    /// `None` leaves it out.
    By(fn(&T::Widths) -> Option<Size>),
}

/// How a column stands on the screen.
pub struct Shown<T: Listed> {
    /// From left to right.
    at: u8,
    title: &'static str,
    size: Width<T>,
    cell: CellOf<T>,
}

pub struct ListColumn<T: Listed> {
    /// In JSON; empty: for people only.
    pub key: &'static str,
    /// In the table of a verb; empty: for programs only.
    pub heading: &'static str,
    /// Numbers stand at the right.
    pub is_number: bool,
    /// Shown only where rows differ in it: what all of them have tells none from another.
    pub is_distinguishing: bool,
    /// The value, for JSON and the table of a verb; `None`: on the screen only.
    pub value: Option<ValueOf<T>>,
    shown: Option<Shown<T>>,
}

impl<T: Listed> ListColumn<T> {
    /// One that is told nowhere yet.
    pub const NONE: Self =
        Self { key: "", heading: "", is_number: false, is_distinguishing: false, value: None, shown: None };

    /// Words, for people and programs.
    pub const fn text(key: &'static str, heading: &'static str, value: ValueOf<T>) -> Self {
        Self { key, heading, value: Some(value), ..Self::NONE }
    }

    /// A number, for people and programs.
    pub const fn number(key: &'static str, heading: &'static str, value: ValueOf<T>) -> Self {
        Self { is_number: true, ..Self::text(key, heading, value) }
    }

    /// In JSON, but not in the table of a verb.
    pub const fn hidden(key: &'static str, value: ValueOf<T>) -> Self {
        Self::text(key, "", value)
    }

    /// For people only where rows differ in it.
    pub const fn distinguishing(key: &'static str, heading: &'static str, value: ValueOf<T>) -> Self {
        Self { is_distinguishing: true, ..Self::text(key, heading, value) }
    }

    /// On the screen only.
    pub const fn drawn(at: u8, title: &'static str, size: Size, cell: CellOf<T>) -> Self {
        Self::NONE.on_screen(at, title, size, cell)
    }

    /// On the screen, too: the columns stand there in the order of `at`.
    #[must_use]
    pub const fn on_screen(self, at: u8, title: &'static str, size: Size, cell: CellOf<T>) -> Self {
        self.shown(Shown { at, title, size: Width::Fixed(size), cell })
    }

    /// The same with a width that depends on what is listed; `None` leaves the column out.
    #[must_use]
    pub const fn on_screen_by(
        self,
        at: u8,
        title: &'static str,
        size: fn(&T::Widths) -> Option<Size>,
        cell: CellOf<T>,
    ) -> Self {
        self.shown(Shown { at, title, size: Width::By(size), cell })
    }

    const fn shown(self, shown: Shown<T>) -> Self {
        let Self { key, heading, is_number, is_distinguishing, value, .. } = self;
        Self { key, heading, is_number, is_distinguishing, value, shown: Some(shown) }
    }
}

/// What is wrong with a table: places and keys that stand twice, and orders that no column shows.
#[cfg(test)]
pub(super) fn mistakes<T: Listed, F>(columns: &[ListColumn<T>], orders: &[OrderBy<F>]) -> Vec<String> {
    let shown: Vec<&Shown<T>> = columns.iter().filter_map(|column| column.shown.as_ref()).collect();
    let twice = |count: usize| count > 1;
    let places = shown.iter().filter(|one| twice(shown.iter().filter(|other| other.at == one.at).count()));
    let places = places.map(|one| format!("several columns stand at {}", one.at));
    let keyed = columns.iter().filter(|column| !column.key.is_empty());
    let keys = keyed.filter(|one| twice(columns.iter().filter(|other| other.key == one.key).count()));
    let keys = keys.map(|one| format!("{} stands twice", one.key));
    let unseen = orders.iter().filter(|order| shown.iter().all(|shown| shown.title != order.column));
    let unseen =
        unseen.map(|order| format!("no column {:?} shows the order by {}", order.column, order.name));
    places.chain(keys).chain(unseen).collect()
}

/// By what a list can be ordered; `F` compares two of its things.
pub struct OrderBy<F> {
    /// As the menu calls it.
    pub name: &'static str,
    /// The title of the column that shows it.
    pub column: &'static str,
    /// Whether the highest comes first.
    pub is_descending: bool,
    /// The order.
    pub compare: F,
}

/// An order whose column shows that the lowest comes first.
pub const fn ascending<F>(name: &'static str, column: &'static str, compare: F) -> OrderBy<F> {
    OrderBy { name, column, is_descending: false, compare }
}

/// An order whose column shows that the highest comes first.
pub const fn descending<F>(name: &'static str, column: &'static str, compare: F) -> OrderBy<F> {
    OrderBy { name, column, is_descending: true, compare }
}

/// One that two things of a list are handed to as they are.
pub type ThingOrder<T> = OrderBy<fn(&T, &T) -> Ordering>;

pub fn names<F>(orders: &[OrderBy<F>]) -> Vec<&'static str> {
    orders.iter().map(|order| order.name).collect()
}

/// The name of the chosen order.
pub fn order_name<F>(orders: &[OrderBy<F>], order: SortOrder) -> &'static str {
    orders.get(order.column).map_or("", |chosen| chosen.name)
}

/// How the chosen order compares two things, which `by` hands to it; equals stay as they are.
pub fn compare<F>(orders: &[OrderBy<F>], order: SortOrder, by: impl FnOnce(&F) -> Ordering) -> Ordering {
    order.apply(orders.get(order.column).map_or(Ordering::Equal, |chosen| by(&chosen.compare)))
}

/// What stands on one line of a list.
pub enum Line<R> {
    /// The head of a group.
    Heading(Vec<StyledRun<'static>>),
    /// A thing.
    Item {
        /// What its cells are drawn from.
        row: R,
        /// Whether it came or changed since the last look.
        is_new: bool,
        /// Whether what is known of it is old.
        is_stale: bool,
    },
    /// A thing that is gone, until the list is brought into order again.
    Gone,
}

/// A list as it is drawn now.
pub struct ListTable<T: Listed> {
    shown: Vec<&'static Shown<T>>,
    columns: Vec<table::Column>,
}

impl<T: Listed> ListTable<T> {
    pub fn new(columns: &'static [ListColumn<T>], widths: &T::Widths) -> Self {
        let mut all: Vec<(&'static Shown<T>, Size)> = columns
            .iter()
            .filter_map(|column| column.shown.as_ref())
            .filter_map(|shown| match shown.size {
                Width::Fixed(size) => Some((shown, size)),
                Width::By(size) => Some((shown, size(widths)?)),
            })
            .collect();
        all.sort_by_key(|(shown, _)| shown.at);
        let columns = all.iter().map(|(shown, size)| (shown.title, *size)).collect();
        Self { shown: all.into_iter().map(|(shown, _)| shown).collect(), columns }
    }

    /// Where the header shows an order.
    pub fn sort<F>(&self, orders: &[OrderBy<F>], order: SortOrder) -> Option<Sort> {
        let by = orders.get(order.column)?;
        let column = self.shown.iter().position(|shown| shown.title == by.column)?;
        Some(Sort { column, descending: by.is_descending != order.reversed })
    }

    /// Draws the rows of a list that have room; `line` tells what stands on the line of each.
    pub fn render<'a, K: Clone + Ord>(
        &self,
        cx: &Cx<'_>,
        (list, sort): (&'a List<K>, Option<Sort>),
        line: impl FnMut(&'a K) -> Line<T::Row<'a>>,
        area: Rect,
        buf: &mut Buffer,
    ) {
        let height = usize::from(table::body(area).height);
        let top = list.shown(height).next().map_or(0, |(index, _)| index);
        let keys: Vec<&K> = list.shown(height).map(|(_, key)| key).collect();
        let lines: Vec<Line<T::Row<'a>>> = keys.iter().copied().map(line).collect();
        let rows = keys.iter().zip(&lines).map(|(key, line)| {
            let row = match line {
                Line::Heading(runs) => table::Row::heading(runs.clone()),
                Line::Gone => table::Row::new(Vec::new()),
                Line::Item { row, is_new, is_stale } => {
                    let cells = self.shown.iter().map(|shown| (shown.cell)(row)).collect();
                    let over = is_stale.then_some(Role::Stale);
                    table::Row { new: *is_new, over, ..table::Row::new(cells) }
                }
            };
            table::Row { marked: list.marks().contains(*key), ..row }
        });
        let selected = list.index().checked_sub(top);
        let table = table::Table { columns: &self.columns, sort, selected, focused: true };
        table::render(&table, rows, cx, area, buf);
    }
}
