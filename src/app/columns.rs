//! The columns of a list. One table defines the columns of the screen, of the verb's table and of its JSON.

use std::cmp::Ordering;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::display_settings::Cx;
use super::list::{List, SortOrder};
use super::theme::Role;
pub use super::widgets::table::Size;
use super::widgets::table::{self, Cell, Sort};
use super::widgets::text::StyledRun;
use crate::model::value::Value;

/// The types that the columns of one list use.
pub trait Listed: 'static {
    /// The input for values.
    type Item<'a>;
    /// The input for cells: the item with the state of the screen.
    type Row<'a>;
    /// The input for widths.
    type Widths;
}

/// Takes the value of a column from an item.
type ValueOf<T> = for<'r, 'a> fn(&'r <T as Listed>::Item<'a>) -> Value;

/// Draws the cell of a column from a row.
type CellOf<T> = for<'r, 'a> fn(&'r <T as Listed>::Row<'a>) -> Cell<'r>;

/// The width of a column.
enum Width<T: Listed> {
    Fixed(Size),
    /// `None` omits the column.
    By(fn(&T::Widths) -> Option<Size>),
}

/// The column on the screen.
pub struct Shown<T: Listed> {
    /// The position, from left to right.
    at: u8,
    title: &'static str,
    size: Width<T>,
    cell: CellOf<T>,
}

pub struct ListColumn<T: Listed> {
    /// The JSON key; empty: not in JSON.
    pub key: &'static str,
    /// The heading in the verb's table; empty: not in that table.
    pub heading: &'static str,
    /// Whether the column is right-aligned.
    pub is_number: bool,
    /// Whether the column is omitted if all rows have the same value.
    pub is_distinguishing: bool,
    /// The value for JSON and the verb's table; `None`: the column is on the screen only.
    pub value: Option<ValueOf<T>>,
    shown: Option<Shown<T>>,
}

impl<T: Listed> ListColumn<T> {
    /// An empty column, to be filled by the builder functions.
    pub const NONE: Self =
        Self { key: "", heading: "", is_number: false, is_distinguishing: false, value: None, shown: None };

    /// A text column of JSON and of the verb's table.
    pub const fn text(key: &'static str, heading: &'static str, value: ValueOf<T>) -> Self {
        Self { key, heading, value: Some(value), ..Self::NONE }
    }

    /// A number column of JSON and of the verb's table.
    pub const fn number(key: &'static str, heading: &'static str, value: ValueOf<T>) -> Self {
        Self { is_number: true, ..Self::text(key, heading, value) }
    }

    /// A column of JSON only.
    pub const fn hidden(key: &'static str, value: ValueOf<T>) -> Self {
        Self::text(key, "", value)
    }

    /// A column that the verb's table omits if all rows have the same value.
    pub const fn distinguishing(key: &'static str, heading: &'static str, value: ValueOf<T>) -> Self {
        Self { is_distinguishing: true, ..Self::text(key, heading, value) }
    }

    /// A column of the screen only.
    pub const fn drawn(at: u8, title: &'static str, size: Size, cell: CellOf<T>) -> Self {
        Self::NONE.on_screen(at, title, size, cell)
    }

    /// Shows the column on the screen, too, at position `at`.
    #[must_use]
    pub const fn on_screen(self, at: u8, title: &'static str, size: Size, cell: CellOf<T>) -> Self {
        self.shown(Shown { at, title, size: Width::Fixed(size), cell })
    }

    /// As [`Self::on_screen`], with a width that depends on the rows; `None` omits the column.
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

/// The errors of a table: duplicate positions and keys, and sort orders that no column shows.
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

/// A sort order of a list.
pub struct OrderBy<F> {
    /// The name in the menu.
    pub name: &'static str,
    /// The title of the column that shows the order.
    pub column: &'static str,
    /// Whether the highest value comes first.
    pub is_descending: bool,
    /// The comparison.
    pub compare: F,
}

/// An ascending order.
pub const fn ascending<F>(name: &'static str, column: &'static str, compare: F) -> OrderBy<F> {
    OrderBy { name, column, is_descending: false, compare }
}

/// A descending order.
pub const fn descending<F>(name: &'static str, column: &'static str, compare: F) -> OrderBy<F> {
    OrderBy { name, column, is_descending: true, compare }
}

/// An order that compares two items directly.
pub type ThingOrder<T> = OrderBy<fn(&T, &T) -> Ordering>;

pub fn names<F>(orders: &[OrderBy<F>]) -> Vec<&'static str> {
    orders.iter().map(|order| order.name).collect()
}

/// The name of the chosen order.
pub fn order_name<F>(orders: &[OrderBy<F>], order: SortOrder) -> &'static str {
    orders.get(order.column).map_or("", |chosen| chosen.name)
}

/// Compares two items in the chosen order; `by` passes them to its comparison. Equal items keep their order.
pub fn compare<F>(orders: &[OrderBy<F>], order: SortOrder, by: impl FnOnce(&F) -> Ordering) -> Ordering {
    order.apply(orders.get(order.column).map_or(Ordering::Equal, |chosen| by(&chosen.compare)))
}

/// One line of a list.
pub enum Line<R> {
    /// The heading of a group.
    Heading(Vec<StyledRun<'static>>),
    /// An item.
    Item {
        /// The input for its cells.
        row: R,
        /// Whether the item is new or has changed since the user last looked.
        is_new: bool,
        /// Whether its data are stale.
        is_stale: bool,
    },
    /// An item that no longer exists, until the list is rebuilt.
    Gone,
}

/// A list to draw.
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

    /// Where the header marks the sort order.
    pub fn sort<F>(&self, orders: &[OrderBy<F>], order: SortOrder) -> Option<Sort> {
        let by = orders.get(order.column)?;
        let column = self.shown.iter().position(|shown| shown.title == by.column)?;
        Some(Sort { column, descending: by.is_descending != order.reversed })
    }

    /// Draws the visible rows of a list; `line` returns the content of each line.
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
