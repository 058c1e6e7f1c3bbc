//! The action executor: everything that changes an external system goes through it. It checks the guard, writes the journal
//! before and after, sends an action once, and reads it back if its result is unclear.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};

use crate::app::event::{Event, Message, Plan, Tone};
use crate::backend::Clock;
use crate::model::action::{Action, ActionError, ActionProgress, ActionResult, Verification};
use crate::model::guard::Guard;
use crate::model::journal::{JournalEntry, JournalStep};
use crate::model::labels::Text;
use crate::model::source::{ErrorKind, SourceError};

use super::failpoint;
use super::gate::{Gates, SourceGate};
use super::journal::{ActingMarker, Journal, JournalError};
use super::task_report::TaskReport;

/// How many actions of a plan run at the same time.
const MAX_CONCURRENT: usize = 4;
/// How long an action waits in total for a source with a rate limit.
const MAX_RETRY_WAIT: Duration = Duration::from_secs(120);
/// The first wait if the source does not say how long; each further wait doubles.
const FIRST_WAIT: Duration = Duration::from_secs(2);
/// The waits before each attempt to read back an action with an unclear result. An action that is not found may still be
/// done: the server, or a queue in front of it, may process it much later.
const READ_BACK_WAITS: [Duration; 3] =
    [Duration::from_secs(1), Duration::from_secs(3), Duration::from_secs(9)];
/// A request that was sent longer ago than this has been processed by now, or never will be.
const SETTLED_AFTER: SignedDuration = SignedDuration::from_secs(60);

/// Runs the actions of one context.
#[derive(Clone)]
pub struct Executor {
    /// The name of the context.
    pub context: Text,
    /// The guardrails of the context.
    pub guard: Guard,
    /// None: no action is run.
    pub journal: Option<Journal>,
    pub clock: Clock,
}

impl Executor {
    /// An executor that refuses every action.
    pub(super) fn closed(clock: Clock) -> Self {
        let guard = Guard::read_only("this verb is read-only");
        Self { context: "".into(), guard, journal: None, clock }
    }

    /// Runs the actions of a plan and reports the progress of each until all have ended. The plan continues if another context is
    /// entered meanwhile, because it holds the gates of its own sources. Returns the actions whose result is unknown: index in
    /// the plan and name in the journal.
    pub(super) async fn pass(
        self,
        plan: Plan,
        gates: Gates,
        reports: mpsc::Sender<TaskReport>,
    ) -> Vec<(usize, Text)> {
        let Self { context, guard, journal, clock } = self;
        let running = RunningPlan { plan: &plan, journal: journal.as_ref(), clock, reports };
        if let Some(why) = refusal(&plan, &context, &guard) {
            running.end_unsent(|_| Text::clone(&why)).await;
            return Vec::new();
        }
        if guard.dry_run {
            running.end_unsent(|action| dry_run_text(action, gates.get(&action.source))).await;
            return Vec::new();
        }
        let (acting_marker, acts) = match running.begin().await {
            Ok(begun) => begun,
            Err(error) => {
                running.end_unsent(|_| journal_failure(&error)).await;
                return Vec::new();
            }
        };
        let (plan, acts, gates, running) = (&plan, &acts, &gates, &running);
        let under_way = stream::iter(0..acts.len()).map(|index| async move {
            let (action, act) = (plan.actions.get(index)?, acts.get(index)?);
            let one = RunningAction { running, index, act, action };
            let ending = one.run(gates.get(&action.source)).await;
            let is_open = matches!(ending, ActionResult::Unknown { .. });
            one.tell(ActionProgress::Ended(ending)).await;
            is_open.then(|| (index, Text::clone(act)))
        });
        let open = under_way.buffer_unordered(MAX_CONCURRENT).filter_map(std::future::ready).collect().await;
        drop(acting_marker);
        open
    }
}

/// Why the whole plan is refused; None if its actions may run.
fn refusal(plan: &Plan, context: &Text, guard: &Guard) -> Option<Text> {
    if plan.context != *context {
        return Some(
            format!("confirmed in {}, but burnwatch is in {context} now; confirm again", plan.context).into(),
        );
    }
    guard.refusal(&plan.actions)
}

/// The result text of an action in a dry run: the requests that it would send.
fn dry_run_text(action: &Action, gate: Option<&Arc<SourceGate>>) -> Text {
    let requests = gate.map_or_else(Vec::new, |gate| gate.requests(action));
    if requests.is_empty() {
        return format!("dry run; {} does not support this action", action.source).into();
    }
    let requests: Vec<String> = requests.iter().map(ToString::to_string).collect();
    format!("dry run: {}", requests.join(", then ")).into()
}

fn journal_failure(error: &JournalError) -> Text {
    format!("nothing is sent without a journal, and the journal cannot be written: {error}").into()
}

/// The entry of the journal for one step of an action.
pub(super) fn entry(
    journal: &Journal,
    at: Timestamp,
    (context, act): (&Text, &Text),
    action: &Action,
    step: JournalStep,
) -> JournalEntry {
    let (act, who, context) = (Text::clone(act), Text::clone(journal.who()), Text::clone(context));
    JournalEntry { at, act, who, context, action: action.clone(), step }
}

/// A plan on its way through the executor.
struct RunningPlan<'a> {
    plan: &'a Plan,
    journal: Option<&'a Journal>,
    clock: Clock,
    reports: mpsc::Sender<TaskReport>,
}

impl RunningPlan<'_> {
    async fn tell(&self, index: usize, progress: ActionProgress) {
        // a closed channel means that burnwatch is leaving
        let event = Event::ActionProgressed { plan: self.plan.id, index, progress };
        self.reports.send(TaskReport::Ready(event)).await.ok();
    }

    /// Ends all actions of the plan without sending anything.
    async fn end_unsent(&self, why: impl Fn(&Action) -> Text) {
        for (index, action) in self.plan.actions.iter().enumerate() {
            self.tell(index, ActionProgress::Ended(ActionResult::Held { words: why(action) })).await;
        }
    }

    /// Writes to the journal that the plan was confirmed. Returns the lock of this process and the journal id of each action.
    async fn begin(&self) -> Result<(ActingMarker, Vec<Text>), JournalError> {
        let journal = self.journal.ok_or(JournalError::NoPlace)?;
        let acting_marker = journal.acting_marker().await?;
        let acts: Vec<Text> = self.plan.actions.iter().map(|_| journal.name()).collect();
        let (at, of) = (self.clock.now(), acts.len());
        let confirmed = self.plan.actions.iter().zip(&acts).enumerate().map(|(index, (action, act))| {
            let names = (&self.plan.context, act);
            entry(journal, at, names, action, JournalStep::Confirmed { nth: index + 1, of })
        });
        journal.write(confirmed.collect()).await?;
        Ok((acting_marker, acts))
    }
}

/// One action of a plan that is being run.
struct RunningAction<'a> {
    running: &'a RunningPlan<'a>,
    index: usize,
    act: &'a Text,
    action: &'a Action,
}

impl RunningAction<'_> {
    async fn tell(&self, progress: ActionProgress) {
        self.running.tell(self.index, progress).await;
    }

    /// Writes a step to the journal and returns its time.
    async fn write(&self, step: JournalStep) -> Result<Timestamp, JournalError> {
        let RunningPlan { plan, journal, clock, .. } = self.running;
        let (at, journal) = (clock.now(), journal.ok_or(JournalError::NoPlace)?);
        journal.write(vec![entry(journal, at, (&plan.context, self.act), self.action, step)]).await?;
        Ok(at)
    }

    /// Runs the action and writes its result to the journal.
    async fn run(&self, gate: Option<&Arc<SourceGate>>) -> ActionResult {
        let (how, read_back) = if let Some(gate) = gate {
            self.send(gate).await
        } else {
            let words = format!("there is no source {} in this context", self.action.source).into();
            (ActionResult::Held { words }, false)
        };
        if let Err(error) = self.write(JournalStep::Ended { how: how.clone(), read_back }).await {
            tracing::error!(%error, act = %self.act, ending = how.word(), "the result of an action is not in the journal");
            let (name, word) = (&self.action.target.name, how.word());
            let text = format!("{name}: {word}, but the result could not be written to the journal: {error}");
            let event = Event::MessageReceived(Message { tone: Tone::Trouble, text });
            self.running.reports.send(TaskReport::Ready(event)).await.ok();
        }
        how
    }

    /// Sends the action, and waits and retries if the source refuses it because of a rate limit. Returns the result, and whether
    /// it was found by reading back.
    async fn send(&self, gate: &SourceGate) -> (ActionResult, bool) {
        let mut retry_budget = RetryState::default();
        let mut last = None;
        loop {
            // the source may have asked this action or another one to wait
            while let Some(until) = gate.resting() {
                let Some(wait) = retry_budget.take(until.saturating_duration_since(Instant::now())) else {
                    return (waited_too_long(last.as_ref()), false);
                };
                self.wait(wait).await;
            }
            let calls = gate.requests(self.action);
            let sent_at = match (self.write(JournalStep::Sending { calls }).await, &last) {
                (Ok(at), _) => at,
                (Err(error), None) => return (ActionResult::Held { words: journal_failure(&error) }, false),
                (Err(error), Some(_)) => {
                    return (ActionResult::Refused { words: journal_failure(&error) }, false);
                }
            };
            self.tell(ActionProgress::Sending).await;
            failpoint::at("act");
            match gate.execute(self.action).await {
                Ok(result) => return (result, false),
                Err(ActionError { error, is_unclear: true }) => {
                    return (self.read_back(gate, sent_at, &error).await, true);
                }
                Err(ActionError { error, .. }) => match retry_budget.asked(&error) {
                    Some(wait) if retry_budget.has(wait) => {
                        gate.rest(wait);
                        last = Some(error);
                    }
                    _ => return (ActionResult::Refused { words: refused(&error) }, false),
                },
            }
        }
    }

    /// Reports until when the action waits, and waits.
    async fn wait(&self, wait: Duration) {
        let end = Instant::now() + wait;
        let span = SignedDuration::try_from(wait).unwrap_or(SignedDuration::ZERO);
        let until = self.running.clock.now().saturating_add(span);
        if let Ok(until) = until {
            self.tell(ActionProgress::Waiting { until }).await;
        }
        sleep_until(end).await;
    }

    /// Reads back an action whose answer was unclear because of `error`, and returns its result.
    async fn read_back(&self, gate: &SourceGate, sent_at: Timestamp, error: &SourceError) -> ActionResult {
        if let Err(error) = self.write(JournalStep::ReadingBack { words: error.to_string().into() }).await {
            // reading back changes nothing, so it happens without the journal, too
            tracing::error!(%error, act = %self.act, "the start of reading back is not in the journal");
        }
        self.tell(ActionProgress::ReadingBack).await;
        match look_back(gate, self.action, sent_at, &READ_BACK_WAITS).await {
            ReadBackResult::Is(how) => how,
            ReadBackResult::Nothing => {
                let looked: Duration = READ_BACK_WAITS.iter().sum();
                let words = format!(
                    "sent, but {error}; not found within {}s, but it may still happen: do not repeat it before you have checked",
                    looked.as_secs()
                );
                ActionResult::Unknown { words: words.into() }
            }
            ReadBackResult::Unknowable(why) | ReadBackResult::Failed(why) => {
                let words = format!("sent, but {error}; reading it back failed, too: {why}");
                ActionResult::Unknown { words: words.into() }
            }
        }
    }
}

/// The result of reading back an action.
#[derive(Debug, Clone, PartialEq)]
pub enum ReadBackResult {
    /// The action has this result.
    Is(ActionResult),
    /// The action's effect was not found; it may still come.
    Nothing,
    /// The source cannot show whether the action was done, for this reason.
    Unknowable(Text),
    /// The source could not be read, for this reason.
    Failed(Text),
}

/// Reads back an action that was sent at `sent_at`, after each of these waits, until the result is known.
async fn look_back(
    gate: &SourceGate,
    action: &Action,
    sent_at: Timestamp,
    waits: &[Duration],
) -> ReadBackResult {
    let mut seen = ReadBackResult::Failed("it was not read back".into());
    for wait in waits {
        sleep(*wait).await;
        seen = match gate.verify(action, sent_at).await {
            Ok(Verification::Done { id }) => return ReadBackResult::Is(ActionResult::Done { id }),
            Ok(Verification::NotDone) => ReadBackResult::Nothing,
            Ok(Verification::Unknown { words }) => return ReadBackResult::Unknowable(words),
            Err(error) => ReadBackResult::Failed(error.to_string().into()),
        };
    }
    seen
}

/// As [`look_back`], for an action of an earlier run: once, without a wait, if it was sent more than a minute ago.
pub(super) async fn read_back_earlier_run(
    gate: &SourceGate,
    action: &Action,
    sent_at: Timestamp,
    now: Timestamp,
) -> ReadBackResult {
    let is_settled = now.duration_since(sent_at) > SETTLED_AFTER;
    let waits = if is_settled { &[Duration::ZERO][..] } else { &READ_BACK_WAITS[..] };
    look_back(gate, action, sent_at, waits).await
}

/// The result of an action that waited too long; `last` is the source's last refusal, if it was sent at all.
fn waited_too_long(last: Option<&SourceError>) -> ActionResult {
    let words = || "other actions are already waiting for this source; try again later".into();
    last.map_or_else(
        || ActionResult::Held { words: words() },
        |error| ActionResult::Refused { words: refused(error) },
    )
}

/// How long an action has waited for its source, and how often it was refused.
#[derive(Default)]
struct RetryState {
    waited: Duration,
    refusals: u32,
}

impl RetryState {
    /// How long to wait before the action is sent again; None if the source's error does not ask for a retry.
    fn asked(&mut self, error: &SourceError) -> Option<Duration> {
        if error.retry_after.is_none() && !matches!(error.kind, ErrorKind::RateLimited { .. }) {
            return None;
        }
        let own = FIRST_WAIT.saturating_mul(1 << self.refusals.min(16));
        self.refusals += 1;
        // so that not all actions are retried at the same moment
        let jitter = Duration::from_millis(fastrand::u64(..500));
        Some(error.retry_after.unwrap_or(own).saturating_add(jitter))
    }

    fn has(&self, wait: Duration) -> bool {
        self.waited.saturating_add(wait) <= MAX_RETRY_WAIT
    }

    fn take(&mut self, wait: Duration) -> Option<Duration> {
        self.has(wait).then(|| {
            self.waited += wait;
            wait
        })
    }
}

/// Why the source refused the action, and what the user can do.
fn refused(error: &SourceError) -> Text {
    let failure = &error.kind;
    let own_advice = match failure {
        ErrorKind::Forbidden { .. } => Some("The credentials lack the right to change this."),
        // the server's message is enough
        ErrorKind::Refused { .. } | ErrorKind::BadQuery { .. } | ErrorKind::NotOffered { .. } => Some(""),
        ErrorKind::RateLimited { .. } => Some("The source asks to wait too long; try again later."),
        ErrorKind::Unreachable { .. }
        | ErrorKind::Certificate { .. }
        | ErrorKind::TimedOut { .. }
        | ErrorKind::Unauthorised { .. }
        | ErrorKind::Redirected { .. }
        | ErrorKind::Garbled { .. }
        | ErrorKind::TooLarge { .. }
        | ErrorKind::Unfit { .. }
        | ErrorKind::NoSecret { .. }
        | ErrorKind::Local { .. }
        | ErrorKind::Internal { .. } => None,
    };
    let advice = own_advice.filter(|_| failure.hint().is_none()).unwrap_or_else(|| failure.advice());
    let words = format!("{error}. {advice}");
    words.trim_end_matches([' ', '.']).into()
}

#[cfg(test)]
mod tests;
