//! The JSON shapes of Loki's API, and their mapping to the model.

use jiff::Timestamp;
use serde::de::{IgnoredAny, SeqAccess};
use serde::{Deserialize, Deserializer};

use crate::backend::kit::lenient::{
    Count, Lenient, LenientList, LenientPairs, LenientString, LenientText, LenientTexts, found, wire,
};
use crate::backend::kit::number_points::{NumberPoint, NumberPoints};
use crate::model::labels::{Interner, Labels};
use crate::model::log::{LogDirection, LogLine, ReadLines};

wire! {
    struct LokiBuild {
        version: LenientString,
    }

    struct IndexStats {
        streams: Count,
        bytes: Count,
    }

    struct LabelNames<'a> {
        #[serde(borrow)]
        data: LenientTexts<'a>,
    }

    struct SeriesList<'a> {
        #[serde(borrow)]
        data: PairsList<'a>,
    }

    struct QueryAnswer<'a> {
        #[serde(borrow)]
        data: QueryData<'a>,
    }

    struct Stream<'a> {
        #[serde(borrow)]
        stream: LenientPairs<'a>,
        #[serde(borrow)]
        values: StreamValues<'a>,
    }

    struct CountSeries<'a> {
        #[serde(borrow)]
        metric: LenientPairs<'a>,
        values: NumberPoints,
    }

    /// What a stream's line has besides its text.
    struct Extra<'a> {
        #[serde(borrow, rename = "structuredMetadata")]
        metadata: LenientPairs<'a>,
        #[serde(borrow)]
        parsed: LenientPairs<'a>,
    }
}

/// `{resultType, result}`
#[derive(Debug, Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
pub(super) enum QueryData<'a> {
    #[serde(borrow)]
    Streams(LenientList<Stream<'a>>),
    Matrix(LenientList<CountSeries<'a>>),
    Vector(IgnoredAny),
    Scalar(IgnoredAny),
}

impl Default for QueryData<'_> {
    fn default() -> Self {
        Self::Streams(LenientList::default())
    }
}

/// A list of label sets.
#[derive(Debug, Default)]
pub(super) struct PairsList<'a>(pub(super) Vec<LenientPairs<'a>>);

/// The lines of one stream.
#[derive(Debug, Default)]
pub(super) struct StreamValues<'a>(pub(super) Vec<StreamValue<'a>>);

/// Reads a list, element by element; empty for any other type.
macro_rules! list_of {
    ($($Type:ident $(<$life:lifetime>)?: $Item:ty;)*) => {
        $(impl<'de $(: $life, $life)?> Deserialize<'de> for $Type $(<$life>)? {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Lists;
                impl<'de> Lenient<'de> for Lists {
                    type Made = Vec<$Item>;

                    fn of_list<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Option<Self::Made>, A::Error> {
                        let mut all = Vec::with_capacity(seq.size_hint().unwrap_or(0));
                        while let Some(one) = seq.next_element()? {
                            all.push(one);
                        }
                        Ok(Some(all))
                    }
                }
                Ok(Self(found(Lists, deserializer)?.value().unwrap_or_default()))
            }
        })*
    };
}

list_of! {
    PairsList<'a>: LenientPairs<'de>;
    StreamValues<'a>: StreamValue<'de>;
}

/// `["nanoseconds", "line", {structuredMetadata, parsed}]`
#[derive(Debug, Default)]
pub(super) struct StreamValue<'a> {
    at: LenientText<'a>,
    line: LenientText<'a>,
    extra: Extra<'a>,
}

impl<'de: 'a, 'a> Deserialize<'de> for StreamValue<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Three;
        impl<'de> Lenient<'de> for Three {
            type Made = StreamValue<'de>;

            fn of_list<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Option<Self::Made>, A::Error> {
                let at = seq.next_element()?.unwrap_or_default();
                let line = seq.next_element()?.unwrap_or_default();
                let extra = seq.next_element()?.unwrap_or_default();
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Some(StreamValue { at, line, extra }))
            }
        }
        Ok(found(Three, deserializer)?.value().unwrap_or_default())
    }
}

/// Unix seconds and the number of lines of a point.
pub(super) fn count(point: &NumberPoint) -> Option<(f64, u64)> {
    let lines = point.value.filter(|lines| lines.is_finite() && *lines >= 0.0)?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of lines")]
    let lines = lines.round() as u64;
    Some((point.seconds?, lines))
}

/// Interned labels.
pub(super) fn labels(interner: &mut Interner, pairs: &LenientPairs<'_>) -> Labels {
    let pairs = pairs.0.iter().map(|(name, value)| (interner.text(&name.0), interner.text(&value.0)));
    Labels::new(pairs.collect())
}

/// The lines of all streams; within a stream the oldest first. The values of trace ids and the like are not interned.
pub(super) fn read(
    interner: &mut Interner,
    streams: &LenientList<Stream<'_>>,
    direction: LogDirection,
) -> ReadLines {
    let mut read = ReadLines { unreadable: streams.lost as u64, ..ReadLines::default() };
    for stream in &streams.all {
        let own = labels(interner, &stream.stream);
        let mut lines = Vec::with_capacity(stream.values.0.len());
        for value in &stream.values.0 {
            let at = value.at.0.trim().parse().ok().and_then(|nanos| Timestamp::from_nanosecond(nanos).ok());
            let Some(at) = at else {
                read.unreadable += 1;
                continue;
            };
            let pairs = value.extra.metadata.0.iter().chain(&value.extra.parsed.0);
            let fields = pairs.map(|(name, value)| (interner.text(&name.0), (&*value.0).into())).collect();
            lines.push(LogLine::new(at, own.clone(), Labels::new(fields), value.line.0.as_bytes()));
        }
        if direction == LogDirection::Backward {
            lines.reverse();
        }
        read.lines.append(&mut lines);
    }
    read
}
