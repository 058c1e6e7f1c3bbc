//! The output of `burnwatch logs`: text, raw bytes, or a document for JSON and Markdown.

use std::sync::Arc;

use jiff::Timestamp;

use crate::app::log_filter::LogFilter;
use crate::app::log_format::{runs, time_of};
use crate::app::place::Place;
use crate::app::state::State;
use crate::cli::args::{Format, LogsArgs};
use crate::cli::report::{Cell, Fact, ListLayout, ReportColumn, ReportDocument, ReportList};
use crate::model::ask::AskKind;
use crate::model::log::{self, LogLine, LogLines, LogSeverity};
use crate::model::remote::Remote;
use crate::model::source::SourceId;
use crate::model::text::{clean, clean_output, escaped_json};

/// What is printed.
pub(super) struct LogReport<'a> {
    pub(super) state: &'a State,
    pub(super) wanted: &'a LogsArgs,
    /// That no source lists the service.
    pub(super) unknown: Option<&'a str>,
    pub(super) gaps: Vec<String>,
    pub(super) now: Timestamp,
    pub(super) context: &'a str,
}

/// The answers of the sources about lines.
fn loaded(state: &State) -> Vec<(&SourceId, &Remote<LogLines>)> {
    let Place::Logs(subject) = state.place() else { return Vec::new() };
    let its = state.shared.answering(AskKind::LogLines).filter_map(|source| {
        Some((&source.id, state.shared.world.cache(&source.id)?.log_lines().get(&subject.query)?))
    });
    its.collect()
}

/// The loaded lines of all sources, oldest first.
pub(super) fn lines(state: &State) -> Vec<Arc<LogLine>> {
    log::merged(loaded(state).into_iter().filter_map(|(_, remote)| remote.value()))
}

/// One line as it is printed while following.
pub(super) fn followed(state: &State, line: &LogLine, wanted: &LogsArgs, now: Timestamp) -> Vec<u8> {
    if wanted.raw {
        return line.raw.iter().copied().chain([b'\n']).collect();
    }
    match wanted.listing.output {
        Format::Table => (text_line(state, line, now) + "\n").into_bytes(),
        Format::Json => {
            let object = serde_json::json!({
                "at": line.at.to_string(),
                "severity": line.severity.word(),
                "labels": pairs(&line.labels),
                "fields": pairs(&line.fields),
                "text": line.text(),
            });
            (escaped_json(&object.to_string()) + "\n").into_bytes()
        }
        Format::Markdown => (format!("    {}\n", text_line(state, line, now))).into_bytes(),
    }
}

fn pairs(labels: &crate::model::labels::Labels) -> serde_json::Value {
    labels.iter().map(|(name, value)| (name.to_string(), serde_json::Value::from(&**value))).collect()
}

/// `11:33:00.123 error request failed  status=500`
fn text_line(state: &State, line: &LogLine, now: Timestamp) -> String {
    let zone = &state.shared.look.zone;
    let today = now.to_zoned(zone.clone()).date();
    let text: String =
        runs(line, &LogFilter::default()).iter().map(|run| clean(&run.text).into_owned()).collect();
    let severity = if line.severity == LogSeverity::Unknown { "-" } else { line.severity.word() };
    format!("{} {severity:<5} {text}", time_of(line, today, zone))
}

impl LogReport<'_> {
    /// The newest lines that are wanted.
    fn lines(&self) -> Vec<Arc<LogLine>> {
        let mut lines = lines(self.state);
        lines.drain(..lines.len().saturating_sub(self.wanted.limit));
        lines
    }

    /// Whether no source has found a query for the labels.
    pub(super) fn has_no_query(&self) -> bool {
        let queries = self.queries();
        !queries.is_empty() && queries.iter().all(|(_, query, _)| query.is_empty())
    }

    /// The raw text of the lines, a line break after each.
    pub(super) fn raw(&self) -> Vec<u8> {
        self.lines().iter().flat_map(|line| line.raw.iter().copied().chain([b'\n'])).collect()
    }

    /// The queries, how they were found, the number of lines, and what is missing.
    pub(super) fn heading(&self) -> Vec<String> {
        let mut heading: Vec<String> = self.unknown.map(str::to_owned).into_iter().collect();
        for (source, query, notes) in self.queries() {
            let query = if query.is_empty() { "no query".to_owned() } else { query };
            let notes = if notes.is_empty() { String::new() } else { format!("  {}", notes.join("; ")) };
            heading.push(format!("{source}: {query}{notes}"));
        }
        let counts: Vec<String> =
            self.counts().iter().map(|(severity, lines)| format!("{} {lines}", severity.word())).collect();
        let range = self.state.shared.range.words(self.now);
        if counts.is_empty() {
            heading.push(range);
        } else {
            heading.push(format!("{range}: {}", counts.join(", ")));
        }
        heading
    }

    /// The query of each source with its notes; of the patterns if only these were asked for.
    fn queries(&self) -> Vec<(String, String, Vec<String>)> {
        let Place::Logs(subject) = self.state.place() else { return Vec::new() };
        let shared = &self.state.shared;
        let of_source = |source: &crate::model::source_info::SourceInfo| {
            let cache = shared.world.cache(&source.id)?;
            let lines = cache.log_lines().get(&subject.query);
            let patterns = cache.log_patterns().get(&subject.query).and_then(|remote| remote.value());
            let query = lines.and_then(|remote| remote.value()).map(|lines| &lines.query);
            let query = query.or(patterns.map(|news| &news.query))?;
            let notes = lines.into_iter().flat_map(|remote| {
                let own =
                    remote.value().into_iter().flat_map(|lines| lines.notes.iter().map(ToString::to_string));
                own.chain(remote.warnings.iter().map(ToString::to_string)).collect::<Vec<_>>()
            });
            let counted = cache.log_counts().get(&subject.query);
            let advice =
                counted.into_iter().flat_map(|remote| remote.warnings.iter().map(ToString::to_string));
            Some((source.id.to_string(), query.to_string(), notes.chain(advice).collect()))
        };
        shared.answering(AskKind::LogLines).filter_map(of_source).collect()
    }

    /// The lines of each severity in the whole range, as the sources count them.
    fn counts(&self) -> Vec<(LogSeverity, u64)> {
        let counts = self.state.screens.logs.histogram(&self.state.shared);
        let Some(counts) = counts else { return Vec::new() };
        let all = LogSeverity::ALL.into_iter().map(|severity| (severity, counts.total(severity)));
        all.filter(|(_, lines)| *lines > 0).collect()
    }

    /// The heading and the lines, oldest first.
    pub(super) fn text(&self) -> String {
        let mut lines: Vec<String> = self.heading().iter().map(|line| format!("# {}", clean(line))).collect();
        let own = self.lines();
        lines.extend(own.iter().map(|line| text_line(self.state, line, self.now)));
        if own.is_empty() {
            lines.push("No lines.".to_owned());
        }
        lines.extend(self.gaps.iter().map(|gap| format!("! {}", clean(gap))));
        let mut out = lines.join("\n");
        out.push('\n');
        out
    }

    /// The output as values.
    pub(super) fn document(&self) -> ReportDocument {
        let shared = &self.state.shared;
        let mut facts = vec![
            Fact::new(
                "queries",
                "Query",
                Cell::texts(
                    self.queries().into_iter().map(|(source, query, _)| format!("{source}: {query}")),
                ),
            ),
            Fact::new(
                "since",
                "Since",
                Cell::Moment(self.now.checked_sub(shared.range.length).unwrap_or(self.now)),
            ),
        ];
        let counts: Vec<(LogSeverity, u64)> = self.counts();
        for severity in LogSeverity::ALL {
            let lines = counts.iter().find(|(known, _)| *known == severity).map(|(_, lines)| *lines);
            let is_known = !counts.is_empty();
            if lines.is_some() || severity == LogSeverity::Error {
                let value = if is_known { Cell::Count(lines.unwrap_or(0)) } else { Cell::Nothing };
                facts.push(Fact::new(
                    format!("lines_{}", severity.word()),
                    format!("Lines {}", severity.word()),
                    value,
                ));
            }
        }
        let list = if self.wanted.patterns { self.patterns() } else { self.line_list() };
        let mut notes = self.gaps.clone();
        notes.extend(self.unknown.map(str::to_owned));
        notes.extend(self.queries().into_iter().flat_map(|(source, _, notes)| {
            notes.into_iter().map(move |note| format!("{source}: {note}")).collect::<Vec<_>>()
        }));
        ReportDocument {
            context: self.context.to_owned(),
            as_of: self.now,
            facts,
            lists: vec![list],
            notes,
            is_partial: !self.gaps.is_empty(),
        }
    }

    fn line_list(&self) -> ReportList {
        line_list(&self.lines())
    }

    fn patterns(&self) -> ReportList {
        let column = |key, title, is_number| ReportColumn { key, title, is_number, is_distinguishing: false };
        let Place::Logs(subject) = self.state.place() else { return self.line_list() };
        let shared = &self.state.shared;
        let news = shared.answering(AskKind::LogPatterns).filter_map(|source| {
            let remote = shared.world.cache(&source.id)?.log_patterns().get(&subject.query)?;
            Some((source.id.to_string(), remote.value()?))
        });
        let rows = news.flat_map(|(source, news)| {
            let row = move |pattern: &log::LogPattern| {
                vec![
                    Cell::Count(pattern.after),
                    Cell::Count(pattern.before),
                    Cell::Text(pattern.change.word().to_owned()),
                    Cell::words(pattern.change.words()),
                    Cell::Text(pattern.severity.word().to_owned()),
                    Cell::Text(pattern.text.to_string()),
                    Cell::Text(source.clone()),
                    Cell::Text(pattern.first.to_string()),
                    Cell::Text(pattern.last.to_string()),
                    Cell::Text(clean_output(&pattern.example.text()).into_owned()),
                ]
            };
            news.patterns.iter().take(self.wanted.limit).map(row).collect::<Vec<_>>()
        });
        ReportList {
            key: "patterns",
            title: "Patterns".into(),
            columns: vec![
                column("after", "LINES", true),
                column("before", "BEFORE", true),
                column("change", "", false),
                column("", "CHANGE", false),
                column("severity", "SEVERITY", false),
                column("pattern", "PATTERN", false),
                column("source", "", false),
                column("first", "", false),
                column("last", "", false),
                column("example", "", false),
            ],
            rows: rows.collect(),
            empty: "No lines.",
            layout: ListLayout::Rows,
        }
    }
}

/// Log lines as a list.
pub(in crate::cli) fn line_list(lines: &[Arc<LogLine>]) -> ReportList {
    let column = |key, title| ReportColumn { key, title, is_number: false, is_distinguishing: false };
    let rows = lines.iter().map(|line| {
        vec![
            Cell::Text(line.at.to_string()),
            Cell::Text(line.severity.word().to_owned()),
            Cell::Labels(line.labels.clone()),
            Cell::Labels(line.fields.clone()),
            Cell::Text(line.text().into_owned()),
            if line.cut_bytes() == 0 { Cell::Nothing } else { Cell::count(line.cut_bytes()) },
        ]
    });
    ReportList {
        key: "lines",
        title: "Lines".into(),
        columns: vec![
            column("at", "TIME"),
            column("severity", "SEVERITY"),
            column("labels", ""),
            column("fields", ""),
            column("text", "TEXT"),
            column("cut_bytes", ""),
        ],
        rows: rows.collect(),
        empty: "No lines.",
        layout: ListLayout::Rows,
    }
}
