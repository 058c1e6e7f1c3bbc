//! The list of resources with a limit, and deadlines: how much is used, how it grows, and when it is full or over.

use crate::app::list_screen::{self, EmptyState, LineInput, ListScreen, drawn_as_list, lists};
use crate::app::prelude::*;
use crate::app::subjects::capacity;
use crate::model::capacity::CapacityKey;

pub mod columns;

use columns::{CapacityItem, CapacityWidths};

/// A row: a group header or a resource. The key of a group is the property by which the list is grouped.
pub type Row = crate::app::grouped::Row<CapacityKey, Text>;

#[derive(Debug, Default)]
pub struct CapacityList {
    pub rows: GroupedList<CapacityKey, Text>,
    /// The number of resources that match the filter.
    passing: usize,
    widest: ColumnWidths<CapacityWidths>,
}

impl Screen for CapacityList {
    offers! { [List, Groups]: Open, Filter, Sort, Group, Copy, Back }

    drawn_as_list!();

    fn wants(&self, shared: &Shared, _now: Timestamp) -> Vec<Want> {
        capacity::wants(shared)
    }

    fn reorder(&mut self, shared: &Shared, is_typing: bool) {
        let world = &shared.world;
        let rows = &mut self.rows;
        let now = world.capacity().iter().map(|reading| reading.at).max().unwrap_or_default();
        let passes =
            rows.found.select(world.revision(), is_typing, || capacity::haystack(world.capacity(), now));
        let shown = capacity::ordered(world.capacity(), passes.as_deref(), rows.order);
        self.passing = shown.len();
        let by = rows.grouped_by().unwrap_or_default().to_owned();
        rows.set(&shown, |reading| reading.key.clone(), |reading| capacity::value_of(reading, &by));
        self.widest.follow(world.revision(), || CapacityWidths::measure(shared));
    }

    lists_rows!(rows);

    fn orders(&self) -> Vec<NamedOrder> {
        named(&capacity::ORDERS)
    }

    fn groupings(&self, _shared: &Shared) -> Vec<(String, Grouping)> {
        Grouping::by_each(capacity::GROUPS.map(str::to_owned))
    }

    fn selection(&self, shared: &Shared) -> Selection {
        CapacityKey::selection(shared, self.rows.chosen())
    }
}

impl ListScreen for CapacityList {
    lists!(Row);

    const COLUMNS: &'static [ListColumn<Self>] = columns::COLUMNS;
    const USED: &'static [AskKind] = &[AskKind::Capacity];
    const NOUN: &'static str = "resource";
    const LACK: Option<EmptyState> = Some(capacity::LACK);

    /// The title: "Capacity 40  1 full or over within 1d  2 soon", sort order and filter.
    fn title(&self, cx: &ScreenCx<'_>) -> Vec<StyledRun<'static>> {
        let all = cx.world.capacity();
        let mut runs = list_screen::titled("Capacity", count(self.passing, all.len()));
        let thresholds = &cx.world.health_policy.thresholds;
        for (role, words) in [(Role::Critical, "within 1d or full"), (Role::Warning, "soon")] {
            let its =
                all.iter().filter(|reading| capacity::role(reading, thresholds, cx.now) == role).count();
            if its > 0 {
                runs.push(StyledRun::new(format!("  {} {its} {words}", cx.symbol(role)), role));
            }
        }
        runs.extend(list_screen::grouped(&self.rows));
        runs.extend(list_screen::marked(self.rows.list.marks().len()));
        runs.extend(list_screen::ordered(self));
        runs.extend(self.rows.found.title_runs());
        runs
    }

    fn widths(&self, _shared: &Shared) -> CapacityWidths {
        self.widest.cells()
    }

    fn line<'a>(&'a self, of: &LineInput<'a, '_, Row>) -> Option<Line<'a, Self>> {
        let LineInput { cx, stale, key: row, .. } = of;
        let key = match row {
            Row::Group(value) => {
                let nouns = ("resource", "resources");
                let head = list_screen::group_head(cx, &self.rows, (value, Role::Title), nouns);
                return Some(Line::Heading(head));
            }
            Row::Item(key) => key,
        };
        let reading = cx.world.capacity_of(key)?;
        let role = capacity::role(reading, &cx.world.health_policy.thresholds, cx.now);
        let row = self.row(cx, CapacityItem { reading, now: cx.now }, role);
        Some(Line::Item(ListRow { is_stale: stale.contains(&key.source), ..row }))
    }

    fn has_items(&self, world: &World) -> bool {
        !world.capacity().is_empty()
    }

    fn none(&self, _cx: &ScreenCx<'_>) -> Vec<(String, Role)> {
        let advice = "Packs name the pairs of usage and limit: file systems, memory, connections, file descriptors, quotas, \
                      certificates and more. docs/capacity.md lists them, and how to add your own.";
        let words =
            "No resource found: the sources have no metric with a usage and its limit that a pack knows.";
        vec![(words.to_owned(), Role::Text), (advice.to_owned(), Role::Muted)]
    }
}
