//! Alerts: grouped, worst and newest first; what is quiet is folded away but counted.

use std::cell::OnceCell;
use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::columns::names;
use crate::app::commands::{Command, Scope};
use crate::app::grouped::GroupedList;
use crate::app::list::Grouping;
use crate::app::look::Cx;
use crate::app::place::Place;
use crate::app::screen::{Badge, Hint, Opened, Screen, lists_rows};
use crate::app::selection::{Handled, Selection};
use crate::app::shared::Shared;
use crate::app::subjects::{alert, runbook};
use crate::app::theme::Role;
use crate::app::widest::Widest;
use crate::app::widgets::text;
use crate::model::alert::AlertState;
use crate::model::ask::AskKind;
use crate::model::fingerprint::Fingerprint;
use crate::model::labels::{Labels, Text};
use crate::model::runbook::Wanted;
use crate::model::world::World;

pub mod columns;
pub(super) mod ranking;
mod view;

use ranking::Ranking;

/// A row: the head of a group, or an alert. Heads are known by the labels by which the group is one.
pub type Row = crate::app::grouped::Row<Fingerprint, Labels>;

/// The list of alerts.
#[derive(Debug)]
pub struct Alerts {
    /// The rows.
    pub rows: GroupedList<Fingerprint, Labels>,
    /// Whether quiet alerts are shown, too.
    pub show_quiet: bool,
    ranking: Ranking,
    /// The labels that all alerts of a group have, by its number; worked out when they are asked for first.
    common: Vec<OnceCell<Labels>>,
    /// Cells of the longest name, and of the longest service.
    widest: Widest<(u16, u16)>,
    /// How many quiet alerts are folded away, by state.
    hidden: BTreeMap<AlertState, usize>,
}

impl Default for Alerts {
    fn default() -> Self {
        Self {
            rows: GroupedList::grouped(Grouping::Received),
            show_quiet: false,
            ranking: Ranking::default(),
            common: Vec::new(),
            widest: Widest::default(),
            hidden: BTreeMap::new(),
        }
    }
}

impl Alerts {
    /// The labels that all shown alerts of a group have, if it has several.
    fn common(&self, world: &World, group: &Labels) -> Option<&Labels> {
        let members = self.rows.members(group);
        if members.len() < 2 {
            return None;
        }
        let common = self.common.get(self.rows.number(group)?)?;
        Some(common.get_or_init(|| {
            let mut labels =
                members.iter().filter_map(|alert| world.alert(*alert)).map(|alert| &alert.labels);
            let first = labels.next().cloned().unwrap_or_default();
            labels.fold(first, |common, labels| {
                if common.is_within(labels) {
                    common
                } else {
                    common.without(|name| labels.get(name) != common.get(name))
                }
            })
        }))
    }
}

impl Screen for Alerts {
    fn scopes(&self) -> &'static [Scope] {
        &[Scope::List, Scope::Groups, Scope::Folds, Scope::Things, Scope::Acts]
    }

    fn hints(&self, _shared: &Shared) -> Vec<Hint> {
        vec![
            (Command::Open, "open"),
            (Command::Silence, "silence"),
            (Command::Acknowledge, "ack"),
            (Command::Act, "do"),
            (Command::Filter, "filter"),
            (Command::Group, "group"),
            (Command::Fold, "quiet ones"),
        ]
    }

    fn render(&self, shared: &Shared, now: Timestamp, area: Rect, buf: &mut Buffer) {
        view::render(self, shared, now, area, buf);
    }

    fn revision(&self, shared: &Shared) -> u64 {
        let revision = ranking::revision(self.rows.order, &shared.world);
        self.rows.found.revision(revision, shared.chronicle.revision())
    }

    fn reorder(&mut self, shared: &Shared, is_typing: bool) {
        let Shared { world, chronicle, .. } = shared;
        let rows = &mut self.rows;
        let revision = rows.found.revision(world.alerts_revision(), chronicle.revision());
        let haystack = || alert::haystack(world, chronicle.now());
        let passes = rows.found.select(revision, is_typing, haystack);
        if let Some(index) = self.ranking.follow(world, rows.order, &rows.grouping) {
            rows.set_index(index);
        }
        self.hidden.clear();
        let mut shown = Vec::with_capacity(self.ranking.alerts.len());
        for ranked in &self.ranking.alerts {
            let Some(alert) = world.alerts().get(ranked.at) else { continue };
            if passes.as_ref().is_some_and(|passes| !passes.get(ranked.at).copied().unwrap_or(false)) {
                continue;
            }
            if alert.is_told() || self.show_quiet {
                shown.push((ranked.group, alert.fingerprint));
            } else {
                *self.hidden.entry(alert.state).or_default() += 1;
            }
        }
        let is_grouped = rows.grouping != Grouping::None;
        // the head of a group of one would only say twice what the alert says
        rows.arrange(shown, |members, is_folded| is_grouped && (members > 1 || is_folded));
        self.common = (0..rows.groups()).map(|_| OnceCell::new()).collect();
        self.widest.follow(world.revision(), || {
            world.alerts_with_services().fold((0, 0), |(names, services), (alert, service)| {
                let its = service.map_or(0, |service| text::width(service));
                (names.max(text::width(alert.name())), services.max(its))
            })
        });
    }

    lists_rows!();

    fn show_hidden(&mut self, is_shown: Option<bool>) {
        self.show_quiet = is_shown.unwrap_or(!self.show_quiet);
    }

    fn orders(&self) -> Vec<&'static str> {
        names(&ranking::ORDERS)
    }

    fn groupings(&self, shared: &Shared) -> Vec<(String, Grouping)> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for (name, _) in shared.world.alerts().iter().flat_map(|alert| alert.labels.iter()) {
            *counts.entry(name).or_default() += 1;
        }
        let mut names: Vec<(&str, usize)> = counts.into_iter().collect();
        names.sort_by_key(|(name, count)| (Reverse(*count), *name));
        let mut all = Grouping::by_each(names.into_iter().map(|(name, _)| name.to_owned()));
        all.insert(0, ("as the receiver groups them".to_owned(), Grouping::Received));
        all
    }

    fn open(&mut self, _shared: &Shared) -> Opened {
        if self.rows.toggle() {
            return Opened::Folded;
        }
        self.rows.current().copied().map(Place::Alert).into()
    }

    fn selection(&self, _shared: &Shared) -> Selection {
        Selection::Alerts(self.rows.chosen())
    }

    fn unmark(&mut self, handled: &Handled<'_>) {
        match handled {
            Handled::Alerts(covers) => self.rows.list.unmark(|row| match row {
                Row::Item(fingerprint) => covers.contains(fingerprint),
                Row::Group(_) => true,
            }),
            Handled::Incident { .. } | Handled::Silence(_) => {}
        }
    }

    fn copied(&self, shared: &Shared, _now: Timestamp) -> Option<String> {
        self.rows.copied(|fingerprint| alert::labels_of(&shared.world, *fingerprint), ToString::to_string)
    }

    fn links(&self, shared: &Shared) -> Vec<(String, Text)> {
        alert::links(shared, self.rows.current().copied())
    }

    fn runbooks(&self, shared: &Shared) -> Vec<Wanted> {
        runbook::of_known_alert(shared, self.rows.current().copied())
    }

    fn badge(&self, shared: &Shared, _cx: &Cx<'_>) -> Badge {
        let tally = shared.world.tally();
        Badge {
            count: tally.loud(),
            worst: tally.worst().map(Role::of_severity),
            newest: tally.newest(),
            has_symbol: false,
        }
    }

    fn baseline(&self) -> Option<AskKind> {
        Some(AskKind::Alerts)
    }
}
