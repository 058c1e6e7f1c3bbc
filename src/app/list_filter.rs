//! The filter of one list: its text, the parsed filter and the texts that it searches.

use super::filter::{Filter, Haystack};
use super::theme::Role;
use super::widgets::text::StyledRun;
use crate::model::text::clean;

/// The items that pass, given the result of [`ListFilter::select`].
pub fn passing<T>(all: impl IntoIterator<Item = T>, passes: Option<&[bool]>) -> impl Iterator<Item = T> {
    let is_passing = move |at: usize| passes.is_none_or(|passes| passes.get(at).copied().unwrap_or(false));
    all.into_iter().enumerate().filter(move |(at, _)| is_passing(*at)).map(|(_, one)| one)
}

/// A list's filter with its haystack, which is rebuilt only when the data change.
#[derive(Debug, Default)]
pub struct ListFilter {
    text: String,
    filter: Filter,
    haystack: Haystack,
    revision: Option<u64>,
    /// The text about a name in the filter that no row has.
    unknown: Option<String>,
}

impl ListFilter {
    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn set(&mut self, text: &str) {
        if self.text != text {
            text.clone_into(&mut self.text);
            self.filter = Filter::parse(text);
            self.unknown = None;
        }
    }

    /// The revision of the list: it also changes with the clock if the filter has bounds such as `age>1h`.
    pub fn revision(&self, world: u64, clock: u64) -> u64 {
        if self.filter.has_bounds() { world + clock } else { world }
    }

    /// The message of a list in which no row passes. `what` is the singular noun for a row.
    pub fn nothing(&self, what: &str) -> String {
        let why = self.error().map_or_else(String::new, |why| format!(" ({why})"));
        format!("No {what} matches the filter {}{why}. Press Esc to clear it.", self.text)
    }

    /// The syntax error, or a name in the filter that no row has.
    pub fn error(&self) -> Option<String> {
        self.filter.error().map(str::to_owned).or_else(|| self.unknown.clone())
    }

    /// The filter's text for the title of the list; nothing if the filter is empty.
    pub fn title_runs(&self) -> impl Iterator<Item = StyledRun<'static>> + use<> {
        // only the filter's text is underlined, not the blanks before it
        let runs = [("  ".to_owned(), Role::Text), (format!("filter: {}", self.text), Role::Match)];
        let reported = (!self.text.is_empty()).then_some(runs);
        reported.into_iter().flatten().map(|(text, role)| StyledRun::new(text, role))
    }

    /// A name in its role, with the filter's match highlighted. Control characters are removed first.
    pub fn highlighted<'a>(&self, name: &'a str, role: Role) -> Vec<StyledRun<'a>> {
        let name = clean(name);
        let Some((from, to)) = self.filter.match_range(&name) else {
            return vec![StyledRun::new(name, role)];
        };
        let parts = [(name.get(..from), role), (name.get(from..to), Role::Match), (name.get(to..), role)];
        let parts = parts.into_iter().filter_map(|(part, role)| Some((part?, role)));
        let parts = parts.filter(|(part, _)| !part.is_empty());
        parts.map(|(part, role)| StyledRun::new(part.to_owned(), role)).collect()
    }

    /// Builds the haystack when typing begins, so that no key press waits for it, and keeps it while the filter is not empty.
    pub fn prepare(&mut self, revision: u64, is_typing: bool, haystack: impl FnOnce() -> Haystack) {
        if self.filter.is_empty() && !is_typing {
            (self.haystack, self.revision) = (Haystack::default(), None);
        } else if self.revision != Some(revision) {
            (self.haystack, self.revision) = (haystack(), Some(revision));
        }
    }

    /// For each row whether it passes the filter; `None`: the filter is empty and all rows pass.
    pub fn select(
        &mut self,
        revision: u64,
        is_typing: bool,
        haystack: impl FnOnce() -> Haystack,
    ) -> Option<Vec<bool>> {
        self.prepare(revision, is_typing, haystack);
        self.unknown = self.haystack.unknown(&self.filter);
        (!self.filter.is_empty()).then(|| self.haystack.select(&self.filter))
    }
}
