//! `burnwatch handoff` and `burnwatch postmortem`: documents for other people, in Markdown.

use std::time::Duration;

use jiff::Timestamp;

use crate::app::identity::{IncidentKey, Outage, ReviewSubject};
use crate::app::place::{Document, Place};
use crate::app::state::State;
use crate::app::{handoff, postmortem, readiness};
use crate::model::alert::Alert;
use crate::model::ask::AskKind;
use crate::runtime::wait_for;

use super::args::PostmortemArgs;
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

/// Prints the draft of a postmortem of an incident, an alert or a service.
pub(super) fn postmortem(cx: &CliContext<'_>, wanted: &PostmortemArgs) -> VerbResult {
    let session = &cx.session(true)?;
    let infos = session.active.sources.infos();
    // the alerts of an Alertmanager are one request; rules are asked only where there is no Alertmanager
    let has_alerts = infos.iter().any(|source| source.answers.contains(&AskKind::Alerts));
    let needs = [AskKind::Incidents, if has_alerts { AskKind::Alerts } else { AskKind::Rules }];
    session.require_source_of(&needs)?;
    let state = session.ask(&needs)?;
    let found = match subject(&state, wanted, session.active.clock.now()) {
        Ok(found) => found,
        Err(message) => {
            // a source that did not answer may have it
            let gaps = session.view(&state).gaps(&needs);
            if !gaps.is_empty() {
                return Ok(print_gaps(&gaps));
            }
            print_error(&message);
            return Ok(ExitOutcome::UsageError);
        }
    };
    let mut state = session.look(Place::Report(Document::Postmortem(found.clone())))?;
    load_records(session, &mut state)?;
    let now = session.active.clock.now();
    let gaps = readiness::gaps(&state, now);
    if let ReviewSubject::Outage(Outage { service: Some(service), .. }) = &found
        && state.shared.world.service(service).is_none()
        && gaps.is_empty()
    {
        print_error(&format!("no source has a service {service:?}; `burnwatch services` lists the services"));
        return Ok(ExitOutcome::UsageError);
    }
    let Some(text) = postmortem::markdown(&state.shared, &found, now) else {
        print_error("the incident is no longer listed");
        return Ok(ExitOutcome::Partial);
    };
    Ok(print(&text, print_gaps(&gaps)))
}

/// What the name means: an incident, a firing alert, the most severe of several, else a service.
fn subject(state: &State, wanted: &PostmortemArgs, now: Timestamp) -> Result<ReviewSubject, String> {
    let PostmortemArgs { subject: name, since, until } = wanted;
    let world = &state.shared.world;
    if let Some(key) = find_incident(state, name) {
        return match since {
            None => Ok(ReviewSubject::Incident(key)),
            Some(_) => Err(format!("{name} is an incident, which has its own time: leave out --since")),
        };
    }
    let mut alerts: Vec<&Alert> =
        world.alerts().iter().map(|alert| &**alert).filter(|alert| alert.name() == name).collect();
    alerts.sort_by_key(|alert| (alert.state, alert.severity, alert.starts_at, alert.fingerprint));
    let alert = alerts.first();
    let Some(since) = since else {
        let of_alert = alert.and_then(|alert| postmortem::subject_of_alert(world, alert.fingerprint));
        let found = of_alert.or_else(|| postmortem::subject_of_service(world, &name.as_str().into()));
        return found.ok_or_else(|| {
            format!(
                "there is no incident and no firing alert {name:?}, and no alert of such a service fires. For a service whose \
                 trouble is over give its time, --since 3h --until 1h; `burnwatch incidents --all` and `burnwatch alerts` list \
                 incidents and alerts"
            )
        });
    };
    let ago = |length: Duration| now.checked_sub(length).unwrap_or(Timestamp::MIN);
    if until.is_some_and(|until| until >= *since) {
        return Err("--until must be shorter ago than --since".to_owned());
    }
    let service = match alert {
        Some(alert) => world.service_of(&alert.labels).cloned(),
        None => Some(name.as_str().into()),
    };
    let title = name.as_str().into();
    Ok(ReviewSubject::Outage(Outage {
        title,
        service,
        from: ago(*since),
        until: until.map(ago),
        is_alerted: false,
    }))
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
