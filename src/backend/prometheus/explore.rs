//! Answers about queries that a user writes: results, metrics, labels, exemplars. All of them are bounded.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;

use super::call::QuestionRequests;
use super::whole_results::{ExemplarLists, Metadata, Names, WholeResult};
use crate::backend::kit::http::EvaluationRange;
use crate::backend::kit::lenient::{LenientList, LenientPairs, unreadable_warning};
use crate::model::evaluation::{
    EvaluatedQuery, EvaluationKey, Exemplar, LabelList, LabelSearch, MAX_COUNTED, MAX_EXEMPLARS, MAX_LABELS,
    MAX_MATRIX, MAX_VECTOR, QueryResult, SampleValue,
};
use crate::model::labels::{Labels, Text};
use crate::model::metric::MetricCatalog;
use crate::model::promql::is_plain_name;
use crate::model::series::TimeGrid;
use crate::model::source::{ErrorKind, SourceError};
use crate::model::warning::Warning;

/// How far back labels are looked for: long enough for jobs that run once an hour, short enough for large servers.
const LABELS_RANGE: Duration = Duration::from_secs(3 * 3600);
/// How far back series are counted: those that have stopped for longer do not split what is shown.
const COUNTED_RANGE: Duration = Duration::from_secs(600);
/// The longest selector that is sent to find labels; it is part of the address.
const MAX_SELECTOR: usize = 2_000;

/// Evaluates an expression at one moment, or over a grid.
///
/// # Errors
/// [`ErrorKind::Unfit`] with advice if the result has more than [`MAX_VECTOR`] or [`MAX_MATRIX`] series.
pub(super) async fn evaluate(
    call: &QuestionRequests<'_>,
    key: &EvaluationKey,
    window: Option<TimeGrid>,
    at: Option<Timestamp>,
) -> Result<EvaluatedQuery, SourceError> {
    let evaluation = window.map_or(EvaluationRange::of_instant(at), EvaluationRange::Over);
    let most = if window.is_some() { MAX_MATRIX } else { MAX_VECTOR };
    let body = call.send_limited(&key.query, evaluation, most + 1).await?;
    let (data, mut warnings) = call.read_or_empty::<WholeResult<'_>>(&body)?;
    if data.count() > most {
        let reason = format!(
            "the result has more than {most} series; ask count({}) how many, or reduce them with sum by (label) (...) or topk(20, ...)",
            shortened(&key.query)
        );
        return Err(call.server.http.error(ErrorKind::Unfit { reason }));
    }
    warnings.extend(unreadable_warning(data.lost(), "series and points"));
    call.note(warnings);
    let result = call.server.reader.result(&data, window);
    Ok(EvaluatedQuery::new(result, &body.bytes))
}

fn shortened(query: &str) -> Cow<'_, str> {
    if query.len() <= 60 && !query.contains('\n') { Cow::Borrowed(query) } else { Cow::Borrowed("...") }
}

/// The names of all metrics with their types and help texts. Without metadata, for which some servers have no API, the names alone.
pub(super) async fn metrics(
    call: &QuestionRequests<'_>,
    scrape_interval: Option<Duration>,
) -> Result<MetricCatalog, SourceError> {
    let (names, declared) = tokio::join!(
        call.get("api/v1/label/__name__/values", &[]),
        call.get("api/v1/metadata", &[("limit_per_metric", "3")]),
    );
    let names = names?;
    let (names, mut warnings) = call.read_or_empty::<Names<'_>>(&names)?;
    let names: Vec<Text> = names.0.iter().map(|name| call.server.reader.text(&name.0)).collect();
    let declared = match &declared {
        Ok(body) => call.read_or_empty::<Metadata<'_>>(body).map(|(metadata, more)| {
            warnings.extend(more);
            call.server.reader.metadata(&metadata)
        }),
        Err(error) => Err(error.clone()),
    };
    let declared = declared.unwrap_or_else(|error| {
        warnings.push(Warning::notice(format!("no types and help texts of metrics: {}", error.kind)));
        Vec::new()
    });
    call.note(warnings);
    Ok(MetricCatalog::new(names, declared, scrape_interval))
}

/// The names of labels, or the values of one.
pub(super) async fn labels(
    call: &QuestionRequests<'_>,
    wanted: &LabelSearch,
) -> Result<LabelList, SourceError> {
    let now = call.server.now();
    let since = now.checked_sub(LABELS_RANGE).unwrap_or(Timestamp::MIN);
    let (limit, start, end) =
        ((MAX_LABELS + 1).to_string(), since.as_second().to_string(), now.as_second().to_string());
    let selector = wanted.selector.as_deref().filter(|one| one.len() <= MAX_SELECTOR);
    if let Some(selector) = selector.filter(|_| wanted.is_counted && wanted.name.is_none()) {
        match counted(call, selector, now).await {
            Ok(Some(list)) => return Ok(list),
            Err(error) if error.kind.is_source_wide() => return Err(error),
            // too many series, or a server without this API: the names alone
            Ok(None) | Err(_) => {}
        }
    }
    let mut query = vec![("limit", &*limit), ("start", &*start), ("end", &*end)];
    query.extend(selector.map(|one| ("match[]", one)));
    let path = match &wanted.name {
        Some(name) => format!("api/v1/label/{}/values", path_name(name)),
        None => "api/v1/labels".to_owned(),
    };
    let body = call.get(&path, &query).await?;
    let (names, warnings) = call.read_or_empty::<Names<'_>>(&body)?;
    // the warning about the limit is what `is_cut` says
    call.note(warnings.into_iter().filter(|warning| !warning.text.contains("limit")).collect());
    Ok(LabelList::of(names.0.iter().map(|name| call.server.reader.text(&name.0)).collect()))
}

/// The labels of the series that a selector matches, with the number of their values; `None` if there are none now, or more
/// than [`MAX_COUNTED`]. Older servers know no limit of series, so their number is asked first.
async fn counted(
    call: &QuestionRequests<'_>,
    selector: &str,
    now: Timestamp,
) -> Result<Option<LabelList>, SourceError> {
    let body = call.send_limited(&format!("count({selector})"), EvaluationRange::of_instant(None), 1).await?;
    let (data, _) = call.read_or_empty::<WholeResult<'_>>(&body)?;
    let series = match call.server.reader.result(&data, None) {
        QueryResult::Vector(all) => match all.first().map(|one| &one.value) {
            Some(SampleValue::Number(count)) => *count,
            Some(SampleValue::Histogram(_)) | None => 0.0,
        },
        QueryResult::Scalar(_)
        | QueryResult::Text(_)
        | QueryResult::Matrix { .. }
        | QueryResult::Samples(_)
        | QueryResult::Lines { .. } => return Ok(None),
    };
    if series < 1.0 || series > MAX_COUNTED as f64 {
        return Ok(None);
    }
    let since = now.checked_sub(COUNTED_RANGE).unwrap_or(now);
    let (start, end) = (since.as_second().to_string(), now.as_second().to_string());
    let limit = MAX_COUNTED.to_string();
    let query = [("match[]", selector), ("limit", &*limit), ("start", &*start), ("end", &*end)];
    let body = call.get("api/v1/series", &query).await?;
    let (series, warnings) = call.read_or_empty::<LenientList<LenientPairs<'_>>>(&body)?;
    call.note(warnings.into_iter().filter(|warning| !warning.text.contains("limit")).collect());
    let series: Vec<Labels> = call.server.reader.label_sets(&series.all);
    Ok(Some(LabelList::counted(&series)))
}

/// A label name as part of a path: names that are not plain are escaped as Prometheus 3 reads them.
/// Source: `model.EscapeName` with `ValueEncodingEscaping` in prometheus/common.
pub(super) fn path_name(name: &str) -> Cow<'_, str> {
    if is_plain_name(name) {
        return Cow::Borrowed(name);
    }
    let mut out = String::from("U__");
    for (at, c) in name.chars().enumerate() {
        match c {
            '_' => out.push_str("__"),
            c if c.is_ascii_alphabetic() || c == ':' || (at > 0 && c.is_ascii_digit()) => out.push(c),
            c => write!(out, "_{:x}_", u32::from(c)).expect("a String takes everything"),
        }
    }
    Cow::Owned(out)
}

/// The newest exemplars of the series in a query.
pub(super) async fn exemplars(
    call: &QuestionRequests<'_>,
    query: &str,
    window: TimeGrid,
) -> Result<Vec<Exemplar>, SourceError> {
    let (start, end) = (window.start().as_second().to_string(), window.end().as_second().to_string());
    let asked = [("query", query), ("start", &*start), ("end", &*end)];
    let body = call.get("api/v1/query_exemplars", &asked).await?;
    let (lists, warnings) = call.read_or_empty::<ExemplarLists<'_>>(&body)?;
    call.note(warnings);
    let mut all = call.server.reader.exemplars(&lists);
    all.sort_by_key(|exemplar| Reverse(exemplar.at));
    all.truncate(MAX_EXEMPLARS);
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_not_plain_is_escaped_in_the_address() {
        for (name, path) in [
            ("job", "job"),
            ("service.name", "U__service_2e_name"),
            ("a_b.c", "U__a__b_2e_c"),
            ("1x", "U___31_x"),
            ("ü/\u{1b}", "U___fc__2f__1b_"),
        ] {
            assert_eq!(path_name(name), path);
        }
    }
}
