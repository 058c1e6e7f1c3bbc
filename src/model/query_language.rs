//! The languages of the queries that a user writes, by the kind of the source: `PromQL`, `LogQL` of Loki, `LogsQL` of `VictoriaLogs`.
//!
//! `PromQL` has a parser of its own in [`promql`]. Queries of logs are only read as far as completion, splitting and a check
//! of brackets and quotes need; their servers decide about the rest.

mod logql;
mod logsql;
mod scan;
#[cfg(test)]
mod tests;

use std::time::Duration;

use super::evaluation::server_position;
use super::labels::Labels;
use super::promql::complete::{self, CursorContext, LanguageWord, QueryTerm};
use super::promql::{self, QueryRemark};
use super::words::words;
use scan::QueryScan;

words! {
    /// The language of a source's queries.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
    pub enum QueryLanguage: word {
        #[default]
        PromQl = "PromQL",
        LogQl = "LogQL",
        LogsQl = "LogsQL",
        /// A data source of Grafana with a query as its plug-in takes it.
        Json = "JSON",
    }
}

const fn term(
    kind: &'static str,
    name: &'static str,
    inserted: &'static str,
    detail: &'static str,
) -> QueryTerm {
    QueryTerm { name, inserted, kind, detail }
}

/// Why a query of logs cannot be split by a label.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SplitRefusal {
    #[error("the query is split by {0} already")]
    SplitAlready(String),
    #[error("{0}")]
    Unfit(String),
}

impl QueryLanguage {
    /// Whether its queries are only for its own source: about log lines, or about a data source of Grafana.
    pub const fn is_of_logs(self) -> bool {
        match self {
            Self::PromQl => false,
            Self::LogQl | Self::LogsQl | Self::Json => true,
        }
    }

    /// The first thing in a query that no server accepts: brackets and quotes that are not closed. `PromQL` is checked by
    /// [`promql::check`].
    ///
    /// # Errors
    /// What is wrong and where.
    pub fn check(self, query: &str) -> Result<(), QueryRemark> {
        match self {
            Self::PromQl => Ok(()),
            Self::LogQl | Self::LogsQl => QueryScan::of(self, query).check(),
            Self::Json => {
                serde_json::from_str::<serde::de::IgnoredAny>(query).map(drop).map_err(|error| QueryRemark {
                    line: error.line().max(1),
                    column: error.column().max(1),
                    message: json_message(&error),
                })
            }
        }
    }

    /// What is expected at a byte offset of a query.
    pub fn at_cursor(self, query: &str, cursor: usize) -> CursorContext {
        match self {
            Self::PromQl => complete::at_cursor(query, cursor),
            Self::LogQl => logql::at_cursor(query, cursor),
            Self::LogsQl => logsql::at_cursor(query, cursor),
            Self::Json => CursorContext::nothing(cursor.min(query.len())),
        }
    }

    /// The functions and aggregations with which an expression can begin, sorted by name.
    pub fn functions(self) -> Vec<LanguageWord> {
        match self {
            Self::PromQl => complete::language(),
            Self::LogQl => logql::functions(),
            Self::LogsQl | Self::Json => Vec::new(),
        }
    }

    /// Whether the result of a query is log lines; else it is numbers.
    pub fn gives_lines(self, query: &str) -> bool {
        match self {
            // what a data source gives is known from its answer
            Self::PromQl | Self::Json => false,
            Self::LogQl => logql::gives_lines(query),
            Self::LogsQl => logsql::gives_lines(query),
        }
    }

    /// The selector of what a query reads first: its labels are those by which the result can be split.
    pub fn main_selector(self, query: &str) -> Option<String> {
        match self {
            Self::PromQl => complete::main_selector(query),
            Self::LogQl => logql::main_selector(query, query.len()),
            Self::LogsQl => Some(logsql::filters(query).to_owned()),
            Self::Json => None,
        }
    }

    /// The query with one series for each value of a label. Log lines are counted, in steps of this length.
    ///
    /// # Errors
    /// Why there is no such query.
    pub fn split_by(self, query: &str, label: &str, step: Duration) -> Result<String, SplitRefusal> {
        match self {
            Self::PromQl => promql::split_by(query, label).map_err(|error| match error {
                promql::Unsplittable::SplitAlready(label) => SplitRefusal::SplitAlready(label),
                promql::Unsplittable::Wrong(_) | promql::Unsplittable::NoLabels(_) => {
                    SplitRefusal::Unfit(error.to_string())
                }
            }),
            Self::LogQl => logql::split_by(query, label, step),
            Self::LogsQl => logsql::split_by(query, label),
            Self::Json => Err(SplitRefusal::Unfit("a query as JSON is split by its own grouping".to_owned())),
        }
    }

    /// Whether the result of a query keeps a label as far as its outermost grouping shows.
    pub fn is_split_by(self, query: &str, label: &str) -> bool {
        let split = self.split_by(query, label, Duration::from_secs(60));
        matches!(split, Err(SplitRefusal::SplitAlready(_)))
    }

    /// The query of only the lines or series with these labels.
    ///
    /// # Errors
    /// Why there is no such query.
    pub fn only(self, query: &str, labels: &Labels) -> Result<String, String> {
        match self {
            Self::PromQl => promql::only(query, labels).map_err(|error| error.to_string()),
            Self::LogQl => Ok(logql::only(query, labels)),
            Self::LogsQl => Ok(logsql::only(query, labels)),
            Self::Json => Err("a query as JSON is filtered by its own conditions".to_owned()),
        }
    }

    /// Line and column, both from 1, that a server names in its message about a query, and the message without them.
    ///
    /// Loki: `parse error at line 1, col 20: syntax error: ...`. `VictoriaLogs` repeats what it has read so far, at most its last
    /// 50 characters: `cannot parse query [Q]: ...; context: [what was read]`.
    pub fn server_remark<'m>(self, query: &str, message: &'m str) -> Option<(usize, usize, &'m str)> {
        match self {
            Self::PromQl => server_position(message),
            Self::Json => None,
            Self::LogQl => {
                let rest = message.split_once("parse error at line ")?.1;
                let (line, rest) = rest.split_once(", col ")?;
                let (column, words) = rest.split_once(": ")?;
                Some((line.parse().ok()?, column.parse().ok()?, words))
            }
            Self::LogsQl => {
                let (head, read) = message.trim_end().rsplit_once("; context: [")?;
                let read = read.strip_suffix(']')?;
                let words = head.split_once("]: ").map_or(head, |(_, words)| words);
                let at = query.find(read)? + read.len();
                let (line, column) = super::text::place(query, at);
                Some((line, column, words))
            }
        }
    }
}

/// The message of a JSON parser without the place, which is told beside it.
fn json_message(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split_once(" at line ").map_or(text.as_str(), |(message, _)| message).to_owned()
}
