//! The requests of one question: limited in concurrency, counted, and with the warnings of the answers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use tokio::sync::Semaphore;

use super::external_labels::ExternalLabels;
use super::through_grafana;
use super::wire::{Data, Envelope, Reader, Sample, Written};
use crate::backend::Clock;
use crate::backend::kit::http::{Body, EvaluationRange, Http, PromQuery, of_absence};
use crate::backend::kit::lenient::{LenientText, unreadable_warning};
use crate::backend::kit::parts::AnswerParts;
use crate::backend::kit::skew::Skew;
use crate::model::alert::SeverityMap;
use crate::model::ask::{Answer, Reply, Weight};
use crate::model::labels::Text;
use crate::model::series::{Matrix, TimeGrid};
use crate::model::source::{ErrorKind, SourceError, SourceId};
use crate::model::warning::{self, Warning};

/// The maximum number of concurrent requests of one question.
pub(super) const AT_ONCE: usize = 4;

/// What is known about the API of a server.
#[derive(Default)]
pub(super) struct ApiQuirks {
    /// POST is refused, so queries are sent by GET.
    pub(super) get_only: AtomicBool,
    /// The server is `VictoriaMetrics`, which extrapolates the last 30 seconds and caches answers, unless a parameter
    /// disables that.
    pub(super) is_victoria: AtomicBool,
    /// The clock offset of the server, if it is large.
    pub(super) skew: Skew,
    /// The changes to the labels of alerts on sending.
    external_labels: Mutex<Arc<ExternalLabels>>,
}

impl ApiQuirks {
    pub(super) fn external_labels(&self) -> Arc<ExternalLabels> {
        Arc::clone(&self.external_labels.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn set_external_labels(&self, labels: ExternalLabels) {
        *self.external_labels.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(labels);
    }
}

pub(super) struct PromServer {
    pub(super) id: SourceId,
    pub(super) http: Http,
    pub(super) reader: Reader,
    pub(super) quirks: ApiQuirks,
    /// The `timeout` parameter of queries: longer evaluation is useless, because the client does not wait longer.
    pub(super) timeout: Duration,
    pub(super) severities: SeverityMap,
    pub(super) clock: Clock,
    /// The uid of the data source of the Grafana at the address; `None` if the server itself is there.
    pub(super) grafana_data_source: Option<String>,
}

impl PromServer {
    /// The current time by the server's clock.
    pub(super) fn now(&self) -> Timestamp {
        self.quirks.skew.there(self.clock.now())
    }
}

/// The answer to an instant query.
pub(super) struct InstantAnswer {
    pub(super) samples: Vec<Sample>,
    /// The samples with NaN or an infinite value, for example from a division by zero.
    pub(super) non_finite: Vec<Sample>,
    /// The first warning that data are missing, if any.
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

    /// A separate set of requests for the same question, with its own warnings.
    pub(super) fn separate(&self) -> Self {
        Self::new(self.server, self.weight)
    }

    /// Sends an instant query; `at` is `None` for now by the server's clock. Returns the samples with finite values.
    pub(super) async fn instant(
        &self,
        query: &str,
        at: Option<Timestamp>,
    ) -> Result<Vec<Sample>, SourceError> {
        let mut samples = self.instant_all(query, at).await?;
        samples.retain(|sample| sample.value.is_finite());
        Ok(samples)
    }

    /// As [`Self::instant`], with NaN and infinite values.
    pub(super) async fn instant_all(
        &self,
        query: &str,
        at: Option<Timestamp>,
    ) -> Result<Vec<Sample>, SourceError> {
        self.value(query, EvaluationRange::of_instant(at), Reader::samples).await
    }

    /// As [`Self::instant`], also with the non-finite samples and whether the answer is partial.
    pub(super) async fn instant_with_warnings(
        &self,
        query: &str,
        at: Option<Timestamp>,
    ) -> Result<InstantAnswer, SourceError> {
        let evaluation = EvaluationRange::of_instant(at);
        let (all, warnings) = self.evaluate(query, evaluation, Reader::samples).await?;
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

    /// The stored samples of a range selector (`ALERTS[10m]`) that ends at `at`, or now.
    pub(super) async fn samples(
        &self,
        query: &str,
        at: Option<Timestamp>,
    ) -> Result<Vec<Written>, SourceError> {
        self.value(query, EvaluationRange::of_instant(at), Reader::points).await
    }

    /// Sends a range query over the time grid `span`.
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

    /// Sends GET to another path of the API.
    pub(super) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Body, SourceError> {
        let _permit = self.permits.acquire().await;
        let PromServer { http, grafana_data_source, .. } = self.server;
        match grafana_data_source {
            None => http.get_as(self.weight, path, query).await,
            Some(uid) => {
                let path = through_grafana::resource(uid, path);
                http.get_as(self.weight, &path, query).await.map_err(through_grafana::as_absent)
            }
        }
    }

    async fn send(&self, expression: &str, evaluation: EvaluationRange) -> Result<Body, SourceError> {
        self.send_with(expression, evaluation, None).await
    }

    /// Sends a query whose result should have at most this many series: servers that know the limit stop there.
    pub(super) async fn send_limited(
        &self,
        expression: &str,
        evaluation: EvaluationRange,
        most: usize,
    ) -> Result<Body, SourceError> {
        self.send_with(expression, evaluation, Some(("limit", most.to_string()))).await
    }

    /// Sends a query by POST, because selectors can be long; by GET once the server has refused POST.
    async fn send_with(
        &self,
        expression: &str,
        evaluation: EvaluationRange,
        option: Option<(&'static str, String)>,
    ) -> Result<Body, SourceError> {
        let _permit = self.permits.acquire().await;
        let PromServer { http, quirks, timeout, .. } = self.server;
        if let Some(uid) = &self.server.grafana_data_source {
            let now = self.server.now();
            return through_grafana::evaluate(http, self.weight, uid, expression, evaluation, now).await;
        }
        let get_only = &quirks.get_only;
        let fresh = match evaluation {
            EvaluationRange::Now | EvaluationRange::At(_) => ("nocache", "1"),
            EvaluationRange::Over(_) => ("latency_offset", "1s"),
        };
        let is_victoria = quirks.is_victoria.load(Ordering::Relaxed);
        let fresh = is_victoria.then(|| (fresh.0, fresh.1.to_owned()));
        let options: Vec<_> = fresh.into_iter().chain(option).collect();
        loop {
            let is_get = get_only.load(Ordering::Relaxed);
            let query =
                PromQuery { expression, evaluation, timeout: *timeout, options: options.clone(), is_get };
            match http.evaluate(self.weight, &query).await {
                Ok(body) => return Ok(body),
                Err(error) if !is_get && error.kind.refused(405).is_some() => {
                    get_only.store(true, Ordering::Relaxed);
                }
                Err(error) => {
                    let absence = error.kind.refused(404).map(|said| of_absence("Prometheus API", said));
                    return Err(absence.map_or(error, |failure| http.error(failure)));
                }
            }
        }
    }

    /// The data in an answer; keeps its warnings.
    pub(super) fn open<'b, T: Deserialize<'b>>(&self, body: &'b Body) -> Result<T, SourceError> {
        let (data, warnings) = self.read(body)?;
        let garbled = || self.server.http.error(ErrorKind::Garbled { reason: WITHOUT_DATA.into() });
        let data = data.ok_or_else(garbled)?;
        self.note(warnings);
        Ok(data)
    }

    /// The data of an answer, and its warnings; the default if the answer has no data.
    pub(super) fn read_or_empty<'b, T>(&self, body: &'b Body) -> Result<(T, Vec<Warning>), SourceError>
    where
        T: Default + Deserialize<'b>,
    {
        let (data, mut warnings) = self.read::<T>(body)?;
        warnings.extend(data.is_none().then(|| Warning::missing(WITHOUT_DATA)));
        Ok((data.unwrap_or_default(), warnings))
    }

    /// The data of an answer and its warnings. `None`: some servers send `null` if there are no data.
    fn read<'b, T: Deserialize<'b>>(&self, body: &'b Body) -> Result<(Option<T>, Vec<Warning>), SourceError> {
        let envelope: Envelope<'b, T> = body.json()?;
        let text = |said: &LenientText<'_>| self.server.reader.text(&body.words(&said.0));
        let mut warnings: Vec<Warning> =
            envelope.warnings.0.iter().map(|said| classify_warning(text(said))).collect();
        warnings.extend(envelope.infos.0.iter().map(|said| Warning::annotation(text(said))));
        if envelope.is_partial.is_true() {
            warnings.push(Warning::missing("the answer is partial: a storage node did not answer"));
        }
        if envelope.status.0 == "success" {
            return Ok((envelope.data, warnings));
        }
        let message = envelope.error;
        let failure = if message.0.is_empty() {
            ErrorKind::Garbled { reason: WITHOUT_DATA.into() }
        } else {
            ErrorKind::BadQuery { message: self.server.reader.text(&message.0).to_string() }
        };
        Err(self.server.http.error(failure))
    }

    /// Adds a warning, unless the same warning was already added.
    pub(super) fn warn(&self, warning: Warning) {
        warning::note(&mut self.parts().warnings, warning);
    }

    /// The same of all of these.
    pub(super) fn note(&self, warnings: Vec<Warning>) {
        for warning in warnings {
            self.warn(warning);
        }
    }

    pub(super) fn warnings(&self) -> Vec<Warning> {
        self.parts().warnings.clone()
    }

    fn parts(&self) -> MutexGuard<'_, AnswerParts> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The reply, with the warnings.
    pub(super) fn reply(self, answer: Answer) -> Reply {
        self.parts.into_inner().unwrap_or_else(PoisonError::into_inner).reply(answer)
    }

    /// The same, unless the asker has it already.
    pub(super) fn reply_if_new(self, answer: Answer, digest: u64, known: Option<u64>) -> Reply {
        self.parts.into_inner().unwrap_or_else(PoisonError::into_inner).reply_if_new(answer, digest, known)
    }
}

/// The warning and error for an answer without data.
const WITHOUT_DATA: &str = "an answer without data";

/// Classifies a text in `warnings`: remarks of the query engine have a prefix; any other text may mean that series are
/// missing (a store that did not answer, a limit that truncated the answer).
fn classify_warning(text: Text) -> Warning {
    const ANNOTATIONS: [&str; 2] = ["PromQL warning:", "PromQL info:"];
    let is_annotation = ANNOTATIONS.iter().any(|prefix| text.trim_start().starts_with(prefix));
    if is_annotation { Warning::annotation(text) } else { Warning::missing(text) }
}
