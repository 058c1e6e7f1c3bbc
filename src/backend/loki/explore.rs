//! Queries that a user writes in `LogQL`: lines or numbers; labels and their values for completion.

use jiff::Timestamp;

use super::{Loki, nanos, wire};
use crate::backend::logs::cut_at;
use crate::backend::logs::explore::{labels_span, lines_reply, numbers_reply, page};
use crate::model::ask::{Answer, Answered, Reply, Weight};
use crate::model::evaluation::{EvaluationKey, LabelList, LabelSearch};
use crate::model::labels::Text;
use crate::model::promql::is_plain_name;
use crate::model::query_language::QueryLanguage;
use crate::model::series::TimeGrid;

/// Evaluates a query over a grid, or at one moment; Loki has lines only over a range, so those of the hour before it.
///
/// # Errors
/// [`crate::model::source::ErrorKind::BadQuery`] with the server's message.
pub(super) async fn evaluate(
    loki: &Loki,
    key: &EvaluationKey,
    window: Option<TimeGrid>,
    at: Option<Timestamp>,
) -> Answered {
    if QueryLanguage::LogQl.gives_lines(&key.query) {
        let page = page(window, at, loki.server.state.clock.now());
        let (body, limit) = loki.page(&key.query, &page).await?;
        let answer = body.json::<wire::QueryAnswer<'_>>()?;
        if let wire::QueryData::Streams(streams) = answer.data {
            let read = loki.server.state.interned(|interner| wire::read(interner, &streams, page.direction));
            return Ok(lines_reply(cut_at(limit, read), &page, &body.bytes));
        }
        let message = "this query gives numbers, not lines".to_owned();
        return Err(loki.server.http.error(crate::model::source::ErrorKind::BadQuery { message }));
    }
    let body = if let Some(window) = window {
        let (start, end) = (nanos(window.start()), nanos(window.end()));
        let step = format!("{}s", window.step().as_secs());
        let asked = [("query", &*key.query), ("start", &start), ("end", &end), ("step", &step)];
        loki.query_range(Weight::Page, &asked).await?
    } else {
        let time = nanos(at.unwrap_or_else(|| loki.server.state.clock.now()));
        loki.get(Weight::Page, "query", &[("query", &*key.query), ("time", &time)]).await?
    };
    numbers_reply(&loki.server, &body, window)
}

/// The names of labels, or the values of one.
pub(super) async fn labels(loki: &Loki, wanted: &LabelSearch) -> Answered {
    let reply = |list| Ok(Reply::free(Answer::Labels(std::sync::Arc::new(list))));
    let (from, until) = labels_span(loki.server.state.clock.now());
    let (from, until) = (nanos(from), nanos(until));
    let mut query = vec![("start", &*from), ("end", &*until)];
    if let Some(selector) = wanted.selector.as_deref().filter(|_| wanted.is_counted && wanted.name.is_none())
    {
        query.push(("match[]", selector));
        let body = loki.get(Weight::Page, "series", &query).await?;
        let series = body.json::<wire::SeriesList<'_>>()?;
        let series: Vec<_> = loki
            .server
            .state
            .interned(|interner| series.data.0.iter().map(|pairs| wire::labels(interner, pairs)).collect());
        return reply(LabelList::counted(&series));
    }
    query.extend(wanted.selector.as_deref().map(|selector| ("query", selector)));
    let path = match &wanted.name {
        Some(name) if is_plain_name(name) => format!("label/{name}/values"),
        // no label of Loki has such a name
        Some(_) => return reply(LabelList::default()),
        None => "labels".to_owned(),
    };
    let body = loki.get(Weight::Page, &path, &query).await?;
    let names = body.json::<wire::LabelNames<'_>>()?;
    let names: Vec<Text> = names.data.0.iter().map(|name| Text::from(&*name.0)).collect();
    reply(LabelList::of(names))
}
