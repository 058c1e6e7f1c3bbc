//! What screens that are lists say and draw alike.

use super::columns::{OrderBy, order_name};
use super::grouped::GroupedList;
use super::prelude::*;
use crate::config::kind;

/// How many rows are marked, for the title.
pub fn marked(count: usize) -> Option<StyledRun<'static>> {
    (count > 0).then(|| StyledRun::new(format!("  {count} marked"), Role::Marked))
}

/// What is hidden, with the key that shows it, for the title.
pub fn folded_away(shared: &Shared, hidden: &str) -> StyledRun<'static> {
    StyledRun::new(format!("  hidden: {hidden} ({} shows)", shared.key(Command::Fold)), Role::Muted)
}

/// By what the list is ordered, for the title; nothing for the first order.
pub fn ordered<F>(orders: &[OrderBy<F>], order: SortOrder) -> Option<StyledRun<'static>> {
    let reversed = if order.reversed { ", reversed" } else { "" };
    let words = || format!("  by {}{reversed}", order_name(orders, order));
    (order != SortOrder::default()).then(|| StyledRun::new(words(), Role::Muted))
}

/// By which label or property rows are grouped, for the title.
pub fn grouped<K: Clone + Ord>(rows: &GroupedList<K, Text>) -> Option<StyledRun<'static>> {
    rows.grouped_by().map(|by| StyledRun::new(format!("  grouped by {by}"), Role::Muted))
}

/// The sign before the head of a group.
pub fn fold_sign(cx: &Cx<'_>, is_folded: bool) -> &'static str {
    if is_folded { cx.charset.pick("▸", ">") } else { cx.charset.pick("▾", "v") }
}

/// The head of the group that has this value, with its name in a role, and how many there are of a kind of things.
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

/// What a list lacks if the sources of these kinds of answers have told nothing.
pub struct Lack<'a> {
    /// The kinds of answers.
    pub kinds: &'a [AskKind],
    /// That there is no source, around what can be added.
    pub no_source: (&'a str, &'a str),
    /// "source of alerts".
    pub source: &'a str,
    /// What is being loaded: "alerts".
    pub loading: &'a str,
    /// What there is none of at the sources that have answered; none: one of them is enough.
    pub one: Option<&'a str>,
}

/// That there is no paging source.
pub const NO_PAGING: (&str, &str) =
    ("No paging source is configured: add", " to a context (`burnwatch config init` shows how).");

impl Lack<'_> {
    /// The comment: why there is nothing, as far as that is for want of sources or answers.
    pub fn words(&self, shared: &Shared) -> Option<(String, Role)> {
        let can =
            shared.sources.iter().filter(|source| source.answers.iter().any(|k| self.kinds.contains(k)));
        let cache: Vec<_> = can.filter_map(|source| shared.world.cache(&source.id)).collect();
        let states = cache.iter().map(|cache| self.kinds.iter().filter_map(|kind| cache.board(*kind)));
        let answered = states.clone().filter(|its| its.clone().any(|state| state.at.is_some())).count();
        let is_troubled = states.flatten().any(|state| state.trouble.is_some());
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
