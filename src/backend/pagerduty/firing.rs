//! Extracts the labels of the alerts that caused a page from the details that Alertmanager and Grafana send.

use serde_json::Value;

use super::map::TextReader;
use super::wire;
use crate::model::labels::{Labels, Text};

/// Keys that people use in custom details for other things than labels.
const NO_LABELS: [&str; 8] =
    ["description", "summary", "message", "runbook", "runbook_url", "dashboard", "dashboard_url", "value"];

/// Other keys in Alertmanager's default details.
const COUNTS: [&str; 4] = ["firing", "resolved", "num_firing", "num_resolved"];

/// The contents of a text with firing alerts.
#[derive(Debug, Default)]
pub(super) struct FiringText {
    /// The labels of each alert; the last one may lack some if the text was truncated.
    pub(super) each: Vec<Labels>,
    /// The labels that all alerts have in common.
    pub(super) labels: Labels,
    /// The annotations that all alerts have in common.
    pub(super) annotations: Labels,
    /// The source (generator URL) of the first alert.
    pub(super) source: Option<Text>,
}

/// The section of the default text that is being read.
#[derive(Clone, Copy, PartialEq)]
enum TextPart {
    Labels,
    Annotations,
    Else,
}

/// One alert in a text.
#[derive(Default)]
struct FiringEntry {
    labels: Vec<(Text, Text)>,
    annotations: Vec<(Text, Text)>,
}

/// Reads `details.firing`: the default text (`Labels:`, ` - name = value`, `Annotations:`, `Source:`), a custom text (`-
/// alertname: X`, `  name: value`), or a list of objects (sent by newer versions).
pub(super) fn read(firing: &Value, reader: &mut TextReader<'_>) -> FiringText {
    let mut source = None;
    let all = match firing {
        Value::String(text) if text.contains("Labels:") => default_text(text, &mut source, reader),
        Value::String(text) => custom_text(text, reader),
        Value::Array(list) => list.iter().map(|alert| object(alert, &mut source, reader)).collect(),
        _ => Vec::new(),
    };
    let (labels, annotations): (Vec<_>, Vec<_>) =
        all.into_iter().map(|one| (Labels::new(one.labels), Labels::new(one.annotations))).unzip();
    FiringText { labels: shared(&labels), annotations: shared(&annotations), source, each: labels }
}

impl TextReader<'_> {
    /// Reads the alerts from the details of a page: from `firing` as Alertmanager and Grafana write it, from `labels`, or
    /// from fields named like labels (custom `details` in Alertmanager's configuration).
    pub(super) fn firing(&mut self, details: &Value) -> FiringText {
        let reported = details.get("firing").map(|firing| read(firing, self)).unwrap_or_default();
        if !reported.each.is_empty() {
            return reported;
        }
        let is_one = |value: &Value| value.get("alertname").is_some_and(Value::is_string);
        let Some(fields) = details
            .get("labels")
            .filter(|labels| labels.is_object())
            .or(Some(details).filter(|it| is_one(it)))
        else {
            return reported;
        };
        let texts = fields
            .as_object()
            .into_iter()
            .flatten()
            .filter_map(|(name, value)| Some((name, value.as_str()?)));
        let pairs =
            texts.filter(|(name, _)| !COUNTS.contains(&name.as_str()) && !NO_LABELS.contains(&name.as_str()));
        let labels = Labels::new(pairs.map(|(name, value)| (self.text(name), self.text(value))).collect());
        FiringText { each: vec![labels.clone()], labels, ..reported }
    }

    /// The labels of the alerts that opened an incident.
    pub(super) fn labels_of_trigger(&mut self, wire: &wire::Incident) -> Vec<Labels> {
        let entry = wire.first_trigger_log_entry.0.as_ref();
        let Some(channel) = entry.and_then(|entry| entry.channel.0.as_ref()) else { return Vec::new() };
        let inner = channel.cef_details.0.as_ref().map(|inner| &inner.details);
        let reported = [Some(&channel.details), inner].into_iter().flatten();
        reported.map(|details| self.firing(details).each).find(|each| !each.is_empty()).unwrap_or_default()
    }
}

/// The pairs that all sets have in common.
fn shared(all: &[Labels]) -> Labels {
    let Some((first, rest)) = all.split_first() else { return Labels::default() };
    let is_shared = |(name, value): &(&Text, &Text)| rest.iter().all(|other| other.get(name) == Some(*value));
    Labels::new(first.iter().filter(is_shared).map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// Reads the default text of Alertmanager and Grafana.
fn default_text(text: &str, source: &mut Option<Text>, reader: &mut TextReader<'_>) -> Vec<FiringEntry> {
    let (mut all, mut part): (Vec<FiringEntry>, _) = (Vec::new(), TextPart::Else);
    for line in text.lines() {
        if let Some((name, value)) =
            line.trim_start().strip_prefix("- ").and_then(|pair| pair.split_once(" = "))
        {
            let pair = (reader.text(name.trim()), reader.text(value.trim()));
            match (part, all.last_mut()) {
                (TextPart::Labels, Some(one)) => one.labels.push(pair),
                (TextPart::Annotations, Some(one)) => one.annotations.push(pair),
                (TextPart::Labels | TextPart::Annotations | TextPart::Else, _) => {}
            }
        } else if line.trim() == "Labels:" {
            all.push(FiringEntry::default());
            part = TextPart::Labels;
        } else if line.trim() == "Annotations:" {
            part = TextPart::Annotations;
        } else if let Some(from) = line.trim_start().strip_prefix("Source:") {
            part = TextPart::Else;
            source.get_or_insert_with(|| reader.text(from.trim()));
        } else if let Some(one) = all.last_mut() {
            // continuation line of a value with line breaks
            let last = match part {
                TextPart::Labels => one.labels.last_mut(),
                TextPart::Annotations => one.annotations.last_mut(),
                TextPart::Else => None,
            };
            if let Some((_, value)) = last {
                *value = reader.text(&format!("{value}\n{line}"));
            }
        }
    }
    // a truncated text: its last label may be incomplete
    if part == TextPart::Labels && !text.ends_with('\n') {
        all.last_mut().and_then(|one| one.labels.pop());
    }
    all
}

/// Reads a custom text with `name: value` lines; `- ` starts an alert.
fn custom_text(text: &str, reader: &mut TextReader<'_>) -> Vec<FiringEntry> {
    let mut all: Vec<FiringEntry> = Vec::new();
    for line in text.lines() {
        let line = line.trim();
        let item = line.strip_prefix("- ");
        if item.is_some() {
            all.push(FiringEntry::default());
        }
        let Some((name, value)) = item.unwrap_or(line).split_once(':') else { continue };
        let (name, value) = (name.trim(), value.trim());
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_.-/".contains(c));
        let Some(one) = all.last_mut().filter(|_| is_name) else { continue };
        let pair = (reader.text(name), reader.text(value));
        if NO_LABELS.contains(&name) { one.annotations.push(pair) } else { one.labels.push(pair) }
    }
    all
}

/// Reads an alert that was sent as an object.
fn object(alert: &Value, source: &mut Option<Text>, reader: &mut TextReader<'_>) -> FiringEntry {
    let mut pairs = |key: &str| -> Vec<(Text, Text)> {
        let fields = alert.get(key).and_then(Value::as_object).into_iter().flatten();
        let texts = fields.filter_map(|(name, value)| Some((name, value.as_str()?)));
        texts.map(|(name, value)| (reader.text(name), reader.text(value))).collect()
    };
    let one = FiringEntry { labels: pairs("labels"), annotations: pairs("annotations") };
    let keys = ["generatorURL", "generator_url", "source"];
    if let Some(from) = keys.iter().find_map(|key| alert.get(key)?.as_str()) {
        source.get_or_insert_with(|| reader.text(from));
    }
    one
}
