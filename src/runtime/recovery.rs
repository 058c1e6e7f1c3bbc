//! Actions of earlier runs that were sent and whose result is unknown. They are read back, never sent again.

use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream;
use jiff::SignedDuration;

use crate::app::event::{Message, Tone};
use crate::model::action::{ActionResult, RequestPreview};
use crate::model::journal::{ActionRecord, JournalStep};
use crate::model::labels::Text;

use super::executor::{Executor, ReadBackResult, entry, read_back_earlier_run};
use super::gate::{Gates, SourceGate};
use super::journal::{Journal, JournalError};

/// While another burnwatch runs actions, open actions whose last entry is older than this are not its own: no action waits so
/// long.
const ABANDONED_AFTER: SignedDuration = SignedDuration::from_mins(5);
/// Actions that began within this time and are still unknown after reading back are read back again at each start.
const READ_BACK_WITHIN: SignedDuration = SignedDuration::from_hours(24);
/// How many are read back at once.
const MAX_CONCURRENT: usize = 4;
/// More results than this are combined into one message.
const MAX_MESSAGES: usize = 3;

/// Which of the open actions are read back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenActions {
    /// Those that were never read back, and those that began within the last day.
    Recent,
    /// All of them.
    All,
}

/// Reads back the open actions of this context in the journal, and writes their results to the journal.
pub(super) async fn recover(
    executor: &Executor,
    gates: &Gates,
    which: OpenActions,
) -> Result<Vec<(ActionRecord, ReadBackResult)>, JournalError> {
    let Some(journal) = &executor.journal else { return Ok(Vec::new()) };
    let (read_back_text, is_busy) = journal.read_with_lock_state().await?;
    let now = executor.clock.now();
    let is_wanted = |record: &ActionRecord| {
        let is_not_in_progress = !is_busy || now.duration_since(record.at) > ABANDONED_AFTER;
        let is_late = record.ending.is_none() || now.duration_since(record.begun_at) < READ_BACK_WITHIN;
        record.is_open()
            && record.context == executor.context
            && is_not_in_progress
            && (is_late || which == OpenActions::All)
    };
    let open = read_back_text.records.into_iter().filter(is_wanted);
    let open = open.filter_map(|record| Some((Arc::clone(gates.get(&record.action.source)?), record)));
    let open = open.filter(|(gate, record)| was_sent_to_this_server(gate, record));
    let looks = stream::iter(open).map(|(gate, record)| read_back(executor, journal, gate, record));
    Ok(looks.buffered(MAX_CONCURRENT).collect().await)
}

/// Whether the action was sent to the same addresses that its source has now: another server would wrongly answer "not done".
fn was_sent_to_this_server(gate: &SourceGate, record: &ActionRecord) -> bool {
    let places =
        |calls: &[RequestPreview]| calls.iter().map(|call| Text::clone(&call.address)).collect::<Vec<_>>();
    places(&gate.requests(&record.action)) == places(&record.calls)
}

async fn read_back(
    executor: &Executor,
    journal: &Journal,
    gate: Arc<SourceGate>,
    record: ActionRecord,
) -> (ActionRecord, ReadBackResult) {
    let (action, now) = (&record.action, executor.clock.now());
    let seen = read_back_earlier_run(&gate, action, record.sent_at.unwrap_or(record.begun_at), now).await;
    let how = match &seen {
        ReadBackResult::Is(how) => Some(how.clone()),
        ReadBackResult::Nothing | ReadBackResult::Unknowable(_) => {
            Some(ActionResult::Unknown { words: read_back_text(&seen).into() })
        }
        // the action stays open and is read back another time
        ReadBackResult::Failed(_) => None,
    };
    // an unchanged result is not written again
    let how = how.filter(|how| !(record.read_back && record.ending.as_ref() == Some(how)));
    if let Some(how) = how {
        let step = JournalStep::Ended { how, read_back: true };
        let line = entry(journal, executor.clock.now(), (&record.context, &record.act), action, step);
        if let Err(error) = journal.write(vec![line]).await {
            tracing::error!(%error, act = %record.act, "the result of reading back is not in the journal");
        }
    }
    (record, seen)
}

/// The messages for the user about these results.
pub(super) fn messages(found: &[(ActionRecord, ReadBackResult)]) -> Vec<Message> {
    let is_known = |seen: &ReadBackResult| matches!(seen, ReadBackResult::Is(_));
    if found.len() > MAX_MESSAGES {
        let done =
            found.iter().filter(|(_, seen)| matches!(seen, ReadBackResult::Is(how) if how.is_done())).count();
        let unknown = found.iter().filter(|(_, seen)| !is_known(seen)).count();
        let tone = if unknown > 0 { Tone::Trouble } else { Tone::Note };
        let all = found.len();
        let text = format!(
            "{all} actions of an earlier run had no known result; read back: {done} done, {unknown} unknown \
             (burnwatch journal lists them)"
        );
        return vec![Message { tone, text }];
    }
    let message = |(record, seen): &(ActionRecord, ReadBackResult)| Message {
        tone: if is_known(seen) { Tone::Note } else { Tone::Trouble },
        text: format!("an earlier run has no result for {}; {}", named(record), read_back_text(seen)),
    };
    found.iter().map(message).collect()
}

fn named(record: &ActionRecord) -> String {
    let action = &record.action;
    format!("{} {} at {}", action.operation.kind().name(), action.target.name, action.source)
}

/// The result of reading back, in words.
pub fn read_back_text(seen: &ReadBackResult) -> String {
    match seen {
        ReadBackResult::Is(how) if how.is_done() => "read back: it is done".to_owned(),
        ReadBackResult::Is(how) => how.words().map_or_else(|| how.word().to_owned(), ToString::to_string),
        ReadBackResult::Nothing => {
            "it was not found, but it may still happen: check the source before you repeat it".to_owned()
        }
        ReadBackResult::Unknowable(why) => format!("its result is unknown ({why}); check the source"),
        ReadBackResult::Failed(why) => format!("it cannot be read back now ({why}); check the source"),
    }
}
