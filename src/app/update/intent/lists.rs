//! The menus of actions: everything that is possible here, each thing with the reason where it cannot be done.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::{about, incidents, item, long, refuse, to_silence, until_morning};
use crate::app::commands::Command;
use crate::app::event::Effect;
use crate::app::form::SILENCED;
use crate::app::identity::{IncidentKey, LevelKey, PolicyKey, SilenceKey};
use crate::app::intent::Intent;
use crate::app::menu::{Choice, Menu};
use crate::app::number::moment;
use crate::app::planner::consequences::people;
use crate::app::planner::{Planner, called};
use crate::app::selection::Selection;
use crate::app::state::{Mode, State};
use crate::app::subjects::on_call;
use crate::model::action::{EntityRef, Operation, OperationKind};
use crate::model::ask::Topic;
use crate::model::incident::Named;
use crate::model::labels::Text;
use crate::model::silence::SilenceState;
use crate::model::source::SourceId;
use crate::model::world::Linked;

/// Minutes that an incident rests by one key.
const RESTS: [u64; 5] = [15, 30, 60, 240, 480];
/// Minutes by which a silence is extended.
const LONGER: [u64; 6] = [30, 60, 120, 240, 480, 1440];
/// Minutes for which a turn is taken.
const STINTS: [u64; 4] = [60, 120, 240, 480];

type Items = Vec<(String, Choice)>;

fn show(state: &mut State, title: impl Into<String>, items: Items) {
    state.mode = Mode::Menu(Menu::new(title.into(), items, 0));
}

fn whom(named: &Named) -> EntityRef {
    EntityRef { id: named.id.clone(), name: named.name.clone() }
}

fn nobody() -> EntityRef {
    EntityRef { id: "".into(), name: "".into() }
}

/// Why a operation of a kind cannot be done to these incidents, if so; tried with a operation of its kind.
fn cannot(state: &State, known: &[&Linked], trial: &Operation) -> Option<Text> {
    Planner::of(&state.shared).on_incidents(known, trial).err()
}

/// The name of a command with its key, for a menu.
fn with_key(state: &State, command: Command, name: &str) -> String {
    let key = state.shared.key(command);
    format!("{name}  ({key})")
}

/// Everything that can be done to what the person points at.
pub(super) fn all(state: &mut State, now: Timestamp) -> Vec<Effect> {
    let pointed = state.selection();
    let mut items: Items = Vec::new();
    let mut title = "Do".to_owned();
    match &pointed {
        Selection::Silences(keys) => {
            title = if keys.len() == 1 { "1 silence".to_owned() } else { format!("{} silences", keys.len()) };
            items.extend(of_silences(state, keys));
        }
        Selection::Level(key) => items.extend(of_level(state, key, now)),
        Selection::Policy(policy) => {
            let known = policy.policy(&state.shared.world);
            let levels = known.map(|(board, policy)| on_call::levels(board, policy)).unwrap_or_default();
            for level in levels {
                items.extend(of_level(state, &LevelKey { policy: policy.clone(), level }, now));
            }
        }
        Selection::Alerts(alerts) => {
            title = if alerts.len() == 1 { "1 alert".to_owned() } else { format!("{} alerts", alerts.len()) };
            let why = Planner::of(&state.shared).cannot_anywhere(OperationKind::Silence);
            let name = with_key(state, Command::Silence, "Silence...");
            items.push(item(name, Intent::Silence(alerts.clone(), SILENCED), why));
        }
        Selection::Services(names) => {
            title = if let [one] = names.as_slice() {
                one.to_string()
            } else {
                format!("{} services", names.len())
            };
            let alerts = to_silence(state);
            let none = alerts.is_empty().then(|| "no alert of it is known".into());
            let why = none.or_else(|| Planner::of(&state.shared).cannot_anywhere(OperationKind::Silence));
            let name = with_key(state, Command::Silence, &silences_of(alerts.len()));
            items.push(item(name, Intent::Silence(alerts, SILENCED), why));
        }
        Selection::Incidents(_) | Selection::Nothing => {}
    }
    let keys = about(state);
    let known = incidents(&state.shared.world, &keys);
    if !known.is_empty() {
        title = match (known.as_slice(), &pointed) {
            ([one], Selection::Incidents(_)) => called(one).to_string(),
            (many, Selection::Incidents(_)) => format!("{} incidents", many.len()),
            (many, _) => {
                let numbers: Vec<String> =
                    many.iter().take(3).map(|known| format!("#{}", known.incident.number)).collect();
                format!("{title}, of {}", numbers.join(" "))
            }
        };
        // who has it comes before who is not to hear of it
        items.splice(0..0, of_incidents(state, &keys, &known));
        if matches!(pointed, Selection::Incidents(_)) {
            let alerts = to_silence(state);
            let none = alerts.is_empty().then(|| "no alert is known that it is about".into());
            let why = none.or_else(|| Planner::of(&state.shared).cannot_anywhere(OperationKind::Silence));
            let name = with_key(state, Command::Silence, "Silence its alerts...");
            items.push(item(name, Intent::Silence(alerts, SILENCED), why));
        }
    }
    let heading = match (known.as_slice(), &pointed) {
        ([one], _) => one.incident.title.to_string(),
        (_, Selection::Alerts(alerts)) => {
            let first = alerts.first().and_then(|alert| state.shared.world.alert(*alert));
            first.map(|alert| alert.name().to_owned()).unwrap_or_default()
        }
        _ => String::new(),
    };
    let why = Planner::of(&state.shared).cannot_anywhere(OperationKind::Trigger);
    items.push(item("Open an incident...", Intent::Trigger(heading), why));
    let why = Planner::of(&state.shared).cannot_anywhere(OperationKind::Silence);
    items.push(item(with_key(state, Command::NewSilence, "New silence..."), Intent::NewSilence, why));
    items.push(item(with_key(state, Command::Silences, "All silences"), Intent::Silences, None));
    items.push(item(with_key(state, Command::Results, "What was done so far"), Intent::Results, None));
    show(state, title, items);
    Vec::new()
}

/// What a menu calls silencing the alerts of something.
fn silences_of(alerts: usize) -> String {
    match alerts {
        0 => "Silence its alerts...".to_owned(),
        1 => "Silence its alert...".to_owned(),
        many => format!("Silence its {many} alerts..."),
    }
}

fn of_incidents(state: &State, keys: &[IncidentKey], known: &[&Linked]) -> Items {
    let keys = || keys.to_vec();
    let rest = Duration::from_secs(60);
    let named = |command, name| with_key(state, command, name);
    let why = |trial: &Operation| cannot(state, known, trial);
    let help = Operation::AddResponder { people: Vec::new(), message: "".into() };
    let status_update = Operation::StatusUpdate { message: "".into() };
    let escalates = [
        Operation::Escalate { level: 1 },
        Operation::Assign { to: nobody() },
        Operation::Reroute { policy: nobody() },
    ];
    // one of the three ways is enough for the menu of them
    let escalates =
        escalates.iter().map(why).collect::<Option<Vec<Text>>>().and_then(|all| all.into_iter().next());
    vec![
        item(
            named(Command::Acknowledge, "Acknowledge"),
            Intent::Do(keys(), Operation::Acknowledge),
            why(&Operation::Acknowledge),
        ),
        item(
            named(Command::Resolve, "Resolve"),
            Intent::Do(keys(), Operation::Resolve),
            why(&Operation::Resolve),
        ),
        item(named(Command::Escalate, "Escalate or reassign..."), Intent::Escalate(keys()), escalates),
        item(named(Command::Snooze, "Snooze..."), Intent::Snooze(keys()), why(&Operation::Snooze { rest })),
        item(
            named(Command::Note, "Note..."),
            Intent::Note(keys()),
            why(&Operation::Note { content: "".into() }),
        ),
        item("Priority...", Intent::Priority(keys()), why(&Operation::Priority { priority: None })),
        item("Merge into...", Intent::Merge(keys()), why(&Operation::Merge { into: nobody() })),
        item("Ask for help...", Intent::Help(keys()), why(&help)),
        item("Status update...", Intent::StatusUpdate(keys()), why(&status_update)),
    ]
}

fn of_silences(state: &State, keys: &[SilenceKey]) -> Items {
    let all = super::silences(&state.shared.world, keys);
    let until = all.first().map_or(Timestamp::UNIX_EPOCH, |silence| silence.ends_at);
    let extend = Planner::of(&state.shared).on_silences(&all, |_| Operation::Extend { until }).err();
    let expire = Planner::of(&state.shared).on_silences(&all, |_| Operation::Expire).err();
    let mut items = vec![
        item("Extend...", Intent::Extend(keys.to_vec()), extend),
        item("Expire: end now", Intent::Expire(keys.to_vec()), expire),
    ];
    if let ([key], [silence]) = (keys, all.as_slice()) {
        let why = |kind| Planner::of(&state.shared).cannot(&silence.source, kind);
        let is_over = silence.state == SilenceState::Expired;
        let ended = is_over.then(|| "it has ended: make it again instead".into());
        items.push(item(
            "Edit: other matchers, comment or end...",
            Intent::EditSilence(key.clone()),
            ended.or_else(|| why(OperationKind::Edit)),
        ));
        items.push(item("Make it again...", Intent::SilenceAgain(key.clone()), why(OperationKind::Silence)));
    }
    items
}

fn of_level(state: &State, key: &LevelKey, now: Timestamp) -> Items {
    let turn = Planner::of(&state.shared).turn_to_take(&key.policy.source, (&key.policy.id, key.level), now);
    match turn {
        Ok(turn) => {
            let name = format!(
                "Take the shift of {} (level {}, {})...",
                turn.from.name, key.level, turn.schedule.name
            );
            vec![item(name, Intent::Turn(key.clone()), None)]
        }
        Err(why) => {
            vec![item(format!("Take the shift (level {})", key.level), Intent::Turn(key.clone()), Some(why))]
        }
    }
}

/// EntityRef to wake: levels, people, policies.
pub(super) fn escalate(state: &mut State, keys: &[IncidentKey], now: Timestamp) {
    let known = incidents(&state.shared.world, keys);
    let Some(first) = known.first() else { return refuse(state, "it is gone", now) };
    let source = first.incident.source.clone();
    let mut items: Items = Vec::new();
    let is_fresh = Planner::of(&state.shared).knows_who_is_on_call(&source, now);
    if !is_fresh {
        state.shared.polls.ask_again(&source, |topic| *topic == Topic::OnCall, now);
    }
    let known = incidents(&state.shared.world, keys);
    let policies: BTreeSet<Option<&Text>> = known
        .iter()
        .map(|known| known.incident.escalation_policy.as_ref().map(|policy| &policy.id))
        .collect();
    let one = policies.first().copied().flatten().filter(|_| policies.len() == 1);
    let why = cannot(state, &known, &Operation::Escalate { level: 1 });
    if let Some((board, policy)) =
        one.and_then(|id| PolicyKey { source: source.clone(), id: id.clone() }.policy(&state.shared.world))
    {
        for level in on_call::levels(board, policy) {
            let who = people(board, policy, level, now);
            let who = match (who.is_empty(), is_fresh) {
                (true, _) => "nobody on call".to_owned(),
                (false, true) => who.join(", "),
                (false, false) => format!("{} (read over 5m ago)", who.join(", ")),
            };
            let name = format!("Level {level} of {}: {who}", policy.named.name);
            items.push(item(name, Intent::Do(keys.to_vec(), Operation::Escalate { level }), why.clone()));
        }
    } else {
        let words = if policies.len() > 1 {
            "they have different policies"
        } else {
            "the levels of its policy are not known"
        };
        items.push(item("Another level", Intent::Escalate(keys.to_vec()), Some(words.into())));
    }
    let why = cannot(state, &known, &Operation::Assign { to: nobody() });
    for person in Planner::of(&state.shared).people(&source, now) {
        let you = if state.shared.world.is_me(&source, person) { " (you)" } else { "" };
        let night = if person.is_at_night(now) == Some(true) { ", night there" } else { "" };
        let to = EntityRef { id: person.id.clone(), name: person.name.clone() };
        let name = format!("Person: {}{you}{night}", person.name);
        items.push(item(name, Intent::Do(keys.to_vec(), Operation::Assign { to }), why.clone()));
    }
    let why = cannot(state, &known, &Operation::Reroute { policy: nobody() });
    for policy in Planner::of(&state.shared).board(&source).into_iter().flat_map(|board| &board.policies) {
        let board = Planner::of(&state.shared).board(&source);
        let who = board.map(|board| people(board, policy, 1, now)).unwrap_or_default();
        let who = if who.is_empty() { "nobody on call".to_owned() } else { who.join(", ") };
        let name = format!("Policy: {}, wakes {who}", policy.named.name);
        let operation = Operation::Reroute { policy: whom(&policy.named) };
        items.push(item(name, Intent::Do(keys.to_vec(), operation), why.clone()));
    }
    let title = match known.as_slice() {
        [one] => format!("#{}: wake whom?", one.incident.number),
        many => format!("{} incidents: wake whom?", many.len()),
    };
    show(state, title, items);
}

/// How long to rest.
pub(super) fn snooze(state: &mut State, keys: &[IncidentKey], now: Timestamp) {
    let known = incidents(&state.shared.world, keys);
    let rest = Duration::from_secs(60);
    if let Some(why) = cannot(state, &known, &Operation::Snooze { rest }) {
        return refuse(state, &why, now);
    }
    let end = |rest: Duration| now.checked_add(rest).map_or(now, |end| end);
    let intent = |rest| Intent::Do(keys.to_vec(), Operation::Snooze { rest });
    let named =
        |rest: Duration| format!("{}, until {}", long(rest), moment(end(rest), now, &state.shared.look.zone));
    let mut items: Items = RESTS
        .iter()
        .map(|minutes| Duration::from_secs(minutes * 60))
        .map(|rest| item(named(rest), intent(rest), None))
        .collect();
    if let Some(rest) = until_morning(state, now) {
        let until = moment(end(rest), now, &state.shared.look.zone);
        items.push(item(format!("Until morning, {until}"), intent(rest), None));
    }
    show(state, "Let it rest for", items);
}

/// Which priority.
pub(super) fn priorities(state: &mut State, keys: &[IncidentKey]) {
    let known = incidents(&state.shared.world, keys);
    let sources: BTreeSet<&SourceId> = known.iter().map(|known| &known.incident.source).collect();
    let mut all: Vec<_> =
        sources.into_iter().flat_map(|source| state.shared.world.priorities(source)).collect();
    all.dedup_by(|a, b| a.named.id == b.named.id);
    let set = |priority: Option<EntityRef>| Intent::Do(keys.to_vec(), Operation::Priority { priority });
    let mut items: Items = all
        .iter()
        .map(|priority| item(&*priority.named.name, set(Some(whom(&priority.named))), None))
        .collect();
    items.push(item("none", set(None), None));
    show(state, "Priority", items);
}

/// Into which incident.
pub(super) fn merge(state: &mut State, keys: &[IncidentKey]) {
    let known = incidents(&state.shared.world, keys);
    let sources: BTreeSet<&SourceId> = known.iter().map(|known| &known.incident.source).collect();
    let open = state.shared.world.incidents().iter().filter(|other| other.incident.is_open());
    let others = open
        .filter(|other| sources.contains(&other.incident.source) && !keys.contains(&IncidentKey::of(other)));
    let mut items: Items = others
        .map(|other| {
            let into = EntityRef { id: other.incident.id.clone(), name: called(other) };
            item(&*called(other), Intent::Do(keys.to_vec(), Operation::Merge { into }), None)
        })
        .collect();
    if items.is_empty() {
        items.push(item(
            "Nothing to merge into",
            Intent::Merge(keys.to_vec()),
            Some("no other incident is open".into()),
        ));
    }
    show(state, "Merge into", items);
}

/// EntityRef to ask for help.
pub(super) fn help(state: &mut State, keys: &[IncidentKey], now: Timestamp) {
    let known = incidents(&state.shared.world, keys);
    let Some(first) = known.first() else { return refuse(state, "it is gone", now) };
    let people = Planner::of(&state.shared).people(&first.incident.source, now);
    let source = first.incident.source.clone();
    let others = people.into_iter().filter(|person| !state.shared.world.is_me(&source, person));
    let mut items: Items = others
        .map(|person| {
            let night = if person.is_at_night(now) == Some(true) { ", night there" } else { "" };
            let one = EntityRef { id: person.id.clone(), name: person.name.clone() };
            item(format!("{}{night}", person.name), Intent::AddResponder(keys.to_vec(), one), None)
        })
        .collect();
    if items.is_empty() {
        items.push(item(
            "Nobody to ask",
            Intent::Help(keys.to_vec()),
            Some("nobody else is known there".into()),
        ));
    }
    show(state, "Ask whom for help?", items);
}

/// About which service an incident is opened.
pub(super) fn services(state: &mut State, title: &str, now: Timestamp) {
    let able: Vec<SourceId> = state.shared.sources.iter().map(|info| info.id.clone()).collect();
    let able =
        able.into_iter().filter(|id| Planner::of(&state.shared).cannot(id, OperationKind::Trigger).is_none());
    let mut items: Items = Vec::new();
    for source in able.collect::<Vec<_>>() {
        for service in Planner::of(&state.shared).services(&source) {
            let name = format!("{}  {source}", service.name);
            items.push(item(name, Intent::Open(source.clone(), service, title.to_owned()), None));
        }
    }
    if items.is_empty() {
        let why = Planner::of(&state.shared).cannot_anywhere(OperationKind::Trigger);
        return refuse(state, &why.unwrap_or_else(|| "no service of a paging system is known".into()), now);
    }
    show(state, "Open an incident about", items);
}

/// Until when a turn is taken.
pub(super) fn turn(state: &mut State, key: &LevelKey, now: Timestamp) {
    let planner = Planner::of(&state.shared);
    let turn = match planner.turn_to_take(&key.policy.source, (&key.policy.id, key.level), now) {
        Ok(turn) => turn,
        Err(why) => return refuse(state, &why, now),
    };
    let at = |end: Timestamp| moment(end, now, &state.shared.look.zone);
    let mut items: Items = STINTS
        .iter()
        .filter_map(|minutes| {
            now.checked_add(Duration::from_secs(minutes * 60)).ok().map(|end| (*minutes, end))
        })
        .filter(|(_, end)| *end < turn.end)
        .map(|(minutes, end)| {
            let name = format!("For {}, until {}", long(Duration::from_secs(minutes * 60)), at(end));
            item(name, Intent::Take(key.clone(), end), None)
        })
        .collect();
    let name = format!("To its end, {}", at(turn.end));
    items.insert(0, item(name, Intent::Take(key.clone(), turn.end), None));
    let title = format!("Take the shift of {}", turn.from.name);
    show(state, title, items);
}

/// By how much silences are extended.
pub(super) fn extend(state: &mut State, keys: &[SilenceKey], now: Timestamp) {
    let all = super::silences(&state.shared.world, keys);
    let only = if let [one] = all.as_slice() { Some(one.ends_at.max(now)) } else { None };
    let items: Items = LONGER
        .iter()
        .map(|minutes| Duration::from_secs(minutes * 60))
        .map(|by| {
            let end = only.and_then(|end| end.checked_add(by).ok());
            let end = end.map(|end| format!(", to {}", moment(end, now, &state.shared.look.zone)));
            let name = format!("By {}{}", long(by), end.unwrap_or_default());
            item(name, Intent::ExtendBy(keys.to_vec(), by), None)
        })
        .collect();
    show(state, "Extend", items);
}
