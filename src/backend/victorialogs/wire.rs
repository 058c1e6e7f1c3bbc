//! The JSON shapes of VictoriaLogs' API, and their mapping to the model.

use serde::de::IgnoredAny;

use crate::backend::kit::lenient::{
    Count, LenientItems, LenientList, LenientPairs, LenientText, LenientTexts, wire,
};
use crate::backend::logs::labels::label_set;
use crate::backend::logs::line_of_fields;
use crate::model::labels::{Interner, Labels, Text};
use crate::model::log::{LogLine, ReadLines};

wire! {
    /// `{values: [{value, hits}]}`
    struct ValueList<'a> {
        #[serde(borrow)]
        values: LenientList<NamedValue<'a>>,
    }

    struct NamedValue<'a> {
        #[serde(borrow)]
        value: LenientText<'a>,
    }

    /// `{facets: [{field_name, values: [{field_value, hits}]}]}`
    struct Facets<'a> {
        #[serde(borrow)]
        facets: LenientList<FieldFacets<'a>>,
    }

    struct FieldFacets<'a> {
        #[serde(borrow)]
        field_name: LenientText<'a>,
        values: LenientList<IgnoredAny>,
    }

    struct Hits<'a> {
        #[serde(borrow)]
        hits: LenientList<HitGroup<'a>>,
    }

    /// The lines with one value of a field, over time.
    struct HitGroup<'a> {
        #[serde(borrow)]
        fields: LenientPairs<'a>,
        #[serde(borrow)]
        timestamps: LenientTexts<'a>,
        values: LenientItems<Count>,
    }
}

/// The labels of a stream: `{pod="a",service="b"}`.
pub(super) fn stream_labels(text: &str) -> Labels {
    label_set(text).into_iter().collect()
}

/// The text of a line that came without one, as the server has it.
const NO_MESSAGE: &str = "missing _msg field;";

/// The lines of an answer: a JSON object in each line. A line that cannot be read is counted.
///
/// # Errors
/// The text of an answer that has no such line at all.
pub(super) fn read(
    interner: &mut Interner,
    body: &[u8],
    (message, level): (&str, &str),
) -> Result<ReadLines, String> {
    let mut read = ReadLines::default();
    for bytes in body.split(|byte| *byte == b'\n').filter(|bytes| !bytes.trim_ascii().is_empty()) {
        let line = serde_json::from_slice::<LenientPairs<'_>>(bytes).ok();
        match line.and_then(|pairs| self::line(interner, &pairs, (message, level))) {
            Some(line) => read.lines.push(line),
            None => read.unreadable += 1,
        }
    }
    if read.lines.is_empty() && read.unreadable > 0 {
        let first = body.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let said = String::from_utf8_lossy(first.get(..200).unwrap_or(first)).into_owned();
        return Err(format!("no log lines: {said}"));
    }
    Ok(read)
}

/// The rows of an answer without times, such as those of `uniq` and `top`, as lines of their fields at this time; `None` if a
/// line of the answer is no JSON object.
pub(super) fn rows(body: &[u8], at: jiff::Timestamp) -> Option<Vec<LogLine>> {
    let rows = body.split(|byte| *byte == b'\n').filter(|bytes| !bytes.trim_ascii().is_empty());
    rows.map(|bytes| {
        let pairs = serde_json::from_slice::<LenientPairs<'_>>(bytes).ok()?;
        let own = pairs.0.iter().map(|(name, value)| (Text::from(&*name.0), Text::from(&*value.0)));
        let named: Vec<String> =
            pairs.0.iter().map(|(name, value)| format!("{}={}", name.0, value.0)).collect();
        Some(LogLine::new(at, Labels::default(), Labels::new(own.collect()), named.join("  ").as_bytes()))
    })
    .collect()
}

fn line(
    interner: &mut Interner,
    pairs: &LenientPairs<'_>,
    (message, level): (&str, &str),
) -> Option<LogLine> {
    let value = |name: &str| pairs.0.iter().find(|(known, _)| known.0 == name).map(|(_, value)| &*value.0);
    let at = value("_time")?.parse().ok()?;
    let labels = stream_labels(value("_stream").unwrap_or_default());
    let text = value(message).unwrap_or_default();
    let is_own = |name: &str| matches!(name, "_time" | "_stream" | "_stream_id") || name == message;
    let others = pairs.0.iter().filter(|(name, _)| !is_own(&name.0) && labels.get(&name.0).is_none());
    let fields: Vec<(Text, Text)> =
        others.map(|(name, value)| (interner.text(&name.0), (&*value.0).into())).collect();
    let message = Some(text).filter(|text| !text.starts_with(NO_MESSAGE)).unwrap_or_default();
    Some(line_of_fields(at, labels, Labels::new(fields), message, [level]))
}
