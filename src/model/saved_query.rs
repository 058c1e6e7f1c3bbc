//! Saved views and the history of queries, by context, as burnwatch keeps them in a file.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::labels::Text;

/// The most queries in the history of a context.
const MAX_HISTORY: usize = 200;
/// The most views of a context.
const MAX_VIEWS: usize = 200;

/// A query with how it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedView {
    pub name: Text,
    pub query: Text,
    /// Whether it is evaluated over a range.
    pub is_range: bool,
    /// The length of the range.
    pub range: Duration,
    /// The name of the source; none: the first that answers queries.
    #[serde(default)]
    pub source: Option<Text>,
}

/// The views and queries of one context.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct ContextQueries {
    views: Vec<SavedView>,
    /// The latest first, each once.
    history: Vec<Text>,
    /// The names of the sources of the queries in the history that are in another language than `PromQL`.
    sources: BTreeMap<Text, Text>,
}

/// All saved views and the history.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct QueryStore {
    contexts: BTreeMap<Text, ContextQueries>,
}

/// A change of the store, in one context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreChange {
    pub context: Text,
    pub what: StoreEdit,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreEdit {
    /// Save a view; one of the same name is replaced.
    Save(SavedView),
    /// Delete the view with this name.
    Delete(Text),
    /// A query was run; with the name of its source if it is in another language than `PromQL`.
    Ran(Text, Option<Text>),
}

impl QueryStore {
    /// The views of a context, sorted by name.
    pub fn views(&self, context: &str) -> &[SavedView] {
        self.contexts.get(context).map_or(&[], |of| &of.views)
    }

    /// The queries that were run in a context, the latest first.
    pub fn history(&self, context: &str) -> &[Text] {
        self.contexts.get(context).map_or(&[], |of| &of.history)
    }

    /// The name of the source at which a query of the history was run, if it is in another language than `PromQL`.
    pub fn source_of(&self, context: &str, query: &str) -> Option<&Text> {
        self.contexts.get(context)?.sources.get(query)
    }

    /// Applies a change; the same change again changes nothing.
    pub fn apply(&mut self, change: StoreChange) {
        let of = self.contexts.entry(change.context).or_default();
        match change.what {
            StoreEdit::Save(view) => {
                of.views.retain(|other| other.name != view.name);
                of.views.push(view);
                of.views.sort_by(|a, b| a.name.cmp(&b.name));
                of.views.truncate(MAX_VIEWS);
            }
            StoreEdit::Delete(name) => of.views.retain(|view| view.name != name),
            StoreEdit::Ran(query, _) if may_hold_secret(&query) => {}
            StoreEdit::Ran(query, source) => {
                match source {
                    Some(source) => of.sources.insert(query.clone(), source),
                    None => of.sources.remove(&query),
                };
                of.history.retain(|other| *other != query);
                of.history.insert(0, query);
                of.history.truncate(MAX_HISTORY);
                let ContextQueries { history, sources, .. } = of;
                sources.retain(|query, _| history.contains(query));
            }
        }
    }
}

/// Whether a query names a label that usually holds a secret: such a query is not kept in the history.
fn may_hold_secret(query: &str) -> bool {
    let lower = query.to_lowercase();
    ["password", "passwd", "secret=", "token=", "api_key", "apikey", "authorization", "bearer "]
        .iter()
        .any(|word| lower.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ran(query: &str) -> StoreChange {
        StoreChange { context: "prod".into(), what: StoreEdit::Ran(query.into(), None) }
    }

    fn saved(name: &str, query: &str) -> StoreChange {
        let view = SavedView {
            name: name.into(),
            query: query.into(),
            is_range: true,
            range: Duration::from_secs(3600),
            source: None,
        };
        StoreChange { context: "prod".into(), what: StoreEdit::Save(view) }
    }

    #[test]
    fn the_history_is_bounded_has_each_query_once_and_no_secret() {
        let mut store = QueryStore::default();
        for query in ["up", "sum(up)", "x{token=\"abc\"}", "up"] {
            store.apply(ran(query));
        }
        assert_eq!(store.history("prod"), ["up".into(), Text::from("sum(up)")]);
        assert_eq!(store.history("test"), Vec::<Text>::new());
        for i in 0..500 {
            store.apply(ran(&format!("up + {i}")));
        }
        assert_eq!((store.history("prod").len(), &*store.history("prod")[0]), (MAX_HISTORY, "up + 499"));
        // the source of a query about logs is kept as long as the query is
        let of_logs = StoreEdit::Ran("{app=\"x\"}".into(), Some("loki".into()));
        store.apply(StoreChange { context: "prod".into(), what: of_logs });
        assert_eq!(store.source_of("prod", "{app=\"x\"}").map(|name| &**name), Some("loki"));
        assert_eq!(store.source_of("prod", "up + 499"), None);
        (0..500).for_each(|i| store.apply(ran(&format!("up - {i}"))));
        assert_eq!(store.source_of("prod", "{app=\"x\"}"), None);
    }

    #[test]
    fn a_view_is_saved_once_replaced_by_name_and_read_back() {
        let mut store = QueryStore::default();
        for change in [saved("b", "up"), saved("a", "x"), saved("b", "sum(up)"), saved("b", "sum(up)")] {
            store.apply(change);
        }
        let names: Vec<_> = store.views("prod").iter().map(|view| (&*view.name, &*view.query)).collect();
        assert_eq!(names, [("a", "x"), ("b", "sum(up)")]);
        let json = serde_json::to_string(&store).unwrap();
        assert_eq!(serde_json::from_str::<QueryStore>(&json).unwrap(), store);
        store.apply(StoreChange { context: "prod".into(), what: StoreEdit::Delete("b".into()) });
        assert_eq!(store.views("prod").len(), 1);
    }
}
