//! `burnwatch handoff` and `burnwatch postmortem`: what others are to read, in Markdown.

use std::time::Duration;

use crate::app::handoff::ActionsTaken;
use crate::app::identity::IncidentKey;
use crate::app::place::{Document, Place};
use crate::app::state::State;
use crate::app::{handoff, postmortem, readiness};
use crate::model::ask::AskKind;
use crate::model::journal::ActionRecord;
use crate::runtime::wait_for;

use super::CliContext;
use super::failed;
use super::printer::{ExitOutcome, complain_of, print, print_error};
use super::session::{Session, SessionError};

/// The handoff of a shift that began `length` ago.
pub(super) fn handoff(cx: &CliContext<'_>, length: Duration) -> ExitOutcome {
    let written = cx.session(true).and_then(|session| {
        let state = session.look(Place::Report(Document::Handoff(length)))?;
        let now = session.active.clock.now();
        let records = records(&session);
        let text = handoff::markdown(&state.shared, actions_taken(records.as_deref()), length, now);
        Ok(print(&text, report_gaps(&session, &state)))
    });
    written.unwrap_or_else(|error| failed(&error))
}

/// The draft of a review of an incident, named by its number or id.
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
                "no source knows an incident {wanted:?}; `burnwatch incidents --all` lists them"
            ));
            return Ok(ExitOutcome::UsageError);
        }
        // whoever did not answer may know it
        return Ok(complain_of(&gaps));
    };
    let state = session.look(Place::Report(Document::Postmortem(key.clone())))?;
    let now = session.active.clock.now();
    let records = records(session);
    let Some(text) = postmortem::markdown(&state.shared, &key, actions_taken(records.as_deref()), now) else {
        print_error("the incident is no longer listed");
        return Ok(ExitOutcome::Partial);
    };
    Ok(print(&text, report_gaps(session, &state)))
}

/// What was done by burnwatch, as far as its journal can be read.
fn records(session: &Session) -> Option<Vec<ActionRecord>> {
    let read = wait_for(session.journal.read()).map_err(|error| error.to_string());
    let told = read.and_then(|read| read.map_err(|error| error.to_string()));
    told.map_err(|error| print_error(&format!("the actions taken cannot be read: {error}")))
        .ok()
        .map(|told| told.records)
}

fn actions_taken(records: Option<&[ActionRecord]>) -> ActionsTaken<'_> {
    ActionsTaken { records: records.unwrap_or_default(), is_whole: records.is_some() }
}

fn find_incident(state: &State, wanted: &str) -> Option<IncidentKey> {
    let number = wanted.trim_start_matches('#').parse::<u64>().ok();
    let found = state.shared.world.incidents().iter().find(|known| {
        *known.incident.id == *wanted || number.is_some_and(|number| known.incident.number == number)
    })?;
    Some(IncidentKey::of(found))
}

/// What is missing is said in the text, and once more where a script looks.
fn report_gaps(session: &Session, state: &State) -> ExitOutcome {
    complain_of(&readiness::gaps(state, session.active.clock.now()))
}
