//! The texts of log lines: placeholders are filled in, and each service writes its lines in its own format.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use super::breakdown::RequestCell;
use super::fixtures::{LogLayout, LogLevel};
use super::noise::{mix, unit};
use super::world::{DemoWorld, ServiceInRegion};

/// The statuses of requests that do not fail, and how often.
const STATUSES: [(&str, f64); 4] = [("200", 0.9), ("201", 0.05), ("304", 0.03), ("404", 0.02)];

/// The part of a template before its fields.
pub(super) fn message(template: &str) -> &str {
    template.split_once(" | ").map_or(template, |(message, _)| message)
}

/// What the placeholders of a line stand for.
#[derive(Clone, Copy)]
pub(super) struct LineText<'a> {
    pub(super) world: &'a DemoWorld,
    pub(super) place: &'a ServiceInRegion,
    pub(super) cell: &'a RequestCell,
    pub(super) version: usize,
    /// Demo time.
    pub(super) t: f64,
    pub(super) key: u64,
}

/// A line, before it is written in the format of its service.
pub(super) struct LineParts<'a> {
    pub(super) at: Timestamp,
    pub(super) level: LogLevel,
    pub(super) template: &'a str,
    pub(super) stack: &'a [String],
    /// The id of the request's trace, if the line is about a request.
    pub(super) trace: Option<&'a str>,
}

impl LineText<'_> {
    /// A template with its placeholders filled in. Unknown placeholders, and braces of code, stay.
    pub(super) fn filled(&self, template: &str) -> String {
        let mut out = String::with_capacity(template.len() + 32);
        let mut rest = template;
        let mut salt = 20;
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            let known = after.split_once('}').and_then(|(name, left)| {
                salt += 1;
                Some((self.value(name, mix(self.key, salt))?, left))
            });
            if let Some((value, left)) = known {
                out.push_str(&value);
                rest = left;
            } else {
                out.push('{');
                rest = after;
            }
        }
        out.push_str(rest);
        out
    }

    fn value(&self, name: &str, key: u64) -> Option<String> {
        let label = |name: &str| self.place.breakdown.label(self.cell, self.version, name);
        let (kind, argument) = name.split_once(':').unwrap_or((name, ""));
        Some(match kind {
            "n" => {
                let (low, high) = argument.split_once(':')?;
                let (low, high): (u64, u64) = (low.parse().ok()?, high.parse().ok()?);
                (low + key % (high.saturating_sub(low) + 1)).to_string()
            }
            "hex" => {
                let digits: usize = argument.parse().ok()?;
                let all = format!("{:016x}{:016x}", key, mix(key, 1));
                all.get(..digits.min(32))?.to_owned()
            }
            "of" => {
                let all: Vec<&str> = argument.split(',').collect();
                let pick = usize::try_from(key).ok()?.checked_rem(all.len())?;
                (*all.get(pick)?).to_owned()
            }
            "method" => {
                label("method").filter(|method| !method.is_empty()).map_or("POST", |text| text).to_owned()
            }
            "path" => self.path(key),
            "status" => {
                let mut left = unit(key);
                let found = STATUSES.iter().find(|(_, share)| {
                    left -= share;
                    left < 0.0
                });
                found.map_or("200", |(status, _)| status).to_owned()
            }
            "ms" => {
                let numbers = self.world.numbers(self.place, self.t);
                let request = (self.cell, self.version, self.t);
                let seconds = self.world.duration(self.place, &numbers, request, unit(key)).unwrap_or(0.004);
                let ms = seconds * 1000.0;
                if ms < 10.0 { format!("{ms:.1}") } else { format!("{ms:.0}") }
            }
            "service" => self.place.name.to_string(),
            "version" => label("version").map_or("", |text| text).to_owned(),
            "pod" => label("pod").map_or("", |text| text).to_owned(),
            "region" => self.place.region.name().to_owned(),
            _ => return None,
        })
    }

    /// The path of the cell's route with ids in place of its parameters.
    fn path(&self, key: u64) -> String {
        let route = self.place.breakdown.label(self.cell, self.version, "route");
        let route = route.map_or("", |text| &**text);
        if route.is_empty() {
            return format!("/{}", self.place.name);
        }
        let mut out = String::new();
        for (number, part) in route.split('/').skip(1).enumerate() {
            out.push('/');
            if part.starts_with('{') {
                write!(out, "{}", 10_000 + mix(key, number as u64) % 89_999).unwrap_or_default();
            } else {
                out.push_str(part);
            }
        }
        out
    }

    /// A line in this format; `class` is the name of a class or module for formats that have one.
    pub(super) fn written(&self, line: &LineParts<'_>, format: LogLayout, class: &str) -> String {
        let text = self.filled(line.template);
        let (message, fields) = text.split_once(" | ").unwrap_or((&text, ""));
        let fields: Vec<(&str, &str)> = fields.split(' ').filter_map(|pair| pair.split_once('=')).collect();
        let utc = line.at.to_zoned(TimeZone::UTC);
        let millis = format!("{:03}", utc.millisecond());
        let written = match format {
            LogLayout::Json => return self.json(line, message, &fields),
            LogLayout::Logfmt => {
                let mut out =
                    format!("ts={} level={} msg={}", rfc3339(line.at), line.level.word(), quoted(message));
                for (name, value) in fields.iter().copied().chain(line.trace.map(|id| ("trace_id", id))) {
                    write!(out, " {name}={value}").unwrap_or_default();
                }
                out
            }
            LogLayout::Java => {
                let level = line.level.word().to_uppercase();
                let thread = mix(self.key, 11) % 24 + 1;
                let time = utc.strftime("%Y-%m-%d %H:%M:%S");
                let mut out = format!("{time},{millis} {level:<5} [worker-{thread}] {class} - {message}");
                for (name, value) in &fields {
                    write!(out, " {name}={value}").unwrap_or_default();
                }
                out
            }
            LogLayout::Nginx => self.nginx(line, message),
            LogLayout::Postgres => {
                let level = match line.level {
                    LogLevel::Debug => "DEBUG",
                    LogLevel::Info => "LOG",
                    LogLevel::Warn => "WARNING",
                    LogLevel::Error => "ERROR",
                    LogLevel::Fatal => "FATAL",
                };
                let process = 100 + mix(self.key, 11) % 4900;
                format!("{}.{millis} UTC [{process}] {level}:  {message}", utc.strftime("%Y-%m-%d %H:%M:%S"))
            }
            LogLayout::Redis => {
                let mark = match line.level {
                    LogLevel::Debug => '-',
                    LogLevel::Info => '*',
                    LogLevel::Warn | LogLevel::Error | LogLevel::Fatal => '#',
                };
                format!("1:M {}.{millis} {mark} {message}", utc.strftime("%d %b %Y %H:%M:%S"))
            }
        };
        line.stack.iter().fold(written, |out, frame| format!("{out}\n\tat {}", frame.trim()))
    }

    fn json(&self, line: &LineParts<'_>, message: &str, fields: &[(&str, &str)]) -> String {
        let mut all = Map::new();
        all.insert("ts".to_owned(), rfc3339(line.at).into());
        all.insert("level".to_owned(), line.level.word().into());
        all.insert("msg".to_owned(), message.into());
        let version = self.place.breakdown.label(self.cell, self.version, "version");
        all.extend(version.map(|version| ("version".to_owned(), Value::from(&**version))));
        for (name, value) in fields {
            let number =
                value.parse::<u64>().map(Value::from).or_else(|_| value.parse::<f64>().map(Value::from));
            all.insert((*name).to_owned(), number.unwrap_or_else(|_no_number| Value::from(*value)));
        }
        all.extend(line.trace.map(|id| ("trace_id".to_owned(), id.into())));
        if !line.stack.is_empty() {
            all.insert("stack".to_owned(), line.stack.join("\n").into());
        }
        Value::Object(all).to_string()
    }

    /// A request in the access log; anything else in the error log.
    fn nginx(&self, line: &LineParts<'_>, message: &str) -> String {
        let utc = line.at.to_zoned(TimeZone::UTC);
        let number = |salt: u64, most: u64| mix(self.key, salt) % most;
        let client = format!("203.0.113.{}", number(11, 254) + 1);
        if line.level <= LogLevel::Info {
            let status = self.value("status", mix(self.key, 12)).unwrap_or_default();
            let ms: f64 = self.value("ms", mix(self.key, 13)).and_then(|ms| ms.parse().ok()).unwrap_or(0.0);
            let time = utc.strftime("%d/%b/%Y:%H:%M:%S +0000");
            let bytes = 180 + number(14, 48_000);
            return format!(
                "{client} - - [{time}] \"{message} HTTP/2.0\" {status} {bytes} {:.3}",
                ms / 1000.0
            );
        }
        let level = if line.level == LogLevel::Fatal { "crit" } else { line.level.word() };
        let time = utc.strftime("%Y/%m/%d %H:%M:%S");
        let connection = 100_000 + number(15, 900_000);
        format!("{time} [{level}] 31#31: *{connection} {message}, client: {client}, server: www.shop.example")
    }
}

fn rfc3339(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// A value of logfmt: in quotes if it needs them.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    if !text.is_empty() && text.chars().all(is_plain) { text.to_owned() } else { format!("{text:?}") }
}
