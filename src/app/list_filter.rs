//! The filter of one list: its text, what it means, and what it is searched in.

use super::filter::{Filter, Haystack};
use super::theme::Role;
use super::widgets::text::StyledRun;
use crate::model::text::clean;

/// Those of `all` that pass, as [`ListFilter::select`] tells for each of them.
pub fn passing<T>(all: impl IntoIterator<Item = T>, passes: Option<&[bool]>) -> impl Iterator<Item = T> {
    let is_passing = move |at: usize| passes.is_none_or(|passes| passes.get(at).copied().unwrap_or(false));
    all.into_iter().enumerate().filter(move |(at, _)| is_passing(*at)).map(|(_, one)| one)
}

/// A list's filter with its haystack, which is kept for as long as the world stays as it is.
#[derive(Debug, Default)]
pub struct ListFilter {
    text: String,
    filter: Filter,
    haystack: Haystack,
    revision: Option<u64>,
    /// What no row has, though it is asked for.
    unknown: Option<String>,
}

impl ListFilter {
    /// What was typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Takes another text.
    pub fn set(&mut self, text: &str) {
        if self.text != text {
            text.clone_into(&mut self.text);
            self.filter = Filter::parse(text);
            self.unknown = None;
        }
    }

    /// Whether rows pass and do not as time goes on: it counts up with the clock then.
    pub fn revision(&self, world: u64, clock: u64) -> u64 {
        if self.filter.has_bounds() { world + clock } else { world }
    }

    /// What a list says where nothing passes.
    pub fn nothing(&self, what: &str) -> String {
        let why = self.error().map_or_else(String::new, |why| format!(" ({why})"));
        format!("No {what} passes the filter {}{why}. Esc clears it.", self.text)
    }

    /// What is wrong with the text, if something is.
    pub fn error(&self) -> Option<String> {
        self.filter.error().map(str::to_owned).or_else(|| self.unknown.clone())
    }

    /// What a title says of it; nothing while nothing is looked for.
    pub fn told(&self) -> impl Iterator<Item = StyledRun<'static>> + use<> {
        // matches are underlined, what stands between is not
        let runs = [("  ".to_owned(), Role::Text), (format!("filter: {}", self.text), Role::Match)];
        let told = (!self.text.is_empty()).then_some(runs);
        told.into_iter().flatten().map(|(text, role)| StyledRun::new(text, role))
    }

    /// A name in its role, with what was found in it marked. It is cut as it is shown, for a part would be shown otherwise.
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

    /// Lays out what is searched: it is there from when typing begins, so that no letter waits for it, and for as long as
    /// there is something to look for.
    pub fn prepare(&mut self, revision: u64, is_typing: bool, haystack: impl FnOnce() -> Haystack) {
        if self.filter.is_empty() && !is_typing {
            (self.haystack, self.revision) = (Haystack::default(), None);
        } else if self.revision != Some(revision) {
            (self.haystack, self.revision) = (haystack(), Some(revision));
        }
    }

    /// For each row whether it passes; `None` if all do.
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
