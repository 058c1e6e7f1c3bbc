//! Changes as JSON lines, as a growing file or a program gives them: `{"time": ..., "title": ..., "service": ...}`.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use crate::model::change::{Change, ChangeKind, ChangeState};
use crate::model::labels::{Labels, Text};
use crate::model::source::SourceId;
use crate::model::text::counted;
use crate::model::warning::Warning;

/// A longer line is no line about one change.
pub(crate) const MAX_LINE: usize = 1024 * 1024;
/// Longer texts are cut, in characters.
const MAX_TITLE: usize = 500;
const MAX_VALUE: usize = 200;
/// Fields beyond these are left out.
const MAX_LABELS: usize = 24;
/// A clock that is ahead by less is not said.
const FUTURE: SignedDuration = SignedDuration::from_mins(5);
/// No change is older than this; a time near 1970 is an unset one.
const EARLIEST: i64 = 946_684_800;

/// The names of each field, in order of precedence.
const TIME: &[&str] = &["time", "timestamp", "ts", "at", "date", "@timestamp"];
const MADE: &[&str] = &["committed_at", "commit_time", "merged_at", "made_at"];
const TITLE: &[&str] = &["title", "message", "msg", "summary", "text"];
const SERVICE: &[&str] = &["service", "app", "application", "component"];
const KIND: &[&str] = &["kind", "type"];
const STATE: &[&str] = &["state", "status"];
const WHO: &[&str] = &["actor", "who", "by", "user", "author"];
const FROM: &[&str] = &["from", "previous", "old"];
const TO: &[&str] = &["to", "new"];
const LINK: &[&str] = &["url", "link", "href"];
const ID: &[&str] = &["id"];
/// The field in which `burnwatch listen` notes the id of a delivery.
pub(crate) const DELIVERY: &str = "delivery";

/// Why a line is left out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum BadLine {
    NotJson,
    TooLong,
    NoTime,
    /// It has neither a title nor a value nor a kind.
    NothingSaid,
    /// Before 2000, usually 1970.
    TooEarly,
    Future,
}

impl BadLine {
    pub(crate) const fn words(&self) -> &'static str {
        match self {
            Self::NotJson => "not a JSON object",
            Self::TooLong => "longer than 1 MiB",
            Self::NoTime => "without a time that can be read",
            Self::NothingSaid => "without title, kind and values",
            Self::TooEarly => "with a time before 2000",
            Self::Future => "with a time in the future",
        }
    }
}

/// The lines that were left out, with the last of each sort as an example.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct BadLines(std::collections::BTreeMap<BadLine, (usize, String)>);

impl BadLines {
    pub(crate) fn add(&mut self, why: BadLine, line: &[u8]) {
        let example: String = String::from_utf8_lossy(line.get(..80).unwrap_or(line)).into_owned();
        let (count, last) = self.0.entry(why).or_default();
        *count += 1;
        *last = example;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn count(&self) -> usize {
        self.0.values().map(|(count, _)| count).sum()
    }

    /// One sentence about all of them.
    pub(crate) fn warning(&self) -> Option<Warning> {
        let mut words = String::new();
        for (why, (count, example)) in &self.0 {
            let comma = if words.is_empty() { "" } else { ", " };
            let lines = counted(*count, "line");
            write!(words, "{comma}{lines} {} (the last: {example:?})", why.words()).unwrap_or_default();
        }
        (!words.is_empty()).then(|| Warning::missing(format!("left out: {words}")))
    }
}

/// The changes of several lines; empty lines are ignored.
pub(crate) fn read_all<'a>(
    lines: impl IntoIterator<Item = &'a [u8]>,
    source: &SourceId,
    now: Timestamp,
    bad: &mut BadLines,
) -> Vec<Change> {
    let mut changes = Vec::new();
    for line in lines {
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        match read(line, source, now) {
            Ok(change) => changes.push(change),
            Err(why) => bad.add(why, line),
        }
    }
    changes
}

/// The change of one line.
pub(crate) fn read(line: &[u8], source: &SourceId, now: Timestamp) -> Result<Change, BadLine> {
    if line.len() > MAX_LINE {
        return Err(BadLine::TooLong);
    }
    let Ok(Value::Object(fields)) = serde_json::from_slice(line) else { return Err(BadLine::NotJson) };
    of_fields(fields, source, now)
}

/// The change of one JSON object.
pub(crate) fn of_fields(
    mut fields: Map<String, Value>,
    source: &SourceId,
    now: Timestamp,
) -> Result<Change, BadLine> {
    let at = TIME.iter().find_map(|name| fields.get(*name).and_then(time)).ok_or(BadLine::NoTime)?;
    if at.as_second() < EARLIEST {
        return Err(BadLine::TooEarly);
    }
    if at.duration_since(now) > FUTURE {
        return Err(BadLine::Future);
    }
    let made_at = MADE.iter().find_map(|name| fields.get(*name).and_then(time));
    let made_at = made_at.filter(|made| made.as_second() >= EARLIEST && *made <= at);
    for name in TIME.iter().chain(MADE) {
        drop(fields.shift_remove_if_scalar(name));
    }
    let mut take = |names: &[&str], most| {
        let texts = names.iter().map(|name| fields.shift_remove_if_scalar(name)).collect::<Vec<_>>();
        texts.into_iter().flatten().next().map(|text| shortened(&text, most))
    };
    let title = take(TITLE, MAX_TITLE);
    let service = take(SERVICE, MAX_VALUE);
    let word = take(KIND, MAX_VALUE);
    let (from, to) = (take(FROM, MAX_VALUE), take(TO, MAX_VALUE));
    let state = take(STATE, MAX_VALUE);
    let (who, link, id) = (take(WHO, MAX_VALUE), take(LINK, 2 * MAX_TITLE), take(ID, MAX_VALUE));
    if title.is_none() && word.is_none() && from.is_none() && to.is_none() {
        return Err(BadLine::NothingSaid);
    }
    let kind = word
        .as_deref()
        .map_or(ChangeKind::Other, |word| ChangeKind::of_word(word).unwrap_or(ChangeKind::Other));
    let mut labels: Vec<(Text, Text)> = fields
        .iter()
        .filter_map(|(name, value)| Some((shortened(name, 60), shortened(&scalar(value)?, MAX_VALUE))))
        .filter(|(name, _)| **name != *DELIVERY)
        .take(MAX_LABELS)
        .collect();
    if kind == ChangeKind::Other {
        labels.extend(word.map(|word| ("type".into(), word)));
    }
    let flag = to.as_deref().or(from.as_deref()).filter(|_| kind == ChangeKind::Flag);
    let flag = flag.and_then(|value| value.split_once('=')).map(|(name, _)| Text::from(name));
    labels.extend(flag.map(|name| ("flag".into(), name)));
    let labels = Labels::new(labels);
    let title = title.unwrap_or_else(|| match labels.get("flag").filter(|_| kind == ChangeKind::Flag) {
        Some(flag) => Change::flag_title(flag, to.as_deref()),
        None => kind.title(from.as_deref(), to.as_deref()),
    });
    let state = state.as_deref().map_or(ChangeState::Done, state_of_word);
    Ok(Change {
        made_at,
        state,
        service,
        labels,
        from,
        to,
        who,
        link,
        id,
        ..Change::new(at, kind, title, source.clone())
    })
}

/// The state for the words of deployment tools.
pub(crate) fn state_of_word(word: &str) -> ChangeState {
    match word.to_ascii_lowercase().as_str() {
        "running" | "started" | "in_progress" | "in-progress" | "pending" | "queued" | "created"
        | "waiting" => ChangeState::Running,
        "failed" | "failure" | "error" | "errored" | "canceled" | "cancelled" | "timed_out" => {
            ChangeState::Failed
        }
        _ => ChangeState::Done,
    }
}

/// Removes fields only if they are plain values.
trait TakeScalar {
    fn shift_remove_if_scalar(&mut self, name: &str) -> Option<String>;
}

impl TakeScalar for Map<String, Value> {
    fn shift_remove_if_scalar(&mut self, name: &str) -> Option<String> {
        let text = scalar(self.get(name)?);
        self.remove(name);
        text.filter(|text| !text.is_empty())
    }
}

/// A plain value as text; `None` for null, lists and objects.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(is) => Some(is.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn shortened(text: &str, most: usize) -> Text {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()).into(),
        None => text.into(),
    }
}

/// A time in RFC 3339 or in the formats of deployment tools, or the time since 1970 in seconds, milliseconds, microseconds or
/// nanoseconds, which its size tells.
pub(crate) fn time(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Number(number) => epoch(number.as_f64()?, number.as_i64()),
        Value::String(text) => {
            let text = text.trim();
            if let Ok(at) = text.parse() {
                return Some(at);
            }
            let formats = ["%Y-%m-%d %H:%M:%S %z", "%Y-%m-%d %H:%M:%S%:z", "%a, %d %b %Y %H:%M:%S %z"];
            let utc = text.strip_suffix(" UTC").map(|rest| format!("{rest} +0000"));
            let text = utc.as_deref().unwrap_or(text);
            let formatted = formats.iter().find_map(|format| Timestamp::strptime(format, text).ok());
            formatted.or_else(|| epoch(text.parse().ok()?, text.parse().ok()))
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The time for a number of units since 1970: seconds reach up to the year 5138.
fn epoch(number: f64, whole: Option<i64>) -> Option<Timestamp> {
    let per_second: i64 = match number.abs() {
        size if size < 1e11 => 1,
        size if size < 1e14 => 1_000,
        size if size < 1e17 => 1_000_000,
        size if size < 1e20 => 1_000_000_000,
        _ => return None,
    };
    if let Some(whole) = whole {
        return Timestamp::from_nanosecond(i128::from(whole) * i128::from(1_000_000_000 / per_second)).ok();
    }
    #[expect(clippy::cast_possible_truncation, reason = "below 1e20 units, so below 1e17 microseconds")]
    let microseconds = (number * (1e6 / per_second as f64)).round() as i64;
    Timestamp::from_microsecond(microseconds).ok()
}

#[cfg(test)]
mod tests;
