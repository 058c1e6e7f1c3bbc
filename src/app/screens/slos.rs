//! SLOs: every one with its budget and how fast that burns, worst first.

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

/// A row: the head of the SLOs that have this value of the label by which they are grouped, or an SLO. The value is empty
/// for those that do not have the label.
pub type Row = crate::app::grouped::Row<SloKey, Text>;

/// How wide the columns of the list must be.
#[derive(Debug, Clone, Copy, Default)]
struct CellWidths {
    /// The longest name.
    name: u16,
    /// The longest service.
    service: u16,
    /// The SLI of the strictest objective, which has the most decimals.
    sli: u16,
}

/// The list of SLOs. They can be grouped by a label; `service` and `source` count as labels.
#[derive(Debug, Default)]
pub struct Slos {
    pub rows: GroupedList<SloKey, Text>,
    /// How many pass the filter.
    passing: usize,
    /// How many there are in each state, whatever passes.
    states: BTreeMap<SloState, usize>,
    /// Measured of all of them.
    widest: ColumnWidths<CellWidths>,
    /// Whether several sources know an SLO of one name, so that a row must say whose it is.
    is_shared: bool,
}

impl Screen for Slos {
    fn scopes(&self) -> &'static [Scope] {
        &[Scope::List, Scope::Time, Scope::Groups, Scope::AnyAction, Scope::IncidentActions]
    }

    fn hints(&self, _shared: &Shared) -> Vec<Hint> {
        vec![
            (Command::Open, "open"),
            (Command::Filter, "filter"),
            (Command::Sort, "order"),
            (Command::Group, "group"),
        ]
    }

    fn render(&self, shared: &Shared, now: Timestamp, area: Rect, buf: &mut Buffer) {
        view::render(self, shared, now, area, buf);
    }

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
        // they stand in the order of their names
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
        // the head of a group is about no SLO
        let rows = self.rows.list.chosen();
        let keys = rows.iter().filter_map(|row| match row {
            Row::Item(key) => Some(key),
            Row::Group(_) => None,
        });
        Selection::of_slos(&shared.world, keys)
    }

    fn badge(&self, shared: &Shared, _cx: &Cx<'_>) -> Badge {
        let is_bad = |state: &SloState| match state {
            SloState::Page | SloState::Ticket | SloState::Exhausted | SloState::Burning => true,
            SloState::NoData | SloState::Insufficient | SloState::Fine | SloState::Quiet => false,
        };
        let bad = shared.world.slos().iter().map(SloStatus::state).filter(is_bad);
        // what an SLO is like is not told by its number alone
        Badge {
            count: bad.clone().count(),
            worst: bad.min().map(Role::of_slo),
            newest: None,
            has_symbol: true,
        }
    }
}
