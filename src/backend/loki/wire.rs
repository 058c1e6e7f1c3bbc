//! The JSON shapes of Loki's API, and their mapping to the model.

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::backend::kit::lenient::{
    Count, LenientItems, LenientList, LenientPairs, LenientString, LenientText, LenientTexts, LenientTriple,
    wire,
};
use crate::backend::logs::NumberPoint;
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
        data: LenientItems<LenientPairs<'a>>,
    }

    struct QueryAnswer<'a> {
        #[serde(borrow)]
        data: QueryData<'a>,
    }

    struct Stream<'a> {
        #[serde(borrow)]
        stream: LenientPairs<'a>,
        #[serde(borrow)]
        values: LenientItems<StreamValue<'a>>,
    }

    struct CountSeries<'a> {
        #[serde(borrow)]
        metric: LenientPairs<'a>,
        values: LenientItems<NumberPoint>,
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

/// `["nanoseconds", "line", {structuredMetadata, parsed}]`
type StreamValue<'a> = LenientTriple<LenientText<'a>, LenientText<'a>, Extra<'a>>;

/// Unix seconds and the number of lines.
pub(super) fn count(point: &NumberPoint) -> Option<(f64, u64)> {
    let lines = point.1.0.filter(|lines| lines.is_finite() && *lines >= 0.0)?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of lines")]
    let lines = lines.round() as u64;
    Some((point.0.0?, lines))
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
            let at = value.0.0.trim().parse().ok().and_then(|nanos| Timestamp::from_nanosecond(nanos).ok());
            let Some(at) = at else {
                read.unreadable += 1;
                continue;
            };
            let pairs = value.2.metadata.0.iter().chain(&value.2.parsed.0);
            let fields = pairs.map(|(name, value)| (interner.text(&name.0), (&*value.0).into())).collect();
            lines.push(LogLine::new(at, own.clone(), Labels::new(fields), value.1.0.as_bytes()));
        }
        if direction == LogDirection::Backward {
            lines.reverse();
        }
        read.lines.append(&mut lines);
    }
    read
}
