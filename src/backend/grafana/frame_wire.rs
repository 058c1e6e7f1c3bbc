//! Data frames as Grafana writes them in JSON: a schema and a list of values for each column.
//!
//! Source: `data/frame_json.go` of `grafana-plugin-sdk-go`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::backend::kit::lenient::{
    Count, Lenient, LenientItems, LenientList, LenientPairs, LenientText, LenientTexts, found, or_default,
    wire,
};
use crate::model::frame::{DataFrame, FieldValues, FrameField};
use crate::model::labels::{Labels, Text};

wire! {
    /// The answer of `/api/ds/query`.
    struct QueryResults<'a> {
        #[serde(borrow)]
        results: BTreeMap<String, QueryResponse<'a>>,
    }

    /// The answer to one query.
    struct QueryResponse<'a> {
        status: Count,
        error: LenientText<'a>,
        #[serde(borrow)]
        frames: LenientList<WireFrame<'a>>,
    }

    struct WireFrame<'a> {
        #[serde(borrow, deserialize_with = "or_default")]
        schema: FrameSchema<'a>,
        #[serde(borrow, deserialize_with = "or_default")]
        data: FrameData<'a>,
    }

    struct FrameSchema<'a> {
        name: LenientText<'a>,
        #[serde(borrow)]
        fields: LenientList<FieldSchema<'a>>,
        #[serde(borrow, deserialize_with = "or_default")]
        meta: FrameMeta<'a>,
    }

    struct FrameMeta<'a> {
        #[serde(rename = "type")]
        kind: LenientText<'a>,
        #[serde(rename = "preferredVisualisationType")]
        visualisation: LenientText<'a>,
        #[serde(borrow)]
        notices: LenientList<FrameNotice<'a>>,
    }

    struct FrameNotice<'a> {
        severity: LenientText<'a>,
        text: LenientText<'a>,
    }

    struct FieldSchema<'a> {
        name: LenientText<'a>,
        #[serde(rename = "type")]
        kind: LenientText<'a>,
        labels: LenientPairs<'a>,
        #[serde(borrow, deserialize_with = "or_default")]
        config: WireFieldConfig<'a>,
    }

    #[serde(rename_all = "camelCase")]
    struct WireFieldConfig<'a> {
        #[serde(rename = "displayNameFromDS")]
        name_from_source: LenientText<'a>,
        display_name: LenientText<'a>,
        unit: LenientText<'a>,
        #[serde(rename = "type", borrow, deserialize_with = "or_default")]
        kind: FieldTypeConfig<'a>,
    }

    struct FieldTypeConfig<'a> {
        #[serde(rename = "enum", borrow, deserialize_with = "or_default")]
        words: EnumConfig<'a>,
    }

    struct EnumConfig<'a> {
        text: LenientTexts<'a>,
    }

    struct FrameData<'a> {
        #[serde(borrow)]
        values: LenientItems<LenientItems<FrameValue<'a>>>,
        /// The rows of numbers that JSON cannot write.
        entities: LenientItems<Entities>,
        /// Nanoseconds within the millisecond.
        nanos: LenientItems<LenientItems<Count>>,
    }
}

/// The rows of a column whose values JSON cannot write.
#[derive(Debug, Default)]
pub(super) struct Entities {
    rows: Vec<(f64, Vec<u64>)>,
}

impl<'de> Deserialize<'de> for Entities {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let of = |key: &str| {
            let rows = value.get(key).and_then(Value::as_array);
            rows.into_iter().flatten().filter_map(Value::as_u64).collect::<Vec<_>>()
        };
        Ok(Self {
            rows: vec![(f64::NAN, of("NaN")), (f64::INFINITY, of("Inf")), (f64::NEG_INFINITY, of("NegInf"))],
        })
    }
}

/// One value of a column.
#[derive(Debug, Default)]
pub(super) enum FrameValue<'a> {
    #[default]
    Missing,
    /// Integers beyond 2^53 lose digits, as in Grafana itself.
    Number(f64),
    Text(Cow<'a, str>),
    Bool(bool),
}

impl<'de: 'a, 'a> Deserialize<'de> for FrameValue<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Values;
        impl<'de> Lenient<'de> for Values {
            type Made = FrameValue<'de>;

            fn of_number(self, number: f64) -> Option<Self::Made> {
                Some(FrameValue::Number(number))
            }

            fn of_text(self, text: Cow<'de, str>) -> Option<Self::Made> {
                Some(FrameValue::Text(text))
            }

            fn of_bool(self, yes: bool) -> Option<Self::Made> {
                Some(FrameValue::Bool(yes))
            }

            fn of_map<A: MapAccess<'de>>(self, map: A) -> Result<Option<Self::Made>, A::Error> {
                let value = Value::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Some(FrameValue::Text(Cow::Owned(value.to_string()))))
            }

            fn of_list<A: SeqAccess<'de>>(self, seq: A) -> Result<Option<Self::Made>, A::Error> {
                let value = Value::deserialize(SeqAccessDeserializer::new(seq))?;
                Ok(Some(FrameValue::Text(Cow::Owned(value.to_string()))))
            }
        }
        Ok(found(Values, deserializer)?.value().unwrap_or_default())
    }
}

impl FrameValue<'_> {
    fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.trim().parse().ok(),
            Self::Bool(yes) => Some(f64::from(u8::from(*yes))),
            Self::Missing => None,
        }
    }

    fn text(&self) -> Option<Text> {
        match self {
            Self::Number(number) => Some(number.to_string().into()),
            Self::Text(text) => Some((**text).into()),
            Self::Bool(yes) => Some(if *yes { "true" } else { "false" }.into()),
            Self::Missing => None,
        }
    }

    fn bool(&self) -> Option<bool> {
        match self {
            Self::Number(number) => Some(*number != 0.0),
            Self::Text(text) => text.parse().ok(),
            Self::Bool(yes) => Some(*yes),
            Self::Missing => None,
        }
    }

    /// Milliseconds; times as text are RFC 3339.
    fn millis(&self) -> Option<i64> {
        match self {
            #[expect(clippy::cast_possible_truncation, reason = "checked to be exact")]
            Self::Number(number) => (number.abs() < 9e15).then_some(number.round() as i64),
            Self::Text(text) => text
                .parse::<jiff::Timestamp>()
                .map(jiff::Timestamp::as_millisecond)
                .ok()
                .or_else(|| text.trim().parse().ok()),
            Self::Bool(_) | Self::Missing => None,
        }
    }
}

impl WireFrame<'_> {
    /// Whether its rows are log lines.
    pub(super) fn is_of_logs(&self) -> bool {
        &*self.schema.meta.kind.0 == "log-lines" || &*self.schema.meta.visualisation.0 == "logs"
    }

    /// The number of values of all columns.
    pub(super) fn size(&self) -> usize {
        self.data.values.0.iter().map(|column| column.0.len()).sum()
    }

    /// The nanoseconds within the millisecond of a row of a column.
    pub(super) fn nanos(&self, column: usize, row: usize) -> u64 {
        self.data.nanos.0.get(column).and_then(|rows| rows.0.get(row)).map_or(0, |nanos| nanos.0)
    }

    /// The frame; columns that are shorter than others end with missing values.
    pub(super) fn read(&self, ref_id: &Text) -> DataFrame {
        let rows = self.data.values.0.iter().map(|column| column.0.len()).max().unwrap_or(0);
        let fields =
            self.schema.fields.all.iter().enumerate().map(|(at, schema)| self.field(at, schema, rows));
        let notice =
            |notice: &FrameNotice<'_>| (!notice.text.0.is_empty()).then(|| Text::from(&*notice.text.0));
        let name = &self.schema.name.0;
        DataFrame {
            ref_id: ref_id.clone(),
            name: (!name.is_empty()).then(|| Text::from(&**name)),
            fields: fields.collect(),
            notices: self.schema.meta.notices.all.iter().filter_map(notice).collect(),
        }
    }

    fn field(&self, at: usize, schema: &FieldSchema<'_>, rows: usize) -> FrameField {
        let none = Vec::new();
        let values = self.data.values.0.get(at).map_or(&none, |column| &column.0);
        let words = &schema.config.kind.words.text.0;
        let word = |value: &FrameValue<'_>| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
            let index = value.number().filter(|at| *at >= 0.0)? as usize;
            words.get(index).map(|word| Text::from(&*word.0)).or_else(|| value.text())
        };
        let read = match &*schema.kind.0 {
            "time" => FieldValues::Times(padded(values.iter().map(FrameValue::millis), rows)),
            "number" => {
                let mut numbers = padded(values.iter().map(FrameValue::number), rows);
                for (number, places) in self.data.entities.0.get(at).into_iter().flat_map(|one| &one.rows) {
                    for row in places {
                        if let Some(cell) = usize::try_from(*row).ok().and_then(|row| numbers.get_mut(row)) {
                            *cell = Some(*number);
                        }
                    }
                }
                FieldValues::Numbers(numbers)
            }
            "boolean" => FieldValues::Bools(padded(values.iter().map(FrameValue::bool), rows)),
            "enum" => FieldValues::Texts(padded(values.iter().map(word), rows)),
            // strings, JSON, and kinds of later versions
            _ => FieldValues::Texts(padded(values.iter().map(FrameValue::text), rows)),
        };
        let some = |text: &LenientText<'_>| (!text.0.is_empty()).then(|| Text::from(&*text.0));
        FrameField {
            name: (&*schema.name.0).into(),
            labels: labels(&schema.labels),
            values: read,
            display_name: some(&schema.config.display_name).or_else(|| some(&schema.config.name_from_source)),
            unit: some(&schema.config.unit),
        }
    }
}

fn padded<T: Clone>(values: impl Iterator<Item = Option<T>>, rows: usize) -> Vec<Option<T>> {
    let mut all: Vec<Option<T>> = values.collect();
    all.resize(rows, None);
    all
}

fn labels(pairs: &LenientPairs<'_>) -> Labels {
    pairs.0.iter().map(|(name, value)| (&*name.0, &*value.0)).collect()
}
