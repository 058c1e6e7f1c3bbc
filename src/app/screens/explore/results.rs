//! The rows of a result: one for each series, sorted and filtered; which labels tell them apart.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::{Explore, ExploreRow, QueryFailure, ResultView};
use crate::app::columns::{ThingOrder, ascending, compare, descending};
use crate::app::filter::FilterFields;
use crate::app::prelude::*;
use crate::model::evaluation::{EvaluatedQuery, EvaluationKey, NativeHistogram, QueryResult, SampleValue};
use crate::model::series::{Matrix, TimeGrid};
use crate::model::source::ErrorKind;
use crate::model::warning::Warning;

/// The columns of the table that belong to no label.
pub(super) const LAST: &str = "LAST";
pub(super) const MIN: &str = "MIN";
pub(super) const MAX: &str = "MAX";

/// By what the rows can be ordered.
pub(super) const ORDERS: [ThingOrder<ResultRow>; 4] = [
    descending("value", LAST, |a, b| by_number(a.last, b.last)),
    ascending("as the server sorts", "", |_, _| Ordering::Equal),
    descending("maximum", MAX, |a, b| by_number(a.max, b.max)),
    ascending("labels", "", |a, b| a.labels.cmp(&b.labels)),
];

/// The highest first; unknown values last.
fn by_number(a: f64, b: f64) -> Ordering {
    match (a.is_nan(), b.is_nan()) {
        (false, false) => b.total_cmp(&a),
        (a, b) => a.cmp(&b),
    }
}

/// The result on the screen.
#[derive(Debug)]
pub(super) struct ShownResult {
    pub(super) key: EvaluationKey,
    pub(super) source: SourceId,
    pub(super) evaluation: Arc<EvaluatedQuery>,
    /// When it arrived.
    pub(super) at: Option<Timestamp>,
    /// The end of the time range; `None`: the present.
    pub(super) end: Option<Timestamp>,
    pub(super) warnings: Vec<Warning>,
    /// The JSON wrapped to a width.
    json: Option<(u16, Vec<String>)>,
}

/// The longest JSON that is wrapped for the screen, in bytes.
const MAX_JSON: usize = 256 * 1024;

impl ShownResult {
    /// The series over the range, if the result has some.
    pub(super) fn matrix(&self) -> Option<&Matrix> {
        match &self.evaluation.result {
            QueryResult::Matrix { matrix, .. } => Some(matrix),
            QueryResult::Scalar(_)
            | QueryResult::Text(_)
            | QueryResult::Vector(_)
            | QueryResult::Samples(_)
            | QueryResult::Lines { .. } => None,
        }
    }

    pub(super) fn span(&self) -> Option<TimeGrid> {
        self.matrix().map(|matrix| matrix.span)
    }

    /// The lines of the JSON, once they are laid out.
    pub(super) fn json_lines(&self) -> &[String] {
        self.json.as_ref().map_or(&[], |(_, lines)| lines)
    }

    /// Indents the JSON and wraps it to a width, unless that was done before; a long one is cut with a remark.
    pub(super) fn lay_out_json(&mut self, width: u16) {
        if self.json.as_ref().is_none_or(|(known, _)| *known != width) {
            self.json = Some((width, self.wrapped_json(width)));
        }
    }

    fn wrapped_json(&self, width: u16) -> Vec<String> {
        let raw = &*self.evaluation.raw;
        let value =
            (raw.len() <= MAX_JSON).then(|| serde_json::from_str::<serde_json::Value>(raw).ok()).flatten();
        let indented = value.and_then(|value| serde_json::to_string_pretty(&value).ok());
        let text = indented.as_deref().unwrap_or(raw);
        let mut end = text.len().min(MAX_JSON);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let mut lines = text::wrap(text.get(..end).unwrap_or_default(), width.max(10));
        if end < text.len() {
            lines.push(format!("... {} more bytes; y copies all", text.len() - end));
        }
        lines
    }
}

/// One series of a result.
#[derive(Debug, Clone)]
pub(super) struct ResultRow {
    pub(super) key: ExploreRow,
    pub(super) labels: Labels,
    /// The newest value, or the only one; NaN if there is none.
    pub(super) last: f64,
    pub(super) min: f64,
    pub(super) max: f64,
    /// What is shown in place of a number.
    pub(super) words: Option<String>,
    /// The index in the matrix.
    pub(super) line: Option<usize>,
}

impl ResultRow {
    fn new(labels: &Labels, values: &(impl Iterator<Item = f64> + Clone)) -> Self {
        let finite = || values.clone().filter(|value| !value.is_nan());
        Self {
            key: ExploreRow::Series(labels.clone()),
            labels: labels.clone(),
            last: finite().last().unwrap_or(f64::NAN),
            min: finite().reduce(f64::min).unwrap_or(f64::NAN),
            max: finite().reduce(f64::max).unwrap_or(f64::NAN),
            words: None,
            line: None,
        }
    }

    fn of_words(labels: &Labels, words: String) -> Self {
        Self { words: Some(words), ..Self::new(labels, &std::iter::empty()) }
    }

    fn of_histogram(labels: &Labels, histogram: &NativeHistogram) -> Self {
        let mean = histogram.mean().map(|mean| format!(", mean {mean:.4}")).unwrap_or_default();
        let buckets = histogram.buckets.len();
        let words = format!("histogram: count {}{mean}, {buckets} buckets", histogram.count);
        Self { last: histogram.count, ..Self::of_words(labels, words) }
    }

    /// A query that can be run.
    pub(super) fn stored(key: ExploreRow, name: &str, query: &Text) -> Self {
        let labels = Labels::from_iter([("view", name), ("query", &**query)]);
        Self { key, ..Self::new(&labels, &std::iter::empty()) }
    }

    /// The series with its value, as text.
    pub(super) fn copied(&self) -> String {
        let value = self.words.clone().unwrap_or_else(|| self.last.to_string());
        format!("{} {value}", self.labels)
    }
}

/// All rows of a result, and what tells them apart.
#[derive(Debug, Default)]
pub(super) struct ResultTable {
    pub(super) rows: Vec<ResultRow>,
    index: BTreeMap<ExploreRow, usize>,
    /// The labels that do not have the same value in all rows.
    pub(super) differing: Vec<Text>,
    /// The labels that do.
    pub(super) common: Labels,
}

impl ResultTable {
    pub(super) fn new(rows: Vec<ResultRow>) -> Self {
        let index = rows.iter().enumerate().map(|(at, row)| (row.key.clone(), at)).collect();
        let (differing, common) = differing(&rows);
        Self { rows, index, differing, common }
    }

    pub(super) fn get(&self, key: &ExploreRow) -> Option<&ResultRow> {
        self.rows.get(*self.index.get(key)?)
    }
}

/// The rows of a result in the order of the server.
fn rows(result: &QueryResult) -> Vec<ResultRow> {
    let none = Labels::default();
    match result {
        QueryResult::Scalar(value) => vec![ResultRow::new(&none, &std::iter::once(*value))],
        QueryResult::Text(text) => vec![ResultRow::of_words(&none, text.to_string())],
        QueryResult::Lines { .. } => Vec::new(),
        QueryResult::Vector(all) => {
            let row = |one: &crate::model::evaluation::VectorSample| match &one.value {
                SampleValue::Number(value) => ResultRow::new(&one.labels, &std::iter::once(*value)),
                SampleValue::Histogram(histogram) => ResultRow::of_histogram(&one.labels, histogram),
            };
            all.iter().map(row).collect()
        }
        QueryResult::Matrix { matrix, histograms } => {
            let lines = matrix.lines.iter().enumerate().map(|(at, line)| ResultRow {
                line: Some(at),
                ..ResultRow::new(&line.labels, &line.values.iter().copied())
            });
            let histograms = histograms.iter().filter_map(|series| {
                let (_, last) = series.points.last()?;
                Some(ResultRow::of_histogram(&series.labels, last))
            });
            lines.chain(histograms).collect()
        }
        QueryResult::Samples(all) => {
            let row = |series: &crate::model::evaluation::StoredSamples| {
                let values = series.points.iter().map(|(_, value)| *value);
                let row = ResultRow::new(&series.labels, &values);
                let words = format!("{}  ({} samples)", row.last, series.points.len());
                ResultRow { words: Some(words), ..row }
            };
            all.iter().map(row).collect()
        }
    }
}

/// The names of labels that do not have the same value in all rows, and those that do, with their values.
fn differing(rows: &[ResultRow]) -> (Vec<Text>, Labels) {
    let Some((first, others)) = rows.split_first() else { return (Vec::new(), Labels::default()) };
    let names: BTreeSet<&Text> =
        rows.iter().flat_map(|row| row.labels.iter().map(|(name, _)| name)).collect();
    let is_same = |name: &str| others.iter().all(|row| row.labels.get(name) == first.labels.get(name));
    let differing = names.into_iter().filter(|name| !is_same(name)).cloned().collect();
    (differing, first.labels.without(|name| !is_same(name)))
}

/// The name of a series among others: the values of the labels that differ, with their names if there are several.
pub(super) fn short_name(labels: &Labels, differing: &[Text]) -> String {
    match differing {
        [] if labels.is_empty() => "value".to_owned(),
        [] => labels.get("__name__").map_or_else(|| labels.to_string(), ToString::to_string),
        [only] => labels.value(only).to_owned(),
        several => {
            let named = several.iter().filter_map(|name| Some(format!("{name}={}", labels.get(name)?)));
            named.collect::<Vec<_>>().join(" ")
        }
    }
}

impl Explore {
    /// The item of a row.
    pub(super) fn item(&self, key: &ExploreRow) -> Option<&ResultRow> {
        self.items.get(key)
    }

    /// Takes the answers that have arrived: the result of the present query, metrics, labels.
    pub(super) fn take_answers(&mut self, shared: &Shared, now: Timestamp) {
        if self.context.as_ref() != Some(&shared.context) {
            self.context = Some(shared.context.clone());
            self.arrange(false);
        }
        let Some(source) = self.asked(shared).cloned() else { return };
        let Some(cache) = shared.world.cache(&source) else { return };
        let known = cache.metrics().value().map_or(0, |metrics| metrics.all().len());
        let has_news = known != self.checked_with;
        if has_news || self.checked.is_none() && !self.editor.text().is_empty() {
            self.check(shared);
        }
        // what the list of completions waits for has arrived
        if self.is_writing() && self.completion.is_none() && (has_news || self.searched.is_some()) {
            self.complete(shared);
        }
        if self.view == ResultView::Json
            && let Some(shown) = &mut self.shown
        {
            shown.lay_out_json(shared.size.0);
        }
        let Some((key, _)) = self.asked_key(shared, now) else { return };
        let Some(remote) = cache.evaluations().get(&key) else { return };
        if let Some(error) = remote.failure().filter(|_| !remote.is_waiting)
            && (!error.kind.is_source_wide() || matches!(error.kind, ErrorKind::TimedOut { .. }))
        {
            let (key, end) = (key.clone(), shared.range.end);
            let said = self.language(shared).server_remark(&key.query, error.kind.said());
            let (place, words) = match said {
                Some((line, column, words)) => (Some((line, column)), words.to_owned()),
                None => (None, error.kind.to_string()),
            };
            self.failure = Some(QueryFailure { key, end, error: error.clone(), place, words });
        }
        let Some(evaluation) = remote.value() else { return };
        let end = shared.range.end;
        let is_known = self.shown.as_ref().is_some_and(|shown| {
            Arc::ptr_eq(&shown.evaluation, evaluation)
                && shown.key == key
                && shown.end == end
                && shown.at == remote.at
        });
        if is_known {
            return;
        }
        if remote.failure().is_none() {
            self.failure = None;
        }
        let is_first = self.shown.as_ref().is_none_or(|shown| shown.key.query != key.query);
        self.shown = Some(ShownResult {
            key,
            source,
            evaluation: Arc::clone(evaluation),
            at: remote.at,
            end,
            warnings: remote.warnings.clone(),
            json: None,
        });
        if is_first {
            self.hidden.clear();
            self.colours.clear();
            self.alone = None;
            self.rows.list.to_top();
            self.lines.clear();
            // what cannot be a chart is shown as a table
            if self.view == ResultView::Chart && self.is_instant {
                self.view = ResultView::Table;
            }
        }
        if self.view == ResultView::Json
            && let Some(shown) = &mut self.shown
        {
            shown.lay_out_json(shared.size.0);
        }
        self.list_items();
        self.assign_colours();
        self.arrange(false);
    }

    /// Gives each series a number for its colour: the highest values first, and the same as long as the query is.
    fn assign_colours(&mut self) {
        let mut new: Vec<&ResultRow> =
            self.items.rows.iter().filter(|row| !self.colours.contains_key(&row.labels)).collect();
        new.sort_by(|a, b| by_number(a.last, b.last));
        let first = self.colours.len();
        let numbered = new.into_iter().enumerate().map(|(at, row)| (row.labels.clone(), first + at));
        let numbered: Vec<(Labels, usize)> = numbered.collect();
        self.colours.extend(numbered);
    }

    /// Whether the query sorts its result itself.
    pub(super) fn is_sorted_by_server(&self) -> bool {
        let query = self.query.as_deref().unwrap_or_default().trim_start().to_ascii_lowercase();
        self.is_instant && ["sort", "topk", "bottomk", "limitk"].iter().any(|name| query.starts_with(name))
    }

    /// The rows of the result, or of what can be run before any query is.
    pub(super) fn list_items(&mut self) {
        self.items = self
            .shown
            .as_ref()
            .map(|shown| ResultTable::new(rows(&shown.evaluation.result)))
            .unwrap_or_default();
        self.revision += 1;
    }

    /// Sorts and filters the rows.
    pub(super) fn arrange(&mut self, is_typing: bool) {
        if self.query.is_none() {
            self.offer_stored();
        }
        self.arrange_lines();
        let fields = FilterFields { numbers: &["value", "max"], ..FilterFields::default() };
        let items = &self.items.rows;
        let haystack = || {
            let rows = items.iter().map(|row| (&row.labels, [], [], [row.last, row.max]));
            Haystack::with_fields::<[&Text; 0], 0, 2>(fields, rows)
        };
        let passes = self.rows.found.select(self.revision, is_typing, haystack);
        let mut rows: Vec<&ResultRow> = passing(items, passes.as_deref()).collect();
        let order = self.rows.order;
        let is_sorted = self.query.is_none() || order == SortOrder::default() && self.is_sorted_by_server();
        if !is_sorted {
            rows.sort_by(|a, b| compare(&ORDERS, order, |by| by(a, b)));
        }
        self.rows.list.set_rows(rows.into_iter().map(|row| row.key.clone()).collect());
    }

    /// Whether a series is drawn in the chart.
    pub(super) fn is_visible(&self, labels: &Labels) -> bool {
        self.alone.as_ref().map_or_else(|| !self.hidden.contains(labels), |alone| alone == labels)
    }
}
