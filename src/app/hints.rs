//! The keys in the footer: what matters most on each screen.

use super::commands::Command;
use super::place::Place;
use super::screens::{self, alert, incident, overview, service};
use super::state::State;
use super::theme::Role;
use super::widgets::text::Run;

/// The keys that matter most here, the most important first; help, which says all, is the last.
pub(super) fn shown(state: &State) -> Vec<Vec<Run<'static>>> {
    let here = here(state);
    let common = [(Command::Palette, "palette"), (Command::Help, "help")];
    let is_read_only = state.guard.read_only.is_some();
    let here = here.into_iter().filter(|(command, _)| !(is_read_only && command.scope().writes()));
    let shown = here.chain(common).filter_map(|(command, word)| {
        let key = state.keys.of(command).first()?;
        Some(vec![Run::new(format!("{key} "), Role::Key), Run::new(format!("{word}  "), Role::Muted)])
    });
    shown.collect()
}

fn here(state: &State) -> Vec<(Command, &'static str)> {
    match state.place() {
        Place::Overview => on_overview(state.panel),
        Place::Services => vec![
            (Command::Open, "open"),
            (Command::Acknowledge, "ack"),
            (Command::Silence, "silence"),
            (Command::Filter, "filter"),
            (Command::Sort, "order"),
            (Command::Range, "range"),
        ],
        Place::Service(_) => on_service(state),
        Place::Slos => vec![
            (Command::Open, "open"),
            (Command::Filter, "filter"),
            (Command::Sort, "order"),
            (Command::Group, "group"),
        ],
        Place::Slo { .. } => vec![
            (Command::Open, opens(state)),
            (Command::NextPanel, "panel"),
            (Command::Basis, "forecast"),
            (Command::Range, "range"),
            (Command::Copy, "copy"),
            (Command::Back, "back"),
        ],
        Place::Alerts => vec![
            (Command::Open, "open"),
            (Command::Silence, "silence"),
            (Command::Acknowledge, "ack"),
            (Command::Act, "do"),
            (Command::Filter, "filter"),
            (Command::Group, "group"),
            (Command::Fold, "quiet ones"),
        ],
        Place::Alert(_) => vec![
            (Command::Open, opens(state)),
            (Command::Silence, "silence"),
            (Command::Acknowledge, "ack"),
            (Command::Runbook, "runbook"),
            (Command::Act, "do"),
            (Command::NextPanel, "related"),
            (Command::Links, "links"),
            (Command::Range, "range"),
            (Command::Back, "back"),
        ],
        Place::Incidents => vec![
            (Command::Open, "open"),
            (Command::Acknowledge, "ack"),
            (Command::Escalate, "escalate"),
            (Command::Resolve, "resolve"),
            (Command::Act, "do"),
            (Command::Filter, "filter"),
            (Command::Group, "group"),
            (Command::Fold, "resolved ones"),
        ],
        Place::Incident { .. } => on_incident(state),
        Place::OnCall => vec![
            (Command::Open, "policy"),
            (Command::Act, "take the shift"),
            (Command::Filter, "filter"),
            (Command::Links, "links"),
        ],
        Place::Policy { .. } => {
            vec![(Command::Act, "take the shift"), (Command::Links, "links"), (Command::Back, "back")]
        }
        Place::Timeline => vec![
            (Command::Open, "open"),
            (Command::Acknowledge, "ack"),
            (Command::Filter, "filter"),
            (Command::Range, "range"),
            (Command::Earlier, "earlier"),
            (Command::Back, "back"),
        ],
        Place::Silences => vec![
            (Command::Open, "its alerts"),
            (Command::Act, "extend, edit, expire"),
            (Command::NewSilence, "new"),
            (Command::Filter, "filter"),
            (Command::Fold, "ended ones"),
        ],
        Place::Runbook(_) => vec![
            (Command::NextPanel, "next block"),
            (Command::Copy, "copy it"),
            (Command::Links, "links"),
            (Command::Back, "back"),
        ],
        Place::Sources => vec![(Command::Refresh, "ask again"), (Command::Back, "back")],
        Place::Paper(_) => vec![(Command::Copy, "copy all"), (Command::Back, "back")],
        Place::Messages => vec![(Command::Back, "back")],
    }
}

/// Those of a service. Among its parts there is nothing to open.
fn on_service(state: &State) -> Vec<(Command, &'static str)> {
    let (silence, acknowledge) = ((Command::Silence, "silence"), (Command::Acknowledge, "ack"));
    let (next, back) = ((Command::NextPanel, "chart"), (Command::Back, "back"));
    if state.panel == service::PARTS {
        return vec![silence, acknowledge, (Command::Copy, "copy"), next, back];
    }
    let open = (Command::Open, opens(state));
    vec![open, silence, acknowledge, next, (Command::Range, "range"), (Command::Earlier, "earlier"), back]
}

/// Those of one incident.
fn on_incident(state: &State) -> Vec<(Command, &'static str)> {
    vec![
        (Command::Acknowledge, "ack"),
        (Command::Note, "note"),
        (Command::Silence, "silence"),
        (Command::Escalate, "escalate"),
        (Command::Resolve, "resolve"),
        (Command::Runbook, "runbook"),
        (Command::Act, "do"),
        (Command::Open, opens(state)),
        (Command::NextPanel, "alerts"),
        (Command::Links, "links"),
        (Command::Copy, "copy"),
        (Command::Back, "back"),
    ]
}

/// What Enter opens on a screen with panels.
fn opens(state: &State) -> &'static str {
    match (state.place(), state.panel) {
        (Place::Slo { .. }, _) => screens::slo::opens(state),
        (Place::Service(_), service::SLOS) | (Place::Alert(_), alert::SLO) => "SLO",
        (Place::Service(_), service::INCIDENTS) | (Place::Alert(_), alert::INCIDENT) => "incident",
        (Place::Service(_), _)
        | (Place::Alert(_), alert::RELATED)
        | (Place::Incident { .. }, incident::ALERTS) => "alert",
        _ => "service",
    }
}

/// On the overview it depends on the panel.
fn on_overview(panel: usize) -> Vec<(Command, &'static str)> {
    let (open, next) = ((Command::Open, "open"), (Command::NextPanel, "panel"));
    let (ack, silence) = ((Command::Acknowledge, "ack"), (Command::Silence, "silence"));
    match panel {
        overview::ALERTS | overview::SLOS => vec![open, silence, ack, next],
        overview::INCIDENTS => vec![open, ack, (Command::Act, "do"), next],
        _ => vec![open, ack, silence, (Command::Act, "do"), next, (Command::Filter, "filter")],
    }
}
