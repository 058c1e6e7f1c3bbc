//! Saved views and the history: what is offered before a query is run, and the menu of views.

use super::results::{ResultRow, ResultTable};
use super::{Explore, ExploreRow, Focus};
use crate::app::event::Effect;
use crate::app::explore_choice::ExploreChoice;
use crate::app::line_editor::LineEditor;
use crate::app::menu::{Menu, MenuChoice};
use crate::app::prelude::*;
use crate::model::saved_query::{SavedView, StoreChange, StoreEdit};

impl Explore {
    /// Lists the saved views and the history as rows.
    pub(super) fn offer_stored(&mut self) {
        let Some(context) = self.context.clone() else { return };
        let row = |key, name: &str, query: &Text| ResultRow::stored(key, name, query);
        let views = self.store.views(&context).iter();
        let views = views.map(|view| row(ExploreRow::View(view.name.clone()), &view.name, &view.query));
        let history = self.store.history(&context).iter();
        let history = history.map(|query| row(ExploreRow::Query(query.clone()), "", query));
        self.items = ResultTable::new(views.chain(history).collect());
        self.revision += 1;
    }

    /// The menu of saved views.
    pub(super) fn views_menu(&self, shared: &Shared) -> Menu {
        let views = self.store.views(&shared.context);
        let choice = |choice| MenuChoice::Explore(Box::new(choice));
        let mut items = Vec::new();
        if self.query.is_some() {
            items.push(("save this query as ...".to_owned(), choice(ExploreChoice::NameView)));
        }
        items.extend(views.iter().map(|view| {
            let query: String = view.query.chars().take(60).collect();
            (format!("{}  {query}", view.name), choice(ExploreChoice::View(view.name.clone())))
        }));
        items.extend(views.iter().map(|view| {
            (format!("delete {}", view.name), choice(ExploreChoice::DeleteView(view.name.clone())))
        }));
        if items.is_empty() {
            let why = "no view is saved; run a query first".into();
            items.push(("save this query as ...".to_owned(), MenuChoice::Cannot(why)));
        }
        Menu::new("Saved views", items, 0)
    }

    /// Asks for the name of a view.
    pub(super) fn name_view(&mut self) {
        self.focus = Focus::Name(LineEditor::default().limited(80));
    }

    /// Saves the present query under a name.
    pub(super) fn save_view(&self, shared: &mut Shared, name: &str, now: Timestamp) {
        let Some(query) = self.query.clone() else { return };
        let view = SavedView {
            name: name.into(),
            query,
            is_range: !self.is_instant,
            range: shared.range.length,
            source: self.source.as_ref().or(self.asked(shared)).map(|source| source.as_str().into()),
        };
        shared.messages.note(format!("Saved the view {name}"), now);
        Self::store(shared, StoreEdit::Save(view));
    }

    pub(super) fn delete_view(&self, shared: &mut Shared, name: Text, now: Timestamp) {
        let gone = self.store.views(&shared.context).iter().find(|view| view.name == name);
        // the query stays in the history, from where it can be saved again
        if let Some(query) = gone.map(|view| view.query.clone()) {
            let source = self.store.source_of(&shared.context, &query).cloned();
            Self::store(shared, StoreEdit::Ran(query, source));
        }
        shared.messages.note(format!("Deleted the view {name}; its query is in the history"), now);
        Self::store(shared, StoreEdit::Delete(name));
    }

    /// Sends a change to the file.
    pub(super) fn store(shared: &mut Shared, what: StoreEdit) {
        let context = shared.context.clone();
        shared.effects.push(Effect::ChangeQueries(StoreChange { context, what }));
    }

    /// Opens a saved view.
    pub(super) fn open_view(&mut self, shared: &mut Shared, name: &str, now: Timestamp) {
        let Some(view) = self.store.views(&shared.context).iter().find(|view| *view.name == *name).cloned()
        else {
            return;
        };
        self.is_instant = !view.is_range;
        let source = view.source.as_deref().map(SourceId::new);
        if source != self.source {
            (self.source, self.query) = (source, None);
        }
        shared.change_range(now, |range, _| range.length = view.range);
        self.start(shared, &view.query, now);
    }
}
