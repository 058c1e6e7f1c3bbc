//! The editor: keys, completion, and the check of what is written.

use super::{Explore, Focus};
use crate::app::completion::{Completion, CompletionData};
use crate::app::key::{Code, Key, NamedKey};
use crate::app::prelude::*;
use crate::model::evaluation::LabelSearch;
use crate::model::promql::QueryParseError;
use crate::model::promql::complete::Expected;
use crate::model::promql::lint::{LintContext, lint};

impl Explore {
    /// Begins to write.
    pub(super) fn write(&mut self, shared: &Shared) {
        self.focus = Focus::Editor;
        self.recalled = None;
        let end = self
            .error()
            .map_or(self.editor.text().len(), |error| offset(self.editor.text(), error.line, error.column));
        self.editor.move_to(end);
        self.complete(shared);
    }

    /// Handles a key while the editor has the keyboard.
    pub(super) fn press(&mut self, shared: &mut Shared, key: Key, now: Timestamp) {
        if let Focus::Name(line) = &mut self.focus {
            match key.code {
                Code::Named(NamedKey::Esc) => self.focus = Focus::Results,
                Code::Named(NamedKey::Enter) => {
                    let name = line.text().trim().to_owned();
                    if !name.is_empty() {
                        self.focus = Focus::Results;
                        self.save_view(shared, &name, now);
                    }
                }
                Code::Named(_) | Code::Char(_) => drop(line.take(key)),
            }
            return;
        }
        let is_plain = !key.ctrl && !key.alt && !key.shift;
        match (key.code, self.completion.as_mut()) {
            (Code::Named(NamedKey::Esc), Some(_)) if is_plain => self.completion = None,
            (Code::Named(NamedKey::Esc), None) if is_plain => self.focus = Focus::Results,
            (Code::Named(NamedKey::Tab), Some(_)) if is_plain => self.accept(shared),
            (Code::Named(NamedKey::Tab), None) if is_plain => self.complete(shared),
            (Code::Named(NamedKey::Down), Some(list)) if is_plain => list.step(1),
            (Code::Named(NamedKey::Up), Some(list)) if is_plain => list.step(-1),
            (Code::Named(NamedKey::Enter), list) if is_plain => {
                // Enter runs the query unless the user has moved to an item of the list
                if list.is_some_and(|list| list.chosen.is_some()) {
                    self.accept(shared);
                } else {
                    self.run_text(shared, now);
                }
            }
            (Code::Named(direction @ (NamedKey::Up | NamedKey::Down)), None) if is_plain => {
                if !self.editor.take(key) {
                    self.recall(shared, direction == NamedKey::Up);
                }
            }
            (Code::Named(_) | Code::Char(_), _) => {
                let before = self.editor.text().to_owned();
                if self.editor.take(key) {
                    self.changed(shared, self.editor.text() != before);
                }
            }
        }
    }

    /// Inserts pasted text.
    pub(super) fn insert(&mut self, shared: &Shared, text: &str) {
        match &mut self.focus {
            Focus::Name(line) => line.insert(text),
            Focus::Editor => {
                self.editor.insert(text);
                self.changed(shared, true);
            }
            Focus::Results => {}
        }
    }

    /// Checks and completes after a change of the text, or closes the list after a movement of the cursor.
    fn changed(&mut self, shared: &Shared, is_new_text: bool) {
        if is_new_text {
            self.is_refused = false;
            self.recalled = None;
            self.check(shared);
            self.complete(shared);
        } else {
            self.completion = None;
            self.searched = None;
        }
    }

    /// Finds the first error of the text, or its hints.
    pub(super) fn check(&mut self, shared: &Shared) {
        let catalog = self.asked(shared).and_then(|source| shared.world.cache(source)?.metrics().value());
        self.checked_with = catalog.map_or(0, |catalog| catalog.all().len());
        let metrics = catalog.map(|catalog| &**catalog);
        let cx = LintContext { metrics, scrape_interval: metrics.and_then(|all| all.scrape_interval) };
        let text = self.editor.text();
        let language = self.language(shared);
        self.checked = if text.trim().is_empty() {
            None
        } else if language.is_of_logs() {
            Some(language.check(text).map(|()| Vec::new()).map_err(QueryParseError::Refused))
        } else {
            Some(lint(text, &cx))
        };
    }

    /// The queries of the history in the language of the present source, the latest first.
    fn own_history(&self, shared: &Shared) -> Vec<Text> {
        let language = self.language(shared);
        let is_own = |query: &&Text| {
            let source = self.store.source_of(&shared.context, query);
            let found =
                shared.sources.iter().find(|known| source.is_some_and(|id| known.id.as_str() == &**id));
            match (source, found) {
                (None, _) => !language.is_of_logs(),
                (Some(_), found) => found.is_some_and(|found| found.language == language),
            }
        };
        self.store.history(&shared.context).iter().filter(is_own).cloned().collect()
    }

    /// Opens the list of what fits at the cursor, and notes which labels it needs.
    pub(super) fn complete(&mut self, shared: &Shared) {
        let language = self.language(shared);
        let context = language.at_cursor(self.editor.text(), self.editor.line().cursor());
        self.searched = match &context.expected {
            Expected::LabelName { selector } | Expected::GroupingLabel { selector } => {
                Some(LabelSearch::names(selector.as_deref().map(Text::from)))
            }
            Expected::LabelValue { name, selector, .. } => {
                Some(LabelSearch::values(name.as_str().into(), selector.as_deref().map(Text::from)))
            }
            Expected::Terms { labels, .. } => {
                labels.as_ref().map(|labels| LabelSearch::names(labels.selector.as_deref().map(Text::from)))
            }
            Expected::Expression
            | Expected::RangeOf { .. }
            | Expected::Duration
            | Expected::Operator
            | Expected::Nothing => None,
        };
        let cache = self.asked(shared).and_then(|source| shared.world.cache(source));
        let metrics = cache.and_then(|cache| cache.metrics().value()).map(|catalog| &**catalog);
        let labels = self.searched.as_ref().and_then(|wanted| cache?.label_lists().get(wanted)?.value());
        let labels = labels.map_or(&[][..], |list| &list.all);
        let is_whole = context.replaced == (0..self.editor.text().len());
        let history = self.own_history(shared);
        let functions = language.functions();
        let data = CompletionData { metrics, language: &functions, labels, history: &history };
        let chosen = self.completion.take().and_then(|list| list.chosen);
        self.completion = Completion::of(context, is_whole, data);
        // the place in the list stays if more items have arrived
        if let (Some(list), Some(chosen)) = (&mut self.completion, chosen) {
            list.chosen = Some(chosen).filter(|at| *at < list.items.len());
        }
    }

    /// Takes the chosen item of the list into the text.
    fn accept(&mut self, shared: &Shared) {
        let Some(list) = self.completion.take() else { return };
        let Some(item) = list.current() else { return };
        let mut range = list.context.replaced.clone();
        let mut inserted = item.inserted.clone();
        let rest = self.editor.text().get(range.end..).unwrap_or_default();
        // what the item ends with may be there already: the bracket of a function, the sign of a matcher
        if inserted.ends_with('(') && rest.starts_with('(') {
            inserted.pop();
        }
        let name = inserted.strip_suffix(":=\"").or_else(|| inserted.strip_suffix("=\""));
        if let Some(name) = name
            && rest.trim_start().starts_with(['=', '!', ':'])
        {
            inserted = name.to_owned();
        }
        let is_value = matches!(list.context.expected, Expected::LabelValue { .. });
        if let Expected::LabelValue { quote, .. } = &list.context.expected {
            // the rest of the old value is replaced
            range.end += rest.find([*quote, '\n']).unwrap_or(0);
            let closes = self.editor.text().get(range.end..).is_some_and(|rest| rest.starts_with(*quote));
            if !closes {
                inserted.push(*quote);
            }
        }
        self.editor.replace(range, &inserted);
        if is_value && self.editor.line().after_cursor().starts_with(['"', '\'', '`']) {
            self.editor.move_to(self.editor.line().cursor() + 1);
        }
        self.changed(shared, true);
        if is_value {
            self.completion = None;
        }
    }

    /// Shows an earlier or a later query of the history.
    fn recall(&mut self, shared: &Shared, is_earlier: bool) {
        let history = self.own_history(shared);
        let at = match (self.recalled, is_earlier) {
            (None, true) => Some(0),
            (Some(at), true) => Some((at + 1).min(history.len().saturating_sub(1))),
            (Some(at), false) => at.checked_sub(1),
            (None, false) => return,
        };
        let query = at.map_or(Some(""), |at| history.get(at).map(|query| &**query));
        if let Some(query) = query.map(str::to_owned) {
            self.editor.set(&query);
            self.check(shared);
            self.completion = None;
            self.recalled = at;
        }
    }
}

/// The byte offset of a line and column, both from 1.
pub(super) fn offset(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text.split('\n').take(line.saturating_sub(1)).map(|line| line.len() + 1).sum();
    let rest = text.get(before..).unwrap_or_default();
    before + rest.char_indices().nth(column.saturating_sub(1)).map_or(rest.len(), |(at, _)| at)
}
