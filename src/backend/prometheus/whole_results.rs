//! The JSON shapes of whole query results, with native histograms; of metadata and of exemplars.

use std::collections::HashMap;

use serde_json::Value;

use super::wire::{Instant, Point, Reader, WireResult, WireSeries, labels, on_grid_with};
use crate::backend::kit::lenient::{LenientList, LenientPairs, LenientText, LenientTexts, Number, wire};
use crate::backend::kit::time::Epoch;
use crate::model::evaluation::{
    Exemplar, HistogramSeries, NativeHistogram, QueryResult, SampleValue, StoredSamples, VectorSample,
};
use crate::model::labels::{Interner, Labels};
use crate::model::metric::{MetricInfo, MetricType};
use crate::model::series::{Matrix, Series, TimeGrid};

/// A result with its native histograms as they were written.
pub(super) type WholeResult<'a> = WireResult<'a, Value>;

wire! {
    /// The declarations of a metric by its exporters.
    struct WireMetadata<'a> {
        #[serde(rename = "type")]
        kind: LenientText<'a>,
        help: LenientText<'a>,
    }

    struct WireExemplarSeries<'a> {
        #[serde(rename = "seriesLabels")]
        series: LenientPairs<'a>,
        exemplars: LenientList<WireExemplar<'a>>,
    }

    struct WireExemplar<'a> {
        labels: LenientPairs<'a>,
        value: Number,
        timestamp: Epoch<1>,
    }
}

/// Metric names with their declarations.
pub(super) type Metadata<'a> = HashMap<String, LenientList<WireMetadata<'a>>>;
/// Names or values of labels.
pub(super) type Names<'a> = LenientTexts<'a>;
/// Exemplars by series.
pub(super) type ExemplarLists<'a> = LenientList<WireExemplarSeries<'a>>;

/// A number that the API writes as text.
fn number(value: Option<&Value>) -> Option<f64> {
    let value = value?;
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// `[time, {count, sum, buckets: [[rule, lower, upper, count], ...]}]`
pub(super) fn histogram(point: &Value) -> Option<(f64, NativeHistogram)> {
    let object = point.get(1)?;
    let bucket =
        |bucket: &Value| Some((number(bucket.get(1))?, number(bucket.get(2))?, number(bucket.get(3))?));
    let buckets = object.get("buckets").and_then(Value::as_array);
    let histogram = NativeHistogram {
        count: number(object.get("count"))?,
        sum: number(object.get("sum"))?,
        buckets: buckets.into_iter().flatten().filter_map(bucket).collect(),
    };
    Some((number(point.get(0))?, histogram))
}

impl Reader {
    /// The values of a result; those of a range query on the grid of `span`.
    pub(super) fn result(&self, data: &WholeResult<'_>, span: Option<TimeGrid>) -> QueryResult {
        match (data, span) {
            (WholeResult::Scalar(point), _) => QueryResult::Scalar(point.any_value().unwrap_or(f64::NAN)),
            (WholeResult::String(point), _) => QueryResult::Text(self.text(&point.1.0)),
            (WholeResult::Vector(all), _) => QueryResult::Vector(self.interner(|interner| {
                all.all.iter().filter_map(|one| vector_sample(interner, one)).collect()
            })),
            (WholeResult::Matrix(all), Some(span)) => self.interner(|interner| matrix(interner, all, span)),
            (WholeResult::Matrix(all), None) => QueryResult::Samples(self.interner(|interner| {
                let series = |one: &WireSeries<'_, Value>| StoredSamples {
                    labels: labels(interner, &one.metric),
                    points: one
                        .values
                        .all
                        .iter()
                        .filter_map(|point| Some((point.0?, point.any_value()?)))
                        .collect(),
                };
                all.all.iter().map(series).collect()
            })),
        }
    }

    /// The declared types and help texts; of different declarations of a metric the first help text, and the type if all agree.
    pub(super) fn metadata(&self, all: &Metadata<'_>) -> Vec<MetricInfo> {
        let info = |(name, declared): (&String, &LenientList<WireMetadata<'_>>)| {
            let first = declared.all.first()?;
            let is_same = declared.all.iter().all(|other| other.kind.0 == first.kind.0);
            let kind = MetricType::ALL.into_iter().find(|kind| is_same && kind.word() == first.kind.0);
            let help = self.text(&first.help.0);
            Some(MetricInfo { name: self.text(name), kind: kind.unwrap_or(MetricType::Unknown), help })
        };
        all.iter().filter_map(info).collect()
    }

    /// Sets of labels.
    pub(super) fn label_sets(&self, all: &[LenientPairs<'_>]) -> Vec<Labels> {
        self.interner(|interner| all.iter().map(|pairs| labels(interner, pairs)).collect())
    }

    /// The exemplars of all series.
    pub(super) fn exemplars(&self, all: &ExemplarLists<'_>) -> Vec<Exemplar> {
        self.interner(|interner| {
            let mut found = Vec::new();
            for series in &all.all {
                let own = labels(interner, &series.series);
                for exemplar in &series.exemplars.all {
                    let (Some(value), Some(at)) = (exemplar.value.0, exemplar.timestamp.0) else { continue };
                    let labels = labels(interner, &exemplar.labels);
                    found.push(Exemplar { series: own.clone(), labels, value, at });
                }
            }
            found
        })
    }
}

fn vector_sample(interner: &mut Interner, one: &Instant<'_, Value>) -> Option<VectorSample> {
    let (seconds, value) = match (&one.value, &one.histogram) {
        (Some(point), _) => (point.0, SampleValue::Number(point.any_value()?)),
        (None, Some(written)) => {
            let (seconds, histogram) = histogram(written)?;
            (Some(seconds), SampleValue::Histogram(histogram))
        }
        (None, None) => return None,
    };
    Some(VectorSample { labels: labels(interner, &one.metric), value, at: seconds.and_then(moment) })
}

fn matrix(interner: &mut Interner, all: &LenientList<WireSeries<'_, Value>>, span: TimeGrid) -> QueryResult {
    let mut matrix = Matrix::empty(span);
    let mut histograms = Vec::new();
    for one in &all.all {
        let labels = labels(interner, &one.metric);
        if let Some(values) = on_grid_with(&one.values.all, span, Point::any_value) {
            matrix.lines.push(Series { labels: labels.clone(), values });
        }
        let points: Vec<_> = one.histograms.iter().flatten().filter_map(histogram).collect();
        if !points.is_empty() {
            histograms.push(HistogramSeries { labels, points });
        }
    }
    matrix.lines.sort_by(|a, b| a.labels.cmp(&b.labels));
    histograms.sort_by(|a, b| a.labels.cmp(&b.labels));
    QueryResult::Matrix { matrix, histograms }
}

/// A time in Unix seconds with a fraction.
fn moment(seconds: f64) -> Option<jiff::Timestamp> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "values out of bounds become the nearest bound, which is no time"
    )]
    let milliseconds = (seconds * 1000.0).round() as i64;
    jiff::Timestamp::from_millisecond(milliseconds).ok()
}
