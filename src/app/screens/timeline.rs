//! Timeline: everything that happened, the newest first: alerts, incidents, silences, and what the person did.

use std::cmp::Reverse;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::app::chronicle::{Entry, Key};
use crate::app::due::Want;
use crate::app::filter::Haystack;
use crate::app::fired;
use crate::app::found::Found;
use crate::app::list::List;
use crate::app::menus;
use crate::app::navigate;
use crate::app::number;
use crate::app::place::Place;
use crate::app::range::LENGTHS;
use crate::app::state::State;
use crate::app::want;
use crate::model::ask::{AskKind, Query};
use crate::model::labels::{Labels, Text};
use crate::model::remote::age;
use crate::model::source::SourceInfo;

mod view;

pub use view::render;

/// What was written late is asked for again.
const OVERLAP: SignedDuration = SignedDuration::from_mins(5);
/// Incidents that were over before that are not told any more.
const REACH: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The list of what happened.
#[derive(Debug, Default)]
pub struct Timeline {
    /// The rows.
    pub list: List<Reverse<Key>>,
    /// The filter.
    pub found: Found,
    /// Where the cursor is to go: what was looked at happened then.
    seek: Option<Timestamp>,
}

/// When that happened from which the person comes.
fn moment(state: &State) -> Option<Timestamp> {
    match state.place() {
        Place::Alert(fingerprint) => state.world.alert(*fingerprint).map(|alert| alert.starts_at),
        Place::Incident { source, id } => {
            state.world.incident(source, id).map(|known| known.incident.created_at)
        }
        Place::Service(name) => state.world.service(name).and_then(|service| service.since),
        _ => None,
    }
}

/// Opens it; from an alert, an incident or a service at the moment when that began.
pub(in crate::app) fn open(state: &mut State, now: Timestamp) {
    let moment = moment(state);
    navigate::go(state, Place::Timeline, now);
    let Some(moment) = moment else { return };
    let ago = age(moment, state.range.end.unwrap_or(now));
    // a little more than needed, for what came before it is what is looked for
    let needed = ago.saturating_add(Duration::from_secs(600));
    if needed > state.range.length {
        let length = LENGTHS.into_iter().find(|length| *length >= needed);
        let length = length.or(LENGTHS.last().copied()).unwrap_or(state.range.length);
        menus::change_range(state, now, |range, _| range.length = length);
    }
    state.timeline.seek = Some(moment);
    state.ordered = None;
}

/// From when on it shows what happened.
fn start(state: &State, now: Timestamp) -> Timestamp {
    state.range.end.unwrap_or(now).checked_sub(state.range.length).unwrap_or(Timestamp::MIN)
}

/// What happened to incidents: from the start of the range, and then what is new; and when alerts fired.
pub fn wants(state: &State, now: Timestamp) -> Vec<Want> {
    let earliest = now.checked_sub(REACH).unwrap_or(now);
    let start = start(state, now).clamp(earliest, now);
    let want = |source: &SourceInfo| {
        let held = state.world.held(&source.id)?;
        let known = held.steps().value().filter(|board| board.wanted <= start && board.until >= start);
        let since = known.and_then(|board| board.until.checked_sub(OVERLAP).ok()).unwrap_or(start);
        Some(want::of(state, &source.id, Query::Steps { since: since.max(earliest) }))
    };
    want::sources(state, AskKind::Steps).filter_map(want).chain(fired::wants_shown(state, now)).collect()
}

/// How far what happened to incidents is known within the range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Steps {
    /// All of it, or no source keeps it.
    Whole,
    /// From then on.
    Since(Timestamp),
    /// Not at all yet.
    Unread,
}

fn steps(state: &State, now: Timestamp) -> Steps {
    let start = start(state, now);
    let mut latest = None;
    for source in want::sources(state, AskKind::Steps) {
        let Some(board) = state.world.held(&source.id).and_then(|held| held.steps().value()) else {
            return Steps::Unread;
        };
        latest = latest.max(Some(board.since));
    }
    latest.filter(|since| *since > start).map_or(Steps::Whole, Steps::Since)
}

/// All that a matcher can ask for.
fn described((_, kind, _): &Key, entry: &Entry) -> Labels {
    let own = entry.labels.iter().map(|(name, value)| (name.clone(), value.clone()));
    let service = entry.service.iter().map(|service| (Text::from("service"), service.clone()));
    let service = service.filter(|_| entry.labels.get("service").is_none());
    Labels::new(own.chain([("kind".into(), kind.word().into())]).chain(service).collect())
}

/// Brings the rows into their order again: the newest first, as far as the range goes.
pub fn reorder(state: &mut State) {
    let is_typing = state.is_typing();
    let range = state.range;
    let State { chronicle, timeline: screen, .. } = state;
    let end = range.end.unwrap_or(Timestamp::MAX);
    let start = range.end.unwrap_or(chronicle.now()).checked_sub(range.length).unwrap_or(Timestamp::MIN);
    let all: Vec<(&Key, &Entry)> = chronicle.entries().iter().rev().collect();
    let passes = screen.found.select(chronicle.revision(), is_typing, || {
        let described: Vec<Labels> = all.iter().map(|(key, entry)| described(key, entry)).collect();
        let sentences: Vec<Text> = all.iter().map(|(_, entry)| entry.sentence()).collect();
        Haystack::new(described.iter().zip(&sentences).map(|(labels, sentence)| (labels, [sentence])))
    });
    let passing = all.into_iter().enumerate();
    let passing =
        passing.filter(|(i, _)| passes.as_ref().is_none_or(|all| all.get(*i).copied().unwrap_or(false)));
    let rows: Vec<Reverse<Key>> = passing
        .map(|(_, (key, _))| key)
        .filter(|(at, ..)| (start..=end).contains(at))
        .map(|key| Reverse(key.clone()))
        .collect();
    let sought = screen.seek.take().map(|moment| rows.iter().position(|Reverse((at, ..))| *at <= moment));
    let last = rows.len().saturating_sub(1);
    screen.list.set_rows(rows);
    if let Some(at) = sought {
        screen.list.move_to(at.unwrap_or(last));
    }
}

/// What the cursor is on.
fn current(state: &State) -> Option<(&Key, &Entry)> {
    let Reverse(key) = state.timeline.list.current()?;
    state.chronicle.entries().get_key_value(key)
}

/// What Enter opens.
pub(in crate::app) fn target(state: &State) -> Option<Place> {
    current(state)?.1.place.clone()
}

/// What copying takes: the marked lines, else the one under the cursor.
pub(in crate::app) fn copied(state: &State, now: Timestamp) -> Option<String> {
    let list = &state.timeline.list;
    let said = |Reverse(key): &Reverse<Key>| {
        let entry = state.chronicle.entries().get(key)?;
        let service = entry.service.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
        let at = number::moment(key.0, now, &state.look.zone);
        Some(format!("{at} {}{service} {}", key.1.word(), entry.sentence()))
    };
    // marks are kept newest first, as the list is
    let marked: Vec<String> = list.marks().iter().filter_map(said).collect();
    if marked.is_empty() { list.current().and_then(said) } else { Some(marked.join("\n")) }
}
