//! `burnwatch journal`: the actions on external systems, who took them, and their results.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::backend::Clock;
use crate::model::action::{ActionResult, Operation};
use crate::model::journal::ActionRecord;
use crate::runtime::{JournalContents, OpenActions, ReadBackResult, headless, read_back_text, wait_for};

use super::args::JournalFlags;
use super::printer::{ExitOutcome, print};
use super::report::{Cell, ListLayout, ReportColumn, ReportDocument, ReportList};
use super::session::{self, SessionError};
use super::{CliContext, VerbResult, formatted};

const COLUMNS: &[ReportColumn] = &[
    ReportColumn::text("at", "AGO"),
    ReportColumn::hidden("act"),
    ReportColumn::text("who", "WHO"),
    ReportColumn::text("context", "CONTEXT"),
    ReportColumn::text("source", "SOURCE"),
    ReportColumn::text("deed", "OPERATION"),
    ReportColumn::hidden("target_id"),
    ReportColumn::text("target", "TARGET"),
    ReportColumn::text("detail", "DETAILS"),
    ReportColumn::hidden("made_id"),
    ReportColumn::hidden("sent_at"),
    ReportColumn::hidden("ended_at"),
    ReportColumn::text("result", "RESULT"),
    ReportColumn::hidden("is_open"),
    ReportColumn::hidden("read_back"),
    ReportColumn::text("words", "MESSAGE"),
];

pub(super) fn run(cx: &CliContext<'_>, wanted: &JournalFlags) -> VerbResult {
    let (notes, outcome) = if wanted.read_back { read_back(cx)? } else { (Vec::new(), ExitOutcome::Fine) };
    let contents = wait_for(session::journal(cx).read())??;
    let now = Clock::real().now();
    let span = wanted.since.and_then(|since| SignedDuration::try_from(since).ok());
    let since = span.and_then(|span| now.checked_sub(span).ok());
    let mut document = document(&contents, cx.arguments.context(), since, now);
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
    read_back_text: &JournalContents,
    context: Option<&str>,
    since: Option<Timestamp>,
    now: Timestamp,
) -> ReportDocument {
    let is_wanted = |record: &&ActionRecord| {
        since.is_none_or(|since| record.begun_at >= since)
            && context.is_none_or(|context| *record.context == *context)
    };
    let records: Vec<&ActionRecord> = read_back_text.records.iter().filter(is_wanted).collect();
    let mut notes = Vec::new();
    let open: Vec<&str> =
        records.iter().filter(|record| record.is_open()).map(|record| &*record.context).collect();
    if !open.is_empty() {
        let (count, places) = (open.len(), open.iter().collect::<BTreeSet<_>>());
        let places: Vec<String> = places.into_iter().map(ToString::to_string).collect();
        let places = places.join(", ");
        notes.push(format!(
            "{count} sent with an unknown result: `--read-back` reads it back from the source (context {places})"
        ));
    }
    if read_back_text.unreadable > 0 {
        let lines = if read_back_text.unreadable == 1 { "line" } else { "lines" };
        notes.push(format!(
            "{} {lines} of the journal cannot be read; the file is kept as it is",
            read_back_text.unreadable
        ));
    }
    let list = ReportList {
        key: "actions",
        title: "Actions".to_owned(),
        columns: COLUMNS.into(),
        rows: records.into_iter().map(row).collect(),
        empty: "No actions.",
        layout: ListLayout::Rows,
    };
    ReportDocument {
        context: context.unwrap_or("all").to_owned(),
        as_of: now,
        facts: Vec::new(),
        lists: vec![list],
        notes,
        is_partial: read_back_text.unreadable > 0,
    }
}

fn row(record: &ActionRecord) -> Vec<Cell> {
    let action = &record.action;
    let maybe = |at: Option<Timestamp>| at.map_or(Cell::Nothing, Cell::Since);
    let result = match &record.ending {
        Some(how) => how.word(),
        None if record.sent_at.is_some() => "unknown",
        // burnwatch ended between the confirmation and the request
        None => "not sent",
    };
    let made = if let Some(ActionResult::Done { id: Some(id) }) = &record.ending {
        Cell::words(id.to_string())
    } else {
        Cell::Nothing
    };
    let words = record.ending.as_ref().and_then(|how| how.words()).map(ToString::to_string);
    vec![
        Cell::Since(record.begun_at),
        Cell::Text(record.act.to_string()),
        Cell::Text(record.who.to_string()),
        Cell::Text(record.context.to_string()),
        Cell::Text(action.source.to_string()),
        Cell::Text(action.operation.kind().name().to_owned()),
        Cell::words(action.target.id.to_string()),
        Cell::words(action.target.name.to_string()),
        Cell::words(detail(&action.operation)),
        made,
        maybe(record.sent_at),
        maybe(record.ending.as_ref().map(|_| record.at)),
        Cell::Text(result.to_owned()),
        Cell::Switch(record.is_open()),
        Cell::Switch(record.read_back),
        words.map_or(Cell::Nothing, Cell::words),
    ]
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
        let read_back_text = JournalContents {
            records: vec![
                record("#1", 0, true, Some(ActionResult::Done { id: None })),
                record("#2", 30, true, None),
                record("#3", 40, false, None),
            ],
            unreadable: 2,
        };
        let all = document(&read_back_text, None, None, at(60));
        let text = table::render(&all);
        assert!(text.contains("1 sent with an unknown result"), "{text}");
        assert!(text.contains("2 lines of the journal") && all.is_partial, "{text}");
        let json: serde_json::Value = serde_json::from_str(&json::render(&all)).unwrap();
        let results: Vec<_> = (0..3).map(|n| json["actions"][n]["result"].as_str().unwrap()).collect();
        assert_eq!(results, ["done", "unknown", "not sent"]);
        assert_eq!(json["actions"][1]["is_open"], true);
        let lately = document(&read_back_text, Some("prod"), Some(at(35)), at(60));
        assert_eq!(lately.lists[0].rows.len(), 1);
        assert_eq!(document(&read_back_text, Some("other"), None, at(60)).lists[0].rows.len(), 0);
    }
}
