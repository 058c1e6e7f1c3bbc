//! The list of sources: state, errors and what to do, round trip, traffic, watchdog.

use crate::app::prelude::*;

pub mod columns;
mod view;

/// The screen of all sources.
#[derive(Debug, Default)]
pub struct Sources {
    /// The rows, in the order of the configuration.
    pub list: List<SourceId>,
}

impl Screen for Sources {
    offers! { []: Refresh, Back }

    drawn_by_view!();

    fn change_context(&mut self, shared: &Shared) {
        self.list = List::default();
        self.list.set_rows(shared.sources.iter().map(|source| source.id.clone()).collect());
    }

    fn list(&self) -> Option<&dyn Cursor> {
        Some(&self.list)
    }

    fn list_mut(&mut self) -> Option<&mut dyn Cursor> {
        Some(&mut self.list)
    }

    fn grid(&self, shared: &Shared, body: Rect) -> Grid {
        Grid::list(view::list_area(body, shared.sources.len()))
    }

    fn copied(&self, _shared: &Shared, _now: Timestamp) -> Option<String> {
        self.list.current().map(ToString::to_string)
    }

    fn badge(&self, cx: &ScreenCx<'_>) -> Badge {
        let count = doubts(cx.shared, &AskKind::ALL, cx.now).len();
        Badge { count, worst: Some(Role::Stale), ..Badge::default() }
    }
}
