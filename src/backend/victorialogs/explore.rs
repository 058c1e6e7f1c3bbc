//! Queries that a user writes in `LogsQL`: lines or numbers; fields and their values for completion.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{VictoriaLogs, wire};
use crate::backend::logs::cut_at;
use crate::backend::logs::explore::{labels_span, lines_reply, numbers_reply, page};
use crate::model::ask::{Answer, Answered, Reply, Weight};
use crate::model::evaluation::{EvaluationKey, LabelList, LabelSearch, MAX_LABELS};
use crate::model::labels::Text;
use crate::model::log::ReadLines;
use crate::model::query_language::QueryLanguage;
use crate::model::series::TimeGrid;

/// The most values of a field that are counted.
const COUNTED: &str = "100";
/// How far back the values of fields are counted.
const COUNTED_RANGE: SignedDuration = SignedDuration::from_mins(15);
/// Fields that are not chosen: the time, and the stream as a text.
const OWN_FIELDS: [&str; 3] = ["_time", "_stream", "_stream_id"];

/// Evaluates a query over a grid, or at one moment; lines are those of the hour before it.
///
/// # Errors
/// [`crate::model::source::ErrorKind::BadQuery`] with the server's message.
pub(super) async fn evaluate(
    source: &VictoriaLogs,
    key: &EvaluationKey,
    window: Option<TimeGrid>,
    at: Option<Timestamp>,
) -> Answered {
    let now = source.server.state.clock.now();
    if QueryLanguage::LogsQl.gives_lines(&key.query) {
        let page = page(window, at, now);
        let limit = page.limit.to_string();
        let span = (page.from, page.until);
        let body = source.select(Weight::Page, "query", &key.query, span, &[("limit", &limit)]).await?;
        let mut read = match source.lines(&body) {
            Ok(read) => read,
            Err(error) => {
                ReadLines { lines: wire::rows(&body.bytes, page.until).ok_or(error)?, ..ReadLines::default() }
            }
        };
        if !read.lines.is_empty() && read.lines.iter().all(|line| line.at == page.until) {
            read.without_time = read.lines.len() as u64;
        }
        return Ok(lines_reply(cut_at(page.limit, read), &page, &body.bytes));
    }
    let body = if let Some(window) = window {
        let step = format!("{}s", window.step().as_secs());
        let end = window.end().checked_add(window.step()).unwrap_or(window.end());
        let span = (window.start(), end);
        source.select(Weight::Page, "stats_query_range", &key.query, span, &[("step", &step)]).await?
    } else {
        let page = page(None, at, now);
        let time = page.until.to_string();
        let span = (page.from, page.until);
        source.select(Weight::Page, "stats_query", &key.query, span, &[("time", &time)]).await?
    };
    numbers_reply(&source.server, &body, window)
}

/// The names of fields, or the values of one.
pub(super) async fn labels(source: &VictoriaLogs, wanted: &LabelSearch) -> Answered {
    let span = labels_span(source.server.state.clock.now());
    let query = wanted.selector.as_deref().unwrap_or("*");
    let limit = MAX_LABELS.to_string();
    let is_chosen = |name: &&Text| !OWN_FIELDS.contains(&&***name);
    let list = match &wanted.name {
        Some(name) => {
            let more = [("field", &**name), ("limit", &*limit)];
            let body = source.select(Weight::Page, "field_values", query, span, &more).await?;
            let values = body.json::<wire::ValueList<'_>>()?;
            LabelList::of(values.values.all.iter().map(|one| Text::from(&*one.value.0)).collect())
        }
        None if wanted.is_counted => {
            let more = [("limit", COUNTED), ("keep_const_fields", "1")];
            // facets read the lines themselves, so fewer of them
            let span = (span.1.checked_sub(COUNTED_RANGE).unwrap_or(span.0), span.1);
            let body = source.select(Weight::Page, "facets", query, span, &more).await?;
            let facets = body.json::<wire::Facets<'_>>()?;
            let counts = facets
                .facets
                .all
                .iter()
                .map(|one| (Text::from(&*one.field_name.0), one.values.all.len() + one.values.lost));
            let counts: std::collections::BTreeMap<Text, usize> =
                counts.filter(|(name, _)| is_chosen(&name)).collect();
            LabelList { counts: counts.clone(), ..LabelList::of(counts.into_keys().collect()) }
        }
        None => {
            let body = source.select(Weight::Page, "field_names", query, span, &[]).await?;
            let names = body.json::<wire::ValueList<'_>>()?;
            let names = names.values.all.iter().map(|one| Text::from(&*one.value.0));
            LabelList::of(names.filter(|name| is_chosen(&name)).collect())
        }
    };
    Ok(Reply::free(Answer::Labels(Arc::new(list))))
}
