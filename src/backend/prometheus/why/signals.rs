//! Reads the signals of the service: its requests, latencies and the labels that they have.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Run;
use super::grid::WhyGrid;
use super::levels::LevelSeries;
use super::metrics::{Counted, PART};
use crate::backend::packs::{LatencySignal, QueryFill, Requests};
use crate::backend::prometheus::interval::median_interval;
use crate::model::labels::Text;
use crate::model::series::Matrix;
use crate::model::why::{CountedSeries, WhySignal};

/// The usual interval, if none can be read.
const USUAL_INTERVAL: Duration = Duration::from_secs(15);

/// The buckets of a histogram, by ascending bounds.
#[derive(Default)]
pub(super) struct Buckets {
    /// The bounds in seconds, each with its spellings.
    pub(super) bounds: Vec<(f64, Vec<Text>)>,
    /// The cumulative counts per second of each bound.
    pub(super) cumulative: Vec<Vec<f64>>,
}

/// The signals of the service over time.
#[derive(Default)]
pub(super) struct ReadSignals {
    pub(super) requests: Option<(WhyGrid, CountedSeries)>,
    pub(super) buckets: Option<(WhyGrid, Buckets)>,
}

impl Run<'_> {
    /// The scrape interval of the service's targets.
    pub(super) async fn interval(&self) -> Duration {
        let metric =
            self.metrics.all.get("up").or_else(|| self.metrics.requests.as_ref().map(|(_, metric)| metric));
        let Some(metric) = metric.filter(|metric| metric.series <= 200.0) else { return USUAL_INTERVAL };
        let query = format!("{}{{{}}}[5m]", metric.name, metric.selector);
        let samples = self.budget.samples("the scrape interval", &query, Some(self.end)).await;
        samples.and_then(|samples| median_interval(&samples)).unwrap_or(USUAL_INTERVAL)
    }

    pub(super) async fn request_labels(&self) -> Vec<Text> {
        let wanted = self.wants(WhySignal::Errors) || self.wants(WhySignal::Traffic);
        let Some((_, metric)) = self.metrics.requests.as_ref().filter(|_| wanted) else { return Vec::new() };
        let selector = format!("{}{{{}}}", metric.name, metric.within(&self.query.filters));
        self.budget.label_names(&selector, self.end).await.unwrap_or_default()
    }

    pub(super) async fn latency_labels(&self) -> Vec<Text> {
        let latency = self.metrics.latency.as_ref().filter(|_| self.wants(WhySignal::Latency));
        let Some((_, metric)) = latency else { return Vec::new() };
        let selector = format!("{}{{{}}}", metric.name, metric.within(&self.query.filters));
        self.budget.label_names(&selector, self.end).await.unwrap_or_default()
    }

    pub(super) async fn requests(
        &self,
        interval: Duration,
        codes: &[String],
    ) -> Option<(WhyGrid, CountedSeries)> {
        let wanted = self.wants(WhySignal::Errors) || self.wants(WhySignal::Traffic);
        let (requests, metric) = self.metrics.requests.as_ref().filter(|_| wanted)?;
        let grid = WhyGrid::new(self.query, self.end, interval, metric.series);
        let counted = Counted::Failed { requests, codes: codes.to_vec() };
        let selector = metric.within(&self.query.filters);
        let query = counted.both(QueryFill { by: &metric.by, selector: &selector, lookback: grid.lookback });
        let matrix = self.budget.range("requests", &query, grid.span).await?;
        let mut series = CountedSeries::default();
        for line in matrix.lines {
            let place =
                if line.labels.value(PART) == "failed" { &mut series.failed } else { &mut series.all };
            *place = line.values;
        }
        Some((grid, series))
    }

    pub(super) async fn buckets(&self, interval: Duration) -> Option<(WhyGrid, Buckets)> {
        let (latency, metric) = self.metrics.latency.as_ref().filter(|_| self.wants(WhySignal::Latency))?;
        let grid = WhyGrid::new(self.query, self.end, interval, metric.series);
        let selector = metric.within(&self.query.filters);
        let query = latency.buckets(QueryFill { by: "le", selector: &selector, lookback: grid.lookback }, "");
        let matrix = self.budget.range("latencies", &query, grid.span).await?;
        Some((grid, buckets_of(matrix, latency)))
    }
}

pub(super) fn looked_at(signals: &ReadSignals, levels: &[LevelSeries]) -> Vec<WhySignal> {
    let has_requests = signals.requests.is_some();
    let all = [
        (WhySignal::Targets, levels.iter().any(LevelSeries::is_targets)),
        (WhySignal::Errors, has_requests),
        (WhySignal::Latency, signals.buckets.is_some()),
        (WhySignal::Traffic, has_requests),
        (WhySignal::Saturation, levels.iter().any(|level| !level.is_targets())),
    ];
    all.into_iter().filter(|(_, has)| *has).map(|(signal, _)| signal).collect()
}

/// The labels with the outcome of a request that exist; with those of no series all may exist.
pub(super) fn existing_codes(requests: &Requests, names: &[Text]) -> Vec<String> {
    let existing: Vec<String> =
        requests.code.iter().filter(|code| names.iter().any(|name| **name == ***code)).cloned().collect();
    if names.is_empty() { requests.code.clone() } else { existing }
}

/// The buckets in an answer.
fn buckets_of(matrix: Matrix, latency: &LatencySignal) -> Buckets {
    let mut by_bound: BTreeMap<u64, (f64, Vec<Text>, Vec<f64>)> = BTreeMap::new();
    for line in matrix.lines {
        let Some(le) = line.labels.get("le") else { continue };
        let Some(bound) = le.parse::<f64>().ok().filter(|bound| *bound >= 0.0) else { continue };
        match by_bound.get_mut(&bound.to_bits()) {
            // the same bound in two spellings comes from two kinds of instances
            Some((_, spelt, values)) => {
                spelt.push(le.clone());
                for (sum, value) in values.iter_mut().zip(&line.values) {
                    *sum =
                        if sum.is_nan() { *value } else { *sum + if value.is_nan() { 0.0 } else { *value } };
                }
            }
            None => {
                by_bound
                    .insert(bound.to_bits(), (bound * latency.unit.seconds(), vec![le.clone()], line.values));
            }
        }
    }
    // the bits of positive numbers are in the order of the numbers
    let (bounds, cumulative) =
        by_bound.into_values().map(|(bound, spelt, values)| ((bound, spelt), values)).unzip();
    Buckets { bounds, cumulative }
}
