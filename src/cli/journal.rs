//! `burnwatch journal`: the actions on external systems, who took them, and their results.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::app::columns::{ListColumn, Listed};
use crate::backend::Clock;
use crate::model::action::{ActionResult, Operation};
use crate::model::journal::ActionRecord;
use crate::model::text::counted;
use crate::runtime::{JournalContents, OpenActions, ReadBackResult, headless, read_back_text, wait_for};

use super::args::JournalFlags;
use super::printer::{ExitOutcome, print};
use super::report::{Cell, ReportDocument, ReportList};
use super::session::{self, SessionError};
use super::{CliContext, VerbResult, formatted};

enum JournalList {}

impl Listed for JournalList {
    type Item<'a> = &'a ActionRecord;
    type Widths = ();
}

type Column = ListColumn<JournalList>;

const COLUMNS: &[Column] = &[
    Column::text("at", "AGO", |record| Cell::Since(record.begun_at)),
    Column::hidden("act", |record| Cell::Text(record.act.to_string())),
    Column::text("who", "WHO", |record| Cell::Text(record.who.to_string())),
    Column::text("context", "CONTEXT", |record| Cell::Text(record.context.to_string())),
    Column::text("source", "SOURCE", |record| Cell::Text(record.action.source.to_string())),
    Column::text("deed", "OPERATION", |record| Cell::Text(record.action.operation.kind().name().to_owned())),
    Column::hidden("target_id", |record| Cell::words(record.action.target.id.to_string())),
    Column::text("target", "TARGET", |record| Cell::words(record.action.target.name.to_string())),
    Column::text("detail", "DETAILS", |record| Cell::words(detail(&record.action.operation))),
    Column::hidden("made_id", |record| {
        let Some(ActionResult::Done { id: Some(id) }) = &record.ending else { return Cell::Nothing };
        Cell::words(id.to_string())
    }),
    Column::hidden("sent_at", |record| record.sent_at.map_or(Cell::Nothing, Cell::Since)),
    Column::hidden("ended_at", |record| {
        record.ending.as_ref().map_or(Cell::Nothing, |_| Cell::Since(record.at))
    }),
    Column::text("result", "RESULT", |record| {
        let word = match &record.ending {
            Some(how) => how.word(),
            None if record.sent_at.is_some() => "unknown",
            // burnwatch ended between the confirmation and the request
            None => "not sent",
        };
        Cell::Text(word.to_owned())
    }),
    Column::hidden("is_open", |record| Cell::Switch(record.is_open())),
    Column::hidden("read_back", |record| Cell::Switch(record.read_back)),
    Column::text("words", "MESSAGE", |record| {
        let words = record.ending.as_ref().and_then(|how| how.words());
        words.map_or(Cell::Nothing, |words| Cell::words(words.to_string()))
    }),
];

pub(super) fn run(cx: &CliContext<'_>, wanted: &JournalFlags) -> VerbResult {
    let (notes, outcome) = if wanted.read_back { read_back(cx)? } else { (Vec::new(), ExitOutcome::Fine) };
    let contents = wait_for(session::journal(cx).read())??;
    let now = Clock::real().now();
    let span = wanted.since.and_then(|since| SignedDuration::try_from(since).ok());
    let since = span.and_then(|span| now.checked_sub(span).ok());
    let mut document = document(&contents, cx.choice.context.as_deref(), since, now);
    document.notes.splice(0..0, notes);
    let is_partial = outcome == ExitOutcome::Fine && document.is_partial;
    let outcome = if is_partial { ExitOutcome::Partial } else { outcome };
    Ok(print(&formatted(&document, wanted.listing.output), outcome))
}

/// Reads back the actions without a known result: a line for each action, and the exit code.
fn read_back(cx: &CliContext<'_>) -> Result<(Vec<String>, ExitOutcome), SessionError> {
    let session = cx.session(true)?;
    let sources = &session.active.sources;
    let found = wait_for(headless::recover(sources, &session.executor(), OpenActions::All))??;
    let outcome = |(_, seen): &(ActionRecord, ReadBackResult)| match seen {
        ReadBackResult::Is(_) => ExitOutcome::Fine,
        ReadBackResult::Nothing | ReadBackResult::Unknowable(_) => ExitOutcome::Failure,
        ReadBackResult::Failed(_) => ExitOutcome::Partial,
    };
    let worst = [ExitOutcome::Partial, ExitOutcome::Failure]
        .into_iter()
        .find(|worst| found.iter().any(|one| outcome(one) == *worst));
    let words = |(record, seen): &(ActionRecord, ReadBackResult)| {
        let action = &record.action;
        format!("{} {}: {}", action.operation.kind().name(), action.target.name, read_back_text(seen))
    };
    Ok((found.iter().map(words).collect(), worst.unwrap_or(ExitOutcome::Fine)))
}

/// The actions that began since `since`, in the given context; `None` means all.
fn document(
    contents: &JournalContents,
    context: Option<&str>,
    since: Option<Timestamp>,
    now: Timestamp,
) -> ReportDocument {
    let is_wanted = |record: &&ActionRecord| {
        since.is_none_or(|since| record.begun_at >= since)
            && context.is_none_or(|context| *record.context == *context)
    };
    let records: Vec<&ActionRecord> = contents.records.iter().filter(is_wanted).collect();
    let mut notes = Vec::new();
    let open: Vec<&str> =
        records.iter().filter(|record| record.is_open()).map(|record| &*record.context).collect();
    if !open.is_empty() {
        let (count, places) = (open.len(), open.into_iter().collect::<BTreeSet<_>>());
        let places = places.into_iter().collect::<Vec<_>>().join(", ");
        notes.push(format!(
            "{count} sent with an unknown result: `--read-back` reads it back from the source (context {places})"
        ));
    }
    if contents.unreadable > 0 {
        let lines = counted(contents.unreadable, "line");
        notes.push(format!("{lines} of the journal cannot be read; the file is kept as it is"));
    }
    let list = ReportList::of(("actions", "Actions", "No actions."), COLUMNS, records);
    ReportDocument {
        context: context.unwrap_or("all").to_owned(),
        as_of: now,
        facts: Vec::new(),
        lists: vec![list],
        notes,
        is_partial: contents.unreadable > 0,
    }
}

/// What an operation says besides its name; may be empty.
fn detail(operation: &Operation) -> String {
    let moment = |at: Timestamp| at.strftime("%Y-%m-%d %H:%M UTC").to_string();
    if let Some(draft) = operation.draft() {
        let from = draft.starts_at.map(|at| format!("from {} ", moment(at))).unwrap_or_default();
        return format!("{from}until {}: {}", moment(draft.ends_at), draft.comment);
    }
    operation.fill(operation.kind().spec().detail, |_| String::new())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::report::{json, table};
    use crate::model::action::{Action, ActionTarget};
    use crate::model::source::SourceId;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minute * 60).unwrap()
    }

    fn record(name: &str, minute: i64, sent: bool, ending: Option<ActionResult>) -> ActionRecord {
        let target = ActionTarget { id: "Q1".into(), name: name.into(), seen: None };
        ActionRecord {
            act: name.into(),
            begun_at: at(minute),
            at: at(minute),
            who: "ana@bastion".into(),
            context: "prod".into(),
            action: Action { source: SourceId::new("pager"), target, operation: Operation::Acknowledge },
            sent_at: sent.then(|| at(minute)),
            calls: Vec::new(),
            ending,
            read_back: false,
        }
    }

    #[test]
    fn what_is_open_or_cannot_be_read_is_said() {
        let contents = JournalContents {
            records: vec![
                record("#1", 0, true, Some(ActionResult::Done { id: None })),
                record("#2", 30, true, None),
                record("#3", 40, false, None),
            ],
            unreadable: 2,
        };
        let all = document(&contents, None, None, at(60));
        let text = table::render(&all);
        assert!(text.contains("1 sent with an unknown result"), "{text}");
        assert!(text.contains("2 lines of the journal") && all.is_partial, "{text}");
        let json: serde_json::Value = serde_json::from_str(&json::render(&all)).unwrap();
        let results: Vec<_> = (0..3).map(|n| json["actions"][n]["result"].as_str().unwrap()).collect();
        assert_eq!(results, ["done", "unknown", "not sent"]);
        assert_eq!(json["actions"][1]["is_open"], true);
        let lately = document(&contents, Some("prod"), Some(at(35)), at(60));
        assert_eq!(lately.lists[0].rows.len(), 1);
        assert_eq!(document(&contents, Some("other"), None, at(60)).lists[0].rows.len(), 0);
    }
}
