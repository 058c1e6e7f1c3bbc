//! Runs the effects that `update` returns for sources and actions: each runs as a task and sends its results as reports.

use std::collections::HashMap;
use std::io;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use jiff::SignedDuration;
use tokio::sync::{Mutex, mpsc};
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use crate::app::event::{Arrival, Event, Message, Plan, Tone};
use crate::model::action::{ActionProgress, ActionResult};
use crate::model::ask::Question;
use crate::model::journal::ActionRecord;
use crate::model::labels::Text;
use crate::model::saved_query::StoreChange;
use crate::model::source::{ErrorKind, SourceError};

use super::context::{ContextHandle, ContextOpener, GatedSources};
use super::executor::{Executor, ReadBackResult};
use super::failpoint;
use super::gate::{Gates, SourceGate, panic_text};
use super::input;
use super::pager;
use super::query_store;
use super::recovery::{self, OpenActions};
use super::task_report::TaskReport;

/// The capacity of the channel to the loop; when it is full, tasks wait, and the loop does not.
const REPORT_CHANNEL_SIZE: usize = 64;
/// How long building the sources of a context may take (a program that prints a secret may hang).
const OPEN_CONTEXT_TIMEOUT: Duration = Duration::from_secs(30);

/// The waits between attempts to read back an action whose result is unknown; 20 minutes in total.
const READ_BACK_WAITS: [Duration; 6] = [
    Duration::from_secs(15),
    Duration::from_secs(30),
    Duration::from_secs(60),
    Duration::from_secs(120),
    Duration::from_secs(300),
    Duration::from_secs(675),
];

/// How far back the screen shows actions of the journal.
const SHOWN_ACTIONS_RANGE: SignedDuration = SignedDuration::from_hours(7 * 24);
/// The most actions of the journal that the screen shows.
const MAX_SHOWN_ACTIONS: usize = 2000;

/// A task in flight, which is cancelled when this is dropped.
struct Running {
    id: u64,
    task: AbortHandle,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Starts tasks for effects, and holds the tasks in flight and the gate of each source.
pub(super) struct EffectRunner {
    executor: Executor,
    contexts: Option<ContextOpener>,
    gates: Gates,
    running: HashMap<Question, Running>,
    reports: mpsc::Sender<TaskReport>,
    last_id: u64,
    opening_context: Option<Running>,
    /// The file of saved views and the history of queries. One task at a time changes it, in the order of the changes.
    queries: Option<Arc<Mutex<PathBuf>>>,
}

impl EffectRunner {
    pub(super) fn new(
        sources: &GatedSources,
        contexts: Option<ContextOpener>,
        executor: Executor,
    ) -> (Self, mpsc::Receiver<TaskReport>) {
        let (reports, inbox) = mpsc::channel(REPORT_CHANNEL_SIZE);
        let gates = sources.gates(executor.clock);
        let running = HashMap::new();
        (
            Self {
                executor,
                contexts,
                gates,
                running,
                reports,
                last_id: 0,
                opening_context: None,
                queries: None,
            },
            inbox,
        )
    }

    /// The same with a file of saved views and the history of queries.
    pub(super) fn with_queries(self, path: Option<PathBuf>) -> Self {
        Self { queries: path.map(|path| Arc::new(Mutex::new(path))), ..self }
    }

    /// Changes the saved views or the history of queries, if there is a change, and reads them.
    pub(super) fn access_queries(&self, change: Option<StoreChange>) {
        let Some(queries) = self.queries.clone() else { return };
        let reports = self.reports.clone();
        tokio::spawn(async move {
            // a tokio lock is fair: changes are made in the order in which they were requested
            let path = queries.lock().await;
            let file = path.clone();
            let accessed = tokio::task::spawn_blocking(move || match change {
                Some(change) => query_store::change(&file, change),
                None => query_store::read(&file),
            });
            let accessed =
                accessed.await.unwrap_or_else(|_| Err(io::Error::other("burnwatch failed (a bug)")));
            let event = match accessed {
                Ok(store) => Event::QueriesRead(store),
                Err(error) => {
                    let text = format!("{}: {error}; views and history are not saved", path.display());
                    Event::MessageReceived(Message { tone: Tone::Trouble, text })
                }
            };
            reports.send(TaskReport::Ready(event)).await.ok();
        });
    }

    /// Sends a question to its source, unless the same question is already in flight.
    pub(super) fn fetch(&mut self, question: Question) {
        if self.running.contains_key(&question) {
            return;
        }
        let id = self.next_id();
        let gate = self.gates.get(&question.source).cloned();
        let (reports, asked) = (self.reports.clone(), question.clone());
        let task = tokio::spawn(async move {
            let asking = AssertUnwindSafe(ask(gate, asked.clone())).catch_unwind();
            // a panic must become an answer, too: otherwise the question would stay in flight and never be sent again
            let arrival = asking.await.unwrap_or_else(|payload| {
                failed_arrival(asked, ErrorKind::Internal { reason: panic_text(payload.as_ref()) })
            });
            // a closed channel means that burnwatch is leaving
            reports.send(TaskReport::Arrived { id, arrival: Box::new(arrival) }).await.ok();
        });
        self.running.insert(question, Running { id, task: task.abort_handle() });
    }

    /// Runs a plan through the executor. The plan continues if another context is entered meanwhile; actions whose result is
    /// unknown are read back again later.
    pub(super) fn act(&self, plan: Plan) {
        let (id, count, reports) = (plan.id, plan.actions.len(), self.reports.clone());
        let (executor, gates) = (self.executor.clone(), self.gates.clone());
        tokio::spawn(async move {
            let executing = executor.clone().pass(plan, gates.clone(), reports.clone());
            let payload = match AssertUnwindSafe(executing).catch_unwind().await {
                Ok(open) => return read_back_later(&executor, &gates, (id, open), &reports).await,
                Err(payload) => payload,
            };
            // `update` ignores this for actions that have already ended
            let words: Text = format!(
                "burnwatch failed during this action ({}); its result is read back at the next start",
                panic_text(payload.as_ref())
            )
            .into();
            for index in 0..count {
                let progress = ActionProgress::Ended(ActionResult::Unknown { words: Text::clone(&words) });
                reports
                    .send(TaskReport::Ready(Event::ActionProgressed { plan: id, index, progress }))
                    .await
                    .ok();
            }
        });
    }

    /// Reads back the actions of earlier runs in this context whose result is unknown.
    pub(super) fn recover(&self) {
        let (executor, gates, reports) = (self.executor.clone(), self.gates.clone(), self.reports.clone());
        tokio::spawn(async move {
            let messages = match recovery::recover(&executor, &gates, OpenActions::Recent).await {
                Ok(found) => recovery::messages(&found),
                Err(error) => {
                    let text = format!("the journal cannot be read ({error}), so burnwatch runs no actions");
                    vec![Message { tone: Tone::Trouble, text }]
                }
            };
            for message in messages {
                reports.send(TaskReport::Ready(Event::MessageReceived(message))).await.ok();
            }
        });
    }

    /// Reads the actions of the last days from the journal.
    pub(super) fn load_journal(&self) {
        let Some(journal) = self.executor.journal.clone() else { return };
        let (since, reports) =
            (self.executor.clock.now().checked_sub(SHOWN_ACTIONS_RANGE), self.reports.clone());
        tokio::spawn(async move {
            // `recover` has already reported that the journal cannot be read
            let Ok(reported) = journal.read().await else { return };
            let is_late = |record: &ActionRecord| since.as_ref().is_ok_and(|since| record.begun_at >= *since);
            let mut records: Vec<ActionRecord> = reported.records.into_iter().filter(is_late).collect();
            let surplus = records.len().saturating_sub(MAX_SHOWN_ACTIONS);
            reports.send(TaskReport::Ready(Event::JournalRead(records.split_off(surplus)))).await.ok();
        });
    }

    /// Reports after a delay that it is over.
    pub(super) fn wake(&self, after: Duration, move_number: u64) {
        let reports = self.reports.clone();
        tokio::spawn(async move {
            sleep(after).await;
            reports.send(TaskReport::Ready(Event::Woken { move_number })).await.ok();
        });
    }

    /// Runs the pager with these bytes on its standard input; reports its end.
    pub(super) fn page(&self, bytes: Arc<[u8]>) {
        let reports = self.reports.clone();
        tokio::spawn(async move {
            // the thread that reads keys must not take those of the pager
            tokio::task::spawn_blocking(input::pause).await.ok();
            reports.send(TaskReport::PagerEnded(pager::run(&bytes).await)).await.ok();
        });
    }

    /// Sends an event to the loop, unless the channel is full.
    pub(super) fn tell(&self, event: Event) {
        self.reports.try_send(TaskReport::Ready(event)).ok();
    }

    /// Cancels a question in flight.
    pub(super) fn forget(&mut self, question: &Question) {
        self.running.remove(question);
    }

    /// Opens another context on a blocking thread. If several are requested, only the last one is entered.
    pub(super) fn enter(&mut self, context: Text) {
        let id = self.next_id();
        let (reports, contexts) = (self.reports.clone(), self.contexts.clone());
        let task = tokio::spawn(async move {
            let opened = match contexts {
                Some(contexts) => build(contexts, Text::clone(&context)).await,
                None => Err("there are no other contexts".to_owned()),
            };
            reports.send(TaskReport::Built { id, context, opened }).await.ok();
        });
        self.opening_context = Some(Running { id, task: task.abort_handle() });
    }

    /// Turns a report into an event for `update`; None for reports of cancelled work.
    pub(super) fn take(&mut self, report: TaskReport) -> Option<Event> {
        match report {
            TaskReport::Arrived { id, arrival } => {
                if self.running.get(&arrival.question).is_some_and(|running| running.id == id) {
                    self.running.remove(&arrival.question);
                }
                // an answer that took no time was refused by the gate, which repeats an error that is already logged
                if let Err(error) = &arrival.answered
                    && !arrival.took.is_zero()
                {
                    tracing::info!(%error, ask = arrival.question.ask.kind().word(), "no answer");
                }
                Some(Event::Answered(arrival))
            }
            TaskReport::Ready(event) => Some(event),
            // only the event loop starts a pager, and takes this report itself
            TaskReport::PagerEnded(_) => None,
            TaskReport::Built { id, .. }
                if self.opening_context.as_ref().is_none_or(|latest| latest.id != id) =>
            {
                None
            }
            TaskReport::Built { context, opened, .. } => {
                self.opening_context = None;
                Some(match opened {
                    Ok(ContextHandle { sources, guard, production }) => {
                        self.running.clear();
                        self.gates = sources.gates(self.executor.clock);
                        (self.executor.context, self.executor.guard) = (Text::clone(&context), guard.clone());
                        self.recover();
                        tracing::info!(%context, "entered");
                        Event::Entered { context, sources: sources.infos(), guard, production }
                    }
                    Err(reason) => {
                        tracing::warn!(%context, %reason, "not entered");
                        let text = format!(
                            "{context}: cannot enter this context ({reason}); the current context stays open"
                        );
                        Event::MessageReceived(Message { tone: Tone::Trouble, text })
                    }
                })
            }
        }
    }

    fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }
}

/// Reads back, while the screen is open, the actions of a plan whose result is unknown, and reports those with a known result.
async fn read_back_later(
    executor: &Executor,
    gates: &Gates,
    (plan, mut open): (u64, Vec<(usize, Text)>),
    reports: &mpsc::Sender<TaskReport>,
) {
    for wait in READ_BACK_WAITS {
        if open.is_empty() {
            return;
        }
        sleep(wait).await;
        // after an error, try again after the next wait
        let Ok(found) = recovery::recover(executor, gates, OpenActions::Recent).await else { continue };
        for (record, seen) in found {
            let at = open.iter().position(|(_, act)| *act == record.act);
            if let (Some(at), ReadBackResult::Is(how)) = (at, seen) {
                let (index, _) = open.swap_remove(at);
                let progress = ActionProgress::Ended(how);
                reports.send(TaskReport::Ready(Event::ActionProgressed { plan, index, progress })).await.ok();
            }
        }
    }
}

/// Opens a context on a blocking thread, with a time-out.
async fn build(contexts: ContextOpener, context: Text) -> Result<ContextHandle, String> {
    let built = tokio::task::spawn_blocking(move || contexts(&context));
    match timeout(OPEN_CONTEXT_TIMEOUT, built).await {
        Ok(Ok(opened)) => opened.map_err(|error| error.to_string()),
        Ok(Err(_)) => {
            Err("burnwatch failed while creating its sources (a bug); the log has the details".to_owned())
        }
        Err(_) => Err(format!("it took longer than {}s", OPEN_CONTEXT_TIMEOUT.as_secs())),
    }
}

/// Sends a question through its source's gate; answers with an error if there is no such source.
async fn ask(gate: Option<Arc<SourceGate>>, question: Question) -> Arrival {
    failpoint::at("task");
    if let Some(gate) = gate {
        return gate.ask(question).await;
    }
    let what = "anything: there is no such source in this context".to_owned();
    failed_arrival(question, ErrorKind::NotOffered { what })
}

/// An error as the answer to a question that was not sent.
fn failed_arrival(question: Question, failure: ErrorKind) -> Arrival {
    let answered = Err(SourceError::new(question.source.clone(), failure));
    Arrival { question, answered, took: Duration::ZERO }
}

#[cfg(test)]
mod tests;
