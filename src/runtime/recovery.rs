//! What an earlier run left open: actions that went out, and nobody knows how they ended. They are read back, never sent again.

use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream;
use jiff::SignedDuration;

use crate::app::event::{Message, Tone};
use crate::model::action::{ActionResult, RequestPreview};
use crate::model::journal::{Record, Step};
use crate::model::labels::Text;

use super::executor::{Executor, Gates, Seen, entry, look_back_late};
use super::gate::Gate;
use super::journal::{Journal, JournalError};

/// While another burnwatch acts, what was written longer ago than this is not its own any more: no action waits so long.
const ABANDONED: SignedDuration = SignedDuration::from_mins(5);
/// What could not be told by reading back is read back again at each start for so long.
const LATELY: SignedDuration = SignedDuration::from_hours(24);
/// How many are read back at once.
const ABREAST: usize = 4;
/// More messages than that are one.
const MANY: usize = 3;

/// Which of the open actions are read back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open {
    /// Those of which nobody was told yet, and those of the last day.
    Lately,
    /// All of them.
    All,
}

/// Reads back what stands open in the journal for this context, and writes down how it ended.
pub(super) async fn recover(
    executor: &Executor,
    gates: &Gates,
    which: Open,
) -> Result<Vec<(Record, Seen)>, JournalError> {
    let Some(journal) = &executor.journal else { return Ok(Vec::new()) };
    let (told, is_busy) = journal.read_alone().await?;
    let now = executor.clock.now();
    let is_wanted = |record: &Record| {
        let is_left = !is_busy || now.duration_since(record.at) > ABANDONED;
        let is_late = record.ending.is_none() || now.duration_since(record.begun_at) < LATELY;
        record.is_open() && record.context == executor.context && is_left && (is_late || which == Open::All)
    };
    let open = told.records.into_iter().filter(is_wanted);
    let open = open.filter_map(|record| Some((Arc::clone(gates.get(&record.action.source)?), record)));
    let open = open.filter(|(gate, record)| went_there(gate, record));
    let looks = stream::iter(open).map(|(gate, record)| read_back(executor, journal, gate, record));
    Ok(looks.buffered(ABREAST).collect().await)
}

/// Whether it went to where the source of this name is now: another server knows nothing of it, and "not done" would be a lie.
fn went_there(gate: &Gate, record: &Record) -> bool {
    let places =
        |calls: &[RequestPreview]| calls.iter().map(|call| Text::clone(&call.address)).collect::<Vec<_>>();
    places(&gate.requests(&record.action)) == places(&record.calls)
}

async fn read_back(
    executor: &Executor,
    journal: &Journal,
    gate: Arc<Gate>,
    record: Record,
) -> (Record, Seen) {
    let (action, now) = (&record.action, executor.clock.now());
    let seen = look_back_late(&gate, action, record.sent_at.unwrap_or(record.begun_at), now).await;
    let how = match &seen {
        Seen::Is(how) => Some(how.clone()),
        Seen::Nothing | Seen::Unknowable(_) => Some(ActionResult::Unknown { words: told(&seen).into() }),
        // it stays open, and is read back another time
        Seen::Failed(_) => None,
    };
    // that nothing more is known need not be written again at each look
    let how = how.filter(|how| !(record.read_back && record.ending.as_ref() == Some(how)));
    if let Some(how) = how {
        let step = Step::Ended { how, read_back: true };
        let line = entry(journal, executor.clock.now(), (&record.context, &record.act), action, step);
        if let Err(error) = journal.write(vec![line]).await {
            tracing::error!(%error, act = %record.act, "what was read back is not in the journal");
        }
    }
    (record, seen)
}

/// What the person is told of it.
pub(super) fn messages(found: &[(Record, Seen)]) -> Vec<Message> {
    let is_known = |seen: &Seen| matches!(seen, Seen::Is(_));
    if found.len() > MANY {
        let done = found.iter().filter(|(_, seen)| matches!(seen, Seen::Is(how) if how.is_done())).count();
        let unknown = found.iter().filter(|(_, seen)| !is_known(seen)).count();
        let tone = if unknown > 0 { Tone::Trouble } else { Tone::Note };
        let all = found.len();
        let text = format!(
            "{all} actions of an earlier run had no known end; read back: {done} done, {unknown} unknown \
             (burnwatch journal tells which)"
        );
        return vec![Message { tone, text }];
    }
    let message = |(record, seen): &(Record, Seen)| Message {
        tone: if is_known(seen) { Tone::Note } else { Tone::Trouble },
        text: format!("an earlier run left open: {}; {}", named(record), told(seen)),
    };
    found.iter().map(message).collect()
}

fn named(record: &Record) -> String {
    let action = &record.action;
    format!("{} {} at {}", action.operation.kind().name(), action.target.name, action.source)
}

/// What reading back showed, in words.
pub fn told(seen: &Seen) -> String {
    match seen {
        Seen::Is(how) if how.is_done() => "read back: it is done".to_owned(),
        Seen::Is(how) => how.words().map_or_else(|| how.word().to_owned(), ToString::to_string),
        Seen::Nothing => {
            "there is nothing to be seen of it, which does not prove that it was not done: look there before you do it \
             again"
                .to_owned()
        }
        Seen::Unknowable(why) => format!("whether it was done cannot be told ({why}); look there"),
        Seen::Failed(why) => format!("it cannot be read back now ({why}); look there"),
    }
}
