//! What is beside a service: the services that it calls, and other services that broke.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::budget::Budget;
use super::metrics::{Counted, PART, ServiceMetric, part};
use crate::backend::packs::QueryFill;
use crate::model::duration;
use crate::model::labels::Text;
use crate::model::promql::quoted;
use crate::model::series::{Matrix, TimeGrid};
use crate::model::why::{CountedSeries, DependencyMeasure, DependencyState, OtherService, ratio_shift};

/// A service fails if at least this share of its requests fails.
const FAILING: f64 = 0.02;
/// The most services that are listed as broken.
const MOST_OTHERS: usize = 20;

/// One kind of metrics of the calls between services.
struct CallMetrics {
    /// The label of the calling and of the called service.
    client: &'static str,
    server: &'static str,
    all: &'static str,
    /// A metric of failed calls, or the metric of all calls with matchers.
    failed: (&'static str, &'static str),
}

/// Tempo and the OpenTelemetry collector (connector servicegraph), Istio, Linkerd.
const CALLS: [CallMetrics; 4] = [
    CallMetrics {
        client: "client",
        server: "server",
        all: "traces_service_graph_request_total",
        failed: ("traces_service_graph_request_failed_total", ""),
    },
    CallMetrics {
        client: "source_workload",
        server: "destination_workload",
        all: "istio_requests_total",
        failed: ("istio_requests_total", ",reporter=\"source\",response_code=~\"5..|0\""),
    },
    CallMetrics {
        client: "source_canonical_service",
        server: "destination_canonical_service",
        all: "istio_requests_total",
        failed: ("istio_requests_total", ",reporter=\"source\",response_code=~\"5..|0\""),
    },
    CallMetrics {
        client: "deployment",
        server: "dst_deployment",
        all: "response_total",
        failed: ("response_total", ",direction=\"outbound\",classification=\"failure\""),
    },
];

impl CallMetrics {
    fn query(&self, service: &str, lookback: &str) -> String {
        let rate = |metric: &str, more: &str| {
            let matchers = format!("{}={},{}!=\"\"{more}", self.client, quoted(service), self.server);
            let rate = format!("sum by ({}) (rate({metric}{{{matchers}}}[{lookback}]))", self.server);
            format!("label_replace({rate}, \"burnwatch_server\", \"$1\", \"{}\", \"(.+)\")", self.server)
        };
        // of both reports of a call, that of the caller counts
        let (failed, failing) = self.failed;
        let side = failing
            .split(',')
            .find(|matcher| matcher.starts_with("reporter") || matcher.starts_with("direction"));
        let side = side.map(|side| format!(",{side}")).unwrap_or_default();
        format!("{} or {}", part(&rate(self.all, &side), "all"), part(&rate(failed, failing), "failed"))
    }
}

/// The calls of the service to others, by name.
pub(super) async fn dependencies(
    budget: &Budget<'_>,
    service: &str,
    (span, lookback, lag): (TimeGrid, Duration, usize),
) -> Vec<DependencyState> {
    let window = duration::text(lookback);
    let query = CALLS.iter().map(|calls| calls.query(service, &window)).collect::<Vec<_>>().join(" or ");
    let Some(matrix) = budget.range("dependencies", &query, span).await else { return Vec::new() };
    let mut calls: BTreeMap<Text, CountedSeries> = BTreeMap::new();
    for line in matrix.lines {
        let Some(server) = line.labels.get("burnwatch_server").filter(|server| ***server != *service) else {
            continue;
        };
        let series = calls.entry(server.clone()).or_default();
        let place = if line.labels.value(PART) == "failed" { &mut series.failed } else { &mut series.all };
        if place.is_empty() {
            *place = line.values;
        }
    }
    let state = |(name, series)| dependency(name, DependencyMeasure::Calls, &series, (span, lookback, lag));
    calls.into_iter().filter_map(state).collect()
}

/// The state of a dependency in these series; `None` if it got no requests.
pub(super) fn dependency(
    name: Text,
    measured_by: DependencyMeasure,
    series: &CountedSeries,
    (span, lookback, lag): (TimeGrid, Duration, usize),
) -> Option<DependencyState> {
    if !series.all.iter().any(|value| *value > 0.0) {
        return None;
    }
    let shift = ratio_shift(series, lag, span.step().as_secs_f64());
    let shift = shift.filter(|shift| shift.after >= FAILING / 2.0);
    let last = series.ratios().into_iter().rev().find(|value| value.is_finite()).unwrap_or(0.0);
    let before = shift.as_ref().map_or(Some(last), |shift| shift.before).unwrap_or(0.0);
    Some(DependencyState {
        name,
        measured_by,
        onset: shift.as_ref().map(|shift| begins(span, shift.bad.start, lookback)),
        before,
        after: shift.as_ref().map_or(last, |shift| shift.after),
    })
}

/// Those that fail, then the others, those that fail most first.
pub(super) fn sort_dependencies(states: &mut [DependencyState]) {
    states.sort_by(|a, b| {
        b.onset.is_some().cmp(&a.onset.is_some()).then(b.after.total_cmp(&a.after)).then(a.name.cmp(&b.name))
    });
}

/// When a level began whose first point is this one: the point's window contains a part of both levels.
pub(super) fn begins(span: TimeGrid, first: usize, lookback: Duration) -> Timestamp {
    let half = i64::try_from(lookback.as_secs() / 2).unwrap_or(0);
    let at = span.at(first);
    at.checked_sub(jiff::SignedDuration::from_secs(half)).unwrap_or(at)
}

/// The other services whose requests began to fail since `from`, the first first.
pub(super) async fn others(
    budget: &Budget<'_>,
    counted: &Counted<'_>,
    metric: &ServiceMetric,
    (span, lookback): (TimeGrid, Duration),
) -> Vec<OtherService> {
    let fill = QueryFill { by: &metric.by, selector: &metric.all_services, lookback };
    let Some(ratio) = counted.ratio(fill) else { return Vec::new() };
    let query = format!("topk({MOST_OTHERS}, ({ratio}) > {FAILING})");
    let Some(matrix) = budget.range("other services", &query, span).await else { return Vec::new() };
    broken(matrix, &metric.by, lookback)
}

fn broken(matrix: Matrix, by: &str, lookback: Duration) -> Vec<OtherService> {
    let Matrix { span, lines } = matrix;
    let mut found: Vec<OtherService> = Vec::new();
    for line in lines {
        let Some(name) = line.labels.get(by) else { continue };
        let (Some(last), Some(after)) = (line.values.len().checked_sub(1), line.last()) else { continue };
        // it fails until the end, but for one point at most
        let is_bad = |at: usize| line.values.get(at).is_some_and(|value| value.is_finite());
        if !(is_bad(last) || last > 0 && is_bad(last - 1)) {
            continue;
        }
        let first = (0..=last).rev().skip(1).find(|at| !is_bad(*at) && !is_bad(at.saturating_sub(1)));
        // it failed before, too: since when is not known
        let Some(before) = first else { continue };
        found.push(OtherService { name: name.clone(), onset: begins(span, before + 1, lookback), after });
    }
    found.sort_by(|a, b| a.onset.cmp(&b.onset).then(b.after.total_cmp(&a.after)).then(a.name.cmp(&b.name)));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::labels::Labels;
    use crate::model::promql;
    use crate::model::series::Series;

    #[test]
    fn the_queries_about_calls_are_valid() {
        for calls in CALLS {
            let query = calls.query("a \"b\"", "15s");
            promql::parse(&query).unwrap_or_else(|error| panic!("{query}: {error:?}"));
        }
    }

    #[test]
    fn a_service_that_fails_until_the_end_and_not_from_the_start_broke_within_the_time() {
        let end = Timestamp::from_second(1_800_000_000).unwrap();
        let span = TimeGrid::ending(end, Duration::from_secs(40), 8, Duration::from_secs(5));
        let none = f64::NAN;
        let line = |name: &str, values: &[f64]| Series {
            labels: Labels::from_iter([("service", name)]),
            values: values.to_vec(),
        };
        let lines = vec![
            line("always", &[0.3; 9]),
            line("b", &[none, none, none, none, 0.3, 0.3, 0.3, 0.3, 0.3]),
            line("c", &[none, none, 0.2, 0.3, none, 0.3, 0.3, 0.3, none]),
            line("over", &[none, 0.3, 0.3, 0.3, none, none, none, none, none]),
        ];
        let found = broken(Matrix { span, lines }, "service", Duration::from_secs(10));
        let found: Vec<_> =
            found.iter().map(|other| (&*other.name, end.duration_since(other.onset).as_secs())).collect();
        assert_eq!(found, [("c", 35), ("b", 25)]);
    }
}
