//! One question's requests: at most a few at once, counted, with the warnings that came along.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use tokio::sync::Semaphore;

use super::wire::{Data, Envelope, Reader, Sample, Written};
use crate::backend::kit::http::{Body, EvaluationRange, Http, PromQuery, of_absence};
use crate::backend::kit::lenient::{LenientText, unreadable_warning};
use crate::backend::kit::parts::AnswerParts;
use crate::backend::kit::skew::Skew;
use crate::model::ask::{Answer, Reply, Weight};
use crate::model::labels::{Labels, Text};
use crate::model::series::{Matrix, TimeGrid};
use crate::model::source::{ErrorKind, SourceError};
use crate::model::warning::{self, Warning};

/// Requests at once for one question.
pub(super) const AT_ONCE: usize = 4;

/// How the server wants to be asked, as far as it is known.
#[derive(Default)]
pub(super) struct ApiQuirks {
    /// Something on the way does not let POST through.
    pub(super) get_only: AtomicBool,
    /// `VictoriaMetrics` makes up the last 30 seconds and caches unless told otherwise.
    pub(super) is_victoria: AtomicBool,
    /// How far its clock is ahead of ours, if that is more than a little.
    pub(super) skew: Skew,
}

/// What all questions to one server share.
pub(super) struct PromServer {
    pub(super) http: Http,
    pub(super) reader: Reader,
    pub(super) quirks: ApiQuirks,
    /// The server need not work longer than we wait.
    pub(super) timeout: Duration,
}

/// The answer to an instant query.
pub(super) struct InstantAnswer {
    /// What has a finite value.
    pub(super) samples: Vec<Sample>,
    /// What was told without one: there is nothing to divide by.
    pub(super) non_finite: Vec<Sample>,
    /// The comment: why it is not whole, if it is not.
    pub(super) partial: Option<Text>,
}

/// The requests of one question.
pub(super) struct QuestionRequests<'a> {
    pub(super) server: &'a PromServer,
    weight: Weight,
    permits: Semaphore,
    /// What was spent and said so far.
    parts: Mutex<AnswerParts>,
}

impl<'a> QuestionRequests<'a> {
    pub(super) fn new(server: &'a PromServer, weight: Weight) -> Self {
        Self { server, weight, permits: Semaphore::new(AT_ONCE), parts: Mutex::default() }
    }

    /// Another one for the same question, with warnings of its own.
    pub(super) fn separate(&self) -> Self {
        Self::new(self.server, self.weight)
    }

    /// An instant query; `None`: now, by the server's clock.
    pub(super) async fn instant(
        &self,
        query: &str,
        at: Option<Timestamp>,
    ) -> Result<Vec<Sample>, SourceError> {
        self.value(query, EvaluationRange::of_instant(at), Reader::samples).await
    }

    /// An instant query whose answer may well be NaN.
    pub(super) async fn instant_all(
        &self,
        query: &str,
        at: Option<Timestamp>,
    ) -> Result<Vec<Sample>, SourceError> {
        self.value(query, EvaluationRange::of_instant(at), Reader::all_samples).await
    }

    /// An instant query, with what is to be known to judge by its answer.
    pub(super) async fn instant_with_warnings(
        &self,
        query: &str,
        at: Option<Timestamp>,
    ) -> Result<InstantAnswer, SourceError> {
        let evaluation = EvaluationRange::of_instant(at);
        let (all, warnings) = self.evaluate(query, evaluation, Reader::all_samples).await?;
        let mut partial = None;
        for warning in warnings {
            if warning.is_missing_data() {
                partial.get_or_insert_with(|| warning.text.clone());
                self.warn(Warning::part(warning.text));
            } else {
                self.warn(warning);
            }
        }
        let (samples, non_finite) = all.into_iter().partition(|sample| sample.value.is_finite());
        Ok(InstantAnswer { samples, non_finite, partial })
    }

    /// The moments of the samples that are stored of each series, in Unix seconds; `query` is a range.
    pub(super) async fn raw(&self, query: &str) -> Result<Vec<(Labels, Vec<f64>)>, SourceError> {
        self.value(query, EvaluationRange::Now, Reader::moments).await
    }

    /// The samples of a selector with a range (`ALERTS[10m]`) that ends at a moment, as they were written: seconds and values.
    pub(super) async fn samples(&self, query: &str, at: Timestamp) -> Result<Vec<Written>, SourceError> {
        self.value(query, EvaluationRange::At(at), Reader::points).await
    }

    /// A range query over the grid of `span`.
    pub(super) async fn range(&self, query: &str, span: TimeGrid) -> Result<Matrix, SourceError> {
        self.value(query, EvaluationRange::Over(span), |reader, data| reader.matrix(data, span)).await
    }

    async fn value<T>(
        &self,
        query: &str,
        evaluation: EvaluationRange,
        read: impl FnOnce(&Reader, &Data<'_>) -> T,
    ) -> Result<T, SourceError> {
        let (value, warnings) = self.evaluate(query, evaluation, read).await?;
        self.note(warnings);
        Ok(value)
    }

    /// What a query gave, and what was said beside it; what cannot be read of it is missing.
    async fn evaluate<T>(
        &self,
        query: &str,
        evaluation: EvaluationRange,
        read: impl FnOnce(&Reader, &Data<'_>) -> T,
    ) -> Result<(T, Vec<Warning>), SourceError> {
        let body = self.send(query, evaluation).await?;
        let (data, mut warnings) = self.read_or_empty::<Data<'_>>(&body)?;
        warnings.extend(unreadable_warning(data.lost(), "series and points"));
        Ok((read(&self.server.reader, &data), warnings))
    }

    /// GET of another path of the API.
    pub(super) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Body, SourceError> {
        let _permit = self.permits.acquire().await;
        self.parts().cost.requests += 1;
        let body = self.server.http.get_as(self.weight, path, query).await?;
        self.parts().cost.bytes_in += body.size();
        Ok(body)
    }

    /// Sends a query by POST, for selectors may be long, or by GET once POST was refused.
    async fn send(&self, expression: &str, evaluation: EvaluationRange) -> Result<Body, SourceError> {
        let _permit = self.permits.acquire().await;
        let PromServer { http, quirks, timeout, .. } = self.server;
        let get_only = &quirks.get_only;
        let fresh = match evaluation {
            EvaluationRange::Now | EvaluationRange::At(_) => ("nocache", "1"),
            EvaluationRange::Over(_) => ("latency_offset", "1s"),
        };
        let option = quirks.is_victoria.load(Ordering::Relaxed).then_some(fresh);
        loop {
            let is_get = get_only.load(Ordering::Relaxed);
            self.parts().cost.requests += 1;
            let query = PromQuery { expression, evaluation, timeout: *timeout, option, is_get };
            match http.evaluate(self.weight, &query).await {
                Ok(body) => {
                    self.parts().cost.bytes_in += body.size();
                    return Ok(body);
                }
                Err(error) if !is_get && error.trouble.refused(405).is_some() => {
                    get_only.store(true, Ordering::Relaxed);
                }
                Err(error) => {
                    let absence = error.trouble.refused(404).map(|said| of_absence("Prometheus API", said));
                    return Err(absence.map_or(error, |trouble| http.error(trouble)));
                }
            }
        }
    }

    /// The data in an answer, none where it has none and says so; keeps its warnings.
    pub(super) fn open_or_empty<'b, T>(&self, body: &'b Body) -> Result<T, SourceError>
    where
        T: Default + Deserialize<'b>,
    {
        let (data, warnings) = self.read_or_empty(body)?;
        self.note(warnings);
        Ok(data)
    }

    /// The data in an answer; keeps its warnings.
    pub(super) fn open<'b, T: Deserialize<'b>>(&self, body: &'b Body) -> Result<T, SourceError> {
        let (data, warnings) = self.read(body)?;
        let garbled = || self.server.http.error(ErrorKind::Garbled { reason: WITHOUT_DATA.into() });
        let data = data.ok_or_else(garbled)?;
        self.note(warnings);
        Ok(data)
    }

    fn read_or_empty<'b, T>(&self, body: &'b Body) -> Result<(T, Vec<Warning>), SourceError>
    where
        T: Default + Deserialize<'b>,
    {
        let (data, mut warnings) = self.read(body)?;
        let data = data.unwrap_or_else(|| {
            warnings.push(Warning::missing(WITHOUT_DATA));
            T::default()
        });
        Ok((data, warnings))
    }

    /// The data in an answer, and what is said beside them. Some servers write `null` where there are none.
    fn read<'b, T: Deserialize<'b>>(&self, body: &'b Body) -> Result<(Option<T>, Vec<Warning>), SourceError> {
        let envelope: Envelope<'b, T> = body.json()?;
        let text = |said: &LenientText<'_>| self.server.reader.text(&body.words(&said.0));
        let mut warnings: Vec<Warning> =
            envelope.warnings.0.iter().map(|said| classify_warning(text(said))).collect();
        warnings.extend(envelope.infos.0.iter().map(|said| Warning::annotation(text(said))));
        if envelope.is_partial.is_true() {
            warnings.push(Warning::missing("the answer is partial: a storage node is missing"));
        }
        if envelope.status.0 == "success" {
            return Ok((envelope.data, warnings));
        }
        let message = envelope.error;
        let trouble = if message.0.is_empty() {
            ErrorKind::Garbled { reason: WITHOUT_DATA.into() }
        } else {
            ErrorKind::BadQuery { message: self.server.reader.text(&message.0).to_string() }
        };
        Err(self.server.http.error(trouble))
    }

    /// Notes, once, that something is missing or worth knowing.
    pub(super) fn warn(&self, warning: Warning) {
        warning::note(&mut self.parts().warnings, warning);
    }

    /// The same of all of these.
    pub(super) fn note(&self, warnings: Vec<Warning>) {
        for warning in warnings {
            self.warn(warning);
        }
    }

    /// What was noted so far.
    pub(super) fn warnings(&self) -> Vec<Warning> {
        self.parts().warnings.clone()
    }

    fn parts(&self) -> MutexGuard<'_, AnswerParts> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts another question's requests as this one's, for they were made for it.
    pub(super) fn add_cost_of(&self, other: &Self) {
        let cost = other.parts().cost;
        self.parts().cost.add(cost);
    }

    /// The answer with what it cost.
    pub(super) fn reply(self, answer: Answer) -> Reply {
        self.parts.into_inner().unwrap_or_else(PoisonError::into_inner).reply(answer)
    }

    /// The same, unless the asker has it already.
    pub(super) fn reply_if_new(self, answer: Answer, digest: u64, known: Option<u64>) -> Reply {
        self.parts.into_inner().unwrap_or_else(PoisonError::into_inner).reply_if_new(answer, digest, known)
    }
}

/// What is said of an answer that holds nothing.
const WITHOUT_DATA: &str = "an answer without data";

/// What a text among `warnings` means: the engine's own remarks have a prefix, and everything else may mean that series are
/// missing (a store that did not answer, a limit that cut the answer short).
fn classify_warning(text: Text) -> Warning {
    const ANNOTATIONS: [&str; 2] = ["PromQL warning:", "PromQL info:"];
    let is_annotation = ANNOTATIONS.iter().any(|prefix| text.trim_start().starts_with(prefix));
    if is_annotation { Warning::annotation(text) } else { Warning::missing(text) }
}
