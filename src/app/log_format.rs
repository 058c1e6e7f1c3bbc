//! How one log line is drawn: its message first, then its fields; unfolded with one row for each field.

use jiff::tz::TimeZone;
use unicode_segmentation::UnicodeSegmentation;

use super::log_filter::LogFilter;
use super::theme::Role;
use super::widgets::text::{self, StyledRun};
use crate::model::labels::Labels;
use crate::model::log::fields::{self, LineFormat};
use crate::model::log::{LogLine, LogSeverity};
use crate::model::text::{LIMIT, clean};

/// The most rows that one line takes.
const MAX_ROWS: usize = 60;
/// The most rows of the text of an unfolded line, above its fields.
const MAX_TEXT_ROWS: usize = 20;
/// The most rows of one value of an unfolded line.
const MAX_VALUE_ROWS: usize = 12;

/// One row of the terminal.
pub type Row = Vec<StyledRun<'static>>;

/// How lines are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LineLayout {
    /// The width of all, in cells.
    pub width: u16,
    pub is_wrapped: bool,
}

impl Role {
    /// The role of a log line's severity.
    pub fn of_log(severity: LogSeverity) -> Self {
        match severity {
            LogSeverity::Fatal | LogSeverity::Error => Self::Critical,
            LogSeverity::Warn => Self::Warning,
            LogSeverity::Info => Self::Text,
            LogSeverity::Debug | LogSeverity::Trace | LogSeverity::Unknown => Self::Muted,
        }
    }
}

/// The time of a line with milliseconds, and with the date if it is not today.
pub fn time_of(line: &LogLine, today: jiff::civil::Date, zone: &TimeZone) -> String {
    let here = line.at.to_zoned(zone.clone());
    let form = if here.date() == today { "%H:%M:%S%.3f" } else { "%m-%d %H:%M:%S" };
    here.strftime(form).to_string()
}

/// The text of a line as it is listed: the message, then the other fields. Escape sequences for colours are left out; all other
/// control characters are made visible when the text is drawn.
pub fn runs(line: &LogLine, filter: &LogFilter) -> Row {
    let text = line.text();
    let text = fields::without_colours(&text);
    let role = match line.severity {
        LogSeverity::Debug | LogSeverity::Trace => Role::Muted,
        LogSeverity::Fatal
        | LogSeverity::Error
        | LogSeverity::Warn
        | LogSeverity::Info
        | LogSeverity::Unknown => Role::Text,
    };
    // a long line is not taken apart: only its beginning is drawn, and its length comes before it
    let is_short = text.len() <= LIMIT;
    let mut runs = Vec::new();
    if !is_short || line.cut_bytes() > 0 {
        runs.push(StyledRun::new(format!("[{} in all] ", length_of(line)), Role::Stale));
    }
    if is_short && matches!(fields::format(&text), LineFormat::Json | LineFormat::Logfmt) {
        let (_, all) = fields::all(&text);
        let message = fields::message(&text);
        if all.is_empty() || *message == *text {
            push_matched(&mut runs, &text, role, filter);
        } else {
            push_matched(&mut runs, &message, role, filter);
            let is_shown = |name: &str, value: &str| {
                !fields::is_message(name)
                    && !fields::USUAL.contains(&name)
                    && !value.is_empty()
                    && !is_of_stream(line, name, value)
                    && !message.contains(value)
            };
            for (name, value) in all.iter().filter(|(name, value)| is_shown(name, value)) {
                runs.push(StyledRun::new(format!("  {name}="), Role::Muted));
                push_matched(&mut runs, value, Role::Muted, filter);
            }
        }
    } else {
        push_matched(&mut runs, &text, role, filter);
    }
    runs
}

/// `1.2 MB`, the length of the whole text of a line.
pub fn length_of(line: &LogLine) -> String {
    super::number::bytes(line.length as f64)
}

/// Whether the labels of the stream tell the same.
fn is_of_stream(line: &LogLine, name: &str, value: &str) -> bool {
    let is_named = name.starts_with("service") || name.starts_with("app");
    line.labels.iter().any(|(own, has)| **has == *value && (**own == *name || is_named))
}

/// Adds a text with the match of the filter in its own role.
fn push_matched(runs: &mut Row, text: &str, role: Role, filter: &LogFilter) {
    let text = clean(text);
    let Some((from, to)) = filter.match_range(&text) else {
        runs.push(StyledRun::new(text.into_owned(), role));
        return;
    };
    for (part, role) in [(text.get(..from), role), (text.get(from..to), Role::Match), (text.get(to..), role)]
    {
        runs.extend(part.filter(|part| !part.is_empty()).map(|part| StyledRun::new(part.to_owned(), role)));
    }
}

/// The rows of a line in this layout; `is_open`: with a row for each field.
pub fn rows(line: &LogLine, filter: &LogFilter, layout: LineLayout, head: u16, is_open: bool) -> Vec<Row> {
    let room = layout.width.saturating_sub(head).max(1);
    let whole = runs(line, filter);
    let most = if is_open { MAX_TEXT_ROWS } else { MAX_ROWS };
    let mut rows = if layout.is_wrapped || is_open { wrapped(whole, room, most) } else { vec![whole] };
    if is_open {
        rows.extend(field_rows(line, filter, room));
    }
    rows.truncate(MAX_ROWS);
    rows
}

/// How many rows a line takes, as [`rows`] has them.
pub fn height(line: &LogLine, filter: &LogFilter, layout: LineLayout, head: u16, is_open: bool) -> usize {
    if !is_open && (!layout.is_wrapped || line.raw.len() < usize::from(layout.width.saturating_sub(head)) / 2)
    {
        return 1;
    }
    rows(line, filter, layout, head, is_open).len()
}

/// The fields of an unfolded line, one below the other: of the text, of the source, the labels of the stream.
fn field_rows(line: &LogLine, filter: &LogFilter, room: u16) -> Vec<Row> {
    let text = line.text();
    let plain = fields::without_colours(&text);
    let (form, own) =
        if plain.len() <= fields::PARSED { fields::all(&plain) } else { (LineFormat::Plain, Vec::new()) };
    let mut parts: Vec<(&str, Vec<(String, String)>)> = vec![(form.word(), own)];
    let labels =
        |all: &Labels| all.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    parts.push(("fields", labels(&line.fields)));
    parts.push(("stream", labels(&line.labels)));
    let mut rows: Vec<Row> = Vec::new();
    let time = vec![
        StyledRun::new("  time  ", Role::Muted),
        StyledRun::new(line.at.to_string(), Role::Text),
        StyledRun::new(format!("  {}  {}", line.severity.word(), length_of(line)), Role::Muted),
    ];
    rows.push(time);
    for (title, pairs) in parts.into_iter().filter(|(_, pairs)| !pairs.is_empty()) {
        rows.push(vec![StyledRun::new(format!("  {title}"), Role::Title)]);
        let widest = pairs.iter().map(|(name, _)| text::width(name)).max().unwrap_or(0).min(room / 3).max(4);
        for (name, value) in pairs {
            let name = text::pad(&name, widest, super::display_settings::Charset::Ascii);
            let mut value_runs = Vec::new();
            push_matched(&mut value_runs, &value, Role::Text, filter);
            let indent = widest + 6;
            let below = StyledRun::new(" ".repeat(usize::from(indent)), Role::Text);
            for (at, row) in wrapped(value_runs, room.saturating_sub(indent).max(8), MAX_VALUE_ROWS)
                .into_iter()
                .enumerate()
            {
                let head = if at == 0 {
                    StyledRun::new(format!("    {name}  "), Role::Muted)
                } else {
                    below.clone()
                };
                rows.push(std::iter::once(head).chain(row).collect());
            }
        }
    }
    rows
}

/// Runs in rows of at most `width` cells, at most `most` rows.
pub fn wrapped(runs: Row, width: u16, most: usize) -> Vec<Row> {
    let width = usize::from(width.max(1));
    let mut rows: Vec<Row> = vec![Vec::new()];
    let mut used = 0;
    for run in runs {
        let mut part = String::new();
        for grapheme in run.text.graphemes(true) {
            let cells = usize::from(text::width(grapheme));
            if used + cells > width && used > 0 {
                if let Some(row) = rows.last_mut().filter(|_| !part.is_empty()) {
                    row.push(StyledRun::new(std::mem::take(&mut part), run.role));
                }
                if rows.len() >= most {
                    return rows;
                }
                rows.push(Vec::new());
                used = 0;
            }
            part.push_str(grapheme);
            used += cells;
        }
        if let Some(row) = rows.last_mut().filter(|_| !part.is_empty()) {
            row.push(StyledRun::new(part, run.role));
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(text: &str) -> LogLine {
        let labels = Labels::from_iter([("pod", "a-1"), ("service", "shop")]);
        LogLine::new(
            jiff::Timestamp::UNIX_EPOCH,
            labels,
            Labels::from_iter([("trace_id", "7")]),
            text.as_bytes(),
        )
    }

    fn shown(rows: &[Row]) -> Vec<String> {
        rows.iter().map(|row| row.iter().map(|run| &*run.text).collect()).collect()
    }

    fn one(text: &str) -> String {
        shown(&[runs(&line(text), &LogFilter::default())]).concat()
    }

    #[test]
    fn the_message_comes_first_and_what_the_stream_tells_is_left_out() {
        let json =
            r#"{"ts":"x","level":"info","msg":"request done","service":"shop","status":500,"path":"/pay"}"#;
        assert_eq!(one(json), "request done  path=/pay  status=500");
        assert_eq!(one("level=warn msg=\"slow\" took=3s"), "slow  took=3s");
        assert_eq!(
            one("\u{1b}[31mred\u{1b}[0m \u{1b}[2Jclears"),
            "red \\x1b[2Jclears",
            "colours go, harm is shown"
        );
        assert!(one(&"y".repeat(1024 * 1024)).starts_with("[1.05 MB in all] yyy"));
    }

    #[test]
    fn an_open_line_has_a_row_for_each_field_and_wrapped_ones_have_several() {
        let layout = LineLayout { width: 60, is_wrapped: false };
        let text = r#"{"msg":"request done","error":{"code":7},"path":"/pay"}"#;
        let rows = shown(&rows(&line(text), &LogFilter::default(), layout, 10, true));
        for part in ["error.code  7", "path        /pay", "trace_id", "pod      a-1", "JSON", "stream"] {
            assert!(rows.iter().any(|row| row.contains(part)), "{part}: {rows:#?}");
        }
        let wrapped = LineLayout { width: 20, is_wrapped: true };
        assert_eq!(height(&line(&"x".repeat(95)), &LogFilter::default(), wrapped, 10, false), 10);
        assert_eq!(height(&line("short"), &LogFilter::default(), wrapped, 10, false), 1);
    }

    proptest! {
        #[test]
        fn rows_are_never_wider_than_asked_for(text in "\\PC{0,200}", width in 12..80_u16, is_open in any::<bool>()) {
            let layout = LineLayout { width, is_wrapped: true };
            let filter = LogFilter::default();
            let rows = rows(&line(&text), &filter, layout, 2, is_open);
            prop_assert_eq!(rows.len(), height(&line(&text), &filter, layout, 2, is_open));
            prop_assert!(rows.len() <= MAX_ROWS);
            if !is_open {
                for row in &rows {
                    prop_assert!(text::runs_width(row) <= width - 2, "{:?}", row);
                }
            }
        }
    }
}
