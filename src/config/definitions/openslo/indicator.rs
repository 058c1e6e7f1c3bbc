//! Reads OpenSLO indicators: ratios of two counts, ready-made ratios, and values with a threshold.

use std::time::Duration;

use crate::model::promql::{self, Comparison};
use crate::model::slo::{EventSide, Selector, Sli, Template};

use super::super::table::{DocumentTable, TableValue};
use super::OpenSloObjects;

/// An indicator, before the threshold of an objective is applied.
pub(super) enum OpenSloIndicator {
    /// Complete without a threshold.
    Ready(Sli),
    /// A value that the objective compares with its threshold.
    Value(Template),
    /// Measured by a system other than Prometheus.
    OtherSystem,
}

impl OpenSloIndicator {
    /// The SLI with the threshold of the objective. `None` if it is not measured by Prometheus, or if the threshold is invalid,
    /// which is reported.
    pub(super) fn with_threshold(&self, objective: &DocumentTable<'_>) -> Option<Sli> {
        let value = match self {
            Self::Ready(sli) => return Some(sli.clone()),
            Self::OtherSystem => return None,
            Self::Value(value) => value,
        };
        let passes = objective.need_as("op", comparison);
        let bound = objective.need_as("value", TableValue::amount);
        Some(Sli::Threshold { value: value.clone(), passes: passes?, bound: bound? })
    }
}

/// OpenSLO's words for comparisons; it has none for equality.
pub(in super::super) const COMPARISONS: [(&str, Comparison); 4] = [
    ("lt", Comparison::Below),
    ("lte", Comparison::AtMost),
    ("gt", Comparison::Above),
    ("gte", Comparison::AtLeast),
];

pub(super) fn comparison(value: &TableValue<'_>) -> Option<Comparison> {
    value.one_of(&COMPARISONS)
}

/// Reads an SLI, inside an SLO or as an object of its own.
pub(super) fn object(value: &TableValue<'_>, library: &OpenSloObjects<'_>) -> Option<OpenSloIndicator> {
    metrics(&super::spec(value)?, library)
}

fn metrics(spec: &TableValue<'_>, library: &OpenSloObjects<'_>) -> Option<OpenSloIndicator> {
    let table = spec.table()?;
    table.ignore_keys(&["description"]);
    let (ratio, threshold) = (table.get("ratioMetric"), table.get("thresholdMetric"));
    table.finish();
    match (ratio, threshold) {
        (Some(ratio), None) => ratio_metric(&ratio, library),
        (None, Some(threshold)) => {
            let table = threshold.table()?;
            let source = table.need("metricSource").and_then(|value| source(&value, library));
            table.finish();
            source?.as_value()
        }
        (None, None) => spec.reject("has neither `ratioMetric` nor `thresholdMetric`"),
        (Some(_), Some(_)) => spec.reject("has both `ratioMetric` and `thresholdMetric`; keep one of them"),
    }
}

fn ratio_metric(value: &TableValue<'_>, library: &OpenSloObjects<'_>) -> Option<OpenSloIndicator> {
    let table = value.table()?;
    let counter = CounterKind::of(table.get("counter").as_ref());
    let read = |key| {
        let metric = table.get(key)?;
        let found = metric.table().and_then(|metric| {
            let source = metric.need("metricSource").and_then(|value| source(&value, library));
            metric.finish();
            source
        });
        Some((metric, found))
    };
    let (good, bad, total, raw) = (read("good"), read("bad"), read("total"), read("raw"));
    let raw_type = table.get("rawType");
    table.finish();
    if let Some((raw, source)) = raw {
        if good.is_some() || bad.is_some() || total.is_some() {
            return raw.reject("is given together with `good`, `bad` or `total`; keep one of them");
        }
        return raw_ratio(value, &source?, raw_type.as_ref());
    }
    let (side, part) = match (good, bad) {
        (Some(good), None) => (EventSide::Good, good),
        (None, Some(bad)) => (EventSide::Bad, bad),
        (Some(good), Some((_, _))) => {
            good.0.warn(
                "is given together with `bad`, which is ignored: all events that are not good count as bad",
            );
            (EventSide::Good, good)
        }
        (None, None) => {
            return value.reject("has neither `good` nor `bad` nor `raw`");
        }
    };
    let Some(total) = total else {
        return value.reject("lacks `total`");
    };
    events(side, &part.1?, &total.1?, counter)
}

fn raw_ratio(
    value: &TableValue<'_>,
    source: &QuerySource<'_>,
    raw_type: Option<&TableValue<'_>>,
) -> Option<OpenSloIndicator> {
    let Some(raw_type) = raw_type else {
        return value.reject("lacks `rawType`: whether `raw` is the share of success or of failure");
    };
    raw_type.text()?;
    let QuerySource::Query(query) = source else { return Some(OpenSloIndicator::OtherSystem) };
    let is_success = raw_type.one_of(&[("success", true), ("failure", false)])?;
    let mut error = query.query()?;
    if is_success {
        // line breaks, so that a comment at the end of the query does not hide the closing parenthesis
        error = query.query_from(&format!("1 - (\n{}\n)", query.text()?.trim()))?;
    }
    Some(OpenSloIndicator::Ready(Sli::Ratio { error }))
}

/// Whether the metric is a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CounterKind {
    Yes,
    No,
    /// Not stated: the suffix of the metric name decides.
    Unspecified,
}

impl CounterKind {
    fn of(value: Option<&TableValue<'_>>) -> Self {
        match value.map(TableValue::is_true) {
            Some(Some(true)) => Self::Yes,
            Some(_) => Self::No,
            None => Self::Unspecified,
        }
    }

    /// Whether this query returns the value of a counter, without a rate or increase.
    fn is_counter_value(self, query: &Template) -> bool {
        if query.has_window() || query.as_str().contains('[') {
            return false;
        }
        let is_named =
            |metric: &str| ["_total", "_count", "_bucket", "_sum"].iter().any(|end| metric.ends_with(end));
        match self {
            Self::Yes => true,
            Self::No => false,
            Self::Unspecified => counter_of(query).is_some_and(|selector| is_named(&selector.metric)),
        }
    }
}

/// Two event queries. The value of a counter is a count since its last reset, so the rate is taken here.
fn events(
    side: EventSide,
    part: &QuerySource<'_>,
    total: &QuerySource<'_>,
    counter: CounterKind,
) -> Option<OpenSloIndicator> {
    let (QuerySource::Query(part), QuerySource::Query(total)) = (part, total) else {
        return Some(OpenSloIndicator::OtherSystem);
    };
    let (one, two) = (part.query(), total.query());
    let (one, two) = (one?, two?);
    if !counter.is_counter_value(&one) && !counter.is_counter_value(&two) {
        return Some(OpenSloIndicator::Ready(Sli::Events { side, part: one, total: two }));
    }
    if let (Some(part), Some(total)) = (counter_of(&one), counter_of(&two)) {
        return Some(OpenSloIndicator::Ready(Sli::Counters { side, part, total }));
    }
    part.warn(
        "is the value of a counter and has no {{.window}} to compute its increase: the SLO is listed without data",
    );
    Some(OpenSloIndicator::OtherSystem)
}

/// The selector in `sum(metric{...})`, or of the metric alone.
fn counter_of(query: &Template) -> Option<Selector> {
    let text = query.as_str().trim();
    let inner = text
        .strip_prefix("sum")
        .map(str::trim_start)
        .and_then(|rest| rest.strip_prefix('(')?.strip_suffix(')'));
    Selector::parse(inner.unwrap_or(text).trim()).ok()
}

/// The system that a query is for.
enum QuerySource<'l> {
    /// Prometheus or a compatible system.
    Query(TableValue<'l>),
    /// Another system; already reported as a warning.
    OtherSystem,
}

impl QuerySource<'_> {
    /// The indicator of a value that an objective compares with its threshold.
    fn as_value(&self) -> Option<OpenSloIndicator> {
        match self {
            Self::Query(query) => Some(OpenSloIndicator::Value(query.query()?)),
            Self::OtherSystem => Some(OpenSloIndicator::OtherSystem),
        }
    }
}

/// Systems that support PromQL.
const PROMQL: [&str; 8] = [
    "prometheus",
    "thanos",
    "mimir",
    "cortex",
    "victoriametrics",
    "amazonprometheus",
    "grafanamimir",
    "promql",
];

fn is_promql(kind: &str) -> bool {
    let letters: String = kind.chars().filter(char::is_ascii_alphanumeric).collect();
    PROMQL.iter().any(|known| letters.eq_ignore_ascii_case(known))
}

#[expect(clippy::unnecessary_wraps, reason = "the result of the functions that call it")]
fn other_system<'l>(value: &TableValue<'_>, kind: &str) -> Option<QuerySource<'l>> {
    value.warn(&format!(
        "is measured by {kind}, but burnwatch queries only Prometheus: the SLO is listed without data"
    ));
    Some(QuerySource::OtherSystem)
}

fn source<'l>(value: &TableValue<'l>, library: &OpenSloObjects<'_>) -> Option<QuerySource<'l>> {
    let table = value.table()?;
    let reference = table.get("metricSourceRef");
    let kind = table.get_as("type", TableValue::label);
    let spec = table.need("spec");
    table.finish();
    let kind = kind.or_else(|| data_source(reference.as_ref()?, library));
    if let Some(kind) = kind.as_ref().filter(|kind| !is_promql(kind)) {
        return other_system(value, kind);
    }
    // OpenSLO does not define the content of `spec`; it depends on the data source
    let spec = spec?.table()?;
    let query = ["query", "promql", "expr"].into_iter().find_map(|key| spec.get(key));
    let Some(query) = query else {
        if kind.is_some() {
            return spec.value().reject("has no `query`");
        }
        return other_system(value, "an unspecified system");
    };
    if kind.is_none() && Template::parse(query.text()?).is_ok_and(|query| !is_promql_text(&query)) {
        return other_system(value, "an unspecified system");
    }
    Some(QuerySource::Query(query))
}

fn is_promql_text(query: &Template) -> bool {
    promql::parse(&query.over(Duration::from_secs(300))).is_ok()
}

/// The type of the referenced data source, if known.
fn data_source(reference: &TableValue<'_>, library: &OpenSloObjects<'_>) -> Option<String> {
    let name = reference.text()?;
    let Some(found) = library.find("DataSource", name, reference) else {
        super::missing(reference, "DataSource", name, "");
        return None;
    };
    found.node().field("spec")?.field("type")?.text().map(str::to_owned)
}

/// Reads a threshold metric of `openslo/v1alpha`.
pub(super) fn alpha(value: &TableValue<'_>) -> Option<OpenSloIndicator> {
    let table = value.table()?;
    let threshold = table.need_as("thresholdMetric", alpha_source);
    table.finish();
    threshold?.as_value()
}

/// Reads the queries of an objective of `openslo/v1alpha`.
pub(super) fn alpha_ratio(value: &TableValue<'_>) -> Option<OpenSloIndicator> {
    let table = value.table()?;
    let counter = ["incremental", "counter"].into_iter().find_map(|key| table.get(key));
    table.ignore_keys(&["incremental", "counter"]);
    let counter = CounterKind::of(counter.as_ref());
    let (good, bad) = (table.get("good"), table.get("bad"));
    let side = if good.is_some() { EventSide::Good } else { EventSide::Bad };
    let part = good.or(bad);
    if part.is_none() {
        table.need("good");
    }
    let total = table.need_as("total", alpha_source);
    table.finish();
    events(side, &alpha_source(&part?)?, &total?, counter)
}

fn alpha_source<'l>(value: &TableValue<'l>) -> Option<QuerySource<'l>> {
    let table = value.table()?;
    let kind = table.need_as("source", TableValue::label);
    table.ignore_keys(&["queryType", "metadata"]);
    let query = table.need("query");
    table.finish();
    let kind = kind?;
    if is_promql(&kind) { query.map(QuerySource::Query) } else { other_system(value, &kind) }
}
