//! Confirmed plans: the progress and the result of each action, and the messages about them.

use std::collections::{BTreeSet, VecDeque};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::event::{Message, Plan, Tone};
use crate::model::action::{Action, ActionProgress, ActionResult, OperationKind};
use crate::model::fingerprint::Fingerprint;
use crate::model::journal::ActionRecord;
use crate::model::labels::Text;

/// How many plans are kept for the list of results.
const KEPT: usize = 30;

#[derive(Debug, Clone)]
pub struct PlanRun {
    pub plan: Plan,
    /// The progress of each action; `None`: not started.
    pub progress: Vec<Option<ActionProgress>>,
    /// The alerts that were marked for the plan.
    pub covers: BTreeSet<Fingerprint>,
    /// When the plan was confirmed.
    pub begun_at: Timestamp,
}

impl PlanRun {
    /// The result of each action in the order of the plan; `None`: not finished.
    pub fn endings(&self) -> impl Iterator<Item = Option<&ActionResult>> {
        self.progress.iter().map(|progress| {
            if let Some(ActionProgress::Ended(ending)) = progress { Some(ending) } else { None }
        })
    }

    /// The number of finished actions.
    pub fn over(&self) -> usize {
        self.endings().flatten().count()
    }

    /// The number of actions that succeeded.
    pub fn done(&self) -> usize {
        self.endings().flatten().filter(|ending| ending.is_done()).count()
    }

    pub fn is_running(&self) -> bool {
        self.over() < self.progress.len()
    }

    pub fn kind(&self) -> Option<OperationKind> {
        self.plan.actions.first().map(|action| action.operation.kind())
    }

    /// The progress as text: `acknowledging 12/50 …`, and until when a source asks to wait.
    pub fn standing(&self, zone: &TimeZone, ellipsis: &str) -> String {
        let word = self.kind().map_or("doing", |kind| kind.spec().doing);
        let all = self.progress.len();
        let count = if all > 1 { format!(" {}/{all}", self.over()) } else { String::new() };
        let name = match self.plan.actions.as_slice() {
            [one] => format!(" {}", one.target.name),
            _ => String::new(),
        };
        let waiting = self.plan.actions.iter().zip(&self.progress).find_map(|(action, progress)| {
            let Some(ActionProgress::Waiting { until }) = progress else { return None };
            Some((&action.source, *until))
        });
        let is_unclear =
            self.progress.iter().any(|progress| matches!(progress, Some(ActionProgress::ReadingBack)));
        let more = match waiting {
            Some((source, until)) => {
                let until = until.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string();
                format!("  {source} asks to wait until {until}")
            }
            None if is_unclear => "  no clear answer, reading it back".to_owned(),
            None => String::new(),
        };
        format!("{word}{count}{name} {ellipsis}{more}")
    }
}

/// The recently confirmed plans, newest last.
#[derive(Debug, Default)]
pub struct Runs {
    last: u64,
    all: VecDeque<PlanRun>,
}

impl Runs {
    pub fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    pub fn begin(&mut self, plan: Plan, covers: BTreeSet<Fingerprint>, now: Timestamp) {
        let progress = vec![None; plan.actions.len()];
        if self.all.len() >= KEPT
            && let Some(over) = self.all.iter().position(|run| !run.is_running())
        {
            self.all.remove(over);
        }
        self.all.push_back(PlanRun { plan, progress, covers, begun_at: now });
    }

    /// Records the progress of an action. `None` if there is no such action, or if its result was already known.
    pub fn progressed(&mut self, plan: u64, index: usize, progress: ActionProgress) -> Option<&PlanRun> {
        let run = self.all.iter_mut().find(|run| run.plan.id == plan)?;
        let slot = run.progress.get_mut(index)?;
        if let Some(ActionProgress::Ended(before)) = slot {
            let is_done = matches!(&progress, ActionProgress::Ended(how) if how.is_done());
            // what was unknown may be found later
            if !(is_done && matches!(before, ActionResult::Unknown { .. })) {
                return None;
            }
        }
        *slot = Some(progress);
        Some(run)
    }

    /// All plans, newest first.
    pub fn all(&self) -> impl ExactSizeIterator<Item = &PlanRun> {
        self.all.iter().rev()
    }

    /// The plans in progress, newest first.
    pub fn running(&self) -> impl Iterator<Item = &PlanRun> {
        self.all().filter(|run| run.is_running())
    }
}

/// The result of an action as a one-line message: the result, the reason, then the target, whose title may be long.
pub fn result_message(action: &Action, ending: &ActionResult) -> Message {
    let (name, done) = (&action.target.name, action.operation.kind().done());
    let source = &action.source;
    let of = |words: &Text| if words.is_empty() { name.to_string() } else { format!("{words} ({name})") };
    let text = match ending {
        ActionResult::Done { .. } => {
            let spec = action.operation.kind().spec();
            let after = action.operation.fill(spec.done_to, |_| String::new());
            format!("{done}{after}: {name}")
        }
        ActionResult::Already { words } => format!("already {done}: {}", of(words)),
        ActionResult::Conflict { words } => format!("not {done}, conflict: {}", of(words)),
        ActionResult::Refused { words } => format!("not {done}, refused by {source}: {}", of(words)),
        ActionResult::Held { words } => format!("not {done}, nothing was sent: {}", of(words)),
        ActionResult::Unknown { words } => {
            format!("unknown whether {done}; check there before you retry: {}", of(words))
        }
    };
    let tone = if ending.is_done() { Tone::Note } else { Tone::Trouble };
    Message { tone, text: capital(&text) }
}

/// The result of an action of the journal as one line.
pub(super) fn recorded(record: &ActionRecord) -> String {
    let ActionRecord { action, ending, .. } = record;
    let unread = || {
        let Action { target, operation, .. } = action;
        format!("Unknown whether {}: {}; it was not read back yet", operation.kind().done(), target.name)
    };
    ending.as_ref().map_or_else(unread, |ending| result_message(action, ending).text)
}

/// The result of a plan of several actions as a message; `key` is the key that shows the details.
pub fn summary(run: &PlanRun, key: &str) -> Message {
    let (done, all) = (run.done(), run.progress.len());
    let verb = run.kind().map_or("done", OperationKind::done);
    let text = if done == all {
        format!("All {all} {verb}")
    } else {
        format!("{done} of {all} {verb}, {} not ({key} shows which and why)", all - done)
    };
    Message { tone: if done == all { Tone::Note } else { Tone::Trouble }, text }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
