//! Silences: who keeps what quiet, until when, and how much that is now.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::app::acts::silence_called;
use crate::app::filter::Haystack;
use crate::app::found::Found;
use crate::app::list::List;
use crate::app::state::State;
use crate::model::labels::{Labels, Text};
use crate::model::remote::age;
use crate::model::silence::{Silence, SilenceState};
use crate::model::source::SourceId;
use crate::model::world::World;

mod view;

pub use view::render;

/// A silence that ends within this stands out.
pub const SOON: Duration = Duration::from_secs(3600);

/// A silence of a source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SilenceKey {
    /// What its source calls it.
    pub id: Text,
    /// The first source that tells of it.
    pub source: SourceId,
}

impl SilenceKey {
    /// The silence as it is shown, if it is still there.
    pub fn silence(&self, world: &World) -> Option<Arc<Silence>> {
        let mut all = world.shown_silences();
        all.find(|(one, _)| one.id == self.id && one.source == self.source).map(|(one, _)| one)
    }
}

/// The list of silences.
#[derive(Debug, Default)]
pub struct Silences {
    /// The rows.
    pub list: List<SilenceKey>,
    /// The filter.
    pub found: Found,
    /// Whether those that have ended are shown, too.
    pub show_ended: bool,
    /// How many that have ended are folded away.
    pub hidden: usize,
    /// How many alerts each hides now.
    pub hides: HashMap<Text, usize>,
}

/// Whether it ends soon.
pub fn ends_soon(silence: &Silence, now: Timestamp) -> bool {
    silence.state == SilenceState::Active && age(now, silence.ends_at) < SOON
}

/// All that a matcher can ask for.
fn described(silence: &Silence) -> Labels {
    let pairs = [
        ("id", silence.id.clone()),
        ("state", silence.state.word().into()),
        ("matchers", silence_called(silence)),
        ("by", silence.created_by.clone()),
        ("comment", commented(silence)),
        ("source", silence.source.as_str().into()),
    ];
    Labels::new(pairs.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

/// Why it was made, with what else is written down of it.
fn commented(silence: &Silence) -> Text {
    let more: Vec<String> =
        silence.annotations.iter().map(|(name, value)| format!("{name}={value}")).collect();
    if more.is_empty() {
        return Text::clone(&silence.comment);
    }
    format!("{}  {}", silence.comment, more.join(" ")).into()
}

/// Brings them into their order again: those in force first, what ends soonest first. Members of a cluster tell of the same
/// ones; each is shown once.
pub fn reorder(state: &mut State) {
    let is_typing = state.is_typing();
    let State { world, silences: screen, .. } = state;
    let mut seen = BTreeSet::new();
    let mut all: Vec<Arc<Silence>> =
        world.shown_silences().map(|(one, _)| one).filter(|one| seen.insert(one.id.clone())).collect();
    all.sort_by(|a, b| {
        let ended = |one: &Silence| one.state == SilenceState::Expired;
        let by_end = if ended(a) { b.ends_at.cmp(&a.ends_at) } else { a.ends_at.cmp(&b.ends_at) };
        a.state.cmp(&b.state).then(by_end).then_with(|| a.id.cmp(&b.id))
    });
    let passes = screen.found.select(world.revision(), is_typing, || {
        let described: Vec<Labels> = all.iter().map(|one| described(one)).collect();
        Haystack::new(described.iter().map(|labels| (labels, [])))
    });
    let passing = all.into_iter().enumerate();
    let passing =
        passing.filter(|(i, _)| passes.as_ref().is_none_or(|all| all.get(*i).copied().unwrap_or(false)));
    let mut rows = Vec::new();
    screen.hidden = 0;
    for (_, silence) in passing {
        if silence.state == SilenceState::Expired && !screen.show_ended && is_settled(world, &silence) {
            screen.hidden += 1;
        } else {
            rows.push(SilenceKey { id: silence.id.clone(), source: silence.source.clone() });
        }
    }
    screen.list.set_rows(rows);
    screen.hides = world.hidden_by_each();
}

/// Whether nothing is on its way for it.
fn is_settled(world: &World, silence: &Silence) -> bool {
    world.suppositions().iter().all(|one| one.action.target.id != silence.id)
}

/// What copying takes: the matchers.
pub fn copied(state: &State) -> Option<String> {
    let list = &state.silences.list;
    let said = |key: &SilenceKey| key.silence(&state.world).map(|one| silence_called(&one).to_string());
    let marked: Vec<String> = list.marks().iter().filter_map(said).collect();
    if marked.is_empty() { list.current().and_then(said) } else { Some(marked.join("\n")) }
}

/// The filter of alerts that shows what a silence is about, as far as that can be judged here.
pub fn filter(silence: &Silence) -> String {
    let judged = silence.matchers.iter().filter(|matcher| matcher.can_be_judged());
    judged.map(ToString::to_string).collect::<Vec<_>>().join(" ")
}
