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
use super::printer::{Outcome, complain, print};
use super::session::Session;

/// The hand-over of a shift that began `length` ago.
pub(super) fn handoff(cx: &Cx<'_>, length: Duration) -> Outcome {
    let session = match cx.session(true) {
        Ok(session) => session,
        Err(error) => return failed(&error),
    };
    match session.look(Place::Paper(Paper::Handover(length))) {
        Ok(state) => {
            let now = session.reach.clock.now();
            let records = records(&session);
            let text = handover::markdown(&state.shared, doings(records.as_deref()), length, now);
            print(&text, whole(&session, &state))
        }
        Err(error) => failed(&error),
    }
}

/// The draft of a review of an incident, named by its number or id.
pub(super) fn postmortem(cx: &Cx<'_>, wanted: &str) -> Outcome {
    let session = match cx.session(true) {
        Ok(session) => session,
        Err(error) => return failed(&error),
    };
    let needs = &[AskKind::Incidents];
    let found = session.can_tell(needs).and_then(|()| session.ask(needs)).map(|state| {
        let gaps = session.view(&state).gaps(needs);
        (named(&state, wanted), gaps)
    });
    let key = match found {
        Ok((Some(found), _)) => found,
        Ok((None, gaps)) if !gaps.is_empty() => {
            // whoever did not answer may know it
            for gap in &gaps {
                complain(gap);
            }
            return Outcome::Partial;
        }
        Ok((None, _)) => {
            complain(&format!(
                "no source knows an incident {wanted:?}; `burnwatch incidents --all` lists them"
            ));
            return Outcome::Misused;
        }
        Err(error) => return failed(&error),
    };
    let state = match session.look(Place::Paper(Paper::Postmortem(key.clone()))) {
        Ok(state) => state,
        Err(error) => return failed(&error),
    };
    let now = session.reach.clock.now();
    let records = records(&session);
    let Some(text) = postmortem::markdown(&state.shared, &key, doings(records.as_deref()), now) else {
        complain("the incident is not told any more");
        return Outcome::Partial;
    };
    print(&text, whole(&session, &state))
}

/// What was done by burnwatch, as far as its journal can be read.
fn records(session: &Session) -> Option<Vec<Record>> {
    match wait_for(session.journal.read()) {
        Ok(Ok(told)) => Some(told.records),
        Ok(Err(error)) => {
            complain(&format!("what was done cannot be told: {error}"));
            None
        }
        Err(error) => {
            complain(&format!("what was done cannot be told: {error}"));
            None
        }
    }
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
    let gaps = readiness::gaps(state, session.reach.clock.now());
    for gap in &gaps {
        complain(gap);
    }
    if gaps.is_empty() { Outcome::Fine } else { Outcome::Partial }
}
