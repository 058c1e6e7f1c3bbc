//! How an OpenSLO is measured: ratios of good, bad and all, ratios that are told, values with a threshold.

use std::time::Duration;

use crate::model::promql::{self, Comparison};
use crate::model::slo::{Selector, Side, Sli, Template};

use super::super::table::{Table, Value};
use super::Library;

/// A way of measuring, before an objective is put to it.
pub(super) enum Indicator {
    Ready(Sli),
    /// A value that the objective compares.
    Value(Template),
    /// Nothing that a Prometheus could be asked.
    Elsewhere,
}

impl Indicator {
    /// With the threshold that the objective sets. None if no Prometheus can be asked, or if that is wrong, which is said.
    pub(super) fn with_bound(&self, objective: &Table<'_>) -> Option<Sli> {
        let value = match self {
            Self::Ready(sli) => return Some(sli.clone()),
            Self::Elsewhere => return None,
            Self::Value(value) => value,
        };
        let passes = objective.need_as("op", comparison);
        let bound = objective.need_as("value", Value::amount);
        Some(Sli::Threshold { value: value.clone(), passes: passes?, bound: bound? })
    }
}

pub(super) fn comparison(value: &Value<'_>) -> Option<Comparison> {
    value.one_of(&[
        ("lt", Comparison::Below),
        ("lte", Comparison::AtMost),
        ("gt", Comparison::Above),
        ("gte", Comparison::AtLeast),
    ])
}

/// An SLI, inside an SLO or an object of its own.
pub(super) fn object(value: &Value<'_>, library: &Library<'_>) -> Option<Indicator> {
    metrics(&super::spec(value)?, library)
}

fn metrics(spec: &Value<'_>, library: &Library<'_>) -> Option<Indicator> {
    let table = spec.table()?;
    table.pass_over(&["description"]);
    let (ratio, threshold) = (table.get("ratioMetric"), table.get("thresholdMetric"));
    table.finish();
    match (ratio, threshold) {
        (Some(ratio), None) => ratio_metric(&ratio, library),
        (None, Some(threshold)) => {
            let table = threshold.table()?;
            let source = table.need("metricSource").and_then(|value| source(&value, library));
            table.finish();
            match source? {
                Source::Query(value) => Some(Indicator::Value(value.query()?)),
                Source::Elsewhere => Some(Indicator::Elsewhere),
            }
        }
        (None, None) => {
            spec.error("has neither `ratioMetric` nor `thresholdMetric`");
            None
        }
        (Some(_), Some(_)) => {
            spec.error("has both `ratioMetric` and `thresholdMetric`; keep one of them");
            None
        }
    }
}

fn ratio_metric(value: &Value<'_>, library: &Library<'_>) -> Option<Indicator> {
    let table = value.table()?;
    let counter = Counter::of(table.get("counter").as_ref());
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
            raw.error("stands beside `good`, `bad` or `total`; keep one way of measuring");
            return None;
        }
        return raw_ratio(value, &source?, raw_type.as_ref());
    }
    let (side, part) = match (good, bad) {
        (Some(good), None) => (Side::Good, good),
        (None, Some(bad)) => (Side::Bad, bad),
        (Some(good), Some((_, _))) => {
            good.0.warn(
                "stands beside `bad`; all that is not good is taken for bad, and `bad` is not asked for",
            );
            (Side::Good, good)
        }
        (None, None) => {
            value.error("has neither `good` nor `bad` nor `raw`");
            return None;
        }
    };
    let Some(total) = total else {
        value.error("lacks `total`");
        return None;
    };
    events(side, &part.1?, &total.1?, counter)
}

fn raw_ratio(value: &Value<'_>, source: &Source<'_>, raw_type: Option<&Value<'_>>) -> Option<Indicator> {
    let Some(raw_type) = raw_type else {
        value.error("lacks `rawType`: whether `raw` is the share of success or of failure");
        return None;
    };
    raw_type.text()?;
    let Source::Query(query) = source else { return Some(Indicator::Elsewhere) };
    let is_success = raw_type.one_of(&[("success", true), ("failure", false)])?;
    let mut error = query.query()?;
    if is_success {
        // a remark at its end must not hide the bracket
        error = query.query_of(&format!("1 - (\n{}\n)", query.text()?.trim()))?;
    }
    Some(Indicator::Ready(Sli::Ratio { error }))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counter {
    Yes,
    No,
    /// Not said: the name of the metric tells.
    Unsaid,
}

impl Counter {
    fn of(value: Option<&Value<'_>>) -> Self {
        match value.map(Value::is_true) {
            Some(Some(true)) => Self::Yes,
            Some(_) => Self::No,
            None => Self::Unsaid,
        }
    }

    /// Whether this query is the bare number of a counter.
    fn is_bare(self, query: &Template) -> bool {
        if query.has_window() || query.as_str().contains('[') {
            return false;
        }
        let is_named =
            |metric: &str| ["_total", "_count", "_bucket", "_sum"].iter().any(|end| metric.ends_with(end));
        match self {
            Self::Yes => true,
            Self::No => false,
            Self::Unsaid => counted(query).is_some_and(|selector| is_named(&selector.metric)),
        }
    }
}

/// Two queries. A counter that nobody takes the rate of is a number since the last restart: then the rate is ours to take.
fn events(side: Side, part: &Source<'_>, total: &Source<'_>, counter: Counter) -> Option<Indicator> {
    let (Source::Query(part), Source::Query(total)) = (part, total) else {
        return Some(Indicator::Elsewhere);
    };
    let (one, two) = (part.query(), total.query());
    let (one, two) = (one?, two?);
    if !counter.is_bare(&one) && !counter.is_bare(&two) {
        return Some(Indicator::Ready(Sli::Events { side, part: one, total: two }));
    }
    if let (Some(part), Some(total)) = (counted(&one), counted(&two)) {
        return Some(Indicator::Ready(Sli::Counters { side, part, total }));
    }
    part.warn(
        "counts by a counter and has no {{.window}} to take its increase over: it is listed, and not asked for",
    );
    Some(Indicator::Elsewhere)
}

/// The metric of `sum(metric{...})`, or of the metric alone.
fn counted(query: &Template) -> Option<Selector> {
    let text = query.as_str().trim();
    let inner = text
        .strip_prefix("sum")
        .map(str::trim_start)
        .and_then(|rest| rest.strip_prefix('(')?.strip_suffix(')'));
    Selector::parse(inner.unwrap_or(text).trim()).ok()
}

enum Source<'l> {
    /// To a Prometheus.
    Query(Value<'l>),
    /// Somewhere else; said.
    Elsewhere,
}

/// Systems that answer PromQL.
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

fn elsewhere<'l>(value: &Value<'_>, kind: &str) -> Source<'l> {
    value.warn(&format!(
        "is measured by {kind}, and burnwatch asks Prometheus only: it is listed without figures"
    ));
    Source::Elsewhere
}

fn source<'l>(value: &Value<'l>, library: &Library<'_>) -> Option<Source<'l>> {
    let table = value.table()?;
    let reference = table.get("metricSourceRef");
    let kind = table.get_as("type", Value::label);
    let spec = table.need("spec");
    table.finish();
    let kind = kind.or_else(|| data_source(reference.as_ref()?, library));
    if let Some(kind) = kind.as_ref().filter(|kind| !is_promql(kind)) {
        return Some(elsewhere(value, kind));
    }
    // free form: what it means is the data source's business
    let spec = spec?.table()?;
    let query = ["query", "promql", "expr"].into_iter().find_map(|key| spec.get(key));
    let Some(query) = query else {
        if kind.is_some() {
            spec.value().error("has no `query`");
            return None;
        }
        return Some(elsewhere(value, "something that is not said"));
    };
    if kind.is_none() && Template::parse(query.text()?).is_ok_and(|query| !is_promql_text(&query)) {
        return Some(elsewhere(value, "something that is not said"));
    }
    Some(Source::Query(query))
}

fn is_promql_text(query: &Template) -> bool {
    promql::parse(&query.over(Duration::from_secs(300))).is_ok()
}

/// The kind of the data source that is referred to, if that is known.
fn data_source(reference: &Value<'_>, library: &Library<'_>) -> Option<String> {
    let name = reference.text()?;
    let Some(found) = library.find("DataSource", name, reference) else {
        super::missing(reference, "DataSource", name, "");
        return None;
    };
    found.node().field("spec")?.field("type")?.text().map(str::to_owned)
}

/// A threshold metric of `openslo/v1alpha`.
pub(super) fn alpha(value: &Value<'_>) -> Option<Indicator> {
    let table = value.table()?;
    let threshold = table.need_as("thresholdMetric", alpha_source);
    table.finish();
    match threshold? {
        Source::Query(query) => Some(Indicator::Value(query.query()?)),
        Source::Elsewhere => Some(Indicator::Elsewhere),
    }
}

/// The queries of an objective of `openslo/v1alpha`.
pub(super) fn alpha_ratio(value: &Value<'_>) -> Option<Indicator> {
    let table = value.table()?;
    let counter = ["incremental", "counter"].into_iter().find_map(|key| table.get(key));
    table.pass_over(&["incremental", "counter"]);
    let counter = Counter::of(counter.as_ref());
    let (good, bad) = (table.get("good"), table.get("bad"));
    let side = if good.is_some() { Side::Good } else { Side::Bad };
    let part = good.or(bad);
    if part.is_none() {
        table.need("good");
    }
    let total = table.need_as("total", alpha_source);
    table.finish();
    events(side, &alpha_source(&part?)?, &total?, counter)
}

fn alpha_source<'l>(value: &Value<'l>) -> Option<Source<'l>> {
    let table = value.table()?;
    let kind = table.need_as("source", Value::label);
    table.pass_over(&["queryType", "metadata"]);
    let query = table.need("query");
    table.finish();
    let kind = kind?;
    if is_promql(&kind) { query.map(Source::Query) } else { Some(elsewhere(value, &kind)) }
}
