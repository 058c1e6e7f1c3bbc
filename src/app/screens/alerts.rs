//! The list of alerts: grouped, worst and newest first; silenced, inhibited and resolved alerts are hidden but counted.

use std::cell::OnceCell;
use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::app::column_widths::ColumnWidths;
use crate::app::columns::names;
use crate::app::grouped::GroupedList;
use crate::app::list::Grouping;
use crate::app::prelude::*;
use crate::app::subjects::alert;
use crate::model::alert::AlertState;

pub mod columns;
pub(super) mod ranking;
mod view;

use ranking::Ranking;

/// A row: a group header or an alert. The key of a group is its common labels.
pub type Row = crate::app::grouped::Row<Fingerprint, Labels>;

/// The screen of all alerts.
#[derive(Debug)]
pub struct Alerts {
    pub rows: GroupedList<Fingerprint, Labels>,
    /// Whether silenced, inhibited and resolved alerts are shown, too.
    pub shows_hidden: bool,
    ranking: Ranking,
    /// The labels that all alerts of a group have, by the group's number; computed on first use.
    common: Vec<OnceCell<Labels>>,
    /// The cells of the longest name and of the longest service.
    widest: ColumnWidths<(u16, u16)>,
    /// The number of hidden alerts by state.
    hidden: BTreeMap<AlertState, usize>,
}

impl Default for Alerts {
    fn default() -> Self {
        Self {
            rows: GroupedList::grouped(Grouping::Received),
            shows_hidden: false,
            ranking: Ranking::default(),
            common: Vec::new(),
            widest: ColumnWidths::default(),
            hidden: BTreeMap::new(),
        }
    }
}

impl Alerts {
    /// The labels that all visible alerts of a group have; None for a group of one.
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
        &[Scope::List, Scope::Groups, Scope::HiddenRows, Scope::AnyAction, Scope::IncidentActions]
    }

    fn hints(&self, _shared: &Shared) -> Vec<Hint> {
        vec![
            (Command::Open, "open"),
            (Command::Silence, "silence"),
            (Command::Acknowledge, "ack"),
            (Command::Act, "actions"),
            (Command::Filter, "filter"),
            (Command::Group, "group"),
            (Command::Fold, "hidden"),
        ]
    }

    drawn_by_view!();

    fn revision(&self, shared: &Shared) -> u64 {
        let revision = ranking::revision(self.rows.order, &shared.world);
        self.rows.found.revision(revision, shared.event_log.revision())
    }

    fn reorder(&mut self, shared: &Shared, is_typing: bool) {
        let Shared { world, event_log, .. } = shared;
        let rows = &mut self.rows;
        let revision = rows.found.revision(world.alerts_revision(), event_log.revision());
        let haystack = || alert::haystack(world, event_log.now());
        let passes = rows.found.select(revision, is_typing, haystack);
        if let Some(index) = self.ranking.follow(world, rows.order, &rows.grouping) {
            rows.index = index;
        }
        self.hidden.clear();
        let mut shown = Vec::with_capacity(self.ranking.alerts.len());
        for ranked in &self.ranking.alerts {
            let Some(alert) = world.alerts().get(ranked.at) else { continue };
            if passes.as_ref().is_some_and(|passes| !passes.get(ranked.at).copied().unwrap_or(false)) {
                continue;
            }
            if alert.is_active() || self.shows_hidden {
                shown.push((ranked.group, alert.fingerprint));
            } else {
                *self.hidden.entry(alert.state).or_default() += 1;
            }
        }
        let is_grouped = rows.grouping != Grouping::None;
        // a header above a single alert would only repeat it
        rows.arrange(shown, |members, is_folded| is_grouped && (members > 1 || is_folded));
        self.common = (0..rows.groups()).map(|_| OnceCell::new()).collect();
        self.widest.follow(world.revision(), || {
            world.alerts_with_services().fold((0, 0), |(names, services), (alert, service)| {
                let its = service.map_or(0, |service| text::width(service));
                (names.max(text::width(alert.name())), services.max(its))
            })
        });
    }

    lists_rows!(rows);

    fn show_hidden(&mut self, is_shown: Option<bool>) {
        self.shows_hidden = is_shown.unwrap_or(!self.shows_hidden);
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
        all.insert(0, ("alert groups of the receiver".to_owned(), Grouping::Received));
        all
    }

    fn badge(&self, shared: &Shared, _cx: &Cx<'_>) -> Badge {
        let totals = shared.world.totals();
        Badge {
            count: totals.firing_with_severity(),
            worst: totals.worst().map(Role::of_severity),
            newest: totals.newest(),
            has_symbol: false,
        }
    }

    fn baseline(&self) -> Option<AskKind> {
        Some(AskKind::Alerts)
    }
}
