//! A small PromQL evaluator over series that are functions of time; supports what sources, rules and charts query.
//!
//! A counter computes its own increase, so that a rate over 30 days costs no more than one over a minute. The lookback delta
//! is not simulated: each series knows when it has samples, as if its end had a staleness marker.

mod aggregate;
mod binary;
mod functions;
mod window;

use std::collections::BTreeMap;
use std::time::UNIX_EPOCH;

use promql_parser::parser::{AtModifier, Expr, LabelModifier, Offset, VectorSelector};

use crate::model::labels::Labels;

pub(super) use window::{WindowSamples, written};

/// A time series as a function of time; all times are in Unix seconds.
pub(super) trait SeriesFunction {
    /// The value of the newest sample; `None` before the series begins and after it has ended.
    fn at(&self, t: f64) -> Option<f64>;

    /// Whether there is a newest sample; can be cheaper than computing its value.
    fn is_there(&self, t: f64) -> bool {
        self.at(t).is_some()
    }

    /// The number of stored series that have a newest sample: more than one for a sum of series.
    fn number(&self, t: f64) -> f64 {
        f64::from(u8::from(self.is_there(t)))
    }

    /// The increase of a counter.
    fn increase(&self, from: f64, to: f64) -> Option<f64> {
        Some(self.at(to)? - self.at(from)?)
    }

    /// The mean of the values, if it can be computed without sampling.
    fn mean(&self, _from: f64, _to: f64) -> Option<f64> {
        None
    }

    /// The ranges with samples that overlap a time range; each from its beginning to its end, which is excluded.
    fn sample_ranges(&self, from: f64, to: f64) -> Vec<(f64, f64)> {
        vec![(from, to + 1.0)]
    }

    /// The time of one sample and the distance between samples, in seconds.
    fn grid(&self) -> (f64, f64);
}

/// A selected series; its labels include the name.
pub(super) struct SelectedSeries<'a> {
    pub(super) labels: Labels,
    pub(super) run: Box<dyn SeriesFunction + 'a>,
}

/// A set of series.
pub(super) trait SeriesStore {
    /// All series that match the selector.
    fn select(&self, selector: &VectorSelector) -> Vec<SelectedSeries<'_>>;

    /// The same for a query that adds the series up by the labels that are `kept`: series that only differ in other labels
    /// can be one, whose values and increases are their sums, and which has samples while any of them has.
    fn select_summed(
        &self,
        selector: &VectorSelector,
        kept: &dyn Fn(&str) -> bool,
    ) -> Vec<SelectedSeries<'_>>;
}

/// Whether a series with these labels matches a selector.
pub(super) fn is_chosen(labels: &Labels, selector: &VectorSelector) -> bool {
    selector.name.as_ref().is_none_or(|name| *name == labels.value("__name__"))
        && selector.matchers.matchers.iter().all(|matcher| matcher.is_match(labels.value(&matcher.name)))
}

/// The values of a series at the times of a query; `None` where there is no value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct EvaluatedSeries {
    pub(super) labels: Labels,
    pub(super) values: Vec<Option<f64>>,
}

/// The value of an expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Evaluated {
    /// One value for each time.
    Scalar(Vec<f64>),
    Text(String),
    Lines(Vec<EvaluatedSeries>),
    /// Stored samples: only for an instant query with a range selector.
    Samples(Vec<WindowSamples>),
}

/// Evaluates an instant query.
///
/// # Errors
/// The error message of a Prometheus server, or that this evaluator does not support the expression.
pub(super) fn instant(store: &dyn SeriesStore, expr: &Expr, t: f64) -> Result<Evaluated, String> {
    let eval = Eval { store, times: &[t], bounds: (t, t), only_presence: false, summed: None };
    match expr {
        Expr::MatrixSelector(_) | Expr::Subquery(_) => {
            let windows = eval.windows(expr)?;
            Ok(Evaluated::Samples(windows.iter().filter_map(|window| window.samples(t)).collect()))
        }
        _ => eval.value(expr),
    }
}

/// Evaluates a range query.
pub(super) fn range(
    store: &dyn SeriesStore,
    expr: &Expr,
    times: &[f64],
) -> Result<Vec<EvaluatedSeries>, String> {
    let (Some(start), Some(end)) = (times.first(), times.last()) else { return Ok(Vec::new()) };
    let eval = Eval { store, times, bounds: (*start, *end), only_presence: false, summed: None };
    match eval.value(expr)? {
        Evaluated::Lines(lines) => Ok(lines),
        Evaluated::Scalar(values) => {
            let values = values.into_iter().map(Some).collect();
            Ok(vec![EvaluatedSeries { labels: Labels::default(), values }])
        }
        Evaluated::Text(_) | Evaluated::Samples(_) => {
            Err("invalid expression type for range query, must be Scalar or instant Vector".to_owned())
        }
    }
}

/// The evaluation of an expression at some times.
#[derive(Clone, Copy)]
struct Eval<'a> {
    store: &'a dyn SeriesStore,
    times: &'a [f64],
    /// The values of `start()` and `end()`.
    bounds: (f64, f64),
    /// Only whether there is a value matters: every value is 1.
    only_presence: bool,
    /// The series are added up by these labels, so that the store can do so.
    summed: Option<Summed<'a>>,
}

/// How an aggregation adds series up.
#[derive(Clone, Copy)]
struct Summed<'a> {
    by: Option<&'a LabelModifier>,
    /// The number of series is counted instead of their values.
    counts: bool,
}

impl Summed<'_> {
    fn keeps(self, name: &str) -> bool {
        match self.by {
            None => false,
            Some(LabelModifier::Include(kept)) => kept.labels.iter().any(|one| one == name),
            Some(LabelModifier::Exclude(dropped)) => !dropped.labels.iter().any(|one| one == name),
        }
    }
}

impl<'a> Eval<'a> {
    /// The series that match a selector.
    fn select(self, selector: &VectorSelector) -> Vec<SelectedSeries<'a>> {
        match self.summed {
            None => self.store.select(selector),
            Some(summed) => self.store.select_summed(selector, &|name| summed.keeps(name)),
        }
    }
}

impl Eval<'_> {
    fn value(self, expr: &Expr) -> Result<Evaluated, String> {
        match expr {
            Expr::NumberLiteral(number) => Ok(Evaluated::Scalar(vec![number.val; self.times.len()])),
            Expr::StringLiteral(text) => Ok(Evaluated::Text(text.val.clone())),
            Expr::Paren(paren) => self.value(&paren.expr),
            Expr::Unary(unary) => Ok(match self.value(&unary.expr)? {
                Evaluated::Lines(lines) => Evaluated::Lines(each(lines, |value| -value)),
                Evaluated::Scalar(values) => {
                    Evaluated::Scalar(values.into_iter().map(|value| -value).collect())
                }
                other @ (Evaluated::Text(_) | Evaluated::Samples(_)) => other,
            }),
            Expr::VectorSelector(selector) => Ok(Evaluated::Lines(self.selected(selector))),
            Expr::Aggregate(aggregate) => {
                Self { summed: None, ..self }.aggregated(aggregate).map(Evaluated::Lines)
            }
            Expr::Binary(binary) => Self { only_presence: false, ..self }.binary(binary),
            Expr::Call(call) => self.function_call(call),
            Expr::MatrixSelector(_) | Expr::Subquery(_) => {
                Err("expected type instant vector, got range vector".to_owned())
            }
            Expr::Extension(_) => Err("the simulated server does not know this expression".to_owned()),
        }
    }

    fn lines(self, expr: &Expr) -> Result<Vec<EvaluatedSeries>, String> {
        let Evaluated::Lines(lines) = self.value(expr)? else {
            return Err("expected type instant vector".to_owned());
        };
        Ok(lines)
    }

    fn scalars(self, expr: &Expr) -> Result<Vec<f64>, String> {
        let Evaluated::Scalar(values) = (Self { only_presence: false, ..self }).value(expr)? else {
            return Err("expected type scalar".to_owned());
        };
        Ok(values)
    }

    fn text(self, expr: &Expr) -> Result<String, String> {
        let Evaluated::Text(text) = self.value(expr)? else {
            return Err("expected type string".to_owned());
        };
        Ok(text)
    }

    /// The values of the selected series.
    fn selected(self, selector: &VectorSelector) -> Vec<EvaluatedSeries> {
        let found = self.select(selector);
        let line = |found: &SelectedSeries<'_>| {
            let value = |t: &f64| {
                let t = self.shifted(selector.at.as_ref(), selector.offset.as_ref(), *t);
                let run = &found.run;
                if self.summed.is_some_and(|summed| summed.counts) {
                    return Some(run.number(t)).filter(|number| *number > 0.0);
                }
                if self.only_presence { run.is_there(t).then_some(1.0) } else { run.at(t) }
            };
            EvaluatedSeries { labels: found.labels.clone(), values: self.times.iter().map(value).collect() }
        };
        non_empty(found.iter().map(line))
    }

    /// Applies the `@` and `offset` modifiers to a time.
    fn shifted(self, at: Option<&AtModifier>, offset: Option<&Offset>, t: f64) -> f64 {
        let t = match at {
            None => t,
            Some(AtModifier::Start) => self.bounds.0,
            Some(AtModifier::End) => self.bounds.1,
            Some(AtModifier::At(time)) => match time.duration_since(UNIX_EPOCH) {
                Ok(since) => since.as_secs_f64(),
                Err(before) => -before.duration().as_secs_f64(),
            },
        };
        match offset {
            None => t,
            Some(Offset::Pos(offset)) => t - offset.as_secs_f64(),
            Some(Offset::Neg(offset)) => t + offset.as_secs_f64(),
        }
    }
}

/// The lines that have a value at any time.
fn non_empty(lines: impl Iterator<Item = EvaluatedSeries>) -> Vec<EvaluatedSeries> {
    lines.filter(|line| line.values.iter().any(Option::is_some)).collect()
}

/// The labels without the metric name.
fn without_name(labels: &Labels) -> Labels {
    labels.without(|name| name == "__name__")
}

/// The labels that a modifier (`by`, `without`, `on`, `ignoring`) keeps.
fn modified(labels: &Labels, modifier: &LabelModifier) -> Labels {
    match modifier {
        LabelModifier::Include(kept) => labels.without(|name| !kept.labels.iter().any(|one| one == name)),
        LabelModifier::Exclude(dropped) => {
            labels.without(|name| name == "__name__" || dropped.labels.iter().any(|one| one == name))
        }
    }
}

/// The lines with equal keys.
fn grouped(
    lines: &[EvaluatedSeries],
    key: impl Fn(&Labels) -> Labels,
) -> BTreeMap<Labels, Vec<&EvaluatedSeries>> {
    let mut groups: BTreeMap<Labels, Vec<&EvaluatedSeries>> = BTreeMap::new();
    for line in lines {
        groups.entry(key(&line.labels)).or_default().push(line);
    }
    groups
}

/// Changes all values, and drops the metric names.
fn each(lines: Vec<EvaluatedSeries>, change: impl Fn(f64) -> f64) -> Vec<EvaluatedSeries> {
    let changed = |line: EvaluatedSeries| EvaluatedSeries {
        labels: without_name(&line.labels),
        values: line.values.into_iter().map(|value| value.map(&change)).collect(),
    };
    lines.into_iter().map(changed).collect()
}

/// Joins lines with equal labels.
///
/// # Errors
/// If two of them have a value at the same time.
fn joined(lines: impl IntoIterator<Item = EvaluatedSeries>) -> Result<Vec<EvaluatedSeries>, String> {
    let mut by_labels: BTreeMap<Labels, Vec<Option<f64>>> = BTreeMap::new();
    for line in lines {
        match by_labels.get_mut(&line.labels) {
            None => drop(by_labels.insert(line.labels, line.values)),
            Some(known) => {
                for (known, value) in known.iter_mut().zip(line.values) {
                    if known.is_some() && value.is_some() {
                        return Err("vector cannot contain metrics with the same labelset".to_owned());
                    }
                    *known = known.or(value);
                }
            }
        }
    }
    Ok(non_empty(by_labels.into_iter().map(|(labels, values)| EvaluatedSeries { labels, values })))
}

#[cfg(test)]
mod tests;
