//! Commands: run, split, restrict, hide, choose how the result is shown.

use super::{Explore, ExploreRow, Focus, ResultView};
use crate::app::explore_choice::ExploreChoice;
use crate::app::list::wrapped;
use crate::app::menu::{Menu, MenuChoice};
use crate::app::prelude::*;
use crate::app::subjects::link;
use crate::model::ask::SeriesKey;
use crate::model::evaluation::{Exemplar, LabelSearch, server_position};
use crate::model::promql;
use crate::model::promql::complete::main_selector;
use crate::model::saved_query::StoreEdit;
use crate::model::source::ErrorKind;

/// The most labels in the menu of labels.
const MAX_LABELS: usize = 40;

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
        Self::store(shared, StoreEdit::Ran(query.clone()));
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
        } else if command == Command::Refresh {
            // a query that failed is sent again, too
            self.failure = None;
            return false;
        } else if command == Command::Explore {
            self.write(shared);
        } else if command == Command::ShowAs {
            let at = ResultView::ALL.iter().position(|view| *view == self.view).unwrap_or(0);
            let next = wrapped(at, 1, ResultView::ALL.len());
            self.view = ResultView::ALL.get(next).copied().unwrap_or_default();
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
                "Exemplars are shown; o lists their traces"
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
        let Some(row) = self.rows.list.current().cloned() else {
            if self.query.is_none() {
                self.write(shared);
                return true;
            }
            return false;
        };
        match row {
            ExploreRow::View(name) => self.open_view(shared, &name, now),
            ExploreRow::Query(query) => self.start(shared, &query, now),
            ExploreRow::Series(labels) => {
                let Some(query) = self.query.clone() else { return false };
                let changed = promql::only(&query, &labels).map_err(|error| error.to_string());
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

    /// The labels that the result can be split by.
    fn split_menu(&self, shared: &Shared) -> Menu {
        let choice = |choice| MenuChoice::Explore(Box::new(choice));
        let query = self.query.as_deref().unwrap_or_default();
        let mut items = Vec::new();
        for name in self.splitting_labels(shared).into_iter().take(MAX_LABELS) {
            if promql::is_split_by(query, &name) {
                items.push((name.to_string(), MenuChoice::Cannot("the result has it already".into())));
            } else {
                items.push((name.to_string(), choice(ExploreChoice::Split(name))));
            }
        }
        if items.is_empty() {
            let why = if query.is_empty() {
                "run a query first"
            } else {
                "its labels are not known yet; try again"
            };
            items.push(("split by a label".to_owned(), MenuChoice::Cannot(why.into())));
        }
        Menu::new("Split by", items, 0)
    }

    /// The labels of the series that the query reads, without those of all series.
    fn splitting_labels(&self, shared: &Shared) -> Vec<Text> {
        let cache = self.asked(shared).and_then(|source| shared.world.cache(source));
        let wanted = self.main_labels();
        let known = wanted.and_then(|wanted| cache?.label_lists().get(&wanted)?.value());
        let mut names: Vec<Text> = known.map(|list| list.all.clone()).unwrap_or_default();
        let of_rows = self.items.rows.iter().flat_map(|row| row.labels.iter().map(|(name, _)| name.clone()));
        let of_rows: std::collections::BTreeSet<Text> = of_rows.collect();
        names.extend(of_rows);
        names.sort();
        names.dedup();
        names.retain(|name| !matches!(&**name, "__name__" | "le" | "quantile"));
        names
    }

    /// The names of labels of the series that the query reads first.
    pub(super) fn main_labels(&self) -> Option<LabelSearch> {
        let selector = main_selector(self.query.as_deref()?)?;
        Some(LabelSearch { selector: Some(selector.into()), name: None })
    }

    fn sources_menu(&self, shared: &Shared) -> Menu {
        let present = self.asked(shared);
        let all: Vec<&SourceId> = shared.answering(AskKind::Evaluation).map(|source| &source.id).collect();
        let at = all.iter().position(|id| Some(*id) == present).unwrap_or(0);
        let choice = |id: &SourceId| MenuChoice::Explore(Box::new(ExploreChoice::Source(id.clone())));
        let mut items: Vec<_> = all.into_iter().map(|id| (id.to_string(), choice(id))).collect();
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
                self.source = chart.source.or(self.source.take());
                self.is_instant = false;
                self.view = ResultView::Chart;
                self.start(shared, &chart.query, now);
            }
            ExploreChoice::Split(label) => {
                let query = self.query.clone().unwrap_or_default();
                let changed = promql::split_by(&query, &label).map_err(|error| error.to_string());
                self.restart(shared, changed, now);
            }
            ExploreChoice::Source(id) => {
                self.source = Some(id);
                (self.shown, self.failure) = (None, None);
                self.list_items();
                self.arrange(false);
                self.check(shared);
            }
            ExploreChoice::View(name) => self.open_view(shared, &name, now),
            ExploreChoice::NameView => self.name_view(),
            ExploreChoice::DeleteView(name) => self.delete_view(shared, name, now),
        }
    }

    /// The key of the exemplars of the present query.
    fn exemplars_key(
        &self,
        shared: &Shared,
        now: Timestamp,
    ) -> Option<(SeriesKey, crate::model::series::TimeGrid)> {
        let query = self.query.clone().filter(|_| self.has_exemplars)?;
        let window = self.window(shared, now)?;
        Some((SeriesKey::over(query, window), window))
    }

    /// The queries of labels for the menu of labels, and of exemplars.
    pub(super) fn exemplars_want(&self, shared: &Shared, source: &SourceId, now: Timestamp) -> Vec<Want> {
        let exemplars = self.exemplars_key(shared, now);
        let exemplars =
            exemplars.map(|(series, window)| want::of(shared, source, Query::Exemplars { series, window }));
        let labels = self.main_labels().map(|wanted| want::of(shared, source, Query::Labels { wanted }));
        exemplars.into_iter().chain(labels).collect()
    }

    /// The exemplars of the present query, the newest first.
    pub(super) fn exemplars<'a>(&self, shared: &'a Shared, now: Timestamp) -> &'a [Exemplar] {
        let cache = self.asked(shared).and_then(|source| shared.world.cache(source));
        let key = self.exemplars_key(shared, now);
        let remote = key.and_then(|(key, _)| cache?.exemplars().get(&key)?.value());
        remote.map_or(&[], |all| all)
    }

    /// The traces of the exemplars: with the address of each if a template for it is configured, else with its id.
    pub(super) fn traces(&self, shared: &Shared) -> Vec<(String, Text)> {
        let Some(span) = self.shown.as_ref().and_then(super::results::ShownResult::span) else {
            return Vec::new();
        };
        let named = self.exemplars(shared, span.end()).iter().take(MAX_LABELS).filter_map(|exemplar| {
            let id = exemplar.trace()?;
            let name = format!("{} {}", exemplar.at.strftime("%H:%M:%S UTC"), exemplar.value);
            Some((name, link::of_trace(shared.trace_url.as_deref(), id)))
        });
        named.collect()
    }
}

/// The message of a failed query, with the place of the error if the server names it.
pub(super) fn failure_words(kind: &ErrorKind) -> (Option<(usize, usize)>, String) {
    match server_position(kind.said()) {
        Some((line, column, message)) => (Some((line, column)), message.to_owned()),
        None => (None, kind.to_string()),
    }
}
