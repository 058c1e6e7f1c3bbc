//! The fields of one line: JSON, logfmt, klog, or a text without fields.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::model::words::words;

/// The longest text that is taken apart, in bytes; of a longer one only the beginning.
pub const PARSED: usize = 64 * 1024;
/// The most fields that are taken from one line.
const MAX_FIELDS: usize = 500;
/// How deep the objects of JSON are taken apart.
const MAX_DEPTH: usize = 8;

words! {
    /// The form of a line.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum LineFormat: word {
        Json = "JSON",
        /// `level=info msg="request done"`
        Logfmt = "logfmt",
        /// Kubernetes' own: `E0102 15:04:05.000000    1234 file.go:12] text`
        Klog = "klog",
        Plain = "plain text",
    }
}

/// Names of the fields that hold the text of a line, in order of precedence.
const MESSAGE: [&str; 8] = ["msg", "message", "@message", "log", "event", "MESSAGE", "text", "body"];
/// Names of the fields that say more about it.
const CAUSE: [&str; 6] = ["error", "err", "exception", "cause", "error.message", "exception.message"];
/// Names of the fields that every line has, and that a list shows in columns of their own.
pub const USUAL: [&str; 10] =
    ["ts", "time", "timestamp", "@timestamp", "t", "level", "lvl", "severity", "levelname", "detected_level"];

/// The form of a text, by its beginning.
pub fn format(text: &str) -> LineFormat {
    let text = text.trim_start();
    if text.starts_with('{') {
        return LineFormat::Json;
    }
    let mut chars = text.bytes();
    let is_klog = chars.next().is_some_and(|c| b"IWEF".contains(&c))
        && chars.by_ref().take(4).filter(u8::is_ascii_digit).count() == 4
        && chars.next() == Some(b' ')
        && text.contains("] ");
    if is_klog {
        return LineFormat::Klog;
    }
    if pairs(text).take(3).count() >= 2 { LineFormat::Logfmt } else { LineFormat::Plain }
}

/// A text without the escape sequences that only set colours; all others stay.
pub fn without_colours(text: &str) -> Cow<'_, str> {
    if !text.contains("\u{1b}[") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        out.push_str(before);
        let end = after.find(|c: char| !c.is_ascii_digit() && c != ';').unwrap_or(after.len());
        if let Some(tail) = after.get(end..).and_then(|tail| tail.strip_prefix('m')) {
            rest = tail;
        } else {
            out.push_str("\u{1b}[");
            rest = after;
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// All fields of a line, in their order; nested objects of JSON with names such as `http.status`. A text that is no valid JSON
/// has none.
pub fn all(text: &str) -> (LineFormat, Vec<(String, String)>) {
    let form = format(text);
    let fields = match form {
        LineFormat::Json => {
            let mut fields = Vec::new();
            match serde_json::from_str::<Value>(text.trim()) {
                Ok(Value::Object(object)) => {
                    object.iter().for_each(|(name, value)| flatten(name, value, 1, &mut fields));
                }
                Ok(_) | Err(_) => return (LineFormat::Plain, Vec::new()),
            }
            fields
        }
        LineFormat::Logfmt => {
            pairs(text).take(MAX_FIELDS).map(|(name, value)| (name.to_owned(), value.into_owned())).collect()
        }
        LineFormat::Klog => klog(text),
        LineFormat::Plain => Vec::new(),
    };
    (form, fields)
}

fn flatten(name: &str, value: &Value, depth: usize, fields: &mut Vec<(String, String)>) {
    if fields.len() >= MAX_FIELDS {
        return;
    }
    match value {
        Value::Object(object) if depth < MAX_DEPTH && !object.is_empty() => {
            for (inner, value) in object {
                flatten(&format!("{name}.{inner}"), value, depth + 1, fields);
            }
        }
        Value::String(text) => fields.push((name.to_owned(), text.clone())),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            fields.push((name.to_owned(), value.to_string()));
        }
    }
}

/// The pairs of logfmt: `name=value` or `name="value"`. Stops at a text that is none.
fn pairs(text: &str) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
    let mut rest = text.trim_start();
    std::iter::from_fn(move || {
        let (name, after) = rest.split_once('=')?;
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '@' | '/');
        if name.is_empty() || !name.chars().all(is_name) {
            return None;
        }
        let (value, left) = if let Some(quoted) = after.strip_prefix('"') {
            quoted_value(quoted)?
        } else {
            let (value, left) = after.split_once(' ').unwrap_or((after, ""));
            (Cow::Borrowed(value), left)
        };
        rest = left.trim_start();
        Some((name, value))
    })
}

/// The value up to the closing quote, and the text behind it.
fn quoted_value(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let mut is_escaped = false;
    let end = text.char_indices().find_map(|(at, c)| {
        let is_end = c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        is_end.then_some(at)
    })?;
    let (inside, rest) = text.split_at_checked(end)?;
    let rest = rest.get(1..)?;
    if !inside.contains('\\') {
        return Some((Cow::Borrowed(inside), rest));
    }
    let mut value = String::with_capacity(inside.len());
    let mut chars = inside.chars();
    while let Some(c) = chars.next() {
        let escaped = if c == '\\' { chars.next() } else { None };
        value.push(match escaped {
            Some('n') => '\n',
            Some('t') => '\t',
            Some(other) => other,
            None => c,
        });
    }
    Some((Cow::Owned(value), rest))
}

/// The parts of a klog line.
fn klog(text: &str) -> Vec<(String, String)> {
    let Some((head, message)) = text.trim_start().split_once("] ") else { return Vec::new() };
    let words: Vec<&str> = head.split_whitespace().collect();
    let mut fields = vec![("message".to_owned(), message.to_owned())];
    for (name, at) in [("time", 1), ("thread", 2), ("source", 3)] {
        fields.extend(words.get(at).map(|word| (name.to_owned(), (*word).to_owned())));
    }
    fields
}

/// The values of some fields at the top level of a JSON or logfmt line, in their order, without reading more than needed.
pub fn scalars(text: &str, is_wanted: impl Fn(&str) -> bool) -> Vec<(String, String)> {
    if !text.trim_start().starts_with('{') {
        let wanted = pairs(text).filter(|(name, _)| is_wanted(name));
        return wanted.map(|(name, value)| (name.to_owned(), value.into_owned())).collect();
    }
    let mut found = Vec::new();
    let mut json = serde_json::Deserializer::from_str(text);
    // a line that was cut off has the fields before the cut
    Wanted { is_wanted: &is_wanted, found: &mut found }.deserialize(&mut json).ok();
    found
}

struct Wanted<'w, F> {
    is_wanted: &'w F,
    found: &'w mut Vec<(String, String)>,
}

impl<'de, F: Fn(&str) -> bool> DeserializeSeed<'de> for Wanted<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, F: Fn(&str) -> bool> Visitor<'de> for Wanted<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<FieldName<'de>>()? {
            if (self.is_wanted)(&name.0) {
                let value = map.next_value::<ScalarText>()?.0;
                self.found.extend(value.map(|value| (name.0.into_owned(), value)));
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

#[derive(serde::Deserialize)]
struct FieldName<'a>(#[serde(borrow)] Cow<'a, str>);

/// The text of a string or a number; nothing for anything else.
struct ScalarText(Option<String>);

impl<'de> Deserialize<'de> for ScalarText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = ScalarText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_str<E>(self, text: &str) -> Result<ScalarText, E> {
                Ok(ScalarText(Some(text.to_owned())))
            }

            fn visit_u64<E>(self, number: u64) -> Result<ScalarText, E> {
                Ok(ScalarText(Some(number.to_string())))
            }

            fn visit_i64<E>(self, number: i64) -> Result<ScalarText, E> {
                Ok(ScalarText(Some(number.to_string())))
            }

            fn visit_f64<E>(self, number: f64) -> Result<ScalarText, E> {
                Ok(ScalarText(Some(number.to_string())))
            }

            fn visit_bool<E>(self, _: bool) -> Result<ScalarText, E> {
                Ok(ScalarText(None))
            }

            fn visit_unit<E>(self) -> Result<ScalarText, E> {
                Ok(ScalarText(None))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<ScalarText, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(ScalarText(None))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ScalarText, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(ScalarText(None))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

/// What a line says: its message field with the cause if there is one, else the whole text.
pub fn message(text: &str) -> Cow<'_, str> {
    match format(text) {
        LineFormat::Klog => text.split_once("] ").map_or(text, |(_, message)| message).into(),
        LineFormat::Plain => text.into(),
        LineFormat::Json | LineFormat::Logfmt => {
            let found = scalars(text, |name| MESSAGE.contains(&name) || CAUSE.contains(&name));
            let of = |names: &[&str]| {
                names
                    .iter()
                    .find_map(|name| found.iter().find(|(found, _)| found == name))
                    .map(|(_, value)| value)
            };
            match (of(&MESSAGE), of(&CAUSE)) {
                (Some(message), Some(cause)) if !message.contains(&**cause) => {
                    format!("{message}: {cause}").into()
                }
                (Some(message), _) => message.clone().into(),
                (None, Some(cause)) => cause.clone().into(),
                (None, None) => text.into(),
            }
        }
    }
}

/// Whether a field is part of [`message`].
pub fn is_message(name: &str) -> bool {
    MESSAGE.contains(&name)
}
