//! Answers of the Prometheus API as they come over the wire, and their way into the model's words.
//!
//! Unknown fields are passed over, texts are borrowed from the body, and native histograms are skipped.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::model::labels::{Interner, Labels, Text};
use crate::model::series::{Line, Matrix, Span};

/// `{status, data, warnings, infos, error}`
#[derive(Deserialize)]
pub(super) struct Envelope<'a, T> {
    #[serde(borrow)]
    pub(super) status: Piece<'a>,
    pub(super) data: Option<T>,
    /// The kin send `null` where there are none.
    pub(super) warnings: Option<Vec<Piece<'a>>>,
    /// Remarks of the query engine, since Prometheus 3.
    pub(super) infos: Option<Vec<Piece<'a>>>,
    pub(super) error: Option<Piece<'a>>,
    /// `VictoriaMetrics`' cluster says so when a storage node does not answer.
    #[serde(default, rename = "isPartial")]
    pub(super) is_partial: bool,
}

/// `{resultType, result}`
#[derive(Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
pub(super) enum Data<'a> {
    #[serde(borrow)]
    Vector(Vec<Instant<'a>>),
    Matrix(Vec<Series<'a>>),
    Scalar(Point<'a>),
    String(Point<'a>),
}

#[derive(Deserialize)]
pub(super) struct Instant<'a> {
    #[serde(borrow, default)]
    metric: Pairs<'a>,
    value: Option<Point<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Series<'a> {
    #[serde(borrow, default)]
    metric: Pairs<'a>,
    #[serde(default)]
    values: Vec<Point<'a>>,
}

/// Unix seconds, and the value as text.
#[derive(Deserialize)]
pub(super) struct Point<'a>(f64, #[serde(borrow)] Piece<'a>);

impl Point<'_> {
    /// `None` for NaN, infinities and what is no number: none of them says how a service is.
    fn value(&self) -> Option<f64> {
        self.any_value().filter(|value| value.is_finite())
    }

    /// Also NaN and infinities.
    fn any_value(&self) -> Option<f64> {
        self.1.0.parse().ok()
    }
}

/// A text, borrowed where it has no escapes.
#[derive(Default)]
pub(super) struct Piece<'a>(pub(super) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Piece<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts;
        impl<'de> Visitor<'de> for Texts {
            type Value = Piece<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Piece(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Piece(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Texts)
    }
}

/// Names and values of labels or annotations.
#[derive(Default)]
pub(super) struct Pairs<'a>(Vec<(Piece<'a>, Piece<'a>)>);

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Maps;
        impl<'de> Visitor<'de> for Maps {
            type Value = Pairs<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("labels")
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Pairs::default())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::with_capacity(map.size_hint().unwrap_or(8));
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        // rules without labels have `null` in some of the kin
        deserializer.deserialize_any(Maps)
    }
}

/// One series of an instant answer.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    pub(super) labels: Labels,
    pub(super) value: f64,
}

/// Shares all texts of one source. Each is kept as it came: it is made safe where it is drawn or printed.
#[derive(Default)]
pub(super) struct Reader(Mutex<Interner>);

impl Reader {
    /// The shared copy of a text.
    pub(super) fn text(&self, text: &str) -> Text {
        self.interner(|interner| interner.text(text))
    }

    /// Names and values, shared: labels or annotations.
    pub(super) fn labels(&self, pairs: &Pairs<'_>) -> Labels {
        self.interner(|interner| labels(interner, pairs))
    }

    /// The finite values of an instant answer; a scalar is one sample without labels.
    pub(super) fn samples(&self, data: &Data<'_>) -> Vec<Sample> {
        self.samples_that(data, f64::is_finite)
    }

    /// All values of an instant answer, also NaN and infinities: 0 / 0 is an answer, too.
    pub(super) fn all_samples(&self, data: &Data<'_>) -> Vec<Sample> {
        self.samples_that(data, |_| true)
    }

    fn samples_that(&self, data: &Data<'_>, counts: impl Fn(f64) -> bool) -> Vec<Sample> {
        let single = |point: &Point<'_>| {
            point
                .any_value()
                .filter(|value| counts(*value))
                .map(|value| Sample { labels: Labels::default(), value })
                .into_iter()
                .collect()
        };
        match data {
            Data::Vector(all) => self.interner(|interner| {
                let sample = |one: &Instant<'_>| {
                    let value = one.value.as_ref()?.any_value().filter(|value| counts(*value))?;
                    Some(Sample { labels: labels(interner, &one.metric), value })
                };
                all.iter().filter_map(sample).collect()
            }),
            Data::Scalar(point) | Data::String(point) => single(point),
            Data::Matrix(_) => Vec::new(),
        }
    }

    /// The moments at which each series of a raw range has a sample.
    pub(super) fn moments(&self, data: &Data<'_>) -> Vec<(Labels, Vec<f64>)> {
        let Data::Matrix(all) = data else { return Vec::new() };
        let times = |series: &Series<'_>| series.values.iter().map(|point| point.0).collect();
        self.interner(|interner| all.iter().map(|s| (labels(interner, &s.metric), times(s))).collect())
    }

    /// The values of a range answer on the grid of `span`, sorted by labels; lines without any value are left out.
    pub(super) fn matrix(&self, data: &Data<'_>, span: Span) -> Matrix {
        let mut matrix = Matrix::empty(span);
        if let Data::Matrix(all) = data {
            matrix.lines = self.interner(|interner| {
                all.iter()
                    .filter_map(|series| {
                        let values = on_grid(&series.values, span)?;
                        Some(Line { labels: labels(interner, &series.metric), values })
                    })
                    .collect()
            });
        }
        matrix.lines.sort_by(|a, b| a.labels.cmp(&b.labels));
        matrix
    }

    fn interner<T>(&self, work: impl FnOnce(&mut Interner) -> T) -> T {
        // whatever panicked left a set of texts, which is always whole
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn labels(interner: &mut Interner, pairs: &Pairs<'_>) -> Labels {
    let mut text = |piece: &Piece<'_>| interner.text(&piece.0);
    Labels::new(pairs.0.iter().map(|(name, value)| (text(name), text(value))).collect())
}

fn on_grid(points: &[Point<'_>], span: Span) -> Option<Vec<f64>> {
    let mut values = vec![f64::NAN; span.len()];
    let mut any = false;
    for point in points {
        let cell = span.index(point.0).and_then(|at| values.get_mut(at));
        if let (Some(cell), Some(value)) = (cell, point.value()) {
            (*cell, any) = (value, true);
        }
    }
    any.then_some(values)
}

#[cfg(test)]
mod tests;
