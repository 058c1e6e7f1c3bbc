//! The list of alerts: grouped, worst and newest first; silenced, inhibited and resolved alerts are hidden but counted.

use std::cell::OnceCell;
use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::app::explore_choice::ChartQuery;
use crate::app::list_screen::{self, EmptyState, LineInput, ListScreen, drawn_as_list, lists};
use crate::app::prelude::*;
use crate::app::staleness::none;
use crate::app::subjects::alert;

pub mod columns;
pub(super) mod ranking;

use columns::{AlertItem, pairs};
use ranking::{Ranking, group_of};

/// A row: a group header or an alert. The key of a group is its common labels.
pub type Row = crate::app::grouped::Row<Fingerprint, Labels>;

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

    /// The labels that distinguish an alert from the others of its group, without those that name its service.
    fn distinguishing(&self, cx: &ScreenCx<'_>, alert: &Alert, service: Option<&Text>) -> Labels {
        let common = self.common(cx.world, &group_of(alert, &self.rows.grouping));
        let names_the_service = |name: &str| {
            let mut labels = cx.shared.world.health_policy.service_labels.iter();
            labels.any(|label| label == name) && alert.labels.get(name) == service
        };
        alert.labels.without(|name| {
            matches!(name, "alertname" | "severity")
                || common.is_some_and(|common| common.get(name).is_some())
                || names_the_service(name)
        })
    }

    /// The heading of a group: the labels that its alerts have in common, and their number.
    fn heading(&self, cx: &ScreenCx<'_>, labels: &Labels) -> Vec<StyledRun<'static>> {
        let sign = list_screen::fold_sign(cx, self.rows.is_folded(labels));
        let words = pairs(cx.shared, labels);
        let words = if words.is_empty() { "no labels in common".to_owned() } else { words };
        vec![
            StyledRun::new(format!("{sign} {words}"), Role::Title),
            StyledRun::new(format!("  {}", self.rows.members(labels).len()), Role::Muted),
        ]
    }
}

impl Screen for Alerts {
    offers! { [List, Groups, HiddenRows, AnyAction, IncidentActions]:
        Open, Silence, Acknowledge, Act, Filter, Group, Fold "hidden"
    }

    drawn_as_list!();

    /// The expression of the rule of the alert under the cursor.
    fn chart_queries(&self, shared: &Shared, _now: Timestamp) -> Vec<ChartQuery> {
        let alert = self.rows.current().and_then(|fingerprint| shared.world.alert(*fingerprint));
        let rule = alert.and_then(|alert| shared.world.rule_of(&alert.labels));
        let chart = rule.map(|(source, rule)| ChartQuery {
            title: rule.name.to_string(),
            query: rule.expr.clone(),
            source: Some(source.clone()),
        });
        chart.into_iter().collect()
    }

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

    fn has_preview(&self) -> bool {
        true
    }

    fn show_hidden(&mut self, is_shown: Option<bool>) {
        self.shows_hidden = is_shown.unwrap_or(!self.shows_hidden);
    }

    fn orders(&self) -> Vec<NamedOrder> {
        named(&ranking::ORDERS)
    }

    fn groupings(&self, shared: &Shared) -> Vec<(String, Grouping)> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for (name, _) in shared.world.alerts().iter().flat_map(|alert| alert.labels.shown()) {
            *counts.entry(name).or_default() += 1;
        }
        let mut names: Vec<(&str, usize)> = counts.into_iter().collect();
        names.sort_by_key(|(name, count)| (Reverse(*count), *name));
        let mut all = Grouping::by_each(names.into_iter().map(|(name, _)| name.to_owned()));
        all.insert(0, ("alert groups of the receiver".to_owned(), Grouping::Received));
        all
    }

    fn badge(&self, cx: &ScreenCx<'_>) -> Badge {
        let totals = cx.world.totals();
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

impl ListScreen for Alerts {
    lists!(Row);

    const COLUMNS: &'static [ListColumn<Self>] = columns::COLUMNS;
    const USED: &'static [AskKind] = &[AskKind::Alerts, AskKind::Rules, AskKind::Silences];
    const NOUN: &'static str = "alert";
    const LACK: Option<EmptyState> = Some(EmptyState {
        kinds: &[AskKind::Alerts, AskKind::Rules],
        no_source: ("No source of alerts: add", "."),
        source: "source of alerts",
        loading: "alerts",
        one: Some("alert"),
    });

    fn title(&self, cx: &ScreenCx<'_>) -> Vec<StyledRun<'static>> {
        let shown = self.rows.grouped_items();
        let all = cx.world.alerts().len();
        let mut runs = list_screen::titled("Alerts", count(shown, all));
        runs.extend(list_screen::hidden_rows(cx.shared, &self.hidden()));
        let grouping = match &self.rows.grouping {
            Grouping::Received => None,
            Grouping::By(names) => Some(format!("  by {}", names.join(", "))),
            Grouping::None => Some("  not grouped".to_owned()),
        };
        runs.extend(grouping.map(|words| StyledRun::new(words, Role::Muted)));
        runs.extend(list_screen::marked(self.rows.list.marks().len()));
        runs.extend(self.rows.found.title_runs());
        if cx.shared.range.end.is_some() {
            runs.push(StyledRun::new("  current alerts, not those of the chosen time", Role::Stale));
        }
        runs
    }

    fn widths(&self, _shared: &Shared) -> (u16, u16) {
        self.widest.cells()
    }

    fn line<'a>(&'a self, of: &LineInput<'a, '_, Row>) -> Option<Line<'a, Self>> {
        let LineInput { cx, stale, key: row, .. } = of;
        let fingerprint = match row {
            Row::Group(labels) => return Some(Line::Heading(self.heading(cx, labels))),
            Row::Item(fingerprint) => fingerprint,
        };
        let alert = cx.world.alert(*fingerprint)?;
        let service = cx.world.service_of(&alert.labels);
        let distinguishing = self.distinguishing(cx, alert, service);
        Some(Line::Item(ListRow {
            plain: if alert.state == AlertState::Firing { Role::Text } else { Role::Muted },
            stage: cx.world.silencing(alert.fingerprint),
            is_new: cx.shared.is_new(Tab::Alerts, cx.world.changed_at(alert.fingerprint)),
            is_stale: alert.sources.iter().all(|id| stale.contains(id)),
            ..self.row(cx, AlertItem { alert, service, distinguishing }, Role::of_alert(alert))
        }))
    }

    fn hidden(&self) -> Vec<String> {
        self.hidden.iter().map(|(state, count)| format!("{count} {state}")).collect()
    }

    /// Only a complete answer is shown as healthy.
    fn none(&self, cx: &ScreenCx<'_>) -> Vec<(String, Role)> {
        let what = if self.hidden.is_empty() {
            "pending or firing alerts"
        } else {
            "pending or firing alerts (the others are hidden)"
        };
        vec![none(cx.shared, Self::USED, what, cx.now)]
    }
}
