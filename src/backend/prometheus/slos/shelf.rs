//! What was answered so far: the last value of each query with its time, and when it is due again.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use jiff::Timestamp;
use tokio::time::{Instant, timeout_at};

use super::batch::{self, Batch};
use super::leaf::{Leaf, Pace};
use crate::backend::prometheus::call::{AT_ONCE, Call};
use crate::backend::prometheus::wire::Sample;
use crate::model::duration;
use crate::model::labels::Text;
use crate::model::source::{SourceError, Trouble};
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
pub(super) struct Good {
    /// Of which moment it speaks.
    pub(super) at: Timestamp,
    pub(super) samples: Arc<[Sample]>,
}

/// What is known of one query.
#[derive(Debug, Clone, Default)]
struct Book {
    good: Option<Good>,
    trouble: Option<Text>,
    tried: Option<Timestamp>,
    failures: u32,
    /// It may spoil what it is joined with.
    is_suspect: bool,
    /// Joined with more than this the server takes too long; 0: no such thing is known.
    most: usize,
}

impl Book {
    /// With how many it may be joined, itself included.
    fn room(&self) -> usize {
        match (self.is_suspect, self.most) {
            (true, _) => 1,
            (false, 0) => usize::MAX,
            (false, most) => most,
        }
    }
}

/// All queries by their keys.
#[derive(Debug, Default)]
pub(super) struct Shelf(HashMap<Text, Book>);

/// What one query came to, as far as is known by now.
#[derive(Debug, Clone, Default)]
pub(super) struct Shown {
    pub(super) good: Option<Good>,
    /// What the server said instead.
    pub(super) trouble: Option<Text>,
}

fn since(then: Timestamp, at: Timestamp) -> Option<Duration> {
    Duration::try_from(at.duration_since(then)).ok()
}

impl Book {
    fn is_due(&self, pace: Pace, at: Timestamp) -> bool {
        // a clock that was put back makes everything due
        let Some(waited) = self.tried.and_then(|tried| since(tried, at)) else { return true };
        match (self.failures, pace) {
            (0, Pace::Each) => true,
            (0, Pace::Rarely) => waited >= RARELY,
            (failures, Pace::Each | Pace::Rarely) => {
                waited >= PAUSE.saturating_mul(1 << (failures - 1).min(5)).min(RARELY)
            }
        }
    }

    fn shown(&self, pace: Pace, at: Timestamp) -> Shown {
        let age = self.good.as_ref().and_then(|good| since(good.at, at)).unwrap_or_default();
        let is_kept = pace == Pace::Rarely || age <= KEPT;
        let good = self.good.clone().filter(|_| is_kept);
        let trouble = self.trouble.as_ref().map(|said| match &good {
            Some(_) => format!("{said} (the value is of {} ago)", duration::short(age)).into(),
            None => said.clone(),
        });
        Shown { good, trouble }
    }
}

/// A batch and what became of it.
type Done = (Arc<Batch>, Result<Vec<Sample>, SourceError>);

async fn put(call: &Call<'_>, batch: Arc<Batch>, at: Timestamp) -> Done {
    let result = call.instant_all(&batch.query, Some(at)).await;
    (batch, result)
}

impl Shelf {
    /// An empty one that knows from experience what must not be joined.
    pub(super) fn for_another_time(&self) -> Self {
        let known = self.0.iter().filter(|(_, book)| book.room() < usize::MAX);
        let lesson = |book: &Book| Book { is_suspect: book.is_suspect, most: book.most, ..Book::default() };
        Self(known.map(|(key, book)| (key.clone(), lesson(book))).collect())
    }

    /// Forgets what is no longer asked for.
    pub(super) fn keep_only(&mut self, leaves: &[Arc<Leaf>]) {
        let wanted: HashSet<&Text> = leaves.iter().map(|leaf| &leaf.key).collect();
        self.0.retain(|key, _| wanted.contains(key));
    }

    /// What these queries came to.
    pub(super) fn shown(&self, leaves: &[Arc<Leaf>], at: Timestamp) -> HashMap<Text, Shown> {
        let shown = |leaf: &Arc<Leaf>| Some((leaf.key.clone(), self.0.get(&leaf.key)?.shown(leaf.pace, at)));
        leaves.iter().filter_map(shown).collect()
    }

    /// Asks for what is due, all of it at one moment. Each answer counts as soon as it is there, so that nothing is lost
    /// when this is dropped half-way. What is asked rarely gets no more time than `patience`; the rest comes next time.
    ///
    /// # Errors
    /// If the source as a whole is in trouble, or nothing at all was answered for want of time.
    pub(super) async fn fill(
        &mut self,
        call: &Call<'_>,
        leaves: &[Arc<Leaf>],
        at: Timestamp,
        patience: Duration,
    ) -> Result<(), SourceError> {
        let due: Vec<Arc<Leaf>> = self.due(leaves, at);
        let room = |leaf: &Leaf| self.0.get(&leaf.key).map_or(usize::MAX, Book::room);
        let mut waiting: VecDeque<Batch> = batch::plan(&due, room).into();
        let deadline = Instant::now() + patience;
        let mut flying: Vec<Arc<Batch>> = Vec::new();
        let mut pending = FuturesUnordered::new();
        let (mut answered, mut last_error) = (false, None);
        loop {
            while flying.len() < AT_ONCE
                && let Some(batch) = waiting.pop_front()
            {
                let batch = Arc::new(batch);
                flying.push(Arc::clone(&batch));
                pending.push(put(call, batch, at));
            }
            let is_frequent = |batch: &Arc<Batch>| batch.pace == Pace::Each;
            let next = if flying.iter().any(is_frequent) {
                Ok(pending.next().await)
            } else {
                timeout_at(deadline, pending.next()).await
            };
            let Ok(next) = next else {
                let slow = call.server.http.error(Trouble::TimedOut { after: patience });
                for batch in &flying {
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
            flying.retain(|other| !Arc::ptr_eq(other, &batch));
            match result {
                Ok(samples) => {
                    answered = true;
                    self.note(&batch, samples, at);
                }
                Err(error) if error.trouble.is_source_wide() && !is_slow(&error) => return Err(error),
                Err(error) if batch.leaves.len() > 1 && is_broken(&error) => {
                    answered = true;
                    for part in self.parts(&batch) {
                        if batch.pace == Pace::Each {
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
    fn due(&self, leaves: &[Arc<Leaf>], at: Timestamp) -> Vec<Arc<Leaf>> {
        let mut seen = HashSet::new();
        let book = |leaf: &Arc<Leaf>| self.0.get(&leaf.key);
        let is_due = |leaf: &&Arc<Leaf>| book(leaf).is_none_or(|book| book.is_due(leaf.pace, at));
        let due = leaves.iter().filter(|leaf| seen.insert(&leaf.key)).filter(is_due);
        let mut due: Vec<Arc<Leaf>> = due.cloned().collect();
        due.sort_by_key(|leaf| (leaf.pace, book(leaf).and_then(|book| book.tried)));
        due
    }

    /// Smaller batches of the same, to find out which of them is broken: each alone only where there are few left.
    fn parts(&mut self, batch: &Batch) -> Vec<Batch> {
        let size = batch.leaves.len().div_ceil(PARTS);
        if size == 1 {
            for leaf in &batch.leaves {
                self.0.entry(leaf.key.clone()).or_default().is_suspect = true;
            }
            return batch.leaves.iter().map(|leaf| Batch::alone(Arc::clone(leaf))).collect();
        }
        let room = |leaf: &Leaf| self.0.get(&leaf.key).map_or(usize::MAX, Book::room);
        batch.leaves.chunks(size).flat_map(|leaves| batch::plan(leaves, room)).collect()
    }

    fn note(&mut self, batch: &Batch, samples: Vec<Sample>, at: Timestamp) {
        // among others that are well it was not this one that spoilt the batch
        let was_alone = batch.leaves.len() == 1;
        for (leaf, samples) in batch.leaves.iter().zip(batch.split(samples)) {
            let book = self.0.entry(leaf.key.clone()).or_default();
            let good = Some(Good { at, samples: samples.into() });
            let is_suspect = book.is_suspect && !was_alone;
            *book = Book { good, tried: Some(at), is_suspect, most: book.most, ..Book::default() };
        }
    }

    fn fail(&mut self, batch: &Batch, error: &SourceError, at: Timestamp) {
        for leaf in &batch.leaves {
            let book = self.0.entry(leaf.key.clone()).or_default();
            book.trouble = Some(said(&error.trouble));
            book.tried = Some(at);
            book.failures = book.failures.saturating_add(1);
            if batch.leaves.len() > 1 {
                book.most = (batch.leaves.len() / 4).max(1);
            }
        }
    }
}

fn is_slow(error: &SourceError) -> bool {
    matches!(error.trouble, Trouble::TimedOut { .. })
}

/// Whether one of the queries may be to blame, and not all of them together: "too many samples".
fn is_broken(error: &SourceError) -> bool {
    let Trouble::BadQuery { message } = &error.trouble else { return false };
    !["too many", "limit", "exceed"].iter().any(|word| message.contains(word))
}

/// Of a refused query what the server said is enough.
fn said(trouble: &Trouble) -> Text {
    if let Trouble::BadQuery { message } = trouble {
        message.as_str().into()
    } else {
        trouble.to_string().into()
    }
}
