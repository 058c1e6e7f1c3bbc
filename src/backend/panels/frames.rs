//! Frames of series, with the names that Grafana's data sources give them.

use std::time::Duration;

use super::PanelTarget;
use crate::model::evaluation::NativeHistogram;
use crate::model::frame::{DataFrame, FieldValues, FrameField};
use crate::model::labels::{Labels, Text};
use crate::model::promql::quoted;

/// The name of a column of times.
pub(crate) const TIME: &str = "Time";
/// The name of a column of values.
pub(crate) const VALUE: &str = "Value";

/// The labels of a series, and its points: milliseconds and values, the oldest first.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PanelSeries {
    pub(crate) labels: Labels,
    pub(crate) points: Vec<(i64, f64)>,
    /// Native histograms, instead of numbers.
    pub(crate) histograms: Vec<(i64, NativeHistogram)>,
}

/// A column without labels and without options.
pub(crate) fn column(name: impl Into<Text>, values: FieldValues) -> FrameField {
    FrameField { name: name.into(), labels: Labels::default(), values, display_name: None, unit: None }
}

/// How a data source names a series for which there is no legend format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SeriesNaming {
    /// `name{label="value"}`
    Metric,
    /// `{label="value"}`, as Loki does.
    Labels,
}

/// A frame of a time and a value column for a series. Gaps within a series, of more than one and a half `step`, get a missing
/// value, so that no line is drawn over them.
pub(crate) fn of_series(
    target: &PanelTarget,
    naming: SeriesNaming,
    series: PanelSeries,
    step: Option<Duration>,
) -> DataFrame {
    let display_name = display_name(&target.legend, &target.expression, naming, &series.labels);
    if !series.histograms.is_empty() {
        return of_histograms(target, display_name, series);
    }
    let gap = step.map_or(i64::MAX, |step| i64::try_from(step.as_millis()).unwrap_or(i64::MAX / 2).max(1));
    let (mut times, mut values) =
        (Vec::with_capacity(series.points.len()), Vec::with_capacity(series.points.len()));
    let mut last: Option<i64> = None;
    for (at, value) in series.points {
        if let Some(last) = last.filter(|last| at.saturating_sub(*last) > gap.saturating_add(gap / 2)) {
            times.push(Some(last.saturating_add(gap)));
            values.push(None);
        }
        times.push(Some(at));
        values.push(Some(value));
        last = Some(at);
    }
    let value = FrameField {
        name: VALUE.into(),
        labels: series.labels,
        values: FieldValues::Numbers(values),
        display_name,
        unit: None,
    };
    DataFrame {
        ref_id: target.ref_id.clone(),
        name: None,
        fields: vec![column(TIME, FieldValues::Times(times)), value],
        notices: Vec::new(),
    }
}

/// A frame of cells for a series of native histograms, as Grafana's type `heatmap-cells`: a row for each bucket.
fn of_histograms(target: &PanelTarget, display_name: Option<Text>, series: PanelSeries) -> DataFrame {
    let (mut times, mut low, mut high, mut counts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (at, histogram) in series.histograms {
        for (from, to, count) in histogram.buckets {
            times.push(Some(at));
            low.push(Some(from));
            high.push(Some(to));
            counts.push(Some(count));
        }
    }
    let count =
        FrameField { labels: series.labels, display_name, ..column("count", FieldValues::Numbers(counts)) };
    DataFrame {
        ref_id: target.ref_id.clone(),
        name: None,
        fields: vec![
            column("xMax", FieldValues::Times(times)),
            column("yMin", FieldValues::Numbers(low)),
            column("yMax", FieldValues::Numbers(high)),
            count,
        ],
        notices: Vec::new(),
    }
}

/// The name that the data source gives a series; `None` if it leaves the name to the panel, which then knows the labels of all
/// series.
///
/// Source: `getName` in Grafana's `promlib`, `formatName` of its data source for Loki.
pub(crate) fn display_name(
    legend: &str,
    expression: &str,
    naming: SeriesNaming,
    labels: &Labels,
) -> Option<Text> {
    let name = match legend {
        "__auto" if !labels.is_empty() => return None,
        "" | "__auto" => metric_name(naming, labels),
        _ => legend_text(legend, labels),
    };
    let is_nameless = name == "{}" && naming == SeriesNaming::Metric;
    let name = if is_nameless { expression.to_owned() } else { name };
    (!name.is_empty()).then(|| name.into())
}

/// `name{label="value", ...}`
fn metric_name(naming: SeriesNaming, labels: &Labels) -> String {
    let name = match naming {
        SeriesNaming::Metric => labels.value("__name__"),
        SeriesNaming::Labels => "",
    };
    let is_shown = |label: &str| naming == SeriesNaming::Labels || label != "__name__";
    let all: Vec<String> = labels
        .iter()
        .filter(|(label, _)| is_shown(label))
        .map(|(label, value)| format!("{label}={}", quoted(value)))
        .collect();
    if all.is_empty() && !name.is_empty() { name.to_owned() } else { format!("{name}{{{}}}", all.join(", ")) }
}

/// A legend format with the values of labels; labels that the series lacks are left out.
pub(crate) fn legend_text(legend: &str, labels: &Labels) -> String {
    let (mut out, mut rest) = (String::new(), legend);
    while let Some((before, tail)) = rest.split_once("{{") {
        let Some((label, after)) = tail.split_once("}}") else { break };
        out.push_str(before);
        out.push_str(labels.value(label.trim()));
        rest = after;
    }
    out.push_str(rest);
    out
}
