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
            all.iter().take(MAX_ITEMS).map(Candidate::item).collect()
        } else {
            let found = ranked(typed, all.iter().map(|item| item.name));
            let mut found: Vec<usize> = found.into_iter().take(MAX_ITEMS).collect();
            // what begins with the typed text comes first
            found.sort_by_key(|at| all.get(*at).is_none_or(|item| !item.name.starts_with(typed)));
            found.into_iter().filter_map(|at| all.get(at)).map(Candidate::item).collect()
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

/// How the text of an item is made from its name.
#[derive(Debug, Clone, Copy)]
enum Inserted {
    AsIs,
    /// With an opening bracket.
    Call,
    /// A name that is not plain stands in braces, in quotes.
    Metric,
    /// A label name, in quotes if it is not plain.
    Label,
    /// The same, with the sign and the quote that follow.
    Matcher(&'static str),
    /// A word of a language of logs, as it is inserted.
    Term(&'static str),
    /// A value within these quotes.
    Value(char),
}

/// An item before it is chosen among many: nothing is copied.
struct Candidate<'a> {
    name: &'a str,
    kind: &'static str,
    detail: &'a str,
    inserted: Inserted,
}

impl Candidate<'_> {
    fn item(&self) -> CompletionItem {
        let name = self.name;
        let inserted = match self.inserted {
            Inserted::AsIs => name.to_owned(),
            Inserted::Call => format!("{name}("),
            Inserted::Metric if is_plain_name(&name.replace(':', "_")) => name.to_owned(),
            Inserted::Metric => format!("{{{}}}", quoted(name)),
            Inserted::Label => label(name).into_owned(),
            Inserted::Matcher(sign) => format!("{}{sign}", label(name)),
            Inserted::Term(inserted) => inserted.to_owned(),
            Inserted::Value(quote) => escaped(name, quote),
        };
        CompletionItem { name: name.to_owned(), inserted, kind: self.kind, detail: self.detail.to_owned() }
    }
}

fn candidates<'a>(
    context: &CursorContext,
    is_whole_text: bool,
    data: CompletionData<'a>,
) -> Vec<Candidate<'a>> {
    let plain = |kind| move |name: &'a str| Candidate { name, kind, detail: "", inserted: Inserted::AsIs };
    let labels = data.labels.iter().map(|name| &**name);
    let names = labels.clone().filter(|name| *name != "__name__");
    let history = || data.history.iter().filter(|_| is_whole_text).map(|query| plain("history")(query));
    // without a typed letter the list of all metrics is no help
    let is_typed = !context.typed.is_empty();
    match &context.expected {
        Expected::Terms { terms, labels } => {
            let words = terms.iter().map(|term| Candidate {
                name: term.name,
                kind: term.kind,
                detail: term.detail,
                inserted: Inserted::Term(term.inserted),
            });
            let names = labels.iter().flat_map(|labels| {
                names.clone().map(|name| Candidate {
                    inserted: Inserted::Matcher(labels.sign),
                    ..plain("label")(name)
                })
            });
            let are_names_first = labels.as_ref().is_some_and(|labels| labels.are_first);
            let (names, words): (Vec<_>, Vec<_>) = (names.collect(), words.collect());
            let (first, second) = if are_names_first { (names, words) } else { (words, names) };
            history().chain(first).chain(second).collect()
        }
        Expected::Expression => {
            let words = data.language.iter().map(|word| Candidate {
                name: word.name,
                kind: if word.is_aggregation { "aggregation" } else { "function" },
                detail: &word.signature,
                inserted: Inserted::Call,
            });
            history().chain(metrics(data).map(|(_, item)| item).chain(words).filter(|_| is_typed)).collect()
        }
        Expected::RangeOf { function } => {
            let is_of_counters = ["rate", "irate", "increase"].contains(&&**function);
            let fits = |kind| !is_of_counters || !matches!(kind, MetricType::Gauge | MetricType::Info);
            let (fitting, others): (Vec<_>, Vec<_>) =
                metrics(data).filter(|_| is_typed).partition(|(kind, _)| fits(*kind));
            fitting.into_iter().chain(others).map(|(_, item)| item).collect()
        }
        Expected::LabelName { .. } => names
            .map(|name| Candidate { inserted: Inserted::Matcher("=\""), ..plain("label")(name) })
            .collect(),
        Expected::GroupingLabel { .. } => {
            names.map(|name| Candidate { inserted: Inserted::Label, ..plain("label")(name) }).collect()
        }
        Expected::LabelValue { quote, .. } => labels
            .map(|name| Candidate { inserted: Inserted::Value(*quote), ..plain("value")(name) })
            .collect(),
        Expected::Duration => DURATIONS.into_iter().map(plain("duration")).collect(),
        Expected::Operator => KEYWORDS.into_iter().filter(|_| is_typed).map(plain("keyword")).collect(),
        Expected::Nothing => Vec::new(),
    }
}

/// The metrics, each with its type.
fn metrics(data: CompletionData<'_>) -> impl Iterator<Item = (MetricType, Candidate<'_>)> {
    let all = data.metrics.map_or(&[][..], MetricCatalog::all);
    all.iter().map(|metric| {
        let kind = if metric.kind == MetricType::Unknown { "metric" } else { metric.kind.word() };
        let inserted = Inserted::Metric;
        (metric.kind, Candidate { name: &metric.name, kind, detail: &metric.help, inserted })
    })
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
