//! Points of series as stores of logs write them: `[seconds, "number"]`.

use serde::de::{IgnoredAny, SeqAccess};
use serde::{Deserialize, Deserializer};

use super::lenient::{Lenient, Number, found};

/// Unix seconds and a number, as far as they can be read.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct NumberPoint {
    pub(crate) seconds: Option<f64>,
    pub(crate) value: Option<f64>,
}

/// A list of points; empty for anything else.
#[derive(Debug, Default)]
pub(crate) struct NumberPoints(pub(crate) Vec<NumberPoint>);

impl<'de> Deserialize<'de> for NumberPoint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Two;
        impl<'de> Lenient<'de> for Two {
            type Made = NumberPoint;

            fn of_list<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Option<NumberPoint>, A::Error> {
                let seconds = seq.next_element::<Number>()?.and_then(|seconds| seconds.0);
                let value = seq.next_element::<Number>()?.and_then(|value| value.0);
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Some(NumberPoint { seconds, value }))
            }
        }
        Ok(found(Two, deserializer)?.value().unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for NumberPoints {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Points;
        impl<'de> Lenient<'de> for Points {
            type Made = Vec<NumberPoint>;

            fn of_list<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Option<Self::Made>, A::Error> {
                let mut all = Vec::with_capacity(seq.size_hint().unwrap_or(0));
                while let Some(one) = seq.next_element()? {
                    all.push(one);
                }
                Ok(Some(all))
            }
        }
        Ok(Self(found(Points, deserializer)?.value().unwrap_or_default()))
    }
}
