//! `burnwatch handoff` and `burnwatch postmortem`: documents for other people, in Markdown.

use std::time::Duration;

use crate::app::identity::IncidentKey;
use crate::app::place::{Document, Place};
use crate::app::state::State;
use crate::app::{handoff, postmortem, readiness};
use crate::model::ask::AskKind;
use crate::runtime::wait_for;

use super::printer::{ExitOutcome, print, print_error, print_gaps};
use super::session::{Session, SessionError};
use super::{CliContext, VerbResult};

/// Prints the handoff of a shift that began `length` ago.
pub(super) fn handoff(cx: &CliContext<'_>, length: Duration) -> VerbResult {
    let session = cx.session(true)?;
    let mut state = session.look(Place::Report(Document::Handoff(length)))?;
    load_records(&session, &mut state)?;
    let now = session.active.clock.now();
    let text = handoff::markdown(&state.shared, length, now);
    Ok(print(&text, report_gaps(&session, &state)))
}

/// Prints the draft of a postmortem of an incident, named by its number or id.
pub(super) fn postmortem(cx: &CliContext<'_>, wanted: &str) -> VerbResult {
    let session = &cx.session(true)?;
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
    load_records(session, &mut state)?;
    let now = session.active.clock.now();
    let Some(text) = postmortem::markdown(&state.shared, &key, now) else {
        print_error("the incident is no longer listed");
        return Ok(ExitOutcome::Partial);
    };
    Ok(print(&text, report_gaps(session, &state)))
}

/// Loads the actions in the journal into the state; prints an error message if it cannot be read.
fn load_records(session: &Session, state: &mut State) -> Result<(), SessionError> {
    match wait_for(session.journal.read())? {
        Ok(read) => state.shared.load_records(read.records, session.active.clock.now()),
        Err(error) => print_error(&format!("the journal of actions cannot be read: {error}")),
    }
    Ok(())
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
