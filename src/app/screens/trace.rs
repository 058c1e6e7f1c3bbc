//! One trace as a waterfall: a row for each span, with its place in the tree, its time, and whether the duration of the trace
//! depends on it; and the attributes and events of the span under the cursor.

use crate::app::prelude::*;
use crate::app::subjects::trace;
use crate::model::source_info::SourceInfo;
use crate::model::trace::{Trace, TraceId};

mod details;
mod rows;
mod view;

use rows::SpanRows;

/// The panel of the details of a span.
const DETAILS: usize = 1;

#[derive(Debug, Default)]
pub struct OpenTrace {
    pub(super) subject: Option<TraceId>,
    rows: SpanRows,
    /// Whether the details of the span under the cursor are shown.
    has_details: bool,
    scroll_position: ScrollPosition,
}

impl OpenTrace {
    fn trace(&self) -> Option<&Arc<Trace>> {
        self.rows.trace()
    }

    fn is_in_details(&self) -> bool {
        self.has_details && self.scroll_position.panel == DETAILS
    }

    fn close_details(&mut self) {
        self.has_details = false;
        self.scroll_position = ScrollPosition::default();
    }
}

impl SubjectScreen for OpenTrace {
    type Subject = TraceId;
    const TAB: Option<Tab> = None;

    fn title(id: &TraceId, _shared: &Shared) -> String {
        let digits = id.to_string();
        format!("Trace {}", digits.get(..8).unwrap_or(&digits))
    }
}

impl Screen for OpenTrace {
    fn scopes(&self) -> &'static [Scope] {
        &[Scope::List]
    }

    fn hints(&self) -> Vec<Hint> {
        if self.has_details {
            return hints![Open "close details", NextPanel "scroll details", Copy "copy trace id", Links, Back "close"];
        }
        hints![Open "details", Left "collapse", Right "expand", Filter, Copy "copy trace id", Links, Back]
    }

    drawn_by_view!();

    fn wants(&self, shared: &Shared, _now: Timestamp) -> Vec<Want> {
        let Some(id) = self.subject else { return Vec::new() };
        let want = |source: &SourceInfo| want::of(shared, &source.id, Query::Trace { id });
        shared.answering(AskKind::Trace).map(want).collect()
    }

    fn reorder(&mut self, shared: &Shared, is_typing: bool) {
        let found = self.subject.and_then(|id| trace::found(shared, id)).map(|(_, trace)| trace);
        self.rows.set_trace(found);
        self.rows.arrange(shared.world.revision(), is_typing);
        if self.rows.list.rows().is_empty() {
            self.close_details();
        }
    }

    /// Another trace is shown from its beginning.
    fn to_top(&mut self) {
        self.rows.reset();
        self.close_details();
    }

    fn leave(&mut self) {
        self.rows.set_trace(None);
    }

    keeps_scroll_position!();

    fn panels(&self) -> usize {
        if self.has_details { 2 } else { 1 }
    }

    fn has_panel(&self, _shared: &Shared, _body: Rect, panel: usize) -> bool {
        panel != DETAILS || self.has_details
    }

    fn listing(&self) -> Option<&dyn crate::app::grouped::Listing> {
        if self.is_in_details() { None } else { Some(&self.rows) }
    }

    fn listing_mut(&mut self) -> Option<&mut dyn crate::app::grouped::Listing> {
        if self.is_in_details() { None } else { Some(&mut self.rows) }
    }

    fn list_at(&self, panel: usize) -> Option<&dyn Cursor> {
        if panel == DETAILS { None } else { Some(&self.rows.list) }
    }

    fn grid(&self, shared: &Shared, body: Rect) -> Grid {
        let areas = view::areas(self, &shared.cx(Timestamp::UNIX_EPOCH), body);
        Grid::list(if self.is_in_details() { areas.details } else { areas.rows })
    }

    fn panel_at(&self, shared: &Shared, body: Rect, cell: (u16, u16)) -> Option<usize> {
        let areas = view::areas(self, &shared.cx(Timestamp::UNIX_EPOCH), body);
        let panels = [(0, areas.rows), (DETAILS, areas.details)];
        panels.into_iter().find(|(_, area)| area.contains(cell.into())).map(|(panel, _)| panel)
    }

    /// The details, while they have the focus: only then the arrow keys scroll them.
    fn page(&self, shared: &Shared, width: u16) -> Option<PageContent> {
        let is_focused = self.is_in_details();
        is_focused.then(|| details::page(self, &shared.cx(Timestamp::UNIX_EPOCH), width))
    }

    /// Shows or hides the details of the span.
    fn open(&mut self, _shared: &Shared) -> Opened {
        if self.has_details {
            self.close_details();
        } else if self.rows.current().is_some() {
            self.has_details = true;
        } else {
            return Opened::Nothing;
        }
        Opened::Folded
    }

    /// The service of the span under the cursor, if it is a known one.
    fn selection(&self, shared: &Shared) -> Selection {
        let service = self.rows.current().map(|(_, node)| node.span.service.clone());
        Selection::Services(service.into_iter().filter(|name| shared.world.service(name).is_some()).collect())
    }

    fn copied(&self, _shared: &Shared, _now: Timestamp) -> Option<String> {
        self.subject.map(|id| id.to_string())
    }

    fn links(&self, shared: &Shared) -> Vec<(String, Text)> {
        self.subject.map_or_else(Vec::new, |id| trace::links(shared, id))
    }

    fn runbooks(&self, shared: &Shared) -> Vec<RunbookQuery> {
        match self.selection(shared) {
            Selection::Services(names) => names.first().map_or_else(Vec::new, |name| name.runbooks(shared)),
            Selection::Nothing
            | Selection::Incidents(_)
            | Selection::Alerts(_)
            | Selection::Silences(_)
            | Selection::Level(_)
            | Selection::Policy(_) => Vec::new(),
        }
    }

    fn moment(&self, _shared: &Shared) -> Option<Timestamp> {
        self.trace().map(|trace| trace.starts_at)
    }

    /// Esc closes the details first.
    fn run(&mut self, _shared: &mut Shared, command: Command, _now: Timestamp) -> bool {
        let closes = command == Command::Back && self.has_details && self.rows.found.text().is_empty();
        if closes {
            self.close_details();
        }
        closes
    }
}
