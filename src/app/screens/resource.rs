//! The page of one resource: its usage over time with limit and forecast, and what the forecast is based on.

use crate::app::prelude::*;
use crate::app::subjects::capacity;
use crate::model::capacity::{CapacityKey, CapacityReading};

mod view;

#[derive(Debug, Default)]
pub struct OpenResource {
    pub(super) subject: Option<CapacityKey>,
    scroll_position: ScrollPosition,
}

impl OpenResource {
    fn reading<'a>(&self, shared: &'a Shared) -> Option<&'a CapacityReading> {
        shared.world.capacity_of(self.subject.as_ref()?).map(|reading| &**reading)
    }
}

impl SubjectScreen for OpenResource {
    type Subject = CapacityKey;
    const TAB: Option<Tab> = None;

    fn title(key: &CapacityKey, shared: &Shared) -> String {
        shared.world.capacity_of(key).map_or_else(|| key.resource.to_string(), |reading| reading.title())
    }
}

impl Screen for OpenResource {
    offers! { []: Open "service", Copy, Back }

    drawn_by_view!();

    fn wants(&self, shared: &Shared, _now: Timestamp) -> Vec<Want> {
        capacity::wants(shared)
    }

    keeps_scroll_position!();

    fn grid(&self, _shared: &Shared, body: Rect) -> Grid {
        Grid::list(view::text_area(body))
    }

    fn page(&self, shared: &Shared, width: u16) -> Option<PageContent> {
        // the number of lines does not depend on the time
        let laid_out = self.reading(shared).map(|reading| view::page(&shared.cx(reading.at), reading, width));
        Some(laid_out.unwrap_or_default())
    }

    /// Opens the service of the resource.
    fn open(&mut self, shared: &Shared) -> Opened {
        let name = self.subject.as_ref().map(|key| &key.service);
        name.and_then(|name| shared.world.service(name)).map(|one| Place::Service(one.name.clone())).into()
    }

    fn selection(&self, shared: &Shared) -> Selection {
        CapacityKey::selection(shared, self.subject.iter().cloned().collect())
    }

    fn copied(&self, shared: &Shared, now: Timestamp) -> Option<String> {
        self.subject.as_ref()?.copied(shared, now)
    }

    fn runbooks(&self, shared: &Shared) -> Vec<RunbookQuery> {
        self.subject.as_ref().map_or_else(Vec::new, |key| key.runbooks(shared))
    }
}
