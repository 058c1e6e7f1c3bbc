//! Services: all of them with their golden signals, worst first.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::columns::names;
use crate::app::commands::{Command, Scope};
use crate::app::due::Want;
use crate::app::grouped::FilteredList;
use crate::app::look::Cx;
use crate::app::place::Place;
use crate::app::screen::{Badge, Hint, Opened, Screen, lists_rows};
use crate::app::selection::Selection;
use crate::app::shared::Shared;
use crate::app::subjects::{runbook, service};
use crate::app::theme::Role;
use crate::app::widest::Widest;
use crate::model::ask::AskKind;
use crate::model::health::Health;
use crate::model::labels::Text;
use crate::model::runbook::Wanted;

pub mod columns;
mod view;

/// The list of services.
#[derive(Debug, Default)]
pub struct Services {
    /// The rows.
    pub rows: FilteredList<Text>,
    /// Cells of the longest name.
    widest: Widest<u16>,
}

impl Screen for Services {
    fn scopes(&self) -> &'static [Scope] {
        &[Scope::List, Scope::Time, Scope::Things, Scope::Acts]
    }

    fn hints(&self, _shared: &Shared) -> Vec<Hint> {
        vec![
            (Command::Open, "open"),
            (Command::Acknowledge, "ack"),
            (Command::Silence, "silence"),
            (Command::Filter, "filter"),
            (Command::Sort, "order"),
            (Command::Range, "range"),
        ]
    }

    fn render(&self, shared: &Shared, now: Timestamp, area: Rect, buf: &mut Buffer) {
        view::render(self, shared, now, area, buf);
    }

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

    lists_rows!();

    fn orders(&self) -> Vec<&'static str> {
        names(&service::ORDERS)
    }

    fn open(&mut self, _shared: &Shared) -> Opened {
        self.rows.list.current().cloned().map(Place::Service).into()
    }

    fn selection(&self, _shared: &Shared) -> Selection {
        Selection::Services(self.rows.list.chosen())
    }

    fn copied(&self, _shared: &Shared, _now: Timestamp) -> Option<String> {
        self.rows.list.copied(|name| Some(name.to_string()))
    }

    fn runbooks(&self, _shared: &Shared) -> Vec<Wanted> {
        self.rows.list.current().map(runbook::of_service).into_iter().collect()
    }

    fn badge(&self, shared: &Shared, _cx: &Cx<'_>) -> Badge {
        let bad = shared.world.services().iter().filter(|service| service.health < Health::Unknown);
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
