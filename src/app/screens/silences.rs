//! Silences: who keeps what quiet, until when, and how much that is now.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use crate::app::grouped::FilteredList;
use crate::app::identity::SilenceKey;
use crate::app::planner::silence_called;
use crate::app::prelude::*;
use crate::model::silence::{Silence, SilenceState};

pub mod columns;
mod view;

/// A silence that ends within this stands out.
const SOON: Duration = Duration::from_secs(3600);

/// The list of silences.
#[derive(Debug, Default)]
pub struct Silences {
    pub rows: FilteredList<SilenceKey>,
    /// Whether those that have ended are shown, too.
    show_ended: bool,
    /// How many that have ended are folded away.
    hidden: usize,
    /// How many alerts each hides now.
    hides: HashMap<Text, usize>,
}

fn ends_soon(silence: &Silence, now: Timestamp) -> bool {
    silence.state == SilenceState::Active && age(now, silence.ends_at) < SOON
}

/// All that a matcher can ask for.
fn described(silence: &Silence) -> Labels {
    let pairs = [
        ("id", silence.id.clone()),
        ("state", silence.state.word().into()),
        ("matchers", silence_called(silence)),
        ("by", silence.created_by.clone()),
        ("comment", comment_with_annotations(silence)),
        ("source", silence.source.as_str().into()),
    ];
    Labels::new(pairs.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

/// The comment: why it was made, with what else is written down of it.
fn comment_with_annotations(silence: &Silence) -> Text {
    let more: Vec<String> =
        silence.annotations.iter().map(|(name, value)| format!("{name}={value}")).collect();
    if more.is_empty() {
        return Text::clone(&silence.comment);
    }
    format!("{}  {}", silence.comment, more.join(" ")).into()
}

/// Whether nothing is on its way for it.
fn is_settled(world: &World, silence: &Silence) -> bool {
    world.optimistic_changes().iter().all(|one| one.action.target.id != silence.id)
}

/// The filter of alerts that shows what a silence is about, as far as that can be judged here.
fn filter(silence: &Silence) -> String {
    let judged = silence.matchers.iter().filter(|matcher| matcher.can_be_evaluated());
    judged.map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

impl Item for SilenceKey {
    fn place(&self, _shared: &Shared) -> Option<Place> {
        None
    }

    fn selection(_shared: &Shared, chosen: Vec<Self>) -> Selection {
        Selection::Silences(chosen)
    }

    /// The matchers.
    fn copied(&self, shared: &Shared, _now: Timestamp) -> Option<String> {
        self.silence(&shared.world).map(|one| silence_called(&one).to_string())
    }

    fn is_handled(&self, handled: &Handled<'_>) -> bool {
        match handled {
            Handled::Silence(done) => self == *done,
            Handled::Alerts(_) | Handled::Incident { .. } => false,
        }
    }
}

impl Screen for Silences {
    fn scopes(&self) -> &'static [Scope] {
        &[Scope::List, Scope::HiddenRows, Scope::AnyAction]
    }

    fn hints(&self, _shared: &Shared) -> Vec<Hint> {
        vec![
            (Command::Open, "its alerts"),
            (Command::Act, "extend, edit, expire"),
            (Command::NewSilence, "new"),
            (Command::Filter, "filter"),
            (Command::Fold, "ended ones"),
        ]
    }

    fn render(&self, shared: &Shared, now: Timestamp, area: Rect, buf: &mut Buffer) {
        view::render(self, shared, now, area, buf);
    }

    /// Those in force first, what ends soonest first. Members of a cluster tell of the same ones; each is shown once.
    fn reorder(&mut self, shared: &Shared, is_typing: bool) {
        let world = &shared.world;
        let mut seen = BTreeSet::new();
        let mut all: Vec<Arc<Silence>> =
            world.shown_silences().map(|(one, _)| one).filter(|one| seen.insert(one.id.clone())).collect();
        all.sort_by(|a, b| {
            let ended = |one: &Silence| one.state == SilenceState::Expired;
            let by_end = if ended(a) { b.ends_at.cmp(&a.ends_at) } else { a.ends_at.cmp(&b.ends_at) };
            a.state.cmp(&b.state).then(by_end).then_with(|| a.id.cmp(&b.id))
        });
        let passes = self.rows.found.select(world.revision(), is_typing, || {
            let described: Vec<Labels> = all.iter().map(|one| described(one)).collect();
            Haystack::new(described.iter().map(|labels| (labels, [])))
        });
        let mut rows = Vec::new();
        self.hidden = 0;
        for silence in passing(all, passes.as_deref()) {
            if silence.state == SilenceState::Expired && !self.show_ended && is_settled(world, &silence) {
                self.hidden += 1;
            } else {
                rows.push(SilenceKey { id: silence.id.clone(), source: silence.source.clone() });
            }
        }
        self.rows.list.set_rows(rows);
        self.hides = world.hidden_by_each();
    }

    lists_rows!(rows.list);

    fn show_hidden(&mut self, is_shown: Option<bool>) {
        self.show_ended = is_shown.unwrap_or(!self.show_ended);
    }

    /// What a silence is about are alerts, the quiet ones above all.
    fn open(&mut self, shared: &Shared) -> Opened {
        let Some(silence) = self.rows.list.current().and_then(|key| key.silence(&shared.world)) else {
            return Opened::Nothing;
        };
        let unknown = silence.matchers.iter().find(|matcher| !matcher.can_be_evaluated());
        let note =
            unknown.map(|unknown| format!("What {unknown} matches cannot be judged here: shown without it"));
        Opened::Search { place: Place::Alerts, filter: filter(&silence), note }
    }
}
