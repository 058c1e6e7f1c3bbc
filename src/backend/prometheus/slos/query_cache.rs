//! The cache of answers: the last value of each query with its time, and when the query is due again.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use jiff::Timestamp;
use tokio::time::{Instant, timeout_at};

use super::batch::{self, QueryBatch};
use super::subquery::{RefreshPace, Subquery};
use crate::backend::prometheus::call::{AT_ONCE, QuestionRequests};
use crate::backend::prometheus::wire::Sample;
use crate::model::duration;
use crate::model::labels::Text;
use crate::model::source::{ErrorKind, SourceError};
use crate::model::warning::Warning;

/// Rare queries are repeated after this time; with the interval of the rounds, their values are at most ten minutes old.
const RARELY: Duration = Duration::from_secs(570);
/// The pause after a failed query; doubles with each failure, up to [`RARELY`].
const PAUSE: Duration = Duration::from_secs(30);
/// After a failure, the last value of a query of every round is still used for this long.
const KEPT: Duration = Duration::from_secs(600);

/// A failed batch is split into this many parts to find the broken query.
const PARTS: usize = 8;

/// A successful answer.
#[derive(Debug, Clone)]
pub(super) struct GoodAnswer {
    /// The evaluation time.
    pub(super) at: Timestamp,
    pub(super) samples: Arc<[Sample]>,
}

/// The state of one query.
#[derive(Debug, Clone, Default)]
struct QueryRecord {
    good: Option<GoodAnswer>,
    failure: Option<Text>,
    tried: Option<Timestamp>,
    failure_count: u32,
    /// The query may make a joined request fail.
    is_suspect: bool,
    /// Joined with more queries than this, the server takes too long; 0: no limit is known.
    most: usize,
}

impl QueryRecord {
    /// The maximum number of queries in a joined request, this one included.
    fn max_joined(&self) -> usize {
        match (self.is_suspect, self.most) {
            (true, _) => 1,
            (false, 0) => usize::MAX,
            (false, most) => most,
        }
    }
}

/// The records by key.
#[derive(Debug, Default)]
pub(super) struct QueryCache(HashMap<Text, QueryRecord>);

/// The current result of one query.
#[derive(Debug, Clone, Default)]
pub(super) struct QueryOutcome {
    pub(super) good: Option<GoodAnswer>,
    /// The error of the last attempt.
    pub(super) failure: Option<Text>,
}

fn since(then: Timestamp, at: Timestamp) -> Option<Duration> {
    Duration::try_from(at.duration_since(then)).ok()
}

impl QueryRecord {
    /// Whether the query must be sent in a round at `at`.
    fn is_due(&self, pace: RefreshPace, at: Timestamp) -> bool {
        // after the clock was set back, every query is due
        let Some(waited) = self.tried.and_then(|tried| since(tried, at)) else { return true };
        match (self.failure_count, pace) {
            (0, RefreshPace::Each) => true,
            (0, RefreshPace::Rarely) => waited >= RARELY,
            (failures, RefreshPace::Each | RefreshPace::Rarely) => {
                waited >= PAUSE.saturating_mul(1 << (failures - 1).min(5)).min(RARELY)
            }
        }
    }

    /// The result at `at`; a value that is too old is left out.
    fn shown(&self, pace: RefreshPace, at: Timestamp) -> QueryOutcome {
        let age = self.good.as_ref().and_then(|good| since(good.at, at)).unwrap_or_default();
        let is_kept = pace == RefreshPace::Rarely || age <= KEPT;
        let good = self.good.clone().filter(|_| is_kept);
        let failure = self.failure.as_ref().map(|said| match &good {
            Some(_) => format!("{said} (the value is {} old)", duration::short(age)).into(),
            None => said.clone(),
        });
        QueryOutcome { good, failure }
    }
}

impl QueryCache {
    /// An empty cache for another time, with the knowledge of which queries must not be joined.
    pub(super) fn for_another_time(&self) -> Self {
        let known = self.0.iter().filter(|(_, record)| record.max_joined() < usize::MAX);
        let lesson = |record: &QueryRecord| QueryRecord {
            is_suspect: record.is_suspect,
            most: record.most,
            ..QueryRecord::default()
        };
        Self(known.map(|(key, record)| (key.clone(), lesson(record))).collect())
    }

    /// Removes all queries but these.
    pub(super) fn keep_only(&mut self, subqueries: &[Arc<Subquery>]) {
        let wanted: HashSet<&Text> = subqueries.iter().map(|subquery| &subquery.key).collect();
        self.0.retain(|key, _| wanted.contains(key));
    }

    /// The current results of these queries.
    pub(super) fn shown(&self, subqueries: &[Arc<Subquery>], at: Timestamp) -> HashMap<Text, QueryOutcome> {
        let shown = |subquery: &Arc<Subquery>| {
            Some((subquery.key.clone(), self.0.get(&subquery.key)?.shown(subquery.pace, at)))
        };
        subqueries.iter().filter_map(shown).collect()
    }

    /// Sends all queries that are due, for the same evaluation time. Each answer is stored as soon as it arrives, so that
    /// nothing is lost if this future is dropped. Rare queries are only waited for up to `time_limit`; the rest follows in
    /// the next round.
    ///
    /// # Errors
    /// Errors of the whole source, or a time-out if nothing was answered.
    pub(super) async fn fill(
        &mut self,
        call: &QuestionRequests<'_>,
        subqueries: &[Arc<Subquery>],
        at: Timestamp,
        time_limit: Duration,
    ) -> Result<(), SourceError> {
        let due: Vec<Arc<Subquery>> = self.due(subqueries, at);
        let mut waiting: VecDeque<QueryBatch> = self.plan(&due).into();
        let deadline = Instant::now() + time_limit;
        let mut in_flight: Vec<Arc<QueryBatch>> = Vec::new();
        let mut pending = FuturesUnordered::new();
        let (mut answered, mut last_error) = (false, None);
        loop {
            while in_flight.len() < AT_ONCE
                && let Some(batch) = waiting.pop_front()
            {
                let batch = Arc::new(batch);
                in_flight.push(Arc::clone(&batch));
                pending.push(async move {
                    let result = call.instant_all(&batch.query, Some(at)).await;
                    (batch, result)
                });
            }
            let is_frequent = |batch: &Arc<QueryBatch>| batch.pace() == RefreshPace::Each;
            let next = if in_flight.iter().any(is_frequent) {
                Ok(pending.next().await)
            } else {
                timeout_at(deadline, pending.next()).await
            };
            let Ok(next) = next else {
                let slow = call.server.http.error(ErrorKind::TimedOut { after: time_limit });
                for batch in &in_flight {
                    self.fail(batch, &slow, at);
                }
                if !waiting.is_empty() {
                    call.warn(Warning::missing(
                        "some values over long lookbacks are still missing; they are loaded step by step",
                    ));
                }
                last_error = Some(slow);
                break;
            };
            let Some((batch, result)) = next else { break };
            in_flight.retain(|other| !Arc::ptr_eq(other, &batch));
            match result {
                Ok(samples) => {
                    answered = true;
                    self.note(&batch, samples, at);
                }
                Err(error) if error.kind.is_source_wide() && !is_slow(&error) => return Err(error),
                Err(error) if batch.subqueries.len() > 1 && is_broken(&error) => {
                    answered = true;
                    for part in self.parts(&batch) {
                        if batch.pace() == RefreshPace::Each {
                            waiting.push_front(part);
                        } else {
                            waiting.push_back(part);
                        }
                    }
                }
                Err(error) => {
                    self.fail(&batch, &error, at);
                    last_error = Some(error);
                }
            }
        }
        match last_error {
            Some(error) if !answered && is_slow(&error) => Err(error),
            _ => Ok(()),
        }
    }

    /// The queries that are due, those with the oldest attempt first.
    fn due(&self, subqueries: &[Arc<Subquery>], at: Timestamp) -> Vec<Arc<Subquery>> {
        let mut seen = HashSet::new();
        let record = |subquery: &Arc<Subquery>| self.0.get(&subquery.key);
        let is_due = |subquery: &&Arc<Subquery>| {
            record(subquery).is_none_or(|record| record.is_due(subquery.pace, at))
        };
        let due = subqueries.iter().filter(|subquery| seen.insert(&subquery.key)).filter(is_due);
        let mut due: Vec<Arc<Subquery>> = due.cloned().collect();
        due.sort_by_key(|subquery| (subquery.pace, record(subquery).and_then(|record| record.tried)));
        due
    }

    /// Splits a failed batch, to find the broken query; single queries only if few are left.
    fn parts(&mut self, batch: &QueryBatch) -> Vec<QueryBatch> {
        let size = batch.subqueries.len().div_ceil(PARTS);
        if size == 1 {
            for subquery in &batch.subqueries {
                self.0.entry(subquery.key.clone()).or_default().is_suspect = true;
            }
            return batch.subqueries.iter().map(|subquery| QueryBatch::alone(Arc::clone(subquery))).collect();
        }
        batch.subqueries.chunks(size).flat_map(|subqueries| self.plan(subqueries)).collect()
    }

    /// The requests for these queries.
    fn plan(&self, subqueries: &[Arc<Subquery>]) -> Vec<QueryBatch> {
        let record = |subquery: &Subquery| self.0.get(&subquery.key);
        batch::plan(subqueries, |subquery| record(subquery).map_or(usize::MAX, QueryRecord::max_joined))
    }

    /// Stores the answers of a batch.
    fn note(&mut self, batch: &QueryBatch, samples: Vec<Sample>, at: Timestamp) {
        // a query that succeeds together with others did not cause the failure
        let was_alone = batch.subqueries.len() == 1;
        for (subquery, samples) in batch.subqueries.iter().zip(batch.split(samples)) {
            let record = self.0.entry(subquery.key.clone()).or_default();
            *record = QueryRecord {
                good: Some(GoodAnswer { at, samples: samples.into() }),
                tried: Some(at),
                is_suspect: record.is_suspect && !was_alone,
                most: record.most,
                ..QueryRecord::default()
            };
        }
    }

    /// Records a failure for all queries of a batch.
    fn fail(&mut self, batch: &QueryBatch, error: &SourceError, at: Timestamp) {
        for subquery in &batch.subqueries {
            let record = self.0.entry(subquery.key.clone()).or_default();
            record.failure = Some(said(&error.kind));
            record.tried = Some(at);
            record.failure_count = record.failure_count.saturating_add(1);
            if batch.subqueries.len() > 1 {
                record.most = (batch.subqueries.len() / 4).max(1);
            }
        }
    }
}

fn is_slow(error: &SourceError) -> bool {
    matches!(error.kind, ErrorKind::TimedOut { .. })
}

/// Whether a single query may have caused the failure, as opposed to the size of the request ("too many samples").
fn is_broken(error: &SourceError) -> bool {
    let ErrorKind::BadQuery { message } = &error.kind else { return false };
    !["too many", "limit", "exceed"].iter().any(|word| message.contains(word))
}

/// The text of an error; for a refused query only the server's message.
fn said(failure: &ErrorKind) -> Text {
    if let ErrorKind::BadQuery { message } = failure {
        message.as_str().into()
    } else {
        failure.to_string().into()
    }
}
