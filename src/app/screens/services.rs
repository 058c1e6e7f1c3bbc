//! The list of all services with their golden signals, worst first.

use crate::app::list_screen::{self, EmptyState, LineInput, ListScreen, drawn_as_list, lists};
use crate::app::prelude::*;
use crate::app::subjects::change::{self, ChangeCoverage};
use crate::app::subjects::service;
use crate::model::health::Health;

pub mod columns;

use columns::ServiceItem;

#[derive(Debug, Default)]
pub struct Services {
    /// The rows with the cursor and the marks.
    pub rows: FilteredList<Text>,
    /// The cells of the longest name.
    widest: ColumnWidths<u16>,
}

impl Screen for Services {
    offers! { [List, Time, AnyAction, IncidentActions]: Open, Acknowledge, Silence, Filter, Sort, Range }

    drawn_as_list!();

    fn wants(&self, shared: &Shared, now: Timestamp) -> Vec<Want> {
        service::wants(shared, now)
    }

    fn reorder(&mut self, shared: &Shared, is_typing: bool) {
        let world = &shared.world;
        self.widest.follow(world.revision(), || service::widest_name(world));
        let services = world.services();
        let passes = self.rows.found.select(world.revision(), is_typing, || service::haystack(services));
        self.rows.list.set_rows(service::ordered(services, passes.as_deref(), self.rows.order));
    }

    lists_rows!(rows.list);

    fn has_preview(&self) -> bool {
        true
    }

    fn orders(&self) -> Vec<NamedOrder> {
        named(&service::ORDERS)
    }

    fn badge(&self, cx: &ScreenCx<'_>) -> Badge {
        let bad = cx.world.services().iter().filter(|service| service.health < Health::Unknown);
        Badge {
            count: bad.clone().count(),
            worst: bad
                .clone()
                .map(|service| Role::of_health(service.health))
                .min_by_key(|role| *role as usize),
            newest: bad.filter_map(|service| service.since).max(),
            has_symbol: false,
        }
    }

    fn baseline(&self) -> Option<AskKind> {
        Some(AskKind::Services)
    }
}

impl ListScreen for Services {
    lists!(Text);

    const COLUMNS: &'static [ListColumn<Self>] = columns::COLUMNS;
    const USED: &'static [AskKind] = &[AskKind::Services, AskKind::Alerts, AskKind::Trends];
    const NOUN: &'static str = "service";
    const LACK: Option<EmptyState> = Some(service::LACK);

    /// The title: "Services 40: 1 critical, 39 healthy", sort order and filter.
    fn title(&self, cx: &ScreenCx<'_>) -> Vec<StyledRun<'static>> {
        let services = cx.world.services();
        let shown = count(self.rows.list.rows().len(), services.len());
        let mut runs = list_screen::titled("Services", shown);
        for health in Health::ALL {
            let count = services.iter().filter(|service| service.health == health).count();
            if count > 0 && health != Health::Healthy {
                runs.push(StyledRun::new(format!("  {count} {}", health.word()), Role::of_health(health)));
            }
        }
        runs.extend(list_screen::marked(self.rows.list.marks().len()));
        runs.extend(list_screen::ordered(self));
        runs.extend(self.rows.found.title_runs());
        if let Some(end) = cx.shared.range.end {
            runs.push(StyledRun::new(format!("  as of {}", moment(end, cx.now, cx.zone)), Role::Banner));
        }
        runs
    }

    fn widths(&self, shared: &Shared) -> (u16, bool, bool) {
        let coverage = change::coverage(&shared.world, &shared.sources);
        let has_changes = matches!(coverage, ChangeCoverage::Since(_));
        (self.widest.cells(), !shared.world.slos().is_empty(), has_changes)
    }

    fn line<'a>(&'a self, of: &LineInput<'a, '_, Text>) -> Option<Line<'a, Self>> {
        let LineInput { cx, stale, key, .. } = of;
        let service = cx.world.service(key)?;
        let change = change::last(cx.shared, key).map(|change| &**change);
        let item = ServiceItem { service, now: cx.now, trends: service::trends(cx.shared, service), change };
        Some(Line::Item(ListRow {
            is_new: cx.shared.is_new(Tab::Services, service.since),
            is_stale: service.chart_sources.iter().any(|id| stale.contains(id)),
            ..self.row(cx, item, Role::of_health(service.health))
        }))
    }

    fn has_items(&self, world: &World) -> bool {
        !world.services().is_empty()
    }

    fn none(&self, _cx: &ScreenCx<'_>) -> Vec<(String, Role)> {
        vec![(service::NONE.to_owned(), Role::Muted)]
    }
}
