//! Performs what `update` wants done with sources: questions run as tasks, their answers come back as reports.

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use jiff::SignedDuration;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use crate::app::event::{Arrival, Event, Message, Plan, Tone};
use crate::backend::Source;
use crate::config::settings::LimitSettings;
use crate::model::action::{ActionResult, Progress};
use crate::model::ask::Question;
use crate::model::guard::Guard;
use crate::model::journal::Record;
use crate::model::labels::Text;
use crate::model::source::{SourceError, SourceId, Trouble};
use crate::model::source_info::SourceInfo;

use super::drill;
use super::executor::{Executor, Gates, Seen};
use super::gate::{Gate, panic_text};
use super::journal::JournalError;
use super::recovery::{self, Open};

/// Answers that wait for the loop; beyond that the tasks wait, not the loop.
const REPORTS: usize = 64;
/// How long a context may take to build its sources (a program that fetches a secret may hang).
const ENTERING: Duration = Duration::from_secs(30);

/// After these waits it is looked again at what an action left unknown; 20 minutes in all.
const LATER: [Duration; 6] = [
    Duration::from_secs(15),
    Duration::from_secs(30),
    Duration::from_secs(60),
    Duration::from_secs(120),
    Duration::from_secs(300),
    Duration::from_secs(675),
];

/// How far back the screen tells what was done.
const RECALLED: SignedDuration = SignedDuration::from_hours(7 * 24);
const MOST_RECALLED: usize = 2000;

/// The sources of a context, and what may be spent on asking each.
#[derive(Clone)]
pub struct Sources {
    list: Vec<Arc<dyn Source>>,
    limits: LimitSettings,
}

impl Sources {
    pub fn new(list: Vec<Arc<dyn Source>>, limits: LimitSettings) -> Self {
        Self { list, limits }
    }

    pub fn infos(&self) -> Vec<SourceInfo> {
        self.list.iter().map(|source| source.info().clone()).collect()
    }
}

/// What is found behind the name of a context.
pub struct Entrance {
    pub sources: Sources,
    /// What it forbids or asks twice for.
    pub guard: Guard,
    pub production: bool,
}

/// Builds the sources of the context of this name. May block; its error is shown to the person.
pub type Contexts = Arc<dyn Fn(&str) -> Result<Entrance, Box<dyn Error + Send + Sync>> + Send + Sync>;

pub(super) enum Report {
    /// A question was answered.
    Arrived { id: u64, arrival: Box<Arrival> },
    /// An action is further than before.
    Acted { plan: u64, index: usize, progress: Progress },
    /// What the journal tells of the last days.
    Recalled(Vec<Record>),
    /// The person is to be told this.
    Told(Message),
    /// A context's sources are built, or cannot be.
    Built { id: u64, context: Text, entrance: Result<Entrance, String> },
}

struct Running {
    id: u64,
    task: AbortHandle,
}

/// The tasks in flight, and the gates that they pass.
pub(super) struct Performer {
    executor: Executor,
    contexts: Option<Contexts>,
    gates: BTreeMap<SourceId, Arc<Gate>>,
    running: HashMap<Question, Running>,
    reports: mpsc::Sender<Report>,
    last_id: u64,
    entering: Option<(u64, AbortHandle)>,
}

impl Performer {
    pub(super) fn new(
        sources: &Sources,
        contexts: Option<Contexts>,
        executor: Executor,
    ) -> (Self, mpsc::Receiver<Report>) {
        let (reports, inbox) = mpsc::channel(REPORTS);
        let mut performer = Self {
            executor,
            contexts,
            gates: BTreeMap::new(),
            running: HashMap::new(),
            reports,
            last_id: 0,
            entering: None,
        };
        performer.install(sources);
        (performer, inbox)
    }

    fn install(&mut self, sources: &Sources) {
        self.forget_all();
        let gate = |source: &Arc<dyn Source>| {
            let gate = Gate::new(Arc::clone(source), &sources.limits, self.executor.clock);
            (source.info().id.clone(), Arc::new(gate))
        };
        self.gates = sources.list.iter().map(gate).collect();
    }

    /// Puts a question, unless the same one is already in flight.
    pub(super) fn fetch(&mut self, question: Question) {
        if self.running.contains_key(&question) {
            return;
        }
        let id = self.next_id();
        let gate = self.gates.get(&question.source).cloned();
        let (reports, asked) = (self.reports.clone(), question.clone());
        let task = tokio::spawn(async move {
            let asking = AssertUnwindSafe(ask(gate, asked.clone())).catch_unwind();
            // without an answer it would be taken for a question that is still out, and never be put again
            let arrival = asking.await.unwrap_or_else(|payload| {
                unanswered(asked, Trouble::Internal { reason: panic_text(payload.as_ref()) })
            });
            // a closed channel means that burnwatch is leaving
            reports.send(Report::Arrived { id, arrival: Box::new(arrival) }).await.ok();
        });
        self.running.insert(question, Running { id, task: task.abort_handle() });
    }

    /// Does what a plan says, as far as the executor lets it. It goes on whatever context is entered meanwhile; what is unknown at
    /// its end is looked at again later.
    pub(super) fn act(&self, plan: Plan) {
        let (id, count, reports) = (plan.id, plan.actions.len(), self.reports.clone());
        let (executor, gates) = (self.executor.clone(), self.gates.clone());
        tokio::spawn(async move {
            let executing = executor.clone().pass(plan, gates.clone(), reports.clone());
            let payload = match AssertUnwindSafe(executing).catch_unwind().await {
                Ok(open) => return look_later(&executor, &gates, (id, open), &reports).await,
                Err(payload) => payload,
            };
            // those that had ended before keep their ending
            let words: Text = format!(
                "burnwatch failed half-way ({}); it is read back at the next start",
                panic_text(payload.as_ref())
            )
            .into();
            for index in 0..count {
                let progress = Progress::Ended(ActionResult::Unknown { words: Text::clone(&words) });
                reports.send(Report::Acted { plan: id, index, progress }).await.ok();
            }
        });
    }

    /// Reads back what an earlier run left open in this context.
    pub(super) fn recover(&self) {
        let (executor, gates, reports) = (self.executor.clone(), self.gates.clone(), self.reports.clone());
        tokio::spawn(async move {
            let messages = match recovery::recover(&executor, &gates, Open::Lately).await {
                Ok(found) => recovery::messages(&found),
                Err(error) => {
                    let text = format!("the journal cannot be read ({error}): nothing can be done from here");
                    vec![Message { tone: Tone::Trouble, text }]
                }
            };
            for message in messages {
                reports.send(Report::Told(message)).await.ok();
            }
        });
    }

    /// Reads what the journal tells of the last days.
    pub(super) fn recall(&self) {
        let Some(journal) = self.executor.journal.clone() else { return };
        let (since, reports) = (self.executor.clock.now().checked_sub(RECALLED), self.reports.clone());
        tokio::spawn(async move {
            // that it cannot be read was said at the start
            let Ok(told) = journal.read().await else { return };
            let is_late = |record: &Record| since.as_ref().is_ok_and(|since| record.begun_at >= *since);
            let mut records: Vec<Record> = told.records.into_iter().filter(is_late).collect();
            let surplus = records.len().saturating_sub(MOST_RECALLED);
            reports.send(Report::Recalled(records.split_off(surplus))).await.ok();
        });
    }

    /// As [`Self::recover`], for one who waits for it.
    pub(super) async fn recover_now(&self, which: Open) -> Result<Vec<(Record, Seen)>, JournalError> {
        recovery::recover(&self.executor, &self.gates, which).await
    }

    pub(super) fn forget(&mut self, question: &Question) {
        if let Some(running) = self.running.remove(question) {
            running.task.abort();
        }
    }

    /// Builds the sources of another context off the loop; only the last one that was asked for is entered.
    pub(super) fn enter(&mut self, context: Text) {
        let id = self.next_id();
        if let Some((_, earlier)) = self.entering.take() {
            earlier.abort();
        }
        let (reports, contexts) = (self.reports.clone(), self.contexts.clone());
        let task = tokio::spawn(async move {
            let entrance = match contexts {
                Some(contexts) => build(contexts, Text::clone(&context)).await,
                None => Err("there are no other contexts here".to_owned()),
            };
            reports.send(Report::Built { id, context, entrance }).await.ok();
        });
        self.entering = Some((id, task.abort_handle()));
    }

    /// What a report means for `update`, if anything.
    pub(super) fn take(&mut self, report: Report) -> Option<Event> {
        match report {
            Report::Arrived { id, arrival } => {
                if self.running.get(&arrival.question).is_some_and(|running| running.id == id) {
                    self.running.remove(&arrival.question);
                }
                // what took no time was refused here, and its error logged before
                if let Err(error) = &arrival.answered
                    && !arrival.took.is_zero()
                {
                    tracing::info!(%error, ask = arrival.question.ask.kind().word(), "no answer");
                }
                Some(Event::Answered(arrival))
            }
            Report::Acted { plan, index, progress } => Some(Event::Acted { plan, index, progress }),
            Report::Recalled(records) => Some(Event::Recalled(records)),
            Report::Told(message) => Some(Event::Told(message)),
            Report::Built { id, .. } if self.entering.as_ref().is_none_or(|(latest, _)| *latest != id) => {
                None
            }
            Report::Built { context, entrance, .. } => {
                self.entering = None;
                Some(match entrance {
                    Ok(Entrance { sources, guard, production }) => {
                        self.install(&sources);
                        (self.executor.context, self.executor.guard) = (Text::clone(&context), guard.clone());
                        self.recover();
                        tracing::info!(%context, "entered");
                        Event::Entered { context, sources: sources.infos(), guard, production }
                    }
                    Err(reason) => {
                        tracing::warn!(%context, %reason, "not entered");
                        let text = format!("{context}: cannot enter this context ({reason}); staying here");
                        Event::Told(Message { tone: Tone::Trouble, text })
                    }
                })
            }
        }
    }

    fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    fn forget_all(&mut self) {
        for (_, running) in self.running.drain() {
            running.task.abort();
        }
    }
}

impl Drop for Performer {
    fn drop(&mut self) {
        self.forget_all();
    }
}

/// Looks again, while the screen is open, at what a plan left unknown; what turns out to be done is told.
async fn look_later(
    executor: &Executor,
    gates: &Gates,
    (plan, mut open): (u64, Vec<(usize, Text)>),
    reports: &mpsc::Sender<Report>,
) {
    for wait in LATER {
        if open.is_empty() {
            return;
        }
        sleep(wait).await;
        // what cannot be read is looked at another time
        let Ok(found) = recovery::recover(executor, gates, Open::Lately).await else { continue };
        for (record, seen) in found {
            let at = open.iter().position(|(_, act)| *act == record.act);
            if let (Some(at), Seen::Is(how)) = (at, seen) {
                let (index, _) = open.swap_remove(at);
                let progress = Progress::Ended(how);
                reports.send(Report::Acted { plan, index, progress }).await.ok();
            }
        }
    }
}

async fn build(contexts: Contexts, context: Text) -> Result<Entrance, String> {
    let built = tokio::task::spawn_blocking(move || contexts(&context));
    match timeout(ENTERING, built).await {
        Ok(Ok(entrance)) => entrance.map_err(|error| error.to_string()),
        Ok(Err(_)) => Err("burnwatch failed while building its sources; the log has the details".to_owned()),
        Err(_) => Err(format!("it took longer than {}s", ENTERING.as_secs())),
    }
}

async fn ask(gate: Option<Arc<Gate>>, question: Question) -> Arrival {
    drill::at("task");
    if let Some(gate) = gate {
        return gate.ask(question).await;
    }
    let what = "anything: there is no such source in this context".to_owned();
    unanswered(question, Trouble::NotOffered { what })
}

fn unanswered(question: Question, trouble: Trouble) -> Arrival {
    let answered = Err(SourceError::new(question.source.clone(), trouble));
    Arrival { question, answered, took: Duration::ZERO }
}

#[cfg(test)]
mod tests;
