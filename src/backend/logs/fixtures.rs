//! What the tests of all sources of log lines share: questions, recorded answers, and paging to the end.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use crate::backend::Source;
use crate::backend::kit::double::CannedResponse;
use crate::model::ask::{Answer, Query, Reply};
use crate::model::labels::Labels;
use crate::model::log::{LogDemand, LogHistogram, LogLines, LogPage, LogQuery, next_page};
use crate::model::series::TimeGrid;
use crate::model::source::SourceError;
use crate::model::warning::Warning;

pub(crate) fn written(query: &str) -> Arc<LogQuery> {
    Arc::new(LogQuery { written: Some(query.into()), ..LogQuery::default() })
}

pub(crate) fn of_labels(labels: &[(&str, &str)]) -> Arc<LogQuery> {
    Arc::new(LogQuery { labels: labels.iter().copied().collect::<Labels>(), ..LogQuery::default() })
}

pub(crate) async fn ask(source: &dyn Source, query: Query) -> Result<Reply, SourceError> {
    source.answer(&query.now(), None).await
}

/// A page of lines with its warnings.
pub(crate) async fn lines(
    source: &dyn Source,
    wanted: &Arc<LogQuery>,
    page: LogPage,
) -> Result<(LogLines, Vec<Warning>), SourceError> {
    let reply = ask(source, Query::LogLines { wanted: Arc::clone(wanted), page }).await?;
    let Answer::LogLines(lines) = reply.answer else { panic!("no lines: {:?}", reply.answer) };
    Ok((lines, reply.warnings))
}

/// The numbers of lines with their warnings.
pub(crate) async fn counts(
    source: &dyn Source,
    wanted: &Arc<LogQuery>,
    window: TimeGrid,
) -> Result<(LogHistogram, Vec<Warning>), SourceError> {
    let reply = ask(source, Query::LogCounts { wanted: Arc::clone(wanted), window }).await?;
    let Answer::LogCounts(counts) = reply.answer else { panic!("no counts: {:?}", reply.answer) };
    Ok((counts, reply.warnings))
}

/// All lines of a time range, page by page, as a screen loads them when one scrolls to the oldest.
pub(crate) async fn all_lines(
    source: &dyn Source,
    wanted: &Arc<LogQuery>,
    (from, until): (Timestamp, Timestamp),
) -> LogLines {
    let demand = LogDemand { from, until, around: None, wants_older: true, wants_newer: false };
    let mut loaded: Option<LogLines> = None;
    let mut pages = 0;
    while let Some(next) = next_page(loaded.as_ref(), &demand) {
        let (newer, _) = lines(source, wanted, next).await.unwrap();
        match &mut loaded {
            None => loaded = Some(newer),
            Some(loaded) => loaded.extend(newer, &next),
        }
        pages += 1;
        assert!(pages < 40, "it ends");
    }
    loaded.unwrap()
}

/// The response of a recorded exchange; its body is JSON, a text, or a list of lines.
pub(crate) fn canned(exchange: &Value) -> CannedResponse {
    let body = match (&exchange["body"], exchange["lines"].as_array()) {
        (_, Some(lines)) => {
            let each = lines.iter().map(|line| line.as_str().or_else(|| line["line"].as_str()).unwrap());
            each.collect::<Vec<_>>().join("\n")
        }
        (Value::String(text), None) => text.clone(),
        (body, None) => body.to_string(),
    };
    let status = u16::try_from(exchange["status"].as_u64().unwrap_or(200)).unwrap();
    CannedResponse::new(status, exchange["content_type"].as_str().unwrap(), &body)
}

/// The texts of lines.
pub(crate) fn texts(lines: &LogLines) -> Vec<String> {
    lines.lines.iter().map(|line| line.text().into_owned()).collect()
}
