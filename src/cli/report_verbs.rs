//! `burnwatch handoff` and `burnwatch postmortem`: documents for other people, in Markdown.

use std::time::Duration;

use crate::app::identity::IncidentKey;
use crate::app::place::{Document, Place};
use crate::app::state::State;
use crate::app::{handoff, postmortem, readiness};
use crate::model::ask::AskKind;
use crate::runtime::wait_for;

use super::CliContext;
use super::failed;
use super::printer::{ExitOutcome, print, print_error, print_gaps};
use super::session::{Session, SessionError};

/// Prints the handoff of a shift that began `length` ago.
pub(super) fn handoff(cx: &CliContext<'_>, length: Duration) -> ExitOutcome {
    let written = cx.session(true).and_then(|session| {
        let mut state = session.look(Place::Report(Document::Handoff(length)))?;
        let now = session.active.clock.now();
        load_records(&session, &mut state);
        let text = handoff::markdown(&state.shared, length, now);
        Ok(print(&text, report_gaps(&session, &state)))
    });
    written.unwrap_or_else(|error| failed(&error))
}

/// Prints the draft of a postmortem of an incident, named by its number or id.
pub(super) fn postmortem(cx: &CliContext<'_>, wanted: &str) -> ExitOutcome {
    cx.session(true).and_then(|session| review(&session, wanted)).unwrap_or_else(|error| failed(&error))
}

fn review(session: &Session, wanted: &str) -> Result<ExitOutcome, SessionError> {
    let needs = &[AskKind::Incidents];
    session.require_source_of(needs)?;
    let state = session.ask(needs)?;
    let Some(key) = find_incident(&state, wanted) else {
        let gaps = session.view(&state).gaps(needs);
        if gaps.is_empty() {
            print_error(&format!(
                "no source has an incident {wanted:?}; `burnwatch incidents --all` lists the incidents"
            ));
            return Ok(ExitOutcome::UsageError);
        }
        // a source that did not answer may have the incident
        return Ok(print_gaps(&gaps));
    };
    let mut state = session.look(Place::Report(Document::Postmortem(key.clone())))?;
    let now = session.active.clock.now();
    load_records(session, &mut state);
    let Some(text) = postmortem::markdown(&state.shared, &key, now) else {
        print_error("the incident is no longer listed");
        return Ok(ExitOutcome::Partial);
    };
    Ok(print(&text, report_gaps(session, &state)))
}

/// Reads the actions in the journal; prints an error message if it cannot be read.
fn load_records(session: &Session, state: &mut State) {
    let read = wait_for(session.journal.read()).map_err(|error| error.to_string());
    match read.and_then(|read| read.map_err(|error| error.to_string())) {
        Ok(read) => state.shared.load_records(read.records, session.active.clock.now()),
        Err(error) => print_error(&format!("the journal of actions cannot be read: {error}")),
    }
}

/// The incident with this id or number (`42` or `#42`).
fn find_incident(state: &State, wanted: &str) -> Option<IncidentKey> {
    let number = wanted.trim_start_matches('#').parse::<u64>().ok();
    let found = state.shared.world.incidents().iter().find(|known| {
        *known.incident.id == *wanted || number.is_some_and(|number| known.incident.number == number)
    })?;
    Some(IncidentKey::of(found))
}

/// Reports missing data, which the document mentions too, on standard error and by the exit code.
fn report_gaps(session: &Session, state: &State) -> ExitOutcome {
    print_gaps(&readiness::gaps(state, session.active.clock.now()))
}
