//! Timeline: everything that happened, the newest first: alerts, incidents, silences, and what the person did.

use std::cmp::Reverse;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::chronicle::{Entry, Key};
use crate::app::commands::{Command, Scope};
use crate::app::due::Want;
use crate::app::filter::Haystack;
use crate::app::found::passing;
use crate::app::grouped::FilteredList;
use crate::app::list::Cursor;
use crate::app::number;
use crate::app::place::Place;
use crate::app::range::LENGTHS;
use crate::app::screen::{Hint, Opened, Screen, lists_rows};
use crate::app::selection::Selection;
use crate::app::shared::Shared;
use crate::app::subjects::runbook;
use crate::app::want;
use crate::model::ask::{AskKind, Query};
use crate::model::labels::{Labels, Text};
use crate::model::remote::age;
use crate::model::runbook::Wanted;
use crate::model::source::SourceInfo;

mod columns;
mod view;

/// What was written late is asked for again.
const OVERLAP: SignedDuration = SignedDuration::from_mins(5);

/// Incidents that were over before that are not told any more.
const REACH: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The list of what happened.
#[derive(Debug, Default)]
pub struct Timeline {
    /// The rows.
    pub rows: FilteredList<Reverse<Key>>,
    /// Where the cursor is to go: what was looked at happened then.
    sought: Option<Timestamp>,
}

/// From when on it shows what happened.
fn start(shared: &Shared, now: Timestamp) -> Timestamp {
    shared.range.end.unwrap_or(now).checked_sub(shared.range.length).unwrap_or(Timestamp::MIN)
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

fn steps(shared: &Shared, now: Timestamp) -> Steps {
    let start = start(shared, now);
    let mut latest = None;
    for source in shared.answering(AskKind::Steps) {
        let Some(board) = shared.world.held(&source.id).and_then(|held| held.steps().value()) else {
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

impl Timeline {
    /// What the cursor is on leads to.
    fn target(&self, shared: &Shared) -> Option<Place> {
        let Reverse(key) = self.rows.list.current()?;
        shared.chronicle.entries().get(key)?.place.clone()
    }
}

impl Screen for Timeline {
    fn scopes(&self) -> &'static [Scope] {
        &[Scope::List, Scope::Time, Scope::Things, Scope::Acts]
    }

    fn hints(&self, _shared: &Shared) -> Vec<Hint> {
        vec![
            (Command::Open, "open"),
            (Command::Acknowledge, "ack"),
            (Command::Filter, "filter"),
            (Command::Range, "range"),
            (Command::Earlier, "earlier"),
            (Command::Back, "back"),
        ]
    }

    fn render(&self, shared: &Shared, now: Timestamp, area: Rect, buf: &mut Buffer) {
        view::render(self, shared, now, area, buf);
    }

    /// What happened to incidents: from the start of the range, and then what is new; and when alerts fired.
    fn wants(&self, shared: &Shared, now: Timestamp) -> Vec<Want> {
        let earliest = now.checked_sub(REACH).unwrap_or(now);
        let start = start(shared, now).clamp(earliest, now);
        let want = |source: &SourceInfo| {
            let held = shared.world.held(&source.id)?;
            let known = held.steps().value().filter(|board| board.wanted <= start && board.until >= start);
            let since = known.and_then(|board| board.until.checked_sub(OVERLAP).ok()).unwrap_or(start);
            Some(want::of(shared, &source.id, Query::Steps { since: since.max(earliest) }))
        };
        let firings = want::shown_firings(shared, now);
        shared.answering(AskKind::Steps).filter_map(want).chain(firings).collect()
    }

    fn revision(&self, shared: &Shared) -> u64 {
        shared.chronicle.revision()
    }

    /// The newest first, as far as the range goes.
    fn reorder(&mut self, shared: &Shared, is_typing: bool) {
        let Shared { chronicle, range, .. } = shared;
        let end = range.end.unwrap_or(Timestamp::MAX);
        let start = start(shared, chronicle.now());
        let all: Vec<(&Key, &Entry)> = chronicle.entries().iter().rev().collect();
        let passes = self.rows.found.select(chronicle.revision(), is_typing, || {
            let described: Vec<Labels> = all.iter().map(|(key, entry)| described(key, entry)).collect();
            let sentences: Vec<Text> = all.iter().map(|(_, entry)| entry.sentence()).collect();
            Haystack::new(described.iter().zip(&sentences).map(|(labels, sentence)| (labels, [sentence])))
        });
        let rows: Vec<Reverse<Key>> = passing(all, passes.as_deref())
            .map(|(key, _)| key)
            .filter(|(at, ..)| (start..=end).contains(at))
            .map(|key| Reverse(key.clone()))
            .collect();
        let sought = self.sought.take().map(|moment| rows.iter().position(|Reverse((at, ..))| *at <= moment));
        let last = rows.len().saturating_sub(1);
        self.rows.list.set_rows(rows);
        if let Some(at) = sought {
            self.rows.list.move_to(at.unwrap_or(last));
        }
    }

    lists_rows!();

    fn open(&mut self, shared: &Shared) -> Opened {
        self.target(shared).into()
    }

    fn selection(&self, shared: &Shared) -> Selection {
        // what happened happened to something; lists are nothing that it happened to
        let target = self.target(shared);
        if let Some(Place::Incident(key)) = target {
            Selection::Incidents(vec![key])
        } else if let Some(Place::Alert(fingerprint)) = target {
            Selection::Alerts(vec![fingerprint])
        } else {
            Selection::Nothing
        }
    }

    /// The marked lines, else the one under the cursor. Marks are kept newest first, as the list is.
    fn copied(&self, shared: &Shared, now: Timestamp) -> Option<String> {
        self.rows.list.copied(|Reverse(key)| {
            let entry = shared.chronicle.entries().get(key)?;
            let service = entry.service.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
            let at = number::moment(key.0, now, &shared.look.zone);
            Some(format!("{at} {}{service} {}", key.1.word(), entry.sentence()))
        })
    }

    fn runbooks(&self, shared: &Shared) -> Vec<Wanted> {
        match self.selection(shared) {
            Selection::Alerts(alerts) => runbook::of_known_alert(shared, alerts.first().copied()),
            Selection::Incidents(keys) => runbook::of_known_incident(shared, keys.first()),
            Selection::Nothing
            | Selection::Services(_)
            | Selection::Silences(_)
            | Selection::Level(_)
            | Selection::Policy(_) => Vec::new(),
        }
    }

    /// From an alert, an incident or a service at the moment when that began; with a little more than needed, for what came
    /// before it is what is looked for.
    fn seek(&mut self, shared: &mut Shared, moment: Timestamp, now: Timestamp) {
        let ago = age(moment, shared.range.end.unwrap_or(now));
        let needed = ago.saturating_add(Duration::from_secs(600));
        if needed > shared.range.length {
            let length = LENGTHS.into_iter().find(|length| *length >= needed);
            let length = length.or(LENGTHS.last().copied()).unwrap_or(shared.range.length);
            shared.change_range(now, |range, _| range.length = length);
        }
        self.sought = Some(moment);
    }
}
