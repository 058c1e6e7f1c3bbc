//! The columns of a list. One table defines the columns of the screen, of the verb's table and of its JSON.

use std::cmp::Ordering;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::display_settings::Cx;
use super::list::{List, SortOrder};
use super::list_filter::ListFilter;
use super::number::ago;
use super::shared::ScreenCx;
use super::theme::Role;
pub use super::widgets::table::Size;
use super::widgets::table::{self, Cell, Sort};
use super::widgets::text::{self, StyledRun};
use crate::model::value::Value;
use crate::model::world::OptimisticStage;

/// The types of one list: its screen implements it.
pub trait Listed: 'static {
    /// An item, the input for values.
    type Item<'a>;
    /// What the widths of columns depend on besides the width of the table.
    type Widths: Copy + Default;
}

/// An item as its list shows it, the input for cells.
pub struct ListRow<'a, T: Listed> {
    pub item: T::Item<'a>,
    pub cx: ScreenCx<'a>,
    /// The filter, whose match is highlighted.
    pub found: Option<&'a ListFilter>,
    /// The role of its symbol and of its most important cells.
    pub role: Role,
    /// The role of the less important cells.
    pub plain: Role,
    /// The progress of a running action on the item.
    pub stage: Option<OptimisticStage>,
    /// Whether the item is new or has changed since the user last looked.
    pub is_new: bool,
    /// Whether its data are stale.
    pub is_stale: bool,
}

impl<'a, T: Listed> std::ops::Deref for ListRow<'a, T> {
    type Target = T::Item<'a>;

    fn deref(&self) -> &T::Item<'a> {
        &self.item
    }
}

impl<'a, T: Listed> ListRow<'a, T> {
    /// A row without a filter that is neither new nor stale.
    pub fn new(item: T::Item<'a>, cx: &ScreenCx<'a>, role: Role) -> Self {
        let (found, stage, plain) = (None, None, Role::Text);
        Self { item, cx: *cx, found, role, plain, stage, is_new: false, is_stale: false }
    }

    /// The time since a moment.
    pub fn ago(&self, at: Timestamp) -> Cell<'static> {
        Cell::text(ago(at, self.cx.now), self.plain)
    }

    /// A name with the filter's match highlighted.
    pub fn highlighted<'r>(&self, name: &'r str, role: Role) -> Cell<'r> {
        match self.found {
            Some(found) => Cell::Runs(found.highlighted(name, role)),
            None => Cell::text(name, role),
        }
    }

    /// The progress of a running action: `…sending`.
    pub fn progress(&self) -> Option<String> {
        Some(format!("{}{}", text::ellipsis(self.cx.charset), self.stage?.word()))
    }

    /// The state of the item, or the progress of a running action.
    pub fn state(&self, word: &'static str) -> Cell<'static> {
        match self.progress() {
            Some(progress) => Cell::text(progress, Role::Sending),
            None => Cell::text(word, self.role),
        }
    }
}

/// Takes the value of a column from an item.
type ValueOf<T> = for<'r, 'a> fn(&'r <T as Listed>::Item<'a>) -> Value;

/// Draws the cell of a column from a row.
type CellOf<T> = for<'r, 'a> fn(&'r ListRow<'a, T>) -> Cell<'r>;

/// The size of a column in a table of this width; `None` omits the column.
type SizeOf<T> = fn(<T as Listed>::Widths, u16) -> Option<Size>;

/// The position of a column on the screen, from left to right, its title and its size.
pub type ColumnPlace = (u8, &'static str, Size);

/// The width of a column.
enum Width<T: Listed> {
    Fixed(Size),
    By(SizeOf<T>),
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

    /// The symbol of the item's role, at this position.
    pub const fn symbol(at: u8) -> Self {
        Self::drawn((at, "", Size::words(1, 1, 0)), |row| Cell::symbol(&row.cx, row.role))
    }

    /// A column of the screen only.
    pub const fn drawn(place: ColumnPlace, cell: CellOf<T>) -> Self {
        Self::NONE.on_screen(place, cell)
    }

    /// Shows the column on the screen, too.
    #[must_use]
    pub const fn on_screen(self, (at, title, size): ColumnPlace, cell: CellOf<T>) -> Self {
        self.shown(Shown { at, title, size: Width::Fixed(size), cell })
    }

    /// Replaces the size on the screen by one that depends on the rows; `None` omits the column.
    #[must_use]
    pub const fn sized_by(self, size: SizeOf<T>) -> Self {
        match self.shown {
            Some(Shown { at, title, cell, .. }) => {
                self.shown(Shown { at, title, size: Width::By(size), cell })
            }
            None => self,
        }
    }

    const fn shown(self, shown: Shown<T>) -> Self {
        let Self { key, heading, is_number, is_distinguishing, value, .. } = self;
        Self { key, heading, is_number, is_distinguishing, value, shown: Some(shown) }
    }
}

/// The errors of a table: duplicate positions and keys, and sort orders that no column shows.
#[cfg(test)]
pub(super) fn mistakes<T: Listed>(columns: &[ListColumn<T>], orders: &[NamedOrder]) -> Vec<String> {
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

/// A sort order of a list, as the menu and the header of the table show it.
#[derive(Clone, Copy)]
pub struct NamedOrder {
    /// The name in the menu.
    pub name: &'static str,
    /// The title of the column that shows the order.
    column: &'static str,
    /// Whether the highest value comes first.
    is_descending: bool,
}

/// A sort order with its comparison.
pub struct OrderBy<F> {
    named: NamedOrder,
    compare: F,
}

/// An ascending order.
pub const fn ascending<F>(name: &'static str, column: &'static str, compare: F) -> OrderBy<F> {
    OrderBy { named: NamedOrder { name, column, is_descending: false }, compare }
}

/// A descending order.
pub const fn descending<F>(name: &'static str, column: &'static str, compare: F) -> OrderBy<F> {
    OrderBy { named: NamedOrder { name, column, is_descending: true }, compare }
}

/// An order that compares two items directly.
pub type ThingOrder<T> = OrderBy<fn(&T, &T) -> Ordering>;

pub fn named<F>(orders: &[OrderBy<F>]) -> Vec<NamedOrder> {
    orders.iter().map(|order| order.named).collect()
}

/// Compares two items in the chosen order; `by` passes them to its comparison. Equal items keep their order.
pub fn compare<F>(orders: &[OrderBy<F>], order: SortOrder, by: impl FnOnce(&F) -> Ordering) -> Ordering {
    order.apply(orders.get(order.column).map_or(Ordering::Equal, |chosen| by(&chosen.compare)))
}

/// One line of a list.
pub enum Line<'a, T: Listed> {
    /// The heading of a group.
    Heading(Vec<StyledRun<'static>>),
    Item(ListRow<'a, T>),
}

/// Draws the visible rows of a list in columns; `line` returns the content of the line of a key, given the key of the visible
/// line above. `None`: the item no longer exists, until the list is rebuilt.
pub fn render<'a, T: Listed, K: Clone + Ord>(
    (columns, widths): (&'static [ListColumn<T>], T::Widths),
    (list, order): (&'a List<K>, Option<(NamedOrder, SortOrder)>),
    line: impl Fn(&'a K, Option<&'a K>) -> Option<Line<'a, T>>,
    cx: &Cx<'_>,
    area: Rect,
    buf: &mut Buffer,
) {
    let sized =
        columns.iter().filter_map(|column| column.shown.as_ref()).filter_map(|shown| match shown.size {
            Width::Fixed(size) => Some((shown, size)),
            Width::By(size) => Some((shown, size(widths, area.width)?)),
        });
    let mut all: Vec<(&'static Shown<T>, Size)> = sized.collect();
    all.sort_by_key(|(shown, _)| shown.at);
    let sort = order.and_then(|(named, order)| {
        let column = all.iter().position(|(shown, _)| shown.title == named.column)?;
        Some(Sort { column, descending: named.is_descending != order.reversed })
    });
    let height = usize::from(table::body(area).height);
    let top = list.shown(height).next().map_or(0, |(index, _)| index);
    let keys: Vec<&K> = list.shown(height).map(|(_, key)| key).collect();
    let above = std::iter::once(None).chain(keys.iter().copied().map(Some));
    let lines: Vec<Option<Line<'a, T>>> =
        keys.iter().zip(above).map(|(key, above)| line(key, above)).collect();
    let rows = keys.iter().zip(&lines).map(|(key, line)| {
        let row = match line {
            Some(Line::Heading(runs)) => table::Row::heading(runs.clone()),
            Some(Line::Item(row)) => {
                let cells = all.iter().map(|(shown, _)| (shown.cell)(row)).collect();
                let over = row.is_stale.then_some(Role::Stale);
                table::Row { new: row.is_new, over, ..table::Row::new(cells) }
            }
            None => table::Row::new(Vec::new()),
        };
        table::Row { marked: list.marks().contains(*key), ..row }
    });
    let columns: Vec<table::Column<'_>> = all.iter().map(|(shown, size)| (shown.title, *size)).collect();
    let selected = list.index().checked_sub(top);
    let table = table::Table { columns: &columns, sort, selected, focused: true };
    table::render(&table, rows, cx, area, buf);
}
