//! `burnwatch handoff` and `burnwatch postmortem`: what others are to read, in Markdown.

use std::time::Duration;

use crate::app::handover::Doings;
use crate::app::identity::IncidentKey;
use crate::app::place::{Paper, Place};
use crate::app::state::State;
use crate::app::{handover, postmortem, readiness};
use crate::model::ask::AskKind;
use crate::model::journal::Record;
use crate::runtime::wait_for;

use super::Cx;
use super::failed;
use super::printer::{Outcome, complain, complain_of, print};
use super::session::{Session, SessionError};

/// The hand-over of a shift that began `length` ago.
pub(super) fn handoff(cx: &Cx<'_>, length: Duration) -> Outcome {
    let written = cx.session(true).and_then(|session| {
        let state = session.look(Place::Paper(Paper::Handover(length)))?;
        let now = session.reach.clock.now();
        let records = records(&session);
        let text = handover::markdown(&state.shared, doings(records.as_deref()), length, now);
        Ok(print(&text, whole(&session, &state)))
    });
    written.unwrap_or_else(|error| failed(&error))
}

/// The draft of a review of an incident, named by its number or id.
pub(super) fn postmortem(cx: &Cx<'_>, wanted: &str) -> Outcome {
    cx.session(true).and_then(|session| review(&session, wanted)).unwrap_or_else(|error| failed(&error))
}

fn review(session: &Session, wanted: &str) -> Result<Outcome, SessionError> {
    let needs = &[AskKind::Incidents];
    session.can_tell(needs)?;
    let state = session.ask(needs)?;
    let Some(key) = named(&state, wanted) else {
        let gaps = session.view(&state).gaps(needs);
        if gaps.is_empty() {
            complain(&format!(
                "no source knows an incident {wanted:?}; `burnwatch incidents --all` lists them"
            ));
            return Ok(Outcome::Misused);
        }
        // whoever did not answer may know it
        return Ok(complain_of(&gaps));
    };
    let state = session.look(Place::Paper(Paper::Postmortem(key.clone())))?;
    let now = session.reach.clock.now();
    let records = records(session);
    let Some(text) = postmortem::markdown(&state.shared, &key, doings(records.as_deref()), now) else {
        complain("the incident is not told any more");
        return Ok(Outcome::Partial);
    };
    Ok(print(&text, whole(session, &state)))
}

/// What was done by burnwatch, as far as its journal can be read.
fn records(session: &Session) -> Option<Vec<Record>> {
    let read = wait_for(session.journal.read()).map_err(|error| error.to_string());
    let told = read.and_then(|read| read.map_err(|error| error.to_string()));
    told.map_err(|error| complain(&format!("what was done cannot be told: {error}")))
        .ok()
        .map(|told| told.records)
}

fn doings(records: Option<&[Record]>) -> Doings<'_> {
    Doings { records: records.unwrap_or_default(), is_whole: records.is_some() }
}

fn named(state: &State, wanted: &str) -> Option<IncidentKey> {
    let number = wanted.trim_start_matches('#').parse::<u64>().ok();
    let found = state.shared.world.incidents().iter().find(|known| {
        *known.incident.id == *wanted || number.is_some_and(|number| known.incident.number == number)
    })?;
    Some(IncidentKey::of(found))
}

/// What is missing is said in the text, and once more where a script looks.
fn whole(session: &Session, state: &State) -> Outcome {
    complain_of(&readiness::gaps(state, session.reach.clock.now()))
}
