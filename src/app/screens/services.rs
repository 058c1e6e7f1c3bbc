//! The list of all services with their golden signals, worst first.

use crate::app::column_widths::ColumnWidths;
use crate::app::columns::names;
use crate::app::grouped::FilteredList;
use crate::app::prelude::*;
use crate::app::subjects::service;
use crate::model::health::Health;

pub mod columns;
mod view;

/// The screen of all services.
#[derive(Debug, Default)]
pub struct Services {
    /// The rows with the cursor and the marks.
    pub rows: FilteredList<Text>,
    /// The cells of the longest name.
    widest: ColumnWidths<u16>,
}

impl Screen for Services {
    offers! { [List, Time, AnyAction, IncidentActions]: Open, Acknowledge, Silence, Filter, Sort, Range }

    drawn_by_view!();

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

    fn orders(&self) -> Vec<&'static str> {
        names(&service::ORDERS)
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
