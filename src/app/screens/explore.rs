//! Explore: queries that the user writes, in the language of the chosen source, with completion and hints; the result as chart,
//! table, log lines and JSON.
//!
//! ```text
//!  Explore  prom-eu  last 1h, step 15s  12 series
//! > sum by (zone) (rate(http_requests_total{job="api"}[5m]))▏
//!   ▲ 1:24 ...
//!  40/s┤      ⣀⣀⡠⠤⠤
//!      └──────────────
//!   ZONE      LAST     MIN     MAX
//! ```

mod edit;
mod exemplars;
mod lines;
mod results;
mod run;
mod split;
mod stored;
#[cfg(test)]
mod tests;
mod view;

use std::collections::{BTreeMap, BTreeSet};

use crate::app::chart_control::ChartedTime;
use crate::app::completion::Completion;
use crate::app::explore_choice::{ChartQuery, ExploreChoice};
use crate::app::key::Key;
use crate::app::line_editor::LineEditor;
use crate::app::log_list::LogList;
use crate::app::log_subject::LogSubject;
use crate::app::menu::Menu;
use crate::app::prelude::*;
use crate::app::query_editor::QueryEditor;
use crate::app::zoomed_grid::ZoomedGrid;
use crate::model::evaluation::{EvaluationKey, LabelSearch, QueryResult};
use crate::model::promql::lint::QueryLint;
use crate::model::promql::{QueryParseError, QueryRemark};
use crate::model::query_language::QueryLanguage;
use crate::model::saved_query::QueryStore;
use crate::model::series::{Matrix, TimeGrid};
use crate::model::source::SourceError;
use crate::model::words::words;
use results::{ORDERS, ResultTable, ShownResult};

/// The most points of a chart.
const POINTS: u16 = 240;

words! {
    /// How the result is shown.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
    pub enum ResultView: word {
        #[default]
        Chart = "chart",
        Table = "table",
        Json = "JSON",
    }
}

/// What the keyboard is used for.
#[derive(Debug, Default)]
enum Focus {
    #[default]
    Results,
    Editor,
    /// The name of a view to save.
    Name(LineEditor),
}

/// A row: a series of the result; before any query is run a query that can be run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExploreRow {
    Series(Labels),
    /// A saved view by its name.
    View(Text),
    /// A query of the history.
    Query(Text),
}

/// Why the present query has no newer result; it is not sent again until something changes.
#[derive(Debug)]
struct QueryFailure {
    key: EvaluationKey,
    end: Option<Timestamp>,
    error: SourceError,
    /// The line and the column that the server names.
    place: Option<(usize, usize)>,
    /// What the server says, without the place.
    words: String,
}

#[derive(Debug, Default)]
pub struct Explore {
    editor: QueryEditor,
    focus: Focus,
    completion: Option<Completion>,
    /// The labels that the completion needs.
    searched: Option<LabelSearch>,
    /// Whether the text is valid, and hints about it.
    checked: Option<Result<Vec<QueryLint>, QueryParseError>>,
    /// How many metrics were known when it was checked.
    checked_with: usize,
    /// Whether the user tried to run a text with an error.
    is_refused: bool,
    /// The query that was run.
    query: Option<Text>,
    /// Whether queries are evaluated once and not over the time range.
    is_instant: bool,
    view: ResultView,
    /// The chosen source; none: the first that answers queries.
    source: Option<SourceId>,
    shown: Option<ShownResult>,
    failure: Option<QueryFailure>,
    rows: FilteredList<ExploreRow>,
    items: ResultTable,
    /// The log lines of the result.
    lines: LogList,
    /// The revision of the items, for the filter.
    revision: u64,
    hidden: BTreeSet<Labels>,
    /// The number of each series, for its colour.
    colours: BTreeMap<Labels, usize>,
    alone: Option<Labels>,
    has_exemplars: bool,
    store: QueryStore,
    /// The context of the views and of the history.
    context: Option<Text>,
    /// The place in the history that the editor shows.
    recalled: Option<usize>,
    scroll_position: ScrollPosition,
}

impl Explore {
    /// The source that queries are sent to.
    fn asked<'a>(&self, shared: &'a Shared) -> Option<&'a SourceId> {
        let mut all = shared.answering(AskKind::Evaluation);
        let chosen = self.source.as_ref();
        let found = all.clone().find(|source| Some(&source.id) == chosen);
        let found = found.or_else(|| all.clone().find(|source| !source.language.is_of_logs()));
        found.or_else(|| all.next()).map(|source| &source.id)
    }

    /// The finer grid of what the chart is zoomed to, with the key of the present query on it.
    fn zoomed(&self, shared: &Shared, now: Timestamp) -> Option<(EvaluationKey, ZoomedGrid)> {
        let query = self.query.clone().filter(|_| !self.is_instant && self.view != ResultView::Json)?;
        let zoomed = ZoomedGrid::of(shared, self.charted(shared, now)?, POINTS, now)?;
        Some((EvaluationKey::new(query, Some(zoomed.grid)), zoomed))
    }

    /// The query for its points.
    fn finer_want(&self, shared: &Shared, source: &SourceId, now: Timestamp) -> Option<Want> {
        let (evaluation, zoomed) = self.zoomed(shared, now)?;
        let query = Query::Evaluation { evaluation, window: Some(zoomed.grid) };
        Some(want::at(shared, source, query, zoomed.moment))
    }

    /// The finer points of what the chart is zoomed to, if they have arrived.
    fn finer<'a>(&self, shared: &'a Shared, now: Timestamp) -> Option<&'a Matrix> {
        let (key, zoomed) = self.zoomed(shared, now)?;
        let answers = shared.world.cache(self.asked(shared)?)?.at(zoomed.moment);
        match &answers.evaluations.get(&key)?.value()?.result {
            QueryResult::Matrix { matrix, .. } if zoomed.fits(matrix.span) => Some(matrix),
            QueryResult::Matrix { .. }
            | QueryResult::Scalar(_)
            | QueryResult::Text(_)
            | QueryResult::Vector(_)
            | QueryResult::Samples(_)
            | QueryResult::Lines { .. } => None,
        }
    }

    /// The language of the source that queries are sent to.
    fn language(&self, shared: &Shared) -> QueryLanguage {
        let id = self.asked(shared);
        let source = shared.answering(AskKind::Evaluation).find(|source| Some(&source.id) == id);
        source.map(|source| source.language).unwrap_or_default()
    }

    /// Whether the list below the query has the lines of a log.
    fn lists_lines(&self) -> bool {
        self.query.is_some() && self.view != ResultView::Json && self.has_lines()
    }

    /// Whether the result is the lines of a log.
    fn has_lines(&self) -> bool {
        self.shown.as_ref().is_some_and(|shown| shown.evaluation.result.lines().is_some())
    }

    /// Whether the list has rows: series, saved views, the history.
    fn lists_series(&self) -> bool {
        self.query.is_none() || self.view != ResultView::Json && !self.has_lines()
    }

    /// The grid of the time range, unless queries are evaluated once.
    fn window(&self, shared: &Shared, now: Timestamp) -> Option<TimeGrid> {
        (!self.is_instant).then(|| shared.range.span(now, POINTS, shared.interval))
    }

    /// The question that the present query is.
    fn asked_key(&self, shared: &Shared, now: Timestamp) -> Option<(EvaluationKey, Option<TimeGrid>)> {
        let window = self.window(shared, now);
        Some((EvaluationKey::new(self.query.clone()?, window), window))
    }

    /// The error of the present query, if it is of the same range.
    fn failure(&self, shared: &Shared, key: &EvaluationKey) -> Option<&SourceError> {
        let failure = self.failure.as_ref();
        failure.filter(|one| one.key == *key && one.end == shared.range.end).map(|one| &one.error)
    }

    /// Whether the keys are text.
    fn is_typing(&self) -> bool {
        match self.focus {
            Focus::Results => false,
            Focus::Editor | Focus::Name(_) => true,
        }
    }

    /// The number of a series, for its colour.
    fn colour(&self, labels: &Labels) -> usize {
        self.colours.get(labels).copied().unwrap_or(0)
    }

    /// Whether the query is being written.
    fn is_writing(&self) -> bool {
        matches!(self.focus, Focus::Editor)
    }

    /// The place of the first error of the text.
    fn error(&self) -> Option<&QueryRemark> {
        match self.checked.as_ref()?.as_ref().err()? {
            QueryParseError::Refused(remark) => Some(remark),
            QueryParseError::Unknown(_) => None,
        }
    }
}

impl Screen for Explore {
    fn scopes(&self) -> &'static [Scope] {
        &[Scope::Explore, Scope::Charts, Scope::Time, Scope::List]
    }

    fn hints(&self) -> Vec<Hint> {
        if self.is_typing() {
            return match self.focus {
                Focus::Name(_) => hints![Open "save", Back "cancel"],
                Focus::Editor | Focus::Results => hints![Open "run", NextPanel "complete", Back "leave"],
            };
        }
        match (&self.query, self.view) {
            (None, _) => hints![Explore "write", Open "run", Views, Back],
            (Some(_), ResultView::Chart | ResultView::Table) if self.has_lines() => {
                hints![Explore "edit", Open "fields", NextPanel "count by", ShowAs, Logs "follow", Filter, Range, Views, Back]
            }
            (Some(_), ResultView::Chart) => {
                hints![Explore "edit", NextPanel "split", ShowAs, Range, CursorBack "values", Open "only this", Hide, Alone, Views, Back]
            }
            (Some(_), ResultView::Table) => {
                hints![Explore "edit", NextPanel "split", ShowAs, Instant, Filter, Sort, Open "only this", Views, Back]
            }
            (Some(_), ResultView::Json) => hints![Explore "edit", ShowAs, Copy, Back],
        }
    }

    drawn_by_view!();

    fn wants(&self, shared: &Shared, now: Timestamp) -> Vec<Want> {
        let Some(source) = self.asked(shared) else { return Vec::new() };
        let mut wants = Vec::new();
        if let Some((key, window)) = self.asked_key(shared, now)
            && self.failure(shared, &key).is_none()
        {
            wants.push(want::of(shared, source, Query::Evaluation { evaluation: key, window }));
        }
        if !self.language(shared).is_of_logs() {
            wants.push(want::of(shared, source, Query::Metrics));
        }
        if let Some(wanted) = self.searched.clone().filter(|_| self.is_typing()) {
            wants.push(want::of(shared, source, Query::Labels { wanted }));
        }
        wants.extend(self.exemplars_want(shared, source, now));
        wants.extend(self.finer_want(shared, source, now));
        wants
    }

    fn reorder(&mut self, _shared: &Shared, is_typing: bool) {
        self.arrange(is_typing);
    }

    fn lay_out(&mut self, shared: &Shared, _is_news: bool, now: Timestamp) {
        self.lines.layout.width = shared.size.0;
        self.take_answers(shared, now);
    }

    fn leave(&mut self) {
        self.focus = Focus::Results;
        self.completion = None;
    }

    fn to_top(&mut self) {
        self.rows.list.to_top();
    }

    fn change_context(&mut self, _shared: &Shared) {
        let store = std::mem::take(&mut self.store);
        *self = Self { store, ..Self::default() };
    }

    lists_rows!();

    keeps_scroll_position!();

    fn list(&self) -> Option<&dyn Cursor> {
        if self.lists_lines() {
            return Some(&self.lines);
        }
        self.lists_series().then_some(&self.rows.list as &dyn Cursor)
    }

    fn list_mut(&mut self) -> Option<&mut dyn Cursor> {
        if self.lists_lines() {
            return Some(&mut self.lines);
        }
        self.lists_series().then_some(&mut self.rows.list as &mut dyn Cursor)
    }

    fn grid(&self, shared: &Shared, body: Rect) -> Grid {
        Grid::list(view::list_area(self, shared, body))
    }

    fn last_scroll(&self, _shared: &Shared, area: Rect) -> u16 {
        let lines = self.shown.as_ref().map_or(0, |shown| shown.json_lines().len());
        u16::try_from(lines).unwrap_or(u16::MAX).saturating_sub(area.height)
    }

    fn orders(&self) -> Vec<NamedOrder> {
        named(&ORDERS)
    }

    fn copied(&self, _shared: &Shared, _now: Timestamp) -> Option<String> {
        if self.lists_lines() {
            return self.copied_lines();
        }
        match self.view {
            ResultView::Json => self.shown.as_ref().map(|shown| shown.evaluation.raw.to_string()),
            ResultView::Table => {
                let row = |key: &ExploreRow| Some(self.item(key)?.copied());
                self.rows.list.copied(row).or_else(|| self.query.as_ref().map(ToString::to_string))
            }
            ResultView::Chart => self.query.as_ref().map(ToString::to_string),
        }
    }

    /// The trace at the value cursor.
    fn open(&mut self, shared: &Shared) -> Opened {
        self.trace_place(shared).into()
    }

    fn links(&self, shared: &Shared) -> Vec<(String, Text)> {
        self.traces(shared)
    }

    fn run(&mut self, shared: &mut Shared, command: Command, now: Timestamp) -> bool {
        self.run_command(shared, command, now)
    }

    fn menu(&self, shared: &Shared, command: Command, _now: Timestamp) -> Option<Menu> {
        self.menu_of(shared, command)
    }

    fn is_editing(&self) -> bool {
        self.is_typing()
    }

    fn edit(&mut self, shared: &mut Shared, key: Key, now: Timestamp) {
        self.press(shared, key, now);
    }

    fn paste(&mut self, shared: &Shared, text: &str) {
        self.insert(shared, text);
    }

    fn choose(&mut self, shared: &mut Shared, choice: ExploreChoice, now: Timestamp) {
        self.run_choice(shared, choice, now);
    }

    fn take_store(&mut self, store: QueryStore) {
        self.store = store;
        self.arrange(false);
    }

    fn charted(&self, shared: &Shared, now: Timestamp) -> Option<ChartedTime> {
        if self.has_lines() {
            return None;
        }
        let grid = self.shown.as_ref().and_then(ShownResult::span).or_else(|| self.window(shared, now))?;
        (self.view != ResultView::Json).then_some(ChartedTime { grid, event: None })
    }

    fn shown_logs(&self, _shared: &Shared) -> Option<LogSubject> {
        self.log_subject()
    }

    fn chart_queries(&self, shared: &Shared, _now: Timestamp) -> Vec<ChartQuery> {
        let query = self.query.clone();
        let source = self.asked(shared).cloned();
        query.map(|query| ChartQuery { title: "query".to_owned(), query, source }).into_iter().collect()
    }
}
