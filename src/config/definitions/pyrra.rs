//! Reads Pyrra's definitions: `pyrra.dev/v1alpha1`, `ServiceLevelObjective`.

use crate::model::duration;
use crate::model::labels::{Labels, Text};
use crate::model::promql;
use crate::model::slo::{
    AlertMetadata, BudgetingMethod, EventSide, Family, Form, RecordedSeries, Selector, Sli, Slo, SloAlerting,
    Template, Window, lookbacks, pyrra,
};

use super::table::{DocumentTable, TableValue};

/// Prefix of document labels that Pyrra copies to the series, without the prefix.
const PREFIX: &str = "pyrra.dev/";

pub(super) fn read(document: &TableValue<'_>) -> Option<Slo> {
    let before = document.origin().findings.errors();
    let root = document.table()?;
    root.ignore_keys(&["apiVersion", "kind", "status"]);
    let metadata = root.need_as("metadata", metadata);
    let spec = root.need_as("spec", TableValue::table);
    root.finish();
    let spec = spec?;
    let objective = spec.need_as("target", TableValue::percent_or_warn);
    let window = spec.need_as("window", TableValue::duration);
    let description = spec.get_as("description", TableValue::sentence);
    let indicator = spec.need_as("indicator", indicator);
    let alerting = spec.get("alerting").map_or_else(
        || Some(SloAlerting { on_absence: true, ..SloAlerting::all() }),
        |value| alerting(&value),
    );
    spec.ignore_keys(&["performanceOverAccuracy", "ruleOutput", "partial_response_strategy"]);
    spec.finish();
    if document.origin().findings.errors() > before {
        return None;
    }
    let (metadata, indicator, window) = (metadata?, indicator?, window?);
    let pairs = pyrra(window).to_vec();
    if pairs.iter().any(|pair| pair.short.is_zero()) {
        document.warn("the window is so short that Pyrra's lookbacks round to zero");
    }
    let pairs: Vec<_> = pairs.into_iter().filter(|pair| !pair.short.is_zero()).collect();
    let total = &indicator.total;
    let equal = total.matches.iter().map(|matched| &matched.name);
    let equal: Labels = equal
        .filter(|name| &***name != "le" && !indicator.grouping.contains(name))
        .filter_map(|name| Some((name.clone(), total.equal(name)?.clone())))
        .collect();
    Some(Slo {
        id: metadata.name.clone(),
        name: metadata.name.clone(),
        service: metadata.labels.get("service").cloned(),
        description: description.unwrap_or_default(),
        labels: metadata.labels,
        objective: objective?,
        window: Window::Rolling(window),
        budgeting: BudgetingMethod::Occurrences,
        recorded: Some(RecordedSeries {
            labels: equal.merged_with(&metadata.propagated),
            metric: stem(&total.metric).into(),
            lookbacks: lookbacks(&pairs),
            ..RecordedSeries::new(Family::Pyrra, metadata.name)
        }),
        sli: Some(indicator.sli),
        grouping: indicator.grouping,
        pairs,
        alerting: alerting?,
        origin: document.as_origin(Form::Pyrra),
    })
}

/// The base name of Pyrra's recorded series: the metric name without these suffixes.
fn stem(metric: &str) -> &str {
    let without = ["_total", "_count", "_bucket"].into_iter().find_map(|ending| metric.strip_suffix(ending));
    without.unwrap_or(metric)
}

struct PyrraMetadata {
    name: Text,
    /// All labels; those for the series without the prefix.
    labels: Labels,
    /// The labels that are copied to the series.
    propagated: Labels,
}

fn metadata(value: &TableValue<'_>) -> Option<PyrraMetadata> {
    let table = value.table()?;
    let name = table.need_as("name", TableValue::word);
    let labels = table.labels("labels");
    let propagated = labels.iter().filter_map(|(name, value)| Some((name.strip_prefix(PREFIX)?, value)));
    let propagated: Labels = propagated.collect();
    let others = labels.without(|name| name.starts_with(PREFIX));
    Some(PyrraMetadata { name: name?, labels: others.merged_with(&propagated), propagated })
}

struct PyrraIndicator {
    sli: Sli,
    /// The selector of all events; its name and labels are those of the recorded series.
    total: Selector,
    grouping: Vec<Text>,
}

fn indicator(value: &TableValue<'_>) -> Option<PyrraIndicator> {
    const KINDS: [&str; 4] = ["ratio", "latency", "latencyNative", "bool_gauge"];
    let table = value.table()?;
    let given: Vec<_> = KINDS.into_iter().filter_map(|kind| Some((kind, table.get(kind)?))).collect();
    table.finish();
    let [(kind, given)] = given.as_slice() else {
        let many = if given.is_empty() { "none" } else { "more than one" };
        return value.reject(&format!(
            "has {many} of `ratio`, `latency`, `latencyNative` and `bool_gauge`; it needs one"
        ));
    };
    let table = given.table()?;
    let grouping = table.get("grouping").map(|value| value.words()).unwrap_or_default();
    let found = match *kind {
        "ratio" => {
            let (part, total) = (metric(&table, "errors"), metric(&table, "total"));
            let (part, total) = (part?, total?);
            let (bad, all) = (part.selector.clone(), total.selector.clone());
            let plain = Sli::Counters { side: EventSide::Bad, part: bad, total: all };
            Some((sli(plain, EventSide::Bad, [&part, &total], &grouping)?, total.selector))
        }
        "latency" => {
            let (fast, total) = (metric(&table, "success"), metric(&table, "total"));
            let (fast, total) = (fast?, total?);
            if fast.selector.equal("le").is_none() {
                return given.reject("`success.metric` must select one bucket, as in le=\"0.5\"");
            }
            let plain = Sli::Latency { fast: fast.selector.clone(), total: total.selector.clone() };
            Some((sli(plain, EventSide::Good, [&fast, &total], &grouping)?, total.selector))
        }
        "latencyNative" => {
            let threshold = table.need_as("latency", TableValue::seconds);
            let total = plain(&table, "total");
            let (threshold, total) = (threshold?, total?);
            Some((Sli::NativeLatency { histogram: total.clone(), threshold }, total))
        }
        _ => {
            let metric = table.need_as("metric", TableValue::selector)?;
            Some((Sli::Gauge { metric: metric.clone() }, metric))
        }
    };
    table.finish();
    found.map(|(sli, total)| PyrraIndicator { sli, total, grouping })
}

/// A metric with an optional `offset`.
struct Metric<'l> {
    selector: Selector,
    offset: Option<String>,
    value: TableValue<'l>,
}

impl Metric<'_> {
    /// The query of its rate, for a metric with an offset, which a selector cannot express.
    fn rate(&self, grouping: &[Text]) -> Option<Template> {
        let by = promql::by(grouping);
        let offset = self.offset.as_ref().map_or_else(String::new, |offset| format!(" offset {offset}"));
        self.value.query_from(&format!("sum{by} (rate({}[{{{{.window}}}}]{offset}))", self.selector))
    }
}

/// `plain`, or the rates of both metrics if one has an offset.
fn sli(plain: Sli, side: EventSide, [part, total]: [&Metric<'_>; 2], grouping: &[Text]) -> Option<Sli> {
    if part.offset.is_none() && total.offset.is_none() {
        return Some(plain);
    }
    Some(Sli::Events { side, part: part.rate(grouping)?, total: total.rate(grouping)? })
}

/// Reads the metric of a table that has no other keys.
fn metric<'l>(table: &DocumentTable<'l>, key: &'static str) -> Option<Metric<'l>> {
    let table = table.need(key)?.table()?;
    let value = table.need("metric");
    table.finish();
    let value = value?;
    let text = value.text()?.trim();
    // Pyrra accepts any vector selector, so also one with an offset
    if let Some((before, offset)) = text.rsplit_once(" offset ")
        && let Ok(selector) = Selector::parse(before)
        && selector.invalid_bound().is_none()
        && duration::parse(offset.trim()).is_ok()
    {
        return Some(Metric { selector, offset: Some(offset.trim().to_owned()), value });
    }
    Some(Metric { selector: value.selector()?, offset: None, value })
}

/// The same where an offset is not supported.
fn plain(table: &DocumentTable<'_>, key: &'static str) -> Option<Selector> {
    let table = table.need(key)?.table()?;
    let metric = table.need_as("metric", TableValue::selector);
    table.finish();
    metric
}

fn alerting(value: &TableValue<'_>) -> Option<SloAlerting> {
    let table = value.table()?;
    let is = |key, usual| table.get_or(key, usual, TableValue::is_true);
    let (disabled, burnrates, absent) = (is("disabled", false), is("burnrates", true), is("absent", true));
    let name = table.get_as("name", TableValue::word);
    let absent_name = table.get_as("absentName", TableValue::word);
    table.ignore_keys(&["severities"]);
    table.finish();
    let wanted = burnrates? && !disabled?;
    let notice = wanted.then(AlertMetadata::default);
    Some(SloAlerting {
        name,
        absent_name,
        page: notice.clone(),
        ticket: notice,
        on_absence: absent? && !disabled?,
        ..SloAlerting::default()
    })
}
