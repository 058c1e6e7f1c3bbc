//! The menus: what each of them offers, and what choosing does.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Timestamp;

use super::event::Effect;
use super::menu::{Choice, Menu};
use super::navigate;
use super::place::Place;
use super::range::{LENGTHS, Range};
use super::screens::{alerts, incidents, services, slos};
use super::state::{Mode, State};
use crate::model::ask::{TimeUse, Topic};
use crate::model::duration;
use crate::model::labels::Text;
use crate::model::text::address;

/// Opens the menu of orders.
pub(super) fn sort(state: &mut State, now: Timestamp) {
    let (names, order): (&[&str], _) = match state.place() {
        Place::Alerts => (&alerts::ORDERS, state.alerts.order),
        Place::Services => (&services::ORDERS, state.services.order),
        Place::Slos => (&slos::ORDERS, state.slos.order),
        Place::Incidents => (&incidents::ORDERS, state.incidents.order),
        _ => {
            state.messages.note(
                "This has one order; the lists of services, SLOs, alerts and incidents have several",
                now,
            );
            return;
        }
    };
    let items = names.iter().enumerate().map(|(i, name)| ((*name).to_owned(), Choice::Sort(i))).collect();
    state.mode = Mode::Menu(Menu::new("Order by (again: reversed)", items, order.column));
}

/// Opens the menu of labels to group SLOs, alerts or incidents by.
pub(super) fn group(state: &mut State) {
    match state.place() {
        Place::Slos => {
            let names = slos::labels(&state.world);
            group_by_one(state, names, state.slos.grouping.clone());
        }
        Place::Incidents => {
            let names = incidents::GROUPINGS.map(str::to_owned).to_vec();
            group_by_one(state, names, state.incidents.grouping.clone());
        }
        _ => group_alerts(state),
    }
}

/// Of names the one that groups, or none.
fn group_by_one(state: &mut State, names: Vec<String>, present: Option<String>) {
    let label = |name: String| (name.clone(), Choice::Group(Some(vec![name])));
    let mut items = vec![("not at all".to_owned(), Choice::Group(None))];
    items.extend(names.into_iter().map(label));
    let holds = Choice::Group(present.map(|by| vec![by]));
    let at = items.iter().position(|(_, choice)| *choice == holds).unwrap_or(0);
    state.mode = Mode::Menu(Menu::new("Group by", items, at));
}

fn group_alerts(state: &mut State) {
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, _) in state.world.alerts().iter().flat_map(|alert| alert.labels.iter()) {
        *names.entry(name).or_default() += 1;
    }
    let mut names: Vec<(&str, usize)> = names.into_iter().collect();
    names.sort_by_key(|(name, count)| (Reverse(*count), *name));
    let mut items = vec![
        ("as the receiver groups them".to_owned(), Choice::Group(None)),
        ("not at all".to_owned(), Choice::Group(Some(Vec::new()))),
    ];
    let label = |name: &str| (name.to_owned(), Choice::Group(Some(vec![name.to_owned()])));
    items.extend(names.into_iter().map(|(name, _)| label(name)));
    let holds = match &state.alerts.grouping {
        alerts::Grouping::Received => Choice::Group(None),
        alerts::Grouping::None => Choice::Group(Some(Vec::new())),
        alerts::Grouping::By(names) => Choice::Group(Some(names.clone())),
    };
    let at = items.iter().position(|(_, choice)| *choice == holds).unwrap_or(0);
    state.mode = Mode::Menu(Menu::new("Group by", items, at));
}

/// Opens the menu of time ranges.
pub(super) fn range(state: &mut State) {
    let items = LENGTHS.map(|length| (duration::short(length), Choice::Range(length))).to_vec();
    let at = LENGTHS.iter().position(|length| *length == state.range.length).unwrap_or(0);
    state.mode = Mode::Menu(Menu::new("Time range", items, at));
}

/// Opens the menu of contexts, if there is more than one.
pub(super) fn context(state: &mut State, now: Timestamp) {
    if state.contexts.iter().all(|name| *name == state.context) {
        let words = format!("{} is the only context; the configuration can have more", state.context);
        state.messages.note(words, now);
        return;
    }
    let items = state.contexts.iter().map(|c| (c.to_string(), Choice::Context(c.clone()))).collect();
    let at = state.contexts.iter().position(|c| *c == state.context).unwrap_or(0);
    state.mode = Mode::Menu(Menu::new("Context", items, at));
}

/// Opens the menu of themes; the one under the cursor is shown at once.
pub(super) fn theme(state: &mut State) {
    let themes = state.look.themes.iter().enumerate();
    let items = themes.map(|(i, theme)| (theme.name().to_owned(), Choice::Theme(i))).collect();
    state.mode = Mode::Menu(Menu::new("Theme (Esc takes it back)", items, state.look.theme));
}

/// Opens the menu of links.
pub(super) fn links(state: &mut State, now: Timestamp) {
    let links = navigate::links(state).into_iter();
    let item = |(name, link): (String, Text)| {
        let link = address(&link);
        (format!("{name}  {link}"), Choice::Link((&*link).into()))
    };
    let items: Vec<_> = links.map(item).collect();
    if items.is_empty() {
        state.messages.note("No links here: links belong to alerts, incidents and policies", now);
    } else {
        state.mode = Mode::Menu(Menu::new("Links (Enter copies)", items, 0));
    }
}

/// Shows what the cursor of a menu is on, where that can be taken back.
pub(super) fn preview(state: &mut State, choice: Option<&Choice>) {
    if let Some(Choice::Theme(theme)) = choice {
        state.look.choose(*theme);
    }
}

/// Does what was chosen.
pub(super) fn choose(state: &mut State, choice: Choice, now: Timestamp) -> Vec<Effect> {
    match choice {
        Choice::Sort(column) => {
            match state.place() {
                Place::Alerts => state.alerts.order.choose(column),
                Place::Slos => state.slos.order.choose(column),
                Place::Incidents => state.incidents.order.choose(column),
                _ => state.services.order.choose(column),
            }
            state.ordered = None;
        }
        Choice::Group(labels) if *state.place() == Place::Slos => {
            state.slos.grouping = labels.into_iter().flatten().next();
            state.ordered = None;
        }
        Choice::Group(labels) if *state.place() == Place::Incidents => {
            state.incidents.grouping = labels.into_iter().flatten().next();
            state.ordered = None;
        }
        Choice::Group(labels) => {
            state.alerts.grouping = match labels {
                None => alerts::Grouping::Received,
                Some(names) if names.is_empty() => alerts::Grouping::None,
                Some(names) => alerts::Grouping::By(names),
            };
            state.ordered = None;
        }
        Choice::Range(length) => change_range(state, now, |range, _| range.length = length),
        Choice::Theme(theme) => {
            state.look.choose(theme);
            return vec![Effect::Redraw];
        }
        Choice::Context(context) => return vec![Effect::Enter(context)],
        Choice::Runbook(wanted) => navigate::go(state, Place::Runbook(wanted), now),
        Choice::Link(link) => return copy(state, link.to_string(), now),
        Choice::Wish(wish) => return super::wish::choose(state, *wish, now),
        Choice::Cannot(why) => state.messages.note(format!("That cannot be done: {why}"), now),
    }
    Vec::new()
}

/// Changes the range; what is on the screen belongs to another stretch of time then, and is asked at once.
pub(super) fn change_range(state: &mut State, now: Timestamp, change: impl Fn(&mut Range, Timestamp)) {
    let before = state.range;
    change(&mut state.range, now);
    if state.range != before {
        // what stands in the timeline is cut by it
        state.ordered = None;
        let belongs_to_a_range = |topic: &Topic| match topic.kind().time() {
            // about another moment it is asked anyway
            TimeUse::Now | TimeUse::Moment => false,
            TimeUse::Since | TimeUse::Range => true,
        };
        state.polls.hurry(belongs_to_a_range, now);
    }
}

/// Puts a text on the clipboard and says so.
pub(super) fn copy(state: &mut State, text: String, now: Timestamp) -> Vec<Effect> {
    // a list of labels may have many lines; the footer has one
    let lines = text.lines().count();
    let said = if lines > 1 { format!("Copied {lines} lines") } else { format!("Copied: {text}") };
    state.messages.note(said, now);
    vec![Effect::Copy(text)]
}
