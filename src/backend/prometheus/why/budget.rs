//! The requests of one analysis: counted, and no more than the limit.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU32, Ordering};

use jiff::{SignedDuration, Timestamp};

use crate::backend::kit::lenient::LenientTexts;
use crate::backend::prometheus::call::QuestionRequests;
use crate::backend::prometheus::wire::{Sample, Written};
use crate::model::labels::Text;
use crate::model::series::{Matrix, TimeGrid};
use crate::model::source::{ErrorKind, SourceError, SourceId};
use crate::model::warning::Warning;

/// The most requests of one analysis.
pub(super) const MOST_REQUESTS: u32 = 24;

/// The requests of one analysis.
pub(super) struct Budget<'a> {
    call: &'a QuestionRequests<'a>,
    sent: AtomicU32,
    notes: Mutex<Vec<Text>>,
    /// Whether a request succeeded, and the first failure.
    outcome: Mutex<(bool, Option<SourceError>)>,
}

impl<'a> Budget<'a> {
    pub(super) fn new(call: &'a QuestionRequests<'a>) -> Self {
        Self { call, sent: AtomicU32::new(0), notes: Mutex::default(), outcome: Mutex::default() }
    }

    /// The current time by the server's clock.
    pub(super) fn now(&self) -> Timestamp {
        self.call.server.now()
    }

    pub(super) fn source(&self) -> &SourceId {
        &self.call.server.id
    }

    pub(super) fn sent(&self) -> u32 {
        self.sent.load(Ordering::Relaxed)
    }

    /// How many requests may still be sent.
    pub(super) fn left(&self) -> u32 {
        MOST_REQUESTS.saturating_sub(self.sent())
    }

    /// Adds a note for the reader, once.
    pub(super) fn note(&self, text: impl Into<Text>) {
        let (text, mut notes) = (text.into(), self.notes.lock().unwrap_or_else(PoisonError::into_inner));
        if !notes.contains(&text) {
            notes.push(text);
        }
    }

    /// The notes; or the first failure, if no request succeeded.
    pub(super) fn end(&self) -> Result<Vec<Text>, SourceError> {
        let outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let (false, Some(error)) = outcome {
            return Err(error);
        }
        Ok(self.notes.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// Whether one more request may be sent, which is then counted.
    fn spend(&self) -> bool {
        let next = |sent: u32| (sent < MOST_REQUESTS).then_some(sent + 1);
        self.sent.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).is_ok()
    }

    /// The value of an answer; a failure is noted with what is missing.
    fn taken<T>(&self, what: &str, result: Result<T, SourceError>) -> Option<T> {
        let mut outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        match result {
            Ok(value) => {
                outcome.0 = true;
                Some(value)
            }
            Err(error) => {
                self.call.warn(Warning::part(format!("{what} could not be read: {}", error.kind)));
                self.note(format!("{what} could not be read: {}{}", error.kind, advice(&error.kind)));
                outcome.1.get_or_insert(error);
                None
            }
        }
    }

    /// The answer to one more request; `None` if it failed or the limit is reached, which is noted.
    async fn ask<T>(&self, what: &str, request: impl Future<Output = Result<T, SourceError>>) -> Option<T> {
        if !self.spend() {
            self.note(format!("{what} not read: the limit of {MOST_REQUESTS} requests is reached"));
            return None;
        }
        let answer = request.await;
        self.taken(what, answer)
    }

    /// An instant query, without NaN and infinite values.
    pub(super) async fn instant(
        &self,
        what: &str,
        query: &str,
        at: Option<Timestamp>,
    ) -> Option<Vec<Sample>> {
        self.ask(what, self.call.instant(query, at)).await
    }

    /// The stored samples of a range selector.
    pub(super) async fn samples(
        &self,
        what: &str,
        query: &str,
        at: Option<Timestamp>,
    ) -> Option<Vec<Written>> {
        self.ask(what, self.call.samples(query, at)).await
    }

    pub(super) async fn range(&self, what: &str, query: &str, span: TimeGrid) -> Option<Matrix> {
        self.ask(what, self.call.range(query, span)).await
    }

    /// The names of the labels of these series; by some of the series if the server does not list names.
    pub(super) async fn label_names(&self, selector: &str, end: Timestamp) -> Option<Vec<Text>> {
        let start = end.checked_sub(SignedDuration::from_hours(1)).unwrap_or(end).as_second().to_string();
        let until = end.as_second().to_string();
        let query = [("match[]", selector), ("start", &*start), ("end", &*until)];
        let listed = if self.spend() { self.call.get("api/v1/labels", &query).await.ok() } else { None };
        let listed = listed.and_then(|body| {
            let (names, warnings) = self.call.read_or_empty::<LenientTexts<'_>>(&body).ok()?;
            self.call.note(warnings);
            Some(names.0.iter().map(|name| self.call.server.reader.text(&name.0)).collect::<Vec<Text>>())
        });
        if let Some(names) = listed.filter(|names| !names.is_empty()) {
            return Some(names);
        }
        let some = self.instant("label names", &format!("topk({SAMPLED}, {selector})"), Some(end)).await?;
        let names = some.iter().flat_map(|sample| sample.labels.iter().map(|(name, _)| name.clone()));
        let mut names: Vec<Text> = names.collect();
        names.sort();
        names.dedup();
        Some(names)
    }
}

/// The number of series whose labels are read if the server does not list label names.
const SAMPLED: u32 = 30;

/// What can be done about a refused query.
fn advice(kind: &ErrorKind) -> &'static str {
    if matches!(kind, ErrorKind::TooLarge { .. } | ErrorKind::TimedOut { .. } | ErrorKind::BadQuery { .. }) {
        "; a recording rule without the labels of many values makes it answerable"
    } else {
        ""
    }
}
