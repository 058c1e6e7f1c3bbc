//! Signals over time: short histories of all services, and all signals of one service.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;

use super::call::QuestionRequests;
use super::metric_discovery::{EntryDetails, MetricDiscovery, SelectorGroup};
use super::services::ratio;
use crate::backend::packs::{QueryFill, Requests};
use crate::model::labels::{Labels, Text};
use crate::model::series::{Matrix, Series, TimeGrid};
use crate::model::service::{ServiceDetail, ServiceTrends, SignalQuery};
use crate::model::signal::{Signal, UnknownSignal, UnknownSignals};
use crate::model::source::SourceError;
use crate::model::warning::Warning;

/// The quantiles of a service's detail, with their line labels.
const QUANTILES: [(f64, &str); 3] = [(0.5, "0.5"), (0.95, "0.95"), (0.99, "0.99")];

/// The lookback of rates: at least one step, so that no data between two points are missed.
fn lookback(discovery: &MetricDiscovery, span: TimeGrid) -> Duration {
    discovery.lookback.max(span.step())
}

/// Collects partial results: records whether any request succeeded, and the first error.
#[derive(Default)]
struct PartialOutcome {
    any: bool,
    failure: Option<SourceError>,
    missed: Vec<UnknownSignal>,
}

impl PartialOutcome {
    /// The value of a successful result; records an error and returns `None`.
    fn take<T>(&mut self, result: Result<T, SourceError>) -> Option<T> {
        match result {
            Ok(value) => {
                self.any = true;
                Some(value)
            }
            Err(error) => {
                self.failure.get_or_insert(error);
                None
            }
        }
    }

    /// As [`PartialOutcome::take`], and records which signal failed.
    fn take_of<T>(&mut self, signal: Signal, result: Result<T, SourceError>) -> Option<T> {
        if let Err(error) = &result {
            self.missed.push(UnknownSignal { signal, why: error.kind.to_string().into() });
        }
        self.take(result)
    }

    /// The value, or the first error if nothing succeeded.
    fn end<T>(self, value: T) -> Result<T, SourceError> {
        match self.failure {
            Some(error) if !self.any => Err(error),
            _ => Ok(value),
        }
    }
}

/// Short histories of all services.
///
/// # Errors
/// The first error, if no query succeeds.
pub(super) async fn trends(
    call: &QuestionRequests<'_>,
    discovery: &MetricDiscovery,
    span: TimeGrid,
) -> Result<ServiceTrends, SourceError> {
    let lookback = lookback(discovery, span);
    let (before, lead) = span.with_lead(lookback);
    let counters = join_all(
        discovery
            .counters()
            .map(async |(counter, group)| counts(call, counter, group.fill(lookback), before, span).await),
    );
    let histograms =
        join_all(discovery.histograms().map(async |(latency, group)| {
            call.range(&latency.quantile(group.fill(lookback), 0.95), span).await
        }));
    let (counters, histograms) = tokio::join!(counters, histograms);
    let (mut rates, mut ratios, mut p95, mut outcome) =
        (SeriesLines::new(), SeriesLines::new(), SeriesLines::new(), PartialOutcome::default());
    for (((_, details), group), (all, failed)) in discovery.counters().zip(counters) {
        let (Some(all), failed) = (outcome.take(all), outcome.take(failed).flatten()) else { continue };
        let failed: Option<SeriesLines> = failed.map(|matrix| by_label(matrix, &group.label).collect());
        for (service, values) in by_label(all, &group.label) {
            if rates.contains_key(&service) {
                continue;
            }
            let counted = after(&values, lead);
            if let Some(failed) =
                failed.as_ref().filter(|_| !details.without_outcome_label.contains(&service))
            {
                ratios.insert(service.clone(), ratios_of(failed.get(&service), counted));
            }
            rates.insert(service, without_young_rates(&values, lead));
        }
    }
    for ((latency, group), matrix) in discovery.histograms().zip(histograms) {
        let Some(matrix) = outcome.take(matrix) else { continue };
        for (service, values) in by_label(matrix, &group.label) {
            let seconds = scaled(values, latency.unit.seconds());
            p95.entry(service).or_insert(seconds);
        }
    }
    if let Some(error) = outcome.failure.as_ref().filter(|_| outcome.any) {
        call.warn(Warning::part(format!("service histories: {}", error.kind)));
    }
    let [request_rate, error_ratio, p95] = [rates, ratios, p95].map(|lines| matrix(span, "service", lines));
    outcome.end(ServiceTrends { request_rate, error_ratio, p95 })
}

/// All signals of one service.
///
/// # Errors
/// The first error, if no query succeeds.
pub(super) async fn detail(
    call: &QuestionRequests<'_>,
    discovery: &MetricDiscovery,
    service: &str,
    span: TimeGrid,
) -> Result<ServiceDetail, SourceError> {
    let lookback = lookback(discovery, span);
    let (before, lead) = span.with_lead(lookback);
    let mut outcome = PartialOutcome::default();
    let counters = of_service(discovery.counters(), service);
    let histograms = of_service(discovery.histograms(), service);
    let saturations = of_service(discovery.saturations(), service);
    let (requests, latencies, utilisations) = tokio::join!(
        join_all(counters.iter().map(async |(counter, by, selector)| {
            counts(call, *counter, QueryFill { by, selector, lookback }, before, span).await
        })),
        join_all(histograms.iter().map(async |(latency, by, selector)| {
            let fill = QueryFill { by, selector, lookback };
            let quantiles = join_all(
                QUANTILES
                    .map(async |(quantile, _)| call.range(&latency.quantile(fill, quantile), span).await),
            );
            let by_le = latency.buckets(QueryFill { by: "le", ..fill }, "");
            let buckets = async {
                // a native histogram has no bucket bounds for a chart
                if latency.native {
                    return Ok(Matrix::empty(span));
                }
                let mut buckets = call.range(&by_le, before).await?;
                for line in &mut buckets.lines {
                    line.values = without_young_rates(&line.values, lead);
                }
                Ok(Matrix { span, ..buckets })
            };
            tokio::join!(quantiles, buckets)
        })),
        join_all(saturations.iter().map(async |(saturation, by, selector)| {
            call.range(&saturation.highest_usage(QueryFill { by, selector, lookback }), span).await
        })),
    );
    let mut out = ServiceDetail {
        request_rate: Matrix::empty(span),
        error_ratio: Matrix::empty(span),
        latency: Matrix::empty(span),
        saturation: Matrix::empty(span),
        buckets: Matrix::empty(span),
        queries: Vec::new(),
        unknown: UnknownSignals::default(),
    };
    let mut queries = Vec::new();
    for (((counter, details), by, selector), (all, failed)) in counters.iter().zip(requests) {
        if let Err(error) = &all {
            // without the request rate, the error ratio cannot be computed
            let why = error.kind.to_string().into();
            outcome.missed.push(UnknownSignal { signal: Signal::Errors, why });
        }
        let all = outcome.take_of(Signal::Requests, all);
        let failed = outcome.take_of(Signal::Errors, failed).flatten();
        // the first entry with data provides the rates of the service
        let Some(all) = all.and_then(only_line).filter(|_| out.request_rate.lines.is_empty()) else {
            continue;
        };
        queries.extend(request_queries((counter, details), QueryFill { by, selector, lookback }));
        if let Some(failed) = failed.filter(|_| !details.without_outcome_label.contains(service)) {
            let ratios = ratios_of(only_line(failed).as_ref(), after(&all, lead));
            out.error_ratio.lines = unlabelled(ratios);
        }
        out.request_rate.lines = unlabelled(without_young_rates(&all, lead));
    }
    for ((latency, by, selector), (quantiles, buckets)) in histograms.iter().zip(latencies) {
        let unit = latency.unit.seconds();
        let mut lines = SeriesLines::new();
        for ((_, name), matrix) in QUANTILES.into_iter().zip(quantiles) {
            if let Some(values) = outcome.take_of(Signal::Latency, matrix).and_then(only_line) {
                lines.insert(name.into(), scaled(values, unit));
            }
        }
        let buckets = outcome.take_of(Signal::Apdex, buckets);
        if out.latency.lines.is_empty() && !lines.is_empty() {
            let query = latency.quantile(QueryFill { by, selector, lookback }, 0.95).into();
            queries.push(SignalQuery { signal: Signal::Latency, query });
            out.latency = matrix(span, "quantile", lines);
            out.buckets = buckets.map_or(Matrix::empty(span), |buckets| separate_buckets(buckets, unit));
        }
    }
    let mut full = SeriesLines::new();
    for ((saturation, by, selector), result) in saturations.iter().zip(utilisations) {
        if result.as_ref().is_ok_and(|matrix| !matrix.lines.is_empty()) {
            let query = saturation.highest_usage(QueryFill { by, selector, lookback }).into();
            queries.push(SignalQuery { signal: Signal::Saturation, query });
        }
        for line in outcome.take_of(Signal::Saturation, result).into_iter().flat_map(|matrix| matrix.lines) {
            let name = match line.labels.get("__name__") {
                Some(metric) => resource_of(metric).into(),
                None => saturation.resource.as_str().into(),
            };
            full.entry(name).or_insert_with(|| line.values.iter().map(|value| value.max(0.0)).collect());
        }
    }
    out.saturation = matrix(span, "resource", full);
    out.queries = queries;
    out.unknown = UnknownSignals::new(std::mem::take(&mut outcome.missed));
    for unknown in out.unknown.iter() {
        call.warn(Warning::part(format!("{service}: {unknown}")));
    }
    outcome.end(out)
}

/// The expressions of the requests of a service, and of their error ratio if the metric distinguishes failures.
fn request_queries(
    (requests, details): (&Requests, &EntryDetails),
    fill: QueryFill<'_>,
) -> impl Iterator<Item = SignalQuery> {
    let all = requests.all(fill);
    let failed = requests.failed(fill, &details.codes);
    let ratio = failed
        .map(|failed| SignalQuery { signal: Signal::Errors, query: format!("{failed}\n/\n{all}").into() });
    std::iter::once(SignalQuery { signal: Signal::Requests, query: all.into() }).chain(ratio)
}

type SeriesLines = BTreeMap<Text, Vec<f64>>;

/// The entries with a selector group that contains the service, each with the label and selector of the service; all entries
/// if none does, because the service may be new.
fn of_service<'a, T>(
    all: impl Iterator<Item = (T, &'a SelectorGroup)>,
    service: &str,
) -> Vec<(T, &'a str, String)> {
    let (of_it, others): (Vec<_>, Vec<_>) = all.partition(|(_, group)| group.services.contains(service));
    let chosen = if of_it.is_empty() { others } else { of_it };
    chosen.into_iter().map(|(entry, group)| (entry, &*group.by, group.only(service))).collect()
}

/// All requests, with `before` extra points in front of the chart, and the failed requests if the metric distinguishes them.
async fn counts(
    call: &QuestionRequests<'_>,
    (requests, details): (&Requests, &EntryDetails),
    fill: QueryFill<'_>,
    before: TimeGrid,
    span: TimeGrid,
) -> (Result<Matrix, SourceError>, Result<Option<Matrix>, SourceError>) {
    let (all, failed) = (requests.all(fill), requests.failed(fill, &details.codes));
    tokio::join!(call.range(&all, before), async {
        match failed {
            Some(failed) => call.range(&failed, span).await.map(Some),
            None => Ok(None),
        }
    })
}

fn after(values: &[f64], lead: usize) -> &[f64] {
    values.get(lead..).unwrap_or_default()
}

/// The rates after the lead, which is as long as their window. Where data begin, rates are unknown (NaN) until the data fill
/// the window: the increase is divided by the whole window, which would look like rising traffic.
fn without_young_rates(values: &[f64], lead: usize) -> Vec<f64> {
    let mut is_there = values.first().is_some_and(|value| !value.is_nan());
    let mut young = 0;
    let without_young_rates = values.iter().map(|value| {
        young = match (value.is_nan(), is_there) {
            (true, _) => 0,
            (false, false) => lead,
            (false, true) => young.saturating_sub(1),
        };
        is_there = !value.is_nan();
        if young > 0 { f64::NAN } else { *value }
    });
    without_young_rates.skip(lead).collect()
}

/// The lines by the value of a label; lines without the label are dropped.
fn by_label(matrix: Matrix, label: &str) -> impl Iterator<Item = (Text, Vec<f64>)> {
    matrix.lines.into_iter().filter_map(move |line| Some((line.labels.get(label)?.clone(), line.values)))
}

fn only_line(matrix: Matrix) -> Option<Vec<f64>> {
    matrix.lines.into_iter().next().map(|line| line.values)
}

/// A single line without labels.
fn unlabelled(values: Vec<f64>) -> Vec<Series> {
    vec![Series { labels: Labels::default(), values }]
}

/// A matrix with one line for each name; the name becomes the line's only label.
fn matrix(span: TimeGrid, label: &str, lines: SeriesLines) -> Matrix {
    let label: Text = label.into();
    let lines = lines
        .into_iter()
        .map(|(name, values)| Series { labels: Labels::new(vec![(Text::clone(&label), name)]), values });
    Matrix { span, lines: lines.collect() }
}

fn scaled(mut values: Vec<f64>, factor: f64) -> Vec<f64> {
    for value in &mut values {
        *value *= factor;
    }
    values
}

/// The ratio of failed to all requests at each point; NaN where there are no requests.
fn ratios_of(failed: Option<&Vec<f64>>, all: &[f64]) -> Vec<f64> {
    let failed_at = |at: usize| failed?.get(at).copied().filter(|value| !value.is_nan());
    all.iter().enumerate().map(|(at, all)| ratio(failed_at(at), *all).unwrap_or(f64::NAN)).collect()
}

/// Turns cumulative buckets into separate counts; converts the bounds to seconds.
fn separate_buckets(cumulative: Matrix, unit: f64) -> Matrix {
    let span = cumulative.span;
    let mut bounds: Vec<(f64, Vec<f64>)> = cumulative
        .lines
        .into_iter()
        .filter_map(|line| Some((line.labels.value("le").parse::<f64>().ok()? * unit, line.values)))
        .collect();
    bounds.sort_by(|a, b| a.0.total_cmp(&b.0));
    // the same bound in two spellings comes from two kinds of instances: their counts are added
    bounds.dedup_by(|again, kept| {
        let is_same = again.0.to_bits() == kept.0.to_bits();
        if is_same {
            for (kept, again) in kept.1.iter_mut().zip(&again.1) {
                *kept =
                    if kept.is_nan() { *again } else { *kept + if again.is_nan() { 0.0 } else { *again } };
            }
        }
        is_same
    });
    let mut below: Vec<f64> = vec![0.0; span.count()];
    let mut lines = SeriesLines::new();
    for (bound, values) in bounds {
        let name = if bound.is_finite() { bound.to_string() } else { "+Inf".into() };
        // `NaN.max(0.0)` would be zero, but missing data are not zero
        let own =
            |(value, below): (&f64, &f64)| if value.is_nan() { f64::NAN } else { (value - below).max(0.0) };
        lines.insert(name.into(), values.iter().zip(&below).map(own).collect());
        for (below, value) in below.iter_mut().zip(values) {
            *below = below.max(value);
        }
    }
    matrix(span, "le", lines)
}

/// The resource in a metric's name: `service_cpu_saturation_ratio` becomes `cpu`.
pub(super) fn resource_of(metric: &str) -> &str {
    let name = metric.strip_suffix("_saturation_ratio").unwrap_or(metric);
    name.strip_prefix("service_").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_data_begin_a_rate_is_unknown_until_they_fill_its_window() {
        let none = f64::NAN;
        for (values, expected) in [
            // continuous data
            (&[9.0, 9.0, 9.0, 8.0, 7.0][..], &[9.0, 8.0, 7.0][..]),
            // data begin within the chart, and before it
            (&[none, none, none, 3.0, 6.0, 9.0, 9.0], &[none, none, none, 9.0, 9.0]),
            (&[none, 6.0, 9.0, 9.0, 9.0], &[none, 9.0, 9.0]),
            // data begin again after a gap, also if that happens twice
            (&[9.0, 9.0, 9.0, none, 4.0, 8.0, 9.0], &[9.0, none, none, none, 9.0]),
            (&[9.0, 9.0, none, 4.0, none, 4.0, 8.0, 9.0], &[none, none, none, none, none, 9.0]),
            // zero requests are a known value
            (&[0.0, 0.0, 0.0, 0.0], &[0.0, 0.0]),
            (&[], &[]),
        ] {
            let reported = without_young_rates(values, 2);
            assert_eq!(format!("{reported:?}"), format!("{expected:?}"), "{values:?}");
        }
    }
}
