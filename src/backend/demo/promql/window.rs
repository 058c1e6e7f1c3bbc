//! PromQL functions on range vectors.

use promql_parser::parser::{Expr, SubqueryExpr};

use super::{Eval, EvaluatedSeries, SelectedSeries, SeriesFunction, without_name};
use crate::model::labels::Labels;

/// The maximum number of samples of a series that are evaluated in one window, evenly spaced, for functions without a
/// formula.
const LOOKS: f64 = 120.0;
/// The maximum number of samples in an answer or a subquery.
const MOST: f64 = 100_000.0;
/// The default step of a subquery, in seconds.
const STEP: f64 = 60.0;
/// The tolerance for the time of a sample, as a fraction of the distance between samples.
const CLOSE: f64 = 1e-4;

/// The samples of a series: Unix seconds and values.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::backend::demo) struct WindowSamples {
    pub(in crate::backend::demo) labels: Labels,
    pub(in crate::backend::demo) points: Vec<(f64, f64)>,
}

/// A series and the length of the window, which ends at a given time.
pub(super) struct RangeWindow<'a> {
    pub(super) labels: Labels,
    source: SampleSource<'a>,
    range: f64,
    /// Maps a time of the query to the end of the window.
    end: Box<dyn Fn(f64) -> f64 + 'a>,
}

enum SampleSource<'a> {
    Run(Box<dyn SeriesFunction + 'a>),
    /// The result of a subquery.
    Points(Vec<(f64, f64)>),
}

impl<'a> Eval<'a> {
    /// The windows of a range selector or a subquery.
    pub(super) fn windows<'b>(self, expr: &'b Expr) -> Result<Vec<RangeWindow<'b>>, String>
    where
        'a: 'b,
    {
        match expr {
            Expr::Paren(paren) => self.windows(&paren.expr),
            Expr::MatrixSelector(matrix) => {
                let window = |found: SelectedSeries<'b>| RangeWindow {
                    labels: found.labels,
                    source: SampleSource::Run(found.run),
                    range: matrix.range.as_secs_f64(),
                    end: Box::new(move |t| self.shifted(matrix.vs.at.as_ref(), matrix.vs.offset.as_ref(), t)),
                };
                Ok(self.select(&matrix.vs).into_iter().map(window).collect())
            }
            Expr::Subquery(subquery) => self.of_subquery(subquery),
            _ => Err("expected type range vector, got instant vector".to_owned()),
        }
    }

    /// Evaluates the inner expression of a subquery at its steps.
    fn of_subquery<'b>(self, subquery: &'b SubqueryExpr) -> Result<Vec<RangeWindow<'b>>, String>
    where
        'a: 'b,
    {
        let range = subquery.range.as_secs_f64();
        let step = subquery.step.map_or(STEP, |step| step.as_secs_f64()).max(0.001);
        let end = move |t| self.shifted(subquery.at.as_ref(), subquery.offset.as_ref(), t);
        let ends = self.times.iter().map(|t| end(*t));
        let (first, last) = ends
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(first, last), end| (first.min(end), last.max(end)));
        // the window excludes its beginning
        let (first, last) = (((first - range) / step).floor() + 1.0, (last / step).floor());
        if last - first > MOST {
            return Err("query processing would load too many samples into memory".to_owned());
        }
        let mut times = Vec::new();
        let mut number = first;
        while number <= last {
            times.push(number * step);
            number += 1.0;
        }
        let inner = Eval { times: &times, ..self };
        let lines = inner.lines(&subquery.expr)?;
        let window = |line: EvaluatedSeries| RangeWindow {
            labels: line.labels,
            source: SampleSource::Points(
                times.iter().zip(line.values).filter_map(|(t, value)| Some((*t, value?))).collect(),
            ),
            range,
            end: Box::new(end),
        };
        Ok(lines.into_iter().map(window).collect())
    }
}

impl RangeWindow<'_> {
    /// The samples in the window that ends at this time; `None` if there are none.
    pub(super) fn samples(&self, t: f64) -> Option<WindowSamples> {
        let to = (self.end)(t);
        let points = match &self.source {
            SampleSource::Run(run) => looks(&**run, to - self.range, to, MOST),
            SampleSource::Points(points) => within(points, to - self.range, to).to_vec(),
        };
        (!points.is_empty()).then(|| WindowSamples { labels: self.labels.clone(), points })
    }

    /// Applies a function to the window at each time; `param` is the function's scalar parameter.
    pub(super) fn line(
        &self,
        function: &str,
        param: &[f64],
        times: &[f64],
        only_presence: bool,
    ) -> EvaluatedSeries {
        let at = |(number, t): (usize, &f64)| {
            let to = (self.end)(*t);
            let from = to - self.range;
            // a prediction counts from the time of the query, also if the window ended earlier
            let ahead = if function == "predict_linear" { *t - to } else { 0.0 };
            let param = param.get(number).map(|param| param + ahead);
            match &self.source {
                SampleSource::Run(run) if only_presence && function != "absent_over_time" => {
                    (!run.sample_ranges(from, to).is_empty()).then_some(1.0)
                }
                SampleSource::Run(run) => of_run(function, param, &**run, from, to),
                SampleSource::Points(points) => {
                    of_points(function, param, within(points, from, to), from, to)
                }
            }
        };
        let keeps_name = matches!(function, "last_over_time" | "first_over_time");
        let labels = if keeps_name { self.labels.clone() } else { without_name(&self.labels) };
        EvaluatedSeries { labels, values: times.iter().enumerate().map(at).collect() }
    }
}

/// The points after `from`, up to and including `to`.
fn within(points: &[(f64, f64)], from: f64, to: f64) -> &[(f64, f64)] {
    let first = points.partition_point(|(t, _)| *t <= from);
    let last = points.partition_point(|(t, _)| *t <= to);
    points.get(first..last).unwrap_or_default()
}

/// The indexes of the first and last sample of each range with samples within a window.
fn counter_age(run: &dyn SeriesFunction, from: f64, to: f64) -> Vec<(f64, f64)> {
    let (phase, every) = run.grid();
    let number = |t: f64| (t - phase) / every;
    let runs = run.sample_ranges(from, to).into_iter().map(|(begin, end)| {
        let first = (number(begin) - CLOSE).ceil().max((number(from) + CLOSE).floor() + 1.0);
        let last = ((number(end) - CLOSE).ceil() - 1.0).min((number(to) + CLOSE).floor());
        (first, last)
    });
    runs.filter(|(first, last)| first <= last).collect()
}

/// The number of samples within a window.
fn count(run: &dyn SeriesFunction, from: f64, to: f64) -> f64 {
    counter_age(run, from, to).iter().map(|(first, last)| last - first + 1.0).sum()
}

/// Samples within a window: all of them, or at most about `most` evenly spaced ones, including the first and the last of each
/// range.
fn looks(run: &dyn SeriesFunction, from: f64, to: f64, most: f64) -> Vec<(f64, f64)> {
    let (phase, every) = run.grid();
    let all = counter_age(run, from, to);
    let total: f64 = all.iter().map(|(first, last)| last - first + 1.0).sum();
    let stride = (total / most).max(1.0);
    let mut points = Vec::new();
    for (first, last) in all {
        let mut number = first;
        loop {
            let t = phase + number.round() * every;
            points.extend(run.at(t).map(|value| (t, value)));
            if number >= last {
                break;
            }
            number = (number + stride).min(last);
        }
    }
    points
}

/// Applies a function to a series within a window; counters use their own increase.
fn of_run(function: &str, param: Option<f64>, run: &dyn SeriesFunction, from: f64, to: f64) -> Option<f64> {
    match function {
        "rate" => Some(run.increase(from, to)? / (to - from)),
        "increase" => run.increase(from, to),
        "irate" => {
            let (_, every) = run.grid();
            Some(run.increase(to - every, to)? / every)
        }
        "count_over_time" => Some(count(run, from, to)).filter(|count| *count > 0.0),
        "present_over_time" => (!counter_age(run, from, to).is_empty()).then_some(1.0),
        "sum_over_time" => {
            let mean = of_run("avg_over_time", None, run, from, to)?;
            Some(mean * count(run, from, to))
        }
        "avg_over_time" => match run.mean(from, to) {
            Some(mean) => Some(mean),
            None => of_points(function, param, &looks(run, from, to, LOOKS), from, to),
        },
        "last_over_time" => {
            let (phase, every) = run.grid();
            run.at(phase + counter_age(run, from, to).last()?.1 * every)
        }
        _ => of_points(function, param, &looks(run, from, to, LOOKS), from, to),
    }
}

/// Applies a function to samples within a window.
fn of_points(function: &str, param: Option<f64>, points: &[(f64, f64)], from: f64, to: f64) -> Option<f64> {
    let (first, last) = (points.first()?, points.last()?);
    let values = || points.iter().map(|(_, value)| *value);
    let pairs = || points.windows(2).filter_map(|pair| Some((pair.first()?, pair.last()?)));
    Some(match function {
        "present_over_time" => 1.0,
        "last_over_time" => last.1,
        "first_over_time" => first.1,
        "quantile_over_time" => return quantile(param?, &values().collect::<Vec<_>>()),
        "changes" => pairs().filter(|(one, other)| one.1.to_bits() != other.1.to_bits()).count() as f64,
        "resets" => pairs().filter(|(one, other)| other.1 < one.1).count() as f64,
        "rate" => return Some(extrapolated(points, from, to, true)? / (to - from)),
        "increase" => return extrapolated(points, from, to, true),
        "delta" => return extrapolated(points, from, to, false),
        "irate" | "idelta" => {
            let (one, other) = pairs().next_back()?;
            let grown = if function == "irate" && other.1 < one.1 { other.1 } else { other.1 - one.1 };
            if function == "irate" { grown / (other.0 - one.0) } else { grown }
        }
        "deriv" => line_through(points)?.1,
        "predict_linear" => {
            let ((at, of), slope) = line_through(points)?;
            of + slope * (to + param? - at)
        }
        "mad_over_time" => {
            let middle = quantile(0.5, &values().collect::<Vec<_>>())?;
            return quantile(0.5, &values().map(|value| (value - middle).abs()).collect::<Vec<_>>());
        }
        _ => return Some(reduce(function.strip_suffix("_over_time")?)?(&values().collect::<Vec<_>>())),
    })
}

/// A point of the line with the least squares through these points, and its slope; `None` for less than two points.
fn line_through(points: &[(f64, f64)]) -> Option<((f64, f64), f64)> {
    if points.len() < 2 {
        return None;
    }
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / points.len() as f64;
    let (at, of) = (mean(|point| point.0), mean(|point| point.1));
    let both: f64 = points.iter().map(|(t, value)| (t - at) * (value - of)).sum();
    Some(((at, of), both / points.iter().map(|(t, _)| (t - at) * (t - at)).sum::<f64>()))
}

/// The increase within a window, extrapolated from the samples to the whole window as Prometheus does.
///
/// Source: `extrapolatedRate` of Prometheus' `promql/functions.go`.
fn extrapolated(points: &[(f64, f64)], from: f64, to: f64, is_counter: bool) -> Option<f64> {
    let (first, last) = (points.first()?, points.last()?);
    if points.len() < 2 {
        return None;
    }
    let pairs = points.windows(2).filter_map(|pair| Some((pair.first()?.1, pair.last()?.1)));
    let lost: f64 = pairs.filter(|(one, other)| is_counter && other < one).map(|(one, _)| one).sum();
    let grown = last.1 - first.1 + lost;
    let sampled = last.0 - first.0;
    let between = sampled / (points.len() - 1) as f64;
    let reached = |gap: f64| if gap >= between * 1.1 { between / 2.0 } else { gap };
    let mut before = reached(first.0 - from);
    if is_counter && grown > 0.0 && first.1 >= 0.0 {
        // a counter cannot have been below zero
        before = before.min(sampled * (first.1 / grown));
    }
    Some(grown * (sampled + before + reached(to - last.0)) / sampled)
}

/// The function of an aggregation operator, or of the function with this name and `_over_time`.
pub(super) fn reduce(op: &str) -> Option<fn(&[f64]) -> f64> {
    fn sum(values: &[f64]) -> f64 {
        values.iter().sum()
    }
    fn mean(values: &[f64]) -> f64 {
        sum(values) / values.len() as f64
    }
    fn variance(values: &[f64]) -> f64 {
        let mean = mean(values);
        values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / values.len() as f64
    }
    Some(match op {
        "sum" => sum,
        "avg" => mean,
        "count" => |values| values.len() as f64,
        "group" => |_| 1.0,
        "min" => |values| values.iter().copied().fold(f64::NAN, f64::min),
        "max" => |values| values.iter().copied().fold(f64::NAN, f64::max),
        "stdvar" => variance,
        "stddev" => |values| variance(values).sqrt(),
        _ => return None,
    })
}

/// The quantile of these values; `share` is from 0 to 1.
pub(super) fn quantile(share: f64, values: &[f64]) -> Option<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    Some(match share {
        _ if values.is_empty() || share.is_nan() => f64::NAN,
        below if below < 0.0 => f64::NEG_INFINITY,
        above if above > 1.0 => f64::INFINITY,
        share => {
            let rank = share * (values.len() - 1) as f64;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the values")]
            let lower = rank.floor() as usize;
            let (low, high) = (values.get(lower)?, values.get(lower + 1).or_else(|| values.last())?);
            low + (high - low) * (rank - rank.floor())
        }
    })
}

/// A value in Prometheus notation.
pub(in crate::backend::demo) fn written(value: f64) -> String {
    match value {
        f64::INFINITY => "+Inf".to_owned(),
        f64::NEG_INFINITY => "-Inf".to_owned(),
        value => value.to_string(),
    }
}
