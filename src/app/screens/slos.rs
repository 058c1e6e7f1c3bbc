//! The list of all SLOs with budget and burn rates, worst first.

use std::collections::BTreeMap;

use crate::app::column_widths::ColumnWidths;
use crate::app::columns::names;
use crate::app::grouped::GroupedList;
use crate::app::list::Grouping;
use crate::app::prelude::*;
use crate::app::subjects::slo;
use crate::model::slo::{SloState, show};

pub mod columns;
mod view;

/// A row: a group header or an SLO. The key of a group is the value of the label by which the list is grouped; empty for SLOs
/// without the label.
pub type Row = crate::app::grouped::Row<SloKey, Text>;

/// The widths of the columns, in cells.
#[derive(Debug, Clone, Copy, Default)]
struct CellWidths {
    /// The longest id.
    name: u16,
    /// The longest service.
    service: u16,
    /// The SLI with the most decimals, that of the strictest objective.
    sli: u16,
}

/// The screen of all SLOs. They can be grouped by a label; `service` and `source` count as labels.
#[derive(Debug, Default)]
pub struct Slos {
    pub rows: GroupedList<SloKey, Text>,
    /// The number of SLOs that match the filter.
    passing: usize,
    /// The number of SLOs in each state, whatever the filter.
    states: BTreeMap<SloState, usize>,
    /// The widths over all SLOs, also those that are filtered out.
    widest: ColumnWidths<CellWidths>,
    /// Whether several sources have an SLO of the same id, so that the source must be shown.
    is_shared: bool,
}

impl Screen for Slos {
    offers! { [List, Time, Groups, AnyAction, IncidentActions]: Open, Filter, Sort, Group }

    drawn_by_view!();

    fn reorder(&mut self, shared: &Shared, is_typing: bool) {
        let world = &shared.world;
        let rows = &mut self.rows;
        let passes = rows.found.select(world.revision(), is_typing, || slo::haystack(world.slos()));
        let shown = slo::ordered(world.slos(), passes.as_deref(), rows.order);
        self.passing = shown.len();
        self.states.clear();
        for status in world.slos() {
            *self.states.entry(status.state()).or_default() += 1;
        }
        let by = rows.grouped_by().unwrap_or_default().to_owned();
        rows.set(&shown, |status| SloKey::of(status), |status| slo::value_of(status, &by));
        // `slos()` is sorted by id
        self.is_shared = world.slos().windows(2).any(|pair| matches!(pair, [a, b] if a.slo.id == b.slo.id));
        self.widest.follow(world.revision(), || {
            world.slos().iter().fold(CellWidths::default(), |widest, status| CellWidths {
                name: widest.name.max(text::width(&status.slo.id)),
                service: widest.service.max(status.service.as_deref().map_or(0, text::width)),
                sli: widest.sli.max(text::width(&show::sli(1.0, status.slo.objective))),
            })
        });
    }

    lists_rows!(rows);

    fn grid(&self, shared: &Shared, body: Rect) -> Grid {
        Grid::list(view::list_area(shared, body))
    }

    fn orders(&self) -> Vec<&'static str> {
        names(&slo::ORDERS)
    }

    fn groupings(&self, shared: &Shared) -> Vec<(String, Grouping)> {
        Grouping::by_each(slo::labels(&shared.world))
    }

    fn selection(&self, shared: &Shared) -> Selection {
        // a group header is no SLO
        let rows = self.rows.list.chosen();
        let keys = rows.iter().filter_map(|row| match row {
            Row::Item(key) => Some(key),
            Row::Group(_) => None,
        });
        Selection::of_slos(&shared.world, keys)
    }

    fn badge(&self, cx: &ScreenCx<'_>) -> Badge {
        let is_bad = |state: &SloState| match state {
            SloState::Page | SloState::Ticket | SloState::Exhausted | SloState::Burning => true,
            SloState::NoData | SloState::Insufficient | SloState::Fine | SloState::Quiet => false,
        };
        let bad = cx.world.slos().iter().map(SloStatus::state).filter(is_bad);
        // the number alone does not show how bad the SLOs are
        Badge {
            count: bad.clone().count(),
            worst: bad.min().map(Role::of_slo),
            newest: None,
            has_symbol: true,
        }
    }
}
