//! The services that `[services.depends_on]` names: whether their own requests fail, or their targets are down. One query for all.

use std::collections::BTreeMap;
use std::time::Duration;

use super::budget::Budget;
use super::metrics::{Counted, PART, ServiceMetrics, naming, part};
use super::neighbours::dependency;
use crate::backend::packs::QueryFill;
use crate::backend::prometheus::metric_discovery::DiscoveryPlan;
use crate::model::labels::Text;
use crate::model::promql::{literal, quoted};
use crate::model::series::{Matrix, TimeGrid};
use crate::model::why::{CountedSeries, DependencyMeasure, DependencyState};

/// The most names that are looked at.
const MOST_NAMES: usize = 50;
/// The values of [`PART`] for the numbers of targets.
const TARGETS: &str = "targets";
const DOWN: &str = "down";

/// The series of one dependency.
#[derive(Default)]
struct DependencySeries {
    requests: CountedSeries,
    targets: CountedSeries,
}

/// The states of these services by name. Their requests are read from the metric that the service has; of those without such
/// requests, the targets count. What nothing is known about is noted.
pub(super) async fn dependencies(
    budget: &Budget<'_>,
    (plan, metrics, codes): (&DiscoveryPlan, &ServiceMetrics, &[String]),
    names: &[String],
    grid: (TimeGrid, Duration, usize),
) -> Vec<DependencyState> {
    let (names, left) = names.split_at(names.len().min(MOST_NAMES));
    if names.is_empty() {
        return Vec::new();
    }
    if !left.is_empty() {
        budget.note(format!("of the configured dependencies, {} are not looked at", left.len()));
    }
    let (span, lookback, _) = grid;
    let (query, labels) = query(plan, metrics, codes, names, lookback);
    let Some(matrix) = budget.range("configured dependencies", &query, span).await else {
        return Vec::new();
    };
    let found = by_name(&matrix, &labels);
    let unknown: Vec<&str> =
        names.iter().filter(|name| !found.contains_key(name.as_str())).map(String::as_str).collect();
    if !unknown.is_empty() {
        let names = unknown.join(", ");
        budget.note(format!("neither requests nor targets of these configured dependencies: {names}"));
    }
    let state = |(name, series): (Text, DependencySeries)| {
        // targets are counted at one moment: no window
        let targets = || {
            dependency(name.clone(), DependencyMeasure::Targets, &series.targets, (span, Duration::ZERO, 1))
        };
        let requests = dependency(name.clone(), DependencyMeasure::Requests, &series.requests, grid);
        match (requests, targets()) {
            // a service that is down gets no requests that could fail
            (Some(requests), Some(targets)) if requests.onset.is_none() && targets.onset.is_some() => {
                Some(targets)
            }
            (requests, targets) => requests.or(targets),
        }
    };
    found.into_iter().filter_map(state).collect()
}

/// The query for the requests and targets of these services, and the labels that may name them.
fn query(
    plan: &DiscoveryPlan,
    metrics: &ServiceMetrics,
    codes: &[String],
    names: &[String],
    lookback: Duration,
) -> (String, Vec<String>) {
    let pattern = quoted(&names.iter().map(|name| literal(name)).collect::<Vec<_>>().join("|"));
    let mut labels: Vec<String> = naming(plan).into_iter().cloned().collect();
    let mut parts = Vec::new();
    for label in &labels {
        let targets = format!("up{{{label}=~{pattern}}}");
        parts.push(part(&format!("count by ({label}) ({targets})"), TARGETS));
        parts.push(part(&format!("count by ({label}) ({targets} == 0)"), DOWN));
    }
    if let Some((requests, metric)) = &metrics.requests {
        let selector = format!("{},{}=~{pattern}", metric.all_services, metric.by);
        let counted = Counted::Failed { requests, codes: codes.to_vec() };
        parts.push(counted.both(QueryFill { by: &metric.by, selector: &selector, lookback }));
        if !labels.contains(&metric.by) {
            labels.push(metric.by.clone());
        }
    }
    (parts.join(" or "), labels)
}

/// The series of each service; if several labels name it, the first one counts.
fn by_name(matrix: &Matrix, labels: &[String]) -> BTreeMap<Text, DependencySeries> {
    let mut found: BTreeMap<Text, DependencySeries> = BTreeMap::new();
    for label in labels {
        for line in &matrix.lines {
            let Some(name) = line.labels.get(label) else { continue };
            let series = found.entry(name.clone()).or_default();
            let place = match line.labels.value(PART) {
                TARGETS => &mut series.targets.all,
                DOWN => &mut series.targets.failed,
                "failed" => &mut series.requests.failed,
                _ => &mut series.requests.all,
            };
            if place.is_empty() {
                place.clone_from(&line.values);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::packs;
    use crate::config::settings::ServiceSettings;
    use crate::model::labels::Labels;
    use crate::model::promql;
    use crate::model::series::Series;

    #[test]
    fn the_query_about_names_of_any_kind_is_valid() {
        let plan = DiscoveryPlan { packs: packs::chosen(&[], &[]), services: ServiceSettings::default() };
        let names = ["pay.ments".to_owned(), "a \"b\\".to_owned()];
        let (query, labels) = query(&plan, &ServiceMetrics::default(), &[], &names, Duration::from_secs(60));
        promql::parse(&query).unwrap_or_else(|error| panic!("{query}: {error:?}"));
        assert!(labels.starts_with(&["service".to_owned()]), "{labels:?}");
        assert!(query.contains(r#"service=~"pay\\.ments|a \"b"#), "{query}");
    }

    #[test]
    fn the_first_label_that_names_a_service_counts() {
        let end = jiff::Timestamp::from_second(1_800_000_000).unwrap();
        let span = TimeGrid::ending(end, Duration::from_secs(10), 2, Duration::from_secs(5));
        let line = |label: &str, part: &str, value: f64| Series {
            labels: Labels::from_iter([(label, "pay"), (PART, part)]),
            values: vec![value; 3],
        };
        let lines =
            vec![line("job", TARGETS, 9.0), line("service", TARGETS, 2.0), line("service", "all", 50.0)];
        let found = by_name(&Matrix { span, lines }, &["service".to_owned(), "job".to_owned()]);
        assert_eq!((found["pay"].targets.all[0], found["pay"].requests.all[0]), (2.0, 50.0));
        assert!(found["pay"].targets.failed.is_empty());
    }
}
