//! The menus of actions: every action for the selection; for those that are not possible, the reason.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{about, alerts_to_silence};
use crate::app::commands::Command;
use crate::app::form::SILENCED;
use crate::app::identity::{IncidentKey, LevelKey, PolicyKey, SilenceKey};
use crate::app::intent::{Intent, Objects, PartialOperation};
use crate::app::menu::{Menu, MenuChoice};
use crate::app::number::{moment, plural};
use crate::app::planner::{Planner, called, consequences};
use crate::app::selection::Selection;
use crate::app::shared::Shared;
use crate::app::state::{Mode, State};
use crate::app::subjects::on_call;
use crate::app::update::confirm::refuse;
use crate::model::action::{EntityRef, OperationKind};
use crate::model::ask::Topic;
use crate::model::duration;
use crate::model::fingerprint::Fingerprint;
use crate::model::incident::Person;
use crate::model::labels::Text;
use crate::model::operation::{Argument, OperationSpec, Param, ParamKind};
use crate::model::silence::SilenceState;
use crate::model::source::SourceId;
use crate::model::world::IncidentView;

/// The durations of snoozing in the menu, in minutes.
const SNOOZE_MINUTES: [u64; 5] = [15, 30, 60, 240, 480];
/// The durations by which the menu extends a silence, in minutes.
const LONGER: [u64; 6] = [30, 60, 120, 240, 480, 1440];
/// The durations for which the menu takes a shift, in minutes.
const SHIFT_MINUTES: [u64; 4] = [60, 120, 240, 480];

/// The operations that page somebody about an incident.
const PAGING: [OperationKind; 3] = [OperationKind::Escalate, OperationKind::Assign, OperationKind::Reroute];

type Items = Vec<(String, MenuChoice)>;

fn show(state: &mut State, title: impl Into<String>, items: Items) {
    state.mode = Mode::Menu(Menu::new(title.into(), items, 0));
}

/// A menu item with its name and effect, or with the reason why it is not possible.
fn item(
    name: impl Into<String>,
    choice: impl Into<MenuChoice>,
    unavailable: Option<Text>,
) -> (String, MenuChoice) {
    (name.into(), unavailable.map_or_else(|| choice.into(), MenuChoice::Cannot))
}

/// The name of a command with its key, for a menu.
fn with_key(state: &State, command: Command, name: &str) -> String {
    let key = state.shared.key(command);
    format!("{name}  ({key})")
}

/// All actions for the selection.
pub(super) fn all(state: &mut State, now: Timestamp) {
    let pointed = state.selection();
    let planner = Planner::of(&state.shared);
    let silencing = |name: &str, alerts: Vec<Fingerprint>| {
        let none = alerts.is_empty().then(|| "no alerts found".into());
        let why = none.or_else(|| planner.unavailable_everywhere(OperationKind::Silence));
        item(with_key(state, Command::Silence, name), Intent::Silence(alerts, SILENCED), why)
    };
    let mut items: Items = Vec::new();
    let mut title = "Do".to_owned();
    match &pointed {
        Selection::Silences(keys) => {
            title = plural(keys.len(), "silence");
            items.extend(of_silences(state, keys));
        }
        Selection::Level(key) => items.extend(of_level(state, key, now)),
        Selection::Policy(policy) => {
            let known = policy.policy(&state.shared.world);
            let levels =
                known.map(|(snapshot, policy)| on_call::levels(snapshot, policy)).unwrap_or_default();
            for level in levels {
                items.extend(of_level(state, &LevelKey { policy: policy.clone(), level }, now));
            }
        }
        Selection::Alerts(alerts) => {
            title = plural(alerts.len(), "alert");
            items.push(silencing("Silence...", alerts.clone()));
        }
        Selection::Services(names) => {
            title = match names.as_slice() {
                [one] => one.to_string(),
                several => plural(several.len(), "service"),
            };
            let alerts = alerts_to_silence(state);
            let name = match alerts.len() {
                0 => "Silence its alerts...".to_owned(),
                1 => "Silence its alert...".to_owned(),
                many => format!("Silence its {many} alerts..."),
            };
            items.push(silencing(&name, alerts));
        }
        Selection::Incidents(_) | Selection::Nothing => {}
    }
    let keys = about(state);
    let known = planner.incidents(&keys);
    if !known.is_empty() {
        let are_selected = matches!(pointed, Selection::Incidents(_));
        title = match known.as_slice() {
            [one] if are_selected => called(one).to_string(),
            several if are_selected => plural(several.len(), "incident"),
            linked => {
                let first = linked.iter().take(3).map(|known| format!("#{}", known.incident.number));
                format!("{title}, of {}", first.collect::<Vec<_>>().join(" "))
            }
        };
        // actions on the incident come before actions on its alerts
        items.splice(0..0, of_incidents(state, &keys, &known));
        if are_selected {
            items.push(silencing("Silence its alerts...", alerts_to_silence(state)));
        }
    }
    let heading = if let [one] = known.as_slice() {
        one.incident.title.to_string()
    } else if let Selection::Alerts(alerts) = &pointed {
        let first = alerts.first().and_then(|alert| state.shared.world.alert(*alert));
        first.map(|alert| alert.name().to_owned()).unwrap_or_default()
    } else {
        String::new()
    };
    let trigger = PartialOperation::on(OperationKind::Trigger, Objects::Service(None));
    let trigger = Intent::Operate(trigger.with("title", Text::from(heading)));
    items.push(item("Open an incident...", trigger, planner.unavailable_everywhere(OperationKind::Trigger)));
    for (command, name) in [
        (Command::NewSilence, "New silence..."),
        (Command::Silences, "All silences"),
        (Command::Results, "Results of actions"),
    ] {
        let why = planner.unavailable_everywhere(OperationKind::Silence);
        let why = why.filter(|_| command == Command::NewSilence);
        items.push(item(with_key(state, command, name), MenuChoice::Run(command), why));
    }
    show(state, title, items);
}

/// All operations on incidents that the menu lists.
fn of_incidents(state: &State, keys: &[IncidentKey], known: &[&IncidentView]) -> Items {
    let planner = Planner::of(&state.shared);
    let specs = OperationKind::ALL.iter().map(|kind| kind.spec()).filter(|spec| !spec.menu.is_empty());
    let offered = specs.map(|spec: &OperationSpec| {
        // the item is shown if one of the three operations is possible
        let ways = if PAGING.contains(&spec.kind) { &PAGING[..] } else { std::slice::from_ref(&spec.kind) };
        let why: Option<Vec<Text>> = ways.iter().map(|kind| planner.cannot_on(known, *kind)).collect();
        let key = Command::all().find(|command| command.name() == spec.name);
        let name = key.map_or_else(|| spec.menu.to_owned(), |key| with_key(state, key, spec.menu));
        let why = why.and_then(|all| all.into_iter().next());
        item(name, Intent::on_incidents(spec.kind, keys.to_vec()), why)
    });
    offered.collect()
}

fn of_silences(state: &State, keys: &[SilenceKey]) -> Items {
    let planner = Planner::of(&state.shared);
    let all = planner.silences(keys);
    let offer = |name: &str, kind: OperationKind| {
        let why = planner.on_silences(&all, |_| kind.trial()).err();
        let wanted = PartialOperation::on(kind, Objects::Silences(keys.to_vec()));
        item(name, Intent::Operate(wanted), why)
    };
    let mut items =
        vec![offer("Extend...", OperationKind::Extend), offer("Expire: end now", OperationKind::Expire)];
    if let ([key], [silence]) = (keys, all.as_slice()) {
        let why = |kind| planner.unavailable(&silence.source, kind);
        let is_over = silence.state == SilenceState::Expired;
        let ended = is_over.then(|| "it has expired: create it again instead".into());
        items.push(item(
            "Edit: other matchers, comment or end...",
            Intent::EditSilence(key.clone()),
            ended.or_else(|| why(OperationKind::Edit)),
        ));
        let again = Intent::SilenceAgain(key.clone());
        items.push(item("Create it again...", again, why(OperationKind::Silence)));
    }
    items
}

fn of_level(state: &State, key: &LevelKey, now: Timestamp) -> Items {
    let shift = Planner::of(&state.shared).turn_to_take(&key.policy.source, (&key.policy.id, key.level), now);
    let name = match &shift {
        Ok(shift) => {
            format!("Take the shift of {} (level {}, {})...", shift.from.name, key.level, shift.schedule.name)
        }
        Err(_) => format!("Take the shift (level {})", key.level),
    };
    let wanted = PartialOperation::on(OperationKind::TakeShift, Objects::Level(key.clone()));
    vec![item(name, Intent::Operate(wanted), shift.err())]
}

/// The menu of whom to page: levels, people, policies.
pub(super) fn page(state: &mut State, keys: &[IncidentKey], now: Timestamp) {
    let planner = Planner::of(&state.shared);
    let known = planner.incidents(keys);
    let (title, source) = match known.as_slice() {
        [] => return refuse(state, "it is gone", now),
        [one] => (format!("#{}: escalate or reassign to", one.incident.number), one.incident.source.clone()),
        [first, ..] => {
            (format!("{} incidents: escalate or reassign to", known.len()), first.incident.source.clone())
        }
    };
    let is_fresh = planner.knows_who_is_on_call(&source, now);
    let mut items = Items::new();
    for kind in PAGING {
        let why = planner.cannot_on(&known, kind);
        let wanted = PartialOperation::on(kind, Objects::Incidents(keys.to_vec()));
        for param in kind.spec().params {
            items.extend(offered(&state.shared, &wanted, param, why.as_ref(), now));
        }
    }
    if !is_fresh {
        state.shared.scheduler.requery(&source, |topic| *topic == Topic::OnCall, now);
    }
    show(state, title, items);
}

/// The menu for the value of one parameter.
pub(super) fn pick(state: &mut State, wanted: &PartialOperation, param: &'static Param, now: Timestamp) {
    let mut title = param.prompt.to_owned();
    if let Objects::Level(LevelKey { policy, level }) = &wanted.objects {
        match Planner::of(&state.shared).turn_to_take(&policy.source, (&policy.id, *level), now) {
            Ok(shift) => title = format!("Take the shift of {}", shift.from.name),
            Err(why) => return refuse(state, &why, now),
        }
    }
    let items = offered(&state.shared, wanted, param, None, now);
    show(state, title, items);
}

/// The possible values of a parameter as menu items.
fn offered(
    shared: &Shared,
    wanted: &PartialOperation,
    param: &'static Param,
    why: Option<&Text>,
    now: Timestamp,
) -> Items {
    let (choices, nothing) = choices(shared, &wanted.objects, param.kind, now);
    if let (true, Some((name, why))) = (choices.is_empty(), nothing) {
        return vec![(name.to_owned(), MenuChoice::Cannot(why.into()))];
    }
    let offer = |(name, value): (String, Argument)| {
        item(name, Intent::Operate(wanted.clone().with(param.name, value)), why.cloned())
    };
    choices.into_iter().map(offer).collect()
}

/// The possible values; and, if there are none, the name of the item and the reason.
type Choices = (Vec<(String, Argument)>, Option<(&'static str, &'static str)>);

/// The possible values of a parameter of this kind.
fn choices(shared: &Shared, objects: &Objects, kind: ParamKind, now: Timestamp) -> Choices {
    let planner = Planner::of(shared);
    let keys: &[IncidentKey] = if let Objects::Incidents(keys) = objects { keys } else { &[] };
    let known = planner.incidents(keys);
    let sources: BTreeSet<&SourceId> = known.iter().map(|known| &known.incident.source).collect();
    let first = known.first().map(|known| &known.incident.source);
    let at = |end: Timestamp| moment(end, now, &shared.look.zone);
    let later = |length: Duration| now.checked_add(length).unwrap_or(now);
    let minutes =
        |all: &[u64]| all.iter().map(|minutes| Duration::from_secs(minutes * 60)).collect::<Vec<_>>();
    let night = |person: &Person| if person.is_at_night(now) == Some(true) { ", at night" } else { "" };
    let people = || first.into_iter().flat_map(|source| planner.people(source, now));
    let is_user = |person: &Person| first.is_some_and(|source| shared.world.is_user(source, person));
    match kind {
        ParamKind::Person => {
            let name = |person: &Person| {
                let you = if is_user(person) { " (you)" } else { "" };
                (format!("Person: {}{you}{}", person.name, night(person)), EntityRef::from(person).into())
            };
            (people().map(name).collect(), None)
        }
        ParamKind::People => {
            let name = |person: &Person| {
                (format!("{}{}", person.name, night(person)), vec![EntityRef::from(person)].into())
            };
            let others = people().filter(|person| !is_user(person));
            (others.map(name).collect(), Some(("No other responder", "no other user is known there")))
        }
        ParamKind::Policy => {
            let snapshot = first.and_then(|source| planner.snapshot(source));
            let all = snapshot
                .into_iter()
                .flat_map(|snapshot| snapshot.policies.iter().map(move |one| (snapshot, one)));
            let name = |(snapshot, policy)| {
                let who = consequences::people(snapshot, policy, 1, now);
                let who = if who.is_empty() { "nobody on call".to_owned() } else { who.join(", ") };
                let name = format!("Policy: {}, pages {who}", policy.named.name);
                (name, EntityRef::from(&policy.named).into())
            };
            (all.map(name).collect(), None)
        }
        ParamKind::Level => levels(shared, &known, now),
        ParamKind::Length => {
            let name = |rest| (format!("{}, until {}", duration::short(rest), at(later(rest))), rest.into());
            let mut all: Vec<(String, Argument)> = minutes(&SNOOZE_MINUTES).into_iter().map(name).collect();
            if let Some(rest) = until_morning(shared, now) {
                all.push((format!("Until morning, {}", at(later(rest))), rest.into()));
            }
            (all, None)
        }
        ParamKind::Priority => {
            let mut all: Vec<_> =
                sources.into_iter().flat_map(|source| shared.world.priorities(source)).collect();
            all.dedup_by(|a, b| a.named.id == b.named.id);
            let all = all.iter().map(|one| Some(EntityRef::from(&one.named))).chain([None]);
            let name = |priority: Option<EntityRef>| {
                let priority = Argument::from(priority);
                (priority.words(), priority)
            };
            (all.map(name).collect(), None)
        }
        ParamKind::Incident => {
            let others = shared.world.incidents().iter().filter(|other| {
                let is_there = sources.contains(&other.incident.source);
                other.incident.is_open() && is_there && !keys.contains(&IncidentKey::of(other))
            });
            let name = |other: &IncidentView| {
                let into = EntityRef { id: other.incident.id.clone(), name: called(other) };
                (into.name.to_string(), into.into())
            };
            (others.map(name).collect(), Some(("Nothing to merge into", "no other incident is open")))
        }
        ParamKind::TurnEnd => {
            let Objects::Level(LevelKey { policy, level }) = objects else { return (Vec::new(), None) };
            let shift = planner.turn_to_take(&policy.source, (&policy.id, *level), now).ok();
            let last = shift.map(|shift| (format!("To its end, {}", at(shift.end)), shift.end));
            let end = last.as_ref().map_or(now, |(_, end)| *end);
            let parts = minutes(&SHIFT_MINUTES).into_iter().map(|length| (length, later(length)));
            let parts = parts.filter(|(_, until)| *until < end);
            let parts = parts.map(|(length, until)| {
                (format!("For {}, until {}", duration::short(length), at(until)), until)
            });
            (last.into_iter().chain(parts).map(|(name, end)| (name, end.into())).collect(), None)
        }
        ParamKind::Extension => {
            let Objects::Silences(keys) = objects else { return (Vec::new(), None) };
            let all = planner.silences(keys);
            let only = if let [one] = all.as_slice() { Some(one.ends_at.max(now)) } else { None };
            let name = |by| {
                let end = only.and_then(|end| end.checked_add(by).ok());
                let end = end.map(|end| format!(", to {}", at(end))).unwrap_or_default();
                (format!("By {}{end}", duration::short(by)), by.into())
            };
            (minutes(&LONGER).into_iter().map(name).collect(), None)
        }
        ParamKind::Urgency | ParamKind::Text(_) | ParamKind::Silence | ParamKind::Derived => {
            (Vec::new(), None)
        }
    }
}

/// The levels of the policy that all these incidents have.
fn levels(shared: &Shared, known: &[&IncidentView], now: Timestamp) -> Choices {
    let planner = Planner::of(shared);
    let policies: BTreeSet<Option<&Text>> = known
        .iter()
        .map(|known| known.incident.escalation_policy.as_ref().map(|policy| &policy.id))
        .collect();
    let only = policies.first().copied().flatten().filter(|_| policies.len() == 1);
    let key = known.first().zip(only);
    let key = key.map(|(first, id)| PolicyKey { source: first.incident.source.clone(), id: id.clone() });
    let Some((key, (snapshot, policy))) = key.and_then(|key| Some((key.clone(), key.policy(&shared.world)?)))
    else {
        let why = if policies.len() > 1 {
            "they have different policies"
        } else {
            "the levels of its policy are not known"
        };
        return (Vec::new(), Some(("Another level", why)));
    };
    let is_fresh = planner.knows_who_is_on_call(&key.source, now);
    let name = |level| {
        let who = consequences::people(snapshot, policy, level, now);
        let who = match (who.is_empty(), is_fresh) {
            (true, _) => "nobody on call".to_owned(),
            (false, true) => who.join(", "),
            (false, false) => format!("{} (read over 5m ago)", who.join(", ")),
        };
        (format!("Level {level} of {}: {who}", policy.named.name), level.into())
    };
    (on_call::levels(snapshot, policy).into_iter().map(name).collect(), None)
}

/// The menu of the service for which an incident is opened.
pub(super) fn services(state: &mut State, wanted: &PartialOperation, now: Timestamp) {
    let planner = Planner::of(&state.shared);
    let able = state.shared.sources.iter().map(|info| &info.id);
    let able = able.filter(|id| planner.unavailable(id, wanted.kind).is_none());
    let all = able.flat_map(|id| planner.services(id).into_iter().map(move |service| (id, service)));
    let items: Items = all
        .map(|(source, service)| {
            let name = format!("{}  {source}", service.name);
            let objects = Objects::Service(Some((source.clone(), service)));
            item(name, Intent::Operate(PartialOperation { objects, ..wanted.clone() }), None)
        })
        .collect();
    if items.is_empty() {
        let why = planner.unavailable_everywhere(wanted.kind);
        return refuse(state, &why.unwrap_or_else(|| "no service of a paging system is known".into()), now);
    }
    show(state, "Open an incident about", items);
}

/// The time until 08:00 in the displayed time zone.
fn until_morning(shared: &Shared, now: Timestamp) -> Option<Duration> {
    let here = now.to_zoned(shared.look.zone.clone());
    let today = here.date().at(8, 0, 0, 0).to_zoned(shared.look.zone.clone()).ok()?;
    let morning = if today.timestamp() > now {
        today
    } else {
        here.date().tomorrow().ok()?.at(8, 0, 0, 0).to_zoned(shared.look.zone.clone()).ok()?
    };
    // in whole seconds, rounded up
    let rest = morning.timestamp().duration_since(now);
    let more = i64::from(rest.subsec_nanos() > 0);
    Duration::try_from(SignedDuration::from_secs(rest.as_secs() + more)).ok()
}
