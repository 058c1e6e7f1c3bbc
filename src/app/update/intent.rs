//! Handles the keys of actions: opens a menu, a form or the dialog for the selection. Nothing is sent here.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::confirm::{self, refuse};
use super::navigate;
use crate::app::commands::Command;
use crate::app::form::{self, ActionForm};
use crate::app::identity::IncidentKey;
use crate::app::intent::{Intent, Objects, PartialOperation};
use crate::app::menu::Menu;
use crate::app::planner::{self, GONE, Planner};
use crate::app::selection::{Selection, once};
use crate::app::state::{Mode, State};
use crate::app::subjects::service;
use crate::model::action::OperationKind;
use crate::model::duration;
use crate::model::fingerprint::Fingerprint;
use crate::model::labels::Text;
use crate::model::operation::Param;
use crate::model::world::IncidentView;

mod menus;

/// The incidents for the selection: the selected ones, or the open incidents of the selected alerts.
fn about(state: &State) -> Vec<IncidentKey> {
    let world = &state.shared.world;
    let open = |known: &&IncidentView| known.is_shown_open();
    let of_alerts =
        |alerts: Vec<Fingerprint>| alerts.into_iter().filter_map(|alert| world.incident_of(alert));
    match state.selection() {
        Selection::Incidents(keys) => keys,
        Selection::Alerts(alerts) => once(of_alerts(alerts).filter(open).map(IncidentKey::of)),
        Selection::Services(names) => {
            let theirs = names.iter().flat_map(|name| world.incidents_of(name));
            let all = theirs.chain(of_alerts(alerts_to_silence(state)));
            once(all.filter(open).map(IncidentKey::of))
        }
        Selection::Nothing | Selection::Silences(_) | Selection::Level(_) | Selection::Policy(_) => {
            Vec::new()
        }
    }
}

/// The alerts to silence for the selection: the selected ones, or those of the selected incidents or services.
fn alerts_to_silence(state: &State) -> Vec<Fingerprint> {
    let world = &state.shared.world;
    if let Some(alerts) = state.screen().alerts_to_silence(&state.shared) {
        return alerts;
    }
    match state.selection() {
        Selection::Alerts(all) => all,
        Selection::Incidents(keys) => {
            let known = keys.iter().filter_map(|key| key.incident(world));
            let mut all: Vec<Fingerprint> = known.flat_map(|known| known.alerts.iter().copied()).collect();
            all.sort_unstable();
            all.dedup();
            all
        }
        Selection::Services(names) => names
            .iter()
            .flat_map(|name| service::alerts(&state.shared, name))
            .map(|alert| alert.fingerprint)
            .collect(),
        Selection::Nothing | Selection::Silences(_) | Selection::Level(_) | Selection::Policy(_) => {
            Vec::new()
        }
    }
}

/// Handles the key of an action. An operation on incidents has the name of its command.
pub(super) fn run(state: &mut State, command: Command, now: Timestamp) {
    navigate::fix_cursor(state);
    if let Some(why) = &state.shared.guard.read_only {
        let why = format!("{}: actions are disabled: {why}", command.name());
        return refuse(state, &why, now);
    }
    if command == Command::Act {
        return menus::all(state, now);
    }
    if command == Command::NewSilence {
        let form = form::silence::from_nothing(&state.shared);
        return open_or_refuse(state, form, now);
    }
    if command == Command::Silence {
        let alerts = alerts_to_silence(state);
        return silence(state, &alerts, form::SILENCED, now);
    }
    let Some(kind) = OperationKind::ALL.iter().find(|kind| kind.name() == command.name()) else {
        return;
    };
    let keys = about(state);
    if keys.is_empty() {
        without_incident(state, command, *kind, now);
    } else {
        choose(state, Intent::on_incidents(*kind, keys), now);
    }
}

/// Open incidents to offer if none is linked to the selected alerts: those of the same services, else those whose alerts are
/// not loaded yet. With the title of the menu.
fn incident_candidates<'a>(
    state: &'a State,
    pointed: &Selection,
    alerts: &[Fingerprint],
) -> (&'static str, Vec<&'a IncidentView>) {
    if !matches!(pointed, Selection::Alerts(_) | Selection::Services(_)) {
        return ("", Vec::new());
    }
    let alerts = alerts.iter().filter_map(|alert| state.shared.world.alert(*alert));
    let services: BTreeSet<&Text> =
        alerts.filter_map(|alert| state.shared.world.service_of(&alert.labels)).collect();
    let open = || state.shared.world.incidents().iter().filter(|known| known.is_shown_open());
    let of_services: Vec<&IncidentView> =
        open().filter(|known| known.services.iter().any(|name| services.contains(name))).collect();
    if of_services.is_empty() {
        let title = "The alerts of these incidents are not loaded yet. Use one of them?";
        return (title, open().filter(|known| state.shared.world.has_unknown_alerts(known)).collect());
    }
    ("No open incident has this alert. Open incidents of its service:", of_services)
}

/// Handles an incident operation without an incident: shows a message, or for alerts offers the nearest alternatives.
fn without_incident(state: &mut State, command: Command, kind: OperationKind, now: Timestamp) {
    let pointed = &state.selection();
    let alerts = alerts_to_silence(state);
    let (title, near) = incident_candidates(state, pointed, &alerts);
    if !near.is_empty() {
        let offered = |known: &&IncidentView| {
            let name = format!("{} {}", command.name(), planner::called(known));
            (name, Intent::on_incidents(kind, vec![IncidentKey::of(known)]).into())
        };
        state.mode = Mode::Menu(Menu::new(title, near.iter().map(offered).collect(), 0));
        return;
    }
    match pointed {
        Selection::Alerts(_) | Selection::Services(_)
            if !alerts.is_empty() && matches!(command, Command::Acknowledge | Command::Snooze) =>
        {
            let items = [15, 30, 60].map(|minutes| {
                let lasts = Duration::from_secs(minutes * 60);
                let name = format!("Silence for {}", duration::short(lasts));
                (name, Intent::Silence(alerts.clone(), lasts).into())
            });
            let title = "No open incident for this alert. Silence the alert instead?";
            state.mode = Mode::Menu(Menu::new(title, items.into(), 0));
        }
        Selection::Services(names) => {
            let (name, services) = (command.name(), names.join(", "));
            refuse(state, &format!("{name} needs an open incident; none is open for {services}"), now);
        }
        Selection::Alerts(_) => {
            refuse(state, &format!("{} needs an open incident; none has this alert", command.name()), now);
        }
        Selection::Nothing
        | Selection::Incidents(_)
        | Selection::Silences(_)
        | Selection::Level(_)
        | Selection::Policy(_) => {
            let words =
                format!("{} works on incidents and alerts: there is none under the cursor", command.name());
            state.shared.messages.note(words, now);
        }
    }
}

fn silence(state: &mut State, alerts: &[Fingerprint], lasts: Duration, now: Timestamp) {
    if alerts.is_empty() {
        match state.selection() {
            Selection::Incidents(_) => refuse(state, "no alerts found for this incident", now),
            Selection::Services(names) => {
                refuse(state, &format!("no alerts found for {}", names.join(", ")), now);
            }
            Selection::Nothing
            | Selection::Alerts(_)
            | Selection::Silences(_)
            | Selection::Level(_)
            | Selection::Policy(_) => {
                let words = "silence works on alerts and incidents: there is none under the cursor";
                state.shared.messages.note(words, now);
            }
        }
        return;
    }
    // the comment of the silence names the incident
    let known = alerts.iter().filter_map(|alert| state.shared.world.incident_of(*alert));
    let open = known.filter(|known| known.incident.is_open());
    let mut numbers = once(open.map(|known| format!("#{}", known.incident.number)));
    numbers.truncate(3);
    let form = form::silence::for_alerts(&state.shared, alerts, lasts, &numbers.join(" "));
    open_or_refuse(state, form, now);
}

fn open_or_refuse(state: &mut State, form: Result<ActionForm, Text>, now: Timestamp) {
    match form {
        Ok(form) => open(state, form),
        Err(why) => refuse(state, &why, now),
    }
}

fn open(state: &mut State, form: ActionForm) {
    state.mode = Mode::Form(Box::new(form));
}

/// Continues with a chosen intent: opens the next menu, a form or the dialog.
pub(super) fn choose(state: &mut State, intent: Intent, now: Timestamp) {
    match intent {
        Intent::Operate(wanted) => next(state, wanted, now),
        Intent::Page(keys) => menus::page(state, &keys, now),
        Intent::Silence(alerts, lasts) => silence(state, &alerts, lasts, now),
        Intent::EditSilence(key) => {
            let silence = key.silence(&state.shared.world).ok_or_else(|| Text::from(GONE));
            let form = silence.and_then(|silence| form::silence::edit(&state.shared, &silence));
            open_or_refuse(state, form, now);
        }
        Intent::SilenceAgain(key) => {
            let silence = key.silence(&state.shared.world).ok_or_else(|| Text::from(GONE));
            let form = silence.and_then(|silence| form::silence::again(&state.shared, &silence));
            open_or_refuse(state, form, now);
        }
    }
}

/// Continues with an operation: a menu or a form for a missing parameter, else the dialog.
fn next(state: &mut State, wanted: PartialOperation, now: Timestamp) {
    let (planner, spec) = (Planner::of(&state.shared), wanted.kind.spec());
    if let Objects::Incidents(keys) = &wanted.objects {
        let known = planner.incidents(keys);
        let gone = known.is_empty().then(|| GONE.into());
        let why = gone.or_else(|| planner.cannot_on(&known, wanted.kind));
        if let Some(why) = why {
            return refuse(state, &why, now);
        }
    }
    if wanted.objects == Objects::Service(None) {
        return menus::services(state, &wanted, now);
    }
    let is_missing = |param: &&Param| param.kind.is_chosen() && wanted.given.find(param.name).is_none();
    if let Some(param) = spec.params.iter().find(is_missing) {
        menus::pick(state, &wanted, param, now);
    } else if spec.form.is_empty() {
        let planned = planner.plan(&wanted, now);
        confirm::open(state, planned, BTreeSet::new(), now);
    } else {
        let form = form::of(&state.shared, wanted);
        open(state, form);
    }
}
