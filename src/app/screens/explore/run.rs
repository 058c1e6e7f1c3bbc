//! Commands: run, split, restrict, hide, choose how the result is shown.

use super::{Explore, ExploreRow, Focus, ResultView};
use crate::app::explore_choice::ExploreChoice;
use crate::app::list::wrapped;
use crate::app::menu::{Menu, MenuChoice};
use crate::app::prelude::*;
use crate::app::subjects::link;
use crate::model::saved_query::StoreEdit;
use crate::model::series::TimeGrid;
use crate::model::source_info::SourceInfo;

impl Explore {
    /// Runs the text of the editor. A text that no server accepts is not sent; the cursor goes to its error.
    pub(super) fn run_text(&mut self, shared: &mut Shared, now: Timestamp) {
        let text = self.editor.text().trim().to_owned();
        if text.is_empty() {
            return;
        }
        self.check(shared);
        if let Some(error) = self.error() {
            let at = super::edit::offset(self.editor.text(), error.line, error.column);
            self.editor.move_to(at);
            self.completion = None;
            self.is_refused = true;
            return;
        }
        self.start(shared, &text.as_str().into(), now);
    }

    /// Runs a query.
    pub(super) fn start(&mut self, shared: &mut Shared, query: &Text, now: Timestamp) {
        if self.editor.text().trim() != &**query {
            self.editor.set(query);
        }
        self.check(shared);
        self.focus = Focus::Results;
        self.completion = None;
        self.searched = None;
        self.failure = None;
        if self.query.as_ref() != Some(query) {
            self.query = Some(query.clone());
            self.shown = None;
            self.rows.found.set("");
            self.list_items();
            self.arrange(false);
        }
        // the same query again: now, unless it is being answered
        let is_waiting = self.is_waiting(shared, now);
        if !is_waiting {
            shared.scheduler.query_now(|topic| topic.kind() == AskKind::Evaluation, now);
        }
        let source = self.asked(shared).filter(|_| self.language(shared).is_of_logs());
        let source = source.map(|source| source.as_str().into());
        Self::store(shared, StoreEdit::Ran(query.clone(), source));
    }

    /// Whether an evaluation of any query is being answered.
    fn is_waiting(&self, shared: &Shared, now: Timestamp) -> bool {
        let Some(source) = self.asked(shared) else { return false };
        let mut wanted = shared.scheduler.wanted(source, now);
        wanted.any(|(topic, ..)| {
            topic.kind() == AskKind::Evaluation && shared.scheduler.is_waiting(source, topic)
        })
    }

    /// Runs a changed query, or says why there is none.
    fn restart(&mut self, shared: &mut Shared, changed: Result<String, String>, now: Timestamp) {
        match changed {
            Ok(query) => self.start(shared, &query.as_str().into(), now),
            Err(why) => shared.messages.note(why, now),
        }
    }

    /// Runs a command in the way of this screen; `false`: as everywhere.
    pub(super) fn run_command(&mut self, shared: &mut Shared, command: Command, now: Timestamp) -> bool {
        let is_narrowed = self.alone.is_some() || !self.hidden.is_empty();
        if command == Command::Open {
            return self.open_current(shared, now);
        } else if command == Command::Sort && self.lists_lines() {
            self.reverse_lines(shared, now);
        } else if command == Command::Refresh {
            // a query that failed is sent again, too
            self.failure = None;
            return false;
        } else if command == Command::Explore {
            self.write(shared);
        } else if command == Command::ShowAs {
            let at = ResultView::ALL.iter().position(|view| *view == self.view).unwrap_or(0);
            let next = wrapped(at, 1, ResultView::ALL.len());
            let next = ResultView::ALL.get(next).copied().unwrap_or_default();
            // the lines of a log are neither chart nor table
            let is_of_lines = self.has_lines() && self.view != ResultView::Json;
            self.view = if is_of_lines { ResultView::Json } else { next };
            self.scroll_position.scroll = 0;
        } else if command == Command::Instant {
            self.is_instant = !self.is_instant;
            self.view = if self.is_instant { ResultView::Table } else { ResultView::Chart };
            let words = if self.is_instant { "Evaluated once" } else { "Evaluated over the time range" };
            shared.messages.note(words, now);
        } else if matches!(command, Command::Hide | Command::Alone) {
            self.hide(command == Command::Alone);
        } else if command == Command::Exemplars {
            self.has_exemplars = !self.has_exemplars;
            let words = if self.has_exemplars {
                "Exemplars are shown: the value cursor reads them, Enter opens the trace there"
            } else {
                "Exemplars are hidden"
            };
            shared.messages.note(words, now);
        } else if command == Command::Back
            && is_narrowed
            && self.rows.found.text().is_empty()
            && !shared.charts.has_cursor()
        {
            self.alone = None;
            self.hidden.clear();
        } else {
            return false;
        }
        true
    }

    fn open_current(&mut self, shared: &mut Shared, now: Timestamp) -> bool {
        if self.lists_lines() {
            self.lines.toggle_open();
            return true;
        }
        if let Some(exemplar) = self.chosen_exemplar(shared) {
            if self.trace_place(shared).is_some() {
                // it is opened as a place
                return false;
            }
            match exemplar.trace() {
                Some(id) => shared.copy(link::of_trace(shared.trace_url.as_deref(), id).to_string(), now),
                None => shared.messages.note("This exemplar names no trace", now),
            }
            return true;
        }
        let Some(row) = self.rows.list.current().cloned() else {
            if self.query.is_none() {
                self.write(shared);
                return true;
            }
            return false;
        };
        match row {
            ExploreRow::View(name) => self.open_view(shared, &name, now),
            ExploreRow::Query(query) => {
                let source = self.store.source_of(&shared.context, &query).cloned();
                if source.is_some() || self.language(shared).is_of_logs() {
                    self.source = source.as_deref().map(SourceId::new);
                }
                self.start(shared, &query, now);
            }
            ExploreRow::Series(labels) => {
                let Some(query) = self.query.clone() else { return false };
                let changed = self.language(shared).only(&query, &labels);
                let is_same = changed.as_deref() == Ok(&*query);
                let changed =
                    if is_same { Err("The query has only this series already".to_owned()) } else { changed };
                self.restart(shared, changed, now);
            }
        }
        true
    }

    fn hide(&mut self, is_alone: bool) {
        let Some(ExploreRow::Series(labels)) = self.rows.list.current().cloned() else { return };
        if is_alone {
            self.alone = if self.alone.as_ref() == Some(&labels) { None } else { Some(labels) };
        } else {
            self.alone = None;
            if !self.hidden.remove(&labels) {
                self.hidden.insert(labels);
            }
            self.rows.list.move_by(1);
        }
    }

    /// The menu of a command.
    pub(super) fn menu_of(&self, shared: &Shared, command: Command) -> Option<Menu> {
        if matches!(command, Command::NextPanel | Command::PreviousPanel) {
            Some(self.split_menu(shared))
        } else if command == Command::Views {
            Some(self.views_menu(shared))
        } else if command == Command::QuerySource {
            Some(self.sources_menu(shared))
        } else {
            None
        }
    }

    fn sources_menu(&self, shared: &Shared) -> Menu {
        let present = self.asked(shared);
        let all: Vec<_> = shared.answering(AskKind::Evaluation).collect();
        let at = all.iter().position(|source| Some(&source.id) == present).unwrap_or(0);
        let choice = |id: &SourceId| MenuChoice::Explore(Box::new(ExploreChoice::Source(id.clone())));
        let name = |source: &SourceInfo| format!("{}  {}", source.id, source.language.word());
        let mut items: Vec<_> = all.into_iter().map(|source| (name(source), choice(&source.id))).collect();
        if items.is_empty() {
            items.push((
                "no source".to_owned(),
                MenuChoice::Cannot("no source of this context answers queries".into()),
            ));
        }
        Menu::new("Send the query to", items, at)
    }

    /// Does what an item of a menu is for.
    pub(super) fn run_choice(&mut self, shared: &mut Shared, choice: ExploreChoice, now: Timestamp) {
        match choice {
            ExploreChoice::Query(chart) => {
                let is_of_logs = self.language(shared).is_of_logs();
                let chosen = self.source.take().filter(|_| !is_of_logs);
                let source = chart.source.or(chosen);
                if source != self.source {
                    (self.source, self.query) = (source, None);
                }
                self.is_instant = false;
                self.view = ResultView::Chart;
                self.start(shared, &chart.query, now);
            }
            ExploreChoice::Split(label) => {
                let query = self.query.clone().unwrap_or_default();
                let step = self.window(shared, now).map_or(Duration::ZERO, TimeGrid::step);
                let changed = self.language(shared).split_by(&query, &label, step);
                self.restart(shared, changed.map_err(|error| error.to_string()), now);
            }
            ExploreChoice::Source(id) => {
                let before = self.language(shared);
                self.source = Some(id);
                (self.shown, self.failure) = (None, None);
                let language = self.language(shared);
                if language != before {
                    // the query stays in the editor, but it is of another language
                    self.query = None;
                    shared.messages.note(format!("Queries are written in {} now", language.word()), now);
                }
                self.list_items();
                self.arrange(false);
                self.check(shared);
            }
            ExploreChoice::View(name) => self.open_view(shared, &name, now),
            ExploreChoice::NameView => self.name_view(),
            ExploreChoice::DeleteView(name) => self.delete_view(shared, name, now),
        }
    }
}
