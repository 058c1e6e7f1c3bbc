//! The list of incidents: open ones first, with their assignees; resolved ones are hidden.

use crate::app::list_screen::{self, EmptyState, LineInput, ListScreen, NO_PAGING, drawn_as_list, lists};
use crate::app::prelude::*;
use crate::app::staleness::none;
use crate::app::subjects::incident;
use crate::app::subjects::incident::words::role;
use crate::model::incident::IncidentStatus;

pub mod columns;

use columns::IncidentItem;

/// A row: a group header or an incident. The key of a group is the value that its incidents share; empty if they have none.
pub type Row = crate::app::grouped::Row<IncidentKey, Text>;

#[derive(Debug, Default)]
pub struct Incidents {
    pub rows: GroupedList<IncidentKey, Text>,
    /// Whether resolved incidents are shown, too.
    show_resolved: bool,
    /// The number of hidden resolved incidents that match the filter.
    hidden: usize,
    /// The number of incidents in the list, those in collapsed groups included.
    passing: usize,
    /// The cells of the longest service and of the longest assignee.
    widest: (u16, u16),
}

/// The number of incidents in each status.
fn totals<'a>(
    all: impl Iterator<Item = &'a IncidentView> + Clone,
) -> impl Iterator<Item = StyledRun<'static>> {
    let roles = [
        (IncidentStatus::Triggered, Role::Critical),
        (IncidentStatus::Acknowledged, Role::Pending),
        (IncidentStatus::Resolved, Role::Muted),
    ];
    roles.into_iter().filter_map(move |(status, role)| {
        let count = all.clone().filter(|known| known.incident.status == status).count();
        (count > 0).then(|| StyledRun::new(format!("  {count} {}", status.word()), role))
    })
}

impl Screen for Incidents {
    offers! { [List, Groups, HiddenRows, AnyAction, IncidentActions]:
        Open, Acknowledge, Escalate, Resolve, Act, Filter, Group, Fold "resolved"
    }

    drawn_as_list!();

    fn reorder(&mut self, shared: &Shared, is_typing: bool) {
        let Shared { world, event_log, .. } = shared;
        let rows = &mut self.rows;
        let revision = rows.found.revision(world.revision(), event_log.revision());
        let haystack = || incident::haystack(world.incidents(), event_log.now());
        let passes = rows.found.select(revision, is_typing, haystack);
        let mut shown = incident::ordered(world.incidents(), passes.as_deref(), rows.order);
        let all = shown.len();
        if !self.show_resolved {
            shown.retain(|known| known.is_shown_open());
        }
        (self.hidden, self.passing) = (all - shown.len(), shown.len());
        self.widest = shown.iter().fold((0, 0), |(services, people), known| {
            let its = incident::service(known).map_or(0, |name| text::width(name));
            let who = known.holders().first().map_or(0, |who| text::width(&who.name));
            (services.max(its), people.max(who))
        });
        let by = rows.grouped_by().unwrap_or_default().to_owned();
        rows.set(&shown, |known| IncidentKey::of(known), |known| incident::value_of(known, &by));
    }

    lists_rows!(rows);

    fn has_preview(&self) -> bool {
        true
    }

    fn show_hidden(&mut self, is_shown: Option<bool>) {
        self.show_resolved = is_shown.unwrap_or(!self.show_resolved);
    }

    fn orders(&self) -> Vec<NamedOrder> {
        named(&incident::ORDERS)
    }

    fn groupings(&self, _shared: &Shared) -> Vec<(String, Grouping)> {
        Grouping::by_each(incident::GROUPINGS.map(str::to_owned))
    }

    fn badge(&self, cx: &ScreenCx<'_>) -> Badge {
        let open = cx.world.incidents().iter().filter(|known| known.incident.is_open());
        Badge {
            count: open.clone().count(),
            worst: open.clone().map(|known| role(known, cx.now)).min_by_key(|role| *role as usize),
            newest: open.map(|known| known.incident.created_at).max(),
            has_symbol: false,
        }
    }

    fn baseline(&self) -> Option<AskKind> {
        Some(AskKind::Incidents)
    }
}

impl ListScreen for Incidents {
    lists!(Row);

    const COLUMNS: &'static [ListColumn<Self>] = columns::COLUMNS;
    const USED: &'static [AskKind] = &[AskKind::Incidents];
    const NOUN: &'static str = "incident";
    const LACK: Option<EmptyState> = Some(EmptyState {
        kinds: Self::USED,
        no_source: NO_PAGING,
        source: "paging source",
        loading: "incidents",
        one: Some("open incidents"),
    });

    /// The title: "Incidents 4: 2 triggered 1 acknowledged", hidden rows, grouping and filter.
    fn title(&self, cx: &ScreenCx<'_>) -> Vec<StyledRun<'static>> {
        let all = cx.world.incidents();
        let open = all.iter().filter(|known| known.incident.is_open());
        let of = if self.show_resolved { all.len() } else { open.clone().count() };
        let mut runs = list_screen::titled("Incidents", count(self.passing, of));
        runs.extend(totals(open.clone()));
        let forgotten = open.filter(|known| known.is_acknowledgement_old(cx.now)).count();
        if forgotten > 0 {
            let words = format!("  {} {forgotten} acknowledged over 4h ago", cx.symbol(Role::Stale));
            runs.push(StyledRun::new(words, Role::Stale));
        }
        runs.extend(list_screen::hidden_rows(cx.shared, &self.hidden()));
        runs.extend(list_screen::grouped(&self.rows));
        runs.extend(list_screen::marked(self.rows.list.marks().len()));
        runs.extend(self.rows.found.title_runs());
        if cx.shared.range.end.is_some() {
            runs.push(StyledRun::new("  current incidents, not those of the chosen time", Role::Stale));
        }
        runs
    }

    fn widths(&self, _shared: &Shared) -> (u16, u16) {
        self.widest
    }

    fn line<'a>(&'a self, of: &LineInput<'a, '_, Row>) -> Option<Line<'a, Self>> {
        let LineInput { cx, stale, key: row, .. } = of;
        let key = match row {
            Row::Group(value) => {
                let its = self.rows.members(value).iter().filter_map(|key| key.incident(cx.world));
                let nouns = ("incident", "incidents");
                let mut runs = list_screen::group_head(cx, &self.rows, (value, Role::Title), nouns);
                runs.extend(totals(its));
                return Some(Line::Heading(runs));
            }
            Row::Item(key) => key,
        };
        let known = key.incident(cx.world)?;
        Some(Line::Item(ListRow {
            plain: if known.incident.is_open() { Role::Text } else { Role::Muted },
            stage: known.optimistic.map(|optimistic| optimistic.stage),
            is_stale: stale.contains(&known.incident.source),
            ..self.row(cx, IncidentItem { known, now: cx.now }, role(known, cx.now))
        }))
    }

    fn has_items(&self, world: &World) -> bool {
        !world.incidents().is_empty()
    }

    fn hidden(&self) -> Vec<String> {
        (self.hidden > 0).then(|| format!("{} resolved", self.hidden)).into_iter().collect()
    }

    fn none(&self, cx: &ScreenCx<'_>) -> Vec<(String, Role)> {
        vec![none(cx.shared, Self::USED, "open incidents", cx.now)]
    }
}
