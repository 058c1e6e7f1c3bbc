//! PromQL functions on instant vectors.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use promql_parser::label::MatchOp;
use promql_parser::parser::{Call, Expr};
use regex::Regex;

use super::{Eval, Evaluated, EvaluatedSeries, each, joined, non_empty, without_name};
use crate::model::labels::Labels;
use crate::model::promql::bare;

impl Eval<'_> {
    pub(super) fn function_call(self, call: &Call) -> Result<Evaluated, String> {
        let name = call.func.name;
        let argument = |number: usize| {
            call.args
                .args
                .get(number)
                .map(|argument| &**argument)
                .ok_or_else(|| format!("too few arguments in call to {name}()"))
        };
        let moments = self.times.len();
        Ok(match name {
            "time" => Evaluated::Scalar(self.times.to_vec()),
            "pi" => Evaluated::Scalar(vec![std::f64::consts::PI; moments]),
            "vector" => {
                let values = self.scalars(argument(0)?)?.into_iter().map(Some).collect();
                Evaluated::Lines(vec![EvaluatedSeries { labels: Labels::default(), values }])
            }
            "scalar" => {
                let lines = self.lines(argument(0)?)?;
                let at = |at: usize| {
                    let mut non_empty =
                        lines.iter().filter_map(|line| line.values.get(at).copied().flatten());
                    non_empty.next().filter(|_| non_empty.next().is_none()).unwrap_or(f64::NAN)
                };
                Evaluated::Scalar((0..moments).map(at).collect())
            }
            "absent" => {
                let argument = argument(0)?;
                Evaluated::Lines(absent(argument, &self.lines(argument)?, moments))
            }
            "absent_over_time" => {
                let argument = argument(0)?;
                let lines = self.over_time("present_over_time", argument, &[])?;
                Evaluated::Lines(absent(argument, &lines, moments))
            }
            "timestamp" => Evaluated::Lines(self.timestamps(argument(0)?)?),
            "label_replace" => {
                let texts = [1, 2, 3, 4].map(|number| argument(number).and_then(|text| self.text(text)));
                let [target, replacement, source, pattern] = texts;
                let pattern = pattern?;
                let regex = Regex::new(&format!("^(?s:{pattern})$"))
                    .map_err(|error| format!("invalid regular expression in label_replace(): {error}"))?;
                let (target, replacement, source) = (target?, replacement?, source?);
                Evaluated::Lines(joined(self.lines(argument(0)?)?.into_iter().map(|line| {
                    let Some(found) = regex.captures(line.labels.value(&source)) else { return line };
                    let mut value = String::new();
                    found.expand(&replacement, &mut value);
                    EvaluatedSeries { labels: line.labels.with_strs([(&target, value)]), ..line }
                }))?)
            }
            "label_join" => Evaluated::Lines(self.label_join(call)?),
            "histogram_quantile" => {
                let shares = self.scalars(argument(0)?)?;
                let inner = Self { only_presence: false, ..self };
                Evaluated::Lines(quantiles(&shares, inner.lines(argument(1)?)?)?)
            }
            "clamp" | "clamp_min" | "clamp_max" | "round" => {
                let bound = |number: usize, otherwise: f64| match call.args.args.get(number) {
                    Some(bound) => self.scalars(bound),
                    None => Ok(vec![otherwise; moments]),
                };
                let (one, other) = (bound(1, 1.0)?, bound(2, f64::NAN)?);
                let lines = self.lines(argument(0)?)?.into_iter().map(|line| {
                    let both = line.values.into_iter().zip(one.iter().zip(&other));
                    let is_empty = |one: f64, other: f64| name == "clamp" && one > other;
                    let values = both.map(|(value, (one, other))| {
                        Some(bounded(name, value?, *one, *other)).filter(|_| !is_empty(*one, *other))
                    });
                    EvaluatedSeries { labels: without_name(&line.labels), values: values.collect() }
                });
                Evaluated::Lines(non_empty(lines))
            }
            "sort" | "sort_desc" => Evaluated::Lines(self.sorted(argument(0)?, name == "sort_desc")?),
            "sort_by_label" | "sort_by_label_desc" => {
                Evaluated::Lines(self.sorted_by_label(call, name == "sort_by_label_desc")?)
            }
            "predict_linear" => {
                let ahead = self.scalars(argument(1)?)?;
                Evaluated::Lines(self.over_time(name, argument(0)?, &ahead)?)
            }
            "quantile_over_time" => {
                let shares = self.scalars(argument(0)?)?;
                Evaluated::Lines(self.over_time(name, argument(1)?, &shares)?)
            }
            _ if part_of_time(name).is_some() && call.args.args.is_empty() => {
                let part = part_of_time(name).unwrap_or(f64::floor);
                let values = self.times.iter().map(|t| Some(part(*t))).collect();
                Evaluated::Lines(vec![EvaluatedSeries { labels: Labels::default(), values }])
            }
            _ => match of_numbers(name).or_else(|| part_of_time(name)) {
                Some(change) => Evaluated::Lines(each(self.lines(argument(0)?)?, change)),
                None if is_over_time(name) => Evaluated::Lines(self.over_time(name, argument(0)?, &[])?),
                None => return Err(format!("{name}() is not simulated")),
            },
        })
    }

    /// Evaluates a function on a range vector.
    fn over_time(self, name: &str, argument: &Expr, param: &[f64]) -> Result<Vec<EvaluatedSeries>, String> {
        let counts_only = matches!(name, "count_over_time" | "present_over_time" | "absent_over_time");
        let is_subquery = matches!(bare(argument), Expr::Subquery(_));
        let inner = Self { only_presence: is_subquery && (counts_only || self.only_presence), ..self };
        let windows = inner.windows(argument)?;
        let lines = windows.iter().map(|window| window.line(name, param, self.times, self.only_presence));
        Ok(non_empty(lines))
    }

    /// The text arguments from this one on.
    fn texts(self, call: &Call, from: usize) -> Result<Vec<String>, String> {
        call.args.args.iter().skip(from).map(|argument| self.text(argument)).collect()
    }

    /// The lines of the first argument.
    fn first_lines(self, call: &Call) -> Result<Vec<EvaluatedSeries>, String> {
        let first = call.args.args.first();
        self.lines(first.ok_or_else(|| format!("too few arguments in call to {}()", call.func.name))?)
    }

    /// Evaluates `label_join`.
    fn label_join(self, call: &Call) -> Result<Vec<EvaluatedSeries>, String> {
        let texts = self.texts(call, 1)?;
        let [target, between, sources @ ..] = texts.as_slice() else {
            return Err("too few arguments in call to label_join()".to_owned());
        };
        joined(self.first_lines(call)?.into_iter().map(|line| {
            let values: Vec<&str> = sources.iter().map(|source| line.labels.value(source)).collect();
            EvaluatedSeries { labels: line.labels.with_strs([(target, values.join(between))]), ..line }
        }))
    }

    /// The lines in the order of the values of some labels.
    fn sorted_by_label(self, call: &Call, is_falling: bool) -> Result<Vec<EvaluatedSeries>, String> {
        let names = self.texts(call, 1)?;
        let mut lines = self.first_lines(call)?;
        let key = |line: &EvaluatedSeries| {
            let values: Vec<String> = names.iter().map(|name| line.labels.value(name).to_owned()).collect();
            (values, line.labels.clone())
        };
        lines.sort_by_cached_key(key);
        if is_falling {
            lines.reverse();
        }
        Ok(lines)
    }

    /// The lines in the order of their values; a query over a time range has no such order.
    fn sorted(self, argument: &Expr, is_falling: bool) -> Result<Vec<EvaluatedSeries>, String> {
        let mut lines = self.lines(argument)?;
        if self.times.len() == 1 {
            let value = |line: &EvaluatedSeries| line.values.first().copied().flatten();
            // values that are no number come last in both orders
            let rank = |line: &EvaluatedSeries| {
                let value = value(line).filter(|value| !value.is_nan());
                value.map_or(f64::INFINITY, |value| if is_falling { -value } else { value })
            };
            let is_nan = |line: &EvaluatedSeries| value(line).is_none_or(f64::is_nan);
            lines.sort_by(|a, b| is_nan(a).cmp(&is_nan(b)).then(rank(a).total_cmp(&rank(b))));
        }
        Ok(lines)
    }

    /// The times of the newest samples, for `timestamp()`.
    fn timestamps(self, argument: &Expr) -> Result<Vec<EvaluatedSeries>, String> {
        let Expr::VectorSelector(selector) = bare(argument) else {
            let lines = Self { only_presence: true, ..self }.lines(argument)?.into_iter().map(|line| {
                let both = line.values.iter().zip(self.times);
                let values = both.map(|(value, t)| value.map(|_| *t)).collect();
                EvaluatedSeries { labels: without_name(&line.labels), values }
            });
            return Ok(lines.collect());
        };
        let found = self.select(selector);
        Ok(non_empty(found.into_iter().map(|found| {
            let (phase, every) = found.run.grid();
            let newest = |t: &f64| {
                let t = self.shifted(selector.at.as_ref(), selector.offset.as_ref(), *t);
                let newest = phase + ((t - phase) / every).floor() * every;
                found.run.is_there(t).then_some(newest)
            };
            let values = self.times.iter().map(newest).collect();
            EvaluatedSeries { labels: without_name(&found.labels), values }
        })))
    }
}

fn is_over_time(name: &str) -> bool {
    const OTHERS: [&str; 9] =
        ["rate", "increase", "irate", "delta", "idelta", "deriv", "changes", "resets", "absent_over_time"];
    name.ends_with("_over_time") || OTHERS.contains(&name)
}

/// Functions that change each value separately.
fn of_numbers(name: &str) -> Option<fn(f64) -> f64> {
    Some(match name {
        "abs" => f64::abs,
        "ceil" => f64::ceil,
        "floor" => f64::floor,
        "exp" => f64::exp,
        "ln" => f64::ln,
        "log2" => f64::log2,
        "log10" => f64::log10,
        "sqrt" => f64::sqrt,
        "sin" => f64::sin,
        "cos" => f64::cos,
        "tan" => f64::tan,
        "asin" => f64::asin,
        "acos" => f64::acos,
        "atan" => f64::atan,
        "sinh" => f64::sinh,
        "cosh" => f64::cosh,
        "tanh" => f64::tanh,
        "asinh" => f64::asinh,
        "acosh" => f64::acosh,
        "atanh" => f64::atanh,
        "deg" => f64::to_degrees,
        "rad" => f64::to_radians,
        "sgn" => |value| if value == 0.0 || value.is_nan() { value } else { value.signum() },
        _ => return None,
    })
}

/// Functions that take a part of a Unix time, in UTC.
fn part_of_time(name: &str) -> Option<fn(f64) -> f64> {
    fn civil(value: f64) -> Option<DateTime> {
        #[expect(clippy::cast_possible_truncation, reason = "saturates, and is checked")]
        let moment = Timestamp::from_second(value.floor() as i64).ok()?;
        Some(moment.to_zoned(TimeZone::UTC).datetime())
    }
    fn part<N: Into<f64>>(value: f64, of: impl Fn(DateTime) -> N) -> f64 {
        civil(value).map_or(f64::NAN, |time| of(time).into())
    }
    Some(match name {
        "minute" => |value| part(value, DateTime::minute),
        "hour" => |value| part(value, DateTime::hour),
        "day_of_week" => |value| part(value, |time| time.weekday().to_sunday_zero_offset()),
        "day_of_month" => |value| part(value, DateTime::day),
        "day_of_year" => |value| part(value, DateTime::day_of_year),
        "days_in_month" => |value| part(value, DateTime::days_in_month),
        "month" => |value| part(value, DateTime::month),
        "year" => |value| part(value, DateTime::year),
        _ => return None,
    })
}

/// The result of `clamp`, `clamp_min`, `clamp_max` or `round`.
fn bounded(name: &str, value: f64, one: f64, other: f64) -> f64 {
    match name {
        "clamp_min" => value.max(one),
        "clamp_max" => value.min(one),
        "round" => (value / one + 0.5).floor() * one,
        _ => value.min(other).max(one),
    }
}

/// One line with 1 where the argument has no value, with the labels of the selector's `=` matchers.
fn absent(argument: &Expr, lines: &[EvaluatedSeries], moments: usize) -> Vec<EvaluatedSeries> {
    let selector = match bare(argument) {
        Expr::VectorSelector(selector) => Some(selector),
        Expr::MatrixSelector(matrix) => Some(&matrix.vs),
        _ => None,
    };
    let matchers = selector.iter().flat_map(|selector| &selector.matchers.matchers);
    let equal = matchers.filter(|matcher| matcher.op == MatchOp::Equal && matcher.name != "__name__");
    let labels = equal.map(|matcher| (matcher.name.as_str(), matcher.value.as_str())).collect();
    let is_absent = |at: usize| lines.iter().all(|line| line.values.get(at).copied().flatten().is_none());
    let values = (0..moments).map(|at| is_absent(at).then_some(1.0)).collect();
    non_empty(std::iter::once(EvaluatedSeries { labels, values }))
}

/// The upper bound of a bucket, and its cumulative count at each time.
type HistogramBucket = (f64, Vec<Option<f64>>);

/// The quantile of each histogram in these buckets.
fn quantiles(shares: &[f64], buckets: Vec<EvaluatedSeries>) -> Result<Vec<EvaluatedSeries>, String> {
    let mut histograms: BTreeMap<Labels, Vec<HistogramBucket>> = BTreeMap::new();
    for line in buckets {
        let Ok(bound) = line.labels.value("le").parse::<f64>() else { continue };
        let labels = line.labels.without(|name| matches!(name, "le" | "__name__"));
        histograms.entry(labels).or_default().push((bound, line.values));
    }
    joined(histograms.into_iter().map(|(labels, mut bounds)| {
        bounds.sort_by(|a, b| a.0.total_cmp(&b.0));
        let at = |(at, share): (usize, &f64)| {
            let counts: Vec<(f64, f64)> = bounds
                .iter()
                .filter_map(|(bound, values)| Some((*bound, values.get(at).copied().flatten()?)))
                .collect();
            (!counts.is_empty()).then(|| quantile(*share, &counts))
        };
        EvaluatedSeries { labels, values: shares.iter().enumerate().map(at).collect() }
    }))
}

/// The quantile of one histogram, given as sorted upper bounds with cumulative counts.
///
/// Source: `BucketQuantile` of Prometheus' `promql/quantile.go`.
fn quantile(share: f64, buckets: &[(f64, f64)]) -> f64 {
    let Some(((top, all), below)) = buckets.split_last() else { return f64::NAN };
    if share.is_nan() || *top != f64::INFINITY || below.is_empty() || *all <= 0.0 {
        return f64::NAN;
    }
    if !(0.0..=1.0).contains(&share) {
        return if share < 0.0 { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    let rank = share * all;
    let number = below.partition_point(|(_, count)| *count < rank);
    let Some((end, count)) = below.get(number) else {
        return below.last().map_or(f64::NAN, |(bound, _)| *bound);
    };
    let (start, before) = match number.checked_sub(1).and_then(|number| below.get(number)) {
        Some((start, before)) => (*start, *before),
        None if *end <= 0.0 => return *end,
        None => (0.0, 0.0),
    };
    start + (end - start) * (rank - before) / (count - before)
}
