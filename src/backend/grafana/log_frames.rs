//! Frames whose rows are log lines.
//!
//! Source: the type `log-lines` of Grafana's data plane (<https://grafana.com/developers/dataplane/logs>), and the frames of its data
//! sources for Loki, Elasticsearch and `CloudWatch`.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use crate::backend::frame_wire::WireFrame;
use crate::model::frame::FieldValues;
use crate::model::labels::{Labels, Text};
use crate::model::log::LogLine;

/// The names of the column with the text, the likeliest first.
const BODIES: [&str; 6] = ["body", "Line", "line", "@message", "message", "_source"];
/// The column with the nanoseconds since 1970 as text.
const NANOS: &str = "tsNs";
/// Columns that are no fields of a line.
const INTERNAL: [&str; 4] = ["id", NANOS, "labels", "labelTypes"];

/// The lines of a frame; rows without a time are left out.
pub(super) fn log_lines(frame: &WireFrame<'_>, ref_id: &Text) -> Vec<Arc<LogLine>> {
    let read = frame.read(ref_id);
    let is_times = |values: &FieldValues| matches!(values, FieldValues::Times(_));
    let Some(time) = read.fields.iter().position(|field| is_times(&field.values)) else { return Vec::new() };
    let body = BODIES
        .iter()
        .find_map(|name| read.fields.iter().position(|field| *field.name == **name))
        .or_else(|| read.fields.iter().position(|field| matches!(field.values, FieldValues::Texts(_))));
    let text = |column: Option<usize>, row: usize| -> Option<Text> {
        let cell = read.fields.get(column?)?.values.cell(row);
        let text = cell.plain();
        (!text.is_empty()).then(|| text.into())
    };
    let column = |name: &str| read.fields.iter().position(|field| &*field.name == name);
    let (labels, nanos) = (column("labels"), column(NANOS));
    let line = |row: usize| {
        let exact = text(nanos, row).and_then(|text| text.parse::<i128>().ok());
        let at = exact.or_else(|| {
            let FieldValues::Times(times) = &read.fields.get(time)?.values else { return None };
            let millis = i128::from((*times.get(row)?)?);
            Some(millis * 1_000_000 + i128::from(frame.nanos(time, row)))
        })?;
        let at = Timestamp::from_nanosecond(at).ok()?;
        let own = text(labels, row).map_or_else(Labels::default, |json| labels_of(&json));
        let is_field = |at: usize, name: &str| at != time && Some(at) != body && !INTERNAL.contains(&name);
        let fields: Vec<(Text, Text)> = read
            .fields
            .iter()
            .enumerate()
            .filter(|(at, field)| is_field(*at, &field.name))
            .filter_map(|(at, field)| Some((field.name.clone(), text(Some(at), row)?)))
            .collect();
        let words = text(body, row).unwrap_or_else(|| "".into());
        Some(Arc::new(LogLine::new(at, own, Labels::new(fields), words.as_bytes())))
    };
    (0..read.rows()).filter_map(line).collect()
}

/// The labels of a line, which are an object.
fn labels_of(json: &str) -> Labels {
    let Ok(Value::Object(object)) = serde_json::from_str(json) else { return Labels::default() };
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    object.into_iter().map(|(name, value)| (name, text(value))).collect()
}
