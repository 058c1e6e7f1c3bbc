//! The JSON shapes of the Prometheus API, and their mapping to the model.
//!
//! Unknown fields are ignored, texts are borrowed from the body, and native histograms are skipped.

use std::sync::{Mutex, PoisonError};

use serde::de::{IgnoredAny, SeqAccess};
use serde::{Deserialize, Deserializer};

use crate::backend::kit::lenient::{
    Lenient, LenientList, LenientPair, LenientPairs, LenientSlot, LenientText, LenientTexts, LenientTriple,
    Number, found,
};
use crate::model::labels::{Interner, Labels, Text};
use crate::model::series::{Matrix, Series, TimeGrid};

/// `{status, data, warnings, infos, error}`
#[derive(Deserialize)]
pub(super) struct Envelope<'a, T> {
    #[serde(borrow)]
    pub(super) status: LenientText<'a>,
    pub(super) data: Option<T>,
    /// Some compatible servers send `null` if there are none.
    #[serde(borrow, default)]
    pub(super) warnings: LenientTexts<'a>,
    /// Remarks of the query engine, since Prometheus 3.
    #[serde(borrow, default)]
    pub(super) infos: LenientTexts<'a>,
    #[serde(borrow, default)]
    pub(super) error: LenientText<'a>,
    /// Set by the cluster version of `VictoriaMetrics` if a storage node does not answer.
    #[serde(borrow, default, rename = "isPartial")]
    pub(super) is_partial: LenientText<'a>,
}

/// `{resultType, result}`, with native histograms of type `H`.
#[derive(Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
#[serde(bound(deserialize = "'de: 'a, H: Deserialize<'de>"))]
pub(super) enum WireResult<'a, H> {
    Vector(LenientList<Instant<'a, H>>),
    Matrix(LenientList<WireSeries<'a, H>>),
    Scalar(Point<'a>),
    String(Point<'a>),
}

/// A result of which native histograms are not read: a sample that is one has no value.
pub(super) type Data<'a> = WireResult<'a, IgnoredAny>;

impl<H> Default for WireResult<'_, H> {
    fn default() -> Self {
        Self::Vector(LenientList::default())
    }
}

impl<H> WireResult<'_, H> {
    /// The number of series.
    pub(super) fn count(&self) -> usize {
        match self {
            Self::Vector(list) => list.all.len(),
            Self::Matrix(list) => list.all.len(),
            Self::Scalar(_) | Self::String(_) => 1,
        }
    }

    /// The number of series and points that could not be read.
    pub(super) fn lost(&self) -> usize {
        match self {
            Self::Vector(list) => {
                let is_lost = |one: &&Instant<'_, H>| {
                    one.histogram.is_none() && one.value.as_ref().is_none_or(Point::is_lost)
                };
                list.lost + list.all.iter().filter(is_lost).count()
            }
            Self::Matrix(list) => {
                let lost = |one: &WireSeries<'_, H>| {
                    one.values.lost + one.values.all.iter().filter(|point| point.is_lost()).count()
                };
                list.lost + list.all.iter().map(lost).sum::<usize>()
            }
            Self::Scalar(point) => usize::from(point.is_lost()),
            Self::String(_) => 0,
        }
    }
}

/// One series of an instant query.
#[derive(Debug, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a, H: Deserialize<'de>"))]
pub(super) struct Instant<'a, H> {
    pub(super) metric: LenientPairs<'a>,
    pub(super) value: Option<Point<'a>>,
    pub(super) histogram: Option<H>,
}

impl<H> Default for Instant<'_, H> {
    fn default() -> Self {
        Self { metric: LenientPairs::default(), value: None, histogram: None }
    }
}

/// One series of a range query or of a range selector.
#[derive(Debug, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a, H: Deserialize<'de>"))]
pub(super) struct WireSeries<'a, H> {
    pub(super) metric: LenientPairs<'a>,
    pub(super) values: Points<'a>,
    pub(super) histograms: Option<Vec<H>>,
}

impl<H> Default for WireSeries<'_, H> {
    fn default() -> Self {
        Self { metric: LenientPairs::default(), values: Points::default(), histograms: None }
    }
}

/// Unix seconds and the value as text or number; both are empty if the JSON is not such a pair.
#[derive(Debug, Default)]
pub(super) struct Point<'a>(pub(super) Option<f64>, pub(super) LenientText<'a>);

impl<'de: 'a, 'a> Deserialize<'de> for Point<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let LenientTriple(at, value, _) = LenientPair::<Number, LenientText<'de>>::deserialize(deserializer)?;
        Ok(Self(at.0, value))
    }
}

impl Point<'_> {
    /// The value; `None` for NaN, infinities and unreadable values.
    fn value(&self) -> Option<f64> {
        self.any_value().filter(|value| value.is_finite())
    }

    /// The value, also NaN and infinities; `None` if it cannot be read.
    pub(super) fn any_value(&self) -> Option<f64> {
        self.1.0.parse().ok()
    }

    pub(super) fn is_lost(&self) -> bool {
        self.0.is_none() || self.any_value().is_none()
    }
}

#[derive(Debug, Default)]
pub(super) struct Points<'a> {
    pub(super) all: Vec<Point<'a>>,
    /// 1 if the JSON value is not a list, else 0.
    pub(super) lost: usize,
}

impl<'de: 'a, 'a> Deserialize<'de> for Points<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Lists;
        impl<'de> Lenient<'de> for Lists {
            type Made = Vec<Point<'de>>;

            fn of_list<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Option<Self::Made>, A::Error> {
                let mut all = Vec::with_capacity(seq.size_hint().unwrap_or(0));
                while let Some(point) = seq.next_element()? {
                    all.push(point);
                }
                Ok(Some(all))
            }
        }
        Ok(match found(Lists, deserializer)? {
            LenientSlot::This(all) => Self { all, lost: 0 },
            LenientSlot::Null => Self::default(),
            LenientSlot::Other => Self { all: Vec::new(), lost: 1 },
        })
    }
}

#[derive(Debug, Clone)]
pub(super) struct Sample {
    pub(super) labels: Labels,
    pub(super) value: f64,
}

/// The labels of a series, and its samples: Unix seconds and values.
pub(super) type Written = (Labels, Vec<(f64, f64)>);

/// Interns the texts of one source. Texts are kept unchanged; they are sanitised when they are drawn or printed.
#[derive(Default)]
pub(super) struct Reader(Mutex<Interner>);

impl Reader {
    pub(super) fn text(&self, text: &str) -> Text {
        self.interner(|interner| interner.text(text))
    }

    /// Interned names and values: labels or annotations.
    pub(super) fn labels(&self, pairs: &LenientPairs<'_>) -> Labels {
        self.interner(|interner| labels(interner, pairs))
    }

    /// The values of an instant query's answer, also NaN and infinities, which a division by zero returns; a scalar is one sample
    /// without labels.
    pub(super) fn samples(&self, data: &Data<'_>) -> Vec<Sample> {
        match data {
            Data::Vector(all) => self.interner(|interner| {
                let sample = |one: &Instant<'_, IgnoredAny>| {
                    let value = one.value.as_ref()?.any_value()?;
                    Some(Sample { labels: labels(interner, &one.metric), value })
                };
                all.all.iter().filter_map(sample).collect()
            }),
            Data::Scalar(point) | Data::String(point) => {
                let sample = |value| Sample { labels: Labels::default(), value };
                point.any_value().map(sample).into_iter().collect()
            }
            Data::Matrix(_) => Vec::new(),
        }
    }

    /// The stored samples of a range selector.
    pub(super) fn points(&self, data: &Data<'_>) -> Vec<Written> {
        let Data::Matrix(all) = data else { return Vec::new() };
        self.interner(|interner| {
            let series = |one: &WireSeries<'_, IgnoredAny>| {
                let points = one.values.all.iter().filter_map(|point| Some((point.0?, point.any_value()?)));
                (labels(interner, &one.metric), points.collect())
            };
            all.all.iter().map(series).collect()
        })
    }

    /// The values of a range query's answer on the grid of `span`, sorted by labels; lines without any value are left out.
    pub(super) fn matrix(&self, data: &Data<'_>, span: TimeGrid) -> Matrix {
        let mut matrix = Matrix::empty(span);
        if let Data::Matrix(all) = data {
            matrix.lines = self.interner(|interner| {
                all.all
                    .iter()
                    .filter_map(|series| {
                        let values = on_grid(&series.values.all, span)?;
                        Some(Series { labels: labels(interner, &series.metric), values })
                    })
                    .collect()
            });
        }
        matrix.lines.sort_by(|a, b| a.labels.cmp(&b.labels));
        matrix
    }

    /// Runs `work` with the interner locked.
    pub(super) fn interner<T>(&self, work: impl FnOnce(&mut Interner) -> T) -> T {
        // a panic cannot leave the set of texts in an invalid state
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

pub(super) fn labels(interner: &mut Interner, pairs: &LenientPairs<'_>) -> Labels {
    let mut text = |word: &LenientText<'_>| interner.text(&word.0);
    Labels::new(pairs.0.iter().map(|(name, value)| (text(name), text(value))).collect())
}

/// Places points with finite values on the grid; see [`on_grid_with`].
fn on_grid(points: &[Point<'_>], span: TimeGrid) -> Option<Vec<f64>> {
    on_grid_with(points, span, Point::value)
}

/// Places points on the grid, with NaN where `value` has none; `None` if no point is on the grid.
pub(super) fn on_grid_with<'a>(
    points: &[Point<'a>],
    span: TimeGrid,
    value: impl Fn(&Point<'a>) -> Option<f64>,
) -> Option<Vec<f64>> {
    let mut values = vec![f64::NAN; span.count()];
    let mut any = false;
    for point in points {
        let cell = point.0.and_then(|at| span.index(at)).and_then(|at| values.get_mut(at));
        if let (Some(cell), Some(value)) = (cell, value(point)) {
            (*cell, any) = (value, true);
        }
    }
    any.then_some(values)
}

#[cfg(test)]
mod tests;
