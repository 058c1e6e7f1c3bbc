//! Why a service is unhealthy: finds the signals that changed, and compares the bad time with the time before by every label.
//!
//! `docs/why.md` documents the steps. One analysis sends at most [`budget::MOST_REQUESTS`] requests, however many services,
//! labels and values there are.

use std::time::Duration;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};

use super::call::QuestionRequests;
use super::changes::ServiceChanges;
use super::metric_discovery::DiscoveryPlan;
use crate::model::change::Change;
use crate::model::labels::{Labels, Text};
use crate::model::promql;
use crate::model::series::TimeGrid;
use crate::model::slo::TimeRange;
use crate::model::source::SourceError;
use crate::model::why::{
    DependencyState, Difference, OtherService, ResourceState, SignalShift, Symptom, WhyAnalysis, WhyQuery,
    WhySignal, bound_shift, is_ratio, level_shift, ratio_shift, slower, traffic_shift,
};
use budget::Budget;
use grid::WhyGrid;
use levels::LevelSeries;
use metrics::{Counted, ServiceMetrics, comparable};
pub(super) use metrics::{PART, part};
use signals::{Buckets, ReadSignals, existing_codes, looked_at};
use tables::LabelComparison;

mod budget;
mod configured;
mod grid;
mod levels;
mod metrics;
mod neighbours;
mod over;
mod signals;
mod tables;
#[cfg(test)]
mod tests;

/// Changes are read from this long before the alert, or before now.
const CHANGES_BEFORE: SignedDuration = SignedDuration::from_mins(75);
/// How bad slow requests are, compared with failed ones.
const SLOW: f64 = 0.25;
/// The most levels whose places are compared.
const LEVELS_COMPARED: usize = 2;
/// A resource is told from this utilisation on, also if it has not changed.
const FULL: f64 = 0.9;

/// Answers the question at this moment, or now.
///
/// # Errors
/// The first error, if no request succeeds.
pub(super) async fn analysis(
    call: &QuestionRequests<'_>,
    plan: &DiscoveryPlan,
    query: &WhyQuery,
    at: Option<Timestamp>,
) -> Result<WhyAnalysis, SourceError> {
    let budget = Budget::new(call);
    let now = at.unwrap_or_else(|| budget.now());
    let end = query.until.map_or(now, |until| until.min(now));
    let mut analysis = WhyAnalysis {
        is_known: true,
        looked_at: Vec::new(),
        symptoms: Vec::new(),
        dependencies: Vec::new(),
        resources: Vec::new(),
        others: Vec::new(),
        changes: Vec::new(),
        notes: Vec::new(),
        requests: 0,
    };
    if let Some(metrics) = metrics::of_service(&budget, plan, &query.service, end).await {
        analysis.is_known = !metrics.all.is_empty() || metrics.requests.is_some();
        if analysis.is_known {
            let run = Run { budget: &budget, plan, query, metrics: &metrics, end };
            Box::pin(run.fill(&mut analysis)).await;
        }
    }
    analysis.requests = budget.sent();
    analysis.notes = budget.end()?;
    Ok(analysis)
}

/// One analysis of a service that has metrics.
#[derive(Clone, Copy)]
struct Run<'a> {
    budget: &'a Budget<'a>,
    plan: &'a DiscoveryPlan,
    query: &'a WhyQuery,
    metrics: &'a ServiceMetrics,
    end: Timestamp,
}

impl Run<'_> {
    fn wants(&self, signal: WhySignal) -> bool {
        self.query.signal.is_none_or(|wanted| wanted == signal)
    }

    /// Whether the question is about some of the requests only.
    fn is_narrowed(&self) -> bool {
        !self.query.filters.is_empty()
    }

    async fn fill(&self, analysis: &mut WhyAnalysis) {
        let (interval, labels, slow_labels) =
            tokio::join!(self.interval(), self.request_labels(), self.latency_labels());
        let codes = self
            .metrics
            .requests
            .as_ref()
            .map(|(requests, _)| existing_codes(requests, &labels))
            .unwrap_or_default();
        // an alert or an incident may be over: then everything is read up to the end of its bad time
        let known = match self.query.since {
            Some(since) => {
                let signals = Box::pin(self.signals(interval, &codes)).await;
                match over::end(&signals, since) {
                    Some(end) => Some((signals.until(end), Some(end))),
                    None => Some((signals, None)),
                }
            }
            None => None,
        };
        let end = known.as_ref().and_then(|(_, end)| *end).unwrap_or(self.end);
        let run = Run { end, ..*self };
        let signals = known.map(|(signals, _)| signals);
        Box::pin(run.compare(analysis, (interval, signals), &codes, (&labels, &slow_labels))).await;
    }

    async fn signals(&self, interval: Duration, codes: &[String]) -> ReadSignals {
        let (requests, buckets) = tokio::join!(self.requests(interval, codes), self.buckets(interval));
        ReadSignals { requests, buckets }
    }

    /// Compares the signals, which are read if they are not known yet.
    async fn compare(
        &self,
        analysis: &mut WhyAnalysis,
        (interval, known): (Duration, Option<ReadSignals>),
        codes: &[String],
        (labels, slow_labels): (&[Text], &[Text]),
    ) {
        let levels_grid = WhyGrid::new(self.query, self.end, interval, 1000.0);
        let wants_beside = !self.is_narrowed();
        let (signals, levels, dependencies, changes) = tokio::join!(
            async {
                match known {
                    Some(signals) => signals,
                    None => Box::pin(self.signals(interval, codes)).await,
                }
            },
            async {
                if !wants_beside
                    || self
                        .query
                        .signal
                        .is_some_and(|signal| signal < WhySignal::Saturation && signal > WhySignal::Targets)
                {
                    return Vec::new();
                }
                levels::read(self.budget, self.metrics, levels_grid.span, levels_grid.lookback).await
            },
            async {
                if !wants_beside {
                    return Vec::new();
                }
                Box::pin(self.dependencies(levels_grid, codes)).await
            },
            async { if wants_beside { self.changes(interval).await } else { Vec::new() } }
        );
        analysis.changes = changes;
        analysis.looked_at = looked_at(&signals, &levels);
        analysis.dependencies = dependencies;
        let mut comparisons = self.comparisons(&signals, codes, (labels, slow_labels));
        comparisons.sort_by(|a, b| b.0.severity.total_cmp(&a.0.severity));
        let compared = join_all(comparisons.iter().map(async |(_, comparison)| match comparison {
            Some(comparison) => Box::pin(comparison.run(self.budget)).await,
            None => tables::ComparedLabels::default(),
        }));
        let changed = changed_levels(&levels);
        let (compared, levels, others) = tokio::join!(
            compared,
            self.level_symptoms(changed, levels_grid),
            self.others(&signals, codes, comparisons.first().map(|(symptom, _)| symptom))
        );
        for ((mut symptom, _), compared) in comparisons.into_iter().zip(compared) {
            (symptom.findings, symptom.labels) = (compared.findings, compared.labels);
            analysis.symptoms.push(symptom);
        }
        analysis.symptoms.extend(levels.0);
        // a level may rise because requests fail or are slow: what users notice comes first
        let is_level = |symptom: &Symptom| symptom.signal == WhySignal::Saturation;
        analysis.symptoms.sort_by(|a, b| {
            is_level(a)
                .cmp(&is_level(b))
                .then(b.severity.total_cmp(&a.severity))
                .then(a.signal.cmp(&b.signal))
        });
        analysis.resources = levels.1;
        analysis.others = others;
        self.note_end(&signals);
    }

    /// The services that it calls: those that the metrics of calls tell, and those that are configured.
    async fn dependencies(&self, grid: WhyGrid, codes: &[String]) -> Vec<DependencyState> {
        let (plan, service) = (self.plan, &self.query.service);
        let names = plan.services.depends_on.get(&**service).map_or(&[][..], Vec::as_slice);
        let WhyGrid { span, lookback, lag } = grid;
        let (mut states, configured) = tokio::join!(
            neighbours::dependencies(self.budget, service, (span, lookback, lag)),
            configured::dependencies(self.budget, (plan, self.metrics, codes), names, (span, lookback, lag))
        );
        for state in configured {
            // the calls of the service itself tell more
            if states.iter().all(|known| known.name != state.name) {
                states.push(state);
            }
        }
        neighbours::sort_dependencies(&mut states);
        states
    }

    /// What changed at the service since an hour before the bad time may have begun.
    async fn changes(&self, interval: Duration) -> Vec<Change> {
        let from = self.query.since.unwrap_or(self.end).min(self.end);
        let since = from.checked_sub(CHANGES_BEFORE).unwrap_or(from);
        let Run { plan, query, .. } = self;
        let metrics = self.metrics.all.values().map(|metric| (&*metric.name, metric.by.as_str())).collect();
        let (usual, times) = (&plan.services.labels, (since, self.end));
        let asked = ServiceChanges::new(&plan.packs, usual, &query.service, metrics, times, interval);
        let expression = asked.query();
        if expression.is_empty() {
            // the server has none of the metrics in which changes can be seen
            return Vec::new();
        }
        let matrix = self.budget.range("changes", &expression, asked.span).await;
        matrix.map(|matrix| asked.read(&matrix, self.budget.source())).unwrap_or_default()
    }

    /// The changed signals of requests, each with what to compare; `None`: there is nothing to compare with.
    fn comparisons<'s>(
        &'s self,
        signals: &ReadSignals,
        codes: &[String],
        (labels, slow_labels): (&[Text], &[Text]),
    ) -> Vec<(Symptom, Option<LabelComparison<'s>>)> {
        let filters = &self.query.filters;
        let mut found = Vec::new();
        if let (Some((grid, series)), Some((requests, metric))) = (&signals.requests, &self.metrics.requests)
        {
            let labels = comparable(labels, metric, codes, filters);
            let counted = || Counted::Failed { requests, codes: codes.to_vec() };
            let mut add = |signal, shift: SignalShift, values: Vec<f64>, difference| {
                let symptom = self.symptom(signal, *grid, &shift, &metric.name, values);
                let comparison = |good| LabelComparison {
                    counted: counted(),
                    metric,
                    filters,
                    labels: labels.clone(),
                    difference,
                    bad: symptom.bad,
                    good,
                    series_per_combination: 1.0,
                    shortest: grid.lookback,
                };
                // without data from before, all values are compared with each other
                let good =
                    symptom.good.unwrap_or(TimeRange { start: symptom.bad.start, end: symptom.bad.start });
                found.push((symptom.clone(), Some(comparison(good))));
            };
            let has_failures = !codes.is_empty() || requests.failed.is_some();
            if let Some(shift) = ratio_shift(series, grid.lag, grid.step())
                .filter(|_| has_failures && self.wants(WhySignal::Errors))
            {
                add(WhySignal::Errors, shift, series.ratios(), Difference::Failed);
            }
            if let Some(shift) =
                traffic_shift(&series.all, grid.lag).filter(|_| self.wants(WhySignal::Traffic))
            {
                let is_fallen = shift.before.is_some_and(|before| before > shift.after);
                let difference = if is_fallen { Difference::Fallen } else { Difference::Risen };
                add(WhySignal::Traffic, shift, series.all.clone(), difference);
            }
        }
        if let (Some((grid, Buckets { bounds, cumulative })), Some((latency, metric))) =
            (&signals.buckets, &self.metrics.latency)
            && let Some((at, shift)) = bound_shift(cumulative, grid.lag, grid.step())
            && let (Some((bound, spelt)), Some((_, infinity)), Some(below), Some(all)) =
                (bounds.get(at), bounds.last(), cumulative.get(at), cumulative.last())
        {
            let mut symptom =
                self.symptom(WhySignal::Latency, *grid, &shift, &metric.name, slower(all, below).ratios());
            symptom.bound = Some(*bound);
            // slow requests are less bad than failed ones
            symptom.severity *= SLOW;
            let comparison = symptom.good.map(|good| LabelComparison {
                counted: Counted::Slow { latency, bound: pattern(spelt), infinity: pattern(infinity) },
                metric,
                filters,
                labels: comparable(slow_labels, metric, &[], filters),
                difference: Difference::Failed,
                bad: symptom.bad,
                good,
                series_per_combination: bounds.len() as f64,
                shortest: grid.lookback,
            });
            found.push((symptom, comparison));
        }
        found
    }

    fn symptom(
        &self,
        signal: WhySignal,
        grid: WhyGrid,
        shift: &SignalShift,
        metric: &Text,
        values: Vec<f64>,
    ) -> Symptom {
        let (onset, bad, good) = grid.times(shift, self.end);
        Symptom {
            signal,
            measured_by: metric.clone(),
            resource: None,
            bound: None,
            onset,
            bad,
            good,
            before: shift.before,
            after: shift.after,
            severity: shift.severity,
            span: grid.span,
            values,
            findings: Vec::new(),
            labels: Vec::new(),
        }
    }

    /// The levels that changed as symptoms, with where they changed, and the resources that are full.
    async fn level_symptoms(
        &self,
        changed: Vec<(&LevelSeries, Option<SignalShift>)>,
        grid: WhyGrid,
    ) -> (Vec<Symptom>, Vec<ResourceState>) {
        let (shifted, full): (Vec<_>, Vec<_>) = changed.into_iter().partition(|(_, shift)| shift.is_some());
        let made =
            shifted.into_iter().enumerate().filter_map(|(at, (level, shift))| Some((at, level, shift?)));
        let symptoms = join_all(made.map(async |(at, level, shift)| {
            let signal = if level.is_targets() { WhySignal::Targets } else { WhySignal::Saturation };
            // a level has no window
            let own = WhyGrid { lookback: Duration::from_secs(0), ..grid };
            let mut symptom = self.symptom(signal, own, &shift, &level.metric, level.values.clone());
            symptom.resource = Some(level.resource.clone());
            if level.is_targets() {
                symptom.severity = (shift.before.unwrap_or(1.0) - shift.after).clamp(0.0, 1.0);
            }
            if let Some(good) = symptom.good.filter(|_| at < LEVELS_COMPARED) {
                symptom.findings = levels::places(self.budget, level, (good, symptom.bad), self.end).await;
            }
            symptom
        }))
        .await;
        let symptoms = symptoms.into_iter().filter(|symptom| self.wants(symptom.signal)).collect();
        let full = full.into_iter().filter_map(|(level, _)| {
            let after = level.values.iter().rev().copied().find(|value| value.is_finite())?;
            let (name, metric) = (level.resource.clone(), level.metric.clone());
            Some(ResourceState { name, metric, onset: None, before: None, after, labels: Labels::default() })
        });
        (symptoms, full.collect())
    }

    /// Other services that broke, if requests of this one fail.
    async fn others(
        &self,
        signals: &ReadSignals,
        codes: &[String],
        worst: Option<&Symptom>,
    ) -> Vec<OtherService> {
        let worst = worst.filter(|symptom| symptom.signal != WhySignal::Traffic && !self.is_narrowed());
        let (Some(worst), Some((requests, metric)), Some((grid, _))) =
            (worst, &self.metrics.requests, &signals.requests)
        else {
            return Vec::new();
        };
        let range = worst.bad.length() + Duration::from_secs(120).max(grid.lookback.saturating_mul(4));
        let span = TimeGrid::ending(worst.bad.end, range, 40, grid.span.step());
        let lookback = grid.lookback.max(span.step());
        let counted = Counted::Failed { requests, codes: codes.to_vec() };
        let mut others = neighbours::others(self.budget, &counted, metric, (span, lookback)).await;
        others.retain(|other| other.name != self.query.service);
        others
    }

    /// Notes that the data of the requests end before the moment of the question.
    fn note_end(&self, signals: &ReadSignals) {
        let Some((grid, series)) = &signals.requests else { return };
        let Some(last) = series.all.iter().rposition(|value| value.is_finite()) else {
            self.budget.note("there are no data about requests in the time that was looked at");
            return;
        };
        let missing = series.all.len().saturating_sub(last + 1);
        if missing > grid.lag {
            let ago = self.end.duration_since(grid.span.at(last)).as_secs();
            self.budget.note(format!("the data about requests end {ago}s before the end of the bad time"));
        }
    }
}

/// The levels that changed, the most severe first, and those that are full.
fn changed_levels(levels: &[LevelSeries]) -> Vec<(&LevelSeries, Option<SignalShift>)> {
    let mut changed: Vec<(&LevelSeries, Option<SignalShift>)> = levels
        .iter()
        .filter_map(|level| {
            let shift = level_shift(&level.values, 1, level.kind);
            let last = level.values.iter().rev().find(|value| value.is_finite());
            let is_full = is_ratio(&level.metric) && last.is_some_and(|last| *last >= FULL);
            (shift.is_some() || is_full).then_some((level, shift))
        })
        .collect();
    let severity = |shift: &Option<SignalShift>| shift.as_ref().map_or(0.0, |shift| shift.severity);
    changed
        .sort_by(|a, b| severity(&b.1).total_cmp(&severity(&a.1)).then_with(|| a.0.metric.cmp(&b.0.metric)));
    changed
}

/// A regular expression for these texts, as written in a PromQL string.
fn pattern(texts: &[Text]) -> String {
    texts.iter().map(|text| promql::literal(text).replace('\\', "\\\\")).collect::<Vec<_>>().join("|")
}
