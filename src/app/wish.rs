//! What the keys of actions do: from the thing under the cursor to a menu, a form or the dialogue. Nothing is sent here.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::acts::{self, Ground, Planned};
use super::aim::{Aim, aim, to_silence};
use super::commands::Command;
use super::event::{Effect, Message, Tone};
use super::form::{self, Form};
use super::menu::{Choice, Menu};
use super::navigate;
use super::screens::incidents::IncidentKey;
use super::screens::oncall::LevelKey;
use super::screens::silences::SilenceKey;
use super::state::{Mode, State};
use crate::model::action::{Deed, Whom};
use crate::model::duration;
use crate::model::fingerprint::Fingerprint;
use crate::model::labels::Text;
use crate::model::silence::Silence;
use crate::model::source::SourceId;
use crate::model::world::{Linked, World};

mod lists;

/// Something that a menu offers to do, bound to what the person pointed at when it was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// A deed on incidents.
    Do(Vec<IncidentKey>, Deed),
    /// Choosing whom to wake.
    Escalate(Vec<IncidentKey>),
    /// Choosing how long to rest.
    Snooze(Vec<IncidentKey>),
    /// Choosing a priority.
    Priority(Vec<IncidentKey>),
    /// Choosing an incident to merge into.
    Merge(Vec<IncidentKey>),
    /// Choosing whom to ask for help.
    Help(Vec<IncidentKey>),
    /// Writing to somebody who is asked for help.
    AddResponder(Vec<IncidentKey>, Whom),
    /// Writing a note.
    Note(Vec<IncidentKey>),
    /// Writing a status update.
    StatusUpdate(Vec<IncidentKey>),
    /// Silencing alerts for this long, at first.
    Silence(Vec<Fingerprint>, Duration),
    /// Choosing a service to open an incident about; its title, at first.
    Trigger(String),
    /// Writing an incident about a service.
    Open(SourceId, Whom, String),
    /// Choosing until when to take a turn.
    Turn(LevelKey),
    /// Taking a turn until a moment.
    Take(LevelKey, Timestamp),
    /// Choosing by how much to extend silences.
    Extend(Vec<SilenceKey>),
    /// Extending silences by this much.
    ExtendBy(Vec<SilenceKey>, Duration),
    /// Ending silences.
    Expire(Vec<SilenceKey>),
    /// Writing a silence from nothing.
    NewSilence,
    /// Changing a silence.
    EditSilence(SilenceKey),
    /// Making a silence once more.
    SilenceAgain(SilenceKey),
    /// Running a command.
    Run(Command),
}

/// What actions are worked out from.
pub(super) fn ground(state: &State) -> Ground<'_> {
    Ground { world: &state.world, sources: &state.sources, guard: &state.guard }
}

fn incidents<'a>(world: &'a World, keys: &[IncidentKey]) -> Vec<&'a Linked> {
    keys.iter().filter_map(|key| key.incident(world)).collect()
}

/// Says why something is not done.
fn refuse(state: &mut State, why: &str, now: Timestamp) {
    let text = format!("Nothing was done: {why}");
    state.messages.tell(Message { tone: Tone::Trouble, text }, now);
}

/// The incidents that are pointed at, or that the alerts pointed at belong to; those of alerts only while they are open.
fn about(state: &State) -> Vec<IncidentKey> {
    match aim(state) {
        Aim::Incidents(keys) => keys,
        Aim::Alerts(all) => {
            let mut keys = Vec::new();
            for known in all.into_iter().filter_map(|alert| state.world.incident_of(alert)) {
                let key = IncidentKey::of(known);
                if known.is_shown_open() && !keys.contains(&key) {
                    keys.push(key);
                }
            }
            keys
        }
        Aim::Services(names) => {
            let open = |known: &&Linked| known.is_shown_open();
            let theirs = names.iter().flat_map(|name| state.world.incidents_of(name)).filter(open);
            let of_alerts =
                to_silence(state).into_iter().filter_map(|alert| state.world.incident_of(alert)).filter(open);
            let mut keys = Vec::new();
            for key in theirs.chain(of_alerts).map(IncidentKey::of) {
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
            keys
        }
        Aim::Nothing | Aim::Silences(_) | Aim::Level(_) | Aim::Policy { .. } => Vec::new(),
    }
}

/// Does what the key of an action says.
pub(super) fn run(state: &mut State, command: Command, now: Timestamp) -> Vec<Effect> {
    navigate::stay(state);
    if let Some(why) = &state.guard.read_only {
        let why = format!("{}: nothing may be changed here: {why}", command.name());
        refuse(state, &why, now);
        return Vec::new();
    }
    if command == Command::Act {
        return lists::all(state, now);
    }
    if command == Command::NewSilence {
        return choose(state, Wish::NewSilence, now);
    }
    if command == Command::Silence {
        let alerts = to_silence(state);
        return silence(state, &alerts, form::SILENCED, now);
    }
    let pointed = aim(state);
    let keys = about(state);
    if keys.is_empty() {
        return without_incident(state, command, &pointed, now);
    }
    choose(state, on_incidents(command, keys), now)
}

/// What the key of an action does to incidents.
fn on_incidents(command: Command, keys: Vec<IncidentKey>) -> Wish {
    match command {
        Command::Acknowledge => Wish::Do(keys, Deed::Acknowledge),
        Command::Resolve => Wish::Do(keys, Deed::Resolve),
        Command::Note => Wish::Note(keys),
        Command::Escalate => Wish::Escalate(keys),
        _ => Wish::Snooze(keys),
    }
}

/// The open incidents that may well be meant where none is known to be about what is pointed at: those of the same services,
/// else those of which it is not known yet what they are about.
fn nearby<'a>(state: &'a State, pointed: &Aim, alerts: &[Fingerprint]) -> (&'static str, Vec<&'a Linked>) {
    if !matches!(pointed, Aim::Alerts(_) | Aim::Services(_)) {
        return ("", Vec::new());
    }
    let alerts = alerts.iter().filter_map(|alert| state.world.alert(*alert));
    let services: BTreeSet<&Text> =
        alerts.filter_map(|alert| state.world.service_of(&alert.labels)).collect();
    let open = || state.world.incidents().iter().filter(|known| known.is_shown_open());
    let of_services: Vec<&Linked> =
        open().filter(|known| known.services.iter().any(|name| services.contains(name))).collect();
    if of_services.is_empty() {
        let title = "Which alerts these incidents are about is not known yet; is one of them meant?";
        return (title, open().filter(|known| state.world.is_unread(known)).collect());
    }
    ("No open incident knows this alert; of its service there is", of_services)
}

/// Where no incident is: says so, and for alerts offers the next best.
fn without_incident(state: &mut State, command: Command, pointed: &Aim, now: Timestamp) -> Vec<Effect> {
    let alerts = to_silence(state);
    let (title, near) = nearby(state, pointed, &alerts);
    if !near.is_empty() {
        let offered = |known: &&Linked| {
            let name = format!("{} {}", command.name(), acts::called(known));
            (name, Choice::Wish(Box::new(on_incidents(command, vec![IncidentKey::of(known)]))))
        };
        state.mode = Mode::Menu(Menu::new(title, near.iter().map(offered).collect(), 0));
        return Vec::new();
    }
    match pointed {
        Aim::Alerts(_) | Aim::Services(_)
            if !alerts.is_empty() && matches!(command, Command::Acknowledge | Command::Snooze) =>
        {
            let wish = |lasts: u64| Wish::Silence(alerts.clone(), Duration::from_secs(lasts * 60));
            let items = [(15, "15m"), (30, "30m"), (60, "1h")];
            let items = items.map(|(minutes, name)| {
                (format!("Silence for {name}"), Choice::Wish(Box::new(wish(minutes))))
            });
            let title = "No open incident here, and alerts know no acknowledge: silence instead?";
            state.mode = Mode::Menu(Menu::new(title, items.into(), 0));
        }
        Aim::Services(names) => {
            let names = names.join(", ");
            refuse(state, &format!("{} is for incidents, and none is open of {names}", command.name()), now);
        }
        Aim::Alerts(_) => {
            refuse(
                state,
                &format!("{} is for incidents, and none that is open knows this alert", command.name()),
                now,
            );
        }
        _ => {
            let words =
                format!("{} works on incidents and alerts: there is none under the cursor", command.name());
            state.messages.note(words, now);
        }
    }
    Vec::new()
}

/// Opens the form of a silence for these alerts.
fn silence(state: &mut State, alerts: &[Fingerprint], lasts: Duration, now: Timestamp) -> Vec<Effect> {
    if alerts.is_empty() {
        match aim(state) {
            Aim::Incidents(_) => refuse(state, "no alert is known that this is about", now),
            Aim::Services(names) => {
                refuse(state, &format!("no alert is known of {}", names.join(", ")), now);
            }
            _ => state
                .messages
                .note("silence works on alerts and incidents: there is none under the cursor", now),
        }
        return Vec::new();
    }
    // whoever reads the silence later finds the incident
    let mut numbers: Vec<String> = Vec::new();
    for known in alerts.iter().filter_map(|alert| state.world.incident_of(*alert)) {
        let number = format!("#{}", known.incident.number);
        if known.incident.is_open() && !numbers.contains(&number) {
            numbers.push(number);
        }
    }
    numbers.truncate(3);
    let form = form::silence::for_alerts(state, alerts, lasts, &numbers.join(" "));
    open_or_refuse(state, form, now);
    Vec::new()
}

fn open_or_refuse(state: &mut State, form: Result<Form, Text>, now: Timestamp) {
    match form {
        Ok(form) => open(state, form),
        Err(why) => refuse(state, &why, now),
    }
}

fn gone() -> Result<Form, Text> {
    Err("it is gone: its source does not name it any more".into())
}

fn open(state: &mut State, form: Form) {
    state.mode = Mode::Form(Box::new(form));
}

/// Opens a form, unless what it is for could not be done anyway.
fn open_if(state: &mut State, keys: &[IncidentKey], trial: &Deed, form: Form, now: Timestamp) {
    match ground(state).on_incidents(&incidents(&state.world, keys), trial) {
        Ok(_) => open(state, form),
        Err(why) => refuse(state, &why, now),
    }
}

/// Does what was chosen: opens the next menu, a form or the dialogue.
pub(super) fn choose(state: &mut State, wish: Wish, now: Timestamp) -> Vec<Effect> {
    let none = BTreeSet::new;
    match wish {
        Wish::Do(keys, deed) => {
            let known = incidents(&state.world, &keys);
            let planned = if known.is_empty() {
                Err("it is gone: its source does not name it any more".into())
            } else {
                ground(state).on_incidents(&known, &deed)
            };
            return super::confirm::open(state, planned, none(), now);
        }
        Wish::Escalate(keys) => lists::escalate(state, &keys, now),
        Wish::Snooze(keys) => lists::snooze(state, &keys, now),
        Wish::Priority(keys) => lists::priorities(state, &keys),
        Wish::Merge(keys) => lists::merge(state, &keys),
        Wish::Help(keys) => lists::help(state, &keys, now),
        Wish::AddResponder(keys, whom) => {
            let form = form::add_responder(state, keys, whom);
            open(state, form);
        }
        Wish::Note(keys) => {
            let form = form::note(state, keys.clone());
            open_if(state, &keys, &Deed::Note { content: "".into() }, form, now);
        }
        Wish::StatusUpdate(keys) => {
            let form = form::status_update(state, keys.clone());
            open_if(state, &keys, &Deed::StatusUpdate { message: "".into() }, form, now);
        }
        Wish::Silence(alerts, lasts) => return silence(state, &alerts, lasts, now),
        Wish::Trigger(title) => lists::services(state, &title, now),
        Wish::Open(source, service, title) => open(state, form::trigger(source, service, &title)),
        Wish::Turn(key) => lists::turn(state, &key, now),
        Wish::Take(key, until) => {
            let ground = ground(state);
            let turn = ground.turn_to_take(&key.source, (&key.policy, key.level), now);
            let planned = turn.map(|turn| Planned {
                actions: vec![turn.taken(&key.source, now, until)],
                left_out: Vec::new(),
            });
            return super::confirm::open(state, planned, none(), now);
        }
        Wish::Extend(keys) => lists::extend(state, &keys, now),
        Wish::ExtendBy(keys, by) => {
            let planned = ground(state).on_silences(&silences(&state.world, &keys), |silence| {
                let until = silence.ends_at.max(now).checked_add(by).unwrap_or(silence.ends_at);
                Deed::Extend { until }
            });
            return super::confirm::open(state, planned, none(), now);
        }
        Wish::Expire(keys) => {
            let planned = ground(state).on_silences(&silences(&state.world, &keys), |_| Deed::Expire);
            return super::confirm::open(state, planned, none(), now);
        }
        Wish::NewSilence => {
            let form = form::silence::from_nothing(state);
            open_or_refuse(state, form, now);
        }
        Wish::EditSilence(key) => {
            let silence = key.silence(&state.world);
            let form = silence.map_or_else(gone, |silence| form::silence::edit(state, &silence));
            open_or_refuse(state, form, now);
        }
        Wish::SilenceAgain(key) => {
            let silence = key.silence(&state.world);
            let form = silence.map_or_else(gone, |silence| form::silence::again(state, &silence));
            open_or_refuse(state, form, now);
        }
        Wish::Run(command) => return super::update::run(state, command, now),
    }
    Vec::new()
}

fn silences(world: &World, keys: &[SilenceKey]) -> Vec<Arc<Silence>> {
    keys.iter().filter_map(|key| key.silence(world)).collect()
}

/// How long it is until the morning of the zone in which times are shown: eight o'clock.
fn until_morning(state: &State, now: Timestamp) -> Option<Duration> {
    let here = now.to_zoned(state.look.zone.clone());
    let today = here.date().at(8, 0, 0, 0).to_zoned(state.look.zone.clone()).ok()?;
    let morning = if today.timestamp() > now {
        today
    } else {
        here.date().tomorrow().ok()?.at(8, 0, 0, 0).to_zoned(state.look.zone.clone()).ok()?
    };
    // whole seconds, and not one too few
    let rest = morning.timestamp().duration_since(now);
    let more = i64::from(rest.subsec_nanos() > 0);
    Duration::try_from(SignedDuration::from_secs(rest.as_secs() + more)).ok()
}

/// A menu item: what it is called and does, or why it cannot be done.
fn item(name: impl Into<String>, wish: Wish, cannot: Option<Text>) -> (String, Choice) {
    let name = name.into();
    match cannot {
        Some(why) => (name, Choice::Cannot(why)),
        None => (name, Choice::Wish(Box::new(wish))),
    }
}

/// A length of time as a menu names it.
fn long(rest: Duration) -> String {
    duration::short(rest)
}
