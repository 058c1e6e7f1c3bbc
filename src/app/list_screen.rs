//! Texts and drawing code that all list screens share.

use super::columns::{OrderBy, order_name};
use super::grouped::GroupedList;
use super::prelude::*;
use crate::config::kind;

/// The number of marked rows, for the title.
pub fn marked(count: usize) -> Option<StyledRun<'static>> {
    (count > 0).then(|| StyledRun::new(format!("  {count} marked"), Role::Marked))
}

/// The hidden rows and the key that shows them, for the title.
pub fn hidden_rows(shared: &Shared, hidden: &str) -> StyledRun<'static> {
    StyledRun::new(format!("  hidden: {hidden} ({} shows)", shared.key(Command::Fold)), Role::Muted)
}

/// The sort order, for the title; empty for the default order.
pub fn ordered<F>(orders: &[OrderBy<F>], order: SortOrder) -> Option<StyledRun<'static>> {
    let reversed = if order.reversed { ", reversed" } else { "" };
    let words = || format!("  by {}{reversed}", order_name(orders, order));
    (order != SortOrder::default()).then(|| StyledRun::new(words(), Role::Muted))
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

/// The texts of an empty list: no source, loading, failed, or no rows.
pub struct EmptyState<'a> {
    pub kinds: &'a [AskKind],
    /// The text before and after the configuration to add if there is no source.
    pub no_source: (&'a str, &'a str),
    /// The kind of source, such as `source of alerts`.
    pub source: &'a str,
    /// What is being loaded, such as `alerts`.
    pub loading: &'a str,
    /// The singular noun for a row, if all sources must have answered; `None`: one answer is enough.
    pub one: Option<&'a str>,
}

/// The text that no paging source is configured.
pub const NO_PAGING: (&str, &str) =
    ("No paging source is configured: add", " to a context (`burnwatch config init` shows how).");

impl EmptyState<'_> {
    /// Why the list is empty, if a source or an answer is missing; `None` otherwise.
    pub fn words(&self, shared: &Shared) -> Option<(String, Role)> {
        let can =
            shared.sources.iter().filter(|source| source.answers.iter().any(|k| self.kinds.contains(k)));
        let cache: Vec<_> = can.filter_map(|source| shared.world.cache(&source.id)).collect();
        let states = cache.iter().map(|cache| self.kinds.iter().filter_map(|kind| cache.snapshot(*kind)));
        let answered = states.clone().filter(|its| its.clone().any(|state| state.at.is_some())).count();
        let is_troubled = states.flatten().any(|state| state.failure.is_some());
        let said = if cache.is_empty() {
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
        Some(said)
    }
}
