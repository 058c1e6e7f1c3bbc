//! The forms that a data source gives the frames of a query: a table of all series, or a heat map of buckets.
//!
//! Source: `transformV2`, `transformDFToTable` and `transformToHistogramOverTime` in Grafana's `grafana-prometheus`.

use std::collections::{BTreeMap, BTreeSet};

use super::TargetFormat;
use super::frames::{TIME, VALUE, column};
use crate::model::frame::{DataFrame, FieldValues, FrameField};
use crate::model::labels::{Labels, Text};

/// The label with the upper bound of a bucket.
const BOUND: &str = "le";
/// Smaller differences of two buckets are rounding errors.
const LEAST_COUNT: f64 = 1e-9;

/// The frames of the queries of one panel in their forms: series first, then tables, then heat maps. `formats` has each query
/// that was answered, also if it has no frames.
pub(crate) fn shaped(frames: Vec<DataFrame>, formats: &[(Text, TargetFormat)]) -> Vec<DataFrame> {
    let format_of = |frame: &DataFrame| {
        formats
            .iter()
            .find(|(ref_id, _)| *ref_id == frame.ref_id)
            .map_or(TargetFormat::TimeSeries, |found| found.1)
    };
    let mut by_query: BTreeMap<usize, Vec<DataFrame>> = BTreeMap::new();
    let mut shaped = Vec::new();
    for frame in frames {
        match format_of(&frame) {
            TargetFormat::Heatmap if is_cells(&frame) => shaped.push(frame),
            TargetFormat::TimeSeries => shaped.push(frame),
            TargetFormat::Table | TargetFormat::Heatmap => {
                let at = formats.iter().position(|(ref_id, _)| *ref_id == frame.ref_id).unwrap_or(0);
                by_query.entry(at).or_default().push(frame);
            }
        }
    }
    let tables = formats.iter().filter(|(_, format)| *format == TargetFormat::Table).count();
    for (at, (ref_id, format)) in formats.iter().enumerate() {
        if *format == TargetFormat::Table {
            let frames = by_query.remove(&at).unwrap_or_default();
            if !frames.is_empty() || tables > 1 {
                shaped.push(table(ref_id, &frames, tables > 1));
            }
        }
    }
    for frames in by_query.into_values() {
        shaped.extend(heatmaps(frames));
    }
    shaped
}

/// Whether a frame has the cells of native histograms.
fn is_cells(frame: &DataFrame) -> bool {
    frame.fields.iter().any(|field| &*field.name == "yMin")
}

/// The times and values of one series, and the field of the values.
type SeriesColumns<'a> = (&'a [Option<i64>], &'a [Option<f64>], &'a FrameField);

/// The times and values of a frame of one series.
fn series_of(frame: &DataFrame) -> Option<SeriesColumns<'_>> {
    let times = frame.fields.iter().find_map(|field| match &field.values {
        FieldValues::Times(times) => Some(times.as_slice()),
        FieldValues::Numbers(_) | FieldValues::Texts(_) | FieldValues::Bools(_) => None,
    })?;
    let (values, field) = frame.fields.iter().find_map(|field| match &field.values {
        FieldValues::Numbers(values) => Some((values.as_slice(), field)),
        FieldValues::Times(_) | FieldValues::Texts(_) | FieldValues::Bools(_) => None,
    })?;
    Some((times, values, field))
}

/// A table with a row for each point: the time, the labels as columns, the value. The labels of the first series come first.
fn table(ref_id: &Text, frames: &[DataFrame], has_others: bool) -> DataFrame {
    let notices: Vec<Text> = frames.iter().flat_map(|frame| frame.notices.iter().cloned()).collect();
    let series: Vec<_> = frames.iter().filter_map(series_of).collect();
    let mut names: Vec<&Text> = Vec::new();
    let mut known: BTreeSet<&Text> = BTreeSet::new();
    for (_, _, field) in &series {
        names.extend(field.labels.iter().map(|(name, _)| name).filter(|name| known.insert(name)));
    }
    let mut rows: Vec<(Option<i64>, Option<f64>, &Labels)> = series
        .iter()
        .flat_map(|(times, values, field)| {
            times.iter().zip(*values).map(move |(at, value)| (*at, *value, &field.labels))
        })
        .collect();
    rows.sort_by_key(|(at, ..)| *at);
    let text = |labels: &Labels, name: &Text| Some(labels.get(name).cloned().unwrap_or_else(|| "".into()));
    let columns = names.into_iter().map(|name| {
        column(
            name.clone(),
            FieldValues::Texts(rows.iter().map(|(_, _, labels)| text(labels, name)).collect()),
        )
    });
    let value: Text = if has_others { format!("{VALUE} #{ref_id}").into() } else { VALUE.into() };
    let mut fields = vec![column(TIME, FieldValues::Times(rows.iter().map(|(at, ..)| *at).collect()))];
    fields.extend(columns);
    fields.push(column(value, FieldValues::Numbers(rows.iter().map(|(_, value, _)| *value).collect())));
    DataFrame { ref_id: ref_id.clone(), name: None, fields, notices }
}

/// The number that a bound stands for; unreadable ones come last.
fn bound(text: &str) -> f64 {
    let text = text.trim();
    match text.trim_start_matches(['+', '-']).to_ascii_lowercase().as_str() {
        "inf" | "infinity" if text.starts_with('-') => f64::NEG_INFINITY,
        "inf" | "infinity" => f64::INFINITY,
        _ => text.parse().unwrap_or(f64::INFINITY),
    }
}

/// A heat map for each set of labels besides the bound: a column of counts for each bucket, the lowest first, not cumulative.
fn heatmaps(frames: Vec<DataFrame>) -> Vec<DataFrame> {
    let mut groups: Vec<(Labels, Vec<DataFrame>)> = Vec::new();
    for frame in frames {
        let Some((_, _, field)) = series_of(&frame) else { continue };
        let labels = field.labels.without(|name| name == BOUND);
        match groups.iter_mut().find(|(other, _)| *other == labels) {
            Some((_, group)) => group.push(frame),
            None => groups.push((labels, vec![frame])),
        }
    }
    groups.into_iter().map(|(_, group)| heatmap(group)).collect()
}

fn heatmap(mut group: Vec<DataFrame>) -> DataFrame {
    let bound_of = |frame: &DataFrame| {
        series_of(frame).and_then(|(_, _, field)| field.labels.get(BOUND).map(|text| bound(text)))
    };
    group.sort_by(|a, b| bound_of(a).unwrap_or(f64::MAX).total_cmp(&bound_of(b).unwrap_or(f64::MAX)));
    let series: Vec<_> = group.iter().filter_map(series_of).collect();
    let times: BTreeSet<i64> =
        series.iter().flat_map(|(times, ..)| times.iter().flatten().copied()).collect();
    let mut below: BTreeMap<i64, f64> = BTreeMap::new();
    let mut fields = vec![column(TIME, FieldValues::Times(times.iter().copied().map(Some).collect()))];
    for (own_times, values, field) in &series {
        let own: BTreeMap<i64, f64> =
            own_times.iter().zip(*values).filter_map(|(at, value)| Some(((*at)?, (*value)?))).collect();
        let count = |at: &i64| {
            let value = *own.get(at)?;
            let lower = below.get(at).copied();
            let count = value - lower.unwrap_or(0.0);
            Some(if lower.is_some() && count < LEAST_COUNT { 0.0 } else { count })
        };
        let counts = times.iter().map(count).collect();
        // a bucket that is missing at a time does not hide those below it
        below.extend(own.iter().map(|(at, value)| (*at, *value)));
        let has_bound = field.labels.get(BOUND).is_some();
        let le = field.labels.get(BOUND).cloned();
        let named = field.display_name.clone().filter(|name| !has_bound || name.parse::<f64>().is_ok());
        let name = named.or(le).unwrap_or_else(|| field.name.clone());
        fields.push(FrameField {
            display_name: Some(name.clone()),
            labels: field.labels.clone(),
            ..column(name, FieldValues::Numbers(counts))
        });
    }
    let ref_id = group.first().map_or_else(|| "".into(), |frame| frame.ref_id.clone());
    let notices = group.iter().flat_map(|frame| frame.notices.iter().cloned()).collect();
    DataFrame { ref_id, name: None, fields, notices }
}
