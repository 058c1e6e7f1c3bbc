//! PromQL over the promises: their recorded series, the counters behind them, and which alerts fired.

use std::time::Duration;

use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::{BinaryExpr, Expr, VectorSelector};

use crate::model::duration;
use crate::model::labels::Labels;
use crate::model::series::{Line, Span};

use super::book::{Promised, Region};
use super::slos::Pledge;
use super::timeline::Timeline;
use super::world::{DemoWorld, Place};

/// Looks at a rate of requests for its mean.
const LOOKS: u32 = 6;

/// The moment and place of a query.
#[derive(Clone, Copy)]
pub(super) struct Stage<'a> {
    pub(super) region: Region,
    pub(super) span: Span,
    pub(super) clock: &'a Timeline,
}

impl DemoWorld {
    /// The lines of an expression over promises; `None` if it is about something else.
    pub(super) fn promised(&self, expr: &Expr, stage: Stage<'_>) -> Option<Vec<Line>> {
        match expr {
            Expr::Paren(paren) => self.promised(&paren.expr, stage),
            Expr::VectorSelector(selector) => match selector.name.as_deref()? {
                "ALERTS" => Some(self.alerted(selector, stage)),
                name => {
                    let lookback = name.strip_prefix("slo:sli_error:ratio_rate")?;
                    self.recorded(selector, duration::parse(lookback).ok()?, stage)
                }
            },
            // a mean of the shortest ratios is the ratio over the longer stretch
            Expr::Call(call) if call.func.name == "avg_over_time" => match &*call.args.first()? {
                Expr::MatrixSelector(matrix) => {
                    let name = matrix.vs.name.as_deref()?;
                    name.starts_with("slo:sli_error:ratio_rate").then_some(())?;
                    self.recorded(&matrix.vs, matrix.range, stage)
                }
                _ => None,
            },
            // what fired between two steps is at the next one already
            Expr::Call(call) if call.func.name == "max_over_time" => match &*call.args.first()? {
                Expr::MatrixSelector(matrix) if matrix.vs.name.as_deref() == Some("ALERTS") => {
                    Some(self.alerted(&matrix.vs, stage))
                }
                _ => None,
            },
            Expr::Aggregate(sum) if sum.op.to_string() == "sum" && sum.modifier.is_none() => match &*sum.expr
            {
                Expr::Call(call) if call.func.name == "rate" => match &*call.args.first()? {
                    Expr::MatrixSelector(matrix) => self.counted(&matrix.vs, matrix.range, stage),
                    _ => None,
                },
                _ => None,
            },
            Expr::Binary(binary) => self.joined(binary, stage),
            // there is one series of each already
            Expr::Aggregate(each) if matches!(&*each.op.to_string(), "max" | "count") => {
                self.promised(&each.expr, stage)
            }
            _ => None,
        }
    }

    /// A ratio, a share taken from one, or a ratio with zero where its counter is absent.
    fn joined(&self, binary: &BinaryExpr, stage: Stage<'_>) -> Option<Vec<Line>> {
        let right = || self.promised(&binary.rhs, stage);
        match (&*binary.lhs, &*binary.op.to_string()) {
            (Expr::NumberLiteral(number), "-") => Some(each(right()?, |value| number.val - value)),
            (left, "or") => {
                let mut lines = self.promised(left, stage)?;
                for line in right().into_iter().flatten() {
                    if lines.iter().all(|known| known.labels != line.labels) {
                        lines.push(line);
                    }
                }
                Some(lines)
            }
            (left, "/") => {
                let (part, whole) = (self.promised(left, stage)?, right()?);
                let pairs = part.into_iter().zip(whole);
                let divided = |(part, whole): (Line, Line)| Line {
                    values: part.values.iter().zip(&whole.values).map(|(part, whole)| part / whole).collect(),
                    labels: part.labels,
                };
                Some(pairs.map(divided).collect())
            }
            _ => None,
        }
    }

    fn recorded(&self, selector: &VectorSelector, lookback: Duration, stage: Stage<'_>) -> Option<Vec<Line>> {
        let id = equal(selector, "sloth_id")?;
        let Some((pledge, place)) = self.at(id, stage.region) else { return Some(Vec::new()) };
        let labels = Labels::from_iter([("sloth_id", id)]);
        Some(one(labels, stage, |from, to| self.bad_share(pledge, place, from, to), lookback))
    }

    /// Requests per second: all, those that failed, or those that were fast enough.
    fn counted(&self, selector: &VectorSelector, lookback: Duration, stage: Stage<'_>) -> Option<Vec<Line>> {
        let service = equal(selector, "service")?;
        let place = self.place(service, stage.region)?;
        let is_promise = |pledge: &&Pledge, slower: bool| {
            pledge.service() == service && matches!(pledge.promised, Promised::Slower(_)) == slower
        };
        let all = |from: f64, to: f64| self.mean_rate(place, from, to);
        let of = |slower: bool| self.pledges.iter().find(|pledge| is_promise(pledge, slower));
        let value: Box<dyn Fn(f64, f64) -> Option<f64>> = match selector.name.as_deref()? {
            "http_requests_total" if has(selector, "code") => {
                let pledge = of(false)?;
                Box::new(move |from, to| Some(self.bad_share(pledge, place, from, to)? * all(from, to)))
            }
            "http_request_duration_seconds_bucket" => {
                let pledge = of(true)?;
                Box::new(move |from, to| {
                    Some((1.0 - self.bad_share(pledge, place, from, to)?) * all(from, to))
                })
            }
            "http_requests_total" | "http_request_duration_seconds_count" => {
                Box::new(move |from, to| Some(all(from, to)))
            }
            _ => return None,
        };
        Some(one(Labels::default(), stage, value, lookback))
    }

    fn mean_rate(&self, place: &Place, from: f64, to: f64) -> f64 {
        let step = (to - from) / f64::from(LOOKS);
        let looks = (0..LOOKS).map(|i| self.rate(place, from + (f64::from(i) + 0.5) * step));
        looks.sum::<f64>() / f64::from(LOOKS)
    }

    /// `ALERTS`, one at each step at which an alert fires.
    fn alerted(&self, selector: &VectorSelector, stage: Stage<'_>) -> Vec<Line> {
        let Stage { region, span, clock } = stage;
        let until = (clock.demo(span.start()), clock.demo(span.end() + span.step()));
        let mut lines = Vec::new();
        for rule in self.rules_of(region) {
            for labels in self.subjects(rule).iter().map(|subject| super::alerts::alert_labels(rule, subject))
            {
                let found = |matcher: &Matcher| {
                    matcher.name == "alertstate" || matcher.is_match(labels.value(&matcher.name))
                };
                if !selector.matchers.matchers.iter().all(found) {
                    continue;
                }
                let mut values = vec![f64::NAN; span.count()];
                for firing in self.firings(&labels, region, until, clock) {
                    for (i, value) in values.iter_mut().enumerate() {
                        // a firing between two steps is seen at the next one
                        let (at, before) = (span.at(i), span.at(i) - span.step());
                        if firing.from <= at && firing.to > before {
                            *value = 1.0;
                        }
                    }
                }
                if values.iter().any(|value| !value.is_nan()) {
                    lines.push(Line { labels, values });
                }
            }
        }
        lines
    }

    fn at(&self, id: &str, region: Region) -> Option<(&Pledge, &Place)> {
        let pledge = self.pledge(id)?;
        Some((pledge, self.place(pledge.service(), region)?))
    }
}

fn one(
    labels: Labels,
    Stage { span, clock, .. }: Stage<'_>,
    value: impl Fn(f64, f64) -> Option<f64>,
    lookback: Duration,
) -> Vec<Line> {
    let length = lookback.as_secs_f64() * clock.speed();
    let at = |i| {
        let to = clock.demo(span.at(i));
        value(to - length, to).unwrap_or(f64::NAN)
    };
    let values: Vec<f64> = (0..span.count()).map(at).collect();
    if values.iter().all(|value| value.is_nan()) { Vec::new() } else { vec![Line { labels, values }] }
}

fn each(mut lines: Vec<Line>, change: impl Fn(f64) -> f64) -> Vec<Line> {
    lines.iter_mut().flat_map(|line| &mut line.values).for_each(|value| *value = change(*value));
    lines
}

fn equal<'a>(selector: &'a VectorSelector, name: &str) -> Option<&'a str> {
    let is_it = |matcher: &&Matcher| matcher.name == name && matcher.op == MatchOp::Equal;
    selector.matchers.matchers.iter().find(is_it).map(|matcher| matcher.value.as_str())
}

fn has(selector: &VectorSelector, name: &str) -> bool {
    selector.matchers.matchers.iter().any(|matcher| matcher.name == name)
}
