//! The list of incidents: open ones first, with their assignees; resolved ones are hidden.

use crate::app::columns::names;
use crate::app::grouped::GroupedList;
use crate::app::list::Grouping;
use crate::app::prelude::*;
use crate::app::subjects::incident;
use crate::app::subjects::incident::words::role;

pub mod columns;
mod view;

/// A row: a group header or an incident. The key of a group is the value that its incidents share; empty if they have none.
pub type Row = crate::app::grouped::Row<IncidentKey, Text>;

/// The screen of all incidents.
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

impl Screen for Incidents {
    offers! { [List, Groups, HiddenRows, AnyAction, IncidentActions]:
        Open, Acknowledge, Escalate, Resolve, Act, Filter, Group, Fold "resolved"
    }

    drawn_by_view!();

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

    fn show_hidden(&mut self, is_shown: Option<bool>) {
        self.show_resolved = is_shown.unwrap_or(!self.show_resolved);
    }

    fn orders(&self) -> Vec<&'static str> {
        names(&incident::ORDERS)
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
