//! Reads burnwatch's own TOML format: `[[slo]]` with a name, an objective and an SLI.

use std::time::Duration;

use jiff::tz::TimeZone;

use crate::model::labels::{Labels, Text};
use crate::model::matcher::Operator;
use crate::model::promql::{self, Comparison};
use crate::model::slo::{
    AlertMetadata, BudgetingMethod, BurnCondition, BurnSeverity, Calendar, CalendarUnit, EventSide, Family,
    Form, RecordedSeries, Selector, SelectorError, Sli, Slo, SloAlerting, Template, Window, lookbacks,
    standard,
};

use super::DEFAULT_PERIOD;
use super::openslo::{self, DEFAULT_START};
use super::table::{DocumentTable, TableValue};

/// Settings that apply to all SLOs of a file.
struct OwnDefaults {
    service: Option<Text>,
    labels: Labels,
    window: Window,
}

pub(super) fn read(document: &TableValue<'_>, slos: &mut Vec<Slo>) {
    let Some(root) = document.table() else { return };
    let before = document.origin().findings.errors();
    let service = root.get_as("service", TableValue::word);
    let labels = root.labels("labels");
    let shared_window =
        root.get("window").map_or(Some(Window::Rolling(DEFAULT_PERIOD)), |value| window(&value));
    let entries = root.need("slo").map(|value| value.list()).unwrap_or_default();
    root.finish();
    let is_sound = document.origin().findings.errors() == before;
    let shared =
        OwnDefaults { service, labels, window: shared_window.unwrap_or(Window::Rolling(DEFAULT_PERIOD)) };
    // an error in the shared settings affects all SLOs; they are still read, to report all errors at once
    let read: Vec<_> = entries.iter().filter_map(|entry| one(entry, &shared)).collect();
    if is_sound {
        slos.extend(read);
    }
}

fn one(value: &TableValue<'_>, shared: &OwnDefaults) -> Option<Slo> {
    let before = value.origin().findings.errors();
    let table = value.table()?;
    let name = table.need_as("name", TableValue::word);
    let service = table.get_as("service", TableValue::word).or_else(|| shared.service.clone());
    let id = table.get_as("id", TableValue::word);
    let description = table.get_as("description", TableValue::sentence);
    let objective = table.need_as("objective", TableValue::percent_or_warn);
    let own_window = table.get("window").map_or_else(|| Some(shared.window.clone()), |value| window(&value));
    let labels = table.labels("labels");
    let grouping = table.get("by").map(|value| value.words()).unwrap_or_default();
    let recorded = table.get("recorded").map(|value| recorded(&value));
    let sli = sli(&table, &grouping, recorded.is_some());
    let budgeting = budgeting(&table);
    let own_pairs = table.get("pairs").map(|value| value.list());
    let alerting = table.get("alert").map_or_else(|| Some(SloAlerting::all()), |value| alerting(&value));
    let pairs = own_window.as_ref().map(|window| match &own_pairs {
        Some(entries) => entries.iter().filter_map(|entry| pair(entry, window.nominal())).collect(),
        None => standard(window.nominal()),
    });
    table.finish();
    if value.origin().findings.errors() > before {
        return None;
    }
    let (name, mut pairs) = (name?, pairs?);
    pairs.sort_by(|a: &BurnCondition, b| a.severity.cmp(&b.severity).then(b.factor.total_cmp(&a.factor)));
    let id = id.unwrap_or_else(|| match &service {
        Some(service) => format!("{service}-{name}").into(),
        None => name.clone(),
    });
    Some(Slo {
        id,
        name,
        service,
        description: description.unwrap_or_default(),
        labels: shared.labels.merged_with(&labels),
        objective: objective?,
        window: own_window?,
        budgeting: budgeting?,
        sli,
        grouping,
        recorded: recorded
            .flatten()
            .map(|recorded| RecordedSeries { lookbacks: lookbacks(&pairs), ..recorded }),
        pairs,
        alerting: alerting?,
        origin: value.as_origin(Form::Own),
    })
}

/// Reads `"30d"`, or `{ calendar = "1 month", zone = "Europe/Berlin", start = "2026-01-01" }`.
fn window(value: &TableValue<'_>) -> Option<Window> {
    if value.node().text().is_some() {
        return value.duration().map(Window::Rolling);
    }
    let table = value.table()?;
    let length = table.need_as("calendar", calendar);
    let zone = table.need_as("zone", openslo::zone);
    let start = table.get_or("start", DEFAULT_START, |value| openslo::start(value, Some(&TimeZone::UTC)));
    table.finish();
    let (count, unit) = length?;
    Some(Window::Calendar(Calendar { count, unit, start: start?, zone: zone? }))
}

/// Reads `1 month`, `2 weeks`, `quarter`.
fn calendar(value: &TableValue<'_>) -> Option<(u32, CalendarUnit)> {
    let text = value.text()?.trim();
    let (count, word) = text.split_once(' ').unwrap_or(("1", text));
    let word = word.trim().trim_end_matches('s');
    let unit = CalendarUnit::ALL.into_iter().find(|unit| unit.word() == word);
    let count = count.parse().ok().filter(|count| (1..=1000).contains(count));
    count.zip(unit).or_else(|| {
        value.reject(&format!(
            "{text:?} is not a calendar period; write it like 1 month, 2 weeks or 1 quarter"
        ))
    })
}

/// The words for tools that record SLOs.
pub(super) const FAMILIES: [(&str, Family); 3] =
    [("sloth", Family::Sloth), ("pyrra", Family::Pyrra), ("grafana", Family::Grafana)];

/// Reads `{ by = "sloth", id = "..." }`: the series under which another tool records the SLO.
fn recorded(value: &TableValue<'_>) -> Option<RecordedSeries> {
    let table = value.table()?;
    let family = table.need_as("by", |value| value.one_of(&FAMILIES));
    let id = table.need_as("id", TableValue::word);
    let labels = table.labels("labels");
    let metric = if family == Some(Family::Pyrra) { table.need("metric") } else { table.get("metric") };
    let metric = metric.and_then(|value| value.word()).unwrap_or_default();
    table.finish();
    Some(RecordedSeries { labels, metric, ..RecordedSeries::new(family?, id?) })
}

/// Reads the SLI; exactly one kind must be given, or none if the SLO is recorded.
fn sli(table: &DocumentTable<'_>, grouping: &[Text], is_recorded: bool) -> Option<Sli> {
    const KINDS: [&str; 7] = ["bad", "good", "error_ratio", "latency", "up", "apdex", "threshold"];
    let total = table.get("total");
    let given: Vec<_> = KINDS.into_iter().filter_map(|kind| Some((kind, table.get(kind)?))).collect();
    let [(kind, value)] = given.as_slice() else {
        if given.is_empty() && is_recorded && total.is_none() {
            return None;
        }
        let many = if given.is_empty() { "none" } else { "more than one" };
        return table.value().reject(&format!(
            "has {many} of `bad`, `good`, `error_ratio`, `latency`, `up`, `apdex` and `threshold`; it needs one"
        ));
    };
    if let Some(total) = total.filter(|_| !matches!(*kind, "bad" | "good")) {
        return total.reject("is only used together with `bad` or `good`");
    }
    match *kind {
        "bad" => events(EventSide::Bad, value, &table.need("total")?, grouping),
        "good" => events(EventSide::Good, value, &table.need("total")?, grouping),
        "error_ratio" => Some(Sli::Ratio { error: query(value, grouping)? }),
        "latency" => latency(value),
        "up" => Some(Sli::Gauge { metric: value.selector()? }),
        "apdex" => apdex(value),
        _ => threshold(value, grouping),
    }
}

fn threshold(value: &TableValue<'_>, grouping: &[Text]) -> Option<Sli> {
    let table = value.table()?;
    let value = table.need_as("query", |value| query(value, grouping));
    let known = [Comparison::Below, Comparison::AtMost, Comparison::Above, Comparison::AtLeast];
    let known = known.map(|comparison| (comparison.sign(), comparison));
    let passes = table.need_as("op", |value| value.one_of(&known));
    let bound = table.need_as("bound", TableValue::amount);
    table.finish();
    Some(Sli::Threshold { value: value?, passes: passes?, bound: bound? })
}

/// Counters if both values are plain metrics, else queries.
fn events(side: EventSide, part: &TableValue<'_>, total: &TableValue<'_>, grouping: &[Text]) -> Option<Sli> {
    let metrics = (Selector::parse(part.text()?), Selector::parse(total.text()?));
    if let (Ok(part), Ok(total)) = metrics {
        return Some(Sli::Counters { side, part, total });
    }
    let by = promql::by(grouping);
    let query = |value: &TableValue<'_>, metric: Result<Selector, SelectorError>| match metric {
        Ok(metric) => value.query_from(&format!("sum{by} (rate({metric}[{{{{.window}}}}]))")),
        Err(error @ SelectorError::Hidden(_)) => value.reject(&error.to_string()),
        Err(_) => query(value, grouping),
    };
    let (part, total) = (query(part, metrics.0), query(total, metrics.1));
    Some(Sli::Events { side, part: part?, total: total? })
}

/// Reads a complete query, with `$window` in place of the lookback.
fn query(value: &TableValue<'_>, grouping: &[Text]) -> Option<Template> {
    const PLACEHOLDERS: [(&str, &str); 2] = [("${window}", "5m       "), ("$window", "5m     ")];
    let written = value.text()?;
    let text =
        PLACEHOLDERS.iter().fold(written.to_owned(), |text, (hole, _)| text.replace(hole, "{{.window}}"));
    let query = value.template(&text)?;
    // `$window` is replaced by a duration of the same width, so that error positions match the file
    value.check_query(
        &PLACEHOLDERS.iter().fold(written.to_owned(), |text, (hole, tried)| text.replace(hole, tried)),
    );
    if !query.has_window() && text.contains('[') {
        value.warn(
            "has a fixed lookback; use $window, as in rate(x[$window]). Now it is evaluated every minute, and the results are added up or averaged",
        );
    }
    if let Some(label) = grouping.iter().find(|label| !text.contains(&***label)) {
        value.warn(&format!("does not keep the label `{label}`, which `by` lists"));
    }
    Some(query)
}

/// The threshold in the unit of the histogram. A plain number is used unchanged; a duration is converted to milliseconds or
/// seconds, according to the metric's name.
fn bound(value: &TableValue<'_>, metric: &str) -> Option<f64> {
    if let Some(number) = value.node().text().and_then(|text| text.trim().parse::<f64>().ok()) {
        let is_fit = number.is_finite() && number > 0.0;
        return if is_fit { Some(number) } else { value.reject("must be above 0") };
    }
    let duration = value.seconds()?;
    let is_millis = ["_milliseconds", "_millis", "_ms"].iter().any(|ending| stem(metric).ends_with(ending));
    Some(if is_millis { duration * 1000.0 } else { duration })
}

/// The name of a histogram, without `_bucket`, `_count` or `_sum`.
fn stem(metric: &str) -> &str {
    ["_bucket", "_count", "_sum"].into_iter().find_map(|end| metric.strip_suffix(end)).unwrap_or(metric)
}

/// The selector of a histogram, without the suffix `_bucket`, `_count` or `_sum`.
fn histogram(table: &DocumentTable<'_>) -> Option<Selector> {
    let value = table.need("histogram")?;
    let selector = value.selector()?;
    if selector.matches.iter().any(|matched| &*matched.name == "le") {
        return value.reject("must not have a matcher for `le`; the threshold selects the bucket");
    }
    Some(selector.of(stem(&selector.metric)))
}

fn latency(value: &TableValue<'_>) -> Option<Sli> {
    let table = value.table()?;
    let histogram = histogram(&table);
    let threshold = table
        .need("threshold")
        .and_then(|value| bound(&value, histogram.as_ref().map_or("", |histogram| &histogram.metric)));
    let native = table.get_or("native", false, TableValue::is_true);
    table.finish();
    let (histogram, threshold, native) = (histogram?, threshold?, native?);
    if native {
        return Some(Sli::NativeLatency { histogram, threshold });
    }
    let fast = histogram.of(&format!("{}_bucket", histogram.metric));
    Some(Sli::Latency {
        fast: fast.with("le", Operator::Equal, &threshold.to_string()),
        total: histogram.of(&format!("{}_count", histogram.metric)),
    })
}

fn apdex(value: &TableValue<'_>) -> Option<Sli> {
    let table = value.table()?;
    let histogram = histogram(&table);
    let metric = histogram.as_ref().map_or("", |histogram| &histogram.metric);
    let satisfied = table.need("satisfied").and_then(|value| bound(&value, metric));
    let tolerated = table.get("tolerated").map(|value| (bound(&value, metric), value));
    table.finish();
    let (histogram, satisfied) = (histogram.clone()?, satisfied?);
    let tolerated = match tolerated {
        Some((bound, value)) => {
            let bound = bound?;
            if bound <= satisfied {
                return value.reject("must be above `satisfied`");
            }
            Some(bound.to_string().into())
        }
        None => None,
    };
    Some(Sli::Apdex {
        bucket: histogram.of(&format!("{}_bucket", histogram.metric)),
        satisfied: satisfied.to_string().into(),
        tolerated,
        total: histogram.of(&format!("{}_count", histogram.metric)),
    })
}

/// Time slices if `slice` is given, else occurrences.
fn budgeting(table: &DocumentTable<'_>) -> Option<BudgetingMethod> {
    match (table.get("slice"), table.get("slice_objective")) {
        (None, None) => Some(BudgetingMethod::Occurrences),
        (None, Some(least)) => least.reject("needs `slice`, the length of a time slice"),
        (Some(slice), None) => Some(BudgetingMethod::RatioTimeslices { slice: slice.duration()? }),
        (Some(slice), Some(least)) => {
            let slice = slice.duration();
            let percent = least.amount_up_to(100.0, "must be a percentage above 0 and at most 100");
            Some(BudgetingMethod::Timeslices { slice: slice?, least: percent? / 100.0 })
        }
    }
}

fn pair(value: &TableValue<'_>, window: Duration) -> Option<BurnCondition> {
    let table = value.table()?;
    let known = BurnSeverity::ALL.map(|severity| (severity.word(), severity));
    let severity = table.need_as("severity", |value| value.one_of(&known));
    let (long, short) = (table.need("long"), table.need("short"));
    let long_length = long.as_ref().and_then(TableValue::duration);
    let short_length = short.as_ref().and_then(TableValue::duration);
    let hold = table.get_or("for", Duration::ZERO, TableValue::duration);
    let at_least = table.get_or("at_least", false, TableValue::is_true);
    let (factor, share) = (table.get("factor"), table.get("share"));
    table.finish();
    let factor = match (factor, share) {
        (Some(factor), None) => factor.amount_up_to(f64::MAX, "must be above 0"),
        (None, Some(share)) => {
            let text = share.node().text().unwrap_or_default().trim();
            let percent = text.strip_suffix('%').and_then(|percent| percent.trim().parse::<f64>().ok());
            match percent.filter(|percent| percent.is_finite()) {
                Some(percent) if percent > 0.0 => {
                    Some(percent / 100.0 * window.as_secs_f64() / long_length?.as_secs_f64())
                }
                Some(_) => return share.reject("must be above 0"),
                None => return share.reject("must be a percentage of the budget, such as \"2%\""),
            }
        }
        _ => value.reject("needs one of `factor` and `share`"),
    };
    let (long_length, short_length) = (long_length?, short_length?);
    if short_length > long_length {
        value.error("`short` is longer than `long`");
    }
    Some(BurnCondition {
        severity: severity?,
        long: long_length,
        short: short_length,
        factor: factor?,
        hold: hold?,
        at_least: at_least?,
    })
}

fn alerting(value: &TableValue<'_>) -> Option<SloAlerting> {
    let table = value.table()?;
    let alerting = SloAlerting {
        name: table.get_as("name", TableValue::word),
        absent_name: table.get_as("absent_name", TableValue::word),
        labels: table.labels("labels"),
        annotations: table.labels("annotations"),
        page: table.get_or("page", AlertMetadata::default(), notice),
        ticket: table.get_or("ticket", AlertMetadata::default(), notice),
        on_absence: table.get_or("on_absence", false, TableValue::is_true)?,
    };
    table.finish();
    Some(alerting)
}

/// Reads `false`, `true`, or `{ labels = { ... }, annotations = { ... } }`.
fn notice(value: &TableValue<'_>) -> Option<AlertMetadata> {
    if value.node().text().is_some() {
        return value.is_true()?.then(AlertMetadata::default);
    }
    let table = value.table()?;
    let notice = table.notice();
    table.finish();
    Some(notice)
}
