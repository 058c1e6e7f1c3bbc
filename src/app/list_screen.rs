//! Texts and drawing code that all list screens share.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::columns::{self, ListRow};
use super::grouped::Listing;
use super::prelude::*;
use super::staleness::doubtful;
use crate::config::kind;

/// The input for one line of a list.
pub struct LineInput<'a, 's, K> {
    pub cx: ScreenCx<'a>,
    pub key: &'a K,
    /// The key of the visible line above.
    pub above: Option<&'a K>,
    /// The sources with stale data.
    pub stale: &'s BTreeSet<SourceId>,
}

/// A screen that shows one list in columns.
pub trait ListScreen: Screen + Listed + Sized {
    /// The key of a row.
    type Key: Clone + Ord;

    const COLUMNS: &'static [ListColumn<Self>];
    /// The kinds of answers that the screen uses.
    const USED: &'static [AskKind];
    /// The singular noun for a row.
    const NOUN: &'static str;
    /// Why there are no rows if a source or an answer is missing.
    const LACK: Option<EmptyState> = None;

    fn rows(&self) -> &List<Self::Key>;

    /// The heading line: title, counts, order, filter.
    fn title(&self, cx: &ScreenCx<'_>) -> Vec<StyledRun<'static>>;

    fn widths(&self, _shared: &Shared) -> Self::Widths {
        Self::Widths::default()
    }

    /// The line of a key; `None`: the item no longer exists.
    fn line<'a>(&'a self, of: &LineInput<'a, '_, Self::Key>) -> Option<Line<'a, Self>>;

    /// A row that is neither new nor stale.
    fn row<'a>(&'a self, cx: &ScreenCx<'a>, item: Self::Item<'a>, role: Role) -> ListRow<'a, Self> {
        ListRow { found: self.found(), ..ListRow::new(item, cx, role) }
    }

    /// Whether there is something that the filter can leave out.
    fn has_items(&self, _world: &World) -> bool {
        true
    }

    /// The rows that match the filter and are hidden, such as `3 resolved`.
    fn hidden(&self) -> Vec<String> {
        Vec::new()
    }

    /// The paragraphs if there is nothing to list.
    fn none(&self, cx: &ScreenCx<'_>) -> Vec<(String, Role)>;
}

/// Draws a list screen without other parts.
pub fn render<S: ListScreen>(screen: &S, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
    let room = heading(screen, cx, area, buf);
    draw_rows(screen, cx, room, buf);
}

/// Draws the heading line. Returns the area below.
pub fn heading<S: ListScreen>(screen: &S, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) -> Rect {
    layout::heading_with_staleness(cx, &screen.title(cx), S::USED, area, buf)
}

/// Draws the rows, or why there are none.
pub fn draw_rows<S: ListScreen>(screen: &S, cx: &ScreenCx<'_>, room: Rect, buf: &mut Buffer) {
    let list = screen.rows();
    if list.rows().is_empty() {
        let place = Rect { x: room.x + 3, width: room.width.saturating_sub(3), ..room };
        let paragraphs = empty(screen, cx).into_iter();
        let lines = paragraphs.flat_map(|(words, role)| {
            text::wrap(&words, place.width.min(100)).into_iter().map(move |line| (line, role))
        });
        for (y, (line, role)) in (place.top()..place.bottom()).zip(lines) {
            text::put(buf, place.x, y, place.width, &line, cx.style(role));
        }
        return;
    }
    let stale = doubtful(cx.shared, S::USED, cx.now);
    let order = screen.listing().map(Listing::order).unwrap_or_default();
    let named = screen.orders().get(order.column).map(|named| (*named, order));
    let line = |key, above| screen.line(&LineInput { cx: *cx, key, above, stale: &stale });
    columns::render((S::COLUMNS, screen.widths(cx.shared)), (list, named), line, cx, room, buf);
}

/// Why the list is empty: no row matches the filter, a source or an answer is missing, or there is nothing.
fn empty<S: ListScreen>(screen: &S, cx: &ScreenCx<'_>) -> Vec<(String, Role)> {
    let filter = screen.found().filter(|found| !found.text().is_empty() && screen.has_items(cx.world));
    if let Some(filter) = filter {
        let hidden = screen.hidden().into_iter().map(|rows| format!(" Hidden: {rows}."));
        return vec![(filter.nothing(S::NOUN) + &hidden.collect::<String>(), Role::Muted)];
    }
    let lack = S::LACK.and_then(|lack| lack.words(cx.shared));
    lack.map_or_else(|| screen.none(cx), |lack| vec![lack])
}

/// What a list screen answers whose rows are those of its field `rows`, and that has no other parts.
macro_rules! lists {
    ($key:ty) => {
        type Key = $key;

        fn rows(&self) -> &List<Self::Key> {
            &self.rows.list
        }
    };
}

/// Draws a screen as a list without other parts.
macro_rules! drawn_as_list {
    () => {
        fn render(&self, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
            $crate::app::list_screen::render(self, cx, area, buf);
        }
    };
}

pub(in crate::app) use {drawn_as_list, lists};

/// The beginning of a title: the name of the list and a count.
pub fn titled(name: &str, count: impl Into<Cow<'static, str>>) -> Vec<StyledRun<'static>> {
    vec![StyledRun::new(format!(" {name} "), Role::Title), StyledRun::new(count, Role::Text)]
}

/// The number of marked rows, for the title.
pub fn marked(count: usize) -> Option<StyledRun<'static>> {
    (count > 0).then(|| StyledRun::new(format!("  {count} marked"), Role::Marked))
}

/// The hidden rows and the key that shows them, for the title.
pub fn hidden_rows(shared: &Shared, hidden: &[String]) -> Option<StyledRun<'static>> {
    let words = || format!("  hidden: {} ({} shows)", hidden.join(", "), shared.key(Command::Fold));
    (!hidden.is_empty()).then(|| StyledRun::new(words(), Role::Muted))
}

/// The sort order, for the title; empty for the default order.
pub fn ordered<S: ListScreen>(screen: &S) -> Option<StyledRun<'static>> {
    let order = screen.listing().map(Listing::order).filter(|order| *order != SortOrder::default())?;
    let reversed = if order.reversed { ", reversed" } else { "" };
    let name = screen.orders().get(order.column).map_or("", |named| named.name);
    Some(StyledRun::new(format!("  by {name}{reversed}"), Role::Muted))
}

/// The label or property of the grouping, for the title.
pub fn grouped<K: Clone + Ord>(rows: &GroupedList<K, Text>) -> Option<StyledRun<'static>> {
    rows.grouped_by().map(|by| StyledRun::new(format!("  grouped by {by}"), Role::Muted))
}

/// The symbol before the heading of a group.
pub fn fold_sign(cx: &Cx<'_>, is_folded: bool) -> &'static str {
    if is_folded { cx.charset.pick("▸", ">") } else { cx.charset.pick("▾", "v") }
}

/// The heading of a group: its value, and the number of its items.
pub fn group_head<K: Clone + Ord>(
    cx: &Cx<'_>,
    rows: &GroupedList<K, Text>,
    (value, role): (&Text, Role),
    (one, several): (&str, &str),
) -> Vec<StyledRun<'static>> {
    let by = rows.grouped_by().unwrap_or_default();
    let name = if value.is_empty() { format!("without {by}") } else { value.to_string() };
    let all = rows.members(value).len();
    vec![
        StyledRun::new(format!("{} ", fold_sign(cx, rows.is_folded(value))), Role::Muted),
        StyledRun::new(name, role),
        StyledRun::new(format!("  {all} {}", if all == 1 { one } else { several }), Role::Muted),
    ]
}

/// The texts of an empty list if a source or an answer is missing.
pub struct EmptyState {
    /// The kinds of answers that the list needs.
    pub kinds: &'static [AskKind],
    /// The text before and after the configuration to add if there is no source.
    pub no_source: (&'static str, &'static str),
    /// The kind of source, such as `source of alerts`.
    pub source: &'static str,
    /// What is being loaded, such as `alerts`.
    pub loading: &'static str,
    /// The singular noun for a row, if all sources must have answered; `None`: one answer is enough.
    pub one: Option<&'static str>,
}

/// The text that no paging source is configured.
pub const NO_PAGING: (&str, &str) =
    ("No paging source is configured: add", " to a context (`burnwatch config init` shows how).");

impl EmptyState {
    /// Why the list is empty, if a source or an answer is missing; `None` otherwise.
    pub fn words(&self, shared: &Shared) -> Option<(String, Role)> {
        let can =
            shared.sources.iter().filter(|source| source.answers.iter().any(|k| self.kinds.contains(k)));
        let cache: Vec<_> = can.filter_map(|source| shared.world.cache(&source.id)).collect();
        let states = cache.iter().map(|cache| self.kinds.iter().filter_map(|kind| cache.snapshot(*kind)));
        let answered = states.clone().filter(|its| its.clone().any(|state| state.at.is_some())).count();
        let is_troubled = states.flatten().any(|state| state.failure().is_some());
        let empty_text = if cache.is_empty() {
            let (before, after) = self.no_source;
            (format!("{before} {}{after}", kind::sources_to_add(shared.kinds, self.kinds)), Role::Muted)
        } else if answered == 0 && is_troubled {
            let words = format!("No {} has answered yet. See Sources (9) for what is wrong.", self.source);
            (words, Role::Stale)
        } else if answered == 0 && shared.paused.is_some() {
            ("Paused. Resume updates to load data.".to_owned(), Role::Muted)
        } else if answered == 0 {
            (format!("Loading {}...", self.loading), Role::Muted)
        } else {
            let one = self.one.filter(|_| answered < cache.len())?;
            let words = format!("No {one} at the {answered} of {} sources that have answered.", cache.len());
            (words, Role::Muted)
        };
        Some(empty_text)
    }
}
