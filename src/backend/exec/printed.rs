//! Log lines that a program prints: `journalctl`, `kubectl logs`, `stern`. Their time and severity are found in the lines.

use jiff::Timestamp;
use tokio::time::Instant;

use super::Exec;
use crate::backend::logs::labels::FoundLabels;
use crate::backend::logs::{LogSpan, LogStore, LogStoreState};
use crate::model::ask::Answered;
use crate::model::labels::{Labels, Text};
use crate::model::log::{LogDirection, LogHistogram, LogLine, LogPage, LogQuery, ReadLines, time};
use crate::model::placeholder::{TemplatePart, parts};
use crate::model::series::TimeGrid;
use crate::model::source::{ErrorKind, SourceError};
use crate::model::warning::Warning;

/// Placeholders for the time range, besides those for labels.
const SINCE: &str = "{{ since }}";
const UNTIL: &str = "{{ until }}";
/// What stands between the arguments and the text that lines must contain.
const CONTAINS: &str = " |= ";

/// The lines of the last run.
pub(super) struct LogRun {
    query: String,
    begun: Instant,
    from: Timestamp,
    printed: PrintedLines,
}

/// The lines of an output.
#[derive(Debug, Clone, Default)]
struct PrintedLines {
    lines: Vec<LogLine>,
    without_time: u64,
    /// Whether more was printed than is read.
    is_flood: bool,
}

impl Exec {
    /// The arguments with the labels in place of the placeholders.
    ///
    /// # Errors
    /// The placeholder whose label is missing, or whose value would be an option of the program.
    fn arguments(&self, labels: &Labels) -> Result<Vec<String>, String> {
        let mut arguments = Vec::new();
        for argument in &self.settings.command {
            let mut filled = String::new();
            for part in parts(argument, labels) {
                match part {
                    TemplatePart::Plain(text) => filled.push_str(text),
                    TemplatePart::Filled { value, .. } if filled.is_empty() && value.starts_with('-') => {
                        return Err(format!("{value:?} would be an option of the program"));
                    }
                    TemplatePart::Filled { value, .. } => filled.push_str(value),
                    TemplatePart::Missing { written } => {
                        return Err(format!("there is no label for {written}"));
                    }
                }
            }
            arguments.push(filled);
        }
        Ok(arguments)
    }

    /// The lines of a run that covers this time, of the last one if it is young enough.
    async fn printed(&self, query: &str, (from, until): LogSpan) -> Result<PrintedLines, SourceError> {
        let mut last = self.log_run.lock().await;
        let is_enough = |run: &LogRun| {
            run.query == query && run.from <= from && run.begun.elapsed() < self.settings.interval.0
        };
        if let Some(run) = last.as_ref().filter(|run| is_enough(run)) {
            return Ok(run.printed.clone());
        }
        let (arguments, contains) = query.rsplit_once(CONTAINS).unwrap_or((query, ""));
        let arguments: Vec<String> = serde_json::from_str(arguments).unwrap_or_default();
        let contains: String = serde_json::from_str(contains).unwrap_or_default();
        let filled =
            |argument: &String| argument.replace(SINCE, &from.to_string()).replace(UNTIL, &until.to_string());
        let command: Vec<String> = arguments.iter().map(filled).collect();
        let begun = Instant::now();
        let output = self.program(&command, from, until).run().await.map_err(|kind| self.error(kind))?;
        // the last line of a cut output is not a whole one
        let whole = if output.is_cut { output.bytes.iter().rposition(|byte| *byte == b'\n') } else { None };
        let whole = output.bytes.get(..whole.unwrap_or(output.bytes.len())).unwrap_or_default();
        let (mut lines, without_time) = read(whole, self.clock.now());
        lines.retain(|line| contains.is_empty() || line.text().contains(&contains));
        let printed = PrintedLines { lines, without_time, is_flood: output.is_cut };
        *last = Some(LogRun { query: query.to_owned(), begun, from, printed: printed.clone() });
        Ok(printed)
    }

    /// The warning that the output was not read to its end.
    pub(super) fn flood_warning(&self, is_flood: bool) -> Option<Warning> {
        let most = self.settings.max_bytes;
        let words = format!("it printed more than max_bytes ({most}) and was killed: the rest is missing");
        is_flood.then(|| Warning::missing(words))
    }
}

/// The lines of an output. A line without a time belongs to the line before it, as those of a stack trace do; without such a line
/// its time is `now`. Counts the lines without a time.
fn read(bytes: &[u8], now: Timestamp) -> (Vec<LogLine>, u64) {
    let mut found: Vec<(Option<Timestamp>, Vec<u8>)> = Vec::new();
    for bytes in bytes.split(|byte| *byte == b'\n') {
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        let at = time::of_line(&String::from_utf8_lossy(bytes));
        match (at, found.last_mut()) {
            (None, Some((Some(_), before))) => {
                before.push(b'\n');
                before.extend_from_slice(bytes);
            }
            (at, _) => found.push((at, bytes.to_owned())),
        }
    }
    let without_time = found.iter().filter(|(at, _)| at.is_none()).count() as u64;
    let line = |(at, text): (Option<Timestamp>, Vec<u8>)| {
        LogLine::new(at.unwrap_or(now), Labels::default(), Labels::default(), &text)
    };
    (found.into_iter().map(line).collect(), without_time)
}

impl LogStore for Exec {
    fn kept(&self) -> &LogStoreState {
        &self.log_state
    }

    async fn probe(&self) -> Answered {
        self.check()
    }

    async fn find(&self, labels: &Labels, _span: LogSpan) -> Result<FoundLabels, SourceError> {
        Ok(match self.arguments(labels) {
            // the program itself selects the lines
            Ok(_) => FoundLabels {
                selectors: labels.iter().map(|(name, value)| (name.to_string(), value.clone())).collect(),
                notes: vec!["lines as the program prints them".into()],
            },
            Err(why) => FoundLabels { selectors: Vec::new(), notes: vec![format!("not run: {why}").into()] },
        })
    }

    fn query(&self, selectors: &[(String, Text)], wanted: &LogQuery) -> String {
        let labels = Labels::new(
            selectors.iter().map(|(name, value)| (name.as_str().into(), value.clone())).collect(),
        );
        let Ok(arguments) = self.arguments(&labels) else { return String::new() };
        let base = serde_json::Value::from(arguments).to_string();
        match &wanted.contains {
            Some(text) => format!("{base}{CONTAINS}{}", serde_json::Value::from(&**text)),
            None => base,
        }
    }

    async fn read(&self, query: &str, page: &LogPage) -> Result<ReadLines, SourceError> {
        if !query.starts_with('[') {
            let reason = "a program takes no query: name a service or an alert".to_owned();
            return Err(self.error(ErrorKind::Unfit { reason }));
        }
        let PrintedLines { mut lines, without_time, is_flood } =
            self.printed(query, (page.from, page.until)).await?;
        lines.retain(|line| (page.from..page.until).contains(&line.at));
        lines.sort_by_key(|line| line.at);
        let limit = page.limit as usize;
        let is_cut = lines.len() > limit || is_flood;
        let surplus = lines.len().saturating_sub(limit);
        match page.direction {
            LogDirection::Backward => drop(lines.drain(..surplus)),
            LogDirection::Forward => lines.truncate(limit),
        }
        let warnings = self.flood_warning(is_flood).into_iter().collect();
        // lines without a time are shown at the time of the run, and that is said
        Ok(ReadLines { lines, is_cut, without_time, warnings, unreadable: 0 })
    }

    async fn count(
        &self,
        query: &str,
        window: TimeGrid,
    ) -> Result<(LogHistogram, Vec<Warning>), SourceError> {
        let end = window.end().checked_add(window.step()).unwrap_or(window.end());
        let PrintedLines { lines, is_flood, .. } = self.printed(query, (window.start(), end)).await?;
        let mut counts = LogHistogram::new(query.into(), window);
        for line in &lines {
            counts.add(line.severity, line.at.as_second() as f64, 1);
        }
        Ok((counts, self.flood_warning(is_flood).into_iter().collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_without_a_time_belongs_to_the_one_before() {
        let now = "2026-03-01T12:00:00Z".parse().unwrap();
        let printed = b"-- Logs begin --\r\n2026-03-01T11:00:00Z ERROR boom\n  at Foo.bar\n\n  at Foo.baz\n2026-03-01T11:00:01Z ok\n";
        let (lines, without_time) = read(printed, now);
        let texts: Vec<String> = lines.iter().map(|line| line.text().into_owned()).collect();
        assert_eq!(
            texts,
            [
                "-- Logs begin --",
                "2026-03-01T11:00:00Z ERROR boom\n  at Foo.bar\n  at Foo.baz",
                "2026-03-01T11:00:01Z ok"
            ]
        );
        assert_eq!((lines[0].at, without_time), (now, 1));
    }
}
