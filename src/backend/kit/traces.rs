//! What sources of traces share: their options, links, and the search for the slowest traces of a service.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::http::Body;
use super::lenient::{LenientObject, unreadable_warning};
use super::parts::AnswerParts;
use crate::config::kind::OwnSettings;
use crate::model::ask::{Answer, Reply};
use crate::model::labels::Text;
use crate::model::source::SourceError;
use crate::model::trace::{Span, Trace, TraceId, TraceSearch, TraceSnapshot, TraceSummary};
use crate::model::warning::Warning;

/// The placeholder of a link for the id of a trace.
const PLACEHOLDER: &str = "{trace_id}";
/// The most rounds of a search for the slowest traces.
const ROUNDS: usize = 4;
/// The names of known services in a message.
const NAMED: usize = 8;

/// The options of a source of traces.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TraceSettings {
    /// The page of a trace in the source's user interface, with `{trace_id}` in place of the id.
    pub(crate) link: Option<String>,
    /// Services that have another name in traces: their names in burnwatch, and those in traces.
    pub(crate) services: BTreeMap<String, String>,
    /// The most traces that one search reads.
    pub(crate) max_traces: u16,
}

impl Default for TraceSettings {
    fn default() -> Self {
        Self { link: None, services: BTreeMap::new(), max_traces: 100 }
    }
}

impl OwnSettings for TraceSettings {
    fn failures(&self) -> Vec<(&'static str, String)> {
        let link = self.link.as_ref().filter(|link| {
            !link.contains(PLACEHOLDER) || !(link.starts_with("https://") || link.starts_with("http://"))
        });
        let words = format!(
            "must be an address with {PLACEHOLDER}, such as \"https://traces.example.net/{PLACEHOLDER}\""
        );
        let link = link.map(|_| ("link", words));
        let max = (self.max_traces == 0).then(|| ("max_traces", "must be at least 1".to_owned()));
        link.into_iter().chain(max).collect()
    }
}

impl TraceSettings {
    /// The name in traces of a service.
    pub(crate) fn service<'a>(&'a self, name: &'a str) -> &'a str {
        self.services.get(name).map_or(name, String::as_str)
    }

    /// The page of a trace.
    pub(crate) fn link(&self, id: TraceId) -> Option<Text> {
        self.link.as_ref().map(|link| link.replace(PLACEHOLDER, &id.to_string()).into())
    }
}

/// Decodes a body that must be a JSON object.
pub(crate) fn object<'b, T: Deserialize<'b>>(body: &'b Body) -> Result<T, SourceError> {
    match body.json::<LenientObject<T>>()?.0 {
        Some(read) => Ok(read),
        None => Err(body.json::<Map<String, Value>>().expect_err("it is no object")),
    }
}

/// The reply about one trace. `lost` is the number of spans that could not be read; `None`: there is no such trace.
pub(crate) fn trace_reply(found: Option<Trace>, lost: usize) -> Reply {
    let mut parts = AnswerParts::default();
    parts.warnings.extend(unreadable_warning(lost, "spans"));
    if let Some(why) = found.as_ref().and_then(|trace| trace.partial.as_ref()) {
        let colon = if why.is_empty() { "" } else { ": " };
        parts.warnings.push(Warning::part(format!("the trace is incomplete{colon}{why}")));
    }
    parts.reply(Answer::Trace(TraceSearch { found: found.map(Arc::new) }))
}

/// A trace of these spans, with its link.
pub(crate) fn trace(id: TraceId, spans: Vec<Span>, settings: &TraceSettings) -> Option<Trace> {
    let trace = Trace::new(id, spans)?;
    Some(Trace { link: settings.link(id), ..trace })
}

/// What one search has found.
#[derive(Default)]
pub(crate) struct FoundTraces {
    pub(crate) traces: Vec<TraceSummary>,
    /// The number of traces, or of their spans, that could not be read.
    pub(crate) lost: usize,
}

/// A search for the slowest traces at a server that cannot sort: if a search finds as many traces as it may, there are more, and
/// the next one asks for traces that are slower than most of those found.
pub(crate) struct SlowestSearch {
    /// The most traces that the server returns at once.
    limit: usize,
    minimum: Option<Duration>,
    rounds: usize,
    is_done: bool,
    found: BTreeMap<TraceId, TraceSummary>,
}

impl SlowestSearch {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, minimum: None, rounds: 0, is_done: false, found: BTreeMap::new() }
    }

    /// The minimum duration of the next search, if another one is needed; zero: any duration.
    pub(crate) fn next_minimum(&self) -> Option<Duration> {
        (!self.is_done && self.rounds < ROUNDS).then(|| self.minimum.unwrap_or_default())
    }

    /// Takes what a search has found.
    pub(crate) fn take(&mut self, batch: Vec<TraceSummary>) {
        self.rounds += 1;
        let mut durations: Vec<Duration> = batch.iter().map(|trace| trace.duration).collect();
        durations.sort_unstable();
        // nine tenths of what was found are faster
        let next = durations.get(durations.len() * 9 / 10).copied().unwrap_or_default();
        let above = self.minimum.map_or(next, |minimum| next.max(minimum + Duration::from_nanos(1)));
        self.is_done = batch.len() < self.limit;
        self.minimum = Some(above);
        self.add(batch);
    }

    /// Adds traces of another search.
    pub(crate) fn add(&mut self, batch: Vec<TraceSummary>) {
        for trace in batch {
            let is_failed = trace.is_failed;
            let known = self.found.entry(trace.id).or_insert(trace);
            known.is_failed |= is_failed;
        }
    }

    /// Whether slower traces than those found may exist.
    pub(crate) fn is_cut(&self) -> bool {
        !self.is_done
    }

    /// The traces, in the order of the list.
    pub(crate) fn finish(self, from: Timestamp, until: Timestamp, is_cut: bool) -> TraceSnapshot {
        let mut traces: Vec<Arc<TraceSummary>> = self.found.into_values().map(Arc::new).collect();
        traces.sort_by_cached_key(|trace| trace.rank());
        TraceSnapshot { from, until, traces, is_cut }
    }
}

/// A notice about a service of which no trace was found, if the source does not know it: its name there may be another one.
pub(crate) fn unknown_service(name: &str, known: &[String]) -> Option<Warning> {
    if known.is_empty() || known.iter().any(|one| one == name) {
        return None;
    }
    let more = known.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let some = known.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    Some(Warning::notice(format!(
        "no service is called {name} in these traces; they have {some}{more}. If it has another name there, set the source's services"
    )))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn summary(number: u128, millis: u64) -> TraceSummary {
        TraceSummary {
            id: TraceId::new(number + 1).unwrap(),
            starts_at: Timestamp::UNIX_EPOCH,
            duration: Duration::from_millis(millis),
            service: "checkout".into(),
            operation: "POST /order".into(),
            spans: None,
            errors: None,
            is_failed: false,
            services: Vec::new(),
            link: None,
        }
    }

    /// Searches among these durations as a server does that returns any traces that match, here the first ones.
    fn search(millis: &[u64], limit: usize) -> (TraceSnapshot, usize, bool) {
        let mut search = SlowestSearch::new(limit);
        let mut rounds = 0;
        while let Some(minimum) = search.next_minimum() {
            rounds += 1;
            let all = millis.iter().zip(0..).map(|(millis, number)| summary(number, *millis));
            let slow = all.filter(|trace| trace.duration >= minimum);
            search.take(slow.take(limit).collect());
        }
        let is_cut = search.is_cut();
        (search.finish(Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH, is_cut), rounds, is_cut)
    }

    #[test]
    fn the_slowest_of_many_traces_are_found_in_a_few_rounds() {
        // the slowest come last, so that a single search does not find them
        let millis: Vec<u64> = (0..1000).collect();
        let (found, rounds, is_cut) = search(&millis, 100);
        assert!(rounds <= ROUNDS && is_cut);
        assert!(found.traces[0].duration < Duration::from_millis(999), "and it is said that there are more");
        let mixed: Vec<u64> = (0..1000).map(|n| n * 7919 % 1000).collect();
        let (found, rounds, is_cut) = search(&mixed, 100);
        assert_eq!((found.traces[0].duration, is_cut), (Duration::from_millis(999), false));
        assert!(rounds <= 3, "{rounds}");
    }

    #[test]
    fn equally_slow_traces_do_not_make_it_search_for_ever() {
        let (found, rounds, is_cut) = search(&[5; 300], 100);
        assert_eq!((found.traces.len(), rounds, is_cut), (100, 3, false));
        assert_eq!(search(&[], 100).1, 1);
    }

    #[test]
    fn a_link_has_the_id_and_a_wrong_template_is_refused() {
        let of = |link: &str| TraceSettings { link: Some(link.into()), ..TraceSettings::default() };
        let id = TraceId::parse("abc").unwrap();
        let link = of("https://t.example.net/trace/{trace_id}?x=1").link(id).unwrap();
        assert_eq!(&*link, "https://t.example.net/trace/00000000000000000000000000000abc?x=1");
        for wrong in ["https://t.example.net/", "javascript:{trace_id}", "t/{trace_id}"] {
            assert_eq!(of(wrong).failures().first().map(|(key, _)| *key), Some("link"), "{wrong}");
        }
        assert_eq!(TraceSettings { max_traces: 0, ..TraceSettings::default() }.failures().len(), 1);
    }

    #[test]
    fn a_service_that_traces_do_not_know_is_named_with_those_that_they_know() {
        let known = ["cart".to_owned(), "shop".to_owned()];
        assert_eq!(unknown_service("cart", &known), None);
        assert!(unknown_service("mail", &known).unwrap().text.contains("cart, shop"));
        assert_eq!(unknown_service("mail", &[]), None);
    }

    proptest! {
        #[test]
        fn a_search_that_says_it_is_complete_has_the_slowest(millis in prop::collection::vec(0..500_u64, 0..300), limit in 1..60_usize) {
            let (found, rounds, is_cut) = search(&millis, limit);
            prop_assert!(rounds <= ROUNDS);
            let slowest = millis.iter().max().map(|slowest| Duration::from_millis(*slowest));
            let first = found.traces.first().map(|trace| trace.duration);
            prop_assert!(is_cut || first == slowest, "{first:?} of {slowest:?}");
        }
    }
}
