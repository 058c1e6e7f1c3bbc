//! The severity of a log line: of a label or field that names it, else of the text.

use super::fields::{self, LineFormat};
use crate::model::labels::Labels;
use crate::model::words::words;

words! {
    /// The severity of a log line. Ordered: the most severe is the smallest.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
    pub enum LogSeverity: word {
        Fatal = "fatal",
        Error = "error",
        Warn = "warn",
        Info = "info",
        Debug = "debug",
        Trace = "trace",
        /// The line does not tell.
        #[default]
        Unknown = "unknown",
    }
}

/// Labels and fields that hold the severity, in order of precedence; the first is the one that Loki detects.
pub const NAMES: [&str; 9] = [
    "detected_level",
    "level",
    "severity",
    "severity_text",
    "log.level",
    "log_level",
    "loglevel",
    "lvl",
    "levelname",
];
/// The field of journald, with a syslog priority as a number.
const PRIORITY: &str = "PRIORITY";
/// How much of a text is searched for the name of a severity, in bytes.
const SEARCHED: usize = 256;

impl LogSeverity {
    /// The severity with this name, whatever its case; numbers are those of Bunyan and Pino (10 to 60).
    pub fn named(name: &str) -> Option<Self> {
        let is = |words: &[&str]| words.iter().any(|word| name.eq_ignore_ascii_case(word));
        Some(
            if is(&["fatal", "critical", "crit", "panic", "emerg", "emergency", "alert", "dpanic", "f", "60"])
            {
                Self::Fatal
            } else if is(&["error", "err", "eror", "severe", "e", "50"]) {
                Self::Error
            } else if is(&["warn", "warning", "wrn", "40", "w"]) {
                Self::Warn
            } else if is(&["info", "information", "informational", "inf", "notice", "30", "i"]) {
                Self::Info
            } else if is(&["debug", "dbg", "fine", "20", "d"]) {
                Self::Debug
            } else if is(&["trace", "trc", "verbose", "finer", "finest", "10", "t"]) {
                Self::Trace
            } else {
                return None;
            },
        )
    }

    /// The severity of a syslog priority, 0 to 7 (RFC 5424).
    fn of_priority(priority: &str) -> Option<Self> {
        Some(match priority.trim() {
            "0" | "1" | "2" => Self::Fatal,
            "3" => Self::Error,
            "4" => Self::Warn,
            "5" | "6" => Self::Info,
            "7" => Self::Debug,
            _ => return None,
        })
    }

    /// How much a line of this severity counts when patterns are ranked.
    pub(super) const fn weight(self) -> f64 {
        match self {
            Self::Fatal | Self::Error => 8.0,
            Self::Warn => 4.0,
            Self::Unknown => 2.0,
            Self::Info => 1.0,
            Self::Debug | Self::Trace => 0.5,
        }
    }
}

/// The severity of a line with these labels, fields and text.
pub fn of_line(labels: &Labels, fields: &Labels, raw: &[u8]) -> LogSeverity {
    let of_names = |labels: &Labels| {
        NAMES.iter().filter_map(|name| labels.get(name)).find_map(|value| LogSeverity::named(value))
    };
    let priority = || fields.get(PRIORITY).and_then(|value| LogSeverity::of_priority(value));
    of_names(fields).or_else(|| of_names(labels)).or_else(priority).unwrap_or_else(|| of_text(raw))
}

/// The severity that a text names: in a field of JSON or logfmt, in the header of klog, or in its first words.
fn of_text(raw: &[u8]) -> LogSeverity {
    let text = String::from_utf8_lossy(raw.get(..fields::PARSED).unwrap_or(raw));
    let text = fields::without_colours(&text);
    let reported = match fields::format(&text) {
        LineFormat::Json | LineFormat::Logfmt => {
            let named = |name: &str| NAMES.contains(&name) || name == PRIORITY;
            fields::scalars(&text, named).into_iter().find_map(|(name, value)| {
                if name == PRIORITY { LogSeverity::of_priority(&value) } else { LogSeverity::named(&value) }
            })
        }
        LineFormat::Klog => text.get(..1).and_then(LogSeverity::named),
        LineFormat::Plain => None,
    };
    reported.unwrap_or_else(|| of_words(&text))
}

/// The severity of the first word that names one: in capitals, in brackets or before a colon; else that of words such as
/// `exception`.
fn of_words(text: &str) -> LogSeverity {
    let mut end = text.len().min(SEARCHED);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = text.get(..end).unwrap_or(text);
    let mut weak = LogSeverity::Unknown;
    let mut before = "";
    for (at, word) in words_of(text) {
        let after = text.get(at + word.len()..).and_then(|rest| rest.chars().next());
        let opens = text.get(..at).and_then(|head| head.chars().next_back());
        if word.len() > 2
            && let Some(severity) =
                LogSeverity::named(word).filter(|_| !word.starts_with(|c: char| c.is_ascii_digit()))
        {
            let is_loud = word.bytes().all(|byte| byte.is_ascii_uppercase());
            let is_bracketed =
                matches!(opens, Some('[' | '<' | '(')) && matches!(after, Some(']' | '>' | ')'));
            let is_head = after == Some(':') || at == 0;
            let is_denied = matches!(before, "no" | "No" | "0" | "without") || after == Some('=');
            if is_loud || is_bracketed || is_head && !is_denied {
                return severity;
            }
            if !is_denied && severity <= LogSeverity::Error && severity < weak {
                weak = severity;
            }
        }
        let lower = word.to_ascii_lowercase();
        if lower.ends_with("exception") || matches!(&*lower, "traceback" | "failed" | "failure") {
            weak = weak.min(LogSeverity::Error);
        }
        before = word;
    }
    weak
}

/// The words of a text, each with its place.
fn words_of(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
    words.map(|word| (word.as_ptr().addr() - text.as_ptr().addr(), word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().copied().collect()
    }

    #[test]
    fn a_label_or_field_tells_the_severity_before_the_text_does() {
        let none = labels(&[]);
        let of = |labels: &Labels, fields: &Labels, text: &str| of_line(labels, fields, text.as_bytes());
        assert_eq!(of(&labels(&[("level", "warn")]), &none, "ERROR x"), LogSeverity::Warn);
        assert_eq!(
            of(&labels(&[("level", "info")]), &labels(&[("level", "error")]), "x"),
            LogSeverity::Error
        );
        // Loki says that it does not know: the text may
        assert_eq!(of(&none, &labels(&[("detected_level", "unknown")]), "ERROR x"), LogSeverity::Error);
        assert_eq!(of(&none, &labels(&[("PRIORITY", "3")]), "x"), LogSeverity::Error);
        assert_eq!(of(&none, &labels(&[("PRIORITY", "9")]), "x"), LogSeverity::Unknown);
    }

    #[test]
    fn the_severity_of_a_text_is_that_of_its_field_or_of_its_first_loud_word() {
        for (text, severity) in [
            (r#"{"level":"error","msg":"INFO"}"#, LogSeverity::Error),
            (r#"{"msg":"x","lvl":50}"#, LogSeverity::Error),
            (r#"{"msg":"x","level":{"a":1},"severity":"NOTICE"}"#, LogSeverity::Info),
            (r#"{"PRIORITY":"4","MESSAGE":"x"}"#, LogSeverity::Warn),
            // cut off in the middle
            (r#"{"level":"warn","msg":"abc"#, LogSeverity::Warn),
            (r#"ts=1 caller=main.go level=debug msg="ERROR""#, LogSeverity::Debug),
            ("E0102 15:04:05.000000    1234 file.go:12] cannot", LogSeverity::Error),
            ("I0102 15:04:05.000000    1234 file.go:12] ERROR", LogSeverity::Info),
            ("2026-11-30 11:33:00 [warn] slow", LogSeverity::Warn),
            ("2026-11-30 INFO no ERROR here", LogSeverity::Info),
            ("error: disk full", LogSeverity::Error),
            ("request failed with 503", LogSeverity::Error),
            ("java.lang.NullPointerException: x", LogSeverity::Error),
            ("finished with 0 error lines, error=nil", LogSeverity::Unknown),
            ("no error: all fine", LogSeverity::Unknown),
            ("request done", LogSeverity::Unknown),
            ("", LogSeverity::Unknown),
            ("\u{1b}[31mERROR\u{1b}[0m red", LogSeverity::Error),
        ] {
            assert_eq!(of_text(text.as_bytes()), severity, "{text}");
        }
        assert_eq!(of_text(b"\xff\xfe ERROR"), LogSeverity::Error, "bytes that are no text");
    }
}
