//! The name under which a series or column is shown, as Grafana's `getFieldDisplayName` makes it.

use crate::model::dashboard::field::FieldOptions;
use crate::model::dashboard::reference::replace_references;
use crate::model::frame::{DataFrame, FieldValues, FrameField};
use crate::model::labels::Labels;

/// The name of a series without one, and of its times.
pub const VALUE_FIELD: &str = "Value";
/// The name of the column of times.
pub const TIME_FIELD: &str = "Time";

/// The name of a field in the legend or as a column's title: the panel's, else the data source's, else made of name and labels.
/// `${__field.labels.NAME}` and the like in the panel's name are replaced; other variables must be replaced before.
pub fn display_name(frames: &[DataFrame], frame: usize, field: usize, options: &FieldOptions) -> String {
    let Some((of_frame, of_field)) =
        frames.get(frame).and_then(|frame| Some((frame, frame.fields.get(field)?)))
    else {
        return String::new();
    };
    let configured = options.display_name.as_deref().filter(|name| !name.is_empty());
    match configured {
        Some(name) => with_field(name, frames, of_frame, of_field),
        None => default_name(frames, of_frame, of_field),
    }
}

/// The name without that of the panel.
pub fn default_name(frames: &[DataFrame], frame: &DataFrame, field: &FrameField) -> String {
    if let Some(name) = field.display_name.as_deref().filter(|name| !name.is_empty()) {
        return name.to_owned();
    }
    if matches!(field.values, FieldValues::Times(_)) && field.labels.is_empty() {
        return if field.name.is_empty() { TIME_FIELD.to_owned() } else { field.name.to_string() };
    }
    let mut parts: Vec<String> = Vec::new();
    let frame_name = frame.name.as_deref().filter(|name| !name.is_empty());
    let names_differ =
        frames.windows(2).any(|pair| pair.first().map(|f| &f.name) != pair.get(1).map(|f| &f.name));
    let mut has_frame_name = false;
    if names_differ && let Some(name) = frame_name {
        parts.push(name.to_owned());
        has_frame_name = true;
    }
    if !field.name.is_empty() && *field.name != *VALUE_FIELD {
        parts.push(field.name.to_string());
    }
    let mut has_labels = false;
    if !field.labels.is_empty() {
        if let Some(label) = single_label(frames) {
            if let Some(value) = field.labels.get(label) {
                parts.push(value.to_string());
                has_labels = true;
            }
        } else {
            parts.push(labels_text(&field.labels));
            has_labels = true;
        }
    }
    if !has_frame_name
        && !has_labels
        && *field.name == *VALUE_FIELD
        && let Some(name) = frame_name
    {
        parts.push(name.to_owned());
    }
    match (parts.is_empty(), field.name.is_empty()) {
        (false, _) => parts.join(" "),
        (true, false) => field.name.to_string(),
        (true, true) => VALUE_FIELD.to_owned(),
    }
}

/// The only label of all fields, if there is only one.
fn single_label(frames: &[DataFrame]) -> Option<&str> {
    let mut names = frames.iter().flat_map(|frame| &frame.fields).flat_map(|field| field.labels.iter());
    let (first, _) = names.next()?;
    names.all(|(name, _)| name == first).then_some(first)
}

/// `{job="api", pod="a"}`; with `__name__` before it.
fn labels_text(labels: &Labels) -> String {
    let pairs = labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect::<Vec<_>>();
    format!("{{{}}}", pairs.join(", "))
}

fn with_field(template: &str, frames: &[DataFrame], frame: &DataFrame, field: &FrameField) -> String {
    replace_references(template, |reference| {
        let path = reference.path.unwrap_or("");
        let label = |name: &str| field.labels.value(name).to_owned();
        match (reference.name, path) {
            ("__field", "name") | ("__field_name" | "__name", _) => Some(field.name.to_string()),
            ("__field", "displayName") => Some(default_name(frames, frame, field)),
            ("__field", "labels") => Some(labels_text(&field.labels)),
            ("__field", _) => {
                let name = path
                    .strip_prefix("labels.")
                    .or_else(|| path.strip_prefix("labels[").and_then(|rest| rest.strip_suffix(']')))?;
                Some(label(name.trim_matches(['"', '\''])))
            }
            ("__series", "name") | ("__series_name" | "__cell_0", _) => {
                Some(default_name(frames, frame, field))
            }
            ("__frame", "name") => Some(frame.name.as_deref().unwrap_or("").to_owned()),
            ("__frame", "refId") => Some(frame.ref_id.to_string()),
            _ => None,
        }
    })
}
