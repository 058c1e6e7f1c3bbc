//! Extracts the labels of the alerts that caused a page from the details that Alertmanager and Grafana send to a paging system.

use serde_json::Value;

use crate::model::labels::{Interner, Labels, Text};

/// Keys that people use in custom details for other things than labels.
const NO_LABELS: [&str; 8] =
    ["description", "summary", "message", "runbook", "runbook_url", "dashboard", "dashboard_url", "value"];

/// Other keys in Alertmanager's default details.
const COUNTS: [&str; 4] = ["firing", "resolved", "num_firing", "num_resolved"];

/// The contents of a text with firing alerts.
#[derive(Debug, Default)]
pub(crate) struct FiringText {
    /// The labels of each alert; the last one may lack some if the text was truncated.
    pub(crate) each: Vec<Labels>,
    /// The labels that all alerts have in common.
    pub(crate) labels: Labels,
    /// The annotations that all alerts have in common.
    pub(crate) annotations: Labels,
    /// The source (generator URL) of the first alert.
    pub(crate) source: Option<Text>,
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

impl FiringEntry {
    /// The pairs of a section.
    fn pairs(&mut self, part: TextPart) -> Option<&mut Vec<(Text, Text)>> {
        match part {
            TextPart::Labels => Some(&mut self.labels),
            TextPart::Annotations => Some(&mut self.annotations),
            TextPart::Else => None,
        }
    }
}

/// Reads `details.firing`: the default text (`Labels:`, ` - name = value`, `Annotations:`, `Source:`), a custom text (`-
/// alertname: X`, `  name: value`), or a list of objects (sent by newer versions).
fn read(firing: &Value, interner: &mut Interner) -> FiringText {
    let mut source = None;
    let all = match firing {
        Value::String(text) if text.contains("Labels:") => default_text(text, &mut source, interner),
        Value::String(text) => custom_text(text, interner),
        Value::Array(list) => list.iter().map(|alert| object(alert, &mut source, interner)).collect(),
        _ => Vec::new(),
    };
    let (labels, annotations): (Vec<_>, Vec<_>) =
        all.into_iter().map(|one| (Labels::new(one.labels), Labels::new(one.annotations))).unzip();
    FiringText { labels: shared(&labels), annotations: shared(&annotations), source, each: labels }
}

/// Reads the alerts from the details of a page: from `firing` as Alertmanager and Grafana write it, from `labels`, or
/// from fields named like labels (custom `details` in Alertmanager's configuration).
pub(crate) fn of_details(details: &Value, interner: &mut Interner) -> FiringText {
    let firing = details.get("firing").map(|firing| read(firing, interner)).unwrap_or_default();
    if !firing.each.is_empty() {
        return firing;
    }
    let has_name = |value: &&Value| value.get("alertname").is_some_and(Value::is_string);
    let labels = details.get("labels").filter(|labels| labels.is_object());
    let Some(fields) = labels.or(Some(details).filter(has_name)) else { return firing };
    let mut pairs = texts(fields, interner);
    pairs.retain(|(name, _)| !COUNTS.contains(&&**name) && !NO_LABELS.contains(&&**name));
    let labels = Labels::new(pairs);
    FiringText { each: vec![labels.clone()], labels, ..firing }
}

/// The texts in an object.
fn texts(fields: &Value, interner: &mut Interner) -> Vec<(Text, Text)> {
    let fields = fields.as_object().into_iter().flatten();
    let texts = fields.filter_map(|(name, value)| Some((name, value.as_str()?)));
    texts.map(|(name, value)| (interner.text(name), interner.text(value))).collect()
}

/// The pairs that all sets have in common.
fn shared(all: &[Labels]) -> Labels {
    let Some((first, rest)) = all.split_first() else { return Labels::default() };
    let is_shared = |(name, value): &(&Text, &Text)| rest.iter().all(|other| other.get(name) == Some(*value));
    Labels::new(first.iter().filter(is_shared).map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// Reads the default text of Alertmanager and Grafana.
fn default_text(text: &str, source: &mut Option<Text>, interner: &mut Interner) -> Vec<FiringEntry> {
    let (mut all, mut part): (Vec<FiringEntry>, _) = (Vec::new(), TextPart::Else);
    for line in text.lines() {
        if let Some((name, value)) =
            line.trim_start().strip_prefix("- ").and_then(|pair| pair.split_once(" = "))
        {
            let pair = (interner.text(name.trim()), interner.text(value.trim()));
            if let Some(pairs) = all.last_mut().and_then(|one| one.pairs(part)) {
                pairs.push(pair);
            }
        } else if line.trim() == "Labels:" {
            all.push(FiringEntry::default());
            part = TextPart::Labels;
        } else if line.trim() == "Annotations:" {
            part = TextPart::Annotations;
        } else if let Some(from) = line.trim_start().strip_prefix("Source:") {
            part = TextPart::Else;
            source.get_or_insert_with(|| interner.text(from.trim()));
        } else if let Some((_, value)) = all.last_mut().and_then(|one| one.pairs(part)?.last_mut()) {
            // continuation line of a value with line breaks
            *value = interner.text(&format!("{value}\n{line}"));
        }
    }
    // a truncated text: its last label may be incomplete
    if part == TextPart::Labels && !text.ends_with('\n') {
        all.last_mut().and_then(|one| one.labels.pop());
    }
    all
}

/// Reads a custom text with `name: value` lines; `- ` starts an alert.
fn custom_text(text: &str, interner: &mut Interner) -> Vec<FiringEntry> {
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
        let pair = (interner.text(name), interner.text(value));
        if NO_LABELS.contains(&name) { one.annotations.push(pair) } else { one.labels.push(pair) }
    }
    all
}

/// Reads an alert that was sent as an object.
fn object(alert: &Value, source: &mut Option<Text>, interner: &mut Interner) -> FiringEntry {
    let mut pairs = |key: &str| alert.get(key).map(|fields| texts(fields, interner)).unwrap_or_default();
    let one = FiringEntry { labels: pairs("labels"), annotations: pairs("annotations") };
    let keys = ["generatorURL", "generator_url", "source"];
    if let Some(from) = keys.iter().find_map(|key| alert.get(key)?.as_str()) {
        source.get_or_insert_with(|| interner.text(from));
    }
    one
}
