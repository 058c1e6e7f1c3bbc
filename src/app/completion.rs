//! The completion of a query: what fits at the cursor, the best match first.

use super::fuzzy::ranked;
use crate::model::labels::Text;
use crate::model::metric::{MetricCatalog, MetricType};
use crate::model::promql::complete::{CursorContext, DURATIONS, Expected, KEYWORDS, LanguageWord};
use crate::model::promql::{is_plain_name, label, quoted};

/// The most items that are offered.
const MAX_ITEMS: usize = 50;

/// One item of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompletionItem {
    /// The name, as it is searched.
    pub name: String,
    /// The text that replaces the word at the cursor.
    pub inserted: String,
    /// What it is: `counter`, `function`, `label`.
    pub kind: &'static str,
    /// Its help text or its signature.
    pub detail: String,
}

/// The open list of completions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    pub context: CursorContext,
    pub items: Vec<CompletionItem>,
    /// The item that the user moved to; none until then.
    pub chosen: Option<usize>,
}

/// What is known for completing a query.
#[derive(Debug, Clone, Copy)]
pub struct CompletionData<'a> {
    pub metrics: Option<&'a MetricCatalog>,
    pub language: &'a [LanguageWord],
    /// The names or values of labels that the context asks for, if they have arrived.
    pub labels: &'a [Text],
    /// Earlier queries, the latest first.
    pub history: &'a [Text],
}

impl Completion {
    /// What fits at the cursor; `None` if nothing does, or if only what is typed already would be offered.
    pub fn of(context: CursorContext, is_whole_text: bool, data: CompletionData<'_>) -> Option<Self> {
        let all = candidates(&context, is_whole_text, data);
        let typed = &*context.typed;
        let items: Vec<CompletionItem> = if typed.is_empty() {
            all.into_iter().take(MAX_ITEMS).collect()
        } else {
            let found = ranked(typed, all.iter().map(|item| &*item.name));
            let mut found: Vec<usize> = found.into_iter().take(MAX_ITEMS).collect();
            // what begins with the typed text comes first
            found.sort_by_key(|at| all.get(*at).is_none_or(|item| !item.name.starts_with(typed)));
            found.into_iter().filter_map(|at| all.get(at).cloned()).collect()
        };
        let is_typed = matches!(&items[..], [only] if only.name == typed);
        (!items.is_empty() && !is_typed).then_some(Self { context, items, chosen: None })
    }

    /// Moves to the next or the previous item.
    pub fn step(&mut self, by: isize) {
        let last = self.items.len().saturating_sub(1);
        self.chosen = Some(match self.chosen {
            None if by > 0 => 0,
            None => last,
            Some(at) => super::list::wrapped(at, by, self.items.len()),
        });
    }

    /// The chosen item, or the first.
    pub fn current(&self) -> Option<&CompletionItem> {
        self.items.get(self.chosen.unwrap_or(0))
    }
}

fn candidates(
    context: &CursorContext,
    is_whole_text: bool,
    data: CompletionData<'_>,
) -> Vec<CompletionItem> {
    match &context.expected {
        Expected::Expression => {
            let history = data.history.iter().filter(|_| is_whole_text).map(|query| item(query, query, "history", ""));
            let metrics = metrics(data, |_| true);
            let words = data.language.iter().map(|word| {
                let kind = if word.is_aggregation { "aggregation" } else { "function" };
                item(word.name, &format!("{}(", word.name), kind, &word.signature)
            });
            // without a typed letter the list of all metrics is no help, but the history is
            let rest = metrics.chain(words).filter(|_| !context.typed.is_empty());
            history.chain(rest).collect()
        }
        Expected::RangeOf { function } => {
            let is_of_counters = ["rate", "irate", "increase"].contains(&&**function);
            let fits = |kind| !is_of_counters || !matches!(kind, MetricType::Gauge | MetricType::Info);
            let (fitting, others): (Vec<_>, Vec<_>) =
                metrics(data, |_| true).partition(|item| fits(kind_of(item.kind)));
            fitting.into_iter().chain(others).filter(|_| !context.typed.is_empty()).collect()
        }
        Expected::LabelName { .. } => {
            let named = |name: &Text| item(name, &format!("{}=\"", label(name)), "label", "");
            names(data).map(named).collect()
        }
        Expected::GroupingLabel { .. } => names(data).map(|name| item(name, &label(name), "label", "")).collect(),
        Expected::LabelValue { quote, .. } => {
            let value = |value: &Text| item(value, &escaped(value, *quote), "value", "");
            data.labels.iter().map(value).collect()
        }
        Expected::Duration => DURATIONS.iter().map(|text| item(text, text, "duration", "")).collect(),
        Expected::Operator => {
            let all = KEYWORDS.iter().filter(|_| !context.typed.is_empty());
            all.map(|word| item(word, word, "keyword", "")).collect()
        }
        Expected::Nothing => Vec::new(),
    }
}

fn item(name: &str, inserted: &str, kind: &'static str, detail: &str) -> CompletionItem {
    CompletionItem {
        name: name.to_owned(),
        inserted: inserted.to_owned(),
        kind,
        detail: detail.to_owned(),
    }
}

fn kind_of(word: &str) -> MetricType {
    MetricType::ALL.into_iter().find(|kind| kind.word() == word).unwrap_or(MetricType::Unknown)
}

fn metrics<'a>(
    data: CompletionData<'a>,
    fits: impl Fn(MetricType) -> bool + 'a,
) -> impl Iterator<Item = CompletionItem> + 'a {
    let all = data.metrics.map_or(&[][..], MetricCatalog::all);
    all.iter().filter(move |metric| fits(metric.kind)).map(|metric| {
        let is_plain = is_plain_name(&metric.name.replace(':', "_"));
        // a name that is not plain stands in braces, in quotes
        let inserted = if is_plain { metric.name.to_string() } else { format!("{{{}}}", quoted(&metric.name)) };
        let kind = if metric.kind == MetricType::Unknown { "metric" } else { metric.kind.word() };
        item(&metric.name, &inserted, kind, &metric.help)
    })
}

/// Label names without that of the metric name.
fn names(data: CompletionData<'_>) -> impl Iterator<Item = &Text> {
    data.labels.iter().filter(|name| &***name != "__name__")
}

/// A value as it is written within these quotes.
fn escaped(value: &str, quote: char) -> String {
    let inner = quoted(value);
    let inner = inner.get(1..inner.len().saturating_sub(1)).unwrap_or_default();
    match quote {
        '\'' => inner.replace("\\\"", "\"").replace('\'', "\\'"),
        // raw text has no escapes
        '`' => value.replace('`', ""),
        _ => inner.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::metric::MetricInfo;
    use crate::model::promql::complete::{at_cursor, language};

    fn catalog() -> MetricCatalog {
        let metric = |name: &str, kind, help: &str| MetricInfo { name: name.into(), kind, help: help.into() };
        let declared = vec![
            metric("http_requests_total", MetricType::Counter, "Requests."),
            metric("http_in_flight", MetricType::Gauge, "Now."),
        ];
        let names = ["http_requests_total", "http_in_flight", "weird.name\u{1b}"].map(Text::from);
        MetricCatalog::new(names.to_vec(), declared, None)
    }

    /// The names of what is offered at the `|` of a text, and what the first one inserts.
    fn offered(text: &str, labels: &[&str]) -> (Vec<String>, String) {
        let cursor = text.find('|').unwrap();
        let text = text.replacen('|', "", 1);
        let (metrics, language) = (catalog(), language());
        let labels: Vec<Text> = labels.iter().map(|text| Text::from(*text)).collect();
        let history = [Text::from("sum(up)")];
        let data = CompletionData {
            metrics: Some(&metrics),
            language: &language,
            labels: &labels,
            history: &history,
        };
        let context = at_cursor(&text, cursor);
        let is_whole = context.replaced == (0..text.len());
        let Some(completion) = Completion::of(context, is_whole, data) else {
            return (Vec::new(), String::new());
        };
        let inserted = completion.current().unwrap().inserted.clone();
        (completion.items.into_iter().map(|item| item.name).collect(), inserted)
    }

    #[test]
    fn what_fits_is_offered_the_best_first() {
        for (text, labels, first, inserted) in [
            ("htreq|", &[][..], "http_requests_total", "http_requests_total"),
            ("rate(http|", &[], "http_requests_total", "http_requests_total"),
            ("rat|", &[], "rate", "rate("),
            ("|", &[], "sum(up)", "sum(up)"),
            ("weird|", &[], "weird.name\u{1b}", "{\"weird.name\\u001b\"}"),
            ("up{|", &["__name__", "job", "a.b"], "job", "job=\""),
            ("up{a|", &["job", "a.b"], "a.b", "\"a.b\"=\""),
            ("up{job=\"|", &["x\"y"], "x\"y", "x\\\"y"),
            ("up{job='|", &["x\"y'z"], "x\"y'z", "x\"y\\'z"),
            ("sum by (|) (up)", &["job"], "job", "job"),
            ("rate(x[|", &[], "1m", "1m"),
            ("up wi|", &[], "without", "without"),
        ] {
            let (names, text_of_first) = offered(text, labels);
            assert_eq!(names.first().map(String::as_str), Some(first), "{text}: {names:?}");
            assert_eq!(text_of_first, inserted, "{text}");
        }
    }

    #[test]
    fn nothing_is_offered_where_nothing_fits_or_all_is_typed() {
        for text in ["up |", "rate(|", "http_requests_total|", "x # |", "label_replace(x, \"|"] {
            assert_eq!(offered(text, &["job"]).0, Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn the_list_goes_round_and_begins_unchosen() {
        let context = at_cursor("x[", 2);
        let data = CompletionData { metrics: None, language: &[], labels: &[], history: &[] };
        let mut completion = Completion::of(context, false, data).unwrap();
        assert_eq!((completion.chosen, completion.current().unwrap().name.as_str()), (None, "1m"));
        completion.step(-1);
        assert_eq!(completion.current().unwrap().name, "7d");
        completion.step(1);
        assert_eq!(completion.current().unwrap().name, "1m");
    }
}
