//! What was answered so far: the last value of each query with its time, and when it is due again.

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

/// What is asked rarely is asked again after this: with the round that comes then it is not older than ten minutes.
const RARELY: Duration = Duration::from_secs(570);
/// A query that failed is left alone so long, then twice as long each time, up to [`RARELY`].
const PAUSE: Duration = Duration::from_secs(30);
/// A value of what is asked each round stands in for a failure so long.
const KEPT: Duration = Duration::from_secs(600);

/// Into so many a batch is cut of which one query is broken.
const PARTS: usize = 8;

#[derive(Debug, Clone)]
pub(super) struct GoodAnswer {
    /// Of which moment it speaks.
    pub(super) at: Timestamp,
    pub(super) samples: Arc<[Sample]>,
}

/// What is known of one query.
#[derive(Debug, Clone, Default)]
struct QueryRecord {
    good: Option<GoodAnswer>,
    trouble: Option<Text>,
    tried: Option<Timestamp>,
    failures: u32,
    /// It may spoil what it is joined with.
    is_suspect: bool,
    /// Joined with more than this the server takes too long; 0: no such thing is known.
    most: usize,
}

impl QueryRecord {
    /// With how many it may be joined, itself included.
    fn max_joined(&self) -> usize {
        match (self.is_suspect, self.most) {
            (true, _) => 1,
            (false, 0) => usize::MAX,
            (false, most) => most,
        }
    }
}

/// All queries by their keys.
#[derive(Debug, Default)]
pub(super) struct QueryCache(HashMap<Text, QueryRecord>);

/// What one query came to, as far as is known by now.
#[derive(Debug, Clone, Default)]
pub(super) struct QueryOutcome {
    pub(super) good: Option<GoodAnswer>,
    /// What the server said instead.
    pub(super) trouble: Option<Text>,
}

fn since(then: Timestamp, at: Timestamp) -> Option<Duration> {
    Duration::try_from(at.duration_since(then)).ok()
}

impl QueryRecord {
    fn is_due(&self, pace: RefreshPace, at: Timestamp) -> bool {
        // a clock that was put back makes everything due
        let Some(waited) = self.tried.and_then(|tried| since(tried, at)) else { return true };
        match (self.failures, pace) {
            (0, RefreshPace::Each) => true,
            (0, RefreshPace::Rarely) => waited >= RARELY,
            (failures, RefreshPace::Each | RefreshPace::Rarely) => {
                waited >= PAUSE.saturating_mul(1 << (failures - 1).min(5)).min(RARELY)
            }
        }
    }

    fn shown(&self, pace: RefreshPace, at: Timestamp) -> QueryOutcome {
        let age = self.good.as_ref().and_then(|good| since(good.at, at)).unwrap_or_default();
        let is_kept = pace == RefreshPace::Rarely || age <= KEPT;
        let good = self.good.clone().filter(|_| is_kept);
        let trouble = self.trouble.as_ref().map(|said| match &good {
            Some(_) => format!("{said} (the value is of {} ago)", duration::short(age)).into(),
            None => said.clone(),
        });
        QueryOutcome { good, trouble }
    }
}

/// A batch and what became of it.
type FinishedBatch = (Arc<QueryBatch>, Result<Vec<Sample>, SourceError>);

async fn send_batch(call: &QuestionRequests<'_>, batch: Arc<QueryBatch>, at: Timestamp) -> FinishedBatch {
    let result = call.instant_all(&batch.query, Some(at)).await;
    (batch, result)
}

impl QueryCache {
    /// An empty one that knows from experience what must not be joined.
    pub(super) fn for_another_time(&self) -> Self {
        let known = self.0.iter().filter(|(_, record)| record.max_joined() < usize::MAX);
        let lesson = |record: &QueryRecord| QueryRecord {
            is_suspect: record.is_suspect,
            most: record.most,
            ..QueryRecord::default()
        };
        Self(known.map(|(key, record)| (key.clone(), lesson(record))).collect())
    }

    /// Forgets what is no longer asked for.
    pub(super) fn keep_only(&mut self, subqueries: &[Arc<Subquery>]) {
        let wanted: HashSet<&Text> = subqueries.iter().map(|subquery| &subquery.key).collect();
        self.0.retain(|key, _| wanted.contains(key));
    }

    /// What these queries came to.
    pub(super) fn shown(&self, subqueries: &[Arc<Subquery>], at: Timestamp) -> HashMap<Text, QueryOutcome> {
        let shown = |subquery: &Arc<Subquery>| {
            Some((subquery.key.clone(), self.0.get(&subquery.key)?.shown(subquery.pace, at)))
        };
        subqueries.iter().filter_map(shown).collect()
    }

    /// Asks for what is due, all of it at one moment. Each answer counts as soon as it is there, so that nothing is lost
    /// when this is dropped half-way. What is asked rarely gets no more time than `time_limit`; the rest comes next time.
    ///
    /// # Errors
    /// If the source as a whole is in trouble, or nothing at all was answered for want of time.
    pub(super) async fn fill(
        &mut self,
        call: &QuestionRequests<'_>,
        subqueries: &[Arc<Subquery>],
        at: Timestamp,
        time_limit: Duration,
    ) -> Result<(), SourceError> {
        let due: Vec<Arc<Subquery>> = self.due(subqueries, at);
        let max_joined =
            |subquery: &Subquery| self.0.get(&subquery.key).map_or(usize::MAX, QueryRecord::max_joined);
        let mut waiting: VecDeque<QueryBatch> = batch::plan(&due, max_joined).into();
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
                pending.push(send_batch(call, batch, at));
            }
            let is_frequent = |batch: &Arc<QueryBatch>| batch.pace == RefreshPace::Each;
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
                        "some numbers over long lookbacks are still missing: more come with each round",
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
                Err(error) if error.trouble.is_source_wide() && !is_slow(&error) => return Err(error),
                Err(error) if batch.subqueries.len() > 1 && is_broken(&error) => {
                    answered = true;
                    for part in self.parts(&batch) {
                        if batch.pace == RefreshPace::Each {
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

    /// What has not been answered for longest comes first.
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

    /// Smaller batches of the same, to find out which of them is broken: each alone only where there are few left.
    fn parts(&mut self, batch: &QueryBatch) -> Vec<QueryBatch> {
        let size = batch.subqueries.len().div_ceil(PARTS);
        if size == 1 {
            for subquery in &batch.subqueries {
                self.0.entry(subquery.key.clone()).or_default().is_suspect = true;
            }
            return batch.subqueries.iter().map(|subquery| QueryBatch::alone(Arc::clone(subquery))).collect();
        }
        let max_joined =
            |subquery: &Subquery| self.0.get(&subquery.key).map_or(usize::MAX, QueryRecord::max_joined);
        batch.subqueries.chunks(size).flat_map(|subqueries| batch::plan(subqueries, max_joined)).collect()
    }

    fn note(&mut self, batch: &QueryBatch, samples: Vec<Sample>, at: Timestamp) {
        // among others that are well it was not this one that spoilt the batch
        let was_alone = batch.subqueries.len() == 1;
        for (subquery, samples) in batch.subqueries.iter().zip(batch.split(samples)) {
            let record = self.0.entry(subquery.key.clone()).or_default();
            let good = Some(GoodAnswer { at, samples: samples.into() });
            let is_suspect = record.is_suspect && !was_alone;
            *record = QueryRecord {
                good,
                tried: Some(at),
                is_suspect,
                most: record.most,
                ..QueryRecord::default()
            };
        }
    }

    fn fail(&mut self, batch: &QueryBatch, error: &SourceError, at: Timestamp) {
        for subquery in &batch.subqueries {
            let record = self.0.entry(subquery.key.clone()).or_default();
            record.trouble = Some(said(&error.trouble));
            record.tried = Some(at);
            record.failures = record.failures.saturating_add(1);
            if batch.subqueries.len() > 1 {
                record.most = (batch.subqueries.len() / 4).max(1);
            }
        }
    }
}

fn is_slow(error: &SourceError) -> bool {
    matches!(error.trouble, ErrorKind::TimedOut { .. })
}

/// Whether one of the queries may be to blame, and not all of them together: "too many samples".
fn is_broken(error: &SourceError) -> bool {
    let ErrorKind::BadQuery { message } = &error.trouble else { return false };
    !["too many", "limit", "exceed"].iter().any(|word| message.contains(word))
}

/// Of a refused query what the server said is enough.
fn said(trouble: &ErrorKind) -> Text {
    if let ErrorKind::BadQuery { message } = trouble {
        message.as_str().into()
    } else {
        trouble.to_string().into()
    }
}
